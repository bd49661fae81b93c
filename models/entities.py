"""Places of a city in texts: what a gazetteer's names look like to the matcher, and when a name really is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import simplemma
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from models.preprocessing import fold, split_words


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARTICLES = frozenset({"el", "la", "los", "las"})
_LINKS = _ARTICLES | {"de", "y"}
_SAINTS = frozenset({"san", "santa", "santo"})

_ABBREVIATIONS = {
    "ave": "av",
    "avda": "av",
    "avenida": "av",
    "jiron": "jr",
    "pasaje": "psje",
    "pje": "psje",
    "sn": "san",
    "sta": "santa",
    "sto": "santo",
    "urbanizacion": "urb",
    "del": "de",
}
"""Folded word -> the one that stands for all its spellings."""

_ABBREVIATED = frozenset(_ABBREVIATIONS.values()) - {"de"}

_TYPES = _words(
    "av carretera via jr psje mercado parque plaza colegio escuela centro hospital posta comisaria paradero puente urb"
)
"""Words that say what kind of place a name is: "mercado de Ceres" is a place however it is written."""

_STREETS = frozenset({"av", "calle", "jr", "psje", "prolongacion", "alameda"})
"""After one of these a name is that of a street, not of the zone that is called alike."""

_PREPOSITIONS = frozenset({"en", "desde", "hasta", "hacia", "por", "entre"})

_PLACE_NOUNS = _TYPES | _words(
    "zona sector barrio asentamiento aahh vecinos vecinas gente pobladores residentes moradores calles pistas parques cuadra "
    "cruce ovalo altura cerca entrada frente alrededores lado camino rumbo"
)
"""Words that a place follows, directly or after "de": "vecinos de Gloria"."""

_MOVES = _words("ir voy va vamos van fui fue llegar llega llego llegamos llegan salida camino rumbo viaje frente")
"""Words that a place follows after "a"."""

_TITLES = _words(
    "senor senora senorita sr sra srta don dona doctor doctora dr dra profesor profesora profe ing ingeniero ingeniera lic "
    "alcalde alcaldesa regidor regidora congresista gerente vecina vecino tia tio hermana hermano amiga amigo"
)
"""After one of these a name is a person's."""

_SENTENCE_ENDS = re.compile(r"[.!?¡¿…:\n]")


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a gazetteer."""

    name: str
    """As the report shows it, without the article of the sentence: "av. Nicolás Ayllón"."""

    kind: str
    """zone, avenue, market and so on; its upper case is the entity's label."""

    aliases: tuple[str, ...] = ()
    """Other ways to write it; accents and capitals need no alias of their own."""

    @property
    def id(self) -> str:
        """The name folded, words joined by hyphens: "av-nicolas-ayllon"."""
        return "-".join(re.findall(r"[^\W_]+", fold(self.name)))


class PlaceMention(NamedTuple):
    """A stretch of a text that names a place."""

    place: str
    """Id of the place."""

    kind: str
    start: int
    """First character in `doc.text`."""
    end: int
    """Character after the last one."""


class Spelling(NamedTuple):
    """One way to write one place."""

    place: Place
    words: tuple[str, ...]
    """As `name_words` gives them."""

    needs: str
    """What must speak for it: "" nothing, "capital" a capital letter or the context, "context" a word such as "en" before it."""


def name_words(name: str) -> tuple[str, ...]:
    """Return the words that a name is compared by: folded, abbreviations as one, without "de" and an article before a type.

    "la av. Nicolás de Piérola" gives av, nicolas, pierola. Names with equal words can't be told apart.
    """
    words = [word for part in split_words(name) if (word := _reduce(part))]
    if len(words) > 1 and words[0] in _ARTICLES and words[1] in _TYPES:
        del words[0]
    return tuple(word for word in words if word != "de")


def name_forms(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the word sequences that a name is found by: as it is, and written together; () if it holds only articles."""
    words = name_words(name)
    if all(word in _LINKS for word in words):
        return ()
    return (words,) if len(words) == 1 else (words, ("".join(words),))


def list_spellings(places: Iterable[Place]) -> list[Spelling]:
    """Return all spellings of all places, each once, in the order given; names of several words also written together.

    Raises:
        ValueError: if two places share a spelling or an id, or a name has no word.
    """
    found: dict[tuple[str, ...], Spelling] = {}
    ids: dict[str, Place] = {}
    mistakes = []
    for place in places:
        if ids.setdefault(place.id, place) is not place:
            mistakes.append(f"two places have the id {place.id!r}: {ids[place.id].name!r} and {place.name!r}")
        for name in (place.name, *place.aliases):
            forms = name_forms(name)
            if not forms:
                mistakes.append(f"the name {name!r} of {place.name!r} holds no word; add one that is not an article")
            for form in forms:
                other = found.setdefault(form, Spelling(place, form, _needs_of(forms[0], place)))
                if other.place.id != place.id:
                    mistakes.append(f"{name!r} names both {other.place.name!r} and {place.name!r}; take it from one of them")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return list(found.values())


def _needs_of(words: Sequence[str], place: Place) -> str:
    content = [word for word in words if word not in _LINKS]
    whole = name_words(place.name) if len(name_words(place.name)) > 1 else ()
    if len(words) == 1 and words[0] in whole:
        return "context"
    if words[0] in _SAINTS or (words[0] in _TYPES and len(content) > 1):
        return ""
    if len("".join(content)) < 4 or all(_is_common(word) for word in content):
        return "capital"
    return ""


@lru_cache(maxsize=20_000)
def _is_common(folded: str) -> bool:
    """Tell whether a word without accents is a Spanish dictionary word with or without one."""
    accents = {"a": "á", "e": "é", "i": "í", "o": "ó", "u": "ú", "n": "ñ"}
    forms = [folded, *(folded[:at] + accents[c] + folded[at + 1 :] for at, c in enumerate(folded) if c in accents)]
    return not folded.isalpha() or any(simplemma.is_known(form, lang="es") for form in forms)


def ruler_patterns(spellings: Iterable[Spelling]) -> list[dict[str, Any]]:
    """Return the spellings as patterns of spaCy's entity ruler; it needs the extension that this module sets."""
    return [
        {"label": spelling.place.kind.upper(), "id": spelling.place.id, "pattern": _pattern(spelling.words)}
        for spelling in spellings
    ]


def _pattern(words: Sequence[str]) -> list[dict[str, Any]]:
    """Allow "de" and blanks between the words, and a full stop after an abbreviation."""
    tokens: list[dict[str, Any]] = [{"_": {"place_word": words[0]}}]
    for previous, word in pairwise(words):
        if previous in _ABBREVIATED or len(previous) == 1:
            tokens.append({"ORTH": ".", "OP": "?"})
        tokens += [{"_": {"place_word": "de"}, "OP": "*"}, {"_": {"place_word": word}}]
    return tokens


@lru_cache(maxsize=100_000)
def _reduce(written: str) -> str:
    if written.startswith("@") or "://" in written or written.startswith("www."):
        return ""
    word = re.sub(r"[\W_]", "", fold(written))
    return _ABBREVIATIONS.get(word, word)


def _place_word(token: Token) -> str:
    """Return what patterns compare; blanks count as "de", which any name may have between its words."""
    return "de" if token.is_space else _reduce(token.text)


Token.set_extension("place_word", getter=_place_word, force=True)


class PlaceContext:
    """A pipeline component after the entity ruler: drops entities whose words mean something else where they stand."""

    def __init__(self, needs: Mapping[str, str]) -> None:
        """Take words joined by spaces -> what must speak for them; others need nothing."""
        self._needs = needs

    def __call__(self, doc: Doc) -> Doc:
        """Keep the entities that are places, and those of other components."""
        if not doc.ents:
            return doc
        text = _Text([token.text for token in doc])
        kept: list[Span] = []
        for span in doc.ents:
            if not span.ent_id_ or self._is_place(text, span, kept[-1] if kept else None):
                kept.append(span)
                continue
            for token in span:
                token.ent_id_ = ""  # else an entity that a later component finds here would bear the id
        doc.set_ents(kept, default="missing")  # "outside" would keep a later component from finding any
        return doc

    def _is_place(self, text: _Text, span: Span, previous: Span | None) -> bool:
        words = [word for word in text.words[span.start : span.end] if word and word != "de"]
        typed = words[0] in _TYPES
        if not typed and text.names_other(span.start):
            return False
        needs = self._needs.get(" ".join(words), "")
        if not needs:
            return True
        if len(words) == 1 and text.has_surname(span.end):
            return False
        if text.names_place(span.start) or (previous is not None and text.joins(previous.end, span.start)):
            return True
        return needs == "capital" and text.has_capital(span.start, span.end)


class _Text:
    """The tokens of a document, as its places are judged by."""

    def __init__(self, written: Sequence[str]) -> None:
        self.words = [_reduce(text) for text in written]
        self._written = written
        letters = [char for text in written for char in text if char.isalpha()]
        self._shouted = sum(char.isupper() for char in letters) > 0.6 * len(letters)

    def _before(self, start: int) -> list[str]:
        """Return the two words before a token, nearest first, without articles; a mark between words ends the list."""
        found: list[str] = []
        at = start - 1
        while at >= 0 and len(found) < 2:
            abbreviation = self._written[at] == "." and at and self._abbreviates(at - 1)
            if not (self.words[at] or abbreviation or self._written[at] == " "):
                break
            if self.words[at] and self.words[at] not in _ARTICLES:
                found.append(self.words[at])
            at -= 1
        return [*found, "", ""][:2]

    def _abbreviates(self, at: int) -> bool:
        return self.words[at] in _STREETS | _TITLES | _TYPES

    def names_other(self, start: int) -> bool:
        """Tell whether the name that starts here is a street's or a person's."""
        return self._before(start)[0] in _STREETS | _TITLES

    def names_place(self, start: int) -> bool:
        """Tell whether the words before let a place follow."""
        near, far = self._before(start)
        if near in _PREPOSITIONS or near in _PLACE_NOUNS:
            return (far, near) != ("gracias", "por")
        return (near == "de" and far in _PLACE_NOUNS) or (near in {"a", "al"} and far in _MOVES)

    def joins(self, end: int, start: int) -> bool:
        """Tell whether nothing but "y", "o", a comma or the like stands between a place and this name."""
        between = list(self._written[end:start])
        return 0 < len(between) <= 3 and all(
            text in {",", "y", "e", "o", "/", "-"} or _reduce(text) in _ARTICLES for text in between
        )

    def has_capital(self, start: int, end: int) -> bool:
        """Tell whether a word of the name is capitalised for another reason than beginning a sentence or shouting."""
        return not self._shouted and any(
            self._written[at][0].isupper() and self.words[at] not in _LINKS and not self._opens_sentence(at)
            for at in range(start, end)
        )

    def has_surname(self, end: int) -> bool:
        """Tell whether a capitalised word follows at once."""
        follows = end < len(self._written) and self._written[end][0].isupper()
        return follows and not self._shouted and self._written[end].isalpha()

    def _opens_sentence(self, at: int) -> bool:
        while at and not self.words[at - 1]:
            at -= 1
            if _SENTENCE_ENDS.search(self._written[at]):
                return True
        return at == 0


@Language.factory("place_context", default_config={"capital": [], "context": []})
def _make_place_context(nlp: Language, name: str, capital: list[str], context: list[str]) -> PlaceContext:
    return PlaceContext({**dict.fromkeys(capital, "capital"), **dict.fromkeys(context, "context")})


def find_places(doc: Doc) -> list[PlaceMention]:
    """Return the places that a document of `load_spanish` names, from left to right; they never overlap."""
    return [PlaceMention(ent.ent_id_, ent.label_.lower(), ent.start_char, ent.end_char) for ent in doc.ents if ent.ent_id_]
