"""The crosswalk between taxonomies: sums that never change, and past reports in today's categories."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from collectors.catalog import City
from collectors.period import Period
from models.changes import find_changes
from models.configuration import ConfigurationError
from models.crosswalk import UNCLASSIFIED, CrosswalkError, crosswalk
from models.ownership import load_own_taxonomy
from models.taxonomy import OTHER, Taxonomy, load_taxonomy
from pipelines.annotate import annotate
from pipelines.collect import collect
from pipelines.project import Project, ProjectError
from pipelines.report import report
from pipelines.restate import Restated, restate, restate_counts
from pipelines.runs import NothingToReport, Readers
from pipelines.taxonomies import find_taxonomy, load_city_taxonomy, load_named_taxonomy
from pipelines.taxonomy_commands import taxonomy_app
from pipelines.warehouse import Warehouse, open_read_only, open_warehouse, publish
from tests.conftest import ROOT, april, make_project

SHIPPED = load_taxonomy()
LABELS = {"label_es": "Etiqueta", "label_en": "Label"}

File = dict[str, Any]


def described(key: str, **more: Any) -> File:
    """Return a category of a file with made-up words."""
    examples = [f"{key} {n}" for n in range(5)]
    return {"id": key, **LABELS, "definition_es": "D.", "definition_en": "D.", "examples": examples, **more}


def described_issue(key: str) -> File:
    return {name: value for name, value in described(key).items() if name != "definition_en"}


def load(version: str = "v", **sections: Any) -> Taxonomy:
    """Load a city's taxonomy from the sections of a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "villa.yml"
        path.write_text(json.dumps({"version": version, "base": SHIPPED.version, **sections}), encoding="utf-8")
        return load_own_taxonomy(path, SHIPPED)


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    """Draw a city's taxonomy: some categories and issues split, merged and added, the rest as shipped."""
    free = draw(st.permutations([key for key in SHIPPED.category_ids if key != OTHER]))
    split, merge, touched = free[:2], free[2:5], free[4:7]
    sections: File = {"rollups": dict.fromkeys(SHIPPED.rollups), "split": {}, "merge": {}, "split_issues": {}, "merge_issues": {}}
    held = {key: [issue.id for issue in SHIPPED.category(key).issues] for key in SHIPPED.category_ids}
    for key in draw(st.lists(st.sampled_from([*split, *touched]), unique=True)):
        first, second, third, *rest = draw(st.permutations(held[key]))
        sections["split_issues"][f"{key}.{first}"] = [described_issue(f"{first}_a"), described_issue(f"{first}_b")]
        sections["merge_issues"][f"{key}.{second}_y"] = {**LABELS, "of": [second, third]}
        held[key] = [f"{first}_a", f"{first}_b", f"{second}_y", *rest]
    for key in draw(st.sets(st.sampled_from(split))):
        names = [f"{key}_{letter}" for letter in "abc"[: draw(st.integers(2, 3))]]
        homes = {issue: draw(st.sampled_from(names)) for issue in held[key]}
        sections["split"][key] = [described(name, issues=[i for i, home in homes.items() if home == name]) for name in names]
    if draw(st.booleans()):
        sections["merge"][draw(st.sampled_from(["unida", "junta"]))] = {**LABELS, "of": merge[: draw(st.integers(2, 3))]}
    for name in draw(st.sets(st.sampled_from(["propia", "nuestra"]))):
        taken_from = draw(st.sampled_from(SHIPPED.category_ids))
        sections.setdefault("add", []).append(described(name, issues=[described_issue(f"de_{name}")], **{"from": taken_from}))
    sections["add_issues"] = {OTHER: [described_issue("extra")]} if draw(st.booleans()) else {}
    return load(**sections)


@st.composite
def counted(draw: st.DrawFn, taxonomy: Taxonomy) -> dict[str, dict[str, int]]:
    """Draw what a report may count: by issue, and by category those of its issues and more."""
    numbers = st.integers(0, 50)
    issues = {key: draw(numbers) for key in taxonomy.issue_ids}
    named: Counter[str] = Counter()
    for key, count in issues.items():
        named[key.partition(".")[0]] += count
    return {"issue": issues, "category": {key: named[key] + draw(numbers) for key in (*taxonomy.category_ids, UNCLASSIFIED)}}


def assert_no_overlap(groups: Mapping[str, tuple[str, ...]]) -> None:
    told = Counter(key for group in set(groups.values()) for key in group)
    assert max(told.values()) == 1


@settings(max_examples=60)
@given(data=st.data())
def test_totals_never_change_between_any_two_taxonomies(data: st.DataObject) -> None:
    old, new = data.draw(st.one_of(st.just(SHIPPED), taxonomies())), data.draw(st.one_of(st.just(SHIPPED), taxonomies()))
    counts = data.draw(counted(old))
    walk = crosswalk(old, new)
    assert sum(walk.restate_categories(counts["category"]).values()) == sum(counts["category"].values())
    assert sum(walk.restate_issues(counts["issue"]).values()) == sum(counts["issue"].values())
    assert_no_overlap(walk.categories)
    assert_no_overlap(walk.issues)
    assert all(walk.categories.values())
    rows = list(restate_counts(walk, new, counts))
    assert sum(row.manifestation_count or 0 for row in rows if row.level == "category") == sum(counts["category"].values())
    assert all(row.manifestation_count is None or row.manifestation_count >= 0 for row in rows), "issues outnumber their category"
    told = Counter(key for row in rows for key in row.ids)
    assert told == Counter([*new.category_ids, UNCLASSIFIED, *new.issue_ids]), "every id of today stands in one row"


@settings(max_examples=60)
@given(data=st.data())
def test_the_crosswalk_of_a_taxonomy_with_itself_changes_nothing(data: st.DataObject) -> None:
    taxonomy = data.draw(taxonomies())
    walk = crosswalk(taxonomy, taxonomy)
    assert walk.categories == {key: (key,) for key in (*taxonomy.category_ids, UNCLASSIFIED)}
    assert walk.issues == {key: (key,) for key in taxonomy.issue_ids}
    assert walk.without_past == ()
    assert find_changes(taxonomy, taxonomy) == []


@settings(max_examples=60)
@given(data=st.data())
def test_there_and_back_gives_what_was_counted(data: st.DataObject) -> None:
    """However the messages of a split category really divide, merging the parts again gives its count."""
    taxonomy = data.draw(taxonomies())
    counts = data.draw(counted(SHIPPED))
    there, back = crosswalk(SHIPPED, taxonomy), crosswalk(taxonomy, SHIPPED)
    for before, out, home in (
        (counts["category"], there.restate_categories, back.restate_categories),
        (counts["issue"], there.restate_issues, back.restate_issues),
    ):
        divided = {key: n for group, count in out(before).items() for key, n in divide(data, group, count)}
        for group, count in home(divided).items():
            assert count == sum(before[key] for key in group), group


def divide(data: st.DataObject, group: tuple[str, ...], count: int) -> Iterator[tuple[str, int]]:
    """Divide a count among the ids of a group in any way."""
    left = count
    for key in group[:-1]:
        part = data.draw(st.integers(0, left))
        yield key, part
        left -= part
    yield group[-1], left


def test_a_merge_of_the_parts_is_the_category_again() -> None:
    parts = [described("calles", issues=["pistas_veredas", "huecos", "alumbrado"]), described("obras", issues=["obras_demoras"])]
    parts[1]["issues"].append("mobiliario")
    taxonomy = load(split={"vias_obras": parts})
    assert crosswalk(SHIPPED, taxonomy).restate_categories({"vias_obras": 9})["calles", "obras"] == 9
    back = crosswalk(taxonomy, SHIPPED)
    assert back.restate_categories({"calles": 4, "obras": 5})[("vias_obras",)] == 9
    assert back.restate_issues({"calles.huecos": 3, "obras.mobiliario": 1})[("vias_obras.huecos",)] == 3
    moved = [
        described("calles", issues=["pistas_veredas"]),
        described("obras", issues=parts[0]["issues"][1:] + parts[1]["issues"]),
    ]
    other = crosswalk(taxonomy, load(split={"vias_obras": moved}))
    assert other.categories["calles"] == ("calles", "obras"), "with other issues in it, it is another part"
    assert other.issues["calles.huecos"] == ("obras.huecos",)


def test_what_was_taken_apart_from_a_merge_is_told_as_a_sum() -> None:
    merged = load(merge={"social": {**LABELS, "of": ["salud", "programas_sociales"]}})
    walk = crosswalk(merged, SHIPPED)
    assert walk.categories["social"] == ("salud", "programas_sociales")
    assert walk.issues["social.vacunacion"] == ("salud.vacunacion",)


def test_nothing_moves_to_what_is_added_and_it_goes_back_when_it_is_dropped() -> None:
    added = load(add=[described("radio", issues=[described_issue("am")], **{"from": "salud"})])
    there, back = crosswalk(SHIPPED, added), crosswalk(added, SHIPPED)
    assert there.without_past == ("radio", "radio.am")
    assert there.categories["salud"] == ("salud",)
    assert back.categories["radio"] == back.categories["salud"] == ("salud",)
    assert back.issues["radio.am"] == ()
    assert crosswalk(added, load(add=[described("radio")])).categories["radio"] == ("radio",)


def test_an_added_issue_goes_along_with_its_category() -> None:
    more = {"salud": [described_issue("botiquines")]}
    merge = {"social": {**LABELS, "of": ["salud", "programas_sociales"]}}
    walk = crosswalk(load(add_issues=more), load(merge=merge, add_issues={"social": more["salud"]}))
    assert walk.issues["salud.botiquines"] == ("social.botiquines",)
    assert crosswalk(load(add_issues=more), load(merge=merge)).issues["salud.botiquines"] == ()


def test_what_has_no_place_is_an_error() -> None:
    with pytest.raises(CrosswalkError, match="no place for nada; the old taxonomy has transporte"):
        crosswalk(SHIPPED, SHIPPED).restate_categories({"nada": 1})
    smaller = Taxonomy.model_validate({**SHIPPED.model_dump(), "categories": SHIPPED.categories[1:]})
    with pytest.raises(CrosswalkError, match=re.escape(f"no place for transporte of {SHIPPED.revision}")):
        crosswalk(SHIPPED, smaller)


def test_the_differences_are_told_by_kind() -> None:
    new = load(
        rename={"salud": {"label_es": "Salud pública"}},
        split={
            "vias_obras": [described("calles", issues=[i.id for i in SHIPPED.category("vias_obras").issues]), described("obras")]
        },
        merge={"social": {**LABELS, "of": ["educacion_cultura_deporte", "programas_sociales"]}},
        add=[described("radio", **{"from": "salud"})],
        add_issues={"salud": [described_issue("botiquines")]},
    )
    changes = {(change.kind, change.old, change.new): change.detail for change in find_changes(SHIPPED, new)}
    assert changes["renamed", ("salud",), ("salud",)] == "label_es 'Salud' -> 'Salud pública'"
    assert ("split", ("vias_obras",), ("calles", "obras")) in changes
    assert ("merged", ("educacion_cultura_deporte", "programas_sociales"), ("social",)) in changes
    assert changes["added", (), ("radio",)] == "before counted in salud"
    assert ("added", (), ("salud.botiquines",)) in changes
    assert ("moved", ("vias_obras.huecos",), ("calles.huecos",)) in changes
    rollup = changes["members", ("transporte_piloto_2021",), ("transporte_piloto_2021",)]
    assert rollup == "+ calles.pistas_veredas, calles.huecos; - vias_obras.pistas_veredas, vias_obras.huecos"
    back = {(change.kind, change.old, change.new): change.detail for change in find_changes(new, SHIPPED)}
    assert back["removed", ("radio",), ("salud",)] == "counted in salud"
    assert back["removed", ("salud.botiquines",), ()] == ""
    assert ("merged", ("calles", "obras"), ("vias_obras",)) in back


def test_other_keywords_and_definitions_are_told() -> None:
    changed = described("radio", keywords=["onda", {"text": "antena", "weight": 3}])
    old = load(add=[described("radio", keywords=["locutor", "antena"])])
    new = load(add=[{**changed, "definition_es": "Otra.", "examples": [*changed["examples"], "radio 9"]}])
    told = {change.kind: change.detail for change in find_changes(old, new)}
    assert told == {
        "definition": "definition_es 'D.' -> 'Otra.'",
        "keywords": "+ onda; - locutor; antena 1 -> 3",
        "examples": "+ radio 9",
    }


OWN = {
    "version": "mini-1",
    "base": SHIPPED.version,
    "rename": {"salud": {"label_es": "Salud del distrito"}},
    "merge": {"economia_local": {**LABELS, "label_es": "Economía local", "of": ["economia_empleo", "comercio_mercados"]}},
    "split": {
        "vias_obras": [
            described("calles", issues=["pistas_veredas", "huecos"]),
            described("obras", issues=["obras_demoras", "alumbrado", "mobiliario"]),
        ]
    },
    "add": [described("radio", **{"from": "agua_servicios"})],
}


@pytest.fixture(scope="module")
def counted_project(tmp_path_factory: pytest.TempPathFactory, readers: Readers) -> Project:
    """The mini city, read and reported with the shipped taxonomy; then it gets one of its own."""
    project = make_project(tmp_path_factory.mktemp("counted"), mini=True)
    city, period = project.load_city("mini"), april(project, "mini")
    with open_warehouse(project.warehouse) as warehouse:
        collect(warehouse, project, city, period)
        annotate(warehouse, project, city, period, readers)
        report(warehouse, project, city, period, readers)
        publish(warehouse, project.published)
    assert load_city_taxonomy(project, "mini") == readers.taxonomy
    (project.root / "data" / "taxonomies").mkdir()
    write_own(project, OWN)
    return project


def write_own(project: Project, content: File, name: str = "mini.yml") -> None:
    path = project.root / "data" / "taxonomies" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def window_of(project: Project) -> tuple[City, Period]:
    return project.load_city("mini"), april(project, "mini")


def category_rows(restated: Restated, channel: str = "online") -> dict[tuple[str, ...], int | None]:
    (found,) = (entry for entry in restated.channels if entry.channel == channel)
    return {row.ids: row.manifestation_count for row in found.rows if row.level == "category"}


def reported(warehouse: Warehouse, report_id: str, channel: str = "online") -> dict[str, int]:
    sql = "select category_id, manifestation_count from report_category where report_id = $id and channel = $channel"
    return dict(warehouse.query(sql, {"id": report_id, "channel": channel}))


def test_a_past_report_is_restated_without_reading_anything(counted_project: Project) -> None:
    with open_read_only(counted_project.warehouse) as warehouse:
        restated = restate(warehouse, counted_project, *window_of(counted_project))
        was = reported(warehouse, restated.report_id)
    now = category_rows(restated)
    assert restated.exact
    assert restated.old_taxonomy == SHIPPED.revision
    assert now["economia_local",] == was["economia_empleo"] + was["comercio_mercados"] > 0
    assert now["calles", "obras"] == was["vias_obras"] > 0
    assert now["radio",] is None
    assert now["salud",] == was["salud"]
    assert sum(count or 0 for count in now.values()) == sum(was.values()) == next(iter(restated.channels)).total


def test_after_a_new_reading_every_part_has_a_count_of_its_own(
    counted_project: Project, tmp_path: Path, readers: Readers
) -> None:
    project = Project(tmp_path / "again")
    shutil.copytree(counted_project.root, project.root)
    city, period = window_of(project)
    taxonomy = load_city_taxonomy(project, "mini")
    own = Readers(
        taxonomy, readers.config, {name: readers.config.load(name, taxonomy) for name in readers.config.annotator_names}
    )
    with open_warehouse(project.warehouse) as warehouse:
        before = reported(warehouse, restate(warehouse, project, city, period).report_id)
        added = annotate(warehouse, project, city, period, own)
        finished = report(warehouse, project, city, period, own)
        restated = restate(warehouse, project, city, period)
        versions = {version for (version,) in warehouse.query("select distinct taxonomy_version from annotation")}
        was = reported(warehouse, finished.report_id)
        assert annotate(warehouse, project, city, period, own) == 0
    assert added > 0
    assert versions == {SHIPPED.revision, taxonomy.revision}
    assert restated.report_id == finished.report_id
    assert list(was) == [*taxonomy.category_ids, UNCLASSIFIED]
    assert category_rows(restated) == {(key,): count for key, count in was.items()}
    assert was["calles"] > 0
    assert sum(was.values()) == sum(before.values())
    page = finished.path.read_text(encoding="utf-8")
    assert "Salud del distrito" in page
    assert "Economía local" in page


def test_a_file_of_the_city_on_an_earlier_shipped_taxonomy_is_found(counted_project: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "older")
    shutil.copytree(counted_project.root / "data" / "cities", project.cities)
    write_own(project, {**OWN, "version": "mini-3"})
    archive = project.root / "data" / "taxonomies" / "mini"
    archive.mkdir()
    text = (
        (ROOT / "models" / "taxonomy.yml")
        .read_text(encoding="utf-8")
        .replace(f'version: "{SHIPPED.version}"', 'version: "2019.1"')
    )
    (archive / "shipped_2019.yml").write_text(text, encoding="utf-8")
    shipped_then = load_named_taxonomy(lambda: project, str(archive / "shipped_2019.yml"))
    write_own(project, {**OWN, "base": "2019.1"}, "mini/own_2019.yml")
    write_own(project, {**OWN, "base": "2018.1"}, "mini/orphan.yml")
    own_then = load_own_taxonomy(archive / "own_2019.yml", shipped_then)
    assert own_then.version == "2019.1/mini-1"
    for then in (shipped_then, own_then):
        assert find_taxonomy(project, "mini", then.revision, then.category_ids) == (then, True)
    with pytest.raises(ProjectError, match="the taxonomy that shipped then"):
        find_taxonomy(project, "mini", "2018.1/mini-1+00000000", own_then.category_ids)


def test_a_mistake_in_the_archive_does_not_keep_the_taxonomy_of_today_from_being_found(tmp_path: Path) -> None:
    project = make_project(tmp_path / "broken", mini=True)
    now = load_city_taxonomy(project, "mini")
    archive = project.root / "data" / "taxonomies" / "mini"
    archive.mkdir(parents=True)
    (archive / "old.yml").write_text("version: [", encoding="utf-8")
    assert find_taxonomy(project, "mini", now.revision, now.category_ids) == (now, True)
    with pytest.raises(ConfigurationError, match=r"old\.yml:\d: not readable as YAML"):
        find_taxonomy(project, "mini", "2019.1+00000000", now.category_ids)


def test_an_earlier_file_of_the_city_is_found_by_its_revision(counted_project: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "earlier")
    shutil.copytree(counted_project.root / "data" / "cities", project.cities)
    write_own(project, OWN)
    first = load_city_taxonomy(project, "mini")
    write_own(project, {**OWN, "version": "mini-2", "split": {}})
    with pytest.raises(ProjectError, match=r"made with taxonomy .*mini-1.*; available: .*mini-2.*data/taxonomies/mini/"):
        find_taxonomy(project, "mini", first.revision, first.category_ids)
    write_own(project, OWN, "mini/2026.yml")
    assert find_taxonomy(project, "mini", first.revision, first.category_ids) == (first, True)
    assert find_taxonomy(project, "mini", f"{first.version}+00000000", first.category_ids) == (first, False)
    with pytest.raises(ProjectError, match="available"):
        find_taxonomy(project, "mini", f"{first.version}+00000000", ["nada"])
    assert load_named_taxonomy(lambda: project, str(project.root / "data" / "taxonomies" / "mini" / "2026.yml")) == first
    for name, message in (("nada.yml", "no file nada.yml"), ("nada", "no city 'nada'"), ("../mini", "no city")):
        with pytest.raises(ProjectError, match=message):
            load_named_taxonomy(lambda: project, name)


def test_a_window_without_a_report_cannot_be_restated(counted_project: Project) -> None:
    city, period = window_of(counted_project)
    with (
        open_read_only(counted_project.warehouse) as warehouse,
        pytest.raises(NothingToReport, match="make it with `escucha report mini --from 2021-03-01 --to 2021-03-31`"),
    ):
        restate(warehouse, counted_project, city, period.previous())


def command(*arguments: str, project: Project) -> str:
    """Run a command and return what it printed on standard output."""
    result = CliRunner().invoke(taxonomy_app, [*arguments, "--project", str(project.root)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_commands_print_lines_of_eighty_columns(counted_project: Project) -> None:
    shown = command("show", "mini", project=counted_project)
    assert "economia_local                   Economía local [joins economia_empleo +" in shown
    told = command("diff", "mini", project=counted_project)
    assert "split      category vias_obras -> calles + obras" in told
    assert command("diff", "mini", "mini", project=counted_project).endswith("\n0 differences\n")
    restated = command("restate", "mini", "--from", "2021-04", project=counted_project)
    total = next(line for line in restated.splitlines() if line.startswith("total, as reported"))
    assert int(total.split()[-1].replace(",", "")) > 0
    assert re.search(r"^  Etiqueta \+ Etiqueta \[was vias_obras\] +\d+$", restated, flags=re.MULTILINE)
    assert "can be told apart only by reading" in restated
    long = [line for text in (shown, told, restated) for line in text.splitlines() if len(line) > 80]
    assert not long


def test_the_commands_print_json(counted_project: Project) -> None:
    shown = json.loads(command("show", "shipped", "--json", project=counted_project))
    assert shown["revision"] == SHIPPED.revision
    assert len(shown["categories"]) == len(SHIPPED.categories)
    told = json.loads(command("diff", "shipped", "mini", "--json", project=counted_project))
    assert {change["kind"] for change in told["changes"]} >= {"added", "split", "merged", "moved", "renamed"}
    restated = json.loads(
        command("restate", "mini", "--from", "2021-04-01", "--to", "2021-04-30", "--json", project=counted_project)
    )
    (online,) = (channel for channel in restated["channels"] if channel["channel"] == "online")
    counts = [row["manifestation_count"] or 0 for row in online["rows"] if row["level"] == "category"]
    assert sum(counts) == online["total"]
    assert restated["old_taxonomy_exact"] is True
