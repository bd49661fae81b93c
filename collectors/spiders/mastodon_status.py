"""What a status of Mastodon says, what its author asks for, and which id its moment has.

Facts from docs.joinmastodon.org: entities/Status, entities/Account (`discoverable`, `noindex`), entities/Poll, api/guidelines#id.
Hashtags in a profile against robots and indexing are a custom of the fediverse.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from collectors.text import MarkupError, html_to_text

_LEAVE_ALONE = re.compile(r"#(?:nobots?|noindex)\b", re.IGNORECASE)


def first_id(instant: datetime) -> str:
    """Return the lowest id that Mastodon gives to a status of an instant."""
    return str(max(int(instant.timestamp() * 1000), 0) << 16)


def text_of(row: Any) -> str | None:
    """Return warning, text and options of the poll, one below the other; None if a row is no status.

    A status without an account is none: nobody knows what its author asks for. Links come whole, as in the markup, and
    not as they are shortened for the eye.
    """
    if not isinstance(row, dict) or words(row.get("id")) is None or not isinstance(row.get("account"), dict):
        return None
    content, warning = row.get("content") or "", row.get("spoiler_text") or ""
    if not isinstance(content, str) or not isinstance(warning, str):
        return None
    try:
        return "\n".join(filter(None, (warning, html_to_text(content), *_options(row.get("poll")))))
    except MarkupError:
        return None


def asks_to_be_left(account: dict[str, Any]) -> bool:
    """Tell whether an author opted out: not to be discovered, not to be indexed, or by a hashtag in the profile."""
    note = html_to_text(words(account.get("note")) or "")
    return account.get("discoverable") is False or account.get("noindex") is True or bool(_LEAVE_ALONE.search(note))


def words(value: object) -> str | None:
    """Return a text that is not blank; None for whatever else stands in its place."""
    return value if isinstance(value, str) and value.strip() else None


def _options(poll: Any) -> list[str | None]:
    options = poll.get("options") if isinstance(poll, dict) else None
    return [words(option.get("title")) for option in options if isinstance(option, dict)] if isinstance(options, list) else []
