"""The most that one collection takes from one source: requests, megabytes, seconds, depth; and how a crawl ends early."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from collectors.network import Stopped

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from collectors.spiders.base import PlatformSpider

GRACE_SECONDS = 4
"""How long what is under way may go on once a crawl is told to stop."""

MOST_PACKINGS = 3
"""Times that an answer may be packed over (RFC 9110, 8.4.1 allows any number; servers pack once)."""

downloads_abandoned = object()
"""Scrapy signal: break off every transfer of a crawler."""


def abandon_downloads(crawler: Crawler) -> None:
    """Break off what a crawler still waits for: transfers, and requests that wait for the delay of their host."""
    engine: Any = crawler.engine
    if engine is None or engine.spider is None:
        return
    for slot in engine.downloader.slots.values():
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(Failure(Stopped("the crawl was stopped before this was asked")))  # type: ignore[no-untyped-call]
    crawler.signals.send_catch_log(downloads_abandoned)


def abandon_later(crawler: Crawler) -> None:
    """Let a crawler finish what is under way for `GRACE_SECONDS` and then break it off."""
    from twisted.internet import reactor

    later: Any = reactor
    later.callLater(GRACE_SECONDS, abandon_downloads, crawler)


class AbortableHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler, whose transfers wait for their turn and can be broken off.

    Every transfer passes here, those for robots.txt and after redirects too: so here the pause of a site is kept.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Listen to the order to break off."""
        super().__init__(crawler)
        self._delay: float = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._under_way: set[asyncio.Task[Response]] = set()
        crawler.signals.connect(self.abandon, downloads_abandoned)
        crawler.signals.connect(self.count_pause, signals.headers_received)

    async def download_request(self, request: Request) -> Response:
        """Return the response, or raise `Stopped` if the transfer was broken off."""
        transfer = asyncio.ensure_future(self._in_turn(request))
        self._under_way.add(transfer)
        try:
            return await transfer
        except asyncio.CancelledError as error:
            raise Stopped("the crawl was stopped during the transfer") from error
        finally:
            self._under_way.discard(transfer)

    async def _in_turn(self, request: Request) -> Response:
        spider: Any = self._crawler.spider
        async with spider.sites.of(request.url).turn(self._delay):
            request.meta["begun"] = monotonic()
            return await super().download_request(request)

    def count_pause(self, request: Request, spider: PlatformSpider) -> None:
        """Count the pause of a site from its answer: a busy crawl may send a request well after its turn came."""
        spider.sites.of(request.url).heard()

    def abandon(self) -> None:
        """Break off every transfer that is under way."""
        for transfer in tuple(self._under_way):
            transfer.cancel()


class TooDeep(Stopped):
    """Not fetched, because the way there is longer than the budget of the source allows."""


class TooLarge(IgnoreRequest):
    """Not read, because it is larger than anything that is downloaded, or would be once unpacked."""


class SourceBudget:
    """Downloader middleware: ends a crawl once the budget of its source is spent, under a name the report knows."""

    def __init__(self, crawler: Crawler) -> None:
        """Listen to what is received."""
        self.crawler = crawler
        crawler.signals.connect(self.count_bytes, signals.response_received)
        crawler.signals.connect(self.start_clock, signals.spider_opened)
        crawler.signals.connect(self.stop_clock, signals.spider_closed)
        self._clock: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def start_clock(self, spider: PlatformSpider) -> None:
        """Begin to count the seconds."""
        from twisted.internet import reactor

        later: Any = reactor
        self._clock = later.callLater(spider.source.budget.seconds, self._stop, spider, "budget_seconds")

    def stop_clock(self) -> None:
        """Forget the seconds once the crawl is over."""
        if self._clock is not None and self._clock.active():
            self._clock.cancel()

    def process_request(self, request: Request) -> None:
        """Count one request (robots.txt, redirects and further attempts too); refuse it once the budget is spent."""
        spider: Any = self.crawler.spider
        if spider.budget_reached is not None:
            raise Stopped("the budget of the source is spent")
        self._check_depth(request, spider)
        if spider.request_count >= spider.source.budget.requests:
            self._stop(spider, "budget_requests")
            raise Stopped("the request budget of the source is spent")
        spider.request_count += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Pass on an answer, unless it is packed so often that unpacking alone would keep everybody waiting.

        Raises:
            TooLarge: if it is.
        """
        packings = b",".join(response.headers.getlist("Content-Encoding")).count(b",") + 1
        if packings > MOST_PACKINGS:
            raise TooLarge(f"packed {packings} times over")
        return response

    def _check_depth(self, request: Request, spider: PlatformSpider) -> None:
        """Refuse a page that stands too far behind the first one; the other ways of the crawl go on."""
        most = spider.source.budget.depth
        if spider.FOLLOWS_LINKS and request.meta.get("depth", 0) > most:
            if not any(problem.reason == "budget_depth" for problem in spider.problems):
                spider.note("budget_depth", f"what stands more than {most} pages behind the first was not asked for")
            raise TooDeep("deeper than the budget of the source")

    def count_bytes(self, response: Any, spider: PlatformSpider) -> None:
        """Count the bytes of one body."""
        spider.byte_count += len(response.body)
        if spider.byte_count > spider.source.budget.megabytes * 1_000_000:
            self._stop(spider, "budget_megabytes")

    def _stop(self, spider: PlatformSpider, reason: str) -> None:
        if spider.budget_reached is None:
            spider.budget_reached = reason
            spider.close_soon(reason)
            abandon_later(self.crawler)
