"""Comments of a site that Isso serves: each thread belongs to a page of the site, and its comments are manifestations.

Facts from the server API documentation of Isso 0.13 and 0.14 (isso-comments.de/docs/reference/server-api, written out in
isso/views/comments.py): `GET /latest` exists only where `latest-enabled` is set, `GET /?uri=` brings one whole thread,
`POST /count` tells how many comments each of a list of threads has. `mode` 1 is published, 2 waits for approval, 4 is
deleted. `created` is in seconds since 1970; texts are rendered HTML; names come with & < > as entities.

Two traps: `/latest` puts first-level comments before all answers and keeps the end of that list, so it is whole only where
it brings fewer than it was asked for; `after` leaves out new answers to older comments, so threads are read without it.
"""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

from pydantic import Field, model_validator
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import ApiOptions, PlatformOptions, WebAddress
from collectors.dates import parse_epoch
from collectors.feeds import parse_feed
from collectors.health import Coverage, SourceProblem
from collectors.items import Manifestation
from collectors.network import site_of
from collectors.sitemaps import parse_sitemap
from collectors.spiders.base import PlatformSpider, header, parse_count
from collectors.text import MarkupError, html_to_text

LATEST = (1_000, 10_000)
"""How many of the latest comments are asked for: more where the first were not all."""

BATCH = 100
"""Threads whose comments are counted by one request."""

PUBLISHED = 1

Uri = Annotated[str, Field(min_length=1, max_length=1_000)]


class IssoOptions(ApiOptions):
    """Where the Isso server is, and which pages may have comments, for a server that does not list the latest ones."""

    api: WebAddress = Field(description="Address of the Isso server (`data-isso` in the pages of the site).")
    pages: tuple[Uri, ...] = Field((), description="Threads as Isso names them: the path of the page, or its `data-isso-id`.")
    sitemap: WebAddress | None = Field(None, description="Sitemap that lists the pages; on the host of the Isso server.")
    feed: WebAddress | None = Field(None, description="RSS or Atom feed that lists the pages; on the host of the Isso server.")

    @model_validator(mode="after")
    def _one_host(self) -> Self:
        for name, address in (("sitemap", self.sitemap), ("feed", self.feed)):
            if address and site_of(urlsplit(address).hostname or "") != site_of(urlsplit(self.api).hostname or ""):
                raise ValueError(f"{name} must be on the host of `api`, the only one that is asked; otherwise list the `pages`")
        return self


class IssoSpider(PlatformSpider):
    """Reads the latest comments of all threads or, where the server does not list them, thread by thread."""

    Options: ClassVar[type[PlatformOptions]] = IssoOptions
    COVERS: ClassVar[Coverage] = "window"

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing asked for."""
        super().__init__(**kwargs)
        options: Any = self.source.options
        self.options: IssoOptions = options
        self._asked: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the latest comments."""
        yield self._latest(0)

    def _latest(self, step: int) -> Request:
        return self.request(self._url(f"latest?limit={LATEST[step]}"), self.parse_latest, cb_kwargs={"step": step})

    def _url(self, path: str) -> str:
        return urljoin(f"{self.options.api.rstrip('/')}/", path)

    def parse_latest(self, response: Response, step: int) -> Iterator[Manifestation | Request]:
        """Yield the comments of all threads; where that is closed or too short, ask for the pages instead."""
        if response.status in (403, 404):
            yield from self._by_page("the server does not list the latest comments")
            return
        rows = self.parse_json(response, list)
        if rows is None:
            self.started_well = False
            return
        if len(rows) < LATEST[step]:
            yield from self._comments(response, rows)
        elif step + 1 < len(LATEST):
            yield self._latest(step + 1)
        else:
            yield from self._comments(response, rows)
            yield from self._by_page(f"the server has more than the latest {len(rows)} comments")

    def _by_page(self, why: str) -> Iterator[Request]:
        """Ask for the list of pages, wherever the options say that it is; a list may lack some."""
        self.covers = "newest"
        if not (self.options.pages or self.options.sitemap or self.options.feed):
            self.note("http_error", f"{self.options.api}: {why}; give pages, sitemap or feed in the options of the source")
        yield from self._count(self.options.pages)
        if self.options.sitemap:
            yield self.request(self.options.sitemap, self.parse_sitemap, cb_kwargs={"of_index": False})
        if self.options.feed:
            yield self.request(self.options.feed, self.parse_feed)

    def parse_sitemap(self, response: Response, of_index: bool) -> Iterator[Request]:
        """Ask for the threads of the pages in a sitemap, and once for each sitemap that an index lists (sitemaps.org)."""
        if not self.readable(response):
            return
        try:
            listed = parse_sitemap(response.body, url=response.url)
        except SourceProblem:
            self.note("malformed", f"{response.url}: not a sitemap")
            return
        if listed.cut:
            self.note("malformed", f"{response.url}: damaged or longer than a sitemap may be; read in part")
        yield from self._pages(response, [page.url for page in listed.pages])
        for inner in () if of_index else listed.sitemaps:
            if self._is_new(inner.url):
                yield self.request(urljoin(response.url, inner.url), self.parse_sitemap, cb_kwargs={"of_index": True})

    def parse_feed(self, response: Response) -> Iterator[Request]:
        """Ask for the threads of the pages in a feed."""
        if self.readable(response):
            try:
                feed = parse_feed(response.body, url=response.url, content_type=header(response, "Content-Type"))
            except SourceProblem as problem:
                self.note(problem.reason, problem.detail)
                return
            yield from self._pages(response, [entry.link or "" for entry in feed.entries])

    def _pages(self, response: Response, pages: list[str]) -> Iterator[Request]:
        """Ask how many comments the listed pages of the site have; Isso names a thread by the path of its page."""
        site = site_of(urlsplit(self.source.url).hostname or "")
        addresses = [_split(page.strip()) for page in pages]
        uris = [path for host, path in addresses if site_of(host) == site]
        if pages and not uris:
            self.note("malformed", f"{response.url}: no listed page is of {site}")
        yield from self._count(uris)

    def _count(self, uris: Any) -> Iterator[Request]:
        fresh = [uri for uri in uris if self._is_new(f"thread:{uri}")]
        for begin in range(0, len(fresh), BATCH):
            batch = fresh[begin : begin + BATCH]
            yield self.request(
                self._url("count"),
                self.parse_counts,
                method="POST",
                body=json.dumps(batch).encode(),
                headers={"Content-Type": "application/json"},
                cb_kwargs={"uris": batch},
            )

    def _is_new(self, name: str) -> bool:
        new = name not in self._asked
        self._asked.add(name)
        return new

    def parse_counts(self, response: Response, uris: list[str]) -> Iterator[Request]:
        """Ask for the threads that have comments; for all of them where the server does not count."""
        counts = self.parse_json(response, list)
        if counts is None or len(counts) != len(uris):
            counts = [None] * len(uris)
        for uri, count in zip(uris, counts, strict=True):
            if count != 0 and self.frontier.passed(uri) is None:
                yield self.request(self._url(f"?{urlencode({'uri': uri})}"), self.parse_thread, cb_kwargs={"uri": uri})

    def parse_thread(self, response: Response, uri: str) -> Iterator[Manifestation]:
        """Yield each comment of one thread."""
        document = self.parse_json(response)
        if document is None:
            return
        rows, waiting = [], [document]
        while waiting:
            answers = waiting.pop().get("replies")
            found = answers if isinstance(answers, list) else []
            rows += [row | {"uri": uri} if isinstance(row, dict) else row for row in found]
            waiting += [row for row in found if isinstance(row, dict)]
        if not isinstance(document.get("replies"), list):
            self.note("malformed", f"{response.url}: `replies` is no list")
        yield from self.frontier.reading(uri, self, self._comments(response, rows))
        self.frontier.finish(uri)

    def _comments(self, response: Response, rows: list[Any]) -> Iterator[Manifestation]:
        """Yield the published comments of the window, and the undated: a thread comes with all its past."""
        broken = 0
        for row in rows:
            if not _is_comment(row):
                broken += 1
                continue
            published = parse_epoch(str(row.get("created")))
            if row.get("mode", PUBLISHED) != PUBLISHED or not self._is_of_window(published):
                continue
            try:
                yield from self._comment(row, published)
            except MarkupError:
                broken += 1
        if broken:
            self.note("malformed", f"{response.url}: {broken} of {len(rows)} comments are not as documented")

    def _is_of_window(self, published: datetime | None) -> bool:
        return published is None or self.period.start_utc <= published < self.period.end_utc

    def _comment(self, row: dict[str, Any], published: datetime | None) -> Iterator[Manifestation]:
        parent, uri, author, created = row.get("parent"), row.get("uri"), row.get("author"), row.get("created")
        page = uri if isinstance(uri, str) and uri else None
        yield from self.manifestation(
            native_id=str(row["id"]),
            parent_id=str(parent) if _is_id(parent) else (f"page:{page}" if page else None),
            url=self._permalink(page, row["id"]),
            author=html.unescape(author) if isinstance(author, str) else None,
            text=html_to_text(row["text"]),
            published_at=published,
            published_raw=None if created is None else str(created),
            modified_at=parse_epoch(str(row.get("modified"))),
            reactions=parse_count(str(row.get("likes"))),
        )

    def _permalink(self, uri: str | None, number: int) -> str | None:
        """Return the address of a comment; None where the name of the thread is no path of the site."""
        if uri is None or not uri.startswith(("/", "http://", "https://")):
            return None
        link = urljoin(self.source.url, uri)
        return f"{link}#isso-{number}" if _split(link)[0] == _split(self.source.url)[0] else None


def _is_comment(row: Any) -> bool:
    return isinstance(row, dict) and _is_id(row.get("id")) and isinstance(row.get("text"), str)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _split(address: str) -> tuple[str, str]:
    """Return host and path of an address, the path as a browser tells it; two empty texts where it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.hostname or "", quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
