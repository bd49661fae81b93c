"""Decidim's open-data archive: a ZIP of CSV files, one for each kind of thing on the site.

Facts from "Import and exports explanation for Decidim.org" (gist.github.com/andreslucena/0ff37b50a8a60acb3cf11a9042234f21)
and from the serializers of the gems (github.com/decidim/decidim): files are called `<host>-open-data-<entity>.csv`; a nested
value has a column of its own with slashes in the heading (`body/es`, `author/name`, `body/machine_translations/ca`); the
delimiter is `;` unless a site changed it; a comment names what it answers by class and id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from collectors.exports import open_archive, plain_text, read_csv
from collectors.graphql import as_object
from collectors.health import SourceProblem
from collectors.spiders.base import parse_count
from collectors.spiders.decidim_items import comment_address, written_text
from collectors.spiders.participation import Found

_WANTED = re.compile(r"open-data-(proposals|debates|[a-z_]+_comments)\.csv$")
_TEXTS = {"proposals": "body", "debates": "description"}

Cells = dict[str, str]


def parse_export(body: bytes, *, language: str) -> Iterator[Found | SourceProblem]:
    """Yield the proposals, debates and comments of an archive, and a problem for each file that could not be read whole (pure).

    Args:
        body: the archive.
        language: taken first where a text stands in several.

    Raises:
        SourceProblem: `malformed` if it is no archive, or one without any file of messages.
    """
    known = 0
    for entity, content in open_archive(body, _WANTED):
        known += 1
        if isinstance(content, SourceProblem):
            yield content
            continue
        unnamed = 0
        for row in read_csv(content, name=entity):
            if isinstance(row, SourceProblem):
                yield row
            elif not row.get("id"):
                unnamed += 1
            else:
                yield _item(row, entity, language) if entity in _TEXTS else _comment(row, language)
        if unnamed:
            yield SourceProblem("malformed", f"{entity}: {unnamed} rows without an id")
    if not known:
        raise SourceProblem("malformed", "an archive without a file of proposals, debates or comments")


def _item(row: Cells, entity: str, language: str) -> Found:
    title = plain_text(_translated(row, "title", language))
    return Found(
        kind="official" if _is_root(row.get("author/url")) else "manifestation",
        native_id=f"{entity.removesuffix('s')}-{row['id']}",
        url=row.get("url"),
        title=title,
        text=written_text(_translated(row, _TEXTS[entity], language)) or title,
        name=row.get("author/name") or None,
        published_raw=_first(row, "published_at", "created_at", "start_time"),
        modified_raw=_first(row, "updated_at"),
        reactions=parse_count(_first(row, "votes", "supports", "likes/total_count", "endorsements/total_count")),
        withdrawn=row.get("withdrawn") == "true" or row.get("state") == "withdrawn",
    )


def _comment(row: Cells, language: str) -> Found:
    answered = row.get("commentable_type", "").rpartition("::")[2].lower()
    return Found(
        native_id=f"comment-{row['id']}",
        parent_id=f"{answered}-{row['commentable_id']}" if answered and row.get("commentable_id") else None,
        url=comment_address(row.get("root_commentable_url"), row["id"]),
        text=written_text(_translated(row, "body", language)),
        name=_first(row, "user_group/name", "author/name"),
        published_raw=_first(row, "created_at"),
    )


def _translated(row: Cells, field: str, language: str) -> str:
    """Return a text that may stand in one column, in one for each language, or in one as a hash of them."""
    texts = {key.removeprefix(f"{field}/"): cell for key, cell in row.items() if key.startswith(f"{field}/") and cell}
    if not texts and row.get(field, "").startswith("{"):
        texts = _hash(row[field])
    if not texts:
        return row.get(field, "")
    # A machine's translation is taken only where nothing else is left.
    best = min(texts, key=lambda key: ("machine_translations" in key, key.rpartition("/")[2].partition("-")[0] != language))
    return texts[best]


def _hash(cell: str) -> dict[str, str]:
    """Return language -> text of a hash written as JSON or as Ruby writes it; nothing if it is neither."""
    for written in (cell, cell.replace('"=>"', '": "').replace('"=>nil', '": null').replace('"=>{', '": {')):
        try:
            found = as_object(json.loads(written))
        except (ValueError, RecursionError):
            continue
        return {key: text for key, text in found.items() if isinstance(text, str) and text}
    return {}


def _is_root(link: str | None) -> bool:
    """Tell whether an author's address is the site itself: so the organisation signs; people have a page of their own."""
    return bool(link) and urlsplit(link or "").path in ("", "/")


def _first(row: Cells, *names: str) -> str | None:
    return next((row[name] for name in names if row.get(name)), None)
