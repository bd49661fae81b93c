"""Templates: how the pages of the project are made from them; everything printed is escaped, and nothing absent is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from pipelines.reports.formats import clean


class CompiledTemplates(BytecodeCache):
    """Templates compiled once in a process; their key holds a digest of their source."""

    def __init__(self) -> None:
        """Start with none."""
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what was compiled of the same source."""
        known = self._compiled.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()
"""Shared by all pages of a process."""


def clean_printed(value: object) -> object:
    """Return what a template prints, texts without control characters and turns of direction."""
    return clean(value) if isinstance(value, str) else value


def open_templates(folder: Path, *, finalize: Callable[[object], object] = clean_printed) -> Environment:
    """Return the Jinja environment of a folder of templates.

    Args:
        folder: where they are.
        finalize: what is done to everything that is printed.
    """
    return Environment(
        loader=FileSystemLoader(folder, encoding="utf-8"),
        autoescape=True,
        bytecode_cache=COMPILED,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
