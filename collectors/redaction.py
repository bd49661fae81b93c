"""Personal data out of texts, authors to keyed pseudonyms; before any write.

How figures are read: eight digits alone are a DNI, because a number left in a text cannot be taken back and a file number
lost from it can be looked up. They stay where the words around say that they are something else: a file, a code
or a bill before them, money or another unit after them, letters of a file joined by a hyphen, or a day or two years written
20210405, 05042021, 20202021.
A word for an identity document before them decides against all of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from collectors.items import Manifestation
from collectors.pseudonyms import HOST, keyed_url, pseudonym, url_names_person

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BETWEEN = " \n\t:.,#°º()=-"
_ROUNDS = 8
_CONTEXT = 32
"""Characters before a candidate that are searched for the word that says what it is."""

# What may stand between the telling word and the number ("DNI N° es"); the patterns below match the words before it.
_FILL = re.compile(r"(?:[\s:.,#°º()=-]|\b(?:n[°ºro]{0,2}|n[uú]m(?:ero)?|es|el|la|de|mi|al|con|su|y|o)(?!\w))++$", re.IGNORECASE)
_DNI_BEFORE = re.compile(
    r"(?<![^\W_])(?:d\.?\s?n\.?\s?i|doc(?:umento)?s?(?:\sde)?(?:\snacional)?(?:\sde)?(?:\sidentidad)?|identidad|identificad[oa])$",
    re.IGNORECASE,
)
_FOREIGN_BEFORE = re.compile(
    r"(?<![^\W_])(?:c\.?\s?e\.?|carn[eé]t?(?:\sde)?\sextranjer[ií]a|p\.?t\.?p|c\.?p\.?p|pasaporte|passport)$",
    re.IGNORECASE,
)
_RUC_BEFORE = re.compile(r"(?<![^\W_])r\.?u\.?c\.?$", re.IGNORECASE)
_ACCOUNT_BEFORE = re.compile(
    r"(?<![^\W_])(?:cta|cuenta|cci|ahorros?|corriente|bcp|bbva|interbank|scotiabank|banco de la naci[oó]n|tarjeta)s?"
    r"(?:\s(?:de\s)?(?:ahorros?|corriente|bancaria|interbancaria|bcp|bbva|interbank|soles))?$",
    re.IGNORECASE,
)
_PHONE_BEFORE = re.compile(
    r"(?<![^\W_])(?:tel(?:[eé]fonos?|e?f)?|tlf|fono|fijo|cel(?:u|ular)?(?:es)?|m[oó]vil|whats?app|wasap|wsp|wpp?|yape|plin|"
    r"anexo|central|ll[aá]m\w{0,6}|contact\w{0,6}|comun[ií]c\w{0,6}|escr[ií]b\w{0,6})$",
    re.IGNORECASE,
)
_FILE_BEFORE = re.compile(
    r"(?<![^\W_])(?:exp(?:ediente)?|res(?:oluci[oó]n)?|of(?:icio)?|memo(?:rando|r[aá]ndum)?|informe|tr[aá]mite|ticket|"
    r"c[oó]digo|cod|suministro|medidor|partida|registro|ley|ordenanza|decreto|cui|snip|proyecto|factura|boleta|recibo|papeleta|"
    r"acta|licencia|serie|protocolo|folio|contrato)(?:\s(?:digital|municipal|registral|electr[oó]nic[oa]|[uú]nic[oa]))?$",
    re.IGNORECASE,
)
# These words also stand before a person's telephone or document, so they speak only against a bare DNI.
_CASE_BEFORE = re.compile(
    r"(?<![^\W_])(?:solicitud|reclamo|queja|caso|orden|carta|denuncia|reporte|incidencia|ruta|l[ií]nea|pedido|"
    r"lote|voucher|operaci[oó]n)s?$",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:s/\.?|\$|€|us\$|soles|monto|suma)\s?(?:de\s)?$", re.IGNORECASE)
_FILE_LETTERS_BEFORE = re.compile(r"[A-Z]{2,}-$|\d[-/]$")
_UNIT_AFTER = re.compile(
    r"\s?(?:de\s)?(?:(?:nuevos\s)?soles|s/|€|\$|d[oó]lares|usd|pen|euros|%|por ciento|mil\b|millon|habitantes|personas|"
    r"vecin|votos|vistas|seguidores|familias|k[mgw]|m2|m²|m3|metros|toneladas|litros|unidades|veces|[aá]rboles|vacunas|dosis|"
    r"casos|usuarios|beneficiari|poblador|electores|viviendas|predios|kits|bolsas|firmas|visitas|reproducciones)",
    re.IGNORECASE,
)
_PLATE_BEFORE = re.compile(r"(?<![^\W_])(?:placas?(?:\sde\srodaje)?|matr[ií]cula|patente)$", re.IGNORECASE)
_VEHICLE_BEFORE = re.compile(
    r"(?<![^\W_])(?:veh[ií]culo|auto|carro|moto(?:taxi|car)?|taxi|combi|c[uú]ster|coaster|camioneta|cami[oó]n|"
    r"bus|[oó]mnibus)s?(?:\s[a-záéíóúñ]{1,12}){0,2}$",
    re.IGNORECASE,
)
_NO_PLATES = (
    "UCV SOL ISO NTP RNE RNC COD EXP RES DEC ORD LEY MZA LTE LOT APT DPT DPO INT OFI PIS SUM NRO NUM ART INC KMS PNP MDA "
    "GLP GNV COV LED USB ABR ENE FEB MAR MAY JUN JUL AGO SET SEP OCT NOV DIC AAA AVE CRA ZON"
)
_ACRONYMS = frozenset(_NO_PLATES.split())
# 20210405, 05042021, 20202021 (two years).
_COMPACT_DAY = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:(?:19|20)\d\d){2}"
)

_DOMAIN = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,5}[^\W\d_]{2,24}"
_NO_TAIL = r"(?!\w|[.,]\d)"
# One pass, leftmost first. Every repetition is bounded or runs over one class of characters, so the time is linear.
_CANDIDATE = re.compile(
    rf"""(?<!\w)(?:
      (?P<url>(?:https?://|www\.)[^\s<>"\[\]]+|(?<![.@-]){_DOMAIN}/[^\s<>"\[\]]+)
    | (?P<email>(?<![.%+-])[\w.%+-]{{1,64}}@{_DOMAIN}(?!\w)
        |(?<![.%+-])[\w.-]{{2,64}}\s?[(\[]?\s?arroba\s?[)\]]?\s?[\w-]{{2,30}}(?:\s?\.\s?|\s(?:punto|pto)\s)[^\W\d_]{{2,10}}(?!\w))
    | (?P<handle>(?<![@/.])@[^\W](?:[\w.]{{0,28}}\w)?)
    | (?P<account>\d{{3}}-\d{{7,8}}-\d-\d{{2}}{_NO_TAIL}
        |\d{{3}}[ -]?\d{{3}}[ -]?\d{{12}}[ -]?\d{{2}}{_NO_TAIL}
        |\d{{4}}(?:[ -]?\d{{4}}){{3}}{_NO_TAIL})
    | (?P<world>\+\d{{1,3}}(?:[ .-]?\(?\d{{1,4}}\)?){{2,6}}{_NO_TAIL})
    | (?P<ruc>(?:1[0567]|20)(?:\d{{9}}|-\d{{8}}-\d){_NO_TAIL})
    | (?P<prefixed>(?:00)?51[ .-]?9\d{{2}}[ .-]?\d{{3}}[ .-]?\d{{3}}{_NO_TAIL})
    | (?P<fixed>\(\s?(?:0\d{{1,2}}|511)\s?\)\s?-?\s?\d{{2,3}}(?:[ .-]?\d{{2,4}}){{1,2}}{_NO_TAIL}
        |01[ .-]?[2-7]\d{{2}}[ .-]?\d{{4}}{_NO_TAIL}|0[4-8]\d[ -]\d{{2,3}}[ -]?\d{{3,4}}{_NO_TAIL})
    | (?P<mobile>9\d{{2}}(?:[ .-]?\d{{3}}[ .-]?\d{{3}}|\s-\s\d{{3}}\s-\s\d{{3}}){_NO_TAIL}(?![-/]\d{{1,8}}(?!\d)))
    | (?P<dni>\d{{8}}(?:-[\dA-K])?{_NO_TAIL}(?!/\d|-\w)|\d{{1,2}}[. ]\d{{3}}[. ]\d{{3}}{_NO_TAIL})
    | (?P<number>(?<!\d[ .-])[A-Za-z]{{0,3}}(?:\d{{6,22}}|\d{{1,8}}(?:[ .-]\d{{2,8}}){{1,6}}){_NO_TAIL})
    | (?P<plate>(?:[A-Za-z][A-Za-z0-9]{{2}}[ -]?\d{{3}}|[A-Za-z]{{2}}[ -]?\d{{4,5}}
        |\d{{4}}[ -]?(?:[A-Za-z]{{2}}|\d[A-Za-z]))(?![\w-]|[./]\d))
    )""",
    re.VERBOSE,
)

_LONG_ID = re.compile(r"\d{8,}")
_PARENTHESIS = re.compile(r"\([^()]*\)")
_LONGEST_UNREAD_DATE = 80
"""Characters that are kept of a date that was not understood."""


def redact(text: str) -> str:
    """Return the text with personal data replaced by Spanish labels in brackets.

    [DNI], [documento] (foreigners' cards, passports), [RUC], [teléfono], [correo], [placa], [cuenta], [usuario]
    (a handle); of a link that holds an address, a handle or a long id, only the host stays. Names of people are not
    looked for (see `redact_manifestation` for the author's own). The same text redacted twice is the same.
    """
    for _ in range(_ROUNDS):
        redacted = _redact_once(text)
        if redacted == text:
            break
        text = redacted
    return text


def _redact_once(text: str) -> str:
    done: list[str] = []
    before = ""
    copied = position = 0
    while (match := _CANDIDATE.search(text, position)) is not None:
        kind = match.lastgroup or ""
        # The words before are taken as they will stand in the result, so that a second reading decides the same.
        context = (before + text[max(copied, match.start() - _CONTEXT) : match.start()])[-_CONTEXT:]
        label = _DECISIONS[kind](match[0], context, text[match.end() : match.end() + 24])
        if label is None:
            # Another candidate may begin inside ("con 987" in "con 987 654 321"), but not inside a link.
            position = match.end() if kind == "url" else match.start() + 1
            continue
        done += text[copied : match.start()], label
        before = (context + label)[-_CONTEXT:]
        copied = position = match.end()
    return "".join(done) + text[copied:]


def _decide_url(found: str, before: str, after: str) -> str | None:
    url = found.rstrip(".,;:!?)'»”")
    rest = found[len(url) :]
    host = HOST.match(url)
    ids = [run for run in _LONG_ID.findall(url) if not _COMPACT_DAY.fullmatch(run)]
    if host is None or host[1] == url or not (ids or url_names_person(url) or "wa.me/" in url):
        return None
    return host[1] + rest


def _decide_number(found: str, before: str, after: str) -> str | None:
    """Return the label of a run of digits that only the words before it can tell; None if they don't."""
    letters = found[: len(found) - len(found.lstrip(_LETTERS))]
    if letters:
        if _FOREIGN_BEFORE.search(_cue(before)) and len(found) - len(letters) >= 6:
            return "[documento]"
        label = _label_after(before + letters, len(re.sub(r"\D", "", found)))
        return letters + label if label else None
    label = _label_after(before, len(re.sub(r"\D", "", found)))
    if label is None and re.fullmatch(r"00\d{7}", found) and not _is_file(before):
        return "[documento]"
    return label


def _label_after(before: str, digits: int) -> str | None:
    """Return the label that the words directly before a number of so many digits ask for; None if they ask for none."""
    cue = _cue(before) if digits >= 6 else ""
    if not cue:
        return None
    if _DNI_BEFORE.search(cue) and 7 <= digits <= 9:
        return "[DNI]"
    if _FOREIGN_BEFORE.search(cue) and digits <= 12:
        return "[documento]"
    if _RUC_BEFORE.search(cue) and digits == 11:
        return "[RUC]"
    if _PHONE_BEFORE.search(cue) and 7 <= digits <= 11:
        return "[teléfono]"
    return "[cuenta]" if _ACCOUNT_BEFORE.search(cue) and digits >= 9 else None


def _cue(before: str) -> str:
    """Return the text up to the last telling word, without what fills the way to the number; "" if no word stands there."""
    # Figures in a row need no look at the list of fillers.
    if not before.rstrip(_BETWEEN)[-1:].isalpha():
        return ""
    fill = _FILL.search(before)
    return before[: fill.start()] if fill else before


def _decide_dni(found: str, before: str, after: str) -> str | None:
    known = _decide_number(found, before, after)
    grouped = not found[:8].isdecimal()
    if known is not None or grouped:
        return known
    if _is_file(before) or _CASE_BEFORE.search(_cue(before)) or _is_amount(before, after):
        return None
    return None if _COMPACT_DAY.fullmatch(found) else "[DNI]"


def _decide_mobile(found: str, before: str, after: str) -> str | None:
    known = _label_after(before, 9)
    if known is not None:
        return known
    return None if _is_file(before) or _is_amount(before, after) else "[teléfono]"


def _decide_long(label: str) -> Callable[[str, str, str], str | None]:
    """Return the decision for a number so long or so shaped that only a file number or an amount can contradict it."""

    def decide(found: str, before: str, after: str) -> str | None:
        return None if _is_file(before) or _is_amount(before, after) else label

    return decide


def _decide_ruc(found: str, before: str, after: str) -> str | None:
    if _ACCOUNT_BEFORE.search(_cue(before)):
        return "[cuenta]"
    return _decide_long("[RUC]")(found, before, after)


def _decide_plate(found: str, before: str, after: str) -> str | None:
    cue = _cue(before)
    if _PLATE_BEFORE.search(cue):
        return "[placa]"
    letters = found[:3]
    if letters in _ACRONYMS or _is_file(before) or found != found.upper():
        return None
    if _VEHICLE_BEFORE.search(cue):
        return "[placa]"
    plain = re.fullmatch(r"[A-Z](?:[A-Z]{2}|\d[A-Z])-\d{3}", found)
    return "[placa]" if plain and not _CASE_BEFORE.search(cue) else None


def _is_file(before: str) -> bool:
    return bool(_FILE_LETTERS_BEFORE.search(before) or _FILE_BEFORE.search(_cue(before)))


def _is_amount(before: str, after: str) -> bool:
    return bool(_MONEY_BEFORE.search(before) or _UNIT_AFTER.match(after))


_DECISIONS: dict[str, Callable[[str, str, str], str | None]] = {
    "url": _decide_url,
    "email": lambda found, before, after: "[correo]",
    "handle": lambda found, before, after: "[usuario]",
    "account": _decide_long("[cuenta]"),
    "world": _decide_long("[teléfono]"),
    "ruc": _decide_ruc,
    "prefixed": _decide_long("[teléfono]"),
    "fixed": _decide_long("[teléfono]"),
    "mobile": _decide_mobile,
    "dni": _decide_dni,
    "number": _decide_number,
    "plate": _decide_plate,
}


def redact_manifestation(manifestation: Manifestation, secret: bytes) -> Manifestation:
    """Return the manifestation as it may be written: text and title redacted, the author only as a key.

    A link that names a person is dropped; an id that names one, or holds what would be redacted in a text, is keyed. The
    author's own full name (two words or more) in what they wrote, or beside its date, becomes [nombre], except where the
    author is an institution.
    """
    author = (manifestation.author or "").strip()
    name = author if manifestation.kind not in ("official", "institution") else ""
    native_id, url = _without_person(secret, manifestation.native_id), manifestation.url
    # A link may hold the id that is not to be read, as its fragment.
    named = url is not None and (
        url_names_person(url) or (native_id != manifestation.native_id and f"{manifestation.native_id}" in url)
    )
    return replace(
        manifestation,
        author=None,
        author_key=pseudonym(secret, manifestation.source_id, author) if author else manifestation.author_key,
        text=redact(_without_name(manifestation.text, name)),
        title=redact(_without_name(manifestation.title, name)) if manifestation.title is not None else None,
        url=None if named else url,
        published_raw=_without_words(manifestation, name),
        native_id=native_id,
        parent_id=_without_person(secret, manifestation.parent_id),
    )


_NUMBERED = re.compile(
    r"(?:answer|article|comment|debate|entry|item|media|msg|p|page|pid|post|proposal|reply|request|review|status|thread|tid|topic)"
    r"[-_:]?\d+"
)


def _without_person(secret: bytes, native_id: str | None) -> str | None:
    """Return an id as it is, or keyed if it names a person: a link, `tag:…/u/name/…`, `acct:…`, a handle, an e-mail.

    An id without a letter, or with a word such as "comment" before its number, is the platform's own, however much it looks
    like a document or a telephone: keyed, it would make another message of it once the secret is changed.
    """
    if native_id is None or not re.search(r"[^\W\d_]", native_id) or _NUMBERED.fullmatch(native_id):
        return native_id
    # Behind a colon as behind a slash: a tag's own part may begin with the folder of a person.
    named = url_names_person(native_id) or url_names_person("/" + native_id.replace(":", "/"))
    return keyed_url(secret, native_id) if named or redact(native_id) != native_id else native_id


def _without_words(manifestation: Manifestation, name: str) -> str | None:
    """Return the raw date without personal data; one that was not understood may be anything, and is cut short too.

    A date that was understood is one from end to end, save for what it puts in parentheses; redacted whole, its "+0000"
    would pass for a telephone.
    """
    if manifestation.published_raw is None:
        return None
    raw = _without_name(manifestation.published_raw, name)
    if manifestation.published_at is not None:
        return _PARENTHESIS.sub(lambda match: redact(match[0]), raw)
    return redact(raw)[:_LONGEST_UNREAD_DATE]


def _without_name(text: str, name: str) -> str:
    """Return the text with a full name replaced by [nombre], whatever its case and accents."""
    words = [re.escape(_folded(word)) for word in name.split()]
    if len(words) < 2:
        return text
    full_name = r"\s{1,3}".join(words)
    parts, copied = [], 0
    for match in re.finditer(rf"(?<!\w){full_name}(?!\w)", _folded(text)):
        parts += [text[copied : match.start()], "[nombre]"]
        copied = match.end()
    return "".join(parts) + text[copied:]


def _folded(text: str) -> str:
    """Return the text without case and accents, character for character, so that positions stay."""
    return "".join((unicodedata.normalize("NFD", character)[0].casefold() or character)[0] for character in text)
