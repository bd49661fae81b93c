"""From a spider's yield to the spool: validate, redact, deduplicate, write. Nothing personal passes `Redact`."""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import DropItem
from scrapy.logformatter import LogFormatter
from twisted.internet.task import LoopingCall

from collectors.digests import Digests
from collectors.exclusions import Exclusions, keyed_author, link_keys
from collectors.health import WALLS, SourceHealth, Status
from collectors.items import Manifestation, manifestation_id, version_digest
from collectors.pseudonyms import told_links
from collectors.redaction import redact_manifestation
from collectors.secrets import hide_secrets
from collectors.spool import spool_paths, write_health
from collectors.watching import expect_from_city

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from collectors.spiders.base import PlatformSpider


MAX_REACTIONS = 2**63 - 1
"""The largest count that a signed 64-bit column holds."""

JOURNAL_SECONDS = 1.0
"""How often it is written down which threads were read: what a kill costs is read again."""

MIN_WORDLESS = 3
"""Fewer items without text than this say nothing about a source."""

_WORDS = ("native_id", "url", "parent_id", "author", "title", "text", "published_raw")
_WRITTEN = tuple(field.name for field in fields(Manifestation) if field.name != "author")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class WordlessLogFormatter(LogFormatter):
    """Keeps the words of citizens out of the log: an item is named by its source only."""

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Spider | None = None) -> Any:
        """Say nothing about a dropped item; it is counted."""
        return None

    def scraped(self, item: Any, response: Any, spider: Spider | None = None) -> Any:
        """Say nothing about a scraped item."""
        return None

    def item_error(self, item: Any, exception: Any, response: Any, spider: Spider | None = None) -> Any:
        """Say that an item failed, without its content."""
        return {"level": 40, "msg": "an item of %(source)s failed", "args": {"source": getattr(item, "source_id", "?")}}


class WordlessErrors(logging.Filter):
    """Keeps the message of an exception out of the log, since it may quote a citizen: its type and place are told instead."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that carries an exception; every record passes."""
        kind, _, trace = record.exc_info or (None, None, None)
        if kind is not None:
            frames = traceback.extract_tb(trace)
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
            record.msg, record.args = f"{record.name}: {kind.__name__} at {place}", ()
            record.exc_info, record.exc_text = None, None
        return True


class NamelessLinks(logging.Filter):
    """Keeps links that name a person, and keys, out of the log: Scrapy writes the address of each request that it gives up."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record with such a link; every record passes."""
        written = record.getMessage()
        told = hide_secrets(told_links(written))
        if told != written:
            record.msg, record.args = told, ()
        return True


class Validate:
    """Refuses what is not a manifestation or has an impossible date; empties or mends what no warehouse can hold."""

    def process_item(self, item: Any) -> Manifestation:
        """Return the item, or raise: a wrong type is a fault of the spider, not of the source."""
        if not isinstance(item, Manifestation):
            raise TypeError(f"a spider must yield Manifestation, not {type(item).__name__}")
        if item.published_at is not None and item.published_at.tzinfo is None:
            raise ValueError(f"{item.source_id}: published_at must be aware")
        values = {name: getattr(item, name) for name in _WORDS}
        mended: dict[str, Any] = {name: _storable(value) for name, value in values.items() if not _is_storable(value)}
        if item.reactions is not None and not 0 <= item.reactions <= MAX_REACTIONS:
            mended["reactions"] = None
        return replace(item, **mended) if mended else item


class Exclude:
    """Drops what the list of exclusions names, by its address or its author, and counts it."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the list and the secret that the crawl was started with."""
        self.crawler = crawler
        self.exclusions: Exclusions | None = crawler.settings["ESCUCHA_EXCLUSION_LIST"]
        self.secret = bytes.fromhex(crawler.settings["ESCUCHA_SECRET_HEX"])

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def process_item(self, item: Manifestation) -> Manifestation:
        """Return the item if nobody asked for it to be left alone."""
        if self.exclusions is None:
            return item
        key = keyed_author(self.secret, item.source_id, item.author) if item.author else item.author_key
        if self.exclusions.excludes_author(item.source_id, key) or self.exclusions.excludes_url(item.url):
            spider: Any = self.crawler.spider
            spider.excluded_count += 1
            raise DropItem("on the list of exclusions")
        return item


class Redact:
    """Takes personal data out of the text and turns the author into a keyed pseudonym."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the secret that the crawl was started with."""
        self.secret = bytes.fromhex(crawler.settings["ESCUCHA_SECRET_HEX"])

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def process_item(self, item: Manifestation) -> Manifestation:
        """Return the redacted item; where its link goes, keys stay by which the list of exclusions still finds it."""
        redacted = redact_manifestation(item, self.secret)
        if item.url is None or redacted.url is not None:
            return redacted
        return replace(redacted, url_keys=link_keys(self.secret, item.source_id, item.url))


class Deduplicate:
    """Drops an item that this crawl has already yielded word for word."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.seen = Digests()

    def process_item(self, item: Manifestation) -> Manifestation:
        """Return the item the first time; an edited version is not the same item."""
        identity = manifestation_id(item.source_id, item.native_id, item.url, item.text)
        if not self.seen.add(identity, version_digest(item)):
            raise DropItem("seen in this crawl")
        return item


class Spool:
    """Writes the items of one source as JSON lines, then its health; a health file means that the source is complete."""

    def __init__(self, crawler: Crawler) -> None:
        """Remember the crawler; its spider brings the source."""
        self.crawler = crawler
        self.folder = Path(crawler.settings["ESCUCHA_SPOOL"])
        self.count = self.undated = 0
        self.ripening: list[str] = []
        self.first: datetime | None = None
        self.last: datetime | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Open the file under a name that says it is not complete."""
        spider: Any = self.crawler.spider
        self.paths = spool_paths(self.folder, spider.source.id)
        self.file = self.paths.partial.open("w", encoding="utf-8")
        self.journal = LoopingCall(self.write_frontier)
        self.journal.start(JOURNAL_SECONDS, now=False)

    def write_frontier(self) -> None:
        """Write which threads are read whole, once their items are on the disk.

        A thread waits for one more turn: its last item may still be on its way through the item pipelines.
        """
        spider: Any = self.crawler.spider
        ripe, self.ripening = self.ripening, spider.frontier.take_lines()
        if ripe:
            self._sync()
            with self.paths.frontier.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in ripe))

    def _sync(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())

    def process_item(self, item: Manifestation) -> Manifestation:
        """Append one line."""
        self.file.write(json.dumps(_as_json(item), ensure_ascii=False, sort_keys=True) + "\n")
        self.count += 1
        if item.published_at is None:
            self.undated += 1
        else:
            self.first = min(filter(None, (self.first, item.published_at)))
            self.last = max(filter(None, (self.last, item.published_at)))
        return item

    async def close_spider(self) -> None:
        """Take what the spider still holds back, make the items durable and only then say how the source fared."""
        spider: Any = self.crawler.spider
        engine: Any = self.crawler.engine
        for item in spider.held_back():
            await engine.scraper.start_itemproc_async(item, response=None)
        self.journal.stop()
        for _ in range(2):
            self.write_frontier()
        self._sync()
        self.file.close()
        self.paths.partial.replace(self.paths.items)
        write_health(self.folder, self._health(spider))

    def _health(self, spider: PlatformSpider) -> SourceHealth:
        carried = spider.frontier.carried
        dates = [date.isoformat() for date in (self.first, self.last) if date]
        dates += [date for date in (carried.first, carried.last) if date]
        first, last = min(dates, default=None), max(dates, default=None)
        status, reason, detail = judge(spider, self.count + carried.items)
        left_out = f"{spider.excluded_count:,} left out by the list of exclusions" if spider.excluded_count else ""
        lost = f"answers that would have cost too much to read: {spider.lost_count:,}" if spider.lost_count else ""
        detail = hide_secrets(told_links("; ".join(filter(None, (detail, lost, left_out, *spider.facts(), *spider.remarks)))))
        asked = spider.source.host is not None and spider.OBEYS_ROBOTS
        robots: Any = {"robots_closed": "disallowed", "robots_unreachable": "unreachable"}
        state = next((robots[problem.reason] for problem in spider.problems if problem.reason in robots), None)
        return SourceHealth(
            source_id=spider.source.id,
            status=status,
            reason=reason,
            detail=detail,
            request_count=spider.request_count,
            byte_count=spider.byte_count,
            item_count=self.count + carried.items,
            undated_count=self.undated + carried.undated,
            skipped_count=spider.skipped_count + carried.skipped,
            excluded_count=spider.excluded_count,
            first_published_at=first,
            last_published_at=last,
            archived_byte_count=spider.archived_byte_count,
            robots=state or ("allowed" if asked else "not_asked"),
            cursor=last,
            covers="changes" if carried.items else spider.covers,
            memory=spider.memory.learned if status in ("ok", "empty") else {},
        )


def _is_storable(value: object) -> bool:
    return value is None or (isinstance(value, str) and _UNSTORABLE.search(value) is None)


def _storable(value: object) -> str | None:
    """Return a text without what UTF-8 or a column cannot hold; a value of another type (JSON has many) as text."""
    return None if value is None else _UNSTORABLE.sub("\ufffd", value if isinstance(value, str) else str(value))


def judge(spider: PlatformSpider, item_count: int) -> tuple[Status, Any, str]:
    """Return (status, reason, detail) of a finished source: what was lost outweighs what was read."""
    details = "; ".join(dict.fromkeys(problem.detail for problem in spider.problems[:3]))
    if spider.excluded_count and not (spider.problems or spider.started_well or item_count):
        return "not_collected", "excluded", "the list of exclusions names its address"
    walls = [problem for problem in spider.problems if problem.reason in WALLS]
    if spider.problems and item_count == 0 and (walls or not spider.started_well):
        return "failed", (walls or spider.problems)[0].reason, details
    if spider.budget_reached is not None:
        return "partial", spider.budget_reached, f"stopped after {spider.request_count} requests"
    if spider.interrupted:
        return "partial", "interrupted", "the crawl was stopped before this source was read whole"
    wordless = _mostly_wordless(spider, item_count)
    if wordless is not None:
        return "partial" if item_count else "failed", "malformed", "; ".join(filter(None, (wordless, details)))
    if all(problem.reason == "robots_closed" for problem in spider.problems) and spider.problems and item_count:
        return "ok", "robots_closed", details  # left alone as asked: nothing is lost that we might have had
    if spider.problems:
        return "partial", (walls or spider.problems)[0].reason, details
    if spider.unchanged and item_count == 0:
        return "ok", "unchanged", ""
    if item_count == 0:
        return "empty", "nothing_published", ""
    low, high, _ = expect_from_city(spider.source.expect, len(spider.period.days()), spider.city.period)
    if item_count < low:
        return "ok", "fewer_than_expected", f"{item_count} items; {low} to {high} are expected"
    if item_count > high:
        return "ok", "more_than_expected", f"{item_count} items; {low} to {high} are expected"
    return "ok", "none", ""


def _mostly_wordless(spider: PlatformSpider, item_count: int) -> str | None:
    """Return what to tell of a source most of whose items (or of whose messages by persons) had no text; None if few had none."""
    messages = (spider.skipped_message_count, spider.message_count)
    for skipped, read in ((spider.skipped_count, item_count), messages):
        if skipped >= MIN_WORDLESS and skipped > read:
            return f"{skipped} of {skipped + read} items had no text: check the text selector or column"
    return None


def _as_json(item: Manifestation) -> dict[str, Any]:
    written = {name: getattr(item, name) for name in _WRITTEN}
    for name in ("published_at", "modified_at"):
        written[name] = written[name].isoformat() if written[name] else None
    return written
