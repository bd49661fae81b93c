"""A text as words, each with what the lists know of it."""

from __future__ import annotations

import re
from functools import cached_property

from collectors.redaction.lexicon import OFFICE, TELLING, WEAK_CUE, fold_letters, load_lexicon
from collectors.redaction.shapes import shape_of

_WORD = re.compile(r"\[nombre\]|[^\W\d_]+")
_BLANKS = " \t\u00a0"
_GAP = re.compile(r"[ \t\u00a0]{1,3}")


class Tokens:
    """The words of a text: `words`, `flags` and `spans` by place; `folded` is the text in small letters without accents.

    `telling` are the places of the words that may begin a name or an address, or announce one.
    """

    def __init__(self, text: str) -> None:
        """Split the text and look up each word."""
        self.text = text
        self.folded = fold_letters(text)
        self.words: list[str] = _WORD.findall(self.folded)
        known = load_lexicon().flags
        self.flags = [known[word] if word in known else shape_of(word) for word in self.words]
        self.telling = [place for place, flag in enumerate(self.flags) if flag & TELLING]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where each word begins and ends, in characters."""
        return [match.span() for match in _WORD.finditer(self.folded)]

    @cached_property
    def has_office(self) -> bool:
        """Whether a word of a public function, or of a post among neighbours, stands anywhere in the text."""
        return any(flag & (OFFICE | WEAK_CUE) for flag in self.flags)

    def __len__(self) -> int:
        return len(self.words)

    def word(self, place: int) -> str:
        """Return a word, folded."""
        return self.words[place]

    def length(self, place: int) -> int:
        """Return how many letters a word has."""
        start, end = self.spans[place]
        return end - start

    def gap(self, place: int) -> str:
        """Return what stands between a word and the next; between the last one and the end a full stop of its own."""
        if place + 1 >= len(self.spans):
            return "\n"
        return self.text[self.spans[place][1] : self.spans[place + 1][0]]

    def joined(self, place: int) -> bool:
        """Tell whether only a blank stands between a word and the next."""
        if place + 1 >= len(self.words):
            return False
        end, start = self.spans[place][1], self.spans[place + 1][0]
        if start == end + 1:
            return self.text[end] in _BLANKS
        return _GAP.fullmatch(self.text, end, start) is not None

    def is_title(self, place: int) -> bool:
        """Tell whether a word begins with a capital letter and goes on in small ones."""
        start, end = self.spans[place]
        word = self.text[start:end]
        return word[0] == "[" or (end - start > 1 and word[0].isupper() and word[1:].islower())
