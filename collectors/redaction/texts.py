"""Texts without personal data: every recogniser in turn, until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from collectors.redaction.figures import find_figures
from collectors.redaction.found import Found, replace_found
from collectors.redaction.places import find_coordinates
from collectors.redaction.spelled import find_spelled
from collectors.redaction.words import find_words

RECOGNISERS: dict[str, Callable[[str], Iterator[Found]]] = {
    "coordinates": find_coordinates,
    "figures": find_figures,
    "spelled": find_spelled,
    "words": find_words,
}
"""In this order: a coordinate could pass for other figures, and a figure beside an address or a name is read first."""

_ROUNDS = 8


def redact(text: str) -> str:
    """Return the text with personal data replaced by Spanish marks in brackets.

    [DNI], [documento] (foreigners' cards, passports), [RUC], [teléfono], [correo], [placa], [cuenta], [usuario] (a handle),
    [coordenadas], [dirección] (what leads to one door: a number, a block and lot, a flat; the name of the street stays),
    [nombre]; of a link that holds an address, a handle, a place or a long id, only the host stays. The same text redacted
    twice is the same.
    """
    for _ in range(_ROUNDS):
        redacted = text
        for find in RECOGNISERS.values():
            redacted = replace_found(redacted, find(redacted))
        if redacted == text:
            break
        text = redacted
    return text
