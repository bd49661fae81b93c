"""Tables in files, fetched over HTTP or read from the project folder, with a mapping of their columns.

CSV, XLSX, ODS, JSON, JSON Lines and Parquet, as they are or packed in a gzip or ZIP file. The exports in `layouts.yml` need no
mapping: their layout is known by name. A row that cannot be read is told and left out; the others count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from collectors.bounded import read_bounded
from collectors.catalog import PlatformOptions, Reads
from collectors.dates import join_date_time, parse_epoch, parse_published
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.layouts import ColumnField, FileColumns, FileLayout, TableOptions, load_layouts
from collectors.spiders.base import parse_count, row_id
from collectors.spiders.document import DocumentSpider
from collectors.tables import BOUNDED, Row, WrongRow, read_rows, recognise
from collectors.text import html_to_text

_OWN = ("format", "encoding", "delimiter", "sheet", "records", "member")
_DECIDED = ("date_order", "epoch", "utc", "html", "drop", "unsigned")
_NUMBERS_SHOWN = 20
_UTC = ZoneInfo("UTC")


def _known_layout(name: str) -> str:
    if name not in load_layouts():
        raise ValueError(f"unknown layout; available: {', '.join(sorted(load_layouts()))}")
    return name


def _list_layouts(schema: dict[str, Any]) -> None:
    """Let editors complete the names."""
    schema["enum"] = [*sorted(load_layouts()), None]


class FileOptions(TableOptions, PlatformOptions):
    """What the columns hold and how the file is written."""

    model_config = ConfigDict(
        str_strip_whitespace=False, json_schema_extra={"anyOf": [{"required": ["columns"]}, {"required": ["layout"]}]}
    )

    reads: ClassVar[Reads] = "both"

    columns: FileColumns | None = None
    layout: Annotated[str, AfterValidator(_known_layout)] | None = Field(
        None,
        description="Export that is known by name, in the place of `columns`.",
        json_schema_extra=_list_layouts,
    )

    @model_validator(mode="after")
    def _one_mapping(self) -> Self:
        if (self.columns is None) == (self.layout is None):
            raise ValueError(f"give either `columns` or `layout` (available: {', '.join(sorted(load_layouts()))})")
        own = [
            name
            for name in _DECIDED
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True)
        ]
        if self.layout is not None and own:
            raise ValueError(f"layout {self.layout!r} decides {', '.join(own)} itself; leave it out, or map `columns`")
        return self

    @property
    def reading(self) -> FileLayout:
        """The whole mapping: the city's own, or that of the layout with what the city says of the file itself."""
        if self.layout is None:
            return FileLayout.model_validate(self.model_dump(exclude={"layout"}))
        own = {name: getattr(self, name) for name in _OWN if getattr(self, name) is not None}
        return load_layouts()[self.layout].model_copy(update=own)


class FileSpider(DocumentSpider):
    """Reads one remote table, or every table of the project that a pattern matches."""

    Options: ClassVar[type[PlatformOptions]] = FileOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start with no row seen."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.reading: FileLayout = options.reading
        self._places: dict[str, tuple[str, int]] = {}
        self._doubled = False

    def parse_document(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        """Yield one manifestation for each row."""
        form = self.reading.form()
        document = recognise(body, form, name=name)
        rows = (read_bounded if document.format in BOUNDED else read_rows)(document, form)
        seen: Counter[str] = Counter()
        wrong: list[WrongRow] = []
        read_count = wrong_count = 0
        try:
            for row in rows:
                if isinstance(row, WrongRow):
                    wrong_count += 1
                    wrong += [row] if len(wrong) < _NUMBERS_SHOWN else []
                    continue
                read_count += 1
                self._check_id(row, document.name)
                yield from self._row(row, seen)
        finally:
            if wrong:
                self.note("malformed", _tell_wrong(document.name, wrong, wrong_count, read_count + wrong_count))
        if wrong and not read_count:
            raise SourceProblem("malformed", f"{document.name}: none of its rows could be read")

    def _check_id(self, row: Row, name: str) -> None:
        """Tell of the first id that two messages share: the warehouse takes them for two versions of one."""
        columns = self.reading.columns
        native_id = _optional(row, columns.id)
        if native_id is None or self._doubled:
            return
        signature = hash(_signature(row, columns))
        place, before = self._places.setdefault(native_id, (f"{name}:{row.line}", signature))
        if before != signature:
            self._doubled = True
            told = f"{place} and {name}:{row.line}: rows of different authors or dates with one id in column {columns.id!r}"
            self.note("malformed", f"{told}; check that the column names each row")

    def _row(self, row: Row, seen: Counter[str]) -> Iterator[Manifestation]:
        reading, columns = self.reading, self.reading.columns
        if any(row.cells[column].strip() in values for column, values in reading.drop.items()):
            return
        parts = [row.cells[name] for name in columns.text]
        text = "\n\n".join(html_to_text(part) if reading.html else part for part in parts if part.strip())
        raw = _date_cell(row, columns)
        native_id = _optional(row, columns.id)
        if native_id is None:
            native_id = row_id(seen, raw=raw, text=text)
        parent = _optional(row, columns.parent)
        author = _optional(row, columns.author)
        yield from self.manifestation(
            native_id=native_id,
            parent_id=None if parent == native_id else parent,
            url=_optional(row, columns.link),
            author=None if author in reading.unsigned else author,
            title=_optional(row, columns.title),
            text=text,
            published_at=self._published_cell(raw),
            published_raw=raw,
            reactions=parse_count(_optional(row, columns.reactions)),
        )

    def _published_cell(self, raw: str | None) -> datetime | None:
        if raw is None or not self.reading.epoch:
            if raw is not None and self.reading.utc:
                return parse_published(raw, zone=_UTC, order=self.reading.date_order)
            return self.published(raw, order=self.reading.date_order)
        return parse_epoch(raw)


def parse_table(body: bytes, options: FileOptions, *, name: str) -> Iterator[Row | WrongRow]:
    """Yield the rows of a table (pure).

    Args:
        body: the file.
        options: the mapping of its columns, and how it is written.
        name: the file's name, for the messages.

    Raises:
        SourceProblem: `malformed` if it is no table, or ends in the midst of one; `missing_column` if a column is not there.
    """
    form = options.reading.form()
    yield from read_rows(recognise(body, form, name=name), form)


def _tell_wrong(name: str, wrong: list[WrongRow], wrong_count: int, count: int) -> str:
    numbers = ", ".join(str(row.line) for row in wrong) + (", …" if wrong_count > len(wrong) else "")
    return f"{name}:{wrong[0].line}: {wrong[0].what}; {wrong_count} of {count} rows were not read: {numbers}"


def _optional(row: Row, column: str | None) -> str | None:
    return (row.cells[column].strip() or None) if column else None


def _signature(row: Row, columns: FileColumns) -> tuple[str | None, ...]:
    """Return what an edit leaves alone: author and date, or the words themselves where the file has neither."""
    fields: tuple[ColumnField, ...] = ("author", "date", "time")
    kept = [column for field in fields if (column := columns.named(field)) is not None]
    return tuple(_optional(row, column) for column in kept or columns.text)


def _date_cell(row: Row, columns: FileColumns) -> str | None:
    """Return the date as written, with the separate clock time where there is one."""
    raw = _optional(row, columns.date)
    clock = _optional(row, columns.time)
    return raw if raw is None or clock is None else join_date_time(raw, clock)
