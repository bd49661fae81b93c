from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipykernel.kernelspec import install
from nbclient import NotebookClient

from collectors.period import Period
from pipelines.annotate import annotate
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.report import report
from pipelines.runs import load_readers
from pipelines.starter import make_project
from pipelines.warehouse import open_warehouse, publish

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_explore.ipynb"

pytestmark = pytest.mark.heavy


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("ESCUCHA_SECRET", "a secret of this test only")
    make_project(tmp_path / "project")
    project = Project(tmp_path / "project")
    city = project.load_city("mi-ciudad")
    period = Period.from_dates(date(2025, 3, 1), date(2025, 3, 31), city.zone)
    readers = load_readers()
    with open_warehouse(project.warehouse) as warehouse:
        collect(warehouse, project, city, period)
        annotate(warehouse, project, city, period, readers)
        report(warehouse, project, city, period, readers)
        publish(warehouse, project.published)
    return project


def texts(notebook: Any) -> str:
    """Everything that the notebook shows, without the code."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown.append(output.get("text", ""))
            shown.extend(str(value) for value in output.get("data", {}).values())
    return "\n".join(shown)


def test_notebook_runs_on_a_published_copy(published: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(kernel_name="escucha-test", prefix=str(tmp_path / "jupyter"))  # the interpreter that runs this test
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter" / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("ESCUCHA_PROJECT", str(published.root))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=180, kernel_name="escucha-test", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )

    client.execute()

    shown = texts(notebook)
    assert "Salud" in shown
    assert "mensajes-de-ejemplo" in shown
    assert shown.count("<svg") == 2, "the two charts are drawn in place, without a network"
    assert "Warning" not in shown


def test_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    kept = [n for n, cell in enumerate(notebook.cells) if cell.get("outputs") or cell.get("execution_count")]
    assert not kept, f"cells {kept} hold outputs: clear them with `jupyter nbconvert --clear-output --inplace {NOTEBOOK.name}`"
