"""Minutes of workshops and forums, DOCX or ODT, written on the project's template (`data/templates/acta.docx` and `.odt`).

Each row with a text is a message of the channel `in_person`; what a table agreed is the institution's word and its answer. The
date of the session is that of all rows. Nobody is named: the role stays in the document. A row is known by the file's name, its
table and its place there, so saving the file again, or mending a word, makes no second message.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from collectors.catalog import PlatformOptions, Reads
from collectors.items import Manifestation
from collectors.minutes import Minutes, load_template, parse_minutes, tell_some
from collectors.office import read_blocks
from collectors.spiders.document import DocumentSpider

if TYPE_CHECKING:
    from collectors.catalog import Source

_TOLD = 3


class MinutesOptions(PlatformOptions):
    """Nothing: the template says it all."""

    reads: ClassVar[Reads] = "files"

    def check_source(self, source: Source) -> None:
        """Check the channel: what was said in a room never stands among what was written online.

        Raises:
            ValueError: if the channel is another.
        """
        if source.channel != "in_person":
            raise ValueError(f"channel: {source.channel!r} is not that of minutes; write `channel: in_person`")


class MinutesSpider(DocumentSpider):
    """Reads every document of the project that a pattern matches."""

    Options: ClassVar[type[PlatformOptions]] = MinutesOptions

    def parse_document(self, body: bytes, *, name: str) -> Iterator[Manifestation]:
        """Yield one message for each row with a text, and its agreement as context."""
        minutes = parse_minutes(read_blocks(body, name=name), name=name)
        if minutes.told:
            self.note("malformed", f"{name}: {tell_some(minutes.told, most=_TOLD)}")
        published = self._published_line(minutes, name)
        for entry in minutes.entries:
            yield from self.manifestation(
                kind="official" if entry.official else "manifestation",
                native_id=entry.native_id,
                parent_id=entry.parent_id,
                title=entry.theme,
                text=entry.text,
                published_at=published,
                published_raw=minutes.lines.get("date"),
            )

    def _published_line(self, minutes: Minutes, name: str) -> datetime | None:
        """Return the day of the session; tell where rows have none."""
        published = self.published(minutes.lines.get("date"))
        if published is None and minutes.entries:
            label = load_template().lines["date"].label
            self.note(
                "malformed", f"{name}: `{label}:` gives no day, month and year, as in 15 de marzo de 2025: its rows are undated"
            )
        return published
