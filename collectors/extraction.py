"""What answers hold is taken out of them in a process apart, within limits on size, time and memory.

Size alone stops no bomb: a few hundred kilobytes of markup can cost a parser minutes, and nothing but the end of its process
stops it. So a spider names a pure function with the request (`Extraction`), the function runs in the worker
(`collectors.extraction_worker`), and its result comes back as JSON. The crawl goes on meanwhile. An answer that breaks a
limit costs the worker, which is started again, and fails as a request fails (`OverLimit`), so that it is counted and told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from scrapy.exceptions import IgnoreRequest

from collectors.budget import downloads_abandoned
from collectors.extraction_worker import MEMORY_BYTES, SECONDS, adapter_of
from collectors.health import Reason, SourceProblem

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

WAIT_SECONDS = 60
"""Wall time after which a worker is taken for stuck, its start included."""

MOST_MARKUP = 2_000_000
"""Bytes of a page; the pages of busy forums are a tenth of it."""

MOST_FEED = 10_000_000
"""Bytes of a feed."""

MOST_DATA = 20_000_000
"""Bytes of a sitemap, or of a page that embeds its thread as data."""

MOST_LOST = 10
"""Answers over the limits after which a source is left: no source may keep the others waiting for long."""

_PASSED = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TMPDIR")
_WANTED, _OUTCOME = "extraction", "extracted"


class OverLimit(IgnoreRequest):
    """Nothing was taken out of an answer, because that would have cost more than an answer may."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the word for the report beside the plain words."""
        self.reason: Reason = reason
        super().__init__(detail)


class UnreadableError(ValueError):
    """The function failed on an answer; the message is the name of what it raised, which quotes nobody."""


@dataclass(frozen=True)
class Extraction:
    """What is to be taken out of an answer."""

    function: Callable[..., Any]
    """A pure function of `collectors`, called with the body and, by name, `url`, `content_type` and `arguments`. What it
    returns crosses as JSON by its annotation. It may raise SourceProblem, which is raised by `extracted`."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    """As JSON can carry them."""

    most_bytes: int = MOST_MARKUP

    @property
    def name(self) -> str:
        """The function as "module:name"."""
        return f"{self.function.__module__}:{self.function.__qualname__}"

    def meta(self) -> dict[str, Any]:
        """Return what a request says of it in its `meta`: what would not be read is not downloaded either."""
        return {_WANTED: self, "download_maxsize": self.most_bytes}


def extracted(response: Response) -> Any:
    """Return what the function gave for an answer.

    Raises:
        SourceProblem: if it raised one.
        UnreadableError: if it failed in another way.
    """
    outcome = response.meta[_OUTCOME]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


class ExtractionWorker:
    """The process apart: started when it is first needed, started again after it was killed. One for all sources of a crawl."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()
        self._serves: object = None

    def start(self) -> None:
        """Start the process, if it does not run: it is ready when the first answer has come."""
        if self._process is None and not self._turn.locked():
            self._process = _start()

    async def extract(self, wanted: Extraction, body: bytes, *, url: str, content_type: str, serves: object = None) -> Any:
        """Return the function's result, or the SourceProblem or UnreadableError that it ended with.

        Args:
            wanted: what to run.
            body: what it reads.
            url: where it came from.
            content_type: the header of that name; "" if there was none.
            serves: who waits for it, see `abandon`.

        Raises:
            OverLimit: if it broke a limit.
        """
        if len(body) > wanted.most_bytes:
            raise OverLimit("extract_too_large", f"{len(body):,} bytes, of which {wanted.most_bytes:,} are read at most")
        head = {"function": wanted.name, "url": url, "content_type": content_type, "arguments": wanted.arguments}
        async with self._turn:
            self._serves = serves
            try:
                return await asyncio.to_thread(self._run, wanted, json.dumps(head).encode(), body)
            finally:
                self._serves = None

    def abandon(self, serves: object) -> None:
        """Break off what somebody waits for, if it is under way."""
        if self._serves is serves and self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    _open(stream).close()
            self._process = None

    def _run(self, wanted: Extraction, head: bytes, body: bytes) -> Any:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it ended while nobody asked it anything
        process = self._process = self._process or _start()
        timer = threading.Timer(WAIT_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            answer = _exchange(process, head, body)
        finally:
            timer.cancel()
        if answer is None:
            ended = process.wait()
            self.close()
            raise _over_limit(ended)
        return _outcome(wanted, json.loads(answer))


def _start() -> subprocess.Popen[bytes]:
    """Start the process without the secrets of this one."""
    package = Path(__file__).resolve().parent.parent
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | {"PYTHONPATH": str(package)}
    command = [sys.executable, "-P", "-m", "collectors.extraction_worker"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=package
    )


def _exchange(process: subprocess.Popen[bytes], head: bytes, body: bytes) -> bytes | None:
    """Send one question and return the answer; None if the process ended instead."""
    try:
        to_worker, from_worker = _open(process.stdin), _open(process.stdout)
        to_worker.write(struct.pack(">II", len(head), len(body)) + head)
        to_worker.write(body)
        to_worker.flush()
        size = from_worker.read(4)
        answer = from_worker.read(struct.unpack(">I", size)[0]) if len(size) == 4 else b""
    except OSError:
        return None
    return answer or None


def _outcome(wanted: Extraction, told: dict[str, Any]) -> Any:
    if "over" in told:
        raise OverLimit(told["over"], told["detail"])
    if "problem" in told:
        return SourceProblem(*told["problem"])
    if "error" in told:
        return UnreadableError(told["error"])
    return adapter_of(wanted.function).validate_python(told["value"])


def _over_limit(ended: int) -> OverLimit:
    """Return what the end of a worker means."""
    if ended in (-getattr(signal, "SIGPROF", 0), -getattr(signal, "SIGKILL", 0)):
        return OverLimit("extract_timeout", f"it would take more than {SECONDS:g} s to read")
    return OverLimit("extract_memory", f"it would take more than {MEMORY_BYTES // 1_000_000} MB of memory to read")


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without pipes")
    return stream


class ExtractApart:
    """Downloader middleware: an answer reaches the spider only after what it asked for was taken out of it.

    Here and not in the spider, so that one answer is read after the other, in the order in which they were asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Listen to the order to break off; the spider brings the worker."""
        self.crawler = crawler
        crawler.signals.connect(self.abandon, downloads_abandoned)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Take out what the request asks for; what is no success, or asks for nothing, passes.

        Raises:
            OverLimit: if that breaks a limit.
        """
        wanted: Extraction | None = request.meta.get(_WANTED)
        if wanted is None or not 200 <= response.status < 400 or response.status == 304:
            return response
        spider: Any = self.crawler.spider
        about = {"url": response.url, "content_type": (response.headers.get("Content-Type") or b"").decode("latin-1").strip()}
        try:
            request.meta[_OUTCOME] = await spider.worker.extract(wanted, response.body, **about, serves=self)
        except OverLimit:
            spider.lost_count += 1
            if spider.lost_count >= MOST_LOST:
                spider.close_soon("over_limit")
            raise
        return response

    def abandon(self) -> None:
        """Do not wait any longer."""
        spider: Any = self.crawler.spider
        spider.worker.abandon(self)
