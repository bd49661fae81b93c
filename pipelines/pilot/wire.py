"""What the wire formats share: the answer, markup of a text, and the zone of the synthetic sites."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from pipelines.pilot.records import Site

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


def html_answer(markup: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a page as UTF-8 HTML."""
    return Answer(markup.encode("utf-8"), "text/html; charset=UTF-8", status, headers or {})


def paragraphs(text: str) -> str:
    """Mark a plain text up as WordPress does: blank lines part paragraphs, line ends become <br />."""
    blocks = [html.escape(block, quote=False).replace("\n", "<br />\n") for block in text.split("\n\n")]
    return "".join(f"<p>{block}</p>\n" for block in blocks)


def local(moment: datetime) -> datetime:
    """Return an instant on the clock of the sites, without an offset."""
    return moment.astimezone(ZONE).replace(tzinfo=None)
