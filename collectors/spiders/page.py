"""HTML sites: an index of articles or topics, each with a thread of comments that are the manifestations.

Three kinds of markup are known: `comment_list` (the list that WordPress themes print since 2.7, `wp_list_comments`),
`microdata` (schema.org/Comment), and `selectors`, given in the city's file for a site that has neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, NamedTuple, Self
from urllib.parse import urldefrag, urlsplit

from parsel import Selector
from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import Closed, PlatformOptions
from collectors.items import Manifestation
from collectors.network import site_of
from collectors.spiders.base import PlatformSpider, html_page, parse_count, row_id
from collectors.text import html_to_text

LOOKBACK = timedelta(days=60)
"""An article older than the window by this much is taken to gather no new comments; the index is left there."""


class ArticleSelectors(Closed):
    """Where an article shows what it is. A selector is CSS; `css@attribute` takes an attribute instead of the text."""

    title: str = Field("h1", description="Headline or topic.")
    date: str | None = Field(None, description="Date of the article.")
    body: str | None = Field(None, description="Text of the article; none for a forum topic.")


class CommentSelectors(Closed):
    """Where a comment shows what it is; each selector is looked up inside the comment, its answers left out."""

    item: str = Field(description="One comment, nested answers included.")
    text: str
    author: str | None = None
    date: str | None = None
    id: str = Field(default="@id", description="`@attribute` alone is an attribute of the comment itself.")
    parent: str | None = Field(default=None, description="Id of the comment answered; without it, the comment around this one.")
    reactions: str | None = None


class Markup(Closed):
    """How a site writes its index, its articles and its threads."""

    article_links: str
    next_page: str | None = None
    article: ArticleSelectors = Field(default_factory=lambda: ArticleSelectors.model_validate({}))
    comment: CommentSelectors
    more_comments: str | None = None


MARKUPS: dict[str, Markup] = {
    "comment_list": Markup(
        article_links="article h2 a, article h3 a, .entry-title a",
        next_page="a.next, a[rel=next]",
        article=ArticleSelectors(title="h1", date="article time@datetime", body="article .entry-content"),
        comment=CommentSelectors(
            item="li.comment",
            text=".comment-content",
            author="cite.fn, .comment-author .fn",
            date="time@datetime",
        ),
        more_comments=".comment-navigation a.next, a.next-comments",
    ),
    "microdata": Markup(
        article_links="a[itemprop=url], article h2 a",
        next_page="a[rel=next]",
        article=ArticleSelectors(
            title="[itemprop=headline], h1", date="[itemprop=datePublished]@datetime", body="[itemprop=articleBody]"
        ),
        comment=CommentSelectors(
            item="[itemtype$='schema.org/Comment']",
            text="[itemprop=text]",
            author="[itemprop=author] [itemprop=name], [itemprop=author]",
            date="[itemprop=dateCreated]@datetime, [itemprop=datePublished]@datetime",
            reactions="[itemprop=upvoteCount]",
        ),
        more_comments="a[rel~=next][class~=comments]",
    ),
}
"""Markup known by name."""


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
        self.date_order: str = options.date_order
        self.ids_of_thread: bool = options.ids == "thread"
        self._seen: Counter[str] = Counter()
        self._first_place: dict[str, tuple[str, int]] = {}
        self._told_of_ids = False
        self._asked: set[str] = set()
        self._found_articles = False

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first index page."""
        self._is_new(self.source.url)
        yield self.request(self.source.url, self.parse_index)

    def parse_index(self, response: Response) -> Iterator[Request]:
        """Ask for each article of an index page."""
        if not self.readable(response):
            return
        page = html_page(response)
        found = page.css(self.markup.article_links).xpath("@href").getall()
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
        following = page.css(self.markup.next_page).xpath("@href").get() if self.markup.next_page else None
        index = IndexPage(response.urljoin(following) if following else None, pending=len(links))
        for url in links:
            if self._passed(url, index):
                continue
            known = {"cb_kwargs": {"index": index, "place": url}, "meta": {"index": index}}
            yield self.request(url, self.parse_article, errback=self._article_failed, **known)
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
        new = url not in self._asked
        self._asked.add(url)
        return new

    def parse_article(self, response: Response, index: IndexPage, place: str) -> Iterator[Manifestation | Request]:
        """Yield the article as context and its thread as manifestations."""
        if self.readable(response):
            try:
                page = html_page(response)
                raw = _pick(page, self.markup.article.date)
                published = self.published(raw, order=self.date_order)
                self._date(index, published)
                thread = Thread(self.own_address(page, response.url), place, published.isoformat() if published else "")
                yield from self.frontier.reading(place, self, self._article(thread.url, page, raw, published))
                yield from self.parse_thread(response, thread)
            except ValueError as error:
                # One article that cannot be parsed must not keep the next index page from being asked for.
                self.note("parse_error", f"{response.url}: {type(error).__name__}")
        yield from self._article_done(index)

    def _article(self, url: str, page: Selector, raw: str | None, published: datetime | None) -> Iterator[Manifestation]:
        article = self.markup.article
        body = _markup_of(page, article.body) if article.body else ""
        if body:
            yield from self.manifestation(
                kind="official" if self.source.publisher.official else "article",
                native_id=f"article:{url}",
                url=url,
                title=_pick(page, article.title),
                text=html_to_text(body),
                published_at=published,
                published_raw=raw,
            )

    def parse_thread(self, response: Response, thread: Thread) -> Iterator[Manifestation | Request]:
        """Yield each comment of a thread page and ask for the next page of the thread."""
        if not self.readable(response):
            return
        page = html_page(response)
        yield from self.frontier.reading(thread.place, self, self._comments(page, response.url, thread.url))
        following = page.css(self.markup.more_comments).xpath("@href").get() if self.markup.more_comments else None
        if following and self._is_new(response.urljoin(following)):
            yield self.request(response.urljoin(following), self.parse_thread, cb_kwargs={"thread": thread})
        else:
            self.frontier.finish(thread.place, at=thread.at)

    def _comments(self, page: Selector, page_url: str, article_url: str) -> Iterator[Manifestation]:
        items = page.css(self.markup.comment.item)
        identities = {id(item.root) for item in items}
        for item in items:
            yield from self._comment(item, page_url, article_url, identities)

    def _comment(self, item: Selector, page_url: str, article_url: str, items: set[int]) -> Iterator[Manifestation]:
        known = self.markup.comment
        native_id = _own(item, known.id, items)
        raw = _own(item, known.date, items)
        parent = _own(item, known.parent, items) if known.parent else _around(item, known, items)
        text = html_to_text(_own_markup(item, known.text, items))
        if native_id and not self.ids_of_thread:
            self._check_id(native_id, text, article_url)
        yield from self.manifestation(
            native_id=self._identity(native_id, article_url) or row_id(self._seen, place=article_url, raw=raw, text=text),
            parent_id=self._identity(parent, article_url) or f"article:{article_url}",
            url=f"{page_url.split('#')[0]}#{native_id}" if native_id else None,
            author=_own(item, known.author, items),
            text=text,
            published_at=self.published(raw, order=self.date_order),
            published_raw=raw,
            reactions=parse_count(_own(item, known.reactions, items)),
        )

    def _identity(self, comment_id: str | None, article_url: str) -> str | None:
        """Return the id of a comment as one of the whole site; None if it has none."""
        if not comment_id or not self.ids_of_thread:
            return comment_id
        parts = urlsplit(article_url)
        place = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return f"{place}#{comment_id}"

    def _check_id(self, comment_id: str, text: str, article_url: str) -> None:
        """Tell, once, of an id that stands under two articles with different words: people would be taken for one another."""
        place, digest = self._first_place.setdefault(comment_id, (article_url, hash(text)))
        if self._told_of_ids or place == article_url or digest == hash(text):
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
            yield self.request(index.next_url, self.parse_index)


def _pick(scope: Selector, selector: str | None) -> str | None:
    """Return the first value of `css`, `css@attribute` or `@attribute`; alternatives are separated by commas."""
    return _first_value(_nodes(scope, selector))


def _first_value(nodes: Iterator[tuple[Selector, str | None]]) -> str | None:
    for node, attribute in nodes:
        value = node.attrib.get(attribute) if attribute else html_to_text(node.get())
        if value and value.strip():
            return " ".join(value.split())
    return None


def _nodes(scope: Selector, selector: str | None) -> Iterator[tuple[Selector, str | None]]:
    for alternative in (selector or "").split(","):
        css, _, attribute = alternative.strip().partition("@")
        if css or attribute:
            for node in scope.css(css) if css else [scope]:
                yield node, attribute or None


def _own_nodes(item: Selector, selector: str | None, items: set[int]) -> Iterator[tuple[Selector, str | None]]:
    """Yield the matches that belong to this comment and not to an answer nested in it."""
    for node, attribute in _nodes(item, selector):
        around: Any = node.root
        while around is not None and id(around) not in items:
            around = around.getparent()
        if around is item.root:
            yield node, attribute


def _own(item: Selector, selector: str | None, items: set[int]) -> str | None:
    return _first_value(_own_nodes(item, selector, items))


def _own_markup(item: Selector, selector: str, items: set[int]) -> str:
    node = next((node for node, _ in _own_nodes(item, selector, items)), None)
    return str(node.get()) if node is not None else ""


def _markup_of(page: Selector, selector: str) -> str:
    return page.css(selector).get() or ""


def _around(item: Selector, known: CommentSelectors, items: set[int]) -> str | None:
    """Return the id of the comment that this one is nested in, or None."""
    around: Any = item.root.getparent()
    while around is not None and id(around) not in items:
        around = around.getparent()
    return around.get(known.id.partition("@")[2]) if around is not None else None
