"""Exporting: the workbooks of a sample, one for each labeller, and one of what they differ on for a third person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.catalog import City
from collectors.spool import write_whole
from models.taxonomy import Taxonomy
from pipelines.labels.samples import FINAL, LABELLERS, LabelError, Message, Sample, load_messages, query_labels
from pipelines.labels.workbook import Line, Workbook, render_workbook
from pipelines.project import Project
from pipelines.reports.formats import Formats, load_wording
from pipelines.staging import REPORTS
from pipelines.taxonomies import find_taxonomy
from pipelines.warehouse import Warehouse

WORDING = REPORTS / "wording" / "es"


@dataclass(frozen=True)
class Exported:
    """The workbooks of a sample."""

    sample: Sample
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    """Those that stood there already: somebody may have begun to fill them in."""


def city_formats(city: City) -> Formats:
    """Return how the city writes, with the Spanish wording."""
    return Formats(city.locale, city.zone, load_wording(WORDING))


def sample_taxonomy(project: Project, sample: Sample) -> Taxonomy:
    """Return the taxonomy whose categories the labels of a sample name.

    Raises:
        ProjectError: if it is not to be found; the message says where to put it.
    """
    return find_taxonomy(project, sample.city, sample.taxonomy_version, ()).taxonomy


def label_folder(project: Project, city: City, sample: Sample) -> Path:
    """Return the folder of the workbooks of a sample's window."""
    return project.labels / city.id / sample.period(city).slug()


def workbook_name(sample_id: str, labeller: str) -> str:
    """Return the file name of a labeller's workbook."""
    return f"etiquetas-{sample_id}-{labeller}.xlsx"


def export_workbooks(warehouse: Warehouse, project: Project, city: City, sample: Sample) -> Exported:
    """Write a workbook for each labeller of a sample; one that stands there already is left as it is.

    Raises:
        ProjectError: if the sample's taxonomy is not to be found.
    """
    messages = load_messages(warehouse, sample)
    lines = {
        labeller: [
            _line(message)
            for message in messages
            if message.text is not None and labeller in sample.labellers_of(message.position)
        ]
        for labeller in LABELLERS
    }
    return _write(project, city, sample, {labeller: own for labeller, own in lines.items() if own})


def export_differences(warehouse: Warehouse, project: Project, city: City, sample: Sample) -> Exported:
    """Write the workbook of the messages on which two people differ and which nobody has settled; nothing if there are none.

    Raises:
        LabelError: if two people have labelled no message of the sample yet.
        ProjectError: if the sample's taxonomy is not to be found.
    """
    said = load_said(warehouse, sample)
    if not any(len(people - {FINAL}) > 1 for people in (by.keys() for by in said.values())):
        raise LabelError(f"sample {sample.sample_id}: no message has the labels of two people yet; import their workbooks first")
    noted, differing = note_labels(project, city, sample, said), set(differences(said))
    lines = [
        _line(message)._replace(said=noted[message.manifestation_id])
        for message in load_messages(warehouse, sample)
        if message.manifestation_id in differing and message.text is not None
    ]
    return _write(project, city, sample, {FINAL: lines} if lines else {})


Said = dict[str, dict[str, dict[str, str]]]
"""Manifestation id -> labeller -> task -> label."""


def load_said(warehouse: Warehouse, sample: Sample) -> Said:
    """Load the labels that hold of a sample."""
    said: Said = defaultdict(lambda: defaultdict(dict))
    for message, task, labeller, label in query_labels(warehouse, "current_labels", {"sample_id": sample.sample_id}):
        said[message][labeller][task] = label
    return said


def differences(said: Said) -> list[str]:
    """Return the messages on whose category or tone two people differ and which no third has settled, in their order."""
    found = []
    for message, people in sorted(said.items()):
        given = [(labels.get("category"), labels.get("sentiment")) for labeller, labels in people.items() if labeller != FINAL]
        if FINAL not in people and len(set(given)) > 1:
            found.append(message)
    return found


def note_labels(project: Project, city: City, sample: Sample, said: Said) -> dict[str, str]:
    """Return of each message what two people noted, a line each, in an order that does not tell who noted what.

    Raises:
        ProjectError: if the sample's taxonomy is not to be found.
    """
    taxonomy, say = sample_taxonomy(project, sample), city_formats(city).say
    return {
        message: "\n".join(
            sorted(
                str(
                    say(
                        "workbook.said_one",
                        category=taxonomy.label_es(labels["category"]),
                        sentiment=str(say(f"workbook.sentiment.{labels['sentiment']}")),
                    ).unescape()
                )
                for labeller, labels in people.items()
                if labeller != FINAL
            )
        )
        for message, people in said.items()
    }


def _line(message: Message) -> Line:
    return Line(message.position, message.manifestation_id, message.text)


def _about(city: City, sample: Sample, labeller: str, taxonomy: Taxonomy, formats: Formats) -> Workbook:
    window = formats.window(sample.period(city))
    return Workbook(city.id, city.name, sample.sample_id, labeller, window, taxonomy, formats)


def render_lines(project: Project, city: City, sample: Sample, labeller: str, lines: Sequence[Line]) -> bytes:
    """Return a labeller's workbook with these lines.

    Raises:
        ProjectError: if the sample's taxonomy is not to be found.
    """
    return render_workbook(_about(city, sample, labeller, sample_taxonomy(project, sample), city_formats(city)), lines)


def _write(project: Project, city: City, sample: Sample, lines: dict[str, list[Line]]) -> Exported:
    folder = label_folder(project, city, sample)
    written, kept = [], []
    for labeller, own in lines.items():
        path = folder / workbook_name(sample.sample_id, labeller)
        if path.exists():
            kept.append(path)
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, render_lines(project, city, sample, labeller, own))
        written.append(path)
    return Exported(sample, tuple(written), tuple(kept))
