"""Bluesky: an account's posts with the replies of people, and a search.

Facts from the lexicons app.bsky.feed.getAuthorFeed, getPostThread and searchPosts, and com.atproto.server.createSession
and refreshSession (github.com/bluesky-social/atproto, folder lexicons; docs.bsky.app/docs/api). Feeds and threads are
public at public.api.bsky.app; a search needs a session on the account's own server, which passes every other call on, so
with an app password that server is asked alone. An expired token is answered 400 `ExpiredToken`. Limits: header
`RateLimit-Reset`, HTTP 429 (docs.bsky.app/docs/advanced-guides/rate-limits). `createdAt` is whatever the author's program
claims; the network dates a post by the earlier of it and `indexedAt`, which `since` and `until` of a search compare too
(docs.bsky.app/docs/advanced-guides/timestamps). The label `!no-unauthenticated` is an author's wish not to be shown to
whoever is not logged in, and `!hide` a moderator's order (atproto.com/guides/labels): both are left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from scrapy.http import Response

from collectors.catalog import ApiOptions, PlatformOptions, WebAddress
from collectors.items import Manifestation
from collectors.secrets import SecretReference
from collectors.spiders.api import ApiSpider, Call, field_of
from collectors.spiders.base import parse_count

PAGE_SIZE = 100
DEPTH = 100
"""Levels of replies asked for at once: the API gives up to 1,000, nested deeper than JSON is safely read."""

_WITHHELD = frozenset({"!hide", "!no-unauthenticated", "!takedown"})
_SESSION = "xrpc/com.atproto.server."
_REFUSALS = frozenset({"ExpiredToken", "InvalidToken", "AuthFactorTokenRequired", "AccountTakedown"})


class BlueskyOptions(ApiOptions):
    """Which account is read, what is searched, and with whose session."""

    api: WebAddress = Field("https://public.api.bsky.app", description="Base address of the public API.")
    pds: WebAddress = Field(
        "https://bsky.social", description="Server of the account that logs in; with an app password, all is asked there."
    )
    actor: str | None = Field(None, min_length=3, description="Handle or DID of the account whose posts and replies are read.")
    query: str | None = Field(None, min_length=2, description="What is searched for; needs handle and password.")
    handle: SecretReference | None = Field(None, description="Handle of the account that searches.")
    password: SecretReference | None = Field(None, description="An app password of that account, never its main one.")
    replies: bool = Field(True, description="False: only the account's own posts.")
    lookback_days: int = Field(30, ge=0, le=365, description="How long before the window a post may be, to be asked for replies.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.actor is None and self.query is None:
            raise ValueError("give actor, query or both")
        if (self.handle is None) != (self.password is None):
            raise ValueError("handle and password go together: give both or neither")
        if self.query is not None and self.password is None:
            raise ValueError("query needs handle and password: Bluesky answers a search only to an account that is logged in")
        return self

    @property
    def asked(self) -> str:
        """The server of the account if it logs in, the public API otherwise."""
        return self.pds if self.password is not None else self.api


class BlueskySpider(ApiSpider):
    """Walks an account's feed and its threads, and the results of a search, newest first."""

    Options: ClassVar[type[PlatformOptions]] = BlueskyOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start without a session."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: BlueskyOptions = options
        self.horizon = self.period.start_utc - timedelta(days=options.lookback_days)
        own = (options.actor, *self.source.publisher.authors)
        self._own = {name.removeprefix("@").casefold() for name in own if name}
        self._access = self._refresh = ""
        self._threads: set[str] = set()

    def begin(self) -> None:
        """Plan the login where there is one, else the walks."""
        if self.options.handle is None or self.options.password is None:
            self._plan_walks()
            return
        handle, password = self.secret(self.options.handle), self.secret(self.options.password)
        if handle is not None and password is not None:
            body = json.dumps({"identifier": handle, "password": password}).encode()
            self.calls.append(self._session_call("createSession", body=body, headers={"Content-Type": "application/json"}))

    def headers(self) -> dict[str, str]:
        """Return the token of the session, if there is one."""
        return {"Authorization": f"Bearer {self._access}"} if self._access else {}

    def parse_session(self, document: dict[str, Any], call: Call) -> Iterable[Manifestation]:
        """Keep the tokens; go on with the call that waited for them, or begin the walks."""
        self._access = field_of(document, "accessJwt") or ""
        self._refresh = field_of(document, "refreshJwt") or ""
        self.started_well = False  # a login is nothing read
        if not self._access:
            self.note("malformed", f"{call.url}: an answer without a token")
            self.calls.clear()
        elif "waiting" in call.known:
            self.calls.appendleft(call.known["waiting"])
        else:
            self._plan_walks()
        return ()

    def refuses_key(self, status: int, name: str) -> bool:
        """Tell whether the login or its token was refused."""
        return super().refuses_key(status, name) or name in _REFUSALS

    def refused(self, response: Response, call: Call, name: str) -> None:
        """Renew an expired token once; a thread that is gone is no problem."""
        if name == "ExpiredToken" and self._refresh and not call.again and _SESSION not in call.url:
            token = {"Authorization": f"Bearer {self._refresh}"}
            waiting = {"waiting": call._replace(again=True)}
            self.calls.appendleft(self._session_call("refreshSession", headers=token, known=waiting))
        elif name == "NotFound" and call.then == self.parse_thread:
            self.told["threads that are gone"] += 1
        else:
            super().refused(response, call, name)

    def parse_feed(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the account's own posts and plan their threads, until a page lies before the horizon."""
        dates, ids = [], []
        for row in self.rows(document, "feed", call):
            post = row.get("post")
            reposted = field_of(row, "reason", "$type") == "app.bsky.feed.defs#reasonRepost"
            listed_at = self.published(field_of(row, "reason", "indexedAt")) if reposted else self._dated(post)
            ids.append(f"{field_of(post, 'uri')} {reposted}")
            dates += [listed_at] if listed_at is not None else []
            if not reposted:
                yield from self._post(post)
                self._plan_replies(post, row)
        past = bool(dates) and max(dates) < self.horizon
        if self.goes_on(f"feed of {self.options.actor}", document.get("cursor"), ids) and not past:
            self._plan_feed(document["cursor"])

    def parse_thread(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the replies below a post, at whatever depth; a branch that the answer cut off is asked for by itself."""
        stack: list[tuple[Any, int]] = [(document.get("thread"), 0)]
        while stack:
            node, depth = stack.pop()
            if not isinstance(field_of(node, "post", kind=dict), dict):
                self._count_lost(node)
                continue
            if depth:
                yield from self._post(node["post"])
            replies = field_of(node, "replies", kind=list) or []
            stack += [(reply, depth + 1) for reply in reversed(replies)]
            if depth >= DEPTH and not replies and node["post"].get("replyCount"):
                self._plan_thread(node["post"])

    def parse_search(self, document: dict[str, Any], call: Call) -> Iterator[Manifestation]:
        """Yield the posts that match; the window was asked for."""
        posts = self.rows(document, "posts", call)
        for post in posts:
            yield from self._post(post)
        dates = [date for date in map(self._dated, posts) if date is not None]
        past = bool(dates) and self.is_past(max(dates))
        if self.goes_on("search", document.get("cursor"), [f"{field_of(post, 'uri')}" for post in posts]) and not past:
            self._plan_search(document["cursor"])

    def _session_call(self, name: str, **fields: Any) -> Call:
        return Call(self.address(_SESSION + name), self.parse_session, method="POST", **fields)

    def _plan_walks(self) -> None:
        if self.options.actor is not None:
            self._plan_feed("")
        if self.options.query is not None:
            self._plan_search("")

    def _plan_feed(self, cursor: str) -> None:
        asked = {"actor": (self.options.actor or "").removeprefix("@"), "filter": "posts_with_replies", "includePins": "false"}
        self.plan("xrpc/app.bsky.feed.getAuthorFeed", self.parse_feed, {**asked, "limit": PAGE_SIZE, "cursor": cursor})

    def _plan_search(self, cursor: str) -> None:
        since, until = (f"{at:%Y-%m-%dT%H:%M:%S}Z" for at in (self.period.start_utc, self.period.end_utc))
        asked = {"q": self.options.query, "sort": "latest", "since": since, "until": until}
        self.plan("xrpc/app.bsky.feed.searchPosts", self.parse_search, {**asked, "limit": PAGE_SIZE, "cursor": cursor})

    def _plan_replies(self, post: Any, row: dict[str, Any]) -> None:
        """Plan the thread of an own post that may have replies in the window, unless it is part of another that is asked."""
        dated = self._dated(post)
        root = field_of(row, "reply", "root", kind=dict)
        root_at = self._dated(root)
        covered = root is not None and self._is_own(root) and root_at is not None and root_at >= self.horizon
        recent = dated is None or self.horizon <= dated < self.period.end_utc
        if self.options.replies and field_of(post, "replyCount", kind=int) != 0 and recent and not covered:
            self._plan_thread(post)

    def _plan_thread(self, post: Any) -> None:
        """Plan the thread below a post; each is asked once, so that a thread that contains itself ends."""
        uri = field_of(post, "uri")
        if uri and uri not in self._threads:
            self._threads.add(uri)
            asked = {"uri": uri, "depth": DEPTH, "parentHeight": 0}
            self.plan("xrpc/app.bsky.feed.getPostThread", self.parse_thread, asked)

    def _post(self, post: Any) -> Iterator[Manifestation]:
        uri, did, record = field_of(post, "uri"), field_of(post, "author", "did"), field_of(post, "record", kind=dict)
        if not did or record is None or not uri or not uri.startswith("at://"):
            self.odd_count += 1
            return
        own = self._is_own(post)
        if not own and _labels(post) & _WITHHELD:
            self.told["messages of people who ask not to be shown without a login, or that moderators hid"] += 1
            return
        context = "official" if self.source.publisher.official else "article"
        yield from self.manifestation(
            kind=context if own else "manifestation",
            native_id=uri,
            parent_id=field_of(record, "reply", "parent", "uri"),
            url=f"https://bsky.app/profile/{did}/post/{uri.rsplit('/', 1)[-1]}",
            # Not the handle: it changes, and all that cannot be resolved read `handle.invalid`.
            author=did,
            text=field_of(record, "text") or "",
            published_at=self._dated(post),
            published_raw=field_of(record, "createdAt"),
            reactions=parse_count(str(post.get("likeCount"))),
        )

    def _is_own(self, post: Any) -> bool:
        names = (field_of(post, "author", "did"), field_of(post, "author", "handle"))
        return any(name.casefold() in self._own for name in names if name)

    def _dated(self, post: Any) -> datetime | None:
        """Return the earlier of what the author claims and when the network saw it; None if neither is a date."""
        written = (field_of(post, "record", "createdAt"), field_of(post, "indexedAt"))
        return min((date for date in map(self.published, written) if date is not None), default=None)

    def _count_lost(self, node: Any) -> None:
        if field_of(node, "blocked", kind=bool) or field_of(node, "notFound", kind=bool):
            self.told["replies that are blocked or deleted"] += 1
        else:
            self.odd_count += 1


def _labels(post: dict[str, Any]) -> set[str]:
    """Return the labels in force on a post and on its author; a negated one is not in force."""
    lists = (field_of(post, "labels", kind=list), field_of(post, "author", "labels", kind=list))
    labels = [label for found in lists for label in found or [] if isinstance(label, dict)]
    return {label["val"] for label in labels if isinstance(label.get("val"), str) and not label.get("neg")}
