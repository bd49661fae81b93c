"""Annotators side by side on a user's file and on a city's own labels."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import typer

from models.annotator import ANNOTATORS
from models.configuration import ConfigurationError
from models.quality.sets import SetError
from models.settings import ModelsConfig, load_models_config
from models.taxonomy import load_taxonomy
from pipelines.evaluate import Labels, evaluate, load_city_labels, load_file_labels, names_a_file
from pipelines.evaluation.page import label_of, write_evaluation
from pipelines.message_files import MessageFileError
from pipelines.model_commands import register
from pipelines.project import Project, ProjectError
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse, publish
from tests.conftest import run_window  # type: ignore[import-not-found]

TAXONOMY = load_taxonomy()
ROWS = [
    ("1", "La vereda está rota, hasta cuándo", "Vías y obras", "negativo", "Queja", "PE"),
    ("2", "Gracias por el parque, quedó lindo", "ambiente_areas_verdes", "pos", "praise", "PE"),
    ("3", "¿A qué hora atiende la posta?", "salud", "neutra", "Pregunta", "AR"),
    ("4", "Que vuelva el camión de siempre", "limpieza_residuos", "neg", "", "AR"),
    ("5", "=HYPERLINK <b>no</b> recogen la basura", "limpieza_residuos", "neg", "complaint", "AR"),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "etiquetas.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("id", "texto", "category", "sentiment", "intent", "variety"), *ROWS])
    return path


@pytest.fixture(scope="module")
def labels(file: Path) -> Labels:
    return load_file_labels(str(file), TAXONOMY)


def run(*arguments: str | Path) -> int:
    """Run the commands as the command line does, in this process."""
    app = typer.Typer()
    register(app)
    return int(app([str(argument) for argument in arguments], standalone_mode=False) or 0)


def test_every_annotator_is_measured_or_named_with_the_reason(labels: Labels) -> None:
    done = evaluate(labels, TAXONOMY)
    measured = {one.annotator for one in done.measurements}
    assert "keyword" in measured
    assert measured == set(done.speeds)
    assert measured | set(done.left_out) == set(ANNOTATORS) | set(load_models_config().annotators)
    assert not measured & set(done.left_out)
    assert all(done.left_out.values())
    assert done.left_out["language"] == "reads language; the set labels category, sentiment, intent"
    assert {one.figures.rows for one in done.measurements if one.task == "category"} == {5}
    assert all(speed > 0 for speed in done.speeds.values())


def test_what_is_asked_for_by_name_must_be_measured(labels: Labels) -> None:
    done = evaluate(labels, TAXONOMY, names=["keyword"])
    assert [(one.annotator, one.task) for one in done.measurements] == [("keyword", "category"), ("keyword", "sentiment")]
    for name, said in (("language", "reads language"), ("nobody", "available: ")):
        with pytest.raises(SetError, match=f"{name}: not measured: .*{said}"):
            evaluate(labels, TAXONOMY, names=["keyword", name])


def test_the_files_are_the_same_every_time(labels: Labels, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        written = write_evaluation(evaluate(labels, TAXONOMY, names=["keyword"]), TAXONOMY, folder)
        assert {path.name for path in written} == {path.name for path in folder.iterdir()}
    names = {path.name for path in folders[0].iterdir()}
    tables = {f"confusion_keyword_{task}.{kind}" for task in ("category", "sentiment") for kind in ("csv", "svg")}
    assert names == {"evaluation.html", "evaluation.csv", "throughput.csv", *tables}
    for name in names - {"throughput.csv"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


@pytest.fixture(scope="module")
def folder(labels: Labels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluation")
    write_evaluation(evaluate(labels, TAXONOMY), TAXONOMY, path)
    return path


def test_the_tables_hold_every_figure(folder: Path, labels: Labels) -> None:
    with (folder / "evaluation.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {row["set_digest"] for row in rows} == {labels.labelled.digest}
    ours = {(row["task"], row["part"], row["metric"]): row for row in rows if row["annotator"] == "keyword"}
    for part, metric in (("all", "ece"), ("all", "macro_f1"), ("class salud", "recall"), ("variety AR", "accuracy")):
        row = ours["category", part, metric]
        assert 0 <= float(row["low"]) <= float(row["high"]) <= 1
    assert ours["category", "variety PE", "accuracy"]["rows"] == "2"
    with (folder / "confusion_keyword_sentiment.csv").open(encoding="utf-8", newline="") as opened:
        heading, *matrix = list(csv.reader(opened))
    assert heading == ["truth", "neg", "neu", "pos"]
    assert [row[0] for row in matrix] == ["neg", "neu", "pos"]
    assert sum(int(cell) for row in matrix for cell in row[1:]) == 5


def test_the_page_is_whole_spanish_and_offline(folder: Path) -> None:
    page = (folder / "evaluation.html").read_text(encoding="utf-8")
    assert '<html lang="es-PE">' in page
    for word in (
        "Categoría urbana",
        "Vías y obras",
        "Limpieza pública y residuos",
        "Macro-F1",
        "Aciertos por variedad",
        "keyword",
    ):
        assert word in page
    assert not re.search(r'(?:src|href)="(?!#)', page), "nothing is fetched"
    assert not re.search(r"url\((?!#)", page)
    assert "{{" not in page
    assert "HYPERLINK" not in page, "no message is shown"
    assert str(folder) not in page
    assert page.count("<svg") == len(list(folder.glob("*.svg")))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_picture_holds_the_counts_that_the_table_holds(folder: Path) -> None:
    picture = (folder / "confusion_keyword_category.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg ")
    assert "<title" in picture
    with (folder / "confusion_keyword_category.csv").open(encoding="utf-8", newline="") as opened:
        cells = sorted(cell for row in list(csv.reader(opened))[1:] for cell in row[1:] if cell != "0")
    drawn = sorted(re.findall(r"<text[^>]*>(\d+)</text>", picture))
    assert drawn == cells
    assert ">Salud</text>" in picture


def test_labels_without_a_spanish_wording_keep_their_id() -> None:
    assert label_of("intent", "complaint", TAXONOMY) == "Queja"
    assert label_of("target", "none", TAXONOMY) == "Nadie en particular"
    assert label_of("issue", "none", TAXONOMY) == "Sin asunto"
    assert label_of("emotion", "surprise", TAXONOMY) == "surprise"


def test_the_command_prints_within_80_columns(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", file, "--out", tmp_path / "out") == 0
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if str(tmp_path) not in line]
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    assert "etiquetas.csv: category, 5 rows" in said.out
    assert "not measured  language" in said.out
    assert "keyword reads 5 messages" in said.err
    assert (tmp_path / "out" / "evaluation.html").is_file()


def test_the_json_document_is_one_and_holds_it_all(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", file, "--annotator", "keyword", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["rows"] == 5
    assert document["left_out"] == {}
    (category, _) = document["measurements"]
    assert set(category["figures"]["accuracy"]) == {"value", "low", "high"}
    assert document["messages_per_second"]["keyword"] > 0


def test_mistakes_of_a_file_are_told_by_row_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mal.csv"
    path.write_text("texto;category\nuno;carreteras\ndos;salud\n\ntres;veredas\n", encoding="utf-8")
    with pytest.raises(SetError) as caught:
        run("evaluate", path, "--out", tmp_path / "out")
    assert "mal.csv:2: category: 'carreteras'" in str(caught.value)
    assert "mal.csv:5: category: 'veredas'" in str(caught.value)
    assert "allowed as category: transporte, salud" in str(caught.value)
    assert not (tmp_path / "out").exists()
    path.write_text("texto;nota\nuno;x\n", encoding="utf-8")
    with pytest.raises(SetError, match="no row has a label"):
        run("evaluate", path)
    with pytest.raises(MessageFileError, match=r"nada\.csv: No such file"):
        run("evaluate", tmp_path / "nada.csv")
    path.write_text("glosa;category\nuno;salud\n", encoding="utf-8")
    with pytest.raises(MessageFileError, match="--text COLUMN: 'glosa', 'category'"):
        run("evaluate", path)
    assert load_file_labels(str(path), TAXONOMY, text_column="glosa").labelled.rows[0].text == "uno"


def test_a_file_is_told_from_a_city(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [names_a_file(name) for name in (str(file), "x.csv", "data/x", "-", "ate")] == [True, True, True, True, False]
    (tmp_path / "ate").write_text("texto\n", encoding="utf-8")
    assert names_a_file("ate")


def test_a_city_without_a_run_or_unknown_says_what_to_do(mini_project: Project) -> None:
    with pytest.raises(SetError, match="escucha run mini --from DAY"):
        load_city_labels(mini_project, "mini", TAXONOMY)
    with pytest.raises(SetError, match="escucha pilot"):
        load_city_labels(mini_project, "ate", TAXONOMY)
    with pytest.raises(ProjectError, match="available: ate, mini"):
        load_city_labels(mini_project, "lima", TAXONOMY)


def test_a_synthetic_city_is_measured_against_what_was_planted_and_then_against_its_own_labels(
    mini_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run_window(mini_project, "mini", _keyword_readers())
    with open_warehouse(mini_project.warehouse) as warehouse:
        publish(warehouse, mini_project.published)
    planted = load_city_labels(mini_project, "mini", TAXONOMY)
    assert planted.synthetic
    assert len(planted.labelled.rows) > 300
    assert set(planted.labelled.tasks) == {"category", "issue", "sentiment", "intent", "target"}
    assert run("evaluate", "mini", "--annotator", "keyword", "--project", mini_project.root) == 0
    assert "SYNTHETIC DATA" in capsys.readouterr().out
    _label_some(mini_project)
    own = load_city_labels(mini_project, "mini", TAXONOMY)
    assert [dict(row.labels) for row in own.labelled.rows] == [{"category": "salud", "sentiment": "neg"}, {"sentiment": "pos"}]
    assert own.notes == (
        "3 messages labelled by 2 labellers",
        "2 labels are left out: labellers differ on them",
    )
    done = evaluate(own, TAXONOMY, names=["keyword"])
    assert {one.task: one.figures.rows for one in done.measurements} == {"category": 1, "sentiment": 2}


def _keyword_readers() -> Readers:
    names = {"category": "keyword", "issue": "keyword", "sentiment": "keyword", "language": "language", "screening": "screening"}
    config = ModelsConfig.model_validate({"tasks": {task: {"annotator": name} for task, name in names.items()}})
    return Readers(TAXONOMY, config, {name: config.load(name, TAXONOMY) for name in config.annotator_names})


def _label_some(project: Project) -> None:
    """Label three messages: one alike, one with a corrected label and a dispute, one in dispute only."""
    with open_warehouse(project.warehouse) as warehouse:
        first, second, third = warehouse.query(
            "select manifestation_id, version from manifestation where city = 'mini' and kind = 'manifestation' "
            "order by manifestation_id limit 3"
        )
        given = [
            (first, "category", "salud", "A", "r1"),
            (first, "category", "salud", "B", "r1"),
            (first, "sentiment", "neg", "A", "r1"),
            (second, "sentiment", "neu", "A", "r1"),
            (second, "sentiment", "pos", "A", "r2"),
            (second, "category", "salud", "A", "r1"),
            (second, "category", "otros", "B", "r1"),
            (third, "category", "salud", "A", "r1"),
            (third, "category", "otros", "B", "r1"),
        ]
        rows = [
            {
                "city": "mini",
                "sample_id": "s",
                "manifestation_id": message[0],
                "version": message[1] if labeller == "A" else None,
                "task": task,
                "label": label,
                "labeller": labeller,
                "run_id": run_id,
            }
            for message, task, label, labeller, run_id in given
        ]
        with warehouse.transaction():
            warehouse.append("label", rows)
        publish(warehouse, project.published)


def test_a_city_reads_with_its_own_categories(mini_project: Project, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = mini_project.root / "data" / "taxonomies" / "mini.yml"
    own.parent.mkdir()
    own.write_text("version: 1\nbase: none\n", encoding="utf-8")
    assert run("evaluate", file, "--annotator", "keyword", "--json") == 0
    with pytest.raises(ConfigurationError, match=r"mini\.yml"):
        run("evaluate", file, "--annotator", "keyword", "--city", "mini", "--project", mini_project.root)
    assert capsys.readouterr().out
