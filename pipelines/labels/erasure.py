"""What goes from `data/labels`: texts that are kept no longer, out of every file there, whoever put it there.

A workbook of ours is written anew from what is kept, with the answers that people gave. Any other file in the folder of a city
goes whole if the code of such a message stands in it, or if it cannot be read: what cannot be judged may hold the text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from collectors.catalog import City
from collectors.spool import write_whole
from pipelines.labels.exporting import WORDING, load_said, note_labels, render_lines
from pipelines.labels.filled import Answer, Filled, read_workbook
from pipelines.labels.samples import FINAL, LabelError, Message, Sample, load_messages, load_samples, query_labels
from pipelines.labels.workbook import ANSWERS, Line
from pipelines.project import Project
from pipelines.reports.formats import Wording, load_wording
from pipelines.warehouse import Warehouse

_CODE = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


@dataclass(frozen=True)
class LabelErasure:
    """One cleaning of the workbooks of a city."""

    warehouse: Warehouse
    project: Project
    city: City
    samples: Mapping[str, Sample]
    gone: Mapping[str, bool]
    """Manifestation id -> whether it goes whole, of those whose text goes or went."""

    wording: Wording
    dry_run: bool

    def clean_file(self, path: Path) -> bool:
        """Rewrite or remove a file if it holds a text that is kept no longer; tell whether it does."""
        try:
            filled = read_workbook(path, self.wording)
        except LabelError:
            return self._remove_if(path, _may_hold(path, self.gone))
        sample = self.samples.get(filled.sample_id)
        if sample is None:
            return self._remove_if(path, any(answer.manifestation_id in self.gone for answer in filled.answers))
        messages = {message.manifestation_id: message for message in load_messages(self.warehouse, sample)}
        if not any(self._must_go(answer, messages) for answer in filled.answers):
            return False
        if not self.dry_run:
            self._rewrite(path, filled, sample, messages)
        return True

    def _must_go(self, answer: Answer, messages: Mapping[str, Message]) -> bool:
        """Tell whether a row, or its text, goes; what was taken out of the sample earlier may come back with a copy."""
        if answer.manifestation_id not in messages:
            return True
        whole = self.gone.get(answer.manifestation_id)
        return whole is not None and (whole or answer.text != self.wording("workbook.erased"))

    def _rewrite(self, path: Path, filled: Filled, sample: Sample, messages: Mapping[str, Message]) -> None:
        noted = (
            note_labels(self.project, self.city, sample, load_said(self.warehouse, sample)) if filled.labeller == FINAL else {}
        )
        lines = [
            Line(
                messages[answer.manifestation_id].position,
                answer.manifestation_id,
                None if answer.manifestation_id in self.gone else messages[answer.manifestation_id].text,
                {key: getattr(answer, key) for key in ANSWERS},
                noted.get(answer.manifestation_id, ""),
            )
            for answer in filled.answers
            if answer.manifestation_id in messages and not self.gone.get(answer.manifestation_id, False)
        ]
        write_whole(path, render_lines(self.project, self.city, sample, filled.labeller, lines))

    def _remove_if(self, path: Path, goes: bool) -> bool:
        if goes and not self.dry_run:
            path.unlink()
        return goes


def clean_label_files(warehouse: Warehouse, project: Project, city: City, *, dry_run: bool = False) -> int:
    """Take the texts that are kept no longer out of the files in `data/labels/CITY`; return how many files held some.

    Args:
        warehouse: with the temporary tables due_item and excluded_item, which say what goes now.
        project: whose files.
        city: whose messages.
        dry_run: only count.

    Raises:
        ProjectError: if a workbook has to be written anew and the taxonomy of its sample is not to be found.
    """
    folder = project.labels / city.id
    if not folder.is_dir():
        return 0
    stored = query_labels(warehouse, "stored_messages", {"city": city.id})
    gone = {identity: excluded for identity, textless, excluded in stored if textless or excluded}
    samples = {sample.sample_id: sample for sample in load_samples(warehouse, city.id)}
    erasure = LabelErasure(warehouse, project, city, samples, gone, load_wording(WORDING), dry_run)
    return sum(erasure.clean_file(path) for path in sorted(folder.rglob("*")) if path.is_file())


def _may_hold(path: Path, gone: Mapping[str, bool]) -> bool:
    """Tell whether the code of a message that goes stands in a file, or may stand there because it cannot be read."""
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
        except CalamineError:
            return bool(gone)
        text = "\n".join(str(cell) for sheet in sheets for row in sheet for cell in row)
    return any(code in gone for code in _CODE.findall(text))
