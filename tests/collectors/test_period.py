"""Periods: half-open windows by the wall clock of the city."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.period import Period, PeriodError, PeriodKind, last_complete, parse_day, parse_period

LIMA = ZoneInfo("America/Lima")
SANTIAGO = ZoneInfo("America/Santiago")
ASUNCION = ZoneInfo("America/Asuncion")
TODAY = date(2021, 5, 3)  # a Monday
APRIL = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), LIMA)


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def _machine_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    kept = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if kept is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = kept
    time.tzset()


def test_from_dates_includes_both_days() -> None:
    assert APRIL.start_utc == datetime(2021, 4, 1, 5, tzinfo=UTC)
    assert APRIL.end_utc == datetime(2021, 5, 1, 5, tzinfo=UTC)
    assert (APRIL.first_date, APRIL.last_date) == (date(2021, 4, 1), date(2021, 4, 30))
    assert len(APRIL.days()) == 30
    assert APRIL.days()[0] == date(2021, 4, 1)


def test_names() -> None:
    assert str(APRIL) == "[2021-04-01 00:00, 2021-05-01 00:00) America/Lima"
    assert APRIL.slug() == "2021-04-01_2021-04-30"
    assert APRIL.as_options() == "--from 2021-04-01 --to 2021-04-30"


def test_contains_its_start_and_not_its_end() -> None:
    assert APRIL.contains(datetime(2021, 4, 1, 5, tzinfo=UTC))
    assert APRIL.contains(datetime(2021, 4, 30, 23, 59, 59, 999_999, tzinfo=LIMA))
    assert not APRIL.contains(datetime(2021, 5, 1, tzinfo=LIMA))
    assert not APRIL.contains(datetime(2021, 4, 1, 4, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("first", "last", "kind", "before"),
    [
        ((2021, 4, 1), (2021, 4, 30), "month", "2021-03-01_2021-03-31"),
        ((2021, 3, 1), (2021, 3, 31), "month", "2021-02-01_2021-02-28"),
        ((2021, 1, 1), (2021, 3, 31), "quarter", "2020-10-01_2020-12-31"),
        ((2021, 4, 5), (2021, 4, 11), "week", "2021-03-29_2021-04-04"),
        ((2021, 4, 6), (2021, 4, 12), None, "2021-03-30_2021-04-05"),
        ((2021, 4, 1), (2021, 4, 1), "day", "2021-03-31_2021-03-31"),
        ((2021, 4, 1), (2021, 4, 29), None, "2021-03-03_2021-03-31"),
        ((2021, 1, 1), (2021, 12, 31), None, "2020-01-02_2020-12-31"),
    ],
)
def test_kind_and_previous_of_calendar_units(
    first: tuple[int, int, int], last: tuple[int, int, int], kind: str | None, before: str
) -> None:
    period = Period.from_dates(date(*first), date(*last), LIMA)
    assert period.kind == kind
    assert period.previous().slug() == before


def test_previous_has_equal_length_where_the_window_is_no_calendar_unit() -> None:
    hours = Period(datetime(2021, 4, 1, 6, tzinfo=LIMA), datetime(2021, 4, 1, 9, tzinfo=LIMA), LIMA)
    assert hours.previous() == Period(datetime(2021, 4, 1, 3, tzinfo=LIMA), datetime(2021, 4, 1, 6, tzinfo=LIMA), LIMA)


def test_previous_counts_days_across_a_clock_change() -> None:
    april = Period.from_dates(date(2021, 4, 4), date(2021, 4, 10), SANTIAGO)
    before = april.previous()
    assert before.slug() == "2021-03-28_2021-04-03"
    assert before.end_utc - before.start_utc == timedelta(days=7, hours=1)


@pytest.mark.usefixtures("_machine_zone")
@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        # Chile goes forward at 24:00 of Saturday: Sunday has no 00:00 and begins at 01:00; back at 24:00: Saturday has 25 hours.
        (SANTIAGO, date(2021, 9, 5), datetime(2021, 9, 5, 4, tzinfo=UTC), 23),
        (SANTIAGO, date(2021, 4, 3), datetime(2021, 4, 3, 3, tzinfo=UTC), 25),
        (SANTIAGO, date(2021, 4, 4), datetime(2021, 4, 4, 4, tzinfo=UTC), 24),
        (ASUNCION, date(2021, 10, 3), datetime(2021, 10, 3, 4, tzinfo=UTC), 23),
        (ASUNCION, date(2021, 3, 27), datetime(2021, 3, 27, 3, tzinfo=UTC), 25),
        (ZoneInfo("America/Havana"), date(2021, 11, 7), datetime(2021, 11, 7, 4, tzinfo=UTC), 25),
        (LIMA, date(2021, 4, 4), datetime(2021, 4, 4, 5, tzinfo=UTC), 24),
    ],
)
def test_days_follow_the_wall_clock(zone: ZoneInfo, day: date, start: datetime, hours: int) -> None:
    period = Period.from_dates(day, day, zone)
    assert period.start_utc == start
    assert period.end_utc - period.start_utc == timedelta(hours=hours)
    assert period.days() == [day]
    assert period.slug() == f"{day}_{day}"


def test_the_repeated_hour_is_told_apart() -> None:
    first, second = (datetime(2021, 4, 3, 23, 30, fold=fold, tzinfo=SANTIAGO) for fold in (0, 1))
    assert Period(first, second, SANTIAGO).end_utc - Period(first, second, SANTIAGO).start_utc == timedelta(hours=1)
    assert Period(first, first + timedelta(hours=3), SANTIAGO) != Period(second, first + timedelta(hours=3), SANTIAGO)


_DATES = st.dates(date(1995, 1, 1), date(2035, 12, 31))
_ZONES = st.sampled_from(
    [LIMA, SANTIAGO, ASUNCION, ZoneInfo("America/Havana"), ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu")]
)


@given(st.lists(_DATES, min_size=3, max_size=3, unique=True), _ZONES, st.datetimes(datetime(1994, 1, 1), datetime(2037, 1, 1)))
def test_neighbours_add_up(days: list[date], zone: ZoneInfo, instant: datetime) -> None:
    first, middle, last = sorted(days)
    left = Period.from_dates(first, middle - timedelta(days=1), zone)
    right = Period.from_dates(middle, last, zone)
    whole = Period.from_dates(first, last, zone)
    assert left.end_utc == right.start_utc
    assert (left.start_utc, right.end_utc) == (whole.start_utc, whole.end_utc)
    assert left.days() + right.days() == whole.days()
    for moment in (instant.replace(tzinfo=UTC), right.start_utc, right.start_utc - timedelta(microseconds=1)):
        assert left.contains(moment) + right.contains(moment) == whole.contains(moment)


@given(_DATES, st.integers(0, 400), _ZONES)
def test_previous_touches_and_has_as_many_days(first: date, more: int, zone: ZoneInfo) -> None:
    period = Period.from_dates(first, first + timedelta(days=more), zone)
    assert period.previous().end_utc == period.start_utc
    if period.kind in ("month", "quarter"):
        assert period.previous().kind == period.kind
    else:
        assert len(period.previous().days()) == more + 1


@pytest.mark.parametrize(
    ("text", "day"),
    [("2021-04-01", date(2021, 4, 1)), (" Hoy ", TODAY), ("ayer", date(2021, 5, 2)), ("2020-02-29", date(2020, 2, 29))],
)
def test_parse_day(text: str, day: date) -> None:
    assert parse_day(text, today=TODAY) == day


@pytest.mark.parametrize("text", ["2021-04", "semana-pasada", "01/04/2021", "2021-02-30", "", "mañana", "2021-4-1", "٢٠٢١-04-01"])
def test_parse_day_names_what_was_written_and_what_is_allowed(text: str) -> None:
    with pytest.raises(PeriodError) as caught:
        parse_day(text, today=TODAY)
    assert repr(text) in str(caught.value)
    assert "2021-04-01" in str(caught.value)


@pytest.mark.parametrize(
    ("text_from", "text_to", "slug"),
    [
        ("2021-04", None, "2021-04-01_2021-04-30"),
        ("2021-02", None, "2021-02-01_2021-02-28"),
        ("2021-12", "2022-01", "2021-12-01_2022-01-31"),
        ("2021-04-01", "2021-04-30", "2021-04-01_2021-04-30"),
        ("2021-04-15", "2021-05", "2021-04-15_2021-05-31"),
        ("2020-W53", None, "2020-12-28_2021-01-03"),
        ("2021-q2", None, "2021-04-01_2021-06-30"),
        ("semana-pasada", None, "2021-04-26_2021-05-02"),
        ("mes-pasado", None, "2021-04-01_2021-04-30"),
        ("mes-pasado", "hoy", "2021-04-01_2021-05-03"),
        ("ayer", None, "2021-05-02_2021-05-02"),
    ],
)
def test_parse_period(text_from: str, text_to: str | None, slug: str) -> None:
    assert parse_period(text_from, text_to, LIMA, TODAY).slug() == slug


@pytest.mark.parametrize("text", ["2021-13", "2021-W54", "2021-Q5", "abril", "2021", "0000-01"])
def test_parse_period_refuses(text: str) -> None:
    with pytest.raises(PeriodError, match=r"semana-pasada, mes-pasado") as caught:
        parse_period(text, None, LIMA, TODAY)
    assert repr(text) in str(caught.value)


def test_backwards_is_refused() -> None:
    with pytest.raises(PeriodError, match=r"'2021-05'.*'2021-04'.*backwards"):
        parse_period("2021-05", "2021-04", LIMA, TODAY)
    with pytest.raises(PeriodError, match="2021-04-30 comes before"):
        Period.from_dates(date(2021, 5, 1), date(2021, 4, 30), LIMA)
    with pytest.raises(PeriodError, match="not after its start"):
        Period(APRIL.end, APRIL.start, LIMA)


def test_naive_instants_are_refused() -> None:
    naive = datetime(2021, 4, 1)
    with pytest.raises(PeriodError, match="period start 2021-04-01T00:00:00 has no zone"):
        Period(naive, APRIL.end, LIMA)
    with pytest.raises(PeriodError, match="has no zone"):
        APRIL.contains(naive)
    with pytest.raises(PeriodError, match="has no zone"):
        last_complete("day", naive, LIMA)


@pytest.mark.parametrize(
    ("kind", "before", "slug"),
    [
        ("month", datetime(2021, 5, 3, 14, tzinfo=UTC), "2021-04-01_2021-04-30"),
        # 00:00 of 1 May in Lima closes April; one microsecond earlier, April is not over.
        ("month", datetime(2021, 5, 1, 5, tzinfo=UTC), "2021-04-01_2021-04-30"),
        ("month", datetime(2021, 5, 1, 4, 59, 59, 999_999, tzinfo=UTC), "2021-03-01_2021-03-31"),
        ("month", datetime(2021, 1, 15, tzinfo=UTC), "2020-12-01_2020-12-31"),
        ("week", datetime(2021, 5, 3, 5, tzinfo=UTC), "2021-04-26_2021-05-02"),
        ("week", datetime(2021, 5, 3, 4, tzinfo=UTC), "2021-04-19_2021-04-25"),
        ("day", datetime(2021, 5, 3, 4, tzinfo=UTC), "2021-05-01_2021-05-01"),
        ("quarter", datetime(2021, 5, 3, tzinfo=UTC), "2021-01-01_2021-03-31"),
        ("quarter", datetime(2021, 1, 1, 5, tzinfo=UTC), "2020-10-01_2020-12-31"),
    ],
)
def test_last_complete(kind: PeriodKind, before: datetime, slug: str) -> None:
    assert last_complete(kind, before, LIMA).slug() == slug


def test_last_complete_names_the_kinds() -> None:
    with pytest.raises(PeriodError, match="'year': write one of day, week, month, quarter"):
        last_complete("year", datetime(2021, 5, 3, tzinfo=UTC), LIMA)  # type: ignore[arg-type]


def test_equal_periods_are_one_key() -> None:
    same = Period(APRIL.start_utc, APRIL.end_utc, LIMA)
    assert {APRIL: 1}[same] == 1
    assert Period(APRIL.start_utc, APRIL.end_utc, SANTIAGO) != APRIL
    assert APRIL != "2021-04"
