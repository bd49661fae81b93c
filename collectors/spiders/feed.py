"""Feeds of every dialect: entries are messages, articles or the municipality's own notices; comments may follow each article.

Facts from RSS 2.0 (rssboard.org/rss-specification), RSS 1.0 (web.resource.org/rss/1.0), RFC 4287 (Atom), RFC 4685 (threads),
RFC 5005 (`next` and `prev-archive` lead to older entries), JSON Feed 1.1 (jsonfeed.org/version/1.1), the Comment API
(wellformedweb.org: `wfw:commentRss`) and RSS's `slash` module (`slash:comments`). A feed shows its last entries only: what
neither was collected in time nor stands on an older page cannot be asked for again. WordPress (wp-includes/class-wp.php,
WP::send_headers) answers "not modified" for a feed of posts by the posts alone, whatever was commented since: with
`comments`, the feed is asked for unconditionally.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.extraction import MOST_FEED, Extraction, extracted
from collectors.feeds import Entry, Feed, mended_date, parse_feed
from collectors.first_dates import FirstDates
from collectors.health import SourceProblem
from collectors.items import Kind, Manifestation
from collectors.network import site_of
from collectors.spiders.base import PlatformSpider, header
from collectors.spiders.feed_walk import Dated, Walk, lies_before

LOOKBACK = timedelta(days=60)
"""An article older than the window by this much is taken to gather no new comments."""

MAX_PAGES = 100
"""Documents of one feed, each with new entries and none wholly before the window: a feed that goes on like this has no end."""


class FeedOptions(PlatformOptions):
    """What an entry of this feed is."""

    entries: Literal["manifestation", "article", "official"] = Field(
        "article", description="manifestation: a person's message (comment and forum feeds); article or official: context."
    )
    comments: bool = Field(
        False, description="True: also read the feed of comments that each entry names; those are people's messages."
    )


class FeedSpider(PlatformSpider):
    """Reads one feed, its older pages as far as the window reaches, and, if asked, the comments of its entries."""

    Options: ClassVar[type[PlatformOptions]] = FeedOptions

    def __init__(self, **kwargs: Any) -> None:
        """Remember the dates of earlier visits."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.kind: Kind = options.entries
        self.with_comments: bool = options.comments
        self.dates = FirstDates(self.memory)
        self._comment_feeds: set[str] = set()
        self._told: Counter[str] = Counter()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the feed."""
        yield self._ask(Walk(self.source.url, self.kind), self.source.url, headers=self._conditions())

    def parse(self, response: Response, walk: Walk) -> Iterator[Manifestation | Request]:
        """Yield one item for each entry; a document that is no feed is a problem, not an empty source."""
        if not self.readable(response):
            return
        if walk.is_repeated(response.body):
            self.note("malformed", f"{response.url}: the same document as an earlier page; the walk ends there")
            return
        try:
            feed: Feed = extracted(response)
        except SourceProblem as problem:
            self.started_well &= len(walk.documents) > 1 or walk.parent_id is not None
            self.note(problem.reason, problem.detail)
            return
        for lost in feed.problems:
            self.note("malformed", f"{response.url}: {lost}")
        visit = self.published(header(response, "Date")) or self.city.clock or datetime.now(UTC)
        fresh = yield from self._entries(feed, walk, visit)
        if walk.parent_id is None:
            self._learn(feed, walk, response)
        yield from self._next_page(feed, walk, fresh)

    def _ask(self, walk: Walk, url: str, **kwargs: Any) -> Request:
        walk.documents.add(url)
        extraction = Extraction(parse_feed, most_bytes=MOST_FEED)
        return self.request(url, self.parse, extraction=extraction, cb_kwargs={"walk": walk}, **kwargs)

    def _conditions(self) -> dict[str, str]:
        """Return the headers of a conditional request; none if an unchanged first page would hide something."""
        reached = self.memory.recall(f"reached:{self.source.url}")
        if self.with_comments or (reached is not None and reached > self.period.start_utc.isoformat()):
            return {}
        return self.memory.conditions(self.source.url)

    def _learn(self, feed: Feed, walk: Walk, response: Response) -> None:
        """Remember the first document, if nothing of it was lost, and how far back the walk from it leads."""
        self.dates.learn()
        if len(walk.documents) == 1 and not feed.problems:
            self.memory.learn_validators(self.source.url, response)
            if feed.next_url is not None:
                self.memory.learn(f"reached:{self.source.url}", self.period.start_utc.isoformat())

    def facts(self) -> list[str]:
        """Return what was left out or cannot be seen, as far as it is no fault."""
        return [*super().facts(), *(f"{count:,} {what}" for what, count in sorted(self._told.items()) if count)]

    def _entries(self, feed: Feed, walk: Walk, visit: datetime) -> Generator[Manifestation | Request, None, int]:
        """Yield the items of a document and the requests for their comments; return how many were on no earlier one."""
        seen_before = len(walk.ids)
        dates = self.dates if walk.parent_id is None else None
        for entry, dated in walk.date_entries(feed, dates, visit=visit, parse=self._published):
            walk.ids.add(dated.native_id)
            self._told["entries dated by the moment of the visit, kept without a date"] += dated.of_visit
            if not entry.withheld:
                yield from self._item(entry, walk, dated)
            if self.with_comments and walk.parent_id is None:
                yield from self._comments(entry, dated)
        return len(walk.ids) - seen_before

    def _item(self, entry: Entry, walk: Walk, dated: Dated) -> Iterator[Manifestation]:
        yield from self.manifestation(
            kind=walk.kind,
            native_id=dated.native_id,
            parent_id=entry.parent or walk.parent_id,
            url=entry.link,
            author=entry.author,
            title=entry.title,
            text=entry.text,
            published_at=dated.published_at,
            published_raw=dated.raw,
            modified_at=self._published(dated.modified),
        )

    def _comments(self, entry: Entry, dated: Dated) -> Iterator[Request]:
        """Yield the request for the comments of an article that may have some in the window."""
        url, at = entry.comments_url, dated.published_at
        if url is None or entry.comment_count == 0 or url in self._comment_feeds:
            return
        if at is not None and not self.period.start_utc - LOOKBACK <= at < self.period.end_utc:
            return
        self._comment_feeds.add(url)
        if site_of(urlsplit(url).hostname or "") == site_of(self.source.host or ""):
            yield self._ask(Walk(url, "manifestation", parent_id=dated.native_id, most=entry.comment_count), url)
        else:
            self._told["feeds of comments on another host, not read"] += 1

    def _next_page(self, feed: Feed, walk: Walk, fresh: int) -> Iterator[Request]:
        """Yield the request for older entries, unless this document lies before the window or the pages go round in circles."""
        lookback = LOOKBACK if self.with_comments and walk.parent_id is None else timedelta(0)
        dates = [self._published(entry.published) for entry in feed.entries]
        behind = not feed.entries or lies_before(self.period.start_utc - lookback, dates)
        if feed.next_url is None and not behind and len(walk.ids) < (walk.most or 0):
            self._told["feeds of comments that show only the last ones of their article"] += 1
        if feed.next_url is None or behind:
            return
        if feed.next_url in walk.documents or not fresh:
            self.note("malformed", f"{feed.next_url}: older entries that were read already; the walk ends there")
        elif len(walk.documents) >= MAX_PAGES:
            self.note("malformed", f"{walk.url}: more than {MAX_PAGES} pages; older entries were not read")
        else:
            yield self._ask(walk, feed.next_url)

    def _published(self, raw: str | None) -> datetime | None:
        return self.published(mended_date(raw))
