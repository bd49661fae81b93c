"""How well a category is read that only YAML tells of: each is hidden from the trained head and given back as an own one.

    python -m models.quality.hidden_keys --shared ../shared [--annotator accurate] [--sets gold_dev,silver_holdout]

For each category the head loses its output and the space its place; what stays is the shipped definition and the example
phrases, as a city would write them. Printed is its F1 over the whole set, read in this way and read by the trained head. The
encoder has seen messages of the category in training, so a matter that is new to it will be read somewhat worse.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.annotator import load_annotator
from models.embedded import EmbeddedAnnotator
from models.own_labels import Array, CategoryReader, Probabilities
from models.quality.sets import load_set
from models.taxonomy import load_taxonomy


def read_hidden(annotator: EmbeddedAnnotator, trained: Probabilities, vectors: Array, key: str) -> list[str]:
    """Return the category of each text, read by an annotator whose head does not know `key`.

    `trained` (texts, categories) and `vectors` (texts, 384) are what the annotator observed.
    """
    known = annotator.head_labels("category")
    kept = [place for place, label in enumerate(known) if label != key]
    left = trained[:, kept]
    space = replace(annotator.space, means={label: mean for label, mean in annotator.space.means.items() if label != key})
    names = [known[place] for place in kept]
    reader = CategoryReader.build(load_taxonomy(), names, space, annotator.embed_examples)
    found = reader.read(left / left.sum(1, keepdims=True), space.place(vectors))
    return [reader.labels[place] for place in found.argmax(1)]


def f1_of(key: str, truth: Sequence[str], read: Sequence[str]) -> float:
    """Return the F1 of one label; 0 where it is never read right."""
    hits = sum(a == b == key for a, b in zip(truth, read, strict=True))
    return 2 * hits / (truth.count(key) + read.count(key) or 1)


def measure_hidden(
    annotator: EmbeddedAnnotator, texts: Sequence[str], truth: Sequence[str]
) -> dict[str, tuple[int, float, float]]:
    """Return category -> rows, F1 from YAML alone, F1 of the trained head; categories without a row are left out."""
    probabilities, vectors = annotator.observe(texts)
    trained = probabilities["category"]
    known = annotator.head_labels("category")
    read = [known[place] for place in trained.argmax(1)]
    return {
        key: (truth.count(key), f1_of(key, truth, read_hidden(annotator, trained, vectors, key)), f1_of(key, truth, read))
        for key in known
        if key in truth
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a category and the means."""
    parser = argparse.ArgumentParser(prog="python -m models.quality.hidden_keys", description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder with gold/ and data/")
    parser.add_argument("--annotator", default="accurate", choices=("accurate", "fast"))
    parser.add_argument("--sets", default="gold_dev,silver_holdout", type=lambda text: text.split(","))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    annotator = load_annotator(options.annotator)
    if not isinstance(annotator, EmbeddedAnnotator):
        raise TypeError(f"{options.annotator} is no embedded model")
    document = {}
    for name in options.sets:
        rows = [row for row in load_set(name, options.shared).rows if row.labels.get("category")]
        found = measure_hidden(annotator, [row.text for row in rows], [row.labels["category"] for row in rows])
        document[name] = found
        if not options.json:
            _print(name, found)
    if options.json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


def _print(name: str, found: dict[str, tuple[int, float, float]]) -> None:
    lines = [f"{name:<28} {'rows':>5} {'YAML only':>10} {'trained':>8}"]
    lines += [f"{key:<28} {rows:>5} {hidden:>10.3f} {trained:>8.3f}" for key, (rows, hidden, trained) in found.items()]
    hidden, trained = (float(np.mean([row[place] for row in found.values()])) for place in (1, 2))
    lines += [f"{'mean':<28} {'':>5} {hidden:>10.3f} {trained:>8.3f}", ""]
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
