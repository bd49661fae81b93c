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

STUDENT_LAYERS = "0,3,7,11"
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
    yield Step("train", f"{variant}-1.done", (*recipe, "--name", f"{variant}-1", "--seed", "1", "--rate", "2.5e-4"))
    yield Step("train", f"{variant}-2.done", (*recipe, "--name", f"{variant}-2", "--seed", "2", "--rate", "3e-4"))
    last = ("--name", f"{variant}-3", "--start", f"{variant}-2", "--seed", "3", "--rate", "1.5e-4", "--epochs", "2")
    yield Step("train", f"{variant}-3.done", (*recipe, *last))
    teachers = ("--teachers", f"{variant}-3,{variant}-1", "--name", f"{variant}-fast", "--layers", STUDENT_LAYERS)
    yield Step("distil", f"{variant}-fast.done", (*recipe, *teachers))
    for profile, name in (("accurate", f"{variant}-3"), ("fast", f"{variant}-fast")):
        made = ("--profile", profile)
        yield Step("export", f"artifacts/{profile}/heads.npz", (*here, *texts, "--name", name, *made))
        yield Step("calibrate", f"artifacts/{profile}/examples.npz", (*here, *texts, *made, *chosen))
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
