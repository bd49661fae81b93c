"""How right corrected shares are, in artificial cities whose truth is known: coverage, error, false arrows.

`python benchmarks/shares.py [--rounds 400] [--seed 1]` prints tables; `tests/pipelines/test_estimation.py` runs a short version.
Cities have 15 categories or 3 tones, prevalences from 0.5 to 80 %, and models that are right in 70 or 85 % of the messages,
whose errors are spread, go to one wrong neighbour, or fall to the largest label; part of them is left unclassified. Samples are
simple or stratified by source and reading, with at least one message per stratum.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from pipelines.reports.estimation import Estimate, Marks, add_up, estimate_part, estimate_share, join_single

POPULATION = 5800
SOURCES = 25
MIXES = {
    "15 categories": (0.25, 0.15, 0.12, 0.10, 0.08, 0.06, 0.05, 0.045, 0.04, 0.03, 0.025, 0.02, 0.015, 0.01, 0.005),
    "one of 40 %": (0.40, 0.20, 0.10, 0.08, 0.05, 0.04, 0.03, 0.025, 0.02, 0.02, 0.01, 0.01, 0.005, 0.005, 0.005),
    "one of 80 %": (0.80, 0.05, 0.03, 0.025, 0.02, 0.015, 0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005),
    "tones even": (0.35, 0.25, 0.40),
    "tones skewed": (0.10, 0.30, 0.60),
}
ERRORS = ("spread", "neighbour", "largest")
ACCURACIES = (0.70, 0.85)
SIZES = (100, 200, 400, 800)
DESIGNS = ("simple", "stratified")
UNCLASSIFIED_PART = 0.4
"""Of a model's errors among categories; it always tells a tone."""


@dataclass(frozen=True)
class Town:
    """A population with its truth: arrays of shape (messages,)."""

    truth: np.ndarray
    read: np.ndarray
    """The label's number; the number of labels stands for unclassified."""
    source: np.ndarray
    labels: int


def confusion(mix: tuple[float, ...], errors: str, accuracy: float) -> np.ndarray:
    """Return true x read probabilities, unclassified last; the accuracy of single labels lies 10 points around the whole."""
    count = len(mix)
    table = np.zeros((count, count + 1))
    left = UNCLASSIFIED_PART if count > 3 else 0.0
    for label in range(count):
        right = accuracy + (0.1 if label % 2 else -0.1)
        others = np.array(mix) * (np.arange(count) != label)
        if errors == "neighbour":
            others = (np.arange(count) == (label + 1) % count).astype(float)
        elif errors == "largest":
            others = (np.arange(count) == (int(np.argmax(mix)) if label != int(np.argmax(mix)) else (label + 1) % count)) * 1.0
        table[label, :count] = (1 - right) * (1 - left) * others / others.sum()
        table[label, label] += right
        table[label, count] = (1 - right) * left
    return table


def build_town(mix: tuple[float, ...], errors: str, accuracy: float, rng: np.random.Generator) -> Town:
    """Draw a population: truth in the planned numbers, readings by chance, sources that differ in size and in what they say."""
    counts = np.floor(np.array(mix) * POPULATION).astype(int)
    counts[0] += POPULATION - counts.sum()
    truth = np.repeat(np.arange(len(mix)), counts)
    table = confusion(mix, errors, accuracy)
    read = (rng.random((POPULATION, 1)) > table.cumsum(axis=1)[truth]).sum(axis=1).clip(max=len(mix))
    weights = rng.gamma(0.8, size=(len(mix), SOURCES)) * rng.gamma(0.6, size=SOURCES)
    cumulated = (weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1)
    source = (rng.random((POPULATION, 1)) > cumulated[truth]).sum(axis=1).clip(max=SOURCES - 1)
    return Town(truth, read, source, len(mix))


def draw(town: Town, size: int, design: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the drawn messages, how many each stands for, and their strata."""
    if design == "simple":
        return rng.choice(POPULATION, size, replace=False), np.full(size, POPULATION / size), np.zeros(size, dtype=np.int64)
    strata = town.source * (town.labels + 1) + town.read
    if len(np.unique(strata)) > size:
        strata = town.read
    drawn, weight = [], []
    shares = allocate(np.bincount(strata), size)
    for stratum in np.flatnonzero(shares):
        members = np.flatnonzero(strata == stratum)
        drawn.append(rng.choice(members, shares[stratum], replace=False))
        weight.append(np.full(shares[stratum], len(members) / shares[stratum]))
    chosen = np.concatenate(drawn)
    group = join_single([str(name) for name in strata[chosen]], [str(name) for name in town.read[chosen]])
    return chosen, np.concatenate(weight), group


def allocate(counts: np.ndarray, size: int) -> np.ndarray:
    """Split a sample in proportion to its strata, at least one each."""
    wanted = np.where(counts > 0, np.maximum(1.0, counts * size / counts.sum()), 0)
    while wanted.sum() > size + 1e-9:
        large = wanted > 1
        wanted[large] = np.maximum(1.0, wanted[large] * (1 - (wanted.sum() - size) / wanted[large].sum()))
    shares = np.floor(wanted + 1e-9).astype(int)
    order = np.argsort(-(wanted - shares), kind="stable")
    shares[order[: size - shares.sum()]] += 1
    return np.minimum(shares, counts)


def estimate_town(
    town: Town, drawn: np.ndarray, weight: np.ndarray, group: np.ndarray
) -> list[tuple[Estimate, float, float, float]]:
    """Return for each label its estimate, its share as read, from the labels alone, and in truth."""
    marks = [
        Marks(
            (town.truth[drawn] == label).astype(float),
            (town.read[drawn] == label).astype(float),
            weight,
            group,
            int((town.read == label).sum()),
            POPULATION,
        )
        for label in range(town.labels)
    ]
    estimates = add_up([estimate_share(one) for one in marks])
    return [
        (estimate, one.read_count / POPULATION, one.mean(one.truth), float((town.truth == label).mean()))
        for label, (estimate, one) in enumerate(zip(estimates, marks, strict=True))
    ]


@dataclass
class Cell:
    """What came out in one cell of the grid."""

    rounds: int = 0
    held: int = 0
    shown: int = 0
    errors: list[tuple[float, float, float]] = field(default_factory=list)
    """Of the corrected share, of plain counting, of the labels alone, where a corrected share is told."""

    def add(self, estimate: Estimate, read: float, labels: float, truth: float) -> None:
        """Count one estimate."""
        self.rounds += 1
        if estimate.share is None or estimate.low is None or estimate.high is None:
            return
        self.shown += 1
        self.held += estimate.low <= truth <= estimate.high
        self.errors.append((abs(estimate.share - truth), abs(read - truth), abs(labels - truth)))


Key = tuple[str, str, float, str, int, int]
"""Mix, errors, accuracy, design, size, label."""


def run_grid(rounds: int, seed: int, *, sizes: tuple[int, ...] = SIZES, mixes: tuple[str, ...] = tuple(MIXES)) -> dict[Key, Cell]:
    """Simulate the whole grid: every cell with as many populations and samples as there are rounds."""
    cells: dict[Key, Cell] = defaultdict(Cell)
    for number, (name, errors, accuracy) in enumerate(product(mixes, ERRORS, ACCURACIES)):
        rng = np.random.default_rng([seed, number])
        for turn in range(rounds):
            town = build_town(MIXES[name], errors, accuracy, rng)
            design = DESIGNS[turn % 2]
            for size in sizes:
                for label, found in enumerate(estimate_town(town, *draw(town, size, design, rng))):
                    cells[name, errors, accuracy, design, size, label].add(*found)
    return cells


def run_parts(rounds: int, seed: int, *, sizes: tuple[int, ...] = SIZES) -> dict[tuple[float, int, int, int], Cell]:
    """Simulate the shares of tones within categories: cells by accuracy, size, category and tone."""
    cells: dict[tuple[float, int, int, int], Cell] = defaultdict(Cell)
    tones = np.array([[0.2, 0.2, 0.6], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25], [0.6, 0.3, 0.1]])
    for number, accuracy in enumerate(ACCURACIES):
        rng = np.random.default_rng([seed, 100 + number])
        table = confusion((0.3, 0.3, 0.4), "neighbour", accuracy)
        for turn in range(rounds):
            town = build_town(MIXES["15 categories"], "spread", accuracy, rng)
            tone = (rng.random((POPULATION, 1)) > tones.cumsum(axis=1)[town.truth % 4]).sum(axis=1).clip(max=2)
            heard = (rng.random((POPULATION, 1)) > table.cumsum(axis=1)[tone]).sum(axis=1).clip(max=2)
            for size in sizes:
                sample = draw(town, size, DESIGNS[turn % 2], rng)
                for category in range(8):
                    for found in _estimate_tones(town, tone, heard, sample, category):
                        cells[accuracy, size, category, found[0]].add(*found[1])
    return cells


def _estimate_tones(
    town: Town, tone: np.ndarray, heard: np.ndarray, sample: tuple[np.ndarray, np.ndarray, np.ndarray], category: int
) -> Iterator[tuple[int, tuple[Estimate, float, float, float]]]:
    drawn, weight, group = sample
    true, read = town.truth == category, town.read == category

    def mark(is_true: np.ndarray, is_read: np.ndarray) -> Marks:
        return Marks(is_true[drawn].astype(float), is_read[drawn].astype(float), weight, group, int(is_read.sum()), POPULATION)

    whole = mark(true, read)
    parts = [mark(true & (tone == label), read & (heard == label)) for label in range(3)]
    estimates = add_up([estimate_part(part, whole) for part in parts])
    for label, (estimate, part) in enumerate(zip(estimates, parts, strict=True)):
        alone = part.mean(part.truth) / max(whole.mean(whole.truth), 1e-9)
        yield label, (estimate, float((heard[read] == label).mean()), alone, float((tone[true] == label).mean()))


def run_labellers(rounds: int, seed: int, *, size: int = 400) -> dict[tuple[str, str, str], Cell]:
    """Compare what to do where two labellers differ: cells by kind of errors, mix and choice.

    One errs in 6 % of the categories and 8 % of the tones, the other in 9 and 11 %: in any other label alike, in the next one, or
    in every third label four times as often as in the rest.
    """
    cells: dict[tuple[str, str, str], Cell] = defaultdict(Cell)
    for number, (name, kind) in enumerate(product(MIXES, ("any", "next", "uneven"))):
        rng = np.random.default_rng([seed, 300 + number])
        rates = (0.08, 0.11) if name.startswith("tones") else (0.06, 0.09)
        for turn in range(rounds):
            town = build_town(MIXES[name], ERRORS[turn % 3], ACCURACIES[turn % 2], rng)
            drawn, weight, group = draw(town, size, "simple", rng)
            first, second = (_label(town.truth[drawn], rate, town.labels, kind, rng) for rate in rates)
            agreed = first == second
            for choice, kept in (("half for each", np.full(size, True)), ("only agreed", agreed)):
                for label in range(town.labels):
                    said = ((first == label) + (second == label).astype(float)) / 2
                    read = (town.read[drawn] == label).astype(float)
                    count = int((town.read == label).sum())
                    marks = Marks(said[kept], read[kept], weight[kept], group[kept], count, POPULATION)
                    truth = float((town.truth == label).mean())
                    cells[kind, name, choice].add(estimate_share(marks)[0], count / POPULATION, marks.mean(marks.truth), truth)
    return cells


def _label(truth: np.ndarray, rate: float, labels: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    rates = rate * np.where(truth % 3 == 0, 2.0, 0.5) if kind == "uneven" else rate
    step = np.ones(len(truth), dtype=int) if kind == "next" else rng.integers(1, labels, len(truth))
    return np.where(rng.random(len(truth)) < rates, (truth + step) % labels, truth)


def prevalence(key: Key) -> float:
    """Return the planned share of a cell's label."""
    return MIXES[key[0]][key[5]]


def summarize(cells: dict[Key, Cell], size: int) -> dict[str, float]:
    """Return the mean absolute errors of a size over the cells that are told in a third of the samples or more."""
    means = [np.mean(cell.errors, axis=0) for key, cell in cells.items() if key[4] == size and 3 * cell.shown >= cell.rounds]
    corrected, counting, labels = np.mean(means, axis=0)
    worse = sum(one[0] > one[2] * 1.02 for one in means)
    return {"corrected": corrected, "counting": counting, "labels": labels, "cells": len(means), "worse than labels": worse}


def print_coverage(cells: dict[Any, Cell], rows: dict[Any, list[Any]], size_of: Any, title: str) -> None:
    """Print coverage by row and size: of the told intervals, with the part of the samples that tell one."""
    print(f"\n{title}: coverage (part of samples that tell a share)")
    for row, keys in rows.items():
        line = f"{row!s:>10}"
        for size in SIZES:
            mine = [cells[key] for key in keys if size_of(key) == size]
            rounds, shown, held = (sum(getattr(cell, name) for cell in mine) for name in ("rounds", "shown", "held"))
            line += (
                f"  {held / shown:.3f} ({shown / rounds:.2f})" if shown >= 100 else f"  {'-':>5} ({shown / max(rounds, 1):.2f})"
            )
        print(line)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    cells = run_grid(chosen.rounds, chosen.seed)
    rows: dict[Any, list[Any]] = defaultdict(list)
    for key in sorted(cells, key=prevalence):
        rows[prevalence(key)].append(key)
    print_coverage(cells, rows, lambda key: key[4], f"shares by prevalence and labels {SIZES}")
    for name, place in (("errors", 1), ("accuracy", 2), ("design", 3)):
        by: dict[Any, list[Any]] = defaultdict(list)
        for key in cells:
            if prevalence(key) * key[4] >= 10:
                by[key[place]].append(key)
        print_coverage(cells, by, lambda key: key[4], f"by {name}, where 10 positives or more are expected")
    expected = [cell for key, cell in cells.items() if prevalence(key) * key[4] >= 10]
    rates = np.array([cell.held / cell.shown for cell in expected])
    noise = 3 * np.sqrt(0.05 * 0.95 / np.array([cell.shown for cell in expected]))
    outside = (rates < 0.93 - noise) | (rates > 0.97 + noise)
    print(f"\nsingle cells with 10 expected positives: {len(rates)}, mean {rates.mean():.3f}")
    print(f"outside .93 to .97 beyond noise: {outside.sum()}")
    for size in SIZES:
        print(size, {name: round(float(value), 5) for name, value in summarize(cells, size).items()})
    parts = run_parts(chosen.rounds, chosen.seed)
    by_tone: dict[Any, list[Any]] = defaultdict(list)
    for key in parts:
        by_tone[key[2]].append(key)
    print_coverage(parts, by_tone, lambda key: key[1], "tones within category number")
    print("\ntwo labellers who err, 400 labels: coverage and mean absolute error")
    for (kind, name, choice), cell in run_labellers(max(1, chosen.rounds // 4), chosen.seed).items():
        print(f"{kind:>8} {name:<14} {choice:<14} {cell.held / cell.shown:.3f} {np.mean(cell.errors, axis=0)[0]:.4f}")


if __name__ == "__main__":
    main()
