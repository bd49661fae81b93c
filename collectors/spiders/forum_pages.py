"""Pages and feeds of classic forums: bytes -> what the walk goes by, in plain values; pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from collectors.health import SourceProblem
from collectors.html_tree import charset_of, parse_html, parse_markup
from collectors.spiders import spider_class
from collectors.spiders.forum_feed import FeedEntry, parse_entries
from collectors.spiders.forum_markup import (
    BoardRow,
    Post,
    TopicRow,
    find_boards,
    find_pages,
    find_posts,
    find_topics,
    own_text,
    title_of,
)
from collectors.text import MarkupError


class BoardPage(NamedTuple):
    """What a page lists; `pages` is the position of each other page of the board and its address."""

    boards: list[BoardRow]
    topics: list[TopicRow]
    pages: dict[int, str]
    closed: bool
    """True if a login form or a message stands in the place of the list."""


class TopicPage(NamedTuple):
    """One page of a topic; None for a post without number or body."""

    title: str | None
    posts: list[Post | None]
    has_posts: bool
    pages: dict[int, str]
    closed: bool


class FeedPage(NamedTuple):
    """The entries of a feed with the text of each, None where it cannot be read."""

    entries: list[tuple[FeedEntry, str | None]]
    whole: bool


def read_board(document: bytes, *, url: str, content_type: str, platform: str, number: int | None) -> BoardPage:
    """Return what a page lists.

    Args:
        document: the page.
        url: its address.
        content_type: the header of that name.
        platform: the engine, a key of SPIDERS.
        number: that of the board; None for the forum's front page.

    Raises:
        SourceProblem: as `parse_html` does.
    """
    page, spider = parse_html(document, content_type=content_type), _engine(platform)
    markup = spider.MARKUP
    return BoardPage(
        list(find_boards(page, markup, base=url)),
        list(find_topics(page, markup, base=url)),
        {} if number is None else find_pages(page, markup, markup.board_number, number, base=url),
        bool(page.css(markup.closed)),
    )


def read_topic(document: bytes, *, url: str, content_type: str, platform: str, number: int) -> TopicPage:
    """Return the posts of a page; arguments and errors are those of `read_board`, `number` that of the topic."""
    page, spider = parse_html(document, content_type=content_type), _engine(platform)
    markup = spider.MARKUP
    pages = find_pages(page, markup, markup.topic_number, number, base=url)
    has_posts, closed = bool(page.css(markup.post)), bool(page.css(markup.closed))
    posts = list(find_posts(page, markup))
    return TopicPage(title_of(page, markup), posts, has_posts, pages, closed)


def read_feed(document: bytes, *, url: str, content_type: str, platform: str) -> FeedPage:
    """Return the entries of a feed.

    Raises:
        SourceProblem: as `parse_entries` does.
    """
    entries, whole = parse_entries(document, url=url, charset=charset_of(content_type))
    spider = _engine(platform)
    return FeedPage([(entry._replace(markup=""), _text_of(entry, spider)) for entry in entries], whole)


def _text_of(entry: FeedEntry, spider: Any) -> str | None:
    own = spider.entry_markup(entry.markup).strip()
    try:
        return own_text(parse_markup(f"<div>{own}</div>"), spider.MARKUP) if own else ""
    except (MarkupError, SourceProblem):
        return None


def _engine(platform: str) -> Any:
    return spider_class(platform)
