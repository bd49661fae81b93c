"""A generated warehouse for `benchmarks/report.py`: one city's window always the same, before it as much history as is wanted.

The window, and the half year before it that the watch of the sources looks at, hold the same rows in every warehouse; older
months and other cities take what is left, so that one report can be built over histories of any length. Texts are sentences of
a small grammar by hashes of their place: 30 % copies with small edits of a tenth as many patterns, 5 % of one flooded text. 3 %
of the items are edited a month later, a few of them into the window and out of it; 2 % have no date; 1 % are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from collectors.period import Period
from models.settings import ModelsConfig, TaskName, TaskSettings, load_models_config, task_labels
from models.taxonomy import NO_ISSUE, load_taxonomy
from pipelines.pilot.evaluate import TruthReader
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse

CITY = "villa"
OTHERS = ("otra-1", "otra-2", "otra-3")
SOURCES = {f"foro-{number}": "online" for number in range(1, 10)} | {"mesa-de-partes": "attention_office"}
RECENT = 7
"""Months before the window that are as full as it: the watch looks at half a year, and edits move an item by a month."""

OLDER = 96
"""Months before those, over which the rest of the history is spread."""

SQL = Path(__file__).with_suffix(".sql")
"""Statements that fill one month, each under a `-- name: ...` line."""

CITY_FILE = """\
id: villa
name: Villa
country: PE
official_code: "150103"
timezone: America/Lima
contact: villa@municipio.test
synthetic: true
clock: "2021-05-03T09:00:00-05:00"
hosts: {"*.test": "127.0.0.1:9"}
defaults: {legal_basis: Prueba, approved_by: Prueba, approved_on: 2021-03-24, retention_days: 3650}
sources:
"""
SOURCE = """\
  - id: %s
    platform: feed
    channel: %s
    url: http://%s.test/feed.xml
    terms: http://foro.test/terminos
    expect: {min: 0, max: 10000000}
    publisher: {name: %s, kind: forum, official: false}
    options: {entries: manifestation}
"""


class Month(NamedTuple):
    """What one month holds of one city."""

    city: str
    back: int
    """Months before the window."""

    rows: int


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a warehouse is."""

    rows: int
    """Manifestations of all cities, each once whatever its versions."""

    window: int
    """Those of the city's window."""


def make_project(folder: Path) -> Project:
    """Write the city's file into a folder."""
    project = Project(folder)
    project.cities.mkdir(parents=True)
    sources = "".join(SOURCE % (name, channel, name, name) for name, channel in SOURCES.items())
    (project.cities / f"{CITY}.yml").write_text(CITY_FILE + sources, encoding="utf-8")
    return project


def make_readers() -> Readers:
    """Return readers of every configured task whose readings are generated."""
    taxonomy, config = load_taxonomy(), load_models_config()
    labels: dict[str, tuple[str, ...]] = {task: task_labels(task, taxonomy) for task in config.tasks}
    chosen: dict[TaskName, TaskSettings] = {
        task: TaskSettings.model_construct(annotator="generated", threshold=choice.threshold)
        for task, choice in config.tasks.items()
    }
    reader = TruthReader("1", labels, "generated")
    return Readers(taxonomy, ModelsConfig.model_construct(tasks=chosen), {"generated": reader})


def window_of(project: Project) -> Period:
    """Return the month that is reported."""
    return Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), project.load_city(CITY).zone)


def plan_months(size: Size) -> list[Month]:
    """Return what each month holds, oldest first; a history that is no longer than the window has nothing but it."""
    left = size.rows - size.window
    recent = min(size.window, left // RECENT)
    months = [Month(CITY, 0, size.window), *(Month(CITY, back, recent) for back in range(1, RECENT + 1))]
    left -= RECENT * recent
    for other in OTHERS:
        months += [Month(other, back, left // 10 // (RECENT + OLDER)) for back in range(RECENT + OLDER)]
    older = size.rows - sum(month.rows for month in months)
    months += [Month(CITY, back, (older + OLDER - 1 - place) // OLDER) for place, back in enumerate(older_months())]
    return sorted((month for month in months if month.rows > 0), key=lambda month: (-month.back, month.city))


def older_months() -> range:
    """Return how many months the older part of the history lies back."""
    return range(RECENT + 1, RECENT + OLDER + 1)


def generate(project: Project, size: Size) -> None:
    """Fill the project's warehouse."""
    with open_warehouse(project.warehouse):
        pass
    statements = dict(_statements())
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'; set checkpoint_threshold = '256MB'")
        connection.execute(statements["words"])
        _lay_out_labels(connection, statements)
        months = plan_months(size)
        for back in sorted({month.back for month in months}, reverse=True):
            _fill(connection, statements, [month for month in months if month.back == back], back)
        _fill(connection, statements, [], -1)
        connection.execute("checkpoint")


def _fill(connection: duckdb.DuckDBPyConnection, statements: dict[str, str], months: list[Month], back: int) -> None:
    """Append one month's collections: what is new, the edits of the month before, and every reading of both."""
    start, end = _edges(max(back, 0))
    observed = _edges(back)[1] + timedelta(hours=9)
    connection.execute("begin")
    ((number,),) = connection.execute("select coalesce(max(batch_number), 0) from batch").fetchall()
    connection.execute("create or replace temp table collection as select * from batch limit 0")
    connection.execute("alter table collection add column channel varchar")
    rows = {month.city: month.rows for month in months}
    lines = []
    for city in (CITY, *OTHERS):
        for place, (source, channel) in enumerate(SOURCES.items()):
            number += 1
            count = (rows.get(city, 0) + len(SOURCES) - 1 - place) // len(SOURCES)
            lines.append(
                (
                    number,
                    f"{number:016x}000000",
                    city,
                    source,
                    f"s{number}",
                    start,
                    end,
                    observed,
                    count,
                    count,
                    True,
                    False,
                    channel,
                )
            )
    marks = ", ".join(["(" + ", ".join("?" * len(lines[0])) + ")"] * len(lines))
    connection.execute(f"insert into collection values {marks}", [value for line in lines for value in line])
    for name in ("collections", "items", "edits", "rows", "texts", "readings", "absences", "health"):
        parameters: dict[str, Any] = {"back": back, "run": f"{observed.timestamp():016.0f}000000"}
        sql = statements[name]
        connection.execute(sql, {key: value for key, value in parameters.items() if f"${key}" in sql})
    connection.execute("commit")


def _edges(back: int) -> tuple[datetime, datetime]:
    """Return the first and the last instant of a month of Lima that lies so many months before the window."""
    first = 2021 * 12 + 3 - back
    edges = [datetime(at // 12, at % 12 + 1, 1, 5, tzinfo=UTC) for at in (first, first + 1)]
    return edges[0], edges[1]


def _lay_out_labels(connection: duckdb.DuckDBPyConnection, statements: Mapping[str, str]) -> None:
    readers = make_readers()
    (reader,) = readers.annotators.values()
    connection.execute("create temp table task_label (task varchar, labels varchar[], taxonomy_version varchar)")
    for task, labels in reader.tasks.items():
        connection.execute("insert into task_label values (?, ?, ?)", (task, list(labels), readers.taxonomy_version))
    connection.execute(statements["levels"])
    connection.execute("create temp table category_issue (category_id varchar, issues varchar[])")
    for category in readers.taxonomy.category_ids:
        issues = [issue for issue in reader.tasks["issue"] if issue == NO_ISSUE or issue.startswith(f"{category}.")]
        connection.execute("insert into category_issue values (?, ?)", (category, issues))


def _statements() -> Iterator[tuple[str, str]]:
    for part in SQL.read_text(encoding="utf-8").split("-- name: ")[1:]:
        name, _, sql = part.partition("\n")
        yield name.strip(), sql
