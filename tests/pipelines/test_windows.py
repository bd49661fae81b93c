"""Windows that are cut and put together: two halves give what the whole gives, wherever the cut lies."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from collectors.catalog import City
from collectors.period import Period
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.warehouse import open_warehouse
from tests.pipelines.reports_site import villa

FIRST, LAST = date(2021, 4, 1), date(2021, 5, 20)
WORDS = ["bache", "poste", "basura", "ruido", "semáforo", "pista", "parque", "agua", "desagüe", "vereda"]


def stored(project: Project, city: City, folder: Path, windows: list[tuple[date, date]]) -> list[tuple[object, ...]]:
    """Collect windows one after the other into a warehouse of their own; return what it holds of every version."""
    with open_warehouse(folder / "warehouse.duckdb") as warehouse:
        for first, last in windows:
            outcomes = collect(warehouse, project, city, Period.from_dates(first, last, city.zone))
            assert [outcome.health.status for outcome in outcomes] in (["ok"], ["empty"])
        return warehouse.query(
            "select manifestation_id, version, version_number, published_at, text_digest from manifestation order by all"
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_windows_side_by_side_give_what_the_whole_gives(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    length = (LAST - FIRST).days + 1
    with villa(tmp_path) as (project, city, site):
        for number in range(60):
            at = datetime(2021, 3, 25, tzinfo=city.zone) + timedelta(days=draw.randrange(65), minutes=15 * draw.randrange(96))
            at = at.replace(hour=0, minute=0) if number % 10 == 0 else at
            site.add(number, at.isoformat(), f"Hay un problema de {draw.choice(WORDS)} en la cuadra {number}")
        inside = sum(FIRST <= datetime.fromisoformat(row["requested_datetime"]).date() <= LAST for row in site.rows)
        whole = stored(project, city, tmp_path / "whole", [(FIRST, LAST)])
        assert len(whole) == inside > 30
        cut = FIRST + timedelta(days=draw.randrange(1, length))
        assert stored(project, city, tmp_path / "halves", [(FIRST, cut - timedelta(days=1)), (cut, LAST)]) == whole
        later = min(cut + timedelta(days=5), LAST)
        assert stored(project, city, tmp_path / "overlap", [(cut, LAST), (FIRST, later)]) == whole
