"""The formats of a report: the same bytes each time, typed, valid, and harmless whatever names the city's file holds."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from frictionless import Package, system
from ruamel.yaml import YAML

from collectors.catalog import City, load_city
from collectors.period import Period
from models.taxonomy import Taxonomy, load_taxonomy
from pipelines.report import write_files
from pipelines.reports.dictionary import PAGE, describe, render_dictionary, told_tables_in_order
from pipelines.reports.exporting import (
    FORMATS,
    OPEN_DATA_ENDINGS,
    ExportInput,
    FormatError,
    choose_formats,
    make_exports,
    name_of_report,
    plain_names,
)
from pipelines.reports.formats import load_wording
from pipelines.reports.masking import masked
from pipelines.reports.packing import csv_cell
from pipelines.reports.rendering import REPORTS, render_page
from pipelines.warehouse import memory_warehouse
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = [
    '=HYPERLINK("http://x.test","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "<script>\u202e{{7*7}}\x07",
]


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    """The taxonomy that ships."""
    return load_taxonomy()


def input_of(city: City, taxonomy: Taxonomy, *, language: str = "es", **options: Any) -> ExportInput:
    """Return a filled report of April 2021."""
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, period, taxonomy, **options)
    page = render_page(warehouse, REPORT_ID, city, period, taxonomy, language=language)
    return ExportInput(warehouse, REPORT_ID, city, period, taxonomy, language, page)


@pytest.fixture(scope="module")
def given(taxonomy: Taxonomy) -> ExportInput:
    """The month of Ate."""
    return input_of(load_city(ROOT / "data" / "cities" / "ate.yml"), taxonomy)


@pytest.fixture(scope="module")
def files(given: ExportInput) -> dict[str, bytes]:
    """All its formats."""
    return make_exports(given)


@pytest.fixture(scope="module")
def english(given: ExportInput, taxonomy: Taxonomy) -> dict[str, bytes]:
    """All formats in English."""
    return make_exports(input_of(given.city, taxonomy, language="en"))


@pytest.fixture(scope="module")
def hostile(given: ExportInput, taxonomy: Taxonomy) -> dict[str, bytes]:
    """All formats of a city whose publishers have hostile names."""
    sources = [
        source.model_copy(update={"publisher": source.publisher.model_copy(update={"name": HOSTILE[place % len(HOSTILE)]})})
        for place, source in enumerate(given.city.sources)
    ]
    city = given.city.model_copy(update={"sources": tuple(sources), "name": HOSTILE[0]})
    return make_exports(input_of(city, taxonomy))


def rows_of(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"datos-abiertos/{name}.csv"].decode())))


def test_the_same_report_gives_the_same_bytes_later(given: ExportInput, files: dict[str, bytes]) -> None:
    time.sleep(2.1)  # a ZIP keeps even seconds
    assert make_exports(given) == files


def test_formats_are_chosen_by_name_and_an_unknown_one_is_told() -> None:
    assert choose_formats([]) == list(FORMATS)
    assert choose_formats(["xlsx", "html"]) == ["html", "xlsx"]
    with pytest.raises(FormatError, match=r"there is no format odf; available: html, "):
        choose_formats(["html", "odf"])


def test_files_stand_under_the_id_of_their_report_too(tmp_path: Path) -> None:
    assert name_of_report("informe.xlsx", REPORT_ID) == "informe-0f3a9c1e5b7d.xlsx"
    assert name_of_report("datos-abiertos/report.csv", REPORT_ID) == "datos-abiertos-0f3a9c1e5b7d/report.csv"
    (tmp_path / "datos-abiertos").mkdir()
    (tmp_path / "datos-abiertos" / "report_old.csv").write_text("told once", encoding="utf-8")
    written = write_files(tmp_path, REPORT_ID, {"datos-abiertos/a.csv": b"a", "informe.html": b"b"}, newest=True)
    assert written == tmp_path / "informe.html"
    assert sorted(path.name for path in (tmp_path / "datos-abiertos").iterdir()) == ["a.csv"]
    assert (tmp_path / "datos-abiertos-0f3a9c1e5b7d" / "a.csv").read_bytes() == b"a"
    assert write_files(tmp_path, "ff" * 16, {"informe.html": b"c"}, newest=False) == tmp_path / "informe-ffffffffffff.html"
    assert (tmp_path / "informe.html").read_bytes() == b"b"


def test_each_language_has_names_of_its_own(files: dict[str, bytes], english: dict[str, bytes]) -> None:
    assert not files.keys() & english.keys()
    written = {Path(name).parts[0] for name in [*files, *english]}
    assert written == set(plain_names())
    assert {Path(name).suffix for name in files if "/" in name} == OPEN_DATA_ENDINGS
    assert {"report.xlsx", "open-data", "open-data.zip", "informe.xlsx", "datos-abiertos", "datos-abiertos.zip"} <= written


def test_english_files_write_days_in_english(english: dict[str, bytes]) -> None:
    days = "1 to 30 April 2021"
    assert json.loads(english["open-data/datapackage.json"])["title"].endswith(days)
    assert json.loads(english["open-data/dcat.jsonld"])["dct:title"]["@value"].endswith(days)
    assert f"Period: {days}." in english["open-data/README.md"].decode()
    summary = openpyxl.load_workbook(io.BytesIO(english["report.xlsx"]))["Summary"]
    words = [str(cell.value) for row in summary.iter_rows() for cell in row if cell.value]
    assert days in words
    assert not [text for text in words if " de abril" in text or " de mayo" in text]


def test_plain_names_mean_the_newest_report_alone(tmp_path: Path) -> None:
    old, new = "aa" * 32, "bb" * 32
    spanish = {"informe.html": b"1", "informe.pdf": b"1", "datos-abiertos/a.csv": b"1", "datos-abiertos.zip": b"1"}
    write_files(tmp_path, old, spanish, newest=True)
    write_files(tmp_path, old, {"report.html": b"1", "open-data/a.csv": b"1"}, newest=True)
    for name in ("categorias-propuestas.yml", "informe-notas.html", "datos-abiertos/nota.txt"):
        (tmp_path / name).write_text("ours", encoding="utf-8")
    before = {path for path in tmp_path.rglob("*") if "a" * 12 in path.as_posix()}
    assert write_files(tmp_path, new, {"informe.md": b"2"}, newest=True) == tmp_path / "informe.md"
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file() and path not in before}
    assert left == {
        "categorias-propuestas.yml",
        "datos-abiertos/nota.txt",
        "informe-bbbbbbbbbbbb.md",
        "informe-notas.html",
        "informe.md",
    }
    assert not (tmp_path / "open-data").exists()
    assert all(path.exists() for path in before)
    write_files(tmp_path, new, {"informe.html": b"2"}, newest=True)
    write_files(tmp_path, new, {"report.html": b"2"}, newest=True)
    assert {"informe.md", "informe.html", "report.html"} <= {path.name for path in tmp_path.iterdir()}, "of one report"


def test_the_package_is_valid_and_described(files: dict[str, bytes], tmp_path: Path) -> None:
    write_files(tmp_path, REPORT_ID, files, newest=True)
    with system.use_context(trusted=True):
        report = Package(str(tmp_path / "datos-abiertos" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "message"])
    descriptor = json.loads(files["datos-abiertos/datapackage.json"])
    assert descriptor["licenses"][0]["name"] == "CC-BY-4.0"
    assert {field["description"] for resource in descriptor["resources"] for field in resource["schema"]["fields"]} >= {
        "pos, neu o neg."
    }
    entry = json.loads(files["datos-abiertos/dcat.jsonld"])
    listed = {distribution["dcat:accessURL"]["@id"] for distribution in entry["dcat:distribution"]}
    assert {f"datos-abiertos/{name}" for name in listed} == {name for name in files if "/" in name and "dcat" not in name}


def test_the_archive_holds_the_folder_with_one_date(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(files["datos-abiertos.zip"])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {name: archive.read(name) for name in archive.namelist()} == {n: c for n, c in files.items() if "/" in n}


def test_open_data_holds_what_the_open_level_tells_in_csv_and_parquet(given: ExportInput, files: dict[str, bytes]) -> None:
    with masked(given.warehouse, "open"):
        told = given.warehouse.rows("from report_category_sentiment order by channel, category_id, sentiment")
    written = rows_of(files, "report_category_sentiment")
    stored = pq.read_table(io.BytesIO(files["datos-abiertos/report_category_sentiment.parquet"])).to_pylist()
    assert [row["manifestation_count"] for row in written] == [csv_cell(row["manifestation_count"]) for row in told]
    assert stored == told
    assert "" in {row["manifestation_count"] for row in written}
    few = given.warehouse.query(
        "select channel, cell_key from report_cell where cell_table = 'category_sentiment' and person_count between 1 and 10"
    )
    empty = {(row["channel"], f"{row['category_id']}/{row['sentiment']}") for row in written if not row["manifestation_count"]}
    assert set(few) <= empty
    assert "report_cell" not in {name.rpartition("/")[2].partition(".")[0] for name in files}


def test_limits_tell_the_totals_and_what_subtracting_packages_gives(files: dict[str, bytes], english: dict[str, bytes]) -> None:
    spanish = files["datos-abiertos/README.md"].decode().partition("## Límites")[2]
    assert "Los totales de cada canal, de cada día y de cada fuente sí se dan, aunque haya menos de 11 personas" in spanish
    assert "Cada paquete se protege por sí solo" in spanish
    limits = english["open-data/README.md"].decode().partition("## Limits")[2]
    assert "Totals of each channel, day and source are given, even where fewer than 11 persons" in limits
    assert "Each package is protected by itself" in limits


def test_values_are_written_by_iso_8601(files: dict[str, bytes]) -> None:
    total = rows_of(files, "report")[0]
    assert total["seen_until"] == "2021-05-03T14:00:00Z"
    assert (total["synthetic"], total["amends_report_id"]) == ("true", "")
    assert rows_of(files, "report_day")[0]["day"] == "2021-04-01"


def test_hostile_names_pass_into_the_open_data_harmless_and_unlost(hostile: dict[str, bytes]) -> None:
    for name, content in hostile.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(content.decode())):
                assert not [cell for cell in row if re.match(r"[=+\-@\t\r＝＋－＠]", cell.lstrip(" ")) and not is_number(cell)], (
                    name
                )
    names = {row["publisher"] for row in rows_of(hostile, "report_source")}
    assert {f"'{HOSTILE[0]}", "'+1+1", "'-2+3", "'@SUM(A1)", "' =1", "<script>{{7*7}}"} <= names
    stored = pq.read_table(io.BytesIO(hostile["datos-abiertos/report_source.parquet"]))["publisher"].to_pylist()
    assert HOSTILE[0] in stored
    assert "<script>{{7*7}}" in stored
    assert json.loads(hostile["datos-abiertos/dcat.jsonld"])["dct:publisher"]["foaf:name"] == HOSTILE[0]


def is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell) is not None


def test_the_workbook_has_typed_cells_and_says_what_is_withheld(given: ExportInput, files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["informe.xlsx"]))
    assert book.sheetnames[0] == "Resumen"
    assert book.sheetnames[-1] == "Diccionario"
    sheet = book["Categorías"]
    heads = [cell.value for cell in sheet[1]]
    rows = [dict(zip(heads, [cell.value for cell in row], strict=True)) for row in sheet.iter_rows(min_row=2)]
    online = {row["Categoría (código)"]: row for row in rows if row["Canal"] == "En línea"}
    assert online["transporte"]["Categoría"] == "Transporte y tránsito"
    assert online["transporte"]["Expresiones"] == 705
    assert online["transporte"]["Parte"] == pytest.approx(705 / 5796)
    assert sheet.cell(2, heads.index("Parte") + 1).number_format == "0.0%"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref
    office = {row["Categoría (código)"]: row for row in rows if row["Canal"] == "Oficina de atención"}
    few = given.warehouse.query(
        "select cell_key from report_cell where cell_table = 'category' and channel = 'attention_office' and suppressed_internal"
    )
    assert few
    assert {office[key]["Expresiones"] for (key,) in few} == {"reservado"}
    assert isinstance(book["Días"].cell(2, 3).value, datetime)
    words = [str(cell.value) for row in book["Resumen"].iter_rows() for cell in row if cell.value]
    assert "DATOS SINTÉTICOS: textos y medios inventados; ninguna cifra describe personas ni hechos reales." in words
    assert "Lo que no se pudo leer" in words


def sheet_rows(book: Any, name: str) -> list[dict[str, Any]]:
    heads, *rows = ([cell.value for cell in row] for row in book[name].iter_rows())
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_the_workbook_says_in_words_what_the_tables_say_in_codes(
    given: ExportInput, files: dict[str, bytes], english: dict[str, bytes]
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["informe.xlsx"]))
    for sheet, column, word, code in (
        ("Categorías", "Estado de la estimación", "sin corregir", "uncorrected"),
        ("Comparación", "Clase de periodo", "mes", "month"),
        ("Comparación", "Situación", "sin comparar: antes no se recogió nada", "not_collected"),
        ("Peso de las fuentes", "Medida", "tono negativo de la categoría", "category_neg"),
        ("Peso de las fuentes", "Clave", "Otros", "otros"),
        ("Vigilancia", "Situación", "falta historia", "short_history"),
        ("Hallazgos", "Mensaje", "categoría con más expresiones", "largest_category"),
        ("Lugares", "Clase de lugar", "zona", "zone"),
        ("Lugares", "Clase de fila", "un lugar", "place"),
    ):
        assert (word, code) in {(row[column], row[f"{column} (código)"]) for row in sheet_rows(book, sheet)}, (sheet, column)
    heads = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(english["report.xlsx"]))["Watch"][1]]
    assert heads.count("Standing (code)") == 1
    with masked(given.warehouse, "open"):
        codes = given.warehouse.query("select distinct standing from report_watch")
    assert {row["standing"] for row in rows_of(files, "report_watch")} == {code for (code,) in codes} == {"short_history"}


def test_the_workbook_tells_withheld_shares_and_local_times(given: ExportInput, files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["informe.xlsx"]))
    voices = sheet_rows(book, "Voces")
    told = {(row["Expresiones"] == "reservado", row["Décima parte más activa"]) for row in voices}
    assert told == {(True, "reservado"), (False, "–"), (False, 0.25)}
    units = {row["Columna"]: row["Unidad"] for row in sheet_rows(book, "Diccionario")}
    assert units["seen_until"] == "hora local de la ciudad"
    assert "instante UTC" in files["datos-abiertos/diccionario.md"].decode()


def test_the_workbook_holds_no_formula_and_no_link(hostile: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(hostile["informe.xlsx"])) as archive:
        sheets = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml"))
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets
    book = openpyxl.load_workbook(io.BytesIO(hostile["informe.xlsx"]))
    names = {cell.value for row in book["Fuentes"].iter_rows() for cell in row}
    assert {HOSTILE[0], "+1+1", "<script>{{7*7}}"} <= names
    assert {cell.data_type for row in book["Fuentes"].iter_rows() for cell in row} <= {"s", "n", "d"}


def test_an_empty_report_goes_into_every_format(given: ExportInput, taxonomy: Taxonomy) -> None:
    files = make_exports(input_of(given.city, taxonomy, divisor=10**6))
    assert {row["manifestation_count"] for row in rows_of(files, "report_category")} == {"0"}
    assert {row["manifestation_share"] for row in rows_of(files, "report_category")} == {""}


def test_the_dictionary_of_the_documentation_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_dictionary(), "run `python -m pipelines.reports.dictionary`"


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_column_that_leaves_is_explained(language: str) -> None:
    say = load_wording(REPORTS / "wording" / language)
    with memory_warehouse() as warehouse:
        columns = [column for table in told_tables_in_order(warehouse) for column in describe(warehouse, table, say)]
    bare = {f"{column.table}.{column.name}" for column in columns if column.label == column.name or column.meaning == column.name}
    assert not bare, f"say in wording/{language}/ what these are, under dictionary.columns: {sorted(bare)}"


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_finding_has_a_word_in_the_workbook(language: str) -> None:
    folder = REPORTS / "wording" / language
    page, disclosure, change = (
        YAML(typ="safe").load((folder / f"{name}.yml").read_text(encoding="utf-8")) for name in ("page", "disclosure", "change")
    )
    changes = [key for key in change["headline"] if key.startswith("change_") or key == "no_sure_change"]
    told = [*page["findings"], *disclosure["reserved"]["findings"], *changes, "corrected.none_told"]
    assert len(told) > 20
    say = load_wording(folder)
    assert [key for key in told if not say.has(f"exports.values.message.{key}")] == []
