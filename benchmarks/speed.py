"""How fast the embedded model reads, as a ratio to pysentimiento as it ships, on the same posts in the same run.

    python benchmarks/speed.py [--posts 192] [--rounds 5]

Needs the extra [transformers]. It runs offline, so the rival is a RoBERTa of RoBERTuito's shape (12 layers of 768, 30,000 pieces,
109 million parameters) with random weights and a tokenizer trained on the posts: a forward pass costs the same whatever the
weights are. It reads one task, ours reads all. Rounds alternate between the rivals, and the ratio is taken
within each round. Posts are invented: words of the shipped taxonomy's examples in random order, 22 words a post on average.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def make_posts(count: int) -> list[str]:
    """Return invented posts of 8 to 36 words."""
    from models.taxonomy import load_taxonomy

    taxonomy = load_taxonomy()
    words = " ".join(text for category in taxonomy.categories for text in category.examples).split()
    chance = random.Random(3)
    return [" ".join(chance.choices(words, k=chance.randint(8, 36))) for _ in range(count)]


def make_rival(folder: Path, posts: Sequence[str]) -> Callable[[Sequence[str]], object]:
    """Save a RoBERTa-base of RoBERTuito's shape with random weights, and return pysentimiento's own reading with it."""
    import torch
    from pysentimiento import create_analyzer
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(posts, vocab_size=30_000, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    trained.save(str(folder / "tokenizer.json"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>", model_max_length=128,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    labels = {0: "NEG", 1: "NEU", 2: "POS"}
    shape = RobertaConfig(
        vocab_size=30_002, max_position_embeddings=130, id2label=labels, label2id={name: key for key, name in labels.items()}
    )
    RobertaForSequenceClassification(shape).save_pretrained(folder)
    analyzer = create_analyzer(task="sentiment", lang="es", model_name=str(folder))
    return analyzer.predict


def main() -> None:
    """Print posts a second of each, and the ratios to the rival."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from models.annotator import load_annotator

    posts = make_posts(options.posts)
    loads = {}
    readers: dict[str, Callable[[Sequence[str]], object]] = {}
    for name in ("accurate", "fast", "keyword"):
        started = time.perf_counter()
        readers[name] = load_annotator(name).predict
        loads[name] = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        readers["pysentimiento"] = make_rival(Path(folder), posts)
        for read in readers.values():
            read(posts[:16])
        rates: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(options.rounds):
            for name, read in readers.items():
                started = time.perf_counter()
                read(posts)
                rates[name].append(len(posts) / (time.perf_counter() - started))
    words = statistics.mean(len(post.split()) for post in posts)
    print(f"{len(posts)} posts, {words:.0f} words on average, {options.rounds} rounds")
    for name, found in rates.items():
        ratios = [mine / rival for mine, rival in zip(found, rates["pysentimiento"], strict=True)]
        print(
            f"{name:14} {statistics.median(found):7.1f} posts/s ({min(found):.1f} to {max(found):.1f})   "
            f"ratio {statistics.median(ratios):5.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
            + (f"   load {loads[name]:.2f} s" if name in loads else "")
        )


if __name__ == "__main__":
    main()
