"""Report: the tables of one window, their audits, and the page made from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from collectors.spool import write_whole
from pipelines.annotate import FOREVER
from pipelines.copies import LEAST_VOICES, copy_rules, load_place_words, stage_copies
from pipelines.digests import folder_digest, value_digest
from pipelines.project import Project
from pipelines.reports.rendering import render_page
from pipelines.runs import AuditFailed, NotAnnotated, NothingToReport, Readers, record_run
from pipelines.warehouse import QUERIES, Warehouse, used_parameters
from pipelines.watching import WATCH_COLUMNS, watch_columns, watch_sources

REPORTS = Path(__file__).with_name("reports")


CODE = ("*.sql", "*.jinja", "*.css", "*.yml", "*.py")
"""What decides how a report is made; a change of it makes another report."""

NOT_CONTENT: dict[str, Any] = {
    "hosts": True,
    "contact": True,
    "defaults": True,
    "sources": {"__all__": {"budget", "delay_seconds"}},
}
"""What of a city's file no report depends on: how its sources are asked."""


@dataclass(frozen=True)
class Report:
    """A finished report."""

    report_id: str
    seen_until: datetime
    path: Path
    """The page."""

    totals: Mapping[str, Any]
    """The row of table `report` for the channel `online`, or for the first channel of a city without it."""


def report(
    warehouse: Warehouse,
    project: Project,
    city: City,
    period: Period,
    readers: Readers,
    *,
    seen_until: datetime | None = None,
    source_ids: Sequence[str] = (),
) -> Report:
    """Build the tables of a window as seen at an instant, audit them, and write the page.

    The same warehouse, window, instant, taxonomy and models give the same report id, rows and bytes.

    Args:
        warehouse: open for writing.
        project: where the page goes.
        city: whose window.
        period: the window.
        readers: whose readings are reported.
        source_ids: report on these sources alone; such a report stands beside the window's own and is amended by none.
        seen_until: what was first seen after it is left out, and the report is the one of the last change before it; by
            default the last instant that changed this window.

    Raises:
        NothingToReport: if nothing was collected for the window up to that instant.
        NotAnnotated: if messages of the window have not been read by these annotators.
        AuditFailed: if a table breaks a rule; nothing is written then.
    """
    whole = not source_ids
    if source_ids:
        chosen = tuple(source for source in city.sources if source.id in set(source_ids))
        city = city.model_copy(update={"sources": chosen, "published": None})
    with record_run(warehouse, project, city, "report", period, readers):
        newest = last_change(warehouse, city, period)
        instant = newest if seen_until is None else last_change(warehouse, city, period, seen_until=seen_until)
        if instant is None:
            until = f" up to {seen_until.isoformat()}" if seen_until else ""
            remedy = f"run `escucha collect {city.id}` first"
            raise NothingToReport(f"nothing was collected for {city.id} in {period}{until}; {remedy}")
        places = load_place_words(project, city.id)
        report_id = build_tables(warehouse, city, period, readers, instant, issued=whole and instant == newest, places=places)
        page = render_page(warehouse, report_id, city, period, readers.taxonomy)
        path = write_page(project, city, period, report_id, page, newest=whole and instant == newest)
    totals = warehouse.rows("select * from report where report_id = $id order by channel desc", {"id": report_id})
    return Report(report_id, instant, path, totals[0])


def last_change(warehouse: Warehouse, city: City, period: Period, *, seen_until: datetime = FOREVER) -> datetime | None:
    """Return the last instant at which something new was seen for a window: an item, a version, another outcome of a source.

    A collection that saw nothing new leaves it where it was, so that running again gives the same bytes; any `seen_until`
    between two changes means the first of them. None if nothing was collected for the window by then.
    """
    parameters = {"city": city.id, "start": period.start_utc, "end": period.end_utc, "seen_until": seen_until}
    parameters["timezone"] = city.timezone
    ((instant,),) = warehouse.query_file("last_change", parameters)
    return instant if instant is None else datetime.fromisoformat(instant.isoformat())


def build_tables(
    warehouse: Warehouse,
    city: City,
    period: Period,
    readers: Readers,
    seen_until: datetime,
    *,
    issued: bool = True,
    places: frozenset[str] = frozenset(),
) -> str:
    """Build, audit and append the tables of a report, unless it exists already; return its id.

    A report that is not `issued` looks back: more is known already, and no later report amends it. `places` are the words of the
    names of the city's places: a text about another place is no copy.
    """
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc, "seen_until": seen_until}
    window["timezone"] = city.timezone
    _stage_dimensions(warehouse, city, period, readers)
    stage_items(warehouse, window, places)
    for name in ("source_state", "withdrawn"):
        _stage(warehouse, name, window)
    _require_annotations(warehouse, city, period)
    _stage_watch(warehouse, city, period, seen_until)
    inputs = _inputs(warehouse, city, period, readers, seen_until) | {"copies": copy_rules(places)}
    report_id = value_digest(inputs)
    known = warehouse.query("select count(*) from report where report_id = $id", {"id": report_id})
    if known[0][0]:
        return report_id
    warehouse.temporary("report_input", [{**_input_row(inputs, seen_until, period), "issued": issued}], INPUT_COLUMNS)
    parameters = {**window, "report_id": report_id, "least_voices": LEAST_VOICES}
    with warehouse.transaction():
        for table in sorted((REPORTS / "tables").glob("*.sql")):
            sql = table.read_text(encoding="utf-8")
            warehouse.query(f"insert into {table.stem} by name {sql}", used_parameters(sql, parameters))
        audit_tables(warehouse, report_id)
    return report_id


def stage_items(warehouse: Warehouse, window: Mapping[str, Any], places: frozenset[str]) -> None:
    """Lay out `report_item`: every item of the window with the rule that decides whether it counts."""
    _stage(warehouse, "window_item", window)
    stage_copies(warehouse, places)
    _stage(warehouse, "report_item", window)


def audit_tables(warehouse: Warehouse, report_id: str) -> None:
    """Run every audit against a report.

    Raises:
        AuditFailed: naming each audit that returned rows, with the first of them.
    """
    failures = []
    for audit in sorted((REPORTS / "audits").glob("*.sql")):
        offending = warehouse.rows(audit.read_text(encoding="utf-8"), {"report_id": report_id})
        if offending:
            failures.append(f"{audit.stem}: {len(offending)} rows break its rule; the first is {offending[0]}")
    if failures:
        raise AuditFailed("; ".join(failures))


def write_page(project: Project, city: City, period: Period, report_id: str, page: str, *, newest: bool) -> Path:
    """Write the page under its report's id, and as the window's `informe.html` if it is the newest; return the last written."""
    folder = project.reports / city.id / period.slug()
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"informe-{report_id[:12]}.html", *(["informe.html"] if newest else [])]
    for name in names:
        write_whole(folder / name, page.encode())
    return folder / names[-1]


INPUT_COLUMNS = {
    "city": "varchar",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "seen_until": "timestamptz",
    "amends_report_id": "varchar",
    "amends_seen_until": "timestamptz",
    "issued": "boolean",
    "synthetic": "boolean",
    "taxonomy_version": "varchar",
    "annotators": "varchar",
    "data_digest": "varchar",
    "code_digest": "varchar",
}


def _inputs(warehouse: Warehouse, city: City, period: Period, readers: Readers, seen_until: datetime) -> dict[str, Any]:
    """Return all that a report depends on, as plain values; its digest is the report's id."""
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc, "seen_until": seen_until}
    amended = warehouse.query_file("earlier_report", window)
    ((items,),) = warehouse.query_file("data_digest")
    withdrawn = warehouse.query("select channel, item_count from withdrawn order by channel")
    states = warehouse.query("select source_id, channel, status, reason from source_state order by source_id")
    verdicts = warehouse.query("select * from source_verdict order by source_id")
    return {
        "city": city.id,
        "configuration": value_digest(city.model_dump(mode="json", exclude=NOT_CONTENT, warnings=False)),
        "period": [period.start_utc.isoformat(), period.end_utc.isoformat(), city.timezone],
        "seen_until": seen_until.isoformat(),
        "amends": [amended[0][0], amended[0][1].isoformat()] if amended else None,
        "synthetic": city.synthetic or any(source.synthetic and source.enabled for source in city.sources),
        "taxonomy_version": readers.taxonomy_version,
        "annotators": readers.revisions(),
        "thresholds": {
            task: [choice.threshold, dict(sorted(choice.thresholds.items()))]
            for task, choice in sorted(readers.config.tasks.items())
        },
        "data": value_digest(
            [
                items,
                [list(state) for state in states],
                [list(map(str, verdict)) for verdict in verdicts],
                *([withdrawn] if withdrawn else []),
            ]
        ),
        "code": value_digest([folder_digest(REPORTS, CODE), folder_digest(QUERIES, CODE)]),
    }


def _input_row(inputs: Mapping[str, Any], seen_until: datetime, period: Period) -> dict[str, Any]:
    amended_id, amended_at = inputs["amends"] or (None, None)
    return {
        "city": inputs["city"],
        "period_start": period.start_utc,
        "period_end": period.end_utc,
        "seen_until": seen_until,
        "amends_report_id": amended_id,
        "amends_seen_until": datetime.fromisoformat(amended_at) if amended_at else None,
        "synthetic": inputs["synthetic"],
        "taxonomy_version": inputs["taxonomy_version"],
        "annotators": json.dumps(inputs["annotators"], sort_keys=True),
        "data_digest": inputs["data"],
        "code_digest": inputs["code"],
    }


def _stage_dimensions(warehouse: Warehouse, city: City, period: Period, readers: Readers) -> None:
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


def _stage_watch(warehouse: Warehouse, city: City, period: Period, seen_until: datetime) -> None:
    """Lay out what the past of each source that was asked says about the window, as seen at the instant of the report."""
    states = warehouse.query("select source_id, status from source_state where status <> 'not_collected'")
    watches = watch_sources(warehouse, city, period, dict(states), seen_until=seen_until)
    rows = [{"source_id": source_id, **watch_columns(watch)} for source_id, watch in sorted(watches.items())]
    warehouse.temporary("source_verdict", rows, {"source_id": "varchar", **WATCH_COLUMNS})


def _require_annotations(warehouse: Warehouse, city: City, period: Period) -> None:
    ((unread,),) = warehouse.query_file("messages_without_reading")
    if unread:
        raise NotAnnotated(f"{unread} messages of {period} have not been read; run `escucha annotate {city.id}` first")


def _positions(name: str, values: list[str]) -> list[dict[str, Any]]:
    return [{name: value, "position": position} for position, value in enumerate(values, start=1)]


def _stage(warehouse: Warehouse, name: str, window: Mapping[str, Any]) -> None:
    sql = _sql("staging", name)
    warehouse.query(f"create or replace temp table {name} as {sql}", used_parameters(sql, window))


def _sql(folder: str, name: str) -> str:
    return (REPORTS / folder / f"{name}.sql").read_text(encoding="utf-8")
