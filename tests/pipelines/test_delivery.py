"""Delivery of the headline: to whom the city names, over real HTTP to this machine, without ever telling the target."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import City, Delivery
from pipelines.delivery import deliver, write_message
from pipelines.project import Project
from tests.conftest import ROOT, make_project, run_command
from tests.pipelines.exports_input import HOSTILE, ate, make_input, renamed

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise, of Python 3.13

SECRET = "clave-muy-secreta"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self) -> None:
        """Read and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver(answer: int = 200) -> Iterator[ThreadingHTTPServer]:
    """A web hook on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answer = [], answer  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project folder."""
    return make_project(tmp_path, mini=True)


@pytest.fixture
def page(project: Project) -> Path:
    """The page of a report."""
    return written(project, ate())


def written(project: Project, city: City) -> Path:
    """Write the page of a filled report of a city."""
    path = project.reports / "ate" / "2021-04-01_2021-04-30" / "informe.html"
    path.parent.mkdir(parents=True)
    path.write_text(make_input(city=city).page_html, encoding="utf-8")
    return path


def told(names: list[dict[str, Any]]) -> City:
    """Return Ate with these deliveries."""
    return ate().model_copy(update={"deliver": tuple(Delivery.model_validate(name) for name in names)})


def test_message_is_two_sentences_and_where_the_report_is(project: Project, page: Path) -> None:
    message = write_message(Delivery(to="env:AVISO"), project, page)
    assert message.title == "Ate, del 1 al 30 de abril de 2021 (datos sintéticos)"
    assert message.body.replace("\u00a0", " ").split("\n") == [
        "Transporte y tránsito es la categoría con más expresiones: 705 de las 5,796 contadas, 12 % sin corregir.",
        "De 594 de las 5,796 expresiones contadas, 10 % sin corregir, no sabemos qué asunto municipal tratan:"
        " quedaron sin clasificar o en «Otros».",
        "data/reports/ate/2021-04-01_2021-04-30/informe.html",
    ]
    linked = write_message(Delivery(to="env:AVISO", link="https://informes.municipio.example/ate/"), project, page)
    assert linked.body.endswith("\nhttps://informes.municipio.example/ate/ate/2021-04-01_2021-04-30/informe.html")


def test_headline_arrives_and_the_target_is_told_nowhere(
    project: Project, page: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    city = told([{"to": "env:AVISO"}, {"to": "env:SIN_PONER"}, {"to": "env:ROTO"}, {"to": "env:CERRADO"}])
    with receiver() as server, caplog.at_level(logging.DEBUG):
        port = server.server_address[1]
        environ = {
            "AVISO": f"json://usuario:{SECRET}@127.0.0.1:{port}/aviso",
            "ROTO": f"nada://{SECRET}",
            "CERRADO": f"json://usuario:{SECRET}@127.0.0.1:9/",
        }
        outcomes = deliver(city, project, page, environ=environ)
        ((path, document),) = server.got  # type: ignore[attr-defined]
    assert path == "/aviso"
    assert document["title"] == "Ate, del 1 al 30 de abril de 2021 (datos sintéticos)"
    assert document["message"].startswith("Transporte y tránsito es la categoría")
    assert [(outcome.target, outcome.ok) for outcome in outcomes] == [
        ("AVISO", True),
        ("SIN_PONER", False),
        ("ROTO", False),
        ("CERRADO", False),
    ]
    assert [outcome.said for outcome in outcomes] == [
        "sent",
        "the environment variable SIN_PONER is not set",
        "ROTO holds no address that Apprise knows",
        "was not accepted, or nobody answered",
    ]
    shown = capfd.readouterr()
    assert SECRET not in caplog.text + shown.out + shown.err + repr(outcomes)


def test_a_refusal_is_told(project: Project, page: Path) -> None:
    with receiver(500) as server:
        environ = {"AVISO": f"json://127.0.0.1:{server.server_address[1]}/"}
        (outcome,) = deliver(told([{"to": "env:AVISO"}]), project, page, environ=environ)
    assert not outcome.ok


def test_hostile_words_arrive_as_words(project: Project) -> None:
    city = renamed(ate(), HOSTILE).model_copy(update={"name": HOSTILE})
    page = written(project, city)
    with receiver() as server:
        environ = {"AVISO": f"json://127.0.0.1:{server.server_address[1]}/"}
        deliver(told([{"to": "env:AVISO"}]), project, page, environ=environ)
        ((_, document),) = server.got  # type: ignore[attr-defined]
    assert "<script>alert(1)</script>" in document["title"]
    assert "\u202e" not in document["title"]


def test_nothing_is_loaded_or_sent_where_the_city_names_nobody(project: Project, page: Path) -> None:
    assert deliver(ate(), project, page, environ={}) == []
    program = "import sys, pipelines.delivery, pipelines.report_commands; print('apprise' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("entry", ["{to: 'json://clave@x'}", "{to: AVISO}", "{to: 'env:AVISO', link: 'ftp://x'}"])
def test_an_address_in_the_file_is_refused(project: Project, entry: str) -> None:
    file = project.city_file("mini")
    file.write_text(file.read_text(encoding="utf-8") + f"\ndeliver: [{entry}]\n", encoding="utf-8")
    done = run_command("run", "mini", "--from", "2021-04", "--dry-run", project=project.root)
    assert done.returncode == 2
    assert "deliver[1]" in done.stderr


def test_a_run_delivers_a_new_report_once_and_a_failure_changes_nothing(project: Project) -> None:
    file = project.city_file("mini")
    original = file.read_text(encoding="utf-8")
    file.write_text(original + "\ndeliver: [{to: 'env:AVISO'}, {to: 'env:CAIDO'}]\n", encoding="utf-8")
    with receiver() as server:
        targets = {"AVISO": f"json://127.0.0.1:{server.server_address[1]}/", "CAIDO": f"json://x:{SECRET}@127.0.0.1:9/"}
        first = run_command("run", "mini", "--from", "2021-04", "--json", project=project.root, **targets)
        second = run_command("run", "mini", "--from", "2021-04", "--json", project=project.root, **targets)
        assert len(server.got) == 1  # type: ignore[attr-defined]
    assert first.returncode == second.returncode == 0, first.stderr
    assert "delivery to AVISO: sent" in first.stderr
    assert "delivery to CAIDO: was not accepted, or nobody answered" in first.stderr
    assert SECRET not in first.stderr + first.stdout
    assert [row["ok"] for row in json.loads(first.stdout)["deliveries"]] == [True, False]
    assert json.loads(second.stdout)["deliveries"] == []
    assert json.loads(first.stdout)["report_id"] == json.loads(second.stdout)["report_id"]
