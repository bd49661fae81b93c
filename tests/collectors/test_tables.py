"""Tables read as rows: nothing crashes, and rows read plus rows told are the rows of the file."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors import bounded
from collectors.bounded import read_bounded
from collectors.health import SourceProblem
from collectors.layouts import FileLayout, load_layouts
from collectors.tables import Document, Row, TableForm, WrongRow, read_rows, recognise
from collectors.text import decode_bytes, open_text
from tests.growth import assert_linear

FORM = TableForm(text=("texto",))
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def read(body: bytes, form: TableForm = FORM, *, name: str) -> tuple[list[Row], list[WrongRow], str]:
    """Return the rows, the rows told, and what ended the file early."""
    found: list[Row | WrongRow] = []
    told = ""
    try:
        found.extend(read_rows(recognise(body, form, name=name), form))
    except SourceProblem as problem:
        told = problem.detail
    return [row for row in found if isinstance(row, Row)], [row for row in found if isinstance(row, WrongRow)], told


def texts(body: bytes, form: TableForm = FORM, *, name: str) -> list[str]:
    rows, wrong, told = read(body, form, name=name)
    assert (wrong, told) == ([], "")
    return [row.cells[form.text[0]] for row in rows]


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12), delimiter=st.sampled_from(",;\t|"))
@example(rows=[["a", "b", ""], ["a"], ["a", "b", "c"]], delimiter=",")
@example(rows=[["\r", "\u2028"], ["\n\n", '"']], delimiter=";")
def test_every_csv_row_is_read_or_told(rows: list[list[str]], delimiter: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([["texto", "otro"], *rows])
    form = TableForm(text=("texto",), delimiter=delimiter)
    found, wrong, told = read(stream.getvalue().encode(), form, name="f.csv")
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    fitting = [row for row in filled if len(row) >= 2 and not any(cell.strip() for cell in row[2:])]
    assert told == ""
    assert [row.cells["texto"] for row in found] == [row[0] for row in fitting]
    assert len(found) + len(wrong) == len(filled)


@given(st.binary(max_size=300), st.sampled_from(["f.csv", "f.json", "f.jsonl", "f", "f.xlsx", "f.ods", "f.zip", "f.csv.gz"]))
@example(b"texto\n" + b'"abc', "f.csv")
@example(b"\xff\xfet\0e\0", "f.csv")
@example(b"PK\x03\x04", "f")
@example(b"\x1f\x8b\x08", "f")
@example(b"PAR1PAR1", "f")
@example(b"[1e999, -0, {}]", "f.json")
@example(b'{"a": ' + b"9" * 5000 + b"}", "f.jsonl")
def test_any_bytes_are_read_or_told(body: bytes, name: str) -> None:
    rows, wrong, told = read(body, name=name)
    assert told == "" or told.startswith("f")
    assert "\n" not in told
    numbers = [row.line for row in (*rows, *wrong)]
    assert len(numbers) == len(set(numbers))


@given(st.binary(max_size=60), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "no-such-label"]))
@example("Niño €".encode("cp1252"), None)
@example(b"\xff\xfea\0\xd8\xd8", None)
@example("ñ".encode("utf-16-le"), "utf-16le")
def test_text_decoded_in_pieces_is_the_text_decoded_at_once(body: bytes, declared: str | None) -> None:
    with open_text(body, declared=declared) as stream:
        assert stream.read() == decode_bytes(body, declared=declared)[0]


def test_encoding_is_found_beyond_the_first_piece() -> None:
    body = b"a" * 2_000_000 + "ñ".encode("cp1252")
    with open_text(body, declared=None) as stream:
        assert stream.read()[-2:] == "añ"


@given(st.binary(max_size=200).filter(lambda tail: b'"' not in tail))
@example(b"a\rb\r\nc\n\nd")
@example(b"a,\n,\na,b\n")
def test_every_line_below_a_heading_is_read_or_told(tail: bytes) -> None:
    body = b"texto\n" + tail
    rows, wrong, told = read(body, name="f.csv")
    lines = re.split("\r\n|\r|\n", decode_bytes(body, declared=None)[0])[1:]
    assert told == ""
    assert len(rows) + len(wrong) == sum(any(cell.strip() for cell in line.split(",")) for line in lines)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(VALUES | st.fixed_dictionaries({"texto": VALUES}, optional={"a.b": VALUES, "a": VALUES}), max_size=12)


@given(records=RECORDS, indent=st.sampled_from([None, 1]))
def test_every_json_record_is_read_or_told(records: list[Any], indent: int | None) -> None:
    form = TableForm(text=("texto",), optional=("a.b",))
    body = json.dumps(records, indent=indent).encode()
    rows, wrong, told = read(body, form, name="f.json")
    objects = [record for record in records if isinstance(record, dict)]
    if objects and not any("texto" in record for record in objects):
        assert "no record has 'texto'" in told
        return
    assert told == ""
    assert sorted([row.line for row in rows] + [row.line for row in wrong]) == list(range(1, len(records) + 1))
    for row in rows:
        value = records[row.line - 1].get("texto")
        assert not isinstance(value, dict | list)
        assert (row.cells["texto"] == value) or not isinstance(value, str)


@given(records=RECORDS, cut=st.integers(min_value=0, max_value=40))
def test_every_json_line_is_read_or_told(records: list[Any], cut: int) -> None:
    lines = [json.dumps(record) for record in [{"texto": "Falta luz"}, *records]]
    lines[-1] = lines[-1][: max(len(lines[-1]) - cut, 1)] if records else lines[-1]
    rows, wrong, told = read("\n\n".join(lines).encode(), name="f.ndjson")
    assert told == ""
    assert len(rows) + len(wrong) == len(lines)


@given(records=RECORDS, cut=st.integers(min_value=1, max_value=60))
def test_a_list_that_breaks_off_keeps_what_stands_before(records: list[Any], cut: int) -> None:
    body = json.dumps([{"texto": "Falta luz"}, *records])
    kept = body[: max(len(body) - cut, 23)]
    rows, wrong, told = read(kept.encode(), name="f.json")
    assert rows[0].cells["texto"] == "Falta luz"
    assert told
    assert len(rows) + len(wrong) <= len(records) + 1


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        (b'{"texto": "a"}\n{"texto": "b"}\n', "f.json", ["a", "b"]),
        (b'{"texto": "a"}\n', "f.ndjson", ["a"]),
        (b'{"texto": "a"}', "f", ["a"]),
        ('\ufeff[{"texto": "ñ"}]'.encode(), "f", ["ñ"]),
        ('[{"texto": "ñ"}]'.encode("utf-16"), "f.json", ["ñ"]),
        (b'[{"texto": 1.0}, {"texto": true}, {"texto": null}, {"texto": 1.5}]', "f.json", ["1", "true", "", "1.5"]),
        (b'[{"texto": "\\ud83d"}]', "f.json", ["\ud83d"]),
        (b"[]", "f.json", []),
        (b"texto;otro\na;b\n", "f.txt", ["a"]),
        (b"texto,,\na,,\nb,,\n", "f.csv", ["a", "b"]),
        ("texto\nNiño\n".encode("cp1252"), "f.csv", ["Niño"]),
        ("texto\r\nuno\r\n".encode("utf-16"), "f.csv", ["uno"]),
        (b"texto\rNi\rdos\r", "f.csv", ["Ni", "dos"]),
    ],
)
def test_forms_that_are_recognised(body: bytes, name: str, expected: list[str]) -> None:
    assert texts(body, name=name) == expected


@pytest.mark.parametrize(
    ("body", "form", "name", "told"),
    [
        (b'{\n "items": []\n}', FORM, "f.json", "f.json: holds an object; needed: a list of objects, or its path"),
        (b'{"a": {"b": 3}}', TableForm(text=("t",), records="a.b"), "f.json", "`records: a.b` leads to no list"),
        (b'[{"t": "x"}]', TableForm(text=("t",), records="a"), "f.json", "`records: a` leads nowhere: no key 'a' there"),
        (b"{'a': 1}", TableForm(text=("t",), records="a"), "f.json", "f.json: not readable as JSON (Expecting property name"),
        (b"[" * 100_000, FORM, "f.json", "record 1: not readable as JSON (nested too deeply"),
        (b'[{"texto": "a"} {"texto": "b"}]', FORM, "f.json", "after record 1: the list does not end"),
        (b"\xd0\xcf\x11\xe0abc", FORM, "f.xls", "f.xls: an old Excel file; save it as .xlsx"),
        (b"texto\nuno\n", FORM, "f.ods", "f.ods: not a readable workbook (no ODS file)"),
        (b"PAR1" + b"\0" * 20, FORM, "f.parquet", "f.parquet: not a readable Parquet file"),
        (b"", FORM, "f.csv", "f.csv: the file has no heading"),
        (b",,\n", FORM, "f.csv", "f.csv: the file has no heading"),
        (
            b"Ana,989\n",
            FORM,
            "f.csv",
            "f.csv:1: no column 'texto'; the file has a first line of 2 cells with none of the columns",
        ),
        (b"texto\n" + b"a" * 9_000_000, FORM, "f.csv", "f.csv:2: a line of more than 8000000 characters"),
        (b'texto\na\n"' + b"a\n" * 1_100_000, FORM, "f.csv", "f.csv:3: field larger than field limit"),
    ],
)
def test_what_is_wrong_is_told_and_what_is_allowed(body: bytes, form: TableForm, name: str, told: str) -> None:
    assert told in read(body, form, name=name)[2]


def test_keys_of_records_without_any_wanted_one_are_not_repeated() -> None:
    assert read(b'[{"Juana Vecina": 1}]', name="f.json")[2] == "f.json: no record has 'texto'"
    form = TableForm(text=("texto",), needed=("id",))
    assert "the records have 'id', 'cuerpo'" in read(b'[{"id": 1, "cuerpo": "x"}]', form, name="f.json")[2]


def test_rows_beyond_the_most_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.tables.MAX_ROWS", 2)
    rows, _, told = read(b"texto\na\nb\nc\n", name="f.csv")
    assert [row.cells["texto"] for row in rows] == ["a", "b"]
    assert told == "f.csv:4: more than 2 rows; split the file: from here on it was not read"


def test_cell_longer_than_any_text_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.tables.MAX_CELL_CHARACTERS", 5)
    rows, wrong, _ = read(b'[{"texto": "largo y tendido"}, {"texto": "corto"}]', name="f.json")
    assert [row.line for row in rows] == [2]
    assert wrong == [WrongRow(1, "more than 5 characters in 'texto'")]


def test_parquet_types() -> None:
    table = pa.table(
        {
            "texto": ["a", None],
            "dia": pa.array([date(2021, 4, 5), None]),
            "instante": pa.array([datetime(2021, 4, 5, 12), None], pa.timestamp("ns", "UTC")),
            "numero": pa.array([2.0, None]),
            "crudo": pa.array(["ñ".encode(), None]),
            "hondo": [{"x": [{"y": "z"}]}, None],
            "a.b": ["literal", None],
        }
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    form = TableForm(text=("texto",), needed=("dia", "instante", "numero", "crudo", "hondo.x.0.y", "a.b"))
    (first, second), wrong, told = read(stream.getvalue(), form, name="f")
    assert (wrong, told) == ([], "")
    assert list(first.cells.values()) == ["a", "2021-04-05", "2021-04-05T12:00:00+00:00", "2", "ñ", "z", "literal"]
    assert set(second.cells.values()) == {""}


def test_time_of_a_sheet_is_written() -> None:
    from collectors.table_formats import write_cell

    assert [write_cell(cell) for cell in (timedelta(hours=9, minutes=5), True, None, 3.0, date(2021, 4, 5))] == [
        "9:05:00",
        "true",
        "",
        "3",
        "2021-04-05",
    ]


@settings(max_examples=3)
@given(records=st.lists(st.fixed_dictionaries({"texto": CELLS | st.just("\ud83d")}) | st.integers(), max_size=6))
def test_reading_in_another_process_gives_the_same(records: list[Any]) -> None:
    body = json.dumps([{"texto": "primero"}, *records]).encode()
    document = recognise(body, FORM, name="f.json")
    assert list(read_bounded(document, FORM)) == list(read_rows(document, FORM))


def test_problems_come_back_from_the_other_process() -> None:
    with pytest.raises(SourceProblem, match="no record has 'texto'") as caught:
        list(read_bounded(Document(b'[{"a": 1}]', "f.json", "json"), FORM))
    assert caught.value.reason == "missing_column"


def test_reader_that_stops_early_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    begin = bounded._start
    monkeypatch.setattr(bounded, "_start", lambda: started.append(begin()) or started[-1])
    rows = read_bounded(Document(b'[{"texto": "a"}, {"texto": "b"}]', "f.json", "json"), FORM)
    assert next(rows) == Row(1, {"texto": "a"})
    rows.close()  # type: ignore[attr-defined]
    assert started[0].poll() is not None


def test_secrets_do_not_reach_the_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUCHA_SECRET", "a-secret-of-thirty-two-characters")
    process = bounded._start()
    try:
        environ = Path(f"/proc/{process.pid}/environ").read_bytes()
    except FileNotFoundError:
        pytest.skip("no /proc here")
    finally:
        process.kill()
        process.communicate()
    assert b"a-secret" not in environ


@pytest.mark.parametrize("unit", ['a,"b"\n', ",,,,\n", "\n", '""""', '{"texto": "a"}\n', "[[", '{"'])
def test_cost_grows_with_the_file(unit: str) -> None:
    assert_linear(lambda text: read(f"texto\n{text}".encode(), name="f.csv"), unit)
    assert_linear(lambda text: read(f'{{"texto": 1}}\n{text}'.encode(), name="f.jsonl"), unit)


def test_layouts_are_complete() -> None:
    layouts = load_layouts()
    assert {"polis", "4cat"} <= set(layouts)
    for layout in layouts.values():
        assert layout.description
        assert layout.columns.text
        assert all(layout.columns.named(field) for field in layout.optional)


def test_layout_says_what_is_needed() -> None:
    given_form = {"columns": {"text": ["t"], "id": "i", "link": "l"}, "optional": ["link"], "drop": {"estado": ["oculto"]}}
    form = FileLayout.model_validate(given_form).form()
    assert (form.text, form.needed, form.optional) == (("t",), ("i", "estado"), ("l",))
