"""Trials: the real crawl of a source with a tiny budget, in a folder that is thrown away."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from collectors.catalog import City, Source
from collectors.health import SourceHealth
from collectors.items import Kind
from collectors.period import Period
from collectors.spool import load_health, load_items, spool_paths
from pipelines.collect import crawl
from pipelines.project import Project

TRIAL_REQUESTS = 6
"""Requests that a source is asked for: robots.txt, the first address and a few behind it, with a redirect to spare."""

TRIAL_DAYS = 90
"""Days before now that a source is asked for."""


@dataclass(frozen=True)
class TrialProject(Project):
    """A project whose city files are read from another folder; the rest stays where it is."""

    trial_cities: Path

    @property
    def cities(self) -> Path:
        """Folder of the copied city file."""
        return self.trial_cities


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What the trial of one source brought; the items' words are gone with the folder."""

    source: Source
    period: Period
    """The window that was asked for: the last `TRIAL_DAYS`."""

    health: SourceHealth
    items: Sequence[tuple[Kind, datetime | None]]
    """Kind and date of each item, in the order in which they were seen."""

    log: str
    """The last line of the crawl's log, "" if there is none."""

    @property
    def messages(self) -> int:
        """Items that are people's messages."""
        return sum(kind == "manifestation" for kind, _ in self.items)


def try_sources(project: Project, city: City, sources: Sequence[Source]) -> Iterator[Trial]:
    """Try sources with the real crawl and a tiny budget, in the order in which they end; nothing is kept.

    Args:
        project: where local files and the replay are.
        city: its contact, zone and hosts count; its own sources need not be those that are tried.
        sources: what is tried, enabled or not.
    """
    if not sources:
        return
    tried = city.model_copy(update={"sources": tuple(sources)})
    period = trial_period(city)
    with tempfile.TemporaryDirectory(prefix="escucha-check-") as temporary:
        folder = Path(temporary)
        (folder / f"{city.id}.yml").write_text(trial_document(tried), encoding="utf-8")
        spool = folder / "spool"
        for source_id in crawl(TrialProject(project.root, folder), tried, period, sources, spool):
            health = load_health(spool, source_id)
            has_items = spool_paths(spool, source_id).items.is_file()
            items = [(item.kind, item.published_at) for item in load_items(spool, source_id)] if has_items else []
            log = _last_line(spool / "crawl.log")
            yield Trial(source=tried.source(source_id), period=period, health=health, items=items, log=log)


def trial_document(city: City, *, requests: int = TRIAL_REQUESTS) -> str:
    """Return the city's file with tiny budgets and no expectations, as JSON, which is YAML too."""
    document = city.model_dump(mode="json", exclude_none=True, exclude={"defaults", "published"}, warnings=False)
    for entry in document["sources"]:
        budget = entry["budget"]
        budget["requests"] = min(budget["requests"], requests)
        budget["seconds"] = min(budget["seconds"], 180 + round(requests * entry["delay_seconds"] * 2))
        entry["expect"] = {"min": 0, "max": sys.maxsize}
    return json.dumps(document, ensure_ascii=False)


def trial_period(city: City) -> Period:
    """Return the last `TRIAL_DAYS` before the city's now."""
    now = city.now().astimezone(city.zone)
    return Period(now - timedelta(days=TRIAL_DAYS), now, city.zone)


def _last_line(log: Path) -> str:
    """Return the last line of a crawl's log (which names errors and never quotes a text), "" if there is none."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
