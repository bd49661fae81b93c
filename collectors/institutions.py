"""Institution or citizen: whether a message is signed by a public body, a company or a medium, or by a person.

A manifestation is one message by one person. The name decides, before it becomes a key; the text never does. Lists of
words (`institutions.yml`) are held to the beginning and the end of a name, since persons name institutions too ("Vecino
del Hospital", "Mamá del colegio 1278"). Where a platform itself marks an account as an organisation, its spider says so.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from collectors.text import plain_letters

WORDS_FILE = Path(__file__).with_name("institutions.yml")

_SPACED = re.compile(r"[^a-z0-9]+")
Beginnings = Annotated[tuple[str, ...], Field(min_length=1)]


class _Words(BaseModel):
    """The whole of `institutions.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Beginnings
    last: Beginnings
    handle: Beginnings


def is_institution(name: str) -> bool:
    """Tell whether a signature is that of an institution; a name that says neither is a person's."""
    folded, patterns = _plain(name), _patterns()
    return bool(folded) and any(pattern.search(folded) for pattern in patterns)


def _plain(name: str) -> str:
    """Return the letters and digits of a name in small letters, without accents, single spaces between."""
    return _SPACED.sub(" ", plain_letters(name)).strip()


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Return what to look for: beginnings, endings, handles that are written together."""
    words = _Words.model_validate(YAML(typ="safe").load(WORDS_FILE.read_text(encoding="utf-8")))
    first, last, handle = ("|".join(map(re.escape, sorted(found))) for found in (words.first, words.last, words.handle))
    # A single word at the end may be anybody's ("Sa", "Bot"): a name goes before it.
    return tuple(map(re.compile, (rf"^(?:{first})(?= |$)", rf" (?:{last})$", rf"^(?:{handle})[^ ]*$")))
