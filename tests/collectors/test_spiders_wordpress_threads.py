"""WordPress sites whose API is closed and whose feeds are short: sitemap, feeds of all articles, pages of long threads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from parsel import Selector
from scrapy.http import HtmlResponse

from collectors.spiders.wordpress_threads import (
    ThreadComment,
    lists_articles,
    own_place,
    parse_thread,
    place_of_thread,
    short_link,
    thread_pages,
)

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "wordpress"
AT = datetime(2021, 4, 2, 15, tzinfo=UTC)
IN_FEEDS, ON_PAGE = 5, 4


def comment(number: int, post: int, *, parent: int = 0, hidden: bool = False, by_machine: bool = False) -> dict[str, Any]:
    """Return one comment; a hidden one is nowhere, and its answers only in feeds, as with WordPress."""
    return {"number": number, "post": post, "parent": parent, "hidden": hidden, "by_machine": by_machine}


def dated(row: dict[str, Any]) -> datetime:
    return AT + timedelta(hours=row["number"])


def says(row: dict[str, Any]) -> str:
    return "[…] lo cuenta […]" if row["by_machine"] else f"Sigue rota la pista {row['number']}"


class Site:
    """A WordPress site without its API: what it was published as decides whether a guid tells the number of an article."""

    def __init__(
        self,
        lab: Any,
        host: str,
        rows: list[dict[str, Any]],
        *,
        listed: tuple[int, ...] = (),
        clock: str = "-05:00",
        **known: Any,
    ) -> None:
        self.lab, self.host, self.rows, self.listed, self.clock = lab, host, rows, listed, clock
        self.counts: dict[int, int] = known.get("counts", {})
        self.imported: tuple[int, ...] = known.get("imported", ())

    def __call__(self, path: str, query: dict[str, list[str]]) -> Any:
        parts = path.strip("/").split("/")
        number = int(parts[0].removeprefix("nota-")) if parts[0].startswith("nota-") else 0
        if "wp-json" in path:
            return self.lab.Reply(json.dumps({"code": "rest_cannot_read"}).encode(), "application/json", 401)
        if path == "/comments/feed/":
            return self.feed(self.shown())
        if path == "/feed/" and "paged" not in query:
            return self.articles()
        if path == "/wp-sitemap.xml" and self.listed:
            names = ("posts-post-1", "posts-page-1", "users-1", "taxonomies-category-1")
            return self.sitemap("sitemap", [f"http://{self.host}/wp-sitemap-{name}.xml" for name in names])
        if path == "/wp-sitemap-posts-post-1.xml":
            return self.sitemap("url", [f"http://{self.host}/nota-{post}/" for post in self.listed])
        if path == "/wp-sitemap-posts-page-1.xml":
            return self.sitemap("url", [f"http://{self.host}/"])
        if number and parts[1:] == ["feed"]:
            rows = [row for row in self.shown() if row["post"] == number]
            return self.feed(rows, headers=(("Link", f"<http://{self.host}/?p={number}>; rel=shortlink"),))
        if number and (len(parts) == 1 or parts[1].startswith("comment-page-")):
            return self.page(number, int(parts[1].removeprefix("comment-page-")) if parts[1:] else None)
        return None

    def shown(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if not row["hidden"]]

    def sitemap(self, name: str, addresses: list[str]) -> Any:
        outer = "urlset" if name == "url" else "sitemapindex"
        inner = "".join(f"<{name}><loc>{address}</loc></{name}>" for address in addresses)
        body = f'<{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inner}</{outer}>'
        return self.lab.Reply(body.encode(), "application/xml")

    def guid(self, post: int) -> str:
        return f"http://{self.host}/nota-{post}/" if post in self.imported else f"http://{self.host}/?p={post}"

    def feed(self, rows: list[dict[str, Any]], *, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        items = ""
        for row in sorted(rows, key=dated, reverse=True)[:IN_FEEDS]:
            link = f"http://{self.host}/nota-{row['post']}/comment-page-1/"
            reply = f'<p>En respuesta a <a href="{link}#comment-{row["parent"]}">Zoe</a>.</p>\n' if row["parent"] else ""
            items += (
                f"<item><link>{link}#comment-{row['number']}</link><dc:creator>Zoe {row['number']}</dc:creator>"
                f"<pubDate>{format_datetime(dated(row))}</pubDate>"
                f"<guid isPermaLink='false'>{self.guid(row['post'])}#comment-{row['number']}</guid>"
                f"<content:encoded><![CDATA[{reply}<p>{says(row)}</p>]]></content:encoded></item>"
            )
        return self.rss(items, headers)

    def articles(self) -> Any:
        items = "".join(
            f"<item><title>Nota {post}</title><link>http://{self.host}/nota-{post}/</link><guid>{self.guid(post)}</guid>"
            f"<pubDate>{format_datetime(AT)}</pubDate><description>Avance</description>"
            f"<slash:comments>{count}</slash:comments></item>"
            for post, count in self.counts.items()
        )
        return self.rss(items, ())

    def rss(self, items: str, headers: tuple[tuple[str, str], ...]) -> Any:
        names = (
            'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
        )
        body = f'<rss version="2.0" {names}><channel><title>Feed</title>{items}</channel></rss>'
        return self.lab.Reply(body.encode(), "application/rss+xml; charset=UTF-8", 200, headers)

    def page(self, post: int, place: int | None) -> Any:
        """Return a page of a thread; without a number the last one, as WordPress shows it."""
        first = [row for row in self.shown() if row["post"] == post and not row["parent"]]
        pages = max(-(-len(first) // ON_PAGE), 1)
        place = place or pages
        items = "".join(self.item(row, place) for row in first[(place - 1) * ON_PAGE : place * ON_PAGE])
        older = f'<a href="/nota-{post}/comment-page-{place - 1}/#comments">Anteriores</a>' if place > 1 else ""
        newer = f'<a href="/nota-{post}/comment-page-{place + 1}/#comments">Recientes</a>' if place < pages else ""
        strange = '<a href="/nota-99/comment-page-1/">Otra nota</a><a href="http://[mal/comment-page-1/">?</a>'
        body = f"<html><body><ol class='commentlist'>{items}</ol>{older}{newer}{strange}</body></html>"
        headers = (("Link", f"<http://{self.host}/?p={post}>; rel=shortlink"),)
        return self.lab.Reply(body.encode(), "text/html; charset=UTF-8", 200, headers)

    def item(self, row: dict[str, Any], place: int) -> str:
        answers = [one for one in self.shown() if one["parent"] == row["number"]]
        nested = f"<ol class='children'>{''.join(self.item(one, place) for one in answers)}</ol>" if answers else ""
        kind = "pingback" if row["by_machine"] else "comment"
        written = (dated(row) - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S") + self.clock
        link = f"http://{self.host}/nota-{row['post']}/comment-page-{place}/#comment-{row['number']}"
        return (
            f"<li id='comment-{row['number']}' class='{kind} even'><article id='div-comment-{row['number']}'>"
            f"<b class='fn'>Zoe {row['number']}</b><a href='{link}'><time datetime='{written}'>un día</time></a>"
            f"<div class='comment-content'><p>{says(row)}</p></div></article>{nested}</li>"
        )


def long_thread(post: int, first: int = 1) -> list[dict[str, Any]]:
    """Return 14 comments, every third an answer to the one before it."""
    return [comment(number, post, parent=number - 1 if number % 3 == 0 else 0) for number in range(first, first + 14)]


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    whole = [*long_thread(7), comment(20, 8), comment(21, 9), comment(22, 7, by_machine=True)]
    veiled = [*long_thread(7), comment(30, 7, hidden=True), comment(31, 7, parent=30), *(comment(40 + n, 7) for n in range(5))]
    lab.web.sites |= {
        "entero.test": Site(lab, "entero.test", whole, listed=(7, 8, 9), counts={7: 15, 8: 1, 9: 1}, imported=(9,)),
        "velado.test": Site(lab, "velado.test", veiled, listed=(7,), counts={7: 20}),
        "sinmapa.test": Site(lab, "sinmapa.test", whole, counts={7: 15}),
        "antiguo.test": Site(lab, "antiguo.test", long_thread(7), listed=(7,), counts={7: 14}, clock="+00:00"),
        "ajeno.test": Site(lab, "ajeno.test", [comment(1, 7), comment(2, 8)], imported=(7, 8)),
    }
    lab.web.sites["ajeno.test"].rows += [comment(-24 * 9 - number, 8) | {"number": -24 * 9 - number} for number in range(3)]
    names = ("entero", "velado", "sinmapa", "antiguo", "ajeno")
    return lab.crawl([lab.source(name, "wordpress", f"http://{name}.test/") for name in names])


def test_sitemap_feeds_and_pages_give_every_comment(lab: Any, crawled: Any) -> None:
    people = crawled.people("entero")
    assert set(people) == {f"comment-{number}" for number in (*range(1, 15), 20, 21)}
    assert {name: item.parent_id for name, item in people.items() if item.parent_id not in ("post-7",)} == {
        "comment-3": "comment-2",
        "comment-6": "comment-5",
        "comment-9": "comment-8",
        "comment-12": "comment-11",
        "comment-20": "post-8",
        "comment-21": "post-9",  # its guid does not tell the number, the header of the article's feed does
    }
    assert all(item.published_at == AT + timedelta(hours=int(name.removeprefix("comment-"))) for name, item in people.items())
    assert all(item.text == f"Sigue rota la pista {name.removeprefix('comment-')}" for name, item in people.items())
    assert crawled.outcome("entero") == ("ok", "none")


def test_each_page_of_a_thread_is_asked_once_and_no_other_articles(lab: Any, crawled: Any) -> None:
    asked = [seen.path for seen in lab.web.pages("entero.test") if seen.path.startswith("/nota-") and "feed" not in seen.path]
    assert sorted(asked) == ["/nota-7/", "/nota-7/comment-page-1/", "/nota-7/comment-page-2/"]
    maps = sorted(seen.path for seen in lab.web.pages("entero.test") if "sitemap" in seen.path)
    assert maps == ["/wp-sitemap-posts-page-1.xml", "/wp-sitemap-posts-post-1.xml", "/wp-sitemap.xml"]


def test_answers_that_no_page_shows_are_told(crawled: Any) -> None:
    assert "comment-31" not in crawled.people("velado")
    assert crawled.outcome("velado") == ("partial", "http_error")
    assert "of the site's comments only the last 5" in crawled.health("velado").detail
    assert "1 long threads were read from their pages, which may leave some comments out" in crawled.health("velado").detail


def test_without_a_sitemap_it_stays_said_that_the_feed_was_short(crawled: Any) -> None:
    assert len(crawled.people("sinmapa")) == 16
    assert crawled.outcome("sinmapa") == ("partial", "http_error")
    assert "of the site's comments only the last 5" in crawled.health("sinmapa").detail


def test_pages_of_old_sites_call_local_time_utc(crawled: Any) -> None:
    people = crawled.people("antiguo")
    assert people["comment-1"].published_raw == "2021-04-02T11:00:00+00:00"
    assert all(item.published_at == AT + timedelta(hours=int(name.removeprefix("comment-"))) for name, item in people.items())
    assert len(people) == 14


def test_article_that_hides_its_number_is_asked_where_the_feed_of_the_site_is_enough(lab: Any, crawled: Any) -> None:
    assert {name: item.parent_id for name, item in crawled.people("ajeno").items() if item.published_at > AT} == {
        "comment-1": "post-7",
        "comment-2": "post-8",
    }
    assert not [seen for seen in lab.web.pages("ajeno.test") if "sitemap" in seen.path]


def test_recorded_thread_of_a_block_theme() -> None:
    page = Selector((RECORDED / "thread.html").read_text(encoding="utf-8"))
    comments = {one.number: one for one in parse_thread(page)}
    assert len(comments) == 7
    assert comments[709] == ThreadComment(
        number=709,
        parent=441,
        author="Peña & hijos",
        raw_date="2021-02-02T11:15:58-05:00",
        text="El año pasado prometieron rampas.\nNi una sola pusieron.\n¡Qué vergüenza! (N.º 707)",
        shown=True,
        by_machine=False,
    )
    assert comments[230].text == "Lean y juzguen:\nNo hay caja\n¿Y el canon? (N.º 228)"
    assert (comments[441].parent, comments[230].parent, comments[965].parent) == (230, None, None)
    assert own_place(page) == 1


def test_thread_pages_of_plain_permalinks() -> None:
    body = b"<a href='/?p=7&cpage=2#comments'>2</a><a href='/?p=8&cpage=3'>3</a><a href='/?p=7&cpage=0'>0</a>"
    response = HtmlResponse("http://a.test/?p=7", body=body, encoding="utf-8")
    assert thread_pages(response.url, Selector(body.decode()), "http://a.test/?p=7") == {"http://a.test/?p=7&cpage=2"}
    assert place_of_thread("http://a.test/nota/comment-page-4/#comment-1", 2) == "http://a.test/nota/comment-page-2/"


def test_short_link_of_an_answer() -> None:
    links = ['<http://a.test/wp-json/>; rel="https://api.w.org/"', "<http://a.test/?p=12>; rel=shortlink"]
    assert short_link(HtmlResponse("http://a.test/x/", headers={"Link": links})) == "post-12"
    assert short_link(HtmlResponse("http://a.test/x/", headers={"Link": links[:1]})) is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("wp-sitemap-posts-post-1.xml", True),
        ("post-sitemap.xml", True),
        ("wp-sitemap-posts-tramite-2.xml", True),
        ("wp-sitemap-users-1.xml", False),
        ("author-sitemap.xml", False),
        ("category-sitemap.xml", False),
        ("post_tag-sitemap.xml", False),
        ("wp-sitemap-taxonomies-post_tag-1.xml", False),
    ],
)
def test_sitemaps_that_list_articles(name: str, wanted: bool) -> None:
    assert lists_articles(f"http://a.test/{name}") is wanted
