"""Documents of GeoReport v2 in XML or JSON: rows of an answer, or the error that it tells (for the sources, see `open311`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from lxml import etree

from collectors.health import SourceProblem
from collectors.text import decode_bytes

FIELDS = frozenset(
    (
        "service_request_id",
        "token",
        "description",
        "title",
        "service_name",
        "status_notes",
        "requested_datetime",
        "updated_datetime",
        "requestor_name",
    )
)
"""What is read of a request; addresses, coordinates and pictures are not."""

_LISTS = ("service_requests", "requests")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


class Document(NamedTuple):
    """The rows of an answer."""

    rows: list[dict[str, str]]
    lost: str
    """What to tell of what could not be read; "" if all could."""


def parse_document(body: bytes, form: Literal["xml", "json"]) -> Document:
    """Return the requests of an answer, each with those of `FIELDS` that it has (pure).

    Raises:
        SourceProblem: `http_error` or `rate_limited` for an error document, `malformed` for anything else that is no answer.
    """
    return _parse_xml(body) if form == "xml" else _parse_json(body)


def read_document(document: bytes, *, url: str, content_type: str, form: Literal["xml", "json"]) -> Document:
    """Return the requests of an answer; address and type of it say nothing (see `parse_document`)."""
    return parse_document(document, form)


def _parse_json(body: bytes) -> Document:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceProblem("malformed", "not a JSON document") from error
    rows = _json_rows(found) if found is not None else None
    if rows is None:
        raise _told_error(_json_errors(found)) or SourceProblem("malformed", "neither requests nor an error")
    kept = [row for row in rows if isinstance(row, dict)]
    if kept and all("code" in row and "service_request_id" not in row for row in kept):
        raise _told_error(kept) or SourceProblem("malformed", "neither requests nor an error")
    lost = f"{len(rows) - len(kept)} rows that are no objects" if len(kept) < len(rows) else ""
    return Document([{name: text for name in FIELDS if (text := _json_text(row.get(name)))} for row in kept], lost)


def _json_rows(found: Any) -> list[Any] | None:
    """Return the list of a document: bare, or under one of its names, or under another name in that."""
    for _ in range(3):
        if found is None or isinstance(found, list):
            return found or []
        name = next((name for name in (*_LISTS, "request") if isinstance(found, dict) and name in found), None)
        if name is None:
            return [found] if isinstance(found, dict) and "service_request_id" in found else None
        found = found[name]
    return None


def _json_errors(found: Any) -> list[dict[str, Any]]:
    errors = found.get("errors", found.get("error")) if isinstance(found, dict) else None
    errors = [errors] if isinstance(errors, dict) else errors
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _json_text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _parse_xml(body: bytes) -> Document:
    root, whole = _tree(body)
    if root is None:
        raise SourceProblem("malformed", "not an XML document")
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceProblem("malformed", "an XML document with a DOCTYPE, which no server of GeoReport writes")
    requests = [
        node for node in root.iter() if _name(node) in ("request", "service_request") and _name(node.getparent()) in _LISTS
    ]
    if not requests:
        errors = [{_name(part): part.text for part in node} for node in root.iter() if _name(node) == "error"]
        if errors:
            raise _told_error(errors) or SourceProblem("malformed", "an error without a code")
        if not any(_name(node) in _LISTS for node in root.iter()):
            raise SourceProblem("malformed", "neither requests nor an error")
    return Document([dict(_cells(node)) for node in requests], "" if whole else "ill-formed XML; read in part")


def _tree(body: bytes) -> tuple[Any, bool]:
    """Return the root and whether the document is well-formed; no entity is expanded and nothing fetched."""
    try:
        return etree.fromstring(body, _parser(recover=False)), True
    except (etree.XMLSyntaxError, ValueError):
        text, _ = decode_bytes(body, declared=None)
    try:
        return etree.fromstring(_DECLARATION.sub("", text).encode(), _parser(recover=True)), False
    except (etree.XMLSyntaxError, ValueError):
        return None, False


def _parser(*, recover: bool) -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )


def _cells(node: Any) -> Iterator[tuple[str, str]]:
    for part in node:
        text = "".join(part.itertext()).strip() if _name(part) in FIELDS else ""
        if text:
            yield _name(part), text


def _name(node: Any) -> str:
    """Return the name of an element without its namespace; "" for none, and for what is no element."""
    return node.tag.rpartition("}")[2] if node is not None and isinstance(node.tag, str) else ""


def _told_error(errors: list[dict[str, Any]]) -> SourceProblem | None:
    """Return the problem that an error document tells; None if it holds no code."""
    codes = [code for error in errors if (code := _json_text(error.get("code")))]
    if not codes:
        return None
    return SourceProblem("rate_limited" if codes[0] == "429" else "http_error", f"the server answers with error {codes[0][:20]}")
