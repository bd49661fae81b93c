"""Simple Machines forums (SMF 2.0 and 2.1), by the pages of the theme Curve or by their feeds: every post is a manifestation.

Facts from SMF itself, github.com/SimpleMachines/SMF (branch release-2.1, and its first commit for 2.0): Sources/News.php,
Sources/Subs.php (page index, quotes) and Themes/default/{BoardIndex,MessageIndex,Display}.template.php. The place in a board
or topic stands behind its number (`topic=12.20`, a number of posts); links of guests carry `PHPSESSID`; a moved topic
leaves a notice of a moderator under the icon "moved". The feed (action=.xml;sa=recent) shows at most 255 posts, cuts each
at the length that the administrator set (255 characters unless changed), and in Atom alone names who wrote.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin

from pydantic import Field

from collectors.catalog import PlatformOptions
from collectors.spiders.forum import ForumOptions, ForumSpider, Topic
from collectors.spiders.forum_markup import ForumMarkup, Stamp

MOST_ENTRIES = 255

CURVE = ForumMarkup(
    board="[id^=board_]",
    board_link="a.subject",
    board_stamp=Stamp(".lastpost", line=-1, pattern=re.compile(r"^(?:[^:]{1,30}:\s+)?(?:en |on )?(.+)"), without=".postby"),
    redirect=".board_redirect, img[src*='redirect.']",
    subboard_link="[id^=board_][id$=_children] a[href*='board=']:not([href*=action]), "
    "[id^=board_][id$=_children] a[href*='board,']:not([href*=action])",
    topic="#topic_container > div, #messageindex tr:has(> td.subject)",
    topic_link="span[id^=msg_] a",
    topic_stamp=Stamp(".lastpost"),
    pinned=".sticky, .stickybg, .stickybg2",
    moved=".main_icons.move, img[src*='/moved.']",
    title="h2.display_title #top_subject|title",
    post="div.post_wrapper",
    post_id="div.inner@id",
    post_stamp=Stamp(".postinfo a.smalltext, .keyinfo > .smalltext", pattern=re.compile(r"^(?:.*?\b(?:en|on):)?\s*(.*?)\s*»?$")),
    hidden=".approve_post, .noticebox",
    author=".poster h4",
    member=".poster h4 a[href*='action=profile']",
    body="div.inner",
    dropped="blockquote, .quoteheader, .quotefooter, .signature, .modified, .codeheader, script",
    quoted=".quoteheader a, blockquote > cite a",
    reactions=".like_count",
    page_link=".pagelinks a",
    closed="#frmLogin, #fatal_error, #maintenance_mode",
    board_number=re.compile(r"[?&;/]board[=,](\d{1,18})(?!\d)"),
    topic_number=re.compile(r"[?&;/]topic[=,](\d{1,18})(?!\d)"),
    post_number=re.compile(r"\bmsg=?(\d{1,18})(?!\d)"),
    position=re.compile(r"\b(?:board|topic)[=,]\d+\.(\d{1,9})(?!\w)"),
)


class SmfOptions(ForumOptions):
    """How to ask for SMF's feed, where `way` is `feed`."""

    feed: Literal["atom", "rss2"] = Field("atom", description="Only Atom names who wrote.")


class SmfSpider(ForumSpider):
    """Walks the boards and topics of index.php, or reads its feed."""

    Options: ClassVar[type[PlatformOptions]] = SmfOptions
    MARKUP: ClassVar[ForumMarkup] = CURVE
    BOARD_PATH: ClassVar[str] = "index.php?board={}.0"

    def post_id(self, number: int, topic: Topic) -> str:
        """Return `msg` and the number, which is one of the whole forum."""
        return f"msg{number}"

    def post_url(self, number: int, topic: Topic) -> str:
        """Return the address under which the feeds name a post too."""
        return urljoin(self.home, f"index.php?topic={topic.number}.msg{number}#msg{number}")

    def feed_addresses(self) -> list[str]:
        """Return the one address of the feed, for all boards or for those of the options."""
        options: Any = self.source.options
        boards = f";boards={','.join(map(str, options.boards))}" if options.boards else ""
        return [urljoin(self.home, f"index.php?action=.xml;type={options.feed};sa=recent{boards};limit={MOST_ENTRIES}")]
