"""schema.org data that pages embed: JSON-LD, microdata, RDFa -> nodes -> the messages of people in them; pure."""

from __future__ import annotations

from typing import NamedTuple

from parsel import Selector

from collectors.html_tree import declared_address, parse_html
from collectors.schema_org.json_ld import parse_json_ld
from collectors.schema_org.markup import MICRODATA, RDFA, parse_markup
from collectors.schema_org.thread import Message, Thread, place_of, read_thread

__all__ = ["Document", "Message", "PageData", "Thread", "place_of", "read_document", "read_page"]

_SCRIPTS = "//script[contains(translate(@type, 'LDJSON', 'ldjson'), 'ld+json')]"


class PageData(NamedTuple):
    """What a page embeds."""

    thread: Thread
    problems: list[str]
    """What was lost, in words that quote nobody."""

    is_empty: bool
    """True if the page holds no schema.org data of any kind."""


def read_page(page: Selector, *, url: str) -> PageData:
    """Return what the syntax tells that has the most messages, with the article of the first that has one.

    The same comments are often told twice, in JSON-LD and in the markup; read together they would count double.
    """
    documents, problems = parse_json_ld(script.xpath("string()").get() or "" for script in page.xpath(_SCRIPTS))
    threads = [read_thread(documents, url=url)]
    for names in (MICRODATA, RDFA):
        nodes, whole = parse_markup(page, names)
        threads.append(read_thread(nodes, url=url))
        problems += [] if whole else ["marked-up data beyond what is read of one page"]
    problems += [f"{thread.unreadable} messages whose markup cannot be read" for thread in threads if thread.unreadable]
    fullest = max(threads, key=lambda thread: sum(bool(message.text) and not message.withheld for message in thread.messages))
    article = next((thread.article for thread in threads if thread.article is not None), None)
    return PageData(Thread(article, fullest.messages), problems, not any(thread.nodes for thread in threads))


class Document(NamedTuple):
    """A page with the address of the next page of its thread and that which it declares to be its own, as written."""

    data: PageData
    following: str | None
    declared: str | None


def read_document(document: bytes, *, url: str, content_type: str, following: str | None) -> Document:
    """Return what a page embeds.

    Args:
        document: the page as it came.
        url: its address.
        content_type: the header of that name.
        following: CSS of the link to the next page of the thread.

    Raises:
        SourceProblem: as `parse_html` does.
    """
    page = parse_html(document, content_type=content_type)
    next_page = page.css(following).xpath("@href").get() if following else None
    return Document(read_page(page, url=url), next_page, declared_address(page))
