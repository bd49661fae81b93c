"""The index of all reports: every city and year, every format, without a server; and the page that opens."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from lxml import html

from collectors.period import Period
from pipelines.project import Project, ProjectError
from pipelines.report_commands import LANGUAGES
from pipelines.report_index import find_page, fold, write_index
from pipelines.reports import rendering
from pipelines.runs import NothingToReport
from pipelines.warehouse import Warehouse, memory_warehouse
from tests.conftest import make_project, run_command
from tests.pipelines.exports_input import HOSTILE

ROW = {
    "channel": "online",
    "collected_count": 7000,
    "manifestation_count": 5796,
    "distinct_text_count": 5000,
    "voice_count": 2400,
    "unsigned_count": 100,
    "textless_count": 0,
    "source_planned_count": 25,
    "source_alive_count": 24,
    "late_count": 0,
    "issued": True,
    "synthetic": True,
    "taxonomy_version": "1+a",
    "annotators": "{}",
    "data_digest": "d",
    "code_digest": "c",
    "amends_report_id": None,
    "amends_seen_until": None,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with Ate and a second city."""
    return make_project(tmp_path, mini=True)


@pytest.fixture
def warehouse() -> Warehouse:
    """An empty warehouse."""
    return memory_warehouse()


def add(warehouse: Warehouse, project: Project, number: int, city_id: str, first: date, last: date, **changed: object) -> str:
    """Put a report into the table and its files on disk; return its id."""
    zone = project.load_city("ate").zone
    period = Period.from_dates(first, last, zone)
    report_id = hashlib.sha256(f"{number}".encode()).hexdigest()
    seen = datetime(2021, 6, number, 14, tzinfo=UTC)
    keys = {"report_id": report_id, "report_number": number, "city": city_id, "seen_until": seen}
    warehouse.append("report", [ROW | keys | {"period_start": period.start_utc, "period_end": period.end_utc} | changed])
    folder = project.reports / city_id / period.slug()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("informe-{}.html", "informe-{}.pdf", "resumen-{}.docx", "report-{}.html", "informe-{}.xlsx"):
        (folder / name.format(report_id[:12])).write_text("x", encoding="utf-8")
    (folder / f"datos-abiertos-{report_id[:12]}").mkdir()
    (folder / "informe.html").write_text("x", encoding="utf-8")
    return report_id


def fill(warehouse: Warehouse, project: Project) -> list[str]:
    """Make five reports: two of April, the second an amendment; March; a look back; a year before; and one of another city."""
    april = date(2021, 4, 1), date(2021, 4, 30)
    first = add(warehouse, project, 1, "ate", *april)
    return [
        first,
        add(warehouse, project, 2, "ate", *april, amends_report_id=first, amends_seen_until=datetime(2021, 6, 1, 14, tzinfo=UTC)),
        add(warehouse, project, 3, "ate", date(2021, 3, 1), date(2021, 3, 31)),
        add(warehouse, project, 4, "ate", *april, issued=False),
        add(warehouse, project, 5, "ate", date(2020, 12, 1), date(2020, 12, 31), synthetic=False),
        add(warehouse, project, 6, "mini", *april),
    ]


def test_reports_stand_by_city_and_year_the_newest_first(warehouse: Warehouse, project: Project) -> None:
    ids = fill(warehouse, project)
    path = write_index(warehouse, project)
    assert path == project.reports / "index.html"
    tree = html.fromstring(path.read_text(encoding="utf-8"))
    assert [city.text_content() for city in tree.iter("h2")] == ["Ate", "Mini"]
    assert [year.text_content() for year in tree.iter("h3")] == ["2021", "2020", "2021"]
    told = {
        item.find("p[@class='about']").text_content()[8:20]: [tag.text_content() for tag in item.find_class("tag")]
        for item in tree.find_class("report")
    }
    assert list(told) == [ids[place][:12] for place in (3, 1, 0, 2, 4, 5)]
    synthetic = "datos sintéticos"
    assert told[ids[1][:12]] == [synthetic, f"enmienda de {ids[0][:12]}"]
    assert told[ids[0][:12]] == [synthetic, "reemplazado por otro más nuevo"]
    assert told[ids[3][:12]] == [synthetic, "aparte: mira hacia atrás o solo algunas fuentes"]
    assert told[ids[2][:12]] == [synthetic]
    assert told[ids[4][:12]] == []
    assert "6 informes" in tree.find(".//header").text_content()


def test_links_lead_to_every_format_by_relative_paths(warehouse: Warehouse, project: Project) -> None:
    fill(warehouse, project)
    path = write_index(warehouse, project)
    tree = html.fromstring(path.read_text(encoding="utf-8"))
    links = tree.xpath("//a")
    assert len(links) == 6 * 6
    assert all((path.parent / link.get("href")).exists() for link in links)
    assert [link.text_content() for link in links[:6]] == [
        "Página",
        "Resumen de dos páginas (DOCX)",
        "Datos abiertos",
        "PDF",
        "Hoja de cálculo (XLSX)",
        "Página (inglés)",
    ]


def test_same_reports_same_bytes_and_reports_without_files_are_left_out(warehouse: Warehouse, project: Project) -> None:
    ids = fill(warehouse, project)
    path = write_index(warehouse, project)
    before = path.read_bytes()
    assert write_index(warehouse, project).read_bytes() == before
    for file in project.reports.glob(f"mini/*/*{ids[5][:12]}*"):
        file.rmdir() if file.is_dir() else file.unlink()
    assert "Mini" not in write_index(warehouse, project).read_text(encoding="utf-8")


def test_a_report_is_found_by_every_name_of_its_window(warehouse: Warehouse, project: Project) -> None:
    windows = {
        1: (date(2021, 4, 12), date(2021, 4, 18)),
        2: (date(2021, 4, 1), date(2021, 4, 30)),
        3: (date(2021, 4, 1), date(2021, 6, 30)),
        4: (date(2020, 12, 28), date(2021, 1, 3)),
        5: (date(2021, 1, 30), date(2021, 3, 2)),
    }
    ids = {number: add(warehouse, project, number, "ate", *window) for number, window in windows.items()}
    tree = html.fromstring(write_index(warehouse, project).read_text(encoding="utf-8"))
    words = [item.get("data-words") for item in tree.find_class("report")]
    said = {number: next(text for text in words if report_id in text) for number, report_id in ids.items()}
    assert "ate" in said[1].split()
    assert "2021-04-12_2021-04-18" in said[1]
    assert "2021-w15" in said[1]
    assert "2021-04" in said[2].split()
    assert "2021-q2" in said[3].split()
    assert "mayo de 2021" in said[3]
    assert "2020-w53" in said[4]
    assert {"diciembre", "enero"} <= set(said[4].split())
    assert {"enero", "febrero", "marzo"} <= set(said[5].split())
    assert not [text for number, text in said.items() if number in (2, 3, 5) and "-w" in text]
    assert fold("Áncash SETIEMBRE Ñ 2021-W15") == "ancash setiembre n 2021-w15"
    english = html.fromstring(write_index(warehouse, project, language="en").read_text(encoding="utf-8"))
    assert any("february 2021" in item.get("data-words") for item in english.find_class("report"))


def test_only_the_own_script_may_run_and_nothing_is_asked_for(warehouse: Warehouse, project: Project) -> None:
    fill(warehouse, project)
    page = write_index(warehouse, project).read_text(encoding="utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<link|<img|@import|\son\w+=|src=", page)


def test_a_hostile_name_of_a_city_is_a_name(warehouse: Warehouse, project: Project) -> None:
    file = project.city_file("mini")
    file.write_text(file.read_text(encoding="utf-8").replace("name: Mini", f"name: {_quoted(HOSTILE)}"), encoding="utf-8")
    fill(warehouse, project)
    page = write_index(warehouse, project).read_text(encoding="utf-8")
    tree = html.fromstring(page)
    assert len(tree.xpath("//script")) == 1
    assert not tree.xpath("//img | //*[@onload]")
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert any("<script>alert(1)</script>" in city.text_content() for city in tree.iter("h2"))


def _quoted(text: str) -> str:
    """Return a text as YAML writes it, without what no YAML file may hold."""
    return json.dumps(text.replace("\ufffe", ""), ensure_ascii=False)


def test_a_broken_city_file_does_not_keep_others_from_the_index(warehouse: Warehouse, project: Project) -> None:
    fill(warehouse, project)
    project.city_file("mini").write_text("id: mini\n", encoding="utf-8")
    tree = html.fromstring(write_index(warehouse, project).read_text(encoding="utf-8"))
    assert [city.text_content() for city in tree.iter("h2")] == ["Ate", "mini"]


def test_newest_page_ends_last(warehouse: Warehouse, project: Project) -> None:
    with pytest.raises(NothingToReport, match="no report of any city"):
        find_page(project)
    fill(warehouse, project)
    add(warehouse, project, 7, "ate", date(2021, 4, 26), date(2021, 5, 2))
    (project.reports / "ate" / "2021-04-26_2021-05-02" / "report.html").write_text("x", encoding="utf-8")
    assert find_page(project).relative_to(project.reports).as_posix() == "ate/2021-04-26_2021-05-02/informe.html"
    assert find_page(project, "mini").relative_to(project.reports).as_posix() == "mini/2021-04-01_2021-04-30/informe.html"
    with pytest.raises(ProjectError, match="no city 'otra'"):
        find_page(project, "otra")


def test_commands_open_and_list_and_a_city_still_means_make(project: Project) -> None:
    assert run_command("report", "open", project=project.root).returncode == 4
    assert run_command("report", "index", project=project.root).returncode == 4
    planned = run_command("report", "mini", "--from", "2021-04", "--dry-run", project=project.root)
    assert planned.returncode == 0
    assert planned.stdout == run_command("report", "make", "mini", "--from", "2021-04", "--dry-run", project=project.root).stdout
    done = run_command("run", "mini", "--from", "2021-04", project=project.root)
    assert done.returncode == 0, done.stderr
    opened = run_command("report", "open", "mini", "--print-path", project=project.root)
    assert Path(opened.stdout.strip()) == project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html"
    index = project.reports / "index.html"
    before = index.read_bytes()
    index.unlink()
    assert run_command("report", "index", project=project.root).returncode == 0
    assert index.read_bytes() == before
    english = run_command("report", "mini", "--from", "2021-04", "--language", "en", project=project.root)
    assert english.returncode == 0, english.stderr
    assert '<html lang="en-GB">' in (index.parent / "mini" / "2021-04-01_2021-04-30" / "report.html").read_text(encoding="utf-8")
    refused = run_command("report", "mini", "--from", "2021-04", "--language", "fr", project=project.root)
    assert refused.returncode == 2
    assert "allowed: es, en" in refused.stderr


def test_languages_of_the_command_are_those_of_the_page() -> None:
    assert tuple(rendering.LANGUAGES) == LANGUAGES
