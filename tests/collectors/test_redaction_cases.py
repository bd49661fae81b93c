"""What redaction finds and spoils of the labelled sentences: the bars."""

from __future__ import annotations

from collections import Counter

import pytest

from collectors.redaction import redact
from tests.redaction_cases import FIGURES, PARTS, WORDS, Score, load_cases, measure, redacted_ranges

CASES = {part: load_cases(part) for part in PARTS}


@pytest.fixture(scope="module", params=PARTS)
def score(request: pytest.FixtureRequest) -> Score:
    """How redaction does on a part."""
    return measure(CASES[request.param])


def test_figures_are_found(score: Score) -> None:
    assert score.recall(FIGURES) >= 0.98, score.errors


def test_names_and_addresses_are_found(score: Score) -> None:
    assert score.recall(WORDS) >= 0.85, score.errors
    assert score.recall(frozenset({"name"})) >= 0.85, score.errors
    assert score.recall(frozenset({"address"})) >= 0.85, score.errors


def test_redactions_are_no_false_alarms(score: Score) -> None:
    assert score.precision(FIGURES | WORDS) >= 0.95, score.errors
    assert score.precision(FIGURES) >= 0.95, score.errors


def test_the_set_is_as_large_as_it_says() -> None:
    cases = [case for part in PARTS for case in CASES[part]]
    assert len({case.text for case in cases}) == len(cases) >= 920
    assert sum(not case.personal for case in cases) >= 250
    wanted = Counter(kind for case in cases for kind, _ in case.personal)
    assert min(wanted[kind] for kind in FIGURES | WORDS) >= 25, wanted


@pytest.mark.parametrize("part", PARTS)
def test_what_is_measured_is_what_redact_does(part: str) -> None:
    for case in CASES[part]:
        redacted, _ = redacted_ranges(case.text)
        assert redacted == redact(case.text) == redact(redacted)
