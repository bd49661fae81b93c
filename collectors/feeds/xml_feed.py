"""RSS and Atom documents -> entries: as XML where they are well-formed, else taken apart tag by tag, each entry alone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from collectors.feeds.entries import build_entry
from collectors.feeds.model import MAX_ENTRIES, Entry, Feed, Field, Fields, absolute, no_feed
from collectors.feeds.names import KEPT, name_of
from collectors.feeds.xml_soup import Soup, take_apart
from collectors.feeds.xml_text import mend_xml
from collectors.text import MarkupError

_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_ROOT = re.compile(r"<((?:[\w.-]+:)?(rss|rdf|feed))(?=[\s>/])", re.IGNORECASE)
_PAGE = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_OLDER = ("next", "prev-archive")


def parse_xml_feed(text: str, url: str) -> Feed:
    """Return what an RSS or Atom document holds.

    Args:
        text: the document, decoded.
        url: where it came from.

    Raises:
        SourceProblem: `malformed` if it is no feed.
    """
    text, undefined = mend_xml(text)
    root = _ROOT.search(text)
    if root is None or _PAGE.search(text, 0, root.start()):
        raise no_feed(url)
    end = text.rfind(f"</{root[1]}")
    close = text.find(">", end) if end > root.start() else -1
    whole = text[root.start() : close + 1] if close >= 0 else text[root.start() :]
    atom = root[2].lower() == "feed"
    feed = Feed()
    tree = _parse(whole)
    if tree is not None:
        _read(feed, _entries_of(tree), lambda element: build_entry(_fields_of(element), base=_base(element, url), atom=atom))
        feed.next_url = _next_url([(_field(link), _base(link, url)) for link in _head(tree)])
    else:
        soup = take_apart(whole, whole_document=close >= 0)
        _read(feed, soup.entries, lambda entry: build_entry(soup.fields_of(entry), base=url, atom=atom))
        feed.next_url = _next_url([(link, url) for link in soup.head.get("link", ())])
        _check_soup(feed, soup, url)
    if undefined:
        feed.problems.append(f"{undefined} references to entities of its own were left as written")
    return feed


def _parse(text: str) -> Any | None:
    """Return the root element; None if the document is not well-formed, or nested deeper than any feed."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError:
        return None


def _read(feed: Feed, found: list[Any], build: Callable[[Any], Entry]) -> None:
    """Add an entry for each of those found; one that cannot be read is counted, and costs no other."""
    lost = 0
    for one in found[:MAX_ENTRIES]:
        try:
            feed.entries.append(build(one))
        except MarkupError:
            lost += 1
    if lost:
        feed.problems.append(f"{lost} entries whose markup cannot be read")
    if len(found) > MAX_ENTRIES:
        feed.problems.append(f"{len(found):,} entries; only the first {MAX_ENTRIES:,} were read")


def _check_soup(feed: Feed, soup: Soup, url: str) -> None:
    """Say what a document that is not well-formed may have lost.

    Raises:
        SourceProblem: if it is not whole and has no entry at all.
    """
    if soup.cut_short and not feed.entries:
        raise no_feed(url)
    if soup.cut_short:
        feed.problems.append("the document breaks off; its last entry may be lost")
    blank = sum(not (entry.id or entry.link or entry.text) for entry in feed.entries)
    if blank:
        feed.problems.append(f"{blank} ill-formed entries in which nothing can be found")


def _entries_of(tree: Any) -> list[Any]:
    """Return the entries in their order: those of the root and of its children (a channel), not those inside an entry."""
    found = []
    for child in tree.iterchildren(etree.Element):
        if _is_entry(child):
            found.append(child)
        else:
            found += [grandchild for grandchild in child.iterchildren(etree.Element) if _is_entry(grandchild)]
    return found


def _is_entry(element: Any) -> bool:
    return etree.QName(element).localname.lower() in ("item", "entry")


def _head(tree: Any) -> Iterator[Any]:
    """Yield the links of the feed itself."""
    for child in tree.iterchildren(etree.Element):
        if _name(child) == "link":
            yield child
        elif not _is_entry(child) and etree.QName(child).localname.lower() == "channel":
            yield from (link for link in child.iterchildren(etree.Element) if _name(link) == "link")


def _next_url(links: list[tuple[Field, str]]) -> str | None:
    """Return where older entries are (RFC 5005, 3 and 4); None if nowhere.

    Args:
        links: the links of the feed itself, each with what it is relative to.
    """
    by_relation = {
        link.attributes.get("rel", "").strip().lower(): absolute(link.attributes.get("href"), base) for link, base in links
    }
    return next((by_relation[relation] for relation in _OLDER if by_relation.get(relation)), None)


def _base(element: Any, url: str) -> str:
    return absolute(element.base, url) or url


def _fields_of(entry: Any) -> Fields:
    """Return the elements of an entry that say something of it."""
    fields: Fields = {}
    about = entry.get(_RDF_ABOUT)
    if about:
        fields["about"] = [Field(value=about)]
    for child in entry.iterchildren(etree.Element):
        name = _name(child)
        if name in KEPT:
            fields.setdefault(name, []).append(_field(child))
    return fields


def _name(element: Any) -> str:
    tag = etree.QName(element)
    return name_of(tag.namespace, tag.localname, root=etree.QName(element.getroottree().getroot()).namespace)


def _field(element: Any) -> Field:
    attributes = {etree.QName(name).localname.lower(): value for name, value in element.attrib.items()}
    if len(element) == 0:
        return Field(value=element.text or "", attributes=attributes)
    parts = {etree.QName(child).localname.lower(): child.text or "" for child in element.iterchildren(etree.Element)}
    return Field(value=_inner_markup(element), is_markup=True, attributes=attributes, parts=parts)


def _inner_markup(element: Any) -> str:
    """Return what stands inside an element as HTML, without namespaces, each element closed."""
    for child in element.iterdescendants(etree.Element):
        child.tag = etree.QName(child).localname
    inner = "".join(etree.tostring(child, method="html", encoding="unicode") for child in element)
    return html.escape(element.text or "") + inner
