from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, get_args

import pytest

from collectors.health import Reason
from collectors.pseudonyms import SecretError
from pipelines.checks import REMEDIES, TRIAL_REQUESTS, check_city_sources
from pipelines.project import Project

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Avisos</title>{items}</channel></rss>"""
ENTRY = "<item><guid>a{n}</guid><title>t</title><description>Mensaje {n}</description><pubDate>{date}</pubDate></item>"
INDEX = "".join(f"<article><h2><a href='/nota-{n}/'>Nota {n}</a></h2></article>" for n in range(30))
ARTICLE = """<h1>Nota</h1>
<article><time datetime="2021-04-20T10:00:00-05:00"></time><div class="entry-content">Cuerpo</div></article>
<ol><li class="comment" id="c1"><cite class="fn">Ana</cite><time datetime="2021-04-21T10:00:00-05:00"></time>
<div class="comment-content">Falta luz en la calle</div></li></ol>"""
COMMENTS = [
    {
        "id": n,
        "post": 1,
        "author_name": "Ana",
        "date_gmt": "2021-04-12T10:00:00",
        "content": {"rendered": f"<p>Comentario {n}</p>"},
    }
    for n in range(100)
]

PAGES: dict[str, tuple[int, str, str]] = {
    "feed.test/": (
        200,
        "application/rss+xml",
        FEED.format(
            items=ENTRY.format(n=1, date="Tue, 13 Apr 2021 10:00:00 -0500")
            + ENTRY.format(n=2, date="Sat, 17 Apr 2021 10:00:00 -0500")
        ),
    ),
    "quiet.test/": (200, "application/rss+xml", FEED.format(items="")),
    "undated.test/": (200, "application/rss+xml", FEED.format(items=ENTRY.format(n=1, date=""))),
    "nofeed.test/": (200, "text/html", "<h1>Bienvenidos</h1>"),
    "gone.test/": (404, "text/html", "no está"),
    "closed.test/robots.txt": (200, "text/plain", "User-agent: *\nDisallow: /\n"),
    "broken.test/robots.txt": (503, "text/plain", ""),
    "broken.test/": (200, "application/rss+xml", FEED.format(items="")),
    "blog.test/wp-json/wp/v2/posts": (200, "application/json", "[]"),
    "blog.test/wp-json/wp/v2/comments": (200, "application/json", json.dumps(COMMENTS)),
    "noblog.test/wp-json/wp/v2/posts": (200, "text/html", "<h1>Bienvenidos</h1>"),
    "noblog.test/wp-json/wp/v2/comments": (200, "text/html", "<h1>Bienvenidos</h1>"),
    "news.test/": (200, "text/html", INDEX),
    "bare.test/": (200, "text/html", "<p>Sin notas</p>"),
    "table.test/": (200, "text/csv", "fecha,mensaje\n12/04/2021,Hola\n"),
    "wrong.test/": (200, "text/csv", "fecha,opinion\n12/04/2021,Hola\n"),
    "asleep.test/": (200, "application/rss+xml", FEED.format(items="")),
}

PLATFORMS = {
    "feed": ["feed", "quiet", "undated", "nofeed", "gone", "closed", "broken", "down", "asleep"],
    "wordpress": ["blog", "noblog"],
    "page": ["news", "bare"],
    "file": ["table", "wrong"],
}
OPTIONS = {
    "feed": "{entries: manifestation}",
    "wordpress": "{}",
    "page": "{markup: comment_list}",
    "file": "{columns: {text: [mensaje], date: fecha}}",
}


class Site(BaseHTTPRequestHandler):
    """Serves PAGES by host and path and remembers what was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        host, path = self.headers["Host"].split(":")[0], self.path.split("?")[0]
        self.asked.append(f"{host}{path}")
        fallback = (200, "text/html", ARTICLE) if path.startswith("/nota-") else (404, "text/html", "")
        status, kind, body = PAGES.get(f"{host}{path}", fallback)
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if "/wp-json/" in path:
            self.send_header("X-WP-TotalPages", "40")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Site,), {"asked": asked}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def entry(name: str, platform: str, url: str, options: str, *, enabled: bool = True) -> str:
    return f"""
  - id: {name}
    platform: {platform}
    url: {url}
    terms: http://{name}.test/terminos/
    publisher: {{name: {name}, kind: other, official: false}}
    expect: {{min: 50, max: 60}}
    enabled: {str(enabled).lower()}
    options: {options}
"""


def write_city(folder: Path, address: str) -> Project:
    sources = "".join(
        entry(name, platform, f"http://{name}.test/", OPTIONS[platform], enabled=name != "asleep")
        for platform, names in PLATFORMS.items()
        for name in names
    )
    sources += entry("local", "file", "data/imports/*.csv", OPTIONS["file"])
    paid = "{token: env:PAID_TOKEN, accept_cost: true, max_posts: 200, query: Ate, api: 'http://paid.test/'}"
    sources += entry("paid", "x", "http://paid.test/", paid)
    sources += entry("absent", "file", "data/imports/nada.xlsx", OPTIONS["file"])
    project = Project(folder)
    project.cities.mkdir(parents=True)
    (folder / "data" / "imports").mkdir()
    (folder / "data" / "imports" / "a.csv").write_text("fecha,mensaje\n12/04/2021,Hola vecinos\n", encoding="utf-8")
    (project.cities / "ciudad.yml").write_text(
        f"""id: ciudad
name: Ciudad
country: PE
official_code: "1"
timezone: America/Lima
contact: a@municipio.test
synthetic: true
clock: "2021-05-03T09:00:00-05:00"
hosts: {{"down.test": "127.0.0.1:1", "*.test": "{address}"}}
defaults: {{legal_basis: prueba, approved_by: prueba, approved_on: 2021-03-24, retention_days: 30}}
sources:{sources}""",
        encoding="utf-8",
    )
    return project


@pytest.fixture(scope="module")
def checked(
    site: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, dict[str, Any]], list[dict[str, Any]], Path]:
    """One check of all sources: the project, results by source, what progress was told, and the temporary folder used."""
    project = write_city(tmp_path_factory.mktemp("project"), site[0])
    scratch = tmp_path_factory.mktemp("scratch")
    told: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(scratch))
        results = list(check_city_sources(project, project.load_city("ciudad"), progress=told.append))
    assert len(results) == len({result["id"] for result in results}) == 18
    return project, {result["id"]: result for result in results}, told, scratch


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("feed", "ok", "2 items, 2021-04-13 to 2021-04-17"),
        ("quiet", "empty", "holds no item"),
        ("undated", "partial", "no item has a date that is understood"),
        ("nofeed", "failed", "not a readable feed (RSS, Atom or JSON Feed); check `platform`"),
        ("gone", "failed", "HTTP 404 at http://gone.test/"),
        ("closed", "failed", "robots.txt forbids http://closed.test/; the site wants no programs there"),
        ("broken", "failed", "robots.txt of broken.test cannot be read"),
        ("down", "failed", "robots.txt of down.test cannot be read"),
        ("blog", "ok", "reads as `wordpress`"),
        ("noblog", "failed", "not a JSON list of objects"),
        ("news", "ok", "reads as `page`"),
        ("bare", "failed", "no link matches"),
        ("table", "ok", "reads as `file`: 1 items"),
        ("wrong", "failed", "no column 'mensaje'; the file has 'fecha', 'opinion'; write the headings"),
        ("local", "ok", "the file is there with the mapped columns"),
        ("absent", "failed", "no file of the project matches 'data/imports/nada.xlsx'; put the file there"),
        ("paid", "disabled", "not asked, since asking costs: at most 200 posts"),
        ("asleep", "disabled", "set `enabled: true` once somebody has approved it"),
    ],
)
def test_each_front_door_is_told_with_its_remedy(checked: Any, source: str, status: str, said: str) -> None:
    result = checked[1][source]
    assert result["status"] == status, result
    assert said in result["said"], result


def test_reach_yield_and_record_stand_beside_what_works(checked: Any) -> None:
    feed = checked[1]["feed"]
    assert feed["reach"]["said"] == "the feed holds 2 items: at this pace 20 days; collect at least every 13 days"
    assert (feed["monthly"]["item_count"], feed["monthly"]["based_on"], feed["monthly"]["at_least"]) == (3, 2, False)
    assert feed["since"] == {"said": "since when it works is not known: there is no warehouse yet", "warehouse": "absent"}
    assert checked[1]["blog"]["monthly"]["at_least"] is True
    assert checked[1]["undated"]["monthly"]["said"] == "what a month would bring is unknown: too few of the items have a date"
    for asked_in_vain in ("quiet", "gone", "asleep", "paid"):
        assert (checked[1][asked_in_vain]["reach"], checked[1][asked_in_vain]["monthly"]) == (None, None)
        assert checked[1][asked_in_vain]["since"]["warehouse"] == "absent"


def test_dates_seen_are_given_in_utc(checked: Any) -> None:
    assert checked[1]["feed"]["first_published"] == "2021-04-13T15:00:00+00:00"
    assert checked[1]["quiet"]["last_published"] is None


def test_no_source_is_asked_for_more_than_the_trial_budget(checked: Any, site: tuple[str, list[str]]) -> None:
    asked = [page.split("/")[0] for page in site[1]]
    assert asked.count("news.test") <= TRIAL_REQUESTS
    assert asked.count("blog.test") <= TRIAL_REQUESTS
    assert "blog.test/robots.txt" in site[1]
    assert "asleep.test" not in asked, "what nobody has approved is not asked"
    assert [page for page in site[1] if page.startswith("closed.test")] == ["closed.test/robots.txt"]


def test_nothing_is_kept(checked: Any) -> None:
    project, _, _, scratch = checked
    files = sorted(path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file())
    assert files == ["data/cities/ciudad.yml", "data/imports/a.csv"]
    assert list(scratch.iterdir()) == []


def test_progress_hears_every_result(checked: Any) -> None:
    assert {told["id"] for told in checked[2]} == set(checked[1])


def test_a_real_city_without_a_secret_is_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_city(tmp_path, "127.0.0.1:1")
    file = project.city_file("ciudad")
    kept = [line for line in file.read_text(encoding="utf-8").split("\n") if not line.startswith(("hosts", "clock", "synthetic"))]
    file.write_text("\n".join(kept), encoding="utf-8")
    monkeypatch.delenv("ESCUCHA_SECRET", raising=False)
    with pytest.raises(SecretError, match="ESCUCHA_SECRET is not set"):
        next(check_city_sources(project, project.load_city("ciudad")))


def test_every_reason_of_a_failure_has_a_remedy() -> None:
    harmless = {"none", "fewer_than_expected", "more_than_expected", "disabled"}
    assert set(REMEDIES) == set(get_args(Reason)) - harmless
