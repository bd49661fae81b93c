"""What a source is remembered by from one collection to the next: validators of its documents, and where to go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scrapy.http import Response

MAX_CHARACTERS = 4_000
"""Longest value that is kept; an entity tag longer than this is no tag."""


class Memory:
    """Words by key. A collection of the past reads nothing from it and leaves nothing in it: a backfill moves no cursor."""

    def __init__(self, known: Mapping[str, str], *, current: bool) -> None:
        """Start from what earlier collections left.

        Args:
            known: key -> value, as an earlier `learned` gave it.
            current: False if the window ends before one that was collected already.
        """
        self._current = current
        self._known = dict(known) if current else {}
        self.learned: dict[str, str] = {}
        """What this collection adds or changes; committed together with its items."""

    def recall(self, key: str) -> str | None:
        """Return what is known under a key, or None."""
        return self.learned.get(key, self._known.get(key))

    def learn(self, key: str, value: str | None) -> None:
        """Keep a value for the next collection; None and "" change nothing."""
        if self._current and value and len(value) <= MAX_CHARACTERS:
            self.learned[key] = value

    def conditions(self, url: str) -> dict[str, str]:
        """Return the headers that ask for a document only if it changed (RFC 9110, 13.1.2 and 13.1.3)."""
        kept: dict[str, Any] = json.loads(self.recall(f"validators:{url}") or "{}")
        named = {"If-None-Match": kept.get("etag"), "If-Modified-Since": kept.get("last_modified")}
        return {name: value for name, value in named.items() if value}

    def learn_validators(self, url: str, response: Response) -> None:
        """Keep the entity tag and the date of a document that was read whole."""
        found = {"etag": response.headers.get("ETag"), "last_modified": response.headers.get("Last-Modified")}
        kept = {name: value.decode("latin-1").strip() for name, value in found.items() if value}
        if kept:
            self.learn(f"validators:{url}", json.dumps(kept, sort_keys=True))
