"""HTML sites: an index with paging, and articles with a comment thread in the markup of the site.

`comment_list` is what WordPress prints by wp_list_comments(); `microdata` is schema.org/Comment, each with an address of its own;
`opinions` is a site of its own make, whose selectors stand in the city's file and whose long threads are paged.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from babel.dates import format_datetime

from pipelines.pilot.records import Article, Message, Served, Site, article_url, instant, native_id
from pipelines.pilot.wire import ZONE, Answer, Query, html_answer, paragraphs

ARTICLES_PER_PAGE = 15
MESSAGES_PER_PAGE = 20
CREATED = 'itemprop="dateCreated"'
WRITTEN_DATE = "d 'de' MMMM 'de' y, h:mm a"
Branches = dict[str | None, list[Message]]


class PageSite:
    """Answers for one HTML site."""

    def __init__(self, served: Served) -> None:
        """Index the articles, newest first, and their threads."""
        self.site = served.site
        self.articles = sorted(served.articles, key=lambda article: (article.published, article.id), reverse=True)
        self.threads: dict[int, list[Message]] = {article.id: [] for article in self.articles}
        for message in served.messages:
            if message.article not in self.threads:
                raise ValueError(f"{self.site.source}: message {message.id} hangs below no article ({message.article})")
            self.threads[message.article].append(message)
        self.by_path = {self._path(article): article for article in self.articles}
        self.by_permalink = {
            native_id(self.site, message): article for article in self.articles for message in self.threads[article.id]
        }
        self.write = LAYOUTS[self.site.wire]

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the index, its further pages, an article, or a further page of its thread."""
        whole, number = _numbered(path)
        if whole == self.site.path:
            return self._index(number)
        article = self.by_path.get(whole) or self.by_permalink.get(path)
        return self._thread(article, number) if article is not None else None

    def _path(self, article: Article) -> str:
        return article_url(self.site, article).partition(self.site.host)[2]

    def _index(self, number: int) -> Answer | None:
        start = (number - 1) * ARTICLES_PER_PAGE
        shown = self.articles[start : start + ARTICLES_PER_PAGE]
        if not shown:
            return None
        link = INDEX_LINKS[self.site.wire]
        items = "\n".join(link.format(href=self._path(article), title=escape(article.title)) for article in shown)
        more = len(self.articles) > start + ARTICLES_PER_PAGE
        following = f'<a class="next siguiente" rel="next" href="{self.site.path}pagina/{number + 1}/">»</a>' if more else ""
        return html_answer(_document(self.site, self.site.title, f"<main>\n{items}\n</main>\n<nav>{following}</nav>"))

    def _thread(self, article: Article, number: int) -> Answer | None:
        thread = self.threads[article.id]
        paged = self.site.wire == "opinions"
        start = (number - 1) * MESSAGES_PER_PAGE if paged else 0
        if start and (start >= len(thread) or not paged):
            return None
        shown = thread[start : start + MESSAGES_PER_PAGE] if paged else thread
        following = ""
        if paged and len(thread) > start + MESSAGES_PER_PAGE:
            following = f'<a class="mas-opiniones" href="{self._path(article)}pagina/{number + 1}/">»</a>'
        body = self.write(self.site, article, shown, number) + following
        return html_answer(_document(self.site, article.title, body))


def _numbered(path: str) -> tuple[str, int]:
    """Part "/temas/pagina/3/" into "/temas/" and 3; a path without a number is page 1."""
    head, mark, tail = path.rpartition("pagina/")
    number = tail.removesuffix("/")
    return (head, int(number)) if mark and number.isdecimal() and int(number) > 0 else (path, 1)


def _document(site: Site, title: str, body: str) -> str:
    heading = f"{escape(title)} | {escape(site.title)}"
    return (
        f'<!DOCTYPE html>\n<html lang="es-PE">\n<head><meta charset="utf-8"><title>{heading}</title></head>\n'
        f'<body>\n<header><a href="/">{escape(site.title)}</a></header>\n{body}\n</body>\n</html>\n'
    )


def _clock(moment: str) -> str:
    return instant(moment).astimezone(ZONE).isoformat()


def _time(message: Message, attributes: str = "") -> str:
    """Write the date of a message; none where it shows none, and an unreadable one as it stands."""
    if message.published is None and message.date_shown is None:
        return ""
    shown = _clock(message.published) if message.published else message.date_shown or ""
    return f'<time {attributes} datetime="{escape(shown)}">{escape(shown)}</time>'


def _branches(messages: list[Message]) -> Branches:
    known = {message.id for message in messages}
    branches: Branches = {}
    for message in messages:
        branches.setdefault(message.parent if message.parent in known else None, []).append(message)
    return branches


def _comment_list(site: Site, article: Article, messages: list[Message], number: int) -> str:
    branches = _branches(messages)
    return (
        f'<article class="post"><h1 class="entry-title">{escape(article.title)}</h1><time datetime="{_clock(article.published)}">'
        f'{_clock(article.published)[:10]}</time>\n<div class="entry-content">{paragraphs(article.text)}</div></article>\n'
        f'<div id="comments"><ol class="commentlist">\n{_list_items(branches, None, 1)}</ol></div>'
    )


def _list_items(branches: Branches, parent: str | None, depth: int) -> str:
    written = []
    for message in branches.get(parent, []):
        answers = _list_items(branches, message.id, depth + 1)
        children = f'<ol class="children">\n{answers}</ol>\n' if answers else ""
        written.append(
            f'<li class="comment depth-{depth}" id="comment-{message.id}"><div class="comment-body">\n'
            f'<div class="comment-author vcard"><cite class="fn">{escape(message.author)}</cite></div>\n'
            f'<div class="comment-meta commentmetadata"><a href="#comment-{message.id}">{_time(message)}</a></div>\n'
            f'<div class="comment-content">{paragraphs(message.text)}</div></div>\n{children}</li>\n'
        )
    return "".join(written)


def _microdata(site: Site, article: Article, messages: list[Message], number: int) -> str:
    kind = "NewsArticle" if article.text else "DiscussionForumPosting"
    body = f'<div itemprop="articleBody">{paragraphs(article.text)}</div>' if article.text else ""
    return (
        f'<article itemscope itemtype="https://schema.org/{kind}"><h1 itemprop="headline">{escape(article.title)}</h1>\n'
        f'<time itemprop="datePublished" datetime="{_clock(article.published)}"></time>\n{body}\n'
        f"{_micro_items(site, _branches(messages), None)}</article>"
    )


def _micro_items(site: Site, branches: Branches, parent: str | None) -> str:
    written = []
    for message in branches.get(parent, []):
        answers = _micro_items(site, branches, message.id)
        votes = "" if message.reactions is None else f'<span itemprop="upvoteCount">{message.reactions}</span>\n'
        author = f'<span itemprop="name">{escape(message.author)}</span>' if message.author else ""
        written.append(
            f'<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="{escape(message.id)}">\n'
            f'<link itemprop="url" href="{escape(native_id(site, message))}">'
            f'<span itemprop="author" itemscope itemtype="https://schema.org/Person">{author}</span>\n'
            f"{_time(message, CREATED)}\n"
            f'<div itemprop="text">{paragraphs(message.text)}</div>\n{votes}{answers}</div>\n'
        )
    return "".join(written)


def _opinions(site: Site, article: Article, messages: list[Message], number: int) -> str:
    head = f'<h1 class="titulo">{escape(article.title)}</h1>\n<p class="fecha">{_in_words(article.published)}</p>\n'
    body = f'<div class="nota">{paragraphs(article.text)}</div>\n' if number == 1 else ""
    written = []
    for message in messages:
        shown = _in_words(message.published) if message.published else escape(message.date_shown or "")
        parent = f' data-padre="{escape(message.parent)}"' if message.parent else ""
        votes = "" if message.reactions is None else f'<span class="votos">{message.reactions}</span>'
        written.append(
            f'<div class="opinion" data-id="{escape(message.id)}"{parent}><b class="nombre">{escape(message.author)}</b> '
            f'<span class="cuando">{shown}</span>{votes}\n<div class="dicho">{paragraphs(message.text)}</div></div>\n'
        )
    return f"{head}{body}<section>\n{''.join(written)}</section>\n"


def _in_words(moment: str) -> str:
    return format_datetime(instant(moment).astimezone(ZONE), WRITTEN_DATE, locale="es_PE")


LAYOUTS: dict[str, Callable[[Site, Article, list[Message], int], str]] = {
    "comment_list": _comment_list,
    "microdata": _microdata,
    "opinions": _opinions,
}
"""Wire -> how an article with its thread is written."""

INDEX_LINKS = {
    "comment_list": '<article><h2 class="entry-title"><a href="{href}">{title}</a></h2></article>',
    "microdata": '<div itemscope><a itemprop="url" href="{href}">{title}</a></div>',
    "opinions": '<h3 class="titular"><a href="{href}">{title}</a></h3>',
}
"""Wire -> how an index page links an article."""
