"""How HTML sites write their indexes, articles and threads, and what stands in a page by that: bytes -> plain values, pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from parsel import Selector
from pydantic import Field

from collectors.catalog import Closed
from collectors.html_tree import declared_address, parse_html
from collectors.text import MarkupError, html_to_text


class ArticleSelectors(Closed):
    """Where an article shows what it is. A selector is CSS; `css@attribute` takes an attribute instead of the text."""

    title: str = Field("h1", description="Headline or topic.")
    date: str | None = Field(None, description="Date of the article.")
    body: str | None = Field(None, description="Text of the article; none for a forum topic.")


class CommentSelectors(Closed):
    """Where a comment shows what it is; each selector is looked up inside the comment, its answers left out."""

    item: str = Field(description="One comment, nested answers included.")
    text: str
    author: str | None = None
    date: str | None = None
    id: str = Field(default="@id", description="`@attribute` alone is an attribute of the comment itself.")
    parent: str | None = Field(default=None, description="Id of the comment answered; without it, the comment around this one.")
    reactions: str | None = None


class Markup(Closed):
    """How a site writes its index, its articles and its threads."""

    article_links: str
    next_page: str | None = None
    article: ArticleSelectors = Field(default_factory=lambda: ArticleSelectors.model_validate({}))
    comment: CommentSelectors
    more_comments: str | None = None


MARKUPS: dict[str, Markup] = {
    "comment_list": Markup(
        article_links="article h2 a, article h3 a, .entry-title a",
        next_page="a.next, a[rel=next]",
        article=ArticleSelectors(title="h1", date="article time@datetime", body="article .entry-content"),
        comment=CommentSelectors(
            item="li.comment",
            text=".comment-content, .wp-block-comment-content",
            author="cite.fn, .comment-author .fn, .wp-block-comment-author-name",
            date="time@datetime",
        ),
        more_comments=".comment-navigation a.next, a.next-comments, a.wp-block-comments-pagination-next",
    ),
    "microdata": Markup(
        article_links="a[itemprop=url], article h2 a",
        next_page="a[rel=next]",
        article=ArticleSelectors(
            title="[itemprop=headline], h1", date="[itemprop=datePublished]@datetime", body="[itemprop=articleBody]"
        ),
        comment=CommentSelectors(
            item="[itemtype$='schema.org/Comment']",
            text="[itemprop=text]",
            author="[itemprop=author] [itemprop=name], [itemprop=author]",
            date="[itemprop=dateCreated]@datetime, [itemprop=datePublished]@datetime",
            reactions="[itemprop=upvoteCount]",
        ),
        more_comments="a[rel~=next][class~=comments]",
    ),
}
"""Markup known by name."""


_PLAIN_NAMES = "a abbr address b bdi cite dd div dt em h1 h2 h3 h4 h5 h6 i li p small span strong td time"
_PLAIN_ELEMENTS = frozenset(_PLAIN_NAMES.split())
"""Elements that add nothing to the text in them."""


class IndexFound(NamedTuple):
    """What an index page links to, as written."""

    articles: list[str]
    following: str | None


class CommentFound(NamedTuple):
    """One comment as its page shows it; None for what it does not show."""

    id: str | None
    author: str | None
    raw: str | None
    text: str
    parent: str | None
    reactions: str | None


class ThreadFound(NamedTuple):
    """An article with the comments of one page."""

    title: str | None
    raw: str | None
    text: str | None
    """None if the article's body does not stand on the page, or is not asked for."""

    comments: list[CommentFound]
    unreadable: int
    """Comments whose markup cannot be read."""

    following: str | None
    declared: str | None
    """The address that the page declares to be its own, as written."""

    unread_characters: int
    """Length of the text that the page shows, where none of this was found in it; else 0."""


def read_index(document: bytes, *, url: str, content_type: str, articles: str, following: str | None) -> IndexFound:
    """Return the links of an index page.

    Args:
        document: the page.
        url: not looked at.
        content_type: the header of that name.
        articles: CSS of the links to articles.
        following: CSS of the link to the next index page.

    Raises:
        SourceProblem: as `parse_html` does.
    """
    page = parse_html(document, content_type=content_type)
    next_page = page.css(following).xpath("@href").get() if following else None
    return IndexFound(page.css(articles).xpath("@href").getall(), next_page)


def read_thread(document: bytes, *, url: str, content_type: str, markup: Mapping[str, Any]) -> ThreadFound:
    """Return the article and the comments of a page.

    Args:
        document: the page.
        url: not looked at.
        content_type: the header of that name.
        markup: a `Markup` as plain values.

    Raises:
        MarkupError: if the article's text cannot be read.
        SourceProblem: as `parse_html` does.
    """
    known = Markup.model_validate(markup)
    page = parse_html(document, content_type=content_type)
    items = page.css(known.comment.item)
    identities = {id(item.root) for item in items}
    comments, unreadable = [], 0
    for item in items:
        try:
            comments.append(_comment(item, known.comment, identities))
        except MarkupError:
            unreadable += 1
    article = known.article
    title, raw = _pick(page, article.title), _pick(page, article.date)
    body = page.css(article.body).get() if article.body else None
    text = html_to_text(body) if body else None
    following = page.css(known.more_comments).xpath("@href").get() if known.more_comments else None
    unread = 0 if comments or unreadable or title or raw or text else len(html_to_text(page.get() or ""))
    return ThreadFound(title, raw, text, comments, unreadable, following, declared_address(page), unread)


def _comment(item: Selector, known: CommentSelectors, items: set[int]) -> CommentFound:
    return CommentFound(
        id=_own(item, known.id, items),
        author=_own(item, known.author, items),
        raw=_own(item, known.date, items),
        text=html_to_text(_own_markup(item, known.text, items)),
        parent=_own(item, known.parent, items) if known.parent else _around(item, known, items),
        reactions=_own(item, known.reactions, items),
    )


def _pick(scope: Selector, selector: str | None) -> str | None:
    """Return the first value of `css`, `css@attribute` or `@attribute`; alternatives are separated by commas."""
    return _first_value(_nodes(scope, selector))


def _first_value(nodes: Iterator[tuple[Selector, str | None]]) -> str | None:
    for node, attribute in nodes:
        value = node.root.get(attribute) if attribute else _text_of(node)
        if value and value.strip():
            return " ".join(value.split())
    return None


def _text_of(node: Selector) -> str:
    """Return the text of an element; of one that holds nothing but text, without parsing it again."""
    root: Any = node.root
    if len(root) == 0 and root.tag in _PLAIN_ELEMENTS:
        return root.text or ""
    return html_to_text(node.get())


def _nodes(scope: Selector, selector: str | None) -> Iterator[tuple[Selector, str | None]]:
    for alternative in (selector or "").split(","):
        css, _, attribute = alternative.strip().partition("@")
        if css or attribute:
            for node in scope.css(css) if css else [scope]:
                yield node, attribute or None


def _own_nodes(item: Selector, selector: str | None, items: set[int]) -> Iterator[tuple[Selector, str | None]]:
    """Yield the matches that belong to this comment and not to an answer nested in it."""
    for node, attribute in _nodes(item, selector):
        around: Any = node.root
        while around is not None and id(around) not in items:
            around = around.getparent()
        if around is item.root:
            yield node, attribute


def _own(item: Selector, selector: str | None, items: set[int]) -> str | None:
    return _first_value(_own_nodes(item, selector, items))


def _own_markup(item: Selector, selector: str, items: set[int]) -> str:
    node = next((node for node, _ in _own_nodes(item, selector, items)), None)
    return str(node.get()) if node is not None else ""


def _around(item: Selector, known: CommentSelectors, items: set[int]) -> str | None:
    """Return the id of the comment that this one is nested in, or None."""
    around: Any = item.root.getparent()
    while around is not None and id(around) not in items:
        around = around.getparent()
    return around.get(known.id.partition("@")[2]) if around is not None else None
