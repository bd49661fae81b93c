"""Finds words and phrases in texts whatever their inflection, accents, capitals and common misspellings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import spacy
from pydantic import BaseModel, ConfigDict
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from models.configuration import load_configuration
from models.lemmas import SIMPLEMMA, Lemmatiser
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


def key_of(word: str, *, lemmatiser: Lemmatiser = SIMPLEMMA) -> str:
    """Return what a single word or mark is compared by; "" for a word that carries no meaning of its own."""
    return keys_of([word], lemmatiser=lemmatiser)[0]


def keys_of(words: Sequence[str], *, lemmatiser: Lemmatiser = SIMPLEMMA) -> list[str]:
    """Return the key of each word of a text or phrase; "" for a word that carries no meaning of its own."""
    spelt = tuple(_respell(word) for word in words)
    return [_key(word, lemma) for word, lemma in zip(spelt, lemmatiser.lemmatise(spelt), strict=True)]


@lru_cache(maxsize=200_000)
def _respell(word: str) -> str:
    lower = shorten_repeats(word.casefold())
    return _SPELLING.shorthand.get(lower, lower)


@lru_cache(maxsize=200_000)
def _key(lower: str, lemma: str) -> str:
    folded = fold(lower)
    if folded in _SPELLING.fillers:
        return ""
    if folded.isdigit() or folded in _SPELLING.numbers:
        return "0"
    base = fold(lemma) if lower.isalpha() and lower not in _SPELLING.kept_forms else folded
    return sound(_singular(base)) if len(base) > 3 else base


def _singular(word: str) -> str:
    """Cut the plural off words that the lemmatiser does not know; texts and phrases pass here alike."""
    if len(word) > 5 and word.endswith("es") and word[-3] in "rnldj":
        return word[:-2]
    return word[:-1] if len(word) > 4 and word.endswith("s") else word


def read_tokens(text: str, *, lemmatiser: Lemmatiser = SIMPLEMMA) -> list[Token]:
    """Return the tokens of a text that carry meaning, in order; links and mentions ("@name") carry none."""
    words = split_words(_ADDRESSES.sub(" ", normalise(text)))
    return [Token(word, key) for word, key in zip(words, keys_of(words, lemmatiser=lemmatiser), strict=True) if key]


class PhraseIndex:
    """Phrases numbered in the order in which they were given."""

    def __init__(self, phrases: Iterable[str], *, genders: bool = False, lemmatiser: Lemmatiser = SIMPLEMMA) -> None:
        """Index the phrases.

        Args:
            phrases: plain Spanish; each stands for its inflections.
            genders: also find words in -o with -a, which suits adjectives and would take "banco" for "banca".
            lemmatiser: the one that the texts' tokens are read with.

        Raises:
            ValueError: if a phrase holds nothing but articles and the like.
        """
        self._vocab = spacy.blank("es").vocab
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        self._entries: dict[int, tuple[int, ...]] = {}
        by_keys: dict[tuple[str, ...], list[int]] = {}
        for number, phrase in enumerate(phrases):
            for keys in _spellings(phrase, genders=genders, lemmatiser=lemmatiser):
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


def _spellings(phrase: str, *, genders: bool, lemmatiser: Lemmatiser) -> list[tuple[str, ...]]:
    """Return the key sequences that a phrase may show up as: accents left out, singular and plural, both genders if asked."""
    words = split_words(normalise(phrase))
    in_context = keys_of(words, lemmatiser=lemmatiser)
    alone = [_word_keys(word, genders=genders, lemmatiser=lemmatiser) for word in words]
    options = [sorted(keys | {key}) for key, keys in zip(in_context, alone, strict=True) if key]
    if not options:
        raise ValueError(f"the phrase {phrase!r} holds no word that is compared; add one that is not an article or the like")
    sequences = list(product(*options))
    return sequences if len(sequences) <= _VARIANTS_LIMIT else [tuple(key for key in in_context if key)]


def _word_keys(word: str, *, genders: bool, lemmatiser: Lemmatiser) -> set[str]:
    forms = {word}
    if word.isalpha() and len(word) > 3 and word.casefold() not in _SPELLING.kept_forms:
        forms |= {word + "s"} if word[-1] in "aeiouáéíóú" else {word + "es"} if word[-1] in "lrndj" else set()
        if genders and word.endswith("o"):
            forms |= {word[:-1] + "a", word[:-1] + "as"}
    spelt = forms | {fold(form) for form in forms}
    return {key for form in spelt if (key := key_of(form, lemmatiser=lemmatiser))}
