"""What a schema cannot say about a city's taxonomy file: ids that exist, stay unique, and are all accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from models.configuration import Location, Problem
from models.lineage import Draft, carry_rollup, items, pairs, read_draft
from models.taxonomy import OTHER, Taxonomy

Found = Iterator[Problem]

PENDING = "PENDIENTE"
"""How a value begins that a person still has to write."""


def find_problems(raw: Mapping[str, Any], base: Taxonomy) -> list[Problem]:
    """Find the mistakes of a city's file, as read from YAML, against the taxonomy that it changes; bears any mapping."""
    draft = read_draft(raw, base)
    found = [
        *_check_base(raw, base),
        *_check_new_ids(raw, base),
        *_check_regrouping(raw, base),
        *_check_parts(raw, draft),
        *_check_shared_issues(draft),
        *_check_changed_issues(raw, base),
        *_check_renaming(raw, draft),
        *_check_additions(raw, draft),
        *_check_rollups(raw, draft),
        *_check_phrases(raw),
        *_check_filled(raw),
    ]
    return list(dict.fromkeys(found))


def _check_base(raw: Mapping[str, Any], base: Taxonomy) -> Found:
    given = raw.get("base")
    if isinstance(given, str) and given != base.version:
        remedy = "see with `escucha taxonomy show shipped` what it holds now, then write its version here"
        yield Problem(("base",), f"{given!r} is not the taxonomy that ships; allowed: {base.version!r}; {remedy}")


def _check_new_ids(raw: Mapping[str, Any], base: Taxonomy) -> Found:
    taken = dict.fromkeys((*base.sentiment_ids, "unclassified", "none"), "a fixed label")
    taken |= dict.fromkeys(base.rollups, "a shipped roll-up")
    taken |= dict.fromkeys(base.category_ids, "a shipped category")
    new = [
        *(((*where, "id"), entry["id"]) for where, entry in _entries(raw, "add")),
        *(((*where, "id"), entry["id"]) for where, entry in _entries_by_key(raw, "split")),
        *((("merge", key), key) for key, _ in pairs(raw.get("merge"))),
        *((("rollups", key), key) for key, value in pairs(raw.get("rollups")) if value is not None),
    ]
    yield from _find_taken(new, taken)


def _check_regrouping(raw: Mapping[str, Any], base: Taxonomy) -> Found:
    """Every category that is split or merged exists, and is so once."""
    regrouped: list[tuple[Location, str]] = [(("split", key), key) for key, _ in pairs(raw.get("split"))]
    for key, entry in pairs(raw.get("merge")):
        regrouped += [(("merge", key, "of", n), member) for n, member in _texts_at(entry, "of")]
    known = [category for category in base.category_ids if category != OTHER]
    seen: set[str] = set()
    for location, category in regrouped:
        if category == OTHER:
            yield Problem(location, f"{OTHER!r} can be neither split nor merged: it takes what is about nothing municipal")
        elif category not in known:
            yield _unknown(location, category, known, "is no shipped category")
        elif category in seen:
            yield Problem(location, f"{category!r} is split or merged already; a category has one place")
        seen.add(category)


def _check_parts(raw: Mapping[str, Any], draft: Draft) -> Found:
    """Every issue of a category that is split goes with exactly one part."""
    for parent, parts in pairs(raw.get("split")):
        known = list(draft.issues_of(parent))
        if parent not in draft.base.category_ids:
            continue
        given: set[str] = set()
        for place, part in enumerate(items(parts)):
            for n, issue in _texts_at(part, "issues"):
                location = ("split", parent, place, "issues", n)
                if issue not in known:
                    yield _unknown(location, issue, known, f"is no issue of {parent!r}")
                elif issue in given:
                    yield Problem(location, f"{issue!r} goes with another part already")
                given.add(issue)
        left = [issue for issue in known if issue not in given]
        if left:
            yield Problem(("split", parent), f"no part has {', '.join(left)}; name each issue under `issues` of one part")


def _check_shared_issues(draft: Draft) -> Found:
    """Merged categories have no two issues of one id."""
    for key, members in draft.merges.items():
        owner: dict[str, str] = {}
        for member in members:
            for issue in draft.issues_of(member):
                if issue in owner and owner[issue] != member:
                    said = f"{owner[issue]} and {member} both have an issue {issue!r}"
                    yield Problem(("merge", key, "of"), f"{said}; give one of them another id where this file makes it")
                owner[issue] = member


def _check_changed_issues(raw: Mapping[str, Any], base: Taxonomy) -> Found:
    """Every issue that is split or merged exists and is so once; new ids are new in their category."""
    changed: list[tuple[Location, str]] = [(("split_issues", key), key) for key, _ in pairs(raw.get("split_issues"))]
    new: list[tuple[Location, str]] = [
        ((*where, "id"), f"{where[1]}".partition(".")[0] + f".{entry['id']}")
        for where, entry in _entries_by_key(raw, "split_issues")
    ]
    for key, entry in pairs(raw.get("merge_issues")):
        category = key.partition(".")[0]
        if category not in base.category_ids:
            yield _unknown(("merge_issues", key), category, base.category_ids, "is no shipped category")
            continue
        new.append((("merge_issues", key), key))
        changed += [(("merge_issues", key, "of", n), f"{category}.{member}") for n, member in _texts_at(entry, "of")]
    seen: set[str] = set()
    for location, issue in changed:
        if issue not in base.issue_ids:
            yield _unknown_issue(location, issue, base)
        elif issue in seen:
            yield Problem(location, f"{issue!r} is split or merged already; an issue has one place")
        seen.add(issue)
    yield from _find_taken(new, dict.fromkeys(base.issue_ids, "a shipped issue"))


def _check_renaming(raw: Mapping[str, Any], draft: Draft) -> Found:
    kept = {member for origin in draft.categories.values() if origin.kind == "base" for member in origin.members}
    kept |= {member for origin in draft.dotted_issues().values() if origin.kind == "base" for member in origin.members}
    base = draft.base
    for key, _ in pairs(raw.get("rename")):
        if key not in base.category_ids and key not in base.issue_ids:
            if "." in key:
                yield _unknown_issue(("rename", key), key, base)
            else:
                yield _unknown(("rename", key), key, base.category_ids, "is no shipped category")
        elif key not in kept:
            yield Problem(("rename", key), f"{key!r} is split or merged; write the labels there")


def _check_additions(raw: Mapping[str, Any], draft: Draft) -> Found:
    for where, entry in _entries(raw, "add"):
        given = entry.get("from", OTHER)
        if isinstance(given, str) and given not in draft.base.category_ids:
            yield _unknown((*where, "from"), given, draft.base.category_ids, "is no shipped category")
        yield from _find_taken([((*at, "id"), issue["id"]) for at, issue in _entries(entry, "issues", where)], {})
    for key, _ in pairs(raw.get("add_issues")):
        if key not in draft.categories:
            yield _unknown(("add_issues", key), key, draft.categories, "is no category of this taxonomy")
    for key, _ in pairs(raw.get("add_issues")):
        held = dict.fromkeys(draft.issues_before_additions.get(key, {}), "an issue of this category")
        yield from _find_taken([((*at, "id"), e["id"]) for at, e in _entries_by_key(raw, "add_issues") if at[1] == key], held)


def _check_rollups(raw: Mapping[str, Any], draft: Draft) -> Found:
    given = dict(pairs(raw.get("rollups")))
    for name, value in given.items():
        if value is None and name not in draft.base.rollups:
            yield _unknown(("rollups", name), name, draft.base.rollups, "is no shipped roll-up, so it cannot be dropped")
        for field, known in (("categories", list(draft.categories)), ("issues", list(draft.dotted_issues()))):
            for n, member in _texts_at(value, field):
                if member not in known:
                    yield _unknown(("rollups", name, field, n), member, known, "is not in this taxonomy")
    for name, rollup in draft.base.rollups.items():
        for mixed in () if name in given else carry_rollup(rollup, draft).mixed:
            issue = "." in mixed
            # An issue is merged under the id of its shipped category, whatever became of that category.
            members = (draft.dotted_issues() if issue else draft.categories)[mixed].members
            key = f"{members[0].partition('.')[0]}.{mixed.partition('.')[2]}" if issue else mixed
            remedy = f"drop it with `rollups: {{{name}: }}` and write one under another name"
            said = f"the roll-up {name!r} counts only some of {', '.join(members)}, so it could not be told any more"
            yield Problem(("merge_issues" if issue else "merge", key), f"{said}; {remedy}")


def _check_filled(raw: Any, where: Location = ()) -> Found:
    """Nothing is left for a person to write, as in a file of proposals."""
    if isinstance(raw, str) and raw.strip().startswith(PENDING):
        yield Problem(where, f"{raw!r}: still to be written by a person; leave the entry out until then")
    elif isinstance(raw, Mapping):
        for key, below in raw.items():
            yield from _check_filled(below, (*where, str(key)))
    elif isinstance(raw, list):
        for place, below in enumerate(raw):
            yield from _check_filled(below, (*where, place))


def _check_phrases(raw: Mapping[str, Any]) -> Found:
    """No phrase exemplifies two categories, or two issues, of the city's own."""
    categories = [*_entries(raw, "add"), *_entries_by_key(raw, "split")]
    issues = [*_entries_by_key(raw, "add_issues"), *_entries_by_key(raw, "split_issues")]
    for where, entry in _entries(raw, "add"):
        issues += _entries(entry, "issues", where)
    for level in (categories, issues):
        owner: dict[str, Location] = {}
        for where, entry in level:
            for n, phrase in _texts_at(entry, "examples"):
                first = owner.setdefault(phrase.strip().casefold(), where)
                if first != where:
                    said = f"{phrase!r} is an example of {'.'.join(map(str, first))} too"
                    yield Problem((*where, "examples", n), f"{said}; a phrase speaks for one")


def _find_taken(new: Iterable[tuple[Location, str]], taken: Mapping[str, str]) -> Found:
    seen: set[str] = set()
    for location, key in new:
        if key in taken:
            yield Problem(location, f"{key!r} is {taken[key]}; an id keeps its meaning: choose another")
        elif key in seen:
            yield Problem(location, f"{key!r} is used twice; every new id must be unique")
        seen.add(key)


def _unknown(location: Location, key: str, known: Iterable[str], said: str) -> Problem:
    return Problem(location, f"{key!r} {said}; allowed: {', '.join(known) or 'none'}")


def _unknown_issue(location: Location, key: str, base: Taxonomy) -> Problem:
    """List the issues of the category that is meant, or else the categories."""
    category = key.partition(".")[0]
    known = [issue for issue in base.issue_ids if issue.startswith(f"{category}.")]
    return _unknown(location, key, known or [f"{name}.ISSUE" for name in base.category_ids], "is no shipped issue")


def _entries(raw: Mapping[str, Any], key: str, where: Location = ()) -> list[tuple[Location, Mapping[str, Any]]]:
    """Return (location, entry) of the mappings with an `id` in the list under a key."""
    return [
        ((*where, key, place), entry)
        for place, entry in enumerate(items(raw.get(key)))
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
    ]


def _entries_by_key(raw: Mapping[str, Any], key: str) -> list[tuple[Location, Mapping[str, Any]]]:
    """Return (location, entry) of the mappings with an `id` in the lists of the mapping under a key."""
    return [found for name, listed in pairs(raw.get(key)) for found in _entries({name: listed}, name, (key,))]


def _texts_at(raw: object, key: str) -> list[tuple[int, str]]:
    """Return (place, text) of the texts in the list under a key; nothing if it is no mapping or no list."""
    listed = items(raw.get(key)) if isinstance(raw, Mapping) else []
    return [(place, text) for place, text in enumerate(listed) if isinstance(text, str)]
