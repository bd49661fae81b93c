"""Restate: what was counted in a past window, in the categories and issues of today. Nothing is read again or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from collectors.catalog import City
from collectors.period import Period
from models.crosswalk import UNCLASSIFIED, Crosswalk, Group, crosswalk
from models.taxonomy import Taxonomy
from pipelines.project import Project
from pipelines.runs import AuditFailed, NothingToReport
from pipelines.taxonomies import find_taxonomy, load_city_taxonomy
from pipelines.warehouse import Warehouse

Counts = Mapping[Literal["category", "issue"], Mapping[str, int]]
"""Level -> id -> count, of one channel."""


class Row(NamedTuple):
    """A restated count."""

    level: Literal["category", "issue", "no_issue"]
    """"no_issue": of the category above, what names no issue of today's taxonomy."""

    ids: Group
    """The ids of today's taxonomy that the count belongs to; several if only their sum is known; empty for "no_issue"."""

    old_ids: tuple[str, ...]
    """The ids that it was counted under."""

    manifestation_count: int | None
    """None: nothing was ever counted under it; messages about it are in the counts of other rows."""


class RestatedChannel(NamedTuple):
    """The counts of one channel; the category rows add up to the total."""

    channel: str
    total: int
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Restated:
    """A report's counts in another taxonomy."""

    report_id: str
    seen_until: datetime
    old_taxonomy: str
    """Revision that the report names."""

    exact: bool
    """False: the old taxonomy was edited since under the same version; its ids are the same."""

    taxonomy: Taxonomy
    """Today's."""

    channels: tuple[RestatedChannel, ...]


def restate(warehouse: Warehouse, project: Project, city: City, period: Period) -> Restated:
    """Restate the last issued report of a window in the city's taxonomy of today.

    Args:
        warehouse: the warehouse or its published copy; it is only read.
        project: where the taxonomies are.
        city: whose window.
        period: the window, exactly as it was reported.

    Raises:
        ConfigurationError: if a taxonomy file has mistakes.
        NothingToReport: if the window has no report.
        ProjectError: if the taxonomy of the report is not in the project.
    """
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc}
    found = warehouse.query_file("issued_report", window)
    if not found:
        remedy = f"make it with `escucha report {city.id} {period.as_options()}`"
        raise NothingToReport(f"no report of {city.id} for {period}; {remedy}")
    report_id, _, seen_until, revision, _ = found[0]
    counts: dict[str, dict[Literal["category", "issue"], dict[str, int]]] = {}
    for channel, level, key, count in warehouse.query_file("report_counts", {"report_id": report_id}):
        counts.setdefault(channel, {"category": {}, "issue": {}})[level][key] = count
    counted = {key for levels in counts.values() for level in levels.values() for key in level}
    old = find_taxonomy(project, city.id, revision, counted)
    new = load_city_taxonomy(project, city.id)
    walk = crosswalk(old.taxonomy, new)
    channels = tuple(
        RestatedChannel(channel, total, _check_total(total, tuple(restate_counts(walk, new, counts[channel]))))
        for _, channel, _, _, total in found
    )
    return Restated(report_id, seen_until, revision, old.exact, new, channels)


def restate_counts(walk: Crosswalk, new: Taxonomy, counts: Counts) -> Iterator[Row]:
    """Yield the rows of one channel: each category in today's order, under it its issues and what names none."""
    categories = {**walk.restate_categories(counts["category"]), **_unknown(walk, new.category_ids)}
    issues = {**walk.restate_issues(counts["issue"]), **_unknown(walk, new.issue_ids)}
    place = {key: number for number, key in enumerate((*new.category_ids, UNCLASSIFIED, *new.issue_ids))}
    for group in sorted(categories, key=lambda ids: place[ids[0]]):
        count = categories[group]
        yield Row("category", group, _old_ids(group, walk.categories), count)
        inside = [ids for ids in issues if ids and ids[0].partition(".")[0] in group]
        rows = [
            Row("issue", ids, _old_ids(ids, walk.issues), issues[ids])
            for ids in sorted(inside, key=lambda ids: (-(issues[ids] or 0), place[ids[0]]))
        ]
        yield from rows
        if rows and count is not None:
            yield Row("no_issue", (), (), count - sum(row.manifestation_count or 0 for row in rows))


def _unknown(walk: Crosswalk, ids: tuple[str, ...]) -> dict[Group, int | None]:
    return {(key,): None for key in ids if key in walk.without_past}


def _old_ids(group: Group, groups: Mapping[str, Group]) -> tuple[str, ...]:
    return tuple(key for key, found in groups.items() if found == group)


def _check_total(total: int, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    restated = sum(row.manifestation_count or 0 for row in rows if row.level == "category")
    if restated != total:
        raise AuditFailed(f"the restated categories add up to {restated}, the report counts {total}")
    return rows
