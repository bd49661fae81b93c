"""What comes back when a window is run again: amendments, old instants, new secrets, other machines."""

from __future__ import annotations

import json
from datetime import timedelta

from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse
from tests.conftest import run_command, run_window, write_import


def test_a_late_file_is_an_amendment_and_the_old_instant_gives_the_old_bytes(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    old_page = first.path.read_bytes()
    write_import(mini_project.root, "tarde.csv", ["2,Luis Mamani,Gracias por arreglar el poste de mi calle,29/04/2021"])
    outcomes, _, second = run_window(mini_project, "mini", readers)
    assert sum(outcome.added_count for outcome in outcomes) == 1
    assert second.seen_until > first.seen_until
    assert second.totals["manifestation_count"] == first.totals["manifestation_count"] + 1
    assert second.totals["amends_report_id"] == first.report_id
    assert second.totals["late_count"] == 1
    new_page = second.path.read_bytes()
    assert "Enmienda" in new_page.decode()
    instant = first.seen_until.isoformat()
    done = run_command(
        "report", "mini", "--from", "2021-04-01", "--to", "2021-04-30", "--seen-until", instant, project=mini_project.root
    )
    assert done.returncode == 0, done.stderr
    assert second.path.with_name(f"informe-{first.report_id[:12]}.html").read_bytes() == old_page
    assert second.path.read_bytes() == new_page


def test_an_edit_is_a_new_version_counted_once(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    write_import(mini_project.root, "antes.csv", ["1,Rosa Quispe,Ya arreglaron la luz de mi cuadra gracias,10/04/2021"])
    _, annotations, second = run_window(mini_project, "mini", readers)
    assert second.totals["manifestation_count"] == first.totals["manifestation_count"]
    assert annotations > 0
    with open_warehouse(mini_project.warehouse) as warehouse:
        sql = (
            "select version_number, text from manifestation join manifestation_text using (manifestation_id, version)"
            " where source_id = 'correo-tardio' order by 1"
        )
        assert [(number, "gracias" in text) for number, text in warehouse.query(sql)] == [(1, False), (2, True)]
    write_import(mini_project.root, "antes.csv", ["1,Rosa Quispe,Falta luz en mi cuadra hace días,10/04/2021"])
    run_window(mini_project, "mini", readers)
    with open_warehouse(mini_project.warehouse) as warehouse:
        numbers = warehouse.query(
            "select version_number, version from manifestation where source_id = 'correo-tardio' order by 1"
        )
    assert [number for number, _ in numbers] == [1, 2, 3]
    assert numbers[0][1] == numbers[2][1] != numbers[1][1]


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


def test_an_edit_that_moves_a_date_out_of_the_window_is_seen(mini_project: Project, readers: Readers) -> None:
    _, _, first = run_window(mini_project, "mini", readers)
    write_import(mini_project.root, "antes.csv", ["1,Rosa Quispe,Falta luz en mi cuadra hace días,10/03/2021"])
    _, _, second = run_window(mini_project, "mini", readers)
    assert second.seen_until > first.seen_until
    assert second.totals["manifestation_count"] == first.totals["manifestation_count"] - 1


def test_a_look_back_changes_no_later_report(mini_project: Project, readers: Readers) -> None:
    window = ("mini", "--from", "2021-04-01", "--to", "2021-04-30")
    _, _, first = run_window(mini_project, "mini", readers)
    page = first.path.read_bytes()
    early = run_command("report", *window, "--seen-until", "2020-01-01T00:00:00-05:00", project=mini_project.root)
    assert early.returncode == 4, early.stderr
    late = run_command("report", *window, "--seen-until", "2030-01-01T00:00:00-05:00", "--json", project=mini_project.root)
    assert json.loads(late.stdout)["report_id"] == first.report_id
    write_import(mini_project.root, "tarde.csv", ["2,Luis Mamani,Gracias por arreglar el poste de mi calle,29/04/2021"])
    assert run_command("collect", *window, project=mini_project.root).returncode == 0
    assert run_command("annotate", *window, project=mini_project.root).returncode == 0
    between = (first.seen_until + timedelta(milliseconds=10)).isoformat()
    back = run_command("report", *window, "--seen-until", between, "--json", project=mini_project.root)
    assert json.loads(back.stdout)["report_id"] == first.report_id
    assert first.path.read_bytes() == page
    _, _, second = run_window(mini_project, "mini", readers)
    assert second.totals["amends_report_id"] == first.report_id


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
