"""Exported WhatsApp groups: both layouts, both clocks, and nothing of a person in what is kept."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.catalog import City
from collectors.chats import ChatLine, parse_chat
from collectors.health import SourceProblem
from tests.growth import assert_linear

CONSENT = {"announced_on": "2021-04-02", "by": "Subgerencia de Participación Vecinal", "document": "Acta 012-2021"}
# As phones write it: a narrow no-break space before the half of the day, and a no-break space within it.
AM, PM = "\u202fa.\u00a0m.", "\u202fp.\u00a0m."
ANDROID = f"""\
\ufeff01/04/21, 8:00{AM} - Los mensajes y las llamadas están cifrados de extremo a extremo. Toca para obtener más información.
01/04/21, 8:01{AM} - Rosa Quispe Ñahui creó el grupo "Vecinos: zona 3"
01/04/21, 8:02{AM} - Rosa Quispe Ñahui: SECRETO de antes del aviso
02/04/21, 8:03{AM} - Rosa Quispe Ñahui cambió el asunto de "Vecinos: zona 3" a "Vecinos: zona 4"
02/04/21, 12:04{AM} - Municipalidad de Ate: Se les informa que este chat será leído.
02/04/21, 12:05{PM} - Rosa Quispe Ñahui: Buenos días, vecinos.

No hay agua en la cuadra 3 desde ayer
13/04/21, 9:06{PM} - +51 987 654 321: <Multimedia omitido>
13/04/21, 9:07{PM} - +51 987 654 321: IMG-20210413-WA0001.jpg (archivo adjunto)
Miren el hueco frente al colegio
13/04/21, 9:08{PM} - Luz: Gracias rosa quispe ñahui, y @51987654321 también <Se editó este mensaje.>
13/04/21, 9:08{PM} - Luz: @~Juan De la Cruz Pérez llama al 987 654 322, hoy no hay luz
13/04/21, 9:09{PM} - Luz: Se eliminó este mensaje.
13/04/21, 9:10{PM} - Rosa Quispe Ñahui: Eliminaste este mensaje
13/04/21, 9:11{PM} - Luz salió del grupo
13/04/21, 9:12{PM} - Rosa Quispe Ñahui: ENCUESTA:
¿Qué falta primero?
OPCIÓN: Pistas (3 votos)
OPCIÓN: Agua (ningún voto)
13/04/21, 9:13{PM} - Rosa Quispe Ñahui: @Luz
13/04/21, 9:14{PM} - Rosa Quispe Ñahui: ubicación: https://maps.test/?q=-12.02,-76.91
13/04/21, 9:15{PM} - Rosa Quispe Ñahui: null
"""
IPHONE = """\
[13/04/21, 21:06:10] Vecinos zona 3: \u200eLos mensajes y las llamadas están cifrados de extremo a extremo.
\u200e[13/04/21, 21:06:59] Rosa Quispe Ñahui: \u200eimagen omitida
[13/04/21, 21:07:00] ~\u00a0Luz: Falta serenazgo, \u2068@\u2068~María Elena\u2069\u2069 y @\u2068Rosa Quispe Ñahui\u2069 lo saben
\u200e[13/04/21, 21:08:00] ~\u00a0Luz: Oficio 12.pdf • \u200e8 páginas \u200edocumento omitido
[13/04/21, 21:08:30] Rosa Quispe Ñahui: Así está la pista \u200eimagen omitida
[13/04/21, 21:09:00] Rosa Quispe Ñahui: \u200eRosa Quispe Ñahui fijó un mensaje
[13/04/21, 21:09:30] Rosa Quispe Ñahui: \u200eUn aviso que todavía no existe
[13/04/21 21:10:00] ~\u00a0Luz: Cambiado \u200e<Se editó este mensaje.>
[13/04/21, 21:11:00] ~\u00a0Luz: \u200e<adjunto: 00000012-AUDIO-2021.opus>
[13/04/21, 21:12:00] ~\u00a0Luz: \u200eENCUESTA:
¿Piden rampas?
\u200eOPCIÓN: Sí (\u200e2 votos)
[13/04/21, 21:13:00] ~\u00a0Luz: \u200eEste mensaje fue eliminado.
[13/04/21, 21:14:00] \u200e+51 987 654 321 cambió el ícono del grupo
"""


def zipped(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def parse(text: str, **given_options: Any) -> list[ChatLine]:
    return parse_chat(text.encode(), name="c.txt", **{"order": None, **given_options}).lines


def said(text: str, **given_options: Any) -> list[str]:
    return [line.text for line in parse(text, **given_options) if line.kind == "message"]


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    folder = lab.project / "chats"
    folder.mkdir(parents=True)
    files = {
        "android.txt": ANDROID.encode(),
        "iphone.zip": zipped({"_chat.txt": IPHONE, "00000012-AUDIO-2021.opus": "x", "00000013-notas.txt": "SECRETO"}),
        "otra-vez.txt": ANDROID.replace("02/04/21, 12:05", "02/04/21 12:05").encode(),
        "duda.txt": b"05/04/21, 10:00 - Ana: SECRETO\n06/04/21, 10:00 - Ana: SECRETO\n",
        "dicha.txt": b"05/04/21, 10:00 - Ana: Falta luz\n31/31/21, 10:00 - Ana: SECRETO\n",
        "nada.txt": b"Hola, esto no es un chat. SECRETO\n",
        "dos.zip": zipped({"a.txt": "SECRETO", "b.txt": "SECRETO de SECRETO"}),
        "cabeza.txt": b"SECRETO suelto\n\n15/04/21, 10:00 - Ana: Falta luz\n",
    }
    for name, body in files.items():
        (folder / name).write_bytes(body)
    options = {name: {"consent": CONSENT} for name in files} | {"dicha.txt": {"consent": CONSENT, "date_order": "day_first"}}
    sources = [
        lab.source(
            name.replace(".", "-"),
            "whatsapp",
            f"chats/{name}",
            options=options[name],
            publisher={"authors": ["Municipalidad de Ate"]},
        )
        for name in files
    ]
    sources.append(lab.source("dos-veces", "whatsapp", "chats/[ao]*.txt", options={"consent": CONSENT}))
    return lab.crawl(sources)


def test_android(crawled: Any) -> None:
    items = crawled.items("android-txt")
    assert [(item.kind, item.text) for item in items] == [
        ("official", "Se les informa que este chat será leído."),
        ("manifestation", "Buenos días, vecinos.\n\nNo hay agua en la cuadra 3 desde ayer"),
        ("manifestation", "Miren el hueco frente al colegio"),
        ("manifestation", "Gracias [nombre], y [usuario] también"),
        ("manifestation", "[usuario] llama al [teléfono], hoy no hay luz"),
        ("manifestation", "¿Qué falta primero?\nPistas\nAgua"),
    ]
    assert [item.published_at for item in items[:3]] == [
        datetime(2021, 4, 2, 5, 4, tzinfo=UTC),
        datetime(2021, 4, 2, 17, 5, tzinfo=UTC),
        datetime(2021, 4, 14, 2, 7, tzinfo=UTC),
    ]
    assert {item.author_key for item in items} == {None}
    assert {item.channel for item in items} == {"online"}


def test_health_says_what_else_stood_there(crawled: Any) -> None:
    assert crawled.outcome("android-txt") == ("ok", "none")
    assert crawled.health("android-txt").detail == (
        "in the export: 3 before the announcement, 2 deleted, 4 media, 6 message, 2 notice"
    )


def test_iphone(crawled: Any) -> None:
    items = crawled.items("iphone-zip")
    assert [item.text for item in items] == [
        "Falta serenazgo, [usuario] y [usuario] lo saben",
        "Así está la pista",
        "Cambiado",
        "¿Piden rampas?\nSí",
    ]
    assert items[0].published_at == datetime(2021, 4, 14, 2, 7, tzinfo=UTC)
    assert crawled.health("iphone-zip").detail == "in the export: 1 deleted, 3 media, 4 message, 4 notice"


def test_nobody_is_named_and_nothing_from_before_the_announcement_is_kept(crawled: Any) -> None:
    written = crawled.written()
    for word in ("SECRETO", "Quispe", "quispe", "Ñahui", "Juan", "María", "987", "51987654321"):
        assert word not in written, word


def test_two_exports_of_one_group_are_the_same_messages(crawled: Any) -> None:
    first = {item.native_id for item in crawled.items("android-txt")}
    assert {item.native_id for item in crawled.items("otra-vez-txt")} == first
    assert {item.native_id for item in crawled.items("dos-veces")} == first


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("duda-txt", "failed", "duda.txt: day or month first? The file does not show it; say it with `date_order`"),
        ("nada-txt", "failed", "nada.txt: not an exported WhatsApp chat: no line begins as `dd/mm/yy, hh:mm - Name: text`"),
        ("dos-zip", "failed", "dos.zip: 2 text files inside; needed: the one of the exported chat"),
        ("dicha-txt", "partial", "dicha.txt:2: 1 messages have no date in the order day_first and were not read: lines 2"),
        ("cabeza-txt", "partial", "cabeza.txt:1: 1 lines stand before the first message"),
    ],
)
def test_what_is_wrong_is_told(crawled: Any, name: str, status: str, told: str) -> None:
    assert crawled.outcome(name) == (status, "malformed")
    assert crawled.health(name).detail.startswith(told)
    assert [item.text for item in crawled.items(name)] == ([] if status == "failed" else ["Falta luz"])


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["13/04/21"], "day_first"),
        (["4/13/21"], "month_first"),
        (["2021-04-05"], "year_first"),
        (["5/5/21", "6/6/21"], "day_first"),
        # A month has passed and the chat runs forward in one order only.
        (["30/03/21", "01/04/21"], "day_first"),
        (["01/04/21", "02/04/21", "01/05/21"], "day_first"),
        (["04/01/21", "04/02/21", "05/01/21"], "month_first"),
        # One message late by a day among many.
        (["01/04/21", "02/04/21", "01/04/21", "01/05/21", *["02/05/21", "01/06/21"] * 6], None),
        (["04/05/21"], None),
        (["04/05/21", "05/06/21"], None),
        (["13/04/21", "4/13/21"], None),
        # A figure that is no date is no evidence.
        (["77/99/21", "13/04/21"], "day_first"),
    ],
)
def test_order_of_day_and_month_is_shown_by_the_file(dates: list[str], order: str | None) -> None:
    body = "".join(f"{day}, 10:00 - Ana: Hola\n" for day in dates).encode()
    if order is None:
        with pytest.raises(SourceProblem, match="day or month first"):
            parse_chat(body, name="c.txt", order=None)
    else:
        assert parse_chat(body, name="c.txt", order=None).order == order


def test_few_messages_out_of_order_do_not_hide_the_order() -> None:
    days = [f"{day:02}/{month:02}/21" for month in range(1, 9) for day in range(1, 13)]
    days[20:22] = days[21], days[20]
    body = "".join(f"{day}, 10:00 - Ana: Hola\n" for day in days).encode()
    assert parse_chat(body, name="c.txt", order=None).order == "day_first"


@pytest.mark.parametrize(
    "head",
    [
        "13/4/2021, 21:06 - ",
        "13/4/21 21:06 - ",
        "13.04.21, 21:06 - ",
        "13/04/2021, 9:06 p. m. - ",
        "13/04/2021, 9:06\u202fPM - ",
        "13/04/21, 09:06 P.\u00a0M. – ",
        "2021-04-13, 9:06 p.m. - ",
        "[13/4/21, 21:06:00] ",
        "[13/04/2021 21:06:00] ",
        "\u200e[13/04/21, 9:06:00\u202fp.\u00a0m.] ",
    ],
)
def test_heads_of_many_phones(head: str) -> None:
    (line,) = parse(f"{head}Ana: Falta: luz\ny agua\n")
    assert (line.kind, line.text) == ("message", "Falta: luz\ny agua")


def test_layout_of_the_first_line_holds_for_the_file() -> None:
    text = "13/04/21, 10:00 - Ana: Copio:\n[13/04/21, 11:00:00] Luis: esto\n13/04/21, 12:00 - Luis: Bien\n"
    assert said(text) == ["Copio:\n[13/04/21, 11:00:00] Luis: esto", "Bien"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Escriban a ana@correo.test o a @Rosa", "Escriban a ana@correo.test o a [usuario]"),
        ("@todos: reunión", "[usuario]: reunión"),
        ("@~ Juan Carlos de la Cruz no vino", "[usuario] no vino"),
        ("Pan a 2 @ S/ 5", "Pan a 2 @ S/ 5"),
        ("La señora ANA  TORRES, y Ana", "La señora [nombre], y Ana"),
        ("@Ana Torres mira", "[usuario] mira"),
        ("@+51 987 654 321 mira", "[usuario] mira"),
        ("Luz no hay", "Luz no hay"),
        ("@Luz no hay", "[usuario] no hay"),
    ],
)
def test_mentions_and_names_are_cut(text: str, expected: str) -> None:
    others = "13/04/21, 10:00 - Ana Torres: x\n13/04/21, 10:00 - Luz: x\n"
    assert said(f"{others}13/04/21, 10:01 - Pedro: {text}\n")[-1] == expected


@pytest.mark.parametrize("words", ["<Multimedia omitido>", "imagen omitida", "GIF omitido", "Audio omitido.", "<Media omitted>"])
def test_media_is_no_message_but_talk_of_it_is(words: str) -> None:
    assert [line.kind for line in parse(f"13/04/21, 10:00 - Ana: {words}\n")] == ["media"]
    assert [line.kind for line in parse(f"13/04/21, 10:00 - Ana: Me salió {words}, ¿qué es?\n")] == ["message"]


def test_message_about_leaving_is_no_notice() -> None:
    assert said("13/04/21, 10:00 - Ana: Juan salió del grupo ayer\n") == ["Juan salió del grupo ayer"]


LINES = st.lists(
    st.sampled_from(
        [
            "13/04/21, 10:00 - Ana: ",
            "13/04/21, 10:00 - ",
            "[13/04/21, 10:00:00] Ana: \u200e",
            "99/99/99, 99:99 - x: ",
            "<Multimedia omitido>",
            "@\u2068",
            "\u202f",
            ": ",
            "<Se editó este mensaje.>",
            "ENCUESTA:",
            "\r",
        ]
    )
    | st.text(max_size=8),
    max_size=5,
).map("".join)


@given(lines=st.lists(LINES, max_size=12))
@example(lines=["013/04/21, 10:00 - Ana: "])
@example(lines=["13/04/21, 10:00 - Ana:", "13/04/21, 10:00 - Ana: ENCUESTA:"])
@example(lines=["13/04/21, 10:00 - Ana: @", "\u2069@\u2068"])
def test_every_line_is_read_or_told(lines: list[str]) -> None:
    body = "\n".join(["13/04/21, 10:00 - Ana: principio", *lines]).encode("utf-8", "replace")
    chat = parse_chat(body, name="c.txt", order="day_first")
    written = [line for line in re.split("\r\n|\r|\n", body.decode()) if line]
    heads = [line for line in written if re.match("[\ufeff\u200e\u200f]*\\d\\d?/\\d\\d/\\d\\d, \\d\\d:\\d\\d - ", line)]
    assert len(chat.lines) == len(heads)
    assert chat.before == []
    assert [line.line for line in chat.lines] == sorted({line.line for line in chat.lines})
    for line in chat.lines:
        assert (line.kind == "message") == bool(line.text.strip())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_told(body: bytes) -> None:
    told = ""
    try:
        assert parse_chat(body, name="c.txt", order=None).lines
    except SourceProblem as problem:
        told = problem.detail
    assert told == "" or told.startswith("c.txt")


@pytest.mark.parametrize(
    "unit", ["13/04/21, 10:00 - Ana Torres: Hola ana torres\n", "a\n", "@~Ana ", "Ana ", "<", "\u200e", "1:"]
)
def test_cost_grows_with_the_chat(unit: str) -> None:
    assert_linear(lambda text: parse(f"13/04/21, 10:00 - Ana Torres: x\n{text}", order="day_first"), unit)


def test_long_message_is_cut_and_long_line_refused() -> None:
    (line,) = parse("13/04/21, 10:00 - Ana: " + "hola\n" * 60_000)
    assert 79_000 < len(line.text) <= 80_000
    with pytest.raises(SourceProblem, match=r"c\.txt:1: a line of more than 1000000 characters"):
        parse("13/04/21, 10:00 - Ana: " + "a" * 1_000_000)


@pytest.mark.parametrize(
    ("options", "url", "told"),
    [
        (None, "chats/a.txt", "options.consent"),
        ({"consent": {**CONSENT, "document": ""}}, "chats/a.txt", "document"),
        ({"consent": {"by": "Nosotros", "document": "Acta 1"}}, "chats/a.txt", "announced_on"),
        ({"consent": CONSENT, "date_order": "dmy"}, "chats/a.txt", "date_order"),
        ({"consent": CONSENT}, "http://chats.test/a.txt", "must be a path inside the project folder"),
    ],
)
def test_source_without_consent_is_refused(lab: Any, options: Any, url: str, told: str) -> None:
    source = lab.source("x", "whatsapp", url, **({"options": options} if options else {}))
    source |= {"legal_basis": "Ley", "approved_by": "Yo", "approved_on": "2021-01-01", "retention_days": 1}
    with pytest.raises(ValidationError, match=told.split(".")[-1]):
        City.model_validate(lab.city([source], defaults={}))
