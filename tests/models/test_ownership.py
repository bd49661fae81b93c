"""A city's own taxonomy: what its file makes of the shipped one, and the mistakes that the loader tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.configuration import ConfigurationError
from models.keyword import KeywordAnnotator
from models.ownership import load_own_taxonomy
from models.taxonomy import TAXONOMY_FILE, Origin, load_taxonomy

SHIPPED = load_taxonomy()


def category(key: str, phrase: str, **more: Any) -> dict[str, Any]:
    """Return a well-formed category of a file; its five examples begin with the phrase."""
    words = {"label_es": key.title(), "label_en": key.title(), "definition_es": f"Sobre {key}.", "definition_en": f"On {key}."}
    return {"id": key, **words, "examples": [f"{phrase} {n}" for n in range(5)], **more}


def issue(key: str, phrase: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in category(key, phrase, **more).items() if name != "definition_en"}


def write(folder: Path, **sections: Any) -> Path:
    """Write a city's file; JSON is YAML."""
    path = folder / "villa.yml"
    path.write_text(json.dumps({"version": "villa-1", "base": "2021.1", **sections}, indent=1), encoding="utf-8")
    return path


def told(folder: Path, **sections: Any) -> str:
    """Return the message that a wrong file gets."""
    with pytest.raises(ConfigurationError) as caught:
        load_own_taxonomy(write(folder, **sections), SHIPPED)
    return str(caught.value)


STREETS = {
    "vias_obras": [
        category("calles", "La pista", issues=["pistas_veredas", "huecos", "alumbrado"], keywords=["calzada"]),
        category("construcciones", "La obra", issues=["obras_demoras", "mobiliario"]),
    ]
}
ECONOMY = {"economia_local": {"label_es": "Economía local", "label_en": "Local economy", "of": ["economia_empleo", "salud"]}}


def test_the_shipped_taxonomy_is_its_own_origin_and_keeps_its_digest() -> None:
    taxonomy = load_taxonomy()
    assert set(taxonomy.origins.items()) == {(key, Origin("base", (key,))) for key in taxonomy.category_ids}
    assert set(taxonomy.issue_origins) == set(taxonomy.issue_ids)
    content = json.dumps(taxonomy.model_dump(mode="json"), sort_keys=True)
    assert "origin" not in content
    assert taxonomy.revision == f"{taxonomy.version}+{taxonomy.digest[:8]}"


def test_every_shipped_category_has_four_to_eight_issues() -> None:
    assert {entry.id for entry in load_taxonomy().categories if not 4 <= len(entry.issues) <= 8} <= {"otros"}


def test_a_file_that_changes_nothing_gives_the_shipped_categories_under_another_version(tmp_path: Path) -> None:
    own, shipped = load_own_taxonomy(write(tmp_path)), load_taxonomy()
    assert own.version == "2021.1/villa-1"
    assert own.categories == shipped.categories
    assert own.rollups == shipped.rollups
    assert own.origins == shipped.origins
    assert own.digest != shipped.digest


def test_an_added_category_stands_before_others_and_says_where_it_came_from(tmp_path: Path) -> None:
    added = [
        category("mascotas", "Mi perro", issues=[issue("adopcion", "Adopto")]),
        category("radio", "Oigo", **{"from": "salud"}),
    ]
    own = load_own_taxonomy(write(tmp_path, add=added))
    assert own.category_ids == (*load_taxonomy().category_ids[:-1], "mascotas", "radio", "otros")
    assert own.origins["mascotas"] == Origin("added", ("otros",))
    assert own.origins["radio"] == Origin("added", ("salud",))
    assert own.issue_origins["mascotas.adopcion"] == Origin("added", ())
    assert own.category("mascotas").keywords == ()


def test_a_renamed_category_keeps_its_id_and_everything_else(tmp_path: Path) -> None:
    names = {"transporte": {"label_es": "Movilidad"}, "salud.vacunacion": {"label_en": "Shots"}}
    own, shipped = load_own_taxonomy(write(tmp_path, rename=names)), load_taxonomy()
    assert own.label_es("transporte") == "Movilidad"
    assert own.labels_en["transporte"] == shipped.labels_en["transporte"]
    assert own.labels_en["salud.vacunacion"] == "Shots"
    assert own.category("transporte").keywords == shipped.category("transporte").keywords
    assert own.origins == shipped.origins


def test_parts_take_the_place_and_the_issues_of_what_they_replace(tmp_path: Path) -> None:
    own, shipped = load_own_taxonomy(write(tmp_path, split=STREETS)), load_taxonomy()
    place = shipped.category_ids.index("vias_obras")
    assert own.category_ids[place : place + 2] == ("calles", "construcciones")
    assert "vias_obras" not in own.category_ids
    assert own.origins["calles"] == own.origins["construcciones"] == Origin("part", ("vias_obras",))
    assert own.issue_origins["calles.huecos"] == Origin("base", ("vias_obras.huecos",))
    assert [entry.id for entry in own.category("construcciones").issues] == ["obras_demoras", "mobiliario"]
    assert [keyword.text for keyword in own.category("calles").keywords] == ["calzada"]
    assert own.category("construcciones").keywords == shipped.category("vias_obras").keywords
    assert own.rollups["transporte_piloto_2021"].issues == ("calles.pistas_veredas", "calles.huecos")


def test_a_merged_category_has_what_its_members_had(tmp_path: Path) -> None:
    own, shipped = load_own_taxonomy(write(tmp_path, merge=ECONOMY)), load_taxonomy()
    first, second = shipped.category("economia_empleo"), shipped.category("salud")
    merged = own.category("economia_local")
    assert own.category_ids.index("economia_local") == shipped.category_ids.index("salud")
    assert own.origins["economia_local"] == Origin("merged", ("economia_empleo", "salud"))
    assert merged.issues == (*first.issues, *second.issues)
    assert merged.examples == (*first.examples, *second.examples)
    assert merged.definition_es == f"{first.definition_es} {second.definition_es}"
    assert {k.text for k in merged.keywords} == {k.text for k in (*first.keywords, *second.keywords)}
    assert len({k.text for k in merged.keywords}) == len(merged.keywords)


def test_issues_are_added_split_and_merged_by_the_same_means(tmp_path: Path) -> None:
    streets, works = STREETS["vias_obras"]
    own = load_own_taxonomy(
        write(
            tmp_path,
            add_issues={"calles": [issue("puentes", "El puente")]},
            split={"vias_obras": [{**streets, "issues": ["pistas_veredas", "bache", "zanja", "alumbrado"]}, works]},
            split_issues={"vias_obras.huecos": [issue("bache", "Un bache"), issue("zanja", "Una zanja", keywords=["zanja"])]},
            merge_issues={"salud.postas": {"label_es": "Postas", "label_en": "Posts", "of": ["hospitales_postas", "vacunacion"]}},
        )
    )
    assert own.issue_origins["calles.puentes"] == Origin("added", ())
    assert own.issue_origins["calles.bache"] == own.issue_origins["calles.zanja"] == Origin("part", ("vias_obras.huecos",))
    assert own.issue_origins["salud.postas"] == Origin("merged", ("salud.hospitales_postas", "salud.vacunacion"))
    assert [entry.id for entry in own.category("salud").issues] == ["postas", "covid_contagios", "control_sanitario"]
    holes = next(entry for entry in load_taxonomy().category("vias_obras").issues if entry.id == "huecos")
    assert own.category("calles").issues[1].keywords == holes.keywords
    assert own.rollups["transporte_piloto_2021"].issues == ("calles.pistas_veredas", "calles.bache", "calles.zanja")


def test_a_rollup_follows_what_was_taken_out_of_its_members(tmp_path: Path) -> None:
    added = [category("bicicletas", "Mi bici", **{"from": "transporte"})]
    assert load_own_taxonomy(write(tmp_path, add=added)).rollups["transporte_piloto_2021"].categories == (
        "transporte",
        "bicicletas",
    )


def test_a_rollup_that_could_not_be_told_any_more_is_refused_or_dropped(tmp_path: Path) -> None:
    merge = {"movilidad": {"label_es": "Movilidad", "label_en": "Mobility", "of": ["transporte", "salud"]}}
    message = told(tmp_path, merge=merge)
    assert "merge.movilidad: the roll-up 'transporte_piloto_2021' counts only some of transporte, salud" in message
    assert "rollups: {transporte_piloto_2021: }" in message
    own_sum = {"label_es": "Suma", "label_en": "Sum", "categories": ["movilidad"]}
    own = load_own_taxonomy(write(tmp_path, merge=merge, rollups={"transporte_piloto_2021": None, "suma": own_sum}))
    assert list(own.rollups) == ["suma"]
    issues = {"vias_obras.calzada": {"label_es": "Calzada", "label_en": "Roadway", "of": ["huecos", "alumbrado"]}}
    assert "merge_issues.vias_obras.calzada: the roll-up" in told(tmp_path, merge_issues=issues)


def test_the_digest_tells_the_origin_apart(tmp_path: Path) -> None:
    one = load_own_taxonomy(write(tmp_path, add=[category("radio", "Oigo", **{"from": "salud"})]))
    other = load_own_taxonomy(write(tmp_path, add=[category("radio", "Oigo", **{"from": "educacion_cultura_deporte"})]))
    assert one.categories == other.categories
    assert one.digest != other.digest


def test_the_keyword_annotator_reads_a_citys_own_categories(tmp_path: Path) -> None:
    silent, spoken = category("mascotas", "Mi perro"), category("radio", "Oigo", keywords=[{"text": "radioemisora", "weight": 3}])
    own = load_own_taxonomy(write(tmp_path, add=[silent, spoken], split=STREETS, merge=ECONOMY))
    annotator = KeywordAnnotator(own, lemmas="simplemma")
    texts = ["La radioemisora no se oye", "Un hueco enorme en la pista", "No hay vacunas en la posta", "", "Mi perro 1"]
    read = annotator.predict(texts)
    assert [entry["category"].label for entry in read[:3]] == ["radio", "calles", "economia_local"]
    assert read[1]["issue"].label == "calles.huecos"
    assert read[3]["category"].label == "otros"
    silence = [entry["category"].probabilities["mascotas"] for entry in read]
    assert all(0 < probability < 0.07 for probability in silence), "no keywords, no evidence, whatever the examples say"
    assert annotator.revision != KeywordAnnotator(load_taxonomy(), lemmas="simplemma").revision
    assert set(read[0]["category"].probabilities) == set(own.category_ids)


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "villa.yml"
    path.write_text(
        "version: 2026.1\n"
        'base: "1999"\n'
        "colour: red\n"
        "rename:\n"
        "  trasporte: {label_es: X}\n"
        "  salud: {}\n"
        "add:\n"
        "  - id: salud\n"
        "    label_es: Salud\n"
        "    label_en: Health\n"
        "    definition_es: D.\n"
        "    from: nada\n"
        "    examples: [uno, dos, Dos, tres]\n"
        "split:\n"
        "  vias_obras:\n"
        "    - {id: calles, label_es: C, label_en: C, definition_es: D, definition_en: D, "
        "examples: [a, b, c, d, e], issues: [luz]}\n"
        "merge:\n"
        "  otro_nombre:\n"
        "    label_es: M\n"
        "    of: [otros, vias_obras]\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        load_own_taxonomy(path)
    message = str(caught.value)
    for line in (
        "villa.yml:1: version: Input should be a valid string, got 2026.1",
        "villa.yml:2: base: '1999' is not the taxonomy that ships; allowed: '2021.1'",
        "villa.yml:3: colour: unknown key",
        "villa.yml:5: rename.trasporte: 'trasporte' is no shipped category; allowed: transporte, salud",
        "villa.yml:6: rename.salud: Value error, nothing is renamed",
        "villa.yml:8: add.0.id: 'salud' is a shipped category; an id keeps its meaning",
        "villa.yml:8: add.0.definition_en: missing",
        "villa.yml:12: add.0.from: 'nada' is no shipped category",
        "villa.yml:13: add.0.examples: Tuple should have at least 5 items",
        "villa.yml:15: split.vias_obras: Tuple should have at least 2 items",
        "villa.yml:15: split.vias_obras: no part has pistas_veredas, huecos, alumbrado, obras_demoras, mobiliario",
        "villa.yml:16: split.vias_obras.0.issues.0: 'luz' is no issue of 'vias_obras'; allowed: pistas_veredas",
        "villa.yml:18: merge.otro_nombre.label_en: missing",
        "villa.yml:20: merge.otro_nombre.of.0: 'otros' can be neither split nor merged",
        "villa.yml:20: merge.otro_nombre.of.1: 'vias_obras' is split or merged already",
    ):
        assert line in message, line


LONG = {"label_es": "U", "label_en": "U"}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"add": [category("radio", "Oigo"), category("radio", "Veo")]}, "add.1.id: 'radio' is used twice"),
        ({"add": [category("neg", "No")]}, "'neg' is a fixed label"),
        ({"add": [category("radio", "Oigo"), category("prensa", "oigo")]}, "is an example of add.0 too"),
        ({"add": [{**category("radio", "Oigo"), "examples": ["uno"] * 5}]}, "the phrases must differ; repeated: 'uno'"),
        ({"add": [{**category("radio", "Oigo"), "examples": [f"n {n}" for n in range(31)]}]}, "at most 30 items"),
        ({"add": [{**category("radio", "Oigo"), "examples": ["a", "b", "c", "d", "  "]}]}, "at least 1 character"),
        ({"add": [category("radio", "Oigo", issues=[issue("am", "A"), issue("am", "B")])]}, "issues.1.id: 'am' is used twice"),
        ({"add_issues": {"radio": [issue("am", "A")]}}, "'radio' is no category of this taxonomy"),
        ({"add_issues": {"vias_obras": [issue("am", "A")]}, "split": STREETS}, "'vias_obras' is no category of this taxonomy"),
        ({"add_issues": {"salud": [issue("vacunacion", "A")]}}, "'vacunacion' is an issue of this category"),
        ({"split": STREETS, "rename": {"vias_obras": LONG}}, "'vias_obras' is split or merged; write the labels there"),
        ({"rename": {"salud.nada": LONG}}, "'salud.nada' is no shipped issue; allowed: salud.vacunacion"),
        ({"rename": {"nada.nada": LONG}}, "'nada.nada' is no shipped issue; allowed: transporte.ISSUE"),
        ({"merge": {"todo": {**LONG, "of": ["salud", "salud"]}}}, "'salud' is split or merged already"),
        ({"merge": {"todo": {**LONG, "of": ["salud"]}}}, "at least 2 items"),
        ({"merge": {"transporte": {**LONG, "of": ["salud", "transporte"]}}}, "'transporte' is a shipped category"),
        ({"merge_issues": {"salud.todo": {**LONG, "of": ["vacunacion", "huecos"]}}}, "'salud.huecos' is no shipped issue"),
        ({"merge_issues": {"nada.todo": {**LONG, "of": ["a", "b"]}}}, "'nada' is no shipped category"),
        ({"merge_issues": {"saludtodo": {**LONG, "of": ["a", "b"]}}}, "String should match pattern"),
        ({"split_issues": {"salud.vacunacion": [issue("huecos", "A"), issue("huecos", "B")]}}, "'salud.huecos' is used twice"),
        ({"split_issues": {"salud.vacunacion": [issue("covid_contagios", "A"), issue("b", "B")]}}, "is a shipped issue"),
        ({"rollups": {"suma": {**LONG, "categories": ["vias_obras"]}}, "split": STREETS}, "'vias_obras' is not in this taxonomy"),
        ({"rollups": {"nada": None}}, "'nada' is no shipped roll-up, so it cannot be dropped; allowed: transporte_piloto_2021"),
        ({"rollups": {"transporte_piloto_2021": {**LONG, "categories": ["salud"]}}}, "is a shipped roll-up; an id keeps"),
        ({"rollups": {"salud": {**LONG, "categories": ["salud"]}}}, "'salud' is a shipped category"),
        (
            {
                "merge": {"todo": {**LONG, "of": ["salud", "agua_servicios"]}},
                "split_issues": {
                    "salud.vacunacion": [issue("igual", "A"), issue("b", "B")],
                    "agua_servicios.desague": [issue("igual", "C"), issue("d", "D")],
                },
            },
            "salud and agua_servicios both have an issue 'igual'",
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_named(tmp_path: Path, sections: dict[str, Any], message: str) -> None:
    assert message in told(tmp_path, **sections)


@pytest.mark.parametrize("section", ["rename", "add", "add_issues", "split", "merge", "split_issues", "merge_issues", "rollups"])
@pytest.mark.parametrize(
    "value", [3, "texto", [3], [[]], {"salud": 3}, {"salud": [3]}, {"salud.vacunacion": {"of": 3}}, [{"id": 3}]]
)
def test_what_has_another_shape_is_told_and_never_breaks_the_checks(tmp_path: Path, section: str, value: Any) -> None:
    assert f": {section}" in told(tmp_path, **{section: value})


def test_the_shipped_file_cannot_state_origins(tmp_path: Path) -> None:
    path = tmp_path / "whole.yml"
    path.write_text(TAXONOMY_FILE.read_text(encoding="utf-8") + "\norigins: {}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="origins: unknown key"):
        load_taxonomy(path)
