"""Small cells: which rows of a table are told of by name, so that no row and no difference of rows tells of few persons."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set


def choose_shown(persons: Mapping[str, Set[Hashable]], silent: Set[Hashable], *, least: int) -> frozenset[str] | None:
    """Choose the places that are told of by name; all others are told of together, as "other places".

    A place that fewer than `least` persons named is not told of by name. Where the others together have fewer persons than
    that, the smallest place told of by name joins them: else their sum, which the total gives away, would be that small place.

    Args:
        persons: place -> who named it; places that nobody named may be left out.
        silent: who wrote without naming any place.
        least: fewest persons of a cell.

    Returns:
        The places told of by name. None if nothing may be told: all places together, or those who named none, are some
        but fewer than `least`, and the total would give either away.
    """
    named = {place: len(who) for place, who in persons.items() if who}
    shown = {place for place, count in named.items() if count >= least}
    hidden = named.keys() - shown
    if 0 < len(silent) < least:
        return None
    if hidden and len(frozenset().union(*(persons[place] for place in hidden))) < least:
        if not shown:
            return None
        shown.remove(min(shown, key=lambda place: (named[place], place)))
    return frozenset(shown)
