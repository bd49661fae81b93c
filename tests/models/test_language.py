"""No Spanish is lost; most of the rest is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from models.annotator import Annotator, load_annotator
from models.taxonomy import load_taxonomy

CASES: dict[str, list[Any]] = YAML(typ="safe").load(Path(__file__).with_name("language_cases.yml").read_text(encoding="utf-8"))
SET_ASIDE = {"qu", "ay", "en", "pt", "other"}


@pytest.fixture(scope="module")
def language() -> Annotator:
    return load_annotator("language", load_taxonomy())


def _labels(language: Annotator, texts: list[str]) -> list[str]:
    return [prediction["language"].label for prediction in language.predict(texts)]


def test_no_spanish_is_set_aside(language: Annotator) -> None:
    texts = CASES["spanish"]
    assert len(texts) >= 150
    lost = [(text, label) for text, label in zip(texts, _labels(language, texts), strict=True) if label in SET_ASIDE]
    assert lost == []


def test_no_spanish_is_set_aside_in_capitals_or_without_accents(language: Annotator) -> None:
    texts = [text.upper() for text in CASES["spanish"]] + [
        text.translate(str.maketrans("áéíóúñ", "aeioun")) for text in CASES["spanish"]
    ]
    lost = [(text, label) for text, label in zip(texts, _labels(language, texts), strict=True) if label in SET_ASIDE]
    assert lost == []


def test_no_example_of_the_taxonomy_is_set_aside(language: Annotator) -> None:
    texts = [
        text
        for category in load_taxonomy().categories
        for text in (*category.examples, *(t for i in category.issues for t in i.examples))
    ]
    lost = [(text, label) for text, label in zip(texts, _labels(language, texts), strict=True) if label in SET_ASIDE]
    assert lost == []


def test_nine_in_ten_other_languages_are_found(language: Annotator) -> None:
    cases = CASES["other"]
    assert len(cases) >= 40
    labels = _labels(language, [case["text"] for case in cases])
    right = sum(label == case["lang"] for label, case in zip(labels, cases, strict=True))
    assert right / len(cases) >= 0.9


@pytest.mark.parametrize("text", ["", "   ", "12345", "👏👏", "https://ejemplo.test/a", "@alguien", "mmm"])
def test_without_words_the_language_is_unknown(language: Annotator, text: str) -> None:
    assert _labels(language, [text]) == ["unknown"]


def test_plain_spanish_is_called_spanish(language: Annotator) -> None:
    assert _labels(language, ["no hay agua en mi calle desde ayer", "cuando van a arreglar la pista"]) == ["es", "es"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Non capisco perché la strada è sempre così sporca.", "other"),
        ("Quelqu'un sait si le marché est ouvert le dimanche ?", "other"),
        ("Onde compro passagem para o trem elétrico?", "pt"),
        ("Die Straße ist seit Wochen kaputt und niemand macht etwas.", "other"),
    ],
)
def test_relatives_of_spanish_are_told_from_it(language: Annotator, text: str, label: str) -> None:
    assert _labels(language, [text]) == [label]


def test_spanish_with_a_foreign_word_stays(language: Annotator) -> None:
    texts = [
        "Merci a todos por la ayuda, se pasaron",
        "Mio caro alcalde, cumpla pues",
        "tremendo hueco tem cuidado",
        "a ver, uno a uno",
    ]
    assert not SET_ASIDE & set(_labels(language, texts))
