"""Which annotator serves which task (`models.yml`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.annotator import ANNOTATORS
from models.configuration import Problem, load_configuration

MODELS_FILE = Path(__file__).with_name("models.yml")
"""The choice that ships with the package."""

TaskName = Literal["category", "issue", "sentiment", "language", "screening"]

LemmasName = Literal["simplemma", "es_core_news_sm", "es_core_news_md", "es_core_news_lg"]
"""simplemma comes with the package; the others are spaCy models under GPL-3.0, which only the user can install."""


class TaskSettings(BaseModel):
    """Who reads one task, and when its reading is too weak to be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    annotator: str
    """A key of `ANNOTATORS`."""

    threshold: float = Field(ge=0, le=1)
    """A reading whose score is below this counts as unclassified; 0 takes every reading."""


class ModelsConfig(BaseModel):
    """The whole of `models.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lemmas: LemmasName = "simplemma"
    """Where the keyword annotator gets the dictionary forms of words from."""

    tasks: dict[TaskName, TaskSettings] = Field(min_length=1)

    @property
    def annotator_names(self) -> tuple[str, ...]:
        """Each annotator that serves a task, once, in the order of the file."""
        return tuple(dict.fromkeys(settings.annotator for settings in self.tasks.values()))


def load_models_config(path: Path | None = None) -> ModelsConfig:
    """Load the choice of annotators; without a path, the one that ships with the package.

    Raises:
        ConfigurationError: with all mistakes of the file, each with its line.
        FileNotFoundError: if there is no such file.
    """
    return load_configuration(path or MODELS_FILE, ModelsConfig, check=_find_problems)


def _find_problems(raw: Mapping[str, Any]) -> list[Problem]:
    tasks = raw.get("tasks")
    if not isinstance(tasks, dict):
        return []
    named = {task: entry.get("annotator") for task, entry in tasks.items() if isinstance(entry, dict)}
    return [
        Problem(("tasks", task, "annotator"), f"no annotator is called {name!r}; allowed: {', '.join(ANNOTATORS)}")
        for task, name in named.items()
        if isinstance(name, str) and name not in ANNOTATORS
    ]
