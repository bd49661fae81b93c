"""The threads below WordPress articles as their pages show them, and the sitemap that lists the articles; pure.

Facts from what WordPress prints (wp-includes: class-walker-comment.php, comment-template.php, blocks/comment-template.php,
sitemaps/class-wp-sitemaps.php, link-template.php): every theme that lists comments by WordPress's own function writes
`<li id="comment-N" class="comment ...">`, answers nested in it, pingbacks with a class of their own, and a `time` with the
instant (before WordPress 5.3 the local time, called UTC); a long thread goes on at `comment-page-N/` or `cpage=N`; every answer
for one article, its feed too, names `?p=N` as its short link; since WordPress 5.5 `wp-sitemap.xml` lists all public articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from parsel import Selector
from scrapy.http import Response

from collectors.html_tree import parse_html
from collectors.links import canonical_link
from collectors.spiders.wordpress_addresses import thread_page
from collectors.spiders.wordpress_rows import post_number
from collectors.text import html_to_text

_ID = re.compile(r"(?:div-)?comment-(\d{1,19})", re.ASCII)
_SHORT_LINK = re.compile(r"""<([^<>]{1,500})>\s*;[^,<]{0,200}rel=["']?shortlink""", re.ASCII)
_PLACE = re.compile(r"(?:comment-page-|[?&]cpage=)(\d{1,5})", re.ASCII)
_OF_OTHERS = re.compile(r"users?|authors?|taxonom|categor|tags?[-_.]", re.IGNORECASE | re.ASCII)
_TEXT = ".comment-content, .wp-block-comment-content, .comment-text, .comment_text, .comment-entry"
_AUTHOR = ".fn, .wp-block-comment-author-name, .comment-author-name, .comment-author"


class ThreadComment(NamedTuple):
    """One comment as the page of its article shows it."""

    number: int
    parent: int | None
    """The comment that it is nested in; None if it is nested in none."""

    author: str | None
    raw_date: str | None
    text: str
    shown: bool
    """False if the theme shows its text in a way that is not known."""

    by_machine: bool
    """True for a link from another site."""


class ThreadPage(NamedTuple):
    """What one page of an article's thread holds."""

    comments: list[ThreadComment]
    place: int | None
    """Which page of the thread it is; None if it does not say."""

    pages: list[str]
    """Addresses of the pages of the thread that it names, its own included."""


def read_thread_page(document: bytes, *, url: str, content_type: str, article: str) -> ThreadPage:
    """Return what a page of an article's thread holds.

    Args:
        document: the page.
        url: where it came from.
        content_type: the header of that name.
        article: address of the article.

    Raises:
        MarkupError: if a comment's text cannot be read.
        SourceProblem: as `parse_html` does.
    """
    page = parse_html(document, content_type=content_type)
    return ThreadPage(list(parse_thread(page)), own_place(page), sorted(thread_pages(url, page, article)))


def parse_thread(page: Selector) -> Iterator[ThreadComment]:
    """Yield the comments that a page shows."""
    for item in page.css("li.comment[id], li.pingback[id], li.trackback[id]"):
        number = _number(item.root)
        if number is None:
            continue
        bodies = list(_own(item, _TEXT))
        names = (" ".join(html_to_text(node.get()).split()) for node in _own(item, _AUTHOR))
        dates = (node.attrib.get("datetime") or html_to_text(node.get()) for node in _own(item, "time"))
        yield ThreadComment(
            number=number,
            parent=_number_around(item.root),
            author=next(filter(None, names), None),
            raw_date=next(filter(None, dates), None),
            text=html_to_text(bodies[0].get()) if bodies else "",
            shown=bool(bodies),
            by_machine=bool({"pingback", "trackback"} & set(item.attrib.get("class", "").split())),
        )


def _own(item: Selector, css: str) -> Iterator[Selector]:
    """Yield the elements of a comment that are not of an answer nested in it."""
    for node in item.css(css):
        around: Any = node.root.getparent()
        while around is not None and around is not item.root and (around.tag != "li" or _number(around) is None):
            around = around.getparent()
        if around is item.root:
            yield node


def _number(element: Any) -> int | None:
    found = _ID.fullmatch(element.get("id") or "")
    return int(found[1]) if found else None


def _number_around(element: Any) -> int | None:
    around = element.getparent()
    while around is not None and (around.tag != "li" or _number(around) is None):
        around = around.getparent()
    return _number(around) if around is not None else None


def thread_pages(url: str, page: Selector, article: str) -> set[str]:
    """Return the addresses of the pages of an article's thread that a page of it names, its own included."""
    found = set()
    for link in page.css("a::attr(href)").getall():
        place = _PLACE.search(link)
        address = canonical_link(urljoin(url, link)) if place and "://[" not in link else None
        if place and address and int(place[1]) > 0 and thread_page(address) == thread_page(article):
            found.add(place_of_thread(article, int(place[1])))
    return found


def place_of_thread(article: str, number: int) -> str:
    """Return the address of one page of an article's thread."""
    parts = urlsplit(thread_page(article))
    if parts.query:
        query = urlencode([*parse_qsl(parts.query), ("cpage", str(number))])
        return urlunsplit(parts._replace(query=query))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/comment-page-{number}/"))


def own_place(page: Selector) -> int | None:
    """Return which page of its thread a page is, by the links of the comments on it; None if they do not say."""
    for item in page.css("li.comment[id]"):
        number = _number(item.root)
        for link in item.css("a::attr(href)").getall():
            place = _PLACE.search(link)
            if place and link.endswith(f"#comment-{number}"):
                return int(place[1])
    return None


def short_link(response: Response) -> str | None:
    """Return `post-<number>` of the article that an answer is about, by its header; None if it names none."""
    headers = ", ".join(value.decode("latin-1") for value in response.headers.getlist("Link"))
    found = _SHORT_LINK.search(headers)
    return post_number(found[1]) if found else None


def lists_articles(sitemap: str) -> bool:
    """Tell whether a sitemap, by its name, may list articles: those of authors and categories do not."""
    return _OF_OTHERS.search(urlsplit(sitemap).path.rsplit("/", 1)[-1]) is None
