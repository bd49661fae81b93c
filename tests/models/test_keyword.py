"""What the keyword annotator reads in plain cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.annotator import Annotator, load_annotator
from models.configuration import ConfigurationError
from models.matching import PhraseIndex, read_tokens
from models.polarity import load_lexicon
from models.taxonomy import NO_ISSUE, load_taxonomy


@pytest.fixture(scope="module")
def keyword() -> Annotator:
    return load_annotator("keyword", load_taxonomy())


def _label(keyword: Annotator, text: str, task: str) -> str:
    return keyword.predict([text])[0][task].label


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("los huecos d la pista siguen igualitos", "vias_obras.huecos"),
        ("no recogen la basura hace 4 dias", "limpieza_residuos.recojo_basura"),
        ("llame al serenasgo y no vino", "seguridad_ciudadana.serenazgo_policia"),
        ("El semaforo de la esquina esta malogrado", "transporte.trafico"),
        ("mototaxis por todos lados", "transporte.transporte_informal"),
        ("¿A qué hora abre el vacunatorio?", "salud.vacunacion"),
        ("se robaron las tapas del desagüe", "agua_servicios.desague"),
        ("los ambulantes otra vez en la vereda", "comercio_mercados.ambulantes"),
        ("la olla comun de la zona X pide arroz", "programas_sociales.ollas_comunes"),
        ("tembló fuerte, un sismo de madrugada", "gestion_riesgos.sismos"),
        ("el recojo de la basura es de noche", "limpieza_residuos.recojo_basura"),
    ],
)
def test_reads_the_matter(keyword: Annotator, text: str, issue: str) -> None:
    prediction = keyword.predict([text])[0]
    assert prediction["issue"].label == issue
    assert prediction["category"].label == issue.partition(".")[0]


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("Excelente trabajo, sigan así", "pos"),
        ("Muchas gracias, quedó muy bonito", "pos"),
        ("👏👏👏❤", "pos"),
        ("Hasta cuándo vamos a esperar", "neg"),
        ("Pésimo servicio, una vergüenza", "neg"),
        ("no está bien lo que hacen", "neg"),
        ("😡😡", "neg"),
        ("hace 3 meses que no hay luz", "neg"),
        ("¿A qué hora atiende la biblioteca?", "neu"),
        ("Propongo una biblioteca en la zona C", "neu"),
        ("La reunión es el jueves", "neu"),
        ("Buenos días vecinos", "neu"),
        ("", "neu"),
    ],
)
def test_reads_the_feeling(keyword: Annotator, text: str, sentiment: str) -> None:
    assert _label(keyword, text, "sentiment") == sentiment


def test_what_follows_a_but_weighs_more(keyword: Annotator) -> None:
    praise_last = keyword.predict(["demoraron, pero la obra quedó bonita, gracias"])[0]["sentiment"].probabilities
    blame_last = keyword.predict(["la obra quedó bonita, gracias, pero demoraron"])[0]["sentiment"].probabilities
    assert praise_last["pos"] > blame_last["pos"]


def test_stronger_words_make_stronger_readings(keyword: Annotator) -> None:
    def negative(text: str) -> float:
        return keyword.predict([text])[0]["sentiment"].probabilities["neg"]

    assert negative("es muy malo") > negative("es malo") > negative("es un poco malo")
    assert negative("ES MALO") > negative("es malo")


@pytest.mark.parametrize("text", ["", "👍", "mmm", "zzz qwe", "Pariachi"])
def test_without_evidence_the_category_is_weak_and_other(keyword: Annotator, text: str) -> None:
    prediction = keyword.predict([text])[0]
    assert prediction["category"].label == "otros"
    assert prediction["category"].score < 0.2
    assert prediction["issue"].label == NO_ISSUE


def test_the_issue_belongs_to_the_category(keyword: Annotator) -> None:
    examples = [example for category in load_taxonomy().categories for issue in category.issues for example in issue.examples]
    for prediction in keyword.predict(examples):
        issue = prediction["issue"].label
        assert issue == NO_ISSUE or issue.partition(".")[0] == prediction["category"].label


def test_most_examples_of_the_taxonomy_are_read_as_their_category(keyword: Annotator) -> None:
    pairs = [
        (issue_example, category.id)
        for category in load_taxonomy().categories
        for issue in category.issues
        for issue_example in issue.examples
    ]
    read = keyword.predict([text for text, _ in pairs])
    right = sum(prediction["category"].label == category for prediction, (_, category) in zip(read, pairs, strict=True))
    assert right / len(pairs) > 0.7


def test_not_with_takes_a_keyword_out(keyword: Annotator) -> None:
    assert _label(keyword, "correr en la pista", "category") == "vias_obras"
    assert _label(keyword, "correr en la pista de atletismo", "category") == "educacion_cultura_deporte"


def test_the_longer_phrase_wins() -> None:
    index = PhraseIndex(["caca de perro", "perro", "caca"])
    assert [match.entry for match in index.find(read_tokens("la caca del perro y otro perro"))] == [0, 1]


def test_a_phrase_without_content_is_refused() -> None:
    with pytest.raises(ValueError, match="'de la'"):
        PhraseIndex(["de la"])


def test_the_lexicon_is_large_and_balanced() -> None:
    lexicon = load_lexicon()
    terms = [term for terms in lexicon.polarity.values() for term in terms]
    assert len(terms) == len(set(terms)) >= 900
    assert sum(len(terms) for weight, terms in lexicon.polarity.items() if float(weight) > 0) > 300


def test_the_lexicon_tells_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.yml"
    roles = "".join(f"{role}: [x]\n" for role in ("negators", "intensifiers", "diminishers", "shifts", "courtesies", "proposals"))
    path.write_text('version: "1"\npolarity:\n  "7": [malo]\n  "-1": [feo, malo]\n' + roles, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_lexicon(path)
    assert "lexicon.yml:3: polarity.7: '7' is no weight" in str(caught.value)
    assert "lexicon.yml:4: polarity.-1.1: 'malo' already has the weight 7" in str(caught.value)
