"""Step 7: everything about a profile that is fitted on the vectors of the exported encoder.

    python -m models.training.calibrate --out build/training --shared ../shared --profile accurate

Temperatures, and how much the words of `words.npz` count beside the encoder, are fitted on texts that were not trained on (`tune`
of the silver labels): a score then says how often it is right.
The space in which own categories and issues are read comes from our own phrases. The vectors of the shipped taxonomy's
examples are kept, so that loading need not compute them. Prints for each category the lowest score at which it is right as
often as asked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.embedded import Encoder
from models.few_shot import estimate_space, save_space
from models.heads import Head, load_heads, softmax
from models.own_labels import describe
from models.rewriting import rewrite
from models.taxonomy import Category, Issue, load_taxonomy
from models.training.corpus import TASKS, Example, load_silver, load_training
from models.words import load_words, mix, save_words

Array = NDArray[np.float32]


def fit_temperature(logits: Array, truth: Sequence[int]) -> float:
    """Return the divisor of the logits with the least cross entropy, between 0.3 and 4."""
    grid = np.geomspace(0.3, 4, 200)
    values, wanted = torch.tensor(logits), torch.tensor(truth)
    losses = [float(functional.cross_entropy(values / float(step), wanted)) for step in grid]
    return float(grid[int(np.argmin(losses))])


def find_thresholds(
    probabilities: NDArray[np.float64], truth: Sequence[int], labels: Sequence[str], precision: float
) -> dict[str, float]:
    """Return for each label the lowest score, in steps of 0.05, from which readings are right at least as often as asked.

    A label with fewer than 15 readings takes the threshold that suits all labels together. No threshold is above 0.6: what a
    reader would sooner see unclassified is a matter of taste, and half of a rare label's texts are not.
    """
    read, score = probabilities.argmax(1), probabilities.max(1)
    right = read == np.asarray(truth)
    steps = np.arange(0, 0.61, 0.05)

    def lowest(chosen: NDArray[np.bool_]) -> float:
        for step in steps:
            kept = chosen & (score >= step)
            if kept.sum() < 8 or right[kept].mean() >= precision:
                return float(step)
        return float(steps[-1])

    everything = lowest(np.ones(len(read), bool))
    return {
        label: round(lowest(read == place) if (read == place).sum() >= 15 else everything, 2)
        for place, label in enumerate(labels)
    }


def choose_share(encoder: Array, words: Array, truth: Sequence[int]) -> tuple[float, float]:
    """Return the share of the words, in twentieths, and the temperature of the mixture with the least cross entropy."""
    best = (math.inf, 0.0, 1.0)
    wanted = torch.tensor(truth)
    for step in range(15):
        mixture = mix(encoder, words, share=step / 20)
        temperature = fit_temperature(mixture, truth)
        loss = float(functional.cross_entropy(torch.tensor(mixture) / temperature, wanted))
        best = min(best, (loss, step / 20, temperature))
    return best[1], best[2]


def _labelled(examples: Sequence[Example], task: str) -> tuple[list[int], list[int]]:
    places = [place for place, row in enumerate(examples) if task in row.labels]
    return places, [TASKS[task].index(examples[place].labels[task]) for place in places]


def main() -> None:
    """Write temperatures into `heads.npz`, and `space.npz` and `examples.npz` beside it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--profile", required=True, help="folder inside OUT/artifacts")
    parser.add_argument("--variant", choices=("clean", "full"), default="clean")
    parser.add_argument("--precision", type=float, default=0.6, help="how often a category must be right to be told")
    options = parser.parse_args()
    folder = options.out / "artifacts" / options.profile
    (folder.parent / "tokenizer.json").write_bytes((options.out / "tokenizer.json").read_bytes())
    encoder = Encoder(folder)
    heads = dict(load_heads(folder / "heads.npz"))
    tuning = load_silver(options.shared, split="tune")
    vectors = encoder.embed([row.text for row in tuning])
    phrases = [row for row in load_training(options.shared, variant=options.variant) if row.source == "phrases"]
    phrase_vectors = encoder.embed([row.text for row in phrases])
    arrays: dict[str, Any] = {}
    words = load_words(folder / "words.npz")
    said = words.logits([rewrite(row.text) for row in tuning])
    shares, temperatures = {}, {}
    for task, labels in TASKS.items():
        places, truth = _labelled(tuning, task)
        head = Head(heads[task].labels, heads[task].weights, heads[task].bias, 1.0)
        logits = head.logits(vectors[places])
        temperature = fit_temperature(logits, truth)
        logits = np.asarray(logits / temperature, np.float32)
        alone = np.mean(logits.argmax(1) == np.array(truth))
        shares[task], temperatures[task] = choose_share(logits, said[task][places], truth)
        probabilities = softmax(mix(logits, said[task][places], share=shares[task], temperature=temperatures[task]))
        print(
            f"{task}: temperature {temperature:.2f}, accuracy {alone:.3f}; with a share of {shares[task]:.2f} for the words "
            f"{np.mean(probabilities.argmax(1) == np.array(truth)):.3f}, temperature {temperatures[task]:.2f}"
        )
        if task == "category":
            print(json.dumps(find_thresholds(probabilities, truth, labels, options.precision)))
        arrays |= {
            f"{task}.weights": head.weights, f"{task}.bias": head.bias, f"{task}.temperature": np.float32(temperature),
            f"{task}.labels": np.array(labels),
        }  # fmt: skip
    np.savez(folder / "heads.npz", **arrays)
    save_words(replace(words, shares=shares, temperatures=temperatures), folder / "words.npz")
    issues = [f"{row.labels['category']}.{row.labels['issue']}" if row.labels.get("issue") else "" for row in phrases]
    save_space(estimate_space(phrase_vectors, [row.labels["category"] for row in phrases], issues), folder / "space.npz")
    taxonomy = load_taxonomy()
    entries: list[Category | Issue] = [
        *taxonomy.categories,
        *(issue for category in taxonomy.categories for issue in category.issues),
    ]
    texts = sorted({text for entry in entries for text in describe(entry)})
    keys = np.array([hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts])
    np.savez(folder / "examples.npz", keys=keys, vectors=encoder.embed(texts).astype(np.float16))
    print({path.name: path.stat().st_size for path in sorted(folder.iterdir())})


if __name__ == "__main__":
    main()
