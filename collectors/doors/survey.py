"""One look at a site as a sequence of few questions: what an answer tells, and what is worth asking next; pure.

The spider asks (see `spider`), this reads. Nothing is concluded from a mark alone where one question can tell: an engine is
known by what its page shows, and its door by what its interface answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy.http import Response

from collectors.doors.documents import document_doors
from collectors.doors.engines import ENGINE_QUESTIONS, forum_doors
from collectors.doors.model import Door, Look, Rank
from collectors.doors.pages import Page
from collectors.doors.services import disqus_door
from collectors.feeds import Feed, parse_feed
from collectors.health import SourceProblem
from collectors.network import site_of
from collectors.schema_org import read_page
from collectors.spiders.base import header
from collectors.spiders.page_markup import MARKUPS

MOST_FEEDS, MOST_ARTICLES = 3, 2


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to ask for, and what reads the answer: it returns what to tell of it."""

    url: str
    read: Callable[[Response], str]
    json: Any = None
    """Sent as the body of a POST; None for a GET."""


class Survey:
    """What is known of a site so far, and what is still to be asked."""

    def __init__(self, look: Look) -> None:
        """Start with nothing asked."""
        self.look = look
        self.pending: deque[Question] = deque()
        self.sitemaps: Sequence[str] = ()
        """Sitemaps of this site that its robots.txt names."""

        self.enough = False
        """True once an API tells people's messages: nothing better can be found."""

        self._front: Page | None = None
        self._articles: list[str] = []
        self._feed: str | None = None
        self._told_unread: set[str] = set()

    @property
    def has_front(self) -> bool:
        """True once the page that was given was read."""
        return self._front is not None

    @property
    def front(self) -> Page:
        """The page that was given.

        Raises:
            RuntimeError: if it was not read yet.
        """
        if self._front is None:
            raise RuntimeError("the page that was given was not read yet")
        return self._front

    def add(self, door: Door) -> None:
        """Keep a door."""
        self.look.doors.append(door)

    def ask(self, url: str, read: Callable[[Response], str], *, json: Any = None, next_one: bool = False) -> None:
        """Put a question at the end of the line, or at its head if it is to be the next one."""
        question = Question(url=url, read=read, json=json)
        self.pending.appendleft(question) if next_one else self.pending.append(question)

    def next_question(self) -> Question | None:
        """Return what to ask next; None if nothing is left that could tell more."""
        if not self.pending and not self.enough and self._articles:
            address = self._articles.pop(0)
            return Question(url=address, read=self.read_article)
        return self.pending.popleft() if self.pending and not self.enough else None

    def read_front(self, response: Response) -> str:
        """Read the page that was given; return what to tell of it."""
        page = self._front = Page(response)
        self.look.url = response.url
        if not page.is_html:
            return self._read_document(response)
        self.look.title, self.look.terms = page.title, page.terms
        shown = list(page.engines())
        for engine, mark in shown:
            if engine in ENGINE_QUESTIONS:
                ENGINE_QUESTIONS[engine](self, mark)
            else:
                for door in forum_doors(engine, page, mark):
                    self.add(door)
        if page.generator and not shown:
            self.look.remarks.append(f"generator: {page.generator}")
        self._read_thread(page, of_front=True)
        for feed in page.feeds[:MOST_FEEDS]:
            self.ask(feed.url, self.read_feed(of_comments=feed.of_comments))
        if not any(door.rank == Rank.FORUM for door in self.look.doors):
            self._articles = page.articles[:MOST_ARTICLES]
        return f"a page{f' called “{page.title}”' if page.title else ''}" + (f"; {shown[0][1]}" if shown else "")

    def _read_document(self, response: Response) -> str:
        try:
            feed = parse_feed(response.body, url=response.url, content_type=header(response, "Content-Type"))
        except SourceProblem:
            doors = document_doors(response)
            self.look.doors += doors
            return doors[0].evidence[0] if doors else "neither a page nor a feed nor a table"
        words = urlsplit(response.url).path.lower()
        return self._take_feed(feed, response.url, of_comments="comment" in words or "comentario" in words)

    def read_feed(self, *, of_comments: bool) -> Callable[[Response], str]:
        """Return what reads a feed that a page names."""

        def read(response: Response) -> str:
            if response.status >= 400:
                return f"HTTP {response.status}"
            try:
                feed = parse_feed(response.body, url=response.url, content_type=header(response, "Content-Type"))
            except SourceProblem:
                return "not a readable feed"
            return self._take_feed(feed, response.url, of_comments=of_comments)

        return read

    def _take_feed(self, feed: Feed, url: str, *, of_comments: bool) -> str:
        count = len(feed.entries)
        of_comments = of_comments or (count > 0 and all("#comment" in (entry.link or "") for entry in feed.entries))
        if of_comments:
            told = f"a feed of comments: {count} entries"
            self.add(
                Door(platform="feed", url=url, rank=Rank.COMMENT_FEED, evidence=(told,), options={"entries": "manifestation"})
            )
            return told
        told, options, rank = f"a feed of articles: {count} entries", {}, Rank.CONTEXT
        here = [entry for entry in feed.entries if entry.comments_url and self._is_here(entry.comments_url)]
        if any(entry.comment_count != 0 for entry in here):
            told += f", {len(here)} of which name a feed of their comments"
            options, rank = {"comments": True}, Rank.COMMENT_FEED
        self.add(Door(platform="feed", url=url, rank=rank, evidence=(told,), options=options))
        self._feed = self._feed or url
        if not self._articles:
            self._articles = [entry.link for entry in feed.entries if entry.link and self._is_here(entry.link)][:MOST_ARTICLES]
        return told

    def _is_here(self, url: str) -> bool:
        return site_of(urlsplit(url).hostname or "") == self.front.site

    def read_article(self, response: Response) -> str:
        """Read one article of the site: its comments may stand there and nowhere else."""
        if response.status >= 400:
            return f"HTTP {response.status}"
        return self._read_thread(Page(response), of_front=False)

    def _read_thread(self, page: Page, *, of_front: bool) -> str:
        """Find the comments that a page embeds or shows; return what to tell of them."""
        self._embedded(page)
        thread = read_page(page.selector, url=page.url).thread
        said = sum(bool(message.text) and not message.withheld for message in thread.messages)
        told = []
        if said:
            told.append(f"{said} comments as schema.org data")
            evidence = f"{page.url} embeds {said} comments as schema.org data"
            self.add(Door(platform="structured", url=self.front.url, rank=Rank.STRUCTURED, evidence=(evidence,), options={}))
        for name, markup in MARKUPS.items():
            count = len(page.selector.css(markup.comment.item))
            if count and not (of_front and not page.articles):
                told.append(f"{count} comments in the markup `{name}`")
                evidence = f"{page.url} shows {count} comments in the markup `{name}`"
                self.add(
                    Door(platform="page", url=self.front.url, rank=Rank.PAGE, evidence=(evidence,), options={"markup": name})
                )
        return ", ".join(told) or "a page without comments that are written as known"

    def _embedded(self, page: Page) -> None:
        """Keep the doors of the comment systems that a page embeds; tell of those that nothing reads."""
        if page.isso:
            evidence = f"{page.url} embeds Isso, whose comments stand at {page.isso}"
            self.add(
                Door(platform="isso", url=self._home, rank=Rank.API, evidence=(evidence,), options=self._isso_options(page.isso))
            )
        if page.disqus:
            self.add(disqus_door(page.disqus, self._home, f"{page.url} embeds the Disqus forum {page.disqus}"))
        for name in page.unread_systems():
            if name not in self._told_unread:
                self._told_unread.add(name)
                self.look.remarks.append(f"comments by {name}, which no collector of this program reads")

    @property
    def _home(self) -> str:
        return urljoin(self.front.url, "/")

    def _isso_options(self, api: str) -> dict[str, Any]:
        """Return the options of an Isso server; the list of pages only where it is on the server's own host."""
        same = site_of(urlsplit(api).hostname or "") == self.front.site
        listed = {"sitemap": self.sitemaps[0]} if self.sitemaps else {"feed": self.front.feeds[0].url} if self.front.feeds else {}
        return {"api": api, **(listed if same else {})}

    def finish(self) -> None:
        """Give the doors what only the whole look knows: where their articles are listed."""
        self.look.doors = [self._completed(door) for door in self.look.doors]

    def _completed(self, door: Door) -> Door:
        if door.platform != "structured":
            return door
        listed: dict[str, str] = {}
        if self._feed is not None:
            listed = {"feed": self._feed}
        elif self.front.articles:
            listed = {"css": next(css for css in self._article_selectors())}
        elif self.sitemaps:
            listed = {"sitemap": self.sitemaps[0]}
        values = door.as_json() | {"options": {"articles": listed} if listed else {}}
        return Door.from_json(values)

    def _article_selectors(self) -> Iterator[str]:
        for markup in MARKUPS.values():
            if self.front.shows(markup.article_links):
                yield markup.article_links
