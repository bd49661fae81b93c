"""How numbers, shares, days and instants are written for the readers of a city."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import ceil, floor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup
from ruamel.yaml import YAML

from collectors.period import Period

MIN_BASE = 30
"""Fewest manifestations of which a share is written; below it a share says more about chance than about the city."""

_HIDDEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text around them."""

_NARROWEST = 0.0005
"""Shares below it (0.05 %) would be rounded to zero."""


class Reserved:
    """A figure that is not told, since few persons stand behind it or it would give such a one away.

    It is false, equals itself alone, is less than every number, and is written as a word.
    """

    def __bool__(self) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return not isinstance(other, Reserved)

    def __le__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return False

    def __ge__(self, other: object) -> bool:
        return isinstance(other, Reserved)


RESERVED = Reserved()
"""The one there is."""


class WordingError(ValueError):
    """The wording file lacks an entry that the page needs."""


class Wording:
    """Messages for readers, by dotted id ("status.ok"). They may hold HTML; what is put into them is escaped."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        """Wrap the nested entries of a wording file."""
        self._entries = entries

    def __call__(self, key: str, **values: object) -> Markup:
        """Return a message with its {placeholders} filled.

        Raises:
            WordingError: if there is no such message, or a placeholder has no value.
        """
        message = self._find(key)
        if not isinstance(message, str):
            raise WordingError(f"{key!r} in wording.yml is a group; name one of its messages: {', '.join(message)}")
        filled = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
        try:
            return Markup(message).format(**filled)  # noqa: S704  our own file; what is filled in is escaped
        except KeyError as error:
            raise WordingError(
                f"{key!r} in wording.yml needs a value for {error}; given: {', '.join(values) or 'none'}"
            ) from error

    def text(self, key: str, **values: object) -> str:
        """Return a message as plain text, with its {placeholders} filled as they are: for files that hold no HTML.

        Raises:
            WordingError: if there is no such message, or a placeholder has no value.
        """
        message = self._find(key)
        if not isinstance(message, str):
            raise WordingError(f"{key!r} in wording.yml is a group; name one of its messages: {', '.join(message)}")
        try:
            return message.format(**values)
        except KeyError as error:
            raise WordingError(f"{key!r} in wording.yml needs a value for {error}") from error

    def has(self, key: str) -> bool:
        """Tell whether there is a message with that id."""
        try:
            return isinstance(self._find(key), str)
        except WordingError:
            return False

    def _find(self, key: str) -> Any:
        found: Any = self._entries
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                available = ", ".join(found) if isinstance(found, Mapping) else "nothing"
                raise WordingError(f"wording.yml has no {key!r}: at {part!r} it has {available}; add the message")
            found = found[part]
        return found


def load_wording(path: Path) -> Wording:
    """Load the messages of a wording file (YAML, nested mappings of text), or of all `*.yml` of a folder together.

    Raises:
        WordingError: if two files of the folder hold the same group.
    """
    entries: dict[str, Any] = {}
    for file in sorted(path.glob("*.yml")) if path.is_dir() else [path]:
        loaded = _parse_wording(file.read_text(encoding="utf-8"))
        twice = sorted(entries.keys() & loaded.keys())
        if twice:
            raise WordingError(f"{file.name}: another file of {path.name}/ holds {', '.join(twice)} too; rename the group")
        entries |= loaded
    return Wording(entries)


@lru_cache(maxsize=64)
def _parse_wording(text: str) -> Mapping[str, Any]:
    """Parse a wording file once in a process: a report reads each of them for every format."""
    entries: Mapping[str, Any] = YAML(typ="safe").load(text)
    return entries


def clean(text: str) -> str:
    """Return a text without control characters and without those that turn the writing direction; markup stays as it is."""
    if isinstance(text, Markup):
        return text
    return "".join(sign for sign in text if sign not in _HIDDEN and (sign in "\n\t" or unicodedata.category(sign) != "Cc"))


@dataclass(frozen=True)
class Formats:
    """The writing habits of one city: its locale, its zone, and the messages."""

    locale: str
    zone: ZoneInfo
    say: Wording

    def number(self, value: int | Reserved) -> str:
        """Write a whole number with its thousands marked: 5,796. One that is not told is written as a word."""
        if isinstance(value, Reserved):
            return str(self.say("reserved.cell"))
        return str(format_decimal(value, locale=self.locale))

    def coefficient(self, value: float) -> str:
        """Write a coefficient with two decimals: 0.85, −0.07."""
        rounded = round(value, 2)
        return ("−" if rounded < 0 else "") + str(format_decimal(abs(rounded), "0.00", locale=self.locale))

    def counted(self, count: int | Reserved, key: str, **values: object) -> Markup:
        """Write a message in the form that a count asks for: its `one` (1 expresión) or its `other` (5,796 expresiones).

        The message may name {count}, which is written as a number.

        Raises:
            WordingError: if the message lacks that form, or a placeholder has no value.
        """
        form = "one" if not isinstance(count, Reserved) and Locale.parse(self.locale).plural_form(count) == "one" else "other"
        return self.say(f"{key}.{form}", count=self.number(count), **values)

    def in_words(self, value: int) -> str:
        """Write a count as the word that begins a sentence (Seis), or as a number where wording.yml has no word for it."""
        key = f"words.{value}"
        return str(self.say(key)) if self.say.has(key) else self.number(value)

    def share(self, value: float | None, base: int) -> str:
        """Write a share of [0, 1]: whole percent, one decimal under 10 %, and words where the base is too small.

        A share that is neither nothing nor all is never rounded to it.

        Raises:
            ValueError: if the value is no share, or is absent though the base is large enough.
        """
        if base < MIN_BASE:
            return str(self.say("share.small_base", base=self.number(MIN_BASE)))
        if value is None or not 0 <= value <= 1:
            raise ValueError(f"share {value!r} of base {base}: must be a number from 0 to 1")
        if 0 < value < _NARROWEST:
            return str(self.say("share.below", value=self._percent(0.001)))
        if 0.995 <= value < 1:
            return str(self.say("share.above", value=self._percent(0.99)))
        return self._percent(value)

    def points(self, value: float, *, signed: bool = True) -> str:
        """Write a difference of shares in percentage points, with one decimal and its sign: +3.2, −0.4, 0.0."""
        return self.decimal(value * 100, signed=signed)

    def decimal(self, value: float, *, signed: bool = False) -> str:
        """Write a number with one decimal; `signed` writes + too."""
        rounded = round(value, 1)
        sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
        return sign + str(format_decimal(abs(rounded), "#,##0.0", locale=self.locale))

    def whole_share(self, value: float) -> str:
        """Write a corrected share in whole percent: its interval leaves no room for decimals. None becomes 0 or 100 %."""
        if 0 < value < 0.005:
            return str(self.say("share.below", value=self._whole_percent(0.01)))
        if 0.995 <= value < 1:
            return str(self.say("share.above", value=self._percent(0.99)))
        return self._whole_percent(value)

    def interval(self, low: float, high: float) -> str:
        """Write an interval of shares in whole percent, rounded outwards: entre 10 % y 14 %."""
        ends = {
            "low": self._whole_percent(floor(low * 100 + 1e-9) / 100),
            "high": self._whole_percent(ceil(high * 100 - 1e-9) / 100),
        }
        form = "up_to" if low < 0.01 else "at_least" if high > 0.99 else "between"
        return str(self.say(f"corrected.{form}", **ends))

    def long_day(self, day: date) -> str:
        """Write a day in full: 1 de setiembre de 2021."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Write a day for a table: jue 1 abr."""
        return format_date(day, "EEE d MMM", locale=self.locale).replace(".", "").replace(",", "")

    def short_month(self, day: date) -> str:
        """Write the month of a day for the axis of a chart: abr."""
        return format_date(day, "MMM", locale=self.locale).replace(".", "")

    def weekday_day(self, day: date) -> str:
        """Write a day with its weekday: jueves 1 de abril."""
        return format_date(day, self._pattern("weekday_day"), locale=self.locale)

    def instant(self, moment: datetime) -> str:
        """Write an instant in the city's zone, to the minute on a 24-hour clock."""
        local = moment.astimezone(self.zone)
        return str(self.say("window.instant", day=self.long_day(local.date()), time=f"{local:%H:%M}"))

    def month(self, day: date) -> str:
        """Write the month of a day in full: abril de 2021."""
        return format_date(day, self._pattern("month_year"), locale=self.locale)

    def window(self, period: Period) -> str:
        """Write the days of a window, both ends included: del 1 al 30 de abril de 2021."""
        return self.days_to(period.first_date, period.last_date)

    def days_to(self, first: date, last: date) -> str:
        """Write the days from the first to the last, both included, as `window` does."""
        key = "days"
        if first == last:
            key = "one_day"
        elif first.year != last.year:
            key = "across_years"
        elif first.month != last.month:
            key = "across_months"
        within_year = format_date(first, self._pattern("day_month"), locale=self.locale)
        values = {
            "first_day": first.day,
            "first_day_month": within_year,
            "first": self.long_day(first),
            "last": self.long_day(last),
        }
        return str(self.say(f"window.{key}", **values))

    def window_between(self, start: datetime, end: datetime) -> str:
        """Write the days of the window [start, end) of two aware instants."""
        return self.window(Period(start, end, self.zone))

    def _percent(self, value: float) -> str:
        hundredths = value * 100
        whole = value in (0, 1) or round(hundredths, 1) >= 10
        pattern = "0" if whole else "0.0"
        return str(self.say("share.percent", number=format_decimal(hundredths, pattern, locale=self.locale)))

    def _whole_percent(self, value: float) -> str:
        return f"{format_decimal(value * 100, '0', locale=self.locale)}\u00a0%"

    def _pattern(self, name: str) -> str:
        return str(self.say(f"pattern.{name}"))


def css_string(text: str) -> Markup:
    """Write a text as the inside of a CSS string; every sign that is not a letter or a figure goes as its code point."""
    text = text.unescape() if isinstance(text, Markup) else text  # a style sheet knows no entities
    return Markup("".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):x} " for sign in clean(text)))  # noqa: S704
