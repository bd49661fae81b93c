"""A GraphQL server that refuses, pages and answers as graphql-ruby does: what is undefined, too deep or too complex is told."""

from __future__ import annotations

import base64
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\.\.\.|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|-?\d+|[{}():,\[\]]')

Schema = dict[str, dict[str, str | None]]
"""Type -> field -> type of what it leads to; None for a value."""


@dataclass
class Node:
    """One field, or one fragment (`on`), of a query."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    below: list[Node] = field(default_factory=list)
    on: str | None = None


class Broken:
    """Stands where the site cannot tell a value: null, and an error beside the data."""


@dataclass
class GraphQLSite:
    """What a schema knows, held against what the records hold."""

    schema: Schema
    root: dict[str, Any]
    page_size: int = 50
    max_depth: int = 15
    max_complexity: int = 5_000
    max_recursion: int | None = None
    """Most nestings of one field in itself, as Decidim's newest versions have it."""

    arguments: frozenset[str] = frozenset(("id", "first", "after", "filter", "singleCommentId"))
    keep: Callable[[dict[str, Any], dict[str, Any]], bool] = lambda record, asked: True

    def answer(self, query: str) -> dict[str, Any]:
        """Return the JSON of an answer."""
        selection = _selection(deque(_TOKEN.findall(query)))
        refused = list(self._undefined(selection, "Query"))
        if refused:
            return {"errors": refused}
        depth, complexity = max(map(_depth, selection)), sum(self._cost(node, "Query") for node in selection)
        if depth > self.max_depth:
            return {"errors": [{"message": f"Query has depth of {depth}, which exceeds max depth of {self.max_depth}"}]}
        if complexity > self.max_complexity:
            told = f"Query has complexity of {complexity}, which exceeds max complexity of {self.max_complexity}"
            return {"errors": [{"message": told}]}
        if self.max_recursion is not None and any(_nested(node, {}) > self.max_recursion for node in selection):
            return {"errors": [{"message": "Consulta recursiva demasiado profunda"}]}
        errors: list[dict[str, Any]] = []
        data = self._object(selection, self.root, "Query", errors)
        return {"data": data, **({"errors": errors} if errors else {})}

    def _undefined(self, selection: list[Node], typename: str) -> Iterator[dict[str, Any]]:
        for node in selection:
            if node.on is not None:
                yield from self._undefined(node.below, node.on)
                continue
            if node.name != "__typename" and node.name not in self.schema[typename]:
                code = {"code": "undefinedField", "typeName": typename, "fieldName": node.name}
                yield {"message": f"Field '{node.name}' doesn't exist on type '{typename}'", "extensions": code}
                continue
            for name in node.arguments.keys() - self.arguments:
                code = {"code": "argumentNotAccepted", "typeName": "Field", "argumentName": name}
                yield {"message": f"Field '{node.name}' doesn't accept argument '{name}'", "extensions": code}
            leads = self.schema[typename].get(node.name)
            if leads is not None:
                yield from self._undefined(node.below, leads)

    def _cost(self, node: Node, typename: str) -> int:
        if node.on is not None:
            return sum(self._cost(below, node.on) for below in node.below)
        leads = self.schema[typename].get(node.name) or typename
        below = sum(self._cost(part, leads) for part in node.below)
        return 1 + below * (node.arguments.get("first", self.page_size) if leads.endswith("Connection") else 1)

    def _object(self, selection: list[Node], record: dict[str, Any], typename: str, errors: list[dict[str, Any]]) -> Any:
        found: dict[str, Any] = {}
        for node in selection:
            if node.on is not None:
                if node.on == record.get("__typename"):
                    found |= self._object(node.below, record, node.on, errors)
                continue
            value = record.get(node.name)
            value = value(node.arguments) if callable(value) else value
            leads = self.schema[typename].get(node.name)
            if isinstance(value, Broken):
                errors.append(
                    {"message": f"Cannot return null for non-nullable field {typename}.{node.name}", "path": [node.name]}
                )
                found[node.name] = None
            elif leads is not None and leads.endswith("Connection"):
                found[node.name] = self._connection(node, value, leads, errors)
            elif leads is not None and isinstance(value, list):
                found[node.name] = [
                    self._object(node.below, row, leads, errors) if isinstance(row, dict) else row for row in value
                ]
            else:
                whole = leads is None or not isinstance(value, dict)
                found[node.name] = value if whole else self._object(node.below, value, str(leads), errors)
        return found

    def _connection(self, node: Node, records: list[dict[str, Any]], typename: str, errors: list[dict[str, Any]]) -> Any:
        kept = [record for record in records if self.keep(record, node.arguments.get("filter") or {})]
        begin = int(base64.b64decode(node.arguments["after"])) if "after" in node.arguments else 0
        end = begin + min(node.arguments.get("first", self.page_size), self.page_size)
        shown = [{"node": record} for record in kept[begin:end]]
        cursor = base64.b64encode(str(begin + len(shown)).encode()).decode() if shown else None
        page = {"pageInfo": {"hasNextPage": end < len(kept), "endCursor": cursor}, "edges": shown}
        return self._object(node.below, page, typename, errors)


def post(site: GraphQLSite, body: bytes) -> bytes:
    """Return the body of an answer to a POST."""
    return json.dumps(site.answer(json.loads(body)["query"]), ensure_ascii=False).encode()


def _selection(tokens: deque[str]) -> list[Node]:
    assert tokens.popleft() == "{"
    found: list[Node] = []
    while (token := tokens.popleft()) != "}":
        if token == "...":
            assert tokens.popleft() == "on"
            found.append(Node("", on=tokens.popleft(), below=_selection(tokens)))
        elif token == "{":
            tokens.appendleft(token)
            found[-1].below = _selection(tokens)
        elif token == "(":
            found[-1].arguments = _arguments(tokens, ")")
        else:
            found.append(Node(token))
    return found


def _arguments(tokens: deque[str], end: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while (name := tokens.popleft()) != end:
        if name != ",":
            assert tokens.popleft() == ":"
            value = tokens.popleft()
            found[name] = _arguments(tokens, "}") if value == "{" else json.loads(value)
    return found


def _depth(node: Node) -> int:
    return (node.on is None) + max(map(_depth, node.below), default=0)


def _nested(node: Node, above: dict[str, int]) -> int:
    if not node.below:
        return 0
    seen = above if node.on is not None or node.name in ("node", "edges") else {**above, node.name: above.get(node.name, 0) + 1}
    return max(seen.get(node.name, 0), *(_nested(below, seen) for below in node.below))
