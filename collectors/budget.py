"""The most that one collection takes from one source: requests, megabytes, seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from collectors.spiders.base import PlatformSpider


class SourceBudget:
    """Scrapy extension: ends a crawl once the budget of its source is spent, under a name the report knows."""

    def __init__(self, crawler: Crawler) -> None:
        """Listen to what is sent and received."""
        self.crawler = crawler
        crawler.signals.connect(self.count_request, signals.request_reached_downloader)
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

    def count_request(self, request: Request, spider: PlatformSpider) -> None:
        """Count one request; refuse it once the budget is spent."""
        spider.request_count += 1
        if spider.request_count > spider.source.budget.requests:
            self._stop(spider, "budget_requests")
            raise IgnoreRequest("the request budget of the source is spent")

    def count_bytes(self, response: Any, spider: PlatformSpider) -> None:
        """Count the bytes of one body."""
        spider.byte_count += len(response.body)
        if spider.byte_count > spider.source.budget.megabytes * 1_000_000:
            self._stop(spider, "budget_megabytes")

    def _stop(self, spider: PlatformSpider, reason: str) -> None:
        if spider.budget_reached is None:
            spider.budget_reached = reason
            spider.close_soon(reason)
