"""Shortened quotes: pieces of a message around the words that many have in common, none long enough to find the message by.

A piece holds at most seven words that stand in a row in the message, at least one word is left out between two pieces, and
figures, names, places and whatever redaction left are left out wherever they stand. Only words come through, in small
letters: no mark, link, markup or control character of a message can.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from models.preprocessing import fold, normalise, split_words
from pipelines.reports.words import NOISE, is_name

LONGEST_PIECE = 7
"""Words in a row: eight find a message in a search engine."""

MOST_WORDS = 25
MOST_PIECES = 3
GAP = "[…]"
"""Stands for what was left out."""

_LEFT_OUT = "\x00"


def shorten(text: str, wanted: Sequence[str], keys: Sequence[str | None], *, places: Set[str]) -> str | None:
    """Return the pieces of a text around the wanted words, joined by marks of omission; None if there are no such pieces.

    Args:
        text: as it is stored, redacted.
        wanted: dictionary forms, folded; pieces are sought around the first ones first, and the first two must be in them.
        keys: the dictionary form of each of the words that `quotable_words` gives, or None.
        places: folded words of the names of places.
    """
    words = quotable_words(text, places=places)
    if len(words) != len(keys):
        raise ValueError(f"{len(words)} words, {len(keys)} dictionary forms")
    pieces: list[tuple[int, int]] = []
    for rank, key in enumerate(wanted):
        at = next((place for place, other in enumerate(keys) if other == key), None)
        if at is None or any(start <= at < end for start, end in pieces):
            if at is None and rank < 2:
                return None
            continue
        piece = _piece(words, at, pieces)
        if piece is None or len(pieces) == MOST_PIECES or _size([*pieces, piece]) > MOST_WORDS:
            if rank < 2:
                return None
            continue
        pieces.append(piece)
    pieces.sort()
    said = f" {GAP} ".join(" ".join(words[start:end]) for start, end in pieces)
    before = "" if not pieces or pieces[0][0] == 0 else f"{GAP} "
    after = "" if not pieces or pieces[-1][1] == len(words) else f" {GAP}"
    return f"{before}{said}{after}" if pieces else None


def quotable_words(text: str, *, places: Set[str]) -> list[str]:
    """Return the words of a text in order, in small letters; one that may not be quoted is the character NUL."""
    tokens = split_words(NOISE.sub(" 0 ", normalise(text)))
    return [_quotable(token, places) for token in tokens if any(char.isalnum() for char in token)]


def _quotable(token: str, places: Set[str]) -> str:
    unknown = not token.isalpha() or len(token) > 24 or is_name(token) or fold(token) in places
    return _LEFT_OUT if unknown else token.lower()


def _piece(words: Sequence[str], at: int, others: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the bounds of a piece around a word, in which all may be quoted and which touches no other piece."""
    if words[at] == _LEFT_OUT:
        return None
    low = max((end + 1 for start, end in others if end <= at), default=0)
    high = min((start - 1 for start, _ in others if start > at), default=len(words))
    start, end = at, at + 1
    if not low <= at < high:
        return None
    while end - start < LONGEST_PIECE:
        back = start > low and words[start - 1] != _LEFT_OUT
        ahead = end < high and words[end] != _LEFT_OUT
        if ahead and (end - at <= at - start or not back):
            end += 1
        elif back:
            start -= 1
        else:
            break
    return start, end


def _size(pieces: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in pieces)
