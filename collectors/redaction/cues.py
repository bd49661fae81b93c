"""The words before and after a figure that say what it is: a document, an account, a telephone; a file, an amount.

Eight digits alone are a DNI, because a number left in a text cannot be taken back and a file number lost from it can be
looked up. They stay where the words around say that they are something else: a file, a code or a bill before them, money or
another unit after them, letters of a file joined by a hyphen. A word for an identity document before them decides against all
of these.
"""

from __future__ import annotations

import re

_BETWEEN = " \n\t:.,#°º()=-*>→'\"«»“”"

# What may stand between the telling word and the number ("DNI N° es"); the patterns below match the words before it.
_FILL = re.compile(
    r"(?:[\s:.,#°º()=*>→'\"«»“”-]|\b(?:n[°ºro]{0,2}|n[uú]m(?:ero)?|es|era|el|la|de|mi|al|con|su|y|o|q|este|ese|actual|vigente|nuevo|"
    r"siguiente|aqu[ií]|ac[aá]|les|dejo|son)(?!\w))++$",
    re.IGNORECASE,
)
# Whose it is, between the telling word and the number ("el teléfono de mi casa").
_OWNER = r"(?:\s(?:de|del)(?:\s(?:la|el|los|las|mi|mis|su|sus|un|una))?\s[^\W\d_]{2,15}){0,2}$"
DNI_BEFORE = re.compile(
    r"(?<![^\W_])(?:d\.?\s?n\.?\s?i|doc(?:umento)?s?(?:\sde)?(?:\snacional)?(?:\sde)?(?:\sidentidad)?|identidad|identificad[oa])"
    + _OWNER,
    re.IGNORECASE,
)
FOREIGN_BEFORE = re.compile(
    r"(?<![^\W_])(?:c\.?\s?e\.?|(?:carn[eé]t?|c[eé]dula|tarjeta)(?:\s(?:de|del?))?\s(?:extranjer[ií]a|extranjero|refugi(?:o|ado)|identidad\svenezolana)|c[eé]dula|p\.?t\.?p|c\.?p\.?p|(?:pasaporte|passport)(?:\s(?:venezolan|colombian|chilen|ecuatorian|bolivian|argentin|cuban|peruan)[oa])?)$",
    re.IGNORECASE,
)
RUC_BEFORE = re.compile(r"(?<![^\W_])(?:r\.?\s?u\.?\s?c\.?|contribuyente)" + _OWNER, re.IGNORECASE)
RUC_NEAR = re.compile(r"(?<![^\W_])(?:r\.?u\.?c|contribuyente)(?![^\W_])", re.IGNORECASE)
ACCOUNT_BEFORE = re.compile(
    r"(?<![^\W_])(?:cta|cuenta|cci|ahorros?|corriente|bcp|bbva|interbank|scotiabank|banco de la naci[oó]n|tarjeta)s?"
    r"(?:\s(?:de\s)?(?:ahorros?|corriente|bancaria|interbancaria|bcp|bbva|interbank|soles))?$",
    re.IGNORECASE,
)
PHONE_BEFORE = re.compile(
    r"(?<![^\W_])(?:tel(?:[eé]fonos?|[eé]?f)?|tlf|tf|fono|fijo|[cs]el(?:u|l?ular)?(?:es)?|cell|m[oó]vil|"
    r"(?:w|g[uü])h?[aá]t?h?s{1,2}h?a?p{0,2}|ws[ap]?p?|wh?app?|wpp?|ya?p[eé]\w{0,3}|plin\w{0,4}|rp[mc]|telegram|nextel|delivery|informes|"
    r"serenazgo|comisar[ií]a|bomberos|emergencias?|anexo|central|m[aá]rqu?[aeu]\w{0,4}|timbr\w{1,4}|"
    r"ll[aá]m\w{0,6}|contact\w{0,6}|comun[ií]qu?\w{0,6}|escr[ií]b\w{0,6})"
    r"(?:\s(?:casa|fijo|trabajo|oficina|personal|claro|movistar|entel|bitel))?" + _OWNER,
    re.IGNORECASE,
)
_FILE_BEFORE = re.compile(
    r"(?<![^\W_])(?:exp(?:ediente)?|res(?:oluci[oó]n)?|of(?:icio)?|memo(?:rando|r[aá]ndum)?|informe|tr[aá]mite|ticket|"
    r"c[oó]digo|cod|suministro|medidor|partida|registro|ley|ordenanza|decreto|cui|snip|proyecto|factura|boleta|recibo|papeleta|"
    r"acta|licencia|serie|protocolo|folio|contrato)(?:\s(?:digital|municipal|registral|electr[oó]nic[oa]|[uú]nic[oa]|catastral|intern[oa]|modular|administrativ[oa]))?$",
    re.IGNORECASE,
)
# These words also stand before a person's telephone or document, so they speak only against a bare DNI.
CASE_BEFORE = re.compile(
    r"(?<![^\W_])(?:solicitud|reclamo|queja|caso|orden|carta|denuncia|reporte|incidencia|ruta|l[ií]nea|pedido|"
    r"lote|voucher|operaci[oó]n)s?$",
    re.IGNORECASE,
)
PLATE_BEFORE = re.compile(r"(?<![^\W_])(?:placas?(?:\sde\srodaje)?|matr[ií]cula|patente)" + _OWNER, re.IGNORECASE)
VEHICLE_BEFORE = re.compile(
    r"(?<![^\W_])(?:veh[ií]culo|auto|carro|moto(?:taxi|car)?|taxi|combi|c[uú]ster|coaster|camioneta|cami[oó]n|volquete|minivan|"
    r"furgoneta|trimoto|tico|bus|[oó]mnibus)(?:e?s)?(?:\s[a-záéíóúñ]{1,12}){0,2}$",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:s/\.?|\$|€|us\$|soles|monto|suma)\s?(?:de\s)?$", re.IGNORECASE)
_MONEY_ENDS = ("/", ".", "$", "€", "s", "S", "o", "O", "a", "A", "e", "E")
_FILE_LETTERS_BEFORE = re.compile(r"[A-Z]{2,}-$|\d[-/]$")
_UNIT_AFTER = re.compile(
    r"\s?(?:de\s)?(?:(?:nuevos\s)?soles|s/|€|\$|d[oó]lares|usd|pen|euros|%|por ciento|mil\b|millon|habitantes|personas|"
    r"vecin|votos|vistas|seguidores|familias|k[mgw]|m2|m²|m3|metros|toneladas|litros|unidades|veces|[aá]rboles|vacunas|dosis|"
    r"casos|usuarios|beneficiari|poblador|electores|viviendas|predios|kits|bolsas|firmas|visitas|reproducciones)",
    re.IGNORECASE,
)


def telling_words(before: str) -> str:
    """Return the text up to the last telling word, without what fills the way to the number; "" if no word stands there."""
    # Figures in a row need no look at the list of fillers.
    if not before.rstrip(_BETWEEN)[-1:].isalpha():
        return ""
    fill = _FILL.search(before)
    return before[: fill.start()] if fill else before


def is_file(before: str) -> bool:
    """Tell whether the words before a figure name a file, a code or a bill."""
    if before.endswith(("-", "/")) and _FILE_LETTERS_BEFORE.search(before):
        return True
    cue = telling_words(before)
    return bool(cue and _FILE_BEFORE.search(cue))


def is_amount(before: str, after: str) -> bool:
    """Tell whether money or another unit stands around a figure."""
    return bool((before.rstrip().endswith(_MONEY_ENDS) and _MONEY_BEFORE.search(before)) or _UNIT_AFTER.match(after))
