"""Compose the synthetic month: `python -m pipelines.pilot.compose`.

Cores, places and plan in; what the sites serve, the truth apart from it, and the simulated labels of the city out. The
same inputs give the same bytes on every machine.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pipelines.pilot.cores import load_material
from pipelines.pilot.drafts import Calendar, Draft
from pipelines.pilot.month import Composer, write_countable, write_office
from pipelines.pilot.plan import SENTIMENTS, Plan, load_plan
from pipelines.pilot.publishing import Shown, Truth, publish
from pipelines.pilot.records import write_served
from pipelines.pilot.surroundings import write_surroundings
from pipelines.pilot.wording import Writer
from pipelines.pilot.workshops import Minutes, write_minutes

DATA = Path(__file__).resolve().parents[2] / "data"
LABEL_FIELDS = ("manifestation_id", "labeller", "category", "sentiment")


@dataclass(frozen=True, slots=True)
class Month:
    """All that is composed."""

    shown: tuple[Shown, ...]
    """The sources that are served, in the order of the plan."""

    minutes: tuple[Minutes, ...]
    """The workshops, in the order of the plan."""

    @property
    def truth(self) -> list[Truth]:
        """What is planted, source by source."""
        parts = [*(shown.truth for shown in self.shown), *(minutes.truth for minutes in self.minutes)]
        return [row for part in parts for row in part]


def compose(data: Path) -> Month:
    """Compose every source of the month.

    Args:
        data: the folder that holds `pilot/plan.yml`, `pilot/cores` and `places/ate.yml`.

    Raises:
        PlanError: if the cores cannot give what is planned.
        WordingError: if no further different message can be made of a core.
    """
    plan = load_plan(data / "pilot" / "plan.yml")
    material = load_material(data / "pilot", data / "places" / "ate.yml", unused=plan.unused_cores)
    composer = Composer(plan, material, Writer(plan, material), Calendar(plan))
    countable = write_countable(composer)
    drafts = [*countable, *write_office(composer), *write_surroundings(composer, countable)]
    by_source: dict[str, list[Draft]] = {source.id: [] for source in plan.sources}
    for draft in drafts:
        by_source[draft.source.id].append(draft)
    shown = tuple(publish(composer, source, by_source[source.id]) for source in plan.sources)
    return Month(shown, tuple(write_minutes(plan.workshops, data / "pilot" / "cores" / "workshops")))


def write_month(month: Month, plan: Plan, pilot: Path) -> None:
    """Write what is served, the minutes, the truth and the labels below a folder."""
    for folder in (pilot / "served", pilot / "minutes", pilot / "truth"):
        folder.mkdir(parents=True, exist_ok=True)
    for shown in month.shown:
        write_served(pilot / "served", shown.served)
    for minutes in month.minutes:
        (pilot / "minutes" / minutes.file).write_bytes(minutes.document)
    truth = month.truth
    names = [field.name for field in fields(Truth) if not field.name.startswith("datum")]
    rows = ([_cell(asdict(row)[name]) for name in names] for row in truth)
    (pilot / "truth" / "truth.csv").write_bytes(_csv(names, rows))
    data = ([row.manifestation_id, row.datum_kind, row.datum] for row in truth if row.datum)
    (pilot / "truth" / "personal_data.csv").write_bytes(_csv(["manifestation_id", "kind", "value"], data))
    (pilot / "labels.csv").write_bytes(_csv(LABEL_FIELDS, _labels(truth, plan)))


def _labels(truth: Sequence[Truth], plan: Plan) -> list[list[str]]:
    """Draw countable online items and label each as every simulated labeller would."""
    population = sorted((row for row in truth if row.counted and row.channel == "online"), key=lambda row: row.manifestation_id)
    categories = sorted({row.category for row in population})
    drawn = plan.stream("labels").sample(population, plan.labels.count)
    rows = []
    for row in drawn:
        for name, labeller in plan.labels.labellers.items():
            rng = plan.stream("labels", name, row.manifestation_id)
            wrong_category, wrong_sentiment = rng.random() < labeller.category_error, rng.random() < labeller.sentiment_error
            category = rng.choice([other for other in categories if other != row.category]) if wrong_category else row.category
            others = [other for other in SENTIMENTS if other != row.sentiment]
            rows.append([row.manifestation_id, name, category, rng.choice(others) if wrong_sentiment else row.sentiment])
    return rows


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8")


def main() -> None:
    """Compose the month into the project's own folder."""
    month = compose(DATA)
    write_month(month, load_plan(DATA / "pilot" / "plan.yml"), DATA / "pilot")
    counted = Counter(row.channel for row in month.truth if row.counted)
    shown_count = sum(len(shown.served.messages) for shown in month.shown)
    told = ", ".join(f"{count} {channel}" for channel, count in sorted(counted.items()))
    sys.stdout.write(f"{shown_count} messages in {len(month.shown)} served sources; countable by channel: {told}\n")


if __name__ == "__main__":
    main()
