"""Samples: what was drawn of a window, kept in the warehouse with the seed and the strata that it was drawn by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from collectors.catalog import City
from collectors.period import Period
from pipelines.building import stage_window
from pipelines.copies import load_place_words
from pipelines.digests import value_digest
from pipelines.labels.drawing import ONE_STRATUM, Drawable, Drawn, draw
from pipelines.project import Project
from pipelines.report import last_change
from pipelines.reports.agreement import FINAL as FINAL
from pipelines.runs import NothingToReport, Readers, record_run
from pipelines.staging import Build
from pipelines.warehouse import Warehouse, used_parameters

FOLDER = Path(__file__).parent
SAMPLE_ID_LENGTH = 12
DEFAULT_SIZE = 400
LABELLERS = ("A", "B")
"""The two who label without knowing of each other."""


class LabelError(ValueError):
    """Labels or a sample cannot be used as given; the message holds one line for each mistake."""


@dataclass(frozen=True)
class Sample:
    """A row of `label_sample`; see its columns."""

    sample_id: str
    city: str
    channel: str
    period_start: datetime
    period_end: datetime
    seen_until: datetime
    design: str
    seed: int | None
    population_count: int
    drawn_count: int
    taxonomy_version: str
    annotators: str
    run_id: str
    double_count: int | None

    def period(self, city: City) -> Period:
        """Return the window that the sample stands for."""
        return Period(self.period_start, self.period_end, city.zone)

    def labellers_of(self, position: int) -> tuple[str, ...]:
        """Return who gets the message at a position: both up to `double_count`, then A and B by turns."""
        if self.double_count is None or position <= self.double_count:
            return LABELLERS
        return (LABELLERS[(position - self.double_count + 1) % 2],)


class Message(NamedTuple):
    """A message of a sample as people see it."""

    position: int
    manifestation_id: str
    text: str | None
    """None where the text is stored no longer."""


def query_labels(warehouse: Warehouse, name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one of the `.sql` files of this folder with those of the parameters that it names."""
    sql = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return warehouse.query(sql, used_parameters(sql, parameters))


def load_samples(warehouse: Warehouse, city_id: str) -> list[Sample]:
    """Load the samples of a city, in the order of their windows."""
    rows = warehouse.rows(
        "select * from label_sample where city = $city order by period_start, period_end, channel, run_id, sample_id",
        {"city": city_id},
    )
    return [Sample(**row) for row in rows]


def find_sample(warehouse: Warehouse, city_id: str, sample_id: str) -> Sample:
    """Return a sample of a city by its id.

    Raises:
        LabelError: if the city has none with that id; the message lists those it has.
    """
    known = {sample.sample_id: sample for sample in load_samples(warehouse, city_id)}
    if sample_id not in known:
        raise LabelError(f"{city_id} has no sample {sample_id}; available: {', '.join(known) or 'none'}")
    return known[sample_id]


def load_messages(warehouse: Warehouse, sample: Sample) -> list[Message]:
    """Load the messages of a sample in the order in which people see them."""
    return [Message(*row) for row in query_labels(warehouse, "sample_texts", {"sample_id": sample.sample_id})]


def draw_sample(
    warehouse: Warehouse,
    project: Project,
    city: City,
    period: Period,
    readers: Readers,
    *,
    channel: str = "online",
    size: int = DEFAULT_SIZE,
    seed: int | None = None,
    double: int | None = None,
) -> Sample:
    """Draw a sample of the counted manifestations of a window and keep it; one that was drawn already is returned as it is.

    Args:
        warehouse: open for writing.
        project: whose city it is.
        city: whose messages.
        period: the window.
        readers: whose readings make the strata.
        channel: which channel; samples of channels are never pooled.
        size: messages to draw.
        seed: by default one that follows from city, channel and window.
        double: how many are given to both labellers; by default all.

    Raises:
        LabelError: if an option is out of range, or no counted message of the channel has a text.
        NothingToReport: if nothing was collected for the window.
        NotAnnotated: if messages of the window have not been read.
    """
    _check_options(city, channel, size, double)
    build = stage_counted(warehouse, project, city, period, readers)
    messages = [Drawable(*row) for row in query_labels(warehouse, "drawable", {"channel": channel})]
    if not messages:
        raise LabelError(f"no counted message of channel {channel} in {period} has a text: there is nothing to draw from")
    chosen = int(value_digest([city.id, channel, period.slug()])[:8], 16) if seed is None else seed
    drawn = draw(messages, size=size, seed=chosen)
    if double is not None and double >= len(drawn):
        double = None
    design = "simple" if {item.stratum for item in drawn} == {ONE_STRATUM} else "stratified"
    identity = [build.window["city"], channel, period.start_utc.isoformat(), period.end_utc.isoformat(), chosen, double]
    identity += [[item.message.manifestation_id, item.message.version, item.stratum, item.stratum_count] for item in drawn]
    described = {"design": design, "seed": chosen, "population_count": len(messages), "double_count": double}
    return store_sample(warehouse, build, value_digest(identity)[:SAMPLE_ID_LENGTH], channel, drawn, described)


def stage_counted(warehouse: Warehouse, project: Project, city: City, period: Period, readers: Readers) -> Build:
    """Stage `report_item` of a window as its newest report would see it.

    Raises:
        NothingToReport: if nothing was collected for the window.
        NotAnnotated: if messages of the window have not been read.
    """
    instant = last_change(warehouse, city, period)
    if instant is None:
        remedy = f"run `escucha collect {city.id} {period.as_options()}` first"
        raise NothingToReport(f"nothing was collected for {city.id} in {period}; {remedy}")
    build = Build(warehouse, project, city, period, readers, instant, places=load_place_words(project, city.id))
    stage_window(build)
    return build


def store_sample(
    warehouse: Warehouse, build: Build, sample_id: str, channel: str, drawn: Sequence[Drawn], described: Mapping[str, Any]
) -> Sample:
    """Append a sample and its messages, unless the warehouse has it; return it as it is stored."""
    known = {sample.sample_id: sample for sample in load_samples(warehouse, build.city.id)}
    if sample_id in known:
        return known[sample_id]
    with record_run(warehouse, build.project, build.city, "label", build.period, build.readers) as run:
        sample = Sample(
            sample_id=sample_id,
            city=build.city.id,
            channel=channel,
            period_start=build.period.start_utc,
            period_end=build.period.end_utc,
            seen_until=build.seen_until,
            drawn_count=len(drawn),
            taxonomy_version=build.readers.taxonomy_version,
            annotators=json.dumps(build.readers.revisions(), sort_keys=True),
            run_id=run.run_id,
            **described,
        )
        with warehouse.transaction():
            warehouse.append("label_sample", [asdict(sample)])
            warehouse.append("label_sample_item", [_item_row(sample_id, *entry) for entry in enumerate(drawn, start=1)])
    return sample


def _item_row(sample_id: str, position: int, item: Drawn) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "manifestation_id": item.message.manifestation_id,
        "version": item.message.version,
        "position": position,
        "source_id": item.message.source_id,
        "stratum": item.stratum,
        "stratum_count": item.stratum_count,
        "stratum_drawn": item.stratum_drawn,
    }


def _check_options(city: City, channel: str, size: int, double: int | None) -> None:
    channels = sorted({source.channel for source in city.sources})
    if channel not in channels:
        raise LabelError(f"{city.id} has no channel {channel!r}; available: {', '.join(channels)}")
    if size < 1:
        raise LabelError(f"--size {size}: must be at least 1")
    if double is not None and double < 0:
        raise LabelError(f"--double {double}: must be 0 or more")
    if double is not None and double > size:
        raise LabelError(f"--double {double}: more than the {size} messages of --size; allowed: 0 to {size}")
