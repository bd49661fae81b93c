"""What the walks over forums share: addresses without sessions, dates as boards print them, guests, and ill-formed pages."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from parsel import Selector

from collectors.dates import parse_published
from collectors.health import SourceProblem
from collectors.spiders.forum_feed import parse_entries
from collectors.spiders.forum_markup import (
    ForumMarkup,
    clean_address,
    find_boards,
    find_pages,
    find_posts,
    find_topics,
    is_guest_name,
    raw_date,
)
from collectors.spiders.mybb import DEFAULT_THEME
from collectors.spiders.phpbb import PROSILVER
from collectors.spiders.smf import CURVE

NOW = datetime(2021, 4, 10, 18, tzinfo=UTC)
BASE = "http://foro.test/foro/index.php"


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("./viewtopic.php?f=2&t=5&sid=0a1b2c", "./viewtopic.php?f=2&t=5"),
        ("./viewtopic.php?sid=0a1b2c&t=5#p9", "./viewtopic.php?t=5#p9"),
        ("./viewtopic.php?t=5&sid=0a1b2c#p9", "./viewtopic.php?t=5#p9"),
        ("./viewforum.php?sid=0a1b2c", "./viewforum.php"),
        ("index.php?PHPSESSID=0a-1b,2c;topic=12.20", "index.php?topic=12.20"),
        ("index.php?PHPSESSID=0a1b2c&topic=12.20", "index.php?topic=12.20"),
        ("index.php?topic=12.20;PHPSESSID=0a1b2c", "index.php?topic=12.20"),
        ("index.php?sid=", "index.php"),
        ("index.php?resid=5&aside=1", "index.php?resid=5&aside=1"),
        ("index.php?topic=12.0;all", "index.php?topic=12.0;all"),
        ("http://foro.test/sid=5/", "http://foro.test/sid=5/"),
    ],
)
def test_sessions_are_cut(given: str, clean: str) -> None:
    assert clean_address(given) == clean
    assert clean_address(clean) == clean


def phpbb_date(html: str) -> str:
    return f'<p class="author">por <strong><a>Ana » Luz</a></strong> &raquo; {html} </p>'


def mybb_date(html: str) -> str:
    edited = "<span>(Última modificación: 09-04-2021, 10:00 AM)</span>"
    return f'<span class="post_date">{html} <span class="post_edit">{edited}</span></span>'


def smf_date(html: str) -> str:
    return f'<div class="keyinfo"><div class="smalltext">&#171; <strong>Respuesta #3 en:</strong> {html} &#187;</div></div>'


@pytest.mark.parametrize(
    ("markup", "html", "raw", "at"),
    [
        (PROSILVER, phpbb_date("Mié Abr 07, 2021 3:15 pm"), "Mié Abr 07, 2021 3:15 pm", "07 20:15"),
        (PROSILVER, phpbb_date("Mar, 06 Abr 2021, 15:15"), "Mar, 06 Abr 2021, 15:15", "06 20:15"),
        (PROSILVER, phpbb_date("Hoy, 10:15 am"), "Hoy, 10:15 am", "10 15:15"),
        (PROSILVER, phpbb_date("Ayer 9:02 pm"), "Ayer 9:02 pm", "10 02:02"),
        (PROSILVER, phpbb_date("hace 5 minutos"), "hace 5 minutos", "10 17:55"),
        (PROSILVER, phpbb_date("hace menos de un minuto"), "hace 1 minuto", "10 17:59"),
        (PROSILVER, phpbb_date('<time datetime="2021-04-07T20:15:00+00:00">Mié</time>'), "2021-04-07T20:15:00+00:00", "07 20:15"),
        (DEFAULT_THEME, mybb_date("07-04-2021, 03:15 PM"), "07-04-2021, 03:15 PM", "07 20:15"),
        (DEFAULT_THEME, mybb_date('<span title="09-04-2021">Ayer</span>, 09:02 PM'), "09-04-2021, 09:02 PM", "10 02:02"),
        (DEFAULT_THEME, mybb_date('<span title="10-04-2021, 11:00 AM">hace 2 horas</span>'), "10-04-2021, 11:00 AM", "10 16:00"),
        (DEFAULT_THEME, mybb_date("Ayer, 09:02 PM"), "Ayer, 09:02 PM", "10 02:02"),
        (CURVE, smf_date("07 de abril de 2021, 15:15:00"), "07 de abril de 2021, 15:15:00", "07 20:15"),
        (CURVE, smf_date("<strong>Hoy</strong> a las 10:15"), "Hoy a las 10:15", "10 15:15"),
        (CURVE, smf_date("Abril 07, 2021, 03:15:22 pm"), "Abril 07, 2021, 03:15:22 pm", "07 20:15"),
        (CURVE, '<div class="postinfo"><a class="smalltext">07 Abr 2021, 15:15</a></div>', "07 Abr 2021, 15:15", "07 20:15"),
        (
            CURVE,
            '<div class="keyinfo"><div class="smalltext">&#171; <strong> en:</strong> Ayer a las 21:02:00 &#187;</div></div>',
            "Ayer a las 21:02:00",
            "10 02:02",
        ),
    ],
)
def test_dates_of_posts(markup: ForumMarkup, html: str, raw: str, at: str) -> None:
    found = raw_date(Selector(text=html, type="html"), markup.post_stamp)
    assert found == raw
    published = parse_published(found, zone=ZoneInfo("America/Lima"), reference=NOW)
    assert published is not None
    assert published.strftime("%d %H:%M") == at


@pytest.mark.parametrize("markup", [PROSILVER, DEFAULT_THEME, CURVE])
def test_a_date_that_is_not_there(markup: ForumMarkup) -> None:
    for html in (
        "<p>nada</p>",
        '<p class="author"></p><span class="post_date"> </span><div class="postinfo"><a class="smalltext"></a></div>',
    ):
        assert raw_date(Selector(text=html, type="html"), markup.post_stamp) is None


@pytest.mark.parametrize(
    ("name", "guest"),
    [
        ("Invitado", True),
        ("VISITANTE", True),
        ("Sin registrar", True),
        ("Guest", True),
        ("Rosa", False),
        ("", False),
        ("Visita Vecina", False),
    ],
)
def test_names_of_guests(name: str, guest: bool) -> None:
    assert is_guest_name(name) == guest


def test_links_that_are_no_addresses_are_passed_over() -> None:
    page = Selector(
        text='<ul class="topics"><li class="row"><a class="topictitle" href="http://[mal/viewtopic.php?t=1">x</a></li>'
        '<li class="row"><a class="topictitle" href="./viewtopic.php?t=99999999999999999999999">x</a></li>'
        '<li class="row"><a class="topictitle">x</a></li>'
        f'<li class="row"><a class="topictitle" href="./viewtopic.php?x={"y" * 5_000}&amp;t=3">x</a></li>'
        '<li class="row"><a class="topictitle" href="  ./viewtopic.php?t=4 ">x</a></li></ul>',
        type="html",
    )
    assert [topic.number for topic in find_topics(page, PROSILVER, base=BASE)] == [4]


def test_pages_of_another_topic_do_not_count() -> None:
    links = "".join(
        f'<a href="./viewtopic.php?t={topic}&amp;start={start}">x</a>' for topic, start in ((5, 10), (5, 20), (6, 90))
    )
    page = Selector(text=f'<div class="pagination"><a href="./viewtopic.php?t=5">1</a>{links}</div>', type="html")
    assert sorted(find_pages(page, PROSILVER, PROSILVER.topic_number, 5, base=BASE)) == [0, 10, 20]


def test_page_without_anything() -> None:
    page = Selector(text="<html></html>", type="html")
    for markup in (PROSILVER, DEFAULT_THEME, CURVE):
        assert list(find_boards(page, markup, base=BASE)) == []
        assert list(find_topics(page, markup, base=BASE)) == []
        assert list(find_posts(page, markup)) == []


def test_words_around_a_quote_do_not_grow_together() -> None:
    page = Selector(
        text='<div class="post" id="p1"><div class="content">Uno<blockquote>No</blockquote>Dos</div></div>', type="html"
    )
    posts = list(find_posts(page, PROSILVER))
    assert [post.text for post in posts if post] == ["Uno\nDos"]


ENTRY = (
    "<entry><link href='http://foro.test/viewtopic.php?p={0}#p{0}'/><title>T</title>"
    "<content type='html'>Año {0}</content></entry>"
)


def test_feed_that_breaks_off_is_read_in_part() -> None:
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'>{ENTRY.format(1)}{ENTRY.format(2)[:-30]}".encode()
    entries, whole = parse_entries(body, url=BASE, charset=None)
    assert not whole
    assert entries[0].markup == "Año 1"


def test_feed_in_another_encoding_and_with_controls() -> None:
    body = f"<?xml version='1.0' encoding='ISO-8859-1'?>\n<feed>{ENTRY.format(1)}</feed>".encode("cp1252").replace(
        b"T<", b"T\x01<"
    )
    entries, whole = parse_entries(body, url=BASE, charset="iso-8859-1")
    assert whole
    assert (entries[0].markup, entries[0].title) == ("Año 1", "T")


def test_entities_of_a_feed_are_not_resolved() -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/hostname'><!ENTITY b 'ja'>]>"
    body = f"{bomb}<feed><entry><link href='http://foro.test/?p=1'/><title>&a;&b;</title></entry></feed>".encode()
    entries, _ = parse_entries(body, url=BASE, charset=None)
    assert [entry.title for entry in entries] == ["&a;&b;"]


@pytest.mark.parametrize("body", [b"", b"<html><body>Cerrado</body></html>", b"nada", b"{}"])
def test_what_is_no_feed(body: bytes) -> None:
    with pytest.raises(SourceProblem, match="no feed"):
        parse_entries(body, url=BASE, charset=None)
