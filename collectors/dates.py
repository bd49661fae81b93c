"""Dates as sources write them -> instants in UTC, or None: never a guess.

The forms are written out here rather than left to a general parser: general parsers swap day and month
when the first order fails, and fill a missing day with today's.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

DateOrder = Literal["day_first", "year_first", "month_first"]
"""How a source writes a date in figures only; one that starts with a four-digit year is read so whatever the order."""

# Outside these years a "date" is how a database prints an empty one ("0001-01-01"), or a typing error.
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
# "05/04/21" is 2021; from 70 on it might be the century before, so it is not read.
_TWO_DIGIT_LIMIT = 70
_LONGEST = 120

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero ene january jan",
            "febrero feb february",
            "marzo mar march",
            "abril abr april apr",
            "mayo may",
            "junio jun june",
            "julio jul july",
            "agosto ago august aug",
            "septiembre setiembre sept set sep september",
            "octubre oct october",
            "noviembre nov november",
            "diciembre dic december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "lunes lun monday mon",
            "martes mar tuesday tue tues",
            "miercoles mie mier wednesday wed",
            "jueves jue thursday thu thur thurs",
            "viernes vie friday fri",
            "sabado sab saturday sat",
            "domingo dom sunday sun",
        )
    )
    for name in names.split()
}
_ZONE_HOURS = {"z": 0, "utc": 0, "gmt": 0, "ut": 0, "pet": -5, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6}
_ZONE_HOURS |= {"pst": -8, "pdt": -7, "hora peruana": -5, "hora de peru": -5, "hora del peru": -5}
_UNITS = {
    **dict.fromkeys(("segundo", "segundos", "seg", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("minuto", "minutos", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("hora", "horas", "h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("dia", "dias", "d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("semana", "semanas", "sem", "week", "weeks"), timedelta(weeks=1)),
}
_NAMED_DAYS = {"hoy": 0, "today": 0, "ayer": 1, "yesterday": 1, "anteayer": 2, "antes de ayer": 2, "antier": 2}


def _any_of(names: dict[str, int] | dict[str, timedelta]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_WEEKDAY = rf"(?:(?P<weekday>{_any_of(_WEEKDAYS)})\.?,?\ )?"
_MONTH = rf"(?P<month_name>{_any_of(_MONTHS)})\.?"
_DAY = r"(?P<day>\d{1,2})(?:ro|er|\.?°|\.?o|st|nd|rd|th)?"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?:(?:[:.h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?)?"
    r"(?:\ ?(?P<half>[ap]\.?\ ?m\b\.?|m\b\.?)|\ ?(?P<hours>horas|hrs?\b\.?|h\b\.?))?)"
)
_OFFSET = rf"(?:\ ?\(?(?P<zone>{_any_of(_ZONE_HOURS)})?\ ?(?P<offset>[+-]\d{{1,2}}(?::?\d{{2}})?)?\)?)(?:\ \([^()]{{1,40}}\))?"
_TIME = rf"{_CLOCK}{_OFFSET}"
_GLUE = r"(?:,?\ [-/]\ |,?\ ?[|·•]\ ?|,\ ?|\ ?)\(?(?:(?:a\ las?|at|@|hora:?|desde\ las)\ )?"
_PREFIX = r"(?:(?:publicado|fecha|fecha de publicacion|enviado|posted|escrito|lima|ate)(?:\ el(?:\ dia)?|\ on)?[:,]?\ |el\ )?"

_DATES = (
    rf"{_WEEKDAY}{_DAY}(?:\ de\ |\ |[-/.])?{_MONTH}(?:,?\ (?:de\ |del\ )?(?:ano\ )?|[-/.])(?P<year>\d{{4}})",
    rf"{_WEEKDAY}{_MONTH}\ {_DAY},?\ (?:de\ |del\ )?(?P<year>\d{{4}})",
    rf"{_WEEKDAY}(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})",
    rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<mark>\ ?[-/.]\ ?)(?P<middle>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}})",
)
_WRITTEN = tuple(
    re.compile(shape, re.ASCII)
    for day in _DATES
    for shape in (rf"{_PREFIX}{day}(?:{_GLUE}{_TIME})?", rf"(?:a\ las?\ )?{_TIME}(?:,?\ (?:del?\ |on\ )?|\ ?[-|·•]\ ?){day}")
)
_CTIME = re.compile(
    rf"(?P<weekday>{_any_of(_WEEKDAYS)})\ {_MONTH}\ +{_DAY}\ (?P<hour>\d{{2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}})"
    rf"{_OFFSET}\ (?P<year>\d{{4}})",
    re.ASCII,
)
_AGO = re.compile(rf"(?:hace\ )?(?P<count>\d{{1,3}}|una?)\ ?(?P<unit>{_any_of(_UNITS)})\.?(?P<ago>\ ago)?", re.ASCII)
_NAMED = re.compile(rf"(?P<named>{_any_of(_NAMED_DAYS)})(?:{_GLUE}{_TIME})?", re.ASCII)
_DURATION = re.compile(r"0 days (?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?", re.ASCII)
# Whether a date is relative does not depend on when and where it is read.
_ANY_ZONE, _ANY_INSTANT = ZoneInfo("America/Lima"), datetime(2021, 4, 1, 12, tzinfo=UTC)
_MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")


def parse_published(
    raw: str, *, zone: ZoneInfo, order: DateOrder = "day_first", reference: datetime | None = None
) -> datetime | None:
    """Return the instant that a source wrote, in UTC; None if it is absent, incomplete, contradicts itself or is not understood.

    Read are ISO 8601; dates of feeds and e-mails (RFC 822); figures in the given order ("05/04/2021 23:59"); Spanish
    and English words ("5 de setiembre de 2021, 11:30 p. m."); and, against `reference`, "hace 2 horas" or "ayer a las 5 pm".
    A date without a time is 00:00 in `zone`. A time without an offset is of `zone`: where the clock was put back and
    the hour happened twice, the first; where it was put forward over it, as if it had not been.

    Not read, because it would be a guess: a date without a day or a year; a day and month that fit only when swapped;
    a weekday that is another; "5" o'clock without a. m. or p. m.; "hace 3 meses"; a two-digit year, except the
    last of three figures, up to 69; a number of seconds (see `parse_epoch`).

    Args:
        raw: the date as written.
        zone: zone of the city.
        order: how the source orders figures.
        reference: the aware instant at which the source showed the page; None if not known.

    Raises:
        ValueError: if `order` is unknown or `reference` has no zone.
    """
    if order not in get_args(DateOrder):
        raise ValueError(f"unknown date order {order!r}: write one of {', '.join(get_args(DateOrder))}")
    if reference is not None and reference.utcoffset() is None:
        raise ValueError(f"reference {reference.isoformat()} has no zone: give an aware datetime")
    if not raw.strip() or len(raw) > _LONGEST:
        return None
    try:
        found = _parse_iso(raw.strip(), zone) or _parse_written(_plain(raw), zone, order)
        if found is None and reference is not None:
            found = _parse_relative(_plain(raw), zone, reference)
        return found if found is not None and _FIRST_YEAR <= found.astimezone(zone).year <= _LAST_YEAR else None
    except (ValueError, OverflowError):
        # A figure that no calendar or clock has (30 February, 25:00): the source wrote no instant.
        return None


def is_relative(raw: str | None) -> bool:
    """Tell whether a date says only how long ago ("hace 2 horas", "ayer"): it reads differently at each visit."""
    if raw is None or not raw.strip() or len(raw) > _LONGEST:
        return False
    try:
        return _parse_relative(_plain(raw), _ANY_ZONE, _ANY_INSTANT) is not None
    except (ValueError, OverflowError):
        return False


def parse_epoch(raw: str) -> datetime | None:
    """Return the instant of a number of seconds (10 digits) or milliseconds (13) since 1970, in UTC; None if it is neither.

    Only for a field that is known to hold one: the same digits elsewhere may be an id.
    """
    digits = raw.strip()
    match = re.fullmatch(r"(\d{10})(?:\.\d+)?|(\d{13})", digits, re.ASCII)
    if match is None:
        return None
    seconds = float(digits) if match[1] else int(digits) / 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def join_date_time(date_raw: str, time_raw: str | None) -> str:
    """Return one text for `parse_published` from a date and a time (or duration of the day) kept apart.

    "2015-09-15" + "0 days 09:41:07" gives "2015-09-15 09:41:07". The 00:00 that spreadsheets add to a date gives way
    to the time. Without a time (None or blank) it is the date alone. What is not understood is joined as it is, so that
    `parse_published` answers None.
    """
    day, clock = date_raw.strip(), (time_raw or "").strip()
    if not day or not clock:
        return day
    duration = _DURATION.fullmatch(clock)
    return f"{_MIDNIGHT.sub('', day)} {duration['clock'] if duration else clock}"


def _plain(raw: str) -> str:
    """Return the text in lower case, without accents (º and ñ included), with single plain spaces."""
    text = unicodedata.normalize("NFD", raw.casefold().replace("º", "°"))
    text = "".join(character for character in text if not unicodedata.combining(character))
    text = re.sub(r"\bprimero\b(?=\ de\b)", "1", " ".join(text.replace("–", "-").replace("—", "-").split()))
    return text.strip(" .,") if not text.endswith("m.") else text.lstrip(" .,")


def _parse_iso(text: str, zone: ZoneInfo) -> datetime | None:
    """Return an ISO 8601 instant; None if the text is none (digits alone are taken for a number, not a date)."""
    if not re.match(r"\d{4}-?\d{2}-?\d{2}(?:[Tt ]|$)", text, re.ASCII) or text.isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _instant(found.date(), found.time(), zone) if found.tzinfo is None else found.astimezone(UTC)


def _parse_written(text: str, zone: ZoneInfo, order: DateOrder) -> datetime | None:
    """Return the instant of a full date in figures or words, with or without a time."""
    for shape in (*_WRITTEN, _CTIME):
        match = shape.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        day = _day_of(parts, order)
        if day is None or (parts["weekday"] and day.weekday() != _WEEKDAYS[parts["weekday"]]):
            return None
        return _instant_of(day, parts, zone)
    return None


def _parse_relative(text: str, zone: ZoneInfo, reference: datetime) -> datetime | None:
    """Return the instant of "hace 2 horas" or "ayer a las 5 pm", counted from the reference."""
    if text in ("ahora", "ahora mismo", "justo ahora", "just now"):
        return reference.astimezone(UTC)
    if (named := _NAMED.fullmatch(text)) is not None:
        day = reference.astimezone(zone).date() - timedelta(days=_NAMED_DAYS[named["named"]])
        return _instant_of(day, named.groupdict(), zone)
    ago = _AGO.fullmatch(text)
    # One of "hace" and "ago" is needed: "2 h" alone may be two o'clock.
    if ago is None or text.startswith("hace ") == bool(ago["ago"]):
        return None
    step = _UNITS[ago["unit"]] * (int(ago["count"]) if ago["count"].isdecimal() else 1)
    if step % timedelta(days=1):
        return reference.astimezone(UTC) - step
    local = reference.astimezone(zone)
    return _instant(local.date() - step, local.time(), zone)


def _day_of(parts: dict[str, str | None], order: DateOrder) -> date | None:
    """Return the calendar day of a match; None if its figures do not fit the order."""
    year = int(parts["year"] or 0)
    if parts.get("month_name"):
        return date(year, _MONTHS[parts["month_name"] or ""], int(parts["day"] or 0))
    if parts.get("month"):
        return date(year, int(parts["month"] or 0), int(parts["day"] or 0))
    if order == "year_first":
        return None
    if len(parts["year"] or "") == 2:
        if year >= _TWO_DIGIT_LIMIT:
            return None
        year += 2000
    first, middle = int(parts["first"] or 0), int(parts["middle"] or 0)
    return date(year, middle, first) if order == "day_first" else date(year, first, middle)


def _instant_of(day: date, parts: dict[str, str | None], zone: ZoneInfo) -> datetime | None:
    """Return the instant of a day and the clock of a match (00:00 if it has none); None if the clock is ambiguous."""
    if parts["hour"] is None:
        return _instant(day, time(0), zone)
    clock = _clock_of(parts)
    if clock is None:
        return None
    if parts["zone"] is None and parts["offset"] is None:
        return _instant(day, clock, zone)
    return datetime.combine(day, clock, tzinfo=UTC) - _offset_of(parts["zone"], parts["offset"])


def _clock_of(parts: dict[str, str | None]) -> time | None:
    """Return the time of day of a match; None for "5" alone and for halves that contradict the hour."""
    hour, half = int(parts["hour"] or 0), (parts.get("half") or "")[:1]
    if parts["minute"] is None and not half and not parts.get("hours"):
        return None
    if half == "m":
        # "12 m." is meridies, noon; no other hour has it.
        if hour != 12:
            return None
    elif half:
        if hour == 0 or (hour > 12 and half == "a"):
            return None
        hour = hour % 12 + (12 if half == "p" else 0) if hour <= 12 else hour
    return time(hour, int(parts["minute"] or 0), int(parts["second"] or 0))


def _offset_of(zone: str | None, offset: str | None) -> timedelta:
    """Return the distance from UTC that was written: a name, "-0500", "-05:00", "-5" or "GMT-5"."""
    named = timedelta(hours=_ZONE_HOURS[zone] if zone else 0)
    if offset is None:
        return named
    digits = offset[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        raise ValueError(f"offset {offset} is on no map: at most 14 hours")
    distance = timedelta(hours=hours, minutes=minutes)
    return named + (distance if offset[0] == "+" else -distance)


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
