"""DOCX and ODT documents -> their paragraphs and tables in order, as a reader sees them who accepts every tracked change (pure).

Facts from ECMA-376 (Office Open XML, part 1: `w:ins` and `w:moveTo` stand, `w:del` and `w:moveFrom` do not, 17.13.5; `w:gridSpan`
and `w:vMerge` merge cells, 17.4) and OpenDocument 1.3 (part 3: deleted words stand apart in `text:tracked-changes`, 5.5;
`table:covered-table-cell`, 9.1). Pictures, comments, notes, fields and macros are not looked at. No entity is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import Any, Literal, NamedTuple

from lxml import etree

from collectors.health import SourceProblem
from collectors.packed import is_zip, open_zip, read_member

MAX_XML_BYTES = 16_000_000
MAX_REPEATED = 200
"""Most times that one cell or row of an ODT table may repeat itself: no table of minutes is wider or longer."""

MAX_ROWS = 20_000

_WORD = ("http://schemas.openxmlformats.org/wordprocessingml/2006/main", "http://purl.oclc.org/ooxml/wordprocessingml/main")
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _OFFICE = f"{{{_ODF}text:1.0}}", f"{{{_ODF}table:1.0}}", f"{{{_ODF}office:1.0}}"
_WORD_WRAPPERS = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"})
_WORD_DROPPED = frozenset(
    {"del", "moveFrom", "delText", "instrText", "delInstrText", "pPr", "rPr", "tblPr", "tblGrid", "trPr", "tcPr", "sdtPr"}
) | {"drawing", "pict", "object"}
_ODF_DROPPED = frozenset({f"{_TEXT}{name}" for name in ("tracked-changes", "note", "hidden-text", "ruby-text")}) | {
    f"{_OFFICE}annotation"
}
_ODF_ROWS = frozenset({f"{_TABLE}{name}" for name in ("table-header-rows", "table-rows", "table-row-group")})
_WHITE = re.compile(r"[ \t\r\n]+")


class Cell(NamedTuple):
    """What a cell of a table says."""

    text: str
    part_of: Literal["", "left", "above"] = ""
    """Which cell it is merged into; its own words, if any, are not shown then."""


Table = list[list[Cell]]
"""Rows of cells; merged cells are filled up, so that columns stand under one another."""

Block = str | Table
"""A paragraph, or a table."""


def read_blocks(body: bytes, *, name: str) -> list[Block]:
    """Return the paragraphs and tables of a document.

    Raises:
        SourceProblem: `malformed` if it is neither DOCX nor ODT, or damaged, or larger than any minutes.
    """
    if not is_zip(body):
        raise SourceProblem("malformed", f"{name}: not a DOCX or ODT document; save it as one of them")
    with open_zip(body, name=name) as archive:
        names = set(archive.namelist())
        if "content.xml" in names:
            root = _parse(read_member(archive, "content.xml", name=name, most=MAX_XML_BYTES), name)
            return list(_odt_blocks(root, name))
        if "[Content_Types].xml" in names:
            main = _main_part(archive, names, name)
            return list(_docx_blocks(_parse(read_member(archive, main, name=name, most=MAX_XML_BYTES), name), name))
    raise SourceProblem("malformed", f"{name}: an archive, but no DOCX or ODT document")


def _parse(xml: bytes, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceProblem("malformed", f"{name}: not a readable document ({type(error).__name__})") from error
    if root.getroottree().docinfo.doctype:
        raise SourceProblem("malformed", f"{name}: a document with entities of its own, which no word processor writes")
    return root


def _main_part(archive: Any, names: set[str], name: str) -> str:
    """Return where the text of a DOCX file stands: nearly always `word/document.xml`."""
    if "word/document.xml" in names or "_rels/.rels" not in names:
        return "word/document.xml"
    for link in _parse(read_member(archive, "_rels/.rels", name=name, most=MAX_XML_BYTES), name):
        if isinstance(link.tag, str) and link.get("Type", "").endswith("/officeDocument"):
            return normpath(str(link.get("Target", "")).lstrip("/"))
    return "word/document.xml"


def _word(node: Any) -> str:
    """Return the local name of an element of WordprocessingML; "" for any other."""
    if not isinstance(node.tag, str):
        return ""
    found = etree.QName(node)
    return str(found.localname) if found.namespace in _WORD else ""


def _value(node: Any, path: str) -> str | None:
    """Return `w:val` of the first element at a path of local names; "" if it has none, None if there is no such element."""
    for step in path.split("/"):
        node = next((child for child in node if _word(child) == step), None)
        if node is None:
            return None
    return next((str(value) for key, value in node.attrib.items() if etree.QName(key).localname == "val"), "")


def _word_children(node: Any, kinds: tuple[str, ...]) -> Iterator[Any]:
    """Yield the children of a kind, those inside content controls and insertions too."""
    for child in node:
        if _word(child) in kinds:
            yield child
        elif _word(child) in _WORD_WRAPPERS:
            yield from _word_children(child, kinds)


def _docx_blocks(root: Any, name: str) -> Iterator[Block]:
    for body in root:
        if _word(body) == "body":
            for node in _word_children(body, ("p", "tbl")):
                yield _docx_text(node) if _word(node) == "p" else _docx_table(node, name)


def _docx_text(node: Any) -> str:
    return "".join(_word_pieces(node)).strip()


def _word_pieces(node: Any) -> Iterator[str]:
    for child in node:
        kind = _word(child)
        if not kind or kind in _WORD_DROPPED or (kind == "r" and _value(child, "rPr/vanish") in ("", "1", "true", "on")):
            continue
        if kind == "t":
            yield child.text or ""
        elif kind in ("tab", "br", "cr", "noBreakHyphen"):
            yield {"tab": "\t", "noBreakHyphen": "-"}.get(kind, "\n")
        else:
            yield from _word_pieces(child)
            yield "\n" if kind == "p" else ""


def _docx_table(table: Any, name: str) -> Table:
    rows = []
    for row in _word_children(table, ("tr",)):
        if _value(row, "trPr/del") is None:
            rows.append(_docx_row(row))
            _check_length(rows, name)
    return rows


def _docx_row(row: Any) -> list[Cell]:
    cells = [Cell("", "left")] * _number(_value(row, "trPr/gridBefore"), 0)
    for node in _word_children(row, ("tc",)):
        if _value(node, "tcPr/cellDel") is not None:
            continue
        merged = _value(node, "tcPr/vMerge")
        above = merged is not None and merged != "restart"
        left = _value(node, "tcPr/hMerge") not in (None, "restart")
        cells.append(Cell("", "above") if above else Cell("", "left") if left else Cell(_docx_text(node)))
        cells += [Cell("", "left")] * (_number(_value(node, "tcPr/gridSpan"), 1) - 1)
    return cells


def _number(written: str | None, absent: int) -> int:
    """Return a small number of repetitions as written; what is none counts as if it were absent."""
    return min(int(written), MAX_REPEATED) if written and written.isdecimal() and len(written) < 9 else absent


def _check_length(rows: Table, name: str) -> None:
    if len(rows) > MAX_ROWS:
        raise SourceProblem("malformed", f"{name}: a table of more than {MAX_ROWS} rows")


def _odt_blocks(root: Any, name: str) -> Iterator[Block]:
    for body in root.iter(f"{_OFFICE}text"):
        yield from _odt_children(body, name)


def _odt_children(node: Any, name: str) -> Iterator[Block]:
    for child in node:
        if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            yield "".join(_odt_pieces(child)).strip()
        elif child.tag == f"{_TABLE}table":
            yield _odt_table(child, name)
        elif isinstance(child.tag, str) and child.tag.startswith(_TEXT) and child.tag not in _ODF_DROPPED:
            yield from _odt_children(child, name)


def _odt_pieces(node: Any) -> Iterator[str]:
    """Yield the words of an element and what is in it; white space counts as one space, as the format says."""
    yield _WHITE.sub(" ", node.text or "")
    for child in node:
        known = isinstance(child.tag, str) and child.tag.startswith((_TEXT, _TABLE)) and child.tag not in _ODF_DROPPED
        if child.tag == f"{_TEXT}s":
            yield " " * _number(child.get(f"{_TEXT}c"), 1)
        elif child.tag in (f"{_TEXT}line-break", f"{_TEXT}tab"):
            yield "\n" if child.tag == f"{_TEXT}line-break" else "\t"
        elif known:
            yield from _odt_pieces(child)
            yield "\n" if child.tag in (f"{_TEXT}p", f"{_TEXT}h") else ""
        yield _WHITE.sub(" ", child.tail or "")


def _odt_table(table: Any, name: str) -> Table:
    rows: Table = []
    for node in _odt_rows(table):
        cells = _odt_row(node)
        rows += [cells] * _number(node.get(f"{_TABLE}number-rows-repeated"), 1)
        _check_length(rows, name)
    return rows


def _odt_rows(node: Any) -> Iterator[Any]:
    for child in node:
        if child.tag == f"{_TABLE}table-row":
            yield child
        elif child.tag in _ODF_ROWS:
            yield from _odt_rows(child)


def _odt_row(row: Any) -> list[Cell]:
    cells: list[Cell] = []
    left = 0
    for node in row:
        if node.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = _number(node.get(f"{_TABLE}number-columns-repeated"), 1)
        if node.tag == f"{_TABLE}table-cell":
            left = _number(node.get(f"{_TABLE}number-columns-spanned"), 1) - 1
            # Blank lines at the ends are those between the file's own tags.
            cells += [Cell("".join(_odt_pieces(node)).strip())] * times
        else:
            cells += [Cell("", "left" if place < left else "above") for place in range(times)]
            left = max(left - times, 0)
    return cells
