"""WordPress sites over their REST API, crawled from a server that pages and filters as WordPress does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Query = dict[str, list[str]]
FIRST = datetime(2021, 3, 29, 5, 30, tzinfo=UTC)


def comment(number: int, *, at: datetime, text: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "post": 7,
        "parent": 0,
        "author_name": f"Vecina {number}",
        "date": (at - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S"),
        "date_gmt": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "link": f"http://diario.test/2021/04/pistas/#comment-{number}",
        "content": {"rendered": f"<p>{text or f'No hay luz en la cuadra {number}'}</p>\n"},
        "type": "comment",
        **fields,
    }


POST = {
    "id": 7,
    "date": "2021-03-29T09:00:00",
    "date_gmt": "2021-03-29T14:00:00",
    "modified_gmt": "2021-04-02T14:00:00",
    "link": "http://diario.test/2021/04/pistas/",
    "title": {"rendered": "Pistas &#8220;nuevas&#8221;"},
    "content": {"rendered": "<p>Se inician obras.</p>"},
}
# One comment every three hours: 250 of them reach from before the window to its end, in three pages of a hundred.
COMMENTS = [comment(number, at=FIRST + timedelta(hours=3 * number)) for number in range(1, 251)]
COMMENTS[9] |= {"parent": 5, "author_name": "  municipalidad  DE ATE", "content": {"rendered": "<p>Ya vamos.</p>"}}
COMMENTS[10] |= {"author_name": "", "content": {"rendered": "<p>Año nuevo,<br />señora &amp; niño 😀</p>"}}
COMMENTS[11] |= {"date_gmt": "0000-00-00T00:00:00"}
COMMENTS[12] |= {"type": "pingback"}
COMMENTS[13] |= {"content": {"rendered": "<p> </p>"}}


class Blog:
    """A WordPress site with its paging headers."""

    def __init__(self, reply: Any, rows: list[dict[str, Any]], *, posts: list[dict[str, Any]] | None = None) -> None:
        self.reply, self.rows, self.posts, self.total_header = reply, rows, posts or [POST], True

    def __call__(self, path: str, query: Query) -> Any:
        rows = {"/wp-json/wp/v2/comments": self.rows, "/wp-json/wp/v2/posts": self.posts}.get(path)
        if rows is None:
            return None
        after, before = (datetime.fromisoformat(query[name][0]) for name in ("after", "before"))
        # Undated rows are served whatever the window: what WordPress does with them is not known.
        found = [row for row in rows if row["date_gmt"].startswith("0") or after < datetime.fromisoformat(row["date"]) < before]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        pages = -(-len(found) // size)
        if page > max(pages, 1):
            return self.reply(b'{"code": "rest_post_invalid_page_number"}', "application/json", 400)
        headers = (("X-WP-Total", str(len(found))), ("X-WP-TotalPages", str(pages)) if self.total_header else ("X-Other", "1"))
        body = json.dumps(found[(page - 1) * size : page * size]).encode()
        return self.reply(body, "application/json; charset=UTF-8", 200, headers)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    at = datetime(2021, 4, 10, 12, tzinfo=UTC)
    bare = [comment(number, at=at, link=None) for number in range(1, 101)]
    nameless = [
        comment(0, at=at, id=None, link="http://sinid.test/a/#c1", text="Primera queja"),
        comment(0, at=at, id=None, link="http://sinid.test/a/#c2", text="Segunda queja"),
    ]
    odd = [comment(1, at=at, text="Antes del tropiezo"), comment(2, at=at, author_name={"raro": "SECRETO-DEL-VECINO"})]
    lab.web.sites |= {
        "diario.test": Blog(reply, COMMENTS),
        "sintotal.test": Blog(reply, bare),
        "sinid.test": Blog(reply, nameless),
        "raro.test": Blog(reply, odd),
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>") if "wp-json" in path else None,
        "cerrado.test": lambda path, query: (
            Blog(reply, [])(path, query) if path.endswith("posts") else reply(b"{}", "application/json", 401)
        ),
        "barrio.test": lambda path, query: Blog(reply, COMMENTS[20:22])(path.removeprefix("/blog"), query),
    }
    lab.web.sites["sintotal.test"].total_header = False
    moved = {"date": "2021-04-05T09:00:00", "date_gmt": "2021-04-05T14:00:00"}
    answers = [row if row["date_gmt"].startswith("0") else row | moved for row in COMMENTS[9:14]]
    lab.web.sites["respuestas.test"] = Blog(reply, answers, posts=[POST | moved])
    sources = [
        lab.source("diario", "wordpress", "http://diario.test/", publisher={"authors": ["Municipalidad de Ate"]}),
        lab.source("oficial", "wordpress", "http://barrio.test/blog/", publisher={"official": True}),
        *(
            lab.source(name, "wordpress", f"http://{name}.test/", options={"posts": False})
            for name in ("sintotal", "sinid", "raro", "html")
        ),
        lab.source("cerrado", "wordpress", "http://cerrado.test/"),
        lab.source("respuestas", "wordpress", "http://respuestas.test/", publisher={"authors": ["Municipalidad de Ate"]}),
    ]
    return lab.crawl(sources)


def test_three_pages_are_read_once_each(lab: Any, crawled: Any) -> None:
    asked = [seen.query["page"][0] for seen in lab.web.pages("diario.test") if seen.path.endswith("comments")]
    assert sorted(asked) == ["1", "2", "3"]
    # Asked with a day to spare, so the first comments of 30 March and all later ones come; the pingback and the empty one do not.
    after = datetime(2021, 3, 31, 5, tzinfo=UTC)
    expected = {
        f"comment-{row['id']}"
        for row in COMMENTS
        if row["type"] == "comment"
        and row["id"] != 14
        and (row["date_gmt"].startswith("0") or datetime.fromisoformat(row["date"]).replace(tzinfo=UTC) > after)
    }
    found = {item.native_id for item in crawled.items("diario") if item.kind != "article"}
    assert found >= {"comment-250", "comment-12"}
    assert expected - {"comment-10"} <= found


def test_window_is_asked_with_a_day_to_spare(lab: Any, crawled: Any) -> None:
    query = next(seen.query for seen in lab.web.pages("diario.test") if seen.path.endswith("comments"))
    assert datetime.fromisoformat(query["after"][0]) <= datetime(2021, 3, 31, 5)
    assert datetime.fromisoformat(query["before"][0]) >= datetime(2021, 5, 2, 0)
    assert query["order"] == ["asc"]


def test_comment_fields(crawled: Any) -> None:
    item = crawled.people("diario")["comment-200"]
    assert item.published_at == FIRST + timedelta(hours=600)
    assert item.published_raw == "2021-04-23T05:30:00"
    assert item.url == "http://diario.test/2021/04/pistas/#comment-200"
    assert item.parent_id == "post-7"
    assert item.text == "No hay luz en la cuadra 200"
    assert item.author is None
    assert item.author_key is not None
    assert len(item.author_key) == 32
    assert item.reactions is None


def test_undated_comment_is_kept_and_counted(crawled: Any) -> None:
    item = crawled.people("diario")["comment-12"]
    assert item.published_at is None
    assert item.published_raw == "0000-00-00T00:00:00"
    assert crawled.health("diario").undated_count == 1


def test_own_words_of_the_publisher_are_official(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("respuestas")}
    assert set(by_id) == {"post-7", "comment-10", "comment-11", "comment-12"}
    assert (by_id["comment-10"].kind, by_id["comment-10"].parent_id) == ("official", "comment-5")
    assert (by_id["comment-11"].kind, by_id["comment-11"].author_key) == ("manifestation", None)
    assert by_id["comment-11"].text == "Año nuevo,\nseñora & niño 😀"
    article = by_id["post-7"]
    assert (article.kind, article.title, article.text) == ("article", "Pistas “nuevas”", "Se inician obras.")
    assert article.modified_at == datetime(2021, 4, 2, 14, tzinfo=UTC)
    assert crawled.health("respuestas").skipped_count == 1


def test_site_in_a_folder(lab: Any, crawled: Any) -> None:
    assert {seen.path for seen in lab.web.pages("barrio.test")} == {
        "/blog/wp-json/wp/v2/posts",
        "/blog/wp-json/wp/v2/comments",
    }
    assert len(crawled.people("oficial")) == 2


def test_full_page_without_its_total_is_told(crawled: Any) -> None:
    assert crawled.outcome("sintotal") == ("partial", "malformed")
    assert "X-WP-TotalPages" in crawled.health("sintotal").detail
    assert len(crawled.people("sintotal")) == 100


def test_comments_without_an_id_stay_apart(crawled: Any) -> None:
    items = crawled.items("sinid")
    assert [item.native_id for item in items] == [None, None]
    assert {item.url for item in items} == {"http://sinid.test/a/#c1", "http://sinid.test/a/#c2"}


def test_fault_of_our_own_is_told_without_words(crawled: Any) -> None:
    assert crawled.outcome("raro") == ("partial", "parse_error")
    assert [item.native_id for item in crawled.items("raro")] == ["comment-1"]
    assert "SECRETO-DEL-VECINO" not in crawled.written()


def test_collection_that_is_closed_is_told(crawled: Any) -> None:
    assert crawled.outcome("cerrado") == ("partial", "http_error")
    assert "HTTP 401" in crawled.health("cerrado").detail


def test_page_that_is_no_json_is_malformed(crawled: Any) -> None:
    assert crawled.outcome("html") == ("failed", "malformed")


@pytest.mark.parametrize("name", ["diario", "oficial", "sinid"])
def test_health_adds_up(crawled: Any, name: str) -> None:
    health = crawled.health(name)
    items = crawled.items(name)
    dated = [item.published_at for item in items if item.published_at]
    assert health.status == "ok"
    assert health.item_count == len(items)
    assert (health.first_published_at, health.last_published_at) == (min(dated).isoformat(), max(dated).isoformat())
    assert health.robots == "allowed"
