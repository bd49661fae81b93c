"""The workbook of one labeller: a guide, one row per message with drop-down lists, and nothing that a model read.

What is written is a pure function of the sample: the same messages, taxonomy and wording give the same bytes.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import xlsxwriter

from models.taxonomy import Taxonomy
from pipelines.labels.guide import SENTIMENTS, row_height, write_guide
from pipelines.labels.samples import FINAL
from pipelines.reports.formats import Formats

Key = Literal["number", "text", "said", "category", "issue", "sentiment", "code"]
COLUMNS: Mapping[Key, int] = {"number": 6, "text": 84, "said": 30, "category": 27, "issue": 27, "sentiment": 12, "code": 36}
"""Columns in their order with their widths in characters; `said` stands in the workbook of a third person alone."""

ANSWERS: tuple[Key, ...] = ("category", "issue", "sentiment")
"""The columns that people fill in."""

LISTS = "Listas"
"""The hidden sheet with what the drop-down lists offer and what the workbook is; formulas name it, so it is never translated."""

FORMAT = "escucha-labels-1"
MOST_CHARACTERS = 16_000
"""Of a message in one cell; a cell holds 32,767 units of UTF-16, and an emoji takes two."""

_MADE = datetime(2021, 1, 1)
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufffe\uffff")


class Line(NamedTuple):
    """A row of the sheet of messages."""

    number: int
    """The message's place in the sample."""

    manifestation_id: str
    text: str | None
    """None where the text is stored no longer."""

    answers: Mapping[str, str] = {}
    """Answer column -> what stands there already."""

    said: str = ""
    """What two people noted, for the third who settles it."""


@dataclass(frozen=True)
class Workbook:
    """What a workbook is about."""

    city: str
    city_name: str
    sample_id: str
    labeller: str
    window: str
    """The days of the window, as readers see them."""

    taxonomy: Taxonomy
    formats: Formats

    def say(self, key: str, **values: object) -> str:
        """Return a message of the wording's group `workbook` as plain text."""
        return str(self.formats.say(f"workbook.{key}", **values).unescape())

    @property
    def columns(self) -> list[Key]:
        """The columns of the sheet of messages, in their order."""
        return [key for key in COLUMNS if key != "said" or self.labeller == FINAL]


def render_workbook(about: Workbook, lines: Sequence[Line]) -> bytes:
    """Return the workbook as XLSX. Whatever stands in a message is text in it: no formula, no link, no number."""
    stream = io.BytesIO()
    options = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    with xlsxwriter.Workbook(stream, {"in_memory": True, **options}) as book:
        book.set_properties({"title": about.say("title", city=about.city_name), "created": _MADE})
        looks = _looks(book)
        write_guide(book.add_worksheet(about.say("sheet.guide")), about, looks, len(lines))
        sheet = book.add_worksheet(about.say("sheet.messages"))
        lists = book.add_worksheet(LISTS)
        _write_lists(lists, about)
        _write_messages(sheet, about, looks, lines)
        long = [line for line in lines if len(visible(line.text or "")) > MOST_CHARACTERS]
        if long:
            _write_long(book.add_worksheet(about.say("sheet.long")), about, looks, long)
        lists.hide()
    return stream.getvalue()


def visible(text: str) -> str:
    """Write what hides or turns the text around it as a mark that can be seen: ‹U+202E›; nothing is left out."""
    return "".join(f"‹U+{ord(sign):04X}›" if _is_hidden(sign) else sign for sign in text)


def shown_text(text: str, number: int, say: Callable[..., str]) -> str:
    """Return what stands in the row of a message: all of it, or its beginning and where the rest is.

    Args:
        text: of the message.
        number: its place in the sample.
        say: gives a message of the wording's group `workbook`.
    """
    seen = visible(text)
    return seen if len(seen) <= MOST_CHARACTERS else seen[:MOST_CHARACTERS] + say("continued", number=number)


def issue_labels(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return category id -> the Spanish labels of its issues."""
    return {category.id: [issue.label_es for issue in category.issues] for category in taxonomy.categories}


def _is_hidden(sign: str) -> bool:
    return sign in _TURNING or (unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t")


def _looks(book: Any) -> dict[str, Any]:
    base = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
    wrapped = base | {"text_wrap": True}
    return {
        "title": book.add_format(base | {"bold": True, "font_size": 16}),
        "heading": book.add_format(wrapped | {"bold": True, "bg_color": "#E7EDF3", "bottom": 1, "valign": "vcenter"}),
        "plain": book.add_format(wrapped),
        "strong": book.add_format(wrapped | {"bold": True}),
        "indented": book.add_format(wrapped | {"indent": 1}),
        # Text even if somebody enters the cell and leaves it: a leading = stays a sign.
        "message": book.add_format(wrapped | {"quote_prefix": True, "num_format": "@", "bottom": 4, "bottom_color": "#B8B8B0"}),
        "answer": book.add_format(
            wrapped | {"locked": False, "num_format": "@", "bg_color": "#FFFBEA", "border": 1, "border_color": "#D8D3C4"}
        ),
        "code": book.add_format(base | {"font_size": 8, "font_color": "#6A6A64", "num_format": "@"}),
        "half": book.add_format({"bg_color": "#F6CFC4"}),
    }


def _write_lists(sheet: Any, about: Workbook) -> None:
    """Write what the workbook is (A and B), and the lists: categories in D, tones in E, each category's issues from G on."""
    for row, pair in enumerate(
        (("format", FORMAT), ("city", about.city), ("sample", about.sample_id), ("labeller", about.labeller))
    ):
        for column, text in enumerate(pair):
            sheet.write_string(row, column, text)
    for row, category in enumerate(about.taxonomy.categories):
        sheet.write_string(row, 3, category.label_es)
    for row, key in enumerate(SENTIMENTS):
        sheet.write_string(row, 4, about.say(f"sentiment.{key}"))
    for place, (category_id, issues) in enumerate(issue_labels(about.taxonomy).items(), start=6):
        sheet.write_string(0, place, about.taxonomy.label_es(category_id))
        sheet.write_number(1, place, max(1, len(issues)))
        for row, issue in enumerate(issues, start=2):
            sheet.write_string(row, place, issue)
    sheet.protect()


def _write_messages(sheet: Any, about: Workbook, looks: Mapping[str, Any], lines: Sequence[Line]) -> None:
    columns = about.columns
    for place, key in enumerate(columns):
        sheet.set_column(place, place, COLUMNS[key])
        sheet.write_string(0, place, about.say(f"heading.{key}"), looks["heading"])
    for row, line in enumerate(lines, start=1):
        shown = about.say("erased") if line.text is None else line.text
        sheet.set_row(row, row_height([(COLUMNS["text"], shown), (COLUMNS["said"], line.said)]))
        for place, key in enumerate(columns):
            _write_cell(sheet, row, place, key, line, about, looks)
    sheet.freeze_panes(1, 0)
    if lines:
        _offer_lists(sheet, about, len(lines))
        category, sentiment = (_letter(columns.index(key)) for key in ("category", "sentiment"))
        half = {"type": "formula", "criteria": f'=(${category}2="")<>(${sentiment}2="")', "format": looks["half"]}
        sheet.conditional_format(1, columns.index("category"), len(lines), columns.index("sentiment"), half)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.activate()


def _write_cell(sheet: Any, row: int, place: int, key: Key, line: Line, about: Workbook, looks: Mapping[str, Any]) -> None:
    if key in ANSWERS:
        answer = line.answers.get(key, "")
        if answer:
            sheet.write_string(row, place, answer, looks["answer"])
        else:
            sheet.write_blank(row, place, None, looks["answer"])
        return
    texts: dict[Key, str] = {"number": str(line.number), "said": line.said, "code": line.manifestation_id}
    texts["text"] = about.say("erased") if line.text is None else shown_text(line.text, line.number, about.say)
    sheet.write_string(row, place, texts[key], looks["message" if key == "text" else "code" if key == "code" else "plain"])


def _offer_lists(sheet: Any, about: Workbook, count: int) -> None:
    columns, taxonomy = about.columns, about.taxonomy
    category = f"${_letter(columns.index('category'))}2"
    last = _letter(5 + len(taxonomy.categories))
    at = f"MATCH({category},{LISTS}!$G$1:${last}$1,0)"
    sources = {
        "category": f"={LISTS}!$D$1:$D${len(taxonomy.categories)}",
        "issue": f"=OFFSET({LISTS}!$G$3,0,{at}-1,INDEX({LISTS}!$G$2:${last}$2,{at}),1)",
        "sentiment": f"={LISTS}!$E$1:$E${len(SENTIMENTS)}",
    }
    for key in ANSWERS:
        place = columns.index(key)
        rule = {"validate": "list", "source": sources[key], "ignore_blank": True}
        rule |= {"error_title": about.say("wrong_title"), "error_message": about.say("wrong")}
        sheet.data_validation(1, place, count, place, rule)


def _letter(column: int) -> str:
    """Return the letters of a column, 0 for A."""
    name = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        name, column = chr(ord("A") + rest) + name, column - 1
    return name


def _write_long(sheet: Any, about: Workbook, looks: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Write the texts that no cell holds, whole, in as many rows as they need."""
    sheet.set_column(0, 0, COLUMNS["number"])
    sheet.set_column(1, 1, 120)
    for place, key in enumerate(("number", "text")):
        sheet.write_string(0, place, about.say(f"heading.{key}"), looks["heading"])
    row = 1
    for line in lines:
        text = visible(line.text or "")
        for start in range(0, len(text), MOST_CHARACTERS):
            sheet.write_string(row, 0, str(line.number), looks["plain"])
            sheet.write_string(row, 1, text[start : start + MOST_CHARACTERS], looks["message"])
            row += 1
    sheet.freeze_panes(1, 0)
    sheet.protect()
