"""Period: a window [start, end) in a city's zone, and the ways people write one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

PeriodKind = Literal["day", "week", "month", "quarter"]
"""The calendar units a scheduled report can cover; weeks are ISO weeks (Monday to Sunday)."""

ALLOWED_DAYS = "2021-04-01, hoy, ayer"
ALLOWED_SPANS = f"{ALLOWED_DAYS}, 2021-04 (month), 2021-W14 (ISO week), 2021-Q2 (quarter), semana-pasada, mes-pasado"

_SHORTEST = timedelta(microseconds=1)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_WEEK = re.compile(r"(\d{4})-w(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-q([1-4])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class PeriodError(ValueError):
    """A window or a day that cannot be understood; the message says what was written and what is allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """A half-open window of time, [start, end), with the zone its days are counted in.

    `start` and `end` are aware; whatever zone they come in, they are kept in `zone`. Two periods are
    equal if they cover the same instants in the same zone.

    Raises:
        PeriodError: if an instant has no zone, or if `end` does not come after `start`.
    """

    start: datetime
    """First instant of the window, in `zone`."""

    end: datetime
    """First instant after the window, in `zone`."""

    zone: ZoneInfo
    """Zone of the city: it decides where a day begins."""

    def __post_init__(self) -> None:
        """Check the two instants and bring them into the zone."""
        for name in ("start", "end"):
            instant: datetime = getattr(self, name)
            if instant.utcoffset() is None:
                raise PeriodError(f"period {name} {instant.isoformat()} has no zone: give an aware datetime")
            object.__setattr__(self, name, instant.astimezone(UTC).astimezone(self.zone))
        if self.end_utc <= self.start_utc:
            raise PeriodError(f"period ends at {self.end.isoformat()}, not after its start {self.start.isoformat()}")

    @classmethod
    def from_dates(cls, first: date, last: date, zone: ZoneInfo) -> Period:
        """Return the period of whole local days from `first` to `last`, both included as people write them.

        Raises:
            PeriodError: if `last` comes before `first`.
        """
        if last < first:
            raise PeriodError(f"the last day {last} comes before the first day {first}: write them in order")
        return cls(_day_start(first, zone), _day_start(last + timedelta(days=1), zone), zone)

    @property
    def start_utc(self) -> datetime:
        """First instant of the window, in UTC."""
        return self.start.astimezone(UTC)

    @property
    def end_utc(self) -> datetime:
        """First instant after the window, in UTC."""
        return self.end.astimezone(UTC)

    @property
    def first_date(self) -> date:
        """Local date of the first instant."""
        return self.start.date()

    @property
    def last_date(self) -> date:
        """Local date of the last instant that is inside (the end itself is not)."""
        return (self.end_utc - _SHORTEST).astimezone(self.zone).date()

    def days(self) -> list[date]:
        """Return every local date that the window touches, in order; a cut first or last day is listed too."""
        count = (self.last_date - self.first_date).days + 1
        return [self.first_date + timedelta(days=offset) for offset in range(count)]

    def contains(self, instant: datetime) -> bool:
        """Tell whether an aware instant lies in [start, end).

        Raises:
            PeriodError: if the instant has no zone.
        """
        if instant.utcoffset() is None:
            raise PeriodError(f"instant {instant.isoformat()} has no zone: give an aware datetime")
        # Compared in UTC: Python compares two datetimes of one zone by the wall clock, blind to the repeated hour.
        return self.start_utc <= instant.astimezone(UTC) < self.end_utc

    @property
    def kind(self) -> PeriodKind | None:
        """The calendar unit that this window is: a day, an ISO week, a month, a quarter; None for any other window."""
        for kind, span_of in _SPAN_OF.items():
            first, last = span_of(self.first_date)
            if Period.from_dates(first, last, self.zone) == self:
                return cast(PeriodKind, kind)
        return None

    def previous(self) -> Period:
        """Return the window before this one, which ends where this one starts.

        A calendar month or quarter has the month or quarter before, though it may have a day more or less. Otherwise
        whole days are counted as days (7 days before a week of 7, even if the clock changed between), and any other
        window by the time elapsed.
        """
        if self.kind is not None:
            return Period.from_dates(*_last_span(self.kind, self.first_date), self.zone)
        whole_days = self.start_utc == _day_start(self.first_date, self.zone).astimezone(UTC)
        whole_days = whole_days and self.end_utc == _day_start(self.last_date + timedelta(days=1), self.zone).astimezone(UTC)
        if whole_days:
            last = self.first_date - timedelta(days=1)
            return Period.from_dates(self.first_date - timedelta(days=len(self.days())), last, self.zone)
        return Period(self.start_utc - (self.end_utc - self.start_utc), self.start_utc, self.zone)

    def slug(self) -> str:
        """Return the name for files: first and last local date, "2021-04-01_2021-04-30"."""
        return f"{self.first_date.isoformat()}_{self.last_date.isoformat()}"

    def as_options(self) -> str:
        """Return the window as a command takes it: "--from 2021-04-01 --to 2021-04-30"."""
        return f"--from {self.first_date.isoformat()} --to {self.last_date.isoformat()}"

    def __str__(self) -> str:
        """Return the window as a reader of logs sees it: "[2021-04-01 00:00, 2021-05-01 00:00) America/Lima"."""
        return f"[{self.start:%Y-%m-%d %H:%M}, {self.end:%Y-%m-%d %H:%M}) {self.zone.key}"

    def __eq__(self, other: object) -> bool:
        """Compare by instants and zone."""
        if not isinstance(other, Period):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        """Hash by instants and zone."""
        return hash(self._identity())

    def _identity(self) -> tuple[datetime, datetime, str]:
        return self.start_utc, self.end_utc, self.zone.key


def parse_day(text: str, *, today: date) -> date:
    """Return the day that someone wrote: "2021-04-01", "hoy" or "ayer" (case does not matter).

    Args:
        text: what was written.
        today: the local date of the city, which "hoy" and "ayer" start from.

    Raises:
        PeriodError: if the text is not one of these, or names a day that does not exist.
    """
    first, last = _parse_span(text, today)
    if first != last:
        raise PeriodError(f"{text!r} is {first} to {last}, not one day: write one of {ALLOWED_DAYS}")
    return first


def parse_period(text_from: str, text_to: str | None, zone: ZoneInfo, today: date) -> Period:
    """Return the period from the first day of `text_from` to the last day of `text_to`, both included.

    Each may be a day, a month, an ISO week, a quarter, "hoy", "ayer", "semana-pasada" or "mes-pasado".

    Args:
        text_from: where the window starts.
        text_to: where it ends; None means that `text_from` names the whole window ("2021-04").
        zone: zone of the city.
        today: the local date of the city.

    Raises:
        PeriodError: if a text is not understood, or the window ends before it starts.
    """
    first, last = _parse_span(text_from, today)
    if text_to is not None:
        last = _parse_span(text_to, today)[1]
        if last < first:
            raise PeriodError(f"from {text_from!r} ({first}) to {text_to!r} ({last}) runs backwards: write the earlier one first")
    return Period.from_dates(first, last, zone)


def last_complete(kind: PeriodKind, before: datetime, zone: ZoneInfo) -> Period:
    """Return the latest whole day, ISO week, month or quarter that had ended by `before` (aware).

    A unit that ends exactly at `before` is complete.

    Raises:
        PeriodError: if `before` has no zone or `kind` is unknown.
    """
    if before.utcoffset() is None:
        raise PeriodError(f"instant {before.isoformat()} has no zone: give an aware datetime")
    if kind not in _SPAN_OF:
        raise PeriodError(f"unknown kind of period {kind!r}: write one of {', '.join(_SPAN_OF)}")
    first, last = _last_span(kind, before.astimezone(zone).date())
    return Period.from_dates(first, last, zone)


def _day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day; 00:00 may not exist (clock change), then it is the next that does."""
    # fold=0: in a gap, the offset before the change, which lands on the change itself; in a repeat, the first 00:00.
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC).astimezone(zone)


def _day_span(day: date) -> tuple[date, date]:
    return day, day


def _week_span(day: date) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def _month_span(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _quarter_span(day: date) -> tuple[date, date]:
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return first, _month_span(first + timedelta(days=62))[1]


_SPAN_OF: dict[str, Callable[[date], tuple[date, date]]] = {
    "day": _day_span,
    "week": _week_span,
    "month": _month_span,
    "quarter": _quarter_span,
}


def _last_span(kind: str, today: date) -> tuple[date, date]:
    """Return the unit that ended before `today`."""
    span_of = _SPAN_OF[kind]
    return span_of(span_of(today)[0] - timedelta(days=1))


def _parse_span(text: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of what someone wrote."""
    written = text.strip().casefold()
    named = {"hoy": ("day", 0), "ayer": ("day", 1), "semana-pasada": ("week", 1), "mes-pasado": ("month", 1)}
    if written in named:
        kind, back = named[written]
        return _last_span(kind, today) if back else (today, today)
    try:
        span = _parse_calendar(written)
    except ValueError as error:
        raise PeriodError(f"{text!r} is not in the calendar ({error}): write one of {ALLOWED_SPANS}") from error
    if span is None:
        raise PeriodError(f"{text!r} is not understood: write one of {ALLOWED_SPANS}")
    return span


def _parse_calendar(written: str) -> tuple[date, date] | None:
    """Return the span of a day, month, week or quarter in figures; None if it is none of them."""
    if _DAY.fullmatch(written):
        return _day_span(date.fromisoformat(written))
    if month := _MONTH.fullmatch(written):
        return _month_span(date(int(month[1]), int(month[2]), 1))
    if week := _WEEK.fullmatch(written):
        return _week_span(date.fromisocalendar(int(week[1]), int(week[2]), 1))
    if quarter := _QUARTER.fullmatch(written):
        return _quarter_span(date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1))
    return None
