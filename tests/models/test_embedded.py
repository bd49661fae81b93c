"""The embedded models: what is particular to them beside the contract of all annotators."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.annotator import load_annotator
from models.embedded import ARTIFACTS, WINDOW, WINDOWS, ArtifactError, EmbeddedAnnotator, check_manifest, cut_windows
from models.taxonomy import load_taxonomy

PROFILES = ("accurate", "fast")
MEGABYTE = 1_000_000


@pytest.fixture(scope="module", params=PROFILES)
def annotator(request: pytest.FixtureRequest) -> EmbeddedAnnotator:
    loaded = load_annotator(request.param)
    assert isinstance(loaded, EmbeddedAnnotator)
    return loaded


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 252, 253, 1000, 126 * WINDOWS, 126 * WINDOWS + 500])
def test_windows_hold_every_token_once_and_in_order(length: int) -> None:
    windows = cut_windows([0, *range(10, 10 + length), 2])
    body = [token for window in windows for token in window[1:-1]]
    assert body == list(range(10, 10 + length))[: 126 * WINDOWS]
    assert all(len(window) <= WINDOW and window[0] == 0 and window[-1] == 2 for window in windows)
    assert max(map(len, windows)) - min(map(len, windows)) <= 1


def test_plain_complaints_and_thanks_are_understood(annotator: EmbeddedAnnotator) -> None:
    texts = {
        "El camión de la basura no pasa desde el lunes, la esquina es un muladar": ("limpieza_residuos", "neg"),
        "Muchas gracias a la municipalidad por el parque nuevo, quedó precioso": ("ambiente_areas_verdes", "pos"),
        "¿A qué hora atiende el centro de salud los sábados?": ("salud", "neu"),
        "La combi se pasó la luz roja y casi nos mata, no hay control": ("transporte", "neg"),
    }
    for (category, sentiment), one in zip(texts.values(), annotator.predict(list(texts)), strict=True):
        assert one["category"].label == category
        assert one["sentiment"].label == sentiment


def test_emoji_alone_are_read(annotator: EmbeddedAnnotator) -> None:
    praise, anger = annotator.predict(["👏👏👏", "😡🤬"])
    assert praise["sentiment"].label == "pos"
    assert anger["sentiment"].label == "neg"


def test_the_end_of_a_long_message_counts(annotator: EmbeddedAnnotator) -> None:
    opening = "Buenas tardes vecinos, les escribo como todos los meses para contarles cómo va la cosa por acá. " * 20
    plain, told = annotator.predict([opening, opening + "El serenazgo nunca viene y nos robaron otra vez con pistola. " * 12])
    assert told["category"].probabilities["seguridad_ciudadana"] > plain["category"].probabilities["seguridad_ciudadana"] + 0.05


def test_the_number_of_threads_changes_nothing(annotator: EmbeddedAnnotator) -> None:
    texts = ["El semáforo está malogrado", "gracias", "", "¿Cuándo vacunan?"] * 5
    probe = (
        "import json, sys\nfrom models import load_annotator\n"
        f"read = load_annotator({annotator.profile!r}).predict({texts!r})\n"
        "print(json.dumps([dict(one['category'].probabilities) for one in read]))"
    )
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{0}})\n{probe}"]
    single = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    here = [dict(one["category"].probabilities) for one in annotator.predict(texts)]
    assert single == here


def test_the_artefact_is_small_and_is_what_the_manifest_says() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text(encoding="utf-8"))
    for profile in PROFILES:
        assert len(check_manifest(ARTIFACTS, profile)) == 64
        size = (
            sum(path.stat().st_size for path in (ARTIFACTS / profile).iterdir()) + (ARTIFACTS / "tokenizer.json").stat().st_size
        )
        assert size < 40 * MEGABYTE
    assert manifest["source"]["licence"] == "MIT"
    assert manifest["data"]


def test_a_changed_or_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    copy = tmp_path / "artifacts"
    shutil.copytree(ARTIFACTS, copy)

    class Copied(EmbeddedAnnotator):
        profile = "accurate"

    heads = copy / "accurate" / "heads.npz"
    heads.write_bytes(heads.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match=r"accurate/heads\.npz .* manifest\.json"):
        Copied(load_taxonomy(), artifacts=copy)
    heads.unlink()
    with pytest.raises(ArtifactError, match=r"heads\.npz"):
        Copied(load_taxonomy(), artifacts=copy)


def test_neither_torch_nor_a_network_is_needed() -> None:
    probe = (
        "import sys, socket\n"
        "sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "def refuse(*_): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = refuse\n"
        "from models import load_annotator\n"
        "print(load_annotator('accurate').predict(['hola'])[0]['sentiment'].label)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"neg", "neu", "pos"}


def test_vectors_of_like_texts_are_near(annotator: EmbeddedAnnotator) -> None:
    vectors = annotator.encoder.embed(["no recogen la basura", "la basura sigue sin recoger", "quiero una cita con el médico"])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[2]
    assert annotator.encoder.embed([]).shape == (0, 384)
