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
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City, Source
from collectors.health import SourceHealth
from collectors.items import Manifestation, manifestation_id, version_digest
from collectors.period import Period
from collectors.pseudonyms import load_secret
from collectors.spool import complete_sources, load_health, load_items, spool_paths, write_health, write_whole
from collectors.text import normalise_for_comparison
from pipelines.digests import text_digest
from pipelines.project import Project
from pipelines.runs import record_run
from pipelines.warehouse import Warehouse, next_instant

GRACE_SECONDS = 10.0
"""How long an interrupted crawl may take to end by itself."""


@dataclass(frozen=True)
class SourceOutcome:
    """What one source brought in one collection."""

    health: SourceHealth
    added_count: int
    """New manifestations and new versions."""


def broken_outcomes(outcomes: Sequence[SourceOutcome]) -> list[SourceOutcome]:
    """Return the outcomes of the sources that were not read whole."""
    return [outcome for outcome in outcomes if outcome.health.status in ("failed", "partial")]


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
) -> list[SourceOutcome]:
    """Crawl the enabled sources of a city (or those named) and append their items, source by source as each ends.

    Items that a killed crawl left in its spool are appended first. Running it again over the same window and an
    unchanged source adds nothing. Where no source is enabled, nothing is crawled.

    Raises:
        SecretError: if no secret is set and the city is not synthetic; nothing has been fetched then.
        ValueError: if `source_ids` names a source that the city does not have.
    """
    load_secret(os.environ, synthetic=city.synthetic)
    wanted = [city.source(source_id) for source_id in source_ids] or list(city.sources)
    sources = [source for source in wanted if source.enabled]
    append_orphans(warehouse, project, city)
    if not sources:
        return []
    outcomes: list[SourceOutcome] = []
    with record_run(warehouse, project, city, "collect", period) as run_id:
        spool = project.raw / city.id / run_id
        for source_id in crawl(project, city, period, sources, spool):
            outcomes.append(append_source(warehouse, city, spool, source_id, period))
            progress(outcomes[-1])
    return outcomes


def crawl(project: Project, city: City, period: Period, sources: Sequence[Source], spool: Path) -> Iterator[str]:
    """Run one crawl in a process of its own; yield each source's id as soon as its spool is complete.

    A source that the process leaves unfinished (it died, or was told to stop) gets a health file that says so.
    """
    spool.mkdir(parents=True)
    with replay_hosts(project, city) as hosts:
        request = {
            "city_file": str(project.city_file(city.id)),
            "project": str(project.root),
            "sources": [source.id for source in sources],
            "start": period.start_utc.isoformat(),
            "end": period.end_utc.isoformat(),
            "spool": str(spool),
            "hosts": hosts,
            "with_parent": True,
        }
        request_file = spool / "request.json"
        write_whole(request_file, json.dumps(request, ensure_ascii=False).encode())
        command = [sys.executable, "-m", "collectors.crawl", str(request_file)]
        with (spool / "crawl.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        yield from _follow(process, spool)
    for source in sources:
        if not spool_paths(spool, source.id).health.is_file():
            _close_unfinished(spool, source.id, f"the crawl process ended with code {process.returncode}")
            yield source.id


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


def _close_unfinished(spool: Path, source_id: str, detail: str) -> None:
    """Keep the whole lines of a source that was not read to its end, and say that it was not."""
    paths = spool_paths(spool, source_id)
    lines = paths.partial.read_bytes() if paths.partial.is_file() else b""
    whole = lines[: lines.rfind(b"\n") + 1]
    if not paths.items.is_file():
        write_whole(paths.items, whole)
    count = paths.items.read_bytes().count(b"\n")
    health = SourceHealth(
        source_id=source_id, status="partial" if count else "failed", reason="interrupted", detail=detail, item_count=count
    )
    write_health(spool, health)
    paths.partial.unlink(missing_ok=True)


@contextmanager
def replay_hosts(project: Project, city: City) -> Iterator[dict[str, str]]:
    """Yield host pattern -> loopback address:port; start the replay server for as long if the city asks for it."""
    if "replay" not in city.hosts.values():
        yield dict(city.hosts)
        return
    from pipelines.pilot.server import ReplayServer

    with ReplayServer(project.pilot / "served") as server:
        yield {pattern: f"127.0.0.1:{server.port}" if address == "replay" else address for pattern, address in city.hosts.items()}


def append_orphans(warehouse: Warehouse, project: Project, city: City) -> int:
    """Append what crawls that were killed left in their spools; return how many sources that were."""
    known = {spool for (spool,) in warehouse.query("select spool from batch where city = $city", {"city": city.id})}
    count = 0
    for request_file in sorted((project.raw / city.id).glob("*/request.json")):
        spool = request_file.parent
        request = json.loads(request_file.read_text(encoding="utf-8"))
        period = Period(
            datetime.fromisoformat(request["start"]).astimezone(city.zone),
            datetime.fromisoformat(request["end"]).astimezone(city.zone),
            city.zone,
        )
        for source_id in request["sources"]:
            paths = spool_paths(spool, source_id)
            if _spool_name(spool, source_id) in known or not any(path.is_file() for path in paths):
                continue
            if not paths.health.is_file():
                _close_unfinished(spool, source_id, "the run was killed")
            append_source(warehouse, city, spool, source_id, period)
            count += 1
    return count


def append_source(warehouse: Warehouse, city: City, spool: Path, source_id: str, period: Period) -> SourceOutcome:
    """Append one source's spool in one transaction: batch, new versions, texts, health and cursor together."""
    health = load_health(spool, source_id)
    items = list(load_items(spool, source_id))
    instant = next_instant(warehouse, city.id, city.clock)
    with warehouse.transaction():
        ((number,),) = warehouse.query("select coalesce(max(batch_number), 0) + 1 from batch")
        rows, texts = _new_versions(warehouse, city, items, number, instant)
        warehouse.append("manifestation", rows)
        warehouse.append("manifestation_text", texts)
        shared = {
            "batch_number": number,
            "city": city.id,
            "source_id": source_id,
            "period_start": period.start_utc,
            "period_end": period.end_utc,
            "observed_at": instant,
        }
        batch = {"run_id": spool.name, "spool": _spool_name(spool, source_id), "item_count": len(items)}
        complete = health.reason != "interrupted"
        warehouse.append("batch", [{**shared, **batch, "added_count": len(rows), "complete": complete}])
        warehouse.append("source_health", [{**asdict(health), **shared, **_instants(health)}])
    return SourceOutcome(health, len(rows))


def _new_versions(
    warehouse: Warehouse, city: City, items: Sequence[Manifestation], batch_number: int, instant: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of (manifestation, manifestation_text) that the warehouse does not have yet.

    An item whose newest version here is the current one of the warehouse is unchanged, whatever came before it.
    """
    versions: dict[str, dict[str, tuple[int, Manifestation]]] = {}
    newest: dict[str, str] = {}
    for position, item in enumerate(items):
        identity = manifestation_id(item.source_id, item.native_id, item.url, item.text)
        digest = version_digest(item)
        versions.setdefault(identity, {})[digest] = (position, item)
        newest[identity] = digest
    known = _known_versions(warehouse, list(versions))
    rows, texts = [], []
    for identity, by_digest in versions.items():
        have = known.get(identity, [])
        if have and have[-1] == newest[identity]:
            continue
        fresh = [digest for digest in by_digest if digest not in have or digest == newest[identity]]
        for number, digest in enumerate(fresh, start=len(have) + 1):
            position, item = by_digest[digest]
            common = {"manifestation_id": identity, "version": digest}
            rows.append({**common, **_row(item, city, number, batch_number, position, instant)})
            if digest not in have:
                texts.append({**common, "title": item.title, "text": item.text})
    return rows, texts


def _known_versions(warehouse: Warehouse, identities: Sequence[str]) -> dict[str, list[str]]:
    """Return manifestation id -> its version digests, oldest first, for those of the ids that the warehouse has."""
    warehouse.temporary("incoming", [{"manifestation_id": identity} for identity in identities], {"manifestation_id": "varchar"})
    known: dict[str, list[str]] = {}
    for identity, version in warehouse.query_file("known_versions"):
        known.setdefault(identity, []).append(version)
    return known


def _row(item: Manifestation, city: City, number: int, batch: int, position: int, instant: datetime) -> dict[str, Any]:
    fields = asdict(item)
    for name in ("author", "text", "title"):
        del fields[name]
    return {
        **fields,
        "city": city.id,
        "version_number": number,
        "text_digest": text_digest(normalise_for_comparison(item.text)),
        "text_length": len(item.text),
        "first_seen_at": instant,
        "batch_number": batch,
        "batch_position": position,
    }


def _instants(health: SourceHealth) -> Mapping[str, datetime | None]:
    return {
        name: datetime.fromisoformat(value) if (value := getattr(health, name)) else None
        for name in ("first_published_at", "last_published_at")
    }


def _spool_name(spool: Path, source_id: str) -> str:
    return f"{spool.parent.name}/{spool.name}/{source_id}"
