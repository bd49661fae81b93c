"""Links without the marks by which a publisher follows who came from where: the same page under each of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_TRACKER = re.compile(r"utm_\w+|fbclid|gclid|dclid|msclkid|igshid|yclid|twclid|mc_cid|mc_eid|_hsenc|_hsmi|xtor", re.IGNORECASE)


def without_trackers(link: str | None) -> str | None:
    """Return a link without the parameters that only tell its publisher where the reader came from; any other as it is."""
    if link is None or not ("?" in link or "#" in link):
        return link
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    query, fragment = _kept(parts.query), _kept(parts.fragment)
    if (query, fragment) == (parts.query, parts.fragment):
        return link
    return urlunsplit(parts._replace(query=query, fragment=fragment))


def _kept(parameters: str) -> str:
    return "&".join(one for one in parameters.split("&") if not _TRACKER.fullmatch(one.partition("=")[0]))
