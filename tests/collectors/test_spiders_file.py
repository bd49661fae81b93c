"""Tables in files, fetched over HTTP and read from the project folder; what is wrong is told with file and line."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from collectors.catalog import City
from collectors.health import SourceProblem
from collectors.spiders.file import FileOptions, parse_table
from collectors.tables import Row

COLUMNS = {"id": "id", "author": "autor", "text": ["texto"], "date": "fecha"}
GOOD = "id,autor,texto,fecha\n1,Ana,Falta luz,05/04/2021 23:59\n2,,Falta agua,\n"


NESTED = {"id": "id", "author": "autor.nombre", "text": ["cuerpo"], "date": "fechas.0", "reactions": "votos"}
PEOPLE = [
    {"id": 12345678901234567890, "autor": {"nombre": "Ana"}, "cuerpo": "Señor, falta luz", "fechas": ["2021-04-05"], "votos": 3},
    {"id": 2, "autor": None, "cuerpo": "Falta agua", "fechas": [], "votos": None},
]
POLIS = (
    "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
    '1617638400,Mon Apr 05 2021 16:00:00 GMT+0000,0,0,12,3,1,"Más árboles, por favor"\n'
    "1617638460,Mon Apr 05 2021 16:01:00 GMT+0000,1,4,0,9,-1,RECHAZADO\n"
    '1617638520000,Mon Apr 05 2021 16:02:00 GMT+0000,2,4,1,0,0,"Con ""comillas"" y\nsalto"\n'
)
FOURCAT = (
    "id,thread_id,timestamp,author,subject,body,extra\n"
    "100,100,2021-04-05 23:30:00,9f8a,Pistas,Hay un hueco,x\n"
    "101,100,2021-04-06 00:30:00,REDACTED,,Sí,x\n"
)


def archive(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def sheet_ods(rows: list[list[str]]) -> bytes:
    """Write an ODS file by hand: the least that OpenDocument asks for."""
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = "".join(f"<table:table-row>{''.join(cell.format(value) for value in row)}</table:table-row>" for row in rows)
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Hoja">{lines}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return archive({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**row, "id": row["id"] % 10**9} for row in rows]), stream)
    return stream.getvalue()


def workbook(rows: list[list[Any]], *, sheet: str = "Hoja1", formats: dict[int, str] | None = None, far: bool = False) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("Portada").write(0, 0, "Léame")
        table = book.add_worksheet(sheet)
        styles = {column: book.add_format({"num_format": style}) for column, style in (formats or {}).items()}
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                table.write(number, column, cell, styles.get(column))
        if far:  # a few kilobytes that unfold to 17 thousand million cells
            table.write(1_048_575, 16_383, "x")
    return stream.getvalue()


FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "bueno": (GOOD.encode(), {"columns": COLUMNS}),
    "ansi": (
        "id;autor;texto;fecha;votos;padre;enlace\n"
        "1;Peña;El niño, mañana;05/04/2021 11:30 p. m.;12;0;https://x.test/p?b=2&a=1#c\n"
        "2;Núñez;Señora;31/04/2021;muchos;1;www.x.test/2\n".encode("cp1252"),
        {
            "columns": {**COLUMNS, "reactions": "votos", "parent": "padre", "link": "enlace"},
            "encoding": "windows-1252",
            "delimiter": ";",
        },
    ),
    "html": (
        b"id,autor,titulo,texto,mas,fecha\n"
        b'1,Ana,"Pista, rota","<p>Una<br>dos &amp; tres</p>","<ul><li>cuatro</li></ul>",2021-04-05\n',
        {"columns": {**COLUMNS, "title": "titulo", "text": ["texto", "mas"]}, "html": True},
    ),
    "sin-id": (
        b"autor,texto,fecha\nAna,Hola,05/04/2021\nAna,Hola,05/04/2021\nLuis,Hola,06/04/2021\n",
        {"columns": {"author": "autor", "text": ["texto"], "date": "fecha"}},
    ),
    "id-a-medias": (b"id,autor,texto,fecha\n1,Ana,Uno,\n,Ana,Dos,\n,Ana,Tres,\n", {"columns": COLUMNS}),
    "tabulado": (
        "\ufeffid\tautor\ttexto\tfecha\n1\tAna\tcon, coma\t5/4/2021\n".encode(),
        {"columns": COLUMNS, "delimiter": "\t"},
    ),
    "mes-primero": (b"id,autor,texto,fecha\n1,,x,04/05/2021\n", {"columns": COLUMNS, "date_order": "month_first"}),
    "libro": (
        workbook(
            [
                ["Nro", "Autor", "Texto", "Fecha", "Hora", "Votos"],
                [1, "Ana", "Desde Excel: señor", datetime(2021, 4, 30), time(23, 59, 59), 3],
                [2.0, None, "Sin fecha", None, None, None],
                [3, None, None, None, None, None],
            ],
            sheet="Buzón",
            formats={3: "dd/mm/yyyy", 4: "hh:mm:ss"},
        ),
        {
            "sheet": "Buzón",
            "columns": {"id": "Nro", "author": "Autor", "text": ["Texto"], "date": "Fecha", "time": "Hora", "reactions": "Votos"},
        },
    ),
    "doble": (
        b"id,autor,texto,fecha\n1,Ana,Falta luz,\n1,Ana,Falta luz,\n1,Luis,Falta agua,\n1,Luis,Falta todo,\n",
        {"columns": COLUMNS},
    ),
    "editado": (b"id,autor,texto,fecha\n1,Ana,Falta luz,2021-04-05\n1,Ana,Falta luz hoy,2021-04-05\n", {"columns": COLUMNS}),
    "mudo": (b"id,autor,texto,fecha\n1,,,x\n2,,,x\n3,,,x\n4,,Hola,x\n", {"columns": COLUMNS}),
    "mudo-del-todo": (b"id,autor,texto,fecha\n1,,,x\n2,,,x\n3,,,x\n", {"columns": COLUMNS}),
    "votos": (
        b"id,autor,texto,fecha\n" + b"9" * 5000 + b",,Uno,\n9223372036854775808,,Dos,\n7,,Tres,\n",
        {"columns": {"text": ["texto"], "reactions": "id"}},
    ),
    "vacio": (b"id,autor,texto,fecha\n", {"columns": COLUMNS}),
    "sin-columna": (GOOD.encode(), {"columns": {**COLUMNS, "text": ["mensaje"]}}),
    "celdas": (b'id,autor,texto,fecha\n1,,"dos\nlineas",\n2,Ana,coma, de mas,05/04/2021\n', {"columns": COLUMNS}),
    "sin-hoja": (workbook([["id"]]), {"columns": COLUMNS, "sheet": "Atenciones"}),
    "no-libro": (b"<html>Inicie sesi\xc3\xb3n</html>", {"columns": COLUMNS, "sheet": "Buz\u00f3n"}),
    "comillas": (b'id,autor,texto,fecha\n1,,"sin cerrar,\n2,,x,\n', {"columns": COLUMNS}),
    "nada": (b"", {"columns": COLUMNS}),
    "atenciones.ods": (
        sheet_ods([["id", "texto", "fecha"], ["1", "Señora, falta luz", "05/04/2021"], ["2", "Falta agua", ""]]),
        {"columns": {"id": "id", "text": ["texto"], "date": "fecha"}},
    ),
    "lista.json": (
        json.dumps([PEOPLE[0], "SECRETO suelto", PEOPLE[1], {"id": 9, "cuerpo": {"es": "SECRETO dentro"}}]).encode(),
        {"columns": NESTED},
    ),
    "objeto.json": (json.dumps({"data": {"items": PEOPLE}}).encode(), {"columns": NESTED, "records": "data.items"}),
    "sin-lista.json": (json.dumps({"data": {"items": PEOPLE}}).encode(), {"columns": NESTED, "records": "data.rows"}),
    "roto.json": (json.dumps(PEOPLE).encode()[:-30], {"columns": NESTED}),
    "lineas.ndjson": (
        b"".join(json.dumps(person).encode() + b"\n" for person in PEOPLE) + b'\n{"id": 3, "cuerpo": "SECRETO cortado',
        {"columns": NESTED},
    ),
    "tabla.parquet": (parquet(PEOPLE), {"columns": NESTED}),
    "sin-campo.json": (json.dumps(PEOPLE).encode(), {"columns": {**NESTED, "text": ["mensaje"]}}),
    "mal-campo.json": (json.dumps(PEOPLE).encode(), {"columns": {**NESTED, "reactions": "votes"}}),
    "abril.csv.gz": (gzip.compress(GOOD.encode()), {"columns": COLUMNS}),
    "abril.zip": (archive({"notas/abril.csv": GOOD, "__MACOSX/._abril.csv": "x"}), {"columns": COLUMNS}),
    "dos.zip": (archive({"a.csv": GOOD, "b.csv": GOOD}), {"columns": COLUMNS}),
    "polis.zip": (archive({"votes.csv": "a,b\n", "2021-comments.csv": POLIS, "summary.csv": "x,y\n"}), {"layout": "polis"}),
    "polis.csv": (POLIS.encode(), {"layout": "polis"}),
    "4cat.csv": (FOURCAT.encode(), {"layout": "4cat"}),
    "4cat-sin-autor.csv": (b"id,thread_id,body,timestamp\n7,7,Falta luz,2021-04-05 10:00:00\n", {"layout": "4cat"}),
    "bomba.xlsx": (workbook([["id", "autor", "texto", "fecha"]], far=True), {"columns": COLUMNS, "sheet": "Hoja1"}),
    "todo-mal": (b"id,autor,texto,fecha\n1,Ana,uno\n2,Ana,dos\n", {"columns": COLUMNS}),
}


def source_name(file: str) -> str:
    """Return the id of the source that reads a file."""
    return file.replace(".", "-")


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    lab.web.sites["descargas.test"] = lambda path, query: (
        lab.Reply(FILES[path[1:]][0], "application/octet-stream") if path[1:] in FILES else None
    )
    sources = [
        lab.source(source_name(name), "file", f"http://descargas.test/{name}", options=options, publisher={"authors": ["Luis"]})
        for name, (_, options) in FILES.items()
    ]
    folder = lab.project / "imports"
    folder.mkdir(parents=True)
    (folder / "abril 1.csv").write_text(GOOD, encoding="utf-8")
    (folder / "abril 2.csv").write_text("otra,cosa\nSECRETO DE UN VECINO,2\n", encoding="utf-8")
    outside = lab.folder / "fuera.csv"
    outside.write_text("id,autor,texto,fecha\n1,,SECRETO DE FUERA,\n", encoding="utf-8")
    (folder / "enlace.csv").symlink_to(outside)
    local = {
        "local": "imports/abril 1.csv",
        "dos": "imports/abril*.csv",
        "falta": "imports/*.xlsx",
        "fuera": "imports/enlace.csv",
    }
    sources += [lab.source(name, "file", url, options={"columns": COLUMNS}) for name, url in local.items()]
    sources.append(lab.source("oficina", "file", "imports/abril 1.csv", options={"columns": COLUMNS}, channel="attention_office"))
    return lab.crawl(sources)


def test_rows(crawled: Any) -> None:
    first, second = crawled.items("bueno")
    assert (first.native_id, first.text) == ("1", "Falta luz")
    assert first.published_at == datetime(2021, 4, 6, 4, 59, tzinfo=UTC)
    assert first.author_key is not None
    assert (second.author_key, second.published_at, second.published_raw) == (None, None, None)
    assert crawled.outcome("bueno") == ("ok", "none")
    assert crawled.health("bueno").undated_count == 1


def test_windows_1252_day_first_links_and_votes(crawled: Any) -> None:
    first, second = crawled.items("ansi")
    assert first.text == "El niño, mañana"
    assert first.published_at == datetime(2021, 4, 6, 4, 30, tzinfo=UTC)
    assert (first.reactions, first.parent_id, first.url) == (12, "0", "https://x.test/p?a=1&b=2#c")
    assert (second.published_at, second.published_raw) == (None, "31/04/2021")
    assert (second.reactions, second.parent_id, second.url) == (None, "1", None)


def test_html_fields_and_several_text_columns(crawled: Any) -> None:
    (item,) = crawled.items("html")
    assert item.text == "Una\ndos & tres\n\ncuatro"
    assert item.title == "Pista, rota"
    assert item.published_at == datetime(2021, 4, 5, 5, tzinfo=UTC)


def test_rows_without_ids_stay_apart_and_stay_the_same(crawled: Any) -> None:
    ids = [item.native_id for item in crawled.items("sin-id")]
    assert len(set(ids)) == 3
    assert ids[1] == ids[0].removesuffix(":1") + ":2"
    assert [item.kind for item in crawled.items("sin-id")] == ["manifestation", "manifestation", "official"]
    half = [item.native_id for item in crawled.items("id-a-medias")]
    assert half[0] == "1"
    assert len(set(half)) == 3


def test_tabs_byte_order_mark_and_month_first(crawled: Any) -> None:
    (item,) = crawled.items("tabulado")
    assert (item.native_id, item.text, item.published_at) == ("1", "con, coma", datetime(2021, 4, 5, 5, tzinfo=UTC))
    (american,) = crawled.items("mes-primero")
    assert american.published_at == datetime(2021, 4, 5, 5, tzinfo=UTC)


def test_workbook(crawled: Any) -> None:
    first, second = crawled.items("libro")
    assert (first.native_id, first.text, first.reactions) == ("1", "Desde Excel: señor", 3)
    assert first.published_at == datetime(2021, 5, 1, 4, 59, 59, tzinfo=UTC)
    assert (second.native_id, second.published_at) == ("2", None)
    assert crawled.health("libro").skipped_count == 1


def test_heading_without_rows_is_empty(crawled: Any) -> None:
    assert crawled.outcome("vacio") == ("empty", "nothing_published")


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("sin-columna", "missing_column", "sin-columna:1: no column 'mensaje'; the file has 'id', 'autor', 'texto', 'fecha'"),
        ("sin-hoja", "malformed", "sin-hoja: no sheet 'Atenciones'; the file has 'Portada', 'Hoja1'"),
        ("no-libro", "malformed", "no-libro: not a readable workbook"),
        ("comillas", "malformed", "comillas:2: unexpected end of data"),
        ("nada", "malformed", "nada: the file has no heading"),
        ("sin-lista.json", "malformed", "sin-lista.json: `records: data.rows` leads nowhere: no key 'rows' there"),
        ("sin-campo.json", "missing_column", "sin-campo.json: no record has 'mensaje'; the records have 'id', 'autor', 'cuerpo'"),
        ("dos.zip", "malformed", "dos.zip: 2 files inside; name one of them with `member`: 'a.csv', 'b.csv'"),
        ("bomba.xlsx", "malformed", "bomba.xlsx: damaged, or it needs more than"),
        ("todo-mal", "malformed", "todo-mal:2: 3 cells where the heading has 4; 2 of 2 rows were not read: 2, 3"),
        ("falta", "missing_file", "no file of the project matches 'imports/*.xlsx'"),
        ("fuera", "missing_file", "enlace.csv leads out of the project folder"),
    ],
)
def test_what_is_wrong_is_told(crawled: Any, name: str, reason: str, told: str) -> None:
    health = crawled.health(source_name(name))
    assert (health.status, health.reason) == ("failed", reason)
    assert health.detail.startswith(told)
    assert crawled.items(source_name(name)) == []


def test_one_bad_row_is_told_and_the_others_count(crawled: Any) -> None:
    assert crawled.outcome("celdas") == ("partial", "malformed")
    assert crawled.health("celdas").detail == "celdas:4: 5 cells where the heading has 4; 1 of 2 rows were not read: 4"
    assert [item.native_id for item in crawled.items("celdas")] == ["1"]


def test_sheets_of_other_programs(crawled: Any) -> None:
    first, second = crawled.items("atenciones-ods")
    assert (first.native_id, first.text) == ("1", "Señora, falta luz")
    assert (first.published_at, second.published_at) == (datetime(2021, 4, 5, 5, tzinfo=UTC), None)
    assert crawled.outcome("atenciones-ods") == ("ok", "none")


@pytest.mark.parametrize("name", ["objeto.json", "lista.json", "lineas.ndjson", "tabla.parquet"])
def test_nested_records(crawled: Any, name: str) -> None:
    first, second = crawled.items(source_name(name))
    assert first.native_id == ("345678901234567890"[-9:].lstrip("0") if name == "tabla.parquet" else "12345678901234567890")
    assert (first.text, first.reactions, first.author_key is None) == ("Señor, falta luz", 3, False)
    assert first.published_at == datetime(2021, 4, 5, 5, tzinfo=UTC)
    assert (second.author_key, second.published_at, second.reactions) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lista.json", "lista.json:2: a single value where an object is needed; 2 of 4 rows were not read: 2, 4"),
        ("lineas.ndjson", "lineas.ndjson:4: not readable as JSON (Unterminated string starting at column 21); 1 of 3 rows"),
        ("roto.json", "roto.json: record 2: not readable as JSON ("),
    ],
)
def test_records_that_cannot_be_read_are_told(crawled: Any, name: str, told: str) -> None:
    assert crawled.outcome(source_name(name)) == ("partial", "malformed")
    assert crawled.health(source_name(name)).detail.startswith(told)
    assert crawled.items(source_name(name))[0].text == "Señor, falta luz"


def test_column_that_no_record_has_is_told_after_them(crawled: Any) -> None:
    assert crawled.outcome("mal-campo-json") == ("partial", "missing_column")
    assert crawled.health("mal-campo-json").detail == "mal-campo.json: no record has 'votes'; correct the name, or leave it out"
    assert len(crawled.items("mal-campo-json")) == 2


@pytest.mark.parametrize("name", ["abril.csv.gz", "abril.zip"])
def test_packed_files(crawled: Any, name: str) -> None:
    assert [item.text for item in crawled.items(source_name(name))] == ["Falta luz", "Falta agua"]
    assert crawled.outcome(source_name(name)) == ("ok", "none")


@pytest.mark.parametrize("name", ["polis.csv", "polis.zip"])
def test_polis_export(crawled: Any, name: str) -> None:
    first, second = crawled.items(source_name(name))
    assert (first.native_id, first.text, first.reactions) == ("0", "Más árboles, por favor", 12)
    assert first.published_at == datetime(2021, 4, 5, 16, tzinfo=UTC)
    assert (second.native_id, second.text) == ("2", 'Con "comillas" y\nsalto')
    assert second.published_at == datetime(2021, 4, 5, 16, 2, tzinfo=UTC)
    assert crawled.outcome(source_name(name)) == ("ok", "none")
    assert "RECHAZADO" not in crawled.written()


def test_4cat_export(crawled: Any) -> None:
    first, second = crawled.items("4cat-csv")
    assert (first.native_id, first.parent_id, first.title, first.text) == ("100", None, "Pistas", "Hay un hueco")
    assert first.published_at == datetime(2021, 4, 5, 23, 30, tzinfo=UTC)
    assert first.author_key is not None
    assert (second.parent_id, second.author_key) == ("100", None)
    (alone,) = crawled.items("4cat-sin-autor-csv")
    assert (alone.text, alone.title) == ("Falta luz", None)


def test_local_files(crawled: Any) -> None:
    assert [item.text for item in crawled.items("local")] == ["Falta luz", "Falta agua"]
    assert (crawled.health("local").robots, crawled.health("local").request_count) == ("not_asked", 0)
    assert {item.channel for item in crawled.items("oficina")} == {"attention_office"}


def test_one_bad_file_of_two_loses_only_its_own_rows(crawled: Any) -> None:
    assert crawled.outcome("dos") == ("partial", "missing_column")
    assert [item.text for item in crawled.items("dos")] == ["Falta luz", "Falta agua"]
    assert "abril 2.csv:1" in crawled.health("dos").detail


def test_no_words_of_a_file_reach_the_log(crawled: Any) -> None:
    assert "SECRETO" not in crawled.written()


def test_sources_of_one_host_are_asked_one_after_the_other(lab: Any, crawled: Any) -> None:
    seen = sorted((seen for seen in lab.web.seen if seen.host == "descargas.test"), key=lambda seen: seen.begun)
    assert all(before.ended <= after.begun for before, after in pairwise(seen))
    assert [one.path for one in seen if one.path != "/robots.txt"] == [f"/{name}" for name in FILES]


def test_doubled_column_is_refused() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["texto"]}})
    with pytest.raises(SourceProblem, match=r"f\.csv:1: column 'texto' stands there more than once"):
        list(parse_table(b"texto,texto\na,b\n", options, name="f.csv"))


def test_line_is_where_a_row_begins() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["t"]}})
    rows = parse_table(b't,u\n"a\nb",1\n\nc,2\n , \n', options, name="f.csv")
    assert [(row.line, row.cells["t"]) for row in rows if isinstance(row, Row)] == [(2, "a\nb"), (5, "c")]
    rows = parse_table(b't,u\n"a\nb",1\nTotal\nc,2\n', options, name="f.csv")
    assert [row.line for row in rows if isinstance(row, Row)] == [2, 5]


def test_damaged_workbook_is_told() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["texto"]}})
    with pytest.raises(SourceProblem, match=r"f\.xlsx: not a readable workbook"):
        list(parse_table(workbook([["texto"]])[:-60], options, name="f.xlsx"))
    with pytest.raises(SourceProblem, match=r"f\.xlsx: not a readable workbook"):
        list(parse_table(b"texto\nuno\n", options, name="f.xlsx"))


@pytest.mark.parametrize("url", ["../fuera.csv", "a/../../b.csv", "/etc/passwd", "C:/datos.csv", "a\\b.csv"])
def test_path_out_of_the_project_is_refused(lab: Any, url: str) -> None:
    document = lab.city([lab.source("x", "file", url, options={"columns": COLUMNS})], defaults={})
    document["sources"][0] |= {"legal_basis": "Ley", "approved_by": "Yo", "approved_on": "2021-01-01", "retention_days": 1}
    with pytest.raises(ValueError, match="inside the project folder"):
        City.model_validate(document)


def test_two_rows_with_one_id_are_told_and_kept(crawled: Any) -> None:
    assert crawled.outcome("doble") == ("partial", "malformed")
    assert "doble:2 and doble:4: rows of different authors or dates with one id in column 'id'" in crawled.health("doble").detail
    assert [item.text for item in crawled.items("doble")] == ["Falta luz", "Falta agua", "Falta todo"]


def test_edited_row_is_no_other_message(crawled: Any) -> None:
    assert crawled.outcome("editado") == ("ok", "none")
    assert len(crawled.items("editado")) == 2


def test_column_without_words_is_told(crawled: Any) -> None:
    assert crawled.outcome("mudo") == ("partial", "malformed")
    assert crawled.health("mudo").detail == "3 of 4 items had no text: check the text selector or column"
    assert crawled.outcome("mudo-del-todo") == ("failed", "malformed")


def test_endless_counts_are_unknown(crawled: Any) -> None:
    assert [item.reactions for item in crawled.items("votos")] == [None, None, 7]
