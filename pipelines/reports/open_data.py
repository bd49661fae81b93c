"""The open-data package: every public table as CSV and Parquet, described for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.reports.catalogue import FIELD_TYPES, LICENCES, Resource, describe_dataset, describe_package
from pipelines.reports.dictionary import Column, describe, table_word, told_tables_in_order
from pipelines.reports.exporting import ExportInput
from pipelines.reports.formats import MIN_BASE, Formats, Wording, clean, load_wording
from pipelines.reports.masking import LEAST_PERSONS, mask_of, masked
from pipelines.reports.packing import write_csv, write_json, write_parquet, write_zip
from pipelines.reports.rendering import REPORTS, load_formats


def export_open_data(given: ExportInput) -> Mapping[str, bytes]:
    """Make the package as a folder and the same files as a ZIP, named in the language of the report.

    Figures behind which fewer than 11 persons stand, or that would give such a one away, are null.
    """
    formats = load_formats(given.city, given.language)
    with masked(given.warehouse, "open"):
        resources = [*_read_resources(given, formats.say), _codes(given, formats.say)]
        totals = given.warehouse.rows("from report where report_id = $id order by channel", {"id": given.report_id})
        unread = given.warehouse.query_file("unread_of_report", {"report_id": given.report_id})
    files: dict[str, bytes] = {}
    for resource in resources:
        files[f"{resource.name}.csv"] = write_csv(resource.rows.column_names, resource.rows.to_pylist())
        files[f"{resource.name}.parquet"] = write_parquet(resource.rows)
    described = [column for resource in resources for column in resource.columns]
    files |= _write_dictionary(described, formats.say)
    texts = _texts(given, formats, totals[0])
    files["datapackage.json"] = write_json(describe_package(given, resources, files, texts))
    files["README.md"] = _readme(formats, resources, texts, unread).encode()
    files["dcat.jsonld"] = write_json(describe_dataset(given, files, texts))
    folder = formats.say.text("file.open_data")
    return {f"{folder}/{name}": content for name, content in sorted(files.items())} | {f"{folder}.zip": write_zip(folder, files)}


def _read_resources(given: ExportInput, say: Wording) -> list[Resource]:
    resources = []
    for table in told_tables_in_order(given.warehouse):
        mask = mask_of(table)
        if mask.public:
            columns = describe(given.warehouse, table, say)
            sql = f"select * from {table} where report_id = $id order by {', '.join(mask.order)}"  # noqa: S608  our own words
            rows = given.warehouse.connection.sql(sql, params={"id": given.report_id}).to_arrow_table()
            title, about = (table_word(say, table, what) for what in ("label", "meaning"))
            resources.append(Resource(table, title, about, columns, rows))
    return resources


def _codes(given: ExportInput, say: Wording) -> Resource:
    """Return the names of what the tables name by code."""
    taxonomy = given.taxonomy
    codes: list[tuple[str, str, str | None]] = [
        ("category", category, None) for category in [*taxonomy.category_ids, "unclassified"]
    ]
    codes += [("issue", issue, issue.partition(".")[0]) for issue in taxonomy.issue_ids]
    codes += [("rollup", rollup, None) for rollup in sorted(taxonomy.rollups)]
    codes += [("sentiment", sentiment, None) for sentiment in taxonomy.sentiment_ids]
    names = ("code", "level", "category_id", "label_es", "label_en")
    rows = [(code, level, parent, taxonomy.labels_es[code], taxonomy.labels_en[code]) for level, code, parent in codes]
    table = pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)})
    columns = [Column("codigos", name, "VARCHAR", name, "text", say.text(f"exports.code_columns.{name}")) for name in names]
    return Resource("codigos", say.text("exports.codes.title"), say.text("exports.codes.about"), columns, table)


def _write_dictionary(columns: Sequence[Column], say: Wording) -> dict[str, bytes]:
    """Write what each column is, as Markdown in the reader's language and as CSV in Spanish and English."""
    languages = {language: load_wording(REPORTS / "wording" / language) for language in ("es", "en")}
    names = ("table", "column", "type", "unit", "label_es", "meaning_es", "label_en", "meaning_en")
    rows = [dict(zip(names, _dictionary_row(column, languages), strict=True)) for column in columns]
    lines = [f"# {say.text('exports.dictionary.title')}", "", say.text("exports.dictionary_note")]
    heads = [say.text(f"exports.workbook.{name}") for name in ("column", "unit", "meaning")]
    table = ""
    for column in columns:
        if column.table != table:
            table = column.table
            lines += ["", f"## {table}", "", f"| {' | '.join(heads)} |", "|---|---|---|"]
        cells = [f"`{column.name}`", say.text(f"exports.units.{column.unit}"), column.meaning.replace("|", r"\|")]
        lines.append(f"| {' | '.join(cells)} |")
    return {"diccionario.csv": write_csv(names, rows), "diccionario.md": ("\n".join(lines) + "\n").encode()}


def _dictionary_row(column: Column, languages: Mapping[str, Wording]) -> list[str]:
    words = [column.table, column.name, FIELD_TYPES[column.kind][0], languages["es"].text(f"exports.units.{column.unit}")]
    for say in languages.values():
        if column.table == "codigos":
            words += [column.name, say.text(f"exports.code_columns.{column.name}")]
        else:
            key = f"dictionary.columns.{column.name}"
            told = say.has(f"{key}.label")
            words += [say.text(f"{key}.{what}") if told else getattr(column, what) for what in ("label", "meaning")]
    return words


def _texts(given: ExportInput, formats: Formats, totals: Mapping[str, Any]) -> dict[str, str]:
    """Return the words of the package: title, description, and what the README fills in."""
    say, window = formats.say, formats.window(given.period)
    title, address = LICENCES[given.city.licence]
    return {
        "title": say.text("exports.title", city=clean(given.city.name), window=window),
        "synthetic": f"{say.text('exports.synthetic')} " if totals["synthetic"] else "",
        "description": say.text("exports.description"),
        "window": window,
        "seen": formats.instant(totals["seen_until"]),
        "report": given.report_id,
        "licence": title,
        "licence_url": address,
    }


def _readme(
    formats: Formats, resources: Sequence[Resource], texts: Mapping[str, str], unread: Sequence[tuple[str, str, int | None]]
) -> str:
    say = formats.say
    files = "\n".join(f"- `{resource.name}`: {resource.about}" for resource in resources)
    listed = [
        f"- {say.text(f'channel.{channel}')}: {say.text(f'unread.{reason}')}: "
        + (say.text("reserved.cell") if count is None else formats.number(count))
        for reason, channel, count in unread
    ]
    limits = {"least": str(LEAST_PERSONS["open"]), "base": str(MIN_BASE)}
    return say.text("exports.readme", **texts, **limits, files=files, unread="\n".join(listed)) + "\n"
