"""What a source gives against what it used to give: too little, too much, other fields, other texts (pure).

Counts of messages a day are overdispersed, differ by weekday and come in bursts; so a window's count is compared with a
negative binomial whose mean follows the weekdays and whose variance takes in the bursts and how little the past is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from collectors.catalog import Expectation
from collectors.health import Status

Verdict = Literal["none", "quiet", "degraded", "drift", "flood"]
"""`quiet`: less than ever; `degraded`: texts are gone or all alike; `drift`: a field is gone; `flood`: more than ever."""

TROUBLED: frozenset[Verdict] = frozenset({"quiet", "degraded", "drift"})
"""Verdicts that make a run partial; a flood is told and is none of them."""

HISTORY = timedelta(days=182)
"""How far before a window its past reaches."""

MIN_DAYS = 21
"""Days of the past, three of each weekday, below which it says nothing about volume."""

TAIL = 0.005
"""Share of windows in which a source that is well falls below the interval, and above it."""

SHRINK = 0.5
"""Days of the overall mean that are added to each weekday's."""

MIN_GAPS = 5
LEAST_SILENCE = 7
"""Days without an item that say nothing, however often the source used to give one."""

MIN_ITEMS = 10
"""Fewer items than this, in the window or before it, say nothing about fields and texts."""

FILLED, EMPTIED = 0.9, 0.5
"""A field that more than the first share of items had and less than the second has is gone."""

ALIKE = 0.8
"""Share of items with one and the same text, signed by nobody or by one, from which on the source is not believed."""

UNITS: Mapping[str, tuple[int, int, int]] = {"day": (1, 1, 1), "week": (7, 7, 7), "month": (28, 30, 31), "quarter": (90, 91, 92)}
"""Calendar unit -> its fewest, usual and most days."""


class Interval(NamedTuple):
    """How many items a window is expected to bring, both ends included."""

    low: int
    high: int
    origin: Literal["history", "city", "none"]


NOTHING_EXPECTED = Interval(0, 0, "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a number of items of one kind showed."""

    item_count: int
    text_length: int
    """Characters of all of them."""

    filled: Mapping[str, int]
    """Field -> items that had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a source gave before a window and in it, as seen at an instant."""

    window_days: Sequence[date]
    """Days of the window that had passed."""

    days: Mapping[date, int]
    """Day -> items, for every day before the window on which the source was read, from its first item on."""

    window: Mapping[date, int]
    """Day of the window -> items; days without any may be left out."""

    undated_count: int = 0
    """Items without a date of the collections that were made for the window."""

    shown_before: Mapping[str, Shown] = field(default_factory=dict)
    """Kind -> what its items before the window showed, undated ones too."""

    shown: Mapping[str, Shown] = field(default_factory=dict)
    """Kind -> what its items of the window showed, undated ones too."""

    mean_lengths: Sequence[float] = ()
    """Mean length of the messages of each day before the window that had some."""

    text_shares: Sequence[float] = ()
    """Share of the items with a text, for each earlier collection with enough of them."""

    text_share: float | None = None
    """The same for the newest collection of the window; None if it had too few items."""

    alike_count: int = 0
    """Messages of the window that say the same, signed by nobody or by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWatch:
    """What the watch says about a source in a window."""

    verdict: Verdict = "none"
    about: str = ""
    """volume, overdue, text_share, text_length, same_text, or the field that drifted; "" without a verdict."""

    item_count: int = 0
    """Items of the window, on the days that had passed."""

    expected: Interval = NOTHING_EXPECTED
    last_item_on: date | None = None
    silent_days: int | None = None
    """Days from the newest item to the last day of the window that had passed; None without any item."""

    usual_gap_days: int | None = None
    """Longest gap between two days with items, before the window; None if there were too few."""

    def told(self) -> str:
        """Return the verdict in plain English; "" if there is none."""
        if self.verdict == "none":
            return ""
        low, high, origin = self.expected
        by = "by its own past" if origin == "history" else "by the city's file"
        if self.about == "volume":
            return f"{self.verdict}: {self.item_count} items; {low} to {high} are expected {by}"
        if self.about == "overdue":
            return f"quiet: no item for {self.silent_days} days; the longest gap before was {self.usual_gap_days}"
        said = {
            "text_share": "less than half as many items as usual have a text",
            "text_length": "texts are less than half as long as usual",
            "same_text": "nearly all items say the same",
        }
        return f"{self.verdict}: {said.get(self.about, f'most items no longer have: {self.about}')}"


UNWATCHED = SourceWatch()


def watch_source(past: Past, *, status: Status, expectation: Interval) -> SourceWatch:
    """Return what is to be said about a source.

    Args:
        past: what it gave.
        status: how it was read; the volume of one that was not read whole says nothing, as its state says it already.
        expectation: what the city's file expects, where the past is too short.
    """
    expected = expect_from_past(past.days, past.window_days) or expectation
    dated = sum(past.window.get(day, 0) for day in past.window_days)
    count = dated + (past.undated_count if expected.origin != "history" else 0)
    with_items = sorted({day for days in (past.days, past.window) for day, number in days.items() if number})
    last = with_items[-1] if with_items else None
    silent = (max(past.window_days) - last).days if last is not None and past.window_days else None
    gap = longest_gap(past.days)
    # A field or texts that are gone come first: without dates, a source is quiet too, and that would hide why.
    found = find_drift(past) or find_degraded(past) or (_volume(count, expected, status) if past.window_days else None)
    overdue = gap is not None and silent is not None and silent > max(2 * gap, LEAST_SILENCE)
    if found is None and overdue and status in ("ok", "empty"):
        found = "quiet", "overdue"
    verdict, about = found or ("none", "")
    return SourceWatch(
        verdict=verdict,
        about=about,
        item_count=count,
        expected=expected,
        last_item_on=last,
        silent_days=silent if silent is None else max(silent, 0),
        usual_gap_days=gap,
    )


def _volume(count: int, expected: Interval, status: Status) -> tuple[Verdict, str] | None:
    if expected.origin == "none":
        return None
    if count < expected.low:
        return ("quiet", "volume") if status in ("ok", "empty") else None
    return ("flood", "volume") if count > expected.high else None


def find_drift(past: Past) -> tuple[Verdict, str] | None:
    """Return the first field, by name, that nearly all items of a kind had and that most of them lack; None if there is none."""
    for kind, now in sorted(past.shown.items()):
        before = past.shown_before.get(kind)
        if before is None or min(before.item_count, now.item_count) < MIN_ITEMS:
            continue
        for name in sorted(before.filled):
            had, has = before.filled[name] / before.item_count, now.filled.get(name, 0) / now.item_count
            if had > FILLED and has < EMPTIED:
                return "drift", name
    return None


def find_degraded(past: Past) -> tuple[Verdict, str] | None:
    """Return what of the texts is not as it was: their share, their length, or that they differ; None if all is well."""
    if past.text_share is not None and past.text_shares and past.text_share < median(past.text_shares) / 2:
        return "degraded", "text_share"
    messages = past.shown.get("manifestation")
    if messages is None or messages.item_count < MIN_ITEMS:
        return None
    if past.alike_count >= ALIKE * messages.item_count:
        return "degraded", "same_text"
    mean = messages.text_length / messages.item_count
    if len(past.mean_lengths) >= LEAST_SILENCE and mean < median(past.mean_lengths) / 2:
        return "degraded", "text_length"
    return None


def longest_gap(days: Mapping[date, int]) -> int | None:
    """Return the most days between two days with items; None if there are fewer than `MIN_GAPS` gaps."""
    given = sorted(day for day, count in days.items() if count)
    gaps = [(later - earlier).days for earlier, later in pairwise(given)]
    return max(gaps) if len(gaps) >= MIN_GAPS else None


def expect_from_city(expect: Expectation, days: int, unit: str) -> Interval:
    """Return the expectation of a city's file for a window of `days` days.

    The file speaks of one period of the city (`unit`: day, week, month or quarter). A longer window is expected to bring more in
    proportion; in a shorter one the counts vary more, so its interval is that of counts with twice the variance of chance.
    """
    fewest, usual, most = UNITS[unit]
    if fewest <= days <= most:
        return Interval(expect.min, expect.max, "city")
    part = days / usual
    if part > 1:
        return Interval(math.floor(expect.min * part), math.ceil(expect.max * part), "city")
    low, high = expect.min * part, expect.max * part
    return Interval(count_quantile(low, 2 * low, TAIL), count_quantile(high, 2 * high, 1 - TAIL), "city")


def expect_from_past(days: Mapping[date, int], window: Sequence[date]) -> Interval | None:
    """Return how many items the days of a window are expected to bring; None if the past is too short or empty.

    Args:
        days: day -> items, for each day of the past that was read.
        window: the days to expect for.
    """
    if len(days) < MIN_DAYS or not any(days.values()) or not window:
        return None
    by_weekday: defaultdict[int, list[int]] = defaultdict(list)
    for day, count in days.items():
        by_weekday[day.weekday()].append(count)
    overall = sum(days.values()) / len(days)
    means = [(sum(by_weekday[weekday]) + SHRINK * overall) / (len(by_weekday[weekday]) + SHRINK) for weekday in range(7)]
    daily = sum((count - means[day.weekday()]) ** 2 for day, count in days.items()) / (len(days) - 1)
    variance = max(daily, _variance_by_week(days), overall)
    mean, length = sum(means[day.weekday()] for day in window), len(window)
    spread = variance * (length + length**2 / len(days))
    return Interval(count_quantile(mean, spread, TAIL), count_quantile(mean, spread, 1 - TAIL), "history")


def _variance_by_week(days: Mapping[date, int]) -> float:
    """Return the variance of whole weeks per day: it exceeds that of days where busy days follow each other."""
    weeks: defaultdict[int, list[int]] = defaultdict(list)
    first = min(days)
    for day, count in days.items():
        weeks[(day - first).days // 7].append(count)
    sums = [sum(counts) for counts in weeks.values() if len(counts) == 7]
    if len(sums) < 3:
        return 0.0
    mean = sum(sums) / len(sums)
    return sum((one - mean) ** 2 for one in sums) / (len(sums) - 1) / 7


def count_quantile(mean: float, variance: float, share: float) -> int:
    """Return the smallest count that at least `share` of the draws do not exceed: negative binomial, Poisson without excess."""
    if mean <= 0:
        return 0
    excess = variance - mean
    size = mean**2 / excess if excess > 1e-9 * mean else math.inf
    log_p = -mean if math.isinf(size) else -size * math.log1p(mean / size)
    reached, count = math.exp(log_p), 0
    limit = mean + 50 * math.sqrt(max(variance, mean)) + 50
    while reached < share and count < limit:
        ratio = mean / (count + 1) if math.isinf(size) else (count + size) / (count + 1) * (mean / (mean + size))
        log_p, count = log_p + math.log(ratio), count + 1
        reached += math.exp(log_p)
    return count
