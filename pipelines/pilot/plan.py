"""The plan of the synthetic month: a closed model behind `data/pilot/plan.yml`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

Sentiment = Literal["pos", "neg", "neu"]
SENTIMENTS: tuple[Sentiment, ...] = ("pos", "neg", "neu")
THREADED = frozenset(("wordpress", "comment_list", "microdata", "opinions", "phpbb", "discourse", "isso", "mastodon"))
UNDATED = frozenset(("rss", "atom", "comment_list", "microdata", "opinions", "csv"))
EMPTY_WEIGHTS: dict[str, float] = {}


class Planned(BaseModel):
    """A model that refuses unknown keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Planned):
    """The month, [start, end), in UTC."""

    start: AwareDatetime
    end: AwareDatetime


class Group(Planned):
    """Countable messages of one category, or of some issues of it, by sentiment."""

    category: str
    issues: tuple[str, ...]
    """Empty: every issue of the category."""
    pos: int
    neg: int
    neu: int

    @property
    def total(self) -> int:
        """All three sentiments."""
        return self.pos + self.neg + self.neu


class AttentionOffice(Planned):
    """The citizen-attention desk."""

    source: str
    requests: int
    outside: int


class Session(Planned):
    """One workshop of a zone and the file of its minutes."""

    file: str = Field(pattern=r"^[a-z-]+\.(docx|odt)$")
    """In `data/pilot/minutes`; its rows stand in `cores/workshops`, in a table of the same name."""
    date: str
    place: str


class Workshops(Planned):
    """The workshops of the month: a channel of its own."""

    source: str
    consent: str
    sessions: tuple[Session, ...]


class Outside(Planned):
    """Items just outside the month."""

    before: int
    after: int
    at_start_minus_one_second: int
    at_end: int


class Around(Planned):
    """What must not be counted."""

    own_answers: dict[str, int]
    permalink_mirrors: int
    instant_mirrors: int
    own_repeats: int
    spam: int
    test: int
    outside: Outside
    undated: int
    other_languages: int
    edits: int


class Edges(Planned):
    """Countable items at the very edges of the month."""

    at_start: int
    at_end_minus_one_second: int


class PlannedSource(Planned):
    """One source: where it answers, how much it shows."""

    id: str
    host: str
    path: str
    wire: str
    id_format: str
    count: int
    articles: int
    official: bool = False
    topics: bool = False
    """True: its articles are forum topics, without a text."""
    most_answers: int | None = None
    """How many messages at most hang below one article; None = any number."""
    reactions: bool = False
    subjects: bool = False
    whole_minutes: bool = False
    """True: the site shows no seconds."""
    affinity: dict[str, float] = EMPTY_WEIGHTS
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def threaded(self) -> bool:
        """Whether every message hangs below an article."""
        return self.wire in THREADED

    @property
    def may_be_undated(self) -> bool:
        """Whether its format lets an item stand without a readable date."""
        return self.wire in UNDATED

    @property
    def tells_articles(self) -> bool:
        """Whether its articles are items of their own: topics have no text, and Isso serves the comments alone."""
        return not self.topics and self.wire != "isso"

    def can_show(self, text: str) -> bool:
        """Tell whether its encoding holds the text."""
        try:
            text.encode(self.options.get("encoding", "utf-8"))
        except UnicodeEncodeError:
            return False
        return True


class Shape(Planned):
    """When people write: weights."""

    weekdays: tuple[float, ...] = Field(min_length=7, max_length=7)
    days: dict[date, float]
    hours: tuple[float, ...] = Field(min_length=24, max_length=24)


class Style(Planned):
    """How people write."""

    institutional: tuple[str, ...]
    greetings: tuple[str, ...]
    """How a message begins that needs no opener."""
    misspellings: dict[str, str]
    emoji: dict[Sentiment, tuple[str, ...]]


class People(Planned):
    """What authors' names are made of."""

    unsigned: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    nicknames: tuple[str, ...]


class DataCloser(Planned):
    """A sentence that gives a personal datum away; `categories` empty = any."""

    kind: str
    categories: tuple[str, ...]
    text: str


class Labeller(Planned):
    """A simulated labeller: chances of a wrong cell."""

    category_error: float
    sentiment_error: float


class Labels(Planned):
    """The simulated labels of the city."""

    count: int
    labellers: dict[str, Labeller]


class Plan(Planned):
    """Everything that is planted."""

    seed: int
    period: Window
    countable: int
    groups: tuple[Group, ...]
    attention_office: AttentionOffice
    workshops: Workshops
    around: Around
    countable_edges: Edges
    unused_cores: tuple[str, ...]
    personal_data: int
    sources: tuple[PlannedSource, ...]
    shape: Shape
    titles: dict[str, str]
    own_names: dict[str, str]
    newsroom: str
    subjects: tuple[str, ...]
    hours: tuple[str, ...]
    weekdays: tuple[str, ...]
    style: Style
    people: People
    data_closers: tuple[DataCloser, ...]
    data_values: dict[str, tuple[str, ...]]
    unreadable_dates: tuple[str, ...]
    labels: Labels

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        by_group = sum(group.total for group in self.groups)
        by_source = sum(source.count for source in self.sources)
        if not self.countable == by_group == by_source:
            raise ValueError(f"countable is {self.countable}, the groups add up to {by_group} and the sources to {by_source}")
        return self

    def source(self, source_id: str) -> PlannedSource:
        """Return a source by its id.

        Raises:
            KeyError: if the plan has no such source.
        """
        return {source.id: source for source in self.sources}[source_id]

    def stream(self, *names: object) -> Random:
        """Return the random numbers of one step, the same on every machine and untouched by the other steps."""
        return Random(":".join(map(str, (self.seed, *names))))


def load_plan(path: Path) -> Plan:
    """Load and check a plan.

    Raises:
        pydantic.ValidationError: if a key is unknown or the totals do not agree.
    """
    return Plan.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
