"""phpBB 3.3 with the theme prosilver: the index of boards, boards, and topics, with a session on every link of a guest.

Facts from the templates of github.com/phpbb/phpbb, branch 3.3.x (forumlist_body, viewforum_body, viewtopic_body, pagination):
ten posts and twenty-five topics on a page, `start` counts them, topics with the newest post first, dates in `<time datetime>`. An
answer quotes what it answers. The first message of a topic is its opening post.
"""

from __future__ import annotations

import hashlib
from html import escape

from pipelines.pilot.records import Article, Message, Served, instant
from pipelines.pilot.wire import ZONE, Answer, Query, html_answer, topics_of, whole_number

POSTS_PER_PAGE, TOPICS_PER_PAGE = 10, 25
QUOTED_WORDS = 12

Topic = tuple[Article, list[Message]]


class PhpbbSite:
    """Answers for one forum, in the folder of the source's path; `boards` of the options are the titles of its boards."""

    def __init__(self, served: Served) -> None:
        """Put the topics on their boards once."""
        self.site = served.site
        self.topics = topics_of(served)
        titles: list[str] = self.site.options["boards"]
        self.boards = dict(enumerate(titles, start=2))
        self.by_board: dict[int, list[Topic]] = {number: [] for number in self.boards}
        for topic in self.topics:
            self.by_board[2 + topic[0].id % len(titles)].append(topic)

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the index, a board, or a topic."""
        if path == self.site.options.get("closed"):
            return self._page(path, "<h1>closed by robots.txt</h1>")
        script, start = path.removeprefix(self.site.path), whole_number(query, "start", 0)
        if script in ("", "index.php"):
            return self._page(path, self._index())
        if script == "viewforum.php" and whole_number(query, "f", 0) in self.boards:
            return self._board(whole_number(query, "f", 0), start)
        topic = next((topic for topic in self.topics if topic[0].id == whole_number(query, "t", 0)), None)
        return self._topic(topic, start) if script == "viewtopic.php" and topic is not None else None

    def _page(self, seed: str, body: str) -> Answer:
        """Return a page; a guest without cookies gets a session on every link, another one on every page."""
        session = hashlib.md5(f"{self.site.host}{seed}".encode(), usedforsecurity=False).hexdigest()
        title = escape(self.site.title)
        login = (
            '<form action="./ucp.php?mode=login&amp;sid=SID" class="headerspace"><input type="password" name="password"></form>'
        )
        head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
        document = f'<!DOCTYPE html>\n<html lang="es">{head}<body id="phpbb">\n<h1>{title}</h1>{login}\n{body}\n</body></html>\n'
        return html_answer(document.replace("sid=SID", f"sid={session}"))

    def _index(self) -> str:
        rows = "".join(self._board_row(number) for number in self.boards)
        closed = self.site.options.get("closed")
        # A plain link, no board: whoever follows all links and does not obey robots.txt gives itself away.
        trap = f'<a href="{escape(closed)}">…</a>' if closed else ""
        return f'<ul class="topiclist forums">{rows}</ul>{trap}'

    def _board_row(self, number: int) -> str:
        topics = self.by_board[number]
        last = _last(topics[0][1][-1]) if topics else "No hay mensajes"
        return (
            f'<li class="row"><dl class="row-item forum_read"><dt><div class="list-inner">{_link("viewforum", f"f={number}")} '
            f'class="forumtitle">{escape(self.boards[number])}</a></div></dt><dd class="topics">{len(topics)}</dd>'
            f'<dd class="lastpost"><span>{last}</span></dd></dl></li>\n'
        )

    def _board(self, number: int, start: int) -> Answer:
        topics = self.by_board[number]
        rows = "".join(map(_topic_row, topics[start : start + TOPICS_PER_PAGE]))
        pager = _pager("viewforum", f"f={number}", len(topics), TOPICS_PER_PAGE, start)
        title = f'<h2 class="forum-title">{_link("viewforum", f"f={number}")}>{escape(self.boards[number])}</a></h2>'
        return self._page(f"f={number}&{start}", f'{title}{pager}<ul class="topiclist topics">{rows}</ul>{pager}')

    def _topic(self, topic: Topic, start: int) -> Answer:
        article, thread = topic
        by_id = {message.id: message for message in thread}
        posts = "".join(_post(message, by_id.get(message.parent or "")) for message in thread[start : start + POSTS_PER_PAGE])
        pager = _pager("viewtopic", f"t={article.id}", len(thread), POSTS_PER_PAGE, start)
        title = f'<h2 class="topic-title">{_link("viewtopic", f"t={article.id}")}>{escape(article.title)}</a></h2>'
        return self._page(f"t={article.id}&{start}", f"{title}{pager}{posts}{pager}")


def _link(script: str, query: str) -> str:
    """Return the beginning of a link, open for what else stands in its tag."""
    return f'<a href="./{script}.php?{query}&amp;sid=SID"'


def _topic_row(topic: Topic) -> str:
    article, thread = topic
    link, pager = _link("viewtopic", f"t={article.id}"), _pager("viewtopic", f"t={article.id}", len(thread), POSTS_PER_PAGE, 0)
    begun = f'<div class="topic-poster">por {_name(thread[0])} » {_time(thread[0])}</div>'
    return (
        f'<li class="row bg1"><dl class="row-item topic_read"><dt><div class="list-inner">{link} class="topictitle">'
        f'{escape(article.title)}</a>{begun}{pager}</div></dt><dd class="posts">{len(thread) - 1}</dd>'
        f'<dd class="lastpost"><span>{_last(thread[-1])}</span></dd></dl></li>\n'
    )


def _pager(script: str, query: str, count: int, size: int, start: int) -> str:
    last = max(0, (count - 1) // size * size)
    near = (start - size, start, start + size)
    shown = sorted({0, last, *(place for place in near if 0 <= place <= last)})
    links = ((_link(script, f"{query}&amp;start={place}"), place // size + 1) for place in shown)
    places = "".join(f'<li>{link} class="button">{number}</a></li>' for link, number in links)
    return f'<div class="action-bar"><div class="pagination">{count} <ul>{places}</ul></div></div>' if last else ""


def _post(message: Message, answered: Message | None) -> str:
    quote, text = "", escape(message.text, quote=False).replace("\n", "<br>\n")
    if answered is not None:
        words = escape(" ".join(answered.text.split()[:QUOTED_WORDS]))
        source = f'<a href="./viewtopic.php?p={answered.id}#p{answered.id}" data-post-id="{answered.id}">↑</a>'
        quote = f"<blockquote><div><cite>{_name(answered)} escribió: {source}</cite>{words}</div></blockquote>"
    return (
        f'<div id="p{message.id}" class="post bg2"><div class="inner"><dl class="postprofile"><dt>{_name(message)}</dt></dl>'
        f'<div class="postbody"><p class="author">por <strong>{_name(message)}</strong> » {_time(message)}</p>\n'
        f'<div class="content">{quote}{text}</div></div></div></div>\n'
    )


def _name(message: Message) -> str:
    if message.author:
        return f'{_link("memberlist", "mode=viewprofile&amp;u=9")} class="username">{escape(message.author)}</a>'
    return '<span class="username">Invitado</span>'


def _last(message: Message) -> str:
    return f"por {_name(message)}<br>{_time(message)}"


def _time(message: Message) -> str:
    moment = instant(message.published or "").astimezone(ZONE)
    return f'<time datetime="{moment.isoformat()}">{moment:%d/%m/%Y %H:%M}</time>'
