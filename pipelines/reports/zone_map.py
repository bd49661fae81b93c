"""A sketch of a city's zones as inline SVG: circles at their points, drawn by arithmetic; no map, no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians, sqrt
from typing import Any, NamedTuple

from markupsafe import Markup

from pipelines.reports.formats import Formats, clean

ROUNDS = 80
"""Times that circles which touch are moved apart."""

GAP = 3.0
"""Pixels between two circles."""


class Canvas(NamedTuple):
    """The measures of one drawing in pixels; fixed, so that it is the same on every machine."""

    prefix: str
    """Begins every id of the drawing."""

    width: int
    height: int
    smallest: float
    """Radius of the circle of the zone named least; room for its number."""
    largest: float
    letters: int


WIDE = Canvas("zones-wide", 860, 380, 13, 44, 15)
NARROW = Canvas("zones-narrow", 340, 340, 10, 30, 12)


class Circle(NamedTuple):
    """A zone as it is drawn."""

    number: int
    """Of its row in the table."""
    x: float
    y: float
    radius: float


def draw_zones(rows: Sequence[Mapping[str, Any]], *, title: str, description: str, formats: Formats) -> Markup:
    """Draw zones, once for wide and once for narrow pages; the style sheet shows one. Nothing if no row has a point.

    Args:
        rows: position, latitude and longitude (degrees, may be None) and manifestation_count of each zone.
        title: what the drawing is, for those who hear it.
        description: what it shows, in words.
        formats: how numbers are written.
    """
    placed = [row for row in rows if row["latitude"] is not None and row["manifestation_count"]]
    if not placed:
        return Markup()
    return Markup("").join(
        Markup('<div class="chart chart-{}">{}</div>').format(name, _draw(placed, canvas, title, description, formats))
        for name, canvas in (("wide", WIDE), ("narrow", NARROW))
    )


def place_circles(rows: Sequence[Mapping[str, Any]], canvas: Canvas) -> list[Circle]:
    """Return the circles, larger ones first: area grows with the count, points keep their proportions, none touches another.

    Circles that would touch are moved apart along the line between them, those at one point side by side; all stay inside.
    """
    most = max(row["manifestation_count"] for row in rows)
    middle = sum(row["latitude"] for row in rows) / len(rows)
    flat = [(row["longitude"] * cos(radians(middle)), -row["latitude"]) for row in rows]
    left, top = min(x for x, _ in flat), min(y for _, y in flat)
    wide, high = max(x for x, _ in flat) - left, max(y for _, y in flat) - top
    room_x, room_y = canvas.width - 2 * canvas.largest, canvas.height - 2 * canvas.largest
    scale = min(room_x / wide if wide else room_x, room_y / high if high else room_y) if wide or high else 0.0
    circles = [
        Circle(
            row["position"],
            canvas.width / 2 + (x - left - wide / 2) * scale,
            canvas.height / 2 + (y - top - high / 2) * scale,
            max(canvas.smallest, canvas.largest * sqrt(row["manifestation_count"] / most)),
        )
        for row, (x, y) in zip(rows, flat, strict=True)
    ]
    circles.sort(key=lambda circle: (-circle.radius, circle.number))
    for _ in range(ROUNDS):
        circles = _move_apart(circles, canvas)
    return [circle._replace(x=round(circle.x, 1), y=round(circle.y, 1), radius=round(circle.radius, 1)) for circle in circles]


def _move_apart(circles: Sequence[Circle], canvas: Canvas) -> list[Circle]:
    moved = list(circles)
    for one in range(len(moved)):
        for other in range(one + 1, len(moved)):
            a, b = moved[one], moved[other]
            dx, dy = b.x - a.x, b.y - a.y
            distance = sqrt(dx * dx + dy * dy)
            lacking = a.radius + b.radius + GAP - distance
            if lacking <= 0:
                continue
            # Those at one point part in a direction that their numbers give.
            ux, uy = (
                (dx / distance, dy / distance) if distance > 1e-6 else ((1.0, 0.0) if (a.number + b.number) % 2 else (0.0, 1.0))
            )
            moved[one] = a._replace(x=a.x - ux * lacking / 2, y=a.y - uy * lacking / 2)
            moved[other] = b._replace(x=b.x + ux * lacking / 2, y=b.y + uy * lacking / 2)
    return [
        circle._replace(
            x=min(max(circle.x, circle.radius + GAP), canvas.width - circle.radius - GAP),
            y=min(max(circle.y, circle.radius + GAP), canvas.height - circle.radius - GAP),
        )
        for circle in moved
    ]


def _draw(rows: Sequence[Mapping[str, Any]], canvas: Canvas, title: str, description: str, formats: Formats) -> Markup:
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}"'
        ' aria-labelledby="{p}-title" aria-describedby="{p}-desc">'
        '<title id="{p}-title">{title}</title><desc id="{p}-desc">{description}</desc>'
    )
    head = opening.format(w=canvas.width, h=canvas.height, p=canvas.prefix, title=clean(title), description=clean(description))
    circle = Markup(
        '<circle cx="{x}" cy="{y}" r="{r}" fill="#dfe9f0" stroke="#1d4e6f" stroke-width="1.5"/>'
        '<text x="{x}" y="{y}" dy="0.35em" text-anchor="middle" font-size="{size}" font-weight="600" fill="#1c1c1a">'
        "{number}</text>"
    )
    drawn = [
        circle.format(x=c.x, y=c.y, r=c.radius, size=canvas.letters, number=formats.number(c.number))
        for c in place_circles(rows, canvas)
    ]
    return head + Markup("").join(drawn) + Markup("</svg>")
