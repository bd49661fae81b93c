"""`models.yml`: profiles, and what is said of a file that names what does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.configuration import ConfigurationError
from models.settings import load_models_config
from models.taxonomy import load_taxonomy

TWO = """\
profile: careful
profiles:
  careful:
    sentiment: {annotator: accurate}
    category: {annotator: accurate, threshold: 0.4}
  quick:
    sentiment: {annotator: keyword}
    category: {annotator: keyword}
tasks:
  sentiment: {annotator: language}
  language: {annotator: language}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "models.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_profiles_read_each_with_its_own_annotator() -> None:
    shipped = load_models_config()
    assert shipped.profile == "accurate"
    assert set(shipped.profiles) == {"accurate", "fast", "keyword"}
    tasks = {"category", "issue", "sentiment", "intent", "target", "language", "screening"}
    for name in shipped.profiles:
        chosen = load_models_config(profile=name)
        assert set(chosen.tasks) == (tasks - {"intent", "target"} if name == "keyword" else tasks)
        assert set(chosen.annotator_names) == {name, "language", "screening"}


def test_a_profile_takes_the_place_of_the_tasks_that_it_names(tmp_path: Path) -> None:
    path = _write(tmp_path, TWO)
    default, quick = load_models_config(path), load_models_config(path, "quick")
    assert {task: one.annotator for task, one in default.tasks.items()} == {
        "sentiment": "accurate", "category": "accurate", "language": "language",
    }  # fmt: skip
    assert default.tasks["category"].threshold == 0.4
    settings = quick.settings_of("category", "accurate")
    assert settings is not None
    assert settings.threshold == 0.4
    assert quick.settings_of("category", "fast") is None


def test_a_threshold_that_nothing_heeds_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, TWO.replace("sentiment: {annotator: accurate}", "sentiment: {annotator: accurate, threshold: 0.4}"))
    with pytest.raises(ConfigurationError, match=r"models\.yml:4: profiles\.careful\.sentiment\.threshold: only `category`"):
        load_models_config(path)


def test_a_threshold_of_no_category_is_refused(tmp_path: Path) -> None:
    changed = TWO.replace("threshold: 0.4", "thresholds: {vias_obras: 0.5, vias_obra: 0.4}")
    config = load_models_config(_write(tmp_path, changed))
    with pytest.raises(ConfigurationError, match=r"no category is called 'vias_obra'; allowed: transporte, "):
        config.check_thresholds(load_taxonomy())
    load_models_config(_write(tmp_path, TWO)).check_thresholds(load_taxonomy())


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "models.yml"
    path.write_bytes(TWO.encode() + "# categoría\n".encode("windows-1252"))
    with pytest.raises(ConfigurationError, match=r"models\.yml:12: not UTF-8"):
        load_models_config(path)


def test_another_profile_than_the_default_is_read_by_name(tmp_path: Path) -> None:
    quick = load_models_config(_write(tmp_path, TWO), "quick")
    assert {task: one.annotator for task, one in quick.tasks.items()} == {
        "sentiment": "keyword", "category": "keyword", "language": "language",
    }  # fmt: skip


def test_an_unknown_profile_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = _write(tmp_path, TWO)
    with pytest.raises(ConfigurationError, match=r"models\.yml:1: no profile is called 'slow'; it has: careful, quick"):
        load_models_config(path, "slow")
    with pytest.raises(ConfigurationError, match=r"models\.yml:1: profile: no profile is called 'slow'; `profiles` has: careful"):
        load_models_config(_write(tmp_path, TWO.replace("profile: careful", "profile: slow")))
    bare = _write(tmp_path, "tasks:\n  language: {annotator: language}\n")
    with pytest.raises(ConfigurationError, match="'fast'; it has: none"):
        load_models_config(bare, "fast")


def test_a_profile_that_names_an_unknown_annotator_is_refused_with_its_line(tmp_path: Path) -> None:
    path = _write(tmp_path, TWO.replace("category: {annotator: keyword}", "category: {annotator: magic}"))
    with pytest.raises(
        ConfigurationError, match=r"models\.yml:8: profiles\.quick\.category\.annotator: .*'magic'; allowed: accurate"
    ):
        load_models_config(path)
