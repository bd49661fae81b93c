"""Categories and issues that no head was trained on, in an invented space where every word is a direction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.few_shot import Space, estimate_space, load_space, read_labels, save_space
from models.own_labels import CategoryReader, IssueReader
from models.ownership import load_own_taxonomy
from models.taxonomy import NO_ISSUE, Origin, Taxonomy, load_taxonomy

SIZE = 384
KNOWN = ("transporte", "salud", "vias_obras", "otros")


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Each word is a fixed random direction, a text the mean of its words."""
    rows = []
    for text in texts:
        words = [np.random.default_rng(zlib.crc32(word.encode())).normal(size=SIZE) for word in text.lower().split()]
        rows.append(np.mean(words, axis=0) if words else np.zeros(SIZE))
    return np.array(rows, np.float32)


WORDS = {
    "transporte": "bus combi paradero micro chofer",
    "salud": "posta vacuna doctor enfermera receta",
    "vias_obras": "pista hueco vereda asfalto obra",
    "otros": "hola amigos saludos partido gol",
}


def _phrases() -> tuple[list[str], list[str]]:
    chance = np.random.default_rng(5)
    texts, labels = [], []
    for label, words in WORDS.items():
        for _ in range(30):
            texts.append(" ".join(chance.choice([*words.split(), "la", "de", "en", "hoy"], size=7)))
            labels.append(label)
    return texts, labels


@pytest.fixture(scope="module")
def space() -> Space:
    texts, labels = _phrases()
    return estimate_space(embed(texts), labels, rank=40)


def _taxonomy(categories: dict[str, list[str]], origins: dict[str, Origin]) -> Taxonomy:
    shipped = load_taxonomy().model_dump(mode="json")
    content: dict[str, Any] = {**shipped, "version": "prueba", "rollups": {}, "categories": []}
    for name, examples in categories.items():
        content["categories"].append(
            {
                "id": name,
                "label_es": name,
                "label_en": name,
                "definition_es": " ".join(examples[:1]),
                "definition_en": name,
                "keywords": [],
                "examples": examples,
                "issues": [],
            }
        )
    return Taxonomy.derive(content, origins)


def _read(reader: CategoryReader, space: Space, text: str, trained: Sequence[float]) -> dict[str, float]:
    found = reader.read(np.array([trained]), space.place(embed([text])))
    assert found.sum() == pytest.approx(1)
    return dict(zip(reader.labels, found[0].tolist(), strict=True))


def test_shipped_categories_are_read_as_the_head_says(space: Space) -> None:
    taxonomy = _taxonomy({name: [WORDS[name]] for name in KNOWN}, {})
    reader = CategoryReader.build(taxonomy, KNOWN, space, embed)
    assert _read(reader, space, "bus", [0.7, 0.1, 0.1, 0.1]) == pytest.approx(dict(zip(KNOWN, [0.7, 0.1, 0.1, 0.1], strict=True)))


def test_a_merged_category_is_the_sum_of_its_members(space: Space) -> None:
    origins = {"movilidad": Origin("merged", ("transporte", "vias_obras"))}
    taxonomy = _taxonomy({"movilidad": ["bus pista"], "salud": ["posta"], "otros": ["hola"]}, origins)
    reader = CategoryReader.build(taxonomy, KNOWN, space, embed)
    found = _read(reader, space, "bus", [0.4, 0.1, 0.3, 0.2])
    assert found["movilidad"] == pytest.approx(0.7)


def test_parts_share_what_the_whole_had(space: Space) -> None:
    origins = {"buses": Origin("part", ("transporte",)), "choferes": Origin("part", ("transporte",))}
    names = {"buses": ["bus combi paradero", "micro bus"], "choferes": ["chofer", "el chofer"]}
    taxonomy = _taxonomy({**names, "salud": ["posta"], "vias_obras": ["pista"], "otros": ["hola"]}, origins)
    reader = CategoryReader.build(taxonomy, KNOWN, space, embed)
    for text, winner in (("paradero bus combi", "buses"), ("chofer", "choferes")):
        found = _read(reader, space, text, [0.8, 0.1, 0.05, 0.05])
        assert found["buses"] + found["choferes"] == pytest.approx(0.8)
        assert max(found, key=found.__getitem__) == winner


def test_an_added_category_takes_its_own_texts_and_leaves_the_others(space: Space) -> None:
    examples = ["perro gato mascota", "veterinaria perro", "gato mascota adopción", "mascota perdida", "perro veterinaria gato"]
    taxonomy = _taxonomy(
        {**{name: [WORDS[name]] for name in KNOWN}, "mascotas": examples}, {"mascotas": Origin("added", ("otros",))}
    )
    reader = CategoryReader.build(taxonomy, KNOWN, space, embed)
    own = _read(reader, space, "perro gato mascota veterinaria", [0.1, 0.1, 0.1, 0.7])
    assert max(own, key=own.__getitem__) == "mascotas"
    foreign = _read(reader, space, "bus combi paradero micro", [0.9, 0.04, 0.03, 0.03])
    assert max(foreign, key=foreign.__getitem__) == "transporte"
    assert foreign["mascotas"] < 0.2


def test_issues_are_read_within_the_category_that_was_read(space: Space) -> None:
    taxonomy = load_taxonomy()
    reader = IssueReader.build(taxonomy, space, embed)
    hole = next(issue for issue in taxonomy.category("vias_obras").issues if issue.id == "huecos")
    placed = space.place(embed([hole.examples[0], hole.examples[0], "hola"]))
    found = reader.read(["vias_obras", "salud", "otros"], placed)
    assert found.sum(1) == pytest.approx([1, 1, 1])
    labels = [reader.labels[place] for place in found.argmax(1)]
    assert labels[0] == "vias_obras.huecos"
    for row, category in enumerate(("vias_obras", "salud", "otros")):
        foreign = [
            place for place, label in enumerate(reader.labels) if label != NO_ISSUE and not label.startswith(f"{category}.")
        ]
        assert found[row, foreign].sum() == 0


def test_parts_of_a_split_issue_are_told_apart_by_their_own_examples(space: Space, tmp_path: Path) -> None:
    parts = {"perros": "perro ladrido jauría", "gatos": "gato maullido minino"}
    entries = [
        {"id": name, "label_es": name, "label_en": name, "definition_es": words, "examples": [f"{words} {n}" for n in "abcde"]}
        for name, words in parts.items()
    ]
    path = tmp_path / "villa.yml"
    content = {"version": "v", "base": load_taxonomy().version, "split_issues": {"vias_obras.huecos": entries}}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    phrases = space.place(embed([f"{words} hueco" for words in parts.values()] * 20))
    known = replace(space, issues={"vias_obras.huecos": (phrases.sum(0), len(phrases))})
    reader = IssueReader.build(load_own_taxonomy(path), known, embed)
    found = reader.read(["vias_obras"] * 2, space.place(embed([f"{words} hueco" for words in parts.values()])))
    for row, name in enumerate(parts):
        shares = {part: found[row, reader.labels.index(f"vias_obras.{part}")] for part in parts}
        assert found[row].sum() == pytest.approx(1)
        assert reader.labels[found[row].argmax()] == f"vias_obras.{name}"
        assert shares[name] > 0.8 * sum(shares.values())


def test_phrases_of_an_issue_move_its_place() -> None:
    texts, labels = _phrases()
    issues = [f"{label}.x" if place % 2 else "" for place, label in enumerate(labels)]
    space = estimate_space(embed(texts), labels, issues, rank=40)
    assert space.issues["salud.x"][1] == 15
    alone, told = space.mean_of(embed(["bus"])), space.mean_of(embed(["bus"]), issues=["salud.x"])
    assert np.linalg.norm(told - space.means["salud"]) < np.linalg.norm(alone - space.means["salud"])


def test_a_space_survives_the_file(space: Space, tmp_path: Path) -> None:
    save_space(space, tmp_path / "space.npz")
    again = load_space(tmp_path / "space.npz")
    texts = embed(["bus combi", "vacuna doctor", "hola"])
    names = list(space.means)
    first = read_labels(space.place(texts), [space.means[name] for name in names])
    second = read_labels(again.place(texts), [again.means[name] for name in names])
    assert names == list(again.means)
    assert second == pytest.approx(first, abs=0.02)
    assert [names[place] for place in first.argmax(1)] == ["transporte", "salud", "otros"]
