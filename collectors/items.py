"""The manifestation: one message by one person, as a source showed it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from collectors.dates import is_relative
from collectors.links import link_identity

Kind = Literal["manifestation", "article", "official", "institution"]
"""`manifestation` counts; `article` (a news piece), `official` (the publisher's own words, where it is the municipality) and
`institution` (those of another public body, a company or a medium) are context."""

Channel = Literal["online", "attention_office", "in_person"]
"""How the message arrived. Channels stand side by side in a report and are never added together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifestation:
    """One message by one person, or the context around it (see `kind`)."""

    source_id: str
    """The id of the source in the city's file."""

    channel: Channel = "online"
    """The channel of the source."""

    kind: Kind = "manifestation"
    """Whether it is a person's message or context."""

    native_id: str | None = None
    """The platform's own id of the item, without whitespace around; None where the platform gives none."""

    url: str | None = None
    """Permalink (http or https), in canonical form; None where the item has none or the link names a person."""

    url_keys: tuple[str, ...] = ()
    """What stands for a link that names a person, so that the list of exclusions can still be applied to it; see `link_keys`."""

    parent_id: str | None = None
    """`native_id` of the item that this one answers; None for a first-level item or where it is not known."""

    author: str | None = None
    """The name as published. Lives in memory only: redaction empties it and fills `author_key`."""

    author_key: str | None = None
    """Keyed pseudonym (HMAC-SHA-256, hex, 32 characters) of the author within this source; None if unsigned."""

    title: str | None = None
    """Headline of the article or the thread; None where there is none. Never counted, never classified."""

    text: str
    """What the person wrote: plain text, NFC, no markup, lines separated by "\\n"."""

    published_at: datetime | None = None
    """When the source says it was published: aware, in UTC; None if absent or not understood."""

    published_raw: str | None = None
    """The date exactly as the source wrote it; None where the source wrote none."""

    modified_at: datetime | None = None
    """When the source says this version was written: aware, in UTC; None if the source does not say."""

    reactions: int | None = None
    """Public likes or votes for the item; None where the platform shows none (which is not zero)."""


def manifestation_id(source_id: str, native_id: str | None, url: str | None, text: str) -> str:
    """Return the identity of an item: 32 hex characters, the same on every machine and with every secret.

    The native id decides; without one, the address as `link_identity` compares it; without both, the text itself, so that the
    same unsigned, unlinked line read twice stays one item.
    """
    key = f"id:{native_id}" if native_id else f"url:{link_identity(url)}" if url else f"text:{text}"
    return hashlib.sha256(f"{source_id}\n{key}".encode()).hexdigest()[:32]


def version_digest(manifestation: Manifestation) -> str:
    """Return the digest of what an edit can change: text, kind, title and date (32 hex characters).

    The author's key is left out: it depends on the secret, and versions must not. So is a date that says only how long
    ago ("hace 2 horas"): it is another at each visit, although nobody edited anything.
    """
    date = version_date(manifestation.published_at, manifestation.published_raw)
    dated = not is_relative(manifestation.published_raw)
    parts = (
        manifestation.kind,
        manifestation.title or "",
        manifestation.text,
        date.isoformat() if date else "",
        (manifestation.published_raw or "") if dated else "",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def version_date(published_at: datetime | None, published_raw: str | None) -> datetime | None:
    """Return the date that is part of a version, and so of every item of it; None if it has none or may come with another one."""
    return None if is_relative(published_raw) else published_at
