"""kill -9 at random instants of a run, then a plain rerun: the same content as a run that was never killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.project import Project
from pipelines.warehouse import open_warehouse
from tests.conftest import ROOT, make_project, run_command

pytestmark = pytest.mark.heavy

WINDOW = ("run", "mini", "--from", "2021-04-01", "--to", "2021-04-30")
KILLS = 20

CONTENT = {
    "manifestation": "select * exclude (batch_number) from manifestation order by manifestation_id, version_number",
    "manifestation_text": "select * from manifestation_text order by manifestation_id, version",
    "annotation": "select * exclude (run_id) from annotation order by manifestation_id, version, annotator, task",
    "health": "select distinct source_id, status, item_count from source_health where reason <> 'interrupted' order by all",
    "report": "select * from report order by report_id, channel",
    "report_category": "select * from report_category order by all",
    "report_source": "select * from report_source order by all",
    "report_day": "select * from report_day order by all",
}


def content(project: Project) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that a rerun must restore; run ids and batch numbers are bookkeeping."""
    with open_warehouse(project.warehouse) as warehouse:
        return {name: warehouse.query(sql) for name, sql in CONTENT.items()}


def page(project: Project) -> bytes:
    return (project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html").read_bytes()


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", *WINDOW, "--project", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ})


def test_kill_at_random_instants_then_rerun(tmp_path: Path) -> None:
    template = tmp_path / "template"
    make_project(template, mini=True)
    length = 0.0
    for name in ("first", "whole"):  # the second tells how long a run takes on a machine that has warmed up
        whole = Project(tmp_path / name)
        shutil.copytree(template, whole.root)
        began = time.monotonic()
        done = run_command(*WINDOW, project=whole.root)
        length = time.monotonic() - began
        assert done.returncode == 0, done.stderr
    expected, expected_page = content(whole), page(whole)
    chance = random.Random(20210401)
    killed_at = []
    for number in range(KILLS):
        project = Project(tmp_path / f"killed-{number}")
        shutil.copytree(template, project.root)
        delay = chance.uniform(0.2, length)
        began, process = time.monotonic(), start(project.root)
        try:
            process.wait(delay)
            length = time.monotonic() - began  # the machine has less to do than before: the next kills come earlier
        except subprocess.TimeoutExpired:
            pass
        killed_at.append((round(delay, 2), process.poll() is None))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        again = run_command(*WINDOW, project=project.root)
        assert again.returncode == 0, (delay, again.stderr)
        assert content(project) == expected, f"killed after {delay:.2f} s"
        assert page(project) == expected_page, f"killed after {delay:.2f} s"
        assert not list(project.root.rglob("*.draft"))
        shutil.rmtree(project.root)
    assert sum(running for _, running in killed_at) >= KILLS * 0.7, killed_at
