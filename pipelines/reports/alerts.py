"""The step that watches categories, issues and sources day by day, against the city's own earlier days in the warehouse.

A category or an issue is watched over sources that were read whole and as they used to be, on the days on which all of them
were: a source that died is a matter of that source, and takes nothing from a category.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from collectors.watching import HISTORY
from pipelines.digests import value_digest
from pipelines.reports.alarms import ALARM_RATE, MIN_COUNT, MIN_HISTORY, Alarm, find_alarms
from pipelines.staging import Build, stage
from pipelines.warehouse import Warehouse

LENGTHS = (182, 91, 56, MIN_HISTORY)
"""Days of history to try, the longest first."""

MOST = 0.8
"""Share of the window's messages that the sources with so long a history must hold, for it to be chosen."""

Voices = Mapping[tuple[str, str], Mapping[tuple[str, date], int]]
"""(measure, key) -> (source id, day) -> voices."""

ALERT_COLUMNS = {
    "channel": "varchar",
    "position": "integer",
    "measure": "varchar",
    "key": "varchar",
    "direction": "varchar",
    "first_day": "date",
    "last_day": "date",
    "item_count": "bigint",
    "expected_low": "bigint",
    "expected_high": "bigint",
    "expected_mean": "double",
    "history_days": "bigint",
    "p_value": "double",
}

WATCH_COLUMNS = {
    "channel": "varchar",
    "standing": "varchar",
    "history_first": "date",
    "history_days": "bigint",
    "series_count": "bigint",
    "alarm_rate": "double",
}


@dataclass(frozen=True)
class _History:
    """The sources of a channel that categories are watched over, and the earlier days on which all of them were read."""

    sources: tuple[str, ...]
    days: tuple[date, ...]


def load_alerts(build: Build) -> dict[str, str]:
    """Stage the days before the window and in it; return their digests."""
    since = build.period.first_date - HISTORY
    window = {**build.window, "since": build.period.start_utc - HISTORY - timedelta(hours=2)}
    window |= {"since_day": since, "last_day": build.period.last_date}
    digests = {}
    for name in ("alert_day", "alert_read_day"):
        stage(build.warehouse, name, window)
        rows = build.warehouse.query(f"select * from {name} order by all")  # noqa: S608  our own names
        digests[name] = value_digest([list(map(str, row)) for row in rows])
    return digests


def compute_alerts(build: Build) -> None:
    """Stage `alert` and `alert_watch`, for each channel of the city."""
    warehouse = build.warehouse
    voices = _load_voices(warehouse)
    read: defaultdict[str, set[date]] = defaultdict(set)
    for source_id, day in warehouse.query("select source_id, day from alert_read_day"):
        read[source_id].add(day)
    alerts: list[dict[str, Any]] = []
    watched = []
    for (channel,) in warehouse.query("select channel from city_channel order by channel"):
        sql = "select source_id, well_now from source_comparison where channel = $channel and read_now order by position"
        whole = dict(warehouse.query(sql, {"channel": channel}))
        found, watch = watch_channel(build, voices, read, whole)
        found.sort(key=lambda row: (row["p_value"], row["measure"], row["key"], row["first_day"]))
        alerts += [{"channel": channel, "position": position, **row} for position, row in enumerate(found, start=1)]
        watched.append({"channel": channel, "alarm_rate": ALARM_RATE, **watch})
    warehouse.temporary("alert", alerts, ALERT_COLUMNS)
    warehouse.temporary("alert_watch", watched, WATCH_COLUMNS)


def watch_channel(
    build: Build, voices: Voices, read: Mapping[str, set[date]], whole: Mapping[str, bool]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the alerts of a channel, and what they rest on.

    Args:
        build: whose window.
        voices: what was heard day by day.
        read: source id -> days on which it was read whole.
        whole: the channel's sources that were read whole; true for those that are as they used to be, over which categories and
            issues are watched.
    """
    well = [source for source, usual in whole.items() if usual]
    passed = [day for day in build.period.days() if all(day in read[source] for source in well)] if well else []
    history = _choose_history(build, voices, read, well)
    if history is None or not passed:
        standing = "short_history" if history is None else "short_window"
        return [], {"standing": standing, "history_first": None, "history_days": 0, "series_count": 0}
    apart = [source for source in whole if read[source] >= {*history.days, *passed}]
    series = _series(voices, history, passed, apart)
    past = np.array([_days(voices[one], sources, history.days) for one, sources in series])
    now = np.array([_days(voices[one], sources, passed) for one, sources in series])
    alarms = find_alarms(past, _weekdays(history.days), now, _weekdays(passed)) if series else []
    rows = [_row(alarm, series[alarm.series][0], passed, history) for alarm in alarms]
    watch = {"standing": "watched", "history_first": history.days[0], "history_days": len(history.days)}
    return rows, watch | {"series_count": len(series)}


def _load_voices(warehouse: Warehouse) -> Voices:
    voices: defaultdict[tuple[str, str], dict[tuple[str, date], int]] = defaultdict(dict)
    for source_id, day, measure, key, count in warehouse.query("select * from alert_day"):
        voices[measure, key][source_id, day] = count
    return voices


def _choose_history(build: Build, voices: Voices, read: Mapping[str, set[date]], well: Sequence[str]) -> _History | None:
    """Return the longest history of those sources that hold most of what the window's sources said; None if it is too short."""
    first = build.period.first_date
    said = {
        source: sum(count for (_, day), count in voices.get(("source", source), {}).items() if day >= first) for source in well
    }
    for length in LENGTHS:
        days = [first - timedelta(days=back) for back in range(length, 0, -1)]
        longest = max((len(read[source] & set(days)) for source in well), default=0)
        if longest < max(MIN_HISTORY, 0.9 * length):
            continue
        chosen = tuple(source for source in well if len(read[source] & set(days)) >= 0.9 * longest)
        unread = {day for _, day in voices.get(("unread", "unread"), {})}
        common = tuple(day for day in days if day not in unread and all(day in read[source] for source in chosen))
        if len(common) >= MIN_HISTORY and sum(said[source] for source in chosen) >= MOST * sum(said.values()):
            return _History(chosen, common)
    return None


def _series(
    voices: Voices, history: _History, passed: Sequence[date], apart: Sequence[str]
) -> list[tuple[tuple[str, str], tuple[str, ...]]]:
    """Return the series that are watched, with their sources: those of which enough was heard before or is heard now."""
    days = set(history.days) | set(passed)
    listed = []
    for measure, key in sorted(voices):
        own = tuple(source for source in apart if source == key) if measure == "source" else history.sources
        if measure == "unread" or key in ("otros", "unclassified") or not own:
            continue
        heard = sum(count for (source, day), count in voices[measure, key].items() if source in own and day in days)
        if heard >= MIN_COUNT:
            listed.append(((measure, key), own))
    return listed


def _days(counts: Mapping[tuple[str, date], int], sources: Sequence[str], days: Sequence[date]) -> list[float]:
    return [float(sum(counts.get((source, day), 0) for source in sources)) for day in days]


def _weekdays(days: Sequence[date]) -> npt.NDArray[np.int64]:
    return np.array([day.weekday() for day in days], dtype=np.int64)


def _row(alarm: Alarm, series: tuple[str, str], passed: Sequence[date], history: _History) -> dict[str, Any]:
    measure, key = series
    return {
        "measure": measure,
        "key": key,
        "direction": alarm.direction,
        "first_day": passed[alarm.first],
        "last_day": passed[alarm.first + alarm.length - 1],
        "item_count": alarm.count,
        "expected_low": alarm.low,
        "expected_high": alarm.high,
        "expected_mean": round(alarm.mean, 6),
        "history_days": len(history.days),
        "p_value": float(f"{alarm.p_value:.6g}"),
    }
