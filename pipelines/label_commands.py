"""The commands on samples that people label: `escucha label export`, `escucha label import`, `escucha label status`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.console import echo, echo_field, near, print_document, say
from pipelines.options import AsJson, LockTimeout, Profile, ProjectDir

if TYPE_CHECKING:
    from collectors.catalog import City
    from collectors.period import Period
    from pipelines.labels.exporting import Exported
    from pipelines.labels.importing import Imported, Outside
    from pipelines.labels.status import SampleStatus
    from pipelines.project import Project
    from pipelines.reports.agreement import Agreement
    from pipelines.runs import Readers
    from pipelines.warehouse import Warehouse

label_app = typer.Typer(help="Samples that people label.", no_args_is_help=True, rich_markup_mode=None)

CityName = Annotated[str, typer.Argument(metavar="CITY", help="A city of the project.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day of the window, or what names all of it.")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, inclusive.")]
Channel = Annotated[str, typer.Option(metavar="NAME", help="online, attention_office or in_person.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(label_app, name="label")


@label_app.command("export")
def export_command(
    city: CityName,
    start: From = None,
    end: To = None,
    channel: Channel = "online",
    size: Annotated[int, typer.Option(metavar="N", min=1, help="Messages to draw.")] = 400,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Another number draws another sample.")] = None,
    double: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="How many both people label; the others go to one each. By default all."),
    ] = None,
    differences: Annotated[
        str | None,
        typer.Option(metavar="SAMPLE", help="Instead: a workbook of what two people differ on, for a third to settle."),
    ] = None,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Draw a random sample of a window and write a workbook for each of two people."""
    from pipelines.labels.exporting import export_differences, export_workbooks
    from pipelines.labels.samples import LabelError, draw_sample, find_sample
    from pipelines.runs import load_readers

    if (start is None) == (differences is None):
        raise LabelError("give --from DAY to draw a sample, or --differences SAMPLE to settle one")
    _check_end(start, end)
    with _opened(project, city, lock_timeout, profile) as (warehouse, found, loaded):
        if differences is not None:
            done = export_differences(warehouse, found, loaded, find_sample(warehouse, city, differences))
        else:
            period = _parse_window(loaded, start or "", end)
            readers = load_readers(found, city)
            options: dict[str, Any] = {"channel": channel, "size": size, "seed": seed, "double": double}
            sample = draw_sample(warehouse, found, loaded, period, readers, **options)
            done = export_workbooks(warehouse, found, loaded, sample)
    document = {"sample": asdict(done.sample), "written": list(map(str, done.written)), "kept": list(map(str, done.kept))}
    print_document(document, as_json, lambda: _print_exported(done))
    return 0


@label_app.command("import")
def import_command(
    city: CityName,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Filled workbooks, or a CSV of labels.")],
    start: From = None,
    end: To = None,
    channel: Channel = "online",
    allow_partial: Annotated[bool, typer.Option("--allow-partial", help="Take what is labelled; the rest may follow.")] = False,
    as_json: AsJson = False,
    project: ProjectDir = None,
    lock_timeout: LockTimeout = 10.0,
    profile: Profile = None,
) -> int:
    """Check every cell that people filled in, and store their labels."""
    from pipelines.labels.exporting import load_said
    from pipelines.labels.importing import import_labels
    from pipelines.labels.status import measure_sample

    _check_end(start, end)
    with _opened(project, city, lock_timeout, profile) as (warehouse, found, loaded):
        outside = _outside(found, loaded, _parse_window(loaded, start, end), channel) if start is not None else None
        done = import_labels(warehouse, found, loaded, files, outside=outside, allow_partial=allow_partial)
        agreement = {entry.sample.sample_id: measure_sample(entry.sample, load_said(warehouse, entry.sample)) for entry in done}
    rows = [
        {"sample_id": key.sample.sample_id, "labelled": key.message_count, "added": key.added_count}
        | {"agreement": {task: asdict(value) for task, value in agreement[key.sample.sample_id].items()}}
        for key in done
    ]
    print_document({"samples": rows}, as_json, lambda: _print_imported(done, agreement))
    return 0


@label_app.command("status")
def status_command(city: CityName, as_json: AsJson = False, project: ProjectDir = None, lock_timeout: LockTimeout = 10.0) -> int:
    """Tell how far the labelling of each sample has come."""
    from pipelines.labels.status import city_status
    from pipelines.project import find_project
    from pipelines.warehouse import open_alone

    found = find_project(project)
    loaded = found.load_city(city)
    states: list[SampleStatus] = []
    if found.warehouse.is_file():
        with open_alone(found.warehouse, lock_timeout=lock_timeout) as warehouse:
            states = city_status(warehouse, found, loaded)
    document = {"city": city, "samples": [state.document() for state in states]}
    print_document(document, as_json, lambda: _print_status(loaded, states))
    return 0


def import_pilot(
    warehouse: Warehouse, project: Project, city: City, period: Period, readers: Callable[[Project, str], Readers]
) -> int:
    """Import the simulated labels of the synthetic month, and return how many were new.

    They are told in the categories that ship: a city whose own taxonomy lacks some of them has no such labels.
    """
    from models.taxonomy import load_taxonomy
    from pipelines.labels.importing import Outside, import_labels
    from pipelines.taxonomies import load_city_taxonomy

    path = project.pilot / "labels.csv"
    if not path.is_file() or not set(load_taxonomy().category_ids) <= set(load_city_taxonomy(project, city.id).category_ids):
        return 0
    done = import_labels(warehouse, project, city, [path], outside=Outside(period, "online", lambda: readers(project, city.id)))
    return sum(entry.added_count for entry in done)


def _outside(project: Project, city: City, period: Period, channel: str) -> Outside:
    from pipelines.labels.importing import Outside
    from pipelines.runs import load_readers

    return Outside(period, channel, lambda: load_readers(project, city.id))


@contextmanager
def _opened(
    project: Path | None, city: str, lock_timeout: float, profile: str | None
) -> Iterator[tuple[Warehouse, Project, City]]:
    """Find the project, load the city, and open the warehouse to write.

    Raises:
        NothingToReport: if there is no warehouse yet.
    """
    from pipelines.project import find_project
    from pipelines.runs import NothingToReport
    from pipelines.warehouse import open_warehouse

    found = find_project(project, profile=profile)
    loaded = found.load_city(city)
    if not found.warehouse.is_file():
        raise NothingToReport(f"there is no warehouse yet in {found.root}; run `escucha run {city} --from DAY` first")
    with open_warehouse(found.warehouse, lock_timeout=lock_timeout) as warehouse:
        yield warehouse, found, loaded


def _check_end(start: str | None, end: str | None) -> None:
    """Refuse a last day of no window.

    Raises:
        LabelError: if only the last day is given.
    """
    from pipelines.labels.samples import LabelError

    if end is not None and start is None:
        raise LabelError(f"--to {end}: a window begins with --from DAY; give both, or neither")


def _parse_window(city: City, start: str, end: str | None) -> Period:
    from collectors.period import parse_period

    period = parse_period(start, end, city.zone, datetime.now(UTC).astimezone(city.zone).date())
    say(f"{city.name}{' (SYNTHETIC DATA)' if city.synthetic else ''}: {period}")
    return period


def _print_exported(done: Exported) -> None:
    sample = done.sample
    how = sample.design if sample.seed is None else f"{sample.design}, seed {sample.seed}"
    echo(f"sample          {sample.sample_id}  {sample.channel}, {how}")
    echo(f"drawn           {sample.drawn_count} of {sample.population_count} counted messages with a text")
    for name, paths in (("written", done.written), ("left as it is", done.kept)):
        for path in paths:
            echo(f"{name:<16}{near(path)}")
    if not done.written and not done.kept:
        echo("nothing to settle: nobody differs, or all of it is settled")


def _print_imported(done: Sequence[Imported], agreement: dict[str, dict[str, Agreement]]) -> None:
    for entry in done:
        echo(f"sample          {entry.sample.sample_id}  {entry.sample.channel}")
        echo(f"labelled        {entry.message_count} rows, {entry.added_count} labels added")
        _print_agreement(agreement[entry.sample.sample_id])


def _print_status(city: City, states: Sequence[SampleStatus]) -> None:
    if not states:
        echo(f"{city.id} has no sample yet: draw one with")
        echo(f"`escucha label export {city.id} --from DAY`")
    for state in states:
        sample = state.sample
        echo_field("sample", f"{sample.sample_id} {state.window} {sample.channel}, {sample.design}")
        seed = "" if sample.seed is None else f", seed {sample.seed}"
        echo_field("drawn", f"{sample.drawn_count} of {sample.population_count}{seed}")
        for labeller, count in state.labelled.items():
            missing = state.missing.get(labeller, 0)
            echo_field("labelled", f"{labeller}: {count}{f', {missing} missing' if missing else ''}")
        if state.erased_count:
            echo_field("erased", f"{state.erased_count} texts are stored no longer")
        _print_agreement(state.agreement)
        if state.difference_count:
            command = f"`escucha label export {city.id} --differences {sample.sample_id}`"
            echo_field("to settle", f"{state.difference_count}: {command}")


def _print_agreement(agreement: dict[str, Agreement] | Any) -> None:
    for task, found in agreement.items():
        if found.kappa is None and found.pair_count:
            said = f"{task}: {found.pair_count} labelled by two people; 30 are needed, with more than one label"
            echo_field("agreement", said)
        elif found.kappa is not None:
            kappa, alpha = (
                f"{value:.2f} ({low:.2f} to {high:.2f})"
                for value, low, high in (
                    (found.kappa, found.kappa_low, found.kappa_high),
                    (found.alpha, found.alpha_low, found.alpha_high),
                )
            )
            echo_field("agreement", f"{task}: {found.agreed_count} of {found.pair_count}, kappa {kappa}, alpha {alpha}")
