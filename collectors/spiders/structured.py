"""Sites that embed their comments as schema.org data: JSON-LD, microdata or RDFa Lite, whichever of them tells the most.

Facts from schema.org, the HTML standard (microdata), JSON-LD 1.1 and RDFa Lite 1.1: see `collectors.schema_org`. Articles are
found on an index page, in a feed (RSS, Atom, JSON Feed) or in the sitemap (sitemaps.org/protocol.html), on this site only.
No date can be asked for: articles older than the window by `LOOKBACK` are left alone, the rest is read and cut later. A page
may tell of more comments (`commentCount`) than it embeds: those are not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, NamedTuple, Self
from urllib.parse import urldefrag, urlsplit

from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import Closed, PlatformOptions, WebAddress
from collectors.dates import parse_epoch
from collectors.extraction import MOST_DATA, MOST_FEED, Extraction, extracted
from collectors.feeds import Feed, parse_feed
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.links import without_trackers
from collectors.network import site_of
from collectors.schema_org import Document, Message, Thread, place_of, read_document
from collectors.sitemaps import Sitemap, read_sitemap
from collectors.spiders.base import PlatformSpider, row_id
from collectors.spiders.page_markup import IndexFound, read_index

SITEMAP = Extraction(read_sitemap, most_bytes=MOST_DATA)

LOOKBACK = timedelta(days=60)
"""An article older than the window by this much is taken to gather no new comments."""


class ArticlesFrom(Closed):
    """Where the articles are found: one of the three."""

    css: str | None = Field(None, description="CSS of the links to articles on the source's page.")
    next_page: str | None = Field(None, description="With css: CSS of the link to the next index page.")
    feed: WebAddress | None = Field(None, description="Address of a feed of the articles, on this site.")
    sitemap: WebAddress | None = Field(None, description="Address of a sitemap or an index of sitemaps, on this site.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [self.css is not None, self.feed is not None, self.sitemap is not None].count(True) != 1:
            raise ValueError("give exactly one of css, feed, sitemap")
        if self.next_page is not None and self.css is None:
            raise ValueError("next_page goes with css")
        return self


class StructuredOptions(PlatformOptions):
    """Where the articles are, and how a thread goes on."""

    articles: ArticlesFrom | None = Field(None, description="Where articles are found; without it, the source's page is the one.")
    more_comments: str | None = Field(None, description="CSS of the link to the next page of a thread.")
    date_order: Literal["day_first", "month_first", "year_first"] = "day_first"


@dataclass
class Listing:
    """A page of addresses under way: the next one is asked for when its articles are read and one is recent enough."""

    pending: int = 0
    next_url: str | None = None
    newest: datetime | None = None
    undated: bool = False


class Candidate(NamedTuple):
    """The address of an article, and the date that goes with it where it was found."""

    url: str
    at: datetime | None


class Article(NamedTuple):
    """An article whose messages may go on on further pages."""

    url: str
    place: str
    """The address under which it was found."""

    newest: str = ""
    """The newest date on its first page (ISO 8601); "" if there is none."""

    empty: Literal["yes", "no"] = "yes"
    """Whether its first page embeds nothing."""


class StructuredSpider(PlatformSpider):
    """Walks articles -> embedded data of each."""

    Options: ClassVar[type[PlatformOptions]] = StructuredOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing asked."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options = options
        self._asked: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._has_data = self._told = False
        self._pages = self._without_data = 0
        # Larger than other pages: one that embeds its thread tells it twice.
        self._page_extraction = Extraction(read_document, {"following": options.more_comments}, most_bytes=MOST_DATA)

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the list of articles, or for the one page."""
        articles = self.options.articles
        if articles is None:
            for request in self._ask_articles([Candidate(self.source.url, None)], Listing()):
                yield request
        elif articles.css:
            self._asked.add(self.source.url)
            yield self._ask_index(self.source.url)
        elif articles.feed:
            yield self.request(articles.feed, self.parse_feed, extraction=Extraction(parse_feed, most_bytes=MOST_FEED))
        else:
            self._asked.add(articles.sitemap)
            yield self.request(articles.sitemap, self.parse_sitemap, extraction=SITEMAP)

    def _ask_index(self, url: str) -> Request:
        css = self.options.articles
        extraction = Extraction(read_index, {"articles": css.css, "following": css.next_page})
        return self.request(url, self.parse_index, extraction=extraction)

    def parse_index(self, response: Response) -> Iterator[Request]:
        """Ask for the articles that an index page links to."""
        index: IndexFound | None = self.read(response)
        if index is None:
            return
        if not index.articles:
            self._nothing_found(f"{response.url}: no link matches {self.options.articles.css!r}")
        found = [Candidate(url, None) for link in index.articles if (url := _joined(response, link))]
        yield from self._ask_articles(found, Listing(next_url=_joined(response, index.following)))

    def parse_feed(self, response: Response) -> Iterator[Request]:
        """Ask for the articles of a feed that may have gathered comments in the window."""
        if not self.readable(response):
            return
        try:
            feed: Feed = extracted(response)
        except SourceProblem as problem:
            self._nothing_found(problem.detail)
            return
        found = [Candidate(entry.link, self.published(entry.published)) for entry in feed.entries if entry.link]
        later = [one for one in found if one.at is None or one.at < self.period.end_utc]
        yield from self._ask_articles(later if found else [], Listing())

    def parse_sitemap(self, response: Response) -> Iterator[Request]:
        """Ask for the pages and sitemaps that a sitemap lists, those that changed last first."""
        if not self.readable(response):
            return
        try:
            sitemap: Sitemap = extracted(response)
        except SourceProblem as problem:
            self._nothing_found(problem.detail)
            return
        if sitemap.cut:
            self.note("malformed", f"{response.url}: longer than a sitemap may be, or broken; read in part")
        inner = [Candidate(one.url, self.published(one.raw)) for one in sitemap.sitemaps]
        for one in self._of_interest(inner):
            yield self.request(one.url, self.parse_sitemap, extraction=SITEMAP, priority=self._priority(one.at))
        yield from self._ask_articles([Candidate(one.url, self.published(one.raw)) for one in sitemap.pages], Listing())

    def facts(self) -> list[str]:
        """Return how many pages have nothing that this platform reads, where others have."""
        some = self._has_data and self._without_data
        return [*super().facts(), *([f"{self._without_data:,} of {self._pages:,} pages without schema.org data"] if some else [])]

    def _nothing_found(self, detail: str) -> None:
        self.started_well = self._has_data
        self.note("malformed", detail)

    def _of_interest(self, found: list[Candidate]) -> Iterator[Candidate]:
        """Yield the addresses of this site that are new and not long before the window."""
        here = [one for one in found if site_of(_host(one.url)) == site_of(self.source.host or "")]
        if found and not here:
            hosts = ", ".join(sorted({_host(one.url) for one in found})[:3])
            self._nothing_found(f"every address leads to another host than the source's: {hosts}")
        for one in here:
            url = urldefrag(without_trackers(one.url) or "").url
            if url not in self._asked and not (one.at is not None and one.at < self.period.start_utc - LOOKBACK):
                self._asked.add(url)
                yield Candidate(url, one.at)

    def _ask_articles(self, found: list[Candidate], listing: Listing) -> Iterator[Request]:
        chosen = list(self._of_interest(found))
        listing.pending = len(chosen)
        for place, one in enumerate(chosen):
            if self._passed(one.url, listing):
                continue
            known: dict[str, Any] = {"cb_kwargs": {"listing": listing, "place": one.url}, "meta": {"listing": listing}}
            known |= {"errback": self._article_failed, "extraction": self._page_extraction}
            # Undated ones in the order in which they stand, which Scrapy would turn round.
            priority = self._priority(one.at) if one.at is not None else -place
            yield self.request(one.url, self.parse_article, priority=priority, **known)
        if listing.pending == 0 and found:
            yield from self._next_index(listing)

    def _passed(self, url: str, listing: Listing) -> bool:
        """Tell whether an earlier attempt at this window has read an article whole."""
        passage = self.frontier.passed(url)
        if passage is None:
            return False
        at = self._date(passage.facts["newest"])
        listing.undated |= at is None
        listing.newest = max(filter(None, (listing.newest, at)), default=None)
        listing.pending -= 1
        self._pages += 1
        self._has_data |= passage.facts["empty"] == "no"
        self._without_data += passage.facts["empty"] == "yes"
        return True

    def _priority(self, at: datetime | None) -> int:
        """Return the minute of a date: the newest is asked for first, what is undated after all others."""
        return int(at.timestamp() // 60) if at is not None else 0

    def parse_article(self, response: Response, listing: Listing, place: str) -> Iterator[Manifestation | Request]:
        """Yield the article as context and the messages that its page embeds."""
        if self.readable(response):
            try:
                yield from self._page(response, Article(urldefrag(response.url).url, place), listing)
            except SourceProblem as problem:
                self.note(problem.reason, f"{response.url}: {problem.detail}")
            except ValueError as error:
                # One article that cannot be parsed must not keep the next index page from being asked for.
                self.note("parse_error", f"{response.url}: {type(error).__name__}")
        listing.pending -= 1
        yield from self._next_index(listing)

    def parse_more(self, response: Response, article: Article) -> Iterator[Manifestation | Request]:
        """Yield the messages of a further page of a thread."""
        if not self.readable(response):
            return
        try:
            yield from self._page(response, article, None)
        except SourceProblem as problem:
            self.note(problem.reason, f"{response.url}: {problem.detail}")

    def _article_failed(self, failure: Any) -> Iterator[Request]:
        self.note_failure(failure)
        listing = failure.request.meta["listing"]
        listing.pending -= 1
        yield from self._next_index(listing)

    def _next_index(self, listing: Listing) -> Iterator[Request]:
        if listing.pending > 0:
            return
        if self._pages and not self._has_data and not self._told:
            self._told = True
            self._nothing_found(f"{self.source.url}: none of the pages read so far embeds schema.org data")
        recent = listing.undated or listing.newest is None or listing.newest >= self.period.start_utc - LOOKBACK
        if listing.next_url and recent and listing.next_url not in self._asked:
            self._asked.add(listing.next_url)
            yield self._ask_index(listing.next_url)

    def _page(self, response: Response, article: Article, listing: Listing | None) -> Iterator[Manifestation | Request]:
        document: Document = extracted(response)
        thread, problems, is_empty = document.data
        self._has_data |= not is_empty
        self._without_data += is_empty
        self._pages += 1
        for problem in problems:
            self.note("malformed", f"{response.url}: {problem}")
        dates = [self._date(message.published) for message in thread.messages]
        if listing is not None:
            at = self._date(thread.article.published) if thread.article else None
            listing.undated |= at is None and not any(dates)
            newest = max(filter(None, (at, *dates)), default=None)
            listing.newest = max(filter(None, (listing.newest, newest)), default=None)
            article = Article(
                url=self.own_address(document.declared, article.url),
                place=article.place,
                newest=newest.isoformat() if newest else "",
                empty="yes" if is_empty else "no",
            )
            yield from self.frontier.reading(article.place, self, self._article(thread.article, article.url))
        yield from self.frontier.reading(article.place, self, self._messages(thread, article.url))
        following = _joined(response, document.following)
        if following and following not in self._asked:
            self._asked.add(following)
            about = {"article": article}
            yield self.request(following, self.parse_more, extraction=self._page_extraction, cb_kwargs=about)
        else:
            self.frontier.finish(article.place, newest=article.newest, empty=article.empty)

    def _article(self, article: Message | None, url: str) -> Iterator[Manifestation]:
        if article is not None and article.text:
            yield from self.manifestation(
                kind="official" if self.source.publisher.official else "article",
                native_id=f"article:{url}",
                url=url,
                title=article.title,
                text=article.text,
                published_at=self._date(article.published),
                published_raw=article.published,
                modified_at=self._date(article.modified),
            )

    def _messages(self, thread: Thread, article_url: str) -> Iterator[Manifestation]:
        ids = [self._identity(message, article_url) for message in thread.messages]
        opening = next((message for message in thread.messages if message.opens), None)
        title = next((one.title for one in (opening, thread.article) if one is not None), None)
        for message, native_id in zip(thread.messages, ids, strict=True):
            if message.withheld:
                continue
            above = None if message is opening else f"article:{article_url}"
            yield from self.manifestation(
                native_id=native_id,
                parent_id=ids[message.parent] if message.parent is not None else above,
                url=message.url or (f"{article_url}{message.key}" if (message.key or "").startswith("#") else article_url),
                author=message.author,
                title=title,
                text=message.text,
                published_at=self._date(message.published),
                published_raw=message.published,
                modified_at=self._date(message.modified),
                reactions=message.reactions,
            )

    def _identity(self, message: Message, article_url: str) -> str | None:
        """Return the id of a message as one of the whole site."""
        if message.key is not None:
            return f"{place_of(article_url)}{message.key}" if message.key.startswith("#") else message.key
        if message.withheld:
            return None
        return row_id(self._seen, place=article_url, raw=message.published, text=message.text)

    def _date(self, raw: str | None) -> datetime | None:
        if raw is not None and raw.isdecimal():
            return parse_epoch(raw)
        return self.published(raw, order=self.options.date_order)


def _joined(response: Response, href: str | None) -> str | None:
    """Return an address without fragment, relative to the page; None if there is none, or it is no address at all."""
    try:
        return urldefrag(response.urljoin(href.strip())).url if href else None
    except ValueError:
        return None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
