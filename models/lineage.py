"""Which category and issue of a city's taxonomy comes from which of the taxonomy that ships: ids only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from models.taxonomy import OTHER, Origin, Rollup, Taxonomy

Lineage = Mapping[str, Origin]
"""Id -> origin, in the order of the taxonomy."""


class Part(NamedTuple):
    """One of the categories that replace a shipped one."""

    id: str
    issues: tuple[str, ...]
    """The issues of the shipped category that go with it, without the category's id."""


class Addition(NamedTuple):
    """A category of the city's own."""

    id: str
    taken_from: str
    issues: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """The ids that a city's file names, in the order of the file, whatever else may be wrong with it."""

    base: Taxonomy
    splits: Mapping[str, tuple[Part, ...]]
    merges: Mapping[str, tuple[str, ...]]
    issue_splits: Mapping[str, tuple[str, ...]]
    """`category.issue` -> the issues that replace it, without the category's id."""
    issue_merges: Mapping[str, tuple[str, ...]]
    """New `category.issue` -> the issues that it joins, without the category's id."""
    additions: tuple[Addition, ...]
    added_issues: Mapping[str, tuple[str, ...]]

    @cached_property
    def categories(self) -> Lineage:
        """Category id -> origin."""
        merged = {member: key for key, members in self.merges.items() for member in members}
        found: dict[str, Origin] = {}
        for category in self.base.category_ids:
            if category == OTHER:
                found |= {added.id: Origin("added", (added.taken_from,)) for added in self.additions}
            if category in self.splits:
                found |= {part.id: Origin("part", (category,)) for part in self.splits[category]}
            elif category in merged:
                found.setdefault(merged[category], Origin("merged", self.merges[merged[category]]))
            else:
                found[category] = Origin("base", (category,))
        return found

    @cached_property
    def issues(self) -> Mapping[str, Lineage]:
        """Category id -> its issues, without the category's id -> origin."""
        added = {key: {issue: Origin("added", ()) for issue in issues} for key, issues in self.added_issues.items()}
        keys = dict.fromkeys((*self.issues_before_additions, *added))
        return {key: {**self.issues_before_additions.get(key, {}), **added.get(key, {})} for key in keys}

    @cached_property
    def issues_before_additions(self) -> Mapping[str, Lineage]:
        """The same without those of `add_issues`."""
        own: dict[str, dict[str, Origin]] = {
            added.id: {issue: Origin("added", ()) for issue in added.issues} for added in self.additions
        }
        parts = {part.id: (parent, part.issues) for parent, listed in self.splits.items() for part in listed}
        for category, origin in self.categories.items():
            if origin.kind == "part" and category in parts:
                parent, chosen = parts[category]
                held = self.issues_of(parent)
                own[category] = {issue: held[issue] for issue in chosen if issue in held}
            elif origin.kind != "added":
                own[category] = {key: found for member in origin.members for key, found in self.issues_of(member).items()}
        return own

    def issues_of(self, category_id: str) -> dict[str, Origin]:
        """Return the issues of a shipped category after the city's changes of issues; none if there is no such category."""
        prefix = f"{category_id}."
        merged = {f"{prefix}{member}": key for key, members in self.issue_merges.items() for member in members}
        merged = {member: key for member, key in merged.items() if key.startswith(prefix)}
        found: dict[str, Origin] = {}
        for dotted in self.base.issue_ids:
            if not dotted.startswith(prefix):
                continue
            if dotted in self.issue_splits:
                found |= {part: Origin("part", (dotted,)) for part in self.issue_splits[dotted]}
            elif dotted in merged:
                members = tuple(f"{prefix}{member}" for member in self.issue_merges[merged[dotted]])
                found.setdefault(merged[dotted].removeprefix(prefix), Origin("merged", members))
            else:
                found[dotted.removeprefix(prefix)] = Origin("base", (dotted,))
        return found

    def dotted_issues(self) -> dict[str, Origin]:
        """Return `category.issue` -> origin for all issues."""
        return {f"{category}.{issue}": origin for category, held in self.issues.items() for issue, origin in held.items()}


class Carried(NamedTuple):
    """A shipped roll-up in a city's categories and issues."""

    categories: tuple[str, ...]
    issues: tuple[str, ...]
    mixed: tuple[str, ...]
    """Merged ids that hold something of the roll-up and something else: with any of them the roll-up cannot be told."""


def carry_rollup(rollup: Rollup, draft: Draft) -> Carried:
    """Restate a shipped roll-up: what was split is counted in all its parts, what was taken out of a member with it."""
    issues = draft.dotted_issues()
    mixed = [*_mixed(rollup.categories, draft.categories), *_mixed(rollup.issues, issues)]
    return Carried(_holders(rollup.categories, draft.categories), _holders(rollup.issues, issues), tuple(mixed))


def read_draft(raw: Mapping[str, Any], base: Taxonomy) -> Draft:
    """Read the ids out of a city's file; what has not the expected shape is left out, for the schema to tell."""
    return Draft(
        base=base,
        splits={
            key: tuple(Part(entry["id"], texts(entry.get("issues"))) for entry in named(entries))
            for key, entries in pairs(raw.get("split"))
        },
        merges={key: texts(entry.get("of")) for key, entry in pairs(raw.get("merge")) if isinstance(entry, dict)},
        issue_splits={key: _ids(entries) for key, entries in pairs(raw.get("split_issues"))},
        issue_merges={key: texts(entry.get("of")) for key, entry in pairs(raw.get("merge_issues")) if isinstance(entry, dict)},
        additions=tuple(
            Addition(entry["id"], str(entry.get("from", OTHER)), _ids(entry.get("issues"))) for entry in named(raw.get("add"))
        ),
        added_issues={key: _ids(entries) for key, entries in pairs(raw.get("add_issues"))},
    )


def pairs(raw: object) -> list[tuple[str, Any]]:
    """Return the items of a mapping whose keys are texts; nothing for another value."""
    return [(key, value) for key, value in raw.items() if isinstance(key, str)] if isinstance(raw, Mapping) else []


def named(raw: object) -> list[Mapping[str, Any]]:
    """Return the mappings of a list that have an `id`; nothing for another value."""
    return [entry for entry in items(raw) if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)]


def texts(raw: object) -> tuple[str, ...]:
    """Return the texts of a list; nothing for another value."""
    return tuple(entry for entry in items(raw) if isinstance(entry, str))


def items(raw: object) -> list[Any]:
    """Return a list's items; nothing for another value."""
    return list(raw) if isinstance(raw, list | tuple) else []


def _ids(raw: object) -> tuple[str, ...]:
    return tuple(entry["id"] for entry in named(raw))


def _holders(members: tuple[str, ...], lineage: Lineage) -> tuple[str, ...]:
    return tuple(key for key, origin in lineage.items() if set(origin.members) & set(members))


def _mixed(members: tuple[str, ...], lineage: Lineage) -> Iterator[str]:
    for key, origin in lineage.items():
        shared = set(origin.members) & set(members)
        if origin.kind == "merged" and shared and shared != set(origin.members):
            yield key
