"""YAML files read into closed pydantic models, every mistake reported at once with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

Model = TypeVar("Model", bound=BaseModel)

Location = tuple[str | int, ...]
"""Keys and positions from the top of the file down to one value."""


class Problem(NamedTuple):
    """One mistake in a configuration file."""

    location: Location
    """Where the offending value stands; its nearest existing parent gives the line."""

    message: str
    """What is wrong and what is allowed."""


class ConfigurationError(ValueError):
    """A configuration file has mistakes; the message holds one line for each of them."""


def load_configuration(
    path: Path, model: type[Model], *, check: Callable[[Mapping[str, Any]], Iterable[Problem]] | None = None
) -> Model:
    """Read a YAML file into `model`.

    Args:
        path: the file, in UTF-8.
        model: a closed pydantic model of the whole file.
        check: finds in the plain mapping what a schema can't say, such as a reference to an id that does not exist.
            It must bear mappings that the schema refuses.

    Raises:
        ConfigurationError: if the file is no YAML mapping, or for all its mistakes together.
        FileNotFoundError: if there is no such file.
    """
    text = _read_text(path)
    try:
        raw = YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(f"{path}:{line}: not readable as YAML: {error.problem or error.context}") from error
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{path}:1: the file holds {type(raw).__name__}; allowed: a mapping of keys to values")
    problems = list(check(raw)) if check else []
    try:
        loaded = model.model_validate(raw)
    except ValidationError as error:
        problems += [Problem(tuple(item["loc"]), _explain(item)) for item in error.errors()]
    if problems:
        raise ConfigurationError(_render_problems(path, text, problems))
    return loaded


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: not UTF-8; save the file in that encoding") from error


def _explain(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its name"
    if item["type"] == "missing":
        return "missing; add it"
    return f"{item['msg']}, got {item['input']!r}"


def _render_problems(path: Path, text: str, problems: list[Problem]) -> str:
    tree = YAML(typ="rt").load(text)
    rows = sorted(((_line_of(tree, problem.location), problem) for problem in problems), key=lambda row: (row[0], str(row[1])))
    return "\n".join(f"{path}:{line}: {'.'.join(map(str, problem.location))}: {problem.message}" for line, problem in rows)


def _line_of(tree: object, location: Location) -> int:
    """Return the line (from 1) of the deepest part of `location` that the file holds."""
    line, node = 0, cast(Any, tree)
    for step in location:
        try:
            position = node.lc
            line = position.key(step)[0] if hasattr(node, "keys") else position.item(step)[0]
            node = node[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return int(line) + 1
