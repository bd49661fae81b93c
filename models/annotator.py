"""What every annotator promises, and the register of those that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from models.taxonomy import Taxonomy, load_taxonomy


class Reading(NamedTuple):
    """What an annotator read in one text for one task."""

    label: str
    """The label with the highest probability; ties go to the label that the task lists first."""

    probabilities: Mapping[str, float]
    """Every label of the task with its probability in [0, 1]; they add up to 1."""

    @property
    def score(self) -> float:
        """The probability of `label`."""
        return self.probabilities[self.label]


Prediction = Mapping[str, Reading]
"""Task name -> reading, for one text."""


class Annotator(Protocol):
    """Reads texts. The result for a text never depends on the other texts of the call."""

    name: str
    """The key in `ANNOTATORS`."""

    revision: str
    """Changes whenever the same text could be read differently."""

    tasks: Mapping[str, tuple[str, ...]]
    """Task name -> all labels that it may give, in a fixed order."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        ...


ANNOTATORS: dict[str, str] = {
    "accurate": "models.embedded:AccurateAnnotator",
    "fast": "models.embedded:FastAnnotator",
    "keyword": "models.keyword:KeywordAnnotator",
    "language": "models.language:LanguageAnnotator",
    "screening": "models.screening:ScreeningAnnotator",
    "pysentimiento": "models.pysentimiento:PysentimientoAnnotator",
    "spacy": "models.textcat:TextcatAnnotator",
    "transformers": "models.transformers:TransformersAnnotator",
    "zero_shot": "models.zero_shot:ZeroShotAnnotator",
}
"""Name -> "module:Class"; the module is imported only when the annotator is asked for. The class is called with a `Taxonomy`,
and with its options if `models.yml` gives it any."""


def load_annotator(name: str, taxonomy: Taxonomy | None = None, options: BaseModel | None = None) -> Annotator:
    """Load the annotator registered as `name`.

    Args:
        name: a key of `ANNOTATORS`, or the name that `models.yml` gives to one of them with options of its own.
        taxonomy: the categories to read; by default those that ship with the package.
        options: what `models.yml` says under `annotators` about this name; their `backend` is the key of `ANNOTATORS`.

    Raises:
        ValueError: if no annotator has that name; the message lists those that exist.
    """
    backend = getattr(options, "backend", name)
    if backend not in ANNOTATORS:
        raise ValueError(f"no annotator is called {backend!r}; available: {', '.join(sorted(ANNOTATORS))}")
    module, _, class_name = ANNOTATORS[backend].partition(":")
    given = {"name": name, "options": options} if options else {}
    annotator: Annotator = getattr(import_module(module), class_name)(taxonomy or load_taxonomy(), **given)
    return annotator
