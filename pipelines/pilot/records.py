"""The served record: what a site of the synthetic month shows, free of any wire format and of any label.

A file `<source_id>.jsonl` starts with one `Site` line, then holds `Article` lines and `Message` lines in the order in
which the site keeps them. Instants are UTC, written "2021-04-05T14:30:00Z".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NATIVE_IDS: Mapping[str, str] = {
    "wordpress": "comment-{id}",
    "comment_list": "comment-{id}",
    "microdata": "{path}opinion/{id}/",
    "phpbb": "p{id}",
    "discourse": "post-{id}",
    "telegram": "{channel}/{id}",
}
"""Wire -> how its spider names a message; the formats that are not here give the id as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One source: where it answers and how it is written."""

    source: str
    host: str
    path: str
    """Path of the source's own address: the index page, the feed, the file, or the root of a site with an API."""
    wire: str
    title: str
    options: dict[str, Any]
    """What the format needs besides: `columns`, `encoding`, `delimiter`, `sheet`, `dates`, `boards`; empty for most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A piece or a topic; the thread hangs below it. An empty text is a forum topic."""

    id: int
    title: str
    text: str
    author: str
    published: str
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, row or entry as the site shows it."""

    id: str
    text: str
    author: str
    """Empty where the site shows no name."""
    published: str | None
    """Instant in UTC; None where the site shows no date, or shows `date_shown` instead."""
    date_shown: str | None = None
    """What stands in the place of the date where it is unreadable."""
    modified: str | None = None
    article: int | None = None
    parent: str | None = None
    title: str | None = None
    url: str | None = None
    """Link of an entry or row to another address; None = the site's own."""
    reactions: int | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Everything that one source shows."""

    site: Site
    articles: tuple[Article, ...]
    messages: tuple[Message, ...]


def instant(written: str) -> datetime:
    """Read an instant of a record: aware, in UTC."""
    return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def write_instant(moment: datetime) -> str:
    """Write an aware instant as records carry it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def native_id(site: Site, message: Message) -> str:
    """Return the identity that the platform gives a message, as its spider reads it."""
    if site.wire == "decidim":
        return f"{'comment' if message.parent else 'proposal'}-{message.id}"
    if site.wire == "mastodon":
        return dated_id(message.published or "", int(message.id))
    return NATIVE_IDS.get(site.wire, "{id}").format(id=message.id, path=site.path, channel=site.path.strip("/"))


def article_native_id(site: Site, article: Article) -> str:
    """Return the identity of an article, as its spider reads it."""
    if site.wire in ("wordpress", "decidim"):
        return f"post-{article.id}"
    if site.wire == "mastodon":
        return dated_id(article.published, article.id)
    return article_url(site, article) if site.wire in ("rss", "atom") else f"article:{article_url(site, article)}"


def dated_id(written: str, number: int) -> str:
    """Return an id that begins with the moment, as Mastodon's do (docs.joinmastodon.org/api/guidelines#id)."""
    return str((int(instant(written).timestamp() * 1000) << 16) + number % (1 << 16))


def article_url(site: Site, article: Article) -> str:
    """Return the address of an article or a topic."""
    if site.wire in ("rss", "atom"):
        return f"http://{site.host}/{article.id}-{article.slug}/"
    return f"http://{site.host}{site.path}{article.id}-{article.slug}/"


def message_url(site: Site, message: Message, article: Article | None) -> str:
    """Return the permalink of a message."""
    if message.url is not None:
        return message.url
    if article is not None:
        return f"{article_url(site, article)}#{native_id(site, message)}"
    return f"http://{site.host}/mensajes/{message.id.rpartition(':')[2]}"


def load_served(path: Path) -> Served:
    """Load one source's file.

    Raises:
        ValueError: if a line is of no known kind, or the first one is not the site.
    """
    kinds: dict[str, Any] = {"site": Site, "article": Article, "message": Message}
    found: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), start=1):
        fields = json.loads(line)
        kind = fields.pop("record", None)
        if kind not in kinds or (number == 1) != (kind == "site"):
            raise ValueError(f"{path.name}:{number}: record {kind!r}; the first line is `site`, the others article or message")
        found[kind].append(kinds[kind](**fields))
    if not found["site"]:
        raise ValueError(f"{path.name}: empty; the first line must be a `site` record")
    return Served(found["site"][0], tuple(found["article"]), tuple(found["message"]))


def write_served(folder: Path, served: Served) -> None:
    """Write one source's file: the same records give the same bytes."""
    records: Sequence[tuple[str, Any]] = [
        ("site", served.site),
        *(("article", article) for article in served.articles),
        *(("message", message) for message in served.messages),
    ]
    lines = [json.dumps({"record": kind, **_shown(asdict(record))}, ensure_ascii=False) for kind, record in records]
    (folder / f"{served.site.source}.jsonl").write_bytes("".join(line + "\n" for line in lines).encode())


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None or name == "published"}
