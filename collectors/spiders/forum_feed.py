"""The Atom and RSS feeds that forums write: bytes -> entries with their markup (pure).

The markup is kept, and not only its text, because quotes of others stand in it as elements. Facts from RFC 4287 (Atom),
RSS 2.0 (rssboard.org/rss-specification) and its modules `content` and `dc`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lxml import etree

from collectors.health import SourceProblem
from collectors.text import decode_bytes

_DECLARATION = re.compile(r"\s*<\?xml[^<>]{0,200}\?>")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOTS = frozenset({"feed", "rss", "RDF"})
_LONGEST = 5_000
"""Characters that are kept of anything but a message."""

_BODIES = ("encoded", "content", "summary", "description")


class FeedEntry(NamedTuple):
    """One entry of a feed as written; "" for what it does not say."""

    address: str
    title: str
    author: str
    published: str
    updated: str
    markup: str


def parse_entries(body: bytes, *, url: str, charset: str | None) -> tuple[list[FeedEntry], bool]:
    """Return the entries of a feed, and whether it was well-formed; of an ill-formed one what stands before and after the fault.

    Args:
        body: the document.
        url: where it came from, for the message.
        charset: of the header; None if it names none.

    Raises:
        SourceProblem: `malformed` if it is no feed.
    """
    text = _CONTROLS.sub("", decode_bytes(body, declared=charset)[0])
    source = _DECLARATION.sub("", text, count=1).strip().encode("utf-8")
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding="utf-8"
    )
    try:
        root = etree.fromstring(source, parser) if source else None
    except etree.XMLSyntaxError:
        root = None
    if root is None or _local(root) not in _ROOTS:
        raise SourceProblem("malformed", f"{url}: no feed; an administrator may have switched it off")
    entries = [_entry(node) for node in root.iter(etree.Element) if _local(node) in ("entry", "item")]
    return entries, len(parser.error_log) == 0


def _entry(node: Any) -> FeedEntry:
    parts: dict[str, str] = {}
    for child in node.iterchildren(etree.Element):
        name = _local(child)
        if name == "link" and child.get("rel", "alternate") != "alternate":
            continue
        value = child.get("href") if name == "link" else None
        parts.setdefault(name, value or _name_in(child) or "".join(child.itertext()).strip())
    return FeedEntry(
        address=(parts.get("link") or parts.get("guid") or parts.get("id") or "")[:_LONGEST],
        title=parts.get("title", "")[:_LONGEST],
        author=(parts.get("creator") or parts.get("author", ""))[:_LONGEST],
        published=(parts.get("pubDate") or parts.get("published") or parts.get("updated", ""))[:_LONGEST],
        updated=parts.get("updated", "")[:_LONGEST],
        markup=next((parts[name] for name in _BODIES if parts.get(name)), ""),
    )


def _name_in(node: Any) -> str | None:
    """Return the name of an Atom author; None for any other element."""
    if _local(node) != "author":
        return None
    return next(("".join(part.itertext()).strip() for part in node.iterchildren(etree.Element) if _local(part) == "name"), None)


def _local(node: Any) -> str:
    name: str = etree.QName(node).localname
    return name
