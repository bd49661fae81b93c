"""Cells: the figures of a report that persons stand behind, and the sums by which a reader could derive one from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

FIXED = frozenset({"total", "day"})
"""Cells that are always told: what a channel counts, and what a day counts."""

SENSITIVE_REASONS = frozenset({"quechua", "aymara", "other_language"})
"""Reasons for setting aside that tell something of a person; the others may only be hidden to protect these."""


@dataclass(frozen=True)
class Cell:
    """One figure of one channel."""

    table: str
    """total, day, category, sentiment, category_sentiment, issue, rollup, day_sentiment or unread."""

    key: str
    """What names it within its table; parts separated by `/`."""

    count: int
    persons: int

    @property
    def sensitive(self) -> bool:
        """Tell whether it must be hidden when few persons stand behind it."""
        return self.table not in FIXED and (self.table != "unread" or self.key in SENSITIVE_REASONS)

    @property
    def unlisted(self) -> bool:
        """Tell whether no table lists it: what no issue was recognised in is told by subtraction alone."""
        return self.table == "issue" and self.key.endswith("/none")


@dataclass(frozen=True)
class Relation:
    """A sum that every reader knows: the children add up to the parent."""

    children: tuple[int, ...]
    """Positions in the list of cells."""

    parent: int | None
    """None if the sum is known in any case."""

    total: int
    persons: int
    """Distinct persons behind the sum; 0 if nobody counted them."""

    @cached_property
    def members(self) -> tuple[int, ...]:
        """Return all cells in it that may be hidden."""
        return self.children if self.parent is None else (*self.children, self.parent)


def relate(cells: Sequence[Cell], rollups: Mapping[str, Iterable[str]]) -> list[Relation]:
    """Return the sums that hold among the cells of one channel.

    Args:
        cells: of one channel.
        rollups: id -> its members, each a category or `category.issue`.
    """
    at = {(cell.table, cell.key): position for position, cell in enumerate(cells)}
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        for table, key in _parents(cell):
            groups[table, key, cell.table].append(position)
    for rollup, members in rollups.items():
        groups["rollup", rollup, ""] = [at[part] for part in _parts(frozenset(members)) if part in at]
    found = (_relation(cells, at.get((table, key)), children) for (table, key, _), children in sorted(groups.items()))
    return [relation for relation in found if relation.children]


def _relation(cells: Sequence[Cell], parent: int | None, children: Sequence[int]) -> Relation:
    total = sum(cells[child].count for child in children)
    persons = 0 if parent is None else cells[parent].persons
    if parent is not None and cells[parent].count != total:
        name = f"{cells[parent].table} {cells[parent].key!r}"
        raise ValueError(f"{name}: {cells[parent].count} is not the sum of its parts, {total}")
    fixed = parent is None or cells[parent].table in FIXED
    return Relation(tuple(children), None if fixed else parent, total, persons)


def _parts(members: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the cells that a roll-up is the sum of: its categories, and its issues outside of them."""
    for member in sorted(members):
        category, _, issue = member.partition(".")
        if not issue:
            yield "category", member
        elif category not in members:
            yield "issue", f"{category}/{member}"


def _parents(cell: Cell) -> Iterator[tuple[str, str]]:
    """Yield the cells, as (table, key), in whose sum a cell is one of the parts."""
    first, _, second = cell.key.partition("/")
    if cell.table in ("category", "sentiment"):
        yield "total", ""
    elif cell.table == "issue":
        yield "category", first
    elif cell.table == "category_sentiment":
        yield from (("category", first), ("sentiment", second))
    elif cell.table == "day_sentiment":
        yield from (("day", first), ("sentiment", second))
    elif cell.table == "unread":
        yield "set_aside", ""
