"""Change against the window before: what sources read in both windows changed, and what their mix, losses and gains did (pure).

A share changes for four reasons, which add up: sources that were read whole in both windows say other things (`within`);
these sources weigh otherwise among themselves (`mix`); sources were lost, or gained (`lost`, `gained`). With the shares p and
weights w of the comparable sources s in the windows 0 and 1 and bars for means of both windows, sum(w1 p1) - sum(w0 p0) =
sum(w_bar (p1 - p0)) + sum(p_bar (w1 - w0)) (Kitagawa 1955, Journal of the American Statistical Association 50).

The interval of `within` is a delete-one-cluster jackknife, once by author within a source (one who writes much is one
cluster) and once by day (a busy day is one), joined as in Cameron, Gelbach and Miller (2011, Journal of Business and Economic
Statistics 29), never narrower than that of independent messages; Student's t with the days less two. An arrow needs Holm's
correction (1979, Scandinavian Journal of Statistics 6) over all comparisons of a channel's page. `benchmarks/change.py`
measures what that gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.reports.pairs import (
    LEAST_BASE,
    LEAST_DAYS,
    LEAST_HITS,
    LEVEL,
    Clusters,
    Corrected,
    Flags,
    Measure,
    Numbers,
    Pair,
    Spread,
    adjust_chances,
    author_clusters,
    by_source,
    by_window,
    count_columns,
    day_clusters,
    share_of,
    told_columns,
)
from pipelines.reports.volume import compare_volume


@dataclass(frozen=True)
class _Basis:
    """What every share of a channel is compared on."""

    pair: Pair
    kept: Flags
    """Messages of comparable sources."""

    clusters: tuple[Clusters, ...]
    days: tuple[int, int]
    """Days with such messages, before and now."""


def compare_windows(pair: Pair) -> list[dict[str, Any]]:
    """Return one row per measure and key: values, the split of the change, its interval, and `direction` (up, down or none).

    Shares are in [0, 1], volume in messages a day. `within_low` and `within_high` are null where too little was written to
    compare, and the key is then no comparison of the page.
    """
    kept = pair.comparable[pair.source]
    before, now = (len(np.unique(pair.day[kept & (pair.window == window)])) for window in (0, 1))
    basis = _Basis(pair, kept, (author_clusters(pair, kept), day_clusters(pair, kept)), (before, now))
    rows = [_compare_share(basis, *one) for one in _shares(pair)]
    return hold_direction([*rows, compare_volume(pair, kept)])


def hold_direction(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with Holm's adjusted chances and the direction that they allow."""
    adjusted = adjust_chances([row["p_value"] for row in rows])
    for row, chance in zip(rows, adjusted, strict=True):
        sure = chance is not None and chance < LEVEL and (row["within_low"] > 0 or row["within_high"] < 0)
        row["p_adjusted"] = chance
        row["direction"] = ("up" if row["within_change"] > 0 else "down") if sure else "none"
    return rows


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


def _compare_share(basis: _Basis, measure: Measure, key: str, hits: Flags, base: Flags) -> dict[str, Any]:
    pair, kept = basis.pair, basis.kept
    count, whole = by_window(pair.window, hits), by_window(pair.window, base)
    before, now = share_of(count, whole)
    hit_table, base_table = by_source(pair, hits & kept), by_source(pair, base & kept)
    row: dict[str, Any] = {"measure": measure, "key": key, **count_columns(count, whole)}
    row |= {"previous_value": before, "current_value": now, "corrected": False}
    row |= split_share((before, now), hit_table, base_table)
    enough = base_table.sum(axis=1).min() >= LEAST_BASE and hit_table.sum() >= LEAST_HITS and min(basis.days) >= LEAST_DAYS
    spread = None
    if enough:
        moved = [_moved(one, hits[kept], base[kept], hit_table, base_table) for one in basis.clusters]
        spread = _spread(hit_table, base_table, moved, sum(basis.days))
    fixed = pair.corrected.get((measure, key))
    if fixed is not None and row["total_change"] is not None:
        row, spread = _correct(row, spread, *fixed)
    return row | told_columns(spread) | _without(pair, hit_table, base_table, enough=enough)


def _correct(
    row: dict[str, Any], spread: Spread | None, before: Corrected, now: Corrected
) -> tuple[dict[str, Any], Spread | None]:
    """Put corrected values in the place of those read; what that adds cannot be told apart by source and is what sources said."""
    added = (now.share - before.share) - row["total_change"]
    within = row["within_change"] + added
    row = row | {"previous_value": before.share, "current_value": now.share, "corrected": True}
    row |= {"total_change": now.share - before.share, "within_change": within}
    if spread is None:
        return row, None
    more = sum(((one.high - one.low) / (2 * 1.96)) ** 2 for one in (before, now))
    return row, Spread(within, spread.variance + more, spread.degrees)


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
    first, second = share_of(hits.sum(axis=1), base.sum(axis=1))
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
    return np.asarray(np.nan_to_num(share, nan=0.0))


def _moved(one: Clusters, hits: Flags, base: Flags, hit_table: Numbers, base_table: Numbers) -> Numbers:
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
    return np.asarray(np.bincount(one.cluster, weights=np.where(number > 0, moves, 0.0)), dtype=float)


def _spread(hits: Numbers, base: Numbers, moved: list[Numbers], days: int) -> Spread:
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
    return Spread(float(_within(hits, base)[0].sum()), variance, max(days - 2, 1))


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
