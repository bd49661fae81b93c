"""When a source that fails again and again is left alone, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from collectors.health import Reason, Status

FAILURES = 3
"""Failed collections in a row after which a source is left alone."""

FIRST = timedelta(days=1)
LONGEST = timedelta(days=14)

NOT_ITS_FAULT: frozenset[Reason] = frozenset({"interrupted", "disabled", "excluded", "secret_missing", "missing_file"})
"""Reasons of a collection that failed without the source being at fault: it says nothing about the source."""


class Outcome(NamedTuple):
    """How one collection of a source ended."""

    at: datetime
    """When it ended (aware)."""

    status: Status
    reason: Reason = "none"


def last_of_each_day(history: Iterable[Outcome], zone: tzinfo) -> list[Outcome]:
    """Return, for each day of a zone, the last outcome that says something about the source, oldest first.

    Whoever runs a window again and again to mend it fails many times in an hour: that is one day's failure, not many.

    Args:
        history: outcomes in any order; of those that ended at one instant, the later one in the history holds.
        zone: where the days begin and end.
    """
    days: dict[date, Outcome] = {}
    for outcome in sorted(history, key=lambda one: one.at):
        if _tells_something(outcome):
            days[outcome.at.astimezone(zone).date()] = outcome
    return list(days.values())


def quarantine_until(history: Sequence[Outcome]) -> datetime | None:
    """Return the instant before which a source is not to be collected; None if nothing keeps it from being collected.

    After `FAILURES` failed collections in a row the source rests for `FIRST`, counted from the last of them; each further
    failure doubles the rest, up to `LONGEST`. A collection that read anything, in part or whole, clears it. The order of
    the history does not matter.
    """
    failures, last = 0, None
    for outcome in sorted(history, key=lambda one: one.at):
        if not _tells_something(outcome):
            continue
        failures = failures + 1 if outcome.status == "failed" else 0
        last = outcome.at
    if last is None or failures < FAILURES:
        return None
    doublings = min(failures - FAILURES, 10)
    return last + min(FIRST * (1 << doublings), LONGEST)


def _tells_something(outcome: Outcome) -> bool:
    return outcome.status != "not_collected" and outcome.reason not in NOT_ITS_FAULT
