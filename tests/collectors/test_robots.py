"""robots.txt by RFC 9309: what it closes, what it opens, and what is never asked."""

from __future__ import annotations

from typing import Any

import pytest

ENTRY = b'<rss version="2.0"><channel><item><guid>1</guid><description>Falta luz</description></item></channel></rss>'
PATH = "/foro/feed.xml"


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply

    def text(body: str) -> Any:
        return reply(body.encode(), "text/plain")

    far = "# relleno\n" * 40_000
    robots = {
        "caido": reply(b"", status=503),
        "limite": reply(b"", status=429),
        "roto": reply(b"", status=500),
        "fuga": reply(b"", status=302, headers=(("Location", "http://ajeno.test/robots.txt"),)),
        "ausente": reply(b"", status=404),
        "vedado": reply(b"", status=403),
        "abierto": text("User-agent: *\nDisallow: /admin\n"),
        "cerrado": text("User-agent: *\nDisallow: /foro/\n"),
        "nombrado": text("User-agent: escucha\nDisallow: /\n\nUser-agent: *\nAllow: /\n"),
        "otros": text("User-agent: GPTBot\nDisallow: /\n"),
        "lejos": text(f"User-agent: *\n{far}Disallow: /foro/\n"),
        "mudado": reply(b"", status=301, headers=(("Location", "/robots2.txt"),)),
    }

    def site_of(name: str) -> Any:
        pages = {"/robots.txt": robots[name], PATH: reply(ENTRY, "application/rss+xml")}
        if name == "mudado":
            pages["/robots2.txt"] = text("User-agent: *\nDisallow: /foro/\n")
        return lambda path, query: pages.get(path)

    lab.web.sites |= {f"{name}.test": site_of(name) for name in robots}
    options = {"entries": "manifestation"}
    return lab.crawl([lab.source(name, "feed", f"http://{name}.test{PATH}", options=options) for name in robots])


@pytest.mark.parametrize("name", ["caido", "limite", "roto", "fuga"])
def test_unreadable_robots_closes_the_host(lab: Any, crawled: Any, name: str) -> None:
    assert lab.web.pages(f"{name}.test") == []
    assert crawled.outcome(name) == ("failed", "robots_unreachable")
    assert crawled.health(name).robots == "unreachable"
    assert lab.web.pages("ajeno.test") == []


@pytest.mark.parametrize("name", ["ausente", "vedado", "abierto", "otros"])
def test_robots_that_does_not_forbid_opens_the_host(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("ok", "none")
    assert crawled.health(name).robots == "allowed"
    assert [item.text for item in crawled.items(name)] == ["Falta luz"]


@pytest.mark.parametrize("name", ["cerrado", "nombrado", "lejos", "mudado"])
def test_disallow_is_obeyed(lab: Any, crawled: Any, name: str) -> None:
    assert PATH not in {seen.path for seen in lab.web.pages(f"{name}.test")}
    assert crawled.outcome(name) == ("failed", "robots_closed")
    assert crawled.health(name).robots == "disallowed"


def test_robots_is_asked_once_where_it_answers(lab: Any, crawled: Any) -> None:
    asked = [seen for seen in lab.web.seen if seen.host == "abierto.test" and seen.path == "/robots.txt"]
    assert len(asked) == 1
    assert crawled.health("abierto").request_count == 2
