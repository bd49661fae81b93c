"""Mastodon: an account, its statuses, and the answers to each.

Facts from docs.joinmastodon.org: methods/accounts#lookup and #statuses (`limit` up to 40, `max_id`, `since_id`, next page in the
Link header), methods/statuses#context (sixty answers to whoever has no token), entities/Status, entities/Account.
"""

from __future__ import annotations

import re
from typing import Any

from pipelines.pilot.records import Article, Message, Served, article_native_id, native_id
from pipelines.pilot.wire import Answer, Query, account_of, json_answer, paragraphs, threads_of, whole_number

MOST_STATUSES, USUAL_STATUSES, MOST_ANSWERS = 40, 20, 60
LIMITS = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299"}
_CONTEXT = re.compile(r"/api/v1/statuses/(\d+)/context")

Row = dict[str, Any]


class MastodonSite:
    """Answers for one server with one account of interest, `account` of the options, and those who answer to it."""

    def __init__(self, served: Served) -> None:
        """Number the accounts and write the statuses once, the newest first."""
        self.site = served.site
        name: str = self.site.options["account"]
        names = [name, *sorted({account_of(message.author) for message in served.messages})]
        self.accounts = {one: self._account(one, number) for number, one in enumerate(names, start=1)}
        self.own = self.accounts[name]
        self.numbers = {message.id: native_id(self.site, message) for message in served.messages}
        threads = threads_of(served)
        self.answers: dict[str, list[Row]] = {}
        statuses = []
        for article in served.articles:
            status = self._post(article, len(threads.get(article.id, ())))
            self.answers[status["id"]] = [self._answer(message, status["id"]) for message in threads.get(article.id, ())]
            statuses.append(status)
        self.statuses = sorted(statuses, key=lambda row: int(row["id"]), reverse=True)

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the account, its statuses, or what stands around one of them."""
        if path == "/api/v1/accounts/lookup":
            return self._lookup(query.get("acct", ("",))[-1])
        if path == f"/api/v1/accounts/{self.own['id']}/statuses":
            return self._timeline(path, query)
        asked = _CONTEXT.fullmatch(path)
        if asked is None:
            return None
        found = self.answers.get(asked[1])
        return (
            _not_found() if found is None else json_answer({"ancestors": [], "descendants": found[:MOST_ANSWERS]}, headers=LIMITS)
        )

    def _lookup(self, name: str) -> Answer:
        found = self.accounts.get(name.removesuffix(f"@{self.site.host}"))
        return json_answer(found, headers=LIMITS) if found is not None else _not_found()

    def _timeline(self, path: str, query: Query) -> Answer:
        lowest, highest = whole_number(query, "since_id", 0), whole_number(query, "max_id", 1 << 63)
        limit = min(whole_number(query, "limit", USUAL_STATUSES), MOST_STATUSES)
        rows = [row for row in self.statuses if lowest < int(row["id"]) < highest]
        shown = rows[:limit]
        headers = dict(LIMITS)
        if len(rows) > len(shown):
            older = f"http://{self.site.host}{path}?limit={limit}&max_id={shown[-1]['id']}"
            headers["Link"] = f'<{older}>; rel="next"'
        return json_answer(shown, headers=headers)

    def _account(self, name: str, number: int) -> Row:
        shown = self.site.title if name == self.site.options["account"] else name
        kind = {"bot": False, "group": False, "locked": False, "discoverable": True, "noindex": False, "note": ""}
        return {"id": str(number), "username": name, "acct": name, "display_name": shown, "url": self._link(name), **kind}

    def _link(self, name: str, status: str = "") -> str:
        return f"http://{self.site.host}/@{name}" + (f"/{status}" if status else "")

    def _post(self, article: Article, answers: int) -> Row:
        number = article_native_id(self.site, article)
        return _status(number, self.own, article.published, article.text, replies_count=answers, favourites_count=0)

    def _answer(self, message: Message, status: str) -> Row:
        account = self.accounts[account_of(message.author)]
        number = self.numbers[message.id]
        row = _status(number, account, message.published or "", message.text, favourites_count=message.reactions or 0)
        return row | {"in_reply_to_id": self.numbers.get(message.parent or "", status)}


def _status(number: str, account: Row, published: str, text: str, **counts: int) -> Row:
    return {
        "id": number,
        "created_at": f"{published.removesuffix('Z')}.000Z",
        "in_reply_to_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "es",
        "uri": f"{account['url']}/{number}",
        "url": f"{account['url']}/{number}",
        "replies_count": 0,
        "reblogs_count": 0,
        "edited_at": None,
        "content": paragraphs(text),
        "reblog": None,
        "account": account,
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "emojis": [],
        "card": None,
        "poll": None,
        **counts,
    }


def _not_found() -> Answer:
    return json_answer({"error": "Record not found"}, status=404)
