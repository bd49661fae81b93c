"""The command line. Light on purpose: each command imports what it needs when it runs, so `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.action_commands import register as register_action_commands
from pipelines.console import echo, print_check, print_document, print_findings, print_summary, say, say_outcome
from pipelines.label_commands import register as register_label_commands
from pipelines.model_commands import register as register_model_commands
from pipelines.options import AsJson, LockTimeout, Profile, ProjectDir
from pipelines.report_commands import Language, report_app, tell_deliveries
from pipelines.retention_commands import retention_app
from pipelines.taxonomy_commands import taxonomy_app

if TYPE_CHECKING:
    from collectors.catalog import City
    from collectors.period import Period
    from pipelines.append import SourceOutcome
    from pipelines.project import Project
    from pipelines.report import Report
    from pipelines.runs import Readers
    from pipelines.warehouse import Warehouse

app = typer.Typer(
    name="escucha",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 ok, 1 internal error, 2 wrong use or configuration, "
    "3 partial (a source failed or fell quiet), 4 nothing to report, 5 warehouse busy, 6 no secret, 130 interrupted.",
)
sources_app = typer.Typer(help="Look at a city's sources.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sources_app, name="sources")
app.add_typer(report_app, name="report")
app.add_typer(retention_app, name="retention")
app.add_typer(taxonomy_app, name="taxonomy")

OK, INTERNAL, USAGE, PARTIAL, NO_DATA, BUSY, PRIVACY, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

CityName = Annotated[str, typer.Argument(metavar="CITY", help="A city of the project: the name of its file in data/cities.")]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="DAY", help="First day: 2021-04-01, 2021-04, 2021-W14, 2021-Q2, ayer, semana-pasada, mes-pasado."
    ),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last day, inclusive. By default the end of what --from names.")
]
SeenUntil = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="Leave out what was first seen later, e.g. 2021-05-03T09:00:00-05:00.")
]
SourceNames = Annotated[
    list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; may be given several times.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; fetch nothing, write nothing.")]
FromArchive = Annotated[
    bool, typer.Option("--from-archive", help="Read what was archived of the window again, with today's parsers; fetch nothing.")
]
Formats = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAMES", help="Only these, with commas: html, pdf, docx, md, xlsx, open-data. Default: all."
    ),
]
ShowVersion = Annotated[bool, typer.Option("--version", help="Print the version.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: ShowVersion = False) -> None:
    """Listen to what a city's people write in public, and let anyone check what was heard."""
    if version:
        from collectors.settings import VERSION

        echo(f"escucha {VERSION}")
    elif context.invoked_subcommand is None:
        echo(context.get_help())


def main() -> None:
    """Run the command line and turn every expected failure into a plain message and its exit code."""
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else OK)
    except KeyboardInterrupt:
        sys.exit(_say_interrupted())
    except Exception as error:  # noqa: BLE001 (the one place where a failure becomes an exit code)
        sys.exit(_report_failure(error))


def _report_failure(error: Exception) -> int:
    """Print a failure on stderr and return its exit code; what was not foreseen keeps its traceback."""
    kind = type(error).__name__
    if kind == "Abort":
        return _say_interrupted()
    show = getattr(error, "show", None)  # the parser's own errors print themselves, with the usage line
    if callable(show):
        show()
        return USAGE
    if kind not in _EXIT_CODES:
        raise error
    say(str(error))
    return _EXIT_CODES[kind]


def _say_interrupted() -> int:
    say("\ninterrupted: what was complete is kept, and running again goes on from there")
    return INTERRUPTED


_EXIT_CODES = {
    "ConfigurationError": USAGE,
    "PeriodError": USAGE,
    "ProjectError": USAGE,
    "UsageProblem": USAGE,
    "NothingToReport": NO_DATA,
    "NotAnnotated": NO_DATA,
    "NothingArchived": NO_DATA,
    "DiskTooSmallError": USAGE,
    "FormatError": USAGE,
    "WarehouseBusy": BUSY,
    "WarehouseError": USAGE,
    "SecretError": PRIVACY,
    "LabelError": USAGE,
    "LemmasNotInstalledError": USAGE,
    "ModelNotInstalledError": USAGE,
    "ExtraNotInstalledError": USAGE,
    "ModelNotFoundError": USAGE,
    "ModelUnusableError": USAGE,
    "TextcatError": USAGE,
    "CrosswalkError": USAGE,
    "ArtifactError": USAGE,
    "SetError": USAGE,
    "MessageFileError": USAGE,
}
"""Errors that a user can mend, by class name (importing the classes would load what `--help` must not)."""


class UsageProblem(ValueError):
    """An option cannot be used as given."""


@app.command()
def pilot(
    project: ProjectDir = None,
    as_json: AsJson = False,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Replay the synthetic month of Ate from end to end."""
    from pipelines.project import find_project

    found = find_project(project, profile=profile)
    if not (found.pilot / "served").is_dir():
        raise UsageProblem(f"no synthetic month in {found.pilot}: run this in a clone of the repository")
    return _run_all(found, "ate", "2021-04-01", "2021-04-30", as_json=as_json, lock_timeout=lock_timeout, evaluate=True)


@app.command()
def run(
    city: CityName,
    start: From,
    end: To = None,
    seen_until: SeenUntil = None,
    source: SourceNames = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Collect, annotate and report one window of a city."""
    from pipelines.project import find_project

    found = find_project(project, profile=profile)
    if dry_run:
        return _show_plan(found, city, start, end, source or [], as_json, seen_until=seen_until)
    return _run_all(
        found, city, start, end, seen_until=seen_until, source_ids=source or [], as_json=as_json, lock_timeout=lock_timeout
    )


@app.command()
def collect(
    city: CityName,
    start: From,
    end: To = None,
    source: SourceNames = None,
    from_archive: FromArchive = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
) -> int:
    """Crawl a city's sources and store what they gave."""
    from pipelines.project import find_project

    found = find_project(project)
    if dry_run:
        return _show_plan(found, city, start, end, source or [], as_json)
    with _window(found, city, start, end, lock_timeout, source or []) as (warehouse, loaded, period):
        outcomes = _collect(warehouse, found, loaded, period, source or [], from_archive=from_archive)
    print_document({"outcomes": [_outcome_row(outcome) for outcome in outcomes]}, as_json, lambda: None)
    return _collection_code(outcomes)


@app.command()
def annotate(
    city: CityName,
    start: From,
    end: To = None,
    seen_until: SeenUntil = None,
    source: SourceNames = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Read the stored messages that no model has read."""
    from pipelines.project import find_project

    found = find_project(project, profile=profile)
    if dry_run:
        return _show_plan(found, city, start, end, source or [], as_json, seen_until=seen_until)
    instant = _parse_instant(seen_until)
    with _window(found, city, start, end, lock_timeout, source or []) as (warehouse, loaded, period):
        added = _annotate(warehouse, found, loaded, period, source or [], instant)
    print_document({"annotations_added": added}, as_json, lambda: echo(f"{added} annotations added"))
    return OK


@report_app.command("make")
def report(
    city: CityName,
    start: From,
    end: To = None,
    seen_until: SeenUntil = None,
    source: SourceNames = None,
    formats: Formats = None,
    language: Language = "es",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Build a window's tables, page and other formats, and publish the tables."""
    from pipelines.project import find_project
    from pipelines.warehouse import publish as publish_copy

    found, names = find_project(project, profile=profile), _parse_formats(formats)
    if dry_run:
        return _show_plan(found, city, start, end, source or [], as_json, seen_until=seen_until)
    instant = _parse_instant(seen_until)
    with _window(found, city, start, end, lock_timeout, source or []) as (warehouse, loaded, period):
        finished = _report(warehouse, found, loaded, period, instant, source or [], names, language)
        publish_copy(warehouse, found.published)
    print_document(_report_row(finished), as_json, lambda: print_summary(loaded, finished, found))
    return _report_code(finished)


@sources_app.command("check")
def check_sources(city: CityName, as_json: AsJson = False, project: ProjectDir = None) -> int:
    """Try the front door of each source."""
    from pipelines.checks import check_city_sources
    from pipelines.project import find_project

    found = find_project(project)
    results = list(check_city_sources(found, found.load_city(city), progress=None if as_json else print_check))
    print_document({"sources": results}, as_json, lambda: None)
    return PARTIAL if any(result["status"] == "failed" for result in results) else OK


@sources_app.command("add")
def add_source(
    city: CityName,
    url: Annotated[str, typer.Argument(metavar="URL", help="An address, or the path of a file inside the project.")],
    source_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Id of the entry; by default from the host.")
    ] = None,
    platform: Annotated[str | None, typer.Option(metavar="NAME", help="Only a door of this platform.")] = None,
    publisher: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Name of the publisher; by default the page's own.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and try, but write nothing.")] = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
) -> int:
    """Find the best door of an address and write its entry, for a person to approve."""
    from pipelines.console import print_search
    from pipelines.project import find_project
    from pipelines.source_search import add_source as search_door

    search = search_door(
        find_project(project),
        city,
        url,
        source_id=source_id,
        platform=platform,
        publisher=publisher,
        dry_run=dry_run,
        progress=say,
    )
    print_document(search.as_json(), as_json, lambda: print_search(search))
    return OK if search.chosen is not None else NO_DATA


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; may exist if it holds no project.")],
) -> int:
    """Make a project folder with a first city to fill in."""
    from pipelines.starter import make_project

    for path in make_project(directory):
        echo(str(path))
    return OK


@app.command()
def publish(project: ProjectDir = None, as_json: AsJson = False, lock_timeout: LockTimeout = 10.0) -> int:
    """Write the read-only copy for notebooks."""
    from pipelines.project import find_project
    from pipelines.warehouse import open_warehouse
    from pipelines.warehouse import publish as publish_copy

    found = find_project(project)
    if not found.warehouse.is_file():
        raise UsageProblem(f"there is no warehouse yet in {found.root}; run a window first")
    with open_warehouse(found.warehouse, lock_timeout=lock_timeout) as warehouse:
        publish_copy(warehouse, found.published)
    print_document({"path": str(found.published)}, as_json, lambda: echo(str(found.published)))
    return OK


@app.command()
def doctor(project: ProjectDir = None, as_json: AsJson = False) -> int:
    """Check that everything a run needs is in place."""
    from pipelines.doctor import diagnose
    from pipelines.project import find_project

    findings = diagnose(find_project(project))
    print_document({"findings": findings}, as_json, lambda: print_findings(findings))
    return USAGE if any(not finding["ok"] for finding in findings) else OK


register_label_commands(app)
register_model_commands(app)
register_action_commands(app)


def _run_all(
    found: Project,
    city: str,
    start: str,
    end: str | None,
    *,
    seen_until: str | None = None,
    source_ids: list[str] | None = None,
    as_json: bool,
    lock_timeout: float,
    evaluate: bool = False,
) -> int:
    from pipelines.label_commands import import_pilot
    from pipelines.warehouse import publish as publish_copy

    instant = _parse_instant(seen_until)
    with _window(found, city, start, end, lock_timeout, source_ids or []) as (warehouse, loaded, period):
        before = _count_items(warehouse)
        outcomes = _collect(warehouse, found, loaded, period, source_ids or [])
        new = _count_items(warehouse) - before
        added = _annotate(warehouse, found, loaded, period)
        labelled = import_pilot(warehouse, found, loaded, period, _readers) if evaluate else 0
        finished = _report(warehouse, found, loaded, period, instant)
        publish_copy(warehouse, found.published)
        result = {
            **_report_row(finished),
            "manifestations_added": new,
            "annotations_added": added,
            "labels_added": labelled,
            "outcomes": [_outcome_row(outcome) for outcome in outcomes],
        }
        if evaluate:
            from pipelines.pilot.evaluate import compare_with_truth

            own = _readers(found, loaded.id).taxonomy
            result["evaluation"] = compare_with_truth(warehouse, found, own, report_id=finished.report_id)
    result["deliveries"] = tell_deliveries(loaded, found, finished)
    print_document(result, as_json, lambda: print_summary(loaded, finished, found, result))
    return _report_code(finished) or (PARTIAL if _collection_code(outcomes) else OK)


@contextmanager
def _window(
    found: Project, city: str, start: str, end: str | None, lock_timeout: float, source_ids: Sequence[str] = ()
) -> Iterator[tuple[Warehouse, City, Period]]:
    """Load the city, echo the window that is meant, and open the warehouse."""
    from pipelines.warehouse import open_warehouse

    loaded, period = _load_window(found, city, start, end)
    _check_sources(loaded, source_ids)
    say(f"{loaded.name}{' (SYNTHETIC DATA)' if loaded.synthetic else ''}: {period}")
    if period.end_utc > datetime.now(UTC):
        say("this window has not ended yet: what is written later in it will be an amendment")
    with open_warehouse(found.warehouse, lock_timeout=lock_timeout) as warehouse:
        yield warehouse, loaded, period


def _check_sources(city: City, source_ids: Sequence[str]) -> None:
    """Refuse a --source that the city does not have or has disabled."""
    known = {source.id: source for source in city.sources}
    unknown = [name for name in source_ids if name not in known]
    if unknown:
        raise UsageProblem(f"{city.id} has no source {', '.join(unknown)}; available: {', '.join(sorted(known))}")
    disabled = [name for name in source_ids if not known[name].enabled]
    if disabled:
        raise UsageProblem(f"{', '.join(disabled)}: disabled; set `enabled: true` in the city's file once it is approved")


def _load_window(found: Project, city: str, start: str, end: str | None) -> tuple[City, Period]:
    from collectors.period import parse_period

    loaded = found.load_city(city)
    return loaded, parse_period(start, end, loaded.zone, datetime.now(UTC).astimezone(loaded.zone).date())


def _collect(
    warehouse: Warehouse, found: Project, city: City, period: Period, source_ids: list[str], *, from_archive: bool = False
) -> list[SourceOutcome]:
    from pipelines.collect import collect as collect_window

    planned = len(set(source_ids)) or sum(source.enabled for source in city.sources)
    for source in city.sources:
        if source.enabled and source.options.cost and not from_archive and (not source_ids or source.id in source_ids):
            say(f"{source.id}: {source.options.cost}")
    done: list[SourceOutcome] = []

    def show(outcome: SourceOutcome) -> None:
        done.append(outcome)
        say_outcome(len(done), planned, outcome)

    return collect_window(warehouse, found, city, period, source_ids=source_ids, progress=show, from_archive=from_archive)


@cache
def _readers(found: Project, city_id: str) -> Readers:
    """Load the annotators once for the stages of one command."""
    from pipelines.runs import load_readers

    return load_readers(found, city_id)


def _annotate(
    warehouse: Warehouse,
    found: Project,
    city: City,
    period: Period,
    source_ids: Sequence[str] = (),
    seen_until: datetime | None = None,
) -> int:
    from pipelines.annotate import FOREVER
    from pipelines.annotate import annotate as annotate_window

    def show(annotator: str, done: int, total: int) -> None:
        say(f"read by {annotator}: {done}/{total} messages", same_line=True, last=done == total)

    until = seen_until or FOREVER
    return annotate_window(
        warehouse, found, city, period, _readers(found, city.id), source_ids=source_ids, seen_until=until, progress=show
    )


def _report(
    warehouse: Warehouse,
    found: Project,
    city: City,
    period: Period,
    seen_until: datetime | None,
    source_ids: Sequence[str] = (),
    formats: Sequence[str] = (),
    language: str = "es",
) -> Report:
    from pipelines.report import report as report_window

    return report_window(
        warehouse,
        found,
        city,
        period,
        _readers(found, city.id),
        seen_until=seen_until,
        source_ids=source_ids,
        formats=formats,
        language=language,
    )


def _parse_instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageProblem(f"--seen-until {text!r}: write an instant such as 2021-05-03T09:00:00-05:00") from error
    if instant.tzinfo is None:
        only_day = len(text) <= len("2021-05-01")  # a day is meant to its end
        whole = f"{instant.date()}T23:59:59" if only_day else instant.isoformat()
        raise UsageProblem(f"--seen-until {text!r}: the offset is missing; write for example {whole}-05:00")
    return instant.astimezone(UTC)


def _parse_formats(text: str | None) -> list[str]:
    """Return the names of --format, without those left empty; no name where the option is not given, which means all."""
    if text is None:
        return []
    from pipelines.reports.exporting import FORMATS, choose_formats

    names = [name for part in text.split(",") if (name := part.strip())]
    if not names:
        raise UsageProblem(f"--format {text!r}: names no format; available: {', '.join(FORMATS)}")
    return choose_formats(names)


def _show_plan(
    found: Project, city: str, start: str, end: str | None, source_ids: list[str], as_json: bool, *, seen_until: str | None = None
) -> int:
    _parse_instant(seen_until)
    loaded, period = _load_window(found, city, start, end)
    _check_sources(loaded, source_ids)
    chosen = [source for source in loaded.sources if not source_ids or source.id in source_ids]
    plan = {
        "city": loaded.id,
        "synthetic": loaded.synthetic,
        "period": str(period),
        "sources": [
            {
                "id": s.id,
                "platform": s.platform,
                "url": s.url,
                "channel": s.channel,
                "enabled": s.enabled,
                "cost": None if s.pending else s.options.cost,
            }
            for s in chosen
        ],
    }

    def show() -> None:
        echo(f"{loaded.name}: {period}")
        for source in chosen:
            echo(f"  {source.id:<26} {source.platform:<10} {'' if source.enabled else '(disabled) '}{source.url}")
            if source.enabled and source.options.cost:
                echo(f"  {'':<37} {source.options.cost}")

    print_document(plan, as_json, show)
    return OK


def _collection_code(outcomes: list[SourceOutcome]) -> int:
    from pipelines.collect import read_nothing, troubled_outcomes

    if read_nothing(outcomes):
        return NO_DATA
    return PARTIAL if troubled_outcomes(outcomes) else OK


def _count_items(warehouse: Warehouse) -> int:
    ((count,),) = warehouse.query("select count(*) from manifestation")
    return int(count)


def _report_code(finished: Report) -> int:
    if not finished.totals["manifestation_count"]:
        return NO_DATA
    return PARTIAL if finished.troubled_sources else OK


def _outcome_row(outcome: SourceOutcome) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(outcome.health), "added_count": outcome.added_count, "watch": _watch_row(outcome)}


def _watch_row(outcome: SourceOutcome) -> dict[str, Any]:
    from pipelines.watching import watch_columns

    return {**watch_columns(outcome.watch), "said": outcome.watch.told()}


def _report_row(finished: Report) -> dict[str, Any]:
    return {**finished.totals, "path": str(finished.path)}


if __name__ == "__main__":
    main()
