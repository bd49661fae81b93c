"""The minutes of the month's workshops: rows written by hand to documents on the project's template, and their truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from collectors.items import manifestation_id
from collectors.minutes import Column, load_template
from pipelines.minutes_template import FilledMinutes, render_docx, render_odt
from pipelines.pilot.cores import load_rows
from pipelines.pilot.plan import Session, Workshops
from pipelines.pilot.publishing import Truth

RENDER = {"docx": render_docx, "odt": render_odt}
"""Suffix of the file -> what writes it."""

COLUMNS: Mapping[Column, str] = {"table": "mesa", "role": "rol", "theme": "tema", "text": "texto", "agreement": "acuerdo"}
"""Column of the template -> that of the tables written by hand."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Minutes:
    """The document of one session and what is planted in it."""

    file: str
    document: bytes
    truth: tuple[Truth, ...]


def write_minutes(workshops: Workshops, folder: Path) -> Iterator[Minutes]:
    """Write the document of every session.

    Args:
        workshops: the plan of them.
        folder: holds one table for each session, with the columns of the template (`mesa`, `rol`, `tema`, `texto`, `acuerdo`)
            and the labels of what was said.

    Raises:
        CoresError: if a line has not as many columns as the heading.
    """
    for session in workshops.sessions:
        stem, _, suffix = session.file.rpartition(".")
        rows = [row for _, row in load_rows(folder / f"{stem}.tsv")]
        document = RENDER[suffix](load_template(), _filled(session, workshops.consent, rows))
        yield Minutes(session.file, document, tuple(_truth(rows, stem, workshops.source)))


def _filled(session: Session, consent: str, rows: list[Row]) -> FilledMinutes:
    cells = [{column: row[name] for column, name in COLUMNS.items()} for row in rows]
    return FilledMinutes({"date": session.date, "place": session.place, "consent": consent}, cells)


def _truth(rows: list[Row], stem: str, source_id: str) -> Iterator[Truth]:
    """Yield what each row says, known by its place at its table, and the agreement on it, which is the institution's word."""
    places: Counter[str] = Counter()
    for number, row in enumerate(rows, start=2):
        places[row["mesa"]] += 1
        native, core = f"{stem}:{row['mesa']}:{places[row['mesa']]}", f"workshops/{stem}/{number}"
        yield _item(row, source_id, native, core, reason="")
        if row["acuerdo"]:
            yield _item({}, source_id, f"{native}:acuerdo:1", core, reason="official")


def _item(labels: Row, source_id: str, native: str, core: str, *, reason: str) -> Truth:
    return Truth(
        manifestation_id=manifestation_id(source_id, native, None, ""),
        source_id=source_id,
        native_id=native,
        counted=not reason,
        reason=reason,
        channel="in_person",
        category=labels.get("category", ""),
        issue=labels.get("issue", ""),
        sentiment=labels.get("sentiment", ""),
        intent=labels.get("intent", ""),
        target=labels.get("target", ""),
        core=core,
        versions=1,
    )
