"""What stands before and behind the words that announce a name."""

from __future__ import annotations

import re

BEHIND_CUE = re.compile(r"[ \t\u00a0]{1,2}")
BEHIND_COLON = re.compile(r"\.?\s?:\s{0,2}")
"""Behind it only a known name is one ("Señores: Pongan atención")."""
BEHIND_ABBREVIATION = re.compile(r"\.?[ \t\u00a0]{1,2}|\.")
ABBREVIATIONS = frozenset(
    {"sr", "sra", "srta", "sres", "dr", "dra", "ing", "lic", "hna", "hno", "abog", "arq", "prof", "dn", "dna"}
)
BEHIND_WEAK = re.compile(r"[.:]?,?\s{1,2}")
_ANY = re.compile("")
_GREETINGS = "gracias bendiciones saludos saluda soi soy yo cordialmente carinosamente contacto vecinos vecinas senito"
GREETINGS = frozenset(_GREETINGS.split())
"""Weak cues that are no word for a person: two unknown words with capitals behind them may be anything."""
# What must stand before a word that announces a name, and what behind it.
ANNOUNCED: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "llamo": (re.compile(r"\bme $"), re.compile(r":?\s{1,2}")),
    "llama": (re.compile(r"\bse $"), re.compile(r":?\s{1,2}")),
    "llamado": (_ANY, re.compile(r":?\s{1,2}")),
    "llamada": (_ANY, re.compile(r":?\s{1,2}")),
    "yamo": (re.compile(r"\bme $"), re.compile(r":?\s{1,2}")),
    "yama": (re.compile(r"\bse $"), re.compile(r":?\s{1,2}")),
    "tal": (re.compile(r"\b(?:un|una) $"), re.compile(r"\s(?:don\s|dona\s)?")),
    "nonbre": (re.compile(r"\b(?:mi|de|su) $"), re.compile(r"(?:\scompleto)?(?:\ses)?:?\s{1,2}")),
    "nombre": (re.compile(r"\b(?:mi|de|su) $"), re.compile(r"(?:\scompleto)?(?:\ses)?:?\s{1,2}")),
    "nombres": (_ANY, re.compile(r"(?:\sy\sapellidos)?\s?:\s?")),
    "apellidos": (_ANY, re.compile(r"(?:\sy\snombres)?\s?:\s?")),
    "atte": (_ANY, re.compile(r"[\s.,:]{1,4}")),
    "att": (_ANY, re.compile(r"[\s.,:]{1,4}")),
    "fdo": (_ANY, re.compile(r"[\s.,:]{1,4}")),
    "atentamente": (_ANY, re.compile(r"[\s.,:]{1,4}")),
    "firma": (_ANY, re.compile(r"(?:\spor)?\s?:\s?")),
    "firmado": (_ANY, re.compile(r"(?:\spor)?\s?:?\s?")),
    "comunicarse": (_ANY, re.compile(r"\s(?:con|a)\s(?:la\s|el\s)?")),
    "contactar": (_ANY, re.compile(r"\s(?:con|a)\s(?:la\s|el\s)?")),
    "contactarse": (_ANY, re.compile(r"\s(?:con|a)\s(?:la\s|el\s)?")),
    "habla": (_ANY, re.compile(r"(?:\scon)?\s(?:la\s|el\s)?")),
    "hablar": (_ANY, re.compile(r"\scon\s(?:la\s|el\s)?")),
    "hable": (_ANY, re.compile(r"\scon\s(?:la\s|el\s)?")),
    "hablen": (_ANY, re.compile(r"\scon\s(?:la\s|el\s)?")),
    "preguntar": (_ANY, re.compile(r"\spor\s(?:la\s|el\s)?")),
    "pregunten": (_ANY, re.compile(r"\spor\s(?:la\s|el\s)?")),
    "suscribe": (_ANY, re.compile(r"[\s,:]{1,3}")),
}
SURE = frozenset({"llamo", "yamo", "nombre", "nonbre"})
UNSURE = frozenset(
    {"llama", "yama", "comunicarse", "contactar", "contactarse", "habla", "hablar", "hable", "hablen", "preguntar", "pregunten"}
)
