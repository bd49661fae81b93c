"""A source's entry: what is written, where it goes, and that whatever stood in the file stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from collectors.catalog import load_city
from pipelines.project import ProjectError
from pipelines.source_entry import append_entry, flow_yaml, free_id, load_entry, render_entry, same_address

HEAD = """\
id: barrio
name: Barrio
country: PE
official_code: "1"
timezone: America/Lima
contact: a@municipio.test
"""
FIRST = [
    "- id: uno   # el primero",
    "  platform: feed",
    "  url: https://uno.example/feed/",
    "  terms: https://uno.example/terminos/",
    "  publisher: {name: 'Uno', kind: other, official: false}",
    "  legal_basis: Ley 29733",
    "  approved_by: Gerencia",
    "  approved_on: 2021-03-24",
    "  retention_days: 30",
    "  expect: {min: 0, max: 9}",
]


def sources(column: int, *, count: int = 1) -> str:
    """Return a block of sources whose dashes stand in a column."""
    blocks = ["\n".join(" " * column + line for line in FIRST).replace("uno", f"uno{n}" if n else "uno") for n in range(count)]
    return "sources:\n" + "\n\n".join(blocks) + "\n"


def values(**fields: Any) -> dict[str, Any]:
    """Return what an entry is made of."""
    given = {"id": "dos", "platform": "feed", "url": "https://dos.example/feed/", "channel": "online", "terms": None}
    given |= {"publisher": "Dos", "kind": "press", "official": False, "retention_days": 365, "low": 1, "high": 20}
    return {**given, "estimated": True, "options": {"entries": "manifestation"}, **fields}


FILES = {
    "last in the file": HEAD + sources(2),
    "without a newline at the end": (HEAD + sources(2)).rstrip("\n"),
    "dashes at the margin": HEAD + sources(0) + "period: month\n",
    "several, apart": HEAD + sources(4, count=3) + "\n# De la ciudad.\nperiod: week\n",
    "a comment of the sources at the end": HEAD + sources(2) + "  # - id: tres (todavía no)\n\nperiod: month\n",
    "Windows line ends": (HEAD + sources(2) + "period: month\n").replace("\n", "\r\n"),
    "with an end of document": HEAD + sources(2) + "...\n",
    "a text of several lines at the end": HEAD + sources(2) + "    options: {}\n    channel: >-\n      online\nperiod: month\n",
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_entry_goes_behind_the_last_source_and_nothing_else_moves(tmp_path: Path, name: str) -> None:
    path = tmp_path / "barrio.yml"
    before = FILES[name].replace("    options: {}\n", "").encode()
    path.write_bytes(before)
    path.chmod(0o640)
    old = load_city(path)
    entry = render_entry(values())
    city = append_entry(path, entry, load_entry(old, entry))
    after = path.read_bytes()
    begin = after.rindex(b"\n", 0, after.index(b"- id: dos")) + 1
    kept = before.rstrip(b"\n") if name.startswith("without") else before
    head = after[:begin].rstrip(b"\r\n")
    assert kept.startswith(head)
    assert after.endswith(kept[len(head) :].lstrip(b"\r\n"))
    assert city.sources[:-1] == old.sources
    assert (city.sources[-1].id, city.sources[-1].enabled) == ("dos", False)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["barrio.yml"]
    assert (b"\r\n" in after) == (after.count(b"\n") == after.count(b"\r\n"))


def test_sources_on_one_line_are_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "barrio.yml"
    one = YAML(typ="safe").load(sources(2))["sources"][0]
    text = HEAD + f"sources: [{flow_yaml({**one, 'approved_on': '2021-03-24'})}]\n"
    path.write_text(text, encoding="utf-8")
    entry = render_entry(values())
    with pytest.raises(ProjectError, match="add the entry by hand"):
        append_entry(path, entry, load_entry(load_city(path), entry))
    assert path.read_text(encoding="utf-8") == text


def test_an_entry_that_would_not_load_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "barrio.yml"
    path.write_text(HEAD + sources(2), encoding="utf-8")
    city = load_city(path)
    twice = render_entry(values(id="uno"))
    with pytest.raises(ProjectError, match=r"barrio\.yml was left as it is.*already the id of source number 1"):
        append_entry(path, twice, load_entry(city, twice))
    other = render_entry(values(id="otro"))
    with pytest.raises(ProjectError, match="left as it is"):
        append_entry(path, other, load_entry(city, render_entry(values())))
    assert path.read_text(encoding="utf-8") == HEAD + sources(2)


@pytest.mark.parametrize(
    "name",
    [
        "Diario: «libre» #1",
        'Con "comillas" y \\ barra',
        "- id: intruso",
        "{x: [y]} & *z !w %v @u `t`",
        "null",
        "2021-04-01",
        "sí\u2028no\x85\x1b[0m",
        "PENDIENTE",
        "🚌 combi",
        "'",
        "{{ legal_basis }}",
    ],
)
def test_names_from_elsewhere_are_written_so_that_they_stay_words(name: str) -> None:
    document = YAML(typ="safe").load(render_entry(values(publisher=name, options={"a": [name, 1, True, None], name: 2})))
    (entry,) = document
    assert entry["publisher"]["name"] == name
    assert entry["options"] == {"a": [name, 1, True, None], name: 2}
    assert list(entry)[:3] == ["id", "platform", "url"]


def test_ids_come_from_what_names_the_site() -> None:
    assert free_id("https://www.blog-del-barrio.com.pe/a/", ()) == "blog-del-barrio"
    assert free_id("https://foro.diario.pe/", {"foro-diario", "foro-diario-2"}) == "foro-diario-3"
    assert free_id("https://t.me/Municipio_Avisos", ()) == "telegram-municipio-avisos"
    assert free_id(f"https://{'ñaña'.encode('idna').decode()}.pe/", ()) == "nana"
    assert free_id("data/imports/Buzón 2021.csv", ()) == "buzon-2021"
    assert len(free_id(f"https://{'muy-' * 20}largo.example/", {"muy-" * 10})) <= 40
    assert free_id("https://198.51.100.7/", ()) == "198-51-100-7"


def test_one_place_has_several_spellings() -> None:
    assert same_address("http://www.diario.pe/foro/", "https://diario.pe:443/foro#p1")
    assert same_address("http://diario.pe/foro/index.php", "http://diario.pe/foro")
    assert not same_address("http://diario.pe/foro?f=1", "http://diario.pe/foro?f=2")
    assert not same_address("http://diario.pe:8080/", "http://diario.pe/")
    assert same_address("data/imports/a.csv", "data/imports/a.csv")
