"""One feed on the way through its documents: which of its entries are one and the same, and when each was written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from collectors.feeds import Entry, Feed
from collectors.first_dates import FirstDates, dated_by_visit
from collectors.items import Kind
from collectors.spiders.base import row_id


class Dated(NamedTuple):
    """Identity and date of an entry."""

    native_id: str
    raw: str | None
    published_at: datetime | None
    modified: str | None
    of_visit: bool
    """True if its date is the moment at which the document was written for us, which says nothing of the entry."""


@dataclass
class Walk:
    """A feed and what was read of it so far."""

    url: str
    kind: Kind
    parent_id: str | None = None
    """Article whose comments these are; None for the source's own feed."""

    most: int | None = None
    """How many entries it has in all; None if nobody says so."""

    documents: set[str] = field(default_factory=set)
    """Addresses asked for."""

    ids: set[str] = field(default_factory=set)
    _contents: Counter[str] = field(default_factory=Counter)
    _bodies: set[bytes] = field(default_factory=set)

    def is_repeated(self, body: bytes) -> bool:
        """Tell whether the same document came before under another address: entries without an id would count twice."""
        digest = hashlib.sha256(body).digest()
        repeated = digest in self._bodies
        self._bodies.add(digest)
        return repeated

    def date_entries(
        self, feed: Feed, dates: FirstDates | None, *, visit: datetime, parse: Callable[[str | None], datetime | None]
    ) -> Iterator[tuple[Entry, Dated]]:
        """Yield each entry of a document with its identity and its date.

        Args:
            feed: the document.
            dates: what is known of earlier visits; None if nothing is kept.
            visit: when the document was written for us.
            parse: reads a date as written.
        """
        of_visit = dated_by_visit([parse(entry.published) for entry in feed.entries], visit)
        shared = _shared_links(feed)
        for entry in feed.entries:
            own_id = entry.id or (entry.link if entry.link not in shared else None)
            raw, doubted = entry.published, of_visit
            if own_id is not None and dates is not None:
                raw, of_item = dates.first(own_id, f"{entry.title}\n{entry.text}", raw, doubted=of_visit)
                doubted = not of_item
            elif of_visit:
                raw = None
            own_id = own_id or row_id(self._contents, place=self.url, raw=raw, text=entry.text)
            # Where the date is not the one written today, the date of the last change is one of the visit too.
            modified = entry.modified if raw == entry.published and not doubted else None
            yield entry, Dated(own_id, raw, None if doubted else parse(raw), modified, doubted)


def lies_before(instant: datetime, dates: Sequence[datetime | None]) -> bool:
    """Tell whether a document of a feed that runs from new to old lies wholly before an instant (undated entries aside)."""
    known = [date for date in dates if date is not None]
    falling = sum(1 if one >= following else -1 for one, following in pairwise(known))
    return bool(known) and falling >= 0 and max(known) < instant


def _shared_links(feed: Feed) -> set[str | None]:
    """Return the links that entries without an id share although they say different things: such a link is none of theirs."""
    texts: dict[str | None, set[str]] = {}
    for entry in feed.entries:
        if entry.id is None:
            texts.setdefault(entry.link, set()).add(entry.text)
    return {link for link, said in texts.items() if len(said) > 1}
