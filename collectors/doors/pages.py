"""What one page tells of itself: its engine, its feeds, the comment systems that it embeds, its terms; pure.

Facts: meta `generator` and `link rel=alternate` (HTML standard, autodiscovery of feeds), the REST API's `Link` header
(developer.wordpress.org/rest-api/using-the-rest-api/discovery), and what the engines print: phpBB's `body#phpbb`, SMF's
`smf_scripturl`, MyBB's `my_post_key`, Decidim's packs, Mastodon's `div#mastodon`; Isso's `data-isso` (isso-comments.de/docs/
reference/client-config), Disqus's `https://NAME.disqus.com/embed.js` (help.disqus.com, "Universal Embed Code").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from parsel import Selector
from scrapy.http import Response

from collectors.doors.model import plain
from collectors.doors.wording import load_words
from collectors.feeds.model import absolute
from collectors.health import SourceProblem
from collectors.html_tree import parse_html, parse_markup
from collectors.network import site_of
from collectors.spiders.base import header
from collectors.spiders.page_markup import MARKUPS
from collectors.spiders.wordpress_addresses import api_root

MOST_LOOKED_AT = 1_000_000
"""Characters of a page in which fingerprints are looked for."""

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_OTHER_DOCUMENTS = (b"<rss", b"<feed", b"<rdf:rdf", b"<urlset", b"<sitemapindex")
_DISQUS = re.compile(
    r"""//([A-Za-z0-9_-]{1,60})\.disqus\.com/(?:embed|count)\.js|disqus_shortname\s*=\s*["']([A-Za-z0-9_-]{1,60})["']"""
)
_ISSO_DEFAULT = re.compile(r"/js/(?:embed|count)(?:\.min)?\.js$")


@dataclass(frozen=True)
class FeedLink:
    """A feed that a page names."""

    url: str
    title: str
    of_comments: bool
    """True if its name or address says that it holds comments."""


class Page:
    """One HTML page, looked at."""

    def __init__(self, response: Response) -> None:
        """Parse the page once."""
        self.response, self.url = response, response.url
        self.selector: Selector = _selector(response)

    @cached_property
    def text(self) -> str:
        """The page as it is written, up to `MOST_LOOKED_AT`."""
        return str(self.selector.get())[:MOST_LOOKED_AT]

    @property
    def is_html(self) -> bool:
        """True if the answer is a page at all, and no feed or table that is served as one."""
        head = self.response.body[:3_000].lower()
        if any(mark in head for mark in _OTHER_DOCUMENTS):
            return False
        return b"html" in (self.response.headers.get("Content-Type") or b"").lower() or b"<html" in head or b"<body" in head

    @property
    def site(self) -> str:
        """The site that the page is of."""
        return site_of(urlsplit(self.url).hostname or "")

    def meta(self, name: str) -> str:
        """Return the content of a meta element, by `name` or `property`; "" if it has none."""
        named = "translate(@name, 'GENRATOPLICN', 'genratoplicn')"
        found = self.selector.xpath(f"//meta[{named}=$name or @property=$name]/@content", name=name).get()
        return plain(found)

    @cached_property
    def generator(self) -> str:
        """What made the page, as it says itself; "" if it does not say."""
        return self.meta("generator")

    @cached_property
    def title(self) -> str:
        """The site's name or, where it tells none, the title of the page."""
        return self.meta("og:site_name") or plain(self.selector.css("title::text").get())

    @cached_property
    def terms(self) -> str | None:
        """Address of the terms that the page links to: the first link whose words say so, of those on this site."""
        wanted = re.compile("|".join(load_words().terms), re.IGNORECASE)
        for link in self.selector.css("a[href]"):
            said = plain(" ".join(link.css("::text").getall()))
            address = absolute(link.attrib["href"], self.url)
            if address and wanted.search(said) and site_of(urlsplit(address).hostname or "") == self.site:
                return address
        return None

    @cached_property
    def feeds(self) -> list[FeedLink]:
        """The feeds that the page names, those of comments first, each once."""
        wanted = re.compile("|".join(load_words().comments), re.IGNORECASE)
        found: dict[str, FeedLink] = {}
        for link in self.selector.css("link[rel~=alternate][href]"):
            address = absolute(link.attrib["href"], self.url)
            if address and link.attrib.get("type", "").partition(";")[0].strip().lower() in _FEED_TYPES:
                title = plain(link.attrib.get("title"))
                of_comments = bool(wanted.search(title) or wanted.search(urlsplit(address).path))
                found.setdefault(address, FeedLink(address, title, of_comments))
        return sorted(found.values(), key=lambda feed: not feed.of_comments)

    @cached_property
    def articles(self) -> list[str]:
        """Addresses of articles that the page lists, on this site, each once, in the order of the page."""
        found: dict[str, None] = {}
        for markup in MARKUPS.values():
            for href in self.selector.css(markup.article_links).xpath("@href").getall():
                address = absolute(href, self.url)
                if address and site_of(urlsplit(address).hostname or "") == self.site and address.partition("#")[0] != self.url:
                    found[address.partition("#")[0]] = None
        return list(found)

    @cached_property
    def wordpress_root(self) -> str | None:
        """Root of the WordPress API that the page names; None if it names none."""
        return api_root(self.response)

    @cached_property
    def isso(self) -> str | None:
        """Address of the Isso server whose script the page embeds; None if it embeds none."""
        script = next(iter(self.selector.css("script[data-isso]")), None)
        if script is None:
            return None
        named = script.attrib["data-isso"].strip() or _ISSO_DEFAULT.sub("", script.attrib.get("src", ""))
        found = absolute(named, self.url)
        return found.rstrip("/") + "/" if found else None

    @cached_property
    def disqus(self) -> str | None:
        """Short name of the Disqus forum that the page embeds; None if it embeds none."""
        found = _DISQUS.search(self.text)
        return (found[1] or found[2]) if found else None

    def unread_systems(self) -> Iterator[str]:
        """Yield the names of comment systems that the page embeds and that no collector reads."""
        for name, pattern in UNREAD.items():
            if re.search(pattern, self.text):
                yield name

    def engines(self) -> Iterator[tuple[str, str]]:
        """Yield (engine, what shows it), in the order of `ENGINES`."""
        for name, look in ENGINES.items():
            shown = look(self)
            if shown:
                yield name, shown

    def shows(self, css: str) -> bool:
        """Tell whether the page has such an element."""
        return bool(self.selector.css(css))

    def says(self, pattern: str) -> bool:
        """Tell whether the page is written so."""
        return re.search(pattern, self.text) is not None


def _made_by(*names: str) -> Callable[[Page], str]:
    """Return a look at the generator that a page names."""

    def look(page: Page) -> str:
        return f"generator: {page.generator}" if page.generator.lower().startswith(names) else ""

    return look


def _wordpress(page: Page) -> str:
    return (
        _made_by("wordpress")(page)
        or ("the page names a WordPress API" if page.wordpress_root else "")
        or ("files under /wp-content/" if page.says(r"/wp-(?:content|includes)/") else "")
    )


def _consul(page: Page) -> str:
    named = page.says(r"(?i)consul ?democracy") or (page.shows("a[href$='/proposals']") and page.shows("a[href$='/debates']"))
    return "pages as CONSUL Democracy writes them" if named else ""


ENGINES: Mapping[str, Callable[[Page], str]] = {
    "wordpress": _wordpress,
    "discourse": _made_by("discourse"),
    "decidim": lambda page: "files of Decidim" if page.says(r"/decidim-packs/|decidim_core|window\.Decidim\b") else "",
    "mastodon": lambda page: "pages as Mastodon writes them" if page.shows("div#mastodon, script#initial-state") else "",
    "consul": _consul,
    "phpbb": lambda page: "pages as phpBB writes them" if page.shows("body#phpbb, body.nojs.notouch#phpbb") else "",
    "mybb": lambda page: "pages as MyBB writes them" if page.says(r"my_post_key|mybb\.com\b") else "",
    "smf": lambda page: "pages as SMF writes them" if page.says(r"smf_scripturl|smf_theme_url") else "",
    "blogger": _made_by("blogger"),
}
"""Engine -> what shows that a page is of it, "" if nothing does; the first ones are the surest."""

UNREAD: Mapping[str, str] = {
    "Facebook's comment box": r"fb-comments|facebook\.com/plugins/comments",
    "Hyvor Talk": r"talk\.hyvor\.com",
    "giscus or utterances (comments kept at GitHub)": r"giscus\.app|utteranc\.es",
    "Commento": r"commento\.io|/js/commento\.js",
    "Remark42": r"remark_config|/web/embed\.mjs",
    "Coral": r"coral\.coralproject\.net|/assets/js/embed\.js",
    "Viafoura": r"viafoura\.(?:co|net)",
    "OpenWeb": r"spot\.im/|openweb\.com/",
}
"""Comment systems that no collector reads -> how a page embeds them."""


def _selector(response: Response) -> Selector:
    """Return a page to select from; one that is nested deeper than can be read counts as empty."""
    try:
        return parse_html(response.body, content_type=header(response, "Content-Type"))
    except SourceProblem:
        return parse_markup("")
