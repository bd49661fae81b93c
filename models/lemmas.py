"""The dictionary form of Spanish words: from simplemma, or from a spaCy model that the user has installed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Protocol

import simplemma
from spacy.language import Language
from spacy.tokens import Doc

from models.settings import LemmasName

_UNUSED = ("parser", "senter", "ner")
"""Parts of the spaCy models that lemmas don't depend on."""

_REMEMBERED = 8_192
"""Word sequences whose lemmas stay at hand: enough for the keywords and the lexicon, most of which come up repeatedly."""


class LemmasNotInstalledError(ValueError):
    """`models.yml` names a spaCy model that is not installed."""


class Lemmatiser(Protocol):
    """Finds lemmas. The result for a sequence of words never depends on earlier ones."""

    revision: str
    """Name and version where the choice is not the default one, else ""."""

    def lemmatise(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return one lemma for each of the words of a text or phrase, which are lower case and in order."""
        ...


class SimplemmaLemmatiser:
    """Looks each word up in simplemma's table, whatever stands around it."""

    revision = ""

    def lemmatise(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return one lemma for each word; a word that is unknown is its own lemma."""
        return tuple(_look_up(word) for word in words)


@lru_cache(maxsize=200_000)
def _look_up(word: str) -> str:
    return str(simplemma.lemmatize(word, lang="es")) if word.isalpha() else word


class SpacyLemmatiser:
    """Reads each word in its context with the lemmatizer of a spaCy model."""

    def __init__(self, name: LemmasName) -> None:
        """Load the model.

        Raises:
            LemmasNotInstalledError: if it is not installed; the message tells how to install it, and its licence.
        """
        self._nlp = _load_model(name)
        self.revision = f"{name}-{self._nlp.meta['version']}"
        self.lemmatise = lru_cache(maxsize=_REMEMBERED)(self._lemmatise)

    def _lemmatise(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words:
            return ()
        with self._nlp.memory_zone():
            doc = Doc(self._nlp.vocab, words=list(words))
            # One text at a time: in a batch the sums of the network are rounded otherwise, and a lemma could change.
            for _, component in self._nlp.pipeline:
                doc = component(doc)
            # "darle" comes as "dar él"; the word that carries the meaning is the first one.
            return tuple(token.lemma_.partition(" ")[0] or token.text for token in doc)


def _load_model(name: LemmasName) -> Language:
    try:
        package = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise LemmasNotInstalledError(
            f"models.yml says lemmas: {name}, which is not installed; install it with `python -m spacy download {name}` "
            "(its licence is GPL-3.0), or write lemmas: simplemma"
        ) from error
    model: Language = package.load(exclude=list(_UNUSED))
    return model


SIMPLEMMA = SimplemmaLemmatiser()
"""The default choice."""


def load_lemmatiser(name: LemmasName) -> Lemmatiser:
    """Return the lemmatiser of that name.

    Raises:
        LemmasNotInstalledError: if it is a spaCy model that is not installed.
    """
    return SIMPLEMMA if name == "simplemma" else SpacyLemmatiser(name)
