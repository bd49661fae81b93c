"""What is asked of a site whose engine its page shows, and what the answers tell; pure.

Each question is one of those that the engine's spider asks (see there for the documents); none fetches a person's words
where a count can be had without them (`_fields` of the WordPress REST API).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from scrapy.http import Response

from collectors.doors.model import Door, Rank, plain
from collectors.feeds import parse_feed
from collectors.health import SourceProblem
from collectors.network import site_of
from collectors.spiders import spider_class
from collectors.spiders.base import header, parse_count
from collectors.spiders.discourse import list_of
from collectors.spiders.forum_markup import clean_address, find_boards, find_topics
from collectors.spiders.wordpress_addresses import home_of_root

if TYPE_CHECKING:
    from collectors.doors.pages import Page
    from collectors.doors.survey import Survey


def ask_wordpress(survey: Survey, mark: str) -> None:
    """Ask the REST API how many comments it shows; the feed of comments where it shows none."""
    front = survey.front
    root = front.wordpress_root or urljoin(front.url, "/wp-json/")
    if site_of(urlsplit(root).hostname or "") != front.site:
        survey.look.remarks.append(f"the API of this WordPress site is on another host: {root}")
        _ask_wordpress_feed(survey, urljoin(front.url, "/"), (mark,))
        return
    query = {"per_page": "1", "_fields": "id"}
    parts = urlsplit(root)
    if "rest_route" in parse_qs(parts.query):
        url = urlunsplit(parts._replace(query=urlencode({"rest_route": "/wp/v2/comments", **query}, safe="/")))
    else:
        url = urljoin(root, "wp/v2/comments") + "?" + urlencode(query)

    def read(response: Response) -> str:
        rows = _json_of(response)
        home = home_of_root(root)
        if response.status != 200 or not isinstance(rows, list):
            told = f"the REST API shows no comments ({_code(response)})"
            _ask_wordpress_feed(survey, home, (mark, told))
            return told
        total = parse_count(header(response, "X-WP-Total"))
        count = len(rows) if total is None else total
        told = f"the REST API answers: {count if total is not None or not rows else 'some'} comments"
        survey.add(Door(platform="wordpress", url=home, rank=Rank.API, evidence=(mark, told)))
        survey.enough |= count > 0
        return told

    survey.ask(url, read)


def _ask_wordpress_feed(survey: Survey, home: str, evidence: tuple[str, ...]) -> None:
    url = urljoin(home, "comments/feed/")

    def read(response: Response) -> str:
        count = _count_entries(response)
        if count is None:
            return f"no readable feed of comments (HTTP {response.status})"
        told = f"the feed of comments answers: the last {count}"
        survey.add(Door(platform="wordpress", url=home, rank=Rank.COMMENT_FEED, evidence=(*evidence, told)))
        survey.enough |= count > 0
        return told

    survey.ask(url, read, next_one=True)


def ask_blogger(survey: Survey, mark: str) -> None:
    """Ask for the feed of a blog's comments."""
    url = urljoin(survey.front.url, "/feeds/comments/default")

    def read(response: Response) -> str:
        count = _count_entries(response)
        if count is None:
            return f"no readable feed of comments (HTTP {response.status})"
        told = f"the feed of comments answers: the last {count}"
        options = {"entries": "manifestation"}
        survey.add(Door(platform="feed", url=url, rank=Rank.COMMENT_FEED, evidence=(mark, told), options=options))
        return told

    survey.ask(url, read)


def ask_discourse(survey: Survey, mark: str) -> None:
    """Ask for the list of topics that the address shows."""
    base, listed = list_of(survey.front.url)
    shown = urlsplit(survey.front.url).path
    address = survey.front.url if "/c/" in shown or "/tag" in shown else base

    def read(response: Response) -> str:
        found = _json_of(response)
        topics = found.get("topic_list", {}).get("topics") if isinstance(found, dict) else None
        if response.status != 200 or not isinstance(topics, list):
            survey.look.remarks.append(f"the forum shows its topics to members only ({_code(response)})")
            return _code(response)
        told = f"its JSON answers: {len(topics)} topics on the first page"
        survey.add(Door(platform="discourse", url=address, rank=Rank.API, evidence=(mark, told), kind="forum"))
        survey.enough = True
        return told

    survey.ask(listed, read)


def ask_decidim(survey: Survey, mark: str) -> None:
    """Ask the GraphQL API for the version; where it is closed, the open-data archive is a door to try."""
    home = urljoin(survey.front.url, "/")

    def read(response: Response) -> str:
        found = _json_of(response)
        data = found.get("data") if isinstance(found, dict) else None
        if response.status != 200 or not isinstance(data, dict):
            told = f"the API is closed ({_code(response)}); the open-data archive remains"
            options = {"way": "export"}
            survey.add(Door(platform="decidim", url=home, rank=Rank.API, evidence=(mark, told), options=options))
            return told
        version = plain(str((data.get("decidim") or {}).get("version") or ""))
        told = f"the API answers{f': Decidim {version}' if version else ''}"
        survey.add(Door(platform="decidim", url=home, rank=Rank.API, evidence=(mark, told)))
        survey.enough = True
        return told

    survey.ask(urljoin(home, "api"), read, json={"query": "{ decidim { version } }"})


def ask_consul(survey: Survey, mark: str) -> None:
    """Ask the GraphQL API for the id of one proposal."""
    home = urljoin(survey.front.url, "/")
    query = urlencode({"query": "{ proposals(first: 1) { edges { node { id } } } }"})

    def read(response: Response) -> str:
        found = _json_of(response)
        if response.status != 200 or not isinstance(found, dict) or not isinstance(found.get("data"), dict):
            return f"no GraphQL API of CONSUL ({_code(response)})"
        told = "the API answers"
        survey.add(Door(platform="consul", url=home, rank=Rank.API, evidence=(mark, told)))
        survey.enough = True
        return told

    survey.ask(urljoin(home, "graphql") + "?" + query, read)


def ask_mastodon(survey: Survey, mark: str) -> None:
    """Ask for the account that the address names; a hashtag needs no question."""
    home, pieces = urljoin(survey.front.url, "/"), [unquote(one) for one in urlsplit(survey.front.url).path.split("/") if one]
    match pieces:
        case ["tags", tag, *_]:
            options = {"tags": [plain(tag)]}
            told = f"the address of the hashtag {plain(tag)}"
            survey.add(Door(platform="mastodon", url=home, rank=Rank.API, evidence=(mark, told), options=options))
        case [name, *_] if name.startswith("@"):
            _ask_mastodon_account(survey, home, plain(name[1:]), mark)
        case _:
            survey.look.remarks.append(
                f"{mark}: name an account (https://SERVER/@NAME) or a hashtag (https://SERVER/tags/NAME) of it"
            )


def _ask_mastodon_account(survey: Survey, home: str, name: str, mark: str) -> None:
    def read(response: Response) -> str:
        found = _json_of(response)
        if response.status != 200 or not isinstance(found, dict) or "acct" not in found:
            return f"no such account ({_code(response)})"
        told = f"its API answers: an account with {parse_count(str(found.get('statuses_count'))) or 0} statuses"
        options = {"accounts": [name]}
        survey.add(Door(platform="mastodon", url=home, rank=Rank.API, evidence=(mark, told), options=options))
        survey.enough = True
        return told

    survey.ask(f"{home}api/v1/accounts/lookup?acct={quote(name, safe='@')}", read)


ENGINE_QUESTIONS: Mapping[str, Callable[[Survey, str], None]] = {
    "wordpress": ask_wordpress,
    "discourse": ask_discourse,
    "decidim": ask_decidim,
    "consul": ask_consul,
    "mastodon": ask_mastodon,
    "blogger": ask_blogger,
}
"""Engine -> what asks it; called with what shows the engine."""


def forum_doors(engine: str, page: Page, mark: str) -> Iterator[Door]:
    """Yield the doors of a classic forum: its pages, and its feeds as the second best."""
    known: Any = spider_class(engine)
    boards = len(list(find_boards(page.selector, known.MARKUP, base=page.url)))
    topics = len(list(find_topics(page.selector, known.MARKUP, base=page.url)))
    address = clean_address(page.url)
    told = f"{boards} boards and {topics} topics on the page"
    yield Door(platform=engine, url=address, rank=Rank.FORUM, evidence=(mark, told), kind="forum")
    options = {"way": "feed"}
    yield Door(platform=engine, url=address, rank=Rank.PAGE, evidence=(mark, "its feeds"), options=options, kind="forum")


def _count_entries(response: Response) -> int | None:
    """Return how many entries a feed holds; None if the answer is none."""
    if response.status != 200:
        return None
    try:
        return len(parse_feed(response.body, url=response.url, content_type=header(response, "Content-Type")).entries)
    except SourceProblem:
        return None


def _json_of(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def _code(response: Response) -> str:
    """Return how an answer is told: its status, and the code that a JSON error carries."""
    found = _json_of(response)
    code = plain(str(found.get("code") or "")) if isinstance(found, dict) else ""
    return f"HTTP {response.status}{f' {code}' if code else ''}"
