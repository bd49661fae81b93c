"""Decidim: one participatory process with proposals of people, comments on them, and a blog, by its GraphQL API.

Facts from "About the GraphQL API" (github.com/decidim/decidim, decidim-api/docs/usage.md) and the types of version 0.28: `POST
/api`; at most fifty nodes a page; `publishedSince` is inclusive, `publishedBefore` exclusive, by days. A message that answers
another is a comment, any other a proposal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.pilot.records import Article, Message, Served, instant
from pipelines.pilot.wire import ZONE, Answer, Query, account_of, html_answer, json_answer, paragraphs
from pipelines.pilot.wire_graphql import QueryError, Record, Schema, answer_query

PROCESS = "escucha-este"

_VALUES: Mapping[str, str | None] = dict.fromkeys(("id", "createdAt", "updatedAt"))
_COMMENT = ("body", "formattedBody", "createdAt", "upVotes", "downVotes", "alignment", "hasComments")
_PROPOSAL = ("publishedAt", "official", "createdInMeeting", "withdrawn", "state", "voteCount", "endorsementsCount")


def _listing(collection: str, single: str, typename: str) -> dict[str, Mapping[str, str | None]]:
    return {
        collection: {"id": None, single + "s": f"{typename}Connection", single: typename},
        f"{typename}Connection": {"pageInfo": "PageInfo", "edges": f"{typename}Edge"},
        f"{typename}Edge": {"node": typename},
    }


SCHEMA: Schema = {
    "Query": {"participatoryProcesses": "ParticipatoryProcess", "assemblies": "Assembly", "component": "ComponentInterface"},
    "ParticipatoryProcess": {"id": None, "slug": None, "components": "ComponentInterface"},
    "Assembly": {"id": None, "slug": None, "components": "ComponentInterface"},
    "ComponentInterface": {"id": None},
    "PageInfo": dict.fromkeys(("hasNextPage", "endCursor")),
    "TranslatedField": {"translations": "LocalizedString"},
    "LocalizedString": dict.fromkeys(("locale", "text", "machineTranslated")),
    "Author": dict.fromkeys(("id", "name", "nickname", "deleted")),
    "Comment": {"id": None, **dict.fromkeys(_COMMENT), "author": "Author", "comments": "Comment"},
    **_listing("Proposals", "proposal", "Proposal"),
    **_listing("Blogs", "post", "Post"),
    "Proposal": {
        **_VALUES,
        **dict.fromkeys(_PROPOSAL),
        "title": "TranslatedField",
        "body": "TranslatedField",
        "author": "Author",
        "comments": "Comment",
    },
    "Post": {**_VALUES, "title": "TranslatedField", "body": "TranslatedField", "comments": "Comment"},
}
"""As of 0.28: a comment has no address of its own, likes are called endorsements."""


class DecidimSite:
    """Answers for one site."""

    def __init__(self, served: Served) -> None:
        """Write every record once."""
        self.site = served.site
        below: dict[str, list[Message]] = {}
        for message in served.messages:
            below.setdefault(message.parent or "", []).append(message)
        proposals = [_proposal(message, below) for message in below.get("", [])]
        posts = [_post(article) for article in served.articles]
        components: dict[str, Record] = {
            "2": {"__typename": "Proposals", "id": "2", "proposals": _published(proposals), "proposal": _finder(proposals)},
            "3": {"__typename": "Blogs", "id": "3", "posts": posts, "post": _finder(posts)},
        }
        process = {"id": "1", "slug": PROCESS, "components": list(components.values())}
        self.root: Record = {
            "participatoryProcesses": [process],
            "assemblies": [],
            "component": lambda asked: components.get(str(asked.get("id"))),
        }

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the home page: the API is asked by POST."""
        return html_answer(f"<!DOCTYPE html><title>{self.site.title}</title>") if path == self.site.path else None

    def post(self, path: str, body: bytes) -> Answer | None:
        """Answer a query."""
        if path != f"{self.site.path}api":
            return None
        try:
            asked = json.loads(body)
            return json_answer(answer_query(str(asked["query"]), SCHEMA, self.root))
        except (ValueError, KeyError, TypeError) as error:
            told = str(error) if isinstance(error, QueryError) else "no query in the body"
            return json_answer({"errors": [{"message": told}]}, status=400)


def _published(proposals: list[Record]) -> Callable[[Mapping[str, Any]], list[Record]]:
    """Return what lists the proposals of the days that a filter names, all of them without one."""

    def listed(arguments: Mapping[str, Any]) -> list[Record]:
        asked = arguments.get("filter") or {}
        since, before = asked.get("publishedSince") or "", asked.get("publishedBefore") or "9"
        return [proposal for proposal in proposals if since <= proposal["publishedAt"][:10] < before]

    return listed


def _finder(records: list[Record]) -> Callable[[Mapping[str, Any]], Record | None]:
    by_id = {record["id"]: record for record in records}
    return lambda arguments: by_id.get(str(arguments.get("id")))


def _proposal(message: Message, below: Mapping[str, list[Message]]) -> Record:
    return {
        "id": message.id,
        "title": _text(message.title or ""),
        "body": _text(paragraphs(message.text)),
        "author": _author(message.author),
        **dict.fromkeys(("publishedAt", "createdAt", "updatedAt"), _clock(message.published)),
        "official": False,
        "createdInMeeting": False,
        "withdrawn": False,
        "voteCount": message.reactions,
        "endorsementsCount": 0,
        "comments": _comments(message, below),
    }


def _comments(message: Message, below: Mapping[str, list[Message]]) -> Callable[[Mapping[str, Any]], list[Record]]:
    """Return what gives the comments on a proposal, or the one of them, at any depth, that `singleCommentId` asks for."""

    def comment(found: Message) -> Record:
        answers = [comment(answer) for answer in below.get(found.id, [])]
        return {
            "id": found.id,
            "body": found.text,
            "formattedBody": f"<div>{paragraphs(found.text)}</div>",
            "createdAt": _clock(found.published),
            "upVotes": found.reactions or 0,
            "downVotes": 0,
            "alignment": 0,
            "hasComments": bool(answers),
            "author": _author(found.author),
            "comments": answers,
        }

    rows = [comment(answer) for answer in below.get(message.id, [])]

    def asked(arguments: Mapping[str, Any]) -> list[Record]:
        single = arguments.get("singleCommentId")
        return rows if single is None else [row for row in _all(rows) if row["id"] == single]

    return asked


def _all(rows: list[Record]) -> list[Record]:
    return [found for row in rows for found in (row, *_all(row["comments"]))]


def _post(article: Article) -> Record:
    return {
        "id": str(article.id),
        "title": _text(article.title),
        "body": _text(paragraphs(article.text)),
        **dict.fromkeys(("createdAt", "updatedAt"), _clock(article.published)),
        "comments": [],
    }


def _author(name: str) -> Record:
    """Return who signs; an account that was deleted leaves no name."""
    if not name:
        return {"id": None, "name": "", "nickname": "", "deleted": True}
    return {"id": account_of(name), "name": name, "nickname": account_of(name), "deleted": False}


def _text(text: str) -> Record:
    return {"translations": [{"locale": "es", "text": text, "machineTranslated": False}]}


def _clock(written: str | None) -> str:
    return instant(written or "").astimezone(ZONE).isoformat()
