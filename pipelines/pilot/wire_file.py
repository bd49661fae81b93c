"""Downloads: CSV in the encoding and delimiter of the site, and XLSX whose bytes are the same on every machine."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import xlsxwriter

from pipelines.pilot.records import Message, Served, Site, instant, message_url
from pipelines.pilot.wire import Answer, Query, local

Cell = str | int | datetime

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WRITTEN_DATE = "%d/%m/%Y %H:%M:%S"
"""How a date stands in a table of text; with `dates: typed_day` it is a typed day, and the time stands in its own column."""


class FileSite:
    """Answers for one downloadable table."""

    def __init__(self, served: Served) -> None:
        """Write the file once."""
        self.site = served.site
        write = _xlsx if self.site.wire == "xlsx" else _csv
        self._answer = write(served)

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the file's own path."""
        return self._answer if path == self.site.path else None


def _csv(served: Served) -> Answer:
    options = served.site.options
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=options["delimiter"], lineterminator="\r\n")
    writer.writerow(options["columns"].values())
    writer.writerows([_cell(served.site, field, message) for field in options["columns"]] for message in served.messages)
    encoding = options["encoding"]
    return Answer(stream.getvalue().encode(encoding), f"text/csv; charset={encoding}", headers=_download(served.site))


def _xlsx(served: Served) -> Answer:
    options = served.site.options
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": datetime(2021, 5, 3, 9, 0)})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet(options["sheet"])
    for column, heading in enumerate(options["columns"].values()):
        sheet.write_string(0, column, heading)
    for row, message in enumerate(served.messages, start=1):
        for column, field in enumerate(options["columns"]):
            _write_cell(sheet, row, column, _cell(served.site, field, message), day)
    book.close()
    return Answer(stream.getvalue(), XLSX_TYPE, headers=_download(served.site))


def _write_cell(sheet: Any, row: int, column: int, value: Cell, day: Any) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(row, column, value, day)
    elif isinstance(value, int):
        sheet.write_number(row, column, value)
    elif value:
        sheet.write_string(row, column, value)


def _cell(site: Site, field: str, message: Message) -> Cell:
    if field == "date":
        return _date_cell(site, message)
    if field == "time":
        return local(instant(message.published)).strftime("%H:%M:%S") if message.published else ""
    if field == "reactions":
        return "" if message.reactions is None else message.reactions
    if field == "link":
        return message_url(site, message, None)
    values = {"id": message.id, "parent": message.parent, "author": message.author, "text": message.text, "title": message.title}
    return values[field] or ""


def _date_cell(site: Site, message: Message) -> Cell:
    if message.published is None:
        return message.date_shown or ""
    moment = local(instant(message.published))
    if site.options["dates"] == "typed_day":
        return moment.replace(hour=0, minute=0, second=0)
    return moment.strftime(WRITTEN_DATE)


def _download(site: Site) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{site.path.rpartition("/")[2]}"'}
