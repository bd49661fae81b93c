"""Pages: bytes -> a tree to select from, decoded by our own rule; pure, and never a part of a page taken for the whole."""

from __future__ import annotations

from lxml import etree
from parsel import Selector

from collectors.health import SourceProblem
from collectors.text import decode_bytes

_TOO_DEEP = "Excessive depth"


def charset_of(content_type: str) -> str | None:
    """Return the charset that a Content-Type names; None if it names none."""
    return content_type.lower().partition("charset=")[2].strip(" \"'") or None


def parse_html(body: bytes, *, content_type: str = "") -> Selector:
    """Return a page as a selector.

    Scrapy reads unlabelled windows-1252 as cp1250; and where libxml2 meets more levels than it follows (254 by default,
    some 2,000 for huge trees), it drops the rest of the page, often all of it, without a word.

    Args:
        body: the page as it came; what holds no tag and is not declared a text is read as an empty page.
        content_type: the header of that name.

    Raises:
        SourceProblem: `extract_too_large` if the page is nested deeper than can be read.
    """
    text, _ = decode_bytes(body, declared=charset_of(content_type))
    if "<" not in text[:2000] and not content_type.lower().startswith(("text/", "application/xhtml")):
        text = ""
    return parse_markup(text)


def parse_markup(text: str) -> Selector:
    """Return a page, or a piece of one, that was decoded already.

    Raises:
        SourceProblem: as `parse_html` does.
    """
    parser = etree.HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
    root = etree.fromstring(text.strip().replace("\0", "").encode("utf-8", "replace") or b"<html></html>", parser)
    if any(_TOO_DEEP in entry.message for entry in parser.error_log):
        raise SourceProblem("extract_too_large", "nested deeper than any page that people read")
    return Selector(root=etree.fromstring(b"<html/>", parser) if root is None else root, type="html")


def declared_address(page: Selector) -> str | None:
    """Return the address that a page declares to be its own (`rel=canonical`), as written; None if it declares none."""
    return page.css("link[rel~=canonical]::attr(href)").get()
