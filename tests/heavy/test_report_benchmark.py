"""The benchmark of a report runs: what it generates is reported, and pandas counts the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.heavy


def test_a_small_history_is_reported_and_counted_alike(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/report.py", "--windows", "400", "--rows", "1500", "--window", "150", "--rounds", "1"]
    done = subprocess.run([*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if re.match(r" *\d+ +\d+ +\d", line)]
    assert [line[:2] for line in lines] == [["400", "400"], ["1500", "150"]]
    assert all(float(seconds) > 0 for line in lines for seconds in (line[2], line[5]))
