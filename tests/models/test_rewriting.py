"""Text as the embedded model reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rewriting import rewrite


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("   \n\t ", ""),
        ("Mira https://ejemplo.test/a?b=1 y www.ejemplo.test", "Mira url y url"),
        ("@vecina_17 gracias", "@usuario gracias"),
        ("@uno @dos @tres ¿cuándo?", "@usuario ¿cuándo?"),
        ("escriban a mesa@correo.test", "escriban a mesa@correo.test"),
        ("#SalvemosElParque ya", "Salvemos El Parque ya"),
        ("#obras_2021", "obras 2021"),
        ("#SOSHuaycán", "SOS Huaycán"),
        ("jajajajaja qué risa", "jaja qué risa"),
        ("JEJEJE", "jaja"),
        ("noooooo!!!!!!", "no!!"),
        ("YA NO HAY AGUA EN LA CUADRA", "ya no hay agua en la cuadra"),
        ("OK", "OK"),
        ("La UGEL y el MINSA no avisan nada", "La UGEL y el MINSA no avisan nada"),
    ],
)
def test_forms(text: str, read: str) -> None:
    assert rewrite(text) == read


@pytest.mark.parametrize(
    ("emoji", "words"),
    [
        ("👏", "manos aplaudiendo"),
        ("😡", "cara cabreada"),
        ("🇵🇪", "bandera perú"),
        ("👍🏽", "pulgar hacia arriba tono de piel medio"),
    ],
)
def test_emoji_are_read_by_their_spanish_names(emoji: str, words: str) -> None:
    assert rewrite(emoji).lower() == words
    assert rewrite(f"bien{emoji}bien").lower() == f"bien {words} bien"


def test_an_accent_written_apart_is_the_same_text() -> None:
    assert rewrite("sen\u0303al en la pla\u0301cita") == rewrite("señal en la plácita")


@given(st.text(max_size=200))
def test_nothing_breaks_it_and_a_second_pass_loses_no_letters(text: str) -> None:
    once = rewrite(text)
    assert once == once.strip()
    assert "  " not in once
    assert "\ue000" not in once or "\ue000" in text
    assert rewrite(once) == rewrite(rewrite(once))
