"""Whose name stays: who holds a public function and is named with it, and what is called after a person."""

from __future__ import annotations

import re

from collectors.redaction.lexicon import OFFICE, PARTICLE, PLACE, SAINT
from collectors.redaction.tokens import Tokens

_REACH = 90
"""Characters before a name that are searched for a public function."""
_WORDS = 10
_STEPS = 4

_OFFICES = (
    r"(?:ex)?alcalde(?:sa)?|burgomaestre|(?:ex)?regidor(?:a|es)?|(?:ex|vice)?gobernadora?|(?:ex|vice)?ministr[oa]|premier|"
    r"(?:ex)?congresistas?|parlamentari[oa]|procuradora?|contralora?|(?:sub)?prefect[oa]|comisario|(?:ex|vice)?president[ea]|"
    r"mandatari[oa]|candidat[oa]s?|(?:sub)?gerent[ea]|senadora?|diputad[oa]|consejer[oa]|canciller|defensora?|gobernante|intendent[ea]"
)
_NO_ARTICLE = r"(?!(?:de|del|y|e|a|con|en|no|que|se|es|le|lo|por|para|sin|mi|su)\b)"
_OF = rf"\s(?:de|del)\s(?:(?:la|el|las|los)\s)?{_NO_ARTICLE}[a-z]{{2,20}}(?:\s(?:y\s)?{_NO_ARTICLE}[a-z]{{2,20}})?"
_POLITE = r"(?:,?\s(?:sr|sra|don|dona|dr|dra|ing|lic|abog|econ|arq|senora?|doctora?|ingenier[oa]|licenciad[oa])\.?)"
_RANK = (
    r"(?:\s(?:municipal|distrital|provincial|regional|actual|interin[oa]|electo|"
    r"general|mayor|coronel|comandante|capitan|pnp)){0,2}"
)
_BEFORE = re.compile(rf"\b(?:{_OFFICES}){_RANK}(?:{_OF}){{0,2}}{_POLITE}{{0,2}}\W{{1,3}}$")
# Who presides over neighbours, parents or traders is a private person.
_NEIGHBOURS_POST = (
    r"(?:president[ea]|gerent[ea]|candidat[oa]|tesorer[oa]|secretari[oa](?:\sgeneral)?|dirigent[ea]|delegad[oa]|coordinadora?|lider|lideresa|vocal)"
    r"\s(?:de|del)\s(?:(?:la|el|las|los|mi|nuestr[oa])\s)?"
    r"(?:junta|asociacion|asoc|comite|comedor|vaso|cuadra|mercado|apafa|barrio|manzana|club|cooperativa|olla|urb\w*|zona|sector|ronda|"
    r"edificio|condominio|directiva|vecinos|comunidad|empresa|tienda|aahh|asentamiento|grupo|padres|comerciantes|feria|liga|sindicato|federacion|frente|gremio)\b"
)
_NEIGHBOURS = re.compile(rf"\b{_NEIGHBOURS_POST}[^.;,\n]{{0,40}}$")
_NEIGHBOURS_BEHIND = re.compile(rf",?\s(?:(?:el|la|nuestr[oa]|actual|como|es|soy)\s){{0,2}}{_NEIGHBOURS_POST}")
_BEHIND = re.compile(rf",?\s(?:(?:el|la|nuestr[oa]|actual|como|es)\s){{0,2}}(?:{_OFFICES})\b|\s?\((?:{_OFFICES})\b")
_ACRONYM = re.compile(
    r"\b(?:i\.?\s?e\.?\s?p?|aa\.\s?hh|a\.?\s?h|c\.\s?c|pp\.?\s?jj|c\.?e\.?i)\.?[^,;\n\w]{0,4}(?:n\W{0,2}\s?)?[\d\s]{0,6}[\"“«']?$"
)
_AFTER_PLACE = re.compile(r"[ \t\u00a0.°º\"“«'0-9#-]{1,12}")


def is_public(tokens: Tokens, first: int, last: int) -> bool:
    """Tell whether the name between two places, both within, is that of a public function's holder."""
    if not tokens.has_office:
        return False
    start, end = tokens.spans[first][0], tokens.spans[last][1]
    if any(flag & OFFICE for flag in tokens.flags[max(0, first - _WORDS) : first]):
        before = tokens.folded[max(0, start - _REACH) : start]
        if _BEFORE.search(before) and not _NEIGHBOURS.search(before):
            return True
    if not any(flag & OFFICE for flag in tokens.flags[last + 1 : last + 5]) or _NEIGHBOURS_BEHIND.match(tokens.folded, end):
        return False
    return _BEHIND.match(tokens.folded, end) is not None


def is_place(tokens: Tokens, place: int) -> bool:
    """Tell whether the word at a place ends the name of a street, a school, a saint …, as what stands before it says."""
    start = tokens.spans[place][0]
    before = tokens.folded[max(0, start - _REACH) : start]
    if tokens.has_office and _NEIGHBOURS.search(before):
        return False
    for step in range(place - 1, max(-1, place - 1 - _STEPS), -1):
        gap = tokens.gap(step)
        if not _AFTER_PLACE.fullmatch(gap) or ("." in gap and tokens.spans[step][1] - tokens.spans[step][0] > 4):
            break
        if tokens.flags[step] & (PLACE | SAINT):
            return True
        if not tokens.flags[step] & PARTICLE and tokens.word(step) not in (
            "n",
            "nro",
            "numero",
            "nacional",
            "municipal",
            "central",
        ):
            break
    return bool(_ACRONYM.search(before[-24:]))
