"""Small values as sites write them: counts, and what stands where nobody signed."""

from __future__ import annotations

import unicodedata

_MOST_DIGITS = 19
_NOBODY = "nn anonimo anonima anonymous guest invitado invitada usuarioanonimo usuarioinvitado vecinoanonimo sinnombre sinfirma"
_UNSIGNED = frozenset(_NOBODY.split())
"""What stands where nobody signed: letters and digits only, without case and accents."""


def is_unsigned(name: str) -> bool:
    """Tell whether what stands in the place of a name says that there is none: many people would become one voice."""
    plain = unicodedata.normalize("NFD", name.casefold())
    return "".join(character for character in plain if character.isalnum()) in _UNSIGNED


def parse_count(raw: str | None) -> int | None:
    """Return a number of likes or votes; None if it is absent, not written in digits alone, or longer than any count."""
    return int(raw) if raw and raw.isdecimal() and len(raw) <= _MOST_DIGITS else None
