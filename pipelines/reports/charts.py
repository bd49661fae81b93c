"""Charts as inline SVG, the same bytes on every machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from pipelines.reports.formats import Formats, Reserved, clean

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
"""The grammar that the installed Altair writes, as the converter names it: 6.1."""

PARTS = ("neg", "neu", "pos")
"""Sentiments from the base of a bar upwards."""

RESERVED_PART = "reserved"
"""What a bar has of sentiments that are not told."""

COLOURS = {"neg": "#8f2d1c", "neu": "#d8d3c4", "pos": "#3f948b", RESERVED_PART: "#a6a6a0"}
"""Apart in lightness as well as in hue, so that they stay apart in grey print and for colour-blind readers."""

INK, RULE = "#5a5a55", "#dedacf"

AXIS_STYLE: dict[str, Any] = {
    "title": None,
    "aria": False,
    "ticks": False,
    "labelColor": INK,
    "labelFontSize": 12,
    "labelPadding": 6,
    "labelOverlap": False,
}

_NOTES = re.compile(r' (?:role|aria-[a-z]+|class|pointer-events)="[^"]*"')
_ID = re.compile(r'(\bid="|url\(#|href="#)')
_FONT = re.compile(r' font-family="[^"]*"')


@dataclass(frozen=True)
class Canvas:
    """The measures of one drawing in pixels; fixed, since measuring text would differ with a machine's fonts."""

    prefix: str
    """Begins every id of the drawing: ids are unique in a page, not in a drawing."""

    width: int
    height: int
    label_count: int
    """The most labels that fit under the x axis."""

    left: int = 40
    top: int = 22
    right: int = 4
    bottom: int = 38


WIDE = Canvas("days-wide", 860, 220, 32)
NARROW = Canvas("days-narrow", 318, 190, 8, left=34)


def draw_days(rows: Sequence[Mapping[str, Any]], *, title: str, description: str, formats: Formats) -> Markup:
    """Draw the days of a window as stacked bars, once for wide and once for narrow pages; the style sheet shows one.

    Args:
        rows: one per day in order, at least one: day, manifestation_count, and neg_count, neu_count, pos_count.
        title: what the drawing is, for those who hear it.
        description: what it shows, in a sentence.
        formats: how numbers and days are written.
    """
    return Markup("").join(
        Markup('<div class="chart chart-{}">{}</div>').format(name, _draw(rows, canvas, title, description, formats))
        for name, canvas in (("wide", WIDE), ("narrow", NARROW))
    )


def axis_ticks(most: int) -> list[int]:
    """Return at most six round values from 0 to at least `most` (a count)."""
    step = 1
    while step * 5 < most:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return [step * position for position in range(-(-max(most, 1) // step) + 1)]


def _draw(rows: Sequence[Mapping[str, Any]], canvas: Canvas, title: str, description: str, formats: Formats) -> Markup:
    ticks = axis_ticks(max((row["manifestation_count"] for row in rows), default=0))
    layers = [_bars(rows, canvas, ticks, formats), _peak(rows, formats)]
    chart = alt.layer(*layers).properties(
        width=canvas.width,
        height=canvas.height,
        padding={"left": canvas.left, "top": canvas.top, "right": canvas.right, "bottom": canvas.bottom},
        autosize=alt.AutoSizeParams(type="none"),
        background="transparent",
    )
    drawn = vl_convert.vegalite_to_svg(chart.configure_view(stroke=None).to_dict(), vl_version=VEGA_LITE)
    return embed_drawing(drawn, canvas, title, description)


def _bars(rows: Sequence[Mapping[str, Any]], canvas: Canvas, ticks: list[int], formats: Formats) -> alt.Chart:
    untold = any(isinstance(row[f"{part}_count"], Reserved) for row in rows for part in PARTS)
    parts = (*PARTS, RESERVED_PART) if untold else PARTS
    values = [
        {"position": position, "part": part, "order": order, "count": count}
        for position, row in enumerate(rows)
        for order, (part, count) in enumerate(_stack(row, parts).items())
    ]
    shown = list(range(0, len(rows), max(1, -(-len(rows) // canvas.label_count))))
    days = _axis(_day_labels([row["day"] for row in rows], shown, formats), domainColor=INK, labelAngle=0)
    counts = _axis({tick: [formats.number(tick)] for tick in ticks}, domain=False, gridColor=RULE)
    bars: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(aria=False)
        .encode(
            x=alt.X("position:O", axis=days, scale=alt.Scale(paddingInner=0.18, paddingOuter=0.05)),
            y=alt.Y("count:Q", axis=counts, stack="zero", scale=alt.Scale(domain=[0, ticks[-1]], nice=False)),
            color=alt.Color("part:N", legend=None, scale=alt.Scale(domain=list(parts), range=[COLOURS[part] for part in parts])),
            order=alt.Order("order:O"),
        )
    )
    return bars


def _stack(row: Mapping[str, Any], parts: Sequence[str]) -> dict[str, int]:
    """Return the heights of one bar by part; what is not told is one grey part, which makes up the day's total."""
    told = {part: 0 if isinstance(row[f"{part}_count"], Reserved) else row[f"{part}_count"] for part in PARTS}
    return told | {part: row["manifestation_count"] - sum(told.values()) for part in parts if part == RESERVED_PART}


def _axis(labels: Mapping[int, list[str]], **style: Any) -> alt.Axis:
    """Return an axis with these labels (value -> lines) and no other; a chart library's own would not be Spanish."""
    common = AXIS_STYLE | style
    spelled = json.dumps({str(value): lines for value, lines in labels.items()}, ensure_ascii=False)
    return alt.Axis(values=list(labels), labelExpr=f"{spelled}[datum.value]", **common)


def _peak(rows: Sequence[Mapping[str, Any]], formats: Formats) -> alt.Chart:
    """Write the count over the fullest day, the first of them if several are."""
    fullest = max(range(len(rows)), key=lambda position: rows[position]["manifestation_count"])
    most = rows[fullest]["manifestation_count"]
    values = [{"position": fullest, "count": most, "text": formats.number(most)}]
    mark = alt.Chart(alt.InlineData(values=values)).mark_text(dy=-8, fontSize=13, fontWeight="bold", color="#1c1c1a", aria=False)
    peak: alt.Chart = mark.encode(x=alt.X("position:O"), y=alt.Y("count:Q"), text=alt.Text("text:N"))
    return peak


def _day_labels(days: Sequence[date], shown: Sequence[int], formats: Formats) -> dict[int, list[str]]:
    """Return position -> lines of its label: the day, and under it the month where one begins."""
    labels: dict[int, list[str]] = {}
    month = None
    for position in shown:
        day = days[position]
        labels[position] = [str(day.day)] if day.month == month else [str(day.day), formats.short_month(day)]
        month = day.month
    return labels


def embed_drawing(drawn: str, canvas: Canvas, title: str, description: str) -> Markup:
    """Give a drawing its name, the page's font, ids of its own, and a size that follows the page."""
    inner = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    inner = _ID.sub(rf"\g<1>{canvas.prefix}-", _FONT.sub("", _NOTES.sub("", inner)))
    width, height = canvas.width + canvas.left + canvas.right, canvas.height + canvas.top + canvas.bottom
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}"'
        ' aria-labelledby="{p}-title" aria-describedby="{p}-desc">'
        '<title id="{p}-title">{title}</title><desc id="{p}-desc">{description}</desc>'
    )
    head = opening.format(w=width, h=height, p=canvas.prefix, title=clean(title), description=clean(description))
    return head + Markup(inner) + Markup("</svg>")  # noqa: S704  drawn by the chart library, which escapes its labels
