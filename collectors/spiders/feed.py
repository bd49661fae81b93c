"""RSS and Atom feeds, read by feedparser: entries are messages, articles or the municipality's own notices.

Facts from RSS 2.0 (rssboard.org/rss-specification), RFC 4287 (Atom) and RFC 4685 (`thr:in-reply-to`). A feed shows its
last entries only and keeps no past: what was not collected in time cannot be asked for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar, Literal

import feedparser
from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.items import Kind, Manifestation
from collectors.spiders.base import PlatformSpider, header, row_id
from collectors.text import html_to_text

# The document was read whole: only its label (charset, media type) was wrong.
HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


class FeedOptions(PlatformOptions):
    """What an entry of this feed is."""

    entries: Literal["manifestation", "article", "official"] = Field(
        "article", description="manifestation: a person's message (comment and forum feeds); article or official: context."
    )


class FeedSpider(PlatformSpider):
    """Reads one feed document."""

    Options: ClassVar[type[PlatformOptions]] = FeedOptions

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the feed."""
        yield self.request(self.source.url, self.parse)

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Manifestation]:
        """Yield one item for each entry; a document that is no feed is a problem, not an empty source."""
        if not self.readable(response):
            return
        document = feedparser.parse(
            response.body,
            response_headers={"content-type": header(response, "Content-Type")},
            sanitize_html=False,
        )
        ill_formed = document.bozo and not isinstance(document.bozo_exception, HARMLESS)
        if not document.entries and (ill_formed or not document.get("version")):
            self.started_well = False
            self.note("malformed", f"{response.url}: not a readable RSS or Atom document")
            return
        if ill_formed:
            self.note("malformed", f"{response.url}: ill-formed feed ({type(document.bozo_exception).__name__}); read in part")
        seen: Counter[str] = Counter()
        for entry in document.entries:
            yield from self._entry(entry, seen)

    def _entry(self, entry: Any, seen: Counter[str]) -> Iterator[Manifestation]:
        options: Any = self.source.options
        kind: Kind = options.entries
        content = entry.get("content") or []
        markup = next((part.get("value") for part in content if part.get("value")), None) or entry.get("summary", "")
        published_raw = entry.get("published") or entry.get("updated")
        text = html_to_text(markup)
        own_id = entry.get("id") or entry.get("link")
        reply = entry.get("thr_in-reply-to") or {}
        yield from self.manifestation(
            kind=kind,
            native_id=own_id or row_id(seen, place=self.source.url, raw=published_raw, text=text),
            parent_id=reply.get("ref"),
            url=entry.get("link"),
            author=entry.get("author"),
            title=html_to_text(entry.get("title", "")),
            text=text,
            published_at=self.published(published_raw),
            published_raw=published_raw,
            # By dict itself: feedparser's own `get` answers with the date of publication where there is none.
            modified_at=self.published(dict.get(entry, "updated")),
        )
