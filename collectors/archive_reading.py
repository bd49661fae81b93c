"""The past read again from the raw archive: a download handler that answers from WARC files and never opens a connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from collectors.archive_keys import request_digest
from collectors.health import SourceProblem
from collectors.network import ROBOTS_REQUEST, NotArchived

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class Record(NamedTuple):
    """Where one archived answer stands."""

    path: Path
    offset: int
    status: int
    archived_at: datetime

    @property
    def rank(self) -> tuple[bool, datetime]:
        """What makes an answer the one that is taken: a good one before a failure, then the newer."""
        return self.status < 400, self.archived_at


@cache
def load_index(paths: tuple[Path, ...]) -> dict[str, Record]:
    """Return request digest -> the answer that is taken among those of several archives; "not modified" is none.

    Raises:
        SourceProblem: `malformed`, if a file is no whole WARC.
    """
    found: dict[str, Record] = {}
    for path in paths:
        try:
            for digest, record in _records(path):
                if record.status != 304 and (digest not in found or record.rank >= found[digest].rank):
                    found[digest] = record
        except (ArchiveLoadFailed, EOFError, OSError, ValueError) as error:
            raise SourceProblem("malformed", f"{path.name}: not a whole archive ({type(error).__name__})") from error
    return found


def _records(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield (request digest, answer); a request stands behind its answer and names it."""
    answers: dict[str, Record] = {}
    with path.open("rb") as file:
        iterator: Any = ArchiveIterator(file)
        for record in iterator:
            headers = record.rec_headers
            if record.rec_type == "response":
                date = datetime.fromisoformat(headers.get_header("WARC-Date"))
                status = int(record.http_headers.get_statuscode())
                answers[headers.get_header("WARC-Record-ID")] = Record(path, iterator.get_record_offset(), status, date)
            elif record.rec_type == "request":
                answer = answers.pop(headers.get_header("WARC-Concurrent-To"), None)
                if answer is not None:
                    yield headers.get_header("Escucha-Request"), answer


def read_answer(record: Record, url: str) -> Response:
    """Return an archived answer as if the address had just given it."""
    with record.path.open("rb") as file:
        file.seek(record.offset)
        found: Any = next(iter(ArchiveIterator(file)))
        headers = Headers()
        for name, value in found.http_headers.headers:
            headers.appendlist(name, value)
        body = found.content_stream().read()
    kind = responsetypes.from_args(headers=headers, url=url, body=body)
    return kind(url=url, status=record.status, headers=headers, body=body, protocol="HTTP/1.1")


class ArchivedAnswers(BaseDownloadHandler):
    """Scrapy's download handler for http and https while the archive is read: what is not in it is not fetched.

    A robots.txt that is not there (another source of the host had asked for it, or it was known already) is taken for none:
    what it forbade was never archived.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        """Take the files from the settings."""
        super().__init__(crawler)
        self.paths: Sequence[Path] = crawler.settings["ESCUCHA_ARCHIVED_FILES"]

    async def download_request(self, request: Request) -> Response:
        """Return the archived answer.

        Raises:
            NotArchived: if there is none.
        """
        spider: Any = self.crawler.spider
        record = load_index(tuple(self.paths)).get(request_digest(request))
        if record is not None:
            spider.read_at = record.archived_at
            return read_answer(record, request.url)
        if request.meta.get(ROBOTS_REQUEST):
            return Response(request.url, status=404)
        raise NotArchived("not in the raw archive, and not fetched")
