"""The taxonomy that ships, and the mistakes that its loader tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.configuration import ConfigurationError
from models.settings import load_models_config
from models.taxonomy import TAXONOMY_FILE, load_taxonomy

CATEGORIES = [
    "transporte",
    "salud",
    "seguridad_ciudadana",
    "economia_empleo",
    "limpieza_residuos",
    "ambiente_areas_verdes",
    "vias_obras",
    "agua_servicios",
    "vivienda_urbanismo",
    "comercio_mercados",
    "educacion_cultura_deporte",
    "programas_sociales",
    "gestion_transparencia",
    "gestion_riesgos",
    "otros",
]

SMALL = """\
version: "1"
sentiments:
  neg: {label_es: negativa, label_en: negative}
  neu: {label_es: neutra, label_en: neutral}
  pos: {label_es: positiva, label_en: positive}
unclassified: {label_es: Sin clasificar, label_en: Unclassified}
rollups: {}
categories:
- id: otros
  label_es: Otros
  label_en: Others
  definition_es: Lo demás.
  definition_en: The rest.
  keywords: [hola, {text: gracias, weight: 2}]
  examples: [Hola]
  issues: []
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "taxonomy.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_categories_are_the_agreed_ones_in_order() -> None:
    taxonomy = load_taxonomy()
    assert list(taxonomy.category_ids) == CATEGORIES
    assert len(set(taxonomy.issue_ids)) == len(taxonomy.issue_ids) >= 4 * 14


def test_every_category_and_issue_brings_keywords_and_examples() -> None:
    for category in load_taxonomy().categories:
        assert 6 <= len(category.examples) <= 12, category.id
        for issue in category.issues:
            assert len(issue.examples) >= 3, issue.id
            assert issue.keywords, issue.id


def test_the_pilot_rollup_adds_streets_and_holes_to_transport() -> None:
    taxonomy = load_taxonomy()
    rollup = taxonomy.rollups["transporte_piloto_2021"]
    assert rollup.categories == ("transporte",)
    assert rollup.issues == ("vias_obras.pistas_veredas", "vias_obras.huecos")
    assert taxonomy.label_es("transporte_piloto_2021") == "Transporte (piloto 2021)"


def test_labels_are_found_by_id() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.label_es("neg") == "negativa"
    assert taxonomy.label_es("unclassified") == "Sin clasificar"
    assert taxonomy.label_es("vias_obras.huecos") == "Huecos y baches"
    assert taxonomy.labels_en["otros"] == "Others"
    assert taxonomy.category("salud").label_es == "Salud"
    with pytest.raises(ValueError, match="no label for 'nada'"):
        taxonomy.label_es("nada")
    with pytest.raises(ValueError, match=r"no category 'nada'; available: transporte"):
        taxonomy.category("nada")


def test_the_digest_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    plain = load_taxonomy(_write(tmp_path, SMALL))
    laid_out = load_taxonomy(
        _write(tmp_path, "# a comment\n" + SMALL.replace("keywords: [hola, ", "keywords: [\n    hola,\n    "))
    )
    changed = load_taxonomy(_write(tmp_path, SMALL.replace("weight: 2", "weight: 3")))
    assert re.fullmatch(r"[0-9a-f]{64}", plain.digest)
    assert laid_out.digest == plain.digest
    assert changed.digest != plain.digest


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = (
        SMALL.replace("weight: 2", "weight: 9")
        .replace("label_en: Others", "label_fr: Autres")
        .replace("rollups: {}", "rollups:\n  r: {label_es: R, label_en: R, categories: [nada]}")
    )
    with pytest.raises(ConfigurationError) as caught:
        load_taxonomy(_write(tmp_path, text + "- id: otros\n"))
    message = str(caught.value)
    assert "taxonomy.yml:8: rollups.r.categories.0: 'nada' does not exist; allowed: otros" in message
    assert "taxonomy.yml:12: categories.0.label_fr: unknown key" in message
    assert "categories.0.label_en: missing" in message
    assert re.search(r"taxonomy\.yml:15: categories\.0\.keywords\.1\.weight: .*less than or equal to 5, got 9", message)
    assert "taxonomy.yml:18: categories.1.id: 'otros' is used twice" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", r"taxonomy\.yml:1: the file holds list"),
        ("", r"taxonomy\.yml:1: the file holds NoneType"),
        ("a: [1\nb: 2\n", r"taxonomy\.yml:\d+: not readable as YAML"),
        ("a: 1\na: 2\n", r"taxonomy\.yml:2: not readable as YAML"),
        (SMALL.replace("- id: otros", "- id: nada"), "no category 'otros'"),
        (SMALL.replace("rollups: {}", "rollups: 3"), r"taxonomy\.yml:7: rollups"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_taxonomy(_write(tmp_path, text))


def test_the_file_that_ships_is_well_written() -> None:
    text = TAXONOMY_FILE.read_text(encoding="utf-8")
    assert "septiembre" not in text
    assert "\t" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_choice_of_models_tells_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "models.yml"
    path.write_text(
        "tasks:\n  category: {annotator: magic, threshold: 2}\n  mood: {annotator: keyword, threshold: 0}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_models_config(path)
    assert (
        "models.yml:2: tasks.category.annotator: no annotator is called 'magic'; allowed: accurate, fast, keyword, language"
        in str(caught.value)
    )
    assert "models.yml:2: tasks.category.threshold" in str(caught.value)
    assert "models.yml:3: tasks.mood" in str(caught.value)
