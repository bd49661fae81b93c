"""Labelled sets: texts with the labels that people, or named readers, gave them. They are measured on, never trained on."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from models.preprocessing import fold
from models.settings import FIXED_LABELS
from models.taxonomy import NO_ISSUE, Taxonomy

SILVER = Path(__file__).parent.parent / "training" / "silver.tsv"
"""Labels of real messages by their id; the texts are in the shared data."""


TASKS = ("category", "issue", "sentiment", "intent", "target")
"""What a set may label, and the columns of a file that hold the labels."""

SET_NAMES = ("gold_dev", "silver_holdout", "umsab", "tweets_uy")
"""The sets that the floors name."""

_UNKNOWN_SHOWN = 40
_CHARACTERS_SHOWN = 30


class SetError(ValueError):
    """A labelled set cannot be read; the message holds one line for each mistake."""


class LabelledRow(NamedTuple):
    """One text with the labels that are known of it."""

    id: str
    text: str
    labels: Mapping[str, str]
    """Task -> label; a task that nobody labelled, or on which readers differ, is absent."""

    variety: str = ""
    """Where its Spanish is from: a country code, "mixed", or "" if unknown."""

    genre: str = ""


@dataclass(frozen=True)
class LabelledSet:
    """Rows to measure on, in a fixed order."""

    name: str
    rows: tuple[LabelledRow, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over ids, texts, labels and varieties: figures of two digests are not comparable."""
        content = [[row.id, row.text, sorted(row.labels.items()), row.variety] for row in self.rows]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that at least one row labels, in the order of `TASKS`."""
        return tuple(task for task in TASKS if any(task in row.labels for row in self.rows))

    def labelled(self, task: str) -> list[LabelledRow]:
        """Return the rows that label a task, in order."""
        return [row for row in self.rows if task in row.labels]


def allowed_labels(taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Return task -> label ids, in the order in which they are listed."""
    return {
        "category": taxonomy.category_ids,
        "issue": (*taxonomy.issue_ids, NO_ISSUE),
        "sentiment": taxonomy.sentiment_ids,
        "intent": FIXED_LABELS["intent"],
        "target": FIXED_LABELS["target"],
    }


def load_set(name: str, shared: Path, *, silver: Path = SILVER) -> LabelledSet:
    """Load one of `SET_NAMES`.

    Args:
        name: which.
        shared: the folder that holds `gold/dev.tsv` and `data/*.tsv`.
        silver: labels by id, with a column `split`; needed for `silver_holdout`.

    Raises:
        FileNotFoundError: if a file of the set is not at hand.
        SetError: if the files do not fit together, or the set is empty.
        ValueError: if there is no such set.
    """
    if name == "gold_dev":
        rows = [_row(row, row["country"], row["genre"]) for row in _read_table(shared / "gold" / "dev.tsv")]
    elif name == "silver_holdout":
        rows = _load_silver(shared, silver)
    elif name in ("umsab", "tweets_uy"):
        rows = [
            LabelledRow(row["id"], row["text"], {"sentiment": row["label"]}, row["variety"], row["dataset"])
            for row in _read_table(shared / "data" / "sentiment.tsv")
            if row["split"] == f"test_{name}"
        ]
    else:
        raise ValueError(f"no set is called {name!r}; available: {', '.join(SET_NAMES)}")
    if not rows:
        raise SetError(f"{name}: the files hold no row of it")
    return LabelledSet(name, tuple(rows))


def build_set(
    name: str,
    rows: Iterable[tuple[int, Mapping[str, str]]],
    taxonomy: Taxonomy,
    *,
    text_column: str,
    spellings: Mapping[str, Mapping[str, str]] | None = None,
) -> LabelledSet:
    """Make a set of a user's table.

    Columns named by task (`category`, `issue`, `sentiment`, `intent`, `target`) hold ids or the wording of the taxonomy, in any
    case and with or without accents; an empty cell is no label. `id`, `variety` (or `country`) and `genre` are taken if they are
    there. Rows without any label are left out.

    Args:
        name: the file's name, for the messages.
        rows: (row in the file, cells by column).
        taxonomy: the categories, issues and sentiments.
        text_column: the column of the message.
        spellings: task -> label id -> another wording that is understood.

    Raises:
        SetError: with every cell that holds no label of its task, by row; if no row has a label; if an id comes twice.
    """
    readable = _wordings(taxonomy, spellings or {})
    kept: list[LabelledRow] = []
    wrong: list[str] = []
    tasks: set[str] = set()
    for line, cells in rows:
        labels = {}
        for task in (task for task in TASKS if (cells.get(task) or "").strip()):
            label = readable[task].get(fold(cells[task]))
            if label is None:
                wrong.append(f"{name}:{line}: {task}: {cells[task][:_CHARACTERS_SHOWN]!r} is no label of it")
                tasks.add(task)
            else:
                labels[task] = label
        if labels:
            variety = cells.get("variety") or cells.get("country") or ""
            kept.append(LabelledRow(cells.get("id") or str(line), cells[text_column], labels, variety, cells.get("genre") or ""))
    if wrong:
        raise SetError(_tell(wrong, tasks, taxonomy))
    _check_repeats(name, kept)
    if not kept:
        raise SetError(f"{name}: no row has a label; needed: a column {', '.join(TASKS[:-1])} or {TASKS[-1]} with labels in it")
    return LabelledSet(name, tuple(kept))


def _check_repeats(name: str, rows: Sequence[LabelledRow]) -> None:
    """Refuse ids that stand there twice: the message would count double, or the two labels speak against each other."""
    repeated = [identity for identity, count in Counter(row.id for row in rows).items() if count > 1]
    if repeated:
        listed = ", ".join(map(repr, repeated[:5])) + (" ..." if len(repeated) > 5 else "")
        raise SetError(f"{name}: {len(repeated)} ids stand there more than once: {listed}; keep one row of each")


def _tell(wrong: Sequence[str], tasks: set[str], taxonomy: Taxonomy) -> str:
    rest = [f"... and {len(wrong) - _UNKNOWN_SHOWN} more cells"] if len(wrong) > _UNKNOWN_SHOWN else []
    allowed = allowed_labels(taxonomy)
    told = [f"allowed as {task}: {', '.join(allowed[task])}" for task in TASKS if task in tasks]
    return "\n".join([*wrong[:_UNKNOWN_SHOWN], *rest, *told])


def _wordings(taxonomy: Taxonomy, spellings: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return task -> folded wording -> label id; a wording that two labels share stands for neither."""
    found: dict[str, dict[str, str]] = {}
    for task, labels in allowed_labels(taxonomy).items():
        names: dict[str, set[str]] = {}
        for label in labels:
            wordings = [spellings.get(task, {}).get(label)]
            wordings += [names_of.get(label) for names_of in (taxonomy.labels_es, taxonomy.labels_en)]
            for wording in filter(None, wordings):
                names.setdefault(fold(wording), set()).add(label)
        found[task] = {wording: next(iter(meant)) for wording, meant in names.items() if len(meant) == 1}
        found[task] |= {fold(label): label for label in labels}
    return found


def _load_silver(shared: Path, silver: Path) -> list[LabelledRow]:
    held = [row for row in _read_table(silver) if row["split"] == "holdout"]
    wanted = {row["id"] for row in held}
    texts: dict[str, dict[str, str]] = {}
    for file in ("sentiment", "urban_unlabelled"):
        texts |= {row["id"]: row for row in _read_table(shared / "data" / f"{file}.tsv") if row["id"] in wanted}
    missing = [row["id"] for row in held if row["id"] not in texts]
    if missing:
        listed = ", ".join(missing[:5])
        raise SetError(f"{silver.name}: {len(missing)} ids of the holdout have no text in the shared data: {listed} ...")
    return [
        _row({**row, "text": source["text"]}, source.get("country") or source.get("variety") or "", source.get("genre") or "")
        for row in held
        for source in (texts[row["id"]],)
    ]


def _row(cells: Mapping[str, str], variety: str, genre: str) -> LabelledRow:
    labels = {task: cells[task] for task in TASKS if cells.get(task)}
    return LabelledRow(cells["id"], cells["text"], labels, variety, genre)


def _read_table(path: Path) -> list[dict[str, str]]:
    """Read a TSV file without quoting into one dictionary a row."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
