"""The linear reading of words: its features, its weights, and how it is mixed with the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.words import MOST_WORDS, WordModel, hash_features, load_words, mix, save_words


def _model(texts: list[str]) -> WordModel:
    """Return a model that knows the features of some texts, with random weights for two tasks."""
    chance = np.random.default_rng(1)
    hashes = np.unique(np.concatenate([hash_features(text)[0] for text in texts]))
    labels = {"sentiment": 3, "intent": 6}
    return WordModel(
        hashes,
        chance.uniform(1, 5, len(hashes)).astype(np.float32),
        {task: chance.normal(size=(len(hashes), count)).astype(np.float32) for task, count in labels.items()},
        {task: chance.normal(size=count).astype(np.float32) for task, count in labels.items()},
        {"sentiment": 0.25, "intent": 0.5},
        {"sentiment": 0.9, "intent": 1.2},
    )


def test_capitals_and_accents_are_one_feature_and_enye_is_not() -> None:
    plain = hash_features("el semaforo del año")
    for same in ("EL SEMÁFORO del año", "el semáforo  del año", "el semaforo del an\u0303o"):
        assert np.array_equal(hash_features(same)[0], plain[0])
    assert not np.array_equal(hash_features("el semaforo del ano")[0], plain[0])


def test_nothing_has_no_feature_and_repeats_are_counted() -> None:
    hashes, counts = hash_features("")
    assert len(hashes) == len(counts) == 0
    hashes, counts = hash_features("luz luz luz")
    assert counts.max() == 3
    assert (np.diff(hashes.astype(np.int64)) > 0).all()


def test_order_of_words_and_pieces_of_words_are_features() -> None:
    one, other = set(hash_features("agua sin luz")[0].tolist()), set(hash_features("luz sin agua")[0].tolist())
    assert one != other
    related = set(hash_features("baches")[0].tolist()) & set(hash_features("bache")[0].tolist())
    assert len(related) > 8


def test_the_end_of_an_endless_text_costs_nothing() -> None:
    opening = "palabra " * MOST_WORDS
    assert np.array_equal(hash_features(opening)[0], hash_features(opening + "semáforo")[0])


def test_a_text_reads_the_same_alone_and_among_others() -> None:
    texts = ["el bache", "", "nada que ver 😀", "se fue la luz otra vez en la cuadra"]
    words = _model(texts[:1] + texts[3:])
    together = words.logits(texts)
    for row, text in enumerate(texts):
        for task, values in words.logits([text]).items():
            assert np.array_equal(values[0], together[task][row])
    assert np.array_equal(together["intent"][1], words.bias["intent"])
    assert words.logits([])["sentiment"].shape == (0, 3)


def test_words_and_pieces_weigh_alike_in_every_length_of_text() -> None:
    words = _model(["el bache de la esquina"])
    for text in ("el bache", "el bache de la esquina " * 40):
        places, values = words.weigh(text)
        piece = words.hashes[places] >= 0x8000_0000
        assert np.square(values[piece]).sum() == pytest.approx(1, abs=1e-5)
        assert np.square(values[~piece]).sum() == pytest.approx(1, abs=1e-5)


def test_what_is_saved_comes_back_within_a_step_of_eight_bits(tmp_path: Path) -> None:
    words = _model(["se fue la luz", "gracias por el parque"])
    save_words(words, tmp_path / "words.npz")
    back = load_words(tmp_path / "words.npz")
    assert np.array_equal(back.hashes, words.hashes)
    assert back.shares == words.shares
    assert back.temperatures == words.temperatures
    for task, weights in words.weights.items():
        step = np.abs(weights).max(0) / 127
        assert (np.abs(back.weights[task] - weights) <= step * 0.51).all()


def test_a_share_of_nothing_changes_no_reading_and_a_whole_one_is_the_words() -> None:
    encoder = np.array([[2.0, 0.0, -1.0]], np.float32)
    said = np.array([[0.0, 3.0, 0.0]], np.float32)

    def probabilities(logits: np.ndarray) -> np.ndarray:
        return np.exp(logits) / np.exp(logits).sum()

    assert np.allclose(probabilities(mix(encoder, said, share=0)), probabilities(encoder))
    assert np.allclose(probabilities(mix(encoder, said, share=1)), probabilities(said))
    half = probabilities(mix(encoder, said, share=0.5))
    wanted = np.sqrt(probabilities(encoder) * probabilities(said))
    assert np.allclose(half, wanted / wanted.sum())
    sharper = mix(encoder, said, share=0.5, temperature=0.5)
    assert probabilities(sharper).max() > half.max()
