"""Minutes of workshops: the project's own template, filled in by word processors in all the ways that people find."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.catalog import City, Source
from collectors.health import SourceProblem
from collectors.minutes import load_template, parse_minutes
from collectors.office import Cell, read_blocks
from pipelines.minutes_template import render_docx, render_odt
from tests.growth import assert_linear

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
HEADING = ["Mesa", "Rol", "Tema", "Texto", "Acuerdo"]
LINES = ["Fecha: 15 de abril de 2021", "Lugar: Local comunal", "Consentimiento: Sí, se leyó el aviso"]


def packed(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def docx(*blocks: str, space: str = WORD, part: str = "word/document.xml") -> bytes:
    """Return a DOCX file of blocks of WordprocessingML, and with what Word adds that nobody reads."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{space}"><w:body>{"".join(blocks)}</w:body></w:document>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    link = f'<Relationship Id="rId1" Type="{kind}" Target="/{part}"/>'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{package}">{link}</Relationships>',
            part: content,
            "word/vbaProject.bin": "SECRETO DE LA MACRO",
            "word/comments.xml": "SECRETO DEL COMENTARIO",
        }
    )


def paragraph(text: str) -> str:
    return f'<w:p><w:pPr><w:jc w:val="left"/></w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def row(*cells: str, look: str = "") -> str:
    """Return a table row; a cell that begins with < is markup of its own."""
    written = "".join(cell if cell.startswith("<w:tc") else f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells)
    return f"<w:tr>{look}{written}</w:tr>"


def table(*rows: str, heading: list[str] | None = None) -> str:
    return f"<w:tbl>{row(*(heading or HEADING))}{''.join(rows)}</w:tbl>"


def cell(properties: str, text: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def head(*lines: str) -> str:
    return "".join(paragraph(line) for line in lines or LINES)


def odt(*blocks: str) -> bytes:
    names = ("office", "text", "table", "dc")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    body = f"<office:body><office:text>{''.join(blocks)}</office:text></office:body>"
    content = f"<office:document-content {spaces}>{body}</office:document-content>"
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def odt_row(*cells: str) -> str:
    written = (c if c.startswith("<table") else f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in cells)
    return f"<table:table-row>{''.join(written)}</table:table-row>"


FILLED_ODT = odt(
    "<text:tracked-changes><text:changed-region><text:deletion><text:p>SECRETO BORRADO</text:p></text:deletion>"
    "</text:changed-region></text:tracked-changes>",
    "<text:section><text:p>FECHA :  <text:span>15/04/2021</text:span></text:p></text:section>",
    '<text:p>Consentimiento: Si, <text:s text:c="2"/>verbal'
    "<office:annotation><text:p>SECRETO</text:p></office:annotation></text:p>",
    "<table:table><table:table-column/><table:table-header-rows>",
    odt_row("mesa", "ROL", "  Tema ", "TEXTO", "Acuerdos:"),
    "</table:table-header-rows>",
    odt_row(
        '<table:table-cell table:number-rows-spanned="2"><text:p>Mesa 1</text:p></table:table-cell>',
        "Vecina",
        "Parques",
        "Falta   riego<text:line-break/>y <text:change-start/>sombra<text:change-end/>"
        "<text:note><text:note-body><text:p>SECRETO</text:p></text:note-body></text:note>",
        "Se verá",
    ),
    odt_row("<table:covered-table-cell/>", "Vecino", "", "¿Y los árboles?", ""),
    '<table:table-row table:number-rows-repeated="30"><table:table-cell table:number-columns-repeated="5"/></table:table-row>',
    odt_row(
        "2",
        "",
        "Pistas",
        '<table:table-cell table:number-columns-spanned="2"><text:p>Un hueco</text:p></table:table-cell>',
        "<table:covered-table-cell><text:p>SECRETO TAPADO</text:p></table:covered-table-cell>",
    ),
    "</table:table>",
)
FILLED_DOCX = docx(
    head("  fecha:15/04/2021 ", "CONSENTIMIENTO : Sí — se leyó"),
    # Two tables, one of signatures, one with another order of columns.
    "<w:tbl>" + row("Firma", "Nombre") + row("", "SECRETO DE LA FIRMA") + "</w:tbl>",
    table(
        row("1", "Vecina", "Parques", "Falta riego", "Se verá el riego"),
        row(
            "1",
            "Vecino",
            "",
            "<w:tc><w:p><w:r><w:t>Falta </w:t></w:r><w:del><w:r><w:delText>SECRETO</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>sombra</w:t><w:br/><w:t>y agua</w:t></w:r></w:ins></w:p><w:p/></w:tc>",
            "",
        ),
        row("1", "x", "y", "SECRETO DE UNA FILA BORRADA", "", look="<w:trPr><w:del/></w:trPr>"),
        row(
            cell('<w:vMerge w:val="restart"/>', "2"),
            "Vecina",
            "Pistas",
            "Un hueco",
            cell('<w:vMerge w:val="restart"/>', "Se tapará"),
        ),
        row(cell("<w:vMerge/>"), "Vecino", cell("<w:vMerge/>"), "Otro hueco", cell("<w:vMerge/>")),
        "<w:sdt><w:sdtContent>" + row("3", "", "Luz", "Un foco malogrado", "") + "</w:sdtContent></w:sdt>",
        row(cell('<w:gridSpan w:val="5"/>', "SECRETO A LO ANCHO")),
        row("", "", "", "", ""),
        row("4", "Vecina", "SECRETO SIN TEXTO", "", ""),
        row("4", "", "", "", "Acuerdo de la mesa"),
        row("Total"),
    ),
    paragraph("Segunda parte"),
    table(row("Falta una posta", "1"), heading=["Intervención", "MESA"]),
)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    folder = lab.project / "actas"
    folder.mkdir(parents=True)
    template = load_template()
    files = {
        "Taller Ñaña 1.docx": FILLED_DOCX,
        "taller-2.odt": FILLED_ODT,
        "sin-permiso.docx": docx(
            head("Fecha: 15/04/2021", "Consentimiento: [pendiente]"), table(row("1", "", "", "SECRETO", ""))
        ),
        "negado.docx": docx(head("Fecha: 15/04/2021", "Consentimiento: No dieron"), table(row("1", "", "", "SECRETO", ""))),
        "sin-fecha.docx": docx(head("Fecha: mañana", LINES[2]), table(row("1", "", "", "Falta agua", ""))),
        "modelo.docx": render_docx(template),
        "modelo.odt": render_odt(template),
        "foto.docx": b"\x89PNG no es un documento",
        "~$abierto.docx": b"SECRETO de otro programa",
    }
    for name, body in files.items():
        (folder / name).write_bytes(body)
    names = [*(name for name in files if "Ñ" not in name and "~" not in name), "Taller*.docx"]
    sources = [
        lab.source(
            name.lower().replace(".", "-").replace("*", ""),
            "minutes",
            f"actas/{name}",
            channel="in_person",
            publisher={"authors": ["Municipalidad de Ate"], "kind": "municipality"},
        )
        for name in names
    ]
    sources.append(lab.source("todas", "minutes", "actas/*.docx", channel="in_person"))
    return lab.crawl(sources)


def test_rows_are_messages_and_agreements_their_answers(crawled: Any) -> None:
    items = crawled.items("taller-docx")
    found = [(item.native_id, item.kind, item.parent_id, item.title, item.text) for item in items]
    assert found == [
        ("taller-nana-1:1:1", "manifestation", None, "Parques", "Falta riego"),
        ("taller-nana-1:1:1:acuerdo:1", "official", "taller-nana-1:1:1", "Parques", "Se verá el riego"),
        ("taller-nana-1:1:2", "manifestation", None, None, "Falta sombra\ny agua"),
        ("taller-nana-1:2:1", "manifestation", None, "Pistas", "Un hueco"),
        ("taller-nana-1:2:1:acuerdo:1", "official", "taller-nana-1:2:1", "Pistas", "Se tapará"),
        ("taller-nana-1:2:2", "manifestation", None, "Pistas", "Otro hueco"),
        ("taller-nana-1:3:1", "manifestation", None, "Luz", "Un foco malogrado"),
        ("taller-nana-1:4:acuerdo:1", "official", None, None, "Acuerdo de la mesa"),
        ("taller-nana-1:1:3", "manifestation", None, None, "Falta una posta"),
    ]
    assert {(item.channel, item.author_key, item.published_at) for item in items} == {
        ("in_person", None, datetime(2021, 4, 15, 5, tzinfo=UTC))
    }


def test_what_was_not_read_is_told_without_words(crawled: Any) -> None:
    assert crawled.outcome("taller-docx") == ("partial", "malformed")
    assert crawled.health("taller-docx").detail == (
        "Taller Ñaña 1.docx: table 1 has none of the headings Mesa, Rol, Tema, Texto, Acuerdo: it was not read; "
        "table 2, row 7: one cell is merged over the column of the text; table 2, row 9: no text; and 1 more"
    )
    assert "SECRETO" not in crawled.written()


def test_open_document(crawled: Any) -> None:
    found = [(item.native_id, item.title, item.text) for item in crawled.items("taller-2-odt")]
    assert found == [
        ("taller-2:mesa-1:1", "Parques", "Falta riego\ny sombra"),
        ("taller-2:mesa-1:1:acuerdo:1", "Parques", "Se verá"),
        ("taller-2:mesa-1:2", None, "¿Y los árboles?"),
        ("taller-2:2:1", "Pistas", "Un hueco"),
    ]
    assert crawled.outcome("taller-2-odt") == ("ok", "none")


@pytest.mark.parametrize("name", ["sin-permiso", "negado"])
def test_without_consent_nothing_is_read(crawled: Any, name: str) -> None:
    assert crawled.outcome(f"{name}-docx") == ("failed", "malformed")
    told = f"{name}.docx: `Consentimiento:` must begin with 'Sí' and say how it was asked; nothing was read"
    assert crawled.health(f"{name}-docx").detail == told


def test_without_a_day_rows_are_undated(crawled: Any) -> None:
    (item,) = crawled.items("sin-fecha-docx")
    assert (item.text, item.published_at, item.published_raw) == ("Falta agua", None, "mañana")
    assert crawled.outcome("sin-fecha-docx") == ("partial", "malformed")
    assert "gives no day, month and year" in crawled.health("sin-fecha-docx").detail


@pytest.mark.parametrize("name", ["modelo-docx", "modelo-odt"])
def test_untouched_template_says_nothing(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("empty", "nothing_published")


def test_bad_documents_lose_only_themselves(crawled: Any) -> None:
    assert crawled.outcome("foto-docx") == ("failed", "malformed")
    assert crawled.health("foto-docx").detail == "foto.docx: not a DOCX or ODT document; save it as one of them"
    assert {item.native_id for item in crawled.items("todas")} >= {"taller-nana-1:1:1", "sin-fecha:1:1"}


def entries(body: bytes, name: str = "acta.docx") -> list[tuple[str, str]]:
    return [(entry.native_id, entry.text) for entry in parse_minutes(read_blocks(body, name=name), name=name).entries]


def test_mended_word_and_other_saving_keep_the_ids() -> None:
    before = docx(head(), table(row("1", "Vecina", "Luz", "Falta lus", ""), row("1", "", "", "Falta agua", "")))
    after = docx(head(), table(row("1 ", "Vecina", "Luz", "Falta luz", ""), row("1", "", "", "Falta agua", "")), space=STRICT)
    assert [native_id for native_id, _ in entries(before)] == [native_id for native_id, _ in entries(after)]
    assert entries(before, "Acta.docx") == entries(before, "ACTA.docx")


def test_example_counts_once_it_is_changed() -> None:
    example = load_template().example
    cells = [example[key] for key in ("table", "role", "theme", "text", "agreement")]
    unchanged = docx(head(), table(row(*cells), row("", "Vecina", "Luz", "Falta luz", cells[4])))
    assert entries(unchanged) == [("acta:0:1", "Falta luz")]
    changed = docx(head(), table(row(*cells[:3], "Al parque le falta riego", "")))
    assert entries(changed) == [("acta:1:1", "Al parque le falta riego")]


def test_main_part_may_have_another_name() -> None:
    body = docx(head(), table(row("1", "", "", "Falta luz", "")), part="word/document2.xml")
    assert entries(body) == [("acta:1:1", "Falta luz")]


def test_form_laid_out_as_a_table_is_read() -> None:
    form = "<w:tbl>" + row("Fecha:", "16/04/2021") + row("Consentimiento", "Sí, por escrito") + "</w:tbl>"
    minutes = parse_minutes(read_blocks(docx(form, table(row("1", "", "", "Falta luz", ""))), name="a.docx"), name="a.docx")
    assert (minutes.lines, minutes.told) == ({"date": "16/04/2021", "consent": "Sí, por escrito"}, [])
    assert len(minutes.entries) == 1


def test_two_dates_are_told() -> None:
    body = docx(head(*LINES, "Fecha: 16 de abril de 2021"), table(row("1", "", "", "Falta luz", "")))
    minutes = parse_minutes(read_blocks(body, name="a.docx"), name="a.docx")
    assert "date" not in minutes.lines
    assert minutes.told == ["two different lines `Fecha:`; write one document for each session"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (packed({"[Content_Types].xml": "<Types/>"}), "a.docx: no word/document.xml inside"),
        (packed({"otro.txt": "x"}), "a.docx: an archive, but no DOCX or ODT document"),
        (packed({"content.xml": "<office"}), "a.docx: not a readable document (XMLSyntaxError)"),
        (packed({"content.xml": "<a>" * 5_000 + "</a>" * 5_000}), "a.docx: not a readable document (XMLSyntaxError)"),
        (
            packed({"content.xml": '<!DOCTYPE a [<!ENTITY b "SECRETO"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'}),
            "a.docx: a document with entities of its own",
        ),
        (
            packed({"content.xml": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'}),
            "a.docx: a document with entities of its own",
        ),
        (packed({"content.xml": " " * 16_000_001}), "a.docx: unpacked, it is larger than 16000000 bytes"),
        (b"%PDF-1.7", "a.docx: not a DOCX or ODT document"),
        (
            odt("<table:table>", '<table:table-row table:number-rows-repeated="200"/>' * 101, "</table:table>"),
            "a.docx: a table of more than 20000 rows",
        ),
    ],
)
def test_documents_that_are_none_are_told(body: bytes, told: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        read_blocks(body, name="a.docx")
    assert (caught.value.reason, caught.value.detail[: len(told)]) == ("malformed", told)


def test_repetition_without_measure_is_cut() -> None:
    wide = odt(
        "<table:table>",
        '<table:table-row table:number-rows-repeated="999999999"><table:table-cell table:number-columns-repeated="99999999999"/>'
        "</table:table-row></table:table>",
    )
    (block,) = read_blocks(wide, name="a.odt")
    assert isinstance(block, list)
    assert (len(block), len(block[0])) == (1, 1)


CELLS = st.builds(
    Cell,
    st.text(st.sampled_from("ab :[Sí.\n"), max_size=6) | st.sampled_from([*HEADING, "Fecha:", "Consentimiento: Sí"]),
    st.sampled_from(["", "", "left", "above"]),
)


@given(
    blocks=st.lists(
        st.sampled_from([*LINES, "Fecha:", ":", "Fecha: 1"]) | st.lists(st.lists(CELLS, max_size=6), max_size=6), max_size=6
    )
)
def test_any_document_is_read_or_told(blocks: list[Any]) -> None:
    heading = [Cell(name) for name in HEADING]
    said = Cell("Falta luz")
    body = [*LINES, [heading, [Cell("1"), Cell(""), Cell(""), said, Cell("")]], *blocks]
    minutes = parse_minutes(body, name="a.docx")
    assert minutes.entries[0].text == "Falta luz"
    ids = [entry.native_id for entry in minutes.entries]
    assert len(ids) == len(set(ids))
    assert {entry.parent_id for entry in minutes.entries} <= {None, *ids}


def test_cost_grows_with_the_document() -> None:
    rows = row("1", "Vecina", "Luz", "Falta luz", "")

    def read(text: str) -> None:
        parse_minutes(read_blocks(docx(head(), table(rows * (len(text) // 100))), name="a.docx"), name="a.docx")

    assert_linear(read, "x", letters=80_000)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"channel": "online"}, "channel: 'online' is not that of minutes; write `channel: in_person`"),
        ({"channel": "in_person", "url": "http://actas.test/a.docx"}, "must be a path inside the project folder"),
        ({"channel": "in_person", "url": "../a.docx"}, "must be a path inside the project folder"),
        ({"channel": "in_person", "url": ""}, "url: '' is empty; give a path inside the project folder"),
    ],
)
def test_source_that_does_not_fit_is_refused(lab: Any, fields: dict[str, Any], told: str) -> None:
    source = lab.source("x", "minutes", fields.pop("url", "actas/*.docx"), **fields)
    source |= {"legal_basis": "Ley", "approved_by": "Yo", "approved_on": "2021-01-01", "retention_days": 1}
    with pytest.raises(ValidationError, match=r"minutes|project folder") as caught:
        City.model_validate(lab.city([source], defaults={}))
    assert told in str(caught.value)


def test_source_that_fits_is_accepted(lab: Any) -> None:
    source = lab.source("x", "minutes", "actas/*.docx", channel="in_person")
    source |= {"legal_basis": "Ley", "approved_by": "Yo", "approved_on": "2021-01-01", "retention_days": 1}
    assert Source.model_validate(source).host is None
