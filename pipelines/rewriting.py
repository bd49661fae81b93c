"""A warehouse file written anew: only so are erased rows gone from the disk, because DuckDB keeps the bytes of deleted ones.

The new file is made of what is kept and nothing else, stands beside the old one until it is whole, and takes its place in
one rename: whoever is killed on the way leaves the old file as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.project import Project
from pipelines.warehouse import Warehouse, open_draft, publish, used_parameters

ERASURE = Path(__file__).with_name("erasure")
REWRITTEN = (
    "manifestation",
    "manifestation_text",
    "annotation",
    "label",
    "label_sample_item",
    "source_health",
    "source_memory",
    "report_quote",
    "quote_origin",
)
"""Tables of which something may go; `erasure/<table>.sql` says what stays."""


class DiskTooSmallError(RuntimeError):
    """There is no room for a second warehouse file beside the first; nothing was changed."""


def check_room(project: Project) -> None:
    """Check that the disk holds a second copy of the warehouse and of the published copy, with a tenth to spare.

    Raises:
        DiskTooSmallError: if it does not; the message says how much is missing.
    """
    sizes = [path.stat().st_size for path in (project.warehouse, project.published) if path.is_file()]
    needed, free = int(sum(sizes) * 1.1), shutil.disk_usage(project.warehouse.parent).free
    if free < needed:
        raise DiskTooSmallError(
            f"{project.warehouse.name} is written anew to erase what is due: {needed / 1e6:.0f} MB are needed and "
            f"{free / 1e6:.0f} MB are free; nothing was changed"
        )


def draft_of(project: Project) -> Path:
    """Return where the new warehouse is written."""
    return project.warehouse.with_name(f"{project.warehouse.stem}.rewritten.duckdb")


def remove_drafts(project: Project) -> None:
    """Remove what a killed run left of a new file, a published draft, or rows that the database had laid aside on disk."""
    drafts = [*project.warehouse.parent.glob(f"{draft_of(project).name}*")]
    drafts += project.published.parent.glob(f"{project.published.stem}.draft*")
    for path in drafts:
        path.unlink()
    for path in project.warehouse.parent.glob("*.duckdb.tmp"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def rewrite(warehouse: Warehouse, project: Project, parameters: Mapping[str, Any], erasures: Sequence[Mapping[str, Any]]) -> None:
    """Write the warehouse anew without what the staged tables name, publish that, and put it in the place of the old one.

    Args:
        warehouse: open for writing, with the temporary tables due_item, excluded_item, version_kept and source_retention.
        project: where the files are.
        parameters: what the files in `erasure/` name.
        erasures: rows of table `erasure`, which stand in the new file alone.
    """
    draft = draft_of(project)
    _copy_kept(warehouse, draft, parameters)
    with open_draft(draft) as fresh:
        with fresh.transaction():
            fresh.append("erasure", erasures)
        if project.published.is_file():
            publish(fresh, project.published)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    warehouse.replace_file(draft)


def _copy_kept(warehouse: Warehouse, draft: Path, parameters: Mapping[str, Any]) -> None:
    quoted = str(draft).replace("'", "''")
    warehouse.query(f"attach '{quoted}' as rewritten")
    try:
        ((name,),) = warehouse.query("select current_database()")
        warehouse.query(f'copy from database "{name}" to rewritten (schema)')
        tables = "select table_name from duckdb_tables() where database_name = current_database() and not temporary order by 1"
        for (table,) in warehouse.query(tables):
            source = (ERASURE / f"{table}.sql").read_text("utf-8") if table in REWRITTEN else f"select * from main.{table}"  # noqa: S608
            warehouse.query(f"insert into rewritten.{table} by name {source}", used_parameters(source, parameters))
        warehouse.query("checkpoint rewritten")
    finally:
        warehouse.query("detach rewritten")
