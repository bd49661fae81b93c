"""Comments on the municipality's own professional Instagram account, by the Instagram API.

Facts from developers.facebook.com/documentation/instagram-platform: "Comments" of IG Media (instagram-graph-api/reference/
ig-media/comments: comments on the first level, newest first, at most 50 a page; answers by expanding the field `replies`;
the token is one of the Instagram login for graph.instagram.com or of the Facebook login for graph.facebook.com), "Replies"
of IG Comment, and "Media" of IG User (newest first, the newest 10,000). Errors and pages: see `graph`.

Nothing asks for comments by date: media are walked until they are older than the window by `lookback_days`. A new answer may
stand under an old comment, so a thread is always read whole. What the account has hidden is left out and counted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any, ClassVar

from pydantic import Field

from collectors.catalog import PlatformOptions
from collectors.items import Manifestation
from collectors.spiders.api import Call, field_of
from collectors.spiders.graph import GraphOptions, GraphSpider, identity

PAGE_SIZE = 50
MEDIA_FIELDS = "id,caption,timestamp,permalink,comments_count,username"
REPLY_FIELDS = "id,text,timestamp,like_count,username,hidden"
COMMENT_FIELDS = f"{REPLY_FIELDS},replies.limit({PAGE_SIZE}){{{REPLY_FIELDS}}}"


class InstagramOptions(GraphOptions):
    """Which account is read; with a token of the Instagram login, `api` is https://graph.instagram.com/."""

    account: str = Field(pattern=r"^\d{5,30}$", description="Id of the professional account, in digits.")


class InstagramSpider(GraphSpider):
    """Walks the media of an account, newest first, and the whole thread under each."""

    Options: ClassVar[type[PlatformOptions]] = InstagramOptions
    PERMISSIONS: ClassVar[str] = (
        "instagram_business_basic and instagram_business_manage_comments (Instagram login), or instagram_basic, "
        "instagram_manage_comments and pages_read_engagement (Facebook login)"
    )

    options: InstagramOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start without knowing the account's own name."""
        super().__init__(**kwargs)
        self._own_name: str | None = None

    def begin_walks(self) -> None:
        """Plan the newest media."""
        self.walk(f"{self.options.account}/media", self.parse_media, {"fields": MEDIA_FIELDS, "limit": PAGE_SIZE})

    def parse_media(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the media of a page as context, and plan the comments under each and the page after it."""
        told = self.told_rows(self.rows(document, "data", call), text="caption", date="timestamp")
        for row, number, raw, published in told:
            self._own_name = field_of(row, "username") or self._own_name
            yield from self.manifestation(
                kind="official" if self.source.publisher.official else "article",
                native_id=number,
                url=field_of(row, "permalink"),
                text=row.get("caption") or "",
                published_at=published,
                published_raw=raw,
            )
            recent = published is None or self.horizon <= published < self.period.end_utc
            if recent and field_of(row, "comments_count", kind=int) != 0:
                self.walk(f"{number}/comments", self.parse_comments, {"fields": COMMENT_FIELDS, "limit": PAGE_SIZE}, media=number)
        if not told or any(one.published is None or one.published >= self.horizon for one in told):
            self.walk_on(document, call, [one.number for one in told])

    def parse_comments(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the comments of a page with the answers that they bring along, and plan what is left of both."""
        rows = self.rows(document, "data", call)
        ids = yield from self._comments(rows, parent=call.known["media"])
        for row in rows:
            number, replies = identity(row, text="text"), row.get("replies")
            if number is None or replies is None:
                continue
            if not isinstance(replies, dict):
                self.odd_count += 1
                continue
            yield from self._comments(self.rows(replies, "data", call), parent=number)
            after = self.cursor_after(replies, f"{number}/replies")
            if after is not None:
                query = {"fields": REPLY_FIELDS, "limit": PAGE_SIZE}
                self.walk(f"{number}/replies", self.parse_replies, query, after=after, comment=number)
        self.walk_on(document, call, ids)

    def parse_replies(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield further answers to one comment, and plan the page after them."""
        ids = yield from self._comments(self.rows(document, "data", call), parent=call.known["comment"])
        self.walk_on(document, call, ids)

    def _comments(self, rows: Iterable[dict[str, Any]], *, parent: str) -> Generator[Manifestation, None, list[str]]:
        """Yield comments or answers of one parent; return the ids of all rows, hidden ones included."""
        told = self.told_rows(rows, text="text", date="timestamp")
        for row, number, raw, published in told:
            if row.get("hidden") is True:
                self.told["comments hidden by the account"] += 1
                continue
            author = field_of(row, "username")
            own = author is not None and self._own_name is not None and author.casefold() == self._own_name.casefold()
            yield from self.manifestation(
                kind="official" if own else "manifestation",
                native_id=number,
                parent_id=parent,
                author=author,
                text=row.get("text") or "",
                published_at=published,
                published_raw=raw,
                reactions=field_of(row, "like_count", kind=int),
            )
        return [one.number for one in told]
