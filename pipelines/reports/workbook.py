"""The workbook: a summary, one sheet for each table with typed cells, and the dictionary; no cell is a formula or a link."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter

from pipelines.reports.dictionary import Column, describe, table_word, told_tables_in_order
from pipelines.reports.exporting import ExportInput
from pipelines.reports.formats import MIN_BASE, Formats, clean
from pipelines.reports.masking import mask_of
from pipelines.reports.rendering import load_formats

LONGEST = 32_767
"""Characters that a cell holds; XlsxWriter leaves out a longer text without a word."""

WIDEST = 60
"""Characters of the widest column."""

OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": True,
}

STYLES: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 16},
    "head": {"bold": True, "bg_color": "#EFECE3", "border": 1, "border_color": "#DEDACF", "text_wrap": True, "valign": "top"},
    "warning": {"bold": True, "font_color": "#8F2D1C", "text_wrap": True},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "bold": {"bold": True},
    "count": {"num_format": "#,##0"},
    "number": {"num_format": "General"},
    "share": {"num_format": "0.0%"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "instant": {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
    "untold": {"font_color": "#5A5A55", "italic": True, "align": "right"},
}

SPOKEN: Mapping[str, Sequence[str]] = {
    "channel": ("channel.{}",),
    "reason": ("unread.{}", "set_aside.{}.name", "reason.{}"),
    "status": ("status.{}",),
    "platform": ("platform.{}",),
    "publisher_kind": ("publisher_kind.{}",),
    "place_kind": ("places.kind.{}",),
    "direction": ("direction.{}",),
    "change": ("direction.{}",),
    "estimate_status": ("exports.values.estimate_status.{}",),
    "period_kind": ("exports.values.period_kind.{}",),
    "standing": ("exports.values.standing.{}",),
    "measure": ("exports.values.measure.{}",),
    "message": ("exports.values.message.{}",),
    "grouping": ("exports.values.grouping.{}",),
    "verdict": ("exports.values.verdict.{}",),
    "expected_from": ("exports.values.expected_from.{}",),
    "task": ("exports.values.task.{}",),
}
"""Column whose codes have names in the wording -> where those stand."""

NAMED = ("category_id", "issue_id", "rollup_id", "sentiment", "key")
"""Columns whose codes have names in the taxonomy; `key` of a source is its own id."""


@dataclass(frozen=True)
class _Book:
    """A workbook that is being written, with what its cells need."""

    given: ExportInput
    formats: Formats
    book: xlsxwriter.Workbook
    styles: Mapping[str, Any]

    def word(self, key: str, **values: object) -> str:
        return self.formats.say.text(f"exports.workbook.{key}", **values)

    def spoken(self, column: str, value: Any) -> Any:
        """Return the name of a code, or the value itself."""
        if column in NAMED and value is not None:
            labels = self.given.taxonomy.labels_en if self.given.language == "en" else self.given.taxonomy.labels_es
            return labels.get(value, value)
        for pattern in SPOKEN.get(column, ()):
            if self.formats.say.has(pattern.format(value)):
                return self.formats.say.text(pattern.format(value))
        return value


def export_workbook(given: ExportInput) -> Mapping[str, bytes]:
    """Make the workbook, named in its language. Its tables are masked like the page: what is not told says so in its cell."""
    target = io.BytesIO()
    formats = load_formats(given.city, given.language)
    totals = given.warehouse.rows(
        "from report where report_id = $id order by channel <> 'online', channel", {"id": given.report_id}
    )
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        writing = _Book(given, formats, book, {name: book.add_format(dict(style)) for name, style in STYLES.items()})
        title = formats.say.text("exports.title", city=clean(given.city.name), window=formats.window(given.period))
        if totals[0]["only_sources"] is not None:
            title = f"{title} {formats.counted(len(given.city.sources), 'page.only').unescape()}"
        # Without it the clock of the machine would stand in the file.
        created = totals[0]["seen_until"].replace(tzinfo=None)
        book.set_properties({"title": title, "author": "escucha", "created": created, "comments": given.report_id})
        _write_summary(writing, title, totals)
        tables = list(told_tables_in_order(given.warehouse))
        for table in tables:
            _write_table(writing, table)
        _write_dictionary(writing, tables)
    return {f"{formats.say.text('file.report')}.xlsx": target.getvalue()}


def _write_summary(writing: _Book, title: str, totals: Sequence[Mapping[str, Any]]) -> None:
    """Write the first sheet: what this is, the totals, what could not be read, and the limits."""
    say, word = writing.formats.say, writing.word
    sheet = _add_sheet(writing, word("summary"))
    sheet.set_column(0, 0, WIDEST)
    sheet.set_column(1, len(totals), 20)
    channels = [writing.spoken("channel", row["channel"]) for row in totals]
    lines: list[tuple[list[Any], str]] = [([title], "title")]
    lines += [([say.text("exports.synthetic")], "warning")] if totals[0]["synthetic"] else []
    lines += [([say.text("exports.description")], "wrapped"), ([], "")]
    lines += [([word("window"), writing.formats.window(writing.given.period)], "")]
    lines += [([word("seen"), writing.formats.instant(totals[0]["seen_until"])], "")]
    lines += [([word("report"), writing.given.report_id], ""), ([], "")]
    lines += [([word("totals"), *channels], "head")]
    lines += [([say.text(f"dictionary.columns.{name}.label"), *(row[name] for row in totals)], "count") for name in TOTALS]
    lines += [([], ""), ([word("unread"), *channels], "head"), *_unread_lines(writing), ([], "")]
    limits = [word("no_survey"), word("as_read"), word("small_base", base=MIN_BASE), word("channels"), say.text("reserved.note")]
    lines += [([word("limits")], "bold"), *(([limit], "wrapped") for limit in limits)]
    for row, (cells, style) in enumerate(lines):
        if style in ("wrapped", "warning"):
            sheet.merge_range(row, 0, row, len(totals), "")
            # A merged cell does not grow with its text by itself.
            sheet.set_row(row, 15 * -(-len(cells[0]) // (WIDEST + 18 * len(totals))))
        for column, value in enumerate(cells):
            untold = "untold" if column and value == say.text("reserved.cell") else style
            _write_cell(writing, sheet, row, column, value, writing.styles.get(untold))


TOTALS = (
    "collected_count",
    "manifestation_count",
    "distinct_text_count",
    "voice_count",
    "source_planned_count",
    "source_alive_count",
)
"""What the summary tells of each channel."""


def _add_sheet(writing: _Book, name: str) -> Any:
    """Add a sheet that prints on A4, as wide as the paper, its head on every page."""
    sheet = writing.book.add_worksheet(name[:31])
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet


def _unread_lines(writing: _Book) -> list[tuple[list[Any], str]]:
    lines: dict[str, list[Any]] = {}
    for reason, _, count in writing.given.warehouse.query_file("unread_of_report", {"report_id": writing.given.report_id}):
        line = lines.setdefault(reason, [writing.spoken("reason", reason)])
        line.append(writing.formats.say.text("reserved.cell") if count is None else count)
    return [(line, "count") for line in lines.values()]


def _write_table(writing: _Book, table: str) -> None:
    """Write one sheet: headings in the reader's words, typed cells, a frozen head with filters."""
    say, mask = writing.formats.say, mask_of(table)
    columns = describe(writing.given.warehouse, table, say)
    sql = f"select * from {table} where report_id = $id order by {', '.join(mask.order)}"  # noqa: S608  our own words
    rows = writing.given.warehouse.rows(sql, {"id": writing.given.report_id})
    shown = [column for column in columns if column.name != "report_id"]
    cells = [[_shown(writing, column, row, mask.figures(column.name)) for column in shown] for row in rows]
    heads = [column.label for column in shown]
    for place, column in reversed(list(enumerate(shown))):
        if column.kind == "VARCHAR" and (column.name in NAMED or column.name in SPOKEN):
            heads.insert(place + 1, writing.word("code_of", heading=column.label))
            for told, row in zip(cells, rows, strict=True):
                told.insert(place + 1, (row[column.name], "text"))
    _write_rows(writing, table_word(say, table, "label"), heads, cells)


def _shown(writing: _Book, column: Column, row: Mapping[str, Any], count: str | None) -> tuple[Any, str]:
    """Return what a cell shows and its style. `count` names the figure that decides whether the cell is told."""
    value = row[column.name]
    if value is None and count is not None:
        withheld = row[count] is None
        if withheld or column.name.endswith("_share"):
            return (writing.formats.say.text("reserved.cell") if withheld else "–"), "untold"
    if isinstance(value, bool):
        return writing.word("yes" if value else "no"), "text"
    if column.name == "key" and row["measure"] == "source":
        return value, column.unit
    return writing.spoken(column.name, value), column.unit


def _write_rows(writing: _Book, name: str, heads: Sequence[str], cells: Sequence[Sequence[tuple[Any, str]]]) -> None:
    sheet = _add_sheet(writing, name)
    for column, head in enumerate(heads):
        _write_cell(writing, sheet, 0, column, head, writing.styles["head"])
        longest = max((len(str(row[column][0] or "")) for row in cells), default=0)
        sheet.set_column(column, column, min(WIDEST, max(10, longest + 2, len(head) // 2 + 3)))
    for number, row in enumerate(cells, start=1):
        for column, (value, style) in enumerate(row):
            _write_cell(writing, sheet, number, column, value, writing.styles.get(style))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(cells)), len(heads) - 1)


def _write_dictionary(writing: _Book, tables: Sequence[str]) -> None:
    say, word = writing.formats.say, writing.word
    heads = [word(name) for name in ("table", "heading", "column", "unit", "meaning")]
    cells = [
        [(text, "wrapped") for text in (table_word(say, table, "label"), column.label, column.name, unit, column.meaning)]
        for table in tables
        for column in describe(writing.given.warehouse, table, say)
        # Times stand here by the clock of the city, in the open data by UTC.
        for unit in (word("local") if column.unit == "instant" else say.text(f"exports.units.{column.unit}"),)
    ]
    _write_rows(writing, word("dictionary"), heads, cells)


def _write_cell(writing: _Book, sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    """Write a value by its type; a text is only ever a text."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str | list):
        text = clean(value if isinstance(value, str) else ", ".join(value))
        sheet.write_string(row, column, text[:LONGEST], style)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.astimezone(writing.given.city.zone).replace(tzinfo=None), style)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, style)
    else:
        sheet.write_datetime(row, column, value, style)
