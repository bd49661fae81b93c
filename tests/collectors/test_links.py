"""One address, one item: the golden pairs, and what holds for any address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from collectors.items import manifestation_id
from collectors.links import canonical_link, link_identity, same_page

CASES: list[dict[str, Any]] = YAML(typ="safe").load((Path(__file__).parent / "link_cases.yml").read_text(encoding="utf-8"))
MOST_MISSED = 2


def test_no_two_items_become_one_and_hardly_one_becomes_two() -> None:
    assert len(CASES) >= 60
    wrong = [case["pair"] for case in CASES if (link_identity(case["pair"][0]) == link_identity(case["pair"][1])) != case["same"]]
    merged = [pair for pair in wrong if link_identity(pair[0]) == link_identity(pair[1])]
    assert merged == []
    assert len(wrong) <= MOST_MISSED, wrong


NAMES = ("utm_source", "t", "sid", "amp", "id", "fbclid", "")
ADDRESSES = st.builds(
    "{}://{}{}{}{}{}".format,
    st.sampled_from(("http", "https", "HTTP")),
    st.sampled_from(("diario.pe", "www.diario.pe", "M.Diario.pe", "ñaña.pe.", "diario.pe:80", "diario.pe:8443", "[2800:1::5]")),
    st.lists(st.text("aB1/.~%ñ;=_ -2F", max_size=8), max_size=4).map(lambda steps: "".join(f"/{step}" for step in steps)),
    st.lists(
        st.tuples(st.sampled_from(("utm_source", "t", "sid", "amp", "id", "fbclid", "")), st.text("a1%=&+ ñ", max_size=6))
    ).map(lambda found: "?" + "&".join("=".join(one) for one in found) if found else ""),
    st.sampled_from(("", "#", "#comment-3", "#:~:text=a,b", "#respond", "#utm_x=1&c=2", "#ñ%20")),
    st.sampled_from(("", " ", "/")),
)


@given(ADDRESSES | st.text())
def test_a_canonical_address_stays_as_it_is(address: str) -> None:
    found = canonical_link(address)
    if found is not None:
        assert canonical_link(found) == found
        assert link_identity(found) == link_identity(address)


@given(ADDRESSES)
def test_what_is_compared_depends_on_nothing_that_was_taken_off(address: str) -> None:
    found = canonical_link(address)
    if found is not None:
        separator = "&" if "?" in found else "?"
        head, mark, fragment = found.partition("#")
        assert link_identity(f"{head}{separator}utm_medium=x{mark}{fragment}") == link_identity(found)


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "mailto:a@b.pe", "//diario.pe/x", "http://", "http://[::1", "keyed:0a1b"]
)
def test_what_is_no_web_address_has_no_canonical_form(address: str) -> None:
    assert canonical_link(address) is None
    assert link_identity(address) == address


def test_the_parameters_that_a_source_names_are_taken_off() -> None:
    link = "https://diario.pe/nota?origen=portada&id=3&Vista=2"
    assert canonical_link(link, ("origen", "vista")) == "https://diario.pe/nota?id=3"
    assert canonical_link(link) == "https://diario.pe/nota?Vista=2&id=3&origen=portada"


@pytest.mark.parametrize(
    ("declared", "asked", "believed"),
    [
        ("https://diario.pe/nota/12", "https://www.diario.pe/nota/12?origen=portada", "https://diario.pe/nota/12"),
        ("https://diario.pe/", "https://diario.pe/nota/12", None),
        ("https://diario.pe/", "https://diario.pe/", "https://diario.pe/"),
        ("https://otro.pe/nota/12", "https://diario.pe/nota/12", None),
        ("javascript:0", "https://diario.pe/nota/12", None),
        (None, "https://diario.pe/nota/12", None),
    ],
    ids=range(6),
)
def test_a_page_is_believed_its_own_address_within_reason(declared: str | None, asked: str, believed: str | None) -> None:
    assert same_page(declared, asked) == believed


def test_an_item_without_an_id_is_one_under_both_faces_of_its_site() -> None:
    faces = ["http://diario.pe/nota#c1", "https://www.diario.pe/nota/?utm_source=x#c1", "https://m.diario.pe/nota#c1"]
    assert len({manifestation_id("s", None, canonical_link(face), "texto") for face in faces}) == 1
