"""WordPress sites that close their REST API, in the ways in which sites do, and what their feeds still tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.spiders.wordpress_addresses import STYLES, article_feed, home_of_root
from collectors.spiders.wordpress_rows import comment_number, is_pingback, post_number, without_shortcodes

Query = dict[str, list[str]]
RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "wordpress"
RSS = "application/rss+xml; charset=UTF-8"
AT = datetime(2021, 4, 5, 12, tzinfo=UTC)


def api_error(lab: Any, status: int, code: str) -> Any:
    body = {"code": code, "message": "Lo siento, no tienes permiso para hacer eso.", "data": {"status": status}}
    return lab.Reply(json.dumps(body).encode(), "application/json; charset=UTF-8", status)


def feed_of(host: str, comments: list[dict[str, Any]]) -> bytes:
    """Return the comment feed that WordPress writes of these comments, the newest first."""
    by_id = {row["id"]: row for row in comments}
    items = ""
    for row in sorted(comments, key=lambda row: row["date_gmt"], reverse=True):
        place, parent = f"http://{host}/nota-{row['post']}/", by_id.get(row["parent"])
        answer = (
            f'<p>En respuesta a <a href="{place}#comment-{parent["id"]}">{parent["author_name"]}</a>.</p>\n' if parent else ""
        )
        written = format_datetime(datetime.fromisoformat(row["date_gmt"]).replace(tzinfo=UTC))
        items += (
            f"<item><title>Comentario por {row['author_name']}</title><link>{place}#comment-{row['id']}</link>"
            f"<dc:creator><![CDATA[{row['author_name']}]]></dc:creator><pubDate>{written}</pubDate>"
            f"<guid isPermaLink='false'>http://{host}/?p={row['post']}#comment-{row['id']}</guid>"
            f"<description><![CDATA[{answer}{row['content']['rendered']}]]></description>"
            f"<content:encoded><![CDATA[{answer}{row['content']['rendered']}]]></content:encoded></item>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Comentarios</title>'
        f"<link>http://{host}/</link><description/>{items}</channel></rss>"
    ).encode()


def rows_of(host: str, count: int, *, every: timedelta = timedelta(hours=1), post: int = 7) -> list[dict[str, Any]]:
    """Return comments as the API gives them, each third one an answer to the one before it."""
    return [
        {
            "id": number,
            "post": post,
            "parent": number - 1 if number % 3 == 0 else 0,
            "author_name": f"Ñusta {number}",
            "date_gmt": (AT + every * number).strftime("%Y-%m-%dT%H:%M:%S"),
            "link": f"http://{host}/nota-{post}/#comment-{number}",
            "type": "comment",
            "content": {"rendered": f"<p>La señora del puesto {number}<br />\ncerró &amp; se fue [nota] :) 🙂</p>\n"},
        }
        for number in range(1, count + 1)
    ]


class Closed:
    """A WordPress site whose API answers with one refusal, and that shows these feeds by path (or by the parameter `feed`)."""

    def __init__(self, lab: Any, refusal: Any, feeds: dict[str, bytes], *, posts: list[dict[str, Any]] | None = None) -> None:
        self.lab, self.refusal, self.feeds, self.posts = lab, refusal, feeds, posts

    def __call__(self, path: str, query: Query) -> Any:
        if "/wp-json/" in path or "rest_route" in query:
            if self.posts is not None and path.endswith("/posts"):
                headers = (("X-WP-Total", str(len(self.posts))), ("X-WP-TotalPages", "1"))
                return self.lab.Reply(json.dumps(self.posts).encode(), "application/json", 200, headers)
            return self.refusal
        key = path + "".join(f"?{name}={query[name][0]}" for name in ("feed", "paged") if name in query)
        return self.lab.Reply(self.feeds[key], RSS) if key in self.feeds else None


def article(host: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "date_gmt": "2021-04-02T14:00:00",
        "link": f"http://{host}/nota-{number}/",
        "title": {"rendered": f"Nota {number}"},
        "content": {"rendered": "<p>Se inician obras.</p>", "protected": False},
    }


def plain_site(lab: Any, refusal: Any) -> Any:
    """Return a closed site without pretty permalinks: only its front page and what is asked of it by parameters is there."""
    closed = Closed(lab, refusal, {"/?feed=comments-rss2": feed_of("simple.test", rows_of("simple.test", 2))})
    link = (("Link", '<http://simple.test/?rest_route=/>; rel="https://api.w.org/"'),)

    def site(path: str, query: Query) -> Any:
        if path != "/":
            return None
        return closed(path, query) if query else lab.Reply(b"<html>Portada</html>", headers=link)

    return site


def sites(lab: Any) -> dict[str, Any]:
    reply = lab.Reply
    denied, forbidden = api_error(lab, 401, "rest_cannot_read"), api_error(lab, 403, "rest_forbidden")
    removed, wall = api_error(lab, 404, "rest_no_route"), reply(b"<html><h1>403</h1>Bloqueado</html>", status=403)
    recorded = {name: (RECORDED / f"{name}.xml").read_bytes() for name in ("comments-feed", "post-feed")}
    old = rows_of("muro.test", 12, every=timedelta(days=-1))
    whole = rows_of("igual.test", 9)
    last = rows_of("corto.test", 10)
    first = rows_of("corto.test", 3, post=9)
    for number, row in enumerate(first, start=901):
        row |= {"id": number, "parent": 0, "link": f"http://corto.test/nota-9/#comment-{number}"}
    busy = rows_of("tope.test", 2)
    return {
        "vocero.test": Closed(
            lab,
            denied,
            {"/comments/feed/": recorded["comments-feed"], "/feed/": recorded["post-feed"]},
        ),
        "muro.test": Closed(lab, wall, {"/comments/feed/": feed_of("muro.test", old), "/feed/": recorded["post-feed"]}),
        "corto.test": Closed(
            lab,
            forbidden,
            {
                "/comments/feed/": feed_of("corto.test", last),
                "/nota-7/feed/": feed_of("corto.test", last),
                "/nota-9/feed/": feed_of("corto.test", first),
            },
            posts=[article("corto.test", 7), article("corto.test", 9)],
        ),
        "igual.test": Closed(lab, removed, {"/comments/feed/": feed_of("igual.test", whole)}),
        "abierto.test": lambda path, query: (
            reply(json.dumps(rows_of("abierto.test", 9)).encode(), "application/json", 200, (("X-WP-TotalPages", "1"),))
            if path == "/wp-json/wp/v2/comments"
            else None
        ),
        "simple.test": plain_site(lab, denied),
        "carpeta.test": lambda path, query: Closed(
            lab, removed, {"/comments/feed/": feed_of("carpeta.test", rows_of("carpeta.test", 1))}
        )(path.removeprefix("/blog"), query),
        "sinfeed.test": Closed(lab, removed, {}),
        "porarticulo.test": Closed(
            lab,
            removed,
            {
                f"/nota-{number}/feed/": feed_of("porarticulo.test", rows_of("porarticulo.test", number - 6, post=number))
                for number in (7, 8)
            },
            posts=[article("porarticulo.test", 7), article("porarticulo.test", 8)],
        ),
        "tope.test": Closed(
            lab,
            removed,
            {"/comments/feed/": feed_of("tope.test", busy), "/nota-7/feed/": feed_of("tope.test", busy)},
            posts=[article("tope.test", number) for number in range(7, 12)],
        ),
        "roto.test": Closed(lab, denied, {"/comments/feed/": feed_of("roto.test", rows_of("roto.test", 4))[:-400]}),
        "prohibido.test": lambda path, query: (
            reply(b"User-agent: *\nDisallow: /wp-json/\n", "text/plain")
            if path == "/robots.txt"
            else Closed(
                lab,
                denied,
                dict.fromkeys(("/comments/feed/", "/nota-7/feed/"), feed_of("prohibido.test", rows_of("prohibido.test", 2))),
            )(path, query)
        ),
        "saturado.test": lambda path, query: reply(b"", status=429) if "feed" in path else removed,
        "paginado.test": Closed(
            lab,
            removed,
            {
                "/feed/": recorded["post-feed"],
                "/feed/?paged=2": recorded["post-feed"].replace(b"?p=4", b"?p=5").replace(b"2021/04", b"2021/02"),
                "/comments/feed/": feed_of("paginado.test", []),
            },
        ),
    }


WITHOUT_POSTS = ("igual", "abierto", "simple", "sinfeed", "roto", "prohibido", "saturado")


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    lab.web.sites |= sites(lab)
    options: dict[str, Any] = {name: {"posts": False} for name in WITHOUT_POSTS} | {"tope": {"article_feeds": 2}}
    names = [host.removesuffix(".test") for host in lab.web.sites if host != "carpeta.test"]
    sources = [lab.source(name, "wordpress", f"http://{name}.test/", options=options.get(name, {})) for name in names]
    return lab.crawl([*sources, lab.source("carpeta", "wordpress", "http://carpeta.test/blog", options={"posts": False})])


def paths(lab: Any, name: str) -> list[str]:
    """Return the addresses that a site was asked for, beside its API."""
    asked = [seen for seen in lab.web.pages(f"{name}.test") if "wp-json" not in seen.path and "rest_route" not in seen.query]
    return [seen.path + "".join(f"?{key}={value[0]}" for key, value in seen.query.items()) for seen in asked]


def test_recorded_feeds_give_persons_and_articles(lab: Any, crawled: Any) -> None:
    people = crawled.people("vocero")
    assert {name: (item.parent_id, item.text, item.author_key is None) for name, item in people.items()} == {
        "comment-118": ("comment-117", "También pasó en mi cuadra 😡", False),
        "comment-117": ("post-41", "Dejaron la zanja abierta\ny un niño se cayó", False),
        "comment-114": ("post-12", "¿Hay feria este año?", True),
    }
    answer = people["comment-118"]
    assert (answer.published_at, answer.title) == (datetime(2021, 4, 28, 15, 10, tzinfo=UTC), None)
    assert answer.url == "http://vocero.test/2021/04/obras-en-la-avenida/comment-page-2/#comment-118"
    articles = {item.native_id: item.text for item in crawled.items("vocero") if item.kind == "article"}
    assert articles == {"post-41": "Se abren zanjas en la avenida.", "post-40": "Mañana no habrá agua."}
    assert "Huamaní" not in crawled.written()


def test_how_far_back_the_feed_reaches_is_said(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("vocero") == ("partial", "http_error")
    detail = crawled.health("vocero").detail
    assert "HTTP 401 rest_cannot_read at http://vocero.test/wp-json/wp/v2/comments" in detail
    assert "only the last 5 in http://vocero.test/comments/feed/ were readable, back to 2021-04-26T12:30:00+00:00" in detail
    # The feeds of articles that somebody answered are asked too; the one that nobody answered is not.
    asked = {path for path in paths(lab, "vocero") if path.startswith("/202")}
    assert asked == {"/2021/04/obras-en-la-avenida/feed/", "/2021/04/acta/feed/", "/2020/11/feria/feed/"}


def test_feed_that_reaches_beyond_the_window_leaves_nothing_to_tell(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("muro") == ("ok", "none")
    assert {"comment-1", "comment-4"} <= set(crawled.people("muro"))
    assert sorted(paths(lab, "muro")) == ["/comments/feed/", "/feed/", "/feed/?paged=2"]


def test_articles_are_asked_when_the_feed_of_the_site_is_short(lab: Any, crawled: Any) -> None:
    assert set(crawled.people("corto")) == {
        *(f"comment-{number}" for number in range(1, 11)),
        *(f"comment-{number}" for number in range(901, 904)),
    }
    assert len(crawled.people("corto")) == len([item for item in crawled.items("corto") if item.kind == "manifestation"])
    # The article whose own feed is full is asked for its page too.
    assert sorted(paths(lab, "corto")) == ["/comments/feed/", "/nota-7/", "/nota-7/feed/", "/nota-9/feed/", "/wp-sitemap.xml"]
    detail = crawled.health("corto").detail
    assert "only the last 10 comments in http://corto.test/nota-7/feed/ were readable" in detail
    assert "nota-9" not in detail


def test_closing_the_api_doubles_no_message(crawled: Any) -> None:
    def told(name: str) -> list[tuple[Any, ...]]:
        return sorted(
            (item.native_id, item.parent_id, item.kind, item.title, item.text, item.published_at, item.url.replace(name, "x"))
            for item in crawled.items(name)
        )

    assert len(told("abierto")) == 9
    assert told("igual") == told("abierto")
    assert told("abierto")[2][:2] == ("comment-3", "comment-2")
    assert crawled.outcome("abierto") == ("ok", "none")


@pytest.mark.parametrize(
    ("name", "ids", "asked"),
    [
        (
            "simple",
            {"comment-1", "comment-2"},
            ["/", "/comments/feed/", "/?feed=comments-rss2", "/nota-7/?feed=rss2", "/wp-sitemap.xml"],
        ),
        ("carpeta", {"comment-1"}, ["/blog/comments/feed/", "/nota-7/feed/", "/blog/wp-sitemap.xml"]),
    ],
)
def test_feeds_stand_where_the_site_has_them(lab: Any, crawled: Any, name: str, ids: set[str], asked: list[str]) -> None:
    assert set(crawled.people(name)) == ids
    assert paths(lab, name) == asked


def test_site_that_shows_nothing_is_told(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("sinfeed") == ("failed", "http_error")
    assert "nor is there a readable feed of the site's comments (HTTP 404" in crawled.health("sinfeed").detail
    assert paths(lab, "sinfeed") == ["/comments/feed/", "/?feed=comments-rss2"]


def test_one_article_tells_whether_articles_have_feeds(lab: Any, crawled: Any) -> None:
    assert [path for path in paths(lab, "porarticulo") if path.startswith("/nota")] == ["/nota-7/feed/", "/nota-8/feed/"]
    assert {item.parent_id for item in crawled.people("porarticulo").values()} == {"post-7", "post-8"}
    assert crawled.outcome("porarticulo") == ("partial", "http_error")


def test_no_more_articles_are_asked_than_the_city_wants(lab: Any, crawled: Any) -> None:
    assert len([path for path in paths(lab, "tope") if path.startswith("/nota") and path.endswith("/feed/")]) == 2
    assert "the comment feeds of 2 articles were asked, and no more" in crawled.health("tope").detail


def test_feed_that_breaks_off_is_read_in_part_and_told(crawled: Any) -> None:
    assert {"comment-4", "comment-3", "comment-2"} <= set(crawled.people("roto"))
    assert "http://roto.test/comments/feed/: the document breaks off" in crawled.health("roto").detail


def test_robots_that_close_the_api_leave_the_feeds(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("prohibido") == ("ok", "robots_closed")
    assert set(crawled.people("prohibido")) == {"comment-1", "comment-2"}
    assert "only the last 2 in http://prohibido.test/comments/feed/ were readable" in crawled.health("prohibido").detail
    assert not [seen for seen in lab.web.pages("prohibido.test") if "wp-json" in seen.path]


def test_rate_limit_of_a_feed_is_told(lab: Any, crawled: Any) -> None:
    assert crawled.health("saturado").status == "failed"
    assert "HTTP 429 at http://saturado.test/comments/feed/" in crawled.health("saturado").detail
    assert set(paths(lab, "saturado")) == {"/comments/feed/"}


def test_articles_are_read_page_by_page_until_the_window_begins(lab: Any, crawled: Any) -> None:
    assert [path for path in paths(lab, "paginado") if path.startswith("/feed")] == ["/feed/", "/feed/?paged=2", "/feed/?paged=3"]
    articles = {item.native_id for item in crawled.items("paginado") if item.kind == "article"}
    assert articles == {"post-41", "post-40", "post-51", "post-50"}
    assert crawled.outcome("paginado") == ("ok", "none")  # nobody ever commented there, and every article was read


@pytest.mark.parametrize(
    ("link", "style", "address"),
    [
        ("http://a.test/2021/nota/", 0, "http://a.test/2021/nota/feed/"),
        ("http://a.test/2021/nota", 0, "http://a.test/2021/nota/feed/"),
        ("http://a.test/2021/nota/comment-page-3/#comment-9", 0, "http://a.test/2021/nota/feed/"),
        ("http://a.test/?p=7#comment-9", 0, "http://a.test/?p=7&feed=rss2"),
        ("http://a.test/?p=7", 1, "http://a.test/?p=7&feed=rss2"),
        ("ftp://a.test/x", 0, None),
        ("http://[mal/", 0, None),
        ("", 0, None),
    ],
)
def test_address_of_the_feed_of_an_article(link: str, style: int, address: str | None) -> None:
    assert article_feed(link, STYLES[style]) == address


@pytest.mark.parametrize(
    ("root", "home"),
    [
        ("http://a.test/wp-json/", "http://a.test/"),
        ("http://a.test/blog/wp-json/", "http://a.test/blog/"),
        ("http://a.test/index.php/wp-json/", "http://a.test/index.php/"),
        ("http://a.test/index.php?rest_route=/", "http://a.test/"),
        ("http://a.test/blog/?rest_route=%2F", "http://a.test/blog/"),
    ],
)
def test_home_of_a_root(root: str, home: str) -> None:
    assert home_of_root(root) == home


def test_numbers_of_comments_and_articles() -> None:
    assert comment_number("http://a.test/?p=7#comment-0012") == "comment-12"
    assert comment_number(None, "x", "http://a.test/n/#comment-5") == "comment-5"
    assert comment_number("http://a.test/#comment-5x", "#comment-٥") is None
    assert post_number("http://a.test/?post_type=tramite&p=7#comment-3") == "post-7"
    assert post_number("http://a.test/?page_id=9") == "post-9"
    assert post_number("http://a.test/?pp=9") is None


def test_marks_of_shortcodes_go_and_words_in_brackets_stay() -> None:
    assert without_shortcodes("a [caption id=“x”] pie [/caption] b [sic] c") == "a pie b [sic] c"
    assert without_shortcodes("[b]negrita[/b] y [voy] [Nota]") == "negrita y [voy] [Nota]"
    hostile = "[" + "a" * 30_000 + "[" * 30_000
    assert without_shortcodes(hostile) == hostile


def test_pingbacks_are_known_by_their_marks() -> None:
    assert is_pingback("[…] lo dice el diario […]")
    assert not is_pingback("[…]")
    assert not is_pingback("Lo leí […]")


def test_spent_budget_loses_no_comment_that_was_read(lab: Any) -> None:
    """Comments that do not tell their article wait for its feed; where that is not asked any more, they count all the same."""
    written = [row for number in range(1, 11) for row in rows_of("gastado.test", 1, post=number)]
    for number, row in enumerate(written, start=1):
        row |= {"id": number, "link": f"http://gastado.test/nota-{number}/#comment-{number}"}
    feed = feed_of("gastado.test", written)
    for row in written:
        feed = feed.replace(f"/?p={row['post']}#".encode(), f"/nota-{row['post']}/#".encode())
    lab.web.sites["gastado.test"] = Closed(lab, api_error(lab, 401, "rest_cannot_read"), {"/comments/feed/": feed})
    source = lab.source("gastado", "wordpress", "http://gastado.test/", options={"posts": False}, budget={"requests": 4})
    crawled = lab.crawl([source])
    assert crawled.outcome("gastado") == ("partial", "budget_requests")
    assert len(paths(lab, "gastado")) == 2
    assert set(crawled.people("gastado")) == {f"comment-{row['id']}" for row in written}
