"""Checks before a run: whether each source's front door opens."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from collectors.catalog import City, Source
from collectors.health import Reason, SourceHealth
from collectors.period import Period
from collectors.pseudonyms import load_secret
from collectors.spool import load_health
from pipelines.collect import crawl
from pipelines.project import Project

DoorStatus = Literal["ok", "empty", "partial", "failed", "disabled"]

TRIAL_REQUESTS = 6
"""Requests that a source is asked for: robots.txt, the first address and a few behind it, with a redirect to spare."""

TRIAL_DAYS = 90
"""Days before now that a source is asked for."""

REMEDIES: Mapping[Reason, str] = {
    "unreachable": "open the address in a browser; correct `url`, or try again later",
    "http_error": "open the address in a browser and correct `url`; a site that refuses programs has to be asked for leave",
    "robots_closed": "the site wants no programs there: ask its publisher for leave or another address, or set `enabled: false`",
    "robots_unreachable": "check the host in `url`; as long as it does not answer, the site counts as closed: try again later",
    "malformed": "check `platform`, `url` and `options` against what the site serves now",
    "parse_error": "check `platform`, `url` and `options` against what the site serves now",
    "missing_column": "write the headings in `options.columns` exactly as the file does",
    "missing_file": "put the file there, or correct `url` (a path inside the project folder, * allowed)",
    "secret_missing": "set the environment variable that the city's file names; the README says how to get the key",
    "secret_refused": "renew the key with the platform, or ask there for the permission that is named; the README says how",
    "rate_limited": "the platform asks to wait: run again later, or raise `delay_seconds`",
    "unchanged": "nothing to do: the site says that nothing changed since the last collection",
    "budget_requests": "check `url` and `options`: the first pages show no item",
    "budget_megabytes": "raise `budget.megabytes`, or name a smaller file in `url`",
    "budget_seconds": "the site answers very slowly: try again later, or raise `budget.seconds`",
    "budget_depth": "raise `budget.depth`, or check whether the pages lead on for ever",
    "too_large": "name a smaller page or file in `url`: what is larger than 20 MiB, also once unpacked, is not downloaded",
    "extract_timeout": "open the page that is named: if it is huge, name smaller ones in `url` or `options`; if not, report it",
    "extract_memory": "open the page that is named: if it is huge, name smaller ones in `url` or `options`; if not, report it",
    "extract_too_large": "choose smaller pages in `url` or `options`; what is larger than the limit is not read",
    "extract_empty": "open the page that is named in a browser, and correct the selectors in `options` by what it shows",
    "interrupted": "check again",
    "excluded": "the list of exclusions names the address: take the source out of the city's file, or the address off the list",
    "nothing_published": "a quiet source is no fault; one that used to speak may have moved: open the address in a browser",
}
"""What a person can do about a front door that does not open, by the reason in the source's health."""


@dataclass(frozen=True)
class TrialProject(Project):
    """A project whose city files are read from another folder; the rest stays where it is."""

    trial_cities: Path

    @property
    def cities(self) -> Path:
        """Folder of the copied city file."""
        return self.trial_cities


def check_city_sources(
    project: Project, city: City, *, progress: Callable[[dict[str, Any]], None] | None = None
) -> Iterator[dict[str, Any]]:
    """Try the front door of each source with the real crawl and a tiny budget; nothing is kept.

    A disabled source is not asked: nobody has approved it yet. Nor is one whose platform takes money for what is read.

    Args:
        project: where local files and the replay are.
        city: whose sources.
        progress: called with each result before it is yielded.

    Yields:
        `id`, `platform`, `status` (a `DoorStatus`), `said` (what works, or what is wrong and how to mend it), `item_count`,
        `first_published` and `last_published` (ISO 8601 UTC, or None), in the order in which the sources end.

    Raises:
        SecretError: if no secret is set and the city is not synthetic; nothing has been fetched then.
    """
    load_secret(os.environ, synthetic=city.synthetic)
    for result in _try_sources(project, city):
        if progress is not None:
            progress(result)
        yield result


def _try_sources(project: Project, city: City) -> Iterator[dict[str, Any]]:
    for source in city.sources:
        if not source.enabled:
            said = "not asked: set `enabled: true` once somebody has approved it"
            yield _result(source, "disabled", said, SourceHealth(source_id=source.id, status="not_collected", reason="disabled"))
        elif source.options.cost:
            said = f"not asked, since asking costs: {source.options.cost}; `escucha collect` asks"
            yield _result(source, "disabled", said, SourceHealth(source_id=source.id, status="not_collected", reason="none"))
    enabled = [source for source in city.sources if source.enabled and not source.options.cost]
    if not enabled:
        return
    with tempfile.TemporaryDirectory(prefix="escucha-check-") as temporary:
        folder = Path(temporary)
        (folder / f"{city.id}.yml").write_text(_trial_document(city), encoding="utf-8")
        spool = folder / "spool"
        for source_id in crawl(TrialProject(project.root, folder), city, _trial_period(city), enabled, spool):
            health = load_health(spool, source_id)
            source = city.source(source_id)
            yield _result(source, *_judge(source, health, city.zone, _last_line(spool / "crawl.log")), health)


def _trial_document(city: City) -> str:
    """Return the city's file with tiny budgets and no expectations, as JSON, which is YAML too."""
    document = city.model_dump(mode="json", exclude_none=True, exclude={"defaults", "published"})
    for entry in document["sources"]:
        budget = entry["budget"]
        budget["requests"] = min(budget["requests"], TRIAL_REQUESTS)
        budget["seconds"] = min(budget["seconds"], 180 + round(TRIAL_REQUESTS * entry["delay_seconds"] * 2))
        entry["expect"] = {"min": 0, "max": sys.maxsize}
    return json.dumps(document, ensure_ascii=False)


def _trial_period(city: City) -> Period:
    now = (city.clock or datetime.now(UTC)).astimezone(city.zone)
    return Period(now - timedelta(days=TRIAL_DAYS), now, city.zone)


def _judge(source: Source, health: SourceHealth, zone: ZoneInfo, log: str) -> tuple[DoorStatus, str]:
    """Return (status, what to say): a spent trial budget is no fault, a door behind which nothing is readable is one."""
    spent = health.reason.startswith("budget_")
    remedy = REMEDIES.get(health.reason, "")
    if health.item_count and (spent or health.status == "ok"):
        if health.undated_count == health.item_count:
            undated = "no item has a date that is understood: check where `options` takes it from"
            return "partial", f"{_read(source, health, zone)}; {undated}"
        return "ok", _read(source, health, zone)
    if health.status == "empty":
        where = "answers in the expected format" if source.host else "is there and has the mapped columns"
        return "empty", f"it {where} and holds no item; {remedy}"
    if health.reason == "interrupted" and log:
        return "failed", f"{health.detail} ({log}); {remedy}"
    lost = health.status == "failed" or (health.item_count == 0 and not spent)
    return ("failed" if lost else "partial"), f"{health.detail}; {remedy}"


def _read(source: Source, health: SourceHealth, zone: ZoneInfo) -> str:
    door = "robots.txt allows it, the address answers" if source.host else "the file is there with the mapped columns"
    dates = [
        datetime.fromisoformat(value).astimezone(zone).date().isoformat()
        for value in (health.first_published_at, health.last_published_at)
        if value
    ]
    return f"{door} and reads as `{source.platform}`: {health.item_count} items" + (f", {' to '.join(dates)}" if dates else "")


def _result(source: Source, status: DoorStatus, said: str, health: SourceHealth) -> dict[str, Any]:
    return {
        "id": source.id,
        "platform": source.platform,
        "status": status,
        "said": "".join(character for character in said if character.isprintable()),
        "item_count": health.item_count,
        "first_published": health.first_published_at,
        "last_published": health.last_published_at,
    }


def _last_line(log: Path) -> str:
    """Return the last line of a crawl's log (which names errors and never quotes a text), "" if there is none."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
