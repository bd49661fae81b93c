"""Comments on YouTube videos by the YouTube Data API v3: off until the city accepts its storage rule.

Facts from developers.google.com/youtube/v3/docs: commentThreads/list (`maxResults` up to 100, `order=time` newest thread
first, no filter by date, one unit of quota a call), commentThreads (`replies` holds only some of them), comments/list
(`parentId`), comments, and errors. The key travels in the header X-Goog-Api-Key (cloud.google.com/docs/authentication/
api-keys-use). The developer policies (developers.google.com/youtube/terms/developer-policies, III.E.4) allow what is stored
without an authorisation of its author to be kept 30 days; who uses the API also owes its readers a link to YouTube's terms.
Nothing about authors is asked for, and of what comes unasked only the channel's id is used, for the pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from scrapy.http import Response

from collectors.catalog import ApiOptions, PlatformOptions, Source, WebAddress
from collectors.items import Manifestation
from collectors.secrets import SecretReference
from collectors.spiders.api import ApiSpider, Call, field_of
from collectors.spiders.base import parse_count

PAGE_SIZE = 100
MOST_RETENTION_DAYS = 30

_LIMITS = "quotaExceeded dailyLimitExceeded rateLimitExceeded userRateLimitExceeded RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED"
_QUOTA = frozenset(_LIMITS.split())
_NO_KEY = frozenset({"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "keyInvalid", "keyExpired", "accessNotConfigured"})
_GONE = frozenset({"commentNotFound", "parentCommentNotFound", "commentThreadNotFound"})


class YouTubeOptions(ApiOptions):
    """Which comments are read, with which key, under which rule."""

    api: WebAddress = Field("https://www.googleapis.com/", description="Base address of the API.")
    key: SecretReference = Field(description="Key of the YouTube Data API.")
    accept_storage_rule: Literal[True] = Field(
        description="true: the city deletes comments after 30 days at most, as YouTube demands; retention_days must say so."
    )
    channel: str | None = Field(None, pattern=r"^UC[\w-]{22}$", description="Id of a channel: comments on all its videos.")
    videos: tuple[str, ...] = Field((), description="Ids of single videos, instead of a channel.")
    lookback_days: int = Field(30, ge=0, le=365, description="How many days before the window a thread may begin.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.channel is None) == (not self.videos):
            raise ValueError("give either channel or videos")
        return self

    def check_source(self, source: Source) -> None:
        """Demand a retention that YouTube allows."""
        if source.retention_days > MOST_RETENTION_DAYS:
            raise ValueError(
                f"retention_days: {source.retention_days} is longer than YouTube allows; write at most {MOST_RETENTION_DAYS}"
            )


class YouTubeSpider(ApiSpider):
    """Walks the threads of a channel or of videos, newest first, and the replies that a thread leaves out."""

    Options: ClassVar[type[PlatformOptions]] = YouTubeOptions
    OBEYS_ROBOTS: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        """Start without a key."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: YouTubeOptions = options
        self.horizon = self.period.start_utc - timedelta(days=options.lookback_days)
        self._key: str | None = None

    def begin(self) -> None:
        """Plan the newest threads of each place."""
        self._key = self.secret(self.options.key)
        if self._key is None:
            return
        for video in self.options.videos:
            self._plan_threads({"videoId": video})
        if self.options.channel is not None:
            self._plan_threads({"allThreadsRelatedToChannelId": self.options.channel})

    def headers(self) -> dict[str, str]:
        """Return the key."""
        return {"X-Goog-Api-Key": self._key or ""}

    def error_name(self, document: dict[str, Any]) -> str | None:
        """Return the first reason that is given, that of the details before that of the errors; else the status."""
        listed = [field_of(document, "error", part, kind=list) or [] for part in ("details", "errors")]
        reasons = [reason for reason in (field_of(error, "reason") for part in listed for error in part) if reason]
        status: str | None = field_of(document, "error", "status")
        return next(iter(reasons), status)

    def asks_to_wait(self, status: int, name: str) -> bool:
        """Tell whether the quota is spent: it holds for every call of the key."""
        return super().asks_to_wait(status, name) or (status == 403 and name in _QUOTA)

    def refuses_key(self, status: int, name: str) -> bool:
        """Tell whether the key is none, or not one for this API."""
        return super().refuses_key(status, name) or name in _NO_KEY

    def refused(self, response: Response, call: Call, name: str) -> None:
        """Take closed comments and deleted threads for the facts that they are."""
        if name == "commentsDisabled":
            self.started_well = True
            self.told["videos whose comments are closed"] += 1
        elif name in _GONE and call.then == self.parse_replies:
            self.told["threads that are gone"] += 1
        else:
            super().refused(response, call, name)

    def facts(self) -> list[str]:
        """Return what was counted, and the quota spent."""
        return [*super().facts(), *([f"{self.asked_count:,} units of quota spent"] if self.asked_count else [])]

    def parse_threads(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the comments of a page of threads; plan the replies left out, and the next page."""
        rows = self.rows(document, "items", call)
        dates = []
        for row in rows:
            top = field_of(row, "snippet", "topLevelComment", kind=dict)
            dates.append(self.published(field_of(top, "snippet", "publishedAt")))
            if field_of(row, "snippet", "isPublic", kind=bool) is not False:
                yield from self._thread(row, top)
        dated = [date for date in dates if date is not None]
        past = bool(dated) and max(dated) < self.horizon
        place, token = call.known["place"], document.get("nextPageToken")
        if self.goes_on(f"threads of {next(iter(place.values()))}", token, map(_id_of, rows)) and not past:
            self._plan_threads(place, token)

    def parse_replies(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield a page of the replies to one comment."""
        rows, thread, token = self.rows(document, "items", call), call.known["thread"], document.get("nextPageToken")
        for row in rows:
            yield from self._comment(row, thread)
        if self.goes_on(f"replies to {_id_of(thread)}", token, map(_id_of, rows)):
            self._plan_replies(thread, token)

    def _plan_threads(self, place: dict[str, str], token: Any = "") -> None:
        asked = {**place, "part": "snippet,replies", "order": "time", "textFormat": "plainText", "maxResults": PAGE_SIZE}
        self.plan("youtube/v3/commentThreads", self.parse_threads, {**asked, "pageToken": token}, known={"place": place})

    def _plan_replies(self, thread: dict[str, Any], token: Any = "") -> None:
        asked = {"parentId": _id_of(thread), "part": "snippet", "textFormat": "plainText", "maxResults": PAGE_SIZE}
        self.plan("youtube/v3/comments", self.parse_replies, {**asked, "pageToken": token}, known={"thread": thread})

    def _thread(self, row: dict[str, Any], top: dict[str, Any] | None) -> Iterator[Manifestation]:
        yield from self._comment(top, row, first=True)
        given = field_of(row, "replies", "comments", kind=list) or []
        for reply in given:
            yield from self._comment(reply, row)
        if _id_of(row) and (field_of(row, "snippet", "totalReplyCount", kind=int) or 0) > len(given):
            self._plan_replies(row)

    def _comment(self, row: Any, thread: dict[str, Any], *, first: bool = False) -> Iterator[Manifestation]:
        snippet, native_id = field_of(row, "snippet", kind=dict), _id_of(row)
        text = field_of(snippet, "textDisplay")
        if not native_id or text is None:
            self.odd_count += 1
            return
        video, author = field_of(thread, "snippet", "videoId"), field_of(snippet, "authorChannelId", "value")
        name = field_of(snippet, "authorDisplayName")
        own = author is not None and author == field_of(thread, "snippet", "channelId")
        context = "official" if self.source.publisher.official else "article"
        yield from self.manifestation(
            kind=context if own else "manifestation",
            native_id=native_id,
            parent_id=None if first else field_of(snippet, "parentId") or _id_of(thread) or None,
            url=f"https://www.youtube.com/watch?v={video}&lc={native_id}" if video else None,
            author=name if name and self.is_publisher(name) else author or name,
            text=text,
            published_at=self.published(field_of(snippet, "publishedAt")),
            published_raw=field_of(snippet, "publishedAt"),
            modified_at=self.published(field_of(snippet, "updatedAt")),
            reactions=parse_count(str(snippet.get("likeCount"))),
        )


def _id_of(row: Any) -> str:
    found: str | None = field_of(row, "id")
    return found or ""
