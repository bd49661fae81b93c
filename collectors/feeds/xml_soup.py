"""Feeds that are not well-formed XML: entries and their elements found by their tags alone, in one pass.

An entry reaches to the next one or to its own end, whichever comes first; an element to its end tag or, if that is missing,
to the next element. What stands inside an element is not looked at, so a paragraph that is never closed harms nobody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from collectors.feeds.model import Field, Fields
from collectors.feeds.names import KEPT, NAMESPACES, name_of

_SECTION = r"<!\[CDATA\[.*?(?:\]\]>|\Z)"
_START = re.compile(rf"{_SECTION}|<(?:[\w.-]+:)?(?P<entry>item|entry)(?=[\s/>])", re.DOTALL | re.IGNORECASE)
_END = re.compile(rf"{_SECTION}|</(?:[\w.-]+:)?(?P<entry>item|entry)\s*>", re.DOTALL | re.IGNORECASE)
_LOCALS = "|".join(sorted({name.rpartition(":")[2] for name in KEPT}, key=len, reverse=True))
_TAG = re.compile(
    rf"{_SECTION}|<(?P<close>/?)(?P<name>(?:[\w.-]+:)?(?:{_LOCALS}))(?P<attributes>(?:[\s/][^<>]*)?)>", re.DOTALL | re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"(?<![\w.:-])([\w.:-]++)\s*+=\s*+(?:\"([^\"<]*)\"|'([^'<]*)'|([^\s\"'<>=]+))")
_MOST_ATTRIBUTES = 4_000
_MARKERS = re.compile(r"<!\[CDATA\[|\]\]>")
_ELEMENT = re.compile(r"</?[A-Za-z][^<>]*>")
_OPENING = re.compile(r"<[^<>]{0,4000}")
_PART = re.compile(r"<(?:[\w.-]+:)?(name|email|uri)(?:\s[^<>]*)?>([^<]*)", re.IGNORECASE)
_LONG = frozenset(
    (
        *("title", "description", "summary", "content", "author"),
        *("content:encoded", "xhtml:body", "dc:creator", "dc:description", "dc:title", "itunes:summary"),
    )
)
_HEAD = 100_000
_USUAL = {"atom": "", "a10": "", "rss": ""} | {prefix: prefix for prefix in NAMESPACES.values() if prefix}
"""What a prefix means that a document uses without having said so."""


@dataclass(frozen=True, slots=True)
class Soup:
    """A feed taken apart."""

    head: Fields
    entries: list[str]
    prefixes: dict[str, str]
    cut_short: bool
    """True if the document ends before its end tag."""

    def fields_of(self, entry: str) -> Fields:
        """Return the elements of one entry."""
        return _fields_of(entry, self.prefixes)


def take_apart(text: str, *, whole_document: bool) -> Soup:
    """Return the entries of a document from its root on.

    Args:
        text: the document, mended by `mend_xml`.
        whole_document: False if its end tag is missing: what follows the last complete entry is then left.
    """
    starts = [found.start() for found in _START.finditer(text) if found["entry"]]
    head = text[: min(starts[0] if starts else len(text), _HEAD)]
    prefixes = {}
    for name, quoted, single, bare in _ATTRIBUTE.findall(head[:_HEAD]):
        if name.startswith("xmlns:"):
            prefixes[name[6:]] = quoted or single or bare
    entries = []
    for start, following in pairwise([*starts, len(text)]):
        chunk = text[start:following]
        ends = [found.start() for found in _END.finditer(chunk) if found["entry"]]
        if ends or whole_document or following < len(text):
            entries.append(chunk[: ends[-1]] if ends else chunk)
    return Soup(_fields_of(head, prefixes), entries, prefixes, cut_short=not whole_document)


class _Tag(NamedTuple):
    """A tag of an element that is read."""

    name: str
    start: int
    end: int
    closes: bool
    attributes: str


def _fields_of(text: str, prefixes: dict[str, str]) -> Fields:
    """Return the elements in a piece of a document, and what its opening tag says the entry is about."""
    fields: Fields = {}
    opening = _OPENING.match(text)
    about = _attributes(opening[0]).get("about") if opening else None
    if about:
        fields["about"] = [Field(value=about)]
    tags = list(_tags(text, prefixes))
    last_end = {tag.name: tag.start for tag in tags if tag.closes}
    begun: _Tag | None = None
    for tag in [*tags, _Tag("", len(text), len(text), True, "")]:
        if begun is not None and ((tag.name == begun.name and tag.closes) or last_end.get(begun.name, -1) < begun.end):
            fields.setdefault(begun.name, []).append(_field(begun, text[begun.end : tag.start]))
            begun = None
            if tag.closes:
                continue
        if begun is None and not tag.closes:
            begun = tag
            if tag.attributes.endswith("/"):
                fields.setdefault(tag.name, []).append(_field(tag, ""))
                begun = None
    return fields


def _tags(text: str, prefixes: dict[str, str]) -> Iterator[_Tag]:
    for found in _TAG.finditer(text):
        prefix, _, local = (found["name"] or "").rpartition(":")
        name = _name(prefix, local, prefixes)
        if name in KEPT:
            yield _Tag(name, found.start(), found.end(), bool(found["close"]), found["attributes"].rstrip())


def _name(prefix: str, local: str, prefixes: dict[str, str]) -> str:
    if prefix in prefixes:
        return name_of(prefixes[prefix], local)
    usual = _USUAL.get(prefix.lower(), "?") if prefix else ""
    return f"{usual}:{local.lower()}" if usual else local.lower()


def _field(tag: _Tag, raw: str) -> Field:
    attributes = _attributes(tag.attributes)
    section = raw.lstrip().startswith("<![CDATA[")
    if tag.name not in _LONG and not section:
        raw = raw.partition("<")[0]
    written = _MARKERS.sub("", raw)
    if section:
        return Field(value=written, attributes=attributes)
    if _ELEMENT.search(raw):
        parts = {part.lower(): html.unescape(value) for part, value in _PART.findall(written)} if tag.name == "author" else {}
        return Field(value=written, is_markup=True, attributes=attributes, parts=parts)
    return Field(value=html.unescape(written), attributes=attributes)


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag by local name in small letters; quotes around a value may be missing."""
    found = _ATTRIBUTE.findall(text[:_MOST_ATTRIBUTES])
    return {name.rpartition(":")[2].lower(): html.unescape(quoted or single or bare) for name, quoted, single, bare in found}
