"""Which annotator serves which task (`models.yml`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.annotator import ANNOTATORS, Annotator, load_annotator
from models.configuration import ConfigurationError, Problem, load_configuration
from models.taxonomy import NO_ISSUE, Taxonomy, load_taxonomy

MODELS_FILE = Path(__file__).with_name("models.yml")
"""The choice that ships with the package."""

TaskName = Literal[
    "category", "issue", "sentiment", "intent", "target", "emotion", "irony", "hate_speech", "language", "screening"
]
"""Everything that an annotator can be asked to read."""

FIXED_LABELS: Mapping[str, tuple[str, ...]] = {
    "intent": ("complaint", "request", "proposal", "question", "praise", "information"),
    "target": ("municipality", "other_institution", "service_provider", "people", "event", "none"),
    "emotion": ("joy", "sadness", "anger", "surprise", "disgust", "fear", "others"),
    "irony": ("ironic", "not_ironic"),
    "hate_speech": ("hateful", "not_hateful"),
    "language": ("es", "qu", "ay", "en", "pt", "other", "unknown"),
    "screening": ("ok", "spam", "test"),
}
"""Task -> labels in order, for the tasks whose labels no taxonomy changes."""

Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
"""The commit of a model on its hub, 40 hexadecimal digits: a branch name may mean other weights tomorrow."""

SCORE_DIGITS = 3
"""Digits after the point of a score that is shown."""

SettingName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

LemmasName = Literal["simplemma", "es_core_news_sm", "es_core_news_md", "es_core_news_lg"]
"""simplemma comes with the package; the others are spaCy models under GPL-3.0, which only the user can install."""


def task_labels(task: TaskName, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return all labels of a task, in the order in which every annotator lists them."""
    return {
        "category": taxonomy.category_ids,
        "issue": (*taxonomy.issue_ids, NO_ISSUE),
        "sentiment": taxonomy.sentiment_ids,
        **FIXED_LABELS,
    }[task]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class PysentimientoOptions(_Closed):
    """A model of the pysentimiento toolkit."""

    backend: Literal["pysentimiento"]
    task: Literal["sentiment", "emotion", "irony", "hate_speech"] = "sentiment"
    model: str | None = None
    """Name on the hub or folder; by default the toolkit's own for Spanish and that task."""
    revision: Revision | None = None
    """By default the one that is in the local cache."""


class TransformersOptions(_Closed):
    """Any sequence classification model."""

    backend: Literal["transformers"]
    task: TaskName
    model: str
    """Name on the hub or folder."""
    revision: Revision | None = None
    """Needed for a name on the hub; a folder has none."""
    labels: dict[str, str] = Field(min_length=1)
    """The model's label -> the task's label; several may map to one."""


class ZeroShotOptions(_Closed):
    """A natural language inference model that is asked about each category by its definition."""

    backend: Literal["zero_shot"]
    task: Literal["category", "sentiment", "intent"] = "category"
    model: str
    revision: Revision | None = None
    """Needed for a name on the hub; a folder has none."""
    hypothesis: str | None = Field(default=None, pattern=r"\{\}")
    """A sentence with `{}` in the place of what is asked about; by default the task's own in `zero_shot.yml`."""
    wording: Literal["definition", "label"] = "definition"
    """What is asked about a category: its definition, or its shorter name."""


class TextcatOptions(_Closed):
    """A spaCy pipeline with a text categoriser."""

    backend: Literal["spacy"]
    task: TaskName
    model: str
    """Installed package or folder."""
    labels: dict[str, str] = Field(min_length=1)
    """The pipeline's label -> the task's label; several may map to one."""


AnnotatorOptions = Annotated[
    PysentimientoOptions | TransformersOptions | ZeroShotOptions | TextcatOptions, Field(discriminator="backend")
]


class KeywordOptions(_Closed):
    """The keyword annotator; the file says `lemmas` at its top."""

    backend: Literal["keyword"] = "keyword"
    lemmas: LemmasName = "simplemma"


class TaskSettings(_Closed):
    """Who reads one task, and when its reading is too weak to be told."""

    annotator: str
    """A key of `ANNOTATORS`, or a name given under `annotators`."""

    threshold: float = Field(default=0.0, ge=0, le=1)
    """A category whose score is below this counts as unclassified; 0 takes every reading."""

    thresholds: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """A threshold of its own for a category; the others have the one above."""

    def tells(self, label: str, score: float) -> bool:
        """Tell whether a reading is sure enough to be shown; the score counts as it is shown, to three digits."""
        return round(score, SCORE_DIGITS) >= self.thresholds.get(label, self.threshold)


class ModelsConfig(_Closed):
    """The whole of `models.yml`."""

    lemmas: LemmasName = "simplemma"
    """Where the keyword annotator gets the dictionary forms of words from."""

    annotators: dict[SettingName, AnnotatorOptions] = {}
    """Annotators with options, by the name that `tasks` calls them by."""

    profile: SettingName | None = None
    """The profile that reads where a command does not name another one."""

    profiles: dict[SettingName, dict[TaskName, TaskSettings]] = {}
    """Whole choices under one name: tasks that take the place of those in `tasks`, or stand beside them."""

    tasks: dict[TaskName, TaskSettings] = Field(min_length=1)

    def with_profile(self, name: str | None = None) -> ModelsConfig:
        """Return the choice that a profile makes; without a name, the one that the file says.

        Raises:
            KeyError: if there is no such profile.
        """
        chosen = name or self.profile
        if chosen is None:
            return self
        return self.model_copy(update={"profile": chosen, "tasks": {**self.profiles[chosen], **self._beside(chosen)}})

    def _beside(self, chosen: str) -> dict[TaskName, TaskSettings]:
        return {task: settings for task, settings in self.tasks.items() if task not in self.profiles[chosen]}

    @property
    def annotator_names(self) -> tuple[str, ...]:
        """Each annotator that serves a task, once, in the order of the file."""
        return tuple(dict.fromkeys(settings.annotator for settings in self.tasks.values()))

    def check_thresholds(self, taxonomy: Taxonomy) -> None:
        """Refuse a threshold of a category that neither this taxonomy nor the shipped one has: it would never be heeded.

        Raises:
            ConfigurationError: naming them, and what is allowed.
        """
        given = self.tasks["category"].thresholds if "category" in self.tasks else {}
        unknown = [label for label in given if label not in taxonomy.category_ids]
        if unknown:
            shipped = load_taxonomy().category_ids
            unknown = [label for label in unknown if label not in shipped]
        if unknown:
            told = f"models.yml: category.thresholds: no category is called {', '.join(map(repr, unknown))}"
            raise ConfigurationError(f"{told}; allowed: {', '.join(taxonomy.category_ids)}")

    def settings_of(self, task: str, annotator: str) -> TaskSettings | None:
        """Return the settings under which an annotator reads a task: those in force, or those of a profile; None without any."""
        for tasks in (self.tasks, *self.profiles.values()):
            for name, settings in tasks.items():
                if name == task and settings.annotator == annotator:
                    return settings
        return None

    def load(self, name: str, taxonomy: Taxonomy) -> Annotator:
        """Load an annotator with the options that this file gives it; see `load_annotator` for the errors."""
        own = KeywordOptions(lemmas=self.lemmas) if name == "keyword" else None
        return load_annotator(name, taxonomy, self.annotators.get(name, own))


def load_models_config(path: Path | None = None, profile: str | None = None) -> ModelsConfig:
    """Load the choice of annotators; without a path, the one that ships with the package.

    Args:
        path: a `models.yml`.
        profile: the profile that reads; by default the one that the file says.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line, or if it has no such profile.
        FileNotFoundError: if there is no such file.
    """
    file = path or MODELS_FILE
    config = load_configuration(file, ModelsConfig, check=_find_problems)
    try:
        return config.with_profile(profile)
    except KeyError as error:
        known = ", ".join(config.profiles) or "none"
        raise ConfigurationError(f"{file}:1: no profile is called {profile!r}; it has: {known}") from error


def _find_problems(raw: Mapping[str, Any]) -> list[Problem]:
    given = raw.get("annotators")
    known = [*ANNOTATORS, *(given if isinstance(given, dict) else ())]
    profiles = raw.get("profiles")
    named = profiles if isinstance(profiles, dict) else {}
    problems = _find_strangers(("tasks",), raw.get("tasks"), known)
    for name, tasks in named.items():
        problems += _find_strangers(("profiles", str(name)), tasks, known)
    chosen = raw.get("profile")
    if isinstance(chosen, str) and chosen not in named:
        told = f"no profile is called {chosen!r}; `profiles` has: {', '.join(map(str, named)) or 'none'}"
        problems.append(Problem(("profile",), told))
    return problems


def _find_strangers(at: tuple[str, ...], tasks: object, known: Sequence[str]) -> list[Problem]:
    """Find the tasks that name an annotator which does not exist."""
    entries = tasks.items() if isinstance(tasks, dict) else ()
    named = {task: entry.get("annotator") for task, entry in entries if isinstance(entry, dict)}
    return [
        Problem((*at, task, "annotator"), f"no annotator is called {name!r}; allowed: {', '.join(known)}")
        for task, name in named.items()
        if isinstance(name, str) and name not in known
    ] + _find_idle_thresholds(at, entries)


def _find_idle_thresholds(at: tuple[str, ...], entries: Iterable[tuple[Any, Any]]) -> list[Problem]:
    """Find thresholds that nothing would heed: only a category can be left untold, and an issue goes with its category."""
    return [
        Problem((*at, task, key), "only `category` has a threshold; remove it here")
        for task, entry in entries
        if task != "category" and isinstance(entry, dict)
        for key in ("threshold", "thresholds")
        if entry.get(key)
    ]
