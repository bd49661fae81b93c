"""kill -9 at random instants of a run, then a plain rerun: the same content as a run that was never killed.

`ESCUCHA_KILLS=200 pytest -m heavy tests/heavy/test_kills.py` kills more often than the 20 times of continuous integration. Every
second kill takes the crawl's own process along; the others leave it to notice by itself that nobody waits for it any more.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.project import Project
from pipelines.warehouse import open_warehouse
from tests.conftest import MINI_CITY, ROOT, block_of, make_project, run_command, write_import

pytestmark = pytest.mark.heavy

WINDOW = ("run", "mini", "--from", "2021-04-01", "--to", "2021-04-30")
KILLS = int(os.environ.get("ESCUCHA_KILLS", "20"))
LANES = min(2, os.cpu_count() or 1)
"""Kills that go on at a time."""

SOURCES = ("blog-ceres", "pagina-mercados")
KEPT_LINES = 60
READERS = """\
tasks:
  category: {annotator: keyword, threshold: 0.25}
  sentiment: {annotator: keyword}
"""

CONTENT = {
    "manifestation": "select * exclude (batch_number, batch_position) from manifestation order by all",
    "manifestation_text": "select * from manifestation_text order by manifestation_id, version",
    "annotation": "select * exclude (run_id) from annotation order by manifestation_id, version, annotator, task",
    "health": "select distinct source_id, status, item_count from source_health where reason <> 'interrupted' order by all",
    "report": "select * from report order by report_id, channel",
    "report_category": "select * from report_category order by all",
    "report_source": "select * from report_source order by all",
    "report_day": "select * from report_day order by all",
}


class Kill(NamedTuple):
    """One killed run."""

    after: float
    """Seconds."""

    running: bool
    """False if the run had ended before."""

    with_crawl: int
    """Processes below it that were killed too."""


def make_template(folder: Path) -> None:
    """Make a project whose run is short: two small sites and a file, read by rules alone."""
    make_project(folder, mini=True)
    (folder / "data" / "models.yml").write_text(READERS, encoding="utf-8")
    cities, served = folder / "data" / "cities", folder / "data" / "pilot" / "served"
    city = (cities / "mini.yml").read_text(encoding="utf-8")
    late = city[city.index("  - id: correo-tardio") :]
    sources = re.sub(r"min: \d+", "min: 1", "".join(map(block_of, SOURCES)))  # fewer lines than a month has
    (cities / "mini.yml").write_text(MINI_CITY + sources + late, encoding="utf-8")
    for path in served.iterdir():
        if path.stem in SOURCES:
            path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:KEPT_LINES]), encoding="utf-8")
        else:
            path.unlink()
    for spare in ("cores", "truth"):
        shutil.rmtree(folder / "data" / "pilot" / spare)
    write_import(folder, "antes.csv", [f"{number},Rosa Quispe,Falta luz en la cuadra {number},10/04/2021" for number in range(9)])


def content(project: Project) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that a rerun must restore; run ids, batch numbers and places in a batch are bookkeeping."""
    with open_warehouse(project.warehouse) as warehouse:
        return {name: warehouse.query(sql) for name, sql in CONTENT.items()}


def differences(found: dict[str, list[tuple[object, ...]]], expected: dict[str, list[tuple[object, ...]]]) -> dict[str, object]:
    """Return table -> the first rows that only one of the two has."""
    return {
        name: ([row for row in rows if row not in expected[name]][:2], [row for row in expected[name] if row not in rows][:2])
        for name, rows in found.items()
        if rows != expected[name]
    }


def page(project: Project) -> bytes:
    return (project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html").read_bytes()


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", *WINDOW, "--project", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ})


def processes_below(pid: int) -> list[int]:
    """Return the numbers of the processes that a process started (Linux; none elsewhere)."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(number) for path in lists for number in path.read_text(encoding="ascii").split()]


def kill(folder: Path, delay: float, *, with_crawl: bool) -> Kill:
    """Kill a run after so many seconds."""
    process = start(folder)
    with suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    running = process.poll() is None
    below = processes_below(process.pid) if running and with_crawl else []
    process.send_signal(signal.SIGKILL)
    for number in below:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait(10)
    return Kill(round(delay, 2), running, len(below))


def kill_and_run_again(
    lane: int, folder: Path, template: Path, expected: tuple[dict[str, Any], bytes], length: float
) -> list[Kill]:
    """Kill a lane's share of the runs, and check after each that a rerun restores everything."""
    chance, kills = random.Random(20210401 + lane), []
    for number in range(lane, KILLS, LANES):
        project = Project(folder / f"killed-{number}")
        shutil.copytree(template, project.root)
        with_crawl = number // LANES % 2 == 0
        latest = 0.6 * length if with_crawl else length  # the crawl ends before the reading begins
        kills.append(kill(project.root, chance.uniform(0.1, latest), with_crawl=with_crawl))
        began = time.monotonic()
        again = run_command(*WINDOW, project=project.root, timeout=900)
        length = 0.5 * length + 0.5 * (time.monotonic() - began)  # what else the machine has to do comes and goes
        assert again.returncode == 0, (kills[-1], again.stderr)
        differing = differences(content(project), expected[0])
        assert not differing, (kills[-1], differing)
        assert page(project) == expected[1], kills[-1]
        assert not list(project.root.rglob("*.draft"))
        shutil.rmtree(project.root)
    return kills


def test_kill_at_random_instants_then_rerun(tmp_path: Path) -> None:
    template = tmp_path / "template"
    make_template(template)
    length = 0.0
    for name in ("first", "whole"):  # the second tells how long a run takes on a machine that has warmed up
        whole = Project(tmp_path / name)
        shutil.copytree(template, whole.root)
        began = time.monotonic()
        done = run_command(*WINDOW, project=whole.root, timeout=900)
        length = time.monotonic() - began
        assert done.returncode == 0, done.stderr
    expected = content(whole), page(whole)
    assert len(expected[0]["manifestation"]) > 2 * KEPT_LINES / 3
    with ThreadPoolExecutor(LANES) as lanes:
        begun = [lanes.submit(kill_and_run_again, lane, tmp_path, template, expected, length) for lane in range(LANES)]
        kills = [one for lane in begun for one in lane.result()]
    running = [one for one in kills if one.running]
    sys.stdout.write(
        f"{len(kills)} kills, {len(running)} of a run under way, {sum(one.with_crawl > 0 for one in running)} with its crawl\n"
    )
    assert len(running) >= KILLS * 0.7, kills
    assert KILLS < 20 or any(one.with_crawl for one in running), kills
