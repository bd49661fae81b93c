"""The pilot month read by keyword, `fast` and `accurate`: time and accuracy against the planted truth, side by side.

    python benchmarks/pilot_readers.py

Each reads a fresh copy of the project, so each run crawls, reads and reports the whole month (`escucha pilot`).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_pilot(reader: str) -> tuple[float, dict[str, float]]:
    """Return the seconds that the whole month takes, and the evaluation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("cities", "pilot", "places"):
            shutil.copytree(ROOT / "data" / part, folder / "data" / part)
        command = [sys.executable, "-m", "pipelines.cli", "pilot", "--json", "--project", name, "--profile", reader]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return time.perf_counter() - started, json.loads(done.stdout)["evaluation"]


def main() -> None:
    """Print one line a reader."""
    heads = ("seconds", "category right", "told", "right of told", "sentiment", "macro-F1")
    print(f"{'reader':<10}" + "".join(f" {head:>14}" for head in heads))
    for reader in ("keyword", "fast", "accurate"):
        seconds, found = run_pilot(reader)
        print(
            f"{reader:<10} {seconds:>14.1f} {found['category_accuracy']:>14.1%} {found['category_told']:>14.1%} "
            f"{found['category_precision']:>14.1%} {found['sentiment_accuracy']:>14.1%} {found['sentiment_macro_f1']:>14.3f}"
        )


if __name__ == "__main__":
    main()
