"""What Decidim's objects say: proposals, debates and comments as its API gives them (for the sources, see `decidim`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from collectors.exports import plain_text
from collectors.graphql import as_count, as_object, as_objects, as_text
from collectors.items import Kind
from collectors.spiders.decidim_queries import Component
from collectors.spiders.participation import Found

# A hashtag or a mention is kept as the id of a record of the site; a hashtag has its word at the end.
_HASHTAG = re.compile(r"gid://[\w-]+/Decidim::Hashtag/\d+/_?(\w+)")
_RECORD = re.compile(r"gid://[\w-]+/Decidim::\w+/\d+")


def read_item(node: dict[str, Any], component: Component, *, base: str, language: str, official: bool) -> Found | None:
    """Return an item of a component; None if it has no id.

    Args:
        node: the object as it came.
        component: which lists it.
        base: address of the site, with a slash at the end.
        language: taken first where a text stands in several.
        official: True if the publisher of the source speaks for the municipality: then its context is official.
    """
    listing, number = component.listing, as_text(node.get("id"))
    if not number:
        return None
    name, nickname = _author(node)
    made = f"{base}{quote(component.path)}/f/{quote(component.id)}/{listing.collection}/{quote(number)}"
    title = plain_text(translated(node.get("title"), language))
    return Found(
        kind=_kind(node, of_people=listing.of_people, official=official),
        native_id=f"{listing.kind}-{number}",
        number=number,
        url=as_text(node.get("url")) or (None if listing.inner else made),
        title=title,
        text=written_text(translated(node.get(listing.text), language)) or (title if listing.of_people else ""),
        name=name,
        nickname=nickname,
        published_raw=_first(node, "publishedAt", "createdAt", "startTime"),
        modified_raw=_first(node, "updatedAt"),
        reactions=_votes(node),
        withdrawn=node.get("withdrawn") is True or node.get("state") == "withdrawn",
    )


def read_comments(node: dict[str, Any], parent: Found, *, page: str | None) -> Iterator[Found]:
    """Yield the comments on an item, or the answers to a comment, with all that came below them, in their order.

    Args:
        node: the item or comment as it came.
        parent: what it was read as.
        page: address of the item; comments that tell no address of their own are found on it.
    """
    waiting = [(row, parent) for row in reversed(as_objects(node.get("comments")))]
    while waiting:
        row, above = waiting.pop()
        number = as_text(row.get("id"))
        if not number:
            continue
        name, nickname = _author(row)
        found = Found(
            native_id=f"comment-{number}",
            number=number,
            parent_id=above.native_id,
            url=as_text(row.get("url")) or comment_address(page, number),
            title=parent.title,
            text=written_text(as_text(row.get("formattedBody")) or as_text(row.get("body"))),
            name=name,
            nickname=nickname,
            published_raw=_first(row, "createdAt"),
            modified_raw=_first(row, "updatedAt"),
            reactions=_votes(row),
            unread_answers="comments" not in row and row.get("hasComments") is not False,
        )
        yield found
        waiting += [(answer, found) for answer in reversed(as_objects(row.get("comments")))]


def comment_address(page: str | None, number: str) -> str | None:
    """Return the address of a comment on the page of what it stands on."""
    return f"{page}?commentId={number}#comment_{number}" if page else None


def translated(value: object, language: str) -> str:
    """Return the text of a translated field: what a person wrote, in the wished language before any other.

    A machine's translation is taken only where nothing else is left.
    """
    if isinstance(value, str):
        return value
    texts = [row for row in as_objects(as_object(value).get("translations")) if as_text(row.get("text")).strip()]

    def rank(row: dict[str, Any]) -> tuple[bool, bool]:
        return row.get("machineTranslated") is True, as_text(row.get("locale")).partition("-")[0] != language

    return as_text(min(texts, key=rank)["text"]) if texts else ""


def written_text(markup: str) -> str:
    """Return the plain text of a body, with hashtags as words and without the ids that stand for other records."""
    return plain_text(_RECORD.sub("", _HASHTAG.sub(r"#\1", markup)))


def _kind(node: dict[str, Any], *, of_people: bool, official: bool) -> Kind:
    """Return what an item is; one of people is official if it says so, or if nobody signs it and it comes from no meeting."""
    if not of_people:
        return "official" if official else "article"
    told = node.get("official")
    unsigned = "author" in node and not node["author"] and node.get("createdInMeeting") is not True
    return "official" if (told if isinstance(told, bool) else unsigned) else "manifestation"


def _author(node: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return name and nickname of an author: none for an account that was deleted."""
    author = as_object(node.get("author"))
    if author.get("deleted") is True:
        return None, None
    return as_text(author.get("name")).strip() or None, as_text(author.get("nickname")).strip() or None


def _first(node: dict[str, Any], *names: str) -> str | None:
    return next((as_text(node[name]) for name in names if as_text(node.get(name)).strip()), None)


def _votes(node: dict[str, Any]) -> int | None:
    """Return the votes, or the likes where votes are hidden; None if neither is shown."""
    counts = (as_count(node.get(name)) for name in ("upVotes", "voteCount", "likesCount", "endorsementsCount"))
    return next((count for count in counts if count is not None), None)
