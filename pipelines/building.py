"""Building: the tables of a report from what is staged, under the digest of all that they depend on, and their audits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collectors.period import Period
from pipelines.copies import LEAST_VOICES, copy_rules
from pipelines.digests import folder_digest, value_digest
from pipelines.reports.formats import MIN_BASE
from pipelines.runs import AuditFailed, NotAnnotated
from pipelines.staging import REPORTS, Build, stage, stage_dimensions, stage_items, stage_watch
from pipelines.steps import STEPS
from pipelines.warehouse import QUERIES, Warehouse, used_parameters

CODE = ("*.sql", "*.jinja", "*.css", "*.yml", "*.py", "*.typ")
"""What decides how a report is made; a change of it makes another report."""

LAST = ("report_headline",)
"""Tables that are made from the others."""

NOT_CONTENT: dict[str, Any] = {
    "hosts": True,
    "contact": True,
    "deliver": True,
    "defaults": True,
    "sources": {"__all__": {"budget", "delay_seconds"}},
}
"""What of a city's file no report depends on: how its sources are asked, and who is told."""


def build_tables(build: Build, *, issued: bool = True) -> str:
    """Build, audit and append the tables of a report, unless it exists already; return its id.

    A report that is not `issued` looks back: more is known already, and no later report amends it.

    Raises:
        NotAnnotated: if messages of the window have not been read by the annotators of `build.readers`.
        AuditFailed: if a table breaks a rule; nothing is written then.
    """
    warehouse = build.warehouse
    stage_window(build)
    loaded = {name: step.load(build) for name, step in STEPS.items()}
    inputs = _inputs(build) | {"steps": loaded}
    report_id = value_digest(inputs)
    known = warehouse.query("select count(*) from report where report_id = $id", {"id": report_id})
    if known[0][0]:
        return report_id
    row = {**_input_row(inputs, build.seen_until, build.period), "issued": issued}
    warehouse.temporary("report_input", [row], INPUT_COLUMNS)
    for step in STEPS.values():
        step.compute(build)
    parameters = {**build.window, "report_id": report_id, "least_voices": LEAST_VOICES, "min_base": MIN_BASE}
    with warehouse.transaction():
        for table in sorted((REPORTS / "tables").glob("*.sql"), key=lambda file: (file.stem in LAST, file.stem)):
            sql = table.read_text(encoding="utf-8")
            warehouse.query(f"insert into {table.stem} by name {sql}", used_parameters(sql, parameters))
        audit_tables(warehouse, report_id)
    return report_id


def stage_window(build: Build) -> None:
    """Lay out the city, the items of the window with the rules that decide whether they count, and how the sources fared.

    Raises:
        NotAnnotated: if messages of the window have not been read.
    """
    warehouse, city, period = build.warehouse, build.city, build.period
    stage_dimensions(warehouse, city, period, build.readers)
    stage_items(warehouse, build.window, build.places)
    for name in ("covered_day", "source_state", "withdrawn"):
        stage(warehouse, name, build.window)
    ((unread,),) = warehouse.query_file("messages_without_reading")
    if unread:
        profile = f" --profile {build.project.profile}" if build.project.profile else ""
        remedy = f"run `escucha annotate {city.id} {period.as_options()}{profile}` first"
        raise NotAnnotated(f"{unread} messages of {period} have not been read; {remedy}")
    stage_watch(warehouse, city, period, build.seen_until)


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


INPUT_COLUMNS = {
    "city": "varchar",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "seen_until": "timestamptz",
    "amends_report_id": "varchar",
    "amends_seen_until": "timestamptz",
    "issued": "boolean",
    "synthetic": "boolean",
    "only_sources": "varchar",
    "taxonomy_version": "varchar",
    "annotators": "varchar",
    "data_digest": "varchar",
    "code_digest": "varchar",
}


def _inputs(build: Build) -> dict[str, Any]:
    """Return all that a report depends on, as plain values; its digest is the report's id."""
    warehouse, city, period, readers = build.warehouse, build.city, build.period, build.readers
    amended = warehouse.query_file("earlier_report", build.window)
    ((items,),) = warehouse.query_file("data_digest")
    withdrawn = warehouse.query("select channel, item_count from withdrawn order by channel")
    states = warehouse.query("select source_id, channel, status, reason, whole from source_state order by source_id")
    covered = warehouse.query("select distinct day from covered_day order by day")
    verdicts = warehouse.query("select * from source_verdict order by source_id")
    return {
        "city": city.id,
        "configuration": value_digest(city.model_dump(mode="json", exclude=NOT_CONTENT, warnings=False)),
        "period": [period.start_utc.isoformat(), period.end_utc.isoformat(), city.timezone],
        "seen_until": build.seen_until.isoformat(),
        "only_sources": None if build.whole else ",".join(source.id for source in city.sources),
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
                [str(day) for (day,) in covered],
                [list(map(str, verdict)) for verdict in verdicts],
                *([withdrawn] if withdrawn else []),
            ]
        ),
        "code": value_digest([folder_digest(REPORTS, CODE), folder_digest(QUERIES, CODE)]),
        "copies": copy_rules(build.places),
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
        "only_sources": inputs["only_sources"],
        "taxonomy_version": inputs["taxonomy_version"],
        "annotators": json.dumps(inputs["annotators"], sort_keys=True),
        "data_digest": inputs["data"],
        "code_digest": inputs["code"],
    }
