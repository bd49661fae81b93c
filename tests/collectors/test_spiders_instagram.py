"""A professional Instagram account, from a server that pages, expands and refuses as the Instagram API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

Query = dict[str, list[str]]
RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "instagram"
TOKEN = "IGQV-token-de-prueba-0001"
ACCOUNT = "178414000000000"
APRIL = datetime(2021, 4, 20, 12, tzinfo=UTC)
START = datetime(2021, 4, 1, 5, tzinfo=UTC)
END = datetime(2021, 5, 1, 5, tzinfo=UTC)
GIVEN = 2
"""Answers that a comment brings along."""


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def media(number: int, *, at: datetime = APRIL, count: int | None = 1, **fields: Any) -> dict[str, Any]:
    row = {"id": f"1{number:04d}", "caption": f"Aviso {number}", "timestamp": stamp(at), "username": "muni.prueba"}
    told = {} if count is None else {"comments_count": count}
    return {**row, "permalink": f"https://www.instagram.com/p/C{number}/", **told, **fields}


def comment(number: int, *, at: datetime = APRIL, answers: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    row = {"id": f"2{number:04d}", "text": f"No hay agua en la cuadra {number}", "timestamp": stamp(at), "like_count": 1}
    return {**row, "username": f"vecina_{number}", "hidden": False, "answers": answers or [], **fields}


class Gram:
    """Media -> comments -> answers behind a token."""

    def __init__(self, reply: Any, rows: list[Any], threads: dict[str, list[Any]] | None = None, *, page: int = 50) -> None:
        self.reply, self.page = reply, page
        self.edges: dict[str, list[Any]] = {f"{ACCOUNT}/media": rows}
        self.edges |= {f"{number}/comments": comments for number, comments in (threads or {}).items()}
        for comments in (threads or {}).values():
            self.edges |= {
                f"{row['id']}/replies": row["answers"] for row in comments if isinstance(row, dict) and "answers" in row
            }
        self.refuse: dict[str, Any] = {}

    def json(self, document: Any, status: int = 200) -> Any:
        return self.reply(json.dumps(document).encode(), "application/json; charset=UTF-8", status)

    def error(self, code: int, status: int = 400) -> Any:
        return self.json({"error": {"message": "vecina-secreta", "type": "IGApiException", "code": code}}, status)

    def sliced(self, rows: list[Any], path: str, begin: int, size: int) -> dict[str, Any]:
        end = begin + size
        paging: dict[str, Any] = {"cursors": {"before": f"c{begin}", "after": f"c{end}"}}
        if end < len(rows):
            paging["next"] = f"http://graph.test{path}?" + urlencode({"access_token": TOKEN, "after": f"c{end}"})
        return {"data": rows[begin:end], "paging": paging}

    def shown(self, row: Any) -> Any:
        if not isinstance(row, dict) or "answers" not in row:
            return row
        given = {name: value for name, value in row.items() if name != "answers"}
        return given | (
            {"replies": self.sliced(row["answers"], f"/v26.0/{row['id']}/replies", 0, GIVEN)} if row["answers"] else {}
        )

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        edge = path.removeprefix("/v26.0/")
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.error(190, 401)
        if edge in self.refuse:
            return self.refuse[edge]
        if edge not in self.edges:
            return self.error(100)
        begin = int(query.get("after", ["c0"])[0][1:])
        rows = [self.shown(row) for row in self.edges[edge]]
        return self.json(self.sliced(rows, path, begin, min(self.page, int(query["limit"][0]))))


def town(reply: Any) -> Gram:
    """Return an account whose media people write under."""
    answers = [comment(number, at=APRIL + timedelta(hours=number)) for number in range(11, 18)]
    answers[1] |= {"username": "MUNI.prueba", "text": "Ya iremos"}
    answers[6] |= {"hidden": True, "text": "Vendo seguidores"}
    thread = [
        comment(1, text="¿Y el parque del jirón Ñuñoa?\nSeñores… 😡 <b>ya</b> & punto", like_count=7, answers=answers),
        comment(2, username=None, like_count=None),
        comment(3, hidden=True, text="Gane dinero"),
        comment(4, text=None),
        *(comment(number) for number in range(5, 9)),
        comment(9, at=START - timedelta(days=5), answers=[comment(30, at=START + timedelta(days=3), text="Recién respondo")]),
    ]
    rows = [
        media(1, at=END + timedelta(days=2)),
        media(2, count=9),
        media(3, count=0),
        media(4, count=None, caption=None, at=START + timedelta(days=1)),
        media(5, at=START - timedelta(days=29)),
        media(6, at=START - timedelta(days=31)),
        *(media(number, at=START - timedelta(days=40 + number)) for number in range(7, 20)),
    ]
    threads = {"10002": thread, "10004": [], "10005": [comment(40, at=START + timedelta(days=2))]}
    return Gram(reply, rows, threads, page=3)


def small(reply: Any, *, posts: int = 3) -> Gram:
    rows = [media(number) for number in range(posts)]
    return Gram(reply, rows, {row["id"]: [comment(10 * number)] for number, row in enumerate(rows)})


def failing(reply: Any, edge: str, code: int, status: int = 400) -> Gram:
    gram = small(reply)
    gram.refuse[edge] = gram.error(code, status)
    return gram


def odd(reply: Any) -> Gram:
    rows: list[Any] = [
        "fila",
        {"id": 8, "text": "Número por id"},
        {"id": "x", "text": 5},
        comment(1, timestamp=3, like_count="7", username=["lista"]),
        {**comment(2), "replies": "muchas"},
        {**comment(3), "replies": {"data": "ninguna"}},
        {**comment(4), "replies": {"data": [None, {"id": None}, comment(5)]}},
    ]
    for row in rows:
        if isinstance(row, dict):
            row.pop("answers", None)
    gram = Gram(reply, [media(1), {"id": "y", "caption": []}, None], {"10001": []})
    gram.edges["10001/comments"] = rows
    return gram


def circular(reply: Any) -> Gram:
    gram = small(reply, posts=0)
    paging = {"cursors": {"after": "c0"}, "next": "http://graph.test/"}
    gram.refuse[f"{ACCOUNT}/media"] = gram.json({"data": [media(1)], "paging": paging})
    gram.refuse["10001/comments"] = gram.json({"data": [comment(1)], "paging": paging})
    return gram


def recorded(reply: Any) -> Any:
    names = {f"/v26.0/{ACCOUNT}/media": "media", "/v26.0/17900000000000001/comments": "comments"}

    def site(path: str, query: Query) -> Any:
        kind = "application/json; charset=UTF-8"
        return reply((RECORDED / f"{names[path]}.json").read_bytes(), kind) if path in names else None

    return site


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply, edge = lab.Reply, f"{ACCOUNT}/media"
    sites: dict[str, Any] = {
        "grabada": recorded(reply),
        "cuenta": town(reply),
        "corta": town(reply),
        "ajena": small(reply, posts=1),
        "limite": failing(reply, "10001/comments", 80_002, 403),
        "vencida": failing(reply, edge, 190),
        "sinpermiso": failing(reply, edge, 10, 403),
        "borrada": failing(reply, "10001/comments", 100),
        "html": small(reply),
        "rara": odd(reply),
        "circular": circular(reply),
        "sinclave": small(reply),
    }
    sites["html"].refuse[edge] = reply(b"<html>Entrar</html>", "text/html")
    lab.web.sites |= {f"{name}.test": site for name, site in sites.items()}

    def source(name: str) -> dict[str, Any]:
        token = "env:INSTAGRAM_NO_ESTA" if name == "sinclave" else "env:INSTAGRAM_TOKEN"
        options: dict[str, Any] = {"api": f"http://{name}.test", "account": ACCOUNT, "token": token}
        if name == "corta":
            options["lookback_days"] = 0
        url = f"http://www.{name}.test/muni.prueba"
        return lab.source(name, "instagram", url, options=options, publisher={"official": name != "ajena"})

    return lab.crawl([source(name) for name in sites], environ={"INSTAGRAM_TOKEN": TOKEN})


def asked(lab: Any, name: str) -> list[str]:
    """Return the edges that were asked for, each page of them."""
    return [seen.path.removeprefix("/v26.0/") for seen in lab.web.pages(f"{name}.test")]


def test_recorded_answers_are_read_to_the_letter(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("grabada")}
    assert {name: (item.kind, item.parent_id, item.reactions) for name, item in items.items()} == {
        "17900000000000001": ("official", None, None),
        "18000000000000011": ("manifestation", "17900000000000001", 5),
        "18000000000000012": ("official", "18000000000000011", 0),
        "18000000000000013": ("manifestation", "18000000000000011", 1),
    }
    first = items["18000000000000011"]
    assert first.text == "¡Qué bueno! ¿Y el parque de mi barrio, cuándo? 😢"
    assert (first.published_at, first.published_raw) == (datetime(2021, 4, 12, 18, tzinfo=UTC), "2021-04-12T18:00:00+0000")
    assert items["17900000000000001"].url == "https://www.instagram.com/p/Cprueba01/"
    assert crawled.outcome("grabada") == ("ok", "none")
    assert "1 comments hidden by the account" in crawled.health("grabada").detail


def test_media_are_walked_until_they_are_too_old(lab: Any, crawled: Any) -> None:
    counted = {edge: asked(lab, "cuenta").count(edge) for edge in asked(lab, "cuenta")}
    # Of seven pages of media the third is wholly too old; media 1 is too new, 3 has no comment, 6 and later are too old.
    assert counted == {
        f"{ACCOUNT}/media": 3,
        "10002/comments": 3,
        "20001/replies": 2,
        "10004/comments": 1,
        "10005/comments": 1,
    }
    assert crawled.outcome("cuenta") == ("ok", "none")


def test_lookback_of_the_source_decides(lab: Any, crawled: Any) -> None:
    assert "10005/comments" not in asked(lab, "corta")
    assert asked(lab, "corta").count(f"{ACCOUNT}/media") == 3
    assert crawled.outcome("corta") == ("ok", "none")


def test_threads_are_read_whole_with_all_their_answers(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("cuenta")}
    answers = {name for name, item in items.items() if item.parent_id == "20001"}
    assert answers == {f"2{number:04d}" for number in range(11, 17)}
    assert items["20030"].text == "Recién respondo"  # a new answer to an old comment
    assert items["20030"].parent_id == "20009"
    assert items["20040"].parent_id == "10005"
    first = items["20001"]
    assert first.text == "¿Y el parque del jirón Ñuñoa?\nSeñores… 😡 <b>ya</b> & punto"
    assert (first.kind, first.parent_id, first.reactions) == ("manifestation", "10002", 7)
    assert (items["20012"].kind, items["20013"].kind) == ("official", "manifestation")
    assert (items["20002"].author_key, items["20002"].reactions) == (None, None)
    assert {"20003", "20004", "20017", "10004"}.isdisjoint(items)


def test_names_are_keyed(crawled: Any) -> None:
    people = crawled.people("cuenta")
    assert len({people[number].author_key for number in ("20005", "20006", "20007")} - {None}) == 3
    assert "vecina_" not in crawled.written()


def test_media_of_another_publisher_are_articles(crawled: Any) -> None:
    assert {item.kind for item in crawled.items("ajena")} == {"article", "manifestation"}


def test_pages_follow_their_cursor_and_never_the_given_address(lab: Any, crawled: Any) -> None:
    pages = lab.web.pages("cuenta.test")
    assert all("access_token" not in seen.query for seen in pages)
    assert [seen.query.get("after") for seen in pages if seen.path.endswith("replies")] == [["c2"], ["c5"]]
    assert lab.web.pages("graph.test") == []


def test_limit_ends_the_collection(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("limite") == ("partial", "rate_limited")
    assert asked(lab, "limite") == [f"{ACCOUNT}/media", "10000/comments", "10001/comments"]
    assert set(crawled.people("limite")) == {"20000"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vencida", "make a new, lasting one and put it into INSTAGRAM_TOKEN"),
        ("sinpermiso", "lacks a permission: it needs instagram_business_basic"),
    ],
)
def test_refused_token_is_told_with_its_remedy(lab: Any, crawled: Any, name: str, told: str) -> None:
    assert crawled.outcome(name) == ("failed", "secret_refused")
    assert told in crawled.health(name).detail
    assert len(asked(lab, name)) == 1


def test_thread_that_is_gone_loses_no_other(crawled: Any) -> None:
    assert crawled.outcome("borrada") == ("partial", "http_error")
    assert set(crawled.people("borrada")) == {"20000", "20020"}


def test_page_that_is_no_json_is_malformed(crawled: Any) -> None:
    assert crawled.outcome("html") == ("failed", "malformed")


def test_odd_rows_are_counted_and_lose_no_other(crawled: Any) -> None:
    assert crawled.outcome("rara") == ("partial", "malformed")
    people = crawled.people("rara")
    assert set(people) == {"20001", "20002", "20003", "20004", "20005"}
    assert (people["20001"].published_at, people["20001"].reactions, people["20001"].author_key) == (None, None, None)
    assert people["20005"].parent_id == "20004"
    detail = crawled.health("rara").detail
    assert ": 2 rows" in detail
    assert ": 6 rows" in detail
    assert "no list 'data'" in detail


def test_pages_that_repeat_end(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("circular") == ("partial", "malformed")
    assert sorted(asked(lab, "circular")) == ["10001/comments"] * 2 + [f"{ACCOUNT}/media"] * 2
    assert len(crawled.items("circular")) == 2


def test_without_a_token_nothing_is_asked(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("sinclave") == ("failed", "secret_missing")
    assert lab.web.pages("sinclave.test") == []


def test_no_token_and_no_word_of_an_error_is_written(lab: Any, crawled: Any) -> None:
    assert TOKEN not in crawled.written()
    assert "vecina-secreta" not in crawled.written()
    assert all(TOKEN not in str(seen.query) for seen in lab.web.seen)
    assert all(seen.path != "/robots.txt" for seen in lab.web.seen)
