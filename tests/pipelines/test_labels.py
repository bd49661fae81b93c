"""Labels by hand, from the draw to the page: real workbooks, filled in by an office program's library, read back cell by cell."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from openpyxl import load_workbook
from ruamel.yaml import YAML

from collectors.catalog import City
from collectors.period import Period
from pipelines.evaluate import load_city_labels
from pipelines.labels.exporting import Exported, export_differences, export_workbooks
from pipelines.labels.importing import Imported, Outside, import_labels
from pipelines.labels.samples import LabelError, Sample, draw_sample, find_sample, load_samples
from pipelines.labels.status import SampleStatus, city_status
from pipelines.project import Project
from pipelines.report import report
from pipelines.runs import Readers
from pipelines.staging import REPORTS
from pipelines.warehouse import Warehouse, open_read_only, open_warehouse, publish
from tests.conftest import april, make_project, run_command, run_window, write_import

HOSTILE = "=1+1 No hay agua en mi cuadra desde el lunes y nadie en la oficina responde"
APRIL = ("--from", "2021-04")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, readers: Readers) -> Project:
    """The small city, collected, read and reported, with a sample of 60; one message is a formula."""
    project = make_project(tmp_path_factory.mktemp("labelled") / "project", mini=True)
    write_import(project.root, "hostil.csv", [f'9,Ana Poma,"{HOSTILE.replace(chr(34), chr(34) * 2)}",11/04/2021'])
    run_window(project, "mini", readers)
    export(project, readers)
    return project


@pytest.fixture
def project(collected: Project, tmp_path: Path) -> Project:
    shutil.copytree(collected.root, tmp_path / "project")
    return Project(tmp_path / "project")


@contextmanager
def opened(project: Project) -> Iterator[tuple[Warehouse, City, Period]]:
    with open_warehouse(project.warehouse) as warehouse:
        yield warehouse, project.load_city("mini"), april(project, "mini")


def export(project: Project, readers: Readers, **options: Any) -> Exported:
    with opened(project) as (warehouse, city, period):
        sample = draw_sample(warehouse, project, city, period, readers, **{"size": 60, **options})
        return export_workbooks(warehouse, project, city, sample)


def take(project: Project, *paths: Path, **options: Any) -> list[Imported]:
    with opened(project) as (warehouse, city, _):
        return import_labels(warehouse, project, city, paths, **options)


def state(project: Project) -> SampleStatus:
    with opened(project) as (warehouse, city, _):
        (found,) = city_status(warehouse, project, city)
        return found


def query(project: Project, sql: str) -> list[tuple[Any, ...]]:
    with open_read_only(project.warehouse) as warehouse:
        return warehouse.query(sql)


Choose = Callable[[int], tuple[str, str, str]]


def fill(path: Path, choose: Choose, *, rows: range | None = None) -> None:
    """Fill a workbook in as a person would: category, issue and tone of each row; what is "" stays empty."""
    book = load_workbook(path)
    sheet = book["Mensajes"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in rows or range(2, sheet.max_row + 1):
        for heading, value in zip(("Categoría", "Asunto (opcional)", "Tono"), choose(row), strict=True):
            sheet.cell(row, columns[heading]).value = value or None
    book.save(path)


def set_cell(path: Path, address: str, value: Any) -> None:
    book = load_workbook(path)
    book["Mensajes"][address] = value
    book.save(path)


def first_person(row: int) -> tuple[str, str, str]:
    return (
        ("Transporte y tránsito", "Tráfico y congestión" if row % 2 else "", "Negativo") if row % 3 else ("Otros", "", "Neutro")
    )


def second_person(row: int) -> tuple[str, str, str]:
    return ("Salud", "", "Negativo") if row % 10 == 1 else first_person(row)


def empty(project: Project) -> tuple[Sample, Path, Path]:
    """Return the sample of 60 and its two workbooks, as they were exported."""
    with opened(project) as (warehouse, city, _):
        (sample,) = load_samples(warehouse, city.id)
    one, other = sorted((project.root / "data" / "labels" / "mini" / "2021-04-01_2021-04-30").iterdir())
    return sample, one, other


def filled(project: Project) -> tuple[Sample, Path, Path]:
    sample, one, other = empty(project)
    fill(one, first_person)
    fill(other, second_person)
    return sample, one, other


def test_a_workbook_is_made_for_people(project: Project, readers: Readers) -> None:
    sample, *paths = empty(project)
    assert [path.name for path in paths] == [f"etiquetas-{sample.sample_id}-{who}.xlsx" for who in "AB"]
    book = load_workbook(paths[0])
    sheet = book["Mensajes"]
    assert [cell.value for cell in sheet[1]] == ["N.º", "Mensaje", "Categoría", "Asunto (opcional)", "Tono", "Código"]
    assert (sheet.max_row, sheet.freeze_panes) == (61, "A2")
    assert book["Listas"].sheet_state == "hidden"
    assert sheet.protection.sheet
    locked = {letter: sheet[f"{letter}2"].protection.locked for letter in "ABCDEF"}
    assert locked == {"A": True, "B": True, "C": False, "D": False, "E": False, "F": True}
    assert sheet["B2"].alignment.wrap_text
    rules = {str(rule.sqref): (rule.type, rule.formula1) for rule in sheet.data_validations.dataValidation}
    assert rules["C2:C61"] == ("list", "Listas!$D$1:$D$15")
    assert rules["E2:E61"] == ("list", "Listas!$E$1:$E$3")
    assert rules["D2:D61"][1].startswith("OFFSET(Listas!$G$3")
    assert [book["Listas"].cell(row, 5).value for row in (1, 2, 3)] == ["Positivo", "Neutro", "Negativo"]
    assert [book["Listas"].cell(row, 4).value for row in range(1, 16)] == [
        category.label_es for category in readers.taxonomy.categories
    ]


def test_the_guide_is_the_taxonomy(project: Project, readers: Readers) -> None:
    guide = load_workbook(empty(project)[1])["Guía"]
    said = "\n".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    for category in readers.taxonomy.categories:
        assert category.definition_es in said
        assert category.examples[0] in said
        assert all(issue.definition_es in said for issue in category.issues)
    assert "Otros" in said
    assert "del 1 al 30 de abril de 2021" in said


def test_a_workbook_tells_neither_author_nor_what_was_read(project: Project, readers: Readers) -> None:
    book = load_workbook(empty(project)[1])
    cells = [str(cell.value) for row in book["Mensajes"].iter_rows(min_row=2) for cell in row if cell.value is not None]
    authors = {key for (key,) in query(project, "select distinct author_key from manifestation where author_key is not null")}
    assert not authors & set(cells)
    assert all(book["Mensajes"].cell(row, column).value is None for row in range(2, 62) for column in (3, 4, 5))
    sources = {source.id for source in project.load_city("mini").sources}
    assert not [cell for cell in cells if cell in sources]


def test_hostile_text_is_text_and_nothing_of_it_is_lost(project: Project, readers: Readers) -> None:
    with opened(project) as (warehouse, _, _):
        rows = warehouse.query("select manifestation_id, version from manifestation join manifestation_text using "
                               "(manifestation_id, version) where text like '=1+1 No hay agua%'")  # fmt: skip
        ((identity, version),) = rows
        # A text that no collector would store: it must be harmless here all the same, and whole.
        evil = '=HYPERLINK("http://x.test")\u202egnp\x07\x1b[31m_x0041_\ufffe' + "á😀" * 30_000 + "FIN"
        sql = "update manifestation_text set text = $text where manifestation_id = $id and version = $version"
        warehouse.query(sql, {"text": evil, "id": identity, "version": version})
    path = export(project, readers, size=100_000).written[0]
    book = load_workbook(path)
    for sheet in book:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}, sheet.title  # no formula, no error
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink], sheet.title
    numbers = {cell.value for row in book["Mensajes"].iter_rows(min_row=2) for cell in row if cell.data_type == "n"}
    assert numbers == {None}, "every cell of a message is text"
    (row,) = (row for row in book["Mensajes"].iter_rows(min_row=2) if row[5].value == identity)
    assert row[1].value.startswith('=HYPERLINK("http://x.test")‹U+202E›gnp‹U+0007›‹U+001B›[31m_x0041_‹U+FFFE›')
    assert row[1].quotePrefix
    assert f"N.º {row[0].value}" in row[1].value[-60:]
    parts = [part[1].value for part in book["Textos largos"].iter_rows(min_row=2)]
    assert all(len(part.encode("utf-16-le")) // 2 <= 32_767 for part in parts)
    shown = "".join(parts)
    assert shown.endswith("FIN")
    assert shown.count("😀") == 30_000
    assert not re.search("[\u202e\x07\x1b\ufffe]", shown)


def test_the_same_export_gives_the_same_bytes_and_never_overwrites(project: Project, readers: Readers) -> None:
    sample, one, two = empty(project)
    before = {path: path.read_bytes() for path in (one, two)}
    stored = query(project, "select * from label_sample_item order by all")
    fill(two, first_person, rows=range(2, 4))
    begun = two.read_bytes()
    one.unlink()
    again = export(project, readers)
    assert (again.sample, again.written, again.kept) == (sample, (one,), (two,))
    assert query(project, "select * from label_sample_item order by all") == stored
    assert (one.read_bytes(), two.read_bytes()) == (before[one], begun)
    other = export(project, readers, seed=5)
    assert other.sample.sample_id != sample.sample_id
    assert other.sample.seed == 5
    assert query(project, "select count(*), count(distinct sample_id) from label_sample") == [(2, 2)]


def test_a_sample_is_drawn_among_what_counts_and_has_a_text(project: Project, readers: Readers) -> None:
    sample, *_ = empty(project)
    with opened(project) as (warehouse, city, period):
        made = report(warehouse, project, city, period, readers)
        counted = made.totals["manifestation_count"]
    assert sample.population_count == counted
    assert sample.drawn_count == 60
    ((covered,),) = query(project, "select sum(stratum_count / stratum_drawn) from label_sample_item")
    assert covered == pytest.approx(counted)
    with opened(project) as (warehouse, city, period), pytest.raises(LabelError, match="no channel 'radio'; available: "):
        draw_sample(warehouse, project, city, period, readers, channel="radio")


def test_labels_come_back_as_they_were_chosen(project: Project, readers: Readers) -> None:
    sample, one, other = filled(project)
    (done,) = take(project, one, other)
    assert done.message_count == 120
    rows = query(project, "select labeller, task, label, count(*) from label group by all order by all")
    expected = {("A", "category", "otros"): 20, ("A", "category", "transporte"): 40, ("A", "sentiment", "neu"): 20}
    expected |= {("A", "sentiment", "neg"): 40, ("A", "issue", "transporte.trafico"): 20}
    assert {key: count for *key_parts, count in rows if (key := tuple(key_parts))[0] == "A"} == expected
    assert done.added_count == sum(count for *_, count in rows)
    # The label stands at the message in whose row it was chosen.
    book = load_workbook(one)["Mensajes"]
    stored = dict(query(project, "select manifestation_id, label from label where labeller = 'A' and task = 'category'"))
    for row in range(2, 62):
        label = "otros" if row % 3 == 0 else "transporte"
        assert stored[book.cell(row, 6).value] == label
    assert query(project, "select distinct sample_id, import_number from label") == [(sample.sample_id, 1)]
    assert query(project, "select count(*) from label anti join run using (run_id)") == [(0,)]


def test_importing_again_adds_nothing_and_a_correction_is_appended(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    take(project, one, other)
    before = query(project, "select * from label order by all")
    assert [done.added_count for done in take(project, other, one)] == [0]
    assert query(project, "select * from label order by all") == before
    set_cell(one, "E2", "Positivo")
    set_cell(one, "D5", None)  # an issue that was given is taken back
    assert [done.added_count for done in take(project, one)] == [2]
    added = query(project, "select task, label, labeller from label where import_number = 2 order by all")
    assert added == [("issue", "none", "A"), ("sentiment", "pos", "A")]
    assert query(project, "select count(*) from label") == [(len(before) + 2,)]
    assert [done.added_count for done in take(project, one)] == [0]


MISTAKES: list[tuple[str, Any, str]] = [
    ("C4", "Transportes", "row 4, column C (Categoría): 'Transportes' is not allowed; allowed: Transporte y tránsito, Salud"),
    ("E5", "Regular", "row 5, column E (Tono): 'Regular' is not allowed; allowed: Positivo, Neutro, Negativo"),
    ("E7", None, "row 7, column E (Tono): empty, though the row is labelled in part; allowed: Positivo"),
    ("C8", None, "row 8, column C (Categoría): empty, though the row is labelled in part; allowed: Transporte"),
    ("D10", "Vacunación", "row 10, column D (Asunto (opcional)): 'Vacunación' is no issue of 'Transporte y tránsito'; allowed: "),
    ("F11", "0" * 32, f"row 11, column F (Código): '{'0' * 32}' is no message of sample"),
    ("E13", 3, "row 13, column E (Tono): '3' is not allowed"),
]


def test_every_wrong_cell_is_named_in_one_pass_and_nothing_is_written(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    for address, value, _ in MISTAKES:
        set_cell(one, address, value)
    set_cell(other, "F3", load_workbook(other)["Mensajes"]["F2"].value)
    fill(other, lambda _: ("", "", ""), rows=range(20, 22))
    before = query(project, "select * from run order by all")
    with pytest.raises(LabelError) as raised:
        take(project, one, other)
    lines = str(raised.value).splitlines()
    for _, _, said in MISTAKES:
        assert [line for line in lines if line.startswith(f"{one.name}, sheet Mensajes, {said}")], said
    assert [
        line for line in lines if line.startswith(f"{other.name}, sheet Mensajes, row 3, column F") and "row 2 already" in line
    ]
    for row in (20, 21):
        assert [line for line in lines if line.startswith(f"{other.name}, sheet Mensajes, row {row}: not labelled yet")]
    assert [line for line in lines if line.startswith(f"{one.name}: rows of the sample are missing: N.º 10 (")]
    assert [line for line in lines if line.startswith(f"{other.name}: rows of the sample are missing: N.º 2 (")]
    assert [line for line in lines if line.startswith(f"{other.name}, sheet Mensajes, row 3, column B (Mensaje): ")]
    assert len(lines) == len(MISTAKES) + 2 + 2 + 2
    assert query(project, "select count(*) from label") == [(0,)]
    assert query(project, "select * from run order by all") == before


def test_messages_that_stand_no_longer_beside_their_codes_are_refused(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    set_cell(other, "B9", "Otro mensaje, que nadie exportó " + "x y " * 60)
    book = load_workbook(one)
    sheet = book["Mensajes"]
    texts = [sheet.cell(row, 2).value for row in range(2, 62)]
    for row, text in enumerate(sorted(texts), start=2):
        sheet.cell(row, 2).value = text
    book.save(one)
    moved = [row for row, (text, was) in enumerate(zip(sorted(texts), texts, strict=True), start=2) if text != was]
    with pytest.raises(LabelError) as raised:
        take(project, one, other, allow_partial=True)
    lines = str(raised.value).splitlines()
    assert [int(line.split("row ")[1].split(",")[0]) for line in lines[:5]] == moved[:5]
    assert f"{one.name}: {len(moved) - 5} more rows hold another message than that of their code" in lines
    said = f"{other.name}, sheet Mensajes, row 9, column B (Mensaje): 'Otro mensaje, que nadie exportó {'x y ' * 7}…' is not "
    assert [line for line in lines if line.startswith(said)], lines[-1]
    assert query(project, "select count(*) from label") == [(0,)]


def test_spaces_and_line_ends_of_another_program_are_no_other_message(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    set_cell(one, "B2", f" {load_workbook(one)['Mensajes']['B2'].value.replace(' ', chr(0xA0), 1)}\n")
    assert take(project, one, other)[0].message_count == 120


def test_a_text_that_no_cell_holds_is_the_one_that_was_exported(project: Project, readers: Readers) -> None:
    with opened(project) as (warehouse, _, _):
        evil = "Hola\u202e\r\n_x0041_\x07" + "á😀" * 30_000
        warehouse.query("update manifestation_text set text = $text where text like '=1+1 No hay agua%'", {"text": evil})
    paths = export(project, readers, size=100_000).written
    for path in paths:
        fill(path, first_person)
    assert take(project, *paths)[0].message_count > 120


def test_what_an_error_repeats_is_short_and_a_lost_code_is_told(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    set_cell(one, "C4", "Salud, " * 300)
    for address in ("F6", "F8"):
        set_cell(one, address, None)
    with pytest.raises(LabelError) as raised:
        take(project, one, other, allow_partial=True)
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(
        f"{one.name}, sheet Mensajes, row 4, column C (Categoría): '{('Salud, ' * 9)[:60]}…' is not allowed;"
    )
    assert [line.partition("; needed")[0] for line in lines[1:]] == [
        f"{one.name}, sheet Mensajes, row {row}, column F (Código): the code of the message is missing" for row in (6, 8)
    ]


def test_an_unfinished_workbook_is_taken_in_part_but_never_a_half_row(project: Project, readers: Readers) -> None:
    _, one, other = empty(project)
    fill(one, first_person, rows=range(2, 40))
    fill(other, first_person, rows=range(2, 12))
    with pytest.raises(LabelError, match="--allow-partial"):
        take(project, one, other)
    assert take(project, one, other, allow_partial=True)[0].message_count == 48
    found = state(project)
    assert found.labelled == {"A": 38, "B": 10}
    assert found.missing == {"A": 22, "B": 50}
    assert found.agreement["category"].kappa is None, "ten pairs are too few"
    fill(one, lambda _: ("Salud", "", ""), rows=range(45, 46))
    with pytest.raises(LabelError, match="row 45, column E"):
        take(project, one, allow_partial=True)


def test_a_workbook_of_another_sample_or_none_is_refused(project: Project, readers: Readers, tmp_path: Path) -> None:
    _, one, _ = empty(project)
    fill(one, first_person)
    book = load_workbook(one)
    foreign = tmp_path / "foreign.xlsx"
    book["Listas"]["B3"] = "ffffffffffff"
    book.save(foreign)
    del book["Listas"]
    book.save(tmp_path / "bare.xlsx")
    (tmp_path / "text.xlsx").write_text("no workbook", encoding="utf-8")
    with pytest.raises(LabelError) as raised:
        take(project, foreign, tmp_path / "bare.xlsx", tmp_path / "text.xlsx", tmp_path / "none.xlsx")
    said = str(raised.value)
    assert "foreign.xlsx: holds sample ffffffffffff of mini; mini has the samples: " in said
    assert "bare.xlsx: not a workbook of `escucha label export`" in said
    assert "text.xlsx: not a readable workbook" in said
    assert "none.xlsx: No such file or directory" in said


def test_some_messages_go_to_both_and_the_others_to_one_each(project: Project, readers: Readers) -> None:
    for path in empty(project)[1:]:
        path.unlink()
    one, other = export(project, readers, seed=8, double=20).written
    codes = [{row[5].value for row in load_workbook(path)["Mensajes"].iter_rows(min_row=2)} for path in (one, other)]
    assert [len(part) for part in codes] == [40, 40]
    assert len(codes[0] & codes[1]) == 20
    assert len(codes[0] | codes[1]) == 60
    for path in (one, other):
        fill(path, first_person)
    take(project, one, other)
    with opened(project) as (warehouse, city, _):
        (found,) = (one for one in city_status(warehouse, project, city) if one.sample.seed == 8)
    assert (found.missing, found.labelled) == ({}, {"A": 40, "B": 40})


def test_a_third_person_settles_what_two_differ_on(project: Project, readers: Readers) -> None:
    sample, one, other = filled(project)
    take(project, one, other)
    assert state(project).difference_count == 6
    with opened(project) as (warehouse, city, _):
        (path,) = export_differences(warehouse, project, city, find_sample(warehouse, "mini", sample.sample_id)).written
    sheet = load_workbook(path)["Mensajes"]
    assert sheet.max_row == 7
    headings = [cell.value for cell in sheet[1]]
    assert headings[2] == "Lo que se anotó"
    said = {sheet.cell(row, 3).value for row in range(2, 8)}
    assert said == {"Otros · Neutro\nSalud · Negativo", "Salud · Negativo\nTransporte y tránsito · Negativo"}
    fill(path, lambda _: ("Salud", "", "Negativo"))
    assert take(project, path)[0].message_count == 6
    assert state(project).difference_count == 0
    assert state(project).labelled == {"A": 60, "B": 60, "final": 6}
    agreement = state(project).agreement["category"]
    assert (agreement.pair_count, agreement.agreed_count) == (60, 54), "who settles is no third labeller"
    with opened(project) as (warehouse, city, _):
        publish(warehouse, project.published)
        path.unlink()
        done = export_differences(warehouse, project, city, find_sample(warehouse, "mini", sample.sample_id))
        assert (done.written, done.kept) == ((), ())
    labels = load_city_labels(project, "mini", readers.taxonomy)
    assert all("category" in row.labels for row in labels.labelled.rows), "what was settled has its label back"


def ids_of(project: Project, count: int) -> list[str]:
    """Return messages of the small city that count; the staged table of the last report says which."""
    sql = "select manifestation_id from label_sample_item order by position limit $count"
    with open_read_only(project.warehouse) as warehouse:
        return [identity for (identity,) in warehouse.query(sql, {"count": count})]


def outside(project: Project, readers: Readers) -> Outside:
    return Outside(april(project, "mini"), "online", lambda: readers)


def test_a_csv_is_a_simple_sample_of_its_window(project: Project, readers: Readers, tmp_path: Path) -> None:
    population = empty(project)[0].population_count
    chosen = ids_of(project, 40)
    path = tmp_path / "labels.csv"
    lines = [f"{identity},{who},agua_servicios,neg" for identity in chosen for who in "AB"]
    path.write_text("\n".join(["manifestation_id,labeller,category,sentiment", *lines]) + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"labels\.csv: a CSV does not tell its window: give --from"):
        take(project, path)
    (done,) = take(project, path, outside=outside(project, readers))
    assert (done.sample.design, done.sample.seed, done.sample.population_count) == ("simple", None, population)
    assert (done.sample.drawn_count, done.message_count, done.added_count) == (40, 80, 160)
    assert query(project, f"select distinct stratum, stratum_count, stratum_drawn from label_sample_item"
                          f" where sample_id = '{done.sample.sample_id}'") == [("all", population, 40)]  # fmt: skip
    before = query(project, "select * from label order by all")
    for sign in ";\t":
        path.write_text(path.read_text(encoding="utf-8").replace(",", sign).replace(";", sign), encoding="utf-8")
        assert [done.added_count for done in take(project, path, outside=outside(project, readers))] == [0]
    (again,) = take(project, path, outside=outside(project, readers))
    assert (again.sample.sample_id, again.added_count) == (done.sample.sample_id, 0)
    assert query(project, "select * from label order by all") == before
    assert query(project, "select count(*) from label_sample") == [(2,)]


def test_a_wrong_csv_is_refused_line_by_line(project: Project, readers: Readers, tmp_path: Path) -> None:
    (identity,) = ids_of(project, 1)
    path = tmp_path / "labels.csv"
    lines = [f"{identity},A,agua,neg", f"{identity},A,salud,neg", f"{'0' * 32},ana,salud,neg", f"{identity},B,salud,"]
    path.write_text("\n".join(["manifestation_id,labeller,category,sentiment", *lines]), encoding="utf-8")
    with pytest.raises(LabelError) as raised:
        take(project, path, outside=outside(project, readers))
    said = str(raised.value).splitlines()
    assert said[0].startswith("labels.csv:2, column category: 'agua' is not allowed; allowed: ")
    assert said[1] == f"labels.csv:3, column manifestation_id: {identity} of labeller A stands at labels.csv:2 already"
    assert said[2].startswith("labels.csv:4, column labeller: 'ana' is no labeller; allowed: one letter")
    assert said[3].startswith("labels.csv:5, column sentiment: empty")
    assert said[4].startswith(f"labels.csv:4, column manifestation_id: '{'0' * 32}' is no message that counts in ")
    assert len(said) == 5
    assert query(project, "select count(*) from label_sample") == [(1,)]
    path.write_text("manifestation_id,labeller,category\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"labels\.csv:1: column sentiment is missing; needed: .* parted by , or ; or tabs"):
        take(project, path, outside=outside(project, readers))


def page_section(page: str) -> str:
    return re.sub(r"\s+", " ", html.fromstring(page).get_element_by_id("labels").text_content())


def test_the_report_tells_who_labelled_how_many_and_how_far_they_agree(project: Project, readers: Readers) -> None:
    page = project.reports / "mini" / "2021-04-01_2021-04-30" / "informe.html"
    command = "escucha label export mini --from 2021-04-01 --to 2021-04-30 --channel online"
    assert command in page_section(page.read_text("utf-8")), "made before there was a sample"
    _, one, other = filled(project)
    with opened(project) as (warehouse, city, period):
        drawn = report(warehouse, project, city, period, readers)
    said = page_section(drawn.path.read_text("utf-8"))
    assert "Se sorteó una muestra de 60 expresiones (En línea) y todavía no hay etiquetas" in said
    take(project, one, other)
    with opened(project) as (warehouse, city, period):
        labelled = report(warehouse, project, city, period, readers)
        again = report(warehouse, project, city, period, readers)
        rows = {
            (row["channel"], row["task"]): row
            for row in warehouse.rows("select * from report_agreement where report_id = $id", {"id": labelled.report_id})
        }
    assert again.report_id == labelled.report_id != drawn.report_id
    assert labelled.totals["manifestation_count"] == drawn.totals["manifestation_count"]
    assert len(rows) == 3 * len({source.channel for source in project.load_city("mini").sources})
    found = rows["online", "category"]
    counts = ("sample_count", "drawn_count", "labelled_count", "double_labelled_count", "agreed_count", "settled_count")
    assert [found[name] for name in counts] == [1, 60, 60, 60, 54, 0]
    assert json.loads(found["labellers"]) == {"A": 60, "B": 60}
    expected = state(project).agreement["category"]
    assert [found[name] for name in ("kappa", "kappa_low", "alpha", "alpha_high")] == [
        expected.kappa,
        expected.kappa_low,
        expected.alpha,
        expected.alpha_high,
    ]
    assert rows["online", "issue"]["double_labelled_count"] < 30
    assert rows["online", "issue"]["alpha"] is None
    assert rows["attention_office", "category"]["sample_count"] == 0
    said = page_section(labelled.path.read_text("utf-8"))
    assert "En línea: 60 expresiones sorteadas" in said
    assert "la persona A, 60 expresiones; la persona B, 60 expresiones" in said
    assert f"{found['alpha']:.2f} (entre {found['alpha_low']:.2f} y {found['alpha_high']:.2f})" in said
    assert "Menos de 30 expresiones con dos etiquetas" in said


def test_labels_of_another_window_are_not_the_reports(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    take(project, one, other)
    with opened(project) as (warehouse, city, period):
        week = Period.from_dates(period.first_date, period.first_date.replace(day=7), city.zone)
        made = report(warehouse, project, city, week, readers)
        rows = warehouse.query(
            "select sum(sample_count), sum(labelled_count) from report_agreement where report_id = $id", {"id": made.report_id}
        )
    assert rows == [(0, 0)]


def test_a_report_on_one_source_uses_its_labels_alone(project: Project, readers: Readers) -> None:
    _, one, other = filled(project)
    take(project, one, other)
    with opened(project) as (warehouse, city, period):
        made = report(warehouse, project, city, period, readers, source_ids=["blog-ceres"])
        ((labelled,),) = warehouse.query(
            "select max(labelled_count) from report_agreement where report_id = $id", {"id": made.report_id}
        )
    ((of_source,),) = query(project, "select count(*) from label_sample_item where source_id = 'blog-ceres'")
    assert 0 < labelled == of_source < 60


def test_the_commands_go_the_whole_way(project: Project) -> None:
    done = run_command("label", "export", "mini", *APRIL, "--size", "40", "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    exported = json.loads(done.stdout)
    paths = [Path(path) for path in exported["written"]]
    (earlier,) = {path.name.split("-")[1] for path in paths[0].parent.iterdir()} - {exported["sample"]["sample_id"]}
    sample_id = exported["sample"]["sample_id"]
    unfinished = run_command("label", "import", "mini", str(paths[0]), project=project.root)
    assert unfinished.returncode == 2
    assert unfinished.stderr.count("not labelled yet") == 40
    assert "Traceback" not in unfinished.stderr
    for path, choose in zip(paths, (first_person, second_person), strict=True):
        fill(path, choose)
    taken = run_command("label", "import", "mini", *map(str, paths), project=project.root)
    assert taken.returncode == 0, taken.stderr
    assert "agreement       category: 36 of 40, kappa 0." in taken.stdout
    status = json.loads(run_command("label", "status", "mini", "--json", project=project.root).stdout)
    found = {entry["sample"]["sample_id"]: entry for entry in status["samples"]}
    assert found.keys() == {earlier, sample_id}
    assert found[earlier]["missing"] == {"A": 60, "B": 60}
    found = found[sample_id]
    assert (found["labelled"], found["missing"]) == ({"A": 40, "B": 40}, {})
    assert found["agreement"]["category"]["agreed_count"] == 36
    settled = run_command("label", "export", "mini", "--differences", sample_id, project=project.root)
    assert settled.returncode == 0, settled.stderr
    assert f"etiquetas-{sample_id}-final.xlsx" in settled.stdout
    shown = run_command("label", "status", "mini", project=project.root).stdout
    assert f"to settle       4: `escucha label export mini --differences {sample_id}`" in shown
    assert max(map(len, shown.splitlines())) <= 80
    both = run_command("label", "export", "mini", *APRIL, "--differences", sample_id, project=project.root)
    assert (both.returncode, both.stderr.count("--differences SAMPLE")) == (2, 1)


def test_an_option_that_would_change_nothing_is_refused(project: Project) -> None:
    _, one, _ = empty(project)
    for arguments in (("import", "mini", str(one)), ("export", "mini", "--differences", "0123456789ab")):
        ended = run_command("label", *arguments, "--to", "2021-04-30", project=project.root)
        assert (ended.returncode, "--to 2021-04-30: a window begins with --from DAY" in ended.stderr) == (2, True)
    double = run_command("label", "export", "mini", *APRIL, "--size", "40", "--double", "50", project=project.root)
    assert (double.returncode, double.stderr.splitlines()[-1]) == (
        2,
        "--double 50: more than the 40 messages of --size; allowed: 0 to 40",
    )


def test_a_sample_that_nobody_drew_has_no_seed(project: Project, readers: Readers, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    lines = [f"{identity},A,salud,neg" for identity in ids_of(project, 4)]
    path.write_text("\n".join(["manifestation_id,labeller,category,sentiment", *lines]), encoding="utf-8")
    take(project, path, outside=outside(project, readers))
    shown = run_command("label", "status", "mini", project=project.root).stdout
    assert "drawn           4 of " in shown
    assert "None" not in shown


def messages_of(language: str) -> dict[str, set[str]]:
    """Return dotted id -> the placeholders of the message."""
    pending: list[tuple[str, Any]] = [
        ("", YAML(typ="safe").load((REPORTS / "wording" / language / "labels.yml").read_text("utf-8")))
    ]
    found = {}
    while pending:
        name, entry = pending.pop()
        if isinstance(entry, str):
            found[name] = set(re.findall(r"{(\w+)}", entry))
        else:
            pending += [(f"{name}.{key}", part) for key, part in entry.items()]
    return found


def test_the_words_are_the_same_in_both_languages() -> None:
    spanish = messages_of("es")
    assert len(spanish) > 60
    assert messages_of("en") == spanish


def test_without_a_warehouse_the_commands_say_what_to_run(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    done = run_command("label", "export", "mini", *APRIL, project=project.root)
    assert done.returncode == 4
    assert "run `escucha run mini --from DAY` first" in done.stderr
    assert not project.warehouse.exists()
    status = run_command("label", "status", "mini", project=project.root)
    assert (status.returncode, "has no sample yet" in status.stdout) == (0, True)
