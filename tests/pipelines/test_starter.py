from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from collectors.catalog import load_catalog
from collectors.minutes import Minutes, parse_minutes
from collectors.office import read_blocks
from collectors.period import Period
from pipelines.annotate import annotate
from pipelines.checks import check_city_sources
from pipelines.collect import collect
from pipelines.project import Project, ProjectError, find_project
from pipelines.report import report
from pipelines.runs import Readers
from pipelines.starter import DOCUMENTS, FILES, SCHEMA_COMMAND, SCHEMA_NAME, TEMPLATES, make_project, schema_text
from pipelines.warehouse import open_warehouse

ROOT = Path(__file__).parents[2]

WRITTEN = [
    ".gitignore",
    "README.md",
    "data/cities/city.schema.json",
    "data/cities/mi-ciudad.yml",
    "data/imports/mensajes-de-ejemplo.csv",
    "data/templates/acta.docx",
    "data/templates/acta.odt",
]


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_project_is_made_with_all_its_files(tmp_path: Path) -> None:
    written = make_project(tmp_path / "a" / "proyecto")
    assert [path.relative_to(tmp_path / "a" / "proyecto").as_posix() for path in written] == WRITTEN
    assert files_below(tmp_path / "a" / "proyecto") == WRITTEN
    assert find_project(tmp_path / "a" / "proyecto", {}).load_city("mi-ciudad").name == "Mi Ciudad"


def test_the_first_city_asks_no_site_that_nobody_approved(tmp_path: Path) -> None:
    make_project(tmp_path)
    city = Project(tmp_path).load_city("mi-ciudad")
    assert sorted(source.platform for source in city.sources) == ["feed", "file", "minutes", "page", "wordpress"]
    assert [source.id for source in city.sources if source.enabled] == ["mensajes-de-ejemplo"]
    assert all(source.host is None for source in city.sources if source.enabled)


def test_the_first_city_runs_as_it_is(tmp_path: Path, readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUCHA_SECRET", "a secret of this test only")
    make_project(tmp_path)
    project = Project(tmp_path)
    city = project.load_city("mi-ciudad")
    period = Period.from_dates(date(2025, 3, 1), date(2025, 3, 31), city.zone)

    checks = {row["id"]: row["status"] for row in check_city_sources(project, city)}
    with open_warehouse(project.warehouse) as warehouse:
        outcomes = collect(warehouse, project, city, period)
        annotate(warehouse, project, city, period, readers)
        finished = report(warehouse, project, city, period, readers)

    assert checks["mensajes-de-ejemplo"] == "ok"
    assert [(o.health.status, o.health.reason, o.added_count) for o in outcomes] == [("ok", "none", 6)]
    assert finished.totals["manifestation_count"] == 6
    assert "Mi Ciudad" in finished.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("existing", ["README.md", "data/imports/mensajes-de-ejemplo.csv"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / existing).write_text("mío", encoding="utf-8")
    with pytest.raises(ProjectError, match=f"already has {existing}; nothing was written"):
        make_project(tmp_path)
    assert files_below(tmp_path) == [existing]
    assert (tmp_path / existing).read_text(encoding="utf-8") == "mío"


def test_all_that_stands_in_the_way_is_listed(tmp_path: Path) -> None:
    make_project(tmp_path)
    with pytest.raises(ProjectError) as refused:
        make_project(tmp_path)
    assert all(name in str(refused.value) for name in WRITTEN)


def test_a_folder_that_is_a_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data" / "cities").mkdir(parents=True)
    (tmp_path / "data" / "cities" / "lima.yml").write_text("id: lima\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"a project already, with lima\.yml"):
        make_project(tmp_path)


def test_what_cannot_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    project = tmp_path / "proyecto"
    (project / "data").mkdir(parents=True)
    (project / "data" / "imports").write_text("un archivo donde va la carpeta", encoding="utf-8")
    with pytest.raises(ProjectError, match="nothing was left behind"):
        make_project(project)
    left = sorted(path.relative_to(project).as_posix() for path in project.rglob("*"))
    assert left == ["data", "data/imports"], "neither files nor folders"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "proyecto").write_text("", encoding="utf-8")
    with pytest.raises(ProjectError, match="nothing was left behind"):
        make_project(tmp_path / "proyecto")


def test_empty_minutes_are_the_same_everywhere_and_can_be_read(tmp_path: Path) -> None:
    make_project(tmp_path / "a")
    make_project(tmp_path / "b")
    for name in DOCUMENTS:
        body = (tmp_path / "a" / name).read_bytes()
        assert body == (tmp_path / "b" / name).read_bytes()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            assert len({(member.date_time, member.compress_type) for member in archive.infolist()}) == 1
            assert name.endswith(".docx") or archive.namelist()[0] == "mimetype"
        blocks = read_blocks(body, name=name)
        table = next(block for block in blocks if isinstance(block, list))
        assert [cell.text for cell in table[0]] == ["Mesa", "Rol", "Tema", "Texto", "Acuerdo"]
        assert parse_minutes(blocks, name=name) == Minutes({}, [], [])


def test_templates_are_inside_the_package_and_all_used() -> None:
    assert TEMPLATES.parent == Path(sys.modules["pipelines.starter"].__file__ or "").parent
    index = {f"report_index.{kind}" for kind in ("css", "html.jinja", "js")}
    assert {path.name for path in TEMPLATES.iterdir()} == {*FILES.values(), *index}


def test_the_schema_on_disk_equals_the_models() -> None:
    file = ROOT / "data" / "cities" / SCHEMA_NAME
    assert file.read_text(encoding="utf-8") == schema_text(), f"the models changed: run `{SCHEMA_COMMAND}` in the repository"


def test_the_command_named_rewrites_the_schema(tmp_path: Path) -> None:
    make_project(tmp_path)
    file = tmp_path / "data" / "cities" / SCHEMA_NAME
    file.write_text("{}", encoding="utf-8")
    arguments = SCHEMA_COMMAND.split()[1:]
    subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )
    assert file.read_text(encoding="utf-8") == schema_text()


def load_plain(path: Path) -> Any:
    """Load a city file as an editor sees it: dates are text, defaults are not filled in."""
    document = YAML(typ="safe").load(path)
    return json.loads(json.dumps(document, default=lambda value: value.isoformat()))


def test_the_schema_accepts_what_loads_and_refuses_a_wrong_key(tmp_path: Path) -> None:
    make_project(tmp_path)
    schema = json.loads(schema_text())
    cities = [ROOT / "data" / "cities" / "ate.yml", tmp_path / "data" / "cities" / "mi-ciudad.yml"]
    for path in cities:
        assert load_catalog(path.parent)
        jsonschema.validate(load_plain(path), schema)
    document = load_plain(cities[1])
    document["sources"][0]["options"]["colums"] = {}
    with pytest.raises(jsonschema.ValidationError, match="colums"):
        jsonschema.validate(document, schema)
