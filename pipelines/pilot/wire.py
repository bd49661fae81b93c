"""What the wire formats share: the answer, markup of a text, and the zone of the synthetic sites."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from pipelines.pilot.records import Article, Message, Served, Site

ZONE = ZoneInfo("America/Lima")
"""Local zone of all sites of the synthetic month."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, but for what every answer carries."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """A strong validator made of the body."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


Query = Mapping[str, Sequence[str]]
"""Parsed query string: name -> values."""


class WireFormat(Protocol):
    """One source in its wire format."""

    site: Site
    """Where it answers."""

    def answer(self, path: str, query: Query) -> Answer | None:
        """Return the answer to a path of the host, or None if the path is not of this source."""
        ...


@runtime_checkable
class PostedFormat(WireFormat, Protocol):
    """A source that is asked by POST too."""

    def post(self, path: str, body: bytes) -> Answer | None:
        """Return the answer to a POST, or None if the path takes none."""
        ...


def html_answer(markup: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a page as UTF-8 HTML."""
    return Answer(markup.encode("utf-8"), "text/html; charset=UTF-8", status, headers or {})


def json_answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a value as JSON."""
    return Answer(json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8", status, headers or {})


def whole_number(query: Query, name: str, default: int) -> int:
    """Return a parameter that is a whole number; what is none counts as absent, as most platforms have it."""
    written = query[name][-1] if name in query else ""
    return int(written) if written.isdecimal() else default


def threads_of(served: Served) -> dict[int, list[Message]]:
    """Return article id -> its messages in their order; articles without any are left out.

    Raises:
        ValueError: if a message hangs below no article.
    """
    threads: dict[int, list[Message]] = {article.id: [] for article in served.articles}
    for message in served.messages:
        if message.article not in threads:
            raise ValueError(f"{served.site.source}: message {message.id} hangs below no article ({message.article})")
        threads[message.article].append(message)
    return {number: thread for number, thread in threads.items() if thread}


def account_of(author: str) -> str:
    """Return the name of an account, in letters, digits and low lines, of who signs; `anonimo` for who does not."""
    return re.sub(r"\W+", "_", author).strip("_") or "anonimo"


def topics_of(served: Served) -> list[tuple[Article, list[Message]]]:
    """Return the topics of a forum with their messages, the one with the newest message first."""
    threads = threads_of(served)
    topics = [(article, threads[article.id]) for article in served.articles if article.id in threads]
    return sorted(topics, key=lambda topic: (topic[1][-1].published or "", topic[0].id), reverse=True)


def paragraphs(text: str) -> str:
    """Mark a plain text up as WordPress does: blank lines part paragraphs, line ends become <br />."""
    blocks = [html.escape(block, quote=False).replace("\n", "<br />\n") for block in text.split("\n\n")]
    return "".join(f"<p>{block}</p>\n" for block in blocks)


def local(moment: datetime) -> datetime:
    """Return an instant on the clock of the sites, without an offset."""
    return moment.astimezone(ZONE).replace(tzinfo=None)
