"""The heads of the embedded model: from a text's vector to calibrated probabilities, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A linear layer and its temperature."""

    labels: tuple[str, ...]
    weights: Array
    """(384, labels)"""

    bias: Array
    """(labels,)"""

    temperature: float
    """Divides the logits, so that a score of 0.8 is right four times in five; fitted on texts that were not trained on."""

    def logits(self, vectors: Array) -> Array:
        """Return (texts, labels) for vectors (texts, 384)."""
        return np.asarray((multiply_rows(vectors, self.weights) + self.bias) / self.temperature, np.float32)


def multiply_rows(rows: Array, matrix: Array) -> Array:
    """Return the product (n, m) of rows (n, k) and a matrix (k, m), each row alone: together their sums round otherwise."""
    found = np.empty((len(rows), matrix.shape[1]), np.float32)
    for place, row in enumerate(rows):
        found[place] = row @ matrix
    return found


def load_heads(path: Path) -> Mapping[str, Head]:
    """Read `heads.npz`: for each task the arrays `TASK.weights`, `TASK.bias`, `TASK.temperature` and `TASK.labels`."""
    with np.load(path, allow_pickle=False) as arrays:
        tasks = sorted({name.split(".")[0] for name in arrays.files})
        return {
            task: Head(
                tuple(str(label) for label in arrays[f"{task}.labels"]),
                arrays[f"{task}.weights"].astype(np.float32),
                arrays[f"{task}.bias"].astype(np.float32),
                float(arrays[f"{task}.temperature"]),
            )
            for task in tasks
        }


def softmax(logits: Array) -> NDArray[np.float64]:
    """Return probabilities along the last axis, in double precision so that they add up to 1."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float64)
