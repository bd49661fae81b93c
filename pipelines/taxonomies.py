"""The taxonomies of a project: that of each city, those it had before, and the one that ships."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from models.crosswalk import UNCLASSIFIED
from models.ownership import load_own_taxonomy
from models.taxonomy import Taxonomy, load_taxonomy
from pipelines.project import Project, ProjectError

SHIPPED = "shipped"
"""The name of the taxonomy that ships where a city or a file may be named too."""


class Known(NamedTuple):
    """A taxonomy that was looked up by revision."""

    taxonomy: Taxonomy
    exact: bool
    """False: it has the version that was asked for, and all ids that were counted, but was edited since."""


def taxonomy_file(project: Project, city_id: str) -> Path:
    """Return the path of a city's own taxonomy, which need not exist.

    Raises:
        ProjectError: if the project has no such city.
    """
    project.city_file(city_id)
    return project.root / "data" / "taxonomies" / f"{city_id}.yml"


def load_city_taxonomy(project: Project, city_id: str) -> Taxonomy:
    """Load the taxonomy that a city's messages are read with: `data/taxonomies/CITY.yml`, or without it the one that ships.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        ProjectError: if the project has no such city.
    """
    path = taxonomy_file(project, city_id)
    return load_own_taxonomy(path) if path.is_file() else load_taxonomy()


def load_named_taxonomy(project: Project, name: str) -> Taxonomy:
    """Load the taxonomy of a city, of a YAML file (a city's own, or a whole one), or the one that ships.

    Args:
        project: where the cities are.
        name: a city's id, a path that ends in .yml or .yaml, or "shipped".

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        ProjectError: if there is no such city or file.
    """
    if name == SHIPPED:
        return load_taxonomy()
    path = Path(name)
    if path.suffix not in (".yml", ".yaml"):
        return load_city_taxonomy(project, name)
    if not path.is_file():
        raise ProjectError(f"no file {name}; name a city of the project, a taxonomy's .yml file, or {SHIPPED!r}")
    whole = re.search(r"^categories\s*:", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return load_taxonomy(path) if whole else load_own_taxonomy(path)


def find_taxonomy(project: Project, city_id: str, revision: str, counted: Collection[str]) -> Known:
    """Find the taxonomy that a report was made with: the city's, the one that ships, or one of `data/taxonomies/CITY/*.yml`.

    Args:
        project: where the files are.
        city_id: whose report it is.
        revision: as the report names it, `VERSION+DIGEST`.
        counted: the category and issue ids that the report counts.

    Raises:
        ConfigurationError: if a file that must be looked into has mistakes.
        ProjectError: if none has that version and these ids.
    """
    current = taxonomy_file(project, city_id)
    looked_at = [load_city_taxonomy(project, city_id), load_taxonomy()]
    looked_at += [load_own_taxonomy(path) for path in sorted((current.parent / city_id).glob("*.yml"))]
    for taxonomy in looked_at:
        if taxonomy.revision == revision:
            return Known(taxonomy, exact=True)
    for taxonomy in looked_at:
        ids = {*taxonomy.category_ids, UNCLASSIFIED, *taxonomy.issue_ids}
        if taxonomy.version == revision.rpartition("+")[0] and ids.issuperset(counted):
            return Known(taxonomy, exact=False)
    here = ", ".join(dict.fromkeys(taxonomy.revision for taxonomy in looked_at))
    remedy = f"put the city's file of then into data/taxonomies/{city_id}/ under any name that ends in .yml"
    raise ProjectError(f"the report was made with taxonomy {revision}; available: {here}; {remedy}")
