"""Real exports of a participation portal, end to end, against an independent reading of the files.

The exports are not part of the repository; point ESCUCHA_REAL_EXPORTS at the folder that holds them.
"""

from __future__ import annotations

import csv
import os
import re
from datetime import date
from pathlib import Path

import pytest

from collectors.period import Period
from pipelines.annotate import annotate
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.report import report
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse
from tests.conftest import ROOT

FOLDER = Path(os.environ.get("ESCUCHA_REAL_EXPORTS", ROOT.parent / "shared" / "real"))
PROPOSALS, COMMENTS = FOLDER / "consul_proposals_2024_2025.csv", FOLDER / "decide_madrid_comments_2015_2018.csv"

pytestmark = pytest.mark.skipif(
    not (PROPOSALS.is_file() and COMMENTS.is_file()),
    reason="the real exports are not here; set ESCUCHA_REAL_EXPORTS to their folder",
)

CITY = """\
id: portal
name: Portal
country: ES
official_code: "28079"
timezone: Europe/Madrid
locale: es_ES
contact: escucha@example.org
defaults: {legal_basis: Prueba con datos abiertos, approved_by: Comité, approved_on: 2024-01-01, retention_days: 365}
sources:
  - id: propuestas
    platform: file
    url: data/imports/proposals.csv
    terms: https://example.org/terms
    publisher: {name: Portal de participación, kind: municipality, official: true}
    expect: {min: 1000, max: 5000}
    options:
      delimiter: ";"
      html: true
      columns: {id: id, text: [title, description], date: created_at, reactions: cached_votes_up}
  - id: comentarios
    platform: file
    url: data/imports/comments.csv
    terms: https://example.org/terms
    publisher: {name: Portal de participación, kind: municipality, official: true}
    expect: {min: 1000, max: 50000}
    options:
      columns: {id: id, parent: parentId, author: userId, text: [text], date: date, time: time, reactions: numPositiveVotes}
"""


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A real city (not synthetic) whose two sources are the exports."""
    (tmp_path / "data" / "cities").mkdir(parents=True)
    (tmp_path / "data" / "imports").mkdir()
    (tmp_path / "data" / "cities" / "portal.yml").write_text(CITY, encoding="utf-8")
    (tmp_path / "data" / "imports" / "proposals.csv").write_bytes(PROPOSALS.read_bytes())
    (tmp_path / "data" / "imports" / "comments.csv").write_bytes(COMMENTS.read_bytes())
    monkeypatch.setenv("ESCUCHA_SECRET", "a secret of the test suite, 32 chars")
    return Project(tmp_path)


def run(project: Project, first: date, last: date, readers: Readers) -> dict[str, tuple[int, int]]:
    """Run one quarter; return source -> (items of the window, items counted or set aside by a rule)."""
    city = project.load_city("portal")
    period = Period.from_dates(first, last, city.zone)
    with open_warehouse(project.warehouse) as warehouse:
        outcomes = collect(warehouse, project, city, period)
        assert {outcome.health.status for outcome in outcomes} == {"ok"}
        annotate(warehouse, project, city, period, readers)
        finished = report(warehouse, project, city, period, readers)
        sql = "select source_id, item_count, manifestation_count from report_source where report_id = $id"
        rows = {source: (items, counted) for source, items, counted in warehouse.query(sql, {"id": finished.report_id})}
        not_counted = "select source_id, count(*) from report_item where not counted group by 1"
        aside = dict(warehouse.query(not_counted))
    for source, (items, counted) in rows.items():
        assert items == counted + aside.get(source, 0)
    return rows


def test_a_quarter_of_proposals_equals_an_independent_reading(portal: Project, readers: Readers) -> None:
    """Read with the csv module alone: a quarter by the day-first date, rows without any letter of text left out."""
    with PROPOSALS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    in_quarter = [row for row in rows if row["created_at"][6:] == "2024" and row["created_at"][3:5] in ("04", "05", "06")]
    ids = {row["id"] for row in in_quarter if re.sub(r"<[^>]*>|&\w+;|\s", "", row["title"] + row["description"])}
    assert len(ids) > 100
    found = run(portal, date(2024, 4, 1), date(2024, 6, 30), readers)
    assert found["propuestas"][0] == len(ids)
    assert 0.9 * len(ids) <= found["propuestas"][1] <= len(ids)
    assert found["comentarios"] == (0, 0)
    with open_warehouse(portal.warehouse) as warehouse:
        sql = (
            "select text from manifestation_text join manifestation using (manifestation_id, version)"
            " where source_id = 'propuestas'"
        )
        texts = [text for (text,) in warehouse.query(sql)]
    assert sum(bool(re.search(r"</?(p|br|strong|li|ul)\b", text)) for text in texts) == 0


def test_a_quarter_of_comments_with_their_clock_times(portal: Project, readers: Readers) -> None:
    """The date and the time since midnight stand in two columns; the last evening of the quarter belongs to it."""
    with COMMENTS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["text"].strip()]
    ids = {row["id"] for row in rows if "2015-10-01" <= row["date"] <= "2015-12-31"}
    assert len(ids) > 100
    found = run(portal, date(2015, 10, 1), date(2015, 12, 31), readers)
    assert found["comentarios"][0] == len(ids)
    with open_warehouse(portal.warehouse) as warehouse:
        sql = (
            "select native_id, strftime(published_at at time zone 'Europe/Madrid', '%Y-%m-%d %H:%M:%S') from manifestation"
            " where source_id = 'comentarios'"
        )
        stored = dict(warehouse.query(sql))
    expected = {row["id"]: f"{row['date']} {row['time'].removeprefix('0 days ')}" for row in rows}
    assert {identity: stored[identity] for identity in ids} == {identity: expected[identity] for identity in ids}
