"""Importing: filled workbooks, or a CSV of labels from elsewhere, checked whole and appended; nothing if a cell is wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from collectors.catalog import City
from collectors.period import Period
from models.preprocessing import fold
from models.taxonomy import NO_ISSUE
from pipelines.digests import value_digest
from pipelines.labels.checking import Given, check_answers, quote, spell_labels
from pipelines.labels.drawing import ONE_STRATUM, Drawable, Drawn
from pipelines.labels.exporting import WORDING, sample_taxonomy
from pipelines.labels.filled import Answer, Filled, read_csv, read_workbook
from pipelines.labels.samples import (
    FINAL,
    SAMPLE_ID_LENGTH,
    LabelError,
    Message,
    Sample,
    load_messages,
    load_samples,
    query_labels,
    stage_counted,
    store_sample,
)
from pipelines.labels.workbook import shown_text
from pipelines.project import Project
from pipelines.reports.formats import Wording, load_wording
from pipelines.runs import Readers, record_run
from pipelines.staging import Build
from pipelines.taxonomies import load_city_taxonomy
from pipelines.warehouse import Warehouse

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SHOWN = 5
"""Missing messages, or rows with another text, that an error names: a sorted column moves them all."""


@dataclass(frozen=True)
class Imported:
    """What an import added to a sample."""

    sample: Sample
    message_count: int
    """Messages labelled in the files, each once for each labeller."""

    added_count: int
    """Labels that were not there, or correct an earlier one."""


@dataclass(frozen=True)
class Outside:
    """The window that a CSV of labels is about, which it does not tell itself."""

    period: Period
    channel: str
    readers: Callable[[], Readers]


class _Planned(NamedTuple):
    """A sample that a CSV tells of and that the warehouse has not."""

    build: Build
    sample_id: str
    channel: str
    drawn: Sequence[Drawn]
    population_count: int


def import_labels(
    warehouse: Warehouse,
    project: Project,
    city: City,
    paths: Sequence[Path],
    *,
    outside: Outside | None = None,
    allow_partial: bool = False,
) -> list[Imported]:
    """Check every cell of the files together, then append the labels that are not there yet.

    Args:
        warehouse: open for writing.
        project: whose city it is.
        city: whose samples.
        paths: workbooks of `label export`, filled in; or CSV files, each a simple random sample drawn elsewhere.
        outside: the window of the CSV files.
        allow_partial: rows that nobody has labelled yet are passed over.

    Raises:
        LabelError: with every mistake by file, sheet, row and column; nothing is written then.
    """
    tables = [path for path in paths if path.suffix.casefold() == ".csv"]
    if tables and outside is None:
        raise LabelError(f"{tables[0].name}: a CSV does not tell its window: give --from, and --to and --channel where needed")
    mistakes: list[str] = []
    filled = _collect_mistakes([path for path in paths if path not in tables], _open_workbook, mistakes)
    rows = _collect_mistakes(tables, read_csv, mistakes)
    ready: list[tuple[Sample | _Planned, list[Given]]] = [
        *_check_workbooks(warehouse, project, city, filled, mistakes, allow_partial=allow_partial),
        *(_check_table(warehouse, project, city, answers, outside, mistakes) for answers in rows if outside),
    ]
    if mistakes:
        raise LabelError("\n".join(mistakes))
    stored = [(target if isinstance(target, Sample) else _store_planned(warehouse, target), given) for target, given in ready]
    return [_append(warehouse, project, city, sample, given) for sample, given in stored]


def _open_workbook(path: Path) -> Filled:
    return read_workbook(path, load_wording(WORDING))


def _collect_mistakes(paths: Sequence[Path], read: Callable[[Path], Any], mistakes: list[str]) -> list[Any]:
    found = []
    for path in paths:
        try:
            found.append(read(path))
        except LabelError as error:
            mistakes.append(str(error))
    return found


def _check_workbooks(
    warehouse: Warehouse, project: Project, city: City, filled: Sequence[Filled], mistakes: list[str], *, allow_partial: bool
) -> list[tuple[Sample | _Planned, list[Given]]]:
    known = {sample.sample_id: sample for sample in load_samples(warehouse, city.id)}
    by_sample: dict[str, list[Filled]] = defaultdict(list)
    for file in filled:
        if file.city != city.id or file.sample_id not in known:
            available = ", ".join(known) or "none"
            mistakes.append(f"{file.name}: holds sample {file.sample_id} of {file.city}; {city.id} has the samples: {available}")
        else:
            by_sample[file.sample_id].append(file)
    return [
        (known[sample_id], _check_sample(warehouse, project, known[sample_id], files, mistakes, allow_partial=allow_partial))
        for sample_id, files in by_sample.items()
    ]


def _check_sample(
    warehouse: Warehouse, project: Project, sample: Sample, files: Sequence[Filled], mistakes: list[str], *, allow_partial: bool
) -> list[Given]:
    messages = load_messages(warehouse, sample)
    positions = {message.manifestation_id: message.position for message in messages}
    erased = {message.manifestation_id for message in messages if message.text is None}
    spellings = spell_labels(sample_taxonomy(project, sample), load_wording(WORDING))
    answers = [answer for file in files for answer in file.answers]
    given, found = check_answers(answers, spellings, allow_partial=allow_partial, erased=erased)
    mistakes += found
    for answer in answers:
        if not answer.manifestation_id:
            continue  # told already
        if answer.manifestation_id not in positions:
            mistakes.append(
                f"{answer.at('code')}: {quote(answer.manifestation_id)} is no message of sample {sample.sample_id}; "
                "codes may not be changed, and the row of a message that was taken out since has to go"
            )
        elif answer.labeller != FINAL and answer.labeller not in sample.labellers_of(positions[answer.manifestation_id]):
            mistakes.append(f"{answer.at('code')}: {answer.manifestation_id} was not given to labeller {answer.labeller}")
    stored = {message.manifestation_id: message for message in messages}
    say = load_wording(WORDING)
    for file in files:
        mistakes += _moved_rows(file, stored, say)
        if not allow_partial:
            mistakes += _missing_rows(file, sample, positions, erased)
    return given


def _moved_rows(file: Filled, stored: Mapping[str, Message], say: Wording) -> list[str]:
    """Return a line for each row whose message is not the one of its code: what was chosen there is about another one."""
    moved = [
        f"{answer.at('text')}: {quote(answer.text)} is not the message of the code in that row, {answer.manifestation_id}; "
        "messages and codes may not be changed or sorted apart: fill in the workbook as it was exported"
        for answer in file.answers
        if answer.manifestation_id in stored and not _has_text(answer, stored[answer.manifestation_id], say)
    ]
    more = [f"{file.name}: {len(moved) - _SHOWN} more rows hold another message than that of their code"]
    return moved[:_SHOWN] + (more if len(moved) > _SHOWN else [])


def _has_text(answer: Answer, message: Message, say: Wording) -> bool:
    """Tell whether a row holds the text of a message as the workbook writes it; nothing is known of one that was erased.

    Folded, because other programs that save a workbook write spaces and line ends in their own way.
    """
    if message.text is None or answer.text == str(say("workbook.erased")):
        return True
    shown = shown_text(message.text, message.position, lambda key, **values: str(say(f"workbook.{key}", **values).unescape()))
    return _comparable(answer.text) == _comparable(shown)


def _comparable(text: str) -> str:
    """Return a text folded, with the signs that `_x0041_` stands for in XLSX: not every program leaves such words alone."""
    return fold(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def _missing_rows(file: Filled, sample: Sample, positions: Mapping[str, int], erased: Collection[str]) -> list[str]:
    """Return a line if rows of a labeller's workbook are gone; a third person's holds what they were asked."""
    if file.labeller == FINAL:
        return []
    present = {answer.manifestation_id for answer in file.answers}
    expected = {
        identity: position
        for identity, position in positions.items()
        if file.labeller in sample.labellers_of(position) and identity not in erased
    }
    missing = [f"N.º {position} ({identity})" for identity, position in expected.items() if identity not in present]
    if not missing:
        return []
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return [f"{file.name}: rows of the sample are missing: {', '.join(missing[:_SHOWN])}{more}"]


def _check_table(
    warehouse: Warehouse, project: Project, city: City, answers: Sequence[Answer], outside: Outside, mistakes: list[str]
) -> tuple[Sample | _Planned, list[Given]]:
    """Check a CSV; its sample is one for each set of messages of a window, drawn among all that count alike."""
    wanted = list(dict.fromkeys(answer.manifestation_id for answer in answers))
    period, channel = outside.period, outside.channel
    window = [city.id, channel, period.start_utc.isoformat(), period.end_utc.isoformat()]
    sample_id = value_digest(["table", *window, sorted(wanted)])[:SAMPLE_ID_LENGTH]
    known = {sample.sample_id: sample for sample in load_samples(warehouse, city.id)}
    taxonomy = sample_taxonomy(project, known[sample_id]) if sample_id in known else load_city_taxonomy(project, city.id)
    given, found = check_answers(answers, spell_labels(taxonomy, load_wording(WORDING)), allow_partial=False)
    mistakes += found
    if sample_id in known:
        return known[sample_id], given
    build = stage_counted(warehouse, project, city, period, outside.readers())
    counted = {row[0]: Drawable(*row) for row in query_labels(warehouse, "counted", {"channel": channel})}
    mistakes += [
        f"{answer.at('code')}: {quote(answer.manifestation_id)} is no message that counts in {period}, channel {channel}"
        for answer in answers
        if answer.manifestation_id and answer.manifestation_id not in counted
    ]
    drawn = [Drawn(counted[key], ONE_STRATUM, len(counted), len(wanted)) for key in wanted if key in counted]
    return _Planned(build, sample_id, channel, drawn, len(counted)), given


def _store_planned(warehouse: Warehouse, planned: _Planned) -> Sample:
    described = {"design": "simple", "seed": None, "population_count": planned.population_count, "double_count": None}
    return store_sample(warehouse, planned.build, planned.sample_id, planned.channel, planned.drawn, described)


def _append(warehouse: Warehouse, project: Project, city: City, sample: Sample, given: Sequence[Given]) -> Imported:
    """Append the labels that are not the ones that hold already, under the next import number of the sample."""
    parameters = {"sample_id": sample.sample_id}
    holding = {tuple(row[:3]): row[3] for row in query_labels(warehouse, "current_labels", parameters)}
    rows = [
        (message, task, labeller, label)
        for message, labeller, *labels in given
        for task, label in _labels_of(message, labeller, labels, holding)
        if holding.get((message, task, labeller)) != label
    ]
    if rows:
        _store(warehouse, project, city, sample, rows)
    return Imported(sample, len(given), len(rows))


def _labels_of(message: str, labeller: str, labels: Sequence[str | None], holding: Mapping[Any, str]) -> list[tuple[str, str]]:
    """Return (task, label); an issue that was emptied since takes back the one that was given."""
    category, issue, sentiment = labels
    if issue is None and (message, "issue", labeller) in holding:
        issue = NO_ISSUE
    named = (("category", category), ("issue", issue), ("sentiment", sentiment))
    return [(task, label) for task, label in named if label is not None]


def _store(warehouse: Warehouse, project: Project, city: City, sample: Sample, rows: Sequence[tuple[str, str, str, str]]) -> None:
    parameters = {"sample_id": sample.sample_id}
    versions = dict(
        warehouse.query("select manifestation_id, version from label_sample_item where sample_id = $sample_id", parameters)
    )
    ((last,),) = warehouse.query("select coalesce(max(import_number), 0) from label where sample_id = $sample_id", parameters)
    with record_run(warehouse, project, city, "label", sample.period(city)) as run, warehouse.transaction():
        warehouse.append(
            "label",
            [
                {
                    "city": city.id,
                    "sample_id": sample.sample_id,
                    "manifestation_id": message,
                    "version": versions[message],
                    "task": task,
                    "label": label,
                    "labeller": labeller,
                    "run_id": run.run_id,
                    "import_number": last + 1,
                }
                for message, task, labeller, label in rows
            ],
        )
