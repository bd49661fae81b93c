"""Masking: the one gate between the report tables and whatever leaves the warehouse. What may not be told is null beyond it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from pipelines.reports.formats import MIN_BASE

if TYPE_CHECKING:
    from pipelines.warehouse import Warehouse

MASKS = Path(__file__).with_name("masks.yml")

LEAST_PERSONS: Mapping[str, int] = {"internal": 5, "open": 11}
"""Level -> fewest distinct persons behind a figure that is told. What the first hides, the second hides too."""

_BASES = {
    "channel": (
        "left join {database}.main.report as base on base.report_id = t.report_id and base.channel = t.channel",
        f"coalesce(base.manifestation_count, 0) < {MIN_BASE}",
    ),
    "category": (
        "left join {database}.main.report_category as base on base.report_id = t.report_id and base.channel = t.channel"
        " and base.category_id = t.category_id"
        " left join {database}.main.report_cell as base_cell on base_cell.report_id = t.report_id"
        " and base_cell.channel = t.channel and base_cell.cell_table = 'category' and base_cell.cell_key = t.category_id",
        f"coalesce(base.manifestation_count, 0) < {MIN_BASE} or coalesce(base_cell.suppressed_{{level}}, true)",
    ),
}
"""What shares are of -> how it is joined, and where such a share is not told."""


class MaskError(ValueError):
    """masks.yml does not say what of a table may be told."""


@dataclass(frozen=True)
class MaskedCell:
    """Columns of a table that tell of one cell."""

    table: str
    key: str
    counts: Sequence[str]
    shares: Sequence[str] = ()
    base: str = ""
    when: str = "true"


@dataclass(frozen=True)
class Mask:
    """What of a table is told; see the head of masks.yml."""

    order: Sequence[str]
    told: str = ""
    withheld: str = ""
    cells: Sequence[MaskedCell] = ()
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    blank: Sequence[str] = ()
    blank_when: str = ""
    where: str = ""
    public: bool = True

    def select(self, table: str, columns: Collection[str] | None, level: str, database: str) -> str:
        """Return the query of what is told of a table at a level, in the order in which its rows stand.

        The columns of a hidden cell are null; so is a share whose base is small or hidden.

        Args:
            table: its name.
            columns: those that it has; others that the mask names are left aside. None: all that the mask names.
            level: a key of LEAST_PERSONS.
            database: where the table is, quoted.
        """
        if self.told:
            return f"select * from {database}.main.{table}"  # noqa: S608  our own words
        facts: dict[str, object] = {"least": LEAST_PERSONS[level], "base": MIN_BASE}
        facts["untold"] = self.blank_when.format(**facts)
        untold: dict[str, list[str]] = defaultdict(list)
        for column in self.blank:
            untold[column].append(f"({facts['untold']})")
        joins = [_beside(alias, **other, level=level, database=database) for alias, other in self.beside.items()]
        for number, cell in enumerate(self.cells, start=1):
            hidden = f"(({cell.when}) and coalesce(cell_{number}.hidden, true))"
            joins.append(
                f"left join (select *, suppressed_{level} as hidden from {database}.main.report_cell) as cell_{number}"  # noqa: S608
                f" on cell_{number}.report_id = t.report_id and cell_{number}.channel = t.channel"
                f" and cell_{number}.cell_table = {cell.table} and cell_{number}.cell_key = {cell.key}"
            )
            for column in (*cell.counts, *cell.shares):
                untold[column].append(hidden)
            if cell.base:
                join, small = _BASES[cell.base]
                joins.append(join.format(database=database))
                for column in cell.shares:
                    untold[column].append(small.format(level=level))
        told = {column: sql.format(**facts) for column, sql in self.replace.items()}
        told |= {column: f"if({' or '.join(when)}, null, {told.get(column, f't.{column}')})" for column, when in untold.items()}
        replaced = ", ".join(f"{sql} as {column}" for column, sql in told.items() if columns is None or column in columns)
        chosen = f"t.* replace ({replaced})" if replaced else "t.*"
        row_told = self.where.format(**facts) or "true"
        rows = f"select {chosen}, {row_told} as row_told from {database}.main.{table} as t {' '.join(joins)}"  # noqa: S608
        return f"select * exclude (row_told) from ({rows}) where row_told order by report_id, {', '.join(self.order)}"  # noqa: S608

    def figures(self, column: str) -> str | None:
        """Return the count that decides whether a column is told: null if it is not; None for a column of no cell."""
        for cell in self.cells:
            if column in (*cell.counts, *cell.shares):
                return cell.counts[0]
        return column if column in self.replace and column.endswith("_count") else None


def _beside(alias: str, table: str, on: str, level: str, database: str) -> str:
    """Return the join with what is told of another table of the same report and channel."""
    told = mask_of(table).select(table, None, level, database)
    return f"left join ({told}) as {alias} on {alias}.report_id = t.report_id and {alias}.channel = t.channel and {on}"


@cache
def load_masks(path: Path = MASKS) -> Mapping[str, Mask]:
    """Load what of each report table may be told; table -> mask.

    Raises:
        TypeError: if an entry has an unknown key.
    """
    entries: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {
        table: Mask(**{**entry, "cells": tuple(MaskedCell(**cell) for cell in entry.get("cells", ()))})
        for table, entry in entries.items()
    }


def mask_of(table: str) -> Mask:
    """Return what of a report table is told.

    Raises:
        MaskError: if masks.yml does not name it.
    """
    masks = load_masks()
    if table not in masks:
        raise MaskError(f"masks.yml does not say what of {table} may be told: name its cells, or why all of it may be told")
    return masks[table]


def report_tables(warehouse: Warehouse) -> list[str]:
    """Return the report tables of a warehouse, by name."""
    sql = "select distinct table_name from duckdb_columns() where column_name = 'report_id'"
    names = warehouse.query(f"{sql} and database_name = current_database() order by 1")
    return [name for (name,) in names if name.startswith("report")]


def told_tables(warehouse: Warehouse, level: str) -> dict[str, str]:
    """Return report table -> query of what is told of it, without those that are withheld.

    Raises:
        MaskError: if masks.yml does not name one.
    """
    ((database,),) = warehouse.query("select current_database()")
    selects = {}
    for table in report_tables(warehouse):
        mask = mask_of(table)
        columns = {column for column, _ in table_columns(warehouse, table)}
        if not mask.withheld:
            selects[table] = mask.select(table, columns, level, f'"{database}"')
    return selects


def table_columns(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    """Return the columns of a report table and their types, in their order."""
    sql = "select column_name, data_type from duckdb_columns() where table_name = $table and not internal"
    order = "and database_name = current_database() order by column_index"
    return [(name, kind) for name, kind in warehouse.query(f"{sql} {order}", {"table": table})]


@contextmanager
def masked(warehouse: Warehouse, level: str) -> Iterator[None]:
    """Put views of the same names before the report tables for as long: unqualified names mean what may be told.

    One level may stand inside another; afterwards the outer one holds again.

    Args:
        warehouse: whose connection.
        level: a key of LEAST_PERSONS.

    Raises:
        MaskError: if masks.yml does not name a table.
    """
    views = "select view_name, sql from duckdb_views() where temporary and not internal and starts_with(view_name, 'report')"
    outer = warehouse.query(f"{views} order by 1")
    told = told_tables(warehouse, level)
    for table, query in told.items():
        warehouse.query(f"create or replace temp view {table} as {query}")
    # What is withheld has no rows behind the gate, rather than its own.
    for table in sorted(set(report_tables(warehouse)) - told.keys()):
        warehouse.query(f"create or replace temp view {table} as select null as report_id where false")
    try:
        yield
    finally:
        for (table,) in warehouse.query(f"select view_name from ({views}) order by 1"):  # noqa: S608  our own words
            warehouse.query(f"drop view temp.main.{table}")
        for _, definition in outer:
            warehouse.query(definition)
