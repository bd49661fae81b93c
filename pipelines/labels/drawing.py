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


_LEVELS: tuple[Callable[[Drawable], str], ...] = (
    lambda message: f"{message.source_id}/{message.category_id}",
    lambda message: f"*/{message.category_id}",
    lambda _: ONE_STRATUM,
)
"""From fine to coarse: a sample smaller than its strata leaves some of them out, and then stands for nothing."""


def draw(messages: Sequence[Drawable], *, size: int, seed: int) -> list[Drawn]:
    """Draw a random sample, stratified by source and category as read, in the random order in which people see it.

    Each stratum gives in proportion to its messages, and at least one. With more strata than `size`, messages are stratified
    by category alone; with more categories than `size`, not at all.

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


def weight_spread(drawn: Sequence[Drawn]) -> float:
    """Return Kish's design effect, 1 for equal weights: by how much unequal weights widen the variance of a share."""
    weights = [item.stratum_count / item.stratum_drawn for item in drawn]
    return len(weights) * sum(weight * weight for weight in weights) / sum(weights) ** 2


def _stratify(messages: Sequence[Drawable], size: int) -> Mapping[str, list[Drawable]]:
    for level in _LEVELS:
        if len(Counter(map(level, messages))) <= size:
            break
    strata: dict[str, list[Drawable]] = defaultdict(list)
    for message in sorted(messages):
        strata[level(message)].append(message)
    return strata
