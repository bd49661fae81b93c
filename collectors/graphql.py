"""GraphQL over HTTP: queries written from the fields that a site knows, and answers that may hold data and errors at once.

Facts from the GraphQL specification (spec.graphql.org/October2021, 7.1: `data` beside `errors`; a request that is refused has
no data) and from graphql-ruby (graphql-ruby.org, static validation), in which both Decidim and CONSUL are written: a field
that a schema lacks is an error with `extensions` `{code: "undefinedField", typeName, fieldName}`, all of them in one answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collectors.text import clean_text

MAX_TOLD_CHARACTERS = 120
"""What a server says of an error is told up to this length."""

MAX_EMPTY_PAGES = 10

_UNDEFINED = re.compile(r"Field '(\w+)' doesn't exist on type '(\w+)'")


class Part(NamedTuple):
    """A type of a schema and the fields that are asked of it."""

    type: str
    """Name of the type, as the server tells it in an error."""

    fields: Mapping[str, Part | None]
    """Field, with its arguments if it has any -> the part that it leads to; None for a value."""


class Answer(NamedTuple):
    """What came back."""

    data: dict[str, Any] | None
    """None if the whole query was refused."""

    errors: list[dict[str, Any]]


def write_part(part: Part, missing: set[tuple[str, str]]) -> str:
    """Write a selection in braces; "" if none of its fields is left.

    Args:
        part: what is asked.
        missing: (type, field) that the schema lacks.
    """
    written = []
    for name, inner in part.fields.items():
        if (part.type, name.partition("(")[0]) in missing:
            continue
        below = write_part(inner, missing) if inner is not None else None
        if below != "":
            written.append(f"{name} {below}" if below else name)
    return "{ " + " ".join(written) + " }" if written else ""


def write_string(value: str) -> str:
    """Write a string value; what JSON escapes, GraphQL reads."""
    return json.dumps(value)


def parse_answer(found: dict[str, Any]) -> Answer:
    """Return the data and the errors of an answer (pure); whatever is not of the documented shape is left out."""
    data, errors = found.get("data"), found.get("errors")
    return Answer(
        data if isinstance(data, dict) else None,
        [error if isinstance(error, dict) else {"message": str(error)} for error in errors] if isinstance(errors, list) else [],
    )


def undefined_fields(errors: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return (type, field) of every field that the schema lacks, by code or, in old versions, by the wording."""
    found = set()
    for error in errors:
        extensions = as_object(error.get("extensions"))
        if extensions.get("code") == "undefinedField":
            found.add((str(extensions.get("typeName")), str(extensions.get("fieldName"))))
        elif (match := _UNDEFINED.search(str(error.get("message")))) is not None:
            found.add((match[2], match[1]))
    return found


def tell_errors(errors: list[dict[str, Any]]) -> str:
    """Return how many errors there are and what the first one says, on one line."""
    if not errors:
        return "nothing of what was asked, and no error"
    code = as_object(errors[0].get("extensions")).get("code")
    said = " ".join(clean_text(str(errors[0].get("message") or "no message")).split())
    return f"{len(errors)} errors, the first {f'({code}) ' if isinstance(code, str) else ''}says: {said[:MAX_TOLD_CHARACTERS]}"


def as_object(value: object) -> dict[str, Any]:
    """Return a JSON object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; nulls and other values are left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a JSON string or number as text, anything else as ""."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def as_count(value: object) -> int | None:
    """Return a JSON whole number from 0 on; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class Page(NamedTuple):
    """One page of a Relay connection."""

    nodes: list[dict[str, Any]]
    cursor: str | None
    """Where the next page begins; None on the last one."""


@dataclass
class Paging:
    """Where a walk along a connection stands, and whether it goes in circles."""

    after: str | None = None
    """Cursor that the page under way was asked with; None for the first one."""

    cursors: set[str] = field(default_factory=set)
    last_ids: frozenset[str] = frozenset()
    empty_count: int = 0

    def go_on(self, page: Page) -> bool:
        """Move to the next page; False if its cursor is known, or the page brought only what the one before did.

        A page may be empty where a site shows none of its nodes to everybody; many in a row are no walk any more.
        """
        ids = frozenset(as_text(node.get("id")) for node in page.nodes)
        self.empty_count = 0 if ids else self.empty_count + 1
        repeated = page.cursor in self.cursors or (bool(ids) and ids <= self.last_ids)
        self.cursors.add(page.cursor or "")
        self.after, self.last_ids = page.cursor, ids
        return page.cursor is not None and not repeated and self.empty_count <= MAX_EMPTY_PAGES


def parse_page(connection: object) -> Page:
    """Return the nodes of a connection (`edges { node }`) and the cursor of the next page (pure)."""
    found = as_object(connection)
    info = as_object(found.get("pageInfo"))
    cursor = as_text(info.get("endCursor")) or None
    return Page(list(_nodes(found)), cursor if info.get("hasNextPage") is True else None)


def _nodes(connection: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for edge in as_objects(connection.get("edges")):
        if isinstance(edge.get("node"), dict):
            yield edge["node"]
