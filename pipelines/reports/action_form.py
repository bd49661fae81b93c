"""The form of recommendations as it is handed to an office: the findings of a report filled in, the rest PENDIENTE."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import wrap
from typing import Any

from collectors.catalog import PENDING, City
from collectors.period import Period
from collectors.spool import write_whole
from models.taxonomy import Taxonomy
from pipelines.project import Project, ProjectError
from pipelines.reports.actions import actions_folder
from pipelines.reports.formats import MIN_BASE, Formats, load_wording
from pipelines.runs import NothingToReport
from pipelines.warehouse import Warehouse

CATEGORIES, ISSUES = 3, 5
"""The largest categories and issues of the main channel whose findings the form offers."""

_HERE = Path(__file__).parent


def new_form(warehouse: Warehouse, project: Project, city: City, period: Period, taxonomy: Taxonomy) -> Path:
    """Write the form for the report of a window that was issued last; return its path.

    Raises:
        NothingToReport: if the window has no report.
        ProjectError: if there is a form already: what people wrote is never written over.
    """
    path = actions_folder(project, city.id) / f"{period.slug()}.yml"
    if path.exists():
        raise ProjectError(f"{path.relative_to(project.root)} exists already; fill it in, or move it away first")
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc}
    issued = warehouse.query_file("issued_report", window)
    if not issued:
        remedy = f"make it with `escucha report {city.id} {period.as_options()}` first"
        raise NothingToReport(f"{city.id} has no report of {period}; {remedy}")
    report_id, channel = issued[0][0], issued[0][1]  # online first
    findings = warehouse.rows(
        (_HERE / "staging" / "form_finding.sql").read_text(encoding="utf-8"),
        {"report_id": report_id, "channel": channel, "categories": CATEGORIES, "issues": ISSUES},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render_form(findings, report_id, city, period, taxonomy).encode())
    return path


def render_form(findings: list[dict[str, Any]], report_id: str, city: City, period: Period, taxonomy: Taxonomy) -> str:
    """Return the form as YAML.

    Args:
        findings: as `staging/form_finding.sql` gives them.
        report_id: of the report that they are findings of.
        city: its name and how it writes.
        period: the report's window.
        taxonomy: the labels.
    """
    formats = Formats(city.locale, city.zone, load_wording(_HERE / "wording" / "es"))
    lines = [
        *_comment(str(formats.say("action_form.head", report=report_id[:12], city=city.name).unescape())),
        f"city: {city.id}",
        f"first: {period.first_date}",
        f"last: {period.last_date}",
        f"report: {json.dumps(report_id[:12])}",
        *_comment(str(formats.say("action_form.signed_by"))),
        f"signed_by: {PENDING}",
        *_comment(str(formats.say("action_form.fields"))),
        "actions:" if findings else "actions: []",
    ]
    for row in findings:
        lines += [
            f"  - finding: {row['finding']}",
            f"    channel: {row['channel']}",
            f"    evidence: {json.dumps(_evidence(row, formats, taxonomy), ensure_ascii=False)}",
            *(f"    {name}: {PENDING}" for name in ("office", "next_step", "review_on", "commitment")),
        ]
    return "\n".join(lines) + "\n"


def _evidence(row: dict[str, Any], formats: Formats, taxonomy: Taxonomy) -> str:
    share = ""
    if row["base"] >= MIN_BASE:
        said = formats.share(row["share"], row["base"])
        if row["corrected"] and row["low"] is not None:
            limits = {"low": formats.share(row["low"], row["base"]), "high": formats.share(row["high"], row["base"])}
            said = str(formats.say("share.range", value=said, **limits))
        else:
            said = f"{said} {formats.say('share.uncorrected')}"
        share = str(formats.say("action_form.share", share=said))
    key, name = "action_form.evidence", taxonomy.label_es(row["issue_id"] or row["category_id"])
    counts = {"count": formats.number(row["manifestation_count"]), "base": formats.number(row["base"]), "share": share}
    if row["issue_id"] is not None:
        return str(
            formats.say(
                "action_form.evidence_issue", name=name, category=taxonomy.label_es(row["category_id"]), **counts
            ).unescape()
        )
    return str(formats.say(key, name=name, **counts).unescape())


def _comment(text: str) -> list[str]:
    return wrap(text, 110, initial_indent="# ", subsequent_indent="# ")
