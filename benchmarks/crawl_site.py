"""The site that `crawl.py` reads: as many pages as the host name says (`p600.test`), made when they are asked for."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from multiprocessing import Queue
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

COMMENTS = 4
LINKS = 40
"""Articles on an index page."""

ROWS = 100
WORDS = "La vereda de la cuadra {0} sigue rota hace meses y nadie responde, vecinos; ya lo dije en la reunión {1} del comité."
MENU = "".join(f'<li class="menu-item"><a href="/seccion/{number}/">Sección {number}</a></li>' for number in range(40))
HEAD = f"<!DOCTYPE html><html lang='es'><head><meta charset='utf-8'><title>Sitio</title></head><body><nav><ul>{MENU}</ul></nav>"
FOOT = f"<footer><ul>{MENU}</ul><p>Contacto y términos</p></footer></body></html>"


def index_page(pages: int, page: int) -> str:
    """Return an index page with links to articles and to the next one."""
    first, last = (page - 1) * LINKS, min(page * LINKS, pages)
    links = "".join(f'<article><h2><a href="/nota/{number}/">Nota {number}</a></h2></article>' for number in range(first, last))
    following = f'<a class="next" href="/?pagina={page + 1}">Más</a>' if last < pages else ""
    return f"{HEAD}<main>{links}{following}</main>{FOOT}"


def article_page(number: int) -> str:
    """Return an article with its thread."""
    comments = "".join(
        f'<li class="comment" id="comment-{number * COMMENTS + place}">'
        f'<cite class="fn">Vecina {(number * 7 + place) % 900}</cite>'
        f'<time datetime="2021-04-{1 + number % 28:02}T10:{place:02}:00-05:00">ese día</time>'
        f'<div class="comment-content"><p>{WORDS.format(number, place)}</p></div></li>'
        for place in range(COMMENTS)
    )
    body = "".join(f"<p>{WORDS.format(number, place)}</p>" for place in range(6))
    return (
        f'{HEAD}<article><h1>Nota {number}</h1><time datetime="2021-04-{1 + number % 28:02}T08:00:00-05:00">hoy</time>'
        f'<div class="entry-content">{body}</div></article><ol>{comments}</ol>{FOOT}'
    )


def comment_rows(pages: int, page: int) -> str:
    """Return one page of the WordPress API."""
    rows = [
        {
            "id": number + 1,
            "post": 1 + number // 9,
            "parent": 0,
            "author_name": f"Vecina {number % 900}",
            "date_gmt": f"2021-04-{1 + number % 28:02}T10:00:00",
            "link": f"http://p{pages}.test/nota/{number // 9}/#comment-{number + 1}",
            "content": {"rendered": f"<p>{WORDS.format(number, page)}</p>\n"},
            "type": "comment",
        }
        for number in range((page - 1) * ROWS, page * ROWS)
    ]
    return json.dumps(rows)


def processor_seconds(pid: int) -> float:
    """Return the seconds of the processor that a process has used so far (Linux)."""
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


class Site(asyncio.Protocol):
    """Answers requests without a body, one after the other on each connection."""

    pages, pid = 0, os.getpid()
    first = last = first_used = last_used = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            self.transport.write(self.answer(head.decode("latin-1")))  # type: ignore[attr-defined]

    def answer(self, head: str) -> bytes:
        """Return the whole answer to one request."""
        target = head.split(" ", 2)[1]
        host = re.search(r"\r\nhost: p(\d+)\.test", head, re.IGNORECASE)
        if host is None:
            return self._own(target)
        parts = urlsplit(target)
        if parts.path == "/robots.txt":
            return _answer("", status="404 Not Found")
        pages, query = int(host[1]), parse_qs(parts.query)
        Site.last, Site.last_used = time.monotonic(), processor_seconds(Site.pid)
        if not Site.pages:
            Site.first, Site.first_used = Site.last, Site.last_used
        Site.pages += 1
        if parts.path.startswith("/wp-json/"):
            told = f"X-WP-Total: {pages * ROWS}\r\nX-WP-TotalPages: {pages}\r\n"
            return _answer(comment_rows(pages, int(query["page"][0])), kind="application/json", headers=told)
        if parts.path.startswith("/nota/"):
            return _answer(article_page(int(parts.path.split("/")[2])))
        return _answer(index_page(pages, int(query.get("pagina", ["1"])[0])))

    def _own(self, target: str) -> bytes:
        if target.startswith("/begin/"):
            Site.pages, Site.pid = 0, int(target.removeprefix("/begin/"))
        seen = {"pages": Site.pages, "seconds": Site.last - Site.first, "processor": Site.last_used - Site.first_used}
        return _answer(json.dumps(seen), kind="application/json")


def _answer(body: str, *, status: str = "200 OK", kind: str = "text/html; charset=utf-8", headers: str = "") -> bytes:
    raw = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n{headers}\r\n".encode() + raw


def serve(port_of: Queue[int]) -> None:
    """Serve on the last core until the process is ended; put the port into the queue."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Site, "127.0.0.1", 0)
        port_of.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())
