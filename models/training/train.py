"""Step 3: fine-tune the encoder with all heads at once.

    python -m models.training.train --out build/training --shared ../shared --variant full --name teacher-full --epochs 3

AdamW with a warm-up of 6 % and a linear way down, bf16 where the processor has it, one thread a process. The weights are saved
after each epoch, so that an interrupted run is not lost; the figures on the tuning sets are appended to `runs.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from models.training.batches import Batch, encode, load_tokenizer, make_batches
from models.training.corpus import TASKS, Example, load_sentiment, load_silver, load_training
from models.training.network import Network, half_precision, load_network, load_source, save_network

WEIGHTS = {"sentiment": 1.0, "category": 1.0, "intent": 0.5, "target": 0.3}
"""How much each task counts in the loss."""


def build_optimiser(network: Network, rate: float, decay: float = 0.01, head_factor: float = 10.0) -> torch.optim.AdamW:
    """Return AdamW: heads learn faster, lower layers slower, and biases and norms do not decay."""
    depth = len(network.encoder.layers)
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if name.startswith("heads."):
            factor = head_factor
        elif name.startswith("encoder.layers."):
            factor = 0.93 ** (depth - 1 - int(name.split(".")[2]))
        else:
            factor = 0.93**depth
        groups.setdefault((rate * factor, 0.0 if parameter.ndim < 2 else decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": members, "lr": lr, "weight_decay": wd} for (lr, wd), members in groups.items()], betas=(0.9, 0.98), eps=1e-6
    )


def class_weights(examples: Sequence[Example], labels: Sequence[str], task: str, power: float) -> Tensor:
    """Return a weight a label that falls with its count to `power`, 1 on average over the examples."""
    counts = torch.tensor([sum(1 for row in examples if row.labels.get(task) == label) for label in labels]).clamp(min=1).float()
    weights = counts**-power
    return weights * counts.sum() / (weights * counts).sum()


def compute_loss(logits: Mapping[str, Tensor], batch: Batch, weights: Mapping[str, Tensor], smoothing: float) -> Tensor:
    """Return the weighted sum of the tasks' cross entropies, a scalar."""
    total = torch.zeros(())
    for task, values in logits.items():
        losses = functional.cross_entropy(
            values.float(),
            batch.labels[task],
            weight=weights[task],
            label_smoothing=smoothing,
            reduction="none",
            ignore_index=-100,
        )
        known = (batch.labels[task] != -100).sum()
        total = total + WEIGHTS[task] * losses.sum() / known.clamp(min=4)
    return total


@torch.inference_mode()
def read_logits(network: Network, rows: Sequence[list[int]], examples: Sequence[Example]) -> dict[str, Tensor]:
    """Return task -> logits (texts, labels) in the order of the rows."""
    network.eval()
    found = {task: torch.zeros(len(rows), len(labels)) for task, labels in TASKS.items()}
    for batch in make_batches(rows, examples, TASKS, tokens=4096):
        with half_precision():
            logits = network(batch.ids, batch.mask)
        for task, values in logits.items():
            found[task][batch.places] = values.float()
    return found


def measure(logits: Mapping[str, Tensor], examples: Sequence[Example]) -> dict[str, float]:
    """Return accuracy and macro-F1 of each task that the examples are labelled for."""
    figures = {}
    for task, labels in TASKS.items():
        known = [place for place, row in enumerate(examples) if task in row.labels]
        if known:
            truth = [labels.index(examples[place].labels[task]) for place in known]
            read = logits[task][known].argmax(-1).tolist()
            figures[f"{task}_accuracy"] = sum(a == b for a, b in zip(truth, read, strict=True)) / len(known)
            figures[f"{task}_macro_f1"] = macro_f1(truth, read)
    return {name: round(value, 4) for name, value in figures.items()}


def macro_f1(truth: Sequence[int], read: Sequence[int]) -> float:
    """Return the mean F1 over the labels that occur in `truth`."""
    scores = []
    for label in set(truth):
        hits = sum(a == b == label for a, b in zip(truth, read, strict=True))
        scores.append(2 * hits / (truth.count(label) + read.count(label) or 1))
    return sum(scores) / len(scores)


def leave_out_known(examples: Sequence[Example], known: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return the examples less all but a share of those that the network to go on from has read already."""
    chance, read = random.Random(f"again {seed}"), {row.id for row in known}
    return [row for row in examples if row.id not in read or chance.random() < share]


def main() -> None:
    """Train one network and save it after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--variant", choices=("clean", "full"), required=True)
    parser.add_argument("--name", required=True, help="name of the network in the folder")
    parser.add_argument("--start", help="name of a network to go on from instead of the source")
    parser.add_argument("--again", type=float, default=1.0, help="share of the clean texts that `full` reads, with --start")
    parser.add_argument("--layers", default="0,1,2,3,4,5,6,7,8,9,10,11", help="layers of the source to keep")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--tokens", type=int, default=1536, help="tokens in a batch")
    parser.add_argument("--limit", type=int, default=112, help="tokens of a text; the rest is cut in training")
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--power", type=float, default=0.35, help="how strongly rare labels weigh more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=55, help="stop at the end of the step that passes this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.out)
    examples = load_training(options.shared, variant=options.variant)
    if options.again < 1:
        examples = leave_out_known(examples, load_training(options.shared, variant="clean"), options.again, options.seed)
    rows = encode(tokenizer, [row.text for row in examples], options.limit)
    tuning = {"silver": load_silver(options.shared, split="tune"), "tweets": load_sentiment(options.shared, split="dev")}
    encoded = {name: encode(tokenizer, [row.text for row in part], 128) for name, part in tuning.items()}
    if options.start:
        network = load_network(options.out / f"{options.start}.safetensors", TASKS)
    else:
        layers = [int(layer) for layer in options.layers.split(",")]
        network = Network(tokenizer.get_vocab_size(), len(layers), TASKS)
        load_source(network, options.out / "pruned.safetensors", layers)
    weights = {task: class_weights(examples, labels, task, options.power) for task, labels in TASKS.items()}
    optimiser = build_optimiser(network, options.rate)
    shuffle = random.Random(options.seed)
    steps = options.epochs * sum(1 for _ in make_batches(rows, examples, TASKS, tokens=options.tokens, shuffle=random.Random(0)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.06 * steps), max(0.0, (steps - step) / (0.94 * steps)))
    )
    print(f"{len(examples)} texts, {sum(map(len, rows))} tokens an epoch, {steps} steps", flush=True)
    started, step, running, cut_short = time.monotonic(), 0, 0.0, False
    for epoch in range(1, options.epochs + 1):
        network.train()
        for batch in make_batches(rows, examples, TASKS, tokens=options.tokens, shuffle=shuffle):
            with half_precision():
                logits = network(batch.ids, batch.mask)
            loss = compute_loss(logits, batch, weights, options.smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            step += 1
            running += (loss.item() - running) / min(step, 100)
            if step % 50 == 0:
                print(f"{step}/{steps} loss {running:.3f} {time.monotonic() - started:.0f} s", flush=True)
            if step < steps and (time.monotonic() - started) / 60 > options.minutes:
                cut_short = True
                break
        save_network(network, options.out / f"{options.name}.safetensors")
        figures = {name: measure(read_logits(network, encoded[name], part), part) for name, part in tuning.items()}
        record = {**{key: str(value) for key, value in vars(options).items()}, "epoch": epoch, "figures": figures}
        with (options.out / "runs.jsonl").open("a") as file:
            file.write(json.dumps({**record, "seconds": round(time.monotonic() - started)}) + "\n")
        print(epoch, json.dumps(figures), flush=True)
        if cut_short:
            sys.exit(f"out of time after {step} of {steps} steps: what was learned so far is in {options.name}.safetensors")


if __name__ == "__main__":
    main()
