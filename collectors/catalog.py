"""Cities and their sources: closed models behind YAML, with every error of a file told in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from collectors.addresses import check_web_address
from collectors.items import Channel
from collectors.secrets import SecretReference
from collectors.spiders import SPIDERS, spider_class
from collectors.yaml_errors import NestedError, Place, load_yaml, raise_problems, validate_document, validate_nested

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
"""Lower-case letters, digits and single hyphens."""

PENDING = "PENDIENTE"
"""How a value begins that a person still has to fill in: allowed while `enabled: false`."""

DEFAULTABLE = frozenset({"legal_basis", "approved_by", "approved_on", "retention_days", "budget", "delay_seconds"})
"""Fields of a source that the file's `defaults` may supply."""


class Closed(BaseModel):
    """A model that refuses unknown keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Reads = Literal["web", "files", "both"]
"""`web`: a web address; `files`: a path inside the project folder; `both`: either."""

_ADDRESSES: Mapping[Reads, str] = {
    "web": "a web address",
    "files": "a path inside the project folder",
    "both": "a path inside the project folder or a web address",
}


class PlatformOptions(Closed):
    """What one platform needs to know beyond the address; each spider declares its own."""

    reads: ClassVar[Reads] = "web"
    """What the address of the source may be."""

    @property
    def asked(self) -> str | None:
        """The address that is asked instead of the source's own; None where they are one."""
        return None

    @property
    def cost(self) -> str | None:
        """The most that one collection may cost, in plain words, to be told before it; None if it costs nothing."""
        return None

    def check_source(self, source: Source) -> None:
        """Check what the platform demands of the rest of the source: its address, its retention.

        Raises:
            ValueError: if the platform cannot be used so; the message names the field and what is allowed.
        """


WebAddress = Annotated[str, AfterValidator(check_web_address)]
"""An http or https address on the internet."""


def is_pending(value: object) -> bool:
    """Tell whether a value is one that a person still has to fill in."""
    return isinstance(value, str) and value.strip().startswith(PENDING)


def pending_places(value: object, place: str = "") -> Iterator[str]:
    """Yield where values are pending, as in `options.consent.by`."""
    if is_pending(value):
        yield place
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from pending_places(below, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for number, below in enumerate(value):
            yield from pending_places(below, f"{place}[{number}]")


class ApiOptions(PlatformOptions):
    """Options of a platform whose API stands on another host than the page that people know."""

    api: WebAddress = Field(description="Base address of the API.")

    @property
    def asked(self) -> str:
        """The base address of the API."""
        return self.api


class Publisher(Closed):
    """Who answers for a source."""

    name: str = Field(min_length=1, description="Name as the report shows it.")
    kind: Literal["municipality", "institution", "press", "neighbourhood", "association", "forum", "other"] = Field(
        description="What kind of publisher this is."
    )
    official: bool = Field(description="True if the publisher speaks for the municipality.")
    authors: tuple[str, ...] = Field(
        (), description="Names under which the publisher itself posts or answers: context, never counted."
    )


class Expectation(Closed):
    """How many items one period of the city (its `period`) normally brings; a window of another length is expected in proportion.

    It decides until the source has a past of its own to be compared with. Outside it, the run and the report name the source.
    """

    min: int = Field(ge=0, description="Fewest items expected.")
    max: int = Field(ge=0, description="Most items expected.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) must not exceed max ({self.max})")
        return self


class Budget(Closed):
    """The most that one collection may take from a source; it stops there and says so."""

    requests: int = Field(500, ge=1, le=20_000, description="Requests, robots.txt included.")
    megabytes: int = Field(50, ge=1, le=2_000, description="Downloaded megabytes.")
    seconds: int = Field(1_800, ge=1, le=21_600, description="Wall-clock seconds.")
    depth: int = Field(250, ge=1, le=20_000, description="Pages behind one another, where links are followed (`page`).")


def _check_terms(address: str) -> str:
    return address if is_pending(address) else check_web_address(address)


class Source(Closed):
    """One place that a city listens to, with why it may."""

    id: Identifier = Field(description="Stable name of the source; never reused for another.")
    platform: str = Field(description="Technology that serves it: a key of SPIDERS.")
    url: str = Field(description="Where to start (http or https); for files also a path inside the project, * allowed.")
    publisher: Publisher
    channel: Channel = Field("online", description="How the messages arrive; channels are never added together.")
    legal_basis: str = Field(min_length=3, description="Why the municipality may process this (law and article).")
    terms: Annotated[str, AfterValidator(_check_terms)] = Field(
        description="Address of the terms under which the source publishes."
    )
    approved_by: str = Field(min_length=2, description="Who approved listening to it.")
    approved_on: date | None = Field(None, description="When it was approved (YYYY-MM-DD); null as long as nobody has.")
    retention_days: int = Field(ge=1, le=3_650, description="Days that texts are kept, from when first seen.")
    archive: bool = Field(False, description="True: what the source answers is kept raw too, unredacted, for a later rereading.")
    archive_days: int | None = Field(
        None, ge=1, le=3_650, description="Days that the raw archive is kept; by default 90, or retention_days if that is less."
    )
    expect: Expectation
    budget: Budget = Field(default_factory=lambda: Budget.model_validate({}))
    delay_seconds: float = Field(3.0, ge=1.0, le=300.0, description="Seconds between requests to the host.")
    ignore_parameters: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_.\[\]-]{1,40}$")], ...] = Field(
        (), description="Parameters of this source's links that change nothing, beyond trackers and sessions, which are known."
    )
    enabled: bool = Field(True, description="False: listed in the report, not collected.")
    synthetic: bool = Field(False, description="True: invented messages for a trial; a report over them says so on every page.")
    options: SerializeAsAny[PlatformOptions] = Field(default_factory=PlatformOptions, validate_default=True)

    @field_validator("platform")
    @classmethod
    def _known_platform(cls, platform: str) -> str:
        if platform not in SPIDERS:
            raise ValueError(f"unknown platform; available: {', '.join(sorted(SPIDERS))}")
        return platform

    @field_validator("options", mode="plain", json_schema_input_type=dict[str, Any])
    @classmethod
    def _options_of_platform(cls, options: object, info: ValidationInfo) -> PlatformOptions:
        platform = info.data.get("platform")
        if platform is None or (isinstance(options, PlatformOptions) and type(options) is not PlatformOptions):
            return options if isinstance(options, PlatformOptions) else PlatformOptions()
        given = {} if isinstance(options, PlatformOptions) else options
        known = spider_class(platform).Options
        try:
            return validate_nested(known, given)
        except NestedError as refused:
            if info.data.get("enabled") is False and isinstance(given, Mapping) and _only_pending(refused):
                # Never read before it is validated: enabling it needs every value.
                return known.model_construct(**{name: _plain(value) for name, value in given.items()})
            raise

    @model_validator(mode="after")
    def _url_fits_platform(self) -> Self:
        reads = self.options.reads
        if not self.url:
            raise ValueError(f"url: '' is empty; give {_ADDRESSES[reads]}")
        if "://" in self.url and reads == "files":
            raise ValueError(f"url: {self.url!r} must be a path inside the project folder")
        if "://" not in self.url and reads != "web":
            path = PurePosixPath(self.url)
            if path.is_absolute() or ".." in path.parts or "\\" in self.url or re.match(r"^[A-Za-z]:", self.url):
                raise ValueError(f"url: {self.url!r} must be a path inside the project folder")
            return self
        try:
            check_web_address(self.url)
        except ValueError as error:
            raise ValueError(f"url: {self.url!r} {error}") from error
        return self

    @model_validator(mode="after")
    def _archive_is_kept_no_longer(self) -> Self:
        if self.archive and self.host is None:
            raise ValueError("archive: only what is fetched from the web is archived; leave it out for files of the project")
        if self.archive_days is not None and self.archive_days > self.retention_days:
            raise ValueError(f"archive_days: {self.archive_days} exceeds retention_days ({self.retention_days})")
        return self

    @model_validator(mode="after")
    def _platform_allows_source(self) -> Self:
        self.options.check_source(self)
        return self

    @model_validator(mode="after")
    def _nothing_pending_if_enabled(self) -> Self:
        if self.enabled and self.pending:
            raise ValueError(f"{', '.join(self.pending)}: still to be filled in by a person; until then leave `enabled: false`")
        return self

    @property
    def pending(self) -> list[str]:
        """Where a person still has to fill in a value before the source may be enabled, as in `options.page`; sorted."""
        told = self.model_dump(mode="json", warnings=False)
        return sorted([*pending_places(told), *([] if self.approved_on else ["approved_on"])])

    @property
    def host(self) -> str | None:
        """The host that it is fetched from, lower-case; None for a file of the project."""
        address = self.options.asked or self.url
        return urlsplit(address).hostname if "://" in address else None


def _plain(value: Any) -> Any:
    """Return a value of a YAML document as plain dictionaries and lists, which alone are dumped whole."""
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(below) for below in value] if isinstance(value, list | tuple) else value


def _only_pending(refused: NestedError) -> bool:
    """Tell whether options were refused for nothing but values that a person still has to fill in."""
    return all(is_pending(detail["input"]) for detail in refused.error.errors())


class PublishedFigure(Closed):
    """One figure that somebody published about a period and that our own is set beside."""

    label: str = Field(description="The words as published.")
    count: int = Field(ge=0)
    category: str | None = Field(None, description="Category id that it is compared with.")
    rollup: str | None = Field(None, description="Roll-up id that it is compared with.")
    total: bool = Field(False, description="True: compared with all counted manifestations.")

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if [self.category is not None, self.rollup is not None, self.total].count(True) != 1:
            raise ValueError("give exactly one of category, rollup, total")
        return self


class Published(Closed):
    """Figures published elsewhere about one window, quoted and never used in a calculation."""

    title: str
    source: str = Field(description="Where the figures come from, for the reader.")
    first: date = Field(description="First day of the window that they are about.")
    last: date = Field(description="Last day of that window, inclusive.")
    figures: tuple[PublishedFigure, ...]
    quotes: tuple[str, ...] = Field((), description="Figures kept as quoted text.")
    note: str = Field("", description="What the reader must know about them.")


Licence = Literal["CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "ODbL-1.0"]
"""Licences of open data, by their SPDX ids."""


class Delivery(Closed):
    """Who is told of a new report."""

    to: SecretReference = Field(
        description="`env:NAME`: the variable that holds an Apprise address, such as mailto:// or json://."
    )
    link: WebAddress | None = Field(
        None, description="Where the folder data/reports can be seen; without it the message tells the page's path."
    )


def _check_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("unknown time zone; use a name of the IANA database such as America/Lima")
    return name


def _check_locale(name: str) -> str:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError("unknown locale; use a name such as es_PE") from error
    return name


class City(Closed):
    """A city: its facts and the sources that its authorities chose."""

    id: Identifier = Field(description="Name of the city in commands and tables; equals the file's name.")
    name: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    official_code: str = Field(description="Code of the national statistics office (INEI ubigeo in Peru).")
    timezone: Annotated[str, AfterValidator(_check_zone)] = Field(description="IANA name; days begin and end in it.")
    locale: Annotated[str, AfterValidator(_check_locale)] = Field("es_PE", description="How numbers and dates are written.")
    period: Literal["week", "month", "quarter"] = Field("month", description="The period of scheduled reports.")
    contact: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="Mailbox that the agent string names.")
    synthetic: bool = Field(False, description="True: invented data; every output says so.")
    clock: datetime | None = Field(None, description="Synthetic cities only: the instant at which collections happen.")
    hosts: Mapping[str, str] = Field(
        default_factory=dict,
        description="Synthetic cities only: host pattern under .test -> `replay` or a loopback address with its port.",
    )
    defaults: Mapping[str, Any] = Field(
        default_factory=dict, description="Values for sources that do not give their own: " + ", ".join(sorted(DEFAULTABLE))
    )
    sources: tuple[Source, ...] = Field(json_schema_extra={"minItems": 1})
    published: Published | None = None
    licence: Licence = Field("CC-BY-4.0", description="SPDX id of the licence under which its open data are published.")
    quotes: bool = Field(
        False,
        description="True: a report may quote, shortened, without name or link, what at least five persons said alike.",
    )
    deliver: tuple[Delivery, ...] = Field((), description="Who gets the headline of each new report; by default nobody.")

    @field_validator("defaults")
    @classmethod
    def _known_defaults(cls, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
        unknown = sorted(set(defaults) - DEFAULTABLE)
        if unknown:
            raise ValueError(f"{', '.join(unknown)} cannot have a default; allowed: {', '.join(sorted(DEFAULTABLE))}")
        return defaults

    @field_validator("clock")
    @classmethod
    def _aware_clock(cls, clock: datetime | None) -> datetime | None:
        if clock is not None and clock.tzinfo is None:
            raise ValueError("must carry its offset, as in 2021-05-03T09:00:00-05:00")
        return clock

    @field_validator("hosts")
    @classmethod
    def _loopback_hosts(cls, hosts: Mapping[str, str]) -> Mapping[str, str]:
        for pattern, address in hosts.items():
            if not re.fullmatch(r"(\*\.)?([a-z0-9-]+\.)*test", pattern):
                raise ValueError(f"{pattern!r}: only names under .test can be mapped")
            if address != "replay" and not re.fullmatch(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{1,5}", address):
                raise ValueError(f"{address!r}: use `replay` or a loopback address with its port, as in 127.0.0.1:8000")
        return hosts

    @field_validator("sources", mode="before")
    @classmethod
    def _some_source(cls, sources: object) -> object:
        # Counted before the entries are checked: where each entry is wrong, "too few" would only add noise.
        if isinstance(sources, list) and not sources:
            raise ValueError("a city needs at least one source")
        return sources

    @model_validator(mode="after")
    def _replay_only_if_synthetic(self) -> Self:
        if not self.synthetic and (self.hosts or self.clock):
            raise ValueError("hosts and clock are allowed only with `synthetic: true`")
        return self

    @model_validator(mode="after")
    def _real_hosts_only_if_real(self) -> Self:
        # The key of a synthetic city is published: with it, the pseudonyms of real people would be no secret.
        for source in self.sources if self.synthetic else ():
            if source.host is not None and not any(fnmatchcase(source.host, pattern) for pattern in self.hosts):
                mapped = ", ".join(map(repr, self.hosts)) or "none"
                raise ValueError(
                    f"source {source.id!r}: with `synthetic: true`, host {source.host!r} must be mapped by `hosts` ({mapped}); "
                    "files of the project need none; for real hosts, leave `synthetic` out"
                )
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)

    def now(self) -> datetime:
        """Return the instant that it is (aware): in a synthetic city with a clock of its own, always that one."""
        return self.clock or datetime.now(UTC)

    def source(self, source_id: str) -> Source:
        """Return the source with that id.

        Raises:
            ValueError: if there is none; the message lists those that exist.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        raise ValueError(f"{self.id} has no source {source_id!r}; available: {', '.join(s.id for s in self.sources)}")


def load_city(path: Path) -> City:
    """Load and check a city file.

    Raises:
        ConfigurationError: naming every problem of the file with its line, what is wrong and what is allowed.
    """
    document = load_yaml(path)
    entries = document.get("sources") if isinstance(document, dict) else None
    defaults = document.get("defaults") if isinstance(document, dict) else None
    defaulted: set[Place] = set()
    if isinstance(entries, list) and isinstance(defaults, dict):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                for key in sorted(DEFAULTABLE & set(defaults) - set(entry)):
                    entry[key] = defaults[key]
                    defaulted.add(("sources", index, key))

    def relocate(place: Place) -> Place:
        return ("defaults", *place[2:]) if place[:3] in defaulted else place

    return validate_document(City, document, path, extra_checks=lambda: _check_across(document, path), relocate=relocate)


def _check_across(document: Any, path: Path) -> Iterator[tuple[Place, str]]:
    """Yield (place, message) for what only the whole file can show: the city's name and double source ids."""
    if document.get("id") != path.stem:
        yield ("id",), f"{document.get('id')!r} must equal the file's name, {path.stem!r}"
    seen: dict[str, int] = {}
    entries = document.get("sources")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        source_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(source_id, str) and source_id in seen:
            yield ("sources", index, "id"), f"{source_id!r} is already the id of source number {seen[source_id] + 1}"
        elif isinstance(source_id, str):
            seen[source_id] = index


def load_catalog(folder: Path) -> dict[str, City]:
    """Load every `*.yml` of a folder; return city id -> City, in the order of the ids.

    Raises:
        ConfigurationError: naming every problem of every file.
    """
    return raise_problems(load_city, sorted(folder.glob("*.yml")), key=lambda city: city.id)


def city_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a city file, with each platform's options and without the fields that have a default."""
    schema = City.model_json_schema()
    definitions = schema["$defs"]
    source = definitions["Source"]
    source["required"] = [name for name in source["required"] if name not in DEFAULTABLE]
    source["properties"]["platform"]["enum"] = sorted(SPIDERS)
    source["allOf"] = []
    for platform in sorted(SPIDERS):
        options = spider_class(platform).Options.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(options.pop("$defs", {}))
        definitions[options["title"]] = options
        reference: dict[str, Any] = {"properties": {"options": {"$ref": f"#/$defs/{options['title']}"}}}
        if options.get("required") or options.get("anyOf"):
            reference["required"] = ["options"]
        source["allOf"].append({"if": {"properties": {"platform": {"const": platform}}}, "then": reference})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "escucha city file"}
