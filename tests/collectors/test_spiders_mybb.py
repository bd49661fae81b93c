"""MyBB forums: the pages of the default theme, plain and with friendly addresses, and the feeds of syndication.php."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

Query = dict[str, list[str]]
CLOCK = "2021-05-01T09:00:00-05:00"


def index(*rows: str) -> str:
    head = '<tr><td class="thead"><div><strong><a href="forumdisplay.php?fid=1">Una categoría</a></strong></div></td></tr>'
    return f'<table class="tborder"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def board(address: str, last: str, *, status: str = "forum_off", inner: str = "") -> str:
    return (
        f'<tr><td class="trow1"><span class="forum_status {status}"></span></td><td class="trow1"><strong>'
        f'<a href="{address}">Tablero'
        f'</a></strong><div class="smalltext">Para vecinos{inner}</div></td><td class="trow1">3</td><td class="trow1">9</td>'
        f'<td class="trow1"><span class="smalltext"><a href="showthread.php?tid=1&amp;action=lastpost"><strong>Asunto</strong>'
        f"</a>"
        f'<br />{last}<br />por <a href="member.php?action=profile&amp;uid=2">Ñusta</a></span></td></tr>'
    )


def row(tid: int, last: str, *, address: str = "", kind: str = "forumdisplay_regular", folder: str = "folder") -> str:
    return (
        f'<tr class="inline_row"><td class="trow1 {kind}"><span class="thread_status {folder}">&nbsp;</span></td>'
        f'<td class="trow1 {kind}"><div><span><span class="subject_old" id="tid_{tid}">'
        f'<a href="{address or f"showthread.php?tid={tid}"}">Tema</a></span></span><div>'
        f'<span class="author smalltext">x</span></div></div>'
        f'</td><td class="trow1 {kind}"><span class="lastpost smalltext">{last}<br />'
        f'<a href="showthread.php?tid={tid}&amp;action=lastpost">Último mensaje</a>: <a href="member.php?uid=2">x</a></span>'
        f"</td></tr>"
    )


def pager(*addresses: str) -> str:
    links = "".join(f'<a href="{address}" class="pagination_page">n</a>' for address in addresses)
    return f'<div class="pagination"><span class="pages">Páginas:</span> {links}</div>'


def post(
    pid: int, date: str, text: str, *, name: str = "Ñusta Mamani", member: bool = True, edited: str = "", state: str = ""
) -> str:
    shown = f'<a href="member.php?action=profile&amp;uid=2">{name}</a>' if member else name
    return (
        f'<a name="pid{pid}" id="pid{pid}"></a><div class="post {state}" id="post_{pid}"><div class="post_author">'
        f'<div class="author_information"><strong><span class="largetext">{shown}</span></strong><br />'
        f'<span class="smalltext">Vecina activa</span></div></div><div class="post_content"><div class="post_head">'
        f'<div class="float_right"><strong><a href="showthread.php?tid=1&amp;pid={pid}#pid{pid}">#1</a></strong></div>'
        f'<span class="post_date">{date} <span class="post_edit" id="edited_by_{pid}">{edited}</span></span></div>'
        f'<div class="post_body scaleimages" id="pid_{pid}">{text}</div>'
        f'<div class="signature scaleimages">Firma de siempre</div></div></div>'
    )


def thread(title: str, *posts: str, pages: tuple[str, ...] = ()) -> str:
    top = f'<tr><td class="thead"><div><strong>{title}</strong></div></td></tr>'
    return (
        f"<html><head><title>{title}</title></head><body><table class='tborder tfixed'>{top}<tr><td id='posts_container'>"
        f'<div id="posts">{"".join(posts)}</div></td></tr></table>{pager(*pages)}</body></html>'
    )


def pages_of(*numbers: int) -> tuple[str, ...]:
    return tuple(f"showthread.php?tid=1&amp;page={number}" for number in numbers)


QUOTE = (
    '<blockquote class="mycode_quote"><cite><span> (07-04-2021, 03:15 PM)</span>Ñusta escribió: '
    '<a href="http://vecinos.test/showthread.php?pid={pid}#pid{pid}" class="quick_jump"></a>'
    "</cite>Palabras ajenas</blockquote><br />"
)
CLOSED = (
    '<table class="tborder"><tr><td class="thead">Foro</td></tr><tr><td class="trow1">No tiene permiso.<ol><li>'
    '<a href="member.php?action=login">Iniciar sesión</a></li></ol></td></tr></table>'
)
SOON = '<span title="01-05-2021, 07:00 AM">hace 2 horas</span>'
EDITED = '<span class="edited_post">(Última modificación: 09-04-2021 por Ñusta.)</span>'
PAGES = {
    "/": index(
        board(
            "forumdisplay.php?fid=2", SOON, inner='<br /><strong>Subforos:</strong> <a href="forumdisplay.php?fid=5">Dentro</a>'
        ),
        board("forumdisplay.php?fid=3", "14-02-2021, 08:00 AM"),
        board("forumdisplay.php?fid=4", SOON),
        board("forumdisplay.php?fid=9", "Nunca", status="forum_offlink"),
    ),
    "/forumdisplay.php?fid=2": "<table>"
    + row(8, "01-01-2021, 08:00 AM", kind="forumdisplay_sticky")
    + row(1, SOON)
    + row(7, '<span title="30-04-2021">Ayer</span>, 09:02 PM', folder="movefolder")
    + row(2, '<span title="30-04-2021">Ayer</span>, 09:02 PM')
    + "</table>"
    + pager("forumdisplay.php?fid=2&amp;page=2", "forumdisplay.php?fid=2&amp;page=3"),
    "/forumdisplay.php?fid=2&page=2": "<table>"
    + row(2, "03-04-2021, 09:02 PM")
    + row(3, "02-04-2021, 09:02 PM")
    + row(4, "31-03-2021, 11:59 PM")
    + "</table>"
    + pager("forumdisplay.php?fid=2", "forumdisplay.php?fid=2&amp;page=3"),
    "/forumdisplay.php?fid=4": CLOSED,
    # A first page of old sticky threads only: the order of activity begins on the second.
    "/forumdisplay.php?fid=5": "<table>"
    + row(81, "01-01-2021, 08:00 AM", kind="forumdisplay_sticky")
    + row(82, "02-01-2020, 08:00 AM", kind="forumdisplay_sticky")
    + "</table>"
    + pager("forumdisplay.php?fid=5&amp;page=2"),
    "/forumdisplay.php?fid=5&page=2": "<table>" + row(9, "05-04-2021, 08:00 AM") + "</table>",
    "/showthread.php?tid=9": thread("Nueve", post(91, "05-04-2021, 08:00 AM", "Tras las fijas")),
    "/showthread.php?tid=1": thread(
        "Sin agua en Vitarte &amp; alrededores",
        post(11, "01-02-2021, 08:00 AM", "Desde febrero.", name="Rosa Quispe"),
        post(12, "02-02-2021, 08:00 AM", "Igual aquí."),
        pages=pages_of(2, 3, 4),
    ),
    "/showthread.php?tid=1&page=4": thread(
        "Sin agua",
        post(17, "28-04-2021, 12:30 PM", f"{QUOTE.format(pid=11)}Sigue<br />\nigual. {EDITED}", edited=EDITED),
        post(18, SOON, f"{QUOTE.format(pid=17)}¿Y mañana?", name="Visitante", member=False),
        post(19, SOON, "Por aprobar", state="unapproved_post"),
        pages=pages_of(1, 2, 3),
    ),
    "/showthread.php?tid=1&page=3": thread(
        "Sin agua",
        post(15, "30-03-2021, 12:30 PM", "Marzo"),
        post(16, "01-04-2021, 12:00 AM", "Abril"),
        pages=pages_of(1, 2, 4),
    ),
    "/showthread.php?tid=2": thread(
        "Dos", post(21, "03-04-2021, 09:02 PM", "Uno solo", name="Serenazgo de Ate"), '<div class="post" id="post_x">roto</div>'
    ),
    "/showthread.php?tid=3": thread("Tres", post(31, "02-04-2021, 09:02 PM", "Otro"), post(32, "fecha rota", "Sin fecha")),
}
FRIENDLY = {
    "/": index(board("http://amable.test/forum-2.html", "04-07-2021, 03:15 PM")),
    "/forum-2.html": "<table>" + row(6, "04-07-2021, 03:15 PM", address="thread-6.html") + "</table>",
    "/thread-6.html": thread("Seis", post(61, "02-01-2021, 08:00 AM", "Enero"), pages=("thread-6-page-2.html",)),
    "/thread-6-page-2.html": thread("Seis", post(62, "04-07-2021, 03:15 PM", "Abril, siete"), pages=("thread-6.html",)),
}


def served(reply: Any, pages: dict[str, str]) -> Any:
    def site(path: str, query: Query) -> Any:
        asked = "&".join(f"{name}={quote(values[0])}" for name, values in query.items())
        page = pages.get(f"{path}?{asked}" if asked else path)
        return None if page is None else reply(page.encode())

    return site


FEED = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title><![CDATA[Foro - Todos]]></title><link>http://nuevos.test/</link>
<description><![CDATA[Foro]]></description><pubDate>Sat, 01 May 2021 14:00:00 +0000</pubDate><generator>MyBB</generator>
<item><title><![CDATA[Dos]]></title><link>http://nuevos.test/showthread.php?tid=2</link>
<pubDate>Sat, 03 Apr 2021 21:02:00 -0500</pubDate>
<dc:creator><![CDATA[<a href="http://nuevos.test/member.php?action=profile&uid=2">Serenazgo de Ate</a>]]></dc:creator>
<guid isPermaLink="false">http://nuevos.test/showthread.php?tid=2</guid>
<description><![CDATA[<blockquote class="mycode_quote"><cite>X escribió:</cite>Palabras ajenas</blockquote><br />Uno solo]]>
</description>
<content:encoded><![CDATA[<blockquote class="mycode_quote"><cite>X escribió:</cite>Palabras ajenas</blockquote>
<br />Uno solo]]></content:encoded>
</item><item><title><![CDATA[Tres]]></title><link>http://nuevos.test/thread-3.html</link>
<pubDate>Fri, 02 Apr 2021 21:02:00 -0500</pubDate>
<dc:creator><![CDATA[<a href="http://nuevos.test/member.php?action=profile&uid=0">Visitante</a>]]></dc:creator>
<guid isPermaLink="false">http://nuevos.test/thread-3.html</guid><content:encoded><![CDATA[Otro]]></content:encoded></item>
</channel></rss>"""


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    lab.web.sites |= {
        "vecinos.test": served(reply, PAGES),
        "amable.test": served(reply, FRIENDLY),
        "nuevos.test": lambda path, query: reply(FEED.encode(), "text/xml") if path.endswith("syndication.php") else None,
        "sin-permiso.test": served(reply, {"/": CLOSED}),
    }
    month_first = {"date_order": "month_first"}
    sources = [
        lab.source("vecinos", "mybb", "http://vecinos.test/", publisher={"authors": ["Serenazgo de Ate"]}),
        lab.source("amable", "mybb", "http://amable.test/", options=month_first),
        lab.source("nuevos", "mybb", "http://nuevos.test/", options={"way": "feed"}),
        lab.source("pocos", "mybb", "http://nuevos.test/", options={"way": "feed", "feed": "atom1.0", "boards": [2, 3]}),
        lab.source("sin-permiso", "mybb", "http://sin-permiso.test/"),
    ]
    return lab.crawl(sources, city={"clock": CLOCK})


def asked(lab: Any, host: str) -> list[str]:
    return [seen.path + "?" + "&".join(f"{k}={v[0]}" for k, v in sorted(seen.query.items())) for seen in lab.web.pages(host)]


def test_walk_stops_where_it_is_older_than_the_window(lab: Any, crawled: Any) -> None:
    places = asked(lab, "vecinos.test")
    assert {place for place in places if "forumdisplay" in place} == {
        "/forumdisplay.php?fid=2",
        "/forumdisplay.php?fid=2&page=2",
        "/forumdisplay.php?fid=4",
        "/forumdisplay.php?fid=5",
        "/forumdisplay.php?fid=5&page=2",
    }
    threads = [place for place in places if "showthread" in place]
    assert sorted(threads) == sorted(
        [
            "/showthread.php?tid=1",
            "/showthread.php?page=4&tid=1",
            "/showthread.php?page=3&tid=1",
            "/showthread.php?tid=2",
            "/showthread.php?tid=3",
            "/showthread.php?tid=9",
        ]
    )
    assert threads.index("/showthread.php?page=4&tid=1") < threads.index("/showthread.php?page=3&tid=1")


def test_ids_parents_and_own_words(crawled: Any) -> None:
    people = crawled.people("vecinos")
    assert set(people) == {"tid_1", "pid_12", "pid_15", "pid_16", "pid_17", "pid_18", "tid_3", "pid_32", "tid_9"}
    assert {name: item.parent_id for name, item in people.items()} == {
        "tid_1": None,
        "pid_12": "tid_1",
        "pid_15": "tid_1",
        "pid_16": "tid_1",
        "pid_17": "tid_1",
        "pid_18": "pid_17",
        "tid_3": None,
        "pid_32": "tid_3",
        "tid_9": None,
    }
    assert (people["pid_17"].text, people["pid_17"].title) == ("Sigue\nigual.", "Sin agua en Vitarte & alrededores")
    assert people["pid_18"].text == "¿Y mañana?"
    assert people["pid_17"].url == "http://vecinos.test/showthread.php?pid=17&tid=1#pid17"
    assert people["tid_1"].url == "http://vecinos.test/showthread.php?tid=1"
    assert {item.native_id for item in crawled.items("vecinos") if item.kind == "official"} == {"tid_2"}
    for words in ("ajenas", "Firma de siempre", "Última modificación", "Por aprobar"):
        assert words not in crawled.written()


def test_dates_told_by_their_distance_are_read_exactly(crawled: Any) -> None:
    people = crawled.people("vecinos")
    assert people["pid_18"].published_raw == "01-05-2021, 07:00 AM"
    assert people["pid_18"].published_at == datetime(2021, 5, 1, 12, tzinfo=UTC)
    assert people["pid_16"].published_at == datetime(2021, 4, 1, 5, tzinfo=UTC)
    assert (people["pid_32"].published_at, people["pid_32"].published_raw) == (None, "fecha rota")


def test_guests_have_no_voice_of_their_own(crawled: Any) -> None:
    people = crawled.people("vecinos")
    assert people["pid_18"].author_key is None
    assert people["pid_12"].author_key == people["pid_15"].author_key != people["tid_1"].author_key


def test_login_and_broken_posts_are_told(crawled: Any) -> None:
    assert crawled.outcome("vecinos")[0] == "partial"
    detail = crawled.health("vecinos").detail
    assert "fid=4: a login form or a message" in detail
    assert "1 posts without a number or a body" in detail
    assert crawled.outcome("sin-permiso") == ("failed", "http_error")


def test_friendly_addresses_and_months_first(lab: Any, crawled: Any) -> None:
    people = crawled.people("amable")
    assert set(people) == {"tid_6", "pid_62"}
    assert people["pid_62"].published_at == datetime(2021, 4, 7, 20, 15, tzinfo=UTC)
    assert asked(lab, "amable.test") == ["/?", "/forum-2.html?", "/thread-6.html?", "/thread-6-page-2.html?"]
    assert crawled.outcome("amable") == ("ok", "none")


def test_feed_gives_the_same_ids_as_the_pages(lab: Any, crawled: Any) -> None:
    by_feed = {item.native_id: item for item in crawled.items("nuevos")}
    by_page = {item.native_id: item for item in crawled.items("vecinos")}
    assert set(by_feed) == {"tid_2", "tid_3"}
    for name, item in by_feed.items():
        seen = by_page[name]
        assert (item.text, item.title, item.published_at) == (seen.text, seen.title, seen.published_at)
    assert by_feed["tid_2"].author_key is not None
    assert by_feed["tid_3"].author_key is None
    assert [seen.query for seen in lab.web.pages("nuevos.test")] == [
        {"type": ["rss2.0"], "limit": ["50"]},
        {"type": ["atom1.0"], "fid": ["2,3"], "limit": ["50"]},
    ]
