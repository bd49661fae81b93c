"""A source's entry in a city's file: written for a person to approve, and put there without touching anything else."""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml.comments import CommentedSeq

from collectors.catalog import City, Source, load_city
from collectors.doors import Door, Look, plain
from collectors.network import site_of
from collectors.spool import write_whole
from collectors.yaml_errors import ConfigurationError, load_yaml
from pipelines.pace import guess_expectation, measure_pace
from pipelines.project import ProjectError
from pipelines.trials import Trial

TEMPLATES = Path(__file__).with_name("entries")
MOST_ID = 40
ID_PATTERN = rf"(?=.{{1,{MOST_ID}}}$)[a-z0-9]+(-[a-z0-9]+)*"
"""Of a source's id, as the catalogue demands it."""

# What YAML (1.1, as it is read) takes as the end of a line.
_LINE = re.compile("[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+$")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
PERIOD_DAYS: Mapping[str, int] = {"week": 7, "month": 30, "quarter": 91}
USUAL_RETENTION = 365
_WORDS_OF_YAML = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_GENERIC = frozenset(("com", "org", "net", "gob", "gov", "edu", "info", "co", "gub", "mil"))


def render_entry(values: Mapping[str, Any]) -> str:
    """Return the YAML of one entry, from its dash on, without indentation; every value is quoted where it needs to be."""
    # No autoescape: this is YAML, whose quoting the filter does.
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    environment.filters["yaml"] = flow_yaml
    return environment.get_template("source.yml.jinja").render(values).strip() + "\n"


def flow_yaml(value: object) -> str:
    """Return a value as YAML on one line: a JSON text is one, and plain words need no quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_yaml(str(key))}: {flow_yaml(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow_yaml, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    return json.dumps(value, ensure_ascii=isinstance(value, str) and not value.isprintable())


@dataclass(frozen=True)
class EntryFacts:
    """What every entry of one search is made of, beside its door."""

    city: City
    look: Look
    source_id: str | None
    publisher: str | None

    def entry(self, door: Door, trial: Trial | None) -> dict[str, Any]:
        """Return the values of an entry for the template."""
        taken = {source.id for source in self.city.sources}
        name = plain(self.publisher) or self.look.title or plain(urlsplit(door.url).hostname) or Path(door.url).stem
        municipal = (urlsplit(door.url).hostname or "").removeprefix("www.").startswith("muni")
        low, high = guess_expectation(measure_pace(trial), days=PERIOD_DAYS[self.city.period]) if trial else (0, 1_000)
        retention = door.retention_days or (None if "retention_days" in self.city.defaults else USUAL_RETENTION)
        return {
            "id": self.source_id or free_id(door.url, taken),
            "platform": door.platform,
            "url": door.url,
            "channel": door.channel,
            "terms": self.look.terms,
            "publisher": name,
            "kind": "municipality" if municipal else door.kind,
            "official": municipal or door.kind == "municipality",
            "retention_days": retention,
            "low": low,
            "high": high,
            "estimated": trial is not None and measure_pace(trial).span is not None,
            "options": dict(door.options),
        }


def load_entry(city: City, entry: str) -> Source:
    """Return the source that an entry makes in a city, with the defaults of its file.

    Raises:
        ConfigurationError: if it makes none.
    """
    facts = city.model_dump(
        mode="json", exclude_none=True, include={"id", "name", "country", "official_code", "timezone", "contact"}
    )
    facts |= {"synthetic": city.synthetic, "hosts": dict(city.hosts), "defaults": _plain_defaults(city)}
    with tempfile.TemporaryDirectory(prefix="escucha-entry-") as folder:
        path = Path(folder) / f"{city.id}.yml"
        head = "".join(f"{key}: {json.dumps(value, ensure_ascii=False, default=str)}\n" for key, value in facts.items())
        path.write_text(f"{head}sources:\n{entry}", encoding="utf-8")
        return load_city(path).sources[0]


def _plain_defaults(city: City) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(dict(city.defaults), default=str))
    return loaded


def insert_entry(text: str, entry: str, *, path: Path) -> str:
    """Return a city file's text with an entry after its last source; all else stays as it is, byte for byte.

    Raises:
        ProjectError: if the sources are not written one below the other, so that none can be added without rewriting them.
    """
    column, first, last = _source_lines(path)
    lines = _LINE.findall(text)
    end = last + 1
    for number in range(last + 1, len(lines)):
        line = lines[number]
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip():
            continue
        if indent < column or (indent == column and not (column and line.lstrip().startswith("#"))):
            break  # the next key, or a comment that belongs to it
        end = number + 1
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    before = "".join(lines[:end])
    apart = newline if last == first or any(not line.strip() for line in lines[first:last]) else ""
    written = "".join(f"{' ' * column}{line}{newline}" for line in entry.rstrip("\n").split("\n"))
    return before + ("" if before.endswith("\n") else newline) + apart + written + "".join(lines[end:])


def _source_lines(path: Path) -> tuple[int, int, int]:
    """Return the column of the sources' dashes, and the lines (from 0) on which the first and the last source begin."""
    sources = load_yaml(path)["sources"]
    if not isinstance(sources, CommentedSeq) or sources.fa.flow_style() or not sources:
        raise ProjectError(f"{path.name}: its `sources` are not a list with one entry below the other; add the entry by hand")
    first, last = (sources.lc.item(number)[0] for number in (0, len(sources) - 1))
    return int(sources.lc.col), int(first), int(last)


def append_entry(path: Path, entry: str, expected: Source) -> City:
    """Put an entry behind the last source of a city's file, whole or not at all; return the city as it is then.

    Raises:
        ConfigurationError: if the file cannot be loaded any more.
        ProjectError: if what would be written does not load as the old city and this source; nothing is changed then.
    """
    before = path.read_bytes()
    old = load_city(path)
    after = insert_entry(before.decode("utf-8"), entry, path=path).encode("utf-8")
    with tempfile.TemporaryDirectory(prefix="escucha-entry-") as folder:
        draft = Path(folder) / path.name
        draft.write_bytes(after)
        try:
            new = load_city(draft)
        except ConfigurationError as error:
            raise ProjectError(f"{path.name} was left as it is: the entry would not load there: {error}") from error
    if new != old.model_copy(update={"sources": (*old.sources, expected)}):
        raise ProjectError(
            f"{path.name} was left as it is: the entry cannot be added to a file that is written so; add it by hand"
        )
    if path.read_bytes() != before:
        raise ProjectError(f"{path.name} was changed meanwhile and was left as it is: try again")
    target, mode = path.resolve(), path.stat().st_mode
    write_whole(target, after)
    target.chmod(mode)
    return new


def free_id(url: str, taken: Collection[str]) -> str:
    """Return an id for a source: from its host without what names no one (`www`, `com`, the country), or from its file's name."""
    if "://" in url:
        parts = urlsplit(url)
        labels = site_of(parts.hostname or "").split(".")
        known = labels if labels[-1].isdecimal() else [label for label in labels[:-1] if label not in _GENERIC] or labels
        shown = "-".join(known)
        if len(known) == 1 and known[0] in ("t", "bsky", "x", "facebook", "instagram", "youtube", "twitter"):
            shown = f"{_SPOKEN.get(known[0], known[0])}-{parts.path.rstrip('/').rpartition('/')[2]}"
    else:
        shown = Path(url).stem
    base = _as_id(shown) or "fuente"
    number = 1
    while (candidate := base if number == 1 else f"{base[: MOST_ID - 4].rstrip('-')}-{number}") in taken:
        number += 1
    return candidate


_SPOKEN = {"t": "telegram", "bsky": "bluesky"}


def _as_id(text: str) -> str:
    with suppress(UnicodeError):  # a name in another alphabet, as it travels
        text = text.encode("ascii").decode("idna")
    letters = unicodedata.normalize("NFD", text.casefold())
    folded = re.sub(r"[^a-z0-9]+", "-", "".join(letter for letter in letters if not unicodedata.combining(letter)))
    return folded.strip("-")[:MOST_ID].strip("-")


def same_address(one: str, other: str) -> bool:
    """Tell whether two addresses name the same place: with and without `www.`, `https`, a slash at the end, a fragment."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, ...]:
    if "://" not in url:
        return ("", url)
    parts = urlsplit(url)
    port = "" if parts.port in (None, 80, 443) else str(parts.port)
    path = parts.path.rstrip("/").removesuffix("/index.php").removesuffix("/index.html")
    return (site_of(parts.hostname or ""), port, path, parts.query)


def known_as(city: City, url: str, platform: str | None = None) -> str | None:
    """Return the id of the source that has this address (and, if given, this platform); None if none has."""
    fitting = (source for source in city.sources if platform in (None, source.platform))
    return next((source.id for source in fitting if same_address(source.url, url)), None)


def same_site(city: City, url: str) -> Sequence[str]:
    """Return the ids of the sources on the same site."""
    site = site_of(urlsplit(url).hostname or "") if "://" in url else ""
    return [
        source.id
        for source in city.sources
        if site and "://" in source.url and site_of(urlsplit(source.url).hostname or "") == site
    ]
