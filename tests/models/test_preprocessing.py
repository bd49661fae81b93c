"""Text normalisation: one spelling for many, and stable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.matching import key_of, read_tokens
from models.preprocessing import fold, normalise, sound, split_words


@given(st.text())
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_normalise_gives_nfc_without_control_characters(text: str) -> None:
    clean = normalise(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert not any(unicodedata.category(char) == "Cc" for char in clean)
    assert clean == clean.strip()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Holaaaaa", "hola"),
        ("PISTAS  Rotas\n", "pistas rotas"),
        ("niño", "nino"),
        ("desagüe", "desague"),
        ("carro", "carro"),
        ("", ""),
        ("cooperar", "cooperar"),
    ],
)
def test_fold_writes_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("serenasgo", "serenazgo"),
        ("bereda", "vereda"),
        ("ueco", "hueco"),
        ("jente", "gente"),
        ("kiosko", "quiosco"),
        ("exelente", "excelente"),
        ("polisia", "policía"),
        ("huayco", "huaico"),
    ],
)
def test_sound_joins_common_misspellings(written: str, meant: str) -> None:
    assert sound(fold(written)) == sound(fold(meant))


def test_sound_keeps_different_words_apart() -> None:
    for one, other in [("carro", "caro"), ("perro", "pero"), ("parque", "barco"), ("pista", "lista"), ("peso", "queso")]:
        assert sound(one) != sound(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("veredas", "vereda"),
        ("semaforos", "semáforo"),
        ("recojan", "recoger"),
        ("q", "que"),
        ("tres", "45"),
        ("graciaaas", "gracias"),
    ],
)
def test_forms_of_a_word_share_a_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_tokens_keep_their_surface_and_drop_articles() -> None:
    assert [token.surface for token in read_tokens("La BASURA de la esquina!")] == ["BASURA", "esquina", "!"]
    assert split_words("#obras_ate 👍🏽") == ["#", "obras", "ate", "👍"]
