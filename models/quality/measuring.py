"""One annotator on one labelled set: read, measure, and set the figures of several side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from models.annotator import Annotator
from models.quality.metrics import METRICS, Figure, TaskFigures, measure_abstention, measure_task
from models.quality.sets import LabelledSet
from models.settings import ModelsConfig, TaskSettings

BATCH_SIZE = 1_000


@dataclass(frozen=True)
class Measurement:
    """What one annotator's readings of one task of one set are worth."""

    annotator: str
    revision: str
    set: str
    digest: str
    task: str
    figures: TaskFigures
    varieties: Mapping[str, TaskFigures]
    """By variety of Spanish, without calibration; empty if the set tells fewer than two."""

    read: tuple[str, ...]
    """The labels read, in the order of the set's rows that label the task."""

    truth: tuple[str, ...]


def measure(
    annotator: Annotator, labelled: LabelledSet, *, config: ModelsConfig | None = None
) -> tuple[list[Measurement], float]:
    """Measure an annotator on every task that it shares with a set.

    Args:
        annotator: reads.
        labelled: the set.
        config: gives the thresholds below which a reading is not told; without it, or without any, all are told.

    Returns:
        One measurement a task (none if they share no task), and the seconds that reading the set's texts took.
    """
    tasks = [task for task in labelled.tasks if task in annotator.tasks]
    if not tasks:
        return [], 0.0
    started = time.perf_counter()
    texts = [row.text for row in labelled.rows]
    predictions = [
        prediction
        for start in range(0, len(texts), BATCH_SIZE)
        for prediction in annotator.predict(texts[start : start + BATCH_SIZE])
    ]
    seconds = time.perf_counter() - started
    found = []
    for task in tasks:
        kept = [(row, prediction[task]) for row, prediction in zip(labelled.rows, predictions, strict=True) if task in row.labels]
        truth, read = tuple(row.labels[task] for row, _ in kept), tuple(reading.label for _, reading in kept)
        labels = tuple(dict.fromkeys((*annotator.tasks[task], *truth)))
        probabilities = np.array([[reading.probabilities.get(label, 0.0) for label in labels] for _, reading in kept])
        figures = measure_task(truth, read, labels, probabilities)
        settings = config.settings_of(task, annotator.name) if config else None
        if settings and (settings.threshold or settings.thresholds):
            scores = [reading.score for _, reading in kept]
            figures = _add_abstention(figures, truth, read, scores, settings)
        varieties = dict(_measure_varieties([row.variety for row, _ in kept], truth, read, labels))
        identity = annotator.name, annotator.revision, labelled.name, labelled.digest, task
        found.append(Measurement(*identity, figures, varieties, read, truth))
    return found, seconds


def _add_abstention(
    figures: TaskFigures, truth: Sequence[str], read: Sequence[str], scores: Sequence[float], settings: TaskSettings
) -> TaskFigures:
    told = [settings.tells(label, score) for label, score in zip(read, scores, strict=True)]
    found = {**figures.figures, **measure_abstention(np.array(truth) == np.array(read), np.array(told))}
    return replace(figures, figures={name: found[name] for name in METRICS if name in found})


def _measure_varieties(
    varieties: Sequence[str], truth: Sequence[str], read: Sequence[str], labels: Sequence[str]
) -> Iterator[tuple[str, TaskFigures]]:
    known = sorted(set(varieties) - {""})
    for variety in known if len(known) > 1 else ():
        chosen = [position for position, found in enumerate(varieties) if found == variety]
        yield variety, measure_task([truth[i] for i in chosen], [read[i] for i in chosen], labels)


def side_by_side(measurements: Sequence[Measurement]) -> Iterator[str]:
    """Yield the lines of a table for each set and task: figures, F1 by class, accuracy by variety; one column an annotator.

    At most three annotators stand beside each other, so that no line is longer than 80 characters.
    """
    for set_name, task in dict.fromkeys((one.set, one.task) for one in measurements):
        all_of_it = [one for one in measurements if (one.set, one.task) == (set_name, task)]
        for start in range(0, len(all_of_it), 3):
            part = all_of_it[start : start + 3]
            yield f"{set_name}: {task}, {part[0].figures.rows} rows"
            yield _line("", [one.annotator for one in part])
            for name in dict.fromkeys(name for one in part for name in one.figures.figures):
                yield _line(name, [write_figure(one.figures.figures.get(name)) for one in part])
            yield "  F1 by class"
            for label in (entry.label for entry in part[0].figures.classes if entry.rows):
                classes = [next((entry for entry in one.figures.classes if entry.label == label), None) for one in part]
                rows = next(entry.rows for entry in classes if entry)
                yield _line(f"{label} ({rows})", [write_figure(entry.f1 if entry else None) for entry in classes])
            for variety in part[0].varieties:
                figures = [one.varieties[variety] for one in part]
                written = [write_figure(one.figures["accuracy"]) for one in figures]
                yield _line(f"accuracy {variety} ({figures[0].rows})", written)
            yield ""


def write_figure(figure: Figure | None) -> str:
    """Write a figure with its interval: .712 [.67, .75]; "-" if it is undefined."""
    if figure is None:
        return "-"
    return f"{shorten(figure.value, 3)} [{shorten(figure.low, 2)}, {shorten(figure.high, 2)}]"


def shorten(value: float, digits: int) -> str:
    """Write a number without the zero before its point: .712."""
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits - 1}f}"


def _line(name: str, cells: Iterable[str]) -> str:
    told = name if len(name) <= 30 else f"{name[:16]}…{name[-13:]}"  # the end holds the count
    return (f"  {told:<30}" + "".join(f" {cell:<15}" for cell in cells)).rstrip()


def describe(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Return measurements as plain values for JSON; an undefined figure is null."""
    return [
        {key: value for key, value in asdict(one).items() if key not in ("read", "truth", "figures", "varieties")}
        | {"figures": _plain(one.figures), "varieties": {name: _plain(part) for name, part in one.varieties.items()}}
        for one in measurements
    ]


def _plain(figures: TaskFigures) -> dict[str, Any]:
    return {
        "rows": figures.rows,
        "labels": list(figures.labels),
        **{name: figure._asdict() for name, figure in figures.figures.items()},
        "classes": [
            {key: value._asdict() if isinstance(value, Figure) else value for key, value in entry._asdict().items()}
            for entry in figures.classes
        ],
        "confusion": [list(row) for row in figures.confusion],
    }
