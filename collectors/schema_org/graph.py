"""The nodes of one page: their types and values, what refers to what, and the order in which they are looked at.

Facts from JSON-LD 1.1 (w3.org/TR/json-ld11): a value may stand alone or in a list, as it is or as `@value`; a node with
nothing but an `@id` refers to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urljoin

_NOBODYS = frozenset(("FAQPage", "ClaimReview"))
"""What holds the publisher's own questions and reviews."""

_ASIDE_NAMES = "author creator editor publisher image about mentions citation sharedContent isPartOf isBasedOn parentItem"
_ASIDE = frozenset([*_ASIDE_NAMES.split(), "@context", "#around"])
"""Properties that lead away from the messages of this page."""


class _Step(NamedTuple):
    """One value that is to be looked at: the message that it hangs on, whether it stands alone, and whether it is nobody's."""

    value: Any
    parent: int | None
    alone: bool
    muted: bool = False


class Graph:
    """The nodes of one page: by their ids, and by the messages that they became."""

    def __init__(self, roots: list[Any], url: str) -> None:
        self.roots, self.url = roots, url
        self._by_id: dict[str, dict[str, Any]] = {}
        self._referred: set[str] = set()
        self._number: dict[int, int] = {}
        self._by_name: dict[str, int] = {}
        self._messages: list[dict[str, Any]] = []
        for node in _every(roots):
            if isinstance(node.get("@id"), str):
                self._learn(node, self.join(node["@id"]))

    def _learn(self, node: dict[str, Any], name: str) -> None:
        if _is_reference(node):
            self._referred.add(name)
        elif len(self._by_id.setdefault(name, node)) < len(node):
            self._by_id[name] = node

    def join(self, raw: str) -> str:
        """Return an address relative to the page; what is no address stays as it is."""
        try:
            return urljoin(self.url, raw)
        except ValueError:
            return raw

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return the node that a reference stands for; itself if it is none."""
        return self._by_id.get(self.join(node["@id"]), node) if _is_reference(node) else node

    def walk(self) -> Iterator[tuple[dict[str, Any], int | None]]:
        """Yield (node, message that it hangs on), each node once; one that another refers to comes in the other's place."""
        pending = [_Step(root, None, True) for root in reversed(self.roots)]
        later: list[_Step] = []
        seen: set[int] = set()
        while pending or later:
            if not pending:
                pending, later = [step._replace(alone=False) for step in reversed(later)], []
            step = pending.pop()
            if isinstance(step.value, list):
                pending += (step._replace(value=one) for one in reversed(step.value))
            if not isinstance(step.value, dict):
                continue
            node = self.resolve(step.value)
            if id(node) in seen:
                continue
            if step.alone and isinstance(node.get("@id"), str) and self.join(node["@id"]) in self._referred:
                later.append(step)
                continue
            seen.add(id(node))
            muted = step.muted or bool(kinds_of(node) & _NOBODYS)
            if not muted:
                yield node, step.parent
            parent = self._number.get(id(node), step.parent)
            inner = ((name, value) for name, value in reversed(node.items()) if isinstance(value, dict | list))
            pending += (_Step(value, parent, name == "@graph", muted) for name, value in inner if name not in _ASIDE)

    def name(self, node: dict[str, Any], number: int) -> None:
        """Remember which message a node became."""
        self._number[id(node)] = number
        self._messages.append(node)
        for name in ("@id", "url"):
            raw = scalar(node.get(name))
            if raw:
                self._by_name.setdefault(self.join(raw), number)

    def answered(self, number: int) -> int | None:
        """Return the message that a message answers where nesting did not tell: by `parentItem`, or by the element around it."""
        node = self._messages[number]
        item = first(node.get("parentItem"))
        names = [scalar(item.get(name)) for name in ("@id", "url")] if isinstance(item, dict) else [scalar(item)]
        found = next((self._by_name[joined] for name in names if name and (joined := self.join(name)) in self._by_name), None)
        around = node.get("#around")
        while found is None and around is not None:
            found, around = self._number.get(id(around)), around.get("#around")
        return found if found != number else None


def _every(roots: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield every node, however deep, once."""
    pending, seen = list(roots), set()
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict) and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += (value for name, value in one.items() if isinstance(value, dict | list) and name != "#around")


def _is_reference(node: dict[str, Any]) -> bool:
    return isinstance(node.get("@id"), str) and not set(node) - {"@id", "@type"}


def kinds_of(node: dict[str, Any]) -> frozenset[str]:
    """Return the types of a node without their vocabulary."""
    raw = node.get("@type")
    kinds = raw if isinstance(raw, list) else [raw]
    return frozenset(re.split(r"[/#:]", kind.rstrip("/"))[-1] for kind in kinds if isinstance(kind, str))


def first(value: Any) -> Any:
    """Return the first filled value of a list; what is no list as it is."""
    return next((one for one in value if one), None) if isinstance(value, list) else value


def scalar(value: Any) -> str | None:
    """Return the first text or number of a value as text; None if it holds none."""
    value = first(value)
    if isinstance(value, dict):
        value = first(value.get("@value"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    written = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return written.encode("utf-8", "replace").decode("utf-8").strip() or None
