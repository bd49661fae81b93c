"""Estimation: what share is true, from what a model read of all manifestations and what people labelled of a sample. Pure.

Point estimates are prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453): the
labelled mean, moved by as much of the model's own share as its readings of the sample deserve. A test compares them with
ppi-python, which is no dependency: it brings fifteen packages for one line. For a reading that is yes or no this is
post-stratification by it. So an interval is made of two parts, read so and not read so: Jeffreys' interval
of each (Brown, Cai and DasGupta 2001) on its effective number of labels, put together by squares (Newcombe 1998). Normal
intervals cover too little where a share is small; `benchmarks/shares.py` measures these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Status = Literal["uncorrected", "corrected", "insufficient"]

LEAST_POSITIVES = 10
"""Fewest labelled manifestations with a label from which its share is estimated."""

MISS = 0.05
"""An interval leaves out the truth in one of twenty samples."""


MOST_GAIN = 2.0
"""Labels are never taken to be worth more than this many times as many of a simple sample, whatever the strata gain."""


@dataclass(frozen=True)
class Estimate:
    """A share with its interval; all three are None unless `status` is `corrected`."""

    status: Status
    share: float | None
    low: float | None
    high: float | None
    labelled_count: int
    """Labelled manifestations that it rests on."""

    positive_count: int
    """Those of them with the label."""

    def scaled(self, factor: float) -> Estimate:
        """Return the same with share and interval times a factor, within [0, 1]."""
        if self.share is None or self.low is None or self.high is None:
            return self
        share, low, high = (min(1.0, value * factor) for value in (self.share, self.low, self.high))
        return replace(self, share=share, low=low, high=high)


@dataclass(frozen=True)
class Marks:
    """One label in the sample and in the population.

    Arrays have the shape (labelled manifestations,). `truth` is 1 where people labelled the label, else 0; `read` is 1
    where the model read it, else 0; `weight` is how many counted manifestations each stands for; `group` numbers the strata that
    it was drawn from, those with a single labelled manifestation joined to one another.
    """

    truth: Numbers
    read: Numbers
    weight: Numbers
    group: NDArray[np.int64]
    read_count: int
    """Counted manifestations that the model read so."""

    population: int
    """Counted manifestations."""

    def mean(self, values: Numbers) -> float:
        """Return the weighted mean of values of the sample."""
        return float(self.weight @ values / self.weight.sum())


def estimate_share(marks: Marks) -> tuple[Estimate, float]:
    """Estimate the share of a label among all counted manifestations.

    Returns:
        The estimate, and its share also where there are too few labels to tell it.
    """
    positives = int(marks.truth.sum())
    share = min(1.0, max(0.0, powered_mean(marks, trust(marks.truth, marks.read, marks.weight))))
    if positives < LEAST_POSITIVES:
        return Estimate("insufficient", None, None, None, len(marks.truth), positives), share
    below = above = 0.0
    for read, count in ((1.0, marks.read_count), (0.0, marks.population - marks.read_count)):
        middle, low, high = _part_interval(marks, read, count)
        below += (count / marks.population * (middle - low)) ** 2
        above += (count / marks.population * (high - middle)) ** 2
    low, high = max(0.0, share - below**0.5), min(1.0, share + above**0.5)
    return Estimate("corrected", share, low, high, len(marks.truth), positives), share


def estimate_part(marks: Marks, whole: Marks) -> tuple[Estimate, float]:
    """Estimate the share of a label within another: of a sentiment or an issue within its category.

    Args:
        marks: manifestations with both labels.
        whole: those with the other; the same sample, `marks.truth <= whole.truth`.

    Returns:
        The estimate, and its share also where there are too few labels to tell it.
    """
    positives, count = int(marks.truth.sum()), int(whole.truth.sum())
    if not count:
        return Estimate("insufficient", None, None, None, 0, 0), 0.0
    plain = whole.mean(marks.truth) / whole.mean(whole.truth)
    trusted = trust(marks.truth - plain * whole.truth, marks.read - plain * whole.read, marks.weight)
    top, bottom = powered_mean(marks, trusted), powered_mean(whole, trusted)
    share = min(1.0, max(0.0, top / bottom)) if bottom > 0 else plain
    if positives < LEAST_POSITIVES:
        return Estimate("insufficient", None, None, None, count, positives), share
    left = marks.truth - share * whole.truth - trusted * (marks.read - share * whole.read)
    size = _equal_size(share, left, marks, bottom) or count
    low, high = jeffreys(share * size, size)
    return Estimate("corrected", share, min(low, share), max(high, share), count, positives), share


def add_up(parts: Sequence[tuple[Estimate, float]]) -> list[Estimate]:
    """Scale the shares of a partition, with their intervals, so that all of them, told or not, add up to 1."""
    total = sum(share for _, share in parts)
    return [estimate.scaled(1 / total) if total > 0 else estimate for estimate, _ in parts]


def trust(truth: Numbers, read: Numbers, weight: Numbers) -> float:
    """Return how far readings are trusted, in [0, 1]: the slope of the labels on them (power tuning).

    The slope for a population that is known whole; for one without end PPI has it over 1 + n/N.
    """
    weight = weight / weight.sum()
    away = read - weight @ read
    spread = float(weight @ away**2)
    return min(1.0, max(0.0, float(weight @ (away * truth)) / spread)) if spread > 0 else 0.0


def powered_mean(marks: Marks, trusted: float) -> float:
    """Return the prediction-powered mean; it may lie a little outside [0, 1].

    Args:
        marks: the label.
        trusted: how far the readings are, in [0, 1]: at 0 the labels stand alone.
    """
    return marks.mean(marks.truth) + trusted * (marks.read_count / marks.population - marks.mean(marks.read))


def jeffreys(positives: float, size: float) -> tuple[float, float]:
    """Return Jeffreys' interval of a proportion; neither number need be whole."""
    from scipy.special import betaincinv

    positives = min(positives, size)
    low = float(betaincinv(positives + 0.5, size - positives + 0.5, MISS / 2)) if positives > 0 else 0.0
    high = float(betaincinv(positives + 0.5, size - positives + 0.5, 1 - MISS / 2)) if positives < size else 1.0
    return low, high


def join_single(strata: Sequence[str], joined: Sequence[str]) -> NDArray[np.int64]:
    """Number the strata of a sample for its variance; single ones become one with those that would be joined to them.

    Args:
        strata: of each labelled manifestation.
        joined: the wider stratum of each, such as what was read.
    """
    counts = Counter(strata)
    wide = [(name, "") if counts[name] > 1 else ("", wider) for name, wider in zip(strata, joined, strict=True)]
    counts_wide = Counter(wide)
    names = [name if counts_wide[name] > 1 else ("", "") for name in wide]
    place = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names], dtype=np.int64)


def effective_size(weight: Numbers) -> float:
    """Return how many equally weighted labels would tell as much (Kish)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def _part_interval(marks: Marks, read: float, count: int) -> tuple[float, float, float]:
    """Return share and interval of a label among the manifestations read as it, or among the others."""
    mine = marks.read == read
    labelled = int(mine.sum())
    if not labelled:
        return 0.5, 0.0, 1.0
    weight = marks.weight[mine]
    middle = float(weight @ marks.truth[mine] / weight.sum())
    if labelled >= count:
        return middle, middle, middle
    size = effective_size(weight)
    spread = stratified_spread(marks.truth[mine] - middle, weight, marks.group[mine])
    if spread > 0:
        size = max(size, min(middle * (1 - middle) / spread, MOST_GAIN * labelled))
    size /= 1 - labelled / count
    low, high = jeffreys(middle * size, size)
    return middle, min(low, middle), max(high, middle)


def stratified_spread(left: Numbers, weight: Numbers, group: NDArray[np.int64]) -> float:
    """Return the variance of a weighted mean of a stratified sample (linearized), without the correction for what was seen.

    Args:
        left: each value less the mean; shape (n,).
        weight: of each.
        group: its stratum; one that stands alone counts with its whole square.
    """
    parts = weight * left / weight.sum()
    counts = np.bincount(group)
    sums, squares = np.bincount(group, parts), np.bincount(group, parts**2)
    several, alone = counts > 1, counts == 1
    within = (squares[several] - sums[several] ** 2 / counts[several]) * counts[several] / (counts[several] - 1)
    return float(within.sum() + squares[alone].sum())


def _equal_size(share: float, left: Numbers, marks: Marks, whole: float) -> float:
    """Return of how many labels a plain share would have the variance of this one; 0 if that cannot be told."""
    spread = stratified_spread(left - marks.mean(left), marks.weight, marks.group) * (1 - len(left) / marks.population)
    return share * (1 - share) * whole**2 / spread if spread > 0 else 0.0
