"""YAML into closed models, with every error of a file told at once: file, line, what is wrong, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Place = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)
LoadedT = TypeVar("LoadedT")

MAX_BYTES = 1_000_000
"""A configuration file larger than this is refused unread."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a configuration file."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        """Render as `file:line: place: message`."""
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


class ConfigurationError(ValueError):
    """A configuration file cannot be used; `problems` has every reason, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems sorted and without doubles."""
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load_yaml(path: Path) -> Any:
    """Load one YAML document, keeping the line of each key.

    Raises:
        ConfigurationError: if the file is absent, too large, not UTF-8 or not YAML, or if a key is given twice.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigurationError([Problem(str(path), 1, "", f"larger than {MAX_BYTES} bytes")])
        text = path.read_text(encoding="utf-8")
        document = YAML(typ="rt").load(text)
    except FileNotFoundError as error:
        raise ConfigurationError([Problem(str(path), 1, "", "the file does not exist")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Problem(str(path), 1, "", f"is not UTF-8 (byte {error.start})")]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError([Problem(str(path), line, "", str(error.problem or error.context))]) from error
    except YAMLError as error:
        raise ConfigurationError([Problem(str(path), 1, "", f"is not YAML: {error}")]) from error
    if not isinstance(document, dict):
        raise ConfigurationError([Problem(str(path), 1, "", "must be a mapping of keys to values")])
    return document


def validate_document(
    model: type[ModelT],
    document: Any,
    path: Path,
    *,
    extra_checks: Callable[[], Iterable[tuple[Place, str]]] = tuple,
    relocate: Callable[[Place], Place] = lambda place: place,
) -> ModelT:
    """Validate a document that `load_yaml` returned.

    Args:
        model: the closed model of the whole file.
        document: what `load_yaml` returned.
        path: the file, for the messages.
        extra_checks: yields (place, message) for rules across the file; asked even when the model has errors.
        relocate: says where a value really stands that was filled in from another place of the file.

    Raises:
        ConfigurationError: with every problem, those of the model and of the extra checks together.
    """
    problems: list[Problem] = []
    validated: ModelT | None = None
    try:
        validated = model.model_validate(document)
    except ValidationError as error:
        for place, message in ((relocate(place), message) for place, message in _flatten(model, error)):
            problems.append(Problem(str(path), _line(document, place), _spell(document, place), message))
    for place, message in extra_checks():
        problems.append(Problem(str(path), _line(document, place), _spell(document, place), message))
    if problems or validated is None:
        raise ConfigurationError(problems)
    return validated


def raise_problems(
    load: Callable[[Path], LoadedT], paths: Iterable[Path], *, key: Callable[[LoadedT], str]
) -> dict[str, LoadedT]:
    """Load several files; return key -> loaded, or raise one ConfigurationError with the problems of all of them."""
    problems: list[Problem] = []
    loaded: dict[str, LoadedT] = {}
    for path in paths:
        try:
            item = load(path)
            loaded[key(item)] = item
        except ConfigurationError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigurationError(problems)
    return loaded


class NestedError(ValueError):
    """A model that a validator builds by itself was refused; carries what the file's report needs."""

    def __init__(self, model: type[BaseModel], error: ValidationError) -> None:
        """Keep the model beside its errors."""
        self.model, self.error = model, error
        super().__init__(str(error))


def validate_nested(model: type[ModelT], given: object) -> ModelT:
    """Validate inside a validator, so that each error keeps its own place in the file.

    Raises:
        NestedError: if the model refuses what was given.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise NestedError(model, error) from error


def _flatten(model: type[BaseModel], error: ValidationError, prefix: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield (place, message) for each error, those of nested models included."""
    schema = model.model_json_schema()
    for detail in error.errors():
        place = prefix + tuple(detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, NestedError):
            yield from _flatten(cause.model, cause.error, place)
        else:
            yield place, _message(detail, schema)


def _message(detail: Any, schema: dict[str, Any]) -> str:
    kind, given = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        return f"unknown key; {_nearest(str(detail['loc'][-1]), _known_keys(detail['loc'][:-1], schema))}"
    if kind == "missing":
        return "is required and is missing"
    message = str(detail["ctx"]["error"]) if kind == "value_error" else detail["msg"][0].lower() + detail["msg"][1:]
    shown = isinstance(given, str | int | float | bool) and repr(given) not in message
    return f"{given!r}: {message}{_suggestion(detail)}" if shown else message


def _suggestion(detail: Any) -> str:
    """Name the nearest allowed value of a closed list, where one is near."""
    allowed = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
    close = get_close_matches(str(detail.get("input")), allowed, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(known)}" if known else f"{hint}nothing may stand here"


def _known_keys(place: Place, schema: dict[str, Any]) -> list[str]:
    """Return the keys that the model allows at a place."""
    node: Any = schema
    for step in place:
        node = _resolve(node, schema)
        node = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        if node is None:
            return []
    return sorted(_resolve(node, schema).get("properties", {}))


def _resolve(node: Any, schema: dict[str, Any]) -> Any:
    while "$ref" in node or "anyOf" in node:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        else:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
    return node


def _line(document: Any, place: Place) -> int:
    """Return the 1-based line of a place; of the nearest thing around it where the place itself is absent."""
    node: Any = document
    line = 1
    for step in place:
        try:
            position = node.lc.item(step) if isinstance(step, int) else node.lc.key(step)
            line = position[0] + 1
            node = node[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return int(line)


def _spell(document: Any, place: Place) -> str:
    """Spell a place for a reader: `sources[3] (foro-ate).expect.min`."""
    spelled, node = "", document
    for step in place:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
        if isinstance(step, int):
            name = node.get("id") if isinstance(node, dict) else None
            spelled += f"[{step + 1}]" + (f" ({name})" if isinstance(name, str) else "")
        else:
            spelled += f".{step}" if spelled else str(step)
    return spelled
