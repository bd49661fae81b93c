"""What is left alone on request: the list and its errors, and a crawl that keeps to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exclusions import Exclusions, keyed_author, load_exclusions
from collectors.yaml_errors import ConfigurationError

SECRET = b"a-test-secret-of-thirty-characters"
WHY = {"reason": "Lo pidió por escrito", "since": "2026-05-01"}
OPINIONS = {
    "markup": "selectors",
    "article_links": "a.nota",
    "comment": {"item": "div.op", "id": "@id", "author": "b", "text": "p"},
}


def exclusions(**lists: Any) -> Exclusions:
    return Exclusions.model_validate({name: [WHY | entry for entry in entries] for name, entries in lists.items()})


@pytest.mark.parametrize(
    ("prefix", "url", "excluded"),
    [
        ("https://diario.pe/opinion", "https://diario.pe/opinion", True),
        ("https://diario.pe/opinion", "http://www.diario.pe/opinion/2026/nota?x=1#c2", True),
        ("https://diario.pe/opinion", "https://diario.pe/opiniones", False),
        ("https://diario.pe/opinion/", "https://diario.pe/opinion", False),
        ("https://diario.pe/opinion", "https://otro.pe/opinion", False),
        ("https://diario.pe/opinion", "https://m.diario.pe/opinion", False),
        ("https://diario.pe/opinion", "https://DIARIO.pe/a/..//opini%6fn/./nota", True),
        ("https://diario.pe/opinion", "https://diario.pe/%2e%2e/opinion", True),
        ("https://diario.pe:8443/a", "https://diario.pe/a", False),
        ("https://diario.pe:443/a", "http://diario.pe:80/a", True),
        ("https://foro.pe/tema.php?t=55", "https://foro.pe/tema.php?t=55", True),
        ("https://foro.pe/tema.php?t=55", "https://foro.pe/tema.php?page=2&t=55", True),
        ("https://foro.pe/tema.php?t=55", "https://foro.pe/tema.php?page=2", False),
        ("https://foro.pe/tema.php?t=55", "https://foro.pe/tema.php/x?t=55", False),
        ("https://foro.pe/tema.php?vacio=", "https://foro.pe/tema.php?vacio", True),
        ("https://foro.pe/tema.php?t=55", "https://foro.pe/tema.php?t=551", False),
        ("https://ñandú.pe/señor", "https://xn--and-6ma2c.pe/se%C3%B1or/1", True),
        ("https://diario.pe/", "https://diario.pe/lo/que/sea", True),
    ],
)
def test_addresses_are_compared_as_addresses(prefix: str, url: str, excluded: bool) -> None:
    assert exclusions(urls=[{"url": prefix}]).excludes_url(url) is excluded


@pytest.mark.parametrize(
    ("url", "excluded"),
    [
        ("https://diario.pe/", True),
        ("http://blog.archivo.DIARIO.pe./x", True),
        ("http://www.diario.pe:8080/x", True),
        ("https://midiario.pe/", False),
        ("https://diario.pe.otro.pe/", False),
        ("https://pe/", False),
        ("https://niñez.pe/", True),
        ("https://xn--niez-hqa.pe/", True),
        (None, False),
        ("", False),
        ("mailto:alguien@diario.pe", False),
        ("http://[::1/", False),
    ],
)
def test_domains_take_their_subdomains_with_them(url: str | None, excluded: bool) -> None:
    assert exclusions(domains=[{"domain": "Diario.pe."}, {"domain": "niñez.pe"}]).excludes_url(url) is excluded


def test_authors_stand_under_their_key_in_one_source() -> None:
    key = keyed_author(SECRET, "foro", "  Rosa   QUISPE ")
    listed = exclusions(authors=[{"source": "foro", "author_key": key}])
    assert listed.excludes_author("foro", keyed_author(SECRET, "foro", "rosa quispe"))
    assert not listed.excludes_author("blog", keyed_author(SECRET, "blog", "rosa quispe"))
    assert not listed.excludes_author("blog", key)
    assert not listed.excludes_author("foro", None)


def test_nothing_is_excluded_by_an_empty_or_absent_list(tmp_path: Path) -> None:
    for listed in (Exclusions(), load_exclusions(tmp_path / "no-hay.yml")):
        assert not listed.excludes_url("https://diario.pe/")
        assert not listed.excludes_author("foro", "0" * 32)


@given(st.text(max_size=80))
def test_no_text_breaks_the_comparison(text: str) -> None:
    listed = exclusions(urls=[{"url": "https://diario.pe/a"}], domains=[{"domain": "otro.pe"}])
    assert listed.excludes_url(text) in (True, False)
    assert listed.excludes_url(f"https://otro.pe/{text.strip()}") in (True, False)


def test_every_error_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "exclusions.yml"
    path.write_text(
        "urls:\n"
        "  - url: ftp://diario.pe/\n"
        "    reason: Lo pidió su editor\n"
        "    since: 2026-05-01\n"
        "domains:\n"
        "  - domain: https://diario.pe/\n"
        "    since: ayer\n"
        "authors:\n"
        "  - source: foro\n"
        "    author: Rosa Quispe\n"
        "    author_key: rosa\n"
        "    reason: Lo pidió\n"
        "    since: 2026-05-01\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        load_exclusions(path)
    told = {(problem.line, problem.where) for problem in caught.value.problems}
    assert told == {
        (2, "urls[1].url"),
        (6, "domains[1].domain"),
        (6, "domains[1].reason"),
        (7, "domains[1].since"),
        (10, "authors[1].author"),
        (11, "authors[1].author_key"),
    }
    assert "did you mean 'author_key'?" in str(caught.value)


def test_a_list_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "exclusions.yml"
    path.write_text("domains:\n  - {domain: diario.pe, reason: Lo pidió su editor, since: 2026-05-01}\n", encoding="utf-8")
    assert load_exclusions(path).excludes_url("https://diario.pe/x")


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    people = {"a": "Rosa Quispe", "b": "Rosa Quispe", "c": "Luis Mamani", "d": "Ana"}
    moved = reply(b"", status=302, headers=(("Location", "/privado/oculto"),))

    def forum(path: str, query: Any) -> Any:
        if path == "/":
            names = [*people, "privado/x", "desvio"]
            return reply("".join(f'<a class="nota" href="/{name}">t</a>' for name in names).encode())
        name = path.strip("/")
        if name == "desvio":
            return moved
        if name not in people:
            return None if path == "/robots.txt" else reply(b'<div class="op" id="z"><p>Secreto</p></div>')
        return reply(f'<div class="op" id="{name}"><b>{people[name]}</b><p>Falta luz en {name}</p></div>'.encode())

    entries = "".join(
        f"<item><guid>{number}</guid><link>http://{host}.test/n/{number}</link><description>Falta agua</description></item>"
        for number, host in enumerate(("feed", "vetado", "feed"))
    )
    lab.web.sites |= {
        "foro.test": forum,
        "vetado.test": lambda path, query: reply(b"x"),
        "feed.test": lambda path, query: reply(f'<rss version="2.0"><channel>{entries}</channel></rss>'.encode()),
    }
    key = keyed_author(lab.secret.encode(), "foro", "rosa quispe")
    listed = {
        "urls": [WHY | {"url": "http://foro.test/privado/"}],
        "domains": [WHY | {"domain": "vetado.test"}],
        "authors": [WHY | {"source": "foro", "author_key": key}],
    }
    path = lab.folder / "exclusions.yml"
    path.write_text(json.dumps(listed), encoding="utf-8")
    options = {"entries": "manifestation"}
    sources = [
        lab.source("foro", "page", "http://foro.test/", options=OPINIONS),
        lab.source("feed", "feed", "http://feed.test/f", options=options),
        lab.source("vetado", "feed", "http://vetado.test/f", options=options),
    ]
    return lab.crawl(sources, extra={"exclusions": str(path)})


def test_excluded_address_is_not_fetched(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.seen if seen.path.startswith("/privado")] == []
    assert "/desvio" in {seen.path for seen in lab.web.pages("foro.test")}
    assert [seen for seen in lab.web.seen if seen.host == "vetado.test"] == []


def test_excluded_author_is_dropped_before_the_spool(crawled: Any) -> None:
    assert {item.text for item in crawled.items("foro")} == {"Falta luz en c", "Falta luz en d"}
    assert "Falta luz en a" not in crawled.written()
    assert "Rosa" not in crawled.written()


def test_what_is_left_out_is_counted_and_no_fault(crawled: Any) -> None:
    health = crawled.health("foro")
    assert (health.status, health.reason, health.excluded_count) == ("ok", "none", 4)
    assert "4 left out by the list of exclusions" in health.detail


def test_item_that_leads_to_an_excluded_domain_is_dropped(crawled: Any) -> None:
    assert {item.native_id for item in crawled.items("feed")} == {"0", "2"}
    assert crawled.health("feed").excluded_count == 1


def test_source_whose_own_address_is_excluded_is_not_collected(crawled: Any) -> None:
    assert crawled.outcome("vetado") == ("not_collected", "excluded")
    assert crawled.health("vetado").item_count == 0


def test_without_a_list_everything_is_read(lab: Any, crawled: Any) -> None:
    again = lab.crawl([lab.source("foro", "page", "http://foro.test/", options=OPINIONS)])
    assert len(again.items("foro")) == 5
    assert again.health("foro").excluded_count == 0
