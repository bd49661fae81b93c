"""Feeds: RSS 2.0 with the dc and content modules, and Atom with thr:in-reply-to.

Facts from rssboard.org/rss-specification, RFC 4287 and RFC 4685. Newest first; of an entry that was edited both versions
stand in the document under one id (RFC 4287, 4.1.1), the older one first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from pipelines.pilot.records import Article, Message, Served, Site, article_url, instant, message_url
from pipelines.pilot.wire import Answer, Query, paragraphs

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom"'
)
BEFORE_ALL = datetime(2021, 3, 1, tzinfo=UTC)


class FeedSite:
    """Answers for one feed."""

    def __init__(self, served: Served) -> None:
        """Write the document once."""
        self.site = served.site
        articles = {article.id: article for article in served.articles}
        messages = sorted(served.messages, key=lambda message: message.published or "", reverse=True)
        newest = max([*(a.published for a in served.articles), *(m.published or "" for m in messages)], default="")
        moment = instant(newest) if newest else BEFORE_ALL
        if self.site.wire == "rss":
            items = [_rss_message(self.site, message, articles.get(message.article or 0)) for message in messages]
            pieces = sorted(served.articles, key=lambda article: article.published, reverse=True)
            items += [_rss_article(self.site, article) for article in pieces]
            document, content_type = _rss(self.site, items, moment), "application/rss+xml; charset=UTF-8"
        else:
            document = _atom(self.site, [_atom_entry(self.site, message) for message in messages], moment)
            content_type = "application/atom+xml; charset=UTF-8"
        # Validators depend on the content alone, so that the same month always answers the same.
        modified = {"Last-Modified": format_datetime(moment, usegmt=True)}
        self._answer = Answer(document.encode("utf-8"), content_type, headers=modified)

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the feed's own path."""
        return self._answer if path == self.site.path else None


def _rss(site: Site, items: list[str], moment: datetime) -> str:
    home = f"http://{site.host}/"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<rss version="2.0" {NAMESPACES}>\n<channel>\n<title>{escape(site.title)}</title>\n<link>{home}</link>\n'
        f"<description>{escape(site.title)}</description>\n<language>es-PE</language>\n"
        f'<atom:link href={quoteattr(home.rstrip("/") + site.path)} rel="self" type="application/rss+xml"/>\n'
        f"<lastBuildDate>{format_datetime(moment)}</lastBuildDate>\n" + "".join(items) + "</channel>\n</rss>\n"
    )


def _rss_message(site: Site, message: Message, article: Article | None) -> str:
    author = f"<dc:creator>{_cdata(message.author)}</dc:creator>\n" if message.author else ""
    title = f"<title>{escape(message.title)}</title>\n" if message.title else ""
    date = f"<pubDate>{escape(_rss_date(message))}</pubDate>\n" if _rss_date(message) else ""
    return (
        f"<item>\n{title}<link>{escape(message_url(site, message, article))}</link>\n{author}{date}"
        f'<guid isPermaLink="false">{escape(message.id)}</guid>\n<description>{_cdata(message.text[:200])}</description>\n'
        f"<content:encoded>{_cdata(paragraphs(message.text))}</content:encoded>\n</item>\n"
    )


def _rss_article(site: Site, article: Article) -> str:
    link = escape(article_url(site, article))
    return (
        f"<item>\n<title>{escape(article.title)}</title>\n<link>{link}</link>\n<dc:creator>{_cdata(article.author)}</dc:creator>\n"
        f'<pubDate>{format_datetime(instant(article.published))}</pubDate>\n<guid isPermaLink="true">{link}</guid>\n'
        f"<description>{_cdata(article.text[:200])}</description>\n"
        f"<content:encoded>{_cdata(paragraphs(article.text))}</content:encoded>\n</item>\n"
    )


def _rss_date(message: Message) -> str:
    return format_datetime(instant(message.published)) if message.published else message.date_shown or ""


def _atom(site: Site, entries: list[str], moment: datetime) -> str:
    home = f"http://{site.host}/"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="es-PE">\n'
        f"<title>{escape(site.title)}</title>\n<id>tag:{site.host},2021:feed</id>\n<updated>{_atom_date(moment)}</updated>\n"
        f'<link rel="self" href={quoteattr(home.rstrip("/") + site.path)}/>\n<link rel="alternate" href={quoteattr(home)}/>\n'
        + "".join(entries)
        + "</feed>\n"
    )


def _atom_entry(site: Site, message: Message) -> str:
    author = f"<author><name>{escape(message.author)}</name></author>\n" if message.author else ""
    reply = f"<thr:in-reply-to ref={quoteattr(message.parent)}/>\n" if message.parent else ""
    published = _atom_date(instant(message.published)) if message.published else message.date_shown or ""
    updated = _atom_date(instant(message.modified)) if message.modified else published
    dates = f"<published>{escape(published)}</published>\n<updated>{escape(updated)}</updated>\n" if published else ""
    return (
        f"<entry>\n<title>{escape(message.title or '')}</title>\n<id>{escape(message.id)}</id>\n"
        f'<link rel="alternate" href={quoteattr(message_url(site, message, None))}/>\n{author}{dates}{reply}'
        f'<content type="html">{escape(paragraphs(message.text))}</content>\n</entry>\n'
    )


def _atom_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
