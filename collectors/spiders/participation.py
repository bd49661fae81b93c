"""What participation platforms share: proposals, debates and comments that are told whole, and cut to the window here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from collectors.items import Kind, Manifestation
from collectors.spiders.base import PlatformSpider


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An item or a comment as the site tells it: dates as written, the author by both names."""

    kind: Kind = "manifestation"
    native_id: str
    parent_id: str | None = None
    url: str | None = None
    title: str = ""
    text: str
    name: str | None = None
    nickname: str | None = None
    """A name that only one person of the site has; None where the site has no such thing."""

    published_raw: str | None = None
    modified_raw: str | None = None
    reactions: int | None = None
    withdrawn: bool = False
    """True: its author took it back."""

    number: str = ""
    """The id within its kind."""

    unread_answers: bool = False
    """True: there are, or may be, answers to it that did not come with it."""


class ParticipationSpider(PlatformSpider):
    """A platform that has no filter for all of what people write on it."""

    def within(self, found: Found) -> Iterator[Manifestation]:
        """Yield what lies in the window or has no date, unless its author took it back."""
        published = self.published(found.published_raw)
        if found.withdrawn or (published is not None and not self.period.contains(published)):
            return
        # Two people may have one name, but not one nickname. The publisher is known by either.
        of_publisher = found.name is not None and self.is_publisher(found.name)
        yield from self.manifestation(
            kind=found.kind,
            native_id=found.native_id,
            parent_id=found.parent_id,
            url=found.url,
            author=found.name if of_publisher else found.nickname or found.name,
            title=found.title,
            text=found.text,
            published_at=published,
            published_raw=found.published_raw,
            modified_at=self.published(found.modified_raw),
            reactions=found.reactions,
        )
