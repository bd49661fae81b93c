"""WordPress sites over their REST API, crawled from a server that pages and filters as WordPress does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.spiders.wordpress import WordPressOptions

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
        self.reply, self.posts, self.with_totals = reply, posts or [POST], True
        self.collections = {"comments": rows, "posts": self.posts}
        self.allowed_types = {"comment"}
        self.hidden: set[int] = set()
        """Rows that count, and that a visitor may not see."""

        self.delete_after: dict[int, list[int]] = {}
        """Page of comments -> ids that are deleted once it was served."""

    def __call__(self, path: str, query: Query) -> Any:
        if not path.startswith("/wp-json/wp/v2/"):
            return None
        return self.collection(path.removeprefix("/wp-json/wp/v2/"), query)

    def error(self, status: int, code: str) -> Any:
        body = {"code": code, "message": "No se puede.", "data": {"status": status}}
        return self.reply(json.dumps(body).encode(), "application/json; charset=UTF-8", status)

    def collection(self, name: str, query: Query) -> Any:
        rows = self.collections.get(name)
        if rows is None:
            return self.error(404, "rest_no_route")
        kind = query.get("type", ["comment"])[0]
        if kind not in self.allowed_types:
            return self.error(401, "rest_forbidden_param")
        if kind != "comment":
            rows = [row for row in rows if row["type"] == kind]
        after, before = (datetime.fromisoformat(query[name][0]) for name in ("after", "before"))
        # Undated rows are served whatever the window: what WordPress does with them is not known.
        found = [
            row
            for row in rows
            if not isinstance(row, dict)
            or str(row["date_gmt"] or "0").startswith("0")
            or after < datetime.fromisoformat(row["date"]) < before
        ]
        size, page = int(query.get("per_page", ["10"])[0]), int(query["page"][0])
        pages = -(-len(found) // size)
        if page > max(pages, 1) and name != "comments":
            return self.error(400, "rest_post_invalid_page_number")
        headers = (("X-WP-Total", str(len(found))), ("X-WP-TotalPages", str(pages))) if self.with_totals else ()
        shown = [
            row for row in found[(page - 1) * size : page * size] if not isinstance(row, dict) or row["id"] not in self.hidden
        ]
        gone = self.delete_after.pop(page, []) if name == "comments" else []
        self.collections[name] = [row for row in rows if not isinstance(row, dict) or row["id"] not in gone]
        return self.reply(json.dumps(shown).encode(), "application/json; charset=UTF-8", 200, headers)


def api_link(root: str) -> tuple[tuple[str, str], ...]:
    return (("Link", '<http://otro.test/>; rel="preload"'), ("Link", f'<{root}>; rel="https://api.w.org/"'))


def elsewhere(reply: Any, blog: Blog, *, at: str, front: Any, missing: Any) -> Any:
    """Return a site whose API answers at `at` (a path, or `?` for the parameter rest_route), and not where it is by default."""

    def site(path: str, query: Query) -> Any:
        route = query.get("rest_route", [""])[0]
        if at.startswith("?") and path in ("/", "/index.php") and route.startswith("/wp/v2/"):
            return blog.collection(route.removeprefix("/wp/v2/"), query)
        if not at.startswith("?") and path.startswith(at):
            return blog.collection(path.removeprefix(f"{at}wp/v2/"), query)
        return front if path in ("/", "/noticias/") else missing

    return site


def odd_sites(lab: Any) -> dict[str, Any]:
    """Return sites that are built, or behave, in another way than the usual one."""
    reply, at = lab.Reply, datetime(2021, 4, 10, 12, tzinfo=UTC)
    page, missing = reply(b"<html><body>Portada</body></html>"), reply(b"<html>No hay</html>", status=404)
    few = [comment(number, at=at + timedelta(minutes=number)) for number in range(1, 4)]
    many = [comment(number, at=at + timedelta(minutes=number)) for number in range(1, 251)]
    plain_root = api_link("http://plano.test/index.php?rest_route=/")
    head = b'<html><head><link rel="https://api.w.org/" href="/interno/api/" /></head><body>Portada</body></html>'
    shrinking, veiled, small = Blog(reply, list(many)), Blog(reply, list(many)), Blog(reply, many[:25])
    shrinking.delete_after = {1: [3, 40]}
    veiled.hidden = set(range(101, 201))

    def refuses_our_size(path: str, query: Query) -> Any:
        return small.error(400, "rest_invalid_param") if "per_page" in query else small(path, query)

    def repeats(path: str, query: Query) -> Any:
        return small(path, query | {"page": ["1"], "per_page": ["10"]})

    return {
        "plano.test": elsewhere(reply, Blog(reply, few), at="?", front=page._replace(headers=plain_root), missing=missing),
        "sinenlace.test": elsewhere(reply, Blog(reply, few), at="?", front=page, missing=missing),
        # Without pretty permalinks behind a server that sends every address to WordPress, all of them show the front page.
        "portada.test": elsewhere(
            reply,
            Blog(reply, few),
            at="?",
            front=missing,
            missing=page._replace(headers=api_link("http://portada.test/?rest_route=/")),
        ),
        "interno.test": elsewhere(reply, Blog(reply, few), at="/interno/api/", front=page._replace(body=head), missing=missing),
        "mengua.test": shrinking,
        "velado.test": veiled,
        "pequeno.test": refuses_our_size,
        "repite.test": repeats,
        "frena.test": lambda path, query: reply(b"{}", "application/json", 429) if "wp-json" in path else None,
    }


def rich_site(reply: Any) -> Blog:
    """Return a site with articles of several kinds and comments of several types."""
    at = datetime(2021, 4, 10, 12, tzinfo=UTC)
    moved = {"date": "2021-04-05T09:00:00", "date_gmt": "2021-04-05T14:00:00"}
    smiley = '<p>Qué bien <img src="s.png" alt="🙂" class="wp-smiley" style="height: 1em;" /> <img src="x.png" alt="foto"></p>'
    shortcodes = "<p>Ver [gallery ids=&#8221;1,2&#8243;] y [aviso]el plano[/aviso] [sic]</p>"
    rows = [
        comment(
            1,
            at=at,
            content={"rendered": smiley},
            author=0,
            author_avatar_urls={"24": "http://g.test/avatar/0bc83cb571cd1c50ba6f"},
        ),
        comment(2, at=at, type="review", text="Buena atención", post=90),
        comment(3, at=at, type="webmention", text="Lo comenté en mi bitácora"),
        comment(4, at=at, type="pingback", text="[…] se menciona […]"),
        comment(5, at=at, type="valoracion", text="Cinco estrellas"),
        comment(6, at=at, type="", text="Comentario de antes, sin tipo", post=80, parent=1),
        comment(7, at=at, date_gmt=None, text="Sin fecha"),
    ]
    secret = {"content": {"rendered": "", "protected": True}, "title": {"rendered": "Protegido: acta"}}
    blog = Blog(reply, rows, posts=[POST | moved | {"content": {"rendered": shortcodes}}, POST | moved | secret | {"id": 8}])
    blog.collections |= {"pages": [POST | moved | {"id": 80}], "tramites": [POST | moved | {"id": 90}]}
    blog.allowed_types = {"comment", "review"}
    return blog


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    at = datetime(2021, 4, 10, 12, tzinfo=UTC)
    bare = [comment(number, at=at, link=None) for number in range(1, 131)]
    nameless = [
        comment(0, at=at, id=None, link="http://sinid.test/a/#c1", text="Primera queja"),
        comment(0, at=at, id=None, link="http://sinid.test/a/#c2", text="Segunda queja"),
    ]
    odd: list[Any] = [
        comment(1, at=at, text="Antes del tropiezo"),
        comment(2, at=at, author_name={"raro": "SECRETO-DEL-VECINO"}),
        comment(3, at=at, content="SECRETO-DEL-VECINO"),
        comment(4, at=at) | {"id": "SECRETO-DEL-VECINO"},
        "SECRETO-DEL-VECINO",
        None,
        comment(5, at=at, text="Después del tropiezo", parent=None, author_name=None, content={"rendered": "<p>Después</p>"}),
        comment(6, at=at, content=None),
    ]
    lab.web.sites |= odd_sites(lab)
    lab.web.sites |= {
        "diario.test": Blog(reply, COMMENTS),
        "sintotal.test": Blog(reply, bare),
        "sinid.test": Blog(reply, nameless),
        "raro.test": Blog(reply, odd),
        "html.test": lambda path, query: reply(b"<html>Mantenimiento</html>") if "wp-json" in path else None,
        "cortado.test": lambda path, query: (
            reply(b'[{"id": 1, "content": {"ren', "application/json", 200) if "wp-json" in path else None
        ),
        "cerrado.test": lambda path, query: (
            Blog(reply, [])(path, query) if path.endswith("posts") else reply(b"{}", "application/json", 401)
        ),
        "barrio.test": lambda path, query: Blog(reply, COMMENTS[20:22])(path.removeprefix("/blog"), query),
        "variado.test": rich_site(reply),
    }
    lab.web.sites["sintotal.test"].with_totals = False
    moved = {"date": "2021-04-05T09:00:00", "date_gmt": "2021-04-05T14:00:00"}
    answers = [row if row["date_gmt"].startswith("0") else row | moved for row in COMMENTS[9:14]]
    lab.web.sites["respuestas.test"] = Blog(reply, answers, posts=[POST | moved])
    only_comments = ("sintotal", "sinid", "raro", "html", "cortado", "mengua", "velado", "pequeno", "repite", "frena")
    rich = {"collections": ["posts", "pages", "tramites", "obras"], "comment_types": ["comment", "review", "webmention"]}
    sources = [
        lab.source("diario", "wordpress", "http://diario.test/", publisher={"authors": ["Municipalidad de Ate"]}),
        lab.source("oficial", "wordpress", "http://barrio.test/blog", publisher={"official": True}),
        *(lab.source(name, "wordpress", f"http://{name}.test/", options={"posts": False}) for name in only_comments),
        *(lab.source(name, "wordpress", f"http://{name}.test/") for name in ("cerrado", "plano", "sinenlace", "portada")),
        lab.source("interno", "wordpress", "http://interno.test/noticias/"),
        lab.source("respuestas", "wordpress", "http://respuestas.test/", publisher={"authors": ["Municipalidad de Ate"]}),
        lab.source("variado", "wordpress", "http://variado.test/", options=rich),
    ]
    return lab.crawl(sources)


def asked(lab: Any, host: str, collection: str) -> list[str]:
    """Return the pages of a collection that were asked for, in their order."""
    here = [
        seen for seen in lab.web.pages(host) if (seen.query.get("rest_route", [""])[0] or seen.path).endswith(f"/{collection}")
    ]
    return [seen.query["page"][0] for seen in here]


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


def test_pages_without_totals_are_read_until_one_is_not_full(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("sintotal") == ("ok", "none")
    assert asked(lab, "sintotal.test", "comments") == ["1", "2"]
    assert len(crawled.people("sintotal")) == 130


def test_comments_without_an_id_stay_apart(crawled: Any) -> None:
    items = crawled.items("sinid")
    assert [item.native_id for item in items] == [None, None]
    assert {item.url for item in items} == {"http://sinid.test/a/#c1", "http://sinid.test/a/#c2"}


def test_row_of_another_form_costs_no_other(crawled: Any) -> None:
    assert crawled.outcome("raro") == ("partial", "malformed")
    assert [(item.native_id, item.parent_id, item.author_key is None) for item in crawled.items("raro")] == [
        ("comment-1", "post-7", False),
        ("comment-5", "post-7", True),
    ]
    assert "5 rows of an unexpected form left out (id 2, 3, ?, ?, ?)" in crawled.health("raro").detail
    assert crawled.health("raro").skipped_count == 1
    assert "SECRETO-DEL-VECINO" not in crawled.written()


def test_collection_that_is_closed_is_told(crawled: Any) -> None:
    assert crawled.outcome("cerrado") == ("partial", "http_error")
    assert "HTTP 401" in crawled.health("cerrado").detail


def test_page_that_is_no_json_is_malformed(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("html") == ("failed", "malformed")
    assert "not a JSON list of objects" in crawled.health("html").detail
    assert crawled.outcome("cortado") == ("failed", "malformed")
    # What breaks off is JSON, so the API stands where it is expected: the front page is not asked where else it may be.
    assert [seen.path for seen in lab.web.pages("cortado.test")] == ["/wp-json/wp/v2/comments", "/comments/feed/", "/"]


@pytest.mark.parametrize(
    ("name", "doors"),
    [
        ("plano", ["/wp-json/wp/v2/posts", "/wp-json/wp/v2/comments", "/", "/index.php", "/index.php"]),
        ("sinenlace", ["/wp-json/wp/v2/posts", "/wp-json/wp/v2/comments", "/", "/", "/"]),
        ("portada", ["/wp-json/wp/v2/posts", "/wp-json/wp/v2/comments", "/", "/"]),
        (
            "interno",
            [
                "/noticias/wp-json/wp/v2/posts",
                "/noticias/wp-json/wp/v2/comments",
                "/noticias/",
                "/interno/api/wp/v2/posts",
                "/interno/api/wp/v2/comments",
            ],
        ),
    ],
)
def test_api_is_found_where_the_site_says_it_is(lab: Any, crawled: Any, name: str, doors: list[str]) -> None:
    assert crawled.outcome(name) == ("ok", "none")
    assert {item.native_id for item in crawled.items(name)} == {"comment-1", "comment-2", "comment-3"}
    assert sorted(seen.path for seen in lab.web.pages(f"{name}.test")) == sorted(doors)


def test_what_slips_to_an_earlier_page_is_not_passed_over(lab: Any, crawled: Any) -> None:
    # 3 and 40 are deleted after the first page; 101 and 102 then stand on it, and no longer on the second.
    assert crawled.outcome("mengua") == ("ok", "none")
    assert asked(lab, "mengua.test", "comments") == ["1", "2", "1", "2", "3"]
    assert set(crawled.people("mengua")) == {f"comment-{number}" for number in range(1, 251)}


def test_page_without_anything_to_see_does_not_end_the_walk(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("velado") == ("ok", "none")
    assert asked(lab, "velado.test", "comments") == ["1", "2", "3"]
    assert len(crawled.people("velado")) == 150


def test_site_that_refuses_our_order_is_asked_with_its_own(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("pequeno") == ("ok", "none")
    assert asked(lab, "pequeno.test", "comments") == ["1", "1", "2", "3"]
    assert len(crawled.people("pequeno")) == 25


def test_page_that_repeats_ends_the_walk(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("repite") == ("partial", "malformed")
    assert asked(lab, "repite.test", "comments") == ["1", "2"]
    assert len(crawled.people("repite")) == 10


def test_rate_limit_is_told_and_no_other_door_tried(lab: Any, crawled: Any) -> None:
    assert crawled.outcome("frena") == ("failed", "rate_limited")
    assert {seen.path for seen in lab.web.pages("frena.test")} == {"/wp-json/wp/v2/comments"}


def test_articles_of_every_collection_are_context(lab: Any, crawled: Any) -> None:
    context = {item.native_id: item for item in crawled.items("variado") if item.kind == "article"}
    assert set(context) == {"post-7", "post-80", "post-90"}  # 8 asks for a password
    assert context["post-7"].text == "Ver y el plano [sic]"
    assert "rest_no_route" in crawled.health("variado").detail  # `obras` is no collection of this site


def test_types_of_comments_that_persons_write_count(crawled: Any) -> None:
    people = crawled.people("variado")
    assert {name: item.parent_id for name, item in people.items()} == {
        "comment-1": "post-7",
        "comment-2": "post-90",
        "comment-3": "post-7",
        "comment-6": "comment-1",
        "comment-7": "post-7",
    }
    assert (people["comment-7"].published_at, people["comment-7"].published_raw) == (None, None)
    assert "comments of type webmention are not shown to visitors" in crawled.health("variado").detail
    assert "'valoracion' are left out" in crawled.log
    assert "pingback" not in crawled.written()


def test_emoji_of_an_image_stays_and_the_face_of_an_author_is_not_kept(crawled: Any) -> None:
    assert crawled.people("variado")["comment-1"].text == "Qué bien 🙂"
    assert "0bc83cb571cd1c50ba6f" not in crawled.written()


@pytest.mark.parametrize("options", [{"comment_types": ["pingback"]}, {"comment_types": []}, {"collections": ["../users"]}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WordPressOptions.model_validate(options)


@pytest.mark.parametrize("name", ["diario", "oficial", "sinid"])
def test_health_adds_up(crawled: Any, name: str) -> None:
    health = crawled.health(name)
    items = crawled.items(name)
    dated = [item.published_at for item in items if item.published_at]
    assert health.status == "ok"
    assert health.item_count == len(items)
    assert (health.first_published_at, health.last_published_at) == (min(dated).isoformat(), max(dated).isoformat())
    assert health.robots == "allowed"
