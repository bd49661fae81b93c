"""CSV and XLSX files, fetched over HTTP and read from the project folder; what is wrong is told with file and line."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any

import pytest
import xlsxwriter

from collectors.catalog import City
from collectors.health import SourceProblem
from collectors.spiders.file import FileOptions, parse_table

COLUMNS = {"id": "id", "author": "autor", "text": ["texto"], "date": "fecha"}
GOOD = "id,autor,texto,fecha\n1,Ana,Falta luz,05/04/2021 23:59\n2,,Falta agua,\n"


def workbook(rows: list[list[Any]], *, sheet: str = "Hoja1", formats: dict[int, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("Portada").write(0, 0, "Léame")
        table = book.add_worksheet(sheet)
        styles = {column: book.add_format({"num_format": style}) for column, style in (formats or {}).items()}
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                table.write(number, column, cell, styles.get(column))
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
}


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    lab.web.sites["descargas.test"] = lambda path, query: (
        lab.Reply(FILES[path[1:]][0], "application/octet-stream") if path[1:] in FILES else None
    )
    sources = [
        lab.source(name, "file", f"http://descargas.test/{name}", options=options, publisher={"authors": ["Luis"]})
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
        ("celdas", "malformed", "celdas:4: 5 cells where the heading has 4"),
        ("sin-hoja", "malformed", "sin-hoja: no sheet 'Atenciones'; the file has 'Portada', 'Hoja1'"),
        ("no-libro", "malformed", "no-libro: not a readable workbook"),
        ("comillas", "malformed", "comillas:2: unexpected end of data"),
        ("nada", "malformed", "nada: the file has no heading"),
        ("falta", "missing_file", "no file of the project matches 'imports/*.xlsx'"),
        ("fuera", "missing_file", "enlace.csv leads out of the project folder"),
    ],
)
def test_what_is_wrong_is_told(crawled: Any, name: str, reason: str, told: str) -> None:
    health = crawled.health(name)
    assert (health.status, health.reason) == ("failed", reason)
    assert health.detail.startswith(told)
    assert crawled.items(name) == []


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
    assert len(seen) == 2 * len(FILES)  # robots.txt and the file, source by source
    assert all(before.ended <= after.begun for before, after in pairwise(seen))
    assert [one.path for one in seen] == [path for name in FILES for path in ("/robots.txt", f"/{name}")]


def test_doubled_column_is_refused() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["texto"]}})
    with pytest.raises(SourceProblem, match=r"f\.csv:1: column 'texto' stands there more than once"):
        parse_table(b"texto,texto\na,b\n", options, name="f.csv")


def test_line_is_where_a_row_begins() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["t"]}})
    rows = parse_table(b't,u\n"a\nb",1\n\nc,2\n , \n', options, name="f.csv")
    assert [(row.line, row.cells["t"]) for row in rows] == [(2, "a\nb"), (5, "c")]
    with pytest.raises(SourceProblem, match=r"f\.csv:4: 1 cells where the heading has 2"):
        parse_table(b't,u\n"a\nb",1\nTotal\n', options, name="f.csv")


def test_damaged_workbook_is_told() -> None:
    options = FileOptions.model_validate({"columns": {"text": ["texto"]}})
    with pytest.raises(SourceProblem, match=r"f\.xlsx: not a readable workbook"):
        parse_table(workbook([["texto"]])[:-60], options, name="f.xlsx")
    with pytest.raises(SourceProblem, match=r"f\.xlsx: not a readable workbook"):
        parse_table(b"texto\nuno\n", options, name="f.xlsx")


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
