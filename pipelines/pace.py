"""How fast a source speaks, and how far back it could be read, as a trial shows; in figures and in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from typing import Any

from pipelines.trials import TRIAL_DAYS, TRIAL_REQUESTS, Trial

MONTH_DAYS = 30
LEAST_SPAN = timedelta(hours=1)
"""Items that all came within this are taken to have come in it."""

FEWEST_DATED = 2
"""Dated items from which a pace can be told."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a trial's items tell of a source."""

    item_count: int
    message_count: int
    dated_count: int
    oldest: datetime | None
    """Date of the oldest item that was seen, UTC; None if none is dated."""

    span: timedelta | None
    """The time in which the dated items came; None where that cannot be told."""

    last_only: bool
    """True if the source shows its last entries only, so that what was not collected in time is lost."""

    whole: bool
    """True if the whole window of the trial was read; False if its budget ended it."""

    @property
    def per_day(self) -> float | None:
        """Items a day; None where that cannot be told."""
        return None if self.span is None else self.dated_count / (self.span / timedelta(days=1))

    def within(self, days: float) -> int | None:
        """Return how many items so many days would bring; None where that cannot be told."""
        return None if self.per_day is None else round(self.per_day * days)

    @property
    def messages_per_month(self) -> int | None:
        """People's messages that a month would bring; None where that cannot be told."""
        items = self.within(MONTH_DAYS)
        return None if items is None or not self.item_count else round(items * self.message_count / self.item_count)

    @property
    def collect_every(self) -> timedelta | None:
        """The longest pause between two collections that should lose nothing; None where the source keeps its past."""
        if not self.last_only or self.span is None:
            return None
        hours = self.span / timedelta(hours=1) * 2 / 3
        return timedelta(days=floor(hours / 24)) if hours >= 24 else timedelta(hours=max(1, floor(hours)))


def measure_pace(trial: Trial) -> Pace:
    """Return what the items of a trial tell; dates of tomorrow and later are not believed."""
    latest = trial.period.end_utc + timedelta(days=1)
    dates = sorted(at.astimezone(UTC) for _, at in trial.items if at is not None and at <= latest)
    options: Any = trial.source.options
    last_only = trial.source.platform == "feed" or getattr(options, "way", None) == "feed"
    whole = trial.health.status in ("ok", "empty")
    walked = whole and not last_only and trial.source.host is not None
    if walked:
        counted = [at for at in dates if trial.period.start_utc <= at < trial.period.end_utc]
        span = timedelta(days=TRIAL_DAYS)
    else:
        counted = dates
        end = trial.period.end_utc if last_only else dates[-1] if dates else None
        span = max(end - dates[0], LEAST_SPAN) if end is not None and dates else LEAST_SPAN
    known = len(counted) >= FEWEST_DATED and 2 * len(dates) >= len(trial.items)
    return Pace(
        item_count=len(trial.items),
        message_count=trial.messages,
        dated_count=len(counted),
        oldest=dates[0] if dates else None,
        span=span if known else None,
        last_only=last_only,
        whole=whole,
    )


def tell_reach(pace: Pace, trial: Trial) -> str:
    """Say how far back the source reaches."""
    if pace.oldest is None:
        return "how far back it reaches is unknown: no item with a date was seen"
    day = pace.oldest.astimezone(trial.period.zone).date().isoformat()
    if pace.last_only:
        if pace.span is None:
            return f"the feed holds {pace.item_count} items, the oldest of {day}; it keeps no past"
        every = pace.collect_every or LEAST_SPAN
        held, often = _told_span(pace.span), _told_span(every)
        return f"the feed holds {pace.item_count} items: at this pace {held}; collect at least every {often}"
    if trial.source.host is None:
        return f"the file reaches back to {day}"
    if pace.whole:
        return f"the last {TRIAL_DAYS} days were read; the oldest item is of {day}"
    return f"the oldest item seen in {TRIAL_REQUESTS} requests is of {day}; what lies further back was not asked for"


def tell_yield(pace: Pace) -> str:
    """Say what a month would bring, and on how many items that is based."""
    items, messages = pace.within(MONTH_DAYS), pace.messages_per_month
    if items is None or pace.span is None:
        return "what a month would bring is unknown: too few of the items have a date"
    least = "" if pace.whole else "at least "
    return (
        f"a month would bring {least}about {items} items, {messages} of them people's messages "
        f"(from {pace.dated_count} dated items of {_told_span(pace.span)})"
    )


def guess_expectation(pace: Pace, *, days: int) -> tuple[int, int]:
    """Return (fewest, most) items that a window of so many days should bring; (0, 1000) where nothing can be told."""
    items = pace.within(days)
    if items is None:
        return 0, 1_000
    return floor(items / 4), max(20, ceil(items * 4 / 10) * 10)


def _told_span(span: timedelta) -> str:
    hours = max(1, round(span / timedelta(hours=1)))
    count, unit = (round(hours / 24), "day") if hours >= 24 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"
