"""One look at an address or at a file of the project: which doors there are, and why there is none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from collectors.catalog import City, Source
from collectors.doors import Look, door_of_service
from collectors.doors.documents import local_door
from collectors.doors.spider import LOOK_FILE, MOST_REQUESTS
from collectors.health import SourceHealth, SourceProblem
from collectors.spiders.document import MAX_LOCAL_BYTES
from collectors.spool import load_health
from pipelines.checks import REMEDIES
from pipelines.collect import crawl
from pipelines.project import Project
from pipelines.trials import TrialProject, trial_document, trial_period

LOOK_ID = "look"
LOOK_BUDGET = {"requests": MOST_REQUESTS, "megabytes": 12, "seconds": 180}

Progress = Callable[[str], None]
"""Told of each step, one line each."""


def is_web(url: str) -> bool:
    """Tell whether an address is one of the web, and no path."""
    return "://" in url


def look_at(project: Project, city: City, url: str, progress: Progress) -> tuple[Look, str]:
    """Return what there is at an address, and why there is nothing, "" if something is.

    Raises:
        NoDoor: if it is a service that has no lawful door.
    """
    look = Look(url=url)
    if not is_web(url):
        file = project.root / url
        if file.stat().st_size > MAX_LOCAL_BYTES:
            return look, f"{url}: larger than {MAX_LOCAL_BYTES:,} bytes"
        try:
            look.doors.append(local_door(file.read_bytes(), url=url))
        except SourceProblem as problem:
            return look, problem.detail
        return look, ""
    service = door_of_service(url)
    if service is not None:
        look.visits.append(f"{url}: known by its address")
        look.doors.append(service)
        return look, ""
    progress(f"looking at {url} (at most {MOST_REQUESTS} requests)")
    found, health = fetch_look(project, city, url)
    if health.status == "failed" or (not found.doors and health.reason not in ("none", "nothing_published")):
        remedy = REMEDIES.get(health.reason, "")
        return found, f"{health.detail}; {remedy}" if remedy else health.detail
    return found, ""


def fetch_look(project: Project, city: City, url: str) -> tuple[Look, SourceHealth]:
    """Look at an address with the manners and limits of a crawl, in a process of its own; nothing is kept."""
    asked = Source.model_validate(
        {
            "id": LOOK_ID,
            "platform": "feed",
            "url": url,
            "publisher": {"name": LOOK_ID, "kind": "other", "official": False},
            "legal_basis": "look",
            "terms": url,
            "approved_by": "look",
            "retention_days": 1,
            "expect": {"min": 0, "max": 0},
            "budget": LOOK_BUDGET,
            "enabled": False,
        }
    )
    looked = city.model_copy(update={"sources": (asked,)})
    with tempfile.TemporaryDirectory(prefix="escucha-look-") as temporary:
        folder, spool = Path(temporary), Path(temporary) / "spool"
        (folder / f"{city.id}.yml").write_text(trial_document(looked, requests=MOST_REQUESTS), encoding="utf-8")
        trial_project = TrialProject(project.root, folder)
        for _ in crawl(trial_project, looked, trial_period(city), [asked], spool, module="collectors.discover"):
            continue
        file = spool / LOOK_FILE
        found = Look.from_json(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else Look(url=url)
        return found, load_health(spool, LOOK_ID)
