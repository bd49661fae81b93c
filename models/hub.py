"""Where transformer models lie on this machine: a folder, or the local Hugging Face cache. Nothing here goes online."""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

EXTRA_COMMANDS = ("pip install torch==2.13.0", "pip install 'escucha[transformers]'")
"""What installs the libraries that this module and its users import; in this order, so that torch comes without a GPU's parts."""

_READ_SUFFIXES = {".safetensors", ".json", ".txt", ".model"}
"""Weights, configuration and tokenizer: the files of a model folder that a reading depends on."""

_PICKLED_SUFFIXES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}

_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


class ExtraNotInstalledError(ValueError):
    """A library of the extra `[transformers]` is not installed."""


class ModelNotFoundError(ValueError):
    """A model is neither a folder nor in the local cache."""


class ModelUnusableError(ValueError):
    """A model is there, and can't be used as it is."""


class FoundModel(NamedTuple):
    """A model on this machine."""

    name: str
    """As asked for."""

    folder: Path
    """Holds `config.json`, the tokenizer and at least one `*.safetensors`."""

    revision: str
    """The commit on the hub, 40 hexadecimal digits; of a folder the first 8 of a SHA-256 over what a reading depends on."""


def import_extra(module: str) -> Any:
    """Import a module of the extra `[transformers]`.

    Raises:
        ExtraNotInstalledError: if it is not installed; the message tells the commands.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        commands = " and then ".join(f"`{command}`" for command in EXTRA_COMMANDS)
        raise ExtraNotInstalledError(f"this annotator needs {error.name}, which is not installed; run {commands}") from error


def find_model(name: str, revision: str | None = None, *, pinned: bool = False) -> FoundModel:
    """Find a model by the path of its folder, or by its name on the hub in the local cache; never download one.

    Args:
        name: a folder, or a name such as `organisation/model`. A folder of that name comes first.
        revision: the commit on the hub; without it, the one that the cache keeps as `main`.
        pinned: whether a name on the hub without a revision is an error.

    Raises:
        ExtraNotInstalledError: if huggingface_hub is not installed.
        ModelNotFoundError: if it is not on this machine; the message gives the command that fetches it.
        ModelUnusableError: if it has no `*.safetensors` (pickled weights are never opened), or the revision is missing or
            in the way.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision:
            raise ModelUnusableError(f"{name} is a folder, which has no revision; take `revision` out, or give a name on the hub")
        _check_files(folder, f"the folder {name}", "save the model there with save_pretrained")
        return FoundModel(name, folder, _hash_folder(folder))
    if not _HUB_NAME.fullmatch(name):
        raise ModelNotFoundError(f"there is no folder {name}, looked for as {folder.absolute()}")
    return _find_cached(name, revision, pinned=pinned)


def _find_cached(name: str, revision: str | None, *, pinned: bool) -> FoundModel:
    cache = Path(import_extra("huggingface_hub.constants").HF_HUB_CACHE)
    home = cache / import_extra("huggingface_hub.file_download").repo_folder_name(repo_id=name, repo_type="model")
    main = home / "refs" / "main"
    commit = revision or (main.read_text(encoding="utf-8").strip() if main.is_file() else None)
    command = f"hf download {name}" + (f" --revision {revision}" if revision else "")
    if pinned and not revision:
        known = f"write `revision: {commit}`, which is in the local cache" if commit else f"`{command}` prints it"
        raise ModelUnusableError(f"{name} needs a revision, or tomorrow's weights may be other ones; {known}")
    if commit is None or not (home / "snapshots" / commit).is_dir():
        looked = home / "snapshots" / (commit or "")
        raise ModelNotFoundError(
            f"{name} is neither a folder nor in the local cache (looked in {Path(name).absolute()} and {looked}); "
            f"fetch it on a machine that is online with `{command}`"
        )
    folder = home / "snapshots" / commit
    _check_files(folder, f"{name} in {folder}", f"fetch it whole with `{command}`")
    return FoundModel(name, folder, commit)


def _check_files(folder: Path, what: str, remedy: str) -> None:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    holds = f"it holds {', '.join(names) or 'nothing'}"
    weights = [name for name in names if name.endswith(".safetensors")]
    pickled = [name for name in names if Path(name).suffix in _PICKLED_SUFFIXES]
    if not weights and pickled:
        raise ModelUnusableError(
            f"{what} has no *.safetensors; {holds}. Pickled weights ({', '.join(pickled)}) can run code and are never opened: "
            "take a revision with safetensors, or convert them where you trust their origin"
        )
    if not weights or "config.json" not in names:
        raise ModelUnusableError(
            f"{what} lacks {'config.json' if weights else '*.safetensors'}; {holds}. {remedy[0].upper()}{remedy[1:]}"
        )


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in _READ_SUFFIXES:
            with path.open("rb") as file:
                digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:8]
