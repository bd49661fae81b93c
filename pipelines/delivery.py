"""Delivery: after a run that made a new report, those whom the city names get its headline and where it is.

Off unless the city's file has `deliver`. Targets are addresses of Apprise, which may hold passwords: they stand in the
environment, and neither a message nor a log of ours ever tells one. A delivery that fails is told and changes nothing else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from collectors.catalog import City, Delivery
from collectors.secrets import MissingSecretError, load_reference
from pipelines.project import Project
from pipelines.reports.blocks import Items, plain
from pipelines.reports.document import read_document


@dataclass(frozen=True)
class Delivered:
    """What became of one delivery."""

    target: str
    """The name of its environment variable; never the address."""

    ok: bool
    said: str


@dataclass(frozen=True)
class Message:
    """What is sent."""

    title: str
    body: str


def deliver(city: City, project: Project, page: Path, *, environ: Mapping[str, str] = os.environ) -> list[Delivered]:
    """Send a report's headline to every target of its city, and return what became of each; never raises for a target.

    Args:
        city: its `deliver` says to whom; nothing is done, nor loaded, where it is empty.
        project: whose folder of reports the links are relative to.
        page: the page that was written.
        environ: where the targets' addresses stand.
    """
    return [_send(target, write_message(target, project, page), environ) for target in city.deliver]


def write_message(target: Delivery, project: Project, page: Path) -> Message:
    """Return the headline in two sentences, the first finding and what could not be read, and the link or the path."""
    document = read_document(page.read_text(encoding="utf-8"))
    overview = document.section("overview")
    findings = next((block.items for block in (overview.blocks if overview else ()) if isinstance(block, Items)), ())
    # How sure a finding is stands softly behind it.
    said = [tuple(run for run in item if "soft" not in run.marks) for item in (findings[:1] + findings[1:][-1:])]
    sentences = [plain(item).strip() for item in said]
    where = page.relative_to(project.root).as_posix()
    if target.link is not None:
        parts = page.relative_to(project.reports).parts
        where = "/".join([target.link.rstrip("/"), *(quote(part) for part in parts)])
    title = f"{document.title} ({document.stamp})" if document.stamp else document.title
    return Message(title, "\n".join([*sentences, where]))


def _send(target: Delivery, message: Message, environ: Mapping[str, str]) -> Delivered:
    name = target.to.removeprefix("env:")
    try:
        import apprise
    except ImportError:
        return Delivered(name, False, "Apprise is not installed: pip install 'escucha[delivery]'")
    try:
        address = load_reference(target.to, environ)
    except MissingSecretError as error:
        return Delivered(name, False, str(error))
    with _silent():
        sender = apprise.Apprise()
        try:
            if not sender.add(address):
                return Delivered(name, False, f"{name} holds no address that Apprise knows")
            sent = sender.notify(title=message.title, body=message.body, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # noqa: BLE001  a plugin's own failure, whose words may hold the address
            return Delivered(name, False, f"failed ({type(error).__name__})")
    return Delivered(name, True, "sent") if sent else Delivered(name, False, "was not accepted, or nobody answered")


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Apprise from logging: its words may hold the address."""
    log = logging.getLogger("apprise")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before
