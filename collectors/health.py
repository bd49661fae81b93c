"""How a source fared in one collection, in words that a reader understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["ok", "empty", "partial", "failed", "not_collected"]
"""`ok`: read whole; `empty`: read whole and without an item; `partial`: something was lost; `failed`: nothing was read."""

Reason = Literal[
    "none",
    "nothing_published",
    "fewer_than_expected",
    "more_than_expected",
    "unreachable",
    "http_error",
    "robots_closed",
    "robots_unreachable",
    "malformed",
    "missing_column",
    "missing_file",
    "secret_missing",
    "secret_refused",
    "rate_limited",
    "unchanged",
    "budget_requests",
    "budget_megabytes",
    "budget_seconds",
    "budget_depth",
    "too_large",
    "extract_timeout",
    "extract_memory",
    "extract_too_large",
    "extract_empty",
    "parse_error",
    "interrupted",
    "disabled",
    "excluded",
    "quarantined",
    "consent_wall",
    "login_wall",
    "captcha",
    "soft_404",
    "not_archived",
]
"""Why the status is what it is; the report has a Spanish sentence for each."""


WALLS: frozenset[Reason] = frozenset({"consent_wall", "login_wall", "captcha", "soft_404"})
"""Reasons that a page gave with status 200 in the place of its content (see `collectors.walls`)."""


Coverage = Literal["window", "newest", "changes"]
"""What a whole walk shows: every item dated in its window; the newest ones or those of recent threads; or what is new."""


class SourceProblem(Exception):
    """A source cannot be read; carries the reason and a detail for the log."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the machine word beside the plain words."""
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """The outcome of one source in one collection."""

    source_id: str
    status: Status
    reason: Reason = "none"
    detail: str = ""
    """Plain English for the log and the command line: addresses, columns, HTTP status; never a citizen's text."""

    request_count: int = 0
    byte_count: int = 0
    item_count: int = 0
    """Items spooled, of every kind."""

    undated_count: int = 0
    skipped_count: int = 0
    """Items without any text, which cannot be a message."""

    excluded_count: int = 0
    """Items dropped, and addresses not fetched, because the list of exclusions names them or their author."""

    first_published_at: str | None = None
    """ISO 8601 UTC of the oldest dated item; None if there was none."""

    last_published_at: str | None = None
    archived_byte_count: int = 0
    """Bytes of the raw archive that this collection wrote, compressed; 0 where the source is not archived."""

    robots: Literal["allowed", "disallowed", "unreachable", "not_asked"] = "not_asked"
    cursor: str | None = None
    """Where the next collection may go on, as the platform understands it; None if the platform has no such thing."""

    memory: Mapping[str, str] = field(default_factory=dict)
    """What the next collection of this source is to remember (see `Memory.learned`); nothing if something was lost."""

    covers: Coverage = "newest"
    """What the walk showed: only where it was the whole window is an item that did not come absent."""
