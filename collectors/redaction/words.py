"""What only words tell: addresses, nicks behind the name of a network, names; the text is split into words once for all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.redaction.found import Found
from collectors.redaction.lexicon import NETWORK
from collectors.redaction.names import find_names
from collectors.redaction.places import find_addresses
from collectors.redaction.tokens import Tokens

_NICK = re.compile(r"\s?(?::|=|\ses\s|\scomo\s|\s)\s?(?P<nick>(?=[\w.]{0,29}(?:\d|_|\w\.\w))[^\W\d][\w.]{2,29})(?<!\.)(?![\w@/])")


def find_words(text: str) -> Iterator[Found]:
    """Yield addresses, nicks and names, in order and apart; where two overlap, the one that begins first counts."""
    tokens = Tokens(text)
    if not tokens.telling:
        return
    end = 0
    for found in sorted([*find_addresses(tokens), *_find_nicks(tokens), *find_names(tokens)]):
        if found.start >= end:
            yield found
            end = found.end


def _find_nicks(tokens: Tokens) -> Iterator[Found]:
    for place in tokens.telling:
        if tokens.flags[place] & NETWORK and (match := _NICK.match(tokens.text, tokens.spans[place][1])):
            yield Found(*match.span("nick"), "[usuario]")
