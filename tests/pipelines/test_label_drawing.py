"""Drawing a sample: it is the same again, it stands for all, and no stratum is left out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.labels.drawing import LEAST_EXPECTED, ONE_STRATUM, Drawable, allocate, draw


def messages(counts: dict[tuple[str, str], int]) -> list[Drawable]:
    return [
        Drawable(f"{source}-{category}-{number:04d}", "v1", source, category)
        for (source, category), count in counts.items()
        for number in range(count)
    ]


CITY = messages(
    {("foro", "agua"): 500, ("foro", "salud"): 260, ("blog", "agua"): 40, ("blog", "salud"): 3, ("radio", "empleo"): 1}
)


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 900), min_size=1, max_size=40),
    st.integers(1, 600),
)
@settings(max_examples=200)
def test_shares_add_up_and_no_stratum_is_left_out(counts: dict[str, int], size: int) -> None:
    size = max(size, len(counts))
    shares = allocate(counts, size)
    assert shares.keys() == counts.keys()
    assert sum(shares.values()) == min(size, sum(counts.values()))
    assert all(1 <= shares[name] <= counts[name] for name in counts)


def test_shares_are_in_proportion_with_the_largest_remainders_first() -> None:
    assert allocate({"a": 500, "b": 300, "c": 200}, 10) == {"a": 5, "b": 3, "c": 2}
    assert allocate({"a": 55, "b": 25, "c": 20}, 10) == {"a": 6, "b": 2, "c": 2}  # 5.5, 2.5, 2: by name where remainders tie
    assert allocate({"large": 997, "small": 2, "tiny": 1}, 10) == {"large": 8, "small": 1, "tiny": 1}


def test_a_drawn_sample_stands_for_every_message() -> None:
    drawn = draw(CITY, size=60, seed=11)
    assert len({item.message for item in drawn}) == 60
    strata = {item.stratum: (item.stratum_count, item.stratum_drawn) for item in drawn}
    # What the blog has of health is too little for a stratum, and so is all that the radio has: each is one of its category.
    assert {name: count for name, (count, _) in strata.items()} == {
        "foro/agua": 500,
        "foro/salud": 260,
        "blog/agua": 40,
        "*/salud": 3,
        "*/empleo": 1,
    }
    assert abs(sum(item.stratum_count / item.stratum_drawn for item in drawn) - len(CITY)) < 1e-9
    assert Counter(item.stratum for item in drawn) == Counter({name: taken for name, (_, taken) in strata.items()})


def test_weights_stay_even_where_strata_are_many_and_small() -> None:
    many = messages(
        {(f"s{source}", f"c{category}"): 1 + (source * category) % 37 for source in range(25) for category in range(15)}
    )
    weights = [item.stratum_count / item.stratum_drawn for item in draw(many, size=400, seed=1)]
    spread = len(weights) * sum(weight**2 for weight in weights) / sum(weights) ** 2  # Kish's design effect
    assert spread < 1.05
    drawn = draw(many, size=400, seed=1)
    assert all(item.stratum_drawn >= LEAST_EXPECTED for item in drawn if not item.stratum.startswith("*"))


def test_the_same_seed_draws_the_same_whatever_the_order_and_another_seed_another() -> None:
    first = draw(CITY, size=60, seed=11)
    assert draw(list(reversed(CITY)), size=60, seed=11) == first
    assert {item.message for item in draw(CITY, size=60, seed=12)} != {item.message for item in first}
    assert [item.message for item in first] != sorted(item.message for item in first)


def test_a_sample_smaller_than_its_strata_takes_coarser_ones() -> None:
    assert {item.stratum for item in draw(CITY, size=3, seed=1)} == {"*/agua", "*/salud", "*/empleo"}
    assert {item.stratum for item in draw(CITY, size=2, seed=1)} == {ONE_STRATUM}


def test_a_sample_of_all_is_all() -> None:
    drawn = draw(CITY, size=5_000, seed=1)
    assert {item.message for item in drawn} == set(CITY)
    assert all(item.stratum_count == item.stratum_drawn for item in drawn)


def test_over_many_seeds_every_message_of_a_stratum_is_drawn_as_often() -> None:
    """Half of 40 messages, 400 times: about 200 each; 6 standard deviations are 60."""
    small = messages({("foro", "agua"): 40})
    taken = Counter(item.message for seed in range(400) for item in draw(small, size=20, seed=seed))
    assert len(taken) == 40
    assert all(140 < count < 260 for count in taken.values())
