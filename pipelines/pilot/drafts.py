"""A message under way, and when and by whom messages are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from pipelines.pilot.cores import Core
from pipelines.pilot.plan import Plan, PlannedSource
from pipelines.pilot.wire import ZONE

SIGNED_SHARE = 0.88
NICKNAME_SHARE = 0.2
WRITINGS_PER_AUTHOR = 1.8


@dataclass(kw_only=True, eq=False)
class Draft:
    """One item of one source, with the truth about it, until it is written out."""

    source: PlannedSource
    text: str
    author: str
    moment: datetime
    """Aware, in UTC. Also orders the items that show no date."""
    origin: str
    """Core or piece that it was made of."""
    core: Core | None = None
    reason: str = ""
    """Why it must not be counted, in the report's own words; empty if it counts."""
    dated: bool = True
    date_shown: str | None = None
    older_text: str | None = None
    """What the first version said, where the item was edited."""
    same_link_as: Draft | None = None
    answers: Draft | None = None
    datum: tuple[str, str] | None = None
    """Kind and value of the invented personal datum in the text."""
    number: int = 0
    article: int | None = None
    notes: set[str] = field(default_factory=set)
    """What other steps planted on it, so that no item is used twice."""


class Calendar:
    """Draws instants in the shape of the month."""

    def __init__(self, plan: Plan) -> None:
        """Weigh the days of the month."""
        self.start, self.end = plan.period.start.astimezone(UTC), plan.period.end.astimezone(UTC)
        first = self.start.astimezone(ZONE).date()
        self.days = [first + timedelta(days=number) for number in range((self.end - self.start).days)]
        shape = plan.shape
        self.weights = [shape.weekdays[day.weekday()] * shape.days.get(day, 1.0) for day in self.days]
        self.hours = shape.hours

    def draw(self, source: PlannedSource, rng: Random, *, avoid: set[date] | None = None) -> datetime:
        """Draw an instant of the month, on another day than those to avoid where a few tries find one."""
        for _ in range(4):
            day = rng.choices(self.days, self.weights)[0]
            if avoid is None or day not in avoid:
                break
        if avoid is not None:
            avoid.add(day)
        hour = rng.choices(range(24), self.hours)[0]
        clock = datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=ZONE)
        return at_precision(clock.astimezone(UTC), source)

    def holds(self, moment: datetime) -> bool:
        """Tell whether an instant lies in the month."""
        return self.start <= moment < self.end

    def before(self, source: PlannedSource, rng: Random) -> datetime:
        """Draw an instant of the three days before the month."""
        return at_precision(self.start - timedelta(seconds=rng.randint(2, 3 * 86_400)), source)

    def after(self, source: PlannedSource, rng: Random) -> datetime:
        """Draw an instant of the day and a half after the month."""
        return at_precision(self.end + timedelta(seconds=rng.randint(60, 130_000)), source)


def at_precision(moment: datetime, source: PlannedSource) -> datetime:
    """Cut the seconds where the site shows none."""
    return moment.replace(second=0) if source.whole_minutes else moment


class Crowd:
    """The invented people who write in one source; some of them often."""

    def __init__(self, plan: Plan, source: PlannedSource, size: int) -> None:
        """Make the names once.

        Args:
            plan: names to choose from.
            source: names differ from source to source.
            size: items that will be written.
        """
        rng = plan.stream("crowd", source.id)
        people = plan.people
        self.unsigned = people.unsigned
        names: dict[str, None] = {}
        while len(names) < max(3, int(size / WRITINGS_PER_AUTHOR)):
            if rng.random() < NICKNAME_SHARE:
                names[f"{rng.choice(people.nicknames)} {rng.randint(1, 99)}"] = None
            else:
                names[_spelt(f"{rng.choice(people.first)} {rng.choice(people.last)}", rng)] = None
        self.names = list(names)
        self.weights = [1 / (5 + rank) for rank in range(len(self.names))]

    def draw(self, rng: Random, *, signed: bool = False) -> str:
        """Draw a name; without `signed`, now and then none."""
        if not signed and rng.random() > SIGNED_SHARE:
            return rng.choice(self.unsigned)
        return rng.choices(self.names, self.weights)[0]


def _spelt(name: str, rng: Random) -> str:
    shape = rng.random()
    first, _, last = name.partition(" ")
    if shape < 0.1:
        return name.lower()
    if shape < 0.2:
        return f"{first} {last[0]}."
    return f"{name} {rng.choice('ABCDEGHLMPRSTV')}." if shape < 0.3 else name
