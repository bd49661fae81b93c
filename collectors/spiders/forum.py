"""What the spiders of classic forums share: the walk over their pages, and the reading of their feeds.

By pages: index -> boards -> topics, those with the newest activity first. A board is left at its first page that ends
before the window; sticky topics and announcements stand out of that order and stop nothing. Of a long topic the first
page is read (its title, and the post that the others answer), then the last and so on backwards until one is older
than the window. By feeds: the last entries only, and no past: what was not collected in time cannot be asked for again.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin

from pydantic import Field, PositiveInt
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.extraction import MOST_FEED, MOST_MARKUP, Extraction, extracted
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider
from collectors.spiders.forum_feed import FeedEntry
from collectors.spiders.forum_markup import BoardRow, ForumMarkup, Post, TopicRow, clean_address, is_guest_name
from collectors.spiders.forum_pages import BoardPage, TopicPage, read_board, read_feed, read_topic
from collectors.text import html_to_text

_TOPIC_BEGUN = 1 << 40
"""Priority of the further pages of a topic: above that of any date, so that one begun is read on before others are."""

_ANSWER = re.compile(r"(?:re|rv|resp):\s+", re.IGNORECASE)


class ForumOptions(PlatformOptions):
    """What may differ between two forums of one engine."""

    way: Literal["pages", "feed"] = Field("pages", description="Read the pages, or only the feeds (the last entries, no past).")
    boards: tuple[PositiveInt, ...] = Field(
        (), description="Numbers of the boards to read, without those inside them; by default all."
    )
    date_order: Literal["day_first", "month_first", "year_first"] = Field(
        "day_first", description="How the pages order dates in figures."
    )


@dataclass
class Topic:
    """A topic under way; `opening` is the number of its first post once the first page is read."""

    number: int
    place: str = ""
    """Its name in the frontier."""

    title: str | None = None
    opening: int | None = None


class ForumSpider(PlatformSpider):
    """Walks one forum; what an engine writes and how it names things stands in the subclass."""

    Options: ClassVar[type[PlatformOptions]] = ForumOptions
    MARKUP: ClassVar[ForumMarkup]
    BOARD_PATH: ClassVar[str]
    """Address of a board below the forum's folder, `{}` its number."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing asked and nothing seen."""
        super().__init__(**kwargs)
        self.home = urljoin(self.source.url, ".")
        self._asked: set[tuple[str, int, int]] = set()
        self._listed: set[int] = set()
        self._seen: set[int] = set()

    def post_id(self, number: int, topic: Topic) -> str:
        """Return the id of a post, the same by page and by feed."""
        raise NotImplementedError

    def post_url(self, number: int, topic: Topic) -> str:
        """Return the address of a post."""
        raise NotImplementedError

    def feed_addresses(self) -> list[str]:
        """Return the addresses of the feeds to read."""
        raise NotImplementedError

    def entry_id(self, address: str) -> str | None:
        """Return the id of the post that an entry of a feed links to; None if the address names none."""
        match = self.MARKUP.post_number.search(address)
        return self.post_id(int(match[1]), Topic(0)) if match else None

    @staticmethod
    def entry_markup(markup: str) -> str:
        """Return the content of an entry without what the engine adds to the message."""
        return markup

    def entry_title(self, title: str) -> str:
        """Return the title of an entry as the pages show it."""
        return _ANSWER.sub("", title, count=1) if _ANSWER.match(title) else title

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the feeds, the boards that the options name, or the source's own page."""
        options: Any = self.source.options
        if options.way == "feed":
            for url in self.feed_addresses():
                about = {"headers": self.memory.conditions(url), "cb_kwargs": {"asked": url}}
                yield self.request(url, self.parse_feed, extraction=self._extraction(read_feed), **about)
            return
        for request in self._begin(options):
            yield request

    def _begin(self, options: Any) -> Iterator[Request]:
        markup, url = self.MARKUP, clean_address(self.source.url)
        topic, board = markup.topic_number.search(url), markup.board_number.search(url)
        if options.boards:
            for number in options.boards:
                yield from self._ask_board(BoardRow(number, urljoin(self.home, self.BOARD_PATH.format(number)), None), True)
        elif topic:
            yield from self._ask_topic(TopicRow(int(topic[1]), url, None, False))
        elif board:
            yield from self._ask_board(BoardRow(int(board[1]), url, None), True)
        else:
            about = {"number": None, "position": 0, "filled": True}
            yield self.request(url, self.parse_board, extraction=self._extraction(read_board, number=None), cb_kwargs=about)

    def _ask(self, url: str, callback: Any, key: tuple[str, int, int], priority: int, **known: Any) -> Iterator[Request]:
        """Ask for a page, once."""
        if key not in self._asked:
            self._asked.add(key)
            extraction = self._extraction(read_board if key[0] == "board" else read_topic, number=key[1])
            about = {**known, "position": key[2]}
            yield self.request(url, callback, extraction=extraction, cb_kwargs=about, priority=priority)

    def _extraction(self, function: Callable[..., Any], **arguments: Any) -> Extraction:
        most = MOST_FEED if function is read_feed else MOST_MARKUP
        return Extraction(function, {"platform": self.source.platform, **arguments}, most_bytes=most)

    def _ask_board(self, row: BoardRow, filled: bool) -> Iterator[Request]:
        active = self._published(row.raw)
        if not self.is_past(active):
            key = ("board", row.number, self.MARKUP.first_position)
            known = {"number": row.number, "filled": filled or active is not None}
            yield from self._ask(row.url, self.parse_board, key, self._priority(active), **known)

    def _ask_topic(self, row: TopicRow) -> Iterator[Request]:
        active = self._published(row.raw)
        key = ("topic", row.number, self.MARKUP.first_position)
        # A topic with an answer more than an earlier attempt saw has another date in the list: it is read again.
        place = f"topic {row.number} {active.isoformat() if active else ''}"
        if not self.is_past(active) and key not in self._asked and self.frontier.passed(place) is None:
            yield from self._ask(row.url, self.parse_topic, key, self._priority(active), topic=Topic(row.number, place))

    def _priority(self, active: datetime | None) -> int:
        """Return the minute of the last activity: what is undated is asked for as if it were of the window's end."""
        return int((active or self.period.end_utc).timestamp() // 60)

    def _published(self, raw: str | None) -> datetime | None:
        options: Any = self.source.options
        return self.published(raw, order=options.date_order)

    def parse_board(self, response: Response, number: int | None, position: int, filled: bool) -> Iterator[Request]:
        """Ask for the boards and topics that a page lists, and for the next page of the same board."""
        page: BoardPage | None = self.read(response)
        if page is None:
            return
        topics, options = page.topics, self.source.options
        if not page.boards and not topics:
            self._tell_of_nothing(response, filled, closed=page.closed)
        if not getattr(options, "boards", ()):
            for board in page.boards:
                yield from self._ask_board(board, False)
        fresh = any(topic.number not in self._listed for topic in topics if not topic.pinned)
        self._listed.update(topic.number for topic in topics)
        for topic in topics:
            yield from self._ask_topic(topic)
        if number is not None:
            following = min((place for place in page.pages if place > position), default=None)
            if following is not None and self._goes_on(response, topics, fresh):
                last = self._published(topics[-1].raw) if topics else None
                key = ("board", number, following)
                yield from self._ask(
                    page.pages[following], self.parse_board, key, self._priority(last), number=number, filled=True
                )

    def _goes_on(self, response: Response, topics: list[TopicRow], fresh: bool) -> bool:
        """Tell whether the next page of a board may hold topics of the window."""
        dates = [self._published(topic.raw) for topic in topics if not topic.pinned]
        if dates and not fresh:
            self.note("malformed", f"{response.url}: the page repeats topics of the one before; the board is left there")
            return False
        known = [date for date in dates if date is not None]
        if not known or len(known) < len(dates):
            return bool(topics)
        # Where an administrator chose another order, only the newest of the page tells something.
        return not self.is_past(known[-1] if known == sorted(known, reverse=True) else max(known))

    def _tell_of_nothing(self, response: Response, filled: bool, *, closed: bool) -> None:
        """Tell of a page without boards, topics or posts, unless it may well be empty."""
        if closed:
            self.note("http_error", f"{response.url}: a login form or a message stands in the place of the messages")
        elif filled:
            self.note("malformed", f"{response.url}: nothing on it is written as the default theme of {self.name} does")
        else:
            return
        self.started_well = bool(self._seen)

    def parse_topic(self, response: Response, topic: Topic, position: int) -> Iterator[Manifestation | Request]:
        """Yield the posts of a topic page and ask for the next page to read of the topic."""
        page: TopicPage | None = self.read(response)
        if page is None:
            return
        if not page.has_posts:
            self._tell_of_nothing(response, True, closed=page.closed)
            return
        posts = page.posts
        if None in posts:
            self.note("malformed", f"{response.url}: {posts.count(None)} posts without a number or a body were left out")
        found = [post for post in posts if post is not None]
        if found and topic.opening is None:
            topic.title, topic.opening = page.title, found[0].number
        fresh = [post for post in found if post.number not in self._seen]
        self._seen.update(post.number for post in fresh)
        messages = chain.from_iterable(self._message(post, topic) for post in fresh)
        yield from self.frontier.reading(topic.place, self, messages)
        if found and not fresh:
            self.note("malformed", f"{response.url}: the page repeats posts that were read already; the topic is left there")
        elif found:
            yield from self._other_page(topic, [self._published(post.raw) for post in fresh], page.pages, position)

    def _other_page(self, topic: Topic, dates: list[datetime | None], pages: dict[int, str], position: int) -> Iterator[Request]:
        """Ask for the last page after the first, and for the page before any other."""
        first = self.MARKUP.first_position
        if position == first:
            ended = dates[-1] is not None and dates[-1] >= self.period.end_utc
            candidates = [] if ended else [place for place in pages if place > first]
        else:
            ended = any(self.is_past(date) for date in dates)
            candidates = [] if ended else [place for place in pages if first < place < position]
        if candidates:
            place = max(candidates)
            key = ("topic", topic.number, place)
            yield from self._ask(pages[place], self.parse_topic, key, _TOPIC_BEGUN, topic=topic)
        else:
            self.frontier.finish(topic.place)

    def _message(self, post: Post, topic: Topic) -> Iterator[Manifestation]:
        answered = post.quoted if post.quoted not in (None, post.number) else topic.opening
        yield from self.manifestation(
            native_id=self.post_id(post.number, topic),
            parent_id=None if post.number == topic.opening or answered is None else self.post_id(answered, topic),
            url=self.post_url(post.number, topic),
            author=post.author,
            title=topic.title,
            text=post.text,
            published_at=self._published(post.raw),
            published_raw=post.raw,
            reactions=post.reactions,
        )

    def parse_feed(self, response: Response, asked: str) -> Iterator[Manifestation]:
        """Yield one manifestation for each entry of a feed."""
        if not self.readable(response):
            return
        try:
            entries, whole = extracted(response)
        except SourceProblem as problem:
            self.started_well = bool(self.message_count)
            self.note(problem.reason, problem.detail)
            return
        if whole:
            self.memory.learn_validators(asked, response)
        else:
            self.note("malformed", f"{response.url}: ill-formed feed; read in part")
        lost = 0
        for entry, text in entries:
            native_id = self.entry_id(clean_address(entry.address))
            if native_id is None or text is None:
                lost += 1
            else:
                yield from self._entry(entry, text, native_id)
        if lost:
            self.note(
                "malformed", f"{response.url}: {lost} entries without the address of a post or a readable text were left out"
            )

    def _entry(self, entry: FeedEntry, text: str, native_id: str) -> Iterator[Manifestation]:
        name = html_to_text(entry.author)
        yield from self.manifestation(
            native_id=native_id,
            url=clean_address(entry.address),
            author=None if is_guest_name(name) or re.fullmatch(r"\S+@\S+\.\w+", name) else name,
            title=self.entry_title(html_to_text(entry.title)),
            text=text,
            published_at=self.published(entry.published),
            published_raw=entry.published or None,
            modified_at=self.published(entry.updated) if entry.updated != entry.published else None,
        )
