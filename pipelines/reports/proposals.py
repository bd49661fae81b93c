"""Proposals: the clusters that no category took, as a file that a person completes into categories of the city's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from collectors.catalog import PENDING, City
from collectors.spool import write_whole
from models.taxonomy import OTHER, Taxonomy
from pipelines.reports.formats import Formats, load_wording
from pipelines.warehouse import Warehouse

FILE_NAME = "categorias-propuestas.yml"

EXAMPLES = 5
"""Messages that a category of the city's own needs at least; they are written for it, never copied from anybody."""

_WORDING = Path(__file__).with_name("wording") / "es"


def write_proposals(warehouse: Warehouse, report_id: str, city: City, taxonomy: Taxonomy, folder: Path) -> Path | None:
    """Write the clusters of a report beside its page and return the path; without any, remove what an earlier report left."""
    path = folder / FILE_NAME
    rows = warehouse.rows(
        "select * from report_emerging where report_id = $id order by channel <> 'online', channel, cluster_number",
        {"id": report_id},
    )
    if not rows:
        path.unlink(missing_ok=True)
        return None
    write_whole(path, render_proposals(rows, report_id, city, taxonomy).encode())
    return path


def render_proposals(rows: list[dict[str, Any]], report_id: str, city: City, taxonomy: Taxonomy) -> str:
    """Return the file: `data/taxonomies/CITY.yml` with every name, definition and example still to be written by a person.

    Args:
        rows: of `report_emerging`.
        report_id: whose.
        city: whose zone and locale, for the days of the evidence.
        taxonomy: the one that the file would add to.
    """
    formats = Formats(city.locale, city.zone, load_wording(_WORDING))
    lines = _comment(str(formats.say("proposals.head", city=city.id)))
    lines += [f"version: {PENDING}", f"base: {json.dumps(taxonomy.version)}", "add:"]
    for number, row in enumerate(rows, start=1):
        lines += _entry(number, row, report_id, formats)
    return "\n".join(lines) + "\n"


def _entry(number: int, row: Mapping[str, Any], report_id: str, formats: Formats) -> list[str]:
    evidence = formats.say(
        "proposals.evidence",
        report=report_id[:12],
        count=formats.number(row["manifestation_count"]),
        persons=formats.number(row["person_count"]),
        sources=formats.number(row["source_count"]),
        first=formats.long_day(row["first_day"]),
        last=formats.long_day(row["last_day"]),
    )
    examples = [str(formats.say("proposals.example", number=place)) for place in range(1, EXAMPLES + 1)]
    fields = ("label_es", "label_en", "definition_es", "definition_en")
    return [
        *_comment(f"{formats.say('channel.' + row['channel'])}. {evidence}", indent="  "),
        f"  - id: pendiente_{number}",
        *(f"    {name}: {PENDING}" for name in fields),
        f"    from: {OTHER}",
        f"    keywords: {json.dumps(row['words'], ensure_ascii=False)}",
        "    examples:",
        *(f"      - {json.dumps(example, ensure_ascii=False)}" for example in examples),
    ]


def _comment(text: str, *, indent: str = "") -> list[str]:
    return wrap(text, 110, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
