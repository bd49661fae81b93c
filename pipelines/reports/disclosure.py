"""Disclosure control: which figures of a report are not told, so that none tells of few persons, nor can be derived from others.

A cell behind which there are fewer than `LEAST_PERSONS` distinct persons is hidden; zeros are told. Then others are hidden
beside it, the cheapest first, until no sum is left in which one cell alone is hidden or the hidden ones together are few, and
until nobody who solves the whole system of sums can place such a cell within fewer than that many figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pipelines.reports.cells import FIXED, Cell, Relation, relate
from pipelines.reports.feasibility import Puzzle
from pipelines.reports.masking import LEAST_PERSONS
from pipelines.staging import Build, stage

COUNT_COLUMNS = {
    "channel": "varchar",
    "cell_table": "varchar",
    "cell_key": "varchar",
    "manifestation_count": "bigint",
    "person_count": "bigint",
}

CELL_COLUMNS = {**COUNT_COLUMNS, "suppressed_internal": "boolean", "suppressed_open": "boolean"}

COMPARED = ("category", "sentiment", "category_sentiment")
"""Tables whose figures of the window before `report_change` tells beside those of the window."""


def protect(cells: Sequence[Cell], relations: Sequence[Relation], least: int, hidden: Collection[int] = ()) -> frozenset[int]:
    """Return which cells of one channel are not told.

    Args:
        cells: of the channel, always in the same order.
        relations: the sums among them.
        least: fewest persons behind a cell that is told.
        hidden: what is hidden in any case.
    """
    puzzle = Puzzle(cells, relations)
    few = [place for place, cell in enumerate(cells) if cell.sensitive and 0 < cell.persons < least]
    chosen = _close(puzzle, {*hidden, *few, *_all_of_few(cells, least)}, least)
    if few:
        puzzle.explore(chosen)
    for cell in few:
        chosen = _widen(puzzle, cell, chosen, least)
    return frozenset(chosen)


def _close(puzzle: Puzzle, hidden: set[int], least: int) -> set[int]:
    """Hide more until every sum has none hidden, or several that stand for enough persons."""
    hidden = set(hidden)
    pending = list(range(len(puzzle.relations)))
    while pending:
        relation = puzzle.relations[pending.pop(0)]
        more = _missing(puzzle, relation, hidden, least)
        for cell in more:
            hidden.add(cell)
            pending += [place for place in puzzle.by_cell[cell] if place not in pending]
    return hidden


def _missing(puzzle: Puzzle, relation: Relation, hidden: Collection[int], least: int) -> list[int]:
    """Return what a sum still needs hidden: nothing, the cheapest member, or the zeros that would tell the rest apart."""
    members = [member for member in relation.members if member in hidden]
    if not any(puzzle.cells[member].count for member in members):
        return []
    told = [member for member in relation.members if member not in hidden and puzzle.cells[member].count]
    if told:
        alone = len(members) == 1
        few = relation.parent not in hidden and _persons(puzzle, relation, hidden) < least
        return [min(told, key=lambda member: _cost(puzzle, member, hidden))] if alone or few else []
    return [child for child in relation.children if child not in hidden]


def _persons(puzzle: Puzzle, relation: Relation, hidden: Collection[int]) -> int:
    """Return the fewest persons that can stand behind the hidden parts of a sum together."""
    told = sum(puzzle.cells[child].persons for child in relation.children if child not in hidden)
    most = max((puzzle.cells[child].persons for child in relation.children if child in hidden), default=0)
    return max(most, relation.persons - told)


def _cost(puzzle: Puzzle, cell: int, hidden: Collection[int]) -> tuple[int, bool, int, int]:
    """Order what could be hidden: what needs nothing else hidden, what no table lists, then the smallest."""
    others = [puzzle.relations[place] for place in puzzle.by_cell[cell]]
    open_sums = sum(not any(member in hidden for member in relation.members) for relation in others)
    return open_sums, not puzzle.cells[cell].unlisted, puzzle.cells[cell].count, cell


def _widen(puzzle: Puzzle, cell: int, hidden: set[int], least: int) -> set[int]:
    """Hide more until a cell cannot be placed within fewer than `least` figures, or everything that may be hidden is."""
    wanted = min([least, *(puzzle.relations[place].total for place in _fixed(puzzle, cell))])
    width = puzzle.width(cell, hidden, wanted)
    while width < wanted:
        better = _first_better(puzzle, cell, hidden, width, least, wanted)
        if better is None:
            return hidden
        hidden, width = better
    return hidden


def _fixed(puzzle: Puzzle, cell: int) -> list[int]:
    """Return the sums of a cell that are known in any case: no cell is wider than they are."""
    return [place for place in puzzle.by_cell[cell] if puzzle.relations[place].parent is None]


def _first_better(
    puzzle: Puzzle, cell: int, hidden: set[int], width: int, least: int, wanted: int
) -> tuple[set[int], int] | None:
    """Return the hidden cells with the cheapest more that leaves a cell less certain, and how uncertain it then is."""
    _, relations = puzzle.connected(cell, hidden)
    near = {member for place in puzzle.by_cell[cell] for member in puzzle.relations[place].members}
    told = {member for place in relations for member in puzzle.relations[place].members} - hidden
    order = sorted(told, key=lambda member: (member not in near, not puzzle.cells[member].count, _cost(puzzle, member, hidden)))
    for member in order:
        tried = _close(puzzle, hidden | {member}, least)
        wider = puzzle.width(cell, tried, wanted, trial=True)
        if wider > width:
            return tried, wider
    everything = _all(puzzle.cells)
    wider = puzzle.width(cell, everything, wanted, trial=True)
    return (everything, wider) if wider > width else None


def _all(cells: Sequence[Cell]) -> set[int]:
    return {place for place, cell in enumerate(cells) if cell.table not in FIXED}


def _all_of_few(cells: Sequence[Cell], least: int) -> set[int]:
    """Return everything that was read, zeros too, if the whole channel is of few persons."""
    few = any(cell.table == "total" and 0 < cell.persons < least for cell in cells)
    return {place for place in _all(cells) if cells[place].table != "unread"} if few else set()


def protect_channel(counted: Iterable[Cell], rollups: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], dict[str, bool]]:
    """Return (table, key) -> level -> whether it is hidden, for the cells of one channel.

    Args:
        counted: the cells, without repeats.
        rollups: id -> its members, each a category or `category.issue`.
    """
    cells = sorted(counted, key=lambda cell: (cell.table, cell.key))
    relations = relate(cells, rollups)
    hidden: frozenset[int] = frozenset()
    levels = {}
    for level, least in LEAST_PERSONS.items():
        hidden = protect(cells, relations, least, hidden)
        levels[level] = hidden
    return {
        (cell.table, cell.key): {level: place in chosen for level, chosen in levels.items()} for place, cell in enumerate(cells)
    }


def protect_rows(rows: Sequence[Mapping[str, Any]], rollups: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    """Add to counted cells whether they are hidden.

    Args:
        rows: channel, cell_table, cell_key, manifestation_count and person_count of every cell of a report.
        rollups: id -> its members, each a category or `category.issue`.

    Returns:
        The rows with `suppressed_internal` and `suppressed_open`, by channel, table and key.
    """
    by_channel: dict[str, list[Cell]] = defaultdict(list)
    for row in rows:
        by_channel[row["channel"]].append(
            Cell(row["cell_table"], row["cell_key"], row["manifestation_count"], row["person_count"])
        )
    hidden = {channel: protect_channel(cells, rollups) for channel, cells in by_channel.items()}
    marked = [
        {**row}
        | {f"suppressed_{level}": told for level, told in hidden[row["channel"]][row["cell_table"], row["cell_key"]].items()}
        for row in rows
    ]
    return sorted(marked, key=lambda row: (row["channel"], row["cell_table"], row["cell_key"]))


def load_levels(build: Build) -> dict[str, int]:
    """Return what decides which figures are told, for the inputs of a report."""
    return dict(LEAST_PERSONS)


def compute_cells(build: Build) -> None:
    """Lay out `protected_cell`: every cell with its persons and whether it is told, and what is compared of the window before."""
    stage(build.warehouse, "cell_count", build.window)
    rollups: dict[str, list[str]] = defaultdict(list)
    members = "select rollup_id, coalesce(category_id, issue_id) from rollup_member order by all"
    for rollup, member in build.warehouse.query(members):
        rollups[rollup].append(member)
    rows = protect_rows(build.warehouse.rows("from cell_count order by all"), rollups)
    # The whole window before is solved for, as in its own report, so that both hide the same.
    before = protect_rows(build.warehouse.rows("from previous_cell_count order by all"), rollups)
    rows += [row | {"cell_table": f"previous_{row['cell_table']}"} for row in before if row["cell_table"] in COMPARED]
    build.warehouse.temporary("protected_cell", rows, CELL_COLUMNS)
