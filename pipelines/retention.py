"""Retention: what is past its days, and what somebody asked to be left alone, goes from every file of the project.

What is past the retention of its source loses its words and everything that leads to a person, and still counts: a bare
row stays, with its dates, its labels and the digest that is its identity, so that it does not come back as new. What the
list of exclusions names goes whole and counts no more; `erasure` says how many those were, and never which.

The order makes a kill at any instant harmless: raw files and old copies first, the published copy next, the warehouse
last and in one rename. Until then the warehouse still knows what is due, and running again goes on from there.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.exclusions import Exclusions, Stored, StoredExclusions, load_exclusions
from collectors.pseudonyms import load_secret
from pipelines.append import append_orphans
from pipelines.labels.erasure import clean_label_files
from pipelines.page_erasure import quoting_files, quoting_reports, rewrite_reports
from pipelines.project import Project
from pipelines.raw_erasure import RawErasure, identity_of, is_aged, remove_aged_orphans, stored_form
from pipelines.rewriting import ERASURE, check_room, remove_drafts, rewrite
from pipelines.runs import record_run
from pipelines.warehouse import Warehouse, next_instant, used_parameters


@dataclass(frozen=True)
class Applied:
    """What one application of retention and exclusions took away, or would."""

    city: str
    erased: Mapping[str, int]
    """Source id -> items that lost their words because their days were over."""

    withdrawn: Mapping[str, int]
    """Source id -> items that the list of exclusions took away."""

    spool_item_count: int
    """Lines of spools."""

    file_count: int
    """Raw files, archives and copies of the warehouse that went whole."""

    label_file_count: int
    """Workbooks of labellers that were written anew without a text, or went."""

    own_files: tuple[str, ...]
    """Files of the city itself, from which sources are read: they are not the program's to remove."""

    report_file_count: int = 0
    """Files of reports that quoted what went; the newest pages of them are written anew without the quote."""


def apply_retention(warehouse: Warehouse, project: Project, city: City, *, dry_run: bool = False) -> Applied:
    """Erase what is due in a city, physically and everywhere below the project folder; running it again finds nothing.

    Args:
        warehouse: open for writing, alone; its connection is another one afterwards. With `dry_run`, reading is enough.
        project: whose files.
        city: whose items. Days are counted to now, or to the clock of a synthetic city.
        dry_run: only count.

    Raises:
        SecretError: if the list of exclusions has to be compared with keys, and there is no secret.
        DiskTooSmallError: if a second warehouse file has no room; nothing was changed.
    """
    exclusions = load_exclusions(project.exclusions)
    now = city.now().astimezone(UTC)
    days = retention_days(city)
    file_count = 0
    if not dry_run:
        remove_drafts(project)
        known = {spool for (spool,) in warehouse.query("select spool from batch where city = $city", {"city": city.id})}
        file_count = remove_aged_orphans(project.raw / city.id, known, days, now)
        append_orphans(warehouse, project, city)
    parameters = _parameters(city, days, now)
    matcher = _matcher(project, city, exclusions)
    erasures = _stage(warehouse, city, parameters, matcher)
    ((leftovers,),) = _query(warehouse, "leftovers", parameters)
    pending = bool(erasures) or bool(leftovers)
    if pending and not dry_run:
        check_room(project)
    raw = _raw_erasure(warehouse, project, city, parameters, matcher, dry_run=dry_run)
    raw.clean_spools()
    raw.clean_archives(city, partial(_has_no_archive, city, exclusions), partial(_archive_aged, warehouse, city, days, now))
    label_file_count = clean_label_files(warehouse, project, city, dry_run=dry_run)
    copies = project.migration_copies if pending else []
    quoting = quoting_reports(warehouse, city)
    quoted = quoting_files(project, city, quoting)
    if pending and not dry_run:
        for path in (*copies, *quoted):
            path.unlink()
        _rewrite(warehouse, project, city, parameters, erasures)
        rewrite_reports(warehouse, project, city, quoting, quoted)
    return Applied(
        city=city.id,
        erased=_by_reason(erasures, "retention"),
        withdrawn=_by_reason(erasures, "exclusion"),
        spool_item_count=raw.item_count,
        file_count=file_count + raw.file_count + len(copies),
        label_file_count=label_file_count,
        own_files=tuple(sorted({source.url for source in city.sources if source.host is None})),
        report_file_count=len(quoted),
    )


def retention_days(city: City) -> Callable[[str], int]:
    """Return what gives the retention of a source; one that the city's file no longer names has the shortest of them all."""
    own = {source.id: source.retention_days for source in city.sources}
    shortest = min(own.values())
    return lambda source_id: own.get(source_id, shortest)


def overdue(warehouse: Warehouse, city: City, now: datetime) -> tuple[int, datetime | None]:
    """Return how many items of a city are past their retention at an instant, and since when the first of them is."""
    parameters = _parameters(city, retention_days(city), now)
    _stage_sources(warehouse, city)
    rows = _query(warehouse, "due_items", parameters)
    return len(rows), min((row[3] for row in rows), default=None)


def _parameters(city: City, days: Callable[[str], int], now: datetime) -> dict[str, Any]:
    return {
        "city": city.id,
        "now": now,
        "shortest_days": days(""),
        "unit": city.period,
        "timezone": city.timezone,
    }


def _query(warehouse: Warehouse, name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    sql = (ERASURE / f"{name}.sql").read_text(encoding="utf-8")
    return warehouse.query(sql, used_parameters(sql, parameters))


def _matcher(project: Project, city: City, exclusions: Exclusions) -> StoredExclusions | None:
    """Return the list as it applies to what is stored; None if it is empty."""
    if not (exclusions.urls or exclusions.domains or exclusions.authors):
        return None
    secret = load_secret(os.environ, synthetic=city.synthetic)
    addresses = {source.id: [source.url, source.options.asked or source.url] for source in city.sources if source.host}
    return StoredExclusions(exclusions, secret, addresses)


def _stage_sources(warehouse: Warehouse, city: City) -> None:
    rows = [{"source_id": source.id, "retention_days": source.retention_days} for source in city.sources]
    warehouse.temporary("source_retention", rows, {"source_id": "varchar", "retention_days": "integer"})


def _stage(
    warehouse: Warehouse, city: City, parameters: Mapping[str, Any], matcher: StoredExclusions | None
) -> list[dict[str, Any]]:
    """Lay out what goes as temporary tables, and return the rows of `erasure` that tell it (without run and instant)."""
    _stage_sources(warehouse, city)
    withdrawn = _withdrawn(warehouse, city, parameters, matcher) if matcher is not None else {}
    due = [row for row in _query(warehouse, "due_items", parameters) if row[0] not in withdrawn]
    identity_column = {"manifestation_id": "varchar"}
    warehouse.temporary("due_item", [{"manifestation_id": row[0]} for row in due], identity_column)
    warehouse.temporary("excluded_item", [{"manifestation_id": identity} for identity in withdrawn], identity_column)
    sql = (ERASURE / "version_kept.sql").read_text(encoding="utf-8")
    warehouse.query(f"create or replace temp table version_kept as {sql}")
    told: list[tuple[str, str, date | None, bool]]
    told = [("retention", source_id, None, is_message) for _, source_id, is_message, _ in due]
    told += [("exclusion", source_id, day, kind == "manifestation") for source_id, kind, day in withdrawn.values()]
    return _count(city, told)


def _withdrawn(
    warehouse: Warehouse, city: City, parameters: Mapping[str, Any], matcher: StoredExclusions
) -> dict[str, tuple[str, str, date | None]]:
    """Return id -> (source, kind, day of publication) of the items that the list names in any of their versions."""
    newest: dict[str, tuple[str, str, date | None]] = {}
    named: set[str] = set()
    for identity, source_id, kind, native_id, url, author_key, url_keys, published in _query(
        warehouse, "identifying", parameters
    ):
        newest[identity] = (source_id, kind, published.astimezone(city.zone).date() if published else None)
        if matcher.name(Stored(source_id, native_id, url, author_key, tuple(url_keys or ()))):
            named.add(identity)
    return {identity: found for identity, found in newest.items() if identity in named}


def _count(city: City, told: list[tuple[str, str, date | None, bool]]) -> list[dict[str, Any]]:
    """Return the rows of `erasure` for items told as (reason, source, day, whether it is a person's message)."""
    items = Counter(row[:3] for row in told)
    messages = Counter(row[:3] for row in told if row[3])
    return [
        {
            "city": city.id,
            "source_id": key[1],
            "reason": key[0],
            "published_day": key[2],
            "item_count": count,
            "message_count": messages[key],
        }
        for key, count in sorted(items.items(), key=str)
    ]


def _rewrite(
    warehouse: Warehouse,
    project: Project,
    city: City,
    parameters: Mapping[str, Any],
    erasures: list[dict[str, Any]],
) -> None:
    applied_at = next_instant(warehouse, city.id, city.clock)
    with record_run(warehouse, project, city, "retention", None) as run:
        told = [{"run_id": run.run_id, "applied_at": applied_at, **row} for row in erasures]
        # Nobody keeps the salt: what it makes cannot be led back, by the secret neither.
        rewrite(warehouse, project, {**parameters, "applied_at": applied_at, "salt": secrets.token_hex(32)}, told)


def _raw_erasure(
    warehouse: Warehouse,
    project: Project,
    city: City,
    parameters: Mapping[str, Any],
    matcher: StoredExclusions | None,
    *,
    dry_run: bool,
) -> RawErasure:
    erased = {identity for (identity,) in _query(warehouse, "erased_items", parameters)}
    due = {spool: aged for spool, _, _, _, aged in _query(warehouse, "batches", parameters)}

    def goes(item: Mapping[str, Any]) -> bool:
        return identity_of(item) in erased or (matcher is not None and matcher.name(stored_form(item)))

    return RawErasure(
        project.raw / city.id, lambda spool, source: due.get(f"{city.id}/{spool.name}/{source}", False), goes, dry_run=dry_run
    )


def _has_no_archive(city: City, exclusions: Exclusions, source_id: str) -> bool:
    """Tell whether a source may have no archive, because the list names something in it: raw bytes cannot be picked apart."""
    from collectors.archive import may_be_archived

    known = {source.id: source for source in city.sources}
    return source_id in known and not may_be_archived(known[source_id], exclusions)


def _archive_aged(
    warehouse: Warehouse, city: City, days: Callable[[str], int], now: datetime, path: Path, source_id: str
) -> bool:
    from collectors.archive import archive_days

    known = {source.id: source for source in city.sources}
    kept = archive_days(known[source_id]) if source_id in known else min(days(source_id), 90)
    run_id = path.name.partition(".")[0]
    rows = warehouse.query(
        "select min(observed_at) from batch where city = $city and source_id = $source and run_id = $run",
        {"city": city.id, "source": source_id, "run": run_id},
    )
    seen = rows[0][0]
    return is_aged(run_id, kept, now) if seen is None else (now - seen).total_seconds() >= kept * 86_400


def _by_reason(erasures: list[dict[str, Any]], reason: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in erasures:
        if row["reason"] == reason:
            counts[row["source_id"]] += row["item_count"]
    return dict(sorted(counts.items()))
