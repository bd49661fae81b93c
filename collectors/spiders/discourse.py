"""Discourse forums by their public JSON: topics by activity, each with its posts.

Facts from the Discourse API documentation (docs.discourse.org: listLatestTopics, getTopic, getSpecificPostsFromTopic,
listCategoryTopics, getTag) and from Discourse itself (lib/topic_query.rb, lib/topic_view.rb, app/serializers/post_serializer.rb,
app/controllers/application_controller.rb): a list comes by `order=activity`, that is `bumped_at`, newest first, pinned topics
before all others on its first page, and has a `more_topics_url` as long as there is more; a topic brings its first posts (twenty)
and in `post_stream.stream` the ids of all, oldest first, which are asked for by `post_ids[]`; a topic of ten thousand posts has
no such list, only pages; `post_type` is 1 for a post, 2 for one in the moderators' colour, 3 for what the software notes, 4 for
a whisper among staff; users with a negative number are the software itself; a limit answers 429 with `extras.wait_seconds`, and
newer versions with `Retry-After` too; a forum for members answers 403 `not_logged_in` or leads to /login.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, Field
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings

from collectors.catalog import PlatformOptions
from collectors.health import Coverage
from collectors.items import Kind, Manifestation
from collectors.json_body import load_json
from collectors.network import Stopped
from collectors.patience import MOST_ATTEMPTS, AsksToWait
from collectors.spiders.api import field_of
from collectors.spiders.base import PlatformSpider
from collectors.spiders.discourse_rows import PostRow, TopicRow, count_reactions
from collectors.spiders.discourse_text import own_words

CHUNK = 20
CLOSED = (401, 403)
GONE = (404, 410)
MOST_POSTS = 100_000
USUAL_PAUSE = 10.0
"""Seconds; a `Retry-After` that asks for more is kept too."""

WRITTEN = (1, 2)
"""Types of posts that somebody wrote for all to read."""

_LIST = re.compile(r"^(?P<base>/(?:.*?/)??)(?P<kind>c|tags?)/(?P<rest>.+)$")


Reading = Callable[..., Iterator[Manifestation | Request]]
Row = TypeVar("Row", bound=BaseModel)


class DiscourseOptions(PlatformOptions):
    """What may differ between two forums."""

    opening_posts: Literal["manifestation", "article", "official"] = Field(
        "manifestation", description="manifestation: persons open the topics; article or official: they are context."
    )


@dataclass
class Topic:
    """A topic under way: its posts are kept until all are read, so that an answer finds what it answers."""

    number: int
    place: str
    """Its name in the frontier: with another last activity it is another."""

    whole: bool = True
    """False once something of it could not be had."""

    title: str | None = None
    slug: str = "-"
    posts: dict[int, PostRow] = field(default_factory=dict)
    """By their id."""

    remaining: list[str] = field(default_factory=list)
    """Addresses of further posts, the newest last."""


class DiscourseSpider(PlatformSpider):
    """Walks the list of topics, newest activity first, and then each topic that may hold posts of the window."""

    Options: ClassVar[type[PlatformOptions]] = DiscourseOptions
    COVERS: ClassVar[Coverage] = "window"

    def __init__(self, **kwargs: Any) -> None:
        """Find out from the address whether all topics are read, or those of a category or a tag."""
        super().__init__(**kwargs)
        self.base, self.list_address = list_of(self.source.url)
        self._topics: set[int] = set()
        self._lined_up: dict[int, str] = {}

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Leave HTTP 429 to the spider: how long to wait stands in the answer itself."""
        super().update_settings(settings)
        settings.set("RETRY_HTTP_CODES", [500, 502, 503, 504, 522, 524, 408], priority="spider")

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the first page of the list."""
        yield self._list_page(0)

    def _list_page(self, page: int) -> Request:
        query = urlencode({"order": "activity", "page": page})
        return self._question(f"{self.list_address}?{query}", self.parse_list, {"page": page})

    def _question(self, url: str, read: Reading, about: dict[str, Any], *, attempt: int = 1) -> Request:
        known = {"url": url, "read": read, "about": about, "attempt": attempt}
        return self.request(url, self.parse_answer, errback=self._failed, cb_kwargs=known)

    def parse_answer(
        self, response: Response, url: str, read: Reading, about: dict[str, Any], attempt: int
    ) -> Iterator[Manifestation | Request]:
        """Yield what an answer holds; ask again after the pause that was asked for instead."""
        topic: Topic | None = about.get("topic")
        if response.status == 429 and attempt < MOST_ATTEMPTS:
            self.sites.of(response.url).rest(asked_pause(response))
            yield self._question(url, read, about, attempt=attempt + 1)
            return
        document = self._document(response, topic)
        if topic is not None and document is None:
            topic.whole = False
        yield from read(document, **about) if document is not None else self._continued(topic)

    def _failed(self, failure: Any) -> Iterator[Manifestation | Request]:
        self.note_failure(failure)
        topic: Topic | None = failure.request.cb_kwargs["about"].get("topic")
        if topic is not None:
            topic.whole = False
        if topic is not None and isinstance(failure.value, Stopped | AsksToWait):
            topic.remaining.clear()
        yield from self._continued(topic)

    def _document(self, response: Response, topic: Topic | None) -> dict[str, Any] | None:
        """Return the object of an answer; None, and a problem unless a topic is gone since it was listed, if there is none."""
        if topic is not None and response.status in (*GONE, *CLOSED, 429):
            topic.remaining.clear()
        if topic is not None and response.status in GONE:
            return None
        if response.status in CLOSED or urlsplit(response.url).path.endswith("/login"):
            self.note("http_error", f"HTTP {response.status} at {response.url}: shown to members only")
            return None
        had_started = self.started_well
        document: dict[str, Any] | None = self.parse_json(response)
        self.started_well = document is not None or had_started
        return document

    def parse_list(self, document: dict[str, Any], page: int) -> Iterator[Manifestation | Request]:
        """Line up the topics of one page that may hold posts of the window, and ask for the next page."""
        rows = field_of(document, "topic_list", "topics", kind=list)
        if rows is None:
            self.note("malformed", f"{self.list_address}: page {page} holds no list of topics")
            yield from self._continued(None)
            return
        topics = self._fitting(rows, TopicRow, f"{self.list_address}, page {page}")
        fresh = [topic for topic in topics if topic.id not in self._topics]
        self._topics.update(topic.id for topic in fresh)
        self._lined_up |= {topic.id: f"topic {topic.id} {self._active(topic)}" for topic in fresh if self._may_hold(topic)}
        ordered = [topic for topic in topics if not topic.pinned]
        past = bool(ordered) and all(self.is_past(self._active(topic)) for topic in ordered)
        more = bool(field_of(document, "topic_list", "more_topics_url")) and not past
        if more and fresh:
            yield self._list_page(page + 1)
        elif more:
            self.note("malformed", f"{self.list_address}: page {page} brings no topic that was not listed before")
        if not (more and fresh):
            yield from self._continued(None)

    def parse_topic(self, document: dict[str, Any], topic: Topic) -> Iterator[Manifestation | Request]:
        """Keep the first posts of a topic and ask for the others, the newest first."""
        topic.number = field_of(document, "id", kind=int) or topic.number  # another one, if this one was merged into it
        topic.title, topic.slug = field_of(document, "title"), field_of(document, "slug") or "-"
        seen = {post.id for post in self._kept(document, topic)}
        ids, count = field_of(document, "post_stream", "stream", kind=list), field_of(document, "posts_count", kind=int)
        if ids is not None:
            others = [number for number in ids if isinstance(number, int) and number not in seen]
            chunks = [others[start : start + CHUNK] for start in range(0, len(others), CHUNK)]
            queries = [urlencode([("post_ids[]", number) for number in chunk]) for chunk in chunks]
            topic.remaining = [f"{self.base}t/{topic.number}/posts.json?{query}" for query in queries]
        elif count is not None and seen:
            pages = range(2, math.ceil(min(count, MOST_POSTS) / CHUNK) + 1)
            topic.remaining = [f"{self.base}t/{topic.number}.json?page={page}" for page in pages]
        yield from self._continued(topic)

    def parse_posts(self, document: dict[str, Any], topic: Topic) -> Iterator[Manifestation | Request]:
        """Keep further posts of a topic; stop at the first ones that are all older than the window."""
        known = set(topic.posts)
        posts = self._kept(document, topic)
        fresh = [post for post in posts if post.id not in known]
        if posts and not fresh:
            self.note("malformed", f"{self.base}t/{topic.number}: further posts are those that were read before")
        if posts and all(self.is_past(self.published(post.created_at)) for post in fresh):
            topic.remaining.clear()
        yield from self._continued(topic)

    def _continued(self, topic: Topic | None) -> Iterator[Manifestation | Request]:
        """Go on with a topic or, after the list, with all topics: one that rose in the list meanwhile would be passed over."""
        if topic is None:
            lined_up, self._lined_up = self._lined_up, {}
            for number, place in lined_up.items():
                if self.frontier.passed(place) is None:
                    yield self._question(f"{self.base}t/{number}.json", self.parse_topic, {"topic": Topic(number, place)})
        elif topic.remaining:
            yield self._question(topic.remaining.pop(), self.parse_posts, {"topic": topic})
        else:
            yield from self.frontier.reading(topic.place, self, self._posts_of(topic))
            if topic.whole:
                self.frontier.finish(topic.place)

    def _kept(self, document: dict[str, Any], topic: Topic) -> list[PostRow]:
        """Return the posts of an answer, which the topic keeps from now on."""
        rows = field_of(document, "post_stream", "posts", kind=list)
        place = f"{self.base}t/{topic.number}"
        if rows is None:
            self.note("malformed", f"{place}: no list of posts")
            return []
        posts = self._fitting(rows, PostRow, place)
        topic.posts = {post.id: post for post in posts} | topic.posts
        return posts

    def _fitting(self, rows: list[Any], model: type[Row], place: str) -> list[Row]:
        """Return the rows that have the documented form; tell how many have not."""
        fitting = []
        for row in rows:
            try:
                fitting.append(model.model_validate(row))
            except ValueError:
                continue
        if len(fitting) < len(rows):
            self.note("malformed", f"{place}: {len(rows) - len(fitting)} rows of an unexpected form left out")
        return fitting

    def _active(self, topic: TopicRow) -> datetime | None:
        dates = (self.published(topic.bumped_at), self.published(topic.last_posted_at))
        return max((date for date in dates if date), default=None)

    def _may_hold(self, topic: TopicRow) -> bool:
        """Tell whether a topic was opened before the window's end and was still active at its start."""
        opened = self.published(topic.created_at)
        return (opened is None or opened < self.period.end_utc) and not self.is_past(self._active(topic))

    def _posts_of(self, topic: Topic) -> Iterator[Manifestation]:
        """Yield the posts of a topic that were kept, each with the one that it answers."""
        posts = sorted(topic.posts.values(), key=lambda post: post.post_number)
        numbers = {post.post_number: post.id for post in posts}
        for post in posts:
            try:
                yield from self._post(post, topic, numbers)
            except ValueError:
                self.note("malformed", f"{self.base}: the text of post {post.id} cannot be read as HTML")

    def _post(self, post: PostRow, topic: Topic, numbers: dict[int, int]) -> Iterator[Manifestation]:
        options: Any = self.source.options
        opening, by_software = post.post_number == 1, (post.user_id or 0) < 0
        withdrawn = post.hidden or post.user_deleted or post.deleted_at
        if withdrawn or post.post_type not in WRITTEN or (by_software and not opening):
            return
        kind: Kind = "manifestation" if not opening else "article" if by_software else options.opening_posts
        answered = None if opening else numbers.get(post.reply_to_post_number or 1)
        yield from self.manifestation(
            kind=kind,
            native_id=f"post-{post.id}",
            parent_id=f"post-{answered}" if answered else None,
            url=f"{self.base}t/{topic.slug}/{topic.number}/{post.post_number}",
            author=post.username,
            title=topic.title,
            text=own_words(post.cooked or ""),
            published_at=self.published(post.created_at),
            published_raw=post.created_at,
            modified_at=self.published(post.updated_at) if (post.version or 1) > 1 else None,
            reactions=count_reactions(post),
        )


def list_of(url: str) -> tuple[str, str]:
    """Return the address of a forum and that of the list which an address of it shows: all topics, a category's or a tag's."""
    parts = urlsplit(url)
    path = parts.path.removesuffix(".json").removesuffix("/").removesuffix("/latest").removesuffix("/l")
    found = _LIST.match(path)
    if found is None:
        base, shown = f"{path}/", "latest.json"
    else:
        base, kind, rest = found["base"], found["kind"], found["rest"]
        shown = f"c/{rest}/l/latest.json" if kind == "c" else f"{kind}/{rest}.json"
    base = urlunsplit((parts.scheme, parts.netloc, base, "", ""))
    return base, base + shown


def asked_pause(response: Response) -> float:
    """Return the seconds that a forum asks to wait in the body of its answer; a usual pause if it does not say."""
    try:
        answer = load_json(response.body)
    except ValueError:
        answer = None
    extras = answer.get("extras") if isinstance(answer, dict) else None
    asked = extras.get("wait_seconds") if isinstance(extras, dict) else None
    return float(asked) if isinstance(asked, int | float) and math.isfinite(asked) and asked >= 0 else USUAL_PAUSE
