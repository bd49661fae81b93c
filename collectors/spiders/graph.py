"""What Facebook and Instagram share, which are both read by Meta's Graph API: the token, the pages, the errors.

Facts from developers.facebook.com/docs: "Paginated Results" (graph-api/results: `paging.cursors.after` goes on, and only an
absent `paging.next` says that a page was the last; a page may be empty or short before that), "Handling Errors"
(graph-api/guides/error-handling: code and subcode, 190 expired, 10 and 200-299 permission) and "Rate Limits"
(graph-api/overview/rate-limiting: codes 4, 17, 32, 613 and those from 80001 on; the header X-Business-Use-Case-Usage says
in minutes when access is regained). The token travels as a bearer token (RFC 6750) in a header, which the Graph API takes
beside its parameter `access_token`; `paging.next` may repeat the token in its address, so that address is never followed.
Ids are those of the whole graph: a post and a comment never share one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pydantic import Field
from scrapy.http import Response

from collectors.catalog import ApiOptions, WebAddress
from collectors.secrets import SecretReference
from collectors.spiders.api import ApiSpider, Call, field_of
from collectors.spiders.base import header

LIMITS = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
EXPIRED = frozenset({102, 190})
FORBIDDEN = frozenset({3, 10, *range(200, 300)})


class GraphOptions(ApiOptions):
    """How the Graph API is asked."""

    api: WebAddress = Field("https://graph.facebook.com/", description="Base address of the API.")
    version: str = Field(
        "v26.0", pattern=r"^v\d{1,3}\.\d$", description="Version of the API; Meta keeps one for two years or more."
    )
    token: SecretReference = Field(description="Access token: a lasting one, of the account's own.")
    lookback_days: int = Field(
        30, ge=0, le=365, description="How many days before the window a post may have appeared whose comments are read."
    )


class Told(NamedTuple):
    """A row of an edge whose id and text have the documented types."""

    row: dict[str, Any]
    number: str
    raw: str | None
    """The date as written."""

    published: datetime | None


class GraphSpider(ApiSpider):
    """Walks edges of the Graph API, page by page."""

    OBEYS_ROBOTS: ClassVar[bool] = False
    PERMISSIONS: ClassVar[str]
    """What the token must allow, for the person who makes it."""

    def __init__(self, **kwargs: Any) -> None:
        """Start without a token."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: GraphOptions = options
        self.horizon = self.period.start_utc - timedelta(days=options.lookback_days)
        self._token: str | None = None
        self._begun: set[str] = set()

    def begin(self) -> None:
        """Plan the first walk if there is a token."""
        self._token = self.secret(self.options.token)
        if self._token is not None:
            self.begin_walks()

    def begin_walks(self) -> None:
        """Plan the first walk; a platform says which."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Return the token."""
        return {"Authorization": f"Bearer {self._token}"}

    def walk(self, edge: str, then: Any, query: Mapping[str, Any], *, after: str = "", **known: Any) -> None:
        """Plan a page of an edge ("{id}/comments"): the first, once, or the one after a cursor."""
        if not after and edge in self._begun:
            return  # new posts push old ones onto the next page, where they come up again
        self._begun.add(edge)
        self.plan(
            f"{self.options.version}/{edge}", then, {**query, "after": after}, known={"edge": edge, "query": query, **known}
        )

    def walk_on(self, document: dict[str, Any], call: Call, ids: Iterable[str]) -> None:
        """Plan the page after this one, if there is one."""
        known = dict(call.known)
        edge, query = known.pop("edge"), known.pop("query")
        after = self.cursor_after(document, edge)
        if self.goes_on(edge, after, ids) and after is not None:
            self.walk(edge, call.then, query, after=after, **known)

    def told_rows(self, rows: Iterable[dict[str, Any]], *, text: str, date: str) -> list[Told]:
        """Return the rows with their ids and dates; those without an id are counted as odd."""
        found = []
        for row in rows:
            number = identity(row, text=text)
            if number is None:
                self.odd_count += 1
                continue
            raw = field_of(row, date)
            found.append(Told(row, number, raw, self.published(raw)))
        return found

    def cursor_after(self, document: dict[str, Any], edge: str) -> str | None:
        """Return the cursor of the next page; None after the last. Of the address that is given, nothing else is taken."""
        following = field_of(document, "paging", "next")
        if not following:
            return None
        after = field_of(document, "paging", "cursors", "after")
        try:
            after = after or parse_qs(urlsplit(following).query).get("after", [None])[0]
        except ValueError:
            after = None
        if not after:
            self.note("malformed", f"{edge}: a page that is not the last gives no cursor; what follows it was not read")
        return after or None

    def error_name(self, document: dict[str, Any]) -> str | None:
        """Return "code" or "code-subcode" of an error."""
        numbers = [field_of(document, "error", name, kind=int) for name in ("code", "error_subcode")]
        return "-".join(str(number) for number in numbers if number is not None) or None

    def asks_to_wait(self, status: int, name: str) -> bool:
        """Tell whether a limit of the app, the account or the Page is reached."""
        return super().asks_to_wait(status, name) or _code(name) in LIMITS

    def refuses_key(self, status: int, name: str) -> bool:
        """Tell whether the token has expired or lacks a permission."""
        return super().refuses_key(status, name) or _code(name) in EXPIRED | FORBIDDEN

    def refused(self, response: Response, call: Call, name: str) -> None:
        """Remember an error in plain words, with what can be done about it."""
        told = f"HTTP {response.status}, code {name or 'unknown'}, at {call.url}"
        if self.asks_to_wait(response.status, name):
            self.note("rate_limited", f"the platform asks to wait{_regained(response)} ({told})")
            self.calls.clear()
        elif self.refuses_key(response.status, name):
            self.note("secret_refused", f"{self._remedy(name)} ({told})")
            self.calls.clear()
        else:
            self.note("http_error", told)

    def _remedy(self, name: str) -> str:
        variable = self.options.token.removeprefix("env:")
        if _code(name) in FORBIDDEN:
            return f"the access token in {variable} lacks a permission: it needs {self.PERMISSIONS}"
        return f"the access token has expired or was withdrawn: make a new, lasting one and put it into {variable}"


def identity(row: Mapping[str, Any], *, text: str) -> str | None:
    """Return the id of a row whose id and text have the documented types; None of any other row (its text may be absent)."""
    number, said = field_of(row, "id"), row.get(text)
    return number if number and number.strip() and (said is None or isinstance(said, str)) else None


def _code(name: str) -> int:
    """Return the code of an error's name; -1 if it has none."""
    code = name.partition("-")[0]
    return int(code) if code.isdecimal() and len(code) < 10 else -1


def _regained(response: Response) -> str:
    """Return when access is regained, in words; "" if the answer does not say."""
    try:
        usage = json.loads(header(response, "X-Business-Use-Case-Usage") or "{}")
    except (ValueError, RecursionError):
        return ""
    entries = (
        [entry for listed in usage.values() if isinstance(listed, list) for entry in listed] if isinstance(usage, dict) else []
    )
    minutes = [field_of(entry, "estimated_time_to_regain_access", kind=int) or 0 for entry in entries]
    return f" about {max(minutes):,} minutes" if minutes and 0 < max(minutes) < 100_000 else ""
