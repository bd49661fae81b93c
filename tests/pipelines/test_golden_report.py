"""The report of a small city, as it was reviewed: whatever changes in it shows as a diff of `tests/golden/mini.md`."""

from __future__ import annotations

import os
import re

from pipelines.project import Project
from pipelines.runs import Readers
from tests.conftest import ROOT, run_window

GOLDEN = ROOT / "tests" / "golden" / "mini.md"

_DIGEST = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{12})(?![0-9a-f])|(?<=@)[0-9a-f]{8,16}(?![0-9a-f])")
"""Ids and digests: any change of the code changes them."""


def test_the_report_of_a_small_city_is_as_reviewed(mini_project: Project, readers: Readers) -> None:
    _, _, finished = run_window(mini_project, "mini", readers, formats=("md",))
    written = finished.path.with_suffix(".md").read_text(encoding="utf-8")
    found = _DIGEST.sub("…", written)
    assert finished.report_id[:12] in written
    if os.environ.get("ESCUCHA_GOLDEN") == "write":
        GOLDEN.write_text(found, encoding="utf-8")
    told = "read the difference; if it is meant, write it anew: ESCUCHA_GOLDEN=write pytest tests/pipelines/test_golden_report.py"
    assert found == GOLDEN.read_text(encoding="utf-8"), told
