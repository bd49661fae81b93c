"""An exported WhatsApp chat -> what people wrote, line by line; names and numbers stay behind (pure).

WhatsApp documents how a chat is exported ("How to export your chat history", faq.whatsapp.com/1180414079177245) and not how the
file is written, which depends on the phone, its language and its clock. Known are two layouts: `dd/mm/yy, hh:mm - Name: text`
(Android) and `[dd/mm/yy, hh:mm:ss] Name: text` (iPhone, where U+200E goes before the application's own words).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from collectors.chat_words import Kind, fold, gather_names, load_words, read_text, split_author
from collectors.dates import DateOrder
from collectors.health import SourceProblem
from collectors.text import open_text

MAX_LINE_CHARACTERS = 1_000_000
MAX_TEXT_CHARACTERS = 80_000
"""Longest message that is put together; beyond it the rest is cut, as every text is cut sooner."""

MAX_MESSAGES = 500_000

_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_DAY = r"(?P<first>\d{1,2}|\d{4})(?P<mark>[/.-])(?P<middle>\d{1,2})(?P=mark)(?P<last>\d{4}|\d{1,2})"
_CLOCK = r"(?P<clock>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: ?[AaPp]\.? ?[Mm]\.?)?)"
_HEADS = (
    re.compile(rf"{_DAY},? {{1,2}}{_CLOCK} [-–] (?P<rest>.*)", re.ASCII | re.DOTALL),
    re.compile(rf"\[{_DAY},? {{1,2}}{_CLOCK}\] ?(?P<rest>.*)", re.ASCII | re.DOTALL),
)
"""Android, iPhone."""

_LONGEST_HEAD = 60
_MUCH_RARER = 5


class ChatLine(NamedTuple):
    """What begins with a date in the file, with the lines that go on with it."""

    line: int
    """Where it begins, from 1."""

    kind: Kind
    date: str
    """Day and clock as written, with plain spaces."""

    text: str
    """What the person wrote, without names and mentions; "" for any other kind."""

    by_publisher: bool
    """True if the name is one of the publisher's own."""


class Chat(NamedTuple):
    """A whole export."""

    lines: list[ChatLine]
    order: DateOrder
    before: list[int]
    """Lines with words before the first date: they belong to nothing."""


class _Head(NamedTuple):
    line: int
    days: tuple[str, str, str]
    date: str
    rest: str


def parse_chat(body: bytes, *, name: str, order: DateOrder | None, official: Sequence[str] = ()) -> Chat:
    """Return what an exported chat holds.

    Args:
        body: the `.txt` file.
        name: the file's name, for the messages.
        order: how its dates are ordered; None if the file itself is to show it.
        official: names under which the publisher writes.

    Raises:
        SourceProblem: `malformed` if it is no such export, or its dates could be read in two ways.
    """
    heads, before = _split(body, name)
    if not heads:
        told = "no line begins as `dd/mm/yy, hh:mm - Name: text` or `[dd/mm/yy, hh:mm:ss] Name: text`"
        raise SourceProblem("malformed", f"{name}: not an exported WhatsApp chat: {told}")
    found = order or _find_order([head.days for head in heads])
    if found is None:
        raise SourceProblem("malformed", f"{name}: day or month first? The file does not show it; say it with `date_order`")
    return Chat(list(_read_heads(heads, {fold(one) for one in official})), found, before)


def _split(body: bytes, name: str) -> tuple[list[_Head], list[int]]:
    """Return what begins with a date, in the layout of the first such line, and the lines before it."""
    heads: list[_Head] = []
    before: list[int] = []
    pattern: re.Pattern[str] | None = None
    parts: list[str] = []
    room = 0
    for number, line in enumerate(_lines(body, name), start=1):
        match, found = _match_head(line, pattern)
        if match is not None:
            pattern = found
            if len(heads) == MAX_MESSAGES:
                raise SourceProblem("malformed", f"{name}:{number}: more than {MAX_MESSAGES} messages; export a shorter time")
            _close(heads, parts)
            days = (match["first"], match["middle"], match["last"])
            heads.append(_Head(number, days, f"{match['mark'].join(days)} {match['clock']}", ""))
            # The head is matched with plain spaces; what follows it stays as it was written.
            parts, room = [line[len(line) - len(match["rest"]) :]], MAX_TEXT_CHARACTERS
        elif heads:
            if room > 0:
                parts.append(line[:room])
            room -= len(line) + 1
        elif line.strip(" \t\ufeff\u200e"):
            before.append(number)
    _close(heads, parts)
    return heads, before


def _close(heads: list[_Head], parts: list[str]) -> None:
    if heads:
        heads[-1] = heads[-1]._replace(rest="\n".join(parts)[:MAX_TEXT_CHARACTERS])


def _lines(body: bytes, name: str) -> Iterator[str]:
    with open_text(body, declared=None) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_CHARACTERS):
            number += 1
            if len(line) == MAX_LINE_CHARACTERS:
                raise SourceProblem("malformed", f"{name}:{number}: a line of more than {MAX_LINE_CHARACTERS} characters")
            yield line.rstrip("\r\n")


def _match_head(line: str, pattern: re.Pattern[str] | None) -> tuple[re.Match[str] | None, re.Pattern[str] | None]:
    """Match the beginning of a line; the replacements keep its length, so that positions stay."""
    start = line.lstrip("\ufeff\u200e\u200f")
    if start[:1].isdecimal() or start.startswith("["):
        plain = _SPACES.sub(" ", start[:_LONGEST_HEAD]) + start[_LONGEST_HEAD:]
        for candidate in _HEADS if pattern is None else (pattern,):
            match = candidate.fullmatch(plain)
            if match is not None:
                return match, candidate
    return None, pattern


def _find_order(days: list[tuple[str, str, str]]) -> DateOrder | None:
    """Return the order that the file shows: a figure above 12 tells, else that the chat runs forward; None if neither does."""
    if all(len(first) == 4 for first, _, _ in days):
        return "year_first"
    written = ((int(first), int(middle), int(last)) for first, middle, last in days)
    figures = [day for day in written if 0 < min(day[:2]) <= 12 and max(day[:2]) <= 31]
    above = {place for first, middle, _ in figures for place, figure in enumerate((first, middle)) if figure > 12}
    if len(above) == 1:
        return "day_first" if above == {0} else "month_first"
    if above or not figures:
        return None
    day_first = _count_steps_back([(year, month, day) for day, month, year in figures])
    month_first = _count_steps_back([(year, month, day) for month, day, year in figures])
    if all(first == middle for first, middle, _ in figures) or month_first >= max(1, _MUCH_RARER * day_first):
        return "day_first"
    return "month_first" if day_first >= max(1, _MUCH_RARER * month_first) else None


def _count_steps_back(days: list[tuple[int, int, int]]) -> int:
    return sum(after < before for before, after in pairwise(days))


def _read_heads(heads: list[_Head], official: set[str]) -> Iterator[ChatLine]:
    """Yield each line without its name; first all names are gathered, since people name one another."""
    words = load_words()
    split = [split_author(head.rest, words) for head in heads]
    writers = {name: fold(name) in official for name, _ in split if name is not None}
    names = gather_names({name for name, publisher in writers.items() if not publisher})
    for head, (name, rest) in zip(heads, split, strict=True):
        if name is None:
            yield ChatLine(head.line, "notice", head.date, "", False)
        else:
            kind, text = read_text(rest, names, words)
            yield ChatLine(head.line, kind, head.date, text, writers[name])
