"""The texts and labels that the embedded model is trained, tuned and measured on. Texts stay outside the project."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from models.preprocessing import fold
from models.settings import FIXED_LABELS

PHRASES = Path(__file__).with_name("phrases")
"""Invented messages of our own: a file a category, or `mixed_*` with the category in a column."""

SILVER = Path(__file__).with_name("silver.tsv")
"""Labels of real messages by their id; the texts are in the shared data."""

SENTIMENTS = ("neg", "neu", "pos")
CATEGORIES = (
    "transporte", "salud", "seguridad_ciudadana", "economia_empleo", "limpieza_residuos", "ambiente_areas_verdes", "vias_obras",
    "agua_servicios", "vivienda_urbanismo", "comercio_mercados", "educacion_cultura_deporte", "programas_sociales",
    "gestion_transparencia", "gestion_riesgos", "otros",
)  # fmt: skip
TASKS: Mapping[str, tuple[str, ...]] = {
    "sentiment": SENTIMENTS,
    "category": CATEGORIES,
    "intent": FIXED_LABELS["intent"],
    "target": FIXED_LABELS["target"],
}
"""Task -> labels, in the order of the outputs."""

CLEAN_GENRES = ("comentario_portal_participacion", "propuesta_portal_participacion")
"""Genres of the unlabelled texts whose licence lets anyone use what is trained on them (Apache-2.0, MIT)."""


class Example(NamedTuple):
    """One text with the labels that are known of it."""

    id: str
    text: str
    labels: Mapping[str, str]
    """Task -> label; a task that nobody labelled is absent."""

    source: str
    """Set and split, such as `sentiment/train`, `silver/train`, `phrases`."""


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a TSV file without quoting into one dictionary a row."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def iterate_texts(shared: Path) -> Iterator[str]:
    """Give the texts whose pieces are counted for the vocabulary: every split but those of the two test sets, labels unread."""
    yield from (row["text"] for row in read_table(shared / "data/sentiment.tsv") if row["split"] in ("train", "extra"))
    yield from (row["text"] for name in ("urban_weak", "urban_unlabelled") for row in read_table(shared / f"data/{name}.tsv"))
    for path in sorted(PHRASES.glob("*.tsv")):
        yield from (row["text"] for row in read_table(path))


def load_training(shared: Path, *, variant: str) -> list[Example]:
    """Load what a variant is trained on: `clean` (licences let anyone use the model) or `full` (everything).

    Left out are the holdout of the silver labels and every text that says the same as one that is measured on.
    """
    examples = [*_load_phrases(), *load_silver(shared, split="train", genres=CLEAN_GENRES if variant == "clean" else ())]
    if variant == "full":
        examples += load_sentiment(shared, split="train")
    return _leave_out_measured(examples, shared)


def _leave_out_measured(examples: list[Example], shared: Path) -> list[Example]:
    measured = _measured_texts(shared)
    return [example for example in examples if fold(example.text) not in measured]


@cache
def _measured_texts(shared: Path) -> frozenset[str]:
    """Return the folded texts of the development gold, of the holdout and of both test sets of sentiment."""
    held = {row["id"] for row in read_table(SILVER) if row["split"] == "holdout"}
    sentiment, urban = (read_table(shared / f"data/{name}.tsv") for name in ("sentiment", "urban_unlabelled"))
    rows = [row for row in (*sentiment, *urban) if row["id"] in held or row.get("split", "").startswith("test_")]
    return frozenset(fold(row["text"]) for row in (*rows, *read_table(shared / "gold/dev.tsv")))


def load_sentiment(shared: Path, *, split: str) -> list[Example]:
    """Load a split of the human sentiment labels, less the rows that the holdout took from it."""
    held = {row["id"] for row in read_table(SILVER) if row["split"] == "holdout"}
    return [
        Example(row["id"], row["text"], {"sentiment": row["label"]}, f"sentiment/{split}")
        for row in read_table(shared / "data/sentiment.tsv")
        if row["split"] == split and row["id"] not in held
    ]


def load_silver(shared: Path, *, split: str, genres: tuple[str, ...] = ()) -> list[Example]:
    """Load a split (train, tune, holdout) of the silver labels; a cell on which two readers differ is absent."""
    rows = {row["id"]: row for name in ("urban_unlabelled", "sentiment") for row in read_table(shared / f"data/{name}.tsv")}
    silver = [row for row in read_table(SILVER) if row["split"] == split]
    return [
        Example(row["id"], rows[row["id"]]["text"], {task: row[task] for task in TASKS if row[task]}, f"silver/{split}")
        for row in silver
        if not genres or rows[row["id"]].get("genre") in genres
    ]


def load_unlabelled(shared: Path, *, variant: str) -> list[Example]:
    """Load the texts that nobody labelled and a variant may learn from, less those that the silver labels hold."""
    held = {row["id"] for row in read_table(SILVER)}
    rows = [row for row in read_table(shared / "data/urban_unlabelled.tsv") if row["id"] not in held]
    texts = [(row["id"], row["text"]) for row in rows if variant == "full" or row["genre"] in CLEAN_GENRES]
    if variant == "full":
        texts += [(row.id, row.text) for row in load_sentiment(shared, split="extra")]
    return _leave_out_measured([Example(name, text, {}, "unlabelled") for name, text in texts], shared)


def _load_phrases() -> list[Example]:
    return [
        Example(
            f"{path.stem}-{number}",
            row["text"],
            {"category": path.stem, **{task: row[task] for task in (*TASKS, "issue") if row.get(task)}},
            "phrases",
        )
        for path in sorted(PHRASES.glob("*.tsv"))
        for number, row in enumerate(read_table(path), 1)
    ]
