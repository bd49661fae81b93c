"""The crawl process: budgets, interruption, open ports, and what may never be written."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

OPINIONS = {
    "markup": "selectors",
    "article_links": "a.nota",
    "comment": {"item": "div.op", "id": "@id", "author": "b", "text": "p"},
}
TYPED = "Soy Rosa Quispe Mamani, DNI 45678912, cel 987 654 321, rosa.quispe@correo.pe, búscame como @rosaq_ate"
PLANTED = ("45678912", "987 654 321", "rosa.quispe@correo.pe", "@rosaq_ate", "Rosa Quispe", "rosaq_ate")


def forum(reply: Any, *, articles: int, delay: float = 0.0, padding: int = 0, hangs: str = "") -> Any:
    index = "".join(f'<a class="nota" href="/t/{number}">t</a>' for number in range(articles))

    def site(path: str, query: Any) -> Any:
        if path == "/":
            return reply(index.encode())
        if path == hangs:
            return reply(b"", delay=30)
        if path.startswith("/t/"):
            name = path.removeprefix("/t/")
            body = f'<div class="op" id="c{name}"><b>Ana</b><p>Falta luz en {name}</p></div>' + " " * padding
            return reply(body.encode(), delay=delay)
        return None

    return site


@pytest.fixture(scope="module")
def spent(lab: Any) -> Any:
    lab.web.sites |= {
        "cuenta.test": forum(lab.Reply, articles=50),
        "pesa.test": forum(lab.Reply, articles=50, padding=400_000),
        "tarda.test": forum(lab.Reply, articles=50, delay=0.2),
        "cuelga.test": forum(lab.Reply, articles=1, hangs="/t/0"),
        "cabe.test": forum(lab.Reply, articles=3),
    }
    budgets: dict[str, dict[str, int]] = {
        "cuenta": {"requests": 7},
        "pesa": {"megabytes": 1},
        "tarda": {"seconds": 3},
        "cuelga": {"seconds": 1},
        "cabe": {"requests": 5},
    }
    sources = [
        lab.source(name, "page", f"http://{name}.test/", options=OPINIONS, budget=budget) for name, budget in budgets.items()
    ]
    return lab.crawl(sources)


def test_requests_stop_at_their_budget(lab: Any, spent: Any) -> None:
    assert spent.outcome("cuenta") == ("partial", "budget_requests")
    assert len([seen for seen in lab.web.seen if seen.host == "cuenta.test"]) == 7  # robots.txt is one of them
    assert spent.health("cuenta").request_count == 7
    assert len(spent.items("cuenta")) == 5


def test_budget_that_just_suffices_is_no_fault(spent: Any) -> None:
    assert spent.outcome("cabe") == ("ok", "none")
    assert len(spent.items("cabe")) == 3


def test_megabytes_stop_at_their_budget(lab: Any, spent: Any) -> None:
    assert spent.outcome("pesa") == ("partial", "budget_megabytes")
    assert len(lab.web.pages("pesa.test")) <= 5
    assert 1_000_000 < spent.health("pesa").byte_count < 2_000_000


def test_seconds_stop_at_their_budget(lab: Any, spent: Any) -> None:
    assert spent.outcome("tarda") == ("partial", "budget_seconds")
    assert 1 <= len(spent.items("tarda")) < 30  # of the fifty, which take ten seconds
    assert len(lab.web.pages("tarda.test")) < 30


def test_hanging_answer_does_not_outlive_the_budget(spent: Any) -> None:
    assert spent.outcome("cuelga") == ("partial", "budget_seconds")
    assert spent.seconds < 28  # of the thirty that the answer takes


def listening_ports(process_id: int) -> list[str]:
    """Return the local addresses on which a process listens, from the kernel's own tables."""
    inodes = set()
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    tables = "".join(Path(f"/proc/{process_id}/net/{name}").read_text() for name in ("tcp", "tcp6"))
    sockets = [line.split() for line in tables.splitlines()]
    return [fields[1] for fields in sockets if fields[3] == "0A" and fields[9] in inodes]


@pytest.fixture(scope="module")
def stopped(lab: Any) -> Any:
    lab.web.sites |= {
        "larga.test": forum(lab.Reply, articles=500, delay=0.05),
        "muda.test": forum(lab.Reply, articles=1, hangs="/t/0"),
    }
    sources = [
        lab.source("larga", "page", "http://larga.test/", options=OPINIONS),
        lab.source("despues", "page", "http://larga.test/", options=OPINIONS),
        lab.source("muda", "page", "http://muda.test/", options=OPINIONS),
        lab.source("breve", "page", "http://cabe.test/", options=OPINIONS),
    ]
    running = lab.begin(sources)
    deadline = time.monotonic() + 30
    while len(lab.web.pages("larga.test")) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    ports, members = [], [running.process.pid]
    if sys.platform == "linux":
        members += [
            int(child) for task in Path(f"/proc/{members[0]}/task").glob("*/children") for child in task.read_text().split()
        ]
        ports = [port for member in members for port in listening_ports(member)]
    told = time.monotonic()
    running.interrupt()
    crawled = running.wait()
    return crawled, time.monotonic() - told, ports, members


def test_interruption_ends_in_ten_seconds_with_what_was_read(stopped: Any) -> None:
    crawled, seconds, *_ = stopped
    assert seconds <= 10
    assert crawled.returncode == 0
    assert crawled.outcome("larga") == ("partial", "interrupted")
    assert crawled.outcome("muda") == ("partial", "interrupted")
    assert len(crawled.items("larga")) == crawled.health("larga").item_count >= 15
    assert crawled.outcome("breve") == ("ok", "none")


def test_interruption_begins_no_other_source(stopped: Any) -> None:
    crawled, *_ = stopped
    assert not list(crawled.spool.glob("despues.*"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's tables of sockets")
def test_crawl_listens_on_no_port(stopped: Any) -> None:
    _, _, ports, members = stopped
    assert len(members) == 2  # the crawl, and the process that reads its pages
    assert ports == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's tables of sockets")
def test_listening_port_would_be_seen(lab: Any) -> None:
    assert f"0100007F:{lab.web.port:04X}" in listening_ports(os.getpid())


FAULTY = """
import sys
from pathlib import Path
from collectors.crawl import main
from collectors.spiders.wordpress import WordPressSpider

def fail(self, found):
    raise TypeError(str(found))

WordPressSpider._comment = fail
main(Path(sys.argv[1]))
"""
"""A crawl in which our own code fails on a comment, with the words of a citizen in its message."""


@pytest.fixture(scope="module")
def written(lab: Any) -> Any:
    reply = lab.Reply
    entry = (
        f"<item><guid isPermaLink='false'>1</guid><author>Rosa Quispe Mamani</author><title>{TYPED}</title>"
        f"<link>http://feed.test/usuario/rosaq_ate</link><description>{TYPED}</description></item>"
    )
    broken = f'[{{"id": 1, "author_name": "{TYPED}", "content": {{"rendered": "{TYPED}"}}, "date_gmt": "2021-04-05T00:00:00"}}]'
    lab.web.sites |= {
        "feed.test": lambda path, query: reply(
            f'<rss version="2.0"><channel>{entry}{entry}</channel></rss>'.encode(), "application/rss+xml"
        ),
        "roto.test": lambda path, query: reply(broken.encode(), "application/json") if path.startswith("/wp") else None,
        "sincabecera.test": lambda path, query: reply(f"{TYPED},x\n1,2\n".encode(), "text/csv"),
    }
    lab.project.mkdir()
    (lab.project / "local.csv").write_text(f'texto,autor\n"{TYPED}",Rosa Quispe Mamani\n', encoding="utf-8")
    columns = {"columns": {"text": ["texto"], "author": "autor"}}
    sources = [
        lab.source("feed", "feed", "http://feed.test/f", options={"entries": "manifestation"}, expect={"min": 5, "max": 9}),
        lab.source("roto", "wordpress", "http://roto.test/", options={"posts": False}),
        lab.source("sincabecera", "file", "http://sincabecera.test/f.csv", options=columns),
        lab.source("local", "file", "local.csv", options=columns, expect={"min": 0, "max": 0}),
    ]
    return lab.crawl(sources, driver=FAULTY)


@pytest.mark.parametrize("secret", [*PLANTED, "Mamani"])
def test_nothing_personal_is_written(written: Any, secret: str) -> None:
    assert secret.lower() not in written.written().lower()


def test_text_stays_readable(written: Any) -> None:
    (item,) = written.items("feed")  # the second, equal entry is dropped
    assert item.text.startswith("Soy [nombre], DNI [DNI], cel [teléfono], [correo]")
    assert item.url is None
    assert item.author_key is not None
    assert item.author_key == written.items("feed")[0].author_key != written.items("local")[0].author_key


def test_words_of_citizens_never_reach_the_log(written: Any) -> None:
    assert "búscame" in written.written()  # the spool has them
    assert "búscame" not in written.log
    assert "parse_error" in written.outcome("roto")
    assert re.search(r"ERROR: scrapy\.core\.scraper: TypeError at \S+:\d+\n", written.log)
    assert "INFO" not in written.log
    assert "Warning" not in written.log
    assert "Traceback" not in written.log  # its last line would be the message of the exception


def test_secret_is_never_written(lab: Any, written: Any) -> None:
    everything = written.written()
    assert lab.secret not in everything
    assert lab.secret.encode().hex() not in everything


def test_counts_out_of_the_expected_are_told(written: Any) -> None:
    assert written.outcome("feed") == ("ok", "fewer_than_expected")
    assert written.outcome("local") == ("ok", "more_than_expected")


def test_real_city_without_a_secret_does_not_run(lab: Any) -> None:
    source = lab.source("feed", "feed", "http://feed.test/f")
    begun = time.monotonic()
    crawled = lab.begin([source], city={"synthetic": False, "hosts": {}}, secret="").wait()
    assert crawled.returncode != 0
    assert "ESCUCHA_SECRET is not set" in crawled.log
    assert [path.name for path in crawled.spool.iterdir()] == ["request.json"]
    assert [seen for seen in lab.web.seen if seen.begun >= begun] == []
