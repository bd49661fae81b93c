"""Places, words, quotes, emerging matters and recommendations of a small city, from its web to its page, and out of it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from collectors.catalog import load_city
from collectors.period import Period
from collectors.yaml_errors import ConfigurationError
from models.ownership import load_own_taxonomy
from models.taxonomy import load_taxonomy
from pipelines.report import Report
from pipelines.reports.action_form import new_form
from pipelines.reports.actions import actions_folder, load_form
from pipelines.reports.rendering import render_page
from pipelines.retention import Applied, apply_retention
from pipelines.runs import Readers
from pipelines.warehouse import open_read_only, open_warehouse, publish
from tests.conftest import ROOT, make_project, run_command
from tests.pipelines.filled_matters import append_told
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse
from tests.pipelines.villa import Post, Village, feed, serve_village

PEOPLE = ["Ana", "Bruno", "Carla", "Dario", "Elsa", "Fabio", "Gina", "Hugo", "Irma", "Jorge"]
MARKER = "zigurat morado"
WATER = [
    f"{start} la cisterna no llega con el agua desde el lunes, en {place} {end}"
    for start, place, end in [
        ("Otra vez", "Los Olmos", f"la gente guarda baldes en el {MARKER} y nadie da la cara"),
        ("Caramba,", "Los Olmos", "ya no sabemos qué hacer con los niños"),
        ("Así estamos:", "Los Olmos", "compramos bidones carísimos en la bodega"),
        ("Ni modo,", "Los Olmos", "lavamos la ropa donde una tía"),
        ("Por si acaso", "Los Olmos", "hay que madrugar para llenar un balde"),
        ("Dicen que", "Las Lomas", "tampoco hay presión en los caños"),
    ]
]
DRONES = [
    f"{start} los drones zumban sobre las azoteas {end}"
    for start, end in [
        ("Anoche", "y nadie duerme en mi casa"),
        ("Cada madrugada", "nadie explica de quién son"),
        ("Miren:", "parecen abejas gigantes"),
        ("Otra más,", "mi abuela cree que son ovnis"),
        ("De nuevo", "y grabé todo con el celular"),
        ("Increíble,", "hasta mi tío se esconde"),
    ]
]
PLACES = """\
district: Villa
places:
  - {kind: zone, said: Los Olmos, lat: -12.01, lon: -76.90}
  - {kind: zone, said: Las Lomas, lat: -12.03, lon: -76.95}
  - {kind: market, said: mercado de Los Olmos, zone: Los Olmos}
  - {kind: zone, said: Los Ficus}
  - {kind: park, said: parque Los Ficus, zone: Los Ficus}
  - {kind: stop, said: paradero Las Lomas}
"""


def posts(texts: list[str], link: str = "http://foro.test/tema/") -> tuple[Post, ...]:
    return tuple(
        Post(number, f"{PEOPLE[number]} Pérez", text, f"{link}{number}", 5 + number) for number, text in enumerate(texts, start=1)
    )


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    """Villa, where six people miss the water and six hear drones; it has a gazetteer and allows quotes."""
    with serve_village(tmp_path) as served:
        served.answers["foro.test/feed.xml"] = feed(posts(WATER))
        served.answers["blog.test/comments/feed/"] = feed(posts(DRONES, "http://blog.test/nota/#comment-"))
        places = served.project.root / "data" / "places"
        places.mkdir()
        (places / "villa.yml").write_text(PLACES, encoding="utf-8")
        allow_quotes(served)
        yield served


def allow_quotes(village: Village) -> None:
    path = village.project.cities / "villa.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("synthetic: true\n", "synthetic: true\nquotes: true\n"), "utf-8")


def reported(village: Village, readers: Readers) -> Report:
    village.collect()
    return village.report(readers, formats=())


def rows(village: Village, table: str, order: str) -> list[dict[str, Any]]:
    with open_read_only(village.project.warehouse) as warehouse:
        return warehouse.rows(f"select * from {table} order by {order}")


def section(page: str, name: str) -> str:
    return " ".join(html.fromstring(page).get_element_by_id(name).text_content().split())


def test_places_words_and_what_has_no_category_reach_the_page(village: Village, readers: Readers) -> None:
    finished = reported(village, readers)
    page = finished.path.read_text(encoding="utf-8")
    places = rows(village, "report_place", "position")
    assert [(row["grouping"], row["place_id"], row["manifestation_count"]) for row in places] == [
        ("other", None, 6),
        ("none", None, 6),
    ], "one person named Las Lomas: Los Olmos hides it, or the difference would tell"
    said = section(page, "places")
    assert "Un mensaje puede nombrar varios lugares" in said
    assert "Los Olmos" not in said
    words = {row["word"] for row in rows(village, "report_word", "position") if row["category_id"] == "agua_servicios"}
    assert {"agua", "cisterna"} <= words
    assert not words & {"olmos", "pérez", "lunes", "zigurat"}
    (cluster,) = rows(village, "report_emerging", "cluster_number")
    assert {"azotea", "zumbar"} <= set(cluster["words"])
    assert 5 <= cluster["person_count"] <= 6
    assert (cluster["source_count"], cluster["one_source"]) == (1, True)
    assert "azotea" in section(page, "emerging")


def test_a_place_that_enough_name_is_drawn_and_told(village: Village, readers: Readers) -> None:
    village.answers["foro.test/feed.xml"] = feed(posts(WATER[:5]))
    finished = reported(village, readers)
    (first, none) = rows(village, "report_place", "position")
    assert (first["place_id"], first["manifestation_count"], first["category_id"]) == ("los-olmos", 5, "agua_servicios")
    assert none["grouping"] == "none"
    tree = html.fromstring(finished.path.read_text(encoding="utf-8")).get_element_by_id("places")
    drawings = [drawing for drawing in tree.iter("svg") if drawing.get("role") == "img"]
    assert len(drawings) == 2
    assert all("Los Olmos, 5" in drawing.find("desc").text_content() for drawing in drawings)
    assert "aproximadas" in tree.text_content()
    assert rows(village, "report_issue_place", "issue_id")[0]["place_name"] == "Los Olmos"


def test_proposals_wait_for_a_person(village: Village, readers: Readers) -> None:
    finished = reported(village, readers)
    path = finished.path.parent / "categorias-propuestas.yml"
    text = path.read_text(encoding="utf-8")
    assert "azotea" in text
    assert not any(message in text for message in DRONES)
    with pytest.raises(ValueError, match="still to be written by a person"):
        load_own_taxonomy(path)
    filled = (
        text.replace("PENDIENTE: mensaje", "un mensaje sobre drones")
        .replace("PENDIENTE", "Drones")
        .replace("pendiente_1", "drones")
    )
    path.write_text(filled, encoding="utf-8")
    assert "drones" in load_own_taxonomy(path).category_ids


def test_quotes_are_off_by_default(village: Village, readers: Readers) -> None:
    village.write_city()
    finished = reported(village, readers)
    assert rows(village, "report_quote", "quote_id") == rows(village, "quote_origin", "quote_id") == []
    assert 'id="quotes"' not in finished.path.read_text(encoding="utf-8")


def quoting(village: Village, readers: Readers) -> str:
    """Let only the first message be quotable, publish, and return the quote."""
    marked = [WATER[0], *(f"{text} @vecino" for text in WATER[1:])]
    village.answers["foro.test/feed.xml"] = feed(posts(marked))
    finished = reported(village, readers)
    (quote,) = rows(village, "report_quote", "quote_id")
    with open_warehouse(village.project.warehouse) as warehouse:
        publish(warehouse, village.project.published)
    page = finished.path.read_text(encoding="utf-8")
    assert quote["text"] in section(page, "quotes")
    assert (quote["person_count"], quote["publisher_kind"], quote["month"]) == (6, "forum", date(2021, 4, 1))
    for secret in ("Ana", "Pérez", "foro.test/tema/1", "Olmos"):
        assert secret.lower() not in section(page, "quotes").lower()
    return str(quote["text"])


def holders(village: Village, marker: str) -> list[str]:
    forms = {marker.encode(), json.dumps(marker)[1:-1].encode()}
    found = [path for path in village.project.root.rglob("*") if path.is_file()]
    return [path.name for path in found if any(form in path.read_bytes() for form in forms)]


def report_files(village: Village) -> int:
    """Return how many files of the report there are, in all formats; the index and the proposals quote nobody."""
    return sum(path.is_file() and path.suffix != ".yml" for path in (village.project.reports / "villa").rglob("*"))


def erase(village: Village, *, dry_run: bool = False) -> Applied:
    with open_warehouse(village.project.warehouse) as warehouse:
        return apply_retention(warehouse, village.project, village.city, dry_run=dry_run)


def test_a_quote_goes_with_its_message_from_every_file(village: Village, readers: Readers) -> None:
    said = quoting(village, readers)
    piece = max(said.split("[…]"), key=len).strip()
    before = holders(village, piece)
    assert {"informe.html", "warehouse.duckdb", "escucha.duckdb"} <= set(before)
    village.write_city(clock="2021-07-03T09:00:00-05:00")
    allow_quotes(village)
    count = report_files(village)
    assert count > 20
    assert erase(village, dry_run=True).report_file_count == count
    assert holders(village, piece) == before
    assert erase(village).report_file_count == count
    assert report_files(village) == count
    assert holders(village, piece) == []
    assert holders(village, MARKER) == []
    (quote,) = rows(village, "report_quote", "quote_id")
    assert quote["text"] is None
    assert rows(village, "quote_origin", "quote_id") == []
    (page,) = [path for path in village.project.reports.rglob("informe.html")]
    assert "Cita retirada" in section(page.read_text(encoding="utf-8"), "quotes")
    assert erase(village).report_file_count == 0


def test_a_quote_goes_when_its_author_asks(village: Village, readers: Readers) -> None:
    said = quoting(village, readers)
    assert "informe.html" in holders(village, said)
    listed = "urls:\n  - {url: http://foro.test/tema/1, reason: A pedido de quien escribió, since: 2021-05-02}\n"
    village.project.exclusions.write_text(listed, encoding="utf-8")
    assert erase(village).report_file_count == report_files(village) > 20
    assert holders(village, said) == holders(village, MARKER) == []  # its pieces others said too
    assert rows(village, "report_quote", "quote_id")[0]["text"] is None


def test_the_published_copy_leads_from_no_quote_to_its_author(village: Village, readers: Readers) -> None:
    quoting(village, readers)
    with open_read_only(village.project.published) as published:
        names = {name for (name,) in published.query("select table_name from duckdb_tables()")}
        (quote,) = published.rows("select * from report_quote")
        ((identity,),) = published.query("select manifestation_id from manifestation where url like '%tema/1'")
    assert "quote_origin" not in names
    assert identity not in map(str, quote.values())


def fill(village: Village, path: Path, *, signed: str = "Gerencia de Servicios") -> None:
    text = path.read_text(encoding="utf-8").replace("signed_by: PENDIENTE", f"signed_by: {signed}")
    for name, value in (
        ("office", "Subgerencia de Agua"),
        ("next_step", "Enviar cisternas <b>hoy</b>"),
        ("review_on", "2021-06-15"),
        ("commitment", "C-1"),
    ):
        text = text.replace(f"{name}: PENDIENTE", f'{name}: "{value}"' if name != "review_on" else f"{name}: {value}", 1)
    path.write_text(text, encoding="utf-8")


def test_a_signed_recommendation_is_printed_and_followed_up(village: Village, readers: Readers) -> None:
    first = reported(village, readers)
    with open_warehouse(village.project.warehouse) as warehouse:
        path = new_form(warehouse, village.project, village.city, village.period, readers.taxonomy)
    assert village.report(readers, formats=()).report_id != first.report_id, "the form's digest is part of the report's id"
    assert 'id="actions"' not in first.path.read_text(encoding="utf-8")
    fill(village, path)
    form = load_form(path, readers.taxonomy)
    assert (len(form.signed), form.signed[0].finding) == (1, "category:agua_servicios")
    second = village.report(readers, formats=())
    said = section(second.path.read_text(encoding="utf-8"), "actions")
    assert "Gerencia de Servicios" in said
    assert "Enviar cisternas <b>hoy</b>" in said
    assert "6 de 12 expresiones contadas" in said
    assert said.count("PENDIENTE") == 0
    assert f"La evidencia cita las cifras del informe {first.report_id[:12]}, que pueden diferir" in said
    assert_cites_a_report(village, readers, path, [first.report_id, second.report_id])
    may = posts(WATER[1:4], "http://foro.test/mayo/")
    village.answers["foro.test/feed.xml"] = re.sub(rb"[A-Z][a-z]{2}, (\d\d) Apr", rb"\1 May", feed(may))
    village.write_city(clock="2021-06-02T09:00:00-05:00")
    assert_followed_up(village, readers)


def assert_cites_a_report(village: Village, readers: Readers, path: Path, made: list[str]) -> None:
    """Whatever report of the window is there may be cited; what begins the id of none is refused with its line."""
    text = path.read_text(encoding="utf-8")
    check = ("actions", "check", "villa", "--from", "2021-04")
    for report_id in made:
        path.write_text(text.replace(made[0][:12], report_id), encoding="utf-8")
        assert run_command(*check, project=village.project.root).stdout.startswith("1 of ")
    finished = village.report(readers)
    assert rows(village, "report_action", "position")[-1]["cited_report_id"] == made[-1]
    assert f"del informe {made[-1][:12]}," in section(finished.path.read_text(encoding="utf-8"), "actions")
    path.write_text(text.replace(made[0][:12], "0123456789ab"), encoding="utf-8")
    refused = run_command(*check, project=village.project.root)
    with pytest.raises(ConfigurationError) as raised:
        village.report(readers)
    line = next(number for number, said in enumerate(text.splitlines(), start=1) if said.startswith("report: "))
    for message in (refused.stderr.strip(), str(raised.value)):
        assert f"{path.name}:{line}: report: '0123456789ab' begins the id of no report of this city and window" in message
        assert all(report_id[:12] in message for report_id in [*made, finished.report_id])
    assert refused.returncode == 2
    path.write_text(text, encoding="utf-8")


def test_a_form_before_any_report_is_told_what_comes_first(tmp_path: Path) -> None:
    project = make_project(tmp_path, mini=True)
    path = actions_folder(project, "mini") / "2021-04-01_2021-04-30.yml"
    path.parent.mkdir(parents=True)
    head = "city: mini\nfirst: 2021-04-01\nlast: 2021-04-30\nreport: '0123456789ab'\nsigned_by: PENDIENTE\nactions: []\n"
    path.write_text(head, encoding="utf-8")
    done = run_command("actions", "check", "mini", "--from", "2021-04", project=project.root)
    assert (done.returncode, "allowed: none yet; move the file away, make the report" in done.stderr) == (2, True)


def assert_followed_up(village: Village, readers: Readers) -> None:
    from pipelines.annotate import annotate
    from pipelines.collect import collect
    from pipelines.report import report

    period = Period.from_dates(date(2021, 5, 1), date(2021, 5, 31), village.city.zone)
    with open_warehouse(village.project.warehouse) as warehouse:
        collect(warehouse, village.project, village.city, period)
        annotate(warehouse, village.project, village.city, period, readers)
        finished = report(warehouse, village.project, village.city, period, readers)
    (promise,) = rows(village, "report_promise", "position")
    assert (promise["then_count"], promise["then_base"], promise["now_count"], promise["now_base"]) == (6, 12, 3, 3)
    assert (promise["then_start"], promise["change"], promise["corrected"]) == (date(2021, 4, 1), "unknown", False)
    said = section(finished.path.read_text(encoding="utf-8"), "followup")
    assert "del 1 al 30 de abril de 2021" in said
    assert "6 de 12" in said
    assert "sin cambio detectable" in said
    assert "Gerencia de Servicios" in said


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        ("finding: category:agua", 5, "is no category of the city's taxonomy"),
        ("finding: headline:largest", 5, "is no headline of a report; allowed: unread, volume, sentiment"),
        ("finding: agua", 5, "allowed: category:ID"),
        ("finding: category:agua_servicios\n    oficce: x", 6, "did you mean 'office'?"),
        ("finding: category:agua_servicios\n    review_on: pronto", 6, "a day such as 2021-06-30, or PENDIENTE"),
        ("finding: category:agua_servicios\n    review_on: 2021-04-02", 6, "must lie after the window"),
        ("finding: category:agua_servicios\n    commitment: a b", 6, "without blanks"),
    ],
)
def test_a_mistake_in_the_form_is_told_with_its_line(tmp_path: Path, wrong: str, line: int, said: str) -> None:
    path = tmp_path / "villa" / "2021-04-01_2021-04-30.yml"
    path.parent.mkdir()
    rest = {"evidence": "x", "office": "x", "next_step": "x", "review_on": "PENDIENTE", "commitment": "PENDIENTE"}
    given = "\n".join(f"    {name}: {value}" for name, value in rest.items() if f"\n    {name}:" not in wrong)
    head = "city: villa\nfirst: 2021-04-01\nlast: 2021-04-30\nreport: '0123456789ab'"
    path.write_text(
        f"{head}\nsigned_by: x\nactions:\n  - {wrong}\n{given}\n".replace("signed_by: x\nactions:", "signed_by: x\nactions:"),
        "utf-8",
    )
    with pytest.raises(ConfigurationError) as refused:
        load_form(path, load_taxonomy())
    told = [str(problem) for problem in refused.value.problems if said in str(problem)]
    assert told, str(refused.value)
    assert f"{path.name}:{line + 2}:" in told[0]


def test_hostile_words_of_quotes_and_offices_pass_harmless() -> None:
    city = load_city(ROOT / "data" / "cities" / "ate.yml")
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, period, load_taxonomy())
    append_told(warehouse, REPORT_ID, "<script>alert(1)</script>\u202e{{7*7}}\x07 =SUMA(A1)")
    page = render_page(warehouse, REPORT_ID, city, period, load_taxonomy())
    tree = html.fromstring(page)
    assert tree.xpath("//script") == []
    for name in ("quotes", "actions", "followup"):
        assert "{{7*7}}" in section(page, name)
    assert "\u202e" not in page
    assert "\x07" not in page


def test_forms_stand_by_city(tmp_path: Path) -> None:
    from pipelines.project import Project

    assert actions_folder(Project(tmp_path), "villa") == tmp_path / "data" / "actions" / "villa"
