"""CONSUL Democracy: debates, proposals and comments, by its read-only GraphQL API or by CSV files on the site.

Facts from "GraphQL" (docs.consuldemocracy.org/tech_docs/features/graphql) and from the types that the code declares
(github.com/consuldemocracy/consuldemocracy, `app/graphql`): `GET /graphql?query=`; at most 25 records a page, 8 levels, two
collections and a complexity of 2,500 a query; no filter by date; `public_created_at` is cut to the hour, and `public_author`
is null for people who keep their activity to themselves; `ancestry` is the ids of the comments above, outermost first.
Hidden messages do not show; a retired proposal was taken back by its author and is no message any more.

Records come in the order in which they were made, so a collection goes on a hundred of them before where the last one
ended. It begins anew where that cannot be trusted: for a window that reaches back further, or if it meets no known record.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Self, get_args
from urllib.parse import urlencode, urljoin

from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import Closed, PlatformOptions, WebAddress
from collectors.exports import conditions, learn_read, read_csv
from collectors.graphql import (
    Page,
    Paging,
    Part,
    parse_answer,
    parse_page,
    tell_errors,
    undefined_fields,
    write_part,
    write_string,
)
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import parse_count
from collectors.spiders.consul_items import read_node, read_row, record_part
from collectors.spiders.participation import Found, ParticipationSpider

PAGE_SIZE = 25
OVERLAP = 4
"""Pages that the next collection reads again: each record that is hidden meanwhile moves the later ones up."""

MOST_ATTEMPTS = 6

Collection = Literal["debates", "proposals", "comments"]


class ConsulFiles(Closed):
    """Addresses of CSV files on the site, by what they hold."""

    debates: WebAddress | None = Field(None, description="File of debates.")
    proposals: WebAddress | None = Field(None, description="File of proposals.")
    comments: WebAddress | None = Field(None, description="File of comments.")


class ConsulOptions(PlatformOptions):
    """What is read, and by which way."""

    way: Literal["api", "csv"] = Field("api", description="csv: read the addresses of `files` (a file at hand: platform `file`).")
    collections: tuple[Collection, ...] = Field(get_args(Collection), min_length=1, description="What is read (API).")
    reread: bool = Field(False, description="True: read every page each time, which shows edits and votes of old messages (API).")
    files: ConsulFiles = Field(default_factory=lambda: ConsulFiles.model_validate({}), description="What `way: csv` reads.")

    @model_validator(mode="after")
    def _some_file(self) -> Self:
        if (self.way == "csv") != any(self.files.model_dump().values()):
            raise ValueError("`way: csv` and at least one address in `files` go together")
        return self


@dataclass
class Walk:
    """A collection under way, page by page."""

    collection: Collection
    since: datetime
    """Every message from this instant on was read by this or an earlier collection."""

    paging: Paging = field(default_factory=Paging)
    last_known: int | None = None
    """Highest id that an earlier collection read; None once one of them was met, and where this one begins anew."""

    highest: int = 0
    trail: deque[str | None] = field(default_factory=lambda: deque(maxlen=OVERLAP + 1))
    """Cursors of the last pages that lie wholly before the end of the window."""

    past_end: bool = False


class ConsulSpider(ParticipationSpider):
    """Walks each collection from where the last collection ended; or reads the files."""

    Options: ClassVar[type[PlatformOptions]] = ConsulOptions

    def __init__(self, **kwargs: Any) -> None:
        """Begin with the names of the documentation."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: ConsulOptions = options
        self.base = self.source.url.rstrip("/") + "/"
        self.camel = False
        self.missing: set[tuple[str, str]] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of each collection, or for each file."""
        if self.options.way == "csv":
            for collection, url in self.options.files.model_dump(exclude_none=True).items():
                headers = conditions(self.memory, url, self.period)
                yield self.request(url, self.parse_file, headers=headers, cb_kwargs={"collection": collection, "url": url})
            return
        for collection in self.options.collections:
            walk = None if self.options.reread else self._resumed(collection)
            yield self._ask(walk or Walk(collection, self.period.start_utc))

    def _ask(self, walk: Walk, attempt: int = 1) -> Request:
        query = self._query(walk)
        url = urljoin(self.base, "graphql") + "?" + urlencode({"query": query})
        return self.request(url, self.parse, cb_kwargs={"walk": walk, "asked": query, "attempt": attempt})

    def _query(self, walk: Walk) -> str:
        after = f", after: {write_string(walk.paging.after)}" if walk.paging.after else ""
        info = Part("PageInfo", dict.fromkeys(("hasNextPage", "endCursor")))
        edges = Part("Edge", {"node": record_part(walk.collection, camel=self.camel)})
        connection = Part("Connection", {"pageInfo": info, "edges": edges})
        return write_part(Part("Query", {f"{walk.collection}(first: {PAGE_SIZE}{after})": connection}), self.missing)

    def parse(self, response: Response, walk: Walk, asked: str, attempt: int) -> Iterator[Manifestation | Request]:
        """Yield what a page holds; a query that was refused as a whole is asked again without what the site lacks."""
        before = self.started_well
        found = self.parse_json(response)
        answer = parse_answer(found) if found is not None else None
        if answer is None or answer.data is None:
            self.started_well = before
        if answer is None:
            return
        if answer.data is not None:
            if answer.errors or not isinstance(answer.data.get(walk.collection), dict):
                self.note("malformed", f"{walk.collection}: data with {tell_errors(answer.errors)}")
            yield from self.read_page(parse_page(answer.data.get(walk.collection)), walk)
        elif attempt < MOST_ATTEMPTS and self._learns(undefined_fields(answer.errors), walk, asked):
            yield self._ask(walk, attempt + 1)
        else:
            self.note("malformed", f"{walk.collection}: {tell_errors(answer.errors)}")

    def _learns(self, undefined: set[tuple[str, str]], walk: Walk, asked: str) -> bool:
        """Learn from a refusal; True if the question is now put in other words."""
        if not self.camel and any("_" in name for _, name in undefined):
            self.camel = True
        else:
            self.missing |= undefined
        return self._query(walk) not in ("", asked)

    def read_page(self, page: Page, walk: Walk) -> Iterator[Manifestation | Request]:
        """Yield the records of a page, and ask for the next one; a page that repeats ends the walk."""
        found = [record for node in page.nodes if (record := read_node(walk.collection, node, base=self.base)) is not None]
        if len(found) < len(page.nodes):
            self.note("malformed", f"{walk.collection}: {len(page.nodes) - len(found)} records without an id")
        numbers = [number for record in found if (number := parse_count(record.number)) is not None]
        if walk.last_known is not None and min(numbers, default=walk.last_known + 1) > walk.last_known:
            yield self._ask(Walk(walk.collection, self.period.start_utc))
            return
        walk.last_known = None
        walk.highest = max(walk.highest, *numbers, 0)
        self._trail(walk, found)
        for record in found:
            yield from self.within(record)
        if page.cursor is None:
            self._remember(walk)
        elif walk.paging.go_on(page):
            yield self._ask(walk)
        else:
            self.note("malformed", f"{walk.collection}: the pages repeat; those after them were not asked for")

    def _trail(self, walk: Walk, found: list[Found]) -> None:
        """Keep the cursor of a page unless it holds what a later window will ask for."""
        dates = [self.published(record.published_raw) for record in found]
        walk.past_end |= any(date is None or date >= self.period.end_utc for date in dates)
        if not walk.past_end:
            walk.trail.append(walk.paging.after)

    def _remember(self, walk: Walk) -> None:
        """Learn where the next collection goes on: some pages before the last one that this window needs no more."""
        if len(walk.trail) > OVERLAP and walk.trail[0] is not None:
            told = {"after": walk.trail[0], "last": walk.highest, "since": walk.since.isoformat()}
            self.memory.learn(f"resume:{walk.collection}", json.dumps(told))

    def _resumed(self, collection: Collection) -> Walk | None:
        """Return the walk that goes on where the last one ended; None if there was none, or it covers another past."""
        kept = json.loads(self.memory.recall(f"resume:{collection}") or "null")
        if kept is None or datetime.fromisoformat(kept["since"]) > self.period.start_utc:
            return None
        return Walk(collection, datetime.fromisoformat(kept["since"]), Paging(after=kept["after"]), last_known=kept["last"])

    def parse_file(self, response: Response, collection: Collection, url: str) -> Iterator[Manifestation]:
        """Yield the rows of a CSV file."""
        if not self.readable(response):
            return
        unnamed = count = 0
        for row in read_csv(response.body, name=collection):
            if isinstance(row, SourceProblem):
                self.note(row.reason, row.detail)
                continue
            count += 1
            record = read_row(collection, row, base=self.base)
            unnamed += record is None
            if record is not None:
                yield from self.within(record)
        if unnamed:
            self.started_well &= unnamed < count
            self.note("malformed", f"{collection}: {unnamed} of {count} rows without an id")
        learn_read(self.memory, url, self.period, response)
