"""The project folder: where a city's files, the spool, the warehouse and the reports live."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.catalog import City, load_city


class ProjectError(ValueError):
    """The project folder, or a city in it, cannot be found."""


@dataclass(frozen=True)
class Project:
    """A folder with `data/cities` in it; everything that the program reads or writes is below it."""

    root: Path

    profile: str | None = field(default=None, kw_only=True)
    """The profile of `models.yml` that reads in this command; None for the one that the file says."""

    @property
    def cities(self) -> Path:
        """Folder of the city files."""
        return self.root / "data" / "cities"

    @property
    def raw(self) -> Path:
        """Folder of the spools."""
        return self.root / "data" / "raw"

    @property
    def migration_copies(self) -> list[Path]:
        """What `migrate` keeps of the warehouse as it was before a change of its schema."""
        return sorted(self.warehouse.parent.glob(f"{self.warehouse.stem}.before-*.duckdb*"))

    @property
    def models_file(self) -> Path:
        """The project's own choice of annotators, which need not exist."""
        return self.root / "data" / "models.yml"

    @property
    def exclusions(self) -> Path:
        """The list of what is not listened to, which need not exist."""
        return self.root / "data" / "exclusions.yml"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that one process at a time writes."""
        return self.root / "data" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The read-only copy for readers."""
        return self.root / "data" / "published" / "escucha.duckdb"

    @property
    def reports(self) -> Path:
        """Folder of the pages."""
        return self.root / "data" / "reports"

    @property
    def labels(self) -> Path:
        """Folder of the workbooks that people label in."""
        return self.root / "data" / "labels"

    @property
    def pilot(self) -> Path:
        """Folder of the synthetic month."""
        return self.root / "data" / "pilot"

    def city_file(self, city_id: str) -> Path:
        """Return the path of a city's file.

        Raises:
            ProjectError: if the project has no such city; the message lists those it has.
        """
        path = self.cities / f"{city_id}.yml"
        if Path(city_id).name != city_id or not path.is_file():
            known = ", ".join(sorted(file.stem for file in self.cities.glob("*.yml"))) or "none"
            raise ProjectError(f"no city {city_id!r} in {self.cities}; available: {known}")
        return path

    def load_city(self, city_id: str) -> City:
        """Load a city of this project; see `collectors.catalog.load_city` for the errors."""
        return load_city(self.city_file(city_id))

    def config_digest(self, city_id: str) -> str:
        """Return the digest of the city's file: 16 hex characters."""
        return hashlib.sha256(self.city_file(city_id).read_bytes()).hexdigest()[:16]


def find_project(given: Path | None, environ: Mapping[str, str] = os.environ, *, profile: str | None = None) -> Project:
    """Find the project folder: the one given, else ESCUCHA_PROJECT, else the nearest parent that holds `data/cities`.

    `profile` is kept with it: the command's choice among the profiles of `models.yml`.

    Raises:
        ProjectError: if there is none, saying how to make one.
    """
    named = given or (Path(environ["ESCUCHA_PROJECT"]) if environ.get("ESCUCHA_PROJECT") else None)
    candidates = [named.absolute()] if named else [Path.cwd(), *Path.cwd().parents]
    for folder in candidates:
        if (folder / "data" / "cities").is_dir():
            return Project(folder, profile=profile)
    where = str(candidates[0]) if named else f"{candidates[0]} or a folder above it"
    raise ProjectError(f"no data/cities in {where}; make a project with `escucha init DIR`, or name one with --project DIR")
