"""Whether everything that a run needs is in place, and how to mend what is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
from babel import UnknownLocaleError
from babel.numbers import format_decimal
from filelock import FileLock, Timeout

from collectors.catalog import City, load_catalog, load_city
from collectors.pseudonyms import SECRET_VARIABLE, SecretError, load_secret
from collectors.yaml_errors import ConfigurationError
from models.taxonomy import load_taxonomy
from pipelines.project import Project
from pipelines.retention import overdue
from pipelines.runs import load_readers
from pipelines.taxonomies import load_city_taxonomy, taxonomy_file
from pipelines.warehouse import Warehouse, WarehouseBusy, WarehouseError, memory_warehouse, open_alone, open_read_only

Verdict = tuple[bool, str]
"""Whether it is in place, and what to say: how it stands, or what is wrong and how to mend it."""

PYTHON = (3, 11)
GIGABYTE = 1_000_000_000
SAMPLE = (12345.67, "12,345.67")
"""A number and how es_PE writes it."""

TELEMETRY_OFF = {"PREFECT_SERVER_ANALYTICS_ENABLED": ("false", "0", "f", "n", "no", "off"), "DO_NOT_TRACK": ("1", "true")}
"""Variable -> the values that keep the flow engine from reporting home; unset, the flows set the first."""


def diagnose(project: Project) -> list[dict[str, Any]]:
    """Check everything that a run needs; no failure of one check keeps the others from being made. Nothing is changed.

    Returns:
        For each check `what` (its name), `ok`, and `said` (how it stands, or what is wrong and how to mend it).
    """
    cities = _cities_that_load(project)
    checks: dict[str, Callable[[], Verdict]] = {
        "python": _check_python,
        "project folder": lambda: _check_folder(project),
        "city files": lambda: _check_city_files(project),
        "secret": lambda: _check_secret(cities),
        "warehouse": lambda: _check_warehouse(project),
        "retention": lambda: _check_retention(project, cities),
        "published copy": lambda: _check_published(project),
        "free disk": lambda: _check_disk(project),
        "taxonomy": lambda: _check_taxonomy(project, cities),
        "models": lambda: _check_models(project),
        "telemetry": _check_telemetry,
        "locale data": lambda: _check_locales(cities),
        "time zone data": lambda: _check_zones(cities),
    }
    return [_examine(what, check) for what, check in checks.items()]


def _examine(what: str, check: Callable[[], Verdict]) -> dict[str, Any]:
    """Make one check; whatever breaks inside it is a finding too, because telling it is what this is for."""
    try:
        ok, said = check()
    except Exception as error:  # noqa: BLE001 (a doctor that dies of the first illness helps nobody)
        ok, said = False, f"{type(error).__name__}: {error}; reinstall escucha if this file is not yours to mend"
    return {"what": what, "ok": ok, "said": said}


def _cities_that_load(project: Project) -> list[City]:
    cities = []
    for path in sorted(project.cities.glob("*.yml")):
        try:
            cities.append(load_city(path))
        except (ConfigurationError, OSError):
            continue  # told by the check of the city files
    return cities


def _check_python() -> Verdict:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < PYTHON:
        return False, f"{version}; install Python {'.'.join(map(str, PYTHON))} or newer and make the environment again"
    return True, f"{version} at {sys.executable}"


def _check_folder(project: Project) -> Verdict:
    if not project.cities.is_dir():
        return False, f"{project.cities} is missing; make a project with `escucha init DIR`"
    data = project.cities.parent
    if not os.access(data, os.W_OK | os.X_OK):
        return False, f"{data} cannot be written by this user; change its owner or its rights"
    return True, str(project.root)


def _check_city_files(project: Project) -> Verdict:
    try:
        catalog = load_catalog(project.cities)
    except ConfigurationError as error:
        return False, f"{len(error.problems)} to mend:\n{error}"
    if not catalog:
        return False, f"no *.yml in {project.cities}; `escucha init DIR` writes a first city to copy"
    enabled = {city.id: f"{sum(source.enabled for source in city.sources)} of {len(city.sources)}" for city in catalog.values()}
    return True, ", ".join(f"{city_id} ({count} sources enabled)" for city_id, count in enabled.items())


def _check_secret(cities: Sequence[City]) -> Verdict:
    all_synthetic = bool(cities) and all(city.synthetic for city in cities)
    try:
        load_secret(os.environ, synthetic=all_synthetic)
    except SecretError as error:
        return False, str(error)
    if os.environ.get(SECRET_VARIABLE, "").strip():
        return True, f"{SECRET_VARIABLE} is set and long enough"
    return True, f"{SECRET_VARIABLE} is not set, and not needed: every city here is synthetic"


@contextmanager
def _reading(path: Path) -> Iterator[Warehouse]:
    """Open the warehouse to read, while no run can begin to write it.

    Raises:
        WarehouseBusy: at once, if a run is writing it.
    """
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = path.with_suffix(".holder")
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise WarehouseBusy(f"it is being written by {who}; wait until that run ends, or end it") from error
    try:
        with open_read_only(path) as warehouse:
            yield warehouse
    finally:
        lock.release()


def _check_warehouse(project: Project) -> Verdict:
    if not project.warehouse.is_file():
        return True, "none yet; the first run makes it"
    try:
        with _reading(project.warehouse) as warehouse:
            return _compare_schema(dict(warehouse.query("select number, digest from schema_migration")))
    except WarehouseBusy as error:
        return False, str(error)
    except (duckdb.Error, OSError) as error:
        remedy = f"bring back {project.warehouse.name} from a copy, or move it away: the next run rebuilds it from data/raw"
        return False, f"cannot be opened ({str(error).splitlines()[0]}); {remedy}"


def _check_retention(project: Project, cities: Sequence[City]) -> Verdict:
    """Tell which items are past their days by more than one: the night's run may still be to come."""
    if not project.warehouse.is_file():
        return True, "nothing is kept yet"
    said = []
    try:
        with open_alone(project.warehouse, lock_timeout=0) as warehouse:
            for city in cities:
                now = city.now()
                count, since = overdue(warehouse, city, now - timedelta(days=1))
                if since is not None:
                    said.append(f"{city.id}: {count} items since {since:%Y-%m-%d}")
    except (WarehouseBusy, WarehouseError) as error:
        return True, f"not looked at: {error}"
    except duckdb.Error:
        return True, "not looked at: the warehouse cannot be opened"
    if said:
        return False, f"past their days and still kept: {'; '.join(said)}; run `escucha retention apply`, every night at best"
    return True, "nothing is kept for longer than its source says"


def _compare_schema(applied: dict[int, str]) -> Verdict:
    with memory_warehouse() as fresh:
        known = dict(fresh.query("select number, digest from schema_migration"))
    newest, ours = max(applied, default=0), max(known)
    if newest > ours:
        return False, f"made by a newer version (schema {newest}; this one knows {ours}): update escucha"
    changed = sorted(number for number in applied if applied[number] != known.get(number))
    if changed:
        numbers = ", ".join(map(str, changed))
        return False, f"made with another migration {numbers}: install the version that made it, or move it away and run again"
    if newest < ours:
        return True, f"opens; schema {newest}, which the next run brings to {ours} (a copy of the file is kept)"
    return True, f"opens; schema {newest} is current"


def _check_published(project: Project) -> Verdict:
    if not project.warehouse.is_file():
        return True, "nothing to publish yet"
    if not project.published.is_file():
        return False, "there is none, so notebooks have nothing to open; run `escucha publish`"
    made = datetime.fromtimestamp(project.published.stat().st_mtime, UTC)
    written = datetime.fromtimestamp(project.warehouse.stat().st_mtime, UTC)
    age = f"made {made:%Y-%m-%d %H:%M} UTC, the warehouse last written {_ago(written, made)}"
    newest = "select report_id from report"
    try:
        with open_read_only(project.published) as copy:
            published = set(copy.query(newest))
        with _reading(project.warehouse) as warehouse:
            missing = set(warehouse.query(newest)) - published
    except WarehouseBusy:
        return True, f"{age}; not compared, because a run is writing the warehouse"
    except duckdb.Error as error:
        return False, f"cannot be compared ({str(error).splitlines()[0]}); run `escucha publish`"
    if missing:
        return False, f"{age}: it lacks {len(missing)} reports; run `escucha publish`"
    return True, f"{age}; it has every report"


def _ago(written: datetime, made: datetime) -> str:
    gap = written - made
    if gap <= timedelta(0):
        return "before that"
    return f"{gap.days} days {gap.seconds // 3600} h {gap.seconds // 60 % 60} min after that"


def _check_disk(project: Project) -> Verdict:
    size = project.warehouse.stat().st_size if project.warehouse.is_file() else 0
    needed, free = 2 * size + GIGABYTE, shutil.disk_usage(project.root).free
    figures = f"{free / GIGABYTE:.1f} GB free, {needed / GIGABYTE:.1f} GB needed (twice the warehouse and 1 GB)"
    if free < needed:
        return False, f"{figures}; free some, or move the project to a larger disk"
    return True, figures


def _check_taxonomy(project: Project, cities: Sequence[City]) -> Verdict:
    taxonomy = load_taxonomy()
    said = [f"version {taxonomy.version}, {len(taxonomy.category_ids)} categories"]
    own = {city.id: load_city_taxonomy(project, city.id) for city in cities if taxonomy_file(project, city.id).is_file()}
    said += [f"{city_id}: version {mine.version}, {len(mine.category_ids)} categories" for city_id, mine in own.items()]
    return True, "; ".join(said)


def _check_models(project: Project) -> Verdict:
    readers = load_readers(project)
    revisions = ", ".join(f"{name}@{annotator.revision}" for name, annotator in sorted(readers.annotators.items()))
    return True, f"{revisions} load"


def _check_telemetry() -> Verdict:
    wrong = {
        name: value
        for name, allowed in TELEMETRY_OFF.items()
        if (value := os.environ.get(name)) is not None and value.strip().lower() not in allowed
    }
    if wrong:
        given = ", ".join(f"{name}={value}" for name, value in wrong.items())
        wanted = ", ".join(f"{name}={TELEMETRY_OFF[name][0]}" for name in wrong)
        return False, f"the environment has {given}, so the flow engine may report home; unset it or set {wanted}"
    return True, "off: nothing is sent by the commands, and the flows turn it off for the flow engine"


def _check_locales(cities: Sequence[City]) -> Verdict:
    locales = sorted({"es_PE", *(city.locale for city in cities)})
    number, expected = SAMPLE
    try:
        written = {locale: format_decimal(number, locale=locale) for locale in locales}
    except (UnknownLocaleError, OSError) as error:
        return False, f"{error}; install the package babel again"
    if written["es_PE"] != expected:
        return False, f"es_PE writes {written['es_PE']} instead of {expected}; install the package babel again"
    return True, ", ".join(f"{locale} ({text})" for locale, text in written.items())


def _check_zones(cities: Sequence[City]) -> Verdict:
    names = sorted({"America/Lima", *(city.timezone for city in cities)})
    for name in names:
        try:
            ZoneInfo.no_cache(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            return False, f"{name}: {error}; install the time zone data: pip install tzdata"
    return True, ", ".join(names)
