"""Sources that want to break a crawl, beside good ones that must not notice: packed, expanding, deep, slow and endless."""

from __future__ import annotations

import gzip
import json
import re
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import brotli
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEGABYTE = 1 << 20
UNFOLDED = 1024
"""Megabytes that each packed bomb unfolds to."""

MOST_RESIDENT = 400 * 1_000_000
FEED, PAGE, JSON_TYPE = "application/rss+xml", "text/html; charset=utf-8", "application/json"
MESSAGES = {"entries": "manifestation"}
LINKED = {
    "markup": "selectors",
    "article_links": "a.nota",
    "next_page": "a.sigue",
    "comment": {"item": "div.op", "id": "@id", "author": "b", "text": "p"},
    "more_comments": "a.mas",
}
SECRET_LINE = "renglón-que-nadie-publica"
# Time limits that a test can wait for; everything else is as in a real crawl.
DRIVER = """
import sys
from pathlib import Path
import collectors.crawl as crawl
settings = crawl.crawl_settings
crawl.crawl_settings = lambda *given, **named: {**settings(*given, **named), "DOWNLOAD_TIMEOUT": 12}
crawl.main(Path(sys.argv[1]))
"""

Serve = Callable[["_Hostile", str, dict[str, list[str]]], None]


class _Hostile(BaseHTTPRequestHandler):
    """Writes what a site's function writes, whatever that is."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        host, parts = self.headers["Host"].partition(":")[0], urlsplit(self.path)
        self.close_connection = True
        if parts.path == "/robots.txt" and host != "robots.test":
            self.reply(b"", status=404)
        else:
            with suppress(OSError):
                self.server.sites[host](self, parts.path, parse_qs(parts.query))

    def reply(self, body: bytes, content_type: str = PAGE, *, status: int = 200, **headers: str) -> None:
        self.begin(content_type, status=status, length=len(body), **headers)
        self.wfile.write(body)

    def begin(self, content_type: str = PAGE, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    sites: dict[str, Serve]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what is wanted."""


def deflated(*, wbits: int) -> bytes:
    """Return a gigabyte of zeros, deflated; the flushed blocks of a stream can be repeated as they are."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    zeros = bytes(MEGABYTE)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (UNFOLDED - 1) + packer.flush()


def with_brotli() -> bytes:
    packer, zeros = brotli.Compressor(quality=1), bytes(MEGABYTE)
    return b"".join(packer.process(zeros) + packer.flush() for _ in range(UNFOLDED)) + packer.finish()


PACKED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", lambda: deflated(wbits=31)),
    "deflate": ("deflate", lambda: deflated(wbits=15)),
    "brotli": ("br", with_brotli),
    "zstandard": ("zstd", lambda: zstd.compress(bytes(MEGABYTE)) * UNFOLDED),
    "doble": ("gzip, gzip", lambda: gzip.compress(deflated(wbits=31))),
}


def item(body: str) -> bytes:
    return f"<item><guid>1</guid><description>{body}</description></item>".encode()


def feed(entries: bytes, before: str = "") -> bytes:
    return f"<?xml version='1.0'?>{before}<rss version='2.0'><channel>".encode() + entries + b"</channel></rss>"


LAUGHS = "<!DOCTYPE r [<!ENTITY a0 'ja'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)) + "]>"
QUADRATIC = f"<!DOCTYPE r [<!ENTITY a '{'ja' * 50_000}'>]>"
NESTED = b"<div class=op id=a><b>A</b><p class=x><div><p>b"
"""Comments inside comments: each selector looks through all of the others."""


def always(body: bytes, content_type: str = FEED, **headers: str) -> Serve:
    return lambda site, path, query: site.reply(body, content_type, **headers)


def thread(body: bytes) -> Serve:
    """A site with one topic."""
    return lambda site, path, query: site.reply(b'<a class="nota" href="/t">t</a>' if path == "/" else body)


def drip_head(site: _Hostile, path: str, query: Any) -> None:
    site.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        site.wfile.write(f"X-Gota-{number}: 1\r\n".encode())
        time.sleep(0.1)


def drip_body(site: _Hostile, path: str, query: Any) -> None:
    site.begin(FEED, length=600)
    for _ in range(600):
        site.wfile.write(b" ")
        time.sleep(0.1)


def endless(site: _Hostile, path: str, query: Any) -> None:
    site.begin(FEED)
    for _ in range(10_000):
        site.wfile.write(b"<item>" * 50_000)


def endless_header(site: _Hostile, path: str, query: Any) -> None:
    site.wfile.write(b"HTTP/1.1 200 OK\r\nX-Larga: ")
    for _ in range(2_000):
        site.wfile.write(b"x" * 50_000)


def turns(site: _Hostile, path: str, query: Any) -> None:
    number = int(query.get("n", ["0"])[0])
    site.reply(b"", status=302, Location=f"/?n={number + 1}")


def calendar(site: _Hostile, path: str, query: Any) -> None:
    number = int(path.rpartition("/")[2] or 0)
    if path.startswith("/t/"):
        site.reply(f'<div class="op" id="c{number}"><b>Ana</b><p>Falta luz en el mes {number}</p></div>'.encode())
    else:
        site.reply(f'<a class="nota" href="/t/{number}">t</a><a class="sigue" href="/mes/{number + 1}">sigue</a>'.encode())


def archive(site: _Hostile, path: str, query: Any) -> None:
    number = int(query.get("n", ["0"])[0])
    older = f"<link rel='next' href='/?n={number + 1}'/>"
    entry = f"<entry><id>e{number}</id><title>Aviso {number}</title></entry>"
    site.reply(f"<feed xmlns='http://www.w3.org/2005/Atom'>{older}{entry}</feed>".encode(), "application/atom+xml")


def sitemaps(site: _Hostile, path: str, query: Any) -> None:
    number = int(query.get("n", ["0"])[0])
    inner = "".join(f"<sitemap><loc>http://mapas.test/m.xml?n={number * 3 + more}</loc></sitemap>" for more in (1, 2, 3))
    site.reply(f"<sitemapindex>{inner}</sitemapindex>".encode(), "application/xml")


def endless_thread(site: _Hostile, path: str, query: Any) -> None:
    if path == "/":
        site.reply(b'<a class="nota" href="/t">t</a>')
        return
    number = int(query.get("p", ["0"])[0])
    comment = f'<div class="op" id="c{number}"><b>Ana</b><p>Mensaje {number}</p></div>'
    site.reply(f'{comment}<a class="mas" href="/t?p={number + 1}">sigue</a>'.encode())


def endless_robots(site: _Hostile, path: str, query: Any) -> None:
    if path != "/robots.txt":
        site.reply(feed(item("no se debe leer")), FEED)
        return
    site.begin("text/plain")
    for number in range(10_000):
        site.wfile.write(f"Disallow: /{number}\n".encode() * 3_000)


def good(name: str) -> Serve:
    entries = b"".join(
        f"<item><guid>{name}-{n}</guid><description>Falta luz en {name} {n}</description></item>".encode() for n in range(30)
    )
    return always(feed(entries))


BOMBS: dict[str, tuple[str, dict[str, Any], str, set[str]]] = {
    # name: platform, options, path, the reasons that tell what happened
    **{name: ("feed", MESSAGES, "/", {"too_large"}) for name in PACKED},
    "multiple": ("feed", MESSAGES, "/", {"too_large"}),
    "carcajadas": ("feed", MESSAGES, "/", {"malformed"}),
    "cuadratica": ("feed", MESSAGES, "/", {"malformed"}),
    "archivo": ("feed", MESSAGES, "/", {"malformed"}),
    "servidor": ("feed", MESSAGES, "/", {"malformed"}),
    "honda": ("page", LINKED, "/", {"extract_too_large"}),
    "anidada": ("page", LINKED, "/", {"extract_timeout"}),
    "enorme": ("page", LINKED, "/", {"too_large"}),
    "marcas": ("structured", {}, "/", {"extract_memory"}),
    "muda": ("page", {**LINKED, "article": {"title": "h9"}}, "/", {"extract_empty"}),
    "json-hondo": ("discourse", {}, "/", {"malformed"}),
    "json-ancho": ("discourse", {}, "/", {"malformed"}),
    "gota-cabeza": ("feed", MESSAGES, "/", {"unreachable"}),
    "gota-cuerpo": ("feed", MESSAGES, "/", {"unreachable"}),
    "sin-fin": ("feed", MESSAGES, "/", {"too_large"}),
    "cabecera": ("feed", MESSAGES, "/", {"unreachable"}),
    "vueltas": ("feed", MESSAGES, "/", {"unreachable"}),
    "calendario": ("page", LINKED, "/", {"budget_requests"}),
    "hilo": ("page", LINKED, "/", {"budget_requests"}),
    "paginas": ("feed", MESSAGES, "/", {"budget_requests"}),
    "mapas": ("structured", {"articles": {"sitemap": "http://mapas.test/m.xml"}}, "/", {"budget_requests"}),
    "robots": ("feed", MESSAGES, "/", {"robots_unreachable"}),
}
GOOD = ("buena-a", "buena-b", "buena-c")


class Watched:
    """Follows the memory of a process and of those that it starts, from the kernel's own figures."""

    def __init__(self, process_id: int) -> None:
        self.peaks: dict[int, int] = {}
        self._root, self._ends = process_id, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ends.wait(0.1):
            with suppress(OSError):
                tasks = Path(f"/proc/{self._root}/task").glob("*/children")  # of each of its threads
                children = [int(number) for task in tasks for number in task.read_text().split()]
                for number in (self._root, *children):
                    status = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text())
                    if status:
                        self.peaks[number] = max(int(status[1]) * 1024, self.peaks.get(number, 0))

    def most(self) -> int:
        """Return the peak of the process and of its largest child: it never has two of them at once."""
        self._ends.set()
        self._thread.join()
        children = [peak for number, peak in self.peaks.items() if number != self._root]
        assert children
        return self.peaks[self._root] + max(children)


@pytest.fixture(scope="module")
def hostile() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Hostile)
    server.sites = {}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bombed(lab: Any, hostile: _Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    read = tmp_path_factory.mktemp("ajeno") / "secreto.txt"
    read.write_text(SECRET_LINE, encoding="utf-8")
    canary = f"http://127.0.0.1:{hostile.server_address[1]}/canario"
    deep = b"<div>" * 30_000 + b'<div class="op" id="c1"><p>Al fondo</p></div>'
    many = b"<b>x</b>" * MEGABYTE
    sites = {name: always(pack(), Content_Encoding=encoding) for name, (encoding, pack) in PACKED.items()}
    sites |= {
        "multiple": always(b"x", Content_Encoding=", ".join(["gzip"] * 500)),
        "carcajadas": always(feed(item("&a11;"), LAUGHS)),
        "cuadratica": always(feed(item("&a;" * 50_000), QUADRATIC)),
        "archivo": always(feed(item("&x;"), f"<!DOCTYPE r [<!ENTITY x SYSTEM '{read.as_uri()}'>]>")),
        "servidor": always(feed(item("&x;"), f"<!DOCTYPE r SYSTEM '{canary}' [<!ENTITY x SYSTEM '{canary}'>]>")),
        "honda": thread(deep),
        "anidada": thread(NESTED * 1_000),
        "enorme": thread(b"<p>" * MEGABYTE),
        "marcas": always(many, PAGE),
        "muda": thread("<p>Aquí hay mucho que leer.</p>".encode() * 100),
        "json-hondo": always(b"[" * MEGABYTE, JSON_TYPE),
        "json-ancho": always(b"[" + b"[]," * 600_000 + b"1]", JSON_TYPE),
        "gota-cabeza": drip_head,
        "gota-cuerpo": drip_body,
        "sin-fin": endless,
        "cabecera": endless_header,
        "vueltas": turns,
        "calendario": calendar,
        "hilo": endless_thread,
        "paginas": archive,
        "mapas": sitemaps,
        "robots": endless_robots,
        **{name: good(name) for name in GOOD},
    }
    hostile.sites = {f"{name}.test": site for name, site in sites.items()} | {"127.0.0.1": lambda *_: seen.append(1)}
    seen: list[int] = []
    budget = {"requests": 25, "megabytes": 60}
    sources = [
        lab.source(name, platform, f"http://{name}.test{path}", options=options, budget=budget)
        for name, (platform, options, path, _) in BOMBS.items()
    ]
    sources[8:8] = [lab.source(name, "feed", f"http://{name}.test/", options=MESSAGES) for name in GOOD]
    running = lab.begin(
        sources, hosts={f"{name}.test": f"127.0.0.1:{hostile.server_address[1]}" for name in sites}, driver=DRIVER
    )
    watched = Watched(running.process.pid) if sys.platform == "linux" else None
    crawled = running.wait(240)
    assert crawled.returncode == 0, crawled.log
    return crawled, watched.most() if watched else 0, seen


@pytest.mark.parametrize("name", BOMBS)
def test_every_bomb_ends_under_a_name(bombed: Any, name: str) -> None:
    status, reason = bombed[0].outcome(name)
    assert status in ("failed", "partial")
    assert reason in BOMBS[name][3], bombed[0].health(name)
    assert bombed[0].health(name).request_count <= 25


@pytest.mark.parametrize("name", GOOD)
def test_good_sources_beside_them_are_whole(bombed: Any, name: str) -> None:
    assert bombed[0].outcome(name) == ("ok", "none")
    assert sorted(one.text for one in bombed[0].items(name)) == sorted(f"Falta luz en {name} {number}" for number in range(30))


@pytest.mark.heavy
@pytest.mark.alone  # what else the machine does moves the peak: measured while nothing runs beside it
@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's figures")
def test_memory_stays_within_bounds(bombed: Any) -> None:
    assert 50_000_000 < bombed[1] < MOST_RESIDENT


def test_no_file_and_no_other_server_was_read(bombed: Any) -> None:
    assert bombed[2] == []
    assert SECRET_LINE not in bombed[0].written()


def test_no_expansion_is_stored(bombed: Any) -> None:
    assert all(len(one.text) < 1_000 for name in ("carcajadas", "archivo", "servidor") for one in bombed[0].items(name))
    assert bombed[0].spool.stat().st_size < 1_000_000
    assert sum(path.stat().st_size for path in bombed[0].spool.iterdir()) < 1_000_000


def test_what_was_lost_is_counted(bombed: Any) -> None:
    assert "answers that would have cost too much to read: 1" in bombed[0].health("anidada").detail
    assert "2,800 characters of text" not in bombed[0].health("muda").detail
    assert json.dumps(bombed[0].health("muda").detail).count("nothing found in it") == 1
