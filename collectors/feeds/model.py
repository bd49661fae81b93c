"""What every dialect of feeds says, in one shape: a document, its entries, and the elements that entries are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

from collectors.health import SourceProblem
from collectors.links import without_trackers

MAX_ENTRIES = 5_000
"""Entries that are read of one document; feeds show tens, archives hundreds."""

MAX_MARKUP = 2_000_000
"""Longest piece of markup that is looked at for a text; a stored text is a hundredth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed, as the feed says it."""

    id: str | None = None
    """The entry's own id (`guid`, `id`, `rdf:about`); None if it has none."""

    link: str | None = None
    """Address of its page, absolute; None if it has none."""

    author: str | None = None
    title: str = ""
    text: str = ""
    """Plain text; the title where the entry has nothing else."""

    published: str | None = None
    """The date as written; where only that of the last change is given, that one."""

    modified: str | None = None
    parent: str | None = None
    """Id of the entry that this one answers; None if the feed does not say."""

    comments_url: str | None = None
    """Address of the feed of its comments, absolute."""

    comment_count: int | None = None
    withheld: bool = False
    """True if what stands here is nobody's message: it was removed, asks for a password, or tells of a link elsewhere."""


@dataclass(slots=True, kw_only=True)
class Feed:
    """One feed document."""

    entries: list[Entry] = field(default_factory=list)
    next_url: str | None = None
    """Address of the document with older entries, absolute; None if this is the last or only one."""

    problems: list[str] = field(default_factory=list)
    """What was lost, in words that quote nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One element of an entry."""

    value: str
    """Its text; its inner markup if it holds elements."""

    is_markup: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    """By local name in small letters."""

    parts: Mapping[str, str] = field(default_factory=dict)
    """Text of the elements inside it by local name, where it is an author."""


Fields = dict[str, list[Field]]
"""The elements of an entry by name: those of RSS and Atom themselves without a prefix, others as in `dc:date`."""


def no_feed(url: str) -> SourceProblem:
    """Return the problem of a document that is none of the kinds of feed."""
    return SourceProblem("malformed", f"{url}: not a readable feed (RSS, Atom or JSON Feed)")


def absolute(link: str | None, base: str) -> str | None:
    """Return a link resolved against its document; None if there is none or it is no address on the web."""
    try:
        found = urljoin(base, (link or "").strip()) if link and link.strip() else ""
        parts = urlsplit(found)
        found.encode("utf-8")
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return found if usable else None


def page_link(link: str | None, base: str) -> str | None:
    """Return the address of an entry's page without trackers; None if it is none, or leads only to the document itself."""
    found = absolute(link, base)
    return None if found is None or urldefrag(found).url == urldefrag(base).url else without_trackers(found)
