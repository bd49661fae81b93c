"""Where connections may go: public addresses only, save the hosts that a synthetic city maps to this machine.

The check sits in the name resolver, through which Twisted sends every connection (pages, robots.txt, each hop of a
redirect), and not on the URL, which a redirect or a second DNS answer would slip past.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


def mapped_address(host: str, table: Mapping[str, str]) -> tuple[str, int] | None:
    """Return (address, port) that a resolver table gives a host, or None; `*.test` also covers `a.b.test`."""
    for pattern, target in table.items():
        if fnmatchcase(host.lower(), pattern):
            address, _, port = target.rpartition(":")
            return address, int(port)
    return None


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that a crawl may connect to: global, also behind an IPv4-mapped IPv6 form."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not (mapped or parsed).is_multicast


class _PublicOnly:
    """Passes on the addresses of one resolution that are public; drops and logs the others."""

    def __init__(self, receiver: Any, host: str) -> None:
        self._receiver, self._host = receiver, host

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 (Twisted's name)
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802 (Twisted's name)
        if is_public(address.host):
            self._receiver.addressResolved(address)
        else:
            logger.warning("refused to connect to %s: it resolves to an address that is not public", self._host)

    def resolutionComplete(self) -> None:  # noqa: N802 (Twisted's name)
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

    def resolveHostName(  # noqa: N802 (Twisted's name)
        self,
        receiver: IResolutionReceiver,
        host: str,
        portNumber: int = 0,  # noqa: N803 (Twisted's name)
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803 (Twisted's name)
        transportSemantics: str = "TCP",  # noqa: N803 (Twisted's name)
    ) -> IHostResolution:
        """Resolve one host name for one connection (the contract of Twisted's IHostnameResolver)."""
        mapped = mapped_address(host, self.table)
        if mapped is None:
            guarded = _PublicOnly(receiver, host)
            return self.original.resolveHostName(guarded, host, portNumber, addressTypes, transportSemantics)
        resolution = _Resolution(host)
        sink: Any = receiver
        sink.resolutionBegan(resolution)
        sink.addressResolved(IPv4Address("TCP", *mapped))
        sink.resolutionComplete()
        return resolution
