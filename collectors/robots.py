"""robots.txt by RFC 9309: unreachable or 5xx closes the host, 4xx opens it, a Disallow is obeyed, a delay is kept.

The first 500 KiB are read (2.5), redirects are followed to other hosts too (2.3.1.2), answers are kept for a day at most
(2.4). HTTP 429 closes as well: a host that asks for fewer requests does not ask for ours. `Crawl-delay` and
`Request-rate` are not in the RFC; sites use them, and they are kept.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK

from collectors.network import ROBOTS_REQUEST, Stopped
from collectors.patience import MOST_DELAY, AsksToWait

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

AGENT = "escucha"
"""The product token that robots.txt is read for."""

MOST_BYTES = 500 * 1024
MOST_DOWNLOADED = 4 * MOST_BYTES
"""Bytes after which a robots.txt is taken for endless, and cannot be read."""

MOST_AGE = 86_400.0
"""Seconds after which robots.txt is asked for again."""

_AGENT_LINE = re.compile(r"\s*user(?:-|\s*)agent(?:\s*:|(?=\s))\s*([*a-z0-9_-]*)", re.IGNORECASE)


class RobotsClosed(IgnoreRequest):
    """The host's robots.txt could not be read, so nothing of it may be fetched (RFC 9309, 2.3.1.4)."""


@dataclass(frozen=True)
class Rules:
    """What the robots.txt of one host says to this program."""

    parsed: Protego | None = None
    """None: there is none, so everything is allowed."""

    closed: bool = False
    """True: it could not be read, so nothing is allowed."""

    read_at: float = field(default_factory=monotonic)

    def allow(self, url: str) -> bool:
        """Tell whether an address may be fetched."""
        return not self.closed and (self.parsed is None or self.parsed.can_fetch(url, AGENT))

    @property
    def delay(self) -> float:
        """Seconds between two requests that are asked for; 0 if none are."""
        if self.parsed is None:
            return 0.0
        rate = self.parsed.request_rate(AGENT)
        return max(self.parsed.crawl_delay(AGENT) or 0.0, min(rate.seconds, 10**9) / rate.requests if rate else 0.0)


def parse_robots(status: int, body: bytes) -> Rules:
    """Return the rules in an answer to a request for robots.txt, whose redirects were followed."""
    if 200 <= status < 300:
        return Rules(Protego.parse("\n".join(_relevant_lines(body))))
    return Rules(closed=not 400 <= status < 500 or status == 429)


def _relevant_lines(body: bytes) -> list[str]:
    """Return the whole lines of the part that is read, with other programs' names made one.

    The cost of a parse grows with names times rules: a hostile file of many names would take minutes.
    """
    if len(body) > MOST_BYTES:
        head = body[:MOST_BYTES]
        body = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
    lines = body.decode("utf-8-sig", errors="ignore").splitlines()
    return [_one_name(line) for line in lines]


def _one_name(line: str) -> str:
    match = _AGENT_LINE.match(line)
    if match is None:
        return line
    name = match[1].lower()
    return f"User-agent: {name if name in ('*', AGENT) else 'another'}"


class StrictRobots:
    """Downloader middleware: asks each host for its robots.txt before anything else and keeps to it.

    Scrapy's own takes 5xx and no answer as leave to fetch, and acts on no delay.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Remember the crawler; its spider brings what other sources of this process learned of the hosts."""
        self.crawler = crawler
        self._turn = asyncio.Lock()
        self._told: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Refuse what robots.txt forbids, and let its site be asked no faster than it wants."""
        if request.meta.get("dont_obey_robotstxt"):
            return
        spider: Any = self.crawler.spider
        parts = urlsplit(request.url)
        host = f"{parts.scheme}://{parts.netloc}"
        async with self._turn:
            rules = await self._rules(host)
        site = spider.sites.of(request.url)
        site.wish = max(site.wish, min(rules.delay, MOST_DELAY))
        if rules.delay > MOST_DELAY and host not in self._told:
            self._told.add(host)
            spider.remarks.append(
                f"robots.txt of {parts.netloc} asks for {rules.delay:g} s between requests; {MOST_DELAY:g} are kept"
            )
        if rules.closed:
            raise RobotsClosed(f"robots.txt of {parts.netloc} could not be read")
        if not rules.allow(request.url):
            raise IgnoreRequest("forbidden by robots.txt")

    async def _rules(self, host: str) -> Rules:
        """Return the rules of a host, known or asked for.

        Raises:
            AsksToWait, Stopped: if it could not be asked now; nothing is kept of that.
        """
        spider: Any = self.crawler.spider
        known: Rules | None = spider.sites.rules.get(host)
        if known is not None and monotonic() - known.read_at < MOST_AGE:
            return known
        asked = Request(
            f"{host}/robots.txt",
            priority=1000,
            meta={"dont_obey_robotstxt": True, ROBOTS_REQUEST: True, "download_maxsize": MOST_DOWNLOADED},
            callback=NO_CALLBACK,
        )
        engine: Any = self.crawler.engine
        try:
            response = await engine.download_async(asked)
            rules = parse_robots(response.status, response.body)
        except (AsksToWait, Stopped):
            raise
        except Exception:  # noqa: BLE001 (whatever kept it from being read closes the host; the source's health tells it)
            rules = Rules(closed=True)
        spider.sites.rules[host] = rules
        return rules
