"""The page taken apart: every word that it shows is in its blocks, whatever its sections are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from lxml import html

from collectors.catalog import load_city
from collectors.period import Period
from models.taxonomy import load_taxonomy
from pipelines.reports.blocks import Block, Box, Facts, Figure, Heading, Inline, Items, Paragraph, Run, Table, plain
from pipelines.reports.document import LEFT_OUT, read_document
from pipelines.reports.rendering import render_page
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"full": {}, "amendment": {"late_count": 12}, "small": {"divisor": 220}, "empty": {"divisor": 10**6}}


@pytest.fixture(scope="module", params=[(shape, language) for shape in SHAPES for language in ("es", "en")], ids="-".join)
def page(request: pytest.FixtureRequest) -> str:
    """A page: full, an amendment, on small bases, or empty; in both languages."""
    shape, language = request.param
    city, taxonomy = load_city(ROOT / "data" / "cities" / "ate.yml"), load_taxonomy()
    april = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, april, taxonomy, **SHAPES[shape])
    return render_page(warehouse, REPORT_ID, city, april, taxonomy, language=language)


def inlines(blocks: Sequence[Block]) -> Iterator[Inline]:
    """Yield every line of text of blocks, in the order of reading."""
    for block in blocks:
        match block:
            case Heading(_, inline) | Paragraph(inline):
                yield inline
            case Items(items):
                yield from items
            case Facts(facts):
                yield from (part for fact in facts for part in fact)
            case Table():
                yield block.caption
                yield from (cell.inline for row in block.rows() for cell in row.cells)
            case Figure():
                yield block.caption
            case Box(inner):
                yield from inlines(inner)


def letters(text: str) -> str:
    """Return a text without white space and soft hyphens."""
    return re.sub(r"[\s\u00ad]", "", text)


def shown_text(page: str) -> str:
    """Return what the body of a page says, drawings, ways around it, and repetitions for other widths apart."""
    body = html.fromstring(page).find("body")
    for element in body.xpath("//nav | //svg | //script | //style"):
        element.drop_tree()
    for name in LEFT_OUT:
        for element in body.find_class(name):
            if element.getparent() is not None:
                element.drop_tree()
    return letters(body.text_content())


def test_blocks_hold_every_word_of_the_page_in_its_order(page: str) -> None:
    document = read_document(page)
    told = [*inlines(document.front)]
    for section in document.sections:
        told += [section.title, *inlines(section.blocks)]
    told += [*inlines(document.back)]
    assert letters("".join(plain(inline) for inline in told)) == shown_text(page)


def test_sections_keep_their_names_and_figures_what_they_say(page: str) -> None:
    document, tree = read_document(page), html.fromstring(page)
    assert [section.name for section in document.sections] == [section.get("id") for section in tree.iter("section")]
    assert document.title == tree.find(".//h1").text_content()
    assert document.language == tree.get("lang")
    assert document.stamp in ("datos sintéticos", "synthetic data")
    drawings = [block for section in document.sections for block in section.blocks if isinstance(block, Figure)]
    assert len(drawings) == len(tree.xpath("//div[@class='chart chart-wide']/svg"))
    assert all("viewBox" in drawing.svg and drawing.description.endswith(".") for drawing in drawings)


def blocks_of(body: str) -> tuple[Block, ...]:
    """Return the blocks of a page with one section of this body."""
    page = f'<!doctype html><html lang="es"><body><h1>T</h1><main><section id="s"><h2>S</h2>{body}</section></main></body></html>'
    section = read_document(page).section("s")
    assert section is not None
    return section.blocks


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("<div>suelto <b>y</b> más<p>uno</p>final</div>", ["suelto y más", "uno", "final"]),
        ("<p>a<br>b</p><p>  </p>", ["a b"]),
        ("<article><blockquote>cita</blockquote></article>", ["cita"]),
        ("<p>sube<svg xmlns='http://www.w3.org/2000/svg'><title>flecha</title></svg></p>", ["subeflecha"]),
        ("<p><unknown>nuevo</unknown> elemento</p>", ["nuevo elemento"]),
    ],
)
def test_text_is_kept_wherever_it_stands(body: str, blocks: list[str]) -> None:
    assert [plain(inline) for inline in inlines(blocks_of(body))] == blocks


def test_a_line_begins_where_the_page_begins_one() -> None:
    (paragraph,) = blocks_of("<p>a <br><b>b</b><br> c<br></p>")
    assert isinstance(paragraph, Paragraph)
    line = ("line",)
    assert paragraph.inline == (Run("a "), Run("", line), Run("b", ("bold",)), Run(" ", line), Run("c"))


def test_marks_swatches_and_bars_tell_how_text_looks() -> None:
    (paragraph,) = blocks_of('<p><b>no <span class="aside">x</span></b><span class="swatch neg" aria-hidden="true"></span></p>')
    assert isinstance(paragraph, Paragraph)
    assert paragraph.inline == (Run("no ", ("bold",)), Run("x", ("bold", "soft")), Run("", ("swatch", "neg")))
    (table,) = blocks_of(
        "<table><caption class='hidden'>c</caption><thead class='hidden'><tr><th>h</th></tr></thead><tbody><tr class='sum x'>"
        "<th colspan='2'>n<span class='bar grey'><span style='width:12.50%'></span></span></th></tr></tbody></table>"
    )
    assert isinstance(table, Table)
    assert (table.untitled, table.quiet, table.width) == (True, True, 2)
    ((row,),) = table.body
    assert (row.kind, row.cells[0].bar, row.cells[0].columns) == ("sum", (("grey", 12.5),), 2)


def test_markup_in_a_text_stays_text() -> None:
    (paragraph,) = blocks_of("<p>&lt;svg&gt;&lt;script&gt;x&lt;/script&gt; &amp;amp; {{7*7}}</p>")
    assert isinstance(paragraph, Paragraph)
    assert plain(paragraph.inline) == "<svg><script>x</script> &amp; {{7*7}}"


def test_other_pages_are_refused() -> None:
    with pytest.raises(ValueError, match="no <h1> or no <main>"):
        read_document("<!doctype html><html><body><p>x</p></body></html>")
