"""Hand-written cores, their context, and the gazetteer: files to values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

SLOT_OF_KIND = {
    "zone": "zona",
    "avenue": "avenida",
    "market": "mercado",
    "park": "parque",
    "school": "colegio",
    "health_centre": "posta",
    "stop": "paradero",
}
"""Kind of place -> the slot that it fills."""


class CoresError(ValueError):
    """A file of cores is not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """One hand-written message with its labels; `text` holds slots in braces."""

    id: str
    """Category and line of the file: "salud/12"."""
    category: str
    issue: str
    sentiment: str
    intent: str
    target: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of the context; what it is, the file says."""

    id: str
    topic: str
    """Category, sentiment or language; empty where the file has none."""
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """What a slot may say, and other ways to write it."""

    said: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that was written by hand."""

    cores: tuple[Core, ...]
    context: Mapping[str, tuple[Piece, ...]]
    """Name of the file -> its rows."""
    places: Mapping[str, tuple[Place, ...]]
    """Slot -> its fillers."""


def load_material(pilot: Path, gazetteer: Path, *, unused: Collection[str]) -> Material:
    """Load all cores below `pilot/cores`, but those whose text is in `unused`, and the places of the district.

    Raises:
        CoresError: if a line has not as many columns as the heading.
    """
    cores = [core for path in sorted((pilot / "cores").glob("*.tsv")) for core in _load_cores(path)]
    context = {path.stem: tuple(_load_pieces(path)) for path in sorted((pilot / "cores" / "context").glob("*.tsv"))}
    return Material(tuple(core for core in cores if core.text not in unused), context, _load_places(gazetteer))


def load_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Load a table written by hand: (line of the file, heading -> cell); a backslash and an n in a cell are a line end.

    Raises:
        CoresError: if a line has not as many columns as the heading.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    heading = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if line.strip() and len(cells) != len(heading):
            raise CoresError(f"{path.name}:{number}: {len(cells)} columns, the heading has {len(heading)}")
        if line.strip():
            rows.append((number, {name: cell.replace("\\n", "\n") for name, cell in zip(heading, cells, strict=True)}))
    return rows


def _load_cores(path: Path) -> list[Core]:
    return [Core(id=f"{path.stem}/{number}", category=path.stem, **_stripped(row)) for number, row in load_rows(path)]


def _stripped(row: dict[str, str]) -> dict[str, str]:
    return {name: cell.strip() for name, cell in row.items()}


def _load_pieces(path: Path) -> list[Piece]:
    pieces = []
    for number, row in load_rows(path):
        topic = row.get("topic") or row.get("sentiment") or row.get("language") or ""
        pieces.append(Piece(f"{path.stem}/{number}", topic.strip(), row.get("title", "").strip(), row["text"]))
    return pieces


def _load_places(path: Path) -> dict[str, tuple[Place, ...]]:
    places: dict[str, list[Place]] = {slot: [] for slot in SLOT_OF_KIND.values()}
    for entry in YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))["places"]:
        places[SLOT_OF_KIND[entry["kind"]]].append(Place(entry["said"], tuple(entry["aliases"])))
    return {slot: tuple(found) for slot, found in places.items()}
