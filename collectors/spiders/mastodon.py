"""Mastodon servers: what stands under hashtags, what accounts post, and what people answer to it.

Facts from docs.joinmastodon.org: methods/timelines#tag (`max_id`, `since_id`, `limit` up to 40; an empty list may mean that
the feed is disabled), methods/accounts#lookup and #statuses, methods/statuses#context (60 answers without a token),
entities/Instance#timelines_access-hashtag_feeds (4.5), entities/Status, entities/Account, api/guidelines#id and #pagination,
api/rate-limits. An id of Mastodon's own begins with the milliseconds since 1970, shifted by 16 bits; other servers of the
fediverse number otherwise (`dated_ids: false`). Boosts, and what is not public, are left out. Automated accounts and groups
are context: no person wrote. Who asks not to be found or indexed is left alone and counted in the health of the source.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.health import Reason
from collectors.items import Kind, Manifestation
from collectors.json_body import load_json
from collectors.secrets import SecretReference
from collectors.spiders.base import PlatformSpider, header, parse_count
from collectors.spiders.mastodon_status import asks_to_be_left, first_id, text_of, words

PAGE_SIZE = 40
SPARE = timedelta(days=1)
"""A status that reached the server late may be numbered by its arrival."""

LOOKBACK = timedelta(days=7)
"""An account's status older than the window by this much is taken to gather no new answers."""

MOST_ANSWERS = 60
"""A server shows no more of them to one without a token."""

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next\b')

Tag = Annotated[str, Field(pattern=r"^#?\w+$", max_length=100)]
Handle = Annotated[str, Field(pattern=r"^@?[\w.-]+(@[\w.-]+)?$", max_length=200)]


class MastodonOptions(PlatformOptions):
    """What to read of a server; `url` is the address of the server itself."""

    tags: tuple[Tag, ...] = Field((), description="Hashtags, with or without #.")
    accounts: tuple[Handle, ...] = Field((), description="Accounts that the server knows: name, or name@server if of another.")
    posts: Kind = Field("official", description="What these accounts post: official or article (context), or manifestation.")
    answers: bool = Field(True, description="False: do not read what people answer to these accounts.")
    token: SecretReference | None = Field(None, description="env:NAME of an access token, where the server demands one.")
    dated_ids: bool = Field(True, description="False for a server whose ids do not begin with the time, as others than Mastodon.")

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not self.tags and not self.accounts:
            raise ValueError("give at least one of tags, accounts")
        return self


@dataclass
class Walk:
    """A timeline under way, from the newest status to the oldest."""

    path: str
    floor: datetime
    query: dict[str, str] = field(default_factory=dict)
    of_account: bool = False
    seen: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


class MastodonSpider(PlatformSpider):
    """Walks hashtag timelines and accounts' statuses, newest first, and the answers to the latter."""

    Options: ClassVar[type[PlatformOptions]] = MastodonOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing seen."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: MastodonOptions = options
        self._token: str | None = None
        self._feeds_in_doubt = False
        self._yielded: set[str] = set()
        self._left_alone: set[str] = set()
        self._unanswered: deque[str] = deque()
        handles = {handle.lstrip("@").casefold() for handle in self.options.accounts}
        self._listed = handles | {handle.removesuffix(f"@{self.source.host}") for handle in handles}

    def facts(self) -> list[str]:
        """Return how many statuses were left alone because their authors ask for it."""
        left = len(self._left_alone)
        return [f"{left:,} statuses of authors who ask not to be found or indexed were left alone"] if left else []

    async def start(self) -> AsyncIterator[Request]:
        """Look up each account, and ask whether the server shows its hashtag timelines at all."""
        if self.options.token:
            self._token = self.secret(self.options.token)
            if self._token is None:
                return
        for place, handle in enumerate(self.options.accounts, start=1):
            query = urlencode({"acct": handle.lstrip("@")})
            yield self.ask(f"/api/v1/accounts/lookup?{query}", self.parse_account, cb_kwargs={"place": place})
        if self.options.tags:
            # What the server tells of itself is asked for only to understand an empty answer.
            yield self.ask("/api/v2/instance", self.parse_instance, errback=lambda _: self._tags())

    def ask(self, path: str, callback: Any, **kwargs: Any) -> Request:
        """Return a request to the server, with the token if there is one."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self.request(urljoin(self.source.url, path), callback, headers=headers, **kwargs)

    def parse_instance(self, response: Response) -> Iterator[Request]:
        """Ask for the hashtag timelines; what the server hides of them is told, since it would come as an empty list."""
        access = _hashtag_access(response)
        shut = sorted(side for side, state in access.items() if state != "public" and (state == "disabled" or not self._token))
        # A token may be of somebody who is allowed to see what is disabled: then the timeline itself tells.
        self._feeds_in_doubt = bool(shut and self._token)
        if shut and not self._token:
            reason: Reason = "secret_missing" if "authenticated" in access.values() else "http_error"
            self.note(reason, f"{self.source.host} hides {' and '.join(shut)} statuses under hashtags from those without a token")
        if len(shut) < len(access) or self._token or not access:
            yield from self._tags()

    def _tags(self) -> Iterator[Request]:
        for tag in dict.fromkeys(tag.lstrip("#") for tag in self.options.tags):
            yield self._page(Walk(f"/api/v1/timelines/tag/{quote(tag, safe='')}", self.period.start_utc), None)

    def parse_account(self, response: Response, place: int) -> Iterator[Request]:
        """Ask for the statuses of an account that was looked up."""
        if response.status == 404:
            self.note("http_error", f"HTTP 404: {self.source.host} does not know account number {place} of the options")
            return
        row = self._document(response, dict)
        if row is None:
            return
        if not isinstance(row.get("id"), str):
            self.note("malformed", f"account number {place} of the options has no id")
            return
        self._listed.add(f"id:{row['id']}")
        floor = self.period.start_utc - (LOOKBACK if self.options.answers else timedelta(0))
        path = f"/api/v1/accounts/{quote(row['id'], safe='')}/statuses"
        yield self._page(Walk(path, floor, {"exclude_reblogs": "true"}, of_account=True), None)

    def _page(self, walk: Walk, max_id: str | None) -> Request:
        query = {"limit": str(PAGE_SIZE), **walk.query}
        if self.options.dated_ids:
            query |= {"since_id": first_id(walk.floor - SPARE), "max_id": first_id(self.period.end_utc + SPARE)}
        if max_id is not None:
            query["max_id"] = max_id
        path = f"{walk.path}?{urlencode(query)}"
        return self.ask(path, self.parse_timeline, errback=self._next_answers, cb_kwargs={"walk": walk})

    def parse_timeline(self, response: Response, walk: Walk) -> Iterator[Manifestation | Request]:
        """Yield the statuses of a page, ask for the answers to them, and for the page before it."""
        rows = self._document(response, list, of_tag=not walk.of_account)
        if rows is None:
            yield from self._next_answers()
            return
        if not rows and not walk.seen and not walk.of_account and self._feeds_in_doubt:
            self.note("http_error", f"{response.url}: nothing, and the server has disabled hashtag timelines for most accounts")
        known, dates = len(walk.seen), []
        for row, text in self._statuses(response, rows):
            walk.seen.add(row["id"])
            dates.append(self.published(words(row.get("created_at"))))
            yield from self._status(row, text)
            if walk.of_account and self.options.answers and row.get("reblog") is None and row.get("replies_count") != 0:
                self._unanswered.append(row["id"])
        past = bool(dates) and all(date is not None and date < walk.floor for date in dates)
        older = list(self._older(response, walk, rows, fresh=len(walk.seen) > known)) if rows and not past else []
        yield from older or self._next_answers()

    def _next_answers(self, failure: Any = None) -> Iterator[Request]:
        """Ask for the answers to one more status: one at a time, so that none is asked for once the server asks to wait."""
        if failure is not None:
            self.note_failure(failure)
        if self._unanswered:
            path = f"/api/v1/statuses/{quote(self._unanswered.popleft(), safe='')}/context"
            yield self.ask(path, self.parse_answers, errback=self._next_answers)

    def parse_answers(self, response: Response) -> Iterator[Manifestation | Request]:
        """Yield what was answered to a status, answers to answers included."""
        document = self._document(response, dict)
        rows = document.get("descendants") if document is not None else []
        if not isinstance(rows, list):
            self.note("malformed", f"{response.url}: `descendants` is no list")
            rows = []
        for row, text in self._statuses(response, rows):
            if not self.is_past(self.published(words(row.get("created_at")))):
                yield from self._status(row, text)
        if len(rows) >= MOST_ANSWERS and not self._token:
            self.note("secret_missing", f"{response.url}: {len(rows)} answers, the most that are shown without a token")
        yield from self._next_answers()

    def _document(self, response: Response, shape: type, *, of_tag: bool = False) -> Any:
        """Return the JSON of an answer; None, and a problem by its own name, if the server demands a token."""
        if response.status == 429:
            self._unanswered.clear()
        if response.status not in (401, 403, 422) and not (of_tag and response.status == 404):
            document = self.parse_json(response, shape)
            self.started_well &= document is not None or bool(self._yielded)
            return document
        reason: Reason = "secret_refused" if self._token else "secret_missing"
        told = "the token is refused" if self._token else "a token is demanded"
        self.note(reason, f"HTTP {response.status} at {response.url}: {told}")
        return None

    def _older(self, response: Response, walk: Walk, rows: list[Any], *, fresh: bool) -> Iterator[Request]:
        max_id = _following(header(response, "Link"), rows)
        if max_id is None:
            return
        if not fresh or max_id in walk.asked:
            self.note("malformed", f"{response.url}: the pages repeat; older statuses were not asked for")
        elif header(response, "X-RateLimit-Remaining") == "0":
            self.note("rate_limited", f"{response.url}: no request is left for now; older statuses were not asked for")
        else:
            walk.asked.add(max_id)
            yield self._page(walk, max_id)

    def _statuses(self, response: Response, rows: list[Any]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the rows that are statuses, each with its text; tell how many are none."""
        broken = 0
        for row in rows:
            text = text_of(row)
            if text is None:
                broken += 1
            else:
                yield row, text
        if broken:
            self.note("malformed", f"{response.url}: {broken} of {len(rows)} statuses are not as documented")

    def _status(self, row: dict[str, Any], text: str) -> Iterator[Manifestation]:
        """Yield a status the first time it comes by, unless it is a boost, is not public, or its author asks to be left alone."""
        public = row.get("visibility", "public") in ("public", "unlisted")
        if row["id"] in self._yielded or row.get("reblog") is not None or not public:
            return
        account: dict[str, Any] = row["account"]
        kind, chosen = self._kind(account)
        if not chosen and asks_to_be_left(account):
            self._left_alone.add(row["id"])
            return
        self._yielded.add(row["id"])
        raw = words(row.get("created_at"))
        yield from self.manifestation(
            kind=kind,
            native_id=row["id"],
            parent_id=words(row.get("in_reply_to_id")),
            url=words(row.get("url")),
            author=words(account.get("acct")),
            text=text,
            published_at=self.published(raw),
            published_raw=raw,
            modified_at=self.published(words(row.get("edited_at"))),
            reactions=parse_count(str(row.get("favourites_count"))),
        )

    def _kind(self, account: dict[str, Any]) -> tuple[Kind, bool]:
        """Return what a status of an account is, and whether the city chose that account itself."""
        acct = (words(account.get("acct")) or "").casefold()
        if self._listed & {acct, f"id:{account.get('id')}"} and self.options.posts != "manifestation":
            return self.options.posts, True
        # By the handle alone: anybody may show the name of the municipality.
        if self.is_publisher(acct) or self.is_publisher(f"@{acct}"):
            return "official", True
        automated = account.get("bot") is True or account.get("group") is True
        return "article" if automated else "manifestation", False


def _hashtag_access(response: Response) -> dict[str, Any]:
    """Return who sees local and remote statuses under hashtags; nothing where the server does not say (before 4.5)."""
    try:
        found = load_json(response.body) if response.status == 200 else None
    except ValueError:
        return {}
    for name in ("configuration", "timelines_access", "hashtag_feeds"):
        found = found.get(name) if isinstance(found, dict) else None
    return {side: found[side] for side in ("local", "remote") if side in found} if isinstance(found, dict) else {}


def _following(link: str, rows: list[Any]) -> str | None:
    """Return the `max_id` of the next page: by the Link header, or after a full page without one, the last id."""
    if link:
        match = _NEXT.search(link)
        return parse_qs(urlsplit(match[1]).query).get("max_id", [None])[0] if match else None
    last = rows[-1] if len(rows) >= PAGE_SIZE else None
    return words(last.get("id")) if isinstance(last, dict) else None
