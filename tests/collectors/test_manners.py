"""The manners of a crawl, read from the request log of sites that are slow, tired, broken or endless.

The log is kept by the side that was asked, and an interval is compared from below only.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.network import site_of
from collectors.patience import (
    MOST_ATTEMPTS,
    MOST_BACK_OFF,
    MOST_WAIT,
    AsksToWait,
    Site,
    Sites,
    back_off,
    parse_retry_after,
)

ENTRY = (
    b'<rss version="2.0"><channel><item><guid>1</guid><description>Falta luz en la cuadra</description></item></channel></rss>'
)
FEED = {"entries": "manifestation"}
OPINIONS = {
    "markup": "selectors",
    "article_links": "a.nota",
    "next_page": "a.mas",
    "comment": {"item": "div.op", "id": "@id", "author": "b", "text": "p"},
}
# A crawl whose requests end after two seconds instead of twenty.
IMPATIENT = """
import sys
from pathlib import Path
import collectors.crawl as crawl
settings = crawl.crawl_settings
crawl.crawl_settings = lambda *given, **named: {**settings(*given, **named), "DOWNLOAD_TIMEOUT": 2}
crawl.main(Path(sys.argv[1]))
"""


class Socket:
    """A server below HTTP, which keeps count of the paths that it was asked for."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            path = connection.recv(10_000).split(b" ")[1].decode()
            self.asked.append(path)
            try:
                if path == "/robots.txt" and self.answer is not drip_everything:
                    connection.sendall(b"HTTP/1.0 404 Nada\r\nContent-Length: 0\r\n\r\n")
                else:
                    self.answer(connection)
            except OSError:
                return  # the crawl hung up

    def close(self) -> None:
        self.listener.close()


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 Bien\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b" ")
        time.sleep(0.1)


def drip_everything(connection: socket.socket) -> None:
    drip(connection)


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


class Tired:
    """A site that refuses its first requests in a given way and then answers; it notes when, by the wall clock too."""

    def __init__(self, reply: Any, *, status: int, headers: Any, times: int) -> None:
        self.reply, self.status, self.headers, self.times = reply, status, headers, times
        self.refused_until: list[float] = []
        self.asked_at: list[float] = []

    def __call__(self, path: str, query: Any) -> Any:
        if path == "/robots.txt":
            return None
        self.asked_at.append(time.time())
        if len(self.asked_at) > self.times:
            return self.reply(ENTRY, "application/rss+xml")
        name, value, until = self.headers()
        self.refused_until.append(until)
        return self.reply(b"", status=self.status, headers=((name, value),))


def in_seconds(seconds: int) -> Any:
    return lambda: ("Retry-After", str(seconds), time.time() + seconds)


def at_a_date(seconds: int) -> Any:
    def told() -> tuple[str, str, float]:
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
        return "Retry-After", format_datetime(until, usegmt=True), until.timestamp()

    return told


def index_of(names: list[str], following: str = "") -> bytes:
    links = "".join(f'<a class="nota" href="/{name}">t</a>' for name in names)
    return (links + (f'<a class="mas" href="{following}">m</a>' if following else "")).encode()


def thread(name: str) -> bytes:
    return f'<div class="op" id="{name}"><b>Ana</b><p>Falta luz en {name}</p></div>'.encode()


def small_forum(reply: Any, robots: str = "") -> Any:
    def site(path: str, query: Any) -> Any:
        if path == "/robots.txt":
            return reply(robots.encode(), "text/plain") if robots else None
        return reply(index_of(["a", "b"]) if path == "/" else thread(path.strip("/")))

    return site


@pytest.fixture(scope="module")
def sockets() -> Iterator[dict[str, Socket]]:
    servers = {"gotea": Socket(drip), "corta": Socket(hang_up), "goteatodo": Socket(drip_everything)}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module")
def hostile(lab: Any, sockets: dict[str, Socket]) -> Any:
    reply = lab.Reply

    def moved(target: str, **more: str) -> Any:
        return reply(b"", status=302, headers=(("Location", target), *more.items()))

    def errors(path: str, query: Any) -> Any:
        return None if path == "/robots.txt" else reply(b"", status=500)

    def tomorrow(path: str, query: Any) -> Any:
        if path in ("/robots.txt", "/"):
            return None if path == "/robots.txt" else reply(index_of(["a", "b", "c"]))
        return reply(b"", status=429, headers=(("Retry-After", "7200"),))

    def stairs(path: str, query: Any) -> Any:
        step = {"/f": moved("/g"), "/g": moved("/h", **{"Retry-After": "2"}), "/h": reply(ENTRY, "application/rss+xml")}
        return step.get(path)

    tired = {
        "segundos": Tired(reply, status=429, headers=in_seconds(3), times=1),
        "fecha": Tired(reply, status=503, headers=at_a_date(4), times=2),
    }
    lab.web.sites |= {
        "pausa.test": small_forum(reply),
        "lejana.test": small_forum(reply),
        "despacio.test": small_forum(reply, "User-agent: *\nCrawl-delay: 30\n\nUser-agent: escucha\nCrawl-delay: 2\n"),
        "ritmo.test": small_forum(reply, "User-agent: *\nRequest-rate: 2/4s\n"),
        "milsegundos.test": small_forum(reply, "User-agent: *\nCrawl-delay: 1000\n"),
        "roto.test": errors,
        "manana.test": tomorrow,
        "escalera.test": stairs,
        "lazo.test": lambda path, query: None if path == "/robots.txt" else moved("/f?"),
        "ida.test": lambda path, query: moved("http://www.ida.test/f") if path == "/f" else None,
        "www.ida.test": lambda path, query: reply(ENTRY, "application/rss+xml") if path == "/f" else None,
        "robotscansado.test": lambda path, query: reply(b"", status=503, headers=(("Retry-After", "2"),)),
        "robotsmanana.test": lambda path, query: reply(b"", status=429, headers=(("Retry-After", "86400"),)),
        **{f"{name}.test": site for name, site in tired.items()},
    }
    forums = ("pausa", "despacio", "ritmo", "milsegundos", "manana")
    feeds = (*tired, "roto", "escalera", "lazo", "ida", "robotscansado", "robotsmanana", *sockets)
    options: dict[str, Any] = {"delay_seconds": 1, "budget": {"seconds": 60}}
    sources = [lab.source(name, "page", f"http://{name}.test/", options=OPINIONS, **options) for name in forums]
    sources += [lab.source(name, "feed", f"http://{name}.test/f", options=FEED, **options) for name in feeds]
    sources += [
        lab.source("pausa-otra-vez", "feed", "http://www.pausa.test/f", options=FEED, **options),
        lab.source("manana-otra-vez", "feed", "http://manana.test/f", options=FEED, **options),
        lab.source("roto-otra-vez", "feed", "http://roto.test/f", options=FEED, **options),
    ]
    sources.append(lab.source("lejana", "page", "http://lejana.test/", options=OPINIONS, delay_seconds=2))
    sources[forums.index("milsegundos")]["budget"] = {"seconds": 3}
    hosts = {f"{name}.test": server.address for name, server in sockets.items()}
    return lab.crawl(sources, hosts=hosts, driver=IMPATIENT, extra={"keep_delays": True}), tired


@pytest.fixture(scope="module")
def crawled(hostile: Any) -> Any:
    return hostile[0]


def starts(lab: Any, site: str) -> list[float]:
    """Return when the requests to a site were seen, robots.txt included, in their order."""
    return sorted(seen.begun for seen in lab.web.seen if site_of(seen.host) == site)


def gaps(lab: Any, site: str) -> list[float]:
    return [after - before for before, after in pairwise(starts(lab, site))]


def test_every_pause_is_kept_whatever_is_asked(lab: Any, crawled: Any) -> None:
    sites = {site_of(seen.host) for seen in lab.web.seen}
    assert len(sites) >= 11
    violations = {(site, gap) for site in sites for gap in gaps(lab, site) if gap < 1}
    assert violations == set()


def test_no_two_requests_of_a_site_overlap(lab: Any, crawled: Any) -> None:
    for site in {site_of(seen.host) for seen in lab.web.seen}:
        seen = sorted((one for one in lab.web.seen if site_of(one.host) == site), key=lambda one: one.begun)
        assert all(before.ended <= after.begun for before, after in pairwise(seen)), site


def test_pause_holds_from_one_source_to_the_next(lab: Any, crawled: Any) -> None:
    hosts = [seen.host for seen in sorted(lab.web.seen, key=lambda seen: seen.begun) if site_of(seen.host) == "pausa.test"]
    assert hosts == ["pausa.test"] * 4 + ["www.pausa.test"] * 2
    assert len(crawled.items("pausa")) == 2


@pytest.mark.parametrize("name", ["lejana", "despacio", "ritmo"])
def test_each_source_keeps_its_own_delay_or_that_of_robots_if_longer(lab: Any, crawled: Any, name: str) -> None:
    assert len(crawled.items(name)) == 2
    assert len(gaps(lab, f"{name}.test")) == 3
    assert all(gap >= 2 for gap in gaps(lab, f"{name}.test"))


def test_delay_of_robots_beyond_all_measure_is_cut_and_told(lab: Any, crawled: Any) -> None:
    assert lab.web.pages("milsegundos.test") == []
    assert crawled.outcome("milsegundos") == ("partial", "budget_seconds")
    assert "robots.txt of milsegundos.test asks for 1000 s between requests; 300 are kept" in crawled.health("milsegundos").detail


@pytest.mark.parametrize(("name", "times"), [("segundos", 1), ("fecha", 2)])
def test_retry_after_is_kept_to_the_instant(hostile: Any, name: str, times: int) -> None:
    crawled, tired = hostile
    site = tired[name]
    assert len(site.refused_until) == times
    assert all(asked >= until for until, asked in zip(site.refused_until, site.asked_at[1:], strict=True))
    assert crawled.outcome(name) == ("ok", "none")
    assert len(crawled.items(name)) == 1


def test_retry_after_of_a_redirect_is_kept(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.pages("escalera.test")] == ["/f", "/g", "/h"]
    assert gaps(lab, "escalera.test")[-1] >= 2
    assert crawled.outcome("escalera") == ("ok", "none")


def test_site_that_asks_for_too_long_is_left_alone_until_then(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.pages("manana.test")] in (["/", "/a"], ["/", "/b"], ["/", "/c"])
    for name, status in (("manana", "partial"), ("manana-otra-vez", "failed")):
        assert crawled.outcome(name) == (status, "rate_limited")
        told = crawled.health(name).detail.partition("manana.test asks not to be asked again before ")[2]
        until = datetime.fromisoformat(told.partition(";")[0])
        assert timedelta(minutes=90) < until - datetime.now(UTC) <= timedelta(seconds=7201)


def test_robots_that_asks_for_too_long_is_rate_limited_too(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.seen if seen.host == "robotsmanana.test"] == ["/robots.txt"]
    assert crawled.outcome("robotsmanana") == ("failed", "rate_limited")


def test_robots_that_asks_to_wait_is_waited_for(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.seen if seen.host == "robotscansado.test"] == ["/robots.txt"] * MOST_ATTEMPTS
    assert all(gap >= 2 for gap in gaps(lab, "robotscansado.test"))
    assert crawled.outcome("robotscansado") == ("failed", "robots_unreachable")


def test_an_address_is_tried_three_times_in_a_run_and_later_each_time(lab: Any, crawled: Any) -> None:
    assert [seen.path for seen in lab.web.pages("roto.test")] == ["/f"] * MOST_ATTEMPTS
    first, second = gaps(lab, "roto.test")[1:3]
    assert first >= 2
    assert second >= 4
    assert crawled.outcome("roto") == ("failed", "http_error")
    assert crawled.outcome("roto-otra-vez") == ("failed", "unreachable")
    assert "failed 3 times in this run" in crawled.health("roto-otra-vez").detail


def test_connection_that_breaks_is_tried_three_times(sockets: Any, crawled: Any) -> None:
    assert sockets["corta"].asked == ["/robots.txt", *["/f"] * MOST_ATTEMPTS]
    assert crawled.outcome("corta") == ("failed", "unreachable")


def test_answer_that_drips_is_not_asked_for_again(sockets: Any, crawled: Any) -> None:
    assert sockets["gotea"].asked == ["/robots.txt", "/f"]
    assert crawled.outcome("gotea") == ("failed", "unreachable")


def test_robots_that_drips_closes_the_host(sockets: Any, crawled: Any) -> None:
    assert sockets["goteatodo"].asked == ["/robots.txt"]
    assert crawled.outcome("goteatodo") == ("failed", "robots_unreachable")


def test_redirect_loop_costs_six_requests(lab: Any, crawled: Any) -> None:
    assert len(lab.web.pages("lazo.test")) == 6
    assert crawled.outcome("lazo") == ("failed", "unreachable")


@pytest.fixture(scope="module")
def endless(lab: Any) -> Any:
    reply = lab.Reply

    def calendar(path: str, query: Any) -> Any:
        if path.startswith("/dia/"):
            number = int(path.removeprefix("/dia/"))
            return reply(index_of([f"nota-{number}"], f"/dia/{number + 1}"))
        return None if path == "/robots.txt" else reply(thread(path.strip("/")))

    lab.web.sites |= {"calendario.test": calendar, "breve.test": small_forum(reply)}
    return lab.crawl(
        [
            lab.source("calendario", "page", "http://calendario.test/dia/1", options=OPINIONS, budget={"depth": 8}),
            lab.source("breve", "page", "http://breve.test/", options=OPINIONS, budget={"depth": 1}),
        ]
    )


def test_pages_without_end_stop_at_their_depth(lab: Any, endless: Any) -> None:
    assert endless.outcome("calendario") == ("partial", "budget_depth")
    assert "more than 8 pages behind the first" in endless.health("calendario").detail
    days = [seen.path for seen in lab.web.pages("calendario.test") if seen.path.startswith("/dia/")]
    assert len(days) == len(set(days)) <= 9
    assert {item.native_id for item in endless.items("calendario")} >= {"nota-1", "nota-4"}


def test_depth_that_just_suffices_is_no_fault(endless: Any) -> None:
    assert endless.outcome("breve") == ("ok", "none")
    assert len(endless.items("breve")) == 2


def test_crawl_that_waits_ends_when_it_is_told(lab: Any) -> None:
    lab.web.sites["lento.test"] = small_forum(lab.Reply, "User-agent: *\nCrawl-delay: 250\n")
    source = lab.source("lento", "page", "http://lento.test/", options=OPINIONS, delay_seconds=1)
    running = lab.begin([source], extra={"keep_delays": True})
    deadline = time.monotonic() + 60
    while not starts(lab, "lento.test") and time.monotonic() < deadline:
        time.sleep(0.05)
    running.interrupt()
    crawled = running.wait()
    assert lab.web.pages("lento.test") == []
    assert crawled.outcome("lento") == ("partial", "interrupted")


def test_hosts_of_our_own_are_not_waited_for_unless_asked(lab: Any) -> None:
    lab.web.sites["propio.test"] = Tired(lab.Reply, status=503, headers=in_seconds(600), times=1)
    crawled = lab.crawl([lab.source("propio", "feed", "http://propio.test/f", options=FEED, delay_seconds=300)])
    assert crawled.outcome("propio") == ("ok", "none")


NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1.2", 2),
        ("Sun, 03 May 2026 12:02:00 GMT", 120),
        ("Sunday, 03-May-26 12:02:00 GMT", 120),
        ("Sun May  3 12:02:00 2026", 120),
        ("Sun, 03 May 2026 07:02:00 -0500", 120),
        ("Sun, 03 May 2020 12:00:00 GMT", 0),
        ("99999999999999999999999999999999", 365 * 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 365 * 86_400),
        *((value, None) for value in ("", "-5", "mañana", "1e9", "١٢", "Sun, 99 May 2026 12:02:00 GMT", "12 s")),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text(max_size=60))
def test_no_text_breaks_retry_after(value: str) -> None:
    seconds = parse_retry_after(value, now=NOW)
    assert seconds is None or seconds >= 0


@given(st.floats(1, 300), st.integers(1, 10_000))
def test_back_off_is_never_shorter_than_the_promised_delay(delay: float, failures: int) -> None:
    least = max(delay, min(2 * delay, MOST_BACK_OFF))
    assert least <= back_off(delay, failures) <= 1.5 * max(delay, MOST_BACK_OFF)


def test_back_off_doubles_and_differs() -> None:
    assert min(back_off(3, 3) for _ in range(50)) >= 24
    assert len({back_off(3, 1) for _ in range(50)}) > 1


def test_www_is_no_other_site() -> None:
    sites = Sites()
    assert sites.of("https://www.diario.pe/a") is sites.of("http://DIARIO.pe:8080/b")
    assert sites.of("https://m.diario.pe/a") is not sites.of("https://diario.pe/a")


def test_site_is_waited_for_up_to_a_limit() -> None:
    site = Site("diario.pe")
    site.rest(MOST_WAIT)
    site.check()
    site.rest(5)  # what was asked for before is not forgotten
    site.rest(MOST_WAIT + 1)
    with pytest.raises(AsksToWait, match=r"diario\.pe asks not to be asked again before 20\d\d-.*\+00:00"):
        site.check()


def test_who_waits_for_a_turn_learns_that_the_site_asks_for_too_long() -> None:
    async def ask() -> None:
        site = Site("diario.pe")

        async def second() -> None:
            async with site.turn(1):
                pytest.fail("the site was asked although it wants to be left alone")

        async with site.turn(1):
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0)
            site.rest(10 * MOST_WAIT)
        with pytest.raises(AsksToWait):
            await waiting

    asyncio.run(ask())
