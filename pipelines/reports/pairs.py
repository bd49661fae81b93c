"""Two windows of one channel as arrays, and what is measured on them: counts, clusters, estimates with uncertainty (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Measure = Literal["category", "sentiment", "category_neg", "volume"]
"""Share of a category or of a sentiment in the channel, negative share within a category, messages a day of the channel."""

WHOLE = "all"
"""Key of the measure `volume`."""

LEVEL = 0.05
"""One less the coverage of an interval, and the chance that a page without any change shows an arrow."""

LEAST_BASE = 30
"""Fewest messages of comparable sources in each window, for a share of them to be compared."""

LEAST_HITS = 10
"""Fewest messages of a key in comparable sources in both windows together, for its share to be compared."""

LEAST_DAYS = 5
"""Fewest days with messages in each window: fewer cannot tell a busy day from a change."""

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Corrected(NamedTuple):
    """A share that labels corrected for the model's errors, with its 95 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """The counted messages of one channel in both windows; arrays of one length, an entry a message."""

    window: Codes
    """0 before, 1 now."""

    source: Codes
    """Place in `sources`."""

    author: Codes
    """Equal for messages of one author, in both windows; an unsigned message is one of its own."""

    day: Codes
    """Place of its day among the days of its window, from 0."""

    category: Codes
    sentiment: Codes
    sources: Sequence[str]
    comparable: Flags
    """For each source: read whole and as it used to be, in both windows."""

    categories: Sequence[str]
    sentiments: Sequence[str]
    day_counts: tuple[int, int]
    """Days of the window before and of this one."""

    weekdays: tuple[Codes, Codes]
    """Weekday of each day of either window."""

    corrected: Mapping[tuple[Measure, str], tuple[Corrected, Corrected]] = field(default_factory=dict)
    """(measure, key) -> corrected shares before and now, where both windows have them."""


@dataclass(frozen=True)
class Spread:
    """An estimate of change with its uncertainty."""

    estimate: float
    variance: float
    degrees: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        reach = float(stdtrit(self.degrees, 1 - LEVEL / 2)) * self.variance**0.5
        return self.estimate - reach, self.estimate + reach

    @property
    def p_value(self) -> float:
        """The chance of an estimate at least as far from zero if nothing changed."""
        if self.variance <= 0:
            return 1.0
        return float(2 * stdtr(self.degrees, -abs(self.estimate) / self.variance**0.5))


@dataclass(frozen=True)
class Clusters:
    """Messages of kept sources in groups that each lie in one window and source, and the cluster of each group."""

    group: Codes
    """Of each message."""

    window: Codes
    source: Codes
    cluster: Codes
    """Of each group."""


def author_clusters(pair: Pair, kept: Flags) -> Clusters:
    """Return the messages of kept sources by author, within a source."""
    return _clusters(pair, kept, pair.author * 2 + pair.window, lambda codes: codes // 2)


def day_clusters(pair: Pair, kept: Flags) -> Clusters:
    """Return the messages of kept sources by day, over all sources."""
    number = max(len(pair.sources), 1)
    day = pair.day * 2 + pair.window
    return _clusters(pair, kept, day * number + pair.source, lambda codes: codes // number)


def _clusters(pair: Pair, kept: Flags, codes: Codes, cluster_of: Callable[[Codes], Codes]) -> Clusters:
    own, first, group = np.unique(codes[kept], return_index=True, return_inverse=True)
    _, cluster = np.unique(cluster_of(own), return_inverse=True)
    return Clusters(group, pair.window[kept][first], pair.source[kept][first], cluster)


def adjust_chances(chances: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted chances, in the same order; None stays None and is no comparison."""
    order = sorted((chance, place) for place, chance in enumerate(chances) if chance is not None)
    adjusted: list[float | None] = [None] * len(chances)
    reached = 0.0
    for rank, (chance, place) in enumerate(order):
        reached = max(reached, min(1.0, chance * (len(order) - rank)))
        adjusted[place] = reached
    return adjusted


def told_columns(spread: Spread | None) -> dict[str, Any]:
    """Return the interval and its chance as columns of `report_change`; null where too little was written to compare."""
    if spread is None:
        return {"within_low": None, "within_high": None, "p_value": None}
    low, high = spread.interval
    return {"within_low": low, "within_high": high, "p_value": spread.p_value}


def by_window(window: Codes, chosen: Flags) -> Numbers:
    """Return how many of the chosen messages lie in either window."""
    return np.bincount(window[chosen], minlength=2).astype(float)


def by_source(pair: Pair, chosen: Flags) -> Numbers:
    """Return messages by window and comparable source; other sources have none."""
    number = len(pair.sources)
    return np.bincount(pair.window[chosen] * number + pair.source[chosen], minlength=2 * number).astype(float).reshape(2, number)


def share_of(hits: Numbers, base: Numbers) -> tuple[float | None, float | None]:
    """Return hits of base before and now; None without a base."""
    first, second = (float(hit / whole) if whole else None for hit, whole in zip(hits, base, strict=True))
    return first, second


def count_columns(count: Numbers, base: Numbers) -> dict[str, int]:
    """Return the counts as columns of `report_change`."""
    before, now = int(count[0]), int(count[1])
    return {"previous_count": before, "current_count": now, "previous_base": int(base[0]), "current_base": int(base[1])}
