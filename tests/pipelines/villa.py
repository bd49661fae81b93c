"""A village of two sources on a small web of this machine: a forum's feed, and a blog's; for tests of what is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from collectors.catalog import City
from collectors.period import Period
from pipelines.annotate import annotate
from pipelines.append import SourceOutcome
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.report import Report, report
from pipelines.runs import Readers
from pipelines.warehouse import open_read_only, open_warehouse
from tests.conftest import village_file

SOURCES = """\
  - id: foro
    platform: feed
    url: http://foro.test/feed.xml
    terms: http://foro.test/terminos
    expect: {min: 0, max: 100}
    publisher: {name: Foro, kind: forum, official: false}
    options: {entries: manifestation}
%(extra)s
  - id: blog
    platform: feed
    url: http://blog.test/comments/feed/
    terms: http://blog.test/terminos
    expect: {min: 0, max: 100}
    publisher: {name: Blog, kind: neighbourhood, official: false}
    options: {entries: manifestation}
%(extra)s
"""


class Post(NamedTuple):
    """One entry of a feed."""

    number: int
    author: str
    text: str
    link: str
    day: int = 5


FORUM = (
    Post(1, "Rosa Quispe", "Hace tres días que no hay agua en la cuadra cuatro del jirón", "http://foro.test/tema/agua/1"),
    Post(2, "Luis Mamani", "Gracias por limpiar el parque central, quedó muy bonito", "http://foro.test/tema/parque/2", 6),
    Post(3, "Rosa Quispe", "Otra vez los buses pasan llenos y no paran en el paradero", "http://foro.test/tema/buses/3", 7),
    Post(4, "Ana Torres", "Los huecos de la pista malograron mi mototaxi esta semana", "http://foro.test/@anatorres/4", 8),
    Post(5, "Ana Torres", "La posta de salud atiende rápido, da gusto ir temprano", "http://foro.test/@anatorres/5", 9),
)
BLOG = (
    Post(1, "Pedro Salas", "El serenazgo llegó a los cinco minutos, muy agradecidos todos", "http://blog.test/nota/#comment-1"),
    Post(2, "Elsa Ramos", "En el mercado nuevo cobran por todo y no dan boleta nunca", "http://blog.test/nota/#comment-2", 6),
)


def feed(posts: tuple[Post, ...]) -> bytes:
    """Return an RSS document of posts in April 2021."""
    entries = "".join(
        f"<item><guid isPermaLink='false'>m{post.number}</guid><link>{post.link}</link>"
        f"<pubDate>{date(2021, 4, post.day):%a, %d %b %Y} 10:00:0{post.number} -0500</pubDate>"
        f"<dc:creator>{post.author}</dc:creator><description>{post.text}</description></item>"
        for post in posts
    )
    head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Villa</title>'
    return f"{head}{entries}</channel></rss>".encode()


@dataclass
class Village:
    """The project of the village and its web."""

    project: Project
    port: int
    answers: dict[str, Any]
    """Host and path -> body; what is absent is answered with 404."""

    asked: list[str] = field(default_factory=list)
    """Host and path of every request that reached the web."""

    @property
    def city(self) -> City:
        return self.project.load_city("villa")

    @property
    def period(self) -> Period:
        return Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), self.city.zone)

    def write_city(self, *, clock: str = "2021-05-03T09:00:00-05:00", extra: str = "") -> None:
        """Write the city's file: its clock, and a line for each of its sources."""
        text = village_file(self.port, SOURCES % {"extra": f"    {extra}" if extra else ""}, clock=clock)
        (self.project.cities / "villa.yml").write_text(text, encoding="utf-8")

    def collect(self, **options: Any) -> list[SourceOutcome]:
        with open_warehouse(self.project.warehouse) as warehouse:
            return collect(warehouse, self.project, self.city, self.period, **options)

    def report(self, readers: Readers, *, formats: Sequence[str] = ("html",)) -> Report:
        with open_warehouse(self.project.warehouse) as warehouse:
            annotate(warehouse, self.project, self.city, self.period, readers)
            return report(warehouse, self.project, self.city, self.period, readers, formats=formats)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_read_only(self.project.warehouse) as warehouse:
            return warehouse.query(sql)


@contextmanager
def serve_village(folder: Path) -> Iterator[Village]:
    """Serve the web of the village for as long, and make its project."""
    answers: dict[str, Any] = {"foro.test/feed.xml": feed(FORUM), "blog.test/comments/feed/": feed(BLOG)}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = f"{self.headers['Host'].partition(':')[0]}{self.path}"
            asked.append(name)
            body = answers.get(name)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
            self.send_header("Set-Cookie", "sesion=galleta-que-no-se-guarda")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    project = Project(folder)
    project.cities.mkdir(parents=True)
    village = Village(project, int(server.server_address[1]), answers, asked)
    village.write_city()
    yield village
    server.shutdown()
    server.server_close()
