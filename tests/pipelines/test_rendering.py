"""The report page: what it says, what it must not say, and that its bytes depend on its rows alone."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from collectors.catalog import City, load_city
from collectors.health import Reason, Status
from collectors.items import Channel
from collectors.period import Period
from models.taxonomy import Taxonomy, load_taxonomy
from pipelines.reports import rendering
from pipelines.reports.charts import NARROW, WIDE, axis_ticks, draw_days, embed_drawing
from pipelines.reports.formats import Formats, Wording, WordingError, clean, css_string, load_wording
from pipelines.reports.rendering import REPORTS, SectionError, parse_queries, render_page
from pipelines.warehouse import Warehouse
from tests.pipelines.filled_change import tell_findings
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<script>alert(1)</script>\u202egnp.exe\x07 {{7*7}} {% raise %} ' onload=x \" </style>"


@pytest.fixture(scope="module")
def ate() -> City:
    """The city of the pilot."""
    return load_city(ROOT / "data" / "cities" / "ate.yml")


@pytest.fixture(scope="module")
def april(ate: City) -> Period:
    """The window of the pilot."""
    return Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), ate.zone)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    """The taxonomy that ships."""
    return load_taxonomy()


@pytest.fixture(scope="module")
def filled(ate: City, april: Period, taxonomy: Taxonomy) -> Warehouse:
    """One full report."""
    return filled_warehouse(ate, april, taxonomy)


@pytest.fixture(scope="module")
def page(filled: Warehouse, ate: City, april: Period, taxonomy: Taxonomy) -> str:
    """Its page."""
    return render_page(filled, REPORT_ID, ate, april, taxonomy)


@pytest.fixture
def formats(ate: City) -> Formats:
    """How Ate writes."""
    return Formats(ate.locale, ate.zone, load_wording(REPORTS / "wording" / "es"))


def text_of(element: html.HtmlElement) -> str:
    """Return the text of an element with its white space folded; no-break spaces stay."""
    return re.sub(r"[ \n]+", " ", element.text_content()).strip()


def percentages(tree: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Yield the elements whose own text holds a percentage, style apart."""
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag != "style":
            own = (element.text or "") + "".join(child.tail or "" for child in element)
            if re.search(r"\d\s?%", own):
                yield element


def test_filled_tables_pass_the_audits_of_reports(filled: Warehouse) -> None:
    for audit in sorted((REPORTS / "audits").glob("*.sql")):
        sql = audit.read_text(encoding="utf-8")
        if "report_item" not in sql:
            assert filled.rows(sql, {"report_id": REPORT_ID}) == [], audit.name


def test_page_shows_every_section_in_the_order_of_the_files(page: str) -> None:
    tree = html.fromstring(page)
    names = [file.stem.partition("_")[2] for file in sorted((REPORTS / "sections").glob("*.sql"))]
    for name in ("erased", "quotes", "actions", "followup"):  # they have a place only where there is something of theirs
        names.remove(name)
    assert [section.get("id") for section in tree.iter("section")] == names
    assert [link.get("href") for link in tree.xpath("//nav//a")] == [f"#{name}" for name in names[1:]]


def test_first_screen_says_window_totals_and_three_findings(page: str) -> None:
    tree = html.fromstring(page)
    assert text_of(tree.find(".//h1")) == "Ate, del 1 al 30 de abril de 2021"
    assert "Incluye lo recogido hasta el 3 de mayo de 2021, 09:00 h (hora de Ate)" in text_of(tree)
    tiles = {text_of(tile.find("dt")): text_of(tile.find("dd")) for tile in tree.xpath("//dl[@class='tiles']/div")}
    assert tiles["expresiones contadas"] == "5,796"
    assert tiles["fuentes que respondieron"] == "24 de 25"
    findings = [text_of(item) for item in tree.xpath("//section[@id='overview']//li/p[@class='finding']")]
    assert [re.sub(r"\s", " ", finding) for finding in findings] == [
        "Transporte y tránsito es la categoría con más expresiones: 705 de las 5,796 contadas, 12 % sin corregir.",
        "Ambiente y áreas verdes es la categoría con mayor proporción de tono negativo:"
        " 246 de sus 402 expresiones, 61 % sin corregir.",
        "De 594 de las 5,796 expresiones contadas, 10 % sin corregir, no sabemos qué asunto municipal tratan:"
        " quedaron sin clasificar o en «Otros».",
    ]
    unread = [text_of(row) for row in tree.xpath("//section[@id='overview']//tbody/tr/th")]
    assert len(unread) == 8
    assert "vecinos opinan" not in page


def test_every_share_that_was_read_is_marked_uncorrected(page: str) -> None:
    tree = html.fromstring(page)
    counted_not_read = {"sources", "campaigns", "published", "method"}
    marked = 0
    for element in percentages(tree.find("body")):
        section = next((parent.get("id") for parent in element.iterancestors("section")), None)
        if section in counted_not_read:
            continue
        if element.get("class") == "note":
            assert "100 %" in text_of(element)
            continue
        assert element.get("class") == "share", text_of(element)
        assert element.xpath("./span[@class='mark' or @class='badge']"), text_of(element)
        marked += 1
    assert marked > 100


def test_what_was_set_aside_adds_up_to_what_was_collected(page: str) -> None:
    rows = html.fromstring(page).xpath("//section[@id='set_aside']//tr[td]")
    figures = [[text_of(cell).replace(",", "").replace("−", "-") for cell in row.findall("td")] for row in rows]
    withheld = 0
    for column in zip(*figures, strict=True):
        told = [int(figure) for figure in column if figure != "reservado"]
        few = len(column) - len(told)
        # Where figures are withheld, they are several, and together as many as it takes to add up.
        assert few != 1
        assert sum(told[:-1]) - told[-1] >= 5 if few else sum(told[:-1]) == told[-1] > 0
        withheld += few
    assert withheld


def test_published_figures_stand_beside_ours_and_quotes_stay_as_published(page: str) -> None:
    section = html.fromstring(page).get_element_by_id("published")
    (_, *compared) = [text_of(note) for note in section.xpath(".//th/*[contains(@class, 'narrow-only')]")]
    assert compared[0] == "Se compara con: Transporte (piloto 2021)"
    rows = [[text_of(cell.find("bdi") if cell.tag == "th" else cell) for cell in row] for row in section.xpath(".//tbody/tr")]
    assert rows[0] == ["Manifestaciones", "5,796", "5,796", "todas las expresiones contadas"]
    assert rows[1][:2] == ["Transporte", "372"]
    assert rows[1][3] == "Transporte (piloto 2021)"
    assert [text_of(quote) for quote in section.iter("q")] == ["35,24 % positivas", "40 % negativas", "24,76 % neutras"]
    assert "(coma decimal en el original)" in text_of(section.find(".//figcaption"))


def test_published_figures_are_left_out_of_another_window(ate: City, taxonomy: Taxonomy) -> None:
    week = Period.from_dates(date(2021, 4, 1), date(2021, 4, 29), ate.zone)
    page = render_page(filled_warehouse(ate, week, taxonomy), REPORT_ID, ate, week, taxonomy)
    assert 'id="published"' not in page
    assert 'id="method"' in page


def test_dated_and_undated_items_of_the_sources_add_up_to_what_was_collected(page: str) -> None:
    tree = html.fromstring(page)
    collected = [text_of(cell) for cell in tree.xpath("//section[@id='set_aside']//tbody/tr[1]/td")]
    found = [
        sum(int(text_of(cell).replace(",", "")) for cell in table.xpath("./tbody/tr/td[position() = 2 or position() = 3]"))
        for table in tree.xpath("//table[@class='sources']")
    ]
    assert [f"{count:,}" for count in found] == collected


def test_source_read_whole_says_what_it_brought_whatever_was_stored(ate: City, april: Period, taxonomy: Taxonomy) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy)
    warehouse.query("update report_source set status = 'ok', reason = 'none' where status = 'empty'")
    warehouse.query("update report_source set status = 'empty', reason = 'nothing_published' where position = 1")
    tree = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy))
    rows = {row.xpath("string(.//bdi)"): row for row in tree.xpath("//table[@class='sources']/tbody/tr")}
    states = [text_of(rows[ate.sources[place].publisher.name].find("td")) for place in (0, 10)]
    assert states == ["Leída completa", "Leída, sin mensajes del periodo"]


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ([18], "1 fuente registrada y desactivada por la ciudad."),
        ([4, 18], "2 fuentes registradas y desactivadas por la ciudad."),
    ],
)
def test_sources_that_the_city_disabled_are_told_apart(
    ate: City, april: Period, taxonomy: Taxonomy, page: str, positions: list[int], words: str
) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy)
    warehouse.query(
        "update report_source set status = 'not_collected', reason = 'disabled' where list_contains($positions, position)",
        {"positions": positions},
    )
    (line,) = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy)).xpath("//p[@class='disabled']")
    assert text_of(line) == words
    assert 'class="disabled"' not in page


def test_sources_that_are_not_as_they_used_to_be_stand_on_the_first_screen(
    ate: City, april: Period, taxonomy: Taxonomy, page: str
) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy)
    told = {
        1: ("verdict = 'quiet', verdict_about = 'volume', watched_count = 3, expected_low = 40, expected_high = 1400", "trajo 3"),
        2: ("verdict = 'quiet', verdict_about = 'overdue', silent_days = 29, usual_gap_days = 4", "29 días sin nada nuevo"),
        4: ("verdict = 'drift', verdict_about = 'author'", "ya no trae la firma"),
        5: ("verdict = 'degraded', verdict_about = 'same_text'", "casi todos sus mensajes dicen lo mismo"),
        6: ("status = 'not_collected', reason = 'quarantined', verdict = null", "se la deja descansar"),
        7: ("verdict = 'flood', verdict_about = 'volume', watched_count = 900, expected_low = 1, expected_high = 80", "900"),
    }
    for position, (values, _) in told.items():
        warehouse.query(f"update report_source set {values} where position = {position}")
    tree = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy))
    (note,) = tree.xpath("//section[@id='overview']//div[@class='troubled']")
    rows = [text_of(row) for row in tree.xpath("//table[@class='sources']/tbody/tr")]
    named = [text_of(name) for name in note.xpath(".//bdi")]
    assert named == [ate.sources[position - 1].publisher.name for position in told if position != 7]
    for position, (_, words) in told.items():
        assert words in rows[position - 1]
        assert (words in text_of(note)) is (position != 7)
    assert "de 40 a 1,400" in text_of(note)
    assert 'class="troubled"' not in page
    assert "verdict-" not in page


def test_messages_that_their_source_took_away_are_told(ate: City, april: Period, taxonomy: Taxonomy, page: str) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy)
    said = []
    for count in (1, 1200):
        warehouse.query("update report set gone_count = $count where channel = 'online'", {"count": count})
        tree = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy))
        said.append(text_of(tree.xpath("//section[@id='set_aside']//p[@class='note']")[-1]))
    assert said[0].startswith("Una de las expresiones contadas ya no se ve en su fuente")
    assert said[1].startswith("1,200 de las expresiones contadas ya no se ven en su fuente")
    assert "en su fuente:" not in page


def test_report_of_a_single_message_reads_in_the_singular(ate: City, taxonomy: Taxonomy) -> None:
    day = Period.from_dates(date(2021, 4, 5), date(2021, 4, 5), ate.zone)
    city = ate.model_copy(update={"sources": ate.sources[:1], "published": None})
    warehouse = filled_warehouse(city, day, taxonomy, divisor=700)
    warehouse.query("update report set voice_count = 1, distinct_text_count = 1")
    assert warehouse.query("select manifestation_count from report") == [(1,)]
    words = text_of(html.fromstring(render_page(warehouse, REPORT_ID, city, day, taxonomy)))
    for said in (
        "expresión contada",
        "texto distinto",
        "voz distinta",
        "fuente que respondió",
        "Son muy pocas personas, o muy repartidas, para decir qué categoría tiene más expresiones",
        "El máximo fue de 1 expresión en un día",
        "Tabla de un solo día",
        "(1 fuente, respondió 1)",
        "El periodo es el 5 de abril de 2021",
    ):
        assert said in words
    assert not re.search(r"\b1 (expresiones|fuentes|días|asuntos|voces|textos)\b|las 1\b", words)


def test_categories_that_share_the_first_place_are_counted_in_words(ate: City, april: Period, taxonomy: Taxonomy) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy)
    warehouse.query("update report_category set manifestation_count = 705 where position <= 6 and channel = 'online'")
    tell_findings(warehouse)
    section = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy)).get_element_by_id("overview")
    assert text_of(section.find(".//li")).startswith("Seis categorías comparten el primer lugar, con 705 expresiones cada una")


def test_city_with_one_channel_has_no_channel_comparison(ate: City, april: Period, taxonomy: Taxonomy) -> None:
    office = ate.model_copy(update={"sources": (ate.source("oficina-atencion"),), "published": None})
    page = render_page(filled_warehouse(office, april, taxonomy), REPORT_ID, office, april, taxonomy)
    assert 'id="channels"' not in page
    assert "Oficina de atención al ciudadano" in page


def test_bytes_are_the_same_in_another_process_zone_and_hash_seed(page: str) -> None:
    program = (
        "import hashlib\nfrom datetime import date\nfrom pathlib import Path\n"
        "from collectors.catalog import load_city\nfrom collectors.period import Period\n"
        "from models.taxonomy import load_taxonomy\nfrom pipelines.reports.rendering import render_page\n"
        "from tests.pipelines.filled_report import REPORT_ID, filled_warehouse\n"
        "city, taxonomy = load_city(Path('data/cities/ate.yml')), load_taxonomy()\n"
        "period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)\n"
        "page = render_page(filled_warehouse(city, period, taxonomy), REPORT_ID, city, period, taxonomy)\n"
        "print(hashlib.sha256(page.encode()).hexdigest())\n"
    )
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == hashlib.sha256(page.encode()).hexdigest()


def test_page_is_self_contained_and_small(page: str) -> None:
    assert len(page.encode()) < 1_000_000
    assert "default-src 'none'" in page
    without_namespaces = page.replace("http://www.w3.org/", "")
    assert not re.search(r"https?://|<script|<link|<iframe|<img|@import|\son\w+=|src=", without_namespaces)
    assert not re.search(r"url\((?!#)", page)


def test_page_is_well_formed_for_those_who_hear_it(page: str) -> None:
    tree = html.fromstring(page)
    assert tree.get("lang") == "es-PE"
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(table.find("caption") is not None for table in tree.iter("table"))
    assert all(head.get("scope") for head in tree.iter("th"))
    drawings = [drawing for drawing in tree.iter("svg") if drawing.get("role") == "img"]
    assert drawings
    assert all(text_of(drawing.find("title")) and text_of(drawing.find("desc")) for drawing in drawings)
    referred = {name for value in tree.xpath("//@aria-labelledby|//@aria-describedby") for name in value.split()}
    assert referred <= set(ids)
    assert {reference.lstrip("#") for reference in tree.xpath("//a/@href")} <= set(ids)


def test_synthetic_report_without_published_figures_excepts_none(ate: City, april: Period, taxonomy: Taxonomy) -> None:
    city = ate.model_copy(update={"published": None})
    page = render_page(filled_warehouse(city, april, taxonomy), REPORT_ID, city, april, taxonomy)
    assert "Ninguna cifra de esta página describe personas ni hechos reales" in page
    assert css_string("textos inventados; ninguna cifra") in page
    assert "alvo l" not in text_of(html.fromstring(page).find("body"))


def test_hostile_names_pass_harmless(ate: City, april: Period, taxonomy: Taxonomy) -> None:
    source = ate.sources[0]
    publisher = source.publisher.model_copy(update={"name": HOSTILE})
    published = (
        ate.published.model_copy(update={"title": HOSTILE, "note": HOSTILE, "quotes": (HOSTILE,)}) if ate.published else None
    )
    city = ate.model_copy(
        update={
            "name": HOSTILE,
            "published": published,
            "sources": (source.model_copy(update={"publisher": publisher, "platform": HOSTILE}), *ate.sources[1:]),
        }
    )
    page = render_page(filled_warehouse(city, april, taxonomy), REPORT_ID, city, april, taxonomy)
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert "\u202e" not in page
    assert "\x07" not in page
    assert "{{7*7}}" in page
    tree = html.fromstring(page)
    assert not tree.xpath("//@onload|//script")
    assert any(text_of(name).startswith("<script>alert(1)</script>gnp.exe {{7*7}}") for name in tree.iter("bdi"))


def test_synthetic_report_says_so_loudly_and_a_real_one_does_not(ate: City, april: Period, taxonomy: Taxonomy, page: str) -> None:
    real = render_page(filled_warehouse(ate, april, taxonomy, synthetic=False), REPORT_ID, ate, april, taxonomy)
    tree = html.fromstring(page)
    assert text_of(tree.xpath("//*[@class='banner']")[0]).startswith("Datos sintéticos")
    assert len(tree.xpath("//h2/*[@class='stamp']")) == len(tree.xpath("//h2"))
    assert "Salvo las cifras publicadas en 2021, que se citan aparte" in text_of(tree)
    assert css_string("salvo lo citado de 2021") in page
    assert "sintéticos" not in real
    assert "@top-center { content:" not in real


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (12, "12 expresiones de este periodo llegaron"),
        (1, "Una expresión de este periodo llegó"),
        (0, "no llegó ninguna expresión"),
    ],
)
def test_amendment_says_what_it_amends(ate: City, april: Period, taxonomy: Taxonomy, page: str, late: int, words: str) -> None:
    amended = render_page(filled_warehouse(ate, april, taxonomy, late_count=late), REPORT_ID, ate, april, taxonomy)
    (box,) = html.fromstring(amended).xpath("//*[@class='amendment']")
    assert "Enmienda del informe 77aa0000bbbb" in text_of(box)
    assert words in text_of(box)
    assert "1 de mayo de 2021, 09:00 h" in text_of(box)
    assert 'class="amendment"' not in page


@pytest.mark.parametrize("divisor", [220, 10**6])
def test_no_percentage_on_a_base_under_thirty(ate: City, april: Period, taxonomy: Taxonomy, divisor: int) -> None:
    warehouse = filled_warehouse(ate, april, taxonomy, divisor=divisor)
    ((total,),) = warehouse.query("select max(manifestation_count) from report")
    assert total < 30
    tree = html.fromstring(render_page(warehouse, REPORT_ID, ate, april, taxonomy))
    for section in tree.xpath("//section[not(@id='published' or @id='method')]"):
        assert [text_of(found) for found in percentages(section) if "100 %" not in text_of(found)] == []
        claims = [text_of(found) for found in section.xpath(".//thead//*[@class='badge'] | .//*[@class='mark']")]
        assert claims == []
        assert "suma 100" not in text_of(section)
    notes = [text_of(note) for note in tree.xpath("//*[@class='small-base']")]
    assert notes
    assert set(notes) == {"Base menor de 30: no se calculan porcentajes; solo se dan las cantidades."}
    assert max(len(section.xpath(".//*[@class='small-base']")) for section in tree.iter("section")) == 1
    assert tree.xpath("//section[@id='categories']//tbody//td/*[@class='dash']")
    assert "None" not in text_of(tree)


def test_new_section_is_one_query_and_one_template(
    tmp_path: Path, filled: Warehouse, ate: City, april: Period, taxonomy: Taxonomy, page: str
) -> None:
    folder = copy_of_reports(tmp_path)
    (folder / "sections" / "52_press.sql").write_text(
        "-- What the press brought. Grain: one row.\nselect sum(manifestation_count)::bigint as n from report_source\n"
        "where report_id = $report_id and channel = $channel and publisher_kind = 'press'\n",
        encoding="utf-8",
    )
    (folder / "sections" / "52_press.html.jinja").write_text(
        '{% set title = "La prensa" %}\n<p>Comentarios en la prensa: {{ rows[0].n | number }}</p>\n', encoding="utf-8"
    )
    tree = html.fromstring(render_page(filled, REPORT_ID, ate, april, taxonomy, folder=folder))
    ((expected,),) = filled.query("select sum(manifestation_count) from report_source where publisher_kind = 'press'")
    names = [section.get("id") for section in tree.iter("section")]
    assert names[names.index("days") + 1] == "press"
    assert text_of(tree.get_element_by_id("press").find("p")) == f"Comentarios en la prensa: {expected:,}"
    assert 'id="press"' not in page


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"99_x.sql": "-- X. Grain: one row.\nselect 1 as n\n"}, "has no template"),
        ({"99_x.sql": "-- X. Grain: one row.\nselect 1 as n\n", "99_x.html.jinja": "<p>x</p>"}, "sets no title"),
        ({"99_x.sql": "select 1 as n\n", "99_x.html.jinja": "<p>x</p>"}, "must open with a comment"),
    ],
)
def test_incomplete_section_is_refused_with_the_remedy(
    tmp_path: Path, filled: Warehouse, ate: City, april: Period, taxonomy: Taxonomy, files: dict[str, str], message: str
) -> None:
    folder = copy_of_reports(tmp_path)
    for name, text in files.items():
        (folder / "sections" / name).write_text(text, encoding="utf-8")
    with pytest.raises(SectionError, match=message):
        render_page(filled, REPORT_ID, ate, april, taxonomy, folder=folder)


def test_absent_value_is_never_printed(tmp_path: Path, filled: Warehouse, ate: City, april: Period, taxonomy: Taxonomy) -> None:
    folder = copy_of_reports(tmp_path)
    (folder / "sections" / "99_x.sql").write_text("-- X. Grain: one row.\nselect null as n\n", encoding="utf-8")
    (folder / "sections" / "99_x.html.jinja").write_text('{% set title = "X" %}{{ rows[0].n }}', encoding="utf-8")
    with pytest.raises(ValueError, match="prints an absent value"):
        render_page(filled, REPORT_ID, ate, april, taxonomy, folder=folder)


def test_unknown_report_is_refused(filled: Warehouse, ate: City, april: Period, taxonomy: Taxonomy) -> None:
    with pytest.raises(ValueError, match="no report 'nada'"):
        render_page(filled, "nada", ate, april, taxonomy)


def test_query_names_are_unique() -> None:
    assert parse_queries("-- A. Grain: one row.\nselect 1\n", "a.sql") == {"rows": "-- A. Grain: one row.\nselect 1\n"}
    with pytest.raises(SectionError, match="names one twice"):
        parse_queries("-- A.\n-- name: one\nselect 1\n-- name: one\nselect 2\n", "a.sql")


def test_wording_covers_every_status_reason_and_channel() -> None:
    say = load_wording(REPORTS / "wording" / "es")
    reasons = re.findall(
        r"\('(\w+)', \d+, (true|false)\)", (REPORTS / "tables" / "report_unread.sql").read_text(encoding="utf-8")
    )
    keys = [f"status.{status}" for status in get_args(Status)] + [f"reason.{reason}" for reason in get_args(Reason)]
    keys += [f"channel.{channel}" for channel in get_args(Channel)] + [
        f"channel_about.{channel}" for channel in get_args(Channel)
    ]
    keys += [
        f"set_aside.{reason}.{part}"
        for reason, counted in reasons
        if counted == "false" and not reason.endswith("_source")
        for part in ("name", "why")
    ]
    keys += [
        f"erased.{reason}.{form}"
        for reason in ("erased_text", "read_earlier", "erased_unread", "withdrawn")
        for form in ("one", "other")
    ]
    assert len(reasons) == 19
    assert [key for key in keys if not say.has(key)] == []


def test_missing_wording_names_what_there_is() -> None:
    say = Wording({"status": {"ok": "bien", "empty": "nada de {what}"}})
    with pytest.raises(WordingError, match=r"no 'status.bad'.*ok, empty"):
        say("status.bad")
    with pytest.raises(WordingError, match="needs a value for 'what'"):
        say("status.empty")
    assert say("status.empty", what="<b>") == "nada de &lt;b&gt;"


@pytest.mark.parametrize(
    ("value", "base", "written"),
    [
        (0.3524, 5796, "35 %"),
        (0.0642, 5796, "6.4 %"),
        (0.0995, 5796, "10 %"),
        (0.0994, 5796, "9.9 %"),
        (0.0, 40, "0 %"),
        (1.0, 40, "100 %"),
        (0.9999, 5796, "más de 99 %"),
        (0.0002, 5796, "menos de 0.1 %"),
        (0.5, 29, "base menor de 30"),
        (None, 0, "base menor de 30"),
    ],
)
def test_share_is_written_without_false_precision(formats: Formats, value: float | None, base: int, written: str) -> None:
    assert formats.share(value, base).replace("\u00a0", " ") == written


def test_message_takes_the_form_that_its_count_asks_for(formats: Formats) -> None:
    assert [formats.counted(count, "sources.planned") for count in (0, 1, 2, 1234)] == [
        "0 fuentes",
        "1 fuente",
        "2 fuentes",
        "1,234 fuentes",
    ]
    assert [formats.in_words(count) for count in (2, 15, 16)] == ["Dos", "Quince", "16"]


@pytest.mark.parametrize("value", [None, -0.1, 1.1])
def test_share_that_is_none_is_refused(formats: Formats, value: float | None) -> None:
    with pytest.raises(ValueError, match="must be a number from 0 to 1"):
        formats.share(value, 30)


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        (date(2021, 4, 1), date(2021, 4, 30), "del 1 al 30 de abril de 2021"),
        (date(2021, 9, 5), date(2021, 9, 5), "el 5 de setiembre de 2021"),
        (date(2021, 8, 30), date(2021, 9, 5), "del 30 de agosto al 5 de setiembre de 2021"),
        (date(2021, 12, 27), date(2022, 1, 2), "del 27 de diciembre de 2021 al 2 de enero de 2022"),
    ],
)
def test_window_is_written_as_people_say_it(formats: Formats, ate: City, first: date, last: date, written: str) -> None:
    assert formats.window(Period.from_dates(first, last, ate.zone)) == written


def test_number_follows_the_locale_of_the_city(formats: Formats) -> None:
    assert formats.number(1234567) == "1,234,567"
    assert Formats("es_ES", formats.zone, formats.say).number(1234567) == "1.234.567"
    assert [formats.coefficient(value) for value in (0.854, -0.07, -0.001, 0)] == ["0.85", "−0.07", "0.00", "0.00"]


@given(st.integers(min_value=0, max_value=10**9))
def test_axis_has_few_round_ticks_that_hold_every_bar(most: int) -> None:
    ticks = axis_ticks(most)
    assert ticks[0] == 0
    assert max(1, most) <= ticks[-1]
    assert 2 <= len(ticks) <= 6
    assert str(ticks[1]).rstrip("0") in {"1", "2", "5"}


def test_chart_names_months_in_spanish_and_keeps_its_ids_apart(formats: Formats) -> None:
    days = [date(2021, 8, 30), date(2021, 8, 31), date(2021, 9, 1)]
    rows = [{"day": day, "manifestation_count": 1500, "neg_count": 700, "neu_count": 500, "pos_count": 300} for day in days]
    drawn = draw_days(rows, title="<t>", description="d & d", formats=formats)
    assert ">ago<" in drawn
    assert ">set<" in drawn
    assert ">1,500<" in drawn
    assert "&lt;t&gt;" in drawn
    assert "d &amp; d" in drawn
    ids = re.findall(r'\bid="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert "axis for" not in drawn


def test_ids_within_two_drawings_of_one_page_do_not_collide() -> None:
    drawn = (
        '<svg width="1"><clipPath id="clip0"><path/></clipPath><g clip-path="url(#clip0)" class="mark"><text>1</text></g></svg>'
    )
    both = embed_drawing(drawn, WIDE, "t", "d") + embed_drawing(drawn, NARROW, "t", "d")
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids)) == 6
    assert re.findall(r"url\(#([^)]+)\)", both) == ["days-wide-clip0", "days-narrow-clip0"]


@given(st.text())
def test_css_string_cannot_end_the_string_or_the_style(text: str) -> None:
    assert not re.search(r"[\"'<>{};\n]", css_string(text))
    assert "\u202e" not in clean(text)


def test_page_asks_nothing_of_the_clock() -> None:
    source = Path(rendering.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in source.glob("*.py"))
    sql = "".join(file.read_text(encoding="utf-8") for file in (source / "sections").glob("*.sql"))
    assert not re.search(r"\bnow\(|today\(|\butcnow\b|current_date|current_timestamp", code + sql)


def copy_of_reports(folder: Path) -> Path:
    """Copy the page's files, to be changed."""
    return Path(shutil.copytree(REPORTS, folder / "reports", ignore=shutil.ignore_patterns("__pycache__")))
