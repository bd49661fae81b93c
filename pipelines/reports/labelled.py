"""What people labelled, as estimates need it: whose labels hold, what they say together, what each message stands for. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from pipelines.reports.estimation import Marks, Numbers, join_single

TASKS = ("category", "issue", "sentiment")

FINAL = "final"
"""The labeller whose label settles what others said."""

NO_ISSUE = "none"
"""Of a category that was labelled, no issue: also where the issue's cell was left empty by someone who filled others."""

Labels = Mapping[str, str]
"""Task -> label."""


Predicate = Callable[[Labels], bool]


@dataclass(frozen=True)
class Sample:
    """A sample that could be used: its window, and how many of its manifestations are labelled and still count."""

    sample_id: str
    start: datetime
    end: datetime
    labelled_count: int


@dataclass(frozen=True)
class Labelled:
    """One labelled manifestation that still counts."""

    sample_id: str
    stratum: str
    labels: Labels
    """What was settled, or what all who labelled a task agree on. Where they differ the task is missing: to count half for each
    would swell rare labels and shrink large ones by the labellers' errors (`benchmarks/shares.py` measures both)."""

    read: Labels
    """What the model read."""

    labellers: int
    """How many labelled it; who only settled is none of them."""

    differing: frozenset[str]
    """The tasks on which they differ and that nobody settled."""


@dataclass(frozen=True)
class Gold:
    """What people labelled in the samples of one channel, and what the model read in all of it."""

    items: Sequence[Labelled]
    strata: Sequence[Mapping[str, Any]]
    populations: Mapping[str, int]
    """Sample -> counted manifestations of its window."""

    readings: Sequence[tuple[Labels, int]]
    """What was read -> how many counted manifestations."""

    def cover(self, tasks: Sequence[str]) -> Gold | None:
        """Return the same with only the items on which all of these tasks are labelled; None if a sample has none such."""
        items = [item for item in self.items if all(task in item.labels for task in tasks)]
        if {item.sample_id for item in items} != set(self.populations):
            return None
        return Gold(items, self.strata, self.populations, self.readings)

    def weights(self) -> Numbers:
        """Return how many counted manifestations each item stands for."""
        return weigh(self.items, self.strata, self.populations)

    def marks(self, has: Predicate) -> Marks:
        """Return where a label stands in the sample and among the readings."""
        return Marks(
            np.array([float(has(item.labels)) for item in self.items]),
            np.array([float(has(item.read)) for item in self.items]),
            self.weights(),
            join_single(
                [f"{item.sample_id} {item.stratum}" for item in self.items], [item.read["category"] for item in self.items]
            ),
            sum(count for labels, count in self.readings if has(labels)),
            sum(count for _, count in self.readings),
        )


def choose_samples(samples: Sequence[Sample], start: datetime, end: datetime) -> list[Sample]:
    """Return the samples whose windows, one after another, make up [start, end); none if no choice of them does.

    Among several choices the one with the most labels holds, then the one with the greatest ids.
    """
    best: dict[datetime, tuple[int, list[str], list[Sample]]] = {start: (0, [], [])}
    for sample in sorted(samples, key=lambda sample: (sample.end, sample.start, sample.sample_id)):
        if sample.start not in best or not sample.labelled_count:
            continue
        count, ids, before = best[sample.start]
        choice = (count + sample.labelled_count, [*ids, sample.sample_id], [*before, sample])
        if sample.end not in best or choice[:2] > best[sample.end][:2]:
            best[sample.end] = choice
    return best[end][2] if end in best else []


def join_labels(rows: Iterable[Mapping[str, Any]]) -> list[Labelled]:
    """Join the rows of table `label_use`, in its order, to one value per labelled manifestation."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["sample_id"], row["manifestation_id"]].append(row)
    full = {(row["sample_id"], row["labeller"]) for group in groups.values() for row in group if row["task"] == "issue"}
    return [_join(group, full) for _, group in sorted(groups.items())]


def _join(group: Sequence[Mapping[str, Any]], full: set[tuple[str, str]]) -> Labelled:
    first = group[0]
    own: dict[str, dict[str, str]] = defaultdict(dict)
    for row in group:
        own[row["labeller"]][row["task"]] = row["label"]
    for labeller, said in own.items():
        if "category" in said and (first["sample_id"], labeller) in full:
            said.setdefault("issue", NO_ISSUE)
    settled = own.pop(FINAL, {})
    told = {task: {said[task] for said in own.values() if task in said} for task in TASKS}
    agreed = {task: min(labels) for task, labels in told.items() if len(labels) == 1}
    differing = frozenset(task for task, labels in told.items() if len(labels) > 1) - settled.keys()
    read = {"category": first["category_id"], "issue": first["issue_id"] or NO_ISSUE, "sentiment": first["sentiment"]}
    return Labelled(first["sample_id"], first["stratum"], agreed | settled, read, len(own), differing)


def weigh(items: Sequence[Labelled], strata: Iterable[Mapping[str, Any]], populations: Mapping[str, int]) -> Numbers:
    """Return how many counted manifestations each labelled one stands for: shape (items,).

    Those of a stratum that were drawn and not labelled are stood for by those that were; so are strata without any label, by
    the rest of their sample.

    Args:
        items: those with the labels that are asked for.
        strata: rows of table `label_stratum`.
        populations: sample -> the counted manifestations of its window.
    """
    labelled = Counter((item.sample_id, item.stratum) for item in items)
    each = {
        (row["sample_id"], row["stratum"]): row["stratum_count"] / row["stratum_drawn"] * row["counted_count"] for row in strata
    }
    weight = np.array([each[item.sample_id, item.stratum] / labelled[item.sample_id, item.stratum] for item in items])
    samples = np.array([item.sample_id for item in items])
    for sample_id, population in populations.items():
        mine = samples == sample_id
        weight[mine] *= population / weight[mine].sum() if mine.any() else 1
    return weight
