"""What a look at an address finds: candidate doors with their evidence, and what a person should know beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Self

MOST_CHARACTERS = 160
"""Longest piece of remote text that is kept: a title, a name, a generator."""


class Rank(IntEnum):
    """How good a door is: the lower, the sooner it is tried."""

    API = 10
    """An API that tells people's messages, their dates and answers."""

    COMMENT_FEED = 20
    """A feed of comments: the last ones only."""

    STRUCTURED = 30
    """Comments that pages embed as schema.org data."""

    FORUM = 40
    """The pages of a forum engine that is known."""

    PAGE = 50
    """Pages whose comments stand in a markup that is known by name."""

    CONTEXT = 60
    """Articles or notices: what people could answer to, and no message of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way in: what a source's entry would say, and why."""

    platform: str
    url: str
    rank: Rank
    evidence: tuple[str, ...] = ()
    """What was seen, in plain words."""

    options: Mapping[str, Any] = field(default_factory=dict)
    channel: str = "online"
    kind: str = "other"
    """Kind of publisher that goes with it, where the platform says it."""

    retention_days: int | None = None
    """The most that the platform allows; None where it sets no limit."""

    needs: tuple[str, ...] = ()
    """What only a person can bring: a key, a consent, an id."""

    def as_json(self) -> dict[str, Any]:
        """Return the door as plain values."""
        return {**asdict(self), "rank": int(self.rank)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the door that `as_json` wrote."""
        tuples = {name: tuple(values[name]) for name in ("evidence", "needs")}
        return cls(**{**values, **tuples, "rank": Rank(values["rank"])})


@dataclass(kw_only=True)
class Look:
    """Everything that one look at an address found."""

    url: str
    """Where the address led in the end."""

    moved_from: str | None = None
    """The address that was given, where it leads to another host; None if it does not."""

    title: str = ""
    terms: str | None = None
    """Address that the page links to as its terms; None if it names none."""

    visits: list[str] = field(default_factory=list)
    """What was asked for and what it answered, in order."""

    remarks: list[str] = field(default_factory=list)
    """What was seen and is no door: an unknown comment system, a shut API."""

    doors: list[Door] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {**asdict(self), "doors": [door.as_json() for door in self.doors]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        return cls(**{**values, "doors": [Door.from_json(door) for door in values["doors"]]})

    def ranked(self) -> list[Door]:
        """Return the doors, the best first, each once."""
        first: dict[tuple[str, str, str], Door] = {}
        for door in sorted(self.doors, key=lambda door: door.rank):
            first.setdefault((door.platform, door.url, repr(sorted(door.options.items()))), door)
        return list(first.values())


def plain(text: str | None) -> str:
    """Return remote text as one short line without anything that a terminal or a file would act on."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text or "").split())
    return words if len(words) <= MOST_CHARACTERS else words[: MOST_CHARACTERS - 1].rstrip() + "…"
