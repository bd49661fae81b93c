"""An evaluation as files: a page, tables in CSV, and each confusion matrix as picture and as table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import altair as alt
import vl_convert
from babel.numbers import format_decimal
from markupsafe import Markup

from collectors.spool import write_whole
from models.quality.measuring import Measurement
from models.quality.metrics import Figure
from models.settings import FIXED_LABELS
from models.taxonomy import NO_ISSUE, Taxonomy
from pipelines.classify import make_harmless
from pipelines.reports.charts import AXIS_STYLE, VEGA_LITE, Canvas, embed_drawing
from pipelines.reports.formats import Formats, Wording, load_wording
from pipelines.reports.rendering import REPORTS
from pipelines.reports.templates import open_templates

if TYPE_CHECKING:
    from pipelines.evaluate import Evaluation

FOLDER = Path(__file__).parent
LOCALE = "es_PE"

MOST_DRAWN = 24
"""Labels up to which a confusion matrix is drawn; beyond, only the table is written."""

_CELL = 34
_DARK = 0.5
_FONT = 'font-family="system-ui, Segoe UI, Roboto, Noto Sans, Arial, DejaVu Sans, sans-serif"'


@cache
def _wording() -> Wording:
    return load_wording(FOLDER / "wording.yml")


def spellings() -> dict[str, dict[str, str]]:
    """Return task -> label id -> a Spanish wording that labelled files may use beside the taxonomy's own."""
    say = _wording()
    groups = {"intent": "intent", "target": "target", "issue": "issue", "sentiment": "spelling.sentiment"}
    labels = {
        **{task: FIXED_LABELS[task] for task in ("intent", "target")},
        "issue": (NO_ISSUE,),
        "sentiment": ("neg", "neu", "pos"),
    }
    return {task: {label: str(say(f"{group}.{label}")) for label in labels[task]} for task, group in groups.items()}


def write_evaluation(evaluation: Evaluation, taxonomy: Taxonomy, folder: Path) -> list[Path]:
    """Write `evaluation.html`, `evaluation.csv`, `throughput.csv`, and `confusion_<annotator>_<task>` as `.csv` and `.svg`.

    The same labels, annotators and taxonomy give the same bytes, in all files but `throughput.csv`. A matrix of more than
    `MOST_DRAWN` labels that occur has no `.svg`.

    Args:
        evaluation: what was measured.
        taxonomy: the Spanish labels.
        folder: made if it does not exist.

    Returns:
        The files, in the order in which they were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {(one.annotator, one.task): draw_confusion(one, taxonomy) for one in evaluation.measurements}
    content: dict[str, str] = {}
    for one in evaluation.measurements:
        name = f"confusion_{one.annotator}_{one.task}"
        content[f"{name}.csv"] = _to_csv([["truth", *one.figures.labels], *_confusion_rows(one)])
        drawing = drawings[one.annotator, one.task]
        if drawing is not None:
            content[f"{name}.svg"] = f"{str(drawing).replace('<svg ', f'<svg {_FONT} ', 1)}\n"
    content["evaluation.csv"] = _to_csv(_figure_rows(evaluation.measurements))
    speeds = [[name, f"{speed:.1f}"] for name, speed in evaluation.speeds.items()]
    content["throughput.csv"] = _to_csv([["annotator", "messages_per_second"], *speeds])
    content["evaluation.html"] = render_evaluation(evaluation, taxonomy, drawings)
    for name, text in content.items():
        write_whole(folder / name, text.encode("utf-8"))
    return [folder / name for name in content]


def render_evaluation(evaluation: Evaluation, taxonomy: Taxonomy, drawings: Mapping[tuple[str, str], Markup | None]) -> str:
    """Render the page: self-contained, in Spanish, the annotators side by side for each task."""
    environment = open_templates(FOLDER)
    formats = Formats(LOCALE, ZoneInfo("America/Lima"), _wording())
    environment.filters.update(number=formats.number, figure=_write_figure)
    environment.globals.update(say=_wording(), label=lambda task, label: label_of(task, label, taxonomy), drawings=drawings)
    tasks = {
        task: [one for one in evaluation.measurements if one.task == task]
        for task in dict.fromkeys(one.task for one in evaluation.measurements)
    }
    style = Markup((REPORTS / "style.css").read_text(encoding="utf-8"))  # noqa: S704  our own file
    return environment.get_template("page.html.jinja").render(evaluation=evaluation, tasks=tasks, style=style)


def label_of(task: str, label: str, taxonomy: Taxonomy) -> str:
    """Return the Spanish wording of a label; the id itself if nothing names it, as with a label of a foreign model."""
    key = f"{task}.{label}"
    return str(_wording()(key)) if _wording().has(key) else taxonomy.labels_es.get(label, label)


def draw_confusion(one: Measurement, taxonomy: Taxonomy) -> Markup | None:
    """Draw a confusion matrix as inline SVG: a row for each true label, shaded by the share of the row.

    Only labels that occur or were read are drawn; None if they are more than `MOST_DRAWN`.
    """
    shown = [at for at, entry in enumerate(one.figures.classes) if entry.rows or entry.read]
    if len(shown) > MOST_DRAWN:
        return None
    names = {at: label_of(one.task, one.figures.labels[at], taxonomy) for at in shown}
    side, margin = _CELL * len(shown), 30 + 7 * max(len(name) for name in names.values())
    canvas = Canvas(f"confusion-{one.annotator}-{one.task}", side, side, len(shown), margin, margin, 16, 16)
    chart = alt.layer(*_confusion_layers(one, shown, names)).properties(
        width=side,
        height=side,
        padding={"left": canvas.left, "top": canvas.top, "right": canvas.right, "bottom": canvas.bottom},
        autosize=alt.AutoSizeParams(type="none"),
        background="transparent",
    )
    drawn = vl_convert.vegalite_to_svg(chart.configure_view(stroke=None).to_dict(), vl_version=VEGA_LITE)
    title = f"{one.annotator}: {_wording()(f'task.{one.task}')}"
    return embed_drawing(drawn, canvas, title, str(_wording()("drawing")))


def _confusion_layers(one: Measurement, shown: Sequence[int], names: Mapping[int, str]) -> Iterator[alt.Chart]:
    values = []
    for row in shown:
        total = sum(one.figures.confusion[row])
        for column in shown:
            count = one.figures.confusion[row][column]
            values.append({"row": row, "column": column, "count": count, "share": count / total if total else 0.0})
    spelled = {str(at): name for at, name in names.items()}
    axis: dict[str, Any] = {
        **AXIS_STYLE,
        "domain": False,
        "labelLimit": 0,
        "labelExpr": f"{json.dumps(spelled, ensure_ascii=False)}[datum.value]",
    }
    y = alt.Y("row:O", sort=list(shown), axis=alt.Axis(**axis), scale=alt.Scale(padding=0.04))
    x = alt.X("column:O", sort=list(shown), axis=alt.Axis(**axis, orient="top", labelAngle=-90), scale=alt.Scale(padding=0.04))
    shade = alt.Color("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=["#f5f2ea", "#1d4e6f"]))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    yield base.mark_rect(aria=False).encode(color=shade)
    counts = base.transform_filter("datum.count > 0").mark_text(fontSize=11, aria=False)
    ink = alt.condition(f"datum.share > {_DARK}", alt.value("#ffffff"), alt.value("#1c1c1a"))
    yield counts.encode(text=alt.Text("count:Q"), color=ink)


def _confusion_rows(one: Measurement) -> Iterator[list[Any]]:
    for label, counts in zip(one.figures.labels, one.figures.confusion, strict=True):
        yield [label, *counts]


def _figure_rows(measurements: Sequence[Measurement]) -> Iterator[list[Any]]:
    """Yield one row for each figure; `part` is all, `class <label>` or `variety <name>`."""
    yield ["set", "set_digest", "task", "annotator", "revision", "part", "rows", "metric", "value", "low", "high"]
    for one in measurements:
        identity = [one.set, one.digest, one.task, one.annotator, one.revision]
        for name, figure in one.figures.figures.items():
            yield [*identity, "all", one.figures.rows, name, *_rounded(figure)]
        for entry in one.figures.classes:
            for name, found in (("precision", entry.precision), ("recall", entry.recall), ("f1", entry.f1)):
                if found is not None:
                    yield [*identity, f"class {entry.label}", entry.rows, name, *_rounded(found)]
        for variety, figures in one.varieties.items():
            for name, figure in figures.figures.items():
                yield [*identity, f"variety {variety}", figures.rows, name, *_rounded(figure)]


def _rounded(figure: Figure) -> list[str]:
    return [f"{value:.4f}" for value in figure]


def _to_csv(rows: Sequence[Sequence[Any]] | Iterator[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([make_harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def _write_figure(figure: Figure | None) -> str:
    """Write a figure with its interval in Spanish of Peru: 0.712 (0.67 a 0.75); "–" if it is undefined."""
    if figure is None:
        return "–"
    value, low, high = (format_decimal(part, "0.000" if at == 0 else "0.00", locale=LOCALE) for at, part in enumerate(figure))
    return f"{value} ({low} a {high})"
