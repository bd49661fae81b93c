"""What the columns of a table mean: as a city's file says it, or as a known vendor writes it (`layouts.yml`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, RootModel

from collectors.catalog import Closed
from collectors.tables import Format, TableForm
from collectors.yaml_errors import load_yaml, validate_document

LAYOUTS_FILE = Path(__file__).with_name("layouts.yml")

ColumnField = Literal["id", "parent", "author", "title", "date", "time", "link", "reactions"]


class FileColumns(Closed):
    """Which column holds what, by its heading exactly as the file writes it; in JSON and Parquet also by a path, as in a.b."""

    text: tuple[str, ...] = Field(min_length=1, description="Columns of the message; joined with a blank line.")
    id: str | None = Field(None, description="Identifier of the row; without it, the row is known by its content.")
    parent: str | None = None
    author: str | None = None
    title: str | None = Field(None, description="Subject; kept as context, not classified.")
    date: str | None = None
    time: str | None = Field(None, description="Clock time or duration since midnight, added to the date.")
    link: str | None = None
    reactions: str | None = None

    def named(self, field: ColumnField) -> str | None:
        """Return the column of a field; None if none is mapped."""
        column: str | None = getattr(self, field)
        return column


class TableOptions(Closed):
    """How a table is written."""

    model_config = ConfigDict(str_strip_whitespace=False)  # a tab is a delimiter

    format: Format | None = Field(None, description="What the file is; by default what its content and its name say.")
    encoding: str | None = Field(None, description="As declared by whoever made it; UTF-8 is tried first.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="CSV only; by default the one of the heading.")
    sheet: str | None = Field(None, description="XLSX and ODS only; by default the first.")
    records: str | None = Field(
        None, min_length=1, description="JSON only: dotted path to the list of records, as in data.items."
    )
    member: str | None = Field(None, min_length=1, description="Name of the file inside an archive of several; * allowed.")
    date_order: Literal["day_first", "month_first", "year_first"] = "day_first"
    epoch: bool = Field(False, description="True: dates are numbers of seconds or milliseconds since 1970.")
    utc: bool = Field(False, description="True: dates without an offset are UTC, not the city's time.")
    html: bool = Field(False, description="True: the text columns hold HTML.")
    drop: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Rows that are left out: column -> values, as in {estado: [rechazado, oculto]}."
    )
    unsigned: tuple[str, ...] = Field((), description="What stands in the column of the author where there is none.")


class FileLayout(TableOptions):
    """A mapping with all that goes with it."""

    description: str = ""
    columns: FileColumns
    optional: tuple[ColumnField, ...] = Field((), description="Fields whose column may be absent.")

    def form(self) -> TableForm:
        """Return what the reader of tables needs to know."""
        fields: tuple[ColumnField, ...] = ("id", "parent", "author", "title", "date", "time", "link", "reactions")
        mapped = {field: column for field in fields if (column := self.columns.named(field)) is not None}
        return TableForm(
            text=self.columns.text,
            needed=(*(column for field, column in mapped.items() if field not in self.optional), *self.drop),
            optional=tuple(column for field, column in mapped.items() if field in self.optional),
            format=self.format,
            encoding=self.encoding,
            delimiter=self.delimiter,
            sheet=self.sheet,
            records=self.records,
            member=self.member,
        )


class _Layouts(RootModel[dict[str, FileLayout]]):
    """The whole file: name -> layout."""


@cache
def load_layouts() -> Mapping[str, FileLayout]:
    """Load the layouts that are known by name.

    Raises:
        ConfigurationError: naming every problem of the file.
    """
    return validate_document(_Layouts, load_yaml(LAYOUTS_FILE), LAYOUTS_FILE).root
