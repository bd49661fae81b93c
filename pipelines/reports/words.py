"""Words: the dictionary forms that tell what a text is about, bare of little words, names, places and what redaction left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from spacy.lang.es.stop_words import STOP_WORDS

from collectors.redaction.lexicon import EVERYDAY, NAME, load_lexicon
from models.configuration import load_configuration
from models.lemmas import Lemmatiser
from models.preprocessing import fold, normalise, shorten_repeats, split_words

WORDS_FILE = Path(__file__).with_name("words_es.yml")

SHORTEST, LONGEST = 3, 24
"""Letters of a word that is listed."""

MOST_WORDS = 600
"""Words of one text that are read: a longer one is no message but a document, and would outweigh the others."""

NOISE = re.compile(r"https?://\S+|www\.\S+|\[[^\]\n]{1,24}\]|(?<![\w.])@\w[\w.]*")
"""Links, handles and what redaction put in the place of a personal datum."""

_TITLES = frozenset(("sr", "sra", "srta", "don", "doña", "dr", "dra", "ing", "lic", "señor", "señora"))
_TITLES |= {"alcalde", "alcaldesa", "regidor", "regidora", "congresista"}


class LittleWords(BaseModel):
    """The whole of `words_es.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    little: frozenset[str]


class Word(NamedTuple):
    """A word of a text."""

    key: str
    """The dictionary form folded: what equal words have in common however they are written."""

    lemma: str
    """The dictionary form as it is written."""


@dataclass(frozen=True)
class WordReader:
    """Reads the words of texts; what it returns depends on the text alone."""

    lemmatiser: Lemmatiser

    places: frozenset[str]
    """Folded words of the names of the city's places, which tell where and not what."""

    def read(self, text: str) -> list[Word]:
        """Return the words of a text that may be listed, each once, in the order in which they come; none for ""."""
        tokens = split_words(NOISE.sub(" ", normalise(text)))[:MOST_WORDS]
        kept = [token for token, named in zip(tokens, _find_names(tokens), strict=True) if not named and token.isalpha()]
        lower = tuple(shorten_repeats(token.lower()) for token in kept)
        found: dict[str, Word] = {}
        for token, lemma in zip(lower, self.lemmatiser.lemmatise(lower), strict=True):
            word = self._judge(token, lemma)
            if word is not None:
                found.setdefault(word.key, word)
        return list(found.values())

    def _judge(self, token: str, lemma: str) -> Word | None:
        known = (token, lemma)
        if known not in self._judged:
            lower = lemma.lower()
            key = fold(lower)
            self._judged[known] = Word(key, lower) if self._tells(fold(token), key) else None
        return self._judged[known]

    def _tells(self, folded: str, key: str) -> bool:
        words = {folded, key}
        return SHORTEST <= len(key) <= LONGEST and key.isalpha() and not words & (_little() | self.places)

    @cached_property
    def _judged(self) -> dict[tuple[str, str], Word | None]:
        return {}


@cache
def _little() -> frozenset[str]:
    """Return what is never listed: the words of the file and of spaCy, folded."""
    listed = load_configuration(WORDS_FILE, LittleWords).little
    return frozenset({*listed, *(fold(word) for word in STOP_WORDS)})


def _find_names(tokens: list[str]) -> Iterator[bool]:
    """Tell of each token whether it is of a person's name: one of the lists, or a capital after a title or such a name."""
    after = False
    for written in tokens:
        if written == ".":
            yield False  # "Sr. Pérez"
            continue
        capital = written[0].isupper() and not written.isupper()
        named = is_name(written) or (after and capital)
        after = named or written.lower() in _TITLES
        yield named


def is_name(token: str) -> bool:
    """Tell whether a word is a given name or a surname and no everyday word."""
    flags = load_lexicon().flags.get(fold(token), 0)
    return bool(flags & NAME) and not flags & EVERYDAY
