"""`python -m collectors.extraction_worker`: runs pure functions over what answers hold, each within its limits.

Reads from standard input, again and again: two lengths of four bytes, JSON (`function` as "module:name", `url`,
`content_type`, `arguments`), and the body. Writes a length and JSON: `value`, or `problem`, `error` or `over`. A question
that takes too long ends the process by the signal of its timer, even where the time is spent outside Python; one that takes
too much memory ends it by a status of its own. No secret, file or connection of the crawl is open here.
"""

from __future__ import annotations

import json
import re
import signal
import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from collectors.health import SourceProblem

SECONDS = 5.0
"""Processor time that one answer may cost: unlike wall time, it is the same however busy the machine is."""

MEMORY_BYTES = 140_000_000
"""Address space that the worker may take beyond what it has when it is ready: two megabytes of nothing but tags cost 80."""

OUT_OF_MEMORY = 77
"""What the process ends with when an answer cost more than that."""

MOST_ANSWER = 16_000_000
"""Bytes of what was taken out of one answer, as JSON."""

_NEAR = 8_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=64)
def adapter_of(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return what turns the result of a function into plain values and back, by its annotation."""
    return TypeAdapter(get_type_hints(function)["return"])


def main() -> None:
    """Answer every question until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it goes to every process of the terminal; the crawl decides what ends
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    most: int | None = None
    while len(lengths := asked.read(8)) == 8:
        head, body = (asked.read(length) for length in struct.unpack(">II", lengths))
        question = json.loads(head)
        function = _load(question["function"])
        most = most or _limit_memory()
        answer = _answer(function, question, body)
        if answer is None or _peak() > most - _NEAR:
            sys.exit(OUT_OF_MEMORY)  # libxml2 fails in many ways where it gets no memory, and what it then gives is not whole
        told.write(struct.pack(">I", len(answer)) + answer)
        told.flush()


def _load(name: str) -> Any:
    module, _, function = name.partition(":")
    if not module.startswith("collectors."):
        raise ValueError(f"{module} is none of the modules that take things out of answers")
    return getattr(import_module(module), function)


def _answer(function: Any, question: dict[str, Any], body: bytes) -> bytes | None:
    """Return what to tell; None if the memory did not suffice."""
    _set_timer(SECONDS)
    try:
        value = function(body, url=question["url"], content_type=question["content_type"], **question["arguments"])
        encoded = _encode({"value": adapter_of(function).dump_python(value, mode="json")})
    except SourceProblem as problem:
        encoded = _encode({"problem": [problem.reason, problem.detail]})
    except MemoryError:
        return None
    except Exception as error:  # noqa: BLE001 (whatever the function trips over costs this answer alone, and is told)
        encoded = _encode({"error": type(error).__name__})
    finally:
        _set_timer(0)
    if len(encoded) > MOST_ANSWER:
        return _encode({"over": "extract_too_large", "detail": f"what stands in it is longer than {MOST_ANSWER:,} bytes"})
    return encoded


def _encode(told: dict[str, Any]) -> bytes:
    return _SURROGATE.sub("\ufffd", json.dumps(told, ensure_ascii=False)).encode()


def _set_timer(seconds: float) -> None:
    """Let the process end after so much processor time; 0 takes that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory() -> int:
    """Limit the address space to what there is now and `MEMORY_BYTES`, where the system can; return the limit in bytes."""
    if sys.platform != "linux":
        return sys.maxsize
    import resource

    most = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return most


def _peak() -> int:
    """Return the most bytes of address space that the process ever had; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    found = re.search(r"VmPeak:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
