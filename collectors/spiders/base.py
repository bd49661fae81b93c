"""What every platform's spider shares: its source, its window, and an account of what went wrong."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urljoin

import scrapy
from scrapy import Request, signals
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from scrapy.utils.defer import deferred_from_coro

from collectors.budget import TooLarge
from collectors.catalog import City, PlatformOptions, Source
from collectors.dates import is_relative, parse_published
from collectors.extraction import Extraction, ExtractionWorker, OverLimit, extracted
from collectors.frontier import Frontier
from collectors.health import Coverage, Reason, SourceProblem
from collectors.institutions import is_institution
from collectors.items import Manifestation
from collectors.json_body import load_json
from collectors.links import canonical_link, same_page
from collectors.memory import Memory
from collectors.network import Excluded, LeavesSite, NotArchived, Stopped
from collectors.patience import AsksToWait, Sites
from collectors.period import Period
from collectors.pseudonyms import told_links
from collectors.robots import RobotsClosed
from collectors.secrets import MissingSecretError, hide_secrets, load_reference
from collectors.text import clean_text
from collectors.values import is_unsigned as is_unsigned
from collectors.values import parse_count as parse_count

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

logger = logging.getLogger("collectors")


_UNPACKED = "exceeded DOWNLOAD_MAXSIZE"
"""What Scrapy says, in no exception of its own, of an answer that unpacks to more than it may."""


class PlatformSpider(scrapy.Spider):
    """Walks one source for one window and yields manifestations; knows the platform, never the place."""

    Options: ClassVar[type[PlatformOptions]] = PlatformOptions
    """The closed model of `options` in the city's file."""

    OBEYS_ROBOTS: ClassVar[bool] = True
    """False for an API that is used under a contract of its own, with a key: robots.txt speaks to crawlers without one."""

    FOLLOWS_LINKS: ClassVar[bool] = False
    """True where the site's own links lead from page to page: only there can they lead on for ever, and depth is counted."""

    COVERS: ClassVar[Coverage] = "newest"
    """What a walk shows that ended well. `window`: every item dated in the window, so that one which does not come any more is
    gone; `newest`: the last ones, or those of recent threads; `changes`: what is new since the last walk."""

    def __init__(
        self,
        *,
        city: City,
        source: Source,
        period: Period,
        project: Path,
        memory: Memory | None = None,
        frontier: Frontier | None = None,
        sites: Sites | None = None,
        worker: ExtractionWorker | None = None,
        **kwargs: Any,
    ) -> None:
        """Bind the spider to one source and one window.

        Args:
            city: gives the time zone of dates without one.
            source: where to go; `source.options` is an instance of `Options`.
            period: items outside it may be yielded too when they were seen anyway.
            project: the project folder; only `file` sources read below it.
            memory: what earlier collections left; by default nothing.
            frontier: threads that a walk of this window, cut off since, has read whole; by default none.
            sites: what is owed to the sites that this process asks; by default nothing yet.
            worker: where things are taken out of answers; by default one of its own.
            kwargs: Scrapy's own.
        """
        super().__init__(name=source.platform, **kwargs)
        self.city, self.source, self.period, self.project = city, source, period, project
        self.problems: list[SourceProblem] = []
        self.started_well = False
        self.budget_reached: str | None = None
        self.request_count = 0
        self.byte_count = 0
        self.skipped_count = self.skipped_message_count = 0
        self.message_count = 0
        self.cursor: str | None = None
        self.excluded_count = 0
        self.archived_byte_count = 0
        self.read_at: datetime | None = None
        """When what is being read was archived; None while it comes from the source itself."""

        self.remarks: list[str] = []
        """What its health tells beside its problems, said by others than the spider itself (see `facts`)."""

        self.memory = memory or Memory({}, current=True)
        self.frontier = frontier or Frontier({})
        self.sites = sites or Sites()
        self.worker = worker or ExtractionWorker()
        self.lost_count = 0
        """Answers that would have cost too much to read."""

        self.unchanged = False
        self.covers = self.COVERS
        self._official_names = {_fold(name) for name in source.publisher.authors}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Build as Scrapy does, and learn of what breaks in our own code: Scrapy only logs it."""
        spider: Self = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.note_error, signals.spider_error)
        crawler.signals.connect(spider.note_error, signals.item_error)
        return spider

    @property
    def interrupted(self) -> bool:
        """True once the crawl was told to stop before it was done."""
        return not self.crawler.crawling

    def request(self, url: str, callback: Any, *, extraction: Extraction | None = None, **kwargs: Any) -> Request:
        """Return a request whose every failure ends up in the source's health.

        With an extraction, the callback gets only what was taken out of the answer, by `extracted(response)`.

        Scrapy's filter of repeated requests is passed by: it drops them (redirects to a known page too) without a word, so
        a spider that could come by the same address twice keeps account itself.
        """
        meta = {} if self.OBEYS_ROBOTS else {"dont_obey_robotstxt": True}
        meta |= kwargs.pop("meta", {})
        if extraction is not None:
            self.worker.start()
            meta |= extraction.meta()
        errback = partial(_go_on_behind, kwargs.pop("errback", self.note_failure))
        return Request(url, callback=callback, errback=errback, dont_filter=True, meta=meta, **kwargs)

    def secret(self, reference: str) -> str | None:
        """Return the value of `env:NAME`; None, and a problem of the source, if it is not set."""
        try:
            return load_reference(reference, os.environ)
        except MissingSecretError as error:
            self.note("secret_missing", str(error))
            return None

    def note_failure(self, failure: Failure) -> None:
        """Remember why a request brought nothing (Scrapy's errback)."""
        error: Any = failure.value
        url = getattr(getattr(failure, "request", None), "url", self.source.url)
        if isinstance(error, AsksToWait):
            self.note("rate_limited", str(error))
        elif isinstance(error, OverLimit):
            self.note(error.reason, f"{url}: {error}")
        elif isinstance(error, TooLarge | DownloadCancelledError) or _UNPACKED in str(error):
            told = (
                str(error) if isinstance(error, TooLarge) else "larger, perhaps once unpacked, than anything that is downloaded"
            )
            self.note("too_large", f"{url}: {told}")
        elif isinstance(error, RobotsClosed):
            self.note("robots_unreachable", f"robots.txt of {self.source.host} cannot be read, so nothing is fetched")
        elif isinstance(error, IgnoreRequest) and "robots" in str(error).lower():
            self.note("robots_closed", f"robots.txt forbids {url}")
        elif isinstance(error, NotArchived):
            self.note("not_archived", f"{url}: {error}")
        elif isinstance(error, LeavesSite):
            self.note("unreachable", f"{url}: {error}; if that is the right place, approve it as the address of the source")
        elif not isinstance(error, Stopped | Excluded):
            told = str(error) if isinstance(error, IgnoreRequest) else type(error).__name__
            self.note("unreachable", f"{url}: {told}")

    def note_error(self, failure: Failure, response: Any) -> None:
        """Remember that our own code failed on something (Scrapy's signals spider_error and item_error)."""
        url = getattr(response, "url", self.source.url)
        self.note("parse_error", f"{url}: {type(failure.value).__name__}")

    def note(self, reason: Reason, detail: str) -> None:
        """Remember a problem; the first one becomes the reason in the source's health. Links that name a person are cut."""
        self.problems.append(SourceProblem(reason, hide_secrets(told_links(detail))))

    def readable(self, response: Response) -> bool:
        """Tell whether a response is worth parsing; remember why where it is not (304: nothing new, which is no problem)."""
        if response.status < 400:
            self.started_well = True
            self.unchanged |= response.status == 304
            return response.status != 304
        self.note("rate_limited" if response.status == 429 else "http_error", f"HTTP {response.status} at {response.url}")
        return False

    def read(self, response: Response) -> Any:
        """Return what was taken out of an answer; None, and a problem of the source if there is one, if nothing could be."""
        before = self.started_well
        if not self.readable(response):
            return None
        try:
            return extracted(response)
        except SourceProblem as problem:
            self.started_well = before
            self.note(problem.reason, f"{response.url}: {problem.detail}")
            return None

    def parse_json(self, response: Response, shape: type = dict) -> Any:
        """Return the body as JSON of a shape (`dict` or `list`); None, and a problem of the source, if it is not that."""
        if not self.readable(response):
            return None
        try:
            found = load_json(response.body)
        except ValueError:
            found = None
        if isinstance(found, shape):
            return found
        self.note("malformed", f"{response.url}: not a JSON {'object' if shape is dict else 'list'}")
        return None

    def is_past(self, published: datetime | None) -> bool:
        """Tell whether a date lies before the window: a walk from the newest to the oldest may stop there."""
        return published is not None and published < self.period.start_utc

    def is_publisher(self, name: str) -> bool:
        """Tell whether the publisher itself posts under a name."""
        return _fold(name) in self._official_names

    def own_address(self, declared: str | None, url: str) -> str:
        """Return the address that a page is known by: the one it declares itself if it can be believed, else that asked for."""
        joined = urljoin(url, declared.strip()) if declared else None
        ignored = self.source.ignore_parameters
        return canonical_link(same_page(joined, url) or url, ignored) or url

    def facts(self) -> list[str]:
        """Return what the source's health tells beside problems: a quota spent, messages left out on request."""
        return []

    def held_back(self) -> Iterator[Manifestation]:
        """Yield what was read and waits for a further answer that never came: a spent budget loses nothing that was read."""
        yield from ()

    def close_soon(self, reason: str) -> None:
        """End the crawl after what is under way (used by the budget)."""
        engine: Any = self.crawler.engine
        deferred_from_coro(engine.close_spider_async(reason=reason))

    def published(self, raw: str | None, *, order: Any = "day_first") -> datetime | None:
        """Parse a date as this source writes it; None if it is absent or not understood."""
        if raw is None or not raw.strip():
            return None
        reference = self.city.clock or self.read_at or datetime.now(UTC)
        return parse_published(raw, zone=self.city.zone, order=order, reference=reference)

    def manifestation(self, *, text: str, author: str | None = None, **fields: Any) -> Iterable[Manifestation]:
        """Yield one item, or none (counted) if it has no text; what no person signs becomes `official` or `institution`."""
        cleaned = clean_text(text).strip()
        message = fields.get("kind", "manifestation") == "manifestation"
        if not cleaned:
            self.skipped_count += 1
            self.skipped_message_count += message
            return
        self.message_count += message
        title = fields.pop("title", None)
        fields["url"] = canonical_link(fields.get("url"), self.source.ignore_parameters)
        name = clean_text(author).strip() if author else None
        if name and message and self.is_publisher(name):
            fields["kind"] = "official"
        elif name and message and is_institution(name):
            fields["kind"] = "institution"
        yield Manifestation(
            source_id=self.source.id,
            channel=self.source.channel,
            text=cleaned,
            author=None if name is None or is_unsigned(name) else name,
            title=(clean_text(title).strip() or None) if title else None,
            **fields,
        )


def _go_on_behind(errback: Callable[[Failure], Iterable[Any] | None], failure: Failure) -> Iterator[Any]:
    """Yield what an errback yields, its requests as deep as what follows an answer: Scrapy would begin anew at 0."""
    asked = getattr(failure, "request", None)
    for found in errback(failure) or ():
        if isinstance(found, Request) and asked is not None:
            found.meta["depth"] = asked.meta.get("depth", 0) + 1
        yield found


def row_id(seen: Counter[str], *, place: str | None = None, raw: str | None, text: str) -> str:
    """Return an identity for an item that its source gives none: what it says, and which of those that say the same.

    Args:
        seen: how often each content came up so far; the caller keeps one for each walk through a source's items.
        place: address of the article or feed; None where the content alone tells (the same rows in two exports are one).
        raw: the date as written; a relative one is left out, as it is another at each visit.
        text: what the item says.
    """
    parts = (place, raw) if place is not None else (raw,)
    written = "\n".join(str(None if is_relative(part) else part) for part in parts)
    digest = hashlib.sha256(f"{written}\n{text}".encode(errors="replace")).hexdigest()[:24]
    seen[digest] += 1
    return f"row:{digest}:{seen[digest]}"


def header(response: Response, name: str) -> str:
    """Return a header of a response as text; "" if it is absent."""
    return (response.headers.get(name) or b"").decode("latin-1").strip()


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
