"""Where a walk that was cut off goes on: the threads of a window that were read whole before the budget or a kill ended it.

Scrapy's own job folder is pickled and is safe only after a clean stop. Here the unit is a thread (an article with its
comments, a topic): a walk that is taken up lists them anew, which costs few requests, and passes over those that it has
read. What is kept of a thread are counts and dates under a digest of its address, never a text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from collectors.items import Manifestation, manifestation_id

if TYPE_CHECKING:
    from collectors.spiders.base import PlatformSpider


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What a walk found in a thread that it has read whole, or in several."""

    items: int = 0
    undated: int = 0
    skipped: int = 0
    """Items without a text."""

    first: str | None = None
    """ISO 8601 UTC of the oldest dated item; None if there was none."""

    last: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the spider needs to know of the thread in order to go on behind it."""

    def __add__(self, other: Passage) -> Passage:
        """Return what both found together; the facts of each are its own and are left out."""
        dates = [date for date in (self.first, other.first, self.last, other.last) if date]
        return Passage(
            items=self.items + other.items,
            undated=self.undated + other.undated,
            skipped=self.skipped + other.skipped,
            first=min(dates, default=None),
            last=max(dates, default=None),
        )


class Frontier:
    """The threads that a walk need not read again, and those that it has read since."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """Start from what the attempts before left.

        Args:
            known: digest of a thread's address -> its `Passage` as JSON, as `take_lines` gave it; empty for a new walk.
        """
        self._known = dict(known)
        self._open: dict[str, tuple[Passage, set[str]]] = {}
        self._waiting: list[str] = []
        self.carried = Passage()
        """What the attempts before found in the threads that this one passed over."""

    def passed(self, place: str) -> Passage | None:
        """Return what an earlier attempt found in a thread, and count it as found; None if the thread is to be read."""
        kept = self._known.pop(place_digest(place), None)
        if kept is None:
            return None
        passage = Passage(**json.loads(kept))
        self.carried += passage
        return passage

    def reading(self, place: str, spider: PlatformSpider, found: Iterator[Any]) -> Iterator[Any]:
        """Yield what a page of a thread holds, and keep count of it until `finish` says that the thread is read whole."""
        while True:
            before = spider.skipped_count
            one = next(found, None)
            passage, known = self._open.setdefault(place, (Passage(), set()))
            passage = replace(passage, skipped=passage.skipped + spider.skipped_count - before)
            if isinstance(one, Manifestation):
                passage = _counted(passage, known, one)
            self._open[place] = (passage, known)
            if one is None:
                return
            yield one

    def finish(self, place: str, **facts: str) -> None:
        """Note that a thread is read whole: the next attempt may pass it over."""
        passage, _ = self._open.pop(place, (Passage(), set()))
        line = {"place": place_digest(place), "found": json.dumps(asdict(replace(passage, facts=facts)), sort_keys=True)}
        self._waiting.append(json.dumps(line, sort_keys=True))

    def take_lines(self) -> list[str]:
        """Return the threads that were finished since the last call, each as a line of JSON (`place`, `found`)."""
        taken, self._waiting = self._waiting, []
        return taken


def place_digest(place: str) -> str:
    """Return the digest under which a thread is kept (24 hex characters): an address may name a person."""
    return hashlib.sha256(place.encode(errors="replace")).hexdigest()[:24]


def _counted(passage: Passage, known: set[str], item: Manifestation) -> Passage:
    """Return the passage with one item more, unless a page before held it already."""
    identity = manifestation_id(item.source_id, item.native_id, item.url, item.text)
    if identity in known:
        return passage
    known.add(identity)
    at = item.published_at.isoformat() if item.published_at else None
    return passage + Passage(items=1, undated=int(at is None), first=at, last=at)
