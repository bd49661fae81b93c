"""What is taken out of answers in the process apart: its limits, and that breaking one costs only the answer that did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from collectors.extraction import MOST_FEED, MOST_MARKUP, Extraction, ExtractionWorker, OverLimit, UnreadableError
from collectors.feeds import Feed, parse_feed
from collectors.health import SourceProblem
from collectors.html_tree import parse_html
from collectors.json_body import MOST_VALUES, load_json
from collectors.schema_org import read_document
from collectors.sitemaps import read_sitemap
from collectors.spiders.forum_pages import read_board, read_topic
from collectors.spiders.page_markup import MARKUPS, read_index, read_thread
from collectors.spiders.telegram_markup import read_channel

THREAD = {"markup": MARKUPS["comment_list"].model_dump()}
COMMENT = '<li class="comment" id="c1"><cite class="fn">Rosa</cite><div class="comment-content">Falta luz</div></li>'
NESTED = b"<li class=comment id=a><cite class=fn>A</cite><div class=comment-content>b"
"""64 KB of it, each comment inside the one before, cost a dozen seconds: every selector looks through every other comment."""


@pytest.fixture(scope="module")
def worker() -> Iterator[ExtractionWorker]:
    apart = ExtractionWorker()
    yield apart
    apart.close()


def extract(worker: ExtractionWorker, wanted: Extraction, body: bytes, url: str = "http://x.test/a") -> Any:
    return asyncio.run(worker.extract(wanted, body, url=url, content_type="text/html"))


def is_well(worker: ExtractionWorker) -> bool:
    found = extract(worker, Extraction(read_thread, THREAD), COMMENT.encode())
    return [comment.text for comment in found.comments] == ["Falta luz"]


@pytest.mark.parametrize(
    ("wanted", "body"),
    [
        (Extraction(read_thread, THREAD), f"<h1>Título</h1><article><time datetime='2021-04-02'></article>{COMMENT}".encode()),
        (Extraction(read_index, {"articles": "a", "following": "a.next"}), b'<a href="/1">1</a><a class="next" href="/2">2</a>'),
        (
            Extraction(read_document, {"following": None}),
            b'<i itemscope itemtype="http://schema.org/Comment"><b itemprop="text">x',
        ),
        (
            Extraction(read_channel),
            b'<div class="tgme_widget_message" data-post="ate/7"><a class="tgme_widget_message_reply" href="https://t.me/ate/3">'
            b'</a><div class="js-message_text">Hola</div></div>',
        ),
        (
            Extraction(read_topic, {"platform": "phpbb", "number": 3}),
            b'<h2 class="topic-title">T</h2><div class="post" id="p7"><div class="content">Hola</div></div><div '
            b'class="post" id="p"></div><div class="pagination"><a href="viewtopic.php?t=3&start=10">2</a></div>',
        ),
        (
            Extraction(read_board, {"platform": "phpbb", "number": None}),
            b'<ul class="forums"><li class="row"><a class="forumtitle" href="viewforum.php?f=2">F</a></li></ul>',
        ),
        (
            Extraction(parse_feed),
            "<rss><channel><item><guid>1</guid><description>Ñandú</description></item></channel></rss>".encode(),
        ),
        (Extraction(read_sitemap), b"<urlset><url><loc>http://x.test/1</loc></url></urlset>"),
    ],
    ids=lambda value: value.function.__name__ if isinstance(value, Extraction) else "",
)
def test_what_crosses_is_what_the_function_gives(worker: ExtractionWorker, wanted: Extraction, body: bytes) -> None:
    here = wanted.function(body, url="http://x.test/a", content_type="text/html", **wanted.arguments)
    assert extract(worker, wanted, body) == here


def test_a_problem_is_told_and_harms_nobody(worker: ExtractionWorker) -> None:
    problem = extract(worker, Extraction(parse_feed), b"<html>")
    assert isinstance(problem, SourceProblem)
    assert problem.reason == "malformed"
    assert is_well(worker)


def test_what_the_function_trips_over_is_named_without_a_word_of_it(worker: ExtractionWorker) -> None:
    failed = extract(worker, Extraction(read_index, {"articles": "a[", "following": None}), b"<a>Rosa</a>")
    assert isinstance(failed, UnreadableError)
    assert str(failed) == "SelectorSyntaxError"


def test_a_lone_surrogate_crosses_as_a_replacement(worker: ExtractionWorker) -> None:
    body = rb'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "roto \ud83d fin"}]}'
    feed: Feed = extract(worker, Extraction(parse_feed), body)
    assert [entry.text for entry in feed.entries] == ["roto \ufffd fin"]


def test_a_page_that_takes_too_long_costs_itself(worker: ExtractionWorker) -> None:
    with pytest.raises(OverLimit, match="more than 5 s") as broken:
        extract(worker, Extraction(read_thread, THREAD), (NESTED * 900)[:64_000])
    assert broken.value.reason == "extract_timeout"
    assert is_well(worker)


def test_a_worker_that_was_killed_costs_nothing(worker: ExtractionWorker) -> None:
    assert is_well(worker)
    worker._process.kill()
    worker._process.wait()
    assert is_well(worker)


def test_the_largest_page_of_nothing_but_tags_is_read(worker: ExtractionWorker) -> None:
    found = extract(worker, Extraction(read_topic, {"platform": "phpbb", "number": 3}), b"<b>x</b>" * (MOST_MARKUP // 8))
    assert (found.has_posts, found.closed) == (False, False)


def test_a_page_that_takes_too_much_memory_costs_itself(worker: ExtractionWorker) -> None:
    bomb = b"<b>x</b>" * (MOST_FEED // 10)
    with pytest.raises(OverLimit, match="of memory") as broken:
        extract(worker, Extraction(read_document, {"following": None}, most_bytes=MOST_FEED), bomb)
    assert broken.value.reason == "extract_memory"
    assert is_well(worker)


def test_a_page_that_is_too_large_is_not_even_sent() -> None:
    with pytest.raises(OverLimit, match="2,000,001 bytes") as broken:
        extract(ExtractionWorker(), Extraction(read_thread, THREAD), b" " * (MOST_MARKUP + 1))
    assert broken.value.reason == "extract_too_large"


def test_more_than_the_answer_may_hold_is_told(worker: ExtractionWorker) -> None:
    page = b'<a href="/' + b"x" * 40_000 + b'"></a>'
    document = page * (MOST_MARKUP // len(page))
    links = {"articles": "a", "following": None}
    assert len(extract(worker, Extraction(read_index, links), document).articles) == len(document) // len(page)
    bodies = b"".join(
        b'<div class="tgme_widget_message" data-post="a/%d"><div class="js-message_text">' % number for number in range(110)
    )
    with pytest.raises(OverLimit, match="16,000,000 bytes") as broken:
        extract(worker, Extraction(read_channel), bodies + b"palabra " * 20_000)
    assert broken.value.reason == "extract_too_large"


def test_an_answer_nobody_waits_for_is_broken_off(worker: ExtractionWorker) -> None:
    async def run() -> None:
        wanted, body = Extraction(read_thread, THREAD), (NESTED * 900)[:64_000]
        under_way = asyncio.create_task(worker.extract(wanted, body, url="", content_type="", serves="crawl"))
        await asyncio.sleep(0.5)
        worker.abandon("another crawl")
        assert not under_way.done()
        worker.abandon("crawl")
        with pytest.raises(OverLimit):
            await under_way

    asyncio.run(run())
    assert is_well(worker)


@pytest.mark.parametrize("levels", [100, 254, 300, 2_000])
def test_deep_comments_are_read(levels: int) -> None:
    page = "<div>" * levels + COMMENT + "</div>" * levels
    found = read_thread(page.encode(), url="", content_type="text/html", **THREAD)
    assert [comment.text for comment in found.comments] == ["Falta luz"]


@pytest.mark.parametrize("levels", [2_050, 3_000, 30_000])
def test_what_is_too_deep_is_told_and_no_empty_page(levels: int) -> None:
    with pytest.raises(SourceProblem, match="nested deeper") as deep:
        parse_html(("<div>" * levels + COMMENT).encode())
    assert deep.value.reason == "extract_too_large"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"", "", ""),
        (b"<!-- nada -->", "text/html", ""),
        (b"\x00\x01 sin etiqueta", "application/octet-stream", ""),
        (b"ni\xf1o", "text/html", "niño"),
        ("<p>niño".encode("utf-16"), "", "niño"),
        (b"<p>ni\xf1o", "text/html; charset=latin1", "niño"),
    ],
)
def test_pages_are_decoded_by_our_own_rule(body: bytes, content_type: str, text: str) -> None:
    assert "".join(parse_html(body, content_type=content_type).xpath("//text()").getall()) == text


def test_json_within_bounds_is_read() -> None:
    assert load_json(b'{"a": [1, "dos, tres"]}') == {"a": [1, "dos, tres"]}
    assert len(load_json(b"[" + b"1," * (MOST_VALUES - 2) + b"1]")) == MOST_VALUES - 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[" + b"[]," * MOST_VALUES + b"1]", "values"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":' * 100_000, "deeper"),
        (b"[1", "delimiter"),
        (b"\xff\xfe\xff", "Expecting value"),
        (b"[" + b"9" * 10_000 + b"]", "digits"),
    ],
    ids=["wide", "deep", "deep-objects", "cut", "bytes", "number"],
)
def test_json_beyond_bounds_is_no_json(body: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        load_json(body)
