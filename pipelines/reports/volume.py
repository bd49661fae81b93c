"""Change in messages a day, with an interval that unequal days, runs of busy days and busy authors widen (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipelines.reports.pairs import (
    LEAST_BASE,
    LEAST_DAYS,
    WHOLE,
    Codes,
    Flags,
    Numbers,
    Pair,
    Spread,
    by_window,
    count_columns,
    told_columns,
)


def compare_volume(pair: Pair, kept: Flags) -> dict[str, Any]:
    """Compare messages a day; sources within the page's channel have no mix here."""
    count = by_window(pair.window, np.ones(len(pair.window), dtype=bool))
    alike = by_window(pair.window, kept)
    length = np.array(pair.day_counts, dtype=float)
    values, same = count / length, alike / length
    row: dict[str, Any] = {"measure": "volume", "key": WHOLE, **count_columns(count, length)}
    row |= {"previous_value": float(values[0]), "current_value": float(values[1]), "corrected": False}
    row |= {"total_change": float(values[1] - values[0]), "within_change": float(same[1] - same[0]), "mix_change": 0.0}
    row |= {"lost_change": float(same[0] - values[0]), "gained_change": float(values[1] - same[1])}
    enough = alike.min() >= LEAST_BASE and min(pair.day_counts) >= LEAST_DAYS
    row |= told_columns(_volume_spread(pair, kept) if enough else None)
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
