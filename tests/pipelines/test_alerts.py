"""Alerts: quiet where nothing happens, heard where something does, and a dead source lowers no category."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from collectors.period import Period
from pipelines.reports.alarms import ALARM_RATE, find_alarms
from pipelines.runs import Readers
from tests.pipelines.pueblo import SOURCES, Pueblo, found_pueblo
from tests.pipelines.test_change import load_benchmark

alerts = load_benchmark("alerts")
WEEK = (date(2021, 4, 5), date(2021, 4, 11))
USUAL = {source: {"transporte": 21, "salud": 14} for source in SOURCES}


@pytest.mark.parametrize(("kind", "history"), [("chance", 28), ("days", 56), ("runs", 182)])
def test_a_city_in_which_nothing_happens_raises_hardly_an_alarm(kind: str, history: int) -> None:
    """Stated: 1 % of weeks; 2,000 weeks of each in `benchmarks/alerts.py`, here 150: seven or more have a chance of 0.1 %."""
    assert ALARM_RATE == 0.01
    assert alerts.measure(kind, history, 150, seed=5)[0] < 7 / 150


def test_a_rise_to_three_times_is_found() -> None:
    assert alerts.measure("chance", 182, 100, seed=6)[4] > 0.9


def test_alarms_say_what_would_have_been_quiet() -> None:
    rng = np.random.default_rng(1)
    history = rng.poisson(6, (3, 84)).astype(float)
    weekdays = np.arange(84) % 7
    window = np.array([[6.0] * 14, [6.0] * 7 + [30.0] * 7, [0.0] * 7 + [6.0] * 7])
    found = {(alarm.series, alarm.first): alarm for alarm in find_alarms(history, weekdays, window, np.arange(14) % 7)}
    assert {key: alarm.direction for key, alarm in found.items()} == {(1, 7): "up", (2, 0): "down"}
    risen = found[1, 7]
    assert risen.low < 42 < risen.high < risen.count == 210
    assert risen.mean == pytest.approx(42, rel=0.1)


def weeks(pueblo: Pueblo, number: int) -> None:
    """Write so many usual weeks before the week of the report."""
    for back in range(number, 0, -1):
        first = WEEK[0] - timedelta(weeks=back)
        pueblo.write(Period.from_dates(first, first + timedelta(days=6), pueblo.city.zone), USUAL)


def test_a_rise_is_told_and_a_dead_source_lowers_no_category(tmp_path: Path, readers: Readers) -> None:
    with found_pueblo(tmp_path, readers) as pueblo:
        weeks(pueblo, 8)
        now = {source: {"transporte": 21, "salud": 14} for source in SOURCES}
        now["plaza"] = {"transporte": 21, "salud": 250}
        pueblo.write(pueblo.window(*WEEK), now, failed=("mercado", "ladera", "rivera"))
        finished = pueblo.report(pueblo.window(*WEEK))
        (watch,) = pueblo.rows("report_watch", finished)
        rows = {(row["measure"], row["key"]): row for row in pueblo.rows("report_alert", finished)}
        assert "Avisos" in finished.path.read_text(encoding="utf-8")
    assert (watch["standing"], watch["history_days"]) == ("watched", 56)
    assert all(row["direction"] == "up" for row in rows.values()), rows
    assert ("category", "transporte") not in rows


def test_without_28_days_there_are_no_alerts_and_the_page_says_so(tmp_path: Path, readers: Readers) -> None:
    with found_pueblo(tmp_path, readers) as pueblo:
        weeks(pueblo, 3)
        pueblo.write(pueblo.window(*WEEK), {"plaza": {"salud": 300}})
        finished = pueblo.report(pueblo.window(*WEEK))
        (watch,) = pueblo.rows("report_watch", finished)
        assert watch["standing"] == "short_history"
        assert pueblo.rows("report_alert", finished) == []
        assert "se necesitan al menos 28 días anteriores" in finished.path.read_text(encoding="utf-8")
