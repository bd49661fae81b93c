"""What a preview page of a Telegram channel shows: bytes -> plain values, pure (for the sources, see `telegram`)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from parsel import Selector

from collectors.html_tree import parse_html
from collectors.text import MarkupError, html_to_text

_POST = re.compile(r"(?P<channel>[A-Za-z0-9_]{1,40})/(?P<number>\d{1,15})", re.ASCII)
_COUNT = re.compile(r"(?P<figure>\d{1,12}(?:\.\d{1,3})?)(?P<unit>[KMB]?)", re.ASCII)
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


class ChannelMessage(NamedTuple):
    """One message; None for what it does not show."""

    channel: str
    number: int
    is_notice: bool
    """True for what Telegram itself writes: a picture was changed, a message was pinned."""

    author: str | None
    text: str | None
    """None if its markup cannot be read."""

    answers: tuple[str, int] | None
    """Channel and number of the message that it answers."""

    raw: str | None
    reactions: int | None


class ChannelPage(NamedTuple):
    """One page of a channel."""

    messages: list[ChannelMessage]
    unnumbered: int
    """Messages without a readable number."""

    has_card: bool
    has_history: bool
    says_none_found: bool
    offers_more: bool


def read_channel(document: bytes, *, url: str, content_type: str) -> ChannelPage:
    """Return what a page shows.

    Raises:
        SourceProblem: as `parse_html` does.
    """
    page = parse_html(document, content_type=content_type)
    nodes = page.css(".tgme_widget_message[data-post]")
    messages = [_message(match, node) for node in nodes if (match := _POST.fullmatch(node.attrib["data-post"]))]
    return ChannelPage(
        messages=messages,
        unnumbered=len(nodes) - len(messages),
        has_card=bool(page.css(".tgme_page")),
        has_history=bool(page.css(".tgme_channel_history")),
        says_none_found=bool(page.css(".tme_no_messages_found")),
        offers_more=bool(page.css(".js-messages_more[data-before], link[rel=prev]")),
    )


def _message(match: re.Match[str], node: Selector) -> ChannelMessage:
    signed = node.css(".tgme_widget_message_from_author, .tgme_widget_message_forwarded_from_name")
    link = node.css("a.tgme_widget_message_reply::attr(href)").get("").partition("?")[0]
    answered = _POST.fullmatch("/".join(link.rsplit("/", 2)[-2:]))
    text: str | None
    try:
        text, author = html_to_text(node.css(".js-message_text").get("")), html_to_text(signed.get(""))
    except MarkupError:
        text, author = None, ""
    return ChannelMessage(
        channel=match["channel"],
        number=int(match["number"]),
        is_notice="service_message" in node.attrib.get("class", "").split(),
        author=author or None,
        text=text,
        answers=(answered["channel"], int(answered["number"])) if answered else None,
        raw=node.css("time::attr(datetime)").get(),
        reactions=_reactions(node),
    )


def _reactions(node: Selector) -> int | None:
    """Return how many reacted, the Stars that are paid for left out; None where the channel shows no reactions."""
    shown = node.css(".tgme_reaction:not(.tgme_reaction_paid)")
    counts = [_COUNT.fullmatch("".join(one.xpath("./text()").getall()).strip()) for one in shown]
    read = [int(Decimal(count["figure"]) * _UNITS[count["unit"]]) for count in counts if count]
    return sum(read) if read else None
