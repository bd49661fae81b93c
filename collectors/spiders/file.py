"""CSV and XLSX files, fetched over HTTP or read from the project folder, with a mapping of their columns.

CSV after RFC 4180 with any one-character delimiter; XLSX read by calamine (values only: no formula is evaluated).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field
from python_calamine import CalamineError, CalamineWorkbook
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import Closed, PlatformOptions
from collectors.dates import join_date_time
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider, parse_count, row_id
from collectors.text import decode_bytes, html_to_text

MAX_FIELD_CHARACTERS = 2_000_000
MAX_LOCAL_BYTES = 200_000_000


class FileColumns(Closed):
    """Which column holds what, by its heading exactly as the file writes it."""

    text: tuple[str, ...] = Field(min_length=1, description="Columns of the message; joined with a blank line.")
    id: str | None = Field(None, description="Identifier of the row; without it, the row is known by its content.")
    parent: str | None = None
    author: str | None = None
    title: str | None = Field(None, description="Subject; kept as context, not classified.")
    date: str | None = None
    time: str | None = Field(None, description="Clock time or duration since midnight, added to the date.")
    link: str | None = None
    reactions: str | None = None


class FileOptions(PlatformOptions):
    """How the file is written."""

    model_config = ConfigDict(str_strip_whitespace=False)  # a tab is a delimiter

    columns: FileColumns
    encoding: str | None = Field(None, description="As declared by whoever made it; UTF-8 is tried first.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="CSV only; by default the one of the heading.")
    sheet: str | None = Field(None, description="XLSX only; by default the first.")
    date_order: Literal["day_first", "month_first", "year_first"] = "day_first"
    html: bool = Field(False, description="True: the text columns hold HTML.")


class Row(NamedTuple):
    """One row of a table: its 1-based line in the file and its cells by heading."""

    line: int
    cells: dict[str, Any]


class FileSpider(PlatformSpider):
    """Reads one remote file, or every file of the project that a pattern matches."""

    Options: ClassVar[type[PlatformOptions]] = FileOptions

    async def start(self) -> AsyncIterator[Request | Manifestation]:
        """Ask for the remote file, or read the local ones at once."""
        if self.source.host:
            yield self.request(self.source.url, self.parse)
            return
        paths = sorted(path for path in self.project.glob(self.source.url) if path.is_file())
        if not paths:
            self.note("missing_file", f"no file of the project matches {self.source.url!r}")
        for path in paths:
            for item in self._read_local(path):
                yield item

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Manifestation]:
        """Yield one manifestation for each row."""
        if self.readable(response):
            yield from self._parse_body(response.body, name=urlsplit(response.url).path.rsplit("/", 1)[-1])

    def _read_local(self, path: Path) -> Iterator[Manifestation]:
        if not path.resolve().is_relative_to(self.project.resolve()):
            self.note("missing_file", f"{path.name} leads out of the project folder")
        elif path.stat().st_size > MAX_LOCAL_BYTES:
            self.note("malformed", f"{path.name} is larger than {MAX_LOCAL_BYTES} bytes")
        else:
            self.started_well = True
            yield from self._parse_body(path.read_bytes(), name=path.name)

    def _parse_body(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        options: Any = self.source.options
        try:
            rows = parse_table(body, options, name=name)
        except SourceProblem as problem:
            self.started_well = False
            self.note(problem.reason, problem.detail)
            return
        seen: Counter[str] = Counter()
        self._check_ids(rows, options.columns, name)
        for row in rows:
            yield from self._row(row, options, seen)

    def _check_ids(self, rows: list[Row], columns: FileColumns, name: str) -> None:
        """Tell of the first id that two messages share: the warehouse takes them for two versions of one."""
        first: dict[str, Row] = {}
        for row in rows:
            native_id = _optional(row, columns.id)
            before = first.setdefault(native_id, row) if native_id is not None else row
            if _signature(before, columns) != _signature(row, columns):
                lines = f"{name}:{before.line} and {name}:{row.line}"
                told = f"{lines}: rows of different authors or dates with one id in column {columns.id!r}"
                self.note("malformed", f"{told}; check that the column names each row")
                return

    def _row(self, row: Row, options: FileOptions, seen: Counter[str]) -> Iterator[Manifestation]:
        columns = options.columns
        parts = [_written(row.cells[name]) for name in columns.text]
        text = "\n\n".join(html_to_text(part) if options.html else part for part in parts if part.strip())
        raw = _date_cell(row, columns)
        native_id = _optional(row, columns.id)
        if native_id is None:
            native_id = row_id(seen, raw=raw, text=text)
        yield from self.manifestation(
            native_id=native_id,
            parent_id=_optional(row, columns.parent),
            url=_optional(row, columns.link),
            author=_optional(row, columns.author),
            title=_optional(row, columns.title),
            text=text,
            published_at=self.published(raw, order=options.date_order),
            published_raw=raw,
            reactions=parse_count(_optional(row, columns.reactions)),
        )


def parse_table(body: bytes, options: FileOptions, *, name: str) -> list[Row]:
    """Parse a CSV or XLSX file into rows (pure).

    Args:
        body: the file; a zip signature makes it XLSX, anything else is read as CSV.
        options: encoding, delimiter, sheet and columns.
        name: the file's name, for the messages.

    Raises:
        SourceProblem: `malformed` if it is no table, `missing_column` if a mapped column is not in the heading.
    """
    if body[:2] != b"PK" and (options.sheet is not None or name.lower().endswith((".xlsx", ".xlsm"))):
        raise SourceProblem("malformed", f"{name}: not a readable workbook (no XLSX file)")
    table = _parse_xlsx(body, options, name) if body[:2] == b"PK" else _parse_csv(body, options, name)
    heading = next(table, None)
    if heading is None:
        raise SourceProblem("malformed", f"{name}: the file has no heading")
    names = [_written(cell).strip() for cell in heading[1]]
    _check_columns(names, options.columns, name)
    rows = []
    for line, cells in table:
        if not any(_written(cell).strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise SourceProblem("malformed", f"{name}:{line}: {len(cells)} cells where the heading has {len(names)}")
        rows.append(Row(line, dict(zip(names, cells, strict=True))))
    return rows


def _check_columns(names: list[str], columns: FileColumns, name: str) -> None:
    optional = (columns.id, columns.parent, columns.author, columns.title, columns.date, columns.time, columns.link)
    wanted = [*columns.text, *(column for column in (*optional, columns.reactions) if column is not None)]
    missing = [column for column in wanted if column not in names]
    if missing:
        # A first line with none of the columns may be no heading at all but a citizen's row, and is not repeated.
        known = len(missing) < len(wanted)
        found = ", ".join(map(repr, names)) if known else f"a first line of {len(names)} cells with none of the columns"
        raise SourceProblem("missing_column", f"{name}:1: no column {', '.join(map(repr, missing))}; the file has {found}")
    doubled = sorted({column for column in wanted if names.count(column) > 1})
    if doubled:
        raise SourceProblem("malformed", f"{name}:1: column {', '.join(map(repr, doubled))} stands there more than once")


def _parse_csv(body: bytes, options: FileOptions, name: str) -> Iterator[tuple[int, list[Any]]]:
    text, _ = decode_bytes(body, declared=options.encoding)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    first_line = text.partition("\n")[0]
    delimiter = options.delimiter or max(",;\t|", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise SourceProblem("malformed", f"{name}:{line}: {error}") from error


def _parse_xlsx(body: bytes, options: FileOptions, name: str) -> Iterator[tuple[int, list[Any]]]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        sheet_name = options.sheet or workbook.sheet_names[0]
        if sheet_name not in workbook.sheet_names:
            found = ", ".join(map(repr, workbook.sheet_names))
            raise SourceProblem("malformed", f"{name}: no sheet {sheet_name!r}; the file has {found}")
        rows: Iterable[list[Any]] = workbook.get_sheet_by_name(sheet_name).to_python()
    except (CalamineError, IndexError, OSError) as error:
        raise SourceProblem("malformed", f"{name}: not a readable workbook ({error})") from error
    yield from enumerate(rows, start=1)


def _written(cell: Any) -> str:
    """Write a cell as text: whole numbers without a point, dates in ISO form."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def _optional(row: Row, column: str | None) -> str | None:
    return (_written(row.cells[column]).strip() or None) if column else None


def _signature(row: Row, columns: FileColumns) -> list[str | None]:
    """Return what an edit leaves alone: author and date, or the words themselves where the file has neither."""
    kept = [column for column in (columns.author, columns.date, columns.time) if column is not None]
    return [_optional(row, column) for column in kept or columns.text]


def _date_cell(row: Row, columns: FileColumns) -> str | None:
    """Return the date as written, with the separate clock time where there is one."""
    raw = _optional(row, columns.date)
    clock = row.cells[columns.time] if columns.time else None
    if raw is None or clock is None:
        return raw
    return join_date_time(raw, str(clock) if isinstance(clock, timedelta) else _written(clock).strip() or None)
