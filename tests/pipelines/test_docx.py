"""The summary as a DOCX: real styles, marked heads, a language, fixed properties; at most two pages; harmless."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn
from pypdf import PdfReader

from pipelines.reports.blocks import Heading, Items, Paragraph, Run, Section, Table, plain
from pipelines.reports.document import read_document
from pipelines.reports.docx import export_docx, summarise
from tests.pipelines.exports_input import HOSTILE, ate, make_input, renamed

SOFFICE = shutil.which("soffice")


@pytest.fixture(scope="module")
def content() -> bytes:
    """The summary of a full report, an amendment."""
    return export_docx(make_input(late_count=12, troubled=True))["resumen.docx"]


def test_it_says_what_the_first_screen_says(content: bytes) -> None:
    document = docx.Document(io.BytesIO(content))
    assert document.paragraphs[0].text == "Resumen: Ate, del 1 al 30 de abril de 2021"
    said = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "Transporte y tránsito es la categoría con más expresiones: 705 de las 5,796 contadas, 12\u00a0% sin corregir." in said
    assert "Enmienda del informe 77aa0000bbbb." in said
    assert "DATOS" not in said
    assert "Datos sintéticos" in said
    assert said.endswith("Contacto: escucha-ate@municipio.test")
    unread, categories = document.tables
    assert [cell.text for cell in unread.rows[1].cells] == [
        "Sin clasificar: ninguna categoría alcanzó la confianza mínima",
        "276",
        "4.8\u00a0%°",
    ]
    assert len(categories.rows) == 18
    assert [cell.text for cell in categories.rows[1].cells] == ["Transporte y tránsito", "705", "12\u00a0%°"]


def test_it_is_made_for_those_who_hear_it(content: bytes) -> None:
    document = docx.Document(io.BytesIO(content))
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert styles[0] == "Title"
    assert {"Heading 1", "Heading 2", "List Number", "Caption"} <= set(styles)
    assert {tongue.get(qn("w:val")) for tongue in document.styles.element.iter(qn("w:lang"))} == {"es-PE"}
    for table in document.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert table.rows[1]._tr.trPr.find(qn("w:tblHeader")) is None
        assert table._tbl.tblPr.find(qn("w:tblDescription")).get(qn("w:val"))


def test_it_tells_no_clock_and_no_person(content: bytes) -> None:
    properties = docx.Document(io.BytesIO(content)).core_properties
    assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
    assert properties.title == "Resumen: Ate, del 1 al 30 de abril de 2021"
    assert properties.created == properties.modified
    assert properties.created is not None
    assert properties.created.isoformat().startswith("2021-05-01T05:00:00")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert packed.namelist()[0] == "[Content_Types].xml"
    assert export_docx(make_input(late_count=12, troubled=True))["resumen.docx"] == content


def test_it_is_written_in_english_too() -> None:
    document = docx.Document(io.BytesIO(export_docx(make_input(language="en"))["summary.docx"]))
    assert document.paragraphs[0].text == "Summary: Ate, 1 to 30 April 2021"
    assert {tongue.get(qn("w:val")) for tongue in document.styles.element.iter(qn("w:lang"))} == {"en-GB"}


def test_long_tables_are_cut_and_told(content: bytes) -> None:
    page = read_document(make_input().page_html)
    many = Items(tuple((Run(f"paso {number}"),) for number in range(9)), ordered=True)
    actions = Section("actions", (Run("Recomendaciones"),), (Paragraph((Run("No sale."),)), many))
    blocks = summarise(replace(page, sections=(*page.sections, actions)), "y {} más".format)
    place = next(
        place for place, block in enumerate(blocks) if isinstance(block, Heading) and plain(block.inline) == "Recomendaciones"
    )
    items, rest = blocks[place + 1 : place + 3]
    assert isinstance(items, Items)
    assert len(items.items) == 5
    assert isinstance(rest, Paragraph)
    assert plain(rest.inline) == "y 4 más"
    assert sum(isinstance(block, Table) for block in blocks) == 1  # the other stands in its box


def test_hostile_words_stay_words() -> None:
    content = export_docx(make_input(city=renamed(ate(), HOSTILE), troubled=True))["resumen.docx"]
    said = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs)
    assert "<script>alert(1)</script>" in said
    assert "{{7*7}}" in said
    assert "\ufffd😀" in said  # what no XML file can hold has the sign that stands for it
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        text = packed.read("word/document.xml").decode()
        assert all(
            "External" not in packed.read(name).decode(errors="ignore") for name in packed.namelist() if name.endswith(".rels")
        )
    assert "<w:instrText" not in text
    assert "<w:hyperlink" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)


def test_a_name_of_a_megabyte_is_cut_where_the_full_report_is_named() -> None:
    name = "x" * 1_000_000
    content = export_docx(make_input(city=renamed(ate().model_copy(update={"published": None}), name), troubled=True))[
        "resumen.docx"
    ]
    assert len(content) < 200_000
    said = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs)
    assert f"{'x' * 400}" in said
    assert "…" in said


@pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice on this machine")
@pytest.mark.heavy
@pytest.mark.parametrize("shape", [{"late_count": 12, "troubled": True}, {"language": "en"}, {"divisor": 10**6}])
def test_it_fits_on_two_pages(tmp_path: Path, shape: dict[str, int | str | bool]) -> None:
    assert SOFFICE is not None
    ((name, content),) = export_docx(make_input(**shape)).items()  # type: ignore[arg-type]
    (tmp_path / name).write_bytes(content)
    command = [SOFFICE, "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--convert-to", "pdf", name]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
    assert len(PdfReader(tmp_path / name.replace(".docx", ".pdf")).pages) <= 2
