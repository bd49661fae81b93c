"""How well labels are read: accuracy, precision, recall, F1 and calibration, each with a bootstrap interval.

Pure numpy with fixed seeds: the same rows give the same figures. Intervals are 95 % percentile intervals over 1,000 resamples
of the rows, not stratified. What a resample leaves undefined (the F1 of a class that it neither holds nor reads) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000

BINS = 10
"""Bins of equal mass in which scores are compared with what was right."""

FEWEST_ROWS = 10
"""Rows from which `macro_f1_10` takes a class in: the F1 of a rarer one is mostly chance."""

METRICS = ("accuracy", "macro_f1", "macro_f1_10", "told", "right_of_told", "ece", "ece_raw", "brier", "nll")
"""Names of the figures of a task, in the order in which they are listed; of the last four, less is better."""

_SEED = 20_210_401
_CELLS_AT_A_TIME = 4_000_000
_SMALLEST_PROBABILITY = 1e-6

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Figure(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class ClassFigures(NamedTuple):
    """How one label is read; a figure is None where it is undefined."""

    label: str
    rows: int
    """Rows that truly have the label."""

    read: int
    """Rows that were read as the label."""

    precision: Figure | None
    """Right readings among the rows read as the label; None if it was never read."""

    recall: Figure | None
    """Right readings among the rows that have the label; None if no row has it."""

    f1: Figure | None
    """2 hits / (rows + read); None if the label neither occurs nor was read."""


@dataclass(frozen=True)
class TaskFigures:
    """The figures of one task on one set of rows."""

    rows: int
    labels: tuple[str, ...]
    figures: dict[str, Figure]
    """By name, those of `METRICS` that the rows allow."""

    classes: tuple[ClassFigures, ...]
    """One for each label, in order."""

    confusion: tuple[tuple[int, ...], ...]
    """Counts: one row per true label, one column per label read, both in the order of `labels`."""


def measure_task(
    truth: Sequence[str], read: Sequence[str], labels: Sequence[str], probabilities: Floats | None = None
) -> TaskFigures:
    """Measure n readings against n true labels.

    `macro_f1` is over the labels that occur in the truth, `macro_f1_10` over those of `FEWEST_ROWS` rows or more.

    Args:
        truth: the true labels.
        read: the labels read.
        labels: all labels of the task, in the order to list them.
        probabilities: n x len(labels), for calibration; each row adds up to 1. Without them, no `ece`, `brier` and `nll`.

    Raises:
        ValueError: if there are no rows, the lengths differ, or a label is not among `labels`.
    """
    matrix = confusion_matrix(truth, read, labels)
    hits, trues, reads = _resample(matrix)
    precision, recall, f1 = _scores(hits, trues, reads)
    points = _scores(*(part[None, :] for part in _margins(matrix)))
    sums = [precision, recall, f1]
    classes = tuple(
        ClassFigures(
            label,
            int(matrix[position].sum()),
            int(matrix[:, position].sum()),
            *(_figure(point[0, position], sample[:, position]) for point, sample in zip(points, sums, strict=True)),
        )
        for position, label in enumerate(labels)
    )
    rows = int(matrix.sum())
    accuracy = _figure(float(np.trace(matrix)) / rows, hits.sum(axis=1) / rows)
    found = {
        "accuracy": accuracy,
        "macro_f1": _macro(points[2], f1, matrix.sum(axis=1) > 0),
        "macro_f1_10": _macro(points[2], f1, matrix.sum(axis=1) >= FEWEST_ROWS),
    }
    if probabilities is not None:
        found |= measure_calibration(truth, read, labels, probabilities)
    figures = {name: figure for name in METRICS if (figure := found.get(name)) is not None}
    return TaskFigures(rows, tuple(labels), figures, classes, tuple(tuple(map(int, row)) for row in matrix))


def confusion_matrix(truth: Sequence[str], read: Sequence[str], labels: Sequence[str]) -> Counts:
    """Count the rows by true label (rows of the matrix) and label read (columns), both in the order of `labels`.

    Raises:
        ValueError: if there are no rows, the lengths differ, or a label is not among `labels`.
    """
    true_codes, read_codes = _encode(truth, labels), _encode(read, labels)
    if len(true_codes) != len(read_codes):
        raise ValueError(f"{len(true_codes)} true labels and {len(read_codes)} readings: there must be one for each")
    if not len(true_codes):
        raise ValueError("the set is empty: there is nothing to measure")
    size = len(labels)
    return np.bincount(true_codes * size + read_codes, minlength=size * size).reshape(size, size)


def measure_difference(
    truth: Sequence[str], first: Sequence[str], second: Sequence[str], labels: Sequence[str], metric: str
) -> Figure:
    """Return by how much `metric` is higher for `first` than for `second`; both read the same rows, resampled together.

    Args:
        truth: the true labels.
        first: what one annotator read.
        second: what the other read.
        labels: all labels of the task.
        metric: accuracy, macro_f1 or macro_f1_10.

    Raises:
        ValueError: as `confusion_matrix`; or if the metric is another one, or no class has the rows that it asks for.
    """
    fewest = {"accuracy": 0, "macro_f1": 1, "macro_f1_10": FEWEST_ROWS}
    if metric not in fewest:
        raise ValueError(f"no paired difference of {metric!r}; available: {', '.join(fewest)}")
    matrices = [confusion_matrix(truth, read, labels) for read in (first, second)]
    chosen = matrices[0].sum(axis=1) >= fewest[metric]
    if not chosen.any():
        raise ValueError(f"no class has the {fewest[metric]} rows that {metric} asks for")
    codes = np.stack([_encode(part, labels) for part in (truth, first, second)])
    cells, counts = np.unique(codes, axis=1, return_counts=True)
    draws = _generator(1).multinomial(len(truth), counts / counts.sum(), size=RESAMPLES)
    point, samples = 0.0, np.zeros(RESAMPLES)
    for sign, column, matrix in ((1, 1, matrices[0]), (-1, 2, matrices[1])):
        margins = _margins_of_cells(draws, cells[0], cells[column], len(labels))
        if metric == "accuracy":
            point += sign * np.trace(matrix) / len(truth)
            samples += sign * margins[0].sum(axis=1) / len(truth)
        else:
            point += sign * float(_mean_of(_scores(*(part[None, :] for part in _margins(matrix)))[2], chosen)[0])
            samples += sign * _mean_of(_scores(*margins)[2], chosen)
    return Figure(float(point), *_interval(samples))


def measure_abstention(right: NDArray[np.bool_], told: NDArray[np.bool_]) -> dict[str, Figure]:
    """Measure n readings of which some are not told because their score is below a threshold.

    Returns:
        `told`, the share that is told, and `right_of_told`, the share of these that is right (absent if none is told).
    """
    counts = np.array([(told & right).sum(), (told & ~right).sum(), (~told).sum()])
    draws = _generator(3).multinomial(len(told), counts / len(told), size=RESAMPLES)
    shares = draws[:, :2].sum(axis=1)
    found = {
        "told": _figure(counts[:2].sum() / len(told), shares / len(told)),
        "right_of_told": _figure(float(_ratio(counts[:1], counts[:2].sum(keepdims=True))[0]), _ratio(draws[:, 0], shares)),
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def measure_calibration(
    truth: Sequence[str], read: Sequence[str], labels: Sequence[str], probabilities: Floats
) -> dict[str, Figure]:
    """Return `ece` (without its bias), `ece_raw`, `brier` (0 to 2, summed over the labels) and `nll` (in nats).

    A true label of probability 0 counts as 1e-6 in `nll`.

    Raises:
        ValueError: if there are no rows, the shape is not n x len(labels), or a label is not among `labels`.
    """
    true_codes, read_codes = _encode(truth, labels), _encode(read, labels)
    if not len(true_codes):
        raise ValueError("the set is empty: there is nothing to measure")
    if probabilities.shape != (len(true_codes), len(labels)):
        raise ValueError(f"probabilities of shape {probabilities.shape}; needed: {(len(true_codes), len(labels))}")
    every = np.arange(len(true_codes))
    raw, debiased = expected_calibration_error(probabilities[every, read_codes], true_codes == read_codes)
    of_truth = probabilities[every, true_codes]
    brier = (probabilities**2).sum(axis=1) - 2 * of_truth + 1
    nll = -np.log(np.maximum(of_truth, _SMALLEST_PROBABILITY))
    values = np.stack([brier, nll], axis=1)
    samples = np.concatenate([weights @ values for weights in _row_weights(len(values), 4)]) / len(values)
    means = values.mean(axis=0)
    return {
        "ece": debiased,
        "ece_raw": raw,
        "brier": Figure(float(means[0]), *_interval(samples[:, 0])),
        "nll": Figure(float(means[1]), *_interval(samples[:, 1])),
    }


def expected_calibration_error(scores: Floats, right: NDArray[np.bool_]) -> tuple[Figure, Figure]:
    """Return how far scores are from the share that is right, in the mean over bins of equal mass: as measured, and debiased.

    Even scores that are perfectly calibrated differ from what was right by chance. The debiased figure takes off the mean of what
    such scores show (each reading is drawn right with its own score as probability), and is never below 0. That is too much where
    scores are truly off, as chance then adds to the error less than in full; so the interval takes chance off as a square, which
    kept the true error inside in 89 to 100 % of simulated sets. Equal scores share a bin: the order of the rows does not matter.

    Args:
        scores: n numbers in [0, 1], at least one.
        right: whether each reading was right.
    """
    count = len(scores)
    first_ranks = np.searchsorted(np.sort(scores), scores, side="left")
    bins = np.eye(BINS)[first_ranks * BINS // count]
    gaps = right - scores
    raw = float(np.abs(gaps @ bins).sum() / count)
    drawn, by_chance = _generator(2), []
    for size in _portions(count):
        by_chance.append(np.abs(((drawn.random((size, count)) < scores) - scores) @ bins).sum(axis=1) / count)
    resampled = np.concatenate(
        [np.abs(weights @ (bins * gaps[:, None])).sum(axis=1) / count for weights in _row_weights(count, 3)]
    )
    chance = float(np.concatenate(by_chance).mean())
    debiased = max(0.0, raw - chance)
    # A resample of a sample holds the chance of both.
    low, high = _interval(np.sqrt(np.maximum(0.0, resampled**2 - 2 * chance**2)))
    return Figure(raw, *_interval(resampled)), Figure(debiased, min(low, debiased), max(high, debiased))


def _encode(values: Sequence[str], labels: Sequence[str]) -> Counts:
    codes = {label: code for code, label in enumerate(labels)}
    unknown = sorted(set(values) - set(codes))
    if unknown:
        raise ValueError(f"unknown labels {', '.join(map(repr, unknown))}; allowed: {', '.join(labels)}")
    return np.array([codes[value] for value in values], dtype=np.int64)


def _resample(matrix: Counts) -> tuple[Counts, Counts, Counts]:
    """Resample the rows behind a confusion matrix; return hits, true and read counts (resamples x labels).

    Rows of the same cell are alike, so drawing rows with replacement is one multinomial draw over the cells.
    """
    true_codes, read_codes = np.nonzero(matrix)
    counts = matrix[true_codes, read_codes]
    draws = _generator(0).multinomial(int(counts.sum()), counts / counts.sum(), size=RESAMPLES)
    return _margins_of_cells(draws, true_codes, read_codes, len(matrix))


def _margins_of_cells(draws: Counts, true_codes: Counts, read_codes: Counts, size: int) -> tuple[Counts, Counts, Counts]:
    one = np.eye(size, dtype=np.int64)
    hits = one[true_codes] * (true_codes == read_codes)[:, None]
    return draws @ hits, draws @ one[true_codes], draws @ one[read_codes]


def _margins(matrix: Counts) -> tuple[Counts, Counts, Counts]:
    return np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)


def _scores(hits: Counts, trues: Counts, reads: Counts) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1, NaN where undefined."""
    return _ratio(hits, reads), _ratio(hits, trues), _ratio(2 * hits, trues + reads)


def _ratio(part: Counts, whole: Counts) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def _macro(point: Floats, samples: Floats, chosen: NDArray[np.bool_]) -> Figure | None:
    """Average F1 over the chosen labels; None if there are none."""
    return _figure(float(_mean_of(point, chosen)[0]), _mean_of(samples, chosen)) if chosen.any() else None


def _mean_of(scores: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return the mean of each row over the chosen columns that are defined, NaN if none is."""
    defined = ~np.isnan(scores[:, chosen])
    total = np.where(defined, scores[:, chosen], 0.0).sum(axis=1)
    return np.asarray(np.divide(total, defined.sum(axis=1), out=np.full(len(scores), np.nan), where=defined.any(axis=1)))


def _figure(value: float, samples: Floats) -> Figure | None:
    return None if np.isnan(value) else Figure(float(value), *_interval(samples))


def _interval(samples: Floats) -> tuple[float, float]:
    low, high = np.percentile(samples[~np.isnan(samples)], [2.5, 97.5])
    return float(low), float(high)


def _row_weights(count: int, stream: int) -> Iterator[Floats]:
    """Yield how often each row is drawn, resamples x rows, a portion of the resamples at a time."""
    drawn = _generator(stream)
    for size in _portions(count):
        picks = drawn.integers(count, size=(size, count)) + np.arange(size)[:, None] * count
        yield np.bincount(picks.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def _portions(count: int) -> Iterator[int]:
    """Split the resamples so that a portion of them, times `count` rows, fits in memory."""
    size = max(1, _CELLS_AT_A_TIME // count)
    yield from (min(size, RESAMPLES - start) for start in range(0, RESAMPLES, size))


def _generator(stream: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, stream])
