"""Groups of texts that are copies of one another: MinHash finds candidates, `models.copy_forms` decides each pair.

Every member of a group is a copy of the group's pattern, the form that most of its texts have: nothing joins a group by being
like another member only. The groups depend on the texts, their moments and their shares alone, not on the order in which they
come, nor on the machine.

MinHash (Broder, 1997) over 40 bands of 4 rows is numpy here: texts of one form are one column, only buckets that two forms share
are kept, and nothing is held per text but its form. A library's index holds every bucket of every text as an object.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.copy_forms import EDITS_DIGEST, Form, are_copies, read_form

SIMILARITY_REVISION = f"1+{EDITS_DIGEST[:8]}{EDITS_DIGEST[64:72]}"
"""Goes up when other texts would be called copies."""

BANDS = 40
ROWS = 4
"""Forms that share half of their words (Jaccard) meet in a bucket with a probability of 0.92, six tenths of them with 0.996."""

MOST_PATTERNS = 16
"""Patterns of one bucket that are looked at: in a fuller one stand the words of everybody."""

MOST_COMPARED = 16
"""Patterns that one form is compared with, those that it shares most buckets with first."""

Hashes = NDArray[np.uint64]


class Node(NamedTuple):
    """The texts of one share that have one form (or, if they are too short, one digest); sorted as patterns are chosen."""

    share: str
    rarity: int
    """Minus the number of texts."""

    first: datetime
    key: tuple[str, ...]
    form: Form | None


def group_copies(
    texts: Sequence[str | None],
    *,
    digests: Sequence[str],
    moments: Sequence[datetime],
    shares: Sequence[str] | None = None,
    places: frozenset[str] = frozenset(),
) -> list[int]:
    """Return the number of each text's group: 0 for the group whose first text is the earliest, and so on.

    Args:
        texts: None where the text itself is no longer known: it is a copy of those with its digest alone.
        digests: equal for texts that are the same but for case, accents and spaces; decides alone where a text is too short.
        moments: when each was written, all aware.
        shares: only texts of one share are compared, such as those of one author; by default all are.
        places: words of the names of the city's places; see `models.copy_forms.name_words`.

    Raises:
        ValueError: if the lengths differ.
    """
    shares = [""] * len(texts) if shares is None else shares
    if not len(texts) == len(digests) == len(moments) == len(shares):
        raise ValueError(f"{len(texts)} texts, {len(digests)} digests, {len(moments)} moments, {len(shares)} shares")
    forms = _forms(texts, digests, places)
    keys = [(share, *_key(forms[digest], digest)) for share, digest in zip(shares, digests, strict=True)]
    nodes, node_of = _nodes(keys, moments)
    patterns = _patterns(nodes)
    firsts: dict[int, tuple[str, datetime, tuple[str, ...]]] = {}
    for node, pattern in zip(nodes, patterns, strict=True):
        first = (node.share, node.first, node.key)
        firsts[pattern] = min(firsts.get(pattern, first), first, key=lambda known: (known[1], known[0], known[2]))
    ranked = sorted(firsts, key=lambda pattern: (firsts[pattern][1], firsts[pattern][0], firsts[pattern][2]))
    numbers = {pattern: number for number, pattern in enumerate(ranked)}
    return [numbers[patterns[node_of[key]]] for key in keys]


def _forms(texts: Sequence[str | None], digests: Sequence[str], places: frozenset[str]) -> dict[str, Form | None]:
    """Return digest -> form; texts of one digest have one form, that of the first in the alphabet."""
    chosen: dict[str, str | None] = dict.fromkeys(digests)
    for text, digest in zip(texts, digests, strict=True):
        known = chosen[digest]
        if text is not None and (known is None or text < known):
            chosen[digest] = text
    return {digest: None if text is None else read_form(text, places=places) for digest, text in chosen.items()}


def _key(form: Form | None, digest: str) -> tuple[tuple[str, ...], Form | None]:
    return ((digest,), None) if form is None else ((*form.words, "", *form.names), form)


def _nodes(
    keys: Sequence[tuple[str, tuple[str, ...], Form | None]], moments: Sequence[datetime]
) -> tuple[list[Node], dict[tuple[str, tuple[str, ...], Form | None], int]]:
    """Return the nodes in the order in which they may become patterns, and key -> place among them."""
    counts = Counter(keys)
    first: dict[tuple[str, tuple[str, ...], Form | None], datetime] = {}
    for key, moment in zip(keys, moments, strict=True):
        first[key] = min(first.get(key, moment), moment)
    nodes = [Node(share, -counts[share, key, form], first[share, key, form], key, form) for share, key, form in counts]
    nodes.sort(key=lambda node: (node.share, node.rarity, node.first, node.form is None, node.key))
    return nodes, {(node.share, node.key, node.form): place for place, node in enumerate(nodes)}


def _patterns(nodes: Sequence[Node]) -> list[int]:
    """Return for each node the place of its group's pattern, which is its own place for a pattern."""
    buckets = _buckets(nodes)
    patterns = list(range(len(nodes)))
    met: defaultdict[int, list[int]] = defaultdict(list)
    for place, own in buckets:
        shared = Counter(pattern for bucket in own for pattern in met[bucket][:MOST_PATTERNS])
        likely = sorted(shared, key=lambda pattern: (-shared[pattern], pattern))[:MOST_COMPARED]
        found = next((pattern for pattern in likely if _agree(nodes[place], nodes[pattern])), None)
        if found is not None:
            patterns[place] = found
            continue
        for bucket in own:
            met[bucket].append(place)
    return patterns


def _agree(one: Node, other: Node) -> bool:
    return one.form is not None and other.form is not None and one.share == other.share and are_copies(one.form, other.form)


def _buckets(nodes: Sequence[Node]) -> Iterator[tuple[int, list[int]]]:
    """Yield, in order, the place of every node that shares a bucket with another, and its buckets."""
    places = np.array([place for place, node in enumerate(nodes) if node.form is not None], np.int64)
    if len(places) < 2:
        return
    words, starts = _features(nodes, places)
    shares = np.array([zlib.crc32(nodes[place].share.encode()) for place in places.tolist()], np.uint64)
    found: list[NDArray[np.int64]] = []
    names: list[NDArray[np.int64]] = []
    used = 0
    for band in range(BANDS):
        bucket = shares + np.uint64(band)
        for row in range(ROWS):
            bucket = _mix(bucket ^ np.minimum.reduceat(_mix(words + _seed(band * ROWS + row)), starts))
        _, name, size = np.unique(bucket, return_inverse=True, return_counts=True)
        crowded = size[name] > 1
        found.append(places[crowded])
        names.append(name[crowded] + used)
        used += len(size)
    node_of, bucket_of = np.concatenate(found), np.concatenate(names)
    order = np.lexsort((bucket_of, node_of))
    node_of, bucket_of = node_of[order], bucket_of[order]
    edges = np.flatnonzero(np.diff(node_of, prepend=-1)).tolist()
    for start, end in pairwise([*edges, len(node_of)]):
        yield int(node_of[start]), bucket_of[start:end].tolist()


def _features(nodes: Sequence[Node], places: NDArray[np.int64]) -> tuple[Hashes, NDArray[np.int64]]:
    """Return the hashed words of all forms one after another, and where each form begins."""
    known: dict[str, int] = {}
    hashed: list[int] = []
    starts = []
    for place in places.tolist():
        starts.append(len(hashed))
        form = nodes[place].form
        for word in form.words if form else ():
            if word not in known:
                known[word] = zlib.crc32(word.encode())
            hashed.append(known[word])
    return np.array(hashed, np.uint64), np.array(starts, np.int64)


def _seed(number: int) -> np.uint64:
    return np.uint64((number + 1) * 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF_FFFF_FFFF)


def _mix(values: Hashes) -> Hashes:
    """Return values whose bits depend on all bits of those given: the finaliser of SplitMix64 (Steele, Lea, Flood, 2014)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
