"""The page as Markdown with the tables that GitHub knows: its blocks, and nothing that a text could turn into markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.reports.blocks import Block, Box, Document, Facts, Figure, Heading, Inline, Items, Paragraph, Row, Run, Table
from pipelines.reports.document import read_document
from pipelines.reports.rendering import load_formats

if TYPE_CHECKING:
    from pipelines.reports.exporting import ExportInput

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$@^])|(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
_BEGINS = re.compile(r"^(?:([-+=:])|(\d{1,9})([.)])(?= |$))")
_WRAPS = {"bold": "**", "italic": "*"}


def export_markdown(given: ExportInput) -> Mapping[str, bytes]:
    """Return the page as Markdown (UTF-8), named in the language of the page."""
    formats = load_formats(given.city, given.language)
    return {f"{formats.say('file.report')}.md": render_markdown(read_document(given.page_html)).encode()}


def render_markdown(document: Document) -> str:
    """Write a document as Markdown: it ends with a line break, and blocks are apart by one empty line."""
    parts = list(_write_all(document.front))
    for section in document.sections:
        parts += [f"## {_write(section.title)}", *_write_all(section.blocks)]
    return "\n\n".join([*parts, *_write_all(document.back)]) + "\n"


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is: no markup, no HTML, no formula, no mention, no link of its own."""
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", text.replace("&", "&amp;"))
    return re.sub(r"\s+", lambda match: match[0] if match[0] == "\u00a0" else " ", escaped)


def _write(inline: Inline) -> str:
    line = "".join(map(_write_run, inline)).strip(" ")
    # What would begin a list or a rule at the start of a line.
    return _BEGINS.sub(lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", line)


def _write_run(run: Run) -> str:
    text = escape(run.text)
    if "quote" in run.marks:
        return f"«{text}»"
    wrap = "".join(_WRAPS[mark] for mark in run.marks if mark in _WRAPS)
    inner = text.strip(" ")
    if not wrap or not inner:
        return text
    before, after = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :]
    return f"{before}{wrap}{inner}{wrap[::-1]}{after}"


def _write_all(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        yield from _write_block(block)


def _write_block(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, inline):
            yield f"{'#' * level} {_write(inline)}"
        case Paragraph(inline, kind):
            if kind != "legend":  # of colours, which are not here
                yield _write(inline)
        case Items(items, ordered):
            yield "\n".join(f"{f'{number}.' if ordered else '-'} {_write(item)}" for number, item in enumerate(items, start=1))
        case Facts(facts, kind):
            pairs = ((said, term) if kind == "tiles" else (term, said) for term, said in facts)
            yield "\n".join(f"- **{_write(first)}** {_write(second)}" for first, second in pairs)
        case Table():
            yield from _write_table(block)
        case Figure(_, description, caption):
            yield from ([f"**{_write(caption)}**"] if caption else [])
            yield f"*{escape(description)}*"
        case Box(inner):
            yield "\n".join(f"> {line}".rstrip() for line in "\n\n".join(_write_all(inner)).split("\n"))


def _write_table(table: Table) -> Iterator[str]:
    """Write a table, whose rows of heads become one; cells that span several columns stand in the first of them."""
    if table.caption and not table.untitled:
        yield f"**{_write(table.caption)}**"
    rows = [row for group in table.body for row in group]
    head = _join_heads(table)
    right = [all(cell.right or not cell.inline for cell in column) for column in zip(*(row.cells for row in rows), strict=False)]
    rule = " | ".join("--:" if number and place else "---" for place, number in enumerate(right or [False] * table.width))
    lines = [" | ".join(head), rule, *(" | ".join(_write_cells(row, table.width)) for row in (*rows, *table.foot))]
    yield "\n".join(f"| {line} |" for line in lines)


def _write_cells(row: Row, width: int) -> list[str]:
    cells: list[str] = []
    for cell in row.cells:
        text = _write(cell.inline)
        cells += [f"**{text}**" if row.kind == "sum" and text else text, *[""] * (cell.columns - 1)]
    return cells + [""] * (width - len(cells))


def _join_heads(table: Table) -> list[str]:
    """Return one head for each column: what stands above it in every row of heads, from top to bottom."""
    told: list[list[str]] = [[] for _ in range(table.width)]
    taken = [0] * table.width  # rows that a cell above still fills
    for row in table.head:
        place = 0
        for cell in row.cells:
            while place < table.width and taken[place]:
                place += 1
            for column in range(place, min(place + cell.columns, table.width)):
                told[column] += [_write(cell.inline)] if cell.inline else []
                taken[column] = cell.rows
            place += cell.columns
        taken = [max(0, left - 1) for left in taken]
    return [": ".join(parts) for parts in told]
