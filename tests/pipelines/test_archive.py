"""The raw archive: whole, closed to others, without keys; and the past read from it again without a single connection."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from pipelines.collect import NothingArchived
from pipelines.retention import apply_retention
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse, publish
from tests.conftest import run_command
from tests.pipelines.villa import FORUM, Village, feed, serve_village

WINDOW = ("villa", "--from", "2021-04-01", "--to", "2021-04-30")


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    """The village, whose sources keep what they answer for 20 days."""
    with serve_village(tmp_path) as served:
        served.write_city(extra="archive: true\n    archive_days: 20")
        yield served


def archives(village: Village) -> list[Path]:
    return sorted((village.project.raw / "villa" / "archive").glob("*/*"))


def records(path: Path) -> list[Any]:
    found = []
    for record in ArchiveIterator(io.BytesIO(path.read_bytes())):
        body = record.content_stream().read()
        found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.http_headers, body))
    return found


def test_every_answer_is_kept_with_its_request_and_for_its_owner_alone(village: Village) -> None:
    outcomes = village.collect()
    assert [path.parent.name for path in archives(village)] == ["blog", "foro"]
    _, path = archives(village)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}
    assert path.read_bytes().startswith(b"\x1f\x8b")
    found = records(path)
    assert [(kind, uri) for kind, uri, _, _ in found] == [
        ("warcinfo", None),
        ("response", "http://foro.test/robots.txt"),
        ("request", "http://foro.test/robots.txt"),
        ("response", "http://foro.test/feed.xml"),
        ("request", "http://foro.test/feed.xml"),
    ]
    answer = found[3]
    assert (answer[2].get_statuscode(), answer[3]) == ("200", village.answers["foro.test/feed.xml"])
    assert b"galleta" not in b"".join(f"{headers}".encode() + body for _, _, headers, body in found if headers)
    written = {outcome.health.source_id: outcome.health.archived_byte_count for outcome in outcomes}
    assert written == {path.parent.name: path.stat().st_size for path in archives(village)}
    assert village.query("select source_id, archived_byte_count from source_health order by 1") == sorted(written.items())


def test_by_default_nothing_is_archived(village: Village) -> None:
    village.write_city()
    village.collect()
    assert archives(village) == []
    with pytest.raises(NothingArchived):
        village.collect(from_archive=True)


def test_the_past_is_read_again_without_a_connection(village: Village, readers: Readers) -> None:
    village.collect()
    first = village.report(readers)
    memories = village.query("select * from source_memory order by all")
    stored = village.query("select * from manifestation order by all")
    village.asked.clear()
    village.answers.clear()
    done = run_command("collect", *WINDOW, "--from-archive", project=village.project.root)
    assert done.returncode == 0, done.stderr
    assert village.asked == []
    assert village.query("select * from manifestation order by all") == stored
    assert village.query("select * from source_memory order by all") == memories
    assert village.query("select kind, count(*) from run where kind in ('collect', 'reread') group by 1 order by 1") == [
        ("collect", 1),
        ("reread", 1),
    ]
    assert village.query("select reread, count(*), sum(item_count) from batch group by 1 order by 1") == [
        (False, 2, 7),
        (True, 2, 7),
    ]
    assert len(archives(village)) == 2, "what is read from the archive is not archived again"
    assert village.report(readers).report_id == first.report_id


def test_a_corrected_parser_appends_new_versions(village: Village, readers: Readers) -> None:
    village.collect()
    first = village.report(readers)
    village.asked.clear()
    # What a parser mended since would do: it now reads the entries' headlines too, or another kind of them.
    path = village.project.cities / "villa.yml"
    path.write_text(path.read_text("utf-8").replace("entries: manifestation", "entries: official", 1), encoding="utf-8")
    outcomes = {outcome.health.source_id: outcome.added_count for outcome in village.collect(from_archive=True)}
    assert outcomes == {"foro": len(FORUM), "blog": 0}
    assert village.asked == []
    assert village.query(
        "select version_number, kind, count(*) from manifestation where source_id = 'foro' group by all order by 1"
    ) == [
        (1, "manifestation", len(FORUM)),
        (2, "official", len(FORUM)),
    ]
    second = village.report(readers)
    assert second.totals["amends_report_id"] == first.report_id
    assert second.totals["manifestation_count"] == first.totals["manifestation_count"] - len(FORUM)


def test_what_is_not_archived_is_told_and_never_fetched(village: Village, readers: Readers) -> None:
    village.collect()
    first = village.report(readers)
    village.asked.clear()
    path = village.project.cities / "villa.yml"
    path.write_text(path.read_text("utf-8").replace("foro.test/feed.xml", "foro.test/otra.xml"), encoding="utf-8")
    village.answers["foro.test/otra.xml"] = feed(FORUM)
    outcomes = {outcome.health.source_id: outcome.health for outcome in village.collect(from_archive=True)}
    assert (outcomes["foro"].status, outcomes["foro"].reason) == ("failed", "not_archived")
    assert "http://foro.test/otra.xml" in outcomes["foro"].detail
    assert outcomes["blog"].status == "ok"
    assert village.asked == []
    path.write_text(path.read_text("utf-8").replace("foro.test/otra.xml", "foro.test/feed.xml"), encoding="utf-8")
    assert village.report(readers).report_id == first.report_id, "how the source fared when it was asked stays what is told"


def test_the_newest_good_answer_is_read(village: Village) -> None:
    village.collect()
    edited = (FORUM[0]._replace(text="Ya volvió el agua en la cuadra cuatro, gracias a la cuadrilla"), *FORUM[1:])
    village.answers["foro.test/feed.xml"] = feed(edited)
    village.collect()
    del village.answers["foro.test/feed.xml"]
    village.collect()
    stored = village.query("select * from manifestation order by all")
    assert sum(outcome.added_count for outcome in village.collect(from_archive=True)) == 0
    assert village.query("select * from manifestation order by all") == stored


def test_robots_hold_in_the_archive_too(village: Village) -> None:
    village.answers["foro.test/robots.txt"] = b"User-agent: *\nDisallow: /feed.xml\n"
    assert {o.health.source_id: o.health.reason for o in village.collect()}["foro"] == "robots_closed"
    village.asked.clear()
    assert {o.health.source_id: o.health.reason for o in village.collect(from_archive=True)}["foro"] == "robots_closed"
    assert village.asked == []


def test_retention_removes_it_by_its_own_days_and_no_copy_holds_it(village: Village) -> None:
    village.collect()
    with open_warehouse(village.project.warehouse) as warehouse:
        publish(warehouse, village.project.published)
        for clock, left in (("2021-05-22T09:00:00-05:00", 2), ("2021-05-23T09:00:00-05:00", 0)):
            village.write_city(clock=clock, extra="archive: true\n    archive_days: 20")
            applied = apply_retention(warehouse, village.project, village.city)
            assert applied.erased == {}
            assert len(archives(village)) == left
    assert {path.name for path in village.project.published.parent.iterdir()} == {"escucha.duckdb"}


def test_a_source_of_which_the_list_names_something_has_no_archive(village: Village) -> None:
    village.collect()
    entry = "urls:\n  - {url: http://foro.test/tema/agua/1, reason: A pedido, since: 2021-05-02}\n"
    village.project.exclusions.write_text(entry, encoding="utf-8")
    with open_warehouse(village.project.warehouse) as warehouse:
        apply_retention(warehouse, village.project, village.city)
    assert [path.parent.name for path in archives(village)] == ["blog"]
    village.collect()
    assert {path.parent.name for path in archives(village)} == {"blog"}


def test_a_draft_of_a_killed_crawl_is_dropped(village: Village) -> None:
    village.collect()
    (spool,) = (path for path in (village.project.raw / "villa").iterdir() if path.name != "archive")
    killed = spool.with_name("f" * 22)
    killed.mkdir()
    (killed / "request.json").write_bytes((spool / "request.json").read_bytes())
    (killed / "foro.jsonl.partial").write_bytes((spool / "foro.jsonl").read_bytes()[:300])
    draft = archives(village)[1].with_name(f".{killed.name}.warc.gz.draft")
    draft.write_bytes(b"\x1f\x8b torn")
    village.collect()
    assert not draft.exists()
    assert village.query("select detail from source_health where reason = 'interrupted' and source_id = 'foro'") == [
        ("the run was killed; what there was of its raw archive was dropped",)
    ]
