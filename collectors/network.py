"""Where connections may go: public addresses only, save the hosts that a synthetic city maps to this machine.

The check sits in the name resolver, through which Twisted sends every connection (pages, robots.txt, each hop of a
redirect), and not on the URL, which a redirect or a second DNS answer would slip past.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from collectors.addresses import is_public

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from collectors.exclusions import Exclusions

logger = logging.getLogger(__name__)

ROBOTS_REQUEST = "robots_request"
"""Marks the request for a robots.txt in its `meta`, redirects of it included."""


def mapped_address(host: str, table: Mapping[str, str]) -> tuple[str, int] | None:
    """Return (address, port) that a resolver table gives a host, or None; `*.test` also covers `a.b.test`."""
    for pattern, target in table.items():
        if fnmatchcase(host.lower(), pattern):
            address, _, port = target.rpartition(":")
            return address, int(port)
    return None


def site_of(host: str) -> str:
    """Return the name under which a host counts as one site: `www.` in front makes no other."""
    return host.lower().removeprefix("www.")


class Stopped(IgnoreRequest):
    """Not fetched, because the crawl of the source is ending: its budget is spent or it was told to stop."""


class LeavesSite(IgnoreRequest):
    """Not fetched, because the address is on a host that nobody approved for this source."""


class Excluded(IgnoreRequest):
    """Not fetched, because the address is on the list of exclusions."""


class NotArchived(IgnoreRequest):
    """Not fetched, because the past is read from the raw archive and this address is not in it."""


class OneSite:
    """Downloader middleware: only the source's own site is asked, redirects included; a robots.txt may lead elsewhere.

    Scrapy's own drops such a request in silence when it is scheduled; here it fails, so that the source can tell.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Remember the crawler; its spider brings the source."""
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse a request to another host."""
        spider: Any = self.crawler.spider
        host = urlsplit(request.url).hostname or ""
        if request.meta.get(ROBOTS_REQUEST):
            return  # RFC 9309 (2.3.1.2) follows redirects across hosts; the resolver still lets none lead inside
        if spider.source.host is None or site_of(host) != site_of(spider.source.host):
            raise LeavesSite(f"leads to {host}")


class ExcludedAddresses:
    """Downloader middleware: what the list of exclusions names is not fetched; it is counted."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the list that the crawl was started with, if any."""
        self.crawler = crawler
        self.exclusions: Exclusions | None = crawler.settings["ESCUCHA_EXCLUSION_LIST"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse an excluded address, redirects to one included."""
        if self.exclusions is not None and self.exclusions.excludes_url(request.url):
            spider: Any = self.crawler.spider
            spider.excluded_count += 1
            raise Excluded("on the list of exclusions")


class _PublicOnly:
    """Passes on the addresses of one resolution that are public; drops and logs the others."""

    def __init__(self, receiver: Any, host: str) -> None:
        self._receiver, self._host = receiver, host

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if is_public(address.host):
            self._receiver.addressResolved(address)
        else:
            logger.warning("refused to connect to %s: it resolves to an address that is not public", self._host)

    def resolutionComplete(self) -> None:
        self._receiver.resolutionComplete()


@implementer(IHostResolution)
class _Resolution:
    """A resolution that was answered from the table."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Answered at once: there is nothing to cancel."""


@implementer(IHostnameResolver)
class TableResolver:
    """Scrapy's TWISTED_DNS_RESOLVER: the city's table first, then DNS with the guard."""

    def __init__(self, reactor: Any, table: Mapping[str, str]) -> None:
        """Wrap the reactor's own resolver."""
        self.reactor, self.table = reactor, dict(table)
        self.original: Any = reactor.nameResolver

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> Self:
        """Build from the setting ESCUCHA_HOSTS."""
        return cls(reactor, crawler.settings.getdict("ESCUCHA_HOSTS"))

    def install_on_reactor(self) -> None:
        """Send every later connection of the reactor through this resolver."""
        self.reactor.installNameResolver(self)

    def resolveHostName(
        self,
        receiver: IResolutionReceiver,
        host: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Resolve one host name for one connection (the contract of Twisted's IHostnameResolver)."""
        mapped = mapped_address(host, self.table)
        if mapped is None:
            guarded = _PublicOnly(receiver, host)
            return cast(
                IHostResolution, self.original.resolveHostName(guarded, host, portNumber, addressTypes, transportSemantics)
            )
        resolution: Any = _Resolution(host)
        sink: Any = receiver
        sink.resolutionBegan(resolution)
        sink.addressResolved(IPv4Address("TCP", *mapped))
        sink.resolutionComplete()
        return cast(IHostResolution, resolution)
