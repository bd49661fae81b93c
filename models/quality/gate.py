"""The quality gate: measures annotators on the labelled sets that are at hand and fails where a figure falls under its floor.

    python -m models.quality.gate --shared ../shared

`floors.json` holds the floors, the digest of the set that each was measured on, and every change that loosened one. A set that is
not at hand is named as not measured, never as passed. Exit code 1: under a floor, another set than the floors were set on, or an
annotator that does not load; 2: wrong use.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.configuration import ConfigurationError, load_configuration
from models.quality.measuring import Measurement, describe, measure, shorten, side_by_side, write_figure
from models.quality.metrics import Figure, measure_difference
from models.quality.sets import LabelledSet, SetError, load_set
from models.settings import load_models_config
from models.taxonomy import Taxonomy, load_taxonomy

FLOORS_FILE = Path(__file__).with_name("floors.json")
WIDTH = 100

Share = Annotated[float, Field(ge=0, le=1)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Floor(_Closed):
    """What a figure must keep: at least `floor`, at most `at_most`, or at most `by` below another annotator's."""

    annotator: str = "accurate"
    set: str
    task: str
    metric: Literal["accuracy", "macro_f1", "macro_f1_10", "ece", "ece_raw"]
    floor: Share | None = None
    at_most: Share | None = None
    below: str | None = None
    """The other annotator; `by` says how far."""

    by: Share | None = None
    aim: Share | None = None
    """Where the figure should get to; missing it fails nothing."""

    @property
    def key(self) -> str:
        """Names the floor: annotator/set/task/metric."""
        return f"{self.annotator}/{self.set}/{self.task}/{self.metric}"

    @property
    def bound(self) -> float:
        """The number that `--raise` and `--lower` move."""
        return next(value for value in (self.floor, self.at_most, self.by) if value is not None)

    @property
    def bound_name(self) -> str:
        """Which of `floor`, `at_most` and `by` is that number."""
        return next(name for name in ("floor", "at_most", "by") if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if sum(value is not None for value in (self.floor, self.at_most, self.by)) != 1:
            raise ValueError("give exactly one of `floor`, `at_most`, or `below` with `by`")
        if (self.below is None) != (self.by is None):
            raise ValueError("`below` and `by` go together")
        if self.below and self.metric.startswith("ece"):
            raise ValueError("`below` compares accuracy, macro_f1 or macro_f1_10")
        return self


class PinnedSet(_Closed):
    """The set that floors were set on."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(gt=0)


class Change(_Closed):
    """A floor that was loosened, or a set that was replaced, and why."""

    key: str
    before: float | str | None
    after: float | str
    because: str = Field(min_length=10)


class Floors(_Closed):
    """The whole of `floors.json`."""

    sets: dict[str, PinnedSet]
    floors: tuple[Floor, ...]
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        keys = [floor.key for floor in self.floors]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        unpinned = sorted({floor.set for floor in self.floors} - set(self.sets))
        if repeated or unpinned:
            raise ValueError(f"floors named twice: {repeated}; sets without a digest: {unpinned}")
        return self


class Verdict(NamedTuple):
    """How a figure stands to its floor."""

    floor: Floor
    state: Literal["ok", "UNDER", "OTHER SET", "FAILED", "not measured"]
    figure: Figure | None
    said: str
    """Why it was not measured, or what differs; "" otherwise."""


def judge(
    floors: Floors, measurements: Sequence[Measurement], absent: Mapping[str, str], failed: Mapping[str, str] | None = None
) -> list[Verdict]:
    """Compare measurements with the floors, in the order of the floors.

    Args:
        floors: the floors.
        measurements: what was measured.
        absent: set or annotator -> why it was not measured.
        failed: annotator -> why it could not be loaded, though it should.
    """
    found = {(one.annotator, one.set, one.task): one for one in measurements}
    return [_judge(floor, floors.sets[floor.set], found, absent, failed or {}) for floor in floors.floors]


def _judge(
    floor: Floor,
    pinned: PinnedSet,
    found: Mapping[tuple[str, str, str], Measurement],
    absent: Mapping[str, str],
    failed: Mapping[str, str],
) -> Verdict:
    needed = [name for name in (floor.annotator, floor.below) if name]
    for name in needed:
        if name in failed:
            return Verdict(floor, "FAILED", None, f"{name}: {failed[name]}")
    for name in (floor.set, *needed):
        if name in absent:
            return Verdict(floor, "not measured", None, f"{name}: {absent[name]}")
    ours = [found.get((name, floor.set, floor.task)) for name in needed]
    if ours[0] is None or ours[-1] is None:
        return Verdict(floor, "FAILED", None, f"{' or '.join(needed)} does not read {floor.task}")
    mine, other = ours[0], ours[-1]
    if mine.digest != pinned.digest:
        told = f"{floor.set}: its digest is {mine.digest[:12]}, the floors were set on {pinned.digest[:12]}"
        return Verdict(floor, "OTHER SET", None, told)
    if floor.below and floor.by is not None:
        gap = measure_difference(mine.truth, mine.read, other.read, mine.figures.labels, floor.metric)
        return Verdict(floor, "UNDER" if gap.value < -floor.by else "ok", gap, "")
    figure = mine.figures.figures.get(floor.metric)
    if figure is None:
        return Verdict(floor, "FAILED", None, f"the set has no {floor.metric} of {floor.task}")
    kept = figure.value >= floor.floor if floor.floor is not None else figure.value <= floor.bound
    return Verdict(floor, "ok" if kept else "UNDER", figure, "")


def raise_floors(floors: Floors, verdicts: Sequence[Verdict]) -> Floors:
    """Move each bound to half an interval's width from what was measured, where that is stricter; relative floors stay."""
    stricter = {}
    for floor, state, figure, _ in verdicts:
        if state != "ok" or figure is None or floor.below:
            continue
        slack = (figure.high - figure.low) / 2
        if floor.floor is not None:
            stricter[floor.key] = max(floor.floor, math.floor((figure.value - slack) * 1000) / 1000)
        else:
            stricter[floor.key] = min(floor.bound, math.ceil((figure.value + slack) * 1000) / 1000)
    moved = [floor.model_copy(update={floor.bound_name: stricter.get(floor.key, floor.bound)}) for floor in floors.floors]
    return floors.model_copy(update={"floors": tuple(moved)})


def lower_floor(floors: Floors, key: str, value: float, because: str) -> Floors:
    """Loosen one bound and record why.

    Raises:
        ValueError: if there is no such floor, the value is no share or not looser, or no reason of ten characters is given.
    """
    chosen = next((floor for floor in floors.floors if floor.key == key), None)
    if chosen is None:
        raise ValueError(f"no floor is called {key!r}; available: {', '.join(floor.key for floor in floors.floors)}")
    if (value >= chosen.bound) if chosen.floor is not None else (value <= chosen.bound):
        raise ValueError(f"{key}: {value} is no looser than {chosen.bound}; `--raise` makes floors stricter")
    moved = Floor.model_validate(chosen.model_dump() | {chosen.bound_name: value})
    change = Change(key=key, before=chosen.bound, after=value, because=because)
    rest = tuple(moved if floor.key == key else floor for floor in floors.floors)
    return floors.model_copy(update={"floors": rest, "changes": (*floors.changes, change)})


def accept_set(floors: Floors, labelled: LabelledSet, because: str) -> Floors:
    """Pin another content of a set and record why; its floors are compared with it from then on."""
    before = floors.sets[labelled.name].digest if labelled.name in floors.sets else None
    pinned = PinnedSet(digest=labelled.digest, rows=len(labelled.rows))
    change = Change(key=labelled.name, before=before, after=labelled.digest, because=because)
    return floors.model_copy(update={"sets": {**floors.sets, labelled.name: pinned}, "changes": (*floors.changes, change)})


def load_floors(path: Path = FLOORS_FILE) -> Floors:
    """Load the floors.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        FileNotFoundError: if there is no such file.
    """
    return load_configuration(path, Floors)


def save_floors(floors: Floors, path: Path = FLOORS_FILE) -> None:
    """Write the floors, all of them or nothing."""
    draft = path.with_name(f".{path.name}.draft")
    content = json.dumps(floors.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate; see the module's docstring for the exit codes."""
    options = _parse(arguments)
    try:
        floors = load_floors(options.floors)
        return _run(floors, options)
    except (ConfigurationError, SetError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _run(floors: Floors, options: argparse.Namespace) -> int:
    changed = floors
    for key, value in options.lower:
        changed = lower_floor(changed, key, float(value), options.because)
    sets, absent = _load_sets(floors, options.shared)
    for name in options.accept_set:
        if name not in sets:
            raise ValueError(f"{name!r} is not at hand; at hand: {', '.join(sets) or 'none'}")
        changed = accept_set(changed, sets[name], options.because)
    measurements, failed = _measure_all(options.annotators, list(sets.values()), load_taxonomy())
    missing = {floor.annotator for floor in changed.floors} | {floor.below for floor in changed.floors if floor.below}
    absent |= {name: "not asked for" for name in missing - set(options.annotators)}
    verdicts = judge(changed, measurements, absent, failed)
    bad = any(verdict.state in ("UNDER", "OTHER SET", "FAILED") for verdict in verdicts)
    if options.raise_floors and not bad:
        changed = raise_floors(changed, verdicts)
    if changed != floors:
        save_floors(changed, options.floors)
    _print(measurements, verdicts, as_json=options.json)
    return 1 if bad else 0


def _load_sets(floors: Floors, shared: Path | None) -> tuple[dict[str, LabelledSet], dict[str, str]]:
    sets, absent = {}, {}
    for name in floors.sets:
        try:
            if shared is None:
                raise FileNotFoundError("no --shared folder was given")
            sets[name] = load_set(name, shared)
        except FileNotFoundError as error:
            absent[name] = f"not at hand: {Path(error.filename).name} is missing" if error.filename else str(error)
    return sets, absent


def _measure_all(
    names: Sequence[str], sets: Sequence[LabelledSet], taxonomy: Taxonomy
) -> tuple[list[Measurement], dict[str, str]]:
    config = load_models_config()
    measurements: list[Measurement] = []
    failed: dict[str, str] = {}
    for name in names if sets else ():
        try:
            annotator = config.load(name, taxonomy)
        except (ImportError, AttributeError, OSError, RuntimeError, ValueError, TypeError) as error:
            failed[name] = f"does not load: {error}"
            continue
        for labelled in sets:
            measurements += measure(annotator, labelled, config=config)[0]
    return measurements, failed


def _print(measurements: Sequence[Measurement], verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        told = [
            {**v.floor.model_dump(exclude_none=True), "state": v.state, "said": v.said, "measured": v.figure} for v in verdicts
        ]
        content = {"schema_version": 1, "floors": told, "measurements": describe(measurements)}
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    reasons = dict.fromkeys(verdict.said for verdict in verdicts if verdict.said)
    wrapped = [line for reason in reasons for line in wrap(reason, WIDTH, subsequent_indent="    ")]
    lines = [*side_by_side(measurements), *map(_verdict_line, verdicts), "", *wrapped, _summary(verdicts)]
    sys.stdout.write("\n".join(lines) + "\n")


def _verdict_line(verdict: Verdict) -> str:
    floor = verdict.floor
    if floor.below:
        bound = f"{floor.below} - {shorten(floor.by or 0.0, 3)}"
    else:
        bound = f"{'>=' if floor.floor is not None else '<='} {shorten(floor.bound, 3)}"
    aim = f"aim {shorten(floor.aim, 2)}" if floor.aim is not None else ""
    measured = write_figure(verdict.figure) if verdict.figure else ""
    return f"{verdict.state:<12} {floor.key:<44} {bound:<15} {aim:<8} {measured}".rstrip()


def _summary(verdicts: Sequence[Verdict]) -> str:
    states = [verdict.state for verdict in verdicts]
    reached = sum(_reaches_aim(verdict) for verdict in verdicts)
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{len(verdicts)} floors: {counted}; {reached} reach their aim"


def _reaches_aim(verdict: Verdict) -> bool:
    aim, figure = verdict.floor.aim, verdict.figure
    if aim is None or figure is None:
        return False
    return figure.value <= aim if verdict.floor.at_most is not None else figure.value >= aim


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.quality.gate", description="Measure annotators against their floors.")
    parser.add_argument("--shared", type=Path, default=None, help="folder with gold/ and data/")
    parser.add_argument("--annotators", type=lambda text: text.split(","), default=["accurate", "fast", "keyword"])
    parser.add_argument("--floors", type=Path, default=FLOORS_FILE, help="another floors.json")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--raise", dest="raise_floors", action="store_true", help="move floors up to what was measured")
    parser.add_argument("--lower", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"), help="loosen one floor")
    parser.add_argument("--accept-set", action="append", default=[], metavar="NAME", help="pin the present content of a set")
    parser.add_argument("--because", default="", metavar="TEXT", help="why; needed by --lower and --accept-set")
    options = parser.parse_args(arguments)
    if (options.lower or options.accept_set) and len(options.because) < 10:
        parser.error("--lower and --accept-set need --because TEXT, ten characters or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
