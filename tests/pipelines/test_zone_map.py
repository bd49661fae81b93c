"""The sketch of a city's zones: circles that neither touch nor leave the drawing, larger for what is named more."""

from __future__ import annotations

import re
from itertools import combinations
from math import hypot
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipelines.reports.formats import Formats, load_wording
from pipelines.reports.rendering import REPORTS
from pipelines.reports.zone_map import GAP, NARROW, WIDE, Canvas, draw_zones, place_circles
from tests.pipelines.exports_input import ate

SVG = "{http://www.w3.org/2000/svg}"


def zone(position: int, latitude: float | None, longitude: float | None, count: int = 50) -> dict[str, Any]:
    """Return a row of a zone, as the page has it."""
    return {"position": position, "latitude": latitude, "longitude": longitude, "manifestation_count": count}


@pytest.fixture(scope="module")
def formats() -> Formats:
    """How numbers are written in Ate."""
    return Formats(ate().locale, ate().zone, load_wording(REPORTS / "wording" / "es"))


SCATTERED = st.lists(st.tuples(st.floats(-12.1, -12.0), st.floats(-77.0, -76.8), st.integers(5, 5000)), min_size=1, max_size=14)


@given(SCATTERED, st.sampled_from([WIDE, NARROW]))
def test_circles_stay_inside_and_grow_with_the_count(points: list[tuple[float, float, int]], canvas: Canvas) -> None:
    rows = [zone(number, latitude, longitude, count) for number, (latitude, longitude, count) in enumerate(points, 1)]
    circles = {circle.number: circle for circle in place_circles(rows, canvas)}
    assert circles.keys() == {row["position"] for row in rows}
    for circle in circles.values():
        assert circle.radius <= circle.x <= canvas.width - circle.radius
        assert circle.radius <= circle.y <= canvas.height - circle.radius
        assert canvas.smallest <= circle.radius <= canvas.largest
    for one, other in combinations(rows, 2):
        if one["manifestation_count"] >= other["manifestation_count"]:
            assert circles[one["position"]].radius >= circles[other["position"]].radius


def test_four_times_as_often_is_twice_as_wide() -> None:
    large, small = place_circles([zone(1, -12.0, -76.9, 400), zone(2, -12.1, -76.8, 100)], WIDE)
    assert (large.number, small.number) == (1, 2)
    assert large.radius == pytest.approx(2 * small.radius)


def test_north_is_above_and_east_at_the_right() -> None:
    circles = {circle.number: circle for circle in place_circles([zone(1, -12.0, -76.9), zone(2, -12.1, -76.8)], WIDE)}
    assert circles[1].y < circles[2].y
    assert circles[1].x < circles[2].x


@pytest.mark.parametrize("canvas", [WIDE, NARROW])
def test_zones_at_one_point_are_moved_apart(canvas: Canvas) -> None:
    circles = place_circles([zone(number, -12.0, -76.9, 20 * number) for number in range(1, 7)], canvas)
    for one, other in combinations(circles, 2):
        assert hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius + GAP / 2


def test_the_drawing_says_what_it_shows_and_is_harmless(formats: Formats) -> None:
    rows = [zone(1, -12.0, -76.9, 300), zone(2, None, None, 90), zone(3, -12.1, -76.8, 120)]
    told = '</desc><script>alert(1)</script>"\u202e'
    drawn = draw_zones(rows, title=told, description=told, formats=formats)
    assert drawn == draw_zones(rows, title=told, description=told, formats=formats)
    for svg in re.findall(r"<svg.*?</svg>", str(drawn), re.DOTALL):
        tree = etree.fromstring(svg)
        assert [node.text for node in tree.iter(f"{SVG}text")] == ["1", "3"]
        assert {node.tag for node in tree.iter()} == {f"{SVG}{name}" for name in ("svg", "title", "desc", "circle", "text")}
        assert tree.findtext(f"{SVG}title") == told.replace("\u202e", "")
        assert tree.get("aria-labelledby") == tree.find(f"{SVG}title").get("id")
    assert str(drawn).count("<svg") == 2


def test_without_a_point_nothing_is_drawn(formats: Formats) -> None:
    assert draw_zones([zone(1, None, None)], title="t", description="d", formats=formats) == ""
