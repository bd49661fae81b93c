"""Small cells: which rows of a table are told of by name, so that no row and no difference of rows tells of few persons."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set

FEWEST_OTHERS = 4
"""Places, named or not, among which a small one is hidden: with fewer, the rule itself would tell its count."""


def choose_shown(
    persons: Mapping[str, Set[Hashable]], silent: Set[Hashable], *, place_count: int, least: int
) -> frozenset[str] | None:
    """Choose the places that are told of by name; all others are told of together, as "other places".

    A place that fewer than `least` persons named is not told of by name. The smallest places told of by name join the others
    until their sum, which the total gives away, tells of none of them: not where it is below `least`, nor where it is as large
    as small places alone could make it, nor where there are too few places that it could be of.

    Args:
        persons: place -> who named it; places that nobody named may be left out.
        silent: who wrote without naming any place.
        place_count: places that there are, named or not.
        least: fewest persons of a cell.

    Returns:
        The places told of by name. None if nothing may be told: all places together, or those who named none, are some
        but fewer than `least`, and the total would give either away.
    """
    named = {place: len(who) for place, who in persons.items() if who}
    shown = sorted((place for place, count in named.items() if count >= least), key=lambda place: (-named[place], place))
    hidden = named.keys() - set(shown)
    if 0 < len(silent) < least:
        return None
    while hidden and _gives_away(frozenset[Hashable]().union(*map(persons.__getitem__, hidden)), place_count - len(shown), least):
        if not shown:
            return None
        hidden.add(shown.pop())
    return frozenset(shown)


def _gives_away(who: Set[Hashable], other_count: int, least: int) -> bool:
    """Tell whether the sum of the other places tells of one of them: it is small, as large as can be, or of few places."""
    return len(who) < least or (other_count < FEWEST_OTHERS and len(who) > 0) or len(who) >= (least - 1) * other_count
