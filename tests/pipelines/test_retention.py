"""Retention: what is past its days is in no byte of the project any more, and the counts still add up."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.pseudonyms import SYNTHETIC_SECRET, pseudonym
from pipelines.annotate import annotate
from pipelines.doctor import diagnose
from pipelines.project import Project
from pipelines.report import Report, report
from pipelines.retention import Applied, apply_retention
from pipelines.runs import Readers, load_readers
from pipelines.warehouse import open_read_only, open_warehouse, publish
from tests.conftest import april, make_project, run_command, run_window
from tests.pipelines.villa import serve_village

RECORDED = Path(__file__).parent.parent / "recorded" / "warehouse"
WITH_TEXT = "manifestation join manifestation_text using (manifestation_id, version)"


def bytes_of(project: Project) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of every file of the project except the synthetic web itself; what is packed also unpacked."""
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith("data/pilot/"):
            content = path.read_bytes()
            yield name, content
            if content.startswith(b"\x1f\x8b"):
                yield f"{name} (unpacked)", gzip.decompress(content)


def places_of(project: Project, *markers: str) -> list[str]:
    """Return where a marker stands, in UTF-8 or as JSON escapes it."""
    forms = {form for marker in markers for form in (marker.encode(), json.dumps(marker)[1:-1].encode())}
    return [name for name, content in bytes_of(project) if any(form in content for form in forms)]


def set_clock(project: Project, instant: str) -> None:
    path = project.cities / "mini.yml"
    text = path.read_text(encoding="utf-8")
    start = text.index("clock: ") + len("clock: ")
    path.write_text(text[:start] + f'"{instant}"' + text[text.index("\n", start) :], encoding="utf-8")


def keep_days(project: Project, source_id: str, days: int) -> None:
    path = project.cities / "mini.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(f"  - id: {source_id}\n", f"  - id: {source_id}\n    retention_days: {days}\n"), encoding="utf-8"
    )


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, readers: Readers) -> Project:
    """The small city, collected and published in May; the blog keeps its texts for 10 days, the others for 90."""
    project = make_project(tmp_path_factory.mktemp("kept") / "project", mini=True)
    keep_days(project, "blog-ceres", 10)
    run_window(project, "mini", readers, formats=())
    with open_warehouse(project.warehouse) as warehouse:
        publish(warehouse, project.published)
    shutil.copy2(project.warehouse, project.warehouse.with_suffix(".before-006.duckdb"))
    return project


@pytest.fixture
def project(collected: Project, tmp_path: Path) -> Project:
    """A copy of it, twenty days later."""
    shutil.copytree(collected.root, tmp_path / "project")
    copy = Project(tmp_path / "project")
    set_clock(copy, "2021-05-23T09:00:00-05:00")
    return copy


def query(project: Project, sql: str) -> list[tuple[Any, ...]]:
    with open_read_only(project.warehouse) as warehouse:
        return warehouse.query(sql)


def planted(project: Project) -> list[str]:
    """Return the longest texts and titles, all addresses and the authors of the blog, as they stand in the warehouse."""
    rows = query(
        project,
        f"select url, native_id, author_key, text from {WITH_TEXT} where source_id = 'blog-ceres' and length(text) > 40",
    )
    elsewhere = {text for (text,) in query(project, f"select text from {WITH_TEXT} where source_id <> 'blog-ceres'")}
    return [value for url, _, author, text in rows for value in (url, author, text) if value and value not in elsewhere]


def apply(project: Project, *, dry_run: bool = False) -> Applied:
    with open_warehouse(project.warehouse) as warehouse:
        return apply_retention(warehouse, project, project.load_city("mini"), dry_run=dry_run)


def make_report(project: Project, readers: Readers) -> Report:
    city = project.load_city("mini")
    with open_warehouse(project.warehouse) as warehouse:
        return report(warehouse, project, city, april(project, "mini"), readers)


def test_what_is_past_its_days_is_in_no_byte_of_the_project(project: Project) -> None:
    markers = planted(project)
    assert len(markers) > 200
    assert len(places_of(project, *markers)) >= 4  # warehouse, copy before the migration, published copy, spool
    others = f"select * from {WITH_TEXT} where source_id <> 'blog-ceres' order by all"
    before = query(project, others)
    result = apply(project)
    assert result.erased.keys() == {"blog-ceres"}
    assert places_of(project, *markers) == []
    assert query(project, others) == before
    left = query(
        project, "select distinct native_id, parent_id, published_raw, url_keys from manifestation where erased_at is not null"
    )
    assert left == [(None, None, None, None)]
    assert query(project, "select reason, sum(item_count) from erasure group by 1") == [
        ("retention", result.erased["blog-ceres"])
    ]
    assert apply(project).erased == {}


def test_a_trial_counts_and_changes_nothing(project: Project) -> None:
    before = dict(bytes_of(project))
    trial = apply(project, dry_run=True)
    after = dict(bytes_of(project))
    before.pop("data/warehouse.lock", None)
    after.pop("data/warehouse.lock", None)
    assert after == before
    done = apply(project)
    assert trial == done


def test_counts_add_up_and_the_page_says_what_is_gone(project: Project, readers: Readers) -> None:
    (first,) = query(project, "select distinct report_id from report")
    tables = ("report_category", "report_sentiment", "report_day", "report_issue", "report_source")
    before = {name: query(project, f"select * exclude (report_id) from {name} order by all") for name in tables}
    counts = "select channel, manifestation_count, voice_count, unsigned_count"
    totals = query(project, f"{counts} from report")
    distinct = query(project, "select channel, distinct_text_count from report order by channel")
    erased = apply(project).erased["blog-ceres"]
    report_id = make_report(project, readers).report_id
    assert report_id != first[0]
    where = f"from report where report_id = '{report_id}'"
    assert query(project, f"{counts} {where}") == totals
    # What is erased can be compared by its digest alone: an edited copy of it is another text now, and the page says so.
    now = query(project, f"select channel, distinct_text_count, textless_count {where} order by channel")
    for (channel, then), (same_channel, left, textless) in zip(distinct, now, strict=True):
        assert same_channel == channel
        assert then <= left <= then + textless
    for name in tables:
        again = query(project, f"select * exclude (report_id) from {name} where report_id = '{report_id}' order by all")
        assert again == before[name], name
    ((told,),) = query(
        project,
        f"select item_count from report_unread where report_id = '{report_id}' and reason = 'erased_text' and channel = 'online'",
    )
    assert 0 < told <= erased
    page = (project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html").read_text(encoding="utf-8")
    assert "Qué ya no se conserva" in page
    assert f"Los textos de {told:,} de las" in page


def test_without_an_erasure_the_page_keeps_its_bytes(collected: Project, tmp_path: Path, readers: Readers) -> None:
    project = Project(tmp_path / "same")
    shutil.copytree(collected.root, project.root)
    page = project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html"
    before = page.read_bytes()
    assert apply(project).erased == {}
    make_report(project, readers)
    assert page.read_bytes() == before
    assert b"Qu\xc3\xa9 ya no se conserva" not in before


def test_what_was_erased_does_not_come_back(project: Project, readers: Readers) -> None:
    markers = planted(project)
    apply(project)
    counts = query(project, "select count(*), count(erased_at) from manifestation")
    outcomes, added, _ = run_window(project, "mini", readers, formats=())
    assert sum(outcome.added_count for outcome in outcomes) == 0
    assert query(project, "select count(*), count(erased_at) from manifestation") == counts
    assert added == 0
    assert places_of(project, *markers)  # the source still shows it, so the new spool holds it
    apply(project)
    assert places_of(project, *markers) == []


def test_a_new_taxonomy_leaves_erased_messages_with_their_last_reading(project: Project, readers: Readers) -> None:
    apply(project)
    old = make_report(project, readers)
    own = project.root / "data" / "taxonomies" / "mini.yml"
    own.parent.mkdir()
    own.write_text('version: "mini-2"\nbase: "2021.1"\nrename:\n  transporte: {label_es: Movilidad}\n', encoding="utf-8")
    changed = load_readers(project, "mini")
    assert changed.taxonomy_version != readers.taxonomy_version
    with open_warehouse(project.warehouse) as warehouse:
        assert annotate(warehouse, project, project.load_city("mini"), april(project, "mini"), changed)
    new = make_report(project, changed)
    assert new.totals["manifestation_count"] == old.totals["manifestation_count"]
    told = dict(query(project, f"select reason, item_count from report_unread where report_id = '{new.report_id}' and counted"))
    assert told["read_earlier"] == told["erased_text"] > 0
    for table in ("report_source", "report_category", "report_sentiment"):
        rows = [
            query(project, f"select * exclude (report_id) from {table} where report_id = '{made.report_id}' order by all")
            for made in (old, new)
        ]
        assert rows[0] == rows[1], table
    assert "conservan la lectura de un programa" in new.path.read_text(encoding="utf-8")


def test_the_doctor_says_what_is_overdue(project: Project) -> None:
    def said() -> dict[str, Any]:
        return {finding["what"]: finding for finding in diagnose(project)}["retention"]

    assert not said()["ok"]
    assert "escucha retention apply" in said()["said"]
    apply(project)
    assert said()["ok"]
    set_clock(project, (datetime.fromisoformat("2021-05-03T09:00:00-05:00") + timedelta(days=90, hours=1)).isoformat())
    assert said()["ok"], "a day late is the night's run to come"


def test_the_pseudonym_of_an_author_goes_with_their_last_text(project: Project) -> None:
    rows = query(project, "select author_key from manifestation where author_key is not null and source_id = 'blog-ceres'")
    served = (project.pilot / "served" / "blog-ceres.jsonl").read_text(encoding="utf-8")
    names = {row["author"] for row in map(json.loads, served.splitlines()) if row.get("author")}
    keys = {pseudonym(SYNTHETIC_SECRET, "blog-ceres", name) for name in names}
    assert {key for (key,) in rows} & keys
    apply(project)
    assert places_of(project, *sorted(keys)) == []


def test_the_command_tells_what_went(project: Project) -> None:
    trial = run_command("retention", "apply", "mini", "--dry-run", "--json", project=project.root)
    done = run_command("retention", "apply", "--json", project=project.root)
    assert (trial.returncode, done.returncode) == (0, 0), trial.stderr + done.stderr
    would, went = json.loads(trial.stdout), json.loads(done.stdout)
    (mini,) = (city for city in went["cities"] if city["city"] == "mini")
    assert would["cities"] == [mini]
    assert mini["erased"]["blog-ceres"] > 100
    assert mini["own_files"] == ["data/imports/*.csv"]
    said = run_command("retention", "apply", "mini", project=project.root)
    assert "texts, gone" in said.stdout


def test_a_warehouse_of_an_earlier_schema_still_opens_and_is_kept_no_longer(tmp_path: Path) -> None:
    with serve_village(tmp_path) as village:
        village.write_city(clock="2021-06-05T09:00:00-05:00")
        village.project.warehouse.write_bytes(gzip.decompress((RECORDED / "schema-004.duckdb.gz").read_bytes()))
        words = "La vereda de la esquina sigue rota"
        with open_warehouse(village.project.warehouse) as warehouse:
            assert (words,) in warehouse.query("select text from manifestation_text")
            assert village.project.migration_copies
            applied = apply_retention(warehouse, village.project, village.city)
            assert warehouse.query("select count(*), count(erased_at), count(url), count(native_id) from manifestation") == [
                (2, 2, 2, 0)
            ]
        assert applied.erased == {"foro": 2}
        assert places_of(village.project, words, "http://foro.test/tema/1") == []
        assert village.project.migration_copies == []
