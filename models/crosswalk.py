"""From one taxonomy to another: where the messages of each old category and issue are counted in the new one.

A count moves whole or not at all. What one old id holds and several new ones would share is told as their sum: only a
new reading of the messages can tell them apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from models.lineage import Lineage
from models.taxonomy import Origin, Taxonomy

UNCLASSIFIED = "unclassified"

Group = tuple[str, ...]
"""New ids, in the order of the new taxonomy, whose counts are only known together; mostly one."""


class CrosswalkError(ValueError):
    """Something counted has no place in the new taxonomy."""


@dataclass(frozen=True)
class Crosswalk:
    """Where each old id is counted; the groups never overlap."""

    categories: Mapping[str, Group]
    """Every old category id, and "unclassified"; never empty."""

    issues: Mapping[str, Group]
    """Every old `category.issue`; () where the new taxonomy has no such issue, so that it counts with the category alone."""

    without_past: tuple[str, ...]
    """New categories and issues that nothing was ever counted under: messages about them stay where they were."""

    def restate_categories(self, counts: Mapping[str, int]) -> dict[Group, int]:
        """Restate old counts by category; the sum stays the same, groups without a count are 0.

        Raises:
            CrosswalkError: if a count belongs to a category that the old taxonomy has not.
        """
        return _restate(counts, self.categories)

    def restate_issues(self, counts: Mapping[str, int]) -> dict[Group, int]:
        """Restate old counts by `category.issue`; what has no issue any more stands under ().

        Raises:
            CrosswalkError: if a count belongs to an issue that the old taxonomy has not.
        """
        return _restate(counts, self.issues)


def crosswalk(old: Taxonomy, new: Taxonomy) -> Crosswalk:
    """Return the crosswalk between two taxonomies that change the same shipped one, or are it.

    Raises:
        CrosswalkError: if an old category has no place in the new taxonomy.
    """
    categories = map_categories(old, new)
    lost = [key for key, targets in categories.items() if not targets]
    if lost:
        raise CrosswalkError(f"{new.revision} has no place for {', '.join(lost)} of {old.revision}")
    categories[UNCLASSIFIED] = {UNCLASSIFIED}
    issues = map_issues(old, new)
    reached = {key for targets in (*categories.values(), *issues.values()) for key in targets}
    return Crosswalk(
        categories=join_overlapping(categories, (*new.category_ids, UNCLASSIFIED)),
        issues=join_overlapping(issues, new.issue_ids),
        without_past=tuple(key for key in (*new.category_ids, *new.issue_ids) if key not in reached),
    )


def map_categories(old: Taxonomy, new: Taxonomy) -> dict[str, set[str]]:
    """Return old category id -> all new ids that its messages may belong to; empty if there is none."""
    return {key: _find_category(key, old, new) for key in old.origins}


def map_issues(old: Taxonomy, new: Taxonomy) -> dict[str, set[str]]:
    """Return old `category.issue` -> all new issues that its messages may belong to; empty if there is none."""
    return {key: _find_issue(key, old, new) for key in old.issue_origins}


def _find_category(key: str, old: Taxonomy, new: Taxonomy) -> set[str]:
    origin = old.origins[key]
    if origin.kind == "added" and _kind(key, new.origins) == "added":
        return {key}
    if origin.kind == "part" and _parts(old, origin) == _parts(new, origin):
        return {key}
    return _holders(origin, new.origins)


def _find_issue(key: str, old: Taxonomy, new: Taxonomy) -> set[str]:
    origin = old.issue_origins[key]
    category, _, local = key.partition(".")
    if origin.kind == "added":
        candidates = {f"{target}.{local}" for target in _find_category(category, old, new)}
        return {candidate for candidate in candidates if _kind(candidate, new.issue_origins) == "added"}
    if origin.kind == "part":
        ours, theirs = (
            {name.partition(".")[2]: name for name, other in taxonomy.issue_origins.items() if other == origin}
            for taxonomy in (old, new)
        )
        if ours.keys() == theirs.keys():
            return {theirs[local]}
    return _holders(origin, new.issue_origins)


def _holders(origin: Origin, lineage: Lineage) -> set[str]:
    """Return what holds any of the shipped ids; nothing was ever counted under what was added."""
    members = set(origin.members)
    return {key for key, other in lineage.items() if other.kind != "added" and members & set(other.members)}


def _parts(taxonomy: Taxonomy, origin: Origin) -> set[Hashable]:
    """Return the parts of a shipped category, each with what is in it: a part with other issues is another part."""
    inside = {key: _shipped_issues(taxonomy, key) for key, other in taxonomy.origins.items() if other == origin}
    spread = Counter(member for held in inside.values() for member in {member for member, _ in held})
    return {
        (key, frozenset((member, local if spread[member] > 1 else "") for member, local in held)) for key, held in inside.items()
    }


def _shipped_issues(taxonomy: Taxonomy, category: str) -> set[tuple[str, str]]:
    """Return (shipped issue, local id of what holds it) for the issues of a category."""
    prefix = f"{category}."
    held = {name: origin for name, origin in taxonomy.issue_origins.items() if name.startswith(prefix)}
    return {(member, name.removeprefix(prefix)) for name, origin in held.items() for member in origin.members}


def _kind(key: str, lineage: Lineage) -> str | None:
    return lineage[key].kind if key in lineage else None


def join_overlapping(targets: Mapping[str, set[str]], order: Iterable[str]) -> dict[str, Group]:
    """Widen the targets that share an id until no two groups overlap; the ids of each stand in the order given."""
    group_of: dict[str, frozenset[str]] = {}
    for found in targets.values():
        joined = frozenset(found).union(*(group_of[key] for key in found if key in group_of))
        group_of |= dict.fromkeys(joined, joined)
    place = {key: number for number, key in enumerate(order)}
    return {
        key: tuple(sorted(group_of[next(iter(found))], key=place.__getitem__)) if found else () for key, found in targets.items()
    }


def _restate(counts: Mapping[str, int], groups: Mapping[str, Group]) -> dict[Group, int]:
    unknown = [key for key in counts if key not in groups]
    if unknown:
        raise CrosswalkError(f"no place for {', '.join(unknown)}; the old taxonomy has {', '.join(groups)}")
    restated = dict.fromkeys(groups.values(), 0)
    for key, count in counts.items():
        restated[groups[key]] += count
    return restated
