"""The data dictionary: what every column that leaves the warehouse holds, from the schema's own comments and the wording.

`python -m pipelines.reports.dictionary` writes it for the documentation, DICTIONARY.md beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.reports.formats import Wording, load_wording
from pipelines.reports.masking import load_masks, mask_of, report_tables, table_columns
from pipelines.warehouse import SCHEMA, Warehouse, memory_warehouse

REPORTS = Path(__file__).parent

PAGE = REPORTS / "DICTIONARY.md"
"""The dictionary of the documentation."""

_TABLE = re.compile(r"^create table (\w+) \((?:\s*--\s*(.*))?$")
_COLUMN = re.compile(r"^    (\w+)\s+\S.*?,?(?:\s+--\s*(.*))?$")
_ADDED = re.compile(r"^alter table (\w+) add column (\w+) [^;]*;(?:\s*--\s*(.*))?$")


@dataclass(frozen=True)
class Column:
    """One column as the dictionary tells it."""

    table: str
    name: str
    kind: str
    """SQL type."""

    label: str
    unit: str
    """A key of the wording's `exports.units`."""

    meaning: str


@cache
def schema_comments() -> Mapping[tuple[str, str], str]:
    """Return (table, column) -> the comment beside it in the migrations; ("table", "") -> the one beside the table's name."""
    comments: dict[tuple[str, str], str] = {}
    for file in sorted(SCHEMA.glob("[0-9]*.sql")):
        table = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if found := _TABLE.match(line):
                table = found.group(1)
                comments[table, ""] = found.group(2) or ""
            elif found := _ADDED.match(line):
                comments[found.group(1), found.group(2)] = found.group(3) or ""
            elif line.startswith(");"):
                table = ""
            elif table and (found := _COLUMN.match(line)):
                comments[table, found.group(1)] = found.group(2) or ""
    return comments


def describe(warehouse: Warehouse, table: str, say: Wording) -> list[Column]:
    """Return the columns of a report table in their order, each in the language of the wording."""
    return [
        Column(table, name, kind, _word(say, table, name, "label"), unit_of(name, kind), _word(say, table, name, "meaning"))
        for name, kind in table_columns(warehouse, table)
    ]


def _word(say: Wording, table: str, column: str, what: str) -> str:
    """Return what the wording says of a column: for this table, for every table, or what the schema says beside it."""
    for key in (f"dictionary.{table}.{column}.{what}", f"dictionary.columns.{column}.{what}"):
        if say.has(key):
            return say.text(key)
    return column if what == "label" else schema_comments().get((table, column)) or column


def table_word(say: Wording, table: str, what: str) -> str:
    """Return the `label` or the `meaning` of a table."""
    key = f"dictionary.tables.{table}.{what}"
    if say.has(key):
        return say.text(key)
    return table if what == "label" else schema_comments().get((table, "")) or table


def unit_of(name: str, kind: str) -> str:
    """Return the unit of a column: a key of `exports.units`."""
    if kind in ("DATE", "BOOLEAN") or kind.startswith("TIMESTAMP"):
        return {"DATE": "day", "BOOLEAN": "flag"}.get(kind, "instant")
    if kind == "DOUBLE":
        return "share" if name.endswith(("_share", "_low", "_high")) else "number"
    if name.endswith("_days"):
        return "days"
    if name.endswith("_count") or name in ("expected_low", "expected_high"):
        return "count"
    return "number" if kind in ("BIGINT", "INTEGER") else "text"


def told_tables_in_order(warehouse: Warehouse) -> Iterator[str]:
    """Yield the report tables that are told, in the order of masks.yml."""
    existing = set(report_tables(warehouse))
    for table in existing:
        mask_of(table)
    yield from (table for table, mask in load_masks().items() if table in existing and not mask.withheld)


def render_dictionary(folder: Path = REPORTS) -> str:
    """Return the dictionary of the documentation: Markdown, in English with the Spanish headings."""
    english, spanish = (load_wording(folder / "wording" / language) for language in ("en", "es"))
    lines = [
        "# Data dictionary",
        "",
        "The report tables: in the published copy (`read_report(name)`), the open data and the workbook. Written by",
        "`python -m pipelines.reports.dictionary` from the comments in `pipelines/schema/` and the wording; a test keeps it in",
        "step. Where a figure is withheld (`masks.yml`), it is null.",
    ]
    comments = schema_comments()
    with memory_warehouse() as warehouse:
        for table in told_tables_in_order(warehouse):
            lines += ["", f"## {table}", "", table_word(english, table, "meaning")]
            lines += ["", "| column | type | unit | Spanish heading | meaning |", "|---|---|---|---|---|"]
            labels = {column.name: column.label for column in describe(warehouse, table, spanish)}
            for column in describe(warehouse, table, english):
                meaning = comments.get((table, column.name)) or column.meaning
                unit = english.text(f"exports.units.{column.unit}")
                cells = [f"`{column.name}`", column.kind.lower(), unit, labels[column.name], meaning]
                lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render_dictionary(), encoding="utf-8")
