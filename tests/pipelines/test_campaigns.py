"""Texts that many passed on: what a campaign's row tells, what it keeps to itself, and what the page says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from lxml import html

from pipelines.copies import LEAST_VOICES, load_place_words
from pipelines.project import Project
from pipelines.runs import Readers
from pipelines.staging import REPORTS
from pipelines.warehouse import Warehouse, open_warehouse
from tests.conftest import ROOT, run_window, write_import
from tests.pipelines.test_counting_rules import NEAR, NOON, add, items, warehouse

__all__ = ["warehouse"]

OTHER = "Propongo que la biblioteca de Valdiviezo abra también los domingos por la tarde para los escolares."


def campaigns(opened: Warehouse) -> list[dict[str, Any]]:
    """Return the rows of the table for what is staged."""
    items(opened)
    sql = (REPORTS / "tables" / "report_campaign.sql").read_text(encoding="utf-8")
    return opened.rows(sql, {"report_id": "r", "timezone": "America/Lima", "least_voices": LEAST_VOICES})


def send(opened: Warehouse, text: str, authors: Iterator[str | None] | list[str | None], name: str = "m", **fields: Any) -> None:
    """Append a copy by each author, an hour apart, each in a spelling of its own."""
    for number, author in enumerate(authors):
        spelt = text.upper() if number % 2 else f"{text} {'🙏' * number}"
        moment = NOON + timedelta(hours=number)
        add(
            opened, f"{name}{number}", text=spelt, text_digest=f"{name}{number}", author_key=author, published_at=moment, **fields
        )


def test_a_campaign_tells_posts_texts_voices_and_days(warehouse: Warehouse) -> None:
    send(warehouse, NEAR[0], [*(f"persona {number}" for number in range(24)), None])
    send(warehouse, OTHER, [f"otra {number}" for number in range(LEAST_VOICES - 1)], name="few")
    (row,) = campaigns(warehouse)
    assert row == {
        "report_id": "r",
        "channel": "online",
        "campaign_number": 1,
        "manifestation_count": 25,
        "distinct_text_count": 25,
        "voice_count": 24,
        "unsigned_count": 1,
        "source_count": 1,
        "first_day": date(2021, 4, 10),
        "last_day": date(2021, 4, 11),
        "categories": '{"salud":25}',
    }


def test_fewer_than_five_persons_are_not_told_apart(warehouse: Warehouse) -> None:
    send(warehouse, NEAR[0], ["rosa", "luis", *[None] * 7])
    send(warehouse, OTHER, [None] * 6, name="unsigned")
    signed, unsigned = campaigns(warehouse)
    assert (signed["manifestation_count"], signed["voice_count"], signed["unsigned_count"]) == (9, None, None)
    assert (unsigned["manifestation_count"], unsigned["voice_count"], unsigned["unsigned_count"]) == (6, 0, 6)


def test_a_category_in_fewer_than_five_is_not_told(warehouse: Warehouse) -> None:
    send(warehouse, NEAR[0], [f"persona {number}" for number in range(6)])
    send(warehouse, NEAR[0], [f"vecina {number}" for number in range(4)], name="n", category="vias_obras")
    (row,) = campaigns(warehouse)
    assert row["manifestation_count"] == 10
    assert json.loads(row["categories"]) == {"salud": 6}


def test_repeats_of_one_author_make_no_campaign(warehouse: Warehouse) -> None:
    send(warehouse, NEAR[0], ["rosa"] * 12)
    assert campaigns(warehouse) == []


def test_channels_have_campaigns_of_their_own(warehouse: Warehouse) -> None:
    for name, source in (("m", "a"), ("d", "desk")):
        send(warehouse, NEAR[0], [f"persona {number}" for number in range(5)], name=name, source_id=source)
    assert [(row["channel"], row["campaign_number"], row["manifestation_count"]) for row in campaigns(warehouse)] == [
        ("attention_office", 1, 5),
        ("online", 1, 5),
    ]


def test_the_places_of_the_city_are_names() -> None:
    words = load_place_words(Project(ROOT), "ate")
    assert {"huaycan", "barbadillo", "ayllon"} <= words
    assert not {"agua", "mercado", "avenida", "la"} & words
    assert load_place_words(Project(ROOT), "mini") == frozenset()


@pytest.fixture
def sent(mini_project: Project) -> Project:
    """The small city, where seven people sent one text and one of them sent it again with other words around it."""
    people = ("Ana Flores", "Luis Mamani", "Rosa Quispe", "Elsa Poma", "Julio Rojas", "Nelly Soto", "Hugo Inga")
    spelt = [NEAR[number % 3].replace(",", "") for number in range(len(people))]
    rows = [f"{30 + number},{people[number]},{text},{10 + number}/04/2021" for number, text in enumerate(spelt)]
    again = f"70,Ana Flores,Amigos {NEAR[2].replace(',', '')} #YaBasta,28/04/2021"
    write_import(mini_project.root, "campaña.csv", [*rows, again])
    return mini_project


def test_the_page_says_what_part_of_the_headline_is_copies(sent: Project, readers: Readers) -> None:
    _, _, finished = run_window(sent, "mini", readers)
    page = finished.path.read_text(encoding="utf-8")
    section = html.fromstring(page).xpath("//section[@id='campaigns']")[0].text_content()
    totals = finished.totals
    copies = totals["manifestation_count"] - totals["distinct_text_count"]
    assert copies >= 6
    assert f"{copies} expresiones repiten lo que ya dijo otra" in section
    assert "Fresnos" not in page
    with open_warehouse(sent.warehouse) as opened:
        largest = opened.rows(
            "select * from report_campaign where report_id = $id and channel = 'online' order by campaign_number",
            {"id": finished.report_id},
        )[0]
        source = opened.query(
            "select item_count, manifestation_count from report_source where report_id = $id and source_id = 'correo-tardio'",
            {"id": finished.report_id},
        )
    assert (largest["manifestation_count"], largest["voice_count"], largest["unsigned_count"]) == (7, 7, 0)
    assert source == [(9, 8)]


def test_an_erased_text_leaves_a_report_that_says_so(sent: Project, readers: Readers) -> None:
    _, _, first = run_window(sent, "mini", readers)
    with open_warehouse(sent.warehouse) as opened:
        opened.query(
            "delete from manifestation_text where (manifestation_id, version) in"
            " (select manifestation_id, version from manifestation where source_id = 'correo-tardio')"
        )
    _, _, second = run_window(sent, "mini", readers)
    assert second.report_id != first.report_id
    assert second.totals["textless_count"] > 0
    section = html.fromstring(second.path.read_text(encoding="utf-8")).xpath("//section[@id='campaigns']")[0].text_content()
    assert "ya no conservan su texto" in section
