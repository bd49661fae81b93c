"""Digests of contents: short, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def text_digest(text: str) -> str:
    """Return the digest of a text: 32 hex characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def value_digest(value: Any) -> str:
    """Return the digest of a JSON-like value, whatever the order of its keys: 32 hex characters."""
    return text_digest(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def folder_digest(folder: Path, patterns: Iterable[str]) -> str:
    """Return the digest of the names and contents of the files below a folder that match: 32 hex characters."""
    files = sorted({file for pattern in patterns for file in folder.rglob(pattern)}, key=lambda file: file.as_posix())
    return value_digest([[file.relative_to(folder).as_posix(), text_digest(file.read_text("utf-8"))] for file in files])
