"""Status: the samples of a city, how much of each is labelled, how far people agree, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from collectors.catalog import City
from pipelines.labels.exporting import Said, differences, label_folder, load_said
from pipelines.labels.samples import FINAL, LABELLERS, Sample, load_messages, load_samples
from pipelines.project import Project
from pipelines.reports.agreement import TASKS, Agreement, Labelled, agreement_seed, measure_agreement, pair_labels
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class SampleStatus:
    """How far the labelling of a sample has come."""

    sample: Sample
    window: str
    """First and last day."""

    labelled: Mapping[str, int]
    """Labeller -> messages labelled."""

    missing: Mapping[str, int]
    """Labeller -> messages given to them and not labelled; only for samples that were drawn here."""

    erased_count: int
    """Messages whose text is stored no longer: those that nobody had labelled cannot be any more."""

    difference_count: int
    """Messages on which two people differ and which nobody has settled."""

    agreement: Mapping[str, Agreement]
    """Task -> agreement."""

    workbooks: tuple[str, ...]
    """Files of the sample in the window's folder."""

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def city_status(warehouse: Warehouse, project: Project, city: City) -> list[SampleStatus]:
    """Return how far the labelling of each sample of a city has come, in the order of their windows."""
    return [sample_status(warehouse, project, city, sample) for sample in load_samples(warehouse, city.id)]


def sample_status(warehouse: Warehouse, project: Project, city: City, sample: Sample) -> SampleStatus:
    """Return how far the labelling of one sample has come."""
    said = load_said(warehouse, sample)
    messages = load_messages(warehouse, sample)
    labelled = Counter(labeller for people in said.values() for labeller in people)
    expected = Counter(
        labeller
        for message in messages
        for labeller in sample.labellers_of(message.position)
        if sample.seed is not None and message.text is not None and labeller not in said.get(message.manifestation_id, {})
    )
    folder = label_folder(project, city, sample)
    return SampleStatus(
        sample=sample,
        window=sample.period(city).slug(),
        labelled={labeller: labelled[labeller] for labeller in sorted({*labelled, *LABELLERS} - {FINAL})}
        | ({FINAL: labelled[FINAL]} if labelled[FINAL] else {}),
        missing=dict(sorted(expected.items())),
        erased_count=sum(message.text is None for message in messages),
        difference_count=len(differences(said)),
        agreement=measure_sample(sample, said),
        workbooks=tuple(path.name for path in sorted(folder.glob(f"*{sample.sample_id}*"))),
    )


def measure_sample(sample: Sample, said: Said) -> dict[str, Agreement]:
    """Measure the agreement on each task of a sample."""
    labels = [
        Labelled(message, task, labeller, label)
        for message, people in said.items()
        for labeller, tasks in people.items()
        for task, label in tasks.items()
    ]
    seed = agreement_seed([sample.sample_id])
    return {task: measure_agreement(pair_labels(labels, task), seed=seed) for task in TASKS}
