"""Public Telegram channels by their preview pages, t.me/s/NAME, without a login.

There is no document of the pages' markup; the facts are what they show (seen alike by minet, snscrape and RSSHub, which read
them too): some 20 messages a page, the oldest first, `?before=ID` for those before; a message is `.tgme_widget_message` with
`data-post` NAME/ID, its words `.js-message_text`, its date `time[datetime]`, emoji as `i.emoji > b`. A group, a private
channel, or one whose owner closed the preview is answered with the page t.me/NAME instead. `.tme_no_messages_found` in the
middle of a channel is how Telegram asks to wait. When an edited message was edited is not shown. Comments below a message
stand in another chat, which has no preview. Views are no reaction.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin, urlsplit

from parsel import Selector
from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions, Source
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider, html_page
from collectors.text import MarkupError, html_to_text

_CHANNEL = re.compile(r"/(?:s/)?(?P<name>[A-Za-z][A-Za-z0-9_]{2,31})/?", re.ASCII)
_POST = re.compile(r"(?P<channel>[A-Za-z0-9_]{1,40})/(?P<number>\d{1,15})", re.ASCII)
_COUNT = re.compile(r"(?P<figure>\d{1,12}(?:\.\d{1,3})?)(?P<unit>[KMB]?)", re.ASCII)
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


class TelegramOptions(PlatformOptions):
    """What a message of this channel is."""

    entries: Literal["context", "manifestation"] = Field(
        "context",
        description="context: the voice of whoever runs the channel; manifestation: a channel that carries people's messages.",
    )

    def check_source(self, source: Source) -> None:
        """Demand the address of a public channel."""
        if not _CHANNEL.fullmatch(urlsplit(source.url).path):
            raise ValueError(f"url: {source.url!r} names no public channel; write https://t.me/NAME (invitations are private)")


class TelegramSpider(PlatformSpider):
    """Walks the preview of one channel, newest first."""

    Options: ClassVar[type[PlatformOptions]] = TelegramOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start at the newest page."""
        super().__init__(**kwargs)
        match = _CHANNEL.fullmatch(urlsplit(self.source.url).path)
        self.channel = match["name"] if match else ""
        self._lowest: int | None = None

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the newest messages."""
        yield self._page("")

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Manifestation | Request]:
        """Yield the messages of a page and ask for those before it."""
        if not self.readable(response):
            return
        page = html_page(response)
        messages = page.css(".tgme_widget_message[data-post]")
        found = [(match, node) for node in messages if (match := _POST.fullmatch(node.attrib["data-post"]))]
        if len(found) < len(messages):
            self.note("malformed", f"{response.url}: {len(messages) - len(found)} messages without a readable number")
        if not found:
            self._tell_of_nothing(page, response, offered=kwargs.get("offered"))
            return
        dates = [self.published(node.css("time::attr(datetime)").get()) for _, node in found]
        for (match, node), date in zip(found, dates, strict=True):
            yield from self._message(match, node, date)
        yield from self._before(page, [int(match["number"]) for match, _ in found], [date for date in dates if date is not None])

    def _page(self, query: str, **known: Any) -> Request:
        return self.request(urljoin(self.source.url, f"/s/{self.channel}{query}"), self.parse, cb_kwargs=known)

    def _before(self, page: Selector, numbers: list[int], dates: list[datetime]) -> Iterator[Request]:
        """Ask for the messages before these, unless all are past, none is new, or the first message was reached."""
        lowest, reached = min(numbers), self._lowest
        if reached is not None and lowest >= reached:
            self.note("malformed", f"the pages of {self.channel} repeat: nothing before number {reached}")
            return
        self._lowest = lowest
        if lowest > 1 and not (dates and self.is_past(max(dates))):
            offered = bool(page.css(".js-messages_more[data-before], link[rel=prev]"))
            yield self._page(f"?before={lowest}", offered=offered)

    def _tell_of_nothing(self, page: Selector, response: Response, *, offered: bool | None) -> None:
        """Say why a page shows no message; the end of a channel is no problem.

        Args:
            page: the page.
            response: where it came from.
            offered: whether the page before said that there are more; None for the first page.
        """
        name = self.channel
        if offered is None:
            self.started_well = False
        if page.css(".tgme_page") and not page.css(".tgme_channel_history"):
            self.note("unreachable", f"{name} has no public preview: a group, a private channel, or a channel that closed it")
        elif offered and page.css(".tme_no_messages_found"):
            self.note("rate_limited", f"{response.url}: Telegram offered earlier messages of {name} and then showed none")
        elif offered is None or offered or not page.css(".tgme_channel_history, .tme_no_messages_found"):
            self.note("malformed", f"{response.url}: no message of {name} found; the page's layout may have changed")

    def _message(self, match: re.Match[str], node: Selector, date: datetime | None) -> Iterator[Manifestation]:
        options: Any = self.source.options
        if "service_message" in node.attrib.get("class", "").split():
            return
        voice = "official" if self.source.publisher.official else "article"
        signed = node.css(".tgme_widget_message_from_author, .tgme_widget_message_forwarded_from_name")
        link = node.css("a.tgme_widget_message_reply::attr(href)").get("").partition("?")[0]
        answered = _POST.fullmatch("/".join(link.rsplit("/", 2)[-2:]))
        try:
            text, author = html_to_text(node.css(".js-message_text").get("")), html_to_text(signed.get(""))
        except MarkupError:
            self.note("malformed", f"{match[0]}: markup that cannot be read")
            return
        yield from self.manifestation(
            kind=voice if options.entries == "context" else "manifestation",
            native_id=match[0],
            parent_id=answered[0] if answered and answered["channel"].lower() == match["channel"].lower() else None,
            url=urljoin(self.source.url, f"/{match[0]}"),
            author=author or None,
            text=text,
            published_at=date,
            published_raw=node.css("time::attr(datetime)").get(),
            reactions=_reactions(node),
        )


def _reactions(node: Selector) -> int | None:
    """Return how many reacted, the Stars that are paid for left out; None where the channel shows no reactions."""
    shown = node.css(".tgme_reaction:not(.tgme_reaction_paid)")
    counts = [_COUNT.fullmatch("".join(one.xpath("./text()").getall()).strip()) for one in shown]
    read = [int(Decimal(count["figure"]) * _UNITS[count["unit"]]) for count in counts if count]
    return sum(read) if read else None
