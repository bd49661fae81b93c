"""CONSUL sites by their GraphQL API, which pages and names fields as two generations do, and by CSV files."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.spiders.consul import ConsulOptions
from collectors.spiders.consul_items import in_camel, read_node, read_row, record_part
from tests.graphql_site import Broken, GraphQLSite

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "consul"
FIRST = datetime(2021, 3, 25, 12, tzinfo=UTC)

DEBATE = ("id", "title", "description", "public_created_at", "cached_votes_up", "confidence_score")
PROPOSAL = (*DEBATE, "summary", "retired_at", "video_url")
COMMENT = ("id", "body", "commentable_id", "commentable_type", "ancestry", "public_created_at", "cached_votes_up")


def schema(name: Any, *, without: tuple[str, ...] = ()) -> dict[str, dict[str, str | None]]:
    """Return the schema of a site that names its fields so."""
    types = {"debates": ("Debate", DEBATE), "proposals": ("Proposal", PROPOSAL), "comments": ("Comment", COMMENT)}
    found: dict[str, dict[str, str | None]] = {
        "Query": {collection: f"{typename}Connection" for collection, (typename, _) in types.items()},
        "PageInfo": {"hasNextPage": None, "endCursor": None},
        "User": {"id": None, "username": None},
    }
    for typename, fields in types.values():
        found[f"{typename}Connection"] = {"pageInfo": "PageInfo", "edges": f"{typename}Edge"}
        found[f"{typename}Edge"] = {"node": typename}
        found[typename] = {name(field): None for field in fields if field not in without} | {name("public_author"): "User"}
    return found


SNAKE, CAMEL = schema(str), schema(in_camel)


def at(hours: int) -> str:
    """Return a date as Ruby prints it, cut to the hour."""
    return (FIRST + timedelta(hours=hours)).strftime("%Y-%m-%d %H:00:00 UTC")


def comment(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "body": f"Opino {number}, señor alcalde",
        "commentable_id": 9,
        "commentable_type": "Proposal",
        "ancestry": None,
        "public_created_at": at(3 * number),
        "cached_votes_up": number,
        "public_author": {"username": f"vecina{number}"},
        **fields,
    }


# One every three hours from 25 March: the first 52 are before the window, and the 280th is before its end.
COMMENTS: list[Any] = [comment(number) for number in range(1, 281)]
COMMENTS[99] |= {"ancestry": "90/95", "public_author": None}
COMMENTS[100] |= {"ancestry": "/90/", "commentable_type": "Debate", "public_author": {"username": "MuniBarrio"}}
COMMENTS[101] |= {"commentable_type": "Legislation::Annotation", "commentable_id": 4}
COMMENTS[102] |= {"body": "Primera línea\n\nSegunda &amp; última"}
DEBATES = [
    {
        "id": 7,
        "title": "¿Ciclovía o parqueo?",
        "description": "<p>Abro el <strong>debate</strong>.</p>\r\n<p>Opinen.</p>",
        "public_created_at": at(300),
        "cached_votes_up": 3,
        "public_author": {"username": "raul"},
    }
]
PROPOSALS: list[Any] = [
    {"id": 9, "title": "Losa", "summary": "Una losa.", "description": "<p>Sin costo.</p>", "public_created_at": at(301)},
    {"id": 10, "title": "Solo título", "description": None, "public_created_at": at(302), "cached_votes_up": 0},
    {"id": 11, "title": "Retirada", "description": "<p>No.</p>", "public_created_at": at(303), "retired_at": "2021-04-20"},
]
ODD: list[Any] = [
    None,
    comment(60, id=None),
    comment(61, body=None),
    comment(62, body=["raro"], commentable_id={}),
    comment(63, public_author="texto", cached_votes_up="muchos", public_created_at=5),
    comment(64, ancestry=12, commentable_type=None),
]


def site(known: Any, *, comments: list[Any] | None = None, proposals: Any = None, **limits: Any) -> GraphQLSite:
    root = {"debates": DEBATES, "proposals": PROPOSALS if proposals is None else proposals}
    root["comments"] = COMMENTS if comments is None else comments
    return GraphQLSite(known, root, **{"page_size": 25, "max_depth": 8, "max_complexity": 2_500, **limits})


def served(lab: Any, graphql: GraphQLSite) -> Any:
    """Return a site that answers GETs with a query, and nothing else."""

    def answer(path: str, query: dict[str, list[str]]) -> Any:
        if path != "/graphql" or "query" not in query:
            return None
        return lab.Reply(json.dumps(graphql.answer(query["query"][0])).encode(), "application/json; charset=utf-8")

    return answer


def camel_rows(rows: list[Any]) -> list[Any]:
    return [{in_camel(name): value for name, value in row.items()} for row in rows]


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply

    def always(*arguments: Any, **options: Any) -> Any:
        return lambda path, query: reply(*arguments, **options) if path != "/robots.txt" else None

    def stuck(path: str, query: dict[str, list[str]]) -> Any:
        if "query" not in query:
            return None
        edges = [{"node": comment(number)} for number in range(60, 85)]
        cursor = "Mg==" if "after" in query["query"][0] else "MQ=="
        page = {"pageInfo": {"hasNextPage": True, "endCursor": cursor}, "edges": edges}
        return reply(json.dumps({"data": {"comments": page}}).encode(), "application/json")

    camel = GraphQLSite(CAMEL, {"comments": camel_rows(COMMENTS[:60]), "debates": [], "proposals": camel_rows(PROPOSALS)}, 25)
    files = {"/d/proposals.csv": "proposals.csv", "/d/comments.csv": "comments.csv"}

    def download(path: str, query: Any) -> Any:
        body = (RECORDED / files[path]).read_bytes() if path in files else None
        return reply(body, "text/csv", 200, (("Last-Modified", "Sat, 01 May 2021 08:00:00 GMT"),)) if body else None

    lab.web.sites |= {
        "foro.test": served(lab, site(SNAKE)),
        "camello.test": served(lab, camel),
        "sinresumen.test": served(lab, site(schema(str, without=("summary", "retired_at")), comments=[])),
        "raro.test": served(lab, site(SNAKE, comments=ODD)),
        "parcial.test": served(lab, site(SNAKE, comments=[comment(60, public_author=Broken()), comment(61)])),
        "estrecho.test": served(lab, site(SNAKE, max_complexity=100)),
        "atascado.test": stuck,
        "prohibido.test": always(b"", status=403),
        "limite.test": always(b"", status=429),
        "pagina.test": always(b"<html>Mantenimiento</html>"),
        "cortado.test": always(b'{"data": {"comments": {"edges": [', "application/json"),
        "nada.test": always(b'{"data": {}}', "application/json"),
        "mensaje.test": always(b'{"message": "Query string not present"}', "application/json", 400),
        "archivo.test": download,
        "sinid.test": lambda path, query: reply(b"numero;titulo\n1;Losa\n", "text/csv") if path.endswith("csv") else None,
    }
    only = {"options": {"collections": ["comments"]}}
    names = ("raro", "parcial", "estrecho", "atascado", "prohibido", "limite", "pagina", "cortado", "mensaje", "nada")
    files_of = {"proposals": "http://archivo.test/d/proposals.csv", "comments": "http://archivo.test/d/comments.csv"}
    sources = [
        lab.source("foro", "consul", "http://foro.test/", publisher={"authors": ["munibarrio"]}),
        lab.source("camello", "consul", "http://camello.test"),
        lab.source("sinresumen", "consul", "http://sinresumen.test/"),
        *(lab.source(name, "consul", f"http://{name}.test/", **only) for name in names),
        lab.source("archivo", "consul", "http://archivo.test/", options={"way": "csv", "files": files_of}),
        lab.source(
            "sinid", "consul", "http://sinid.test/", options={"way": "csv", "files": {"proposals": "http://sinid.test/p.csv"}}
        ),
    ]
    return lab.crawl(sources, memory={source["id"]: {} for source in sources})


def asked(lab: Any, host: str, collection: str) -> list[str]:
    """Return the cursors that a collection was asked with, "" for the first page."""
    queries = [seen.query["query"][0] for seen in lab.web.pages(host) if "query" in seen.query]
    found = [re.search(r'after: "([^"]+)"', query) for query in queries if f"{{ {collection}(" in query]
    return [match[1] if match else "" for match in found]


def cursor(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def test_window_is_cut_out_of_all_pages(lab: Any, crawled: Any) -> None:
    numbers = {f"comment-{number}" for number in range(54, 281)} - {"comment-101"}
    assert set(crawled.people("foro")) == numbers | {"debate-7", "proposal-9", "proposal-10"}
    assert asked(lab, "foro.test", "comments") == ["", *(cursor(offset) for offset in range(25, 280, 25))]
    assert len(asked(lab, "foro.test", "debates")) == len(asked(lab, "foro.test", "proposals")) == 1
    assert crawled.outcome("foro") == ("ok", "none")
    assert {seen.method for seen in lab.web.pages("foro.test")} == {"GET"}


def test_comment_fields(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("foro")}
    item = by_id["comment-200"]
    assert (item.text, item.parent_id) == ("Opino 200, señor alcalde", "proposal-9")
    assert item.published_raw == "2021-04-19 12:00:00 UTC"
    assert item.published_at == datetime(2021, 4, 19, 12, tzinfo=UTC)
    assert item.url == "http://foro.test/comments/200"
    assert item.reactions == 200
    assert item.author is None
    assert item.author_key is not None
    assert (by_id["comment-100"].parent_id, by_id["comment-100"].author_key) == ("comment-95", None)
    assert (by_id["comment-101"].parent_id, by_id["comment-101"].kind) == ("comment-90", "official")
    assert by_id["comment-102"].parent_id == "legislation-annotation-4"
    assert by_id["comment-103"].text == "Primera línea\n\nSegunda & última"


def test_debates_and_proposals(crawled: Any) -> None:
    people = crawled.people("foro")
    debate = people["debate-7"]
    assert (debate.title, debate.text, debate.reactions) == ("¿Ciclovía o parqueo?", "Abro el debate.\nOpinen.", 3)
    assert debate.url == "http://foro.test/debates/7"
    assert (people["proposal-9"].text, people["proposal-9"].reactions) == ("Una losa.\n\nSin costo.", None)
    assert people["proposal-10"].text == "Solo título"
    assert people["proposal-10"].reactions == 0


def test_later_versions_are_asked_in_their_names(crawled: Any) -> None:
    assert crawled.outcome("camello") == ("ok", "none")
    people = crawled.people("camello")
    assert set(people) == {f"comment-{number}" for number in range(54, 61)} | {"proposal-9", "proposal-10"}
    assert people["comment-60"].author_key is not None
    assert people["comment-60"].reactions == 60


def test_a_field_that_a_version_lacks_costs_itself_alone(crawled: Any) -> None:
    assert crawled.outcome("sinresumen") == ("ok", "none")
    assert set(crawled.people("sinresumen")) == {"debate-7", "proposal-9", "proposal-10", "proposal-11"}
    assert crawled.people("sinresumen")["proposal-9"].text == "Sin costo."


def test_odd_rows_cost_themselves_alone(crawled: Any) -> None:
    people = crawled.people("raro")
    assert set(people) == {"comment-63", "comment-64"}
    assert (people["comment-63"].published_at, people["comment-63"].reactions) == (None, None)
    assert people["comment-64"].parent_id == "comment-12"
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "1 records without an id" in crawled.health("raro").detail
    assert crawled.health("raro").skipped_count == 2


def test_data_beside_errors_is_kept_and_the_errors_told(crawled: Any) -> None:
    assert set(crawled.people("parcial")) == {"comment-60", "comment-61"}
    assert crawled.outcome("parcial") == ("partial", "malformed")
    assert "1 errors" in crawled.health("parcial").detail


def test_an_answer_without_what_was_asked_is_told(crawled: Any) -> None:
    assert crawled.outcome("nada") == ("partial", "malformed")
    assert "nothing of what was asked" in crawled.health("nada").detail


def test_pages_in_a_circle_end_the_walk(lab: Any, crawled: Any) -> None:
    assert asked(lab, "atascado.test", "comments") == ["", "MQ=="]
    assert len(crawled.people("atascado")) == 25
    assert crawled.outcome("atascado") == ("partial", "malformed")
    assert crawled.health("atascado").memory == {}


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("estrecho", "malformed", "exceeds max complexity of 100"),
        ("prohibido", "http_error", "HTTP 403"),
        ("limite", "rate_limited", "HTTP 429"),
        ("pagina", "malformed", "not a JSON object"),
        ("cortado", "malformed", "not a JSON object"),
        ("mensaje", "http_error", "HTTP 400"),
        ("sinid", "malformed", "1 of 1 rows without an id"),
    ],
)
def test_failures_are_named(crawled: Any, name: str, reason: str, told: str) -> None:
    assert crawled.outcome(name) == ("failed", reason)
    assert told in crawled.health(name).detail


def test_files(crawled: Any) -> None:
    people = crawled.people("archivo")
    assert set(people) == {"proposal-401", "proposal-402", "proposal-405", "comment-901", "comment-902", "comment-904"}
    proposal = people["proposal-401"]
    assert (proposal.title, proposal.reactions) == ("Losa deportiva en Los Ficus", 15)
    assert proposal.text == "La losa está rajada, señores.\nPedimos tribuna; y un baño."
    assert (proposal.published_raw, proposal.published_at) == ("01/04/2021", datetime(2021, 4, 1, 5, tzinfo=UTC))
    assert people["proposal-402"].text == "Más árboles"
    assert people["proposal-405"].text == "Que la cuadra 3\nsea peatonal; los domingos."
    assert people["proposal-405"].title == 'Peatones "primero"'
    assert people["proposal-405"].reactions is None
    assert (people["comment-901"].parent_id, people["comment-902"].parent_id) == ("proposal-401", "comment-901")
    assert people["comment-904"].parent_id == "legislation-proposal-12"
    assert people["comment-901"].author_key == people["comment-904"].author_key != people["comment-902"].author_key
    assert crawled.outcome("archivo") == ("partial", "malformed")
    assert "proposals: 1 of 6 rows without an id" in crawled.health("archivo").detail


def test_the_next_collection_goes_on_where_this_one_ended(lab: Any, crawled: Any) -> None:
    kept = json.loads(crawled.health("foro").memory["resume:comments"])
    assert kept == {"after": cursor(175), "last": 280, "since": "2021-04-01T05:00:00+00:00"}
    grown = [*COMMENTS, *(comment(number) for number in range(281, 301))]
    # Numbers from 400 on: the site was filled anew, and no known record stands where the last collection ended.
    other = [comment(number, public_created_at=at(3 * number - 900)) for number in range(400, 640)]
    lab.web.sites |= {f"{name}.test": served(lab, site(SNAKE, comments=grown)) for name in ("sigue", "antes", "pasado", "todo")}
    lab.web.sites["otro.test"] = served(lab, site(SNAKE, comments=other))
    known = {"resume:comments": json.dumps(kept)}
    later = {"resume:comments": json.dumps({**kept, "since": "2021-04-20T05:00:00+00:00"})}
    only = {"collections": ["comments"]}
    sources = [
        *(lab.source(name, "consul", f"http://{name}.test/", options=only) for name in ("sigue", "antes", "pasado", "otro")),
        lab.source("todo", "consul", "http://todo.test/", options={**only, "reread": True}),
    ]
    memory = {"sigue": known, "antes": later, "otro": known, "todo": known}  # nothing for a window in the past
    again = lab.crawl(sources, memory=memory, window=("2021-04-05T00:00:00-05:00", "2021-05-01T00:00:00-05:00"))

    everything = ["", *(cursor(offset) for offset in range(25, 300, 25))]
    assert asked(lab, "sigue.test", "comments") == [cursor(offset) for offset in range(175, 300, 25)]
    assert set(again.people("sigue")) == {f"comment-{number}" for number in range(176, 294)}
    assert [asked(lab, f"{name}.test", "comments") for name in ("antes", "pasado", "todo")] == [everything] * 3
    assert asked(lab, "otro.test", "comments")[:3] == [cursor(175), "", cursor(25)]
    assert {"comment-420", "comment-590"} <= set(again.people("otro"))


def test_a_page_that_a_later_window_asks_for_is_not_passed(lab: Any, crawled: Any) -> None:
    lab.web.sites["tarde.test"] = served(lab, site(SNAKE))
    source = lab.source("tarde", "consul", "http://tarde.test/", options={"collections": ["comments"]})
    short = lab.crawl([source], memory={"tarde": {}}, window=("2021-04-01T00:00:00-05:00", "2021-04-20T00:00:00-05:00"))
    # Comment 205 is the first after the window, on the page from 200 on: the trail ends with the page before it.
    assert json.loads(short.health("tarde").memory["resume:comments"])["after"] == cursor(75)


# ---- the parts ----


def test_files_and_way_go_together() -> None:
    with pytest.raises(ValidationError, match="go together"):
        ConsulOptions.model_validate({"way": "csv"})
    with pytest.raises(ValidationError, match="go together"):
        ConsulOptions.model_validate({"files": {"debates": "http://a.test/d.csv"}})


def test_records_of_any_shape() -> None:
    assert read_node("comments", {}, base="http://a.test/") is None
    assert read_row("comments", {"id": ""}, base="http://a.test/") is None
    found = read_node("debates", {"id": 3, "title": True, "description": 4.5}, base="http://a.test/")
    assert found is not None
    assert (found.text, found.published_raw, found.name) == ("", None, None)
    row = read_row(
        "comments", {"id": "3", "text": "Hola", "date": "2021-04-03", "time": "0 days 10:50:19"}, base="http://a.test/"
    )
    assert row is not None
    assert (row.text, row.published_raw, row.parent_id) == ("Hola", "2021-04-03 10:50:19", None)


def test_names_of_both_generations() -> None:
    assert in_camel("commentable_type") == "commentableType"
    assert "publicAuthor" in record_part("debates", camel=True).fields
    assert "public_author" in record_part("debates", camel=False).fields
