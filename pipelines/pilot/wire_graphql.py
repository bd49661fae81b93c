"""GraphQL over HTTP, as far as the participation sites of the month are asked: what a schema lacks is refused as a whole.

Facts from the GraphQL specification (spec.graphql.org/October2021: 2, language; 7, response) and from graphql-ruby, in which
Decidim is written: an undefined field is an error with `extensions` {code, typeName, fieldName}; a connection pages by cursor.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_NODES = 50
_TOKEN = re.compile(r'\.\.\.|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|-?\d+|[{}():]')

Schema = Mapping[str, Mapping[str, str | None]]
"""Type -> field -> type of what it leads to, None for a value; a type that ends in `Connection` is paged."""

Record = Mapping[str, Any]
"""Field -> value; one that depends on its arguments is called with them. `__typename` tells fragments apart."""


class QueryError(ValueError):
    """A text is no query."""


@dataclass
class Selected:
    """One field of a query, or one fragment (`on`)."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    below: list[Selected] = field(default_factory=list)
    on: str | None = None


def answer_query(query: str, schema: Schema, root: Record) -> dict[str, Any]:
    """Return the answer to a query: `data`, or `errors` if it asks for what the schema lacks.

    Raises:
        QueryError: if the text is no query.
    """
    tokens = deque(_TOKEN.findall(query))
    try:
        selection = _selection(tokens)
    except (IndexError, ValueError) as error:
        raise QueryError("the text is no query") from error
    refused = list(_undefined(selection, "Query", schema))
    return {"errors": refused} if refused else {"data": _object(selection, root, "Query", schema)}


def _selection(tokens: deque[str]) -> list[Selected]:
    if tokens.popleft() != "{":
        raise ValueError("a selection begins with a brace")
    found: list[Selected] = []
    while (part := tokens.popleft()) != "}":
        if part == "...":
            tokens.popleft()
            found.append(Selected("", on=tokens.popleft(), below=_selection(tokens)))
        elif part == "{":
            tokens.appendleft(part)
            found[-1].below = _selection(tokens)
        elif part == "(":
            found[-1].arguments = _arguments(tokens, ")")
        else:
            found.append(Selected(part))
    return found


def _arguments(tokens: deque[str], end: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while (name := tokens.popleft()) != end:
        tokens.popleft()
        value = tokens.popleft()
        found[name] = _arguments(tokens, "}") if value == "{" else json.loads(value)
    return found


def _undefined(selection: list[Selected], typename: str, schema: Schema) -> Iterator[dict[str, Any]]:
    for one in selection:
        if one.on is not None:
            yield from _undefined(one.below, one.on, schema)
        elif one.name != "__typename" and one.name not in schema[typename]:
            code = {"code": "undefinedField", "typeName": typename, "fieldName": one.name}
            yield {"message": f"Field '{one.name}' doesn't exist on type '{typename}'", "extensions": code}
        elif (leads := schema[typename].get(one.name)) is not None:
            yield from _undefined(one.below, leads, schema)


def _object(selection: list[Selected], record: Record, typename: str, schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in selection:
        if one.on is not None:
            found |= _object(one.below, record, one.on, schema) if one.on == record.get("__typename") else {}
            continue
        value = record.get(one.name)
        value = value(one.arguments) if callable(value) else value
        leads = schema[typename].get(one.name)
        if leads is None or value is None:
            found[one.name] = value
        elif leads.endswith("Connection"):
            found[one.name] = _object(one.below, _page(value, one.arguments), leads, schema)
        elif isinstance(value, list):
            found[one.name] = [_object(one.below, row, leads, schema) for row in value]
        else:
            found[one.name] = _object(one.below, value, leads, schema)
    return found


def _page(records: list[Record], arguments: Mapping[str, Any]) -> Record:
    """Return one page of a connection: edges, and whether more follow."""
    try:
        begin = int(base64.b64decode(str(arguments.get("after", "MA=="))))
    except (ValueError, binascii.Error):
        begin = 0
    end = begin + min(arguments.get("first", MOST_NODES), MOST_NODES)
    shown = records[begin:end]
    cursor = base64.b64encode(str(begin + len(shown)).encode()).decode() if shown else None
    return {
        "pageInfo": {"hasNextPage": end < len(records), "endCursor": cursor},
        "edges": [{"node": record} for record in shown],
    }
