"""Who answers whom: what feeds of comments say of it, by the standard and in the ways of WordPress and Blogger.

Facts from RFC 4685 (`thr:in-reply-to`; links `rel=replies` with `thr:count`; `thr:total`); WordPress's feed templates
(developer.wordpress.org/reference: wp-includes/feed-rss2-comments.php, get_comment_text, comment_guid): a comment's guid is its
post's guid and `#comment-N`, and a text that answers another comment begins with a paragraph that says so and links to
`#comment-N`; a post behind a password shows its form. Blogger (developers.google.com/blogger/docs/2.0): `thr:in-reply-to`
names the post; its own comment script reads the answered comment from a link to `/comments/default/N`, and takes
a comment with the property `blogger.contentRemoved` for a removed one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.feeds.model import Fields

_WORDPRESS_ID = re.compile(r"(?P<post>.+)#comment-\d+", re.DOTALL)
# "In reply to <a href="…#comment-12">Name</a>." in whatever language the site speaks.
_WORDPRESS_REPLY = re.compile(
    r"\s*(?:<p>)?[^<>\n]{1,60}<a\s[^<>]*?href=[\"'][^\"'<>]*#comment-(?P<number>\d{1,19})[\"'][^<>]*>[^<>]*</a>[^<>\n]{0,20}"
    r"(?:</p>|<br\s*/?>|\n|$)\s*"
)
_LONGEST_REPLY = 2_000
_PASSWORD_FORM = re.compile(r"<form[^<>]*\bpost-password-form\b")
_BLOGGER_ID = re.compile(r"(?P<blog>.*\bblog-\d+\.post-)(?P<number>\d+)", re.DOTALL)
_BLOGGER_COMMENT = re.compile(r"/comments/default/(\d{1,30})(?:[?#]|$)")
_NOT_ANSWERED = frozenset(("self", "edit", "alternate", "replies", "enclosure"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Where an entry stands in a thread."""

    markup: str
    """Its markup without what the platform put before the person's words."""

    parent: str | None = None
    is_comment: bool = False
    replies_url: str | None = None
    replies_count: str | None = None
    withheld: bool = False


def read_thread(own_id: str | None, markup: str, fields: Fields) -> Thread:
    """Return an entry's place in its thread.

    Args:
        own_id: its id.
        markup: its content.
        fields: its elements.
    """
    links = [one.attributes for one in fields.get("link", ()) if one.attributes.get("href")]
    markup, wordpress_parent = _wordpress(own_id, markup)
    answered = next((one.attributes.get("ref") or one.attributes.get("href") for one in fields.get("thr:in-reply-to", ())), None)
    parent = _blogger_parent(own_id, links) or answered or wordpress_parent
    replies = next((link for link in links if link.get("rel", "").strip().lower() == "replies" and _is_feed(link)), None)
    properties = {one.attributes.get("name") for one in fields.get("gd:extendedproperty", ())}
    return Thread(
        markup=markup,
        parent=parent or None,
        is_comment=parent is not None,
        replies_url=replies["href"] if replies else None,
        replies_count=replies.get("count") if replies else None,
        withheld="blogger.contentRemoved" in properties or _PASSWORD_FORM.search(markup) is not None,
    )


def _wordpress(own_id: str | None, markup: str) -> tuple[str, str | None]:
    """Return a comment's own words and the guid of what it answers; markup as it is, and None, where it is none of WordPress."""
    comment = _WORDPRESS_ID.fullmatch(own_id) if own_id else None
    if comment is None:
        return markup, None
    reply = _WORDPRESS_REPLY.match(markup, 0, _LONGEST_REPLY)
    if reply is None:
        return markup, comment["post"]
    return markup[reply.end() :], f"{comment['post']}#comment-{reply['number']}"


def _blogger_parent(own_id: str | None, links: Sequence[Mapping[str, str]]) -> str | None:
    """Return the id of the comment that a comment on Blogger answers; None if it answers the post or is none of Blogger."""
    own = _BLOGGER_ID.fullmatch(own_id) if own_id else None
    if own is None:
        return None
    for link in links:
        found = _BLOGGER_COMMENT.search(link["href"])
        if found and link.get("rel", "").strip().lower() not in _NOT_ANSWERED and found[1] != own["number"]:
            return f"{own['blog']}{found[1]}"
    return None


def _is_feed(link: Mapping[str, str]) -> bool:
    """Tell whether a link leads to a feed; without a declared type it does (RFC 4685, 4)."""
    kind = link.get("type", "xml").lower()
    return "xml" in kind.replace("xhtml", "") or "json" in kind
