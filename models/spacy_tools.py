"""spaCy for Spanish texts: lemmas and the city's places; parts of speech and entities with a model that the user installed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, cast

import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer  # type: ignore[import-not-found]
from spacy.tokens import Doc

from models.entities import Place, PlaceMention, find_places, list_spellings, ruler_patterns
from models.lemmas import SIMPLEMMA
from models.settings import LemmasName

__all__ = ["ModelNotInstalledError", "Place", "PlaceMention", "bound_tokenizer", "find_places", "load_spanish"]

_UNUSED = ("parser", "senter")
"""Parts of the spaCy models that neither lemmas nor entities depend on; they take a fifth of the time."""


_LONG_RUN = re.compile(r"\S{200}(?=\S)")
"""Characters without a blank that the tokenizer gets at once: its time grows with their square, 75 s for 20,000 emoji."""


class ModelNotInstalledError(ValueError):
    """A spaCy model was asked for that is not installed; the message tells the command that installs it."""


def load_spanish(places: Sequence[Place], *, model: LemmasName = "simplemma") -> Language:
    """Return a pipeline that sets lemmas and finds places; `find_places` lists them.

    Read one text at a time, `nlp(text)`: `nlp.pipe` may round the networks of a spaCy model otherwise in another batch. What
    `find_places` returns depends on the text alone, either way. Texts must be valid Unicode: `preprocessing.normalise` them.

    Args:
        places: the city's gazetteer; may be empty.
        model: simplemma, or an installed spaCy model, which adds parts of speech and the entities of its own (PER, LOC, ORG,
            MISC) around the places.

    Raises:
        ModelNotInstalledError: if the model is not installed.
        ValueError: if two places share a spelling or an id.
    """
    spellings = list_spellings(places)
    if model == "simplemma":
        nlp = spacy.blank("es")
        nlp.add_pipe("simplemma_lemmas")
    else:
        nlp = _load_model(model)
    nlp.tokenizer = bound_tokenizer(nlp)
    if not spellings:
        return nlp
    ruler = nlp.add_pipe("entity_ruler", before="ner" if "ner" in nlp.pipe_names else None)
    ruler.add_patterns(ruler_patterns(spellings))  # type: ignore[attr-defined]
    needs = {
        need: [" ".join(spelling.words) for spelling in spellings if spelling.needs == need] for need in ("capital", "context")
    }
    nlp.add_pipe("place_context", config=needs, after="entity_ruler")
    return nlp


class _BoundTokenizer(Tokenizer):  # type: ignore[misc]
    """Cuts runs of more than 200 characters without a blank; all other texts are read as ever."""

    def __call__(self, string: str) -> Doc:
        cuts = [0, *(found.end() for found in _LONG_RUN.finditer(string)), len(string)]
        pieces: list[Doc] = [super(_BoundTokenizer, self).__call__(string[left:right]) for left, right in pairwise(cuts)]
        return pieces[0] if len(pieces) == 1 else Doc.from_docs(pieces, ensure_whitespace=False) or pieces[0]


def bound_tokenizer(nlp: Language) -> Callable[[str], Doc]:
    """Return a tokenizer with the pipeline's rules that reads a text of 20,000 marks in a second instead of a minute."""
    given = cast(Any, nlp.tokenizer)
    bound: Callable[[str], Doc] = _BoundTokenizer(
        nlp.vocab,
        rules=given.rules,
        prefix_search=given.prefix_search,
        suffix_search=given.suffix_search,
        infix_finditer=given.infix_finditer,
        token_match=given.token_match,
        url_match=given.url_match,
        faster_heuristics=given.faster_heuristics,
    )
    return bound


def _load_model(name: str) -> Language:
    try:
        package = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ModelNotInstalledError(
            f"the spaCy model {name} is not installed; install it with `python -m spacy download {name}` "
            "(its licence is GPL-3.0), or take simplemma"
        ) from error
    model: Language = package.load(exclude=list(_UNUSED))
    return model


@Language.component("simplemma_lemmas", assigns=["token.lemma"])
def _set_lemmas(doc: Doc) -> Doc:
    words = tuple(token.lower_ for token in doc)
    for token, lemma in zip(doc, SIMPLEMMA.lemmatise(words), strict=True):
        token.lemma_ = lemma
    return doc
