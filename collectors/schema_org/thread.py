"""schema.org nodes -> the article of a page and the messages of people about it.

Facts from schema.org (Comment, UserComments, DiscussionForumPosting, Question, Answer, Review, InteractionCounter) and from
Google Search Central, "Discussion forum structured data" (developers.google.com/search/docs/appearance/structured-data/
discussion-forum): comments nested in what they answer, a later page of a thread repeats its first post as a stub without
text, `creativeWorkStatus` "Deleted". Questions of an FAQPage are the publisher's own and no message.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urldefrag, urlsplit

from collectors.schema_org.graph import Graph, first, kinds_of, scalar
from collectors.text import MarkupError, html_to_text
from collectors.values import parse_count

MESSAGES = frozenset(("Comment", "UserComments", "DiscussionForumPosting", "Question", "Answer", "Review", "UserReview"))
OPENINGS = frozenset(("DiscussionForumPosting", "Question"))
"""What opens a thread by itself; not in answer to an article."""

_TEXTS = ("text", "commentText", "reviewBody", "articleBody", "description")
_PUBLISHED = ("dateCreated", "datePublished", "commentTime", "uploadDate")
_LIKES = ("LikeAction", "VoteAction", "AgreeAction", "UserLikes")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--")
_DIGIT = re.compile(r"\d")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, or the article; None and "" for what its node does not say."""

    opens: bool
    """True if it opens a thread of its own (a forum's first post, a question), in answer to no article."""

    key: str | None
    """What names it in its page: `#fragment`, a path, or an id of its own; None if nothing does."""

    url: str | None
    author: str | None
    title: str | None
    text: str
    published: str | None
    modified: str | None
    reactions: int | None
    parent: int | None
    """Index, in the thread's messages, of the one that it answers."""

    withheld: bool = False
    """True for a stub of a post that stands elsewhere, and for one that was deleted."""


@dataclass
class Thread:
    """What one page holds."""

    article: Message | None = None
    messages: list[Message] = field(default_factory=list)
    nodes: int = 0
    unreadable: int = 0
    """Messages whose markup cannot be read."""


def read_thread(documents: Iterable[Any], *, url: str) -> Thread:
    """Return the article and the messages that nodes describe, in the order of the page.

    Args:
        documents: nodes, lists of nodes and graphs, as `parse_json_ld` and `parse_markup` give them.
        url: address of the page, which keys and relative addresses are about.
    """
    graph, thread = Graph(list(documents), url), Thread()
    for node, parent in graph.walk():
        thread.nodes += 1
        kinds = kinds_of(node)
        is_article = thread.article is None and any(kind.endswith(("Article", "BlogPosting")) for kind in kinds)
        try:
            message = _message(node, kinds, parent, graph) if is_article or kinds & MESSAGES else None
        except MarkupError:
            thread.unreadable += 1
            continue
        if message is not None and kinds & MESSAGES:
            graph.name(node, len(thread.messages))
            thread.messages.append(message)
        elif message is not None:
            thread.article = message
    for number, message in enumerate(thread.messages):
        answered = graph.answered(number) if message.parent is None else None
        if answered is not None:
            thread.messages[number] = replace(message, parent=answered, opens=False)
    _drop_shared_keys(thread.messages)
    return thread


def _message(node: dict[str, Any], kinds: frozenset[str], parent: int | None, graph: Graph) -> Message:
    title = to_text(scalar(node.get("headline")) or scalar(node.get("name")) or "") or None
    names = _TEXTS if kinds & MESSAGES else ("articleBody", "description")
    text = next((plain for name in names if (plain := to_text(scalar(node.get(name)) or ""))), "")
    if "Question" in kinds or not kinds & MESSAGES:
        text = text or title or ""
    link = scalar(node.get("url")) or scalar(node.get("@id"))
    opens = bool(kinds & OPENINGS) and parent is None
    return Message(
        opens=opens,
        key=_key(node, graph, opens=opens),
        url=graph.join(link) if link else None,
        author=_author(node, graph),
        title=title,
        text=text,
        published=next(filter(None, (scalar(node.get(name)) for name in _PUBLISHED)), None),
        modified=scalar(node.get("dateModified")),
        reactions=_likes(node),
        parent=parent,
        withheld=scalar(node.get("creativeWorkStatus")) == "Deleted" or (opens and not text),
    )


def _key(node: dict[str, Any], graph: Graph, *, opens: bool) -> str | None:
    """Return what names a node in its page or beyond it; None if nothing does, or only within this copy of the page."""
    page = urldefrag(graph.url).url
    for name in ("url", "@id"):
        raw = scalar(node.get(name))
        if not raw or raw.startswith("_:"):
            continue
        address, _, fragment = graph.join(raw).partition("#")
        if fragment:
            # "#comments" and "#respond" name a place of the page, the same for every message.
            if _DIGIT.search(fragment):
                return f"#{fragment}"
            continue
        if opens or address.rstrip("/") != page.rstrip("/"):
            return _place(address, page)
    identifier = first(node.get("identifier"))
    named = scalar(identifier.get("value") if isinstance(identifier, dict) else identifier)
    element = scalar(node.get("#id"))
    named = named or (element if element and _DIGIT.search(element) else None)
    return f"#{named}" if named else None


def _place(address: str, page: str) -> str:
    """Return an address without its host, if that is the page's own; one that cannot be read stays as it is."""
    try:
        return place_of(address) if urlsplit(address).netloc == urlsplit(page).netloc else address
    except ValueError:
        return address


def place_of(url: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _drop_shared_keys(messages: list[Message]) -> None:
    """Take the key from messages that share one and yet say different things: it names something else."""
    said: dict[str, set[str]] = {}
    for message in messages:
        if message.key is not None and not message.withheld:
            said.setdefault(message.key, set()).add(message.text)
    shared = {key for key, texts in said.items() if len(texts) > 1}
    messages[:] = [replace(message, key=None) if message.key in shared else message for message in messages]


def _author(node: dict[str, Any], graph: Graph) -> str | None:
    value = first(node.get("author") or node.get("creator"))
    if isinstance(value, dict):
        person = graph.resolve(value)
        value = next(filter(None, (first(person.get(name)) for name in ("name", "alternateName", "givenName"))), None)
    name = to_text(scalar(value) or "")
    return None if not name or name.startswith(("http://", "https://")) else name


def _likes(node: dict[str, Any]) -> int | None:
    """Return the votes for a node; None if it tells none (which is not zero)."""
    given = parse_count(scalar(node.get("upvoteCount")))
    if given is not None:
        return given
    counters = node.get("interactionStatistic")
    counts: dict[str, int] = {}
    for counter in counters if isinstance(counters, list) else [counters]:
        if isinstance(counter, dict):
            kind = first(counter.get("interactionType"))
            count = parse_count(scalar(counter.get("userInteractionCount")))
            for name in kinds_of(kind if isinstance(kind, dict) else {"@type": kind}):
                counts |= {name: count} if count is not None else {}
    return next((counts[name] for name in _LIKES if name in counts), None)


def to_text(raw: str) -> str:
    """Return a value as plain text: HTML as its text, plain text with its lines.

    Raises:
        MarkupError: if it is HTML that cannot be read at all.
    """
    for _ in range(2):
        if _TAG.search(raw) or not _ENTITY.search(raw):
            break
        raw = html.unescape(raw)
    return html_to_text(raw) if _TAG.search(raw) else raw.strip()
