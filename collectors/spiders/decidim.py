"""Decidim: proposals, debates and the comments on everything, by its GraphQL API or by its open-data export.

Facts from "About the GraphQL API" (the page `/api/docs` of every site; decidim-api/docs/usage.md in github.com/decidim/decidim)
and from the types that the gems declare there; for the archive, see `decidim_export`. `POST /api`; a connection pages by
cursor and gives at most 50 nodes; `publishedSince` is inclusive, `publishedBefore` exclusive, both YYYY-MM-DD. Comments have
no filter: they are read with whatever they stand on, proposals of `lookback_days` before the window included, and cut to the
window here. Fields differ between versions: one that a site lacks is left out of the next query and costs itself alone.
Limits of depth, complexity and recursion differ too: what is refused is asked for in less. Hidden and deleted messages do
not show; proposals that their author withdrew are not messages any more.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urljoin

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.exports import conditions, learn_read
from collectors.graphql import Answer, Paging, as_object, as_objects, parse_answer, parse_page, tell_errors, undefined_fields
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders import decidim_queries as queries
from collectors.spiders.decidim_export import parse_export
from collectors.spiders.decidim_items import read_comments, read_item
from collectors.spiders.decidim_queries import Component
from collectors.spiders.participation import Found, ParticipationSpider

MOST_ATTEMPTS = 12
"""A question is put in other words so often before it is given up."""

Write = Callable[[queries.Shape], str]
Read = Callable[[dict[str, Any]], Iterator["Manifestation | Request"]]
Listed = Literal["Proposals", "Debates", "Meetings", "Blogs", "Budgets", "Accountability"]


class DecidimOptions(PlatformOptions):
    """Which parts of a site are read, and by which way."""

    way: Literal["api", "export"] = Field(
        "api", description="export: read the open-data archive, where a site keeps its API to itself."
    )
    spaces: tuple[Literal["processes", "assemblies", "conferences", "initiatives"], ...] = Field(
        ("processes", "assemblies"), min_length=1, description="Kinds of participatory spaces that are read (API)."
    )
    components: tuple[Listed, ...] = Field(
        get_args(Listed), min_length=1, description="Components that are read; of the last four only the comments count (API)."
    )
    language: str = Field("es", pattern=r"^[a-z]{2,3}$", description="Taken first where a text stands in several languages.")
    lookback_days: int = Field(
        365, ge=0, le=20_000, description="A proposal older than the window by more than this gathers no new comments (API)."
    )


class DecidimSpider(ParticipationSpider):
    """Walks spaces, their components, and page by page what these list, with its comments; or reads the export."""

    Options: ClassVar[type[PlatformOptions]] = DecidimOptions

    def __init__(self, **kwargs: Any) -> None:
        """Begin with the whole question; what the site refuses is left out as the walk goes on."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: DecidimOptions = options
        self.base = self.source.url.rstrip("/") + "/"
        self.archive_url = urljoin(self.base, "open-data/download")
        self.shape = queries.Shape()
        self.published_days = queries.days_to_ask(self.period, self.options.lookback_days)
        self._threads_asked: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the spaces of each kind, or for the archive."""
        if self.options.way == "export":
            headers = conditions(self.memory, self.archive_url, self.period)
            yield self.request(self.archive_url, self.parse_archive, headers=headers)
            return
        for folder in self.options.spaces:
            for request in self._ask(partial(queries.spaces_query, folder), partial(self.read_spaces, folder)):
                yield request

    def _ask(self, write: Write, read: Read, attempt: int = 1) -> Iterator[Request]:
        """Yield the request for one question, or none (told) if the site knows nothing of what it asks."""
        query = write(self.shape)
        if not query:
            self.note("malformed", "the site's API does not know what was asked for: check `spaces` and `components`")
            return
        yield self.request(
            urljoin(self.base, "api"),
            self.parse,
            method="POST",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps({"query": query}),
            cb_kwargs={"asked": query, "write": write, "read": read, "attempt": attempt},
        )

    def parse(self, response: Response, asked: str, write: Write, read: Read, attempt: int) -> Iterator[Manifestation | Request]:
        """Yield what an answer holds; a query that was refused as a whole is asked again for less."""
        before = self.started_well
        answer = self._answer(response)
        if answer is None or answer.data is None:
            self.started_well = before
        if answer is None:
            return
        if answer.data is not None:
            if answer.errors:
                self.note("malformed", f"{response.url}: data with {tell_errors(answer.errors)}")
            yield from read(answer.data)
        elif attempt < MOST_ATTEMPTS and self._learns(answer, write, asked):
            yield from self._ask(write, read, attempt + 1)
        else:
            self.note("malformed", f"{response.url}: {tell_errors(answer.errors)}")

    def _answer(self, response: Response) -> Answer | None:
        # A redirect turns the POST into a GET: of a login page, or of another address that would have to be configured.
        if response.request is not None and response.request.method != "POST":
            self.note("http_error", f"the API leads to {response.url}: it wants a login (try `way: export`) or has moved there")
            return None
        found = self.parse_json(response)
        return parse_answer(found) if found is not None else None

    def _learns(self, answer: Answer, write: Write, asked: str) -> bool:
        """Learn from a refusal; True if the question is now put in other words."""
        self.shape.missing |= undefined_fields(answer.errors)
        if "argumentNotAccepted" in {as_object(error.get("extensions")).get("code") for error in answer.errors}:
            self.shape.filtered = False
        smaller = replace(self.shape)
        while write(smaller) == asked:
            if not smaller.shrink():
                return False
        self.shape = smaller
        return True

    def read_spaces(self, folder: str, data: dict[str, Any]) -> Iterator[Request]:
        """Ask for the first page of each component that lists what people write on."""
        spaces = data.get(queries.SPACES[folder][0])
        if not isinstance(spaces, list):
            self.note("malformed", f"{folder}: no list of them in the answer")
        for space in as_objects(spaces):
            for component in queries.components_of(space, folder):
                if component.typename in self.options.components:
                    yield from self._ask_page(component, Paging())

    def _ask_page(self, component: Component, paging: Paging) -> Iterator[Request]:
        write = partial(queries.page_query, component, paging.after, self.published_days)
        yield from self._ask(write, partial(self.read_page, component, paging))

    def read_page(self, component: Component, paging: Paging, data: dict[str, Any]) -> Iterator[Manifestation | Request]:
        """Yield the items of a page and their comments, and ask for the next page; a page that repeats ends the walk."""
        listing = component.listing
        connection = as_object(data.get("component")).get(listing.collection)
        if not isinstance(connection, dict):
            self.note("malformed", f"component {component.id}: no {listing.collection} in the answer")
        page = parse_page(connection)
        for node in page.nodes:
            for item in as_objects(node.get(listing.inner)) if listing.inner else [node]:
                yield from self._item(item, component)
        if page.cursor is not None and paging.go_on(page):
            yield from self._ask_page(component, paging)
        elif page.cursor is not None:
            self.note("malformed", f"component {component.id}: the pages repeat; those after them were not asked for")

    def _item(self, node: dict[str, Any], component: Component) -> Iterator[Manifestation | Request]:
        official = self.source.publisher.official
        item = read_item(node, component, base=self.base, language=self.options.language, official=official)
        if item is None:
            self.note("malformed", f"component {component.id}: an item without an id")
            return
        yield from self.within(item)
        yield from self._comments(node, item, item, component)

    def _comments(
        self, node: dict[str, Any], above: Found, item: Found, component: Component
    ) -> Iterator[Manifestation | Request]:
        """Yield the comments below a node, and ask for the answers to those whose answers did not come."""
        for comment in read_comments(node, above, page=item.url):
            yield from self.within(comment)
            if comment.unread_answers and comment.number not in self._threads_asked:
                self._threads_asked.add(comment.number)
                write = partial(queries.thread_query, component, item.number, comment.number)
                yield from self._ask(write, partial(self.read_thread, component, item, comment))

    def read_thread(
        self, component: Component, item: Found, comment: Found, data: dict[str, Any]
    ) -> Iterator[Manifestation | Request]:
        """Yield the answers to one comment."""
        found = as_object(as_object(data.get("component")).get(component.listing.single or ""))
        for node in as_objects(found.get("comments")):
            yield from self._comments(node, comment, item, component)

    def parse_archive(self, response: Response) -> Iterator[Manifestation]:
        """Yield what the open-data archive holds; a page instead of it says that the site is still making it."""
        if not self.readable(response):
            return
        try:
            for found in parse_export(response.body, language=self.options.language):
                if isinstance(found, SourceProblem):
                    self.note(found.reason, found.detail)
                else:
                    yield from self.within(found)
        except SourceProblem as problem:
            self.started_well = False
            made_later = "; the site may still be making it" if b"<html" in response.body[:2_000].lower() else ""
            self.note(problem.reason, f"{response.url}: {problem.detail}{made_later}")
            return
        learn_read(self.memory, self.archive_url, self.period, response)
