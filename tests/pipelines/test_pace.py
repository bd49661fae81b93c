"""How fast a source speaks and since when it works: figures from a trial and from the warehouse, and their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from filelock import FileLock

from collectors.catalog import City, Source
from collectors.health import SourceHealth
from collectors.period import Period
from pipelines.pace import guess_expectation, measure_pace, tell_reach, tell_yield
from pipelines.project import Project
from pipelines.source_record import Records, load_records, tell_record
from pipelines.trials import TRIAL_DAYS, Trial
from pipelines.warehouse import open_warehouse

NOW = datetime(2021, 5, 3, 14, tzinfo=UTC)
LIMA = ZoneInfo("America/Lima")


def source(platform: str = "feed", url: str = "https://diario.example/feed/", **options: Any) -> Source:
    """Return a source of a platform."""
    return Source.model_validate(
        {
            "id": "diario",
            "platform": platform,
            "url": url,
            "terms": "https://diario.example/terminos/",
            "publisher": {"name": "Diario", "kind": "press", "official": False},
            "legal_basis": "prueba",
            "approved_by": "prueba",
            "approved_on": "2021-03-24",
            "retention_days": 30,
            "expect": {"min": 0, "max": 9},
            "options": options,
        }
    )


def trial(of: Source, hours: list[float | None], *, reason: Any = "none", kinds: Any = "manifestation") -> Trial:
    """Return a trial whose items are so many hours old; None for one without a date."""
    items = [(kinds, None if back is None else NOW - timedelta(hours=back)) for back in hours]
    status: Any = "partial" if reason != "none" else "ok" if items else "empty"
    health = SourceHealth(source_id=of.id, status=status, reason=reason, item_count=len(items))
    return Trial(source=of, period=Period(NOW - timedelta(days=TRIAL_DAYS), NOW, LIMA), health=health, items=items, log="")


def test_a_feed_is_to_be_collected_before_it_forgets() -> None:
    full = trial(source(), [number * 72 / 20 for number in range(1, 21)])
    pace = measure_pace(full)
    assert tell_reach(pace, full) == "the feed holds 20 items: at this pace 3 days; collect at least every 2 days"
    assert (
        tell_yield(pace) == "a month would bring about 200 items, 200 of them people's messages (from 20 dated items of 3 days)"
    )
    fast = trial(source(), [0.1, 0.2, 0.3])
    assert tell_reach(measure_pace(fast), fast) == "the feed holds 3 items: at this pace 1 hour; collect at least every 1 hour"


def test_a_walk_through_the_whole_window_counts_its_days() -> None:
    quiet = trial(source("wordpress", "https://blog.example/"), [24.0 * 10, 24.0 * 20, 24.0 * 80], kinds="article")
    pace = measure_pace(quiet)
    assert (pace.within(30), pace.messages_per_month, pace.last_only, pace.collect_every) == (1, 0, False, None)
    assert tell_reach(pace, quiet) == "the last 90 days were read; the oldest item is of 2021-02-12"
    assert tell_yield(pace) == "a month would bring about 1 items, 0 of them people's messages (from 3 dated items of 90 days)"


def test_a_trial_that_ended_early_says_at_least() -> None:
    cut = trial(source("wordpress", "https://blog.example/"), [24.0 * n for n in range(1, 12)], reason="budget_requests")
    pace = measure_pace(cut)
    assert tell_reach(pace, cut).startswith("the oldest item seen in 6 requests is of 2021-04-22;")
    assert tell_yield(pace).startswith("a month would bring at least about 33 items")


@pytest.mark.parametrize("hours", [[None, None, None], [5.0], [None, None, None, 5.0, 9.0], [-9_000.0, -9_100.0]])
def test_where_dates_are_missing_nothing_is_estimated(hours: list[float | None]) -> None:
    unknown = trial(source(), hours)
    pace = measure_pace(unknown)
    assert tell_yield(pace) == "what a month would bring is unknown: too few of the items have a date"
    assert guess_expectation(pace, days=30) == (0, 1_000)
    told = tell_reach(pace, unknown)
    assert ("is unknown" in told) == (pace.oldest is None)


def test_a_file_reaches_as_far_as_its_rows() -> None:
    local = trial(source("file", "data/imports/a.csv", columns={"text": ["m"]}), [24.0 * 400, 24.0 * 390])
    assert tell_reach(measure_pace(local), local) == "the file reaches back to 2020-03-29"
    assert measure_pace(local).within(30) == 6


def test_expectations_leave_room_on_both_sides() -> None:
    pace = measure_pace(trial(source(), [float(number) for number in range(1, 721)]))
    assert guess_expectation(pace, days=30) == (180, 2_880)
    assert guess_expectation(pace, days=7) == (42, 680)


def city() -> City:
    """Return a city with one source."""
    return City.model_validate(
        {
            "id": "barrio",
            "name": "Barrio",
            "country": "PE",
            "official_code": "1",
            "timezone": "America/Lima",
            "contact": "a@municipio.test",
            "sources": [source()],
        }
    )


def collect(project: Project, outcomes: list[str]) -> None:
    """Store how collections of the source went, one a day from 1 March."""
    with open_warehouse(project.warehouse) as warehouse:
        rows = [
            {
                "batch_number": number,
                "city": "barrio",
                "source_id": "diario",
                "period_start": NOW,
                "period_end": NOW,
                "observed_at": datetime(2021, 3, 1, 12, tzinfo=UTC) + timedelta(days=number),
                "status": status,
                "reason": "none",
                "detail": "",
                "request_count": 1,
                "byte_count": 1,
                "item_count": 1,
                "undated_count": 0,
                "skipped_count": 0,
                "robots": "allowed",
            }
            for number, status in enumerate(outcomes)
        ]
        warehouse.append("source_health", rows)


def told(project: Project) -> str:
    """Return what is said of the source."""
    return tell_record(load_records(project, city()), "diario", LIMA)


def test_since_when_a_source_works_stands_in_the_warehouse(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert told(project) == "since when it works is not known: there is no warehouse yet"
    assert list(tmp_path.iterdir()) == []
    collect(project, [])
    assert told(project) == "it was not collected yet"
    collect(project, ["failed", "not_collected"])
    assert told(project) == "no collection has read it whole so far; 1 of the last 1 collections failed or lost something"
    collect(project, ["failed", "ok", "empty", *["ok"] * 9, "partial"])
    before = project.warehouse.read_bytes()
    assert told(project).startswith("works since 2021-03-02, last read whole on 2021-03-12; ")
    assert project.warehouse.read_bytes() == before


def test_a_source_without_failures_is_told_in_few_words(tmp_path: Path) -> None:
    project = Project(tmp_path)
    collect(project, ["ok"] * 12)
    record = load_records(project, city()).by_source["diario"]
    assert (record.collections, record.lately, record.failed_lately) == (12, 10, 0)
    assert told(project) == "works since 2021-03-01, last read whole on 2021-03-12"


def test_a_warehouse_that_is_written_or_broken_is_told_and_not_waited_for(tmp_path: Path) -> None:
    project = Project(tmp_path)
    collect(project, ["ok"])
    with FileLock(project.warehouse.with_suffix(".lock")):
        assert told(project) == "since when it works is not known: the warehouse is being written just now"
    project.warehouse.write_bytes(b"no es una base de datos")
    assert told(project) == "since when it works is not known: the warehouse cannot be read"
    assert load_records(project, city()) == Records(state="unreadable")
