"""Feasibility: between which bounds a reader can place a hidden figure, from everything that is told (linear programming)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, floor

from pipelines.reports.cells import Cell, Relation


@dataclass(frozen=True)
class Puzzle:
    """What a reader knows: the cells that are told, the sums that hold, and that figures of people are whole and not negative."""

    cells: Sequence[Cell]
    relations: Sequence[Relation]
    by_cell: Sequence[Sequence[int]]
    """For each cell the positions of the relations that it is in."""

    @classmethod
    def of(cls, cells: Sequence[Cell], relations: Sequence[Relation]) -> Puzzle:
        """Return the puzzle of one channel."""
        by_cell: list[list[int]] = [[] for _ in cells]
        for position, relation in enumerate(relations):
            for member in relation.members:
                by_cell[member].append(position)
        return cls(cells, relations, by_cell)

    def connected(self, cell: int, hidden: Collection[int]) -> tuple[list[int], list[int]]:
        """Return the hidden cells whose figures bear on a hidden one, and the relations between them; both in order."""
        reached, relations, pending = {cell}, set[int](), [cell]
        while pending:
            for position in self.by_cell[pending.pop()]:
                if position not in relations:
                    relations.add(position)
                    fresh = [m for m in self.relations[position].members if m in hidden and m not in reached]
                    reached.update(fresh)
                    pending += fresh
        return sorted(reached), sorted(relations)

    def is_blank(self, relation: Relation, hidden: Collection[int]) -> bool:
        """Tell whether all parts of a sum are hidden, those that are zero too: then hidden does not mean that there is one."""
        return all(child in hidden for child in relation.children)

    def least(self, cell: int, hidden: Collection[int]) -> int:
        """Return the least that a reader must think of a hidden cell: 1, since zeros are told, but 0 in a blank sum."""
        if not self.cells[cell].count:
            return 0
        parts = [self.relations[position] for position in self.by_cell[cell] if cell in self.relations[position].children]
        return 0 if any(self.is_blank(relation, hidden) for relation in parts) else 1

    def width(self, cell: int, hidden: Collection[int], enough: int) -> int:
        """Return between how many figures, less one, somebody who reads everything that is told can place a hidden cell.

        Args:
            cell: the hidden cell.
            hidden: all that are hidden.
            enough: nothing beyond this is asked for.
        """
        system = self._system(cell, hidden)
        highest = system.extreme(greatest=True)
        if highest - self.cells[cell].count >= enough:
            return enough
        return min(enough, highest - system.extreme(greatest=False))

    def _system(self, cell: int, hidden: Collection[int]) -> _System:
        variables, relations = self.connected(cell, hidden)
        column = {variable: position for position, variable in enumerate(variables)}
        entries, sums = _equations([self.relations[position] for position in relations], self.cells, column)
        limits = [(float(self.least(variable, hidden)), None) for variable in variables]
        return _System(column[cell], entries, sums, limits)


@dataclass(frozen=True)
class _System:
    """Sums of hidden cells, with what bounds each, and the one of them that is sought."""

    sought: int
    entries: list[tuple[int, int, float]]
    """Row, column and sign."""

    sums: list[int]
    limits: list[tuple[float, None]]

    def extreme(self, *, greatest: bool) -> int:
        """Return the greatest or the least whole number that the sought cell can be.

        Raises:
            ValueError: if there is none: then the sums contradict one another.
        """
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        rows, columns, signs = zip(*self.entries, strict=True)
        matrix = csr_array((signs, (rows, columns)), shape=(len(self.sums), len(self.limits)))
        aim = [0.0] * len(self.limits)
        aim[self.sought] = -1.0 if greatest else 1.0
        solved = linprog(aim, A_eq=matrix, b_eq=self.sums, bounds=self.limits, method="highs")
        if not solved.success:
            raise ValueError(f"the sums of a report contradict one another: {solved.message}")
        # What lies between two whole numbers excludes the one outside of it; solvers are off by some 1e-9.
        return floor(1e-6 - solved.fun) if greatest else ceil(solved.fun - 1e-6)


def _equations(
    relations: Sequence[Relation], cells: Sequence[Cell], column: dict[int, int]
) -> tuple[list[tuple[int, int, float]], list[int]]:
    """Return the entries (row, column, sign) of the hidden parts of each sum, and what they must add up to."""
    entries: list[tuple[int, int, float]] = []
    sums = []
    for row, relation in enumerate(relations):
        entries += [(row, column[child], 1.0) for child in relation.children if child in column]
        told = sum(cells[child].count for child in relation.children if child not in column)
        parent_hidden = relation.parent in column
        if relation.parent is not None and parent_hidden:
            entries.append((row, column[relation.parent], -1.0))
        sums.append((0 if parent_hidden else relation.total) - told)
    return entries, sums
