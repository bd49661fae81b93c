"""HTML sites: an index of articles or topics, each with a thread of comments that are the manifestations.

Three kinds of markup are known: `comment_list` (the list that WordPress themes print since 2.7, `wp_list_comments`),
`microdata` (schema.org/Comment), and `selectors`, given in the city's file for a site that has neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, ClassVar, Literal, NamedTuple, Self
from urllib.parse import urldefrag, urlsplit

from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.digests import Digests
from collectors.extraction import Extraction, extracted
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.network import site_of
from collectors.spiders.base import PlatformSpider, row_id
from collectors.spiders.page_markup import (
    MARKUPS,
    ArticleSelectors,
    CommentFound,
    CommentSelectors,
    IndexFound,
    Markup,
    ThreadFound,
    read_index,
    read_thread,
)
from collectors.values import parse_count

LOOKBACK = timedelta(days=60)
"""An article older than the window by this much is taken to gather no new comments; the index is left there."""

MOST_CHECKED = 5_000
"""Comments whose ids are compared with those of other articles."""

MUCH_TEXT = 500
"""Characters that a page shows, from which on it is a fault to find neither title nor date nor text nor comment in it."""


class PageOptions(PlatformOptions):
    """How the site is written: a markup known by name, or selectors."""

    markup: Literal["comment_list", "microdata", "selectors"] = Field(description="`selectors` needs article_links and comment.")
    article_links: str | None = Field(None, description="CSS of the links to articles or topics on an index page.")
    next_page: str | None = Field(None, description="CSS of the link to the next index page.")
    article: ArticleSelectors | None = None
    comment: CommentSelectors | None = None
    more_comments: str | None = Field(None, description="CSS of the link to the next page of a thread.")
    date_order: Literal["day_first", "month_first", "year_first"] = "day_first"
    ids: Literal["site", "thread"] = Field(
        "site", description="Where the id of a comment is its own: in the whole site, or only within one article or topic."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.markup == "selectors" and (self.article_links is None or self.comment is None):
            raise ValueError("markup `selectors` needs article_links and comment")
        return self

    def resolved(self) -> Markup:
        """Return the markup: the named one, with whatever the file gives itself on top."""
        given = self.model_dump(exclude_none=True, exclude={"markup", "date_order", "ids"})
        known = MARKUPS.get(self.markup)
        return Markup.model_validate({**(known.model_dump() if known else {}), **given})


@dataclass
class IndexPage:
    """An index page under way: the next one is asked for only when its articles are read and one is recent enough."""

    next_url: str | None
    pending: int
    newest: datetime | None = None
    undated: bool = field(default=False)


class Thread(NamedTuple):
    """An article and its comments, of which further pages may follow."""

    url: str
    place: str
    """The address under which the index lists it."""

    at: str
    """Date of the article (ISO 8601); "" if it has none."""


class PageSpider(PlatformSpider):
    """Walks index -> articles -> thread pages, newest first, and stops where the articles are long before the window."""

    Options: ClassVar[type[PlatformOptions]] = PageOptions
    FOLLOWS_LINKS: ClassVar[bool] = True

    def __init__(self, **kwargs: Any) -> None:
        """Resolve the markup once."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.markup: Markup = options.resolved()
        index = {"articles": self.markup.article_links, "following": self.markup.next_page}
        self._index_extraction = Extraction(read_index, index)
        self._thread_extraction = Extraction(read_thread, {"markup": self.markup.model_dump()})
        self.date_order: str = options.date_order
        self.ids_of_thread: bool = options.ids == "thread"
        self._seen: Counter[str] = Counter()
        self._first_place: dict[str, tuple[str, int]] = {}
        self._told_of_ids = False
        self._asked = Digests()
        self._found_articles = False

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first index page."""
        self._is_new(self.source.url)
        yield self.request(self.source.url, self.parse_index, extraction=self._index_extraction)

    def parse_index(self, response: Response) -> Iterator[Request]:
        """Ask for each article of an index page."""
        index_found: IndexFound | None = self.read(response)
        if index_found is None:
            return
        found, following = index_found
        if not found:
            self.started_well = self._found_articles
            self.note("malformed", f"{response.url}: no link matches {self.markup.article_links!r}")
        here = self._of_this_site(response, found)
        if found and not here:
            self.started_well = self._found_articles
            hosts = sorted({urlsplit(response.urljoin(href)).hostname or "" for href in found})
            self.note("malformed", f"{response.url}: every link to an article leads to another host: {', '.join(hosts[:3])}")
        self._found_articles |= bool(here)
        # Newer articles push old ones to the next page, so some may be known.
        links = [url for url in here if self._is_new(url)]
        index = IndexPage(response.urljoin(following) if following else None, pending=len(links))
        for url in links:
            if self._passed(url, index):
                continue
            known: dict[str, Any] = {"cb_kwargs": {"index": index, "place": url}, "meta": {"index": index}}
            extraction = self._thread_extraction
            yield self.request(url, self.parse_article, extraction=extraction, errback=self._article_failed, **known)
        if found and index.pending == 0:
            yield from self._next_index(index)

    def _passed(self, url: str, index: IndexPage) -> bool:
        """Tell whether an earlier attempt at this window has read an article whole."""
        passage = self.frontier.passed(url)
        if passage is None:
            return False
        self._date(index, self.published(passage.facts["at"]))
        index.pending -= 1
        return True

    def _date(self, index: IndexPage, at: datetime | None) -> None:
        index.undated |= at is None
        index.newest = max(filter(None, (index.newest, at)), default=None)

    def _of_this_site(self, response: Response, found: list[str]) -> list[str]:
        """Return the addresses that are of this site."""
        links = [urldefrag(response.urljoin(href)).url for href in found]
        site = site_of(self.source.host or "")
        return [url for url in links if site_of(urlsplit(url).hostname or "") == site]

    def _is_new(self, url: str) -> bool:
        """Tell whether an address comes up for the first time, and remember it."""
        return self._asked.add(url)

    def parse_article(self, response: Response, index: IndexPage, place: str) -> Iterator[Manifestation | Request]:
        """Yield the article as context and its thread as manifestations."""
        if self.readable(response):
            try:
                found = self._thread_of(response)
                published = self.published(found.raw, order=self.date_order)
                self._date(index, published)
                address = self.own_address(found.declared, response.url)
                thread = Thread(address, place, published.isoformat() if published else "")
                yield from self.frontier.reading(place, self, self._article(found, address, published))
                yield from self._thread(found, response, thread)
            except SourceProblem as problem:
                self.note(problem.reason, f"{response.url}: {problem.detail}")
            except ValueError as error:
                # One article that cannot be parsed must not keep the next index page from being asked for.
                self.note("parse_error", f"{response.url}: {type(error).__name__}")
        yield from self._article_done(index)

    def _thread_of(self, response: Response) -> ThreadFound:
        """Return what a page holds, and tell what of it is lost.

        Raises:
            SourceProblem, UnreadableError: if nothing of it can be read.
        """
        found: ThreadFound = extracted(response)
        if found.unreadable:
            self.note("malformed", f"{response.url}: {found.unreadable} comments whose markup cannot be read")
        if found.unread_characters >= MUCH_TEXT:
            self.note("extract_empty", f"{response.url}: {found.unread_characters:,} characters of text, and nothing found in it")
        return found

    def _article(self, found: ThreadFound, url: str, published: datetime | None) -> Iterator[Manifestation]:
        if found.text is not None:
            yield from self.manifestation(
                kind="official" if self.source.publisher.official else "article",
                native_id=f"article:{url}",
                url=url,
                title=found.title,
                text=found.text,
                published_at=published,
                published_raw=found.raw,
            )

    def parse_thread(self, response: Response, thread: Thread) -> Iterator[Manifestation | Request]:
        """Yield each comment of a further page of a thread."""
        if not self.readable(response):
            return
        try:
            yield from self._thread(self._thread_of(response), response, thread)
        except SourceProblem as problem:
            self.note(problem.reason, f"{response.url}: {problem.detail}")

    def _thread(self, found: ThreadFound, response: Response, thread: Thread) -> Iterator[Manifestation | Request]:
        """Yield the comments of a page and ask for the next page of the thread."""
        comments = chain.from_iterable(self._comment(one, response.url, thread.url) for one in found.comments)
        yield from self.frontier.reading(thread.place, self, comments)
        following = response.urljoin(found.following) if found.following else None
        if following and self._is_new(following):
            about = {"thread": thread}
            yield self.request(following, self.parse_thread, extraction=self._thread_extraction, cb_kwargs=about)
        else:
            self.frontier.finish(thread.place, at=thread.at)

    def _comment(self, found: CommentFound, page_url: str, article_url: str) -> Iterator[Manifestation]:
        if found.id and not self.ids_of_thread:
            self._check_id(found.id, found.text, article_url)
        own_id = self._identity(found.id, article_url)
        yield from self.manifestation(
            native_id=own_id or row_id(self._seen, place=article_url, raw=found.raw, text=found.text),
            parent_id=self._identity(found.parent, article_url) or f"article:{article_url}",
            url=f"{page_url.split('#')[0]}#{found.id}" if found.id else None,
            author=found.author,
            text=found.text,
            published_at=self.published(found.raw, order=self.date_order),
            published_raw=found.raw,
            reactions=parse_count(found.reactions),
        )

    def _identity(self, comment_id: str | None, article_url: str) -> str | None:
        """Return the id of a comment as one of the whole site; None if it has none."""
        if not comment_id or not self.ids_of_thread:
            return comment_id
        parts = urlsplit(article_url)
        place = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return f"{place}#{comment_id}"

    def _check_id(self, comment_id: str, text: str, article_url: str) -> None:
        """Tell, once, of an id that stands under two articles with different words: people would be taken for one another.

        Ids that begin anew in each thread meet early, so not all of them need to be remembered.
        """
        if self._told_of_ids or (len(self._first_place) >= MOST_CHECKED and comment_id not in self._first_place):
            return
        place, digest = self._first_place.setdefault(comment_id, (article_url, hash(text)))
        if place == article_url or digest == hash(text):
            return
        self._told_of_ids = True
        remedy = "if ids are unique only within an article, write `ids: thread` in the options of the source"
        both = " and ".join(sorted((place, article_url)))
        self.note("malformed", f"{both}: two different comments with one id; {remedy}")

    def _article_failed(self, failure: Any) -> Iterator[Request]:
        self.note_failure(failure)
        yield from self._article_done(failure.request.meta["index"])

    def _article_done(self, index: IndexPage) -> Iterator[Request]:
        index.pending -= 1
        yield from self._next_index(index)

    def _next_index(self, index: IndexPage) -> Iterator[Request]:
        recent = index.undated or index.newest is None or index.newest >= self.period.start_utc - LOOKBACK
        if index.pending == 0 and index.next_url and recent and self._is_new(index.next_url):
            yield self.request(index.next_url, self.parse_index, extraction=self._index_extraction)
