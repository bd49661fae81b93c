"""The language annotator: finds what is not Spanish and never gives up Spanish, however it is spelt."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier
from pydantic import BaseModel, ConfigDict, Field
from simplemma import is_known

from models.annotator import Prediction, Reading
from models.configuration import load_configuration
from models.preprocessing import fold, normalise, shorten_repeats
from models.taxonomy import Taxonomy

LABELS = ("es", "qu", "ay", "en", "pt", "other", "unknown")
"""Quechua and Aymara are named so that they can be counted; `other` is any language not named here; `unknown` is too short or
too unclear to tell."""

LANGUAGE_FILE = Path(__file__).with_name("language.yml")
"""The word lists that ship with the package."""

_RULES = "3"
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENOUGH_WORDS = 4
_READ_CHARACTERS = 2_000
_SURE = 0.9
_CLEAR = 0.9
_NO_DOUBT = 0.98
_ROMANCE = ("pt", "it", "fr")
"""So close to Spanish that their function words alone prove nothing."""

Foreign = Literal["qu", "ay", "en", "pt", "it", "fr", "de"]
Words = Annotated[frozenset[str], Field(min_length=1)]


class LanguageSettings(BaseModel):
    """The whole of `language.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spanish: Words
    twins: Words
    markers: dict[Foreign, Words]
    quechua_endings: tuple[str, ...] = Field(min_length=1)
    aymara_endings: tuple[str, ...] = Field(min_length=1)
    candidates: tuple[str, ...] = Field(min_length=1)


class LanguageAnnotator:
    """Reads the language of a text; only clear Quechua, English, Portuguese or other languages are called so."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        """Load the word lists and the statistical identifier; the taxonomy plays no part."""
        self._settings = load_configuration(LANGUAGE_FILE, LanguageSettings)
        digest = hashlib.sha256(LANGUAGE_FILE.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        self.name = "language"
        self.revision = f"{_RULES}-{digest[:8]}"
        self.tasks: Mapping[str, tuple[str, ...]] = {"language": LABELS}
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages(list(self._settings.candidates))
        self._own = {
            label: known - self._settings.spanish - self._settings.twins for label, known in self._settings.markers.items()
        }

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order; 2,000 characters of each decide."""
        return [{"language": _reading(*self._judge(text[:_READ_CHARACTERS]))} for text in texts]

    def _judge(self, text: str) -> tuple[str, float]:
        """Return the label and how sure it is."""
        prose = _NO_WORDS.sub(" ", normalise(text)).lower()
        words = _LETTERS.findall(shorten_repeats(prose))
        if not words:
            return "unknown", _SURE
        if _foreign_script(words):
            return "other", _SURE
        folded = [fold(word) for word in words]
        foreign, hits = self._best_marked(folded, nasal=sum("ã" in word or "õ" in word for word in words))
        known = [word for word in folded if word in self._settings.spanish]
        alone = sum(word not in self._settings.markers[foreign] for word in known)
        spanish = alone if hits >= 2 else len(known)
        if len(words) < _ENOUGH_WORDS:
            return ("es", 0.7) if spanish and spanish >= hits else ("unknown", 0.7)
        if hits >= 2 and hits > spanish and hits / len(words) >= 0.2:
            return self._confirm(foreign, prose, words, spanish / len(words))
        if hits and not alone and foreign in _ROMANCE and self._is_surely(foreign, prose, words):
            return _label(foreign), 0.75
        if spanish and spanish / len(words) >= 0.15:
            return "es", _SURE
        return self._without_markers(prose, words, spanish)

    def _best_marked(self, words: Sequence[str], *, nasal: int) -> tuple[Foreign, int]:
        """Return the foreign language whose own function words, endings and nasal vowels occur most, and how often."""
        counts = {label: sum(word in own for word in words) for label, own in self._own.items()}
        counts["pt"] += nasal
        andean: tuple[tuple[Foreign, tuple[str, ...]], ...] = (
            ("qu", self._settings.quechua_endings),
            ("ay", self._settings.aymara_endings),
        )
        for label, endings in andean:
            known = self._settings.markers[label] | self._settings.spanish
            counts[label] += sum(len(word) > 6 and word not in known and word.endswith(endings) for word in words)
        best = max(counts, key=counts.__getitem__)
        return best, counts[best]

    def _confirm(self, marked: Foreign, prose: str, words: Sequence[str], spanish_share: float) -> tuple[str, float]:
        """Let the statistical identifier confirm a marked language; if it says Spanish, Spanish it is."""
        language, probability = self._identifier.classify(prose)
        if language == "es":
            return "es", 0.6
        if marked in ("qu", "ay") and _familiarity(words) >= 0.5:
            return "unknown", 0.5
        if marked in _ROMANCE and probability < _CLEAR:
            return "unknown", 0.5
        if marked in _ROMANCE and language != marked:
            return _named(language) if spanish_share == 0 and probability > 0.6 else ("unknown", 0.5)
        return (_label(marked), _SURE) if spanish_share < 0.3 or language == marked else ("unknown", 0.5)

    def _is_surely(self, code: Foreign, prose: str, words: Sequence[str]) -> bool:
        """Tell whether the statistical identifier has no doubt about a text of five words or more."""
        language, probability = self._identifier.classify(prose)
        return language == code and probability >= _NO_DOUBT and len(words) > _ENOUGH_WORDS

    def _without_markers(self, prose: str, words: Sequence[str], spanish: int) -> tuple[str, float]:
        """Judge a text without telling words: Spanish if the dictionary knows it, foreign only if nothing speaks for Spanish."""
        familiar = _familiarity(words)
        language, probability = self._identifier.classify(prose)
        if language == "es" or spanish or familiar >= 0.4:
            return ("es", 0.7) if language == "es" and familiar >= 0.2 else ("unknown", 0.6)
        long_enough = len(words) >= _ENOUGH_WORDS + 1 and sum(map(len, words)) >= 20
        return _named(language) if probability >= 0.75 and long_enough else ("unknown", 0.6)


def _named(language: str) -> tuple[str, float]:
    return _label(language), 0.75


def _label(language: str) -> str:
    return language if language in LABELS else "other"


def _familiarity(words: Sequence[str]) -> float:
    """Return the share of the words that a Spanish dictionary knows."""
    return sum(is_known(word, lang="es") for word in words) / len(words)


def _foreign_script(words: Sequence[str]) -> bool:
    """Tell whether most letters are not Latin ones, from at least four."""
    letters = [char for word in words for char in word]
    foreign = sum(not unicodedata.name(char, "LATIN").startswith("LATIN") for char in letters)
    return foreign >= 4 and foreign > len(letters) / 2


def _reading(label: str, sure: float) -> Reading:
    rest = (1 - sure) / (len(LABELS) - 1)
    return Reading(label, {key: sure if key == label else rest for key in LABELS})
