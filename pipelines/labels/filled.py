"""Reading what people filled in: a labeller's workbook, or a CSV of labels from elsewhere, cell by cell with its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from pipelines.labels.samples import LabelError
from pipelines.labels.workbook import ANSWERS, COLUMNS, FORMAT, LISTS
from pipelines.reports.formats import Wording

CSV_COLUMNS = ("manifestation_id", "labeller", "category", "sentiment")
"""What a CSV of labels needs; a column `issue` may stand beside them."""

_DELIMITERS = ",;\t"
"""What may part the cells of a CSV; spreadsheets set to Spanish write `;`."""


@dataclass(frozen=True)
class Answer:
    """One row as somebody filled it in; an empty cell is ""."""

    place: str
    """File, sheet and row."""

    columns: Mapping[str, str]
    """Column key -> how the file names it."""

    labeller: str
    manifestation_id: str
    category: str
    issue: str
    sentiment: str
    text: str = ""
    """The message as it stands there; "" in a CSV."""

    def at(self, key: str) -> str:
        """Return the place of a cell of the row, for an error."""
        return f"{self.place}, column {self.columns[key]}"

    @property
    def empty(self) -> bool:
        """True: nobody has labelled the row yet."""
        return not (self.category or self.issue or self.sentiment)


class Filled(NamedTuple):
    """A labeller's workbook."""

    name: str
    city: str
    sample_id: str
    labeller: str
    answers: tuple[Answer, ...]


def read_workbook(path: Path, say: Wording) -> Filled:
    """Read a workbook that `label export` wrote and somebody filled in.

    Raises:
        LabelError: if it cannot be read, or is another workbook, or a column is missing.
    """
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror}") from error
    except CalamineError as error:
        raise LabelError(f"{path.name}: not a readable workbook ({error}); save it as XLSX") from error
    about = {_text(row[0]): _text(row[1]) for row in sheets.get(LISTS, [])[:4] if len(row) > 1}
    if about.get("format") != FORMAT or not {"city", "sample", "labeller"} <= about.keys():
        raise LabelError(f"{path.name}: not a workbook of `escucha label export`: its hidden sheet {LISTS!r} tells no sample")
    sheet = str(say("workbook.sheet.messages"))
    if sheet not in sheets:
        raise LabelError(f"{path.name}: the sheet {sheet!r} is missing; it has {', '.join(sheets)}")
    columns = _find_columns(path.name, sheet, sheets[sheet][0] if sheets[sheet] else [], say)
    named = {key: f"{_letter(place)} ({say(f'workbook.heading.{key}')})" for key, place in columns.items()}
    answers = tuple(
        _answer(
            f"{path.name}, sheet {sheet}, row {number}", named, about["labeller"], {k: _text(row[c]) for k, c in columns.items()}
        )
        for number, row in enumerate(sheets[sheet][1:], start=2)
        if any(_text(row[place]) for place in columns.values())
    )
    return Filled(path.name, about["city"], about["sample"], about["labeller"], answers)


def read_csv(path: Path) -> list[Answer]:
    """Read a CSV of labels: `manifestation_id,labeller,category,sentiment`, and perhaps `issue`; parted by `,`, `;` or tabs.

    Raises:
        LabelError: if it cannot be read as UTF-8, a column is missing, or a row has another number of cells.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True))
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path.name}: not readable as CSV in UTF-8: {error}") from error
    heading = [cell.strip() for cell in lines[0]] if lines else []
    missing = [name for name in CSV_COLUMNS if name not in heading]
    if missing:
        raise LabelError(
            f"{path.name}:1: column {', '.join(missing)} is missing; needed: {', '.join(CSV_COLUMNS)}, parted by , or ; or tabs"
        )
    uneven = [number for number, row in enumerate(lines[1:], start=2) if row and len(row) != len(heading)]
    if uneven:
        raise LabelError(
            "\n".join(f"{path.name}:{number}: {len(lines[number - 1])} cells; needed: {len(heading)}" for number in uneven)
        )
    named = {key: key for key in ("labeller", *ANSWERS)} | {"code": "manifestation_id"}
    answers = []
    for number, row in enumerate(lines[1:], start=2):
        cells = {name: cell.strip() for name, cell in zip(heading, row, strict=True)} if row else {}
        if cells:
            cells["code"] = cells["manifestation_id"]
            answers.append(_answer(f"{path.name}:{number}", named, cells["labeller"], cells))
    return answers


def _find_delimiter(text: str) -> str:
    """Return what parts the cells of a CSV, by its heading; a comma where the heading tells nothing."""
    heading = text.partition("\n")[0]
    return max(_DELIMITERS, key=lambda sign: len({cell.strip(' "\r') for cell in heading.split(sign)} & set(CSV_COLUMNS)))


def _answer(place: str, columns: Mapping[str, str], labeller: str, cells: Mapping[str, str]) -> Answer:
    given = {key: cells.get(key, "") for key in ANSWERS}
    return Answer(
        place, columns, labeller, cells["code"], given["category"], given["issue"], given["sentiment"], cells.get("text", "")
    )


def _find_columns(name: str, sheet: str, heading: Sequence[Any], say: Wording) -> dict[str, int]:
    """Return column -> its place in the sheet, by the headings."""
    written = [_text(cell) for cell in heading]
    wanted: dict[str, str] = {key: str(say(f"workbook.heading.{key}")) for key in COLUMNS if key in ("text", *ANSWERS, "code")}
    missing = [label for label in wanted.values() if label not in written]
    if missing:
        raise LabelError(
            f"{name}, sheet {sheet}, row 1: no column {', '.join(map(repr, missing))}; its headings may not be changed"
        )
    return {key: written.index(label) for key, label in wanted.items()}


def _text(cell: Any) -> str:
    """Return a cell as text without spaces around it; a whole number without its point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell).strip() if cell is not None else ""


def _letter(column: int) -> str:
    return chr(ord("A") + column)
