"""Advertising and test posts are set aside, citizens are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from models.configuration import ConfigurationError
from models.screening import LABELS, ScreeningAnnotator, load_screening_settings
from models.taxonomy import load_taxonomy
from tests.growth import assert_linear

CASES: dict[str, list[str]] = YAML(typ="safe").load(Path(__file__).with_name("screening_cases.yml").read_text(encoding="utf-8"))
HOSTILE = (
    "a", "a ", "<script ", "' or ", "https://x y ", "https://", "gana dinero ", "asdf", "x ", "../", "asdfghjkl ", "prueba ",
    "bitcoin gana ", "\t\n ", "escribe al ", "e\u0301", "\ufdfa", "select a ", "{{a", "oferta ", "lorem ipsum ",
    "' or 1", "9", "a\u0301\u0301", "en mi ", "gana yo ", "prueba 1 ", "999 999 ", "info por ", "retorno \n", "¿ ", "%s ", "=1+",
    "x\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def screening() -> ScreeningAnnotator:
    return ScreeningAnnotator(load_taxonomy())


@pytest.mark.parametrize("label", LABELS)
def test_reads_the_cases(screening: ScreeningAnnotator, label: str) -> None:
    texts = CASES[label]
    wrong = [text for text, one in zip(texts, screening.predict(texts), strict=True) if one["screening"].label != label]
    assert wrong == []


def test_finds_advertising_of_other_wording(screening: ScreeningAnnotator) -> None:
    labels = [one["screening"].label for one in screening.predict(CASES["unseen_spam"])]
    assert len(labels) == 30
    assert labels.count("spam") >= 12


def test_what_citizens_write_outweighs_what_they_write_about(screening: ScreeningAnnotator) -> None:
    offer = "Préstamos sin aval, escríbeme al interno"
    warning = "Cuidado vecinos, ofrecen préstamos sin aval y es una estafa, que intervenga la municipalidad"
    assert [rule.name for rule in screening.find_rules(offer)["ok"]] == []
    assert {"denuncia", "autoridad", "vecindad"} <= {rule.name for rule in screening.find_rules(warning)["ok"]}
    assert [one["screening"].label for one in screening.predict([offer, warning])] == ["spam", "ok"]


def test_what_a_text_is_about_counts_once(screening: ScreeningAnnotator) -> None:
    text = "Casino, tarot, pastillas y perfumes"
    met = screening.find_rules(text)["spam"]
    assert len(met) >= 4
    assert all(rule.theme for rule in met)
    assert screening.predict([text])[0]["screening"].label == "ok"


def test_a_held_key_is_seen_before_folding(screening: ScreeningAnnotator) -> None:
    assert [rule.name for rule in screening.find_rules("XXXXX")["test"]] == ["tecla_repetida"]
    assert screening.find_rules("x")["test"] == ()


def test_no_example_of_the_taxonomy_but_the_advertising_one_is_set_aside(screening: ScreeningAnnotator) -> None:
    texts = [
        text
        for category in load_taxonomy().categories
        for text in (*category.examples, *(t for i in category.issues for t in i.examples))
    ]
    assert [text for text, one in zip(texts, screening.predict(texts), strict=True) if one["screening"].label != "ok"] == []


def test_one_weak_signal_is_not_enough(screening: ScreeningAnnotator) -> None:
    text = "Vendo anticuchos en mi puesto"
    assert [rule.name for rule in screening.find_rules(text)["spam"]] == ["venta"]
    assert screening.predict([text])[0]["screening"].label == "ok"


def test_spam_is_seen_through_capitals_accents_and_fancy_letters(screening: ScreeningAnnotator) -> None:
    texts = ["PRÉSTAMOS AL INSTANTE", "prestamos   al\ninstante", "𝐏𝐫𝐞𝐬𝐭𝐚𝐦𝐨𝐬 𝐚𝐥 𝐢𝐧𝐬𝐭𝐚𝐧𝐭𝐞"]
    assert [one["screening"].label for one in screening.predict(texts)] == ["spam"] * 3


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_texts_cost_linear_time(screening: ScreeningAnnotator, unit: str) -> None:
    assert_linear(lambda text: screening.predict([text]), unit)


def test_every_rule_gives_its_reason() -> None:
    settings = load_screening_settings()
    rules = (*settings.ok, *settings.spam, *settings.test)
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.reason.endswith(".") for rule in rules)


def test_a_broken_pattern_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "screening.yml"
    rule = "- name: a\n  reason: Nada.\n  patterns: ['x', '(y']\n"
    path.write_text(
        'version: "1"\nspam_needs: 2\nspam:\n' + rule + "ok:\n" + rule.replace("(y", "y") + "test:\n" + rule.replace("(y", "y"),
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match=r"screening\.yml:6: spam\.0\.patterns\.1: no regular expression: missing \)"):
        load_screening_settings(path)
