"""Small cells: no place of fewer than five persons is told of, and nobody can work one out from what is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations_with_replacement

from hypothesis import given
from hypothesis import strategies as st

from pipelines.reports.suppression import choose_shown

LEAST = 5
World = tuple[frozenset[str], ...]
"""For each message, by a person of its own, the places that it names."""


def people(world: World) -> tuple[dict[str, set[int]], set[int]]:
    named: defaultdict[str, set[int]] = defaultdict(set)
    for person, places in enumerate(world):
        for place in places:
            named[place].add(person)
    return dict(named), {person for person, places in enumerate(world) if not places}


def told(world: World) -> tuple[object, ...]:
    """Return all that the table says: the total, each place told of, the others together, those who name none."""
    named, silent = people(world)
    shown = choose_shown(named, silent, place_count=5, least=LEAST)
    if shown is None:
        return (len(world), None)
    other = sum(bool(places - shown) for places in world)
    return len(world), tuple(sorted((place, len(named[place])) for place in shown)), other, len(silent)


def test_a_small_place_is_not_told_and_takes_the_smallest_of_the_others_with_it() -> None:
    named = {"a": set(range(9)), "b": set(range(10, 16)), "c": {20, 21}}
    assert choose_shown(named, set(range(30, 40)), place_count=8, least=LEAST) == {"a"}


def test_small_places_that_are_enough_together_need_no_other() -> None:
    named = {"a": set(range(9)), "b": {10, 11, 12}, "c": {20, 21}}
    assert choose_shown(named, set(range(30, 40)), place_count=8, least=LEAST) == {"a"}
    assert choose_shown({"a": set(range(9))}, set(), place_count=8, least=LEAST) == {"a"}


def test_nothing_is_told_where_the_total_would_give_few_away() -> None:
    assert choose_shown({"a": {1, 2}}, set(range(10, 30)), place_count=8, least=LEAST) is None
    assert choose_shown({"a": set(range(9))}, {20}, place_count=8, least=LEAST) is None
    assert choose_shown({}, set(range(9)), place_count=8, least=LEAST) == frozenset()


def worlds() -> Iterator[World]:
    """Yield every village of at most 14 messages about five places, each naming one at most."""
    kinds = [frozenset[str](), *map(frozenset, "abcde")]
    for size in range(1, 15):
        yield from combinations_with_replacement(kinds, size)


def test_no_reader_who_knows_the_rule_can_solve_for_a_small_place() -> None:
    possible: defaultdict[tuple[object, ...], list[dict[str, int]]] = defaultdict(list)
    for world in worlds():
        named, _ = people(world)
        possible[told(world)].append({place: len(named.get(place, ())) for place in "abcde"})
    solved = [
        (said, place, counts[0][place])
        for said, counts in possible.items()
        for place in "abcde"
        if 0 < counts[0][place] < LEAST and len({count[place] for count in counts}) == 1
    ]
    assert len(possible) > 100
    assert solved == []


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.integers(0, 40), max_size=12)),
    st.sets(st.integers(50, 70), max_size=12),
)
def test_what_is_told_has_enough_persons_in_every_row(named: dict[str, set[int]], silent: set[int]) -> None:
    shown = choose_shown(named, silent, place_count=8, least=LEAST)
    if shown is None:
        return
    hidden = [who for place, who in named.items() if place not in shown and who]
    assert all(len(named[place]) >= LEAST for place in shown)
    assert not hidden or len(set().union(*hidden)) >= LEAST
    assert not 0 < len(silent) < LEAST
