"""Comments of a site that Disqus serves, by the Disqus API 3.0: posts as manifestations, their threads as context.

Facts from disqus.com/api/docs/posts/list ("posts/list": `start`, `end`, `order`, `include`, `related`, `limit` up to 100),
/cursors ("Pagination": a cursor comes even where nothing follows, `hasNext` tells), /requests ("Request and Response
Formats": the key is a parameter of the query) and /errors (13 and 14 are rate limits, 5, 9 and 11 a key that is refused).
`createdAt` is UTC without an offset. The address of every request holds the key, so no request tells where it came from.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode, urljoin

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import ApiOptions, WebAddress
from collectors.health import Coverage, Reason
from collectors.items import Manifestation
from collectors.json_body import load_json
from collectors.secrets import SecretReference
from collectors.spiders.base import PlatformSpider, header, parse_count
from collectors.text import MarkupError, html_to_text

PAGE_SIZE = 100
SPARE = timedelta(seconds=1)
"""Whether `start` and `end` belong to what is asked for is not told; what is too much is cut later."""

REASONS: dict[int, Reason] = {**dict.fromkeys((5, 9, 11), "secret_refused"), **dict.fromkeys((13, 14), "rate_limited")}
HIDDEN = ("isDeleted", "isDeletedByAuthor", "isSpam")


class DisqusOptions(ApiOptions):
    """Which forum, and with whose key."""

    api: WebAddress = Field("https://disqus.com/api/3.0/", description="Base address of the API.")
    forum: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$", description="Short name of the site at Disqus (NAME.disqus.com).")
    key: SecretReference = Field(description="env:NAME of the key of a Disqus application.")
    key_kind: Literal["public", "secret"] = Field("public", description="Which of the two keys of the application it is.")
    threads: bool = Field(True, description="False: do not keep the articles that are commented on, only the comments.")


class DisqusSpider(PlatformSpider):
    """Walks `posts/list` of a forum, newest first."""

    Options: ClassVar[type[DisqusOptions]] = DisqusOptions
    COVERS: ClassVar[Coverage] = "window"
    OBEYS_ROBOTS: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing seen."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: DisqusOptions = options
        self._key = ""
        self._posts: set[str] = set()
        self._threads: set[str] = set()
        self._cursors: set[str] = set()

    def note(self, reason: Reason, detail: str) -> None:
        """Remember a problem; addresses without their query, which holds the key in whatever form a server wrote it."""
        super().note(reason, re.sub(r"\?\S*", "", detail))

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the newest posts of the window."""
        self._key = self.secret(self.options.key) or ""
        if self._key:
            yield self.page(None)

    def page(self, cursor: str | None) -> Request:
        """Return the request for one page of posts."""
        query = {
            "api_key" if self.options.key_kind == "public" else "api_secret": self._key,
            "forum": self.options.forum,
            "start": int((self.period.start_utc - SPARE).timestamp()),
            "end": int((self.period.end_utc + SPARE).timestamp()),
            "order": "desc",
            "include": "approved",
            "related": "thread",
            "limit": PAGE_SIZE,
            **({"cursor": cursor} if cursor else {}),
        }
        url = urljoin(f"{self.options.api.rstrip('/')}/", "posts/list.json") + "?" + urlencode(query)
        return self.request(url, self.parse_posts, meta={"referrer_policy": "no-referrer"})

    def parse_posts(self, response: Response) -> Iterator[Manifestation | Request]:
        """Yield the posts of a page, each thread once, and ask for the page before it."""
        document = self._answer(response)
        if document is None:
            return
        rows = document.get("response")
        if not isinstance(rows, list):
            self.started_well = bool(self._posts)
            self.note("malformed", "posts/list: `response` is no list")
            return
        known, broken, dates = len(self._posts), 0, []
        for row in rows:
            text = _text(row)
            if text is None:
                broken += 1
                continue
            dates.append(self.published(_utc(row.get("createdAt"))))
            yield from self._post(row, text)
        if broken:
            self.note("malformed", f"posts/list: {broken} of {len(rows)} posts are not as documented")
        if rows and not (dates and all(map(self.is_past, dates))):
            yield from self._next(response, document.get("cursor"), fresh=len(self._posts) > known)

    def _answer(self, response: Response) -> dict[str, Any] | None:
        """Return the document of an answer; None, and a problem by its own name, where Disqus reports an error."""
        code = _error_code(response.body)
        if code is None:
            document: dict[str, Any] | None = self.parse_json(response)
            self.started_well &= document is not None or bool(self._posts)
            return document
        reason = REASONS.get(code, "http_error")
        told = "the key is refused" if reason == "secret_refused" else "see disqus.com/api/docs/errors"
        self.note(reason, f"HTTP {response.status} at posts/list: Disqus error {code}; {told}")
        return None

    def _next(self, response: Response, cursor: Any, *, fresh: bool) -> Iterator[Request]:
        if not isinstance(cursor, dict) or not (cursor.get("hasNext") or cursor.get("more")):
            return
        following = _words(cursor.get("next"))
        if following is None or following in self._cursors or not fresh:
            self.note("malformed", "posts/list: the pages repeat; older posts were not asked for")
        elif header(response, "X-Ratelimit-Remaining") == "0":
            self.note("rate_limited", "posts/list: no request is left of this hour's; older posts were not asked for")
        else:
            self._cursors.add(following)
            yield self.page(following)

    def _post(self, row: dict[str, Any], text: str) -> Iterator[Manifestation]:
        """Yield one post and, the first time, its thread; nothing for a post that is not shown on the site."""
        number = str(row["id"])
        self._posts.add(number)
        if any(row.get(name) is True for name in HIDDEN) or row.get("isApproved") is False:
            return
        found, raw = row.get("thread"), row.get("createdAt")
        thread: dict[str, Any] = found if isinstance(found, dict) else {"id": found}
        yield from self._thread(thread)
        author, official = self._author(row.get("author"))
        yield from self.manifestation(
            kind="official" if official else "manifestation",
            native_id=number,
            parent_id=_number(row.get("parent")) or _thread_id(thread),
            url=_words(row.get("url")) or (f"{link}#comment-{number}" if (link := _words(thread.get("link"))) else None),
            author=author,
            text=text,
            published_at=self.published(_utc(raw)),
            published_raw=_words(raw),
            reactions=parse_count(str(row.get("likes"))),
        )

    def _thread(self, row: dict[str, Any]) -> Iterator[Manifestation]:
        """Yield the article under which people write, once; most have no text here but their headline."""
        native_id, title = _thread_id(row), html_to_text(_words(row.get("title")) or "")
        text = html_to_text(_words(row.get("message")) or "") or title
        if native_id is None or native_id in self._threads or not text or not self.options.threads:
            return
        self._threads.add(native_id)
        raw = row.get("createdAt")
        yield from self.manifestation(
            kind="official" if self.source.publisher.official else "article",
            native_id=native_id,
            url=_words(row.get("link")),
            title=title,
            text=text,
            published_at=self.published(_utc(raw)),
            published_raw=_words(raw),
        )

    def _author(self, row: Any) -> tuple[str | None, bool]:
        """Return whom a post counts as, and whether that is the publisher: two members may share a name, never a user name."""
        given = row if isinstance(row, dict) else {}
        name, user = _words(given.get("name")), _words(given.get("username"))
        author = name if given.get("isAnonymous") is True else user or name
        return author, any(self.is_publisher(known) for known in (name, user) if known)


def _error_code(body: bytes) -> int | None:
    """Return the number of the error that an answer reports; None if it reports none."""
    try:
        found = load_json(body)
    except ValueError:
        return None
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, int) and code != 0 else None


def _text(row: Any) -> str | None:
    """Return what a post says, from its HTML or, without that, as it was typed; None if it is no post."""
    if not isinstance(row, dict) or _number(row.get("id")) is None:
        return None
    markup, typed = row.get("message") or "", row.get("raw_message") or ""
    if not isinstance(markup, str) or not isinstance(typed, str):
        return None
    try:
        return html_to_text(markup) if markup else typed
    except MarkupError:
        return None


def _number(value: object) -> str | None:
    """Return an id as text; None if it is none (a post on the first level has a null parent)."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) and str(value).isdecimal() else None


def _thread_id(row: dict[str, Any]) -> str | None:
    """Return the id of a thread, apart from those of posts; without a letter, so that no eight digits pass for a DNI."""
    number = _number(row.get("id"))
    return f"0:{number}" if number else None


def _words(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _utc(raw: object) -> str | None:
    """Return a date with its offset: UTC where it names none."""
    if not isinstance(raw, str) or re.search(r"(?:Z|[+-]\d\d:?\d\d)$", raw):
        return raw if isinstance(raw, str) else None
    return f"{raw}Z"
