"""How far two people who labelled the same messages agree: Cohen's kappa and Krippendorff's alpha, with intervals."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipelines.digests import value_digest
from pipelines.staging import Build, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PAIRS = 30
"""Fewest doubly labelled messages of which agreement is told; with fewer it says more about chance than about people."""

DRAWS = 2_000
"""Samples of the bootstrap."""

LEVEL = 0.95
TASKS = ("category", "issue", "sentiment")
FINAL = "final"
"""The labeller that stands for what a third person settled: it agrees with nobody, since it has seen both."""


class Labelled(NamedTuple):
    """One label that holds."""

    message: str
    task: str
    labeller: str
    label: str


@dataclass(frozen=True)
class Agreement:
    """Agreement of two people on one task; the coefficients are None with fewer than `LEAST_PAIRS` or if all labels are one."""

    pair_count: int
    agreed_count: int
    kappa: float | None = None
    kappa_low: float | None = None
    kappa_high: float | None = None
    alpha: float | None = None
    alpha_low: float | None = None
    alpha_high: float | None = None


def pair_labels(labels: Iterable[Labelled], task: str) -> list[tuple[str, str]]:
    """Return for each message with labels of two people the pair of them, in the order of the messages.

    Of a message that more than two labelled, the first two by the letter of the labeller.
    """
    given: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in labels:
        if entry.task == task and entry.labeller != FINAL:
            given[entry.message][entry.labeller] = entry.label
    ordered = ([by[labeller] for labeller in sorted(by)] for _, by in sorted(given.items()))
    return [(both[0], both[1]) for both in ordered if len(both) >= 2]


def measure_agreement(pairs: Sequence[tuple[str, str]], *, seed: int) -> Agreement:
    """Measure the agreement of pairs of labels, with 95 % intervals of a bootstrap over the messages.

    Cohen (1960) and Krippendorff (2004), nominal. Where nobody differed, a bootstrap would draw the same again and again:
    there the low end is that of the exact interval of a share (Clopper and Pearson 1934), chance agreement held fixed.

    Args:
        pairs: of each message, the label of the one and of the other.
        seed: of the bootstrap.
    """
    agreed = sum(one == other for one, other in pairs)
    if len(pairs) < LEAST_PAIRS or len({label for pair in pairs for label in pair}) < 2:
        return Agreement(len(pairs), agreed)
    counts = _cross(pairs)
    kappa, alpha = float(_kappas(counts[None])[0]), krippendorff_alpha(pairs)
    if agreed == len(pairs):
        lost = 1 - ((1 - LEVEL) / 2) ** (1 / len(pairs))
        low = (1 - lost / (1 - _chance(counts)), 1.0)
        return Agreement(len(pairs), agreed, kappa, *low, alpha, *low)
    drawn = np.random.default_rng(seed).multinomial(len(pairs), counts.ravel() / len(pairs), size=DRAWS)
    tables = drawn.reshape(DRAWS, *counts.shape).astype(float)
    return Agreement(len(pairs), agreed, kappa, *_interval(_kappas(tables)), alpha, *_interval(_alphas(tables)))


def krippendorff_alpha(pairs: Sequence[tuple[str, str]]) -> float:
    """Return Krippendorff's alpha of pairs of labels, of which at least two differ; 1 is full agreement, 0 that of chance."""
    import krippendorff

    labels = sorted({label for pair in pairs for label in pair})
    data = [[labels.index(pair[side]) for pair in pairs] for side in (0, 1)]
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


def _cross(pairs: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """Return how often each label of the one met each of the other: a square table."""
    place = {label: number for number, label in enumerate(sorted({label for pair in pairs for label in pair}))}
    counts = np.zeros((len(place), len(place)), dtype=np.int64)
    for one, other in pairs:
        counts[place[one], place[other]] += 1
    return counts


def _chance(counts: NDArray[np.int64]) -> float:
    """Return the share of agreement that chance would give, by Cohen."""
    return float((counts.sum(axis=0) * counts.sum(axis=1)).sum() / counts.sum() ** 2)


def _kappas(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return Cohen's kappa of each table of (tables, labels, labels); NaN where chance agrees wholly."""
    total = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / total
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total**2
    return _beyond(1 - observed, 1 - chance)


def _alphas(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return Krippendorff's alpha of each table of (tables, labels, labels); NaN where all labels are one."""
    total = 2 * tables.sum(axis=(1, 2))
    used = tables.sum(axis=1) + tables.sum(axis=2)
    differing = 2 * (tables.sum(axis=(1, 2)) - np.trace(tables, axis1=1, axis2=2)) / total
    expected = (total**2 - (used**2).sum(axis=1)) / (total * (total - 1))
    return _beyond(differing, expected)


def _beyond(differing: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.divide(differing, expected, out=np.full_like(expected, np.nan), where=expected > 0)


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)


def agreement_seed(sample_ids: Iterable[str]) -> int:
    """Return the seed of the bootstrap, which follows from the samples alone."""
    return int(value_digest(sorted(sample_ids))[:8], 16)


def load_agreement(build: Build) -> str:
    """Stage the samples and labels of a report's window, and return their digest.

    `window_sample` has one row per sample, `window_label` one per counted manifestation, task and labeller.
    """
    for name in ("window_sample", "window_sample_item", "window_label"):
        stage(build.warehouse, name, build.window)
    samples = build.warehouse.query("select * exclude (run_id) from window_sample order by sample_id")
    items = build.warehouse.query("select * from window_sample_item order by all")
    labels = build.warehouse.query("select * from window_label order by all")
    return value_digest([[list(map(str, row)) for row in rows] for rows in (samples, items, labels)]) if samples else ""


def compute_agreement(build: Build) -> None:
    """Stage `task_agreement`: one row per channel of the city and task."""
    warehouse = build.warehouse
    samples: dict[str, list[str]] = defaultdict(list)
    for channel, sample_id in warehouse.query("select channel, sample_id from window_sample order by all"):
        samples[channel].append(sample_id)
    labels: dict[str, list[Labelled]] = defaultdict(list)
    for channel, *entry in warehouse.query(
        "select channel, manifestation_id, task, labeller, label from window_label order by all"
    ):
        labels[channel].append(Labelled(*entry))
    channels = [channel for (channel,) in warehouse.query("select channel from city_channel order by channel")]
    rows = [
        {"channel": channel, "task": task, "position": position}
        | _counts([entry for entry in labels[channel] if entry.task == task])
        | _coefficients(measure_agreement(pair_labels(labels[channel], task), seed=agreement_seed(samples[channel])))
        for channel in channels
        for position, task in enumerate(TASKS, start=1)
    ]
    warehouse.temporary("task_agreement", rows, _COLUMNS)


_COLUMNS = {
    **dict.fromkeys(("channel", "task", "labellers"), "varchar"),
    "position": "integer",
    **dict.fromkeys(("labelled_count", "double_labelled_count", "agreed_count", "settled_count"), "bigint"),
    **dict.fromkeys(("kappa", "kappa_low", "kappa_high", "alpha", "alpha_low", "alpha_high"), "double"),
}


def _counts(entries: Sequence[Labelled]) -> dict[str, Any]:
    people: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        people[entry.labeller].add(entry.message)
    settled = people.pop(FINAL, set())
    return {
        "labelled_count": len({entry.message for entry in entries}),
        "settled_count": len(settled),
        "labellers": json.dumps({labeller: len(messages) for labeller, messages in sorted(people.items())}),
    }


def _coefficients(agreement: Agreement) -> dict[str, Any]:
    columns = asdict(agreement)
    return {"double_labelled_count": columns.pop("pair_count"), **columns}
