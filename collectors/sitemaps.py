"""Sitemaps: bytes -> addresses with their dates; pure.

Facts from sitemaps.org/protocol.html (urlset, sitemapindex, `lastmod`; at most 50,000 addresses and 50 MB unpacked; may be
packed by gzip; a plain text file with one address a line is a sitemap too) and from Google's news sitemaps
(`news:publication_date`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lxml import etree

from collectors.health import SourceProblem

MAX_BYTES = 20_000_000
"""Less than the protocol allows, and four times what 50,000 addresses of 100 characters need."""

MAX_ADDRESSES = 50_000
_GZIP = b"\x1f\x8b"


class Listed(NamedTuple):
    """One address of a sitemap; `raw` is the date of its last change as written, None if there is none."""

    url: str
    raw: str | None


@dataclass
class Sitemap:
    """One document: addresses of pages, and of further sitemaps."""

    pages: list[Listed] = field(default_factory=list)
    sitemaps: list[Listed] = field(default_factory=list)
    cut: bool = False
    """True if it was longer than a sitemap may be; the rest was not read."""


def parse_sitemap(body: bytes, *, url: str) -> Sitemap:
    """Return what a sitemap lists.

    Raises:
        SourceProblem: `malformed` if it is no sitemap.
    """
    document, cut = _unpack(body, url)
    if document.lstrip()[:4] == b"http":
        lines = document.decode("utf-8", errors="replace").split()
        return Sitemap([Listed(line, None) for line in lines[:MAX_ADDRESSES]], cut=cut or len(lines) > MAX_ADDRESSES)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document.strip(), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None or _local(root) not in ("urlset", "sitemapindex"):
        raise SourceProblem("malformed", f"{url}: not a readable sitemap")
    found = [listed for node in root.iterchildren(etree.Element) if (listed := _listed(node)) is not None]
    cut = cut or len(found) > MAX_ADDRESSES or len(parser.error_log) > 0
    if _local(root) == "urlset":
        return Sitemap(pages=found[:MAX_ADDRESSES], cut=cut)
    return Sitemap(sitemaps=found[:MAX_ADDRESSES], cut=cut)


def read_sitemap(document: bytes, *, url: str, content_type: str) -> Sitemap:
    """Return what a sitemap lists; its type is seen from itself (see `parse_sitemap`)."""
    return parse_sitemap(document, url=url)


def _listed(node: Any) -> Listed | None:
    texts = {_local(part): (part.text or "").strip() for part in node.iterchildren(etree.Element)}
    news = next((part.text for part in node.iter(etree.Element) if _local(part) == "publication_date"), None)
    address = texts.get("loc")
    return Listed(address, texts.get("lastmod") or (news or "").strip() or None) if address else None


def _unpack(body: bytes, url: str) -> tuple[bytes, bool]:
    """Return the document, unpacked up to `MAX_BYTES`, and whether it was longer."""
    if body[:2] != _GZIP:
        return body[:MAX_BYTES], len(body) > MAX_BYTES
    unpacking = zlib.decompressobj(wbits=31)
    try:
        document = unpacking.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise SourceProblem("malformed", f"{url}: not a readable sitemap ({error})") from error
    return document, bool(unpacking.unconsumed_tail)


def _local(node: Any) -> str:
    name: str = etree.QName(node).localname
    return name
