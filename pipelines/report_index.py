"""The index of all reports of all cities: one page in `data/reports` that is read without a server, a script or a connection.

A small script of its own searches it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

from collectors.period import Period
from collectors.spool import write_whole
from collectors.yaml_errors import ConfigurationError
from pipelines.project import Project, ProjectError
from pipelines.reports.exporting import ENDINGS
from pipelines.reports.formats import Formats, Wording, load_wording
from pipelines.reports.rendering import LANGUAGES, REPORTS
from pipelines.reports.templates import open_templates
from pipelines.runs import NothingToReport
from pipelines.warehouse import QUERIES, Warehouse

TEMPLATES = Path(__file__).with_name("templates")
INDEX = "index.html"

_LOCALE, _ZONE = "es_PE", "America/Lima"
"""How dates are written of a city whose file is gone, and numbers of all cities together."""


@dataclass(frozen=True)
class Link:
    """A file of a report."""

    href: str
    """Relative to the index, quoted."""

    kind: str
    """The ending of the file's name, or `folder`."""

    language: str


@dataclass(frozen=True)
class Entry:
    """A report as the index lists it."""

    report_id: str
    city: str
    year: int
    window: str
    seen_until: str
    count: str
    words: str
    """What the search finds it by, folded."""

    row: Mapping[str, Any]
    links: tuple[Link, ...]


def write_index(warehouse: Warehouse, project: Project, *, language: str = "es") -> Path:
    """Write the index of what stands in `data/reports` and return its path; the same reports and files give the same bytes."""
    wording = load_wording(REPORTS / "wording" / language)
    rows = warehouse.rows((QUERIES / "reports_made.sql").read_text(encoding="utf-8"))
    places = {city_id: _place(project, city_id, wording, language) for city_id in sorted({row["city"] for row in rows})}
    stems = _stems()
    entries = []
    for row in rows:
        name, formats = places[row["city"]]
        entry = _entry(project, row, name, formats, stems)
        entries += [entry] if entry.links else []
    path = project.reports / INDEX
    project.reports.mkdir(parents=True, exist_ok=True)
    formats = Formats(LANGUAGES[language] or _LOCALE, ZoneInfo(_ZONE), wording)
    write_whole(path, render_index(entries, formats).encode())
    return path


def render_index(entries: Sequence[Entry], formats: Formats) -> str:
    """Render the index: reports by city and year, the newest first."""
    environment = open_templates(TEMPLATES)
    script = (TEMPLATES / "report_index.js").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ordered = sorted(entries, key=lambda entry: (entry.city.casefold(), entry.city))
    cities = [(name, _by_year(list(group))) for name, group in groupby(ordered, key=lambda entry: entry.city)]
    return environment.get_template("report_index.html.jinja").render(
        cities=cities,
        say=formats.say,
        counted=formats.counted,
        locale=formats.locale,
        total=len(entries),
        script=Markup(script),  # noqa: S704  our own file
        script_digest=digest,
        style=Markup((TEMPLATES / "report_index.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
    )


def find_page(project: Project, city_id: str | None = None) -> Path:
    """Return the newest page of a city, or of all: the one whose window ends last; of equals the shortest, in Spanish first.

    Raises:
        ProjectError: if the project has no such city.
        NothingToReport: if there is no page yet.
    """
    if city_id is not None:
        project.city_file(city_id)
    names = [f"{stem}.html" for stem, language in _stems().items() if language in LANGUAGES]
    pages = [page for page in sorted(project.reports.glob(f"{city_id or '*'}/*_*/*.html")) if page.name in names]
    if not pages:
        wanted = city_id or "any city"
        raise NothingToReport(f"no report of {wanted} in {project.reports}; make one with `escucha run CITY --from DAY`")
    return max(pages, key=lambda page: (page.parent.name.split("_")[::-1], -names.index(page.name)))


def _stems() -> dict[str, str]:
    """Return what names of files begin with -> the language of such files, Spanish first."""
    stems: dict[str, str] = {}
    for language in LANGUAGES:
        say = load_wording(REPORTS / "wording" / language)
        stems |= {str(say(f"file.{kind}")): language for kind in ENDINGS}
    return stems


def _by_year(entries: list[Entry]) -> list[tuple[int, list[Entry]]]:
    ordered = sorted(
        entries, key=lambda entry: (entry.row["period_end"], entry.row["period_start"], entry.row["report_number"]), reverse=True
    )
    return [(year, list(group)) for year, group in groupby(ordered, key=lambda entry: entry.year)]


def _place(project: Project, city_id: str, wording: Wording, language: str) -> tuple[str, Formats]:
    """Return a city's name and how its dates are written; its id alone if its file is gone or broken."""
    try:
        city = project.load_city(city_id)
    except (ProjectError, ConfigurationError):
        return city_id, Formats(LANGUAGES[language] or _LOCALE, ZoneInfo(_ZONE), wording)
    return city.name, Formats(LANGUAGES[language] or city.locale, city.zone, wording)


def _entry(project: Project, row: Mapping[str, Any], name: str, formats: Formats, stems: Mapping[str, str]) -> Entry:
    zone = formats.zone
    period = Period(row["period_start"].astimezone(zone), row["period_end"].astimezone(zone), zone)
    folder = project.reports / row["city"] / period.slug()
    return Entry(
        report_id=row["report_id"],
        city=name,
        year=period.last_date.year,
        window=formats.window(period),
        seen_until=formats.instant(row["seen_until"]),
        count=formats.number(row["manifestation_count"]),
        words=fold(" ".join([name, formats.window(period), row["report_id"], *_names(period, formats)])),
        row=row,
        links=tuple(_links(project, folder, row["report_id"][:12], stems)),
    )


def _names(period: Period, formats: Formats) -> list[str]:
    """Return what else people may call a window: its file name, its week, month or quarter, and the months that it touches."""
    first = period.first_date
    week = first.isocalendar()
    calendar = {
        "week": f"{week.year}-W{week.week:02}",
        "month": f"{first:%Y-%m}",
        "quarter": f"{first.year}-Q{(first.month + 2) // 3}",
    }
    months = sorted({day.replace(day=1) for day in period.days()})
    return [period.slug(), *(calendar[kind] for kind in calendar if kind == period.kind), *map(formats.month, months)]


def fold(text: str) -> str:
    """Fold a text as the script folds what is searched: no accents, small letters."""
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text)).lower()


def _links(project: Project, folder: Path, mark: str, stems: Mapping[str, str]) -> list[Link]:
    """Return the files of a folder that bear a report's mark in their names: pages first, then by language and kind."""
    links = []
    for path in folder.glob(f"*-{mark}*"):
        href = "/".join(quote(part) for part in path.relative_to(project.reports).parts)
        kind = "folder" if path.is_dir() else path.suffix.removeprefix(".")
        links.append(Link(href, kind, stems.get(path.name.partition(f"-{mark}")[0], next(iter(LANGUAGES)))))
    return sorted(links, key=lambda link: (list(LANGUAGES).index(link.language), link.kind != "html", link.kind, link.href))
