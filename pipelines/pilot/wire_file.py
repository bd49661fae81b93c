"""Downloads: CSV in the encoding and delimiter of the site, and XLSX whose bytes are the same on every machine."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from pipelines.pilot.records import Message, Served, Site, instant, message_url
from pipelines.pilot.wire import Answer, Query, local

Cell = str | int | datetime

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DATE_FORMATS = {"day_first": "%d/%m/%Y %H:%M:%S", "utc_offset": "%Y-%m-%dT%H:%M:%S+0000"}
"""How `dates` of the site's options are written as text."""


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
    formats = {"moment": "yyyy-mm-dd hh:mm:ss", "day": "dd/mm/yyyy"}
    styles = {name: book.add_format({"num_format": number_format}) for name, number_format in formats.items()}
    sheet = book.add_worksheet(options["sheet"])
    for column, heading in enumerate(options["columns"].values()):
        sheet.write_string(0, column, heading)
    for row, message in enumerate(served.messages, start=1):
        for column, field in enumerate(options["columns"]):
            _write_cell(sheet, row, column, _cell(served.site, field, message), styles)
    book.close()
    return Answer(stream.getvalue(), XLSX_TYPE, headers=_download(served.site))


def _write_cell(sheet: Any, row: int, column: int, value: Cell, styles: dict[str, Any]) -> None:
    if isinstance(value, datetime):
        whole_day = value.time() == datetime.min.time() and value.tzinfo is not None
        sheet.write_datetime(row, column, value.replace(tzinfo=None), styles["day" if whole_day else "moment"])
    elif isinstance(value, int):
        sheet.write_number(row, column, value)
    elif value:
        sheet.write_string(row, column, value)


def _cell(site: Site, field: str, message: Message) -> Cell:
    if field == "date":
        return _date_cell(site, message)
    if field == "time":
        return local(instant(message.published)).strftime("%H:%M:%S") if message.published else ""
    if field == "id" and site.options.get("number_ids"):
        return int(message.id)
    if field == "reactions":
        return "" if message.reactions is None else message.reactions
    if field == "link":
        return message_url(site, message, None)
    values = {"id": message.id, "parent": message.parent, "author": message.author, "text": message.text, "title": message.title}
    return values[field] or ""


def _date_cell(site: Site, message: Message) -> Cell:
    if message.published is None:
        return message.date_shown or ""
    moment, dates = instant(message.published), site.options["dates"]
    if dates == "typed":
        return local(moment)
    if dates == "typed_day":
        # An aware midnight stands for "a day": the clock time has a column of its own.
        return local(moment).replace(hour=0, minute=0, second=0, tzinfo=UTC)
    shown = moment if dates == "utc_offset" else local(moment)
    return shown.strftime(DATE_FORMATS[dates])


def _download(site: Site) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{site.path.rpartition("/")[2]}"'}
