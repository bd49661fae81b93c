"""The report as a PDF: tagged, with the words of the page, the same bytes again, and harmless whatever the words are."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from pipelines.reports.blocks import Figure
from pipelines.reports.document import read_document
from pipelines.reports.pdf import absent_signs, breakable, column_widths, export_pdf
from tests.pipelines.exports_input import HOSTILE, ate, make_input, renamed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def content() -> bytes:
    """The PDF of a full report."""
    return export_pdf(make_input())["informe.pdf"]


@pytest.fixture(scope="module")
def reader(content: bytes) -> PdfReader:
    """The same, opened."""
    return PdfReader(io.BytesIO(content))


def words_of(reader: PdfReader) -> str:
    """Return the text of all pages without white space."""
    return re.sub(r"\s|\u200b", "", "\n".join(page.extract_text() for page in reader.pages))


def tags_of(node: Any) -> list[tuple[str, Any]]:
    """Return (type, element) of every element of the tree of tags, from the root down."""
    node = node.get_object()
    found = [(str(node["/S"]), node)] if "/S" in node else []
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        if not isinstance(kid, int) and "/S" in kid.get_object():
            found += tags_of(kid)
    return found


def test_it_is_tagged_for_those_who_hear_it(reader: PdfReader) -> None:
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "es-PE"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Ate, del 1 al 30 de abril de 2021"
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_object().get_data()
    tags = tags_of(root["/StructTreeRoot"])
    names = [name for name, _ in tags]
    document = read_document(make_input().page_html)
    assert names.count("/H1") == 1
    assert names.count("/H2") == len(document.sections)
    assert names.count("/Table") > 20
    assert names.count("/TH") > 60
    assert names.count("/THead") == names.count("/Table") - 1  # the table of digests has no heads
    drawn = [block for section in document.sections for block in section.blocks if isinstance(block, Figure)]
    told = [element["/Alt"] for name, element in tags if name == "/Figure"]
    assert len(told) == len(drawn) == 2
    assert told[0].startswith("Expresiones contadas por día, según su tono. Barras apiladas")
    assert told[1].startswith("Croquis de las zonas nombradas.")


def test_it_holds_what_the_page_holds(reader: PdfReader) -> None:
    said = words_of(reader)
    document = read_document(make_input().page_html)
    for section in document.sections:
        for block in section.blocks:
            for row in block.rows() if hasattr(block, "rows") else ():
                for cell in row.cells:
                    for run in cell.inline:
                        assert re.sub(r"\s", "", run.text) in said, run.text


def test_pages_are_a4_and_say_what_they_are_part_of(reader: PdfReader) -> None:
    assert 6 <= len(reader.pages) <= 14
    for number, page in enumerate(reader.pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        text = page.extract_text()
        assert f"{number} / {len(reader.pages)}" in text
        assert "Ate, del 1 al 30 de abril de 2021 · informe 0f3a9c1e5b7d" in text
        assert "sintéticos" in text
    assert "sintéticos" not in words_of(PdfReader(io.BytesIO(export_pdf(make_input(synthetic=False))["informe.pdf"])))


def test_bytes_are_the_same_in_another_process_and_zone(content: bytes) -> None:
    program = (
        "import hashlib\nfrom tests.pipelines.exports_input import make_input\nfrom pipelines.reports.pdf import export_pdf\n"
        "print(hashlib.sha256(export_pdf(make_input())['informe.pdf']).hexdigest())\n"
    )
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(content).hexdigest()
    assert b"/CreationDate" not in content
    assert b"/ModDate" not in content


def test_hostile_words_are_shown_and_do_nothing() -> None:
    content = export_pdf(make_input(city=renamed(ate(), HOSTILE), troubled=True))["informe.pdf"]
    reader = PdfReader(io.BytesIO(content))
    said = words_of(reader)
    for piece in (
        "=HYPERLINK(",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "{%raise%}",
        "*negrita*",
        "#panic()",
        '#eval("1")',
        "$x^2$",
    ):
        assert piece in said, piece
    assert "[U+1F600]" in said  # no font of the typesetter shows it: told by its number
    assert "[U+6F22][U+5B57]" in said
    assert not re.search(rb"/(?:JavaScript|JS|Launch|URI|OpenAction|AA|EmbeddedFile)\b", content)
    assert all("/Annots" not in page for page in reader.pages)


def test_a_name_of_a_megabyte_is_set_whole() -> None:
    def pages(length: int) -> PdfReader:
        city = renamed(ate().model_copy(update={"published": None}), "ñandú" * (length // 5))
        return PdfReader(io.BytesIO(export_pdf(make_input(city=city))["informe.pdf"]))

    assert len(pages(1_000_000).pages) > 300
    assert words_of(pages(50_000)).count("ñ") - words_of(pages(5)).count("ñ") == 9_999


def test_long_words_may_be_broken_and_short_ones_may_not() -> None:
    assert breakable("a" * 36) == "a" * 36
    assert breakable("a" * 73) == f"{'a' * 36}\u200b{'a' * 36}\u200ba"
    assert breakable("uno dos") == "uno dos"


def test_signs_that_no_font_has_are_read_from_what_the_typesetter_says() -> None:
    said = 'error: the text `"😀"` could not be displayed with font `"X"`\nthe text `"\\u{7}a\\u{fffe}"` could not be displayed'
    assert absent_signs(said) == {"😀", "\ufffe"}


def test_columns_of_figures_are_as_wide_as_their_figures() -> None:
    section = read_document(make_input().page_html).section("days")
    assert section is not None
    (table,) = [block for block in section.blocks if hasattr(block, "rows")]
    assert [unit for unit, _ in column_widths(table)] == ["em"] * 5
