"""JSON answers of APIs, within bounds: a few megabytes of empty lists fill a memory, and no API sends them."""

from __future__ import annotations

import json
from typing import Any

from collectors.text import decode_bytes

MOST_VALUES = 500_000
"""Values that are read of one answer: some hundred bytes of memory for each; the longest pages of APIs have some ten thousand."""


def load_json(body: bytes) -> Any:
    """Return a body as JSON.

    Raises:
        ValueError: if it is not JSON, nested deeper than Python reads, or holds more than `MOST_VALUES` values.
    """
    # Commas inside texts count too: an answer of nothing but prose stays far below.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values")
    try:
        try:
            return json.loads(body)
        except UnicodeDecodeError:  # RFC 8259 wants UTF-8; some sites pass on what their database holds
            return json.loads(decode_bytes(body, declared=None)[0])
    except RecursionError as error:
        raise ValueError("nested deeper than any answer") from error
