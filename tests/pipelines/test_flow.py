"""The flows without a server: their window, their steps in order, what they say at the end, and their deployments."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from pkgutil import resolve_name

import pytest
from ruamel.yaml import YAML

from collectors.catalog import City, load_city
from collectors.health import SourceHealth
from collectors.period import Period, PeriodError
from pipelines import period as flows
from pipelines.append import SourceOutcome
from pipelines.warehouse import open_read_only

prefect = flows.prefect
"""Prefect as the flows import it: after its telemetry was turned off."""

REPOSITORY = Path(__file__).parents[2]

CITY = """\
id: aldea
name: Aldea
country: PE
official_code: "000000"
timezone: America/Lima
contact: escucha@aldea.test
synthetic: true
clock: "2021-05-03T09:00:00-05:00"
defaults:
  legal_basis: Ejercicio de funciones propias
  approved_by: Comité de prueba
  approved_on: 2021-03-24
  retention_days: 30
sources:
  - id: buzon
    platform: file
    url: data/exports/buzon.csv
    terms: http://aldea.test/terminos/
    publisher: {name: Buzón, kind: municipality, official: true}
    expect: {min: 1, max: 10}
    options: {columns: {id: nro, text: [mensaje], date: fecha}}
  - id: perdido
    platform: file
    url: data/exports/perdido.csv
    terms: http://aldea.test/terminos/
    publisher: {name: Archivo perdido, kind: municipality, official: true}
    expect: {min: 1, max: 10}
    options: {columns: {id: nro, text: [mensaje], date: fecha}}
"""

MESSAGES = """\
nro,fecha,mensaje
1,30/03/2021,El camión de basura no pasa por mi cuadra desde el lunes
2,01/04/2021,Los buses van llenos y nadie respeta los paraderos
3,30/04/2021,Muchas gracias por la vacunación de los adultos mayores
4,01/05/2021,La pista de la avenida está llena de huecos
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "cities").mkdir(parents=True)
    (tmp_path / "data" / "exports").mkdir()
    (tmp_path / "data" / "cities" / "aldea.yml").write_text(CITY, encoding="utf-8")
    (tmp_path / "data" / "exports" / "buzon.csv").write_text(MESSAGES, encoding="utf-8")
    monkeypatch.setenv("ESCUCHA_PROJECT", str(tmp_path))
    return tmp_path


@pytest.fixture
def city(project: Path) -> City:
    return load_city(project / "data" / "cities" / "aldea.yml")


def outcome(source_id: str, status: str, reason: str = "none", *, items: int = 0, detail: str = "") -> SourceOutcome:
    health = SourceHealth(source_id=source_id, status=status, reason=reason, item_count=items, detail=detail)  # type: ignore[arg-type]
    return SourceOutcome(health, added_count=items)


def test_parameters_are_read_from_iso_dates() -> None:
    read = flows.period_report.validate_parameters({"city": "ate", "start": "2021-04-01", "end": "2021-04-30"})
    assert read == {"city": "ate", "start": date(2021, 4, 1), "end": date(2021, 4, 30)}


@pytest.mark.parametrize("written", ["01/04/2021", "2021-04-31", "abril"])
def test_other_dates_are_refused(written: str) -> None:
    with pytest.raises(prefect.exceptions.ParameterTypeError, match="start"):
        flows.period_report.validate_parameters({"city": "ate", "start": written, "end": "2021-04-30"})


def test_parameters_are_names_and_dates_only() -> None:
    assert list(inspect.signature(flows.period_report.fn).parameters) == ["city", "start", "end"]
    assert list(inspect.signature(flows.collect_day.fn).parameters) == ["city"]


@pytest.mark.parametrize(
    ("kind", "scheduled", "first", "last"),
    [
        ("month", "2021-05-01T05:00:00+00:00", "2021-04-01", "2021-04-30"),
        ("month", "2021-05-01T04:59:59+00:00", "2021-03-01", "2021-03-31"),  # in Lima still the 30th of April
        ("month", "2021-04-30T23:59:59-05:00", "2021-03-01", "2021-03-31"),
        ("week", "2021-04-12T05:00:00+00:00", "2021-04-05", "2021-04-11"),
        ("week", "2021-04-12T04:59:59+00:00", "2021-03-29", "2021-04-04"),
        ("quarter", "2021-04-01T05:00:00+00:00", "2021-01-01", "2021-03-31"),
        ("quarter", "2021-04-01T04:59:59+00:00", "2020-10-01", "2020-12-31"),
        ("day", "2021-04-02T08:20:00+00:00", "2021-04-01", "2021-04-01"),
        ("day", "2021-04-02T04:59:59+00:00", "2021-03-31", "2021-03-31"),
    ],
)
def test_without_dates_it_is_the_last_complete_unit_of_the_citys_zone(
    city: City, kind: str, scheduled: str, first: str, last: str
) -> None:
    chosen = flows.choose_period(city, None, None, kind=kind, scheduled=datetime.fromisoformat(scheduled))  # type: ignore[arg-type]
    assert (chosen.first_date.isoformat(), chosen.last_date.isoformat()) == (first, last)
    assert type(chosen.first_date) is date


def test_the_last_day_given_is_inside(city: City) -> None:
    chosen = flows.choose_period(
        city, date(2021, 4, 1), date(2021, 4, 30), kind="month", scheduled=datetime(2030, 1, 1, tzinfo=UTC)
    )
    assert chosen.end_utc == datetime(2021, 5, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("dates", [(date(2021, 4, 1), None), (None, date(2021, 4, 30))])
def test_one_date_alone_is_refused(city: City, dates: tuple[date | None, date | None]) -> None:
    with pytest.raises(PeriodError, match="both dates, or neither"):
        flows.choose_period(city, *dates, kind="month", scheduled=datetime(2021, 5, 1, 12, tzinfo=UTC))


def test_the_steps_make_a_report_and_publish_it(project: Path) -> None:
    shown: list[SourceOutcome] = []
    with flows.open_window("aldea", date(2021, 4, 1), date(2021, 4, 30)) as window:
        outcomes = flows.collect_sources.fn(window, progress=shown.append)
        annotated = flows.annotate_messages.fn(window)
        finished = flows.report_window.fn(window)
        published = flows.publish_tables.fn(window)
        summary = flows.render_summary(window, outcomes, finished)
    assert shown == outcomes
    assert {outcome.health.source_id: outcome.health.status for outcome in outcomes} == {"buzon": "ok", "perdido": "failed"}
    assert annotated > 0
    assert finished.manifestation_count == 2
    assert Path(finished.path).is_file()
    assert Path(published).is_relative_to(project)
    with open_read_only(Path(published)) as copy:
        rows = copy.query("select report_id, manifestation_count from report")
    assert rows == [(finished.report_id, 2)]
    assert finished.path in summary
    assert "| perdido | failed | missing file | 0 | 0 |" in summary
    assert "vacunación" not in summary


def test_a_day_is_collected_without_dates(project: Path) -> None:
    with flows.open_window("aldea", kind="day") as window:
        assert len(window.period.days()) == 1
        assert window.period.end_utc <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("status", "reason", "name", "failed"),
    [
        ("ok", "none", "Completed", False),
        ("empty", "nothing_published", "Empty", False),
        ("partial", "robots_closed", "Partial", False),
        ("failed", "unreachable", "Failed", True),
    ],
)
def test_each_source_is_a_state_of_its_own(status: str, reason: str, name: str, failed: bool) -> None:
    state = flows.show_source.fn(outcome("foro", status, reason, items=3, detail="http://foro.test/: timeout"))
    assert (state.name, state.is_failed()) == (name, failed)
    assert state.message is not None
    assert state.message.startswith("3 items, 3 new")
    assert (reason.replace("_", " ") in state.message) is (reason != "none")


def test_a_run_whose_sources_were_all_read_is_completed() -> None:
    state = flows.conclude([outcome("foro", "ok", items=3), outcome("blog", "empty", "nothing_published")], "done")
    assert (state.name, state.message) == ("Completed", "done")


def test_a_run_that_lost_a_source_is_partial_and_names_it() -> None:
    state = flows.conclude([outcome("foro", "ok", items=3), outcome("blog", "failed", "unreachable")], "done")
    assert state.is_completed()
    assert (state.name, state.message) == ("Partial", "done; not read whole: 1 of 2 sources: blog (unreachable)")


def test_a_run_that_read_nothing_is_failed() -> None:
    state = flows.conclude([outcome("foro", "failed", "unreachable"), outcome("blog", "failed", "http_error")], "done")
    assert state.is_failed()
    assert state.message == "no source could be read: foro (unreachable), blog (http error)"


def test_the_summary_carries_nothing_that_a_source_said(city: City, project: Path) -> None:
    window = flows.Window(None, None, city, Period.from_dates(date(2021, 4, 1), date(2021, 4, 1), city.zone))  # type: ignore[arg-type]
    summary = flows.render_summary(window, [outcome("foro", "failed", "malformed", detail="| [x](http://evil.test)")])
    assert summary.startswith("# Aldea (SYNTHETIC DATA)\n")
    assert "evil" not in summary


def test_importing_the_flows_turns_telemetry_off_and_respects_what_is_set(tmp_path: Path) -> None:
    names = ("PREFECT_SERVER_ANALYTICS_ENABLED", "DO_NOT_TRACK", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_") and name not in names}
    environment |= {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240"}
    program = (
        "import json, os, pipelines.period\n"
        "from prefect.settings import get_current_settings\n"
        "server = get_current_settings().server\n"
        "print(json.dumps([server.analytics_enabled, os.environ['DO_NOT_TRACK'], server.ephemeral.startup_timeout_seconds]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(ended.stdout) == [False, "1", 240]


def deployments() -> list[dict[str, object]]:
    document = YAML(typ="safe").load(REPOSITORY / "prefect.yaml")
    assert "pull" not in document
    return list(document["deployments"])


@pytest.mark.parametrize("deployment", deployments(), ids=lambda deployment: str(deployment["name"]))
def test_a_deployment_names_a_flow_and_keeps_limas_hours(deployment: dict[str, object]) -> None:
    flow = resolve_name(str(deployment["entrypoint"]))
    assert isinstance(flow, prefect.Flow)
    every_city = deployment["name"] == "retention-daily"
    chosen = flow.validate_parameters(dict(deployment["parameters"]))  # type: ignore[call-overload]
    assert chosen["city"] == (None if every_city else "ate")
    (schedule,) = deployment["schedules"]  # type: ignore[attr-defined,misc]
    assert prefect.client.schemas.schedules.CronSchedule(**schedule).timezone == "America/Lima"
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment["work_pool"] == {
        "name": "escucha",
        "job_variables": {"env": {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}},
    }


def test_the_report_is_made_after_the_nights_collection() -> None:
    hours = {str(deployment["name"]): deployment["schedules"][0]["cron"].split()[1] for deployment in deployments()}  # type: ignore[index]
    assert set(hours) == {"collect-daily", "retention-daily", "report-period"}
    assert int(hours["collect-daily"]) < int(hours["report-period"])
