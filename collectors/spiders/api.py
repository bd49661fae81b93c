"""What spiders of JSON APIs share: one call after the other, an end as soon as the API asks to wait, and facts to tell."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin

from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings

from collectors.dates import parse_epoch
from collectors.items import Manifestation
from collectors.json_body import load_json
from collectors.spiders.base import PlatformSpider, header

MOST_BARREN = 3
"""Pages without any row that a walk may pass, each with a new cursor: some APIs filter after they page."""

_RETRIED = [500, 502, 503, 504, 522, 524, 408]
_ERROR_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
_LIMIT_ENDS = ("RateLimit-Reset", "X-Rate-Limit-Reset")


class Call(NamedTuple):
    """One request to an API, and what is made of its answer."""

    url: str
    then: Callable[[dict[str, Any], Call], Iterable[Manifestation]]
    known: Mapping[str, Any] = MappingProxyType({})
    """What the reader of the answer needs to know of the way there."""

    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    again: bool = False
    """True for a call that is made a second time with a new token."""


class ApiSpider(PlatformSpider):
    """Makes planned calls one by one; a platform says what comes first, how errors are named and what answers mean."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing planned."""
        super().__init__(**kwargs)
        self.calls: deque[Call] = deque()
        self.asked_count = 0
        self.odd_count = 0
        self.told: Counter[str] = Counter()
        """Facts that are no problems, by what was counted."""

        self._cursors: set[tuple[str, str]] = set()
        self._met: set[tuple[str, str]] = set()
        self._barren: Counter[str] = Counter()

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Never insist on HTTP 429: the API said when to come back."""
        super().update_settings(settings)
        settings.set("RETRY_HTTP_CODES", _RETRIED, priority="spider")

    def begin(self) -> None:
        """Plan the first calls; a platform says which."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Return the headers of every call, the key among them (none by default)."""
        return {}

    def error_name(self, document: dict[str, Any]) -> str | None:
        """Return the API's own word for an error (the field `error` by default)."""
        name: str | None = field_of(document, "error")
        return name

    def asks_to_wait(self, status: int, name: str) -> bool:
        """Tell whether a refusal holds for every further call too: a rate limit, a quota."""
        return status == 429

    def refuses_key(self, status: int, name: str) -> bool:
        """Tell whether it is the key that was refused, which holds for every further call too."""
        return status == 401

    async def start(self) -> AsyncIterator[Request]:
        """Make the first call."""
        self.begin()
        for request in self.next_call():
            yield request

    def address(self, path: str) -> str:
        """Return an address below the API's base."""
        return urljoin(f"{self.source.options.asked}".rstrip("/") + "/", path)

    def plan(self, path: str, then: Any, query: Mapping[str, Any], *, known: Mapping[str, Any] | None = None) -> None:
        """Plan a GET below the API's base address; parameters that are "" are left out."""
        given = urlencode({name: value for name, value in query.items() if value != ""}, errors="replace")
        self.calls.append(Call(f"{self.address(path)}?{given}", then, known or {}))

    def next_call(self) -> Iterator[Request]:
        """Yield the request of the next planned call, if there is one."""
        if not self.calls:
            return
        call = self.calls.popleft()
        self.asked_count += 1
        yield self.request(
            call.url,
            self.parse_answer,
            errback=self.failed,
            method=call.method,
            body=call.body,
            headers={"Accept": "application/json", **self.headers(), **call.headers},
            cb_kwargs={"call": call},
        )

    def parse_answer(self, response: Response, call: Call) -> Iterator[Any]:
        """Yield what an answer holds, then the next call."""
        if response.status >= 400:
            self.refused(response, call, self._named(response))
        else:
            document = self.parse_json(response)
            if document is None:
                self.started_well = False
            else:
                yield from call.then(document, call)
        if self.odd_count:
            self.note("malformed", f"{call.url}: {self.odd_count} rows that do not have the documented form")
            self.odd_count = 0
        yield from self.next_call()

    def failed(self, failure: Any) -> Iterator[Request]:
        """Remember a call without an answer, and go on with the next one."""
        self.note_failure(failure)
        yield from self.next_call()

    def refused(self, response: Response, call: Call, name: str) -> None:
        """Remember an error; one that asks to wait or refuses the key ends the collection."""
        told = f"HTTP {response.status} {name}".rstrip()
        if self.asks_to_wait(response.status, name):
            self.note("rate_limited", f"{told} at {call.url}{_limit_end(response)}")
            self.calls.clear()
        elif self.refuses_key(response.status, name):
            self.note("secret_refused", f"{told} at {call.url}")
            self.calls.clear()
        else:
            self.note("http_error", f"{told} at {call.url}")

    def rows(self, document: dict[str, Any], name: str, call: Call) -> list[dict[str, Any]]:
        """Return the objects in a list of the answer; what is no list is a problem, what is no object an odd row."""
        found = document.get(name)
        if not isinstance(found, list):
            self.started_well = False
            self.note("malformed", f"{call.url}: no list {name!r} in the answer")
            return []
        kept = [row for row in found if isinstance(row, dict)]
        self.odd_count += len(found) - len(kept)
        return kept

    def goes_on(self, walk: str, cursor: object, ids: Iterable[str]) -> bool:
        """Tell whether a walk has a next page; one that goes round in circles or nowhere is a problem of the source.

        Args:
            walk: name of the walk; cursors and ids of others do not matter.
            cursor: what the API gave for the next page; anything but a filled text ends the walk.
            ids: what identifies the rows of this page.
        """
        on_page = {(walk, one) for one in ids}
        fresh = on_page - self._met
        self._met |= fresh
        self._barren[walk] = 0 if on_page else self._barren[walk] + 1
        if not isinstance(cursor, str) or not cursor:
            return False
        turned = (walk, cursor) in self._cursors
        self._cursors.add((walk, cursor))
        if turned and not on_page:
            return False
        if turned or (on_page and not fresh) or self._barren[walk] > MOST_BARREN:
            self.note("malformed", f"{walk}: the pages repeat or lead nowhere; what may lie behind them was not read")
            return False
        return True

    def facts(self) -> list[str]:
        """Return what was counted on the way, in words."""
        return [f"{count:,} {what}" for what, count in sorted(self.told.items())]

    def _named(self, response: Response) -> str:
        """Return the API's word for an error; "" if the answer has none, or one that is no name."""
        try:
            document = load_json(response.body)
        except ValueError:
            return ""
        name = self.error_name(document) if isinstance(document, dict) else None
        return name if name is not None and _ERROR_NAME.fullmatch(name) else ""


def field_of(row: object, *path: str, kind: type = str) -> Any:
    """Return a value inside nested objects; None if a step is missing or the value is not of the kind (true is no number)."""
    for step in path:
        row = row.get(step) if isinstance(row, dict) else None
    return row if isinstance(row, kind) and not (kind is int and isinstance(row, bool)) else None


def _limit_end(response: Response) -> str:
    """Return when the limit ends, as the headers say, in words; "" if they do not."""
    for name in _LIMIT_ENDS:
        at = parse_epoch(header(response, name))
        if at is not None:
            return f"; the limit ends at {at.isoformat()}"
    seconds = header(response, "Retry-After")
    return f"; the limit ends in {seconds} seconds" if seconds.isdecimal() and len(seconds) < 9 else ""
