"""Feasibility: between which bounds a reader can place a hidden figure, from everything that is told (linear programming)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, floor
from random import Random

from pipelines.reports.cells import Cell, Relation

_TOLERANCE = 1e-6
"""Solvers are off by some 1e-9; what lies between two whole numbers excludes the one outside of it."""

CORNERS = 6
"""How many pairs of opposite corners are looked at before single cells are."""


class Puzzle:
    """What a reader knows: the cells that are told, the sums that hold, and that figures of people are whole and not negative."""

    def __init__(self, cells: Sequence[Cell], relations: Sequence[Relation]) -> None:
        """Lay out the cells of one channel and the sums among them."""
        self.cells, self.relations = cells, relations
        self.by_cell: list[list[int]] = [[] for _ in cells]
        """For each cell the positions of the relations that it is in."""

        for position, relation in enumerate(relations):
            for member in relation.members:
                self.by_cell[member].append(position)
        # What every solution so far shows that cells can be: hiding more takes none of them away.
        self._lowest = [cell.count for cell in cells]
        self._highest = [cell.count for cell in cells]

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

    def least(self, cell: int, hidden: Collection[int]) -> int:
        """Return the least that a reader must think of a hidden cell: 1, since zeros are told, but 0 in a blank sum.

        A sum is blank if all its parts are hidden, those that are zero too: then hidden does not mean that there is one.
        """
        if not self.cells[cell].count:
            return 0
        sums = [self.relations[position] for position in self.by_cell[cell] if cell in self.relations[position].children]
        return 0 if any(all(child in hidden for child in relation.children) for relation in sums) else 1

    def width(self, cell: int, hidden: Collection[int], enough: int, *, trial: bool = False) -> int:
        """Return within how many figures, less one, somebody who reads everything that is told can place a hidden cell.

        Args:
            cell: the hidden cell.
            hidden: all that are hidden; no fewer than in any earlier call that was no trial.
            enough: nothing beyond this is asked for.
            trial: what is hidden may be told again.
        """
        lowest, highest = self._lowest[cell], self._highest[cell]
        if highest - lowest >= enough:
            return enough
        variables, positions = self.connected(cell, hidden)
        system, sought = self._system(variables, positions, hidden), variables.index(cell)
        for greatest in (True, False):
            solution = system.extreme([(1.0 if greatest else -1.0) * (place == sought) for place in range(len(variables))])
            value = solution[sought]
            lowest, highest = min(lowest, ceil(value - _TOLERANCE)), max(highest, floor(value + _TOLERANCE))
            if not trial:
                self._note(variables, solution)
            if highest - lowest >= enough:
                return enough
        return highest - lowest

    def explore(self, hidden: Collection[int]) -> None:
        """Note what all hidden cells are in a few far corners at once: most need no question of their own then.

        Args:
            hidden: all that are hidden; no fewer than in any earlier call.
        """
        variables = sorted(hidden)
        positions = sorted({position for variable in variables for position in self.by_cell[variable]})
        if not positions:
            return
        system = self._system(variables, positions, hidden)
        chance = Random(0)
        for _ in range(CORNERS):
            direction = [chance.choice((-1.0, 1.0)) for _ in variables]
            self._note(variables, system.extreme(direction))
            self._note(variables, system.extreme([-value for value in direction]))

    def _note(self, variables: Sequence[int], solution: Sequence[float]) -> None:
        for variable, value in zip(variables, solution, strict=True):
            self._lowest[variable] = min(self._lowest[variable], ceil(value - _TOLERANCE))
            self._highest[variable] = max(self._highest[variable], floor(value + _TOLERANCE))

    def _system(self, variables: Sequence[int], positions: Sequence[int], hidden: Collection[int]) -> _System:
        """Return the sums at these positions, with the hidden cells that occur in them."""
        column = {variable: place for place, variable in enumerate(variables)}
        entries: list[tuple[int, int, float]] = []
        sums = []
        for row, position in enumerate(positions):
            relation = self.relations[position]
            entries += [(row, column[child], 1.0) for child in relation.children if child in column]
            told = sum(self.cells[child].count for child in relation.children if child not in column)
            if relation.parent is not None and relation.parent in column:
                entries.append((row, column[relation.parent], -1.0))
                sums.append(-told)
            else:
                sums.append(relation.total - told)
        limits = [(float(self.least(variable, hidden)), None) for variable in variables]
        return _System(entries, sums, limits)


@dataclass(frozen=True)
class _System:
    """Sums of hidden cells, with what bounds each."""

    entries: list[tuple[int, int, float]]
    """Row, column and sign."""

    sums: list[int]
    limits: list[tuple[float, None]]

    def extreme(self, direction: Sequence[float]) -> Sequence[float]:
        """Return what all the cells are where they lie farthest in a direction.

        Raises:
            ValueError: if the sums contradict one another.
        """
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        rows, columns, signs = zip(*self.entries, strict=True)
        matrix = csr_array((signs, (rows, columns)), shape=(len(self.sums), len(self.limits)))
        aim = [-value for value in direction]
        solved = linprog(aim, A_eq=matrix, b_eq=self.sums, bounds=self.limits, method="highs")
        if not solved.success:
            raise ValueError(f"the sums of a report contradict one another: {solved.message}")
        values: list[float] = solved.x.tolist()
        return values
