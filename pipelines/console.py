"""What the command line prints: progress on stderr, results on stdout, words from outside as plain text, 80 columns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collectors.catalog import City
    from pipelines.append import SourceOutcome
    from pipelines.project import Project
    from pipelines.report import Report

WIDTH = 80


def say(text: str, *, same_line: bool = False, last: bool = True) -> None:
    """Write progress to stderr; what is not printable, such as a terminal code in a site's words, is left out.

    Args:
        text: one or more lines.
        same_line: overwrite the line before, where stderr is a terminal; elsewhere only the last such line is written.
        last: this is the last of the lines that overwrite each other.
    """
    safe = "".join(character for character in text if character.isprintable() or character == "\n")
    overwrite = same_line and sys.stderr.isatty()
    if same_line and not overwrite and not last:
        return
    sys.stderr.write(("\r" if overwrite else "") + safe + ("" if overwrite and not last else "\n"))
    sys.stderr.flush()


def echo(text: str) -> None:
    """Write one line of a result to stdout."""
    sys.stdout.write(text + "\n")


def print_document(document: dict[str, Any], as_json: bool, show: Callable[[], None]) -> None:
    """Print a result: one JSON document with a `schema_version`, or what `show` prints for people."""
    if as_json:
        echo(json.dumps({"schema_version": 1, **document}, ensure_ascii=False, default=str, indent=2))
    else:
        show()


def say_outcome(number: int, planned: int, outcome: SourceOutcome) -> None:
    """Tell on stderr what one source brought."""
    health = outcome.health
    said = f"{health.status}{'' if health.reason == 'none' else ': ' + health.reason.replace('_', ' ')}"
    counts = f"{health.item_count} items, {outcome.added_count} new"
    say(f"[{number:>2}/{planned}] {health.source_id:<25} {counts:<21} {said}")
    if health.status in ("failed", "partial") and health.detail:
        say("\n".join(wrap(health.detail, WIDTH, initial_indent="        ", subsequent_indent="        ")))


def print_summary(city: City, finished: Report, found: Project, result: dict[str, Any] | None = None) -> None:
    """Print what a report counts and where it is; with `result`, also what the run added."""
    totals = finished.totals
    if totals["synthetic"]:
        echo("SYNTHETIC DATA: invented messages, for trying out and checking the program.")
    echo(f"report          {totals['report_id'][:12]}  seen until {finished.seen_until.astimezone(city.zone).isoformat()}")
    counted, collected = totals["manifestation_count"], totals["collected_count"]
    echo(f"manifestations  {counted} counted of {collected} items ({totals['channel']})")
    echo(
        f"distinct texts  {totals['distinct_text_count']}   voices {totals['voice_count']}   unsigned {totals['unsigned_count']}"
    )
    echo(f"sources         {totals['source_alive_count']} alive of {totals['source_planned_count']}")
    if result:
        added = f"{result['manifestations_added']} items (any date, every channel)"
        echo(f"new             {added}, {result['annotations_added']} annotations")
        for line in (result.get("evaluation") or {}).get("lines", []):
            echo(line)
    echo(f"tables          {near(found.warehouse)}")
    echo(f"page            {near(finished.path)}")


def print_check(result: dict[str, Any]) -> None:
    """Print what a source's front door answered."""
    echo(f"{result['status']:<8} {result['id']}")
    for line in wrap(result["said"], WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9):
        echo(line)


def print_findings(findings: list[dict[str, Any]]) -> None:
    """Print what a diagnosis found."""
    for finding in findings:
        text = f"{'ok ' if finding['ok'] else 'NOT'} {finding['what']}: {finding['said']}"
        for line in wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False):
            echo(line)


def near(path: Path) -> str:
    """Return a path as seen from the current folder where it lies below it, else whole."""
    here = Path.cwd()
    return os.fspath(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)
