"""Step 4: teach a smaller network to read as one or several larger ones do.

    python -m models.training.distil --out build/training --shared ../shared --variant clean --teachers clean-1,clean-2 \
        --name fast-clean --layers 0,3,7,11 --epochs 4

The student starts from layers of the first teacher, or from an earlier student (`--start`). It learns the teachers' mean
probabilities, softened, on every text that the variant may use, labelled or not, and on a worn copy of each (a part of it, words
left out, accents lost); the first teacher's states at every third of its layers, token by token, and the direction of its vector
(after TinyBERT, Jiao et al. 2020); beside these the labels where there are any.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.training.batches import Batch, encode, load_tokenizer, make_batches
from models.training.corpus import TASKS, Example, load_sentiment, load_silver, load_training, load_unlabelled
from models.training.network import Network, half_precision, load_network, pool, save_network
from models.training.train import WEIGHTS, build_optimiser, class_weights, compute_loss, measure, read_logits

SOFTNESS = 2.0
"""Divides the logits of teachers and student before they are compared."""


class Lesson(NamedTuple):
    """What the teachers say of every text."""

    soft: Mapping[str, Tensor]
    """Task -> (texts, labels) mean softened probabilities."""

    states: Sequence[Tensor]
    """Of each text: (layers of the student, tokens, 384), the first teacher's states that the student's layers are held to."""

    spread: Tensor
    """(layers of the student, 384) the variance of these states, by channel."""


def wear(text: str, chance: random.Random) -> str:
    """Return a worn copy: a run of some of its words, a tenth of them left out, at times without accents or capitals."""
    words = text.split()
    if len(words) > 6:
        length = chance.randint(max(4, len(words) // 3), len(words))
        start = chance.randint(0, len(words) - length)
        words = words[start : start + length]
    kept = [word for word in words if chance.random() > 0.1] or words
    worn = " ".join(kept)
    if chance.random() < 0.3:
        worn = worn.lower()
    if chance.random() < 0.3:
        worn = worn.translate(str.maketrans("áéíóúÁÉÍÓÚ¿¡", "aeiouAEIOU  ")).strip()
    return worn


@torch.no_grad()
def read_teachers(teachers: Sequence[Network], rows: Sequence[list[int]], examples: Sequence[Example], layers: int) -> Lesson:
    """Let the teachers read every text."""
    soft = {task: torch.zeros(len(rows), len(labels)) for task, labels in TASKS.items()}
    states: list[Tensor] = [torch.zeros(0)] * len(rows)
    total, squares, tokens = torch.zeros(layers, 384), torch.zeros(layers, 384), 0
    for number, teacher in enumerate(teachers):
        teacher.eval()
        depth = len(teacher.encoder.layers)
        for batch in make_batches(rows, examples, TASKS, tokens=4096):
            with half_precision():
                found = teacher.encoder.states(batch.ids, batch.mask)
                logits = teacher.read(pool(found[-1], batch.mask))
            for task, values in logits.items():
                soft[task][batch.places] += (values.float() / SOFTNESS).softmax(-1) / len(teachers)
            if number == 0:
                chosen = torch.stack([found[depth * (layer + 1) // layers] for layer in range(layers)], 1).bfloat16()
                for row, place in enumerate(batch.places):
                    states[place] = chosen[row, :, : len(rows[place])].clone()
                    total += states[place].float().sum(1)
                    squares += states[place].float().square().sum(1)
                    tokens += len(rows[place])
    mean = total / tokens
    return Lesson(soft, states, (squares / tokens - mean.square()).clamp(min=1e-6))


def distil_loss(logits: Mapping[str, Tensor], found: Sequence[Tensor], batch: Batch, lesson: Lesson) -> Tensor:
    """Return the weighted sum over tasks of the divergence from the teachers, and the distances of vectors and states.

    `found` holds the student's states after each of its layers, (texts, tokens, 384) each.
    """
    wanted = torch.zeros(len(batch.places), len(found), batch.ids.shape[1], 384)
    for row, place in enumerate(batch.places):
        wanted[row, :, : lesson.states[place].shape[1]] = lesson.states[place].float()
    stand = batch.mask.float()
    total = torch.zeros(())
    for layer, states in enumerate(found):
        gap = ((states.float() - wanted[:, layer]).square() / lesson.spread[layer]).mean(-1)
        total = total + (1.0 if layer == len(found) - 1 else 0.5) * (gap * stand).sum() / stand.sum()
    vectors = pool(found[-1].float(), batch.mask), pool(wanted[:, -1], batch.mask)
    total = total + 4.0 * (1 - functional.cosine_similarity(*vectors, dim=-1)).mean()
    for task, values in logits.items():
        softened = (values.float() / SOFTNESS).log_softmax(-1)
        divergence = functional.kl_div(softened, lesson.soft[task][batch.places], reduction="batchmean")
        total = total + WEIGHTS[task] * SOFTNESS**2 * divergence
    return total


def start_student(teacher: Network, layers: Sequence[int]) -> Network:
    """Return a network with the named layers of the teacher, its embedding and its heads."""
    weights = teacher.state_dict()
    student = Network(weights["encoder.words.weight"].shape[0], len(layers), TASKS)
    chosen = {name: value for name, value in weights.items() if not name.startswith("encoder.layers.")}
    for place, origin in enumerate(layers):
        prefix = f"encoder.layers.{origin}."
        chosen |= {
            f"encoder.layers.{place}.{name.removeprefix(prefix)}": value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
    student.load_state_dict(chosen)
    return student


def main() -> None:
    """Distil one student and save it after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--variant", choices=("clean", "full"), required=True)
    parser.add_argument("--teachers", required=True, help="names of networks in the folder")
    parser.add_argument("--name", required=True, help="name of the student")
    parser.add_argument("--layers", default="0,3,7,11", help="layers of the first teacher that the student starts from")
    parser.add_argument("--plain", action="store_true", help="no worn copies: half the texts, half the time")
    parser.add_argument("--start", help="name of an earlier student to go on from instead")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--tokens", type=int, default=1536, help="tokens in a batch")
    parser.add_argument("--limit", type=int, default=128, help="tokens of a text; the rest is cut in training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=55, help="stop at the end of the step that passes this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.out)
    examples = [
        *load_training(options.shared, variant=options.variant),
        *load_unlabelled(options.shared, variant=options.variant),
    ]
    chance = random.Random(f"worn {options.seed}")
    examples += [] if options.plain else [row._replace(text=wear(row.text, chance), labels={}) for row in examples]
    rows = encode(tokenizer, [row.text for row in examples], options.limit)
    tuning = {"silver": load_silver(options.shared, split="tune"), "tweets": load_sentiment(options.shared, split="dev")}
    encoded = {name: encode(tokenizer, [row.text for row in part], 128) for name, part in tuning.items()}
    teachers = [load_network(options.out / f"{name}.safetensors", TASKS) for name in options.teachers.split(",")]
    started = time.monotonic()
    if options.start:
        student = load_network(options.out / f"{options.start}.safetensors", TASKS)
    else:
        student = start_student(teachers[0], [int(layer) for layer in options.layers.split(",")])
    lesson = read_teachers(teachers, rows, examples, len(student.encoder.layers))
    print(f"{len(examples)} texts read by {len(teachers)} teachers in {time.monotonic() - started:.0f} s", flush=True)
    del teachers
    weights = {task: class_weights(examples, labels, task, 0.35) for task, labels in TASKS.items()}
    optimiser = build_optimiser(student, options.rate, head_factor=3.0)
    shuffle = random.Random(options.seed)
    steps = options.epochs * sum(1 for _ in make_batches(rows, examples, TASKS, tokens=options.tokens, shuffle=random.Random(0)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.06 * steps), max(0.0, (steps - step) / (0.94 * steps)))
    )
    step, cut_short = 0, False
    for epoch in range(1, options.epochs + 1):
        student.train()
        for batch in make_batches(rows, examples, TASKS, tokens=options.tokens, shuffle=shuffle):
            with half_precision():
                found = student.encoder.states(batch.ids, batch.mask)[1:]
                logits = student.read(pool(found[-1], batch.mask))
            loss = distil_loss(logits, found, batch, lesson) + 0.5 * compute_loss(logits, batch, weights, 0.0)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            step += 1
            if step % 100 == 0:
                print(f"{step}/{steps} loss {loss.item():.3f} {time.monotonic() - started:.0f} s", flush=True)
            if step < steps and (time.monotonic() - started) / 60 > options.minutes:
                cut_short = True
                break
        save_network(student, options.out / f"{options.name}.safetensors")
        figures = {name: measure(read_logits(student, encoded[name], part), part) for name, part in tuning.items()}
        record = {**{key: str(value) for key, value in vars(options).items()}, "epoch": epoch, "figures": figures}
        with (options.out / "runs.jsonl").open("a") as file:
            file.write(json.dumps({**record, "seconds": round(time.monotonic() - started)}) + "\n")
        print(epoch, json.dumps(figures), flush=True)
        if cut_short:
            sys.exit(f"out of time after {step} of {steps} steps: what was learned so far is in {options.name}.safetensors")


if __name__ == "__main__":
    main()
