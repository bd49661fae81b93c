"""The gazetteer: from the file to the places that the models look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.yaml_errors import ConfigurationError
from models.entities import list_spellings
from models.spacy_tools import find_places, load_spanish
from pipelines.places import PlaceKind, load_gazetteer, load_places

ATE = Path(__file__).resolve().parents[2] / "data" / "places" / "ate.yml"


def write(folder: Path, places: str, head: str = "district: Prueba\ncoordinates: approximate\n") -> Path:
    path = folder / "prueba.yml"
    path.write_text(f"{head}places:\n{places}", encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_places(path)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_ate_has_places_of_every_kind() -> None:
    places = load_places(ATE)
    gazetteer = load_gazetteer(ATE)
    assert len(places) == len(gazetteer.places) == ATE.read_text(encoding="utf-8").count("\n  - {kind:")
    assert {place.kind for place in places} == set(PlaceKind.__args__)  # type: ignore[attr-defined]
    assert len({place.id for place in places}) == len(places)
    assert {entry.kind for entry in gazetteer.places if entry.lat is not None} == {"zone"}


def test_the_article_of_the_sentence_is_no_part_of_the_name(tmp_path: Path) -> None:
    entries = (
        "  - {kind: avenue, said: la av. Los Cedros, aliases: [la Cedros]}\n"
        "  - {kind: zone, said: La Palma, lat: -12.1, lon: -77}\n"
    )
    avenue, zone = load_places(write(tmp_path, entries))
    assert (avenue.name, avenue.id, avenue.aliases) == ("av. Los Cedros", "av-los-cedros", ("la av. Los Cedros", "la Cedros"))
    assert (zone.name, zone.id, zone.aliases) == ("La Palma", "la-palma", ("La Palma",))


def test_every_place_of_ate_is_found_as_it_is_said() -> None:
    nlp = load_spanish(load_places(ATE))
    for entry in load_gazetteer(ATE).places:
        for text in (f"Falta limpieza en {entry.said}, vecinos.", f"FALTA LIMPIEZA EN {entry.said.upper()}"):
            assert [mention.place for mention in find_places(nlp(text))] == [entry.place.id], text


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "  - {kind: zona, said: Tingo}\n"
        "  - {kind: zone, said: La Palma, alias: [Palma]}\n"
        "  - {kind: zone, aliases: [Loma]}\n"
        "  - {kind: zone, said: Cerro, lat: 95, lon: -77}\n"
        "  - {kind: zone, said: Valle, lat: -12}\n"
        "  - {kind: park, said: Vega, aliases: [TÍNGO]}\n"
        "  - {kind: park, said: de la}\n",
    )
    found = problems(path)
    assert [problem.split(":")[1] for problem in found] == ["4", "5", "6", "7", "8", "9", "10"]
    assert "'zone', 'avenue', 'market'" in found[0]
    assert "did you mean 'aliases'" in found[1]
    assert "said: is required and is missing" in found[2]
    assert "less than or equal to 90" in found[3]
    assert "lat and lon belong together" in found[4]
    assert "'TÍNGO' already names places[1] ('Tingo'); a spelling may name one place only" in found[5]
    assert "'de la' holds no word but articles" in found[6]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("district: X1\nplaces: []\n", "at least 1 item"),
        ("district: X1\nplaces: Tingo\n", "tuple"),
        ("district: X1\nplaces: [Tingo]\n", r"places\[1\]"),
        ("district: X1\ncoordinates: exact\nplaces: [{kind: zone, said: Tingo}]\n", "'approximate' or 'surveyed'"),
        ("places: [{kind: zone, said: Tingo}]\n", "district: is required"),
        ("- Tingo\n", "must be a mapping"),
        ("district: [\n", ":2:"),
    ],
)
def test_files_of_another_shape_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "prueba.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=reason):
        load_gazetteer(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nada.yml:1: the file does not exist"):
        load_places(tmp_path / "nada.yml")


@pytest.mark.parametrize(
    ("first", "second"),
    [("Los Cedros", "LosCedros"), ("San Roque", "Sn. Roque"), ("av. Grau", "Avenida Grau"), ("Ñaupa", "naupa")],
)
def test_what_the_file_accepts_the_models_accept(tmp_path: Path, first: str, second: str) -> None:
    """Two spellings that the matcher can't tell apart are refused with their line, not later by the model."""
    path = write(tmp_path, f"  - {{kind: zone, said: {first}}}\n  - {{kind: park, said: {second}}}\n")
    assert problems(path)[0].startswith(":5: places[2].said: ")
    lines = f"  - {{kind: zone, said: {first}, aliases: [{second}]}}\n"
    assert list_spellings(load_places(write(tmp_path, lines)))
