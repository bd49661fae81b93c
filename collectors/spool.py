"""The spool: what a crawl leaves on disk for the one process that writes the warehouse.

A spool folder belongs to one crawl. Each source has `<source>.jsonl` (redacted items, one JSON object a line, in the
order in which they were seen), `<source>.frontier.jsonl` (threads that were read whole, each written after its items) and
`<source>.health.json`, written last: a source without it was not read to its end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from collectors.health import SourceHealth
from collectors.items import Manifestation


class SpoolPaths(NamedTuple):
    """The files of one source in a spool folder."""

    partial: Path
    items: Path
    health: Path
    frontier: Path


def spool_paths(folder: Path, source_id: str) -> SpoolPaths:
    """Return the paths of a source; none of them need exist."""
    names = (f"{source_id}.{ending}" for ending in ("jsonl.partial", "jsonl", "health.json", "frontier.jsonl"))
    return SpoolPaths(*(folder / name for name in names))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever looks, also after a kill or a power cut, finds all of it or none."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_health(folder: Path, health: SourceHealth) -> None:
    """Say how a source fared; from then on it is complete."""
    content = json.dumps(asdict(health), ensure_ascii=False, sort_keys=True)
    write_whole(spool_paths(folder, health.source_id).health, content.encode())


def complete_sources(folder: Path) -> list[str]:
    """Return the ids of the sources that were read to their end, sorted."""
    return sorted(path.name.removesuffix(".health.json") for path in folder.glob("*.health.json"))


def load_health(folder: Path, source_id: str) -> SourceHealth:
    """Load how a source fared."""
    return SourceHealth(**json.loads(spool_paths(folder, source_id).health.read_text(encoding="utf-8")))


def load_items(folder: Path, source_id: str) -> Iterator[Manifestation]:
    """Yield the items of a source in the order in which they were seen."""
    known = {field.name for field in fields(Manifestation)}
    with spool_paths(folder, source_id).items.open(encoding="utf-8") as lines:
        for line in lines:
            values: dict[str, Any] = json.loads(line)
            for name in ("published_at", "modified_at"):
                values[name] = datetime.fromisoformat(values[name]) if values[name] else None
            values["url_keys"] = tuple(values.get("url_keys", ()))
            yield Manifestation(**{name: value for name, value in values.items() if name in known})


def load_frontier(folder: Path, source_id: str) -> dict[str, str]:
    """Load the threads that a walk has read whole: digest of the address -> what was found, as JSON.

    A last line that a kill tore is left out: its thread is read again.
    """
    path = spool_paths(folder, source_id).frontier
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    return {line["place"]: line["found"] for line in map(json.loads, lines)}
