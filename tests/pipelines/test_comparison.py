"""A window beside the one before: what sources said, what was lost, and that a dead source moves no headline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from lxml import html

from pipelines.reports.exporting import FormatError
from pipelines.runs import Readers
from tests.pipelines.pueblo import SOURCES, Pueblo, found_pueblo

MARCH, APRIL = (date(2021, 3, 1), date(2021, 3, 31)), (date(2021, 4, 1), date(2021, 4, 30))
BEFORE = {source: {"transporte": 40, "salud": 60, "economia_empleo": 100} for source in SOURCES}


@pytest.fixture
def pueblo(tmp_path: Path, readers: Readers) -> Iterator[Pueblo]:
    """A city without messages."""
    with found_pueblo(tmp_path, readers) as founded:
        yield founded


def months(pueblo: Pueblo, now: dict[str, dict[str, int]], **options: object) -> object:
    """Write March and April and report April."""
    pueblo.write(pueblo.window(*MARCH), BEFORE)
    pueblo.write(pueblo.window(*APRIL), now, **options)
    return pueblo.report(pueblo.window(*APRIL))


def test_a_rise_in_all_sources_is_the_first_finding_and_sums_up(pueblo: Pueblo) -> None:
    now = {source: {"transporte": 90, "salud": 50, "economia_empleo": 60} for source in SOURCES}
    finished = months(pueblo, now)
    row = pueblo.change(finished, "category", "transporte")
    assert row["direction"] == "up"
    assert (row["previous_value"], row["current_value"]) == (0.2, 0.45)
    assert row["within_change"] == pytest.approx(0.25)
    assert row["within_low"] > 0.15
    assert row["within_high"] < 0.35
    assert row["mix_change"] == row["lost_change"] == row["gained_change"] == 0
    (first, *_) = pueblo.rows("report_headline", finished, "position = 1")
    assert (first["message"], first["key"], first["direction"]) == ("change_category", "transporte", "up")
    page = html.fromstring(finished.path.read_text(encoding="utf-8"))
    said = re.sub(r"\s+", " ", page.xpath("//section[@id='overview']//li")[0].text_content())
    assert "▲ sube 25.0 puntos (entre" in said
    assert "en las 5 fuentes que se leyeron en los dos periodos" in said
    assert "Si se quita una fuente" in said
    assert "el mes anterior (del 1 al 31 de marzo de 2021)" in page.xpath("//p[@class='compared']")[0].text_content()


def uneven() -> dict[str, dict[str, int]]:
    """The first source says something else than the others, and is the largest."""
    others = {source: {"transporte": 40, "salud": 60, "economia_empleo": 100} for source in SOURCES[1:]}
    return {SOURCES[0]: {"transporte": 400, "salud": 20, "economia_empleo": 20}, **others}


def test_killing_a_source_moves_no_headline(tmp_path: Path, readers: Readers) -> None:
    told = {}
    for name, failed in (("whole", ()), ("killed", SOURCES[:1])):
        with found_pueblo(tmp_path / name, readers) as pueblo:
            pueblo.write(pueblo.window(*MARCH), uneven())
            pueblo.write(pueblo.window(*APRIL), uneven(), failed=failed)
            finished = pueblo.report(pueblo.window(*APRIL))
            (first, *_) = pueblo.rows("report_headline", finished, "position = 1")
            row = pueblo.change(finished, "category", "transporte")
            told[name] = first["message"], first["direction"], row
            (basis,) = pueblo.rows("report_comparison", finished)
            assert basis["lost_source_count"] == len(failed)
    for message, _, row in told.values():
        assert message == "no_sure_change"
        assert row["direction"] == "none"
        assert row["within_change"] == pytest.approx(0, abs=1e-9)
    killed = told["killed"][2]
    assert killed["total_change"] < -0.2
    assert killed["lost_change"] == pytest.approx(killed["total_change"])


def test_killing_a_source_leaves_a_real_change_and_its_like_for_like_value(tmp_path: Path, readers: Readers) -> None:
    """The value is that of a city that never had the source, exactly; and within the interval of the whole city."""
    rows = {}
    now = {source: {"transporte": 90, "salud": 50, "economia_empleo": 60} for source in SOURCES[1:]}
    now |= {SOURCES[0]: {"transporte": 520, "salud": 10, "economia_empleo": 10}}
    for name, failed, left in (("whole", (), ()), ("killed", SOURCES[:1], ()), ("never", (), SOURCES[:1])):
        with found_pueblo(tmp_path / name, readers) as pueblo:
            for window, counts in ((MARCH, uneven()), (APRIL, now)):
                kept = {source: said for source, said in counts.items() if source not in left}
                pueblo.write(pueblo.window(*window), kept, failed=failed if window == APRIL else ())
            finished = pueblo.report(pueblo.window(*APRIL))
            rows[name] = pueblo.change(finished, "category", "transporte")
            (first, *_) = pueblo.rows("report_headline", finished, "position = 1")
            assert (first["message"], first["key"], first["direction"]) == ("change_category", "transporte", "up"), name
    assert rows["killed"]["within_change"] == rows["never"]["within_change"]
    assert rows["killed"]["direction"] == rows["whole"]["direction"] == "up"
    assert rows["killed"]["total_change"] < rows["killed"]["within_change"]


def test_what_a_source_gained_brings_is_told_apart(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*MARCH), BEFORE, failed=SOURCES[:1])
    pueblo.write(pueblo.window(*APRIL), uneven())
    row = pueblo.change(pueblo.report(pueblo.window(*APRIL)), "category", "transporte")
    assert row["gained_change"] > 0.2
    assert row["lost_change"] == 0
    assert row["within_change"] == pytest.approx(0)


def test_one_who_writes_much_makes_no_arrow(tmp_path: Path, readers: Readers) -> None:
    directions = {}
    for name, writers in (("many", None), ("one", {"transporte": 1})):
        with found_pueblo(tmp_path / name, readers) as pueblo:
            now = BEFORE | {SOURCES[0]: {"transporte": 160, "salud": 20, "economia_empleo": 20}}
            pueblo.write(pueblo.window(*MARCH), BEFORE)
            pueblo.write(pueblo.window(*APRIL), now, authors=writers)
            directions[name] = pueblo.change(pueblo.report(pueblo.window(*APRIL)), "category", "transporte")["direction"]
    assert directions == {"many": "up", "one": "none"}


def test_without_the_window_before_the_page_says_why(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    finished = pueblo.report(pueblo.window(*APRIL))
    assert pueblo.rows("report_change", finished) == []
    (basis,) = pueblo.rows("report_comparison", finished)
    assert basis["standing"] == "not_collected"
    assert {basis[name] for name in basis if name.endswith("_count")} - {0} == {None}, "what nobody looked at is no zero"
    assert (basis["unread_count"], basis["comparison_count"]) == (0, 0)
    sources = pueblo.rows("report_source_comparison", finished)
    assert {(row["standing"], row["previous_count"]) for row in sources} == {(None, None)}
    assert sum(row["current_count"] for row in sources) == 1000
    page = finished.path.read_text(encoding="utf-8")
    assert "No hay con qué comparar: de el mes anterior" not in page
    assert "del 1 al 31 de marzo de 2021" in page


def test_a_window_before_that_nobody_read_is_not_compared(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*MARCH), BEFORE)
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    compared = pueblo.report(pueblo.window(*APRIL))
    pueblo.warehouse.query("delete from annotation where manifestation_id = 'm0000001'")
    unread = pueblo.report(pueblo.window(*APRIL))
    assert unread.report_id != compared.report_id
    (basis,) = pueblo.rows("report_comparison", unread)
    assert (basis["standing"], basis["unread_count"]) == ("not_read", 1)
    assert (basis["gained_source_count"], basis["previous_count"]) == (None, None)
    assert "un mensaje suyo no lo ha leído este mismo programa" in unread.path.read_text(encoding="utf-8")


def test_staging_the_window_before_leaves_the_reports_own_and_gives_the_same_bytes(pueblo: Pueblo) -> None:
    finished = months(pueblo, {SOURCES[0]: {"transporte": 30}})
    assert finished.totals["manifestation_count"] == 30
    first = finished.path.read_bytes()
    again = pueblo.report(pueblo.window(*APRIL))
    assert (again.report_id, again.path.read_bytes()) == (finished.report_id, first)


@pytest.mark.parametrize(
    ("now", "before", "kind", "words"),
    [
        ((date(2021, 4, 1), date(2021, 4, 30)), (date(2021, 3, 1), date(2021, 3, 31)), "month", "el mes anterior"),
        ((date(2021, 4, 5), date(2021, 4, 11)), (date(2021, 3, 29), date(2021, 4, 4)), "week", "la semana anterior"),
        ((date(2021, 4, 1), date(2021, 6, 30)), (date(2021, 1, 1), date(2021, 3, 31)), "quarter", "el trimestre anterior"),
        ((date(2021, 4, 6), date(2021, 4, 19)), (date(2021, 3, 23), date(2021, 4, 5)), "window", "el periodo anterior de igual"),
    ],
)
def test_every_kind_of_window_is_compared_with_the_one_before(
    pueblo: Pueblo, now: tuple[date, date], before: tuple[date, date], kind: str, words: str
) -> None:
    pueblo.write(pueblo.window(*before), BEFORE)
    pueblo.write(pueblo.window(*now), {source: {"transporte": 100, "salud": 60, "economia_empleo": 40} for source in SOURCES})
    finished = pueblo.report(pueblo.window(*now))
    (basis,) = pueblo.rows("report_comparison", finished)
    assert (basis["standing"], basis["period_kind"]) == ("compared", kind)
    assert basis["previous_start"] == pueblo.window(*before).start_utc
    assert basis["previous_end"] == pueblo.window(*now).start_utc
    assert words in finished.path.read_text(encoding="utf-8")
    volume = pueblo.change(finished, "volume", "all")
    days = (pueblo.window(*before).days(), pueblo.window(*now).days())
    assert volume["previous_value"] == pytest.approx(1000 / len(days[0]))
    assert volume["current_value"] == pytest.approx(1000 / len(days[1]))
    assert pueblo.change(finished, "category", "transporte")["direction"] == "up"


def test_a_planted_flood_is_named(pueblo: Pueblo) -> None:
    now = {source: {"transporte": 25, "salud": 50, "economia_empleo": 50} for source in SOURCES}
    now["rivera"] = {"transporte": 750, "salud": 12}
    pueblo.write(pueblo.window(*APRIL), now)
    finished = pueblo.report(pueblo.window(*APRIL))
    (row,) = pueblo.rows("report_influence", finished, "measure = 'category' and key = 'transporte'")
    assert row["moving_source_id"] == row["lowest_source_id"] == "rivera"
    assert row["lowest_without"] == pytest.approx(100 / 500)
    assert row["share"] == pytest.approx(850 / 1262)
    assert row["highest_without"] == pytest.approx(825 / 1137)
    (headline,) = pueblo.rows("report_headline", finished, "message = 'largest_category'")
    assert headline["moving_source_id"] == "rivera"
    page = html.fromstring(finished.path.read_text(encoding="utf-8"))
    assert "más lo mueve es Rivera" in page.get_element_by_id("overview").text_content()


def test_influence_is_what_leaving_each_source_out_gives(pueblo: Pueblo) -> None:
    now = {source: {"transporte": 10 + 7 * place, "salud": 50 - 9 * place} for place, source in enumerate(SOURCES)}
    pueblo.write(pueblo.window(*APRIL), now)
    finished = pueblo.report(pueblo.window(*APRIL))
    for key in ("transporte", "salud", "economia_empleo"):
        left = {}
        for source in SOURCES:
            rest = [said for name, said in now.items() if name != source]
            left[source] = sum(said.get(key, 0) for said in rest) / sum(sum(said.values()) for said in rest)
        (row,) = pueblo.rows("report_influence", finished, f"measure = 'category' and key = '{key}'")
        assert row["lowest_without"] == pytest.approx(min(left.values()))
        assert row["highest_without"] == pytest.approx(max(left.values()))


def test_voices_and_the_most_active_tenth(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*APRIL), {"plaza": {"transporte": 80, "salud": 10}}, authors={"transporte": 40})
    finished = pueblo.report(pueblo.window(*APRIL))
    rows = {row["category_id"]: row for row in pueblo.rows("report_voice", finished)}
    assert (rows["transporte"]["manifestation_count"], rows["transporte"]["voice_count"]) == (80, 40)
    assert rows["transporte"]["top_tenth_share"] == pytest.approx(0.1)
    assert (rows["salud"]["voice_count"], rows["salud"]["top_tenth_share"]) == (10, None)
    assert (rows[None]["manifestation_count"], rows[None]["voice_count"]) == (90, 50)
    assert not {"author_key", "voice"} & rows[None].keys()


def test_days_that_nobody_collected_are_no_silence(pueblo: Pueblo) -> None:
    """Four days of March are no March: neither a base for April, nor a month in which little was written."""
    pueblo.write(pueblo.window(date(2021, 3, 28), date(2021, 3, 31)), BEFORE)
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    april = pueblo.report(pueblo.window(*APRIL))
    (compared,) = pueblo.rows("report_comparison", april)
    assert (compared["standing"], compared["compared_source_count"]) == ("no_common_source", 0)
    assert pueblo.rows("report_change", april) == []
    assert not april.troubled_sources
    march = pueblo.report(pueblo.window(*MARCH))
    assert {(row["status"], row["reason"]) for row in pueblo.rows("report_source", march)} == {("partial", "days_missing")}
    assert march.troubled_sources == dict.fromkeys(SOURCES, "days_missing")
    assert [row["day"] for row in pueblo.rows("report_day", march, "covered")] == [date(2021, 3, day) for day in range(28, 32)]
    page = html.fromstring(march.path.read_text(encoding="utf-8"))
    assert "Se recogieron 4 de los 31 días de este periodo." in page.get_element_by_id("overview").text_content()
    assert page.get_element_by_id("days").text_content().count("no se recogió") == 27


def test_a_window_that_is_not_over_is_compared_with_nothing(pueblo: Pueblo) -> None:
    june, july = (date(2021, 6, 1), date(2021, 6, 30)), (date(2021, 7, 1), date(2021, 7, 31))
    pueblo.write(pueblo.window(*june), BEFORE)
    pueblo.write(pueblo.window(*july), {})
    begun = pueblo.report(pueblo.window(*july))  # seen on its first day
    assert {row["status"] for row in pueblo.rows("report_source", begun)} <= {"ok", "empty"}
    assert pueblo.rows("report_change", begun) == []
    assert [row["day"] for row in pueblo.rows("report_day", begun, "covered")] == [date(2021, 7, 1)]


def test_a_report_on_some_sources_says_so_first(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    whole, part = pueblo.report(pueblo.window(*APRIL)), pueblo.report(pueblo.window(*APRIL), "plaza", "cerro")
    assert [pueblo.rows("report", one)[0]["only_sources"] for one in (whole, part)] == [None, "plaza,cerro"]
    pages = [html.fromstring(one.path.read_text(encoding="utf-8")) for one in (whole, part)]
    assert [page.findtext(".//h1") for page in pages] == [
        "Pueblo, del 1 al 30 de abril de 2021",
        "Pueblo, del 1 al 30 de abril de 2021 (solo 2 fuentes)",
    ]
    said = [re.sub(r"\s+", " ", page.get_element_by_id("overview").text_content()) for page in pages]
    assert "no es el informe de la ciudad: Plaza; Cerro." in said[1]
    assert "no es el informe" not in said[0]
    assert "Las fuentes que se eligieron para este informe" in pages[1].get_element_by_id("sources").text_content()


def test_a_report_on_all_sources_by_name_is_not_the_citys_own(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    named, whole = pueblo.report(pueblo.window(*APRIL), *SOURCES), pueblo.report(pueblo.window(*APRIL))
    assert named.report_id != whole.report_id
    assert [pueblo.rows("report", one)[0]["only_sources"] for one in (named, whole)] == [",".join(SOURCES), None]


def test_a_report_on_some_sources_has_no_open_data(pueblo: Pueblo) -> None:
    pueblo.write(pueblo.window(*APRIL), BEFORE)
    with pytest.raises(FormatError, match="has no open-data"):
        pueblo.report(pueblo.window(*APRIL), "plaza", formats=("html", "open-data"))
    made = pueblo.report(pueblo.window(*APRIL), "plaza", formats=())
    assert {path.suffix for path in made.path.parent.iterdir()} == {".html", ".pdf", ".docx", ".md", ".xlsx"}
