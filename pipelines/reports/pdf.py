"""The page as a tagged PDF (PDF/UA-1, A4), set by typst from the blocks of the page; the same page gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.reports.blocks import Block, Box, Document, Facts, Figure, Heading, Inline, Items, Paragraph, Table, plain
from pipelines.reports.document import read_document
from pipelines.reports.rendering import load_formats

if TYPE_CHECKING:
    from pipelines.reports.exporting import ExportInput

TEMPLATE = Path(__file__).with_name("page.typ")

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a title, a language and a text for each drawing, or it is not written at all."""

LONGEST_WORD = 36
"""Signs after which a word may be broken, so that none runs off the paper."""

_EM = 0.56
"""Width of a sign in the size of its font, a little more than the mean."""

_QUIET = 0.88
"""Size of the head of a table that is one of many alike."""

_WIDEST_FIGURES = 9.0
"""Ems after which a column of figures breaks its lines."""

_WIDEST_FIRST = 16
"""Signs up to which a first column takes its own width, where all others are figures."""

_LINE, _MOST_TOGETHER = 70, 12
"""Signs of a line, and lines up to which a table is not broken over two pages."""

_ABSENT = re.compile(r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed')
_SPELLED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_LONG = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def export_pdf(given: ExportInput) -> Mapping[str, bytes]:
    """Return the page as a PDF, named in the language of the page.

    Raises:
        ValueError: if the page cannot be set; the message is the typesetter's.
    """
    formats = load_formats(given.city, given.language)
    window = formats.window(given.period)
    foot = formats.say("page.print_foot", city=given.city.name, window=window, report=given.report_id[:12]).unescape()
    content = render_pdf(read_document(given.page_html), foot=foot)
    return {f"{formats.say('file.report')}.pdf": content}


def render_pdf(document: Document, *, foot: str) -> bytes:
    """Set a document; `foot` stands at the foot of every page.

    Signs that none of the typesetter's own fonts can show are written as their number, as in [U+1F600].

    Raises:
        ValueError: if it cannot be set; the message is the typesetter's.
    """
    import typst

    content = json.dumps(describe(document, foot=foot), ensure_ascii=False)
    while True:
        try:
            return bytes(
                typst.compile(
                    TEMPLATE.read_bytes(),
                    format="pdf",
                    ignore_system_fonts=True,
                    pdf_standards=STANDARD,
                    sys_inputs={"document": content},
                    timestamp=0,
                )
            )
        except typst.TypstError as error:
            absent = absent_signs(f"{error.message}\n{error.diagnostic}") & set(content)
            if not absent:
                raise ValueError(f"the page cannot be set as a PDF: {error.message}") from error
            content = content.translate({ord(sign): f"[U+{ord(sign):04X}]" for sign in absent})


def absent_signs(diagnostic: str) -> set[str]:
    """Return the signs that the typesetter says it has no font for."""
    found: set[str] = set()
    for spelled in _ABSENT.findall(diagnostic):
        found |= set(_SPELLED.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], spelled))
    return {sign for sign in found if not sign.isascii()}


def describe(document: Document, *, foot: str) -> dict[str, Any]:
    """Return what the typesetter's template reads: plain values, with the type of each block."""
    language, _, region = document.language.partition("-")
    return {
        "title": document.title,
        "heading": breakable(document.title),
        "language": language,
        "region": region,
        "stamp": document.stamp,
        "foot": breakable(foot),
        "front": _describe_all(document.front),
        "sections": [
            {"title": _describe_inline(section.title), "blocks": _describe_all(section.blocks)} for section in document.sections
        ],
        "back": _describe_all(document.back),
    }


def breakable(text: str) -> str:
    """Return a text in which no word runs off the paper: a long one may be broken after some signs."""
    return _LONG.sub("\\1\u200b", text)


def _describe_all(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = []
    for cards, group in groupby(blocks, key=lambda block: isinstance(block, Table) and block.kind == "card"):
        rows = [_describe(block) for block in group]
        described += [{"type": "cards", "tables": rows}] if cards else rows
    return described


def _describe(block: Block) -> dict[str, Any]:
    kind = {"type": type(block).__name__.lower()}
    match block:
        case Heading(level, inline):
            return {**kind, "level": level, "inline": _describe_inline(inline)}
        case Paragraph(inline, name):
            return {**kind, "kind": name, "inline": _describe_inline(inline)}
        case Items(items, ordered):
            return {**kind, "ordered": ordered, "items": [_describe_inline(item) for item in items]}
        case Facts(facts, name):
            pairs = [[_describe_inline(term), _describe_inline(said)] for term, said in facts]
            return {**kind, "kind": name, "facts": pairs}
        case Table():
            return {**kind, **_describe_table(block)}
        case Figure(svg, description, caption):
            return {**kind, "svg": svg, "description": description, "caption": _describe_inline(caption)}
        case Box(blocks, name):
            return {**kind, "kind": name, "blocks": _describe_all(blocks)}


def _describe_table(table: Table) -> dict[str, Any]:
    described: dict[str, Any] = asdict(table)
    widths = column_widths(table)
    for row in (*described["head"], *(row for group in described["body"] for row in group), *described["foot"]):
        for cell in row["cells"]:
            cell["inline"] = [{**run, "text": breakable(run["text"])} for run in cell["inline"]]
    for row in described["head"]:
        if sum(cell["columns"] for cell in row["cells"]) == table.width:
            for (unit, _), cell in zip(widths[1:], row["cells"][1:], strict=False):
                cell["right"] = cell["right"] or unit == "em"
    lines = sum(max(1 + len(plain(cell.inline)) // _LINE for cell in row.cells) for row in table.rows() if row.cells)
    return {
        **described,
        "caption": _describe_inline(table.caption),
        "width": table.width,
        "widths": widths,
        "together": lines <= _MOST_TOGETHER,
    }


def _describe_inline(inline: Inline) -> list[dict[str, Any]]:
    return [{"text": breakable(run.text), "marks": list(run.marks)} for run in inline]


def column_widths(table: Table) -> list[tuple[str, float]]:
    """Return each column's width: ("em", n) for a column of figures alone, ("fr", n) for a share of what they leave."""
    longest, words, figures = [0] * table.width, [0.0] * table.width, [True] * table.width
    for row in table.rows():
        place = 0
        for cell in row.cells if sum(cell.columns for cell in row.cells) == table.width else ():
            if cell.columns == 1:
                text = plain(cell.inline)
                size = _QUIET if table.quiet and row in table.head else 1.0
                words[place] = max(words[place], size * _longest_word(cell.inline))
                longest[place] = max(longest[place], 0 if row in table.head else len(text))
                figures[place] &= cell.right or cell.header or not text
            place += cell.columns
    figures[0] = (
        all(figures[1:]) and longest[0] <= _WIDEST_FIRST and not any(row.cells[0].bar for row in table.rows() if row.cells)
    )
    return [
        ("em", round(max(min(_EM * long, _WIDEST_FIGURES), word) + 0.9, 2)) if figure else ("fr", min(max(long, 8), 60))
        for long, word, figure in zip(longest, words, figures, strict=True)
    ]


def _longest_word(inline: Inline) -> float:
    """Return the width in ems of the longest piece that should not be broken: a word, or a badge whole."""
    widest, beside = 0.0, 0.0
    for run in inline:
        if "swatch" in run.marks:
            beside = 1.1
        elif "badge" in run.marks:
            widest = max(widest, _EM * 0.86 * len(run.text) + 0.7)
        else:
            widest = max(widest, *(_EM * 1.1 * min(len(word), LONGEST_WORD) + beside for word in run.text.split(" ")))
    return widest
