"""From a spider's yield to the spool, piece by piece; the whole way is walked in test_crawl.py and test_spiders_*.py."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import DropItem
from scrapy.settings import Settings

from collectors.item_pipelines import Deduplicate, NamelessLinks, Redact, Spool, Validate, WordlessErrors, WordlessLogFormatter
from collectors.items import Manifestation, version_digest
from collectors.spool import complete_sources, load_items, spool_paths

AT = datetime(2021, 4, 5, 12, tzinfo=UTC)


def item(**fields: Any) -> Manifestation:
    return Manifestation(**{"source_id": "foro", "native_id": "1", "text": "Falta luz", "published_at": AT, **fields})


class Crawl:
    """What an item pipeline sees of a crawler."""

    def __init__(self, folder: Path, spider: Any = None) -> None:
        self.settings = Settings({"ESCUCHA_SPOOL": str(folder), "ESCUCHA_SECRET_HEX": b"un secreto de prueba".hex()})
        self.spider = spider


def test_what_is_no_manifestation_is_refused() -> None:
    with pytest.raises(TypeError, match="a spider must yield Manifestation, not dict"):
        Validate().process_item({"text": "x"})
    with pytest.raises(ValueError, match="foro: published_at must be aware"):
        Validate().process_item(item(published_at=datetime(2021, 4, 5)))
    assert Validate().process_item(item(published_at=None)).published_at is None


def test_author_becomes_a_key(tmp_path: Path) -> None:
    redacted = Redact(Crawl(tmp_path)).process_item(item(author="Rosa Quispe", text="DNI 45678912"))  # type: ignore[arg-type]
    assert redacted.author is None
    assert redacted.text == "DNI [DNI]"
    assert redacted.author_key is not None
    assert len(redacted.author_key) == 32


@pytest.mark.parametrize(
    "second",
    [{"text": "Falta luz y agua"}, {"published_at": None}, {"title": "Otro"}, {"native_id": "2"}, {"source_id": "otro"}],
)
def test_what_differs_is_kept(second: dict[str, Any]) -> None:
    deduplicate = Deduplicate()
    deduplicate.process_item(item())
    other = item(**second)
    assert deduplicate.process_item(other) is other


@pytest.mark.parametrize("second", [{}, {"reactions": 9}, {"url": "http://foro.test/1"}])
def test_same_words_of_the_same_item_are_dropped(second: dict[str, Any]) -> None:
    deduplicate = Deduplicate()
    deduplicate.process_item(item())
    with pytest.raises(DropItem):
        deduplicate.process_item(item(**second))


def test_items_come_back_from_the_spool_as_they_went_in(tmp_path: Path) -> None:
    class Source:
        id = "foro"

    class Spider:
        source = Source()

    spool = Spool(Crawl(tmp_path, Spider()))  # type: ignore[arg-type]
    spool.open_spider()
    first = item(text="Año\nñandú \u2028 😀", url="http://foro.test/1", reactions=0, author_key="a" * 32, parent_id="0")
    second = item(native_id=None, published_at=None, published_raw="ayer", modified_at=AT, kind="official", channel="in_person")
    for one in (first, second):
        spool.process_item(one)
    paths = spool_paths(tmp_path, "foro")
    assert paths.partial.is_file()
    assert complete_sources(tmp_path) == []
    spool.file.close()
    paths.partial.replace(paths.items)
    assert list(load_items(tmp_path, "foro")) == [first, second]
    lines = paths.items.read_text(encoding="utf-8").split("\n")
    assert len(lines) == 3  # one item a line, whatever the text holds
    assert "author" not in json.loads(lines[0])
    assert (spool.count, spool.undated, spool.first, spool.last) == (2, 1, AT, AT)


def test_author_that_was_not_redacted_is_not_written(tmp_path: Path) -> None:
    class Spider:
        source = type("Source", (), {"id": "foro"})

    spool = Spool(Crawl(tmp_path, Spider()))  # type: ignore[arg-type]
    spool.open_spider()
    spool.process_item(item(author="Rosa Quispe"))
    spool.file.close()
    assert "Rosa" not in spool_paths(tmp_path, "foro").partial.read_text(encoding="utf-8")


def test_log_tells_type_and_place_of_a_fault_and_no_words() -> None:
    try:
        raise ValueError("el texto de un vecino")
    except ValueError as error:
        fault = (type(error), error, error.__traceback__)
    record = logging.LogRecord("scrapy.core.scraper", logging.ERROR, __file__, 1, "%s: el texto", ("de un vecino",), fault)
    assert WordlessErrors().filter(record)
    told = logging.Formatter().format(record)
    assert "vecino" not in told
    assert "ValueError at test_item_pipelines.py:" in told


def test_other_log_lines_pass_unchanged() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "refused %s", ("host",), None)
    assert WordlessErrors().filter(record)
    assert record.getMessage() == "refused host"


def test_log_formatter_names_the_source_only() -> None:
    formatter: Any = WordlessLogFormatter()
    assert formatter.dropped(item(), DropItem("x"), None, None) is None
    assert formatter.scraped(item(), None, None) is None
    told = formatter.item_error(item(), ValueError("Falta luz"), None, None)
    assert told["msg"] % told["args"] == "an item of foro failed"


@pytest.mark.parametrize(("written", "kept"), [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, None), (-1, None), (None, None)])
def test_counts_that_no_column_holds_are_unknown(written: int | None, kept: int | None) -> None:
    assert Validate().process_item(item(reactions=written)).reactions == kept


def test_texts_that_no_column_holds_are_mended() -> None:
    mended = Validate().process_item(item(native_id="a\0b", url=None, title="x\ud800", published_raw=20210405))
    assert (mended.native_id, mended.url, mended.title, mended.published_raw) == ("a\ufffdb", None, "x\ufffd", "20210405")


def test_links_of_persons_stay_out_of_the_log() -> None:
    words = ("http://foro.test/u/juan.perez", "http://foro.test/temas/1")
    record = logging.LogRecord("scrapy", logging.ERROR, __file__, 1, "Gave up retrying <GET %s> (%s)", words, None)
    assert NamelessLinks().filter(record)
    assert record.getMessage() == "Gave up retrying <GET foro.test/…> (http://foro.test/temas/1)"


def test_relative_dates_make_no_versions() -> None:
    ago, later = (item(published_raw="hace 2 horas", published_at=AT.replace(hour=hour)) for hour in (3, 4))
    assert version_digest(ago) == version_digest(later)
    assert version_digest(ago) != version_digest(replace(later, text="Falta agua"))
    dated = (item(published_raw=f"0{day}/04/2021", published_at=AT.replace(day=day)) for day in (3, 4))
    assert len({version_digest(one) for one in dated}) == 2
