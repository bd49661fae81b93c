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
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from collectors.catalog import PlatformOptions, Source
from collectors.extraction import Extraction
from collectors.health import Coverage
from collectors.items import Manifestation
from collectors.spiders.base import PlatformSpider
from collectors.spiders.telegram_markup import ChannelMessage, ChannelPage, read_channel

_CHANNEL = re.compile(r"/(?:s/)?(?P<name>[A-Za-z][A-Za-z0-9_]{2,31})/?", re.ASCII)


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
    COVERS: ClassVar[Coverage] = "window"

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
        page: ChannelPage | None = self.read(response)
        if page is None:
            return
        if page.unnumbered:
            self.note("malformed", f"{response.url}: {page.unnumbered} messages without a readable number")
        if not page.messages:
            self._tell_of_nothing(page, response, offered=kwargs.get("offered"))
            return
        dates = [self.published(message.raw) for message in page.messages]
        for message, date in zip(page.messages, dates, strict=True):
            yield from self._message(message, date)
        yield from self._before(page, [date for date in dates if date is not None])

    def _page(self, query: str, **known: Any) -> Request:
        url = urljoin(self.source.url, f"/s/{self.channel}{query}")
        return self.request(url, self.parse, extraction=Extraction(read_channel), cb_kwargs=known)

    def _before(self, page: ChannelPage, dates: list[datetime]) -> Iterator[Request]:
        """Ask for the messages before these, unless all are past, none is new, or the first message was reached."""
        lowest, reached = min(message.number for message in page.messages), self._lowest
        if reached is not None and lowest >= reached:
            self.note("malformed", f"the pages of {self.channel} repeat: nothing before number {reached}")
            return
        self._lowest = lowest
        if lowest > 1 and not (dates and self.is_past(max(dates))):
            yield self._page(f"?before={lowest}", offered=page.offers_more)

    def _tell_of_nothing(self, page: ChannelPage, response: Response, *, offered: bool | None) -> None:
        """Say why a page shows no message; the end of a channel is no problem.

        Args:
            page: the page.
            response: where it came from.
            offered: whether the page before said that there are more; None for the first page.
        """
        name = self.channel
        if offered is None:
            self.started_well = False
        if page.has_card and not page.has_history:
            self.note("unreachable", f"{name} has no public preview: a group, a private channel, or a channel that closed it")
        elif offered and page.says_none_found:
            self.note("rate_limited", f"{response.url}: Telegram offered earlier messages of {name} and then showed none")
        elif offered is None or offered or not (page.has_history or page.says_none_found):
            self.note("malformed", f"{response.url}: no message of {name} found; the page's layout may have changed")

    def _message(self, found: ChannelMessage, date: datetime | None) -> Iterator[Manifestation]:
        options: Any = self.source.options
        if found.is_notice:
            return
        name = f"{found.channel}/{found.number}"
        if found.text is None:
            self.note("malformed", f"{name}: markup that cannot be read")
            return
        voice = "official" if self.source.publisher.official else "article"
        answers = found.answers
        yield from self.manifestation(
            kind=voice if options.entries == "context" else "manifestation",
            native_id=name,
            parent_id=f"{answers[0]}/{answers[1]}" if answers and answers[0].lower() == found.channel.lower() else None,
            url=urljoin(self.source.url, f"/{name}"),
            author=found.author,
            text=found.text,
            published_at=date,
            published_raw=found.raw,
            reactions=found.reactions,
        )
