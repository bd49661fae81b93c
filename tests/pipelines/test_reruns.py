"""What comes back when a window is run again and nothing in it has changed: the same bytes, whatever ran in between or where."""

from __future__ import annotations

import json

from pipelines.project import Project
from pipelines.runs import Readers
from tests.conftest import run_command, run_window, write_import


def test_zones_and_secrets_do_not_change_a_byte(mini_project: Project, tmp_path_factory) -> None:
    import shutil

    pages = []
    machines = [("UTC", "a" * 40), ("America/Lima", "b" * 40), ("Asia/Kolkata", "a" * 40), ("Pacific/Kiritimati", "b" * 40)]
    for zone, secret in machines:
        folder = tmp_path_factory.mktemp("machine") / "project"
        shutil.copytree(mini_project.root, folder)
        arguments = ("run", "mini", "--from", "2021-04-01", "--to", "2021-04-30", "--json")
        done = run_command(*arguments, project=folder, TZ=zone, ESCUCHA_SECRET=secret)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["schema_version"] == 1
        pages.append(
            (result["report_id"], (folder / "data" / "reports" / "mini" / "2021-04-01_2021-04-30" / "informe.html").read_bytes())
        )
    assert len(set(pages)) == 1


def test_two_halves_of_a_window_add_up_to_the_whole(mini_project: Project) -> None:
    counts = []
    for first, last in (("2021-04-01", "2021-04-15"), ("2021-04-16", "2021-04-30"), ("2021-04-01", "2021-04-30")):
        done = run_command("run", "mini", "--from", first, "--to", last, "--json", project=mini_project.root)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        counts.append(result["collected_count"])
    assert counts[0] + counts[1] == counts[2]


def test_what_is_collected_for_another_window_leaves_a_report_alone(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    page = first.path.read_bytes()
    write_import(
        mini_project.root, "mayo.csv", ["7,Ana Flores,Se cayó un árbol en el parque,12/05/2021", "8,Ana Flores,Sin fecha,"]
    )
    done = run_command("run", "mini", "--from", "2021-05-01", "--to", "2021-05-31", "--json", project=mini_project.root)
    assert json.loads(done.stdout)["manifestation_count"] >= 1, done.stderr
    _, _, again = run_window(mini_project, "mini", readers)
    assert again.report_id == first.report_id
    assert again.path.read_bytes() == page


def test_a_killed_second_run_makes_no_amendment(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    page = first.path.read_bytes()
    (spool,) = (mini_project.raw / "mini").iterdir()
    killed = spool.with_name("f" * 22)
    killed.mkdir()
    request = json.loads((spool / "request.json").read_text(encoding="utf-8"))
    (killed / "request.json").write_text(json.dumps({**request, "spool": str(killed)}), encoding="utf-8")
    (killed / "blog-ceres.jsonl.partial").write_bytes((spool / "blog-ceres.jsonl").read_bytes()[:5000])
    _, _, second = run_window(mini_project, "mini", readers)
    assert second.report_id == first.report_id
    assert second.path.read_bytes() == page


def test_a_report_on_some_sources_stands_beside_the_windows_own(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    page = first.path.read_bytes()
    arguments = ("report", "mini", "--from", "2021-04-01", "--to", "2021-04-30", "--source", "blog-ceres", "--json")
    done = run_command(*arguments, project=mini_project.root)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["source_planned_count"] == 1
    assert 0 < result["manifestation_count"] < first.totals["manifestation_count"]
    assert first.path.read_bytes() == page
    assert run_window(mini_project, "mini", readers)[2].report_id == first.report_id
