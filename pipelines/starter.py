"""A first project for another city, and the JSON Schema by which editors complete city files.

`python -m pipelines.starter schema` rewrites `data/cities/city.schema.json` of the project that it is started in.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from collectors.catalog import city_json_schema
from collectors.minutes import MinutesTemplate, load_template
from pipelines.minutes_template import render_docx, render_odt
from pipelines.project import Project, ProjectError, find_project

TEMPLATES = Path(__file__).with_name("templates")

FILES: Mapping[str, str] = {
    "README.md": "readme.md",
    ".gitignore": "gitignore.txt",
    "data/cities/mi-ciudad.yml": "city.yml",
    "data/imports/mensajes-de-ejemplo.csv": "messages.csv",
}
"""Path in the new project -> template."""

DOCUMENTS: Mapping[str, Callable[[MinutesTemplate], bytes]] = {
    "data/templates/acta.docx": render_docx,
    "data/templates/acta.odt": render_odt,
}
"""Path in the new project -> what writes the empty minutes of a workshop."""

SCHEMA_NAME = "city.schema.json"
"""Name of the schema; city files beside it name it on their first line."""

SCHEMA_COMMAND = "python -m pipelines.starter schema"
"""What rewrites the schema after a change of the models."""


def make_project(directory: Path) -> list[Path]:
    """Make a project folder with a first city; all files are written, or none.

    Args:
        directory: need not exist; files that it holds already are left as they are.

    Returns:
        The files written, in the order of their names.

    Raises:
        ProjectError: if the folder holds a project already, if one of the files exists, or if it cannot be written.
    """
    contents = {directory / name: (TEMPLATES / template).read_text(encoding="utf-8").encode() for name, template in FILES.items()}
    contents |= {directory / name: render(load_template()) for name, render in DOCUMENTS.items()}
    contents[Project(directory).cities / SCHEMA_NAME] = schema_text().encode()
    _refuse_existing(directory, contents)
    _write_all(contents)
    return sorted(contents)


def schema_text() -> str:
    """Return the JSON Schema of a city file as it is written to disk: indented by 1, a newline at the end."""
    return json.dumps(city_json_schema(), indent=1, ensure_ascii=False) + "\n"


def write_schema(project: Project) -> Path:
    """Write the schema beside the city files of a project, over the one that is there; return its path."""
    path = project.cities / SCHEMA_NAME
    path.write_text(schema_text(), encoding="utf-8", newline="\n")
    return path


def _refuse_existing(directory: Path, contents: Mapping[Path, bytes]) -> None:
    existing = sorted(path for path in contents if path.exists() or path.is_symlink())
    if existing:
        listed = ", ".join(path.relative_to(directory).as_posix() for path in existing)
        raise ProjectError(f"{directory} already has {listed}; nothing was written: name another folder, or move them away")
    cities = sorted(path.name for path in Project(directory).cities.glob("*.yml"))
    if cities:
        raise ProjectError(f"{directory} is a project already, with {', '.join(cities)}; name another folder")


def _write_all(contents: Mapping[Path, bytes]) -> None:
    """Write every file; take back what was made if one of them cannot be written."""
    made: list[Path] = []
    try:
        for path, content in sorted(contents.items()):
            for folder in reversed([path.parent, *path.parent.parents]):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
    except OSError as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        what = error.filename or "a file of the project"
        raise ProjectError(f"{what} cannot be written ({error.strerror}); nothing was left behind") from error


def main(arguments: list[str]) -> int:
    """Rewrite the schema of the nearest project; return the exit code."""
    if arguments != ["schema"]:
        sys.stderr.write(f"usage: {SCHEMA_COMMAND}\n")
        return 2
    sys.stdout.write(f"{write_schema(find_project(None))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
