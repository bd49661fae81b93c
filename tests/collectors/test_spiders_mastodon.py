"""Mastodon servers, crawled from one that pages by ids and Link headers and guards its timelines as Mastodon does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.spiders.mastodon import MastodonOptions
from collectors.spiders.mastodon_status import first_id

RECORDED = Path(__file__).parent.parent / "recorded" / "mastodon" / "tag.json"
START, END = datetime(2021, 4, 1, 5, tzinfo=UTC), datetime(2021, 5, 1, 5, tzinfo=UTC)
NEWEST = datetime(2021, 5, 4, 12, tzinfo=UTC)
TOKEN = "token-muy-secreto-2021"
JSON = "application/json; charset=utf-8"
Query = dict[str, list[str]]


def snowflake(at: datetime, sequence: int = 0) -> str:
    return str((int(at.timestamp() * 1000) << 16) + sequence)


def account(name: str, **fields: Any) -> dict[str, Any]:
    known = {"id": f"9{name}", "username": name, "acct": name, "display_name": f"Soy {name}", "bot": False, "group": False}
    return {**known, "discoverable": None, "note": "<p>Vecina de Ate</p>", **fields}


def status(text: str, *, at: datetime | None = None, by: Any = None, sequence: int = 0, **fields: Any) -> dict[str, Any]:
    at = at or datetime(2021, 4, 10, 12, tzinfo=UTC)
    return {
        "id": snowflake(at, sequence),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "in_reply_to_id": None,
        "spoiler_text": "",
        "visibility": "public",
        "url": f"https://vecinos.test/notas/{text[:8].lower()}",
        "replies_count": 0,
        "favourites_count": 3,
        "edited_at": None,
        "content": f"<p>{text}</p>",
        "reblog": None,
        "account": account("rosa") if by is None else by,
        "poll": None,
        **fields,
    }


class Server:
    """One server: timelines by path, newest first; `access` is what 4.5 tells of hashtag timelines."""

    def __init__(self, reply: Any, **given: Any) -> None:
        self.reply = reply
        self.timelines: dict[str, list[Any]] = given.get("timelines", {})
        self.accounts: dict[str, Any] = given.get("accounts", {})
        self.answers: dict[str, Any] = given.get("answers", {})
        self.access: Any = given.get("access")
        self.token: str | None = given.get("token")
        self.refusal: int = given.get("refusal", 401)
        self.link: bool = given.get("link", True)
        self.left: int = given.get("left", 300)
        self.bounds: bool = given.get("bounds", True)

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        if path == "/api/v2/instance":
            feeds = {"configuration": {"timelines_access": {"hashtag_feeds": self.access}}}
            return self.json(feeds if self.access else {"configuration": {}})
        if not path.startswith("/api/v1/"):
            return None
        if self.token and seen.headers.get("authorization") != f"Bearer {self.token}":
            return self.reply(b'{"error": "This method requires an authenticated user"}', JSON, self.refusal)
        if path == "/api/v1/accounts/lookup":
            found = self.accounts.get(query["acct"][0])
            return self.json(found) if found else None
        if path.endswith("/context"):
            return self._context(path.split("/")[-2])
        return self._timeline(path.removeprefix("/api/v1/"), query, seen) if path[8:] in self.timelines else None

    def _context(self, number: str) -> Any:
        found = self.answers.get(number)
        return self.json({"ancestors": [], "descendants": found}) if isinstance(found, list) else found

    def _timeline(self, name: str, query: Query, seen: Any) -> Any:
        low, high = (int(query.get(bound, [default])[0]) for bound, default in (("since_id", "0"), ("max_id", str(1 << 80))))
        if not self.bounds:
            low = 0
        rows = self.timelines[name]
        if self.bounds or high < 1 << 80:
            rows = [row for row in rows if low < int(row["id"]) < high]
        page = rows[: int(query["limit"][0])]
        address = f"http://{seen.host}{seen.path}?limit=40"
        links = [f'<{address}&max_id={page[-1]["id"]}>; rel="next"'] if len(rows) > len(page) else []
        links += [f'<{address}&min_id={page[0]["id"]}>; rel="prev"'] if page and isinstance(page[0], dict) else []
        self.left -= 1
        headers = [("X-RateLimit-Remaining", str(self.left))] + ([("Link", ", ".join(links))] if self.link and links else [])
        return self.json(page, tuple(headers))

    def json(self, found: Any, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        return self.reply(json.dumps(found).encode(), JSON, 200, headers)


# One status every six hours back from 4 May: 200 of them reach to 15 March, before the window.
LONG = [status(f"Nota {number}", at=NEWEST - timedelta(hours=6 * number)) for number in range(200)]
IN_REACH = [row for row in LONG if START <= datetime.fromisoformat(row["created_at"].replace("Z", "+00:00")) < END]
MUNI = account("muniate", display_name="Municipalidad de Ate", discoverable=False)
JUNTA = account("junta")
BOT = account("clima", bot=True, discoverable=True)
AUTHORS = [
    status("Uno", sequence=1),
    status("Dos", sequence=2, by=account("rosa@otro.test")),
    status("Lluvia", sequence=3, by=BOT),
    status("Grupo", sequence=4, by=account("vecinos", group=True)),
    status("Oficial", sequence=5, by=account("serenazgo@otro.test")),
    status("Impostora", sequence=7, by=account("burla", display_name="@serenazgo@otro.test")),
    status("Listada", sequence=6, by=MUNI),
]
OPTED_OUT = [
    status("SECRETO A", sequence=11, by=account("a", discoverable=False)),
    status("SECRETO B", sequence=12, by=account("b", noindex=True)),
    status("SECRETO C", sequence=13, by=account("c", note='<p>Hola <a href="/tags/nobot">#<span>NoBot</span></a></p>')),
    status("SECRETO D", sequence=14, by=account("d", note="<p>Sin índice #noindex.</p>")),
    status("Nobotánica", sequence=15, by=account("e", note="<p>Amo la #nobotanica</p>")),
    status("SECRETO F", sequence=16, by=account("f", bot=True, noindex=True)),
]
UNSEEN = [
    status("SECRETO privado", sequence=21, visibility="private"),
    status("SECRETO directo", sequence=22, visibility="direct"),
    status("Sin listar", sequence=23, visibility="unlisted"),
    status("", sequence=24, reblog=status("SECRETO ajeno", sequence=25)),
]
ODD = [
    status("Primera", sequence=31),
    None,
    "texto",
    status("SECRETO sin id", id=None),
    status("SECRETO sin cuenta", sequence=32, account=None),
    status("SECRETO raro", sequence=33, content={"x": "SECRETO"}),
    status("Otra", sequence=34, created_at=7, favourites_count="muchos", url=5, in_reply_to_id=9, edited_at=["x"]),
    status("Tercera", sequence=35, content=None, spoiler_text="Solo aviso", poll={"options": ["x", {"title": 5}]}, by=account(7)),
    status("Cuarta", sequence=36, poll={"options": 5}, favourites_count=True, created_at=None),
]
TWICE = [status("En dos etiquetas", sequence=41), status("Solo en una", sequence=42)]

POSTS = [
    status("Comunicado", at=END - timedelta(days=2), by=MUNI, replies_count=3),
    status("Nada que decir", at=END - timedelta(days=3), by=MUNI, replies_count=0),
    status("SECRETO compartido", at=END - timedelta(days=4), by=MUNI, reblog=status("SECRETO ajeno"), replies_count=5),
    status("Víspera", at=START - timedelta(days=2), by=MUNI, replies_count=1),
    status("Hace mucho", at=START - timedelta(days=9), by=MUNI, replies_count=4),
]
ANSWERS = {
    POSTS[0]["id"]: [
        status("¿Y mi calle?", at=END - timedelta(days=1), in_reply_to_id=POSTS[0]["id"]),
        status("Ya vamos", at=END - timedelta(hours=20), by=MUNI, in_reply_to_id="1", sequence=1),
        status("SECRETO callado", at=END - timedelta(hours=19), by=account("z", noindex=True)),
    ],
    POSTS[3]["id"]: [
        status("Respuesta vieja", at=START - timedelta(days=1)),
        status("Respuesta en abril", at=START + timedelta(days=1)),
    ],
}
SIXTY = [status(f"Respuesta {number}", sequence=100 + number) for number in range(60)]


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    tag = {"timelines/tag/ate": AUTHORS}
    muni = {"accounts": {"muniate": MUNI}, "timelines": {"accounts/9muniate/statuses": POSTS}}
    many = [{**row, "replies_count": 1} for row in POSTS[:2]]
    lab.web.sites |= {
        "largo.test": Server(reply, timelines={"timelines/tag/ate": LONG}),
        "sinenlace.test": Server(reply, timelines={"timelines/tag/ate": LONG}, link=False),
        "otroid.test": Server(reply, timelines={"timelines/tag/ate": LONG}, bounds=False),
        "grabado.test": lambda path, query: reply(RECORDED.read_bytes(), JSON) if "tag/Huayc" in path else None,
        "autores.test": Server(reply, timelines=tag),
        "reserva.test": Server(reply, timelines={"timelines/tag/ate": OPTED_OUT}),
        "visible.test": Server(reply, timelines={"timelines/tag/ate": UNSEEN}),
        "raro.test": Server(reply, timelines={"timelines/tag/ate": ODD}, bounds=False),
        "dos.test": Server(reply, timelines={"timelines/tag/ate": TWICE, "timelines/tag/vitarte": TWICE[:1]}),
        "muni.test": Server(reply, **muni, answers=ANSWERS),
        "sinrespuestas.test": Server(reply, **muni, answers=ANSWERS),
        "prensa.test": Server(reply, accounts={"diario": MUNI}, timelines={"accounts/9muniate/statuses": POSTS[:2]}),
        "junta.test": Server(
            reply,
            accounts={"junta": JUNTA},
            timelines={
                "accounts/9junta/statuses": [status("Falta agua", by=JUNTA), status("Hoy", by=JUNTA | {"bot": True}, id="7")]
            },
        ),
        "sesenta.test": Server(reply, **muni, answers={POSTS[0]["id"]: SIXTY, POSTS[3]["id"]: []}),
        "espera.test": Server(
            reply,
            accounts={"muniate": MUNI},
            timelines={"accounts/9muniate/statuses": many},
            answers={row["id"]: reply(b"", status=429) for row in many},
        ),
        "rotas.test": Server(
            reply, **muni, answers={POSTS[0]["id"]: reply(b'{"descendants": 5}', JSON), POSTS[3]["id"]: ANSWERS[POSTS[3]["id"]]}
        ),
        "nadie.test": Server(reply, accounts={"muniate": {"id": 5}}),
        "pide.test": Server(reply, timelines=tag, token=TOKEN),
        "pide403.test": Server(reply, timelines=tag, token=TOKEN, refusal=403),
        "pide422.test": Server(reply, timelines=tag, token=TOKEN, refusal=422),
        "pide404.test": Server(reply, timelines=tag, token=TOKEN, refusal=404),
        "entra.test": Server(reply, timelines=tag, token=TOKEN),
        "rechaza.test": Server(reply, timelines=tag, token="otro"),
        "falta.test": Server(reply, timelines=tag),
        "cerrado.test": Server(reply, timelines={"timelines/tag/ate": []}, access={"local": "disabled", "remote": "disabled"}),
        "medio.test": Server(reply, timelines=tag, access={"local": "public", "remote": "disabled"}),
        "conclave.test": Server(reply, timelines=tag, access={"local": "authenticated", "remote": "authenticated"}),
        "permiso.test": Server(reply, timelines=tag, token=TOKEN, access={"local": "disabled", "remote": "authenticated"}),
        "sinpermiso.test": Server(reply, timelines={"timelines/tag/ate": []}, access={"local": "public", "remote": "disabled"}),
        "vacio.test": Server(reply, timelines={"timelines/tag/ate": []}, access={"local": "public", "remote": "public"}),
        "agotado.test": Server(reply, timelines={"timelines/tag/ate": LONG}, left=1),
        "vuelta.test": circle(reply, LONG[20:30]),
        "apurado.test": lambda path, query: reply(b"", status=429) if "tag" in path else None,
        "caido.test": lambda path, query: reply(b"", status=500) if "tag" in path else None,
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>"),
        "cortado.test": lambda path, query: reply(b'[{"id": "1"', JSON),
        "objeto.test": lambda path, query: reply(b'{"error": "no"}', JSON),
        "robots.test": lambda path, query: (
            reply(b"User-agent: *\nDisallow: /api/v2/", "text/plain") if path == "/robots.txt" else reply(b"[]", JSON)
        ),
    }
    token = {"token": "env:MASTODON_CLAVE"}
    options: dict[str, Any] = {
        "otroid": {"dated_ids": False},
        "raro": {"dated_ids": False},
        "grabado": {"tags": ["#Huaycán"]},
        "autores": {"accounts": ["muniate@autores.test"], "answers": False},
        "dos": {"tags": ["ate", "#vitarte", "#ate"]},
        **{name: {"tags": [], "accounts": ["@muniate"]} for name in ("muni", "sesenta", "espera", "rotas")},
        "sinrespuestas": {"tags": [], "accounts": ["muniate"], "answers": False},
        "prensa": {"tags": [], "accounts": ["diario"], "posts": "article"},
        "junta": {"tags": [], "accounts": ["junta"], "posts": "manifestation", "dated_ids": False},
        "nadie": {"tags": [], "accounts": ["muniate", "@nadie@otro.test"]},
        **dict.fromkeys(("entra", "rechaza", "permiso", "sinpermiso"), token),
        "falta": {"token": "env:MASTODON_FALTA"},
    }
    publisher = {"authors": ["@Serenazgo@otro.test"]}
    names = [host.removesuffix(".test") for host in lab.web.sites]
    sources = [
        lab.source(
            name, "mastodon", f"http://{name}.test/about", options={"tags": ["ate"]} | options.get(name, {}), publisher=publisher
        )
        for name in names
    ]
    return lab.crawl(sources, environ={"MASTODON_CLAVE": TOKEN})


def circle(reply: Any, rows: list[Any]) -> Any:
    """Return a site whose next page is always the same."""
    headers = (("Link", '<http://vuelta.test/api/v1/timelines/tag/ate?max_id=5>; rel="next"'),)
    return lambda path, query: reply(json.dumps(rows).encode(), JSON, 200, headers) if "tag" in path else None


def asked(lab: Any, name: str, part: str) -> list[Any]:
    return [seen for seen in lab.web.pages(f"{name}.test") if part in seen.path]


def texts(crawled: Any, name: str) -> set[str]:
    return {item.text for item in crawled.items(name)}


def test_the_window_is_asked_for_by_dated_ids(lab: Any, crawled: Any) -> None:
    pages = asked(lab, "largo", "tag")
    day = timedelta(days=1)
    assert {seen.query["since_id"][0] for seen in pages} == {snowflake(START - day)}
    assert {seen.query["limit"][0] for seen in pages} == {"40"}
    assert pages[0].query["max_id"] == [snowflake(END + day)]
    found = [row["id"] for row in LONG if START - day < datetime.fromisoformat(row["created_at"][:19] + "+00:00") < END + day]
    assert [seen.query["max_id"][0] for seen in pages[1:]] == [found[39], found[79], found[119]]
    assert set(crawled.people("largo")) == set(found)
    assert set(found) > {row["id"] for row in IN_REACH}
    assert crawled.outcome("largo") == ("ok", "none")


def test_ids_begin_with_the_time() -> None:
    # Two ids of the documentation, and the dates that stand beside them there.
    for number, date in (
        (103206185588894565, datetime(2019, 11, 26, 20, 50, 15, 866000, tzinfo=UTC)),
        (103270115826048975, datetime(2019, 12, 8, 3, 48, 33, 901000, tzinfo=UTC)),
    ):
        assert abs((number >> 16) - (int(first_id(date)) >> 16)) < 100  # milliseconds
    assert int(first_id(START)) & 0xFFFF == 0
    assert first_id(datetime(1969, 1, 1, tzinfo=UTC)) == "0"


def test_without_link_headers_a_full_page_leads_on(lab: Any, crawled: Any) -> None:
    assert set(crawled.people("sinenlace")) == set(crawled.people("largo"))
    assert len(asked(lab, "sinenlace", "tag")) == len(asked(lab, "largo", "tag"))


def test_ids_of_others_are_walked_until_before_the_window(lab: Any, crawled: Any) -> None:
    pages = asked(lab, "otroid", "tag")
    assert "since_id" not in pages[0].query
    assert "max_id" not in pages[0].query
    # 134 statuses lie after the begin of the window, in four pages of forty; the fifth is wholly before it.
    assert len(pages) == 5
    assert set(crawled.people("otroid")) >= {row["id"] for row in IN_REACH}


def test_status_as_documented(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in asked(lab, "grabado", "tag")] == ["/api/v1/timelines/tag/Huayc%C3%A1n"]
    (item,) = crawled.items("grabado")
    assert item.kind == "manifestation"
    assert item.native_id == "106038123456789012"
    lines = item.text.split("\n")
    assert lines[0] == "Foto de un perro herido"
    assert lines[1] == "La avenida está peor que el año pasado 😡"
    assert lines[2].startswith("Señores ")
    assert lines[2].endswith(" lo dijo en #Ate")
    assert lines[3] == '"Nadie responde" https://www.noticias.test/2021/04/la-nota-de-la-avenida'
    assert lines[4:] == ["Que la asfalten ya", "Que esperen al año próximo"]
    assert item.published_at == datetime(2021, 4, 10, 18, 20, 5, 254000, tzinfo=UTC)
    assert item.modified_at == datetime(2021, 4, 10, 19, tzinfo=UTC)
    assert (item.reactions, item.parent_id) == (11, None)
    # The permalink holds the handle, so it is not stored, and neither are handles in the text.
    assert item.url is None
    assert "rosaate" not in crawled.written()
    assert "otravecina" not in crawled.written()


def test_authors_by_kind(crawled: Any) -> None:
    kinds = {item.text: item.kind for item in crawled.items("autores")}
    assert kinds == {
        "Uno": "manifestation",
        "Dos": "manifestation",
        "Lluvia": "article",
        "Grupo": "article",
        "Oficial": "official",
        "Listada": "official",
        "Impostora": "manifestation",
    }
    one, two = (next(item for item in crawled.items("autores") if item.text == text) for text in ("Uno", "Dos"))
    assert one.author_key != two.author_key
    assert one.url == "https://vecinos.test/notas/uno"


def test_who_asks_to_be_left_alone_is_left_alone_and_counted(crawled: Any) -> None:
    assert texts(crawled, "reserva") == {"Nobotánica"}
    assert crawled.outcome("reserva") == ("ok", "none")
    assert "5 statuses of authors who ask not to be found or indexed" in crawled.health("reserva").detail
    assert crawled.health("reserva").skipped_count == 0
    assert "left alone" not in crawled.health("largo").detail


def test_boosts_and_what_is_not_public_are_left_out(crawled: Any) -> None:
    assert texts(crawled, "visible") == {"Sin listar"}
    assert crawled.outcome("visible") == ("ok", "none")


def test_odd_rows_never_lose_the_others(crawled: Any) -> None:
    by_text = {item.text: item for item in crawled.items("raro")}
    assert set(by_text) == {"Primera", "Otra", "Solo aviso", "Cuarta"}
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "5 of 9" in crawled.health("raro").detail
    other = by_text["Otra"]
    assert (other.published_at, other.published_raw, other.modified_at, other.reactions) == (None, None, None, None)
    assert (other.url, other.parent_id) == (None, None)
    assert by_text["Solo aviso"].author_key is None
    assert by_text["Cuarta"].reactions is None


def test_no_text_that_was_left_out_is_written(crawled: Any) -> None:
    assert "SECRETO" not in crawled.written()


def test_a_status_under_two_hashtags_counts_once(lab: Any, crawled: Any) -> None:
    assert sorted(item.text for item in crawled.items("dos")) == ["En dos etiquetas", "Solo en una"]
    assert {seen.path[-7:] for seen in asked(lab, "dos", "tag")} == {"tag/ate", "vitarte"}
    assert len(asked(lab, "dos", "tag")) == 2


def test_accounts_are_context_and_answers_to_them_count(lab: Any, crawled: Any) -> None:
    by_text = {item.text: item for item in crawled.items("muni")}
    assert {text: item.kind for text, item in by_text.items()} == {
        "Comunicado": "official",
        "Nada que decir": "official",
        "Víspera": "official",
        "¿Y mi calle?": "manifestation",
        "Ya vamos": "official",
        "Respuesta en abril": "manifestation",
    }
    assert by_text["¿Y mi calle?"].parent_id == POSTS[0]["id"]
    (lookup,) = asked(lab, "muni", "lookup")
    assert lookup.query["acct"] == ["muniate"]
    (page,) = asked(lab, "muni", "accounts/9muniate")
    assert page.query["exclude_reblogs"] == ["true"]
    assert page.query["since_id"] == [snowflake(START - timedelta(days=8))]
    contexts = {seen.path.split("/")[-2] for seen in asked(lab, "muni", "context")}
    # Neither what nobody answered, nor what was only shared, nor what is long past.
    assert contexts == {POSTS[0]["id"], POSTS[3]["id"]}
    assert "1 statuses of authors" in crawled.health("muni").detail
    assert not asked(lab, "muni", "instance")


def test_answers_can_be_left_out(lab: Any, crawled: Any) -> None:
    assert texts(crawled, "sinrespuestas") == {"Comunicado", "Nada que decir"}
    assert not asked(lab, "sinrespuestas", "context")


def test_accounts_of_the_press_are_articles(crawled: Any) -> None:
    assert {item.kind for item in crawled.items("prensa")} == {"article"}
    assert crawled.outcome("prensa") == ("partial", "http_error")  # the answers to it are not there: HTTP 404


def test_accounts_of_neighbours_may_count(crawled: Any) -> None:
    assert {item.text: item.kind for item in crawled.items("junta")} == {"Falta agua": "manifestation", "Hoy": "article"}


def test_answers_that_cannot_be_read_lose_no_others(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("rotas") == ("partial", "malformed")
    assert "Respuesta en abril" in texts(crawled, "rotas")
    assert crawled.outcome("sesenta") == ("partial", "secret_missing")
    assert len(crawled.people("sesenta")) == 60
    # One status after the other, and none any more once the server asked to wait.
    assert len({seen.path for seen in asked(lab, "espera", "context")}) == 1
    assert crawled.outcome("espera") == ("partial", "rate_limited")


def test_accounts_that_are_not_known_are_told_without_their_names(crawled: Any) -> None:
    health = crawled.health("nadie")
    assert "account number 1 of the options has no id" in health.detail
    assert "does not know account number 2" in health.detail


@pytest.mark.parametrize("name", ["pide", "pide403", "pide422", "pide404"])
def test_a_server_that_demands_a_token(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("failed", "secret_missing")
    assert "a token is demanded" in crawled.health(name).detail


def test_a_token_goes_in_a_header_and_nowhere_else(lab: Any, crawled: Any) -> None:
    assert len(crawled.items("entra")) == 6
    assert {seen.headers.get("authorization") for seen in asked(lab, "entra", "tag")} == {f"Bearer {TOKEN}"}
    assert not [seen for seen in lab.web.seen if TOKEN in str(seen.query)]
    assert not [seen for seen in lab.web.pages("largo.test") if "authorization" in seen.headers]
    assert TOKEN not in crawled.written()
    assert crawled.outcome("rechaza") == ("failed", "secret_refused")
    assert crawled.outcome("falta") == ("failed", "secret_missing")
    assert crawled.health("falta").request_count == 0


def test_hashtags_that_the_server_hides_are_told(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("cerrado") == ("failed", "http_error")
    assert "hides local and remote statuses" in crawled.health("cerrado").detail
    assert crawled.outcome("conclave") == ("failed", "secret_missing")
    assert not [*asked(lab, "cerrado", "tag"), *asked(lab, "conclave", "tag")]
    assert crawled.outcome("medio") == ("partial", "http_error")
    assert "hides remote statuses" in crawled.health("medio").detail
    assert len(crawled.items("medio")) == 6
    assert crawled.outcome("vacio") == ("empty", "nothing_published")


def test_with_a_token_the_timeline_itself_tells(crawled: Any) -> None:
    assert crawled.outcome("permiso") == ("ok", "none")
    assert crawled.outcome("sinpermiso") == ("partial", "http_error")
    assert "disabled hashtag timelines" in crawled.health("sinpermiso").detail


@pytest.mark.parametrize(
    ("name", "outcome", "told", "requests"),
    [
        ("apurado", ("failed", "rate_limited"), "HTTP 429", 3),
        ("caido", ("failed", "http_error"), "HTTP 500", 3),
        ("html", ("failed", "malformed"), "not a JSON list", 1),
        ("cortado", ("failed", "malformed"), "not a JSON list", 1),
        ("objeto", ("failed", "malformed"), "not a JSON list", 1),
        ("agotado", ("partial", "rate_limited"), "no request is left", 1),
        ("vuelta", ("partial", "malformed"), "the pages repeat", 2),
        ("robots", ("empty", "nothing_published"), "", 1),
    ],
)
def test_every_failure_has_its_name(
    lab: Any, crawled: Any, name: str, outcome: tuple[str, str], told: str, requests: int
) -> None:
    assert crawled.outcome(name) == outcome
    assert told in crawled.health(name).detail
    assert len(asked(lab, name, "tag")) == requests


def test_what_was_read_before_the_limit_is_kept(crawled: Any) -> None:
    assert len(crawled.people("agotado")) == 40


def test_options_without_anything_to_read_are_refused() -> None:
    with pytest.raises(ValidationError, match="at least one of tags, accounts"):
        MastodonOptions.model_validate({})
    for wrong in ({"tags": ["dos palabras"]}, {"accounts": ["muni@ate@otro"]}, {"tags": ["ate"], "token": TOKEN}):
        with pytest.raises(ValidationError):
            MastodonOptions.model_validate(wrong)
