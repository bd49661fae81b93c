"""Change that is split by source: its parts add up, its intervals hold, and a page without any change shows no arrow."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.reports.change import compare_windows, split_share
from pipelines.reports.pairs import Corrected, Pair, adjust_chances

ROOT = Path(__file__).resolve().parents[2]


def load_benchmark(name: str) -> ModuleType:
    """Return a module of `benchmarks/`, which is no package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


change = load_benchmark("change")

TABLES = st.lists(st.tuples(*[st.integers(0, 40)] * 4), min_size=1, max_size=6)


@given(TABLES, st.lists(st.integers(0, 30), min_size=4, max_size=4))
def test_the_parts_of_a_change_add_up(sources: list[tuple[int, ...]], others: list[int]) -> None:
    """Whatever is empty: sources silent in one window, no comparable source, sources lost and gained."""
    hits = np.array([[row[0] for row in sources], [row[1] for row in sources]], dtype=float)
    base = hits + np.array([[row[2] for row in sources], [row[3] for row in sources]])
    lost_hits, lost_rest, gained_hits, gained_rest = others
    before_base, now_base = base[0].sum() + lost_hits + lost_rest, base[1].sum() + gained_hits + gained_rest
    before = (hits[0].sum() + lost_hits) / before_base if before_base else None
    now = (hits[1].sum() + gained_hits) / now_base if now_base else None
    parts = split_share((before, now), hits, base)
    if before is None or now is None:
        assert set(parts.values()) == {None}
        return
    total = parts.pop("total_change")
    assert total == pytest.approx(now - before)
    assert sum(parts.values()) == pytest.approx(total, abs=1e-12)
    if not lost_hits + lost_rest and base.sum(axis=1).all():
        assert parts["lost_change"] == pytest.approx(0)


def test_a_source_that_says_the_same_changes_only_the_mix() -> None:
    hits, base = np.array([[50.0, 10.0], [100.0, 10.0]]), np.array([[100.0, 100.0], [200.0, 100.0]])
    parts = split_share((60 / 200, 110 / 300), hits, base)
    assert parts["within_change"] == 0
    assert parts["mix_change"] == pytest.approx(110 / 300 - 60 / 200)


def test_holm_on_a_worked_example() -> None:
    """Holm (1979) by hand: 4 x 0.01, 3 x 0.02, then never less than the one before; what was not compared counts nowhere."""
    assert adjust_chances([0.02, None, 0.01, 0.3, 0.04]) == pytest.approx([0.06, None, 0.04, 0.3, 0.08], nan_ok=True)


def test_an_aa_page_shows_no_arrow_with_heavy_authors_and_busy_days() -> None:
    """Pages with any arrow: at most 5 % (1,000 of each kind in `benchmarks/change.py`; here fewer, so with what chance adds)."""
    pages = {"busy": 40, "heavy": 30, "week": 60, "small": 80, "labelled": 40}
    arrowed = {name: change.count_arrows(change.CITIES[name], number, seed=3) for name, number in pages.items()}
    total = sum(told["pages"] * pages[name] for name, told in arrowed.items())
    # 20 or more of 250 have a chance of 3 % at a true rate of 5 %.
    assert total < 20, arrowed
    assert all(told["outside"] < 0.05 for told in arrowed.values()), arrowed


def test_a_rise_of_six_points_is_seen() -> None:
    city = change.CITIES["heavy"]._replace(lift=0.06)
    assert change.count_arrows(city, 10, seed=4)["seen"] >= 0.8


def draw(seed: int = 5, lift: float = 0.0) -> Pair:
    return change.draw_pair(change.CITIES["small"]._replace(lift=lift), np.random.default_rng(seed))


def test_an_author_in_many_messages_widens_the_interval() -> None:
    pair = draw()
    crowded = replace(pair, author=pair.source * 3 + pair.category % 3)
    widths = []
    for one in (replace(pair, author=np.arange(len(pair.author))), crowded):
        row = compare_windows(one)[0]
        widths.append(row["within_high"] - row["within_low"])
    assert widths[1] > 1.3 * widths[0]


def test_what_is_too_little_to_compare_is_no_comparison() -> None:
    rows = {(row["measure"], row["key"]): row for row in compare_windows(draw())}
    rare = rows["category", "c13"]
    assert rare["previous_count"] + rare["current_count"] < 10
    assert rare["p_value"] is rare["within_low"] is rare["p_adjusted"] is None
    assert rare["direction"] == "none"
    assert rare["total_change"] is not None


def test_two_days_are_no_comparison() -> None:
    pair = draw()
    short = replace(pair, day=pair.day % 2, day_counts=(2, 2), weekdays=(np.array([0, 1]), np.array([2, 3])))
    assert all(row["p_value"] is None for row in compare_windows(short))


def test_corrected_shares_of_both_windows_take_the_place_of_those_read() -> None:
    pair = draw()
    key = ("category", "c00")
    fixed = (Corrected(0.20, 0.17, 0.23), Corrected(0.30, 0.27, 0.33))
    read = compare_windows(pair)[0]
    row = compare_windows(replace(pair, corrected={key: fixed}))[0]
    assert (row["previous_value"], row["current_value"], row["corrected"]) == (0.20, 0.30, True)
    assert row["total_change"] == pytest.approx(0.1)
    parts = row["within_change"] + row["mix_change"] + row["lost_change"] + row["gained_change"]
    assert parts == pytest.approx(0.1)
    assert row["within_high"] - row["within_low"] > read["within_high"] - read["within_low"]


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_order_of_messages_says_nothing(seed: int) -> None:
    pair = draw()
    order = np.random.default_rng(seed).permutation(len(pair.window))
    columns = ("window", "source", "author", "day", "category", "sentiment")
    mixed = replace(pair, **{name: getattr(pair, name)[order] for name in columns})
    for one, other in zip(compare_windows(pair), compare_windows(mixed), strict=True):
        assert one["direction"] == other["direction"]
        assert one["within_low"] == pytest.approx(other["within_low"], nan_ok=True)
