"""The gazetteer of a city, `data/places/CITY.yml`: from the file to the places that the models look for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collectors.yaml_errors import Place as Location
from collectors.yaml_errors import load_yaml, validate_document
from models.entities import Place, name_forms

PlaceKind = Literal["zone", "avenue", "market", "park", "school", "health_centre", "stop"]
"""What a place is."""

Written = Annotated[str, Field(min_length=2, pattern=r"[^\W_]")]

_ARTICLES = ("la ", "el ", "los ", "las ")


def bare_name(said: str) -> str:
    """Return how a message names a place without the lower-case article of the sentence."""
    article = next((article for article in _ARTICLES if said.startswith(article)), "")
    return said.removeprefix(article)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PlaceEntry(_Closed):
    """One place of the file."""

    kind: PlaceKind
    said: Written
    """How a message names it, with a lower-case article where the sentence wants one: "la av. Los Frutales"."""

    aliases: tuple[Written, ...] = ()
    lat: float | None = Field(default=None, ge=-90, le=90)
    """Degrees; a rough point where the file says so."""
    lon: float | None = Field(default=None, ge=-180, le=180)
    zone: Written | None = None
    """The name of the zone of this file that it lies in, where that is known; a zone lies in none."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon belong together; give both or none")
        return self

    @property
    def name(self) -> str:
        """`said` without the article of the sentence."""
        return bare_name(self.said)

    @property
    def place(self) -> Place:
        """What the models look for; `said` stays a spelling of its own."""
        return Place(self.name, self.kind, tuple(dict.fromkeys((self.said, *self.aliases))))


class Gazetteer(_Closed):
    """The whole of the file."""

    district: Written
    coordinates: Literal["approximate", "surveyed"] = "approximate"
    places: tuple[PlaceEntry, ...] = Field(min_length=1)


def load_gazetteer(path: Path) -> Gazetteer:
    """Load a city's gazetteer, coordinates included.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line; also if there is no such file.
    """
    state = path.stat() if path.is_file() else None
    return _load_as_it_stands(path, (state.st_mtime_ns, state.st_size) if state else None)


@lru_cache(maxsize=8)
def _load_as_it_stands(path: Path, _: tuple[int, int] | None) -> Gazetteer:
    """Load a file that several steps of one report read, once for each state of it."""
    document = load_yaml(path)
    return validate_document(Gazetteer, document, path, extra_checks=lambda: _find_problems(document))


def load_places(path: Path) -> tuple[Place, ...]:
    """Load the places of a city's gazetteer, in the order of the file; see `load_gazetteer` for the errors."""
    return tuple(entry.place for entry in load_gazetteer(path).places)


def _find_problems(document: Any) -> Iterator[tuple[Location, str]]:
    """Find what only the whole file can show."""
    yield from _find_doubles(document)
    yield from _find_lost_zones(document)


def _find_lost_zones(document: Any) -> Iterator[tuple[Location, str]]:
    """Find places that name no zone of the file as theirs."""
    entries = document.get("places")
    entries = [entry if isinstance(entry, dict) else {} for entry in (entries if isinstance(entries, list) else ())]
    zones = [bare_name(said) for entry in entries if entry.get("kind") == "zone" and isinstance(said := entry.get("said"), str)]
    for number, entry in enumerate(entries):
        if not isinstance(zone := entry.get("zone"), str):
            continue
        if entry.get("kind") == "zone":
            yield ("places", number, "zone"), "a zone lies in no zone; leave `zone` out"
        elif zone not in zones:
            yield ("places", number, "zone"), f"{zone!r} is no zone of this file; allowed: {', '.join(zones) or 'none'}"


def _find_doubles(document: Any) -> Iterator[tuple[Location, str]]:
    """Find names that mean two places, and names that hold nothing but articles; the schema finds malformed entries."""
    owners: dict[tuple[str, ...], tuple[int, str]] = {}
    entries = document.get("places")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        for location, name in _names_of(entry, number):
            forms = name_forms(name)
            if not forms:
                yield location, f"{name!r} holds no word but articles; allowed: a name"
            for form in forms:
                owner, said = owners.setdefault(form, (number, name))
                if owner != number:
                    yield location, f"{name!r} already names places[{owner + 1}] ({said!r}); a spelling may name one place only"
                    break


def _names_of(entry: Any, number: int) -> Iterator[tuple[Location, str]]:
    if not isinstance(entry, dict):
        return
    if isinstance(said := entry.get("said"), str):
        yield ("places", number, "said"), said
    aliases = entry.get("aliases")
    for position, alias in enumerate(aliases if isinstance(aliases, list) else ()):
        if isinstance(alias, str):
            yield ("places", number, "aliases", position), alias
