"""The command line: exit codes, clear messages, plain words, and that nothing else is lost when something fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.project import Project
from tests.conftest import ROOT, make_project, run_command

APRIL = ("--from", "2021-04-01", "--to", "2021-04-30")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that these tests read but do not fill."""
    return make_project(tmp_path_factory.mktemp("shared"), mini=True)


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    began = time.monotonic()
    heavy = ("prefect", "scrapy", "spacy", "duckdb", "pandas", "altair", "pydantic")
    probe = f"""
import sys
import pipelines.cli
sys.argv = ["escucha", "--help"]
try:
    pipelines.cli.main()
except SystemExit:
    print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "escucha" in done.stdout
    assert time.monotonic() - began < 10


def test_period_is_echoed_as_an_interval_with_its_zone(shared: Project) -> None:
    done = run_command("run", "mini", *APRIL, "--dry-run", project=shared.root)
    assert done.returncode == 0
    assert "[2021-04-01 00:00, 2021-05-01 00:00) America/Lima" in done.stdout
    assert not shared.warehouse.exists()
    assert not shared.raw.exists()


def test_a_month_is_a_window(shared: Project) -> None:
    done = run_command("run", "mini", "--from", "2021-04", "--dry-run", "--json", project=shared.root)
    assert json.loads(done.stdout)["period"] == "[2021-04-01 00:00, 2021-05-01 00:00) America/Lima"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "nowhere", *APRIL), 2, "available: ate, mini"),
        (("run", "mini", "--from", "2021-13-01"), 2, "2021-13-01"),
        (("run", "mini", "--from", "2021-04-30", "--to", "2021-04-01"), 2, "2021-04-01"),
        (("collect", "mini", *APRIL, "--source", "foro-x"), 2, "blog-ceres"),
        (("report", "mini", *APRIL, "--seen-until", "2021-05-01T00:00:00"), 2, "write for example 2021-05-01T00:00:00-05:00"),
        (("report", "mini", *APRIL, "--seen-until", "2021-05-01"), 2, "write for example 2021-05-01T23:59:59-05:00"),
        (("report", "mini", *APRIL), 4, "run `escucha collect mini --from 2021-04-01 --to 2021-04-30` first"),
        (("report", "mini", *APRIL, "--seen-until", "2021-05-03T14:00:00+00:00"), 4, "up to 2021-05-03T09:00:00-05:00; run"),
        (("report", "mini", *APRIL, "--format", ""), 2, "--format '': names no format; available: html, pdf, "),
        (("report", "mini", *APRIL, "--format", " , ,"), 2, "names no format; available: html, pdf, "),
        (("report", "mini", *APRIL, "--format", "html,odf,"), 2, "there is no format odf; available: "),
        (("actions", "new", "mini", *APRIL), 2, "run a window first"),
        (("annotate",), 2, "CITY"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_wrong_use_is_told_plainly(arguments: tuple[str, ...], code: int, said: str, tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    done = run_command(*arguments, project=project.root)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project_the_way_in_is_named(tmp_path: Path) -> None:
    done = run_command("doctor", project=tmp_path / "empty")
    assert done.returncode == 2
    assert "escucha init" in done.stderr


def test_five_errors_of_a_city_file_are_told_at_once(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    file = project.cities / "mini.yml"
    text = file.read_text(encoding="utf-8")
    for right, wrong in (
        ("platform: wordpress", "platform: wordpres"),
        ("country: PE", "pais: PE"),
        ("expect: {min: 0, max: 50}", "expect: {min: 60, max: 50}"),
        ("timezone: America/Lima", "timezone: America/Lma"),
        ("retention_days: 90", "retention_days: 0"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    file.write_text(text, encoding="utf-8")
    done = run_command("run", "mini", *APRIL, project=project.root)
    assert done.returncode == 2
    for said in ("wordpres", "pais", "min (60)", "America/Lma", "retention_days"):
        line = next(line for line in done.stderr.splitlines() if said in line)
        number = int(line.split(".yml:")[1].split(":")[0])
        assert said.split(" ")[0].strip("()") in file.read_text(encoding="utf-8").splitlines()[number - 1], line


def test_no_secret_no_run(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    file = project.cities / "mini.yml"
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(("clock:", "hosts:", "synthetic:"))
    ]
    start = next(number for number, line in enumerate(lines) if "id: correo-tardio" in line)
    head = lines[: lines.index("sources:") + 1]
    file.write_text("\n".join([*head, *lines[start:]]) + "\n", encoding="utf-8")
    done = run_command("run", "mini", *APRIL, project=project.root, ESCUCHA_SECRET="")
    assert done.returncode == 6, done.stderr
    assert "ESCUCHA_SECRET" in done.stderr
    assert not project.raw.exists() or not list(project.raw.rglob("*.jsonl"))
    done = run_command("run", "mini", *APRIL, project=project.root, ESCUCHA_SECRET="x" * 40)
    assert done.returncode == 0, done.stderr


def test_one_broken_source_does_not_lose_the_others(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    file = project.cities / "mini.yml"
    text = file.read_text(encoding="utf-8").replace(
        "text: [texto], date: fecha, link: enlace", "text: [mensaje], date: fecha, link: enlace", 1
    )
    text = text.replace("http://comerciantesdeate.test/foro/rss.xml", "http://comerciantesdeate.test/no-hay.xml", 1)
    file.write_text(text, encoding="utf-8")
    done = run_command("run", "mini", *APRIL, "--json", project=project.root)
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    outcomes = {outcome["source_id"]: outcome for outcome in result["outcomes"]}
    assert outcomes["pagina-mercados"]["reason"] == "missing_column"
    assert "abril.csv:1: no column 'mensaje'; the file has" in outcomes["pagina-mercados"]["detail"]
    assert outcomes["foro-comerciantes"]["reason"] == "http_error"
    assert outcomes["boletin-barrial"]["status"] == "empty"
    assert outcomes["blog-ceres"]["added_count"] > 100
    assert result["source_alive_count"] == result["source_planned_count"] - 2
    page = Path(result["path"]).read_text(encoding="utf-8")
    assert "Página Mercados de Ate" in page
    again = run_command("report", "mini", *APRIL, "--format", "html,", project=project.root)
    assert again.returncode == 3, again.stderr
    told = [line for line in again.stdout.splitlines() if line.startswith("partial ")]
    assert told == ["partial         foro-comerciantes: http error", "partial         pagina-mercados: missing column"]
    early = run_command("report", "mini", *APRIL, "--seen-until", "2021-04-01T05:00:00+00:00", project=project.root)
    assert (early.returncode, " up to 2021-04-01T00:00:00-05:00; give a later --seen-until" in early.stderr) == (4, True)


def test_a_busy_warehouse_says_who_holds_it(tmp_path: Path) -> None:
    from pipelines.warehouse import open_warehouse

    project = make_project(tmp_path, mini=True)
    with open_warehouse(project.warehouse):
        done = run_command("report", "mini", *APRIL, "--lock-timeout", "0.5", project=project.root)
    assert done.returncode == 5
    assert "process" in done.stderr


def test_a_newer_warehouse_is_refused(tmp_path: Path) -> None:
    import duckdb

    from pipelines.warehouse import migrate

    project = make_project(tmp_path, mini=True)
    migrate(project.warehouse)
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("insert into schema_migration values (999, '999_future.sql', 'x')")
    done = run_command("report", "mini", *APRIL, project=project.root)
    assert done.returncode == 2
    assert "newer version" in done.stderr


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs: they are started deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interruption_is_graceful_and_a_rerun_completes(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    command = [sys.executable, "-m", "pipelines.cli", "run", "mini", *APRIL, "--project", str(project.root)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ},
        preexec_fn=heed_interrupts,
    )
    while not list(project.root.glob("data/raw/mini/*/request.json")):
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    done = run_command("run", "mini", *APRIL, "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["manifestation_count"] > 300


def test_a_disabled_source_is_told_and_not_a_failure(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    file = project.cities / "mini.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("  - id: foro-comerciantes\n", "  - id: foro-comerciantes\n    enabled: false\n"), encoding="utf-8"
    )
    named = run_command("run", "mini", *APRIL, "--source", "foro-comerciantes", project=project.root)
    assert named.returncode == 2
    assert "enabled: true" in named.stderr
    done = run_command("run", "mini", *APRIL, "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["source_planned_count"] == result["source_alive_count"] == 4


def test_what_cannot_be_is_refused_before_anything_is_fetched(shared: Project) -> None:
    for arguments, said in (
        (("run", "mini", *APRIL, "--seen-until", "yesterday"), "--seen-until"),
        (("run", "mini", *APRIL, "--dry-run", "--seen-until", "yesterday"), "--seen-until"),
        (("run", "mini", *APRIL, "--dry-run", "--source", "foro-x"), "foro-x"),
        (("run", "mini", *APRIL, "--lock-timeout", "-1"), "lock-timeout"),
    ):
        done = run_command(*arguments, project=shared.root)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
    assert not shared.raw.exists()


def test_a_window_with_nothing_in_it_is_no_success(mini_project: Project) -> None:
    done = run_command("run", "mini", "--from", "2020-01", project=mini_project.root)
    assert done.returncode == 4, done.stderr


def test_lines_fit_a_terminal_of_80_columns(mini_project: Project) -> None:
    done = run_command("run", "mini", *APRIL, project=mini_project.root)
    long = [line for line in (done.stderr + done.stdout).splitlines() if len(line) > 80 and str(mini_project.root) not in line]
    assert long == []
    done = run_command("doctor", project=mini_project.root)
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and str(mini_project.root) not in line] == []
