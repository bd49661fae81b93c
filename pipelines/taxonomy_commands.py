"""The commands `escucha taxonomy ...`: what a city's categories are, how they differ, and the past in today's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.console import WIDTH, echo, print_document, say
from pipelines.options import AsJson, ProjectDir

if TYPE_CHECKING:
    from models.changes import Change
    from models.taxonomy import Origin, Taxonomy
    from pipelines.restate import Restated, Row

taxonomy_app = typer.Typer(
    help="Look at a city's categories, compare them, and restate the past in them.", no_args_is_help=True, rich_markup_mode=None
)

OK = 0

_NAME_HELP = "A city of the project, a taxonomy's .yml file, or `shipped`."
TaxonomyName = Annotated[str, typer.Argument(metavar="CITY", help=_NAME_HELP)]


@taxonomy_app.command("show")
def show_taxonomy(name: TaxonomyName, as_json: AsJson = False, project: ProjectDir = None) -> int:
    """List categories and issues, and where each comes from."""
    from pipelines.project import find_project
    from pipelines.taxonomies import load_named_taxonomy

    taxonomy = load_named_taxonomy(lambda: find_project(project), name)
    print_document(_describe(taxonomy), as_json, lambda: _print_taxonomy(taxonomy))
    return OK


@taxonomy_app.command("diff")
def diff_taxonomies(
    first: Annotated[str, typer.Argument(metavar="A", help=_NAME_HELP)],
    second: Annotated[
        str | None, typer.Argument(metavar="B", help="Likewise; without it, A is compared with the one that ships.")
    ] = None,
    as_json: AsJson = False,
    project: ProjectDir = None,
) -> int:
    """Tell what B adds, renames, splits, merges or words otherwise than A."""
    from models.changes import find_changes
    from pipelines.project import find_project
    from pipelines.taxonomies import SHIPPED, load_named_taxonomy

    names = (SHIPPED, first) if second is None else (first, second)
    old, new = (load_named_taxonomy(lambda: find_project(project), name) for name in names)
    changes = find_changes(old, new)
    document = {"old": old.revision, "new": new.revision, "changes": [change._asdict() for change in changes]}
    print_document(document, as_json, lambda: _print_changes(old, new, changes))
    return OK


@taxonomy_app.command("restate")
def restate_window(
    city: Annotated[str, typer.Argument(metavar="CITY", help="A city of the project.")],
    start: Annotated[str, typer.Option("--from", metavar="DAY", help="First day: 2021-04-01, 2021-04, 2021-W14, 2021-Q2 ...")],
    end: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, inclusive.")] = None,
    as_json: AsJson = False,
    project: ProjectDir = None,
) -> int:
    """Print what was counted in a past window in the city's categories of today."""
    from collectors.period import parse_period
    from pipelines.project import ProjectError, find_project
    from pipelines.restate import restate
    from pipelines.warehouse import open_alone

    found = find_project(project)
    loaded = found.load_city(city)
    period = parse_period(start, end, loaded.zone, datetime.now(UTC).astimezone(loaded.zone).date())
    say(f"{loaded.name}{' (SYNTHETIC DATA)' if loaded.synthetic else ''}: {period}")
    if not found.warehouse.is_file():
        raise ProjectError(f"there is no warehouse at {found.warehouse}; run `escucha run {city} {period.as_options()}` first")
    # Not the published copy: a sum of categories needs those, too, that are hidden there for being few.
    with open_alone(found.warehouse) as warehouse:
        restated = restate(warehouse, found, loaded, period)
    document = {"city": loaded.id, "period": str(period), **_restated_document(restated)}
    print_document(document, as_json, lambda: _print_restated(restated, f"{loaded.id} {period.as_options()}"))
    return OK


def _describe(taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        "version": taxonomy.version,
        "revision": taxonomy.revision,
        "categories": [
            {
                "id": category.id,
                "label_es": category.label_es,
                "label_en": category.label_en,
                "definition_es": category.definition_es,
                "origin": taxonomy.origins[category.id]._asdict(),
                "issues": [
                    {
                        "id": f"{category.id}.{issue.id}",
                        "label_es": issue.label_es,
                        "label_en": issue.label_en,
                        "definition_es": issue.definition_es,
                        "origin": taxonomy.issue_origins[f"{category.id}.{issue.id}"]._asdict(),
                    }
                    for issue in category.issues
                ],
            }
            for category in taxonomy.categories
        ],
        "rollups": {name: rollup.model_dump(mode="json") for name, rollup in taxonomy.rollups.items()},
    }


def _print_taxonomy(taxonomy: Taxonomy) -> None:
    echo(f"{taxonomy.revision}: {len(taxonomy.category_ids)} categories, {len(taxonomy.issue_ids)} issues")
    for category in taxonomy.categories:
        _print_entry(category.id, category.label_es, _say_origin(category.id, taxonomy.origins[category.id]))
        for issue in category.issues:
            key = f"{category.id}.{issue.id}"
            _print_entry(f"  {issue.id}", issue.label_es, _say_origin(key, taxonomy.issue_origins[key]))
    echo("roll-ups")
    for name, rollup in taxonomy.rollups.items():
        _print_entry(f"  {name}", f"{rollup.label_es}: {' + '.join((*rollup.categories, *rollup.issues))}")


def _print_entry(key: str, label: str, remark: str = "") -> None:
    for line in wrap(f"{key:<32} {label}{remark}", WIDTH, subsequent_indent=" " * 33, break_on_hyphens=False):
        echo(line)


def _say_origin(key: str, origin: Origin) -> str:
    members = " + ".join(origin.members)
    if origin.kind == "base":
        return "" if origin.members == (key,) else f" [was {members}]"
    said = {"added": "added, before in", "part": "part of", "merged": "joins"}[origin.kind]
    return f" [{said} {members}]" if members else " [added]"


def _print_changes(old: Taxonomy, new: Taxonomy, changes: Sequence[Change]) -> None:
    echo(f"from {old.revision}")
    echo(f"to   {new.revision}")
    for change in changes:
        for line in wrap(_say_change(change), WIDTH, subsequent_indent="    ", break_on_hyphens=False):
            echo(line)
    echo(f"{len(changes)} differences" if len(changes) != 1 else "1 difference")


def _say_change(change: Change) -> str:
    sides = [" + ".join(side) for side in (change.old, change.new) if side]
    ids = sides[0] if change.old == change.new or change.kind == "removed" else " -> ".join(sides)
    return f"{change.kind:<10} {change.level:<8} {ids}{': ' + change.detail if change.detail else ''}"


def _restated_document(restated: Restated) -> dict[str, Any]:
    return {
        "report_id": restated.report_id,
        "seen_until": restated.seen_until.isoformat(),
        "old_taxonomy": restated.old_taxonomy,
        "old_taxonomy_exact": restated.exact,
        "taxonomy": restated.taxonomy.revision,
        "channels": [
            {"channel": channel.channel, "total": channel.total, "rows": [row._asdict() for row in channel.rows]}
            for channel in restated.channels
        ],
    }


def _print_restated(restated: Restated, window: str) -> None:
    echo(f"report {restated.report_id[:12]}, made with {restated.old_taxonomy}")
    echo(f"in the categories of {restated.taxonomy.revision}")
    if not restated.exact:
        echo("The old taxonomy was edited since under the same version; its ids are the same.")
    rows = [row for channel in restated.channels for row in channel.rows]
    for channel in restated.channels:
        echo(f"\n{channel.channel}")
        for row in channel.rows:
            _print_row(row, restated.taxonomy)
        _print_count("total, as reported", channel.total, "")
    if any(len(row.ids) > 1 for row in rows):
        echo("\nA sum of several (+) can be told apart only by reading its messages again:")
        echo(f"`escucha annotate {window}`, then")
        echo(f"`escucha report {window}` do so.")
    if any(row.manifestation_count is None for row in rows):
        echo("\nnew: not counted then; messages about it stand where they were counted.")


def _print_row(row: Row, taxonomy: Taxonomy) -> None:
    indent = "  " if row.level == "category" else "    "
    label = " + ".join(taxonomy.label_es(key) for key in row.ids) if row.ids else "(no issue named)"
    same = row.old_ids == row.ids or not row.old_ids or _same_issue(row)
    _print_count(label if same else f"{label} [was {' + '.join(row.old_ids)}]", row.manifestation_count, indent)


def _same_issue(row: Row) -> bool:
    """Tell whether an issue only moved along with its category, which its place in the list says already."""
    return row.level == "issue" and [key.partition(".")[2] for key in row.ids] == [key.partition(".")[2] for key in row.old_ids]


def _print_count(label: str, count: int | None, indent: str) -> None:
    width = WIDTH - 12
    lines = wrap(label, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
    for line in lines[:-1]:
        echo(line)
    echo(f"{lines[-1]:<{width}}{'new' if count is None else format(count, ','):>12}")
