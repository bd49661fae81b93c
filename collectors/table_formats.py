"""What the formats of tables share nothing of: bytes to rows of cells, or to records (pure).

Facts from RFC 4180 (CSV, here with any one-character delimiter), RFC 8259 (JSON), jsonlines.org, and the documentation of
pyarrow.parquet; sheets are read by calamine, values only: no formula is evaluated.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from collectors.health import SourceProblem
from collectors.text import decode_bytes, open_text

MAX_FIELD_CHARACTERS = 2_000_000
MAX_LINE_CHARACTERS = 8_000_000
PARQUET_BATCH = 256

_SPACE = re.compile(r"[ \t\r\n]*")


class WrongRecord(NamedTuple):
    """Stands for a record that cannot be read; says why."""

    what: str


def _no_number(name: str) -> None:
    """Read NaN and Infinity, which JSON does not have, as nothing."""


# Whole numbers stay as they are written: an id may be longer than any number.
_DECODER = json.JSONDecoder(parse_int=str, parse_constant=_no_number)


def write_cell(cell: Any) -> str:
    """Write a cell as text: whole numbers without a point, dates in ISO form, true and false, "" for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return decode_bytes(cell, declared=None)[0] if isinstance(cell, bytes) else str(cell)


def read_csv(body: bytes, *, name: str, encoding: str | None, delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and its cells.

    Raises:
        SourceProblem: `malformed` where the quotes do not close or a cell is longer than any text.
    """
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    lines = _lines(body, name=name, encoding=encoding)
    first = next(lines, "")
    reader = csv.reader(_chain(first, lines), delimiter=delimiter or max(",;\t|", key=first.count), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise SourceProblem("malformed", f"{name}:{line}: {error}; from here on it was not read") from error


def _chain(first: str, lines: Iterable[str]) -> Iterator[str]:
    yield first
    yield from lines


def _lines(body: bytes, *, name: str, encoding: str | None) -> Iterator[str]:
    with open_text(body, declared=encoding) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_CHARACTERS):
            number += 1
            if len(line) == MAX_LINE_CHARACTERS:
                told = f"{name}:{number}: a line of more than {MAX_LINE_CHARACTERS} characters; from here on it was not read"
                raise SourceProblem("malformed", told)
            yield line


def read_workbook(body: bytes, *, name: str, sheet: str | None) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of one sheet, by default the first.

    Raises:
        SourceProblem: `malformed` if it is no workbook or has no such sheet.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        sheet_name = sheet or workbook.sheet_names[0]
        if sheet_name not in workbook.sheet_names:
            found = ", ".join(map(repr, workbook.sheet_names))
            raise SourceProblem("malformed", f"{name}: no sheet {sheet_name!r}; the file has {found}")
        rows: Iterable[list[Any]] = workbook.get_sheet_by_name(sheet_name).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, OSError) as error:
        raise SourceProblem("malformed", f"{name}: not a readable workbook ({error})") from error
    yield from enumerate(rows, start=1)


def read_jsonl(body: bytes, *, name: str, encoding: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the line and the content of each line that is not blank; one that is no JSON as a `WrongRecord`."""
    for number, line in enumerate(_lines(body, name=name, encoding=encoding), start=1):
        if line.strip():
            yield number, _parse_line(line)


def _parse_line(line: str) -> Any:
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        return WrongRecord(f"not readable as JSON ({error.msg.removesuffix(' at')} at column {error.colno})")
    except (ValueError, RecursionError):
        return WrongRecord("not readable as JSON (nested too deeply, or a number too long)")


def begins_with_object(body: bytes, *, alone: bool) -> bool:
    """Tell whether the first line of a file is a whole JSON object; if it is the only line, only with `alone`."""
    first, _, rest = body.strip().partition(b"\n")
    if not rest and not alone:
        return False
    return isinstance(_parse_line(decode_bytes(first, declared=None)[0]), dict)


def read_json(body: bytes, *, name: str, encoding: str | None, records: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the number and the content of each record of a list, at the top or under the dotted path `records`.

    Raises:
        SourceProblem: `malformed` if there is no such list, or where the file breaks off; the records before it were yielded.
    """
    text = decode_bytes(body, declared=encoding)[0]
    start = _skip(text, 0)
    if records is None and text[start : start + 1] == "[":
        yield from _walk_list(text, start, name)
        return
    if records is None:
        what = "an object" if text[start : start + 1] == "{" else "no list"
        raise SourceProblem(
            "malformed", f"{name}: holds {what}; needed: a list of objects, or its path, as in `records: data.items`"
        )
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise SourceProblem("malformed", f"{name}: not readable as JSON ({_told(error)})") from error
    yield from enumerate(_descend(found, records, name), start=1)


def _descend(found: Any, records: str, name: str) -> list[Any]:
    for step in records.split("."):
        if not isinstance(found, dict) or step not in found:
            raise SourceProblem("malformed", f"{name}: `records: {records}` leads nowhere: no key {step!r} there")
        found = found[step]
    if not isinstance(found, list):
        raise SourceProblem("malformed", f"{name}: `records: {records}` leads to no list; needed: the path of a list of objects")
    return found


def _walk_list(text: str, start: int, name: str) -> Iterator[tuple[int, Any]]:
    """Read a list record by record: no more than one stands in memory, and those before a break are not lost."""
    position = _skip(text, start + 1)
    number, mark = 0, ","
    if text[position : position + 1] == "]":
        mark, position = "]", position + 1
    while mark == ",":
        number += 1
        try:
            record, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            told = f"{name}: record {number}: not readable as JSON ({_told(error)}); from here on it was not read"
            raise SourceProblem("malformed", told) from error
        yield number, record
        position = _skip(text, position)
        mark = text[position : position + 1]
        position = _skip(text, position + 1)
    if mark != "]" or text[position:].strip():
        raise SourceProblem("malformed", f"{name}: after record {number}: the list does not end; from here on it was not read")


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _told(error: Exception) -> str:
    """Tell where JSON is wrong, without a word of it."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')}, line {error.lineno}, column {error.colno}"
    return "nested too deeply, or a number too long"


def read_parquet(body: bytes, *, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the number and the values of each row.

    Raises:
        SourceProblem: `malformed` if it is no Parquet file, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = pq.ParquetFile(io.BytesIO(body), thrift_string_size_limit=10_000_000, thrift_container_size_limit=1_000_000)
        doubled = sorted({column for column in content.schema_arrow.names if content.schema_arrow.names.count(column) > 1})
        if doubled:
            raise SourceProblem("malformed", f"{name}: column {', '.join(map(repr, doubled))} stands there more than once")
        batches = content.iter_batches(PARQUET_BATCH, use_threads=False)
        yield from enumerate((row for batch in batches for row in _to_microseconds(batch, pa).to_pylist()), start=1)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise SourceProblem("malformed", f"{name}: not a readable Parquet file ({type(error).__name__})") from error


def _to_microseconds(batch: Any, pa: Any) -> Any:
    """Cut the nanoseconds of a batch's instants, which Python has no type for."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            cut = batch.column(place).cast(pa.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, cut)
    return batch
