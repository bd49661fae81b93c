"""Decidim sites by their GraphQL API, in several versions of it, and by their open-data archive."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from scrapy.http import Response

from collectors import exports
from collectors.exports import open_archive, plain_text, read_csv
from collectors.graphql import Page, Paging, Part, as_count, parse_answer, parse_page, tell_errors, undefined_fields, write_part
from collectors.health import SourceProblem
from collectors.memory import Memory
from collectors.period import Period
from collectors.spiders.decidim_export import parse_export
from collectors.spiders.decidim_items import translated, written_text
from collectors.spiders.decidim_queries import Component, Shape, components_of, page_query, thread_query
from collectors.text import MarkupError
from tests.graphql_site import Broken, GraphQLSite, post

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "decidim"
FIRST = datetime(2021, 3, 20, 12, tzinfo=UTC)

VALUES = dict.fromkeys(("id", "createdAt", "updatedAt", "url"))
ITEM = {**VALUES, "title": "TranslatedField", "comments": "Comment", "totalCommentsCount": None}
VOTES = dict.fromkeys(("publishedAt", "official", "createdInMeeting", "withdrawn", "state", "voteCount", "endorsementsCount"))


def listing(collection: str, single: str, typename: str) -> dict[str, dict[str, str | None]]:
    """Return the types of a component that lists one kind of item."""
    return {
        collection.capitalize(): {"id": None, collection: f"{typename}Connection", single: typename},
        f"{typename}Connection": {"pageInfo": "PageInfo", "edges": f"{typename}Edge"},
        f"{typename}Edge": {"node": typename},
    }


SCHEMA: dict[str, dict[str, str | None]] = {
    "Query": {"participatoryProcesses": "ParticipatoryProcess", "assemblies": "Assembly", "component": "ComponentInterface"},
    "ParticipatoryProcess": {"id": None, "slug": None, "components": "ComponentInterface"},
    "Assembly": {"id": None, "slug": None, "components": "ComponentInterface"},
    "ComponentInterface": {"id": None},
    "PageInfo": {"hasNextPage": None, "endCursor": None},
    "TranslatedField": {"translations": "LocalizedString"},
    "LocalizedString": dict.fromkeys(("locale", "text", "machineTranslated")),
    "Author": dict.fromkeys(("id", "name", "nickname", "deleted")),
    "Comment": {
        **dict.fromkeys(("id", "body", "formattedBody", "createdAt", "upVotes", "downVotes", "alignment", "hasComments")),
        "author": "Author",
        "comments": "Comment",
    },
    **listing("proposals", "proposal", "Proposal"),
    **listing("debates", "debate", "Debate"),
    **listing("meetings", "meeting", "Meeting"),
    "Proposal": {**ITEM, **VOTES, "body": "TranslatedField", "author": "Author"},
    "Debate": {**ITEM, "startTime": None, "description": "TranslatedField", "author": "Author"},
    "Meeting": {**ITEM, "description": "TranslatedField"},
    "Budgets": {"id": None, "budgets": "BudgetConnection"},
    "BudgetConnection": {"pageInfo": "PageInfo", "edges": "BudgetEdge"},
    "BudgetEdge": {"node": "Budget"},
    "Budget": {"id": None, "projects": "Project"},
    "Project": {**ITEM, "description": "TranslatedField"},
}
"""As of 0.28: a comment has no address of its own, likes are called endorsements."""

NEW = {
    **SCHEMA,
    "Comment": {**SCHEMA["Comment"], "url": None, "updatedAt": None},
    "Proposal": {**SCHEMA["Proposal"], "likesCount": None},
}
_LATER = ("url", "official", "withdrawn", "updatedAt")
OLD = {
    **SCHEMA,
    "LocalizedString": dict.fromkeys(("locale", "text")),
    "Proposal": {
        name: kind for name, kind in SCHEMA["Proposal"].items() if name not in ("url", "official", "withdrawn", "updatedAt")
    },
}


def text(es: str, **others: str) -> dict[str, Any]:
    rows = [{"locale": locale, "text": told, "machineTranslated": False} for locale, told in {**others, "es": es}.items()]
    return {"translations": rows}


def person(name: str, nickname: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "nickname": nickname or name.lower(), "deleted": False, **fields}


def comment(number: int, at: datetime, *answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "body": f"Comentario {number}",
        "formattedBody": f"<div><p>Comentario {number}, señora</p></div>",
        "createdAt": at.isoformat(),
        "upVotes": 2,
        "hasComments": bool(answers),
        "author": person(f"Vecino {number}"),
        "comments": list(answers),
        **fields,
    }


def all_below(comments: list[Any]) -> list[dict[str, Any]]:
    return [found for row in comments if isinstance(row, dict) for found in (row, *all_below(row["comments"]))]


def on(*comments: Any) -> Any:
    """Return the field `comments` of an item, which also finds a single one at any depth."""

    def find(arguments: dict[str, Any]) -> Any:
        wished = arguments.get("singleCommentId")
        return [row for row in all_below(list(comments)) if row["id"] == wished] if wished else list(comments)

    return find


def proposal(number: int, *comments: Any, **fields: Any) -> dict[str, Any]:
    at = FIRST + timedelta(days=number - 1)
    return {
        "id": str(number),
        "url": f"http://oficial.test/propuesta/{number}",
        "title": text(f"Propuesta {number}"),
        "body": text(f"<p>Que arreglen la cuadra {number}.</p>"),
        "author": person("Rosa Flores", f"rosa{number}"),
        "publishedAt": at.isoformat(),
        "createdAt": (at - timedelta(hours=3)).isoformat(),
        "updatedAt": (at + timedelta(hours=1)).isoformat(),
        "official": False,
        "createdInMeeting": False,
        "withdrawn": False,
        "state": None,
        "voteCount": number,
        "endorsementsCount": 1,
        "likesCount": 1,
        "comments": on(*comments),
        **fields,
    }


def published_within(record: Any, asked: dict[str, Any]) -> bool:
    day = record.get("publishedAt") if isinstance(record, dict) else None
    return not str(day).startswith("2021") or (asked.get("publishedSince") or "") <= day[:10] < (
        asked.get("publishedBefore") or "9"
    )


def site(schema: Any, components: list[dict[str, Any]], **limits: Any) -> GraphQLSite:
    process = {"id": "1", "slug": "presupuesto", "components": [*components, {"__typename": "Pages", "id": "99"}, None]}
    root = {
        "participatoryProcesses": [process],
        "assemblies": [],
        "component": lambda asked: next(row for row in components if row["id"] == asked["id"]),
    }
    return GraphQLSite(schema, root, keep=published_within, **limits)


def proposals_component(number: str, records: list[Any]) -> dict[str, Any]:
    def find(asked: dict[str, Any]) -> Any:
        return next(row for row in records if row["id"] == asked["id"])

    return {"__typename": "Proposals", "id": number, "proposals": records, "proposal": find}


def served(lab: Any, graphql: GraphQLSite) -> Any:
    """Return a site that answers POSTs to /api only."""

    def answer(path: str, query: Any, seen: Any) -> Any:
        return lab.Reply(post(graphql, seen.body), "application/json; charset=utf-8") if path == "/api" and seen.body else None

    return answer


APRIL = datetime(2021, 4, 10, 12, tzinfo=UTC)
DEEP = comment(801, APRIL, comment(802, APRIL, comment(803, APRIL, comment(804, APRIL, formattedBody=None))))
RECORDS: list[Any] = [proposal(number) for number in range(1, 61)]
RECORDS[0] = proposal(1, comment(701, APRIL), comment(702, datetime(2021, 3, 21, tzinfo=UTC)))
RECORDS[19] = proposal(20, DEEP)
RECORDS[20] = proposal(21, comment(711, APRIL, author=person("", "", deleted=True)), author=person("Junta Ñusta", "junta"))
RECORDS[21] = proposal(22, official=True, author=None)
RECORDS[22] = proposal(23, comment(712, APRIL), withdrawn=True)
RECORDS[23] = proposal(24, author=person("Municipalidad del Barrio", "muni"))
RECORDS[24] = proposal(25, createdInMeeting=True, author=None, official=None)
RECORDS[25] = proposal(26, body=text("<p>  </p>"), voteCount=None)
RECORDS[26] = proposal(27, title=text("Agua", qu="Yaku"), body=text("", qu="Manan yakuyoq kayku"))
RECORDS[27] = proposal(
    28, body=text("Vean gid://barrio/Decidim::Hashtag/3/Vivienda\ny a gid://barrio/Decidim::User/9 &amp; compañía")
)
DEBATES = {
    "__typename": "Debates",
    "id": "8",
    "debates": [
        {
            "id": "31",
            "title": text("¿Ciclovía o parqueo?"),
            "description": text("<p>Abro el debate.</p>"),
            "author": person("Raúl Poma", "raul"),
            "createdAt": APRIL.isoformat(),
            "comments": on(comment(720, APRIL)),
        },
        {
            "id": "32",
            "title": text("Debate de la gerencia"),
            "description": text("<p>Opinen.</p>"),
            "author": None,
            "startTime": APRIL.isoformat(),
            "comments": on(comment(721, APRIL)),
        },
    ],
}
MEETINGS = {
    "__typename": "Meetings",
    "id": "9",
    "meetings": [
        {
            "id": "41",
            "title": text("Taller de abril"),
            "description": text("<p>Acta del taller.</p>"),
            "createdAt": APRIL.isoformat(),
            "url": "http://oficial.test/taller",
            "comments": on(comment(722, APRIL)),
        }
    ],
}
BUDGETS = {
    "__typename": "Budgets",
    "id": "10",
    "budgets": [
        {
            "id": "1",
            "projects": [
                {
                    "id": "51",
                    "title": text("Losa"),
                    "description": text("Losa nueva"),
                    "createdAt": "2020-01-01T00:00:00Z",
                    "comments": on(comment(723, APRIL)),
                }
            ],
        }
    ],
}
ODD: list[Any] = [
    None,
    proposal(13, None, "texto", comment(730, APRIL, body=[7], formattedBody={"raro": 1}), comment(731, APRIL, upVotes="muchos")),
    proposal(14, title=None, body=None),
    proposal(15, id=None),
    proposal(16, title="Un título suelto", body="Un cuerpo suelto", author="alguien", voteCount=True, publishedAt=["x"]),
    proposal(17, publishedAt="ayer o anteayer"),
]


def archive(**files: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(f"../../etc/barrio.test-open-data-{name}.csv", content)
        zipped.writestr("README.md", "No es una tabla")
    return written.getvalue()


DEBATE_ROWS = """\
id,title,description,author/name,start_time
61,"{""es"": ""Pistas""}","{""es""=>""Faltan"", ""qu""=>nil}",Ana,2021-04-03
"""
EXPORT = archive(
    proposals=(RECORDED / "barrio.test-open-data-proposals.csv").read_bytes(),
    proposal_comments=(RECORDED / "barrio.test-open-data-proposal_comments.csv").read_bytes(),
    debates=DEBATE_ROWS.encode(),
    meetings=b"id;title\n1;no se lee\n",
)


def export_site(lab: Any, body: bytes) -> Any:
    def answer(path: str, query: Any, seen: Any) -> Any:
        if path != "/open-data/download":
            return None
        if seen.headers.get("if-none-match") == '"v1"':
            return lab.Reply(b"", status=304)
        return lab.Reply(body, "application/zip", 200, (("ETag", '"v1"'),))

    return answer


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply, new = lab.Reply, [proposals_component("7", RECORDS), DEBATES, MEETINGS, BUDGETS]
    small = [proposals_component("7", RECORDS[:30])]

    def moved(path: str, query: Any, seen: Any) -> Any:
        if path == "/api":
            return reply(b"", status=302, headers=(("Location", "/users/sign_in"),))
        return reply(b"<html>Ingresa</html>") if path == "/users/sign_in" else None

    def always(*arguments: Any, **options: Any) -> Any:
        return lambda path, query: reply(*arguments, **options) if path != "/robots.txt" else None

    endless = {
        "__typename": "Proposals",
        "id": "7",
        "proposals": lambda asked: {"pageInfo": {"hasNextPage": True, "endCursor": "MQ=="}, "edges": [{"node": proposal(13)}]},
    }
    circle = site({**SCHEMA, "Proposals": {"id": None, "proposals": "ProposalPage"}}, [endless])
    circle.schema["ProposalPage"] = SCHEMA["ProposalConnection"]
    partial = proposals_component("7", [proposal(13), proposal(14, comments=Broken()), proposal(15)])
    broken = json.dumps({"errors": [{"message": "Internal Server error"}], "data": {}}).encode()
    lab.web.sites |= {
        "nuevo.test": served(lab, site(NEW, new)),
        "antiguo.test": served(lab, site(OLD, small)),
        "recursivo.test": served(lab, site(SCHEMA, small, max_recursion=2)),
        "complejo.test": served(lab, site(SCHEMA, small, max_complexity=1_200)),
        "sinfiltro.test": served(lab, site(SCHEMA, small, arguments=frozenset(("id", "first", "after", "singleCommentId")))),
        "cerrado.test": moved,
        "prohibido.test": always(b"{}", "application/json", 401),
        "limite.test": always(b"{}", "application/json", 429),
        "roto.test": always(broken, "application/json", 500),
        "pagina.test": always(b"<html>Mantenimiento</html>"),
        "cortado.test": always(b'{"data": {"participatoryProcesses": [{"id": "1", "slu', "application/json"),
        "negado.test": always(b'{"errors": ["No autorizado"]}', "application/json"),
        "parcial.test": served(lab, site(SCHEMA, [partial])),
        "circular.test": served(lab, circle),
        "raro.test": served(lab, site(SCHEMA, [proposals_component("7", ODD)])),
        "nada.test": always(b'{"data": {"participatoryProcesses": null}}', "application/json"),
        "barrio.test": export_site(lab, EXPORT),
        "entero.test": export_site(lab, archive(debates=b"id;title;description;start_time\n1;Uno;Dos;2021-04-03\n")),
        "haciendose.test": lambda path, query: reply(b"<html><body>Aun no hay datos</body></html>") if "open" in path else None,
    }
    both = {"publisher": {"authors": ["Municipalidad del Barrio"]}}
    told = ("cerrado", "prohibido", "limite", "roto", "pagina", "cortado", "negado", "parcial", "circular", "raro", "nada")
    names = ("antiguo", "recursivo", "complejo", "sinfiltro", *told)
    sources = [
        lab.source("nuevo", "decidim", "http://nuevo.test/", **both),
        *(lab.source(name, "decidim", f"http://{name}.test", options={"spaces": ["processes"]}) for name in names),
        lab.source("barrio", "decidim", "http://barrio.test/", options={"way": "export"}, **both),
        lab.source("entero", "decidim", "http://entero.test/", options={"way": "export"}),
        lab.source("haciendose", "decidim", "http://haciendose.test/", options={"way": "export"}),
    ]
    return lab.crawl(sources, memory={source["id"]: {} for source in sources})


def queries(lab: Any, host: str) -> list[str]:
    return [json.loads(seen.body)["query"] for seen in lab.web.pages(host) if seen.body]


def test_window_is_cut_and_comments_on_old_proposals_count(crawled: Any) -> None:
    people = crawled.people("nuevo")
    expected = {f"proposal-{number}" for number in range(13, 43)} - {"proposal-22", "proposal-23", "proposal-24"}
    expected |= {"comment-701", "comment-711", "comment-712", "debate-31"}
    expected |= {f"comment-{number}" for number in (801, 802, 803, 804, 720, 721, 722, 723)}
    assert set(people) == expected
    assert crawled.outcome("nuevo") == ("ok", "none")


def test_proposals_are_asked_for_by_date_and_page(lab: Any, crawled: Any) -> None:
    pages = [query for query in queries(lab, "nuevo.test") if "proposals(" in query and "likesCount" in query]
    assert len(pages) == 2
    assert all('publishedSince: "2020-03-31", publishedBefore: "2021-05-02"' in query for query in pages)
    assert sorted(re.findall(r'after: "(\w+=*)"', " ".join(pages))) == ["MjU="]
    assert [seen.method for seen in lab.web.pages("nuevo.test")] == ["POST"] * len(lab.web.pages("nuevo.test"))
    assert "Pages" not in " ".join(queries(lab, "nuevo.test"))


def test_proposal_fields(crawled: Any) -> None:
    item = crawled.people("nuevo")["proposal-30"]
    assert (item.title, item.text) == ("Propuesta 30", "Que arreglen la cuadra 30.")
    assert item.published_at == FIRST + timedelta(days=29)
    assert item.published_raw == "2021-04-18T12:00:00+00:00"
    assert item.modified_at == FIRST + timedelta(days=29, hours=1)
    assert item.url == "http://oficial.test/propuesta/30"
    assert item.parent_id is None
    assert item.reactions == 30
    assert item.author is None


def test_people_of_one_name_stay_apart(crawled: Any) -> None:
    people = crawled.people("nuevo")
    assert people["proposal-30"].author_key != people["proposal-31"].author_key
    assert people["proposal-21"].author_key is not None
    assert people["comment-711"].author_key is None  # an account that was deleted


def test_official_and_withdrawn_and_gathered_in_a_meeting(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("nuevo")}
    assert by_id["proposal-22"].kind == "official"
    assert by_id["proposal-24"].kind == "official"  # the publisher's own account
    assert by_id["proposal-25"].kind == "manifestation"
    assert "proposal-23" not in by_id
    assert (by_id["debate-31"].kind, by_id["debate-32"].kind) == ("manifestation", "official")
    assert by_id["debate-32"].published_at == APRIL
    assert (by_id["meeting-41"].kind, by_id["meeting-41"].text) == ("article", "Acta del taller.")
    assert by_id["comment-723"].parent_id == "project-51"
    assert "project-51" not in by_id  # of another year


def test_texts(crawled: Any) -> None:
    people = crawled.people("nuevo")
    assert people["proposal-26"].text == "Propuesta 26"  # all in the title
    assert people["proposal-26"].reactions == 1  # endorsements, where votes are hidden
    assert people["proposal-27"].text == "Manan yakuyoq kayku"
    assert people["proposal-27"].title == "Agua"
    assert people["proposal-28"].text == "Vean #Vivienda\ny a  & compañía"


@pytest.mark.parametrize("name", ["nuevo", "antiguo", "recursivo", "complejo"])
def test_threads_arrive_whole_at_every_depth(crawled: Any, name: str) -> None:
    people = crawled.people(name)
    parents = [people[f"comment-{number}"].parent_id for number in (801, 802, 803, 804)]
    assert parents == ["proposal-20", "comment-801", "comment-802", "comment-803"]
    assert people["comment-803"].text == "Comentario 803, señora"
    assert people["comment-804"].text == "Comentario 804"
    assert people["comment-804"].title == "Propuesta 20"
    assert people["comment-802"].reactions == 2


def test_an_older_version_loses_only_what_it_lacks(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("antiguo") == ("ok", "none")
    asked = queries(lab, "antiguo.test")
    assert len(asked) == 4  # spaces, a refused page, and two pages
    assert "machineTranslated" in asked[1]
    assert "machineTranslated" not in asked[2]
    item = crawled.people("antiguo")["proposal-20"]
    assert item.url == "http://antiguo.test/processes/presupuesto/f/7/proposals/20"
    assert item.modified_at is None
    assert crawled.people("antiguo")["comment-801"].url == f"{item.url}?commentId=801#comment_801"


def test_unsigned_proposals_are_official_where_the_site_does_not_say(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("antiguo")}
    assert (by_id["proposal-22"].kind, by_id["proposal-25"].kind) == ("official", "manifestation")


def test_answers_beyond_the_limit_of_recursion_are_asked_for_one_by_one(lab: Any, crawled: Any) -> None:
    asked = queries(lab, "recursivo.test")
    assert [re.findall(r'singleCommentId: "(\d+)"', query) for query in asked if "singleCommentId" in query] == [["802"], ["803"]]
    assert crawled.outcome("recursivo") == ("ok", "none")


def test_pages_shrink_below_the_limit_of_complexity(lab: Any, crawled: Any) -> None:
    sizes = [int(size) for query in queries(lab, "complejo.test") for size in re.findall(r"proposals\(first: (\d+)", query)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 25
    assert sizes[-1] < 25
    assert crawled.outcome("complejo") == ("ok", "none")
    assert set(crawled.people("complejo")) == set(crawled.people("antiguo")) - {"proposal-23"}


def test_a_site_without_the_filter_is_asked_without(lab: Any, crawled: Any) -> None:
    assert "publishedSince" not in queries(lab, "sinfiltro.test")[-1]
    assert "proposal-30" in crawled.people("sinfiltro")


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("cerrado", "http_error", "way: export"),
        ("prohibido", "http_error", "HTTP 401"),
        ("limite", "rate_limited", "HTTP 429"),
        ("roto", "http_error", "HTTP 500"),
        ("pagina", "malformed", "not a JSON object"),
        ("cortado", "malformed", "not a JSON object"),
        ("negado", "malformed", "No autorizado"),
        ("haciendose", "malformed", "still be making it"),
    ],
)
def test_failures_are_named(crawled: Any, name: str, reason: str, told: str) -> None:
    assert crawled.outcome(name) == ("failed", reason)
    assert told in crawled.health(name).detail


def test_data_beside_errors_is_kept_and_the_errors_told(crawled: Any) -> None:
    assert set(crawled.people("parcial")) == {"proposal-13", "proposal-14", "proposal-15"}
    assert crawled.outcome("parcial") == ("partial", "malformed")
    assert "non-nullable field Proposal.comments" in crawled.health("parcial").detail


def test_an_answer_without_what_was_asked_is_told(crawled: Any) -> None:
    assert crawled.outcome("nada") == ("partial", "malformed")
    assert "processes: no list of them" in crawled.health("nada").detail


def test_pages_in_a_circle_end_the_walk(lab: Any, crawled: Any) -> None:
    assert set(crawled.people("circular")) == {"proposal-13"}
    assert crawled.outcome("circular") == ("partial", "malformed")
    assert "repeat" in crawled.health("circular").detail
    assert len(lab.web.pages("circular.test")) <= 5


def test_odd_rows_cost_themselves_alone(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("raro")}
    assert set(items) == {"proposal-13", "comment-731", "proposal-16", "proposal-17"}
    assert items["comment-731"].reactions is None
    assert (items["proposal-16"].title, items["proposal-16"].text) == ("Un título suelto", "Un cuerpo suelto")
    assert items["proposal-16"].reactions == 1
    assert items["proposal-17"].published_at is None
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "without an id" in crawled.health("raro").detail


def test_export_holds_what_the_api_would_tell(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("barrio")}
    assert set(by_id) == {
        *("proposal-501", "proposal-502", "proposal-503", "proposal-507"),
        *("comment-901", "comment-902", "debate-61"),
    }
    first = by_id["proposal-501"]
    assert first.text == "La alameda no tiene sombra.\nPedimos molles y huarangos; el señor del quiosco ofrece agua.\n#Sombra"
    assert (first.title, first.reactions, first.kind) == ("Más árboles en la alameda", 14, "manifestation")
    assert first.published_at == datetime(2021, 4, 12, 15, 30, tzinfo=UTC)
    assert first.published_raw == "2021-04-12 15:30:00 UTC"
    assert first.modified_at == datetime(2021, 4, 14, 9, tzinfo=UTC)
    assert first.url == "http://barrio.test/processes/presupuesto/f/7/proposals/501"
    assert by_id["proposal-502"].kind == "official"
    assert (by_id["proposal-503"].title, by_id["proposal-503"].text) == ("Yaku", "Manan yakuyoq kayku.")
    assert by_id["proposal-503"].reactions == 7
    assert by_id["proposal-507"].text == "Solo el título: arreglen la losa"
    assert (by_id["debate-61"].title, by_id["debate-61"].text) == ("Pistas", "Faltan")


def test_export_comments(crawled: Any) -> None:
    people = crawled.people("barrio")
    assert (people["comment-901"].parent_id, people["comment-902"].parent_id) == ("proposal-501", "comment-901")
    assert people["comment-902"].text == "Nosotros regamos.\nCada sábado,"
    assert people["comment-901"].url.endswith("/proposals/501?commentId=901#comment_901")
    assert people["comment-901"].author_key not in (None, people["comment-902"].author_key)


def test_export_tells_the_row_that_it_lost(crawled: Any) -> None:
    assert crawled.outcome("barrio") == ("partial", "malformed")
    assert "proposals:8: the first of 1 rows" in crawled.health("barrio").detail
    assert not (Path("/etc") / "barrio.test-open-data-proposals.csv").exists()


def test_export_is_asked_for_only_if_it_changed_since_the_same_window(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("entero") == ("ok", "none")
    again = lab.crawl(
        [lab.source("entero", "decidim", "http://entero.test/", options={"way": "export"})],
        memory={"entero": dict(crawled.health("entero").memory)},
    )
    assert again.outcome("entero") == ("ok", "unchanged")
    assert [seen.headers.get("if-none-match") for seen in lab.web.pages("entero.test")] == [None, '"v1"']


def test_another_window_reads_the_export_anew() -> None:
    zone, url = ZoneInfo("America/Lima"), "http://entero.test/open-data/download"
    april, may = (
        Period(datetime(2021, month, 1, tzinfo=zone), datetime(2021, month + 1, 1, tzinfo=zone), zone) for month in (4, 5)
    )
    memory = Memory({}, current=True)
    exports.learn_read(memory, url, april, Response(url, headers={"ETag": '"v1"'}))
    assert exports.conditions(memory, url, april) == {"If-None-Match": '"v1"'}
    assert exports.conditions(memory, url, may) == {}


# ---- the parts ----


def test_a_machine_translates_only_what_nobody_wrote() -> None:
    rows = [
        {"locale": "es", "text": "por máquina", "machineTranslated": True},
        {"locale": "qu", "text": "runapa", "machineTranslated": False},
        {"locale": "ca", "text": "", "machineTranslated": False},
    ]
    assert translated({"translations": rows}, "es") == "runapa"
    assert translated({"translations": rows[:1]}, "es") == "por máquina"
    assert translated({"translations": [*rows, {"locale": "es-PE", "text": "escrito"}]}, "es") == "escrito"
    assert translated({"translations": [None, 3]}, "es") == translated(None, "es") == translated({"translations": {}}, "es") == ""


def test_text_with_and_without_markup() -> None:
    assert written_text("Una línea\n\nOtra < que 3 &amp; más") == "Una línea\n\nOtra < que 3 & más"
    assert written_text("<p>Una</p><p>Otra</p>") == "Una\nOtra"
    assert plain_text("a&copy=1") == "a&copy=1"


def test_markup_that_no_parser_reads_keeps_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(markup: str) -> str:
        raise MarkupError("no")

    monkeypatch.setattr(exports, "html_to_text", give_up)
    assert plain_text("<p>Año nuevo</p>") == "Año nuevo"


def test_shape_shrinks_to_an_end() -> None:
    shape, steps = Shape(), 0
    while shape.shrink():
        steps += 1
    assert (shape.levels, shape.page_size, steps) == (2, 5, 4)


def test_ids_cannot_break_out_of_a_query() -> None:
    component = Component('7") { evil } #', "Proposals", "processes/x")
    days = (datetime(2021, 1, 1).date(), datetime(2021, 2, 1).date())
    assert 'component(id: "7\\") { evil } #")' in page_query(component, 'a"b', days, Shape())
    assert thread_query(Component("1", "Budgets", "x"), "1", "2", Shape()) == ""


def test_components_of_a_space() -> None:
    rows = [
        {"id": "1", "__typename": "Proposals"},
        {"id": None, "__typename": "Debates"},
        {"id": "3", "__typename": "Surveys"},
        None,
    ]
    assert list(components_of({"id": "5", "components": rows}, "initiatives")) == [Component("1", "Proposals", "initiatives/i-5")]
    assert list(components_of({"components": None}, "processes")) == []


def test_answers_of_any_shape() -> None:
    assert parse_answer({"data": [], "errors": "no"}) == (None, [])
    assert parse_answer({"errors": ["mal", {"message": "peor"}]}).errors == [{"message": "mal"}, {"message": "peor"}]
    assert parse_page({"edges": [{"node": None}, None, {"node": {"id": 1}}], "pageInfo": {"hasNextPage": True}}) == (
        [{"id": 1}],
        None,
    )
    assert parse_page(None) == ([], None)
    assert undefined_fields([{"message": "Field 'x' doesn't exist on type 'Y'"}, {"extensions": 3}]) == {("Y", "x")}
    assert (as_count(True), as_count(-1), as_count("3"), as_count(3)) == (None, None, None, 3)
    told = tell_errors([{"message": "x" * 500 + "\nuna línea más", "extensions": {"code": "RARO"}}])
    assert told.startswith("1 errors, the first (RARO) says: xxx")
    assert len(told) < 200


def test_a_part_without_fields_is_not_asked() -> None:
    part = Part("A", {"b": Part("B", {"c": None})})
    assert write_part(part, set()) == "{ b { c } }"
    assert write_part(part, {("B", "c")}) == ""


def test_empty_pages_are_passed_but_not_for_ever() -> None:
    paging = Paging()
    passed = [paging.go_on(Page([], f"c{number}")) for number in range(20)]
    assert passed == [True] * 10 + [False] * 10
    assert not Paging(cursors={"c"}).go_on(Page([{"id": "1"}], "c"))


def bomb(name: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        with zipped.open(f"a-open-data-{name}.csv", "w", force_zip64=True) as stream:
            for _ in range(70):
                stream.write(b"0" * (1024 * 1024))
        zipped.writestr("a-open-data-debates.csv", "id;title;description\n1;a;b\n")
    return written.getvalue()


def test_a_bomb_costs_its_file_alone() -> None:
    found = list(parse_export(bomb("proposals"), language="es"))
    assert [str(item) for item in found if isinstance(item, SourceProblem)] == [
        f"malformed: proposals: more than {exports.MAX_FILE_BYTES} bytes when unpacked"
    ]
    assert [item.native_id for item in found if not isinstance(item, SourceProblem)] == ["debate-1"]


def test_the_whole_archive_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_ARCHIVE_BYTES", 60)
    body = archive(debates=b"id;title;description\n1;a;b\n", proposals=b"id;title/es;body/es\n1;a;" + b"b" * 40)
    found = list(parse_export(body, language="es"))
    assert [getattr(item, "native_id", "lost") for item in found] == ["debate-1", "lost"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "not a readable ZIP"),
        (b"PK\x03\x04roto", "not a readable ZIP"),
        (EXPORT[:-30], "not a readable ZIP"),
        (b"PK\x01\x02" * 300, "an archive of 300 files"),
        (archive(meetings=b"id\n1\n"), "without a file of proposals"),
    ],
)
def test_what_is_no_archive(body: bytes, told: str) -> None:
    with pytest.raises(SourceProblem, match=told):
        list(parse_export(body, language="es"))


def test_a_member_that_cannot_be_unpacked_is_told() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as zipped:
        zipped.writestr("open-data-debates.csv", "id;title\n1;a\n", zipfile.ZIP_LZMA)
        zipped.writestr("open-data-proposals.csv", "id;title\n1;a\n")
    body = written.getvalue().replace(b"id;title\n1;a\n", b"id;title\n1;b\n")
    found = dict(open_archive(body, re.compile(r"open-data-(\w+)\.csv")))
    assert [str(found[name]) for name in ("debates", "proposals")] == [
        "malformed: debates: packed by a method that is not read (14)",
        "malformed: proposals: cannot be unpacked (BadZipFile)",
    ]


@pytest.mark.parametrize(
    ("body", "rows", "told"),
    [
        ("id;texto\n1;Año\n".encode(), [{"id": "1", "texto": "Año"}], []),
        ("id;texto\n1;Año\n".encode("cp1252"), [{"id": "1", "texto": "Año"}], []),
        ('\ufeff"id",texto\n1,"a\nb"\n\n'.encode(), [{"id": "1", "texto": "a\nb"}], []),
        ("id\ttexto\n1\ta;b\n".encode("utf-16"), [{"id": "1", "texto": "a;b"}], []),
        (b"id;t\n1;a\n2\n3;b;c\n4;d\n", [{"id": "1", "t": "a"}, {"id": "4", "t": "d"}], ["x:3: the first of 2 rows"]),
        (b'id;t\n1;a\n2;"sin cierre\n3;c\n', [{"id": "1", "t": "a"}], ["x:3: unexpected end of data; nothing after it"]),
        (b"", [], []),
        (b"id;t\n1;" + b"z" * 2_000_001, [], ["x:2: field larger"]),
    ],
)
def test_tables(body: bytes, rows: list[dict[str, str]], told: list[str]) -> None:
    found = list(read_csv(body, name="x"))
    assert [row for row in found if isinstance(row, dict)] == rows
    problems = [row.detail for row in found if isinstance(row, SourceProblem)]
    assert len(problems) == len(told)
    assert all(problem.startswith(start) for problem, start in zip(problems, told, strict=True))
