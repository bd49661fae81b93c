"""What counts: the rules of report_item.sql, each on a handful of rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.staging import stage, stage_items
from pipelines.warehouse import Warehouse, memory_warehouse

START = datetime(2021, 4, 1, 5, tzinfo=UTC)
END = datetime(2021, 5, 1, 5, tzinfo=UTC)
MONTH = 30 * 24 * 3600
"""Seconds of the window."""

NOON = datetime(2021, 4, 10, 17, tzinfo=UTC)
SEEN = datetime(2021, 5, 3, 14, tzinfo=UTC)
SOURCE = {"source_id": "varchar", "channel": "varchar", "position": "integer"}
READER = dict.fromkeys(("task", "annotator", "revision", "taxonomy_version"), "varchar") | {"threshold": "double"}
OWN = {"task": "varchar", "label": "varchar", "threshold": "double"}
LONG = "la misma frase larga de una persona del distrito"


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """An empty warehouse in memory with two online sources, the desk, and one batch each."""
    with memory_warehouse() as opened:
        sources = [("a", "online", 1), ("b", "online", 2), ("desk", "attention_office", 3)]
        rows = [{"source_id": name, "channel": channel, "position": position} for name, channel, position in sources]
        opened.temporary("city_source", rows, SOURCE)
        thresholds = {"category": 0.25, "issue": 0.0, "sentiment": 0.0, "language": 0.0, "screening": 0.0}
        identity = {"annotator": "k", "revision": "1", "taxonomy_version": "t"}
        opened.temporary(
            "task_reader", [{"task": task, **identity, "threshold": least} for task, least in thresholds.items()], READER
        )
        opened.temporary("label_threshold", [], OWN)
        opened.append("batch", [batch(1, START, END), batch(2, END, END + timedelta(days=30))])
        yield opened


def batch(number: int, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "batch_number": number,
        "run_id": "r",
        "city": "ate",
        "source_id": "a",
        "spool": f"s{number}",
        "period_start": start,
        "period_end": end,
        "observed_at": SEEN,
        "item_count": 0,
        "added_count": 0,
        "complete": True,
    }


def add(warehouse: Warehouse, identity: str, **given_fields: Any) -> None:
    """Append one version of an item with its readings."""
    labels = {"category": "salud", "issue": "none", "sentiment": "neg", "language": "es", "screening": "ok"}
    labels |= {task: given_fields.pop(task) for task in list(given_fields) if task in labels}
    score, text = given_fields.pop("score", 0.9), given_fields.pop("text", None)
    row = {
        "manifestation_id": identity,
        "version": f"{identity}-1",
        "version_number": 1,
        "city": "ate",
        "source_id": "a",
        "channel": "online",
        "kind": "manifestation",
        "url": None,
        "author_key": None,
        "published_at": NOON,
        "text_digest": identity,
        "text_length": 40,
        "first_seen_at": SEEN,
        "batch_number": 1,
        "batch_position": 0,
        **given_fields,
    }
    warehouse.append("manifestation", [row])
    if text is not None:
        warehouse.append("manifestation_text", [{"manifestation_id": identity, "version": row["version"], "text": text}])
    readings = [
        {
            "manifestation_id": identity,
            "version": row["version"],
            "task": task,
            "annotator": "k",
            "revision": "1",
            "taxonomy_version": "t",
            "label": label,
            "score": score if task == "category" else 1.0,
            "probabilities": [1.0],
            "run_id": "r",
        }
        for task, label in labels.items()
    ]
    warehouse.append("annotation", readings)


def items(warehouse: Warehouse, start: datetime = START, end: datetime = END, seen: datetime = SEEN) -> list[dict[str, Any]]:
    """Return the staged rows in the order of their ids."""
    window = {"city": "ate", "start": start, "end": end, "seen_until": seen, "timezone": "America/Lima"}
    stage_items(warehouse, window, frozenset())
    return warehouse.rows("select * from report_item order by manifestation_id")


def staged(warehouse: Warehouse, start: datetime = START, end: datetime = END, seen: datetime = SEEN) -> dict[str, str | None]:
    """Return manifestation id -> why it does not count (None: it counts)."""
    rows = items(warehouse, start, end, seen)
    assert all(row["counted"] == (row["not_counted"] is None) for row in rows)
    return {row["manifestation_id"]: row["not_counted"] for row in rows}


def test_context_and_unread_things_are_set_aside_by_name(warehouse: Warehouse) -> None:
    add(warehouse, "person")
    add(warehouse, "article", kind="article")
    add(warehouse, "official", kind="official")
    add(warehouse, "spam", screening="spam")
    add(warehouse, "test", screening="test")
    add(warehouse, "quechua", language="qu")
    add(warehouse, "short", language="unknown")
    add(warehouse, "undated", published_at=None)
    assert staged(warehouse) == {
        "person": None,
        "article": "article",
        "official": "official",
        "spam": "spam",
        "test": "test",
        "quechua": "quechua",
        "short": None,
        "undated": "undated",
    }


def test_the_window_is_half_open(warehouse: Warehouse) -> None:
    second = timedelta(seconds=1)
    for identity, instant in (("before", START - second), ("first", START), ("last", END - second), ("after", END)):
        add(warehouse, identity, published_at=instant)
    assert set(staged(warehouse)) == {"first", "last"}


def test_an_undated_item_belongs_to_the_collections_of_the_window(warehouse: Warehouse) -> None:
    add(warehouse, "april", published_at=None)
    add(warehouse, "may", published_at=None, batch_number=2)
    assert staged(warehouse) == {"april": "undated"}


def test_one_item_under_the_same_link_in_two_sources_counts_once(warehouse: Warehouse) -> None:
    link = "http://x.test/1#comment-2"
    add(warehouse, "m1", url=link, text_digest="breve")
    add(warehouse, "m2", url=link, text_digest="breve", source_id="b", published_at=NOON + timedelta(minutes=5))
    assert staged(warehouse) == {"m1": None, "m2": "mirror"}


def test_a_link_that_many_items_of_a_source_share_is_no_identity(warehouse: Warehouse) -> None:
    for identity in ("m1", "m2"):
        add(warehouse, identity, url="http://x.test/thread")
    add(warehouse, "m3", url="http://x.test/thread", source_id="b")
    assert set(staged(warehouse).values()) == {None}


def test_the_same_words_at_the_same_instant_elsewhere_are_a_mirror(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest=LONG)
    add(warehouse, "m2", text_digest=LONG, source_id="b")
    add(warehouse, "m3", text_digest=LONG, source_id="b", published_at=NOON + timedelta(hours=1))
    assert staged(warehouse) == {"m1": None, "m2": "mirror", "m3": None}


def test_two_neighbours_of_one_source_who_copy_a_text_both_count(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest=LONG, author_key="rosa")
    add(warehouse, "m2", text_digest=LONG, author_key="luis")
    add(warehouse, "m3", text_digest=LONG)
    add(warehouse, "m4", text_digest=LONG)
    assert set(staged(warehouse).values()) == {None}


def test_very_short_words_are_no_evidence_of_a_mirror(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest="gracias", text_length=7)
    add(warehouse, "m2", text_digest="gracias", text_length=7, source_id="b")
    assert set(staged(warehouse).values()) == {None}


def test_an_authors_own_repeat_counts_once_within_its_source(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest=LONG, author_key="rosa")
    add(warehouse, "m2", text_digest=LONG, author_key="rosa", published_at=NOON + timedelta(days=2))
    add(warehouse, "m3", text_digest="otra cosa", author_key="rosa")
    assert staged(warehouse) == {"m1": None, "m2": "own_repeat", "m3": None}


NEAR = (
    "Vecinos, la pista de la avenida Los Fresnos está llena de huecos y los carros se malogran.",
    "VECINOS LA PISTA DE LA AV LOS FRESNOS ESTA LLENA DE HUECOS Y LOS CARROS SE MALOGRAN!!!",
    "Buenas tardes, la pista d la avenida Los Fresnos está llena de huecos y los carros se malogran 😡 #Ate",
)
ELSEWHERE = "Vecinos, la pista de la avenida Los Robles está llena de huecos y los carros se malogran."


def test_an_authors_near_repeat_counts_once_within_its_source(warehouse: Warehouse) -> None:
    for number, text in enumerate((*NEAR, ELSEWHERE)):
        add(warehouse, f"m{number}", text=text, author_key="rosa", published_at=NOON + timedelta(hours=number))
    add(warehouse, "m9", text=NEAR[1], author_key="rosa", source_id="b", published_at=NOON + timedelta(days=1))
    assert staged(warehouse) == {"m0": None, "m1": "own_repeat", "m2": "own_repeat", "m3": None, "m9": None}


def test_other_peoples_near_copies_count_and_are_one_text(warehouse: Warehouse) -> None:
    for number, text in enumerate((*NEAR, ELSEWHERE)):
        add(warehouse, f"m{number}", text=text, author_key=f"persona {number}", published_at=NOON + timedelta(hours=number))
    add(warehouse, "m9", text=NEAR[2])
    assert set(staged(warehouse).values()) == {None}
    groups = {row["manifestation_id"]: row["copy_group"] for row in items(warehouse)}
    assert groups == {"m0": 0, "m1": 0, "m2": 0, "m9": 0, "m3": 1}


def test_a_repeat_does_not_hang_on_what_others_wrote(warehouse: Warehouse) -> None:
    add(warehouse, "m0", text=NEAR[0], author_key="rosa")
    add(warehouse, "m1", text=NEAR[1], author_key="rosa", published_at=NOON + timedelta(hours=1))
    alone = staged(warehouse)
    for number in range(6):
        add(warehouse, f"z{number}", text=NEAR[2] + " Gracias" * number, author_key=f"otra {number}")
    among = staged(warehouse)
    assert {name: among[name] for name in alone} == alone == {"m0": None, "m1": "own_repeat"}


def test_a_text_that_is_stored_no_longer_is_a_copy_of_those_with_its_digest_alone(warehouse: Warehouse) -> None:
    add(warehouse, "m0", text_digest=LONG, author_key="rosa")
    add(warehouse, "m1", text_digest=LONG, text=NEAR[0], author_key="rosa", published_at=NOON + timedelta(hours=1))
    add(warehouse, "m2", text=NEAR[1], author_key="rosa", published_at=NOON + timedelta(hours=2))
    add(warehouse, "m3", author_key="rosa", published_at=NOON + timedelta(hours=3))
    assert staged(warehouse) == {"m0": None, "m1": "own_repeat", "m2": "own_repeat", "m3": None}
    assert [row["has_text"] for row in items(warehouse)] == [False, True, True, False]


def test_an_item_set_aside_makes_no_mirror_of_another(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest=LONG, kind="article")
    add(warehouse, "m2", text_digest=LONG, source_id="b")
    assert staged(warehouse) == {"m1": "article", "m2": None}


def test_channels_are_apart(warehouse: Warehouse) -> None:
    add(warehouse, "m1", text_digest=LONG)
    add(warehouse, "m2", text_digest=LONG, source_id="desk")
    assert set(staged(warehouse).values()) == {None}


def test_the_newest_version_decides_and_an_old_instant_brings_the_old_one_back(warehouse: Warehouse) -> None:
    add(warehouse, "m1")
    later = SEEN + timedelta(days=1)
    add(warehouse, "m1", version="m1-2", version_number=2, first_seen_at=later, screening="spam")
    assert staged(warehouse) == {"m1": None}
    assert staged(warehouse, seen=later) == {"m1": "spam"}


def test_a_weak_reading_is_unclassified(warehouse: Warehouse) -> None:
    add(warehouse, "weak", score=0.2, issue="salud.vacunacion")
    add(warehouse, "strong", score=0.3, issue="salud.vacunacion")
    rows = [(row["manifestation_id"], row["category_id"], row["issue_id"]) for row in items(warehouse)]
    assert rows == [("strong", "salud", "salud.vacunacion"), ("weak", "unclassified", None)]


def test_a_label_may_have_a_threshold_of_its_own(warehouse: Warehouse) -> None:
    warehouse.temporary("label_threshold", [{"task": "category", "label": "salud", "threshold": 0.8}], OWN)
    add(warehouse, "health", score=0.6)
    add(warehouse, "surer", score=0.8)
    add(warehouse, "streets", score=0.6, category="vias_obras")
    rows = [(row["manifestation_id"], row["category_id"]) for row in items(warehouse)]
    assert rows == [("health", "unclassified"), ("streets", "vias_obras"), ("surer", "salud")]


@settings(max_examples=15)
@given(cut=st.integers(1, MONTH - 1), offsets=st.lists(st.integers(0, MONTH - 1), max_size=12))
def test_two_parts_of_a_window_hold_what_the_whole_holds(cut: int, offsets: list[int]) -> None:
    with memory_warehouse() as opened:
        opened.temporary("city_source", [{"source_id": "a", "channel": "online", "position": 1}], SOURCE)
        opened.temporary("task_reader", [], READER)
        opened.temporary("label_threshold", [], OWN)
        opened.append("batch", [batch(1, START, END)])
        for number, offset in enumerate(offsets):
            add(opened, f"m{number}", published_at=START + timedelta(seconds=offset))
        middle = START + timedelta(seconds=cut)
        first, second, whole = staged(opened, START, middle), staged(opened, middle, END), staged(opened)
        assert not set(first) & set(second)
        assert set(first) | set(second) == set(whole)


def test_two_people_who_link_to_one_thing_are_two(warehouse: Warehouse) -> None:
    add(warehouse, "proposal", url="http://x.test/proposals/7")
    add(warehouse, "comment", url="http://x.test/proposals/7", source_id="b", text_digest="otra cosa")
    assert set(staged(warehouse).values()) == {None}


def test_a_date_without_a_clock_time_is_no_evidence_of_a_mirror(warehouse: Warehouse) -> None:
    for identity, source in (("m1", "a"), ("m2", "b")):
        add(warehouse, identity, source_id=source, text_digest=LONG, published_at=datetime(2021, 4, 10, 5, tzinfo=UTC))
    assert set(staged(warehouse).values()) == {None}


def states(warehouse: Warehouse, *outcomes: tuple[int, int, str, str]) -> tuple[str, str]:
    """Return (status, reason) of source `a` in April after collections of (first day, last day, status, reason)."""
    lima = timedelta(hours=5)
    for number, (first, last, status, reason) in enumerate(outcomes, start=1):
        health = {
            "batch_number": number,
            "city": "ate",
            "source_id": "a",
            "period_start": datetime(2021, 4, first, tzinfo=UTC) + lima,
            "period_end": datetime(2021, 4, last, tzinfo=UTC) + lima + timedelta(days=1),
            "observed_at": SEEN,
            "status": status,
            "reason": reason,
            "detail": "",
            **dict.fromkeys(("request_count", "byte_count", "item_count", "undated_count", "skipped_count"), 0),
            "robots": "allowed",
        }
        warehouse.append("source_health", [health])
    days = [{"day": datetime(2021, 4, day, tzinfo=UTC).date()} for day in range(1, 31)]
    warehouse.temporary("window_day", days, {"day": "date"})
    warehouse.query("alter table city_source add column enabled boolean default true")
    window = {"city": "ate", "start": START, "end": END, "seen_until": SEEN, "timezone": "America/Lima"}
    for name in ("covered_day", "source_state"):
        stage(warehouse, name, window)
    rows = warehouse.query("select source_id, status, reason from source_state")
    return {source: (status, reason) for source, status, reason in rows}["a"]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([(1, 30, "ok", "none")], ("ok", "none")),
        ([(1, 30, "failed", "unreachable")], ("failed", "unreachable")),
        ([(1, 29, "failed", "unreachable"), (30, 30, "ok", "none")], ("partial", "unreachable")),
        ([(1, 1, "failed", "http_error"), (1, 30, "ok", "none")], ("ok", "none")),
        ([(1, 30, "ok", "none"), (12, 12, "failed", "http_error")], ("partial", "http_error")),
        ([(1, 15, "empty", "nothing_published"), (16, 30, "ok", "none")], ("ok", "none")),
        ([(1, 29, "ok", "none")], ("partial", "days_missing")),
        ([(1, 14, "ok", "none"), (16, 30, "ok", "none")], ("partial", "days_missing")),
        ([(1, 14, "ok", "none"), (16, 30, "failed", "unreachable")], ("partial", "unreachable")),
        ([], ("not_collected", "none")),
    ],
)
def test_each_day_takes_the_last_collection_that_covered_it(
    warehouse: Warehouse, outcomes: list[tuple[int, int, str, str]], expected: tuple[str, str]
) -> None:
    assert states(warehouse, *outcomes) == expected
