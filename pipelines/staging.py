"""Staging: what the tables of a report are made from, laid out as temporary tables of the connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from pipelines.copies import stage_copies
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import Warehouse, used_parameters
from pipelines.watching import WATCH_COLUMNS, watch_columns, watch_sources

REPORTS = Path(__file__).with_name("reports")


@dataclass(frozen=True)
class Build:
    """What the tables of one report are built from."""

    warehouse: Warehouse
    project: Project
    city: City
    period: Period
    readers: Readers
    seen_until: datetime
    """What was first seen after it is left out."""

    places: frozenset[str] = field(default=frozenset(), kw_only=True)
    """The words of the names of the city's places: a text about another place is no copy."""

    whole: bool = field(default=True, kw_only=True)
    """False: a report on some of the sources alone, which no recommendation rests on."""

    @property
    def window(self) -> dict[str, Any]:
        """What every SQL file may name: $city, $start, $end, $seen_until, $timezone."""
        return self.window_of(self.period)

    def window_of(self, period: Period) -> dict[str, Any]:
        """Return the same for another window of the city, as seen at the same instant."""
        window = {"city": self.city.id, "start": period.start_utc, "end": period.end_utc, "seen_until": self.seen_until}
        return {**window, "timezone": self.city.timezone}


def stage_dimensions(warehouse: Warehouse, city: City, period: Period, readers: Readers) -> None:
    """Lay out as temporary tables what the SQL files join with and what no warehouse table holds."""
    taxonomy = readers.taxonomy
    sources = [
        {
            "source_id": source.id,
            "channel": source.channel,
            "position": position,
            "publisher": source.publisher.name,
            "publisher_kind": source.publisher.kind,
            "official": source.publisher.official,
            "platform": source.platform,
            "enabled": source.enabled,
        }
        for position, source in enumerate(city.sources, start=1)
    ]
    text, number, flag = "varchar", "integer", "boolean"
    warehouse.temporary(
        "city_source",
        sources,
        {"source_id": text, "channel": text, "position": number, "publisher": text, "publisher_kind": text}
        | {"official": flag, "platform": text, "enabled": flag},
    )
    channels = sorted({source.channel for source in city.sources})
    warehouse.temporary("city_channel", [{"channel": channel} for channel in channels], {"channel": text})
    categories = [*taxonomy.category_ids, "unclassified"]
    warehouse.temporary("category_label", _positions("category_id", categories), {"category_id": text, "position": number})
    warehouse.temporary(
        "sentiment_label", _positions("sentiment", ["pos", "neu", "neg"]), {"sentiment": text, "position": number}
    )
    warehouse.temporary("window_day", [{"day": day} for day in period.days()], {"day": "date"})
    members = [
        {"rollup_id": rollup_id, "category_id": category, "issue_id": issue}
        for rollup_id, rollup in sorted(taxonomy.rollups.items())
        for category, issue in [*((c, None) for c in rollup.categories), *((None, i) for i in rollup.issues)]
    ]
    warehouse.temporary("rollup_member", members, {"rollup_id": text, "category_id": text, "issue_id": text})
    chosen = [
        {
            "task": task,
            "annotator": choice.annotator,
            "revision": readers.annotators[choice.annotator].revision,
            "taxonomy_version": readers.taxonomy_version,
            "threshold": choice.threshold,
        }
        for task, choice in sorted(readers.config.tasks.items())
    ]
    columns = {"task": text, "annotator": text, "revision": text, "taxonomy_version": text, "threshold": "double"}
    warehouse.temporary("task_reader", chosen, columns)
    own = [
        {"task": task, "label": label, "threshold": threshold}
        for task, choice in sorted(readers.config.tasks.items())
        for label, threshold in sorted(choice.thresholds.items())
    ]
    warehouse.temporary("label_threshold", own, {"task": text, "label": text, "threshold": "double"})


def stage_items(warehouse: Warehouse, window: Mapping[str, Any], places: frozenset[str]) -> None:
    """Lay out `report_item`: every item of the window with the rule that decides whether it counts."""
    for name in ("window_item", "window_reading"):
        stage(warehouse, name, window)
    stage_copies(warehouse, window, places)
    stage(warehouse, "report_item", window)


def stage_watch(warehouse: Warehouse, city: City, period: Period, seen_until: datetime) -> None:
    """Lay out what the past of each source that was asked says about the window, as seen at the instant of the report."""
    states = warehouse.query("select source_id, status from source_state where status <> 'not_collected'")
    watches = watch_sources(warehouse, city, period, dict(states), seen_until=seen_until)
    rows = [{"source_id": source_id, **watch_columns(watch)} for source_id, watch in sorted(watches.items())]
    warehouse.temporary("source_verdict", rows, {"source_id": "varchar", **WATCH_COLUMNS})


def _positions(name: str, values: list[str]) -> list[dict[str, Any]]:
    return [{name: value, "position": position} for position, value in enumerate(values, start=1)]


def stage(warehouse: Warehouse, name: str, parameters: Mapping[str, Any]) -> None:
    """Create or replace the temporary table `name` from `staging/<name>.sql`."""
    sql = (REPORTS / "staging" / f"{name}.sql").read_text(encoding="utf-8")
    warehouse.query(f"create or replace temp table {name} as {sql}", used_parameters(sql, parameters))
