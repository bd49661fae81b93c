"""The spider that looks at an address: a few requests under the manners of any crawl, and a file with what was found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response

from collectors.addresses import check_web_address
from collectors.doors.model import Look
from collectors.doors.survey import Question, Survey
from collectors.network import LeavesSite, Stopped, site_of
from collectors.spiders.base import PlatformSpider
from collectors.spool import write_whole

MOST_REQUESTS = 12
"""Requests that one look may take, robots.txt and redirects included."""

MOST_BYTES = 3_000_000
"""Longest answer that is read."""

MOST_MOVES = 2
"""How often a look goes on where an address leads to another host."""

LOOK_FILE = "look.json"


class DoorSpider(PlatformSpider):
    """Asks for the address of its source, and then for what the pages suggest, one question after the other."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing seen."""
        super().__init__(**kwargs)
        self.look = Look(url=self.source.url)
        self.survey = Survey(self.look)
        self._moves = 0

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the address itself."""
        yield self._front()

    def _front(self) -> Request:
        meta = {"download_maxsize": MOST_BYTES}
        return self.request(self.source.url, self.parse_front, errback=self._front_failed, meta=meta)

    def parse_front(self, response: Response) -> Iterator[Request]:
        """Read the page that was given, and ask on."""
        if not self.readable(response):
            self.look.visits.append(f"{response.url}: HTTP {response.status}")
            return
        self.survey.sitemaps = self._sitemaps(response.url)
        self.look.visits.append(f"{response.url}: {self.survey.read_front(response)}")
        yield from self._next()

    def _sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps of this site that its robots.txt, which was read already, names."""
        parts = urlsplit(url)
        rules = self.sites.rules.get(f"{parts.scheme}://{parts.netloc}")
        named = list(rules.parsed.sitemaps) if rules is not None and rules.parsed is not None else []
        here = site_of(parts.hostname or "")
        return [one for one in named if _is_address(one) and site_of(urlsplit(one).hostname or "") == here]

    def _front_failed(self, failure: Any) -> Iterator[Request]:
        """Go on where the address leads to another host; remember any other failure."""
        target = getattr(getattr(failure, "request", None), "url", "")
        if not isinstance(failure.value, LeavesSite) or self._moves == MOST_MOVES or not self._may_move(target):
            if isinstance(failure.value, DownloadCancelledError):
                self.note("malformed", f"{target}: the answer is longer than {MOST_BYTES:,} bytes, which no page is")
            else:
                self.note_failure(failure)
            self.look.visits.append(self.problems[-1].detail if self.problems else type(failure.value).__name__)
            return
        self._moves += 1
        self.look.visits.append(f"{self.source.url}: leads to {target}")
        self.look.moved_from = self.look.moved_from or self.source.url
        self.source = self.source.model_copy(update={"url": target})
        yield self._front()

    def _may_move(self, target: str) -> bool:
        """Tell whether a city of this kind may have a source there; a synthetic one has only hosts of its own."""
        host = urlsplit(target).hostname or ""
        mapped = any(fnmatchcase(host, pattern) for pattern in self.city.hosts)
        return _is_address(target) and (mapped or not self.city.synthetic)

    def _next(self) -> Iterator[Request]:
        question = self.survey.next_question()
        if question is not None:
            yield self._ask(question)

    def _ask(self, question: Question) -> Request:
        known: dict[str, Any] = {"cb_kwargs": {"question": question}, "errback": self._failed}
        meta = {"download_maxsize": MOST_BYTES, "question": question}
        if question.json is not None:
            known |= {"method": "POST", "body": json.dumps(question.json), "headers": {"Content-Type": "application/json"}}
        return self.request(question.url, self.parse_answer, meta=meta, **known)

    def parse_answer(self, response: Response, question: Question) -> Iterator[Request]:
        """Read one answer, and ask on."""
        self.look.visits.append(f"{question.url}: {question.read(response)}")
        yield from self._next()

    def _failed(self, failure: Any) -> Iterator[Request]:
        question: Question = failure.request.meta["question"]
        if isinstance(failure.value, Stopped):
            return
        told = str(failure.value) if isinstance(failure.value, IgnoreRequest) else type(failure.value).__name__
        self.look.visits.append(f"{question.url}: {told}")
        yield from self._next()

    def closed(self, reason: str) -> None:
        """Write what was found beside the health of the source."""
        if self.survey.has_front:
            self.survey.finish()
        content = json.dumps(self.look.as_json(), ensure_ascii=False, sort_keys=True)
        write_whole(Path(self.crawler.settings["ESCUCHA_SPOOL"]) / LOOK_FILE, content.encode(errors="replace"))


def _is_address(url: str) -> bool:
    try:
        check_web_address(url)
    except ValueError:
        return False
    return True
