"""Any sequence classification model of the transformers library; and the reading of texts that the other two share with it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.annotator import Prediction, Reading
from models.hub import FoundModel, ModelUnusableError, find_model, import_extra
from models.preprocessing import normalise
from models.settings import TransformersOptions, task_labels
from models.taxonomy import Taxonomy

_RULES = "1"
"""Goes up when the code below reads the same text with the same model in another way."""

_BATCH = 16
_BATCH_TOKENS = 1024
"""Windows, and tokens with their padding, that go through the network together at most."""

_LONGEST = 512
"""Tokens of a window at most. Some networks take many more, in memory that grows with their square."""

_SHORTEST_ROOM = 16
"""Tokens that a window must have for the text itself, or the windows of a long text say nothing."""

_ROUNDING = 1e-5
"""Probabilities from a batch were up to 1.6e-6 off those of a text alone (12 layers); this is six times that."""

_EXAMPLE = """\
annotators:
  my_name:
    backend: transformers
    task: sentiment
    model: organisation/model  # or a folder
    revision: 40 hexadecimal digits, the commit on the hub; none for a folder
    labels: {NEG: neg, NEU: neu, POS: pos}  # the model's label: the task's label"""

Array = NDArray[np.float64]


class Window(NamedTuple):
    """Tokens that the network reads at once."""

    inputs: Mapping[str, list[int]]
    """What the tokenizer gives: `input_ids`, and lists of the same length beside them."""

    weight: int
    """How many of the tokens belong to the text, at least 1."""

    @property
    def length(self) -> int:
        """All tokens, the special ones included."""
        return len(self.inputs["input_ids"])


class SequenceClassifier:
    """A tokenizer and a network from one folder. Results never depend on the other texts of a call."""

    def __init__(self, found: FoundModel, *, longest: int = _LONGEST) -> None:
        """Load both, from safetensors, without running code of the model's authors.

        Args:
            found: where they are.
            longest: tokens of a window at most, if the network can take as many.

        Raises:
            ExtraNotInstalledError: if torch or transformers is not installed.
            ModelUnusableError: if they can't be loaded, or weights are missing, or tokenizer and network don't fit.
        """
        self._torch = import_extra("torch")
        self._tokenizer, self._network = _load(found)
        config = self._network.config
        self.labels: tuple[str, ...] = tuple(str(config.id2label[place]) for place in range(config.num_labels))
        self.multilabel = config.problem_type == "multi_label_classification"
        self._longest = min(self._tokenizer.model_max_length, _count_positions(self._network), longest)
        self._padded = self._tokenizer.pad_token_id is not None and config.pad_token_id is not None

    def cut(self, text: str, second: str | None = None) -> list[Window]:
        """Cut a text into windows of about the same length, as few as hold it whole; "" has one.

        Args:
            text: what is read.
            second: a sentence that follows the text in every window, as in natural language inference.

        Raises:
            ModelUnusableError: if a window would have no room for the text.
        """
        fixed = self._tokenizer.num_special_tokens_to_add(pair=second is not None)
        fixed += len(self._tokenizer(second, add_special_tokens=False)["input_ids"]) if second else 0
        room = self._longest - fixed
        if room < _SHORTEST_ROOM:
            raise ModelUnusableError(
                f"the network reads {self._longest} tokens at once, of which {room} are left for the text; "
                f"at least {_SHORTEST_ROOM} are needed: shorten {second!r}"
            )
        windows = self._split(text, second, room, fixed)
        if len(windows) > 1:
            even = math.ceil(sum(window.weight for window in windows) / len(windows))
            windows = self._split(text, second, even, fixed)
        return windows

    def _split(self, text: str, second: str | None, room: int, fixed: int) -> list[Window]:
        encoded = self._tokenizer(
            text,
            second,
            truncation="only_first",
            max_length=room + fixed,
            return_overflowing_tokens=True,
            return_attention_mask=True,
        )
        names = [name for name in encoded if name in {"input_ids", "attention_mask", "token_type_ids"}]
        parts = [{name: encoded[name][place] for name in names} for place in range(len(encoded["input_ids"]))]
        return [Window(part, max(1, len(part["input_ids"]) - fixed)) for part in parts]

    def run(self, windows: Sequence[Window]) -> Array:
        """Return the logits (windows, labels); short windows go through the network together."""
        logits = np.zeros((len(windows), len(self.labels)))
        for places in self._batch(windows):
            logits[places] = self._run_together([windows[place] for place in places])
        return logits

    def _batch(self, windows: Sequence[Window]) -> Iterator[list[int]]:
        batch: list[int] = []
        for place in sorted(range(len(windows)), key=lambda place: windows[place].length):
            size = len(batch) + 1
            if batch and (not self._padded or size > _BATCH or size * windows[place].length > _BATCH_TOKENS):
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _run_together(self, windows: Sequence[Window]) -> Any:
        length = max(window.length for window in windows)
        tensors = {
            name: self._torch.tensor([self._pad(window.inputs[name], name, length) for window in windows])
            for name in windows[0].inputs
        }
        with self._torch.inference_mode():
            return self._network(**tensors).logits.double().numpy()

    def _pad(self, values: list[int], name: str, length: int) -> list[int]:
        filler = self._tokenizer.pad_token_id if name == "input_ids" else 0
        padding = [filler] * (length - len(values))
        return [*padding, *values] if self._tokenizer.padding_side == "left" else [*values, *padding]

    def read(self, texts: Sequence[str], finish: Callable[[Array], Array]) -> list[Array]:
        """Read n texts and return what `finish` makes of the logits of each.

        Args:
            texts: each is read whole; the logits of its windows are averaged, each weighted by its tokens.
            finish: logits (labels,) to probabilities.
        """
        cuts = {text: self.cut(text) for text in texts}
        flat = [window for windows in cuts.values() for window in windows]
        logits = self.run(flat)
        results: dict[str, Array] = {}
        start = 0
        for text, windows in cuts.items():
            results[text] = finish(average(logits[start : start + len(windows)], windows))
            start += len(windows)
            if len(flat) > 1 and is_close_call(results[text]):
                results[text] = finish(average(np.concatenate([self.run([window]) for window in windows]), windows))
        return [results[text] for text in texts]


def average(logits: Array, windows: Sequence[Window]) -> Array:
    """Return the mean (labels,) of the logits (windows, labels) of one text, weighted by tokens."""
    return np.asarray(np.average(logits, axis=0, weights=[window.weight for window in windows]))


def is_close_call(probabilities: Array) -> bool:
    """Tell whether rounding in a batch could change the label, or the third decimal of a probability."""
    from_edge = np.abs((probabilities * 1000 - 0.5) - np.round(probabilities * 1000 - 0.5))
    leading = np.sort(probabilities)[-2:]
    return bool((from_edge < 1000 * _ROUNDING).any() or leading[-1] - leading[0] < 2 * _ROUNDING)


def softmax(logits: Array) -> Array:
    """Return probabilities (labels,) that add up to 1."""
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())


def make_reading(probabilities: Array, labels: Sequence[str]) -> Reading:
    """Return the reading of probabilities (labels,); ties go to the first label."""
    return Reading(labels[int(probabilities.argmax())], dict(zip(labels, probabilities.tolist(), strict=True)))


def describe_revision(found: FoundModel, **facts: Any) -> str:
    """Return the revision of an annotator: that of its model, the version of these rules, and a digest.

    Args:
        found: the model.
        facts: all else that a reading depends on; anything that JSON can hold.
    """
    facts |= {library: version(library) for library in ("transformers", "tokenizers")}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return f"{found.revision}+{_RULES}-{digest[:8]}"


class TransformersAnnotator:
    """Reads one task with a model that was trained to classify texts."""

    def __init__(self, taxonomy: Taxonomy, *, name: str = "transformers", options: TransformersOptions | None = None) -> None:
        """Find and load the model.

        Args:
            taxonomy: gives the labels of category, issue and sentiment.
            name: how `models.yml` calls it.
            options: the model, the task, and which label of the one is which of the other.

        Raises:
            ExtraNotInstalledError: if the extra `[transformers]` is not installed.
            ModelNotFoundError: if the model is not on this machine.
            ModelUnusableError: if it can't be used; without options; if `labels` names one that the model or the task doesn't
                have, or leaves one of the model's out.
        """
        if options is None:
            raise ModelUnusableError(f"transformers needs to know which model; write in models.yml:\n{_EXAMPLE}")
        labels = task_labels(options.task, taxonomy)
        _check_known(options.labels.values(), labels, f"annotators.{name}.labels", f"label of the task {options.task}")
        import_extra("torch")
        found = find_model(options.model, options.revision, pinned=True)
        classifier = SequenceClassifier(found)
        if classifier.multilabel or len(classifier.labels) < 2:
            kind = "gives several labels to one text" if classifier.multilabel else "gives one number and no labels"
            raise ModelUnusableError(f"{options.model} {kind}; needed: a model that chooses one of two labels or more")
        _check_known(options.labels, classifier.labels, f"annotators.{name}.labels", f"label of {options.model}")
        left_out = [label for label in classifier.labels if label not in options.labels]
        if left_out:
            raise ModelUnusableError(
                f"annotators.{name}.labels leaves out {', '.join(left_out)}; allowed there: {', '.join(labels)}"
            )
        self.name = name
        self.revision = describe_revision(found, task=options.task, labels=options.labels, of_task=labels)
        self.tasks: Mapping[str, tuple[str, ...]] = {options.task: labels}
        self._classifier = classifier
        self._task = options.task
        self._places = [labels.index(options.labels[label]) for label in classifier.labels]

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        rows = self._classifier.read([normalise(text) for text in texts], self._finish)
        return [{self._task: make_reading(row, self.tasks[self._task])} for row in rows]

    def _finish(self, logits: Array) -> Array:
        probabilities = np.zeros(len(self.tasks[self._task]))
        np.add.at(probabilities, self._places, softmax(logits))
        return probabilities


def _check_known(given: Any, known: Sequence[str], where: str, what: str) -> None:
    unknown = [label for label in given if label not in known]
    if unknown:
        raise ModelUnusableError(f"{where}: {', '.join(map(repr, unknown))} is no {what}; allowed: {', '.join(known)}")


def _load(found: FoundModel) -> tuple[Any, Any]:
    torch, transformers = import_extra("torch"), import_extra("transformers")
    local = {"local_files_only": True, "trust_remote_code": False}
    broken = import_extra("safetensors").SafetensorError
    try:
        with quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(found.folder), **local)
            # Every architecture has eager attention; left open, config.json could ask for code from the hub.
            network, report = transformers.AutoModelForSequenceClassification.from_pretrained(
                str(found.folder),
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                **local,
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError, broken) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelUnusableError(f"the model in {found.folder} can't be loaded: {reason}") from error
    keys = [*report["missing_keys"], *report["mismatched_keys"]]
    absent = sorted(key if isinstance(key, str) else str(key[0]) for key in keys)
    if absent:
        raise ModelUnusableError(
            f"the model in {found.folder} has no fitting weights for {', '.join(absent[:4])}{' ...' if len(absent) > 4 else ''}: "
            "it was not trained to classify texts, or its config.json names other labels; it would answer at random"
        )
    # Where the tokenizer's files are missing transformers makes an empty one, which knows its special tokens only.
    known = set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens)
    if not tokenizer.is_fast or not known or len(tokenizer) > network.get_input_embeddings().num_embeddings:
        raise ModelUnusableError(f"the model in {found.folder} lacks the tokenizer.json that belongs to its weights")
    return tokenizer, network.eval()


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from printing notices and progress bars meanwhile; what the caller had set comes back."""
    logging = transformers.utils.logging
    hub = import_extra("huggingface_hub.utils")
    verbosity, bars, hub_bars = logging.get_verbosity(), logging.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        (hub.enable_progress_bars if hub_bars else hub.disable_progress_bars)()


def _count_positions(network: Any) -> int:
    """Return how many tokens the network can take at once; RoBERTa loses those up to the padding's own position."""
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(module.num_embeddings - module.padding_idx - 1)
    return int(getattr(network.config, "max_position_embeddings", None) or _LONGEST)
