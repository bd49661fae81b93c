"""Dates as Peruvian sources write them, each with its exact instant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from collectors.dates import DateOrder, is_relative, join_date_time, parse_epoch, parse_published

LIMA = ZoneInfo("America/Lima")
SANTIAGO = ZoneInfo("America/Santiago")
REFERENCE = datetime(2021, 4, 10, 15, 0, tzinfo=UTC)  # Saturday, 10:00 in Lima

# Written form | instant in Lima (a form whose day could be swapped for its month uses 3 April or 5 April).
WRITTEN = """
2021-04-05 | 2021-04-05 00:00:00
2021-04-05T23:59:00 | 2021-04-05 23:59:00
2021-04-05 23:59 | 2021-04-05 23:59:00
2021-04-05 23:59:07 | 2021-04-05 23:59:07
2021-04-05T23:59:00-05:00 | 2021-04-05 23:59:00
2021-04-05T23:59:00-0500 | 2021-04-05 23:59:00
2021-04-06T04:59:00Z | 2021-04-05 23:59:00
2021-04-06T04:59:00.000Z | 2021-04-05 23:59:00
2021-04-06T04:59:00+0000 | 2021-04-05 23:59:00
2021-04-06 04:59:00+00:00 | 2021-04-05 23:59:00
20210406T045900Z | 2021-04-05 23:59:00
2021/04/05 | 2021-04-05 00:00:00
2021/04/05 11:30 PM | 2021-04-05 23:30:00
2021/4/5 | 2021-04-05 00:00:00
2021.04.05 08:15 | 2021-04-05 08:15:00
Mon, 05 Apr 2021 23:59:00 -0500 | 2021-04-05 23:59:00
Tue, 06 Apr 2021 04:59:00 GMT | 2021-04-05 23:59:00
Tue, 06 Apr 2021 04:59:00 +0000 | 2021-04-05 23:59:00
05 Apr 2021 23:59:00 -0500 | 2021-04-05 23:59:00
Mon, 5 Apr 2021 23:59 EST | 2021-04-05 23:59:00
Tue Apr 06 04:59:00 +0000 2021 | 2021-04-05 23:59:00
Mon Apr  5 23:59:00 2021 | 2021-04-05 23:59:00
Mon Apr 05 2021 23:59:00 GMT-0500 (hora estándar de Perú) | 2021-04-05 23:59:00
05/04/2021 | 2021-04-05 00:00:00
05/04/2021 23:59 | 2021-04-05 23:59:00
05/04/2021 23:59:07 | 2021-04-05 23:59:07
5/4/2021 8:15 | 2021-04-05 08:15:00
03/04/2021 | 2021-04-03 00:00:00
03-04-2021 | 2021-04-03 00:00:00
03.04.2021 | 2021-04-03 00:00:00
03 / 04 / 2021 | 2021-04-03 00:00:00
05/04/2021, 11:30 p. m. | 2021-04-05 23:30:00
05/04/2021 11:30:00 p.m. | 2021-04-05 23:30:00
05/04/2021 11:30 PM | 2021-04-05 23:30:00
05/04/2021 11:30 pm | 2021-04-05 23:30:00
05/04/2021 12:30 a. m. | 2021-04-05 00:30:00
05/04/2021 12:30 p. m. | 2021-04-05 12:30:00
05/04/2021 - 20:15 | 2021-04-05 20:15:00
05/04/2021 a las 20:15 | 2021-04-05 20:15:00
05/04/2021 20:15 hrs | 2021-04-05 20:15:00
05/04/2021 20:15 hrs. | 2021-04-05 20:15:00
05/04/2021 20h15 | 2021-04-05 20:15:00
05/04/2021 20.15 h | 2021-04-05 20:15:00
05/04/2021, 23:59 hora peruana | 2021-04-05 23:59:00
05/04/21 | 2021-04-05 00:00:00
13/04/21 18:00 | 2021-04-13 18:00:00
23:59 05/04/2021 | 2021-04-05 23:59:00
20:15 - 12/04/2021 | 2021-04-12 20:15:00
lun 05/04/2021 | 2021-04-05 00:00:00
5 de abril de 2021 | 2021-04-05 00:00:00
05 de abril de 2021 | 2021-04-05 00:00:00
5 de abril del 2021 | 2021-04-05 00:00:00
5 de Abril, 2021 | 2021-04-05 00:00:00
5 abril 2021 | 2021-04-05 00:00:00
5 de setiembre de 2021 | 2021-09-05 00:00:00
5 de septiembre de 2021 | 2021-09-05 00:00:00
5 set. 2021 | 2021-09-05 00:00:00
5 sept 2021 | 2021-09-05 00:00:00
5 de abril de 2021 11:30 p. m. | 2021-04-05 23:30:00
5 de abril de 2021, 11:30 p.m. | 2021-04-05 23:30:00
5 de abril de 2021 a las 11:30 p. m. | 2021-04-05 23:30:00
5 de abril de 2021 a la 1:05 p. m. | 2021-04-05 13:05:00
5 de abril de 2021 a las 5 pm | 2021-04-05 17:00:00
5 de abril de 2021 a las 17 horas | 2021-04-05 17:00:00
5 de abril de 2021 12 m. | 2021-04-05 12:00:00
5 de abril de 2021 12:00 m. | 2021-04-05 12:00:00
5 de abril de 2021 (20:15) | 2021-04-05 20:15:00
12 abr. 2021 - 8:15 pm | 2021-04-12 20:15:00
12 abr. 2021 | 8:15 p.m. | 2021-04-12 20:15:00
12 ABR 2021 | 2021-04-12 00:00:00
12-abr-2021 | 2021-04-12 00:00:00
12/abr/2021 08:15 | 2021-04-12 08:15:00
lunes, 5 de abril de 2021, 11:30 p.m. | 2021-04-05 23:30:00
Lunes 5 de abril de 2021 | 2021-04-05 00:00:00
lun., 5 abr. 2021 | 2021-04-05 00:00:00
Sáb. 10 Abr. 2021 8:15 a. m. | 2021-04-10 08:15:00
miércoles 7 de abril del 2021 – 10:00 a.m. | 2021-04-07 10:00:00
1 de abril de 2021 | 2021-04-01 00:00:00
1° de abril de 2021 | 2021-04-01 00:00:00
1.º de abril de 2021 | 2021-04-01 00:00:00
1ro de abril de 2021 | 2021-04-01 00:00:00
primero de abril de 2021 | 2021-04-01 00:00:00
abril 5, 2021 | 2021-04-05 00:00:00
abril 5, 2021 11:30 am | 2021-04-05 11:30:00
Abr 5, 2021 | 2021-04-05 00:00:00
April 5, 2021 at 8:15 pm | 2021-04-05 20:15:00
Apr 5, 2021 | 2021-04-05 00:00:00
5 April 2021 | 2021-04-05 00:00:00
Publicado el 5 de abril de 2021 | 2021-04-05 00:00:00
Publicado: 05/04/2021 20:15 | 2021-04-05 20:15:00
Publicado el lunes 5 de abril de 2021 a las 20:15 hrs. | 2021-04-05 20:15:00
Fecha: 05/04/2021 | 2021-04-05 00:00:00
Lima, 5 de abril de 2021 | 2021-04-05 00:00:00
el 5 de abril de 2021 | 2021-04-05 00:00:00
11:30 p. m. del 5 de abril de 2021 | 2021-04-05 23:30:00
5 de abril de 2021 8:15 PM (GMT-5) | 2021-04-05 20:15:00
5 de abril de 2021, 8:15 p. m. PET | 2021-04-05 20:15:00
5 de abril de 2021 20:15 UTC-5 | 2021-04-05 20:15:00
5\u00a0de abril de\u00a02021 11:30\u202fp.\u00a0m. | 2021-04-05 23:30:00
hace 2 horas | 2021-04-10 08:00:00
hace una hora | 2021-04-10 09:00:00
hace 5 minutos | 2021-04-10 09:55:00
hace 1 min | 2021-04-10 09:59:00
hace 3 días | 2021-04-07 10:00:00
hace una semana | 2021-04-03 10:00:00
2 hours ago | 2021-04-10 08:00:00
ahora mismo | 2021-04-10 10:00:00
ayer | 2021-04-09 00:00:00
ayer a las 5 pm | 2021-04-09 17:00:00
Ayer, 17:05 | 2021-04-09 17:05:00
hoy 8:15 a. m. | 2021-04-10 08:15:00
anteayer a las 20:00 | 2021-04-08 20:00:00
""".replace("\\u00a0", "\u00a0").replace("\\u202f", "\u202f")

TABLE = [tuple(line.rsplit(" | ", 1)) for line in WRITTEN.strip().splitlines()]

NOT_A_DATE = [
    "",
    "   ",
    "hace mucho",
    "próximamente",
    "abril de 2021",
    "2021-04",
    "2021",
    "5 de abril",
    "05/04",
    "lunes",
    "8:15 pm",
    "17:00",
    "30/02/2021",
    "31 de abril de 2021",
    "2021-02-30",
    "05/13/2021",
    "32/01/2021",
    "00/00/0000",
    "0000-00-00 00:00:00",
    "0001-01-01T00:00:00Z",
    "-0001-11-30T00:00:00+00:00",
    "martes, 5 de abril de 2021",
    "Mon, 06 Apr 2021 04:59:00 GMT",
    "05/04/2021 25:00",
    "05/04/2021 24:00",
    "05/04/2021 10:75",
    "05/04/2021 15:30 a. m.",
    "05/04/2021 0:30 p. m.",
    "5 de abril de 2021 1 m.",
    "05/04/2021 5",
    "ayer a las 5",
    "hace 3 meses",
    "hace un año",
    "hace unos minutos",
    "2 h",
    "05/04/99",
    "5 abr 21",
    "12-abr-21",
    "21/04/21/05",
    "1617667199",
    "20210405",
    "05042021",
    "05/04-2021",
    "5 de abril de 2021 y 6 de abril de 2021",
    "05/04/2021 - 06/04/2021",
    "Actualizado el 5 de abril de 2021",
    "2021-04-05-05:00",
    "05/04/2021 23:59 XYZ",
    "5 de abrli de 2021",
    "el lunes a las 5 pm",
    "5 de abril de 2021 20:15 GMT-99",
    "05/04/12345",
    "9999-12-31T23:59:59Z",
    "9999-12-31",
    "x" * 5000,
    "1" * 5000,
]


def _instant(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=LIMA).astimezone(UTC)


def test_table_is_exact_and_never_swaps() -> None:
    assert len(TABLE) >= 80
    read = {raw: parse_published(raw, zone=LIMA, reference=REFERENCE) for raw, _ in TABLE}
    wrong = {raw: read[raw] for raw, local in TABLE if read[raw] != _instant(local)}
    assert len(wrong) <= 0.03 * len(TABLE), wrong
    assert all(instant is None for instant in wrong.values()), wrong


@pytest.mark.parametrize(("raw", "local"), TABLE)
def test_written_form(raw: str, local: str) -> None:
    instant = parse_published(raw, zone=LIMA, reference=REFERENCE)
    assert instant == _instant(local)
    assert instant is not None
    assert instant.tzinfo is UTC


def test_forms_that_the_grammar_was_not_written_for_are_read_too() -> None:
    cases = YAML(typ="safe").load((Path(__file__).parent / "date_cases.yml").read_text(encoding="utf-8"))
    exact: list[tuple[str, str]] = [(raw, local) for raw, local in cases["exact"]]
    assert len(exact) >= 80
    read = {raw: parse_published(raw, zone=LIMA, reference=REFERENCE) for raw, _ in exact}
    wrong = {raw: read[raw] for raw, local in exact if read[raw] != _instant(local)}
    assert len(wrong) <= 0.03 * len(exact), wrong
    assert set(wrong.values()) <= {None}, "what is not understood is no date, never another one"
    assert [raw for raw in cases["none"] if parse_published(raw, zone=LIMA, reference=REFERENCE)] == []


@pytest.mark.parametrize("raw", NOT_A_DATE)
def test_nothing_is_guessed(raw: str) -> None:
    assert parse_published(raw, zone=LIMA, reference=REFERENCE) is None


@pytest.mark.parametrize("raw", ["hace 2 horas", "ayer a las 5 pm", "ayer", "hoy", "ahora", "2 hours ago"])
def test_relative_needs_a_reference(raw: str) -> None:
    assert parse_published(raw, zone=LIMA) is None


@pytest.mark.parametrize(
    ("raw", "order", "local"),
    [
        ("03/04/2021", "day_first", "2021-04-03 00:00"),
        ("03/04/2021", "month_first", "2021-03-04 00:00"),
        ("03/04/2021", "year_first", None),
        ("13/04/2021", "month_first", None),
        ("04/13/2021", "day_first", None),
        ("04/13/2021 11:30 PM", "month_first", "2021-04-13 23:30"),
        ("04/05/21", "month_first", "2021-04-05 00:00"),
        ("21/04/05", "year_first", None),
        ("2021-04-03", "day_first", "2021-04-03 00:00"),
        ("2021-04-03", "month_first", "2021-04-03 00:00"),
        ("2021/04/03", "year_first", "2021-04-03 00:00"),
        ("2021-13-04", "day_first", None),
        ("3 de abril de 2021", "month_first", "2021-04-03 00:00"),
    ],
)
def test_order_is_obeyed(raw: str, order: DateOrder, local: str | None) -> None:
    assert parse_published(raw, zone=LIMA, order=order) == (_instant(local) if local else None)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2069, 12, 31)), st.sampled_from(["day_first", "month_first"]))
def test_figures_never_swap(moment: datetime, order: DateOrder) -> None:
    wanted = moment.replace(second=0, microsecond=0, tzinfo=LIMA).astimezone(UTC)
    day_first, month_first = moment.strftime("%d/%m/%Y %H:%M"), moment.strftime("%m/%d/%Y %H:%M")
    right, wrong = (day_first, month_first) if order == "day_first" else (month_first, day_first)
    assert parse_published(right, zone=LIMA, order=order) == wanted
    other = parse_published(wrong, zone=LIMA, order=order)
    assert other is None if moment.day > 12 else other is not None


@given(st.text(max_size=60))
def test_any_text_gives_an_instant_in_utc_or_none(raw: str) -> None:
    instant = parse_published(raw, zone=LIMA, reference=REFERENCE)
    assert instant is None or instant.tzinfo is UTC


def test_clock_changes() -> None:
    # In Chile 23:30 happened twice on 3 April 2021 (the first is read), and 00:30 never on 5 September.
    assert parse_published("03/04/2021 23:30", zone=SANTIAGO) == datetime(2021, 4, 4, 2, 30, tzinfo=UTC)
    assert parse_published("05/09/2021", zone=SANTIAGO) == datetime(2021, 9, 5, 4, 0, tzinfo=UTC)
    assert parse_published("hace 1 día", zone=SANTIAGO, reference=datetime(2021, 9, 5, 14, tzinfo=UTC)) == datetime(
        2021, 9, 4, 15, tzinfo=UTC
    )


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="'day': write one of day_first, year_first, month_first"):
        parse_published("05/04/2021", zone=LIMA, order="day")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no zone"):
        parse_published("ayer", zone=LIMA, reference=datetime(2021, 4, 10))


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("1617685140", datetime(2021, 4, 6, 4, 59, tzinfo=UTC)),
        (" 1617685140 ", datetime(2021, 4, 6, 4, 59, tzinfo=UTC)),
        ("1617685140.5", datetime(2021, 4, 6, 4, 59, 0, 500_000, tzinfo=UTC)),
        ("1617685140250", datetime(2021, 4, 6, 4, 59, 0, 250_000, tzinfo=UTC)),
        ("2021", None),
        ("-1617685140", None),
        ("", None),
        ("99999999999999999999", None),
    ],
)
def test_epoch_only_when_told(raw: str, instant: datetime | None) -> None:
    assert parse_epoch(raw) == instant


@pytest.mark.parametrize(
    ("day", "clock", "joined", "local"),
    [
        ("2015-09-15", "0 days 09:41:07", "2015-09-15 09:41:07", "2015-09-15 09:41:07"),
        ("2015-09-15", "0 days 09:41:07.000000000", "2015-09-15 09:41:07", "2015-09-15 09:41:07"),
        ("2021-04-05 00:00:00", "20:15:00", "2021-04-05 20:15:00", "2021-04-05 20:15:00"),
        ("05/04/2021", "8:15 p. m.", "05/04/2021 8:15 p. m.", "2021-04-05 20:15:00"),
        ("5 de abril de 2021", "20:15", "5 de abril de 2021 20:15", "2021-04-05 20:15:00"),
        ("05/04/2021", None, "05/04/2021", "2021-04-05 00:00:00"),
        ("05/04/2021", " ", "05/04/2021", "2021-04-05 00:00:00"),
        ("05/04/2021", "1 days 09:41:07", "05/04/2021 1 days 09:41:07", None),
        ("05/04/2021", "tarde", "05/04/2021 tarde", None),
        ("", "20:15", "", None),
    ],
)
def test_date_and_time_apart(day: str, clock: str | None, joined: str, local: str | None) -> None:
    assert join_date_time(day, clock) == joined
    assert parse_published(joined, zone=LIMA) == (_instant(local) if local else None)


@pytest.mark.parametrize(
    ("raw", "relative"),
    [
        *((raw, True) for raw in ("hace 2 horas", "ayer", "Ayer a las 5 pm", "ahora", "3 days ago", "Hace 1 día")),
        *(
            (raw, False)
            for raw in ("05/04/2021", "2021-04-05T10:00:00Z", "2 h", "hace tiempo", "", None, "ayer " * 99, "ayer 25:00")
        ),
    ],
)
def test_relative_dates_are_known(raw: str | None, relative: bool) -> None:
    assert is_relative(raw) == relative
