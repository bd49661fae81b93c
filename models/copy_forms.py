"""What a text says, bare of what people change when they pass it on, and whether two such forms are copies. Pure functions.

Two texts are copies if one comes from the other by small edits: case, accents, marks, emoji, repeated letters, short forms,
numbers that name no place, links and hashtags around it, a greeting or a signature, one or two slips of the finger, a word
exchanged that is not what the text is about. They are none if they name another place or another matter, or one denies what the
other says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from models.configuration import load_configuration
from models.matching import SPELLING_DIGEST, SPELLING_FILE, Spelling
from models.preprocessing import fold, sound

EDITS_FILE = Path(__file__).with_name("similarity_es.yml")
"""The words that an edit may touch, and those that it may not."""

FEWEST_WORDS = 4
"""Words of matter that a text must have to be told from chance; with fewer ("ok gracias") only the very same text is a copy."""

LONG_TEXT = 8
"""Words of matter from which on a further matter or name that one of two texts has may be an addition."""

_NOISE = re.compile(r"https?://\S+|www\.\S+|\[[^\]\n]{1,20}\]|(?<![\w.])@\w[\w.]*")
_CAPITAL = re.compile(r"(?<=[a-záéíóúüñ,0-9] )[A-ZÁÉÍÓÚÜÑ][a-záéíóúüñ]+")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}")
_ARTICLES = frozenset(("el", "la", "los", "las", "de", "del", "san", "santa"))
_IN = "en"
_SIGNATURE = 5
"""Words of a signature after the word of leave."""
_CONJUNCTIONS = frozenset("yeou")
_NAME_LENGTH = 2
"""Words after a place word that may belong to its name, articles apart; a number may follow them."""


class Edits(BaseModel):
    """The whole of `similarity_es.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    light: frozenset[str]
    negations: frozenset[str]
    denials: frozenset[str]
    place_words: frozenset[str]
    units: frozenset[str]
    shorthand: dict[str, str]
    lettered: frozenset[str]
    leave: frozenset[str]
    numbers: dict[str, str]
    subjects: tuple[tuple[str, ...], ...]


_EDITS = load_configuration(EDITS_FILE, Edits)
_SHORTHAND = {fold(short): fold(word) for short, word in load_configuration(SPELLING_FILE, Spelling).shorthand.items()}
_SHORTHAND |= _EDITS.shorthand
_MATTERS = {word: words[0] for words in _EDITS.subjects for word in words}
_SUBJECTS = frozenset(map(sound, _MATTERS.values()))
_NEGATIONS = frozenset(map(sound, _EDITS.negations))
_DENIALS = frozenset(map(sound, _EDITS.denials))
_sound = lru_cache(maxsize=100_000)(sound)
_NO_SIGNATURE = frozenset((*_MATTERS, "por", "que", "a"))
"""With one of them "gracias" begins no signature: gracias por la pista."""
_ENDING = (_EDITS.light | _EDITS.negations | _EDITS.place_words) - _ARTICLES
EDITS_DIGEST = hashlib.sha256(EDITS_FILE.read_text(encoding="utf-8").encode()).hexdigest() + SPELLING_DIGEST
"""Of the two files of words: another list is another revision."""


class Form(NamedTuple):
    """The words of matter of a text, by sound; equal forms are copies."""

    words: tuple[str, ...]
    """Each once, sorted."""

    names: tuple[str, ...]
    """Those that name a place or somebody, sorted."""


def read_form(text: str, *, places: frozenset[str] = frozenset()) -> Form | None:
    """Return the form of a text, or None if it has too few words of matter for anything but the same text to be its copy.

    Args:
        text: as it was written.
        places: words of the names of a city's places, as `name_words` gives them.
    """
    tokens = _unsigned(_expand(_WORD.findall(_strip(text))))
    positions, capital = _placed(tokens), _capitalised(text)
    words: set[str] = set()
    names: set[str] = set()
    for position, token in enumerate(tokens):
        if position in positions:
            names.add(_sound(token))
        elif not token.isdigit() and len(token) > 1 and token not in _EDITS.light:
            word = _sound(_MATTERS.get(token, token))
            words.add(word)
            if token not in _MATTERS and (token in places or token in capital):
                names.add(word)
    words |= names
    return Form(tuple(sorted(words)), tuple(sorted(names))) if len(words) >= FEWEST_WORDS else None


def name_words(names: Iterable[str]) -> frozenset[str]:
    """Return the words of names of places, folded, those left out that mean something everywhere."""
    found = {word for name in names for word in _WORD.findall(fold(name)) if len(word) > 1 and not word.isdigit()}
    return frozenset(found - _EDITS.light - _EDITS.place_words - _MATTERS.keys())


def are_copies(one: Form, other: Form) -> bool:
    """Tell whether two forms differ by no more than small edits; the order of the two does not matter."""
    if one.words == other.words:
        return True
    short, long = sorted((one, other), key=lambda form: (len(form.words), form))
    fewest = len(short.words)
    only_short = set(short.words) - set(long.words) - _NEGATIONS
    only_long = set(long.words) - set(short.words) - _NEGATIONS
    if len(only_short) + len(only_long) > 2 * _slips(fewest) + _changes(fewest):
        return False  # a slip takes one word of each side, and what is left counts word by word
    if any(kind.isdisjoint(short.words) != kind.isdisjoint(long.words) for kind in (_DENIALS, _NEGATIONS)):
        return False
    names = {*short.names, *long.names}
    slips, rest_short, rest_long = _pair_slips(only_short, only_long, names)
    exchanged = min(len(rest_short), len(rest_long))
    added = max(len(rest_short), len(rest_long)) - exchanged
    telling = (rest_short | rest_long) & (_SUBJECTS | names)
    if telling and (exchanged or fewest < LONG_TEXT):
        return False
    return slips <= _slips(fewest) and 2 * exchanged + added <= _changes(fewest)


def _slips(words: int) -> int:
    """Return how many slips of the finger two copies of so many words may differ by."""
    return 1 if words < 6 else min(20, max(2, words // 6))


def _changes(words: int) -> int:
    """Return how many added words, or half as many exchanged ones, two copies of so many words may differ by."""
    return min(10, max(1, words // 3))


def _strip(text: str) -> str:
    folded = fold(_NOISE.sub(" ", text))
    parts = folded.split()
    first, last = 0, len(parts)
    while first < last and _is_trimming(parts[first]):
        first += 1
    while last > first and _is_trimming(parts[last - 1]):
        last -= 1
    kept = " ".join(parts[first:last]) or folded
    return _DOTTED.sub(lambda match: re.sub(r"[.\s]", "", match[0]) + " ", kept)


def _is_trimming(part: str) -> bool:
    return part.startswith("#") or not _WORD.search(part)


def _expand(tokens: list[str]) -> list[str]:
    """Return the tokens with short forms written out and numbers in figures; a letter that names a zone stays."""
    written: list[str] = []
    for token in tokens:
        named = len(token) == 1 and token not in _CONJUNCTIONS and bool(written) and written[-1] in _EDITS.lettered
        word = token if named else _SHORTHAND.get(token, token)
        written.append(_EDITS.numbers.get(word, word))
    return written


def _unsigned(tokens: list[str]) -> list[str]:
    """Return the tokens without what follows the last word of leave, if it is no more than a name."""
    for position in range(len(tokens) - 1, max(-1, len(tokens) - _SIGNATURE - 2), -1):
        if tokens[position] in _EDITS.leave:
            return tokens if _NO_SIGNATURE.intersection(tokens[position:]) else tokens[:position]
    return tokens


def _capitalised(text: str) -> frozenset[str]:
    """Return the words, folded, that bear a capital inside a sentence, as names do."""
    return frozenset(fold(word) for word in _CAPITAL.findall(text))


def _placed(tokens: list[str]) -> set[int]:
    """Return the positions of the words that name a place: those after a place word, or right after "en"."""
    found: set[int] = set()
    for position, token in enumerate(tokens):
        if token in _EDITS.place_words:
            found.update(_run(tokens, position + 1, _NAME_LENGTH, numbers=True))
        elif token == _IN:
            found.update(_run(tokens, position + 1, 1, numbers=False))
    return found


def _run(tokens: list[str], start: int, reach: int, *, numbers: bool) -> Iterable[int]:
    for position in range(start, len(tokens)):
        token = tokens[position]
        if token in _ARTICLES:
            continue
        if token.isdigit():
            if numbers and (position + 1 == len(tokens) or tokens[position + 1] not in _EDITS.units):
                yield position
            return
        letter = len(token) == 1 and position == start and tokens[start - 1] in _EDITS.lettered and token not in _CONJUNCTIONS
        if not letter and (reach == 0 or token in _ENDING):
            return
        yield position
        reach -= 1


def _pair_slips(ones: set[str], others: set[str], names: set[str]) -> tuple[int, set[str], set[str]]:
    """Pair words that differ by a slip; return how many pairs there are, and what is left on each side."""
    left, right = sorted(ones), sorted(others)
    slips = 0
    for word in list(left):
        match = next((other for other in right if _is_slip(word, other, names)), None)
        if match is not None:
            left.remove(word)
            right.remove(match)
            slips += 1
    return slips, set(left), set(right)


def _is_slip(one: str, other: str, names: set[str]) -> bool:
    short, long = (one, other) if (len(one), one) <= (len(other), other) else (other, one)
    if len(short) < 4 or len(long) - len(short) > 4:
        return False
    within = long.startswith(short) or long.endswith(short)
    if not within and {one, other} <= _SUBJECTS:
        return False
    if {one, other} & names and len(short) < 6:
        return False
    return within or (short[0] == long[0] and len(long) - len(short) <= 1 and _one_edit(short, long))


def _one_edit(short: str, long: str) -> bool:
    """Tell whether one letter added, one changed or two neighbours exchanged make one word of the other."""
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    rest_short, rest_long = short[start:], long[start:]
    if len(short) < len(long):
        return rest_short == rest_long[1:]
    return rest_short[1:] == rest_long[1:] or (
        rest_short[:2] == rest_long[1::-1] and rest_short[2:] == rest_long[2:] and len(rest_short) > 1
    )
