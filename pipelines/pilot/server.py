"""The replay server: all sites of the synthetic month on one loopback port, told apart by the Host header."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.pilot.records import Served, load_served
from pipelines.pilot.wire import Answer, PostedFormat, WireFormat, html_answer
from pipelines.pilot.wire_decidim import DecidimSite
from pipelines.pilot.wire_discourse import DiscourseSite
from pipelines.pilot.wire_feed import FeedSite
from pipelines.pilot.wire_file import FileSite
from pipelines.pilot.wire_isso import IssoSite
from pipelines.pilot.wire_mastodon import MastodonSite
from pipelines.pilot.wire_open311 import Open311Site
from pipelines.pilot.wire_page import PageSite
from pipelines.pilot.wire_phpbb import PhpbbSite
from pipelines.pilot.wire_telegram import TelegramSite
from pipelines.pilot.wire_wordpress import WordPressSite

FORMATS: dict[str, Callable[[Served], WireFormat]] = {
    "wordpress": WordPressSite,
    "rss": FeedSite,
    "atom": FeedSite,
    "comment_list": PageSite,
    "microdata": PageSite,
    "opinions": PageSite,
    "phpbb": PhpbbSite,
    "discourse": DiscourseSite,
    "isso": IssoSite,
    "decidim": DecidimSite,
    "open311": Open311Site,
    "mastodon": MastodonSite,
    "telegram": TelegramSite,
    "csv": FileSite,
    "xlsx": FileSite,
}
"""Wire -> class; each is called with a `Served`."""

NOT_FOUND = html_answer("<!DOCTYPE html><title>404</title><h1>404</h1>", status=404)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong at one host; whatever is not given stays as it is."""

    status: int | None = None
    delay: float = 0.0
    """Seconds before the answer."""
    body: bytes | None = None
    content_type: str = "text/html; charset=UTF-8"
    drop: bool = False
    """True: the connection is closed without an answer."""
    path: str | None = None
    """Only this path; None = every path of the host but robots.txt."""


class SeenRequest(NamedTuple):
    """One request that the server got."""

    host: str
    path: str
    user_agent: str
    at: float
    """Seconds on the monotonic clock."""


class ReplayServer:
    """Serves a folder of served records on 127.0.0.1 while the `with` block runs."""

    def __init__(self, folder: Path, faults: Mapping[str, Fault] | None = None) -> None:
        """Prepare the sites.

        Args:
            folder: holds one `<source_id>.jsonl` for each source.
            faults: host -> what goes wrong there. May be changed while the server runs.

        Raises:
            ValueError: if the folder holds no record file, or one of them is not readable.
        """
        paths = sorted(folder.glob("*.jsonl"))
        if not paths:
            raise ValueError(f"{folder} holds no *.jsonl; make them with `python -m pipelines.pilot.compose`")
        self.faults: dict[str, Fault] = dict(faults or {})
        self.requests: list[SeenRequest] = []
        self.sites: dict[str, list[WireFormat]] = {}
        for path in paths:
            served = load_served(path)
            self.sites.setdefault(served.site.host, []).append(FORMATS[served.site.wire](served))
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.replay = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self._http.server_address[1])

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop and free the port."""
        self._http.shutdown()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Free the port of a server that was never entered, or is done."""
        self._http.server_close()

    def answer(self, host: str, target: str, body: bytes | None = None) -> Answer:
        """Return the answer to a request target such as "/temas/?page=2" at a host (pure); with a body, to a POST."""
        parts = urlsplit(target)
        path, query = unquote(parts.path) or "/", parse_qs(parts.query, keep_blank_values=True)
        if host not in self.sites:
            return NOT_FOUND
        if path == "/robots.txt":
            return Answer(self._robots(host).encode(), "text/plain; charset=UTF-8")
        for site in self.sites[host]:
            if body is None:
                answer = site.answer(path, query)
            else:
                answer = site.post(path, body) if isinstance(site, PostedFormat) else None
            if answer is not None:
                return answer
        return NOT_FOUND

    def _robots(self, host: str) -> str:
        closed = [str(site.site.options["closed"]) for site in self.sites[host] if "closed" in site.site.options]
        return "User-agent: *\n" + ("".join(f"Disallow: {path}\n" for path in closed) or "Allow: /\n")


class _Server(ThreadingHTTPServer):
    """Carries the replay to the handler."""

    daemon_threads = True
    request_queue_size = 64
    replay: ReplayServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent when a client hangs up; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server
    server_version = "replay"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer GET."""
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        """Answer HEAD: as GET, without the body."""
        self._reply(with_body=False)

    def do_POST(self) -> None:
        """Answer POST: what is asked stands in the body."""
        length = self.headers.get("Content-Length", "")
        self._reply(with_body=True, posted=self.rfile.read(int(length)) if length.isdecimal() else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error silent: requests are kept in memory."""

    def _reply(self, *, with_body: bool, posted: bytes | None = None) -> None:
        replay = self.server.replay
        host = self.headers.get("Host", "").partition(":")[0].lower()
        replay.requests.append(SeenRequest(host, self.path, self.headers.get("User-Agent", ""), time.monotonic()))
        answer = replay.answer(host, self.path, posted)
        fault = replay.faults.get(host)
        if fault is not None and (fault.path == self.path if fault.path else self.path != "/robots.txt"):
            time.sleep(fault.delay)
            if fault.drop:
                self.close_connection = True
                return
            answer = _spoilt(answer, fault)
        if self.headers.get("If-None-Match") == answer.etag and answer.status == 200:
            answer = Answer(answer.body, answer.content_type, 304, answer.headers)
        self._send(answer, with_body=with_body)

    def _send(self, answer: Answer, *, with_body: bool) -> None:
        self.send_response(answer.status)
        self.send_header("ETag", answer.etag)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if with_body and answer.status != 304:
            self.wfile.write(answer.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header."""
        moment = datetime.now(UTC) if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
        return format_datetime(moment, usegmt=True)


def _spoilt(answer: Answer, fault: Fault) -> Answer:
    if fault.body is not None:
        return Answer(fault.body, fault.content_type, fault.status or 200)
    if fault.status is not None:
        return Answer(f"{fault.status}".encode(), "text/plain; charset=UTF-8", fault.status)
    return answer
