"""Absences: items that a source gave once and, in whole collections of their window, does not give any more."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Any

from collectors.catalog import City
from collectors.health import Reason, SourceHealth
from collectors.period import Period
from pipelines.warehouse import Warehouse

GONE = 2
"""Whole collections in a row without an item, after which it is gone at its source."""

MOST_BELIEVED = 10
"""More absences than this, if they are more than half of what was expected, say that the source changed, not its people."""

READ_WHOLE: frozenset[Reason] = frozenset({"none", "nothing_published", "fewer_than_expected", "more_than_expected"})
"""Reasons with which every item of the window was asked for anew."""


def find_absences(
    warehouse: Warehouse, city: City, period: Period, health: SourceHealth, given: Set[str]
) -> list[dict[str, Any]]:
    """Return the rows (manifestation_id, misses) by which this collection changes what is known to be absent.

    An item given again has no misses any more, whatever collection gave it. A miss counts only where the collection was
    whole, the platform's walk shows every item of a window (`covers`), and nothing was left out on request.

    Args:
        warehouse: as it was before this collection, or with its items.
        city: whose source it is.
        period: the window of the collection.
        health: how the collection ended.
        given: ids of all items that it gave.
    """
    window = {"city": city.id, "source": health.source_id, "start": period.start_utc, "end": period.end_utc}
    known = warehouse.query_file("expected_items", window)
    back = [{"manifestation_id": identity, "misses": 0} for identity, _, misses in known if misses and identity in given]
    whole = health.covers == "window" and health.status in ("ok", "empty") and health.reason in READ_WHOLE
    if not whole or health.excluded_count:
        return back
    expected = [(identity, misses) for identity, expected, misses in known if expected]
    absent = [(identity, misses) for identity, misses in expected if identity not in given]
    if len(absent) > max(MOST_BELIEVED, len(expected) / 2):
        return back
    return back + [{"manifestation_id": identity, "misses": misses + 1} for identity, misses in absent if misses < GONE]


def absence_rows(found: list[dict[str, Any]], city: City, source_id: str, batch: int, instant: datetime) -> list[dict[str, Any]]:
    """Return the rows of `manifestation_absence` for what one batch changed."""
    shared = {"city": city.id, "source_id": source_id, "batch_number": batch, "observed_at": instant}
    return [{**shared, **row} for row in found]
