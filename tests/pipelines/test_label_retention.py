"""Retention in `data/labels`: a text that is kept no longer is in no file there, packed or not; people's answers stay."""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collectors.exclusions import keyed_author
from collectors.pseudonyms import SYNTHETIC_SECRET
from pipelines.annotate import annotate
from pipelines.labels.exporting import Exported, export_workbooks
from pipelines.labels.importing import import_labels
from pipelines.labels.samples import draw_sample
from pipelines.retention import Applied, apply_retention
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse
from tests.pipelines.villa import BLOG, FORUM, Village, serve_village

LATER = "2021-06-05T09:00:00-05:00"
GONE = "[texto que ya no se conserva: no hace falta etiquetarlo]"


@pytest.fixture
def village(tmp_path: Path, readers: Readers) -> Iterator[Village]:
    """The village, collected and read; the forum's texts are kept for 30 days, the blog's for 300."""
    with serve_village(tmp_path) as served:
        path = served.project.cities / "villa.yml"
        head, mark, blog = path.read_text(encoding="utf-8").partition("  - id: blog\n")
        path.write_text(f"{head}{mark}    retention_days: 300\n{blog}", encoding="utf-8")
        served.collect()
        with open_warehouse(served.project.warehouse) as warehouse:
            annotate(warehouse, served.project, served.city, served.period, readers)
        yield served


def export(village: Village, readers: Readers) -> Exported:
    with open_warehouse(village.project.warehouse) as warehouse:
        sample = draw_sample(warehouse, village.project, village.city, village.period, readers)
        return export_workbooks(warehouse, village.project, village.city, sample)


def apply(village: Village, *, dry_run: bool = False) -> Applied:
    with open_warehouse(village.project.warehouse) as warehouse:
        return apply_retention(warehouse, village.project, village.city, dry_run=dry_run)


def pass_time(village: Village) -> None:
    path = village.project.cities / "villa.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("2021-05-03T09:00:00-05:00", LATER), encoding="utf-8")


def bytes_of(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, and what is packed in it; other programs write accents as character references."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (html.unescape(archive.read(name).decode()).encode() for name in archive.namelist())


def places(village: Village, words: str) -> list[str]:
    files = sorted(path for path in village.project.root.rglob("*") if path.is_file())
    return [path.name for path in files if any(words.encode() in content for content in bytes_of(path))]


def label_all(path: Path) -> None:
    book = load_workbook(path)
    sheet = book["Mensajes"]
    for row in range(2, sheet.max_row + 1):
        for column, value in ((3, "Salud"), (4, "Vacunación"), (5, "Neutro")):
            sheet.cell(row, column).value = value
    book.save(path)


def test_a_planted_text_is_found_nowhere_and_the_answers_stay(village: Village, readers: Readers) -> None:
    exported = export(village, readers)
    one, other = exported.written
    label_all(one)
    assert all(places(village, post.text).count(one.name) == 1 for post in (*FORUM, *BLOG))
    pass_time(village)
    trial = apply(village, dry_run=True)
    assert places(village, FORUM[0].text)
    done = apply(village)
    assert done.label_file_count == trial.label_file_count == 2
    assert [name for post in FORUM for name in places(village, post.text)] == []
    assert all({one.name, other.name} <= set(places(village, post.text)) for post in BLOG), "what is kept stays"
    rows = list(load_workbook(one)["Mensajes"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in rows].count(GONE) == len(FORUM)
    assert {row[2:5] for row in rows} == {("Salud", "Vacunación", "Neutro")}
    assert load_workbook(other)["Mensajes"]["C2"].value is None
    before = [path.read_bytes() for path in (one, other)]
    assert apply(village).label_file_count == 0
    assert [path.read_bytes() for path in (one, other)] == before
    with open_warehouse(village.project.warehouse) as warehouse:
        (taken,) = import_labels(warehouse, village.project, village.city, [one])
    assert taken.message_count == len(rows)


def test_an_erased_message_need_not_be_labelled_and_is_drawn_no_more(village: Village, readers: Readers) -> None:
    exported = export(village, readers)
    pass_time(village)
    apply(village)
    one = exported.written[0]
    book = load_workbook(one)
    sheet = book["Mensajes"]
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, 2).value != GONE:
            sheet.cell(row, 3).value, sheet.cell(row, 5).value = "Salud", "Neutro"
    book.save(one)
    with open_warehouse(village.project.warehouse) as warehouse:
        (taken,) = import_labels(warehouse, village.project, village.city, [one])
    assert taken.message_count == len(BLOG)
    versions = village.query("select version from label_sample_item order by 1")
    assert sum(version.startswith("erased:") for (version,) in versions) == len(FORUM), "a version was made from the text"
    assert export(village, readers).sample.population_count == len(BLOG)


def test_an_excluded_message_goes_with_its_row(village: Village, readers: Readers) -> None:
    exported = export(village, readers)
    for path in exported.written:
        label_all(path)
    kept_copy = exported.written[0].read_bytes()
    with open_warehouse(village.project.warehouse) as warehouse:
        import_labels(warehouse, village.project, village.city, exported.written)
    key = keyed_author(SYNTHETIC_SECRET, "foro", "Rosa Quispe")
    entry = f"authors:\n  - {{source: foro, author_key: {key}, reason: A pedido de quien escribió, since: 2021-05-02}}\n"
    village.project.exclusions.write_text(entry, encoding="utf-8")
    ids = {identity for (identity,) in village.query("select manifestation_id from label_sample_item")}
    assert apply(village).label_file_count == 2
    left = {identity for (identity,) in village.query("select manifestation_id from label_sample_item")}
    (first, second) = sorted(ids - left)
    assert [name for word in (FORUM[0].text, FORUM[2].text, first, second) for name in places(village, word)] == []
    assert {identity for (identity,) in village.query("select manifestation_id from label")} == left
    assert load_workbook(exported.written[0])["Mensajes"].max_row == 1 + len(left)
    with open_warehouse(village.project.warehouse) as warehouse:
        (taken,) = import_labels(warehouse, village.project, village.city, exported.written)
    assert taken.added_count == 0
    exported.written[0].write_bytes(kept_copy)  # somebody puts their copy back
    assert apply(village).label_file_count == 1
    assert places(village, FORUM[0].text) == []


def test_other_files_go_if_they_hold_the_message_or_cannot_be_read(village: Village, readers: Readers) -> None:
    one = export(village, readers).written[0]
    rows = list(load_workbook(one)["Mensajes"].iter_rows(min_row=2, values_only=True))
    codes = {text: code for _, text, *_, code in rows}
    folder = one.parent
    (folder / "copia.csv").write_text(f"{codes[FORUM[0].text]};{FORUM[0].text}\n", encoding="utf-8")
    (folder / "notas.csv").write_text(f"{codes[BLOG[0].text]};{BLOG[0].text}\n", encoding="utf-8")
    (folder / "roto.xlsx").write_bytes(b"\xff\xfe\x00 torn")
    book = load_workbook(one)
    del book["Listas"]
    book.save(folder / "mi-copia.xlsx")
    assert apply(village).label_file_count == 0, "nothing is due yet"
    pass_time(village)
    assert apply(village).label_file_count == 5
    assert {path.name for path in folder.iterdir()} == {"notas.csv", *(path.name for path in folder.glob("etiquetas-*"))}
    assert [name for post in FORUM for name in places(village, post.text)] == []


def test_a_killed_run_is_finished_by_the_next(village: Village, readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files go before the warehouse: whoever is killed between the two finds the rest still due."""
    export(village, readers)
    pass_time(village)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.retention.rewrite", killed)
        with pytest.raises(KeyboardInterrupt):
            apply(village)
    assert [name for name in places(village, FORUM[0].text) if name.endswith(".xlsx")] == []
    assert apply(village).erased == {"foro": len(FORUM)}
    assert [name for post in FORUM for name in places(village, post.text)] == []
