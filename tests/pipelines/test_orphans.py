"""What a killed crawl left in its spool is taken up by the next run, whatever the instant of the kill."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from collectors.spool import spool_paths
from pipelines.append import append_orphans
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.warehouse import open_warehouse
from tests.conftest import run_window


def crawled_spool(project: Project, readers: Readers) -> Path:
    """Run the small city, forget the warehouse, and return the spool as if its run had been killed before any append."""
    run_window(project, "mini", readers)
    for file in (project.root / "data").glob("warehouse*"):
        file.unlink()
    (spool,) = (project.raw / "mini").iterdir()
    return spool


def stored(project: Project) -> dict[str, int]:
    """Append what is left over; return source -> manifestations that the warehouse then holds."""
    with open_warehouse(project.warehouse) as warehouse:
        append_orphans(warehouse, project, project.load_city("mini"))
        append_orphans(warehouse, project, project.load_city("mini"))
        return dict(warehouse.query("select source_id, count(*) from manifestation group by 1"))


def test_nothing_that_reached_the_disk_is_lost(mini_project: Project, readers: Readers) -> None:
    spool = crawled_spool(mini_project, readers)
    lines = {path.name.removesuffix(".jsonl"): path.read_bytes().splitlines(keepends=True) for path in spool.glob("*.jsonl")}
    whole, renamed, partial = "blog-ceres", "foro-comerciantes", "pagina-mercados"
    spool_paths(spool, renamed).health.unlink()
    spool_paths(spool, partial).health.unlink()
    spool_paths(spool, partial).items.unlink()
    spool_paths(spool, partial).partial.write_bytes(b"".join(lines[partial][:7]) + lines[partial][7][:40])
    (spool / ".oficina-atencion.health.json.draft").write_text("{", encoding="utf-8")
    found = stored(mini_project)
    assert found[whole] == len({json.loads(line)["native_id"] for line in lines[whole]})
    assert found[renamed] > 100
    assert found[partial] == 7
    with open_warehouse(mini_project.warehouse) as warehouse:
        health = dict(warehouse.query("select source_id, reason from source_health"))
    assert health[renamed] == health[partial] == "interrupted"
    assert health[whole] != "interrupted"


def test_a_spool_killed_before_its_request_was_written_is_no_obstacle(mini_project: Project, readers: Readers) -> None:
    spool = crawled_spool(mini_project, readers)
    other = spool.with_name("0" * 22)
    other.mkdir()
    (other / ".request.json.draft").write_text('{"city_file": ', encoding="utf-8")
    before = len(stored(mini_project))
    assert before >= 4
    shutil.rmtree(other)


def test_a_spool_that_cannot_be_stored_stands_in_nobodys_way(mini_project: Project, readers: Readers) -> None:
    spool = crawled_spool(mini_project, readers)
    poisoned, torn = spool_paths(spool, "foro-comerciantes"), spool_paths(spool, "pagina-mercados")
    lines = poisoned.items.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    poisoned.items.write_text("\n".join([json.dumps({**first, "reactions": 10**30}), *lines[1:]]) + "\n", encoding="utf-8")
    torn.items.write_bytes(torn.items.read_bytes()[:1000])
    found = stored(mini_project)
    assert found["blog-ceres"] > 100
    assert "foro-comerciantes" not in found
    assert poisoned.items.with_suffix(".jsonl.rejected").is_file()
    with open_warehouse(mini_project.warehouse) as warehouse:
        health = dict(warehouse.query("select source_id, reason from source_health where status = 'failed'"))
    assert health == {"foro-comerciantes": "parse_error", "pagina-mercados": "parse_error"}
    outcomes, _, finished = run_window(mini_project, "mini", readers)
    assert {outcome.health.status for outcome in outcomes} <= {"ok", "empty"}
    assert finished.totals["source_alive_count"] == finished.totals["source_planned_count"]
