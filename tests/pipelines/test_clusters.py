"""Clusters of what no category took: planted matters come out, chance does not, and no order decides."""

from __future__ import annotations

import random

from pipelines.reports.clusters import Text, find_clusters, lift_words

WORDS = [f"palabra{number}" for number in range(400)]


def noise(generator: random.Random, count: int, first: int) -> list[Text]:
    return [
        Text(f"n{first + place}", frozenset(generator.sample(WORDS, 6)), frozenset({first + place})) for place in range(count)
    ]


def planted(generator: random.Random, matter: list[str], count: int, first: int) -> list[Text]:
    return [
        Text(
            f"p{first + place}",
            frozenset([*generator.sample(matter, 3), *generator.sample(WORDS, 3)]),
            frozenset({first + place}),
        )
        for place in range(count)
    ]


def test_two_planted_matters_come_out_with_their_words() -> None:
    generator = random.Random(7)
    water, buses = ["antena", "radiación", "torre", "señal"], ["feria", "juegos", "ruleta", "algodón"]
    texts = noise(generator, 300, 0) + planted(generator, water, 30, 1000) + planted(generator, buses, 20, 2000)
    others = [text.words for text in noise(generator, 900, 5000)]
    first, second = find_clusters(texts, others, least=5)[:2]
    assert set(first.words[:4]) == set(water)
    assert set(second.words[:4]) == set(buses)
    assert sum(text.name.startswith("p1") for text in first.texts) >= 28
    assert all(text.name.startswith("p") for text in first.texts)


def test_the_order_of_the_texts_does_not_matter() -> None:
    generator = random.Random(8)
    texts = noise(generator, 100, 0) + planted(generator, ["antena", "torre", "señal"], 15, 1000)
    others = [text.words for text in noise(generator, 200, 5000)]
    shuffled = list(texts)
    generator.shuffle(shuffled)
    assert find_clusters(texts, others, least=5) == find_clusters(shuffled, others, least=5)


def test_what_four_persons_say_is_no_cluster_however_often_they_say_it() -> None:
    words = frozenset({"antena", "torre", "señal"})
    four = [Text(f"t{number}", words, frozenset({number % 4})) for number in range(40)]
    five = [*four, Text("t40", words, frozenset({4}))]
    others = [frozenset({"pista"})] * 50
    assert find_clusters(four, others, least=5) == []
    (cluster,) = find_clusters(five, others, least=5)
    assert len(cluster.persons) == 5


def test_words_that_read_texts_use_as_much_join_nothing() -> None:
    words = frozenset({"parque", "limpio", "gracias"})
    texts = [Text(f"t{number}", words, frozenset({number})) for number in range(20)]
    assert find_clusters(texts, [words] * 60, least=5) == []
    assert find_clusters(texts, [], least=5) != []
    assert find_clusters([], [words], least=5) == []


def test_lift_is_the_logarithm_of_how_many_times_likelier() -> None:
    lifts = lift_words([{"a", "b"}] * 9, [{"b"}] * 9)
    assert lifts["b"] == 0
    assert lifts["a"] > 2
