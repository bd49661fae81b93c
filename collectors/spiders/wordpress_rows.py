"""What WordPress says of an article or a comment, in its API and in its feeds alike: ids, texts, and rows of the API.

The number of an article or comment is one in both (`post-7`, `comment-123`), so that a site that closes its API shows no other
messages than before.
"""

from __future__ import annotations

import re

from pydantic import BaseModel

from collectors.text import html_to_text

_COMMENT = re.compile(r"#comment-(\d{1,19})$", re.ASCII)
_POST = re.compile(r"[?&](?:p|page_id|attachment_id)=(\d{1,19})(?:[&#]|$)", re.ASCII)
_SHORTCODE = re.compile(r"\[(/?)([a-z][a-z0-9_-]{0,40})(?![a-z0-9_-])([^\[\]\n]{0,500})\]", re.ASCII)


class Rendered(BaseModel):
    """A text that WordPress has made HTML of."""

    rendered: str | None = None
    protected: bool | None = None


class PostRow(BaseModel):
    """What is read of an article; a row that does not fit is left out and told."""

    id: int | None = None
    date_gmt: str | None = None
    modified_gmt: str | None = None
    link: str | None = None
    title: Rendered | None = None
    content: Rendered | None = None


class CommentRow(BaseModel):
    """What is read of a comment; a row that does not fit is left out and told."""

    id: int | None = None
    post: int | None = None
    parent: int | None = None
    author_name: str | None = None
    date_gmt: str | None = None
    link: str | None = None
    type: str | None = None
    content: Rendered | None = None


def without_shortcodes(text: str) -> str:
    """Return a text without the marks of shortcodes that no plugin replaced.

    A word in brackets stays, unless it has attributes or is opened and closed.
    """
    if "[" not in text:
        return text
    closed = {mark[2] for mark in _SHORTCODE.finditer(text) if mark[1]}
    left = _SHORTCODE.sub(lambda mark: "" if mark[1] or "=" in mark[3] or mark[2] in closed else mark[0], text)
    return text if left == text else re.sub(" {2,}", " ", left)


def is_pingback(text: str) -> bool:
    """Tell whether a text is what WordPress writes for a link from another site: a piece of that page between "[…]"."""
    return len(text) > len("[…]") and text.startswith("[…]") and text.endswith("[…]")


def comment_number(*addresses: str | None) -> str | None:
    """Return `comment-<number>` from the first address that ends in it, None if none does."""
    found = next(filter(None, (_COMMENT.search(address or "") for address in addresses)), None)
    return f"comment-{int(found[1])}" if found else None


def post_number(address: str | None) -> str | None:
    """Return `post-<number>` from the guid that WordPress gives an article (`?p=7`), None if it is of another form."""
    found = _POST.search(address or "")
    return f"post-{int(found[1])}" if found else None


def numbered(kind: str, number: int | None) -> str | None:
    """Return the id of a post or comment; None for 0, which WordPress writes for "none", and for an absent one."""
    return f"{kind}-{number}" if number else None


def plain_text(text: Rendered | None) -> str:
    """Return a rendered text without its markup, "" if there is none."""
    return without_shortcodes(html_to_text((text.rendered if text else None) or ""))


def gmt(value: str | None) -> str | None:
    """Return a date of the API with the offset that it leaves out."""
    return f"{value}Z" if value else None
