"""The quick reader of places finds what the pipeline of the models finds, whatever is written and however."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.entities import Place, find_places
from models.preprocessing import normalise
from models.spacy_tools import load_spanish
from pipelines.places import load_places
from pipelines.reports.place_reader import PlaceReader
from tests.conftest import ROOT

PLACES = load_places(ROOT / "data" / "places" / "ate.yml")
READER = PlaceReader(PLACES)
NAMES = [name for place in PLACES for name in (place.name, *place.aliases)]
WORDS = [
    "no hay luz en",
    "cerca de",
    "la",
    "el",
    "av.",
    "Avenida",
    "jr",
    "mercado",
    "paradero",
    "parque",
    "y",
    ",",
    "señor",
    "San",
    "sta.",
]


def slow(text: str) -> list[str]:
    """Return what the whole pipeline finds, each place once."""
    return list(dict.fromkeys(mention.place for mention in find_places(load_spanish(PLACES)(normalise(text)))))


SPELLED = st.tuples(
    st.sampled_from(NAMES), st.sampled_from([str, str.lower, str.upper, lambda name: name.replace(" ", "  ")])
).map(lambda pair: pair[1](pair[0]))


@settings(max_examples=150)
@given(st.lists(st.one_of(SPELLED, st.sampled_from(WORDS)), min_size=1, max_size=8).map(" ".join))
def test_it_finds_what_the_pipeline_finds(text: str) -> None:
    assert READER.read(text) == slow(text)


@pytest.mark.parametrize("place", PLACES[:: max(1, len(PLACES) // 20)], ids=lambda place: place.name)
def test_each_place_is_found_by_its_name(place: Place) -> None:
    assert place.id in READER.read(f"Hay un bache en {place.name}, por favor")


def test_a_text_without_a_place_names_none() -> None:
    assert READER.read("Gracias por todo, que tengan buen día") == []
    assert READER.read("") == []
