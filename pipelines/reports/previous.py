"""The window before: its items and sources, staged by the same rules and as seen at the same instant as the report's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipelines.digests import value_digest
from pipelines.reports.disclosure import COUNT_COLUMNS
from pipelines.staging import Build, stage, stage_items, stage_watch
from pipelines.warehouse import Warehouse

OWN = ("window_item", "text_copy", "report_item", "window_day", "covered_day", "source_state", "source_verdict")
"""Temporary tables of the report's window that staging another window would overwrite."""

COMPARISON_COLUMNS = {
    "previous_start": "timestamptz",
    "previous_end": "timestamptz",
    "period_kind": "varchar",
    "standing": "varchar",
    "unread_count": "bigint",
}


def load_previous(build: Build) -> dict[str, Any]:
    """Lay out `previous_item`, `previous_source_state`, `previous_cell_count` and `comparison_input`; return what decides them.

    `previous_item` has the columns of `report_item`; it is empty unless `standing` is `compared`: it is `not_collected` if no
    source was asked for the window before, and `not_read` if the present annotators have not read all of it.
    `previous_source_state` has a row per source: source_id, channel, status, reason, verdict. `previous_cell_count` is what
    `cell_count` was in the report of that window.
    """
    before = build.period.previous()
    warehouse, window = build.warehouse, build.window_of(before)
    unread, items = 0, ""
    with put_aside(warehouse, OWN):
        warehouse.temporary("window_day", [{"day": day} for day in before.days()], {"day": "date"})
        for name in ("covered_day", "source_state"):
            stage(warehouse, name, window)
        stage_watch(warehouse, build.city, before, build.seen_until)
        stage(warehouse, "previous_source_state", window)
        asked = warehouse.query("select count(*) from source_state where status <> 'not_collected'")[0][0]
        standing = "compared" if asked else "not_collected"
        if asked:
            stage_items(warehouse, window, build.places)
            ((unread,),) = warehouse.query_file("messages_without_reading")
            ((items,),) = warehouse.query_file("data_digest")
            standing = "not_read" if unread else standing
            warehouse.query("create or replace temp table previous_item as from report_item")
            stage(warehouse, "cell_count", window)
            warehouse.query("create or replace temp table previous_cell_count as from cell_count")
    if standing != "compared":
        warehouse.query("create or replace temp table previous_item as from report_item limit 0")
        warehouse.temporary("previous_cell_count", [], COUNT_COLUMNS)
    kind = build.period.kind or "window"
    row: dict[str, Any] = {"previous_start": before.start_utc, "previous_end": before.end_utc, "period_kind": kind}
    row |= {"standing": standing, "unread_count": unread}
    warehouse.temporary("comparison_input", [row], COMPARISON_COLUMNS)
    states = warehouse.query("select * from previous_source_state order by source_id")
    told = [before.start_utc.isoformat(), before.end_utc.isoformat(), standing, unread, items if standing == "compared" else ""]
    return {"window": told, "states": value_digest([list(state) for state in states])}


def keep_previous(build: Build) -> None:
    """Compute nothing more: what was loaded is what the tables read."""


@contextmanager
def put_aside(warehouse: Warehouse, tables: Sequence[str]) -> Iterator[None]:
    """Keep temporary tables under another name for as long, and bring them back, whatever took their names meanwhile."""
    for table in tables:
        warehouse.query(f"drop table if exists temp.{table}_aside")
        warehouse.query(f"alter table temp.{table} rename to {table}_aside")
    try:
        yield
    finally:
        for table in tables:
            warehouse.query(f"drop table if exists temp.{table}")
            warehouse.query(f"alter table temp.{table}_aside rename to {table}")
