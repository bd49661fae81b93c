"""Corrected shares: by hand where that can be done, by simulation where it cannot, and beside other people's programs."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from pipelines.reports.estimation import (
    Estimate,
    Marks,
    add_up,
    effective_size,
    estimate_part,
    estimate_share,
    jeffreys,
    join_single,
    powered_mean,
    stratified_spread,
    trust,
)

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "shares.py"


@pytest.fixture(scope="module")
def shares() -> ModuleType:
    """The benchmark of shares, a program beside the packages."""
    spec = importlib.util.spec_from_file_location("benchmark_of_shares", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def marks(right: int, false: int, missed: int, neither: int, *, read_count: int, population: int, weight: float = 1.0) -> Marks:
    """Return a simple sample by its four counts: read and true, read and not, true and not read, neither."""
    truth = [1.0] * right + [0.0] * false + [1.0] * missed + [0.0] * neither
    read = [1.0] * (right + false) + [0.0] * (missed + neither)
    size = len(truth)
    return Marks(np.array(truth), np.array(read), np.full(size, weight), np.zeros(size, dtype=np.int64), read_count, population)


def test_a_share_is_what_each_reading_is_worth() -> None:
    # Of 20 read so 15 are, of 80 not read so 4 are; the model read 300 of 1000 so: .3 * 15/20 + .7 * 4/80.
    estimate, share = estimate_share(marks(15, 5, 4, 76, read_count=300, population=1000))
    assert share == pytest.approx(0.26)
    assert estimate.share == share
    assert (estimate.status, estimate.labelled_count, estimate.positive_count) == ("corrected", 100, 19)
    assert estimate.low is not None
    assert estimate.high is not None
    seen_low, seen_high = jeffreys(15 / 20 * 20 / (1 - 20 / 300), 20 / (1 - 20 / 300))
    other_low, other_high = jeffreys(4 / 80 * 80 / (1 - 80 / 700), 80 / (1 - 80 / 700))
    assert estimate.low == pytest.approx(0.26 - np.hypot(0.3 * (0.75 - seen_low), 0.7 * (0.05 - other_low)))
    assert estimate.high == pytest.approx(0.26 + np.hypot(0.3 * (seen_high - 0.75), 0.7 * (other_high - 0.05)))


def test_readings_that_say_nothing_leave_the_labels_alone() -> None:
    estimate, share = estimate_share(marks(10, 10, 40, 40, read_count=700, population=1000))
    assert share == pytest.approx(0.5)
    assert estimate.low is not None
    assert estimate.low < 0.42


def test_readings_that_say_the_opposite_are_not_trusted() -> None:
    _, share = estimate_share(marks(0, 50, 50, 0, read_count=900, population=1000))
    assert share == pytest.approx(0.5)


def test_fewer_than_ten_labels_tell_no_share() -> None:
    estimate, share = estimate_share(marks(6, 4, 3, 87, read_count=100, population=1000))
    assert (estimate.status, estimate.share, estimate.low, estimate.high) == ("insufficient", None, None, None)
    assert (estimate.labelled_count, estimate.positive_count) == (100, 9)
    assert share > 0
    assert estimate_share(marks(7, 4, 3, 87, read_count=100, population=1000))[0].status == "corrected"


def test_a_population_that_is_labelled_whole_has_no_margin() -> None:
    estimate, share = estimate_share(marks(15, 5, 4, 76, read_count=20, population=100))
    assert (estimate.low, share, estimate.high) == pytest.approx((0.19, 0.19, 0.19))


def test_a_part_of_a_category_that_the_model_reads_right_is_what_it_counted() -> None:
    # Category of 40 of 100 messages, tone of 30 of them, all read right: as in the whole, 300 of 400.
    truth = np.array([1.0] * 30 + [0.0] * 70)
    whole = np.array([1.0] * 40 + [0.0] * 60)
    same = {"weight": np.full(100, 10.0), "group": np.zeros(100, dtype=np.int64), "population": 1000}
    estimate, share = estimate_part(Marks(truth, truth, read_count=300, **same), Marks(whole, whole, read_count=400, **same))
    assert share == pytest.approx(0.75)
    assert (estimate.labelled_count, estimate.positive_count) == (40, 30)
    none, _ = estimate_part(Marks(truth * 0, truth, read_count=300, **same), Marks(whole * 0, whole, read_count=400, **same))
    assert (none.status, none.labelled_count) == ("insufficient", 0)


def test_a_partition_adds_up() -> None:
    parts = [
        (Estimate("corrected", 0.5, 0.4, 0.6, 100, 50), 0.5),
        (Estimate("corrected", 0.4, 0.3, 0.5, 100, 45), 0.4),
        (Estimate("insufficient", None, None, None, 100, 5), 0.1 / 3),
    ]
    scaled = add_up(parts)
    total = 0.5 + 0.4 + 0.1 / 3
    assert [one.share for one in scaled[:2]] == pytest.approx([0.5 / total, 0.4 / total])
    assert scaled[2].share is None
    assert scaled[0].low == pytest.approx(0.4 / total)


@pytest.mark.parametrize(("positives", "size"), [(3.0, 10.0), (0.4, 7.7), (49.0, 50.0)])
def test_jeffreys_interval_leaves_two_and_a_half_percent_on_each_side(positives: float, size: float) -> None:
    low, high = jeffreys(positives, size)
    shape = (positives + 0.5, size - positives + 0.5)
    assert beta.cdf(low, *shape) == pytest.approx(0.025)
    assert beta.sf(high, *shape) == pytest.approx(0.025)
    assert jeffreys(0, size)[0] == 0
    assert jeffreys(size, size)[1] == 1


def test_strata_take_out_of_the_variance_what_lies_between_them() -> None:
    values = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    weight, group = np.full(6, 2.0), np.array([0, 0, 0, 1, 1, 2])
    between = stratified_spread(values - 0.5, weight, group)
    by_hand = (3 / 6) ** 2 * (1 / 3) / 3 + (2 / 6) ** 2 * (1 / 2) / 2 + (1 / 6 * 0.5) ** 2
    assert between == pytest.approx(by_hand)
    assert effective_size(np.array([1.0, 1.0, 4.0])) == pytest.approx(36 / 18)


def test_single_strata_are_joined_by_what_was_read_and_then_to_one_another() -> None:
    joined = join_single(["a", "a", "b", "c", "d", "e"], ["x", "x", "x", "x", "y", "z"])
    assert len(set(joined.tolist())) == 3
    assert joined[0] == joined[1]
    assert joined[2] == joined[3] != joined[0]
    assert joined[4] == joined[5]


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.5, 80), st.integers(0, 4)), min_size=12, max_size=60),
    st.floats(0, 1),
)
def test_shares_and_intervals_never_leave_the_whole(rows: list[tuple[bool, bool, float, int]], part: float) -> None:
    truth, read, weight, group = (np.array(column) for column in zip(*rows, strict=True))
    population = 10 * len(rows)
    count = max(int(read.sum()), min(population - int((~read).sum()), round(part * population)))
    one = Marks(truth.astype(float), read.astype(float), weight, group, count, population)
    estimate, share = estimate_share(one)
    assert 0 <= share <= 1
    if estimate.status == "corrected":
        assert estimate.low is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= share <= estimate.high <= 1


def test_intervals_hold_the_truth_and_correction_halves_the_error_of_counting(shares: ModuleType) -> None:
    cells = shares.run_grid(10, 7, sizes=(100, 400))
    rounds: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for key, cell in cells.items():
        share = shares.prevalence(key)
        if share * key[4] >= 10:
            band = "below 10 %" if share < 0.1 else "10 to 30 %" if share < 0.3 else "30 % and more"
            rounds[band, key[4]][0] += cell.held
            rounds[band, key[4]][1] += cell.shown
    assert len(rounds) == 5
    for where, (held, shown) in rounds.items():
        noise = 3 * (0.05 * 0.95 / shown) ** 0.5
        assert 0.93 - noise < held / shown < 0.97 + noise, where
    errors = shares.summarize(cells, 400)
    assert errors["corrected"] <= errors["counting"] / 2
    assert errors["corrected"] < errors["labels"]


def test_only_what_labellers_agree_on_serves(shares: ModuleType) -> None:
    cells = shares.run_labellers(4, 7)
    held: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (kind, _, choice), cell in cells.items():
        if kind != "uneven":
            held[choice][0] += cell.held
            held[choice][1] += cell.shown
    agreed, halves = held["only agreed"], held["half for each"]
    assert agreed[0] / agreed[1] > 0.93
    assert halves[0] / halves[1] < agreed[0] / agreed[1] - 0.02


@pytest.mark.quantification
@pytest.mark.filterwarnings("default")
def test_the_point_is_that_of_ppi_python(shares: ModuleType) -> None:
    with warnings.catch_warnings():  # importing it silences all warnings of the process
        ppi = pytest.importorskip("ppi_py")
        rng = np.random.default_rng(3)
        town = shares.build_town(shares.MIXES["tones skewed"], "neighbour", 0.7, rng)
        drawn, weight, group = shares.draw(town, 400, "stratified", rng)
        for label in range(3):
            truth, read = (town.truth[drawn] == label).astype(float), (town.read[drawn] == label).astype(float)
            everywhere = (town.read == label).astype(float)
            one = Marks(truth, read, weight, group, int(everywhere.sum()), len(everywhere))
            trusted = trust(truth, read, weight)
            theirs = ppi.ppi_mean_pointestimate(truth, read, everywhere, lam=trusted, w=weight)
            assert powered_mean(one, trusted) == pytest.approx(float(np.squeeze(theirs)), abs=1e-12)
            tuned = float(np.squeeze(ppi.ppi_mean_pointestimate(truth, read, everywhere, w=weight)))
            assert powered_mean(one, trusted) == pytest.approx(tuned, abs=0.01)


@pytest.mark.quantification
@pytest.mark.filterwarnings("default")
def test_adjusted_counting_of_quapy_agrees_and_errs_no_less(shares: ModuleType) -> None:
    with warnings.catch_warnings():
        pytest.importorskip("quapy")
        from quapy.method.aggregative import ACC

        rng = np.random.default_rng(4)
        errors = []
        for _ in range(60):
            town = shares.build_town(shares.MIXES["tones even"], "neighbour", 0.7, rng)
            sample = shares.draw(town, 400, "simple", rng)
            rates = ACC.getPteCondEstim(range(3), town.truth[sample[0]], town.read[sample[0]])
            counted = np.bincount(town.read, minlength=3)[:3] / len(town.read)
            adjusted = ACC.solve_adjustment(rates, counted, method="inversion", solver="exact-raise")
            ours = [found[0].share for found in shares.estimate_town(town, *sample)]
            truth = np.bincount(town.truth) / len(town.truth)
            errors.append((np.abs(ours - truth).mean(), np.abs(adjusted - truth).mean(), *(ours - adjusted)))
    mine, theirs, *apart = np.mean(errors, axis=0)
    assert mine <= theirs
    assert np.abs(apart).max() < 0.02
