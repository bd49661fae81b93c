"""A walk that its budget or a kill cut off goes on where it was, and ends with what one walk would have found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collectors.period import Period
from pipelines.collect import collect
from pipelines.project import Project
from pipelines.warehouse import Warehouse, open_warehouse
from tests.conftest import ROOT, village_file

SOURCES = """\
  - id: sitio
    platform: %s
    url: http://sitio.test/%s
    terms: http://sitio.test/terminos
    expect: {min: 0, max: 1000}
    budget: {requests: %d}
    publisher: {name: Sitio, kind: forum, official: false}
    options: %s
"""

ARTICLES = range(1, 19)
PAGE_SIZE = 6
PLATFORMS = {
    "page": ("temas?p=1", "{markup: comment_list, article_links: 'a.tema', next_page: 'a.mas', more_comments: 'a.siguiente'}"),
    "structured": ("temas?p=1", "{articles: {css: 'a.tema', next_page: 'a.mas'}, more_comments: 'a.siguiente'}"),
    "discourse": ("", "{}"),
}


def day(number: int) -> str:
    """Return when the thread of a number was opened: the first is the newest."""
    return f"2021-04-{30 - number:02}T10:00:00-05:00"


def comments(number: int, page: int) -> list[dict[str, Any]]:
    return [
        {"id": number * 100 + page * 10 + place, "text": f"Mensaje {place} de la página {page} sobre el tema {number}"}
        for place in range(3)
    ]


def thread_page(number: int, page: int) -> str:
    listed = "".join(
        f'<li class="comment" id="c{one["id"]}"><cite class="fn">Vecino {one["id"]}</cite>'
        f'<time datetime="{day(number)}"></time><div class="comment-content"><p>{one["text"]}</p></div></li>'
        for one in comments(number, page)
    )
    data = {
        "@context": "https://schema.org",
        "@type": "DiscussionForumPosting",
        "headline": f"Tema {number}",
        "datePublished": day(number),
        "comment": [
            {"@type": "Comment", "@id": f"#c{one['id']}", "text": one["text"], "dateCreated": day(number)}
            for one in comments(number, page)
        ],
    }
    more = f'<a class="siguiente" href="/tema/{number}?p=2">más</a>' if page == 1 and number % 3 == 0 else ""
    return (
        f'<html><head><script type="application/ld+json">{json.dumps(data)}</script></head><body><article>'
        f'<h1>Tema {number}</h1><time datetime="{day(number)}"></time><div class="entry-content"><p>Nota {number}</p></div>'
        f"</article><ol>{listed}</ol>{more}</body></html>"
    )


def list_page(page: int) -> str:
    chosen = list(ARTICLES)[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    links = "".join(f'<a class="tema" href="/tema/{number}">Tema {number}</a>' for number in chosen)
    more = f'<a class="mas" href="/temas?p={page + 1}">más</a>' if page * PAGE_SIZE < len(ARTICLES) else ""
    return f"<html><body>{links}{more}</body></html>"


def topic_list(page: int) -> dict[str, Any]:
    chosen = list(ARTICLES)[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    rows = [{"id": n, "title": f"Tema {n}", "created_at": day(n), "bumped_at": day(n)} for n in chosen]
    more = {"more_topics_url": f"/latest?page={page + 1}"} if (page + 1) * PAGE_SIZE < len(ARTICLES) else {}
    return {"topic_list": {"topics": rows, **more}}


def topic(number: int) -> dict[str, Any]:
    posts = [
        {"id": one["id"], "post_number": place, "post_type": 1, "username": f"vecino{one['id']}", "user_id": one["id"]}
        | {"created_at": day(number), "cooked": f"<p>{one['text']}</p>"}
        for place, one in enumerate(comments(number, 1), start=1)
    ]
    stream = [post["id"] for post in posts]
    return {"id": number, "title": f"Tema {number}", "posts_count": len(posts), "post_stream": {"posts": posts, "stream": stream}}


class Site(ThreadingHTTPServer):
    """A site whose threads are written as pages and as a forum's JSON; it keeps a log of what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.pause = 0.0
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def threads(self) -> Counter[str]:
        return Counter(path for path in self.asked if re.fullmatch(r"/tema/\d+|/t/\d+\.json", path))


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        time.sleep(self.server.pause)
        body, kind = self.answer()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self) -> tuple[bytes, str]:
        page = re.search(r"\bp(?:age)?=(\d+)", self.path)
        number = int(page[1]) if page else 1
        if self.path.startswith("/temas"):
            return list_page(number).encode(), "text/html; charset=utf-8"
        if thread := re.match(r"/tema/(\d+)", self.path):
            return thread_page(int(thread[1]), number).encode(), "text/html; charset=utf-8"
        if self.path.startswith("/latest.json"):
            return json.dumps(topic_list(int(page[1]) if page else 0)).encode(), "application/json"
        if thread := re.match(r"/t/(\d+)\.json", self.path):
            return json.dumps(topic(int(thread[1]))).encode(), "application/json"
        return b"", "text/plain"

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.shutdown()
    server.server_close()


def make(folder: Path, site: Site, platform: str, requests: int) -> Project:
    address, options = PLATFORMS[platform]
    (folder / "data" / "cities").mkdir(parents=True)
    city = village_file(site.server_port, SOURCES % (platform, address, requests, options))
    (folder / "data" / "cities" / "villa.yml").write_text(city, encoding="utf-8")
    return Project(folder)


def april(project: Project) -> Period:
    return Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), project.load_city("villa").zone)


def collect_once(project: Project) -> tuple[str, str, int]:
    with open_warehouse(project.warehouse) as warehouse:
        (outcome,) = collect(warehouse, project, project.load_city("villa"), april(project))
    return outcome.health.status, outcome.health.reason, outcome.health.item_count


def content(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.query(
        "select manifestation_id, version, version_number, kind, parent_id, text, title from manifestation"
        " join manifestation_text using (manifestation_id, version) order by all"
    )


def stored(project: Project) -> list[tuple[Any, ...]]:
    with open_warehouse(project.warehouse) as warehouse:
        return content(warehouse)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_walk_that_its_budget_cut_off_goes_on_where_it_was(tmp_path: Path, site: Site, platform: str) -> None:
    whole = make(tmp_path / "whole", site, platform, 500)
    expected = collect_once(whole)
    assert expected[:2] == ("ok", "none")
    site.asked.clear()
    project = make(tmp_path / "cut", site, platform, 10)
    outcomes = [collect_once(project)]
    while outcomes[-1][1] == "budget_requests" and len(outcomes) < 10:
        outcomes.append(collect_once(project))
    assert len(outcomes) > 2
    assert outcomes[-1] == expected
    assert stored(project) == stored(whole)
    asked = site.threads()
    assert len(asked) == len(ARTICLES)
    # A thread that the end of the budget found half read is read again; no other is.
    assert asked.total() <= len(ARTICLES) + len(outcomes)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_walk_that_came_to_its_end_is_made_anew(tmp_path: Path, site: Site, platform: str) -> None:
    project = make(tmp_path, site, platform, 500)
    assert collect_once(project) == collect_once(project)
    assert set(site.threads().values()) == {2}


def test_a_walk_that_was_cut_off_is_not_taken_up_days_later_nor_by_another_window(tmp_path: Path, site: Site) -> None:
    project = make(tmp_path, site, "page", 10)
    collect_once(project)
    city = project.cities / "villa.yml"
    city.write_text(city.read_text(encoding="utf-8").replace("2021-05-03T09", "2021-05-09T09"), encoding="utf-8")
    before = site.threads()
    collect_once(project)
    assert max(site.threads().values()) == 2
    assert sum(count == 2 for count in site.threads().values()) >= len(before) - 1
    with open_warehouse(project.warehouse) as warehouse:
        loaded = project.load_city("villa")
        site.asked.clear()
        collect(warehouse, project, loaded, Period.from_dates(date(2021, 4, 2), date(2021, 4, 30), loaded.zone))
    assert len(site.threads()) >= len(before) - 1


def test_a_walk_that_was_killed_goes_on_where_it_was(tmp_path: Path, site: Site) -> None:
    whole = make(tmp_path / "whole", site, "page", 500)
    expected = collect_once(whole)
    site.asked.clear()
    project = make(tmp_path / "killed", site, "page", 500)
    site.pause = 0.4
    command = [sys.executable, "-m", "pipelines.cli", "collect", "villa", "--from", "2021-04", "--project", str(project.root)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        waited = time.monotonic()
        while len(site.threads()) < 12 and time.monotonic() - waited < 60:
            time.sleep(0.05)
        run.kill()
    assert len(site.threads()) >= 12
    time.sleep(1)  # the crawl ends with its parent; what it still asked for is over then
    site.pause = 0.0
    assert collect_once(project) == expected
    assert stored(project) == stored(whole)
    twice = [path for path, count in site.threads().items() if count > 1]
    assert len(site.threads()) == len(ARTICLES)
    assert len(twice) <= 8, "what was read more than about two seconds before the kill is not read again"
