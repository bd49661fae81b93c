"""Discourse forums, crawled from a server that lists, pages, limits and refuses as Discourse does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.spiders.discourse import list_of
from collectors.spiders.discourse_rows import PostRow, count_reactions
from collectors.spiders.discourse_text import emoji_of, own_words

Query = dict[str, list[str]]
RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "discourse"
SHOWN = 3
"""Topics on a page of the list; Discourse shows thirty."""

MAY = datetime(2021, 5, 10, tzinfo=UTC)
MID = datetime(2021, 4, 15, 12, tzinfo=UTC)
MARCH = datetime(2021, 3, 20, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def posts_of(topic: int, dates: list[datetime]) -> list[dict[str, Any]]:
    """Return the posts of a topic, the ids of which leave no gap and follow the topic's own."""
    return [
        {
            "id": topic * 1000 + number,
            "post_number": number,
            "post_type": 1,
            "username": f"vecina_{number % 7}",
            "name": "Nombre a la vista",
            "user_id": 10 + number % 7,
            "created_at": stamp(at),
            "updated_at": stamp(at),
            "version": 1,
            "cooked": f"<p>La pista sigue rota, señora {topic}-{number}</p>",
            "reply_to_post_number": None,
            "actions_summary": [],
            "hidden": False,
            "user_deleted": False,
            "deleted_at": None,
        }
        for number, at in enumerate(dates, start=1)
    ]


class Forum:
    """A Discourse forum: `/latest.json`, `/t/<id>.json` and `/t/<id>/posts.json`."""

    def __init__(self, lab: Any, topics: dict[int, list[dict[str, Any]]], **fields: dict[int, dict[str, Any]]) -> None:
        self.lab, self.topics, self.rows = lab, topics, fields.get("rows", {})
        self.lists = {"/latest.json"}
        self.mega: set[int] = set()

    def __call__(self, path: str, query: Query) -> Any:
        if path in self.lists:
            return self.answer(self.listed(query))
        if not path.startswith("/t/"):
            return None
        number, _, rest = path.removeprefix("/t/").removesuffix(".json").partition("/")
        posts = self.topics.get(int(number))
        if posts is None:
            return self.answer({"errors": ["No existe"], "error_type": "not_found"}, 404)
        if rest == "posts":
            wanted = {int(one) for one in query["post_ids[]"]}
            return self.answer({"post_stream": {"posts": [post for post in posts if post["id"] in wanted]}, "id": int(number)})
        return self.answer(self.topic(int(number), posts, int(query.get("page", ["1"])[0])))

    def answer(self, body: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        return self.lab.Reply(json.dumps(body, ensure_ascii=False).encode(), "application/json; charset=utf-8", status, headers)

    def listed(self, query: Query) -> dict[str, Any]:
        assert query["order"] == ["activity"]
        page = int(query["page"][0])
        rows = []
        for number, posts in self.topics.items():
            dates = [post["created_at"] for post in posts]
            row = {"id": number, "created_at": dates[0], "last_posted_at": dates[-1], "bumped_at": dates[-1], "pinned": False}
            rows.append(row | self.rows.get(number, {}))
        rows.sort(key=lambda row: (row["pinned"], row["bumped_at"]), reverse=True)
        shown = rows[page * SHOWN : (page + 1) * SHOWN]
        more = {"more_topics_url": f"/latest?page={page + 1}"} if (page + 1) * SHOWN < len(rows) else {}
        return {"users": [], "topic_list": {"per_page": SHOWN, "topics": shown, **more}}

    def topic(self, number: int, posts: list[dict[str, Any]], page: int) -> dict[str, Any]:
        stream: dict[str, Any] = {"posts": posts[(page - 1) * 20 : page * 20]}
        if number in self.mega:
            stream |= {"isMegaTopic": True, "firstId": posts[0]["id"], "lastId": posts[-1]["id"]}
        else:
            stream["stream"] = [post["id"] for post in posts]
        title, slug = f"Pista rota {number}", f"pista-rota-{number}"
        return {"id": number, "title": title, "slug": slug, "posts_count": len(posts), "post_stream": stream}


def long_forum(lab: Any) -> Forum:
    """Return a forum with a pinned topic, one from after the window, a long one, and those that end before the window."""
    topics = {
        1: posts_of(1, [MARCH - timedelta(days=400)]),
        2: posts_of(2, [MAY, MAY + timedelta(days=1)]),
        3: posts_of(3, [MID, MID + timedelta(days=1), MAY]),
        # 65 posts, of which the last 25 are of the window.
        4: posts_of(4, [MARCH + timedelta(hours=number) for number in range(40)] + [MID + timedelta(hours=n) for n in range(25)]),
        5: posts_of(5, [MARCH, MID]),
        **{number: posts_of(number, [MARCH - timedelta(days=number)]) for number in range(6, 16)},
    }
    topics[3][1]["reply_to_post_number"] = 1
    topics[4][64]["reply_to_post_number"] = 44
    topics[4][63]["reply_to_post_number"] = 30
    topics[4][62]["reply_to_post_number"] = 5
    return Forum(lab, topics, rows={1: {"pinned": True}})


def recorded(lab: Any, path: str) -> Any:
    name = {"/latest.json": "latest", "/t/512.json": "topic"}.get(path)
    return lab.Reply((RECORDED / f"{name}.json").read_bytes(), "application/json; charset=utf-8") if name else None


class Limited:
    """A forum that answers a topic with 429 some times before it shows it."""

    def __init__(self, forum: Forum, times: int, *, wait: int | None, retry_after: str = "") -> None:
        self.forum, self.times, self.wait, self.retry_after = forum, times, wait, retry_after

    def __call__(self, path: str, query: Query) -> Any:
        if not path.startswith("/t/") or not self.times:
            return self.forum(path, query)
        self.times -= 1
        headers = (("Retry-After", self.retry_after),) if self.retry_after else ()
        if self.wait is None:
            return self.forum.lab.Reply(b"Slow down, too many requests", "text/plain", 429, headers)
        body = {
            "errors": ["Demasiadas veces"],
            "error_type": "rate_limit",
            "extras": {"wait_seconds": self.wait, "time_left": "x"},
        }
        return self.forum.answer(body, 429, headers)


def sites(lab: Any) -> dict[str, Any]:
    reply = lab.Reply
    short = {1: posts_of(1, [MID]), 2: posts_of(2, [MID, MID + timedelta(hours=1)])}
    members = json.dumps({"errors": ["Debes iniciar sesión."], "error_type": "not_logged_in"}).encode()
    shown, private = Forum(lab, short), Forum(lab, short)
    shown.lists = {"/foro/c/obras/5/l/latest.json", "/foro/tag/agua.json"}
    mega = Forum(lab, {1: posts_of(1, [MARCH] * 45 + [MID + timedelta(minutes=n) for n in range(30)])})
    mega.mega = {1}
    odd = Forum(lab, {1: posts_of(1, [MID] * 6)})
    odd.topics[1][1] |= {"cooked": ["SECRETO-DEL-VECINO"]}
    odd.topics[1][2] |= {"post_number": "SECRETO-DEL-VECINO"}
    odd.topics[1][3] |= {"username": None, "reply_to_post_number": None, "actions_summary": None, "created_at": None}
    odd.topics[1][4] |= {"reply_to_post_number": 99, "actions_summary": [None, {"id": 2, "count": "muchos"}]}
    odd.topics[1].insert(1, {"id": [1, 2], "post_number": 7, "created_at": stamp(MID)})
    chunks = Forum(lab, {1: posts_of(1, [MID + timedelta(minutes=n) for n in range(70)])})

    def deleted_meanwhile(path: str, query: Query) -> Any:
        return private.answer({"error_type": "not_found"}, 404) if path == "/t/2.json" else private(path, query)

    def same_posts(path: str, query: Query) -> Any:
        return chunks(path, {"post_ids[]": ["1021", "1022"]}) if path.endswith("posts.json") else chunks(path, query)

    def failing_chunk(path: str, query: Query) -> Any:
        if path.endswith("posts.json") and "1045" in query["post_ids[]"]:
            return reply(b"<html>error</html>", status=500)
        return chunks(path, query)

    def same_page(path: str, query: Query) -> Any:
        return long_forum(lab)(path, query | {"page": ["0"]} if "page" in query else query)

    def broken_list(path: str, query: Query) -> Any:
        rows = [
            {"id": "x"},
            None,
            {"id": 1, "created_at": 5},
            {"id": 2, "created_at": None, "bumped_at": "nunca", "pinned": None},
        ]
        return private.answer({"topic_list": {"topics": rows}}) if path == "/latest.json" else private(path, query)

    return {
        "largo.test": long_forum(lab),
        "escrito.test": lambda path, query: recorded(lab, path),
        "prensa.test": lambda path, query: recorded(lab, path),
        "carpeta.test": lambda path, query: shown(path if path.startswith("/foro/c") else path.removeprefix("/foro"), query),
        "etiqueta.test": lambda path, query: shown(path if path.startswith("/foro/tag") else path.removeprefix("/foro"), query),
        "enorme.test": mega,
        "raro.test": odd,
        "frena.test": Limited(Forum(lab, short), 2, wait=1),
        "cierra.test": Limited(Forum(lab, short), 9, wait=3600),
        "manda.test": Limited(Forum(lab, short), 9, wait=None, retry_after="3600"),
        "insiste.test": Limited(Forum(lab, {1: short[1]}), 9, wait=0),
        "socios.test": lambda path, query: reply(members, "application/json", 403),
        "entrada.test": lambda path, query: (
            reply(b"<html>Iniciar</html>") if path == "/login" else reply(b"", status=302, headers=(("Location", "/login"),))
        ),
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>"),
        "sinlista.test": lambda path, query: reply(b'{"topic_list": {"topics": 5}}', "application/json"),
        "borrado.test": deleted_meanwhile,
        "repite.test": same_page,
        "circula.test": same_posts,
        "falla.test": failing_chunk,
        "dispar.test": broken_list,
        "medio.test": chunks,
    }


ADDRESSES = {"carpeta": "/foro/c/obras/5", "etiqueta": "/foro/tag/agua"}
STAFF = {"publisher": {"authors": ["municipio_responde"]}}


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    lab.web.sites |= sites(lab)
    fields: dict[str, Any] = {
        "escrito": STAFF,
        "prensa": {**STAFF, "options": {"opening_posts": "article"}},
        "medio": {"budget": {"requests": 3}},
    }
    names = [host.removesuffix(".test") for host in lab.web.sites]
    return lab.crawl(
        [lab.source(name, "discourse", f"http://{name}.test{ADDRESSES.get(name, '/')}", **fields.get(name, {})) for name in names]
    )


def asked(lab: Any, name: str) -> list[str]:
    return [seen.path + "".join(f"?page={page}" for page in seen.query.get("page", [])) for seen in lab.web.pages(f"{name}.test")]


def test_recorded_topic_gives_what_persons_wrote(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("escrito")}
    assert {name: (item.kind, item.parent_id, item.reactions) for name, item in items.items()} == {
        "post-9001": ("manifestation", None, 7),
        "post-9002": ("manifestation", "post-9001", 1),
        "post-9003": ("official", "post-9001", 0),
        "post-9005": ("manifestation", "post-9003", 5),
        "post-9009": ("manifestation", "post-9006", 0),
        "post-9010": ("manifestation", "post-9001", 0),
    }
    assert crawled.outcome("escrito") == ("ok", "none")
    opening = items["post-9001"]
    assert opening.text == "Van tres días sin agua en la zona alta del cerro & nadie responde."
    assert opening.title == "Sin agua en la zona alta"
    assert opening.url == "http://escrito.test/t/sin-agua-en-la-zona-alta/512/1"
    assert (opening.published_at, opening.published_raw) == (
        datetime(2021, 4, 6, 15, 20, 11, 482_000, tzinfo=UTC),
        "2021-04-06T15:20:11.482Z",
    )
    assert opening.modified_at == datetime(2021, 4, 6, 16, 1, tzinfo=UTC)
    assert items["post-9002"].modified_at is None


def test_words_of_others_and_captions_are_left_out(crawled: Any) -> None:
    people = crawled.people("escrito")
    assert people["post-9002"].text.startswith("Aquí en la zona baja también, ")
    assert people["post-9002"].text.endswith("🙁")
    assert people["post-9005"].text == "Así está el caño:\n¿Hasta cuándo, señores? 👍"


def test_author_is_the_user_and_not_the_name_that_shows(crawled: Any) -> None:
    people = crawled.people("escrito")
    assert people["post-9010"].author_key is None
    assert len({item.author_key for item in people.values() if item.author_key}) == 4
    written = crawled.written()
    assert not [name for name in ("nusta_c", "Ñusta C.", "lucho.h", "Nombre a la vista") if name in written]


def test_opening_posts_may_be_context(crawled: Any) -> None:
    kinds = {item.native_id: item.kind for item in crawled.items("prensa")}
    assert (kinds["post-9001"], kinds["post-9002"], kinds["post-9003"]) == ("article", "manifestation", "official")


def test_walk_passes_the_pinned_topic_and_stops_before_the_window(lab: Any, crawled: Any) -> None:
    # Three topics a page: 1 (pinned), 2, 3 · 4, 5, 6 · 7, 8, 9, which all ended before the window.
    lists = [path for path in asked(lab, "largo") if path.startswith("/latest")]
    assert lists == ["/latest.json?page=0", "/latest.json?page=1", "/latest.json?page=2"]
    topics = [path for path in asked(lab, "largo") if path.startswith("/t/") and path.count("/") == 2]
    assert sorted(topics) == ["/t/3.json", "/t/4.json", "/t/5.json"]
    assert asked(lab, "largo").index(lists[-1]) < asked(lab, "largo").index(topics[0])
    assert crawled.outcome("largo") == ("ok", "none")


def test_long_topic_is_read_backwards_to_the_window(lab: Any, crawled: Any) -> None:
    asked_ids = [seen.query["post_ids[]"] for seen in lab.web.pages("largo.test") if seen.path == "/t/4/posts.json"]
    assert asked_ids == [
        [f"{number}" for number in range(4061, 4066)],
        [f"{number}" for number in range(4041, 4061)],
        [f"{number}" for number in range(4021, 4041)],
    ]
    people = crawled.people("largo")
    assert {name for name in people if name.startswith("post-4")} == {f"post-{number}" for number in range(4001, 4066)}
    assert people["post-4065"].parent_id == "post-4044"
    assert people["post-4064"].parent_id == "post-4030"
    assert people["post-4063"].parent_id == "post-4005"
    assert people["post-4062"].parent_id == "post-4001"


def test_category_and_tag_of_a_forum_in_a_folder(lab: Any, crawled: Any) -> None:
    assert asked(lab, "carpeta")[0] == "/foro/c/obras/5/l/latest.json?page=0"
    assert asked(lab, "etiqueta")[0] == "/foro/tag/agua.json?page=0"
    for name in ADDRESSES:
        assert set(crawled.people(name)) == {"post-1001", "post-2001", "post-2002"}
        assert crawled.people(name)["post-2002"].url == f"http://{name}.test/foro/t/pista-rota-2/2/2"


def test_topic_too_long_for_a_list_of_its_posts_is_read_by_pages(lab: Any, crawled: Any) -> None:
    assert asked(lab, "enorme") == [
        "/latest.json?page=0",
        "/t/1.json",
        "/t/1.json?page=4",
        "/t/1.json?page=3",
        "/t/1.json?page=2",
    ]
    assert len(crawled.people("enorme")) == 75


def test_odd_posts_cost_no_other(crawled: Any) -> None:
    assert crawled.outcome("raro") == ("partial", "malformed")
    people = crawled.people("raro")
    assert set(people) == {"post-1001", "post-1004", "post-1005", "post-1006"}
    undated, orphan = people["post-1004"], people["post-1005"]
    assert (undated.author_key, undated.published_at, undated.reactions, undated.parent_id) == (None, None, None, "post-1001")
    assert (orphan.parent_id, orphan.reactions) == (None, 0)
    assert "http://raro.test/t/1: 3 rows of an unexpected form left out" in crawled.health("raro").detail
    assert "SECRETO-DEL-VECINO" not in crawled.written()


def test_short_pause_is_kept_and_the_question_asked_again(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("frena") == ("ok", "none")
    assert len(crawled.people("frena")) == 3
    assert len(asked(lab, "frena")) == 5


@pytest.mark.parametrize("name", ["cierra", "manda"])
def test_long_pause_leaves_the_forum_alone(lab: Any, crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("partial", "rate_limited")
    assert len(asked(lab, name)) == 2
    assert crawled.items(name) == []


def test_forum_that_goes_on_refusing_is_asked_three_times(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("insiste") == ("partial", "rate_limited")
    assert asked(lab, "insiste") == ["/latest.json?page=0", *["/t/1.json"] * 3]


@pytest.mark.parametrize(("name", "status"), [("socios", 403), ("entrada", 200)])
def test_forum_for_members_is_told(crawled: Any, name: str, status: int) -> None:
    assert crawled.outcome(name) == ("failed", "http_error")
    assert f"HTTP {status} at http://{name}.test/" in crawled.health(name).detail
    assert "shown to members only" in crawled.health(name).detail


@pytest.mark.parametrize("name", ["html", "sinlista"])
def test_what_is_no_list_of_topics_is_malformed(crawled: Any, name: str) -> None:
    assert crawled.health(name).reason == "malformed"
    assert crawled.items(name) == []


def test_page_that_is_no_json_has_read_nothing(crawled: Any) -> None:
    assert crawled.outcome("html") == ("failed", "malformed")


def test_topic_deleted_since_it_was_listed_is_no_loss(lab: Any, crawled: Any) -> None:
    assert "/t/2.json" in asked(lab, "borrado")
    assert crawled.outcome("borrado") == ("ok", "none")
    assert set(crawled.people("borrado")) == {"post-1001"}


def test_list_that_repeats_ends_the_walk(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("repite") == ("partial", "malformed")
    assert [path for path in asked(lab, "repite") if path.startswith("/latest")] == ["/latest.json?page=0", "/latest.json?page=1"]
    assert "post-3001" in crawled.people("repite")


def test_posts_that_repeat_end_the_topic(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("circula") == ("partial", "malformed")
    assert len([path for path in asked(lab, "circula") if path.endswith("posts.json")]) == 2
    assert len(crawled.people("circula")) == 22


def test_refused_posts_cost_no_other(crawled: Any) -> None:
    assert crawled.outcome("falla") == ("partial", "http_error")
    assert len(crawled.people("falla")) == 50  # 20, 20 and 10 of 70 posts: the chunk from 41 to 60 is lost
    assert "HTTP 500" in crawled.health("falla").detail


def test_budget_that_ends_within_a_topic_keeps_what_was_read(lab: Any, crawled: Any) -> None:
    assert asked(lab, "medio") == ["/latest.json?page=0", "/t/1.json"]
    assert crawled.outcome("medio") == ("partial", "budget_requests")
    assert len(crawled.people("medio")) == 20


def test_odd_rows_of_a_list_cost_no_other(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("dispar") == ("partial", "malformed")
    assert "page 0: 3 rows of an unexpected form left out" in crawled.health("dispar").detail
    assert set(crawled.people("dispar")) == {"post-2001", "post-2002"}  # a topic without dates is read


@pytest.mark.parametrize(
    ("url", "base", "shown"),
    [
        ("http://f.test", "http://f.test/", "latest.json"),
        ("http://f.test/latest", "http://f.test/", "latest.json"),
        ("http://f.test/foro/latest.json?order=posts", "http://f.test/foro/", "latest.json"),
        ("http://f.test/c/obras/5", "http://f.test/", "c/obras/5/l/latest.json"),
        ("http://f.test/c/distritos/ate/12/l/latest", "http://f.test/", "c/distritos/ate/12/l/latest.json"),
        ("http://f.test/foro/c/obras/5/none/", "http://f.test/foro/", "c/obras/5/none/l/latest.json"),
        ("http://f.test/tag/agua/31", "http://f.test/", "tag/agua/31.json"),
        ("http://f.test/tags/c/obras/5/agua", "http://f.test/", "tags/c/obras/5/agua.json"),
    ],
)
def test_address_of_the_list(url: str, base: str, shown: str) -> None:
    assert list_of(url) == (base, base + shown)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, None),
        ({"actions_summary": []}, 0),
        ({"actions_summary": [{"id": 2, "count": 4}, {"id": 3, "count": 9}]}, 4),
        ({"actions_summary": [{"id": 2, "count": 4}], "reactions": [{"id": "heart", "count": 4}, {"id": "joy", "count": 2}]}, 6),
        ({"actions_summary": [], "reactions": [], "reaction_users_count": 0}, 0),
        ({"actions_summary": [{"id": 2, "count": -1}, "x", {"id": 2}]}, 0),
    ],
)
def test_reactions(fields: dict[str, Any], count: int | None) -> None:
    assert count_reactions(PostRow.model_validate({"id": 1, "post_number": 1, **fields})) == count


@pytest.mark.parametrize(
    ("name", "shown"), [(":heart:", "❤️"), (":+1:t4:", "👍"), (":rolling_eyes:", "🙄"), (":cuy_propio:", ":cuy_propio:"), ("", "")]
)
def test_emoji_by_name(name: str, shown: str) -> None:
    assert emoji_of(name) == shown


def test_only_the_own_words_of_a_post() -> None:
    cooked = (
        '<aside class="quote"><aside class="quote"><p>dos veces ajeno</p></aside><p>ajeno</p></aside><p>mío &lt;b&gt; y</p>'
        '<details class="elided"><summary>···</summary><p>correo repetido</p></details>'
        "<details><summary>Más</summary>detalle</details>"
    )
    assert own_words(cooked) == "mío <b> y\nMás\ndetalle"
    assert own_words("") == ""
    assert own_words('<aside class="quote"><p>sin cerrar') == ""
    assert own_words("<div>" * 5_000 + "hondo") == "hondo"


def test_nothing_is_told_beside_the_health(crawled: Any) -> None:
    assert crawled.log == ""
