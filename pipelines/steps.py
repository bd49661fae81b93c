"""Steps: what a report computes in Python between its staged items and the SQL files of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.reports.actions import load_actions
from pipelines.reports.agreement import compute_agreement, load_agreement
from pipelines.reports.alerts import compute_alerts, load_alerts
from pipelines.reports.comparison import compute_comparison, load_comparison
from pipelines.reports.disclosure import compute_cells, load_levels
from pipelines.reports.emerging import stage_emerging
from pipelines.reports.estimates import compute_estimates, load_labels
from pipelines.reports.previous import keep_previous, load_previous
from pipelines.reports.quotes import stage_quotes
from pipelines.reports.texts import load_texts, stage_texts
from pipelines.staging import Build


@dataclass(frozen=True)
class Step:
    """One computation. What decides its result stands in `pipelines/reports`, whose digest is part of a report's id."""

    load: Callable[[Build], Any]
    """Stages what it reads; the plain value that it returns joins the inputs whose digest is the report's id."""

    compute: Callable[[Build], None]
    """Stages its results as temporary tables; called only for a report that does not exist yet."""


def _load_nothing(build: Build) -> None:
    """Read nothing beyond what is staged: what decides the result is among the inputs already."""


STEPS: Mapping[str, Step] = {
    "previous": Step(load_previous, keep_previous),
    "estimates": Step(load_labels, compute_estimates),
    "agreement": Step(load_agreement, compute_agreement),
    "comparison": Step(load_comparison, compute_comparison),
    "alerts": Step(load_alerts, compute_alerts),
    "texts": Step(load_texts, stage_texts),
    "emerging": Step(_load_nothing, stage_emerging),
    "quotes": Step(_load_nothing, stage_quotes),
    "actions": Step(load_actions, _load_nothing),
    "persons": Step(load_levels, compute_cells),
}
"""Name -> step, in the order in which they run; a later one may read what an earlier one staged."""
