"""Doors: what an address, a page, a table or an answer tells of the platform behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from collectors.doors import Door, Look, NoDoor, Rank, door_of_service, plain
from collectors.doors.documents import document_doors, local_door, map_columns
from collectors.doors.pages import Page
from collectors.doors.survey import Survey
from collectors.health import SourceProblem
from collectors.spiders import SPIDERS


def page(body: str, *, url: str = "http://diario.test/", **headers: str) -> Page:
    """Return a page as a server would send it."""
    return Page(HtmlResponse(url, body=f"<html>{body}</html>".encode(), headers={"Content-Type": "text/html", **headers}))


@pytest.mark.parametrize(
    ("url", "platform", "options"),
    [
        ("https://t.me/s/municipio_avisos", "telegram", {}),
        ("https://bsky.app/profile/municipio.example/post/3k", "bluesky", {"actor": "municipio.example"}),
        ("https://www.youtube.com/watch?v=abcdefghij0&t=3", "youtube", {"videos": ["abcdefghij0"]}),
        ("https://youtu.be/abcdefghij0", "youtube", {"videos": ["abcdefghij0"]}),
        ("https://m.youtube.com/channel/UC0123456789012345678901", "youtube", {"channel": "UC0123456789012345678901"}),
        ("https://www.youtube.com/@municipio", "youtube", {"channel": "PENDIENTE: UC…"}),
        ("https://www.facebook.com/profile.php?id=100200300", "facebook", {"page": "100200300"}),
        ("https://es-la.facebook.com/p/Municipio-100200300/", "facebook", {"page": "100200300"}),
        ("https://facebook.com/municipio", "facebook", {"page": "PENDIENTE: 0123456789"}),
        ("https://instagram.com/municipio", "instagram", {"account": "PENDIENTE: 0123456789"}),
        ("https://twitter.com/municipio", "x", {"query": "to:municipio", "accept_cost": "PENDIENTE: true"}),
        ("https://diario-este.disqus.com/", "disqus", {"forum": "diario-este"}),
    ],
)
def test_services_are_known_by_their_address(url: str, platform: str, options: dict[str, Any]) -> None:
    door = door_of_service(url)
    assert door is not None
    assert (door.platform, door.platform in SPIDERS) == (platform, True)
    assert options.items() <= dict(door.options).items()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://www.tiktok.com/@municipio", "research interface is for academics"),
        ("https://old.reddit.com/r/Lima", "after approval only"),
        ("https://www.change.org/p/parque", "no public interface"),
        ("https://chat.whatsapp.com/AbC", "private"),
        ("https://www.google.com.pe/maps/place/Plaza", "at most five reviews"),
        ("https://t.me/+AbCdEf", "invitation"),
        ("https://www.facebook.com/groups/123", "no lawful door to groups"),
        ("https://bsky.app/search", "no account of Bluesky"),
    ],
)
def test_what_has_no_lawful_door_is_told_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(NoDoor, match=why):
        door_of_service(url)


@pytest.mark.parametrize(
    "url", ["https://notiktok.com/", "https://x.com.example/", "https://sext.me/", "https://www.disqus.com/"]
)
def test_a_name_that_only_looks_like_a_service_is_none(url: str) -> None:
    assert door_of_service(url) is None


@pytest.mark.parametrize(
    ("body", "engine"),
    [
        ("<head><meta name='Generator' content='WordPress 6.4'></head>", "wordpress"),
        ("<link rel='https://api.w.org/' href='/wp-json/'>", "wordpress"),
        ("<img src='/wp-content/uploads/a.png'>", "wordpress"),
        ("<meta name='generator' content='Discourse 3.4'>", "discourse"),
        ("<script src='/decidim-packs/js/a.js'></script>", "decidim"),
        ("<div id='mastodon'></div>", "mastodon"),
        ("<a href='/debates'>Debates</a><a href='/proposals'>Propuestas</a>", "consul"),
        ("<body id='phpbb'>x</body>", "phpbb"),
        ("<script>var my_post_key = 'a';</script>", "mybb"),
        ("<script>var smf_scripturl = 'http://foro.test/index.php';</script>", "smf"),
        ("<meta content='blogger' name='generator'>", "blogger"),
    ],
)
def test_engines_are_known_by_what_their_pages_show(body: str, engine: str) -> None:
    assert [name for name, _ in page(body).engines()] == [engine]


def test_a_page_of_nobodys_shows_no_engine() -> None:
    plain_page = page("<p>Usamos WordPress y phpBB desde 2010.</p>")
    assert list(plain_page.engines()) == []
    assert (plain_page.isso, plain_page.disqus, plain_page.terms, plain_page.feeds) == (None, None, None, [])


def test_comment_systems_are_known_by_their_scripts() -> None:
    isso = page("<script src='//hilos.test/isso/js/embed.min.js' data-isso=''></script>")
    assert isso.isso == "http://hilos.test/isso/"
    assert page("<script data-isso='/isso'></script>").isso == "http://diario.test/isso/"
    assert page("<script data-isso='http://[::1'></script>").isso is None
    assert page("<script>var disqus_shortname = 'diario-este';</script>").disqus == "diario-este"
    assert list(page("<script src='https://giscus.app/client.js'></script>").unread_systems()) == [
        "giscus or utterances (comments kept at GitHub)"
    ]


def test_feeds_of_comments_come_first_and_terms_are_of_the_site() -> None:
    found = page(
        "<link rel=alternate type='application/rss+xml' href='/feed/'>"
        "<link rel='alternate' type='application/rss+xml; charset=utf-8' href='/comments/feed/' title='Comentarios'>"
        "<link rel=alternate hreflang=en href='/en/'>"
        "<a href='https://otro.test/terminos'>Términos</a><a href='/aviso/'><b>Aviso legal</b></a>"
    )
    assert [(feed.url, feed.of_comments) for feed in found.feeds] == [
        ("http://diario.test/comments/feed/", True),
        ("http://diario.test/feed/", False),
    ]
    assert found.terms == "http://diario.test/aviso/"


def test_a_link_header_names_the_api_of_wordpress() -> None:
    found = page("<p>x</p>", Link='<http://diario.test/?rest_route=/>; rel="https://api.w.org/"')
    assert found.wordpress_root == "http://diario.test/?rest_route=%2F"
    survey = Survey(Look(url=found.url))
    survey.read_front(found.response)
    question = survey.next_question()
    assert question is not None
    assert question.url == "http://diario.test/?rest_route=/wp/v2/comments&per_page=1&_fields=id"


def test_a_mastodon_account_is_asked_for_by_its_name() -> None:
    shown = page("<div id=mastodon></div>", url="https://red.test/@municipio")
    survey = Survey(Look(url=shown.url))
    survey.read_front(shown.response)
    question = survey.next_question()
    assert question is not None
    assert question.url == "https://red.test/api/v1/accounts/lookup?acct=municipio"
    answer = TextResponse(question.url, body=json.dumps({"acct": "municipio", "statuses_count": 40}).encode())
    assert question.read(answer) == "its API answers: an account with 40 statuses"
    (door,) = survey.look.ranked()
    assert (door.platform, door.url, door.options) == ("mastodon", "https://red.test/", {"accounts": ["municipio"]})


def test_a_graphql_door_that_is_shut_leaves_the_archive() -> None:
    shown = page("<script src='/decidim-packs/a.js'></script>")
    survey = Survey(Look(url=shown.url))
    survey.read_front(shown.response)
    question = survey.next_question()
    assert question is not None
    assert question.json == {"query": "{ decidim { version } }"}
    assert "HTTP 403" in question.read(Response(question.url, status=403))
    assert [door.options for door in survey.look.ranked()] == [{"way": "export"}]


def test_consul_is_asked_for_one_proposal() -> None:
    shown = page("<footer>CONSUL Democracy</footer>", url="http://participa.test/debates")
    survey = Survey(Look(url=shown.url))
    survey.read_front(shown.response)
    question = survey.next_question()
    assert question is not None
    assert question.url.startswith("http://participa.test/graphql?query=")
    assert question.read(TextResponse(question.url, body=b'{"data": {"proposals": {"edges": []}}}')) == "the API answers"
    assert [door.platform for door in survey.look.ranked()] == ["consul"]


@pytest.mark.parametrize(
    ("headings", "options"),
    [
        (
            ["Nro", "Fecha de Registro", "Reclamo", "Asunto"],
            {"columns": {"text": ["Reclamo"], "date": "Fecha de Registro", "id": "Nro", "title": "Asunto"}},
        ),
        (["Descripción del reclamo", "FECHA"], {"columns": {"text": ["Descripción del reclamo"], "date": "FECHA"}}),
        (["comment-id", "author-id", "comment-body", "timestamp", "agrees", "moderated"], {"layout": "polis"}),
        (["a", "b"], {"columns": {"text": ["PENDIENTE: columna del mensaje"]}}),
        ([], {"columns": {"text": ["PENDIENTE: columna del mensaje"]}}),
    ],
)
def test_columns_are_mapped_by_their_headings(headings: list[str], options: dict[str, Any]) -> None:
    assert map_columns(headings) == options


def test_documents_are_known_by_what_they_are() -> None:
    xml = b'<?xml version="1.0"?><service_requests><request/></service_requests>'
    (door,) = document_doors(TextResponse("http://muni.test/georeport/requests.xml", body=xml))
    assert (door.platform, door.url) == ("open311", "http://muni.test/georeport/")
    (door,) = document_doors(TextResponse("http://muni.test/v2/requests.json", body=b'[{"service_request_id": "1"}]'))
    assert (door.platform, door.options) == ("open311", {"format": "json"})
    sitemap = b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>http://d.test/a</loc></url></urlset>"
    (door,) = document_doors(TextResponse("http://d.test/mapa.xml", body=sitemap))
    assert (door.platform, door.options) == ("structured", {"articles": {"sitemap": "http://d.test/mapa.xml"}})
    assert document_doors(TextResponse("http://d.test/foto", body=b"\x89PNG")) == []


def test_local_files_are_known_by_their_form() -> None:
    assert local_door(b"", url="data/imports/actas/mesa.docx").channel == "in_person"
    with pytest.raises(SourceProblem, match="no exported chat"):
        local_door(b"Lista de compras\n", url="data/imports/nota.txt")
    with pytest.raises(SourceProblem, match="no collector reads such a file"):
        local_door(b"%PDF", url="data/imports/acta.pdf")


def test_a_look_survives_its_way_through_a_file() -> None:
    door = Door(
        platform="feed", url="http://a.test/f", rank=Rank.CONTEXT, evidence=("x",), options={"comments": True}, needs=("y",)
    )
    better = Door(platform="page", url="http://a.test/", rank=Rank.PAGE)
    look = Look(url="http://a.test/", visits=["v"], doors=[door, better, door])
    again = Look.from_json(json.loads(json.dumps(look.as_json())))
    assert again == look
    assert again.ranked() == [better, door]


def test_remote_words_become_one_short_plain_line() -> None:
    assert plain("Diario\n\x1b[31m\u202eLibre\x9b \u2028 2") == "Diario [31m Libre 2"
    assert len(plain("ñ" * 500)) == 160
    assert plain(None) == ""
