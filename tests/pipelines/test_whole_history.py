"""What is read of a window is what reading the whole history gives: the plain statements of `whole_history/` against ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.staging import REPORTS, stage
from pipelines.warehouse import QUERIES, Warehouse, memory_warehouse, used_parameters

PLAIN = Path(__file__).with_name("whole_history")
START, END = datetime(2021, 4, 1, 5, tzinfo=UTC), datetime(2021, 5, 1, 5, tzinfo=UTC)
SEEN = datetime(2021, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
READER = dict.fromkeys(("task", "annotator", "revision", "taxonomy_version"), "varchar") | {"threshold": "double"}
TASKS = ("category", "issue", "sentiment", "language", "screening")
DATES = (START - 200 * DAY, START - 9 * DAY, START, START + 3 * DAY, END - timedelta(microseconds=1), END, END + 40 * DAY)


@dataclass(frozen=True)
class Content:
    """What makes a version of an item."""

    date: datetime | None
    relative: bool
    """It was told as "hace 2 horas", and is another day with each visit."""

    kind: str
    readings: tuple[tuple[str, str], ...]
    """(task, revision) of what was read of it."""

    with_instants: bool
    """False: an earlier version of the program wrote its rows."""

    stored: bool
    """Its text is there."""


contents = st.builds(
    Content,
    date=st.sampled_from((None, *DATES)),
    relative=st.sampled_from((False, False, True)),
    kind=st.sampled_from(("manifestation", "manifestation", "manifestation", "article")),
    readings=st.lists(st.tuples(st.sampled_from(TASKS), st.sampled_from(("1", "2"))), unique=True, max_size=6).map(tuple),
    with_instants=st.sampled_from((True, True, False)),
    stored=st.sampled_from((True, True, False)),
)


@dataclass(frozen=True)
class Item:
    """An item of one source and its versions in the order in which they came."""

    city: str
    source: str
    contents: tuple[Content, ...]
    versions: tuple[tuple[int, int], ...]
    """(content, batch) of each version; a content may come back."""

    misses: tuple[int, ...]
    erased: bool
    author: str | None


items = st.lists(contents, min_size=1, max_size=3).flatmap(
    lambda made: st.builds(
        Item,
        city=st.sampled_from(("ate", "ate", "ate", "otra")),
        source=st.sampled_from(("a", "b", "lost")),
        contents=st.just(tuple(made)),
        versions=st.lists(st.tuples(st.integers(0, len(made) - 1), st.integers(1, 6)), min_size=1, max_size=4).map(
            lambda versions: tuple(sorted(versions, key=lambda version: version[1]))
        ),
        misses=st.lists(st.integers(0, 2), max_size=3).map(tuple),
        erased=st.booleans(),
        author=st.sampled_from((None, "rosa", "luis")),
    )
)
periods = st.sampled_from([(START - 30 * DAY, START), (START, END), (START + 9 * DAY, END + DAY), (END, END + 30 * DAY)])
batches = st.lists(st.tuples(periods, st.integers(0, 9)), min_size=6, max_size=6)
batches = batches | batches.map(
    lambda made: [(period, day) for (period, _), day in zip(made, sorted(day for _, day in made), strict=True)]
)
"""Period and day of observation of each batch; the clock may have gone backwards."""


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with memory_warehouse() as opened:
        columns = {"source_id": "varchar", "channel": "varchar", "position": "integer"}
        rows = [{"source_id": name, "channel": "online", "position": place} for place, name in enumerate("ab", start=1)]
        opened.temporary("city_source", rows, columns)
        identity = {"annotator": "k", "revision": "2", "taxonomy_version": "t", "threshold": 0.25}
        opened.temporary("task_reader", [{"task": task, **identity} for task in TASKS], READER)
        opened.temporary("label_threshold", [], {"task": "varchar", "label": "varchar", "threshold": "double"})
        yield opened


def fill(warehouse: Warehouse, made: list[Item], days: list[tuple[tuple[datetime, datetime], int]]) -> None:
    """Put a history in the place of the one before."""
    for table in ("batch", "manifestation", "manifestation_text", "annotation", "annotator_task", "manifestation_absence"):
        warehouse.query(f"delete from {table}")
    shared = {"run_id": "r", "city": "ate", "source_id": "a", "item_count": 0, "added_count": 0, "complete": True}
    observed = {number: SEEN + day * DAY for number, (_, day) in enumerate(days, start=1)}
    rows = [
        {**shared, "batch_number": number, "spool": f"s{number}", "period_start": start, "period_end": end}
        for number, ((start, end), _) in enumerate(days, start=1)
        if number != 6  # a batch that no row tells of
    ]
    warehouse.append("batch", [{**row, "observed_at": observed[row["batch_number"]]} for row in rows])
    labels = {"annotator": "k", "revision": "2", "taxonomy_version": "t", "run_id": "r"}
    warehouse.append("annotator_task", [{**labels, "task": task, "labels": ["salud", "none", "ok", "es"]} for task in TASKS])
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, item in enumerate(made):
        for table, lines in _rows(f"m{number}", item, observed).items():
            tables.setdefault(table, []).extend(lines)
    for table, lines in tables.items():
        warehouse.append(table, lines)


def _rows(identity: str, item: Item, observed: dict[int, datetime]) -> dict[str, list[dict[str, Any]]]:
    """Return table -> rows of an item."""
    rows, texts, readings = [], [], []
    beside: dict[int, datetime | None] = {}
    for number, (place, batch) in enumerate(item.versions, start=1):
        content = item.contents[place]
        common = {"manifestation_id": identity, "version": f"{identity}-{place}"}
        date = content.date + number * DAY if content.relative and content.date else content.date
        row = {**common, "version_number": number, "city": item.city, "source_id": item.source, "channel": "online"}
        row |= {"kind": content.kind, "native_id": identity, "url": None, "author_key": item.author, "published_at": date}
        row |= {"published_raw": "hace 2 horas" if content.relative else None, "text_digest": f"d{place}", "text_length": 40}
        row |= {"first_seen_at": observed[batch], "batch_number": batch, "batch_position": 0}
        own = None if content.relative else date
        beside.setdefault(place, (own or observed[batch]) if content.with_instants else None)
        row["version_at"] = beside[place]
        rows.append({**row, "erased_at": SEEN if item.erased else None})
    for place in sorted({place for place, _ in item.versions}):
        content = item.contents[place]
        common = {"manifestation_id": identity, "version": f"{identity}-{place}", "version_at": beside[place]}
        if content.stored:
            texts.append({**common, "text": f"No hay agua en la cuadra {place} de la avenida principal"})
        for task, revision in content.readings:
            reading = {**common, "task": task, "annotator": "k", "revision": revision, "taxonomy_version": "t", "run_id": "r"}
            label = {"category": "salud", "issue": "none", "sentiment": "neg", "language": "es", "screening": "ok"}[task]
            readings.append({**reading, "label": label, "score": 0.9, "probabilities": [1.0]})
    missed = {"manifestation_id": identity, "city": item.city, "source_id": item.source}
    absences = [{**missed, "batch_number": n, "observed_at": SEEN + n * DAY, "misses": m} for n, m in enumerate(item.misses)]
    return {"manifestation": rows, "manifestation_text": texts, "annotation": readings, "manifestation_absence": absences}


def both(warehouse: Warehouse, file: Path, window: dict[str, Any], columns: str = "*") -> tuple[list[Any], list[Any]]:
    """Return what the plain statement and ours give, sorted."""
    found = []
    for path in (PLAIN / file.name, file):
        sql = path.read_text(encoding="utf-8")
        found.append(warehouse.query(f"select {columns} from ({sql}) order by all", used_parameters(sql, window)))
    return found[0], found[1]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(items, max_size=14), days=batches, seen=st.integers(0, 10))
def test_a_window_gives_what_the_whole_history_gives(warehouse: Warehouse, made: list[Item], days: Any, seen: int) -> None:
    fill(warehouse, made, days)
    window = {"city": "ate", "start": START, "end": END, "seen_until": SEEN + seen * DAY, "timezone": "America/Lima"}
    window |= {"since": START - 182 * DAY, "sources": ["a", "b", "lost"]}
    forwards = all(
        first <= second for item in made for first, second in pairwise(days[batch - 1][1] for _, batch in item.versions)
    )
    for name in ("watched_days", "watched_texts", *(["last_change"] if forwards else [])):
        plain, ours = both(warehouse, QUERIES / f"{name}.sql", window)
        assert ours == plain, name
    identity = {"annotator": "k", "revision": "2", "taxonomy_version": "t"}
    for sources in ([], ["a"]):
        columns = "manifestation_id, version, text"
        plain, ours = both(warehouse, QUERIES / "unread_messages.sql", {**window, **identity, "sources": sources}, columns)
        assert ours == plain
    staging = REPORTS / "staging"
    plain, ours = both(warehouse, staging / "window_item.sql", window, "* exclude (item_first_seen_at), item_first_seen_at")
    assert ours == [row[:-2] + row[-1:] for row in plain], "the plain one has `newest_first` too"
    for name in ("window_item", "window_reading"):
        stage(warehouse, name, window)
    copies = "select manifestation_id, 0 as copy_group, 0 as own_group, true as has_text from window_item"
    warehouse.query(f"create or replace temp table text_copy as {copies}")
    for name in ("window_text", "report_item"):
        plain, ours = both(warehouse, staging / f"{name}.sql", window)
        assert ours == plain, name


def test_the_plain_statements_see_what_these_histories_are_about(warehouse: Warehouse) -> None:
    """An edit that brings an item into the window and one that takes it out; an instant between them."""
    outside = Content(START - 9 * DAY, False, "manifestation", (("category", "2"),), True, True)
    inside = Content(START + 3 * DAY, False, "manifestation", (("category", "2"),), True, True)
    both_ways = Item("ate", "a", (outside, inside), ((0, 1), (1, 2), (0, 3)), (), False, None)
    fill(warehouse, [both_ways], [((START, END), number) for number in range(6)])
    window = {"city": "ate", "start": START, "end": END, "timezone": "America/Lima"}
    found = []
    for seen in range(3):
        plain, ours = both(
            warehouse,
            REPORTS / "staging" / "window_item.sql",
            {**window, "seen_until": SEEN + seen * DAY},
            "version_number, item_first_seen_at",
        )
        assert plain == ours
        found.append([(number, first.astimezone(UTC)) for number, first in ours])
    assert found == [[], [(2, SEEN)], []]


def test_a_look_back_does_not_change_when_an_item_is_moved_into_the_window(warehouse: Warehouse) -> None:
    outside = Content(START - 9 * DAY, False, "manifestation", (), True, True)
    inside = Content(START + 3 * DAY, False, "manifestation", (), True, True)
    days = [((START, END), number) for number in range(6)]
    here, moved = (
        Item("ate", "a", (inside,), ((0, 1),), (), False, None),
        Item("ate", "a", (outside,), ((0, 2),), (), False, None),
    )
    window = {"city": "ate", "start": START, "end": END, "timezone": "America/Lima", "seen_until": SEEN + 3 * DAY}
    fill(warehouse, [here, moved], days)
    before = warehouse.query_file("last_change", window)
    assert before == [(SEEN,)]
    fill(warehouse, [here, replace(moved, contents=(outside, inside), versions=((0, 2), (1, 5)))], days)
    assert warehouse.query_file("last_change", window) == before
    assert warehouse.query_file("last_change", {**window, "seen_until": SEEN + 9 * DAY}) == [(SEEN + 4 * DAY,)]
