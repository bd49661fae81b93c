"""Redaction: labelled sentences, limits of time, pseudonyms, the key."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.items import Manifestation
from collectors.pseudonyms import SYNTHETIC_SECRET, SecretError, keyed_url, load_secret, pseudonym, told_links, url_names_person
from collectors.redaction import redact, redact_manifestation
from collectors.redaction.lexicon import FOLDER, fold_letters, load_lexicon, load_names
from tests.growth import assert_linear

SECRET = b"0123456789abcdef0123456789abcdef"

# Personal data stands between ⟨ and ⟩, followed by the label it must get.
PERSONAL = """
Mi DNI es ⟨45678912⟩[DNI] y nadie me atiende
DNI ⟨45678912⟩[DNI]
dni: ⟨08123456⟩[DNI], vivo en Santa Clara
D.N.I. N° ⟨41234567⟩[DNI]
Soy ⟨Rosa⟩[nombre], identificada con DNI Nº ⟨70123456⟩[DNI], vecina de Ceres
Soy ⟨Juan Pérez⟩[nombre] con ⟨45678912⟩[DNI] y pido limpieza
documento de identidad ⟨45678912⟩[DNI]
documento nacional de identidad número ⟨10234567⟩[DNI]
Mi documento: ⟨45678912-3⟩[DNI]
DNI ⟨45.678.912⟩[DNI]
mi dni ⟨45 678 912⟩[DNI] por favor
⟨45678912⟩[DNI] ese es mi número
Firma: ⟨43218765⟩[DNI]
dni⟨45678912⟩[DNI]
DNI ⟨20210405⟩[DNI]
Los vecinos ⟨Ana⟩[nombre] (⟨09876543⟩[DNI]) y Luis (⟨40404040⟩[DNI]) firmamos
identificado con documento ⟨7654321⟩[DNI]
Mi CE es ⟨001234567⟩[documento]
carné de extranjería N° ⟨001987654⟩[documento]
carnet de extranjería ⟨000123456⟩[documento]
Soy venezolana, C.E. ⟨002345678⟩[documento]
pasaporte ⟨AB123456⟩[documento]
Tengo PTP ⟨123456789⟩[documento]
mi número es ⟨001234567⟩[documento]
RUC ⟨20131312955⟩[RUC] no paga arbitrios
RUC: ⟨10456789123⟩[RUC]
la empresa ⟨20512345671⟩[RUC] bota desmonte
R.U.C. N° ⟨15123456789⟩[RUC]
el taller ⟨10-45678912-6⟩[RUC] hace ruido
Llamen al ⟨987654321⟩[teléfono]
Mi cel ⟨987-654-321⟩[teléfono]
cel. ⟨987 654 321⟩[teléfono]
celular: ⟨987.654.321⟩[teléfono]
⟨+51 987 654 321⟩[teléfono] escríbanme
⟨+51987654321⟩[teléfono]
⟨51 987654321⟩[teléfono]
⟨0051987654321⟩[teléfono]
WhatsApp ⟨912345678⟩[teléfono], Zona R
wsp ⟨912 345678⟩[teléfono]
mi número es ⟨999888777⟩[teléfono]
⟨987654321⟩[teléfono]/⟨912345678⟩[teléfono]
⟨987654321⟩[teléfono]-⟨912345678⟩[teléfono]
Denuncias al ⟨987654321⟩[teléfono] de serenazgo
teléfono ⟨(01) 352-1234⟩[teléfono]
tel ⟨(511) 352-1234⟩[teléfono]
informes al ⟨01-3521234⟩[teléfono]
⟨(01)3521234⟩[teléfono]
⟨01 352-1234⟩[teléfono]
⟨01-3521234⟩[teléfono]
telf ⟨352-1234⟩[teléfono]
Telf. ⟨3521234⟩[teléfono]
fono ⟨494 1234⟩[teléfono]
mi mamá vive en Huancayo, ⟨(064) 231234⟩[teléfono]
⟨064-231234⟩[teléfono] es de provincia
mi hermano en Miami ⟨+1 305 555 1234⟩[teléfono]
Yape al ⟨987654321⟩[teléfono]
yapeen: yape ⟨98765432⟩[teléfono]
comuníquense ⟨987 654 321⟩[teléfono]
cel ⟨9 8765 4321⟩[teléfono]
llamar ⟨98 765 4321⟩[teléfono]
Soy vecina de Huaycán⟨ 987654321⟩[teléfono]
con ⟨987 654 321⟩[teléfono] pueden ubicarme
mi correo es ⟨juan.perez@gmail.com⟩[correo]
⟨rosa_quispe22@hotmail.com⟩[correo].
escribir a ⟨mesa.partes@muni.gob.pe⟩[correo]
⟨JUAN@EMPRESA.COM.PE⟩[correo], gracias
⟨juanp arroba gmail punto com⟩[correo]
⟨juanp(arroba)gmail.com⟩[correo] es mi correo
(⟨ana+obras@outlook.es⟩[correo])
⟨ñusta@correo.pe⟩[correo] ahí
la placa ⟨ABC-123⟩[placa] casi me atropella
placa ⟨ABC123⟩[placa]
placa: ⟨abc-123⟩[placa] se pasó la luz roja
placa de rodaje ⟨A1B-234⟩[placa]
Placas ⟨F5U 597⟩[placa]
combi ⟨D3K-789⟩[placa] corre mucho
el taxi ⟨ABC 123⟩[placa] asaltó
mototaxi ⟨1234-5A⟩[placa] estaciona mal
moto placa ⟨1234-AB⟩[placa]
camioneta blanca ⟨ATX-456⟩[placa]
⟨C4M-210⟩[placa] es el infractor
vehículo de placa N° ⟨BCD-321⟩[placa]
CCI ⟨00219100123456789012⟩[cuenta]
cci: ⟨002-191-001234567890-12⟩[cuenta]
cta bcp ⟨191-12345678-0-12⟩[cuenta]
cuenta de ahorros ⟨19112345678012⟩[cuenta]
cuenta BBVA ⟨0011-0123-4567-8901⟩[cuenta]
depositen a la cuenta ⟨04012345678⟩[cuenta]
tarjeta ⟨4551 7081 2345 6789⟩[cuenta]
⟨@juanperez⟩[usuario] mira esto
gracias ⟨@rosa.quispe⟩[usuario].
⟨@vecino_ate⟩[usuario]: tienes razón
hola (⟨@ana22⟩[usuario])
sígueme ⟨@ñusta_ate⟩[usuario]
⟨https://www.facebook.com/juan.perez/posts/1⟩www.facebook.com mira
⟨https://x.test/@rosa/123⟩x.test
⟨http://foro.test/user/rosa⟩foro.test dice
⟨https://api.whatsapp.test/send?phone=51987654321⟩api.whatsapp.test
⟨wa.me/51987654321⟩wa.me
⟨https://foro.test/contacto?correo=ana@correo.pe⟩foro.test
⟨instagram.com/rosa.quispe⟩instagram.com
⟨https://sitio.test/p/1234567890⟩sitio.test.
Cel. ⟨987654321⟩[teléfono], DNI ⟨45678912⟩[DNI], correo ⟨a.b@c.pe⟩[correo]
Expediente 2021-0012345 de Rosa, DNI ⟨45678912⟩[DNI]
Pagué S/ 45 678 y mi RUC es ⟨10456789123⟩[RUC]
⟨Mz A lote 12⟩[dirección], Zona X, UCV 123
⟨Mz. B Lt. 15⟩[dirección], Zona R, Huaycán
Av. Nicolás Ayllón ⟨1234⟩[dirección]
Jr. Los Eucaliptos ⟨567⟩[dirección]
⟨-12.0464567, -76.9128456⟩[coordenadas] es el hueco
"""

PLAIN = """
expediente 2021-0012345 sigue sin respuesta
Exp. N° 12345678 no avanza
El expediente 98765432 se perdió
Expediente N° 0012345-2021-MDA
resolución 12345678
Oficio 00123456-2021
mi trámite 45678912 no sale
ticket 45678912
código de suministro: 1234567
suministro 45678912 sin agua
recibo N° 12345678 de luz
partida registral 12345678
reclamo 45678912 sin atender
solicitud N° 45678912
denuncia 20214567
papeleta 12345678
MDA-12345678 es el documento de gestión
Costó S/ 45 678
Cobran S/. 1,250.50 por el trámite
45678912 soles gastaron en la obra
gastaron S/ 45678912 en la plaza
12,345,678.90 soles
987 654 321 soles de presupuesto
987654321 soles
$ 45678912 en maquinaria
son 12345678 habitantes en Lima
10 000 000 personas sin agua
45 678 912 vacunas llegaron
Ley 29733 de datos personales
Ordenanza 123-2021-MDA
Decreto Supremo 044-2020-PCM
D.S. 008-2021
Resolución de Alcaldía 0456-2021
el 05/04/2021 a las 10:30
el 2021-04-05 no hubo agua
el 20210405 cerraron la vía
desde el día 05042021 sin agua
el año escolar 20202021
pagan 45678912 € al año
desde 05-04-2021 hasta 30-04-2021
de 8:00 a 18:00 horas
entre 2019 y 2021
del 9 2020 2021
en 2019, 2020 y 2021
los días 9 10 11 12 y 13
UCV 207 sin alumbrado
la zona UCV-123
AA.HH. 9 de Octubre, km 12.5
Carretera Central km 7.5
la calle 12 y la calle 13
ruta 1234 ya no pasa
la línea EO-12 cobra más
la ruta 4607 es informal
COVID-19 nos golpea
la norma ISO-900 no se cumple
los 200 del 2021
son 100 vecinos, con 300 firmas
llamé al 105 y al 116
el 911 no existe, llamen al 106
El 40 % de 1 500 casas
tod@s l@s vecin@s
a 5 @ 10 soles
http://noticias.test/2021/04/05/huecos-en-ate.html
www.municipio.test
https://foro.test/temas/123#mensaje-45
municipio.test/tramites/licencias y más
y/o los vecinos
agua 24/7 en la zona
3/4 de la pista
1.50 m de ancho
el Banco de la Nación no abre
mi documento se perdió
sacar DNI demora
el correo no llega
la placa recordatoria de 2021
3 000 000 de soles
tarjeta roja al alcalde
1000 gracias a los 12 serenos
cuenta con 25 años
la cuenta pública 2021
TUPA 2021
Plan 2021-2030
km 12 + 500
""".strip().splitlines()


def _personal() -> list[tuple[str, str]]:
    """Return pairs of the sentence as written and as it must come out."""
    pairs = []
    for line in PERSONAL.strip().splitlines():
        written = re.sub(r"⟨([^⟩]*)⟩(\[\w+\]|[\w.]*\w)", r"\1", line)
        wanted = re.sub(r"⟨(\s?)[^⟩]*⟩(\[\w+\]|[\w.]*\w)", r"\1\2", line)
        pairs.append((written, wanted))
    return pairs


@pytest.mark.parametrize("name", ["given_names.txt", "surnames.txt"])
def test_a_list_of_names_is_in_order_and_as_words_are_looked_up(name: str) -> None:
    words = list(load_names(name))
    listed = (FOLDER / name).read_text(encoding="utf-8").split("\n", 1)[1].split()
    assert len(words) == len(listed) > 1300
    assert listed == sorted(listed)
    assert [word for word in words if not re.fullmatch("[a-z]{2,}", word)] == []


def test_the_lists_tell_persons_from_what_is_called_after_them() -> None:
    lexicon = load_lexicon()
    assert [name for name in lexicon.public if name != fold_letters(name) or " " not in name] == []
    assert [word for word in lexicon.flags if word != fold_letters(word)] == []


def test_the_set_is_large_enough() -> None:
    assert len(_personal()) + len(PLAIN) >= 120


def test_recall_and_precision_on_the_labelled_sentences() -> None:
    missed = [(written, redact(written), wanted) for written, wanted in _personal() if redact(written) != wanted]
    spoilt = [(line, redact(line)) for line in PLAIN if redact(line) != line]
    found = len(_personal()) - len(missed)
    assert found / len(_personal()) >= 0.98, missed
    assert found / (found + len(spoilt)) >= 0.95, spoilt


@pytest.mark.parametrize(("written", "wanted"), _personal())
def test_personal_data_is_replaced(written: str, wanted: str) -> None:
    assert redact(written) == wanted


@pytest.mark.parametrize("line", PLAIN)
def test_plain_text_survives(line: str) -> None:
    assert redact(line) == line


_PIECES = st.sampled_from(
    [
        "45678912",
        "987654321",
        "987",
        "654",
        "321",
        "00123456",
        "@ana",
        "ana@correo.pe",
        "DNI",
        "dni",
        "CE",
        "RUC",
        "placa",
        "ABC-123",
        "abc",
        "123",
        "cta",
        "expediente",
        "soles",
        "S/",
        "20131312955",
        "http://x.test/u/ana",
        "facebook.com/ana/",
        "-",
        "/",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "[DNI]",
        "[teléfono]",
        "con",
        "el",
        "51",
        "+",
        "01",
        "352-1234",
        "n°",
        "9",
        "arroba",
        "punto",
        "com",
        "taxi",
        "1234-AB",
        "002",
        "00219100123456789012",
        "20210405",
        "www.",
        "wa.me/",
        "cel",
        "y",
        "a",
        "MDA-",
        "é",
        "\n",
        "ñ",
        "_",
        "señora",
        "Rosa",
        "rosa",
        "Quispe",
        "QUISPE",
        "de la",
        "me llamo",
        "[nombre]",
        "[dirección]",
        "alcalde",
        "av.",
        "Los Cedros",
        "mz",
        "lt",
        "c",
        "dpto",
        "vivo en",
        "del",
        "-12.046123",
        "-76.9123",
        "ig:",
        "J.",
    ]
)


@settings(max_examples=400)
@given(st.lists(st.tuples(_PIECES, st.sampled_from(("", " ", "-"))), max_size=14))
def test_redacting_twice_changes_nothing(pieces: list[tuple[str, str]]) -> None:
    once = redact("".join(piece + gap for piece, gap in pieces))
    assert redact(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "María " * 200 + "Quispe",
        "Quispe " * 200 + "María",
        "María " + "Quispe " * 200,
        "señora " + "Rosa " * 200 + "Xy",
        "[nombre] " + "Quispe Xy " * 50,
        "mis hijos " + "Kevin y Brayan Xy, " * 50,
        "vivo en la " + "mz c lt 5 " * 50,
        "987 " * 200,
        "9 " * 200,
        "nueve " * 200,
        "dni45678912cel987654321" * 20,
        "av. Lima 123, 456, " * 30,
        "Rosa Quispe, Juan Mamani Xy, " * 20,
        "DNI " + "45678912 " * 50,
    ],
)
def test_redacting_a_long_row_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_redacting_any_text_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "9-",
        "987 ",
        "10 ",
        "a.",
        "@",
        "a@",
        "dni ",
        "http://x.test/",
        "(0",
        "a.b.c.d/ ",
        "+1 ",
        "ABC ",
        "n° ",
        "www.",
        "arroba ",
        "doc n° n° n° ",
        "taxi a a ABC-12 ",
        "00",
        "1.",
        "[",
        "\n",
        "a@b.",
        "dni dni 1",
        "a ",
        "María ",
        "rosa quispe ",
        "señora Rosa ",
        "Quispe Mamani, ",
        "Juan C. ",
        "mis hijos Kevin y ",
        "alcalde de la muni de ",
        "de la ",
        "me llamo ",
        "nombres y apellidos: ",
        "vda. de ",
        "[nombre] ",
        "[nombre] del 302 ",
        "calle a b c d e f ",
        "calle a b 1 ",
        "av. 28 de ",
        "vivo en a 1 ",
        "mz c lt 5 ",
        "lote 5 de la ",
        "al 567 de la av ",
        "dpto 302 block ",
        "-12.046, -76.",
        "12°02'36",
        "18L 290123 ",
        "ig: a.b_",
        "9 ",
        "9*",
        "nueve uno ",
        "a arroba ",
        "a @ ",
        "a (at) ",
        "dni12345678cel",
        "a b c d e f ",
        "av 123, 456, ",
        "los jazmines 284, 285 y ",
        "casa n 5 ",
        "mzc lt4 ",
        "jr puno cuadra 6 ",
        "278183 E 8664718 N ",
        "el dirigente Alipio Condo ",
        "Rosa Quispe, ",
        "cel de la ",
    ],
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    assert_linear(redact, unit)


def test_pseudonym_is_stable_scoped_and_blind_to_spelling() -> None:
    key = pseudonym(SECRET, "foro-ate", "José  Núñez ")
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    assert key == pseudonym(SECRET, "foro-ate", "jose\u0301 nu\u0301n\u0303ez")
    assert key != pseudonym(SECRET, "blog-ceres", "José Núñez")
    assert key != pseudonym(b"another key of 32 characters....", "foro-ate", "José Núñez")
    assert pseudonym(b"k" * 16, "s", "Ana") == "596f1387a6d950a98385346236b4b95a"


def test_secret_of_the_environment_wins() -> None:
    assert load_secret({"ESCUCHA_SECRET": "x" * 16}, synthetic=True) == b"x" * 16
    assert load_secret({}, synthetic=True) == SYNTHETIC_SECRET


@pytest.mark.parametrize("environ", [{}, {"ESCUCHA_SECRET": ""}, {"ESCUCHA_SECRET": "  \n"}])
def test_a_real_city_needs_a_secret(environ: dict[str, str]) -> None:
    with pytest.raises(SecretError, match=r"secrets\.token_hex\(32\).*ESCUCHA_SECRET") as caught:
        load_secret(environ, synthetic=False)
    assert "no run of a real city happens without it" in str(caught.value)


def test_a_short_secret_is_refused_everywhere() -> None:
    for synthetic in (True, False):
        with pytest.raises(SecretError, match="15 characters, at least 16"):
            load_secret({"ESCUCHA_SECRET": "x" * 15}, synthetic=synthetic)


def test_the_published_key_is_no_secret() -> None:
    with pytest.raises(SecretError, match="published"):
        load_secret({"ESCUCHA_SECRET": SYNTHETIC_SECRET.decode()}, synthetic=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.test/@rosa/12",
        "https://x.test/%40rosa/12",
        "https://x.test/u/rosa",
        "https://x.test/user/rosa/c/1",
        "http://foro.test/usuario/rosa",
        "http://foro.test/perfil/12",
        "http://x.test/?author=rosa",
        "http://x.test/p?id=1&autor=Rosa",
        "https://facebook.com/rosa.quispe/posts/1",
        "https://m.facebook.com/profile.php?id=1",
        "https://twitter.com/rosa/status/1",
        "http://x.test/author/rosa/",
        "https://x.test/?c=rosa@correo.pe",
    ],
)
def test_url_with_a_person(url: str) -> None:
    assert url_names_person(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://foroate.test/temas/12#mensaje-3",
        "http://atealdia.test/2021/04/05/nota/#comment-7",
        "https://facebook.com/groups/12/posts/3",
        "https://x.com/hashtag/ate",
        "http://x.test/usuarios",
        "http://x.test/authority/report",
        "http://x.test/autoridades/2021/",
    ],
)
def test_url_without_a_person(url: str) -> None:
    assert not url_names_person(url)


def test_keyed_url_tells_links_apart_and_hides_them() -> None:
    first = keyed_url(SECRET, "https://x.test/@rosa/1")
    assert first == keyed_url(SECRET, "https://x.test/@rosa/1")
    assert first != keyed_url(SECRET, "https://x.test/@rosa/2")
    assert "rosa" not in first


def _manifestation(**changes: object) -> Manifestation:
    fields: dict[str, object] = {
        "source_id": "foro-ate",
        "native_id": "17",
        "url": "http://foroate.test/temas/12#mensaje-17",
        "author": "Rosa Quispe Huamán",
        "title": "Huecos: llamar al 987654321",
        "text": "Soy ROSA QUISPE  HUAMAN, DNI 45678912. Arreglen la pista.",
        "published_at": datetime(2021, 4, 5, 12, tzinfo=UTC),
        "published_raw": "05/04/2021 07:00",
    }
    return Manifestation(**(fields | changes))  # type: ignore[arg-type]


def test_manifestation_leaves_no_person_behind() -> None:
    redacted = redact_manifestation(_manifestation(), SECRET)
    assert redacted.text == "Soy [nombre], DNI [DNI]. Arreglen la pista."
    assert redacted.title == "Huecos: llamar al [teléfono]"
    assert redacted.author is None
    assert redacted.author_key == pseudonym(SECRET, "foro-ate", "Rosa Quispe Huamán")
    assert redacted.url == "http://foroate.test/temas/12#mensaje-17"
    assert (redacted.native_id, redacted.published_raw) == ("17", "05/04/2021 07:00")
    assert redact_manifestation(redacted, SECRET) == redacted


def test_link_of_a_person_is_dropped_and_its_id_keyed() -> None:
    link = "https://x.test/@rosa/17"
    redacted = redact_manifestation(_manifestation(url=link, native_id=link, parent_id=link), SECRET)
    assert redacted.url is None
    assert redacted.native_id == redacted.parent_id == keyed_url(SECRET, link)


@pytest.mark.parametrize("author", [None, "", "  "])
def test_unsigned_stays_unsigned(author: str | None) -> None:
    assert redact_manifestation(_manifestation(author=author), SECRET).author_key is None


def test_one_word_names_and_institutions_stay_in_the_text() -> None:
    assert redact_manifestation(_manifestation(author="Rosa", text="Rosa opina"), SECRET).text == "Rosa opina"
    official = _manifestation(author="Municipalidad de Ate", kind="official", text="La Municipalidad de Ate informa")
    assert redact_manifestation(official, SECRET).text == "La Municipalidad de Ate informa"


def test_only_the_whole_name_is_replaced() -> None:
    item = _manifestation(author="Ñahui Wari", text="Ñahui Waris y Iñahui Wari no; İ ß ñahui\nwarí sí")
    assert redact_manifestation(item, SECRET).text == "Ñahui Waris y Iñahui Wari no; İ ß [nombre] sí"


@pytest.mark.parametrize(
    "native_id",
    [
        "juan.perez@gmail.com",
        "@juanperez92/123",
        "acct:juan@foro.test",
        "tag:foro.test,2021:/u/juan.perez/45",
        "tag:foro.test,2021:u/juan.perez/45",
        "/u/juanperez#3",
        "foro.test/u/juanperez",
        "u/juanperez/3",
        "dni 45678912",
    ],
)
def test_id_of_a_person_is_keyed(native_id: str) -> None:
    url = f"http://foro.test/temas/1#{native_id}"
    redacted = redact_manifestation(_manifestation(native_id=native_id, parent_id=native_id, url=url), SECRET)
    assert redacted.native_id == redacted.parent_id == keyed_url(SECRET, native_id)
    assert redacted.url is None
    assert redact_manifestation(redacted, SECRET) == redacted


@pytest.mark.parametrize(
    "native_id",
    [
        "17",
        "987654321",
        "45678912",
        "comment-12",
        "post-9500",
        "article:http://x.test/2021/04/05/nota/",
        "tag:radio.test,2021:1",
        "row:0f3a9b:1",
        "k1",
    ],
)
def test_id_of_nobody_is_kept(native_id: str) -> None:
    assert redact_manifestation(_manifestation(native_id=native_id), SECRET).native_id == native_id


@pytest.mark.parametrize(
    ("raw", "understood", "kept"),
    [
        ("Por Rosa Quispe Huamán el 5 de abril, 987654321", False, "Por [nombre] el 5 de abril, [teléfono]"),
        ("x" * 81, False, "x" * 80),
        ("Fri, 02 Apr 2021 04:59:59 +0000", True, "Fri, 02 Apr 2021 04:59:59 +0000"),
        ("02/04/2021 04:59 (987654321)", True, "02/04/2021 04:59 ([teléfono])"),
    ],
)
def test_raw_date_leaves_no_person_behind(raw: str, understood: bool, kept: str) -> None:
    at = datetime(2021, 4, 2, tzinfo=UTC) if understood else None
    assert redact_manifestation(_manifestation(published_raw=raw, published_at=at), SECRET).published_raw == kept


def test_links_of_persons_are_told_by_their_host() -> None:
    told = told_links("HTTP 500 at http://foro.test:80/u/juan.perez; http://foro.test/t/1: x, https://x.test/?a=r@b.pe.")
    assert told == "HTTP 500 at foro.test/…; http://foro.test/t/1: x, x.test/…."


@pytest.mark.parametrize("native_id", ["comment-12345678", "post-987654321", "p45678912", "msg_20123456789", "12345678"])
def test_a_platforms_own_number_stays_whatever_it_looks_like(native_id: str) -> None:
    item = Manifestation(source_id="foro", text="hola", native_id=native_id, parent_id=native_id)
    kept = redact_manifestation(item, SECRET)
    assert (kept.native_id, kept.parent_id) == (native_id, native_id)


@pytest.mark.parametrize("native_id", ["dni-45678912", "ABC-123", "cel-987654321", "comment-de-ana@correo.test"])
def test_an_id_that_names_a_person_is_keyed(native_id: str) -> None:
    kept = redact_manifestation(Manifestation(source_id="foro", text="hola", native_id=native_id), SECRET)
    assert kept.native_id is not None
    assert kept.native_id.startswith("keyed:")
