"""Numbers told digit by digit in words, as they are written where figures are blocked: "nueve ocho siete, 654 …"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.redaction.cues import DNI_BEFORE, telling_words
from collectors.redaction.found import Found

_WORDS = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
_DIGIT = rf"(?:{'|'.join(_WORDS)}|\d{{1,4}})"
_RUN = re.compile(rf"(?<!\w){_DIGIT}(?:[\s,.-]{{1,3}}{_DIGIT}){{3,11}}(?!\w)", re.IGNORECASE)
_CONTEXT = 32
_FEWEST_WORDS, _FEWEST_RARER = 3, 2
_RARER = _WORDS[4:]
"""Hardly a number of eight digits has fewer than two of these, and other words hardly hold them."""


def find_spelled(text: str) -> Iterator[Found]:
    """Yield mobiles (nine digits that begin with a nine) and announced DNIs of which three digits at least are words."""
    lowered = text.lower()
    if sum(word in lowered for word in _RARER) < _FEWEST_RARER:
        return
    for match in _RUN.finditer(text):
        parts = re.findall(r"\w+", match[0].lower())
        figures = "".join(str(_WORDS.index(part)) if part in _WORDS else part for part in parts)
        if sum(part in _WORDS for part in parts) < _FEWEST_WORDS:
            continue
        before = telling_words(text[max(0, match.start() - _CONTEXT) : match.start()])
        if len(figures) == 9 and figures[0] == "9":
            yield Found(*match.span(), "[teléfono]")
        elif len(figures) == 8 and DNI_BEFORE.search(before):
            yield Found(*match.span(), "[DNI]")
