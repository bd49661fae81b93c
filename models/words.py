"""The second opinion of the embedded model: a linear reading of words, pairs of words and pieces of words.

An encoder of this size reads meaning and misses names of things; a linear model over character pieces is the reverse. Their
mixture reads better than either. Every feature is a 32-bit hash of its text; `words.npz` holds the hashes that the model knows,
their inverse document frequencies and one int8 weight for each label.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

PIECES = range(2, 6)
"""Lengths of the pieces of a word, in characters, its two ends counted as one each."""

MOST_WORDS = 3_000
"""Words of one text that are read; the rest is left out."""

MOST_LETTERS = 40
"""Letters of one word that are read."""

MOST_MET = 50_000
"""Words whose places are kept in memory, about 500 bytes each."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = np.uint32(0x8000_0000)
"""The highest bit of a hash says that the feature is a piece of a word."""


def _hash_word(word: str) -> tuple[int, NDArray[np.uint32]]:
    """Return the hash of a word, and those of its pieces."""
    padded = f" {word} "
    pieces = [padded[start : start + length] for length in PIECES for start in range(len(padded) - length + 1)]
    hashes = np.array([zlib.crc32(piece.encode()) for piece in pieces], np.uint32)
    return zlib.crc32(word.encode()) >> 1, hashes | _PIECE


def _split(text: str) -> list[str]:
    """Return the words and marks of a text in small letters and without accents, but for the tilde of ñ."""
    plain = unicodedata.normalize("NFKD", text.lower()).translate(_UNMARKED)
    return [word[:MOST_LETTERS] for word in _TOKEN.findall(unicodedata.normalize("NFC", plain))[:MOST_WORDS]]


def _hash_pairs(single: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the hashes of neighbours from those of words: n - 1 of n."""
    return (single[:-1] * np.uint32(2_654_435_761) + single[1:] * np.uint32(40_503)) >> np.uint32(1)


def hash_features(text: str) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the hashes of a text's features in rising order, and how often each occurs; none for "".

    Here and below a text is one that `models.rewriting.rewrite` gave.
    """
    words = [_hash_word(word) for word in _split(text)]
    single = np.array([number for number, _ in words], np.uint32)
    found = np.concatenate([single, _hash_pairs(single), *(pieces for _, pieces in words)])
    return np.unique(found, return_counts=True)


class _Unmarked(dict[int, int | None]):
    """For `str.translate`: drops every combining mark but the tilde of ñ; filled as letters are met."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.combining(chr(code)) and chr(code) != "\u0303" else code
        self[code] = kept
        return kept


_UNMARKED = _Unmarked()


@dataclass(frozen=True)
class WordModel:
    """Weights of the features and how much the words count in the mixture."""

    hashes: NDArray[np.uint32]
    """(features,) in rising order."""

    rarity: Array
    """(features,) inverse document frequency."""

    weights: Mapping[str, Array]
    """Task -> (features, labels)."""

    bias: Mapping[str, Array]
    shares: Mapping[str, float]
    """Task -> share of the words in the mixture of log-probabilities, 0 to 1."""

    temperatures: Mapping[str, float]
    """Task -> what the mixture is divided by, so that its scores say how often it is right."""

    _met: dict[str, tuple[int, NDArray[np.intp]]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Word -> its hash, and the places of what is known of it: most words of a text are old acquaintances."""

    def weigh(self, text: str) -> tuple[NDArray[np.intp], Array]:
        """Return the places of a text's known features and their values: tf-idf, words and pieces each of length 1."""
        words = [self._meet(word) for word in _split(text)]
        pairs = self._find(_hash_pairs(np.array([number for number, _ in words], np.uint32)))
        places, counts = np.unique(np.concatenate([pairs, *(places for _, places in words)]), return_counts=True)
        values = ((1 + np.log(counts)) * self.rarity[places]).astype(np.float32)
        piece = self.hashes[places] >= _PIECE
        for part in (piece, ~piece):
            length = float(np.sqrt((values[part] ** 2).sum()))
            values[part] /= length or 1.0
        return places, values

    def logits(self, texts: Sequence[str]) -> dict[str, Array]:
        """Return task -> (texts, labels); each text is computed alone, so nothing depends on the others."""
        weights, bias, edges = self._beside
        found = np.zeros((len(texts), weights.shape[1]), np.float32)
        for row, (places, values) in enumerate(map(self.weigh, texts)):
            found[row] = values @ weights[places] + bias
        return {task: found[:, left:right] for task, (left, right) in edges.items()}

    def _find(self, hashes: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Return the places of those hashes that the model knows."""
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.asarray(places[self.hashes[places] == hashes], np.intp)

    def _meet(self, word: str) -> tuple[int, NDArray[np.intp]]:
        found = self._met.get(word)
        if found is None:
            number, pieces = _hash_word(word)
            found = number, self._find(np.append(pieces, np.uint32(number)))
            if len(self._met) >= MOST_MET:
                self._met.clear()
            self._met[word] = found
        return found

    @cached_property
    def _beside(self) -> tuple[Array, Array, dict[str, tuple[int, int]]]:
        """The weights of all tasks beside each other (features, labels of all), their bias, and the columns of each task."""
        ends = np.cumsum([len(bias) for bias in self.bias.values()]).tolist()
        edges = dict(zip(self.weights, itertools.pairwise([0, *ends]), strict=True))
        return np.hstack([self.weights[task] for task in edges]), np.hstack([self.bias[task] for task in edges]), edges

    def mix(self, task: str, encoder: Array, words: Array) -> Array:
        """Return logits (texts, labels) of a task: the mixture of what the encoder and the words say, as logarithms."""
        return mix(encoder, words, share=self.shares[task], temperature=self.temperatures[task])


def mix(encoder: Array, words: Array, *, share: float, temperature: float = 1.0) -> Array:
    """Return the geometric mean of two readings, given and returned as logits (texts, labels), divided by a temperature."""
    mixed = (1 - share) * _log_softmax(encoder) + share * _log_softmax(words)
    return np.asarray(mixed / temperature, np.float32)


def _log_softmax(logits: Array) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), np.float64)


def load_words(path: Path) -> WordModel:
    """Read `words.npz`, as `save_words` writes it."""
    with np.load(path, allow_pickle=False) as arrays:
        tasks = arrays["tasks"].tolist()
        return WordModel(
            arrays["hashes"],
            arrays["rarity"].astype(np.float32),
            {task: arrays[f"{task}.weights"] * arrays[f"{task}.scale"] for task in tasks},
            {task: arrays[f"{task}.bias"] for task in tasks},
            dict(zip(tasks, arrays["shares"].tolist(), strict=True)),
            dict(zip(tasks, arrays["temperatures"].tolist(), strict=True)),
        )


def save_words(words: WordModel, path: Path) -> None:
    """Write a model with int8 weights, one scale a label."""
    arrays: dict[str, NDArray[np.generic]] = {
        "hashes": words.hashes,
        "rarity": words.rarity.astype(np.float16),
        "tasks": np.array(list(words.weights)),
        "shares": np.array([words.shares[task] for task in words.weights], np.float64),
        "temperatures": np.array([words.temperatures[task] for task in words.weights], np.float64),
    }
    for task, weights in words.weights.items():
        scale = np.maximum(np.abs(weights).max(0), 1e-8).astype(np.float32) / np.float32(127)
        arrays[f"{task}.weights"] = np.round(weights / scale).astype(np.int8)
        arrays[f"{task}.scale"], arrays[f"{task}.bias"] = scale, words.bias[task]
    np.savez(path, **arrays)  # type: ignore[arg-type]
