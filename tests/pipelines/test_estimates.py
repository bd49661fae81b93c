"""Corrected shares in the tables of a report: which labels serve, what is written, what the page says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html

from collectors.catalog import City, load_city
from collectors.period import Period
from models.taxonomy import load_taxonomy
from pipelines.building import audit_tables
from pipelines.reports.estimates import compute_estimates, load_labels
from pipelines.reports.formats import Formats, load_wording
from pipelines.reports.rendering import REPORTS, render_page
from pipelines.runs import AuditFailed, Readers
from pipelines.staging import Build, stage, stage_dimensions
from pipelines.warehouse import Warehouse, memory_warehouse, used_parameters
from tests.conftest import make_project
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse
from tests.pipelines.label_file import append_sample, drawn_row, label_row, sample_row

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("report_category", "report_sentiment", "report_category_sentiment", "report_issue", "report_rollup", "report_quality")
ITEM_COLUMNS = {
    "manifestation_id": "varchar",
    "version": "varchar",
    "source_id": "varchar",
    "channel": "varchar",
    "published_at": "timestamptz",
    "category_id": "varchar",
    "issue_id": "varchar",
    "sentiment": "varchar",
    "counted": "boolean",
}
TRUE = ("salud", "transporte", "vias_obras", "otros")


@pytest.fixture
def build(tmp_path: Path, readers: Readers) -> Build:
    """A report of 1,200 manifestations under way, everything but its labels staged."""
    project = make_project(tmp_path / "project")
    city = project.load_city("ate")
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = memory_warehouse()
    stage_dimensions(warehouse, city, period, readers)
    warehouse.temporary("report_item", messages(period), ITEM_COLUMNS)
    warehouse.temporary("previous_item", [], ITEM_COLUMNS)
    return Build(warehouse, project, city, period, readers, datetime(2021, 5, 3, tzinfo=UTC))


def truth_of(number: int) -> dict[str, str]:
    """Return what the message of a number is about: half on health, a quarter on transport, and so on."""
    category = TRUE[(0, 0, 0, 0, 1, 1, 2, 3)[number % 8]]
    issue = {"vias_obras": "vias_obras.huecos"}.get(category, "none")
    return {"category": category, "issue": issue, "sentiment": ("neg", "neg", "neu", "pos", "neg")[number % 5]}


def messages(period: Period) -> list[dict[str, Any]]:
    """Return 1,200 counted messages; the model takes every third one on health for transport, and leaves some unclassified."""
    rng = np.random.default_rng(11)
    rows = []
    for number in range(1200):
        truth = truth_of(number)
        lost = rng.random()
        read = (
            "transporte" if truth["category"] == "salud" and lost < 0.33 else "unclassified" if lost > 0.9 else truth["category"]
        )
        rows.append(
            {
                "manifestation_id": f"m{number:04}",
                "version": "1",
                "source_id": "foro-ate",
                "channel": "online",
                "published_at": period.start_utc + timedelta(minutes=36 * number),
                "category_id": read,
                "issue_id": truth["issue"] if read == truth["category"] == "vias_obras" else None,
                "sentiment": truth["sentiment"] if rng.random() < 0.8 else "neu",
                "counted": True,
            }
        )
    return rows


def label(build: Build, *, size: int = 300, sample_id: str = "s1", period: Period | None = None, **more: Any) -> None:
    """Label a simple random sample as it truly is: by one labeller, all three tasks."""
    period = period or build.period
    named = {"start": period.start_utc, "end": period.end_utc}
    known = build.warehouse.query(
        f"select manifestation_id from {more.get('items', 'report_item')} "
        "where counted and published_at >= $start and published_at < $end order by all",
        named,
    )
    drawn = np.random.default_rng(5).choice([identity for (identity,) in known], size, replace=False).tolist()
    tasks = more.get("tasks", ("category", "issue", "sentiment"))
    append_sample(
        build.warehouse,
        sample_row(sample_id, build.city.id, period, len(known), size, more.get("taxonomy") or build.readers.taxonomy_version),
        [drawn_row(sample_id, one, place, ("1", "foro-ate"), "all", len(known), size) for place, one in enumerate(drawn, 1)],
        [
            label_row(build.city.id, sample_id, one, "1", task, truth_of(int(one[1:]))[task], "A")
            for one in drawn
            for task in tasks
        ],
    )


def fill(build: Build) -> Any:
    """Run the step and the tables of shares; return what joins the report's id."""
    loaded = load_labels(build)
    compute_estimates(build)
    for table in TABLES:
        build.warehouse.query(f"delete from {table}")
        sql = (REPORTS / "tables" / f"{table}.sql").read_text(encoding="utf-8")
        build.warehouse.query(f"insert into {table} by name {sql}", used_parameters(sql, {"report_id": REPORT_ID}))
    return loaded


def found(build: Build, table: str, **names: str) -> dict[str, Any]:
    """Return one row of a table, online."""
    where = " and ".join(f"{name} = ${name}" for name in names)
    (row,) = build.warehouse.rows(f"select * from {table} where channel = 'online' and {where}", names)
    return row


def test_without_labels_shares_are_plain_counting(build: Build) -> None:
    assert fill(build) == {}
    for table in TABLES[:5]:
        assert build.warehouse.query(f"select distinct estimate_status, corrected from {table}") == [("uncorrected", False)]
        differing = f"select count(*) from {table} where manifestation_share is distinct from read_share"
        assert build.warehouse.query(differing) == [(0,)]
    assert build.warehouse.query("select count(*) from report_quality") == [(0,)]


def test_labels_correct_what_the_model_misread(build: Build) -> None:
    label(build)
    fill(build)
    health = found(build, "report_category", category_id="salud")
    assert health["estimate_status"] == "corrected"
    assert health["corrected"]
    assert health["read_share"] < 0.33
    assert health["manifestation_low"] < 0.5 < health["manifestation_high"]
    assert abs(health["manifestation_share"] - 0.5) < 0.06
    assert health["manifestation_count"] == round(health["read_share"] * 1200)
    assert (health["labelled_count"], health["labelled_positive_count"] > 100) == (300, True)
    rows = build.warehouse.rows("select * from report_category where channel = 'online'")
    assert sum(row["manifestation_share"] for row in rows if row["corrected"]) == pytest.approx(1)
    rare = found(build, "report_category", category_id="educacion_cultura_deporte")
    assert (rare["estimate_status"], rare["manifestation_share"], rare["read_share"]) == ("insufficient", None, 0)
    unclassified = found(build, "report_category", category_id="unclassified")
    assert (unclassified["estimate_status"], unclassified["manifestation_share"]) == ("uncorrected", unclassified["read_share"])
    negative = found(build, "report_sentiment", sentiment="neg")
    assert negative["manifestation_low"] < 0.6 < negative["manifestation_high"]
    office = build.warehouse.query("select distinct estimate_status from report_category where channel <> 'online'")
    assert office == [("uncorrected",)]


def test_tones_issues_and_rollups_are_corrected_too(build: Build) -> None:
    label(build)
    fill(build)
    tone = found(build, "report_category_sentiment", category_id="salud", sentiment="neg")
    assert tone["manifestation_low"] < 0.6 < tone["manifestation_high"]
    assert tone["joint_low"] < 0.3 < tone["joint_high"]
    issue = found(build, "report_issue", issue_id="vias_obras.huecos")
    assert issue["corrected"]
    assert issue["manifestation_share"] == pytest.approx(1)
    rollup = found(build, "report_rollup", rollup_id="transporte_piloto_2021")
    assert rollup["manifestation_low"] < 0.375 < rollup["manifestation_high"]
    assert [row["task"] for row in build.warehouse.rows("select task from report_quality order by 1")] == [
        "category",
        "issue",
        "sentiment",
    ]


def test_issues_and_their_rollup_stay_as_read_where_nobody_labelled_issues(build: Build) -> None:
    label(build, tasks=("category", "sentiment"))
    fill(build)
    assert found(build, "report_issue", issue_id="vias_obras.huecos")["estimate_status"] == "uncorrected"
    assert found(build, "report_rollup", rollup_id="transporte_piloto_2021")["estimate_status"] == "uncorrected"
    assert found(build, "report_category", category_id="salud")["corrected"]


def test_estimates_join_the_id_of_the_report_and_stay_the_same(build: Build) -> None:
    label(build)
    first = fill(build)
    rows = build.warehouse.query("select * from report_category order by all")
    assert fill(build) == first
    assert build.warehouse.query("select * from report_category order by all") == rows
    identity = build.warehouse.query("select min(manifestation_id) from label")[0][0]
    build.warehouse.append("label", [label_row(build.city.id, "s1", identity, "1", "category", "otros", "A", import_number=2)])
    assert fill(build) != first


def test_the_newest_import_holds(build: Build) -> None:
    label(build)
    fill(build)
    before = found(build, "report_category", category_id="otros")["labelled_positive_count"]
    known = build.warehouse.query("select manifestation_id, label from label where task = 'category' and label = 'salud'")
    again = [
        label_row(build.city.id, "s1", identity, "1", "category", "otros", "A", import_number=2) for identity, _ in known[:20]
    ]
    build.warehouse.append("label", again)
    fill(build)
    assert found(build, "report_category", category_id="otros")["labelled_positive_count"] == before + 20


def test_changes_are_corrected_where_both_windows_have_labels(build: Build) -> None:
    """Before, no third of the messages on health was taken for transport: the readings fell and what was said did not."""
    before = build.period.previous()
    texts = [{**row, "manifestation_id": f"m{number + 1200:04}"} for number, row in enumerate(messages(before))]
    for number, row in enumerate(texts):
        row["category_id"] = truth_of(number)["category"]
    build.warehouse.temporary("previous_item", texts, ITEM_COLUMNS)
    label(build)
    fill(build)
    stage(build.warehouse, "corrected_pair", {})
    assert build.warehouse.query("select count(*) from corrected_pair") == [(0,)]

    label(build, sample_id="s0", period=before, items="previous_item")
    loaded = fill(build)
    assert (loaded["samples"], loaded["before"]["samples"]) == (["s1"], ["s0"])
    stage(build.warehouse, "corrected_pair", {})
    pairs = {(row["measure"], row["key"]): row for row in build.warehouse.rows("select * from corrected_pair")}
    health = pairs["category", "salud"]
    assert abs(health["share"] - health["previous_share"]) < 0.08
    assert health["previous_low"] < 0.5 < health["previous_high"]
    assert health["low"] < 0.5 < health["high"]
    assert pairs["category_neg", "salud"]["low"] < 0.6 < pairs["category_neg", "salud"]["high"]
    assert {measure for measure, _ in pairs} == {"category", "sentiment", "category_neg"}
    counts = "select channel, measure, key, count(*) from corrected_pair group by all having count(*) > 1"
    assert build.warehouse.query(counts) == []


@pytest.mark.parametrize(
    "spoil",
    [
        "update label_sample set period_end = period_end - interval 1 day",
        "update label_sample set channel = 'in_person'",
        "update label_sample set city = 'otra'",
        "update label_sample set taxonomy_version = '0+00000000'",
        "delete from label",
        "update label set version = '0'",
    ],
)
def test_labels_of_something_else_correct_nothing(build: Build, spoil: str) -> None:
    label(build)
    build.warehouse.query(spoil)
    assert fill(build) == {}
    assert build.warehouse.query("select distinct estimate_status from report_category") == [("uncorrected",)]


def test_a_taxonomy_with_the_same_categories_serves_whatever_else_was_edited(build: Build) -> None:
    label(build, taxonomy="0+11111111")
    known = {"annotator": "keyword", "revision": "1", "taxonomy_version": "0+11111111", "task": "category", "run_id": "r"}
    build.warehouse.append("annotator_task", [{**known, "labels": list(build.readers.taxonomy.category_ids)}])
    assert fill(build)["samples"] == ["s1"]
    build.warehouse.query("delete from annotator_task")
    build.warehouse.append("annotator_task", [{**known, "labels": list(build.readers.taxonomy.category_ids)[1:]}])
    assert fill(build) == {}


def test_samples_of_two_halves_of_the_window_serve_together(build: Build) -> None:
    zone = build.city.zone
    halves = [
        Period.from_dates(date(2021, 4, 1), date(2021, 4, 10), zone),
        Period.from_dates(date(2021, 4, 11), date(2021, 4, 30), zone),
    ]
    for number, half in enumerate(halves):
        label(build, sample_id=f"s{number}", period=half, size=120)
    assert fill(build)["samples"] == ["s0", "s1"]
    health = found(build, "report_category", category_id="salud")
    assert health["labelled_count"] == 240
    assert health["manifestation_low"] < 0.5 < health["manifestation_high"]


def test_labels_of_what_counts_no_longer_drop_out(build: Build) -> None:
    label(build)
    build.warehouse.query("update report_item set counted = false where manifestation_id < 'm0600'")
    fill(build)
    health = found(build, "report_category", category_id="salud")
    assert 120 < health["labelled_count"] < 180
    assert health["manifestation_low"] < 0.5 < health["manifestation_high"]


@pytest.mark.parametrize(
    "spoil",
    [
        "update report_category set manifestation_low = manifestation_share + 0.01 where corrected",
        "update report_sentiment set corrected = false where corrected",
        "update report_category_sentiment set labelled_positive_count = 9 where corrected",
        "update report_issue set manifestation_high = 1.2 where corrected",
        "update report_category set manifestation_share = 0.1 where estimate_status = 'insufficient'",
        "update report_quality set accuracy = 0.1",
    ],
)
def test_audits_find_estimates_that_contradict_themselves(spoil: str) -> None:
    city = load_city(ROOT / "data" / "cities" / "ate.yml")
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, period, load_taxonomy(), labelled_count=400)
    warehouse.query(
        """
        create temp table report_item as
        select true as counted, channel from report, range(manifestation_count)
        """
    )
    audit_tables(warehouse, REPORT_ID)
    warehouse.query(spoil)
    with pytest.raises(AuditFailed, match=re.escape(spoil.split()[1])):
        audit_tables(warehouse, REPORT_ID)


@pytest.fixture(scope="module")
def ate() -> City:
    """The city of the pilot."""
    return load_city(ROOT / "data" / "cities" / "ate.yml")


def page_of(city: City, labelled: int) -> html.HtmlElement:
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    taxonomy = load_taxonomy()
    warehouse: Warehouse = filled_warehouse(city, period, taxonomy, labelled_count=labelled)
    return html.fromstring(render_page(warehouse, REPORT_ID, city, period, taxonomy))


def said(tree: html.HtmlElement, section: str) -> str:
    return re.sub(r"\s+", " ", tree.get_element_by_id(section).text_content().replace("\u00ad", ""))


def test_the_page_says_corrected_shares_with_their_interval_in_whole_percent(ate: City) -> None:
    tree = page_of(ate, 400)
    categories = said(tree, "categories")
    assert re.search(r"11 % entre 8 % y 15 %", categories)  # 12.2 % as read
    assert "datos insuficientes" in categories
    assert "reparte también lo que quedó sin clasificar" in categories
    row = next(row for row in tree.get_element_by_id("categories").iter("tr") if "Sin clasificar" in row.text_content())
    assert "°" in row.text_content()
    overview = said(tree, "overview")
    assert re.search(r"\d+ % corregido \(entre \d+ % y \d+ %\)", overview)
    assert "se estima con 400 expresiones que se etiquetaron a mano" in overview
    for section in ("categories", "sentiment", "issues", "method"):
        shown = " ".join(node.text_content() for node in tree.get_element_by_id(section).find_class("estimate"))
        assert "%" in shown, section
        assert not re.search(r"\d\.\d", shown), section


def test_with_too_few_labels_the_first_screen_claims_nothing_of_them(ate: City) -> None:
    overview = said(page_of(ate, 20), "overview")
    assert "es la categoría con más expresiones: 705 de las 5,796 contadas, 12 % sin corregir" in overview
    assert "Todavía hay muy pocas expresiones etiquetadas para comparar el tono" in overview
    assert "comparten el primer lugar" not in overview


def test_the_method_says_how_shares_were_corrected_and_how_right_the_model_is(ate: City) -> None:
    method = said(page_of(ate, 400), "method")
    assert "Se etiquetaron a mano 420 expresiones de este periodo" in method
    assert "De las 420 que etiquetaron dos personas o más, en 20 no coincidieron" in method
    assert "61 % entre 56 % y 66 %" in method
    assert "datos insuficientes" in method
    assert "Cómo se corrigieron" not in said(page_of(ate, 0), "method")


@pytest.mark.parametrize(
    ("share", "low", "high", "written"),
    [
        (0.124, 0.101, 0.1401, "12 %, entre 10 % y 15 %"),
        (0.003, 0.001, 0.008, "menos de 1 %, a lo más 1 %"),
        (0.031, 0.009, 0.055, "3 %, a lo más 6 %"),
        (0.998, 0.981, 1.0, "más de 99 %, al menos 98 %"),
        (0.1, 0.1, 0.12, "10 %, entre 10 % y 12 %"),
    ],
)
def test_intervals_are_rounded_outwards(ate: City, share: float, low: float, high: float, written: str) -> None:
    formats = Formats(ate.locale, ate.zone, load_wording(REPORTS / "wording" / "es"))
    assert f"{formats.whole_share(share)}, {formats.interval(low, high)}".replace("\u00a0", " ") == written


def test_both_languages_have_the_same_words() -> None:
    from ruamel.yaml import YAML

    def keys(value: Any, path: str = "") -> set[str]:
        return {path} if not isinstance(value, dict) else {key for name in value for key in keys(value[name], f"{path}.{name}")}

    spanish, english = (
        YAML(typ="safe").load((REPORTS / "wording" / language / "shares.yml").read_text(encoding="utf-8"))
        for language in ("es", "en")
    )
    assert keys(spanish) == keys(english)
