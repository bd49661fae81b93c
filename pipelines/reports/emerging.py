"""Emerging matters: clusters among the texts that no category took, staged for their table."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipelines.copies import LEAST_VOICES
from pipelines.reports.clusters import Cluster, Text, find_clusters
from pipelines.staging import REPORTS, Build

MOST_CLUSTERS = 10
"""Clusters of a channel that are told of, those of most persons."""

ITEM_COLUMNS = {"channel": "varchar", "cluster_number": "integer", "item": "bigint"}
WORD_COLUMNS = {"channel": "varchar", "cluster_number": "integer", "words": "varchar[]"}


def stage_emerging(build: Build) -> None:
    """Stage `emerging_item` and `emerging_word` from what `stage_texts` staged."""
    copies, taken = _read_copies(build)
    items: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    spelling = _read_spelling(build)
    for channel in sorted(copies):
        texts = {_text(copy): copy for copy in copies[channel].values()}
        clusters = find_clusters(texts, taken[channel], least=LEAST_VOICES)[:MOST_CLUSTERS]
        for number, cluster in enumerate(clusters, start=1):
            key = {"channel": channel, "cluster_number": number}
            items += [key | {"item": item} for text in cluster.texts for item in texts[text].items]
            words.append(key | {"words": _spell(cluster, spelling)})
    build.warehouse.temporary("emerging_item", items, ITEM_COLUMNS)
    build.warehouse.temporary("emerging_word", words, WORD_COLUMNS)


class _Copy:
    """The messages that say one text."""

    def __init__(self) -> None:
        self.name = ""
        self.items: list[int] = []
        self.persons: set[int] = set()
        self.words: set[str] = set()


def _text(copy: _Copy) -> Text:
    return Text(copy.name, frozenset(copy.words), frozenset(copy.persons))


def _read_copies(build: Build) -> tuple[dict[str, dict[int, _Copy]], dict[str, list[set[str]]]]:
    """Return by channel the texts that no category took, and the words of those that one took; copies are one text."""
    free: defaultdict[str, dict[int, _Copy]] = defaultdict(dict)
    taken: defaultdict[str, list[set[str]]] = defaultdict(list)
    sql = (REPORTS / "staging" / "copied_word.sql").read_text(encoding="utf-8")
    for channel, unread, copy_group, digest, items, persons, words in build.warehouse.query(sql):
        if not unread:
            taken[channel].append(set(words))
            continue
        copy = free[channel].setdefault(copy_group, _Copy())
        copy.name, copy.items = f"{digest} {copy_group}", items
        copy.persons, copy.words = set(persons), set(words)
    return free, taken


def _read_spelling(build: Build) -> dict[str, str]:
    """Return key -> how the word is written most often."""
    return dict(build.warehouse.query("select word, lemma from word_spelling"))


def _spell(cluster: Cluster, spelling: dict[str, str]) -> list[str]:
    return [spelling[word] for word in cluster.words]
