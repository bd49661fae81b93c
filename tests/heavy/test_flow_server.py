"""A Prefect server, a worker and the schedules of `prefect.yaml`, all real and on this machine, over the pilot city.

The server makes the runs, nobody starts one by hand. The pilot's own deployment fires more often than a run takes, so
that the second one collides; a small city with a missing file shows a failed source, and waits for the warehouse.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines.warehouse import open_read_only

pytestmark = pytest.mark.heavy

REPOSITORY = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]
TIME_LIMIT = 900.0
"""Seconds for everything from the server's start to the last answer; tidying up has a minute more."""

EVERY_SECONDS = 15
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}

VILLAGE = """\
id: aldea
name: Aldea
country: PE
official_code: "000000"
timezone: America/Lima
contact: escucha@aldea.test
synthetic: true
defaults:
  legal_basis: Ejercicio de funciones propias
  approved_by: Comité de prueba
  approved_on: 2021-03-24
  retention_days: 30
sources:
  - id: buzon
    platform: file
    url: data/exports/buzon.csv
    terms: http://aldea.test/terminos/
    publisher: {name: Buzón, kind: municipality, official: true}
    expect: {min: 1, max: 10}
    options: {columns: {id: nro, text: [mensaje], date: fecha}}
  - id: perdido
    platform: file
    url: data/exports/perdido.csv
    terms: http://aldea.test/terminos/
    publisher: {name: Archivo perdido, kind: municipality, official: true}
    expect: {min: 1, max: 10}
    options: {columns: {id: nro, text: [mensaje], date: fecha}}
"""


@dataclass(frozen=True)
class Server:
    """A Prefect server that runs, and what a process needs to reach it."""

    api: str
    environment: dict[str, str]
    home: Path
    until: float
    """When its time is up, on the monotonic clock."""

    def ask(self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST") -> Any:
        """Ask its API and return the answer; a server whose database is busy is asked again, as its own clients do."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.api}{path}", data, {"Content-Type": "application/json"}, method=method)
        for _ in range(10):
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
            time.sleep(1)
        pytest.fail(f"{method} {path}: the server's database stays busy")

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        """Return the flow runs of a deployment, oldest first."""
        chosen = {"deployments": {"name": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return list(self.ask("/flow_runs/filter", chosen))

    def finished(self, deployment: str) -> dict[str, Any] | None:
        """Return the first flow run of a deployment that ran to an end, or None."""
        ended = [run for run in self.runs(deployment) if run["state_type"] in TERMINAL - {"CANCELLED"}]
        return ended[0] if ended else None

    def tasks(self, run: dict[str, Any]) -> dict[str, str]:
        """Return task run name -> name of its state."""
        rows = self.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return {row["name"]: row["state_name"] for row in rows}

    def pause(self) -> None:
        """Stop the schedules: what has not begun is dropped."""
        for deployment in self.ask("/deployments/filter", {}):
            self.ask(f"/deployments/{deployment['id']}", {"paused": True}, method="PATCH")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pilot city and a village, with the deployments of the repository on schedules that fire at once."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("cities", "pilot", "places"):
        shutil.copytree(REPOSITORY / "data" / folder, root / "data" / folder)
    (root / "data" / "cities" / "aldea.yml").write_text(VILLAGE, encoding="utf-8")
    (root / "data" / "exports").mkdir()
    (root / "data" / "exports" / "buzon.csv").write_text(
        "nro,fecha,mensaje\n1,01/04/2021,La pista tiene huecos\n", encoding="utf-8"
    )
    document = YAML(typ="safe").load(REPOSITORY / "prefect.yaml")
    given = {
        "report-period": {"city": "ate", "start": "2021-04-01", "end": "2021-04-30"},
        "collect-daily": {"city": "aldea"},
        "retention-daily": {"city": "aldea"},
    }
    for deployment in document["deployments"]:
        deployment["parameters"] = given[deployment["name"]]
        deployment["schedules"] = [{"interval": EVERY_SECONDS}]
    YAML(typ="safe").dump(document, root / "prefect.yaml")
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a free port of this machine, with a home of its own."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ESCUCHA_"))}
    own = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    running = Server(own["PREFECT_API_URL"], {**inherited, **own}, home, time.monotonic() + TIME_LIMIT)
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with background(command, running.environment, cwd=home, log=home / "server.log"):
        wait_for(lambda: healthy(running), until=running.until, log=home / "server.log")
        yield running


@pytest.fixture(scope="module")
def worker(server: Server, project: Path) -> Iterator[Path]:
    """A worker of the pool that `prefect.yaml` names, after everything in it was deployed; gives its log."""
    log = server.home / "worker.log"
    run_prefect(server, project, "work-pool", "create", "escucha", "--type", "process")
    run_prefect(server, project, "deploy", "--all", "--prefect-file", "prefect.yaml")
    # Elsewhere than the project: the runs find their folder by themselves.
    with background([*PREFECT, "worker", "start", "--pool", "escucha"], server.environment, cwd=server.home, log=log):
        yield log
        server.pause()
        wait_for(lambda: not under_way(server), until=time.monotonic() + 30, log=log)


def run_prefect(server: Server, project: Path, *arguments: str) -> None:
    ended = subprocess.run(
        [*PREFECT, *arguments], env=server.environment, cwd=project, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@contextmanager
def background(command: list[str], environment: dict[str, str], *, cwd: Path, log: Path) -> Iterator[None]:
    """Run a command in a process group of its own, and leave none of it behind."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=file, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_for(met: Callable[[], Any], *, until: float, log: Path) -> Any:
    """Return the first true answer; fail with the end of a log if there is none in time."""
    while time.monotonic() < until:
        if answer := met():
            return answer
        time.sleep(1)
    pytest.fail(f"the time is up; {log.name} ends with:\n{log.read_text(errors='replace')[-4000:]}")


def healthy(server: Server) -> bool:
    try:
        return server.ask("/health", method="GET") is True
    except urllib.error.URLError:
        return False


def under_way(server: Server) -> list[Any]:
    return list(
        server.ask("/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}})
    )


def collided(server: Server) -> bool:
    """Tell whether the report's second run has met its first, and the collection has begun."""
    begun = any(run["state_type"] in {"PENDING", "RUNNING", "COMPLETED"} for run in server.runs("collect-daily"))
    return begun and any(run["state_type"] == "CANCELLED" for run in server.runs("report-period"))


def test_scheduled_runs_collect_report_and_do_not_overlap(server: Server, project: Path, worker: Path) -> None:
    wait_for(lambda: collided(server), until=server.until, log=worker)
    server.pause()
    report = wait_for(lambda: server.finished("report-period"), until=server.until, log=worker)
    collection = wait_for(lambda: server.finished("collect-daily"), until=server.until, log=worker)

    for run in (report, collection):
        assert run["auto_scheduled"] is True
        assert run["created_by"]["type"] == "SCHEDULE"
        assert run["state_type"] == "COMPLETED", run["state"]
    check_overlaps(server.runs("report-period"))
    check_sources(server, project, report)
    assert collection["state_name"] == "Partial"
    assert server.tasks(collection) == {"collect": "Completed", "buzon": "Completed", "perdido": "Failed"}
    check_artifact(server, project, report)
    check_report_row(project, report)
    check_no_text_left(server, project)


def check_overlaps(runs: list[dict[str, Any]]) -> None:
    """See that no two runs of a deployment ran at once, and that those cancelled were so because another one was on."""
    ran = [run for run in runs if run["state_type"] in {"RUNNING", "COMPLETED"}]
    for earlier, later in pairwise(sorted(ran, key=lambda run: str(run["start_time"]))):
        assert earlier["end_time"] is not None
        assert earlier["end_time"] <= later["start_time"]
    cancelled = [run for run in runs if run["state_type"] == "CANCELLED"]
    assert {run["state"]["message"] for run in cancelled} == {"Deployment concurrency limit reached."}
    assert {run["total_run_time"] for run in cancelled} == {0}


def check_sources(server: Server, project: Path, run: dict[str, Any]) -> None:
    """See one task run for each source of the pilot city beside the four steps, and the run named after the worst of them."""
    shown = server.tasks(run)
    assert set(shown) == source_ids(project) | {"collect", "annotate", "report", "publish"}
    assert run["state_name"] == ("Partial" if {"Partial", "Failed"} & set(shown.values()) else "Completed")


def check_artifact(server: Server, project: Path, run: dict[str, Any]) -> None:
    """See the run's account of its sources, with the page that it names in place."""
    artifacts = server.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    (account,) = [artifact["data"] for artifact in artifacts if artifact["key"] == "ate-report"]
    assert not [source_id for source_id in source_ids(project) if f"\n| {source_id} | " not in account]
    (page,) = [line.split("`")[1] for line in account.splitlines() if line.startswith("- page:")]
    assert Path(page).is_file()


def source_ids(project: Path) -> set[str]:
    return {source["id"] for source in YAML(typ="safe").load(project / "data" / "cities" / "ate.yml")["sources"]}


def check_report_row(project: Path, run: dict[str, Any]) -> None:
    """See the report of exactly the month in the published copy, with the count that the run's last word gives."""
    sql = (
        "select period_start, period_end, manifestation_count, source_planned_count"
        " from report where city = 'ate' and channel = 'online'"
    )
    with open_read_only(project / "data" / "published" / "escucha.duckdb") as copy:
        rows = copy.query(sql)
    ((start, end, counted, planned),) = rows
    assert (start, end) == (datetime(2021, 4, 1, 5, tzinfo=UTC), datetime(2021, 5, 1, 5, tzinfo=UTC))
    assert counted > 5_000
    assert planned == 25
    assert run["state"]["message"].startswith(f"{counted} manifestations counted of ")


def check_no_text_left(server: Server, project: Path) -> None:
    """Look for the people's words in everything that the flow engine wrote: its database, its storage and its logs."""
    with open_read_only(project / "data" / "published" / "escucha.duckdb") as copy:
        texts = [text for (text,) in copy.query("select text from manifestation_text using sample 300 rows (reservoir, 7)")]
    runs_of_ascii = [max(text.encode("ascii", "replace").replace(b"\n", b"?").split(b"?"), key=len) for text in texts]
    canaries = [run for run in runs_of_ascii if len(run) >= 30]
    assert len(canaries) > 50
    kept = b"".join(file.read_bytes() for file in sorted(server.home.rglob("*")) if file.is_file())
    assert b"foro-ate" in kept
    assert not [canary for canary in canaries if canary in kept]
