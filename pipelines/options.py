"""Options that several commands take, written once: what they are called and what `--help` says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
ProjectDir = Annotated[
    Path | None, typer.Option("--project", metavar="DIR", help="Project folder; by default the nearest that holds data/cities.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Which profile of models.yml reads: accurate, fast or keyword.")
]
LockTimeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.0, help="How long to wait for another run to finish writing.")
]
