"""Classify: a file of messages in, the same rows with labels and scores out."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from collectors.text import clean_text
from models.annotator import ANNOTATORS, Annotator, Reading
from models.settings import SCORE_DIGITS, ModelsConfig, TaskSettings
from models.taxonomy import Taxonomy
from pipelines.message_files import MessageFile, MessageFileError

UNCLASSIFIED = "unclassified"
"""The label that is written where a reading's score is below its threshold."""

FORMATS = (".csv", ".parquet")

"""Digits to which a reading does not depend on the machine's batch."""

_ROW_GROUP = 50_000
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


class ChosenTask(NamedTuple):
    """A task and who reads it."""

    task: str
    annotator: Annotator
    settings: TaskSettings | None
    """Its thresholds; None where every reading is told."""

    def label(self, reading: Reading) -> str:
        """Return the label, or `UNCLASSIFIED` if its score is below its threshold."""
        told = self.settings is None or self.settings.tells(reading.label, reading.score)
        return reading.label if told else UNCLASSIFIED


class _Writer(Protocol):
    def write(self, table: pa.Table) -> None: ...
    def finish(self) -> None: ...


def choose_tasks(
    config: ModelsConfig, taxonomy: Taxonomy, *, tasks: Sequence[str] = (), annotator: str | None = None
) -> list[ChosenTask]:
    """Choose who reads what, each annotator loaded once.

    Thresholds belong to an annotator: they hold where `models.yml`, or one of its profiles, names this one for the task;
    elsewhere there is none.

    Args:
        config: what `models.yml` says.
        taxonomy: the categories to read.
        tasks: the tasks; by default all of `models.yml`, or all that `annotator` reads.
        annotator: one that reads all of them, instead of those that `models.yml` names.

    Raises:
        MessageFileError: if there is no such annotator, or a task is not read; the message lists those that are.
    """
    config.check_thresholds(taxonomy)
    registered = (*ANNOTATORS, *config.annotators)
    if annotator is not None and annotator not in registered:
        raise MessageFileError(f"--annotator {annotator}: there is none; available: {', '.join(dict.fromkeys(registered))}")
    if annotator is not None:
        one = config.load(annotator, taxonomy)
        readers = {task: one for task in one.tasks}
    else:
        named = [task for task in config.tasks if not tasks or task in tasks]
        loaded = {config.tasks[task].annotator: None for task in named}
        by_name = {name: config.load(name, taxonomy) for name in loaded}
        readers = {task: by_name[config.tasks[task].annotator] for task in named}
    known = list(readers) if annotator is not None else list(config.tasks)
    unknown = [task for task in tasks if task not in known]
    if unknown:
        raise MessageFileError(f"--task {', '.join(unknown)}: not read here; available: {', '.join(known)}")
    chosen = [task for task in readers if not tasks or task in tasks]
    return [ChosenTask(task, readers[task], config.settings_of(task, readers[task].name)) for task in chosen]


def classify(
    source: MessageFile,
    out: Path,
    chosen: Sequence[ChosenTask],
    *,
    text_column: str,
    prefix: str = "",
    probabilities: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Read every message and write the file's own columns and, for each task, its label and its score in [0, 1].

    Memory holds a batch at a time. The file is written whole or not at all. In CSV, text that a spreadsheet would take for a
    formula gets an apostrophe in front; Parquet keeps it, and the types of a Parquet source.

    Args:
        source: the messages.
        out: ends in `.csv` or `.parquet`; replaced if it exists.
        chosen: who reads what.
        text_column: the column of the message; it is read as the pipeline stores it, cleaned, and written as it was.
        prefix: what the names of the added columns begin with.
        probabilities: add a column for each label of each task.
        progress: called with the number of messages read so far, after each batch.

    Returns:
        The number of messages.

    Raises:
        MessageFileError: if the ending is another, the text column holds no text, or an added column is there already.
    """
    added = _added_schema(chosen, prefix, probabilities=probabilities)
    _check_target(source, out, added, text_column)
    done = 0
    with _draft_of(out) as draft, _open_writer(draft, out.suffix.lower(), pa.schema([*source.schema, *added])) as writer:
        for batch in source.read():
            table = batch.table
            texts = [clean_text(text or "") for text in table[text_column].cast(pa.string()).to_pylist()]
            columns = _read_columns(chosen, texts, prefix, probabilities=probabilities)
            for field in added:
                table = table.append_column(field, pa.array(columns[field.name], field.type))
            writer.write(table)
            done += len(texts)
            progress(done)
    return done


def check_out(out: Path) -> None:
    """Refuse a file to write that has another ending, or whose folder does not exist.

    Raises:
        MessageFileError: saying what is allowed.
    """
    if out.suffix.lower() not in FORMATS:
        raise MessageFileError(
            f"--out {out}: cannot write {out.suffix or 'a file without ending'!r}; allowed: {', '.join(FORMATS)}"
        )
    if not out.parent.is_dir():
        raise MessageFileError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out.is_dir():
        raise MessageFileError(f"--out {out}: that is a folder; name a file")


def _check_target(source: MessageFile, out: Path, added: pa.Schema, text_column: str) -> None:
    check_out(out)
    kind = source.schema.field(text_column).type
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_null(values)):
        raise MessageFileError(f"{source.name}: column {text_column!r} holds {kind}, not text; name another with --text COLUMN")
    clash = [name for name in added.names if name in source.schema.names]
    if clash:
        listed = ", ".join(map(repr, clash))
        raise MessageFileError(f"{source.name}: column {listed} is there already; name the new ones apart with --prefix TEXT")


def _added_schema(chosen: Sequence[ChosenTask], prefix: str, *, probabilities: bool) -> pa.Schema:
    fields: list[tuple[str, pa.DataType]] = []
    for task, annotator, *_ in chosen:
        fields += [(f"{prefix}{task}", pa.string()), (f"{prefix}{task}_score", pa.float64())]
        if probabilities:
            fields += [(f"{prefix}{task}_p_{label}", pa.float64()) for label in annotator.tasks[task]]
    return pa.schema(fields)


def _read_columns(
    chosen: Sequence[ChosenTask], texts: Sequence[str], prefix: str, *, probabilities: bool
) -> dict[str, list[Any]]:
    predictions = {id(one.annotator): one.annotator.predict(texts) for one in {id(c.annotator): c for c in chosen}.values()}
    columns: dict[str, list[Any]] = {}
    labels: dict[str, list[str]] = {}
    for one in chosen:
        readings = [prediction[one.task] for prediction in predictions[id(one.annotator)]]
        labels[one.task] = [one.label(reading) for reading in readings]
        columns[f"{prefix}{one.task}"] = labels[one.task]
        columns[f"{prefix}{one.task}_score"] = [round(reading.score, SCORE_DIGITS) for reading in readings]
        if probabilities:
            for label in one.annotator.tasks[one.task]:
                values = [round(reading.probabilities[label], SCORE_DIGITS) for reading in readings]
                columns[f"{prefix}{one.task}_p_{label}"] = values
    if {"category", "issue"} <= set(labels):
        # An issue is one of its category: where that is not told, it is not told either.
        pairs = zip(labels["category"], labels["issue"], strict=True)
        columns[f"{prefix}issue"] = [UNCLASSIFIED if category == UNCLASSIFIED else issue for category, issue in pairs]
    return columns


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Hand out a path to write; it takes the place of `path` once all is written, and is gone if anything fails."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _open_writer(draft: Path, suffix: str, schema: pa.Schema) -> Iterator[_Writer]:
    writer: _Writer = _ParquetFile(draft, schema) if suffix == ".parquet" else _CsvFile(draft, schema)
    try:
        yield writer
    finally:
        writer.finish()


class _ParquetFile:
    """Gathers batches into row groups: small ones are slow to read."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._pending: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self._pending.append(table)
        if sum(part.num_rows for part in self._pending) >= _ROW_GROUP:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.concat_tables(self._pending))
        self._pending = []


class _CsvFile:
    """UTF-8, comma, CRLF (RFC 4180)."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow([make_harmless(name) for name in schema.names])

    def write(self, table: pa.Table) -> None:
        columns = [column.to_pylist() for column in table.columns]
        self._rows.writerows([_csv_cell(cell) for cell in row] for row in zip(*columns, strict=True))

    def finish(self) -> None:
        self._file.close()


def make_harmless(text: str) -> str:
    """Return a text for a CSV cell; one that a spreadsheet would run as a formula gets an apostrophe in front.

    A number is no formula: coordinates and telephones stay as they are.
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str):
        return make_harmless(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return make_harmless(value.decode("utf-8", "replace"))
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
