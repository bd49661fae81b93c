"""Quotes: of each issue at most one, of what at least five persons said alike, shortened; only for a city that asked for them.

"Alike" means that two messages of one issue share two of its typical words. Copies of one text would be no measure: five persons
who say the same in their own words would have no quote, and a campaign would have all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from models.lemmas import Lemmatiser, load_lemmatiser
from models.preprocessing import fold
from pipelines.copies import LEAST_VOICES
from pipelines.digests import value_digest
from pipelines.reports.shortening import quotable_words, shorten
from pipelines.staging import REPORTS, Build
from pipelines.warehouse import used_parameters

FEWEST_WORDS, MOST_WORDS = 6, 120
"""Words of a message that a quote is taken from: a shorter one would be quoted nearly whole."""

MOST_TRIED = 20
"""Messages of an issue that are tried until one of them can be shortened."""

QUOTE_COLUMNS = {
    "channel": "varchar",
    "category_id": "varchar",
    "issue_id": "varchar",
    "quote_key": "varchar",
    "text": "varchar",
    "words": "varchar[]",
    "person_count": "bigint",
    "item": "bigint",
}


class Candidate(NamedTuple):
    """A message that shares the two words; those of an issue come in the order in which they are tried."""

    channel: str
    category_id: str
    issue_id: str
    item: int
    text: str
    keys: list[str]
    """The typical words of the issue that it has: first the two that the persons share, then by weight; folded."""

    words: list[str]
    """The two as they are written."""

    person_count: int


def stage_quotes(build: Build) -> None:
    """Stage `quote_entry`: one row per issue that has a quote; none for a city without `quotes: true`."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    lemmatiser = load_lemmatiser(build.readers.config.lemmas)
    for candidate in _candidates(build) if build.city.quotes else ():
        issue = candidate.channel, candidate.issue_id
        if issue in rows or (text := _quote(candidate, lemmatiser, build.places)) is None:
            continue
        rows[issue] = {
            "channel": candidate.channel,
            "category_id": candidate.category_id,
            "issue_id": candidate.issue_id,
            # Of nothing that leads to the message: the key stands in published tables.
            "quote_key": value_digest([candidate.channel, candidate.issue_id]),
            "text": text,
            "words": candidate.words,
            "person_count": candidate.person_count,
            "item": candidate.item,
        }
    build.warehouse.temporary("quote_entry", list(rows.values()), QUOTE_COLUMNS)


def _candidates(build: Build) -> list[Candidate]:
    sql = (REPORTS / "staging" / "quote_candidate.sql").read_text(encoding="utf-8")
    parameters = {"least_voices": LEAST_VOICES, "most_tried": MOST_TRIED}
    return [Candidate(*row) for row in build.warehouse.query(sql, used_parameters(sql, parameters))]


def _quote(candidate: Candidate, lemmatiser: Lemmatiser, places: frozenset[str]) -> str | None:
    words = quotable_words(candidate.text, places=places)
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS:
        return None
    keys = [fold(lemma) for lemma in lemmatiser.lemmatise(tuple(words))]
    return shorten(candidate.text, candidate.keys, keys, places=places)
