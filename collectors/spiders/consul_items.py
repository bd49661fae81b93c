"""What CONSUL's records say, in its API and in CSV files (for the sources, see `consul`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from collectors.dates import join_date_time
from collectors.exports import plain_text
from collectors.graphql import Part, as_count, as_object, as_text
from collectors.spiders.base import parse_count
from collectors.spiders.participation import Found

TYPES = {"debates": "Debate", "proposals": "Proposal", "comments": "Comment"}
FIELDS = {
    "debates": ("id", "title", "description", "public_created_at", "cached_votes_up"),
    "proposals": ("id", "title", "summary", "description", "public_created_at", "cached_votes_up", "retired_at"),
    "comments": ("id", "body", "commentable_id", "commentable_type", "ancestry", "public_created_at", "cached_votes_up"),
}
"""What is asked of each record, beside its author, in the names of the documentation."""

_WORD = re.compile(r"::|(?<=[a-z])(?=[A-Z])")


def record_part(collection: str, *, camel: bool) -> Part:
    """Return what is asked of a record; `camel`: in the names that later versions prefer (`publicAuthor`)."""
    values = dict.fromkeys(in_camel(name) if camel else name for name in FIELDS[collection])
    author = Part("User", {"username": None})
    return Part(TYPES[collection], {**values, in_camel("public_author") if camel else "public_author": author})


def in_camel(name: str) -> str:
    """Return `public_author` as `publicAuthor`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def read_node(collection: str, node: dict[str, Any], *, base: str) -> Found | None:
    """Return a record of the API; None if it has no id.

    Args:
        collection: a key of `FIELDS`.
        node: the object as it came, its fields in either form of name.
        base: address of the site, with a slash at the end.
    """

    def get(*names: str) -> str:
        return next((text for name in names if (text := as_text(node.get(name, node.get(in_camel(name)))))), "")

    author = as_object(node.get("public_author", node.get("publicAuthor")))
    votes = as_count(node.get("cached_votes_up", node.get("cachedVotesUp")))
    return _found(collection, get, name=as_text(author.get("username")), reactions=votes, base=base)


def read_row(collection: str, row: Mapping[str, str], *, base: str) -> Found | None:
    """Return a row of a CSV file; None if it has no id. A hidden message counts as taken back."""

    def get(*names: str) -> str:
        return next((row[name] for name in names if row.get(name)), "")

    # A number of the author tells people apart as well as a name does.
    name = get("public_author", "username", "author_name", "author", "author_id", "user_id")
    votes = parse_count(get("cached_votes_up", "votes_up", "supports"))
    return _found(collection, get, name=name, reactions=votes, base=base)


def _found(collection: str, get: Callable[..., str], *, name: str, reactions: int | None, base: str) -> Found | None:
    number = get("id")
    if not number:
        return None
    title = plain_text(get("title"))
    text, summary = plain_text(get("description", "body", "text")), plain_text(get("summary"))
    if summary and not text.startswith(summary):
        text = f"{summary}\n\n{text}"
    date = get("public_created_at", "created_at", "date")
    return Found(
        native_id=f"{TYPES[collection].lower()}-{number}",
        parent_id=_parent(get) if collection == "comments" else None,
        url=f"{base}{collection}/{number}",
        title=title,
        # Where a proposal is all in its title, the title is what the person said.
        text=text if text.strip() else title,
        name=name.strip() or None,
        published_raw=join_date_time(date, get("time")) or None,
        reactions=reactions,
        withdrawn=bool(get("retired_at") or get("hidden_at")),
        number=number,
    )


def _parent(get: Callable[..., str]) -> str | None:
    """Return what a comment answers: the last comment above it, or else what it stands on."""
    above = get("ancestry").strip("/").rpartition("/")[2]
    if above:
        return f"comment-{above}"
    answered = _WORD.sub("-", get("commentable_type")).lower()
    return f"{answered}-{get('commentable_id')}" if answered and get("commentable_id") else None
