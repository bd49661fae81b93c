"""The transformer backends, on tiny networks of the real architectures that are made here."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.annotator import Annotator, Prediction, load_annotator
from models.hub import EXTRA_COMMANDS, FoundModel, ModelNotFoundError, ModelUnusableError, find_model
from models.settings import FIXED_LABELS, PysentimientoOptions, TransformersOptions, ZeroShotOptions, task_labels
from models.taxonomy import load_taxonomy

pytestmark = pytest.mark.transformers
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pysentimiento = pytest.importorskip("pysentimiento")

from models.pysentimiento import PysentimientoAnnotator  # noqa: E402
from models.transformers import SequenceClassifier, TransformersAnnotator, average, is_close_call, softmax  # noqa: E402
from models.zero_shot import ZeroShotAnnotator, find_entailment, word_hypotheses  # noqa: E402
from tests.growth import assert_linear  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
TAXONOMY = load_taxonomy()
SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER_SHA = "fedcba9876543210fedcba9876543210fedcba98"
POLARITY = {"NEG": "neg", "NEU": "neu", "POS": "pos"}

SENTENCES = [
    "La vereda de mi cuadra está rota desde el verano.",
    "Gracias por pintar el cruce del colegio, quedó muy bien.",
    "¿A qué hora atiende la posta del barrio los sábados?",
    "Otra vez se llenó de basura la esquina y nadie pasa a recogerla.",
    "Propongo una ciclovía que una el parque con el mercado.",
    "El semáforo de la avenida lleva una semana apagado.",
    "No hay agua desde ayer y el camión cisterna no llega.",
    "Felicito a los serenos que ayudaron a la señora del quiosco.",
    "Poda de árboles este jueves: retiren sus autos de la calle.",
    "Qué maravilla, otra pista recién hecha y ya con huecos.",
    "emoji cara feliz emoji corazón rojo emoji aplausos @usuario url hashtag jaja",
]
TEXTS = [
    "",
    " ",
    "👏👏👏",
    "😡",
    "❤",
    "❤️",
    "☺",
    *SENTENCES[:9],
    "GRACIAS!!! jajajajaja #ObrasYa @vecino https://www.ejemplo.com/obras",
    "x",
    "1234567890",
    "línea uno\nlínea dos\r\n\tcon huecos",
    "control \x00\x07\x1b[31m y marcas \u200b\ufeff invisibles",
    "\ud800 medio par suelto",
    "خدمة 街上 улица",
    " ".join(SENTENCES * 4),
]


def train_tokenizer(kind: str, *, longest: int) -> Any:
    """Train a small tokenizer: byte pairs as RoBERTa has, or word pieces as BERT has."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    if kind == "roberta":
        names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
        names |= {"unk_token": "<unk>", "mask_token": "<mask>"}
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(
            vocab_size=420, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        single, pair = "<s> $A </s>", "<s> $A </s> </s> $B </s>"
        ends = [("<s>", 0), ("</s>", 2)]
    else:
        names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=420, special_tokens=special, show_progress=False)
        single, pair = "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"
        ends = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ends)
    inputs = ["input_ids", "attention_mask"] + (["token_type_ids"] if kind == "bert" else [])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=longest, model_input_names=inputs, **names
    )


def make_model(
    folder: Path, labels: list[str], *, kind: str = "roberta", several: bool = False, seed: int = 1, positions: int = 130
) -> Path:
    """Save a tiny network with random weights, large enough that texts differ, and its tokenizer."""
    tokenizer = train_tokenizer(kind, longest=128)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: place for place, label in enumerate(labels)}}
    common = {**shape, **names, "vocab_size": len(tokenizer), "initializer_range": 0.4, "max_position_embeddings": positions}
    if several:
        common["problem_type"] = "multi_label_classification"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "roberta":
            config = transformers.RobertaConfig(**common, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1)
            network = transformers.RobertaForSequenceClassification(config)
        else:
            network = transformers.BertForSequenceClassification(transformers.BertConfig(**common, pad_token_id=0))
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def put_in_cache(cache: Path, name: str, folder: Path, *, commit: str = SHA, main: bool = True) -> Path:
    """Lay a saved model out as the Hugging Face cache does."""
    home = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / commit)
    if main:
        (home / "refs").mkdir(exist_ok=True)
        (home / "refs" / "main").write_text(commit, encoding="utf-8")
    return home / "snapshots" / commit


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection or asks for an address fails the test."""

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise AssertionError(f"a reading went online: {arguments}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache in the place of the user's."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder for each kind of annotator."""
    base = tmp_path_factory.mktemp("saved")
    emotions = ["others", "joy", "sadness", "anger", "surprise", "disgust", "fear"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "sentiment": make_model(base / "sentiment", list(POLARITY)),
            "bert": make_model(base / "bert", list(POLARITY), kind="bert", seed=2),
            "emotion": make_model(base / "emotion", emotions, seed=3),
            "irony": make_model(base / "irony", ["not ironic", "ironic"], seed=4),
            "hate_speech": make_model(base / "hate", ["hateful", "targeted", "aggressive"], several=True, seed=5),
            "nli": make_model(base / "nli", ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], seed=6),
            "nli_two": make_model(base / "nli_two", ["entailment", "not_entailment"], kind="bert", seed=7),
        }


def sentiment_options(model: Path | str, revision: str | None = None, **named: Any) -> TransformersOptions:
    values = {"task": "sentiment", "labels": POLARITY, **named}
    return TransformersOptions(backend="transformers", model=str(model), revision=revision, **values)


MAKERS: dict[str, Callable[[dict[str, Path]], Any]] = {
    "transformers_roberta": lambda saved: sentiment_options(saved["sentiment"]),
    "transformers_bert": lambda saved: sentiment_options(saved["bert"]),
    **{
        f"pysentimiento_{task}": lambda saved, task=task: PysentimientoOptions(
            backend="pysentimiento", task=task, model=str(saved[task])
        )
        for task in ("sentiment", "emotion", "irony", "hate_speech")
    },
    "zero_shot_category": lambda saved: ZeroShotOptions(backend="zero_shot", model=str(saved["nli"]), wording="label"),
    "zero_shot_intent": lambda saved: ZeroShotOptions(backend="zero_shot", task="intent", model=str(saved["nli_two"])),
}


@pytest.fixture(scope="module", params=sorted(MAKERS))
def annotator(request: pytest.FixtureRequest, saved: dict[str, Path]) -> Annotator:
    return load_annotator(request.param, TAXONOMY, MAKERS[request.param](saved))


def rounded(predictions: list[Prediction]) -> list[dict[str, tuple[str, dict[str, float]]]]:
    return [
        {task: (reading.label, {key: round(p, 3) for key, p in reading.probabilities.items()}) for task, reading in one.items()}
        for one in predictions
    ]


# The contract


def test_names_itself_and_its_labels(annotator: Annotator, request: pytest.FixtureRequest) -> None:
    (task,) = annotator.tasks
    assert annotator.name in MAKERS
    assert annotator.tasks[task] == task_labels(task, TAXONOMY)
    assert annotator.revision


def test_every_text_has_one_reading_over_all_labels(annotator: Annotator) -> None:
    predictions = annotator.predict(TEXTS)
    assert len(predictions) == len(TEXTS)
    assert annotator.predict([]) == []
    for one in predictions:
        assert set(one) == set(annotator.tasks)
        for task, reading in one.items():
            assert tuple(reading.probabilities) == annotator.tasks[task]
            assert sum(reading.probabilities.values()) == pytest.approx(1)
            assert all(0 <= p <= 1 for p in reading.probabilities.values())
            assert reading.label == max(annotator.tasks[task], key=reading.probabilities.__getitem__)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 13])
def test_batch_and_order_do_not_matter(annotator: Annotator, size: int) -> None:
    together = rounded(annotator.predict(TEXTS))
    order = list(range(len(TEXTS)))
    random.Random(size).shuffle(order)
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    found = {
        place: reading
        for part in parts
        for place, reading in zip(part, rounded(annotator.predict([TEXTS[place] for place in part])), strict=True)
    }
    assert [found[place] for place in range(len(TEXTS))] == together


def test_the_texts_are_told_apart(annotator: Annotator) -> None:
    (task,) = annotator.tasks
    scores = {round(one[task].score, 3) for one in annotator.predict(SENTENCES)}
    assert len(scores) > 4, "tiny networks that answer the same to all would make the other tests empty"


def test_a_twin_reads_the_same(annotator: Annotator, saved: dict[str, Path]) -> None:
    twin = load_annotator(annotator.name, TAXONOMY, MAKERS[annotator.name](saved))
    assert twin.revision == annotator.revision
    assert rounded(twin.predict(TEXTS)) == rounded(annotator.predict(TEXTS))


def test_long_texts_are_read_to_their_end(annotator: Annotator) -> None:
    (task,) = annotator.tasks
    words = random.Random(4).choices(" ".join(SENTENCES).split(), k=5_000 if "category" not in annotator.tasks else 1_000)
    first, second = annotator.predict([" ".join(words), " ".join([*words[:-100], *["gracias"] * 100])])
    assert first[task].probabilities != second[task].probabilities


@pytest.mark.parametrize("unit", ["hueco en la pista ", "a", "ja", "😡", "é", "\x00", "#", "a.", "@", "|"])
def test_odd_texts_cost_linear_time(saved: dict[str, Path], unit: str) -> None:
    annotator = load_annotator("pysentimiento_sentiment", TAXONOMY, MAKERS["pysentimiento_sentiment"](saved))
    assert_linear(lambda text: annotator.predict([text]), unit, 20_000)


def test_many_random_texts_in_any_batch(saved: dict[str, Path]) -> None:
    annotator = TransformersAnnotator(TAXONOMY, options=sentiment_options(saved["sentiment"]))
    chance = random.Random(11)
    words = " ".join(SENTENCES).split()
    texts = [" ".join(chance.choices(words, k=chance.randrange(1, 60))) for _ in range(300)]
    alone = rounded([annotator.predict([text])[0] for text in texts])
    assert rounded(annotator.predict(texts)) == alone


# Windows


@pytest.mark.parametrize("kind", ["sentiment", "bert"])
@pytest.mark.parametrize("words", [0, 1, 40, 200, 1_000])
def test_windows_hold_every_token_once(saved: dict[str, Path], kind: str, words: int) -> None:
    classifier = SequenceClassifier(find_model(str(saved[kind])))
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved[kind])
    text = " ".join(random.Random(5).choices(" ".join(SENTENCES).split(), k=words))
    windows = classifier.cut(text)
    assert [token for window in windows for token in window.inputs["input_ids"][1:-1]] == tokenizer.encode(
        text, add_special_tokens=False
    )
    lengths = [window.length for window in windows]
    assert max(lengths) <= 128
    assert max(lengths) - min(lengths) <= len(windows)
    assert all(window.inputs["input_ids"][0] == tokenizer.cls_token_id for window in windows)


def test_windows_of_a_pair_repeat_the_question(saved: dict[str, Path]) -> None:
    classifier = SequenceClassifier(find_model(str(saved["nli_two"])))
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved["nli_two"])
    question = tokenizer.encode("Este mensaje es una queja.", add_special_tokens=False)
    windows = classifier.cut(" ".join(SENTENCES * 5), "Este mensaje es una queja.")
    assert len(windows) > 3
    for window in windows:
        assert window.inputs["input_ids"][-len(question) - 1 : -1] == question
        assert window.inputs["token_type_ids"][-len(question) - 1 :] == [1] * (len(question) + 1)


def test_logits_are_averaged_by_tokens(saved: dict[str, Path]) -> None:
    classifier = SequenceClassifier(find_model(str(saved["sentiment"])))
    text = " ".join(SENTENCES * 3)
    windows = classifier.cut(text)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(saved["sentiment"]).eval()
    with torch.no_grad():
        alone = [network(input_ids=torch.tensor([window.inputs["input_ids"]])).logits[0].numpy() for window in windows]
    weights = [window.length - 2 for window in windows]
    expected = softmax(np.average(alone, axis=0, weights=weights))
    (found,) = classifier.read([text], softmax)
    assert len(windows) > 2
    assert found == pytest.approx(expected, abs=1e-5)
    assert average(classifier.run(windows), windows).shape == (3,)


def test_roberta_loses_the_positions_of_its_padding(tmp_path: Path) -> None:
    classifier = SequenceClassifier(find_model(str(make_model(tmp_path / "short", list(POLARITY), positions=66))))
    for words in range(50, 75):
        windows = classifier.cut("x " * words)
        assert max(window.length for window in windows) <= 64
        assert np.isfinite(classifier.run(windows)).all()


def test_close_calls_are_read_as_if_alone(saved: dict[str, Path]) -> None:
    classifier = SequenceClassifier(find_model(str(saved["sentiment"])))

    def on_the_edge(logits: np.ndarray) -> np.ndarray:
        return np.array([0.0005, *logits])

    together = classifier.read(SENTENCES, on_the_edge)
    alone = [classifier.read([text], on_the_edge)[0] for text in SENTENCES]
    assert np.array_equal(together, alone)


def test_close_calls_are_seen() -> None:
    assert is_close_call(np.array([0.5, 0.5]))
    assert is_close_call(np.array([0.7005, 0.2995]))
    assert is_close_call(np.array([0.700504, 0.299496]))
    assert not is_close_call(np.array([0.7002, 0.2998]))


# pysentimiento against the toolkit itself


@pytest.fixture
def toolkit(saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Any]:
    monkeypatch.chdir(tmp_path)
    return lambda task: pysentimiento.create_analyzer(task=task, lang="es", model_name=str(saved[task]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["sentiment", "emotion", "irony", "hate_speech"])
def test_short_texts_are_read_as_the_toolkit_reads_them(task: str, toolkit: Callable[[str], Any], saved: dict[str, Path]) -> None:
    analyzer = toolkit(task)
    texts = [*SENTENCES, "GRACIAS!!! jajajajaja #ObrasYa @vecino https://www.ejemplo.com/obras 👏👏", "😡", "buenaaaaaaaazo 🇵🇪"]
    annotator = PysentimientoAnnotator(
        TAXONOMY, options=PysentimientoOptions(backend="pysentimiento", task=task, model=str(saved[task]))
    )
    for text, one in zip(texts, annotator.predict(texts), strict=True):
        theirs = analyzer.predict(text)
        if task == "hate_speech":
            assert one[task].probabilities["hateful"] == pytest.approx(theirs.probas["hateful"], abs=1e-5)
            assert (one[task].label == "hateful") == ("hateful" in theirs.output)
        else:
            ours = {label.casefold().replace(" ", "_"): p for label, p in theirs.probas.items()}
            assert dict(one[task].probabilities) == pytest.approx(ours, abs=1e-5)
            assert one[task].label == theirs.output.casefold().replace(" ", "_")


@pytest.mark.filterwarnings("ignore")
def test_the_toolkit_cuts_long_texts_and_we_do_not(toolkit: Callable[[str], Any], saved: dict[str, Path]) -> None:
    analyzer = toolkit("sentiment")
    long = " ".join(SENTENCES * 2)
    longer = f"{long} {SENTENCES[7]} {SENTENCES[1]}"
    assert analyzer.predict(long).probas == analyzer.predict(longer).probas
    annotator = PysentimientoAnnotator(
        TAXONOMY, options=PysentimientoOptions(backend="pysentimiento", model=str(saved["sentiment"]))
    )
    first, second = annotator.predict([long, longer])
    assert first["sentiment"].probabilities != second["sentiment"].probabilities


@pytest.mark.parametrize("text", ["❤", "❤️", "☹", "☺️", "♥", "✈", "👏", "👍🏽", "🇵🇪", "❤ ❤", "…", "♂"])
def test_emoji_and_marks_alone_never_become_empty(saved: dict[str, Path], text: str) -> None:
    annotator = PysentimientoAnnotator(
        TAXONOMY, options=PysentimientoOptions(backend="pysentimiento", model=str(saved["sentiment"]))
    )
    read, empty = annotator._preprocess(text), annotator._preprocess("")
    assert empty == ""
    assert any(char.isprintable() and not char.isspace() and char != "\ufe0f" for char in read), read
    if text not in "…":
        assert "emoji" in read


def test_bars_are_no_emoji(saved: dict[str, Path]) -> None:
    annotator = PysentimientoAnnotator(
        TAXONOMY, options=PysentimientoOptions(backend="pysentimiento", model=str(saved["sentiment"]))
    )
    assert annotator._preprocess("Obras | Zona C | mañana") == "Obras / Zona C / mañana"


def test_pysentimiento_without_options_is_the_spanish_sentiment_model(cache: Path, saved: dict[str, Path]) -> None:
    name = "pysentimiento/robertuito-sentiment-analysis"
    with pytest.raises(ModelNotFoundError, match=rf"`hf download {name}`"):
        PysentimientoAnnotator(TAXONOMY)
    put_in_cache(cache, name, saved["sentiment"])
    annotator = load_annotator("pysentimiento", TAXONOMY)
    assert annotator.name == "pysentimiento"
    assert annotator.revision.startswith(SHA)
    assert annotator.tasks == {"sentiment": ("neg", "neu", "pos")}


def test_pysentimiento_refuses_labels_that_are_not_the_toolkits(saved: dict[str, Path]) -> None:
    for task, other in (("sentiment", "irony"), ("hate_speech", "sentiment"), ("emotion", "hate_speech")):
        options = PysentimientoOptions(backend="pysentimiento", task=task, model=str(saved[other]))
        with pytest.raises(ModelUnusableError, match=rf"the task {task} needs .*backend: transformers"):
            PysentimientoAnnotator(TAXONOMY, options=options)


# Finding models


def test_a_folder_is_found_and_its_revision_is_its_content(saved: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(saved["sentiment"], tmp_path / "copy")
    found = find_model(str(copy))
    assert found == FoundModel(str(copy), copy, find_model(str(saved["sentiment"])).revision)
    assert len(found.revision) == 8
    (copy / "README.md").write_text("nota", encoding="utf-8")
    assert find_model(str(copy)).revision == found.revision
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert find_model(str(copy)).revision != found.revision


def test_the_cache_gives_the_pinned_revision_or_main(cache: Path, saved: dict[str, Path]) -> None:
    main = put_in_cache(cache, "vecinos/animo", saved["sentiment"])
    pinned = put_in_cache(cache, "vecinos/animo", saved["bert"], commit=OTHER_SHA, main=False)
    assert find_model("vecinos/animo") == FoundModel("vecinos/animo", main, SHA)
    assert find_model("vecinos/animo", OTHER_SHA) == FoundModel("vecinos/animo", pinned, OTHER_SHA)
    annotator = TransformersAnnotator(TAXONOMY, options=sentiment_options("vecinos/animo", OTHER_SHA))
    local = TransformersAnnotator(TAXONOMY, options=sentiment_options(saved["bert"]))
    assert annotator.revision.startswith(OTHER_SHA)
    assert rounded(annotator.predict(TEXTS)) == rounded(local.predict(TEXTS))


def test_a_missing_model_gets_the_command_that_fetches_it(cache: Path) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("vecinos/animo", SHA)
    assert f"`hf download vecinos/animo --revision {SHA}`" in str(caught.value)
    assert str(cache / "models--vecinos--animo" / "snapshots" / SHA) in str(caught.value)
    with pytest.raises(ModelNotFoundError, match=r"there is no folder \./no/tal/carpeta"):
        find_model("./no/tal/carpeta")


def test_the_command_is_one_that_exists() -> None:
    command = Path(sys.executable).with_name("hf")
    shown = subprocess.run([command, "download", "--help"], capture_output=True, text=True, timeout=120, check=True).stdout
    assert "REPO_ID" in shown
    assert "--revision" in shown


def test_names_on_the_hub_need_a_revision(cache: Path, saved: dict[str, Path]) -> None:
    options = sentiment_options("vecinos/animo")
    with pytest.raises(ModelUnusableError, match=r"needs a revision.*`hf download vecinos/animo` prints it"):
        TransformersAnnotator(TAXONOMY, options=options)
    put_in_cache(cache, "vecinos/animo", saved["sentiment"])
    with pytest.raises(ModelUnusableError, match=f"write `revision: {SHA}`"):
        TransformersAnnotator(TAXONOMY, options=options)
    with pytest.raises(ModelUnusableError, match="needs a revision"):
        ZeroShotAnnotator(TAXONOMY, options=ZeroShotOptions(backend="zero_shot", model="vecinos/animo"))


def test_a_folder_with_a_revision_is_a_mistake(saved: dict[str, Path]) -> None:
    with pytest.raises(ModelUnusableError, match="is a folder, which has no revision"):
        find_model(str(saved["sentiment"]), SHA)


@pytest.mark.parametrize("in_cache", [False, True])
def test_pickled_weights_are_never_opened(cache: Path, saved: dict[str, Path], tmp_path: Path, in_cache: bool) -> None:
    folder = shutil.copytree(saved["sentiment"], tmp_path / "pickled")
    network = transformers.AutoModelForSequenceClassification.from_pretrained(saved["sentiment"])
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    name = "vecinos/viejo" if in_cache else str(folder)
    if in_cache:
        put_in_cache(cache, name, folder)
    with pytest.raises(ModelUnusableError, match=r"no \*\.safetensors; it holds config\.json, pytorch_model\.bin.*never opened"):
        TransformersAnnotator(TAXONOMY, options=sentiment_options(name, SHA if in_cache else None))


def test_half_fetched_models_are_named(cache: Path, saved: dict[str, Path], tmp_path: Path) -> None:
    folder = put_in_cache(cache, "vecinos/medio", saved["sentiment"])
    (folder / "config.json").unlink()
    with pytest.raises(ModelUnusableError, match=r"lacks config\.json; .*`hf download vecinos/medio --revision"):
        find_model("vecinos/medio", SHA)
    (tmp_path / "vacia").mkdir()
    with pytest.raises(ModelUnusableError, match=r"lacks \*\.safetensors; it holds nothing"):
        find_model(str(tmp_path / "vacia"))


# Models that would answer wrongly


def test_a_model_without_a_trained_head_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved["sentiment"], tmp_path / "base")
    base = transformers.RobertaModel.from_pretrained(saved["sentiment"])
    base.save_pretrained(folder)
    with pytest.raises(ModelUnusableError, match=r"no fitting weights for classifier.*at random"):
        SequenceClassifier(find_model(str(folder)))


@pytest.mark.parametrize("damage", ["truncated", "foreign", "no config", "no labels", "no tokenizer", "other tokenizer"])
def test_damaged_models_are_refused_by_name(saved: dict[str, Path], tmp_path: Path, damage: str) -> None:
    reasons = {"no labels": "no fitting weights for classifier", "no tokenizer": "lacks the tokenizer.json"}
    reasons |= {"other tokenizer": "lacks the tokenizer.json"}
    folder = shutil.copytree(saved["sentiment"], tmp_path / "roto")
    if damage == "truncated":
        weights = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    elif damage == "foreign":
        (folder / "config.json").write_text(json.dumps({"model_type": "inexistente"}), encoding="utf-8")
    elif damage == "no labels":
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kept = {key: value for key, value in config.items() if key not in {"id2label", "label2id"}}
        (folder / "config.json").write_text(json.dumps(kept), encoding="utf-8")
    elif damage == "no config":
        (folder / "config.json").write_text("{", encoding="utf-8")
    else:
        for path in folder.glob("token*"):
            path.unlink()
        if damage == "other tokenizer":
            larger = train_tokenizer("roberta", longest=128)
            larger.add_tokens([f"extra{number}" for number in range(50)])
            larger.save_pretrained(folder)
    with pytest.raises(ModelUnusableError, match=f"the model in .*roto.*{reasons.get(damage, 'be loaded')}"):
        SequenceClassifier(find_model(str(folder)))


def test_code_in_a_model_folder_is_not_run(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved["sentiment"], tmp_path / "codigo")
    trace = tmp_path / "trace"
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w').close()\nclass Config: ...\nclass Net: ...\n", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {
        "model_type": "propio",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Net"},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelUnusableError):
        SequenceClassifier(find_model(str(folder)))
    assert not trace.exists()


# Labels


def test_labels_are_checked_against_task_and_model(saved: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"'positivo' is no label of the task sentiment; allowed: neg, neu, pos"):
        TransformersAnnotator(TAXONOMY, options=sentiment_options(saved["sentiment"], labels={**POLARITY, "POS": "positivo"}))
    with pytest.raises(ValueError, match=r"annotators\.animo\.labels: 'LABEL_0' is no label of .*; allowed: NEG, NEU, POS"):
        load_annotator("animo", TAXONOMY, sentiment_options(saved["sentiment"], labels={"LABEL_0": "neg"}))
    with pytest.raises(ValueError, match=r"leaves out NEU; allowed there: neg, neu, pos"):
        TransformersAnnotator(TAXONOMY, options=sentiment_options(saved["sentiment"], labels={"NEG": "neg", "POS": "pos"}))
    with pytest.raises(ModelUnusableError, match="several labels to one text"):
        TransformersAnnotator(
            TAXONOMY,
            options=sentiment_options(saved["hate_speech"], labels={"hateful": "neg", "targeted": "neu", "aggressive": "pos"}),
        )


def test_several_labels_may_map_to_one_and_none_to_another(saved: dict[str, Path]) -> None:
    parted = TransformersAnnotator(TAXONOMY, options=sentiment_options(saved["sentiment"]))
    joined = TransformersAnnotator(
        TAXONOMY, options=sentiment_options(saved["sentiment"], labels={"NEG": "neg", "NEU": "pos", "POS": "pos"})
    )
    assert joined.revision != parted.revision
    for one, other in zip(parted.predict(SENTENCES), joined.predict(SENTENCES), strict=True):
        before, after = one["sentiment"].probabilities, other["sentiment"].probabilities
        assert after["neu"] == 0
        assert after["pos"] == pytest.approx(before["pos"] + before["neu"], abs=1e-5)
        assert after["neg"] == pytest.approx(before["neg"], abs=1e-5)


def test_the_fixed_labels_are_those_of_the_annotators_that_give_them() -> None:
    from models import language, screening
    from models.embedded import AccurateAnnotator

    embedded = AccurateAnnotator(TAXONOMY)
    given = {"language": language.LABELS, "screening": screening.LABELS}
    given |= {task: embedded.head_labels(task) for task in ("intent", "target")}
    assert {task: FIXED_LABELS[task] for task in given} == given


def test_without_options_the_message_shows_what_to_write() -> None:
    for name in ("transformers", "zero_shot"):
        with pytest.raises(ValueError, match=rf"write in models.yml:\nannotators:\n(.*\n)*.*backend: {name}"):
            load_annotator(name, TAXONOMY)


# Zero-shot


def test_zero_shot_weighs_entailment_against_contradiction(saved: dict[str, Path]) -> None:
    options = ZeroShotOptions(backend="zero_shot", task="intent", model=str(saved["nli"]))
    annotator = ZeroShotAnnotator(TAXONOMY, options=options)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(saved["nli"]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved["nli"])
    text = "Otra vez sin luz en el pasaje."
    odds = []
    for hypothesis in word_hypotheses(options, TAXONOMY):
        with torch.no_grad():
            contradiction, _, entailment = network(**tokenizer(text, hypothesis, return_tensors="pt")).logits[0].tolist()
        odds.append(entailment - contradiction)
    expected = softmax(np.array(odds))
    (one,) = annotator.predict([text])
    assert list(one["intent"].probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], (2, [0])),
        (["entailment", "neutral", "contradiction"], (0, [2])),
        (["entailment", "not_entailment"], (0, [1])),
        (["Not-Entailment", "Entailment"], (1, [0])),
        (["neutral", "entails", "other"], (1, [0, 2])),
    ],
)
def test_any_order_of_nli_labels_is_understood(labels: list[str], expected: tuple[int, list[int]]) -> None:
    assert find_entailment(labels, "m") == expected


def test_a_model_without_entailment_is_refused_with_its_labels(saved: dict[str, Path]) -> None:
    with pytest.raises(ModelUnusableError, match=r"has the labels NEG, NEU, POS; needed: .*entailment"):
        ZeroShotAnnotator(TAXONOMY, options=ZeroShotOptions(backend="zero_shot", model=str(saved["sentiment"])))


def test_hypotheses_come_from_the_taxonomy(saved: dict[str, Path]) -> None:
    given = {"backend": "zero_shot", "model": "m"}
    by_definition = word_hypotheses(ZeroShotOptions(**given), TAXONOMY)
    by_label = word_hypotheses(ZeroShotOptions(**given, wording="label", hypothesis="El asunto: {}."), TAXONOMY)
    assert len(by_definition) == len(by_label) == len(set(by_definition)) == len(TAXONOMY.category_ids)
    first = TAXONOMY.categories[0]
    assert by_definition[0] == f"Este mensaje trata de {first.definition_es[0].lower()}{first.definition_es[1:].rstrip('.')}."
    assert by_label[0] == f"El asunto: {first.label_es[0].lower()}{first.label_es[1:]}."
    for task in ("sentiment", "intent"):
        worded = word_hypotheses(ZeroShotOptions(**given, task=task), TAXONOMY)
        assert len(set(worded)) == len(task_labels(task, TAXONOMY))
        assert not any("{}" in sentence for sentence in worded)
    labels = ZeroShotAnnotator(TAXONOMY, options=ZeroShotOptions(backend="zero_shot", model=str(saved["nli"]), wording="label"))
    other = ZeroShotAnnotator(
        TAXONOMY, options=ZeroShotOptions(backend="zero_shot", model=str(saved["nli"]), wording="label", hypothesis="Es {}.")
    )
    assert labels.revision != other.revision


def test_a_hypothesis_without_room_for_the_text_is_refused(saved: dict[str, Path]) -> None:
    options = ZeroShotOptions(backend="zero_shot", model=str(saved["nli"]), hypothesis="Este mensaje largo " * 40 + "{}")
    with pytest.raises(ModelUnusableError, match=r"left for the text.*shorten"):
        ZeroShotAnnotator(TAXONOMY, options=options)


# The program around


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "pysentimiento", "huggingface_hub"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
import models.hub, models.pysentimiento, models.transformers, models.zero_shot
from models.annotator import load_annotator
from models.settings import TransformersOptions, ZeroShotOptions
options = {
    "pysentimiento": None,
    "transformers": TransformersOptions(backend="transformers", task="sentiment", model="a/b", labels={"x": "neg"}),
    "zero_shot": ZeroShotOptions(backend="zero_shot", model="a/b"),
}
for name, given in options.items():
    try:
        load_annotator(name, None, given)
    except ValueError as error:
        print(type(error).__name__, error)
"""

AROUND = """
import logging, os, random, signal, sys, warnings
import numpy, torch, transformers
def state():
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch": torch.get_rng_state().tolist(), "numpy": numpy.random.get_state()[1].tolist(), "random": random.getstate(),
        "grad": torch.is_grad_enabled(), "dtype": torch.get_default_dtype(),
        "determinism": torch.are_deterministic_algorithms_enabled(),
        "verbosity": transformers.logging.get_verbosity(), "bars": transformers.utils.logging.is_progress_bar_enabled(),
        "root": (logging.root.level, list(logging.root.handlers)), "filters": list(warnings.filters),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "folder": os.getcwd(), "files": sorted(os.listdir()),
    }
import models.transformers
from models.annotator import load_annotator
from models.settings import PysentimientoOptions, TransformersOptions
import transformers.models.auto.modeling_auto, transformers.models.roberta.modeling_roberta
before = state()
labels = {"NEG": "neg", "NEU": "neu", "POS": "pos"}
for options in (
    TransformersOptions(backend="transformers", task="sentiment", model=sys.argv[1], labels=labels),
    PysentimientoOptions(backend="pysentimiento", model=sys.argv[1]),
):
    load_annotator("one", None, options).predict(["hola", "adiós a todos"])
after = state()
print([name for name in before if before[name] != after[name]])
"""


def run_python(code: str, *arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, cwd=folder, check=False)


def test_without_the_extra_the_commands_are_told(tmp_path: Path) -> None:
    done = run_python(BLOCKED, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("ExtraNotInstalledError")
        assert all(command in line for command in EXTRA_COMMANDS)


def test_nothing_is_imported_until_an_annotator_is_asked_for(tmp_path: Path) -> None:
    code = (
        "import sys, models.hub, models.pysentimiento, models.transformers, models.zero_shot, models.settings\n"
        "models.settings.load_models_config()\n"
        "print(sorted({'torch', 'transformers', 'pysentimiento', 'huggingface_hub', 'datasets'} & set(sys.modules)))"
    )
    done = run_python(code, folder=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_program_around_stays_as_it_was(saved: dict[str, Path], tmp_path: Path) -> None:
    done = run_python(AROUND, str(saved["sentiment"]), folder=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_the_cache_of_the_environment_is_read_without_a_connection(saved: dict[str, Path], tmp_path: Path, offline: str) -> None:
    put_in_cache(tmp_path / "casa" / "hub", "vecinos/animo", saved["sentiment"])
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): print('online', a); raise OSError('no network')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = socket.getaddrinfo = refuse\n"
        "from models.annotator import load_annotator\n"
        "from models.settings import TransformersOptions\n"
        f"options = TransformersOptions(backend='transformers', task='sentiment', model='vecinos/animo', revision='{SHA}',\n"
        f"    labels={POLARITY!r})\n"
        "annotator = load_annotator('animo', None, options)\n"
        "print(len(annotator.predict(['hola', ''])), annotator.revision)"
    )
    environ = {"HF_HOME": str(tmp_path / "casa"), "HF_HUB_OFFLINE": offline}
    done = run_python(code, folder=tmp_path, **environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"2 {SHA}+1-")
    assert len(done.stdout.splitlines()) == 1
