"""How often a page without any change shows an arrow, how often its intervals hold the truth, and what change it sees.

    python benchmarks/change.py [--pages 1000] [--kinds split independent heavy busy week small labelled]

An A/A page compares two windows of one artificial city whose sources, authors and topics are the same in both: 16 categories,
20 sources of unequal size and subject. `split` deals the messages of one window out to two at random; `independent` draws
each message alone; `heavy` lets authors write by a power law, each about subjects of their own; `busy` lets days differ in
size (negative binomial) and in subject (an event fills a day) as well; `labelled` is a busy city whose categories a model reads
with three in ten wrong, corrected in both windows by 400 labels each. Printed for each: pages with any arrow, comparisons
with an arrow, intervals without zero (5 % by definition), and pages on which transport is seen to rise when it did, by 3 and
by 6 points.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pipelines.reports.change import compare_windows
from pipelines.reports.estimation import Estimate, Marks, add_up, estimate_share
from pipelines.reports.pairs import Corrected, Measure, Pair

CATEGORIES = [f"c{place:02}" for place in range(16)]
PREVALENCE = np.array([12, 5, 10, 2.5, 12, 7, 11, 6, 2, 7, 5, 3, 6, 0.5, 5.5, 5.5]) / 100
SOURCES = 20


class City(NamedTuple):
    """What the windows of an artificial city are drawn from."""

    messages: int
    days: int
    authors: float
    """Exponent of the power law of authors (0: every message has an author of its own)."""

    subjects: float
    """How much an author keeps to subjects of their own: 0 not at all."""

    bursts: float
    """How much days differ: the variance of their size about 1, and of what they are about."""

    lift: float = 0.0
    """By how much the share of the first category is higher now."""

    labels: int = 0
    """Messages of each window that people labelled; 0: the model reads without an error."""


CITIES = {
    "independent": City(5796, 30, 0, 0, 0),
    "heavy": City(5796, 30, 1.1, 0.5, 0),
    "busy": City(5796, 30, 1.1, 0.5, 0.15),
    "week": City(1350, 7, 1.1, 0.5, 0.15),
    "small": City(600, 30, 1.1, 0.5, 0.15),
    "labelled": City(5796, 30, 1.1, 0.5, 0.15, labels=400),
}


def draw_window(
    city: City, rng: np.random.Generator, profile: np.ndarray, source_of: np.ndarray, own: np.ndarray
) -> list[np.ndarray]:
    """Draw the messages of a window: source, author, day, category, sentiment of each."""
    size = rng.gamma(1 / city.bursts, city.bursts, city.days) if city.bursts else np.ones(city.days)
    number = rng.poisson(city.messages * size.sum() / city.days)
    day = rng.choice(city.days, number, p=size / size.sum())
    if city.authors:
        weight = (1 + np.arange(len(source_of))) ** -city.authors
        author = rng.choice(len(source_of), number, p=weight / weight.sum())
    else:
        author = rng.choice(len(source_of), number)
    source = source_of[author]
    event = rng.gamma(1 / city.bursts, city.bursts, (city.days, 16)) if city.bursts else np.ones((city.days, 16))
    chances = profile[source] * event[day]
    chances = chances / chances.sum(axis=1, keepdims=True)
    category = (chances.cumsum(axis=1) < rng.random(number)[:, None]).sum(axis=1).clip(max=15)
    keeps = rng.random(number) < city.subjects
    category = np.where(keeps, own[author], category)
    tone = rng.random(number)
    sentiment = np.where(tone < 0.3 + 0.02 * category, 2, np.where(tone < 0.75, 1, 0))
    return [source, author, day, category, sentiment]


def draw_pair(city: City, rng: np.random.Generator, *, split: bool = False) -> Pair:
    """Draw two windows of one city; `split` deals one window out."""
    weight = rng.dirichlet(np.full(SOURCES, 1.0))
    profile = np.array([rng.dirichlet(30 * PREVALENCE + 0.05) for _ in range(SOURCES)])
    population = city.messages * (2 if split else 1)
    source_of = rng.choice(SOURCES, max(population, 50), p=weight)
    own = (profile[source_of].cumsum(axis=1) < rng.random(len(source_of))[:, None]).sum(axis=1).clip(max=15)
    if split:
        drawn = draw_window(city._replace(messages=population), rng, profile, source_of, own)
        window = rng.integers(0, 2, len(drawn[0]))
        columns = drawn
    else:
        parts = [draw_window(city, rng, profile, source_of, own) for _ in (0, 1)]
        if city.lift:
            turned = rng.random(len(parts[1][0])) < city.lift / (1 - PREVALENCE[0])
            parts[1][3] = np.where(turned, 0, parts[1][3])
        columns = [np.concatenate(both) for both in zip(*parts, strict=True)]
        window = np.repeat([0, 1], [len(part[0]) for part in parts])
    source, author, day, category, sentiment = columns
    if not city.authors:
        author = np.arange(len(source))
    weekdays = np.arange(city.days) % 7
    pair = Pair(
        window=window,
        source=source,
        author=author,
        day=day,
        category=category,
        sentiment=sentiment,
        sources=[f"s{place}" for place in range(SOURCES)],
        comparable=np.ones(SOURCES, dtype=bool),
        categories=CATEGORIES,
        sentiments=["pos", "neu", "neg"],
        day_counts=(city.days, city.days),
        weekdays=(weekdays, (weekdays + city.days) % 7),
    )
    return misread(pair, city.labels, rng) if city.labels else pair


def misread(pair: Pair, labels: int, rng: np.random.Generator) -> Pair:
    """Let a model read the categories with three in ten wrong, most of them as one of two others, and correct them by labels."""
    truth = pair.category
    to = np.where(rng.random(len(truth)) < 0.7, rng.integers(0, 2, len(truth)), rng.integers(0, 16, len(truth)))
    read = np.where(rng.random(len(truth)) < 0.3, to, truth)
    told: list[list[Estimate]] = []
    for window in (0, 1):
        mine = np.flatnonzero(pair.window == window)
        drawn = rng.choice(mine, labels, replace=False)
        weight, group = np.full(labels, len(mine) / labels), np.zeros(labels, dtype=np.int64)
        marks = [
            Marks(
                (truth[drawn] == place).astype(float),
                (read[drawn] == place).astype(float),
                weight,
                group,
                int((read[mine] == place).sum()),
                len(mine),
            )
            for place in range(len(CATEGORIES))
        ]
        told.append(add_up([estimate_share(one) for one in marks]))
    corrected: dict[tuple[Measure, str], tuple[Corrected, Corrected]] = {}
    for key, before, now in zip(CATEGORIES, *told, strict=True):
        if before.share is not None and now.share is not None:
            corrected["category", key] = (_corrected(before), _corrected(now))
    return replace(pair, category=read, corrected=corrected)


def _corrected(estimate: Estimate) -> Corrected:
    return Corrected(estimate.share or 0.0, estimate.low or 0.0, estimate.high or 0.0)


def count_arrows(city: City, pages: int, *, seed: int, split: bool = False) -> dict[str, float]:
    """Draw so many pages; return shares: pages with an arrow, comparisons with one, intervals without zero, rises seen."""
    arrowed = arrows = missed = compared = seen = volume = 0
    for page in range(pages):
        rows = compare_windows(draw_pair(city, np.random.default_rng([seed, page]), split=split))
        tested = [row for row in rows if row["p_value"] is not None]
        pointed = [row for row in tested if row["direction"] != "none"]
        compared += len(tested)
        arrows += len(pointed)
        arrowed += bool(pointed)
        missed += sum(row["within_low"] > 0 or row["within_high"] < 0 for row in tested)
        volume += any(row["measure"] == "volume" and row["p_value"] is not None and row["p_value"] < 0.05 for row in rows)
        seen += rows[0]["direction"] == "up"
    return {
        "pages": arrowed / pages,
        "arrows": arrows / max(compared, 1),
        "outside": missed / max(compared, 1),
        "volume": volume / pages,
        "seen": seen / pages,
        "compared": compared / pages,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--kinds", nargs="*", default=["split", *CITIES])
    parser.add_argument("--no-lift", action="store_true")
    options = parser.parse_args()
    print(
        f"{'city':12} {'pages with an arrow':>20} {'comparisons':>12} {'intervals':>10} {'volume':>7} {'tests':>6} "
        f"{'+3 seen':>8} {'+6 seen':>8} {'s':>6}"
    )
    for kind in options.kinds:
        began = time.perf_counter()
        city = CITIES["busy" if kind == "split" else kind]
        told = count_arrows(city, options.pages, seed=1, split=kind == "split")
        lifts = [
            float("nan")
            if kind == "split" or options.no_lift
            else count_arrows(city._replace(lift=lift), max(options.pages // 10, 10), seed=2)["seen"]
            for lift in (0.03, 0.06)
        ]
        print(
            f"{kind:12} {told['pages']:20.3f} {told['arrows']:12.4f} {told['outside']:10.4f} {told['volume']:7.3f} "
            f"{told['compared']:6.1f} {lifts[0]:8.2f} {lifts[1]:8.2f} {time.perf_counter() - began:6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
