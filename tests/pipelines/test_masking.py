"""The gate: nothing but what may be told passes it, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.reports.masking import MaskError, load_masks, mask_of, masked, report_tables, table_columns, told_tables
from pipelines.warehouse import Warehouse, memory_warehouse, open_draft, open_read_only, publish
from tests.pipelines.report_items import CATEGORIES, FIRST, SENTIMENTS, Item, report_of

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


def append_row(warehouse: Warehouse, table: str, **values: object) -> None:
    """Append a row of the report; what is not given is null, or what its type has for nothing."""
    nothing = {
        "BIGINT": 0,
        "INTEGER": 0,
        "VARCHAR": "",
        "BOOLEAN": False,
        "TIMESTAMP WITH TIME ZONE": datetime(2021, 3, 1, tzinfo=UTC),
    }
    row = {name: nothing.get(kind) for name, kind in table_columns(warehouse, table)}
    warehouse.append(table, [row | {"report_id": "aa01", "channel": "online"} | values])


def append_before(warehouse: Warehouse, *hidden: str) -> None:
    """Append the cells of the window before; those named are not told."""
    tones = [("previous_category_sentiment", f"{category}/neg") for category in CATEGORIES]
    for table, key in [("previous_category", category) for category in CATEGORIES] + tones:
        few = key in hidden
        append_row(warehouse, "report_cell", cell_table=table, cell_key=key, suppressed_internal=few, suppressed_open=few)


def change(warehouse: Warehouse, measure: str, key: str, before: tuple[int, int], now: tuple[int, int]) -> None:
    """Append what changed; each pair is a count and its base."""
    counts = {"previous_count": before[0], "previous_base": before[1], "current_count": now[0], "current_base": now[1]}
    values = {"previous_value": before[0] / before[1], "current_value": now[0] / now[1], "total_change": 0.123456}
    parts = {"within_change": 0.123456, "mix_change": 0.123456, "lost_change": 0.123456}
    append_row(warehouse, "report_change", measure=measure, key=key, direction="up", **counts, **values, **parts)


def test_a_change_tells_of_the_window_before_what_its_own_report_tells(warehouse: Warehouse) -> None:
    append_before(warehouse, "basura", "unclassified/neg")
    for category in CATEGORIES:
        change(warehouse, "category", category, (40, 160), (40, 151))
        change(warehouse, "category_neg", category, (20, 40), (40, 40))
    with masked(warehouse, "internal"):
        told = warehouse.query("select measure, key from report_change order by all")
    assert ("category", "agua") in told
    assert ("category_neg", "agua") in told
    assert not {("category", "basura"), ("category_neg", "basura")} & set(told), "the window before hides it"
    assert ("category_neg", "unclassified") not in told
    assert not [key for _, key in told if key == "calles"], "the tone would tell the base, which is hidden now"


def test_a_change_without_what_was_hidden_before_is_not_told(warehouse: Warehouse) -> None:
    change(warehouse, "category", "agua", (40, 160), (40, 151))
    with masked(warehouse, "internal"):
        assert warehouse.query("from report_change") == []


def test_changes_of_small_bases_tell_no_share_and_parts_no_single_source(warehouse: Warehouse) -> None:
    append_before(warehouse)
    change(warehouse, "category", "agua", (40, 160), (40, 151))
    change(warehouse, "category_neg", "agua", (5, 20), (40, 40))
    columns = "previous_value, current_value, total_change, within_change, lost_change, direction"
    told = f"select {columns} from report_change order by measure"
    append_row(warehouse, "report_comparison", previous_compared_count=160, current_compared_count=151)
    with masked(warehouse, "internal"):
        (share, tone) = warehouse.query(told)
        assert share == (0.25, 40 / 151, 0.123456, 0.123, None, "up")
        assert tone == (None, 1.0, None, None, None, "none")
    warehouse.query("update main.report_comparison set previous_compared_count = 500, current_compared_count = 500")
    with masked(warehouse, "internal"):
        assert warehouse.query(told)[0] == (0.25, 40 / 151, 0.123456, 0.123, 0.12, "up")


@pytest.mark.parametrize(("said", "lowest"), [(11, None), (10, 0.21)])
def test_a_share_without_a_source_is_told_of_many_and_roughly(warehouse: Warehouse, said: int, lowest: float | None) -> None:
    warehouse.query("update main.report_cell set manifestation_count = 510 where cell_table = 'total'")
    for source, count in (("foro", 10), ("diario", said)):
        append_row(warehouse, "report_source", source_id=source, manifestation_count=count)
    named = {"lowest_source_id": "diario", "highest_source_id": "foro", "moving_source_id": "diario"}
    for measure in ("category", "category_neg"):
        append_row(
            warehouse,
            "report_influence",
            measure=measure,
            key="agua",
            share=0.26,
            lowest_without=0.2123,
            highest_without=0.2777,
            **named,
        )
    with masked(warehouse, "internal"):
        rows = warehouse.query(
            "select measure, lowest_without, highest_without, lowest_source_id, moving_source_id from report_influence"
        )
    assert rows == [("category", lowest, 0.28, None, "diario"), ("category_neg", None, None, None, "diario")]


def test_a_hidden_finding_tells_nothing_by_which_it_could_be_named(warehouse: Warehouse) -> None:
    facts = {"manifestation_count": 1, "base": 1, "tied_count": 2, "share": 1.0, "direction": "up"}
    append_row(
        warehouse,
        "report_headline",
        position=1,
        finding_id="f1",
        message="most_negative",
        measure="category_neg",
        key="calles",
        **facts,
    )
    append_row(
        warehouse,
        "report_headline",
        position=2,
        finding_id="f2",
        message="change_category",
        measure="category",
        key="agua",
        **facts,
    )
    append_row(
        warehouse,
        "report_headline",
        position=4,
        finding_id="f4",
        message="largest_tied",
        measure="category",
        key="basura",
        **facts,
    )
    with masked(warehouse, "internal"):
        rows = warehouse.query(
            "select message, key, base, tied_count, share, direction, finding_id[:1] = 'f' from report_headline"
        )
    assert rows[:2] == [(message, None, None, None, None, "unknown", False) for message in ("tone_untold", "untold_change")]
    assert rows[2] == ("largest_tied", "basura", 1, 2, None, "unknown", True), "no share of so few"


def test_few_voices_are_told_nowhere(warehouse: Warehouse) -> None:
    figures = {"agua": (40, 30, 7), "basura": (50, 45, 3), "unclassified": (60, 3, 20)}
    for category, (posts, voices, unsigned) in figures.items():
        row = {"category_id": category, "manifestation_count": posts, "voice_count": voices, "unsigned_count": unsigned}
        append_row(warehouse, "report_voice", **row)
    append_row(warehouse, "report_voice", category_id=None, manifestation_count=150, voice_count=78, unsigned_count=30)
    with masked(warehouse, "internal"):
        rows = warehouse.query("select category_id, voice_count, unsigned_count from report_voice")
    told = {category: counts for category, *counts in rows}
    assert told == {None: [78, 30], "agua": [30, None], "basura": [45, None], "unclassified": [None, None]}


def test_few_labels_are_told_nowhere_nor_left_over(warehouse: Warehouse) -> None:
    warehouse.query(
        "update main.report_category set labelled_count = 40, labelled_positive_count = if(category_id = 'agua', 3, 12)"
    )
    warehouse.query("update main.report_sentiment set labelled_count = 40, labelled_positive_count = 13")
    with masked(warehouse, "internal"):
        assert warehouse.query("select distinct labelled_positive_count from report_category") == [(None,)]
        assert (13,) in warehouse.query("select labelled_positive_count from report_sentiment")
    with masked(warehouse, "open"):
        assert (13,) in warehouse.query("select labelled_positive_count from report_sentiment")
