"""What changed between two taxonomies: ids, words, keywords and examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from models.crosswalk import join_overlapping, map_categories, map_issues
from models.taxonomy import Category, Issue, Keywords, Rollup, Taxonomy

Level = Literal["category", "issue", "rollup"]

_WORDS = ("label_es", "label_en")
_DEFINITIONS = ("definition_es", "definition_en")


class Change(NamedTuple):
    """One difference."""

    kind: Literal[
        "added", "removed", "split", "merged", "regrouped", "moved", "renamed", "definition", "keywords", "examples", "members"
    ]
    """"moved" is the same thing under another id, "renamed" the same id under other labels."""

    level: Level
    old: tuple[str, ...]
    """Ids in the old taxonomy; empty for what is added."""

    new: tuple[str, ...]
    """Ids in the new taxonomy; empty for what is gone without a place."""

    detail: str
    """The difference in words; may be empty."""


def find_changes(old: Taxonomy, new: Taxonomy) -> list[Change]:
    """List what is different in `new`: categories first, then issues, then roll-ups. Of equal taxonomies, nothing."""
    sources = {key: f"before counted in {', '.join(o.members)}" for key, o in new.origins.items() if o.kind == "added"}
    return [
        *_compare_level("category", _categories(old), _categories(new), map_categories(old, new), sources),
        *_compare_level("issue", _issues(old), _issues(new), map_issues(old, new), {}),
        *_compare_rollups(old.rollups, new.rollups),
    ]


def _categories(taxonomy: Taxonomy) -> dict[str, Category]:
    return {category.id: category for category in taxonomy.categories}


def _issues(taxonomy: Taxonomy) -> dict[str, Issue]:
    return {f"{category.id}.{issue.id}": issue for category in taxonomy.categories for issue in category.issues}


def _compare_level(
    level: Level,
    old: Mapping[str, Category] | Mapping[str, Issue],
    new: Mapping[str, Category] | Mapping[str, Issue],
    targets: Mapping[str, set[str]],
    sources: Mapping[str, str],
) -> Iterator[Change]:
    groups = join_overlapping(targets, new)
    for group in dict.fromkeys(groups.values()):
        members = tuple(key for key in old if groups[key] == group)
        if not group:
            yield from (Change("removed", level, (key,), (), "") for key in members)
        elif len(group) > 1:
            yield Change("split" if len(members) == 1 else "regrouped", level, members, group, "")
        elif group[0] in members:
            gone = [key for key in members if key != group[0]]
            yield from (Change("removed", level, (key,), group, f"counted in {group[0]}") for key in gone)
            yield from _compare_entry(level, group[0], old[group[0]], group[0], new[group[0]])
        elif len(members) > 1:
            yield Change("merged", level, members, group, "")
        else:
            yield Change("moved", level, members, group, "")
            yield from _compare_entry(level, members[0], old[members[0]], group[0], new[group[0]])
    reached = {key for group in groups.values() for key in group}
    yield from (Change("added", level, (), (key,), sources.get(key, "")) for key in new if key not in reached)


def _compare_entry(level: Level, old_id: str, old: Category | Issue, new_id: str, new: Category | Issue) -> Iterator[Change]:
    ids = (level, (old_id,), (new_id,))
    if words := _compare_texts(old, new, _WORDS):
        yield Change("renamed", *ids, words)
    if definitions := _compare_texts(old, new, _DEFINITIONS):
        yield Change("definition", *ids, definitions)
    if keywords := _compare_keywords(old.keywords, new.keywords):
        yield Change("keywords", *ids, keywords)
    if examples := _compare_lists(old.examples, new.examples):
        yield Change("examples", *ids, examples)


def _compare_rollups(old: Mapping[str, Rollup], new: Mapping[str, Rollup]) -> Iterator[Change]:
    for key in dict.fromkeys((*old, *new)):
        if key not in new:
            yield Change("removed", "rollup", (key,), (), "")
        elif key not in old:
            yield Change("added", "rollup", (), (key,), ", ".join((*new[key].categories, *new[key].issues)))
        else:
            before, after = old[key], new[key]
            if words := _compare_texts(before, after, _WORDS):
                yield Change("renamed", "rollup", (key,), (key,), words)
            if members := _compare_lists((*before.categories, *before.issues), (*after.categories, *after.issues)):
                yield Change("members", "rollup", (key,), (key,), members)


def _compare_texts(old: object, new: object, fields: Iterable[str]) -> str:
    pairs = ((field, getattr(old, field, None), getattr(new, field, None)) for field in fields)
    return "; ".join(f"{field} {before!r} -> {after!r}" for field, before, after in pairs if before != after)


def _compare_keywords(old: Keywords, new: Keywords) -> str:
    before, after = ({keyword.text: keyword for keyword in keywords} for keywords in (old, new))
    changed = [
        f"{text} {before[text].weight:g} -> {after[text].weight:g}"
        if before[text].weight != after[text].weight
        else f"{text} other not_with"
        for text in before
        if text in after and before[text] != after[text]
    ]
    return "; ".join(filter(None, (_compare_lists(tuple(before), tuple(after)), ", ".join(changed))))


def _compare_lists(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    more = [entry for entry in new if entry not in old]
    less = [entry for entry in old if entry not in new]
    return "; ".join(f"{sign} {', '.join(entries)}" for sign, entries in (("+", more), ("-", less)) if entries)
