"""Change against the window before: what sources that were read in both changed, and what their mix, losses and gains did (pure).

A share changes for four reasons, which add up: sources that were read whole in both windows say other things (`within`); these
sources weigh otherwise among themselves (`mix`); sources were lost, or gained (`lost`, `gained`). With the shares p and weights w
of the comparable sources s in the windows 0 and 1 and bars for means of both windows,
sum(w1 p1) - sum(w0 p0) = sum(w_bar (p1 - p0)) + sum(p_bar (w1 - w0)) (Kitagawa 1955, Journal of the American Statistical Association 50).

The interval of `within` is a delete-one-cluster jackknife, once by author within a source (one who writes much is one cluster) and
once by day (a busy day is one), joined as in Cameron, Gelbach and Miller (2011, Journal of Business and Economic Statistics 29),
never narrower than that of independent messages; Student's t with the days less two. An arrow needs Holm's correction (1979,
Scandinavian Journal of Statistics 6) over all comparisons of a channel's page. `benchmarks/change.py` measures what that gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
class _Clusters:
    """Messages of comparable sources in groups that each lie in one window and source, and the cluster of each group."""

    group: Codes
    """Of each message."""

    window: Codes
    source: Codes
    cluster: Codes
    """Of each group."""


def compare_windows(pair: Pair) -> list[dict[str, Any]]:
    """Return one row per measure and key: values, the split of the change, its interval, and `direction` (up, down or none).

    Shares are in [0, 1], volume in messages a day. `within_low` and `within_high` are null where too little was written to
    compare, and the key is then no comparison of the page.
    """
    kept = pair.comparable[pair.source] if len(pair.source) else np.zeros(0, dtype=bool)
    clusters = [_author_clusters(pair, kept), _day_clusters(pair, kept)]
    rows = [_compare_share(pair, kept, clusters, *one) for one in _shares(pair)]
    rows.append(_compare_volume(pair, kept))
    return hold_direction(rows)


def hold_direction(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with Holm's adjusted chances and the direction that they allow."""
    adjusted = adjust_chances([row["p_value"] for row in rows])
    for row, chance in zip(rows, adjusted, strict=True):
        sure = chance is not None and chance < LEVEL and (row["within_low"] > 0 or row["within_high"] < 0)
        row["p_adjusted"] = chance
        row["direction"] = ("up" if row["within_change"] > 0 else "down") if sure else "none"
    return rows


def adjust_chances(chances: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted chances, in the same order; None stays None and is no comparison."""
    order = sorted((chance, place) for place, chance in enumerate(chances) if chance is not None)
    adjusted: list[float | None] = [None] * len(chances)
    reached = 0.0
    for rank, (chance, place) in enumerate(order):
        reached = max(reached, min(1.0, chance * (len(order) - rank)))
        adjusted[place] = reached
    return adjusted


def _shares(pair: Pair) -> Iterator[tuple[Measure, str, Flags, Flags]]:
    """Yield (measure, key, messages of the key, messages of the base) of every share of a page."""
    every = np.ones(len(pair.window), dtype=bool)
    negative = pair.sentiment == pair.sentiments.index("neg")
    for place, category in enumerate(pair.categories):
        yield "category", category, pair.category == place, every
    for place, sentiment in enumerate(pair.sentiments):
        yield "sentiment", sentiment, pair.sentiment == place, every
    for place, category in enumerate(pair.categories):
        base = pair.category == place
        yield "category_neg", category, base & negative, base


def _compare_share(
    pair: Pair, kept: Flags, clusters: Sequence[_Clusters], measure: Measure, key: str, hits: Flags, base: Flags
) -> dict[str, Any]:
    count, whole = _by_window(pair.window, hits), _by_window(pair.window, base)
    before, now = _ratio(count, whole)
    hit_table, base_table = _by_source(pair, hits & kept), _by_source(pair, base & kept)
    shares = split_share((before, now), hit_table, base_table)
    row = {"measure": measure, "key": key, **_counts(count, whole), "previous_value": before, "current_value": now, **shares}
    fixed = pair.corrected.get((measure, key))
    row["corrected"] = fixed is not None
    if fixed is not None and row["total_change"] is not None:
        # What correction adds cannot be told apart by source: it belongs to what the sources said.
        added = (fixed[1].share - fixed[0].share) - row["total_change"]
        row |= {"previous_value": fixed[0].share, "current_value": fixed[1].share}
        row |= {"total_change": row["total_change"] + added, "within_change": row["within_change"] + added}
    days = [len(np.unique(pair.day[kept & (pair.window == window)])) for window in (0, 1)]
    enough = base_table.sum(axis=1).min() >= LEAST_BASE and hit_table.sum() >= LEAST_HITS and min(days) >= LEAST_DAYS
    spread = _spread(
        hit_table, base_table, [_moved(one, hits[kept], base[kept], hit_table, base_table) for one in clusters], days
    )
    if fixed is not None:
        more = sum(((one.high - one.low) / (2 * 1.96)) ** 2 for one in fixed)
        spread = Spread(row["within_change"] or 0.0, spread.variance + more, spread.degrees)
    return row | _told(spread if enough else None) | _without(pair, hit_table, base_table, enough=enough)


def split_share(whole: tuple[float | None, float | None], hits: Numbers, base: Numbers) -> dict[str, float | None]:
    """Return the change of a share and its four parts, which add up to it; None where a window has no base.

    Args:
        whole: the share of all sources, before and now.
        hits: messages of the key by window and comparable source.
        base: messages of the base, alike.
    """
    names = ("total_change", "within_change", "mix_change", "lost_change", "gained_change")
    before, now = whole
    if before is None or now is None:
        return dict.fromkeys(names)
    first, second = _ratio(hits.sum(axis=1), base.sum(axis=1))
    # Where comparable sources say nothing of a window, what was lost and what was gained meet at what is known.
    first, second = (second if first is None else first), (first if second is None else second)
    if first is None or second is None:
        first = second = (before + now) / 2
    within, mix = _within(hits, base)
    return dict(zip(names, (now - before, float(within.sum()), float(mix.sum()), first - before, now - second), strict=True))


def _within(hits: Numbers, base: Numbers) -> tuple[Numbers, Numbers]:
    """Return, by comparable source, what it changed within itself and what its weight changed."""
    totals = base.sum(axis=1, keepdims=True)
    if totals.min(initial=np.inf) <= 0 or not base.size:
        return np.zeros(base.shape[1]), np.zeros(base.shape[1])
    weight = base / totals
    share = _source_shares(hits, base)
    return weight.mean(axis=0) * (share[1] - share[0]), share.mean(axis=0) * (weight[1] - weight[0])


def _source_shares(hits: Numbers, base: Numbers) -> Numbers:
    """Return the share by window and source; a source that is silent in one window is taken to say what it says in the other."""
    share = np.divide(hits, base, out=np.full(base.shape, np.nan), where=base > 0)
    share = np.where(np.isnan(share), share[::-1], share)
    return np.nan_to_num(share, nan=0.0)


def _moved(one: _Clusters, hits: Flags, base: Flags, hit_table: Numbers, base_table: Numbers) -> Numbers:
    """Return, for each cluster, how far `within` moves if it is left out; weights stay."""
    size = len(one.cluster)
    hit = np.bincount(one.group, weights=hits, minlength=size)
    number = np.bincount(one.group, weights=base, minlength=size)
    totals = base_table.sum(axis=1, keepdims=True)
    if totals.min() <= 0:
        return np.zeros(1)
    weight = (base_table / totals).mean(axis=0)[one.source]
    share = _source_shares(hit_table, base_table)
    all_hits, all_base = hit_table[one.window, one.source], base_table[one.window, one.source]
    left = all_base - number
    # A cluster that is all that a source said in a window takes the source's whole change away.
    emptied = share[1 - one.window, one.source]
    without = np.divide(all_hits - hit, left, out=emptied.copy(), where=left > 0)
    moves = np.where(one.window == 1, 1.0, -1.0) * weight * (without - share[one.window, one.source])
    return np.bincount(one.cluster, weights=np.where(number > 0, moves, 0.0))


def _spread(hits: Numbers, base: Numbers, moved: Sequence[Numbers], days: Sequence[int]) -> Spread:
    """Return the uncertainty of `within`: by author and by day together, never less than that of independent messages."""
    by_author, by_day = (float((moves**2).sum()) for moves in moved)
    totals = base.sum(axis=1, keepdims=True)
    if not base.size or totals.min() <= 0:
        return Spread(0.0, 0.0, 1.0)
    weight = (base / totals).mean(axis=0)
    share = _source_shares(hits, base)
    freed = np.maximum(base - 1, 1)
    independent = float((weight**2 * (share * (1 - share) / freed)).sum())
    pooled = (hits.sum() + 1) / (base.sum() + 2)
    parts = np.divide(weight**2, base, out=np.zeros(base.shape), where=base > 0)
    floor = float(pooled * (1 - pooled) * parts.sum())
    variance = max(by_author + by_day - independent, by_author, by_day, floor)
    return Spread(float(_within(hits, base)[0].sum()), variance, max(sum(days) - 2, 1))


def _without(pair: Pair, hits: Numbers, base: Numbers, *, enough: bool) -> dict[str, Any]:
    """Return the range of `within` over all leavings-out of one comparable source, and the source that moves it most."""
    names = ("within_lowest", "within_highest", "moving_source_id")
    present = np.flatnonzero(base.sum(axis=0) > 0)
    if not enough or len(present) < 2:
        return dict.fromkeys(names)
    left = np.array([_within(np.delete(hits, one, axis=1), np.delete(base, one, axis=1))[0].sum() for one in present])
    whole = _within(hits, base)[0].sum()
    most = present[int(np.argmax(np.abs(left - whole)))]
    return dict(zip(names, (float(left.min()), float(left.max()), pair.sources[most]), strict=True))


def _compare_volume(pair: Pair, kept: Flags) -> dict[str, Any]:
    """Compare messages a day; sources within the page's channel have no mix here."""
    count = _by_window(pair.window, np.ones(len(pair.window), dtype=bool))
    alike = _by_window(pair.window, kept)
    length = np.array(pair.day_counts, dtype=float)
    values, same = count / length, alike / length
    row: dict[str, Any] = {"measure": "volume", "key": WHOLE, **_counts(count, length)}
    row |= {"previous_value": float(values[0]), "current_value": float(values[1]), "corrected": False}
    row |= {"total_change": float(values[1] - values[0]), "within_change": float(same[1] - same[0]), "mix_change": 0.0}
    row |= {"lost_change": float(same[0] - values[0]), "gained_change": float(values[1] - same[1])}
    enough = alike.min() >= LEAST_BASE and min(pair.day_counts) >= LEAST_DAYS
    row |= _told(_volume_spread(pair, kept) if enough else None)
    return row | dict.fromkeys(("within_lowest", "within_highest", "moving_source_id"))


def _volume_spread(pair: Pair, kept: Flags) -> Spread:
    """Return the uncertainty of the change in messages a day: days about their weekday, runs of days, authors, chance."""
    length = np.array(pair.day_counts)
    daily = [np.bincount(pair.day[kept & (pair.window == window)], minlength=length[window]).astype(float) for window in (0, 1)]
    change = daily[1].mean() - daily[0].mean()
    residuals, adjusted = _off_weekday(daily, pair.weekdays)
    degrees = max(int(length.sum()) - 2 - 6, 1)
    variance = sum(_mean_variance(part) for part in residuals) * (length.sum() - 2) / degrees
    author = np.bincount(pair.author[kept], weights=np.where(pair.window[kept] == 1, 1.0, -1.0) / length[pair.window[kept]])
    floor = float((np.array([part.sum() for part in daily]) / length**2).sum())
    variance = max(variance, float((author**2).sum()), floor) + (change - adjusted) ** 2
    return Spread(float(change), float(variance), degrees)


def _off_weekday(daily: Sequence[Numbers], weekdays: tuple[Codes, Codes]) -> tuple[list[Numbers], float]:
    """Return what days are off their window's and weekday's means, and the change that weekdays leave."""
    counts, days = np.concatenate(daily), np.concatenate(weekdays)
    window = np.repeat([0.0, 1.0], [len(part) for part in daily])
    design = np.column_stack([window, *((days == weekday).astype(float) for weekday in range(7))])
    solved, *_ = np.linalg.lstsq(design, counts, rcond=None)
    left = counts - design @ solved
    return [left[window == 0], left[window == 1]], float(solved[0])


def _mean_variance(residuals: Numbers) -> float:
    """Return the variance of a mean of days that may resemble the days before them (Bartlett weights, three days)."""
    size = len(residuals)
    own = float((residuals**2).sum())
    follow = [float((residuals[lag:] * residuals[:-lag]).sum()) for lag in range(1, min(4, size))]
    joined = own + 2 * sum((1 - (lag + 1) / 4) * value for lag, value in enumerate(follow))
    return max(own, joined) / size / max(size - 1, 1)


def _told(spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return {"within_low": None, "within_high": None, "p_value": None}
    low, high = spread.interval
    return {"within_low": low, "within_high": high, "p_value": spread.p_value}


def _author_clusters(pair: Pair, kept: Flags) -> _Clusters:
    return _clusters(pair, kept, pair.author * 2 + pair.window, lambda codes: codes // 2)


def _day_clusters(pair: Pair, kept: Flags) -> _Clusters:
    number = max(len(pair.sources), 1)
    day = pair.day * 2 + pair.window
    return _clusters(pair, kept, day * number + pair.source, lambda codes: codes // number)


def _clusters(pair: Pair, kept: Flags, codes: Codes, cluster_of: Callable[[Codes], Codes]) -> _Clusters:
    own, first, group = np.unique(codes[kept], return_index=True, return_inverse=True)
    _, cluster = np.unique(cluster_of(own), return_inverse=True)
    return _Clusters(group, pair.window[kept][first], pair.source[kept][first], cluster)


def _by_window(window: Codes, chosen: Flags) -> Numbers:
    return np.bincount(window[chosen], minlength=2).astype(float)


def _by_source(pair: Pair, chosen: Flags) -> Numbers:
    """Return messages by window and comparable source; other sources have none."""
    number = len(pair.sources)
    return np.bincount(pair.window[chosen] * number + pair.source[chosen], minlength=2 * number).astype(float).reshape(2, number)


def _ratio(hits: Numbers, base: Numbers) -> tuple[float | None, float | None]:
    first, second = (float(hit / whole) if whole else None for hit, whole in zip(hits, base, strict=True))
    return first, second


def _counts(count: Numbers, base: Numbers) -> dict[str, int]:
    before, now = int(count[0]), int(count[1])
    return {"previous_count": before, "current_count": now, "previous_base": int(base[0]), "current_base": int(base[1])}
