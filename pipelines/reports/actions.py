"""Recommendations: a form that an office fills in and signs, `data/actions/CITY/FIRST_LAST.yml`, and its step in a report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from collectors.catalog import City, Closed, Identifier, is_pending
from collectors.items import Channel
from collectors.period import Period
from collectors.yaml_errors import Place, load_yaml, validate_document
from models.taxonomy import Taxonomy
from pipelines.digests import value_digest
from pipelines.project import Project
from pipelines.staging import Build
from pipelines.warehouse import Warehouse

FINDING = re.compile(r"(?P<kind>category|issue|headline):(?P<id>[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?)")
HEADLINES = ("unread", "volume", "sentiment")
"""What a recommendation may rest on beside categories and issues."""

_SLUG = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})")

Filled = Annotated[str, Field(min_length=1, max_length=600)]
"""What a person writes, or PENDIENTE until then."""


def _check_finding(finding: str) -> str:
    if not FINDING.fullmatch(finding):
        raise ValueError(
            f"allowed: category:ID, issue:CATEGORY.ISSUE or headline:NAME with a NAME of {', '.join(HEADLINES)}; "
            "the form that `escucha actions new` writes has some filled in"
        )
    return finding


def _check_pending(value: date | str) -> date | str:
    if isinstance(value, str) and not is_pending(value):
        raise ValueError("allowed: a day such as 2021-06-30, or PENDIENTE")
    return value


def _check_commitment(value: str) -> str:
    if not is_pending(value) and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,59}", value):
        raise ValueError("allowed: letters, figures and . _ / - without blanks, at most 60; or PENDIENTE")
    return value


class Action(Closed):
    """One recommendation."""

    finding: Annotated[str, AfterValidator(_check_finding)]
    """What of the report it rests on."""

    channel: Channel | None = None
    """Of the finding; by default the channel that the page is about."""

    evidence: Filled
    office: Filled
    """Who does it."""
    next_step: Filled
    review_on: Annotated[date | str, AfterValidator(_check_pending)]
    """The day on which somebody looks again."""
    commitment: Annotated[str, AfterValidator(_check_commitment)]
    """The office's own number or name of the promise, the same in every period."""

    @property
    def filled(self) -> bool:
        """Tell whether a person has filled in all of it."""
        return not any(map(is_pending, (self.evidence, self.office, self.next_step, self.review_on, self.commitment)))


class ActionForm(Closed):
    """The whole of the file."""

    city: Identifier
    first: date
    """First day of the window that the recommendations rest on."""
    last: date
    """Its last day, inclusive."""
    report: str = Field(pattern=r"^[0-9a-f]{12,64}$")
    """The report whose figures the evidence cites, by the first characters of its id."""
    signed_by: Filled
    """The office that answers for the list: no person's name is needed."""
    actions: tuple[Action, ...] = Field(max_length=50)

    @property
    def signed(self) -> list[Action]:
        """Return the recommendations that are printed: filled in, in a list that an office has signed."""
        return [] if is_pending(self.signed_by) else [action for action in self.actions if action.filled]


def actions_folder(project: Project, city_id: str) -> Path:
    """Return where the forms of a city stand; the folder need not exist."""
    return project.root / "data" / "actions" / city_id


def list_reports(warehouse: Warehouse, city: City, period: Period) -> list[str]:
    """Return the ids of the reports of a window that evidence may cite, in the order in which they were made."""
    window = {"city": city.id, "start": period.start_utc, "end": period.end_utc}
    return [report_id for (report_id,) in warehouse.query_file("reports_of_window", window)]


def load_form(path: Path, taxonomy: Taxonomy | None = None, reports: Sequence[str] | None = None) -> ActionForm:
    """Load a form.

    Args:
        path: the file, named by its window and in the folder of its city.
        taxonomy: whose categories and issues findings may name; without it, any.
        reports: ids of the reports of that city and window, of which it may cite one; without them, any.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
    """
    document = load_yaml(path)
    return validate_document(ActionForm, document, path, extra_checks=lambda: _check_across(document, path, taxonomy, reports))


def _check_across(
    document: Any, path: Path, taxonomy: Taxonomy | None, reports: Sequence[str] | None
) -> Iterator[tuple[Place, str]]:
    if document.get("city") != path.parent.name:
        yield ("city",), f"{document.get('city')!r} must equal the folder's name, {path.parent.name!r}"
    if path.stem != f"{document.get('first')}_{document.get('last')}":
        yield ("first",), f"{document.get('first')}_{document.get('last')} must equal the file's name, {path.stem!r}"
    cited = document.get("report")
    if reports is not None and isinstance(cited, str) and find_cited(cited, reports) is None:
        made = ", ".join(report_id[:12] for report_id in reports)
        allowed = made or "none yet; move the file away, make the report, then write the beginning of its id here"
        yield ("report",), f"{cited!r} begins the id of no report of this city and window in the warehouse; allowed: {allowed}"
    entries = document.get("actions")
    seen: set[str] = set()
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        commitment, finding, review = entry.get("commitment"), entry.get("finding"), entry.get("review_on")
        if isinstance(commitment, str) and not is_pending(commitment):
            if commitment in seen:
                yield ("actions", number, "commitment"), f"{commitment!r} is another recommendation's already; each needs its own"
            seen.add(commitment)
        if isinstance(review, date) and isinstance(last := document.get("last"), date) and review <= last:
            yield ("actions", number, "review_on"), f"{review} must lie after the window, which ends on {last}"
        if taxonomy is not None and isinstance(finding, str) and (found := FINDING.fullmatch(finding)):
            yield from _check_known(found["kind"], found["id"], taxonomy, ("actions", number, "finding"))


def find_cited(cited: str, reports: Sequence[str]) -> str | None:
    """Return the id that begins with what a form cites; None if there is none."""
    return next((report_id for report_id in reports if report_id.startswith(cited)), None)


def _check_known(kind: str, key: str, taxonomy: Taxonomy, place: Place) -> Iterator[tuple[Place, str]]:
    known = {"category": taxonomy.category_ids, "issue": taxonomy.issue_ids, "headline": HEADLINES}.get(kind)
    if known is not None and key not in known:
        near = [other for other in known if other.partition(".")[0] == key.partition(".")[0]] or list(known)
        whose = "a report" if kind == "headline" else "the city's taxonomy"
        yield place, f"{key!r} is no {kind} of {whose}; allowed: {', '.join(near)}"


class Earlier(NamedTuple):
    """The form of the period before, and the report of that period that is stored."""

    form: ActionForm
    report_id: str | None


ENTRY_COLUMNS = {
    "position": "integer",
    "channel": "varchar",
    "commitment_id": "varchar",
    "finding": "varchar",
    "category_id": "varchar",
    "issue_id": "varchar",
    "evidence": "varchar",
    "office": "varchar",
    "next_step": "varchar",
    "review_on": "date",
    "signed_by": "varchar",
    "cited_report_id": "varchar",
}
EARLIER_COLUMNS = {"then_report_id": "varchar", "then_start": "date", "then_end": "date"}


def load_actions(build: Build) -> dict[str, Any]:
    """Stage what was recommended for the window and for the one before it; return the digest of both and the earlier report.

    Raises:
        ConfigurationError: with all mistakes of either file.
    """
    reports = list_reports(build.warehouse, build.city, build.period)
    form = _form_of(build, reports) if build.whole else None
    earlier = _find_earlier(build) if build.whole else None
    warehouse = build.warehouse
    warehouse.temporary("action_entry", _entries(build, form, reports), ENTRY_COLUMNS)
    warehouse.temporary("promise_entry", _entries(build, earlier.form if earlier else None, ()), ENTRY_COLUMNS)
    row = (
        [{"then_report_id": earlier.report_id, "then_start": earlier.form.first, "then_end": earlier.form.last}]
        if earlier
        else []
    )
    warehouse.temporary("promise_period", row, EARLIER_COLUMNS)
    return {
        "form": value_digest(form.model_dump(mode="json")) if form else None,
        "earlier_form": value_digest(earlier.form.model_dump(mode="json")) if earlier else None,
        "earlier_report": earlier.report_id if earlier else None,
    }


def _form_of(build: Build, reports: Sequence[str]) -> ActionForm | None:
    path = actions_folder(build.project, build.city.id) / f"{build.period.slug()}.yml"
    return load_form(path, build.readers.taxonomy, reports) if path.is_file() else None


def _find_earlier(build: Build) -> Earlier | None:
    """Return the form of the window that ended last before this one begins; None if there is none."""
    ended: list[tuple[date, date, Path]] = []
    for path in actions_folder(build.project, build.city.id).glob("*.yml"):
        named = _SLUG.fullmatch(path.stem)
        if named and (last := date.fromisoformat(named[2])) < build.period.first_date:
            ended.append((last, date.fromisoformat(named[1]), path))
    if not ended:
        return None
    form = load_form(max(ended)[2])  # its taxonomy may have been another one
    window = type(build.period).from_dates(form.first, form.last, build.city.zone)
    rows = build.warehouse.query_file("issued_report", build.window_of(window))
    return Earlier(form, rows[0][0] if rows else None)


def _entries(build: Build, form: ActionForm | None, reports: Sequence[str]) -> list[dict[str, Any]]:
    channels = sorted({source.channel for source in build.city.sources})
    main = "online" if "online" in channels else channels[0]
    signed = form.signed if form else []
    return [
        {
            "position": position,
            "channel": action.channel or main,
            "commitment_id": action.commitment,
            "finding": action.finding,
            **_targets(action.finding, build.readers.taxonomy),
            "evidence": action.evidence,
            "office": action.office,
            "next_step": action.next_step,
            "review_on": action.review_on,
            "signed_by": form.signed_by if form else None,
            "cited_report_id": find_cited(form.report, reports) if form else None,
        }
        for position, action in enumerate(signed, start=1)
    ]


def _targets(finding: str, taxonomy: Taxonomy) -> dict[str, str | None]:
    """Return the ids that the figures of a finding are found by; null if it has none, or the taxonomy of today lacks them."""
    kind, _, key = finding.partition(":")
    if kind == "issue" and key in taxonomy.issue_ids:
        return {"category_id": key.partition(".")[0], "issue_id": key}
    return {"category_id": key if kind == "category" and key in taxonomy.category_ids else None, "issue_id": None}
