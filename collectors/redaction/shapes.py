"""Names that no list has but that are built as names in Peru are: Andean surnames, given names with certain endings.

Places are built of the same words: endings of places prove no surname.
"""

from __future__ import annotations

import re

from collectors.redaction.lexicon import GIVEN, SURNAME

_SHORTEST = 6
_ROOTS = (
    "huaman|huanca|huallp|huayt|huarc|condor|chuqui|choqueh|choquec|choquet|vilca|huillca|ccor|ccop|ccah|ccas|cchu|sullca|sulca|"
    "yupan|rimac|ninan|mayta|llanc|chumpi|chumbi|ancc|astoc|astoh|astoq|astuh|pillac|quisp|mamani|apaza|tintay|ccall|ppac|ttit|"
    "naupa|cusi|tarqu|pacs"
)
_ENDS = (
    "huanca|huaman|huamani|vilca|huillca|condor|condori|mamani|quispe|pacco|poma|puma|sullca|yauri|naupa|nahui|callo|yupanqui|"
    "rimachi|chuqui|apaza|ccori|mayta|capcha|chagua"
)
_SURNAME = re.compile(rf"(?:{_ROOTS})[a-z]{{2,9}}|[a-z]{{2,9}}(?:{_ENDS})")
_PLACE = re.compile(r"\w*(?:bamba|marca|pampa|cocha|tambo|pata|velica|yoc|yo|canqui|ay|nga|bas|llo|ando|endo|ado|ada|ar|as|os)")
_GIVEN = re.compile(
    r"jh[a-z]{4,10}|yh[a-z]{4,10}|[a-z]{2,9}(?:berto|berta|slao|fredo|lyn|hilda|nilda|zilda|erson|ylson|ilson|onson|ayson|eyson)"
)
_NO_NAMES = frozenset({"espuma", "person"})


def shape_of(word: str) -> int:
    """Return the flags of a folded word that no list has: GIVEN, SURNAME, or none."""
    if len(word) < _SHORTEST:
        return 0
    if word in _NO_NAMES:
        return 0
    if _GIVEN.fullmatch(word):
        return GIVEN
    return SURNAME if _SURNAME.fullmatch(word) and not _PLACE.fullmatch(word) else 0
