"""Text: repaired, cleaned, taken out of markup and bytes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.text import MAX_TEXT_CHARACTERS, clean_text, decode_bytes, html_to_text, normalise_for_comparison
from tests.growth import assert_linear

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    "text",
    [
        "La señora Núñez pidió “más luz” en Huaycán… ¿cuándo?",
        "S/ 45 por 1 m² — ‘así no’",
        f"{FAMILY} ❤\ufe0f 👍🏽 🏳\ufe0f\u200d🌈 1\ufe0f⃣",
        "Línea 1\n\tcon tabulador\n\n\nLínea 4",
        "&amp; queda como está, <b>también</b>",
        "ﬁn ½ Ａte",
        "AÑO NUEVO: ÁÉÍÓÚ ÜÑ",
        "",
    ],
)
def test_clean_text_passes_unchanged(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("HuaycÃ¡n estÃ¡ sin agua", "Huaycán está sin agua"),
        ("El niÃ±o de la seÃ±ora Ã\x91ahui", "El niño de la señora Ñahui"),
        ("â€œmÃ¡s luzâ€\x9d", "“más luz”"),
        ("bien ðŸ˜€", "bien 😀"),
        ("cafe\u0301 nin\u0303o", "café niño"),
        ("roto \ud83d fin", "roto \ufffd fin"),
        ("par \ud83d\ude00 fin", "par 😀 fin"),
        ("a\x00b\x07c\x1b[0m", "abc[0m"),
        ("uno\r\ndos\rtres\u2028cuatro\x0bcinco\x85seis", "uno\ndos\ntres\ncuatro\ncinco\nseis"),
        ("\u202eal revés\u202c \u2066x\u2069 \u200fy\u200e", "al revés x y"),
        ("pala\u200bbra \ufeffotra ad\u00admin \u2060", "palabra otra admin"),
        ("sin\u200dsentido \u200d😀 😀\u200d", "sinsentido 😀 😀"),
        ("oculto\U000e0041\U000e0042 fin\U000e0100", "oculto fin"),
        ("  fin de línea \t \notra\u00a0\n\n\n\n\n\nlejos  ", "fin de línea\notra\n\n\nlejos"),
    ],
)
def test_dirt_goes(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_long_text_is_cut_once() -> None:
    cut = clean_text("ñandú " * 10_000)
    assert len(cut) <= MAX_TEXT_CHARACTERS
    assert cut.endswith("ñandú ñ…")
    assert clean_text(cut) == cut
    assert clean_text("x" * MAX_TEXT_CHARACTERS) == "x" * MAX_TEXT_CHARACTERS
    assert len(clean_text("x" * (MAX_TEXT_CHARACTERS + 1))) == MAX_TEXT_CHARACTERS


_PIECES = st.sampled_from(
    [
        "Ã",
        "±",
        "¡",
        "\x91",
        "â€œ",
        "\u200d",
        "👩",
        "️",
        "\u200b",
        "�",
        "�",
        " ",
        "\n",
        "\r",
        "\t",
        "e",
        "́",
        "Â",
        "\xa0",
        "\u202e",
        "…",
        "ñ",
        "&amp;",
        "\x85",
        "A",
        "~",
        "̃",
        "à",
        "\x9d",
        "\x1b[0m",
        "ï»¿",
        "�",
    ]
)


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=14).map("".join)))
def test_cleaning_is_complete_and_idempotent(raw: str) -> None:
    clean = clean_text(raw)
    assert clean_text(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert not [c for c in clean if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert "\n\n\n\n" not in clean
    clean.encode("utf-8")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Uno</p><p>Dos<br>tres<br/>cuatro</p>", "Uno\nDos\ntres\ncuatro"),
        ("<div>Uno<div>Dos</div>Tres</div>", "Uno\nDos\nTres"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("Uno <b>dos</b><i>tres</i>", "Uno dostres"),
        ("Hola<script>alert('x < y')</script><style>p{}</style> vecino", "Hola vecino"),
        ("<template><p>no</p></template>sí", "sí"),
        ("a &amp;lt; b &ntilde;&#243;&nbsp;c", "a &lt; b ñó c"),
        ("&lt;b&gt;no es negrita&lt;/b&gt;", "<b>no es negrita</b>"),
        ("  muchos \n  espacios\t aquí ", "muchos espacios aquí"),
        ("1 < 2 y 3 > 2, te <3 Ate", "1 < 2 y 3 > 2, te <3 Ate"),
        ("<p>sin cerrar <b>nada", "sin cerrar nada"),
        ("</p></div>cierra de más", "cierra de más"),
        ("<!-- nota --><p>visto</p><![CDATA[x]]>", "visto"),
        ("línea 1<br><br>línea 2", "línea 1\n\nlínea 2"),
        ('bien <img class="wp-smiley emoji" alt="😀" src="x.png"> y <img alt="foto" src="y.jpg">fin', "bien 😀 y fin"),
        ("<tr><td>a</td><td>b</td></tr>", "a\nb"),
        ("<a href='x'>enlace</a> & más", "enlace & más"),
        ("texto <b", "texto"),
        ("", ""),
    ],
)
def test_html_to_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize("levels", [3_000, 30_000])
def test_deep_nesting_keeps_the_text(levels: int) -> None:
    assert html_to_text("<div>" * levels + "fondo" + "</div>" * levels) == "fondo"
    assert html_to_text("<b>" * levels + "fondo") == "fondo"


@settings(max_examples=400)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "<",
                    ">",
                    "</",
                    "<!",
                    "<!--",
                    "-->",
                    "<![",
                    "[if",
                    "]]>",
                    "<![CDATA[",
                    "<?",
                    "?>",
                    "p",
                    "div",
                    "script",
                    "style",
                    "br",
                    "&",
                    "&#",
                    "&#x",
                    "&amp",
                    ";",
                    "=",
                    '"',
                    "'",
                    "/",
                    "a",
                    "\n",
                ]
            ),
            max_size=16,
        ).map("".join),
    )
)
def test_broken_markup_never_fails(markup: str) -> None:
    assert isinstance(html_to_text(markup), str)


@pytest.mark.parametrize(
    "unit", ["<", "<!", "<!--", "<![CDATA[", "<?", "<a ", "<a b='", "&", "&#", "</", "<script>", "<b>", "<br>", " ", "\n", "<p> "]
)
def test_hostile_markup_costs_linear_time(unit: str) -> None:
    assert_linear(html_to_text, unit)


@pytest.mark.parametrize(
    "unit", [" ", "\n", "\r", " \n", "Ã", "Ã\x83", "\u200d", "👩\u200d", "a\u0301", "\u0301", "! ", "Â\xa0", "â€", "&"]
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    assert_linear(lambda text: clean_text(f"a{text}b"), unit, 80_000)
    assert_linear(lambda text: normalise_for_comparison(f"a{text}b"), unit, MAX_TEXT_CHARACTERS)


@pytest.mark.parametrize(
    ("body", "declared", "decoded"),
    [
        ("niño".encode(), None, ("niño", "utf-8")),
        ("niño".encode(), "iso-8859-1", ("niño", "utf-8")),
        (b"ni\xf1o", None, ("niño", "windows-1252")),
        (b"ni\xf1o", "utf-8", ("niño", "windows-1252")),
        (b"ni\xf1o \x93as\xed\x94", "ISO-8859-1", ("niño “así”", "cp1252")),
        (b"ni\xf1o", "no-such-encoding", ("niño", "windows-1252")),
        (b"ni\xf1o", "hex", ("niño", "windows-1252")),
        (b"\x81 ni\xf1o", None, ("\ufffd niño", "windows-1252")),
        (b"\xef\xbb\xbfni\xc3\xb1o", "windows-1252", ("niño", "utf-8")),
        ("niño".encode("utf-16"), None, ("niño", "utf-16-le")),
        (b"\xfe\xff" + "niño".encode("utf-16-be"), "utf-8", ("niño", "utf-16-be")),
        ("hola".encode("utf-16-le"), "utf-16-le", ("hola", "utf-16-le")),
        (b"", None, ("", "utf-8")),
    ],
)
def test_decode_bytes(body: bytes, declared: str | None, decoded: tuple[str, str]) -> None:
    assert decode_bytes(body, declared=declared) == decoded


def test_the_default_is_tried_before_what_is_declared() -> None:
    assert decode_bytes(b"ni\xa4o", declared="cp1252", default="cp850") == ("niño", "cp850")


@given(
    st.binary(max_size=80),
    st.sampled_from([None, "utf-8", "latin-1", "utf-16", "big5", "idna", "unicode_escape", "\x00", "ñ", "x" * 300]),
)
def test_any_bytes_are_decoded(body: bytes, declared: str | None) -> None:
    text, encoding = decode_bytes(body, declared=declared)
    assert isinstance(text, str)
    "".encode(encoding)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("¡¡¡Arreglen la PISTA!!!", "¡Arreglen la pista!"),
        ("Huaycán  está\n sin agua", "huaycan esta sin agua"),
        ("“así” — dijo", '"asi" - dijo'),
        ("Ya no más…", "ya no mas..."),
        ("niño\u00a0bien", "nin\u0303o bien"),
    ],
)
def test_mirrors_compare_equal(one: str, other: str) -> None:
    assert normalise_for_comparison(one) == normalise_for_comparison(other)


@pytest.mark.parametrize(("one", "other"), [("bien 😀", "bien 😡"), ("bien 😀", "bien"), ("2 soles", "3 soles"), ("¿sí?", "sí")])
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert normalise_for_comparison(one) != normalise_for_comparison(other)


@settings(max_examples=500)
@given(
    st.one_of(
        st.text(max_size=60), st.lists(_PIECES | st.sampled_from(list("!!??..,-–—“”´`¨İßﬁ½ΣςͅΐᾼⅣ㎏")), max_size=14).map("".join)
    )
)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_for_comparison(text)
    assert normalise_for_comparison(once) == once
