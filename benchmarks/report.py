"""What one month's report costs, in seconds and peak memory, as the history grows and as the window grows; and what pandas takes.

    python benchmarks/report.py [--rows 1000000 10000000] [--window 10000] [--windows 5796 100000 1000000]
                                [--folder DIR] [--rounds 3] [--alone] [--profile]

Each warehouse is generated (`report_history.py`): the window and the half year before it hold the same rows in each, so the
report is the same to its id, and the benchmark fails if it is not. `--windows` reports months of so many manifestations without
a history. Each report is built by `pipelines.report.report`, page and all, in a process of its own; the median of the rounds
counts. `report_rival.py` computes the same counts with pandas; if they differ the benchmark fails. `--alone` leaves it out;
`--profile` prints what each statement took; `--folder` keeps the warehouses for another time (the largest has 4 GB). Where other
jobs share the machine, the seconds of the processor (in brackets) say more than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.report_history import CITY, Size, generate, make_project, make_readers, window_of
from pipelines import staging
from pipelines.project import Project
from pipelines.report import report
from pipelines.warehouse import Warehouse, open_warehouse

ROOT = Path(__file__).resolve().parent.parent
COUNTS = "select category_id, sentiment, count(*) from report_item where counted group by all order by all"


class Timed(Warehouse):
    """A warehouse that notes the seconds of each statement under the name of its file."""

    seconds: Counter[str]

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement."""
        started = time.perf_counter()
        try:
            return super().query(sql, parameters)
        finally:
            self.seconds[_name(sql)] += time.perf_counter() - started

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a query."""
        started = time.perf_counter()
        try:
            return super().rows(sql, parameters)
        finally:
            self.seconds[_name(sql)] += time.perf_counter() - started


def _name(sql: str) -> str:
    made = re.match(r"(?:create or replace temp table|insert into) (\w+)", sql)
    return made.group(1) if made else sql.split("\n")[0][:60]


def build_report(project: Project) -> dict[str, Any]:
    """Build the report of the window once; return its id, what it counts, seconds and the peak of the resident set in MB."""
    city, period, readers = project.load_city(CITY), window_of(project), make_readers()
    started = time.perf_counter()
    with open_warehouse(project.warehouse) as warehouse:
        timed = Timed(warehouse.connection, warehouse.path)
        timed.seconds = Counter()
        copies = staging.stage_copies
        staging.stage_copies = _timed(timed, "copies in Python, with their reading and writing", copies)  # type: ignore[assignment]
        made = report(timed, project, city, period, readers)
        counts = timed.query(COUNTS)
    spent = {"seconds": time.perf_counter() - started, "processor": time.process_time(), "megabytes": _peak()}
    return {**spent, "report_id": made.report_id, "counts": counts, "stages": dict(timed.seconds.most_common(25))}


def _timed(warehouse: Timed, name: str, function: Any) -> Any:
    def run(*arguments: Any) -> None:
        started = time.perf_counter()
        function(*arguments)
        warehouse.seconds[name] += time.perf_counter() - started

    return run


def count_as_rival(project: Project) -> dict[str, Any]:
    """Count the same with pandas."""
    from benchmarks.report_rival import count_with_pandas  # our own side must not carry its weight

    city, period, readers = project.load_city(CITY), window_of(project), make_readers()
    started = time.perf_counter()
    counts = count_with_pandas(project.warehouse, city, period, readers)
    return {"counts": counts, "seconds": time.perf_counter() - started, "megabytes": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, what: str, rounds: int = 1) -> dict[str, Any]:
    """Measure in processes of their own; return what the one of the median took. Rows of earlier reports are removed first."""
    found = []
    for _ in range(rounds):
        command = [sys.executable, str(Path(__file__)), "--measure", what, "--folder", str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
        found.append(json.loads(done.stdout))
    found.sort(key=lambda one: one["seconds"])
    return {**found[len(found) // 2], "all": [round(one["seconds"], 2) for one in found]}


def forget_reports(project: Project) -> None:
    """Remove the rows of every report, so that the next one is made anew."""
    with open_warehouse(project.warehouse) as warehouse:
        tables = warehouse.query(
            "select table_name from duckdb_tables() where starts_with(table_name, 'report') and not temporary"
        )
        for (table,) in tables:
            warehouse.query(f"delete from {table}")


def compare(folder: Path, size: Size, options: argparse.Namespace) -> dict[str, Any]:
    """Print one line of the table; return what was measured of ours."""
    place = folder / f"{size.rows}-{size.window}"
    project = Project(place)
    if not project.warehouse.is_file():
        started = time.perf_counter()
        generate(make_project(place), size)
        spent, written = time.perf_counter() - started, project.warehouse.stat().st_size / 1e6
        print(f"generated {size.rows} manifestations: {written:.0f} MB in {spent:.0f} s", flush=True)
    ours = measure(place, "report", options.rounds)
    processor = f"({ours['processor']:.1f})"
    line = f"{size.rows:>10} {size.window:>10} {ours['seconds']:>9.2f} {processor:>8} {ours['megabytes']:>8.0f}"
    if not options.alone:
        other = measure(place, "rival")
        if other["counts"] != ours["counts"]:
            raise SystemExit(f"pandas counts otherwise: {other['counts']} and {ours['counts']}")
        line += f" {other['seconds']:>9.2f} {other['megabytes']:>9.0f} {other['seconds'] / ours['seconds']:>12.1f}"
    print(f"{line}   load {os.getloadavg()[0]:.1f}, rounds {ours['all']}", flush=True)
    if options.profile:
        for name, seconds in ours["stages"].items():
            print(f"{seconds:>12.3f} s  {name}")
    return ours


def main() -> None:
    """Print the table and the ratio of the longest history to the second longest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--window", type=int, default=10_000)
    parser.add_argument("--windows", type=int, nargs="*", default=[5_796, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--measure", choices=("report", "rival"))
    options = parser.parse_args()
    if options.measure:
        project = Project(options.folder)
        if options.measure == "report":
            forget_reports(project)
        print(json.dumps(build_report(project) if options.measure == "report" else count_as_rival(project)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        heads = (("history", 10), ("window", 10), ("seconds", 9), ("(cpu)", 8), ("peak MB", 8), ("pandas s", 9), ("pandas MB", 9))
        print(" ".join(f"{head:>{width}}" for head, width in (*heads, ("pandas/ours", 12))))
        for window in options.windows:
            compare(folder, Size(rows=window, window=window), options)
        made = [compare(folder, Size(rows=rows, window=options.window), options) for rows in options.rows]
    if len({one["report_id"] for one in made}) > 1:
        raise SystemExit("the same window gives another report where the history is longer")
    if len(made) > 1:
        print(f"the longest history against the one before: {made[-1]['seconds'] / made[-2]['seconds']:.2f}")


if __name__ == "__main__":
    main()
