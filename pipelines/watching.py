"""Watching: what each source's own past in the warehouse says about a window, as seen at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from collectors.catalog import City
from collectors.health import Status
from collectors.period import Period
from collectors.watching import HISTORY, MIN_ITEMS, Past, Shown, SourceWatch, expect_from_city, watch_source
from pipelines.warehouse import Warehouse

FIELDS = ("author", "date", "id", "link", "parent", "reactions")
"""What an item may show or lack, in the order of the columns of `watched_days.sql`."""


@dataclass
class _Gathered:
    """What the queries gave of one source."""

    days: dict[str, defaultdict[date, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    """`before` or `window` -> day -> items."""

    undated_count: int = 0
    shown: dict[str, defaultdict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0] * (2 + len(FIELDS))))
    )
    """Part -> kind -> sums of items, characters and fields."""

    mean_lengths: list[float] = field(default_factory=list)
    alike_count: int = 0
    read_days: set[date] = field(default_factory=set)
    text_shares: list[float] = field(default_factory=list)
    text_share: float | None = None


def watch_sources(
    warehouse: Warehouse, city: City, period: Period, statuses: Mapping[str, Status], *, seen_until: datetime
) -> dict[str, SourceWatch]:
    """Return source id -> what the watch says of it for a window; the same warehouse and instant give the same answer.

    Args:
        warehouse: what was collected.
        city: its file says what to expect where the past is too short.
        period: the window; its days that had not passed at `seen_until` are left out.
        statuses: source id -> how it was read for the window; these sources are watched, as far as the city's file has them.
        seen_until: what was seen later is not looked at.
    """
    window = {"city": city.id, "sources": sorted(statuses), "seen_until": seen_until, "timezone": city.timezone}
    window |= {"start": period.start_utc, "end": period.end_utc, "since": period.start_utc - HISTORY}
    gathered = _gather(warehouse, city, period, window)
    passed = [day for day in period.days() if _end_of(day, city) <= seen_until]
    watches = {}
    for source in city.sources:
        if source.id in statuses:
            expectation = expect_from_city(source.expect, len(passed), city.period)
            past = _past(gathered[source.id], passed)
            watches[source.id] = watch_source(past, status=statuses[source.id], expectation=expectation)
    return watches


def watch_columns(watch: SourceWatch) -> dict[str, Any]:
    """Return a watch as a row of the report tables; texts, counts and days only."""
    return {
        "verdict": watch.verdict,
        "verdict_about": watch.about or None,
        "watched_count": watch.item_count,
        "expected_low": None if watch.expected.origin == "none" else watch.expected.low,
        "expected_high": None if watch.expected.origin == "none" else watch.expected.high,
        "expected_from": watch.expected.origin,
        "last_item_on": watch.last_item_on,
        "silent_days": watch.silent_days,
        "usual_gap_days": watch.usual_gap_days,
    }


WATCH_COLUMNS = {
    "verdict": "varchar",
    "verdict_about": "varchar",
    "watched_count": "bigint",
    "expected_low": "bigint",
    "expected_high": "bigint",
    "expected_from": "varchar",
    "last_item_on": "date",
    "silent_days": "bigint",
    "usual_gap_days": "bigint",
}


def _gather(warehouse: Warehouse, city: City, period: Period, window: Mapping[str, Any]) -> dict[str, _Gathered]:
    gathered: dict[str, _Gathered] = defaultdict(_Gathered)
    for source_id, part, day, kind, *sums in warehouse.query_file("watched_days", window):
        one = gathered[source_id]
        if day is not None:
            one.days[part][day] += sums[0]
        elif part == "window":
            one.undated_count += sums[0]
        one.shown[part][kind] = [total + more for total, more in zip(one.shown[part][kind], sums, strict=True)]
        if part == "before" and day is not None and kind == "manifestation":
            one.mean_lengths.append(sums[1] / sums[0])
    for source_id, count in warehouse.query_file("watched_texts", window):
        gathered[source_id].alike_count = count or 0
    for source_id, start, end, observed_at, status, items, skipped in warehouse.query_file("watched_collections", window):
        one = gathered[source_id]
        if status != "partial" and start < period.start_utc:
            one.read_days |= set(_days_read(city, start, min(end, period.start_utc, observed_at)))
        if items + skipped >= MIN_ITEMS:
            share = items / (items + skipped)
            if end > period.start_utc:
                one.text_share = share
            else:
                one.text_shares.append(share)
    return gathered


def _past(one: _Gathered, passed: Sequence[date]) -> Past:
    before = one.days["before"]
    first = min(before, default=None)
    days = {day: before.get(day, 0) for day in sorted(one.read_days) if first is not None and day >= first}
    return Past(
        window_days=passed,
        days=days,
        window={day: count for day, count in one.days["window"].items() if day in set(passed)},
        undated_count=one.undated_count,
        shown_before=_shown(one.shown["before"]),
        shown=_shown(one.shown["window"]),
        mean_lengths=one.mean_lengths,
        text_shares=one.text_shares,
        text_share=one.text_share,
        alike_count=one.alike_count,
    )


def _shown(sums: Mapping[str, Iterable[int]]) -> dict[str, Shown]:
    shown = {}
    for kind, (items, characters, *filled) in sums.items():
        shown[kind] = Shown(item_count=items, text_length=characters, filled=dict(zip(FIELDS, filled, strict=True)))
    return shown


def _days_read(city: City, start: datetime, end: datetime) -> Iterator[date]:
    """Yield the days of the city that lie wholly between two instants."""
    day = start.astimezone(city.zone).date()
    while _end_of(day, city) <= end:
        if datetime.combine(day, time(), city.zone) >= start:
            yield day
        day += timedelta(days=1)


def _end_of(day: date, city: City) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), city.zone).astimezone(UTC)
