"""Sites that Isso serves, crawled from a server that lists, nests and counts comments as Isso does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.spiders.isso import IssoOptions

RECORDED = Path(__file__).parent.parent / "recorded" / "isso" / "thread.json"
START, END = datetime(2021, 4, 1, 5, tzinfo=UTC), datetime(2021, 5, 1, 5, tzinfo=UTC)
Query = dict[str, list[str]]
JSON = "application/json"


def comment(number: int, uri: str = "/pistas/", *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "parent": None,
        "uri": uri,
        "created": (at or datetime(2021, 4, 10, 12, tzinfo=UTC)).timestamp(),
        "modified": None,
        "mode": 1,
        "text": f"<p>Queja de la cuadra {number}</p>",
        "author": f"Vecino {number}",
        "website": None,
        "likes": 2,
        "dislikes": 1,
        **fields,
    }


class Isso:
    """One Isso server below a folder; a list of its comments is in the order of the database, the oldest first."""

    def __init__(self, reply: Any, rows: list[Any], *, latest: bool = True, counts: bool = True, more: Any = None) -> None:
        self.reply, self.rows, self.latest, self.counts, self.more = reply, rows, latest, counts, more or {}

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        if path in self.more:
            return self.more[path]
        if path == "/isso/latest":
            return self._latest(int(query["limit"][0])) if self.latest else None
        if path == "/isso/count" and seen.method == "POST":
            return self._counts(json.loads(seen.body)) if self.counts else self.reply(b"", status=500)
        return self._thread(query["uri"][0]) if path == "/isso/" else None

    def _latest(self, limit: int) -> Any:
        # As the server orders them: first-level comments before all answers, and the end of that list is "the latest".
        rows = [row for row in self.rows if not isinstance(row, dict) or row.get("mode") == 1]
        rows.sort(key=lambda row: isinstance(row, dict) and row.get("parent") is not None)
        return self.reply(json.dumps(rows[-limit:]).encode(), JSON)

    def _counts(self, uris: list[str]) -> Any:
        return self.reply(json.dumps([sum(row["uri"] == uri for row in self.rows) for uri in uris]).encode(), JSON)

    def _thread(self, uri: str) -> Any:
        rows = [{name: row[name] for name in row if name != "uri"} for row in self.rows if row["uri"] == uri]
        first = [
            row | {"replies": [other for other in rows if other["parent"] == row["id"]]} for row in rows if not row["parent"]
        ]
        document = {"id": None, "total_replies": len(rows), "hidden_replies": 0, "replies": first, "config": {}}
        return self.reply(json.dumps(document).encode(), JSON)


EDGES = [
    comment(1, at=START - timedelta(seconds=1)),
    comment(2, at=START),
    comment(3, at=END - timedelta(seconds=1), parent=2),
    comment(4, at=END),
    comment(5, created=None),
    comment(6, mode=2),
    comment(7, mode=4, text=""),
    comment(8, "vecinos-2021"),
    comment(9, "//otro.test/x"),
    comment(10, "http://vecinos.test/agua/?a=1"),
]
# Many old answers, and then first-level comments of the window: the first thousand of /latest would hold none of these.
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MANY = [comment(number, parent=1, at=LONG_AGO) for number in range(1_000)]
MANY += [comment(2_000 + number, f"/nota/{number}/") for number in range(40)]
TOO_MANY = [comment(number, "/viejo/", parent=1, at=LONG_AGO, text="<p>x</p>") for number in range(10_000)] + MANY[-40:]
THREADS = [comment(11, "/pistas/"), comment(12, "/pistas/", parent=11), comment(13, "/huayc%C3%A1n/")]
ODD = [
    comment(21),
    None,
    "texto",
    comment(22, text={"raro": "SECRETO-DEL-VECINO"}),
    comment(0, id=None, text="SECRETO-SIN-ID"),
    comment(23, author=["x"], likes=None, created="ayer", uri=None, modified="x"),
    comment(24, parent=True, likes=True, created=1e30),
    comment(25, text="<p>  </p>"),
]
NAMES = [
    comment(1, author="Peña &amp; &lt;hijos&gt;"),
    comment(2, author="Peña & <hijos>"),
    comment(3, author="Peña"),
]
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> http://vecinos.test/pistas/ </loc><image:image><image:loc>http://vecinos.test/foto.jpg</image:loc></image:image></url>
<url><loc>http://www.vecinos.test/huaycán/</loc></url><url><loc>http://vecinos.test/vacía/</loc></url>
<url><loc>http://ajeno.test/otra/</loc></url><url><loc>http://[roto/</loc></url><url/>
</urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>http://{0}.test/uno.xml</loc></sitemap>
<sitemap><loc>http://{0}.test/uno.xml</loc></sitemap><sitemap><loc>/mapa.xml</loc></sitemap></sitemapindex>"""
FEED = """<rss version="2.0"><channel><title>Vecinos</title><item><title>Agua</title><link>http://vecinos.test/pistas/?utm_source=rss</link>
</item><item><title>Sin enlace</title></item></channel></rss>"""


def xml(reply: Any, text: str) -> Any:
    return reply(text.encode(), "application/xml")


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    maps = {"/mapa.xml": xml(reply, INDEX.format("mapa")), "/uno.xml": xml(reply, SITEMAP)}
    lab.web.sites |= {
        "bordes.test": Isso(reply, EDGES),
        "muchos.test": Isso(reply, MANY),
        "demasiados.test": Isso(reply, TOO_MANY),
        "paginas.test": Isso(reply, THREADS, latest=False),
        "sincuenta.test": Isso(reply, THREADS, latest=False, counts=False),
        "mapa.test": Isso(reply, THREADS, latest=False, more=maps),
        "rss.test": Isso(reply, THREADS, latest=False, more={"/rss.xml": xml(reply, FEED)}),
        "maparoto.test": Isso(reply, THREADS, latest=False, more={"/mapa.xml": reply(b"", "application/xml")}),
        "mapaajeno.test": Isso(reply, [], latest=False, more={"/mapa.xml": xml(reply, SITEMAP.replace("vecinos", "ajenos"))}),
        "rssroto.test": Isso(reply, THREADS, latest=False, more={"/rss.xml": reply(b"<html>Hola</html>")}),
        "grabado.test": lambda path, query: {
            "/isso/": reply(RECORDED.read_bytes(), JSON),
            "/isso/count": reply(b"[5]", JSON),
        }.get(path),
        "raro.test": Isso(reply, ODD),
        "nombres.test": Isso(reply, NAMES),
        "cerrado.test": Isso(reply, THREADS, latest=False),
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>"),
        "cortado.test": lambda path, query: reply(b'[{"id": 1', JSON),
        "apurado.test": lambda path, query: reply(b"", status=429) if "latest" in path else None,
        "caido.test": lambda path, query: reply(b"", status=500) if "latest" in path else None,
        "hilosinlista.test": lambda path, query: None if "latest" in path else reply(b'{"replies": 5}', JSON),
        "hiloperdido.test": lambda path, query: {"/isso/count": reply(b"[1, 1]", JSON)}.get(path),
    }
    pages = ["/pistas/", "/vacia/", "/huayc%C3%A1n/", "/pistas/"]
    options: dict[str, Any] = {
        "demasiados": {"pages": ["/nota/1/"]},
        "paginas": {"pages": pages},
        "sincuenta": {"pages": pages},
        "mapa": {"sitemap": "http://mapa.test/mapa.xml"},
        "rss": {"feed": "http://rss.test/rss.xml"},
        "maparoto": {"sitemap": "http://maparoto.test/mapa.xml"},
        "mapaajeno": {"sitemap": "http://mapaajeno.test/mapa.xml"},
        "rssroto": {"feed": "http://rssroto.test/rss.xml"},
        "grabado": {"pages": ["/pistas/"]},
        "hilosinlista": {"pages": ["/pistas/"]},
        "hiloperdido": {"pages": ["/pistas/", "/agua/"]},
    }
    names = [host.removesuffix(".test") for host in lab.web.sites]
    publisher = {"authors": ["Municipalidad de Ate"]}
    return lab.crawl(
        [
            lab.source(
                name,
                "isso",
                "http://vecinos.test/blog/",
                options={"api": f"http://{name}.test/isso", **options.get(name, {})},
                publisher=publisher,
            )
            for name in names
        ]
    )


def asked(lab: Any, name: str) -> list[str]:
    """Return what was asked of a server: path and `uri` or `limit`."""
    pages = lab.web.pages(f"{name}.test")
    return [f"{seen.path}{''.join(f' {value[0]}' for value in seen.query.values())}" for seen in pages]


def test_comments_of_the_window_and_the_undated_are_kept(lab: Any, crawled: Any) -> None:
    people = crawled.people("bordes")
    assert set(people) == {"2", "3", "5", "8", "9", "10"}
    assert people["2"].published_at == START
    assert (people["3"].parent_id, people["2"].parent_id) == ("2", "page:/pistas/")
    assert (people["5"].published_at, people["5"].published_raw) == (None, None)
    assert crawled.outcome("bordes") == ("ok", "none")
    assert asked(lab, "bordes") == ["/isso/latest 1000"]


def test_a_permalink_leads_to_the_page_of_the_site(crawled: Any) -> None:
    people = crawled.people("bordes")
    assert people["2"].url == "http://vecinos.test/pistas/#isso-2"
    assert people["10"].url == "http://vecinos.test/agua/?a=1#isso-10"
    assert [people[number].url for number in ("8", "9")] == [None, None]


def test_latest_is_believed_only_where_it_is_not_cut(lab: Any, crawled: Any) -> None:
    assert asked(lab, "muchos") == ["/isso/latest 1000", "/isso/latest 10000"]
    assert set(crawled.people("muchos")) == {str(2_000 + number) for number in range(40)}
    assert crawled.outcome("muchos") == ("ok", "none")


def test_a_server_with_too_many_comments_is_read_by_its_pages(lab: Any, crawled: Any) -> None:
    assert asked(lab, "demasiados")[2:] == ["/isso/count", "/isso/ /nota/1/"]
    assert set(crawled.people("demasiados")) == {"2001"}
    assert crawled.outcome("demasiados") == ("ok", "none")


def test_only_threads_with_comments_are_asked_for(lab: Any, crawled: Any) -> None:
    assert sorted(asked(lab, "paginas")) == ["/isso/ /huayc%C3%A1n/", "/isso/ /pistas/", "/isso/count", "/isso/latest 1000"]
    (counted,) = (seen for seen in lab.web.pages("paginas.test") if seen.method == "POST")
    assert json.loads(counted.body) == ["/pistas/", "/vacia/", "/huayc%C3%A1n/"]
    assert counted.headers["content-type"] == JSON
    people = crawled.people("paginas")
    assert {number: item.parent_id for number, item in people.items()} == {
        "11": "page:/pistas/",
        "12": "11",
        "13": "page:/huayc%C3%A1n/",
    }
    assert people["13"].url == "http://vecinos.test/huayc%C3%A1n/#isso-13"
    assert crawled.outcome("paginas") == ("ok", "none")


def test_without_counts_every_thread_is_asked_for(lab: Any, crawled: Any) -> None:
    assert len([line for line in asked(lab, "sincuenta") if line.startswith("/isso/ ")]) == 3
    assert set(crawled.people("sincuenta")) == {"11", "12", "13"}
    assert crawled.outcome("sincuenta") == ("partial", "http_error")


def test_pages_come_from_a_sitemap(lab: Any, crawled: Any) -> None:
    assert set(crawled.people("mapa")) == {"11", "12", "13"}
    assert crawled.outcome("mapa") == ("ok", "none")
    # Each sitemap once, an index inside an index not at all, and only pages of the site, written as a browser writes them.
    assert sorted(line for line in asked(lab, "mapa") if line.endswith(".xml")) == ["/mapa.xml", "/mapa.xml", "/uno.xml"]
    (counted,) = (seen for seen in lab.web.pages("mapa.test") if seen.method == "POST")
    assert json.loads(counted.body) == ["/pistas/", "/huayc%C3%A1n/", "/vac%C3%ADa/"]


def test_pages_come_from_a_feed(crawled: Any) -> None:
    assert set(crawled.people("rss")) == {"11", "12"}
    assert crawled.outcome("rss") == ("ok", "none")


def test_comment_as_documented(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("grabado")}
    assert set(by_id) == {"41", "42", "43", "45"}
    item = by_id["41"]
    assert item.text == "La pista está peor que el año pasado 😡\n¿Nadie la arregla?\nSe inician obras"
    assert item.published_at == datetime(2021, 4, 10, 18, 20, 5, 254393, tzinfo=UTC)
    assert item.published_raw == "1618078805.254393"
    assert item.modified_at == datetime(2021, 4, 10, 19, 20, 5, 500000, tzinfo=UTC)
    assert item.reactions == 4
    assert item.author_key is not None
    assert (by_id["42"].parent_id, by_id["42"].author_key, by_id["42"].modified_at) == ("41", None, None)
    assert by_id["42"].published_at == datetime(2021, 4, 10, 18, 21, 40, tzinfo=UTC)
    assert by_id["43"].kind == "official"
    assert by_id["45"].parent_id == "44"
    assert "pena.test" not in crawled.written()


def test_names_come_with_entities(crawled: Any) -> None:
    # The same person, once as Isso escapes the name and once as it was typed.
    people = crawled.people("nombres")
    assert people["1"].author_key == people["2"].author_key
    assert people["1"].author_key != people["3"].author_key


def test_odd_rows_never_lose_the_others(crawled: Any) -> None:
    people = crawled.people("raro")
    assert set(people) == {"21", "23", "24"}
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert "4 of 8" in crawled.health("raro").detail
    assert crawled.health("raro").skipped_count == 1
    assert "SECRETO" not in crawled.written()
    odd = people["23"]
    assert (odd.author_key, odd.reactions, odd.published_at, odd.url, odd.parent_id) == (None, None, None, None, None)
    assert odd.published_raw == "ayer"
    assert (people["24"].parent_id, people["24"].reactions, people["24"].published_at) == ("page:/pistas/", None, None)


@pytest.mark.parametrize(
    ("name", "outcome", "told"),
    [
        ("cerrado", ("failed", "http_error"), "give pages, sitemap or feed"),
        ("html", ("failed", "malformed"), "not a JSON list"),
        ("cortado", ("failed", "malformed"), "not a JSON list"),
        ("apurado", ("failed", "rate_limited"), "HTTP 429"),
        ("caido", ("failed", "http_error"), "HTTP 500"),
        ("maparoto", ("partial", "malformed"), "not a sitemap"),
        ("mapaajeno", ("partial", "malformed"), "no listed page is of vecinos.test"),
        ("rssroto", ("partial", "malformed"), "not a readable feed (RSS, Atom or JSON Feed)"),
        ("hilosinlista", ("partial", "malformed"), "`replies` is no list"),
        ("hiloperdido", ("partial", "http_error"), "HTTP 404"),
    ],
)
def test_every_failure_has_its_name(crawled: Any, name: str, outcome: tuple[str, str], told: str) -> None:
    assert crawled.outcome(name) == outcome
    assert told in crawled.health(name).detail
    assert crawled.items(name) == []


def test_a_list_of_pages_on_another_host_is_refused() -> None:
    for name in ("sitemap", "feed"):
        with pytest.raises(ValidationError, match=f"{name} must be on the host of `api`"):
            IssoOptions.model_validate({"api": "https://comentarios.vecinos.pe/", name: "https://vecinos.pe/x.xml"})
    assert IssoOptions.model_validate({"api": "https://vecinos.pe/isso/", "feed": "https://www.vecinos.pe/x.xml"}).feed
