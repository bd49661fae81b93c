"""When a source that fails again and again is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.quarantine import FAILURES, LONGEST, NOT_ITS_FAULT, Outcome, last_of_each_day, quarantine_until

START = datetime(2026, 5, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def history(*ended: Any, every: timedelta = DAY) -> list[Outcome]:
    """Return one outcome a night; a bare status, or (status, reason)."""
    told = [(one, "http_error") if isinstance(one, str) else one for one in ended]
    return [Outcome(START + number * every, status, reason) for number, (status, reason) in enumerate(told)]


@pytest.mark.parametrize(
    ("failures", "days"), [(1, None), (2, None), (3, 1), (4, 2), (5, 4), (6, 8), (7, 14), (8, 14), (400, 14)]
)
def test_rest_doubles_from_the_third_failure_on(failures: int, days: int | None) -> None:
    outcomes = history(*["failed"] * failures)
    assert quarantine_until(outcomes) == (None if days is None else outcomes[-1].at + days * DAY)


@pytest.mark.parametrize("status", ["ok", "empty", "partial"])
def test_whatever_was_read_clears(status: str) -> None:
    assert quarantine_until(history("failed", "failed", "failed", "failed", status)) is None
    assert quarantine_until(history("failed", "failed", status, "failed", "failed")) is None
    assert quarantine_until(history("failed", "failed", status, "failed", "failed", "failed")) == START + 6 * DAY


def test_nothing_known_keeps_nothing_away() -> None:
    assert quarantine_until([]) is None


@pytest.mark.parametrize("reason", sorted(NOT_ITS_FAULT))
def test_what_is_not_the_fault_of_the_source_does_not_count(reason: Any) -> None:
    ours = ("failed", reason)
    assert quarantine_until(history(ours, ours, ours, ours)) is None
    outcomes = history("failed", "failed", ours, "failed", ours)
    assert quarantine_until(outcomes) == outcomes[3].at + DAY
    assert quarantine_until(history("failed", "failed", ("partial", "interrupted"), "failed")) == START + 4 * DAY


def test_a_night_of_quarantine_itself_changes_nothing() -> None:
    outcomes = history("failed", "failed", "failed", ("not_collected", "none"))
    assert quarantine_until(outcomes) == outcomes[2].at + DAY


def test_a_days_last_word_counts_in_the_zone_of_the_city() -> None:
    every_two_hours = history("failed", "failed", "ok", "failed", ("failed", "interrupted"), every=timedelta(hours=2))
    # From 22:00 of 30 April in Lima: one outcome before midnight, four after it, the last of which says nothing.
    assert last_of_each_day(every_two_hours, ZoneInfo("America/Lima")) == [every_two_hours[0], every_two_hours[3]]
    assert last_of_each_day(reversed(every_two_hours), UTC) == [every_two_hours[3]]
    assert last_of_each_day(history(("not_collected", "quarantined")), UTC) == []


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(["ok", "empty", "partial", "failed"])), max_size=30), st.randoms()
)
def test_order_does_not_matter_and_the_rest_is_bounded(nights: list[tuple[int, Any]], random: Any) -> None:
    outcomes = [Outcome(START + timedelta(hours=hours), status) for hours, status in dict(nights).items()]
    shuffled = list(outcomes)
    random.shuffle(shuffled)
    until = quarantine_until(shuffled)
    assert until == quarantine_until(outcomes)
    last = max((one.at for one in outcomes), default=START)
    assert until is None or last < until <= last + LONGEST
    newest = sorted(outcomes, key=lambda one: one.at)[-FAILURES:]
    assert (until is not None) == (len(newest) == FAILURES and all(one.status == "failed" for one in newest))
