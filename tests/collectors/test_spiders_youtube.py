"""Comments on YouTube, from a server that pages, leaves replies out and refuses as the Data API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import load_city
from collectors.yaml_errors import ConfigurationError

Query = dict[str, list[str]]
KEY = "AIza-clave-de-prueba-0001"
CHANNEL = "UCmunicipalidadDePrueba0"
OTHER = "UCvecinosDeLaPrueba00000"
APRIL = datetime(2021, 4, 10, 12, tzinfo=UTC)
GIVEN = 2
"""Replies that a thread shows by itself."""


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def comment(number: str, text: str, *, at: datetime = APRIL, author: str | None = None, **fields: Any) -> dict[str, Any]:
    snippet = {
        "videoId": "videoPrueba",
        "textDisplay": text,
        "textOriginal": text,
        "authorDisplayName": f"@vecina-{number}",
        "authorChannelId": {"value": author or f"UCvecina{number}"},
        "canRate": True,
        "viewerRating": "none",
        "likeCount": 4,
        "publishedAt": stamp(at),
        "updatedAt": stamp(at),
        **fields,
    }
    return {"kind": "youtube#comment", "etag": "x", "id": number, "snippet": snippet}


def thread(top: dict[str, Any], replies: list[dict[str, Any]] | None = None, *, channel: str = CHANNEL, **fields: Any) -> Any:
    """Return a thread as it is kept; the server shows `GIVEN` of its replies."""
    for reply in replies or []:
        reply["id"] = f"{top['id']}.{reply['id']}"
        reply["snippet"]["parentId"] = top["id"]
    snippet = {
        "channelId": channel,
        "videoId": "videoPrueba",
        "topLevelComment": top,
        "canReply": True,
        "isPublic": True,
        **fields,
    }
    return {"kind": "youtube#commentThread", "id": top["id"], "snippet": snippet, "all": replies or []}


class Tube:
    """The two lists of the API over some threads, which it keeps newest first."""

    def __init__(self, reply: Any, threads: list[Any], *, page: int = 100) -> None:
        self.reply, self.page = reply, page
        self.threads = sorted(threads, key=lambda one: one["snippet"]["topLevelComment"]["snippet"]["publishedAt"], reverse=True)
        self.odd: list[Any] = []
        self.gone: set[str] = set()
        self.refuse: dict[str, Any] = {}

    def json(self, document: Any, status: int = 200) -> Any:
        return self.reply(json.dumps(document, ensure_ascii=False).encode(), "application/json; charset=UTF-8", status)

    def error(self, reason: str, status: int = 403) -> Any:
        detail = {"message": "vecina-secreta", "domain": "youtube", "reason": reason}
        return self.json({"error": {"code": status, "message": "vecina-secreta", "errors": [detail]}}, status)

    def sliced(self, rows: list[Any], query: Query) -> Any:
        assert query["textFormat"] == ["plainText"]
        begin, size = int(query.get("pageToken", ["t0"])[0][1:]), min(self.page, int(query["maxResults"][0]))
        more = {"nextPageToken": f"t{begin + size}"} if begin + size < len(rows) else {}
        return self.json({"kind": "list", "items": rows[begin : begin + size], **more})

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        if seen.headers.get("x-goog-api-key") != KEY:
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
            listed = [{"message": "vecina-secreta", "reason": "badRequest"}]
            return self.json({"error": {"code": 400, "status": "INVALID_ARGUMENT", "errors": listed, "details": details}}, 400)
        what = (query.get("videoId") or query.get("allThreadsRelatedToChannelId") or query.get("parentId") or [""])[0]
        if what in self.refuse:
            return self.refuse[what]
        if path == "/youtube/v3/commentThreads":
            return self.sliced([self.shown(one) for one in self.threads] + self.odd, query)
        if path == "/youtube/v3/comments" and what in self.gone:
            return self.error("commentNotFound", 404)
        found = next((one["all"] for one in self.threads if one["id"] == what), [])
        return self.sliced(found, query) if path == "/youtube/v3/comments" else None

    def shown(self, one: Any) -> dict[str, Any]:
        total = one["snippet"].get("totalReplyCount", len(one["all"]))
        given = {"replies": {"comments": one["all"][-GIVEN:]}} if one["all"] else {}
        return {**{key: one[key] for key in ("kind", "id")}, "snippet": {**one["snippet"], "totalReplyCount": total}, **given}


def town(reply: Any) -> Tube:
    """Return a channel whose videos are talked about."""
    answers = [
        comment(f"r{number}", f"Igual en la cuadra {number}", at=APRIL + timedelta(hours=number)) for number in range(1, 6)
    ]
    answers[0] = comment("r1", "Gracias, iremos", author=CHANNEL)
    edited = comment("c2", "¿Y la pista del jirón Ñuñoa?\nSeñores… 😡", updatedAt=stamp(APRIL + timedelta(days=1)))
    threads = [
        thread(comment("c1", "No hay agua & nadie avisa <b>nada</b>"), answers),
        thread(edited, [comment("r9", "Tampoco la mía")]),
        thread(comment("c3", "Bienvenidos a nuestro canal", author=CHANNEL)),
        thread(comment("c4", "Soy la oficina de prensa", authorDisplayName="@PrensaMuni")),
        thread(comment("c5", "Sin canal ni nombre", authorDisplayName="", authorChannelId=None, likeCount=None)),
        thread(comment("c6", "Oculto"), isPublic=False),
        thread(comment("c7", "Del hilo viejo", at=APRIL - timedelta(days=20)), [comment("r8", "Recién lo veo en abril")]),
        thread(comment("c8", "Borrado a medias"), [comment(f"r{number}", f"Queda {number}") for number in range(20, 23)]),
        *(thread(comment(f"c{number}", "Demasiado viejo", at=APRIL - timedelta(days=60 + number))) for number in range(9, 15)),
    ]
    tube = Tube(reply, threads, page=4)
    tube.gone = {"c8"}
    return tube


def odd(reply: Any) -> Tube:
    tube = Tube(reply, [thread(comment("c1", "Lo único que se lee"))])
    tube.odd = ["fila", None, {"id": "x"}, {"id": 7, "snippet": {"topLevelComment": {"id": "y", "snippet": {"textDisplay": 3}}}}]
    tube.odd.append({"id": "z", "snippet": {"topLevelComment": comment("z", "Con respuestas rotas"), "totalReplyCount": "2"}})
    tube.odd[-1]["replies"] = {"comments": {"raro": 1}}
    return tube


def refusing(reply: Any, reason: str, status: int = 403, what: str = CHANNEL) -> Tube:
    tube = Tube(reply, [thread(comment("c1", "Texto"), [comment(f"r{n}", f"R {n}") for n in range(5)])])
    tube.refuse[what] = tube.error(reason, status)
    return tube


def endless(token: str, reply: Any) -> Any:
    numbers = iter(range(10_000))
    items = [Tube(reply, []).shown(thread(comment("c1", "Otra vez")))]

    def answer(path: str, query: Query, seen: Any) -> Any:
        body = {"items": items if token != "empty" else [], "nextPageToken": f"t{next(numbers)}" if token else "igual"}
        return reply(json.dumps(body).encode(), "application/json")

    return answer


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    videos = Tube(reply, [thread(comment("c1", "En un video suelto"), channel=OTHER)])
    videos.refuse = {"cerrado": videos.error("commentsDisabled"), "borrado": videos.error("videoNotFound", 404)}
    closed = Tube(reply, [])
    closed.refuse = {"cerrado": closed.error("commentsDisabled")}
    exhausted = reply(b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "errors": []}}', "application/json", 429)
    lab.web.sites |= {
        "pueblo.test": town(reply),
        "raro.test": odd(reply),
        "videos.test": videos,
        "cerrado.test": closed,
        "cuota.test": refusing(reply, "quotaExceeded"),
        "mitad.test": refusing(reply, "rateLimitExceeded", what="c1"),
        "agotado.test": lambda path, query, seen: exhausted,
        "veda.test": refusing(reply, "forbidden"),
        "otraclave.test": Tube(reply, []),
        "repite.test": endless("", reply),
        "sinfin.test": endless("new", reply),
        "hueco.test": endless("empty", reply),
        "html.test": lambda path, query, seen: reply(b"<html></html>"),
        "caido.test": lambda path, query, seen: reply(b"{", "application/json", 503),
    }
    common = {"key": "env:YOUTUBE_KEY", "accept_storage_rule": True}
    whole = {**common, "channel": CHANNEL}
    names = ("raro", "cuota", "mitad", "agotado", "veda", "repite", "sinfin", "hueco", "html", "caido")

    def source(name: str, options: dict[str, Any], **fields: Any) -> Any:
        given = {"api": f"http://{name}.test", **options}
        return lab.source(name, "youtube", "http://tele.test/@municipio", options=given, **fields)

    sources = [
        source("pueblo", whole, publisher={"official": True, "authors": ["@PrensaMuni"]}),
        source("videos", {**common, "videos": ["cerrado", "borrado", "videoPrueba"]}),
        source("cerrado", {**common, "videos": ["cerrado"]}),
        *(source(name, whole) for name in names),
        source("sinclave", {**whole, "key": "env:NO_KEY"}),
        source("otraclave", {**whole, "key": "env:OTHER_KEY"}),
    ]
    return lab.crawl(sources, environ={"YOUTUBE_KEY": KEY, "OTHER_KEY": "AIza-otra-clave-0002"})


def test_comments_and_all_their_replies(crawled: Any) -> None:
    found = {str(item.native_id): item.kind for item in crawled.items("pueblo")}
    people = {"c1", "c1.r2", "c1.r3", "c1.r4", "c1.r5", "c2", "c2.r9", "c5", "c7", "c7.r8", "c8", "c8.r21", "c8.r22"}
    assert {native_id for native_id, kind in found.items() if kind == "manifestation"} == people | {"c9", "c10", "c11", "c12"}
    assert {native_id for native_id, kind in found.items() if kind == "official"} == {"c1.r1", "c3", "c4"}
    assert set(found.values()) == {"manifestation", "official"}


def test_fields_of_a_comment(crawled: Any) -> None:
    items = crawled.people("pueblo")
    edited, reply = items["c2"], items["c1.r2"]
    assert edited.text == "¿Y la pista del jirón Ñuñoa?\nSeñores… 😡"
    assert (edited.published_at, edited.modified_at) == (APRIL, APRIL + timedelta(days=1))
    assert edited.published_raw == "2021-04-10T12:00:00Z"
    assert edited.url == "https://www.youtube.com/watch?lc=c2&v=videoPrueba"
    assert (edited.parent_id, edited.reactions) == (None, 4)
    assert (reply.parent_id, reply.published_at) == ("c1", APRIL + timedelta(hours=2))
    assert items["c1"].text == "No hay agua & nadie avisa <b>nada</b>"
    assert items["c5"].reactions is None


def test_authors_are_keys_of_their_channel(crawled: Any) -> None:
    keys = {native_id: item.author_key for native_id, item in crawled.people("pueblo").items()}
    assert keys.pop("c5") is None
    assert None not in keys.values()
    assert len(set(keys.values())) == len(keys)
    assert "UCvecina" not in crawled.written()
    assert "@vecina" not in crawled.written()


def test_pages_end_before_the_horizon(lab: Any, crawled: Any) -> None:
    seen = lab.web.pages("pueblo.test")
    threads = [one.query for one in seen if one.path.endswith("commentThreads")]
    assert [query.get("pageToken", [""])[0] for query in threads] == ["", "t4", "t8"]
    wanted = {"part": ["snippet,replies"], "order": ["time"], "maxResults": ["100"], "allThreadsRelatedToChannelId": [CHANNEL]}
    assert all(query | wanted == query for query in threads)
    replies = [(one.query["parentId"][0], one.query.get("pageToken", [""])[0]) for one in seen if one.path.endswith("/comments")]
    # Only where a thread says that it shows less than it has.
    assert replies == [("c1", ""), ("c1", "t4"), ("c8", "")]


def test_quota_and_deleted_threads_are_told(crawled: Any) -> None:
    assert crawled.outcome("pueblo") == ("ok", "none")
    assert "1 threads that are gone" in crawled.health("pueblo").detail
    assert "6 units of quota spent" in crawled.health("pueblo").detail


def test_nothing_about_authors_is_asked_for(lab: Any, crawled: Any) -> None:
    paths = {one.path for name in ("pueblo", "videos", "raro") for one in lab.web.pages(f"{name}.test")}
    assert paths == {"/youtube/v3/commentThreads", "/youtube/v3/comments"}


def test_key_stands_in_the_header_alone(lab: Any, crawled: Any) -> None:
    assert KEY not in crawled.written()
    assert all(KEY not in f"{one.path}{one.query}" for one in lab.web.seen)
    assert {one.headers["x-goog-api-key"] for one in lab.web.pages("pueblo.test")} == {KEY}


def test_rows_without_form_are_told_and_lose_nothing(crawled: Any) -> None:
    assert set(crawled.people("raro")) == {"c1", "z"}
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "4 rows that do not have the documented form" in crawled.health("raro").detail


def test_closed_comments_are_a_fact(crawled: Any) -> None:
    assert crawled.outcome("cerrado") == ("empty", "nothing_published")
    assert "1 videos whose comments are closed" in crawled.health("cerrado").detail
    # The other videos are read all the same; the one that is not there is a fault of the list.
    assert [item.text for item in crawled.items("videos")] == ["En un video suelto"]
    assert crawled.outcome("videos") == ("partial", "http_error")
    assert "HTTP 404 videoNotFound" in crawled.health("videos").detail


@pytest.mark.parametrize(
    ("name", "outcome", "detail", "requests"),
    [
        ("cuota", ("failed", "rate_limited"), "HTTP 403 quotaExceeded", 1),
        ("mitad", ("partial", "rate_limited"), "HTTP 403 rateLimitExceeded", 2),
        ("agotado", ("failed", "rate_limited"), "HTTP 429 RESOURCE_EXHAUSTED", 1),
        ("veda", ("failed", "http_error"), "HTTP 403 forbidden", 1),
        ("otraclave", ("failed", "secret_refused"), "HTTP 400 API_KEY_INVALID", 1),
        ("repite", ("partial", "malformed"), "the pages repeat", 2),
        ("sinfin", ("partial", "malformed"), "the pages repeat", 2),
        ("hueco", ("partial", "malformed"), "lead nowhere", 4),
        ("html", ("failed", "malformed"), "not a JSON object", 1),
        ("caido", ("failed", "http_error"), "HTTP 503", 3),
        ("sinclave", ("failed", "secret_missing"), "NO_KEY is not set", 0),
    ],
)
def test_faults_are_named(lab: Any, crawled: Any, name: str, outcome: tuple[str, str], detail: str, requests: int) -> None:
    assert crawled.outcome(name) == outcome
    assert detail in crawled.health(name).detail
    assert len(lab.web.pages(f"{name}.test")) == requests
    assert "vecina-secreta" not in crawled.written()


@pytest.mark.parametrize(
    ("options", "retention", "told"),
    [
        ({"accept_storage_rule": None}, 30, "accept_storage_rule: is required and is missing"),
        ({"accept_storage_rule": False}, 30, "accept_storage_rule: False: input should be True"),
        ({}, 31, "retention_days: 31 is longer than YouTube allows; write at most 30"),
        ({"channel": None}, 30, "give either channel or videos"),
        ({"videos": ["a"]}, 30, "give either channel or videos"),
        ({"key": KEY}, 30, "should match pattern"),
    ],
)
def test_it_is_off_until_the_rule_is_accepted(
    lab: Any, tmp_path: Path, options: dict[str, Any], retention: int, told: str
) -> None:
    whole = {"key": "env:YOUTUBE_KEY", "accept_storage_rule": True, "channel": CHANNEL, **options}
    given = {name: value for name, value in whole.items() if value is not None}
    entry = lab.source("tele", "youtube", "https://www.youtube.com/@municipio", options=given, retention_days=retention)
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps({**lab.city([entry]), "synthetic": False, "hosts": {}}), encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_city(path)
    assert told in str(error.value)
    assert len(error.value.problems) == 1


def test_thirty_days_are_allowed(lab: Any, tmp_path: Path) -> None:
    options = {"key": "env:YOUTUBE_KEY", "accept_storage_rule": True, "channel": CHANNEL}
    entry = lab.source("tele", "youtube", "https://www.youtube.com/@municipio", options=options, retention_days=30)
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps({**lab.city([entry]), "synthetic": False, "hosts": {}}), encoding="utf-8")
    assert load_city(path).sources[0].host == "www.googleapis.com"
