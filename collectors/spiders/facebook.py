"""Comments on the municipality's own Facebook Page, by the Graph API with a token of the Page.

Facts from developers.facebook.com/docs/graph-api/reference: "Page Feed" (page/feed: what the Page posted and what visitors
posted on it, `since`, `until` and `limit` up to 100), "Object Comments" (object/comments: `filter=stream` gives answers too,
in the order `order=chronological`; `summary` gives `total_count`), "Comment" (comment: `parent`, `like_count`,
`permalink_url`, `is_hidden`; who wrote it is told to a token of the Page only). Errors and pages: see `graph`.

A post older than the window gathers comments within it, so posts are asked for from `lookback_days` before it on. Only the id
of who wrote is asked for, never the name. What the Page has hidden is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from collectors.catalog import PlatformOptions
from collectors.items import Manifestation
from collectors.spiders.api import Call, field_of
from collectors.spiders.graph import GraphOptions, GraphSpider

POSTS_PAGE, COMMENTS_PAGE = 50, 100
POST_FIELDS = "id,message,created_time,permalink_url,is_hidden,from{id},comments.limit(0).summary(true)"
COMMENT_FIELDS = "id,message,created_time,permalink_url,parent{id},like_count,is_hidden,from{id}"


class FacebookOptions(GraphOptions):
    """Which Page is read."""

    page: str = Field(pattern=r"^\d{5,30}$", description="Id of the Page, in digits.")


class FacebookSpider(GraphSpider):
    """Walks the posts of a Page, newest first, and the comments under each, oldest first."""

    Options: ClassVar[type[PlatformOptions]] = FacebookOptions
    PERMISSIONS: ClassVar[str] = "pages_read_engagement and pages_read_user_content, of a person with a role on the Page"

    options: FacebookOptions

    def begin_walks(self) -> None:
        """Plan the posts of the window and of the days before it."""
        query = {
            "fields": POST_FIELDS,
            "since": int(self.horizon.timestamp()),
            "until": int(self.period.end_utc.timestamp()),
            "limit": POSTS_PAGE,
        }
        self.walk(f"{self.options.page}/feed", self.parse_feed, query)

    def parse_feed(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the posts of a page, and plan the comments under each and the page after it."""
        told = self.told_rows(self.rows(document, "data", call), text="message", date="created_time")
        for row, number, raw, published in told:
            if row.get("is_hidden") is True:
                self.told["posts hidden by the Page"] += 1
                continue
            yield from self._post(row, number, published, raw)
            if field_of(row, "comments", "summary", "total_count", kind=int) != 0:
                query = {"fields": COMMENT_FIELDS, "filter": "stream", "order": "chronological", "limit": COMMENTS_PAGE}
                self.walk(f"{number}/comments", self.parse_comments, query, post=number)
        if not told or any(one.published is None or one.published >= self.horizon for one in told):
            self.walk_on(document, call, [one.number for one in told])

    def parse_comments(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the comments of a page, and plan the page after it unless it reaches beyond the window."""
        told = self.told_rows(self.rows(document, "data", call), text="message", date="created_time")
        for row, number, raw, published in told:
            if row.get("is_hidden") is True:
                self.told["comments hidden by the Page"] += 1
                continue
            yield from self._message(
                row,
                kind=self._own("official", row) or "manifestation",
                native_id=number,
                parent_id=field_of(row, "parent", "id") or call.known["post"],
                published_at=published,
                published_raw=raw,
            )
        if not told or any(one.published is None or one.published < self.period.end_utc for one in told):
            self.walk_on(document, call, [one.number for one in told])

    def _post(self, row: dict[str, Any], number: str, published: datetime | None, raw: str | None) -> Iterator[Manifestation]:
        """Yield a post: context if it is the Page's, or if it is not told whose it is; a person's message otherwise."""
        own = "official" if self.source.publisher.official else "article"
        nobody = field_of(row, "from", "id") is None
        kind = own if nobody else self._own(own, row) or "manifestation"
        yield from self._message(row, kind=kind, native_id=number, published_at=published, published_raw=raw)

    def _own(self, kind: str, row: dict[str, Any]) -> str | None:
        """Return a kind for what the Page itself wrote; None for anybody else's words."""
        return kind if field_of(row, "from", "id") == self.options.page else None

    def _message(self, row: dict[str, Any], **fields: Any) -> Iterator[Manifestation]:
        yield from self.manifestation(
            url=field_of(row, "permalink_url"),
            author=field_of(row, "from", "id") if fields["kind"] == "manifestation" else None,
            text=row.get("message") or "",
            reactions=field_of(row, "like_count", kind=int),
            **fields,
        )
