"""Feeds broken by rule: whatever is done to a document or to one entry, the entries that are whole are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.feeds import Entry, parse_feed
from collectors.health import SourceProblem
from tests.growth import assert_linear

URL = "http://canal.test/feed.xml"
WORDS = [
    "Falta luz en Huaycán, ¿cuándo?",
    "Ñandú & compañía: “sí”",
    "La pista está rota",
    "Gracias por la poda",
    "Más agua, señor",
]


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def rss_entry(number: int) -> str:
    return (
        f'<item><guid isPermaLink="false">m{number}</guid><link>http://canal.test/{number}</link>'
        f"<dc:creator>Ana {number}</dc:creator><pubDate>Mon, 05 Apr 2021 1{number}:00:00 -0500</pubDate>"
        f"<description>{escaped(WORDS[number])}</description></item>"
    )


def atom_entry(number: int) -> str:
    return (
        f'<entry><id>m{number}</id><link href="http://canal.test/{number}"/><author><name>Ana {number}</name></author>'
        f'<updated>2021-04-05T1{number}:00:00Z</updated><content type="text">{escaped(WORDS[number])}</content></entry>'
    )


def rss(entries: list[str]) -> str:
    head = '<?xml version="1.0"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Foro</title>'
    return f"{head}{''.join(entries)}</channel></rss>"


def atom(entries: list[str]) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Foro</title>{"".join(entries)}</feed>'


def rdf(entries: list[str]) -> str:
    spaces = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
    dublin = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"<rdf:RDF {spaces} {dublin}><channel><title>Foro</title></channel>{''.join(entries)}</rdf:RDF>"


def prefixed(entries: list[str]) -> str:
    """Atom whose elements all carry a prefix."""
    inner = re.sub(r"<(/?)(\w)", r"<\1a:\2", "".join(entries))
    return f'<a:feed xmlns:a="http://www.w3.org/2005/Atom">{inner}</a:feed>'


KINDS: dict[str, tuple[Callable[[list[str]], str], Callable[[int], str]]] = {
    "rss": (rss, rss_entry),
    "atom": (atom, atom_entry),
    "rdf": (rdf, rss_entry),
    "atom-prefixed": (prefixed, atom_entry),
}
ENCODINGS = ["utf-8", "cp1252", "utf-16", "utf-8-sig"]


def said(entry: Entry) -> tuple[str | None, str | None, str, str | None]:
    return entry.id, entry.author, entry.text, entry.published


def whole(kind: str) -> list[tuple[str | None, str | None, str, str | None]]:
    frame, write = KINDS[kind]
    return [said(entry) for entry in parse_feed(frame([write(number) for number in range(4)]).encode(), url=URL).entries]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_documents_say_what_was_written(kind: str) -> None:
    assert [(entry[0], entry[1], entry[2]) for entry in whole(kind)] == [(f"m{n}", f"Ana {n}", WORDS[n]) for n in range(4)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_each_byte(kind: str, encoding: str) -> None:
    """Of a document that breaks off, every entry whose end is there is kept, and no other is made up."""
    frame, write = KINDS[kind]
    text, entries = frame([write(number) for number in range(3)]), whole(kind)[:3]
    body = text.encode(encoding)
    end_tags = [found.end() for found in re.finditer(r"</(?:a:)?(?:item|entry)>", text)]
    ends = [len(text[:end].encode(encoding)) for end in end_tags]
    assert len(ends) == 3
    for length in range(len(body)):
        complete = sum(end <= length for end in ends)
        try:
            feed = parse_feed(body[:length], url=URL)
        except SourceProblem:
            assert complete == 0, f"{complete} entries are lost at byte {length}"
            continue
        assert [said(entry) for entry in feed.entries] == entries[:complete], f"at byte {length}"
        assert feed.problems, f"nothing is told at byte {length}"


MUTATIONS: dict[str, Callable[[str, int], str]] = {
    "drop a closer": lambda entry, at: _without(entry, re.compile(r"</(?!(?:a:)?(?:item|entry)\b)[\w:]+>"), at),
    "drop an opener": lambda entry, at: _without(entry, re.compile(r"<(?!(?:a:)?(?:item|entry)\b)\w[^>]*>"), at),
    "drop a bracket": lambda entry, at: _without(entry[6:-8], re.compile(r"[<>]"), at),
    "swap two tags": lambda entry, at: _swapped(entry, at),
    "a null": lambda entry, at: _inside(entry, at, "\0"),
    "a stray ampersand": lambda entry, at: _inside(entry, at, " & && &; &x "),
    "an unknown entity": lambda entry, at: _inside(entry, at, "&desconocida;"),
    "a number beyond all letters": lambda entry, at: _inside(entry, at, "&#x110000;&#0;&#xD800;"),
    "an open section": lambda entry, at: _inside(entry, at, "]]>"),
    "a section": lambda entry, at: _inside(entry, at, "<![CDATA[ <item> </entry> ]]>"),
    "a comment": lambda entry, at: _inside(entry, at, "<!-- -- -->"),
    "an instruction": lambda entry, at: _inside(entry, at, "<?php echo 1 ?>"),
    "markup that is never closed": lambda entry, at: _inside(entry, at, "<p><b><div class=x>"),
    "a prefix without a namespace": lambda entry, at: _inside(entry, at, "<media:rating>x</media:rating>"),
    "a namespace of its own": lambda entry, at: _inside(entry, at, "<x xmlns='urn:x'><title>no</title></x>"),
    "an attribute without quotes": lambda entry, at: _inside(entry, at, "<img src=a.png alt=>"),
    "control letters": lambda entry, at: _inside(entry, at, "\x01\x0b\x1f\ufffe"),
}


def _without(entry: str, pattern: re.Pattern[str], at: int) -> str:
    found = list(pattern.finditer(entry))
    gone = found[at % len(found)]
    return entry[: gone.start()] + entry[gone.end() :]


def _swapped(entry: str, at: int) -> str:
    tags = list(re.finditer(r"<(?!/?(?:item|entry)\b)[^>]+>", entry))
    first, second = sorted((tags[at % len(tags)], tags[(at * 7 + 1) % len(tags)]), key=lambda tag: tag.start())
    if first == second:
        return entry
    between = entry[first.end() : second.start()]
    return entry[: first.start()] + second[0] + between + first[0] + entry[second.end() :]


def _inside(entry: str, at: int, what: str) -> str:
    """Put something between two tags or letters of the entry's inside, where it splits no tag."""
    begin, end = entry.index(">") + 1, entry.rindex("<")
    places = [place for place in range(begin, end) if entry.rfind("<", 0, place) < entry.rfind(">", 0, place)]
    place = places[at % len(places)]
    return entry[:place] + what + entry[place:]


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("kind", KINDS)
@given(at=st.integers(0, 400), place=st.integers(0, 3))
@settings(max_examples=25)
def test_what_is_done_to_one_entry_harms_no_other(kind: str, mutation: str, at: int, place: int) -> None:
    frame, write = KINDS[kind]
    entries = [write(number) for number in range(4)]
    entries[place] = MUTATIONS[mutation](entries[place], at)
    found = [said(entry) for entry in parse_feed(frame(entries).encode("utf-8", "surrogatepass"), url=URL).entries]
    for number, entry in enumerate(whole(kind)):
        assert number == place or entry in found, frame(entries)


@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.tuples(st.sampled_from(sorted(MUTATIONS)), st.integers(0, 400)), min_size=1, max_size=12),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-32", "utf-16-be"]),
    st.sampled_from(["", "text/xml; charset=utf-16", "text/xml; charset=iso-8859-1", "application/json; charset=koi8-r"]),
)
@settings(max_examples=200)
def test_any_number_of_faults_gives_a_feed_or_a_named_problem(
    kind: str, faults: list[tuple[str, int]], encoding: str, content_type: str
) -> None:
    frame, write = KINDS[kind]
    entries = [write(number) for number in range(4)]
    for mutation, at in faults:
        with suppress(ValueError, ZeroDivisionError):  # nothing is left to be broken
            entries[at % 4] = MUTATIONS[mutation](entries[at % 4], at)
    body = frame(entries).encode(encoding, "replace")
    try:
        feed = parse_feed(body, url=URL, content_type=content_type)
    except SourceProblem:
        return
    assert feed == parse_feed(body, url=URL, content_type=content_type)
    assert len(feed.entries) <= 12


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_broken_entries_cost_linear_time(kind: str, mutation: str) -> None:
    frame, write = KINDS[kind]
    before, _, after = frame(["\x1a"]).partition("\x1a")
    unit = MUTATIONS[mutation](write(0), 37)
    assert_linear(lambda text: parse_feed((before + text + after).encode("utf-8", "replace"), url=URL), unit, 200_000)
