"""MyBB 1.8 forums, by the pages of the default theme or by syndication.php: every post is a manifestation.

Facts from MyBB itself, github.com/mybb/mybb (branch feature, 1.8): syndication.php, inc/class_feedgeneration.php,
inc/functions.php (my_date, multipage), inc/init.php (addresses) and install/resources/mybb_theme.xml (templates). A page is
numbered by `page` or, with friendly addresses, `-page-2.html`. A date told by its distance ("hace 2 horas", "Hoy") carries
the exact one in the `title` of its span. The feed knows new threads only, at most 50, and their first posts by the number
of the thread; so here the first post of a thread is `tid_` and that number, by page and by feed, and answers are `pid_`
and theirs. RSS 2.0 writes dates with their offset, Atom writes the server's clock as if it were UTC.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode, urljoin

from pydantic import Field

from collectors.catalog import PlatformOptions
from collectors.spiders.forum import ForumOptions, ForumSpider, Topic
from collectors.spiders.forum_markup import ForumMarkup, Stamp

MOST_ENTRIES = 50

DEFAULT_THEME = ForumMarkup(
    board="tr:has(> td > span.forum_status)",
    board_link="td > strong > a",
    board_stamp=Stamp("td:last-child span.smalltext", line=-2),
    redirect=".forum_offlink",
    subboard_link="tr:has(> td > span.forum_status) div.smalltext a",
    topic="tr.inline_row",
    topic_link="span[id^=tid_] a",
    topic_stamp=Stamp("span.lastpost"),
    pinned=".forumdisplay_sticky, .forumdisplay_announcement",
    moved=".thread_status.movefolder",
    title="title",
    post="div.post[id^=post_]",
    post_id="@id",
    post_stamp=Stamp(".post_date", without=".post_edit"),
    hidden=".deleted_post_hidden, .unapproved_post, .deleted_post",
    author=".post_author .largetext",
    member=".post_author .largetext a",
    body=".post_body",
    dropped="blockquote, .signature, .post_edit, .edited_post, .codeblock > .title, script",
    quoted="blockquote cite a",
    page_link=".pagination a",
    closed="td.trow1 a[href*='action=login'], td.trow1 input[type=password]",
    board_number=re.compile(r"(?:forumdisplay\.php\?(?:[^#]*&)?fid=|/forum-)(\d{1,18})(?!\d)"),
    topic_number=re.compile(r"(?:showthread\.php\?(?:[^#]*&)?tid=|/thread-)(\d{1,18})(?!\d)"),
    post_number=re.compile(r"(?:pid=|/post-|#pid)(\d{1,18})(?!\d)"),
    position=re.compile(r"(?:[?&]page=|-page-)(\d{1,9})(?!\d)"),
    first_position=1,
)


class MybbOptions(ForumOptions):
    """How to ask for MyBB's feed, where `way` is `feed`."""

    feed: Literal["rss2.0", "atom1.0"] = Field("rss2.0", description="Only RSS 2.0 writes dates that are right on any server.")


class MybbSpider(ForumSpider):
    """Walks forumdisplay.php and showthread.php, or reads syndication.php."""

    Options: ClassVar[type[PlatformOptions]] = MybbOptions
    MARKUP: ClassVar[ForumMarkup] = DEFAULT_THEME
    BOARD_PATH: ClassVar[str] = "forumdisplay.php?fid={}"

    def post_id(self, number: int, topic: Topic) -> str:
        """Return `tid_` and the thread's number for its first post, `pid_` and its own for any other."""
        return f"tid_{topic.number}" if number == topic.opening else f"pid_{number}"

    def post_url(self, number: int, topic: Topic) -> str:
        """Return the address of the thread for its first post, as the feed has it, else that of the post."""
        own = f"tid={topic.number}" if number == topic.opening else f"pid={number}&tid={topic.number}#pid{number}"
        return urljoin(self.home, f"showthread.php?{own}")

    def feed_addresses(self) -> list[str]:
        """Return the one address of the feed, for all boards or for those of the options."""
        options: Any = self.source.options
        boards = {"fid": ",".join(map(str, options.boards))} if options.boards else {}
        return [
            urljoin(self.home, "syndication.php?" + urlencode({"type": options.feed, **boards, "limit": MOST_ENTRIES}, safe=","))
        ]

    def entry_id(self, address: str) -> str | None:
        """Return the id of the first post of the thread that an entry links to."""
        match = self.MARKUP.topic_number.search(address)
        return f"tid_{match[1]}" if match else None
