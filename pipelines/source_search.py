"""`sources add`: look at an address, try the doors that it has, and write down the best one for a person to approve."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors.addresses import check_web_address
from collectors.catalog import City, Source
from collectors.doors import Door, Look, NoDoor, Rank, plain
from collectors.pseudonyms import load_secret
from collectors.spiders import SPIDERS
from collectors.yaml_errors import ConfigurationError
from pipelines.checks import judge_trial, tell_pace
from pipelines.project import Project, ProjectError
from pipelines.source_entry import (
    ID_PATTERN,
    MOST_ID,
    EntryFacts,
    append_entry,
    known_as,
    load_entry,
    render_entry,
    same_site,
)
from pipelines.source_look import Progress, is_web, look_at
from pipelines.trials import Trial, try_sources

MOST_TRIALS = 3
NOTHING = (
    "nothing was found that a collector reads by itself; if the pages show people's messages, say where they stand: platform "
    "`page` with selectors (CONTRIBUTING.md, An odd site)"
)


@dataclass(kw_only=True)
class Tried:
    """A door, its entry, and what its trial brought."""

    door: Door
    source: Source
    entry: str
    status: str
    """Of the trial, or `not_tried`."""

    said: str
    pace: dict[str, Any]
    message_count: int = 0
    item_count: int = 0
    trial: Trial | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        names = ("platform", "url", "evidence", "options", "needs")
        told = {name: value for name, value in self.door.as_json().items() if name in names}
        counts = {"status": self.status, "said": self.said, "item_count": self.item_count, "message_count": self.message_count}
        return {**told, **counts, **self.pace}


@dataclass(kw_only=True)
class Search:
    """What a search found, did, and leaves to a person."""

    city: str
    url: str
    look: Look
    reason: str = ""
    """Why there is no entry, "" if there is one."""

    tried: list[Tried] = field(default_factory=list)
    chosen: Tried | None = None
    neighbours: Sequence[str] = ()
    """Sources of the city on the same site."""

    written: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        chosen = self.chosen
        return {
            "city": self.city,
            "url": self.url,
            "final_url": self.look.url,
            "moved_from": self.look.moved_from,
            "visits": self.look.visits,
            "remarks": self.look.remarks,
            "doors": [one.as_json() for one in self.tried],
            "chosen": None
            if chosen is None
            else {"id": chosen.source.id, "pending": chosen.source.pending, "entry": chosen.entry, **chosen.as_json()},
            "same_site": list(self.neighbours),
            "reason": self.reason,
            "written": None if self.written is None else str(self.written),
        }


def add_source(
    project: Project,
    city_id: str,
    url: str,
    *,
    source_id: str | None = None,
    platform: str | None = None,
    publisher: str | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Search:
    """Find the best door of an address and append its entry, not enabled, to the city's file.

    Args:
        project: the project folder.
        city_id: the city.
        url: a web address, or the path of a file inside the project folder.
        source_id: id of the entry; by default one from the host.
        platform: only doors of this platform.
        publisher: name of the publisher; by default what the page calls itself.
        dry_run: True: look and try, and write nothing.
        progress: told of each step, one line each.

    Raises:
        ProjectError: if the address, the id or the platform cannot be used, or the address is a source already.
        SecretError: if no secret is set and the city is not synthetic; nothing has been fetched then.
    """
    city = project.load_city(city_id)
    url = check_request(project, city, url, source_id=source_id, platform=platform)
    load_secret(os.environ, synthetic=city.synthetic)
    search = Search(city=city.id, url=url, look=Look(url=url))
    try:
        search.look, search.reason = look_at(project, city, url, progress)
    except NoDoor as closed:
        search.reason = str(closed)
    search.neighbours = same_site(city, search.look.url)
    doors = search.look.ranked()
    if platform is not None and not search.reason:
        doors = [door for door in doors if door.platform == platform] or _bare_door(platform, search.look)
    if not doors:
        search.reason = search.reason or NOTHING
        return search
    known = known_as(city, doors[0].url, doors[0].platform)
    if known is not None:
        raise ProjectError(f"{doors[0].url} is the source {known!r} of {city.id} already")
    doors = [door for door in doors if known_as(city, door.url, door.platform) is None]
    facts = EntryFacts(city, search.look, source_id, publisher)
    search.tried = list(_try(project, city, doors, facts, progress))
    search.chosen = choose_door(search.tried)
    if search.chosen is None:
        search.reason = "; ".join(["no door opened", *(f"{one.door.platform}: {one.said}" for one in search.tried)])
        return search
    if not dry_run:
        append_entry(project.city_file(city.id), search.chosen.entry, search.chosen.source)
        search.written = project.city_file(city.id)
    return search


def check_request(project: Project, city: City, url: str, *, source_id: str | None, platform: str | None) -> str:
    """Check what was asked for before anything is fetched; return the address as an entry would have it.

    Raises:
        ProjectError: saying what cannot be used, and what is allowed.
    """
    if platform is not None and platform not in SPIDERS:
        raise ProjectError(f"--platform {platform!r}: unknown; available: {', '.join(sorted(SPIDERS))}")
    if source_id is not None and not re.fullmatch(ID_PATTERN, source_id):
        raise ProjectError(f"--id {source_id!r}: write small letters, digits and single hyphens, at most {MOST_ID} characters")
    if source_id is not None and source_id in {source.id for source in city.sources}:
        raise ProjectError(
            f"--id {source_id!r} is a source of {city.id} already; its ids: {', '.join(s.id for s in city.sources)}"
        )
    url = url.strip() if is_web(url) else _inside(project, url)
    if is_web(url):
        try:
            check_web_address(url)
        except ValueError as error:
            raise ProjectError(f"{plain(url)!r} {error}") from error
        host = urlsplit(url).hostname or ""
        if city.synthetic and not any(fnmatchcase(host, pattern) for pattern in city.hosts):
            raise ProjectError(
                f"{city.id} is synthetic, and its key is published: it may not listen to a real site such as {host}; "
                "add it to a city without `synthetic: true`"
            )
    known = known_as(city, url, platform)
    if known is not None:
        raise ProjectError(f"{url} is the source {known!r} of {city.id} already")
    return url


def _inside(project: Project, path: str) -> str:
    """Return a path as an entry has it: inside the project, from its folder on, `/` between."""
    found = next((one for one in (Path(path), project.root / path) if one.is_file()), None)
    if found is None:
        raise ProjectError(f"{path!r} is neither a web address (https://…) nor a file; write one or the other")
    whole = found.resolve()
    if not whole.is_relative_to(project.root.resolve()):
        raise ProjectError(f"{path!r} lies outside the project; copy it into {project.root / 'data' / 'imports'} first")
    return whole.relative_to(project.root.resolve()).as_posix()


def _bare_door(platform: str, look: Look) -> list[Door]:
    """Return the door of a platform that somebody names although nothing shows it, where it needs no options."""
    return [
        Door(platform=platform, url=look.url, rank=Rank.PAGE, evidence=("named with --platform; nothing on the page shows it",))
    ]


def _try(project: Project, city: City, doors: Sequence[Door], facts: EntryFacts, progress: Progress) -> Iterator[Tried]:
    """Try the doors in their order, at most `MOST_TRIALS`, until one brings people's messages; yield each with its outcome."""
    trials = 0
    for door in doors:
        if trials == MOST_TRIALS:
            return
        entry = render_entry(facts.entry(door, None))
        try:
            source = load_entry(city, entry)
        except ConfigurationError as error:
            told = (f"{problem.where.partition(').')[2]} {problem.message}".strip() for problem in error.problems)
            why = "; ".join(dict.fromkeys(told))
            facts.look.remarks.append(plain_sentence(f"`{door.platform}` is no door for {city.id}: {why}"))
            continue
        missing = _missing(source, door)
        if missing:
            yield Tried(door=door, source=source, entry=entry, status="not_tried", said=f"not tried: {missing}", pace={})
            continue
        trials += 1
        progress(f"trying it as `{door.platform}`: {door.url}")
        (trial,) = try_sources(project, city, [source])
        status, said = judge_trial(trial)
        entry = render_entry(facts.entry(door, trial))
        source = load_entry(city, entry)
        yield Tried(
            door=door,
            source=source,
            entry=entry,
            status=status,
            said=plain_sentence(said),
            pace=tell_pace(trial),
            message_count=trial.messages,
            item_count=len(trial.items),
            trial=trial,
        )
        if trial.messages:
            return


def plain_sentence(text: str) -> str:
    """Return a sentence without anything that a terminal would act on."""
    return "".join(character for character in text if character.isprintable())


def _missing(source: Source, door: Door) -> str:
    """Return what keeps a source from being tried: a value only a person knows, a key, a price; "" if nothing does."""
    told = json.dumps(source.options.model_dump(mode="json", warnings=False))
    if any(place.startswith("options") for place in source.pending):
        return "it needs what only a person can bring"
    if source.options.cost:
        return f"asking costs: {source.options.cost}"
    names = [word.removeprefix("env:") for word in told.replace('"', " ").split() if word.startswith("env:")]
    unset = [name for name in names if not os.environ.get(name)]
    return f"it needs the environment variable {', '.join(unset)}" if unset else ""


def choose_door(tried: Sequence[Tried]) -> Tried | None:
    """Return the door to propose: one that brings messages, else one that could not be tried, else one that brings anything."""
    orders: Sequence[Callable[[Tried], bool]] = (
        lambda one: one.message_count > 0 and one.status != "failed",
        lambda one: one.status == "not_tried",
        lambda one: one.item_count > 0 and one.status != "failed",
        lambda one: one.status == "empty",
    )
    return next((one for fits in orders for one in tried if fits(one)), None)
