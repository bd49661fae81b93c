"""City files: what they give, what they refuse, and how every error of a file is told at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.catalog import DEFAULTABLE, City, Source, city_json_schema, load_catalog, load_city
from collectors.spiders import SPIDERS, spider_class
from collectors.spiders.feed import FeedOptions
from collectors.spiders.file import FileOptions
from collectors.yaml_errors import ConfigurationError, load_yaml

CITIES = Path(__file__).resolve().parent.parent.parent / "data" / "cities"
HEAD = """\
id: ate
name: Ate
country: PE
official_code: "150103"
timezone: America/Lima
contact: buzon@muniate.gob.pe
defaults:
  legal_basis: Ley 29733, art. 14.1
  approved_by: Comité
  approved_on: 2021-03-24
  retention_days: 365
  delay_seconds: 5
sources:
"""
SOURCE = """\
  - id: foro
    platform: feed
    url: https://www.foro.pe/rss
    terms: https://www.foro.pe/terminos
    publisher: {name: Foro, kind: forum, official: false}
    expect: {min: 1, max: 9}
"""


def write(folder: Path, text: str, name: str = "ate.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, name: str = "ate.yml") -> list[tuple[int, str]]:
    """Return (line, rest of the message) of every problem of a city file."""
    path = write(folder, text, name)
    with pytest.raises(ConfigurationError) as caught:
        load_city(path)
    told = str(caught.value).split("\n")
    assert all(line.startswith(f"{path}:") for line in told)
    parts = [line.removeprefix(f"{path}:").split(": ", 1) for line in told]
    return [(int(number), message) for number, message in parts]


def one_problem(folder: Path, text: str) -> tuple[int, str]:
    (problem,) = problems(folder, text)
    return problem


def test_city_and_its_defaults(tmp_path: Path) -> None:
    city = load_city(
        write(tmp_path, HEAD + SOURCE + SOURCE.replace("foro\n", "otro\n") + "    delay_seconds: 9\n    enabled: false\n")
    )
    first, second = city.sources
    assert (first.delay_seconds, second.delay_seconds) == (5, 9)
    assert (first.retention_days, first.approved_on, first.legal_basis) == (365, date(2021, 3, 24), "Ley 29733, art. 14.1")
    assert (first.budget.requests, first.budget.megabytes, first.budget.seconds) == (500, 50, 1800)
    assert (first.enabled, second.enabled, first.channel, first.host) == (True, False, "online", "www.foro.pe")
    assert (city.locale, city.period, city.synthetic, dict(city.hosts)) == ("es_PE", "month", False, {})
    assert first.options == FeedOptions.model_validate({})
    assert city.source("otro") is second
    with pytest.raises(ValueError, match="ate has no source 'nadie'; available: foro, otro"):
        city.source("nadie")


def test_five_errors_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = (HEAD + SOURCE + SOURCE).replace("timezone: America/Lima", "timezone: America/Ate", 1)
    text = text.replace("kind: forum", "kind: fourm", 1).replace("expect: {min: 1, max: 9}", "expect: {min: 10, max: 9}", 1)
    text = text.replace("    terms: https://www.foro.pe/terminos\n", "    termz: https://www.foro.pe/terminos\n", 1)
    found = problems(tmp_path, text)
    lines = text.split("\n")
    told = {message.split(": ", 1)[0]: (lines[line - 1].strip(), message) for line, message in found}
    assert len(found) == 6  # the misspelt key is unknown, and the right one is missing
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert told["timezone"][0] == "timezone: America/Ate"
    assert told["timezone"][1].startswith("timezone: 'America/Ate': unknown time zone")
    assert told["sources[1] (foro).publisher.kind"][1].endswith("; did you mean 'forum'?")
    assert told["sources[1] (foro).publisher.kind"][0].startswith("publisher:")
    assert told["sources[1] (foro).expect"] == (
        "expect: {min: 10, max: 9}",
        "sources[1] (foro).expect: min (10) must not exceed max (9)",
    )
    assert told["sources[1] (foro).termz"][0].startswith("termz:")
    allowed = "did you mean 'terms'? allowed: approved_by, approved_on, archive, archive_days, budget,"
    assert allowed in told["sources[1] (foro).termz"][1]
    assert told["sources[1] (foro).terms"][1].endswith("is required and is missing")
    assert told["sources[2] (foro).id"][1] == "sources[2] (foro).id: 'foro' is already the id of source number 1"


def test_error_of_a_default_is_told_once_where_it_stands(tmp_path: Path) -> None:
    text = HEAD.replace("retention_days: 365", "retention_days: 0") + SOURCE + SOURCE.replace("foro\n", "otro\n")
    line, message = one_problem(tmp_path, text)
    assert text.split("\n")[line - 1].strip() == "retention_days: 0"
    assert message.startswith("defaults.retention_days: 0: ")


def test_error_in_the_options_keeps_its_place(tmp_path: Path) -> None:
    text = HEAD + SOURCE + "    options:\n      entries: manifestacion\n"
    line, message = one_problem(tmp_path, text)
    assert text.split("\n")[line - 1].strip() == "entries: manifestacion"
    assert message.startswith("sources[1] (foro).options.entries: 'manifestacion': ")
    assert message.endswith("did you mean 'manifestation'?")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: Ate", "nombre: Ate", "nombre: unknown key; did you mean 'name'?"),
        ("id: ate", "id: Ate!", "id: 'Ate!'"),
        ("id: ate", "id: lima", "id: 'lima' must equal the file's name, 'ate'"),
        ("country: PE", "country: Peru", "country: 'Peru'"),
        ("contact: buzon@muniate.gob.pe", "contact: nadie", "contact: 'nadie'"),
        ("platform: feed", "platform: rss", f"unknown platform; available: {', '.join(sorted(SPIDERS))}"),
        ("retention_days: 365", "expect: {min: 1, max: 2}", "expect cannot have a default; allowed: approved_by"),
        ("https://www.foro.pe/rss", "ftp://www.foro.pe/rss", "must be an http or https address"),
        ("https://www.foro.pe/rss", "https://yo:clave@www.foro.pe/rss", "must not carry a user name or a password"),
        ("https://www.foro.pe/rss", "data/imports/a.csv", "must be an http or https address"),
        ("https://www.foro.pe/rss", "https://www.foro.pe:99999/rss", "Port out of range"),
        ("delay_seconds: 5", "delay_seconds: 0.1", "defaults.delay_seconds: 0.1: "),
        ("country: PE", "country: PE\nlocale: xx_YY_zz", "locale: 'xx_YY_zz': unknown locale"),
        ("country: PE", 'country: PE\nclock: "2021-05-03T09:00:00-05:00"', "hosts and clock are allowed only with"),
        ("country: PE", 'country: PE\nhosts: {"*.test": "127.0.0.1:80"}', "hosts and clock are allowed only with"),
        ("country: PE", 'country: PE\nsynthetic: true\nclock: "2021-05-03T09:00:00"', "must carry its offset"),
        ("country: PE", 'country: PE\nsynthetic: true\nhosts: {"*.pe": replay}', "only names under .test can be mapped"),
        ("country: PE", 'country: PE\nsynthetic: true\nhosts: {"*.test": "10.0.0.1:80"}', "use `replay` or a loopback address"),
    ],
)
def test_what_is_refused_and_why(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = HEAD + SOURCE
    assert old in text
    assert any(told in message for _, message in problems(tmp_path, text.replace(old, new, 1)))


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "10.0.0.8",
            "192.168.1.1:8080",
            "169.254.169.254",
            "100.64.1.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00::1]",
            *("[::7f00:1]", "[64:ff9b:1::7f00:1]", "[fec0::1]", "[::ffff:0:7f00:1]"),
        ),
        *("localhost", "intranet", "localhost:8000", "a.localhost", "db.internal", "impresora.local"),
        *("127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1"),
    ],
)
def test_inner_addresses_are_refused(tmp_path: Path, host: str) -> None:
    for field in ("https://www.foro.pe/rss", "https://www.foro.pe/terminos"):
        _, message = one_problem(tmp_path, HEAD + SOURCE.replace(field, f"http://{host}/x"))
        assert message.endswith("must be a public address, not one of an inner network")


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "[2001:4860:4860::8888]", "www.muniate.gob.pe", "1a.pe", "123.com.pe", "xn--ate-8oa.pe"]
)
def test_outer_addresses_are_taken(tmp_path: Path, host: str) -> None:
    city = load_city(write(tmp_path, HEAD + SOURCE.replace("https://www.foro.pe/rss", f"http://{host}/x")))
    assert city.sources[0].host == host.strip("[]")


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (HEAD + "  - id: a\n    id: b\n", 15, 'found duplicate key "id"'),
        ("name: Ate\nname: Ate\n", 2, 'found duplicate key "name"'),
        ("name: [Ate\nid: x\n", 2, ""),
        ("- una\n- lista\n", 1, "must be a mapping of keys to values"),
        ("", 1, "must be a mapping of keys to values"),
        ("a" * 1_000_001, 1, "larger than 1000000 bytes"),
    ],
)
def test_what_is_no_city_file_is_told(tmp_path: Path, text: str, line: int, told: str) -> None:
    found_line, message = one_problem(tmp_path, text)
    assert told in message
    assert found_line == line


def test_absent_and_wrongly_encoded_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nada\.yml:1: the file does not exist"):
        load_yaml(tmp_path / "nada.yml")
    (tmp_path / "ansi.yml").write_bytes("name: Ñaña".encode("cp1252"))
    with pytest.raises(ConfigurationError, match=r"ansi\.yml:1: is not UTF-8 \(byte 6\)"):
        load_yaml(tmp_path / "ansi.yml")


def test_city_without_sources_is_refused_once(tmp_path: Path) -> None:
    _, message = one_problem(tmp_path, HEAD.rstrip() + " []\n")
    assert message == "sources: a city needs at least one source"


@pytest.mark.parametrize(
    ("platform", "options", "told"),
    [
        ("page", "{markup: disqus}", "options.markup: 'disqus'"),
        ("page", "{markup: selectors}", "markup `selectors` needs article_links and comment"),
        ("page", "{}", "options.markup: is required and is missing"),
        ("page", "{markup: microdata, comment: {item: div}}", "options.comment.text: is required and is missing"),
        ("file", "{columns: {}}", "options.columns.text: is required and is missing"),
        ("file", "{columns: {text: []}}", "options.columns.text: "),
        ("file", "{columns: {text: [a]}, delimiter: ';;'}", "options.delimiter: ';;'"),
        ("file", "{columns: {text: [a], fecha: b}}", "options.columns.fecha: unknown key; "),
        ("file", "{}", "give either `columns` or `layout` (available: 4cat, polis)"),
        ("file", "{layout: polis, columns: {text: [a]}}", "give either `columns` or `layout`"),
        ("file", "{layout: polys}", "options.layout: 'polys': unknown layout; available: 4cat, polis"),
        ("file", "{layout: polis, html: true}", "layout 'polis' decides html itself; leave it out, or map `columns`"),
        ("file", "{columns: {text: [a]}, format: xls}", "options.format: 'xls'"),
        ("whatsapp", "{}", "options.consent: is required and is missing"),
        ("wordpress", "{post: false}", "options.post: unknown key; did you mean 'posts'?"),
        ("feed", "{markup: microdata}", "options.markup: unknown key; "),
    ],
)
def test_options_of_each_platform(tmp_path: Path, platform: str, options: str, told: str) -> None:
    text = HEAD + SOURCE.replace("platform: feed", f"platform: {platform}") + f"    options: {options}\n"
    found = problems(tmp_path, text)
    assert any(told in message for _, message in found), found


def test_delimiter_may_be_a_tab(tmp_path: Path) -> None:
    options = '    options: {columns: {text: [a]}, delimiter: "\\t"}\n'
    city = load_city(write(tmp_path, HEAD + SOURCE.replace("platform: feed", "platform: file") + options))
    found = city.sources[0].options
    assert isinstance(found, FileOptions)
    assert found.delimiter == "\t"


def test_all_files_of_a_folder_are_checked_at_once(tmp_path: Path) -> None:
    write(tmp_path, HEAD + SOURCE)
    write(tmp_path, HEAD.replace("id: ate", "id: lima").replace("country: PE", "country: X") + SOURCE, "lima.yml")
    write(tmp_path, HEAD + SOURCE, "otra.yml")
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(tmp_path)
    assert [(Path(problem.file).name, problem.where) for problem in caught.value.problems] == [
        ("lima.yml", "country"),
        ("otra.yml", "id"),
    ]
    (tmp_path / "otra.yml").unlink()
    write(tmp_path, HEAD.replace("id: ate", "id: lima") + SOURCE, "lima.yml")
    assert list(load_catalog(tmp_path)) == ["ate", "lima"]


def test_models_cannot_be_changed(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, HEAD + SOURCE))
    with pytest.raises(ValidationError, match="frozen"):
        city.sources[0].enabled = False  # type: ignore[misc]


@pytest.mark.parametrize("path", sorted(CITIES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_shipped_city_loads_and_survives_a_round(path: Path) -> None:
    city = load_city(path)
    given = {name for name in City.model_fields if name != "defaults"}
    again = City.model_validate(city.model_dump(mode="json", include=given))
    assert again == city.model_copy(update={"defaults": {}})
    assert [type(source.options) for source in again.sources] == [type(source.options) for source in city.sources]


def test_pilot_city() -> None:
    city = load_city(CITIES / "ate.yml")
    channels = [source.channel for source in city.sources]
    assert [channels.count(channel) for channel in ("online", "attention_office", "in_person")] == [25, 1, 1]
    assert len({source.platform for source in city.sources if source.channel == "online"}) >= 10
    assert city.synthetic
    assert all((source.host or "").endswith(".test") for source in city.sources if source.platform != "minutes")
    assert city.clock is not None
    assert city.clock.astimezone(UTC) == datetime(2021, 5, 3, 14, tzinfo=UTC)
    assert city.published is not None
    assert sum(figure.count for figure in city.published.figures if not figure.total) == 611


def resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def unknown_keys(schema: dict[str, Any], node: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """Return the places of a document that the schema does not know (only what this file needs of JSON Schema)."""
    node = resolve(schema, node)
    if "anyOf" in node:
        return min((unknown_keys(schema, option, value, place) for option in node["anyOf"]), key=len)
    if isinstance(value, list):
        return [found for one in value for found in unknown_keys(schema, node.get("items", {}), one, f"{place}[]")]
    if not isinstance(value, dict):
        return [] if node.get("type") not in ("object", "array") else [f"{place}: {node['type']}"]
    found = [f"{place}.{name} missing" for name in node.get("required", []) if name not in value]
    for condition in node.get("allOf", []):
        if condition["if"]["properties"]["platform"]["const"] == value["platform"] and "options" in value:
            options = condition["then"]["properties"]["options"]
            found += unknown_keys(schema, options, value["options"], f"{place}.options")
    for key, inner in value.items():
        if key in node.get("properties", {}):
            known = node["properties"][key]
            found += [] if key == "options" else unknown_keys(schema, known, inner, f"{place}.{key}")
        elif node.get("additionalProperties") is False:
            found.append(f"{place}.{key} unknown")
    return found


@pytest.mark.parametrize("path", sorted(CITIES.glob("*.yml")), ids=lambda path: path.stem)
def test_schema_takes_every_shipped_city(path: Path) -> None:
    schema = city_json_schema()
    assert unknown_keys(schema, schema, load_yaml(path)) == []


def test_schema_refuses_what_the_model_refuses() -> None:
    schema = city_json_schema()
    document = load_yaml(CITIES / "ate.yml")
    document["sources"][0]["options"]["marcado"] = 1
    document["sources"][1]["termz"] = document["sources"][1].pop("terms")
    document["alcalde"] = "x"
    assert sorted(unknown_keys(schema, schema, document)) == [
        ".alcalde unknown",
        ".sources[].options.marcado unknown",
        ".sources[].terms missing",
        ".sources[].termz unknown",
    ]


def test_schema_describes_the_models() -> None:
    schema = city_json_schema()
    source = schema["$defs"]["Source"]
    assert set(schema["properties"]) == set(City.model_fields)
    assert set(source["properties"]) == set(Source.model_fields)
    assert not DEFAULTABLE & set(source["required"])
    assert source["properties"]["platform"]["enum"] == sorted(SPIDERS)
    for condition in source["allOf"]:
        options = resolve(schema, condition["then"]["properties"]["options"])
        platform = condition["if"]["properties"]["platform"]["const"]
        needs_options = bool(options.get("required") or options.get("anyOf"))
        assert needs_options or platform not in ("file", "page", "whatsapp")
        assert condition["then"].get("required", []) == (["options"] if needs_options else [])
        assert set(options["properties"]) == set(spider_class(platform).Options.model_fields)
    references = {str(value) for value in _references(schema)}
    assert references <= {f"#/$defs/{name}" for name in schema["$defs"]}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


def test_synthetic_city_names_no_real_host(tmp_path: Path) -> None:
    text = (HEAD + SOURCE).replace("country: PE", "country: PE\nsynthetic: true")
    _, told = one_problem(tmp_path, text)
    assert "source 'foro': with `synthetic: true`, host 'www.foro.pe' must be mapped by `hosts` (none)" in told
    assert "files of the project" in told
    mapped = text.replace("country: PE", 'country: PE\nhosts: {"*.test": replay}')
    assert "('*.test')" in one_problem(tmp_path, mapped)[1]
    assert load_city(write(tmp_path, mapped.replace("https://www.foro.pe/rss", "http://www.foro.test/rss"))).synthetic


def test_synthetic_city_of_files_needs_no_hosts(tmp_path: Path) -> None:
    text = (HEAD + SOURCE).replace("country: PE", "country: PE\nsynthetic: true").replace("platform: feed", "platform: file")
    text = text.replace("https://www.foro.pe/rss", "data/imports/a.csv") + "    options: {columns: {text: [t]}}\n"
    assert load_city(write(tmp_path, text)).sources[0].host is None


@pytest.mark.parametrize("platform", ["file", "feed"])
def test_empty_address_is_refused(tmp_path: Path, platform: str) -> None:
    text = (HEAD + SOURCE).replace("https://www.foro.pe/rss", '""').replace("platform: feed", f"platform: {platform}")
    text += "    options: {columns: {text: [t]}}\n" if platform == "file" else ""
    assert "url: '' is empty; give a" in one_problem(tmp_path, text)[1]


WAITING = """
  - id: espera
    platform: {platform}
    url: {url}
    terms: "PENDIENTE: dirección"
    publisher: {{name: Espera, kind: other, official: false}}
    legal_basis: "PENDIENTE: ley y artículo"
    approved_by: "PENDIENTE: nombre y cargo"
    approved_on: null
    expect: {{min: 0, max: 9}}
    retention_days: 30
    enabled: {enabled}
    options: {options}
"""


def waiting_city(
    folder: Path, platform: str, options: str, *, url: str = "https://espera.example/", enabled: str = "false"
) -> Path:
    """Write a city whose one source waits for a person."""
    path = folder / "espera.yml"
    facts = 'id: espera\nname: E\ncountry: PE\nofficial_code: "1"\ntimezone: America/Lima\ncontact: a@b.example\n'
    facts += "defaults: {legal_basis: Ley, approved_by: Alguien, approved_on: 2021-03-24}\nsources:"
    entry = WAITING.format(platform=platform, url=url, options=options, enabled=enabled)
    path.write_text(facts + entry, encoding="utf-8")
    return path


def test_an_entry_may_wait_for_a_person_only_while_it_is_not_enabled(tmp_path: Path) -> None:
    source = load_city(waiting_city(tmp_path, "feed", "{}")).sources[0]
    assert source.pending == ["approved_by", "approved_on", "legal_basis", "terms"]
    assert source.approved_on is None, "an approval of the file's defaults is none of this source"
    with pytest.raises(ConfigurationError) as refused:
        load_city(waiting_city(tmp_path, "feed", "{}", enabled="true"))
    assert str(refused.value) == (
        f"{tmp_path / 'espera.yml'}:9: sources[1] (espera): approved_by, approved_on, legal_basis, terms: "
        "still to be filled in by a person; until then leave `enabled: false`"
    )


@pytest.mark.parametrize(
    ("platform", "options", "url", "pending"),
    [
        ("facebook", "{page: 'PENDIENTE: 0', token: env:PAGE_TOKEN}", "https://www.facebook.com/m", ["options.page"]),
        (
            "whatsapp",
            "{consent: {announced_on: PENDIENTE, by: PENDIENTE, document: acta 3}}",
            "data/grupo.txt",
            ["options.consent.announced_on", "options.consent.by"],
        ),
        (
            "x",
            "{token: env:X_TOKEN, query: Ate, accept_cost: 'PENDIENTE: true', max_posts: 100}",
            "https://x.com/m",
            ["options.accept_cost"],
        ),
        ("file", "{columns: {text: ['PENDIENTE: columna']}}", "data/a.csv", ["options.columns.text[0]"]),
    ],
)
def test_options_may_wait_too(tmp_path: Path, platform: str, options: str, url: str, pending: list[str]) -> None:
    path = waiting_city(tmp_path, platform, options, url=url)
    assert [place for place in load_city(path).sources[0].pending if place.startswith("options")] == pending
    with pytest.raises(ConfigurationError, match=r"PENDIENTE|still to be filled in"):
        load_city(waiting_city(tmp_path, platform, options, url=url, enabled="true"))


def test_options_that_are_wrong_besides_are_refused_while_they_wait(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown key; did you mean 'page'"):
        load_city(waiting_city(tmp_path, "facebook", "{pag: '1', page: PENDIENTE, token: env:PAGE_TOKEN}"))
    with pytest.raises(ConfigurationError, match="token: is required and is missing"):
        load_city(waiting_city(tmp_path, "facebook", "{page: PENDIENTE}"))
