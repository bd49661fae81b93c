"""A Facebook Page, from a server that pages, filters and refuses as the Graph API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from collectors.catalog import load_city
from collectors.yaml_errors import ConfigurationError

Query = dict[str, list[str]]
RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "facebook"
TOKEN = "EAAB-token-de-prueba-0001"
PAGE = "104000000000001"
APRIL = datetime(2021, 4, 10, 12, tzinfo=UTC)
START = datetime(2021, 4, 1, 5, tzinfo=UTC)
END = datetime(2021, 5, 1, 5, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def post(number: int, *, at: datetime = APRIL, count: int | None = 1, author: str = PAGE, **fields: Any) -> dict[str, Any]:
    told = {} if count is None else {"comments": {"data": [], "summary": {"total_count": count}}}
    row = {"id": f"{PAGE}_{number}", "message": f"Aviso {number}", "created_time": stamp(at), "from": {"id": author}}
    return {**row, "permalink_url": f"https://www.facebook.com/{PAGE}/posts/{number}", "is_hidden": False, **told, **fields}


def comment(number: int, *, at: datetime = APRIL, **fields: Any) -> dict[str, Any]:
    row = {"id": f"5_{number}", "message": f"No hay luz en la cuadra {number}", "created_time": stamp(at), "like_count": 1}
    return {**row, "from": {"id": f"77{number:08d}"}, "is_hidden": False, **fields}


class Graph:
    """Edges of the Graph API ("{id}/comments" -> rows) behind a token."""

    def __init__(self, reply: Any, edges: dict[str, list[Any]], *, page: int = 100, keeps_since: bool = True) -> None:
        self.reply, self.edges, self.page, self.keeps_since = reply, edges, page, keeps_since
        self.refuse: dict[str, Any] = {}
        self.links = "whole"

    def json(self, document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        return self.reply(json.dumps(document).encode(), "application/json; charset=UTF-8", status, headers)

    def error(self, code: int, subcode: int | None = None, status: int = 400, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        told = {"message": "vecino-secreto", "type": "OAuthException", "code": code, "fbtrace_id": "Axyz"}
        return self.json({"error": {**told, **({"error_subcode": subcode} if subcode else {})}}, status, headers)

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        edge = path.removeprefix("/v26.0/")
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.error(190, 463)
        if edge in self.refuse:
            return self.refuse[edge]
        if edge not in self.edges:
            return self.error(100, 33)
        rows = self.edges[edge]
        if "since" in query and self.keeps_since:
            since, until = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("since", "until"))
            rows = [row for row in rows if stamp(since) <= row["created_time"] <= stamp(until)]
        begin, size = int(query.get("after", ["c0"])[0][1:]), min(self.page, int(query["limit"][0]))
        end = begin + size
        paging: dict[str, Any] = {"cursors": {"before": f"c{begin}", "after": f"c{end}"}}
        if end < len(rows):
            paging["next"] = f"http://{seen.host}{path}?" + urlencode({"access_token": TOKEN, "limit": size, "after": f"c{end}"})
        if self.links == "no cursors":
            del paging["cursors"]
        elif self.links == "no after" and "next" in paging:
            paging = {"next": paging["next"].partition("&after")[0]}
        return self.json({"data": rows[begin:end], "paging": paging})


def town(reply: Any) -> Graph:
    """Return a Page that people write to, and on."""
    answers = [
        comment(1, message="¿Y la pista del jirón Ñuñoa?\nSeñores… 😡 <b>ya</b> & punto", like_count=12),
        comment(2, message="Ya iremos", parent={"id": "5_1"}, **{"from": {"id": PAGE}}),
        comment(3, parent={"id": "5_1"}, like_count=None),
        comment(4, is_hidden=True, message="Vendo seguidores"),
        comment(5, message=None),
        comment(6, at=START - timedelta(seconds=1)),
        *(comment(number, at=APRIL + timedelta(hours=number)) for number in range(7, 12)),
    ]
    del answers[2]["from"]
    old = [comment(100, at=START + timedelta(days=1), message="Recién veo este aviso de marzo")]
    late = [comment(200 + number, at=END + timedelta(hours=number - 3)) for number in range(12)]
    posts = [
        post(1, count=11),
        post(2, author="7799999999", message="Señores, no pasa el camión de la basura", count=0),
        post(3, count=None, message=None),
        post(4, is_hidden=True),
        post(5, at=START - timedelta(days=20)),
        post(6, at=END - timedelta(days=1), count=12),
        post(7, at=START - timedelta(days=31)),
        post(8, at=END + timedelta(days=1)),
    ]
    edges = {f"{PAGE}/feed": posts, f"{PAGE}_1/comments": answers, f"{PAGE}_5/comments": old, f"{PAGE}_6/comments": late}
    graph = Graph(reply, {**edges, f"{PAGE}_3/comments": []}, page=4)
    return graph


def small(reply: Any, *, posts: int = 3, comments: int = 1, page: int = 100) -> Graph:
    """Return a Page with some posts of equal threads."""
    rows = [post(number, count=None) for number in range(posts)]
    threads = {f"{PAGE}_{number}/comments": [comment(10 * number + n) for n in range(comments)] for number in range(posts)}
    return Graph(reply, {f"{PAGE}/feed": rows, **threads}, page=page)


def failing(reply: Any, edge: str, code: int, subcode: int | None = None, **options: Any) -> Graph:
    graph = small(reply)
    graph.refuse[edge] = graph.error(code, subcode, **options)
    return graph


def answering(reply: Any, body: bytes, kind: str = "application/json", status: int = 200, edge: str = f"{PAGE}/feed") -> Graph:
    graph = small(reply)
    graph.refuse[edge] = reply(body, kind, status)
    return graph


def turning(reply: Any, document: Any) -> Graph:
    """Return a Page whose feed answers the same to whatever cursor."""
    graph = small(reply, posts=0)
    graph.refuse[f"{PAGE}/feed"] = graph.json(document)
    graph.edges[f"{PAGE}_1/comments"] = [comment(1)]
    return graph


def endless(reply: Any) -> Any:
    """Return a Page whose feed has an empty page after each empty page."""

    def site(path: str, query: Query) -> Any:
        number = int(query.get("after", ["c0"])[0][1:]) + 1
        paging = {"cursors": {"after": f"c{number}"}, "next": "http://endless.test/"}
        return reply(json.dumps({"data": [], "paging": paging}).encode(), "application/json")

    return site


def odd(reply: Any) -> Graph:
    rows: list[Any] = [
        "fila",
        None,
        {"id": 7, "message": "Número por id", "created_time": stamp(APRIL)},
        {"id": "5_2", "message": ["lista"], "created_time": stamp(APRIL)},
        {"message": "Sin id"},
        comment(3, created_time=None, like_count="muchos", parent="5_2", permalink_url=9, **{"from": "nadie"}),
        comment(4, created_time="ayer nomás", **{"from": {"id": 12}}),
        comment(5),
    ]
    return Graph(reply, {f"{PAGE}/feed": [post(1), post(2, message={"raro": 1})], f"{PAGE}_1/comments": rows})


def recorded(reply: Any) -> Any:
    def site(path: str, query: Query) -> Any:
        name = {f"/v26.0/{PAGE}/feed": "feed", f"/v26.0/{PAGE}_501/comments": "comments"}.get(path)
        return reply((RECORDED / f"{name}.json").read_bytes(), "application/json; charset=UTF-8") if name else None

    return site


LIMITS = (4, 17, 32, 613, 80_001)
BUSY = (("X-Business-Use-Case-Usage", json.dumps({PAGE: [{"type": "pages", "estimated_time_to_regain_access": 19}]})),)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply, feed = lab.Reply, f"{PAGE}/feed"
    sites: dict[str, Any] = {
        "grabada": recorded(reply),
        "pagina": town(reply),
        "prensa": small(reply, posts=1),
        "sorda": town(reply),
        "largas": small(reply, posts=5, comments=7, page=3),
        "sincursores": small(reply, comments=3, page=2),
        "sinsalida": small(reply, posts=4, page=2),
        **{f"limite{code}": failing(reply, feed, code) for code in LIMITS},
        "ocupada": failing(reply, f"{PAGE}_1/comments", 4, headers=BUSY),
        "muchas": failing(reply, feed, 1, status=429),
        "vencida": failing(reply, feed, 190, 463, status=401),
        "ajena": failing(reply, feed, 190),
        "sinpermiso": failing(reply, feed, 10, status=403),
        "sinrol": failing(reply, f"{PAGE}_0/comments", 200, status=403),
        "borrada": failing(reply, f"{PAGE}_1/comments", 100, 33),
        "caida": failing(reply, feed, 2, status=500),
        "html": answering(reply, b"<html>Iniciar sesion</html>", "text/html"),
        "cortada": answering(reply, b'{"data": [{"id": "1", "mess', edge=f"{PAGE}_1/comments"),
        "vacia": answering(reply, b'{"error": 7}', status=400),
        "sindatos": answering(reply, b'{"data": {"id": "1"}}'),
        "gira": turning(reply, {"data": [post(1)], "paging": {"cursors": {"after": "c1"}, "next": "http://gira.test/"}}),
        "sinfin": endless(reply),
        "rara": odd(reply),
        "sinclave": small(reply),
    }
    sites["sorda"].keeps_since = False
    sites["sincursores"].links, sites["sinsalida"].links = "no cursors", "no after"
    lab.web.sites |= {f"{name}.test": site for name, site in sites.items()}

    def source(name: str) -> dict[str, Any]:
        token = {"sinclave": "env:FACEBOOK_NO_ESTA", "ajena": "env:FACEBOOK_AJENA"}.get(name, "env:FACEBOOK_TOKEN")
        options = {"api": f"http://{name}.test/", "page": PAGE, "token": token}
        url = f"http://www.{name}.test/pagina"
        return lab.source(name, "facebook", url, options=options, publisher={"official": name != "prensa"})

    environ = {"FACEBOOK_TOKEN": TOKEN, "FACEBOOK_AJENA": "EAAB-token-vencido-0002"}
    return lab.crawl([source(name) for name in sites], environ=environ)


def asked(lab: Any, name: str) -> list[str]:
    """Return the edges that were asked for, each page of them."""
    return [seen.path.removeprefix("/v26.0/") for seen in lab.web.pages(f"{name}.test")]


def test_recorded_answers_are_read_to_the_letter(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("grabada")}
    assert {name: (item.kind, item.parent_id, item.reactions) for name, item in items.items()} == {
        f"{PAGE}_501": ("official", None, None),
        f"{PAGE}_502": ("manifestation", None, None),
        "501_9001": ("manifestation", f"{PAGE}_501", 12),
        "501_9002": ("official", "501_9001", 0),
        "501_9003": ("manifestation", "501_9001", 3),
    }
    assert items["501_9001"].text == "¿Y la pista de mi cuadra? Ya van dos años así…"
    assert items["501_9001"].published_at == datetime(2021, 4, 12, 16, 2, 33, tzinfo=UTC)
    assert items["501_9001"].published_raw == "2021-04-12T16:02:33+0000"
    assert items[f"{PAGE}_501"].text == "Desde el lunes se asfalta la avenida Los Ñandúes.\n\nTomen sus precauciones 🚧"
    health = crawled.health("grabada")
    assert (health.status, health.skipped_count) == ("ok", 1)
    assert "1 comments hidden by the Page" in health.detail


def test_the_window_is_asked_for_and_the_days_before_it(lab: Any, crawled: Any) -> None:
    query = lab.web.pages("pagina.test")[0].query
    since, until = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("since", "until"))
    assert (since, until) == (START - timedelta(days=30), END)
    assert "name" not in query["fields"][0]


def test_every_thread_that_can_reach_into_the_window_is_read(lab: Any, crawled: Any) -> None:
    counted = {edge: asked(lab, "pagina").count(edge) for edge in asked(lab, "pagina")}
    # Post 2 has no comment, 4 is hidden, 7 and 8 lie outside; of post 6 the third page is not asked for: the second ends late.
    assert counted == {
        f"{PAGE}/feed": 2,
        f"{PAGE}_1/comments": 3,
        f"{PAGE}_3/comments": 1,
        f"{PAGE}_5/comments": 1,
        f"{PAGE}_6/comments": 2,
    }
    query = next(seen.query for seen in lab.web.pages("pagina.test") if seen.path.endswith("comments"))
    assert (query["filter"], query["order"]) == (["stream"], ["chronological"])
    assert crawled.outcome("pagina") == ("ok", "none")


def test_messages_of_people_and_words_of_the_page(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("pagina")}
    first = items["5_1"]
    assert first.text == "¿Y la pista del jirón Ñuñoa?\nSeñores… 😡 <b>ya</b> & punto"
    assert (first.kind, first.parent_id, first.reactions) == ("manifestation", f"{PAGE}_1", 12)
    assert (items["5_2"].kind, items["5_2"].parent_id, items["5_2"].author_key) == ("official", "5_1", None)
    assert (items["5_3"].author_key, items["5_3"].reactions) == (None, None)
    assert items["5_100"].text == "Recién veo este aviso de marzo"
    assert (items[f"{PAGE}_2"].kind, items[f"{PAGE}_1"].kind) == ("manifestation", "official")
    assert {"5_4", "5_5", f"{PAGE}_3", f"{PAGE}_4"}.isdisjoint(items)
    assert len({items["5_1"].author_key, items["5_7"].author_key, items[f"{PAGE}_2"].author_key, None}) == 4
    health = crawled.health("pagina")
    assert "1 comments hidden by the Page; 1 posts hidden by the Page" in health.detail


def test_posts_of_another_publisher_are_articles(crawled: Any) -> None:
    assert {item.kind for item in crawled.items("prensa")} == {"article", "manifestation"}


def test_walk_stops_by_itself_where_the_window_is_not_kept(lab: Any, crawled: Any) -> None:
    assert f"{PAGE}_7" in {item.native_id for item in crawled.items("sorda")}
    assert asked(lab, "sorda").count(f"{PAGE}/feed") == 2


def test_pages_follow_their_cursor_and_never_the_given_address(lab: Any, crawled: Any) -> None:
    assert len(crawled.people("largas")) == 35
    assert crawled.outcome("largas") == ("ok", "none")
    for name in ("largas", "pagina", "sincursores"):
        assert all("access_token" not in seen.query for seen in lab.web.pages(f"{name}.test"))
    assert [seen.query.get("after") for seen in lab.web.pages("largas.test")][:2] == [None, None]
    assert asked(lab, "largas")[:5] == [f"{PAGE}/feed", *(f"{PAGE}_{number}/comments" for number in range(3)), f"{PAGE}/feed"]


def test_cursor_that_stands_in_the_address_alone_is_found(crawled: Any) -> None:
    assert len(crawled.people("sincursores")) == 9
    assert crawled.outcome("sincursores") == ("ok", "none")


def test_page_without_a_way_on_is_told(crawled: Any) -> None:
    assert crawled.outcome("sinsalida") == ("partial", "malformed")
    assert "gives no cursor" in crawled.health("sinsalida").detail


@pytest.mark.parametrize("code", LIMITS)
def test_every_limit_ends_the_collection(lab: Any, crawled: Any, code: int) -> None:
    assert crawled.outcome(f"limite{code}") == ("failed", "rate_limited")
    assert asked(lab, f"limite{code}") == [f"{PAGE}/feed"]


def test_limit_in_the_middle_keeps_what_was_read_and_asks_no_more(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("ocupada") == ("partial", "rate_limited")
    assert "asks to wait about 19 minutes" in crawled.health("ocupada").detail
    assert asked(lab, "ocupada") == [f"{PAGE}/feed", f"{PAGE}_0/comments", f"{PAGE}_1/comments"]
    assert len(crawled.people("ocupada")) == 1


def test_http_429_is_a_limit_and_not_insisted_on(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("muchas") == ("failed", "rate_limited")
    assert len(asked(lab, "muchas")) == 1


@pytest.mark.parametrize(("name", "variable"), [("vencida", "FACEBOOK_TOKEN"), ("ajena", "FACEBOOK_AJENA")])
def test_expired_token_is_told_with_its_remedy(lab: Any, crawled: Any, name: str, variable: str) -> None:
    assert crawled.outcome(name) == ("failed", "secret_refused")
    assert f"make a new, lasting one and put it into {variable}" in crawled.health(name).detail
    assert len(asked(lab, name)) == 1


@pytest.mark.parametrize(("name", "status", "requests"), [("sinpermiso", "failed", 1), ("sinrol", "partial", 2)])
def test_missing_permission_is_told_by_name(lab: Any, crawled: Any, name: str, status: str, requests: int) -> None:
    assert crawled.outcome(name) == (status, "secret_refused")
    assert "lacks a permission: it needs pages_read_engagement and pages_read_user_content" in crawled.health(name).detail
    assert len(asked(lab, name)) == requests


def test_thread_that_is_gone_loses_no_other(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("borrada") == ("partial", "http_error")
    assert "HTTP 400, code 100-33" in crawled.health("borrada").detail
    assert set(crawled.people("borrada")) == {"5_0", "5_20"}


def test_fault_of_the_platform_is_tried_three_times(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("caida") == ("failed", "http_error")
    assert len(asked(lab, "caida")) == 3


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("html", ("failed", "malformed")),
        ("cortada", ("partial", "malformed")),
        ("vacia", ("failed", "http_error")),
        ("sindatos", ("failed", "malformed")),
    ],
)
def test_answer_of_another_form_is_named(crawled: Any, name: str, outcome: tuple[str, str]) -> None:
    assert crawled.outcome(name) == outcome
    assert len(crawled.people(name)) == (2 if name == "cortada" else 0)


@pytest.mark.parametrize(("name", "most"), [("gira", 3), ("sinfin", 6)])
def test_pages_that_lead_nowhere_end(lab: Any, crawled: Any, name: str, most: int) -> None:
    assert crawled.outcome(name) == ("partial", "malformed")
    assert len(asked(lab, name)) <= most


def test_odd_rows_are_counted_and_lose_no_other(crawled: Any) -> None:
    assert crawled.outcome("rara") == ("partial", "malformed")
    people = crawled.people("rara")
    assert set(people) == {"5_3", "5_4", "5_5"}
    assert (people["5_3"].published_at, people["5_3"].reactions, people["5_3"].url) == (None, None, None)
    assert people["5_3"].parent_id == f"{PAGE}_1"
    assert people["5_4"].published_raw == "ayer nomás"
    detail = crawled.health("rara").detail
    assert ": 1 rows" in detail
    assert ": 5 rows" in detail


def test_without_a_token_nothing_is_asked(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("sinclave") == ("failed", "secret_missing")
    assert "FACEBOOK_NO_ESTA is not set" in crawled.health("sinclave").detail
    assert lab.web.pages("sinclave.test") == []


def test_no_token_and_no_word_of_an_error_is_written(lab: Any, crawled: Any) -> None:
    written = crawled.written()
    assert TOKEN not in written
    assert "EAAB" not in written
    assert "vecino-secreto" not in written
    assert all(TOKEN not in str(seen.query) for seen in lab.web.seen)
    assert all(seen.path != "/robots.txt" for seen in lab.web.seen)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"page": PAGE}, "options.token"),
        ({"page": "municipalidad", "token": "env:FACEBOOK_TOKEN"}, "options.page"),
        ({"page": PAGE, "token": "EAAB-en-claro"}, "options.token"),
        ({"page": PAGE, "token": "env:FACEBOOK_TOKEN", "version": "23"}, "options.version"),
        ({"page": PAGE, "token": "env:FACEBOOK_TOKEN", "lookback_days": 400}, "options.lookback_days"),
    ],
)
def test_wrong_options_name_their_place(lab: Any, tmp_path: Path, options: dict[str, Any], told: str) -> None:
    path = tmp_path / "prueba.yml"
    document = lab.city(
        [lab.source("pagina", "facebook", "http://www.facebook.test/", options={"api": "http://api.test/", **options})]
    )
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        load_city(path)
