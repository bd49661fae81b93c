"""Step 8: measure the artefacts of a run on the sets that nothing was trained on, before they are installed.

    python -m models.training.measure --out build/training --shared ../shared

Writes `figures.json`: profile -> figures, which `manifest` takes up. The gate (`models.quality.gate`) measures what is installed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from models.embedded import AccurateAnnotator, EmbeddedAnnotator, FastAnnotator
from models.quality.measuring import measure, side_by_side
from models.quality.sets import SET_NAMES, load_set
from models.taxonomy import load_taxonomy

METRICS = ("accuracy", "macro_f1", "macro_f1_10", "ece")
CLASSES: tuple[type[EmbeddedAnnotator], ...] = (AccurateAnnotator, FastAnnotator)


def main() -> None:
    """Write the figures and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    options = parser.parse_args()
    artifacts = options.out / "artifacts"
    made = [one for one in CLASSES if (artifacts / one.profile / "encoder.onnx").is_file()]
    found = []
    for name in SET_NAMES:
        labelled = load_set(name, options.shared)
        found += [part for one in made for part in measure(one(load_taxonomy(), artifacts=artifacts), labelled)[0]]
    figures: dict[str, Any] = {one.profile: {"figures": {}} for one in made}
    for part in found:
        told = {name: round(part.figures.figures[name].value, 3) for name in METRICS if part.figures.figures.get(name)}
        figures[part.annotator]["figures"][f"{part.set}/{part.task}"] = {"rows": part.figures.rows, **told}
    (options.out / "figures.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print("\n".join(side_by_side(found)))


if __name__ == "__main__":
    main()
