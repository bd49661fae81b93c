"""The second opinion of the embedded model: a linear reading of words, pairs of words and pieces of words.

An encoder of this size reads meaning and misses names of things; a linear model over character pieces is the reverse. Their
mixture reads better than either. Every feature is a 32-bit hash of its text; `words.npz` holds the hashes that the model knows,
their inverse document frequencies and one int8 weight for each label.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.rewriting import rewrite

Array = NDArray[np.float32]

PIECES = range(2, 6)
"""Lengths of the pieces of a word, in characters, its two ends counted as one each."""

MOST_WORDS = 3_000
"""Words of one text that are read; the rest is left out."""

MOST_LETTERS = 40
"""Letters of one word that are read."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = np.uint32(0x8000_0000)
"""The highest bit of a hash says that the feature is a piece of a word."""


@lru_cache(maxsize=50_000)
def _hash_word(word: str) -> tuple[int, NDArray[np.uint32]]:
    """Return the hash of a word, and those of its pieces."""
    padded = f" {word} "
    pieces = [padded[start : start + length] for length in PIECES for start in range(len(padded) - length + 1)]
    hashes = np.array([zlib.crc32(piece.encode()) for piece in pieces], np.uint32)
    return zlib.crc32(word.encode()) >> 1, hashes | _PIECE


def hash_features(text: str) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the hashes of a text's features in rising order, and how often each occurs; none for ""."""
    plain = unicodedata.normalize("NFKD", rewrite(text).lower())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter) or letter == "\u0303")
    words = [_hash_word(word[:MOST_LETTERS]) for word in _TOKEN.findall(unicodedata.normalize("NFC", plain))[:MOST_WORDS]]
    single = np.array([number for number, _ in words], np.uint32)
    pairs = (single[:-1] * np.uint32(2_654_435_761) + single[1:] * np.uint32(40_503)) >> np.uint32(1)
    found = np.concatenate([single, pairs, *(pieces for _, pieces in words)])
    return np.unique(found, return_counts=True)


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

    def weigh(self, text: str) -> tuple[NDArray[np.intp], Array]:
        """Return the places of a text's known features and their values: tf-idf, words and pieces each of length 1."""
        hashes, counts = hash_features(text)
        places = np.searchsorted(self.hashes, hashes)
        known = places < len(self.hashes)
        known[known] = self.hashes[places[known]] == hashes[known]
        places = places[known]
        values = ((1 + np.log(counts[known])) * self.rarity[places]).astype(np.float32)
        piece = self.hashes[places] >= _PIECE
        for part in (piece, ~piece):
            length = float(np.sqrt((values[part] ** 2).sum()))
            values[part] /= length or 1.0
        return places, values

    def logits(self, texts: Sequence[str]) -> dict[str, Array]:
        """Return task -> (texts, labels); each text is computed alone, so nothing depends on the others."""
        rows = [self.weigh(text) for text in texts]
        return {
            task: np.stack([np.asarray(values @ weights[places], np.float32) + self.bias[task] for places, values in rows])
            if rows
            else np.zeros((0, weights.shape[1]), np.float32)
            for task, weights in self.weights.items()
        }

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
