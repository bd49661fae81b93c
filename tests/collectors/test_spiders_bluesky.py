"""Bluesky accounts, threads and searches, from a server that answers as the lexicons say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import load_city
from collectors.yaml_errors import ConfigurationError

Query = dict[str, list[str]]
APRIL = datetime(2021, 4, 10, 12, tzinfo=UTC)
MUNI = {"did": "did:plc:municipio2345", "handle": "municipio.test", "displayName": "Municipio", "labels": []}
APP_PASSWORD, HANDLE = "abcd-efgh-ijkl-mnop", "escucha.municipio.test"
ENVIRON = {"BSKY_HANDLE": HANDLE, "BSKY_PASSWORD": APP_PASSWORD}
LOGIN = {"handle": "env:BSKY_HANDLE", "password": "env:BSKY_PASSWORD"}


def person(number: int, *labels: str, neg: bool = False) -> dict[str, Any]:
    did = f"did:plc:vecina{number}"
    marks = [{"src": did, "uri": f"at://{did}/app.bsky.actor.profile/self", "val": val, "neg": neg} for val in labels]
    return {"did": did, "handle": f"vecina{number}.test", "displayName": f"Vecina {number}", "labels": marks}


def post(
    key: str, author: dict[str, Any], text: str, *, at: datetime = APRIL, to: dict[str, Any] | None = None, **view: Any
) -> Any:
    """Return a postView; `to` is the post that it answers."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": stamp, "langs": ["es"]}
    if to is not None:
        root = to["record"].get("reply", {}).get("root", {"uri": to["uri"], "cid": to["cid"]})
        record["reply"] = {"root": root, "parent": {"uri": to["uri"], "cid": to["cid"]}}
    uri = f"at://{author['did']}/app.bsky.feed.post/{key}"
    counts = {"replyCount": 0, "repostCount": 2, "likeCount": 3, "quoteCount": 0}
    return {
        "uri": uri,
        "cid": f"cid-{key}",
        "author": author,
        "record": record,
        **counts,
        "indexedAt": stamp,
        "labels": [],
        **view,
    }


def blocked(uri: str) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.defs#blockedPost", "uri": uri, "blocked": True, "author": {"did": "did:plc:nadie"}}


def missing(uri: str) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}


class Network:
    """The calls of the lexicons over a list of posts; a reply counts in its parent's `replyCount`."""

    def __init__(self, reply: Any, posts: list[Any], *, extra: dict[str, list[Any]] | None = None, page: int = 100) -> None:
        self.reply, self.posts, self.extra, self.page = reply, posts, extra or {}, page
        self.feed: list[dict[str, Any]] = []
        self.refuse: dict[str, Any] = {}
        self.tokens = {"access-1"}
        self.issued = 1
        for one in posts:
            parent = one["record"].get("reply", {}).get("parent", {}).get("uri") if isinstance(one.get("record"), dict) else None
            for other in posts:
                other["replyCount"] += other["uri"] == parent

    def json(self, document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        return self.reply(json.dumps(document, ensure_ascii=False).encode(), "application/json; charset=utf-8", status, headers)

    def error(self, name: str, status: int = 400) -> Any:
        return self.json({"error": name, "message": "vecina9 no debe verse"}, status)

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        name = path.removeprefix("/xrpc/").rsplit(".", 1)[-1]
        if name in self.refuse:
            return self.refuse[name]
        known = {"getAuthorFeed": self.author_feed, "getPostThread": self.thread, "searchPosts": self.search}
        known |= {"createSession": self.login, "refreshSession": self.refresh}
        return known[name](query, seen) if name in known else None

    def sliced(self, rows: list[Any], query: Query, name: str) -> Any:
        size, begin = min(int(query["limit"][0]), self.page), int(query.get("cursor", ["0"])[0])
        more = {"cursor": str(begin + size)} if begin + size < len(rows) else {}
        return self.json({name: rows[begin : begin + size], **more})

    def author_feed(self, query: Query, seen: Any) -> Any:
        return self.sliced(self.feed, query, "feed")

    def thread(self, query: Query, seen: Any) -> Any:
        found = next((one for one in self.posts if one["uri"] == query["uri"][0]), None)
        return self.error("NotFound") if found is None else self.json({"thread": self.node(found, int(query["depth"][0]))})

    def node(self, view: Any, depth: int) -> dict[str, Any]:
        answers = [one for one in self.posts if one["record"].get("reply", {}).get("parent", {}).get("uri") == view["uri"]]
        replies = [self.node(one, depth - 1) for one in answers] if depth else []
        replies += self.extra.get(view["uri"], []) if depth else []
        return {"$type": "app.bsky.feed.defs#threadViewPost", "post": view, "replies": replies}

    def search(self, query: Query, seen: Any) -> Any:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return self.error("ExpiredToken" if token.startswith("access-") else "AuthMissing", 400 if token else 401)
        return self.sliced([one for one in self.posts if query["q"][0] in json.dumps(one, ensure_ascii=False)], query, "posts")

    def login(self, query: Query, seen: Any) -> Any:
        given = json.loads(seen.body)
        if given != {"identifier": HANDLE, "password": APP_PASSWORD} or seen.method != "POST":
            return self.error("AuthenticationRequired", 401)
        return self.session(1)

    def refresh(self, query: Query, seen: Any) -> Any:
        if seen.headers.get("authorization") != f"Bearer refresh-{self.issued}":
            return self.error("ExpiredToken")
        self.issued += 1
        self.tokens = {f"access-{self.issued}"}
        return self.session(self.issued)

    def session(self, number: int) -> Any:
        who = {"handle": HANDLE, "did": "did:plc:escucha"}
        return self.json({"accessJwt": f"access-{number}", "refreshJwt": f"refresh-{number}", **who})


def town(reply: Any) -> Network:
    """Return a municipality with one talked-about notice, in every form that a thread may have."""
    notice = post("aviso", MUNI, "Mañana se recoge maleza en la urbanización Los Ángeles")
    light = post("luz", person(1), "En el jirón Ñuñoa no pasó nadie,\nseñores 😡", to=notice, at=APRIL + timedelta(hours=1))
    answer = post("respuesta", MUNI, "Ya vamos, gracias", to=light, at=APRIL + timedelta(hours=2))
    thanks = post("gracias", person(2), "Recién pasaron. ¡Gracias!", to=answer, at=APRIL + timedelta(hours=3))
    shy = post("reservada", person(3, "!no-unauthenticated"), "No me muestren", to=notice)
    below = post("debajo", person(4, "!no-unauthenticated", neg=True), "Yo sí quiero opinar", to=shy)
    hidden = post("oculta", person(5), "Insulto", to=notice, labels=[{"src": "did:plc:mod", "val": "!hide"}])
    early = post("adelantada", person(6), "Reloj adelantado", to=notice)
    early["record"]["createdAt"] = "2031-01-01T00:00:00Z"
    dateless = post("sinfecha", person(6), "Fecha imposible", to=notice, likeCount="muchos")
    dateless["record"]["createdAt"] = "0001-01-01T00:00:00Z"
    silent = post("foto", person(7), "", to=notice)
    old = post("viejo", MUNI, "Aviso de marzo", at=APRIL - timedelta(days=25))
    late = post("tardia", person(8), "Sigo esperando desde marzo", to=old)
    ancient = post("antiguo", MUNI, "Aviso de enero", at=APRIL - timedelta(days=90), replyCount=4)
    rows = [notice, light, answer, thanks, shy, below, hidden, early, dateless, silent, old, late, ancient]
    network = Network(
        reply, rows, extra={notice["uri"]: [blocked("at://x/1"), missing("at://x/2"), {"post": None}, None]}, page=3
    )
    stranger = {"post": post("ajeno", person(9), "Palabras de otra persona"), "reason": repost(APRIL + timedelta(hours=9))}
    network.feed = [stranger, {"post": answer, "reply": {"root": notice, "parent": light}}, {"post": notice}]
    network.feed += [{"post": None}, "fila", {"post": old}, {"post": ancient}, {"post": old}, {"post": ancient}]
    return network


def repost(at: datetime) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.defs#reasonRepost", "by": MUNI, "indexedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def chain(reply: Any, length: int) -> Network:
    rows = [post("raiz", MUNI, "¿Qué calle falta?")]
    for number in range(1, length + 1):
        rows.append(post(f"r{number}", person(number), f"Falta la cuadra {number}", to=rows[-1]))
    network = Network(reply, rows)
    network.feed = [{"post": rows[0]}]
    return network


def many(reply: Any) -> Network:
    rows = [post(f"p{number}", person(number), f"Bache en la cuadra {number}") for number in range(1, 251)]
    return Network(reply, rows)


def circling(cursor: str, rows: list[Any], reply: Any) -> Any:
    """Return a feed that never ends: the same page again and again, or none."""
    numbers = iter(range(10_000))

    def answer(path: str, query: Query) -> Any:
        document = {"feed": rows, "cursor": cursor or f"c{next(numbers)}"}
        return reply(json.dumps(document).encode(), "application/json") if "getAuthorFeed" in path else None

    return answer


def refusing(reply: Any, call: str, answer: Any) -> Network:
    network = chain(reply, 2)
    network.refuse[call] = answer
    return network


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    wait = reply(b'{"error": "RateLimitExceeded"}', "application/json", 429, (("RateLimit-Reset", "1618056000"),))
    bare = {"post": post("solo", MUNI, "Aviso", replyCount=0)}
    lab.web.sites |= {
        "pueblo.test": town(reply),
        "hondo.test": chain(reply, 230),
        "busca.test": many(reply),
        "vence.test": many(reply),
        "malo.test": many(reply),
        "repite.test": circling("igual", [bare], reply),
        "sinfin.test": circling("", [bare], reply),
        "hueco.test": circling("", [], reply),
        "espera.test": refusing(reply, "getPostThread", wait),
        "caido.test": refusing(reply, "getAuthorFeed", reply(b"", "text/html", 500)),
        "nadie.test": refusing(reply, "getAuthorFeed", reply(b'{"error": "Profile not found: x"}', "application/json", 400)),
        "html.test": refusing(reply, "getAuthorFeed", reply(b"<html>Mantenimiento</html>")),
        "roto.test": refusing(reply, "getAuthorFeed", reply(b'{"feed": [{"post": {"uri"', "application/json")),
        "forma.test": refusing(reply, "getAuthorFeed", reply(b'{"feed": {"post": 1}}', "application/json")),
        "ido.test": refusing(reply, "getPostThread", reply(b'{"error": "NotFound"}', "application/json", 400)),
    }
    lab.web.sites["vence.test"].tokens = set()
    lab.web.sites["malo.test"].refuse["searchPosts"] = reply(b'{"error": "ExpiredToken"}', "application/json", 400)
    actor = {"actor": "municipio.test"}
    sources = [
        lab.source(
            name, "bluesky", f"http://perfil.test/profile/{name}", options={"api": f"http://{name}.test/", **actor}, **fields
        )
        for name, fields in {
            "pueblo": {"publisher": {"official": True}},
            "hondo": {},
            **{name: {} for name in ("repite", "sinfin", "hueco", "espera", "caido", "nadie", "html", "roto", "forma", "ido")},
        }.items()
    ]
    searches = {name: {"pds": f"http://{name}.test", "query": "Bache", **LOGIN} for name in ("busca", "vence", "malo")}
    sources += [lab.source(name, "bluesky", "http://perfil.test/search", options=given) for name, given in searches.items()]
    return lab.crawl(sources, environ=ENVIRON)


def by_key(crawled: Any, source: str) -> dict[str, Any]:
    """Return the items by their text: what names a person, the id too, is keyed before it is written."""
    return {item.text: item for item in crawled.items(source)}


def test_whole_thread_of_a_notice(crawled: Any) -> None:
    found = {(item.kind, item.text) for item in crawled.items("pueblo")}
    assert found == {
        ("official", "Mañana se recoge maleza en la urbanización Los Ángeles"),
        ("official", "Ya vamos, gracias"),
        ("official", "Aviso de marzo"),
        ("manifestation", "En el jirón Ñuñoa no pasó nadie,\nseñores 😡"),
        ("manifestation", "Recién pasaron. ¡Gracias!"),
        ("manifestation", "Yo sí quiero opinar"),
        ("manifestation", "Reloj adelantado"),
        ("manifestation", "Fecha imposible"),
        ("manifestation", "Sigo esperando desde marzo"),
        ("official", "Aviso de enero"),
    }


def test_fields_of_a_reply(crawled: Any) -> None:
    items = by_key(crawled, "pueblo")
    light = items["En el jirón Ñuñoa no pasó nadie,\nseñores 😡"]
    assert light.published_at == APRIL + timedelta(hours=1)
    assert light.published_raw == "2021-04-10T13:00:00.000Z"
    assert light.reactions == 3
    assert light.parent_id == items["Mañana se recoge maleza en la urbanización Los Ángeles"].native_id
    assert items["Recién pasaron. ¡Gracias!"].parent_id == items["Ya vamos, gracias"].native_id
    assert items["Ya vamos, gracias"].parent_id == light.native_id
    assert len({item.native_id for item in crawled.items("pueblo")}) == len(items)


def test_date_is_the_earlier_one(crawled: Any) -> None:
    items = by_key(crawled, "pueblo")
    assert (items["Reloj adelantado"].published_at, items["Reloj adelantado"].published_raw) == (APRIL, "2031-01-01T00:00:00Z")
    assert (items["Fecha imposible"].published_at, items["Fecha imposible"].reactions) == (APRIL, None)


def test_nobody_is_named(crawled: Any) -> None:
    written = crawled.written()
    assert "did:plc" not in written
    assert "did%3Aplc" not in written
    assert ".test/profile/did" not in written
    assert all("vecina" not in str(item.native_id) + str(item.parent_id) + str(item.url) for item in crawled.items("pueblo"))
    keys = {item.text: item.author_key for item in crawled.items("pueblo") if item.kind == "manifestation"}
    assert keys["Reloj adelantado"] == keys["Fecha imposible"]
    assert len(set(keys.values())) == 5


def test_who_asks_not_to_be_shown_is_left_out_and_counted(crawled: Any) -> None:
    health = crawled.health("pueblo")
    assert "2 messages of people who ask not to be shown without a login, or that moderators hid" in health.detail
    assert "2 replies that are blocked or deleted" in health.detail
    for words in ("No me muestren", "Insulto", "Palabras de otra persona"):
        assert words not in crawled.written()
    assert health.skipped_count == 1  # the reply without words


def test_rows_without_form_are_told_and_lose_nothing(crawled: Any) -> None:
    assert crawled.outcome("pueblo") == ("partial", "malformed")
    assert "2 rows that do not have the documented form" in crawled.health("pueblo").detail


def test_feed_ends_before_the_horizon_and_each_thread_is_asked_once(lab: Any, crawled: Any) -> None:
    seen = lab.web.pages("pueblo.test")
    feeds = [one.query for one in seen if one.path.endswith("getAuthorFeed")]
    assert [query.get("cursor", [""])[0] for query in feeds] == ["", "3", "6"]
    assert {(query["actor"][0], query["limit"][0], query["filter"][0]) for query in feeds} == {
        ("municipio.test", "100", "posts_with_replies")
    }
    threads = [one.query["uri"][0].rsplit("/", 1)[-1] for one in seen if one.path.endswith("getPostThread")]
    # The reply to a resident is part of the notice's thread; the notice of January is too old to be asked for.
    assert sorted(threads) == ["aviso", "viejo"]
    assert all("authorization" not in one.headers for one in seen)


def test_deep_threads_are_read_to_the_end(lab: Any, crawled: Any) -> None:
    assert {item.text for item in crawled.people("hondo").values()} == {f"Falta la cuadra {number}" for number in range(1, 231)}
    assert crawled.outcome("hondo") == ("ok", "none")
    threads = [one.query["uri"][0].rsplit("/", 1)[-1] for one in lab.web.pages("hondo.test") if one.path.endswith("Thread")]
    assert threads == ["raiz", "r100", "r200"]
    assert {item.kind for item in crawled.items("hondo")} == {"article", "manifestation"}


def test_search_asks_for_the_window_with_a_session(lab: Any, crawled: Any) -> None:
    seen = lab.web.pages("busca.test")
    assert [one.path.rsplit(".", 1)[-1] for one in seen] == ["createSession", *["searchPosts"] * 3]
    assert seen[0].method == "POST"
    assert "authorization" not in seen[0].headers
    assert {one.headers["authorization"] for one in seen[1:]} == {"Bearer access-1"}
    assert [one.query.get("cursor", [""])[0] for one in seen[1:]] == ["", "100", "200"]
    assert {(one.query["since"][0], one.query["until"][0], one.query["limit"][0], one.query["sort"][0]) for one in seen[1:]} == {
        ("2021-04-01T05:00:00Z", "2021-05-01T05:00:00Z", "100", "latest")
    }
    assert len(crawled.people("busca")) == 250
    assert crawled.outcome("busca") == ("ok", "none")


def test_expired_token_is_renewed_once(lab: Any, crawled: Any) -> None:
    seen = lab.web.pages("vence.test")
    calls = [one.path.rsplit(".", 1)[-1] for one in seen]
    assert calls == ["createSession", "searchPosts", "refreshSession", "searchPosts", "searchPosts", "searchPosts"]
    assert (seen[2].method, seen[2].headers["authorization"]) == ("POST", "Bearer refresh-1")
    assert {one.headers["authorization"] for one in seen[3:]} == {"Bearer access-2"}
    assert len(crawled.people("vence")) == 250
    assert crawled.outcome("vence") == ("ok", "none")


def test_token_that_is_never_good_ends(lab: Any, crawled: Any) -> None:
    calls = [one.path.rsplit(".", 1)[-1] for one in lab.web.pages("malo.test")]
    assert calls == ["createSession", "searchPosts", "refreshSession", "searchPosts"]
    assert crawled.outcome("malo") == ("failed", "secret_refused")
    assert "HTTP 400 ExpiredToken" in crawled.health("malo").detail


def test_keys_and_tokens_are_written_nowhere(crawled: Any) -> None:
    written = crawled.written()
    for secret in (APP_PASSWORD, HANDLE, "access-1", "access-2", "refresh-1", "refresh-2"):
        assert secret not in written


def test_limit_ends_the_collection_at_once(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("espera") == ("partial", "rate_limited")
    assert "HTTP 429 RateLimitExceeded" in crawled.health("espera").detail
    assert "the limit ends at 2021-04-10T12:00:00+00:00" in crawled.health("espera").detail
    assert len([one for one in lab.web.pages("espera.test") if one.path.endswith("getPostThread")]) == 1
    assert [item.text for item in crawled.items("espera")] == ["¿Qué calle falta?"]


@pytest.mark.parametrize(
    ("name", "outcome", "detail"),
    [
        ("caido", ("failed", "http_error"), "HTTP 500"),
        ("nadie", ("failed", "http_error"), "HTTP 400 at http://nadie.test/xrpc/app.bsky.feed.getAuthorFeed"),
        ("html", ("failed", "malformed"), "not a JSON object"),
        ("roto", ("failed", "malformed"), "not a JSON object"),
        ("forma", ("failed", "malformed"), "no list 'feed'"),
        ("ido", ("ok", "none"), "1 threads that are gone"),
        ("repite", ("partial", "malformed"), "the pages repeat"),
        ("sinfin", ("partial", "malformed"), "the pages repeat"),
        ("hueco", ("partial", "malformed"), "lead nowhere"),
    ],
)
def test_faults_are_named(crawled: Any, name: str, outcome: tuple[str, str], detail: str) -> None:
    assert crawled.outcome(name) == outcome
    assert detail in crawled.health(name).detail
    assert "no debe verse" not in crawled.written()


@pytest.mark.parametrize(("name", "most"), [("repite", 2), ("sinfin", 2), ("hueco", 4), ("caido", 3)])
def test_no_walk_is_endless(lab: Any, crawled: Any, name: str, most: int) -> None:
    assert len(lab.web.pages(f"{name}.test")) == most


@pytest.fixture(scope="module")
def unlit(lab: Any) -> Iterator[Any]:
    """Crawl without the keys, and with one that the server refuses."""
    lab.web.sites |= {"sinclave.test": many(lab.Reply), "clavemala.test": many(lab.Reply)}
    other = {"handle": "env:BSKY_HANDLE", "password": "env:BSKY_OTHER"}
    given = {"sinclave": {"handle": "env:BSKY_HANDLE", "password": "env:BSKY_NONE"}, "clavemala": other}
    sources = [
        lab.source(
            name, "bluesky", "http://perfil.test/search", options={"pds": f"http://{name}.test/", "query": "Bache", **login}
        )
        for name, login in given.items()
    ]
    return lab.crawl(sources, environ={"BSKY_HANDLE": HANDLE, "BSKY_OTHER": "wrong-wrong-wrong"})


def test_missing_key_is_told_and_nothing_asked(lab: Any, unlit: Any) -> None:
    assert unlit.outcome("sinclave") == ("failed", "secret_missing")
    assert "BSKY_NONE is not set" in unlit.health("sinclave").detail
    assert lab.web.pages("sinclave.test") == []


def test_refused_login_ends_the_collection(lab: Any, unlit: Any) -> None:
    assert unlit.outcome("clavemala") == ("failed", "secret_refused")
    assert "HTTP 401 AuthenticationRequired" in unlit.health("clavemala").detail
    assert len(lab.web.pages("clavemala.test")) == 1
    assert "wrong-wrong-wrong" not in unlit.written()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "give actor, query or both"),
        ({"query": "bache"}, "query needs handle and password"),
        ({"actor": "municipio.test", "handle": "env:BSKY_HANDLE"}, "handle and password go together"),
        ({"actor": "municipio.test", "password": "abcd-efgh"}, "should match pattern"),
    ],
)
def test_options_say_what_is_missing(lab: Any, tmp_path: Path, options: dict[str, Any], told: str) -> None:
    document = lab.city([lab.source("azul", "bluesky", "https://bsky.app/profile/municipio.test", options=options)])
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps({**document, "synthetic": False, "hosts": {}}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        load_city(path)


def test_logged_in_source_asks_its_own_server_alone(lab: Any, tmp_path: Path) -> None:
    options = {"actor": "municipio.test"}
    entries = [
        lab.source("afuera", "bluesky", "https://bsky.app/profile/municipio.test", options=options),
        lab.source("adentro", "bluesky", "https://bsky.app/profile/municipio.test", options={**options, **LOGIN}),
    ]
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps({**lab.city(entries), "synthetic": False, "hosts": {}}), encoding="utf-8")
    assert [source.host for source in load_city(path).sources] == ["public.api.bsky.app", "bsky.social"]
