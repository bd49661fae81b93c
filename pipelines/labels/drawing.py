"""Drawing: which messages of a window people label. Pure: the same messages and seed give the same sample."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ONE_STRATUM = "all"
"""The stratum of a message that was drawn among all alike."""


class Drawable(NamedTuple):
    """A counted manifestation whose text still exists."""

    manifestation_id: str
    version: str
    source_id: str
    category_id: str
    """As read by the annotator; `unclassified` below its threshold."""


class Drawn(NamedTuple):
    """A drawn message, and how many it stands for: `stratum_count / stratum_drawn`."""

    message: Drawable
    stratum: str
    stratum_count: int
    stratum_drawn: int


LEAST_EXPECTED = 2
"""Fewest messages that a source's share of a category must give in proportion to be a stratum of its own. With one draw each from
hundreds of small strata, weights would differ so much that 400 labels are worth 300, and no spread within them is known."""


def draw(messages: Sequence[Drawable], *, size: int, seed: int) -> list[Drawn]:
    """Draw a random sample, stratified by source and category as read, in the random order in which people see it.

    Each stratum gives in proportion to its messages, and at least one. What a source has of a category is a stratum if that
    gives `LEAST_EXPECTED` of it; the small ones of a category are one together. With more strata than `size`, messages are
    stratified by category alone; with more categories than `size`, not at all: a stratum left out would stand for nothing.

    Args:
        messages: what can be drawn, in any order, each once.
        size: messages to draw, at least 1; all of them if there are not more.
        seed: the sample depends on it and on the messages alone.
    """
    strata = _stratify(messages, size)
    shares = allocate({name: len(members) for name, members in strata.items()}, size)
    drawn = [
        Drawn(message, name, len(members), shares[name])
        for name, members in sorted(strata.items())
        for message in random.Random(f"{seed}:{name}").sample(members, shares[name])
    ]
    random.Random(f"{seed}:order").shuffle(drawn)
    return drawn


def allocate(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """Split `size` among strata in proportion to their counts, at least one each and never more than there are.

    Args:
        counts: stratum -> its messages, at least 1 each; at most `size` strata.
        size: what is split; all there is if it is more than that.
    """
    if size >= sum(counts.values()):
        return dict(counts)
    single: set[str] = set()
    while True:
        rest = {name: count for name, count in counts.items() if name not in single}
        room, total = size - len(single), sum(rest.values())
        small = {name for name, count in rest.items() if room * count < total}
        if not small:
            break
        single |= small
    shares = dict.fromkeys(single, 1) | {name: room * count // total for name, count in rest.items()}
    left = size - sum(shares.values())
    # The largest remainders first; among equals the order of the names, so that the result is always the same.
    for name in sorted(rest, key=lambda name: (-(room * rest[name] % total), name))[:left]:
        shares[name] += 1
    return shares


def _stratify(messages: Sequence[Drawable], size: int) -> Mapping[str, list[Drawable]]:
    cells = Counter((message.source_id, message.category_id) for message in messages)

    def by_source(message: Drawable) -> str:
        large = size * cells[message.source_id, message.category_id] >= LEAST_EXPECTED * len(messages)
        return f"{message.source_id if large else '*'}/{message.category_id}"

    levels: tuple[Callable[[Drawable], str], ...]
    levels = (by_source, lambda message: f"*/{message.category_id}", lambda _: ONE_STRATUM)
    name_of = next((level for level in levels if len(set(map(level, messages))) <= size), levels[-1])
    strata: dict[str, list[Drawable]] = defaultdict(list)
    for message in sorted(messages):
        strata[name_of(message)].append(message)
    return strata
