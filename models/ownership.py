"""A city's own taxonomy: what it adds to, renames, splits and merges in the one that ships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.configuration import load_configuration
from models.lineage import Draft, carry_rollup, read_draft
from models.ownership_rules import find_problems
from models.taxonomy import OTHER, Category, Identifier, Issue, Keyword, Keywords, Origin, Rollup, Taxonomy, load_taxonomy

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

IssueId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""`category.issue`."""


def _refuse_repeated(phrases: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({phrase for phrase in phrases if sum(phrase.casefold() == other.casefold() for other in phrases) > 1})
    if repeated:
        raise ValueError(f"the phrases must differ; repeated: {', '.join(map(repr, repeated))}")
    return phrases


Phrases = Annotated[tuple[Words, ...], Field(min_length=5, max_length=30), AfterValidator(_refuse_repeated)]
"""What citizens write about it, 5 to 30 different messages."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnIssue(_Closed):
    """An issue that the city adds, or one of several that replace a shipped one."""

    id: Identifier
    label_es: Words
    label_en: Words
    definition_es: Words
    examples: Phrases
    keywords: Keywords = ()
    """For the keyword annotator; without any, a part has those of what it is a part of."""


class _Described(_Closed):
    id: Identifier
    label_es: Words
    label_en: Words
    definition_es: Words
    definition_en: Words
    examples: Phrases
    keywords: Keywords = ()


class OwnCategory(_Described):
    """A category that the city adds."""

    issues: tuple[OwnIssue, ...] = ()
    taken_from: str = Field(default=OTHER, alias="from")
    """The shipped category in which such messages were counted before."""


class OwnPart(_Described):
    """One of the categories that replace a shipped one; without `keywords` it has the shipped one's."""

    issues: tuple[str, ...] = ()
    """Issues of the shipped category that go with it."""


class Renaming(_Closed):
    """Other words for a shipped category or issue; its id stays."""

    label_es: Words | None = None
    label_en: Words | None = None

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        if self.label_es is None and self.label_en is None:
            raise ValueError("nothing is renamed; write `label_es`, `label_en` or both")
        return self


class IssueMerge(_Closed):
    """An issue that replaces several shipped ones of one category."""

    label_es: Words
    label_en: Words
    definition_es: Words | None = None
    """By default the members' definitions, one after the other."""
    of: tuple[str, ...] = Field(min_length=2)
    """Issue ids without the category's."""


class Merge(_Closed):
    """A category that replaces several shipped ones, with their keywords, examples and issues."""

    label_es: Words
    label_en: Words
    definition_es: Words | None = None
    definition_en: Words | None = None
    of: tuple[str, ...] = Field(min_length=2)


class OwnTaxonomy(_Closed):
    """The whole of `data/taxonomies/CITY.yml`."""

    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The city's own name for this state of the file; changes whenever its meaning does."""

    base: str
    """The version of the taxonomy that ships, on which this one was written."""

    rename: dict[str, Renaming] = {}
    """Category id or `category.issue` -> its labels."""

    add: tuple[OwnCategory, ...] = ()
    add_issues: dict[str, tuple[OwnIssue, ...]] = {}
    """Category id, shipped or the city's own -> more issues."""

    split: dict[str, Annotated[tuple[OwnPart, ...], Field(min_length=2)]] = {}
    merge: dict[Identifier, Merge] = {}
    split_issues: dict[IssueId, Annotated[tuple[OwnIssue, ...], Field(min_length=2)]] = {}
    merge_issues: dict[IssueId, IssueMerge] = {}
    rollups: dict[Identifier, Rollup | None] = {}
    """More roll-ups; a shipped one with nothing after its name is dropped."""


def load_own_taxonomy(path: Path, base: Taxonomy | None = None) -> Taxonomy:
    """Load the taxonomy of a city that has a file of its own.

    Its version is `SHIPPED/OWN`, such as `2021.1/ate-2026.1`; `origins` and `issue_origins` say what comes from where. The
    order is the shipped one: parts and merged categories stand where the first of theirs stood, added ones before `otros`.

    Args:
        path: the file; see `OwnTaxonomy` for its keys.
        base: the taxonomy that the file changes; by default the one that ships with the package.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        FileNotFoundError: if there is no such file.
    """
    shipped = base or load_taxonomy()
    own = load_configuration(path, OwnTaxonomy, check=lambda raw: find_problems(raw, shipped))
    return _derive(own, read_draft(own.model_dump(by_alias=True), shipped))


def _derive(own: OwnTaxonomy, draft: Draft) -> Taxonomy:
    content = {
        "version": f"{draft.base.version}/{own.version}",
        "sentiments": draft.base.sentiments,
        "unclassified": draft.base.unclassified,
        "categories": [_category(key, origin, own, draft) for key, origin in draft.categories.items()],
        "rollups": _rollups(own, draft),
    }
    origins = {**draft.categories, **draft.dotted_issues()}
    return Taxonomy.derive(content, {key: origin for key, origin in origins.items() if origin != Origin("base", (key,))})


def _category(key: str, origin: Origin, own: OwnTaxonomy, draft: Draft) -> Category:
    members = [draft.base.category(member) for member in origin.members]
    issues = tuple(_issue(key, issue, found, own, draft.base) for issue, found in draft.issues.get(key, {}).items())
    if origin.kind == "base":
        return members[0].model_copy(update={**_labels(key, own), "issues": issues})
    if origin.kind == "merged":
        merge = own.merge[key]
        return Category(
            id=key,
            label_es=merge.label_es,
            label_en=merge.label_en,
            definition_es=merge.definition_es or " ".join(member.definition_es for member in members),
            definition_en=merge.definition_en or " ".join(member.definition_en for member in members),
            keywords=_join_keywords(member.keywords for member in members),
            examples=tuple(dict.fromkeys(phrase for member in members for phrase in member.examples)),
            issues=issues,
        )
    listed: Iterable[_Described] = own.add if origin.kind == "added" else own.split[origin.members[0]]
    described = next(entry for entry in listed if entry.id == key)
    inherited = members[0].keywords if origin.kind == "part" else ()
    content = described.model_dump(exclude={"issues", "taken_from"})
    return Category(**{**content, "keywords": described.keywords or inherited, "issues": issues})


def _issue(category: str, key: str, origin: Origin, own: OwnTaxonomy, base: Taxonomy) -> Issue:
    members = [_shipped_issue(member, base) for member in origin.members]
    if origin.kind == "base":
        return members[0].model_copy(update=_labels(origin.members[0], own))
    if origin.kind == "merged":
        merge = own.merge_issues[f"{origin.members[0].partition('.')[0]}.{key}"]
        return Issue(
            id=key,
            label_es=merge.label_es,
            label_en=merge.label_en,
            definition_es=merge.definition_es or " ".join(member.definition_es for member in members),
            keywords=_join_keywords(member.keywords for member in members),
            examples=tuple(dict.fromkeys(phrase for member in members for phrase in member.examples)),
        )
    if origin.kind == "part":
        listed = own.split_issues[origin.members[0]]
    else:
        listed = (*own.add_issues.get(category, ()), *(i for added in own.add if added.id == category for i in added.issues))
    described = next(entry for entry in listed if entry.id == key)
    keywords = described.keywords or (members[0].keywords if members else ())
    return Issue(**{**described.model_dump(), "keywords": keywords})


def _shipped_issue(dotted: str, base: Taxonomy) -> Issue:
    category, _, key = dotted.partition(".")
    return next(issue for issue in base.category(category).issues if issue.id == key)


def _labels(key: str, own: OwnTaxonomy) -> dict[str, str]:
    return own.rename[key].model_dump(exclude_none=True) if key in own.rename else {}


def _join_keywords(lists: Iterable[Keywords]) -> Keywords:
    """Join keywords; of one that several members have, the strongest stays, so that it does not count twice."""
    strongest: dict[str, Keyword] = {}
    for keyword in (keyword for keywords in lists for keyword in keywords):
        known = strongest.get(keyword.text)
        strongest[keyword.text] = keyword if known is None or keyword.weight > known.weight else known
    return tuple(strongest.values())


def _rollups(own: OwnTaxonomy, draft: Draft) -> Mapping[str, Any]:
    carried = {name: (rollup, carry_rollup(rollup, draft)) for name, rollup in draft.base.rollups.items()}
    kept = {
        name: rollup.model_copy(update={"categories": found.categories, "issues": found.issues})
        for name, (rollup, found) in carried.items()
        if name not in own.rollups
    }
    return {**kept, **{name: rollup for name, rollup in own.rollups.items() if rollup is not None}}
