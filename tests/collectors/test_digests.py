"""What a crawl remembers of each thing: exact, and small."""

from __future__ import annotations

import tracemalloc

from collectors.digests import Digests


def test_a_text_is_new_once() -> None:
    seen = Digests()
    assert seen.add("http://a.test/1")
    assert not seen.add("http://a.test/1")
    assert seen.add("http://a.test/2")
    assert len(seen) == 2


def test_parts_are_kept_apart() -> None:
    seen = Digests()
    assert seen.add("ab", "c")
    assert seen.add("a", "bc")
    assert not seen.add("ab", "c")
    assert seen.add("\ud800")


def test_nothing_is_lost_while_the_table_grows() -> None:
    seen = Digests()
    names = [f"comment-{number}" for number in range(20_000)]
    assert all(seen.add(name) for name in names)
    assert not any(seen.add(name) for name in names)
    assert len(seen) == len(names)


def test_each_text_costs_few_bytes() -> None:
    tracemalloc.start()
    seen = Digests()
    for number in range(30_000):
        seen.add(f"http://diario.test/2021/04/una-nota-de-nombre-largo-{number}/")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / len(seen) < 50
