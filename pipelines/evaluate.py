"""Evaluate: every annotator on the same labelled messages, side by side; a user's file, or a city's own labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.text import clean_text
from models.annotator import ANNOTATORS, Annotator
from models.quality.measuring import Measurement, describe, measure
from models.quality.sets import TASKS, LabelledRow, LabelledSet, SetError, build_set
from models.settings import ModelsConfig, load_models_config
from models.taxonomy import NO_ISSUE, Taxonomy
from pipelines.evaluation.page import FOLDER, spellings
from pipelines.message_files import Kind, open_messages
from pipelines.pilot.evaluate import load_truth
from pipelines.project import Project
from pipelines.reports.agreement import FINAL
from pipelines.warehouse import open_read_only


@dataclass(frozen=True)
class Evaluation:
    """Annotators measured on one set."""

    labelled: LabelledSet
    notes: tuple[str, ...]
    """What to know about the labels, in plain English."""

    synthetic: bool
    """True: the messages and their labels were invented."""

    measurements: tuple[Measurement, ...]
    speeds: dict[str, float]
    """Annotator -> messages a second, loading left out; differs from run to run."""

    left_out: dict[str, str]
    """Annotator -> why it was not measured."""

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {
            "set": self.labelled.name,
            "digest": self.labelled.digest,
            "rows": len(self.labelled.rows),
            "synthetic": self.synthetic,
            "notes": list(self.notes),
            "measurements": describe(self.measurements),
            "messages_per_second": {name: round(speed, 1) for name, speed in self.speeds.items()},
            "left_out": self.left_out,
        }


@dataclass(frozen=True)
class Labels:
    """A labelled set and what to know about it."""

    labelled: LabelledSet
    notes: tuple[str, ...] = ()
    synthetic: bool = False


def evaluate(
    labels: Labels,
    taxonomy: Taxonomy,
    *,
    names: Sequence[str] = (),
    config: ModelsConfig | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure annotators on a labelled set.

    Args:
        labels: the set.
        taxonomy: the categories to read.
        names: the annotators; by default every one of the register and of `models.yml` that can be loaded here. One that is
            named must load, and read at least one of the set's tasks.
        config: by default what `models.yml` says.
        progress: called with the name of each annotator before it reads.

    Raises:
        SetError: if a named annotator cannot be measured, or none can; the message says why for each.
    """
    chosen = config or load_models_config()
    measurements: list[Measurement] = []
    speeds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name in dict.fromkeys(names or (*ANNOTATORS, *chosen.annotators)):
        loaded = _load(chosen, name, taxonomy)
        if isinstance(loaded, str):
            left_out[name] = loaded
            continue
        if not set(loaded.tasks) & set(labels.labelled.tasks):
            left_out[name] = f"reads {', '.join(loaded.tasks)}; the set labels {', '.join(labels.labelled.tasks)}"
            continue
        progress(name)
        found, seconds = measure(loaded, labels.labelled, config=chosen)
        measurements += found
        speeds[name] = len(labels.labelled.rows) / max(seconds, 1e-9)
    if left_out and (names or not measurements):
        raise SetError("\n".join(f"{name}: not measured: {reason}" for name, reason in left_out.items()))
    return Evaluation(labels.labelled, labels.notes, labels.synthetic, tuple(measurements), speeds, left_out)


def _load(config: ModelsConfig, name: str, taxonomy: Taxonomy) -> Annotator | str:
    """Return the annotator, or why it cannot be loaded here."""
    try:
        return config.load(name, taxonomy)
    except (ImportError, AttributeError, OSError, RuntimeError, ValueError, TypeError) as error:
        return str(error).strip() or type(error).__name__


def load_file_labels(path: str, taxonomy: Taxonomy, *, text_column: str | None = None, kind: Kind | None = None) -> Labels:
    """Load a user's labelled file, of any kind that `open_messages` reads.

    Raises:
        MessageFileError: if the file cannot be read.
        SetError: with every cell that holds no label of its task, by row; or if no row has a label.
    """
    with open_messages(path, kind=kind) as file:
        text = file.find_text_column(text_column)
        rows = (
            (line, {name: "" if cell is None else str(cell) for name, cell in cells.items()})
            for batch in file.read()
            for line, cells in zip(batch.lines, batch.table.to_pylist(), strict=True)
        )
        cleaned = ((line, {**cells, text: clean_text(cells[text])}) for line, cells in rows)
        return Labels(build_set(file.name, cleaned, taxonomy, text_column=text, spellings=spellings()))


def load_city_labels(project: Project, city_id: str, taxonomy: Taxonomy) -> Labels:
    """Load the labels that people gave to a city's messages; for a synthetic city without such, the planted truth.

    They are read from the published copy. Where labellers differ on a message and no third person
    settled it, it has no label of that task.

    Raises:
        ProjectError: if there is no such city.
        SetError: if nothing was run or labelled yet, or a label is not one of the taxonomy.
    """
    city = project.load_city(city_id)
    if not project.published.is_file():
        raise SetError(f"{city.id}: nothing to evaluate yet in {project.root}: {_remedy(project, city_id)}")
    with open_read_only(project.published) as warehouse:
        labelled, texts = (
            warehouse.query((FOLDER / f"{name}.sql").read_text(encoding="utf-8"), {"city": city.id})
            for name in ("labelled_messages", "newest_texts")
        )
    if labelled:
        return _join_labels(city.id, labelled, taxonomy, synthetic=city.synthetic)
    if city.synthetic and _has_truth(project):
        rows = tuple(_planted_rows(project, texts))
        if rows:
            note = "labels are the truth that was planted in the synthetic month; messages that do not count are left out"
            return Labels(LabelledSet(city.id, rows), (note,), synthetic=True)
    raise SetError(f"{city.id}: no message has a label: {_remedy(project, city_id)}")


def _remedy(project: Project, city_id: str) -> str:
    run = "escucha pilot" if city_id == "ate" and _has_truth(project) else f"escucha run {city_id} --from DAY"
    return f"run `{run}` first, then `escucha publish` once labels are in; or evaluate a labelled file"


def _has_truth(project: Project) -> bool:
    return (project.pilot / "truth" / "truth.csv").is_file()


def _join_labels(city_id: str, labelled: Sequence[tuple[Any, ...]], taxonomy: Taxonomy, *, synthetic: bool) -> Labels:
    """Make a set of (manifestation, task, labeller, label, text, channel), ordered by manifestation and task."""
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    messages: dict[str, tuple[str, str]] = {}
    settled = {(identity, task) for identity, task, labeller, *_ in labelled if labeller == FINAL}
    for identity, task, labeller, label, text, channel in labelled:
        if labeller == FINAL or (identity, task) not in settled:
            given[identity, task].add(label)
        messages[identity] = text, channel
    split = sum(len(labels) > 1 for labels in given.values())
    rows = []
    for identity, (text, channel) in messages.items():
        cells = {"id": identity, "text": text, "genre": channel}
        cells |= {task: next(iter(found)) for task in TASKS if len(found := given.get((identity, task), set())) == 1}
        rows.append(cells)
    labelled_set = build_set(city_id, list(enumerate(rows, start=1)), taxonomy, text_column="text")
    notes = [f"{len(messages)} messages labelled by {len({row[2] for row in labelled})} labellers"]
    if split:
        notes.append(f"{split} labels are left out: labellers differ on them")
    return Labels(labelled_set, tuple(notes), synthetic=synthetic)


def _planted_rows(project: Project, texts: Sequence[tuple[str, str, str]]) -> Iterator[LabelledRow]:
    planted = {row["manifestation_id"]: row for row in load_truth(project) if row["counted"] == "true"}
    for identity, text, channel in texts:
        row = planted.get(identity)
        if row is None:
            continue
        labels = {task: row[task] for task in TASKS if row.get(task)}
        issue = row["issue"] or NO_ISSUE
        labels["issue"] = issue if "." in issue or issue == NO_ISSUE else f"{row['category']}.{issue}"
        yield LabelledRow(identity, text, labels, genre=channel)


def names_a_file(target: str) -> bool:
    """Tell whether `FILE|CITY` means a file: there is one of that name, or it is written as one, with a folder or an ending."""
    path = Path(target)
    return target == "-" or path.is_file() or bool(path.suffix) or path.name != target
