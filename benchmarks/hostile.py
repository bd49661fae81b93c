"""What hostile texts cost to read, as a ratio to ordinary prose of the same length, in the same run.

    python benchmarks/hostile.py [--letters 100000]

Each reader reads every text three times and the least counts. The tests hold that the cost grows with the length and not with
its square (`tests/growth.py`); how much it is stands here: the bar is a tenth of a second for 100,000 letters of redaction or
screening. A text of nothing but names behind titles, or of blocks and lots, all of which redaction takes away, may cost double.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from collectors.redaction import redact
from collectors.text import clean_text, html_to_text
from models.annotator import load_annotator
from models.rewriting import rewrite

PROSE = "La vereda de la cuadra está rota hace meses y nadie responde, ¿hasta cuándo vamos a esperar los vecinos? "
HOSTILE = (
    "1", "1 ", "9-", "987 ", "a.", "@", "a@", "dni ", "http://x.test/", "(0", "+1 ", "ABC ", "www.", "[", "\n", "<", "<!--",
    "<a b='", "&#", "a", "a ", "' or ", "gana dinero ", "asdf", "bitcoin gana ", "e\u0301", "\ufdfa", "\u0301", "{{a", "%s ",
    "=1+", "\U0001f621", "María ", "señora Rosa ", "rosa quispe ", "calle a b 1 ", "mz c lt 5 ", "-12.046, -76.",
)  # fmt: skip


def least(read: Callable[[str], object], text: str) -> float:
    """Return the least of three times, in seconds of the processor."""
    times = []
    for _ in range(3):
        started = time.process_time()
        read(text)
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    """Print one line a reader: prose, the dearest hostile text, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--letters", type=int, default=100_000)
    letters = parser.parse_args().letters
    screening = load_annotator("screening")
    readers: dict[str, Callable[[str], object]] = {
        "redact": redact,
        "screening": lambda text: screening.predict([text]),
        "clean_text": clean_text,
        "html_to_text": html_to_text,
        "rewrite": rewrite,
    }
    for name, read in readers.items():
        prose = least(read, (PROSE * letters)[:letters])
        cost, unit = max((least(read, (unit * letters)[:letters]), unit) for unit in HOSTILE)
        print(f"{name:<13} prose {prose * 1000:7.1f} ms   dearest {cost * 1000:7.1f} ms ({unit!r})   ratio {cost / prose:5.1f}")


if __name__ == "__main__":
    main()
