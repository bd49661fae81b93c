"""What a collection remembers of a source, and what a backfill leaves alone: over a server that knows validators."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collectors.catalog import City
from collectors.period import Period
from pipelines.collect import collect, load_memories
from pipelines.project import Project
from pipelines.warehouse import open_warehouse
from tests.conftest import village_file

FEED = """<rss version="2.0"><channel><title>Foro</title>
<item><guid>m1</guid><pubDate>Mon, 05 Apr 2021 10:00:00 -0500</pubDate><description>Falta luz en la cuadra</description></item>
</channel></rss>"""

SOURCES = """\
  - id: foro
    platform: feed
    url: http://foro.test/feed.xml
    terms: http://foro.test/terminos
    expect: {min: 0, max: 10}
    publisher: {name: Foro, kind: forum, official: false}
    options: {entries: manifestation}
"""


class _Handler(BaseHTTPRequestHandler):
    conditions: list[str | None] = []  # noqa: RUF012 (one server a test)

    def do_GET(self) -> None:
        feed = self.path == "/feed.xml"
        condition = self.headers.get("If-None-Match")
        if feed:
            self.conditions.append(condition)
        same = feed and condition == '"v1"'
        self.send_response(304 if same else 200 if feed else 404)
        self.send_header("ETag", '"v1"')
        body = FEED.encode() if feed and not same else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def villa(tmp_path: Path) -> Iterator[tuple[Project, City]]:
    _Handler.conditions.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    project = Project(tmp_path)
    project.cities.mkdir(parents=True)
    (project.cities / "villa.yml").write_text(village_file(server.server_address[1], SOURCES), encoding="utf-8")
    yield project, project.load_city("villa")
    server.shutdown()
    server.server_close()


def _month(city: City, month: int) -> Period:
    return Period.from_dates(date(2021, month, 1), date(2021, month, 28), city.zone)


def test_an_unchanged_document_is_asked_for_once_and_keeps_its_outcome(villa: tuple[Project, City]) -> None:
    project, city = villa
    with open_warehouse(project.warehouse) as warehouse:
        for _ in range(2):
            collect(warehouse, project, city, _month(city, 4))
        assert _Handler.conditions == [None, '"v1"']
        health = warehouse.query("select status, reason, item_count from source_health order by batch_number")
        assert health == [("ok", "none", 1)] * 2
        assert warehouse.query("select item_count from batch order by batch_number") == [(1,), (0,)]
        assert warehouse.query("select count(*) from manifestation") == [(1,)]


def test_a_backfill_reads_everything_and_moves_no_cursor(villa: tuple[Project, City]) -> None:
    project, city = villa
    with open_warehouse(project.warehouse) as warehouse:
        collect(warehouse, project, city, _month(city, 4))
        kept = warehouse.query("select * from source_memory order by all")
        assert kept
        assert load_memories(warehouse, city, _month(city, 3)) == {}
        collect(warehouse, project, city, _month(city, 3))
        assert _Handler.conditions == [None, None]
        assert warehouse.query("select * from source_memory order by all") == kept
        assert set(load_memories(warehouse, city, _month(city, 5))) == {"foro"}
