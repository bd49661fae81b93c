"""robots.txt by RFC 9309: unreachable or 5xx closes the host, 4xx opens it, a Disallow is obeyed."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.internet.defer import Deferred

from collectors.network import Stopped


class RobotsClosed(IgnoreRequest):
    """The host's robots.txt could not be read, so nothing of it may be fetched (RFC 9309, 2.3.1.4)."""


class _Closed:
    """Stands where the rules of a host would be when they could not be read."""

    def __init__(self, error: type[IgnoreRequest]) -> None:
        self._error = error

    def allowed(self, url: str, user_agent: str | bytes) -> bool:
        """Refuse every address; the caller's signature is Scrapy's RobotParser."""
        raise self._error(f"robots.txt of {url.split('/')[2]} could not be read")


class StrictRobots(RobotsTxtMiddleware):
    """Scrapy's middleware with the status rules of RFC 9309; Scrapy's own takes 5xx and no answer as leave to fetch."""

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            self._settle(netloc, _Closed(RobotsClosed))
        elif response.status >= 400:
            self._settle(netloc, None)
        else:
            await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._settle(netloc, _Closed(Stopped if isinstance(exc, Stopped) else RobotsClosed))

    def _settle(self, netloc: str, rules: Any) -> None:
        waiting = self._parsers[netloc]
        self._parsers[netloc] = rules
        if isinstance(waiting, Deferred):
            waiting.callback(rules)
