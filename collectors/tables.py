"""Tables in files -> rows of text cells, one after the other (pure): CSV, XLSX, ODS, JSON, JSON Lines and Parquet.

A row that cannot be read is told with its number and the others stay; what breaks a file ends it there, with the rows before it
kept. Numbers are lines of CSV and JSON Lines, rows of sheets and Parquet, records of JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

from collectors.health import SourceProblem
from collectors.packed import Unpacked, is_zip, open_zip, read_member, unpack
from collectors.table_formats import (
    WrongRecord,
    begins_with_object,
    read_csv,
    read_json,
    read_jsonl,
    read_parquet,
    read_workbook,
    write_cell,
)
from collectors.text import decode_bytes

Format = Literal["csv", "json", "jsonl", "ods", "parquet", "xlsx"]

MAX_ROWS = 1_000_000
MAX_CELL_CHARACTERS = 2_000_000

BOUNDED: frozenset[Format] = frozenset({"json", "ods", "parquet", "xlsx"})
"""Formats of which a small file may unfold to anything: read them through `collectors.bounded`."""

_SUFFIXES: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".json": "json", ".jsonl": "jsonl"}
_SUFFIXES |= {".ndjson": "jsonl", ".ods": "ods", ".parquet": "parquet", ".xlsx": "xlsx", ".xlsm": "xlsx"}
_SHEETS = "application/vnd.oasis.opendocument.spreadsheet"
_HEAD_BYTES = 4_096
_PEEKED = 100
_COLUMNS_SHOWN = 40


@dataclass(frozen=True)
class TableForm:
    """How a table is written and what is wanted of it; columns by their headings, or by their paths in JSON and Parquet."""

    text: tuple[str, ...]
    """Columns of the message; at least one record of JSON must have one of them."""

    needed: tuple[str, ...] = ()
    """Other columns without which the file is not what it should be."""

    optional: tuple[str, ...] = ()
    """Columns that may be absent."""

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    records: str | None = None
    """Dotted path to the list of records in a JSON object."""

    member: str | None = None
    """Pattern of the file's name inside an archive of several."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """All columns, each once."""
        return tuple(dict.fromkeys((*self.text, *self.needed, *self.optional)))


class Row(NamedTuple):
    """One row: its number in the file, from 1, and the wanted cells by column, "" where one is empty or absent."""

    line: int
    cells: Mapping[str, str]


class WrongRow(NamedTuple):
    """A row that cannot be read, and why; never its words."""

    line: int
    what: str


class Document(NamedTuple):
    """A table that was unpacked and recognised."""

    body: bytes
    name: str
    format: Format


def recognise(body: bytes, form: TableForm, *, name: str) -> Document:
    """Unpack a file and tell what it is: by its form, by what it begins with, by its name; anything else is read as CSV.

    Raises:
        SourceProblem: `malformed` if it is not what its name or form says, or cannot be unpacked.
    """
    suffix = _SUFFIXES.get(PurePosixPath(name.lower()).suffix)
    inner = Unpacked(body, name)
    if suffix not in ("xlsx", "ods") and _workbook_format(body) is None:
        inner = unpack(body, name=name, member=form.member)
        suffix = _SUFFIXES.get(PurePosixPath(inner.name.lower()).suffix)
    sheet = _workbook_format(inner.body)
    expected = form.format or ("xlsx" if form.sheet is not None and sheet is None else suffix)
    if expected in ("xlsx", "ods") and sheet is None:
        raise SourceProblem("malformed", f"{inner.name}: not a readable workbook (no {expected.upper()} file)")
    if inner.body.startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceProblem("malformed", f"{inner.name}: an old Excel file; save it as .xlsx")
    found = sheet or ("parquet" if inner.body.startswith(b"PAR1") else expected)
    return Document(
        inner.body, inner.name, found if found in ("xlsx", "ods", "parquet", "csv") else _text_format(inner.body, form, found)
    )


def read_rows(document: Document, form: TableForm) -> Iterator[Row | WrongRow]:
    """Yield the rows of a document one by one.

    Raises:
        SourceProblem: `missing_column` or `malformed`, before the first row or after the last one that could be read.
    """
    rows = _read_records(document, form) if document.format in ("json", "jsonl", "parquet") else _read_cells(document, form)
    for count, row in enumerate(rows):
        if count == MAX_ROWS:
            told = f"{document.name}:{row.line}: more than {MAX_ROWS} rows; split the file: from here on it was not read"
            raise SourceProblem("malformed", told)
        yield row


def _workbook_format(body: bytes) -> Format | None:
    """Tell which kind of workbook a file is; None if it is none, or damaged."""
    if not is_zip(body):
        return None
    try:
        with open_zip(body, name="") as archive:
            names = set(archive.namelist())
            if "mimetype" in names and read_member(archive, "mimetype", name="", most=200).decode("latin-1").startswith(_SHEETS):
                return "ods"
    except SourceProblem:
        return None
    return "xlsx" if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names) else None


def _text_format(body: bytes, form: TableForm, expected: Format | None) -> Format:
    """Tell CSV, JSON and JSON Lines apart; a .json file often holds an object a line."""
    if form.format is not None:
        return form.format
    head = decode_bytes(body[:_HEAD_BYTES], declared=form.encoding)[0].lstrip()
    if form.records is not None or head.startswith("["):
        return "json"
    if head.startswith("{") and expected != "jsonl":
        return "jsonl" if begins_with_object(body, alone=expected != "json") else "json"
    return expected or "csv"


def _read_cells(document: Document, form: TableForm) -> Iterator[Row | WrongRow]:
    """Read a table whose first row is a heading."""
    name = document.name
    if document.format == "csv":
        table = read_csv(document.body, name=name, encoding=form.encoding, delimiter=form.delimiter)
    else:
        table = read_workbook(document.body, name=name, sheet=form.sheet)
    filled = (row for row in table if any(not _is_blank(cell) for cell in row[1]))
    line, heading = next(filled, (0, []))
    names = [write_cell(cell).strip() for cell in heading]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise SourceProblem("malformed", f"{name}: the file has no heading")
    _check_heading(names, form, f"{name}:{line}")
    places = {column: names.index(column) for column in form.wanted if column in names}
    for line, cells in filled:
        yield _pick_cells(line, cells, len(names), places, form.wanted)


def _pick_cells(line: int, cells: Sequence[Any], width: int, places: Mapping[str, int], wanted: Sequence[str]) -> Row | WrongRow:
    # Spreadsheets end rows with empty cells beyond the heading: nothing is lost with them.
    if len(cells) < width or any(not _is_blank(cell) for cell in cells[width:]):
        return WrongRow(line, f"{len(cells)} cells where the heading has {width}")
    found = {column: write_cell(cells[places[column]]) if column in places else "" for column in wanted}
    return _check_lengths(Row(line, found))


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _check_lengths(row: Row) -> Row | WrongRow:
    long = [column for column, cell in row.cells.items() if len(cell) > MAX_CELL_CHARACTERS]
    return WrongRow(row.line, f"more than {MAX_CELL_CHARACTERS} characters in {long[0]!r}") if long else row


def _check_heading(names: list[str], form: TableForm, where: str) -> None:
    wanted = [*form.text, *form.needed]
    missing = [column for column in dict.fromkeys(wanted) if column not in names]
    if missing:
        # A first line with none of the columns may be no heading at all but a citizen's row, and is not repeated.
        known = len(missing) < len(set(wanted))
        shown = ", ".join(map(repr, names[:_COLUMNS_SHOWN]))
        found = shown if known else f"a first line of {len(names)} cells with none of the columns"
        raise SourceProblem("missing_column", f"{where}: no column {', '.join(map(repr, missing))}; the file has {found}")
    doubled = sorted({column for column in form.wanted if names.count(column) > 1})
    if doubled:
        raise SourceProblem("malformed", f"{where}: column {', '.join(map(repr, doubled))} stands there more than once")


def _read_records(document: Document, form: TableForm) -> Iterator[Row | WrongRow]:
    """Read objects with keys; a column that no record has is told after the last one."""
    name = document.name
    readers: dict[str, Callable[[], Iterator[tuple[int, Any]]]] = {
        "json": lambda: read_json(document.body, name=name, encoding=form.encoding, records=form.records),
        "jsonl": lambda: read_jsonl(document.body, name=name, encoding=form.encoding),
        "parquet": lambda: read_parquet(document.body, name=name),
    }
    entries = readers[document.format]()
    first, broken = _peek(entries)
    objects = [entry for _, entry in first if isinstance(entry, dict)]
    unseen = set(form.wanted) - set(form.optional)
    if objects and not any(_at(entry, column)[0] for entry in objects for column in form.text):
        raise SourceProblem("missing_column", f"{name}: no record has {_told_keys(objects, form, unseen)}")
    count = 0
    for line, entry in chain(first, entries):
        row, found = _pick_values(line, entry, form.wanted)
        unseen -= found
        count += isinstance(row, Row)
        yield row
    if broken is not None:
        raise broken
    if count and unseen:
        told = f"{name}: no record has {', '.join(map(repr, sorted(unseen)))}; correct the name, or leave it out"
        raise SourceProblem("missing_column", told)


def _peek(entries: Iterator[tuple[int, Any]]) -> tuple[list[tuple[int, Any]], SourceProblem | None]:
    """Take the first records, and what breaks the file among them."""
    first: list[tuple[int, Any]] = []
    try:
        first.extend(islice(entries, _PEEKED))
    except SourceProblem as problem:
        return first, problem
    return first, None


def _told_keys(objects: list[dict[str, Any]], form: TableForm, wanted: set[str]) -> str:
    """Return what to tell of records without a text; their keys only if one of them is known: others may be names."""
    known = any(_at(entry, column)[0] for entry in objects for column in wanted)
    keys = dict.fromkeys(str(key) for entry in objects for key in entry)
    shown = f"; the records have {', '.join(map(repr, islice(keys, _COLUMNS_SHOWN)))}" if known else ""
    return f"{' or '.join(map(repr, form.text))}{shown}"


def _pick_values(line: int, entry: Any, wanted: Sequence[str]) -> tuple[Row | WrongRow, set[str]]:
    """Return the row of one record, and which columns it has."""
    if isinstance(entry, WrongRecord):
        return WrongRow(line, entry.what), set()
    if not isinstance(entry, dict):
        return WrongRow(line, f"{_kind(entry)} where an object is needed"), set()
    values = {column: _at(entry, column) for column in wanted}
    seen = {column for column, (found, _) in values.items() if found}
    for column, (_, value) in values.items():
        if isinstance(value, dict | list | tuple):
            return WrongRow(line, f"{_kind(value)} in {column!r} where a text is needed; name what is inside, as in a.b"), seen
    row = Row(line, {column: write_cell(value) for column, (_, value) in values.items()})
    return _check_lengths(row), seen


def _at(entry: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Return whether an object has something under a key or a dotted path (`author.name`, `media.0.text`), and what."""
    if path in entry:
        return True, entry[path]
    value: Any = entry
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and len(step) < 6 and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else "nothing" if value is None else "a single value"
