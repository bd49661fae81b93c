"""The replay server speaks the APIs and pages of platforms, with their paging, their limits and their refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from pipelines.pilot.records import Article, Message, Served, Site, article_native_id, dated_id, native_id, write_served
from pipelines.pilot.server import FORMATS, ReplayServer
from pipelines.pilot.wire_graphql import QueryError, answer_query
from tests.pipelines.test_pilot_server import ODD, SERVED, Reply, ask, shown


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    """The month, served."""
    with ReplayServer(SERVED) as running:
        yield running


def utc(written: str) -> str:
    """Return an instant with an offset as the records carry it."""
    return datetime.fromisoformat(written).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def words(markup: str) -> list[str]:
    """Return the words of a piece of markup."""
    return html.fromstring(f"<div>{markup}</div>").text_content().split()


# Discourse

DISCOURSE = "transportelimaeste.test"


def test_discourse_lists_topics_and_gives_every_post_once(server: ReplayServer) -> None:
    served = shown("foro-transporte")
    page = ask(server, DISCOURSE, "/foro/latest.json?order=activity&page=0").json["topic_list"]
    bumped = [topic["bumped_at"] for topic in page["topics"]]
    assert bumped == sorted(bumped, reverse=True)
    assert "more_topics_url" not in page
    assert ask(server, DISCOURSE, "/foro/latest.json?page=1").json["topic_list"]["topics"] == []
    found: dict[int, dict[str, Any]] = {}
    for topic in page["topics"]:
        first = ask(server, DISCOURSE, f"/foro/t/{topic['id']}.json").json["post_stream"]
        assert len(first["posts"]) == min(20, topic["posts_count"])
        rest = [number for number in first["stream"] if number not in {post["id"] for post in first["posts"]}]
        posts = first["posts"]
        if rest:
            query = "&".join(f"post_ids[]={number}" for number in rest)
            posts += ask(server, DISCOURSE, f"/foro/t/{topic['id']}/posts.json?{query}").json["post_stream"]["posts"]
        assert [post["post_number"] for post in posts] == list(range(1, topic["posts_count"] + 1))
        found |= {post["id"]: post for post in posts}
    assert sorted(found) == sorted(int(message.id) for message in served.messages)
    for message in served.messages:
        assert words(found[int(message.id)]["cooked"]) == message.text.split()
        assert found[int(message.id)]["created_at"] == (message.published or "").replace("Z", ".000Z")


def test_discourse_does_not_know_every_topic(server: ReplayServer) -> None:
    reply = ask(server, DISCOURSE, "/foro/t/1.json")
    assert (reply.status, reply.json["error_type"]) == (404, "not_found")


# phpBB

PHPBB = "foroate.test"


def follow(server: ReplayServer, path: str) -> Iterator[Any]:
    """Yield the page of a path and those that its pagination leads to, in the order of `start`."""
    page = html.fromstring(ask(server, PHPBB, path).body)
    yield page
    places = {int(href.partition("start=")[2].partition("&")[0]) for href in page.xpath("//div[@class='pagination']//a/@href")}
    known = {0}
    while places - known:
        known.add(start := min(places - known))
        page = html.fromstring(ask(server, PHPBB, f"{path}&start={start}").body)
        places |= {int(h.partition("start=")[2].partition("&")[0]) for h in page.xpath("//div[@class='pagination']//a/@href")}
        yield page


def test_phpbb_leads_from_boards_to_every_post(server: ReplayServer) -> None:
    served = shown("foro-ate")
    index = html.fromstring(ask(server, PHPBB, "/foro/").body)
    boards = index.xpath("//a[contains(@class,'forumtitle')]")
    assert [board.text for board in boards] == served.site.options["boards"]
    topics: list[str] = []
    for board in boards:
        for page in follow(server, "/foro/" + board.get("href").removeprefix("./").partition("&sid")[0]):
            topics += page.xpath("//a[contains(@class,'topictitle')]/@href")
    posts: dict[str, Any] = {}
    for topic in topics:
        for page in follow(server, "/foro/" + topic.removeprefix("./").partition("&sid")[0]):
            on_page = page.xpath("//div[starts-with(@class,'post ')]")
            assert 1 <= len(on_page) <= 10
            posts |= {post.get("id"): post for post in on_page}
    assert sorted(posts) == sorted(native_id(served.site, message) for message in served.messages)
    for message in served.messages:
        content = posts[f"p{message.id}"].xpath(".//div[@class='content']")[0]
        quotes = content.xpath("blockquote//cite/a[@data-post-id]/@data-post-id")
        assert quotes == ([message.parent] if message.parent else [])
        assert utc(posts[f"p{message.id}"].xpath(".//time/@datetime")[0]) == message.published
        assert " ".join(content.xpath("text()")).split() == message.text.split()


def test_phpbb_hangs_a_session_on_the_links_of_a_guest(server: ReplayServer) -> None:
    first, again = (ask(server, PHPBB, "/foro/").body for _ in range(2))
    assert b"sid=" in first
    assert first == again
    assert ask(server, PHPBB, "/foro/viewforum.php?f=99").status == 404


# Isso

ISSO = "mayorazgounido.test"


def test_isso_counts_and_gives_the_threads_that_the_sitemap_lists(server: ReplayServer) -> None:
    served = shown("blog-mayorazgo")
    sitemap = etree.fromstring(ask(server, ISSO, "/sitemap.xml").body)
    paths = [element.text.partition(ISSO)[2] for element in sitemap.iter("{*}loc")]
    assert len(paths) == len(served.articles)
    counts = ask(server, ISSO, "/isso/count", method="POST", body=json.dumps(paths).encode()).json
    assert sum(counts) == len(served.messages)
    rows: list[dict[str, Any]] = []
    for path, count in zip(paths, counts, strict=True):
        thread = ask(server, ISSO, f"/isso/?uri={path}").json
        below = [answer for row in thread["replies"] for answer in row["replies"]]
        assert len(thread["replies"]) + len(below) == count
        assert all(answer["parent"] in {row["id"] for row in thread["replies"]} for answer in below)
        rows += [*thread["replies"], *below]
        assert ask(server, ISSO, path).status == 200
    by_id = {str(row["id"]): row for row in rows}
    for message in served.messages:
        assert words(by_id[message.id]["text"]) == message.text.split()
        assert utc(datetime.fromtimestamp(by_id[message.id]["created"], UTC).isoformat()) == message.published


def test_isso_keeps_its_latest_comments_closed_and_refuses_what_is_no_list(server: ReplayServer) -> None:
    assert ask(server, ISSO, "/isso/latest?limit=10").status == 404
    assert ask(server, ISSO, "/isso/").status == 400
    assert ask(server, ISSO, "/isso/count", method="POST", body=b"{").status == 400
    assert ask(server, ISSO, "/isso/count", method="POST", body=b'{"a": 1}').status == 400
    assert ask(server, ISSO, "/isso/count", method="POST", body=b'["/nada/"]').json == [0]
    assert ask(server, "foroate.test", "/foro/", method="POST", body=b"x").status == 404


# Decidim

DECIDIM = "portalescuchaeste.test"


def graphql(server: ReplayServer, query: str) -> Any:
    """Return the JSON of an answer to a query."""
    return ask(server, DECIDIM, "/api", method="POST", body=json.dumps({"query": query}).encode()).json


def test_decidim_pages_proposals_and_nests_comments(server: ReplayServer) -> None:
    served = shown("portal-escucha-este")
    components = graphql(server, "{ participatoryProcesses { id slug components { id __typename } } }")["data"]
    (process,) = components["participatoryProcesses"]
    assert [component["__typename"] for component in process["components"]] == ["Proposals", "Blogs"]
    fields = "id title { translations { locale text } } body { translations { text } } publishedAt author { name }"
    answers = "comments { id formattedBody createdAt hasComments comments { id hasComments comments { id comments { id } } } }"
    proposals: list[Any] = []
    after = ""
    while True:
        listed = (
            f"proposals(first: 20{after}) {{ pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {fields} {answers} }} }} }}"
        )
        page = graphql(server, f'{{ component(id: "2") {{ ... on Proposals {{ {listed} }} }} }}')["data"]["component"][
            "proposals"
        ]
        assert len(page["edges"]) <= 20
        proposals += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    by_id = {proposal["id"]: proposal for proposal in proposals}
    own = [message for message in served.messages if not message.parent]
    assert sorted(by_id) == sorted(message.id for message in own)
    for message in own:
        assert words(by_id[message.id]["body"]["translations"][0]["text"]) == message.text.split()
        assert by_id[message.id]["title"]["translations"] == [{"locale": "es", "text": message.title}]
        assert utc(by_id[message.id]["publishedAt"]) == message.published
    direct = {(row["id"], proposal["id"]) for proposal in proposals for row in proposal["comments"]}
    assert direct == {(message.id, message.parent) for message in served.messages if message.parent in by_id}
    assert direct


def test_decidim_filters_by_days_and_finds_one_comment_at_any_depth(server: ReplayServer) -> None:
    served = shown("portal-escucha-este")
    own = [message for message in served.messages if not message.parent]
    asked = 'filter: { publishedSince: "2021-04-10", publishedBefore: "2021-04-20" }'
    listed = f"proposals(first: 50, {asked}) {{ edges {{ node {{ id publishedAt }} }} }}"
    page = graphql(server, f'{{ component(id: "2") {{ ... on Proposals {{ {listed} }} }} }}')["data"]["component"]["proposals"]
    days = [edge["node"]["publishedAt"][:10] for edge in page["edges"]]
    assert min(days) >= "2021-04-10"
    assert max(days) < "2021-04-20"
    assert 0 < len(days) < len(own)
    above = {message.id: message for message in served.messages}
    deep = next(message for message in served.messages if message.parent in above and above[message.parent].parent)
    top = deep
    while top.parent:
        top = above[top.parent]
    found = f'proposal(id: "{top.id}") {{ comments(singleCommentId: "{deep.id}") {{ id body }} }}'
    answer = graphql(server, f'{{ component(id: "2") {{ ... on Proposals {{ {found} }} }} }}')
    assert answer["data"]["component"]["proposal"]["comments"] == [{"id": deep.id, "body": deep.text}]


def test_decidim_refuses_a_field_that_its_version_lacks_and_what_is_no_query(server: ReplayServer) -> None:
    answer = graphql(server, "{ participatoryProcesses { id colour } }")
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {
        "code": "undefinedField",
        "typeName": "ParticipatoryProcess",
        "fieldName": "colour",
    }
    for body in (b"", b"[]", b'{"query": "{"}', b'{"query": "x"}'):
        assert ask(server, DECIDIM, "/api", method="POST", body=body).status == 400
    assert ask(server, DECIDIM, "/api").status == 404
    with pytest.raises(QueryError):
        answer_query("query", {"Query": {}}, {})


# Open311

OPEN311 = "reporta.municipio.test"


def requests_of(reply: Reply) -> list[dict[str, str]]:
    """Return the requests of an answer, newest first as they came."""
    return [{cell.tag: cell.text for cell in row} for row in etree.fromstring(reply.body).iter("request")]


def test_open311_caps_its_answers_and_keeps_to_the_span(server: ReplayServer) -> None:
    served = shown("muni-buzon")
    span = "start_date=2021-04-01T00:00:00-05:00&end_date={}"
    whole = requests_of(ask(server, OPEN311, f"/open311/v2/requests.xml?{span.format('2021-05-01T00:00:00-05:00')}"))
    assert len(whole) == 100
    dates = [row["requested_datetime"] for row in whole]
    assert dates == sorted(dates, reverse=True)
    week = requests_of(ask(server, OPEN311, f"/open311/v2/requests.xml?{span.format('2021-04-08T00:00:00-05:00')}"))
    wanted = [m for m in served.messages if "2021-04-01T05:00:00Z" <= (m.published or "") <= "2021-04-08T05:00:00Z"]
    assert {row["service_request_id"]: row["description"] for row in week} == {message.id: message.text for message in wanted}
    one = requests_of(ask(server, OPEN311, f"/open311/v2/requests/{wanted[0].id}.xml"))
    assert [utc(row["requested_datetime"]) for row in one] == [wanted[0].published]
    code = one[0]["service_code"]
    some = requests_of(ask(server, OPEN311, f"/open311/v2/requests.xml?service_code={code}"))
    assert {row["service_name"] for row in some} == {one[0]["service_name"]}


@pytest.mark.parametrize(
    "query", ["start_date=2021-01-01T00:00:00Z&end_date=2021-04-30T00:00:00Z", "start_date=ayer", "end_date=31/04/2021"]
)
def test_open311_refuses_with_a_code(server: ReplayServer, query: str) -> None:
    reply = ask(server, OPEN311, f"/open311/v2/requests.xml?{query}")
    assert (reply.status, etree.fromstring(reply.body).findtext("error/code")) == (400, "400")
    assert ask(server, OPEN311, "/open311/v2/requests/1.xml").status == 404


# Mastodon

MASTODON = "comunidad.test"


def test_mastodon_pages_an_account_and_gives_the_answers_to_each_status(server: ReplayServer) -> None:
    served = shown("pagina-vecinos-ate")
    account = ask(server, MASTODON, "/api/v1/accounts/lookup?acct=vecinosdeate").json
    path = f"/api/v1/accounts/{account['id']}/statuses"
    first = ask(server, MASTODON, f"{path}?limit=100")
    assert len(first.json) == 40
    following = first.headers["Link"].partition(">")[0].partition(MASTODON)[2]
    statuses = first.json + ask(server, MASTODON, following).json
    assert [status["id"] for status in statuses] == sorted(
        (article_native_id(served.site, article) for article in served.articles), key=int, reverse=True
    )
    since = ask(server, MASTODON, f"{path}?since_id={statuses[3]['id']}&max_id={statuses[0]['id']}").json
    assert [status["id"] for status in since] == [status["id"] for status in statuses[1:3]]
    answers: dict[str, Any] = {}
    for status in statuses:
        below = ask(server, MASTODON, f"/api/v1/statuses/{status['id']}/context").json["descendants"]
        assert len(below) == status["replies_count"] < 60
        assert all(answer["in_reply_to_id"] == status["id"] or answer["in_reply_to_id"] in answers for answer in below[:1])
        answers |= {answer["id"]: answer for answer in below}
    assert sorted(answers) == sorted(native_id(served.site, message) for message in served.messages)
    for message in served.messages:
        row = answers[native_id(served.site, message)]
        assert words(row["content"]) == message.text.split()
        assert row["created_at"] == (message.published or "").replace("Z", ".000Z")
        assert int(row["id"]) >> 16 == datetime.fromisoformat(message.published or "").timestamp() * 1000


def test_mastodon_does_not_know_every_account_and_status(server: ReplayServer) -> None:
    assert ask(server, MASTODON, "/api/v1/accounts/lookup?acct=nadie").status == 404
    assert ask(server, MASTODON, "/api/v1/statuses/7/context").status == 404


# Telegram

TELEGRAM = "telegrama.test"


def test_telegram_shows_twenty_messages_a_page_back_to_the_first(server: ReplayServer) -> None:
    served = shown("pagina-huaycan-alerta")
    found: list[Any] = []
    path = "/s/huaycan_alerta"
    while path:
        page = html.fromstring(ask(server, TELEGRAM, path).body.decode())
        messages = page.xpath("//div[@data-post]")
        assert len(messages) == 20 or path != "/s/huaycan_alerta"
        found = messages + found
        path = next(iter(page.xpath("//a[contains(@class,'js-messages_more')]/@href")), "")
    assert [node.get("data-post") for node in found] == [native_id(served.site, message) for message in served.messages]
    for node, message in zip(found, served.messages, strict=True):
        said = node.xpath(".//div[contains(@class,'js-message_text')]")[0]
        assert " ".join(said.itertext()).split() == message.text.split()
        assert utc(node.xpath(".//time/@datetime")[0]) == message.published
        signed = "".join(node.xpath(".//span[@class='tgme_widget_message_from_author']/text()"))
        assert signed == message.author
    first = served.messages[0].id
    assert b"No posts found" in ask(server, TELEGRAM, f"/s/huaycan_alerta?before={first}").body
    assert b"data-post" not in ask(server, TELEGRAM, "/huaycan_alerta").body


TEXTS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "discourse": ("/t/1000.json", lambda body: json.loads(body)["post_stream"]["posts"][0]["cooked"]),
    "phpbb": ("/viewtopic.php?t=1000", bytes.decode),
    "isso": ("/isso/?uri=/1000-tema/", lambda body: json.loads(body)["replies"][0]["text"]),
    "open311": ("/requests.xml", lambda body: escape(etree.fromstring(body).findtext("request/description") or "")),
    "mastodon": (
        f"/api/v1/statuses/{dated_id('2021-04-01T00:00:00Z', 1000)}/context",
        lambda body: json.loads(body)["descendants"][0]["content"],
    ),
    "telegram": ("/s/canal", bytes.decode),
}


@pytest.mark.parametrize("wire", sorted(TEXTS))
def test_odd_characters_and_long_texts_survive_the_trip(tmp_path: Path, wire: str) -> None:
    text = ODD.replace("\t ", "") + "\n\n" + "palabra ñ 🙂 " * 1_500
    options = {"boards": ["Uno"], "account": "cuenta"}
    path = "/canal" if wire == "telegram" else "/"
    site = Site(source="x", host="x.test", path=path, wire=wire, title="x", options=options)
    article = Article(id=1000, title="Tema", text="", author="", published="2021-04-01T00:00:00Z", slug="tema")
    hung = article.id if wire in ("discourse", "phpbb", "isso", "mastodon") else None
    message = Message(id="77", text=text, author="Ñ & <i>", published="2021-04-30T04:59:59Z", article=hung)
    write_served(tmp_path, Served(site, (article,), (message,)))
    asked, markup_of = TEXTS[wire]
    with ReplayServer(tmp_path) as server:
        found = words(markup_of(ask(server, "x.test", asked).body).replace("<br", " <br"))
    wanted = text.split()
    assert any(found[start : start + len(wanted)] == wanted for start in range(len(found)))


def test_an_unreadable_number_in_a_query_counts_as_absent(server: ReplayServer) -> None:
    newest = ask(server, TELEGRAM, "/s/huaycan_alerta").body
    assert ask(server, TELEGRAM, "/s/huaycan_alerta?before=ayer").body == newest


def test_a_message_below_no_article_is_named() -> None:
    served = shown("foro-transporte")
    lost = Message(id="9", text="perdido", author="", published="2021-04-02T00:00:00Z", article=1)
    for wire in ("discourse", "phpbb", "isso", "mastodon"):
        options = {"boards": ["Uno"], "account": "cuenta"}
        site = Site(source="x", host="x.test", path="/", wire=wire, title="x", options=options)
        with pytest.raises(ValueError, match="message 9 hangs below no article"):
            FORMATS[wire](Served(site, served.articles, (lost,)))
