from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from collectors.period import PeriodError
from pipelines.project import Project, ProjectError
from pipelines.published import open_published, read_report, report_tables
from pipelines.reports.masking import load_masks
from pipelines.starter import make_project
from pipelines.warehouse import Warehouse, open_warehouse, publish

APRIL = (datetime(2021, 4, 1, 5, tzinfo=UTC), datetime(2021, 5, 1, 5, tzinfo=UTC))
MAY = (datetime(2021, 5, 1, 5, tzinfo=UTC), datetime(2021, 6, 1, 5, tzinfo=UTC))
APRIL_IN_MADRID = (datetime(2021, 3, 31, 22, tzinfo=UTC), datetime(2021, 4, 30, 22, tzinfo=UTC))
SOME_DAYS = (datetime(2021, 4, 5, 5, tzinfo=UTC), datetime(2021, 4, 13, 5, tzinfo=UTC))


def append_report(
    warehouse: Warehouse,
    report_id: str,
    city: str,
    window: tuple[datetime, datetime],
    seen_day: int,
    *,
    channel: str = "online",
    only: str | None = None,
) -> None:
    """Append a report's row and the counts of its three sentiments."""
    numbers = ("collected", "manifestation", "distinct_text", "voice", "unsigned", "source_planned", "source_alive", "late")
    row = {
        "report_id": report_id,
        "city": city,
        "channel": channel,
        "period_start": window[0],
        "period_end": window[1],
        "seen_until": datetime(2021, 6, seen_day, tzinfo=UTC),
        "report_number": 1,
        "issued": True,
        "synthetic": True,
        "only_sources": only,
        **{f"{name}_count": 3 for name in numbers},
        **{name: "" for name in ("taxonomy_version", "annotators", "data_digest", "code_digest")},
    }
    shares = {"manifestation_count": 1, "manifestation_share": 1 / 3, "corrected": False}
    tones = [
        {"report_id": report_id, "channel": channel, "sentiment": tone, "position": n, **shares}
        for n, tone in enumerate(("pos", "neu", "neg"), start=1)
    ]
    day = {"report_id": report_id, "channel": channel, "day": window[0].date(), "manifestation_count": 3}
    with warehouse.transaction():
        warehouse.append("report", [row])
        warehouse.append("report_sentiment", tones)
        warehouse.append("report_day", [{**day, "pos_count": 1, "neu_count": 1, "neg_count": 1}])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two cities in two time zones; April of the first was reported three times, the last two at the same instant."""
    make_project(tmp_path)
    found = Project(tmp_path)
    monkeypatch.setenv("ESCUCHA_PROJECT", str(tmp_path))
    first = found.city_file("mi-ciudad").read_text(encoding="utf-8")
    other = first.replace("id: mi-ciudad\n", "id: otra\n").replace("timezone: America/Lima", "timezone: Europe/Madrid")
    (found.cities / "otra.yml").write_text(other, encoding="utf-8")
    with open_warehouse(found.warehouse) as warehouse:
        append_report(warehouse, "aa01", "mi-ciudad", APRIL, 1)
        append_report(warehouse, "aa03", "mi-ciudad", APRIL, 2)
        append_report(warehouse, "aa03", "mi-ciudad", APRIL, 2, channel="attention_office")
        append_report(warehouse, "aa02", "mi-ciudad", APRIL, 2)
        append_report(warehouse, "ab01", "mi-ciudad", APRIL, 9, only="blog,foro")  # on some of the sources: not the city's April
        append_report(warehouse, "bb01", "mi-ciudad", MAY, 3)
        append_report(warehouse, "cc01", "mi-ciudad", SOME_DAYS, 3)
        append_report(warehouse, "dd01", "otra", APRIL_IN_MADRID, 1)
        publish(warehouse, found.published)
    return found


def ids(frame: pd.DataFrame) -> list[str]:
    return list(frame["report_id"].drop_duplicates())


def test_the_newest_report_of_each_city_and_window_is_read(project: Project) -> None:
    assert ids(read_report("report_sentiment")) == ["aa03", "cc01", "bb01", "dd01"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"city": "otra"}, ["dd01"]),
        ({"period": "2021-04"}, ["aa03", "dd01"]),
        ({"period": "2021-05"}, ["bb01"]),
        ({"city": "mi-ciudad", "period": "2021-04"}, ["aa03"]),
        ({"period": "2021-04-05/2021-04-12"}, ["cc01"]),
        ({"report_id": "aa01"}, ["aa01"]),
        ({"report_id": "b"}, ["bb01"]),
    ],
)
def test_a_choice_narrows_it(project: Project, choice: dict[str, str], expected: list[str]) -> None:
    assert ids(read_report("report_sentiment", **choice)) == expected


def test_rows_carry_city_and_window_and_keep_the_order_of_the_table(project: Project) -> None:
    frame = read_report("report_sentiment", city="otra")
    assert list(frame.columns[:4]) == ["report_id", "city", "period_start", "period_end"]
    assert list(frame["sentiment"]) == ["pos", "neu", "neg"]
    assert (frame.loc[0, "period_start"], frame.loc[0, "period_end"]) == APRIL_IN_MADRID
    assert frame["manifestation_low"].isna().all()
    assert frame["corrected"].dtype == bool


def test_the_report_table_itself_has_one_row_for_each_channel(project: Project) -> None:
    frame = read_report("report", period="2021-04", city="mi-ciudad")
    assert sorted(frame["channel"]) == ["attention_office", "online"]
    assert list(frame.columns).count("city") == 1


def test_days_are_dates_that_charts_understand(project: Project) -> None:
    day = read_report("report_day", period="2021-05")["day"]
    assert pd.api.types.is_datetime64_any_dtype(day)
    assert day[0] == pd.Timestamp(2021, 5, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("report_categories",),
            "no report table is called 'report_categories'; available: report, report_action, report_agreement, ",
        ),
        (("manifestation",), "no report table is called 'manifestation'"),
    ],
)
def test_an_unknown_table_is_told_with_those_there_are(project: Project, arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_report(*arguments)


def test_an_absent_report_is_told_with_those_there_are(project: Project) -> None:
    with pytest.raises(ValueError, match=r"no report of period '2020-01'; available .*: mi-ciudad 2021-04-01/2021-05-01, "):
        read_report("report", period="2020-01")
    with pytest.raises(ValueError, match="'aa' begins several reports: aa01, aa02, aa03"):
        read_report("report", report_id="aa")
    with pytest.raises(ValueError, match="no report of id 'zz'"):
        read_report("report", report_id="zz")
    with pytest.raises(PeriodError, match="abril"):
        read_report("report", period="abril")


def test_a_copy_without_reports_says_how_to_make_one(project: Project) -> None:
    project.warehouse.unlink()
    with open_warehouse(project.warehouse) as warehouse:
        publish(warehouse, project.published)
    with pytest.raises(ValueError, match="no report yet; make one with `escucha run"):
        read_report("report")


def test_an_absent_copy_names_the_command(project: Project) -> None:
    project.published.unlink()
    with pytest.raises(ProjectError, match="make it with `escucha publish`"):
        open_published()
    with pytest.raises(ProjectError, match=r"nada\.duckdb"):
        open_published(project.root / "nada.duckdb")


def test_the_copy_is_read_only_and_holds_no_author_key(project: Project) -> None:
    with open_published() as connection:
        masks = load_masks()
        assert report_tables(connection) == sorted(name for name, mask in masks.items() if not mask.withheld)
        columns = {name for (name,) in connection.execute("select column_name from duckdb_columns()").fetchall()}
        assert "author_key" not in columns
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("delete from report")
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"select * from read_text('{project.city_file('otra')}')")
