"""From a core to a message: places and times in its slots, then the way its writer types.

Style never touches what a message says: openers and closers name no matter, closers and emoji agree with the sentiment.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from pipelines.pilot.cores import Material, Piece
from pipelines.pilot.plan import Plan, PlannedSource, Sentiment

SLOT = re.compile(r"\{([a-z]+)\}")
MAX_ATTEMPTS = 80
LONG_OPENER = 24
SHORT_CORE_WORDS = 6


class WordingError(RuntimeError):
    """No further different message can be made of a core."""


def same_words(text: str) -> str:
    """Return what two countable texts must not share: letters and figures without case, accents and spaces.

    Stricter than what the report compares; a text of emoji alone stands for itself.
    """
    folded = unicodedata.normalize("NFKD", text.casefold())
    words = "".join(character for character in folded if character.isalnum())
    return words or "".join(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a message must be."""

    text: str
    sentiment: Sentiment
    source: PlannedSource
    off_topic: bool = False
    """True: a message of no municipal matter, which no opener or closer may turn into one."""
    style: bool = True
    """False: slots only, as in articles and institutional answers."""


@dataclass
class Writer:
    """Writes messages, no two with the same words."""

    plan: Plan
    material: Material
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Learn which words are written without a capital inside the cores."""
        inside = (word for core in self.material.cores for word in core.text.split()[1:])
        self._common = {word for word in inside if word.isalpha() and word.islower()}

    def write(self, wish: Wish, rng: Random) -> str:
        """Return a message that nobody has written yet and that the source can show.

        Raises:
            WordingError: if `MAX_ATTEMPTS` different tries all exist already.
        """
        for attempt in range(MAX_ATTEMPTS):
            text = self._once(wish, rng, eagerness=attempt)
            if same_words(text) not in self.used and wish.source.can_show(text):
                self.used.add(same_words(text))
                return text
        raise WordingError(f"{wish.source.id}: nothing new can be made of {wish.text!r}; write more cores or give it a slot")

    def fill(self, text: str, rng: Random, *, zone: str | None = None) -> str:
        """Fill the slots of a text; the same slot twice gets two different fillers.

        Args:
            text: with slots in braces.
            rng: where the choices come from.
            zone: what every {zona} says, None = drawn.

        Raises:
            KeyError: if the text has a slot that nothing fills.
        """
        said: set[str] = set()

        def filler(match: re.Match[str]) -> str:
            if zone is not None and match[1] == "zona":
                return zone
            for _ in range(20):
                choice = self._filler(match[1], rng)
                if choice not in said:
                    break
            said.add(choice)
            return choice

        return SLOT.sub(filler, text)

    def fill_piece(self, parts: Sequence[str], rng: Random) -> list[str]:
        """Fill the slots of a headline and its text: the first {zona} of each is the same place, and so on; no aliases."""
        said: dict[tuple[str, int], str] = {}
        filled = []
        for part in parts:
            met: Counter[str] = Counter()

            def filler(match: re.Match[str], met: Counter[str] = met) -> str:
                met[match[1]] += 1
                place = (match[1], met[match[1]])
                while place not in said:
                    choice = self._filler(match[1], rng, formal=True)
                    if choice not in said.values() or match[1] in ("n", "cuadra"):
                        said[place] = choice
                return said[place]

            filled.append(SLOT.sub(filler, part))
        return filled

    def _filler(self, slot: str, rng: Random, *, formal: bool = False) -> str:
        plan = self.plan
        simple: Mapping[str, tuple[str, ...]] = {"hora": plan.hours, "dia": plan.weekdays}
        if slot in simple:
            return rng.choice(simple[slot])
        if slot in ("n", "cuadra"):
            return str(rng.randint(2, 9) if slot == "n" else rng.randint(1, 30))
        place = rng.choice(self.material.places[slot])
        return rng.choice(place.aliases) if place.aliases and not formal and rng.random() < 0.15 else place.said

    def _once(self, wish: Wish, rng: Random, *, eagerness: int) -> str:
        text = self.fill(wish.text, rng)
        if not wish.style:
            return _tidy(text)
        home = self._filler("zona", rng)
        more = min(0.07 * eagerness, 0.65)
        if rng.random() < 0.2 + more:
            text = self._opened(text, home, rng, off_topic=wish.off_topic)
        if rng.random() < 0.24 + more:
            text = self._closed(text, "any" if wish.off_topic else wish.sentiment, home, rng)
        text = _typed(text, self.plan.style.misspellings, rng)
        if rng.random() < 0.12 + more / 3:
            text = f"{text} {rng.choice(self.plan.style.emoji[wish.sentiment])}"
        return _tidy(text)

    def _opened(self, text: str, home: str, rng: Random, *, off_topic: bool) -> str:
        short = len(text.split()) < SHORT_CORE_WORDS
        fitting = [piece for piece in self.material.context["openers"] if not short or len(piece.text) < LONG_OPENER]
        if off_topic:
            words = self.plan.style.institutional
            fitting = [piece for piece in fitting if not any(word in piece.text.lower() for word in words)]
        if text.lower().lstrip("¡¿ ").startswith(self.plan.style.greetings) or not fitting:
            return text
        opener = self.fill(rng.choice(fitting).text, rng, zone=home)
        first = text.split()[0].strip("¡¿,.;:!?")
        if not opener.rstrip().endswith((".", "!", "?", "-")) and first.lower() in self._common and not text[:2].isupper():
            text = text.replace(first, first.lower(), 1)
        return f"{opener.rstrip()} {text}"

    def _closed(self, text: str, sentiment: str, home: str, rng: Random) -> str:
        own: list[Piece] = [piece for piece in self.material.context["closers"] if piece.topic == sentiment]
        open_to_all = [piece for piece in self.material.context["closers"] if piece.topic == "any"]
        closer = self.fill(rng.choice(own if own and rng.random() < 0.5 else open_to_all).text.strip(), rng, zone=home)
        if text[-1].isalnum() and closer[0].isupper():
            text += "."
        return f"{text}\n{closer}" if "\n" in text and rng.random() < 0.7 else f"{text} {closer}"


def _typed(text: str, misspellings: Mapping[str, str], rng: Random) -> str:
    """Type a text as people do on a telephone."""
    if rng.random() < 0.12:
        text = " ".join(_misspelt(word, misspellings, rng) for word in text.split(" "))
    if rng.random() < 0.25:
        text = _without_accents(text)
    shape = rng.random()
    if shape < 0.15:
        return text.lower()
    if shape < 0.18 and len(text) < 160:
        return text.upper()
    return _drawn_out(text, rng) if shape > 0.95 else text


def _misspelt(word: str, misspellings: Mapping[str, str], rng: Random) -> str:
    written = misspellings.get(word)
    return written if written is not None and rng.random() < 0.5 else word


def _without_accents(text: str) -> str:
    """Drop accents but keep ñ: without it some words become others."""
    kept = unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\1"))
    bare = "".join(character for character in kept if character != "\u0301" and character != "\u0308")
    return unicodedata.normalize("NFC", bare).replace("\0", "ñ").replace("\1", "Ñ")


def _drawn_out(text: str, rng: Random) -> str:
    """Repeat the last vowel of the last word, as in "graciaaas"."""
    match = re.search(r"([aeiou])([bcdfghjklmnñpqrstvwxyz]?)([.!]*)$", text)
    if match is None or len(text.split()[-1]) < 4:
        return text
    return text[: match.start()] + match[1] * rng.randint(3, 5) + match[2] + match[3]


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).split("\n"))
    return "\n".join(lines).strip()
