"""Report: the tables of one window, their audits, and the page made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from collectors.spool import write_whole
from pipelines.annotate import FOREVER
from pipelines.building import build_tables
from pipelines.copies import load_place_words
from pipelines.project import Project
from pipelines.report_index import write_index
from pipelines.reports.rendering import load_formats, render_page
from pipelines.runs import NothingToReport, Readers, record_run
from pipelines.staging import Build
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Report:
    """A finished report."""

    report_id: str
    seen_until: datetime
    path: Path
    """The page."""

    new: bool
    """False where the same report had been made before."""

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
    language: str = "es",
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
        language: of the page: es or en.
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
        build = Build(warehouse, project, city, period, readers, instant, places=places)
        made = _count_reports(warehouse)
        report_id = build_tables(build, issued=whole and instant == newest)
        page = render_page(warehouse, report_id, city, period, readers.taxonomy, language=language)
        stem = str(load_formats(city, language).say("file.report"))
        path = write_page(project, city, period, report_id, page, newest=whole and instant == newest, stem=stem)
        write_index(warehouse, project)
    totals = warehouse.rows("select * from report where report_id = $id order by channel desc", {"id": report_id})
    return Report(report_id, instant, path, _count_reports(warehouse) > made, totals[0])


def _count_reports(warehouse: Warehouse) -> int:
    ((count,),) = warehouse.query("select count(distinct report_id) from report")
    return int(count)


def last_change(warehouse: Warehouse, city: City, period: Period, *, seen_until: datetime = FOREVER) -> datetime | None:
    """Return the last instant at which something new was seen for a window: an item, a version, another outcome of a source.

    A collection that saw nothing new leaves it where it was, so that running again gives the same bytes; any `seen_until`
    between two changes means the first of them. None if nothing was collected for the window by then.
    """
    parameters = {"city": city.id, "start": period.start_utc, "end": period.end_utc, "seen_until": seen_until}
    parameters["timezone"] = city.timezone
    ((instant,),) = warehouse.query_file("last_change", parameters)
    return instant if instant is None else datetime.fromisoformat(instant.isoformat())


def write_page(
    project: Project, city: City, period: Period, report_id: str, page: str, *, newest: bool, stem: str = "informe"
) -> Path:
    """Write the page under its report's id, and as the window's `informe.html` if it is the newest; return the last written."""
    folder = project.reports / city.id / period.slug()
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{stem}-{report_id[:12]}.html", *([f"{stem}.html"] if newest else [])]
    for name in names:
        write_whole(folder / name, page.encode())
    return folder / names[-1]
