"""Simple Machines forums: the pages of 2.1 and of 2.0 (sessions in the address), and the feeds of both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

Query = dict[str, list[str]]
CLOCK = "2021-05-01T09:00:00-05:00"
ROOT = "http://vecinos.test/smf/index.php"


def page(*parts: str, title: str = "Foro") -> str:
    return f'<html><head><title>{title}</title></head><body><div id="main_content_section">{"".join(parts)}</div></body></html>'


def board(number: int, last: str, *, icon: str = "board_off", children: str = "") -> str:
    inner = (
        f'<div id="board_{number}_children" class="children"><p><strong>Subforos</strong>{children}</p></div>' if children else ""
    )
    return (
        f'<div id="board_{number}" class="up_contain"><div class="board_icon">'
        f'<a href="{ROOT}?board={number}.0" class="{icon}"></a></div>'
        f'<div class="info"><a class="subject mobile_subject" href="{ROOT}?board={number}.0" id="b{number}">Tablero {number}</a>'
        f'<div class="board_description">Para vecinos</div></div><div class="lastpost"><p><strong>Último mensaje: '
        f"</strong>{last} "
        f'<span class="postby"><a href="{ROOT}?topic=1.msg9#new">Asunto</a> por Ñusta</span></p></div>{inner}</div>'
    )


def row(topic: int, last: str, *, kind: str = "windowbg", icons: str = "") -> str:
    return (
        f'<div class="{kind}"><div class="board_icon"><img src="/Themes/default/images/post/xx.png" alt=""></div>'
        f'<div class="info info_block">'
        f'<div><div class="icons floatright">{icons}</div><div class="message_index_title"><span class="preview">'
        f'<span id="msg_{topic}9">'
        f'<a href="{ROOT}?topic={topic}.0">Tema {topic}</a></span></span></div><p class="floatleft">Iniciado por x</p>'
        f'<span id="pages{topic}9" class="topic_pages"><a class="nav_page" href="{ROOT}?topic={topic}.20">2</a></span></div>'
        f"</div>"
        f'<div class="lastpost"><p><a href="{ROOT}?topic={topic}.20#msg99">{last}</a><br>por '
        f'<a href="{ROOT}?action=profile;u=2">x</a></p>'
        f"</div></div>"
    )


def pager(kind: str, number: int, *places: int) -> str:
    links = "".join(f'<a class="nav_page" href="{ROOT}?{kind}={number}.{place}">{place}</a> ' for place in places)
    return (
        f'<div class="pagesection"><div class="pagelinks floatleft"><a href="#bot" class="button">Abajo</a>'
        f'<span class="pages">Páginas</span>'
        f'<span class="current_page">1</span> {links}</div></div>'
    )


def post(
    number: int, date: str, text: str, *, name: str = "Ñusta Mamani", member: bool = True, likes: str = "", state: str = ""
) -> str:
    shown = f'<a href="{ROOT}?action=profile;u=2" title="Ver perfil">{name}</a>' if member else name
    counted = f'<ul class="floatleft"><li class="like_count smalltext">{likes}</li></ul>' if likes else ""
    return (
        f'<div class="windowbg" id="msg{number}"><div class="post_wrapper"><div class="poster"><h4>{shown}</h4>'
        f'<ul class="user_info">'
        f'<li class="membergroup">Vecino</li></ul></div><div class="postarea"><div class="keyinfo"><div id="subject_{number}" '
        f'class="subject_title subject_hidden"><a href="{ROOT}?msg={number}" rel="nofollow">Re: Tema</a></div>'
        f'<span class="page_number floatright">#1</span><div class="postinfo"><span class="messageicon">'
        f'<img src="x.png" alt=""></span>'
        f'<a href="{ROOT}?msg={number}" rel="nofollow" title="Respuesta #1" class="smalltext">{date}</a><span class="spacer">'
        f"</span>"
        f'<span class="smalltext modified floatright mvisible" id="modified_{number}">'
        f'<span class="lastedit">Última modificación</span>: '
        f'Hoy</span></div></div><div class="post">{state}<div class="inner" data-msgid="{number}" '
        f'id="msg_{number}">{text}</div></div>'
        f'<div class="under_message">{counted}</div></div><div class="moderatorbar">'
        f'<div class="signature">Firma de siempre</div></div>'
        f"</div></div>"
    )


def topic(title: str, *posts: str, pages: str = "") -> str:
    head = f'<div id="display_head"><h2 class="display_title"><span id="top_subject">{title}</span></h2></div>'
    return page(head, pages, f'<div id="forumposts">{"".join(posts)}</div>', title=title)


QUOTE = (
    f'<blockquote class="bbc_standard_quote"><cite><a href="{ROOT}?msg=11">Cita de: Rosa en 07 de Abril de 2021</a>'
    "</cite>Palabras "
    f'ajenas<blockquote><cite><a href="{ROOT}?msg=10">Cita de: Otro</a></cite>Más ajenas</blockquote></blockquote>'
)
NEW = {
    "": page(
        '<div id="category_1_boards">',
        board(3, "<strong>Hoy</strong> a las 08:00:00", children=f'<span><a href="{ROOT}?board=6.0">Dentro</a></span>'),
        board(4, "14 de Febrero de 2021, 08:00:00"),
        board(5, "Ayer a las 08:00:00"),
        board(7, "Hoy a las 08:00:00", icon="board_redirect"),
        "</div>",
    ),
    "board=3.0": page(
        pager("board", 3, 20, 40),
        '<div id="messageindex"><div id="topic_container">',
        row(90, "01 de Enero de 2021, 10:00:00", kind="windowbg sticky", icons='<span class="main_icons sticky"></span>'),
        row(1, "<strong>Hoy</strong> a las 08:00:00"),
        row(8, "Hoy a las 07:30:00", icons='<span class="main_icons move"></span>'),
        row(2, "<strong>Ayer</strong> a las 10:15:00"),
        "</div></div>",
    ),
    "board=3.20": page(
        pager("board", 3, 0, 40),
        '<div id="topic_container">',
        row(3, "02 de Abril de 2021, 10:00:00"),
        row(4, "31 de Marzo de 2021, 10:00:00"),
        "</div>",
    ),
    "board=5.0": page(
        '<div id="fatal_error"><h3 class="catbg">Ha ocurrido un error</h3>'
        "<div>El foro no existe o está fuera de su alcance.</div></div>"
    ),
    "board=6.0": page('<div id="topic_container"></div>'),
    "topic=1.0": topic(
        "Huecos en la pista &amp; polvo",
        post(11, "01 de Febrero de 2021, 15:15:00", "Desde febrero.", name="Rosa Quispe"),
        post(12, "02 de Febrero de 2021, 15:15:00", "Igual."),
        pages=pager("topic", 1, 2, 4),
    ),
    "topic=1.4": topic(
        "Huecos",
        post(
            15,
            "28 de Abril de 2021, 15:15:00",
            f'{QUOTE}Sigue <img src="s.gif" alt=":)" class="smiley"> igual',
            likes='<a href="#">3 personas</a> les gusta',
        ),
        post(16, "<strong>Hoy</strong> a las 08:00:00", "¿Y mañana?", name="Invitado", member=False),
        post(17, "Hoy a las 08:10:00", "Por aprobar", state='<div class="noticebox">En espera</div>'),
        pages=pager("topic", 1, 0, 2),
    ),
    "topic=1.2": topic(
        "Huecos",
        post(13, "30 de Marzo de 2021, 15:15:00", "Marzo"),
        post(14, "03 de Abril de 2021, 15:15:00", "Abril"),
        pages=pager("topic", 1, 0, 4),
    ),
    "topic=2.0": topic("Dos", post(21, "<strong>Ayer</strong> a las 10:15:00", "Uno solo")),
    "topic=3.0": topic("Tres", post(31, "02 de Abril de 2021, 10:00:00", '<div class="codeheader">Código</div><code>x</code>')),
}
SESSION = "PHPSESSID=0a1b2c3d4e5f"
OLD_ROOT = "http://antiguo.test/index.php"
OLD_ROW = (
    '<tr><td class="icon1 {kind}"><img src="/Themes/default/images/topic/normal_post.gif" alt="" /></td><td class="icon2 {kind}">'
    '<img src="/Themes/default/images/post/{icon}.gif" alt="" /></td><td class="subject {kind}2"><div><span id="msg_{topic}9">'
    f'<a href="{OLD_ROOT}?{SESSION}&amp;topic={{topic}}.0">Tema</a></span><p>Iniciado por x</p></div></td>'
    '<td class="stats {kind}">3</td><td class="lastpost {kind}2"><a href="#"><img src="last_post.gif" alt="Último mensaje" /></a>'
    "{last}<br />por x</td></tr>"
)


def old_post(number: int, date: str, text: str, *, name: str = "Ñusta Mamani", counter: str = "") -> str:
    return (
        f'<a id="msg{number}"></a><div class="windowbg"><span class="topslice"></span><div class="post_wrapper">'
        f'<div class="poster">'
        f'<h4><img src="on.gif" alt="Desconectado" /> <a href="{OLD_ROOT}?action=profile;u=2">{name}</a></h4></div>'
        f'<div class="postarea">'
        f'<div class="flow_hidden"><div class="keyinfo"><h5 id="subject_{number}">'
        f'<a href="{OLD_ROOT}?topic=1.msg{number}#msg{number}">Re'
        f'</a></h5><div class="smalltext">&#171; <strong>{counter} en:</strong> {date} &#187;</div></div></div><div class="post">'
        f'<div class="inner" id="msg_{number}">{text}</div></div></div><div class="moderatorbar"><div class="smalltext modified">'
        f'&#171; <em>Última modificación: hoy por x</em> &#187;</div><div class="signature">Firma de siempre</div></div></div>'
        f"</div>"
    )


OLD = {
    "": page(
        f'<table><tr id="board_3" class="windowbg2"><td class="icon"><img src="/images/off.png"></td><td class="info">'
        f'<a class="subject" '
        f'href="{OLD_ROOT}?{SESSION}&amp;board=3.0" name="b3">Tablero</a></td><td class="lastpost"><p>'
        f"<strong>Último mensaje</strong> por "
        f'x<br />en <a href="{OLD_ROOT}?topic=1.msg9#new">Re: Asunto</a><br />en 07 de Abril de 2021, 15:15:00</p></td></tr>'
        f'<tr id="board_3_children"><td class="children"><strong>Subforos</strong>: '
        f'<a href="{OLD_ROOT}?{SESSION}&amp;board=6.0">Dentro'
        f'</a></td></tr><tr id="board_4"><td class="info"><a class="subject" href="{OLD_ROOT}?board=4.0">Viejo</a></td>'
        f'<td class="lastpost">'
        f"<p><strong>Último mensaje</strong> por x<br />en Asunto<br />en 01 de Enero de 2021, 15:15:00</p></td></tr></table>"
    ),
    "board=3.0": page(
        '<div id="messageindex"><table class="table_grid"><tbody>',
        OLD_ROW.format(topic=9, kind="stickybg", icon="xx", last="01 de Enero de 2020, 08:00:00"),
        OLD_ROW.format(topic=1, kind="windowbg", icon="xx", last="07 de Abril de 2021, 15:15:00"),
        OLD_ROW.format(topic=8, kind="windowbg", icon="moved", last="06 de Abril de 2021, 15:15:00"),
        OLD_ROW.format(topic=2, kind="windowbg", icon="xx", last="06 de Marzo de 2021, 15:15:00"),
        "</tbody></table></div>",
        f'<div class="pagelinks floatleft">Páginas: [<strong>1</strong>] '
        f'<a class="navPages" href="{OLD_ROOT}?{SESSION}&amp;board=3.20">2</a></div>',
    ),
    "board=6.0": page("<p>Sin temas</p>"),
    "topic=1.0": page(
        '<div id="forumposts"><h3 class="catbg">Autor Tema: Basura (Leído 12 veces)</h3>',
        old_post(5, "06 de Abril de 2021, 09:00:00", "Señores, la basura."),
        old_post(
            6,
            "07 de Abril de 2021, 15:15:00",
            f'<div class="quoteheader"><div class="topslice_quote"><a href="{OLD_ROOT}?topic=1.msg5#msg5">Cita de: x</a></div>'
            f"</div>"
            '<blockquote class="bbc_standard_quote">Palabras ajenas</blockquote><div class="quotefooter">'
            "</div>Igual por mi cuadra",
            counter="Respuesta #1",
        ),
        "</div>",
        title="Basura en el parque",
    ),
}
ATOM = f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es-ES">
<title>Foro</title><updated>2021-05-01T13:00:00Z</updated><id>http://avisos.test/smf/index.php</id>
<entry><title><![CDATA[Re: Dos]]></title><link rel="alternate" type="text/html"
href="http://avisos.test/smf/index.php?{SESSION}&amp;topic=2.msg21#msg21" />
<summary type="html"><![CDATA[<blockquote class="bbc_standard_quote">
<cite>Cita de: x</cite>Palabras ajenas</blockquote>Uno solo]]></summary>
<category term="Tablero" /><author><name><![CDATA[Ñusta Mamani]]></name><email><![CDATA[nusta@correo.test]]></email>
<uri>http://avisos.test/smf/index.php?action=profile;u=2</uri></author>
<published>2021-04-30T15:15:00Z</published><updated>2021-04-30T16:00:00Z</updated><id>tag:avisos.test,2021-04-30:msg=21</id>
</entry>
<entry><title><![CDATA[Tres]]></title><link rel="alternate" href="http://avisos.test/smf/index.php?topic=3.msg31#msg31" />
<summary type="html"><![CDATA[x]]></summary><author><name><![CDATA[Invitado]]></name></author>
<published>2021-04-02T15:00:00Z</published><updated>2021-04-02T15:00:00Z</updated><id>tag:avisos.test,2021-04-02:msg=31</id>
</entry></feed>"""
RSS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Foro</title>
<link>http://avisos.test/smf/index.php</link><description>x</description><item><title><![CDATA[Re: Dos]]></title>
<link>http://avisos.test/smf/index.php?topic=2.msg21#msg21</link><description><![CDATA[Uno solo]]></description>
<author><![CDATA[nusta@correo.test]]></author><pubDate>Fri, 30 Apr 2021 15:15:00 GMT</pubDate>
<guid isPermaLink="false">tag:avisos.test,2021-04-30:msg=21</guid></item></channel></rss>"""


def served(reply: Any, folder: str, pages: dict[str, str]) -> Any:
    def site(path: str, query: Query) -> Any:
        asked = "&".join(f"{name}={values[0]}" for name, values in query.items())
        found = pages.get(unquote(asked)) if path in (folder, f"{folder}index.php") else None
        return None if found is None else reply(found.encode())

    return site


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply

    def feeds(path: str, query: Query) -> Any:
        asked = query.get("action", [""])[0]
        if "type=rss2" in asked:
            return reply(RSS.encode(), "application/rss+xml; charset=UTF-8")
        return reply(ATOM.encode(), "application/atom+xml; charset=UTF-8") if "type=atom" in asked else None

    lab.web.sites |= {
        "vecinos.test": served(reply, "/smf/", NEW),
        "antiguo.test": served(reply, "/", OLD),
        "avisos.test": feeds,
        "reservado.test": served(reply, "/", {"": page('<form action="?action=login2" name="frmLogin" id="frmLogin"></form>')}),
    }
    sources = [
        lab.source("vecinos", "smf", f"{ROOT}?{SESSION}"),
        lab.source("antiguo", "smf", "http://antiguo.test/"),
        lab.source("avisos", "smf", "http://avisos.test/smf/", options={"way": "feed"}),
        lab.source("sin-nombres", "smf", "http://avisos.test/smf/", options={"way": "feed", "feed": "rss2", "boards": [3, 6]}),
        lab.source("reservado", "smf", "http://reservado.test/"),
    ]
    return lab.crawl(sources, city={"clock": CLOCK})


def asked(lab: Any, host: str) -> list[str]:
    return ["&".join(f"{name}={values[0]}" for name, values in seen.query.items()) for seen in lab.web.pages(host)]


def test_walk_stops_where_it_is_older_than_the_window(lab: Any, crawled: Any) -> None:
    places = asked(lab, "vecinos.test")
    boards = {"board=3.0", "board=3.20", "board=5.0", "board=6.0"}
    topics = ["topic=1.0", "topic=2.0", "topic=3.0"]
    assert set(places) == {"", *boards, *topics, "topic=1.4", "topic=1.2"}
    assert len(places) == len(set(places))
    assert [place for place in places if place in topics] == topics
    assert places.index("topic=1.4") < places.index("topic=1.2")


def test_ids_parents_and_own_words(crawled: Any) -> None:
    people = crawled.people("vecinos")
    parents = {name: item.parent_id for name, item in people.items()}
    assert parents == {
        "msg11": None,
        "msg12": "msg11",
        "msg13": "msg11",
        "msg14": "msg11",
        "msg15": "msg11",
        "msg16": "msg11",
        "msg21": None,
        "msg31": None,
    }
    item = people["msg15"]
    assert (item.text, item.title, item.reactions) == ("Sigue :) igual", "Huecos en la pista & polvo", 3)
    assert item.url == f"{ROOT}?topic=1.msg15#msg15"
    assert item.published_at == datetime(2021, 4, 28, 20, 15, tzinfo=UTC)
    assert people["msg31"].text == "x"
    for words in ("ajenas", "Firma de siempre", "Última modificación", "Por aprobar", "PHPSESSID"):
        assert words not in crawled.written()


def test_days_told_by_name(crawled: Any) -> None:
    people = crawled.people("vecinos")
    assert people["msg16"].published_at == datetime(2021, 5, 1, 13, tzinfo=UTC)
    assert people["msg21"].published_at == datetime(2021, 4, 30, 15, 15, tzinfo=UTC)
    assert people["msg21"].published_raw == "Ayer a las 10:15:00"


def test_guests_and_members(crawled: Any) -> None:
    people = crawled.people("vecinos")
    assert people["msg16"].author_key is None
    assert people["msg15"].author_key == people["msg12"].author_key != people["msg11"].author_key


def test_board_out_of_reach_is_told(crawled: Any) -> None:
    assert crawled.outcome("vecinos") == ("partial", "soft_404")
    assert "board=5.0: a login form or a message" in crawled.health("vecinos").detail
    assert crawled.outcome("reservado") == ("failed", "http_error")


def test_theme_of_2_0(lab: Any, crawled: Any) -> None:
    people = crawled.people("antiguo")
    assert {name: item.parent_id for name, item in people.items()} == {"msg5": None, "msg6": "msg5"}
    assert people["msg6"].published_at == datetime(2021, 4, 7, 20, 15, tzinfo=UTC)
    assert people["msg6"].published_raw == "07 de Abril de 2021, 15:15:00"
    assert (people["msg6"].text, people["msg6"].title) == ("Igual por mi cuadra", "Basura en el parque")
    assert set(asked(lab, "antiguo.test")) == {"", "board=3.0", "board=6.0", "topic=1.0"}
    assert crawled.outcome("antiguo") == ("ok", "none")


def test_feed_gives_the_same_ids_as_the_pages(lab: Any, crawled: Any) -> None:
    by_feed, by_page = crawled.people("avisos"), crawled.people("vecinos")
    assert set(by_feed) == {"msg21", "msg31"}
    item, seen = by_feed["msg21"], by_page["msg21"]
    assert (item.text, item.title, item.published_at) == (seen.text, seen.title, seen.published_at)
    assert item.modified_at == datetime(2021, 4, 30, 16, tzinfo=UTC)
    assert item.url == "http://avisos.test/smf/index.php?topic=2.msg21#msg21"
    assert item.author_key is not None
    assert by_feed["msg31"].author_key is None
    assert asked(lab, "avisos.test") == [
        "action=.xml;type=atom;sa=recent;limit=255",
        "action=.xml;type=rss2;sa=recent;boards=3,6;limit=255",
    ]


def test_address_of_a_mailbox_is_no_name(crawled: Any) -> None:
    assert crawled.people("sin-nombres")["msg21"].author_key is None
    assert "nusta" not in crawled.written()
