"""Which addresses are of the internet: those that a city's file may name and a crawl may connect to."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

# NAT64 hides an IPv4 address in its last four bytes (RFC 6052), which a gateway would connect to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# IPv4-compatible, IPv4-translated (RFC 2765), local NAT64 (RFC 8215), site-local (RFC 3879): nobody's on the internet.
_NOBODYS = tuple(map(ipaddress.ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10")))
_INNER_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def check_web_address(url: str) -> str:
    """Return a web address that a configuration file may name.

    Raises:
        ValueError: if it is no http or https address, carries credentials, or leads into an inner network.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or a password")
    if parts.port == 0:
        raise ValueError("has a port that nothing can listen on")
    if not _may_be_public(parts.hostname):
        raise ValueError("must be a public address, not one of an inner network")
    return url


def _may_be_public(host: str) -> bool:
    """Tell whether a host may be on the internet; the resolver decides at each connection (see collectors.network)."""
    # Circled and full-width digits and dots are plain ones to those who connect (IDNA), and a dot at the end is none.
    plain = unicodedata.normalize("NFKC", host).replace("\N{IDEOGRAPHIC FULL STOP}", ".").lower().rstrip(".")
    try:
        return is_public(plain)
    except ValueError:
        # 127.1, 2130706433 and 0x7f000001 are addresses too, to those who connect.
        written_oddly = re.fullmatch(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*", plain)
        return "." in plain and not written_oddly and not plain.endswith(_INNER_NAMES)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that a crawl may connect to: global, also the IPv4 address inside an IPv6 one."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if any(parsed in network for network in _NOBODYS):
            return False
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if parsed in _NAT64:
            inner = ipaddress.IPv4Address(parsed.packed[-4:])
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return parsed.is_global and not parsed.is_multicast
