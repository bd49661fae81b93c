"""Reads the feeling of a text with a lexicon of weighted words and a few rules of Spanish grammar."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from models.configuration import Problem, load_configuration
from models.lemmas import SIMPLEMMA, Lemmatiser
from models.matching import Match, PhraseIndex, Token

LEXICON_FILE = Path(__file__).with_name("lexicon_es.yml")
"""The lexicon that ships with the package."""

Terms = Annotated[tuple[str, ...], Field(min_length=1)]

_SCOPE = 3
"""How many meaningful words a negator or an intensifier reaches."""

_SHORT = 8
"""Up to this many meaningful words a single feeling is the whole message."""

_NEUTRAL = 1.05
"""How much evidence a feeling needs to outweigh neutrality."""


class Lexicon(BaseModel):
    """The whole of `lexicon_es.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    polarity: dict[str, Terms]
    """Weight, written as a decimal number between -3 and 3, -> the words and phrases that have it."""

    negators: Terms
    intensifiers: Terms
    diminishers: Terms
    shifts: Terms
    courtesies: Terms
    proposals: Terms

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex, 64 characters) over the canonical content."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class _Evidence(NamedTuple):
    negative: float
    positive: float
    plain: float
    """What speaks for neutrality: a proposal's wording, less for a short text."""


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Load a polarity lexicon; without a path, the one that ships with the package.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        FileNotFoundError: if there is no such file.
    """
    return load_configuration(path or LEXICON_FILE, Lexicon, check=_find_problems)


def _find_problems(raw: Mapping[str, Any]) -> list[Problem]:
    polarity = raw.get("polarity")
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for weight, terms in polarity.items() if isinstance(polarity, dict) else ():
        if not _is_weight(weight):
            message = f"{weight!r} is no weight; allowed: a quoted number from -3 to 3, not 0"
            problems.append(Problem(("polarity", weight), message))
        for position, term in enumerate(terms if isinstance(terms, list) else ()):
            if term in seen:
                message = f"{term!r} already has the weight {seen[term]}; keep one"
                problems.append(Problem(("polarity", weight, position), message))
            seen[term] = weight
    return problems


def _is_weight(weight: object) -> bool:
    try:
        return isinstance(weight, str) and 0 < abs(float(weight)) <= 3
    except ValueError:
        return False


class PolarityReader:
    """Weighs what speaks for neg, neu and pos in a text."""

    def __init__(self, lexicon: Lexicon, *, lemmatiser: Lemmatiser = SIMPLEMMA) -> None:
        """Index the lexicon for tokens that are read with that lemmatiser."""
        weighted = [(term, float(weight)) for weight, terms in lexicon.polarity.items() for term in terms]
        self._weights = [weight for _, weight in weighted]
        self._polar = PhraseIndex([term for term, _ in weighted], genders=True, lemmatiser=lemmatiser)
        roles = ("negators", "intensifiers", "diminishers", "shifts", "courtesies", "proposals")
        named = [(term, role) for role in roles for term in getattr(lexicon, role)]
        self._roles = [role for _, role in named]
        self._cues = PhraseIndex([term for term, _ in named], lemmatiser=lemmatiser)

    def read(self, tokens: Sequence[Token]) -> dict[str, float]:
        """Return the probabilities of neg, neu and pos; without evidence neu is the likeliest."""
        evidence = self._weigh(tokens)
        logits = {
            "neg": 1.1 * math.log1p(evidence.negative) - 0.15,
            "neu": _NEUTRAL + evidence.plain - 0.25 * math.log1p(evidence.negative + evidence.positive),
            "pos": 1.1 * math.log1p(evidence.positive) - 0.15 - 0.35 * math.log1p(evidence.negative) - max(evidence.plain, 0.0),
        }
        total = sum(math.exp(1.4 * value) for value in logits.values())
        return {label: math.exp(1.4 * value) / total for label, value in logits.items()}

    def _weigh(self, tokens: Sequence[Token]) -> _Evidence:
        polar = self._strongest(self._polar.find(tokens))
        cues = self._place_cues(tokens)
        shift = max(cues["shifts"], default=-1)
        negative = positive = polite = 0.0
        for match in polar:
            weight = self._weights[match.entry] * self._context(match, tokens, cues)
            weight *= 0.6 if match.start < shift else 1.0
            if weight < 0:
                negative -= weight
            elif match.start in cues["courtesies"]:
                polite += weight
            else:
                positive += weight
        positive += polite * (0.35 if negative >= 1.5 or len(tokens) > _SHORT + 4 else 1.0)
        loud = 1.15 if sum(token.surface == "!" for token in tokens) >= 2 else 1.0
        short = 0.4 if len(tokens) <= _SHORT else 0.0
        return _Evidence(negative * loud, positive * loud, 0.35 * min(len(cues["proposals"]), 2) - short)

    def _strongest(self, matches: Sequence[Match]) -> list[Match]:
        """Keep one match for each stretch of text: "cansado" and "cansar" are two terms and one feeling."""
        kept: dict[int, Match] = {}
        for match in matches:
            if match.start not in kept or abs(self._weights[match.entry]) > abs(self._weights[kept[match.start].entry]):
                kept[match.start] = match
        return list(kept.values())

    def _place_cues(self, tokens: Sequence[Token]) -> dict[str, set[int]]:
        """Return for each role the positions that it covers."""
        places: dict[str, set[int]] = {role: set() for role in dict.fromkeys(self._roles)}
        for match in self._cues.find(tokens):
            places[self._roles[match.entry]].update(range(match.start, match.end))
        return places

    def _context(self, match: Match, tokens: Sequence[Token], cues: Mapping[str, set[int]]) -> float:
        """Return the factor that the words before a match put on it, its capitals included."""
        factor = 1.0
        for position in range(match.start - 1, max(match.start - 1 - _SCOPE, -1), -1):
            if not tokens[position].surface[0].isalnum():
                break
            if position in cues["negators"]:
                factor *= -0.7 if self._weights[match.entry] > 0 else 0.6 if len(tokens) > 12 else -0.3
                break
            if match.start - position == 1:
                factor *= 1.35 if position in cues["intensifiers"] else 0.6 if position in cues["diminishers"] else 1.0
        words = [token.surface for token in tokens[match.start : match.end]]
        return factor * (1.25 if all(word.isupper() and len(word) > 2 for word in words) else 1.0)
