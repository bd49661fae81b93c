"""The taxonomy: urban categories, their issues, and how to name them to people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from models.configuration import Problem, load_configuration

TAXONOMY_FILE = Path(__file__).with_name("taxonomy.yml")
"""The taxonomy that ships with the package."""

OTHER = "otros"
"""The category of what is about nothing municipal; every taxonomy holds it."""

NO_ISSUE = "none"
"""The label of the task `issue` where the text names no issue of its category."""

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Label = Annotated[str, Field(min_length=1)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keyword(_Closed):
    """A word or phrase that speaks for a category or an issue."""

    text: Label
    """Written in plain Spanish; matched by lemma and by sound, so one form stands for its inflections and misspellings."""

    weight: float = Field(default=1.0, gt=0, le=5)
    """How strongly it speaks: 1 for a word that other matters use too, 3 for one that settles it."""

    not_with: tuple[str, ...] = ()
    """Words or phrases that, anywhere in the text, take this keyword out."""


def _to_keyword(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


Keywords = tuple[Annotated[Keyword, BeforeValidator(_to_keyword)], ...]


class Issue(_Closed):
    """A matter within a category, such as potholes within streets and works."""

    id: Identifier
    label_es: Label
    label_en: Label
    definition_es: Label
    keywords: Keywords
    examples: tuple[Label, ...]


class Category(_Closed):
    """An urban category; every manifestation belongs to exactly one."""

    id: Identifier
    label_es: Label
    label_en: Label
    definition_es: Label
    definition_en: Label
    keywords: Keywords
    """Those that name the category without telling the issue."""

    examples: tuple[Label, ...]
    issues: tuple[Issue, ...]


class Rollup(_Closed):
    """A sum of categories and issues that is reported under a name of its own."""

    label_es: Label
    label_en: Label
    categories: tuple[str, ...] = ()
    """Category ids, counted whole."""

    issues: tuple[str, ...] = ()
    """Issue ids in the form `category.issue`."""


class Wording(_Closed):
    """How a fixed label is written for people."""

    label_es: Label
    label_en: Label


class Sentiments(_Closed):
    """The wording of the three sentiments."""

    neg: Wording
    neu: Wording
    pos: Wording


class Origin(NamedTuple):
    """Where a category or an issue comes from, as seen from the taxonomy that ships."""

    kind: Literal["base", "added", "part", "merged"]
    """Shipped; a city's own; one of several that replace a shipped one; one that replaces several."""

    members: tuple[str, ...]
    """The shipped ids whose messages it takes: its own, that from which it was taken, or those that it joins. Empty for an
    issue that a city added."""


class Taxonomy(_Closed):
    """All categories in the order in which reports list them."""

    version: Label
    """Changes whenever the file's meaning does; stored beside every annotation."""

    sentiments: Sentiments
    unclassified: Wording
    """What reports write where the category's score is below the threshold."""

    categories: tuple[Category, ...] = Field(min_length=1)
    rollups: dict[Identifier, Rollup]

    _derivation: Mapping[str, Origin] = PrivateAttr(default_factory=dict)
    # Private so that no file can state it, and so that the digest of the taxonomy that ships stays what it was.

    @classmethod
    def derive(cls, content: Mapping[str, Any], origins: Mapping[str, Origin]) -> Self:
        """Build a taxonomy from plain content and from what is known of where its categories and issues come from.

        Args:
            content: what a taxonomy file would hold.
            origins: category id or `category.issue` -> origin; an id that is left out is a shipped one.
        """
        taxonomy = cls.model_validate(content)
        taxonomy._derivation = dict(origins)
        return taxonomy

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex, 64 characters) over the canonical content: layout and comments of the file don't change it."""
        content = self.model_dump(mode="json")
        if self._derivation:
            content["origins"] = self._derivation
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def revision(self) -> str:
        """The version and the first 8 characters of the digest: a silent edit is another revision too."""
        return f"{self.version}+{self.digest[:8]}"

    @cached_property
    def origins(self) -> Mapping[str, Origin]:
        """Category id -> where it comes from; all are "base" in the taxonomy that ships."""
        return {key: self._derivation.get(key, Origin("base", (key,))) for key in self.category_ids}

    @cached_property
    def issue_origins(self) -> Mapping[str, Origin]:
        """`category.issue` -> where it comes from; one that moved with its category is "base" under its new name."""
        return {key: self._derivation.get(key, Origin("base", (key,))) for key in self.issue_ids}

    @property
    def category_ids(self) -> tuple[str, ...]:
        """The category ids in order."""
        return tuple(category.id for category in self.categories)

    @property
    def issue_ids(self) -> tuple[str, ...]:
        """All issue ids in the form `category.issue`, in order."""
        return tuple(f"{category.id}.{issue.id}" for category in self.categories for issue in category.issues)

    @property
    def sentiment_ids(self) -> tuple[str, ...]:
        """The sentiment ids in order: neg, neu, pos."""
        return tuple(Sentiments.model_fields)

    @cached_property
    def labels_es(self) -> Mapping[str, str]:
        """Spanish wording by id: categories, `category.issue`, sentiments, roll-ups and "unclassified"."""
        return {key: entry.label_es for key, entry in self._entries()}

    @cached_property
    def labels_en(self) -> Mapping[str, str]:
        """English wording by id; the same keys as `labels_es`."""
        return {key: entry.label_en for key, entry in self._entries()}

    def label_es(self, key: str) -> str:
        """Return the Spanish wording of a category, `category.issue`, sentiment, roll-up or "unclassified".

        Raises:
            ValueError: if the taxonomy has no such id; the message lists what it has.
        """
        if key not in self.labels_es:
            raise ValueError(f"the taxonomy has no label for {key!r}; available: {', '.join(self.labels_es)}")
        return self.labels_es[key]

    def label_en(self, key: str) -> str:
        """Return the English wording of an id; see `label_es`.

        Raises:
            ValueError: if the taxonomy has no such id; the message lists what it has.
        """
        self.label_es(key)
        return self.labels_en[key]

    def category(self, category_id: str) -> Category:
        """Return the category with that id.

        Raises:
            ValueError: if there is none; the message lists those that exist.
        """
        for category in self.categories:
            if category.id == category_id:
                return category
        raise ValueError(f"the taxonomy has no category {category_id!r}; available: {', '.join(self.category_ids)}")

    def _entries(self) -> Iterator[tuple[str, Category | Issue | Rollup | Wording]]:
        for category in self.categories:
            yield category.id, category
            for issue in category.issues:
                yield f"{category.id}.{issue.id}", issue
        for sentiment in self.sentiment_ids:
            yield sentiment, getattr(self.sentiments, sentiment)
        yield from self.rollups.items()
        yield "unclassified", self.unclassified


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Load a taxonomy; without a path, the one that ships with the package.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        FileNotFoundError: if there is no such file.
    """
    return load_configuration(path or TAXONOMY_FILE, Taxonomy, check=_find_problems)


def _find_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """Find repeated ids, roll-ups of what does not exist, and a missing `otros`; the schema finds malformed parts."""
    categories = _named(raw.get("categories"))
    issues = {(category, issue) for category, entry in categories for issue, _ in _named(entry.get("issues"))}
    category_ids = [category for category, _ in categories]
    issue_ids = sorted(f"{category}.{issue}" for category, issue in issues)
    problems = [
        *_find_repeated(raw.get("categories"), ("categories",)),
        *_find_dangling(raw.get("rollups"), category_ids, issue_ids),
    ]
    for position, entry in enumerate(_items(raw.get("categories"))):
        if isinstance(entry, dict):
            problems += _find_repeated(entry.get("issues"), ("categories", position, "issues"))
    if OTHER not in category_ids:
        problems.append(Problem(("categories",), f"no category {OTHER!r}; add it: it takes what is about nothing municipal"))
    return problems


def _find_dangling(rollups: object, category_ids: list[str], issue_ids: list[str]) -> list[Problem]:
    named = rollups.items() if isinstance(rollups, dict) else ()
    return [
        Problem(("rollups", name, field, position), f"{key!r} does not exist; allowed: {', '.join(known)}")
        for name, rollup in named
        if isinstance(rollup, dict)
        for field, known in (("categories", category_ids), ("issues", issue_ids))
        for position, key in enumerate(_items(rollup.get(field)))
        if key not in known
    ]


def _find_repeated(raw: object, location: tuple[str | int, ...]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for position, entry in enumerate(_items(raw)):
        key = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(key, str):
            continue
        if key in seen:
            problems.append(Problem((*location, position, "id"), f"{key!r} is used twice; every id must be unique in its list"))
        seen.add(key)
    return problems


def _items(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _named(raw: object) -> list[tuple[str, dict[str, Any]]]:
    return [(entry["id"], entry) for entry in _items(raw) if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
