"""The gate: nothing but what may be told passes it, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.reports.masking import MaskError, load_masks, mask_of, masked, report_tables, table_columns, told_tables
from pipelines.warehouse import Warehouse, memory_warehouse, open_draft, open_read_only, publish
from tests.pipelines.report_items import FIRST, SENTIMENTS, Item, report_of

ITEMS = [Item("agua", "agua.corte", "neg", FIRST, f"autor{place}") for place in range(40)]
ITEMS += [Item("basura", None, "neu", FIRST, f"otro{place}") for place in range(50)]
ITEMS += [Item("unclassified", None, SENTIMENTS[place % 3], FIRST, f"alguien{place}") for place in range(60)]
ITEMS += [Item("calles", "calles.huecos", "pos", FIRST, "uno")]


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """One report; many write of three categories, one person of a fourth."""
    with report_of(ITEMS, 1) as made:
        yield made


def categories(warehouse: Warehouse) -> dict[str, int | None]:
    return dict(warehouse.query("select category_id, manifestation_count from report_category"))


def expected(warehouse: Warehouse, level: str) -> dict[str, int | None]:
    """Return what is told of the categories, by the table that decides."""
    told = f"if(suppressed_{level}, null, manifestation_count)"
    return dict(warehouse.query(f"select cell_key, {told} from memory.main.report_cell where cell_table = 'category'"))


def test_masks_name_every_report_table_and_every_figure_of_persons() -> None:
    with memory_warehouse() as empty:
        for table in report_tables(empty):
            mask = mask_of(table)
            assert bool(mask.told) + bool(mask.withheld) + bool(mask.cells or mask.replace or mask.where) == 1, table
            named = {column for cell in mask.cells for column in (*cell.counts, *cell.shares)} | mask.replace.keys()
            figures = {name for name, _ in table_columns(empty, table) if name.endswith(("_count", "_share", "_low", "_high"))}
            # Where rows are dropped, what stands in the others need not be named; report_issue drops none for its own cell.
            if mask.cells and (not mask.where or table == "report_issue"):
                untold = figures - named - ({"manifestation_count"} if table == "report_day" else set())
                assert not untold, f"masks.yml: {table} tells {untold} of cells that may be hidden"


def test_a_table_without_a_mask_stops_everything_that_leaves(warehouse: Warehouse) -> None:
    warehouse.query("create table report_night (report_id varchar, manifestation_count bigint)")
    with pytest.raises(MaskError, match=r"masks\.yml does not say what of report_night may be told"):
        told_tables(warehouse, "internal")


def test_one_level_stands_inside_another_and_the_tables_come_back(warehouse: Warehouse) -> None:
    raw = categories(warehouse)
    with masked(warehouse, "internal"):
        outer = categories(warehouse)
        with masked(warehouse, "open"):
            assert categories(warehouse) == expected(warehouse, "open")
        assert categories(warehouse) == outer == expected(warehouse, "internal")
    assert categories(warehouse) == raw == {"agua": 40, "basura": 50, "calles": 1, "unclassified": 60}


def test_an_error_inside_lifts_the_mask_too(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError), masked(warehouse, "open"):
        raise KeyError
    assert categories(warehouse)["calles"] == 1


def test_what_decides_has_no_rows_behind_the_gate(warehouse: Warehouse) -> None:
    with masked(warehouse, "internal"):
        assert warehouse.query("from report_cell") == []


def test_no_share_of_a_small_or_hidden_base(warehouse: Warehouse) -> None:
    with masked(warehouse, "internal"):
        told = warehouse.query("select manifestation_count is null, manifestation_share is null from report_category")
        assert set(told) == {(True, True), (False, False)}
        bases = categories(warehouse)
        for category, share in warehouse.query("select category_id, manifestation_share from report_category_sentiment"):
            assert share is None or (bases[category] or 0) >= 30
        assert ("calles.huecos",) not in warehouse.query("select issue_id from report_issue"), "only few mentioned it"


def test_a_share_without_a_base_of_its_own_goes_with_its_count() -> None:
    mask = mask_of("report_promise")
    assert mask.figures("now_share") == "now_count"
    sql = mask.select("report_promise", ["now_count", "now_share"], "internal", "memory")
    told = {name: sql.partition(f" as {name}")[0].rpartition("if(")[2] for name in ("now_count", "now_share")}
    assert told["now_share"] == told["now_count"].replace("now_count", "now_share")
    assert mask_of("report_voice").figures("top_tenth_share") == "manifestation_count"


def test_a_report_whose_persons_nobody_counted_tells_no_figure(warehouse: Warehouse) -> None:
    warehouse.query("delete from report_cell")
    with masked(warehouse, "internal"):
        assert set(categories(warehouse).values()) == {None}
        assert warehouse.query("select manifestation_count from report") == [(151,)]


def test_the_published_copy_tells_no_more_than_the_page(warehouse: Warehouse, tmp_path: Path) -> None:
    with open_draft(tmp_path / "warehouse.duckdb") as stored:
        for table in report_tables(warehouse):
            rows = warehouse.connection.sql(f"from {table}").to_arrow_table()
            stored.connection.register("rows", rows)
            stored.query(f"create table {table} as from rows")
        publish(stored, tmp_path / "published" / "escucha.duckdb")
    with open_read_only(tmp_path / "published" / "escucha.duckdb") as copy:
        assert categories(copy) == expected(warehouse, "internal")
        assert None in categories(copy).values()
        names = {name for (name,) in copy.query("select table_name from duckdb_tables()")}
    assert names == {name for name, mask in load_masks().items() if not mask.withheld and name in set(report_tables(warehouse))}
