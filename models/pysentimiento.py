"""The Spanish models of the pysentimiento toolkit: sentiment, emotion, irony and hate speech."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from models.annotator import Prediction
from models.hub import ModelUnusableError, find_model, import_extra
from models.preprocessing import normalise
from models.settings import PysentimientoOptions, task_labels
from models.taxonomy import Taxonomy
from models.transformers import Array, SequenceClassifier, describe_revision, make_reading, quiet, softmax

_LONGEST = 128
"""Tokens that the toolkit's models were trained to read at once."""

_INVISIBLE = re.compile("[\\s\ufe0f\u200d\u20e3]*")

_OWN_LABELS: Mapping[str, Mapping[str, str]] = {
    "sentiment": {"NEG": "neg", "NEU": "neu", "POS": "pos"},
    "emotion": {label: label for label in ("joy", "sadness", "anger", "surprise", "disgust", "fear", "others")},
    "irony": {"ironic": "ironic", "not ironic": "not_ironic"},
    "hate_speech": {"hateful": "hateful"},
}
"""Task -> the toolkit's label -> ours. Its hate speech models answer yes or no to `hateful`, `targeted` and `aggressive`."""


class PysentimientoAnnotator:
    """Reads one task as the toolkit does, without its cut at 128 tokens."""

    def __init__(self, taxonomy: Taxonomy, *, name: str = "pysentimiento", options: PysentimientoOptions | None = None) -> None:
        """Find and load the model.

        Args:
            taxonomy: gives the labels of sentiment.
            name: how `models.yml` calls it.
            options: task and model; by default the toolkit's own for sentiment in Spanish.

        Raises:
            ExtraNotInstalledError: if the extra `[transformers]` is not installed.
            ModelNotFoundError: if the model is not on this machine.
            ModelUnusableError: if it can't be used, or has other labels than the toolkit's.
        """
        options = options or PysentimientoOptions(backend="pysentimiento")
        toolkit = _import_toolkit()
        own = toolkit.analyzer.models["es"][options.task]
        found = find_model(options.model or own["model_name"], options.revision)
        self._classifier = SequenceClassifier(found, longest=_LONGEST)
        self._task = options.task
        self._places = _place_labels(self._classifier, options.task, task_labels(options.task, taxonomy), found.name)
        self._preprocess = _preprocessing(toolkit, own.get("preprocessing_args", {}))
        self.name = name
        self.tasks: Mapping[str, tuple[str, ...]] = {options.task: task_labels(options.task, taxonomy)}
        self.revision = describe_revision(
            found, task=options.task, pysentimiento=version("pysentimiento"), emoji=version("emoji"), preprocessing=1
        )

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        rows = self._classifier.read([self._preprocess(text) for text in texts], self._finish)
        return [{self._task: make_reading(row, self.tasks[self._task])} for row in rows]

    def _finish(self, logits: Array) -> Array:
        if self._task == "hate_speech":
            return softmax(np.array([logits[self._places[0]], 0.0]))
        return softmax(logits[self._places])


def _place_labels(classifier: SequenceClassifier, task: str, labels: Sequence[str], name: str) -> list[int]:
    """Return where in the model's output each of the task's labels is; of hate speech only `hateful`."""
    own = _OWN_LABELS[task]
    several = task == "hate_speech"
    fits = set(own) <= set(classifier.labels) if several else set(own) == set(classifier.labels)
    if not fits or classifier.multilabel != several:
        raise ModelUnusableError(
            f"{name} has the labels {', '.join(classifier.labels)} ({'several' if classifier.multilabel else 'one'} to a text); "
            f"the task {task} needs {', '.join(own)} ({'several' if several else 'one'} to a text). "
            "Another model can be named with `backend: transformers`, which maps labels"
        )
    return [classifier.labels.index(theirs) for label in labels for theirs, ours in own.items() if ours == label]


def _preprocessing(toolkit: Any, arguments: Mapping[str, Any]) -> Callable[[str], str]:
    """Return the toolkit's own preprocessing, mended where it loses a text or adds to it."""

    def preprocess(text: str) -> str:
        # The toolkit takes "| words |" for an emoji by that name.
        clean = normalise(text).replace("|", "/")
        read = str(toolkit.preprocessing.preprocess_tweet(clean, lang="es", **arguments))
        if clean and _INVISIBLE.fullmatch(read):
            # It drops some marks, hearts and faces altogether: where nothing else is left, they are named.
            read = str(toolkit.preprocessing.preprocess_tweet(clean, lang="es", **{**arguments, "char_replace": False}))
        return read

    return preprocess


def _import_toolkit() -> Any:
    """Import the toolkit, which silences transformers and filters warnings for the whole program, and undo that."""
    import_extra("torch")
    with warnings.catch_warnings(), quiet(import_extra("transformers")):
        warnings.simplefilter("ignore")
        return import_extra("pysentimiento")
