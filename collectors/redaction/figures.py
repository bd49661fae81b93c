"""Figures and addresses of the net that point to a person: documents, accounts, plates, telephones, e-mail, handles, links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from collectors.pseudonyms import HOST, url_names_person
from collectors.redaction.cues import (
    ACCOUNT_BEFORE,
    CASE_BEFORE,
    DNI_BEFORE,
    FOREIGN_BEFORE,
    PHONE_BEFORE,
    PLATE_BEFORE,
    RUC_BEFORE,
    RUC_NEAR,
    VEHICLE_BEFORE,
    is_amount,
    is_file,
    telling_words,
)
from collectors.redaction.found import Found
from collectors.redaction.places import holds_position

_GLUED = re.compile(r"[^\W\d_]*")
_CONTEXT = 32
"""Characters before a candidate that are searched for the word that says what it is."""
_NO_PLATES = (
    "UCV SOL ISO NTP RNE RNC COD EXP RES DEC ORD LEY MZA LTE LOT APT DPT DPO INT OFI PIS SUM NRO NUM ART INC KMS PNP MDA "
    "GLP GNV COV LED USB ABR ENE FEB MAR MAY JUN JUL AGO SET SEP OCT NOV DIC AAA AVE CRA ZON"
)
_ACRONYMS = frozenset(_NO_PLATES.split())
_SPACED_PLATE = re.compile(r"\w(?:[ -]\w){5}")
# 20210405, 05042021, 20202021 (two years).
_COMPACT_DAY = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:(?:19|20)\d\d){2}"
)

_DOMAIN = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,5}[^\W\d_]{2,24}"
_NO_TAIL = r"(?!\w|[.,]\d)"
# A number may be run into the word behind it ("987654321gracias"), not into a unit of one letter.
_WORD_TAIL = r"(?!\d|_|[.,]\d|[^\W\d_](?![^\W\d_]))"
_DOT = r"(?:\s?[.,]\s?|\s?[(\[{]\s?(?i:dot|punto|pto)\s?[)\]}]\s?|\s(?i:dot|punto|pto)\s)"
_WORD_AT = (
    r"(?:\s?[(\[{<]?\s?(?i:arroba)\s?[)\]}>]?\s?|\s?[(\[{<]\s?(?i:at|@)\s?[)\]}>]\s?"
    r"|\s(?i:at)\s(?=[\w-]{2,30}\s(?i:dot|punto|pto)\s))"
)
# Of these an address is known without its ending, or with a blank or a comma in it.
_PROVIDER = r"(?i:g[ami]{2,4}l|h[otmai]{4,6}l|outlook|yahoo|icloud|live)"
# One pass, leftmost first. Every repetition is bounded or runs over one class of characters, so the time is linear.
_ADDRESSES = rf"""
      (?P<url>(?:https?://|www\.)[^\s<>"\[\]]+|(?<![.@-]){_DOMAIN}/[^\s<>"\[\]]+)
    | (?P<email>(?<![.%+-])[\w.%+-]{{1,64}}@{_DOMAIN}(?!\w)
        |(?<![.%+-])[\w.%+-]{{2,64}}(?:{_WORD_AT}[\w-]{{2,30}}{_DOT}[^\W\d_]{{2,10}}(?:{_DOT}(?i:pe|es|com))?(?!\w)
            |(?:{_WORD_AT}|\s{{0,2}}@\s{{0,2}}){_PROVIDER}(?:{_DOT}(?i:com|es|pe)(?:{_DOT}(?i:pe|es|mx|ar))?)?(?!\w)
            |\s{{0,2}}@\s{{1,2}}{_DOMAIN}(?!\w)))
    | (?P<handle>(?<![@/.])@[^\W](?:[\w.]{{0,28}}\w)?)"""
_FIGURES = rf"""
    (?=[\d(+]|[A-Za-z]{{1,3}}[ -]?\d|[^\W\d_]{{4,10}}\d|[A-Za-z][ -][A-Za-z][ -])(?:
      (?P<account>\d{{3}}[ -]\d{{7,8}}[ -]\d[ -]\d{{2}}{_NO_TAIL}
        |\d{{3}}[ -]?\d{{3}}[ -]?\d{{12}}[ -]?\d{{2}}{_NO_TAIL}
        |\d{{4}}(?:[ -]?\d{{4}}){{3}}{_NO_TAIL})
    | (?P<world>\+\d{{1,3}}(?:[ .-]?\(?\d{{1,4}}\)?){{2,6}}{_NO_TAIL})
    | (?P<ruc>(?:1[0567]|20)(?:\d{{9}}|-\d{{8}}-\d){_NO_TAIL})
    | (?P<prefixed>(?:00)?51[ .-]?9\d{{2}}[ .-]?\d{{3}}[ .-]?\d{{3}}{_NO_TAIL})
    | (?P<free>0?80[01][ -]?\d(?:[ -]?\d{{3,4}}|\d{{4}}|[ -]?\d{{2}}[ -]?\d{{2}}){_NO_TAIL})
    | (?P<fixed>\(\s?(?:0\d{{1,2}}|511)\s?\)\s?-?\s?\d{{2,3}}(?:[ .-]?\d{{2,4}}){{1,2}}{_NO_TAIL}
        |01(?:[ .-]|\s-\s)?[2-7]\d{{2}}[ .-]?\d{{4}}{_NO_TAIL}|0[4-8]\d[ -]\d{{2,3}}[ -]?\d{{3,4}}{_NO_TAIL})
    | (?P<mobile>9\d{{2}}(?:[ .-]?\d{{3}}[ .-]?\d{{3}}|\s-\s\d{{3}}\s-\s\d{{3}}|(?:[ .-]\d\d){{3}}|\d\d[ .-]\d{{4}})
        {_WORD_TAIL}(?![^\W\d_]{{1,20}}\d)(?![-/]\d{{1,8}}(?!\d)))
    | (?P<spaced>(?<!\d[ ._*/•–-])(?=9(?:[ ._*/•–-]?\d){{8}}(?!\w|[ ._*/•–-]\d))9\d{{0,4}}(?:[ ._*/•–-]\d{{1,8}}){{1,8}})
    | (?P<dni>\d{{8}}(?:-[\dA-K])?{_NO_TAIL}(?!/\d|-\w)|\d{{1,2}}[. ]\d{{3}}[. ]\d{{3}}{_NO_TAIL})
    | (?P<number>(?<!\d[ .-])[^\W\d_]{{0,10}}(?:\d{{6,22}}|\d{{1,8}}(?:[ .-]\d{{2,10}}){{1,6}}|\d(?:[ .-]\d){{6,10}}){_WORD_TAIL})
    | (?P<plate>(?:[A-Za-z][A-Za-z0-9]{{2}}[ -]?\d{{3}}|[A-Za-z]{{2}}[ -]?\d{{4,5}}
        |\d{{4}}[ -]?(?:[A-Za-z]{{2}}|\d[A-Za-z])|[A-Za-z](?:[ -][A-Za-z0-9]){{5}})(?![\w-]|[./]\d))
    )"""
# "dni45678912cel987654321"
_RUN_ON = r"(?<=\d)(?P<run_on>[^\W\d_]{2,10}[:.]?\d{7,11}(?!\d))"
_CANDIDATE = re.compile(rf"(?<!\w)(?:{_ADDRESSES}|{_FIGURES})|{_RUN_ON}", re.VERBOSE)
_FIGURE = re.compile(rf"(?<!\w){_FIGURES}|{_RUN_ON}", re.VERBOSE)
"""The same where no text can hold an address of the net."""

_ADDRESS_SIGN = re.compile(r"[@/]|[aA][rR]{2}[oO][bB][aA]|www\.|[(\[{<]\s?[aA][tT]\s?[)\]}>]|\s[aA][tT]\s")
_DIGIT = re.compile(r"\d")
_WHOLE = frozenset({"url", "free"})
_LONG_ID = re.compile(r"\d{8,}")


def find_figures(text: str) -> Iterator[Found]:
    """Yield what points to a person by figures or as an address of the net, in order and apart."""
    candidate = _CANDIDATE if _ADDRESS_SIGN.search(text) else _FIGURE
    if candidate is _FIGURE and _DIGIT.search(text) is None:
        return
    before = ""
    copied = position = 0
    while (match := candidate.search(text, position)) is not None:
        kind = match.lastgroup or ""
        start, end = match.span()
        # The words before are taken as they will stand in the result, so that a second reading decides the same.
        context = (before + text[max(copied, start - _CONTEXT) : start])[-_CONTEXT:]
        label = _DECISIONS[kind](match[0], context, text[end : end + 24])
        if label is None:
            # Another candidate may begin inside ("con 987" in "con 987 654 321"), but not inside a link or a free line.
            position = end if kind in _WHOLE else start + 1
            continue
        # What stays in front, letters glued to the figure or the host of a link, is not replaced by itself.
        same = 0 if label[0] == "[" else next((at for at, letter in enumerate(label) if letter != text[start + at]), len(label))
        yield Found(start + same, end, label[same:])
        before = (context + label)[-_CONTEXT:]
        copied = position = end


def _decide_url(found: str, before: str, after: str) -> str | None:
    url = found.rstrip(".,;:!?)'»”")
    rest = found[len(url) :]
    host = HOST.match(url)
    ids = [run for run in _LONG_ID.findall(url) if not _COMPACT_DAY.fullmatch(run)]
    if host is None or host[1] == url or not (ids or url_names_person(url) or "wa.me/" in url or holds_position(url)):
        return None
    return host[1] + rest


def _decide_number(found: str, before: str, after: str) -> str | None:
    """Return the label of a run of digits that only the words before it can tell; None if they don't."""
    glued = _GLUED.match(found)
    letters = glued[0] if glued else ""
    if letters:
        if FOREIGN_BEFORE.search(telling_words(before)) and len(found) - len(letters) >= 6:
            return "[documento]"
        label = _label_after(before + letters, len(re.sub(r"\D", "", found)))
        return letters + label if label else None
    label = _label_after(before, len(re.sub(r"\D", "", found)))
    if label is None and re.fullmatch(r"00\d{7}", found) and not after[:1].isalpha() and not is_file(before):
        return "[documento]"
    return label


def _label_after(before: str, digits: int) -> str | None:
    """Return the label that the words directly before a number of so many digits ask for; None if they ask for none."""
    cue = telling_words(before) if digits >= 6 else ""
    if not cue:
        return None
    if DNI_BEFORE.search(cue) and 7 <= digits <= 9:
        return "[DNI]"
    if FOREIGN_BEFORE.search(cue) and digits <= 12:
        return "[documento]"
    if RUC_BEFORE.search(cue) and digits == 11:
        return "[RUC]"
    if PHONE_BEFORE.search(cue) and 7 <= digits <= 11:
        return "[teléfono]"
    return "[cuenta]" if ACCOUNT_BEFORE.search(cue) and digits >= 9 else None


def _decide_dni(found: str, before: str, after: str) -> str | None:
    known = _decide_number(found, before, after)
    grouped = not found[:8].isdecimal()
    if known is not None or grouped:
        return known
    if is_file(before) or CASE_BEFORE.search(telling_words(before)) or is_amount(before, after):
        return None
    return None if _COMPACT_DAY.fullmatch(found) else "[DNI]"


def _decide_mobile(found: str, before: str, after: str) -> str | None:
    known = _label_after(before, 9)
    if known is not None:
        return known
    return None if is_file(before) or is_amount(before, after) else "[teléfono]"


def _decide_spaced(found: str, before: str, after: str) -> str | None:
    """Return the label of nine digits in groups of any length; without a telling word they must look like no list."""
    known = _label_after(before, 9)
    groups = re.split(r"\D", found)
    if known is not None:
        return known
    years = any(len(group) == 4 and group[:2] in ("19", "20") for group in groups)
    short = any(len(group) < (3 if "/" in found else 2) for group in groups[1:])
    counted = len(groups) > 4 and groups == sorted(groups, key=int)
    if years or counted or (short and len(groups) < 9):
        return None
    return _decide_mobile(found, before, after)


def _decide_run_on(found: str, before: str, after: str) -> str | None:
    digits = found.lstrip("".join(_GLUED.findall(found))).lstrip(":.")
    letters = found[: len(found) - len(digits)]
    label = _label_after(before + letters, len(digits))
    return letters + label if label else None


def _decide_long(label: str) -> Callable[[str, str, str], str | None]:
    """Return the decision for a number so long or so shaped that only a file number or an amount can contradict it."""

    def decide(found: str, before: str, after: str) -> str | None:
        return None if is_file(before) or is_amount(before, after) else label

    return decide


def _decide_account(found: str, before: str, after: str) -> str | None:
    # The unit behind it is the account's own ("cuenta BCP 194-… soles").
    known = ACCOUNT_BEFORE.search(telling_words(before)) is not None
    return "[cuenta]" if known else _decide_long("[cuenta]")(found, before, after)


def _decide_ruc(found: str, before: str, after: str) -> str | None:
    cue = telling_words(before)
    if ACCOUNT_BEFORE.search(cue):
        return "[cuenta]"
    if RUC_BEFORE.search(cue):
        return "[RUC]"
    # Eleven digits in a row that begin with a year may be the number of a file (20210012345).
    sure = "-" in found or not found.startswith(_YEARS) or _is_ruc(found) or RUC_NEAR.search(before)
    return _decide_long("[RUC]")(found, before, after) if sure else None


_YEARS = ("200", "201", "202")


def _is_ruc(digits: str) -> bool:
    """Tell whether eleven digits end in the check digit of a RUC: modulo 11 with the weights 5432765432 (SUNAT)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False))
    return (11 - total % 11) % 10 == int(digits[10])


def _decide_plate(found: str, before: str, after: str) -> str | None:
    cue = telling_words(before)
    if PLATE_BEFORE.search(cue):
        return "[placa]"
    if found[:3].upper() in _ACRONYMS or is_file(before) or _SPACED_PLATE.fullmatch(found):
        return None
    upper = found == found.upper()
    if (upper or "-" in found) and VEHICLE_BEFORE.search(cue):
        return "[placa]"
    if not upper:
        return None
    plain = re.fullmatch(r"[A-Z](?:[A-Z]{2}|\d[A-Z])-\d{3}", found)
    return "[placa]" if plain and not CASE_BEFORE.search(cue) else None


_DECISIONS: dict[str, Callable[[str, str, str], str | None]] = {
    "url": _decide_url,
    "email": lambda found, before, after: "[correo]",
    "handle": lambda found, before, after: "[usuario]",
    "account": _decide_account,
    "world": _decide_long("[teléfono]"),
    "ruc": _decide_ruc,
    "prefixed": _decide_long("[teléfono]"),
    "free": lambda found, before, after: None,
    "fixed": _decide_long("[teléfono]"),
    "mobile": _decide_mobile,
    "spaced": _decide_spaced,
    "run_on": _decide_run_on,
    "dni": _decide_dni,
    "number": _decide_number,
    "plate": _decide_plate,
}
