"""JSON Feed -> entries.

Facts from JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1 and /version/1.1): an id may be a number in 1.0; `authors` takes the
place of `author`; HTML stands in `content_html` only; `next_url` leads to older items. An item without an author stays
unsigned, see `collectors.feeds.entries`.
"""

from __future__ import annotations

import json
from typing import Any

from collectors.feeds.model import MAX_ENTRIES, MAX_MARKUP, Entry, Feed, absolute, no_feed, page_link
from collectors.text import MarkupError, html_to_text


def parse_json_feed(text: str, url: str) -> Feed:
    """Return what a JSON Feed holds.

    Args:
        text: the document, decoded.
        url: where it came from.

    Raises:
        SourceProblem: `malformed` if it is no JSON, or JSON of another kind.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise no_feed(url) from error
    rows = document.get("items") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise no_feed(url)
    feed = Feed(next_url=absolute(_text(document, "next_url"), url))
    odd = 0
    for row in rows[:MAX_ENTRIES]:
        try:
            feed.entries.append(_entry(row, url))
        except (TypeError, MarkupError):
            odd += 1
    if odd:
        feed.problems.append(f"{odd} items that do not have the documented form")
    if len(rows) > MAX_ENTRIES:
        feed.problems.append(f"{len(rows):,} items; only the first {MAX_ENTRIES:,} were read")
    return feed


def _entry(row: Any, url: str) -> Entry:
    """Return the entry of one item.

    Raises:
        TypeError: if the item is no object.
        MarkupError: if its markup cannot be read at all.
    """
    if not isinstance(row, dict):
        raise TypeError("an item of a JSON Feed is an object")
    own_id = row.get("id")
    numbered = isinstance(own_id, int | float) and not isinstance(own_id, bool)
    own_id = str(own_id) if numbered else _text(row, "id")
    # An id is meant to be the permalink where it is an address.
    own_link = page_link(own_id, url) if own_id and own_id.startswith(("http://", "https://")) else None
    title = _text(row, "title") or ""
    markup = _text(row, "content_html")
    text = (html_to_text(markup[:MAX_MARKUP]) if markup else "") or _text(row, "content_text") or _text(row, "summary") or ""
    published, modified = _text(row, "date_published"), _text(row, "date_modified")
    return Entry(
        id=own_id,
        link=page_link(_text(row, "url"), url) or own_link,
        author=_author(row),
        title=title if text else "",
        text=text or title,
        published=published or modified,
        modified=modified,
    )


def _author(row: dict[str, Any]) -> str | None:
    authors = row.get("authors")
    for one in [*(authors if isinstance(authors, list) else ()), row.get("author")]:
        name = _text(one, "name") if isinstance(one, dict) else None
        if name:
            return name
    return None


def _text(row: dict[str, Any], name: str) -> str | None:
    """Return a filled text of an object; None for anything else."""
    value = row.get(name)
    return value.strip() or None if isinstance(value, str) else None
