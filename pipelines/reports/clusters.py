"""Clusters of short texts by the words that set them apart from other texts: leader clustering on tf-idf, in numpy.

A word counts only if it is much likelier here than in the texts that were read as something: what everybody writes everywhere
joins nothing. Each text is a unit vector; the text with the most like it leads a cluster, whoever is like the cluster's centre
belongs to it, and the next leader is sought among the rest. No random start; the order of the texts does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.25
"""Cosine from which on two texts are alike."""

LEAST_LIFT = 1.0
"""Natural logarithm of how many times likelier a word must be here than there: 2.7 times."""

MOST_LEADERS = 3_000
"""Texts among which leaders are sought, those with the smallest names first; more texts join the clusters that these make."""

ROUNDS = 4
DECIMALS = 5
"""Cosines are rounded, so that no machine's sums decide what is alike."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Text:
    """Copies of one text."""

    name: str
    """Decides between equals; different for different texts."""

    words: frozenset[str]
    persons: frozenset[int]


@dataclass(frozen=True)
class Cluster:
    """Texts about one thing."""

    texts: tuple[Text, ...]
    """From the first by name."""

    words: tuple[str, ...]
    """From the most typical, each used by enough of its persons."""

    @property
    def persons(self) -> frozenset[int]:
        """Who wrote its texts."""
        return frozenset().union(*(text.persons for text in self.texts))


def find_clusters(texts: Iterable[Text], others: Iterable[Set[str]], *, least: int, word_count: int = 8) -> list[Cluster]:
    """Return the clusters among texts, from the one of most persons.

    Args:
        texts: what no category took.
        others: the words of the texts that one took.
        least: fewest persons of a cluster, and of a word.
        word_count: most words of a cluster. One with fewer than two is none: it would have no evidence.
    """
    ranked = sorted(texts, key=lambda text: text.name)
    lifts = lift_words([text.words for text in ranked], others)
    known = _common({word for word, lift in lifts.items() if lift >= LEAST_LIFT}, ranked, least)
    ranked = [text for text in ranked if not known.isdisjoint(text.words)]
    if not ranked:
        return []
    vectors = _vectors(ranked, sorted(known))
    found = []
    for members in _gather(vectors, np.array([len(text.persons) for text in ranked]), least):
        cluster = _describe([ranked[place] for place in members], known, lifts, least, word_count)
        if len(cluster.persons) >= least and len(cluster.words) >= 2:
            found.append(cluster)
    return sorted(found, key=lambda cluster: (-len(cluster.persons), cluster.words))


def lift_words(texts: Sequence[Set[str]], others: Iterable[Set[str]]) -> dict[str, float]:
    """Return for each word of `texts` the logarithm of how many times likelier it is in them than in `others`.

    Where there are no others, nothing is known against a word: it has the least lift that counts.
    """
    here, there, other_count = Counter(word for words in texts for word in words), Counter[str](), 0
    for words in others:
        there.update(words)
        other_count += 1
    if not other_count:
        return dict.fromkeys(here, LEAST_LIFT)
    return {
        word: log((count + 0.5) / (len(texts) + 1)) - log((there[word] + 0.5) / (other_count + 1)) for word, count in here.items()
    }


def _common(words: Set[str], texts: Sequence[Text], least: int) -> frozenset[str]:
    """Return those of the words that enough persons used."""
    users: dict[str, set[int]] = {}
    for text in texts:
        for word in text.words & words:
            users.setdefault(word, set()).update(text.persons)
    return frozenset(word for word, persons in users.items() if len(persons) >= least)


def _vectors(texts: Sequence[Text], words: Sequence[str]) -> Array:
    """Return (texts, words): inverse document frequencies, each row of length 1."""
    place = {word: column for column, word in enumerate(words)}
    vectors = np.zeros((len(texts), len(words)), np.float32)
    for row, text in enumerate(texts):
        vectors[row, [place[word] for word in text.words if word in place]] = 1
    vectors *= np.log((1 + len(texts)) / (1 + vectors.sum(0))).astype(np.float32) + np.float32(1e-3)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _gather(vectors: Array, weights: NDArray[np.int64], least: int) -> list[NDArray[np.intp]]:
    """Return the places of each cluster's texts, in the order in which the clusters are found."""
    leaders = vectors[:MOST_LEADERS]
    alike = np.round(leaders @ leaders.T, DECIMALS) >= ALIKE
    free = np.ones(len(vectors), bool)
    found: list[NDArray[np.intp]] = []
    while True:
        near = free[: len(leaders)]
        support = (alike[:, near] @ weights[: len(leaders)][near]) * near
        leader = int(support.argmax())
        if support[leader] < least:
            return found
        members = np.zeros(len(vectors), bool)
        members[: len(leaders)] = alike[leader]
        members = _settle(vectors, members & free, free, leader)
        found.append(np.flatnonzero(members))
        free &= ~members
        free[leader] = False


def _settle(vectors: Array, members: NDArray[np.bool_], free: NDArray[np.bool_], leader: int) -> NDArray[np.bool_]:
    """Return who is like the centre of a cluster, after a few rounds in which the centre moves; its leader stays."""
    for _ in range(ROUNDS):
        centre = vectors[members].mean(0)
        centre /= np.linalg.norm(centre)
        again = (np.round(vectors @ centre, DECIMALS) >= ALIKE) & free
        again[leader] = True
        if np.array_equal(again, members):
            break
        members = again
    return members


def _describe(texts: Sequence[Text], known: Set[str], lifts: Mapping[str, float], least: int, word_count: int) -> Cluster:
    """Return the cluster with its words: those of most of its texts, by how much they set them apart."""
    common = _common(known, texts, least)
    counts = Counter(word for text in texts for word in text.words & common)
    ranked = sorted(counts, key=lambda word: (-round(counts[word] * lifts[word], 6), word))
    return Cluster(tuple(texts), tuple(ranked[:word_count]))
