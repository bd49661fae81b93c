"""What a WordPress site still shows where its REST API is closed: the feeds of its comments and of its articles.

Facts from "WordPress Feeds" (wordpress.org/documentation/article/wordpress-feeds) and from the feeds that WordPress writes
(wp-includes/feed-rss2-comments.php, feed-rss2.php, class-wp-query.php): `/comments/feed/` holds the last comments of the site and
an article's `/feed/` its own, newest first, as many as the site shows in feeds (ten, unless it was changed), without further
pages; an entry's id ends in `#comment-<number>`, the number of the REST API; no feed names the type of a comment, and a pingback
shows itself by a text between "[…]" marks. `/feed/` holds articles and goes on at `?paged=2`. What an editor wrote has `?p=N` for
its id; what was imported or published by a program has its permalink, and only the header of its feed tells N.

So the way is: the site's feed; where it does not reach back to the window's start, the feeds of all articles that the feed of
articles and the sitemap name; and where one of those does not either, the pages of that article's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response

from collectors.extraction import MOST_DATA, MOST_FEED, Extraction, UnreadableError, extracted
from collectors.feeds import Entry, Feed, parse_feed
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.links import canonical_link
from collectors.sitemaps import Sitemap, read_sitemap
from collectors.spiders.wordpress_account import WordPressAccount
from collectors.spiders.wordpress_addresses import STYLES, FeedStyle, article_feed, thread_page
from collectors.spiders.wordpress_rows import comment_number, is_pingback, post_number, without_shortcodes
from collectors.spiders.wordpress_threads import lists_articles, short_link

FEED = Extraction(parse_feed, most_bytes=MOST_FEED)
SITEMAP = Extraction(read_sitemap, most_bytes=MOST_DATA)
GONE = (404, 410)
USUAL_SIZE = 10
"""Comments in a feed, unless the site was told otherwise."""


class WordPressFeeds(WordPressAccount):
    """Reads feeds in the place of what the API does not give, and says how far back they reach."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with no article known."""
        super().__init__(**kwargs)
        self.home = ""
        self._held: dict[str, list[Entry]] = {}
        """Address of an article -> comments on it that do not tell its number."""

        self._silent: set[str] = set()
        self._asked: set[str] = set()
        self._style = STYLES[0]
        self._size = USUAL_SIZE
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
            oldest = self._oldest(entries)
            if not entries or self.is_past(oldest):
                self._forgive(problem)  # the feed reaches back beyond the window: the closed door cost nothing
                yield from self._comments(entries, hold=True)
                yield from self._ask_held()
                return
            since = f", back to {oldest.isoformat()}" if oldest else ""
            told = f"of the site's comments only the last {len(entries)} in {response.url} were readable{since}"
            self.note(problem.reason, told)
            self._told_short = self.problems[-1]
            yield from self._comments(entries, hold=True)
            yield from self._ask_articles(problem, [*map(_page_of, entries), *self._articles])
            yield from self._ask_held()
            yield self._count(f"{self.home}wp-sitemap.xml", self.parse_sitemap, SITEMAP, priority=-1)

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

    def _ask_held(self) -> Iterator[Manifestation | Request]:
        """Ask for the feeds of the articles whose comments do not tell their number; yield those that cannot be asked."""
        options: Any = self.source.options
        for link in list(self._held):
            address = article_feed(link, self._style)
            if address is not None and address not in self._asked and len(self._asked) < options.article_feeds:
                self._asked.add(address)
                yield self._count(address, self.parse_article_feed, FEED, link=link)
            elif address not in self._asked:
                yield from self._release(link)

    def held_back(self) -> Iterator[Manifestation]:
        """Yield the comments whose articles were not asked for their number."""
        for link in list(self._held):
            yield from self._release(link)

    def _release(self, link: str) -> Iterator[Manifestation]:
        yield from self._comments(self._held.pop(link, []), link=link)

    def parse_sitemap(self, response: Response) -> Iterator[Request]:
        """Ask for the feeds of the articles that the site's sitemap lists, the last first."""
        try:
            sitemap: Sitemap | None = extracted(response) if response.status == 200 else None
        except (SourceProblem, UnreadableError):
            sitemap = None
        if sitemap is None:
            self._gap = True  # the account stays short; most sites that have none are old
            return
        self._listed, self._gap = True, self._gap or sitemap.cut
        for one in sitemap.sitemaps:
            if lists_articles(one.url):
                yield self._count(one.url, self.parse_sitemap, SITEMAP, priority=-1)
        for listed in reversed(sitemap.pages):
            if thread_page(listed.url).rstrip("/") != self.home.rstrip("/"):
                yield from self._ask_article(listed.url)

    def _ask_article(self, link: str) -> Iterator[Request]:
        options: Any = self.source.options
        address = article_feed(link, self._style)
        # As long as no feed of comments answered, one article tells whether there is any.
        waits = self._short is None or (self._unproven and self._asked)
        if waits or address is None or link in self._silent or address in self._asked:
            return
        if len(self._asked) < options.article_feeds:
            self._asked.add(address)
            yield self._count(address, self.parse_article_feed, FEED, link=thread_page(link))
        elif self._short is not None and not self._told_of_most:
            self._told_of_most = self._gap = True
            self.note(self._short.reason, f"the comment feeds of {options.article_feeds} articles were asked, and no more")

    def parse_article_feed(self, response: Response, link: str) -> Iterator[Manifestation | Request]:
        """Yield the last comments of one article; ask for the pages of its thread if there are more."""
        entries = self._entries(response) if self.readable(response) else None
        if entries is None:
            self._gap = True
            if response.status < 400:
                self.note("malformed", f"{response.url}: not a readable feed of comments")
            yield from self._release(link)
            return
        self._articles[link] = short_link(response) or self._articles.get(link)
        yield from self._comments(entries, link=link)
        yield from self._release(link)
        if self._short is None:
            return
        if len(entries) >= self._size and not self.is_past(self._oldest(entries)):
            yield from self.ask_thread(link, f"only the last {len(entries)} comments in {response.url} were readable")
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

    def _comments(self, entries: list[Entry], *, link: str | None = None, hold: bool = False) -> Iterator[Manifestation]:
        """Yield the comments of a feed; with `hold`, keep those that do not tell their article until its own feed does.

        Args:
            entries: of the feed.
            link: the article whose feed it is.
            hold: True for the feed of the site.
        """
        for entry in entries:
            native_id = comment_number(entry.id, entry.link) or entry.id
            page = link or _page_of(entry)
            if entry.withheld or is_pingback(entry.text):
                self._read_counts[page] += self._known.add("machine", native_id or "")
                continue
            answered = (
                comment_number(entry.parent) or post_number(entry.parent) or post_number(entry.id) or self._articles.get(page)
            )
            if hold and answered is None and page:
                self._held.setdefault(page, []).append(entry)
                continue
            if native_id and not self._known.add(native_id):
                continue
            self._read_counts[page] += 1
            published = self.published(entry.published)
            if native_id and published:
                self._dates[native_id] = published
            yield from self.manifestation(
                native_id=native_id,
                parent_id=answered,
                url=entry.link,
                author=entry.author,
                text=without_shortcodes(entry.text),
                published_at=published,
                published_raw=entry.published,
            )

    def _feed_article(self, entry: Entry) -> Iterator[Manifestation | Request]:
        native_id = post_number(entry.id)
        if entry.comment_count is not None and canonical_link(entry.link):
            self._told_counts[thread_page(entry.link or "")] = entry.comment_count
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
    """Return the address of the article that an entry stands on; "" if it has none."""
    return thread_page(entry.link) if entry.link and canonical_link(entry.link) else ""
