"""The screening annotator: sets advertising and test posts aside, by named rules with a reason each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.annotator import Prediction, Reading
from models.configuration import Problem, load_configuration
from models.preprocessing import fold
from models.taxonomy import Taxonomy

LABELS = ("ok", "spam", "test")
"""`spam` is advertising; `test` tries out or attacks the form; everything else is `ok`."""

SCREENING_FILE = Path(__file__).with_name("screening.yml")
"""The rules that ship with the package."""

_CODE_VERSION = "1"
_READ_CHARACTERS = 6_000


class Rule(BaseModel):
    """One reason to set a text aside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    reason: str = Field(min_length=1)
    """In Spanish, for the people who look at what was set aside."""

    weight: float = Field(default=1.0, gt=0)
    """How much of `spam_needs` the rule brings; without meaning for test rules."""

    whole: bool = False
    """Whether a pattern must cover the whole text."""

    patterns: tuple[str, ...] = Field(min_length=1)


class ScreeningSettings(BaseModel):
    """The whole of `screening.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    spam_needs: float = Field(gt=0)
    spam: tuple[Rule, ...] = Field(min_length=1)
    test: tuple[Rule, ...] = Field(min_length=1)


def load_screening_settings(path: Path | None = None) -> ScreeningSettings:
    """Load screening rules; without a path, those that ship with the package.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line; a pattern that is no regular expression too.
        FileNotFoundError: if there is no such file.
    """
    return load_configuration(path or SCREENING_FILE, ScreeningSettings, check=_find_problems)


def _find_problems(raw: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for kind in ("spam", "test"):
        rules = raw.get(kind)
        for position, rule in enumerate(rules if isinstance(rules, list) else ()):
            patterns = rule.get("patterns") if isinstance(rule, dict) else None
            for place, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
                if isinstance(pattern, str) and (mistake := _mistake_in(pattern)):
                    problems.append(Problem((kind, position, "patterns", place), f"no regular expression: {mistake}"))
    return problems


def _mistake_in(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return None


class ScreeningAnnotator:
    """Reads whether a text is a person's message (`ok`), advertising (`spam`) or a test post (`test`)."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        """Load and compile the rules; the taxonomy plays no part."""
        settings = load_screening_settings()
        digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
        self.name = "screening"
        self.revision = f"{_CODE_VERSION}-{digest[:8]}"
        self.tasks: Mapping[str, tuple[str, ...]] = {"screening": LABELS}
        self._spam_needs = settings.spam_needs
        self._spam = [(rule, re.compile("|".join(f"(?:{pattern})" for pattern in rule.patterns))) for rule in settings.spam]
        self._test = [(rule, re.compile("|".join(f"(?:{pattern})" for pattern in rule.patterns))) for rule in settings.test]

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order; only the first 6,000 characters are read."""
        return [{"screening": self._read(text)} for text in texts]

    def find_rules(self, text: str) -> dict[str, tuple[Rule, ...]]:
        """Return the rules that a text meets, by label; spam rules also where they don't suffice."""
        folded = fold(text[:_READ_CHARACTERS])[:_READ_CHARACTERS]
        return {
            "spam": tuple(rule for rule, pattern in self._spam if _meets(rule, pattern, folded)),
            "test": tuple(rule for rule, pattern in self._test if _meets(rule, pattern, folded)),
        }

    def _read(self, text: str) -> Reading:
        met = self.find_rules(text)
        weight = sum(rule.weight for rule in met["spam"])
        if met["test"]:
            return _reading("test", 0.96)
        if weight >= self._spam_needs:
            return _reading("spam", 0.9 if weight == self._spam_needs else 0.96)
        return _reading("ok", 0.96 if not weight else 0.8)


def _meets(rule: Rule, pattern: re.Pattern[str], text: str) -> bool:
    return bool(pattern.fullmatch(text) if rule.whole else pattern.search(text))


def _reading(label: str, sure: float) -> Reading:
    return Reading(label, {key: sure if key == label else (1 - sure) / (len(LABELS) - 1) for key in LABELS})
