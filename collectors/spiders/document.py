"""What the platforms that read files share: one remote file, or every file of the project that a pattern matches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.http import Response

from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider

MAX_LOCAL_BYTES = 200_000_000


class DocumentSpider(PlatformSpider):
    """Reads files one by one; each platform says what stands in them."""

    async def start(self) -> AsyncIterator[Request | Manifestation]:
        """Ask for the remote file, or read the local ones at once."""
        if self.source.host:
            yield self.request(self.source.url, self.parse)
            return
        paths = sorted(path for path in self.project.glob(self.source.url) if path.is_file() and not path.name.startswith("~$"))
        if not paths:
            self.note("missing_file", f"no file of the project matches {self.source.url!r}")
        for path in paths:
            for item in self._read_local(path):
                yield item

    def parse(self, response: Response, **kwargs: object) -> Iterator[Manifestation]:
        """Yield what the remote file holds."""
        if self.readable(response):
            self.started_well = False
            yield from self._read(response.body, name=unquote(urlsplit(response.url).path.rsplit("/", 1)[-1]))

    def parse_document(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        """Yield what one file holds.

        Raises:
            SourceProblem: if it cannot be read, or not to its end.
        """
        raise NotImplementedError

    def _read_local(self, path: Path) -> Iterator[Manifestation]:
        if not path.resolve().is_relative_to(self.project.resolve()):
            self.note("missing_file", f"{path.name} leads out of the project folder")
        elif path.stat().st_size > MAX_LOCAL_BYTES:
            self.note("malformed", f"{path.name} is larger than {MAX_LOCAL_BYTES} bytes")
        else:
            yield from self._read(path.read_bytes(), name=path.name)

    def _read(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        try:
            yield from self.parse_document(body, name=name)
        except SourceProblem as problem:
            self.note(problem.reason, problem.detail)
        else:
            self.started_well = True
