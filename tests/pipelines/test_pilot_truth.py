"""The planted truth beside a city's own categories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.ownership import load_own_taxonomy
from models.settings import ModelsConfig
from models.taxonomy import load_taxonomy
from pipelines.pilot.evaluate import append_truth, find_heirs
from pipelines.runs import Readers
from pipelines.warehouse import memory_warehouse
from tests.conftest import make_project

PART = {
    "label_es": "Parte",
    "label_en": "Part",
    "definition_es": "Una parte de la vía.",
    "definition_en": "A part of the street.",
}
OWN = {
    "version": "villa-1",
    "base": "2021.1",
    "merge": {"economia_local": {"label_es": "Economía local", "label_en": "Local economy", "of": ["economia_empleo", "salud"]}},
    "split": {
        "vias_obras": [
            {"id": name, **PART, "keywords": [name], "examples": [f"{name} número {n}" for n in range(5)], "issues": issues}
            for name, issues in (
                ("calles", ["pistas_veredas", "huecos", "alumbrado"]),
                ("obras", ["obras_demoras", "mobiliario"]),
            )
        ]
    },
}


def test_a_planted_category_is_right_in_what_the_city_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "villa.yml"
    path.write_text(json.dumps(OWN), encoding="utf-8")
    heirs = find_heirs(load_own_taxonomy(path))
    assert heirs["economia_empleo"] == heirs["salud"] == ("economia_local",)
    assert heirs["vias_obras"] == ("calles", "obras")
    assert heirs["transporte"] == ("transporte",)


def test_the_shipped_categories_are_their_own_heirs() -> None:
    taxonomy = load_taxonomy()
    assert find_heirs(taxonomy) == {key: (key,) for key in taxonomy.category_ids}


def test_the_truth_is_not_planted_into_categories_that_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "villa.yml"
    path.write_text(json.dumps(OWN), encoding="utf-8")
    own = load_own_taxonomy(path)
    readers = Readers(own, ModelsConfig.model_validate({"tasks": {"language": {"annotator": "language"}}}), {})
    with memory_warehouse() as warehouse, pytest.raises(ValueError, match="this city's own lacks: economia_empleo"):
        append_truth(warehouse, make_project(tmp_path / "project"), readers)
