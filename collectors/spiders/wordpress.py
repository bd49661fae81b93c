"""WordPress sites by their REST API: posts as context, comments as manifestations; by their feeds where the API is closed.

Facts from the WordPress REST API Handbook (developer.wordpress.org/rest-api: reference/comments, reference/posts,
using-the-rest-api/pagination, using-the-rest-api/discovery): `per_page` is at most 100; `X-WP-Total` and `X-WP-TotalPages` tell
how much there is; a page may hold fewer rows than asked for, as those that the reader may not see are left out after counting;
beyond the last page posts answer 400 `rest_post_invalid_page_number` and comments an empty list; `date_gmt` is UTC without an
offset; `after` and `before` compare with the site's local clock, so the window is asked for with a day to spare on both sides
and cut later; comments of another type than `comment` are given only where the site allows it (`rest_forbidden_param`); every
page names the API's root in a `Link` header, which is `/?rest_route=/` on sites without pretty permalinks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import AfterValidator, Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions
from collectors.health import Coverage, Reason
from collectors.items import Manifestation
from collectors.json_body import load_json
from collectors.spiders.base import header, parse_count
from collectors.spiders.wordpress_addresses import api_root, home_of, home_of_root
from collectors.spiders.wordpress_feeds import GONE, WordPressFeeds
from collectors.spiders.wordpress_rows import CommentRow, PostRow, comment_number, gmt, numbered, plain_text

logger = logging.getLogger("collectors")

PAGE_SIZE = 100
PLAIN_PAGE_SIZE = 10
SPARE = timedelta(days=1)
MOST_STALE = 5
"""Pages in a row without a new row, after which a walk ends whatever the site says of the number of its pages."""

_MACHINES = ("pingback", "trackback", "note")
_NAME = r"^[a-z0-9_-]{1,40}$"


def _by_persons(kind: str) -> str:
    if kind in _MACHINES:
        raise ValueError(f"{kind} is not a person's message: name types such as comment or review")
    return kind


class WordPressOptions(PlatformOptions):
    """What may differ between two WordPress sites."""

    posts: bool = Field(True, description="False: do not read the articles, only the comments.")
    collections: tuple[Annotated[str, Field(pattern=_NAME)], ...] = Field(
        ("posts",), description="What is read as articles: posts, pages, and the `rest_base` of custom post types."
    )
    comment_types: tuple[Annotated[str, Field(pattern=_NAME), AfterValidator(_by_persons)], ...] = Field(
        ("comment",), min_length=1, description="Types of comments that are persons' messages, such as comment and review."
    )
    article_feeds: int = Field(
        50, ge=0, le=2_000, description="Where the API is closed: articles whose own feed of comments is asked, at most."
    )


@dataclass
class Walk:
    """One collection (or one type of comments) under way, page by page."""

    collection: str
    kind: str = "comment"
    root: str = ""
    refusal: tuple[Reason, str] | None = None
    plain: bool = False
    """True once the site refused our order or page size: it is asked with its own."""

    total: int | None = None
    returns: int = 0
    stale: int = 0
    seen: set[str] = field(default_factory=set)


class WordPressSpider(WordPressFeeds):
    """Walks `/wp-json/wp/v2/posts` and `/wp-json/wp/v2/comments`, oldest first."""

    Options: ClassVar[type[PlatformOptions]] = WordPressOptions
    COVERS: ClassVar[Coverage] = "window"

    def __init__(self, **kwargs: Any) -> None:
        """Expect the API where WordPress has it by default."""
        super().__init__(**kwargs)
        self.home = home_of(self.source.url)
        self.root = urljoin(self.home, "wp-json/")
        self._waiting: list[Walk] = []
        self._sought = self._feed_opened = False
        self._left_out: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of each collection."""
        options: Any = self.source.options
        for collection in options.collections if options.posts else ():
            yield self._ask(Walk(collection), 1)
        for kind in options.comment_types:
            yield self._ask(Walk("comments", kind), 1)

    def _ask(self, walk: Walk, page: int) -> Request:
        walk.root = self.root
        about = {"walk": walk, "page": page}
        return self.request(
            self.page_url(walk, page), self.parse_page, errback=self._page_failed, cb_kwargs=about, meta={"walk": walk}
        )

    def page_url(self, walk: Walk, page: int) -> str:
        """Return the address of one page of a collection for the window."""
        query: dict[str, Any] = {
            "after": (self.period.start_utc - SPARE).strftime("%Y-%m-%dT%H:%M:%S"),
            "before": (self.period.end_utc + SPARE).strftime("%Y-%m-%dT%H:%M:%S"),
        }
        if not walk.plain:
            query |= {"orderby": "date_gmt" if walk.collection == "comments" else "date", "order": "asc", "per_page": PAGE_SIZE}
        query["page"] = page
        if walk.kind != "comment":
            query["type"] = walk.kind
        route, parts = f"wp/v2/{walk.collection}", urlsplit(self.root)
        if "rest_route" in parse_qs(parts.query):
            return urlunsplit(parts._replace(query=urlencode({"rest_route": f"/{route}", **query}, safe="/")))
        return urljoin(self.root, route) + "?" + urlencode(query)

    def parse_page(self, response: Response, walk: Walk, page: int) -> Iterator[Manifestation | Request]:
        """Yield what one page holds and ask for the next one."""
        found = _json_of(response)
        if response.status >= 400 or not isinstance(found, list):
            yield from self._refused(response, walk, page, found)
            return
        self.started_well = True
        fresh = [row for row in found if _is_new(row, walk.seen)]
        bad = []
        for row in fresh:
            try:
                yield from self._comment(row) if walk.collection == "comments" else self._article(row)
            except ValueError:  # of pydantic and of markup that cannot be read
                bad.append(_told_id(row))
        if bad:
            self.note("malformed", f"{response.url}: {len(bad)} rows of an unexpected form left out (id {', '.join(bad[:5])})")
        yield from self._following(response, walk, page, size=len(found), new=len(fresh))

    def _following(self, response: Response, walk: Walk, page: int, *, size: int, new: int) -> Iterator[Request]:
        total, pages = (parse_count(header(response, name)) for name in ("X-WP-Total", "X-WP-TotalPages"))
        # Where something before this page was deleted meanwhile, what began this page has slipped to the end of the last one.
        shrunk = total is not None and walk.total is not None and total < walk.total
        walk.total = walk.total if total is None else total
        if shrunk and page > 1 and walk.returns < MOST_STALE:
            walk.returns += 1
            yield self._ask(walk, page - 1)
            return
        walk.stale = 0 if new else walk.stale + 1
        full = PLAIN_PAGE_SIZE if walk.plain else PAGE_SIZE
        if pages is None and total is not None:
            pages = -(-total // full)
        more = page < pages if pages is not None else size >= full
        repeated = walk.stale > 0 and size > 0 and walk.returns == 0
        if more and (repeated or walk.stale >= MOST_STALE):
            self.note("malformed", f"{response.url}: brings nothing new, although the site tells of more; not read further")
        elif more:
            yield self._ask(walk, page + 1)

    def _refused(self, response: Response, walk: Walk, page: int, found: Any) -> Iterator[Request]:
        """Follow an answer that is no page of the collection: mend the question, look elsewhere, or count the API as closed."""
        code = str(found.get("code", ""))[:60] if isinstance(found, dict) else ""
        if page > 1 and code == "rest_post_invalid_page_number":
            if walk.total is not None and walk.returns < MOST_STALE:
                walk.returns += 1
                yield self._ask(walk, page - 1)
            return
        reason: Reason = "http_error" if response.status >= 400 else "malformed"
        status = f"HTTP {response.status} {code}".strip()
        told = f"{status} at {response.url}" if response.status >= 400 else f"{response.url}: not a JSON list of objects"
        walk.refusal = walk.refusal or (reason, told)
        if response.status == 429 or page > 1:
            self.note("rate_limited" if response.status == 429 else reason, told)
        elif code == "rest_invalid_param" and not walk.plain:
            walk.plain = True
            yield self._ask(walk, 1)
        elif walk.kind != "comment" and code.startswith("rest_forbidden"):
            self.note(reason, f"comments of type {walk.kind} are not shown to visitors ({told})")
        elif _is_elsewhere(response, code) and (not self._sought or walk.root != self.root):
            yield from self._seek(response, walk)
        else:
            yield from self._close(walk)

    def _seek(self, response: Response, walk: Walk) -> Iterator[Request]:
        """Look for the API's root, once, and remember who waits for it."""
        if walk.root != self.root:
            yield self._ask(walk, 1)
            return
        self._waiting.append(walk)
        named = api_root(response)
        if named:
            yield from self._settle(named)
        elif len(self._waiting) == 1:
            yield self.request(self.home, self.parse_front, errback=self._front_failed)

    def parse_front(self, response: Response) -> Iterator[Request]:
        """Ask again where the front page says that the API is, or else where it is without pretty permalinks."""
        if not self._sought:
            elsewhere = self.root if self.started_well else f"{self.home}?rest_route=/"
            yield from self._settle(api_root(response) or elsewhere)

    def _front_failed(self, failure: Any) -> Iterator[Request]:
        self.note_failure(failure)
        if not self._sought:
            yield from self._settle(self.root)

    def _settle(self, root: str) -> Iterator[Request]:
        waiting, self._waiting, self._sought = self._waiting, [], True
        if root == self.root:
            for walk in waiting:
                yield from self._close(walk)
            return
        self.root, self.home = root, home_of_root(root)
        for walk in waiting:
            yield self._ask(walk, 1)

    def _close(self, walk: Walk) -> Iterator[Request]:
        """Tell that the API does not give a collection, and read its feeds in its place."""
        if walk.refusal is not None:
            self.note(*walk.refusal)
        yield from self._read_feeds(walk)

    def _read_feeds(self, walk: Walk) -> Iterator[Request]:
        self.covers = "newest"
        if walk.collection == "comments" and not self._feed_opened:
            self._feed_opened = True
            yield from self.open_comment_feed(self.problems[-1])
        elif walk.collection == "posts":
            yield from self.open_post_feed(self.problems[-1])

    def _page_failed(self, failure: Any) -> Iterator[Request]:
        self.note_failure(failure)
        walk: Walk = failure.request.meta["walk"]
        if self.problems and self.problems[-1].reason == "robots_closed" and not walk.seen:
            yield from self._read_feeds(walk)

    def _article(self, found: Any) -> Iterator[Manifestation | Request]:
        row = PostRow.model_validate(found)
        native_id = numbered("post", row.id)
        if row.content is not None and row.content.protected:
            return  # shown to those who know its password, its comments too
        yield from self.know_article(row.link, native_id)
        yield from self.manifestation(
            kind="official" if self.source.publisher.official else "article",
            native_id=native_id,
            url=row.link,
            title=plain_text(row.title),
            text=plain_text(row.content),
            published_at=self.published(gmt(row.date_gmt)),
            published_raw=row.date_gmt,
            modified_at=self.published(gmt(row.modified_gmt)),
        )

    def _comment(self, found: Any) -> Iterator[Manifestation]:
        row = CommentRow.model_validate(found)
        if not self._by_a_person(row.type or "comment"):
            return
        yield from self.manifestation(
            native_id=numbered("comment", row.id) or comment_number(row.link),
            parent_id=numbered("comment", row.parent) or numbered("post", row.post),
            url=row.link,
            author=row.author_name,
            text=plain_text(row.content),
            published_at=self.published(gmt(row.date_gmt)),
            published_raw=row.date_gmt,
        )

    def _by_a_person(self, kind: str) -> bool:
        """Tell whether comments of a type count; say once of each type that does not, unless machines write it."""
        options: Any = self.source.options
        if kind in options.comment_types:
            return True
        if kind not in (*_MACHINES, *self._left_out):
            self._left_out.add(kind)
            told = "source %s: comments of type %r are left out; name it in `comment_types` if persons write them"
            logger.warning(told, self.source.id, kind[:40])
        return False


def _is_elsewhere(response: Response, code: str) -> bool:
    """Tell whether an answer looks like that of a site whose API has another address: a page, where JSON was asked for."""
    readable = response.status < 400 and response.body.lstrip()[:1] not in (b"[", b"{")
    return (response.status in GONE and not code.startswith("rest_")) or readable


def _json_of(response: Response) -> Any:
    try:
        return load_json(response.body)
    except ValueError:
        return None


def _told_id(row: Any) -> str:
    """Return the id of a row for the health of the source; "?" where it holds something else, which may be anybody's words."""
    number = row.get("id") if isinstance(row, dict) else None
    return str(number) if isinstance(number, int) else "?"


def _is_new(row: Any, seen: set[str]) -> bool:
    """Tell whether a row comes up for the first time in a walk, and remember it."""
    known = row.get("id") or row.get("link") if isinstance(row, dict) else None
    key = str(known or json.dumps(row, sort_keys=True))
    new = key not in seen
    seen.add(key)
    return new
