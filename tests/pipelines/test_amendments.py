"""What comes back when a window is run again and something in it has changed: amendments, versions, looks back."""

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
