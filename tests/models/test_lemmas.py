"""Where lemmas come from: simplemma unless `models.yml` names a spaCy model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.lookups import Lookups

from models.annotator import load_annotator
from models.configuration import ConfigurationError
from models.keyword import KeywordAnnotator
from models.lemmas import SIMPLEMMA, LemmasNotInstalledError, load_lemmatiser
from models.matching import PhraseIndex, read_tokens
from models.settings import MODELS_FILE, LemmasName, load_models_config
from models.taxonomy import load_taxonomy

TASKS = "tasks:\n  category: {annotator: keyword, threshold: 0}\n"
TEXTS = ["los blorquitos están rotos", "", "👏👏", "GRACIAS por la vereda xq quedó bien", "\ud800", "vereda vereda"]


@pytest.fixture
def tiny_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An importable es_core_news_sm that knows one word which simplemma does not know, and one that has two lemmas."""
    nlp = spacy.blank("es", meta={"name": "core_news_sm", "version": "9.8.7"})
    table = {"blorquitos": "vereda", "darle": "dar él"}
    lookups = Lookups()
    lookups.add_table("lemma_lookup", table)
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"}).initialize(lookups=lookups)  # type: ignore[attr-defined]
    nlp.add_pipe("sentencizer", name="parser")
    package = tmp_path / "es_core_news_sm"
    package.mkdir()
    nlp.to_disk(package / "data")
    loader = (
        "from pathlib import Path\nimport spacy\n\n"
        "def load(**options):\n    return spacy.load(Path(__file__).with_name('data'), **options)\n"
    )
    (package / "__init__.py").write_text(loader, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "es_core_news_sm", raising=False)
    invalidate_caches()
    yield
    sys.modules.pop("es_core_news_sm", None)


def _write(folder: Path, text: str) -> Path:
    path = folder / "models.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_simplemma_is_the_choice_that_ships() -> None:
    assert load_models_config().lemmas == "simplemma"
    annotator = load_annotator("keyword", load_taxonomy())
    assert annotator.revision == KeywordAnnotator(load_taxonomy(), lemmas="simplemma").revision
    assert "+" not in annotator.revision


def test_an_installed_model_changes_nothing_unless_named(tiny_model: None) -> None:
    plain = load_annotator("keyword", load_taxonomy())
    assert "es_core" not in plain.revision
    assert plain.predict(["blorquitos"])[0]["category"].label == "otros"


def test_the_choice_is_read_from_the_file(tmp_path: Path) -> None:
    assert load_models_config(_write(tmp_path, f"lemmas: es_core_news_lg\n{TASKS}")).lemmas == "es_core_news_lg"
    assert load_models_config(_write(tmp_path, TASKS)).lemmas == "simplemma"


def test_another_name_is_refused_with_those_allowed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models.yml:1: lemmas: .*'es_core_news_md'.*got 'es_dep_news_trf'"):
        load_models_config(_write(tmp_path, f"lemmas: es_dep_news_trf\n{TASKS}"))


def test_the_file_decides_for_a_registered_annotator(tiny_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = MODELS_FILE.read_text(encoding="utf-8").replace("lemmas: simplemma\n", "lemmas: es_core_news_sm\n")
    monkeypatch.setattr("models.settings.MODELS_FILE", _write(tmp_path, text))
    assert load_annotator("keyword", load_taxonomy()).revision.endswith("+es_core_news_sm-9.8.7")


@pytest.mark.parametrize("name", ["es_core_news_sm", "es_core_news_md", "es_core_news_lg"])
def test_a_model_that_is_not_installed_names_remedy_and_licence(name: LemmasName) -> None:
    if find_spec(name):
        pytest.skip(f"{name} is installed here")
    with pytest.raises(LemmasNotInstalledError, match=rf"`python -m spacy download {name}` \(its licence is GPL-3.0\)"):
        KeywordAnnotator(load_taxonomy(), lemmas=name)


def test_a_package_that_lacks_something_else_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "es_core_news_md.py").write_text("import a_module_that_is_nowhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "es_core_news_md", raising=False)
    invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_nowhere"):
        load_lemmatiser("es_core_news_md")


def test_the_model_gives_the_lemmas(tiny_model: None) -> None:
    lemmatiser = load_lemmatiser("es_core_news_sm")
    assert lemmatiser.lemmatise(("blorquitos", "darle", "👏", "hueco")) == ("vereda", "dar", "👏", "hueco")
    assert lemmatiser.lemmatise(()) == ()
    tokens = read_tokens("Los BLORQUITOS", lemmatiser=lemmatiser)
    assert [token.surface for token in tokens] == ["BLORQUITOS"]
    assert PhraseIndex(["vereda"], lemmatiser=lemmatiser).find(tokens)
    assert not PhraseIndex(["vereda"]).find(read_tokens("Los BLORQUITOS"))


def test_readings_and_revision_follow_the_model(tiny_model: None) -> None:
    taxonomy = load_taxonomy()
    plain, named = KeywordAnnotator(taxonomy), KeywordAnnotator(taxonomy, lemmas="es_core_news_sm")
    assert named.revision == f"{plain.revision}+es_core_news_sm-9.8.7"
    assert named.predict(["blorquitos"])[0]["category"].label == "vias_obras"
    assert plain.predict(["blorquitos"])[0]["category"].label == "otros"


def test_a_reading_does_not_depend_on_the_batch(tiny_model: None) -> None:
    named = KeywordAnnotator(load_taxonomy(), lemmas="es_core_news_sm")
    together = named.predict(TEXTS)
    assert named.predict(TEXTS[::-1])[::-1] == together
    assert [named.predict([text])[0] for text in TEXTS] == together


def test_simplemma_knows_inflections_and_leaves_marks_alone() -> None:
    assert SIMPLEMMA.lemmatise(("veredas", "!", "2021", "blorquitos")) == ("vereda", "!", "2021", "blorquitos")


def test_reading_the_choice_does_not_load_spacy() -> None:
    probe = "import sys, models.settings as s; s.load_models_config(); print('spacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=MODELS_FILE.parents[1])
    assert done.stdout.strip() == "False"
