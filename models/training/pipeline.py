"""All steps in order, each skipped if what it makes is there already: an interrupted run goes on where it stopped.

python -m models.training.pipeline --out build/training --shared ../shared --variant clean [--install]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.training.manifest import SEEDS

STUDENT_LAYERS = "1,4,8,11"
"""Layers of the teacher that the fast model starts from."""


class Step(NamedTuple):
    """One script with its arguments."""

    script: str
    makes: str
    """A file in the folder of the run that is there when the step is done."""
    arguments: tuple[str, ...]


def plan(out: Path, shared: Path, variant: str, install: bool) -> Iterator[Step]:
    """Give the steps of a variant."""
    here, texts = ("--out", str(out)), ("--shared", str(shared))
    yield Step("extract", "source.safetensors", here)
    yield Step("vocabulary", "tokenizer.json", (*here, *texts))
    chosen = ("--variant", variant)
    recipe = (*here, *texts, *chosen, "--minutes", "240")
    for seed, rate in SEEDS["mean"].items():
        yield Step("train", f"{variant}-{seed}.done", (*recipe, "--name", f"{variant}-{seed}", "--seed", seed, "--rate", rate))
    seeds = ("--networks", ",".join(f"{variant}-{seed}" for seed in SEEDS["mean"]), "--name", f"{variant}-0")
    yield Step("average", f"{variant}-0.safetensors", (*here, *seeds))
    for seed, rate in SEEDS["further"].items():
        on = ("--name", f"{variant}-{seed}", "--start", f"{variant}-0", "--seed", seed, "--rate", rate, "--epochs", "2")
        yield Step("train", f"{variant}-{seed}.done", (*recipe, *on))
        both = ("--networks", f"{variant}-0,{variant}-{seed}", "--shares", "0.4,0.6", "--name", variant)
        yield Step("average", f"{variant}.safetensors", (*here, *both))
    student = ("--teachers", variant, "--name", f"{variant}-fast", "--layers", STUDENT_LAYERS, "--rate", "5e-4", "--epochs", "4")
    yield Step("distil", f"{variant}-fast.done", (*recipe, *student))
    for profile, name in (("accurate", variant), ("fast", f"{variant}-fast")):
        made = ("--profile", profile)
        yield Step("export", f"{profile}-export.done", (*here, *texts, "--name", name, *made))
        yield Step("words", f"{profile}-words.done", (*here, *texts, *made, *chosen))
        yield Step("calibrate", f"{profile}-calibrate.done", (*here, *texts, *made, *chosen, "--precision", "0.7"))
    yield Step("manifest", "manifest.done", (*here, *chosen))
    yield Step("measure", "measure.done", (*here, *texts))
    yield Step("manifest", "", (*here, *chosen, *(("--install",) if install else ())))


def main() -> None:
    """Run what is not done yet and say how long each step took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--variant", choices=("clean", "full"), default="clean")
    parser.add_argument("--install", action="store_true", help="put the result into models/artifacts")
    options = parser.parse_args()
    for step in plan(options.out, options.shared, options.variant, options.install):
        made = options.out / step.makes
        if step.makes and made.exists():
            print(f"{step.script}: {step.makes} is there already", flush=True)
            continue
        started = time.monotonic()
        print(f"{step.script} {' '.join(step.arguments)}", flush=True)
        subprocess.run([sys.executable, "-m", f"models.training.{step.script}", *step.arguments], check=True)
        if made.suffix == ".done":
            made.touch()
        print(f"{step.script}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
