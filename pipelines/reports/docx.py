"""Two pages for officials as a DOCX: what they ask for first, in the words of the page; the same page gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.reports.blocks import Block, Box, Cell, Document, Facts, Heading, Inline, Items, Paragraph, Row, Run, Table, plain
from pipelines.reports.document import read_document
from pipelines.reports.rendering import load_formats

if TYPE_CHECKING:
    from pipelines.reports.exporting import ExportInput

SECTIONS: Mapping[str, int] = {"overview": 12, "changes": 6, "categories": 20, "actions": 5}
"""Section of the page -> the most rows that the summary takes of its table or list; a page may lack some."""

WHOLE = frozenset({"overview"})
"""Sections taken whole; of the others come the title, and their first table or list."""

LONGEST = 600
"""Signs of one piece of text; what is longer stands whole in the full report."""

_METHOD = "method"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SOFT, _ACCENT, _WASH, _WARNING, _RULE = "5A5A55", "1D4E6F", "F5F2EA", "FFD34D", "B5B0A3"


def export_docx(given: ExportInput) -> Mapping[str, bytes]:
    """Return the summary of the page, named in the language of the page."""
    formats = load_formats(given.city, given.language)
    page = read_document(given.page_html)
    more = formats.say("summary.more", report=given.report_id[:12], title=page.title).unescape()
    contact = formats.say("summary.contact", contact=given.city.contact).unescape()
    blocks = summarise(page, lambda count: formats.say("summary.more_rows", count=formats.number(count)).unescape())
    closing = [Paragraph((Run(more),)), Paragraph((Run(contact),))]
    title = formats.say("summary.title", title=page.title).unescape()
    content = write_docx(replace(page, title=title), [*blocks, *closing], changed=given.period.end_utc)
    return {f"{formats.say('file.summary')}.docx": content}


def summarise(page: Document, left_out: Callable[[int], str]) -> list[Block]:
    """Return the blocks of the summary: those of the page, fewer of them.

    Args:
        page: the whole page.
        left_out: says that so many rows stand in the full report alone.
    """
    blocks: list[Block] = [block for block in page.front if not isinstance(block, Heading)]
    for name, most in SECTIONS.items():
        section = page.section(name)
        if section is None:
            continue
        chosen = section.blocks
        if name not in WHOLE:
            chosen = next(((block,) for block in section.blocks if isinstance(block, Table | Items)), section.blocks[:1])
        blocks.append(Heading(2, section.title))
        for block in chosen:
            blocks += _shorten(block, most, left_out)
    method = page.section(_METHOD)
    if method is not None:
        blocks += [Heading(2, method.title), *[block for block in method.blocks if isinstance(block, Paragraph)][:2]]
    return blocks


def _shorten(block: Block, most: int, left_out: Callable[[int], str]) -> Iterator[Block]:
    """Yield a block with at most so many rows, and what is left out of it."""
    if isinstance(block, Items):
        yield replace(block, items=block.items[:most])
        over = len(block.items) - most
    elif isinstance(block, Table):
        rows = [row for group in block.body for row in group]
        yield replace(block, body=(tuple(rows[:most]),))
        over = len(rows) - most
    else:
        yield block
        return
    if over > 0:
        yield Paragraph((Run(left_out(over)),), "note")


def write_docx(document: Document, blocks: Sequence[Block], *, changed: datetime) -> bytes:
    """Write blocks as a DOCX with real styles, marked heads of tables, and a language; `changed` is all that it says of time."""
    import docx

    written = docx.Document()
    _prepare_styles(written, document.language)
    properties = written.core_properties
    properties.title, properties.subject, properties.language = document.title, document.stamp, document.language
    properties.author = properties.last_modified_by = properties.comments = properties.keywords = ""
    properties.created = properties.modified = changed.replace(tzinfo=None)
    properties.revision = 1
    written.add_heading(_writable(document.title), level=0)
    for block in blocks:
        _add(written, block)
    stream = io.BytesIO()
    written.save(stream)
    return _with_fixed_dates(stream.getvalue())


def _with_fixed_dates(content: bytes) -> bytes:
    """Return a zip file with the same files, in the order of their names, all of one date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        # What a reader of such files looks at first has to come first.
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            new.writestr(entry, old.read(name))
    return stream.getvalue()


def _prepare_styles(written: Any, language: str) -> None:
    from docx.shared import Cm, Pt, RGBColor

    page = written.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2)
    page.top_margin = page.bottom_margin = Cm(1.6)
    for name, size, before, after in (
        ("Normal", 10, 0, 4),
        ("Title", 18, 0, 4),
        ("Heading 1", 13, 8, 3),
        ("Heading 2", 11, 6, 2),
        ("List Number", 10, 0, 2),
        ("List Bullet", 10, 0, 2),
        ("Caption", 9, 4, 2),
    ):
        style = written.styles[name]
        style.font.name, style.font.size = "Calibri", Pt(size)
        style.font.color.rgb = RGBColor.from_string(_ACCENT if name in ("Title", "Heading 1") else "1C1C1A")
        style.element.get_or_add_rPr().get_or_add_rFonts().set(_name("w:eastAsia"), "Calibri")
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            style.element.rPr.rFonts.attrib.pop(_name(f"w:{theme}"), None)
    for tongue in written.styles.element.iter(_name("w:lang")):
        tongue.set(_name("w:val"), language)


def _name(tag: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(tag))


def _add(parent: Any, block: Block) -> None:
    match block:
        case Heading(level, inline):
            _fill(parent.add_paragraph(style=f"Heading {max(1, level - 1)}"), inline)
        case Paragraph(inline, kind):
            _fill(parent.add_paragraph(), inline, soft=kind in ("note", "explanation", "small-base", "seen"))
        case Items(items, ordered):
            for item in items:
                _fill(parent.add_paragraph(style="List Number" if ordered else "List Bullet"), item)
        case Facts(facts, "tiles"):
            _add_tiles(parent, facts)
        case Facts(facts):
            for term, said in facts:
                _fill(parent.add_paragraph(), (Run(f"{plain(term)}: ", ("bold",)), *said))
        case Table():
            _add_table(parent, block)
        case Box(inner, kind):
            first = len(parent.paragraphs)
            for each in inner:
                _add(parent, each)
            for paragraph in parent.paragraphs[first:] if kind == "banner" else ():
                paragraph._p.get_or_add_pPr().append(_shade(_WARNING))
        case _:  # a drawing: what it draws stands in a table of the full report
            return


def _add_tiles(parent: Any, facts: Sequence[tuple[Inline, Inline]]) -> None:
    """Write what tiles say as one line: figures bold, what they count after them."""
    line: list[Run] = []
    for place, (term, said) in enumerate(facts):
        line += [Run(" · ")] if place else []
        line += [Run(plain(said), ("bold",)), Run(f" {plain(term)}")]
    _fill(parent.add_paragraph(), tuple(line))


def _add_table(parent: Any, table: Table) -> None:
    rows = list(table.rows())
    if table.caption and not table.untitled:
        _fill(parent.add_paragraph(style="Caption"), table.caption)
    made = parent.add_table(rows=len(rows), cols=table.width)
    made.autofit = False
    _describe_table(made, plain(table.caption))
    for place, row in enumerate(rows):
        strong = place < len(table.head) or place >= len(rows) - len(table.foot)
        _fill_row(made, place, row, bold=strong or row.kind in ("sum", "whole"))
        _mark_row(made.rows[place], head=place < len(table.head))
    _set_widths(made, table)
    parent.add_paragraph().paragraph_format.space_after = 0


def _set_widths(made: Any, table: Table) -> None:
    """Give the first column, which names things, what the figures do not need; figures stand right, their heads too."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    others = max(1, table.width - 1)
    figures = min(3.2, 9.5 / others)
    for column in range(table.width):
        width = Cm(figures if column else 17 - figures * (table.width - 1))
        for part in (made.columns[column], *made.columns[column].cells):
            part.width = width
    for row in made.rows[: len(table.head)]:
        for cell in row.cells[1:]:
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _fill_row(made: Any, place: int, row: Row, *, bold: bool) -> None:
    column = 0
    for cell in row.cells:
        target = made.cell(place, column)
        if cell.columns > 1 or cell.rows > 1:
            target = target.merge(made.cell(place + cell.rows - 1, column + cell.columns - 1))
        _fill_cell(target, cell, bold=bold)
        column += cell.columns


def _fill_cell(target: Any, cell: Cell, *, bold: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = target.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if cell.right else WD_ALIGN_PARAGRAPH.LEFT
    _fill(paragraph, cell.inline, size=8.5, bold=bold)


def _describe_table(made: Any, caption: str) -> None:
    """Give a table thin lines between its rows, and its title and text for those who cannot see it."""
    from docx.oxml import OxmlElement

    borders = OxmlElement("w:tblBorders")
    for side in ("w:top", "w:bottom", "w:insideH"):
        line = OxmlElement(side)
        for name, value in (("w:val", "single"), ("w:sz", "4"), ("w:space", "0"), ("w:color", _RULE)):
            line.set(_name(name), value)
        borders.append(line)
    made._tbl.tblPr.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook", "w:tblCaption")
    for tag in ("w:tblCaption", "w:tblDescription"):
        element = OxmlElement(tag)
        element.set(_name("w:val"), _writable(caption))
        made._tbl.tblPr.append(element)


def _mark_row(row: Any, *, head: bool) -> None:
    """Keep a row on one page; one of heads is repeated on each page, and told as such."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    for tag in ("w:cantSplit", *(["w:tblHeader"] if head else [])):
        properties.append(OxmlElement(tag))
    if head:
        for cell in row.cells:
            cell._tc.get_or_add_tcPr().append(_shade(_WASH))


def _shade(colour: str) -> Any:
    from docx.oxml import OxmlElement

    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour)):
        shade.set(_name(name), value)
    return shade


def _fill(paragraph: Any, inline: Inline, *, soft: bool = False, bold: bool = False, size: float | None = None) -> None:
    from docx.shared import Pt, RGBColor

    for run in inline:
        text = f"«{run.text}»" if "quote" in run.marks else run.text
        written = paragraph.add_run(_writable(text))
        written.bold = True if bold or "bold" in run.marks else None
        written.italic = True if {"italic", "quote", "badge"} & set(run.marks) else None
        if soft or "soft" in run.marks:
            written.font.color.rgb = RGBColor.from_string(_SOFT)
        if size is not None:
            written.font.size = Pt(size)


def _writable(text: str) -> str:
    """Return a text without signs that no XML file can hold, and no longer than a summary's piece may be."""
    told = _UNWRITABLE.sub("\ufffd", text)
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"
