"""What leads to one door: street numbers, blocks and lots, flats, coordinates; the name of the street stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.redaction.found import Found
from collectors.redaction.lexicon import BLOCK, DWELLING, FLAT, LOT, PLACE, PLANT, STOP, STREET
from collectors.redaction.tokens import Tokens

ADDRESS, COORDINATES = "[dirección]", "[coordenadas]"

_DEGREES = r"\d{1,2}\s?[°º]\s?\d{1,2}(?:[.,]\d{1,6})?\s?['’′´]\s?(?:\d{1,2}(?:[.,]\d{1,4})?\s?(?:[\"”″]|''|´´)\s?)?"
# Peru lies between 0 and 19 degrees south and between 68 and 82 degrees west.
_COORDINATES = re.compile(
    rf"""(?<![\w.,])(?:
      [-−]?(?:1[0-8]|0?\d)[.,]\d{{3,12}}\s?°?\s?[sS]?(?:\s?[,;/|y]\s?|\s{{1,2}}|\s?,?\s?(?:[lL]on\w{{0,6}}|[lL]ng)[.:=\s]{{1,3}})
        [-−]?(?:6[89]|7\d|8[01])[.,]\d{{3,12}}(?:\s?°?\s?[wWoO](?!\w))?
    | [-−](?:1[0-8]|0?\d)[.,]\d\d\s?,\s?[-−](?:6[89]|7\d|8[01])[.,]\d\d(?!\d)
    | {_DEGREES}[sS][\s,;/y]{{0,4}}{_DEGREES}[wWoO](?!\w)
    | [sS]\s?{_DEGREES}[\s,;/y]{{0,4}}[wWoO]\s?{_DEGREES}
    | (?:[EeXx]\s?[:=]?\s?)?[1-9]\d{{5}}(?:[.,]\d{{1,3}})?\s?m?[EeXx]?[\s,;/-]{{1,3}}(?:[NnYy]\s?[:=]?\s?)?
        (?:[89]\d|79)\d{{5}}(?:[.,]\d{{1,3}})?(?:\s?m?[NnYy](?!\w))?(?![\w-]|[.,]\d)
    | 1[789]\s?[KLMSklms][\s,]{{1,2}}[EeXx]?[:=\s]{{0,2}}0?\d{{6}}(?:[.,]\d{{1,3}})?\s?(?:m?[EeXx])?
        [\s,]{{1,3}}[NnYy]?[:=\s]{{0,2}}\d{{7}}(?:[.,]\d{{1,3}})?(?:\s?m?[NnYy](?!\w))?
    | [23456789CFGHJMPQRVWX]{{4}}(?:[23456789CFGHJMPQRVWX]{{4}})?\+[23456789CFGHJMPQRVWX]{{2,3}}(?!\w)
    )""",
    re.VERBOSE,
)

_IN_LINK = re.compile(r"(?:https?://|www\.|\w/)\S*$")
_LONGEST_LINK = 200
_MAP = re.compile(
    r"(?:maps\.app\.goo\.gl|goo\.gl/maps|waze\.com/ul)/\w|[?&](?:lat|latitude|latitud|ll|lng|lon)=-?\d", re.IGNORECASE
)

_DIGIT = re.compile(r"\d")
_MARKED = r"(?:n[°º]|n\.[°º]|nro|num|numero|no|#)\.?:?\s{0,2}"
_NUMBER = re.compile(
    rf"['’\".]?[,:]?\s{{0,2}}(?P<mark>{_MARKED}|n\s?[.:]?\s?(?=\d))?(?P<number>\d{{1,5}})"
    r"(?!\d|[.,:]\d|\s?[%°]|\s?/(?!\d{3,4}(?!\d)))"
    r"(?:\s?-?\s?[a-h](?![a-z])|\s?-\s?\d{1,2}[a-z](?![a-z\d])|[-/](?!(?:19|20)\d\d)\d{2,4}(?!\d))?"
)
_TAIL = re.compile(
    r"(?:[\s,.-]{1,3}(?:interior|int|dpto|dep|depto|departamento|dpt|oficina|of|piso|block|bloque|torre|letra)\b\.?\s{0,2}(?:n[°º]\s?)?"
    r"(?:[a-z]?-?\d{1,4}-?[a-z]?|[a-z])(?!\w)){1,3}"
)
_UNIT = re.compile(
    r"\s?(?:am|pm|[ap]\.\s?m|h|hs|hrs?|horas?|minutos?|mins?|metros?|mts?|m|m2|km|kms|gramos|gr|kilos?|kg|litros|puntos|cm|grados|kilometros?|cuadras?|cdras?|veces|vez|vecin\w*|personas?|"
    r"gente|familias?|anos?|dias?|meses|mes|semanas?|casas|viviendas|soles|nuevos|mil|postes|huecos|baches|arboles|autos|carros|buses|"
    r"motos|mototaxis|combis|por\sciento|grados|paraderos?|pisos|negocios|puestos|tiendas|ninos|perros|focos|luces|luminarias|"
    r"camaras|tachos|bolsas|toneladas?|sacos|millones|firmas|choques|accidentes|robos|asaltos|denuncias|ambulantes|serenos|policias|"
    r"lotes|manzanas|mts2|ta|da|ra|va)(?![a-z])"
    r"|\s(?:de|del)\s(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|setiembre|septiembre|octubre|noviembre|diciembre)"
)
_NAMED_BY_NUMBER = re.compile(r"\.?\s{0,2}\d{1,3}(?:ro|er|do)?(?:\s(?:de\s)?(?=[a-z]))?")
_BEFORE_STREET = re.compile(r"(?:\bal|\bel|\bdel)\s(?:n[°º.ro]{0,3}\s?)?(\d{3,5})\s(?:de|del)\s(?:la\s|el\s)?$")
_LONGEST_STREET = 7
_REACH = 80
_BEHIND_DWELLING = re.compile(
    r"(?:\s(?:real|legal|actual|fiscal))?(?:\s(?:queda|esta|ubicad[oa]|sit[oa]))?(?:\s?:|\sen|\ses(?:\sen)?)\s{0,2}(?=\w)"
)

# "Casa n° 57", "casa 57 de la calle Real".
_HOUSE_NUMBER = re.compile(
    rf"casa\s{{0,2}}(?:(?P<marked>{_MARKED}\d{{1,4}}(?:-?[a-h])?)(?![\w%]|[.,]\d)"
    r"|(?P<plain>\d{1,4})(?=,?\s(?:de|del|en)\s(?:la\s|el\s)?(?:calle|jr|jiron|av|avenida|pasaje|psje|manzana|mz|mza|cuadra)(?!\w)))"
)
# "Jr. Puno cuadra 6 n° 618", "Jr. Callao 283, 291 y 305".
_ROW = re.compile(r"[\s,.-]{1,3}(?:cuadra|cdra|cda)\.?\s?\d{1,2}[\s,.-]{1,3}(?=(?:n[°º]|nro|num|numero|#)\.?:?\s{0,2}\d)")
# "En la av. Brasil, al costado del 1091".
_BESIDE = re.compile(r"\b(?:costado|frente|altura)\s(?:del|al|de)\s(?:n[°º]\s?)?(?P<number>\d{3,4})(?!\w|[.,:]\d|\s?[/%°-])")
_STREET_NEAR = re.compile(
    r"\b(?:av|avda|avenida|jr|jiron|calle|ca|psje|pasaje|prolongacion|carretera|malecon|alameda)\b[^;\n]{1,60}$"
)
_NEXT_NUMBER = re.compile(r"(?:\s?,\s?|,?\s[ye]\s)(?P<number>\d{3,5})(?!\w|[.,:]\d|\s?[/%°-])")
_MOST_NUMBERS = 8

_BLOCK_LETTER = r"(?:[a-z]{1,2}\s?-?\s?\d{0,2}|\d{1,3}\s?-?[a-z]?)"
_QUOTE = r"['\"“”´‘’]{0,2}"
_BETWEEN = r"[\s.,:;#/–—-]{0,3}"
_LOT_NUMBER = (
    rf"(?:lote|lot|lte|lt|l|parcela)s?{_BETWEEN}(?:n[°º]{_BETWEEN})?{_QUOTE}"
    rf"\d{{1,3}}(?:\s?-?\s?[a-z](?![a-z])|-?\d(?!\d))?{_QUOTE}"
)
_HOUSE = rf"casa{_BETWEEN}(?:n[°º]{_BETWEEN})?\d{{1,3}}"
_GLUED_BLOCK = re.compile(rf"(?<!\w)mz[a-z]\d{{0,2}}{_BETWEEN}{_LOT_NUMBER}(?!\w)")
_BLOCK_AND_LOT = re.compile(
    rf"(?:manzana|manz|mzna|mzn|mza|mz){_BETWEEN}{_QUOTE}{_BLOCK_LETTER}{_QUOTE}{_BETWEEN}(?:y\s|del?\s)?(?:{_LOT_NUMBER}|{_HOUSE})(?!\w)"
)
_LOT_AND_BLOCK = re.compile(
    rf"{_LOT_NUMBER}{_BETWEEN}(?:de\s)?(?:la\s)?(?:manzana|manz|mzna|mzn|mza|mz){_BETWEEN}{_QUOTE}{_BLOCK_LETTER}{_QUOTE}(?!\w)"
)
_LOT = re.compile(rf"{_LOT_NUMBER}(?!\w)")
_LOT_BEFORE = re.compile(
    r"(?:\bucv\s?-?\s?\d{1,4}[a-z]?|\bkm\.?\s?\d{1,4}(?:[.,]\d{1,3})?|\b(?:zona|grupo|sector|etapa|comite|urb\w*|aahh|aa\.?\s?hh\.?)\s[\w.\s]{1,20})[\s,.-]{1,3}(?:el\s)?$|(?:viv\w{1,4}|resid\w{1,2}|domicili\w{1,5}|casa)\b[^.;\n]{0,12}$"
)
_LOT_BEHIND = re.compile(r"[\s,.-]{1,3}(?:de\s(?:la\s)?|del\s)?(?:ucv|grupo|zona|sector|comite)\s?-?\s?[a-z0-9]{1,4}(?!\w)")
_FLAT_NUMBER = re.compile(r"\.?\s{0,2}(?:n[°º]\s?|nro\.?\s?)?(?P<number>[a-z]?-?\d{2,4}-?[a-z]?)(?!\w|[.,]\d|%)")
_FLAT_BEFORE = re.compile(r"(?:(?:block|bloque|torre|edificio)\s(?:n[°º]\s?)?(?:[a-z]?-?\d{1,3}|[a-z])[\s,.-]{1,3})$")
_NEIGHBOUR_OF_FLAT = re.compile(
    r"(?:\[nombre\]|\b(?:vecin[oa]s?|vecinit[oa]|senora?|sra?|chic[oa]s?|inquilin[oa]s?|los|familia))\.?\sdel\s(\d{3,4}[a-z]?)(?!\w|[.,]\d|%)"
)


def holds_position(link: str) -> bool:
    """Tell whether a link leads to a position on a map."""
    return _COORDINATES.search(link) is not None or _MAP.search(link) is not None


def find_coordinates(text: str) -> Iterator[Found]:
    """Yield positions on the globe: decimal, in degrees, UTM, open location codes; not those of links, which go whole."""
    if _DIGIT.search(text) is None:
        return
    for match in _COORDINATES.finditer(text):
        if not _IN_LINK.search(text[max(0, match.start() - _LONGEST_LINK) : match.start()]):
            yield Found(match.start(), match.end(), COORDINATES)


def find_addresses(tokens: Tokens) -> Iterator[Found]:
    """Yield the parts of addresses that lead to one door, in order; some may overlap."""
    if _DIGIT.search(tokens.folded) is None:
        return
    done = 0
    for place in tokens.telling:
        flags = tokens.flags[place]
        if not flags & (STREET | DWELLING | BLOCK | LOT | FLAT | PLANT):
            continue
        start, end = tokens.spans[place]
        if start < done:
            continue
        if _DIGIT.search(tokens.folded, max(0, start - 16), end + _REACH) is None:
            continue
        for flag, recognise in _BY_FLAG:
            if flags & flag and (found := recognise(tokens, place)) is not None:
                done = found[1]
                yield Found(*found, ADDRESS)
                break
    for start, end in _beside_words(tokens.folded):
        yield Found(start, end, ADDRESS)


def _beside_words(folded: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of addresses that no word begins: glued ones, flats of neighbours, numbers beside something."""
    for match in _GLUED_BLOCK.finditer(folded):
        yield match.span()
    for match in _NEIGHBOUR_OF_FLAT.finditer(folded):
        if not _UNIT.match(folded, match.end()):
            yield match.span(1)
    for match in _BESIDE.finditer(folded):
        number = match["number"]
        year = len(number) == 4 and number[:2] in ("19", "20")
        near = _STREET_NEAR.search(folded[max(0, match.start() - 70) : match.start()])
        if near and not year and not _UNIT.match(folded, match.end()):
            yield match.span("number")


def _street(tokens: Tokens, place: int) -> tuple[int, int] | None:
    """Return the range of the number behind a street's name, or before it ("al 567 de la avenida …")."""
    start, end = tokens.spans[place]
    before = _BEFORE_STREET.search(tokens.folded, max(0, start - 24), start)
    if before is not None:
        return before.span(1)
    numbered = _NAMED_BY_NUMBER.match(tokens.folded, end)
    return _number_behind(tokens, place + 1, numbered.end() if numbered else end, dwelling=False)


def _dwelling(tokens: Tokens, place: int) -> tuple[int, int] | None:
    """Return the range of the number of "vivo en los eucaliptos 567", or of "casa n° 57"."""
    house = _HOUSE_NUMBER.match(tokens.folded, tokens.spans[place][0])
    if house is not None:
        return house.span(house.lastgroup or 0)
    match = _BEHIND_DWELLING.match(tokens.folded, tokens.spans[place][1])
    if match is None:
        return None
    first = place + 1
    while first < len(tokens) and tokens.spans[first][0] < match.end():
        first += 1
    if first >= len(tokens) or tokens.spans[first][0] != match.end() or tokens.flags[first] & STREET:
        return None
    return _number_behind(tokens, first, match.end(), dwelling=True)


def _number_behind(tokens: Tokens, first: int, begin: int, *, dwelling: bool) -> tuple[int, int] | None:
    """Return the range of the first number behind up to seven words of a street's name; None if it is none of a house."""
    place = first
    position = begin
    while True:
        match = _NUMBER.match(tokens.folded, position) if position > tokens.spans[first - 1][1] or place > first else None
        if match is not None:
            return _house_number(tokens, match, dwelling=dwelling)
        if (row := _ROW.match(tokens.folded, position)) and (match := _NUMBER.match(tokens.folded, row.end())):
            return _house_number(tokens, match, dwelling=dwelling)
        if place >= len(tokens) or place - first >= _LONGEST_STREET or tokens.flags[place] & STOP:
            return None
        if place > first and tokens.flags[place] & (STREET | PLACE | BLOCK):
            return None
        gap = tokens.folded[position : tokens.spans[place][0]]
        if len(gap) > 3 or gap.strip(" .'\"´-"):
            return None
        position = tokens.spans[place][1]
        place += 1


def _house_number(tokens: Tokens, match: re.Match[str], *, dwelling: bool) -> tuple[int, int] | None:
    """Return the range of a house's number with its flat; None if it is a year, a quantity, a clock time."""
    number, marked = match["number"], bool(match["mark"])
    tail = _TAIL.match(tokens.folded, match.end())
    end = tail.end() if tail else match.end()
    if not marked and not tail:
        if len(number) < 2 or _UNIT.match(tokens.folded, match.end("number")):
            return None
        if len(number) == 4 and number[:2] in ("19", "20") and int(number) < 2040 and not dwelling:
            return None
    return match.start("mark") if marked else match.start("number"), _further_numbers(tokens, len(number), end)


def _further_numbers(tokens: Tokens, digits: int, end: int) -> int:
    """Return where a list of house numbers ends: those as long as the first, which are no years and no quantities."""
    for _ in range(_MOST_NUMBERS):
        match = _NEXT_NUMBER.match(tokens.folded, end)
        if match is None or len(match["number"]) != digits or _UNIT.match(tokens.folded, match.end()):
            break
        if digits == 4 and match["number"][:2] in ("19", "20"):
            break
        end = match.end()
    return end


def _plant(tokens: Tokens, place: int) -> tuple[int, int] | None:
    """Return the range of the number of "los jazmines 284", streets that are called after plants or stones without more."""
    if place == 0 or tokens.word(place - 1) not in ("los", "las") or not tokens.joined(place - 1):
        return None
    match = _NUMBER.match(tokens.folded, tokens.spans[place][1])
    if match is None or not (match["mark"] or len(match["number"]) in (3, 4)) or match[0].startswith(","):
        return None
    return _house_number(tokens, match, dwelling=False)


def _block_and_lot(tokens: Tokens, place: int) -> tuple[int, int] | None:
    match = _BLOCK_AND_LOT.match(tokens.folded, tokens.spans[place][0])
    return match.span() if match else None


def _lot(tokens: Tokens, place: int) -> tuple[int, int] | None:
    """Return the range of a lot: with its block, or alone beside a sector or a word for living there."""
    start = tokens.spans[place][0]
    both = _LOT_AND_BLOCK.match(tokens.folded, start)
    if both is not None:
        return both.span()
    lot = _LOT.match(tokens.folded, start)
    if lot is None:
        return None
    told = _LOT_BEFORE.search(tokens.folded[max(0, start - 40) : start]) or _LOT_BEHIND.match(tokens.folded, lot.end())
    return lot.span() if told else None


def _flat(tokens: Tokens, place: int) -> tuple[int, int] | None:
    start, end = tokens.spans[place]
    match = _FLAT_NUMBER.match(tokens.folded, end)
    if match is None or _UNIT.match(tokens.folded, match.end()):
        return None
    before = _FLAT_BEFORE.search(tokens.folded[max(0, start - 24) : start])
    return start - (len(before[0]) if before else 0), match.end()


_BY_FLAG = ((STREET, _street), (BLOCK, _block_and_lot), (LOT, _lot), (FLAT, _flat), (PLANT, _plant), (DWELLING, _dwelling))
