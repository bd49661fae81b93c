"""Minutes of workshops and forums on the project's own template: what each row says, and what the tables agreed (pure).

The template is `minutes.yml`. Roles are no persons, and so nobody is the author of a row; the column is there for those who
write and read the minutes.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from collectors.catalog import Closed
from collectors.health import SourceProblem
from collectors.office import Block, Cell, Table
from collectors.text import normalise_for_comparison
from collectors.yaml_errors import load_yaml, validate_document

TEMPLATE_FILE = Path(__file__).with_name("minutes.yml")

Line = Literal["date", "place", "consent"]
Column = Literal["table", "role", "theme", "text", "agreement"]

_HEADING_ROWS = 3
_LONGEST_LABEL = 60


class TemplateLine(Closed):
    """A line above the tables: `Fecha: …`."""

    label: str
    blank: str = Field(description="What stands there before somebody fills it in.")


class TemplateColumn(Closed):
    """A column of the tables."""

    label: str
    also: tuple[str, ...] = Field((), description="Other headings by which it is known.")


class MinutesTemplate(Closed):
    """What the template says."""

    title: str
    notes: tuple[str, ...]
    notice: str = Field(description="What is read to the participants.")
    lines: Mapping[Line, TemplateLine]
    consent_begins: str = Field(description="The word that the line of consent must begin with.")
    columns: Mapping[Column, TemplateColumn]
    example: Mapping[Column, str] = Field(description="A row that does not count while its text is unchanged.")
    blank_rows: int


class Entry(NamedTuple):
    """A row of the minutes, or what was agreed on it."""

    native_id: str
    parent_id: str | None
    official: bool
    """True for an agreement."""

    theme: str | None
    text: str


class Minutes(NamedTuple):
    """What one document holds."""

    lines: Mapping[Line, str]
    """What was filled in; a line of which the document has two different ones is left out, and told."""

    entries: list[Entry]
    told: list[str]
    """What could not be read, by table and row; never its words."""


@cache
def load_template() -> MinutesTemplate:
    """Load the template.

    Raises:
        ConfigurationError: naming every problem of the file.
    """
    return validate_document(MinutesTemplate, load_yaml(TEMPLATE_FILE), TEMPLATE_FILE)


def parse_minutes(blocks: list[Block], *, name: str) -> Minutes:
    """Return what a document says.

    Args:
        blocks: its paragraphs and tables.
        name: the file's name; without its suffix it is part of each id.

    Raises:
        SourceProblem: `malformed` if rows were filled in and the participants' consent was not.
    """
    template = load_template()
    reader = _Reader(template, _slug(name.rpartition(".")[0] or name))
    number = 0
    for block in blocks:
        number += isinstance(block, list)
        if isinstance(block, str):
            for line in block.split("\n"):
                reader.read_line(line)
        else:
            reader.read_table(block, number)
    if reader.entries and not _begins(reader.lines.get("consent", ""), template.consent_begins):
        label = template.lines["consent"].label
        told = f"`{label}:` must begin with {template.consent_begins!r} and say how it was asked; nothing was read"
        raise SourceProblem("malformed", f"{name}: {told}")
    return Minutes(reader.lines, reader.entries, reader.told)


def _begins(value: str, word: str) -> bool:
    return re.match(rf"{re.escape(_fold(word))}\b", _fold(value)) is not None


def _fold(text: str) -> str:
    return normalise_for_comparison(text).strip(" :.")


def _slug(text: str) -> str:
    """Return a text as a part of an id: the same whatever the case, the accents and the system that saved the file."""
    return re.sub(r"[^\w]+", "-", _fold(unicodedata.normalize("NFC", text))).strip("-")


class _Reader:
    """Reads one document from its beginning to its end."""

    def __init__(self, template: MinutesTemplate, stem: str) -> None:
        self.entries: list[Entry] = []
        self.told: list[str] = []
        self.lines: dict[Line, str] = {}
        self._stem = stem
        self._labels = {_fold(line.label): key for key, line in template.lines.items()}
        self._headings = {_fold(label): key for key, column in template.columns.items() for label in (column.label, *column.also)}
        self._example = {key: _fold(value) for key, value in template.example.items()}
        self._template = template
        self._doubtful: set[Line] = set()
        self._ordinals: Counter[str] = Counter()
        self._agreements: Counter[str] = Counter()

    def read_line(self, line: str) -> None:
        """Keep what a line says if it is one of the template's."""
        label, colon, value = line.partition(":")
        if colon and len(label) <= _LONGEST_LABEL:
            self._keep_line(label, value.strip())

    def _keep_line(self, label: str, value: str) -> bool:
        key = self._labels.get(_fold(label))
        if key is None:
            return False
        if value and not value.startswith("[") and key not in self._doubtful:
            before = self.lines.setdefault(key, value)
            if _fold(before) != _fold(value):
                self._doubtful.add(key)
                del self.lines[key]
                self.told.append(f"two different lines `{self._template.lines[key].label}:`; write one document for each session")
        return True

    def read_table(self, table: Table, number: int) -> None:
        """Read the rows of a table with the template's headings; keep the lines of one that is laid out as a form."""
        for top, row in enumerate(table[:_HEADING_ROWS]):
            places = self._find_columns(row)
            if "text" in places and len(places) > 1:
                self._read_rows(table, number, top, places)
                return
        known = [self._keep_line(row[0].text[:_LONGEST_LABEL], row[1].text) for row in table if len(row) > 1]
        if not any(known) and any(cell.text for row in table for cell in row):
            labels = ", ".join(column.label for column in self._template.columns.values())
            self.told.append(f"table {number} has none of the headings {labels}: it was not read")

    def _find_columns(self, row: list[Cell]) -> dict[Column, int]:
        places: dict[Column, int] = {}
        for place, cell in enumerate(row):
            key = self._headings.get(_fold(cell.text))
            if key is not None:
                places.setdefault(key, place)
        return places

    def _read_rows(self, table: Table, number: int, top: int, places: dict[Column, int]) -> None:
        above: dict[Column, str] = {}
        last: str | None = None
        for line, row in enumerate(table[top + 1 :], start=top + 2):
            found = {key: row[place] if place < len(row) else Cell("") for key, place in places.items()}
            if _fold(found["text"].text) == self._example["text"]:
                continue
            what = _what_is_wrong(row, found["text"], max(places.values()) + 1)
            if what is not None:
                self.told.append(f"table {number}, row {line}: {what}")
                continue
            for key in ("table", "theme"):
                # A table's number is written once, and the rows below it leave the cell empty or merge it.
                if key in found and (found[key].text or (key == "theme" and not found[key].part_of)):
                    above[key] = found[key].text
            last = self._read_row(found, above, last)
            if _says_nothing(found):
                self.told.append(f"table {number}, row {line}: no text")

    def _read_row(self, found: dict[Column, Cell], above: dict[Column, str], last: str | None) -> str | None:
        """Keep one row; return the id of the row that an agreement below it belongs to."""
        text, agreement = found["text"].text, found.get("agreement", Cell("")).text
        theme = above.get("theme") or None
        if text:
            table = _slug(above.get("table", "")) or "0"
            self._ordinals[table] += 1
            last = f"{self._stem}:{table}:{self._ordinals[table]}"
            self.entries.append(Entry(last, None, False, theme, text))
        elif found["text"].part_of != "above":
            last = None
        if agreement and _fold(agreement) != self._example["agreement"]:
            about = last or f"{self._stem}:{_slug(above.get('table', '')) or '0'}"
            self._agreements[about] += 1
            self.entries.append(Entry(f"{about}:acuerdo:{self._agreements[about]}", last, True, theme, agreement))
        return last


def _what_is_wrong(row: list[Cell], text: Cell, width: int) -> str | None:
    """Return why a row with words cannot be read; None if it can, or says nothing."""
    if not any(cell.text for cell in row):
        return None
    if len(row) < width:
        return f"{len(row)} cells where the heading has {width}"
    return "one cell is merged over the column of the text" if text.part_of == "left" else None


def _says_nothing(found: Mapping[Column, Cell]) -> bool:
    """Tell whether somebody began a row and left its text empty: perhaps the words stand in another column."""
    begun = any(found[key].text for key in ("role", "theme") if key in found)
    said = found["text"].text or found["text"].part_of or ("agreement" in found and found["agreement"].text)
    return begun and not said


def tell_some(told: list[str], *, most: int) -> str:
    """Return what could not be read in one sentence; beyond `most`, only how much more there is."""
    return "; ".join([*told[:most], *([f"and {len(told) - most} more"] if len(told) > most else [])])
