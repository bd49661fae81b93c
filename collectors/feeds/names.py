"""The names of elements, whatever prefix a feed gives them: RSS's and Atom's own alone, those of modules as in `dc:date`."""

from __future__ import annotations

_OWN = (
    "my.netscape.com/rdf/simple/0.9",
    "channel.netscape.com/rdf/simple/0.9",
    "purl.org/rss/1.0",
    "backend.userland.com/rss",
    "backend.userland.com/rss2",
    "backend.userland.com/rss091",
    "backend.userland.com/rss092",
    "www.w3.org/2005/atom",
    "purl.org/atom/ns",
)
NAMESPACES = dict.fromkeys(_OWN, "") | {
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/slash": "slash",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/syndication/thread/1.0": "thr",
    "wellformedweb.org/commentapi": "wfw",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "schemas.google.com/g/2005": "gd",
    "www.w3.org/1999/xhtml": "xhtml",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
}
"""Namespace, without scheme and closing `/` or `#`, in small letters -> prefix here."""

KEPT = frozenset(
    (
        *("id", "guid", "link", "title", "description", "summary", "content", "author"),
        *("pubdate", "published", "updated", "modified", "issued", "created"),
        *("content:encoded", "xhtml:body", "dc:creator", "dc:date", "dc:description", "dc:title", "itunes:summary"),
        *("dcterms:created", "dcterms:issued", "dcterms:modified", "slash:comments", "wfw:commentrss"),
        *("thr:in-reply-to", "thr:total", "feedburner:origlink", "gd:extendedproperty"),
    )
)
"""The elements of an entry that are read."""


def name_of(namespace: str | None, local: str, *, root: str | None = None) -> str:
    """Return the name of an element; one of an unknown namespace is called `?:…` and is none of `KEPT`.

    Args:
        namespace: its namespace, None if it has none.
        local: its local name.
        root: namespace of the document's root: whatever it is, its elements are the feed's own.
    """
    if namespace is None or namespace == root:
        return local.lower()
    prefix = NAMESPACES.get(plain_namespace(namespace), "?")
    return f"{prefix}:{local.lower()}" if prefix else local.lower()


def plain_namespace(namespace: str) -> str:
    """Return a namespace as `NAMESPACES` writes it."""
    return namespace.strip().lower().partition("://")[2].rstrip("/#")
