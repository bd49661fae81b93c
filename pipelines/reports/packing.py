"""Packing: rows and files as CSV, Parquet, JSON and ZIP; harmless in a spreadsheet, and the same bytes each time."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.reports.formats import clean

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would take for a formula (OWASP ASVS 5.0, 1.2.10), with their full-width forms."""

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows as CSV: UTF-8, commas, a line feed after each, absent values empty, no text cell that begins as a formula."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([csv_cell(row[name]) for name in names] for row in rows)
    return file.getvalue().encode()


def csv_cell(value: Any) -> str:
    """Write a value: dates and instants by ISO 8601 (UTC), flags as true and false; a text that begins as a formula after a '."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps([clean(part) for part in value], ensure_ascii=False)
    if not isinstance(value, str):
        return repr(value) if isinstance(value, float) else str(value)
    text = clean(value)
    # Spreadsheets drop leading spaces before they look.
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) or value.startswith(_FORMULA) else text


def write_parquet(rows: pa.Table) -> bytes:
    """Write a table as Parquet, its texts without control characters."""
    cleaned = {
        field.name: pa.array([None if value is None else clean(value) for value in rows[field.name].to_pylist()], pa.string())
        if pa.types.is_string(field.type)
        else rows[field.name]
        for field in rows.schema
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(cleaned).combine_chunks().replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()


def write_json(document: Mapping[str, Any]) -> bytes:
    """Write a document as JSON: UTF-8, indented, in the order of its keys."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def write_zip(folder: str, files: Mapping[str, bytes]) -> bytes:
    """Write files into one ZIP, below a folder: by name, with one fixed date and the rights of a plain file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _ZIP_DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, content)
    return target.getvalue()
