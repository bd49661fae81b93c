"""The labelled sentences of `collectors/redaction_cases.yml`, and how much of them redaction finds and spoils."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from collectors.redaction.texts import RECOGNISERS

CASES = Path(__file__).parent / "collectors" / "redaction_cases.yml"
PARTS = ("dev", "held_out", "last", "third", "fourth")
WORDS = frozenset({"address", "name"})
FIGURES = frozenset({"dni", "foreign", "ruc", "phone", "email", "plate", "account", "handle", "link", "coordinates"})
MARKS = {
    "[DNI]": "dni", "[documento]": "foreign", "[RUC]": "ruc", "[teléfono]": "phone", "[correo]": "email", "[placa]": "plate",
    "[cuenta]": "account", "[usuario]": "handle", "[coordenadas]": "coordinates", "[dirección]": "address", "[nombre]": "name",
}  # fmt: skip

Range = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A sentence with what must go (kind, range) and what must stay."""

    text: str
    personal: tuple[tuple[str, Range], ...]
    kept: tuple[Range, ...]


def load_cases(part: str) -> list[Case]:
    """Load the cases of a part in their order."""
    return [parse_case(line) for line in YAML(typ="safe").load(CASES.read_text(encoding="utf-8")).get(part, [])]


def parse_case(line: str) -> Case:
    """Return the sentence without its labels.

    Raises:
        ValueError: if a label is of no known kind.
    """
    text, personal, kept, copied = "", [], [], 0
    for match in re.finditer(r"⟨(\w+) ([^⟩]*)⟩", line):
        text += line[copied : match.start()]
        span = (len(text), len(text) + len(match[2]))
        text += match[2]
        copied = match.end()
        if match[1] == "keep":
            kept.append(span)
        elif match[1] in WORDS | FIGURES:
            personal.append((match[1], span))
        else:
            raise ValueError(f"{line}: {match[1]} is no kind; known: keep, {', '.join(sorted(WORDS | FIGURES))}")
    return Case(text + line[copied:], tuple(personal), tuple(kept))


def redacted_ranges(text: str) -> tuple[str, list[tuple[str, Range]]]:
    """Return the text as redaction leaves it, and what it took away: (kind, range of the text as it was).

    Of a link, whose host stays, it is what follows the host.
    """
    origins = [(at, at + 1) for at in range(len(text))]
    taken: dict[Range, str] = {}
    current, before = text, None
    while current != before:
        before = current
        for find in RECOGNISERS.values():
            for start, end, mark in reversed(list(find(current))):
                kind = MARKS.get(mark, "link")
                host = mark.rstrip(".,;:!?)")
                begin = current.index(host, start) + len(host) if kind == "link" else start
                span = (origins[begin][0], origins[end - 1][1])
                taken = {inner: known for inner, known in taken.items() if not span[0] <= inner[0] < inner[1] <= span[1]}
                taken[span] = kind
                origins[start:end] = [(origins[start][0], origins[end - 1][1])] * len(mark)
                current = current[:start] + mark + current[end:]
    return current, sorted((kind, span) for span, kind in taken.items())


@dataclass
class Score:
    """Spans to go, those of them of which every letter is gone, redactions, and those that are false alarms, by kind."""

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def recall(self, kinds: frozenset[str]) -> float:
        """Return the share of the spans of these kinds that are gone."""
        return sum(self.found[kind] for kind in kinds) / sum(self.wanted[kind] for kind in kinds)

    def precision(self, kinds: frozenset[str]) -> float:
        """Return the share of the redactions of these kinds that are no false alarms."""
        taken = sum(self.taken[kind] for kind in kinds)
        return 1 - sum(self.false[kind] for kind in kinds) / taken


def measure(cases: list[Case]) -> Score:
    """Return how the recognisers do on cases."""
    score = Score()
    for case in cases:
        redacted, taken = redacted_ranges(case.text)
        gone = {at for _, span in taken for at in range(*span)}
        for kind, span in case.personal:
            score.wanted[kind] += 1
            if all(at in gone or case.text[at].isspace() for at in range(*span)):
                score.found[kind] += 1
            else:
                score.errors.append(f"missed {kind} {case.text[slice(*span)]!r}: {redacted}")
        for kind, span in taken:
            score.taken[kind] += 1
            if not any(_meet(span, other) for _, other in case.personal) or any(_meet(span, kept) for kept in case.kept):
                score.false[kind] += 1
                score.errors.append(f"false {kind} {case.text[slice(*span)]!r}: {redacted}")
    return score


def _meet(one: Range, other: Range) -> bool:
    return one[0] < other[1] and other[0] < one[1]
