"""What the warehouse knows of a source's collections so far: since when it works, and how often it failed lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
from filelock import FileLock, Timeout

from collectors.catalog import City
from pipelines.project import Project
from pipelines.warehouse import open_read_only

LATELY = 10
"""Collections that count as the last ones."""


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """How the collections of one source went; instants in UTC."""

    first_good: datetime | None
    """The first that read the source whole; None if none did."""

    last_good: datetime | None
    collections: int
    lately: int
    """The last collections that are looked at: `LATELY`, or all if there are fewer."""

    failed_lately: int
    """Those among them that failed, or lost something."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of a city's sources."""

    state: Literal["read", "absent", "busy", "unreadable"]
    """Whether the warehouse could be asked."""

    by_source: Mapping[str, SourceRecord] = field(default_factory=dict)


def load_records(project: Project, city: City) -> Records:
    """Return the records of a city's sources; nothing is written, and a warehouse that is being written is not waited for."""
    if not project.warehouse.is_file():
        return Records(state="absent")
    try:
        # The writer's own lock: a reader that holds the file would keep a run from opening it.
        with FileLock(project.warehouse.with_suffix(".lock"), timeout=0), open_read_only(project.warehouse) as warehouse:
            rows = warehouse.query_file("source_record", {"city": city.id, "lately": LATELY})
    except Timeout:
        return Records(state="busy")
    except (duckdb.Error, OSError):
        return Records(state="unreadable")
    return Records(
        state="read",
        by_source={
            source_id: SourceRecord(first_good=first, last_good=last, collections=count, lately=lately, failed_lately=failed)
            for source_id, first, last, count, lately, failed in rows
        },
    )


def tell_record(records: Records, source_id: str, zone: ZoneInfo) -> str:
    """Say since when a source works and how often it failed lately."""
    if records.state != "read":
        why = {"absent": "there is no warehouse yet", "busy": "the warehouse is being written just now"}
        return f"since when it works is not known: {why.get(records.state, 'the warehouse cannot be read')}"
    record = records.by_source.get(source_id)
    if record is None:
        return "it was not collected yet"
    failed = f"{record.failed_lately} of the last {record.lately} collections failed or lost something"
    if record.first_good is None or record.last_good is None:
        return f"no collection has read it whole so far; {failed}"
    first, last = (at.astimezone(zone).date().isoformat() for at in (record.first_good, record.last_good))
    return f"works since {first}, last read whole on {last}" + (f"; {failed}" if record.failed_lately else "")
