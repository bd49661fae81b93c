"""Any file of messages as batches of rows: CSV, TSV, XLSX, ODS, JSON, JSONL, Parquet, or a message a line.

Everything but Parquet is read as text cells. CSV, TSV, JSONL, TXT and Parquet are read a batch at a time, twice: first to find
every mistake and to count the rows, then to use them.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from models.preprocessing import fold

Kind = Literal["csv", "tsv", "txt", "json", "jsonl", "parquet", "xlsx", "ods"]
KINDS: tuple[Kind, ...] = ("csv", "tsv", "txt", "json", "jsonl", "parquet", "xlsx", "ods")

BATCH_SIZE = 1_000

TEXT_COLUMNS = (
    *("text", "texto", "mensaje", "mensajes", "comentario", "comentarios", "contenido", "descripcion", "cuerpo", "opinion"),
    *("expresion", "message", "comment", "content", "body", "description"),
)
"""Headings that name the message, in any case and with or without accents."""

_SUFFIXES: dict[str, Kind] = {f".{kind}": kind for kind in KINDS} | {".tab": "tsv", ".ndjson": "jsonl", ".xlsm": "xlsx"}
_MAX_CELL_CHARACTERS = 2_000_000
_MISTAKES_SHOWN = 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = tuple[int, Sequence[Any]]
"""The row's number in the file, from 1, and its cells."""


class MessageFileError(ValueError):
    """A file of messages cannot be read or written as asked; the message holds one line for each mistake."""


class Batch(NamedTuple):
    """Some rows in the order of the file."""

    lines: list[int]
    """Where each row begins: its line in a text file, its row in a sheet or a Parquet file."""

    table: pa.Table


@dataclass(frozen=True)
class MessageFile:
    """A file that was found to be readable to its end."""

    name: str
    schema: pa.Schema
    row_count: int
    read: Callable[[], Iterator[Batch]]
    """Reads it from the start, `BATCH_SIZE` rows at a time."""

    def find_text_column(self, asked: str | None) -> str:
        """Return the column of the message: the one asked for, or the only one whose heading says so.

        Raises:
            MessageFileError: if there is none, or several; the message lists the columns.
        """
        names: list[str] = self.schema.names
        listed = ", ".join(map(repr, names))
        if asked is not None:
            if asked not in names:
                raise MessageFileError(f"{self.name}: no column {asked!r}; the file has {listed}")
            return asked
        found = names if len(names) == 1 else [name for name in names if fold(name) in TEXT_COLUMNS]
        if len(found) != 1:
            which = "several columns may be" if found else "no column is known to be"
            raise MessageFileError(f"{self.name}: {which} the message; name it with --text COLUMN: {listed}")
        return found[0]


@contextmanager
def open_messages(path: str, *, kind: Kind | None = None) -> Iterator[MessageFile]:
    """Open a file of messages and read it once to its end.

    Args:
        path: the file; "-" is standard input, which is kept in an unnamed temporary file meanwhile.
        kind: what it is; by default what its content or its name says.

    Raises:
        MessageFileError: with the file's mistakes by row; or if it cannot be opened, or it is unclear what it is.
    """
    if path == "-":
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            yield _inspect(copy, "standard input", kind)
    else:
        with _open(Path(path)) as file:
            yield _inspect(file, Path(path).name, kind)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise MessageFileError(f"{path}: {error.strerror}") from error


def _inspect(file: BinaryIO, name: str, kind: Kind | None) -> MessageFile:
    found = kind or _guess_kind(file, name)
    if found == "parquet":
        return _inspect_parquet(file, name)
    readers: dict[str, Callable[[BinaryIO, str], tuple[list[str], Callable[[], Iterable[Row]]]]] = {
        "csv": _read_csv,
        "tsv": _read_tsv,
        "txt": _read_lines,
        "json": _read_json,
        "jsonl": _read_jsonl,
        "xlsx": _read_workbook,
        "ods": _read_workbook,
    }
    columns, read_rows = readers[found](file, name)
    _check_columns(columns, name)
    schema = pa.schema([(column, pa.string()) for column in columns])
    return MessageFile(name, schema, _check_rows(read_rows(), columns, name), lambda: _batches(read_rows(), schema))


def _guess_kind(file: BinaryIO, name: str) -> Kind:
    file.seek(0)
    head = file.read(4096)
    suffix = _SUFFIXES.get(Path(name).suffix.lower())
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return suffix if suffix in ("xlsx", "ods") else "xlsx"
    if suffix in ("xlsx", "ods", "parquet"):
        raise MessageFileError(f"{name}: its content is no {suffix}; name what it is with --format: {', '.join(KINDS)}")
    if suffix:
        return suffix
    if head.lstrip()[:1] in (b"{", b"["):
        return "jsonl" if head.lstrip()[:1] == b"{" else "json"
    first = head.decode("utf-8", "replace").lstrip("\ufeff").splitlines()[:1]
    if any(fold(cell.strip('"')) in TEXT_COLUMNS for line in first for cell in line.split(_delimiter(line))):
        return "csv"
    raise MessageFileError(f"{name}: it is unclear what this is; name it with --format: {', '.join(KINDS)}")


def _check_columns(columns: Sequence[str], name: str) -> None:
    if not columns:
        raise MessageFileError(f"{name}: the file is empty; needed: a heading, or objects with keys")
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        raise MessageFileError(f"{name}:1: column {', '.join(map(repr, doubled))} stands there more than once")


def _check_rows(rows: Iterable[Row], columns: Sequence[str], name: str) -> int:
    """Count the rows; refuse the file if some have another number of cells than the heading."""
    count, wrong = 0, []
    for line, cells in rows:
        count += 1
        if len(cells) != len(columns):
            wrong.append(f"{name}:{line}: {len(cells)} cells where the heading has {len(columns)}")
    if wrong:
        rest = [f"... and {len(wrong) - _MISTAKES_SHOWN} more rows"] if len(wrong) > _MISTAKES_SHOWN else []
        raise MessageFileError("\n".join([*wrong[:_MISTAKES_SHOWN], *rest]))
    return count


def _batches(rows: Iterable[Row], schema: pa.Schema) -> Iterator[Batch]:
    pending = iter(rows)
    while part := list(islice(pending, BATCH_SIZE)):
        cells = zip(*(cells for _, cells in part), strict=True)
        columns = [pa.array([_write_cell(cell) for cell in column], pa.string()) for column in cells]
        yield Batch([line for line, _ in part], pa.table(columns, schema=schema))


def _write_cell(cell: Any) -> str | None:
    """Write a cell as text: whole numbers without a point, dates in ISO form, structures as JSON; NaN is None."""
    if cell is None or isinstance(cell, str):
        return _whole(cell) if cell else cell
    if isinstance(cell, float):
        return None if math.isnan(cell) else str(int(cell)) if cell.is_integer() else str(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return json.dumps(cell, ensure_ascii=False) if isinstance(cell, bool | list | dict) else str(cell)


def _whole(text: str) -> str:
    """Return a text that can be written as UTF-8: half a surrogate pair, as JSON may hold, becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@contextmanager
def _open_text(file: BinaryIO, *, newline: str | None = "") -> Iterator[io.TextIOWrapper]:
    """Hand out the file as text from its start; the file itself stays open."""
    encoding = _find_encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=newline)
    try:
        yield text
    finally:
        text.detach()


def _find_encoding(file: BinaryIO) -> str:
    """Return what the byte order mark says, else UTF-8 if all of the file is, else windows-1252."""
    file.seek(0)
    head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _read_csv(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    with _open_text(file) as text:
        delimiter = _delimiter(text.readline())
    return _read_delimited(file, name, delimiter, quoted=True)


def _read_tsv(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    """Read cells between tabs: as they stand if that fits every line (the format knows no quotes), else with quotes, as CSV."""
    with _open_text(file) as text:
        counts = {line.count("\t") for line in text if line.strip("\r\n")}
    return _read_delimited(file, name, "\t", quoted=len(counts) > 1)


def _delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)


def _read_delimited(file: BinaryIO, name: str, delimiter: str, *, quoted: bool) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    csv.field_size_limit(_MAX_CELL_CHARACTERS)

    def read_all() -> Iterator[Row]:
        line = 1
        with _open_text(file) as text:
            try:
                if quoted:
                    reader = csv.reader(text, delimiter=delimiter, strict=True)
                else:
                    reader = csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
                for cells in reader:
                    if cells:
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                raise MessageFileError(f"{name}:{line}: {error}") from error

    heading = next(read_all(), (1, []))[1]
    return _name_columns(heading), lambda: islice(read_all(), 1, None)


def _read_lines(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    def read_all() -> Iterator[Row]:
        with _open_text(file, newline=None) as lines:
            for line, text in enumerate(lines, start=1):
                yield line, [text.removesuffix("\n")]

    return ["text"], read_all


def _read_workbook(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    """Read the first sheet (values only: no formula is evaluated); empty rows are passed over."""
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        cells = workbook.get_sheet_by_name(workbook.sheet_names[0]).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, OSError) as error:
        raise MessageFileError(f"{name}: not a readable workbook ({error})") from error
    rows = [(line, row) for line, row in enumerate(cells, start=1) if any(cell not in ("", None) for cell in row)]
    return _name_columns(rows[0][1] if rows else []), lambda: rows[1:]


def _name_columns(heading: Sequence[Any]) -> list[str]:
    return [(_write_cell(cell) or "").strip() or f"column {position}" for position, cell in enumerate(heading, start=1)]


def _read_json(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    with _open_text(file) as text:
        content = _parse_json(text.read(), name)
    if not isinstance(content, list):
        raise MessageFileError(f"{name}: the file holds {type(content).__name__}; needed: a list of objects or of texts")
    return _read_objects(lambda: iter(enumerate(content, start=1)), name)


def _read_jsonl(file: BinaryIO, name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    def read_all() -> Iterator[tuple[int, Any]]:
        with _open_text(file, newline="\n") as lines:
            for line, text in enumerate(lines, start=1):
                if text.strip():
                    yield line, _parse_json(text, f"{name}:{line}")

    return _read_objects(read_all, name)


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageFileError(f"{where}: not readable as JSON: {error}") from error


def _read_objects(read_all: Callable[[], Iterator[tuple[int, Any]]], name: str) -> tuple[list[str], Callable[[], Iterable[Row]]]:
    """Read objects as rows, keys in the order in which they first occur; a text alone is an object with the key `text`."""

    def objects() -> Iterator[tuple[int, dict[str, Any]]]:
        for line, entry in read_all():
            if not isinstance(entry, dict | str):
                raise MessageFileError(f"{name}:{line}: holds {type(entry).__name__}; needed: an object or a text")
            yield line, {_whole(key): value for key, value in entry.items()} if isinstance(entry, dict) else {"text": entry}

    columns = list(dict.fromkeys(key for _, entry in objects() for key in entry))
    return columns, lambda: ((line, [entry.get(column) for column in columns]) for line, entry in objects())


def _whole_parts(content: pq.ParquetFile, name: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from content.iter_batches(BATCH_SIZE)
    except (pa.ArrowException, OSError) as error:
        raise MessageFileError(f"{name}: damaged Parquet file ({error})") from error


def _inspect_parquet(file: BinaryIO, name: str) -> MessageFile:
    try:
        content = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise MessageFileError(f"{name}: not a readable Parquet file ({error})") from error
    schema = content.schema_arrow.remove_metadata()
    _check_columns(schema.names, name)

    def read() -> Iterator[Batch]:
        start = 1
        for part in _whole_parts(content, name):
            yield Batch(list(range(start, start + part.num_rows)), pa.Table.from_batches([part]).replace_schema_metadata(None))
            start += part.num_rows

    for _ in _whole_parts(content, name):
        """A damaged page shows only when it is read: better before the first row is written than after a thousand."""
    return MessageFile(name, schema, content.metadata.num_rows, read)
