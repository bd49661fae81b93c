"""Which words may be names, and which tell that a name or an address follows: the lists beside this module.

`given_names.txt` and `surnames.txt` were written for this project from what is generally known of names in Peru; they are
no census. `words.yml` has the words around names and addresses.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

from collectors.catalog import Closed
from collectors.yaml_errors import load_yaml, validate_document

FOLDER = Path(__file__).parent

GIVEN, SURNAME, EVERYDAY = 1, 2, 4
"""May be a given name; may be a surname; is an everyday word too."""

PARTICLE, PLACE, SAINT, OFFICE, STREET, DWELLING, CUE, WEAK_CUE, ANNOUNCING = (1 << bit for bit in range(3, 12))
STOP, NOT_NAME, ADJECTIVE, NETWORK, BLOCK, LOT, FLAT, PLANT = (1 << bit for bit in range(12, 20))
NAME = GIVEN | SURNAME
TELLING = NAME | CUE | WEAK_CUE | ANNOUNCING | STREET | DWELLING | BLOCK | LOT | FLAT | PLANT | NETWORK
"""What may begin a name or an address, or announce one."""
MARK = "[nombre]"

_PARTICLES = ("de", "del", "la", "las", "los", "el")
_LETTERS = [chr(code) for code in range(ord("A"), 0x250) if chr(code).isalpha()]
_FOLDS = {
    ord(letter): folded
    for letter in _LETTERS
    if len(folded := unicodedata.normalize("NFD", letter)[0].lower()) == 1 and folded != letter
}


class TellingWords(Closed):
    """The groups of `words.yml`: words between blanks; of `public`, whole names between commas."""

    place: str
    saint: str
    office: str
    street: str
    dwelling: str
    cue: str
    weak_cue: str
    stop: str
    not_name: str
    announcing: str
    adjective: str
    network: str
    block: str
    lot: str
    flat: str
    plant: str
    public: str


class Lexicon(NamedTuple):
    """What is known of words: flags by word, and the names that are no private person's."""

    flags: dict[str, int]
    public: frozenset[str]


def fold_letters(text: str) -> str:
    """Return a text of the same length in small letters without accents (Latin letters only), so that positions stay."""
    return text.translate(_FOLDS)


@cache
def load_lexicon() -> Lexicon:
    """Load the lists.

    Raises:
        ConfigurationError: naming every problem of `words.yml`.
    """
    path = FOLDER / "words.yml"
    words = validate_document(TellingWords, load_yaml(path), path)
    flags: dict[str, int] = dict.fromkeys(_PARTICLES, PARTICLE)
    groups = {
        PLACE: words.place,
        SAINT: words.saint,
        OFFICE: words.office,
        STREET: words.street,
        DWELLING: words.dwelling,
        CUE: words.cue,
        WEAK_CUE: words.weak_cue,
        STOP: words.stop,
        NOT_NAME: words.not_name,
        ANNOUNCING: words.announcing,
        ADJECTIVE: words.adjective,
        NETWORK: words.network,
        BLOCK: words.block,
        LOT: words.lot,
        FLAT: words.flat,
        PLANT: words.plant,
    }
    for flag, listed in groups.items():
        for word in listed.split():
            flags[word] = flags.get(word, 0) | flag
    for flag, name in ((GIVEN, "given_names.txt"), (SURNAME, "surnames.txt")):
        for word, everyday in load_names(name).items():
            flags[word] = flags.get(word, 0) | flag | (EVERYDAY if everyday else 0)
    flags = dict.fromkeys(_diminutives(flags), GIVEN) | flags
    flags[MARK] = NAME
    return Lexicon(flags, frozenset(name.strip() for name in words.public.split(",")))


def _diminutives(flags: dict[str, int]) -> list[str]:
    """Return "yolandita" of the given names that are no everyday words."""
    stems = [word[:-1] for word, flag in flags.items() if flag == GIVEN and len(word) > 4 and word[-1] in "ao"]
    return [f"{stem}it{ending}" for stem in stems for ending in "ao"]


def load_names(name: str) -> dict[str, bool]:
    """Load a list of names: each with whether it is an everyday word too (a star behind it)."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    return {word.rstrip("*"): word.endswith("*") for word in words}
