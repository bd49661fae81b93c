"""The commands `escucha report ...` beside the making of a report: open the newest page, rebuild the index of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pipelines.console import echo, near, print_document, say
from pipelines.options import AsJson, LockTimeout, ProjectDir

if TYPE_CHECKING:
    from collectors.catalog import City
    from pipelines.project import Project
    from pipelines.report import Report

DEFAULT = "make"
"""The command that is meant where a city follows `escucha report` at once."""

LANGUAGES = ("es", "en")
"""Those of `pipelines.reports.rendering`, which is too heavy to be loaded for `--help`."""


def _check_language(value: str) -> str:
    if value not in LANGUAGES:
        raise typer.BadParameter(f"{value!r}; allowed: {', '.join(LANGUAGES)}")
    return value


Language = Annotated[
    str, typer.Option("--language", metavar="NAME", callback=_check_language, help="Language of the page: es or en.")
]


class ReportGroup(TyperGroup):
    """`escucha report CITY ...` is `escucha report make CITY ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before arguments that name none."""
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, args if not args or args[0] in known else [DEFAULT, *args])


report_app = typer.Typer(
    cls=ReportGroup,
    help="Make a window's report (`escucha report CITY --from DAY` is `escucha report make CITY --from DAY`), open it, list all.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@report_app.command("open")
def open_report(
    city: Annotated[str | None, typer.Argument(metavar="[CITY]", help="Only of this city.")] = None,
    print_path: Annotated[bool, typer.Option("--print-path", help="Only print where the page is.")] = False,
    project: ProjectDir = None,
) -> int:
    """Open the newest page in the browser, and print where it is."""
    import webbrowser

    from pipelines.project import find_project
    from pipelines.report_index import find_page

    page = find_page(find_project(project), city)
    echo(near(page))
    if not print_path and not webbrowser.open(page.absolute().as_uri()):
        say("no browser could be started: open that file with one")
    return 0


@report_app.command("index")
def index_reports(
    project: ProjectDir = None,
    as_json: AsJson = False,
    lock_timeout: LockTimeout = 10.0,
) -> int:
    """Write the page that lists all reports of all cities: data/reports/index.html."""
    from pipelines.project import find_project
    from pipelines.report_index import write_index
    from pipelines.runs import NothingToReport
    from pipelines.warehouse import open_warehouse

    found = find_project(project)
    if not found.warehouse.is_file():
        raise NothingToReport(f"there is no warehouse yet in {found.root}; run a window first")
    with open_warehouse(found.warehouse, lock_timeout=lock_timeout) as warehouse:
        path = write_index(warehouse, found)
    print_document({"path": str(path)}, as_json, lambda: echo(near(path)))
    return 0


def tell_deliveries(city: City, project: Project, finished: Report) -> list[dict[str, Any]]:
    """Deliver a new report to whom its city names, tell on stderr what became of it, and return that."""
    if not finished.new or not city.deliver:
        return []
    from dataclasses import asdict

    from pipelines.delivery import deliver

    outcomes = deliver(city, project, finished.path)
    for outcome in outcomes:
        say(f"delivery to {outcome.target}: {outcome.said}")
    return [asdict(outcome) for outcome in outcomes]
