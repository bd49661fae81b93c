"""The guide of a labeller: what has to be done, and what each category, issue and tone covers, out of the taxonomy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.taxonomy import OTHER
from pipelines.reports.agreement import FINAL

if TYPE_CHECKING:
    from pipelines.labels.workbook import Workbook

SENTIMENTS = ("pos", "neu", "neg")
"""In the order in which people are offered them."""

_EXAMPLES = 3
_WIDTHS = (34, 62, 62)
_LINE_POINTS, _MOST_POINTS = 15, 409
"""The height of a line, and the most that a row can have."""


def write_guide(sheet: Any, about: Workbook, looks: Mapping[str, Any], count: int) -> None:
    """Write the guide of a workbook with that many messages onto an empty sheet."""
    for place, width in enumerate(_WIDTHS):
        sheet.set_column(place, place, width)
    row = _write_head(sheet, about, looks, count)
    for title, entries in (("categories_title", _category_rows(about)), ("sentiments_title", _sentiment_rows(about))):
        heading = (about.say(title), about.say("heading.definition"), about.say("heading.examples"))
        for look, *cells in [("heading", *heading), *entries]:
            sheet.set_row(row, row_height(list(zip(_WIDTHS, cells, strict=True))))
            for place, text in enumerate(cells):
                sheet.write_string(row, place, text, looks[look if place == 0 or look == "heading" else "plain"])
            row += 1
        row += 1
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.protect()


def _write_head(sheet: Any, about: Workbook, looks: Mapping[str, Any], count: int) -> int:
    """Write what the workbook is and what has to be done, a line over all columns each; return the next row."""
    third = about.labeller == FINAL
    window = {"window": about.window, "sample": about.sample_id} | ({} if third else {"labeller": about.labeller})
    lines = [
        ("title", about.say("title", city=about.city_name)),
        ("plain", about.say("window_final" if third else "window", **window)),
        ("plain", str(about.formats.counted(count, "workbook.count").unescape())),
        ("plain", ""),
        ("strong", about.say("steps_title")),
        *([("plain", about.say("steps.settle"))] if third else []),
        *(("plain", text) for text in _steps(about)),
        ("plain", ""),
    ]
    for row, (look, text) in enumerate(lines):
        sheet.merge_range(row, 0, row, len(_WIDTHS) - 1, "", looks[look])
        sheet.write_string(row, 0, text, looks[look])
        sheet.set_row(row, 26 if look == "title" else row_height([(sum(_WIDTHS), text)]))
    return len(lines)


def _steps(about: Workbook) -> list[str]:
    keys = ("read", "category", "issue", "sentiment", "alone", "keep", "secret")
    other = {"other": about.taxonomy.label_es(OTHER)}
    return [about.say(f"steps.{key}", **(other if key == "category" else {})) for key in keys]


def _category_rows(about: Workbook) -> list[tuple[str, str, str, str]]:
    rows = []
    for category in about.taxonomy.categories:
        rows.append(("strong", category.label_es, category.definition_es, "\n".join(category.examples[:_EXAMPLES])))
        rows += [("indented", issue.label_es, issue.definition_es, "\n".join(issue.examples[:1])) for issue in category.issues]
    return rows


def _sentiment_rows(about: Workbook) -> list[tuple[str, str, str, str]]:
    say = about.say
    return [
        ("strong", say(f"sentiment.{key}"), say(f"sentiment_means.{key}"), say(f"sentiment_example.{key}")) for key in SENTIMENTS
    ]


def row_height(cells: Sequence[tuple[int, str]]) -> float:
    """Return the height of a row in points for cells of (width, text): not every program measures it on opening."""
    lines = [sum(max(1, -(-len(part) // int(width * 0.97))) for part in text.split("\n")) for width, text in cells]
    return min(_MOST_POINTS, 3 + _LINE_POINTS * max(lines))
