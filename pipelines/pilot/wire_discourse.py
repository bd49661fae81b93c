"""Discourse: the list of topics by activity, a topic with its first posts, and further posts by their ids.

Facts from docs.discourse.org (listLatestTopics, getTopic, getSpecificPostsFromTopic): thirty topics on a page of the list, with
`more_topics_url` while there are more; a topic brings twenty posts and the ids of all in `post_stream.stream`; dates are UTC
with milliseconds. The first message of a topic is its opening post.
"""

from __future__ import annotations

import re
from typing import Any

from pipelines.pilot.records import Article, Message, Served
from pipelines.pilot.wire import Answer, Query, account_of, json_answer, paragraphs, topics_of, whole_number

LISTED = 30
FIRST_POSTS = 20
LIKE = 2
_TOPIC = re.compile(r"t/(?P<number>\d+)(?P<posts>/posts)?\.json")

Row = dict[str, Any]


class DiscourseSite:
    """Answers for one forum, in the folder of the source's path."""

    def __init__(self, served: Served) -> None:
        """Number the members and order the topics once."""
        self.site = served.site
        self.topics = topics_of(served)
        names = sorted({account_of(message.author) for message in served.messages})
        self.members = {name: number for number, name in enumerate(names, start=10)}

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the list, a topic, or further posts of a topic."""
        inner = path.removeprefix(self.site.path)
        if inner == "latest.json":
            return json_answer(self._list(whole_number(query, "page", 0)))
        asked = _TOPIC.fullmatch(inner)
        if not path.startswith(self.site.path) or asked is None:
            return None
        found = next((topic for topic in self.topics if topic[0].id == int(asked["number"])), None)
        if found is None:
            told = {"errors": ["La URL o el recurso solicitado no se pudo encontrar."], "error_type": "not_found"}
            return json_answer(told, status=404)
        if asked["posts"]:
            posts = [post for post in self._posts(*found) if str(post["id"]) in query.get("post_ids[]", ())]
            return json_answer({"post_stream": {"posts": posts}, "id": found[0].id})
        return json_answer(self._topic(*found, page=max(whole_number(query, "page", 1), 1)))

    def _list(self, page: int) -> Row:
        shown = self.topics[page * LISTED : (page + 1) * LISTED]
        more = {"more_topics_url": f"/latest?page={page + 1}"} if (page + 1) * LISTED < len(self.topics) else {}
        rows = [self._row(article, thread) for article, thread in shown]
        return {"users": [], "primary_groups": [], "topic_list": {**more, "per_page": LISTED, "topics": rows}}

    def _row(self, article: Article, thread: list[Message]) -> Row:
        last = _stamp(thread[-1])
        dates = {"created_at": _stamp(thread[0]), "last_posted_at": last, "bumped_at": last}
        state = {"pinned": False, "visible": True, "closed": False, "archived": False, "archetype": "regular"}
        counts = {"posts_count": len(thread), "reply_count": sum(bool(message.parent) for message in thread)}
        names = {"id": article.id, "title": article.title, "fancy_title": article.title, "slug": article.slug}
        return {**names, **counts, "highest_post_number": len(thread), **dates, **state}

    def _topic(self, article: Article, thread: list[Message], *, page: int) -> Row:
        posts = self._posts(article, thread)
        shown = posts[(page - 1) * FIRST_POSTS : page * FIRST_POSTS]
        return {
            "post_stream": {"posts": shown, "stream": [post["id"] for post in posts]},
            **self._row(article, thread),
            "chunk_size": FIRST_POSTS,
        }

    def _posts(self, article: Article, thread: list[Message]) -> list[Row]:
        places = {message.id: place for place, message in enumerate(thread, start=1)}
        return [self._post(article, message, place, places) for place, message in enumerate(thread, start=1)]

    def _post(self, article: Article, message: Message, place: int, places: dict[str, int]) -> Row:
        name, at = account_of(message.author), _stamp(message)
        return {
            "id": int(message.id),
            "name": message.author,
            "username": name,
            "user_id": self.members[name],
            "created_at": at,
            "updated_at": at,
            "cooked": paragraphs(message.text),
            "post_number": place,
            "post_type": 1,
            "reply_to_post_number": places.get(message.parent or ""),
            "topic_id": article.id,
            "topic_slug": article.slug,
            "version": 1,
            "actions_summary": [{"id": LIKE, "count": message.reactions}] if message.reactions else [],
            "hidden": False,
            "user_deleted": False,
            "deleted_at": None,
        }


def _stamp(message: Message) -> str:
    return f"{(message.published or '').removesuffix('Z')}.000Z"
