"""Figures, labelled sets and the gate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.annotator import load_annotator
from models.configuration import ConfigurationError
from models.quality import gate
from models.quality.gate import Floors, accept_set, judge, load_floors, lower_floor, main, raise_floors, save_floors
from models.quality.measuring import Measurement, describe, measure, side_by_side, write_figure
from models.quality.metrics import (
    Figure,
    confusion_matrix,
    expected_calibration_error,
    measure_abstention,
    measure_calibration,
    measure_difference,
    measure_task,
)
from models.quality.sets import SET_NAMES, LabelledRow, LabelledSet, SetError, build_set, load_set
from models.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
LABELS = ("a", "b", "c")
ROWS = (
    LabelledRow("1", "La vereda está rota y nadie viene", {"category": "vias_obras", "sentiment": "neg"}, "PE", "carta"),
    LabelledRow("2", "Gracias por el parque, quedó lindo", {"category": "ambiente_areas_verdes", "sentiment": "pos"}, "PE"),
    LabelledRow("3", "¿A qué hora abre la biblioteca?", {"category": "educacion_cultura_deporte", "sentiment": "neu"}, "AR"),
    LabelledRow("4", "La basura sigue en la esquina", {"category": "limpieza_residuos"}, "AR"),
)


def value(figure: Figure | None) -> float:
    assert figure is not None
    return figure.value


def test_figures_of_a_small_case_by_hand() -> None:
    found = measure_task(["a", "a", "b", "b", "c"], ["a", "b", "b", "b", "a"], LABELS)
    assert found.confusion == ((1, 1, 0), (0, 2, 0), (1, 0, 0))
    assert found.figures["accuracy"].value == pytest.approx(3 / 5)
    by_label = {entry.label: entry for entry in found.classes}
    assert value(by_label["a"].precision) == pytest.approx(1 / 2)
    assert value(by_label["a"].recall) == pytest.approx(1 / 2)
    assert value(by_label["b"].precision) == pytest.approx(2 / 3)
    assert value(by_label["b"].f1) == pytest.approx(4 / 5)
    assert by_label["c"].precision is None, "never read"
    assert value(by_label["c"].f1) == 0
    assert found.figures["macro_f1"].value == pytest.approx((1 / 2 + 4 / 5 + 0) / 3)
    assert "macro_f1_10" not in found.figures, "no class has ten rows"
    assert "ece" not in found.figures, "no probabilities were given"


def test_a_class_that_is_absent_from_the_truth_is_not_averaged() -> None:
    found = measure_task(["a", "b", "a"], ["a", "b", "c"], (*LABELS, "d"))
    by_label = {entry.label: entry for entry in found.classes}
    assert by_label["c"].recall is None
    assert value(by_label["c"].f1) == 0
    assert by_label["d"].f1 is None
    assert found.figures["macro_f1"].value == pytest.approx((2 / 3 + 1) / 2)


def test_rare_classes_stay_out_of_the_average_over_ten_rows() -> None:
    truth = ["a"] * 12 + ["b"] * 10 + ["c"] * 9
    found = measure_task(truth, ["a"] * 12 + ["b"] * 10 + ["a"] * 9, LABELS)
    f1 = {entry.label: entry.f1 for entry in found.classes}
    assert found.figures["macro_f1_10"].value == pytest.approx((value(f1["a"]) + value(f1["b"])) / 2)
    assert found.figures["macro_f1"].value == pytest.approx((value(f1["a"]) + value(f1["b"])) / 3)


@pytest.mark.parametrize(
    ("truth", "read", "said"),
    [([], [], "empty"), (["a"], ["a", "b"], "1 true labels and 2 readings"), (["x"], ["a"], "allowed: a, b, c")],
)
def test_what_cannot_be_measured_is_refused(truth: list[str], read: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        confusion_matrix(truth, read, LABELS)
    with pytest.raises(ValueError, match=said):
        measure_task(truth, read, LABELS)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60))
def test_intervals_hold_their_figures_and_do_not_depend_on_the_order(pairs: list[tuple[str, str]]) -> None:
    truth, read = [true for true, _ in pairs], [said for _, said in pairs]
    found = measure_task(truth, read, LABELS)
    assert found == measure_task(truth[::-1], read[::-1], LABELS)
    for figure in (found.figures["accuracy"], found.figures["macro_f1"]):
        assert 0 <= figure.low <= figure.high <= 1
    accuracy = found.figures["accuracy"]
    assert accuracy.low <= accuracy.value <= accuracy.high


def test_the_interval_covers_the_true_accuracy_about_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(7)
    inside = 0
    for _ in range(200):
        read = np.where(drawn.random(300) < 0.7, "a", "b").tolist()
        accuracy = measure_task(["a"] * 300, read, LABELS).figures["accuracy"]
        inside += accuracy.low <= 0.7 <= accuracy.high
    assert 0.90 <= inside / 200 <= 0.99


def _calibrated(rows: int, seed: int, *, overconfident: float = 0.0) -> tuple[Figure, Figure]:
    drawn = np.random.default_rng(seed)
    scores = drawn.beta(4, 1.5, size=rows)
    return expected_calibration_error(scores, drawn.random(rows) < np.clip(scores - overconfident, 0, 1))


def test_a_perfectly_calibrated_reader_has_no_debiased_error() -> None:
    raw, debiased = zip(*(_calibrated(500, seed) for seed in range(20)), strict=True)
    assert 0.03 < np.mean([figure.value for figure in raw]) < 0.07, "as measured it looks wrong"
    assert np.mean([figure.value for figure in debiased]) < 0.012
    assert all(figure.low == 0 for figure in debiased)


def test_an_overconfident_reader_is_found_out_and_the_interval_holds_the_truth() -> None:
    found = [_calibrated(500, seed, overconfident=0.1)[1] for seed in range(40)]
    assert np.mean([figure.value for figure in found]) > 0.04
    assert np.mean([figure.low <= 0.1 <= figure.high for figure in found]) >= 0.85
    assert np.mean([figure.low > 0 for figure in found]) >= 0.7


def test_equal_scores_share_a_bin_in_whatever_order_they_come() -> None:
    scores = np.array([0.5] * 100)
    right = np.arange(100) < 50
    raw, debiased = expected_calibration_error(scores, right)
    assert raw.value == 0
    assert debiased.value == 0
    assert expected_calibration_error(scores, right[::-1]) == (raw, debiased)


def test_brier_and_likelihood_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 0.9, 0.1]])
    found = measure_calibration(["a", "a"], ["a", "b"], LABELS, probabilities)
    assert found["brier"].value == pytest.approx(((0.3**2 + 0.2**2 + 0.1**2) + (1 + 0.9**2 + 0.1**2)) / 2)
    assert found["nll"].value == pytest.approx((-np.log(0.7) - np.log(1e-6)) / 2)
    with pytest.raises(ValueError, match="needed"):
        measure_calibration(["a", "a"], ["a", "b"], LABELS, probabilities[:, :2])


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "macro_f1_10"])
def test_the_difference_of_two_readers_is_paired(metric: str) -> None:
    drawn = np.random.default_rng(5)
    truth = [LABELS[code] for code in drawn.integers(3, size=400)]
    worse = [label if drawn.random() < 0.7 else "a" for label in truth]
    better = [label if drawn.random() < 0.5 else said for label, said in zip(truth, worse, strict=True)]
    same = measure_difference(truth, worse, worse, LABELS, metric)
    assert same == (0, 0, 0), "the same readings never differ, in any resample"
    found = measure_difference(truth, better, worse, LABELS, metric)
    apart = [measure_task(truth, read, LABELS).figures[metric].value for read in (better, worse)]
    assert found.value == pytest.approx(apart[0] - apart[1])
    assert 0 < found.low < found.value < found.high
    with pytest.raises(ValueError, match="available"):
        measure_difference(truth, better, worse, LABELS, "ece")


def _cells(rows: Sequence[dict[str, str]]) -> list[tuple[int, dict[str, str]]]:
    return list(enumerate(rows, start=2))


def test_a_table_is_understood_by_id_and_by_wording() -> None:
    rows = _cells(
        [
            {"id": "x", "texto": "uno", "category": "VIAS Y OBRAS", "sentiment": "Negativa", "country": "PE"},
            {"id": "y", "texto": "dos", "category": "salud", "sentiment": "", "country": ""},
            {"id": "z", "texto": "tres", "category": "", "sentiment": " ", "country": "AR"},
        ]
    )
    found = build_set("t.csv", rows, TAXONOMY, text_column="texto")
    assert [(row.id, dict(row.labels), row.variety) for row in found.rows] == [
        ("x", {"category": "vias_obras", "sentiment": "neg"}, "PE"),
        ("y", {"category": "salud"}, ""),
    ]
    assert found.tasks == ("category", "sentiment")


def test_every_wrong_cell_is_told_at_once_with_what_is_allowed() -> None:
    rows = _cells([{"t": "uno", "category": "carreteras", "intent": "queja"}, {"t": "dos", "sentiment": "bueno"}])
    with pytest.raises(SetError) as caught:
        build_set("t.csv", rows, TAXONOMY, text_column="t")
    said = str(caught.value)
    for part in ("t.csv:2: category: 'carreteras'", "t.csv:2: intent: 'queja'", "t.csv:3: sentiment: 'bueno'"):
        assert part in said
    assert "allowed as sentiment: neg, neu, pos" in said
    assert "gestion_riesgos, otros" in said
    spelled = build_set("t.csv", rows[:0] + _cells([{"t": "x", "intent": "queja"}]), TAXONOMY, text_column="t",
                        spellings={"intent": {"complaint": "Queja"}})  # fmt: skip
    assert spelled.rows[0].labels == {"intent": "complaint"}


def test_a_table_without_labels_is_refused() -> None:
    with pytest.raises(SetError, match="category, issue, sentiment, intent or target"):
        build_set("t.csv", _cells([{"t": "uno"}]), TAXONOMY, text_column="t")


def test_the_digest_changes_with_text_label_and_variety_alone() -> None:
    base = LabelledSet("s", ROWS)
    assert base.digest == LabelledSet("another name", ROWS).digest
    for changed in (
        ROWS[0]._replace(text="otra"),
        ROWS[0]._replace(labels={"category": "salud"}),
        ROWS[0]._replace(variety="UY"),
        ROWS[0]._replace(id="9"),
    ):
        assert LabelledSet("s", (changed, *ROWS[1:])).digest != base.digest


def _write_shared(folder: Path) -> Path:
    """Write the shared files with invented messages."""
    (folder / "gold").mkdir(parents=True)
    (folder / "data").mkdir()
    gold = ["id\tcountry\tgenre\tcategory\tsentiment\ttext"]
    gold += [
        f"{row.id}\t{row.variety}\tcarta\t{row.labels['category']}\t{row.labels.get('sentiment', '')}\t{row.text}" for row in ROWS
    ]
    (folder / "gold" / "dev.tsv").write_text("\n".join(gold) + "\n", encoding="utf-8")
    sentiment = [
        "id\tdataset\tvariety\tsplit\tlabel\ttext",
        "s1\tx\tUY\ttest_tweets_uy\tpos\tqué lindo día",
        's2\tx\tES\ttrain\tneg\t"mal',
    ]
    (folder / "data" / "sentiment.tsv").write_text("\n".join(sentiment) + "\n", encoding="utf-8")
    texts = ["id\tcountry\tgenre\ttext", "u1\tES\tdebate\tfalta luz en la calle", "u2\tAR\tdebate\tno se usa"]
    (folder / "data" / "urban_unlabelled.tsv").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder


def test_the_shared_sets_are_read_whole(tmp_path: Path) -> None:
    shared = _write_shared(tmp_path / "shared")
    assert [row.id for row in load_set("gold_dev", shared).rows] == ["1", "2", "3", "4"]
    assert load_set("tweets_uy", shared).rows == (LabelledRow("s1", "qué lindo día", {"sentiment": "pos"}, "UY", "x"),)
    with pytest.raises(SetError, match="umsab"):
        load_set("umsab", shared)
    with pytest.raises(ValueError, match="available: gold_dev"):
        load_set("gold_test", shared)
    with pytest.raises(FileNotFoundError):
        load_set("gold_dev", tmp_path / "elsewhere")
    silver = tmp_path / "silver.tsv"
    heading = "id\tsplit\tcategory\tsentiment\tintent\ttarget\treaders\n"
    silver.write_text(heading + "u1\tholdout\tvias_obras\tneg\t\tnone\t2\nu2\ttrain\tsalud\tneg\t\t\t1\n", encoding="utf-8")
    (row,) = load_set("silver_holdout", shared, silver=silver).rows
    labels = {"category": "vias_obras", "sentiment": "neg", "target": "none"}
    assert row == LabelledRow("u1", "falta luz en la calle", labels, "ES", "debate")
    silver.write_text(heading + "u9\tholdout\tvias_obras\tneg\t\tnone\t2\n", encoding="utf-8")
    with pytest.raises(SetError, match="u9"):
        load_set("silver_holdout", shared, silver=silver)


@pytest.fixture(scope="module")
def measured() -> list[Measurement]:
    return measure(load_annotator("keyword", TAXONOMY), LabelledSet("gold_dev", ROWS))[0]


def test_an_annotator_is_measured_on_the_tasks_that_the_set_labels(measured: list[Measurement]) -> None:
    assert [(one.task, one.figures.rows) for one in measured] == [("category", 4), ("sentiment", 3)]
    assert set(measured[0].varieties) == {"AR", "PE"}
    assert measured[0].varieties["PE"].rows == 2
    assert measure(load_annotator("language", TAXONOMY), LabelledSet("s", ROWS)) == ([], 0.0)
    assert json.loads(json.dumps(describe(measured)))[0]["figures"]["confusion"] == [
        list(row) for row in measured[0].figures.confusion
    ]


def test_the_table_stays_within_80_columns(measured: list[Measurement]) -> None:
    lines = list(side_by_side([*measured, *measured, *measured]))
    assert max(map(len, lines)) <= 80
    assert write_figure(Figure(0.7123, 0.65, 1.0)) == ".712 [.65, 1.0]"
    assert write_figure(Figure(-0.02, -0.05, 0.01)) == "-.020 [-.05, .01]"


def _floors(**bound: object) -> Floors:
    labelled = LabelledSet("gold_dev", ROWS)
    floor = {"annotator": "keyword", "set": "gold_dev", "task": "category", "metric": "accuracy", **bound}
    return Floors.model_validate({"sets": {"gold_dev": {"digest": labelled.digest, "rows": 4}}, "floors": [floor]})


@pytest.mark.parametrize(
    ("bound", "state"),
    [
        ({"floor": 0.1}, "ok"),
        ({"floor": 1.0, "metric": "macro_f1", "task": "sentiment"}, "ok"),
        ({"metric": "ece", "at_most": 1.0}, "ok"),
        ({"metric": "ece_raw", "at_most": 0.0}, "UNDER"),
        ({"annotator": "keyword", "below": "keyword", "by": 0.0}, "ok"),
        ({"floor": 0.1, "metric": "macro_f1_10"}, "FAILED"),
        ({"floor": 0.1, "task": "intent"}, "FAILED"),
    ],
)
def test_floors_ceilings_and_distances_are_judged(measured: list[Measurement], bound: dict[str, object], state: str) -> None:
    (verdict,) = judge(_floors(**bound), measured, {})
    assert verdict.state == state, verdict


def test_a_reader_that_falls_too_far_behind_another_is_under(measured: list[Measurement]) -> None:
    from dataclasses import replace

    behind = replace(measured[0], annotator="fast", read=("otros",) * 4)
    (verdict,) = judge(_floors(annotator="fast", below="keyword", by=0.03), [*measured, behind], {})
    assert verdict.state == "UNDER"
    assert verdict.figure
    assert verdict.figure.value < -0.03
    (alone,) = judge(_floors(annotator="fast", below="keyword", by=0.03), [behind], {"keyword": "not asked for"})
    assert alone.state == "not measured"


def test_another_set_and_an_absent_one_never_pass(measured: list[Measurement]) -> None:
    floors = _floors(floor=0.0)
    other = measure(load_annotator("keyword", TAXONOMY), LabelledSet("gold_dev", ROWS[:3]))[0]
    assert judge(floors, other, {})[0].state == "OTHER SET"
    assert judge(floors, [], {"gold_dev": "not at hand"})[0].state == "not measured"
    assert judge(floors, [], {}, {"keyword": "does not load"})[0].state == "FAILED"


def test_raising_never_lowers_and_lowering_needs_a_reason(measured: list[Measurement]) -> None:
    floors = _floors(floor=0.01)
    assert measured[0].figures.figures["accuracy"].value == 1.0
    raised = raise_floors(floors, judge(floors, measured, {}))
    assert raised.floors[0].floor == 1.0
    assert raise_floors(raised, judge(raised, measured, {})) == raised
    strict = _floors(metric="ece", at_most=0.0)
    assert raise_floors(strict, judge(strict, measured, {})) == strict
    loose = _floors(metric="ece", at_most=1.0)
    assert raise_floors(loose, judge(loose, measured, {})).floors[0].bound < 1.0
    key = raised.floors[0].key
    with pytest.raises(ValueError, match="at least 10"):
        lower_floor(raised, key, 0.5, "short")
    with pytest.raises(ValueError, match="no looser"):
        lower_floor(_floors(floor=0.5), key, 0.6, "a reason that is long enough")
    with pytest.raises(ValueError, match="available: keyword/gold_dev"):
        lower_floor(raised, "x/y/z/w", 0.5, "a reason that is long enough")
    lowered = lower_floor(raised, key, 0.5, "the set was made harder by hand")
    assert lowered.floors[0].floor == 0.5
    assert lowered.changes[0].because == "the set was made harder by hand"
    assert lowered.changes[0].before == 1.0


def test_a_set_is_replaced_only_on_record(measured: list[Measurement]) -> None:
    changed = accept_set(_floors(floor=0.1), LabelledSet("gold_dev", ROWS[:2]), "two rows were withdrawn")
    assert changed.sets["gold_dev"].rows == 2
    assert changed.changes[0].because == "two rows were withdrawn"


def test_the_gate_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared, file = _write_shared(tmp_path / "shared"), tmp_path / "floors.json"
    labelled = load_set("gold_dev", shared)
    base = {"annotator": "keyword", "set": "gold_dev", "task": "category", "metric": "accuracy"}
    pinned = {"gold_dev": {"digest": labelled.digest, "rows": 4}, "umsab": {"digest": "0" * 64, "rows": 9}}
    save_floors(Floors.model_validate({"sets": pinned, "floors": [base | {"floor": 0.2}]}), file)
    command = ["--floors", str(file), "--annotators", "keyword"]
    (shared / "data" / "sentiment.tsv").rename(tmp_path / "away.tsv")
    assert main([*command, "--shared", str(shared), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["floors"][0]["state"] == "ok"
    before = file.read_text(encoding="utf-8")
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "not measured" in said
    assert "1 floors: 1 not measured" in said
    assert file.read_text(encoding="utf-8") == before
    assert main([*command, "--shared", str(shared), "--raise"]) == 0
    assert load_floors(file).floors[0].floor == 1.0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 100
    with (shared / "gold" / "dev.tsv").open("a", encoding="utf-8") as gold:
        gold.write("5\tPE\tcarta\tsalud\tneg\tla posta nunca atiende\n")
    assert main([*command, "--shared", str(shared)]) == 1
    assert "OTHER SET" in capsys.readouterr().out
    key = "keyword/gold_dev/category/accuracy"
    with pytest.raises(SystemExit):
        main([*command, "--lower", key, "0.5"])
    assert main([*command, "--shared", str(shared), "--accept-set", "gold_dev", "--because", "a row was added"]) == 0
    assert main([*command, "--lower", key, "2", "--because", "not a share at all"]) == 2
    assert main([*command, "--lower", key, "0.5", "--because", "to show that it is recorded"]) == 0
    assert [change.key for change in load_floors(file).changes] == ["gold_dev", key]


def test_an_annotator_that_does_not_load_fails_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared, file = _write_shared(tmp_path / "shared"), tmp_path / "floors.json"
    floors = _floors(annotator="nobody", floor=0.1)
    save_floors(floors, file)
    assert main(["--floors", str(file), "--annotators", "nobody", "--shared", str(shared)]) == 1
    assert "no annotator is called 'nobody'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"floor": None}, "exactly one"),
        ({"at_most": 0.5}, "exactly one"),
        ({"floor": None, "by": 0.1}, "go together"),
        ({"floor": 1.5}, "less than or equal"),
        ({"set": "unknown"}, "without a digest"),
        ({"metric": "auc"}, "macro_f1_10"),
    ],
)
def test_mistakes_in_the_floors_are_told(tmp_path: Path, change: dict[str, object], said: str) -> None:
    content = _floors(floor=0.5).model_dump(mode="json", exclude_none=True)
    content["floors"][0] |= change
    file = tmp_path / "floors.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        load_floors(file)


FIRST_FLOORS = {
    "accurate/gold_dev/sentiment/macro_f1": 0.68,
    "accurate/gold_dev/category/accuracy": 0.66,
    "accurate/gold_dev/category/macro_f1_10": 0.62,
    "accurate/silver_holdout/category/macro_f1": 0.60,
    "accurate/silver_holdout/intent/macro_f1": 0.60,
    "accurate/umsab/sentiment/macro_f1": 0.62,
    "accurate/tweets_uy/sentiment/macro_f1": 0.74,
    "keyword/gold_dev/category/accuracy": 0.64,
    "keyword/gold_dev/sentiment/macro_f1": 0.69,
}
FIRST_CEILINGS = {
    "accurate/gold_dev/sentiment/ece": 0.05,
    "accurate/silver_holdout/category/ece": 0.05,
    "accurate/silver_holdout/intent/ece": 0.05,
}


FIRST_GAPS = {"fast/gold_dev/sentiment/macro_f1": 0.03, "fast/gold_dev/category/accuracy": 0.03}


def test_no_shipped_floor_was_loosened_without_a_reason_on_record() -> None:
    floors = load_floors()
    assert set(floors.sets) <= set(SET_NAMES)
    first = {**FIRST_FLOORS, **FIRST_CEILINGS, **FIRST_GAPS}
    allowed = first | {change.key: change.after for change in floors.changes if change.key in first}
    now = {floor.key: (floor.bound_name, floor.bound) for floor in floors.floors}
    assert set(first) <= set(now)
    loosened = [
        key
        for key, bound in allowed.items()
        if (now[key][1] < float(bound) if now[key][0] == "floor" else now[key][1] > float(bound))
    ]
    assert not loosened, f"use `python -m {gate.__name__} --lower KEY VALUE --because TEXT`: {loosened}"


def test_abstention_counts_what_is_told_and_what_of_it_is_right() -> None:
    right, told = np.array([True] * 60 + [False] * 40), np.array([True] * 50 + [False] * 30 + [True] * 20)
    found = measure_abstention(right, told)
    assert found["told"].value == pytest.approx(0.7)
    assert found["right_of_told"].value == pytest.approx(50 / 70)
    for figure in found.values():
        assert figure.low < figure.value < figure.high
    assert set(measure_abstention(right, np.zeros(100, bool))) == {"told"}
