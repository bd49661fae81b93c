"""Compressed files and ZIP containers, unpacked within bounds: what they claim about their sizes is not believed.

Facts from RFC 1952 (gzip) and the ZIP file format (PKWARE APPNOTE 6.3, sections 4.3 and 4.4): each file of an archive has a
header of its own in the central directory; flag bit 0 says encrypted, method 0 stored, method 8 deflated.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import NamedTuple

from collectors.health import SourceProblem

MAX_UNPACKED_BYTES = 100_000_000
"""Bytes that one packed file may unfold to."""

MAX_MEMBERS = 5_000
"""Files that one archive may hold: an export with its pictures has hundreds."""

_GZIP, _ZIP, _EMPTY_ZIP, _HEADER = b"\x1f\x8b\x08", b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MEMBERS_SHOWN = 12
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


class Unpacked(NamedTuple):
    """A file that was taken out of its wrapping."""

    body: bytes
    name: str
    """Its name for the messages: `export.zip/comments.csv`."""


def is_zip(body: bytes) -> bool:
    """Tell whether a body begins as a ZIP archive does; XLSX, ODS, DOCX and ODT are such archives."""
    return body.startswith((_ZIP, _EMPTY_ZIP))


def open_zip(body: bytes, *, name: str) -> zipfile.ZipFile:
    """Open a ZIP archive.

    Raises:
        SourceProblem: `malformed` if it is damaged or holds too many files.
    """
    # Counted before zipfile builds an object for each of them.
    if body.count(_HEADER) > MAX_MEMBERS:
        raise SourceProblem("malformed", f"{name}: an archive of more than {MAX_MEMBERS} files")
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except _BROKEN as error:
        raise SourceProblem("malformed", f"{name}: not a readable ZIP archive ({type(error).__name__})") from error


def read_member(archive: zipfile.ZipFile, member: str, *, name: str, most: int = MAX_UNPACKED_BYTES) -> bytes:
    """Return the content of one file of an archive.

    Raises:
        SourceProblem: `malformed` if it is absent, encrypted, damaged, packed in a rare way, or larger than `most`.
    """
    try:
        found = archive.getinfo(member)
        if found.flag_bits & 1:
            raise SourceProblem("malformed", f"{name}: is protected by a password; save it without one")
        if found.compress_type not in _METHODS:
            raise SourceProblem("malformed", f"{name}: is packed by method {found.compress_type}; pack it as an ordinary ZIP")
        with archive.open(found) as stream:
            content = stream.read(most + 1)
    except KeyError as error:
        raise SourceProblem("malformed", f"{name}: no {member} inside") from error
    except _BROKEN as error:
        raise SourceProblem("malformed", f"{name}: a damaged archive ({type(error).__name__})") from error
    return _bounded(content, most, name)


def unpack(body: bytes, *, name: str, member: str | None = None) -> Unpacked:
    """Return the one file inside a gzip file or a ZIP archive; any other file comes back as it is.

    Args:
        body: the file.
        name: its name, for the messages.
        member: pattern of the name inside an archive of several files.

    Raises:
        SourceProblem: `malformed` if it is damaged or too large, or if it is not clear which file is meant.
    """
    if body.startswith(_GZIP):
        return Unpacked(_gunzip(body, name), name[: -len(".gz")] if name.lower().endswith(".gz") else name)
    if not is_zip(body):
        return Unpacked(body, name)
    with open_zip(body, name=name) as archive:
        inside = _pick(archive, member, name)
        shown = f"{name}/{PurePosixPath(inside).name}"
        return Unpacked(read_member(archive, inside, name=shown), shown)


def _gunzip(body: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(body)) as stream:
            content = stream.read(MAX_UNPACKED_BYTES + 1)
    except _BROKEN as error:
        raise SourceProblem("malformed", f"{name}: a damaged gzip file ({type(error).__name__})") from error
    return _bounded(content, MAX_UNPACKED_BYTES, name)


def _bounded(content: bytes, most: int, name: str) -> bytes:
    if len(content) > most:
        raise SourceProblem("malformed", f"{name}: unpacked, it is larger than {most} bytes; split it")
    return content


def _pick(archive: zipfile.ZipFile, pattern: str | None, name: str) -> str:
    """Return the name of the one file that an archive holds, or that matches."""
    kept = [member for member in archive.namelist() if not _is_wrapping(member)]
    found = [member for member in kept if pattern is None or fnmatchcase(PurePosixPath(member).name, pattern)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(sorted(repr(PurePosixPath(member).name) for member in kept)[:_MEMBERS_SHOWN]) or "none"
    which = f"{len(found)} files" if pattern is None else f"{len(found)} files named {pattern!r}"
    raise SourceProblem("malformed", f"{name}: {which} inside; name one of them with `member`: {listed}")


def _is_wrapping(member: str) -> bool:
    """Tell whether a name stands for a folder, or for what a computer adds by itself."""
    return member.endswith("/") or "__MACOSX" in member or PurePosixPath(member).name.startswith((".", "Thumbs.db"))
