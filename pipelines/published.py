"""The published copy of the warehouse, for notebooks: read-only, without author keys, one DataFrame for each report table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from collectors.period import Period, parse_period
from pipelines.project import Project, ProjectError, find_project
from pipelines.warehouse import QUERIES, open_read_only

WINDOW = ("report_id", "city", "period_start", "period_end")


def open_published(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open the published copy to read; times are in UTC, nothing outside its folder can be reached.

    Args:
        path: the copy; by default the one of the project (ESCUCHA_PROJECT, or the nearest folder with `data/cities`).

    Raises:
        ProjectError: if there is no copy, or no project.
    """
    chosen = path if path is not None else find_project(None).published
    if not chosen.is_file():
        raise ProjectError(f"there is no published copy at {chosen}; make it with `escucha publish`")
    return open_read_only(chosen).connection


def report_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the report tables of a copy, sorted: every table that has a `report_id`."""
    sql = "select distinct table_name from duckdb_columns() where column_name = 'report_id' and not internal order by 1"
    return [name for (name,) in connection.execute(sql).fetchall()]


def read_report(name: str, *, city: str | None = None, period: str | None = None, report_id: str | None = None) -> pd.DataFrame:
    """Read one report table of the project's published copy.

    Without a choice, the rows of the newest report (the latest `seen_until`; of equals the one made last; none on some of the
    sources alone) of every city and window. The first columns are `report_id`, `city`, `period_start` and `period_end` (UTC
    instants, the end exclusive); the others are those of the table as `pipelines/schema/003_report.sql` documents them.
    `*_share` is in [0, 1]; `corrected` false means as the models read it, with their errors.

    Args:
        name: a report table, such as "report_category".
        city: only this city.
        period: only this window: "2021-04", "2021-W14", "2021-Q2", "2021-04-05", or "2021-04-05/2021-04-12" (both days inside).
        report_id: this report, newest or not; its first characters do.

    Raises:
        ProjectError: if there is no published copy, or the copy has a city that the project no longer has.
        PeriodError: if the period cannot be understood.
        ValueError: if there is no such table or no such report; the message lists those that exist.
    """
    project = find_project(None)
    with open_published(project.published) as connection:
        tables = report_tables(connection)
        if name not in tables:
            raise ValueError(f"no report table is called {name!r}; available: {', '.join(tables)}")
        known = _frame(connection.sql(_sql("newest_reports"))) if report_id is None else _named(connection, report_id)
        chosen = known if city is None else known[known["city"] == city]
        chosen = chosen if period is None else chosen[_within(project, chosen, period)]
        if chosen.empty:
            raise ValueError(_no_such_report(known, city, period, report_id))
        return _join_window(_frame(connection.table(name)), chosen)


def _named(connection: duckdb.DuckDBPyConnection, report_id: str) -> pd.DataFrame:
    found = _frame(connection.sql(_sql("reports_by_id"), params={"report_id": report_id}))
    if len(found) > 1:
        raise ValueError(f"{report_id!r} begins several reports: {', '.join(found['report_id'])}; write more of it")
    return found


def _within(project: Project, reports: pd.DataFrame, period: str) -> list[bool]:
    """Tell for each report whether its window is the one meant, in the zone of its own city."""
    windows = {name: _parse(project, name, period) for name in reports["city"].unique()}
    meant = {name: (window.start_utc, window.end_utc) for name, window in windows.items()}
    return [(row.period_start, row.period_end) == meant[row.city] for row in reports.itertuples()]


def _parse(project: Project, city: str, period: str) -> Period:
    zone = project.load_city(city).zone
    first, _, last = period.partition("/")
    return parse_period(first, last or None, zone, datetime.now(UTC).astimezone(zone).date())


def _no_such_report(known: pd.DataFrame, city: str | None, period: str | None, report_id: str | None) -> str:
    asked = ", ".join(f"{key} {value!r}" for key, value in (("city", city), ("period", period), ("id", report_id)) if value)
    if known.empty and report_id is None:
        return "the published copy has no report yet; make one with `escucha run CITY --from DAY`"
    listed = ", ".join(f"{row.city} {row.period_start:%Y-%m-%d}/{row.period_end:%Y-%m-%d}" for row in known.itertuples())
    return f"no report of {asked}; available (UTC, end exclusive): {listed or 'none with that id'}"


def _join_window(rows: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Put city and window in front; keep the table's own order within each report."""
    others = [column for column in rows.columns if column not in WINDOW]
    return chosen[list(WINDOW)].merge(rows[["report_id", *others]], on="report_id").reset_index(drop=True)


def _frame(relation: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """Return a relation as a DataFrame; by way of Arrow, which keeps instants aware and needs no deprecated call of pandas."""
    frame: pd.DataFrame = relation.to_arrow_table().to_pandas(date_as_object=False)
    return frame


def _sql(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
