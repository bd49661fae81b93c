"""The commands `escucha actions ...`: the form of recommendations that an office fills in and signs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import echo, near, print_document
from pipelines.options import AsJson, ProjectDir

if TYPE_CHECKING:
    from collectors.catalog import City
    from collectors.period import Period
    from pipelines.project import Project

actions_app = typer.Typer(help="Recommendations that rest on a report.", no_args_is_help=True, rich_markup_mode=None)

CityName = Annotated[str, typer.Argument(metavar="CITY", help="A city of the project.")]
From = Annotated[str, typer.Option("--from", metavar="DAY", help="First day: 2021-04-01, 2021-04, 2021-W14, 2021-Q2 ...")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, inclusive.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(actions_app, name="actions")


@actions_app.callback()
def actions() -> None:
    """Recommendations that rest on a report."""


@actions_app.command("new")
def new(city: CityName, start: From, end: To = None, as_json: AsJson = False, project: ProjectDir = None) -> int:
    """Write the form of a window, the findings of its report filled in and the rest PENDIENTE."""
    from pipelines.project import ProjectError
    from pipelines.reports.action_form import new_form
    from pipelines.taxonomies import load_city_taxonomy
    from pipelines.warehouse import open_alone

    found, loaded, period = _window(city, start, end, project)
    if not found.warehouse.is_file():
        raise ProjectError(f"there is no warehouse yet in {found.root}; run a window first")
    with open_alone(found.warehouse) as warehouse:
        path = new_form(warehouse, found, loaded, period, load_city_taxonomy(found, loaded.id))
    print_document({"path": str(path)}, as_json, lambda: echo(near(path)))
    return 0


@actions_app.command("check")
def check(city: CityName, start: From, end: To = None, as_json: AsJson = False, project: ProjectDir = None) -> int:
    """Check the form of a window, and tell how many recommendations the report would print."""
    from pipelines.reports.actions import actions_folder, list_reports, load_form
    from pipelines.taxonomies import load_city_taxonomy
    from pipelines.warehouse import open_alone

    found, loaded, period = _window(city, start, end, project)
    path = actions_folder(found, loaded.id) / f"{period.slug()}.yml"
    reports: list[str] = []
    if found.warehouse.is_file():
        with open_alone(found.warehouse) as warehouse:
            reports = list_reports(warehouse, loaded, period)
    form = load_form(path, load_city_taxonomy(found, loaded.id), reports)
    counts = {"actions": len(form.actions), "printed": len(form.signed), "signed_by": form.signed_by}
    told = f"{len(form.signed)} of {len(form.actions)} recommendations are filled in and signed; signed by: {form.signed_by}"
    print_document({"path": str(path), **counts}, as_json, lambda: echo(told))
    return 0


def _window(city: str, start: str, end: str | None, project: Path | None) -> tuple[Project, City, Period]:
    from collectors.period import parse_period
    from pipelines.project import find_project

    found = find_project(project)
    loaded = found.load_city(city)
    return found, loaded, parse_period(start, end, loaded.zone, datetime.now(UTC).astimezone(loaded.zone).date())
