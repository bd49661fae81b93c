"""X (Twitter) by its API v2: off until the city accepts what a collection costs, which never exceeds its cap.

Facts from docs.x.com/x-api: posts/search (`/2/tweets/search/recent`: 7 days, 10 to 100 posts a page, queries of up to 512
characters; `/2/tweets/search/all`: the archive, 10 to 500 a page, 1,024 characters; `start_time` inclusive, `end_time`
exclusive and some seconds ago, `meta.next_token`), posts/counts (31 days an answer), fundamentals/edit-posts (an edit has an
id of its own; `edit_history_tweet_ids` begins with the first), fundamentals/response-codes-and-errors (an answer may carry
`errors` beside `data`; the problem `usage-capped`), fundamentals/rate-limits (`x-rate-limit-reset`).
Price: docs.x.com/x-api/getting-started/pricing, as stored in November 2026: 0.005 USD a post returned, 0.005 USD a count of
recent posts, 0.010 USD a count of the archive; a user object would cost 0.010 USD, and none is ever asked for.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from scrapy.http import Response

from collectors.catalog import ApiOptions, PlatformOptions, WebAddress
from collectors.items import Manifestation
from collectors.secrets import SecretReference
from collectors.spiders.api import ApiSpider, Call, field_of
from collectors.spiders.base import parse_count

logger = logging.getLogger("collectors")

USD_PER_POST = Decimal("0.005")
USD_PER_COUNT = {"recent": Decimal("0.005"), "all": Decimal("0.010")}
LEAST_POSTS = 10
"""The API gives no page smaller than this."""

MOST_POSTS = {"recent": 100, "all": 500}
MOST_CHARACTERS = {"recent": 512, "all": 1_024}
MOST_COUNTS = {"recent": 1, "all": 4}
"""Answers that a count of the window may take; one of the archive covers 31 days."""

RECENT = timedelta(days=7) - timedelta(minutes=1)
SPARE = timedelta(seconds=30)
"""How long ago `end_time` must lie."""

_FIELDS = "created_at,lang,public_metrics,conversation_id,referenced_tweets,in_reply_to_user_id,author_id,note_tweet"


class XOptions(ApiOptions):
    """What is searched for, and how much it may cost."""

    api: WebAddress = Field("https://api.x.com/", description="Base address of the API.")
    token: SecretReference = Field(description="Bearer token of the app.")
    query: str = Field(min_length=2, description="Query in the syntax of X; retweets are left out by themselves.")
    accept_cost: Literal[True] = Field(description="true: the city accepts that every post read is paid for.")
    max_posts: int = Field(ge=LEAST_POSTS, le=100_000, description="Most posts that one collection may read and pay for.")
    archive: bool = Field(False, description="True: search the whole archive; by default only the last 7 days can be searched.")
    count_first: bool = Field(True, description="False: do not ask, for the price of a post or two, how many posts there are.")
    sample: bool = Field(False, description="True: where there are more than max_posts, read the newest; by default none.")

    @model_validator(mode="after")
    def _short_enough(self) -> Self:
        most, written = MOST_CHARACTERS[self.endpoint], len(self.full_query)
        if written > most:
            raise ValueError(f"query: {written} characters with what is added to it; at most {most} are allowed")
        return self

    @property
    def endpoint(self) -> Literal["recent", "all"]:
        """Which of the two searches is asked."""
        return "all" if self.archive else "recent"

    @property
    def full_query(self) -> str:
        """The query as it is sent."""
        return f"({self.query}) -is:retweet"

    @property
    def most_usd(self) -> Decimal:
        """What one collection may cost at most, in US dollars."""
        counts = MOST_COUNTS[self.endpoint] if self.count_first else 0
        return self.max_posts * USD_PER_POST + counts * USD_PER_COUNT[self.endpoint]

    @property
    def cost(self) -> str:
        """The most that one collection may cost, in words."""
        return f"at most {self.max_posts:,} posts of X and {self.most_usd:,.3f} USD ({USD_PER_POST} USD a post)"


class XSpider(ApiSpider):
    """Counts the posts of the window, and reads them if they are no more than the cap, newest first."""

    Options: ClassVar[type[PlatformOptions]] = XOptions
    OBEYS_ROBOTS: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing paid for."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: XOptions = options
        self.read_count = self.counted = self.counts_asked = 0
        self._token: str | None = None
        self._window: dict[str, str] = {}

    def begin(self) -> None:
        """Say what it may cost, and plan the count or the first page."""
        self._token = self.secret(self.options.token)
        if self._token is None or not self._set_window():
            return
        logger.warning("%s: this collection costs %s", self.source.id, self.options.cost)
        if self.options.count_first:
            self._plan_count("")
        else:
            self._plan_page("")

    def headers(self) -> dict[str, str]:
        """Return the token."""
        return {"Authorization": f"Bearer {self._token}"}

    def error_name(self, document: dict[str, Any]) -> str | None:
        """Return the last word of a problem's type (a URI), or its title in one word."""
        kind = (field_of(document, "type") or "").rstrip("/").rsplit("/", 1)[-1]
        return kind if kind not in ("", "about:blank") else (field_of(document, "title") or "").replace(" ", "")

    def refuses_key(self, status: int, name: str) -> bool:
        """Tell whether the token, or what its project may do, was refused."""
        return super().refuses_key(status, name) or (status == 403 and name != "usage-capped")

    def refused(self, response: Response, call: Call, name: str) -> None:
        """Tell a month's cap or a credit that is spent from a limit that passes by itself."""
        if response.status == 402 or name == "usage-capped":
            self.note("rate_limited", f"HTTP {response.status} {name}: the posts of the month, or the credit, are spent")
            self.calls.clear()
        else:
            super().refused(response, call, name)

    def facts(self) -> list[str]:
        """Return what was read and what that cost."""
        if not self.asked_count:
            return []
        usd = self.read_count * USD_PER_POST + self.counts_asked * USD_PER_COUNT[self.options.endpoint]
        counted = f" of {self.counted:,} counted" if self.counts_asked else ""
        return [f"{self.read_count:,} posts read{counted}, {usd:,.3f} USD ({self.options.cost})", *super().facts()]

    def parse_count_page(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Add up one answer of the count; decide once it is whole, or beyond the cap."""
        yield from ()
        self.counts_asked += 1
        total, token = field_of(document, "meta", "total_tweet_count", kind=int), field_of(document, "meta", "next_token")
        if total is None:
            self.started_well = False
            self.note("malformed", f"{call.url}: no total in the count, so nothing was read")
            return
        self.counted += total
        options = self.options
        if token and self.counted <= options.max_posts and self.counts_asked < MOST_COUNTS[options.endpoint]:
            self._plan_count(token)
        elif not options.sample and (token or self.counted > options.max_posts):
            self.started_well = False
            found = f"{self.counted:,}{' or more' if token else ''} posts, and max_posts is {options.max_posts:,}"
            remedy = "narrow the query or the window, raise max_posts, or accept a sample (`sample: true`)"
            self.note("budget_requests", f"{found}: none was read; {remedy}")
        elif self.counted or token:
            self.started_well = False  # a count alone is nothing read
            self._plan_page("")

    def parse_page(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the posts of a page, and plan the next one as far as the cap allows."""
        empty = "data" not in document and field_of(document, "meta", "result_count", kind=int) == 0
        given = document.get("data")
        self.read_count += len(given) if isinstance(given, list) else 0
        rows = [] if empty else self.rows(document, "data", call)
        for row in rows:
            yield from self._post(row)
        for error in field_of(document, "errors", kind=list) or []:
            self.told[f"posts that X does not show ({self.error_name(error) if isinstance(error, dict) else 'unnamed'})"] += 1
        token, dates = field_of(document, "meta", "next_token"), [self.published(field_of(row, "created_at")) for row in rows]
        dated = [date for date in dates if date is not None]
        past = bool(dated) and self.is_past(max(dated))
        if self.goes_on("search", token, [f"{row.get('id')}" for row in rows]) and not past:
            self._plan_page(token)

    def page_size(self) -> int:
        """Return how many posts the next page may bring without passing the cap; 0 if a page would pass it."""
        left = self.options.max_posts - self.read_count
        size = min(left, MOST_POSTS[self.options.endpoint])
        # A rest smaller than the smallest page could not be read any more.
        if 0 < left - size < LEAST_POSTS:
            size = left - LEAST_POSTS
        return size if size >= LEAST_POSTS else 0

    def _set_window(self) -> bool:
        """Fit the window to what the search reaches; False if that is nothing of it."""
        now = self.city.now()
        start, end = self.period.start_utc, min(self.period.end_utc, now.astimezone(UTC) - SPARE)
        reach = now.astimezone(UTC) - RECENT
        if not self.options.archive and start < reach:
            told = f"a recent search reaches 7 days back, to {reach:%Y-%m-%d %H:%M} UTC, and the window begins before"
            self.note("fewer_than_expected", f"{told}; `archive: true` searches all")
            start = reach
        self._window = {"start_time": f"{start:%Y-%m-%dT%H:%M:%S}Z", "end_time": f"{end:%Y-%m-%dT%H:%M:%S}Z"}
        return start < end

    def _plan_count(self, token: str) -> None:
        asked = {"query": self.options.full_query, **self._window, "granularity": "day", "next_token": token}
        self.plan(f"2/tweets/counts/{self.options.endpoint}", self.parse_count_page, asked)

    def _plan_page(self, token: str) -> None:
        size = self.page_size()
        if not size:
            told = f"{self.read_count:,} posts were read and max_posts is {self.options.max_posts:,}"
            self.note("budget_requests", f"{told}: the older ones of the window were left")
            return
        asked = {"query": self.options.full_query, **self._window, "tweet.fields": _FIELDS, "max_results": size}
        self.plan(f"2/tweets/search/{self.options.endpoint}", self.parse_page, {**asked, "next_token": token})

    def _post(self, row: dict[str, Any]) -> Iterator[Manifestation]:
        number = field_of(row, "id")
        text = field_of(row, "note_tweet", "text") or field_of(row, "text")
        if number is None or not number.isdecimal() or text is None:
            self.odd_count += 1
            return
        versions = [one for one in field_of(row, "edit_history_tweet_ids", kind=list) or [] if isinstance(one, str)]
        related = {field_of(one, "type"): field_of(one, "id") for one in field_of(row, "referenced_tweets", kind=list) or []}
        if "retweeted" in related:
            return
        created = field_of(row, "created_at")
        yield from self.manifestation(
            native_id=versions[0] if versions else number,
            parent_id=related.get("replied_to"),
            url=f"https://x.com/i/status/{number}",
            author=field_of(row, "author_id"),
            # The API writes &, < and > as entities.
            text=html.unescape(text),
            published_at=self.published(created),
            published_raw=created,
            modified_at=self.published(created) if len(versions) > 1 else None,
            reactions=parse_count(str(field_of(row, "public_metrics", "like_count", kind=int))),
        )
