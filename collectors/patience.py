"""Patience with the sites that are asked: whose turn it is, when one may be asked again, when an address is given up.

Facts from RFC 9110 (10.2.3): `Retry-After` is a number of seconds or an HTTP-date, and may come with any refusal or redirect.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil, inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.utils.misc import load_object

from collectors.network import site_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from collectors.robots import Rules

MOST_ATTEMPTS = 3
"""How often one address is asked in a run, whatever went wrong before."""

MOST_WAIT = 900.0
"""Seconds that a crawl waits because a site asks for it; beyond them, the site is left alone until the next run."""

MOST_DELAY = 300.0
"""Most seconds between two requests that a robots.txt can ask for."""

MOST_BACK_OFF = 60.0
"""Most seconds by which failures lengthen the pause, before the jitter."""

COST = 1.5
"""Time limits that one address may cost in all its attempts together."""

_FOREVER = 365 * 86_400
_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


class AsksToWait(IgnoreRequest):
    """Not fetched, because the site asks to be left alone for longer than a crawl waits; the message says until when."""


class GivenUp(IgnoreRequest):
    """Not fetched, because this address failed as often in this run as any may."""


def parse_retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks for, none below 0 and none above a year; None if it is neither form.

    Args:
        value: the header as it came.
        now: the instant that a date is compared with (aware): the server's own, where it tells it.
    """
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(min(ceil(float(text[:20])), _FOREVER))
    until = parse_http_date(text)
    return None if until is None else min(max((until - now).total_seconds(), 0.0), _FOREVER)


def parse_http_date(text: str) -> datetime | None:
    """Return an HTTP-date (RFC 9110, 5.6.7; all three forms) in UTC; None if it is none."""
    try:
        parsed = parsedate_to_datetime(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def back_off(delay: float, failures: int) -> float:
    """Return the seconds to leave a site alone after so many failures in a row: doubled each time, jittered upwards only.

    Never below the delay that was promised anyway; never above `MOST_BACK_OFF` by more than the jitter and the delay.
    """
    doubled = min(delay * 2.0 ** min(failures, 30), MOST_BACK_OFF)
    return max(delay, doubled) * random.uniform(1.0, 1.5)


@dataclass
class Site:
    """What is owed to one site, whichever source of the crawl process asks it."""

    name: str
    wish: float = 0.0
    """Seconds between two requests that its robots.txt asks for, at most `MOST_DELAY`."""

    failures: int = 0
    """Failures in a row, of any address."""

    tried: Counter[bytes] = field(default_factory=Counter)
    """Fingerprint of a request -> how often it failed."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _begun: float = -inf
    _rest: float = -inf

    def rest(self, seconds: float) -> None:
        """Leave the site alone for that long, counted from now."""
        self._rest = max(self._rest, monotonic() + seconds)

    def check(self) -> None:
        """Check that the site may be asked within the time that a crawl waits.

        Raises:
            AsksToWait: if it may not.
        """
        left = self._rest - monotonic()
        if left > MOST_WAIT:
            until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ceil(left))
            raise AsksToWait(f"{self.name} asks not to be asked again before {until.isoformat()}")

    @asynccontextmanager
    async def turn(self, delay: float) -> AsyncIterator[None]:
        """Wait until the site may be asked, and keep the others waiting until it has answered.

        Args:
            delay: seconds between the starts of two requests; 0 for a host of our own, which needs no pause at all.
        """
        async with self._turn:
            while delay > 0 and (left := max(self._begun + max(delay, self.wish), self._rest) - monotonic()) > 0:
                self.check()
                await asyncio.sleep(left)
            self.check()
            self._begun = monotonic()
            yield

    def heard(self) -> None:
        """Count the pause from now: the site answers, so it got the request only just before, however early it was sent."""
        self._begun = monotonic()


class Sites:
    """The sites that one crawl process has to do with; one for all its sources."""

    def __init__(self) -> None:
        """Start with no site known."""
        self._known: dict[str, Site] = {}
        self.rules: dict[str, Rules] = {}
        """Scheme and authority ("https://diario.pe:8443") -> its robots.txt."""

    def of(self, url: str) -> Site:
        """Return the site of an address."""
        name = site_of(urlsplit(url).hostname or "")
        return self._known.setdefault(name, Site(name))


class Patience:
    """Downloader middleware in the place of Scrapy's retries, which neither wait nor listen to `Retry-After`."""

    def __init__(self, crawler: Crawler) -> None:
        """Take what counts as a failure, and the limits, from the settings."""
        self.crawler = crawler
        settings = crawler.settings
        self.delay: float = settings.getfloat("DOWNLOAD_DELAY")
        self.time_limit: float = settings.getfloat("DOWNLOAD_TIMEOUT")
        self.statuses = {int(status) for status in settings.getlist("RETRY_HTTP_CODES")}
        self.exceptions: tuple[Any, ...] = tuple(load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse what was tried often enough or may not be asked yet; limit the attempt to what is left of its time."""
        site = self._site(request)
        site.check()
        if site.tried[self._fingerprint(request)] >= MOST_ATTEMPTS:
            raise GivenUp(f"failed {MOST_ATTEMPTS} times in this run")
        left = COST * self.time_limit - request.meta.get("spent", 0.0)
        request.meta["download_timeout"] = min(request.meta.get("download_timeout") or self.time_limit, left)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Remember what the site asks for, and try a failure again.

        Raises:
            AsksToWait: if it failed and asks to be left alone for longer than a crawl waits.
        """
        asked = _asked_to_wait(response) if response.status >= 300 else None
        site = self._site(request)
        if asked is not None:
            site.rest(asked)
        if response.status not in self.statuses:
            site.failures = 0
            return response
        site.check()
        return self._again(request, backing_off=asked is None) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Try again what broke on the way; None leaves the exception to the spider."""
        return self._again(request, backing_off=True) if isinstance(exception, self.exceptions) else None

    def _again(self, request: Request, *, backing_off: bool) -> Request | None:
        """Return the next attempt; None if there was the last one, or the address cost what it may."""
        site = self._site(request)
        site.failures += 1
        fingerprint = self._fingerprint(request)
        site.tried[fingerprint] += 1
        if backing_off and self.delay:
            site.rest(back_off(max(self.delay, site.wish), site.failures))
        spent = request.meta.get("spent", 0.0) + monotonic() - request.meta.get("begun", monotonic())
        if site.tried[fingerprint] >= MOST_ATTEMPTS or spent >= self.time_limit:
            return None
        again: Request = request.copy()
        again.meta["spent"] = spent
        again.dont_filter = True
        again.priority -= 1
        return again

    def _site(self, request: Request) -> Site:
        spider: Any = self.crawler.spider
        return spider.sites.of(request.url)  # type: ignore[no-any-return]

    def _fingerprint(self, request: Request) -> bytes:
        known: Any = self.crawler.request_fingerprinter
        return known.fingerprint(request)  # type: ignore[no-any-return]


def _asked_to_wait(response: Response) -> float | None:
    """Return the seconds that an answer asks to wait; None if it does not ask."""
    told = {name: (response.headers.get(name) or b"").decode("latin-1") for name in ("Retry-After", "Date")}
    # A date is one by the server's clock, which may differ from ours.
    return parse_retry_after(told["Retry-After"], now=parse_http_date(told["Date"]) or datetime.now(UTC))
