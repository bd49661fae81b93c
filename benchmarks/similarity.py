"""What grouping copies costs, as a ratio to datasketch's MinHashLSH on the same words, in the same run, with peak memory.

    pip install datasketch && python benchmarks/similarity.py [--sizes 10000 50000 200000] [--alone]

A corpus is 30 % copies with small edits of a tenth as many patterns, 20 % of one flooded text, and texts of their own for the
rest, all of invented words by a fixed seed. Each reader runs in a process of its own: seconds of the processor, and the peak of
the resident set above what the corpus takes. datasketch gets the forms that `models.copy_forms` reads (its seconds include that
reading), each once, for a flood of equal ones is quadratic there: 160 permutations, 40 bands of 4 rows, one query and one insert
a form, and decides nothing: no pair is verified. `--alone` leaves it out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from models.copy_forms import read_form
from models.similarity import BANDS, ROWS, group_copies

FLOOD = "Vecinos la pista de la avenida Los Fresnos está llena de huecos y los carros se malogran"
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te")
EDITS = ("{} 😡", "Buenas tardes, {}", "{} #Ate", "{}!!!", "{} Gracias", "URGENTE {}")


def invent_texts(size: int) -> list[str]:
    """Return so many texts, in an order of chance."""
    rng = random.Random(11)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(20_000)]
    weights = [1 / (20 + rank) for rank in range(len(words))]

    def sentence() -> str:
        return " ".join(rng.choices(words, weights, k=rng.randint(6, 30)))

    patterns = [sentence() for _ in range(max(1, size * 3 // 100))]
    texts = [rng.choice(EDITS).format(_slip(rng.choice(patterns), rng)) for _ in range(size * 3 // 10)]
    texts += [rng.choice(EDITS).format(FLOOD) for _ in range(size // 5)]
    texts += [sentence() for _ in range(size - len(texts))]
    rng.shuffle(texts)
    return texts


def _slip(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text) - 1)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :] if rng.random() < 0.5 else text


def group_ours(texts: list[str]) -> int:
    """Group the texts; return how many groups there are."""
    moments = [datetime(2021, 4, 1, tzinfo=UTC) + timedelta(seconds=number) for number in range(len(texts))]
    return len(set(group_copies(texts, digests=[sha256(text.encode()).hexdigest() for text in texts], moments=moments)))


def find_with_datasketch(texts: list[str]) -> int:
    """Look every form up in an index of those before it; return how many found none."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    alone = 0
    for number, form in enumerate(dict.fromkeys(form for form in map(read_form, texts) if form is not None)):
        sketch = MinHash(num_perm=BANDS * ROWS)
        sketch.update_batch([word.encode() for word in form.words])
        alone += not index.query(sketch)
        index.insert(number, sketch)
    return alone


READERS: dict[str, Callable[[list[str]], int]] = {"ours": group_ours, "datasketch": find_with_datasketch}


def measure(name: str, size: int) -> tuple[float, float, int]:
    """Return seconds of the processor, megabytes above the corpus, and what the reader found; in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (name, size))


def _measure(name: str, size: int) -> tuple[float, float, int]:
    texts = invent_texts(size)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = READERS[name](texts)
    spent = time.process_time() - started
    return spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, found


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        spent, memory, groups = measure("ours", size)
        line = f"{size:>7} texts   ours {spent:7.1f} s {memory:6.0f} MB {groups:>7} groups"
        if not arguments.alone:
            other, other_memory, _ = measure("datasketch", size)
            line += f"   datasketch {other:7.1f} s {other_memory:6.0f} MB   ratio of time {spent / other:5.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
