"""The flows: one window of a city from its sources to its report, the daily collection between reports, and retention.

A flow adds a schedule and a place to look at what happened; the tasks wrap the functions that the command line calls,
and rerunning a window needs neither. This is the only module that imports Prefect, and nothing imports this one.
Prefect keeps no result and no cache of any step: what is already done stands in the warehouse, and texts stay there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period, PeriodError, PeriodKind, last_complete
from collectors.watching import TROUBLED
from pipelines.annotate import annotate
from pipelines.append import SourceOutcome
from pipelines.collect import Progress, broken_outcomes, collect, read_nothing
from pipelines.delivery import deliver
from pipelines.project import Project, find_project
from pipelines.report import report
from pipelines.retention import Applied, apply_retention
from pipelines.runs import load_readers
from pipelines.warehouse import Warehouse, open_warehouse, publish

# Prefect reads these when it is imported: nothing is sent to its makers unless somebody says so, and a server that is
# started just for one run is given more than its 20 seconds, which a busy machine exceeds.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")

import prefect.runtime
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

LOCK_TIMEOUT = 3_600.0
"""Seconds to wait for another run to finish writing the warehouse: a scheduled run has nobody who would start it again."""


@dataclass(frozen=True)
class Window:
    """What every step works on: one window of a city, and the warehouse that this run alone writes."""

    warehouse: Warehouse
    project: Project
    city: City
    period: Period


@dataclass(frozen=True)
class ReportSummary:
    """Where a report is and how much it counts; the words of the people stay in the warehouse."""

    report_id: str
    path: str
    new: bool
    manifestation_count: int
    collected_count: int


@flow(persist_result=False, flow_run_name="{city}")
def period_report(city: str, start: date | None = None, end: date | None = None) -> State[Any]:
    """Collect, annotate and report one window of a city, and publish the tables for readers.

    Args:
        city: a city of the project, which is ESCUCHA_PROJECT or the nearest folder above with `data/cities`.
        start: first day; without dates, the window is the last complete period before the time that the run was scheduled for.
        end: last day, inclusive; given with `start` or not at all.

    Returns:
        Completed; named Partial where a source was not read whole; Failed if no source could be read.
    """
    with open_window(city, start, end) as window:
        outcomes = collect_sources(window)
        annotate_messages(window)
        finished = report_window(window)
        publish_tables(window)
    if finished.new and window.city.deliver:
        deliver_report(window, finished)
    create_markdown_artifact(render_summary(window, outcomes, finished), key=f"{city}-report", description=str(window.period))
    counted = f"{finished.manifestation_count} manifestations counted of {finished.collected_count} items"
    return conclude(outcomes, f"{counted}; {finished.path}")


@flow(persist_result=False, flow_run_name="{city}")
def collect_day(city: str) -> State[Any]:
    """Collect the last complete day before the time that the run was scheduled for: feeds keep no past.

    Args:
        city: a city of the project, as in `period_report`.

    Returns:
        Completed; named Partial where a source was not read whole; Failed if no source could be read.
    """
    with open_window(city, kind="day") as window:
        outcomes = collect_sources(window)
    create_markdown_artifact(render_summary(window, outcomes), key=f"{city}-collection", description=str(window.period))
    return conclude(outcomes, f"{sum(outcome.added_count for outcome in outcomes)} new items")


@flow(persist_result=False, flow_run_name="retention")
def keep_no_longer(city: str | None = None) -> State[Any]:
    """Erase what is past its retention, and what the list of exclusions names; a failed collection does not keep it from running.

    Args:
        city: a city of the project; without one, all of them.

    Returns:
        Completed, with counts alone.
    """
    project = find_project(None)
    names = [city] if city else sorted(path.stem for path in project.cities.glob("*.yml"))
    with open_warehouse(project.warehouse, lock_timeout=LOCK_TIMEOUT) as warehouse:
        applied = [erase_due(warehouse, project, project.load_city(name)) for name in names]
    erased = sum(sum(result.erased.values()) for result in applied)
    withdrawn = sum(sum(result.withdrawn.values()) for result in applied)
    return Completed(message=f"{erased} texts erased, {withdrawn} items taken out on request")


@contextmanager
def open_window(
    city: str, start: date | None = None, end: date | None = None, *, kind: PeriodKind | None = None
) -> Iterator[Window]:
    """Find the project, the city and the window of this run, and hold the warehouse from its first step to its last.

    Args:
        city: name of the city.
        start: first day, or None.
        end: last day, inclusive, or None.
        kind: the calendar unit where there are no dates; None takes the city's own.
    """
    project = find_project(None)
    loaded = project.load_city(city)
    scheduled: datetime = prefect.runtime.flow_run.scheduled_start_time
    period = choose_period(loaded, start, end, kind=kind or loaded.period, scheduled=scheduled)
    with open_warehouse(project.warehouse, lock_timeout=LOCK_TIMEOUT) as warehouse:
        yield Window(warehouse, project, loaded, period)


def choose_period(city: City, start: date | None, end: date | None, *, kind: PeriodKind, scheduled: datetime) -> Period:
    """Return the window of the dates given (both inclusive), or the last unit that was complete at `scheduled` (aware).

    Raises:
        PeriodError: if only one date is given, or they run backwards.
    """
    if start is not None and end is not None:
        return Period.from_dates(start, end, city.zone)
    if start is not None or end is not None:
        raise PeriodError(f"start={start}, end={end}: give both dates, or neither for the last complete {kind}")
    # Prefect's instant is of a subclass whose dates behave in their own way; ours starts from the plain one.
    return last_complete(kind, datetime.fromtimestamp(scheduled.timestamp(), UTC), city.zone)


@task(cache_policy=NO_CACHE, task_run_name="{outcome.health.source_id}")
def show_source(outcome: SourceOutcome) -> State[Any]:
    """State how one source fared, as a task run of its own: Failed, Partial, Empty or Completed."""
    health = outcome.health
    said = [f"{health.item_count} items, {outcome.added_count} new", _words(health.reason), health.detail, outcome.watch.told()]
    message = "; ".join(part for part in said if part)
    if health.status == "failed":
        return Failed(message=message)
    return Completed(message=message, name=None if health.status == "ok" else health.status.capitalize())


def show_each_source(outcome: SourceOutcome) -> None:
    """Run `show_source` as soon as a source ends; one that failed does not fail the collection."""
    show_source(outcome, return_state=True)


@task(cache_policy=NO_CACHE, task_run_name="collect")
def collect_sources(window: Window, progress: Progress = show_each_source) -> list[SourceOutcome]:
    """Crawl the city's sources and append what they gave; see `pipelines.collect.collect`."""
    return collect(window.warehouse, window.project, window.city, window.period, progress=progress)


@task(cache_policy=NO_CACHE, task_run_name="annotate")
def annotate_messages(window: Window) -> int:
    """Read what is unread and return the number of annotations added; see `pipelines.annotate.annotate`."""
    return annotate(window.warehouse, window.project, window.city, window.period, load_readers(window.project, window.city.id))


@task(cache_policy=NO_CACHE, task_run_name="report")
def report_window(window: Window) -> ReportSummary:
    """Build the tables and the page; see `pipelines.report.report`."""
    finished = report(window.warehouse, window.project, window.city, window.period, load_readers(window.project, window.city.id))
    totals = finished.totals
    return ReportSummary(
        finished.report_id, str(finished.path), finished.new, totals["manifestation_count"], totals["collected_count"]
    )


@task(cache_policy=NO_CACHE, task_run_name="deliver")
def deliver_report(window: Window, finished: ReportSummary) -> State[Any]:
    """Tell those whom the city names of a new report; named Undelivered where one was not reached, which fails nothing."""
    outcomes = deliver(window.city, window.project, Path(finished.path))
    said = "; ".join(f"{outcome.target}: {outcome.said}" for outcome in outcomes)
    return Completed(message=said, name=None if all(outcome.ok for outcome in outcomes) else "Undelivered")


@task(cache_policy=NO_CACHE, task_run_name="{city.id}")
def erase_due(warehouse: Warehouse, project: Project, city: City) -> Applied:
    """Erase what is due in one city; see `pipelines.retention.apply_retention`."""
    return apply_retention(warehouse, project, city)


@task(cache_policy=NO_CACHE, task_run_name="publish")
def publish_tables(window: Window) -> str:
    """Write the read-only copy for readers and return its path; see `pipelines.warehouse.publish`."""
    publish(window.warehouse, window.project.published)
    return str(window.project.published)


def conclude(outcomes: Sequence[SourceOutcome], said: str) -> State[Any]:
    """Return the final state of a run: `said`, and by name every source that was not read whole or is not as it used to be."""
    broken = [outcome.health for outcome in broken_outcomes(outcomes)]
    lost = ", ".join(f"{health.source_id} ({_words(health.reason)})" for health in broken)
    if read_nothing(outcomes):
        return Failed(message=f"no source could be read: {lost}")
    changed = ", ".join(
        f"{outcome.health.source_id} ({outcome.watch.verdict})" for outcome in outcomes if outcome.watch.verdict in TROUBLED
    )
    told = [f"not read whole: {len(broken)} of {len(outcomes)} sources: {lost}"] if broken else []
    told += [f"not as they used to be: {changed}"] if changed else []
    return Completed(name="Partial", message="; ".join([said, *told])) if told else Completed(message=said)


def render_summary(window: Window, outcomes: Sequence[SourceOutcome], finished: ReportSummary | None = None) -> str:
    """Return the run's account in Markdown: the window, the report if there is one, and a row per source.

    It holds ids, counts, our own words and paths: nothing that came from a source.
    """
    lines = [f"# {window.city.name}{' (SYNTHETIC DATA)' if window.city.synthetic else ''}", "", str(window.period), ""]
    if finished:
        lines += [f"- report: {finished.report_id[:12]}", f"- page: `{finished.path}`"]
        lines += [f"- counted: {finished.manifestation_count} of {finished.collected_count} items", ""]
    lines += ["| source | status | reason | items | new |", "|---|---|---|--:|--:|"]
    for outcome in outcomes:
        health = outcome.health
        cells = [health.source_id, health.status, _words(health.reason), str(health.item_count), str(outcome.added_count)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _words(reason: str) -> str:
    return "" if reason == "none" else reason.replace("_", " ")
