"""Exports: the formats in which a report leaves the warehouse, each made from the same masked tables, in one register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from collectors.catalog import City
from collectors.period import Period
from models.taxonomy import Taxonomy
from pipelines.reports.docx import export_docx
from pipelines.reports.formats import load_wording
from pipelines.reports.markdown import export_markdown
from pipelines.reports.masking import masked
from pipelines.reports.pdf import export_pdf
from pipelines.reports.rendering import LANGUAGES, REPORTS, load_formats
from pipelines.warehouse import Warehouse


class FormatError(ValueError):
    """A format that is asked for does not exist."""


@dataclass(frozen=True)
class ExportInput:
    """What an export is made from. Its report tables are masked already: what may not be told is null."""

    warehouse: Warehouse
    report_id: str
    city: City
    period: Period
    taxonomy: Taxonomy
    language: str
    """The folder of the wording: `es` or `en`."""

    page_html: str
    """The page as the reader gets it."""


Export = Callable[[ExportInput], Mapping[str, bytes]]
"""Makes the files of one format: relative path with `/` -> bytes. The same input gives the same bytes."""


def export_page(given: ExportInput) -> Mapping[str, bytes]:
    """Return the page itself, `informe.html`; in English `report.html`."""
    stem = load_formats(given.city, given.language).say("file.report")
    return {f"{stem}.html": given.page_html.encode()}


def export_workbook(given: ExportInput) -> Mapping[str, bytes]:
    """Return the workbook, `informe.xlsx`; in English `report.xlsx`."""
    from pipelines.reports import workbook

    return workbook.export_workbook(given)


def export_open_data(given: ExportInput) -> Mapping[str, bytes]:
    """Return the open-data package, `datos-abiertos/` and `datos-abiertos.zip`; in English `open-data/` and `open-data.zip`."""
    from pipelines.reports import open_data

    return open_data.export_open_data(given)


FORMATS: Mapping[str, Export] = {
    "html": export_page,
    "pdf": export_pdf,
    "docx": export_docx,
    "md": export_markdown,
    "xlsx": export_workbook,
    "open-data": export_open_data,
}
"""Name, as in `--format`, -> what makes its files."""

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "report": (".html", ".pdf", ".md", ".xlsx"),
    "summary": (".docx",),
    "open_data": ("", ".zip"),
}
"""Message of the wording's `file` -> how the files go on that bear it; without an ending, the folder."""

OPEN_DATA_ENDINGS = frozenset({".csv", ".parquet", ".json", ".jsonld", ".md"})
"""How the files of the folder end."""


def choose_formats(names: Sequence[str]) -> list[str]:
    """Return the formats meant, in the order of the register; all of them without names.

    Raises:
        FormatError: naming those that do not exist and those that do.
    """
    unknown = sorted(set(names) - FORMATS.keys())
    if unknown:
        raise FormatError(f"there is no format {', '.join(unknown)}; available: {', '.join(FORMATS)}")
    return [name for name in FORMATS if not names or name in names]


def make_exports(given: ExportInput, names: Sequence[str] = ()) -> dict[str, bytes]:
    """Make the files of the formats named, or of all; relative path -> bytes.

    Raises:
        FormatError: if a format does not exist.
    """
    files: dict[str, bytes] = {}
    with masked(given.warehouse, "internal"):
        for name in choose_formats(names):
            files |= FORMATS[name](given)
    return files


def name_of_report(path: str, report_id: str) -> str:
    """Return the path under which a file stands for good: the report's id after the first part's name.

    `informe.xlsx` -> `informe-0f3a9c1e5b7d.xlsx`; `datos-abiertos/report.csv` -> `datos-abiertos-0f3a9c1e5b7d/report.csv`.
    """
    first, *others = PurePosixPath(path).parts
    suffix = "" if others else PurePosixPath(first).suffix
    return str(PurePosixPath(f"{first.removesuffix(suffix)}-{report_id[:12]}{suffix}", *others))


def plain_names() -> list[str]:
    """Return the names that files and folders of a report have beside those with its id, in every language."""
    wordings = [load_wording(REPORTS / "wording" / language) for language in LANGUAGES]
    return [say.text(f"file.{kind}") + ending for say in wordings for kind, endings in ENDINGS.items() for ending in endings]
