"""Projects that the tests run on: copies of the Ate month, whole or a small part of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from collectors.period import Period
from models.settings import MODELS_FILE
from pipelines.annotate import annotate
from pipelines.append import SourceOutcome
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.report import Report, report
from pipelines.runs import Readers, load_readers
from pipelines.warehouse import open_warehouse

ROOT = Path(__file__).resolve().parent.parent

# A first example may import a library; speed is measured in `benchmarks/`, never by a test.
settings.register_profile("escucha", deadline=None)
settings.load_profile("escucha")

MINI_CITY = """\
id: mini
name: Mini
country: PE
official_code: "150103"
timezone: America/Lima
contact: mini@municipio.test
synthetic: true
clock: "2021-05-03T09:00:00-05:00"
hosts: {"*.test": replay}
defaults:
  legal_basis: Prueba de la réplica
  approved_by: Comité de prueba
  approved_on: 2021-03-24
  retention_days: 90
sources:
"""


RULES_ONLY = MODELS_FILE.read_text(encoding="utf-8").replace("profile: accurate", "profile: keyword")
"""A project's own `data/models.yml`: most tests are about what happens around a reading, and rules read fastest."""


def block_of(source_id: str) -> str:
    """Return a source's entry of the Ate file, as written there."""
    text = (ROOT / "data" / "cities" / "ate.yml").read_text(encoding="utf-8")
    start = text.index(f"  - id: {source_id}\n")
    ends = [text.find(mark, start + 5) for mark in ("\n  - id: ", "\npublished:")]
    return text[start : min(end for end in ends if end > 0)].rstrip() + "\n\n"


def village_file(port: int, sources: str, *, clock: str = "2021-05-03T09:00:00-05:00") -> str:
    """Return the file of a small synthetic city whose sites are all on one port of this machine.

    Args:
        port: where they are.
        sources: its sources as YAML, as they stand below `sources:`.
        clock: the instant at which collections happen.
    """
    return f'''\
id: villa
name: Villa
country: PE
official_code: "150103"
timezone: America/Lima
contact: buzon@municipio.test
synthetic: true
clock: "{clock}"
hosts: {{"*.test": "127.0.0.1:{port}"}}
defaults: {{legal_basis: Prueba, approved_by: Prueba, approved_on: 2021-03-24, retention_days: 30}}
sources:
{sources}'''


def make_project(folder: Path, *, mini: bool = False) -> Project:
    """Copy the tracked data into a folder that reads by rules; with `mini`, a city of five small sources stands beside Ate."""
    shutil.copytree(ROOT / "data" / "cities", folder / "data" / "cities")
    shutil.copytree(ROOT / "data" / "pilot", folder / "data" / "pilot")
    shutil.copytree(ROOT / "data" / "places", folder / "data" / "places")
    (folder / "data" / "models.yml").write_text(RULES_ONLY, encoding="utf-8")
    if mini:
        names = ("blog-ceres", "foro-comerciantes", "pagina-mercados", "boletin-barrial", "oficina-atencion")
        late = (
            "  - id: correo-tardio\n    platform: file\n    url: data/imports/*.csv\n    terms: http://www.municipio.test/terminos/\n"
            "    publisher: {name: Correo tardío, kind: municipality, official: true}\n    expect: {min: 0, max: 50}\n"
            "    options:\n      columns: {id: id, author: autor, text: [texto], date: fecha}\n"
        )
        city = MINI_CITY + "".join(block_of(name) for name in names) + late
        (folder / "data" / "cities" / "mini.yml").write_text(city, encoding="utf-8")
        (folder / "data" / "imports").mkdir()
        write_import(folder, "antes.csv", ["1,Rosa Quispe,Falta luz en mi cuadra hace días,10/04/2021"])
    return Project(folder)


def write_import(folder: Path, name: str, rows: list[str]) -> None:
    """Drop a CSV file where the city's local source looks for it."""
    (folder / "data" / "imports" / name).write_text("\n".join(["id,autor,texto,fecha", *rows]) + "\n", encoding="utf-8")


def april(project: Project, city_id: str) -> Period:
    """Return the window of the pilot in a city's zone."""
    from datetime import date

    return Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), project.load_city(city_id).zone)


def run_window(
    project: Project, city_id: str, readers: Readers, *, formats: Sequence[str] = ("html",)
) -> tuple[list[SourceOutcome], int, Report]:
    """Collect, annotate and report the pilot's window through the plain functions; return what each gave.

    Without any format, all of them are made, which takes its time.
    """
    city, period = project.load_city(city_id), april(project, city_id)
    with open_warehouse(project.warehouse) as warehouse:
        outcomes = collect(warehouse, project, city, period)
        added = annotate(warehouse, project, city, period, readers)
        finished = report(warehouse, project, city, period, readers, formats=formats)
    return outcomes, added, finished


def run_command(*arguments: str, project: Path, timeout: float = 180, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `escucha` in a process of its own against a project folder."""
    environment = {**os.environ, **environ}
    command = [sys.executable, "-m", "pipelines.cli", *arguments, "--project", str(project)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, cwd=ROOT, check=False)


@pytest.fixture(scope="session")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    """The annotators of the tests' projects, loaded once."""
    return load_readers(make_project(tmp_path_factory.mktemp("readers")))


@pytest.fixture(scope="session")
def shipped_readers() -> Readers:
    """The annotators that the shipped `models.yml` names, loaded once."""
    return load_readers()


@pytest.fixture
def mini_project(tmp_path: Path) -> Project:
    """A project with the small city `mini`."""
    return make_project(tmp_path, mini=True)
