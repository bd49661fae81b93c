"""Any file of messages in, labels and scores out."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
import xlsxwriter

from models.annotator import Annotator, Prediction, load_annotator
from models.settings import ModelsConfig
from models.taxonomy import load_taxonomy
from pipelines.classify import ChosenTask, choose_tasks, classify, make_harmless
from pipelines.message_files import MessageFileError, open_messages
from pipelines.model_commands import register

TEXTS = ["La vereda está rota, hasta cuándo", "Gracias por el parque", "¿A qué hora atiende la posta?"]
HEADING = "id;Mensaje;nota"


@pytest.fixture(scope="module")
def chosen() -> list[ChosenTask]:
    settings = {"category": {"annotator": "keyword", "threshold": 0.25}, "issue": {"annotator": "keyword"}}
    config = ModelsConfig.model_validate({"tasks": {**settings, "sentiment": {"annotator": "keyword"}}})
    return choose_tasks(config, load_taxonomy(), tasks=["category", "issue", "sentiment"])


def run(*arguments: str | Path) -> int:
    """Run the commands as the command line does, in this process."""
    app = typer.Typer()
    register(app)
    return int(app([str(argument) for argument in arguments], standalone_mode=False) or 0)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(folder: Path, kind: str) -> Path:
    """Write the same three messages as a file of some kind."""
    path = folder / f"in.{kind}"
    rows = [{"id": number, "Mensaje": text, "nota": None if number == 2 else "x"} for number, text in enumerate(TEXTS, start=1)]
    lines = [HEADING, *(f'{row["id"]};"{row["Mensaje"]}";{row["nota"] or ""}' for row in rows)]
    if kind == "csv":
        path.write_text("\n".join(lines), encoding="utf-8")
    elif kind == "tsv":
        path.write_text("\n".join(line.replace(";", "\t").replace('"', "") for line in lines) + "\n", encoding="utf-8")
    elif kind == "txt":
        path.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "ods":
        write_ods(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    elif kind == "xlsx":
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for line, cells in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
                sheet.write_row(line, 0, cells)
    return path


def write_ods(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write the smallest OpenDocument sheet that holds the rows as text."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    start, end = '<table:table-cell office:value-type="string"><text:p>', "</text:p></table:table-cell>"
    body = "".join(
        f"<table:table-row>{''.join(f'{start}{cell or str()}{end}' for cell in row)}</table:table-row>" for row in rows
    )
    names = " ".join(f'xmlns:{name}="{office}:{name}:1.0"' for name in ("office", "table", "text"))
    sheet = f'<office:spreadsheet><table:table table:name="Hoja1">{body}</table:table></office:spreadsheet>'
    content = f"<office:document-content {names}><office:body>{sheet}</office:body></office:document-content>"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)


@pytest.mark.parametrize("kind", ["csv", "tsv", "txt", "json", "jsonl", "parquet", "xlsx", "ods"])
def test_every_kind_of_file_gives_the_same_labels(tmp_path: Path, kind: str, chosen: list[ChosenTask]) -> None:
    out = tmp_path / "out.csv"
    with open_messages(str(write_rows(tmp_path, kind))) as source:
        assert source.row_count == 3
        assert classify(source, out, chosen, text_column=source.find_text_column(None)) == 3
    rows = read_csv(out)
    assert [row["text" if kind == "txt" else "Mensaje"] for row in rows] == TEXTS
    assert [row["category"] for row in rows] == ["vias_obras", "ambiente_areas_verdes", "salud"]
    assert [row["sentiment"] for row in rows] == ["neg", "pos", "neu"]
    predictions = load_annotator("keyword", load_taxonomy()).predict(TEXTS)
    assert [row["category_score"] for row in rows] == [str(round(found["category"].score, 3)) for found in predictions]
    if kind != "txt":
        assert [row["id"] for row in rows] == ["1", "2", "3"]
        assert [row["nota"] for row in rows] == ["x", "", "x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "in.csv"
    text = delimiter.join(["id", "texto"]) + "\r\n" + delimiter.join(["1", '"Huaycán: ""ñandú""\nsegunda línea"']) + "\r\n"
    path.write_bytes(text.encode(encoding))
    with open_messages(str(path)) as source:
        assert source.schema.names == ["id", "texto"]
        (batch,) = source.read()
        assert batch.table["texto"].to_pylist() == ['Huaycán: "ñandú"\nsegunda línea']
        assert batch.lines == [2]


def test_parquet_keeps_types_and_csv_writes_them_plainly(tmp_path: Path, chosen: list[ChosenTask]) -> None:
    table = pa.table(
        {
            "n": pa.array([-1, 2], pa.int32()),
            "dia": [date(2021, 4, 1), None],
            "ok": [True, False],
            "text": ["=1+1", None],
            "l": [[1], []],
        }
    )
    path = tmp_path / "in.parquet"
    pq.write_table(table, path)
    with open_messages(str(path)) as source:
        classify(source, tmp_path / "out.parquet", chosen, text_column="text", probabilities=True)
        classify(source, tmp_path / "out.csv", chosen, text_column="text")
    kept = pq.read_table(tmp_path / "out.parquet")
    assert kept.select(table.schema.names) == table
    of_category = [name for name in kept.schema.names if name.startswith("category_p_")]
    assert of_category == [f"category_p_{label}" for label in load_taxonomy().category_ids]
    assert sum(kept[name][0].as_py() for name in of_category) == pytest.approx(1, abs=0.01)
    first, second = read_csv(tmp_path / "out.csv")
    assert (first["n"], first["dia"], first["ok"], first["text"], first["l"]) == ("-1", "2021-04-01", "true", "'=1+1", "[1]")
    assert (second["dia"], second["text"], second["category"]) == ("", "", "unclassified")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_what_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path, start: str, chosen: list[ChosenTask]) -> None:
    assert make_harmless(f"{start}cmd") == f"'{start}cmd"
    assert make_harmless(f"cmd{start}") == f"cmd{start}"
    path, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    path.write_text(json.dumps({"text": f"{start}HYPERLINK()", f"{start}x": "y"}) + "\n", encoding="utf-8")
    with open_messages(str(path)) as source:
        classify(source, out, chosen, text_column="text")
    with out.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{start}HYPERLINK()" in cells
    assert not [cell for cell in cells if cell.startswith(start)]


def test_a_weak_reading_is_unclassified_and_so_is_its_issue(tmp_path: Path) -> None:
    settings = {"category": {"annotator": "keyword", "threshold": 0.25, "thresholds": {"salud": 1.0}}}
    settings |= {"issue": {"annotator": "keyword"}}
    config = ModelsConfig.model_validate({"tasks": settings})
    path, out = tmp_path / "in.txt", tmp_path / "out.csv"
    path.write_text("La posta no atiende\nLa vereda está rota\nzzz\n", encoding="utf-8")
    with open_messages(str(path)) as source:
        classify(source, out, choose_tasks(config, load_taxonomy()), text_column="text")
    rows = read_csv(out)
    assert [row["category"] for row in rows] == ["unclassified", "vias_obras", "unclassified"]
    assert rows[0]["issue"] == rows[2]["issue"] == "unclassified"
    assert rows[1]["issue"].startswith("vias_obras.")
    with open_messages(str(path)) as source:
        all_read = choose_tasks(config, load_taxonomy(), annotator="keyword", tasks=["category"])
        classify(source, out, all_read, text_column="text")
    assert read_csv(out)[0]["category"] == "unclassified", "the same annotator keeps its thresholds"


def test_thresholds_of_one_annotator_do_not_bind_another() -> None:
    config = ModelsConfig.model_validate({"tasks": {"language": {"annotator": "keyword", "threshold": 0.9}}})
    (one,) = choose_tasks(config, load_taxonomy(), annotator="language")
    assert (one.task, one.annotator.name, one.settings) == ("language", "language", None)
    with pytest.raises(MessageFileError, match="available: language"):
        choose_tasks(config, load_taxonomy(), annotator="language", tasks=["category"])
    with pytest.raises(MessageFileError, match="--annotator nobody: there is none; available: accurate"):
        choose_tasks(config, load_taxonomy(), annotator="nobody")


def test_the_same_file_gives_the_same_bytes_whatever_the_batches(tmp_path: Path, chosen: list[ChosenTask]) -> None:
    path = tmp_path / "in.txt"
    path.write_text("\n".join(f"{TEXTS[number % 3]} {number}" for number in range(2_345)) + "\n", encoding="utf-8")
    seen: list[int] = []
    for name in ("a.csv", "b.csv", "a.parquet", "b.parquet"):
        with open_messages(str(path)) as source:
            classify(source, tmp_path / name, chosen[2:], text_column="text", progress=seen.append)
    assert seen[:3] == [1_000, 2_000, 2_345]
    for kind in ("csv", "parquet"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet")["text"].to_pylist() == path.read_text(encoding="utf-8").splitlines()


class Failing:
    """Reads one batch and then fails, as a full disk or a torn model would."""

    name, revision, tasks = "failing", "1", {"sentiment": ("neg", "neu", "pos")}

    def __init__(self, kept: Annotator) -> None:
        self.kept, self.calls = kept, 0

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.calls += 1
        if self.calls > 1:
            raise OSError("no room left")
        return self.kept.predict(texts)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_failure_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    path, out = tmp_path / "in.txt", tmp_path / name
    path.write_text("hola\n" * 1_500, encoding="utf-8")
    out.write_text("before", encoding="utf-8")
    failing = ChosenTask("sentiment", Failing(load_annotator("keyword")), None)
    with open_messages(str(path)) as source, pytest.raises(OSError, match="no room left"):
        classify(source, out, [failing], text_column="text")
    assert out.read_text(encoding="utf-8") == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.txt", name]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.csv", "id,texto\n1,a\n2,b,c\n3\n", "in.csv:3: 3 cells where the heading has 2\nin.csv:4: 1 cells"),
        ("in.csv", "texto,texto\na,b\n", "'texto' stands there more than once"),
        ("in.csv", "", "the file is empty"),
        ("in.csv", 'texto\n"abierto', "in.csv:2: unexpected end of data"),
        ("in.jsonl", '{"text": "a"}\n{"text": \n', "in.jsonl:2: not readable as JSON"),
        ("in.jsonl", '{"text": "a"}\n[1]\n', "in.jsonl:2: holds list"),
        ("in.json", '{"text": "a"}', "needed: a list"),
        ("in.xlsx", "no es un libro", "its content is no xlsx"),
        ("in.parquet", "PAR1 pero no", "not a readable Parquet file"),
        ("in.dat", "una línea cualquiera\n", "--format: csv, tsv, txt"),
    ],
)
def test_what_cannot_be_read_is_told_by_row(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(MessageFileError) as caught, open_messages(str(path)):
        pass
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("heading", "asked", "found"),
    [
        (["id", "Comentario"], None, "Comentario"),
        (["id", "DESCRIPCIÓN"], None, "DESCRIPCIÓN"),
        (["lo que sea"], None, "lo que sea"),
        (["texto", "mensaje"], "mensaje", "mensaje"),
        (["texto", "mensaje"], None, "several columns may be"),
        (["id", "glosa"], None, "no column is known to be the message; name it with --text COLUMN: 'id', 'glosa'"),
        (["id", "glosa"], "nota", "no column 'nota'; the file has 'id', 'glosa'"),
    ],
)
def test_the_text_column_is_found_or_asked_for(tmp_path: Path, heading: list[str], asked: str | None, found: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(",".join(heading) + "\n" + ",".join("x" for _ in heading) + "\n", encoding="utf-8")
    with open_messages(str(path)) as source:
        if found in heading:
            assert source.find_text_column(asked) == found
        else:
            with pytest.raises(MessageFileError) as caught:
                source.find_text_column(asked)
            assert found in str(caught.value)


def test_quotes_in_a_tsv_are_letters_unless_lines_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "in.tsv"
    for content, texts in (
        ('id\ttext\n1\t"no cierra\n2\tdos\n', ['"no cierra', "dos"]),
        ('id\ttext\n1\t"dos\nlíneas"\n', ["dos\nlíneas"]),
    ):
        path.write_text(content, encoding="utf-8")
        with open_messages(str(path)) as source:
            assert [text for batch in source.read() for text in batch.table["text"].to_pylist()] == texts


def test_the_command_prints_the_throughput_and_nothing_of_the_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--annotator", "keyword", "--prefix", "leido_"]
    assert run("classify", write_rows(tmp_path, "csv"), "--out", tmp_path / "out.parquet", *options) == 0
    said = capsys.readouterr()
    assert said.out.startswith("3 messages, ")
    assert "messages/s" in said.out
    assert said.err == "", "no progress where nobody watches"
    names = pq.read_table(tmp_path / "out.parquet").schema.names
    assert [name for name in names if not name.endswith("_score")] == [
        *HEADING.split(";"),
        *(f"leido_{task}" for task in ("category", "issue", "sentiment")),
    ]


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, options in (("texto\nLa vereda está rota\n", []), ("La vereda está rota\n", ["--format", "txt"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        assert run("classify", "-", "--out", tmp_path / "out.csv", "--task", "category", "--annotator", "keyword", *options) == 0
        (row,) = read_csv(tmp_path / "out.csv")
        assert row["category"] == "vias_obras"
        assert "sentiment" not in row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "out.xlsx"], "allowed: .csv, .parquet"),
        (["--out", "nowhere/out.csv"], "there is no folder"),
        (["--out", "in.csv"], "is the file to read"),
        (["--out", "out.csv", "--task", "weather"], "--task weather: not read here"),
        (["--out", "out.csv", "--text", "glosa"], "no column 'glosa'"),
        (["--out", "out.csv", "--format", "doc"], "--format doc: allowed: csv"),
        (["--out", "out.csv", "--text", "id", "--prefix", "", "--task", "nota"], "--task nota"),
    ],
)
def test_wrong_use_is_refused_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = write_rows(tmp_path, "csv").read_bytes()
    with pytest.raises(MessageFileError) as caught:
        run("classify", "in.csv", *arguments)
    assert said in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]
    assert (tmp_path / "in.csv").read_bytes() == before


def test_columns_that_are_there_already_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("texto,category\nhola,otros\n", encoding="utf-8")
    with pytest.raises(MessageFileError, match="'category' is there already; name the new ones apart with --prefix"):
        run("classify", path, "--out", tmp_path / "out.csv", "--annotator", "keyword")
    options = ["--prefix", "r_", "--task", "category", "--annotator", "keyword"]
    assert run("classify", path, "--out", tmp_path / "out.csv", *options) == 0
    (row,) = read_csv(tmp_path / "out.csv")
    assert row["category"] == "otros"
    assert "r_category" in row


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    class Counting:
        name, revision, tasks = "counting", "1", {"sentiment": ("neg", "neu", "pos")}

        def predict(self, texts: Sequence[str]) -> list[Any]:
            return [prediction] * len(texts)

    prediction = load_annotator("keyword").predict(["hola"])[0]
    peaks = []
    for count in (3_000, 15_000):
        path = tmp_path / f"{count}.csv"
        path.write_text(
            "id,texto\n" + "".join(f"{number},{'mensaje de prueba ' * 20}\n" for number in range(count)), encoding="utf-8"
        )
        with open_messages(str(path)) as source:
            tracemalloc.start()
            classify(source, tmp_path / "out.csv", [ChosenTask("sentiment", Counting(), None)], text_column="texto")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
