"""kill -9 at chosen file operations of `escucha retention apply`: what is left is whole, and running it again finishes."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.project import Project
from pipelines.retention import apply_retention
from pipelines.rewriting import draft_of
from pipelines.warehouse import open_warehouse, publish
from tests.conftest import ROOT
from tests.pipelines.villa import BLOG, FORUM, serve_village

DRIVER = """
import os, pathlib, signal, sys
limit, done = int(sys.argv.pop(1)), 0
def counted(operation):
    def replacement(*given, **named):
        global done
        done += 1
        if done == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return operation(*given, **named)
    return replacement
for name in ("replace", "unlink"):
    setattr(pathlib.Path, name, counted(getattr(pathlib.Path, name)))
os.fsync = counted(os.fsync)
from pipelines.cli import app
app(standalone_mode=False)
print(done)
"""
KEPT = "select * exclude (author_key, url, text_digest) from manifestation order by all"


@pytest.fixture(scope="module")
def overdue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A village whose forum is past its days, with an archive, a published copy and a copy from before a migration."""
    with serve_village(tmp_path_factory.mktemp("overdue") / "project") as village:
        village.write_city(extra="archive: true")
        village.collect()
        with open_warehouse(village.project.warehouse) as warehouse:
            publish(warehouse, village.project.published)
        shutil.copy2(village.project.warehouse, village.project.warehouse.with_suffix(".before-006.duckdb"))
        village.write_city(clock="2021-06-05T09:00:00-05:00", extra="archive: true")
        path = village.project.cities / "villa.yml"
        head, tail = path.read_text(encoding="utf-8").rsplit("archive: true", 1)
        path.write_text(f"{head}retention_days: 90{tail}", encoding="utf-8")
        yield village.project


def start(project: Project, limit: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DRIVER, str(limit), "retention", "apply", "villa", "--json", "--project", str(project.root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT, env={**os.environ}, check=False)


def facts(project: Project) -> dict[str, Any]:
    """Return what every way to the end must lead to; what is made with a salt is another each time."""
    with open_warehouse(project.warehouse) as warehouse:
        return {
            "kept": [row for row in warehouse.query(KEPT)],
            "texts": warehouse.query("select * from manifestation_text order by all"),
            "told": warehouse.query("select source_id, reason, item_count from erasure order by all"),
            "authors": warehouse.query("select source_id, count(distinct author_key) from manifestation group by 1 order by 1"),
        }


def places(project: Project) -> list[str]:
    """Return the names of the files in which words of the forum stand; archives are unpacked."""
    files = sorted(path for path in project.root.rglob("*") if path.is_file())
    return [path.name for path in files if any(post.text.encode() in unpacked(path) for post in FORUM)]


def unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def apply(project: Project) -> None:
    with open_warehouse(project.warehouse) as warehouse:
        apply_retention(warehouse, project, project.load_city("villa"))


@pytest.fixture(scope="module")
def finished(overdue: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """How many file operations one application makes, and what it leads to."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    shutil.copytree(overdue.root, project.root)
    done = start(project, 0)
    assert done.returncode == 0, done.stderr
    assert places(project) == []
    return int(done.stdout.splitlines()[-1]), facts(project)


def check_kill(overdue: Project, finished: tuple[int, dict[str, Any]], folder: Path, limit: int) -> None:
    """Kill an application at its operation `limit`, look at what is left, and see that another one finishes."""
    project = Project(folder / f"killed-{limit}")
    shutil.copytree(overdue.root, project.root)
    killed = start(project, limit)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with open_warehouse(project.warehouse) as warehouse:
        ((texts,),) = warehouse.query("select count(*) from manifestation_text")
        ((erased,),) = warehouse.query("select count(*) from manifestation where erased_at is not null")
    assert (texts, erased) in {(len(FORUM) + len(BLOG), 0), (len(BLOG), len(FORUM))}
    apply(project)
    assert places(project) == []
    assert facts(project) == finished[1]
    assert not list(project.root.rglob("*.draft*"))
    assert not draft_of(project).exists()
    shutil.rmtree(project.root)


@pytest.mark.parametrize("part", [0.0, 0.4, 0.7, 1.0])
def test_a_killed_application_is_finished_by_another(
    overdue: Project, finished: tuple[int, dict[str, Any]], tmp_path: Path, part: float
) -> None:
    check_kill(overdue, finished, tmp_path, 1 + round(part * (finished[0] - 1)))


@pytest.mark.heavy
def test_a_kill_at_every_file_operation(overdue: Project, finished: tuple[int, dict[str, Any]], tmp_path: Path) -> None:
    assert finished[0] >= 10
    for limit in range(1, finished[0] + 1):
        check_kill(overdue, finished, tmp_path, limit)


def test_a_disk_without_room_changes_nothing(overdue: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.rewriting import DiskTooSmallError

    project = Project(tmp_path / "project")
    shutil.copytree(overdue.root, project.root)
    before = {path: path.read_bytes() for path in project.root.rglob("*.jsonl")}
    usage = shutil.disk_usage(project.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskTooSmallError, match="nothing was changed"):
        apply(project)
    assert {path: path.read_bytes() for path in project.root.rglob("*.jsonl")} == before
    found = places(project)
    assert len(found) == 5, found  # the warehouse, its two copies, the spool and the archive
