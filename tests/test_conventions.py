"""The house rules as tests; each failure names the file and the mend."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.catalog import load_catalog
from collectors.spiders import SPIDERS, spider_class
from models.annotator import ANNOTATORS
from models.settings import load_models_config

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("collectors", "models", "pipelines")
ALLOWED = {"collectors": {"collectors"}, "models": {"models"}, "pipelines": {"collectors", "models", "pipelines"}}
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SQL = sorted((ROOT / "pipelines").rglob("*.sql"))
DOCS = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (module, line) of every import, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node.lineno


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for module, line in imports(path)
        if module.split(".")[0] in set(PACKAGES) - ALLOWED[package]
    ]
    assert not wrong, f"{wrong}: {package} may import {sorted(ALLOWED[package])} only; pass the thing as a value"


def test_prefect_is_imported_by_the_flow_alone() -> None:
    users = {name_of(path) for path in MODULES for module, _ in imports(path) if module.split(".")[0] == "prefect"}
    assert users == {"pipelines/period.py"}, "only the flow imports Prefect: the command line must start without it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_things_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [] if ast.get_docstring(tree) else [f"{name_of(path)}:1"]
    stack: list[ast.AST] = [tree]
    while stack:
        for node in ast.iter_child_nodes(stack.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                if not ast.get_docstring(node):
                    missing.append(f"{name_of(path)}:{node.lineno} {node.name}")
                if isinstance(node, ast.ClassDef):
                    stack.append(node)
    assert not missing, f"write a docstring (shape, unit, format, absence, errors): {missing}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_pickle_on_a_load_path(path: Path) -> None:
    forbidden = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
    users = [f"{name_of(path)}:{line} {module}" for module, line in imports(path) if module.split(".")[0] in forbidden]
    text = path.read_text(encoding="utf-8")
    users += [
        f"{name_of(path)}: {call}" for call in ("torch.load(", "allow_pickle=True", "read_pickle(", "JOBDIR") if call in text
    ]
    assert not users, f"{users}: keep artefacts as ONNX, safetensors or JSON, and the frontier in the warehouse"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_room_for_leftovers(path: Path) -> None:
    assert path.stem not in {"utils", "common", "helpers", "misc"}, f"{name_of(path)}: name the module after what it knows"
    assert not re.search(r"except:|except Exception:\s*\n\s*pass", path.read_text(encoding="utf-8")), (
        f"{name_of(path)}: handle it, ignore it by name, or signal it"
    )


@pytest.mark.parametrize("path", SQL, ids=name_of)
def test_sql_opens_with_a_sentence_and_its_grain(path: Path) -> None:
    opening = re.match(r"(--[^\n]*\n)+", path.read_text(encoding="utf-8"))
    assert opening, f"{name_of(path)}: begin with a comment: one sentence, then `Grain: one row per ...`"
    assert "Grain:" in opening.group(), f"{name_of(path)}: the opening comment must say `Grain: one row per ...`"


def test_every_report_table_has_an_audit_and_a_definition() -> None:
    reports = ROOT / "pipelines" / "reports"
    tables = {path.stem for path in (reports / "tables").glob("*.sql")}
    audits = {path.stem for path in (reports / "audits").glob("*.sql")}
    assert tables == audits, f"tables without audit: {tables - audits}; audits without table: {audits - tables}"
    schema = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipelines" / "schema").glob("*.sql"))
    undefined = {table for table in tables if not re.search(rf"create table {table} \(", schema)}
    assert not undefined, f"add a migration that creates {undefined}"


def test_every_section_has_its_two_files() -> None:
    sections = ROOT / "pipelines" / "reports" / "sections"
    queries = {path.name.split(".")[0] for path in sections.glob("*.sql")}
    templates = {path.name.split(".")[0] for path in sections.glob("*.html.jinja")}
    assert queries == templates, f"a section is NN_name.sql and NN_name.html.jinja; alone: {queries ^ templates}"


def test_every_source_says_why_we_may_collect_it() -> None:
    for city in load_catalog(ROOT / "data" / "cities").values():
        for source in city.sources:
            where = f"{city.id}: {source.id}"
            assert source.publisher.name, where
            assert source.terms.startswith(("http://", "https://")), where
            assert len(source.legal_basis) > 10, where
            assert source.approved_by, where
            assert 1 <= source.retention_days <= 3650, where


def test_the_registers_name_what_exists() -> None:
    for platform in SPIDERS:
        assert spider_class(platform).__doc__, f"{platform}: the spider names the document it follows"
    cards = {path.stem for path in (ROOT / "models" / "cards").glob("*.md")}
    assert set(ANNOTATORS) == cards, f"one card in models/cards for each annotator: {set(ANNOTATORS) ^ cards}"
    assert set(load_models_config().annotator_names) <= set(ANNOTATORS)


def test_every_command_option_and_setting_stands_in_the_docs() -> None:
    import typer.main

    from pipelines.cli import app

    names: set[str] = set()
    pending = [("escucha", typer.main.get_command(app))]
    while pending:
        name, command = pending.pop()
        pending += [(f"{name} {child}", sub) for child, sub in getattr(command, "commands", {}).items()]
        if not getattr(command, "commands", None):
            names.add(name)
        for parameter in command.params:
            names |= {option for option in parameter.opts if option.startswith("--")}
    names -= {"--help", "--install-completion", "--show-completion"}
    environment = {
        word
        for path in MODULES
        for word in re.findall(r"\bESCUCHA_[A-Z]+\b", path.read_text(encoding="utf-8"))
        if f'environ.get("{word}")' in path.read_text(encoding="utf-8") or f'"{word}"' in path.read_text(encoding="utf-8")
    } - {"ESCUCHA_HOSTS", "ESCUCHA_SPOOL"}
    missing = sorted(name for name in names | environment if name not in DOCS)
    assert not missing, f"describe in README.md: {missing}"


def test_the_docs_name_every_platform_and_every_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"\.PHONY: (.*)", makefile)
    assert targets
    listed = targets.group(1).split()
    assert len(listed) <= 8
    missing = [f"make {target}" for target in listed if f"make {target}" not in DOCS]
    missing += [f"`{platform}`" for platform in SPIDERS if f"`{platform}`" not in DOCS]
    assert not missing, f"describe in README.md or CONTRIBUTING.md: {missing}"


def test_the_constraints_pin_every_requirement_and_name_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "@" not in text
    pinned = {line.split("==")[0].lower() for line in text.splitlines() if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    missing = [name for spec in wanted if (name := re.split(r"[<>=\[; ]", spec)[0].lower().replace(".", "-")) not in pinned]
    assert not missing, f"install, try, and pin in constraints.txt: {missing}"


def test_no_absolute_path_and_no_word_of_a_workplace() -> None:
    tracked = [path for pattern in ("*.py", "*.md", "*.yml", "*.toml", "*.sql", "*.jinja") for path in ROOT.rglob(pattern)]
    skipped = {".venv", ".venv-extras", ".git", "raw", "reports", "build"}
    wrong = []
    for path in tracked:
        parts = path.relative_to(ROOT).parts
        if skipped & set(parts[:2]) and "pipelines" not in parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.search(r"(?<![\w.:/])/(home|root|work|Users)/\w", line) and "re.search" not in line:
                wrong.append(f"{name_of(path)}:{number}")
    assert not wrong, f"an absolute path of one machine: {wrong}"
