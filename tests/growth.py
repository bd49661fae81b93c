"""How the cost of reading a text grows with its length, whatever else the machine does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMES = 8
"""How many times longer the long text is: a reading whose cost is the square of the length takes 64 times as long."""

MOST = 2.5 * TIMES
NOISE = 0.0005
"""Seconds that are added to both: what costs less than this may grow as it likes."""


def assert_linear(read: Callable[[str], object], unit: str, letters: int = 100_000) -> None:
    """Fail if a text of `letters` letters made of `unit` costs far more than `TIMES` times what a part of it costs.

    The two are timed in turns by the processor's time of this process, and the least of each counts: another job can only
    make both dearer.
    """
    long = (unit * letters)[:letters]
    short = long[: letters // TIMES]
    read(short)
    best = {short: float("inf"), long: float("inf")}
    for _ in range(6):
        for text in best:
            started = time.process_time()
            read(text)
            best[text] = min(best[text], time.process_time() - started)
        growth = (best[long] + NOISE) / (best[short] + NOISE)
        if growth <= MOST:
            return
    raise AssertionError(f"{TIMES} times the text cost {growth:.0f} times as much ({best[long]:.3f} s for {letters} letters)")
