"""The embedded model: a small Spanish transformer that runs offline on a laptop, read through onnxruntime."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.annotator import Prediction, Reading
from models.few_shot import load_space
from models.heads import load_heads, softmax
from models.own_labels import CategoryReader, IssueReader
from models.rewriting import REWRITING_REVISION, rewrite
from models.taxonomy import Taxonomy
from models.words import load_words

ARTIFACTS = Path(__file__).with_name("artifacts")
"""One folder a profile: encoder, heads, words, space and examples; `tokenizer.json` and `manifest.json` stand beside them."""

RULES = "2"
"""Goes up when the same files would read in another way: windows, words beside meaning, categories and issues of a city."""

WINDOW = 128
"""Tokens that are read together, the two at the ends included; a longer text is read in several windows."""

WINDOWS = 24
"""Windows of one text at most: some 2,000 words. The rest of a longer text is left out."""

SLOW_OPTIMISERS = ["SkipLayerNormFusion"]
"""Steps of onnxruntime that make the encoder slower: its kernel of this fusion reads row by row without vector instructions."""

Vectors = NDArray[np.float32]


class ArtifactError(RuntimeError):
    """The files of an embedded model are missing or are not those that the manifest names."""


class Encoder:
    """Texts to vectors. A text is always run alone, so that its vector is the same to the last bit in every batch."""

    def __init__(self, folder: Path) -> None:
        """Open the encoder in a profile's folder.

        Raises:
            ArtifactError: if a file is missing.
        """
        paths = folder / "encoder.onnx", folder.parent / "tokenizer.json"
        for path in paths:
            if not path.is_file():
                raise ArtifactError(f"{path} is missing; install the package whole, or make the model with `make train`")
        self._session = onnxruntime.InferenceSession(
            paths[0], _session_options(), providers=["CPUExecutionProvider"], disabled_optimizers=SLOW_OPTIMISERS
        )
        self._tokenizer = Tokenizer.from_file(str(paths[1]))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, (n, 384): the mean over its tokens, over all its windows."""
        return self.embed_rewritten([rewrite(text) for text in texts])

    def embed_rewritten(self, texts: Sequence[str]) -> Vectors:
        """Return what `embed` does, of texts as `rewrite` gives them; "" has one window with nothing between its ends."""
        if not texts:
            return np.zeros((0, 384), np.float32)
        windows = [cut_windows(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]
        with ThreadPoolExecutor(max_workers=_count_threads()) as pool:
            return np.stack(list(pool.map(self._embed_one, windows)))

    def _embed_one(self, windows: Sequence[tuple[int, ...]]) -> NDArray[np.float32]:
        parts = [self._run(window) for window in windows]
        weights = np.array([len(window) for window in windows], np.float32)
        return np.asarray((np.stack(parts) * weights[:, None]).sum(0) / weights.sum(), np.float32)

    def _run(self, ids: Sequence[int]) -> Any:
        return self._session.run(None, {"ids": np.array([ids], np.int64)})[0][0]


def cut_windows(ids: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Cut `<s> ... </s>` into windows of `WINDOW` ids at most, each with its own ends and all about as long."""
    start, *body, end = ids
    room = WINDOW - 2
    body = body[: room * WINDOWS]
    count = max(1, -(-len(body) // room))
    edges = [len(body) * part // count for part in range(count + 1)]
    return tuple((start, *body[left:right], end) for left, right in itertools.pairwise(edges))


def _count_threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _session_options() -> onnxruntime.SessionOptions:
    """Let every run use one thread: texts run beside each other instead, which is faster and changes no result."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


class EmbeddedAnnotator:
    """Reads category, issue, sentiment, intent and target in one pass of the encoder."""

    profile: str
    """Name of the folder in `ARTIFACTS`, and of the annotator."""

    def __init__(self, taxonomy: Taxonomy, *, artifacts: Path = ARTIFACTS) -> None:
        """Open the encoder, the heads and the space, after comparing each file with the manifest.

        Raises:
            ArtifactError: if a file is missing or is not the one that the manifest names.
        """
        folder = artifacts / self.profile
        digest = check_manifest(artifacts, self.profile)
        self.name = self.profile
        rules = f"{RULES}.{REWRITING_REVISION}.{version('emoji')}"  # emoji are read by the names that this package gives
        self.revision = f"{digest[:8]}-{rules}-{taxonomy.digest[:8]}"
        self.encoder = Encoder(folder)
        self._heads = load_heads(folder / "heads.npz")
        self._words = load_words(folder / "words.npz")
        self.space = load_space(folder / "space.npz")
        self._examples = _load_examples(folder / "examples.npz")
        self._categories = CategoryReader.build(taxonomy, self._heads["category"].labels, self.space, self.embed_examples)
        self._issues = IssueReader.build(taxonomy, self.space, self.embed_examples)
        self.tasks: Mapping[str, tuple[str, ...]] = {
            "category": taxonomy.category_ids,
            "issue": self._issues.labels,
            **{task: self._heads[task].labels for task in ("sentiment", "intent", "target")},
        }

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order."""
        if not texts:
            return []
        found, vectors = self.observe(texts)
        placed = self.space.place(vectors)
        found["category"] = self._categories.read(found["category"], placed)
        categories = [self.tasks["category"][place] for place in found["category"].argmax(1)]
        found["issue"] = self._issues.read(categories, placed)
        return [{task: _reading(labels, found[task][row]) for task, labels in self.tasks.items()} for row in range(len(vectors))]

    def observe(self, texts: Sequence[str]) -> tuple[dict[str, NDArray[np.float64]], Vectors]:
        """Return task -> probabilities (n, labels) over the heads' own labels, and the vectors (n, 384) of the encoder."""
        rewritten = [rewrite(text) for text in texts]
        with ThreadPoolExecutor(max_workers=1) as beside:
            words = beside.submit(self._words.logits, rewritten)
            vectors = self.encoder.embed_rewritten(rewritten)
        said = words.result()
        return {
            task: softmax(self._words.mix(task, head.logits(vectors), said[task])) for task, head in self._heads.items()
        }, vectors

    def head_labels(self, task: str) -> tuple[str, ...]:
        """Return the labels that the task's head was trained on, in the order of `observe`."""
        return self._heads[task].labels

    def embed_examples(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (n, 384) of a taxonomy's examples; those of the shipped one are kept with the model."""
        unknown = [text for text in texts if _key(text) not in self._examples]
        if unknown:
            self._examples |= dict(zip(map(_key, unknown), self.encoder.embed(unknown), strict=True))
        return np.stack([self._examples[_key(text)] for text in texts])


class AccurateAnnotator(EmbeddedAnnotator):
    """The embedded model with all its layers."""

    profile = "accurate"


class FastAnnotator(EmbeddedAnnotator):
    """A few layers that were taught to read as `accurate` does."""

    profile = "fast"


def check_manifest(artifacts: Path, profile: str) -> str:
    """Compare a profile's files with `manifest.json` and return one digest over them all (64 hex characters).

    Raises:
        ArtifactError: if the manifest or a file is missing, or a file's SHA-256 is another one.
    """
    path = artifacts / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        wanted: dict[str, str] = manifest["profiles"][profile]["sha256"]
        found = {name: hashlib.sha256((artifacts / name).read_bytes()).hexdigest() for name in wanted}
    except (FileNotFoundError, KeyError) as error:
        raise ArtifactError(f"the embedded model {profile!r} is not whole: {error}; install the package again") from error
    wrong = [name for name in wanted if wanted[name] != found[name]]
    if wrong:
        raise ArtifactError(
            f"{', '.join(wrong)} in {artifacts} is not the file that manifest.json names; install the package again"
        )
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _load_examples(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(zip(arrays["keys"].tolist(), arrays["vectors"].astype(np.float32), strict=True))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _reading(labels: tuple[str, ...], row: NDArray[np.float64]) -> Reading:
    probabilities = dict(zip(labels, (row / row.sum()).tolist(), strict=True))
    return Reading(max(labels, key=probabilities.__getitem__), probabilities)
