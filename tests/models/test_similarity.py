"""Copies: what the labelled cases say, and what must hold whatever the texts."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from models.copy_forms import Form, are_copies, name_words, read_form
from models.preprocessing import fold
from models.similarity import group_copies
from tests.growth import assert_linear

ROOT = Path(__file__).resolve().parents[2]
CASES = YAML(typ="safe").load((Path(__file__).with_name("similarity_cases.yml")).read_text(encoding="utf-8"))
NOON = datetime(2021, 4, 10, 17, tzinfo=UTC)
BASE = "La pista de la avenida Los Fresnos está llena de huecos y los carros se malogran"
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru")


def group(texts: list[str], *, shares: list[str] | None = None, places: frozenset[str] = frozenset()) -> list[int]:
    """Return the groups of texts written a minute apart."""
    moments = [NOON + timedelta(minutes=number) for number in range(len(texts))]
    return group_copies(texts, digests=[digest(text) for text in texts], moments=moments, shares=shares, places=places)


def digest(text: str) -> str:
    """Return what is equal for texts that are the same but for case and accents."""
    return hashlib.sha256(fold(text).encode()).hexdigest()


def partition(texts: list[str], groups: list[int]) -> set[frozenset[str]]:
    """Return the groups as sets of texts."""
    return {frozenset(text for text, own in zip(texts, groups, strict=True) if own == number) for number in set(groups)}


def invented(number: int) -> str:
    """Return a word of its own for a number."""
    return "".join(SYLLABLES[int(figure)] for figure in f"{number:05d}")


def labelled(part: str) -> list[tuple[str, str, str]]:
    """Return (what it must be together with, edit, text) of every case of a part."""
    cases = CASES if part == "tuned" else CASES["held_out"]
    copies = [(name, edit, text) for name, texts in cases["campaigns"].items() for edit, text in texts]
    apart = [(f"{name} {number}", "", text) for name, texts in cases["apart"].items() for number, text in enumerate(texts)]
    return copies + apart


def test_the_labelled_set_is_as_large_as_it_says() -> None:
    sizes = [len(texts) for texts in CASES["campaigns"].values()]
    assert len(sizes) >= 10
    assert all(4 <= size <= 12 for size in sizes)
    every = labelled("tuned") + labelled("held_out")
    assert sum(bool(edit) for _, edit, _ in every) >= 120
    assert sum(not edit for _, edit, _ in every) >= 150
    assert len({text for _, _, text in every}) == len(every)
    kinds = {"case", "accents", "emoji", "number", "punctuation", "repeated", "abbreviation", "greeting", "signature", "hashtag"}
    assert kinds | {"typo", "word"} <= {edit for _, edit, _ in every}


@pytest.mark.parametrize("part", ["tuned", "held_out"])
def test_pairs_are_found_and_few_are_wrong(part: str) -> None:
    cases = labelled(part)
    found = group([text for _, _, text in cases])
    verdicts = Counter(
        (cases[one][0] == cases[other][0], found[one] == found[other]) for one, other in combinations(range(len(cases)), 2)
    )
    right, wrong, missed = verdicts[True, True], verdicts[False, True], verdicts[True, False]
    assert right / (right + wrong) >= 0.95, verdicts
    assert right / (right + missed) >= 0.90, verdicts


def test_neighbours_in_their_own_words_stay_as_many_as_they_are() -> None:
    for part in (CASES, CASES["held_out"]):
        for name, texts in part["apart"].items():
            if name.endswith("own_words"):
                assert len(set(group(texts))) == len(texts), name


@pytest.mark.parametrize("text", ["ok gracias", "Muy bien", "👏👏👏", "", "No hay agua en Huaycán"])
def test_a_very_short_text_is_no_evidence(text: str) -> None:
    assert read_form(text) is None
    assert group([text, f"{text} ", text.upper(), f"{text} pues"]) == [0, 0, 0, 1]


def test_the_order_of_the_texts_does_not_matter() -> None:
    texts = [text for _, _, text in labelled("tuned")]
    moments = {text: NOON + timedelta(hours=number % 7) for number, text in enumerate(texts)}
    expected = group_copies(texts, digests=[digest(text) for text in texts], moments=[moments[text] for text in texts])
    numbers = dict(zip(texts, expected, strict=True))
    for seed in range(3):
        shuffled = random.Random(seed).sample(texts, len(texts))
        digests, when = [digest(text) for text in shuffled], [moments[text] for text in shuffled]
        assert dict(zip(shuffled, group_copies(shuffled, digests=digests, moments=when), strict=True)) == numbers


def test_groups_are_numbered_by_their_first_text() -> None:
    assert group([BASE, "Propongo que la biblioteca abra los domingos por la tarde", BASE.upper()]) == [0, 1, 0]


def test_the_hash_seed_of_the_process_does_not_matter() -> None:
    program = (
        "from tests.models.test_similarity import group, labelled\nprint(group([text for _, _, text in labelled('held_out')]))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1


def test_what_a_form_keeps_is_pinned() -> None:
    """A change here means another SIMILARITY_REVISION."""
    assert read_form("Buenas, xq no arreglan la av. Central cdra 5??? #Ate") == Form(
        ("5", "abenida", "arreglan", "kuadra", "no", "sentral"), ("5", "sentral")
    )
    assert read_form("FALTA LUZ EN EL JR. LOS ÁLAMOS hace 3 días") == Form(("alamos", "falta", "jiron", "lus"), ("alamos",))
    assert read_form("Los choros roban, asustan y amenazan siempre. Atte. Rosa Quispe") == Form(
        ("amenasan", "asustan", "ladron", "roban"), ()
    )


def test_a_chain_of_small_edits_holds_no_two_ends_that_are_far_apart() -> None:
    words = [invented(number) for number in range(40)]
    chain = [" ".join(words[start : start + 12]) for start in range(28)]
    found = group(chain)
    for number in set(found):
        members = [index for index, own in enumerate(found) if own == number]
        assert max(members) - min(members) <= 8
    assert len(set(found)) >= 4


def test_only_texts_of_one_share_are_compared() -> None:
    assert group([BASE, BASE, BASE], shares=["rosa", "luis", "rosa"]) == [0, 1, 0]


def test_a_text_that_is_known_no_longer_is_a_copy_of_its_digest_alone() -> None:
    moments = [NOON + timedelta(minutes=number) for number in range(4)]
    texts = [None, BASE, BASE.upper() + " 😡", None]
    assert group_copies(texts, digests=["a", "a", "b", "c"], moments=moments) == [0, 0, 0, 1]
    with pytest.raises(ValueError, match="4 texts, 1 digests"):
        group_copies(texts, digests=["a"], moments=moments)
    assert group_copies([], digests=[], moments=[]) == []


def test_another_place_of_the_city_makes_another_text() -> None:
    texts = [
        f"terminen la escalera de {zone} antes que empiece la garua, un niño se puede caer" for zone in ("ceres", "pariachi")
    ]
    assert len(set(group(texts))) == 1
    assert len(set(group(texts, places=name_words(["Ceres", "Pariachi"])))) == 2
    assert len(set(group([texts[0].replace("ceres", "Ceres"), texts[1].replace("pariachi", "Pariachi")]))) == 2


def test_thanks_for_another_thing_are_no_signature() -> None:
    said = "Los del pasaje estamos contentos con la cuadrilla de obreros que vino ayer"
    assert len(set(group([said, f"{said}. Gracias, Rosa Quispe", f"{said}. Saludos, Luis Mamani Poma"]))) == 1
    assert len(set(group([f"{said}. Gracias por la pista", f"{said}. Gracias por el semáforo"]))) == 2


forms = st.builds(
    lambda words, names: Form(tuple(sorted(words)), tuple(sorted(set(words) & names))),
    st.sets(st.sampled_from([*(invented(number) for number in range(12)), "agua", "lus", "no", "sin", "ladron"]), min_size=4),
    st.sets(st.sampled_from([invented(number) for number in range(4)])),
)


@settings(max_examples=300)
@given(one=forms, other=forms)
def test_the_verdict_on_a_pair_has_no_sides(one: Form, other: Form) -> None:
    assert are_copies(one, other) == are_copies(other, one)
    assert are_copies(one, one)


@settings(max_examples=200)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_has_one_group(texts: list[str]) -> None:
    assert len(group(texts)) == len(texts)


HOSTILE = (
    "#a ", "#a#a", "a. ", "a.a.", "en ", "calle la ", "@a ", "[a] ", "mz a ", "http://a ", "atte ", "1 ", "ñ ", "😡", "Aa ",
    "a Aa ",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE, ids=range(len(HOSTILE)))
def test_the_cost_of_a_form_grows_with_the_text(unit: str) -> None:
    assert_linear(read_form, unit)


def test_a_flood_of_equal_texts_costs_as_many_as_they_are() -> None:
    assert_linear(lambda text: group(text.splitlines()), f"{BASE}\n", letters=400_000)


def test_a_flood_of_edited_copies_costs_as_many_as_they_are() -> None:
    def read(text: str) -> None:
        lines = [f"{line} {invented(number)}" for number, line in enumerate(text.splitlines())]
        assert len(set(group(lines))) <= 2  # the last line is cut

    assert_linear(read, f"{BASE}\n", letters=200_000)


def test_many_texts_of_the_same_few_words_cost_as_many_as_they_are() -> None:
    def read(text: str) -> None:
        rng = random.Random(7)
        words = [invented(number) for number in range(30)]
        group([" ".join(rng.sample(words, 8)) for _ in text.splitlines()])

    assert_linear(read, f"{BASE}\n", letters=200_000)
