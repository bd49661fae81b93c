"""What stands around the countable messages and must not be counted: each item with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from pipelines.pilot.cores import Core, Piece
from pipelines.pilot.drafts import Draft
from pipelines.pilot.month import Composer, PlanError
from pipelines.pilot.plan import PlannedSource

LINK_MIRROR = "prensa-carretera-central"
LINKED_FROM = ("prensa-ate-al-dia", "prensa-vitarte")
INSTANT_MIRRORS = ("foro-vecinal-este", "pagina-vecinos-ate", "portal-escucha-este")
EDITED_IN = ("muni-red-comentarios", "pagina-mercados", "prensa-radio-santa-clara", "foro-vecinal-este")
MIRRORED_CHARACTERS = 45
"""Shorter texts are not mirrored: the same few words at the same instant are no evidence."""


def write_surroundings(composer: Composer, countable: Sequence[Draft]) -> list[Draft]:
    """Write everything that must not be counted, and plant the edits on countable messages."""
    _edit(composer, countable)
    return [
        *_own_repeats(composer, countable),
        *_link_mirrors(composer, countable),
        *_instant_mirrors(composer, countable),
        *_pieces(composer, "spam", composer.plan.around.spam),
        *_pieces(composer, "test", composer.plan.around.test),
        *_pieces(composer, "other_languages", composer.plan.around.other_languages, reason="other_language"),
        *_undated(composer),
        *_outside(composer),
        *_own_answers(composer, countable),
    ]


def _free(drafts: Sequence[Draft], rng: Random, fits: Callable[[Draft], bool]) -> Iterator[Draft]:
    """Yield messages in random order on which nothing is planted yet; each is marked when it is taken."""
    for draft in rng.sample(list(drafts), len(drafts)):
        if not draft.notes and fits(draft):
            draft.notes.add("taken")
            yield draft


def _edit(composer: Composer, countable: Sequence[Draft]) -> None:
    rng = composer.plan.stream("edits")
    fits: Callable[[Draft], bool] = lambda draft: (  # noqa: E731 (typed in place)
        draft.source.id in EDITED_IN and len(draft.text.split()) > 8 and "\n" not in draft.text
    )
    for _, draft in zip(range(composer.plan.around.edits), _free(countable, rng, fits), strict=False):
        draft.older_text = " ".join(draft.text.split()[:-2])


def _own_repeats(composer: Composer, countable: Sequence[Draft]) -> Iterator[Draft]:
    rng, end = composer.plan.stream("repeats"), composer.calendar.end
    unsigned = composer.plan.people.unsigned
    fits: Callable[[Draft], bool] = lambda draft: draft.author not in unsigned and draft.moment < end - timedelta(days=2)  # noqa: E731
    for _, draft in zip(range(composer.plan.around.own_repeats), _free(countable, rng, fits), strict=False):
        moment = draft.moment + timedelta(minutes=rng.randint(30, 2_800))
        yield _again(draft, draft.source, moment, "own_repeat")


def _link_mirrors(composer: Composer, countable: Sequence[Draft]) -> Iterator[Draft]:
    rng, target = composer.plan.stream("link mirrors"), composer.plan.source(LINK_MIRROR)
    fits: Callable[[Draft], bool] = lambda draft: draft.source.id in LINKED_FROM  # noqa: E731
    for _, draft in zip(range(composer.plan.around.permalink_mirrors), _free(countable, rng, fits), strict=False):
        mirror = _again(draft, target, draft.moment, "mirror")
        mirror.same_link_as = draft
        yield mirror


def _instant_mirrors(composer: Composer, countable: Sequence[Draft]) -> Iterator[Draft]:
    rng, sources = composer.plan.stream("instant mirrors"), composer.plan.sources
    fits: Callable[[Draft], bool] = lambda draft: (  # noqa: E731 (typed in place)
        len(draft.text) >= MIRRORED_CHARACTERS and sources.index(draft.source) < sources.index(targets[0])
    )
    targets = [composer.plan.source(source_id) for source_id in INSTANT_MIRRORS]
    for number, draft in zip(range(composer.plan.around.instant_mirrors), _free(countable, rng, fits), strict=False):
        yield _again(draft, targets[number % len(targets)], draft.moment, "mirror")


def _again(draft: Draft, source: PlannedSource, moment: datetime, reason: str) -> Draft:
    return Draft(
        source=source, text=draft.text, author=draft.author, moment=moment, origin=draft.origin, core=draft.core, reason=reason
    )


def _pieces(composer: Composer, name: str, wanted: int, *, reason: str | None = None) -> Iterator[Draft]:
    rng = composer.plan.stream("pieces", name)
    pieces = composer.material.context[name]
    if len(pieces) < wanted:
        raise PlanError(f"context/{name}.tsv has {len(pieces)} rows and {wanted} are planned")
    for piece in rng.sample(pieces, wanted):
        source = _any_source(composer, rng, piece.text)
        text = composer.writer.fill(piece.text.strip(), rng)
        moment = composer.calendar.draw(source, rng)
        author = composer.crowd(source).draw(rng)
        yield Draft(source=source, text=text, author=author, moment=moment, origin=piece.id, reason=reason or name)


def _any_source(
    composer: Composer, rng: Random, text: str, *, fits: Callable[[PlannedSource], bool] = lambda source: True
) -> PlannedSource:
    sources = [source for source in composer.plan.sources if source.count and source.can_show(text) and fits(source)]
    return rng.choices(sources, [source.count for source in sources])[0]


def _any_core(composer: Composer, rng: Random) -> Core:
    return rng.choice([core for core in composer.material.cores if len(core.text.split()) > 6])


def _undated(composer: Composer) -> Iterator[Draft]:
    rng = composer.plan.stream("undated")
    for serial in range(composer.plan.around.undated):
        core = _any_core(composer, rng)
        source = _any_source(composer, rng, core.text, fits=lambda source: source.may_be_undated)
        draft = composer.draft(core, source, "undated", serial)
        draft.dated, draft.reason = False, "undated"
        draft.date_shown = rng.choice(composer.plan.unreadable_dates) if rng.random() < 0.6 else None
        yield draft


def _outside(composer: Composer) -> Iterator[Draft]:
    rng, calendar, planned = composer.plan.stream("outside"), composer.calendar, composer.plan.around.outside
    second = timedelta(seconds=1)
    moments: list[Callable[[PlannedSource], datetime]] = [
        *[lambda source: calendar.before(source, rng)] * planned.before,
        *[lambda source: calendar.after(source, rng)] * planned.after,
        *[lambda source: calendar.start - second] * planned.at_start_minus_one_second,
        *[lambda source: calendar.end] * planned.at_end,
    ]
    for serial, moment in enumerate(moments):
        core = _any_core(composer, rng)
        source = _any_source(composer, rng, core.text, fits=lambda source: not source.whole_minutes)
        draft = composer.draft(core, source, "outside", serial)
        draft.moment, draft.reason = moment(source), "outside"
        yield draft


def _own_answers(composer: Composer, countable: Sequence[Draft]) -> Iterator[Draft]:
    rng = composer.plan.stream("own answers")
    answers = [piece for piece in composer.material.context["official"] if not piece.title]
    for source_id, wanted in composer.plan.around.own_answers.items():
        source = composer.plan.source(source_id)
        answered = rng.sample([draft for draft in countable if draft.source is source], wanted)
        for draft in answered:
            category = draft.core.category if draft.core else ""
            piece = rng.choice([answer for answer in answers if answer.topic == category] or answers)
            yield _answer(composer, draft, piece, rng)


def _answer(composer: Composer, draft: Draft, piece: Piece, rng: Random) -> Draft:
    return Draft(
        source=draft.source,
        text=composer.writer.fill_piece((piece.text,), rng)[0],
        author=composer.plan.own_names[draft.source.id],
        moment=draft.moment + timedelta(minutes=rng.randint(20, 1_200)),
        origin=piece.id,
        reason="official",
        answers=draft,
    )
