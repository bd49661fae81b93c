"""Labels that a city adds: read by the distance of a text to a few examples, without training.

Each label is a bell in the space of the vectors: all share one covariance, estimated once from the project's own phrases and kept
with the model, and differ in their mean (linear discriminant analysis). The mean of an added label comes from its
examples, drawn towards the overall mean where they are few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.heads import multiply_rows, softmax

Array = NDArray[np.float32]

PRIOR_EXAMPLES = 2.0
"""How many examples the overall mean weighs as: five examples move a label's mean 5/7 of the way."""


@dataclass(frozen=True)
class Space:
    """What is known of the vectors in general."""

    centre: Array
    """(384,) the mean over all phrases."""

    whitening: Array
    """(384, k) maps a centred vector to coordinates in which the spread within a label is 1 in every direction."""

    means: Mapping[str, Array]
    """Category -> (k,) mean of its phrases in those coordinates."""

    issues: Mapping[str, tuple[Array, int]]
    """`category.issue` -> (k,) sum of its phrases in those coordinates, and how many they are."""

    def place(self, vectors: Array) -> Array:
        """Return the coordinates (texts, k) of vectors (texts, 384)."""
        return multiply_rows(vectors - self.centre, self.whitening)

    def mean_of(self, vectors: Array, *, issues: Sequence[str] = ()) -> Array:
        """Return the mean (k,) of a label from the vectors (examples, 384) of its examples.

        The phrases that the space knows of the named `category.issue` are taken in.
        """
        placed = self.place(vectors)
        known = [self.issues[issue] for issue in issues if issue in self.issues]
        total = sum((group for group, _ in known), start=placed.sum(0))
        count = len(placed) + sum(size for _, size in known)
        return np.asarray(total / (count + PRIOR_EXAMPLES), np.float32)


def load_space(path: Path) -> Space:
    """Read `space.npz`, as `save_space` writes it."""
    with np.load(path, allow_pickle=False) as arrays:
        means = dict(zip(arrays["labels"].tolist(), arrays["means"].astype(np.float32), strict=True))
        sums = zip(arrays["issue_sums"].astype(np.float32), arrays["issue_counts"].tolist(), strict=True)
        return Space(
            arrays["centre"].astype(np.float32),
            arrays["whitening"].astype(np.float32),
            means,
            dict(zip(arrays["issues"].tolist(), sums, strict=True)),
        )


def save_space(space: Space, path: Path) -> None:
    """Write a space as plain arrays in half precision."""
    np.savez(
        path,
        centre=space.centre,
        whitening=space.whitening.astype(np.float16),
        labels=np.array(list(space.means)),
        means=np.stack(list(space.means.values())).astype(np.float16),
        issues=np.array(list(space.issues), dtype=np.str_),
        issue_sums=np.array([total for total, _ in space.issues.values()], np.float16).reshape(-1, space.whitening.shape[1]),
        issue_counts=np.array([count for _, count in space.issues.values()], np.int32),
    )


def estimate_space(
    vectors: Array, labels: Sequence[str], issues: Sequence[str] = (), *, rank: int = 96, shrinkage: float = 0.5
) -> Space:
    """Estimate the space from vectors (texts, 384), their categories and, if known, their `category.issue` ("" for none).

    The covariance within the labels is shrunk towards a multiple of the identity, and only its `rank` widest directions of the
    spread between and within labels are kept.
    """
    centre = vectors.mean(0)
    names = sorted(set(labels))
    of = np.array([names.index(label) for label in labels])
    raw = np.stack([vectors[of == place].mean(0) for place in range(len(names))])
    within = np.cov((vectors - raw[of]).T).astype(np.float64)
    within += shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    values, axes = np.linalg.eigh(within)
    whitening = axes / np.sqrt(values)
    spread = np.cov(((vectors - centre) @ whitening).T)
    _, turned = np.linalg.eigh(spread)
    whitening = whitening @ turned[:, ::-1][:, :rank]
    means = (raw - centre) @ whitening
    space = Space(
        centre.astype(np.float32), whitening.astype(np.float32), dict(zip(names, means.astype(np.float32), strict=True)), {}
    )
    placed = space.place(vectors)
    groups = {name: placed[[place for place, issue in enumerate(issues) if issue == name]] for name in sorted({*issues} - {""})}
    return replace(space, issues={name: (group.sum(0), len(group)) for name, group in groups.items()})


def read_labels(
    placed: Array, means: Sequence[Array], *, temperature: float = 1.0, handicap: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Return (texts, labels): how likely each label's bell made each text.

    All labels are alike beforehand; `handicap` takes something from the score of each.
    """
    centres = np.stack(means)
    scores = multiply_rows(placed, centres.T) - 0.5 * (centres**2).sum(1) - (0.0 if handicap is None else np.asarray(handicap))
    return np.asarray(softmax(np.asarray(scores / temperature, np.float32)), np.float64)
