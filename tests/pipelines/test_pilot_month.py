"""The Ate month from end to end: the counts, the second run, the planted truth, the personal data."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.append import SourceOutcome
from pipelines.label_commands import import_pilot
from pipelines.pilot.evaluate import append_truth, compare_with_truth, load_truth
from pipelines.project import Project
from pipelines.report import Report, report
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse, publish
from tests.conftest import ROOT, april, make_project, run_window
from tests.pipelines.label_file import append_label_file


@dataclass
class Month:
    """The pilot month, run twice."""

    project: Project
    first: tuple[list[SourceOutcome], int, Report]
    first_page: bytes
    second: tuple[list[SourceOutcome], int, Report]
    second_page: bytes


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, shipped_readers: Readers) -> Month:
    """Run the month twice."""
    project = make_project(tmp_path_factory.mktemp("ate"))
    first = run_window(project, "ate", shipped_readers, formats=())
    first_page = first[2].path.read_bytes()
    second = run_window(project, "ate", shipped_readers, formats=())
    with open_warehouse(project.warehouse) as warehouse:
        publish(warehouse, project.published)
    return Month(project, first, first_page, second, second[2].path.read_bytes())


def query(month: Month, sql: str, report_id: str | None = None) -> list[tuple[object, ...]]:
    """Run one query; $id is the report's id."""
    with open_warehouse(month.project.warehouse) as warehouse:
        return warehouse.query(sql, {"id": report_id or month.first[2].report_id} if "$id" in sql else {})


def test_every_source_is_read(month: Month) -> None:
    outcomes, _, _ = month.first
    assert len(outcomes) == 27
    assert {o.health.source_id: o.health.status for o in outcomes if o.health.status != "ok"} == {"boletin-barrial": "empty"}


def test_the_25_online_sources_use_twelve_platforms_and_each_brings_items(month: Month) -> None:
    city = month.project.load_city("ate")
    online = {source.id: source.platform for source in city.sources if source.channel == "online"}
    assert len(online) == 25
    assert len(set(online.values())) >= 12
    brought = {outcome.health.source_id: outcome.health.item_count for outcome in month.first[0]}
    counted = dict(
        query(month, "select source_id, manifestation_count from report_source where report_id = $id and channel = 'online'")
    )
    for platform in set(online.values()):
        own = [source_id for source_id, used in online.items() if used == platform]
        assert any(brought[source_id] for source_id in own), platform
        assert any(counted[source_id] for source_id in own), platform


def test_every_source_brings_as_many_items_as_it_is_expected_to(month: Month) -> None:
    city = month.project.load_city("ate")
    for outcome in month.first[0]:
        expected = city.source(outcome.health.source_id).expect
        assert expected.min <= outcome.health.item_count <= expected.max, outcome.health.source_id


def test_the_rules_count_5796(month: Month) -> None:
    rows = query(month, "select channel, manifestation_count, source_planned_count from report where report_id = $id order by 1")
    assert rows == [("attention_office", 190, 1), ("in_person", 83, 1), ("online", 5796, 25)]


def test_each_planted_item_is_counted_or_set_aside_for_its_planted_reason(month: Month, shipped_readers: Readers) -> None:
    city, period = month.project.load_city("ate"), april(month.project, "ate")
    with open_warehouse(month.project.warehouse) as warehouse:
        report(warehouse, month.project, city, period, shipped_readers)
        found = {
            identity: (counted, reason)
            for identity, counted, reason in warehouse.query("select manifestation_id, counted, not_counted from report_item")
        }
        assert compare_with_truth(warehouse, month.project, shipped_readers.taxonomy)["planted"] == 5796
    wrong = []
    for row in load_truth(month.project):
        counted, reason = found.get(row["manifestation_id"], (False, "outside"))
        expected = {"outside", row["reason"]} if row["reason"] in ("article", "official") else {row["reason"]}
        if row["reason"] == "other_language":  # the page tells Quechua and Aymara apart from the others
            expected |= {"quechua", "aymara"}
        if counted != (row["counted"] == "true") or (not counted and reason not in expected):
            wrong.append((row["manifestation_id"], row["reason"], reason))
    assert wrong == []


def test_labels_of_the_month_correct_its_shares(month: Month, shipped_readers: Readers, tmp_path: Path) -> None:
    # Other tests read the month as it is without labels.
    project = Project(Path(shutil.copytree(month.project.root, tmp_path / "labelled", symlinks=True)))
    city, period = project.load_city("ate"), april(project, "ate")
    with open_warehouse(project.warehouse) as warehouse:
        plain = report(warehouse, project, city, period, shipped_readers)
        labels = ROOT / "data" / "pilot" / "labels.csv"
        append_label_file(warehouse, city, period, labels, taxonomy_version=shipped_readers.taxonomy_version)
        corrected = report(warehouse, project, city, period, shipped_readers)
        page = corrected.path.read_bytes()
        again = report(warehouse, project, city, period, shipped_readers)
        taxonomy = shipped_readers.taxonomy
        found = compare_with_truth(warehouse, project, taxonomy, report_id=corrected.report_id)
        before = compare_with_truth(warehouse, project, taxonomy, report_id=plain.report_id)
    assert corrected.report_id != plain.report_id
    assert (again.report_id, again.path.read_bytes()) == (corrected.report_id, page)
    assert before["intervals"] == 0
    assert found["intervals"] >= 10
    assert found["intervals_held"] >= found["intervals"] - 2
    told = [row for row in found["shares"] if row["holds"] is not None]
    error = {name: sum(abs(row[name] - row["planted"]) for row in told) for name in ("corrected", "counted")}
    assert error["corrected"] < error["counted"]
    assert any("hold the planted truth" in line for line in found["lines"])


def test_published_counts_come_out_when_the_truth_stands_for_the_model(month: Month, shipped_readers: Readers) -> None:
    city, period = month.project.load_city("ate"), april(month.project, "ate")
    with open_warehouse(month.project.warehouse) as warehouse:
        truth = report(warehouse, month.project, city, period, append_truth(warehouse, month.project, shipped_readers))
    of_truth = truth.report_id
    assert truth.totals["manifestation_count"] == 5796
    categories = dict(
        query(
            month,
            "select category_id, manifestation_count from report_category where report_id = $id and channel = 'online'",
            of_truth,
        )
    )
    published = {figure.category: figure.count for figure in city.published.figures if figure.category}  # type: ignore[union-attr]
    assert published == {"salud": 105, "seguridad_ciudadana": 104, "economia_empleo": 30}
    assert {name: categories[name] for name in published} == published
    assert sum(categories.values()) == 5796  # type: ignore[arg-type]
    rollups = query(
        month, "select rollup_id, manifestation_count from report_rollup where report_id = $id and channel = 'online'", of_truth
    )
    assert rollups == [("transporte_piloto_2021", 372)]
    health = dict(
        query(
            month,
            "select sentiment, manifestation_count from report_category_sentiment"
            " where report_id = $id and channel = 'online' and category_id = 'salud'",
            of_truth,
        )
    )
    assert health == {"pos": 37, "neg": 42, "neu": 26}


def test_second_run_adds_nothing_and_gives_the_same_bytes(month: Month) -> None:
    outcomes, annotations, finished = month.second
    assert sum(outcome.added_count for outcome in outcomes) == 0
    assert annotations == 0
    assert finished.report_id == month.first[2].report_id
    assert month.second_page == month.first_page


def test_the_simulated_labels_come_in_once_and_the_report_tells_agreement(month: Month, shipped_readers: Readers) -> None:
    city, period = month.project.load_city("ate"), april(month.project, "ate")
    with (month.project.pilot / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with open_warehouse(month.project.warehouse) as warehouse:
        added = [import_pilot(warehouse, month.project, city, period, lambda *_: shipped_readers) for _ in range(2)]
        assert added == [2 * len(rows), 0]
        first, second = (report(warehouse, month.project, city, period, shipped_readers) for _ in range(2))
        assert (second.report_id, second.path.read_bytes()) == (first.report_id, first.path.read_bytes())
        sql = "select * from report_agreement where report_id = $id and channel = 'online' and task <> 'issue'"
        found = {row["task"]: row for row in warehouse.rows(sql, {"id": first.report_id})}
    for task in ("category", "sentiment"):
        given = {who: {row["manifestation_id"]: row[task] for row in rows if row["labeller"] == who} for who in "AB"}
        agreed = sum(label == given["B"][identity] for identity, label in given["A"].items())
        row = found[task]
        assert (row["drawn_count"], row["double_labelled_count"], row["agreed_count"]) == (400, 400, agreed)
        assert 0.6 < row["kappa_low"] < row["kappa"] < row["kappa_high"] < 1
        assert row["alpha"] == pytest.approx(row["kappa"], abs=0.01)
    page = first.path.read_text(encoding="utf-8")
    assert "la persona A, 400 expresiones; la persona B, 400 expresiones" in page
    month.second[2].path.write_bytes(month.second_page)


def test_page_tells_what_it_is_and_lists_every_source(month: Month) -> None:
    page = month.first_page.decode()
    assert page.casefold().count("datos sintéticos") >= 5
    for text in ("5,796", "sin corregir", "35,24 %", "24,76 %", "Boletín Barrial", "Oficina de atención al ciudadano"):
        assert text in page, text
    for source in month.project.load_city("ate").sources:
        assert source.publisher.name in page
    for channel in ("Presencial", "Intervenciones recogidas en talleres, foros y asambleas."):
        assert channel in page, channel


def test_no_planted_personal_datum_is_stored_anywhere(month: Month) -> None:
    planted = month.project.pilot / "truth" / "personal_data.csv"
    with planted.open(encoding="utf-8", newline="") as file:
        values = [row["value"] for row in csv.DictReader(file)]
    assert len(values) >= 50
    written = [path for path in (month.project.root / "data").rglob("*") if path.is_file() and "pilot" not in path.parts]
    assert any(path.suffix == ".duckdb" for path in written)
    leaks = [
        (value, path.name) for path in written for content in [path.read_bytes()] for value in values if value.encode() in content
    ]
    assert leaks == []
    stored = "\n".join(text for (text,) in query(month, "select text from manifestation_text"))  # type: ignore[misc]
    assert [value for value in values if value in stored] == []
    assert "[DNI]" in stored
    assert "[teléfono]" in stored


def test_no_author_name_is_stored_and_the_published_copy_has_no_author_key(month: Month) -> None:
    import duckdb

    keys = [key for (key,) in query(month, "select distinct author_key from manifestation where author_key is not null")]
    assert len(keys) > 1000
    assert all(len(str(key)) == 32 for key in keys)
    with duckdb.connect(str(month.project.published), read_only=True) as published:
        columns = [name for (name,) in published.execute("select column_name from duckdb_columns()").fetchall()]
    assert "manifestation_id" in columns
    assert "author_key" not in columns


def test_every_row_names_a_run(month: Month) -> None:
    assert query(month, "select count(*) from batch anti join run using (run_id)") == [(0,)]
    assert query(month, "select count(*) from annotation anti join run using (run_id) where run_id <> 'truth'") == [(0,)]
    assert query(month, "select count(*) from manifestation anti join batch using (batch_number)") == [(0,)]


def test_served_folder_holds_no_label(month: Month) -> None:
    served = Path(month.project.pilot / "served")
    for file in served.glob("*.jsonl"):
        text = file.read_text(encoding="utf-8")
        assert '"category"' not in text
        assert '"sentiment"' not in text
