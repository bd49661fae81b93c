"""A city whose months are written straight into a real warehouse, already read: what its reports say is known beforehand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from pipelines.project import Project
from pipelines.report import Report, report
from pipelines.runs import Readers
from pipelines.warehouse import Warehouse, open_warehouse

SOURCES = ("plaza", "mercado", "ladera", "rivera", "cerro")
SEEN = datetime(2021, 7, 1, 14, tzinfo=UTC)

CITY = """\
id: pueblo
name: Pueblo
country: PE
official_code: "150103"
timezone: America/Lima
contact: buzon@municipio.test
synthetic: true
clock: "2021-07-01T09:00:00-05:00"
defaults: {legal_basis: Prueba, approved_by: Prueba, approved_on: 2021-03-24, retention_days: 90}
sources:
"""
ENTRY = """\
  - id: %(name)s
    platform: file
    url: data/imports/%(name)s.csv
    terms: http://www.municipio.test/terminos/
    publisher: {name: %(title)s, kind: forum, official: false}
    expect: {min: 0, max: 100000}
    options: {columns: {id: id, author: autor, text: [texto], date: fecha}}
"""


@dataclass
class Pueblo:
    """The city's project, its open warehouse, and how to write into it."""

    project: Project
    warehouse: Warehouse
    readers: Readers
    batches: int = 0
    items: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def city(self) -> City:
        return self.project.load_city("pueblo")

    def window(self, first: date, last: date) -> Period:
        return Period.from_dates(first, last, self.city.zone)

    def write(
        self,
        period: Period,
        counts: Mapping[str, Mapping[str, int]],
        *,
        failed: Sequence[str] = (),
        negative: float = 0.5,
        authors: Mapping[str, int] | None = None,
    ) -> None:
        """Write what sources gave for a window, spread over its days; each source is read whole unless it failed.

        Args:
            period: the window.
            counts: source id -> category -> messages.
            failed: sources that could not be read; theirs is left out.
            negative: chance of a negative tone.
            authors: category -> writers of all its messages in a source; by default each message has a writer of its own.
        """
        rows: list[dict[str, Any]] = []
        for source in SOURCES:
            self.batches += 1
            status = "failed" if source in failed else "ok"
            self._append_batch(source, period, status)
            for category, count in counts.get(source, {}).items() if status == "ok" else ():
                rows += [self._item(source, period, category, number, authors) for number in range(count)]
        self.warehouse.append("manifestation", [{name: row[name] for name in row if name != "category"} for row in rows])
        self._append_readings(rows, negative)

    def report(self, period: Period, *source_ids: str, formats: Sequence[str] = ("html",)) -> Report:
        return report(self.warehouse, self.project, self.city, period, self.readers, source_ids=source_ids, formats=formats)

    def rows(self, table: str, finished: Report, where: str = "true") -> list[dict[str, Any]]:
        sql = f"select * from {table} where report_id = $id and {where} order by all"
        return self.warehouse.rows(sql, {"id": finished.report_id})

    def change(self, finished: Report, measure: str, key: str) -> dict[str, Any]:
        (row,) = self.rows("report_change", finished, f"measure = '{measure}' and key = '{key}'")
        return row

    def _append_batch(self, source: str, period: Period, status: str) -> None:
        window = {"city": "pueblo", "source_id": source, "period_start": period.start_utc, "period_end": period.end_utc}
        common = {"batch_number": self.batches, **window, "observed_at": SEEN}
        batch = {"run_id": "r", "spool": f"s{self.batches}", "item_count": 0, "added_count": 0, "complete": status == "ok"}
        self.warehouse.append("batch", [common | batch])
        health = {"status": status, "reason": "none" if status == "ok" else "unreachable", "detail": "", "robots": "none"}
        counted = dict.fromkeys(("request_count", "byte_count", "item_count", "undated_count", "skipped_count"), 0)
        self.warehouse.append("source_health", [common | health | counted])

    def _item(self, source: str, period: Period, category: str, number: int, authors: Mapping[str, int] | None) -> dict[str, Any]:
        self.items += 1
        days = period.days()
        start = datetime.combine(days[number % len(days)], time(5), tzinfo=UTC)
        writers = (authors or {}).get(category)
        author = f"{category}-{number % writers}" if writers else f"a{self.items}"
        return {
            "manifestation_id": f"m{self.items:07}",
            "version": f"v{self.items:07}",
            "version_number": 1,
            "city": "pueblo",
            "source_id": source,
            "channel": "online",
            "kind": "manifestation",
            "author_key": author,
            "published_at": start + timedelta(seconds=self.chance.randrange(86_000)),
            "text_digest": f"t{self.items:07}",
            "text_length": 60,
            "first_seen_at": SEEN,
            "batch_number": self.batches,
            "batch_position": number,
            "category": category,
        }

    def _append_readings(self, rows: Sequence[Mapping[str, Any]], negative: float) -> None:
        readings: list[dict[str, Any]] = []
        for row in rows:
            tone = "neg" if self.chance.random() < negative else "neu"
            labels = {"category": row["category"], "issue": "none", "sentiment": tone, "language": "es", "screening": "ok"}
            for task, choice in self.readers.config.tasks.items():
                if task in labels:
                    readings.append(
                        {
                            "manifestation_id": row["manifestation_id"],
                            "version": row["version"],
                            "task": task,
                            "annotator": choice.annotator,
                            "revision": self.readers.annotators[choice.annotator].revision,
                            "taxonomy_version": self.readers.taxonomy_version,
                            "label": labels[task],
                            "score": 1.0,
                            "probabilities": [1.0],
                            "run_id": "r",
                        }
                    )
        self.warehouse.append("annotation", readings)


@contextmanager
def found_pueblo(folder: Path, readers: Readers) -> Iterator[Pueblo]:
    """Make the project, and hold its warehouse open for as long."""
    project = Project(folder)
    project.cities.mkdir(parents=True)
    entries = "".join(ENTRY % {"name": name, "title": name.title()} for name in SOURCES)
    (project.cities / "pueblo.yml").write_text(CITY + entries, encoding="utf-8")
    with open_warehouse(project.warehouse) as warehouse:
        yield Pueblo(project, warehouse, readers)
