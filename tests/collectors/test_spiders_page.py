"""HTML sites in three markups: index pages, threads of several pages, nested answers, encodings, old articles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

Query = dict[str, list[str]]
OPINIONS = {
    "markup": "selectors",
    "article_links": "h3.titular a",
    "next_page": "a.siguiente",
    "article": {"title": "h1.titulo", "date": "p.fecha", "body": "div.nota"},
    "comment": {
        "item": "div.opinion",
        "id": "@data-id",
        "parent": "@data-padre",
        "author": "b.nombre",
        "date": "span.cuando",
        "text": "div.dicho",
        "reactions": "span.votos",
    },
    "more_comments": "a.mas",
}
LIST_ARTICLE = """<html><head><link rel="next" href="/no-soy-un-indice"></head><body>
<article><h1>Obras en Vitarte</h1><time datetime="2021-04-05T08:00:00-05:00">5 abr</time>
<div class="entry-content"><p>Empiezan las obras.</p><script>var x = "no";</script></div></article>
<ol><li class="comment" id="comment-1"><cite class="fn">Rosa Quispe</cite>
<time datetime="2021-04-06T23:59:59-05:00">ayer</time>
<div class="comment-content"><p>Ya era hora &ndash; señores</p></div>
<ol class="children"><li class="comment" id="comment-2"><cite class="fn">Municipalidad de Ate</cite>
<time datetime="2021-04-07T09:00:00-05:00">x</time>
<div class="comment-content"><p>Gracias.</p></div>
<ol class="children"><li class="comment" id="comment-3"><cite class="fn">Rosa Quispe</cite>
<div class="comment-content">De nada</div></li>
</ol></li></ol></li>
<li class="comment" id="comment-4"><div class="comment-content"> </div></li></ol>
<div class="comment-navigation"><a class="next" href="/nota-1/comentarios-2/">Más</a></div></body></html>"""
LIST_SECOND = """<article><h1>Obras en Vitarte</h1></article><ol><li class="comment" id="comment-5"><cite class="fn">Ana</cite>
<time datetime="2021-04-08T10:00:00-05:00">x</time><div class="comment-content">Segunda página</div></li></ol>"""
MICRO_ARTICLE = """<article itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">Bus nuevo</h1>
<time itemprop="datePublished" datetime="2021-04-10T08:00:00"></time><div itemprop="articleBody"><p>Llega el bus.</p></div>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="k1"><span itemprop="author" itemscope>
<span itemprop="name">Luis Mamani</span></span><time itemprop="dateCreated" datetime="2021-04-10T23:30:00">x</time>
<div itemprop="text">Pasa lleno</div><span itemprop="upvoteCount">12</span>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="k2"><time itemprop="dateCreated"
datetime="2021-04-11T01:00:00">x</time><div itemprop="text">Cierto</div></div></div></article>"""


def opinion(number: int, text: str, *, parent: str = "", date: str = "5/04/2021 11:30 p. m.") -> str:
    return (
        f'<div class="opinion" data-id="o{number}"{parent}><b class="nombre">Vecino {number}</b>'
        f'<span class="cuando">{date}</span>'
        f'<span class="votos">{number}</span><div class="dicho"><p>{text}</p></div></div>'
    )


def note(date: str, *opinions: str, more: str = "") -> str:
    return f'<h1 class="titulo">Nota</h1><p class="fecha">{date}</p><div class="nota">Cuerpo</div>{"".join(opinions)}{more}'


def index(*links: str, following: str = "") -> str:
    titles = "".join(f'<h3 class="titular"><a href="{link}">t</a></h3>' for link in links)
    return titles + (f'<a class="siguiente" href="{following}">Siguiente</a>' if following else "")


def pages_of(reply: Any, pages: dict[str, Any], *, encoding: str = "utf-8", kind: str = "text/html") -> Callable[..., Any]:
    def site(path: str, query: Query) -> Any:
        page = pages.get(path)
        return reply(page.encode(encoding), kind) if isinstance(page, str) else page

    return site


CAPITAL = {
    "/": index("/a", "/b", "http://otra.test/fuera", following="/p2"),
    # "/b" again: newer articles push old ones onto the next page; "/a#x" is the same page.
    "/p2": index("/b", "/a#comentarios", following="/p3"),
    "/p3": index("/c", following="/p4"),
    "/p4": index("/vieja", following="/p5"),
    "/p5": index("/mas-vieja"),
    "/a": note("lunes 5 de abril de 2021", opinion(1, "El niño"), opinion(2, "Sí", parent=' data-padre="o1"')),
    "/b": note(
        "04/05/2021", opinion(3, "Día primero", date="04/05/2021"), opinion(4, "¿Cuándo?", date="31/31/2021"), opinion(5, "Uno")
    ),
    "/c": note("1 de marzo de 2021", opinion(6, "Marzo")),
    "/vieja": note("1 de enero de 2021", opinion(7, "Enero")),
    "/mas-vieja": note("1 de diciembre de 2020", opinion(8, "Diciembre")),
}


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    spanish = {"/": index("/a"), "/a": note("05/04/2021", opinion(1, "Señora, mañana ¿sí? “ya” – año €"))}
    sites = {
        "lista": pages_of(
            reply,
            {
                "/noticias/": '<article><h2><a href="../nota-1/">Obras</a></h2></article>',
                "/nota-1/": LIST_ARTICLE,
                "/nota-1/comentarios-2/": LIST_SECOND,
            },
        ),
        "micro": pages_of(reply, {"/": '<a itemprop="url" href="/bus">Bus</a>', "/bus": MICRO_ARTICLE}),
        "capital": pages_of(reply, CAPITAL),
        "ansi": pages_of(reply, spanish, encoding="cp1252"),
        "ansi-mal": pages_of(reply, spanish, encoding="cp1252", kind="text/html; charset=utf-8"),
        "utf-mal": pages_of(reply, spanish, kind="text/html; charset=iso-8859-1"),
        "bom": pages_of(reply, spanish, encoding="utf-8-sig"),
        "sin-enlaces": pages_of(reply, {"/": "<p>Sitio en construcción</p>"}),
        "rota": pages_of(
            reply,
            {
                "/": index("/mal", "/no-hay", "/a", following="/p2"),
                "/mal": reply(b"500", status=500),
                "/a": note("05/04/2021", opinion(1, "Queda")),
                "/p2": index("/b"),
                "/b": note("06/04/2021", opinion(2, "También")),
            },
        ),
        "prohibida": pages_of(
            reply,
            {
                "/robots.txt": "User-agent: *\nDisallow: /cerrado\n",
                "/": index("/cerrado/1", "/a", following="/p2"),
                "/cerrado/1": note("05/04/2021", opinion(9, "No se lee")),
                "/a": note("05/04/2021", opinion(1, "Se lee")),
                "/p2": index("/b"),
                "/b": note("06/04/2021", opinion(2, "También")),
            },
        ),
        "ciclo": pages_of(
            reply,
            {
                "/": index("/a", following="/p2"),
                "/p2": index("/a", following="/"),
                "/a": note("05/04/2021", opinion(1, "Una"), more='<a class="mas" href="/a?p=2">más</a>'),
            },
        ),
    }
    again = note("06/04/2021", opinion(1, "Otra persona"))
    reply_to_first = note("05/04/2021", opinion(1, "Una"), opinion(2, "Dos", parent=' data-padre="o1"'))
    sites |= {
        "sin-ids": pages_of(
            reply,
            {
                "/": index("/a"),
                "/a": note("05/04/2021", *(opinion(1, "Gracias").replace('data-id="o1"', "") for _ in range(3))),
            },
        ),
        "repite": pages_of(reply, {"/": index("/a", "/b"), "/a": reply_to_first, "/b": again}),
        "hilos": pages_of(reply, {"/": index("/a", "/b?t=2"), "/a": reply_to_first, "/b": again}),
        "fuera": pages_of(reply, {"/": index("http://otra.test/a", "http://otra.test/b")}),
        "muda": pages_of(
            reply,
            {
                "/": index(*"abcd"),
                "/a": note("05/04/2021", *(opinion(number, "") for number in range(3))),
                **{f"/{name}": note("05/04/2021") for name in "bcd"},
            },
        ),
        "personas": pages_of(reply, {"/": index("/u/juan.perez", "/a"), "/u/juan.perez": reply(b"x", status=500), "/a": again}),
    }
    lab.web.sites |= {f"{name}.test": site for name, site in sites.items()}
    markups: dict[str, Any] = {"lista": {"markup": "comment_list"}, "micro": {"markup": "microdata"}}
    markups["hilos"] = {**OPINIONS, "ids": "thread"}
    paths = {"lista": "/noticias/"}
    sources = [
        lab.source(
            name,
            "page",
            f"http://{name}.test{paths.get(name, '/')}",
            options=markups.get(name, OPINIONS),
            publisher={"authors": ["Municipalidad de Ate"], "official": name == "micro"},
        )
        for name in sites
    ]
    return lab.crawl(sources)


def test_comment_list(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("lista")}
    base = "http://lista.test/nota-1/"
    assert list(items) == [f"article:{base}", "comment-1", "comment-2", "comment-3", "comment-5"]
    article = items[f"article:{base}"]
    assert (article.kind, article.title, article.text) == ("article", "Obras en Vitarte", "Empiezan las obras.")
    first = items["comment-1"]
    assert first.text == "Ya era hora – señores"
    assert first.published_at == datetime(2021, 4, 7, 4, 59, 59, tzinfo=UTC)
    assert first.url == f"{base}#comment-1"
    assert [items[name].parent_id for name in ("comment-1", "comment-2", "comment-3")] == [
        f"article:{base}",
        "comment-1",
        "comment-2",
    ]
    assert items["comment-2"].kind == "official"
    assert (items["comment-3"].published_at, items["comment-3"].published_raw) == (None, None)
    assert crawled.health("lista").undated_count == 1
    assert crawled.health("lista").skipped_count == 1


def test_second_page_of_a_thread_answers_the_article(crawled: Any) -> None:
    item = crawled.people("lista")["comment-5"]
    assert item.parent_id == "article:http://lista.test/nota-1/"
    assert item.url == "http://lista.test/nota-1/comentarios-2/#comment-5"


def test_microdata(crawled: Any) -> None:
    items = {item.native_id: item for item in crawled.items("micro")}
    assert items["article:http://micro.test/bus"].kind == "official"  # of an official publisher
    first, answer = items["k1"], items["k2"]
    assert (first.text, first.reactions, answer.reactions) == ("Pasa lleno", 12, None)
    assert (first.parent_id, answer.parent_id) == ("article:http://micro.test/bus", "k1")
    assert first.published_at == datetime(2021, 4, 11, 4, 30, tzinfo=UTC)  # Lima, no offset written
    assert answer.author_key is None
    assert first.kind == answer.kind == "manifestation"


def test_selectors(crawled: Any) -> None:
    items = crawled.people("capital")
    assert items["o1"].published_at == datetime(2021, 4, 6, 4, 30, tzinfo=UTC)
    assert (items["o1"].parent_id, items["o2"].parent_id) == ("article:http://capital.test/a", "o1")
    assert items["o5"].reactions == 5
    assert items["o1"].url == "http://capital.test/a#o1"


def test_dates_in_figures_are_day_first_and_never_guessed(crawled: Any) -> None:
    items = crawled.people("capital")
    assert items["o3"].published_at == datetime(2021, 5, 4, 5, tzinfo=UTC)
    assert (items["o4"].published_at, items["o4"].published_raw) == (None, "31/31/2021")


def test_index_goes_on_past_known_articles_and_stops_at_old_ones(lab: Any, crawled: Any) -> None:
    asked = [seen.path for seen in lab.web.pages("capital.test")]
    assert sorted(asked) == ["/", "/a", "/b", "/c", "/p2", "/p3", "/p4", "/vieja"]
    assert crawled.outcome("capital") == ("ok", "none")
    assert lab.web.pages("otra.test") == []


def test_index_that_turns_in_a_circle_ends(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("ciclo") == ("ok", "none")
    assert len(lab.web.pages("ciclo.test")) == 4
    assert len(crawled.people("ciclo")) == 1


@pytest.mark.parametrize("name", ["ansi", "ansi-mal", "utf-mal", "bom"])
def test_letters_survive_wrong_labels(crawled: Any, name: str) -> None:
    assert crawled.people(name)["o1"].text == "Señora, mañana ¿sí? “ya” – año €"


def test_index_without_links_has_failed(crawled: Any) -> None:
    assert crawled.outcome("sin-enlaces") == ("failed", "malformed")
    assert "h3.titular a" in crawled.health("sin-enlaces").detail


def test_failing_articles_are_told_and_the_next_index_page_is_read(crawled: Any) -> None:
    assert crawled.outcome("rota") == ("partial", "http_error")
    assert {"HTTP 500 at http://rota.test/mal", "HTTP 404 at http://rota.test/no-hay"} == set(
        crawled.health("rota").detail.split("; ")
    )
    assert set(crawled.people("rota")) == {"o1", "o2"}


def test_disallowed_article_is_not_asked_and_the_rest_is(lab: Any, crawled: Any) -> None:
    assert "/cerrado/1" not in {seen.path for seen in lab.web.pages("prohibida.test")}
    assert crawled.outcome("prohibida") == ("ok", "robots_closed")
    assert crawled.health("prohibida").robots == "disallowed"
    assert set(crawled.people("prohibida")) == {"o1", "o2"}


def test_comments_without_ids_stay_apart(crawled: Any) -> None:
    people = [item for item in crawled.items("sin-ids") if item.kind == "manifestation"]
    assert len({item.native_id for item in people}) == len(people) == 3
    assert {item.parent_id for item in people} == {"article:http://sin-ids.test/a"}


def test_ids_that_repeat_in_two_threads_are_told_with_the_remedy(crawled: Any) -> None:
    assert crawled.outcome("repite") == ("partial", "malformed")
    detail = crawled.health("repite").detail
    assert "http://repite.test/a and http://repite.test/b: two different comments with one id" in detail
    assert "`ids: thread`" in detail


def test_ids_of_a_thread_carry_its_address(crawled: Any) -> None:
    assert crawled.outcome("hilos") == ("ok", "none")
    items = crawled.people("hilos")
    assert set(items) == {"/a#o1", "/a#o2", "/b?t=2#o1"}
    assert items["/a#o2"].parent_id == "/a#o1"
    assert items["/a#o1"].parent_id == "article:http://hilos.test/a"
    assert items["/a#o1"].url == "http://hilos.test/a#o1"


def test_index_that_leads_elsewhere_has_failed(crawled: Any) -> None:
    assert crawled.outcome("fuera") == ("failed", "malformed")
    assert "another host: otra.test" in crawled.health("fuera").detail


def test_comments_without_words_are_told(crawled: Any) -> None:
    assert crawled.outcome("muda") == ("partial", "malformed")
    assert "3 of 3 items had no text" in crawled.health("muda").detail


def test_addresses_of_persons_are_not_written(crawled: Any) -> None:
    assert crawled.outcome("personas") == ("partial", "http_error")
    assert crawled.health("personas").detail == "HTTP 500 at personas.test/…"
    assert "juan.perez" not in crawled.written()
