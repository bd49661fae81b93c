"""What goes from `data/raw`: the words of erased items out of the spools, whole spools and archives once they are old enough."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.archive import ARCHIVE, archived_files
from collectors.catalog import City
from collectors.exclusions import Stored
from collectors.items import manifestation_id
from collectors.spool import write_whole

Goes = Callable[[Mapping[str, Any]], bool]
"""Tells whether an item of a spool, as it is written there, is to go."""


@dataclass
class RawErasure:
    """One cleaning of the raw files of a city: what is due, what was found, what went."""

    folder: Path
    """`data/raw/<city>`."""

    due: Callable[[Path, str], bool]
    """Tells of a spool folder and a source whether what stands there is past its retention."""

    goes: Goes
    dry_run: bool = False
    item_count: int = 0
    """Lines of spools with an item that went."""

    file_count: int = 0
    """Files that went whole."""

    _due_spools: list[Path] = field(default_factory=list)

    def clean_spools(self) -> None:
        """Rewrite or remove the files of every spool."""
        for spool in sorted(path for path in self.folder.glob("*") if path.is_dir() and path.name != ARCHIVE):
            self._remove(sorted(spool.glob(".*.draft")))
            aged = False
            for source_id, files in _by_source(spool).items():
                if self.due(spool, source_id):
                    aged = True
                    self._remove(files)
                else:
                    self._filter(path for path in files if path.name.endswith((".jsonl", ".rejected", ".partial")))
            if aged:
                self._forget(spool)

    def clean_archives(self, city: City, closed: Callable[[str], bool], aged: Callable[[Path, str], bool]) -> None:
        """Remove archives that are old enough, all those of a source that may have none, and drafts of killed crawls."""
        for source_id, path in archived_files(self.folder):
            if path.name.startswith(".") or closed(source_id) or aged(path, source_id):
                self._remove([path])

    def _forget(self, spool: Path) -> None:
        """Remove a spool of which no source is left; from one with a source past its retention, the log and the memories go."""
        if self.dry_run:
            return
        if not _by_source(spool):
            shutil.rmtree(spool)
            return
        (spool / "crawl.log").unlink(missing_ok=True)
        request = spool / "request.json"
        if request.is_file():
            told = json.loads(request.read_text(encoding="utf-8"))
            write_whole(request, json.dumps({**told, "memory": {}}, ensure_ascii=False).encode())

    def _remove(self, files: Iterable[Path]) -> None:
        for path in files:
            self.file_count += 1
            if not self.dry_run:
                path.unlink(missing_ok=True)

    def _filter(self, files: Iterable[Path]) -> None:
        """Rewrite files without the lines of items that go; a line that cannot be read cannot be judged, and goes too."""
        for path in files:
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if self._stays(line)]
            self.item_count += len(lines) - len(kept)
            if len(kept) < len(lines) and not self.dry_run:
                write_whole(path, b"".join(kept))

    def _stays(self, line: bytes) -> bool:
        try:
            item = json.loads(line)
            return not self.goes(item)
        except (ValueError, KeyError, TypeError, AttributeError):
            return False


def identity_of(item: Mapping[str, Any]) -> str:
    """Return the id under which the warehouse has an item of a spool."""
    return manifestation_id(item["source_id"], item["native_id"], item["url"], item["text"])


def stored_form(item: Mapping[str, Any]) -> Stored:
    """Return what an item of a spool can be recognised by."""
    keys = tuple(item.get("url_keys") or ())
    return Stored(item["source_id"], item["native_id"], item["url"], item["author_key"], keys)


def begun_at(name: str) -> datetime | None:
    """Return the instant in a run id (see `new_run_id`); None if it is none."""
    try:
        return datetime.fromtimestamp(int(name[:16], 16) / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_aged(name: str, days: int, now: datetime) -> bool:
    """Tell whether a run, by its id alone, began longer ago than so many days."""
    begun = begun_at(name)
    return begun is not None and begun + timedelta(days=days) <= now


def remove_aged_orphans(folder: Path, known: set[str], days: Callable[[str], int], now: datetime) -> int:
    """Remove what killed crawls left and nobody appended in time: appended now, it would count as first seen today.

    Args:
        folder: `data/raw/<city>`.
        known: spool names that the warehouse has ("<city>/<run>/<source>").
        days: source id -> its retention.
        now: the instant that ages are counted to.

    Returns:
        How many files went.
    """
    count = 0
    for spool in sorted(path for path in folder.glob("*") if path.is_dir() and path.name != ARCHIVE):
        for source_id, files in _by_source(spool).items():
            if f"{folder.name}/{spool.name}/{source_id}" not in known and is_aged(spool.name, days(source_id), now):
                for path in files:
                    path.unlink()
                    count += 1
        if is_aged(spool.name, 1, now) and not _by_source(spool):
            shutil.rmtree(spool)
    return count


def _by_source(spool: Path) -> dict[str, list[Path]]:
    """Return source id -> its files in a spool: items, whole or torn or rejected, and health."""
    found: dict[str, list[Path]] = {}
    for path in sorted(spool.glob("*.*")):
        name = path.name.removesuffix(".rejected").removesuffix(".partial")
        source_id = name.removesuffix(".jsonl").removesuffix(".health.json")
        if source_id != name:
            found.setdefault(source_id, []).append(path)
    return found
