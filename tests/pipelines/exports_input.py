"""What the formats of a report are made from, for their tests: filled tables and their page, plain or with hostile words."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from collectors.catalog import City, load_city
from collectors.period import Period
from models.taxonomy import load_taxonomy
from pipelines.reports.exporting import ExportInput
from pipelines.reports.rendering import render_page
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse

ROOT = Path(__file__).resolve().parents[2]

HOSTILE = (
    '=HYPERLINK("http://mal.example";"x") +1 -1 @SUM(A1) <script>alert(1)</script> </style> &amp; {{7*7}} {% raise %} ${x} #{x} '
    '*negrita* _c_ `c` | celda | [x](http://mal.example) ![i](//mal.example/i.png) www.mal.example # T $x^2$ #panic() #eval("1") '
    "\\u{1f600} \x1b[31mrojo\x07 \u202egnp.exe\u2069 \ufffe\U0001f600 漢字 שלום"
)
"""A formula, markup of four kinds, braces, links, codes of a terminal, turned text, signs that few fonts have."""


def ate() -> City:
    """The city of the pilot."""
    return load_city(ROOT / "data" / "cities" / "ate.yml")


def renamed(city: City, name: str) -> City:
    """Return a city in which the first source's publisher and what was published bear a name."""
    source = city.sources[0]
    publisher = source.publisher.model_copy(update={"name": name})
    published = city.published.model_copy(update={"title": name, "note": name, "quotes": (name,)}) if city.published else None
    sources = (source.model_copy(update={"publisher": publisher}), *city.sources[1:])
    return city.model_copy(update={"sources": sources, "published": published})


def make_input(*, city: City | None = None, language: str = "es", troubled: bool = False, **shape: Any) -> ExportInput:
    """Return the input of the exports of a filled report.

    Args:
        city: Ate by default.
        language: of the page.
        troubled: the first source is named on the first screen.
        shape: as `filled_warehouse` takes it.
    """
    chosen, taxonomy = city or ate(), load_taxonomy()
    april = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), chosen.zone)
    warehouse = filled_warehouse(chosen, april, taxonomy, **shape)
    if troubled:
        warehouse.query("update report_source set verdict = 'drift', verdict_about = 'author' where position = 1")
    page = render_page(warehouse, REPORT_ID, chosen, april, taxonomy, language=language)
    return ExportInput(warehouse, REPORT_ID, chosen, april, taxonomy, language, page)
