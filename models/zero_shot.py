"""Categories, sentiment or intent without training: a natural language inference model is asked about every label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.annotator import Prediction
from models.configuration import load_configuration
from models.hub import ModelUnusableError, find_model, import_extra
from models.preprocessing import normalise
from models.settings import ZeroShotOptions, task_labels
from models.taxonomy import Taxonomy
from models.transformers import Array, SequenceClassifier, average, describe_revision, make_reading, softmax

QUESTIONS_FILE = Path(__file__).with_name("zero_shot.yml")
"""The hypotheses and wordings that ship with the package."""

_NEGATIONS = ("not", "non", "no_", "no ", "no-")

_EXAMPLE = """\
annotators:
  my_name:
    backend: zero_shot
    task: category
    model: organisation/model  # or a folder
    revision: 40 hexadecimal digits, the commit on the hub; none for a folder"""


class Questions(BaseModel):
    """The whole of `zero_shot.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hypotheses: dict[str, str] = Field(min_length=1)
    """Task -> a sentence with `{}` in the place of a label's wording."""

    sentiment: dict[str, str]
    intent: dict[str, str]
    """Label -> its wording."""


class ZeroShotAnnotator:
    """Reads one task by how much a message entails, rather than contradicts, a sentence about each label."""

    def __init__(self, taxonomy: Taxonomy, *, name: str = "zero_shot", options: ZeroShotOptions | None = None) -> None:
        """Find and load the model, and word the hypotheses.

        Args:
            taxonomy: its categories and their definitions are what is asked about.
            name: how `models.yml` calls it.
            options: the model, the task and the hypothesis.

        Raises:
            ExtraNotInstalledError: if the extra `[transformers]` is not installed.
            ModelNotFoundError: if the model is not on this machine.
            ModelUnusableError: if it can't be used, or none of its labels is an entailment; without options.
        """
        if options is None:
            raise ModelUnusableError(f"zero_shot needs to know which model; write in models.yml:\n{_EXAMPLE}")
        import_extra("torch")
        found = find_model(options.model, options.revision, pinned=True)
        labels = task_labels(options.task, taxonomy)
        self._classifier = SequenceClassifier(found)
        self._entailed, self._denied = find_entailment(self._classifier.labels, found.name)
        self._hypotheses = word_hypotheses(options, taxonomy)
        for hypothesis in self._hypotheses:
            self._classifier.cut("", hypothesis)
        self._task = options.task
        self.name = name
        self.tasks: Mapping[str, tuple[str, ...]] = {options.task: labels}
        self.revision = describe_revision(found, task=options.task, labels=labels, hypotheses=self._hypotheses)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        clean = [normalise(text) for text in texts]
        rows = {text: self._read(text) for text in dict.fromkeys(clean)}
        return [{self._task: make_reading(rows[text], self.tasks[self._task])} for text in clean]

    def _read(self, text: str) -> Array:
        """Return the probabilities (labels,) of one text; only its own questions share a batch."""
        cuts = [self._classifier.cut(text, hypothesis) for hypothesis in self._hypotheses]
        logits = self._classifier.run([window for windows in cuts for window in windows])
        odds, start = [], 0
        for windows in cuts:
            answer = average(logits[start : start + len(windows)], windows)
            odds.append(answer[self._entailed] - np.logaddexp.reduce(answer[self._denied]))
            start += len(windows)
        return softmax(np.array(odds))


def find_entailment(labels: Sequence[str], name: str) -> tuple[int, list[int]]:
    """Return the place of the entailment, and the places of what it is weighed against: contradiction, or else all others.

    Raises:
        ModelUnusableError: if not exactly one label is an entailment; the message lists those that the model has.
    """
    plain = [label.casefold() for label in labels]
    entailed = [place for place, label in enumerate(plain) if "entail" in label and not label.startswith(_NEGATIONS)]
    if len(entailed) != 1 or len(labels) < 2:
        raise ModelUnusableError(
            f"{name} has the labels {', '.join(labels)}; needed: two or more, of which exactly one is called entailment, "
            "as models of natural language inference have"
        )
    denied = [place for place, label in enumerate(plain) if "contra" in label]
    return entailed[0], denied or [place for place in range(len(labels)) if place != entailed[0]]


def word_hypotheses(options: ZeroShotOptions, taxonomy: Taxonomy) -> list[str]:
    """Return one sentence for each label of the task, in their order."""
    questions = load_configuration(QUESTIONS_FILE, Questions)
    wordings = {"sentiment": questions.sentiment, "intent": questions.intent}.get(options.task)
    if wordings is None:
        wordings = {
            category.id: _weave(category.definition_es if options.wording == "definition" else category.label_es)
            for category in taxonomy.categories
        }
    hypothesis = options.hypothesis or questions.hypotheses[options.task]
    return [hypothesis.replace("{}", wordings[label]) for label in task_labels(options.task, taxonomy)]


def _weave(wording: str) -> str:
    """Return a wording as it stands within a sentence: no full stop, and no capital unless its first word is an acronym."""
    plain = wording.strip().rstrip(".")
    return plain if plain[1:2].isupper() else plain[:1].lower() + plain[1:]
