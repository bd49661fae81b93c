"""What the command line prints: progress on stderr, results on stdout, words from outside as plain text, 80 columns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collectors.catalog import City
    from pipelines.append import SourceOutcome
    from pipelines.project import Project
    from pipelines.report import Report
    from pipelines.source_search import Search

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


def echo_field(name: str, text: str) -> None:
    """Write a result's name and what it is, on more lines where one is too short; no id is cut in two."""
    head, below = f"{name:<16}", " " * 16
    for line in wrap(text, WIDTH, initial_indent=head, subsequent_indent=below, break_on_hyphens=False, break_long_words=False):
        echo(line)


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
    details = [health.detail] if health.status in ("failed", "partial") or health.reason == "quarantined" else []
    for detail in filter(None, (*details, outcome.watch.told())):
        say("\n".join(wrap(detail, WIDTH, initial_indent="        ", subsequent_indent="        ")))


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
    for row in finished.alerts:
        echo(f"alert           {_told_alert(row)}")
    outcomes = result["outcomes"] if result else []
    for source_id, why in {**finished.troubled_sources, **_troubled(outcomes)}.items():
        echo_field("partial", f"{source_id}: {why.replace('_', ' ')}")
    if result:
        added = f"{result['manifestations_added']} items (any date, every channel)"
        echo(f"new             {added}, {result['annotations_added']} annotations")
        for line in (result.get("evaluation") or {}).get("lines", []):
            echo(line)
    echo(f"tables          {near(found.warehouse)}")
    echo(f"page            {near(finished.path)}")


def _told_alert(row: Mapping[str, Any]) -> str:
    """Return what a row of `report_alert` says."""
    beyond = "more" if row["direction"] == "up" else "fewer"
    days = f"{row['first_day']} to {row['last_day']}"
    expected = f"{row['expected_low']} to {row['expected_high']}"
    return f"{row['measure']} {row['key']}, {days}: {row['item_count']} voices, {beyond} than the {expected} explained"


def _troubled(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return, for each source that makes a run partial, its id and why."""
    named = {}
    for row in rows:
        broken = row["status"] in ("failed", "partial") or row["reason"] == "quarantined"
        if broken or row["watch"]["verdict"] in ("quiet", "degraded", "drift"):
            named[row["source_id"]] = row["reason"] if broken else row["watch"]["verdict"]
    return named


def print_check(result: dict[str, Any]) -> None:
    """Print what a source's front door answered."""
    echo(f"{result['status']:<8} {result['id']}")
    sentences = [result["said"], *(result[name]["said"] for name in ("since", "reach", "monthly") if result.get(name))]
    for sentence in sentences:
        for line in wrap(sentence, WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 11):
            echo(line)


def print_search(search: Search) -> None:
    """Print what a look at an address found, which door was chosen and why, and what a person still has to do."""
    _print_list("looked at", search.look.visits)
    _print_list("seen besides", search.look.remarks)
    if search.look.moved_from:
        _print_list("moved", [f"{search.look.moved_from} leads to another host; proposed is {search.look.url}"])
    _print_list("doors", [f"{one.door.platform}: {'; '.join(one.door.evidence)}. Trial: {one.said}" for one in search.tried])
    _print_list("same site", [f"the city already listens there as {', '.join(search.neighbours)}"] if search.neighbours else [])
    if search.chosen is None:
        _print_list("not added", [search.reason])
        return
    source = search.chosen.source
    told = [f"`{source.platform}` at {source.url}: the best door that opened"]
    if search.chosen.status == "not_tried":
        told = [f"`{source.platform}` at {source.url}: nothing else there tells people's messages; not tried yet"]
    elif not search.chosen.message_count:
        told.append("it brought context only (articles, notices), of which nothing is counted")
    _print_list(
        "chosen", told + [search.chosen.pace[name]["said"] for name in ("reach", "monthly") if search.chosen.pace.get(name)]
    )
    echo("")
    echo(search.chosen.entry.rstrip())
    echo("")
    to_do = [*search.chosen.door.needs, f"fill in {', '.join(source.pending)}", "check publisher and expect, which are guesses"]
    _print_list("to do", [*to_do, "read the site's terms; once it is approved, write `enabled: true`"])
    _print_list("written" if search.written else "not written", [near(search.written) if search.written else "--dry-run"])


def _print_list(title: str, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        head = f"{title if number == 0 else '':<13}"
        safe = "".join(character for character in line if character.isprintable())
        for written in wrap(safe, WIDTH, initial_indent=head, subsequent_indent=" " * 15, break_on_hyphens=False):
            echo(written)


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
