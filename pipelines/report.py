"""Report: the tables of one window, their audits, and the page made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from pipelines.reports.exporting import (
    FORMATS,
    OPEN_DATA_ENDINGS,
    ExportInput,
    FormatError,
    choose_formats,
    make_exports,
    name_of_report,
    plain_names,
)
from pipelines.reports.proposals import write_proposals
from pipelines.reports.rendering import render_page
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

    alerts: Sequence[Mapping[str, Any]] = ()
    """The rows of `report_alert`, of all channels, the least expected first."""

    troubled_sources: Mapping[str, str] = field(default_factory=dict)
    """Id of each source that was not read whole or is not as it used to be -> why, in the order of the city's file."""


def report(
    warehouse: Warehouse,
    project: Project,
    city: City,
    period: Period,
    readers: Readers,
    *,
    seen_until: datetime | None = None,
    source_ids: Sequence[str] = (),
    formats: Sequence[str] = (),
    language: str = "es",
) -> Report:
    """Build the tables of a window as seen at an instant, audit them, and write the page and the other formats.

    The same warehouse, window, instant, taxonomy and models give the same report id, rows and bytes.

    Args:
        warehouse: open for writing.
        project: where the page goes.
        city: whose window.
        period: the window.
        readers: whose readings are reported.
        source_ids: report on these sources alone; such a report stands beside the window's own and is amended by none.
        formats: names of `FORMATS`; without any, all of them.
        language: of the page: es or en.
        seen_until: what was first seen after it is left out, and the report is the one of the last change before it; by
            default the last instant that changed this window.

    Raises:
        FormatError: if a format does not exist.
        NothingToReport: if nothing was collected for the window up to that instant.
        NotAnnotated: if messages of the window have not been read by these annotators.
        AuditFailed: if a table breaks a rule; nothing is written then.
    """
    whole, chosen_formats = not source_ids, _formats_of(formats, whole=not source_ids)
    if source_ids:
        chosen = tuple(source for source in city.sources if source.id in set(source_ids))
        city = city.model_copy(update={"sources": chosen, "published": None})
    with record_run(warehouse, project, city, "report", period, readers):
        newest = last_change(warehouse, city, period)
        instant = newest if seen_until is None else last_change(warehouse, city, period, seen_until=seen_until)
        if instant is None:
            until = f" up to {seen_until.astimezone(city.zone).isoformat()}" if seen_until else ""
            remedy = f"run `escucha collect {city.id} {period.as_options()}` first"
            if newest is not None:
                remedy = f"give a later --seen-until, or none: the last change is of {newest.astimezone(city.zone).isoformat()}"
            raise NothingToReport(f"nothing was collected for {city.id} in {period}{until}; {remedy}")
        places = load_place_words(project, city.id)
        build = Build(warehouse, project, city, period, readers, instant, places=places, whole=whole)
        made = _count_reports(warehouse)
        report_id = build_tables(build, issued=whole and instant == newest)
        page = render_page(warehouse, report_id, city, period, readers.taxonomy, language=language)
        given = ExportInput(warehouse, report_id, city, period, readers.taxonomy, language, page)
        files = make_exports(given, chosen_formats)
        path = write_files(project.reports / city.id / period.slug(), report_id, files, newest=whole and instant == newest)
        if whole and instant == newest:
            write_proposals(warehouse, report_id, city, readers.taxonomy, path.parent)
        write_index(warehouse, project)  # last: it lists the files that are there
    totals = warehouse.rows("select * from report where report_id = $id order by channel desc", {"id": report_id})
    alerts = warehouse.rows("select * from report_alert where report_id = $id order by p_value, position", {"id": report_id})
    troubled = {source: str(why) for source, why in warehouse.query_file("troubled_sources", {"report_id": report_id})}
    return Report(report_id, instant, path, _count_reports(warehouse) > made, totals[0], alerts, troubled)


def _formats_of(names: Sequence[str], *, whole: bool) -> list[str]:
    """Return the formats to make: of a report on some sources no open data, which beside the city's own would tell more.

    Raises:
        FormatError: if a format does not exist, or this report has none such.
    """
    chosen = choose_formats(names)
    if not whole and "open-data" in names:
        others = ", ".join(name for name in FORMATS if name != "open-data")
        raise FormatError(
            f"a report on some sources has no open-data: taken from the city's own it would tell more; allowed: {others}"
        )
    return [name for name in chosen if whole or name != "open-data"]


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


def write_files(folder: Path, report_id: str, files: Mapping[str, bytes], *, newest: bool) -> Path:
    """Write the files of a report under its id, and under their plain names if it is the window's newest.

    A folder among them holds what is written now and nothing else: what an earlier version told must not stay beside it.
    Nor do plain names of other formats and languages go on meaning an older report.

    Args:
        folder: of the window.
        report_id: whose files.
        files: relative path -> content; not empty.
        newest: whether the plain names mean this report.

    Returns:
        The page, or the first file where there is no page: under its plain name if that was written.
    """
    written: list[Path] = []
    own = {name: name_of_report(name, report_id) for name in files}
    for names in [own, {name: name for name in files}] if newest else [own]:
        for name, content in files.items():
            target = folder / names[name]
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, content)
        written = [folder / name for name in names.values()]
        for below in {path.parent for path in written} - {folder}:
            for stale in set(below.iterdir()) - set(written):
                stale.unlink()
    if newest:
        _remove_older(folder, report_id)
    return next((path for path in written if path.suffix == ".html"), written[0])


def _remove_older(folder: Path, report_id: str) -> None:
    """Remove what bears a plain name and is no copy of what bears this report's id: it is of an older report."""
    for name in plain_names():
        plain = _read_exported(folder / name)
        if plain != _read_exported(folder / name_of_report(name, report_id)):
            for path in plain:
                (folder / name / path).unlink()
            if (folder / name).is_dir() and not any((folder / name).iterdir()):
                (folder / name).rmdir()


def _read_exported(path: Path) -> dict[str, bytes]:
    """Return the content of a file, or of each file of a folder of open data, by its name there; nothing of what is not there."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file() and file.suffix in OPEN_DATA_ENDINGS}
    return {"": path.read_bytes()} if path.is_file() else {}
