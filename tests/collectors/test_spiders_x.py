"""Searches of X, from a server that counts, pages and refuses as the API v2 does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import load_city
from collectors.spiders.x import XOptions
from collectors.yaml_errors import ConfigurationError

Query = dict[str, list[str]]
TOKEN = "AAAA-token-de-prueba-%2B0001"
NOW = datetime(2021, 4, 8, 0, 0, tzinfo=UTC)
WEEK = ("2021-04-02T00:00:00-05:00", "2021-04-09T00:00:00-05:00")
PROBLEM = "https://api.x.com/2/problems/"


def post(number: int, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    written = at or NOW - timedelta(minutes=10 * number)
    return {
        "id": str(9000 - number),
        "edit_history_tweet_ids": [str(9000 - number)],
        "text": f"Bache en la cuadra {number}",
        "author_id": str(77_000 + number),
        "created_at": written.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conversation_id": str(9000 - number),
        "lang": "es",
        "public_metrics": {"retweet_count": 1, "reply_count": 0, "like_count": number, "quote_count": 0},
        **fields,
    }


class Search:
    """The searches and counts of the API over some posts, newest first; it keeps account of what it would bill."""

    def __init__(self, reply: Any, posts: list[Any], *, counted: int | None = None, page: int = 500) -> None:
        self.reply, self.posts, self.page = reply, posts, page
        self.counted = len(posts) if counted is None else counted
        self.refuse: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        self.months = 1
        self.billed = 0

    def json(self, document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Any:
        return self.reply(json.dumps(document, ensure_ascii=False).encode(), "application/json; charset=utf-8", status, headers)

    def __call__(self, path: str, query: Query, seen: Any) -> Any:
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.json({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "vecina secreta"}, 401)
        name = path.removeprefix("/2/tweets/")
        if name in self.refuse:
            return self.refuse[name]
        if name.startswith("counts/"):
            return self.count(query)
        return self.search(query, most=100 if name == "search/recent" else 500) if name.startswith("search/") else None

    def count(self, query: Query) -> Any:
        turn = int(query.get("next_token", ["m0"])[0][1:]) + 1
        more = {"next_token": f"m{turn}"} if turn < self.months else {}
        return self.json({"data": [], "meta": {"total_tweet_count": self.counted, **more}})

    def search(self, query: Query, most: int) -> Any:
        size, begin = int(query["max_results"][0]), int(query.get("next_token", ["n0"])[0][1:])
        if not 10 <= size <= most:
            return self.json({"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "max_results"}, 400)
        size = min(size, self.page)
        rows = self.posts[begin : begin + size]
        self.billed += len(rows)
        meta = {"result_count": len(rows), **({"next_token": f"n{begin + size}"} if begin + size < len(self.posts) else {})}
        return self.json({**({"data": rows} if rows else {}), "meta": meta, **self.more})


def town(reply: Any) -> Search:
    """Return a search with every form that a post may have."""
    answer = post(2, referenced_tweets=[{"type": "replied_to", "id": "8500"}, {"type": "quoted", "id": "8400"}])
    edited = post(3, edit_history_tweet_ids=["8100", "8200", "8997"], text="Corregido: la pista de Ñaña")
    long = post(
        4, text="Vecinos de Ate, les cuento que…", note_tweet={"text": "Vecinos de Ate, les cuento que &lt;nadie&gt; vino & 😡"}
    )
    retweet = post(5, text="RT @otra: lo mismo", referenced_tweets=[{"type": "retweeted", "id": "8300"}])
    official = post(6, author_id="4242", text="Informamos que mañana hay feria")
    bare = {"id": "8000", "text": "Solo texto,\ncon salto"}
    odd = [{"id": "x1", "text": "Sin número"}, {"id": 8001, "text": "Id que no es texto"}, {"id": "8002", "text": None}, "fila"]
    broken = post(7, public_metrics=None, referenced_tweets="no", edit_history_tweet_ids=None, created_at="ayer no más")
    search = Search(reply, [post(1), answer, edited, long, retweet, official, bare, *odd, broken])
    gone = {"type": PROBLEM + "resource-not-found", "title": "Not Found Error", "value": "8500", "detail": "vecina secreta"}
    search.more = {"errors": [gone, gone, {"title": "Raro Error"}, "fila"]}
    return search


def refusing(reply: Any, name: str, document: Any, status: int, headers: tuple[tuple[str, str], ...] = ()) -> Search:
    search = Search(reply, [post(number) for number in range(1, 21)])
    search.refuse[name] = search.json(document, status, headers)
    return search


def endless(reply: Any, rows: list[Any], *, token: str | None = None) -> Any:
    numbers = iter(range(10_000))

    def answer(path: str, query: Query, seen: Any) -> Any:
        if "counts" in path:
            return reply(b'{"meta": {"total_tweet_count": 30}}', "application/json")
        meta = {"result_count": len(rows), "next_token": token or f"n{next(numbers)}"}
        return reply(json.dumps({**({"data": rows} if rows else {}), "meta": meta}).encode(), "application/json")

    return answer


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply
    posts = [post(number) for number in range(1, 251)]
    capped = {"type": PROBLEM + "usage-capped", "title": "UsageCapExceeded", "detail": "vecina secreta"}
    forbidden = {"type": PROBLEM + "client-forbidden", "title": "Client Forbidden", "detail": "vecina secreta"}
    reset = (("x-rate-limit-reset", "1617841200"),)
    lab.web.sites |= {
        "pueblo.test": town(reply),
        "todo.test": Search(reply, posts),
        "demasiado.test": Search(reply, posts),
        "muestra.test": Search(reply, posts),
        "justo.test": Search(reply, posts, counted=90),
        "sincuenta.test": Search(reply, posts),
        "corto.test": Search(reply, posts[:95], page=17),
        "archivo.test": Search(reply, [post(number, at=NOW - timedelta(days=4)) for number in range(1, 601)], counted=200),
        "largo.test": Search(reply, posts, counted=10),
        "nada.test": Search(reply, []),
        "espera.test": refusing(reply, "search/recent", {"title": "Too Many Requests", "type": "about:blank"}, 429, reset),
        "tope.test": refusing(reply, "search/recent", capped, 429),
        "credito.test": refusing(reply, "search/recent", {"title": "CreditsDepleted", "type": "about:blank"}, 402),
        "veda.test": refusing(reply, "search/recent", forbidden, 403),
        "sincuota.test": refusing(reply, "counts/recent", forbidden, 403),
        "caido.test": refusing(reply, "search/recent", {}, 503),
        "malconteo.test": refusing(reply, "counts/recent", {"meta": {"total_tweet_count": "muchos"}}, 200),
        "raro.test": refusing(reply, "search/recent", {"errors": [capped]}, 200),
        "html.test": lambda path, query, seen: reply(b"<html></html>"),
        "repite.test": endless(reply, [post(1)], token="igual"),
        "sinfin.test": endless(reply, [post(1)]),
        "hueco.test": endless(reply, []),
    }
    lab.web.sites["archivo.test"].months = 3
    lab.web.sites["largo.test"].months = 9
    common = {"token": "env:X_TOKEN", "accept_cost": True, "query": "bache OR pista", "max_posts": 300}

    def source(name: str, **fields: Any) -> Any:
        options = {"api": f"http://{name}.test/", **common, **fields}
        return lab.source(name, "x", "http://equis.test/municipio", options=options, publisher={"authors": ["4242"]})

    sources = [
        source("pueblo", max_posts=50),
        source("demasiado", max_posts=249),
        source("muestra", max_posts=105, sample=True),
        source("justo", max_posts=100),
        source("sincuenta", max_posts=125, count_first=False),
        source("corto", max_posts=90, sample=True),
        source("archivo", max_posts=600, archive=True),
        source("largo", archive=True),
        source("sintoken", token="env:NO_TOKEN"),
        source("otrotoken", token="env:X_OTHER"),
    ]
    lab.web.sites["otrotoken.test"] = Search(reply, posts)
    faults = ("espera", "tope", "credito", "veda", "sincuota", "caido", "malconteo", "raro", "html", "repite", "sinfin", "hueco")
    sources += [source(name) for name in ("todo", "nada", *faults)]
    environ = {"X_TOKEN": TOKEN, "X_OTHER": "otro-token-que-no-vale"}
    return lab.crawl(sources, environ=environ, window=WEEK, city={"clock": NOW.isoformat()})


def calls(lab: Any, name: str) -> list[tuple[str, str, str]]:
    """Return path, page size and token of each request."""
    return [
        (one.path.removeprefix("/2/tweets/"), one.query.get("max_results", [""])[0], one.query.get("next_token", [""])[0])
        for one in lab.web.pages(f"{name}.test")
    ]


def test_fields_of_a_post(crawled: Any) -> None:
    items = crawled.people("pueblo")
    first, answer = items["8999"], items["8998"]
    assert first.text == "Bache en la cuadra 1"
    assert first.published_at == NOW - timedelta(minutes=10)
    assert first.published_raw == "2021-04-07T23:50:00.000Z"
    assert first.url == "https://x.com/i/status/8999"
    assert (first.reactions, first.parent_id, first.modified_at) == (1, None, None)
    assert answer.parent_id == "8500"
    assert items["8996"].text == "Vecinos de Ate, les cuento que <nadie> vino & 😡"
    assert items["8000"].text == "Solo texto,\ncon salto"
    assert items["8000"].published_at is None


def test_edits_are_one_message(crawled: Any) -> None:
    edited = crawled.people("pueblo")["8100"]
    assert edited.text == "Corregido: la pista de Ñaña"
    assert edited.url == "https://x.com/i/status/8997"
    assert edited.modified_at == NOW - timedelta(minutes=30)


def test_municipality_is_context_and_retweets_are_left_out(crawled: Any) -> None:
    kinds = {item.native_id: item.kind for item in crawled.items("pueblo")}
    assert kinds.pop("8994") == "official"
    assert set(kinds) == {"8999", "8998", "8100", "8996", "8000", "8993"}
    assert set(kinds.values()) == {"manifestation"}


def test_authors_are_keys_and_no_user_is_asked_for(lab: Any, crawled: Any) -> None:
    keys = {item.native_id: item.author_key for item in crawled.items("pueblo")}
    assert keys.pop("8000") is None
    assert len(set(keys.values())) == len(keys)
    assert "77001" not in crawled.written()
    for one in lab.web.seen:
        assert not any("expansions" in name or name.startswith("user") for name in one.query)
    fields = next(one.query["tweet.fields"][0] for one in lab.web.pages("pueblo.test") if "search" in one.path)
    assert set(fields.split(",")) >= {"created_at", "public_metrics", "referenced_tweets", "author_id", "note_tweet"}


def test_rows_without_form_are_told_and_lose_nothing(crawled: Any) -> None:
    assert crawled.outcome("pueblo") == ("partial", "malformed")
    detail = crawled.health("pueblo").detail
    assert "4 rows that do not have the documented form" in detail
    assert "2 posts that X does not show (resource-not-found)" in detail
    assert "vecina secreta" not in crawled.written()


def test_window_is_asked_for(lab: Any, crawled: Any) -> None:
    for one in lab.web.pages("todo.test"):
        assert one.query["start_time"] == ["2021-04-02T05:00:00Z"]
        # The window ends after now, and the API wants some seconds of distance.
        assert one.query["end_time"] == ["2021-04-07T23:59:30Z"]
        assert one.query["query"] == ["(bache OR pista) -is:retweet"]


def test_all_is_read_where_the_cap_allows_it(lab: Any, crawled: Any) -> None:
    pages = [("search/recent", "100", ""), ("search/recent", "100", "n100"), ("search/recent", "100", "n200")]
    assert calls(lab, "todo") == [("counts/recent", "", ""), *pages]
    assert len(crawled.people("todo")) == 250
    assert crawled.outcome("todo") == ("ok", "none")
    told = "250 posts read of 250 counted, 1.255 USD (at most 300 posts of X and 1.505 USD (0.005 USD a post))"
    assert told in crawled.health("todo").detail


def test_window_beyond_the_cap_is_not_read_at_all(lab: Any, crawled: Any) -> None:
    assert calls(lab, "demasiado") == [("counts/recent", "", "")]
    assert lab.web.sites["demasiado.test"].billed == 0
    assert crawled.outcome("demasiado") == ("failed", "budget_requests")
    assert "250 posts, and max_posts is 249: none was read" in crawled.health("demasiado").detail
    assert "0.005 USD" in crawled.health("demasiado").detail


@pytest.mark.parametrize(
    ("name", "cap", "sizes"),
    [
        # 105 = 95 + 10: a rest of five could not be asked for.
        ("muestra", 105, ["95", "10"]),
        ("justo", 100, ["100"]),
        ("sincuenta", 125, ["100", "25"]),
        ("corto", 90, ["90", "73", "56", "39", "22"]),
    ],
)
def test_cap_is_never_exceeded(lab: Any, crawled: Any, name: str, cap: int, sizes: list[str]) -> None:
    assert [size for path, size, _ in calls(lab, name) if path.startswith("search")] == sizes
    billed = lab.web.sites[f"{name}.test"].billed
    assert cap - 10 < billed <= cap
    assert len(crawled.people(name)) == billed
    assert crawled.outcome(name) == ("partial", "budget_requests")
    assert (
        f"{billed} posts were read and max_posts is {cap}: the older ones of the window were left" in crawled.health(name).detail
    )


def test_count_is_left_out_where_it_is_not_wanted(lab: Any, crawled: Any) -> None:
    assert all(path.startswith("search") for path, _, _ in calls(lab, "sincuenta"))
    assert "125 posts read, 0.625 USD" in crawled.health("sincuenta").detail


def test_archive_is_counted_month_by_month(lab: Any, crawled: Any) -> None:
    counts = [("counts/all", "", ""), ("counts/all", "", "m1"), ("counts/all", "", "m2")]
    assert calls(lab, "archivo") == [*counts, ("search/all", "500", ""), ("search/all", "100", "n500")]
    assert len(crawled.people("archivo")) == 600
    assert "600 posts read of 600 counted, 3.030 USD" in crawled.health("archivo").detail


def test_count_that_does_not_end_is_not_paid_on(lab: Any, crawled: Any) -> None:
    assert [path for path, _, _ in calls(lab, "largo")] == ["counts/all"] * 4
    assert "40 or more posts, and max_posts is 300: none was read" in crawled.health("largo").detail


def test_nothing_counted_is_nothing_asked(lab: Any, crawled: Any) -> None:
    assert calls(lab, "nada") == [("counts/recent", "", "")]
    assert crawled.outcome("nada") == ("empty", "nothing_published")


def test_cost_is_told_before_the_first_request(crawled: Any) -> None:
    assert "demasiado: this collection costs at most 249 posts of X and 1.250 USD" in crawled.log
    assert "sintoken: this collection" not in crawled.log


def test_token_stands_in_the_header_alone(lab: Any, crawled: Any) -> None:
    for secret in (TOKEN, "otro-token-que-no-vale"):
        assert secret not in crawled.written()
        assert all(secret not in f"{one.path}{one.query}" for one in lab.web.seen)


@pytest.mark.parametrize(
    ("name", "outcome", "detail", "requests"),
    [
        ("espera", ("failed", "rate_limited"), "the limit ends at 2021-04-08T00:20:00+00:00", 2),
        ("tope", ("failed", "rate_limited"), "HTTP 429 usage-capped: the posts of the month, or the credit, are spent", 2),
        ("credito", ("failed", "rate_limited"), "HTTP 402 CreditsDepleted: the posts of the month, or the credit, are spent", 2),
        ("veda", ("failed", "secret_refused"), "HTTP 403 client-forbidden", 2),
        ("sincuota", ("failed", "secret_refused"), "HTTP 403 client-forbidden", 1),
        ("caido", ("failed", "http_error"), "HTTP 503", 4),
        ("malconteo", ("failed", "malformed"), "no total in the count", 1),
        ("raro", ("failed", "malformed"), "no list 'data'", 2),
        ("html", ("failed", "malformed"), "not a JSON object", 1),
        ("repite", ("partial", "malformed"), "the pages repeat", 3),
        ("sinfin", ("partial", "malformed"), "the pages repeat", 3),
        ("hueco", ("partial", "malformed"), "lead nowhere", 5),
        ("otrotoken", ("failed", "secret_refused"), "HTTP 401 Unauthorized", 1),
        ("sintoken", ("failed", "secret_missing"), "NO_TOKEN is not set", 0),
    ],
)
def test_faults_are_named(lab: Any, crawled: Any, name: str, outcome: tuple[str, str], detail: str, requests: int) -> None:
    assert crawled.outcome(name) == outcome
    assert detail in crawled.health(name).detail
    assert len(lab.web.pages(f"{name}.test")) == requests


@pytest.fixture(scope="module")
def reaching_back(lab: Any) -> Any:
    """Search a window that begins before the seven days, and one that ends before them."""
    for name in ("antes", "lejos"):
        lab.web.sites[f"{name}.test"] = Search(lab.Reply, [post(number) for number in range(1, 21)])
    options = {"token": "env:X_TOKEN", "accept_cost": True, "query": "bache", "max_posts": 50}
    crawls = {}
    for name, clock in {"antes": NOW, "lejos": NOW + timedelta(days=60)}.items():
        entry = lab.source(name, "x", "http://equis.test/", options={**options, "api": f"http://{name}.test"})
        window = ("2021-03-20T00:00:00-05:00", "2021-04-09T00:00:00-05:00")
        crawls[name] = lab.crawl([entry], environ={"X_TOKEN": TOKEN}, window=window, city={"clock": clock.isoformat()})
    return crawls


def test_what_a_recent_search_does_not_reach_is_told(lab: Any, reaching_back: Any) -> None:
    assert lab.web.pages("antes.test")[0].query["start_time"] == ["2021-04-01T00:01:00Z"]
    assert reaching_back["antes"].outcome("antes") == ("partial", "fewer_than_expected")
    assert "reaches 7 days back, to 2021-04-01 00:01 UTC" in reaching_back["antes"].health("antes").detail
    assert len(reaching_back["antes"].people("antes")) == 20


def test_window_out_of_reach_costs_nothing(lab: Any, reaching_back: Any) -> None:
    assert lab.web.pages("lejos.test") == []
    assert reaching_back["lejos"].outcome("lejos") == ("failed", "fewer_than_expected")


def options(**fields: Any) -> XOptions:
    given = {"token": "env:X_TOKEN", "query": "bache", "accept_cost": True, "max_posts": 1_000, **fields}
    return XOptions.model_validate({name: value for name, value in given.items() if value is not None})


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({}, "5.005"),
        ({"count_first": False}, "5.000"),
        ({"archive": True}, "5.040"),
        ({"max_posts": 10, "count_first": False}, "0.050"),
        ({"max_posts": 100_000, "archive": True}, "500.040"),
    ],
)
def test_most_that_it_may_cost(fields: dict[str, Any], usd: str) -> None:
    assert options(**fields).most_usd == Decimal(usd)
    assert f"{Decimal(usd):,.3f} USD" in options(**fields).cost


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"accept_cost": None}, "options.accept_cost: is required and is missing"),
        ({"accept_cost": False}, "options.accept_cost: False: input should be True"),
        ({"max_posts": None}, "options.max_posts: is required and is missing"),
        ({"max_posts": 9}, "greater than or equal to 10"),
        ({"query": "b" * 499}, "query: 513 characters with what is added to it; at most 512 are allowed"),
        ({"query": "b" * 1_011, "archive": True}, "at most 1024 are allowed"),
        ({"token": TOKEN}, "should match pattern"),
    ],
)
def test_it_is_off_until_the_cost_is_accepted(lab: Any, tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    whole = {"token": "env:X_TOKEN", "query": "bache", "accept_cost": True, "max_posts": 100, **fields}
    given = {name: value for name, value in whole.items() if value is not None}
    document = lab.city([lab.source("equis", "x", "https://x.com/municipio", options=given)])
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps({**document, "synthetic": False, "hosts": {}}), encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_city(path)
    assert told in str(error.value)


def test_query_may_be_as_long_as_the_api_allows() -> None:
    assert len(options(query="b" * 498).full_query) == 512
    assert len(options(query="b" * 1_010, archive=True).full_query) == 1_024
