"""Feed documents of every dialect, whole and broken, as bytes: what is read of them, and what it costs."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request

from collectors.feeds import MAX_CHARACTERS, Entry, Feed, mended_date, parse_feed
from collectors.health import SourceProblem
from collectors.links import canonical_link, without_trackers
from tests.growth import assert_linear

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "feed"
DOCUMENTS = sorted(path.name for path in RECORDED.iterdir())
URL = "http://dialectos.test/atom/feed.xml"
RSS = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Foro</title>'
END = "</channel></rss>"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"><title>Foro</title>'


def read(document: str | bytes, content_type: str = "") -> Feed:
    return parse_feed(document if isinstance(document, bytes) else document.encode(), url=URL, content_type=content_type)


def recorded(name: str) -> Feed:
    return read((RECORDED / name).read_bytes())


def only(document: str | bytes, content_type: str = "") -> Entry:
    feed = read(document, content_type)
    assert feed.problems == []
    assert len(feed.entries) == 1
    return feed.entries[0]


def item(inside: str) -> str:
    return f"{RSS}<item>{inside}</item>{END}"


# The dialects.


def test_rss_090() -> None:
    first, second = recorded("rss-0.90.rdf").entries
    assert (first.id, first.link) == (None, "http://dialectos.test/noticias/1")
    assert (first.title, first.text) == ("", "Se rompió el caño de la calle Los Ñandúes")
    assert (second.published, second.author) == (None, None)


def test_rss_091_with_entities_of_html_and_the_wrong_label() -> None:
    feed = recorded("rss-0.91.xml")
    assert [entry.text for entry in feed.entries] == ["Mañana no habrá agua & tampoco luz"]
    assert feed.problems == []


def test_rss_092_without_id_or_link() -> None:
    entry = recorded("rss-0.92.xml").entries[0]
    assert (entry.id, entry.link) == (None, None)
    assert entry.text == "La basura se recoge el sábado, no el domingo.\nGracias, vecinos."


def test_rss_10() -> None:
    entry = recorded("rss-1.0.rdf").entries[0]
    assert (entry.id, entry.link) == ("http://dialectos.test/m/10", "http://dialectos.test/m/10")
    assert (entry.author, entry.published) == ("Ñusta Huamán", "2021-04-05T07:30:00-05:00")
    assert (entry.title, entry.text) == ("Buses", "El bus no para en el paradero 7.")


def test_atom_03() -> None:
    entry = recorded("atom-0.3.xml").entries[0]
    assert (entry.id, entry.link) == ("tag:dialectos.test,2021:cuaderno.4", "http://dialectos.test/cuaderno/4")
    assert (entry.title, entry.text) == ("Huecos & charcos", "La pista está llena de huecos.")
    assert (entry.published, entry.modified) == ("2021-04-06T18:00:00-05:00", "2021-04-07T07:00:00-05:00")
    assert entry.author == "Teófilo Chuquimamani"


def test_atom_10() -> None:
    feed = recorded("atom-1.0.xml")
    first, second, third = feed.entries
    assert feed.next_url == "http://dialectos.test/atom/feed.xml?pagina=2"
    assert first.link == "http://dialectos.test/atom/m1.html?v=2#arriba"
    assert (first.title, first.text) == ("¿Y el parque?", "Prometieron árboles & bancas.\nNada.")
    assert (first.author, first.parent) == ("Rosa Ñahui", None)
    assert (first.comments_url, first.comment_count) == ("http://dialectos.test/atom/m1/respuestas.xml", 2)
    assert (first.published, first.modified) == ("2021-04-08T10:00:00-05:00", "2021-04-08T11:00:00-05:00")
    assert (second.author, second.parent) == (None, "tag:dialectos.test,2021:m1")
    assert (second.text, second.published) == ("Si llueve < 3 mm\nno pasa nada", "2021-04-08T12:00:00-05:00")
    assert (third.title, third.text) == ("", "Foto del desmonte")  # a picture is no text


def test_json_feed_10() -> None:
    entry = recorded("jsonfeed-1.0.json").entries[0]
    assert (entry.id, entry.link) == ("77", "http://dialectos.test/json/77")
    assert entry.text == "No hay serenazgo <de noche> & tampoco de día\nen mi cuadra"
    assert (entry.title, entry.author, entry.published) == ("Serenazgo", "Óscar Pizango", "2021-04-10T08:00:00-05:00")


def test_json_feed_11_and_its_odd_rows() -> None:
    feed = recorded("jsonfeed-1.1.json")
    first, odd, titled = feed.entries
    assert feed.next_url == "http://dialectos.test/jsonfeed-1.1.json?pagina=2"
    assert feed.problems == ["2 items that do not have the documented form"]
    assert (first.link, first.text) == ("http://dialectos.test/json/78", "Limpiaron la acequia.\n¡Por fin!")
    assert (first.author, first.modified) == ("Ana Túpac", "2021-04-11T09:00:00-05:00")
    assert (odd.id, odd.link, odd.text, odd.published, odd.author) == (None, None, "Solo el resumen", None, None)
    assert (titled.id, titled.link, titled.title, titled.text) == ("solo-titulo", None, "", "Reunión el viernes")


def test_wordpress_posts_name_the_feeds_of_their_comments() -> None:
    first, second, *_ = recorded("wordpress-posts.xml").entries
    assert (first.id, first.link) == ("http://mirador.test/?p=900", "http://mirador.test/2021/04/ceibos/")
    assert first.text == "La obra durará dos meses."
    assert (first.comments_url, first.comment_count) == ("http://mirador.test/2021/04/ceibos/feed/", 12)
    assert second.comment_count == 0


def test_wordpress_comments_know_what_they_answer() -> None:
    reply, pingback, comment, own = recorded("wordpress-comments.xml").entries
    assert (reply.id, reply.parent) == ("http://mirador.test/?p=900#comment-53", "http://mirador.test/?p=900#comment-51")
    assert reply.text == "Tiene razón: el desvío es peor."
    assert pingback.withheld
    assert (comment.parent, comment.withheld) == ("http://mirador.test/?p=900", False)
    assert comment.text == "¿Y el desvío? Nadie avisó “nada”."
    assert own.author == "Municipalidad de la Quebrada"


def test_reply_mark_of_wordpress_in_any_language_and_only_in_front() -> None:
    answer = '<a href="http://a.test/x/#comment-7" rel="nofollow">Ana</a>'
    guid = '<guid isPermaLink="false">http://a.test/?p=1#comment-9</guid>'
    for before in ("In reply to ", "Antwort auf ", "<p>En respuesta a "):
        after = "</p>\n<p>Sí</p>" if before.startswith("<p>") else ".\n\nSí"
        entry = only(item(f"{guid}<description><![CDATA[{before}{answer}{after}]]></description>"))
        assert (entry.text, entry.parent) == ("Sí", "http://a.test/?p=1#comment-7")
    later = only(item(f"{guid}<description><![CDATA[<p>Sí</p><p>Lo dijo {answer}.</p>]]></description>"))
    assert (later.text, later.parent) == ("Sí\nLo dijo Ana.", "http://a.test/?p=1")
    elsewhere = only(item(f"<guid>9</guid><description><![CDATA[En respuesta a {answer}.\nSí]]></description>"))
    assert (elsewhere.text, elsewhere.parent) == ("En respuesta a Ana. Sí", None)


def test_comment_without_words_is_not_its_heading() -> None:
    entry = only(item("<title>Por: Ana</title><guid isPermaLink='false'>http://a.test/?p=1#comment-9</guid><description/>"))
    assert (entry.title, entry.text) == ("Por: Ana", "")


def test_post_behind_a_password_is_withheld() -> None:
    form = '<![CDATA[<p>Escriba su clave</p><form action="/x" class="post-password-form" method="post">]]>'
    assert only(item(f"<guid>1</guid><description>{form}</description>")).withheld


def test_blogger() -> None:
    post = recorded("blogger-posts.xml").entries[0]
    assert (post.comments_url, post.comment_count) == ("http://esquina.test/feeds/81/comments/default", 3)
    first, reply, removed = recorded("blogger-comments.xml").entries
    assert (first.parent, first.author) == (post.id, "Yolanda Cruzatt")
    assert first.text == "La pintaron encima de la vereda.\nAsí no se puede."
    assert (reply.parent, reply.withheld) == (first.id, False)
    assert removed.withheld


@pytest.mark.parametrize("relation", ["next", "prev-archive"])
def test_older_entries_of_rss(relation: str) -> None:
    link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{relation}" href="?p=2"/>'
    assert read(f"{RSS}{link}<item><guid>1</guid></item>{END}").next_url == f"{URL}?p=2"
    assert read(f"{RSS}{link}<item><guid>1</guid><description><b></item>{END}").next_url == f"{URL}?p=2"


def test_links_are_relative_to_what_the_document_says() -> None:
    feed = read(
        ATOM.replace(">", ' xml:base="http://base.test/a/">', 1)
        + '<link rel="next" href="2"/><entry xml:base="b/"><link href="c"/></entry></feed>'
    )
    assert (feed.next_url, feed.entries[0].link) == ("http://base.test/a/2", "http://base.test/a/b/c")


def test_enclosure_alone_says_nothing() -> None:
    enclosure = '<enclosure url="http://a.test/1.mp3" length="1" type="audio/mpeg"/>'
    assert (only(item(enclosure)).text, only(item(f"<title>Audiencia</title>{enclosure}")).text) == ("", "Audiencia")


@pytest.mark.parametrize("placeholder", ["#", "", "http://", URL, "feed.xml#x"])
def test_link_to_the_feed_itself_is_no_page_of_the_entry(placeholder: str) -> None:
    assert only(item(f"<link>{placeholder}</link><description>x</description>")).link is None


def test_other_prefixes_for_the_same_names() -> None:
    document = (
        '<a:rss xmlns:a="http://backend.userland.com/rss2" xmlns:x="http://purl.org/dc/elements/1.1/"><a:channel><a:item>'
        '<x:creator>Ana</x:creator><a:description>Hola</a:description><y:title xmlns:y="http://otro.test/">no</y:title>'
        "</a:item></a:channel></a:rss>"
    )
    assert (only(document).author, only(document).title, only(document).text) == ("Ana", "", "Hola")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ana@correo.test (Ana Ñaupari)", "Ana Ñaupari"),
        ("Ana Ñaupari &lt;ana@correo.test&gt;", "Ana Ñaupari"),
        ("ana@correo.test", "ana@correo.test"),
        ("<![CDATA[Ana &amp; hijos]]>", "Ana & hijos"),
        ("  ", None),
    ],
)
def test_authors_of_rss(written: str, name: str | None) -> None:
    assert only(item(f"<author>{written}</author><description>x</description>")).author == name


def test_proxied_link_gives_way_to_the_original() -> None:
    named = '<f:origLink xmlns:f="http://rssnamespace.org/feedburner/ext/1.0">http://a.test/1</f:origLink>'
    assert only(item(f"<link>http://proxy.test/x</link>{named}<description>x</description>")).link == "http://a.test/1"


def test_links_without_trackers() -> None:
    assert without_trackers("http://a.test/?utm_source=f&id=5&fbclid=x#utm_medium=y") == "http://a.test/?id=5"
    assert without_trackers("http://a.test/1#xtor=RSS-1") == "http://a.test/1"
    for kept in ("http://a.test/?t=55&sort=%20b", "http://a.test/?utmost=1", "http://[mal", None):
        assert without_trackers(kept) == kept


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "http://a.test:99999/", "http://[::1", "mailto:x@y.test"]
)
def test_link_that_is_no_web_address(link: str) -> None:
    entry = only(item(f"<link>{link}</link><guid isPermaLink='false'>1</guid><description>x</description>"))
    assert (entry.link, entry.id) == (None, "1")


@pytest.mark.parametrize(
    ("raw", "mended"),
    [
        ("Fri, 02 Apr 21 10:00:00 GMT", "Fri, 02 Apr 2021 10:00:00 GMT"),
        ("Sáb,03 Abr 2021 10:00:00 -0500", "Sáb, 03 Abr 2021 10:00:00 -0500"),
        ("2 Apr 2021 10:00 GMT", "2 Apr 2021 10:00 GMT"),
        ("Friday, 02-Apr-21 10:00:00 GMT", "Friday, 02 Apr 2021 10:00:00 GMT"),
        ("02 Apr 71 10:00:00 GMT", "02 Apr 71 10:00:00 GMT"),
        ("2021-04-02T10:00:00Z", "2021-04-02T10:00:00Z"),
        (None, None),
    ],
)
def test_dates_of_mail(raw: str | None, mended: str | None) -> None:
    assert mended_date(raw) == mended


# Letters.

WORDS = "¿Señor, y el año? “Huaycán” — niña, ñandú, café"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (item(f"<description>{WORDS}</description>").encode(), ""),
        (b"\xef\xbb\xbf" + item(f"<description>{WORDS}</description>").encode(), "text/xml"),
        (b"\n \n" + item(f"<description>{WORDS}</description>").encode(), ""),
        (item(f"<description>{WORDS}</description>").encode("cp1252"), "text/xml"),
        (('<?xml version="1.0" encoding="iso-8859-1"?>' + item(f"<description>{WORDS}</description>")).encode("cp1252"), ""),
        (('<?xml version="1.0" encoding="iso-8859-1"?>' + item(f"<description>{WORDS}</description>")).encode(), ""),
        (item(f"<description>{WORDS}</description>").encode(), "text/xml; charset=iso-8859-1"),
        (('<?xml version="1.0" encoding="utf-16"?>' + item(f"<description>{WORDS}</description>")).encode(), ""),
        (('<?xml version="1.0" encoding="utf-16"?>' + item(f"<description>{WORDS}</description>")).encode("utf-16"), ""),
        (item(f"<description>{WORDS}</description>").encode("utf-16-le"), "text/xml"),
        (item(f"<description>{WORDS}</description>").encode("utf-16-be"), "text/xml; charset=utf-8"),
        (item(f"<description>{WORDS}</description>").encode("utf-32-le"), ""),
        (item("<description>" + "".join(f"&#{ord(letter)};" for letter in WORDS) + "</description>").encode(), ""),
        (item("<description>&iquest;Se&ntilde;or, y el a&ntilde;o? &ldquo;Huayc&aacute;n&rdquo; &mdash; ni&ntilde;a, "
              "&ntilde;and&uacute;, caf&eacute;</description>").encode(), ""),
        (json.dumps({"items": [{"content_text": WORDS}]}).encode(), ""),
        (b"\xef\xbb\xbf" + json.dumps({"items": [{"content_text": WORDS}]}, ensure_ascii=False).encode(), ""),
        (json.dumps({"items": [{"content_text": WORDS}]}, ensure_ascii=False).encode("utf-16-le"), ""),
    ],
)  # fmt: skip
def test_letters_survive_every_encoding_and_every_wrong_label(body: bytes, content_type: str) -> None:
    assert only(body, content_type).text == WORDS


def test_one_broken_letter_costs_one_letter() -> None:
    cut = f"<description>{WORDS} ca".encode() + b"\xc3" + b"</description>"
    body = (f"{RSS}<item><guid>1</guid><description>{WORDS}</description></item><item><guid>2</guid>".encode() + cut
            + f"</item>{END}".encode())  # fmt: skip
    assert [entry.text for entry in read(body).entries] == [WORDS, f"{WORDS} ca\ufffd"]


def test_characters_that_xml_forbids() -> None:
    entry = only(item("<title>a\x00b\x0bc</title><guid>&#x1F;g&#0;</guid><description>&#146;x&#xD800;y\x1b</description>"))
    assert (entry.title, entry.text) == ("abc", "’x\ufffdy")


# What is not well-formed.


def test_what_people_write_into_xml() -> None:
    written = "AT&T < 3 & te quiero <3, &nada; &ntilde; a<b"
    assert only(item(f"<guid>1</guid><description>{written}</description>")).text.startswith(
        "AT&T < 3 & te quiero <3, &nada; ñ a"
    )


def test_markup_that_is_never_closed_harms_no_other_entry() -> None:
    broken = "<item><guid isPermaLink=false>1</guid><description><p>Hola<br>vecino <b>grita</description><title>T</title></item>"
    feed = read(f"{RSS}{broken}<item><guid>2</guid><dc:creator>Ana</dc:creator><description>Bien</description></item>{END}")
    assert [(one.id, one.title, one.text) for one in feed.entries] == [("1", "T", "Hola\nvecino grita"), ("2", "", "Bien")]
    assert feed.entries[1].author == "Ana"
    assert feed.problems == []


def test_elements_that_are_never_closed() -> None:
    feed = read(
        f"{RSS}<item><link>http://a.test/1\n<guid>g1<pubDate>Fri, 02 Apr 2021 10:00:00 GMT</pubDate><description>uno"
        f"<item><guid>g2</guid><description>dos</description>{END}"
    )
    first, second = feed.entries
    assert (first.link, first.id, first.text) == ("http://a.test/1", "g1", "uno")
    assert first.published == "Fri, 02 Apr 2021 10:00:00 GMT"
    assert (second.id, second.text) == ("g2", "dos")


def test_prefix_without_a_namespace() -> None:
    entry = only(
        "<rss><channel><item><dc:creator>Ana</dc:creator><raro:x>y</raro:x><description>Hola</description></item></channel></rss>"
    )
    assert (entry.author, entry.text) == ("Ana", "Hola")


def test_atom_taken_apart_tag_by_tag() -> None:
    feed = read(
        f"{ATOM}<link rel=next href='?p=2'/><entry><id>a</id><author><name>Ana &amp; Eva</name></author>"
        "<link rel='alternate' href=http://a.test/1 /><thr:in-reply-to ref='z'/>"
        "<content type='xhtml'><div>Una <b>pista<br></div></content></entry>"
        "<entry><id>b</id><content>2 &lt; 3</content></entry></feed>"
    )
    first, second = feed.entries
    assert feed.next_url == f"{URL}?p=2"
    assert (first.id, first.author, first.link, first.parent) == ("a", "Ana & Eva", "http://a.test/1", "z")
    assert (first.text, second.text) == ("Una pista", "2 < 3")


def test_section_with_tags_of_entries_is_text() -> None:
    code = "<description><![CDATA[escribo </item><item> y &lt;]]></description>"
    whole = read(f"{RSS}<item><guid>1</guid>{code}</item><item><guid>2</guid></item>{END}")
    broken = read(f"{RSS}<b><item><guid>1</guid>{code}</item><item><guid>2</guid></item>{END}")
    assert [entry.id for entry in whole.entries] == [entry.id for entry in broken.entries] == ["1", "2"]
    assert whole.entries[0].text == broken.entries[0].text == "escribo y <"


def test_truncated_document_gives_its_whole_entries_only() -> None:
    document = (RECORDED / "wordpress-comments.xml").read_text(encoding="utf-8")
    cut = read(document[: document.index("Nadie avis")])
    assert [entry.id for entry in cut.entries] == [f"http://mirador.test/?p=900#comment-{number}" for number in (53, 52)]
    assert cut.problems == ["the document breaks off; its last entry may be lost"]


def test_noise_before_and_after_is_no_loss() -> None:
    noise = "<br />\n<b>Warning</b>:  no se pudo & ya in <b>/x.php</b> on line <b>3</b><br />\n"
    feed = read(
        f'\ufeff{noise}<?xml version="1.0"?>{item("<guid>1</guid><description>x</description>")}<!-- en 0.2 s --><script>'
    )
    assert ([entry.id for entry in feed.entries], feed.problems) == (["1"], [])


@pytest.mark.parametrize(
    "document",
    [
        "",
        " \n ",
        "<!DOCTYPE html><html><head><title>rss</title></head><body><rss><channel><item/></channel></rss></body></html>",
        "<html><body>Mantenimiento</body></html>",
        "<urlset><url><loc>http://a.test/</loc></url></urlset>",
        "No hay feed",
        "<rss",
        "<rss><channel><title>cortado",
        "{}",
        '{"items": 5}',
        '{"items": [',
        '{"items": [{"id": "1", "content_text": "cort',
        "[]",
        "\x00\x00\x00",
        "{" * 5_000,
        '{"items":' + "[" * 200_000,
    ],
)
def test_what_is_no_feed(document: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        read(document)
    assert caught.value.reason == "malformed"
    assert URL in caught.value.detail


def test_feed_without_entries_is_a_feed() -> None:
    for document in (
        f"{RSS}{END}",
        '<rss version="2.0"/>',
        f"{ATOM}</feed>",
        '{"version": "https://jsonfeed.org/version/1.1", "items": []}',
    ):
        assert (read(document).entries, read(document).problems) == ([], [])


# Bombs.


def test_entities_of_its_own_are_left_as_written(tmp_path: Path) -> None:
    secret = tmp_path / "secreto.txt"
    secret.write_text("SECRETO")
    document = (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ja]>"><!ENTITY b "&a;&a;"><!ENTITY x SYSTEM "{secret.as_uri()}">'
        f'<!ENTITY % p SYSTEM "{secret.as_uri()}"> %p; ]>{item("<guid>1</guid><description>&b; &x; &ntilde;</description>")}'
    )
    feed = read(document)
    assert feed.entries[0].text == "&b; &x; ñ"
    assert feed.problems == ["2 references to entities of its own were left as written"]


def test_nesting_deeper_than_any_feed_is_read_all_the_same() -> None:
    deep = "<div>" * 3_000 + "Hondo" + "</div>" * 3_000
    for description in (deep, deep.replace("<", "&lt;"), f"<![CDATA[{deep}]]>"):
        assert only(item(f"<guid>1</guid><description>{description}</description>")).text == "Hondo"


def test_more_entries_than_any_feed_has() -> None:
    feed = read(RSS + "<item><guid>1</guid><description>x</description></item>" * 5_001 + END)
    assert len(feed.entries) == 5_000
    assert feed.problems == ["5,001 entries; only the first 5,000 were read"]
    rows = read(json.dumps({"items": [{"id": "1"}] * 5_001}))
    assert (len(rows.entries), rows.problems) == (5_000, ["5,001 items; only the first 5,000 were read"])


def test_longest_document_is_read_in_part() -> None:
    first = "<item><guid>1</guid><description>x</description></item>"
    feed = read(f"{RSS}{first}<item><guid>2</guid><description>{'y ' * (MAX_CHARACTERS // 2)}</description></item>{END}")
    assert [entry.id for entry in feed.entries] == ["1"]
    assert any("the rest was not read" in problem for problem in feed.problems)


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        (f"{RSS}<item><description>", "<div>", ""),
        (f"{RSS}<item><description>", "&lt;div&gt;", f"</description></item>{END}"),
        (f"{RSS}<item><description><![CDATA[", "<div>", f"]]></description></item>{END}"),
        (f"{RSS}<item><author>", "a.", f"</author></item>{END}"),
        (f"{RSS}<item>", "<description>", ""),
        (f"{RSS}<item>", "<guid>", ""),
        (f"{RSS}<item>", "<guid a=1 ", ""),
        (f"{RSS}<item><guid ", "a", f">1</guid></item>{END}"),
        (f"{RSS}<item>", "<category>x</category>", f"</item>{END}"),
        (f"{RSS}<item ", "x:a='1' ", f"/>{END}"),
        (f"{RSS}<item>", "<![CDATA[", ""),
        (f"{RSS}<item><description>", "&", f"</description></item>{END}"),
        (f"{RSS}<item><description>", "&a;", f"</description></item>{END}"),
        (f"{RSS}<item><description>", "<!", f"</description></item>{END}"),
        (f"{RSS}<item>", "</item>", ""),
        ("", " \n", f"{RSS}{END}"),
        ("", "<!DOCTYPE [", "<rss>"),
        ("<!DOCTYPE a [", "] ", "<rss>"),
        ("", "<?a ", "<rss>"),
        ("<!DOCTYPE a [", "<!--", "<rss>"),
        ("<!DOCTYPE a [", "'", "<rss>"),
        ("", "<!--", "<rss>"),
        ("", "<rss", ""),
        ("<rss ", "xmlns:a=", "><b>"),
        (f"{RSS}<item><guid>", "#comment-1", f"x</guid></item>{END}"),
        (f"{RSS}<item><guid>a#comment-1</guid><description><![CDATA[A <a ", "href='#comment-1' ", f"]]></description>{END}"),
        (f"{RSS}<item><guid>", "blog-1.post-", f"x</guid></item>{END}"),
        (f"{ATOM}<entry><content>", "&lt;a ", "</content></entry></feed>"),
        (f"{ATOM}<entry><content type='xhtml'>", "<p>a</p>", "</content></entry></feed>"),
        ('{"items":[{"content_html":"', "<div>", '"}]}'),
        ('{"items":', "[", ""),
    ],
)  # fmt: skip
def test_cost_grows_with_the_length(before: str, unit: str, after: str) -> None:
    def reading(text: str) -> None:
        with suppress(SourceProblem):
            read(f"{before}{text}{after}")

    assert_linear(reading, unit)


# Properties.

WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=12).map(str.strip)
TEXT = st.lists(
    st.one_of(WORD, st.sampled_from(["<", "&", "]]>", "<b>", "</item>", "&amp;", "ñ", "\u2028"])), min_size=1, max_size=6
).map(" ".join)
FIELDS = st.fixed_dictionaries(
    {"id": st.integers(0, 10**6).map(lambda number: f"tag:a.test,2021:{number}")},
    optional={
        "title": TEXT,
        "author": WORD.filter(lambda name: name and "@" not in name and "<" not in name and "&" not in name),
    },
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rss_of(rows: list[dict[str, str]]) -> str:
    written = "".join(
        f'<item><guid isPermaLink="false">{escaped(row["id"])}</guid>'
        + (f"<dc:creator>{escaped(row['author'])}</dc:creator>" if row.get("author") else "")
        + f"<description>{escaped(escaped(row.get('title', 'nada')))}</description></item>"
        for row in rows
    )
    return f"{RSS}{written}{END}"


def atom_of(rows: list[dict[str, str]]) -> str:
    written = "".join(
        f"<entry><id>{escaped(row['id'])}</id>"
        + (f"<author><name>{escaped(row['author'])}</name></author>" if row.get("author") else "")
        + f'<content type="html">{escaped(escaped(row.get("title", "nada")))}</content></entry>'
        for row in rows
    )
    return f"{ATOM}{written}</feed>"


@given(st.lists(FIELDS, max_size=6), st.sampled_from([rss_of, atom_of]))
@settings(max_examples=60)
def test_another_reader_finds_the_same(rows: list[dict[str, str]], write: Any) -> None:
    document = write(rows).encode()
    others = feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False).entries
    found = read(document).entries
    assert [entry.id for entry in found] == [entry.get("id") for entry in others] == [row["id"] for row in rows]
    for entry, row in zip(found, rows, strict=True):
        assert " ".join(entry.text.split()) == " ".join(row.get("title", "nada").split())
        assert entry.author == (" ".join(row["author"].split()) if row.get("author") else None)


@given(
    st.lists(FIELDS, min_size=1, max_size=5),
    st.integers(0, 4),
    st.sampled_from(["<p>", "<br>", "& ", "<3", "</b>", "<x:y>", "<a href=1>"]),
)
@settings(max_examples=60)
def test_one_broken_entry_costs_no_other(rows: list[dict[str, str]], place: int, broken: str) -> None:
    place %= len(rows)
    whole = rss_of(rows)
    at = -1
    for _ in range(place + 1):
        at = whole.index("<description>", at + 1)
    document = whole[: at + len("<description>")] + broken + whole[at + len("<description>") :]
    before, after = read(whole).entries, read(document).entries
    assert [entry.id for entry in after] == [entry.id for entry in before]
    assert [entry.text for index, entry in enumerate(after) if index != place] == [
        entry.text for index, entry in enumerate(before) if index != place
    ]


PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        (
            *(
                b"<item>",
                b"</item>",
                b"<entry ",
                b"<![CDATA[",
                b"]]>",
                b"<!--",
                b"&",
                b"&#x0;",
                b"&#99999999999;",
                b"<",
                b">",
                b'"',
            ),
            *(b"\x00", b"\xff", b"\xc3", b"</rss>", b"</feed>", b"<description>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<?x "),
            *(
                b"xmlns:a='",
                b"xml:base='['",
                b"{",
                b"[",
                b"null",
                b"\xf0\x9f\x98\xa1",
                b"<rss>",
                b"<author><name>",
                b"<link href=",
            ),
            *(b" type='xhtml'>", b"/>"),
        )
    ),
)


@given(
    st.sampled_from(DOCUMENTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), PIECES), min_size=1, max_size=8),
    st.sampled_from(["", "text/xml; charset=iso-8859-1", "text/html; charset=utf-16", "application/json"]),
)
@settings(max_examples=150)
def test_documents_of_each_kind_with_bytes_changed(name: str, changes: list[tuple[float, int, bytes]], content_type: str) -> None:
    body = (RECORDED / name).read_bytes()
    for where, length, piece in changes:
        at = int(where * len(body))
        body = body[:at] + piece + body[at + length :]
    check_readable(body, content_type)


TAGS = [
    f"{before}{name}{after}"
    for name in (
        "rss",
        "channel",
        "item",
        "feed",
        "entry",
        "title",
        "link",
        "guid",
        "description",
        "content",
        "author",
        "name",
        "p",
    )
    for before, after in (("<", ">"), ("</", ">"), ("<", " type='xhtml'>"), ("<", " a b=c href='[' isPermaLink=false/>"))
]
TOKENS = st.sampled_from(
    [*TAGS, "&", "<![CDATA[", "]]>", "<!-- -->", "<?x?>", "&ntilde;", "&#0;", "Hola, señor", "http://a.test/1", " "]
)


@given(st.lists(TOKENS, max_size=60).map("".join), st.sampled_from(["<rss>{}</rss>", "<feed>{}</feed>", "{}", "<rss>{}"]))
@settings(max_examples=150)
def test_odd_structures(inside: str, frame: str) -> None:
    check_readable(frame.format(inside).encode(), "")


NAMES = (
    *("items", "id", "url", "title", "content_html", "content_text", "summary"),
    *("authors", "author", "date_published", "date_modified", "next_url"),
)
ODD: list[Any] = [
    None,
    True,
    7,
    -1.5,
    "",
    " ",
    "texto",
    "http://[",
    "//a.test:x/",
    "<p>",
    "\ud800",
    [],
    {},
    [None],
    {"name": 5},
    [{"name": ""}],
]


@given(
    st.lists(
        st.one_of(st.sampled_from(ODD), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD), max_size=8)), max_size=4
    )
)
@settings(max_examples=100)
def test_odd_json(rows: list[Any]) -> None:
    for document in ({"items": rows}, {"items": rows, "next_url": rows}, rows, {"items": rows, "next_url": "\ud800"}):
        check_readable(json.dumps(document).encode(), "")


def check_readable(body: bytes, content_type: str) -> None:
    """Read anything: a feed of sound entries or a named problem, and the same each time."""
    try:
        feed = read(body, content_type)
    except SourceProblem:
        return
    assert feed == read(body, content_type)
    for entry in feed.entries:
        canonical_link(entry.link)
        for link in (entry.link, entry.comments_url, feed.next_url):
            assert link is None or Request(link).url.lower().startswith(("http://", "https://"))
        assert all(isinstance(text, str) for text in (entry.title, entry.text))
        assert all(text is None or isinstance(text, str) for text in (entry.id, entry.author, entry.published, entry.parent))
        assert entry.id is None or entry.id.strip()
