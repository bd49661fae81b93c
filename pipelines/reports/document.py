"""The page taken apart: whatever it shows becomes a block, so that other formats hold what it holds and can say nothing else.

It reads our own page, whose shape is known; a section that is added to the page needs no line here as long as it is made of
headings, paragraphs, lists, definitions, tables, drawings and boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree, html

from pipelines.reports.blocks import (
    Block,
    Box,
    Cell,
    Document,
    Facts,
    Figure,
    Heading,
    Inline,
    Items,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
)

LEFT_OUT = frozenset({"skip", "stamp", "contents", "chart-narrow", "narrow-only"})
"""Classes of what repeats something for a screen: ways around the page, and what stands elsewhere on a wide one."""

MARKS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "q": "quote",
    "code": "code",
    ".badge": "badge",
    ".mark": "mark",
    ".aside": "soft",
    ".count": "soft",
    ".of": "soft",
    ".how-sure": "soft",
    ".typical": "soft",
    ".digest": "code",
}
"""Element or .class -> how its text looks."""

KEPT = frozenset({"swatch", "line"})
"""Marks of what is there without any text: a patch of colour, a new line."""

_SILENT = frozenset({"script", "style", "title", "template", "nav", "head", "link", "meta"})
_HOLDERS = frozenset({"div", "section", "main", "header", "footer", "details", "article", "aside", "figure", "body"})
_BLOCKS = _HOLDERS | {"h1", "h2", "h3", "h4", "p", "ul", "ol", "dl", "table", "summary", "figcaption", "blockquote"}
_BOXED = frozenset({"unread", "banner"})
_FOLD = re.compile(r"[ \t\n\r\f]+")
_WIDTH = re.compile(r"width:\s*([\d.]+)%")
_SPACE = "{http://www.w3.org/2000/svg}"
_SVG = f"{_SPACE}svg"
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)

Element = Any
"""An element of lxml, which has no types."""


def read_document(page: str) -> Document:
    """Take a page apart.

    Raises:
        ValueError: if it is not a page of ours: it lacks its title or its main part.
    """
    tree = html.document_fromstring(page, parser=html.HTMLParser(huge_tree=True))
    _restore_drawings(tree, page)
    body, heading, main = tree.find("body"), tree.find(".//h1"), tree.find(".//main")
    if heading is None or main is None:
        raise ValueError("the page has no <h1> or no <main>: only pages of a report can be taken apart")
    outside = [child for child in body if isinstance(child.tag, str)]
    before, after = outside[: outside.index(main)], outside[outside.index(main) + 1 :]
    sections = tuple(_read_section(section) for section in main.iter("section"))
    stamp = next((_words(found) for found in main.find_class("stamp")), "")
    return Document(_words(heading), tree.get("lang") or "", stamp, tuple(_read_all(before)), sections, tuple(_read_all(after)))


def _restore_drawings(tree: Element, page: str) -> None:
    """Put each drawing back as it is written: a reader of HTML takes the capitals out of its names (viewBox)."""
    written = _DRAWING.findall(page)
    for parsed, source in zip(list(tree.iter("svg")), written, strict=True):
        drawing = etree.fromstring(source, parser=etree.XMLParser(huge_tree=True, resolve_entities=False))
        drawing.tail = parsed.tail
        parsed.getparent().replace(parsed, drawing)


def _read_section(section: Element) -> Section:
    blocks = list(_read_children(section))
    title = next((block.inline for block in blocks if isinstance(block, Heading) and block.level == 2), ())
    rest = tuple(block for block in blocks if not (isinstance(block, Heading) and block.level == 2))
    return Section(section.get("id") or "", title, rest)


def _classes(element: Element) -> frozenset[str]:
    return frozenset((element.get("class") or "").split())


def _kind(element: Element) -> str:
    return next(iter((element.get("class") or "").split()), "")


def _left_out(element: Element) -> bool:
    return not isinstance(element.tag, str) or element.tag in _SILENT or bool(_classes(element) & LEFT_OUT)


def _read_all(elements: Iterable[Element]) -> Iterator[Block]:
    for element in elements:
        if not _left_out(element):
            yield from _read_block(element)


def _read_block(element: Element) -> Iterator[Block]:
    tag = element.tag
    if re.fullmatch(r"h[1-6]", tag):
        yield Heading(int(tag[1]), read_inline(element))
    elif tag in ("p", "summary", "blockquote", "figcaption"):
        inline = read_inline(element)
        if inline:
            yield Paragraph(inline, _kind(element) or ("" if tag == "p" else tag))
    elif tag in ("ul", "ol"):
        yield Items(tuple(read_inline(item) for item in element.iter("li")), ordered=tag == "ol")
    elif tag == "dl":
        yield Facts(_read_facts(element), _kind(element))
    elif tag == "table":
        yield _read_table(element)
    elif tag == _SVG:
        yield _read_drawing(element, ())
    elif element.get("role") == "note" or _classes(element) & _BOXED:
        yield Box(tuple(_read_children(element)), _kind(element))
    elif tag == "figure" and element.find(f".//{_SVG}") is not None:
        yield from _read_figure(element)
    else:
        yield from _read_children(element)


def _read_children(element: Element) -> Iterator[Block]:
    """Yield the blocks within an element; text that stands between them becomes paragraphs."""
    loose: list[Run] = list(_runs_of(element.text, ()))
    for child in element:
        if isinstance(child.tag, str) and (child.tag in _BLOCKS or child.tag == _SVG):
            yield from _loose_paragraph(loose)
            loose = []
            yield from _read_all([child])
        elif not _left_out(child):
            loose += _read_runs(child, ())
        loose += _runs_of(child.tail, ())
    yield from _loose_paragraph(loose)


def _loose_paragraph(runs: list[Run]) -> Iterator[Block]:
    inline = _fold(runs)
    if inline:
        yield Paragraph(inline)


def _read_facts(element: Element) -> tuple[tuple[Inline, Inline], ...]:
    terms = [read_inline(term) for term in element.iter("dt")]
    return tuple(zip(terms, (read_inline(said) for said in element.iter("dd")), strict=True))


def _read_figure(element: Element) -> Iterator[Block]:
    caption = next((read_inline(found) for found in element.iter("figcaption")), ())
    for child in element.iter(_SVG):
        if not any(_classes(parent) & LEFT_OUT for parent in (child, *child.iterancestors())):
            yield _read_drawing(child, caption)
            caption = ()


def _read_drawing(element: Element, caption: Inline) -> Figure:
    said = [_words(found).rstrip(".") for name in ("title", "desc") for found in element.findall(f"{_SPACE}{name}")[:1]]
    svg = etree.tostring(element, encoding="unicode", with_tail=False)
    return Figure(svg, "".join(f"{part}. " for part in said if part).rstrip(), caption)


def _read_table(element: Element) -> Table:
    caption = element.find("caption")
    groups = [tuple(_read_row(row, head=False) for row in body.iter("tr")) for body in element.iterchildren("tbody")]
    return Table(
        read_inline(caption) if caption is not None else (),
        tuple(_read_row(row, head=True) for row in element.xpath("./thead/tr")),
        tuple(group for group in groups if group),
        tuple(_read_row(row, head=False) for row in element.xpath("./tfoot/tr")),
        _kind(element),
        untitled=caption is not None and "hidden" in _classes(caption),
        quiet=any("hidden" in _classes(head) for head in element.iterchildren("thead")),
    )


def _read_row(row: Element, *, head: bool) -> Row:
    cells = [cell for cell in row.iterchildren("th", "td") if not _left_out(cell)]
    return Row(tuple(_read_cell(cell, head=head) for cell in cells), _kind(row))


def _read_cell(cell: Element, *, head: bool) -> Cell:
    return Cell(
        read_inline(cell),
        header=cell.tag == "th" or head,
        columns=int(cell.get("colspan") or 1),
        rows=int(cell.get("rowspan") or 1),
        right="number" in _classes(cell),
        bar=() if head else tuple(_read_bar(cell)),
    )


def _read_bar(cell: Element) -> Iterator[tuple[str, float]]:
    for bar in cell.xpath(".//span[contains(concat(' ', @class, ' '), ' bar ') or @class='stack']"):
        grey = "grey" if "grey" in _classes(bar) else "accent"
        for part in bar:
            width = _WIDTH.search(part.get("style") or "")
            if width:
                yield _kind(part) or grey, float(width.group(1))


def read_inline(element: Element) -> Inline:
    """Return the text of an element with what tells its looks; what a screen alone needs is left out."""
    return _fold(_read_within(element, _marks_of(element)))


def _read_runs(element: Element, marks: tuple[str, ...]) -> list[Run]:
    if _left_out(element):
        return []
    if element.tag == _SVG:
        return [run for found in element.findall(f"{_SPACE}title") for run in _runs_of(_words(found), marks)]
    classes = _classes(element)
    if "swatch" in classes:
        return [Run("", ("swatch", *sorted(classes - {"swatch"})))]
    runs = _read_within(element, tuple(sorted({*marks, *_marks_of(element)})))
    if element.tag == "br":
        return [Run(" ", ("line",))]
    spaced = element.tag in _BLOCKS or element.tag in ("li", "dt", "dd")
    return [Run(" "), *runs, Run(" ")] if spaced else runs


def _marks_of(element: Element) -> tuple[str, ...]:
    names = (element.tag, *(f".{name}" for name in _classes(element)))
    return tuple(sorted({MARKS[name] for name in names if name in MARKS}))


def _read_within(element: Element, marks: tuple[str, ...]) -> list[Run]:
    runs = list(_runs_of(element.text, marks))
    for child in element:
        runs += _read_runs(child, marks)
        runs += _runs_of(child.tail, marks)
    return runs


def _runs_of(text: str | None, marks: tuple[str, ...]) -> Iterator[Run]:
    if text:
        yield Run(text.replace("\u00ad", ""), marks)


def _fold(runs: list[Run]) -> Inline:
    """Fold white space across runs, take it off both ends, and join runs that look alike."""
    folded: list[Run] = []
    ended = True  # in white space, or at the beginning
    for run in runs:
        text = _FOLD.sub(" ", run.text)
        text = text[1:] if ended and text.startswith(" ") else text
        if text or KEPT.intersection(run.marks):
            ended = text.endswith(" ") or (ended and not text)
            folded.append(Run(text, run.marks))
    while folded and not folded[-1].text.strip(" ") and "swatch" not in folded[-1].marks:
        folded.pop()
    if folded:
        folded[-1] = Run(folded[-1].text.rstrip(" "), folded[-1].marks)
    return tuple(_join(folded))


def _join(runs: list[Run]) -> Iterator[Run]:
    waiting: Run | None = None
    for run in runs:
        if waiting is not None and waiting.marks == run.marks and "swatch" not in run.marks:
            waiting = Run(waiting.text + run.text, run.marks)
            continue
        if waiting is not None:
            yield waiting
        waiting = run
    if waiting is not None:
        yield waiting


def _words(element: Element) -> str:
    return _FOLD.sub(" ", "".join(element.itertext())).strip(" ").replace("\u00ad", "")
