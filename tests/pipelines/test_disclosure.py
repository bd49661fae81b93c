"""What a report does not tell: nobody who reads all of it, in every format, can come near a figure of few persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipelines.reports.cells import Cell, relate
from pipelines.reports.disclosure import LEAST_PERSONS, protect, protect_channel
from pipelines.reports.masking import masked
from pipelines.warehouse import Warehouse
from tests.pipelines.report_items import CATEGORIES, FIRST, ISSUES, ROLLUPS, SENTIMENTS, TABLES, Item, random_items, report_of

Key = tuple[str, ...]
Figures = dict[Key, int | None]
"""Table and key -> the figure; None: not told."""


def read_figures(warehouse: Warehouse, level: str) -> Figures:
    """Return every figure of the tables at a level, as whoever opens them reads it."""
    found: Figures = {}
    with masked(warehouse, level):
        for table in TABLES:
            for row in warehouse.rows(f"from {table}"):
                key = [str(row[name]) for name in ("category_id", "issue_id", "rollup_id", "sentiment", "day") if name in row]
                if table == "report_day":
                    found["day", *key] = row["manifestation_count"]
                    found |= {("day", *key, tone): row[f"{tone}_count"] for tone in SENTIMENTS}
                else:
                    found[(table, *key)] = row["manifestation_count"]
    return found


def belongs(key: Key) -> Callable[[Item], bool]:
    """Return which items a figure counts, by what its table says; nothing of the code that hides is used."""
    match key:
        case ("report_category", category):
            return lambda item: item.category == category
        case ("report_sentiment", tone):
            return lambda item: item.sentiment == tone
        case ("report_category_sentiment", category, tone):
            return lambda item: (item.category, item.sentiment) == (category, tone)
        case ("report_issue", _, issue):
            return lambda item: item.issue == issue
        case ("report_rollup", rollup):
            return lambda item: item.category in ROLLUPS[rollup] or item.issue in ROLLUPS[rollup]
        case ("day", day):
            return lambda item: item.day == date.fromisoformat(day)
        case ("day", day, tone):
            return lambda item: (item.day, item.sentiment) == (date.fromisoformat(day), tone)
    raise AssertionError(key)


class Attacker:
    """Somebody who has all that is told, knows the rules, and solves for each combination of category, issue, tone and day."""

    def __init__(self, told: Figures, total: int, days: list[date]) -> None:
        self.atoms = [
            Item(category, issue, tone, day, "")
            for category in CATEGORIES
            for issue in (None, *ISSUES.get(category, ()))
            for tone in SENTIMENTS
            for day in days
        ]
        self.equal = [([1.0] * len(self.atoms), total)]
        self.at_least: list[tuple[list[float], int]] = []
        for key, figure in told.items():
            if figure is not None:
                self.equal.append((self.row(key), figure))
            elif key[0] == "report_issue" or not _among_blanks(key, told):
                self.at_least.append((self.row(key), 1))
        for category, issues in ISSUES.items():
            listed = {key[2] for key in told if key[:2] == ("report_issue", category)}
            # Where some issue of a category is listed, one that is not was never mentioned.
            self.equal += [(self.row(("report_issue", category, i)), 0) for i in issues if listed and i not in listed]

    def row(self, key: Key) -> list[float]:
        counts = belongs(key)
        return [float(counts(atom)) for atom in self.atoms]

    def bounds(self, key: Key) -> tuple[float, float]:
        """Return between which figures the attacker places one."""
        aim = self.row(key)
        found = []
        for sign in (1.0, -1.0):
            solved = linprog(
                [sign * part for part in aim],
                A_eq=[row for row, _ in self.equal],
                b_eq=[figure for _, figure in self.equal],
                A_ub=[[-part for part in row] for row, _ in self.at_least] or None,
                b_ub=[-figure for _, figure in self.at_least] or None,
                method="highs",
            )
            assert solved.success, solved.message
            found.append(sign * solved.fun)
        return found[0], found[1]


def _among_blanks(key: Key, told: Figures) -> bool:
    """Tell whether a figure stands in a line of its table that tells nothing at all: then it may be zero."""
    same = [other for other in told if other[0] == key[0] and len(other) == len(key)]
    lines = [[other for other in same if other[place] == key[place]] for place in range(1, len(key))] if len(key) > 2 else [same]
    return any(all(told[other] is None for other in line) for line in lines)


def persons(items: list[Item], key: Key) -> int:
    counts = belongs(key)
    return len({item.person for item in items if counts(item)})


def few(items: list[Item], told: Figures, least: int) -> Iterator[Key]:
    """Yield the figures behind which there are few persons, those of issues that are not even listed too."""
    issues = {("report_issue", category, issue) for category, known in ISSUES.items() for issue in known}
    for key in sorted(told.keys() | issues):
        if not (key[0] == "day" and len(key) == 2) and 0 < persons(items, key) < least:
            yield key


@settings(max_examples=12, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 70), st.integers(1, 60), st.integers(1, 3))
@example(seed=1, size=1, people=1, days=1)
@example(seed=3, size=60, people=2, days=2)
@example(seed=5, size=400, people=300, days=2)
def test_whoever_has_both_levels_cannot_place_a_figure_of_few_persons(seed: int, size: int, people: int, days: int) -> None:
    items = random_items(seed, size, people, days)
    window = [FIRST.replace(day=1 + place) for place in range(days)]
    with report_of(items, days) as warehouse:
        levels = {level: read_figures(warehouse, level) for level in LEAST_PERSONS}
    known = levels["internal"] | {key: figure for key, figure in levels["open"].items() if figure is not None}
    assert {key: known[key] for key in levels["internal"]} == levels["internal"], "open data tells what the page does not"
    totals: Figures = {key: figure for key, figure in known.items() if key[0] == "day" and len(key) == 2}
    for told, least in ((known, LEAST_PERSONS["internal"]), (levels["open"], LEAST_PERSONS["open"])):
        attacker, newcomer = Attacker(told, len(items), window), Attacker(totals, len(items), window)
        for key in few(items, told, least):
            assert told.get(key) is None, key
            lowest, highest = attacker.bounds(key)
            if highest - lowest < least - 1e-6:
                without = newcomer.bounds(key)
                assert highest - lowest == pytest.approx(without[1] - without[0]), key


@settings(max_examples=25, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(1, 90))
def test_what_is_left_of_a_sum_is_never_of_few_persons(seed: int, size: int, people: int) -> None:
    items = random_items(seed, size, people, 2)
    with report_of(items, 2) as warehouse:
        for level, least in LEAST_PERSONS.items():
            told = read_figures(warehouse, level)
            for children, whole in sums(told):
                untold = [key for key in children if told[key] is None]
                counts = [belongs(key) for key in untold]
                left = {item.person for item in items if any(count(item) for count in counts)}
                everybody = {item.person for item in items if whole(item)}
                # Where nothing of it is told, the sum itself is all that is known.
                assert not left or len(left) >= least or left == everybody, (level, untold)


def sums(told: Figures) -> Iterator[tuple[list[Key], Callable[[Item], bool]]]:
    """Yield the figures that add up to one that is told, and which items that one counts."""
    everything: Callable[[Item], bool] = lambda item: True  # noqa: E731
    yield [("report_category", category) for category in CATEGORIES], everything
    yield [("report_sentiment", tone) for tone in SENTIMENTS], everything
    for category in CATEGORIES:
        if told["report_category", category] is not None:
            yield [("report_category_sentiment", category, tone) for tone in SENTIMENTS], belongs(("report_category", category))
    for tone in SENTIMENTS:
        if told["report_sentiment", tone] is not None:
            yield [("report_category_sentiment", category, tone) for category in CATEGORIES], belongs(("report_sentiment", tone))
    for key in told:
        if key[0] == "day" and len(key) == 2:
            yield [(*key, tone) for tone in SENTIMENTS], belongs(key)


def test_zeros_are_told_and_so_is_everything_of_many() -> None:
    items = [Item("agua", None, "neg", FIRST, f"autor{place}") for place in range(40)]
    with report_of(items, 1) as warehouse:
        told = read_figures(warehouse, "open")
    assert told["report_category", "agua"] == told["day", "2021-04-01", "neg"] == 40
    assert told["report_category", "basura"] == told["report_category_sentiment", "agua", "pos"] == 0
    assert None not in told.values()


def test_many_messages_of_few_persons_are_of_few_persons() -> None:
    items = [Item("agua", None, "neg", FIRST, f"autor{place % 3}") for place in range(30)]
    items += [Item(category, None, "neu", FIRST, f"otro{place}") for place in range(60) for category in ("basura", "calles")]
    with report_of(items, 1) as warehouse:
        told = read_figures(warehouse, "internal")
    assert told["report_category", "agua"] is None
    assert [told["report_category", category] for category in ("basura", "calles")].count(None) == 1, "one more, and no more"


def test_a_level_hides_what_the_one_below_hides() -> None:
    cells = {"agua": (6, 6), "basura": (200, 150), "calles": (9, 9), "unclassified": (3, 3)}
    listed = [Cell("category", name, *figures) for name, figures in cells.items()] + [Cell("total", "", 218, 168)]
    hidden = protect_channel(listed, {})
    assert not any(levels["internal"] and not levels["open"] for levels in hidden.values())
    assert [name for name in cells if hidden["category", name]["internal"]] == ["agua", "unclassified"]
    assert [name for name in cells if hidden["category", name]["open"]] == ["agua", "calles", "unclassified"]
    assert hidden["total", ""] == {"internal": False, "open": False}


def test_two_that_are_hidden_together_are_not_enough_if_both_are_few() -> None:
    cells = [
        Cell("sentiment", "neg", 90, 90),
        Cell("sentiment", "neu", 2, 2),
        Cell("sentiment", "pos", 2, 2),
        Cell("total", "", 94, 94),
    ]
    assert protect(cells, relate(cells, {}), 5) == {0, 1, 2}


def test_a_sum_that_does_not_hold_is_an_error() -> None:
    cells = [Cell("category", "agua", 3, 3), Cell("issue", "agua/agua.corte", 2, 2)]
    with pytest.raises(ValueError, match=r"category 'agua': 3 is not the sum of its parts, 2"):
        relate(cells, {})


def test_languages_of_few_are_hidden_behind_other_reasons() -> None:
    reasons: dict[str, int] = {"aymara": 1, "quechua": 0, "spam": 44, "test": 9, "mirror": 30}
    hidden = protect_channel([Cell("unread", name, count, count) for name, count in reasons.items()], {})
    assert {name for name in reasons if hidden["unread", name]["internal"]} == {"aymara", "test"}


def test_the_attacker_of_these_tests_finds_what_is_not_protected() -> None:
    told: Figures = {("report_sentiment", "pos"): 40, ("report_sentiment", "neu"): 8, ("report_sentiment", "neg"): None}
    attacker = Attacker(told, 50, [FIRST])
    assert attacker.bounds(("report_sentiment", "neg")) == pytest.approx((2, 2))
