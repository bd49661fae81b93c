"""A server of citizens' reports (Open311) on loopback, and a synthetic city that listens to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from collectors.catalog import City
from pipelines.project import Project
from tests.conftest import village_file

SOURCES = """\
  - id: reportes
    platform: open311
    url: http://reportes.test/v2/
    terms: http://reportes.test/terminos
    expect: {min: 0, max: 1000}
    publisher: {name: Reportes de Villa, kind: other, official: false}
    options: {format: json}
"""


class ReportsSite:
    """What the server gives: `rows` as GeoReport v2 writes them; `status` other than 200 makes it fail."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.rows: list[dict[str, str]] = []
        self.status = 200
        self.asked = 0
        site = self

        class _Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                found = parts.path == "/v2/requests.json"
                site.asked += found
                body = json.dumps(site.between(parse_qs(parts.query))).encode() if found else b""
                self.send_response(site.status if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def between(self, query: dict[str, list[str]]) -> list[dict[str, str]]:
        """Return the rows of the dates asked for, both ends included, as the standard has it."""
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("start_date", "end_date"))
        return [row for row in self.rows if start <= datetime.fromisoformat(row["requested_datetime"]) <= end]

    def add(self, number: int, when: str, text: str) -> None:
        """Add a report."""
        self.rows.append({"service_request_id": str(number), "requested_datetime": when, "description": text})


@contextmanager
def villa(folder: Path) -> Iterator[tuple[Project, City, ReportsSite]]:
    """Yield a project with the city Villa, the city, and its server."""
    site: Any = ReportsSite()
    project = Project(folder)
    project.cities.mkdir(parents=True)
    (project.cities / "villa.yml").write_text(
        village_file(site.server.server_address[1], SOURCES, clock="2021-06-03T09:00:00-05:00"), encoding="utf-8"
    )
    try:
        yield project, project.load_city("villa"), site
    finally:
        site.server.shutdown()
        site.server.server_close()
