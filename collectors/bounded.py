"""Tables read in a process of their own, within a limit on memory and time: a small file may unfold to anything.

`python -m collectors.bounded` reads one line of JSON (`name`, `format` and the fields of a `TableForm`) and then the file from
standard input, and writes a line of JSON for each row. Nothing is written to disk. What breaks the process breaks no crawl.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from collectors.health import SourceProblem
from collectors.tables import Document, Row, TableForm, WrongRow, read_rows

MEMORY_BYTES = 1_000_000_000
CPU_SECONDS = 180
WAIT_SECONDS = 1_200
"""Longest that the process may live, with the time that its reader takes for each row."""

_PASSED = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TMPDIR")


def read_bounded(document: Document, form: TableForm) -> Iterator[Row | WrongRow]:
    """Yield the rows of a document as `read_rows` does.

    Raises:
        SourceProblem: as `read_rows` does, and `malformed` where the limits were reached.
    """
    process = _start()
    timer = threading.Timer(WAIT_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    feeder = threading.Thread(target=_feed, args=(_pipe(process.stdin), document, form), daemon=True)
    feeder.start()
    try:
        yield from _receive(_pipe(process.stdout), document.name)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        feeder.join()
        _pipe(process.stdout).close()


def _start() -> subprocess.Popen[bytes]:
    """Start the process without the secrets of this one; where Arrow reserves memory in advance, it would not start at all."""
    package = Path(__file__).resolve().parent.parent
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {"PYTHONPATH": str(package), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-P", "-m", "collectors.bounded"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=package
    )


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without pipes")
    return stream


def _feed(stream: IO[bytes], document: Document, form: TableForm) -> None:
    """Send the file; a process that has ended already says so by its output."""
    request = {"name": document.name, "format": document.format, "form": asdict(form)}
    with suppress(BrokenPipeError), stream:
        stream.write(json.dumps(request).encode() + b"\n")
        stream.write(document.body)


def _receive(stream: IO[bytes], name: str) -> Iterator[Row | WrongRow]:
    for line in stream:
        told: dict[str, Any] = json.loads(line)
        if "cells" in told:
            yield Row(told["line"], told["cells"])
        elif "wrong" in told:
            yield WrongRow(told["line"], told["wrong"])
        elif "reason" in told:
            raise SourceProblem(told["reason"], told["detail"])
        else:
            return
    raise SourceProblem(
        "malformed",
        f"{name}: damaged, or it needs more than {MEMORY_BYTES // 1_000_000} MB of memory or {CPU_SECONDS} s; split it",
    )


def main() -> None:
    """Read one document from standard input and write its rows to standard output."""
    _limit()
    request = json.loads(sys.stdin.buffer.readline())
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in request["form"].items()}
    document = Document(sys.stdin.buffer.read(), request["name"], request["format"])
    told: dict[str, Any] = {"end": True}
    try:
        for row in read_rows(document, TableForm(**fields)):
            _write({"line": row.line, "cells": row.cells} if isinstance(row, Row) else {"line": row.line, "wrong": row.what})
    except SourceProblem as problem:
        told = {"reason": problem.reason, "detail": problem.detail}
    _write(told)
    sys.stdout.flush()


def _write(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


def _limit() -> None:
    """Limit memory and time where the system can."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
