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
from models.preprocessing import fold, normalise
from models.taxonomy import Taxonomy

LABELS = ("ok", "spam", "test")
"""`spam` is advertising; `test` tries out or attacks the form; everything else is `ok`."""

SCREENING_FILE = Path(__file__).with_name("screening.yml")
"""The rules that ship with the package."""

_CODE_VERSION = "2"
_READ_CHARACTERS = 6_000


class Rule(BaseModel):
    """One reason to set a text aside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    reason: str = Field(min_length=1)
    """In Spanish, for the people who look at what was set aside."""

    weight: float = Field(default=1.0, gt=0)
    """How much of `spam_needs` a spam rule brings or an ok rule takes away; without meaning for test rules."""

    theme: bool = False
    """Whether it only tells what a text is about; of all such rules that a text meets, the heaviest one counts."""

    whole: bool = False
    """Whether a pattern must cover the whole text."""

    folded: bool = True
    """Whether accents, capitals and repeated letters are folded away before reading; if not, only capitals are."""

    patterns: tuple[str, ...] = Field(min_length=1)


class ScreeningSettings(BaseModel):
    """The whole of `screening.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    spam_needs: float = Field(gt=0)
    spam: tuple[Rule, ...] = Field(min_length=1)
    ok: tuple[Rule, ...] = Field(min_length=1)
    """What people write who complain, ask or warn: such a text needs more signals to count as advertising."""

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
    for kind in LABELS:
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
        self._rules = {"ok": _compile(settings.ok), "spam": _compile(settings.spam), "test": _compile(settings.test)}

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Read n texts ("" is allowed) and return n predictions in the same order; only the first 6,000 characters are read."""
        return [{"screening": self._read(text)} for text in texts]

    def find_rules(self, text: str) -> dict[str, tuple[Rule, ...]]:
        """Return the rules that a text meets, by the label they speak for, also where they don't suffice."""
        written = normalise(text[:_READ_CHARACTERS]).lower()
        folded = fold(text[:_READ_CHARACTERS])[:_READ_CHARACTERS]
        return {
            label: tuple(rule for rule, pattern in rules if _meets(rule, pattern, folded if rule.folded else written))
            for label, rules in self._rules.items()
        }

    def _read(self, text: str) -> Reading:
        met = self.find_rules(text)
        signals = _sum(met["spam"])
        weight = signals - _sum(met["ok"])
        if met["test"]:
            return _reading("test", 0.96)
        if weight >= self._spam_needs:
            return _reading("spam", 0.96 if weight > self._spam_needs else 0.9)
        return _reading("ok", 0.8 if signals >= self._spam_needs else 0.96)


def _compile(rules: Sequence[Rule]) -> list[tuple[Rule, re.Pattern[str]]]:
    return [(rule, re.compile("|".join(f"(?:{pattern})" for pattern in rule.patterns))) for rule in rules]


def _meets(rule: Rule, pattern: re.Pattern[str], text: str) -> bool:
    return bool(pattern.fullmatch(text) if rule.whole else pattern.search(text))


def _sum(rules: Sequence[Rule]) -> float:
    themes = [rule.weight for rule in rules if rule.theme]
    return sum(rule.weight for rule in rules if not rule.theme) + max(themes, default=0)


def _reading(label: str, sure: float) -> Reading:
    return Reading(label, {key: sure if key == label else (1 - sure) / (len(LABELS) - 1) for key in LABELS})
