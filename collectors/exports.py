"""What a platform hands over as files: ZIP archives and CSV tables, read within bounds.

The name of a file inside an archive tells what it holds and is never used as a path. Sizes are counted as the bytes come
out, since what an archive says of them may be untrue.
"""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from scrapy.http import Response

from collectors.health import SourceProblem
from collectors.memory import Memory
from collectors.period import Period
from collectors.text import MarkupError, decode_bytes, html_to_text

MAX_FILES = 200
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ARCHIVE_BYTES = 128 * 1024 * 1024
MAX_FIELD_CHARACTERS = 2_000_000

_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError, ValueError)
_TAG = re.compile(r"</?(?:p|br|div|span|ul|ol|li|a|b|i|u|em|strong|h[1-6]|blockquote|img|table|tr|td)\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)


def open_archive(body: bytes, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes | SourceProblem]]:
    """Yield what each wanted file of a ZIP archive holds, or why it cannot be read, under the first group of its name.

    Args:
        body: the archive.
        wanted: matched (`search`) against the name of each file; the others are not unpacked.

    Raises:
        SourceProblem: `malformed` if it is no archive, or one of too many files.
    """
    # Counted before the list is built: twenty megabytes of names alone would fill the memory.
    count = body.count(_ENTRY)
    if count > MAX_FILES:
        raise SourceProblem("malformed", f"an archive of {count} files; at most {MAX_FILES} are read")
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        members = archive.infolist()
    except _UNREADABLE as error:
        raise SourceProblem("malformed", f"not a readable ZIP archive ({type(error).__name__})") from error
    left = MAX_ARCHIVE_BYTES
    for member in members:
        match = wanted.search(member.filename)
        if match is not None:
            content = _unpack(archive, member, match[1], min(left, MAX_FILE_BYTES))
            left -= len(content) if isinstance(content, bytes) else 0
            yield match[1], content


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, most: int) -> bytes | SourceProblem:
    if member.compress_type not in _METHODS:
        return SourceProblem("malformed", f"{name}: packed by a method that is not read ({member.compress_type})")
    try:
        with archive.open(member) as stream:
            content = stream.read(most + 1)
    except _UNREADABLE as error:
        return SourceProblem("malformed", f"{name}: cannot be unpacked ({type(error).__name__})")
    return content if len(content) <= most else SourceProblem("malformed", f"{name}: more than {most} bytes when unpacked")


def read_csv(body: bytes, *, name: str) -> Iterator[dict[str, str] | SourceProblem]:
    """Yield each row of a CSV file as heading -> cell without white space around, and at the end what could not be read.

    The delimiter is the one that the heading has most of. A row with another number of cells than the heading is left out.
    After a quotation mark that stands wrong or is never closed nothing is certain any more, so the reading ends there.

    Args:
        body: the file.
        name: what it is called in a message.
    """
    _, encoding = decode_bytes(body, declared=None)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    lines = io.TextIOWrapper(io.BytesIO(body), encoding=encoding, errors="replace", newline="")
    delimiter = max(";,\t|", key=lines.readline().count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    lost: list[int] = []
    line = 0
    try:
        heading = [cell.strip().lstrip('\ufeff"').rstrip('"') for cell in next(reader, [])]
        line = reader.line_num
        for cells in reader:
            if len(cells) == len(heading):
                yield {key: cell.strip() for key, cell in zip(heading, cells, strict=True)}
            elif cells:
                lost.append(line + 1)
            line = reader.line_num
    except csv.Error as error:
        yield SourceProblem("malformed", f"{name}:{line + 1}: {error}; nothing after it was read")
    if lost:
        told = f"{name}:{lost[0]}: the first of {len(lost)} rows with another number of cells than the heading"
        yield SourceProblem("malformed", told)


def plain_text(written: str) -> str:
    """Return the text of a field that may hold HTML or none; the line breaks of plain text stay.

    What cannot be read as HTML at all keeps its words and loses its tags.
    """
    if _TAG.search(written):
        try:
            return html_to_text(written)
        except MarkupError:
            return _TAG.sub("\n", written).strip()
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), written)


def conditions(memory: Memory, url: str, period: Period) -> dict[str, str]:
    """Return the headers that ask for a file only if it changed since it was read for this same window."""
    return memory.conditions(url) if memory.recall(f"window:{url}") == str(period) else {}


def learn_read(memory: Memory, url: str, period: Period, response: Response) -> None:
    """Remember that a file was read whole for a window."""
    memory.learn(f"window:{url}", str(period))
    memory.learn_validators(url, response)
