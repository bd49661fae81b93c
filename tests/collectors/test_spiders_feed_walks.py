"""Feeds that lead further: to older pages, to the comments of each article, and to the next visit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.items import version_digest
from collectors.spiders.feed import MAX_PAGES

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "feed"
DIALECTS = (
    "rss-0.90.rdf",
    "rss-0.91.xml",
    "rss-0.92.xml",
    "rss-1.0.rdf",
    "atom-0.3.xml",
    "jsonfeed-1.0.json",
    "jsonfeed-1.1.json",
)
Query = dict[str, list[str]]
APRIL = datetime(2021, 4, 1, 5, tzinfo=UTC)


def rss(*items: str, link: str = "") -> str:
    head = f'<atom:link rel="{link.partition(" ")[0]}" href="{link.partition(" ")[2]}"/>' if link else ""
    return f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>x</title>{head}{"".join(items)}</channel></rss>'


def item(name: str, at: datetime | None = None, *, text: str = "", more: str = "") -> str:
    date = f"<pubDate>{format_datetime(at)}</pubDate>" if at else ""
    return f'<item><guid isPermaLink="false">{name}</guid>{date}<description>{text or f"Queja {name}"}</description>{more}</item>'


def day(number: float) -> datetime:
    """Return an instant counted from the window's start."""
    return APRIL + timedelta(days=number)


def pages(documents: dict[str, str]) -> Callable[[str, Query], str | None]:
    """Serve `/feed` by its `p`; without one, the document ""."""
    return lambda path, query: documents.get(query.get("p", [""])[0]) if path == "/feed" else None


def paged_sites() -> dict[str, Callable[[str, Query], str | None]]:
    def endless(path: str, query: Query) -> str:
        page = int(query.get("p", ["0"])[0])
        return rss(item(f"e{page}"), link=f"next ?p={page + 1}")

    once = rss("<item><description>Sin id ninguno</description></item>", link="prev-archive /feed?p=otra")
    return {
        "paginas": pages(
            {
                "": rss(item("p1", day(20)), item("p2", day(10)), link="next ?p=2"),
                "2": rss(item("fijo", day(-90)), item("p3", day(5)), item("p4", day(-1)), item("p5", day(-1)), link="next ?p=3"),
                "3": rss(item("p6", day(-2)), item("p7", day(-3)), link="next ?p=4"),
                "4": rss(item("p8", day(-4))),
            }
        ),
        "archivo": pages(
            {
                "": rss(item("a1", day(2)), link="prev-archive http://archivo.test/feed?p=1"),
                "1": rss(item("a2", day(1)), item("a3")),
            }
        ),
        "subida": pages(
            {
                "": rss(item("s1", day(-40)), item("s2", day(-35)), item("s3", day(-30)), link="next ?p=2"),
                "2": rss(item("s4", day(3))),
            }
        ),
        "circulo": pages(
            {"": rss(item("c1", day(2)), link="next ?p=2"), "2": rss(item("c2", day(1)), link="next http://circulo.test/feed")}
        ),
        "eco": lambda path, query: rss(item("o1", day(2)), link=f"next ?p={len(query.get('p', [''])[0]) * 'x'}x"),
        "calco": lambda path, query: once,
        "sinfin": endless,
        "fuera": pages({"": rss(item("f1", day(2)), link="next http://otrositio.test/feed")}),
        "rota": pages({"": rss(item("r1", day(2)), link="next ?p=2"), "2": "<html><body>Mantenimiento</body></html>"}),
        "jsonpag": pages(
            {
                "": '{"items": [{"id": 1, "content_text": "Uno", "date_published": "2021-04-05"}], "next_url": "?p=2"}',
                "2": '{"items": [{"id": 2, "content_text": "Dos", "date_published": "2021-03-05"}], "next_url": "?p=3"}',
            }
        ),
    }


def mirador(path: str, query: Query) -> str | None:
    late = item("http://mirador.test/?p=700#comment-90", day(3), text="Sigue igual desde marzo")
    found = {
        "/feed/": "wordpress-posts.xml",
        "/2021/04/ceibos/feed/": "wordpress-comments.xml",
        "/2021/03/marzo/feed/": rss(late),
    }.get(path)
    return (RECORDED / found).read_text(encoding="utf-8") if found and not found.startswith("<") else found


def esquina(path: str, query: Query) -> str | None:
    found = {"/feeds/posts/default": "blogger-posts.xml", "/feeds/81/comments/default": "blogger-comments.xml"}.get(path)
    return (RECORDED / found).read_text(encoding="utf-8") if found else None


def tropiezo(path: str, query: Query) -> str | None:
    articles = [
        item(
            f"n{number}",
            day(number),
            more=f'<w:commentRss xmlns:w="http://wellformedweb.org/CommentAPI/">http://tropiezo.test/{number}</w:commentRss>',
        )
        for number in range(1, 5)
    ]
    answers = {
        "/feed": rss(*articles),
        "/2": "<html><body>Inicie sesión</body></html>",
        "/3": rss(item("c3", day(4))),
        "/4": rss(),
    }
    return answers.get(path)


WITH_COMMENTS: dict[str, tuple[Any, str]] = {
    "mirador": (mirador, "http://mirador.test/feed/"),
    "esquina": (esquina, "http://esquina.test/feeds/posts/default"),
    "tropiezo": (tropiezo, "http://tropiezo.test/feed"),
}
ODD = rss(
    item("x1", day(1), more="<link>http://a.test:99999/</link>"),
    item("x2", day(2), more="<author>" + "a." * 20_000 + "</author>"),
    item("x3", text="&lt;div&gt;" * 20_000 + "Hondo"),
    "<item><description><p>Sin cerrar<br></description></item>",
    "<item><link>http://raro.test/</link><description>Uno de la portada</description></item>",
    "<item><link>http://raro.test/</link><description>Otro de la portada</description></item>",
    "<item><link>http://raro.test/n/1?utm_source=rss</link><title>Solo título &amp; enlace</title></item>",
    item("futuro").replace("</guid>", "</guid><pubDate>Fri, 02 Apr 2038 10:00:00 GMT</pubDate>"),
    item("corto").replace("</guid>", "</guid><pubDate>Vie,02 Abr 21 10:00:00 PET</pubDate>"),
    item("quechua", text="Manan unu kanchu, wasiykupi ch’akiymanta wañusayku"),
)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    def serve(answer: Callable[[str, Query], str | None]) -> Any:
        def site(path: str, query: Query) -> Any:
            body = answer(path, query)
            return None if body is None else lab.Reply(body.encode(), "application/xml")

        return site

    walks = paged_sites()
    lab.web.sites |= {f"{name}.test": serve(answer) for name, answer in walks.items()}
    lab.web.sites |= {f"{name}.test": serve(answer) for name, (answer, _) in WITH_COMMENTS.items()}
    lab.web.sites["raro.test"] = serve(lambda path, query: ODD)
    lab.web.sites["dialectos.test"] = lambda path, query: (
        lab.Reply((RECORDED / path[1:]).read_bytes(), "text/plain") if path[1:] in DIALECTS else None
    )
    people = {"entries": "manifestation"}
    sources = [
        *(lab.source(name, "feed", f"http://{name}.test/feed", options=people) for name in (*walks, "raro")),
        *(lab.source(name.replace(".", "-"), "feed", f"http://dialectos.test/{name}", options=people) for name in DIALECTS),
        *(
            lab.source(name, "feed", url, options={"comments": True}, publisher={"authors": ["Municipalidad de la Quebrada"]})
            for name, (_, url) in WITH_COMMENTS.items()
        ),
    ]
    return lab.crawl(sources)


def asked(lab: Any, name: str) -> list[str]:
    return [seen.query.get("p", [""])[0] for seen in lab.web.pages(f"{name}.test")]


def ids(crawled: Any, name: str) -> list[str]:
    return [item.native_id for item in crawled.items(name)]


# Older pages.


def test_pages_are_read_until_one_is_wholly_before_the_window(lab: Any, crawled: Any) -> None:
    assert asked(lab, "paginas") == ["", "2", "3"]
    assert ids(crawled, "paginas") == ["p1", "p2", "fijo", "p3", "p4", "p5", "p6", "p7"]
    assert crawled.outcome("paginas") == ("ok", "none")


def test_archive_is_read_to_its_beginning(lab: Any, crawled: Any) -> None:
    assert asked(lab, "archivo") == ["", "1"]
    assert ids(crawled, "archivo") == ["a1", "a2", "a3"]
    assert crawled.outcome("archivo") == ("ok", "none")


def test_feed_that_begins_with_the_oldest_is_not_left_there(lab: Any, crawled: Any) -> None:
    assert asked(lab, "subida") == ["", "2"]
    assert ids(crawled, "subida")[-1] == "s4"


def test_pages_of_a_json_feed(lab: Any, crawled: Any) -> None:
    assert asked(lab, "jsonpag") == ["", "2"]
    assert ids(crawled, "jsonpag") == ["1", "2"]


@pytest.mark.parametrize(("name", "requests", "found"), [("circulo", 2, ["c1", "c2"]), ("eco", 2, ["o1"])])
def test_pages_that_go_round_in_circles(lab: Any, crawled: Any, name: str, requests: int, found: list[str]) -> None:
    assert len(asked(lab, name)) == requests
    assert ids(crawled, name) == found
    assert crawled.outcome(name) == ("partial", "malformed")
    assert "read already" in crawled.health(name).detail


def test_same_document_under_another_address_counts_once(lab: Any, crawled: Any) -> None:
    assert asked(lab, "calco") == ["", "otra"]
    assert [item.text for item in crawled.items("calco")] == ["Sin id ninguno"]
    assert crawled.outcome("calco") == ("partial", "malformed")


def test_feed_without_end_is_left(lab: Any, crawled: Any) -> None:
    assert len(asked(lab, "sinfin")) == MAX_PAGES
    assert crawled.outcome("sinfin") == ("partial", "malformed")
    assert f"more than {MAX_PAGES} pages" in crawled.health("sinfin").detail


def test_older_page_on_another_host_is_not_asked(lab: Any, crawled: Any) -> None:
    assert lab.web.pages("otrositio.test") == []
    assert crawled.outcome("fuera") == ("partial", "unreachable")
    assert ids(crawled, "fuera") == ["f1"]


def test_older_page_that_is_no_feed_costs_only_itself(crawled: Any) -> None:
    assert crawled.outcome("rota") == ("partial", "malformed")
    assert ids(crawled, "rota") == ["r1"]


# Comments.


def test_comments_of_articles_in_or_near_the_window_are_read(lab: Any, crawled: Any) -> None:
    assert sorted(seen.path for seen in lab.web.pages("mirador.test")) == [
        "/2021/03/marzo/feed/",
        "/2021/04/ceibos/feed/",
        "/feed/",
    ]
    people = crawled.people("mirador")
    assert set(people) == {f"http://mirador.test/?p={name}" for name in ("700#comment-90", "900#comment-51", "900#comment-53")}
    assert people["http://mirador.test/?p=700#comment-90"].parent_id == "http://mirador.test/?p=700"
    assert people["http://mirador.test/?p=900#comment-51"].parent_id == "http://mirador.test/?p=900"
    assert people["http://mirador.test/?p=900#comment-53"].parent_id == "http://mirador.test/?p=900#comment-51"


def test_articles_are_the_context_and_the_publisher_speaks_for_itself(crawled: Any) -> None:
    kinds = {item.native_id.rpartition("=")[2]: item.kind for item in crawled.items("mirador")}
    assert {name for name, kind in kinds.items() if kind == "article"} == {"900", "880", "700", "100", "950", "890"}
    assert kinds["900#comment-50"] == "official"
    assert "900#comment-52" not in kinds


def test_whom_a_comment_answers_is_not_in_its_text(crawled: Any) -> None:
    assert crawled.people("mirador")["http://mirador.test/?p=900#comment-53"].text == "Tiene razón: el desvío es peor."
    for name in ("Ñaupari", "Quenaya"):
        assert name not in crawled.written()


def test_comments_that_cannot_be_seen_are_told(crawled: Any) -> None:
    assert crawled.outcome("mirador") == ("ok", "none")
    detail = crawled.health("mirador").detail
    assert "1 feeds of comments that show only the last ones of their article" in detail
    assert "1 feeds of comments on another host, not read" in detail


def test_blogger_threads(crawled: Any) -> None:
    kinds = {item.native_id.rpartition("-")[2]: (item.kind, item.parent_id) for item in crawled.items("esquina")}
    first = "tag:blogger.com,1999:blog-4000.post-811"
    assert kinds == {
        "81": ("article", None),
        "811": ("manifestation", "tag:blogger.com,1999:blog-4000.post-81"),
        "812": ("manifestation", first),
    }
    assert crawled.people("esquina")[first].published_at == datetime(2021, 4, 21, 15, 0, 0, 1000, tzinfo=UTC)
    assert crawled.outcome("esquina") == ("ok", "none")


def test_feeds_of_comments_that_fail_cost_only_themselves(crawled: Any) -> None:
    assert set(crawled.people("tropiezo")) == {"c3"}
    assert crawled.people("tropiezo")["c3"].parent_id == "n3"
    assert crawled.health("tropiezo").status == "partial"
    assert "HTTP 404 at http://tropiezo.test/1" in crawled.health("tropiezo").detail
    assert "http://tropiezo.test/2: not a readable feed" in crawled.health("tropiezo").detail
    assert sum(item.kind == "article" for item in crawled.items("tropiezo")) == 4


# Entries of every kind.


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_is_read_under_any_media_type(crawled: Any, name: str) -> None:
    source_id = name.replace(".", "-")
    assert crawled.people(source_id)
    lost = ("partial", "malformed") if name == "jsonfeed-1.1.json" else ("ok", "none")
    assert crawled.outcome(source_id) == lost


def test_odd_entries_cost_no_other(crawled: Any) -> None:
    found = {item.native_id: item for item in crawled.items("raro")}
    assert crawled.outcome("raro") == ("ok", "none")
    assert len(found) == 10
    assert found["x1"].url is None
    assert found["x3"].text == "Hondo"
    assert found["futuro"].published_at == datetime(2038, 4, 2, 10, tzinfo=UTC)
    assert found["corto"].published_at == datetime(2021, 4, 2, 15, tzinfo=UTC)
    assert found["corto"].published_raw == "Vie,02 Abr 21 10:00:00 PET"
    assert found["http://raro.test/n/1"].text == "Solo título & enlace"
    assert found["quechua"].text == "Manan unu kanchu, wasiykupi ch’akiymanta wañusayku"
    rows = {item.text for name, item in found.items() if name.startswith("row:")}
    assert rows == {"Sin cerrar", "Uno de la portada", "Otro de la portada"}


# The next visit.


class Visits:
    """Sites whose answers depend on the visit; one answers 304 as HTTP asks."""

    def __init__(self, lab: Any) -> None:
        self.reply, self.number, self.headers = lab.Reply, 1, dict[str, Any]()

    def site(self, name: str, answer: Callable[[int], str], etag: str = "") -> Any:
        def served(path: str, query: Query, seen: Any) -> Any:
            if path != "/feed":
                return None
            self.headers.setdefault(name, []).append(dict(seen.headers))
            headers = (("ETag", etag), ("Last-Modified", "Thu, 01 Apr 2021 10:00:00 GMT")) if etag else ()
            if etag and seen.headers.get("if-none-match") == etag:
                return self.reply(b"", "application/xml", 304, headers)
            body = answer(self.number) if "p" not in query else rss(item("viejo", day(-40)))
            return self.reply(body.encode(), "application/xml", 200, headers)

        return served


def now(offset: float = 0) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=offset)


ANSWERS: dict[str, tuple[Callable[[int], str], str]] = {
    "quieta": (lambda visit: rss(item("q1", day(1))), '"q"'),
    "cortada": (lambda visit: rss(item("k1", day(1)), item("k2", day(2)))[:-60], '"k"'),
    "conversada": (lambda visit: rss(item("v1", day(1))), '"v"'),
    "larga": (lambda visit: rss(item("l1", day(1)), item("l2", day(-2)), link="next ?p=2"), '"l"'),
    "redatada": (lambda visit: rss(*(item(f"r{n}", day(n + visit), text="" if n else f"Texto {visit}") for n in range(40))), ""),
    "reloj": (lambda visit: rss(*(item(f"t{n}", now(n % 2)) for n in range(3 + visit))), ""),
    "relojsinid": (
        lambda visit: rss(*(item(f"t{n}", now()) for n in range(3))).replace("<guid", "<x").replace("</guid", "</x"),
        "",
    ),
    "pareja": (lambda visit: rss(*(item(f"d{n}", now()) for n in range(2))), ""),
    "hace": (lambda visit: rss(item("h1").replace("</guid>", f"</guid><pubDate>hace {visit} horas</pubDate>")), ""),
    "encogida": (lambda visit: rss(*(item(f"z{n}", day(n % 20)) for n in range(150 if visit == 1 else 2))), ""),
}


@pytest.fixture(scope="module")
def visits(lab: Any) -> Any:
    state = Visits(lab)
    lab.web.sites |= {f"{name}.test": state.site(name, answer, etag) for name, (answer, etag) in ANSWERS.items()}
    sources = [
        lab.source(name, "feed", f"http://{name}.test/feed", options={"comments": True} if name == "conversada" else {})
        for name in ANSWERS
    ]
    first = lab.crawl(sources, memory={name: {} for name in ANSWERS})
    state.number = 2
    kept = {name: dict(first.health(name).memory) for name in ANSWERS}
    second = lab.crawl(sources, memory=kept)
    earlier = [source for source in sources if source["id"] == "larga"]
    before = lab.crawl(earlier, memory=kept, window=("2021-03-25T00:00:00-05:00", "2021-05-02T00:00:00-05:00"))
    state.number = 3
    third = lab.crawl(sources[:1], memory={})
    return SimpleNamespace(first=first, second=second, before=before, past=third, headers=state.headers)


def digests(crawled: Any, name: str) -> dict[str, str]:
    return {item.native_id: version_digest(item) for item in crawled.items(name)}


def conditions(visits: Any, name: str) -> list[str | None]:
    return [headers.get("if-none-match") for headers in visits.headers[name]]


def test_unchanged_feed_is_asked_for_on_condition(visits: Any) -> None:
    assert visits.first.outcome("quieta") == ("ok", "none")
    assert conditions(visits, "quieta") == [None, '"q"', None]
    assert visits.headers["quieta"][1]["if-modified-since"] == "Thu, 01 Apr 2021 10:00:00 GMT"
    assert visits.second.outcome("quieta") == ("ok", "unchanged")
    assert visits.second.items("quieta") == []


def test_collection_of_the_past_asks_for_all(visits: Any) -> None:
    assert len(visits.past.items("quieta")) == 1
    assert visits.past.health("quieta").memory == {}


def test_document_that_was_not_read_whole_is_asked_for_again(visits: Any) -> None:
    assert visits.first.outcome("cortada") == ("partial", "malformed")
    assert conditions(visits, "cortada") == [None, None]


def test_feed_with_comments_is_asked_for_unconditionally(visits: Any) -> None:
    assert conditions(visits, "conversada") == [None, None]


def test_paged_feed_is_unchanged_only_as_far_back_as_it_was_read(visits: Any) -> None:
    # Two pages; unchanged; and both again for a window that begins earlier.
    assert conditions(visits, "larga") == [None, None, '"l"', None, None]
    assert visits.second.outcome("larga") == ("ok", "unchanged")
    assert {item.native_id for item in visits.before.items("larga")} == {"l1", "l2", "viejo"}


def test_new_dates_alone_are_no_new_versions(visits: Any) -> None:
    first, second = digests(visits.first, "redatada"), digests(visits.second, "redatada")
    assert [name for name in first if first[name] != second[name]] == ["r0"]
    by_id = {item.native_id: item for item in visits.second.items("redatada")}
    assert by_id["r5"].published_at == day(6)
    assert by_id["r5"].published_raw == format_datetime(day(6))
    assert by_id["r0"].published_at == day(2)  # other words: another version, and its date holds
    assert sum(len(value) for value in visits.second.health("redatada").memory.values()) < 4_000


def test_dates_of_the_visit_are_no_dates(visits: Any) -> None:
    first, second = digests(visits.first, "reloj"), digests(visits.second, "reloj")
    assert (len(first), len(second)) == (4, 5)
    assert {name: second[name] for name in first} == first
    for crawled in (visits.first, visits.second):
        assert {item.published_at for item in crawled.items("reloj")} == {None}
        assert all(item.published_raw for item in crawled.items("reloj"))
        assert crawled.health("reloj").undated_count == len(crawled.items("reloj"))
    assert "5 entries dated by the moment of the visit" in visits.second.health("reloj").detail


def test_dates_of_the_visit_do_not_make_other_items_of_those_without_an_id(visits: Any) -> None:
    first, second = digests(visits.first, "relojsinid"), digests(visits.second, "relojsinid")
    assert len(first) == 3
    assert first == second


def test_two_fresh_entries_keep_their_dates(visits: Any) -> None:
    assert all(item.published_at for item in visits.first.items("pareja"))


def test_relative_dates_are_left_as_they_are(visits: Any) -> None:
    assert [item.published_raw for item in visits.second.items("hace")] == ["hace 2 horas"]
    assert digests(visits.first, "hace") == digests(visits.second, "hace")


def test_memory_holds_the_items_of_the_last_visit_only(visits: Any) -> None:
    first, second = visits.first.health("encogida").memory, visits.second.health("encogida").memory
    assert sum(value.count("GMT") + value.count("+0000") for value in first.values()) == 150
    assert sum(value.count("+0000") for value in second.values()) == 2
    assert set(second) == set(first)
    assert max(map(len, first.values())) <= 4_000
