"""Copies: which texts of a window say the same, staged beside the other temporary tables of a report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.copy_forms import name_words
from models.similarity import SIMILARITY_REVISION, group_copies
from pipelines.digests import value_digest
from pipelines.places import load_places
from pipelines.project import Project
from pipelines.warehouse import Warehouse, used_parameters

LEAST_VOICES = 5
"""Fewest writers of a text that is told of as a campaign, and fewest persons whom a campaign's row counts."""

COPY_COLUMNS = {"manifestation_id": "varchar", "copy_group": "integer", "own_group": "integer", "has_text": "boolean"}

STAGING = Path(__file__).with_name("reports") / "staging"


def load_place_words(project: Project, city_id: str) -> frozenset[str]:
    """Load the words of the names of a city's places from `data/places/CITY.yml`; none if the city has no such file.

    Raises:
        ConfigurationError: with all mistakes of the file.
    """
    path = project.root / "data" / "places" / f"{city_id}.yml"
    if not path.is_file():
        return frozenset()
    return name_words(spelling for place in load_places(path) for spelling in (place.name, *place.aliases))


def copy_rules(places: frozenset[str]) -> list[str]:
    """Return what decides which texts are copies, for the inputs of a report: the algorithm's revision, a digest of the names."""
    return [SIMILARITY_REVISION, value_digest(sorted(places))]


def stage_copies(warehouse: Warehouse, window: Mapping[str, Any], places: frozenset[str]) -> None:
    """Lay out the temporary table `text_copy` from `window_item`: one row per dated manifestation of a person.

    `copy_group` is equal for texts of one channel that are copies, `own_group` for those of one signed author within a source
    (null if unsigned). Both numbers depend on the texts and their dates alone. `has_text` is false where the text is stored no
    longer: such a text is a copy of those with its digest alone.
    """
    sql = (STAGING / "window_text.sql").read_text(encoding="utf-8")
    items = warehouse.rows(sql, used_parameters(sql, window))
    groups = _group(items, [item["channel"] for item in items], places)
    signed = [item for item in items if item["author"] is not None]
    own = dict(
        zip(
            (item["manifestation_id"] for item in signed),
            _group(signed, [item["author"] for item in signed], places),
            strict=True,
        )
    )
    rows = [
        {
            "manifestation_id": item["manifestation_id"],
            "copy_group": group,
            "own_group": own.get(item["manifestation_id"]),
            "has_text": item["text"] is not None,
        }
        for item, group in zip(items, groups, strict=True)
    ]
    warehouse.temporary("text_copy", rows, COPY_COLUMNS)


def _group(items: list[dict[str, Any]], shares: list[str], places: frozenset[str]) -> list[int]:
    return group_copies(
        [item["text"] for item in items],
        digests=[item["text_digest"] for item in items],
        moments=[item["published_at"] for item in items],
        shares=shares,
        places=places,
    )
