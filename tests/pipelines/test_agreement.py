"""Agreement: the coefficients against figures worked out by hand and against the package, the intervals against simulation."""

from __future__ import annotations

import random
from collections.abc import Sequence

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.reports.agreement import (
    LEAST_PAIRS,
    Labelled,
    _alphas,
    _cross,
    _kappas,
    agreement_seed,
    krippendorff_alpha,
    measure_agreement,
    pair_labels,
)

BY_HAND = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
"""50 pairs. Observed 35/50 = 0.7. Cohen: one says a 25, the other a 30: chance (25*30 + 25*20)/2500 = 0.5; kappa 0.2/0.5 = 0.4.
Krippendorff: a 55 times, b 45; expected difference 2*55*45/(100*99) = 0.5; observed 0.3; alpha 1 - 0.3/0.5 = 0.4."""


def test_coefficients_are_those_worked_out_by_hand() -> None:
    found = measure_agreement(BY_HAND, seed=1)
    assert (found.pair_count, found.agreed_count) == (50, 35)
    assert found.kappa == pytest.approx(0.4)
    assert found.alpha == pytest.approx(1 - (2 * 15 / 100) / (2 * 55 * 45 / (100 * 99)))
    assert found.alpha == pytest.approx(0.4)


def test_kappa_of_three_labels_worked_out_by_hand() -> None:
    # Rows 10 5 0 / 2 12 1 / 0 3 7: observed 29/40; chance (15*12 + 15*20 + 10*8)/1600 = 0.35; (0.725 - 0.35)/0.65.
    table = {("x", "x"): 10, ("x", "y"): 5, ("y", "x"): 2, ("y", "y"): 12, ("y", "z"): 1, ("z", "y"): 3, ("z", "z"): 7}
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    assert measure_agreement(pairs, seed=1).kappa == pytest.approx(0.375 / 0.65)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=LEAST_PAIRS, max_size=80))
@settings(max_examples=60)
def test_the_bootstrap_measures_what_the_package_measures(pairs: list[tuple[str, str]]) -> None:
    if len({label for pair in pairs for label in pair}) < 2:
        return
    labels = "abcd"
    data = [[labels.index(pair[side]) for pair in pairs] for side in (0, 1)]
    expected = krippendorff.alpha(reliability_data=data, value_domain=range(4), level_of_measurement="nominal")
    assert krippendorff_alpha(pairs) == pytest.approx(expected)
    assert float(_alphas(_cross(pairs)[None].astype(float))[0]) == pytest.approx(expected)


def test_the_published_example_of_krippendorff() -> None:
    """Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, A: binary data, two observers, 10 units: 0.095."""
    one, other = "0100000010", "1110010000"
    assert krippendorff_alpha(list(zip(one, other, strict=True))) == pytest.approx(0.095, abs=0.001)


def test_with_fewer_than_thirty_nothing_is_told() -> None:
    found = measure_agreement(BY_HAND[:15] + BY_HAND[-14:], seed=1)
    assert (found.pair_count, found.agreed_count, found.kappa, found.alpha, found.alpha_low) == (29, 29, None, None, None)


def test_one_label_alone_cannot_be_measured() -> None:
    assert measure_agreement([("a", "a")] * 100, seed=1).kappa is None


def test_where_nobody_differs_the_interval_is_that_of_the_share() -> None:
    found = measure_agreement([("a", "a")] * 20 + [("b", "b")] * 20, seed=1)
    assert (found.kappa, found.alpha, found.kappa_high) == (1, 1, 1)
    # Clopper and Pearson for 40 of 40: 0.025 ** (1/40) = 0.9119; chance is one half.
    assert found.kappa_low == pytest.approx(1 - (1 - 0.025 ** (1 / 40)) / 0.5)


def simulate(rng: random.Random, size: int) -> list[tuple[str, str]]:
    """Two people who each see the truth 85 times in 100, and else choose evenly among three labels."""
    truth = rng.choices("abc", weights=(6, 3, 1), k=size)

    def read(label: str) -> str:
        return label if rng.random() < 0.85 else rng.choice("abc")

    return [(read(label), read(label)) for label in truth]


def test_the_intervals_hold_the_true_agreement_about_ninety_five_times_in_a_hundred() -> None:
    true = measure_agreement(simulate(random.Random(1), 200_000), seed=1)
    assert true.kappa is not None
    assert true.alpha is not None
    held = [0, 0]
    for number in range(200):
        found = measure_agreement(simulate(random.Random(1000 + number), 200), seed=number)
        held[0] += found.kappa_low <= true.kappa <= found.kappa_high  # type: ignore[operator]
        held[1] += found.alpha_low <= true.alpha <= found.alpha_high  # type: ignore[operator]
    # 95 % of 200 are 190; three standard deviations are 9.
    assert all(181 <= count <= 199 for count in held), held


def test_the_same_seed_gives_the_same_interval() -> None:
    assert measure_agreement(BY_HAND, seed=5) == measure_agreement(BY_HAND, seed=5)
    assert measure_agreement(BY_HAND, seed=5) != measure_agreement(BY_HAND, seed=6)
    assert agreement_seed(["x", "y"]) == agreement_seed(["y", "x"])


def labels(*entries: Sequence[str]) -> list[Labelled]:
    return [Labelled(*entry) for entry in entries]


def test_pairs_are_of_two_people_and_never_of_the_one_who_settled() -> None:
    given_labels = labels(
        ("m2", "category", "B", "salud"),
        ("m2", "category", "A", "agua"),
        ("m2", "category", "final", "agua"),
        ("m1", "category", "A", "agua"),
        ("m3", "sentiment", "A", "neg"),
        ("m3", "sentiment", "B", "neg"),
        ("m0", "category", "C", "z"),
        ("m0", "category", "B", "y"),
        ("m0", "category", "A", "x"),
    )
    assert pair_labels(given_labels, "category") == [("x", "y"), ("agua", "salud")]
    assert pair_labels(given_labels, "sentiment") == [("neg", "neg")]


def test_a_table_in_which_chance_agrees_wholly_is_left_out() -> None:
    tables = np.array([[[40.0, 0.0], [0.0, 0.0]], [[20.0, 5.0], [5.0, 20.0]]])
    assert np.isnan(_kappas(tables)[0])
    assert np.isnan(_alphas(tables)[0])
    assert _kappas(tables)[1] == pytest.approx(0.6)
