"""The commands that work on labelled or unlabelled files: `escucha evaluate` and `escucha classify`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import WIDTH, echo, near, print_document, say
from pipelines.options import AsJson, Profile, ProjectDir

if TYPE_CHECKING:
    from models.settings import ModelsConfig
    from models.taxonomy import Taxonomy
    from pipelines.evaluate import Evaluation
    from pipelines.message_files import Kind

TextColumn = Annotated[
    str | None, typer.Option("--text", metavar="COLUMN", help="The column of the message, if its heading does not say so.")
]
OwnTaxonomy = Annotated[
    str | None, typer.Option("--city", metavar="CITY", help="For a file: read with the categories of this city of the project.")
]
FileKind = Annotated[
    str | None, typer.Option("--format", metavar="KIND", help="csv, tsv, txt, json, jsonl, parquet, xlsx or ods; else as named.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("evaluate")(evaluate_command)
    app.command("classify")(classify_command)


def evaluate_command(
    target: Annotated[str, typer.Argument(metavar="FILE|CITY", help="A labelled file, or a city with labels of its own.")],
    annotator: Annotated[
        list[str] | None,
        typer.Option("--annotator", metavar="NAME", help="Only this one; may be given several times. By default all that load."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a page, tables and confusion matrices into this folder.")
    ] = None,
    text: TextColumn = None,
    kind: FileKind = None,
    city: OwnTaxonomy = None,
    as_json: AsJson = False,
    project: ProjectDir = None,
) -> int:
    """Measure the annotators on labelled messages, side by side."""
    from pipelines.evaluate import evaluate, load_city_labels, load_file_labels, names_a_file
    from pipelines.evaluation.page import write_evaluation

    if names_a_file(target):
        taxonomy = _load_taxonomy(city, project)
        labels = load_file_labels(target, taxonomy, text_column=text, kind=_parse_kind(kind))
    else:
        from pipelines.project import find_project

        taxonomy = _load_taxonomy(target, project)
        labels = load_city_labels(find_project(project), target, taxonomy)
    rows = len(labels.labelled.rows)
    config = _load_config(project)
    done = evaluate(
        labels, taxonomy, names=annotator or [], config=config, progress=lambda name: say(f"{name} reads {rows} messages")
    )
    written = write_evaluation(done, taxonomy, out) if out else []
    print_document(done.document(), as_json, lambda: _print_evaluation(done))
    for path in [] if as_json else written:
        echo(near(path.absolute()))
    return 0


def classify_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, TSV, XLSX, ODS, JSON, JSONL, Parquet, TXT; - for stdin.")],
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The file to write; ends in .csv or .parquet.")],
    text: TextColumn = None,
    kind: FileKind = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="TASK", help="Only this task; may be given several times. By default all of models.yml."),
    ] = None,
    annotator: Annotated[
        str | None, typer.Option("--annotator", metavar="NAME", help="Read with this one instead of those of models.yml.")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", metavar="TEXT", help="What the added columns' names begin with.")] = "",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column with the probability of each label.")
    ] = False,
    city: OwnTaxonomy = None,
    project: ProjectDir = None,
    profile: Profile = None,
) -> int:
    """Label every message of a file."""
    from pipelines.classify import check_out, choose_tasks, classify
    from pipelines.message_files import MessageFileError, open_messages

    check_out(out)
    if file != "-" and out.exists() and Path(file).exists() and out.samefile(file):
        raise MessageFileError(f"--out {out} is the file to read; name another")
    with open_messages(file, kind=_parse_kind(kind)) as source:
        column = source.find_text_column(text)
        chosen = choose_tasks(
            _load_config(project, profile), _load_taxonomy(city, project), tasks=task or [], annotator=annotator
        )
        started = time.perf_counter()
        with _progress(source.row_count) as show:
            count = classify(source, out, chosen, text_column=column, prefix=prefix, probabilities=probabilities, progress=show)
        seconds = time.perf_counter() - started
    echo(f"{count} messages, {seconds:.1f} s, {count / max(seconds, 1e-9):.0f} messages/s")
    echo(near(out.absolute()))
    return 0


def _load_taxonomy(city: str | None, project: Path | None) -> Taxonomy:
    """Load the categories of a city of the project, or without a city those that ship; only the first needs a project."""
    if city is None:
        from models.taxonomy import load_taxonomy

        return load_taxonomy()
    from pipelines.project import find_project
    from pipelines.taxonomies import load_city_taxonomy

    return load_city_taxonomy(find_project(project), city)


def _load_config(project: Path | None, profile: str | None = None) -> ModelsConfig:
    """Load the project's choice of annotators; outside any project, or where it makes none, the choice that ships."""
    from models.settings import load_models_config
    from pipelines.project import ProjectError, find_project

    try:
        own = find_project(project).models_file
    except ProjectError:
        if project is not None:
            raise
        return load_models_config(profile=profile)
    return load_models_config(own if own.is_file() else None, profile)


def _parse_kind(kind: str | None) -> Kind | None:
    from pipelines.message_files import KINDS, MessageFileError

    for known in KINDS:
        if kind == known:
            return known
    if kind is not None:
        raise MessageFileError(f"--format {kind}: allowed: {', '.join(KINDS)}")
    return None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Hand out what shows how many messages are done, on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("messages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True, markup=False)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        shown = bar.add_task("messages", total=total)
        yield lambda done: bar.update(shown, completed=done)


def _print_evaluation(done: Evaluation) -> None:
    from models.quality.measuring import side_by_side

    if done.synthetic:
        echo("SYNTHETIC DATA: invented messages and labels; real messages will be read worse.")
    echo(f"set         {done.labelled.name}, {len(done.labelled.rows)} messages, digest {done.labelled.digest[:12]}")
    for note in done.notes:
        for line in wrap(note, WIDTH - 12):
            echo(f"            {line}")
    echo("")
    for line in side_by_side(done.measurements):
        echo(line)
    for name, speed in done.speeds.items():
        echo(f"speed       {name}: {speed:.0f} messages/s")
    for name, reason in done.left_out.items():
        for line in wrap(f"not measured  {name}: {reason.splitlines()[0]}", WIDTH, subsequent_indent=" " * 14):
            echo(line)
