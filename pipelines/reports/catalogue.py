"""Descriptions of the open data for machines: a Frictionless Data Package and a DCAT entry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.reports.dictionary import Column
from pipelines.reports.exporting import ExportInput
from pipelines.reports.formats import clean, load_wording
from pipelines.reports.rendering import REPORTS

LICENCES: Mapping[str, tuple[str, str]] = {
    "CC-BY-4.0": ("Creative Commons Attribution 4.0 International", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-4.0": (
        "Creative Commons Attribution-ShareAlike 4.0 International",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    "CC0-1.0": ("Creative Commons Zero 1.0 Universal", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "ODbL-1.0": ("Open Data Commons Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
"""SPDX id -> title and address, as SPDX lists them."""

FIELD_TYPES: Mapping[str, tuple[str, str]] = {
    "VARCHAR": ("string", "default"),
    "BIGINT": ("integer", "default"),
    "INTEGER": ("integer", "default"),
    "DOUBLE": ("number", "default"),
    "BOOLEAN": ("boolean", "default"),
    "DATE": ("date", "default"),
    "TIMESTAMP WITH TIME ZONE": ("datetime", "%Y-%m-%dT%H:%M:%SZ"),
    "VARCHAR[]": ("array", "default"),
}
"""SQL type -> type and format of Table Schema 1 (specs.frictionlessdata.io/table-schema)."""


@dataclass(frozen=True)
class Resource:
    """One table of the package."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: pa.Table


def describe_package(
    given: ExportInput, resources: Sequence[Resource], files: Mapping[str, bytes], texts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the descriptor by Frictionless Data Package 1 (specs.frictionlessdata.io/data-package)."""
    return {
        "profile": "tabular-data-package",
        "name": f"{given.city.id}-{given.period.slug()}".lower(),
        "id": given.report_id,
        "title": texts["title"],
        "description": texts["synthetic"] + texts["description"],
        "version": given.report_id[:12],
        "licenses": [{"name": given.city.licence, "title": texts["licence"], "path": texts["licence_url"]}],
        "keywords": _keywords(given),
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": resource.name,
                "path": f"{resource.name}.csv",
                "title": resource.title,
                "description": resource.about,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(files[f"{resource.name}.csv"]),
                "hash": f"sha256:{hashlib.sha256(files[f'{resource.name}.csv']).hexdigest()}",
                "schema": {"fields": [_field(column) for column in resource.columns], "missingValues": [""]},
            }
            for resource in resources
        ],
    }


def _field(column: Column) -> dict[str, str]:
    kind, spelled = FIELD_TYPES[column.kind]
    return {"name": column.name, "type": kind, "format": spelled, "title": column.label, "description": column.meaning}


def _keywords(given: ExportInput) -> list[str]:
    words = load_wording(REPORTS / "wording" / given.language).text("exports.keywords").split(", ")
    return [*words, clean(given.city.name)]


def describe_dataset(given: ExportInput, files: Mapping[str, bytes], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry for a data catalogue: DCAT 3 with the properties of DCAT-AP 3 (w3.org/TR/vocab-dcat-3), as JSON-LD."""
    language, period = given.language, given.period
    kinds = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "json": "application/json", "md": "text/markdown"}
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "spdx": "http://spdx.org/rdf/terms#",
            "vcard": "http://www.w3.org/2006/vcard/ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@type": "dcat:Dataset",
        "dct:identifier": given.report_id,
        "dct:title": {"@value": texts["title"], "@language": language},
        "dct:description": {"@value": texts["synthetic"] + texts["description"], "@language": language},
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": clean(given.city.name)},
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:hasEmail": {"@id": f"mailto:{given.city.contact}"}},
        "dct:spatial": {"@type": "dct:Location", "dct:identifier": clean(given.city.official_code)},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@value": period.first_date.isoformat(), "@type": "xsd:date"},
            "dcat:endDate": {"@value": period.last_date.isoformat(), "@type": "xsd:date"},
        },
        "dct:license": {"@id": texts["licence_url"]},
        "dcat:theme": {"@id": "http://publications.europa.eu/resource/authority/data-theme/GOVE"},
        "dcat:keyword": [{"@value": word, "@language": language} for word in _keywords(given)],
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dct:title": name,
                "dcat:accessURL": {"@id": name},
                "dcat:mediaType": kinds[name.rpartition(".")[2]],
                "dcat:byteSize": len(content),
                "dct:license": {"@id": texts["licence_url"]},
                "spdx:checksum": {
                    "@type": "spdx:Checksum",
                    "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": hashlib.sha256(content).hexdigest(),
                },
            }
            for name, content in sorted(files.items())
        ],
    }
