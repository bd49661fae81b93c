"""The countable messages: which core, where, when, in whose words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle, islice

from pipelines.pilot.cores import Core, Material
from pipelines.pilot.drafts import Calendar, Crowd, Draft
from pipelines.pilot.plan import SENTIMENTS, DataCloser, Group, Plan, PlannedSource, Sentiment
from pipelines.pilot.wording import Wish, Writer

REUSE_PENALTY = 0.08
OFFICE_INTENTS = ("complaint", "request", "question", "proposal")


class PlanError(ValueError):
    """The plan asks for something that the cores cannot give."""


@dataclass
class Composer:
    """What every step of the composition needs."""

    plan: Plan
    material: Material
    writer: Writer
    calendar: Calendar
    crowds: dict[str, Crowd] = field(default_factory=dict)
    days_used: dict[str, set[date]] = field(default_factory=dict)

    def crowd(self, source: PlannedSource) -> Crowd:
        """Return the people of a source."""
        if source.id not in self.crowds:
            self.crowds[source.id] = Crowd(self.plan, source, source.count + self.plan.attention_office.requests)
        return self.crowds[source.id]

    def draft(self, core: Core, source: PlannedSource, step: str, serial: int) -> Draft:
        """Write one message of a core for a source, at an instant of the month."""
        rng = self.plan.stream(step, serial)
        sentiment = sentiment_of(core)
        return Draft(
            source=source,
            text=self.writer.write(
                Wish(text=core.text, sentiment=sentiment, source=source, off_topic=core.category == "otros"), rng
            ),
            author=self.crowd(source).draw(rng),
            moment=self.calendar.draw(source, rng, avoid=self.days_used.setdefault(core.id, set())),
            origin=core.id,
            core=core,
        )


def sentiment_of(core: Core) -> Sentiment:
    """Return the sentiment of a core.

    Raises:
        PlanError: if it is none of the three.
    """
    for sentiment in SENTIMENTS:
        if core.sentiment == sentiment:
            return sentiment
    raise PlanError(f"{core.id}: sentiment {core.sentiment!r}; allowed: {', '.join(SENTIMENTS)}")


def write_countable(composer: Composer) -> list[Draft]:
    """Write all countable online messages of the plan."""
    plan = composer.plan
    uses = [core for group in plan.groups for core in _uses(group, composer)]
    plan.stream("order").shuffle(uses)
    placed = _place(uses, plan)
    drafts = [composer.draft(core, source, "message", serial) for serial, (core, source) in enumerate(placed)]
    _set_edges(drafts, composer)
    _plant_data(drafts, plan)
    return drafts


def write_office(composer: Composer) -> list[Draft]:
    """Write the requests at the attention desk: a channel of its own."""
    plan = composer.plan
    source = plan.source(plan.attention_office.source)
    cores = [core for core in composer.material.cores if core.category != "otros" and core.intent in OFFICE_INTENTS]
    cores = [core for core in cores if len(core.text.split()) > 8]
    plan.stream("office").shuffle(cores)
    wanted = plan.attention_office.requests + plan.attention_office.outside
    drafts = [composer.draft(core, source, "office", serial) for serial, core in enumerate(islice(cycle(cores), wanted))]
    for serial, draft in enumerate(drafts[plan.attention_office.requests :]):
        draft.moment = composer.calendar.before(source, plan.stream("office", "outside", serial))
        draft.reason = "outside"
    return drafts


def _uses(group: Group, composer: Composer) -> Iterator[Core]:
    for sentiment in SENTIMENTS:
        wanted: int = getattr(group, sentiment)
        cores = [
            core
            for core in composer.material.cores
            if core.category == group.category
            and core.sentiment == sentiment
            and (not group.issues or core.issue in group.issues)
        ]
        if wanted and not cores:
            raise PlanError(f"no core for {group.category} {group.issues or ''} {sentiment}, and {wanted} are planned")
        composer.plan.stream("uses", group.category, *group.issues, sentiment).shuffle(cores)
        yield from islice(cycle(cores), wanted)


def _place(uses: Sequence[Core], plan: Plan) -> list[tuple[Core, PlannedSource]]:
    """Give every use a source: by room left and affinity, seldom the same core twice in one source."""
    rng = plan.stream("place")
    room = Counter({source.id: source.count for source in plan.sources})
    met: Counter[tuple[str, str]] = Counter()
    placed = []
    narrow = [source for source in plan.sources if source.options.get("encoding", "utf-8") != "utf-8"]
    # What some sources cannot show goes first, while the others still have room.
    for core in sorted(uses, key=lambda core: all(source.can_show(core.text) for source in narrow)):
        weights = [
            room[source.id] * source.affinity.get(core.category, 1.0) * REUSE_PENALTY ** met[core.id, source.id]
            if source.can_show(core.text)
            else 0.0
            for source in plan.sources
        ]
        if not any(weights):
            raise PlanError(f"{core.id}: no source with room left can show it")
        source = rng.choices(plan.sources, weights)[0]
        room[source.id] -= 1
        met[core.id, source.id] += 1
        placed.append((core, source))
    return placed


def _set_edges(drafts: Sequence[Draft], composer: Composer) -> None:
    """Move some messages to the first and the last second of the month."""
    edges, rng = composer.plan.countable_edges, composer.plan.stream("edges")
    candidates = [draft for draft in drafts if not draft.source.whole_minutes]
    chosen = rng.sample(candidates, edges.at_start + edges.at_end_minus_one_second)
    for number, draft in enumerate(chosen):
        at_start = number < edges.at_start
        draft.moment = composer.calendar.start if at_start else composer.calendar.end - timedelta(seconds=1)
        draft.notes.add("edge")


def _plant_data(drafts: Sequence[Draft], plan: Plan) -> None:
    """Let some writers give an invented personal datum away at the end of their message."""
    rng = plan.stream("personal data")
    free = [draft for draft in drafts if not draft.notes and len(draft.text.split()) > 5 and draft.text[-1].isascii()]
    order = rng.sample(free, len(free))
    for number in range(plan.personal_data):
        closer = plan.data_closers[number % len(plan.data_closers)]
        draft = next(draft for draft in order if not draft.notes and _suits(closer, draft))
        shapes = plan.data_values[closer.kind]
        value = shapes[number % len(shapes)].format(n=10 + number, a="ABCDEFGHJK"[number % 10])
        end = "" if draft.text.endswith((".", "!", "?", "…")) else "."
        draft.text += f"{end} {closer.text.format(value=value)}"
        draft.datum = (closer.kind, value)
        draft.notes.add("datum")


def _suits(closer: DataCloser, draft: Draft) -> bool:
    return draft.core is not None and (not closer.categories or draft.core.category in closer.categories)
