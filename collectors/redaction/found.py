"""A piece of text that is personal, and what stands for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Found(NamedTuple):
    """A half-open range of a text, in characters, and the mark that replaces it."""

    start: int
    end: int
    mark: str


def replace_found(text: str, found: Iterable[Found]) -> str:
    """Return the text with the ranges, which are in order and apart, replaced by their marks."""
    done: list[str] = []
    copied = 0
    for start, end, mark in found:
        done += text[copied:start], mark
        copied = end
    return "".join(done) + text[copied:] if done else text
