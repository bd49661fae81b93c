"""What somebody asks to be left alone goes from what is stored already, and counts no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.exclusions import Exclusions, Stored, StoredExclusions, keyed_author, link_keys
from collectors.pseudonyms import SYNTHETIC_SECRET, keyed_url
from pipelines.retention import Applied, apply_retention
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse, publish
from tests.pipelines.villa import BLOG, FORUM, Village, serve_village

REASON = "reason: A pedido de quien escribió, since: 2021-05-02"
SECRET = b"a secret for these tests alone"


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    with serve_village(tmp_path) as served:
        yield served


def apply(village: Village) -> Applied:
    with open_warehouse(village.project.warehouse) as warehouse:
        return apply_retention(warehouse, village.project, village.city)


def exclude(village: Village, entries: str) -> None:
    village.project.exclusions.write_text(entries, encoding="utf-8")


def places(village: Village, words: str) -> list[str]:
    files = sorted(path for path in village.project.root.rglob("*") if path.is_file())
    return [path.name for path in files if words.encode() in path.read_bytes()]


def excluded_author(name: str) -> str:
    key = keyed_author(SYNTHETIC_SECRET, "foro", name)
    return f"authors:\n  - {{source: foro, author_key: {key}, {REASON}}}\n"


@pytest.mark.parametrize(
    ("entries", "source", "gone"),
    [
        (excluded_author("Rosa Quispe"), "foro", [FORUM[0], FORUM[2]]),
        (f"urls:\n  - {{url: http://foro.test/tema/parque/, {REASON}}}\n", "foro", [FORUM[1]]),
        (f"urls:\n  - {{url: http://foro.test/@anatorres/4, {REASON}}}\n", "foro", [FORUM[3]]),
        (f"urls:\n  - {{url: http://www.foro.test/@anatorres, {REASON}}}\n", "foro", [FORUM[3], FORUM[4]]),
        (f"domains:\n  - {{domain: blog.test, {REASON}}}\n", "blog", list(BLOG)),
    ],
    ids=["author", "address", "address of a person", "everything below a person", "domain"],
)
def test_stored_items_go_whole_and_the_report_is_an_amendment(
    village: Village, readers: Readers, entries: str, source: str, gone: list[Any]
) -> None:
    village.collect()
    first = village.report(readers)
    with open_warehouse(village.project.warehouse) as warehouse:
        publish(warehouse, village.project.published)
    assert all(len(places(village, post.text)) == 3 for post in gone)
    exclude(village, entries)
    assert apply(village).withdrawn == {source: len(gone)}
    assert [place for post in gone for place in places(village, post.text)] == []
    kept = [post for post in (*FORUM, *BLOG) if post not in gone]
    assert all(len(places(village, post.text)) == 3 for post in kept)
    second = village.report(readers)
    assert second.totals["amends_report_id"] == first.report_id
    assert second.totals["manifestation_count"] == first.totals["manifestation_count"] - len(gone)
    told = village.query(f"select item_count from report_unread where report_id = '{second.report_id}' and reason = 'withdrawn'")
    assert told == [(len(gone),)]
    page = second.path.read_text(encoding="utf-8")
    assert "se retiraron mensajes de este periodo porque así se pidió" in page
    assert ("Un mensaje del periodo se retiró" if len(gone) == 1 else f"{len(gone)} mensajes del periodo se retiraron") in page
    rows = village.query("select reason, sum(item_count), sum(message_count) from erasure group by 1")
    assert rows == [("exclusion", len(gone), len(gone))]
    for table in ("manifestation", "manifestation_text", "annotation"):
        assert village.query(f"select count(distinct manifestation_id) from {table}") == [(len(kept),)]
    assert apply(village).withdrawn == {}
    assert village.report(readers).report_id == second.report_id


def test_an_excluded_item_does_not_come_back(village: Village) -> None:
    village.collect()
    exclude(village, excluded_author("Rosa Quispe"))
    apply(village)
    outcomes = {outcome.health.source_id: outcome for outcome in village.collect()}
    assert outcomes["foro"].added_count == 0
    assert outcomes["foro"].health.excluded_count == 2
    assert places(village, FORUM[0].text) == []


LIST = Exclusions.model_validate(
    {
        "urls": [
            {"url": "https://red.test/@ana", "reason": "pedido", "since": "2021-05-02"},
            {"url": "https://red.test/permalink.php?story=7&profile=ana", "reason": "pedido", "since": "2021-05-02"},
            {"url": "https://otra.test/u/luis/comentario/9", "reason": "pedido", "since": "2021-05-02"},
        ],
        "domains": [{"domain": "cerrado.test", "reason": "pedido", "since": "2021-05-02"}],
    }
)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://red.test/@ana/1234", True),
        ("http://www.red.test/@ana/", True),
        ("https://red.test/@anabel/1", False),
        ("https://red.test/@ana/1?vista=lista", True),
        ("https://otra.test/@ana/1", False),
        ("https://red.test/permalink.php?profile=ana&story=7&fuente=correo", True),
        ("https://red.test/permalink.php?profile=ana&story=8", False),
        ("https://red.test/permalink.php", False),
        ("https://foro.cerrado.test/@eva", True),
        ("https://nocerrado.test/@eva", False),
    ],
)
def test_an_address_kept_as_keys_is_found_as_it_would_be_in_clear(url: str, named: bool) -> None:
    matcher = StoredExclusions(LIST, SECRET, {})
    assert LIST.excludes_url(url) is named
    keys = link_keys(SECRET, "red", url)
    assert matcher.name(Stored("red", "1", None, None, keys)) is named
    assert not matcher.name(Stored("otra-fuente", "1", None, None, keys)), "keys are of one source"
    assert not StoredExclusions(LIST, b"another secret of the city", {}).name(Stored("red", "1", None, None, keys))
    assert not any(part in "".join(keys) for part in ("ana", "red", "permalink"))


def test_an_id_that_was_an_address_is_found_through_its_key() -> None:
    matcher = StoredExclusions(LIST, SECRET, {})
    kept = keyed_url(SECRET, "https://otra.test/u/luis/comentario/9")
    assert matcher.name(Stored("otra", kept, None, None))
    assert not matcher.name(Stored("otra", keyed_url(SECRET, "https://otra.test/u/luis/comentario/10"), None, None))
