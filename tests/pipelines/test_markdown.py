"""The report as Markdown: tables that GitHub reads, the words of the page, and no markup from words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from lxml import html
from markdown_it import MarkdownIt

from pipelines.reports.blocks import Paragraph, Run
from pipelines.reports.document import read_document
from pipelines.reports.markdown import escape, export_markdown, render_markdown
from tests.pipelines.exports_input import HOSTILE, ate, make_input, renamed


def shown(markdown: str) -> html.HtmlElement:
    """Return what GitHub's dialect of Markdown makes of a text."""
    return html.document_fromstring(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(markdown))


def folded(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_holds_the_tables_of_the_page(language: str) -> None:
    given = make_input(language=language, late_count=3)
    ((name, content),) = export_markdown(given).items()
    assert name == {"es": "informe.md", "en": "report.md"}[language]
    assert content == export_markdown(given)[name]
    tree, document = shown(content.decode()), read_document(given.page_html)
    tables = [block for section in document.sections for block in section.blocks if hasattr(block, "rows")]
    boxes = [box for section in document.sections for box in section.blocks if hasattr(box, "blocks")]
    boxed = [block for box in boxes for block in box.blocks if hasattr(block, "rows")]
    assert len(tree.findall(".//table")) == len(tables) + len(boxed) > 20
    said = folded(tree.text_content())
    for table in tables:
        for row in table.rows():
            for cell in row.cells:
                assert all(folded(run.text) in said for run in cell.inline)
        widths = {len(row) for row in tree.xpath("//tr")}
    assert 0 not in widths
    assert [heading.text_content() for heading in tree.findall(".//h2")] == [
        "".join(run.text for run in section.title) for section in document.sections
    ]


def test_hostile_words_stay_words() -> None:
    markdown = export_markdown(make_input(city=renamed(ate(), HOSTILE), troubled=True))["informe.md"].decode()
    tree = shown(markdown)
    assert not tree.xpath("//script | //a | //img | //em[contains(., 'negrita')] | //code[. = 'c'] | //h1[2]")
    said = tree.text_content()
    for piece in (
        "<script>alert(1)</script>",
        "{{7*7}}",
        "*negrita* _c_ `c` | celda | [x](http://mal.example)",
        "# T $x^2$ #panic()",
    ):
        assert piece in said, piece
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e\u2069]", markdown)
    tables = tree.findall(".//table")
    assert all(len({len(row) for row in table.iter("tr")}) == 1 for table in tables)
    assert not re.search(
        r"(?<!\\)(?:https?:|www\.)", markdown.replace("https\\:", "").replace("http\\:", "").replace("www\\.", "")
    )


@pytest.mark.parametrize(
    "text", ["1. uno", "- uno", "+ uno", "# uno", "> uno", "| a | b |", "= x", "***", "1) a", "a\nb", "~~x~~", "`x"]
)
def test_a_line_of_words_is_a_paragraph_and_nothing_else(text: str) -> None:
    document = read_document("<html><body><h1>T</h1><main><section id='s'><h2>S</h2></section></main></body></html>")
    section = replace(document.sections[0], blocks=(Paragraph((Run(text),)),))
    tree = shown(render_markdown(replace(document, sections=(section,))))
    assert [element.tag for element in tree.find("body")] == ["h1", "h2", "p"]
    assert tree.find(".//p").text_content() == text.replace("\n", " ")


def test_escaping_keeps_no_break_spaces_and_makes_no_link() -> None:
    assert escape("5\u00a0%  de\n2") == "5\u00a0%  de 2".replace("  ", " ")
    assert escape("http://x www.y a@b") == r"http\://x www\.y a\@b"
