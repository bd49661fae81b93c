"""From report tables to the page: one self-contained HTML document made of sections, each one query file and one template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from collectors.catalog import City
from collectors.period import Period
from models.taxonomy import Taxonomy
from pipelines.reports.charts import draw_days
from pipelines.reports.estimation import LEAST_POSITIVES
from pipelines.reports.formats import MIN_BASE, RESERVED, Formats, Reserved, clean, css_string, load_wording
from pipelines.reports.masking import masked
from pipelines.reports.templates import open_templates
from pipelines.reports.zone_map import draw_zones
from pipelines.warehouse import Warehouse

REPORTS = Path(__file__).parent
"""Where the page template, its style, its wording and the folder of sections stand."""

MAIN_CHANNEL = "online"
"""The channel that the page is about; where a city lacks it, the first of its channels. Others stand beside it."""

_QUERY_NAME = re.compile(r"^-- name: ([a-z_]+)\s*$", re.MULTILINE)
_PARAMETER = re.compile(r"\$([a-z_]+)")

LANGUAGES: Mapping[str, str | None] = {"es": None, "en": "en_GB"}
"""Language of a page -> how it writes numbers and dates; None: as the city's file says. Its words stand in wording/."""

Rows = list[dict[str, Any]]


class SectionError(ValueError):
    """A section's files are not what the page expects."""


@dataclass(frozen=True)
class Section:
    """A section as the page shows it."""

    name: str
    """The file's name without its number; the anchor in the page."""

    title: str
    body: Markup


def render_page(
    warehouse: Warehouse,
    report_id: str,
    city: City,
    period: Period,
    taxonomy: Taxonomy,
    *,
    folder: Path = REPORTS,
    language: str = "es",
) -> str:
    """Render the page of a report: the same rows, city and taxonomy give the same bytes.

    Args:
        warehouse: where the report tables are.
        report_id: whose rows.
        city: its name, zone, locale and published figures.
        period: the report's window.
        taxonomy: the labels of categories and issues.
        folder: page.html.jinja, parts.html.jinja, style.css, wording/ and sections/.
        language: a key of LANGUAGES; what sources and the city's file say stays as it is.

    Raises:
        ValueError: if the report does not exist, or a row names a category that the taxonomy lacks.
        SectionError: if a section lacks its template, its title or a query's name.
        WordingError: if the wording lacks a message that a row needs.
    """
    totals = _main_totals(warehouse, report_id)
    formats = load_formats(city, language, folder=folder)
    environment = build_environment(folder, formats, taxonomy, language=language)
    environment.globals.update(city=city, period=period, totals=totals)
    parameters = section_parameters(city, totals)
    files = sorted((folder / "sections").glob("[0-9]*.sql"))
    with masked(warehouse, "internal"):
        rendered = [render_section(environment, warehouse, file, parameters) for file in files]
    style = Markup((folder / "style.css").read_text(encoding="utf-8"))  # noqa: S704  our own file
    sections = [section for section in rendered if section is not None]
    return environment.get_template("page.html.jinja").render(sections=sections, style=style)


def load_formats(city: City, language: str, *, folder: Path = REPORTS) -> Formats:
    """Return how a city's reports are written in a language: its locale, the city's zone, and the messages.

    Raises:
        ValueError: if there is no such language.
        WordingError: if two files of the wording hold the same group.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: available: {', '.join(LANGUAGES)}")
    return Formats(LANGUAGES[language] or city.locale, city.zone, load_wording(folder / "wording" / language))


def build_environment(folder: Path, formats: Formats, taxonomy: Taxonomy, *, language: str = "es") -> Environment:
    """Return the Jinja environment of the page: everything printed is cleaned and escaped, and nothing absent is printed."""
    environment = open_templates(folder, finalize=_finalize)
    environment.filters.update(
        number=formats.number,
        coefficient=formats.coefficient,
        counted=formats.counted,
        in_words=formats.in_words,
        points=formats.points,
        decimal=formats.decimal,
        long_day=formats.long_day,
        short_day=formats.short_day,
        weekday_day=formats.weekday_day,
        instant=formats.instant,
        window=formats.window,
        window_between=formats.window_between,
        month=formats.month,
        days_to=formats.days_to,
        css_string=css_string,
    )
    environment.tests["reserved"] = lambda value: isinstance(value, Reserved)
    environment.globals.update(
        say=formats.say,
        share_text=formats.share,
        whole_share=formats.whole_share,
        interval=formats.interval,
        label=taxonomy.label_en if language == "en" else taxonomy.label_es,
        locale=formats.locale,
        MIN_BASE=MIN_BASE,
        LEAST_POSITIVES=LEAST_POSITIVES,
        day_chart=partial(draw_days, formats=formats),
        zone_map=partial(draw_zones, formats=formats),
    )
    return environment


def section_parameters(city: City, totals: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a section's queries may name: $report_id, $channel, $timezone, $min_base, and the city's published figures."""
    published = city.published
    return {
        "report_id": totals["report_id"],
        "channel": totals["channel"],
        "timezone": city.timezone,
        "min_base": MIN_BASE,
        "published_first": published.first if published else None,
        "published_last": published.last if published else None,
        "figures": [figure.model_dump() for figure in published.figures] if published else [],
    }


def render_section(environment: Environment, warehouse: Warehouse, file: Path, parameters: Mapping[str, Any]) -> Section | None:
    """Run a section's queries and render its template with the rows of each under the query's name.

    None if the section has a query named `applies` that returns no row: then it has no place in this report.

    Raises:
        SectionError: if there is no template beside the queries, or it sets no `title`.
    """
    template = file.with_suffix(".html.jinja")
    if not template.is_file():
        raise SectionError(f"sections/{file.name} has no template: add sections/{template.name}")
    queries = parse_queries(file.read_text(encoding="utf-8"), file.name)
    applies = queries.pop("applies", None)
    if applies is not None and not _select(warehouse, applies, parameters):
        return None
    rows = {name: _select(warehouse, sql, parameters) for name, sql in queries.items()}
    module = environment.get_template(f"sections/{template.name}").make_module(rows)
    title = getattr(module, "title", None)
    if title is None:
        raise SectionError(f'sections/{template.name} sets no title: begin it with {{% set title = "..." %}}')
    title = title.unescape() if isinstance(title, Markup) else str(title)
    return Section(file.stem.partition("_")[2], title, Markup(str(module)))  # noqa: S704  rendered with autoescape


def parse_queries(text: str, file_name: str) -> dict[str, str]:
    """Split a section's SQL at its `-- name: ...` lines into name -> query; a file without such lines is one query, `rows`.

    Raises:
        SectionError: if a name occurs twice, or the file does not open with a comment that tells its grain.
    """
    if not text.startswith("-- "):
        raise SectionError(f"sections/{file_name} must open with a comment: a sentence and the grain")
    parts = _QUERY_NAME.split(text)
    if len(parts) == 1:
        return {"rows": text}
    names = parts[1::2]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SectionError(f"sections/{file_name} names {', '.join(repeated)} twice: every query needs a name of its own")
    return dict(zip(names, parts[2::2], strict=True))


def _main_totals(warehouse: Warehouse, report_id: str) -> dict[str, Any]:
    rows = warehouse.rows("select * from report where report_id = $report_id order by channel", {"report_id": report_id})
    if not rows:
        raise ValueError(f"there is no report {report_id!r} in the warehouse: build its tables first")
    return next((row for row in rows if row["channel"] == MAIN_CHANNEL), rows[0])


def _select(warehouse: Warehouse, sql: str, parameters: Mapping[str, Any]) -> Rows:
    named = set(_PARAMETER.findall(sql))
    rows = warehouse.rows(sql, {name: value for name, value in parameters.items() if name in named})
    return [{name: _told(name, value) for name, value in row.items()} for row in rows]


def _told(name: str, value: Any) -> Any:
    """Put the word for what is not told in the place of a count that is null; other absent values stay absent."""
    return RESERVED if value is None and (name.endswith("_count") or name in ("base", "most")) else value


def _finalize(value: object) -> object:
    """Clean what a template prints; an absent value is a mistake there, not an empty word."""
    if value is None or isinstance(value, Reserved):
        raise ValueError("a template prints an absent value: guard it with {% if ... is not none %}")
    return clean(value) if isinstance(value, str) else value
