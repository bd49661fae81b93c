"""A spaCy pipeline with a text categoriser as an annotator: a package or a folder, read without running code of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.util import load_config, load_meta

from models.annotator import Prediction, Reading
from models.preprocessing import normalise
from models.settings import TextcatOptions, task_labels
from models.spacy_tools import ModelNotInstalledError, bound_tokenizer
from models.taxonomy import Taxonomy

_RULES = "1"
"""Goes up when the code below reads the same text with the same pipeline in another way."""

_READ_CHARACTERS = 10_000

CATEGORISERS = ("textcat", "textcat_multilabel")
"""Factories of the component that is asked for."""

FACTORIES = frozenset(
    {*CATEGORISERS, "tok2vec", "sentencizer", "senter", "tagger", "morphologizer", "parser", "ner", "lemmatizer"}
    | {"trainable_lemmatizer", "attribute_ruler", "entity_ruler", "span_ruler"}
)
"""Components that a pipeline may hold: all are spaCy's own, and none of them loads code or unpickles."""

_FUNCTION = re.compile(r"^(spacy|spacy-legacy)\.[A-Za-z0-9_]+\.v\d+$")
_PACKAGE = re.compile(r"^[A-Za-z0-9_-]+$")

_EXAMPLE = """\
the annotator 'spacy' reads with a pipeline of yours; name it in models.yml, for example:
annotators:
  my_textcat:
    backend: spacy
    task: sentiment
    model: es_my_textcat  # an installed package, or a folder that `spacy train` or nlp.to_disk wrote
    labels: {queja: neg, consulta: neu, elogio: pos}  # each label of the pipeline -> a label of the task
tasks:
  sentiment: {annotator: my_textcat}"""


class TextcatError(ValueError):
    """A pipeline cannot serve: it is no spaCy pipeline, holds code that we don't know, or its labels don't fit."""


class _Found(NamedTuple):
    folder: Path
    """Holds `config.cfg`."""
    revision: str
    """Name and version of a package; 8 hexadecimal digits over the files of a folder."""


class TextcatAnnotator:
    """Reads one task with a spaCy text categoriser."""

    def __init__(self, taxonomy: Taxonomy, *, name: str = "spacy", options: TextcatOptions | None = None) -> None:
        """Load the pipeline.

        Args:
            taxonomy: gives the labels of the tasks category, issue and sentiment.
            name: the one that `models.yml` gives to these options.
            options: which pipeline, for which task, and what its labels mean.

        Raises:
            ModelNotInstalledError: if there is neither a package nor a folder of that name.
            TextcatError: if the pipeline cannot serve, with all reasons; without options, and shows what to write.
        """
        if options is None:
            raise TextcatError(_EXAMPLE)
        found = _find_pipeline(options.model)
        self._nlp, pipe_labels = _load_pipeline(found.folder)
        labels = task_labels(options.task, taxonomy)
        _check_labels(options, pipe_labels, labels)
        meaning = json.dumps([options.task, *options.labels.items(), *labels], ensure_ascii=False)
        self.name = name
        self.revision = f"{_RULES}-{found.revision}-{hashlib.sha256(meaning.encode()).hexdigest()[:8]}"
        self.tasks: Mapping[str, tuple[str, ...]] = {options.task: labels}
        self._task = options.task
        self._meaning = {label: options.labels[label] for label in pipe_labels}

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order; the first 10,000 characters are read."""
        return [{self._task: self._read(text)} for text in texts]

    def _read(self, text: str) -> Reading:
        """Read one text alone: in a batch the sums of the network are rounded otherwise."""
        with self._nlp.memory_zone():
            scores = dict(self._nlp(normalise(text)[:_READ_CHARACTERS]).cats)
        labels = self.tasks[self._task]
        weights = dict.fromkeys(labels, 0.0)
        for label, meaning in self._meaning.items():
            weights[meaning] += float(scores[label])
        total = sum(weights.values())
        # A text without words has no score at all; nothing is known of it.
        even = 1 / len(labels)
        probabilities = {label: weight / total if total > 0 else even for label, weight in weights.items()}
        return Reading(max(labels, key=probabilities.__getitem__), probabilities)


def _check_labels(options: TextcatOptions, pipe_labels: Sequence[str], labels: Sequence[str]) -> None:
    """Demand a meaning for every label of the pipeline: leaving one out would make the others look surer than they are."""
    have = ", ".join(pipe_labels)
    mistakes = [
        f"labels: the pipeline has no label {label!r}; it has: {have}" for label in options.labels if label not in pipe_labels
    ]
    mistakes += [
        f"labels: {label!r} of the pipeline has no meaning; add it (several may mean the same)"
        for label in pipe_labels
        if label not in options.labels
    ]
    mistakes += [
        f"labels: {label}: the task {options.task!r} has no label {meaning!r}; allowed: {', '.join(labels)}"
        for label, meaning in options.labels.items()
        if meaning not in labels
    ]
    if mistakes:
        raise TextcatError("\n".join(f"{options.model}: {mistake}" for mistake in mistakes))


def _find_pipeline(model: str) -> _Found:
    folder = Path(model)
    if (folder / "config.cfg").is_file():
        return _Found(folder, _digest(folder))
    name = model.replace("-", "_")
    # The package is found but never imported: its code is not needed to read its files.
    spec = find_spec(name) if _PACKAGE.match(model) else None
    if spec is None or not spec.origin:
        raise ModelNotInstalledError(
            f"there is no spaCy pipeline {model!r}: no package of that name is installed, and {folder.absolute()} holds no "
            f"config.cfg; install the package's wheel with `python -m pip install FOLDER/{name}-VERSION-py3-none-any.whl`, or "
            "give the folder that `spacy train` or nlp.to_disk wrote"
        )
    package = Path(spec.origin).parent
    try:
        meta = load_meta(package / "meta.json")
        inner = package / f"{meta['lang']}_{meta['name']}-{meta['version']}"
    except (OSError, ValueError, KeyError) as error:
        raise TextcatError(f"{package}: the package {name} is no spaCy pipeline: {error}") from error
    return _Found(inner, f"{name}-{meta['version']}")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:8]


def _load_pipeline(folder: Path) -> tuple[Language, tuple[str, ...]]:
    """Load a pipeline whose configuration names nothing but spaCy's own parts; return it with its categoriser's labels."""
    path = folder / "config.cfg"
    try:
        config = load_config(path, interpolate=True)
        mistakes = list(_find_unknown(config))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TextcatError(f"{path}: not a readable spaCy configuration: {error}") from error
    if mistakes:
        raise TextcatError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    try:
        nlp = spacy.load(folder)
    except (OSError, ValueError, KeyError) as error:
        raise TextcatError(f"{folder}: the pipeline does not load: {error}") from error
    pipes = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in CATEGORISERS]
    if len(pipes) != 1:
        have = ", ".join(nlp.pipe_names) or "nothing"
        raise TextcatError(f"{path}: the pipeline holds {have}; it must hold one component of {' or '.join(CATEGORISERS)}")
    nlp.tokenizer = bound_tokenizer(nlp)
    return nlp, tuple(nlp.get_pipe(pipes[0]).labels)  # type: ignore[attr-defined]


def _find_unknown(config: Mapping[str, Any]) -> Iterator[str]:
    lang = config["nlp"]["lang"]
    if lang not in ("es", "xx"):
        yield f"[nlp] lang = {lang!r}; allowed: es, xx"
    for name, component in config["components"].items():
        factory = component.get("factory")
        if factory not in FACTORIES:
            yield f"[components.{name}] factory = {factory!r}; allowed: {', '.join(sorted(FACTORIES))}"
    for section in ("nlp", "components"):
        for where, function in _find_functions(config[section], section):
            if not _FUNCTION.match(str(function)) or ".@callbacks" in where:
                yield f"{where} = {function!r}; allowed: functions of spaCy (spacy.NAME.vN), and no callbacks"


def _find_functions(node: object, where: str) -> Iterator[tuple[str, object]]:
    """Yield (place, name) of each registered function that a part of the configuration calls."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if str(key).startswith("@"):
                yield f"{where}.{key}", value
            yield from _find_functions(value, f"{where}.{key}")
    elif isinstance(node, list | tuple):
        for position, value in enumerate(node):
            yield from _find_functions(value, f"{where}[{position}]")
