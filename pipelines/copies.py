"""Copies: which texts of a window say the same, staged beside the other temporary tables of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from models.copy_forms import name_words
from models.similarity import SIMILARITY_REVISION, group_copies
from pipelines.digests import value_digest
from pipelines.places import load_places
from pipelines.project import Project
from pipelines.warehouse import Warehouse, used_parameters

LEAST_VOICES = 5
"""Fewest writers of a text that is told of as a campaign, and fewest persons whom a campaign's row counts."""

COPY_COLUMNS = {"manifestation_id": "varchar", "copy_group": "integer", "own_group": "integer", "has_text": "boolean"}

AT_A_TIME = 50_000
"""Rows that are laid out at once; a window of a million texts holds each once in memory as it is."""

STAGING = Path(__file__).with_name("reports") / "staging"


class _Written(NamedTuple):
    """A row of `window_text.sql`."""

    manifestation_id: str
    channel: str
    published_at: datetime
    text_digest: str
    text: str | None
    author: str | None


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
    items = [_Written(*row) for row in warehouse.query(sql, used_parameters(sql, window))]
    groups = _group(items, [item.channel for item in items], places)
    signed = [item for item in items if item.author is not None]
    own = dict(
        zip(
            (item.manifestation_id for item in signed),
            _group(signed, [item.author or "" for item in signed], places),
            strict=True,
        )
    )
    warehouse.temporary("text_copy", [], COPY_COLUMNS)
    for start in range(0, len(items), AT_A_TIME):
        part = zip(items[start : start + AT_A_TIME], groups[start : start + AT_A_TIME], strict=True)
        rows = [(item.manifestation_id, group, own.get(item.manifestation_id), item.text is not None) for item, group in part]
        warehouse.append("text_copy", [dict(zip(COPY_COLUMNS, row, strict=True)) for row in rows])


def _group(items: Sequence[_Written], shares: Sequence[str], places: frozenset[str]) -> list[int]:
    return group_copies(
        [item.text for item in items],
        digests=[item.text_digest for item in items],
        moments=[item.published_at for item in items],
        shares=shares,
        places=places,
    )
