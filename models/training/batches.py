"""Examples to padded batches of ids, texts of like length together."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.rewriting import rewrite
from models.training.corpus import Example

PAD = 1


class Batch(NamedTuple):
    """A batch of texts."""

    ids: Tensor
    """(texts, tokens)"""

    mask: Tensor
    """(texts, tokens), 1 where a token stands."""

    labels: Mapping[str, Tensor]
    """Task -> (texts,) index of the label, -100 where unknown."""

    places: list[int]
    """The positions of the texts in the list that was batched."""


def encode(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> list[list[int]]:
    """Return the ids of each text, the end cut where it has more than `limit` tokens."""
    rows = [encoding.ids for encoding in tokenizer.encode_batch([rewrite(text) for text in texts])]
    return [row if len(row) <= limit else [*row[: limit - 1], row[-1]] for row in rows]


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer of a training run."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def make_batches(
    rows: Sequence[list[int]],
    examples: Sequence[Example],
    tasks: Mapping[str, Sequence[str]],
    *,
    tokens: int,
    shuffle: random.Random | None = None,
) -> Iterator[Batch]:
    """Give batches of about `tokens` tokens each.

    With `shuffle` the rows are drawn in another order each time, and sorted by length only within pools of 800, so that batches
    stay mixed; without it they are sorted by length.
    """
    order = list(range(len(rows)))
    if shuffle:
        shuffle.shuffle(order)
        pools = [sorted(order[start : start + 800], key=lambda place: len(rows[place])) for start in range(0, len(order), 800)]
        groups = [group for pool in pools for group in _cut(pool, rows, tokens)]
        shuffle.shuffle(groups)
    else:
        groups = list(_cut(sorted(order, key=lambda place: len(rows[place])), rows, tokens))
    for group in groups:
        yield _pad(group, rows, examples, tasks)


def _cut(order: Sequence[int], rows: Sequence[list[int]], tokens: int) -> Iterator[list[int]]:
    group: list[int] = []
    for place in order:
        if group and (len(group) + 1) * len(rows[place]) > tokens:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _pad(group: list[int], rows: Sequence[list[int]], examples: Sequence[Example], tasks: Mapping[str, Sequence[str]]) -> Batch:
    width = max(len(rows[place]) for place in group)
    ids = torch.tensor([rows[place] + [PAD] * (width - len(rows[place])) for place in group])
    labels = {
        task: torch.tensor(
            [names.index(examples[place].labels[task]) if task in examples[place].labels else -100 for place in group]
        )
        for task, names in tasks.items()
    }
    return Batch(ids, (ids != PAD).long(), labels, group)
