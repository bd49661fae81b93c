"""A small web on loopback, and crawls of synthetic cities over it in the real crawl process."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.health import SourceHealth
from collectors.items import Manifestation
from collectors.spool import complete_sources, load_health, load_items, spool_paths

ROOT = Path(__file__).resolve().parent.parent.parent
START, END = "2021-04-01T00:00:00-05:00", "2021-05-01T00:00:00-05:00"
SECRET = "a-test-secret-of-thirty-characters"


class Reply(NamedTuple):
    """One answer of a site."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0


class Seen(NamedTuple):
    """One request that a server got."""

    host: str
    path: str
    query: dict[str, list[str]]
    agent: str
    begun: float
    ended: float
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in small letters."""

    body: bytes = b""


Site = Callable[..., Reply | None]
"""Called with path and query, and with the whole `Seen` (its end not yet known) if it takes three arguments."""


@dataclass
class Web:
    """Sites by host name on one loopback port; what a site does not know is 404."""

    sites: dict[str, Site] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = _Server(("127.0.0.1", 0), _Handler)
        self.http.web = self
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.http.server_address[1])

    def pages(self, host: str) -> list[Seen]:
        """Return the requests to a host, robots.txt left out."""
        return [seen for seen in self.seen if seen.host == host and seen.path != "/robots.txt"]

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # every source of a crawl knocks at once
    web: Web

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        host = self.headers["Host"].partition(":")[0]
        parts, begun = urlsplit(self.path), time.monotonic()
        query = parse_qs(parts.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        agent = headers.get("user-agent", "")
        asked = Seen(host, parts.path, query, agent, begun, begun, self.command, headers, body)
        site = self.server.web.sites.get(host)
        whole = site is not None and len(inspect.signature(site).parameters) == 3
        reply = (site(parts.path, query, *([asked] if whole else [])) if site else None) or Reply(b"404", status=404)
        try:
            time.sleep(reply.delay)
            self.send_response(reply.status)
            for name, value in (("Content-Type", reply.content_type), *reply.headers):
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
        finally:
            self.server.web.seen.append(asked._replace(ended=time.monotonic()))
        self.wfile.write(reply.body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@dataclass
class Crawled:
    """What a crawl process left behind."""

    spool: Path
    log: str
    returncode: int
    seconds: float

    def items(self, source_id: str) -> list[Manifestation]:
        return list(load_items(self.spool, source_id))

    def people(self, source_id: str) -> dict[str, Manifestation]:
        """Return native id -> item of those that are a person's message."""
        return {str(item.native_id): item for item in self.items(source_id) if item.kind == "manifestation"}

    def health(self, source_id: str) -> SourceHealth:
        return load_health(self.spool, source_id)

    def outcome(self, source_id: str) -> tuple[str, str]:
        health = self.health(source_id)
        return health.status, health.reason

    def written(self) -> str:
        """Return everything that was written: spool, health and log."""
        files = [path for path in sorted(self.spool.iterdir()) if path.name != "request.json"]
        return self.log + "".join(path.read_text(encoding="utf-8") for path in files)


@dataclass
class Running:
    """A crawl process that may still run."""

    process: subprocess.Popen[bytes]
    spool: Path
    log: Path
    begun: float

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def wait(self, timeout: float = 300) -> Crawled:
        try:
            returncode = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return Crawled(self.spool, self.log.read_text(encoding="utf-8"), returncode, time.monotonic() - self.begun)


def make_source(source_id: str, platform: str, url: str, **fields: Any) -> dict[str, Any]:
    """Return the entry of one source, with whatever the test does not care about filled in."""
    publisher = {"name": "Una página", "kind": "other", "official": False, **fields.pop("publisher", {})}
    terms, expect = "http://terminos.test/", {"min": 0, "max": 100_000}
    return {"id": source_id, "platform": platform, "url": url, "terms": terms, "expect": expect, "publisher": publisher, **fields}


def make_city(sources: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return the document of a synthetic city."""
    return {
        "id": "prueba",
        "name": "Prueba",
        "country": "PE",
        "official_code": "150103",
        "timezone": "America/Lima",
        "contact": "buzon@municipio.test",
        "synthetic": True,
        "hosts": {"*.test": "replay"},
        "defaults": {"legal_basis": "Prueba", "approved_by": "Prueba", "approved_on": "2021-03-24", "retention_days": 30},
        "sources": sources,
        **fields,
    }


def begin_crawl(
    folder: Path,
    web: Web,
    sources: list[dict[str, Any]],
    *,
    city: dict[str, Any] | None = None,
    hosts: dict[str, str] | None = None,
    driver: str | None = None,
    secret: str = SECRET,
    environ: dict[str, str] | None = None,
    memory: dict[str, dict[str, str]] | None = None,
    window: tuple[str, str] = (START, END),
    extra: dict[str, Any] | None = None,
) -> Running:
    """Start `python -m collectors.crawl` (or a driver around it) on a city of these sources; `extra` goes into its request."""
    spool = folder / "spool"
    spool.mkdir(parents=True)
    city_file = folder / "prueba.yml"
    city_file.write_text(json.dumps(make_city(sources, **(city or {})), ensure_ascii=False), encoding="utf-8")
    request = {
        "city_file": str(city_file),
        "project": str(folder.parent / "project"),
        "sources": [source["id"] for source in sources],
        "start": window[0],
        "end": window[1],
        "memory": memory or {},
        "spool": str(spool),
        "hosts": {**(hosts or {}), "*.test": f"127.0.0.1:{web.port}"},
        **(extra or {}),
    }
    (spool / "request.json").write_text(json.dumps(request), encoding="utf-8")
    module = ["-c", driver] if driver else ["-m", "collectors.crawl"]
    log = folder / "crawl.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *module, str(spool / "request.json")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env={**os.environ, "ESCUCHA_SECRET": secret, **(environ or {})},
        )
    return Running(process, spool, log, time.monotonic())


class Lab(NamedTuple):
    """The tools of this folder, for tests that cannot import them."""

    web: Web
    folder: Path
    Reply: type[Reply]
    source: Callable[..., dict[str, Any]]
    city: Callable[..., dict[str, Any]]
    secret: str

    @property
    def project(self) -> Path:
        """Return the project folder of every crawl of the module."""
        return self.folder / "project"

    def begin(self, sources: list[dict[str, Any]], **options: Any) -> Running:
        number = len(list(self.folder.glob("crawl-*")))
        return begin_crawl(self.folder / f"crawl-{number}", self.web, sources, **options)

    def crawl(self, sources: list[dict[str, Any]], **options: Any) -> Crawled:
        crawled = self.begin(sources, **options).wait()
        assert crawled.returncode == 0, crawled.log
        assert complete_sources(crawled.spool) == sorted(source["id"] for source in sources), crawled.log
        assert not list(crawled.spool.glob("*.partial"))
        assert all(spool_paths(crawled.spool, source["id"]).items.is_file() for source in sources)
        return crawled


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A web of its own for each test module, and the way to crawl it."""
    web = Web()
    yield Lab(web, tmp_path_factory.mktemp("lab"), Reply, make_source, make_city, SECRET)
    web.close()
