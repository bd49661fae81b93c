"""A group's chat as its administrator exports it from WhatsApp (`.txt`, or the ZIP file with it inside).

The talk of a group is private. A source of this platform has to say when the group was told, by whom, and where that is written
down; what was written before that day is not read. Names, numbers and mentions are dropped here, nobody is an author, and what
a report shows of it is a matter of counts. The form of the file is told in `collectors.chats`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import Any, ClassVar

from pydantic import Field

from collectors.catalog import Closed, PlatformOptions, Reads
from collectors.chats import Chat, ChatLine, parse_chat
from collectors.dates import DateOrder
from collectors.health import SourceProblem
from collectors.items import Manifestation
from collectors.packed import is_zip, open_zip, read_member
from collectors.redaction import redact
from collectors.spiders.base import row_id
from collectors.spiders.document import DocumentSpider

MAX_CHAT_BYTES = 100_000_000

_LINES_SHOWN = 20
_CHAT_NAMES = ("_chat", "whatsapp")


class Consent(Closed):
    """How the members of the group came to know and agree."""

    announced_on: date = Field(description="Day on which the group was told (YYYY-MM-DD); earlier messages are not read.")
    by: str = Field(min_length=3, description="Who told the group, by office.")
    document: str = Field(min_length=3, description="Record of the announcement and of the consent: its number or file.")


class WhatsAppOptions(PlatformOptions):
    """The group's consent, without which its talk is nobody else's business."""

    reads: ClassVar[Reads] = "files"

    consent: Consent
    date_order: DateOrder | None = Field(None, description="Order of day and month; by default what the whole file shows.")


class WhatsAppSpider(DocumentSpider):
    """Reads every export of the project that a pattern matches; all are of one group."""

    Options: ClassVar[type[PlatformOptions]] = WhatsAppOptions

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing counted."""
        super().__init__(**kwargs)
        self.kinds: Counter[str] = Counter()

    def facts(self) -> list[str]:
        """Return what stood in the exports beside the messages that were read."""
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return [f"in the export: {listed}"] if listed else []

    def parse_document(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        """Yield one message for each that a person wrote."""
        options: Any = self.source.options
        chat = parse_chat(find_chat(body, name=name), name=name, order=options.date_order, official=self.source.publisher.authors)
        announced = datetime.combine(options.consent.announced_on, time(), tzinfo=self.city.zone)
        seen: Counter[str] = Counter()
        undated: list[int] = []
        for line in chat.lines:
            published = self.published(line.date, order=chat.order)
            if published is None:
                undated.append(line.line)
            elif published < announced:
                self.kinds["before the announcement"] += 1
            else:
                self.kinds[line.kind] += 1
                yield from self._message(line, published, seen) if line.kind == "message" else ()
        self._tell(chat, undated, name)

    def _message(self, line: ChatLine, published: datetime, seen: Counter[str]) -> Iterator[Manifestation]:
        # To the minute, since phones differ in the seconds; without numbers, since a digest of them could be tried out.
        raw = published.replace(second=0, microsecond=0).isoformat()
        yield from self.manifestation(
            kind="official" if line.by_publisher else "manifestation",
            native_id=row_id(seen, raw=raw, text=redact(line.text)),
            text=line.text,
            published_at=published,
            published_raw=line.date,
        )

    def _tell(self, chat: Chat, undated: list[int], name: str) -> None:
        if chat.before:
            self.note("malformed", f"{name}:{chat.before[0]}: {len(chat.before)} lines stand before the first message")
        if undated:
            shown = ", ".join(map(str, undated[:_LINES_SHOWN])) + (", …" if len(undated) > _LINES_SHOWN else "")
            told = f"{len(undated)} messages have no date in the order {chat.order} and were not read: lines {shown}"
            self.note("malformed", f"{name}:{undated[0]}: {told}")


def find_chat(body: bytes, *, name: str) -> bytes:
    """Return the text of an export: the file itself, or the one text in its ZIP file; what was sent with it is not looked at.

    Raises:
        SourceProblem: `malformed` if the archive holds none or several; their names, which may be persons', are not told.
    """
    if not is_zip(body):
        return body
    with open_zip(body, name=name) as archive:
        texts = [member for member in archive.namelist() if member.lower().endswith(".txt") and "__MACOSX" not in member]
        named = [member for member in texts if any(word in PurePosixPath(member.lower()).name for word in _CHAT_NAMES)]
        found = named if len(texts) > 1 else texts
        if len(found) != 1:
            raise SourceProblem("malformed", f"{name}: {len(texts)} text files inside; needed: the one of the exported chat")
        return read_member(archive, found[0], name=name, most=MAX_CHAT_BYTES)
