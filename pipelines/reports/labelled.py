"""What people labelled, as estimates need it: whose labels hold, what they say together, what each message stands for. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from pipelines.reports.estimation import Marks, Numbers, join_single

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
    said: tuple[Labels, ...]
    """What each labeller says, with what was settled in the place of their own."""

    read: Labels
    """What the model read."""

    labellers: int
    """How many said it; who only settled is none of them."""

    def opinions(self, tasks: Sequence[str]) -> list[Labels]:
        """Return what each says who labelled all of these tasks."""
        return [said for said in self.said if all(task in said for task in tasks)]

    def share_of(self, tasks: Sequence[str], has: Predicate) -> float:
        """Return the part of the opinions, in [0, 1], of which something is true."""
        opinions = self.opinions(tasks)
        return sum(map(has, opinions)) / len(opinions)

    def differs(self, task: str) -> bool:
        """Tell whether labellers differ in a task and nobody settled it."""
        return len({said[task] for said in self.said if task in said}) > 1


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
        items = [item for item in self.items if item.opinions(tasks)]
        if {item.sample_id for item in items} != set(self.populations):
            return None
        return Gold(items, self.strata, self.populations, self.readings)

    def weights(self) -> Numbers:
        """Return how many counted manifestations each item stands for."""
        return weigh(self.items, self.strata, self.populations)

    def marks(self, tasks: Sequence[str], has: Predicate) -> Marks:
        """Return where a label stands in the sample and among the readings."""
        return Marks(
            np.array([item.share_of(tasks, has) for item in self.items]),
            np.array([float(has(item.read)) for item in self.items]),
            self.weights(),
            join_single([f"{item.sample_id} {item.stratum}" for item in self.items], [item.read["category"] for item in self.items]),
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
    settled = own.pop(FINAL, {})
    said = [{**labels, **settled} for _, labels in sorted(own.items())] or [settled]
    if any((first["sample_id"], labeller) in full for labeller in (*own, FINAL)):
        said = [{"issue": NO_ISSUE, **labels} if "category" in labels else labels for labels in said]
    read = {"category": first["category_id"], "issue": first["issue_id"] or NO_ISSUE, "sentiment": first["sentiment"]}
    return Labelled(first["sample_id"], first["stratum"], tuple(said), read, len(own))


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
