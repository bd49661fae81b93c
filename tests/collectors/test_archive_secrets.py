"""No key reaches the raw archive: not in an address, a header, a body or an answer that repeats it, packed or not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

KEY = "clave/pública+2021=="
TOKEN = "ficha-de-acceso-0123456789"


def answer(lab: Any, *, packed: bool) -> Any:
    def site(path: str, query: dict[str, list[str]], seen: Any) -> Any:
        if path != "/api/3.0/posts/list.json":
            return None
        post = {
            "id": "1",
            "parent": None,
            "thread": {
                "id": "7",
                "title": "Obras",
                "link": "http://diario.test/obras/",
                "message": "",
                "createdAt": "2021-03-20T10:00:00",
            },
            "author": {"name": "Vecina Uno", "username": "vecina1", "isAnonymous": False},
            "message": "<p>La vereda sigue rota</p>",
            "raw_message": f"La vereda sigue rota {query['api_key'][0]}",
            "createdAt": "2021-04-10T12:00:00",
            "likes": 1,
            "isApproved": True,
            "isDeleted": False,
            "isSpam": False,
        }
        cursor = {"prev": None, "hasNext": False, "next": "0:0:0", "more": False}
        body = json.dumps({"code": 0, "cursor": cursor, "response": [post]}).encode()
        headers = (("X-Eco", f"key {query['api_key'][0].encode('ascii', 'ignore').decode()}"),)
        if packed:
            return lab.Reply(gzip.compress(body), "application/json", headers=(*headers, ("Content-Encoding", "gzip")))
        return lab.Reply(body, "application/json", headers=headers)

    return site


def archive_of(spool: Path, source_id: str) -> bytes:
    (path,) = (spool.parent / "archive" / source_id).iterdir()
    return gzip.decompress(path.read_bytes())


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_key_in_the_address_and_in_the_answer_is_not_written(lab: Any, packed: bool) -> None:
    lab.web.sites["disqus.test"] = answer(lab, packed=packed)
    options = {"forum": "diario", "key": "env:CLAVE_DISQUS", "api": "http://disqus.test/api/3.0/"}
    source = lab.source("diario", "disqus", "http://diario.test/", options=options, archive=True)
    crawled = lab.crawl([source], environ={"CLAVE_DISQUS": KEY})
    assert len(crawled.items("diario")) >= 1, crawled.health("diario")
    written = archive_of(crawled.spool, "diario")
    assert b"La vereda sigue rota" in written
    assert b"api_key=***" in written
    for form in (KEY, json.dumps(KEY)[1:-1], "clave%2Fp%C3%BAblica%2B2021%3D%3D", "clave/p%C3%BAblica+2021%3D%3D"):
        assert form.encode() not in written, form
    assert crawled.health("diario").archived_byte_count > 0


def test_a_bearer_token_is_not_written(lab: Any) -> None:
    asked = []

    def mastodon(path: str, query: dict[str, list[str]], seen: Any) -> Any:
        asked.append(seen.headers.get("authorization"))
        if path == "/api/v2/instance":
            return lab.Reply(
                json.dumps({"domain": "red.test", "echo": f"{seen.headers.get('authorization')}"}).encode(), "application/json"
            )
        return lab.Reply(b"[]", "application/json")

    lab.web.sites["red.test"] = mastodon
    options = {"tags": ["ate"], "token": "env:FICHA_RED"}
    source = lab.source("red", "mastodon", "http://red.test/", options=options, archive=True)
    crawled = lab.crawl([source], environ={"FICHA_RED": TOKEN})
    assert f"Bearer {TOKEN}" in asked
    written = archive_of(crawled.spool, "red")
    assert b"Bearer ***" in written, "the answer that repeats it is there, without it"
    assert TOKEN.encode() not in written
    assert b"Authorization" not in written
