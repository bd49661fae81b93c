"""Feed documents: bytes -> entries, whatever the dialect and however broken; pure, and in linear time.

RSS 0.90 (RDF), 0.91, 0.92, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0 are read through libxml2; a document that is not well-formed
is taken apart by hand, entry by entry, so that one bad entry costs only itself. JSON Feed 1.0 and 1.1 are JSON.

Why no general feed library: of feedparser 6.0 it was measured that 20,000 letters in one `<author>`, or of white space before
the root, cost one or two seconds, and twice as many four times as much; size and depth of a document say nothing of it.
"""

from __future__ import annotations

from collectors.feeds.entries import mended_date
from collectors.feeds.json_feed import parse_json_feed
from collectors.feeds.model import Entry, Feed
from collectors.feeds.xml_feed import parse_xml_feed
from collectors.feeds.xml_text import decode_document

__all__ = ["Entry", "Feed", "mended_date", "parse_feed"]

MAX_CHARACTERS = 5_000_000
"""Longest document that is read to its end; the feeds of busy sites are a hundred times shorter."""


def parse_feed(body: bytes, *, url: str, content_type: str = "") -> Feed:
    """Return what a feed document holds.

    Args:
        body: the document as it came.
        url: where it came from; relative links are resolved against it.
        content_type: the header of that name; only its charset is looked at, since feeds come under every media type.

    Raises:
        SourceProblem: `malformed` if it is no feed at all: another kind of page, or nothing.
    """
    text = decode_document(body, content_type)
    cut = len(text) > MAX_CHARACTERS
    text = text[:MAX_CHARACTERS]
    feed = (parse_json_feed if text.lstrip()[:1] == "{" else parse_xml_feed)(text, url)
    if cut:
        feed.problems.append(f"longer than {MAX_CHARACTERS:,} characters; the rest was not read")
    return feed
