"""The command `escucha retention apply`: what is past its days, and what somebody asked to be left alone, goes for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import echo, print_document, say
from pipelines.options import AsJson, LockTimeout, ProjectDir

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.retention import Applied
    from pipelines.warehouse import Warehouse

retention_app = typer.Typer(help="Keep texts no longer than was said.", no_args_is_help=True, rich_markup_mode=None)

OK = 0


@retention_app.callback()
def retention() -> None:
    """Keep texts no longer than was said."""


@retention_app.command("apply")
def apply(
    city: Annotated[str | None, typer.Argument(metavar="CITY", help="A city of the project; without it, all of them.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go; erase nothing.")] = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
) -> int:
    """Erase what is past its retention, and what the list of exclusions names, from every file of the project."""
    from pipelines.project import find_project
    from pipelines.retention import apply_retention

    found = find_project(project)
    cities = [found.load_city(name) for name in ([city] if city else sorted(path.stem for path in found.cities.glob("*.yml")))]
    applied: list[Applied] = []
    with _opened(found, lock_timeout, dry_run=dry_run) as warehouse:
        for loaded in cities if warehouse is not None else ():
            assert warehouse is not None  # noqa: S101 (for the type checker)
            applied.append(apply_retention(warehouse, found, loaded, dry_run=dry_run))
    document = {"dry_run": dry_run, "cities": [asdict(result) for result in applied]}
    print_document(document, as_json, lambda: _show(applied, dry_run))
    return OK


@contextmanager
def _opened(found: Project, lock_timeout: float, *, dry_run: bool) -> Iterator[Warehouse | None]:
    """Open the warehouse, to read alone for a trial; None if there is none yet."""
    from pipelines.warehouse import open_alone, open_warehouse

    if not found.warehouse.is_file():
        say(f"there is no warehouse yet in {found.root}")
        yield None
    elif dry_run:
        with open_alone(found.warehouse, lock_timeout=lock_timeout) as warehouse:
            yield warehouse
    else:
        with open_warehouse(found.warehouse, lock_timeout=lock_timeout) as warehouse:
            yield warehouse


def _show(applied: list[Applied], dry_run: bool) -> None:
    would = "would go" if dry_run else "gone"
    for result in applied:
        echo(f"{result.city}")
        for said, counts in (("past retention", result.erased), ("asked to be left alone", result.withdrawn)):
            for source_id, count in counts.items():
                echo(f"  {source_id:<26} {count:>7} {said}")
        gone = sum(result.withdrawn.values())
        echo(f"  {'texts, ' + would:<26} {sum(result.erased.values()):>7}   items that count no more {gone}")
        echo(f"  {'raw files, ' + would:<26} {result.file_count:>7}   lines of spools {result.spool_item_count}")
        if result.label_file_count:
            echo(f"  {'workbooks of labellers':<26} {result.label_file_count:>7} cleaned or {would}")
        if result.report_file_count:
            echo(f"  {'files of reports with quotes':<26} {result.report_file_count:>7}   pages without them are written anew")
        if result.own_files:
            echo(f"  the city's own files are left as they are: {', '.join(result.own_files)}")
