"""Collect: crawl a city's sources for a window and append what they gave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from collectors.archive import archive_file, drop_draft
from collectors.catalog import City, Source
from collectors.period import Period
from collectors.pseudonyms import load_secret
from collectors.quarantine import Outcome, last_of_each_day, quarantine_until
from collectors.spool import complete_sources, spool_paths, write_whole
from collectors.watching import TROUBLED
from pipelines.append import SourceOutcome, append_orphans, append_resting, append_source, close_unfinished
from pipelines.project import Project
from pipelines.runs import record_run
from pipelines.warehouse import Warehouse

TAKEN_UP = timedelta(days=3)
"""For how long a walk that was cut off is taken up: later, what it had read may have been answered or edited since."""

GRACE_SECONDS = 10.0
"""How long an interrupted crawl may take to end by itself."""


class NothingArchived(RuntimeError):
    """No collection that touched the window left a raw archive."""


def broken_outcomes(outcomes: Sequence[SourceOutcome]) -> list[SourceOutcome]:
    """Return the outcomes of the sources that were not read whole, or not asked because they failed too often."""
    return [
        outcome
        for outcome in outcomes
        if outcome.health.status in ("failed", "partial") or outcome.health.reason == "quarantined"
    ]


def troubled_outcomes(outcomes: Sequence[SourceOutcome]) -> list[SourceOutcome]:
    """Return the outcomes of the sources that are broken, or gave less or other things than they used to give.

    A run is whole only without any: it is green only if the data are.
    """
    broken = {outcome.health.source_id for outcome in broken_outcomes(outcomes)}
    return [outcome for outcome in outcomes if outcome.health.source_id in broken or outcome.watch.verdict in TROUBLED]


def read_nothing(outcomes: Sequence[SourceOutcome]) -> bool:
    """Tell whether a collection had sources and could read nothing from any of them."""
    broken = broken_outcomes(outcomes)
    return bool(outcomes) and len(broken) == len(outcomes) and not any(outcome.health.item_count for outcome in broken)


Progress = Callable[[SourceOutcome], None]


def collect(
    warehouse: Warehouse,
    project: Project,
    city: City,
    period: Period,
    *,
    source_ids: Sequence[str] = (),
    progress: Progress = lambda _: None,
    from_archive: bool = False,
) -> list[SourceOutcome]:
    """Crawl the enabled sources of a city (or those named) and append their items, source by source as each ends.

    Items that a killed crawl left in its spool are appended first. Running it again over the same window and an
    unchanged source adds nothing. Where no source is enabled, nothing is crawled. A source that failed on several days in
    a row is left alone for a while (`load_quarantines`), unless `source_ids` names it.

    Args:
        warehouse: open for writing.
        project: where the spools go.
        city: whose sources.
        period: the window.
        source_ids: these sources alone; all of them if empty.
        progress: called with each outcome as it is there.
        from_archive: read what collections of this window archived, with the parsers of today; nothing is fetched, no cursor
            moves, and what comes out otherwise than before is appended as a new version.

    Raises:
        NothingArchived: with `from_archive`, if no collection that touched the window left an archive.
        SecretError: if no secret is set and the city is not synthetic; nothing has been fetched then.
        ValueError: if `source_ids` names a source that the city does not have.
    """
    load_secret(os.environ, synthetic=city.synthetic)
    wanted = [city.source(source_id) for source_id in dict.fromkeys(source_ids)] or list(city.sources)
    sources = [source for source in wanted if source.enabled]
    append_orphans(warehouse, project, city)
    archived = load_archived(warehouse, project, city, period, sources) if from_archive else {}
    sources = [source for source in sources if source.id in archived] if from_archive else sources
    if not sources:
        return []
    resting = {} if source_ids or from_archive else load_quarantines(warehouse, city)
    memories = {} if from_archive else load_memories(warehouse, city, period)
    frontiers = {} if from_archive else load_frontiers(warehouse, city, period)
    outcomes: list[SourceOutcome] = []
    with record_run(warehouse, project, city, "reread" if from_archive else "collect", period) as run:
        for source in sources:
            if source.id in resting:
                outcomes.append(append_resting(warehouse, city, run.run_id, source.id, period, resting[source.id]))
                progress(outcomes[-1])
        asked = [source for source in sources if source.id not in resting]
        spool = project.raw / city.id / run.run_id
        for source_id in crawl(project, city, period, asked, spool, memories, frontiers, archived) if asked else ():
            outcomes.append(append_source(warehouse, city, spool, source_id, period, reread=from_archive))
            progress(outcomes[-1])
        troubled = troubled_outcomes(outcomes)
        if troubled:
            run.outcome = "partial"
            run.detail = ", ".join(sorted(outcome.health.source_id for outcome in troubled))
    return outcomes


def load_quarantines(warehouse: Warehouse, city: City) -> dict[str, datetime]:
    """Return source id -> the instant until which a source that failed on several days in a row is left alone."""
    now = city.now()
    histories: dict[str, list[Outcome]] = {}
    for source_id, at, status, reason in warehouse.query_file("collection_outcomes", {"city": city.id}):
        histories.setdefault(source_id, []).append(Outcome(at, status, reason))
    ends = {source_id: quarantine_until(last_of_each_day(outcomes, city.zone)) for source_id, outcomes in histories.items()}
    return {source_id: end for source_id, end in ends.items() if end is not None and end > now}


def load_archived(
    warehouse: Warehouse, project: Project, city: City, period: Period, sources: Sequence[Source]
) -> dict[str, list[str]]:
    """Return source id -> the archives of the collections that touched a window, oldest first.

    Raises:
        NothingArchived: if there is none for any of the sources.
    """
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc}
    wanted, found = {source.id for source in sources}, dict[str, list[str]]()
    for source_id, run_id in warehouse.query_file("runs_of_window", window):
        path = archive_file(project.raw / city.id / run_id, source_id)
        if source_id in wanted and path.is_file():
            found.setdefault(source_id, []).append(str(path))
    if not found:
        raise NothingArchived(f"nothing of {period} is in the raw archive of {city.id}; sources keep one with `archive: true`")
    return found


def load_memories(warehouse: Warehouse, city: City, period: Period) -> dict[str, dict[str, str]]:
    """Return source id -> what earlier collections left, for the sources of which no later window was collected yet.

    A window that ends before one that was collected is a backfill: it reads everything anew and moves no cursor.
    """
    ends = dict(warehouse.query_file("windows_collected", {"city": city.id}))
    current = [source.id for source in city.sources if source.id not in ends or period.end_utc >= ends[source.id]]
    memories: dict[str, dict[str, str]] = {source_id: {} for source_id in current}
    for source_id, key, value in warehouse.query_file("source_memory", {"city": city.id}):
        if source_id in memories:
            memories[source_id][key] = value
    return memories


def load_frontiers(warehouse: Warehouse, city: City, period: Period) -> dict[str, dict[str, str]]:
    """Return source id -> what a walk over this very window, cut off since, has read whole; see `collectors.frontier`."""
    since = city.now() - TAKEN_UP
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc, "since": since}
    frontiers: dict[str, dict[str, str]] = {}
    for source_id, place, found in warehouse.query_file("source_frontier", window):
        frontiers.setdefault(source_id, {})[place] = found
    return frontiers


def crawl(
    project: Project,
    city: City,
    period: Period,
    sources: Sequence[Source],
    spool: Path,
    memories: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    frontiers: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    archived: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    module: str = "collectors.crawl",
) -> Iterator[str]:
    """Run one crawl in a process of its own; yield each source's id as soon as its spool is complete.

    With `archived` (source id -> files) the process answers itself from these files. Another `module` than the crawl's
    takes the same request and leaves the same files.

    A source that the process leaves unfinished (it died, or was told to stop) gets a health file that says so.
    """
    spool.mkdir(parents=True)
    with replay_hosts(project, city, unasked=bool(archived)) as hosts:
        request = {
            "city_file": str(project.city_file(city.id)),
            "project": str(project.root),
            "sources": [source.id for source in sources],
            "start": period.start_utc.isoformat(),
            "end": period.end_utc.isoformat(),
            "spool": str(spool),
            "hosts": hosts,
            "memory": {source.id: dict(memories[source.id]) for source in sources if source.id in memories},
            "frontier": {source.id: dict(frontiers[source.id]) for source in sources if source.id in frontiers},
            "exclusions": str(project.exclusions) if project.exclusions.is_file() else None,
            "with_parent": True,
            **({"archived": archived} if archived else {}),
        }
        request_file = spool / "request.json"
        write_whole(request_file, json.dumps(request, ensure_ascii=False).encode())
        command = [sys.executable, "-m", module, str(request_file)]
        with (spool / "crawl.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        yield from _follow(process, spool)
    for source in sources:
        if not spool_paths(spool, source.id).health.is_file():
            close_unfinished(spool, source.id, f"the crawl process ended with code {process.returncode}")
            yield source.id
        drop_draft(spool, source.id)


def _follow(process: subprocess.Popen[bytes], spool: Path) -> Iterator[str]:
    """Yield sources as they complete until the process ends; pass an interruption on to it, gently first."""
    known: set[str] = set()
    try:
        while True:
            ended = process.poll() is not None
            for source_id in complete_sources(spool):
                if source_id not in known:
                    known.add(source_id)
                    yield source_id
            if ended:
                return
            time.sleep(0.1)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


@contextmanager
def replay_hosts(project: Project, city: City, *, unasked: bool = False) -> Iterator[dict[str, str]]:
    """Yield host pattern -> loopback address:port; start the replay server for as long if the city asks for it.

    `unasked`: nothing will be fetched, so no server is started.
    """
    if unasked or "replay" not in city.hosts.values():
        yield {pattern: address for pattern, address in city.hosts.items() if address != "replay"}
        return
    from pipelines.pilot.server import ReplayServer

    with ReplayServer(project.pilot / "served") as server:
        yield {pattern: f"127.0.0.1:{server.port}" if address == "replay" else address for pattern, address in city.hosts.items()}
