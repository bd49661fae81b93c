"""The keyword annotator: category and issue by weighted keywords, sentiment by a polarity lexicon."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from models.annotator import Prediction, Reading
from models.lemmas import Lemmatiser, load_lemmatiser
from models.matching import SPELLING_DIGEST, PhraseIndex, Token, read_tokens
from models.polarity import PolarityReader, load_lexicon
from models.settings import KeywordOptions, LemmasName, load_models_config
from models.taxonomy import NO_ISSUE, OTHER, Keyword, Taxonomy

_RULES = "1"
"""Goes up when the code below reads the same text with the same taxonomy and lexicon in another way."""

_FLOOR = 0.12
"""The evidence that a category has without any keyword: it smooths the probabilities."""

_STEEPNESS = 1.5
"""How much more than its share of the evidence the leading category gets."""

_HEAD = 10
"""The first words of a text name its matter: keywords there count more."""


class _Entry(NamedTuple):
    category: str
    issue: str | None
    weight: float
    vetoes: tuple[int, ...]


class KeywordAnnotator:
    """Reads category, issue and sentiment by rules that anyone can follow in `taxonomy.yml` and `lexicon_es.yml`."""

    def __init__(
        self,
        taxonomy: Taxonomy,
        *,
        name: str = "keyword",
        options: KeywordOptions | None = None,
        lemmas: LemmasName | None = None,
    ) -> None:
        """Index the taxonomy's keywords and the lexicon.

        Args:
            taxonomy: the categories and issues, with their keywords.
            name: how it is called.
            options: what `models.yml` says.
            lemmas: where lemmas come from; without it and without options, what the `models.yml` that ships says.

        Raises:
            LemmasNotInstalledError: if that is a spaCy model that is not installed.
        """
        self._lemmatiser = load_lemmatiser(lemmas or (options or load_models_config()).lemmas)
        lexicon = load_lexicon()
        digest = hashlib.sha256(f"{taxonomy.digest}{lexicon.digest}{SPELLING_DIGEST}".encode()).hexdigest()
        self.name = name
        self.revision = "+".join(filter(None, (f"{_RULES}-{digest[:8]}", self._lemmatiser.revision)))
        self.tasks: Mapping[str, tuple[str, ...]] = {
            "category": taxonomy.category_ids,
            "issue": (*taxonomy.issue_ids, NO_ISSUE),
            "sentiment": taxonomy.sentiment_ids,
        }
        self._polarity = PolarityReader(lexicon, lemmatiser=self._lemmatiser)
        self._entries, self._index, self._vetoes = _index_keywords(taxonomy, self._lemmatiser)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Prediction:
        tokens = read_tokens(text, lemmatiser=self._lemmatiser)
        categories, issues = self._score(tokens)
        category = _reading(self._category_weights(categories), self.tasks["category"])
        return {
            "category": category,
            "issue": _reading(_issue_weights(category.label, issues, self.tasks["issue"]), self.tasks["issue"]),
            "sentiment": _reading(self._polarity.read(tokens), self.tasks["sentiment"]),
        }

    def _score(self, tokens: Sequence[Token]) -> tuple[dict[str, float], dict[str, float]]:
        """Return the evidence by category and by `category.issue`; each repetition of a keyword adds less."""
        vetoed = {match.entry for match in self._vetoes.find(tokens)} if self._vetoes else set()
        categories: dict[str, float] = defaultdict(float)
        issues: dict[str, float] = defaultdict(float)
        times: dict[int, int] = defaultdict(int)
        for match in self._index.find(tokens):
            entry = self._entries[match.entry]
            if vetoed.intersection(entry.vetoes):
                continue
            times[match.entry] += 1
            weight = entry.weight / times[match.entry] ** 1.5 * (1.4 if match.start < _HEAD else 1.0)
            weight *= 1 - 0.0001 * min(match.start, 100)
            categories[entry.category] += weight
            if entry.issue:
                issues[entry.issue] += weight
        return categories, issues

    def _category_weights(self, evidence: Mapping[str, float]) -> dict[str, float]:
        weights = {key: evidence.get(key, 0.0) ** _STEEPNESS + _FLOOR for key in self.tasks["category"]}
        weights[OTHER] += _FLOOR / 2
        return weights


def _index_keywords(taxonomy: Taxonomy, lemmatiser: Lemmatiser) -> tuple[list[_Entry], PhraseIndex, PhraseIndex | None]:
    keywords = list(_list_keywords(taxonomy))
    vetoes = list(dict.fromkeys(veto for _, _, keyword in keywords for veto in keyword.not_with))
    entries = [
        _Entry(category, issue, keyword.weight, tuple(vetoes.index(veto) for veto in keyword.not_with))
        for category, issue, keyword in keywords
    ]
    index = PhraseIndex([keyword.text for _, _, keyword in keywords], lemmatiser=lemmatiser)
    return entries, index, PhraseIndex(vetoes, lemmatiser=lemmatiser) if vetoes else None


def _list_keywords(taxonomy: Taxonomy) -> Iterable[tuple[str, str | None, Keyword]]:
    for category in taxonomy.categories:
        yield from ((category.id, None, keyword) for keyword in category.keywords)
        for issue in category.issues:
            yield from ((category.id, f"{category.id}.{issue.id}", keyword) for keyword in issue.keywords)


def _issue_weights(category: str, evidence: Mapping[str, float], labels: Sequence[str]) -> dict[str, float]:
    """Weigh the issues of the category that was read; without evidence for any of them "none" leads."""
    prefix = f"{category}."
    best = max((weight for key, weight in evidence.items() if key.startswith(prefix)), default=0.0)
    weights = {key: 0.004 + (evidence.get(key, 0.0) if key.startswith(prefix) else 0.0) for key in labels}
    weights[NO_ISSUE] = min(0.5, 0.5 * best) if best else 1.0
    return weights


def _reading(weights: Mapping[str, float], labels: Sequence[str]) -> Reading:
    total = sum(weights[label] for label in labels)
    probabilities = {label: weights[label] / total for label in labels}
    return Reading(max(labels, key=probabilities.__getitem__), probabilities)
