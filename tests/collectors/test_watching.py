"""A source against its own past: volume with an interval, silence, fields and texts that are gone."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.catalog import Expectation
from collectors.watching import (
    MIN_DAYS,
    NOTHING_EXPECTED,
    Interval,
    Past,
    Shown,
    count_quantile,
    expect_from_city,
    expect_from_past,
    longest_gap,
    watch_source,
)

START = date(2026, 3, 2)  # a Monday
CITY = Interval(10, 50, "city")


def days(count: int, first: date = START) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def shown(count: int, *, length: int = 80, **filled: int) -> dict[str, Shown]:
    every = dict.fromkeys(("author", "date", "id", "link", "parent", "reactions"), count) | filled
    return {"manifestation": Shown(item_count=count, text_length=count * length, filled=every)}


def past(counts: list[int], window: list[int], **fields: Any) -> Past:
    """Return the past of a source with these counts a day before the window and in it."""
    before, inside = days(len(counts)), days(len(window), START + timedelta(days=len(counts)))
    known = {"shown_before": shown(sum(counts)), "shown": shown(sum(window))} | fields
    return Past(
        window_days=inside, days=dict(zip(before, counts, strict=True)), window=dict(zip(inside, window, strict=True)), **known
    )


def verdict(seen: Past, status: Any = "ok", expectation: Interval = CITY) -> tuple[str, str]:
    watch = watch_source(seen, status=status, expectation=expectation)
    return watch.verdict, watch.about


def test_a_source_that_goes_quiet_is_told_by_its_own_past() -> None:
    usual = [10, 12, 9, 11, 14, 4, 3] * 4
    assert verdict(past(usual, [11, 9, 10, 12, 13, 3, 5])) == ("none", "")
    assert verdict(past(usual, [0] * 7)) == ("quiet", "volume")
    assert verdict(past(usual, [2, 1, 3, 2, 1, 0, 0])) == ("quiet", "volume")
    assert verdict(past(usual, [60, 70, 80, 50, 60, 40, 30])) == ("flood", "volume")
    told = watch_source(past(usual, [0] * 7), status="empty", expectation=CITY).told()
    assert told.startswith("quiet: 0 items; ")
    assert told.endswith("are expected by its own past")


def test_a_weekend_is_compared_with_weekends() -> None:
    usual = [40, 41, 39, 42, 40, 0, 0] * 6
    weekend = [START + timedelta(days=42 + number) for number in (5, 6)]
    week = [START + timedelta(days=42 + number) for number in (0, 1)]
    before = dict(zip(days(42), usual, strict=True))
    on_weekend, on_weekdays = expect_from_past(before, weekend), expect_from_past(before, week)
    assert on_weekend is not None
    assert on_weekdays is not None
    assert on_weekend.low == 0
    assert on_weekdays.low > on_weekend.high


def test_a_source_that_was_not_read_whole_is_not_called_quiet() -> None:
    usual = [10] * 28
    assert verdict(past(usual, [0] * 7), status="failed") == ("none", "")
    assert verdict(past(usual, [0] * 7), status="partial") == ("none", "")
    assert verdict(past(usual, [0] * 7), status="empty") == ("quiet", "volume")


def test_without_enough_past_the_citys_file_decides() -> None:
    short = [10] * (MIN_DAYS - 1)
    assert expect_from_past(dict(zip(days(len(short)), short, strict=True)), days(7)) is None
    assert verdict(past(short, [1] * 7)) == ("quiet", "volume")
    assert verdict(past(short, [2] * 7)) == ("none", "")
    assert verdict(past([], [60]), expectation=NOTHING_EXPECTED) == ("none", "")
    assert watch_source(past([], [1] * 7), status="ok", expectation=CITY).expected == CITY


def test_undated_items_count_where_the_citys_file_decides() -> None:
    assert verdict(past([], [0] * 7, undated_count=12)) == ("none", "")
    assert verdict(past([], [0] * 7, undated_count=9)) == ("quiet", "volume")


def test_a_rare_source_is_quiet_when_it_rests_longer_than_it_ever_did() -> None:
    rare = ([1] + [0] * 9) * 8
    assert longest_gap(dict(zip(days(len(rare)), rare, strict=True))) == 10
    assert verdict(past(rare, [0] * 10)) == ("none", "")
    assert verdict(past(rare, [0] * 14)) == ("quiet", "overdue")
    watch = watch_source(past(rare, [0] * 14), status="empty", expectation=CITY)
    assert (watch.silent_days, watch.usual_gap_days) == (23, 10)


def test_a_day_that_has_not_passed_is_not_missed() -> None:
    seen = Past(window_days=[], days=dict.fromkeys(days(28), 10), window={})
    assert verdict(seen) == ("none", "")


@pytest.mark.parametrize("field", ["author", "date", "id", "link", "parent", "reactions"])
def test_a_field_that_nearly_all_had_and_most_lack_has_drifted(field: str) -> None:
    steady = [10] * 28
    assert verdict(past(steady, [10] * 7, shown=shown(70, **{field: 34}))) == ("drift", field)
    assert verdict(past(steady, [10] * 7, shown=shown(70, **{field: 36}))) == ("none", "")
    rarely = past(steady, [10] * 7, shown_before=shown(280, **{field: 200}), shown=shown(70, **{field: 0}))
    assert verdict(rarely) == ("none", "")
    few = past(steady, [10] * 7, shown=shown(9, **{field: 0}))
    assert verdict(few) == ("none", "")


def test_texts_that_shrink_vanish_or_repeat_degrade_a_source() -> None:
    steady, window = [10] * 28, [10] * 7
    lengths = [80.0] * 28
    assert verdict(past(steady, window, shown=shown(70, length=39), mean_lengths=lengths)) == ("degraded", "text_length")
    assert verdict(past(steady, window, shown=shown(70, length=41), mean_lengths=lengths)) == ("none", "")
    assert verdict(past(steady, window, text_share=0.4, text_shares=[0.9, 0.95, 1.0])) == ("degraded", "text_share")
    assert verdict(past(steady, window, text_share=0.5, text_shares=[0.9, 0.95, 1.0])) == ("none", "")
    assert verdict(past(steady, window, alike_count=56)) == ("degraded", "same_text")
    assert verdict(past(steady, window, alike_count=55)) == ("none", "")


@pytest.mark.parametrize(
    ("unit", "length", "expected"),
    [
        ("month", 28, (300, 900)),
        ("month", 31, (300, 900)),
        ("week", 7, (300, 900)),
        ("quarter", 92, (300, 900)),
        ("month", 60, (600, 1800)),
        ("month", 0, (0, 0)),
    ],
)
def test_the_citys_file_speaks_of_one_period_of_the_city(unit: str, length: int, expected: tuple[int, int]) -> None:
    assert expect_from_city(Expectation(min=300, max=900), length, unit)[:2] == expected


def test_a_short_window_is_given_room_by_the_citys_file() -> None:
    interval = expect_from_city(Expectation(min=300, max=900), 1, "month")
    assert 0 < interval.low < 10
    assert 30 < interval.high < 60
    assert expect_from_city(Expectation(min=10, max=900), 1, "month").low == 0


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 400), st.floats(1.0, 20.0), st.floats(0.001, 0.999))
def test_quantiles_grow_with_the_mean_and_the_share(mean: int, excess: float, share: float) -> None:
    quantile = count_quantile(mean, mean * excess, share)
    assert 0 <= quantile <= count_quantile(mean + 5, (mean + 5) * excess, share)
    assert count_quantile(mean, mean * excess, share / 2) <= quantile
    assert count_quantile(mean, mean * excess, TINY) <= mean <= count_quantile(mean, mean * excess, 1 - TINY)


TINY = 0.001


def test_the_quantiles_are_those_of_the_tables() -> None:
    # Poisson: P(X <= 0) = 0.00674 at mean 5, P(X <= 11) = 0.9945; geometric of mean 1 (variance 2): P(X <= k) = 1 - 2**-(k+1).
    assert count_quantile(5, 5, 0.0067) == 0
    assert count_quantile(5, 5, 0.007) == 1
    assert count_quantile(5, 5, 0.9945) == 11
    assert [count_quantile(1, 2, 1 - 2.0**-power - 1e-9) for power in (1, 2, 5)] == [0, 1, 4]


def test_the_interval_holds_what_it_promises() -> None:
    draw = random.Random(7)
    low = high = missed = tried = 0
    for _ in range(300):
        base, shape = draw.uniform(2, 30), draw.uniform(0.7, 5)
        weekday = [draw.uniform(0.4, 1.6) for _ in range(7)]

        def count(day: date, part: float = 1.0, base: float = base, shape: float = shape, weekday: Any = weekday) -> int:
            return poisson(draw, draw.gammavariate(shape, base * weekday[day.weekday()] * part / shape))

        length = draw.choice([28, 60, 120])
        before = {day: count(day) for day in days(length)}
        month = days(30, START + timedelta(days=length))
        interval = expect_from_past(before, month)
        assert interval is not None
        total, dried = sum(map(count, month)), sum(count(day, 0.1) for day in month)
        low, high, tried = low + (total < interval.low), high + (total > interval.high), tried + 1
        missed += dried >= interval.low
    assert low <= 0.03 * tried
    assert high <= 0.03 * tried
    assert missed <= 0.05 * tried


def poisson(draw: random.Random, mean: float) -> int:
    """Return a Poisson draw: how many exponential waits fit into `mean`."""
    count, waited = 0, draw.expovariate(1.0)
    while waited < mean:
        count, waited = count + 1, waited + draw.expovariate(1.0)
    return count
