"""Reading the pages of long threads where a WordPress site closes its API, and the account of what is missing then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any

from scrapy import Request
from scrapy.http import Response

from collectors.digests import Digests
from collectors.extraction import Extraction, UnreadableError, extracted
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider
from collectors.spiders.wordpress_rows import numbered, without_shortcodes
from collectors.spiders.wordpress_threads import ThreadComment, ThreadPage, place_of_thread, read_thread_page, short_link

QUARTER, MOST_ERROR = timedelta(minutes=15), timedelta(hours=14)
"""Clocks of the world differ by quarters of an hour, and from UTC by 14 hours at most."""


class WordPressAccount(PlatformSpider):
    """Counts what is under way, and says at the end whether something of the site's comments is missing."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing under way and nothing missing."""
        super().__init__(**kwargs)
        self._known = Digests()
        self._articles: dict[str, str | None] = {}
        """Address of an article -> its id, None while no answer told it."""

        self._short: SourceProblem | None = None
        """Why comments are read elsewhere than in the API."""

        self._told_short: SourceProblem | None = None
        """That the site's feed of comments does not reach back to the window's start."""

        self._listed = self._gap = False
        """Whether all articles are known, and whether something of them could not be read."""

        self._pending = 0
        self._dates: dict[str, datetime] = {}
        """Id of a comment -> its date by a feed."""

        self._clock_error = timedelta()
        """What is added to dates on pages: before WordPress 5.3 they are local and call themselves UTC."""

        self._asked_pages: set[str] = set()
        self._paged: set[str] = set()
        """Articles whose pages are read. They show no answer to a comment that a moderator took down, and feeds do."""

        self._told_counts: dict[str, int] = {}
        """Address of an article -> how many comments it has by the feed of articles."""

        self._read_counts: Counter[str] = Counter()

    def _count(self, address: str, callback: Any, extraction: Extraction, *, link: str = "", priority: int = 0) -> Request:
        """Return a request that the account waits for.

        Args:
            address: what is asked for.
            callback: called with the response, and with `link` if there is one.
            extraction: what is to be taken out of the answer.
            link: the article that it is about; "" if it is about none.
            priority: Scrapy's.
        """
        self._pending += 1
        about = {"link": link} if link else {}
        return self.request(
            address,
            self._counted(callback),
            extraction=extraction,
            errback=self._counted_failed,
            cb_kwargs=about,
            priority=priority,
            meta={"link": link},
        )

    def _counted(self, callback: Any) -> Callable[..., Iterator[Any]]:
        def parse(response: Response, **about: Any) -> Iterator[Any]:
            yield from callback(response, **about)
            self._balance()

        return parse

    def _counted_failed(self, failure: Any) -> Iterator[Manifestation]:
        self.note_failure(failure)
        self._gap = True
        yield from self._release(failure.request.meta["link"])
        self._balance()

    def _release(self, link: str) -> Iterator[Manifestation]:
        """Yield what waited for an answer about an article."""
        yield from ()

    def _balance(self) -> None:
        """Once everything is back and nothing is missing, take back that the site's feed was short; or else say what may be."""
        self._pending -= 1
        if self._pending or self._short is None or self._told_short not in self.problems:
            return
        fewer = [link for link in sorted(self._paged) if self._read_counts[link] < self._told_counts.get(link, inf)]
        if fewer:
            told = (
                f"{len(fewer)} long threads were read from their pages, which may leave some comments out: {', '.join(fewer[:3])}"
            )
            self.note(self._short.reason, told)
            self._told_short = None
        elif self._listed and not self._gap:
            self.problems.remove(self._told_short)
            self._forgive(self._short)

    def _forgive(self, problem: SourceProblem) -> None:
        """Take back that a door is closed: another one gave all of it. That robots are not wanted there stays said."""
        if problem.reason != "robots_closed" and problem in self.problems:
            self.problems.remove(problem)

    def ask_thread(self, link: str, told: str) -> Iterator[Request]:
        """Ask for the page of an article, to read its comments there; `told` is what is lost if they cannot be."""
        self._asked_pages.add(link)
        self._paged.add(link)
        yield self._count(link, partial(self.parse_thread, told=told), _thread_of(link), link=link)

    def parse_thread(self, response: Response, link: str, told: str) -> Iterator[Manifestation | Request]:
        """Yield the comments on one page of an article's thread and ask for its other pages."""
        page = _thread_page(response)
        comments = page.comments if page is not None else []
        if not comments or not all(one.shown or one.by_machine for one in comments):
            self._gap = True
            self.note(self._short.reason if self._short else "malformed", told)
        if page is None:
            return
        article = short_link(response) or self._articles.get(link)
        self._set_clock(comments)
        for one in comments:
            yield from self._thread_comment(one, f"{response.url.partition('#')[0]}#comment-{one.number}", link, article)
        self._asked_pages.update([place_of_thread(link, page.place)] if page.place else [])
        for address in sorted(set(page.pages) - self._asked_pages):
            self._asked_pages.add(address)
            yield self._count(address, partial(self.parse_thread, told=told), _thread_of(link), link=link)

    def _thread_comment(self, one: ThreadComment, url: str, link: str, article: str | None) -> Iterator[Manifestation]:
        native_id = numbered("comment", one.number) or ""
        if one.by_machine:
            self._read_counts[link] += self._known.add("machine", native_id)
            return
        if not one.shown or not self._known.add(native_id):
            return
        self._read_counts[link] += 1
        at = self.published(one.raw_date)
        yield from self.manifestation(
            native_id=native_id,
            parent_id=numbered("comment", one.parent) or article,
            url=url,
            author=one.author,
            text=without_shortcodes(one.text),
            published_at=at + self._clock_error if at else None,
            published_raw=one.raw_date,
        )

    def _set_clock(self, comments: list[ThreadComment]) -> None:
        """Learn from a comment whose date is known by a feed how far the dates on pages are off."""
        for one in comments:
            known, at = self._dates.get(f"comment-{one.number}"), self.published(one.raw_date)
            if known is not None and at is not None:
                error = known - at
                self._clock_error = error if error % QUARTER == timedelta() and abs(error) <= MOST_ERROR else timedelta()
                return


def _thread_of(link: str) -> Extraction:
    return Extraction(read_thread_page, {"article": link})


def _thread_page(response: Response) -> ThreadPage | None:
    """Return what a page of a thread holds; None if there is no page, or none that can be read."""
    if response.status != 200:
        return None
    try:
        page: ThreadPage = extracted(response)
    except (SourceProblem, UnreadableError):
        return None
    return page
