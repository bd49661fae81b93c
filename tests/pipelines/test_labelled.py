"""What people labelled: which samples serve, whose labels hold, what each message stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.reports.labelled import Gold, Sample, choose_samples, join_labels, weigh
from pipelines.reports.quality import confusion, macro_f1, measure_quality


def day(number: int) -> datetime:
    return datetime(2021, 4, number, tzinfo=UTC)


def test_a_sample_of_the_whole_window_serves() -> None:
    month = Sample("mes", day(1), day(30), 400)
    assert choose_samples([month], day(1), day(30)) == [month]


def test_samples_one_after_another_serve_if_they_leave_no_gap() -> None:
    weeks = [Sample("s1", day(1), day(8), 50), Sample("s2", day(8), day(15), 50), Sample("s3", day(16), day(22), 50)]
    assert choose_samples(weeks, day(1), day(15)) == weeks[:2]
    assert choose_samples(weeks, day(1), day(22)) == []
    assert choose_samples([], day(1), day(22)) == []


def test_of_two_choices_the_one_with_more_labels_serves_and_none_overlap() -> None:
    samples = [Sample("mes", day(1), day(15), 90), Sample("s1", day(1), day(8), 50), Sample("s2", day(8), day(15), 50)]
    assert [sample.sample_id for sample in choose_samples(samples, day(1), day(15))] == ["s1", "s2"]
    samples[0] = Sample("mes", day(1), day(15), 101)
    assert [sample.sample_id for sample in choose_samples(samples, day(1), day(15))] == ["mes"]


def test_a_sample_without_labels_does_not_serve() -> None:
    assert choose_samples([Sample("mes", day(1), day(30), 0)], day(1), day(30)) == []


def row(identity: str, task: str, labeller: str, label: str, **more: Any) -> dict[str, Any]:
    base = {"sample_id": "s", "stratum": "all", "category_id": "salud", "issue_id": None, "sentiment": "neg"}
    return {**base, "manifestation_id": identity, "task": task, "labeller": labeller, "label": label, **more}


def test_what_labellers_agree_on_holds_and_what_they_differ_on_is_missing() -> None:
    (item,) = join_labels(
        [
            row("m", "category", "A", "salud"),
            row("m", "category", "B", "salud"),
            row("m", "sentiment", "A", "neg"),
            row("m", "sentiment", "B", "neu"),
        ]
    )
    assert item.labels == {"category": "salud"}
    assert (item.differing, item.labellers) == (frozenset({"sentiment"}), 2)
    assert item.read == {"category": "salud", "issue": "none", "sentiment": "neg"}


def test_what_was_settled_holds_whatever_others_said() -> None:
    rows = [row("m", "category", "A", "salud"), row("m", "category", "B", "otros"), row("m", "category", "final", "transporte")]
    (item,) = join_labels(rows)
    assert item.labels == {"category": "transporte"}
    assert (item.differing, item.labellers) == (frozenset(), 2)


def test_an_empty_issue_is_none_only_of_those_who_fill_issues() -> None:
    filled = [
        row("m", "category", "A", "salud"),
        row("n", "category", "A", "salud"),
        row("n", "issue", "A", "salud.citas"),
    ]
    assert [item.labels.get("issue") for item in join_labels(filled)] == ["none", "salud.citas"]
    assert [item.labels.get("issue") for item in join_labels(filled[:2])] == [None, None]


def test_a_message_stands_for_its_stratum_and_the_sample_for_its_window() -> None:
    items = join_labels(
        row(identity, "category", "A", "salud", stratum=stratum) for identity, stratum in (("a", "x"), ("b", "y"), ("c", "y"))
    )
    strata = [
        {"sample_id": "s", "stratum": "x", "stratum_count": 10, "stratum_drawn": 1, "counted_count": 1},
        # 60 messages, 6 drawn, 4 of which still count; two are labelled: each stands for 20 of the 40 that are left.
        {"sample_id": "s", "stratum": "y", "stratum_count": 60, "stratum_drawn": 6, "counted_count": 4},
    ]
    assert weigh(items, strata, {"s": 50}).tolist() == pytest.approx([10, 20, 20])
    assert weigh(items, strata, {"s": 100}).tolist() == pytest.approx([20, 40, 40])


def test_quality_is_of_all_manifestations_not_of_the_sample() -> None:
    rows = [row("a", "category", "A", "salud", stratum="x"), row("b", "category", "A", "otros", stratum="y")]
    strata = [
        {"sample_id": "s", "stratum": "x", "stratum_count": 90, "stratum_drawn": 1, "counted_count": 1},
        {"sample_id": "s", "stratum": "y", "stratum_count": 10, "stratum_drawn": 1, "counted_count": 1},
    ]
    gold = Gold(join_labels(rows), strata, {"s": 100}, [({"category": "salud", "issue": "none", "sentiment": "neg"}, 100)])
    (found,) = measure_quality(gold)
    assert found["task"] == "category"
    assert found["accuracy"] == pytest.approx(0.9)
    assert found["accuracy_low"] < 0.9 < found["accuracy_high"]
    table = confusion(gold, "category").sum(axis=0)
    assert table.tolist() == [[0, 1], [0, 1]]
    assert macro_f1(table) == pytest.approx((0 + 2 / 3) / 2)
    assert found["macro_f1"] == pytest.approx((0 + 2 * 90 / 190) / 2)
