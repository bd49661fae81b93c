from __future__ import annotations

import os
import shutil
import sys
import zoneinfo
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

import models.settings
import models.taxonomy
from pipelines.doctor import diagnose
from pipelines.project import Project
from pipelines.starter import make_project
from pipelines.warehouse import open_warehouse, publish

SECRET = "a secret of this test only"

REPORT_ROW = """
    insert into report by name select 'r1' as report_id, 'mi-ciudad' as city, 'online' as channel, now() as period_start,
        now() as period_end, now() as seen_until, 0 as collected_count, 0 as manifestation_count, 0 as distinct_text_count,
        0 as voice_count, 0 as unsigned_count, 0 as source_planned_count, 0 as source_alive_count, 0 as late_count,
        1 as report_number, true as issued, false as synthetic,
        '' as taxonomy_version, '' as annotators, '' as data_digest, '' as code_digest
"""


@pytest.fixture
def quick_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One annotator that loads at once; the full set is loaded by a test of its own."""
    file = tmp_path / "quick.yml"
    file.write_text("tasks: {screening: {annotator: screening, threshold: 0.0}}\n", encoding="utf-8")
    monkeypatch.setattr(models.settings, "MODELS_FILE", file)


@pytest.fixture
def project(tmp_path: Path, quick_models: None, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A new project with an empty warehouse and its published copy."""
    monkeypatch.setenv("ESCUCHA_SECRET", SECRET)
    for name in ("PREFECT_SERVER_ANALYTICS_ENABLED", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    make_project(tmp_path / "project")
    found = Project(tmp_path / "project")
    with open_warehouse(found.warehouse) as warehouse:
        publish(warehouse, found.published)
    return found


def finding(project: Project, what: str) -> tuple[bool, str]:
    """Return the verdict of one check; every other one must have been made too."""
    findings = {row["what"]: row for row in diagnose(project)}
    assert len(findings) == 13
    return findings[what]["ok"], findings[what]["said"]


def failures(project: Project) -> list[str]:
    return [row["what"] for row in diagnose(project) if not row["ok"]]


def test_a_project_in_order_has_no_finding_against_it(project: Project) -> None:
    assert failures(project) == []


def test_what_loads_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.settings, "MODELS_FILE", Path(models.settings.__file__).with_name("models.yml"))
    said = {row["what"]: row["said"] for row in diagnose(project)}
    assert all(f"{name}@" in said["models"] for name in ("accurate", "language", "screening")), said["models"]
    assert said["city files"] == "mi-ciudad (1 of 5 sources enabled)"
    assert said["locale data"] == "es_PE (12,345.67)"


def test_nothing_is_changed_by_looking(project: Project) -> None:
    def contents() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in project.root.rglob("*") if p.is_file() and p.suffix != ".lock"}

    before = contents()
    diagnose(project)
    assert contents() == before


def test_every_problem_of_every_city_file_is_listed(project: Project) -> None:
    file = project.city_file("mi-ciudad")
    text = file.read_text(encoding="utf-8").replace("country: PE", "country: Perú").replace("period: month", "period: mensual")
    file.write_text(text, encoding="utf-8")
    (project.cities / "otra.yml").write_text("id: otra\n\tname: x\n", encoding="utf-8")
    ok, said = finding(project, "city files")
    assert not ok
    assert "mi-ciudad.yml:6: country" in said
    assert "mi-ciudad.yml:10: period" in said
    assert "otra.yml:" in said


def test_a_project_without_a_city_is_told_how_to_get_one(project: Project) -> None:
    project.city_file("mi-ciudad").unlink()
    ok, said = finding(project, "city files")
    assert not ok
    assert "escucha init" in said


@pytest.mark.parametrize(("secret", "said"), [("", "ESCUCHA_SECRET is not set"), ("short", "has 5 characters, at least 16")])
def test_a_real_city_needs_a_good_secret(project: Project, monkeypatch: pytest.MonkeyPatch, secret: str, said: str) -> None:
    monkeypatch.setenv("ESCUCHA_SECRET", secret)
    ok, told = finding(project, "secret")
    assert not ok
    assert said in told
    assert "secrets.token_hex" in told
    assert "a secret of" not in told


def test_synthetic_cities_need_no_secret(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESCUCHA_SECRET")
    file = project.city_file("mi-ciudad")
    own_files = file.read_text(encoding="utf-8").split("  # Las fuentes de internet")[0]
    file.write_text(own_files + "\nsynthetic: true\n", encoding="utf-8")
    assert finding(project, "secret") == (True, "ESCUCHA_SECRET is not set, and not needed: every city here is synthetic")


def test_who_writes_the_warehouse_is_said(project: Project) -> None:
    with open_warehouse(project.warehouse):
        ok, said = finding(project, "warehouse")
        published_ok, published = finding(project, "published copy")
    assert not ok
    assert f"process {os.getpid()}" in said
    assert published_ok
    assert "not compared" in published


def test_a_damaged_warehouse_is_told_with_a_remedy(project: Project) -> None:
    project.warehouse.write_bytes(b"this is no database" * 1000)
    ok, said = finding(project, "warehouse")
    assert not ok
    assert "data/raw" in said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("insert into schema_migration values (999, '999_future.sql', 'x')", "newer version (schema 999"),
        ("update schema_migration set digest = 'x' where number = 2", "another migration 2"),
    ],
)
def test_a_warehouse_of_another_version_is_told(project: Project, sql: str, said: str) -> None:
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute(sql)
    ok, told = finding(project, "warehouse")
    assert not ok
    assert said in told


def test_an_older_schema_is_brought_up_by_the_next_run(project: Project) -> None:
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("delete from schema_migration where number = (select max(number) from schema_migration)")
    ok, said = finding(project, "warehouse")
    assert ok
    assert "the next run brings" in said


def test_a_missing_or_stale_published_copy_is_told(project: Project) -> None:
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute(REPORT_ROW)
    ok, said = finding(project, "published copy")
    assert not ok
    assert "lacks 1 reports; run `escucha publish`" in said
    project.published.unlink()
    ok, said = finding(project, "published copy")
    assert not ok
    assert "run `escucha publish`" in said


def test_a_full_disk_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int = 10**12
        used: int = 10**12
        free: int = 999_999_999

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    ok, said = finding(project, "free disk")
    assert not ok
    assert "free some" in said


@pytest.mark.parametrize(
    ("module", "constant", "what"), [(models.settings, "MODELS_FILE", "models"), (models.taxonomy, "TAXONOMY_FILE", "taxonomy")]
)
def test_a_broken_installation_is_a_finding_and_no_crash(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, constant: str, what: str
) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("tasks: {category: {annotator: nadie, threshold: 0.2}}\n", encoding="utf-8")
    monkeypatch.setattr(module, constant, broken)
    ok, said = finding(project, what)
    assert not ok
    assert "broken.yml" in said


@pytest.mark.parametrize(("name", "value"), [("PREFECT_SERVER_ANALYTICS_ENABLED", "true"), ("DO_NOT_TRACK", "0")])
def test_telemetry_turned_on_by_hand_is_told(project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    ok, said = finding(project, "telemetry")
    assert not ok
    assert f"{name}={value}" in said


def test_missing_time_zone_data_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    try:
        ok, said = finding(project, "time zone data")
    finally:
        zoneinfo.reset_tzpath()
    assert not ok
    assert "pip install tzdata" in said


def test_a_folder_without_a_project_is_no_crash(tmp_path: Path, quick_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESCUCHA_SECRET", raising=False)
    empty = Project(tmp_path / "nowhere")
    tmp_path.joinpath("nowhere").mkdir()
    assert failures(empty) == ["project folder", "city files", "secret"]
