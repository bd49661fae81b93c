"""Texts: what each counted manifestation says and where, staged as words and places for the tables and for later steps."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from itertools import groupby, islice
from typing import Any

from models.lemmas import load_lemmatiser
from pipelines.copies import LEAST_VOICES
from pipelines.digests import value_digest
from pipelines.places import Gazetteer, load_gazetteer
from pipelines.reports.place_reader import PlaceReader
from pipelines.reports.suppression import choose_shown
from pipelines.reports.words import WordReader
from pipelines.staging import REPORTS, Build, stage

TEXTS_REVISION = "1"
"""Goes up when the models' part in finding words or places changes; the code of the reports is digested as it stands."""

BATCH = 20_000
"""Texts whose rows are held at a time."""

WORD_COLUMNS = {"item": "bigint", "word": "varchar", "lemma": "varchar"}
PLACE_COLUMNS = {"item": "bigint", "place_id": "varchar"}
ENTRY_COLUMNS = {
    "place_id": "varchar",
    "position": "integer",
    "name": "varchar",
    "kind": "varchar",
    "zone_id": "varchar",
    "latitude": "double",
    "longitude": "double",
    "approximate": "boolean",
}


def load_texts(build: Build) -> dict[str, Any]:
    """Stage the gazetteer as `city_place`; return what decides which words and places are found.

    Raises:
        ConfigurationError: with all mistakes of the gazetteer.
    """
    gazetteer = load_city_gazetteer(build)
    build.warehouse.temporary("city_place", _entries(gazetteer), ENTRY_COLUMNS)
    return {
        "revision": TEXTS_REVISION,
        "lemmas": [load_lemmatiser(build.readers.config.lemmas).revision, version("simplemma"), version("spacy")],
        "gazetteer": value_digest(gazetteer.model_dump(mode="json")) if gazetteer else None,
    }


def load_city_gazetteer(build: Build) -> Gazetteer | None:
    """Load `data/places/CITY.yml`; None if the city has no such file."""
    path = build.project.root / "data" / "places" / f"{build.city.id}.yml"
    return load_gazetteer(path) if path.is_file() else None


def stage_texts(build: Build) -> None:
    """Stage `counted_item`, `item_word`, `item_place`, and from them `typical_word` and which places are told of."""
    warehouse = build.warehouse
    stage(warehouse, "counted_item", {})
    warehouse.temporary("item_word", [], WORD_COLUMNS)
    warehouse.temporary("item_place", [], PLACE_COLUMNS)
    gazetteer = load_city_gazetteer(build)
    words = WordReader(load_lemmatiser(build.readers.config.lemmas), build.places)
    places = PlaceReader(tuple(entry.place for entry in gazetteer.places) if gazetteer else ())
    texts = _read_texts(build)
    while batch := list(islice(texts, BATCH)):
        word_rows: list[dict[str, Any]] = []
        place_rows: list[dict[str, Any]] = []
        for items, text in batch:
            found, named = words.read(text), places.read(text)
            for item in items:
                word_rows += [{"item": item, "word": word.key, "lemma": word.lemma} for word in found]
                place_rows += [{"item": item, "place_id": place_id} for place_id in named]
        warehouse.append("item_word", word_rows)
        warehouse.append("item_place", place_rows)
    stage(warehouse, "word_spelling", {})
    stage(warehouse, "typical_word", {"least_voices": LEAST_VOICES})
    _stage_shown(build)


def _read_texts(build: Build) -> Iterator[tuple[list[int], str]]:
    """Yield each distinct text with the items that say it, so that what was passed on word by word is read once."""
    sql = (REPORTS / "staging" / "counted_text.sql").read_text(encoding="utf-8")
    # The rows are fetched before anything else is asked of the connection, which has one result at a time.
    for text, rows in groupby(build.warehouse.query(sql), key=lambda row: row[1]):
        yield [item for item, _ in rows], text


def _stage_shown(build: Build) -> None:
    """Stage `place_channel`, the channels whose places are told of, and `place_shown`, the places told of by name."""
    warehouse = build.warehouse
    ((place_count,),) = warehouse.query("select count(*) from city_place")
    persons: dict[str, dict[str, set[int]]] = {}
    silent: dict[str, set[int]] = {}
    sql = (REPORTS / "staging" / "named_place.sql").read_text(encoding="utf-8")
    for channel, place_id, person in warehouse.query(sql):
        if place_id is None:
            silent.setdefault(channel, set()).add(person)
        else:
            persons.setdefault(channel, {}).setdefault(place_id, set()).add(person)
    chosen = {
        channel: choose_shown(persons.get(channel, {}), silent.get(channel, set()), place_count=place_count, least=LEAST_VOICES)
        for channel in sorted({*persons, *silent})
    }
    told = [{"channel": channel} for channel, shown in chosen.items() if shown is not None]
    warehouse.temporary("place_channel", told, {"channel": "varchar"})
    rows = [{"channel": channel, "place_id": place} for channel, shown in chosen.items() for place in sorted(shown or ())]
    warehouse.temporary("place_shown", rows, {"channel": "varchar", "place_id": "varchar"})


def _entries(gazetteer: Gazetteer | None) -> list[dict[str, Any]]:
    if gazetteer is None:
        return []
    ids = {entry.name: entry.place.id for entry in gazetteer.places if entry.kind == "zone"}
    return [
        {
            "place_id": entry.place.id,
            "position": position,
            "name": entry.name,
            "kind": entry.kind,
            "zone_id": ids[entry.zone] if entry.zone else None,
            "latitude": entry.lat,
            "longitude": entry.lon,
            "approximate": gazetteer.coordinates == "approximate",
        }
        for position, entry in enumerate(gazetteer.places, start=1)
    ]
