"""phpBB forums: the pages of prosilver (3.3 and 3.0) and the Atom feeds, from a forum that hangs a session on every link."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.spool import load_frontier

Query = dict[str, list[str]]
CLOCK = "2021-05-01T09:00:00-05:00"
POSTS_PER_PAGE, TOPICS_PER_PAGE = 3, 4


def at(day: str, clock: str = "12:00") -> datetime:
    """Return an instant in Lima's clock."""
    return datetime.fromisoformat(f"2021-{day}T{clock}:00-05:00")


@dataclass
class Written:
    number: int
    when: datetime
    html: str
    author: str = "Vecino de Huaycán"
    member: bool = True
    before: str = ""
    after: str = ""
    state: str = ""


@dataclass
class Thread:
    number: int
    title: str
    posts: list[Written]
    kind: str = ""
    moved: bool = False


@dataclass
class Forum:
    """A forum that pages as phpBB does; a new session in every answer, as for a guest without cookies."""

    reply: Any
    boards: dict[int, list[Thread]]
    subboards: dict[int, list[int]] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    repeats: bool = False
    answers: int = 0

    def link(self, script: str, query: str) -> str:
        return f"./{script}.php?{query}&amp;sid={self.answers:032x}"

    def __call__(self, path: str, query: Query) -> Any:
        self.answers += 1
        start = int(query.get("start", ["0"])[0])
        if path in ("/foro/", "/foro/index.php"):
            return self.page(self.index())
        if path == "/foro/viewforum.php":
            return self.board(int(query["f"][0]), start)
        if path == "/foro/viewtopic.php":
            return self.topic(int(query["t"][0]), 0 if self.repeats else start)
        return None

    def page(self, body: str) -> Any:
        header = f'<form class="headerspace" action="{self.link("ucp", "mode=login")}"><input type="password"></form>'
        return self.reply(f"<html><head><title>Foro</title></head><body>{header}{body}</body></html>".encode())

    def pager(self, script: str, query: str, count: int, size: int, start: int) -> str:
        last = max(0, (count - 1) // size * size)
        shown = sorted({0, last, *(start + step * size for step in (-1, 0, 1))} & set(range(0, last + 1, size)))
        links = (
            f'<li><a class="button" href="{self.link(script, f"{query}&amp;start={place}")}">{place}</a></li>' for place in shown
        )
        return f'<div class="action-bar"><div class="pagination">{count} mensajes <ul>{"".join(links)}</ul></div></div>'

    def index(self) -> str:
        rows = []
        for number, threads in self.boards.items():
            if any(number in inner for inner in self.subboards.values()):
                continue
            newest = max((post.when for thread in threads for post in thread.posts), default=None)
            inner = "".join(
                f'<a href="{self.link("viewforum", f"f={sub}")}" class="subforum read">Sub {sub}</a>'
                for sub in self.subboards.get(number, [])
            )
            last = f'por <a>x</a><br><time datetime="{newest.isoformat()}">x</time>' if newest else "No hay mensajes"
            rows.append(
                f'<li class="row"><dl class="row-item forum_read"><dt><div class="list-inner"><a class="forumtitle" '
                f'href="{self.link("viewforum", f"f={number}")}">Tablero {number}</a>{inner}</div></dt>'
                f'<dd class="lastpost"><span>{last}</span></dd></dl></li>'
            )
        rows.append(
            '<li class="row"><dl class="row-item forum_link"><dt><a class="forumtitle" href="./viewforum.php?f=77">Fuera</a></dt>'
            '<dd class="redirect"><span>Redirecciones: 9</span></dd></dl></li>'
        )
        return f'<ul class="topiclist forums">{"".join(rows)}</ul>'

    def board(self, number: int, start: int) -> Any:
        if number in self.closed:
            return self.page('<form id="login" method="post"><h2>Necesita identificarse para ver este foro.</h2></form>')
        if number in self.broken:
            return self.reply(b"error", status=500)
        pinned = [thread for thread in self.boards[number] if thread.kind]
        normal = [thread for thread in self.boards[number] if not thread.kind]
        normal.sort(key=lambda thread: thread.posts[-1].when, reverse=True)
        shown = (pinned if start == 0 else []) + normal[start : start + TOPICS_PER_PAGE]
        rows = "".join(map(self.row, shown))
        pager = self.pager("viewforum", f"f={number}", len(normal), TOPICS_PER_PAGE, start)
        return self.page(f'<h2 class="forum-title"></h2><ul class="topiclist topics">{rows}</ul>{pager}')

    def row(self, thread: Thread) -> str:
        last = thread.posts[-1]
        pager = self.pager("viewtopic", f"t={thread.number}", len(thread.posts), POSTS_PER_PAGE, 0)
        return (
            f'<li class="row bg1 {thread.kind}"><dl class="row-item {"topic_moved" if thread.moved else "topic_read"}"><dt>'
            f'<div class="list-inner"><a href="{self.link("viewtopic", f"t={thread.number}")}" '
            f'class="topictitle">{thread.title}</a>'
            f'<div class="topic-poster">por <a class="username">x</a> » <time datetime="2019-01-01T00:00:00+00:00">x</time></div>'
            f'{pager}</div></dt><dd class="lastpost"><span>por <a class="username">x</a><br>'
            f'<time datetime="{last.when.isoformat()}">x</time></span></dd></dl></li>'
        )

    def topic(self, number: int, start: int) -> Any:
        thread = next(thread for threads in self.boards.values() for thread in threads if thread.number == number)
        posts = "".join(map(self.post, thread.posts[start : start + POSTS_PER_PAGE]))
        pager = self.pager("viewtopic", f"t={number}", len(thread.posts), POSTS_PER_PAGE, start)
        title = f'<h2 class="topic-title"><a href="{self.link("viewtopic", f"t={number}")}">{thread.title}</a></h2>'
        poll = '<div class="panel"><div class="content"><h2 class="poll-title">¿Más pistas?</h2></div></div>'
        return self.page(title + pager + poll + posts + pager)

    def post(self, post: Written) -> str:
        profile = f'href="{self.link("memberlist", "mode=viewprofile&amp;u=9")}"'
        name = (
            f'<a {profile} class="username">{post.author}</a>' if post.member else f'<span class="username">{post.author}</span>'
        )
        return (
            f'<div id="p{post.number}" class="post has-profile bg2 {post.state}"><div class="inner">'
            f'<dl class="postprofile" id="profile{post.number}"><dt>{name}</dt><dd>Mensajes: 12</dd></dl><div class="postbody">'
            f'<div id="post_content{post.number}"><h3>'
            f'<a href="{self.link("viewtopic", f"p={post.number}#p{post.number}")}">Re</a></h3>'
            f'<p class="author"><a class="unread">m</a><span class="responsive-hide">por <strong>{name}</strong> &raquo; </span>'
            f'<time datetime="{post.when.isoformat()}">Mié Abr 07, 2021</time></p>{post.before}'
            f'<div class="content">{post.html}</div>{post.after}'
            f'<div id="sig{post.number}" class="signature">Firma de siempre</div></div></div></div></div>'
        )


QUOTE = (
    '<blockquote cite="./viewtopic.php?p=101#p101"><div><cite>'
    '<a href="./memberlist.php?mode=viewprofile&amp;u=3">Rosa</a> escribió: '
    '<a href="./viewtopic.php?p=101#p101" data-post-id="101">↑</a></cite>Palabras ajenas <blockquote><div><cite>Otra '
    '<a href="./viewtopic.php?p=100#p100">↑</a></cite>Más ajenas</div></blockquote></div></blockquote>'
)
LONG = [Written(200 + n, at("02-01") + timedelta(days=8 * n), f"Mensaje largo {n}") for n in range(11)]


def thread(number: int, when: datetime, **fields: Any) -> Thread:
    return Thread(number, f"Tema {number}", [Written(1000 + number, when, f"Texto del tema {number}")], **fields)


def capital(reply: Any) -> Forum:
    talk = Thread(
        10,
        "Pistas rotas &amp; veredas",
        [
            Written(100, at("04-07", "15:15"), "La avenida está <strong>rota</strong>.<br>¡Año nuevo y nada!", "Rosa Quispe"),
            Written(
                101,
                at("04-08"),
                '<blockquote class="uncited"><div>Una cita<blockquote><div><cite>Otra <a href="./viewtopic.php?p=103#p103">↑</a>'
                "</cite>Por dentro</div></blockquote></div></blockquote>Así es",
                "Invitado",
                member=False,
            ),
            Written(
                102,
                at("04-09"),
                f'Antes{QUOTE}Después <img class="smilies" alt=":-(" src="x.gif">',
                "Luis (visita)",
                member=False,
                after='<div class="notice">Última edición por Luis el Vie Abr 09, 2021, editado 1 vez</div>',
            ),
            Written(103, at("04-10"), "Ya vamos.", "Municipalidad de Ate"),
            Written(104, at("04-11"), "Escondido", state="deleted"),
            Written(105, at("04-12"), "Por aprobar", before='<p class="post-notice unapproved">Sin aprobar</p>'),
            Written(106, at("04-13"), QUOTE),
        ],
    )
    busy = [thread(number, at("04-28") - timedelta(days=number - 20)) for number in range(20, 26)]
    old = [thread(number, at("03-20") - timedelta(days=number - 40)) for number in range(40, 50)]
    long = Thread(30, "Largo", LONG)
    pinned = [thread(90, at("01-01"), kind="global-announce"), thread(91, at("04-02"), kind="sticky")]
    moved = thread(92, at("04-29"), moved=True)
    boards = {
        2: [*pinned, talk, *busy, long, moved, *old],
        3: [thread(60, at("02-02"))],
        5: [thread(61, at("04-02"))],
        6: [thread(62, at("04-20"))],
        7: [thread(63, at("04-21"))],
    }
    return Forum(reply, boards, subboards={2: [6]}, closed={5}, broken={7})


OLD_BOARD = """<div class="forumbg"><ul class="topiclist topics"><li class="row bg1"><dl class="icon"
style="background-image: url(./styles/prosilver/imageset/topic_read.gif);"><dt title="No hay mensajes nuevos">
<a href="./viewtopic.php?f=2&amp;t=5&amp;sid=0a1b2c" class="topictitle">Basura en el parque</a><br />
<strong class="pagination"><span><a href="./viewtopic.php?f=2&amp;t=5&amp;sid=0a1b2c">1</a></span></strong>
por <a href="./memberlist.php?mode=viewprofile&amp;u=2">Ñusta</a> &raquo; Dom Abr 04, 2021 8:00 am</dt>
<dd class="lastpost"><span><dfn>Último mensaje </dfn>por <a href="./memberlist.php">Ñusta</a>
<a href="./viewtopic.php?f=2&amp;t=5&amp;p=9#p9"><img src="x.gif" alt="" /></a> <br />Vie Abr 30, 2021 9:05 pm</span></dd></dl>
</li>
<li class="row bg2"><dl class="icon"><dt><a href="./viewtopic.php?f=2&amp;t=6" class="topictitle">De marzo</a></dt>
<dd class="lastpost"><span>por x<br />Mar Mar 30, 2021 9:05 pm</span></dd></dl></li></ul></div>"""


def old_post(number: int, name: str, date: str, text: str) -> str:
    return (
        f'<div id="p{number}" class="post bg2"><div class="inner"><div class="postbody"><h3>'
        f'<a href="#p{number}">Re: Basura</a></h3>'
        f'<p class="author"><a href="./viewtopic.php?p={number}#p{number}"><img alt="Nota" /></a>por '
        f"<strong>{name}</strong> &raquo; "
        f'{date} </p><div class="content">{text}</div><div class="notice">Última edición por x</div></div>'
        f'<dl class="postprofile"><dt>{name}</dt></dl></div></div>'
    )


MEMBER = '<a href="./memberlist.php?mode=viewprofile&amp;u=2">Ñusta Mamani</a>'
OLD_TOPIC = '<h2><a href="./viewtopic.php?f=2&amp;t=5">Basura en el parque</a></h2>' + "".join(
    (
        old_post(7, MEMBER, "Mié Abr 07, 2021 3:15 pm", "Señores, la basura."),
        old_post(8, "Visitante", "Ayer 9:02 pm", '<dl class="codebox"><dt>Código: </dt><dd><code>x = 1</code></dd></dl>Fin'),
        old_post(9, MEMBER, "hace menos de un minuto", "Recién ahora."),
    )
)
FEED = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es">
<link rel="self" type="application/atom+xml" href="http://avisos.test/foro/feed.php" /><title>Foro</title>
<updated>2021-04-20T10:00:00-05:00</updated><author><name><![CDATA[Foro]]></name></author>
<id>http://avisos.test/foro/feed.php</id>
<entry><author><name><![CDATA[Rosa Quispe]]></name></author><updated>2021-04-09T08:00:00-05:00</updated>
<published>2021-04-07T15:15:00-05:00</published><id>http://avisos.test/foro/viewtopic.php?p=100&amp;sid=00ff#p100</id>
<link href="http://avisos.test/foro/viewtopic.php?p=100&amp;sid=00ff#p100"/>
<title type="html"><![CDATA[Obras • Re: Pistas rotas &amp; veredas]]></title>
<content type="html" xml:base="http://avisos.test/foro/viewtopic.php?p=100#p100"><![CDATA[
La avenida está <strong>rota</strong>.<br>¡Año nuevo y nada!<blockquote class="uncited"><div>Palabras ajenas</div></blockquote>
<p>Estadísticas: Publicado por <a href="http://avisos.test/foro/memberlist.php?mode=viewprofile&amp;u=9">Rosa Quispe</a>
— Mié Abr 07, 2021</p><hr />]]></content></entry>
<entry><author><name><![CDATA[Invitado]]></name></author><updated>2021-04-08T12:00:00-05:00</updated>
<published>2021-04-08T12:00:00-05:00</published><id>http://avisos.test/foro/viewtopic.php?f=2&amp;t=10&amp;p=101#p101</id>
<link href="http://avisos.test/foro/viewtopic.php?f=2&amp;t=10&amp;p=101#p101"/><title type="html"><![CDATA[Sin luz]]></title>
<content type="html"><![CDATA[Así es<div class="codebox"><p>Código:</p><pre><code>y</code></pre></div><hr />
]]></content></entry>
<entry><updated>2021-04-08T12:00:00-05:00</updated><id>http://avisos.test/foro/index.php</id>
<link href="http://avisos.test/foro/index.php"/><title>x</title><content type="html">Sin número</content></entry></feed>"""


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    ring = Forum(reply, {2: [Thread(30, "Largo", LONG)]}, repeats=True)
    old = {"/viewforum.php": OLD_BOARD, "/viewtopic.php": OLD_TOPIC}
    feed = reply(FEED.encode(), "application/atom+xml; charset=UTF-8")
    moved = reply(b"", status=301, headers=(("Location", "/foro/app.php/feed/topics_active"),))

    def feeds(path: str, query: Query) -> Any:
        if path == "/foro/feed.php":
            return moved if "mode" in query else feed
        return feed if path == "/foro/app.php/feed/topics_active" else None

    lab.web.sites |= {
        "pistas.test": capital(reply),
        "anillo.test": ring,
        "antiguo.test": lambda path, query: reply(old[path].encode()) if path in old else None,
        "avisos.test": feeds,
        "apagado.test": lambda path, query: reply('<div id="message">Los feeds están desactivados.</div>'.encode()),
        "ajeno.test": lambda path, query: reply("<h1>Otro tema gráfico</h1><a href='./viewforum.php?f=2'>Tablero</a>".encode()),
        "mensaje.test": lambda path, query: reply('<div class="panel" id="message"><h2>El foro está cerrado</h2></div>'.encode()),
        "caido.test": lambda path, query: None if path == "/robots.txt" else reply(b"", status=429),
    }
    sources = [
        lab.source("pistas", "phpbb", "http://pistas.test/foro/", publisher={"authors": ["Municipalidad de Ate"]}),
        lab.source("uno", "phpbb", "http://pistas.test/foro/index.php?sid=abcdef", options={"boards": [6]}),
        lab.source("tema", "phpbb", "http://pistas.test/foro/viewtopic.php?t=10&sid=abcdef"),
        lab.source("anillo", "phpbb", "http://anillo.test/foro/viewforum.php?f=2"),
        lab.source("antiguo", "phpbb", "http://antiguo.test/viewforum.php?f=2"),
        lab.source("avisos", "phpbb", "http://avisos.test/foro/", options={"way": "feed"}),
        lab.source("activos", "phpbb", "http://avisos.test/foro/", options={"way": "feed", "feed": "topics_active"}),
        lab.source("tableros", "phpbb", "http://avisos.test/foro/", options={"way": "feed", "boards": [3, 4]}),
        lab.source("temas", "phpbb", "http://avisos.test/foro/", options={"way": "feed", "topics": [10]}),
        *(lab.source(name, "phpbb", f"http://{name}.test/") for name in ("ajeno", "mensaje", "caido")),
        lab.source("apagado", "phpbb", "http://apagado.test/", options={"way": "feed"}),
    ]
    return lab.crawl(sources, city={"clock": CLOCK})


def test_a_walk_that_was_cut_off_reads_no_topic_twice(lab: Any) -> None:
    """What was read whole lies in the frontier; a topic that was answered since is read again."""
    forum = Forum(lab.Reply, {2: [thread(20 + n, at("04-20") - timedelta(days=n)) for n in range(6)]})
    lab.web.sites["corto.test"] = forum
    url = "http://corto.test/foro/viewforum.php?f=2"
    first = lab.crawl([lab.source("corto", "phpbb", url, budget={"requests": 5})], city={"clock": CLOCK})
    assert first.outcome("corto") == ("partial", "budget_requests")
    known = load_frontier(first.spool, "corto")
    assert 1 <= len(known) <= 4
    answered = forum.boards[2][0]
    answered.posts.append(Written(2000, at("04-25"), "Sigue igual"))
    lab.web.seen[:] = [one for one in lab.web.seen if one.host != "corto.test"]
    rest = lab.crawl([lab.source("corto", "phpbb", url)], city={"clock": CLOCK}, extra={"frontier": {"corto": known}})
    assert rest.outcome("corto") == ("ok", "none")
    again = {number for number, _ in asked(lab, "corto.test", "viewtopic", "t")}
    assert answered.number in again
    assert len(again) == 6 - (len(known) - 1)
    people = {*first.people("corto"), *rest.people("corto")}
    assert people == {*(f"p10{20 + n}" for n in range(6)), "p2000"}
    assert rest.health("corto").item_count == 7 == len(rest.people("corto")) + len(known) - 1


def asked(lab: Any, host: str, script: str, name: str) -> list[tuple[int, int]]:
    """Return (number, start) of the requests to a script, in their order."""
    seen = [one for one in lab.web.pages(host) if one.path == f"/foro/{script}.php"]
    return [(int(one.query[name][0]), int(one.query.get("start", ["0"])[0])) for one in seen]


def test_boards_are_left_where_they_are_older_than_the_window(lab: Any, crawled: Any) -> None:
    boards = asked(lab, "pistas.test", "viewforum", "f")
    # The third page ends with topics of March, so the fourth (start=12) is not asked for.
    assert {place for place in boards if place[0] == 2} == {(2, 0), (2, 4), (2, 8)}
    assert 3 not in {number for number, _ in boards}
    assert 77 not in {number for number, _ in boards}
    assert not {number for number, _ in asked(lab, "pistas.test", "viewtopic", "t")} & {40, 41, 49, 60, 90, 92}


def test_sticky_topics_of_the_window_are_read(crawled: Any) -> None:
    people = crawled.people("pistas")
    assert {"p1091", "p1020", "p1025", "p1062"} <= set(people)
    assert not {"p1090", "p1092", "p1040"} & set(people)


def test_newest_activity_comes_first(lab: Any, crawled: Any) -> None:
    first = [number for number, _ in asked(lab, "pistas.test", "viewtopic", "t")]
    busy = [number for number in first if 20 <= number <= 25][:6]
    assert busy == sorted(busy)


def test_long_topic_is_read_from_its_end(lab: Any, crawled: Any) -> None:
    # First page, last page, and backwards until a post is older than the window.
    places = [start for number, start in asked(lab, "pistas.test", "viewtopic", "t") if number == 30]
    assert places == [0, 9, 6]
    found = {name for name in crawled.people("pistas") if name.startswith("p2")}
    assert {"p208", "p209", "p210"} <= found
    assert not {"p203", "p204", "p205"} & found


def test_no_session_is_sent_or_kept(lab: Any, crawled: Any) -> None:
    assert all("sid" not in seen.query for seen in lab.web.pages("pistas.test"))
    assert "sid=" not in crawled.written()


def test_fields_of_the_first_post(crawled: Any) -> None:
    item = crawled.people("pistas")["p100"]
    assert item.text == "La avenida está rota.\n¡Año nuevo y nada!"
    assert item.title == "Pistas rotas & veredas"
    assert item.url == "http://pistas.test/foro/viewtopic.php?p=100#p100"
    assert item.published_at == at("04-07", "15:15").astimezone(UTC)
    assert item.published_raw == "2021-04-07T15:15:00-05:00"
    assert (item.parent_id, item.author, item.reactions) == (None, None, None)
    assert len(item.author_key) == 32


def test_answers_know_what_they_answer_and_quotes_are_dropped(crawled: Any) -> None:
    people = crawled.people("pistas")
    assert (people["p101"].parent_id, people["p101"].text) == ("p100", "Así es")
    assert (people["p102"].parent_id, people["p102"].text) == ("p101", "Antes\nDespués :-(")
    assert "ajenas" not in crawled.written()
    assert "Firma de siempre" not in crawled.written()
    assert "Última edición" not in crawled.written()


def test_guests_and_members(crawled: Any) -> None:
    people = crawled.people("pistas")
    assert people["p101"].author_key is None
    assert people["p102"].author_key not in (None, people["p100"].author_key)


def test_own_words_of_the_publisher_are_official(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("pistas")}
    assert (by_id["p103"].kind, by_id["p103"].parent_id) == ("official", "p100")


def test_hidden_posts_and_mere_quotes_are_no_messages(crawled: Any) -> None:
    assert not {"p104", "p105", "p106"} & set(crawled.people("pistas"))
    assert crawled.health("pistas").skipped_count == 1


def test_board_behind_a_login_and_one_that_fails_are_told(crawled: Any) -> None:
    assert crawled.outcome("pistas") == ("partial", "login_wall")
    detail = crawled.health("pistas").detail
    assert "viewforum.php?f=5: a login form or a message" in detail
    assert "HTTP 500 at http://pistas.test/foro/viewforum.php?f=7" in detail


def test_only_the_boards_of_the_options(crawled: Any) -> None:
    assert set(crawled.people("uno")) == {"p1062"}
    assert crawled.outcome("uno") == ("ok", "none")


def test_one_topic_as_the_source(crawled: Any) -> None:
    found = {item.native_id for item in crawled.items("tema")}
    assert found == {"p100", "p101", "p102", "p103"}
    assert crawled.outcome("tema") == ("ok", "none")


def test_pages_that_repeat_end_the_walk(lab: Any, crawled: Any) -> None:
    places = [start for _, start in asked(lab, "anillo.test", "viewtopic", "t")]
    assert places == [0, 9]
    assert crawled.outcome("anillo") == ("partial", "malformed")
    assert "repeats" in crawled.health("anillo").detail


def test_old_theme_with_dates_in_words(lab: Any, crawled: Any) -> None:
    people = crawled.people("antiguo")
    assert set(people) == {"p7", "p8", "p9"}
    assert people["p7"].published_at == datetime(2021, 4, 7, 20, 15, tzinfo=UTC)
    assert people["p7"].published_raw == "Mié Abr 07, 2021 3:15 pm"
    assert people["p8"].published_at == datetime(2021, 5, 1, 2, 2, tzinfo=UTC)
    assert people["p9"].published_at == datetime(2021, 5, 1, 13, 59, tzinfo=UTC)
    assert (people["p8"].text, people["p8"].author_key, people["p8"].parent_id) == ("x = 1\nFin", None, "p7")
    assert people["p7"].title == "Basura en el parque"
    assert [seen.query["t"] for seen in lab.web.pages("antiguo.test") if "t" in seen.query] == [["5"]]


def test_feed_gives_the_same_ids_as_the_pages(crawled: Any) -> None:
    by_feed, by_page = crawled.people("avisos"), crawled.people("pistas")
    assert set(by_feed) == {"p100", "p101"}
    for name in by_feed:
        assert by_feed[name].published_at == by_page[name].published_at
    item = by_feed["p100"]
    assert item.title == by_page["p100"].title == "Pistas rotas & veredas"
    assert item.text == by_page["p100"].text
    assert item.url == "http://avisos.test/foro/viewtopic.php?p=100#p100"
    assert item.modified_at == datetime(2021, 4, 9, 13, tzinfo=UTC)
    assert len(item.author_key) == 32
    assert (by_feed["p101"].author_key, by_feed["p101"].modified_at) == (None, None)
    assert by_feed["p101"].text == "Así es\ny"
    assert crawled.outcome("avisos") == ("partial", "malformed")
    assert "1 entries" in crawled.health("avisos").detail


def test_feeds_by_mode_board_and_topic(lab: Any, crawled: Any) -> None:
    queries = [seen.query for seen in lab.web.pages("avisos.test") if seen.path == "/foro/feed.php"]
    assert queries == [{}, {"mode": ["topics_active"]}, {"f": ["3"]}, {"f": ["4"]}, {"t": ["10"]}]
    assert set(crawled.people("activos")) == set(crawled.people("avisos"))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("ajeno", ("failed", "malformed")),
        ("mensaje", ("failed", "http_error")),
        ("apagado", ("failed", "malformed")),
        ("caido", ("failed", "rate_limited")),
    ],
)
def test_what_cannot_be_read_is_named(crawled: Any, name: str, outcome: tuple[str, str]) -> None:
    assert crawled.outcome(name) == outcome


def test_feed_is_asked_for_only_if_it_changed(lab: Any) -> None:
    whole = FEED.partition("<entry><updated>")[0] + "</feed>"

    def site(path: str, query: Query, seen: Any) -> Any:
        unchanged = seen.headers.get("if-none-match") == '"f7"'
        return lab.Reply(
            b"" if unchanged else whole.encode(), "application/atom+xml", 304 if unchanged else 200, (("ETag", '"f7"'),)
        )

    lab.web.sites["igual.test"] = site
    source = lab.source("igual", "phpbb", "http://igual.test/foro/", options={"way": "feed"})
    first = lab.crawl([source], memory={"igual": {}})
    assert first.outcome("igual") == ("ok", "none")
    second = lab.crawl([source], memory={"igual": dict(first.health("igual").memory)})
    assert second.outcome("igual") == ("ok", "unchanged")
    assert second.items("igual") == []
