"""One Spanish page in eight encodings, and posts of dirt, through a real crawl into a real warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from collectors.catalog import load_city
from collectors.period import Period
from collectors.text import MAX_TEXT_CHARACTERS
from pipelines.append import append_source
from pipelines.warehouse import open_warehouse

TEXT = "La señora del pañuelo pidió “más luz” en Huaycán… ¿cuándo? Ya pasó un año: ¡vergüenza!"
LINKED = {
    "markup": "selectors",
    "article_links": "a.nota",
    "comment": {"item": "div.op", "id": "@id", "author": "b", "date": "time@datetime", "text": "p"},
}
COLUMNS = {"columns": {"id": "id", "text": ["texto"], "date": "fecha"}}

Encode = Callable[[str], bytes]


def twice(document: str) -> bytes:
    """Return what a site sends that took its own UTF-8 for windows-1252 and encoded it again."""
    letters = (bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in document.encode())
    return "".join(letters).encode()


def entities(document: str) -> bytes:
    return document.encode("ascii", errors="xmlcharrefreplace")


def cut(document: str) -> bytes:
    """Return a document whose last letter is half there."""
    return document.encode() + "ñ".encode()[:1]


ENCODINGS: dict[str, tuple[str, Encode]] = {
    # name: the charset of the header ("" for none), how the document is written
    "cp1252-sin-nombre": ("", lambda document: document.encode("cp1252")),
    "utf-8-dice-latin-1": ("iso-8859-1", str.encode),
    "meta-contradice": ("windows-1252", lambda document: document.replace("META", "utf-8").encode("cp1252")),
    "marca": ("", lambda document: document.encode("utf-8-sig")),
    "utf-16": ("", lambda document: document.encode("utf-16")),
    "doble": ("utf-8", twice),
    "cortado": ("utf-8", cut),
    "entidades": ("us-ascii", entities),
}


def page(text: str, name: str) -> str:
    return (
        f'<html><head><meta charset="META"></head><body><div class="op" id="c-{name}"><b>Ana</b>'
        f'<time datetime="2021-04-05T10:00:00-05:00"></time><p>{text}</p></div></body></html>'
    )


def feed(text: str, name: str) -> str:
    date = "Mon, 05 Apr 2021 10:00:00 -0500"
    return (
        f"<rss version='2.0'><channel><item><guid>{name}</guid><pubDate>{date}</pubDate><description>{text}</description></item>"
        "</channel></rss>\n"
    )


def post(text: str, name: str) -> str:
    """WordPress writes letters beyond ASCII as escapes or as they are; here as they are, so that the encoding matters."""
    rendered = {"rendered": f"<p>{text}</p>"}
    row = {"id": 7, "post": 1, "parent": 0, "author_name": "Ana", "date_gmt": "2021-04-05T15:00:00", "content": rendered}
    return json.dumps([row | {"type": "comment", "link": f"http://x.test/{name}#comment-7"}], ensure_ascii=False)


def table(text: str, name: str) -> str:
    return f'id,texto,fecha\n{name},"{text}",2021-04-05\n'


PLATFORMS: dict[str, tuple[str, dict[str, Any], Callable[[str, str], str], str]] = {
    # platform: the type of its documents, its options, how a document says a text, the path that serves it
    "page": ("text/html", LINKED, page, "/t"),
    "feed": ("application/rss+xml", {"entries": "manifestation"}, feed, "/f"),
    "wordpress": ("application/json", {"posts": False}, post, "/wp-json/wp/v2/comments"),
    "file": ("text/csv", COLUMNS, table, "/f.csv"),
}
FLAGGED = {("file", "cortado")}
"""The half letter stands in a row of its own, which is no row."""


def source_id(platform: str, encoding: str) -> str:
    return f"{platform}-{encoding}"


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    sources = []
    for platform, (kind, options, write, path) in PLATFORMS.items():
        for encoding, (charset, encode) in ENCODINGS.items():
            name = source_id(platform, encoding)
            body, named = encode(write(TEXT, encoding)), f"{kind}; charset={charset}" if charset else kind

            def site(asked: str, query: Any, path: str = path, body: bytes = body, named: str = named) -> Any:
                if asked == path and "page" in query and query["page"] != ["1"]:
                    return lab.Reply(b"[]", named)
                index = lab.Reply(b'<a class="nota" href="/t">t</a>') if asked == "/" else None
                return lab.Reply(body, named) if asked == path else index

            lab.web.sites[f"{name}.test"] = site
            url = f"http://{name}.test{path if platform in ('feed', 'file') else '/'}"
            written = {"html": True} if (platform, encoding) == ("file", "entidades") else {}
            sources.append(lab.source(name, platform, url, options={**options, **written}))
    return lab.crawl(sources)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_text_is_the_same_however_it_was_sent(crawled: Any, platform: str, encoding: str) -> None:
    name = source_id(platform, encoding)
    texts = [item.text for item in crawled.items(name) if item.kind == "manifestation"]
    assert texts == [TEXT]
    assert crawled.outcome(name) == (("partial", "malformed") if (platform, encoding) in FLAGGED else ("ok", "none"))


DIRT: dict[str, tuple[str, str]] = {
    # what is wrong: as it is sent (in JSON, so that everything can be), and as it is kept
    "sustituto": (r"roto \ud83d fin", "roto \ufffd fin"),
    "nulo": (r"uno\u0000dos", "unodos"),
    "mandos": (r"uno\u0007\u001b[31mdos\u0085tres", "uno[31mdos\ntres"),
    "direcciones": (r"\u202eal revés\u202c \u2066x\u2069", "al revés x"),
    "sin-ancho": (r"pala\u200bbra \ufeffotra\u2060", "palabra otra"),
    "matematica": (r"\ud835\udc00\ud835\udc01 luz", "𝐀𝐁 luz"),
    "no-letras": (r"a\uffff\ufffeb", "ab"),
    "megabyte": ("palabra " * 131_072, ""),
    "una-linea": ("x" * 600_000, ""),
    "bueno": ("Falta luz en Huaycán", "Falta luz en Huaycán"),
}


def dirty_posts() -> bytes:
    rows = (
        f'{{"id": {number}, "post": 1, "parent": 0, "author_name": "Ana \\ud83d", "date_gmt": "2021-04-05T15:00:00",'
        f' "type": "comment", "link": "http://sucio.test/x#comment-{number}", "content": {{"rendered": "{raw}"}}}}'
        for number, (raw, _) in enumerate(DIRT.values(), start=1)
    )
    return f"[{','.join(rows)}]".encode()


def dirty_feed() -> bytes:
    entries = (
        f'{{"id": "{name}", "date_published": "2021-04-05T15:00:00Z", "content_text": "{raw}"}}'
        for name, (raw, _) in DIRT.items()
    )
    return f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{",".join(entries)}]}}'.encode()


def dirty_table() -> bytes:
    rows = (f'{name},"{json.loads(f"{chr(34)}{raw}{chr(34)}")}",2021-04-05' for name, (raw, _) in DIRT.items())
    return ("id,texto,fecha\n" + "\n".join(rows)).encode("utf-8", "surrogatepass")


def dirty_page() -> bytes:
    said = {name: json.loads(f'"{raw}"') for name, (raw, _) in DIRT.items()}
    posts = "".join(f'<div class="op" id="{name}"><b>Ana</b><p>{text}</p></div>' for name, text in said.items())
    return posts.encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def stored(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Source -> native id -> text, as the warehouse has them after a crawl of dirt."""
    bodies = {
        "sucio-wordpress": ("/wp-json/wp/v2/comments", dirty_posts(), "application/json"),
        "sucio-feed": ("/f", dirty_feed(), "application/feed+json"),
        "sucio-file": ("/f.csv", dirty_table(), "text/csv"),
        "sucio-page": ("/t", dirty_page(), "text/html"),
    }
    sources = []
    for name, (path, body, kind) in bodies.items():

        def site(asked: str, query: Any, path: str = path, body: bytes = body, kind: str = kind) -> Any:
            if asked == path and query.get("page", ["1"]) != ["1"]:
                return lab.Reply(b"[]", kind)
            index = lab.Reply(b'<a class="nota" href="/t">t</a>') if asked == "/" else None
            return lab.Reply(body, kind) if asked == path else index

        lab.web.sites[f"{name}.test"] = site
        platform = name.partition("-")[2]
        url = f"http://{name}.test{path if platform in ('feed', 'file') else '/'}"
        sources.append(lab.source(name, platform, url, options=PLATFORMS[platform][1]))
    crawled = lab.crawl(sources)
    city = load_city(crawled.spool.parent / "prueba.yml")
    period = Period(*(datetime(2021, month, 1, tzinfo=city.zone) for month in (4, 5)), city.zone)
    with open_warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb") as warehouse:
        for source in city.sources:
            append_source(warehouse, city, crawled.spool, source.id, period)
        rows = warehouse.query(
            "select source_id, native_id, text from manifestation join manifestation_text using (manifestation_id, version)"
            " where kind = 'manifestation'"
        )
    kept: dict[str, dict[str, str]] = {}
    for source_id_, native_id, text in rows:
        kept.setdefault(source_id_, {})[native_id] = text
    return kept


@pytest.mark.parametrize("dirt", DIRT)
@pytest.mark.parametrize("platform", ["wordpress", "feed", "file", "page"])
def test_one_bad_post_costs_no_other_and_ends_in_the_warehouse(stored: Any, platform: str, dirt: str) -> None:
    texts = stored[f"sucio-{platform}"]
    assert len(texts) == len(DIRT)
    number = list(DIRT).index(dirt) + 1
    (text,) = [text for key, text in texts.items() if key in (dirt, f"comment-{number}")]
    raw, kept = DIRT[dirt]
    if kept:
        # Outside JSON, half a pair is three bytes that are no letter; in HTML, a line break of any kind is a space.
        in_html = platform in ("wordpress", "page")
        assert re.sub("\ufffd+", "\ufffd", text) == (kept.replace("\n", " ") if in_html else kept)
    else:
        assert len(text) == MAX_TEXT_CHARACTERS
        assert text.endswith("…")
        assert text[:1_000] == raw[:1_000]
