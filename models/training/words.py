"""Step 6: fit the linear reading of words that the encoder is mixed with.

    python -m models.training.words --out build/training --shared ../shared --profile accurate

Features that stand in fewer than three texts are dropped, and of the rest those with the largest weights are kept. How much the
words count in the mixture is chosen in `calibrate`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.rewriting import rewrite
from models.training.corpus import TASKS, Example, load_training
from models.training.train import class_weights
from models.words import WordModel, hash_features, save_words

FEWEST_TEXTS = 3
READ = ("category", "sentiment", "intent", "target")
STRENGTH = {"category": 4.0, "sentiment": 2.0, "intent": 2.0, "target": 2.0}
"""Inverse of the pull of the weights towards 0, as scikit-learn's `C` counts it."""

POWER = {"category": 0.7, "sentiment": 0.0, "intent": 0.7, "target": 0.35}
"""How strongly rare labels weigh more."""


def count_features(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes (features,) that enough texts hold, in rising order, and their inverse document frequencies."""
    held = Counter(number for text in texts for number in hash_features(text)[0].tolist())
    kept = sorted(number for number, count in held.items() if count >= FEWEST_TEXTS)
    rarity = [np.log((1 + len(texts)) / (1 + held[number])) + 1 for number in kept]
    return np.array(kept, np.uint32), np.array(rarity, np.float32)


def build_matrix(words: WordModel, texts: Sequence[str]) -> Tensor:
    """Return a sparse matrix (texts, features)."""
    rows = [words.weigh(text) for text in texts]
    edges = torch.tensor([0, *np.cumsum([len(places) for places, _ in rows])])
    places = torch.tensor(np.concatenate([places for places, _ in rows]))
    values = torch.tensor(np.concatenate([values for _, values in rows]))
    return torch.sparse_csr_tensor(edges, places, values, (len(rows), len(words.hashes)))


def fit(matrix: Tensor, truth: Tensor, given: Tensor, labels: int, strength: float, rounds: int = 60) -> tuple[Tensor, Tensor]:
    """Return weights (features, labels) and bias (labels,) of a multinomial logistic regression."""
    turned = matrix.to_sparse_coo().t().coalesce().to_sparse_csr()

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(_: object, weights: Tensor) -> Tensor:
            return matrix @ weights

        @staticmethod
        def backward(_: object, gradient: Tensor) -> Tensor:  # type: ignore[override]
            return turned @ gradient

    weights = torch.zeros(matrix.shape[1], labels, requires_grad=True)
    bias = torch.zeros(labels, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=rounds, history_size=8, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        losses = functional.cross_entropy(Product.apply(weights) + bias, truth, weight=given, reduction="none")
        loss = losses.sum() + 0.5 / strength * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach(), bias.detach()


def fit_words(examples: Sequence[Example], kept: int) -> WordModel:
    """Return a model of the `kept` heaviest features, with shares of 0."""
    hashes, rarity = count_features([rewrite(row.text) for row in examples])
    words = WordModel(hashes, rarity, {}, {}, dict.fromkeys(READ, 0.0), dict.fromkeys(READ, 1.0))
    words = _fit_tasks(words, examples)
    heaviest = np.sum([np.square(weights).sum(1) / np.square(weights).sum() for weights in words.weights.values()], axis=0)
    chosen = np.sort(np.argsort(-heaviest, kind="stable")[:kept])
    return _fit_tasks(replace(words, hashes=hashes[chosen], rarity=rarity[chosen]), examples)


def _fit_tasks(words: WordModel, examples: Sequence[Example]) -> WordModel:
    weights, bias = {}, {}
    for task in READ:
        rows = [row for row in examples if task in row.labels]
        truth = torch.tensor([TASKS[task].index(row.labels[task]) for row in rows])
        matrix = build_matrix(words, [rewrite(row.text) for row in rows])
        found = fit(matrix, truth, class_weights(rows, TASKS[task], task, POWER[task]), len(TASKS[task]), STRENGTH[task])
        weights[task], bias[task] = (part.numpy() for part in found)
        print(f"{task}: {len(rows)} texts, {len(words.hashes)} features", flush=True)
    return replace(words, weights=weights, bias=bias)


def main() -> None:
    """Write `words.npz` into a profile's folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--profile", required=True, help="folder inside OUT/artifacts")
    parser.add_argument("--variant", choices=("clean", "full"), default="clean")
    parser.add_argument("--kept", type=int, default=64_000, help="how many features to keep")
    options = parser.parse_args()
    torch.manual_seed(1)
    path = options.out / "artifacts" / options.profile / "words.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_words(fit_words(load_training(options.shared, variant=options.variant), options.kept), path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
