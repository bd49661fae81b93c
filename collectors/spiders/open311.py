"""Open311 GeoReport v2: requests for service that citizens handed in, in XML or JSON.

Facts from "GeoReport v2" (wiki.open311.org/GeoReport_v2): XML is required of a server, JSON is not; `start_date` and
`end_date` in W3C form with their zone; a search spans at most 90 days and gives at most 1,000 requests by default;
`status_notes` is what the agency says; a request may have a `token` before it has a `service_request_id`
(`/tokens/{token}`); errors are documents with a code. Pages (`page`, `page_size`) and a key in the header are extensions
(311 API documentation of San Francisco and Boston, `/open311/docs`; austintexas.gov/page/get-service-requests); FixMyStreet
(github.com/mysociety/fixmystreet, Controller/Open311.pm) wraps its JSON and answers a wrong question with a page.

A window is asked for in slices; one whose answer is as long as a server's limit may be cut off and is halved, down to an hour.
Addresses, coordinates and pictures are left where they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode, urljoin

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions, WebAddress
from collectors.extraction import MOST_FEED, Extraction, extracted
from collectors.health import Coverage, SourceProblem
from collectors.items import Manifestation
from collectors.secrets import SecretReference
from collectors.spiders.base import PlatformSpider
from collectors.spiders.open311_documents import Document, read_document

LONGEST = timedelta(days=90)
SHORTEST = timedelta(hours=1)
DAY = timedelta(days=1)
USUAL_LIMITS = frozenset((50, 100, 200, 250, 500, 1000))
"""An answer of exactly so many requests may be cut off, whatever the server says of itself."""


class Open311Options(PlatformOptions):
    """How a server is asked."""

    endpoint: WebAddress | None = Field(
        None, description="Base address of GeoReport v2, up to `requests.xml`; by default the address of the source."
    )
    format: Literal["xml", "json"] = Field("xml", description="json only where the server speaks it.")
    jurisdiction_id: str | None = Field(None, description="Where the server answers for several cities.")
    service_codes: tuple[str, ...] = Field((), description="Only these kinds of service; by default all.")
    status: Literal["open", "closed"] | None = Field(None, description="Only these; by default all.")
    parameters: Mapping[str, str] = Field(default_factory=dict, description="What else the server wants in each question.")
    most: int = Field(1000, ge=1, le=100_000, description="Requests that one answer holds at most; one with as many is halved.")
    page_size: int | None = Field(None, ge=1, le=1000, description="Ask page by page, where the server knows `page_size`.")
    api_key: SecretReference | None = Field(None, description="env:NAME of a key, sent as `Authorization: Bearer`.")
    permalink: str | None = Field(None, pattern=r"^https?://[^{}]*\{id\}[^{}]*$", description="A request's own page, with {id}.")

    @property
    def asked(self) -> str | None:
        """The endpoint, where it is not the address of the source."""
        return self.endpoint


@dataclass(frozen=True)
class Slice:
    """A part of the window: [start, end), in the zone of the city."""

    start: datetime
    end: datetime
    page: int = 1

    def halves(self) -> tuple[Slice, Slice]:
        """Return both halves, cut at midnight where that is possible: some servers look at the day alone."""
        middle = self.start + (self.end - self.start) / 2
        midnight = middle.replace(hour=0, minute=0, second=0, microsecond=0)
        middle = midnight if midnight > self.start else middle
        return Slice(self.start, middle), Slice(middle, self.end)

    def keeps(self, published: datetime) -> bool:
        """Tell whether a date is of this slice, with an hour to spare, and a day if the slice is longer than that."""
        spare = DAY if self.end - self.start > DAY else SHORTEST
        return self.start - spare <= published < self.end + spare

    def __str__(self) -> str:
        """Return the slice as a reader of logs sees it."""
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


class Open311Spider(PlatformSpider):
    """Asks for the requests of the window, slice by slice."""

    Options: ClassVar[type[PlatformOptions]] = Open311Options
    COVERS: ClassVar[Coverage] = "window"

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing seen."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: Open311Options = options
        if options.status is not None:
            self.covers = "newest"  # a request that is closed meanwhile is not gone
        self.base = (self.options.endpoint or self.source.url).rstrip("/") + "/"
        self.headers: dict[str, str] = {}
        self._extraction = Extraction(read_document, {"form": options.format}, most_bytes=MOST_FEED)
        self._seen: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for each slice of the window."""
        if self.options.api_key is not None:
            key = self.secret(self.options.api_key)
            if key is None:
                return
            self.headers = {"Authorization": f"Bearer {key}"}
        start = self.period.start
        while start < self.period.end:
            end = min(start + LONGEST, self.period.end)
            yield self._ask(Slice(start, end))
            start = end

    def _ask(self, part: Slice) -> Request:
        query = {
            "start_date": part.start.isoformat(timespec="seconds"),
            "end_date": part.end.isoformat(timespec="seconds"),
            "jurisdiction_id": self.options.jurisdiction_id,
            "service_code": ",".join(self.options.service_codes),
            "status": self.options.status,
            **self.options.parameters,
        }
        if self.options.page_size is not None:
            query |= {"page_size": str(self.options.page_size), "page": str(part.page)}
        written = urlencode({name: value for name, value in query.items() if value})
        return self._get(f"requests.{self.options.format}?{written}", self.parse, part=part)

    def _get(self, path: str, callback: Any, **kwargs: Any) -> Request:
        return self.request(
            urljoin(self.base, path), callback, extraction=self._extraction, headers=self.headers, cb_kwargs=kwargs
        )

    def parse(self, response: Response, part: Slice) -> Iterator[Manifestation | Request]:
        """Yield the requests of a slice; ask for its halves if the answer may be cut off, or for its next page."""
        document = self._document(response)
        if document is None:
            return
        known = len(self._seen)
        for row in document.rows:
            if row.get("service_request_id"):
                yield from self._request(row, row["service_request_id"])
            elif row.get("token"):
                yield self._of_token(row)
            else:
                self.note("malformed", f"{response.url}: a request without an id")
        yield from self._rest(part, document.rows, new=len(self._seen) - known)

    def _rest(self, part: Slice, rows: list[dict[str, str]], *, new: int) -> Iterator[Request]:
        """Ask for what an answer may have left out."""
        size, count = self.options.page_size, len(rows)
        if size is not None:
            if count >= size and (new or part.page == 1):
                yield self._ask(replace(part, page=part.page + 1))
            elif count >= size:
                self.note("malformed", f"{part}: page {part.page} repeats what came before; those after it were not asked for")
        elif count >= self.options.most or count in USUAL_LIMITS:
            dates = [date for row in rows if (date := self.published(row.get("requested_datetime"))) is not None]
            if part.end - part.start <= SHORTEST or not all(map(part.keeps, dates)):
                why = "the server's limit" if all(map(part.keeps, dates)) else "not only of the dates asked for"
                self.note("malformed", f"{part}: {count} requests, {why}; there may be more")
            else:
                yield from map(self._ask, part.halves())

    def _of_token(self, row: dict[str, str]) -> Request:
        """Ask for the id of a request that has only a token so far."""
        query = urlencode({"jurisdiction_id": self.options.jurisdiction_id}) if self.options.jurisdiction_id else ""
        path = f"tokens/{quote(row['token'], safe='')}.{self.options.format}"
        return self._get(f"{path}?{query}" if query else path, self.parse_token, row=row)

    def parse_token(self, response: Response, row: dict[str, str]) -> Iterator[Manifestation]:
        """Yield the request whose id this is; one that has none yet comes with it in a later collection."""
        document = self._document(response)
        numbers = [found["service_request_id"] for found in document.rows if found.get("service_request_id")] if document else []
        if numbers:
            yield from self._request(row, numbers[0])
        elif document is not None:
            self.note("malformed", f"{response.url}: a token that has no id yet")

    def _document(self, response: Response) -> Document | None:
        """Return what a response says; None, and a problem of the source, if it is no answer."""
        before = self.started_well
        if not self.readable(response):
            return None
        try:
            document: Document = extracted(response)
        except SourceProblem as problem:
            self.started_well = before
            self.note(problem.reason, f"{response.url}: {problem.detail}")
            return None
        if document.lost:
            self.note("malformed", f"{response.url}: {document.lost}")
        return document

    def _request(self, row: dict[str, str], number: str) -> Iterator[Manifestation]:
        """Yield a request the first time, if it lies in the window or has no date, and what the agency says of it."""
        published = self.published(row.get("requested_datetime"))
        known = number in self._seen
        self._seen.add(number)
        if known or (published is not None and not self.period.contains(published)):
            return
        url = self.options.permalink.replace("{id}", quote(number, safe="")) if self.options.permalink else None
        title = row.get("title") or row.get("service_name")
        yield from self.manifestation(
            native_id=number,
            url=url,
            author=row.get("requestor_name"),
            title=title,
            text=row.get("description", ""),
            published_at=published,
            published_raw=row.get("requested_datetime"),
            modified_at=self.published(row.get("updated_datetime")),
        )
        yield from self._notes(row, number, url=url, title=title)

    def _notes(self, row: dict[str, str], number: str, *, url: str | None, title: str | None) -> Iterator[Manifestation]:
        """Yield what the agency says of a request, if it says anything."""
        if row.get("status_notes"):
            yield from self.manifestation(
                kind="official",
                native_id=f"{number}:status",
                parent_id=number,
                url=url,
                title=title,
                text=row["status_notes"],
                published_at=self.published(row.get("updated_datetime")),
                published_raw=row.get("updated_datetime"),
            )
