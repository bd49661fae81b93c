"""The warehouse watches its sources: those that fail rest, those that change are named, what they no longer show is noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import City
from collectors.health import SourceHealth
from collectors.items import Manifestation, manifestation_id
from collectors.period import Period
from collectors.spool import spool_paths, write_health
from pipelines.append import SourceOutcome, append_source
from pipelines.collect import broken_outcomes, collect, load_memories, load_quarantines, read_nothing, troubled_outcomes
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import Warehouse, open_warehouse
from tests.conftest import run_window
from tests.pipelines.reports_site import ReportsSite, villa

Villa = tuple[Project, City, ReportsSite]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Villa]:
    with villa(tmp_path) as found:
        yield found


def at(city: City, day: date, hour: int = 9) -> City:
    """Return the city with its clock on a morning."""
    return city.model_copy(update={"clock": datetime(day.year, day.month, day.day, hour, tzinfo=city.zone)})


def window(city: City, first: date, last: date) -> Period:
    return Period.from_dates(first, last, city.zone)


def message(city: City, number: int, day: date, **fields: Any) -> Manifestation:
    when = datetime(day.year, day.month, day.day, 8, 30, tzinfo=city.zone)
    known: dict[str, Any] = {"native_id": str(number), "text": f"Falta luz en la cuadra {number}", "author_key": f"clave{number}"}
    known |= {"published_at": when, "published_raw": when.isoformat()}
    return Manifestation(source_id="reportes", **(known | fields))


def give(
    warehouse: Warehouse, project: Project, city: City, period: Period, items: list[Manifestation], **health: Any
) -> SourceOutcome:
    """Append what a crawl would have left in a spool of its own."""
    spool = project.raw / city.id / f"{len(list(project.raw.glob('*/*'))):022d}"
    spool.mkdir(parents=True)
    lines = []
    for item in items:
        fields = asdict(item)
        del fields["author"]
        lines.append(json.dumps({**fields, "published_at": item.published_at.isoformat() if item.published_at else None}))
    spool_paths(spool, "reportes").items.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    told = {"status": "ok" if items else "empty", "covers": "window", "item_count": len(items)} | health
    write_health(spool, SourceHealth(source_id="reportes", **told))
    return append_source(warehouse, city, spool, "reportes", period)


def fail(warehouse: Warehouse, project: Project, city: City, day: date, reason: Any = "unreachable") -> None:
    give(warehouse, project, at(city, day), window(city, day, day), [], status="failed", reason=reason)


def test_a_source_that_failed_three_days_rests_unless_it_is_named(place: Villa) -> None:
    project, city, site = place
    site.add(1, "2021-05-30T10:00:00-05:00", "Se apagó el poste de la esquina")
    period = window(city, date(2021, 5, 1), date(2021, 5, 31))
    with open_warehouse(project.warehouse) as warehouse:
        for day in (1, 2, 3):
            fail(warehouse, project, city, date(2021, 6, day))
        memories = load_memories(warehouse, city, window(city, date(2021, 6, 3), date(2021, 6, 3)))
        (resting,) = collect(warehouse, project, at(city, date(2021, 6, 3), 20), period)
        assert site.asked == 0
        assert (resting.health.status, resting.health.reason) == ("not_collected", "quarantined")
        assert "not asked until 2021-06-04T09:00-05:00" in resting.health.detail
        assert broken_outcomes([resting]) == [resting]
        assert read_nothing([resting])
        last = warehouse.query("select outcome, detail from run_outcome join run using (run_id) order by started_at desc limit 1")
        assert last == [("partial", "reportes")]
        assert load_memories(warehouse, city, window(city, date(2021, 6, 3), date(2021, 6, 3))) == memories
        (asked,) = collect(warehouse, project, at(city, date(2021, 6, 3), 21), period, source_ids=["reportes"])
        assert (asked.health.status, asked.added_count, site.asked) == ("ok", 1, 1)
        assert load_quarantines(warehouse, at(city, date(2021, 6, 3), 22)) == {}


def test_a_rest_grows_and_ends(place: Villa) -> None:
    project, city, _ = place
    with open_warehouse(project.warehouse) as warehouse:
        for day in (1, 2):
            fail(warehouse, project, city, date(2021, 6, day))
        assert load_quarantines(warehouse, at(city, date(2021, 6, 2), 10)) == {}
        fail(warehouse, project, city, date(2021, 6, 3))
        assert set(load_quarantines(warehouse, at(city, date(2021, 6, 4), 8))) == {"reportes"}
        assert load_quarantines(warehouse, at(city, date(2021, 6, 4), 9)) == {}
        fail(warehouse, project, city, date(2021, 6, 5))
        assert set(load_quarantines(warehouse, at(city, date(2021, 6, 7), 8))) == {"reportes"}
        assert load_quarantines(warehouse, at(city, date(2021, 6, 7), 9)) == {}


def test_many_failures_of_one_day_and_those_that_are_ours_make_no_quarantine(place: Villa) -> None:
    project, city, _ = place
    with open_warehouse(project.warehouse) as warehouse:
        for _ in range(6):
            fail(warehouse, project, city, date(2021, 6, 1))
        for day in (2, 3, 4, 5):
            fail(warehouse, project, city, date(2021, 6, day), reason="interrupted")
        fail(warehouse, project, city, date(2021, 6, 5))
        assert load_quarantines(warehouse, at(city, date(2021, 6, 5), 10)) == {}


def test_a_dead_source_that_rests_changes_no_byte_of_a_report(mini_project: Project, readers: Readers) -> None:
    file = mini_project.cities / "mini.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("comerciantesdeate.test/foro/rss.xml", "comerciantesdeate.test/no.xml", 1), "utf-8")
    city = mini_project.load_city("mini")
    dead = {"source_id": "foro-comerciantes", "status": "failed", "reason": "http_error"}
    with open_warehouse(mini_project.warehouse) as warehouse:
        for day in (date(2021, 5, 1), date(2021, 5, 2)):
            spool = mini_project.raw / "mini" / f"{day:%Y%m%d}"
            spool.mkdir(parents=True)
            spool_paths(spool, "foro-comerciantes").items.touch()
            write_health(spool, SourceHealth(**dead))  # type: ignore[arg-type]
            append_source(warehouse, at(city, day), spool, "foro-comerciantes", window(city, date(2021, 3, 1), date(2021, 3, 2)))
    seen = []
    for _ in range(3):
        outcomes, _, made = run_window(mini_project, "mini", readers)
        dead_one = next(outcome.health for outcome in outcomes if outcome.health.source_id == "foro-comerciantes")
        assert troubled_outcomes(outcomes)
        seen.append((dead_one.reason, made.report_id, made.path.read_bytes()))
    assert [reason for reason, _, _ in seen] == ["http_error", "quarantined", "quarantined"]
    assert len({(report_id, page) for _, report_id, page in seen}) == 1


def busy_past(city: City, last: date, *, count: int = 28, each: int = 4, **fields: Any) -> list[Manifestation]:
    """Return messages of the days up to `last`, the same number each day."""
    return [
        message(city, 10_000 + 10 * back + number, last - timedelta(days=back), **fields)
        for back in range(count)
        for number in range(each)
    ]


def test_a_source_that_goes_quiet_is_named_by_its_own_history(place: Villa) -> None:
    project, city, site = place
    with open_warehouse(project.warehouse) as warehouse:
        past = busy_past(city, date(2021, 5, 23))
        first = give(warehouse, project, city, window(city, date(2021, 4, 26), date(2021, 5, 23)), past)
        assert first.watch.expected.origin == "city"
        (quiet,) = collect(warehouse, project, city, window(city, date(2021, 5, 24), date(2021, 5, 30)))
        assert (quiet.health.status, quiet.watch.verdict, quiet.watch.about) == ("empty", "quiet", "volume")
        assert quiet.watch.expected.low > 5
        assert quiet.watch.last_item_on == date(2021, 5, 23)
        assert troubled_outcomes([quiet]) == [quiet]
        assert not broken_outcomes([quiet])
        assert not read_nothing([quiet])
        assert warehouse.query("select outcome, detail from run_outcome") == [("partial", "reportes")]
        assert warehouse.query("select verdict, about from source_watch order by batch_number") == [
            ("none", ""),
            ("quiet", "volume"),
        ]
        site.rows = [
            {
                "service_request_id": str(n),
                "requested_datetime": f"2021-05-{24 + n % 7}T10:00:00-05:00",
                "description": f"Bache {n}",
            }
            for n in range(28)
        ]
        (again,) = collect(warehouse, project, city, window(city, date(2021, 5, 24), date(2021, 5, 30)))
        assert again.watch.verdict == "drift"  # as many as ever, and nobody signs any more
        assert again.watch.about == "author"


def test_a_window_that_has_not_passed_is_not_called_quiet(place: Villa) -> None:
    project, city, _ = place
    with open_warehouse(project.warehouse) as warehouse:
        past = busy_past(city, date(2021, 6, 2))
        give(warehouse, project, city, window(city, date(2021, 5, 1), date(2021, 6, 2)), past)
        outcome = give(warehouse, project, city, window(city, date(2021, 6, 3), date(2021, 6, 30)), [])
    assert outcome.watch.verdict == "none"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": "No encontrado", "author_key": None}, ("degraded", "same_text")),
        ({"published_at": None, "published_raw": None}, ("drift", "date")),
        ({}, ("none", "")),
    ],
)
def test_items_that_are_not_as_they_used_to_be_are_told(fields: dict[str, Any], told: tuple[str, str], place: Villa) -> None:
    project, city, _ = place
    signed = fields.get("author_key", "firma") is not None
    with open_warehouse(project.warehouse) as warehouse:
        past = busy_past(city, date(2021, 5, 23), **({} if signed else {"author_key": None}))
        give(warehouse, project, city, window(city, date(2021, 4, 26), date(2021, 5, 23)), past)
        now = [message(city, number, date(2021, 5, 24 + number % 7), **fields) for number in range(28)]
        outcome = give(warehouse, project, city, window(city, date(2021, 5, 24), date(2021, 5, 30)), now)
    assert (outcome.watch.verdict, outcome.watch.about) == told
    assert outcome.added_count == 28


MAY = (date(2021, 5, 1), date(2021, 5, 31))


def misses(warehouse: Warehouse) -> list[tuple[int, int]]:
    """Return (batch, misses) of every change."""
    return warehouse.query("select batch_number, misses from manifestation_absence order by batch_number, manifestation_id")


def test_an_item_that_two_whole_collections_lack_is_gone_until_it_comes_back(place: Villa) -> None:
    project, city, _ = place
    items = [message(city, number, date(2021, 5, 3 + number)) for number in range(5)]
    period = window(city, *MAY)
    with open_warehouse(project.warehouse) as warehouse:
        for given in (items, items[1:], items[1:], items[1:], items, items[1:], items, items[1:]):
            give(warehouse, project, city, period, given)
        assert misses(warehouse) == [(2, 1), (3, 2), (5, 0), (6, 1), (7, 0), (8, 1)]
        (gone,) = warehouse.query("select manifestation_id from manifestation_absence group by 1")
        assert gone == (manifestation_id("reportes", "0", None, items[0].text),)


@pytest.mark.parametrize(
    "health",
    [
        {"covers": "newest"},
        {"covers": "changes"},
        {"status": "partial", "reason": "budget_requests"},
        {"status": "failed", "reason": "unreachable"},
        {"status": "ok", "reason": "unchanged"},
        {"status": "ok", "reason": "robots_closed"},
        {"excluded_count": 1},
    ],
    ids=lambda health: "-".join(map(str, health.values())),
)
def test_a_collection_that_need_not_show_everything_misses_nothing(health: dict[str, Any], place: Villa) -> None:
    project, city, _ = place
    items = [message(city, number, date(2021, 5, 3 + number)) for number in range(5)]
    with open_warehouse(project.warehouse) as warehouse:
        give(warehouse, project, city, window(city, *MAY), items)
        for _ in range(3):
            give(warehouse, project, city, window(city, *MAY), items[1:], **health)
        assert misses(warehouse) == []


def test_what_lies_outside_the_window_or_has_no_id_is_not_missed(place: Villa) -> None:
    project, city, _ = place
    day = date(2021, 5, 10)
    others = [
        message(city, 1, date(2021, 4, 30)),
        message(city, 2, day, native_id=None),
        message(city, 3, day, native_id="row:abc:1"),
        message(city, 4, day, kind="official"),
        message(city, 5, day, published_at=None),
    ]
    with open_warehouse(project.warehouse) as warehouse:
        give(warehouse, project, city, window(city, date(2021, 4, 1), MAY[1]), others)
        for _ in range(3):
            give(warehouse, project, city, window(city, *MAY), [message(city, 9, day)])
        assert misses(warehouse) == []


def test_a_source_that_lost_most_of_its_items_has_changed_itself(place: Villa) -> None:
    project, city, _ = place
    items = [message(city, number, date(2021, 5, 1 + number)) for number in range(24)]
    with open_warehouse(project.warehouse) as warehouse:
        give(warehouse, project, city, window(city, *MAY), items)
        for _ in range(2):
            give(warehouse, project, city, window(city, *MAY), items[13:])
        assert misses(warehouse) == []
        for _ in range(2):
            give(warehouse, project, city, window(city, *MAY), items[12:])
        assert len(misses(warehouse)) == 24


def test_a_message_that_its_source_took_away_still_counts_and_the_report_says_so(place: Villa, readers: Readers) -> None:
    from pipelines.annotate import annotate
    from pipelines.report import report

    project, city, site = place
    for number in range(6):
        site.add(number, f"2021-05-{10 + number}T10:00:00-05:00", f"No recogen la basura de la cuadra {number}")
    period = window(city, *MAY)
    made = []
    with open_warehouse(project.warehouse) as warehouse:
        for rows in (site.rows, site.rows[1:], site.rows[1:], site.rows[1:], site.rows):
            site.rows, kept = rows, site.rows
            (outcome,) = collect(warehouse, project, city, period)
            site.rows = kept
            assert outcome.health.status == "ok"
            annotate(warehouse, project, city, period, readers)
            finished = report(warehouse, project, city, period, readers)
            made.append((finished.totals["manifestation_count"], finished.totals["gone_count"], finished.report_id))
            page = finished.path.read_text(encoding="utf-8")
            assert ("ya no se ve en su fuente" in page) is bool(finished.totals["gone_count"])
    assert [counts[:2] for counts in made] == [(6, 0), (6, 0), (6, 1), (6, 1), (6, 0)]
    assert made[0][2] == made[1][2] != made[2][2] == made[3][2] != made[4][2]
