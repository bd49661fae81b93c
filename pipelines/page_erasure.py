"""Files of reports that quote what is erased: they go before the warehouse forgets the quote, and are written anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.catalog import City
from collectors.period import Period
from pipelines.project import Project
from pipelines.report import write_files
from pipelines.reports.exporting import ExportInput, make_exports
from pipelines.reports.rendering import render_page
from pipelines.rewriting import ERASURE
from pipelines.taxonomies import load_city_taxonomy
from pipelines.warehouse import Warehouse

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])")
"""How a file or folder names its report: the first characters of the id."""


@dataclass(frozen=True)
class QuotingReport:
    """A report with a quote that goes."""

    report_id: str
    period: Period
    taxonomy_version: str
    issued: bool
    newest: bool
    """The files of the window that name no report are its own."""


def quoting_reports(warehouse: Warehouse, city: City) -> list[QuotingReport]:
    """Return the reports of a city that quote what the staged `due_item` and `excluded_item` name."""
    sql = (ERASURE / "quoting_reports.sql").read_text(encoding="utf-8")
    return [
        QuotingReport(
            report_id, Period(start.astimezone(city.zone), end.astimezone(city.zone), city.zone), version, issued, newest
        )
        for report_id, start, end, version, issued, newest in warehouse.query(sql, {"city": city.id})
    ]


def quoting_files(project: Project, city: City, reports: Sequence[QuotingReport]) -> list[Path]:
    """Return the files that may hold such a quote, in any format: those that name one of the reports, and those of the newest.

    What names another report stays, and so do files of words alone (`*.yml`).
    """
    found: set[Path] = set()
    for report in reports:
        named = report.report_id[:12]
        for path in (project.reports / city.id / report.period.slug()).rglob("*"):
            if not path.is_file() or path.suffix == ".yml":
                continue
            names = _ID.findall(path.relative_to(project.reports).as_posix())
            if named in names or (not names and (report.newest or named.encode() in path.read_bytes())):
                found.add(path)
    return sorted(found)


def rewrite_reports(
    warehouse: Warehouse, project: Project, city: City, reports: Sequence[QuotingReport], gone: Sequence[Path]
) -> int:
    """Write the reports whose files went anew, in every format, from tables that have the quote no longer; return how many.

    A report whose categories are no longer those of the city, or a look back, stays away: `escucha report` makes the window's.
    So does one in English, which `--language en` makes.
    """
    taxonomy = load_city_taxonomy(project, city.id)
    count = 0
    for report in reports:
        folder = project.reports / city.id / report.period.slug()
        had_files = any(report.report_id[:12] in path.as_posix() for path in gone)
        if not had_files or not report.issued or report.taxonomy_version != taxonomy.revision:
            continue
        page = render_page(warehouse, report.report_id, city, report.period, taxonomy)
        given = ExportInput(warehouse, report.report_id, city, report.period, taxonomy, "es", page)
        write_files(folder, report.report_id, make_exports(given), newest=report.newest)
        count += 1
    return count
