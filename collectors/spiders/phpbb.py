"""phpBB 3 forums, by the pages of the theme prosilver or by their Atom feeds: every post is a manifestation.

Facts from phpBB itself, github.com/phpbb/phpbb (branches 3.0.x to 3.3.x and master): the templates
styles/prosilver/template/{forumlist_body,viewforum_body,viewtopic_body,pagination}.html, the classes phpbb/feed/*, feed.php
and styles/all/template/feed.xml.twig. A page number is `start`, a number of posts or topics; dates stand in `<time datetime>`
since 3.2 and in the board's own words before; links of guests carry `sid`. A feed is switched on by the administrator, shows
the posts of the topics active last (?mode=topics: first posts, topics_active: last posts; ?f= one board, ?t= one topic),
names "Board • Title" and may end each entry with a line of statistics; it does not tell which post another answers.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode, urljoin

from pydantic import Field, PositiveInt

from collectors.catalog import PlatformOptions
from collectors.spiders.forum import ForumOptions, ForumSpider, Topic
from collectors.spiders.forum_markup import ForumMarkup, Stamp

PROSILVER = ForumMarkup(
    board="ul.forums > li.row",
    board_link="a.forumtitle",
    board_stamp=Stamp("dd.lastpost", line=-1),
    redirect="dd.redirect, .forum_link",
    subboard_link="a.subforum",
    topic="ul.topics > li.row",
    topic_link="a.topictitle",
    topic_stamp=Stamp("dd.lastpost", line=-1),
    pinned=".sticky, .announce, .global-announce",
    moved="dl[class*=topic_moved], dl[style*=topic_moved]",
    title="h2.topic-title|h2 a[href*=viewtopic]",
    post="div.post[id^=p]",
    post_id="@id",
    post_stamp=Stamp("p.author", pattern=re.compile(r"([^»]+)$")),
    hidden=".post.deleted, .post-notice.deleted, .post-notice.unapproved, .ignore",
    author="p.author strong",
    member="p.author a[href*=viewprofile]",
    body=".content",
    dropped="blockquote, .signature, .notice, .inline-attachment, .attachbox, .codebox > p, .codebox > dt, script",
    quoted="blockquote cite a",
    page_link=".pagination a, a.right-box, a.left-box",
    closed="#login, #login_forum, #message, form[action*='mode=login'] fieldset.fields1",
    board_number=re.compile(r"viewforum\.php\?(?:[^#]*&)?f=(\d{1,18})(?!\d)"),
    topic_number=re.compile(r"viewtopic\.php\?(?:[^#]*&)?t=(\d{1,18})(?!\d)"),
    post_number=re.compile(r"(?:[?&]p=|#p)(\d{1,18})(?!\d)"),
    position=re.compile(r"[?&]start=(\d{1,9})(?!\d)"),
)


class PhpbbOptions(ForumOptions):
    """Which of phpBB's feeds to read, where `way` is `feed`."""

    feed: Literal["posts", "topics", "topics_active"] = Field(
        "posts", description="The newest posts, the first post of new topics, or the last post of active topics."
    )
    topics: tuple[PositiveInt, ...] = Field((), description="Numbers of topics whose own feeds to read instead.")


class PhpbbSpider(ForumSpider):
    """Walks viewforum.php and viewtopic.php, or reads feed.php."""

    Options: ClassVar[type[PlatformOptions]] = PhpbbOptions
    MARKUP: ClassVar[ForumMarkup] = PROSILVER
    BOARD_PATH: ClassVar[str] = "viewforum.php?f={}"

    def post_id(self, number: int, topic: Topic) -> str:
        """Return `p` and the number, which is one of the whole forum."""
        return f"p{number}"

    def post_url(self, number: int, topic: Topic) -> str:
        """Return the address under which the feeds name a post too."""
        return urljoin(self.home, f"viewtopic.php?p={number}#p{number}")

    def feed_addresses(self) -> list[str]:
        """Return one address for each topic, else for each board, else the one of the whole forum."""
        options: Any = self.source.options
        mode = {} if options.feed == "posts" else {"mode": options.feed}
        asked = [{"t": number} for number in options.topics] or [{"f": number} for number in options.boards] or [mode]
        return [urljoin(self.home, "feed.php" + ("?" + urlencode(query) if query else "")) for query in asked]

    @staticmethod
    def entry_markup(markup: str) -> str:
        """Return the content without the closing rule and the statistics, which name the author and the date."""
        before, mark, last = markup.rpartition("<p>")
        statistics, closing, rest = last.partition("</p>")
        return before if mark and closing and statistics and re.fullmatch(r"\s*<hr ?/?>\s*", rest) else markup

    def entry_title(self, title: str) -> str:
        """Return the title without the name of the board and without "Re:"."""
        return super().entry_title(title.partition(" • ")[2] or title)
