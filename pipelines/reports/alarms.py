"""Rises and falls of daily counts beyond what their own earlier days explain, at a known rate of false alarms (pure).

Days are counted by voices: one author's messages of a day about one thing are one. Seven days are compared with a negative
binomial whose mean follows the weekdays of the days before and whose variance takes in how little is known of that mean;
where days differ by more than chance, or busy weeks follow each other, the variance is theirs. That the variance is itself an
estimate is met by Student's t in place of the normal tail. `benchmarks/alerts.py` measures how often a city in which nothing
happens raises an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, ndtri, stdtr

ALARM_RATE = 0.01
"""Chance of any false alarm in seven days, over all series of a channel."""

MIN_HISTORY = 28
"""Fewest earlier days, four of each weekday."""

BLOCK = 7
"""Days that are compared at once; what a window has beyond whole weeks is compared by itself, at its part of the rate."""

MIN_COUNT = 5
"""A rise is told only of at least so many; a fall only where at least so many were expected."""

LEVEL_WEEKS = 12
"""Fewest whole weeks of history from which on the variance of weeks is taken from them."""

WANDER = 0.15
"""By how much of its mean a week's level is taken to wander where history is shorter than that."""

SHRINK = 0.5
"""Days of the overall mean that are added to each weekday's; events that are added to a series."""

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Alarm:
    """A count that history does not explain."""

    series: int
    """Row of the counts."""

    first: int
    """First day of the block, from 0 within the window."""

    length: int
    count: int
    low: int
    high: int
    """The counts that raise no alarm, both ends included."""

    mean: float
    direction: Literal["up", "down"]
    p_value: float


@dataclass(frozen=True)
class Expected:
    """What history expects of every series in a block of days."""

    mean: Numbers
    variance: Numbers
    degrees: Numbers

    def upper(self, count: Numbers) -> Numbers:
        """Return the chance of so many or more."""
        size = self.mean**2 / (self.variance - self.mean)
        chance = np.where(count > 0, betainc(np.maximum(count, 1), size, self.mean / (size + self.mean)), 1.0)
        return _wider(chance, self.degrees)

    def lower(self, count: Numbers) -> Numbers:
        """Return the chance of so many or fewer."""
        size = self.mean**2 / (self.variance - self.mean)
        return _wider(betainc(size, count + 1, size / (size + self.mean)), self.degrees)


def find_alarms(history: Numbers, past_weekdays: Codes, window: Numbers, weekdays: Codes) -> list[Alarm]:
    """Return the alarms of a window, block by block.

    Args:
        history: counts by series and earlier day.
        past_weekdays: weekday of each earlier day.
        window: counts by series and day of the window that has passed.
        weekdays: weekday of each of these days.
    """
    found: list[Alarm] = []
    if not len(history):
        return found
    for first in range(0, window.shape[1], BLOCK):
        days = weekdays[first : first + BLOCK]
        expected = expect(history, past_weekdays, days)
        level = ALARM_RATE * len(days) / BLOCK / len(history) / 2
        count = window[:, first : first + BLOCK].sum(axis=1)
        rise, fall = expected.upper(count), expected.lower(count)
        risen = (rise < level) & (count >= MIN_COUNT)
        fallen = (fall < level) & (expected.mean >= MIN_COUNT)
        for series in np.flatnonzero(risen | fallen):
            one = Expected(*(part[series : series + 1] for part in (expected.mean, expected.variance, expected.degrees)))
            low, high = _quiet_counts(one, level)
            up = bool(risen[series])
            chance = float(2 * (rise if up else fall)[series])
            mean = float(expected.mean[series])
            found.append(
                Alarm(int(series), first, len(days), int(count[series]), low, high, mean, "up" if up else "down", chance)
            )
    return found


def expect(history: Numbers, past_weekdays: Codes, weekdays: Codes) -> Expected:
    """Return what the earlier days expect of the days with these weekdays."""
    length, past = len(weekdays), history.shape[1]
    overall = (history.sum(axis=1) + SHRINK) / past
    chosen = past_weekdays[None, :] == np.arange(7)[:, None]
    means = (history @ chosen.T + SHRINK * overall[:, None]) / (chosen.sum(axis=1) + SHRINK)
    mean = means[:, weekdays].sum(axis=1)
    left = history - means[:, past_weekdays]
    daily = (left**2).sum(axis=1) / max(past - 7, 1)
    variance = np.maximum(daily, overall)
    degrees = np.full(len(history), float(max(past - 7, 1)))
    weeks = past // BLOCK
    if weeks >= LEVEL_WEEKS:
        sums = left[:, past - weeks * BLOCK :].reshape(len(history), weeks, BLOCK).sum(axis=2)
        weekly = sums.var(axis=1, ddof=1) / BLOCK
        degrees = np.where(weekly > variance, weeks - 1.0, degrees)
        variance = np.maximum(variance, weekly)
    spread = variance * mean / (overall * length) * (length + length**2 / past)
    return Expected(mean, spread if weeks >= LEVEL_WEEKS else spread + (WANDER * mean) ** 2, degrees)


def _wider(chance: Numbers, degrees: Numbers) -> Numbers:
    """Return a normal tail's chance as that of Student's t."""
    return np.asarray(stdtr(degrees, ndtri(np.clip(chance, 1e-300, 1.0))), dtype=float)


def _quiet_counts(one: Expected, level: float) -> tuple[int, int]:
    """Return the fewest and the most that raise no alarm."""
    reach = int(one.mean[0] + 60 * one.variance[0] ** 0.5 + 60)
    counts = np.arange(reach, dtype=float)
    quiet = (one.upper(counts) >= level) | (counts < MIN_COUNT)
    if one.mean[0] >= MIN_COUNT:
        quiet &= one.lower(counts) >= level
    inside = counts[quiet]
    return int(inside.min()), int(inside.max())
