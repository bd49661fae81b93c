"""JSON-LD scripts -> nodes, as pages really write them: wrapped in comments, with a comma too many, a line break in a string.

Facts from JSON-LD 1.1 (w3.org/TR/json-ld11, section 7: embedding in HTML). What no mending of commas and comments makes
readable is told and left out; so is what is longer than any page needs, since a few megabytes of brackets fill a memory.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

MAX_CHARACTERS = 2_000_000
"""Most JSON-LD that is read of one page."""

_OPENING = re.compile(r"(?:\s|\ufeff|<!--|(?://|/\*)?\s*<!\[CDATA\[\s*(?:\*/|-->)?)+")
_CLOSING = re.compile(r"(?:-->|(?://|/\*|<!--)?\s*\]\]>\s*(?:\*/|-->)?)\s*$")
_LINE_COMMENT = re.compile(r"^[ \t]*//[^\n]*", re.MULTILINE)
_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*[}\]])', re.DOTALL)
_BETWEEN = re.compile(r"[\s;,]*")


def parse_json_ld(scripts: Iterable[str]) -> tuple[list[Any], list[str]]:
    """Return what the scripts of a page hold, and what was lost of them in words that quote nobody.

    Args:
        scripts: the text of each `<script type="application/ld+json">`, in their order.
    """
    documents: list[Any] = []
    problems = []
    left = MAX_CHARACTERS
    for script in scripts:
        if not script.strip():
            continue
        if len(script) > left:
            problems.append(f"JSON-LD of more than {MAX_CHARACTERS:,} characters was not read")
            continue
        left -= len(script)
        found, whole = parse_script(script)
        documents += found
        if not whole:
            problems.append("JSON-LD that is not JSON" + (", read in part" if found else ""))
    return documents, problems


def parse_script(script: str) -> tuple[list[Any], bool]:
    """Return the JSON values of one script, and whether it was read to its end."""
    opening = _OPENING.match(script)
    text = _CLOSING.sub("", script[opening.end() if opening else 0 :].rstrip())
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
    found, whole = _decode(text)
    if whole:
        return found, True
    mended, mended_whole = _decode(_STRING_OR_COMMA.sub(lambda match: match[1] or "", _LINE_COMMENT.sub("", text)))
    return (mended, mended_whole) if mended_whole or len(mended) > len(found) else (found, False)


def _decode(text: str) -> tuple[list[Any], bool]:
    """Return the values that stand one after the other in a text."""
    decoder = json.JSONDecoder(strict=False)  # a bare line break inside a string is one
    found: list[Any] = []
    position = _end_of(_BETWEEN, text, 0)
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return found, False
        found.append(value)
        position = _end_of(_BETWEEN, text, position)
    return found, True


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
