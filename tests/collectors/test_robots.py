"""robots.txt by RFC 9309: what it closes, what it opens, and what is never asked."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.robots import AGENT, MOST_AGE, MOST_BYTES, Rules, StrictRobots, parse_robots

ENTRY = b'<rss version="2.0"><channel><item><guid>1</guid><description>Falta luz</description></item></channel></rss>'
PATH = "/foro/feed.xml"
CLOSING = "User-agent: *\nDisallow: /foro/\n"
# Names and rules of other programs without end: their product is what a parse would cost.
CROWD = "".join(f"User-agent: robot{number}\n" for number in range(15_000)) + "Disallow: /a\n" * 10_000 + "\n"


@pytest.fixture(scope="module")
def trap() -> Any:
    """A listener inside the machine that nobody may connect to."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def crawled(lab: Any, trap: Any) -> Any:
    reply = lab.Reply

    def text(body: str) -> Any:
        return reply(body.encode(), "text/plain")

    def moved(target: str) -> Any:
        return reply(b"", status=302, headers=(("Location", target),))

    far = "# relleno\n" * 40_000
    robots = {
        "caido": reply(b"", status=503),
        "limite": reply(b"", status=429),
        "roto": reply(b"", status=500),
        "fuga": moved("http://ajeno.test/robots.txt"),
        "adentro": moved(f"http://127.0.0.1:{trap.getsockname()[1]}/robots.txt"),
        "seisveces": moved("http://salto1.test/a"),
        "gira": moved("/robots.txt?otra"),
        "sindestino": reply(b"", status=302),
        "ausente": reply(b"", status=404),
        "vedado": reply(b"", status=403),
        "abierto": text("User-agent: *\nDisallow: /admin\n"),
        "pagina": reply(b"<!doctype html><html><body><p>Bienvenidos al foro</p></body></html>"),
        "cerrado": text(CLOSING),
        "nombrado": text("User-agent: escucha\nDisallow: /\n\nUser-agent: *\nAllow: /\n"),
        "otros": text("User-agent: GPTBot\nDisallow: /\n"),
        "parecido": text("User-agent: esc\nDisallow: /\n\nUser-agent: escucha2\nDisallow: /\n"),
        "lejos": text(f"User-agent: *\n{far}Disallow: /foro/\n"),
        "largo": text(CLOSING.replace("Disallow", far + "Disallow") + "# cola\n" * 30_000),
        "marca": text("\ufeff" + CLOSING),
        "mudado": moved("/robots2.txt"),
        "cincoveces": moved("http://salto2.test/a"),
        "multitud": text(CROWD + CLOSING),
    }

    # salto1 -> salto2 -> ... -> salto6, so the way from `cincoveces` has five redirects and the one from `seisveces` six.
    def step(answer: Any) -> Any:
        return lambda path, query: answer if path == "/a" else None

    steps = [moved(f"http://salto{number}.test/a") for number in range(2, 7)]
    lab.web.sites |= {f"salto{number}.test": step(answer) for number, answer in enumerate([*steps, text(CLOSING)], start=1)}
    lab.web.sites["ajeno.test"] = lambda path, query: reply(b"", status=503)

    def site_of(name: str) -> Any:
        pages = {"/robots.txt": robots[name], PATH: reply(ENTRY, "application/rss+xml"), "/robots2.txt": text(CLOSING)}
        return lambda path, query: pages.get(path)

    lab.web.sites |= {f"{name}.test": site_of(name) for name in robots}
    options = {"entries": "manifestation"}
    sources = [lab.source(name, "feed", f"http://{name}.test{PATH}", options=options) for name in robots]
    sources += [
        lab.source(f"{name}-otra-vez", "feed", f"http://{name}.test{PATH}", options=options) for name in ("abierto", "caido")
    ]
    return lab.crawl(sources)


UNREADABLE = ["caido", "limite", "roto", "fuga", "adentro", "seisveces", "gira", "sindestino", "caido-otra-vez"]
OPEN = ["ausente", "vedado", "abierto", "otros", "parecido", "pagina", "abierto-otra-vez"]
FORBIDDEN = ["cerrado", "nombrado", "lejos", "largo", "marca", "mudado", "cincoveces", "multitud"]


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_robots_closes_the_host(lab: Any, crawled: Any, name: str) -> None:
    assert PATH not in {seen.path for seen in lab.web.seen if seen.host == f"{name.removesuffix('-otra-vez')}.test"}
    assert crawled.outcome(name) == ("failed", "robots_unreachable")
    assert crawled.health(name).robots == "unreachable"


@pytest.mark.parametrize("name", OPEN)
def test_robots_that_does_not_forbid_opens_the_host(crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("ok", "none")
    assert crawled.health(name).robots == "allowed"
    assert [item.text for item in crawled.items(name)] == ["Falta luz"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_disallow_is_obeyed(lab: Any, crawled: Any, name: str) -> None:
    assert PATH not in {seen.path for seen in lab.web.pages(f"{name}.test")}
    assert crawled.outcome(name) == ("failed", "robots_closed")
    assert crawled.health(name).robots == "disallowed"


def test_robots_is_asked_once_in_a_process(lab: Any, crawled: Any) -> None:
    asked = [seen for seen in lab.web.seen if seen.host == "abierto.test" and seen.path == "/robots.txt"]
    assert len(asked) == 1
    assert (crawled.health("abierto").request_count, crawled.health("abierto-otra-vez").request_count) == (2, 1)


def test_unreadable_robots_is_tried_three_times_and_no_more(lab: Any, crawled: Any) -> None:
    assert len([seen for seen in lab.web.seen if seen.host == "caido.test"]) == 3


def test_redirects_of_robots_are_followed_to_other_hosts(lab: Any, crawled: Any) -> None:
    assert {seen.host for seen in lab.web.seen} >= {"salto1.test", "salto6.test", "ajeno.test"}
    assert [seen.path for seen in lab.web.seen if seen.host == "gira.test"] == ["/robots.txt"] * 6


def test_redirect_of_robots_into_the_machine_is_not_followed(crawled: Any, trap: Any) -> None:
    with pytest.raises(BlockingIOError):
        trap.accept()
    assert "refused to connect to 127.0.0.1" in crawled.log


def test_status_decides() -> None:
    body = CLOSING.encode()
    assert [status for status in (200, 204, 299) if parse_robots(status, body).allow(f"http://a.test{PATH}")] == []
    assert all(parse_robots(status, body).allow(f"http://a.test{PATH}") for status in (400, 401, 403, 404, 410, 451, 499))
    assert all(parse_robots(status, body).closed for status in (300, 304, 429, 500, 503, 599))


def test_only_whole_lines_of_the_first_500_kib_are_read() -> None:
    head = b"User-agent: *\nDisallow: /foro/\n"
    beyond = head + b"#" * (MOST_BYTES - len(head)) + b"\nDisallow: /todo\n"
    assert not parse_robots(200, beyond).allow("http://a.test/foro/")
    assert parse_robots(200, beyond).allow("http://a.test/todo")
    cut = b"User-agent: *\n" + b"#" * (MOST_BYTES - 14 - 14) + b"\nDisallow: /sol" + b"icitudes\n" * 20_000
    assert parse_robots(200, cut).allow("http://a.test/solo")


@pytest.mark.parametrize(
    ("rules", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 7", 7),
        ("User-agent: escucha\nCrawl-delay: 2.5\n\nUser-agent: *\nCrawl-delay: 90", 2.5),
        ("User-agent: otro\nCrawl-delay: 90\n\nUser-agent: *\nDisallow: /x", 0),
        ("User-agent: *\nRequest-rate: 1/10s", 10),
        ("User-agent: *\nRequest-rate: 6/1m\nCrawl-delay: 4", 10),
        ("User-agent: *\nRequest-rate: 1/5 0600-0845", 5),
        ("User-agent: *\nCrawl-delay: -3", 0),
        ("User-agent: *\nCrawl-delay: inf\nRequest-rate: 1/0", 0),
        ("User-agent: *\nCrawl-delay: mucho", 0),
        (f"User-agent: *\nRequest-rate: 1/{'9' * 400}d", 10**9),
        ("Crawl-delay: 9", 0),
    ],
)
def test_delay_of_the_matching_group(rules: str, delay: float) -> None:
    assert parse_robots(200, rules.encode()).delay == delay


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Allow: /foro/sala\nDisallow: /foro", "/foro/sala/1", True),
        ("Disallow: /foro\nAllow: /foro", "/foro", True),
        ("Disallow: /*.php$", "/tema.php", False),
        ("Disallow: /*.php$", "/tema.php?id=1", True),
        ("Disallow: /a*b*c", "/a-b-c/d", False),
        ("Disallow: /", "/robots.txt", True),
        ("Disallow: /ñ", "/%C3%B1andu", False),
        ("Disallow:", "/", True),
        ("Disallow: /x", "/X", True),
    ],
)
def test_longest_rule_decides(rules: str, path: str, allowed: bool) -> None:
    assert parse_robots(200, f"User-agent: {AGENT}\n{rules}\n".encode()).allow(f"http://a.test{path}") is allowed


def test_groups_of_one_name_are_one() -> None:
    rules = parse_robots(200, b"User-agent: ESCUCHA/0.1 # nosotros\nDisallow: /a\n\nuser agent escucha\nDisallow: /b\n")
    assert [rules.allow(f"http://a.test/{name}") for name in "abc"] == [False, False, True]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parse(body: bytes) -> None:
    rules = parse_robots(200, b"User-agent: *\n" + body)
    assert rules.allow("http://a.test/x") in (True, False)
    assert rules.delay >= 0


class Engine:
    """Counts what is asked, and answers it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def download_async(self, request: Any) -> Any:
        self.asked.append(request.url)
        return type("Answer", (), {"status": 404, "body": b""})


def test_rules_older_than_a_day_are_asked_for_again(lab: Any) -> None:
    import asyncio
    from types import SimpleNamespace

    from scrapy import Request

    from collectors.patience import Sites

    engine, sites = Engine(), Sites()
    robots = StrictRobots(SimpleNamespace(engine=engine, spider=SimpleNamespace(sites=sites, remarks=[])))
    page = Request("http://a.test/x")
    for _ in range(2):
        asyncio.run(robots.process_request(page))
    assert engine.asked == ["http://a.test/robots.txt"]
    known = sites.rules["http://a.test"]
    sites.rules["http://a.test"] = replace(known, read_at=known.read_at - MOST_AGE)
    asyncio.run(robots.process_request(page))
    assert len(engine.asked) == 2
    asyncio.run(robots.process_request(Request("https://a.test/x")))  # another scheme or port is another authority
    asyncio.run(robots.process_request(Request("http://a.test:8080/x")))
    assert engine.asked[2:] == ["https://a.test/robots.txt", "http://a.test:8080/robots.txt"]
    assert isinstance(known, Rules)
