"""Keys and tokens of platforms: named in a city's file (`env:NAME`), read from the environment, told nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote, quote_plus

from pydantic import Field

SecretReference = Annotated[str, Field(pattern=r"^env:[A-Z][A-Z0-9_]{2,60}$")]
"""`env:NAME`: the value stands in the environment variable NAME, never in a file of the project."""

MIN_CHARACTERS = 6
HIDDEN = "***"

_known: set[str] = set()


class MissingSecretError(ValueError):
    """An environment variable that a source names is not set; the message says which."""


def load_reference(reference: str, environ: Mapping[str, str]) -> str:
    """Return the value that `env:NAME` refers to, without white space around; from then on `hide_secrets` knows it.

    Raises:
        MissingSecretError: if the variable is not set, or its value is too short to be a key.
    """
    name = reference.removeprefix("env:")
    value = environ.get(name, "").strip()
    if len(value) < MIN_CHARACTERS:
        found = "is not set" if not value else f"has {len(value)} characters, which no key has"
        raise MissingSecretError(f"the environment variable {name} {found}")
    _known.update({value, quote(value, safe=""), quote_plus(value)})
    return value


def hide_secret_bytes(content: bytes) -> bytes:
    """Return bytes with every value that was loaded so far replaced likewise, also as JSON writes it."""
    escaped = {json.dumps(value)[1:-1] for value in _known}
    for value in sorted(_known | escaped | {form.replace("/", "\\/") for form in escaped}, key=len, reverse=True):
        content = content.replace(value.encode(), HIDDEN.encode())
    return content


def hide_secrets(text: str) -> str:
    """Return a text with every value that was loaded so far, as it is or quoted in an address, replaced by "***"."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text
