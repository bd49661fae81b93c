"""Checking: every cell that somebody filled in against the sample and the taxonomy, all mistakes in one pass. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.preprocessing import fold
from models.taxonomy import Taxonomy
from pipelines.labels.filled import Answer
from pipelines.labels.guide import SENTIMENTS
from pipelines.labels.samples import FINAL
from pipelines.reports.formats import Wording

_LABELLER = re.compile(rf"[A-Z]|{FINAL}")
_MOST_ECHOED = 60
"""Characters of a wrong cell that an error repeats: a pasted page would bury the other lines."""


class Given(NamedTuple):
    """One row without mistakes; `issue` is None where none was chosen."""

    manifestation_id: str
    labeller: str
    category: str
    issue: str | None
    sentiment: str


@dataclass(frozen=True)
class Spellings:
    """What people may write for each label."""

    categories: Mapping[str, str]
    """Folded spelling -> category id."""

    issues: Mapping[str, Mapping[str, str]]
    """Category id -> folded spelling -> `category.issue`."""

    sentiments: Mapping[str, str]
    shown: Mapping[str, Sequence[str]]
    """`category`, `sentiment`, or a category id for its issues -> what an error lists as allowed."""


def spell_labels(taxonomy: Taxonomy, say: Wording) -> Spellings:
    """Return what may be written: the words of the drop-down lists, in any case and without accents too, or the ids."""
    tones = {key: str(say(f"workbook.sentiment.{key}")) for key in SENTIMENTS}
    issues = {
        category.id: {f"{category.id}.{issue.id}": issue.label_es for issue in category.issues}
        for category in taxonomy.categories
    }
    categories = {category.id: category.label_es for category in taxonomy.categories}
    shown = {"category": list(categories.values()), "sentiment": list(tones.values())}
    return Spellings(
        categories=_folded(categories),
        issues={category: _folded(own) | {fold(key.partition(".")[2]): key for key in own} for category, own in issues.items()},
        sentiments=_folded(tones) | {fold(taxonomy.label_es(key)): key for key in SENTIMENTS},
        shown=shown | {category: list(own.values()) for category, own in issues.items()},
    )


def check_answers(
    answers: Iterable[Answer], spellings: Spellings, *, allow_partial: bool, erased: Collection[str] = ()
) -> tuple[list[Given], list[str]]:
    """Check the cells of rows; return what they say, and a line for each mistake.

    Args:
        answers: the rows of all files of one sample.
        spellings: what is allowed.
        allow_partial: a row that nobody has labelled yet is no mistake; one that is half labelled always is.
        erased: messages whose text is stored no longer: nobody has to label them.
    """
    given: list[Given] = []
    mistakes: list[str] = []
    first: dict[tuple[str, str], str] = {}
    for answer in answers:
        found = _check_identity(answer, first)
        if answer.empty:
            if not allow_partial and answer.manifestation_id not in erased:
                found.append(f"{answer.place}: not labelled yet; fill the row in, or take what is there with --allow-partial")
            mistakes += found
            continue
        category, sentiment, issue = _read_cells(answer, spellings, found)
        if found:
            mistakes += found
        else:
            assert category is not None and sentiment is not None  # noqa: S101, PT018 (for the type checker)
            given.append(Given(answer.manifestation_id, answer.labeller, category, issue, sentiment))
    return given, mistakes


def quote(written: str) -> str:
    """Return what somebody wrote as an error repeats it: between quotes, its beginning if it is long."""
    return repr(shorten(written))


def shorten(written: str) -> str:
    """Return what somebody wrote, or its beginning and … if it is long."""
    return written if len(written) <= _MOST_ECHOED else written[:_MOST_ECHOED] + "…"


def _check_identity(answer: Answer, first: dict[tuple[str, str], str]) -> list[str]:
    found = []
    if not _LABELLER.fullmatch(answer.labeller):
        where = answer.at("labeller") if "labeller" in answer.columns else answer.place
        found.append(f"{where}: {quote(answer.labeller)} is no labeller; allowed: one letter from A to Z, or {FINAL}")
    if not answer.manifestation_id:
        found.append(f"{answer.at('code')}: the code of the message is missing; needed: its 32 characters, as they were exported")
        return found
    key = answer.labeller, answer.manifestation_id
    if key in first:
        code, labeller = shorten(answer.manifestation_id), shorten(answer.labeller)
        found.append(f"{answer.at('code')}: {code} of labeller {labeller} stands at {first[key]} already")
    first.setdefault(key, answer.place)
    return found


def _read_cells(answer: Answer, spellings: Spellings, found: list[str]) -> tuple[str | None, str | None, str | None]:
    """Return category, sentiment and issue of a row that is not empty; what is wrong with its cells goes into `found`."""
    category = _look_up(answer, "category", spellings.categories, spellings.shown["category"], found)
    sentiment = _look_up(answer, "sentiment", spellings.sentiments, spellings.shown["sentiment"], found)
    issue = None
    if answer.issue and category is not None:
        allowed = spellings.shown[category]
        issue = spellings.issues[category].get(fold(answer.issue))
        if issue is None:
            told = ", ".join(allowed) if allowed else "none, it has no issues: leave it empty"
            found.append(f"{answer.at('issue')}: {quote(answer.issue)} is no issue of {quote(answer.category)}; allowed: {told}")
    return category, sentiment, issue


def _look_up(answer: Answer, key: str, known: Mapping[str, str], allowed: Sequence[str], found: list[str]) -> str | None:
    written = getattr(answer, key)
    if not written:
        found.append(f"{answer.at(key)}: empty, though the row is labelled in part; allowed: {', '.join(allowed)}")
        return None
    label = known.get(fold(written))
    if label is None:
        found.append(f"{answer.at(key)}: {quote(written)} is not allowed; allowed: {', '.join(allowed)}")
    return label


def _folded(labels: Mapping[str, str]) -> dict[str, str]:
    """Return folded spelling -> id, for the ids themselves too."""
    return {fold(label): key for key, label in labels.items()} | {fold(key): key for key in labels}
