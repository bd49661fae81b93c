"""Puts a file of labels into a warehouse as the rows of a sample, as an import of labels would."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from pipelines.warehouse import Warehouse

SEEN = datetime(2021, 5, 31, tzinfo=UTC)


def append_label_file(warehouse: Warehouse, city: City, period: Period, path: Path, *, taxonomy_version: str) -> None:
    """Append a CSV of labels of a simple random sample of the counted online manifestations: two rows per manifestation.

    The warehouse has just built the report of the window, so that its `report_item` says what is counted.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counted = dict(
        (identity, (version, source))
        for identity, version, source in warehouse.query(
            "select manifestation_id, version, source_id from report_item where counted and channel = 'online'"
        )
    )
    order = list(dict.fromkeys(row["manifestation_id"] for row in rows))
    items = [
        drawn_row("muestra", identity, number, counted[identity], "all", len(counted), len(order))
        for number, identity in enumerate(order, start=1)
        if identity in counted
    ]
    labels = [
        label_row(
            city.id, "muestra", row["manifestation_id"], counted[row["manifestation_id"]][0], task, row[task], row["labeller"]
        )
        for row in rows
        for task in ("category", "sentiment")
        if row["manifestation_id"] in counted
    ]
    sample = sample_row("muestra", city.id, period, len(counted), len(order), taxonomy_version)
    append_sample(warehouse, sample, items, labels)


def append_sample(
    warehouse: Warehouse, sample: dict[str, Any], items: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]]
) -> None:
    with warehouse.transaction():
        warehouse.append("label_sample", [sample])
        warehouse.append("label_sample_item", items)
        warehouse.append("label", labels)


def sample_row(
    sample_id: str,
    city_id: str,
    period: Period,
    population: int,
    drawn: int,
    taxonomy_version: str,
    *,
    channel: str = "online",
    design: str = "simple",
) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "city": city_id,
        "channel": channel,
        "period_start": period.start_utc,
        "period_end": period.end_utc,
        "seen_until": SEEN,
        "design": design,
        "seed": None,
        "population_count": population,
        "drawn_count": drawn,
        "taxonomy_version": taxonomy_version,
        "annotators": "{}",
        "run_id": "sample",
    }


def drawn_row(
    sample_id: str, identity: str, position: int, message: tuple[str, str], stratum: str, of: int, drawn: int
) -> dict[str, Any]:
    version, source_id = message
    return {
        "sample_id": sample_id,
        "manifestation_id": identity,
        "version": version,
        "position": position,
        "source_id": source_id,
        "stratum": stratum,
        "stratum_count": of,
        "stratum_drawn": drawn,
    }


def label_row(
    city_id: str,
    sample_id: str,
    identity: str,
    version: str | None,
    task: str,
    label: str,
    labeller: str,
    *,
    import_number: int = 1,
) -> dict[str, Any]:
    return {
        "city": city_id,
        "sample_id": sample_id,
        "manifestation_id": identity,
        "version": version,
        "task": task,
        "label": label,
        "labeller": labeller,
        "run_id": f"import-{import_number}",
        "import_number": import_number,
    }
