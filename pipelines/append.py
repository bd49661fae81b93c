"""Append: what a crawl left in its spool goes into the warehouse, source by source, each in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from collectors.archive import drop_draft
from collectors.catalog import City
from collectors.health import SourceHealth
from collectors.items import Manifestation, manifestation_id, version_date, version_digest
from collectors.period import Period
from collectors.spool import load_frontier, load_health, load_items, spool_paths, write_health, write_whole
from collectors.text import normalise_for_comparison
from collectors.watching import UNWATCHED, SourceWatch
from pipelines.absences import absence_rows, find_absences
from pipelines.digests import text_digest
from pipelines.project import Project
from pipelines.warehouse import Warehouse, next_instant
from pipelines.watching import watch_sources

UNSTORABLE = (ValueError, TypeError, KeyError, OverflowError, duckdb.DataError)
"""What a torn spool or an impossible value raises; a full disk or a lost lock is none of these."""


CUT_OFF = ("interrupted", "budget_requests", "budget_megabytes", "budget_seconds")
"""Reasons of a walk that did not come to its end; the next one over the same window goes on from there."""


@dataclass(frozen=True)
class SourceOutcome:
    """What one source brought in one collection."""

    health: SourceHealth
    added_count: int
    """New manifestations and new versions."""

    watch: SourceWatch = UNWATCHED
    """What the source's own past says about what it gave."""


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
                close_unfinished(spool, source_id, "the run was killed")
            append_source(warehouse, city, spool, source_id, period, reread="archived" in request)
            count += 1
    return count


def append_source(
    warehouse: Warehouse, city: City, spool: Path, source_id: str, period: Period, *, reread: bool = False
) -> SourceOutcome:
    """Append one source's spool in one transaction: batch, new versions, texts, health and cursor together.

    A spool that cannot be stored is set aside as `<source>.jsonl.rejected` and the source told as failed: it must not
    stand in the way of the other sources, nor of the next run. What was `reread` from the raw archive is no news of the
    source: how it fared when it was collected stays what a report tells.
    """
    try:
        health, items = load_health(spool, source_id), list(load_items(spool, source_id))
        return _append(warehouse, city, spool, period, health, items, reread=reread)
    except UNSTORABLE as error:
        paths = spool_paths(spool, source_id)
        if paths.items.is_file():
            paths.items.replace(paths.items.with_suffix(".jsonl.rejected"))
        detail = f"what it gave cannot be stored ({type(error).__name__}); it is kept as {source_id}.jsonl.rejected"
        health = SourceHealth(source_id=source_id, status="failed", reason="parse_error", detail=detail)
        write_health(spool, health)
        return _append(warehouse, city, spool, period, health, [], reread=reread)


def _append(
    warehouse: Warehouse,
    city: City,
    spool: Path,
    period: Period,
    health: SourceHealth,
    items: list[Manifestation],
    *,
    reread: bool,
) -> SourceOutcome:
    source_id = health.source_id
    instant = next_instant(warehouse, city.id, city.clock)
    given = {manifestation_id(item.source_id, item.native_id, item.url, item.text) for item in items}
    # Before an unchanged source takes its earlier outcome; an archive shows what was there, not what is.
    absences = [] if reread else find_absences(warehouse, city, period, health, given)
    health = _carry_on(warehouse, city, period, health)
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
        batch = {"run_id": spool.name, "spool": _spool_name(spool, source_id), "item_count": len(items), "reread": reread}
        complete = health.reason != "interrupted"
        warehouse.append("batch", [{**shared, **batch, "added_count": len(rows), "complete": complete}])
        warehouse.append("manifestation_absence", absence_rows(absences, city, source_id, number, instant))
        _append_health(warehouse, health, shared)
        watch = watch_sources(warehouse, city, period, {source_id: health.status}, seen_until=instant).get(source_id, UNWATCHED)
        warehouse.append("source_watch", [{**shared, "verdict": watch.verdict, "about": watch.about}])
        learned = {"city": city.id, "source_id": source_id, "batch_number": number}
        warehouse.append("source_memory", [{**learned, "key": key, "value": value} for key, value in health.memory.items()])
        warehouse.append("source_frontier", _frontier_rows(spool, health, shared))
    return SourceOutcome(health, len(rows), watch)


def append_resting(
    warehouse: Warehouse, city: City, run_id: str, source_id: str, period: Period, until: datetime
) -> SourceOutcome:
    """Append that a source was not asked, because it failed too often, and until when (aware) it rests."""
    told = f"it failed several days in a row; not asked until {until.astimezone(city.zone).isoformat(timespec='minutes')}"
    detail = f"{told}; `--source {source_id}` asks it anyway"
    health = SourceHealth(source_id=source_id, status="not_collected", reason="quarantined", detail=detail)
    instant = next_instant(warehouse, city.id, city.clock)
    with warehouse.transaction():
        ((number,),) = warehouse.query("select coalesce(max(batch_number), 0) + 1 from batch")
        shared = {"batch_number": number, "city": city.id, "source_id": source_id, "observed_at": instant}
        shared |= {"period_start": period.start_utc, "period_end": period.end_utc}
        batch = {"run_id": run_id, "spool": f"{city.id}/{run_id}/{source_id}", "item_count": 0, "added_count": 0}
        warehouse.append("batch", [{**shared, **batch, "complete": False}])
        _append_health(warehouse, health, shared)
    return SourceOutcome(health, 0)


def _append_health(warehouse: Warehouse, health: SourceHealth, shared: Mapping[str, Any]) -> None:
    told = {name: value for name, value in asdict(health).items() if name not in ("memory", "covers")}
    warehouse.append("source_health", [{**told, **shared, **_instants(health)}])


def _frontier_rows(spool: Path, health: SourceHealth, shared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the threads that a walk which was cut off has read whole; a walk that came to its end leaves none."""
    if health.reason not in CUT_OFF:
        return []
    read = load_frontier(spool, health.source_id)
    return [{**shared, "place": place, "found": found} for place, found in sorted(read.items())]


def _carry_on(warehouse: Warehouse, city: City, period: Period, health: SourceHealth) -> SourceHealth:
    """Give a source that did not change the outcome and counts that its window had before: it still shows the same items."""
    if health.reason != "unchanged":
        return health
    window = {"city": city.id, "source": health.source_id, "start": period.start_utc, "end": period.end_utc}
    before = warehouse.query_file("last_outcome", window)
    if not before:
        return health
    status, reason, items, undated, skipped = before[0]
    return replace(health, status=status, reason=reason, item_count=items, undated_count=undated, skipped_count=skipped)


def _new_versions(
    warehouse: Warehouse, city: City, items: Sequence[Manifestation], batch_number: int, instant: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of (manifestation, manifestation_text) that the warehouse does not have yet.

    An item whose newest version here is the current one of the warehouse is unchanged, whatever came before it. One whose
    text was erased does not come back, edited or not.
    """
    versions: dict[str, dict[str, tuple[int, Manifestation]]] = {}
    newest: dict[str, str] = {}
    for position, item in enumerate(items):
        identity = manifestation_id(item.source_id, item.native_id, item.url, item.text)
        digest = version_digest(item)
        versions.setdefault(identity, {})[digest] = (position, item)
        newest[identity] = digest
    known, instants, erased = _known_versions(warehouse, list(versions))
    rows, texts = [], []
    for identity, by_digest in versions.items():
        have = known.get(identity, [])
        if identity in erased or (have and have[-1] == newest[identity]):
            continue
        fresh = [digest for digest in by_digest if digest not in have or digest == newest[identity]]
        for number, digest in enumerate(fresh, start=len(have) + 1):
            position, item = by_digest[digest]
            found = version_date(item.published_at, item.published_raw) or instant
            # One that came back is found as it was the first time; a row of an earlier version of the program has no instant.
            common = {"manifestation_id": identity, "version": digest, "version_at": instants.get((identity, digest), found)}
            rows.append({**common, **_row(item, city, number, batch_number, position, instant)})
            if digest not in have:
                texts.append({**common, "title": item.title, "text": item.text})
    return rows, texts


def _known_versions(
    warehouse: Warehouse, identities: Sequence[str]
) -> tuple[dict[str, list[str]], dict[tuple[str, str], datetime | None], set[str]]:
    """Return what the warehouse has: id -> versions, oldest first; (id, version) -> its instant; ids whose text was erased."""
    warehouse.temporary("incoming", [{"manifestation_id": identity} for identity in identities], {"manifestation_id": "varchar"})
    known: dict[str, list[str]] = {}
    instants: dict[tuple[str, str], datetime | None] = {}
    erased: set[str] = set()
    for identity, version, gone, version_at in warehouse.query_file("known_versions"):
        known.setdefault(identity, []).append(version)
        instants.setdefault((identity, version), version_at)
        if gone:
            erased.add(identity)
    return known, instants, erased


def _row(item: Manifestation, city: City, number: int, batch: int, position: int, instant: datetime) -> dict[str, Any]:
    fields = asdict(item)
    for name in ("author", "text", "title"):
        del fields[name]
    return {
        **fields,
        "url_keys": list(item.url_keys) or None,
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


def close_unfinished(spool: Path, source_id: str, detail: str) -> None:
    """Keep the whole lines of a source that was not read to its end, and say that it was not."""
    paths = spool_paths(spool, source_id)
    lines = paths.partial.read_bytes() if paths.partial.is_file() else b""
    whole = lines[: lines.rfind(b"\n") + 1]
    if not paths.items.is_file():
        write_whole(paths.items, whole)
    count = paths.items.read_bytes().count(b"\n")
    if drop_draft(spool, source_id):
        detail += "; what there was of its raw archive was dropped"
    health = SourceHealth(
        source_id=source_id, status="partial" if count else "failed", reason="interrupted", detail=detail, item_count=count
    )
    write_health(spool, health)
    paths.partial.unlink(missing_ok=True)
