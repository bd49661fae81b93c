"""The words of the page: the same keys in every language, and none in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from jinja2 import Environment
from lxml import html
from ruamel.yaml import YAML

from collectors.catalog import load_city
from collectors.period import Period
from models.taxonomy import load_taxonomy
from pipelines.reports.rendering import LANGUAGES, REPORTS, load_formats, render_page
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [*sorted(REPORTS.rglob("*.jinja")), REPORTS.parent / "templates" / "report_index.html.jinja"]
WORDING = REPORTS / "wording"
DIRECT = {"words"}
"""Groups whose keys are numbers, for which another language may need more or fewer."""


def messages(entries: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted id, message) of nested entries."""
    for key, value in entries.items():
        if isinstance(value, Mapping):
            yield from messages(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def load(path: Path) -> dict[str, str]:
    """Return the messages of a file by dotted id."""
    return dict(messages(YAML(typ="safe").load(path.read_text(encoding="utf-8"))))


def placeholders(message: str) -> set[str]:
    """Return the names of a message's placeholders."""
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def words_of(template: str) -> list[str]:
    """Return what a template says by itself: text between tags, and text literals with a space, a capital or an accent."""
    pieces, printed, own = Environment(autoescape=True).lex(template), False, []
    data = []
    for _, kind, value in pieces:
        if kind == "data":
            data.append(value)
        elif kind in ("variable_begin", "block_begin", "comment_begin"):
            printed = kind != "comment_begin"
            data.append("\x00")
        elif kind == "string" and printed and re.search(r"[A-ZÁÉÍÓÚÑáéíóúñ¿¡«»]|[a-z] |^ +[a-z]", value):
            own.append(value)
    text = "".join(data)
    shown = re.sub(r"<style>.*?</style>|<[^<>]*>|&[a-z]+;|<!doctype html>", " ", text, flags=re.DOTALL)
    told = re.findall(r'(?:aria-label|alt|title)="([^"\x00]+)', text)
    return own + told + re.findall(r"[^\W\d_]{2,}", shown)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_words_of_its_own(path: Path) -> None:
    found = words_of(path.read_text(encoding="utf-8"))
    assert not found, f"{path.name}: put these words into wording/es and wording/en, and print them with say(...): {found}"


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>{{ say('a.b') }} <b>Hola</b></p>", ["Hola"]),
        ('{% set title = "Día por día" %}', ['"Día por día"']),
        ('<div aria-label="Secciones">{{ x }}</div>', ["Secciones"]),
        ('{{ " y también" }}', ['" y también"']),
        ('{# Words here are for us. #}<p class="lead">{{ row.x | counted("days.most", when=1) }}, 5 %</p>', []),
    ],
)
def test_words_in_a_template_are_found(template: str, found: list[str]) -> None:
    assert words_of(template) == found


def test_every_language_has_the_same_files_and_messages() -> None:
    assert {folder.name for folder in WORDING.iterdir() if folder.is_dir()} == set(LANGUAGES)
    for path in sorted(WORDING.glob("es/*.yml")):
        spanish = load(path)
        for language in LANGUAGES:
            other = load(WORDING / language / path.name)
            alike = {key for key in other.keys() ^ spanish.keys() if key.split(".")[0] not in DIRECT}
            assert not alike, f"{language}/{path.name} against es/: {sorted(alike)}"
            differ = {
                key
                for key in other.keys() & spanish.keys()
                if placeholders(other[key]) - {"count"} != placeholders(spanish[key]) - {"count"}
            }
            assert not differ, f"{language}/{path.name}: placeholders differ from es/: {sorted(differ)}"
    names = {language: {path.name for path in (WORDING / language).glob("*.yml")} for language in LANGUAGES}
    assert len(set(map(frozenset, names.values()))) == 1, names


def test_every_message_that_a_template_names_exists() -> None:
    for language in LANGUAGES:
        say = load_formats(load_city(ROOT / "data" / "cities" / "ate.yml"), language).say
        for path in TEMPLATES:
            text = path.read_text(encoding="utf-8")
            named = re.findall(r'say\("([a-z_.]+[a-z_])"[,)]', text)
            named += [
                f"{key}.{form}" for key in re.findall(r'counted\("([a-z_.]+[a-z_])"[,)]', text) for form in ("one", "other")
            ]
            missing = [key for key in named if not say.has(key)]
            assert not missing, f"{path.name} names what wording/{language} lacks: {missing}"


def test_english_page_says_the_same_in_english() -> None:
    city, taxonomy = load_city(ROOT / "data" / "cities" / "ate.yml"), load_taxonomy()
    april = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, april, taxonomy, late_count=12)
    pages = {
        language: html.fromstring(render_page(warehouse, REPORT_ID, city, april, taxonomy, language=language))
        for language in LANGUAGES
    }
    english, spanish = pages["en"], pages["es"]
    assert english.get("lang") == "en-GB"
    assert english.find(".//h1").text_content() == "Ate, 1 to 30 April 2021"
    said = " ".join(english.text_content().split())
    assert "Transport and traffic is the category with most expressions: 705 of the 5,796 counted, 12% not corrected." in said
    assert "Thu 1 Apr" in said
    assert "after 1 May 2021, 09:00" in said
    numbers = {
        language: [re.sub(r"\D", "", cell.text_content()) for cell in page.iter("td", "dd")] for language, page in pages.items()
    }
    assert numbers["en"] == numbers["es"]
    assert [section.get("id") for section in english.iter("section")] == [
        section.get("id") for section in spanish.iter("section")
    ]


def test_unknown_language_is_refused() -> None:
    city, taxonomy = load_city(ROOT / "data" / "cities" / "ate.yml"), load_taxonomy()
    april = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    with pytest.raises(ValueError, match="language 'fr': available: es, en"):
        render_page(filled_warehouse(city, april, taxonomy), REPORT_ID, city, april, taxonomy, language="fr")
