"""Quality: how right the model is on the city's own messages, from the manifestations that people labelled. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pipelines.reports.estimation import Numbers, effective_size, jeffreys
from pipelines.reports.labelled import TASKS, Gold

QUALITY_COLUMNS = {
    "channel": "varchar",
    "task": "varchar",
    "labelled_count": "bigint",
    "labeller_count": "bigint",
    "twice_count": "bigint",
    "differing_count": "bigint",
    "accuracy": "double",
    "accuracy_low": "double",
    "accuracy_high": "double",
    "macro_f1": "double",
    "macro_f1_low": "double",
    "macro_f1_high": "double",
    "samples": "varchar",
}
"""Of the temporary table `quality`, and of `report_quality` beside the report's id."""

_NORMAL = 1.959964
"""Standard errors on each side of an interval of 95 %."""


def measure_quality(gold: Gold) -> Iterator[dict[str, Any]]:
    """Yield one row of table `quality` per task that people labelled in every sample, without the channel.

    The figures are of all counted manifestations, estimated from those labelled without difference, or settled. What the model
    left unclassified is not right.
    """
    for task in TASKS:
        covered = gold.cover([task])
        if covered is None:
            continue
        weight = covered.weights()
        right = np.array([float(item.labels[task] == item.read[task]) for item in covered.items])
        accuracy = float(weight @ right / weight.sum())
        size = effective_size(weight)
        low, high = jeffreys(accuracy * size, size)
        f1, error = _with_error(confusion(covered, task), weight)
        yield {
            "task": task,
            "labelled_count": len(covered.items),
            "labeller_count": max(item.labellers for item in covered.items),
            "twice_count": sum(item.labellers > 1 for item in gold.items),
            "differing_count": sum(task in item.differing for item in gold.items),
            "accuracy": accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "macro_f1": f1,
            "macro_f1_low": max(0.0, f1 - _NORMAL * error),
            "macro_f1_high": min(1.0, f1 + _NORMAL * error),
            "samples": ",".join(sorted(covered.populations)),
        }


def confusion(gold: Gold, task: str) -> Numbers:
    """Return what each labelled manifestation adds to the table of true by read label: shape (items, labels, labels)."""
    pairs = [(item.labels[task], item.read[task]) for item in gold.items]
    place = {label: number for number, label in enumerate(sorted({label for pair in pairs for label in pair}))}
    table = np.zeros((len(pairs), len(place), len(place)))
    for number, (true, read) in enumerate(pairs):
        table[number, place[true], place[read]] = 1
    return table


def macro_f1(table: Numbers) -> float:
    """Return the unweighted mean of F1 over the labels that are true somewhere, of a table of true by read; 0 of an empty one."""
    right, true, read = np.diagonal(table), table.sum(axis=1), table.sum(axis=0)
    there = true > 0
    return float(np.mean(2 * right[there] / (true[there] + read[there]))) if there.any() else 0.0


def _with_error(table: Numbers, weight: Numbers) -> tuple[float, float]:
    """Return macro-F1 with its standard error: each manifestation is left out in turn (jackknife)."""
    weighted = table * weight[:, None, None]
    whole = weighted.sum(axis=0)
    n = len(weight)
    without = np.array([macro_f1(whole - one) for one in weighted])
    return macro_f1(whole), float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
