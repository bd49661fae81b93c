"""Evaluation of the synthetic month: the only code that reads the planted truth."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.annotator import Prediction
from models.crosswalk import UNCLASSIFIED
from models.settings import ModelsConfig, TaskName, TaskSettings
from models.taxonomy import NO_ISSUE, OTHER, Taxonomy
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import Warehouse

TRUTH_TASKS: tuple[TaskName, ...] = ("category", "issue", "sentiment")


@dataclass
class TruthReader:
    """Stands where an annotator stands; its readings are in the warehouse already, planted by `append_truth`."""

    revision: str
    tasks: Mapping[str, tuple[str, ...]]
    name: str = "truth"

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Refuse: truth is known by identity, never by text."""
        raise NotImplementedError("the planted truth is looked up by manifestation, not read from a text")


def load_truth(project: Project) -> list[dict[str, str]]:
    """Load the planted truth: one dictionary per planted item, all values as text, "" where a label does not apply."""
    with _truth_file(project).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append_truth(warehouse: Warehouse, project: Project, readers: Readers) -> Readers:
    """Append the planted labels as annotations and return readers whose category, issue and sentiment are the truth.

    Items that do not count have no planted label; they read `otros` and `neu`, which the report's rules set aside.

    Raises:
        ValueError: if the city's own taxonomy has not all categories and issues of the planted truth, which are the shipped ones.
    """
    labels = {
        "category": readers.taxonomy.category_ids,
        "issue": (*readers.taxonomy.issue_ids, NO_ISSUE),
        "sentiment": readers.taxonomy.sentiment_ids,
    }
    truth = TruthReader(hashlib.sha256(_truth_file(project).read_bytes()).hexdigest()[:8], labels)
    planted = {row["manifestation_id"]: row for row in load_truth(project)}
    _check_labels(planted.values(), labels)
    versions = warehouse.query("select distinct manifestation_id, version from manifestation where kind = 'manifestation'")
    rows = [
        _annotation(truth, task, identity, version, _planted_label(planted.get(identity, {}), task), readers.taxonomy_version)
        for identity, version in versions
        for task in TRUTH_TASKS
    ]
    with warehouse.transaction():
        warehouse.append("annotation", rows)
    chosen = dict(readers.config.tasks)
    for task in TRUTH_TASKS:
        chosen[task] = TaskSettings.model_construct(annotator=truth.name, threshold=0.0)
    return Readers(readers.taxonomy, ModelsConfig.model_construct(tasks=chosen), {**readers.annotators, truth.name: truth})


def compare_with_truth(
    warehouse: Warehouse, project: Project, taxonomy: Taxonomy, *, report_id: str | None = None
) -> dict[str, Any]:
    """Compare the report that was just built with the planted truth, which is labelled with the shipped categories.

    Where the city has a taxonomy of its own, a category that it made out of the planted one is right too; one that it added
    never is.

    Returns:
        `planted` and `counted` totals; over what both count `category_accuracy` (unclassified is not right), `category_told` (the
        share that is not unclassified), `category_precision` (right among those), `sentiment_accuracy`, all in [0, 1],
        `sentiment_macro_f1`, and `lines` that say so for people. With the report's id also
        `shares` (see `compare_shares`), how many `intervals` there are and `intervals_held` the truth.
    """
    planted = {
        row["manifestation_id"]: row for row in load_truth(project) if row["counted"] == "true" and row["channel"] == "online"
    }
    read = warehouse.query(
        "select manifestation_id, category_id, sentiment from report_item where counted and channel = 'online'"
    )
    both = [(planted[identity], category, sentiment) for identity, category, sentiment in read if identity in planted]
    base = max(len(both), 1)
    heirs = find_heirs(taxonomy)
    right = sum(label in heirs.get(row["category"], ()) for row, label, _ in both)
    told = sum(label != UNCLASSIFIED for _, label, _ in both)
    sentiment = sum(row["sentiment"] == label for row, _, label in both) / base
    macro_f1 = _macro_f1([(row["sentiment"], label) for row, _, label in both])
    shares = compare_shares(warehouse, list(planted.values()), heirs, report_id) if report_id else []
    corrected = [row for row in shares if row["holds"] is not None]
    return {
        "planted": len(planted),
        "counted": len(read),
        "category_accuracy": right / base,
        "category_told": told / base,
        "category_precision": right / max(told, 1),
        "sentiment_accuracy": sentiment,
        "sentiment_macro_f1": macro_f1,
        "shares": shares,
        "intervals": len(corrected),
        "intervals_held": sum(row["holds"] for row in corrected),
        "lines": [
            f"planted truth   {len(planted)} manifestations, {len(both)} of them counted",
            f"model's errors  category right in {right / base:.1%}: {right / max(told, 1):.1%} of the {told / base:.1%} it told",
            f"                sentiment right in {sentiment:.1%} (macro-F1 {macro_f1:.2f})",
            *_share_lines(shares),
        ],
    }


def compare_shares(
    warehouse: Warehouse, planted: Sequence[Mapping[str, str]], heirs: Mapping[str, tuple[str, ...]], report_id: str
) -> list[dict[str, Any]]:
    """Put plain counting, corrected share and planted truth of each category and sentiment beside one another.

    Args:
        warehouse: where the report is.
        planted: the planted items that count.
        heirs: planted category -> those of the report's taxonomy; a category is left out unless it is one whole planted one.
        report_id: whose shares of the channel `online`.

    Returns:
        A row for each: `task`, `label`, `planted`, `counted` and `corrected` in [0, 1] with `low` and `high` (None where it is
        not corrected), `status`, `labelled_positives`, and whether the interval `holds` the truth (None without one).
    """
    whole = {names[0]: category for category, names in heirs.items() if len(names) == 1}
    truths = {"category": Counter(row["category"] for row in planted), "sentiment": Counter(row["sentiment"] for row in planted)}
    rows = []
    for task, truth in truths.items():
        for found in warehouse.rows(
            f"select * from report_{task} where report_id = $id and channel = 'online' order by position",  # noqa: S608 (two names)
            {"id": report_id},
        ):
            label = found["category_id" if task == "category" else "sentiment"]
            if task == "category" and label not in whole:
                continue
            share = truth[whole[label] if task == "category" else label] / max(len(planted), 1)
            low, high = found["manifestation_low"], found["manifestation_high"]
            rows.append(
                {
                    "task": task,
                    "label": label,
                    "planted": share,
                    "counted": found["read_share"],
                    "corrected": found["manifestation_share"] if found["corrected"] else None,
                    "low": low,
                    "high": high,
                    "status": found["estimate_status"],
                    "labelled_positives": found["labelled_positive_count"],
                    "holds": low <= share <= high if found["corrected"] else None,
                }
            )
    return rows


def _share_lines(shares: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the table for people; nothing where nothing was labelled."""
    told = [row for row in shares if row["holds"] is not None]
    if all(row["status"] == "uncorrected" for row in shares):
        return []
    lines = [f"{'shares':<24} {'planted':>8} {'counted':>8} {'corrected':>10}  interval of 95 %"]
    for row in shares:
        line = f"{row['label']:<24} {row['planted']:>8.2%} {row['counted'] or 0:>8.2%} "
        if row["holds"] is None:
            lines.append(f"{line}{'-':>10}  {row['status']}")
        else:
            lines.append(
                f"{line}{row['corrected']:>10.2%}  {row['low']:.2%} to {row['high']:.2%}{'' if row['holds'] else '  misses'}"
            )
    held = sum(row["holds"] for row in told)
    return [*lines, f"intervals       {held} of {len(told)} hold the planted truth"]


def find_heirs(taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Return shipped category -> the categories of a taxonomy that are it, hold it, or are a part of it."""
    heirs: dict[str, tuple[str, ...]] = {}
    for category, origin in taxonomy.origins.items():
        for member in origin.members if origin.kind != "added" else ():
            heirs[member] = (*heirs.get(member, ()), category)
    return heirs


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the unweighted mean over the true labels of F1, for (true, read) pairs."""
    hits = Counter(true for true, read in pairs if true == read)
    trues, reads = Counter(true for true, _ in pairs), Counter(read for _, read in pairs)
    scores = [2 * hits[label] / (trues[label] + reads[label]) for label in trues]
    return sum(scores) / max(len(scores), 1)


def _planted_label(row: Mapping[str, str], task: str) -> str:
    category = row.get("category") or OTHER
    if task == "issue":
        issue = row.get("issue") or ""
        return (issue if "." in issue else f"{category}.{issue}") if issue else NO_ISSUE
    return category if task == "category" else row.get("sentiment") or "neu"


def _check_labels(planted: Iterable[Mapping[str, str]], labels: Mapping[str, tuple[str, ...]]) -> None:
    missing = sorted(
        {label for row in planted for task in TRUTH_TASKS if (label := _planted_label(row, task)) not in labels[task]}
    )
    if missing:
        raise ValueError(f"the planted truth is told in the shipped taxonomy; this city's own lacks: {', '.join(missing)}")


def _annotation(truth: TruthReader, task: str, identity: str, version: str, label: str, taxonomy_version: str) -> dict[str, Any]:
    labels = truth.tasks[task]
    return {
        "manifestation_id": identity,
        "version": version,
        "task": task,
        "annotator": truth.name,
        "revision": truth.revision,
        "taxonomy_version": taxonomy_version,
        "label": labels[labels.index(label)],
        "score": 1.0,
        "probabilities": [float(candidate == label) for candidate in labels],
        "run_id": "truth",
    }


def _truth_file(project: Project) -> Path:
    return project.pilot / "truth" / "truth.csv"
