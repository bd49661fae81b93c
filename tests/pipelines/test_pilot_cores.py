"""The hand-written cores: enough of them, no two alike, and nothing in them that a model could have learnt."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

from models.taxonomy import load_taxonomy

ROOT = Path(__file__).resolve().parents[2]
CORES = ROOT / "data" / "pilot" / "cores"


def load_cores() -> list[tuple[str, dict[str, str]]]:
    """Return (category, row) of every message core."""
    rows = []
    for file in sorted(CORES.glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            rows += [(file.stem, row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return rows


def load_workshops() -> list[dict[str, str]]:
    """Return every row of the workshops, as written."""
    rows = []
    for file in sorted((CORES / "workshops").glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            rows += list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return rows


def sentences(text: str) -> set[str]:
    """Return the sentences of four words or more, folded: no accents, capitals or punctuation."""
    folded = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    parts = (" ".join(re.findall(r"[a-z0-9]+", part)) for part in re.split(r"[.!?\n]|\\n", folded))
    return {part for part in parts if len(part.split()) >= 4}


def test_there_are_at_least_900_and_no_two_share_a_sentence() -> None:
    cores = load_cores()
    assert len(cores) >= 900
    texts = [row["text"] for _, row in cores] + [text for row in load_workshops() for text in (row["texto"], row["acuerdo"])]
    found = Counter(sentence for text in texts for sentence in sentences(text))
    assert [sentence for sentence, times in found.items() if times > 1] == []


def test_labels_are_of_the_taxonomy() -> None:
    issues = set(load_taxonomy().issue_ids)
    for category, row in load_cores():
        assert category == "otros" or f"{category}.{row['issue']}" in issues, row
        assert row["sentiment"] in ("pos", "neg", "neu"), row
    for row in load_workshops():
        assert f"{row['category']}.{row['issue']}" in issues, row
        assert row["sentiment"] in ("pos", "neg", "neu"), row


def test_no_core_shares_a_sentence_with_what_models_read_or_are_tested_on() -> None:
    """Compared with every YAML and text file of the model room and with the cases of its tests."""
    known: set[str] = set()
    for folder in (ROOT / "models", ROOT / "tests" / "models"):
        for file in [*folder.rglob("*.yml"), *folder.rglob("*.py"), *folder.rglob("*.md")]:
            for piece in re.split(r"[\"',\[\]{}:]|\n\s*- ", file.read_text(encoding="utf-8")):
                known |= sentences(piece)
    assert len(known) > 300
    texts = [row["text"] for _, row in load_cores()] + [row["texto"] for row in load_workshops()]
    shared = {sentence for text in texts for sentence in sentences(text)} & known
    assert shared == set()
