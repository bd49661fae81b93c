"""Shortened quotes: no long run of the original, nothing but words, and nothing that names."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from models.preprocessing import fold
from pipelines.reports.shortening import GAP, quotable_words, shorten

TEXT = (
    "Hace tres semanas que el camión de la basura no pasa por la cuadra, vecinos, y las bolsas se amontonan en la esquina "
    "junto al colegio; llamé al 987654321 y María Quispe de Huaycán dice lo mismo: nadie responde ni recoge nada."
)
PLACES = frozenset({"huaycan"})


def quote(text: str, *wanted: str, places: frozenset[str] = PLACES) -> str | None:
    return shorten(text, wanted, [fold(word) for word in quotable_words(text, places=places)], places=places)


def longest_run(quoted: str, text: str) -> int:
    """Return the most words of a quote in a row, marks of omission ignored, that stand so in the text."""
    said = quoted.replace(GAP, " ").split()
    written = " " + " ".join(re.findall(r"\w+", fold(text))) + " "
    return max(
        (
            end - start
            for start in range(len(said))
            for end in range(start + 1, len(said) + 1)
            if f" {' '.join(fold(word) for word in said[start:end])} " in written
        ),
        default=0,
    )


def test_pieces_stand_around_the_words_in_common() -> None:
    said = quote(TEXT, "camion", "bolsas", "recoge")
    assert said is not None
    assert "camión" in said
    assert "bolsas" in said
    assert longest_run(said, TEXT) <= 7
    assert len(said.replace(GAP, " ").split()) <= 25


def test_names_places_and_figures_never_come_through() -> None:
    said = quote(TEXT, "dice", "mismo", "responde")
    assert said is not None
    for word in ("maría", "quispe", "huaycán", "987654321"):
        assert word not in said.lower()


def test_a_text_without_the_two_words_gives_no_quote() -> None:
    assert quote(TEXT, "camion", "desague") is None
    assert quote(TEXT, "huaycan", "bolsas") is None
    assert quote("", "camion", "bolsas") is None


def test_hostile_texts_give_words_alone() -> None:
    hostile = (
        "<script>alert(1)</script> \u202e{{7*7}} =SUMA(A1) camión \x1b[31m basura https://x.test/u?id=1 @vecino [teléfono] pasa"
    )
    said = quote(hostile, "camion", "basura")
    assert said is not None
    assert re.fullmatch(r"[^\W\d_]+( [^\W\d_]+)*", said.replace(GAP, "x")), said
    assert "vecino" not in said
    assert "test" not in said


@given(st.lists(st.sampled_from(["agua", "luz", "pista", "no", "hay", "de", "la", "9", "hoy", "."]), max_size=60))
def test_no_run_is_longer_than_seven_words_and_none_too_many(words: list[str]) -> None:
    text = " ".join(words)
    said = quote(text, "agua", "luz", "pista", "hoy")
    if said is None:
        return
    pieces = [piece.split() for piece in said.split(GAP)]
    assert all(len(piece) <= 7 for piece in pieces)
    assert sum(map(len, pieces)) <= 25
    assert {"agua", "luz"} <= {word for piece in pieces for word in piece}
