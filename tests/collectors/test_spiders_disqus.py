"""Disqus forums, crawled from a server that pages, filters and refuses as the Disqus API 3.0 does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

RECORDED = Path(__file__).parent.parent / "recorded" / "disqus" / "posts_list.json"
KEY = "clave/pública+2021=="
NEWEST = datetime(2021, 5, 2, 12, tzinfo=UTC)
THREAD = {"id": "77", "title": "Obras &amp; pistas", "link": "http://eldiario.test/obras/", "createdAt": "2021-03-20T10:00:00"}
Query = dict[str, list[str]]


def post(number: int, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    at = at or datetime(2021, 4, 10, 12, tzinfo=UTC)
    return {
        "id": str(number),
        "parent": None,
        "thread": {**THREAD, "message": ""},
        "author": {"name": f"Vecino {number}", "username": f"usuario{number}", "isAnonymous": False},
        "message": f"<p>Queja de la cuadra {number}</p>",
        "raw_message": f"Queja de la cuadra {number}",
        "createdAt": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "likes": 1,
        "dislikes": 0,
        "isApproved": True,
        "isDeleted": False,
        "isSpam": False,
        **fields,
    }


class Forum:
    """The posts of one forum, newest first, with cursors and the key as Disqus wants it."""

    def __init__(self, reply: Any, posts: list[Any], *, filters: bool = True, left: int = 500) -> None:
        self.reply, self.posts, self.filters, self.left = reply, posts, filters, left

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        if path != "/api/3.0/posts/list.json":
            return None
        if query.get("api_key") != [KEY]:
            return self.reply(b'{"code": 5, "response": "Invalid API key"}', "application/json", 401)
        start, end = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("start", "end"))
        found = [row for row in self.posts if not self.filters or start <= written(row) <= end]
        begin = int(query["cursor"][0].split(":")[1]) if "cursor" in query else 0
        size = int(query["limit"][0])
        more = begin + size < len(found)
        cursor = {"prev": None, "hasNext": more, "next": f"1618078805000000:{begin + size}:0", "more": more}
        return self.page(found[begin : begin + size], cursor)

    def page(self, rows: list[Any], cursor: Any) -> Any:
        self.left -= 1
        headers = (("X-Ratelimit-Remaining", str(self.left)), ("X-Ratelimit-Limit", "1000"))
        body = json.dumps({"cursor": cursor, "code": 0, "response": rows}).encode()
        return self.reply(body, "application/json", 200, headers)


def written(row: Any) -> datetime:
    return datetime.fromisoformat(row["createdAt"]).replace(tzinfo=UTC)


# One post every three hours back from 2 May: 300 of them reach to 26 March, before the window.
POSTS = [post(5_340_000_000 - number, at=NEWEST - timedelta(hours=3 * number)) for number in range(300)]
LONG_AGO = [post(number, at=datetime(2020, 1, 1, tzinfo=UTC)) for number in range(900)]
PEOPLE = [
    post(1, author={"name": "María", "username": "maria_ate", "isAnonymous": False}),
    post(2, author={"name": "María", "username": "maria_salamanca", "isAnonymous": False}, parent=1),
    post(3, author={"name": "Un vecino molesto", "isAnonymous": True}),
    post(4, author={"name": "Guest", "isAnonymous": True}),
    post(5, author={"name": "Municipalidad de Ate", "username": "muniate", "isAnonymous": False}, parent=3),
    post(6, isDeleted=True),
    post(7, isSpam=True),
    post(8, isApproved=False),
    post(9, isDeletedByAuthor=True),
    post(10, thread={**THREAD, "id": "78", "message": "<p>Se inician obras.</p>"}, message="", raw_message="Sin\nHTML 😀"),
    post(11, thread="79", url=None),
    post(12, thread={**THREAD, "id": "12"}),
]
ODD = [
    post(21),
    None,
    "texto",
    {"message": "<p>SECRETO-SIN-ID</p>"},
    post(22, message={"raro": "SECRETO-DEL-VECINO"}),
    post(23, id=True),
    post(24, author=None, likes=None, thread=None, parent="x"),
    post(25, author={"name": 7, "username": None}, likes="muchos", createdAt=None, url=5),
    post(26, createdAt="ayer no más", likes=True),
    post(27, id=27, likes=-4),
]


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    forever = Forum(reply, [])
    lab.web.sites |= {
        "largo.test": Forum(reply, POSTS),
        "sinfiltro.test": Forum(reply, POSTS + LONG_AGO, filters=False),
        "gente.test": Forum(reply, PEOPLE),
        "oficial.test": Forum(reply, PEOPLE[-1:]),
        "raro.test": Forum(reply, ODD, filters=False),
        "grabado.test": lambda path, query: reply(RECORDED.read_bytes(), "application/json"),
        "agotado.test": Forum(reply, POSTS, left=1),
        "vuelta.test": lambda path, query: forever.page(POSTS[20:30], {"hasNext": True, "next": f"9:{len(lab.web.seen)}:0"}),
        "mismo.test": lambda path, query, seen: forever.page(
            [post(len(lab.web.seen) + 100)], {"hasNext": True, "next": "1618078805000000:1:0"}
        ),
        "vacio.test": lambda path, query: forever.page([], {"hasNext": True, "next": f"9:{len(lab.web.seen)}:0"}),
        "sincursor.test": lambda path, query: forever.page(POSTS[20:22], {"hasNext": True, "next": None}),
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>"),
        "cortado.test": lambda path, query: reply(b'{"code": 0, "response": [{"id": "1"', "application/json"),
        "sinlista.test": lambda path, query: reply(b'{"code": 0, "response": {"id": "1"}}', "application/json"),
        "nada.test": lambda path, query: reply(b"404", status=404),
        "caido.test": lambda path, query: reply(b"", status=500),
        "apurado.test": lambda path, query: reply(b"<html>", status=429),
        "mudado.test": lambda path, query, seen: reply(
            b"", status=302, headers=(("Location", f"http://otro.test/?api_key={quote(KEY)}"),)
        ),
        **{f"error{code}.test": refusal(reply, code, 403) for code in (2, 11, 13, 14)},
        "error15.test": refusal(reply, 15, 200),
    }
    names = [host.removesuffix(".test") for host in lab.web.sites]
    sources = [source(lab, name) for name in names]
    sources += [
        source(lab, "mala", api="http://gente.test/api/3.0/", key="env:DISQUS_OTRA"),
        source(lab, "falta", api="http://gente.test/api/3.0/", key="env:DISQUS_FALTA"),
        source(lab, "sinhilos", api="http://gente.test/api/3.0", threads=False),
    ]
    environ = {"DISQUS_CLAVE": KEY, "DISQUS_OTRA": "clave-equivocada"}
    return lab.crawl(sources, environ=environ)


def refusal(reply: Any, code: int, status: int) -> Any:
    return lambda path, query: reply(json.dumps({"code": code, "response": "no"}).encode(), "application/json", status)


def source(lab: Any, name: str, **options: Any) -> dict[str, Any]:
    options = {"api": f"http://{name}.test/api/3.0/", "forum": "eldiario", "key": "env:DISQUS_CLAVE", **options}
    publisher = {"authors": ["muniate"], "official": name == "oficial"}
    return dict(lab.source(name, "disqus", "http://eldiario.test/", options=options, publisher=publisher))


def test_the_window_is_asked_for_page_by_page(lab: Any, crawled: Any) -> None:
    asked = lab.web.pages("largo.test")
    assert [seen.query.get("cursor", ["-"])[0] for seen in asked] == ["-", "1618078805000000:100:0", "1618078805000000:200:0"]
    query = asked[0].query
    assert {name: query[name] for name in ("forum", "order", "include", "related", "limit")} == {
        "forum": ["eldiario"],
        "order": ["desc"],
        "include": ["approved"],
        "related": ["thread"],
        "limit": ["100"],
    }
    start, end = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("start", "end"))
    assert start == datetime(2021, 4, 1, 4, 59, 59, tzinfo=UTC)
    assert end == datetime(2021, 5, 1, 5, 0, 1, tzinfo=UTC)
    assert set(crawled.people("largo")) == {row["id"] for row in POSTS if start <= written(row) <= end}
    assert crawled.outcome("largo") == ("ok", "none")


def test_a_walk_stops_after_the_first_page_before_the_window(lab: Any, crawled: Any) -> None:
    # The server does not filter: the third page reaches into March, the fourth lies wholly before the window, eight follow.
    assert len(lab.web.pages("sinfiltro.test")) == 4
    assert crawled.outcome("sinfiltro") == ("ok", "none")
    assert set(crawled.people("sinfiltro")) >= {row["id"] for row in POSTS}


def test_post_as_documented(crawled: Any) -> None:
    (item,) = crawled.people("grabado").values()
    assert item.native_id == "5340000103"
    assert item.parent_id == "0:8465123907"
    assert item.url == "http://eldiario.test/2021/04/pistas/#comment-5340000103"
    assert item.text == ("Señores, la pista está peor que el año pasado.\nÑandú & pingüino 😡\nVean http://eldiario.test/foto")
    assert item.published_at == datetime(2021, 4, 10, 18, 20, 5, tzinfo=UTC)
    assert item.published_raw == "2021-04-10T18:20:05"
    assert item.reactions == 12
    assert item.modified_at is None
    (article,) = (found for found in crawled.items("grabado") if found.kind == "article")
    assert (article.native_id, article.title) == ("0:8465123907", "¿Cuándo se asfalta la avenida?")
    assert (article.text, article.url) == (article.title, "http://eldiario.test/2021/04/pistas/")
    assert article.published_at == datetime(2021, 4, 9, 14, tzinfo=UTC)


def test_authors_are_told_apart_by_their_user_names(crawled: Any) -> None:
    people = crawled.people("gente")
    keys = [people[number].author_key for number in "123"]
    assert None not in keys
    assert len(set(keys)) == 3
    assert people["4"].author_key is None
    assert "maria" not in crawled.written()
    assert people["2"].parent_id == "1"


def test_own_words_of_the_publisher_are_official(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("gente")}
    assert (by_id["5"].kind, by_id["5"].parent_id) == ("official", "3")
    assert {item.kind for item in crawled.items("oficial")} == {"official", "manifestation"}


def test_hidden_posts_do_not_count(crawled: Any) -> None:
    assert set(crawled.people("gente")) == {"1", "2", "3", "4", "10", "11", "12"}


def test_each_thread_comes_once_and_never_passes_for_a_post(crawled: Any) -> None:
    articles = {item.native_id: item for item in crawled.items("gente") if item.kind == "article"}
    assert set(articles) == {"0:77", "0:78", "0:12"}
    assert articles["0:77"].text == "Obras & pistas"
    assert articles["0:78"].text == "Se inician obras."
    assert [item.kind for item in crawled.items("gente")].count("article") == 3
    people = crawled.people("gente")
    assert people["10"].text == "Sin\nHTML 😀"
    assert (people["11"].parent_id, people["11"].url) == ("0:79", None)
    assert people["1"].url == "http://eldiario.test/obras/#comment-1"
    assert {item.kind for item in crawled.items("sinhilos")} == {"manifestation", "official"}
    assert set(crawled.people("sinhilos")) == set(people)


def test_odd_rows_never_lose_the_others(crawled: Any) -> None:
    people = crawled.people("raro")
    assert set(people) == {"21", "24", "25", "26", "27"}
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "5 of 10" in crawled.health("raro").detail
    assert "SECRETO" not in crawled.written()
    assert (people["24"].author_key, people["24"].parent_id, people["24"].reactions) == (None, None, None)
    assert (people["25"].published_at, people["25"].published_raw, people["25"].author_key) == (None, None, None)
    assert people["26"].published_at is None
    assert people["26"].published_raw is not None
    assert [people[number].reactions for number in ("25", "26", "27")] == [None, None, None]


@pytest.mark.parametrize(
    ("name", "outcome", "told", "requests"),
    [
        ("error2", ("failed", "http_error"), "Disqus error 2", 1),
        ("error11", ("failed", "secret_refused"), "Disqus error 11; the key is refused", 1),
        ("error13", ("failed", "rate_limited"), "Disqus error 13", 1),
        ("error14", ("failed", "rate_limited"), "Disqus error 14", 1),
        ("error15", ("failed", "http_error"), "Disqus error 15", 1),
        ("apurado", ("failed", "rate_limited"), "HTTP 429", 3),
        ("caido", ("failed", "http_error"), "HTTP 500", 3),
        ("nada", ("failed", "http_error"), "HTTP 404", 1),
        ("html", ("failed", "malformed"), "not a JSON object", 1),
        ("cortado", ("failed", "malformed"), "not a JSON object", 1),
        ("sinlista", ("failed", "malformed"), "no list", 1),
        ("mudado", ("failed", "unreachable"), "leads to otro.test", 1),
        ("agotado", ("partial", "rate_limited"), "no request is left", 1),
        ("vuelta", ("partial", "malformed"), "repeat", 2),
        ("mismo", ("partial", "malformed"), "repeat", 2),
        ("sincursor", ("partial", "malformed"), "repeat", 1),
        ("vacio", ("empty", "nothing_published"), "", 1),
    ],
)
def test_every_failure_has_its_name(
    lab: Any, crawled: Any, name: str, outcome: tuple[str, str], told: str, requests: int
) -> None:
    assert crawled.outcome(name) == outcome
    assert told in crawled.health(name).detail
    assert len(lab.web.pages(f"{name}.test")) == requests


def test_what_was_read_before_the_quota_ran_out_is_kept(crawled: Any) -> None:
    assert len(crawled.people("agotado")) == 100


def test_a_key_that_is_refused_or_not_set_is_told(crawled: Any) -> None:
    assert crawled.outcome("mala") == ("failed", "secret_refused")
    assert crawled.outcome("falta") == ("failed", "secret_missing")
    assert "DISQUS_FALTA" in crawled.health("falta").detail
    assert crawled.health("falta").request_count == 0


def test_the_key_reaches_the_api_and_nothing_else(lab: Any, crawled: Any) -> None:
    written = crawled.written()
    assert "http://nada.test/api/3.0/posts/list.json" in written  # what failed is told, without the query
    assert "api_key" not in written
    for form in (KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), "clave-equivocada"):
        assert form not in written
    referrers = [seen.headers.get("referer", "") for seen in lab.web.seen]
    assert not any("key" in referrer for referrer in referrers)
    assert not lab.web.pages("otro.test")
    assert "api_key" not in (crawled.spool / "request.json").read_text(encoding="utf-8")


def test_an_api_under_contract_is_not_asked_for_robots(lab: Any, crawled: Any) -> None:
    assert not [seen for seen in lab.web.seen if seen.path == "/robots.txt"]
    assert crawled.health("largo").robots == "not_asked"
