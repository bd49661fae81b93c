"""Annotate: read every message that the configured annotators have not read yet, and append what they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from models.annotator import Annotator, Prediction
from pipelines.project import Project
from pipelines.runs import Readers, record_run
from pipelines.warehouse import Warehouse

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""After every instant that a warehouse can hold."""

BATCH_SIZE = 1_000
"""Messages read and committed at a time; a killed run loses at most this much work."""


def annotate(
    warehouse: Warehouse,
    project: Project,
    city: City,
    period: Period,
    readers: Readers,
    *,
    source_ids: Sequence[str] = (),
    seen_until: datetime = FOREVER,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> int:
    """Read what is unread in a window (undated messages included) and return the number of annotations added.

    Args:
        warehouse: open for writing.
        project: the project, for the run's record.
        city: whose messages.
        period: messages published in it; undated ones are read too.
        readers: the annotators; each reads only what it has not read in its present revision.
        source_ids: only messages of these sources; all of them if empty.
        seen_until: only messages first seen until then.
        progress: called with (annotator, read, to read) after each committed batch.
    """
    added = 0
    with record_run(warehouse, project, city, "annotate", period, readers) as run:
        for name, annotator in readers.annotators.items():
            _append_labels(warehouse, annotator, readers.taxonomy_version, run.run_id)
            window: dict[str, Any] = {"city": city.id, "start": period.start_utc, "end": period.end_utc}
            window |= {"sources": list(source_ids), "seen_until": seen_until}
            identity = {"annotator": name, "revision": annotator.revision, "taxonomy_version": readers.taxonomy_version}
            unread = warehouse.query_file("unread_messages", {**window, **identity})
            for first in range(0, len(unread), BATCH_SIZE):
                part = unread[first : first + BATCH_SIZE]
                rows = _annotation_rows(annotator, part, readers.taxonomy_version, run.run_id)
                with warehouse.transaction():
                    warehouse.append("annotation", rows)
                added += len(rows)
                progress(name, first + len(part), len(unread))
    return added


def _annotation_rows(
    annotator: Annotator, part: Sequence[tuple[Any, ...]], taxonomy_version: str, run_id: str
) -> list[dict[str, Any]]:
    predictions = annotator.predict([text for _, _, text, _ in part])
    return [
        {"version_at": version_at, **row}
        for (identity, version, _, version_at), prediction in zip(part, predictions, strict=True)
        for row in _rows_of(annotator, identity, version, prediction, taxonomy_version, run_id)
    ]


def _rows_of(
    annotator: Annotator, identity: str, version: str, prediction: Prediction, taxonomy_version: str, run_id: str
) -> list[dict[str, Any]]:
    return [
        {
            "manifestation_id": identity,
            "version": version,
            "task": task,
            "annotator": annotator.name,
            "revision": annotator.revision,
            "taxonomy_version": taxonomy_version,
            "label": reading.label,
            "score": reading.score,
            "probabilities": [reading.probabilities[label] for label in annotator.tasks[task]],
            "run_id": run_id,
        }
        for task, reading in prediction.items()
    ]


def _append_labels(warehouse: Warehouse, annotator: Annotator, taxonomy_version: str, run_id: str) -> None:
    """Keep the order of the labels once for each revision, so that the probabilities stay readable."""
    identity = {"annotator": annotator.name, "revision": annotator.revision, "taxonomy_version": taxonomy_version}
    if warehouse.query_file("known_tasks", identity):
        return
    with warehouse.transaction():
        rows = [{**identity, "task": task, "labels": list(labels), "run_id": run_id} for task, labels in annotator.tasks.items()]
        warehouse.append("annotator_task", rows)
