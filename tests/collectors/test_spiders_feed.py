"""Feeds, crawled over HTTP: RSS 2.0 and Atom, whole, broken, empty, wrongly labelled and hostile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

RSS = "application/rss+xml; charset=utf-8"


def rss(*entries: str, attributes: str = "") -> str:
    return (
        f'<?xml version="1.0"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:content="http://purl.org/rss/1.0/modules/content/"{attributes}><channel><title>Foro</title>'
        f"<link>http://foro.test/</link><description>x</description>{''.join(entries)}</channel></rss>"
    )


COMMENTS = rss(
    "<item><title>Re: pistas</title><link>http://foro.test/t/1#m1</link><guid isPermaLink='false'>m1</guid>"
    "<dc:creator>Rosa Quispe</dc:creator><pubDate>Fri, 02 Apr 2021 04:59:59 +0000</pubDate>"
    "<description>corto</description><content:encoded><![CDATA[<p>El señor &amp; la niña</p><p>sin <b>agua</b></p>]]>"
    "</content:encoded></item>",
    "<item><link>http://foro.test/t/1#m2</link><guid isPermaLink='false'>m2</guid><author>Municipalidad de Ate</author>"
    "<pubDate>Sat, 03 Apr 2021 10:00:00 -0500</pubDate><description>Vecinos, ya vamos</description></item>",
    "<item><link>http://foro.test/t/1#m3</link><guid isPermaLink='false'>m3</guid>"
    "<pubDate>ayer nomás</pubDate><description>Sin fecha que se entienda</description></item>",
    "<item><link>http://foro.test/t/1#m4</link><guid isPermaLink='false'>m4</guid><description/></item>",
    "<item><link>http://foro.test/t/1#m5</link><guid>5</guid><description>Un guid que no es enlace</description></item>",
    "<item><guid isPermaLink='false'>m1b</guid><description>Sin enlace</description></item>",
)
REPEATED = rss(
    *(
        f"<item><guid isPermaLink='false'>e1</guid><pubDate>Fri, 02 Apr 2021 10:00:00 -0500</pubDate>"
        f"<description>{text}</description></item>"
        for text in ("Falta luz", "Falta luz", "Falta luz y agua")
    )
)
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">
<title>Mensajes</title><id>tag:radio.test,2021:feed</id><updated>2021-04-20T00:00:00Z</updated>
<entry><id>tag:radio.test,2021:1</id><title>Tema</title><author><name>Julio Ñahui</name></author>
<published>2021-04-20T23:59:59-05:00</published><updated>2021-04-21T08:00:00-05:00</updated>
<link rel="alternate" href="http://radio.test/1"/><content type="html">&lt;p&gt;¿Y la pista?&lt;/p&gt;</content></entry>
<entry><id>tag:radio.test,2021:2</id><title>Tema</title><updated>2021-04-21T09:00:00-05:00</updated>
<thr:in-reply-to ref="tag:radio.test,2021:1" href="http://radio.test/1"/>
<link href="http://radio.test/1#2"/><content type="text">Sigue igual</content></entry>
</feed>"""
CUT = COMMENTS[: COMMENTS.index("<item><link>http://foro.test/t/1#m3")]
ENTITY_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ja"><!ENTITY b "'
    + "&a;" * 50
    + '"><!ENTITY c "'
    + "&b;" * 50
    + '"><!ENTITY d "'
    + "&c;" * 50
    + '"><!ENTITY e "'
    + "&d;" * 50
    + '"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + rss("<item><guid>1</guid><description>&e; &x;</description></item>").removeprefix('<?xml version="1.0"?>')
)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    served: dict[str, tuple[str | bytes, str]] = {
        "foro": (COMMENTS, RSS),
        "repetido": (REPEATED, RSS),
        "radio": (ATOM, "application/atom+xml"),
        "vacio": (rss(), RSS),
        "vacio-html": (rss(), "text/html; charset=utf-8"),
        "como-html": (REPEATED, "text/html"),
        "pagina": ("<!DOCTYPE html><html><body><h1>Mantenimiento</h1></body></html>", "text/html; charset=utf-8"),
        "nada": ("", RSS),
        "cortado": (CUT, RSS),
        "bomba": (ENTITY_BOMB, RSS),
        "ansi": (rss("<item><guid>a</guid><description>La señora y el niño</description></item>").encode("cp1252"), "text/xml"),
        "avisos": (REPEATED, RSS),
        "gracias": (
            rss(
                *(
                    f"<item><author>{name}</author><pubDate>2021-04-02</pubDate><description>Gracias</description></item>"
                    for name in ("Anónimo", "N. N.", "Nina")
                )
            ),
            RSS,
        ),
    }

    def site_of(name: str) -> Any:
        body, kind = served[name]
        body = body.encode() if isinstance(body, str) else body
        return lambda path, query: lab.Reply(body, kind) if path == "/feed.xml" else None

    lab.web.sites |= {f"{name}.test": site_of(name) for name in served}
    options: dict[str, dict[str, Any]] = {name: {"options": {"entries": "manifestation"}} for name in served if name != "avisos"}
    options["foro"]["publisher"] = {"authors": ["MUNICIPALIDAD  de Ate"]}
    return lab.crawl([lab.source(name, "feed", f"http://{name}.test/feed.xml", **options.get(name, {})) for name in served])


def test_rss_entry(crawled: Any) -> None:
    item = crawled.people("foro")["m1"]
    assert item.text == "El señor & la niña\nsin agua"
    assert item.title == "Re: pistas"
    assert item.published_at == datetime(2021, 4, 2, 4, 59, 59, tzinfo=UTC)
    assert item.published_raw == "Fri, 02 Apr 2021 04:59:59 +0000"
    assert item.modified_at is None
    assert item.url == "http://foro.test/t/1#m1"
    assert item.author_key is not None


def test_rss_own_words_undated_and_empty(crawled: Any) -> None:
    kinds = {item.native_id: item.kind for item in crawled.items("foro")}
    assert kinds == dict.fromkeys(("m1", "m3", "5", "m1b"), "manifestation") | {"m2": "official"}
    undated = crawled.people("foro")["m3"]
    assert (undated.published_at, undated.published_raw) == (None, "ayer nomás")
    assert crawled.health("foro").skipped_count == 1
    assert crawled.outcome("foro") == ("ok", "none")


def test_link_that_is_no_web_address_is_none(crawled: Any) -> None:
    assert crawled.people("foro")["m1b"].url is None
    assert crawled.people("foro")["5"].url == "http://foro.test/t/1#m5"
    assert crawled.people("ansi")["a"].url is None  # a guid need not be an address


def test_atom_dates_and_parents(crawled: Any) -> None:
    first, second = crawled.items("radio")
    assert first.published_at == datetime(2021, 4, 21, 4, 59, 59, tzinfo=UTC)
    assert first.modified_at == datetime(2021, 4, 21, 13, tzinfo=UTC)
    assert (first.text, first.parent_id) == ("¿Y la pista?", None)
    assert (second.native_id, second.parent_id) == ("tag:radio.test,2021:2", "tag:radio.test,2021:1")
    assert second.published_at == datetime(2021, 4, 21, 14, tzinfo=UTC)


def test_same_item_twice_is_dropped_and_an_edit_is_kept(crawled: Any) -> None:
    assert [(item.native_id, item.text) for item in crawled.items("repetido")] == [
        ("e1", "Falta luz"),
        ("e1", "Falta luz y agua"),
    ]


def test_entries_are_articles_unless_said_otherwise(crawled: Any) -> None:
    assert {item.kind for item in crawled.items("avisos")} == {"article"}


@pytest.mark.parametrize("name", ["vacio", "vacio-html"])
def test_feed_without_entries_is_empty(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("empty", "nothing_published")


def test_wrong_media_type_alone_is_no_fault(crawled: Any) -> None:
    assert crawled.outcome("como-html") == ("ok", "none")
    assert len(crawled.items("como-html")) == 2


@pytest.mark.parametrize("name", ["pagina", "nada"])
def test_what_is_no_feed_has_failed(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("failed", "malformed")
    assert f"http://{name}.test/feed.xml" in crawled.health(name).detail


def test_cut_feed_is_read_in_part_and_said_so(crawled: Any) -> None:
    assert crawled.outcome("cortado") == ("partial", "malformed")
    assert {item.native_id for item in crawled.items("cortado")} == {"m1", "m2"}


def test_entity_bomb_costs_nothing_and_shows_no_file(crawled: Any) -> None:
    assert crawled.health("bomba").status in ("failed", "partial")
    assert "root:" not in crawled.written()
    assert sum(len(item.text) for item in crawled.items("bomba")) < 100_000


def test_unlabelled_windows_1252_keeps_its_letters(crawled: Any) -> None:
    assert crawled.people("ansi")["a"].text == "La señora y el niño"


def test_entries_without_any_id_stay_apart(crawled: Any) -> None:
    ids = [item.native_id for item in crawled.items("gracias")]
    assert len(set(ids)) == 3
    assert all(str(native_id).startswith("row:") for native_id in ids)


def test_nobodys_name_is_no_author(crawled: Any) -> None:
    keys = [item.author_key for item in crawled.items("gracias")]
    assert [key is None for key in keys] == [True, True, False]
