"""Finds words and phrases in texts whatever their inflection, accents, capitals and common misspellings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import simplemma
import spacy
from pydantic import BaseModel, ConfigDict
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from models.configuration import load_configuration
from models.preprocessing import fold, normalise, shorten_repeats, sound, split_words

SPELLING_FILE = Path(__file__).with_name("spelling_es.yml")
"""How people write, beside what the lemmatiser knows."""

_ADDRESSES = re.compile(r"https?://\S+|www\.\S+|\[url\]|@\w+")
_VARIANTS_LIMIT = 48


class Spelling(BaseModel):
    """The whole of `spelling_es.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fillers: frozenset[str]
    numbers: frozenset[str]
    shorthand: dict[str, str]
    kept_forms: frozenset[str]


_SPELLING = load_configuration(SPELLING_FILE, Spelling)

SPELLING_DIGEST = hashlib.sha256(SPELLING_FILE.read_text(encoding="utf-8").encode()).hexdigest()
"""SHA-256 (hex) of the file: whoever compares words names it in its revision."""


class Token(NamedTuple):
    """One word or mark of a text."""

    surface: str
    """As written."""

    key: str
    """What it is compared by: lemma, folded, by sound; every number is "0"."""


class Match(NamedTuple):
    """A stretch of tokens that an entry of the index claims."""

    start: int
    end: int
    entry: int
    """The number that `PhraseIndex` gave to the phrase."""


@lru_cache(maxsize=200_000)
def key_of(word: str) -> str:
    """Return what a single word or mark is compared by; "" for a word that carries no meaning of its own."""
    lower = shorten_repeats(word.casefold())
    lower = _SPELLING.shorthand.get(lower, lower)
    folded = fold(lower)
    if folded in _SPELLING.fillers:
        return ""
    if folded.isdigit() or folded in _SPELLING.numbers:
        return "0"
    lemma = fold(simplemma.lemmatize(lower, lang="es")) if lower.isalpha() and lower not in _SPELLING.kept_forms else folded
    return sound(_singular(lemma)) if len(lemma) > 3 else lemma


def _singular(word: str) -> str:
    """Cut the plural off words that the lemmatiser does not know; texts and phrases pass here alike."""
    if len(word) > 5 and word.endswith("es") and word[-3] in "rnldj":
        return word[:-2]
    return word[:-1] if len(word) > 4 and word.endswith("s") else word


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of a text that carry meaning, in order; links and mentions ("@name") carry none."""
    prose = _ADDRESSES.sub(" ", normalise(text))
    return [Token(word, key) for word in split_words(prose) if (key := key_of(word))]


class PhraseIndex:
    """Phrases numbered in the order in which they were given."""

    def __init__(self, phrases: Iterable[str], *, genders: bool = False) -> None:
        """Index the phrases.

        Args:
            phrases: plain Spanish; each stands for its inflections.
            genders: also find words in -o with -a, which suits adjectives and would take "banco" for "banca".

        Raises:
            ValueError: if a phrase holds nothing but articles and the like.
        """
        self._vocab = spacy.blank("es").vocab
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        self._entries: dict[int, tuple[int, ...]] = {}
        by_keys: dict[tuple[str, ...], list[int]] = {}
        for number, phrase in enumerate(phrases):
            for keys in _spellings(phrase, genders=genders):
                by_keys.setdefault(keys, []).append(number)
        for keys, numbers in by_keys.items():
            name = "\x1f".join(keys)
            self._matcher.add(name, [Doc(self._vocab, words=list(keys))])
            self._entries[self._vocab.strings[name]] = tuple(dict.fromkeys(numbers))

    def find(self, tokens: Sequence[Token]) -> list[Match]:
        """Return the matches from left to right; where two overlap the longer one stays, then the earlier one."""
        if not tokens:
            return []
        with self._vocab.memory_zone():
            found = self._matcher(Doc(self._vocab, words=[token.key for token in tokens]))
        found.sort(key=lambda match: (match[1] - match[2], match[1]))
        taken = bytearray(len(tokens))
        kept = []
        for name, start, end in found:
            if any(taken[start:end]):
                continue
            taken[start:end] = b"\x01" * (end - start)
            kept += [Match(start, end, entry) for entry in self._entries[name]]
        return sorted(kept)


def _spellings(phrase: str, *, genders: bool) -> list[tuple[str, ...]]:
    """Return the key sequences that a phrase may show up as: accents left out, singular and plural, both genders if asked."""
    options = [sorted(keys) for word in split_words(normalise(phrase)) if (keys := _word_keys(word, genders=genders))]
    if not options:
        raise ValueError(f"the phrase {phrase!r} holds no word that is compared; add one that is not an article or the like")
    sequences = list(product(*options))
    plain = tuple(key for word in split_words(normalise(phrase)) if (key := key_of(word)))
    return sequences if len(sequences) <= _VARIANTS_LIMIT else [plain]


def _word_keys(word: str, *, genders: bool) -> set[str]:
    if not key_of(word):
        return set()
    forms = {word}
    if word.isalpha() and len(word) > 3 and word.casefold() not in _SPELLING.kept_forms:
        forms |= {word + "s"} if word[-1] in "aeiouáéíóú" else {word + "es"} if word[-1] in "lrndj" else set()
        if genders and word.endswith("o"):
            forms |= {word[:-1] + "a", word[:-1] + "as"}
    return {key for form in forms for key in (key_of(form), key_of(fold(form))) if key}
