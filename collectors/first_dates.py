"""The dates under which items were first seen, for sources that date their items anew at each visit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from collectors.dates import is_relative
from collectors.memory import MAX_CHARACTERS, Memory

MOST_VALUES = 10
"""Values of the memory that are used: together they hold the dates of some 600 items, those that came first."""

LONGEST_DATE = 60
FEWEST_ITEMS = 3
"""Two items of one instant are a coincidence; three, at the instant of the visit, are a clock."""

SAME_INSTANT = timedelta(seconds=2)
SINCE_VISIT = timedelta(minutes=10)
_DOUBTED = "?"


class FirstDates:
    """What each item of a source was dated when it was first seen with the same words; only the items last seen are kept."""

    def __init__(self, memory: Memory) -> None:
        """Start from what earlier collections of the source left."""
        self._memory = memory
        self._known: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        for number in range(MOST_VALUES):
            self._known |= json.loads(memory.recall(f"dates:{number}") or "{}")

    def first(self, native_id: str, words: str, raw: str | None, *, doubted: bool) -> tuple[str | None, bool]:
        """Return the date of the first visit, and whether it is a date of the item: not of the visit itself.

        Args:
            native_id: id of the item.
            words: what it says; with other words it is another version, and its new date holds.
            raw: the date as the source writes it today.
            doubted: True if it is taken for the date of this visit.
        """
        if is_relative(raw):
            return raw, True
        key = hashlib.sha256(f"{native_id}\n{words}".encode(errors="replace")).hexdigest()[:12]
        stored = self._known.get(key) or (f"{_DOUBTED if doubted else ''}{raw}" if raw else "")
        if stored and len(stored) <= LONGEST_DATE:
            self._kept.setdefault(key, stored)
        return stored.removeprefix(_DOUBTED) or None, not stored.startswith(_DOUBTED)

    def learn(self) -> None:
        """Leave the dates of the items seen so far to the next collection."""
        values, size = [dict[str, str]()], 0
        for key, date in self._kept.items():
            added = len(json.dumps({key: date}))
            if size + added > MAX_CHARACTERS:
                values.append({})
                size = 0
            values[-1][key] = date
            size += added
        for number, value in enumerate(values[:MOST_VALUES]):
            self._memory.learn(f"dates:{number}", json.dumps(value))
        # What an earlier, longer list left is emptied.
        for number in range(len(values), MOST_VALUES):
            if self._memory.recall(f"dates:{number}"):
                self._memory.learn(f"dates:{number}", "{}")


def dated_by_visit(dates: Sequence[datetime | None], now: datetime) -> bool:
    """Tell whether a document dates all its items with the moment at which it was written for us."""
    known = [date for date in dates if date is not None]
    if len(known) < max(FEWEST_ITEMS, len(dates)):
        return False
    return max(known) - min(known) <= SAME_INSTANT and abs(now - max(known)) <= SINCE_VISIT
