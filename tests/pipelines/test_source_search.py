"""`sources add`: which door is found at an address, what is written for a person to approve, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.catalog import load_city
from collectors.doors.spider import MOST_REQUESTS
from collectors.pseudonyms import SecretError
from collectors.yaml_errors import ConfigurationError
from pipelines.project import Project, ProjectError
from pipelines.source_search import Search, Tried, add_source, choose_door
from pipelines.trials import TRIAL_REQUESTS
from tests.collectors.test_spiders_decidim import SCHEMA, proposal, proposals_component
from tests.collectors.test_spiders_decidim import site as decidim_site
from tests.conftest import run_command
from tests.graphql_site import post

NOW = datetime(2021, 5, 3, 14, tzinfo=UTC)


def day(back: int) -> datetime:
    """Return the instant that many days before the city's clock."""
    return NOW - timedelta(days=back)


def http_date(back: int) -> str:
    """Return an instant as feeds write it."""
    return day(back).strftime("%a, %d %b %Y %H:%M:%S +0000")


def rss(items: str) -> str:
    """Return an RSS document."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Canal</title>{items}</channel></rss>'


def entries(count: int, *, comments: bool = False) -> str:
    """Return entries one a day, the newest first."""
    mark = "#comment-" if comments else "?n="
    return "".join(
        f"<item><guid>g{n}</guid><title>Nota {n}</title><link>http://HOST/nota-{n}/{mark}{n}</link>"
        f"<description>Falta alumbrado en la cuadra {n} del jirón</description><pubDate>{http_date(n)}</pubDate></item>"
        for n in range(1, count + 1)
    )


def html(body: str, *, head: str = "", title: str = "Una página") -> str:
    """Return a page."""
    return f"<!doctype html><html><head><meta charset='utf-8'><title>{title}</title>{head}</head><body>{body}</body></html>"


WORDPRESS = "<meta name='generator' content='WordPress 6.4'>"
LISTED = "".join(f"<article><h2><a href='/nota-{n}/'>Nota {n}</a></h2></article>" for n in range(1, 4))
ROWS = [
    {
        "id": n,
        "post": 7,
        "author_name": "Rosa",
        "date_gmt": day(90 - n).strftime("%Y-%m-%dT%H:%M:%S"),
        "link": f"http://blog.test/nota/#comment-{n}",
        "content": {"rendered": f"<p>Arreglen la pista de la cuadra {n}, por favor</p>"},
    }
    for n in range(1, 35)
]
JSON_LD = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Obras",
    "articleBody": "Empiezan las obras en la avenida.",
    "datePublished": "2021-04-20T10:00:00-05:00",
    "comment": [
        {
            "@type": "Comment",
            "@id": f"#c{n}",
            "text": f"Ya era hora, vecinos {n}",
            "dateCreated": day(n).isoformat(),
            "author": {"@type": "Person", "name": "Luz"},
        }
        for n in range(1, 5)
    ],
}
TOPICS = {
    "topic_list": {
        "topics": [
            {"id": 5, "title": "Basura", "created_at": day(20).isoformat(), "bumped_at": day(2).isoformat(), "posts_count": 2}
        ]
    }
}
POSTS = {
    "id": 5,
    "title": "Basura",
    "slug": "basura",
    "posts_count": 2,
    "post_stream": {
        "stream": [51, 52],
        "posts": [
            {
                "id": 50 + n,
                "post_number": n,
                "post_type": 1,
                "user_id": n,
                "username": f"vecino{n}",
                "cooked": f"<p>No pasa el camión hace {n} días</p>",
                "created_at": day(20 - n).isoformat(),
            }
            for n in (1, 2)
        ],
    },
}
PHPBB_INDEX = """<ul class="topiclist forums"><li class="row"><dl>
<dt><a href="./viewforum.php?f=3" class="forumtitle">Vecinos</a></dt>
<dd class="lastpost"><span><time datetime="2021-05-02T10:00:00-05:00">ayer</time></span></dd></dl></li></ul>"""
PHPBB_BOARD = """<ul class="topiclist topics"><li class="row"><dl>
<dt><a href="./viewtopic.php?t=8" class="topictitle">Pistas</a></dt>
<dd class="lastpost"><span><time datetime="2021-05-02T10:00:00-05:00">ayer</time></span></dd></dl></li></ul>"""
PHPBB_TOPIC = """<h2 class="topic-title"><a href="./viewtopic.php?t=8">Pistas</a></h2>
<div id="p80" class="post"><p class="author"><strong><a href="./memberlist.php?mode=viewprofile&amp;u=2">Julio</a></strong>
» <time datetime="2021-05-01T10:00:00-05:00">sábado</time></p><div class="content">Hay un hueco frente al mercado</div></div>"""
LIST_COMMENTS = """<h1>Nota</h1><article><time datetime="2021-04-20T10:00:00-05:00"></time>
<div class="entry-content">Cuerpo</div></article>
<ol><li class="comment" id="c{n}"><cite class="fn">Ana</cite><time datetime="2021-04-21T10:00:00-05:00"></time>
<div class="comment-content">Falta luz en la calle {n}</div></li></ol>"""
ISSO_ROWS = [
    {"id": n, "mode": 1, "text": f"<p>Gracias por la poda {n}</p>", "author": "Eva", "created": day(n).timestamp(), "uri": "/a/"}
    for n in range(1, 4)
]
HOSTILE = "Diario: «#1» \"libre\" \x1b[31m{x} - & 'y' \u202e\u2028 no\nsí"

VERSIONED = {**SCHEMA, "Query": {**SCHEMA["Query"], "decidim": "Decidim"}, "Decidim": {"version": None}}
BARRIO = decidim_site(VERSIONED, [proposals_component("7", [proposal(number) for number in range(1, 9)])])
BARRIO.root["decidim"] = {"version": "0.29.1"}

Answer = tuple[int, str, str | bytes]
Pages = dict[str, Answer | Callable[[dict[str, list[str]]], Answer]]
PAGE, FEED, JSON, TEXT = "text/html; charset=utf-8", "application/rss+xml", "application/json", "text/plain"


def posts_of(query: dict[str, list[str]]) -> Answer:
    """Answer as WordPress does to who asks for comments, the ids alone included."""
    rows = [{"id": row["id"]} for row in ROWS[:1]] if query.get("_fields") == ["id"] else ROWS
    return 200, JSON, json.dumps(rows)


PAGES: Pages = {
    # WordPress, its API open
    "blog.test/": (200, PAGE, html(LISTED + "<a href='/terminos/'>Términos de uso</a>", head=WORDPRESS, title="Blog del barrio")),
    "blog.test/wp-json/wp/v2/comments": posts_of,
    "blog.test/wp-json/wp/v2/posts": (200, JSON, "[]"),
    # WordPress, its API closed
    "shut.test/": (200, PAGE, html(LISTED, head=WORDPRESS)),
    "shut.test/wp-json/wp/v2/comments": (401, JSON, '{"code": "rest_forbidden"}'),
    "shut.test/wp-json/wp/v2/posts": (401, JSON, '{"code": "rest_forbidden"}'),
    "shut.test/comments/feed/": (200, FEED, rss(entries(10, comments=True).replace("HOST", "shut.test"))),
    "shut.test/feed/": (200, FEED, rss(entries(3).replace("HOST", "shut.test"))),
    # a feed of articles and nothing else
    "plain.test/": (200, PAGE, html("<p>Hola</p>", head="<link rel=alternate type='application/rss+xml' href='/rss.xml'>")),
    "plain.test/rss.xml": (200, FEED, rss(entries(20).replace("HOST", "plain.test"))),
    # Discourse
    "foro.test/": (200, PAGE, html("<p>Foro</p>", head="<meta name=generator content='Discourse 3.3.0'>", title="Foro vecinal")),
    "foro.test/latest.json": (200, JSON, json.dumps(TOPICS)),
    "foro.test/t/5.json": (200, JSON, json.dumps(POSTS)),
    # phpBB
    "phpbb.test/": (200, PAGE, html(PHPBB_INDEX).replace("<body>", "<body id='phpbb'>")),
    "phpbb.test/viewforum.php": (200, PAGE, html(PHPBB_BOARD).replace("<body>", "<body id='phpbb'>")),
    "phpbb.test/viewtopic.php": (200, PAGE, html(PHPBB_TOPIC).replace("<body>", "<body id='phpbb'>")),
    # Decidim; its API answers POSTs
    "decidim.test/": (200, PAGE, html("<p>Participa</p><script src='/decidim-packs/js/decidim_core.js'></script>")),
    # Isso, on a host of its own
    "isso.test/": (
        200,
        PAGE,
        html("<section id=isso-thread></section><script data-isso='//hilos.test/' src='//hilos.test/js/embed.min.js'></script>"),
    ),
    "hilos.test/latest": (200, JSON, json.dumps(ISSO_ROWS)),
    # schema.org comments in the articles
    "datos.test/": (200, PAGE, html(LISTED)),
    **{
        f"datos.test/nota-{n}/": (
            200,
            PAGE,
            html("<h1>Obras</h1>", head=f"<script type='application/ld+json'>{json.dumps(JSON_LD)}</script>"),
        )
        for n in range(1, 4)
    },
    # articles with a list of comments that is known by name
    "lista.test/": (200, PAGE, html(LISTED)),
    **{f"lista.test/nota-{n}/": (200, PAGE, html(LIST_COMMENTS.format(n=n))) for n in range(1, 4)},
    # nothing that is known
    "nada.test/": (200, PAGE, html("<p>Bienvenidos</p><div class='fb-comments'></div>")),
    # doors that are shut
    "cerrado.test/robots.txt": (200, TEXT, "User-agent: *\nDisallow: /\n"),
    "cerrado.test/": (200, PAGE, html(LISTED, head=WORDPRESS)),
    "no.test/": (404, PAGE, html("no está")),
    "roto.test/": (500, PAGE, html("falla")),
    # moved
    "viejo.test/": (301, PAGE, "http://blog.test/"),
    # Disqus, and articles in a feed
    "disqus.test/": (
        200,
        PAGE,
        html(
            "<div id=disqus_thread></div><script src='https://diario-este.disqus.com/embed.js'></script>",
            head="<link rel=alternate type='application/rss+xml' href='/rss.xml'>",
        ),
    ),
    "disqus.test/rss.xml": (200, FEED, rss(entries(5).replace("HOST", "disqus.test"))),
    # hostile words
    "hostil.test/": (
        200,
        PAGE,
        html("<p>x</p>", head="<link rel=alternate type='application/rss+xml' href='/r'>", title=HOSTILE),
    ),
    "hostil.test/r": (200, FEED, rss(entries(4).replace("HOST", "hostil.test"))),
    # a feed itself, a table
    "canal.test/comentarios.xml": (200, FEED, rss(entries(12).replace("HOST", "canal.test"))),
    "tabla.test/reclamos.csv": (200, "text/csv", "Nro;Fecha;Reclamo\n1;12/04/2021;No hay agua\n2;13/04/2021;Falta luz\n"),
}


class Site(BaseHTTPRequestHandler):
    """Serves PAGES by host and path and remembers what was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        host, parts = self.headers["Host"].split(":")[0], urlsplit(self.path)
        self.asked.append(f"{host}{parts.path}")
        if host == "sinfin.test" and parts.path == "/":
            self._pour()
            return
        found = PAGES.get(f"{host}{parts.path}", (404, PAGE, ""))
        status, kind, body = found(parse_qs(parts.query)) if callable(found) else found
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 301:
            self.send_header("Location", str(body))
        if isinstance(body, str) and host == "blog.test" and parts.path.endswith("/comments"):
            self.send_header("X-WP-Total", "34")
            self.send_header("X-WP-TotalPages", "1")
        self.end_headers()
        self.wfile.write(body.encode(errors="surrogatepass") if isinstance(body, str) else body)

    def do_POST(self) -> None:
        host, path = self.headers["Host"].split(":")[0], self.path
        self.asked.append(f"{host}{path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        known = (host, path) == ("decidim.test", "/api")
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", JSON)
        self.end_headers()
        self.wfile.write(post(BARRIO, body) if known else b"")

    def _pour(self) -> None:
        """Answer without end."""
        self.send_response(200)
        self.send_header("Content-Type", PAGE)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"<p>otra vez</p>" * 10_000)
        except ConnectionError:
            return

    def log_message(self, *_: Any) -> None:
        return


class Quiet(ThreadingHTTPServer):
    """A server that says nothing of connections that a client broke off."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = Quiet(("127.0.0.1", 0), type("Here", (Site,), {"asked": asked}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


CITY = """\
# Una ciudad de prueba; este comentario se queda.
id: ciudad
name: Ciudad
country: PE
official_code: "1"   # ubigeo
timezone: America/Lima
contact: a@municipio.test
synthetic: true
clock: "2021-05-03T09:00:00-05:00"
hosts: {{"*.test": "{address}"}}
defaults: {{legal_basis: prueba, approved_by: prueba, approved_on: 2021-03-24, retention_days: 30}}

sources:
  - id: primera        # la primera
    platform: feed
    url: http://primera.test/feed/
    terms: http://primera.test/terminos/
    publisher: {{name: 'Primera', kind: other, official: false}}
    expect: {{min: 0, max: 60}}

# Lo que sigue no es de las fuentes.
published:
  title: Cifras
  source: Un folleto
  first: 2021-04-01
  last: 2021-04-30
  figures: []
"""


@dataclass
class Town:
    """A project with one city, and what was asked of the web while it searched."""

    project: Project
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.project.city_file("ciudad")

    def add(self, url: str, **options: Any) -> Search:
        return add_source(self.project, "ciudad", url, progress=self.told.append, **options)


@pytest.fixture
def town(site: tuple[str, list[str]], tmp_path: Path) -> Town:
    project = Project(tmp_path)
    project.cities.mkdir(parents=True)
    (project.cities / "ciudad.yml").write_text(CITY.format(address=site[0]), encoding="utf-8")
    site[1].clear()
    return Town(project, site[1])


@pytest.mark.parametrize(
    ("host", "platform", "options", "evidence", "messages"),
    [
        ("blog", "wordpress", {}, "generator: WordPress 6.4; the REST API answers: 34 comments", 34),
        ("shut", "wordpress", {}, "the REST API shows no comments (HTTP 401 rest_forbidden); the feed of comments answers", 10),
        ("plain", "feed", {}, "a feed of articles: 20 entries", 0),
        ("foro", "discourse", {}, "generator: Discourse 3.3.0; its JSON answers: 1 topics", 2),
        ("phpbb", "phpbb", {}, "pages as phpBB writes them; 1 boards", 1),
        ("decidim", "decidim", {"way": "api"}, "files of Decidim; the API answers: Decidim 0.29.1", 8),
        ("isso", "isso", {"api": "http://hilos.test/"}, "embeds Isso, whose comments stand at http://hilos.test/", 3),
        ("datos", "structured", {"articles": {"css": "article h2 a, article h3 a, .entry-title a"}}, "embeds 4 comments", 12),
        ("lista", "page", {"markup": "comment_list"}, "shows 1 comments in the markup `comment_list`", 3),
    ],
)
def test_the_best_door_is_found_tried_and_written(
    town: Town, host: str, platform: str, options: dict[str, Any], evidence: str, messages: int
) -> None:
    before = town.file.read_bytes()
    search = town.add(f"http://{host}.test/")
    assert search.chosen is not None, search.reason
    assert evidence in "; ".join(search.chosen.door.evidence), search.look.visits
    assert search.chosen.message_count == messages
    source = load_city(town.file).sources[-1]
    assert (source.id, source.platform, source.enabled, source.approved_on) == (host, platform, False, None)
    assert {"approved_by", "approved_on", "legal_basis"} <= set(source.pending)
    for name, value in options.items():
        found = getattr(source.options, name)
        assert (found.model_dump(exclude_none=True) if isinstance(value, dict) else found) == value
    added = town.file.read_bytes()
    shared = next(place for place in range(len(before)) if before[place] != added[place])
    assert added.endswith(before[shared:]), "whatever stood in the file stays byte for byte"
    assert len(town.asked) <= MOST_REQUESTS + 3 * TRIAL_REQUESTS


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("nada", "nothing was found that a collector reads by itself"),
        ("cerrado", "robots.txt forbids http://cerrado.test/; the site wants no programs there"),
        ("no", "HTTP 404 at http://no.test/"),
        ("roto", "HTTP 500 at http://roto.test/"),
        ("sinfin", "the answer is longer than 3,000,000 bytes"),
    ],
)
def test_where_no_door_opens_the_reason_is_told_and_nothing_is_written(town: Town, host: str, said: str) -> None:
    before = town.file.read_bytes()
    search = town.add(f"http://{host}.test/")
    assert search.chosen is None
    assert said in search.reason
    assert town.file.read_bytes() == before
    assert len(town.asked) <= MOST_REQUESTS
    if host == "cerrado":
        assert town.asked == ["cerrado.test/robots.txt"]
    if host == "nada":
        assert search.look.remarks == ["comments by Facebook's comment box, which no collector of this program reads"]


def test_an_address_that_moved_is_told_and_the_new_one_proposed(town: Town) -> None:
    search = town.add("http://viejo.test/", dry_run=True)
    assert search.look.moved_from == "http://viejo.test/"
    assert search.chosen is not None
    assert (search.chosen.source.url, search.chosen.source.terms) == ("http://blog.test/", "http://blog.test/terminos/")
    assert search.written is None
    assert load_city(town.file).sources[-1].id == "primera"


def test_an_article_leads_to_the_site_that_is_a_source_already(town: Town) -> None:
    assert town.add("http://blog.test/").written == town.file
    before = town.file.read_bytes()
    with pytest.raises(ProjectError, match="is the source 'blog' of ciudad already"):
        town.add("https://www.blog.test")
    with pytest.raises(ProjectError, match="is the source 'blog' of ciudad already"):
        town.add("http://viejo.test/")
    assert town.file.read_bytes() == before


def test_a_feed_given_by_its_own_address_is_one_of_comments_if_it_says_so(town: Town) -> None:
    search = town.add("http://canal.test/comentarios.xml", source_id="canal-de-opiniones", publisher="Radio: «La Voz» #1")
    source = load_city(town.file).sources[-1]
    options: Any = source.options
    assert (source.id, source.publisher.name, options.entries) == ("canal-de-opiniones", "Radio: «La Voz» #1", "manifestation")
    assert search.chosen is not None
    assert search.chosen.pace["reach"] == {
        "said": "the feed holds 12 items: at this pace 12 days; collect at least every 8 days",
        "oldest": day(12).isoformat(),
        "last_entries_only": True,
        "collect_every_hours": 192.0,
    }
    assert (source.expect.min, source.expect.max) == (7, 120)


def test_a_table_is_mapped_by_its_headings(town: Town) -> None:
    search = town.add("http://tabla.test/reclamos.csv")
    options: Any = load_city(town.file).sources[-1].options
    assert options.columns.model_dump(exclude_none=True) == {"text": ("Reclamo",), "date": "Fecha", "id": "Nro"}
    assert search.chosen is not None
    assert search.chosen.message_count == 2


def test_a_file_of_the_project_needs_no_request(town: Town) -> None:
    folder = town.project.root / "data" / "imports"
    folder.mkdir(parents=True)
    (folder / "buzon.csv").write_text(
        "fecha,vecino,mensaje\n12/04/2021,Ana,Falta agua\n13/04/2021,Luis,Gracias\n", encoding="utf-8"
    )
    chat = "12/4/21 10:05 - Ana: Hay un bache\n13/4/21 11:00 - Luis: Ya avisé a la municipalidad\n"
    (folder / "grupo.txt").write_text(chat, encoding="utf-8")
    table = town.add("data/imports/buzon.csv")
    assert table.chosen is not None
    assert (table.chosen.source.id, table.chosen.message_count) == ("buzon", 2)
    group = town.add("data/imports/grupo.txt")
    assert group.chosen is not None
    assert (group.chosen.source.platform, group.chosen.status) == ("whatsapp", "not_tried")
    assert [place for place in group.chosen.source.pending if place.startswith("options")] == [
        "options.consent.announced_on",
        "options.consent.by",
        "options.consent.document",
    ]
    assert [source.id for source in load_city(town.file).sources] == ["primera", "buzon", "grupo"]
    assert town.asked == []


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("http://primera.test/feed/", {}, "is the source 'primera' of ciudad already"),
        ("https://www.primera.test/feed#arriba", {}, "is the source 'primera' of ciudad already"),
        ("http://10.0.0.8/foro/", {}, "must be a public address"),
        ("http://127.0.0.1:8000/", {}, "must be a public address"),
        ("ftp://blog.test/", {}, "must be an http or https address"),
        ("http://ana:clave@blog.test/", {}, "must not carry a user name"),
        ("https://www.diario.example/", {}, "ciudad is synthetic"),
        ("blog.test", {}, "neither a web address"),
        ("../otra/tabla.csv", {}, "neither a web address"),
        ("http://blog.test/", {"platform": "wordpres"}, "--platform 'wordpres': unknown; available: bluesky"),
        ("http://blog.test/", {"source_id": "primera"}, "--id 'primera' is a source of ciudad already"),
        ("http://blog.test/", {"source_id": "Mi Blog"}, "small letters, digits and single hyphens"),
    ],
)
def test_what_cannot_be_added_is_refused_before_anything_is_asked(
    town: Town, url: str, options: dict[str, str], said: str
) -> None:
    before = town.file.read_bytes()
    with pytest.raises(ProjectError, match=said):
        town.add(url, **options)
    assert town.asked == []
    assert town.file.read_bytes() == before


def test_a_platform_that_nothing_shows_is_tried_if_it_is_named(town: Town) -> None:
    search = town.add("http://nada.test/", platform="discourse")
    assert search.chosen is None
    assert "discourse: HTTP 404" in search.reason
    wants_more = town.add("http://nada.test/", platform="page")
    assert wants_more.look.remarks[-1] == "`page` is no door for ciudad: options.markup is required and is missing"


def told_as(source_id: str, **fields: Any) -> Tried:
    """Return a door that was tried with some outcome."""
    given: Any = {"door": None, "source": None, "entry": "", "said": source_id, "pace": {}, **fields}
    return Tried(**given)


def test_messages_come_before_what_could_not_be_tried_and_that_before_context() -> None:
    articles = told_as("articles", status="ok", item_count=20)
    key = told_as("key", status="not_tried")
    people = told_as("people", status="partial", item_count=5, message_count=5)
    quiet, shut = told_as("quiet", status="empty"), told_as("shut", status="failed")
    assert choose_door([key, articles, people]) is people
    assert choose_door([articles, key]) is key
    assert choose_door([quiet, articles]) is articles
    assert choose_door([shut, quiet]) is quiet
    assert choose_door([shut]) is None


def test_the_terminal_gets_plain_words_within_80_columns(town: Town) -> None:
    done = run_command("sources", "add", "ciudad", "http://hostil.test/", project=town.project.root)
    assert done.returncode == 0, done.stderr
    assert not [character for character in done.stdout if not character.isprintable() and character != "\n"]
    source = load_city(town.file).sources[-1]
    assert source.publisher.name == "Diario: «#1» \"libre\" [31m{x} - & 'y' no sí"
    printed, entry = done.stdout.split("\n\n")[0::2], done.stdout.split("\n\n")[1]
    assert [line for part in printed for line in part.splitlines() if len(line) > 80] == []
    assert entry.startswith("- id: hostil\n")
    words = " ".join(done.stdout.split())
    assert "it brought context only (articles, notices), of which nothing is counted" in words
    assert "fill in approved_by, approved_on, legal_basis, terms" in words
    assert "looking at http://hostil.test/ (at most 12 requests)" in done.stderr


def test_json_and_dry_run_and_exit_codes(town: Town) -> None:
    before = town.file.read_bytes()
    done = run_command("sources", "add", "ciudad", "http://foro.test/", "--dry-run", "--json", project=town.project.root)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["written"], told["chosen"]["id"], told["chosen"]["message_count"]) == (None, "foro", 2)
    assert told["doors"][0]["evidence"][0] == "generator: Discourse 3.3.0"
    assert town.file.read_bytes() == before


def test_exit_codes_say_that_nothing_was_added(town: Town) -> None:
    shut = run_command("sources", "add", "ciudad", "http://cerrado.test/", project=town.project.root)
    assert (shut.returncode, "not added" in shut.stdout) == (4, True)
    unknown = run_command("sources", "add", "nowhere", "http://foro.test/", project=town.project.root)
    assert (unknown.returncode, "available: ciudad" in unknown.stderr) == (2, True)


def real_city(town: Town) -> None:
    """Make the city one that is not synthetic, so that it may name real hosts."""
    text = town.file.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(("hosts", "clock", "synthetic"))]
    town.file.write_text("".join(kept), encoding="utf-8")


def test_an_official_api_waits_for_what_only_a_person_can_bring(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real_city(town)
    monkeypatch.delenv("ESCUCHA_SECRET", raising=False)
    with pytest.raises(SecretError):
        town.add("https://www.facebook.com/municipio")
    monkeypatch.setenv("ESCUCHA_SECRET", "una-clave-de-prueba-larga")
    search = town.add("https://www.facebook.com/municipio")
    assert search.chosen is not None
    assert search.chosen.status == "not_tried"
    assert search.chosen.source.pending == ["approved_by", "approved_on", "legal_basis", "options.page", "terms"]
    text = town.file.read_text(encoding="utf-8")
    town.file.write_text(text.replace("enabled: false", "enabled: true"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"options\.page: 'PENDIENTE: 0123456789'"):
        load_city(town.file)
    filled = text.replace("enabled: false", "enabled: true").replace("PENDIENTE: 0123456789", "100200300")
    town.file.write_text(filled, encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match="approved_by, approved_on, legal_basis, terms: still to be filled in by a person"
    ):
        load_city(town.file)


def test_a_service_without_a_lawful_door_is_told_with_its_reason(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real_city(town)
    monkeypatch.setenv("ESCUCHA_SECRET", "una-clave-de-prueba-larga")
    before = town.file.read_bytes()
    search = town.add("https://www.tiktok.com/@municipio")
    assert search.chosen is None
    assert search.reason.startswith("TikTok has no lawful door")
    assert town.file.read_bytes() == before
