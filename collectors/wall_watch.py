"""The place in a crawl where pages that brought nothing are looked at: a wall is told by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.http import Response

from collectors.spiders.base import header
from collectors.text import decode_bytes
from collectors.walls import recognise_wall

MOST_BYTES = 200_000
"""A page longer than this is no wall."""

CHALLENGING = (401, 403, 503)
"""Statuses with which a site may show a challenge; the others below 400 are looked at for every wall."""


class WallWatch:
    """Scrapy's spider middleware that recognises walls among HTML answers from which nothing came."""

    def __init__(self, crawler: Crawler) -> None:
        """Remember the crawler; its spider keeps the account of the source."""
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass on everything; then look at the page, if nothing came of it: a page that leads on is no wall."""
        led_on = False
        async for found in result:
            led_on = True
            yield found
        if not led_on:
            self._look(response)

    def _look(self, response: Response) -> None:
        spider: Any = self.crawler.spider
        kind = header(response, "Content-Type").lower()
        if "html" not in kind or len(response.body) > MOST_BYTES:
            return
        if response.status != 200 and response.status not in CHALLENGING:
            return
        declared = kind.partition("charset=")[2].strip(" \"'") or None
        wall = recognise_wall(decode_bytes(response.body, declared=declared)[0])
        if wall is not None and (response.status == 200 or wall == "captcha"):
            spider.note(wall, f"{response.url}: {TOLD[wall]}")


TOLD = {
    "captcha": "a challenge for browsers stands in the place of the page; it is not passed",
    "login_wall": "a login form stands in the place of the page",
    "consent_wall": "a question about cookies or consent stands in the place of the page",
    "soft_404": "a page that says that nothing was found, with status 200",
}
