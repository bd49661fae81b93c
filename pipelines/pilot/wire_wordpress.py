"""WordPress REST API: /wp-json/, posts and comments, with its paging headers and its errors.

Facts from developer.wordpress.org/rest-api (reference/posts, reference/comments, using-the-rest-api/pagination):
`per_page` 1 to 100; `after` and `before` exclude the instant itself and, without an offset, are read on the site's clock;
beyond the last page posts answer 400 and comments an empty list; `date` is local and `date_gmt` UTC, both without offset.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pipelines.pilot.records import Article, Message, Served, article_url, instant, message_url
from pipelines.pilot.wire import ZONE, Answer, Query, html_answer, local, paragraphs

MAX_PAGE = 100
ORDERS = {"posts": ("date", "id", "modified", "title", "slug"), "comments": ("date_gmt", "date", "id", "post", "parent")}
Row = dict[str, Any]


class ParameterError(ValueError):
    """A query parameter that WordPress refuses."""

    def __init__(self, name: str, message: str) -> None:
        """Remember which parameter it is."""
        super().__init__(message)
        self.name = name


class WordPressSite:
    """Answers for one WordPress site."""

    def __init__(self, served: Served) -> None:
        """Prepare the rows of both collections once."""
        self.site = served.site
        self.articles = {article.id: article for article in served.articles}
        self.root = f"http://{self.site.host}{self.site.path}wp-json/"
        authors = {name: number for number, name in enumerate(sorted({a.author for a in served.articles}), start=1)}
        self.rows: dict[str, list[Row]] = {
            "posts": [self._post(article, authors[article.author]) for article in served.articles],
            "comments": [self._comment(message) for message in served.messages],
        }
        self.pages = {article_url(self.site, article).partition(self.site.host)[2]: article for article in served.articles}

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the API and the pages that point to it."""
        inner = path.removeprefix(self.site.path) if path.startswith(self.site.path) else None
        if inner is None:
            return None
        if inner.rstrip("/") == "wp-json":
            return self._json(self._index())
        collection = inner.removeprefix("wp-json/wp/v2/").rstrip("/")
        if inner.startswith("wp-json/wp/v2/") and collection in self.rows:
            return self._collection(collection, query)
        if inner.startswith("wp-json"):
            return self._error(404, "rest_no_route", "No route was found matching the URL and request method.")
        return self._page(path, inner)

    def _page(self, path: str, inner: str) -> Answer | None:
        link = {"Link": f'<{self.root}>; rel="https://api.w.org/"'}
        title = html.escape(self.site.title)
        if not inner:
            items = "".join(
                f'<h2 class="entry-title"><a href="{page}">{html.escape(a.title)}</a></h2>' for page, a in self.pages.items()
            )
            head = f'<link rel="https://api.w.org/" href="{self.root}">'
            top = f"<!DOCTYPE html><html lang=es><head><title>{title}</title>{head}</head>"
            return html_answer(f"{top}{items}</html>", headers=link)
        article = self.pages.get(path)
        if article is None:
            return None
        heading = html.escape(article.title)
        body = f"<article><h1>{heading}</h1>{paragraphs(article.text)}</article>"
        return html_answer(f"<!DOCTYPE html><html lang=es><title>{heading} | {title}</title>{body}</html>", headers=link)

    def _index(self) -> Row:
        routes = {f"/wp/v2/{name}": {"namespace": "wp/v2", "methods": ["GET"]} for name in self.rows}
        return {
            "name": self.site.title,
            "description": "",
            "url": self.root.removesuffix("/wp-json/"),
            "home": self.root.removesuffix("/wp-json/"),
            "gmt_offset": "-5",
            "timezone_string": str(ZONE),
            "namespaces": ["oembed/1.0", "wp/v2"],
            "authentication": [],
            "routes": {"/wp/v2": {"namespace": "wp/v2", "methods": ["GET"]}, **routes},
        }

    def _collection(self, name: str, query: Query) -> Answer:
        try:
            rows = self._selected(name, query)
            per_page = _whole(query, "per_page", 10, most=MAX_PAGE)
            page = _whole(query, "page", 1)
            skipped = _whole(query, "offset", (page - 1) * per_page, least=0)
        except ParameterError as error:
            data = {"params": {error.name: str(error)}, "details": {}}
            return self._error(400, "rest_invalid_param", f"Invalid parameter(s): {error.name}", data)
        pages = -(-len(rows) // per_page)
        if name == "posts" and page > max(pages, 1):
            message = "The page number requested is larger than the number of pages available."
            return self._error(400, "rest_post_invalid_page_number", message)
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        links = {"prev": page - 1 if page > 1 else 0, "next": page + 1 if page < pages else 0}
        written = [f'<{self._page_url(name, query, number)}>; rel="{rel}"' for rel, number in links.items() if number]
        if written:
            headers["Link"] = ", ".join(written)
        window = rows[skipped : skipped + per_page]
        shown = [{field: value for field, value in row.items() if field != "_local"} for row in window]
        return self._json(shown, headers=headers)

    def _page_url(self, name: str, query: Query, number: int) -> str:
        given = {key: values[-1] for key, values in query.items()} | {"page": str(number)}
        return f"{self.root}wp/v2/{name}?{urlencode(given)}"

    def _selected(self, name: str, query: Query) -> list[Row]:
        rows = self.rows[name]
        after, before = _moment(query, "after"), _moment(query, "before")
        rows = [r for r in rows if (after is None or r["_local"] > after) and (before is None or r["_local"] < before)]
        if name == "comments" and "post" in query:
            posts = {int(part) for part in query["post"][-1].split(",") if part.isdecimal()}
            rows = [row for row in rows if row["post"] in posts]
        orderby = _choice(query, "orderby", ORDERS[name])
        key: Callable[[Row], Any] = lambda row: (_sort_value(row, orderby), row["id"])  # noqa: E731 (typed in place)
        return sorted(rows, key=key, reverse=_choice(query, "order", ("desc", "asc")) == "desc")

    def _post(self, article: Article, author: int) -> Row:
        moment, rendered = instant(article.published), paragraphs(article.text)
        return {
            "id": article.id,
            **_dates(moment),
            "guid": {"rendered": f"http://{self.site.host}{self.site.path}?p={article.id}"},
            "modified": local(moment).isoformat(),
            "modified_gmt": moment.replace(tzinfo=None).isoformat(),
            "slug": article.slug,
            "status": "publish",
            "type": "post",
            "link": article_url(self.site, article),
            "title": {"rendered": html.escape(article.title, quote=False).replace('"', "&#8221;")},
            "content": {"rendered": rendered, "protected": False},
            "excerpt": {"rendered": paragraphs(article.text[:120].rpartition(" ")[0] + " […]"), "protected": False},
            "author": author,
            "comment_status": "open",
            "ping_status": "closed",
            "meta": [],
            "_local": local(moment),
        }

    def _comment(self, message: Message) -> Row:
        if message.published is None or message.article is None:
            raise ValueError(f"{self.site.source}: comment {message.id} needs a date and an article in WordPress")
        moment = instant(message.published)
        face = hashlib.md5(message.author.encode(), usedforsecurity=False).hexdigest()
        avatars = {size: f"http://{self.site.host}/avatar/{face}?s={size}&d=mm" for size in ("24", "48", "96")}
        return {
            "id": int(message.id),
            "post": message.article,
            "parent": int(message.parent or 0),
            "author": 0,
            "author_name": message.author,
            "author_url": "",
            **_dates(moment),
            "content": {"rendered": paragraphs(message.text)},
            "link": message_url(self.site, message, self.articles[message.article]),
            "status": "approved",
            "type": "comment",
            "author_avatar_urls": avatars,
            "meta": [],
            "_local": local(moment),
        }

    def _json(self, value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        body = json.dumps(value, ensure_ascii=True).replace("/", "\\/").encode()
        shown = {"Link": f'<{self.root}>; rel="https://api.w.org/"', "X-Robots-Tag": "noindex", **(headers or {})}
        return Answer(body, "application/json; charset=UTF-8", status, shown)

    def _error(self, status: int, code: str, message: str, data: Mapping[str, Any] | None = None) -> Answer:
        return self._json({"code": code, "message": message, "data": {"status": status, **(data or {})}}, status=status)


def _dates(moment: datetime) -> Row:
    return {"date": local(moment).isoformat(), "date_gmt": moment.replace(tzinfo=None).isoformat()}


def _sort_value(row: Row, orderby: str) -> Any:
    if orderby in ("date", "date_gmt", "modified"):
        return row["_local"]
    return row[orderby]["rendered"] if orderby == "title" else row[orderby]


def _whole(query: Query, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    written = query[name][-1] if name in query else str(default)
    if not written.isdecimal():
        raise ParameterError(name, f"{name} is not of type integer.")
    value = int(written)
    if value < least or (most is not None and value > most):
        limit = f"between {least} (inclusive) and {most} (inclusive)" if most else f"greater than or equal to {least}"
        raise ParameterError(name, f"{name} must be {limit}")
    return value


def _choice(query: Query, name: str, allowed: Sequence[str]) -> str:
    value = query[name][-1] if name in query else allowed[0]
    if value not in allowed:
        raise ParameterError(name, f"{name} is not one of {', '.join(allowed)}.")
    return value


def _moment(query: Query, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        given = datetime.fromisoformat(query[name][-1])
    except ValueError as error:
        raise ParameterError(name, "Invalid date.") from error
    return local(given.astimezone(UTC)) if given.tzinfo else given
