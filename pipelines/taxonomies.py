"""The taxonomies of a project: that of each city, those it had before, and the one that ships."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

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


def load_named_taxonomy(project: Callable[[], Project], name: str) -> Taxonomy:
    """Load the taxonomy of a city, of a YAML file (a city's own, or a whole one), or the one that ships.

    Args:
        project: finds where the cities are; called only if a city is named.
        name: a city's id, a path that ends in .yml or .yaml, or "shipped".

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        ProjectError: if there is no such city or file.
    """
    if name == SHIPPED:
        return load_taxonomy()
    path = Path(name)
    if path.suffix not in (".yml", ".yaml"):
        return load_city_taxonomy(project(), name)
    if not path.is_file():
        raise ProjectError(f"no file {name}; name a city of the project, a taxonomy's .yml file, or {SHIPPED!r}")
    return load_taxonomy(path) if "categories" in _peek(path) else load_own_taxonomy(path)


def _peek(path: Path) -> Mapping[str, object]:
    """Return the file as YAML, unchecked: a whole taxonomy has `categories`, a city's changes to one have not.

    Nothing if it is no YAML, which whoever loads it will tell with its line.
    """
    try:
        found = YAML(typ="safe").load(path.read_bytes())
    except (YAMLError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def load_archive(folder: Path) -> list[Taxonomy]:
    """Load the earlier taxonomies of a city: whole ones, and own ones on the shipped or the archived one that their `base` names.

    An own one whose base is not there is left out: nothing can be said about its categories.

    Raises:
        ConfigurationError: with all mistakes of a file, each with its line.
    """
    files = {path: _peek(path) for path in sorted(folder.glob("*.yml"))}
    shipped = load_taxonomy()
    whole = [load_taxonomy(path) for path, content in files.items() if "categories" in content]
    bases: dict[object, Taxonomy] = {taxonomy.version: taxonomy for taxonomy in (*whole, shipped)}
    changes = {path: content for path, content in files.items() if "categories" not in content}
    own = {path: bases.get(content.get("base", shipped.version)) for path, content in changes.items()}
    return [*whole, *(load_own_taxonomy(path, base) for path, base in own.items() if base is not None)]


def find_taxonomy(project: Project, city_id: str, revision: str, counted: Collection[str]) -> Known:
    """Find the taxonomy that a report was made with: the city's, the one that ships, or one of `data/taxonomies/CITY/*.yml`.

    Those may be whole taxonomies, such as the one that shipped earlier, or files of the city on any of them.

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
    for taxonomy in looked_at:
        if taxonomy.revision == revision:
            return Known(taxonomy, exact=True)  # a mistake in an archived file is no reason to refuse this one
    looked_at += load_archive(current.parent / city_id)
    for taxonomy in looked_at:
        if taxonomy.revision == revision:
            return Known(taxonomy, exact=True)
    for taxonomy in looked_at:
        ids = {*taxonomy.category_ids, UNCLASSIFIED, *taxonomy.issue_ids}
        if taxonomy.version == revision.rpartition("+")[0] and ids.issuperset(counted):
            return Known(taxonomy, exact=False)
    here = ", ".join(dict.fromkeys(taxonomy.revision for taxonomy in looked_at))
    remedy = (
        f"put the city's file of then into data/taxonomies/{city_id}/ under any name that ends in .yml, and with it the "
        "taxonomy that shipped then, if its `base` is another version than today's"
    )
    raise ProjectError(f"the report was made with taxonomy {revision}; available: {here}; {remedy}")
