"""The contract that every annotator keeps."""

from __future__ import annotations

import random

import pytest

from models.annotator import ANNOTATORS, Annotator, Prediction, load_annotator
from models.settings import load_models_config
from models.taxonomy import load_taxonomy
from tests.growth import assert_linear

TEXTS = [
    "",
    " ",
    "👏👏👏",
    "😡",
    "La basura lleva tres días en la esquina y nadie la recoge.",
    "GRACIAS por arreglar la vereda!!!",
    "¿Dónde vacunan hoy?",
    "prueba",
    "préstamos al instante sin aval",
    "the street is full of garbage and nobody cares",
    "Llaqtanchikpi yaku mana kanchu, yanapaykuwayku",
    "texto con control \x00\x07\x1b[31m y marcas \u200b\ufeff invisibles",
    "línea uno\nlínea dos\r\n\tcon huecos",
    "x",
    "1234567890",
    "el hueco de la pista, el semáforo y el parque",
    "🇵🇪👨‍👩‍👧‍👦👍🏽",
    "\ud800 medio par suelto",
    "خدمة 街上 улица",
]


NEED_A_MODEL = {"pysentimiento", "spacy", "transformers", "zero_shot"}
"""Annotators that read with a model of the user's; `test_hub_backends.py` and `test_textcat.py` hold them to it."""


@pytest.fixture(scope="module", params=sorted(set(ANNOTATORS) - NEED_A_MODEL))
def annotator(request: pytest.FixtureRequest) -> Annotator:
    return load_annotator(request.param, load_taxonomy())


def _rounded(predictions: list[Prediction]) -> list[dict[str, tuple[str, dict[str, float]]]]:
    return [
        {
            task: (reading.label, {key: round(value, 3) for key, value in reading.probabilities.items()})
            for task, reading in one.items()
        }
        for one in predictions
    ]


def test_names_itself_as_registered(annotator: Annotator) -> None:
    assert annotator.name in ANNOTATORS
    assert annotator.revision
    assert annotator.tasks


def test_gives_one_prediction_for_each_text_and_task(annotator: Annotator) -> None:
    predictions = annotator.predict(TEXTS)
    assert len(predictions) == len(TEXTS)
    assert all(set(one) == set(annotator.tasks) for one in predictions)
    assert annotator.predict([]) == []


def test_probabilities_cover_all_labels_and_add_up_to_one(annotator: Annotator) -> None:
    for one in annotator.predict(TEXTS):
        for task, reading in one.items():
            assert tuple(reading.probabilities) == annotator.tasks[task]
            assert sum(reading.probabilities.values()) == pytest.approx(1)
            assert all(0 <= value <= 1 for value in reading.probabilities.values())


def test_label_is_the_first_of_the_likeliest(annotator: Annotator) -> None:
    for one in annotator.predict(TEXTS):
        for task, reading in one.items():
            assert reading.label == max(annotator.tasks[task], key=reading.probabilities.__getitem__)
            assert reading.score == max(reading.probabilities.values())


def test_the_batch_does_not_matter(annotator: Annotator) -> None:
    together = _rounded(annotator.predict(TEXTS))
    assert _rounded([annotator.predict([text])[0] for text in TEXTS]) == together
    order = list(range(len(TEXTS)))
    random.Random(7).shuffle(order)
    shuffled = _rounded(annotator.predict([TEXTS[position] for position in order]))
    assert [shuffled[order.index(position)] for position in range(len(TEXTS))] == together


def test_a_second_annotator_reads_the_same(annotator: Annotator) -> None:
    twin = load_annotator(annotator.name, load_taxonomy())
    assert twin.revision == annotator.revision
    assert _rounded(twin.predict(TEXTS)) == _rounded(annotator.predict(TEXTS))


@pytest.mark.parametrize("unit", ["hueco en la pista ", "a", "no ", "😡", "é", "\x00", "' or 1=1 "])
def test_long_texts_cost_linear_time(annotator: Annotator, unit: str) -> None:
    assert_linear(lambda text: annotator.predict([text]), unit, 20_000)


def test_unknown_annotators_are_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'magic'.*accurate, fast, keyword, language"):
        load_annotator("magic", load_taxonomy())


def test_every_configured_task_is_served_by_its_annotator() -> None:
    taxonomy = load_taxonomy()
    config = load_models_config()
    assert set(config.tasks) == {"category", "issue", "sentiment", "intent", "target", "language", "screening"}
    for task, settings in config.tasks.items():
        assert task in load_annotator(settings.annotator, taxonomy).tasks
