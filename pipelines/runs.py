"""Runs: who made a row, with which code, configuration, taxonomy and models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from collectors.catalog import City
from collectors.period import Period
from collectors.settings import VERSION
from models.annotator import Annotator
from models.settings import ModelsConfig, load_models_config
from models.taxonomy import Taxonomy, load_taxonomy
from pipelines.project import Project
from pipelines.taxonomies import load_city_taxonomy
from pipelines.warehouse import Warehouse, new_run_id

RunKind = Literal["collect", "reread", "annotate", "report", "retention", "label"]


class NothingToReport(RuntimeError):
    """Nothing was ever collected for the window."""


class NotAnnotated(RuntimeError):
    """Messages of the window have not been read by the configured annotators."""


class AuditFailed(RuntimeError):
    """A report's tables break a rule of theirs; nothing was written."""


@dataclass(frozen=True)
class Readers:
    """The taxonomy and the annotators that this version of the project reads with."""

    taxonomy: Taxonomy
    config: ModelsConfig
    annotators: dict[str, Annotator]
    """Annotator name -> annotator, each loaded once."""

    @property
    def taxonomy_version(self) -> str:
        """The taxonomy's version and the first 8 characters of its digest: a silent edit is another version too."""
        return self.taxonomy.revision

    def revisions(self) -> dict[str, str]:
        """Return task -> annotator@revision."""
        return {
            task: f"{choice.annotator}@{self.annotators[choice.annotator].revision}"
            for task, choice in sorted(self.config.tasks.items())
        }


def load_readers(project: Project | None = None, city_id: str | None = None) -> Readers:
    """Load the taxonomy and every annotator that serves a task.

    Args:
        project: its `data/models.yml` and its profile choose the annotators; without a project or that file, the one that ships.
        city_id: whose own taxonomy is read; without it, the one that ships.
    """
    taxonomy = load_city_taxonomy(project, city_id) if project and city_id else load_taxonomy()
    own = project.models_file if project and project.models_file.is_file() else None
    config = load_models_config(own, project.profile if project else None)
    config.check_thresholds(taxonomy)
    return Readers(taxonomy, config, {name: config.load(name, taxonomy) for name in config.annotator_names})


@dataclass
class Run:
    """A run under way: its id, and how it says that it ended."""

    run_id: str
    outcome: Literal["ok", "partial"] = "ok"
    detail: str = ""
    """Ids, counts and our own words."""


@contextmanager
def record_run(
    warehouse: Warehouse, project: Project, city: City, kind: RunKind, period: Period | None, readers: Readers | None = None
) -> Iterator[Run]:
    """Write a run row, hand out the run, and write how it ended, also if it was interrupted."""
    run_id = new_run_id()
    taxonomy_version = readers.taxonomy_version if readers else ""
    with warehouse.transaction():
        warehouse.append(
            "run",
            [
                {
                    "run_id": run_id,
                    "kind": kind,
                    "city": city.id,
                    "period_start": period.start_utc if period else None,
                    "period_end": period.end_utc if period else None,
                    "started_at": datetime.now(UTC),
                    "code_version": VERSION,
                    "config_digest": project.config_digest(city.id),
                    "taxonomy_version": taxonomy_version,
                    "annotators": json.dumps(readers.revisions() if readers else {}, sort_keys=True),
                }
            ],
        )
    outcome, detail = "failed", ""
    run = Run(run_id)
    try:
        yield run
        outcome, detail = run.outcome, run.detail
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    except Exception as error:
        detail = f"{type(error).__name__}"
        raise
    finally:
        with warehouse.transaction():
            row = {"run_id": run_id, "finished_at": datetime.now(UTC), "outcome": outcome, "detail": detail}
            warehouse.append("run_outcome", [row])
