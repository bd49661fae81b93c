"""Compressed files and archives: one file comes out, or a sentence that says why not; and never more than is bounded."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import packed
from collectors.health import SourceProblem
from collectors.packed import Unpacked, open_zip, read_member, unpack


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as book:
        for name, content in files.items():
            book.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def pack(content: bytes) -> bytes:
    """Return content in gzip without the time of day, which would stand in the names of tests."""
    return gzip.compress(content, mtime=0)


def encrypted() -> bytes:
    """Return an archive whose one file says that it is encrypted."""
    body = bytearray(archive({"a.csv": b"texto"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = body.index(mark) + place
        body[start : start + 2] = struct.pack("<H", 1)
    return bytes(body)


def lying() -> bytes:
    """Return an archive that claims its file to be a hundred times smaller than it is."""
    body = bytearray(archive({"a.csv": b"x" * 1_000}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = body.index(mark) + place
        body[start : start + 4] = struct.pack("<I", 10)
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "member", "expected"),
    [
        (b"texto\n", None, Unpacked(b"texto\n", "f.csv.gz")),
        (pack(b"uno") + pack(b"dos"), None, Unpacked(b"unodos", "f.csv")),
        (archive({"a/b.csv": b"x"}), None, Unpacked(b"x", "f.csv.gz/b.csv")),
        (archive({"a.csv": b"x", "b.csv": b"y"}), "b.*", Unpacked(b"y", "f.csv.gz/b.csv")),
        (archive({"a/": b"", "__MACOSX/._a.csv": b"", ".DS_Store": b"", "a.csv": b"x"}), None, Unpacked(b"x", "f.csv.gz/a.csv")),
        (archive({"a.csv": b"x"}, zipfile.ZIP_STORED), None, Unpacked(b"x", "f.csv.gz/a.csv")),
    ],
)
def test_one_file_comes_out(body: bytes, member: str | None, expected: Unpacked) -> None:
    assert unpack(body, name="f.csv.gz", member=member) == expected


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (archive({}), "f: 0 files inside; name one of them with `member`: none"),
        (archive({"a.csv": b"", "b.csv": b""}), "f: 2 files inside; name one of them with `member`: 'a.csv', 'b.csv'"),
        (encrypted(), "f/a.csv: is protected by a password"),
        (archive({"a.csv": b"x"}, zipfile.ZIP_LZMA), "f/a.csv: is packed by method 14"),
        (lying(), "f/a.csv: a damaged archive"),
        (archive({"a.csv": b"x" * 50})[:-30], "f: not a readable ZIP archive"),
        (pack(b"x" * 5_000)[:-12], "f: a damaged gzip file"),
        (pack(b"x") + b"resto", "f: a damaged gzip file"),
    ],
)
def test_what_is_wrong_is_told(body: bytes, told: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        unpack(body, name="f")
    assert caught.value.reason == "malformed"
    assert caught.value.detail.startswith(told)


@pytest.mark.parametrize("wrap", [pack, lambda content: archive({"a.csv": content})])
def test_bomb_is_cut_where_it_is_too_large(wrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_UNPACKED_BYTES", 1_000)
    monkeypatch.setattr(read_member, "__kwdefaults__", {"most": 1_000})
    assert len(unpack(wrap(b"0" * 1_000), name="f").body) == 1_000
    with pytest.raises(SourceProblem, match="unpacked, it is larger than 1000 bytes"):
        unpack(wrap(b"0" * 10_000_000), name="f")


def test_archive_of_very_many_files_is_refused_before_they_are_counted_one_by_one() -> None:
    body = archive({f"{number}.csv": b"" for number in range(packed.MAX_MEMBERS + 1)}, zipfile.ZIP_STORED)
    with pytest.raises(SourceProblem, match="an archive of more than 5000 files"):
        open_zip(body, name="f.zip")


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08"]))
def test_any_bytes_come_out_or_are_told(tail: bytes, head: bytes) -> None:
    told = ""
    try:
        assert isinstance(unpack(head + tail, name="f").body, bytes)
    except SourceProblem as problem:
        told = problem.detail
    assert told == "" or told.startswith("f")
