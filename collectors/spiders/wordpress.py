"""WordPress sites by their REST API: posts as context, comments as manifestations.

Facts from the WordPress REST API Handbook (developer.wordpress.org/rest-api/reference/comments and /posts): `per_page`
is at most 100; `X-WP-TotalPages` tells how many pages there are; `date_gmt` is UTC without an offset; `after` and
`before` compare with the site's local clock, so the window is asked for with a day to spare on both sides and cut later.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider, header
from collectors.text import html_to_text

PAGE_SIZE = 100
SPARE = timedelta(days=1)


class WordPressOptions(PlatformOptions):
    """What may differ between two WordPress sites."""

    posts: bool = Field(True, description="False: do not read the articles, only the comments.")


class WordPressSpider(PlatformSpider):
    """Walks `/wp-json/wp/v2/posts` and `/wp-json/wp/v2/comments`, oldest first."""

    Options: ClassVar[type[PlatformOptions]] = WordPressOptions

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of each collection."""
        options: Any = self.source.options
        if options.posts:
            yield self.request(self.page_url("posts", 1), self.parse_posts, cb_kwargs={"page": 1})
        yield self.request(self.page_url("comments", 1), self.parse_comments, cb_kwargs={"page": 1})

    def page_url(self, collection: str, page: int) -> str:
        """Return the address of one page of `posts` or `comments` for the window."""
        query = {
            "after": (self.period.start_utc - SPARE).strftime("%Y-%m-%dT%H:%M:%S"),
            "before": (self.period.end_utc + SPARE).strftime("%Y-%m-%dT%H:%M:%S"),
            "orderby": "date_gmt" if collection == "comments" else "date",
            "order": "asc",
            "per_page": PAGE_SIZE,
            "page": page,
        }
        return urljoin(self.source.url, f"wp-json/wp/v2/{collection}") + "?" + urlencode(query)

    def parse_posts(self, response: Response, page: int) -> Iterator[Manifestation | Request]:
        """Yield one `article` for each post."""
        yield from self._parse_page(response, page, "posts", self._article)

    def parse_comments(self, response: Response, page: int) -> Iterator[Manifestation | Request]:
        """Yield one manifestation for each comment."""
        yield from self._parse_page(response, page, "comments", self._comment)

    def _parse_page(self, response: Response, page: int, collection: str, build: Any) -> Iterator[Manifestation | Request]:
        if not self.readable(response):
            return
        rows = self._rows(response)
        for row in rows:
            yield from build(row)
        total = header(response, "X-WP-TotalPages")
        if not total.isdecimal() and len(rows) >= PAGE_SIZE:
            self.note("malformed", f"{response.url}: a full page without X-WP-TotalPages; those after it were not asked for")
        elif rows and total.isdecimal() and page < int(total):
            callback = self.parse_posts if collection == "posts" else self.parse_comments
            yield self.request(self.page_url(collection, page + 1), callback, cb_kwargs={"page": page + 1})

    def _rows(self, response: Response) -> list[dict[str, Any]]:
        try:
            rows = json.loads(response.body)
        except ValueError:
            rows = None
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.started_well = False
        self.note("malformed", f"{response.url}: not a JSON list of objects")
        return []

    def _article(self, row: dict[str, Any]) -> Iterator[Manifestation]:
        yield from self.manifestation(
            kind="official" if self.source.publisher.official else "article",
            native_id=_numbered("post", row.get("id")),
            url=row.get("link"),
            title=html_to_text(_rendered(row, "title")),
            text=html_to_text(_rendered(row, "content")),
            published_at=self.published(_gmt(row, "date_gmt")),
            published_raw=row.get("date_gmt"),
            modified_at=self.published(_gmt(row, "modified_gmt")),
        )

    def _comment(self, row: dict[str, Any]) -> Iterator[Manifestation]:
        if row.get("type", "comment") != "comment":
            return
        yield from self.manifestation(
            native_id=_numbered("comment", row.get("id")),
            parent_id=_numbered("comment", row.get("parent")) or _numbered("post", row.get("post")),
            url=row.get("link"),
            author=row.get("author_name"),
            text=html_to_text(_rendered(row, "content")),
            published_at=self.published(_gmt(row, "date_gmt")),
            published_raw=row.get("date_gmt"),
        )


def _numbered(kind: str, number: object) -> str | None:
    """Return the id of a post or comment; None for 0, which WordPress writes for "none", and for an absent one."""
    return f"{kind}-{number}" if number else None


def _rendered(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    return str(value.get("rendered") or "") if isinstance(value, dict) else ""


def _gmt(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    return f"{value}Z" if isinstance(value, str) and value else None
