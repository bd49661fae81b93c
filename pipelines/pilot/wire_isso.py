"""Isso: a thread for each page of a blog, the number of comments of many threads, and the sitemap that lists the pages.

Facts from isso-comments.de/docs/reference/server-api: `GET /?uri=` brings a thread, its answers one level deep; `POST /count`
counts; `GET /latest` is closed unless an administrator opens it, and here nobody did. `created` is in seconds since 1970.
"""

from __future__ import annotations

import html
import json
from typing import Any
from xml.sax.saxutils import escape

from pipelines.pilot.records import Article, Message, Served, article_url, instant
from pipelines.pilot.wire import Answer, Query, html_answer, json_answer, paragraphs, threads_of

FOLDER = "isso/"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"

Row = dict[str, Any]


class IssoSite:
    """Answers for a blog and, in the folder `isso` of it, for its Isso server."""

    def __init__(self, served: Served) -> None:
        """Find the threads by the paths of their pages once."""
        self.site = served.site
        self.articles = {article_url(self.site, article).partition(self.site.host)[2]: article for article in served.articles}
        threads = threads_of(served)
        self.threads = {path: threads.get(article.id, []) for path, article in self.articles.items()}

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer a thread, the sitemap, or a page of the blog."""
        if path == f"{self.site.path}{FOLDER}":
            return self._thread(query["uri"][-1]) if "uri" in query else json_answer({"message": "missing uri query"}, status=400)
        if path == f"{self.site.path}sitemap.xml":
            return Answer(self._sitemap().encode(), "application/xml; charset=utf-8")
        return _page(self.articles[path]) if path in self.articles else None

    def post(self, path: str, body: bytes) -> Answer | None:
        """Answer how many comments each of a list of threads has."""
        if path != f"{self.site.path}{FOLDER}count":
            return None
        try:
            uris = json.loads(body)
        except ValueError:
            uris = None
        if not isinstance(uris, list):
            return json_answer({"message": "JSON must be a list of URLs"}, status=400)
        return json_answer([len(self.threads.get(str(uri), ())) for uri in uris])

    def _sitemap(self) -> str:
        pages = "".join(
            f"<url><loc>{escape(article_url(self.site, article))}</loc><lastmod>{article.published}</lastmod></url>\n"
            for article in self.articles.values()
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SITEMAPS}">\n{pages}</urlset>\n'

    def _thread(self, uri: str) -> Answer:
        thread = self.threads.get(uri, [])
        tops = {message.id: _top(message, {one.id: one for one in thread}) for message in thread}
        first = [_row(message, None) for message in thread if tops[message.id] == message.id]
        for row in first:
            below = [message for message in thread if tops[message.id] == str(row["id"]) != message.id]
            answers = [_row(message, row["id"]) for message in below]
            row |= {"replies": answers, "total_replies": len(answers), "hidden_replies": 0}
        return json_answer({"id": None, "total_replies": len(first), "hidden_replies": 0, "replies": first})


def _top(message: Message, by_id: dict[str, Message]) -> str:
    """Return the id of the first-level comment above a message: Isso keeps no deeper levels."""
    while message.parent in by_id:
        message = by_id[message.parent]
    return message.id


def _row(message: Message, parent: int | None) -> Row:
    return {
        "id": int(message.id),
        "parent": parent,
        "mode": 1,
        "created": instant(message.published or "").timestamp(),
        "modified": None,
        "text": paragraphs(message.text),
        "author": html.escape(message.author, quote=False) or None,
        "website": None,
        "likes": message.reactions or 0,
        "dislikes": 0,
    }


def _page(article: Article) -> Answer:
    title = html.escape(article.title)
    script = f'<script data-isso="/{FOLDER}" src="/{FOLDER}js/embed.min.js"></script><section id="isso-thread"></section>'
    body = f"<h1>{title}</h1>{paragraphs(article.text)}{script}"
    return html_answer(f"<!DOCTYPE html><html lang=es><title>{title}</title>{body}</html>")
