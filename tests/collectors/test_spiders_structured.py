"""Sites that embed their comments: found by links, a feed or the sitemap; in each syntax; broken and hostile pages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.health import SourceProblem
from collectors.sitemaps import Listed, parse_sitemap
from collectors.spiders.structured import StructuredOptions

Query = dict[str, list[str]]


def script(*documents: Any) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(one, ensure_ascii=False)}</script>' for one in documents)


def page(*parts: str) -> str:
    return f"<html><head><title>Nota</title></head><body>{''.join(parts)}</body></html>"


def comment(number: int, text: str, *, at: str = "2021-04-10T12:00:00-05:00", **fields: Any) -> dict[str, Any]:
    author = {"@type": "Person", "name": f"Vecina {number}"}
    return {"@type": "Comment", "url": f"#comment-{number}", "text": text, "dateCreated": at, "author": author, **fields}


def article(*comments: dict[str, Any], at: str = "2021-04-05T08:00:00-05:00", title: str = "Pistas en Vitarte") -> dict[str, Any]:
    body = "<p>Se inician obras.</p><p>Durarán un mes.</p>"
    told = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "datePublished": at, "articleBody": body}
    return {**told, "comment": list(comments)}


def pages_of(reply: Any, pages: dict[str, Any]) -> Callable[..., Any]:
    def site(path: str, query: Query) -> Any:
        found = pages.get(path + ("?" + "&".join(f"{name}={values[0]}" for name, values in query.items()) if query else ""))
        return reply(found.encode()) if isinstance(found, str) else found

    return site


MANY = script(
    article(
        comment(
            1,
            "<p>Ya era hora.</p><p>¿Y el año pasado?</p>",
            upvoteCount="7",
            comment=[comment(2, "Gracias por escribir.", author="Municipalidad de Ate", parentItem={"@id": "#comment-1"})],
        ),
        comment(3, "Sigue igual\nen mi cuadra", author={"name": "Anónimo"}, dateModified="2021-04-11T12:00:00Z"),
        comment(4, "Sin fecha", at=""),
        comment(5, " "),
        {"@type": "Comment", "text": "Sin nombre ni número", "datePublished": "2021-04-12"},
        {"@type": "Comment", "text": "Sin nombre ni número", "datePublished": "2021-04-12"},
        comment(6, "Ya no", creativeWorkStatus="Deleted"),
    )
)
LINKS = "".join(
    f'<h2><a href="{link}">x</a></h2>'
    for link in ("/nota-1/#comentarios", "/nota-2/?utm_source=x", "http://otro.test/", "http://[mal")
)
NEWS = {
    "/": page(LINKS, '<a class="mas" href="/p2">Más</a>'),
    "/p2": page(
        *(f'<h2><a href="{link}">x</a></h2>' for link in ("/nota-1/", "/nota-3/", "/no-hay/")),
        '<a class="mas" href="/p3">Más</a>',
    ),
    "/p3": page('<h2><a href="/vieja/">v</a></h2><a class="mas" href="/p4">Más</a>'),
    "/p4": page('<h2><a href="/mas-vieja/">v</a></h2>'),
    "/nota-1/": page(MANY),
    "/nota-2/": page(script({"@graph": [article(title="Dos")]}), script([comment(1, "El uno de otra nota")])),
    "/nota-3/": page(script(article(comment(9, "De marzo", at="2021-03-01T12:00:00-05:00"), at="2021-03-01T08:00:00-05:00"))),
    "/vieja/": page(script(article(at="2020-12-01T08:00:00-05:00"))),
    "/mas-vieja/": page(script(article(at="2020-11-01T08:00:00-05:00"))),
}
MICRO = """<article itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">Bus nuevo</h1>
<time itemprop="datePublished" datetime="2021-04-10T08:00:00-05:00"></time><div itemprop="articleBody"><p>Llega el bus.</p></div>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="k1"><span itemprop="author">Luis Mamani</span>
<time itemprop="dateCreated" datetime="2021-04-10T23:30:00">x</time><div itemprop="text">Pasa lleno</div>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="k2"><time itemprop="dateCreated"
datetime="2021-04-11T01:00:00">x</time><div itemprop="text">Cierto</div></div></div></article>"""
BOTH = script(article(comment(1, "Solo el primero"), title="Bus nuevo"))
FEED = """<rss version="2.0"><channel><title>Diario</title><item><title>Bus</title>
<link>http://canal.test/bus?utm_medium=rss</link>
<pubDate>Sat, 10 Apr 2021 08:00:00 -0500</pubDate></item><item><title>Vieja</title><link>http://canal.test/vieja</link>
<pubDate>Sat, 10 Oct 2020 08:00:00 -0500</pubDate></item><item><title>Futura</title><link>http://canal.test/futura</link>
<pubDate>Mon, 10 May 2021 08:00:00 -0500</pubDate></item><item><title>Fuera</title><link>http://otro.test/x</link></item>
</channel></rss>"""
MAP_INDEX = """<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>http://mapa.test/mapa-2020.xml</loc><lastmod>2020-12-31</lastmod></sitemap>
<sitemap><loc>http://mapa.test/mapa-2021.xml.gz</loc><lastmod>2021-05-02T00:00:00-05:00</lastmod></sitemap>
<sitemap><loc>http://mapa.test/mapa.xml</loc></sitemap></sitemapindex>"""
MAP_PAGES = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>http://mapa.test/a</loc><lastmod>2021-04-02</lastmod></url>
<url><loc>http://mapa.test/b</loc><lastmod>2021-04-20</lastmod><image:image><image:loc>http://mapa.test/b.jpg</image:loc>
</image:image></url>
<url><loc>http://mapa.test/vieja</loc><lastmod>2020-04-20</lastmod></url></urlset>"""
THREAD = {
    "/tema/5": page(
        script(
            {
                "@type": "DiscussionForumPosting",
                "headline": "Parque sin luz",
                "text": "No hay luz desde el lunes.",
                "url": "http://tertulia.test/tema/5",
                "datePublished": "2021-04-03T10:00:00-05:00",
                "author": {"@type": "Person", "name": "Ñusta Mamani", "url": "http://tertulia.test/u/nusta"},
                "interactionStatistic": {"interactionType": "https://schema.org/LikeAction", "userInteractionCount": 4},
                "comment": [comment(1, "Aquí tampoco")],
            }
        ),
        '<a rel="next" href="/tema/5?pagina=2">2</a>',
    ),
    "/tema/5?pagina=2": page(
        script(
            {
                "@type": "DiscussionForumPosting",
                "headline": "Parque sin luz",
                "url": "http://tertulia.test/tema/5",
                "comment": [comment(2, "Ya volvió", url="http://tertulia.test/tema/5?pagina=2#comment-2")],
            }
        ),
        '<a rel="next" href="/tema/5">1</a>',
    ),
}
QUESTIONS = page(
    script(
        {
            "@type": "FAQPage",
            "mainEntity": [{"@type": "Question", "name": "¿Horario?", "acceptedAnswer": {"@type": "Answer", "text": "8 a 5"}}],
        },
        {
            "@type": "QAPage",
            "mainEntity": {
                "@type": "Question",
                "name": "¿Dónde reporto un hueco?",
                "text": "En mi cuadra hay tres.",
                "dateCreated": 1618000000,
                "suggestedAnswer": [{"@type": "Answer", "@id": "#respuesta-8", "text": "En la plataforma.", "upvoteCount": 2}],
            },
        },
        {
            "@type": "Product",
            "name": "Combi",
            "review": [{"@type": "Review", "reviewBody": "Va muy lleno", "datePublished": "2021-04-09"}],
        },
    )
)
RDFA = """<div vocab="https://schema.org/" typeof="BlogPosting"><h1 property="headline">Parque</h1><time property="datePublished"
datetime="2021-04-11T08:00:00-05:00">x</time><div property="comment" typeof="Comment" resource="#c1">
<p property="text">Hermoso</p>
<time property="dateCreated" datetime="2021-04-11T09:00:00-05:00">x</time></div></div>"""
BROKEN = page(
    '<script type="application/ld+json">{"@type": "Comment", "text": "sin cerrar</script>',
    '<script type="application/ld+json"><!--\n{"@type": "Comment", "@id": "#c1", "text": "Con una coma\nde más",}\n--></script>',
    f'<script type="APPLICATION/LD+JSON; charset=utf-8">//<![CDATA[\n{json.dumps(comment(2, "Envuelto"))}\n//]]></script>',
    script(
        "suelto",
        7,
        None,
        [[]],
        {"@type": ["Comment", 5, None], "text": {"raro": 1}, "author": [[]], "url": ["x"], "upvoteCount": {}},
    ),
)
HUGE = page(
    '<script type="application/ld+json">{"@type": "Comment", "text": "' + "x" * 9_000_000 + '"}</script>',
    '<script type="application/ld+json">' + '{"comment":' * 20_000 + "</script>",
    '<script type="application/ld+json">' + "[" * 100_000 + "</script>",
    script(comment(3, "Queda")),
)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    canal = {
        "/rss": reply(FEED.encode(), "application/rss+xml"),
        "/bus?utm_medium=rss": page("no"),
        "/bus": page(BOTH, MICRO),
    }
    mapa = {
        "/sitemap.xml": reply(MAP_INDEX.encode(), "application/xml"),
        "/mapa-2021.xml.gz": reply(gzip.compress(MAP_PAGES.encode()), "application/gzip"),
        "/mapa.xml": reply(b"http://mapa.test/c\nhttp://mapa.test/a\n", "text/plain"),
        **{f"/{name}": page(script(article(comment(1, f"En {name}"), title=name))) for name in "abc"},
    }
    lab.web.sites |= {
        "diario.test": pages_of(reply, NEWS),
        "canal.test": pages_of(reply, canal),
        "mapa.test": pages_of(reply, mapa),
        "tertulia.test": pages_of(reply, THREAD),
        "preguntas.test": pages_of(reply, {"/": QUESTIONS}),
        "rdfa.test": pages_of(reply, {"/": page(RDFA)}),
        "roto.test": pages_of(reply, {"/": BROKEN}),
        "enorme.test": pages_of(reply, {"/": HUGE}),
        "sin-datos.test": pages_of(reply, {"/": page('<h2><a href="/a">a</a></h2>'), "/a": page("<p>Nada</p>")}),
        "sin-enlaces.test": pages_of(reply, {"/": page("<p>En construcción</p>")}),
        "fuera.test": pages_of(reply, {"/": page('<h2><a href="http://otro.test/a">a</a></h2>')}),
        "sin-mapa.test": pages_of(reply, {"/sitemap.xml": page("<p>No está</p>")}),
        "sin-canal.test": pages_of(reply, {"/rss": page("<p>No está</p>")}),
    }
    links = {"articles": {"css": "h2 a"}}
    news = {"articles": {"css": "h2 a", "next_page": "a.mas"}}
    sources = [
        lab.source("diario", "structured", "http://diario.test/", options=news, publisher={"authors": ["Municipalidad de Ate"]}),
        lab.source("canal", "structured", "http://canal.test/", options={"articles": {"feed": "http://canal.test/rss"}}),
        lab.source("mapa", "structured", "http://mapa.test/", options={"articles": {"sitemap": "http://mapa.test/sitemap.xml"}}),
        lab.source("tertulia", "structured", "http://tertulia.test/tema/5", options={"more_comments": "a[rel=next]"}),
        *(lab.source(name, "structured", f"http://{name}.test/") for name in ("preguntas", "rdfa", "roto", "enorme")),
        *(
            lab.source(name, "structured", f"http://{name}.test/", options=links)
            for name in ("sin-datos", "sin-enlaces", "fuera")
        ),
        lab.source(
            "sin-mapa",
            "structured",
            "http://sin-mapa.test/",
            options={"articles": {"sitemap": "http://sin-mapa.test/sitemap.xml"}},
        ),
        lab.source(
            "sin-canal", "structured", "http://sin-canal.test/", options={"articles": {"feed": "http://sin-canal.test/rss"}}
        ),
    ]
    return lab.crawl(sources)


def asked(lab: Any, host: str) -> list[str]:
    return [seen.path for seen in lab.web.pages(host)]


def test_index_is_left_where_articles_are_long_before_the_window(lab: Any, crawled: Any) -> None:
    assert sorted(asked(lab, "diario.test")) == sorted(
        ["/", "/nota-1/", "/nota-2/", "/p2", "/nota-3/", "/no-hay/", "/p3", "/vieja/"]
    )
    assert asked(lab, "diario.test")[:3] == ["/", "/nota-1/", "/nota-2/"]
    assert crawled.outcome("diario") == ("partial", "http_error")


def test_comment_fields(crawled: Any) -> None:
    item = crawled.people("diario")["/nota-1/#comment-1"]
    assert item.text == "Ya era hora.\n¿Y el año pasado?"
    assert item.published_at == datetime(2021, 4, 10, 17, tzinfo=UTC)
    assert item.published_raw == "2021-04-10T12:00:00-05:00"
    assert item.url == "http://diario.test/nota-1/#comment-1"
    assert item.parent_id == "article:http://diario.test/nota-1/"
    assert (item.title, item.reactions, len(item.author_key)) == ("Pistas en Vitarte", 7, 32)


def test_odd_comments(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("diario")}
    reply = by_id["/nota-1/#comment-2"]
    assert (reply.kind, reply.parent_id) == ("official", "/nota-1/#comment-1")
    third = by_id["/nota-1/#comment-3"]
    assert (third.text, third.author_key) == ("Sigue igual\nen mi cuadra", None)
    assert third.modified_at == datetime(2021, 4, 11, 12, tzinfo=UTC)
    assert by_id["/nota-1/#comment-4"].published_at is None
    assert not {"/nota-1/#comment-5", "/nota-1/#comment-6"} & set(by_id)
    nameless = [item for item in crawled.items("diario") if str(item.native_id).startswith("row:")]
    assert [item.text for item in nameless] == ["Sin nombre ni número"] * 2
    assert len({item.native_id for item in nameless}) == 2
    assert crawled.health("diario").skipped_count == 1


def test_one_number_in_two_articles_is_two_comments(crawled: Any) -> None:
    people = crawled.people("diario")
    assert people["/nota-2/#comment-1"].text == "El uno de otra nota"
    assert people["/nota-2/#comment-1"].title == "Dos"


def test_articles_are_context(crawled: Any) -> None:
    found = [item for item in crawled.items("diario") if item.kind == "article"]
    assert len(found) == 4
    first = next(item for item in found if item.native_id == "article:http://diario.test/nota-1/")
    assert (first.title, first.text) == ("Pistas en Vitarte", "Se inician obras.\nDurarán un mes.")


def test_feed_of_articles_and_the_syntax_that_tells_the_most(lab: Any, crawled: Any) -> None:
    assert asked(lab, "canal.test") == ["/rss", "/bus"]
    people = crawled.people("canal")
    assert {name: item.parent_id for name, item in people.items()} == {
        "/bus#k1": "article:http://canal.test/bus",
        "/bus#k2": "/bus#k1",
    }
    assert people["/bus#k1"].published_at == datetime(2021, 4, 11, 4, 30, tzinfo=UTC)
    assert len([item for item in crawled.items("canal") if item.kind == "article"]) == 1
    assert crawled.outcome("canal") == ("ok", "none")


def test_sitemaps_packed_plain_and_nested(lab: Any, crawled: Any) -> None:
    places = asked(lab, "mapa.test")
    assert sorted(places) == sorted(["/sitemap.xml", "/mapa-2021.xml.gz", "/mapa.xml", "/b", "/a", "/c"])
    assert places.index("/b") < places.index("/a")
    assert {item.text for item in crawled.people("mapa").values()} == {"En a", "En b", "En c"}
    assert crawled.outcome("mapa") == ("ok", "none")


def test_thread_of_a_forum_over_two_pages(lab: Any, crawled: Any) -> None:
    people = crawled.people("tertulia")
    assert {name: item.parent_id for name, item in people.items()} == {
        "/tema/5": None,
        "/tema/5#comment-1": "/tema/5",
        "/tema/5#comment-2": "/tema/5",
    }
    assert (people["/tema/5"].text, people["/tema/5"].reactions) == ("No hay luz desde el lunes.", 4)
    assert {item.title for item in people.values()} == {"Parque sin luz"}
    assert asked(lab, "tertulia.test") == ["/tema/5", "/tema/5"]
    assert crawled.outcome("tertulia") == ("ok", "none")
    assert "nusta" not in crawled.written().lower()


def test_questions_answers_and_reviews(crawled: Any) -> None:
    people = crawled.people("preguntas")
    texts = {item.text: item for item in people.values()}
    assert set(texts) == {"En mi cuadra hay tres.", "En la plataforma.", "Va muy lleno"}
    assert texts["En mi cuadra hay tres."].published_at == datetime(2021, 4, 9, 20, 26, 40, tzinfo=UTC)
    assert texts["En la plataforma."].parent_id == texts["En mi cuadra hay tres."].native_id
    assert people["/#respuesta-8"].reactions == 2


def test_rdfa(crawled: Any) -> None:
    assert crawled.people("rdfa")["/#c1"].text == "Hermoso"
    assert crawled.outcome("rdfa") == ("ok", "none")


def test_broken_data_costs_only_itself(crawled: Any) -> None:
    assert {name: item.text for name, item in crawled.people("roto").items()} == {
        "/#c1": "Con una coma\nde más",
        "/#comment-2": "Envuelto",
    }
    assert crawled.outcome("roto") == ("partial", "malformed")
    assert "sin cerrar" not in crawled.written()


def test_huge_and_deep_data_is_told_and_the_rest_read(crawled: Any) -> None:
    assert {item.text for item in crawled.people("enorme").values()} == {"Queda"}
    assert crawled.outcome("enorme") == ("partial", "malformed")
    assert "characters was not read" in crawled.health("enorme").detail


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sin-datos", "schema.org data"),
        ("sin-enlaces", "no link matches"),
        ("fuera", "another host than the source's: otro.test"),
        ("sin-mapa", "not a readable sitemap"),
        ("sin-canal", "feed"),
    ],
)
def test_what_leads_nowhere_is_named(crawled: Any, name: str, told: str) -> None:
    assert crawled.outcome(name) == ("failed", "malformed")
    assert told in crawled.health(name).detail


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\x1f\x8bno", b"<rss/>", b"nada"])
def test_what_is_no_sitemap(body: bytes) -> None:
    with pytest.raises(SourceProblem, match="not a readable sitemap"):
        parse_sitemap(body, url="http://x.test/s.xml")


def test_sitemap_that_breaks_off_or_unfolds_without_end() -> None:
    broken = MAP_PAGES.partition("<url><loc>http://mapa.test/vieja")[0].encode()
    found = parse_sitemap(broken, url="http://x.test/")
    assert found.pages == [Listed("http://mapa.test/a", "2021-04-02"), Listed("http://mapa.test/b", "2021-04-20")]
    assert found.cut
    bomb = gzip.compress(b"http://mapa.test/a\n" + b" " * 40_000_000)
    assert len(bomb) < 100_000
    unfolded = parse_sitemap(bomb, url="http://x.test/")
    assert (unfolded.pages, unfolded.cut) == ([Listed("http://mapa.test/a", None)], True)


@pytest.mark.parametrize(
    "articles",
    [
        {},
        {"css": "a", "feed": "http://x.test/rss"},
        {"feed": "http://x.test/rss", "next_page": "a"},
        {"sitemap": "ftp://x.test/mapa.xml"},
        {"enlaces": "a"},
    ],
)
def test_articles_are_found_in_one_way(articles: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        StructuredOptions.model_validate({"articles": articles})
