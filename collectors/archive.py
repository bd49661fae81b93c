"""The raw archive: what a source answered, byte for byte, for as long as its city keeps it (`archive: true`).

One WARC 1.1 file (ISO 28500:2017) per source and run, `data/raw/<city>/archive/<source>/<run>.warc.gz`, a gzip member per
record, whole or not at all: until the crawl of the source ends it is a draft under another name. Bodies stand without their
`Content-Encoding`, so that keys can be taken out of them. It holds what redaction takes out of the items, so only its owner
may read it, and it is never published.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import NotConfigured
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from collectors.archive_keys import hidden_url, request_digest
from collectors.catalog import Source
from collectors.exclusions import Exclusions
from collectors.secrets import hide_secret_bytes, hide_secrets

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from collectors.spiders.base import PlatformSpider

ARCHIVE = "archive"
"""Folder of the archives below `data/raw/<city>`."""

MOST_DAYS = 90
"""Days that an archive is kept where the city says nothing, if texts are kept as long."""

_TOLD = ("User-Agent", "Accept", "Accept-Language", "Content-Type", "If-None-Match", "If-Modified-Since")
"""The headers of a request that are kept; every other may be a key."""

_DROPPED = frozenset({"set-cookie", "content-length", "transfer-encoding", "www-authenticate"})


def archive_file(spool: Path, source_id: str) -> Path:
    """Return where the archive of a source stands that belongs to a spool folder."""
    return spool.parent / ARCHIVE / source_id / f"{spool.name}.warc.gz"


def archive_draft(path: Path) -> Path:
    """Return the name of an archive that is not whole."""
    return path.with_name(f".{path.name}.draft")


def archived_files(folder: Path) -> list[tuple[str, Path]]:
    """Return (source id, file) of every archive below `data/raw/<city>`, drafts included."""
    return [(path.parent.name, path) for path in sorted((folder / ARCHIVE).glob("*/*"))]


def drop_draft(spool: Path, source_id: str) -> bool:
    """Remove what a killed crawl left of an archive; tell whether there was something."""
    draft = archive_draft(archive_file(spool, source_id))
    found = draft.is_file()
    draft.unlink(missing_ok=True)
    return found


def archive_days(source: Source) -> int:
    """Return how many days the archive of a source is kept."""
    return source.archive_days or min(source.retention_days, MOST_DAYS)


def may_be_archived(source: Source, exclusions: Exclusions | None) -> bool:
    """Tell whether nothing of a source is on the list of exclusions: raw bytes cannot be kept without what is named there."""
    if exclusions is None:
        return True
    addresses = (source.url, source.options.asked or source.url)
    return not (exclusions.names_author_of(source.id) or any(map(exclusions.names_site, addresses)))


class RawArchive:
    """Downloader middleware, the one nearest to the site: writes every answer that came, with the request that it answers.

    A login (a POST with a key) is not written: its answer is a key. What cannot be written ends the archive, not the crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Take the file from the settings; without one, the source is not archived."""
        path: Path | None = crawler.settings["ESCUCHA_ARCHIVE_FILE"]
        if path is None:
            raise NotConfigured
        self.crawler, self.path, self.count = crawler, path, 0
        self._decoder = HttpCompressionMiddleware.from_crawler(crawler)
        self._writer: Any = None
        crawler.signals.connect(self.open, signals.spider_opened)
        crawler.signals.connect(self.close, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build as Scrapy does."""
        return cls(crawler)

    def open(self, spider: PlatformSpider) -> None:
        """Open the draft, which only its owner can read."""
        try:
            for folder in (self.path.parent.parent, self.path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(archive_draft(self.path), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            self.file = os.fdopen(descriptor, "wb")
            self._writer = WARCWriter(self.file, gzip=True, warc_version="1.1")
            software = {"software": f"{spider.settings['USER_AGENT']}", "format": "WARC File Format 1.1"}
            self._writer.write_record(self._writer.create_warcinfo_record(self.path.name, software))
        except OSError as error:
            self._give_up(spider, error)

    def process_response(self, request: Request, response: Response) -> Response:
        """Write one answer; return it as it came."""
        spider: Any = self.crawler.spider
        login = request.method == "POST" and (
            b"Authorization" in request.headers or hide_secret_bytes(request.body) != request.body
        )
        if self._writer is None or login:
            return response
        try:
            self._write(request, response)
            spider.archived_byte_count = self.file.tell()
        except OSError as error:
            self._give_up(spider, error)
        return response

    def close(self, spider: PlatformSpider) -> None:
        """Make the archive durable and give it its name; one without an answer is none."""
        if self._writer is None:
            return
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        draft = archive_draft(self.path)
        if self.count:
            draft.replace(self.path)
        else:
            draft.unlink()

    def _write(self, request: Request, response: Response) -> None:
        plain = self._decoded(request, response)
        if plain is None:
            return
        uri, date = hidden_url(request.url), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = hide_secret_bytes(plain.body)
        answer = self._writer.create_warc_record(
            uri,
            "response",
            payload=BytesIO(body),
            http_headers=StatusAndHeaders(_status(plain.status), _headers_of(plain, len(body)), protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": date},
        )
        told = [(name, value) for name in _TOLD if (value := _text(request.headers.get(name)))]
        target = urlsplit(uri)._replace(scheme="", netloc="", fragment="").geturl() or "/"
        asked = self._writer.create_warc_record(
            uri,
            "request",
            payload=BytesIO(hide_secret_bytes(request.body)),
            http_headers=StatusAndHeaders(f"{request.method} {target} HTTP/1.1", told, is_http_request=True),
            warc_headers_dict={
                "WARC-Date": date,
                "WARC-Concurrent-To": answer.rec_headers.get_header("WARC-Record-ID"),
                "Escucha-Request": request_digest(request),
            },
        )
        self._writer.write_record(answer)
        self._writer.write_record(asked)
        self.count += 1

    def _decoded(self, request: Request, response: Response) -> Response | None:
        """Return the answer without its compression; None if it cannot be had, which the crawl itself will tell."""
        if b"Content-Encoding" not in response.headers:
            return response
        try:
            decoded: Any = self._decoder.process_response(request, response.copy())
        except Exception:  # noqa: BLE001 (each compression has errors of its own)
            return None
        return decoded  # type: ignore[no-any-return]

    def _give_up(self, spider: PlatformSpider, error: OSError) -> None:
        if self._writer is not None:
            self.file.close()
        self._writer, spider.archived_byte_count = None, 0
        spider.remarks.append(f"the raw archive of this run could not be written ({error.strerror})")
        archive_draft(self.path).unlink(missing_ok=True)


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"{code} Unknown"


def _headers_of(response: Response, length: int) -> list[tuple[str, str]]:
    """Return the headers that are kept, without those that set a cookie or speak of the transfer alone."""
    kept = [
        (name.decode("latin-1"), hide_secrets(_text(value)))
        for name, values in response.headers.items()
        for value in values
        if name.decode("latin-1").lower() not in _DROPPED
    ]
    return [*kept, ("Content-Length", str(length))]


def _text(value: bytes | None) -> str:
    return " ".join((value or b"").decode("latin-1").split())
