"""Where a WordPress site has its API and its feeds, with pretty permalinks and without.

Facts from developer.wordpress.org/rest-api/using-the-rest-api/discovery and wordpress.org/documentation/article/wordpress-feeds.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from scrapy.http import Response

from collectors.health import SourceProblem
from collectors.html_tree import parse_html
from collectors.links import canonical_link
from collectors.spiders.base import header

_ROOT_LINK = re.compile(r"""<([^<>]{1,500})>\s*;[^,<]{0,200}rel=["']?https://api\.w\.org/""", re.ASCII)
_HEAD_BYTES = 64_000
_THREAD_PAGE = re.compile(r"comment-page-\d+/?$", re.ASCII)


class FeedStyle(NamedTuple):
    """How a site names the feed of its comments and the feed of an article's comments."""

    site: str
    article: str


STYLES = (
    FeedStyle("comments/feed/", "feed/"),
    FeedStyle("?feed=comments-rss2", "feed=rss2"),
)
"""The second is that of sites without pretty permalinks."""


def api_root(response: Response) -> str | None:
    """Return the root of the REST API that a page of the site names, in its headers or in its head; None if it names none."""
    headers = ", ".join(value.decode("latin-1") for value in response.headers.getlist("Link"))
    told = _ROOT_LINK.search(headers)
    try:
        named = told[1] if told else _linked_root(response)
        return canonical_link(urljoin(response.url, named)) if named else None
    except ValueError:
        return None


def _linked_root(response: Response) -> str | None:
    """Return the root that the head of a page links to; only as much is looked at as may be parsed at once."""
    try:
        page = parse_html(response.body[:_HEAD_BYTES], content_type=header(response, "Content-Type"))
    except SourceProblem:
        return None
    return page.css('link[rel="https://api.w.org/"]::attr(href)').get()


def home_of(url: str) -> str:
    """Return the address of a site's front page, so that paths can be put behind it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/", "", ""))


def home_of_root(root: str) -> str:
    """Return the front page of the site whose API has this root."""
    parts = urlsplit(root)
    if "rest_route" in parse_qs(parts.query):
        return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("index.php") or "/", "", ""))
    return urljoin(root, "../")


def thread_page(link: str) -> str:
    """Return the address of an article by that of a comment on it, or of a page of its thread."""
    parts = urlsplit(link)
    query = urlencode([pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in ("cpage", "replytocom")])
    return urlunsplit(parts._replace(path=_THREAD_PAGE.sub("", parts.path), query=query, fragment=""))


def article_feed(link: str, style: FeedStyle) -> str | None:
    """Return the address of the feed of an article's comments; None if the article has no web address."""
    if canonical_link(link) is None:
        return None
    parts = urlsplit(thread_page(link))
    if parts.query or "=" in style.article:
        query = f"{parts.query}&feed=rss2" if parts.query else "feed=rss2"
        return urlunsplit(parts._replace(query=query))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{style.article}"))
