"""The step that compares the window with the one before: staged messages to arrays, channel by channel, and back to rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.reports.change import compare_windows
from pipelines.reports.pairs import Corrected, Measure, Pair
from pipelines.staging import Build, stage
from pipelines.warehouse import Warehouse

CHANGE_COLUMNS = {
    "channel": "varchar",
    "measure": "varchar",
    "key": "varchar",
    **dict.fromkeys(("previous_count", "previous_base"), "bigint"),
    "previous_value": "double",
    **dict.fromkeys(("current_count", "current_base"), "bigint"),
    "current_value": "double",
    **dict.fromkeys(("total_change", "within_change", "mix_change", "lost_change", "gained_change"), "double"),
    **dict.fromkeys(("within_low", "within_high", "p_value", "p_adjusted"), "double"),
    "direction": "varchar",
    **dict.fromkeys(("within_lowest", "within_highest"), "double"),
    "moving_source_id": "varchar",
    "corrected": "boolean",
}

DECIMALS = 12
"""Sums of floating-point numbers differ in their last bits with the order of authors, which a city's secret decides."""


def load_comparison(build: Build) -> None:
    """Load nothing: the window and the one before are staged already."""


def compute_comparison(build: Build) -> None:
    """Stage `source_comparison`, `change` and `influence`; `change` has rows for channels with messages in both windows alone."""
    warehouse = build.warehouse
    stage(warehouse, "source_comparison", {})
    stage(warehouse, "influence", {})
    rows: list[dict[str, Any]] = []
    ((standing,),) = warehouse.query("select standing from comparison_input")
    if standing == "compared":
        stage(warehouse, "compared_item", build.window)
        stage(warehouse, "corrected_pair", build.window)
        for (channel,) in warehouse.query("select channel from city_channel order by channel"):
            pair = load_pair(build, channel)
            if pair is not None:
                rows += [{"channel": channel, **_rounded(row)} for row in compare_windows(pair)]
    warehouse.temporary("change", [{name: row[name] for name in CHANGE_COLUMNS} for row in rows], CHANGE_COLUMNS)


def load_pair(build: Build, channel: str) -> Pair | None:
    """Load the staged messages of a channel in both windows; None if a window has none, or no source can be compared."""
    warehouse = build.warehouse
    sources = warehouse.query("select source_id, standing from source_comparison order by position")
    comparable = np.array([standing == "compared" for _, standing in sources])
    sql = "select * exclude (channel) from compared_item where channel = $channel order by all"
    fetched = warehouse.connection.execute(sql, {"channel": channel}).fetchnumpy()
    item = {name: np.asarray(column, dtype=np.int64) for name, column in fetched.items()}
    side, source = item["side"], item["source"] - 1
    if set(side.tolist()) != {0, 1} or not comparable[source].any():
        return None
    days = [window.days() for window in (build.period.previous(), build.period)]
    return Pair(
        window=side,
        source=source,
        author=item["author"],
        day=item["day"],
        category=item["category"] - 1,
        sentiment=item["sentiment"] - 1,
        sources=[source_id for source_id, _ in sources],
        comparable=comparable,
        categories=_labels(warehouse, "category_id", "category_label"),
        sentiments=_labels(warehouse, "sentiment", "sentiment_label"),
        day_counts=(len(days[0]), len(days[1])),
        weekdays=(np.array([day.weekday() for day in days[0]]), np.array([day.weekday() for day in days[1]])),
        corrected=_load_corrected(warehouse, channel),
    )


def _load_corrected(warehouse: Warehouse, channel: str) -> dict[tuple[Measure, str], tuple[Corrected, Corrected]]:
    rows = warehouse.query("select * exclude (channel) from corrected_pair where channel = $channel", {"channel": channel})
    return {(measure, key): (Corrected(*shares[:3]), Corrected(*shares[3:])) for measure, key, *shares in rows}


def _labels(warehouse: Warehouse, column: str, table: str) -> list[str]:
    return [label for (label,) in warehouse.query(f"select {column} from {table} order by position")]  # noqa: S608  our own names


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in row.items()}
