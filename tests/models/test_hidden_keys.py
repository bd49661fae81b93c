"""A category that the head does not know is read by its definition and examples alone."""

from __future__ import annotations

import pytest

from models.annotator import load_annotator
from models.embedded import EmbeddedAnnotator
from models.quality.hidden_keys import f1_of, measure_hidden, read_hidden

TEXTS = [
    "Otra vez nos cortaron el agua sin avisar y ya van tres días",
    "El desagüe se rebalsa en plena calle y huele horrible",
    "El bus no para en el paradero y va lleno",
    "Muchas gracias por el concierto del domingo, estuvo lindo",
]
TRUTH = ["agua_servicios", "agua_servicios", "transporte", "educacion_cultura_deporte"]


@pytest.fixture(scope="module")
def annotator() -> EmbeddedAnnotator:
    loaded = load_annotator("accurate")
    assert isinstance(loaded, EmbeddedAnnotator)
    return loaded


def test_a_hidden_category_comes_back_through_yaml(annotator: EmbeddedAnnotator) -> None:
    probabilities, vectors = annotator.observe(TEXTS)
    read = read_hidden(annotator, probabilities["category"], vectors, "agua_servicios")
    assert read == TRUTH


def test_only_categories_of_the_set_are_measured(annotator: EmbeddedAnnotator) -> None:
    found = measure_hidden(annotator, TEXTS, TRUTH)
    assert list(found) == ["transporte", "agua_servicios", "educacion_cultura_deporte"]
    assert found["agua_servicios"][0] == 2
    assert all(0 <= hidden <= 1 and 0 <= trained <= 1 for _, hidden, trained in found.values())


def test_f1_is_hits_over_what_is_there_and_what_is_read() -> None:
    assert f1_of("a", ["a", "a", "b"], ["a", "b", "a"]) == pytest.approx(0.5)
    assert f1_of("c", ["a"], ["a"]) == 0
