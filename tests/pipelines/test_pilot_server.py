"""The replay server speaks each wire format; read back by parsers that know nothing of how it was written."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.client import HTTPConnection, HTTPMessage, RemoteDisconnected
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import feedparser
import pytest
from lxml import html
from python_calamine import CalamineWorkbook

from pipelines.pilot.compose import DATA
from pipelines.pilot.records import Message, Served, load_served, native_id, write_served
from pipelines.pilot.server import Fault, ReplayServer

SERVED = DATA / "pilot" / "served"
WORDPRESS = "atealdia.test"
COMMENTS = "/wp-json/wp/v2/comments"
ODD = 'Ñandú «así» <b>no</b> & 5 < 6 ]]> "dijo" — 🤦‍♀️\nsegunda línea; con ; y \t tabulador'


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    server: ReplayServer,
    host: str,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send one request to a host of the server."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        given = {"Host": host, "User-Agent": "test", **(headers or {})}
        connection.request(method, quote(path, safe="/?&=:%+,"), body=body, headers=given)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """The month, served."""
    with ReplayServer(SERVED) as running:
        yield running


def shown(source_id: str) -> Served:
    """What a source shows, from its file."""
    return load_served(SERVED / f"{source_id}.jsonl")


def local_time(written: str) -> str:
    """Return an instant of a record on Lima's clock, "2021-04-05 09:30:00"."""
    return str(datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ") - timedelta(hours=5))


# WordPress


def test_wordpress_pages_hold_every_comment_once(server: ReplayServer) -> None:
    served = shown("prensa-ate-al-dia")
    rows: list[dict[str, Any]] = []
    first = ask(server, WORDPRESS, f"{COMMENTS}?per_page=100&orderby=date_gmt&order=asc")
    for page in range(1, int(first.headers["X-WP-TotalPages"]) + 1):
        rows += ask(server, WORDPRESS, f"{COMMENTS}?per_page=100&page={page}&orderby=date_gmt&order=asc").json
    assert int(first.headers["X-WP-Total"]) == len(served.messages) == len(rows)
    assert {str(row["id"]) for row in rows} == {message.id for message in served.messages}
    assert [row["date_gmt"] for row in rows] == sorted(row["date_gmt"] for row in rows)
    assert first.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert 'page=2>; rel="next"' in first.headers["Link"]


def test_wordpress_comment_has_the_documented_fields(server: ReplayServer) -> None:
    row = ask(server, WORDPRESS, f"{COMMENTS}?per_page=1").json[0]
    fields = {
        "id",
        "post",
        "parent",
        "author",
        "author_name",
        "author_url",
        "date",
        "date_gmt",
        "content",
        "link",
        "status",
        "type",
    }
    assert set(row) == fields | {"author_avatar_urls", "meta"}
    message = next(message for message in shown("prensa-ate-al-dia").messages if message.id == str(row["id"]))
    assert message.published == f"{row['date_gmt']}Z"
    assert row["date"].replace("T", " ") == local_time(message.published)
    assert html.fromstring(row["content"]["rendered"]).text_content().split() == message.text.split()


def test_wordpress_window_excludes_its_edges_and_reads_the_local_clock(server: ReplayServer) -> None:
    dates = [message.published or "" for message in shown("prensa-ate-al-dia").messages]
    pick = local_time(sorted(dates)[20]).replace(" ", "T")
    after = ask(server, WORDPRESS, f"{COMMENTS}?after={pick}")
    before = ask(server, WORDPRESS, f"{COMMENTS}?before={pick}")
    same = sum(local_time(date).replace(" ", "T") == pick for date in dates)
    assert int(after.headers["X-WP-Total"]) + int(before.headers["X-WP-Total"]) == len(dates) - same
    with_offset = ask(server, WORDPRESS, f"{COMMENTS}?after={pick}-05:00")
    assert with_offset.headers["X-WP-Total"] == after.headers["X-WP-Total"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{COMMENTS}?per_page=101", "rest_invalid_param"),
        (f"{COMMENTS}?per_page=0", "rest_invalid_param"),
        (f"{COMMENTS}?after=ayer", "rest_invalid_param"),
        (f"{COMMENTS}?orderby=karma", "rest_invalid_param"),
        ("/wp-json/wp/v2/posts?page=900", "rest_post_invalid_page_number"),
    ],
)
def test_wordpress_refuses_as_wordpress_does(server: ReplayServer, path: str, code: str) -> None:
    reply = ask(server, WORDPRESS, path)
    assert (reply.status, reply.json["code"], reply.json["data"]["status"]) == (400, code, 400)


def test_wordpress_beyond_the_last_page_of_comments_is_an_empty_list(server: ReplayServer) -> None:
    reply = ask(server, WORDPRESS, f"{COMMENTS}?page=900")
    assert (reply.status, reply.json) == (200, [])


def test_wordpress_posts_offset_and_comments_of_one_post(server: ReplayServer) -> None:
    served = shown("prensa-ate-al-dia")
    posts = ask(server, WORDPRESS, "/wp-json/wp/v2/posts?per_page=5&offset=10&order=asc&orderby=id").json
    assert [post["id"] for post in posts] == sorted(article.id for article in served.articles)[10:15]
    comments = ask(server, WORDPRESS, f"{COMMENTS}?post={posts[0]['id']}&per_page=100").json
    assert {str(row["id"]) for row in comments} == {m.id for m in served.messages if m.article == posts[0]["id"]}


def test_wordpress_pages_point_to_the_api(server: ReplayServer) -> None:
    home = ask(server, "blogs.valleamauta.test", "/barrio/")
    assert '<http://blogs.valleamauta.test/barrio/wp-json/>; rel="https://api.w.org/"' in home.headers["Link"]
    index = ask(server, "blogs.valleamauta.test", "/barrio/wp-json/").json
    assert "wp/v2" in index["namespaces"]
    assert ask(server, "blogs.valleamauta.test", "/barrio/wp-json/wp/v2/users").json["code"] == "rest_no_route"


# Feeds


@pytest.mark.parametrize(
    "source_id", ["prensa-carretera-central", "foro-comerciantes", "prensa-radio-santa-clara", "foro-vecinal-este"]
)
def test_feed_is_well_formed_and_whole(server: ReplayServer, source_id: str) -> None:
    served = shown(source_id)
    reply = ask(server, served.site.host, served.site.path)
    document = feedparser.parse(reply.body, response_headers={"content-type": reply.headers["Content-Type"]})
    assert (document.bozo, document.version) == (False, "rss20" if served.site.wire == "rss" else "atom10")
    assert sorted(entry.id for entry in document.entries) == sorted(message.id for message in served.messages)
    by_id = {message.id: message for message in served.messages}
    for entry in document.entries:
        message = by_id[entry.id]
        moment = entry.get("published_parsed")
        # Of "0000-00-00" this reader makes a year before the first.
        readable = moment is not None and moment.tm_year > 0
        assert (f"{datetime(*moment[:6]).isoformat()}Z" if readable else None) == message.published
        assert entry.get("author", "") == message.author


def test_feed_of_articles_and_empty_feed(server: ReplayServer) -> None:
    articles = feedparser.parse(ask(server, "agenciaeste.test", "/rss/ate.xml").body)
    assert len(articles.entries) == len(shown("prensa-agencia-este").articles) > 0
    empty = feedparser.parse(ask(server, "boletinbarrial.test", "/feed/").body)
    assert (empty.bozo, empty.version, len(empty.entries)) == (False, "rss20", 0)


def test_feed_shows_an_edit_twice_under_one_id(server: ReplayServer) -> None:
    document = feedparser.parse(ask(server, "radiosantaclara.test", "/mensajes/atom.xml").body)
    ids = [entry.id for entry in document.entries]
    twice = next(entry for entry in document.entries if ids.count(entry.id) == 2)
    older, newer = [entry for entry in document.entries if entry.id == twice.id]
    assert older.published == newer.published
    assert older.updated < newer.updated
    assert older.content[0].value != newer.content[0].value


def test_feed_answers_304_to_its_own_etag(server: ReplayServer) -> None:
    first = ask(server, "carreteracentral.test", "/comments/feed/")
    again = ask(server, "carreteracentral.test", "/comments/feed/", headers={"If-None-Match": first.headers["ETag"]})
    other = ask(server, "carreteracentral.test", "/comments/feed/", headers={"If-None-Match": '"another"'})
    assert (first.status, again.status, again.body, other.status) == (200, 304, b"", 200)
    assert first.headers["Last-Modified"].endswith("GMT")


# Pages


PAGES = {
    "muni-noticias": ("//article/h2/a/@href", "//li[contains(@class,'comment')]/@id", None),
    "prensa-lima-este": ("//a[@itemprop='url']/@href", "//*[@itemtype='https://schema.org/Comment']/@id", None),
    "prensa-capital": ("//h3[@class='titular']/a/@href", "//div[@class='opinion']/@data-id", "mas-opiniones"),
}


@pytest.mark.parametrize("source_id", sorted(PAGES))
def test_page_site_shows_every_message_once(server: ReplayServer, source_id: str) -> None:
    served = shown(source_id)
    links, ids, more = PAGES[source_id]
    prefix = "comment-" if served.site.wire == "comment_list" else ""
    index: str | None = served.site.path
    articles: list[str] = []
    while index is not None:
        page = html.fromstring(ask(server, served.site.host, index).body)
        articles += page.xpath(links)
        index = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    found: list[str] = []
    for start in articles:
        path: str | None = start
        while path is not None:
            page = html.fromstring(ask(server, served.site.host, path).body)
            found += page.xpath(ids)
            path = next(iter(page.xpath(f"//a[contains(@class,'{more}')]/@href")), None) if more else None
    assert len(articles) == len(served.articles)
    assert sorted(found) == sorted(f"{prefix}{message.id}" for message in served.messages)


def test_a_comment_of_microdata_has_an_address_of_its_own(server: ReplayServer) -> None:
    served = shown("prensa-lima-este")
    message = served.messages[7]
    link = native_id(served.site, message)
    page = html.fromstring(ask(server, served.site.host, link).body)
    assert page.get_element_by_id(message.id).xpath("link[@itemprop='url']/@href") == [link]


def test_answers_are_nested_in_what_they_answer(server: ReplayServer) -> None:
    served = shown("muni-noticias")
    answer = next(message for message in served.messages if message.author == "Municipalidad de Ate")
    article = next(article for article in served.articles if article.id == answer.article)
    page = html.fromstring(ask(server, served.site.host, f"{served.site.path}{article.id}-{article.slug}/").body)
    around = page.get_element_by_id(f"comment-{answer.id}").getparent().getparent()
    assert around.get("id") == f"comment-{answer.parent}"


def test_capital_writes_its_dates_in_words(server: ReplayServer) -> None:
    served = shown("prensa-capital")
    article = served.articles[10]
    body = ask(server, served.site.host, f"{served.site.path}{article.id}-{article.slug}/").body.decode()
    assert re.search(r'<span class="cuando">\d{1,2} de (marzo|abril|mayo) de 2021, \d{1,2}:\d\d [ap]\.\sm\.</span>', body)


# Files


def test_csv_in_windows_1252_with_semicolons(server: ReplayServer) -> None:
    served = shown("muni-red-comentarios")
    reply = ask(server, served.site.host, served.site.path)
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(reply.body.decode("windows-1252"), newline=""), delimiter=";"))
    assert [(row["id_comentario"], row["comentario"]) for row in rows] == [(m.id, m.text) for m in served.messages]
    dated = [(row["fecha"], message.published) for row, message in zip(rows, served.messages, strict=True) if message.published]
    assert all(
        datetime.strptime(date, "%d/%m/%Y %H:%M:%S") == datetime.fromisoformat(local_time(moment)) for date, moment in dated
    )


def test_csv_with_tabs(server: ReplayServer) -> None:
    markets = shown("pagina-mercados")
    tabs = ask(server, markets.site.host, markets.site.path).body.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(tabs, newline=""), delimiter="\t"))
    assert [(row["id"], row["texto"]) for row in rows] == [(message.id, message.text) for message in markets.messages]


def test_workbook_with_a_typed_day_and_the_time_beside_it(server: ReplayServer) -> None:
    served = shown("oficina-atencion")
    body = ask(server, served.site.host, served.site.path).body
    rows = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_name(served.site.options["sheet"]).to_python()
    heading, *cells = rows
    names = {field: heading.index(name) for field, name in served.site.options["columns"].items()}
    assert [row[names["text"]] for row in cells] == [message.text for message in served.messages]
    for row, message in zip(cells, served.messages, strict=True):
        assert type(row[names["date"]]) is date
        assert f"{row[names['date']]} {row[names['time']]}" == local_time(message.published or "")


def test_workbook_bytes_are_the_same_each_time() -> None:
    bodies = []
    for _ in range(2):
        server = ReplayServer(SERVED)
        bodies.append(server.answer("descargas.municipio.test", "/atencion/atenciones-2021-04.xlsx").body)
        server.close()
    assert bodies[0] == bodies[1]


# The server itself


def test_unknown_host_and_unknown_path_are_404(server: ReplayServer) -> None:
    assert ask(server, "elsewhere.test", "/").status == 404
    assert ask(server, "elsewhere.test", "/robots.txt").status == 404
    assert ask(server, "www.capitaldiaria.test", "/tag/ate/pagina/99/").status == 404
    assert ask(server, "foroate.test", "/otra-cosa").status == 404


def test_robots_opens_all_but_one_linked_page(server: ReplayServer) -> None:
    assert ask(server, "atealdia.test", "/robots.txt").body == b"User-agent: *\nAllow: /\n"
    assert ask(server, "foroate.test", "/robots.txt").body == b"User-agent: *\nDisallow: /foro/privado/\n"
    assert ask(server, "foroate.test", "/foro/privado/").status == 200
    assert b'href="/foro/privado/"' in ask(server, "foroate.test", "/foro/").body


def test_requests_are_kept_in_memory_and_head_has_no_body(server: ReplayServer, capfd: pytest.CaptureFixture[str]) -> None:
    before = len(server.requests)
    head = ask(server, "foroate.test", "/foro/?x=1", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert [seen[:3] for seen in server.requests[before:]] == [("foroate.test", "/foro/?x=1", "test")]
    assert capfd.readouterr().err == ""


def test_faults_strike_one_host_and_spare_robots() -> None:
    faults = {
        "atealdia.test": Fault(status=503),
        "foroate.test": Fault(body=b"<rss", content_type="application/rss+xml"),
        "noticiasvitarte.test": Fault(drop=True),
    }
    with ReplayServer(SERVED, faults=faults) as server:
        assert ask(server, "atealdia.test", COMMENTS).status == 503
        assert ask(server, "atealdia.test", "/robots.txt").status == 200
        assert ask(server, "foroate.test", "/foro/").body == b"<rss"
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            ask(server, "noticiasvitarte.test", COMMENTS)
        assert ask(server, "somoshuaycan.test", COMMENTS).status == 200
        server.faults["somoshuaycan.test"] = Fault(delay=0.2, path=COMMENTS)
        ask(server, "somoshuaycan.test", COMMENTS)
        assert ask(server, "somoshuaycan.test", "/wp-json/").status == 200


@pytest.mark.parametrize("wire", ["wordpress", "rss", "atom", "comment_list", "microdata", "opinions"])
def test_odd_characters_and_long_texts_survive_the_trip(tmp_path: Path, wire: str) -> None:
    template = next(served for path in sorted(SERVED.glob("*.jsonl")) if (served := load_served(path)).site.wire == wire)
    article = next(iter(template.articles), None)
    text = ODD.replace("\t ", "") + "\n\n" + "palabra ñ 🙂 " * 1_500
    message = Message(
        id="77", text=text, author="Ñ & <i>", published="2021-05-01T04:59:59Z", article=article.id if article else None
    )
    write_served(tmp_path, Served(template.site, template.articles, (message,)))
    with ReplayServer(tmp_path) as server:
        site = template.site
        paths = {"wordpress": f"{site.path}wp-json/wp/v2/comments", "rss": site.path, "atom": site.path}
        path = paths.get(wire) or f"{site.path}{article.id if article else ''}-{article.slug if article else ''}/"
        body = ask(server, site.host, path).body
    if wire == "wordpress":
        body = json.loads(body)[0]["content"]["rendered"].encode()
    elif wire in ("rss", "atom"):
        body = feedparser.parse(body, sanitize_html=False).entries[0].content[0].value.encode()
    found = html.fromstring(body, parser=html.HTMLParser(encoding="utf-8")).text_content().split()
    wanted = text.split()
    assert any(found[start : start + len(wanted)] == wanted for start in range(len(found)))


def test_a_folder_without_records_and_a_broken_record_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"pipelines\.pilot\.compose"):
        ReplayServer(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"record": "message"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.jsonl:1"):
        ReplayServer(tmp_path)
