"""Categories and issues that the heads were not trained on: an own category, the parts of a split one, every issue.

The heads know the shipped categories. A merged category adds its members up; the parts of a split one share what the head
gives to the whole; an added one takes from all others as much as its examples speak for it. Examples and definitions stand in
the taxonomy, so nothing is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.few_shot import Space, read_labels
from models.taxonomy import NO_ISSUE, Category, Issue, Taxonomy

Array = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Embed = Callable[[Sequence[str]], Array]

SHARPNESS = 2.0
"""Divides the scores of a comparison between examples: few examples deserve little certainty."""

NO_ISSUE_HANDICAP = 2.0
"""What is taken from the score of "no issue", which is the middle of the category's issues: most messages name one."""


def describe(entry: Category | Issue) -> list[str]:
    """Return what is known of an entry in plain sentences: definition, examples, and for a category those of its issues."""
    issues = entry.issues if isinstance(entry, Category) else ()
    return [f"{entry.label_es}: {entry.definition_es}", *entry.examples, *(text for issue in issues for text in issue.examples)]


@dataclass(frozen=True)
class CategoryReader:
    """Turns what the head says of the shipped categories into the categories of a taxonomy."""

    labels: tuple[str, ...]
    space: Space
    known: tuple[str, ...]
    """The head's labels in its order."""

    members: Mapping[str, tuple[str, ...]]
    """Category -> the head's labels whose probability feeds it."""

    parts: Mapping[str, tuple[str, ...]]
    """A head's label -> the categories that share it."""

    added: tuple[str, ...]
    means: Mapping[str, Array]
    """Part or added category -> its place in the space."""

    @classmethod
    def build(cls, taxonomy: Taxonomy, known: Sequence[str], space: Space, embed: Embed) -> CategoryReader:
        """Look up where each category comes from, and place those that only examples tell of."""
        origins = taxonomy.origins
        members: dict[str, tuple[str, ...]] = {}
        parts: dict[str, tuple[str, ...]] = {}
        added = []
        for category in taxonomy.category_ids:
            origin = origins[category]
            if origin.kind == "part":
                parts[origin.members[0]] = (*parts.get(origin.members[0], ()), category)
            elif origin.kind == "added" or not set(origin.members) <= set(known):
                added.append(category)
            else:
                members[category] = origin.members
        told = [*added, *(part for group in parts.values() for part in group)]
        means = {category: space.mean_of(embed(describe(taxonomy.category(category)))) for category in told}
        return cls(taxonomy.category_ids, space, tuple(known), members, parts, tuple(added), means)

    def read(self, trained: Probabilities, placed: Array) -> Probabilities:
        """Return (texts, labels) from the head's probabilities (texts, known) and the texts' places (texts, k)."""
        found = np.zeros((len(trained), len(self.labels)))
        for category, members in self.members.items():
            found[:, self.labels.index(category)] = sum(trained[:, self.known.index(member)] for member in members)
        for whole, group in self.parts.items():
            shares = read_labels(placed, [self.means[part] for part in group], temperature=SHARPNESS)
            for place, part in enumerate(group):
                found[:, self.labels.index(part)] = trained[:, self.known.index(whole)] * shares[:, place]
        total = found.sum(1, keepdims=True)
        found = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
        if self.added:
            rivals = [mean for label, mean in self.space.means.items()]
            against = read_labels(placed, [*(self.means[own] for own in self.added), *rivals], temperature=SHARPNESS)
            own = against[:, : len(self.added)]
            found *= 1 - own.sum(1, keepdims=True)
            for place, category in enumerate(self.added):
                found[:, self.labels.index(category)] = own[:, place]
        return np.asarray(found / found.sum(1, keepdims=True), np.float64)


@dataclass(frozen=True)
class IssueReader:
    """Reads the issue within the category that was read: first among the issues as they shipped, then among the parts of one."""

    labels: tuple[str, ...]
    groups: Mapping[str, tuple[tuple[tuple[str, ...], ...], Array]]
    """Category -> its groups of issues and their places (groups, k); the parts of a split issue are one group."""

    parts: Mapping[tuple[str, ...], Array]
    """A group of several -> the places of its parts (parts, k), by their own examples alone."""

    @classmethod
    def build(cls, taxonomy: Taxonomy, space: Space, embed: Embed) -> IssueReader:
        """Place every issue by its definition and examples."""
        groups, parts = {}, {}
        for category in taxonomy.categories:
            named = {f"{category.id}.{issue.id}": issue for issue in category.issues}
            found: dict[tuple[str, ...], tuple[str, ...]] = {}
            for name in named:
                origin = taxonomy.issue_origins[name]
                key = ("part", *origin.members) if origin.kind == "part" else (name,)
                found[key] = (*found.get(key, ()), name)
            places = []
            for group in found.values():
                told = [text for name in group for text in describe(named[name])]
                places.append(space.mean_of(embed(told), issues=taxonomy.issue_origins[group[0]].members))
                if len(group) > 1:
                    parts[group] = np.stack([space.mean_of(embed(describe(named[name]))) for name in group])
            if places:
                groups[category.id] = tuple(found.values()), np.stack(places)
        return cls((*taxonomy.issue_ids, NO_ISSUE), groups, parts)

    def read(self, categories: Sequence[str], placed: Array) -> Probabilities:
        """Return (texts, labels) for texts read as these categories; issues of other categories get nothing."""
        found = np.zeros((len(categories), len(self.labels)))
        column = {label: place for place, label in enumerate(self.labels)}
        for row, category in enumerate(categories):
            if category not in self.groups:
                found[row, -1] = 1.0
                continue
            groups, places = self.groups[category]
            rivals, handicap = [*places, places.mean(0)], [0.0] * len(places) + [NO_ISSUE_HANDICAP]
            here = placed[row : row + 1]
            *shares, nothing = read_labels(here, rivals, temperature=SHARPNESS, handicap=handicap)[0]
            found[row, -1] = nothing
            for group, share in zip(groups, shares, strict=True):
                inner = read_labels(here, list(self.parts[group]), temperature=SHARPNESS)[0] if len(group) > 1 else (1.0,)
                for name, part in zip(group, inner, strict=True):
                    found[row, column[name]] = share * part
        return found
