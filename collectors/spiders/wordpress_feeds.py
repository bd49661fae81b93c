"""What a WordPress site still shows where its REST API is closed: the feeds of its comments and of its articles.

Facts from "WordPress Feeds" (wordpress.org/documentation/article/wordpress-feeds) and from the feeds that WordPress writes
(wp-includes/feed-rss2-comments.php, feed-rss2.php, class-wp-query.php): `/comments/feed/` holds the last comments of the site and
an article's `/feed/` its own, newest first, as many as the site shows in feeds (ten, unless it was changed), without further
pages; an entry's id ends in `#comment-<number>`, the number of the REST API; no feed names the type of a comment, and a pingback
shows itself by a text between "[…]" marks. `/feed/` holds articles and goes on at `?paged=2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response

from collectors.extraction import MOST_FEED, Extraction, extracted
from collectors.feeds import Entry, Feed, parse_feed
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider
from collectors.spiders.wordpress_addresses import STYLES, FeedStyle, article_feed
from collectors.spiders.wordpress_rows import comment_number, is_pingback, post_number, without_shortcodes

FEED = Extraction(parse_feed, most_bytes=MOST_FEED)
GONE = (404, 410)
USUAL_SIZE = 10
"""Comments in a feed, unless the site was told otherwise."""


class WordPressFeeds(PlatformSpider):
    """Reads feeds in the place of what the API does not give, and says how far back they reach."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with no article known."""
        super().__init__(**kwargs)
        self.home = ""
        self._known: set[str] = set()
        self._articles: dict[str, str | None] = {}
        self._silent: set[str] = set()
        self._asked: set[str] = set()
        self._style = STYLES[0]
        self._size = USUAL_SIZE
        self._short: SourceProblem | None = None
        self._unproven = self._told_of_most = False

    def open_comment_feed(self, problem: SourceProblem) -> Iterator[Request]:
        """Ask for the site's last comments; `problem` is why the API does not give them."""
        yield self._ask_site_feed(STYLES, problem)

    def _ask_site_feed(self, styles: tuple[FeedStyle, ...], problem: SourceProblem) -> Request:
        about = {"styles": styles, "problem": problem}
        return self.request(self.home + styles[0].site, self.parse_site_feed, extraction=FEED, cb_kwargs=about)

    def parse_site_feed(
        self, response: Response, styles: tuple[FeedStyle, ...], problem: SourceProblem
    ) -> Iterator[Manifestation | Request]:
        """Yield the site's last comments; ask for the feeds of articles if they do not reach back to the window's start."""
        entries = self._entries(response)
        if response.status == 429:
            self.readable(response)
        elif entries is None and styles[1:] and (response.status < 400 or response.status in GONE):
            yield self._ask_site_feed(styles[1:], problem)
        elif entries is None:
            self.note(
                problem.reason, f"nor is there a readable feed of the site's comments (HTTP {response.status} at {response.url})"
            )
            self._unproven = True
            yield from self._ask_articles(problem, self._articles)
        else:
            self._style, self._size = styles[0], len(entries)
            yield from self._comments(entries)
            oldest = self._oldest(entries)
            if not entries or self.is_past(oldest):
                self._forgive(problem)  # the feed reaches back beyond the window: the closed door cost nothing
                return
            since = f", back to {oldest.isoformat()}" if oldest else ""
            self.note(
                problem.reason, f"of the site's comments only the last {len(entries)} in {response.url} were readable{since}"
            )
            yield from self._ask_articles(problem, [*map(_page_of, entries), *self._articles])

    def _ask_articles(self, problem: SourceProblem, links: Iterable[str]) -> Iterator[Request]:
        """Ask for the feeds of articles' comments, from now on also for those of articles that come up later."""
        self._short = problem
        for link in list(links):
            yield from self._ask_article(link)

    def know_article(self, link: str | None, native_id: str | None, *, commented: bool = True) -> Iterator[Request]:
        """Remember an article; ask for its comments if the site's feed was too short."""
        if link:
            self._articles[link] = native_id
            if not commented:
                self._silent.add(link)
            yield from self._ask_article(link)

    def _ask_article(self, link: str) -> Iterator[Request]:
        options: Any = self.source.options
        address = article_feed(link, self._style)
        # As long as no feed of comments answered, one article tells whether there is any.
        waits = self._short is None or (self._unproven and self._asked)
        if waits or address is None or link in self._silent or address in self._asked:
            return
        if len(self._asked) < options.article_feeds:
            self._asked.add(address)
            yield self.request(address, self.parse_article_feed, extraction=FEED)
        elif self._short is not None and not self._told_of_most:
            self._told_of_most = True
            self.note(self._short.reason, f"the comment feeds of {options.article_feeds} articles were asked, and no more")

    def parse_article_feed(self, response: Response) -> Iterator[Manifestation | Request]:
        """Yield the last comments of one article."""
        if not self.readable(response):
            return
        entries = self._entries(response)
        if entries is None:
            self.note("malformed", f"{response.url}: not a readable feed of comments")
            return
        yield from self._comments(entries)
        if self._short is None:
            return
        if len(entries) >= self._size and not self.is_past(self._oldest(entries)):
            self.note(self._short.reason, f"only the last {len(entries)} comments in {response.url} were readable")
        if self._unproven:
            self._unproven = False
            yield from self._ask_articles(self._short, self._articles)

    def open_post_feed(self, problem: SourceProblem, *, address: str = "feed/") -> Iterator[Request]:
        """Ask for the articles that the API does not give."""
        about = {"address": address, "page": 1, "problem": problem}
        yield self.request(self.home + address, self.parse_post_feed, extraction=FEED, cb_kwargs=about)

    def parse_post_feed(
        self, response: Response, address: str, page: int, problem: SourceProblem
    ) -> Iterator[Manifestation | Request]:
        """Yield the articles of one page of the feed and ask for the next one, as long as they are of the window."""
        entries = self._entries(response)
        if response.status == 429:
            self.readable(response)
        elif entries is None and page == 1 and address == "feed/" and (response.status < 400 or response.status in GONE):
            yield from self.open_post_feed(problem, address="?feed=rss2")
        elif entries is None and page > 1 and response.status in GONE:
            self._forgive(problem)  # beyond the last page: every article was read
        elif entries is None:
            self.note(problem.reason, f"no feed of articles can be read at {response.url} either (HTTP {response.status})")
        else:
            fresh = [entry for entry in entries if entry.link not in self._articles]
            for entry in fresh:
                yield from self._feed_article(entry)
            if not fresh or self.is_past(self._oldest(entries)):
                self._forgive(problem)
                return
            following = f"{self.home}{address}{'&' if '?' in address else '?'}paged={page + 1}"
            about = {"address": address, "page": page + 1, "problem": problem}
            yield self.request(following, self.parse_post_feed, extraction=FEED, cb_kwargs=about)

    def _forgive(self, problem: SourceProblem) -> None:
        """Take back that a door is closed: another one gave all of it. That robots are not wanted there stays said."""
        if problem.reason != "robots_closed" and problem in self.problems:
            self.problems.remove(problem)

    def _entries(self, response: Response) -> list[Entry] | None:
        """Return the entries of a feed; None if the answer is none."""
        if response.status >= 300:
            return None
        try:
            feed: Feed = extracted(response)
        except SourceProblem:
            return None
        self.started_well = True
        for problem in feed.problems:
            self.note("malformed", f"{response.url}: {problem}")
        return feed.entries

    def _oldest(self, entries: list[Entry]) -> datetime | None:
        dates = (self.published(entry.published) for entry in entries)
        return min((date for date in dates if date), default=None)

    def _comments(self, entries: list[Entry]) -> Iterator[Manifestation]:
        for entry in entries:
            native_id = comment_number(entry.id, entry.link) or entry.id
            if entry.withheld or is_pingback(entry.text) or native_id in self._known:
                continue
            self._known.update([native_id] if native_id else [])
            answered = comment_number(entry.parent) or post_number(entry.parent) or post_number(entry.id)
            yield from self.manifestation(
                native_id=native_id,
                parent_id=answered or self._articles.get(_page_of(entry)),
                url=entry.link,
                author=entry.author,
                text=without_shortcodes(entry.text),
                published_at=self.published(entry.published),
                published_raw=entry.published,
            )

    def _feed_article(self, entry: Entry) -> Iterator[Manifestation | Request]:
        native_id = post_number(entry.id)
        yield from self.know_article(entry.link, native_id, commented=entry.comment_count != 0)
        if not entry.withheld:
            yield from self.manifestation(
                kind="official" if self.source.publisher.official else "article",
                native_id=native_id,
                url=entry.link,
                title=entry.title,
                text=without_shortcodes(entry.text),
                published_at=self.published(entry.published),
                published_raw=entry.published,
            )


def _page_of(entry: Entry) -> str:
    """Return the address of the page that an entry stands on; "" if it has none."""
    return (entry.link or "").partition("#")[0]
