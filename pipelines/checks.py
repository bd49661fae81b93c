"""Checks before a run: whether each source's front door opens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from collectors.catalog import City, Source
from collectors.health import Reason, SourceHealth
from collectors.pseudonyms import load_secret
from pipelines.pace import MONTH_DAYS, measure_pace, tell_reach, tell_yield
from pipelines.project import Project
from pipelines.source_record import Records, load_records, tell_record
from pipelines.trials import TRIAL_REQUESTS, Trial, try_sources

__all__ = ["REMEDIES", "TRIAL_REQUESTS", "check_city_sources", "judge_trial"]

DoorStatus = Literal["ok", "empty", "partial", "failed", "disabled"]

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
    "quarantined": "it failed several days in a row and rests; `escucha collect CITY --from DAY --source ID` asks it anyway",
    "consent_wall": "a notice on cookies stands in the place of the page, and nothing agrees to it here: name a feed of the site",
    "login_wall": "the page is for members: name a public address, or ask the publisher for an export",
    "captcha": "the site wants to know that a person reads: it is left alone; ask its publisher for a feed or for leave",
    "soft_404": "the page says that it does not exist: open the address in a browser and correct `url`",
    "not_archived": "nothing to do: a page was not in the raw archive, and nothing was fetched",
    "excluded": "the list of exclusions names the address: take the source out of the city's file, or the address off the list",
    "nothing_published": "a quiet source is no fault; one that used to speak may have moved: open the address in a browser",
}
"""What a person can do about a front door that does not open, by the reason in the source's health."""


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
        `first_published` and `last_published` (ISO 8601 UTC, or None), `since` (what the warehouse tells of earlier
        collections), `reach` (how far back it reaches) and `monthly` (what a month would bring), each with its `said`, the
        last two None for a source that was not asked; in the order in which the sources end.

    Raises:
        SecretError: if no secret is set and the city is not synthetic; nothing has been fetched then.
    """
    load_secret(os.environ, synthetic=city.synthetic)
    for result in _try_sources(project, city):
        if progress is not None:
            progress(result)
        yield result


def _try_sources(project: Project, city: City) -> Iterator[dict[str, Any]]:
    records = load_records(project, city)
    for source in city.sources:
        if not source.enabled:
            said = "not asked: set `enabled: true` once somebody has approved it"
            health = SourceHealth(source_id=source.id, status="not_collected", reason="disabled")
            yield _result(source, "disabled", said, health) | _since(records, source, city.zone)
        elif source.options.cost:
            said = f"not asked, since asking costs: {source.options.cost}; `escucha collect {city.id} --from DAY` asks"
            health = SourceHealth(source_id=source.id, status="not_collected", reason="none")
            yield _result(source, "disabled", said, health) | _since(records, source, city.zone)
    enabled = [source for source in city.sources if source.enabled and not source.options.cost]
    for trial in try_sources(project, city, enabled):
        result = _result(trial.source, *judge_trial(trial), trial.health)
        yield result | _since(records, trial.source, city.zone) | tell_pace(trial)


def judge_trial(trial: Trial) -> tuple[DoorStatus, str]:
    """Return (status, what to say): a spent trial budget is no fault, a door behind which nothing is readable is one."""
    source, health, zone = trial.source, trial.health, trial.period.zone
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
    if health.reason == "interrupted" and trial.log:
        return "failed", f"{health.detail} ({trial.log}); {remedy}"
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
        "since": None,
        "reach": None,
        "monthly": None,
    }


def _since(records: Records, source: Source, zone: ZoneInfo) -> dict[str, Any]:
    """Return what the warehouse tells of a source, as values and as a sentence."""
    record = records.by_source.get(source.id)
    known = {} if record is None else {key: _as_json(value) for key, value in asdict(record).items()}
    return {"since": {"said": tell_record(records, source.id, zone), "warehouse": records.state, **known}}


def tell_pace(trial: Trial) -> dict[str, Any]:
    """Return `reach` and `monthly` of a trial, as values and as sentences; None for both where it brought no item."""
    if not trial.items:
        return {"reach": None, "monthly": None}
    pace = measure_pace(trial)
    every = pace.collect_every
    return {
        "reach": {
            "said": tell_reach(pace, trial),
            "oldest": _as_json(pace.oldest),
            "last_entries_only": pace.last_only,
            "collect_every_hours": None if every is None else every.total_seconds() / 3600,
        },
        "monthly": {
            "said": tell_yield(pace),
            "item_count": pace.within(MONTH_DAYS),
            "message_count": pace.messages_per_month,
            "based_on": pace.dated_count,
            "days": None if pace.span is None else round(pace.span.total_seconds() / 86_400, 2),
            "at_least": not pace.whole,
        },
    }


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
