"""What the pages of a classic forum show: boards, topics, posts, and the links between pages (pure).

Every engine writes the same four things in its default theme, so one table of selectors (`ForumMarkup`) describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin

from parsel import Selector

from collectors.text import MarkupError, html_to_text
from collectors.values import is_unsigned, parse_count

_SESSION = re.compile(r"(?<=[?&;])(?:sid|PHPSESSID)=[\w,-]*(?:[&;]|(?=#)|$)")
_DANGLING = re.compile(r"[?&;]+(?=#|$)")
_UNDER_A_MINUTE = re.compile(r"(?:hace\s+)?menos de (?:un|1) minuto|less than a minute ago", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
_LONGEST_LINE = 200
"""Longer, it is no address and no date; the patterns below may cost the square of what they look through."""

_GUEST_WORDS = "visitante visitantes guests sinregistrar noregistrado noregistrada unregistered usuarionoregistrado"
_GUESTS = frozenset(_GUEST_WORDS.split())
"""What a forum writes in the place of a guest's name, beside what stands for nobody everywhere; letters only."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a date stands: the `datetime` of a `<time>` in the node if there is one, else one line of its text."""

    css: str
    line: int = 0
    pattern: re.Pattern[str] = re.compile(r"(.+)")
    """Group 1 is the date within the line."""

    without: str | None = None
    """In the node: what is not the date (who edited it, and when)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForumMarkup:
    """How one engine writes its pages: CSS selectors, and patterns of its addresses whose group 1 is the number."""

    board: str
    board_link: str
    board_stamp: Stamp
    redirect: str
    """In a board: what shows that it is only a link to elsewhere."""

    subboard_link: str
    topic: str
    topic_link: str
    topic_stamp: Stamp
    pinned: str
    """In a topic's row: sticky or announcement, which stands out of the order of activity."""

    moved: str
    """In a topic's row: what is left where a topic was moved away."""

    title: str
    post: str
    post_id: str
    post_stamp: Stamp
    hidden: str
    """In or on a post: deleted or not yet approved."""

    author: str
    member: str
    """In a post: the link to the author's profile, which a guest has none of."""

    body: str
    dropped: str
    """In a body: quotes, signatures, notices and labels, which are not the words of this message."""

    quoted: str
    reactions: str | None = None
    page_link: str
    closed: str
    """On a page: a message or a login form in the place of the list."""

    board_number: re.Pattern[str]
    topic_number: re.Pattern[str]
    post_number: re.Pattern[str]
    position: re.Pattern[str]
    first_position: int = 0


class BoardRow(NamedTuple):
    """One board of an index page; `raw` is its last activity as written, None if it shows none."""

    number: int
    url: str
    raw: str | None


class TopicRow(NamedTuple):
    """One topic of a board; `raw` is the date of its last post as written."""

    number: int
    url: str
    raw: str | None
    pinned: bool


class Post(NamedTuple):
    """One post of a topic page; `quoted` is the number of the post that it quotes first."""

    number: int
    author: str | None
    raw: str | None
    text: str
    quoted: int | None
    reactions: int | None


def clean_address(url: str) -> str:
    """Return an address without the session that the forum hung on it; one that is far too long is cut."""
    url = url[: _LONGEST_ADDRESS + 1]
    return _DANGLING.sub("", _SESSION.sub("", url))


def find_boards(page: Selector, markup: ForumMarkup, *, base: str) -> Iterator[BoardRow]:
    """Yield the boards of a page, then the boards inside them that it names; those that lead elsewhere are left out."""
    for row in page.css(markup.board):
        if not row.css(markup.redirect):
            raw = raw_date(row, markup.board_stamp)
            yield from (BoardRow(number, url, raw) for number, url in _links(row, markup.board_link, markup.board_number, base))
    for number, url in _links(page, markup.subboard_link, markup.board_number, base):
        yield BoardRow(number, url, None)


def find_topics(page: Selector, markup: ForumMarkup, *, base: str) -> Iterator[TopicRow]:
    """Yield the topics of a board page in its order; what is left of a moved one is no topic."""
    for row in page.css(markup.topic):
        if row.css(markup.moved):
            continue
        for number, url in list(_links(row, markup.topic_link, markup.topic_number, base))[:1]:
            yield TopicRow(number, url, raw_date(row, markup.topic_stamp), bool(row.css(markup.pinned)))


def find_pages(page: Selector, markup: ForumMarkup, kind: re.Pattern[str], number: int, *, base: str) -> dict[int, str]:
    """Return position -> address of the pages of one board or topic that a page links to."""
    found = {}
    for linked, url in _links(page, markup.page_link, kind, base):
        position = markup.position.search(url)
        if linked == number:
            found[int(position[1]) if position else markup.first_position] = url
    return found


def find_posts(page: Selector, markup: ForumMarkup) -> Iterator[Post | None]:
    """Yield the posts of a topic page; None for one without number or body, or not readable. Empties the quotes in `page`."""
    for node in page.css(markup.post):
        if node.css(markup.hidden):
            continue
        number = re.search(r"(?<!\d)(\d{1,18})$", (_value(node, markup.post_id) or "")[-30:])
        body = next(iter(node.css(markup.body)), None)
        if number is None or body is None:
            yield None
            continue
        try:
            yield _post(node, int(number[0]), body, markup)
        except MarkupError:
            yield None


def _post(node: Selector, number: int, body: Selector, markup: ForumMarkup) -> Post:
    quoted = quoted_number(body, markup)
    likes = re.search(r"\d+", (_value(node, markup.reactions) or "")[:_LONGEST_LINE]) if markup.reactions else None
    return Post(
        number=number,
        author=_author(node, markup),
        raw=raw_date(node, markup.post_stamp),
        text=own_text(body, markup),
        quoted=quoted,
        reactions=parse_count(likes[0]) if likes else None,
    )


def quoted_number(body: Selector, markup: ForumMarkup) -> int | None:
    """Return the number of the first post that a body quotes by a link, quotes inside quotes left aside."""
    for link in body.css(markup.quoted):
        match = markup.post_number.search(link.attrib.get("href", "")[:_LONGEST_ADDRESS])
        if match and len(link.xpath("ancestor::blockquote")) <= 1:
            return int(match[1])
    return None


def own_text(body: Selector, markup: ForumMarkup) -> str:
    """Return the text of a body without what others wrote; the quotes in `body` are emptied."""
    for node in body.css(markup.dropped):
        # Emptied, not removed: the words before and after it are not to grow together.
        node.root.clear(keep_tail=True)
    for image in body.css("img.smilies"):
        image.root.set("class", "smiley")
    return html_to_text(body.get())


def raw_date(scope: Selector, stamp: Stamp) -> str | None:
    """Return a date as written; None if there is none. A date that is told by its distance may carry itself in `title`."""
    node = next(iter(scope.css(stamp.css)), None)
    if node is None:
        return None
    exact = node.css("time[datetime]")
    if exact:
        return exact[0].attrib["datetime"].strip() or None
    for other in node.css(stamp.without) if stamp.without else ():
        other.root.clear(keep_tail=True)
    for told in node.css("span[title]"):
        told.root.text = told.attrib["title"]
    lines = html_to_text(node.get()).split("\n")
    if not -len(lines) <= stamp.line < len(lines):
        return None
    match = stamp.pattern.search(lines[stamp.line][:_LONGEST_LINE])
    return _UNDER_A_MINUTE.sub("hace 1 minuto", match[1].strip()) or None if match else None


def is_guest_name(name: str) -> bool:
    """Tell whether a name is what a forum writes for any guest: many people would become one voice."""
    return is_unsigned(name) or re.sub(r"[\W\d_]", "", name.casefold()) in _GUESTS


def _author(node: Selector, markup: ForumMarkup) -> str | None:
    name = _value(node, markup.author)
    return None if name is None or (not node.css(markup.member) and is_guest_name(name)) else name


def _value(scope: Selector, selector: str) -> str | None:
    """Return the first text that `css` or `css@attribute` gives, on one line."""
    css, _, attribute = selector.partition("@")
    for node in scope.css(css) if css else [scope]:
        value: Any = node.attrib.get(attribute) if attribute else html_to_text(node.get())
        if value and value.strip():
            return " ".join(value.split())
    return None


def title_of(page: Selector, markup: ForumMarkup) -> str | None:
    """Return the title of a topic; None if the page shows none."""
    return next(filter(None, (_value(page, css) for css in markup.title.split("|"))), None)


def _links(scope: Selector, css: str, kind: re.Pattern[str], base: str) -> Iterator[tuple[int, str]]:
    """Yield (number, address) of the links to a board or topic, without session and fragment."""
    for href in scope.css(css).xpath("@href").getall():
        try:
            url = urldefrag(clean_address(urljoin(base, href.strip()))).url
        except ValueError:
            continue  # no address at all ("http://[")
        match = kind.search(url) if len(url) <= _LONGEST_ADDRESS else None
        if match:
            yield int(match[1]), url
