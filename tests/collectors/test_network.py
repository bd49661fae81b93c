"""Where a crawl may connect, how politely it asks, and what it says when nothing comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from collectors.addresses import is_public
from collectors.catalog import City
from collectors.crawl import group_by_host
from collectors.network import mapped_address, site_of
from collectors.settings import agent_string, crawl_settings

FEED = b'<rss version="2.0"><channel><item><guid>1</guid><description>Falta luz</description></item></channel></rss>'
OPTIONS = {"entries": "manifestation"}
# DNS that answers with this machine, as an attacker's may, and time limits that a test can wait for.
DRIVER = """
import socket, sys
from pathlib import Path
real = socket.getaddrinfo
def lying(host, *rest, **named):
    return real("127.0.0.1" if str(host).endswith(".example") else host, *rest, **named)
socket.getaddrinfo = lying
import collectors.crawl as crawl
settings = crawl.crawl_settings
crawl.crawl_settings = lambda *given, **named: {**settings(*given, **named), "DOWNLOAD_TIMEOUT": 0.5}
crawl.main(Path(sys.argv[1]))
"""


class Canary:
    """A listener that nobody may connect to."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.hits = 0
        self.thread = threading.Thread(target=self._count, daemon=True)
        self.thread.start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    listener = Canary()
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def crawled(lab: Any, canary: Canary) -> Any:
    reply = lab.Reply

    def redirect(target: str) -> Any:
        return lambda path, query: reply(b"", status=302, headers=(("Location", target),)) if path == "/feed.xml" else None

    def feed(path: str, query: Any) -> Any:
        return reply(FEED, "application/rss+xml") if path in ("/feed.xml", "/nuevo.xml") else None

    def moved(path: str, query: Any) -> Any:
        return redirect("/nuevo.xml")(path, query) or feed(path, query)

    def slow(path: str, query: Any) -> Any:
        return reply(FEED, "application/rss+xml", delay=0.15)

    lab.web.sites |= {
        "bien.test": feed,
        "ajeno.test": feed,
        "www.conwww.test": feed,
        "mudado.test": moved,
        "lento.test": slow,
        "www.lento.test": slow,
        "error.test": lambda path, query: reply(b"", status=500) if path == "/feed.xml" else None,
        "conwww.test": redirect("http://www.conwww.test/feed.xml"),
        "desvio.test": redirect("http://ajeno.test/feed.xml"),
        "lazo.test": redirect("/feed.xml?"),
    }
    trap = f"127.0.0.1:{canary.port}"
    inner = (trap, f"localhost:{canary.port}", f"2130706433:{canary.port}", f"[::ffff:7f00:1]:{canary.port}", "169.254.169.254")
    for number, address in enumerate(inner):
        lab.web.sites[f"trampa{number}.test"] = redirect(f"http://{address}/feed.xml")
    names = [name for name in lab.web.sites if not name.startswith(("www.", "ajeno"))]
    names += ["falta.test", "muerto.test", "www.lento.test"]
    closed = socket.create_server(("127.0.0.1", 0))
    hosts = {"muerto.test": f"127.0.0.1:{closed.getsockname()[1]}"}
    closed.close()
    sources = [lab.source(name.replace(".", "-"), "feed", f"http://{name}/feed.xml", options=OPTIONS) for name in names]
    sources.append(lab.source("lento-otra-vez", "feed", "http://lento.test/otro.xml", options=OPTIONS))
    return lab.crawl(sources, hosts=hosts)


@pytest.fixture(scope="module")
def lied_to(lab: Any, canary: Canary) -> Any:
    lab.web.sites["colgado.test"] = lambda path, query: lab.Reply(FEED, delay=1.5) if path == "/feed.xml" else None
    sources = [
        lab.source("trampa", "feed", f"http://municipio.example:{canary.port}/feed.xml", delay_seconds=1),
        lab.source("colgado", "feed", "http://colgado.test/feed.xml"),
        lab.source("sano", "feed", "http://bien.test/feed.xml", options=OPTIONS),
    ]
    return lab.crawl(sources, city={"synthetic": False, "hosts": {}}, driver=DRIVER)


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("falta", "http_error", "HTTP 404 at http://falta.test/feed.xml"),
        ("error", "http_error", "HTTP 500 at http://error.test/feed.xml"),
        ("muerto", "robots_unreachable", "robots.txt of muerto.test"),
        ("desvio", "unreachable", "http://ajeno.test/feed.xml: leads to ajeno.test"),
        ("lazo", "unreachable", "http://lazo.test/feed.xml: max redirections reached"),
    ],
)
def test_failure_is_told(crawled: Any, name: str, reason: str, told: str) -> None:
    health = crawled.health(f"{name}-test")
    assert (health.status, health.reason) == ("failed", reason)
    assert health.detail.startswith(told)


@pytest.mark.parametrize("name", ["bien", "mudado", "conwww"])
def test_other_sources_lose_nothing(crawled: Any, name: str) -> None:
    assert crawled.outcome(f"{name}-test") == ("ok", "none")
    assert [item.text for item in crawled.items(f"{name}-test")] == ["Falta luz"]


def test_redirects_into_the_machine_are_not_followed(lab: Any, crawled: Any, canary: Canary) -> None:
    for number in range(5):
        assert crawled.outcome(f"trampa{number}-test") == ("failed", "unreachable")
    assert canary.hits == 0
    assert lab.web.pages("ajeno.test") == []


def test_redirect_loop_costs_a_bounded_number_of_requests(lab: Any, crawled: Any) -> None:
    assert len(lab.web.pages("lazo.test")) == 6


def test_further_attempts_are_bounded_and_counted(lab: Any, crawled: Any) -> None:
    assert len(lab.web.pages("error.test")) == 3
    assert crawled.health("error-test").request_count == 4  # robots.txt and three attempts


def test_name_that_resolves_to_this_machine_is_refused(lied_to: Any, canary: Canary) -> None:
    assert lied_to.outcome("trampa") == ("failed", "robots_unreachable")
    assert "refused to connect to municipio.example" in lied_to.log
    assert canary.hits == 0


def test_answer_that_does_not_come_is_told(lied_to: Any) -> None:
    assert lied_to.outcome("colgado") == ("failed", "unreachable")
    assert "DownloadTimeoutError" in lied_to.health("colgado").detail
    assert lied_to.outcome("sano") == ("ok", "none")


def test_agent_names_program_and_contact(lab: Any, crawled: Any) -> None:
    agents = {seen.agent for seen in lab.web.seen}
    assert len(agents) == 1
    (agent,) = agents
    assert agent.startswith("escucha/")
    assert "+mailto:buzon@municipio.test" in agent


def test_one_site_is_never_asked_twice_at_once(lab: Any, crawled: Any) -> None:
    seen = sorted((seen for seen in lab.web.seen if site_of(seen.host) == "lento.test"), key=lambda seen: seen.begun)
    # The three addresses, and the robots.txt of each of the two hosts, which the third source need not ask for again.
    assert len(seen) == 5
    assert all(before.ended <= after.begun for before, after in pairwise(seen))


def city_of(lab: Any, *urls: str, **fields: Any) -> City:
    document = lab.city(
        [lab.source(f"s{number}", "feed", url, **fields) for number, url in enumerate(urls)], synthetic=False, hosts={}
    )
    for source in document["sources"]:
        source |= document["defaults"]
    return City.model_validate(document)


def test_delay_holds_for_every_host_that_is_not_mapped(lab: Any) -> None:
    city = city_of(lab, "http://www.diario.pe/feed", "http://diario.test/feed", delay_seconds=7)
    real, replayed = (crawl_settings(city, source, {"*.test": "127.0.0.1:1"}) for source in city.sources)
    assert (real["DOWNLOAD_DELAY"], replayed["DOWNLOAD_DELAY"]) == (7, 0)
    assert real["DOWNLOAD_DELAY_JITTER"] == 0  # Scrapy's goes below the delay as well as above it
    assert crawl_settings(city, city.sources[1], {})["DOWNLOAD_DELAY"] == 7
    default = city_of(lab, "http://www.diario.pe/feed")
    assert crawl_settings(default, default.sources[0], {})["DOWNLOAD_DELAY"] == 3


def test_settings_keep_ports_and_other_schemes_closed(lab: Any) -> None:
    city = city_of(lab, "http://www.diario.pe/feed")
    settings = crawl_settings(city, city.sources[0], {})
    assert settings["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1
    assert {scheme for scheme, handler in settings["DOWNLOAD_HANDLERS"].items() if handler} == {"http", "https"}
    assert (settings["TELNETCONSOLE_ENABLED"], settings["REMOTE_CONTROL_ENABLED"]) == (False, False)
    assert settings["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert settings["USER_AGENT"] == agent_string(city)


def test_sources_of_one_site_form_one_group_in_the_order_of_the_file(lab: Any) -> None:
    city = city_of(lab, "http://b.pe/1", "http://a.pe/", "http://www.b.pe/2", "https://b.pe/3", "http://blog.b.pe/")
    groups = [[source.id for source in group] for group in group_by_host(list(city.sources))]
    assert sorted(groups) == [["s0", "s2", "s3"], ["s1"], ["s4"]]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
        "2002:7f00:1::",
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_mapped_address() -> None:
    table = {"solo.test": "127.0.0.1:81", "*.test": "127.0.0.2:8080"}
    assert mapped_address("SOLO.test", table) == ("127.0.0.1", 81)
    assert mapped_address("a.b.test", table) == ("127.0.0.2", 8080)
    assert mapped_address("test.pe", table) is None
    assert mapped_address("xtest", table) is None
