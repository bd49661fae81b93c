"""Places in texts, by the matcher of the models, of which each text meets only the patterns that it can hold."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc, Span

from collectors.redaction.lexicon import fold_letters
from models.entities import Place, find_places, list_spellings, ruler_patterns
from models.preprocessing import fold, normalise, shorten_repeats
from models.spacy_tools import load_spanish

_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class PlaceReader:
    """Finds the places of a gazetteer as `models.spacy_tools.load_spanish` does, several times faster.

    The matcher's time grows with its patterns, some three for each place; most texts can hold a few of them only.
    """

    places: tuple[Place, ...]

    def read(self, text: str) -> list[str]:
        """Return the ids of the places that a text names, each once, in the order in which they come; the text alone decides."""
        clean = normalise(text)
        letters = squeeze(clean)
        possible = sorted({place for word, owners in self._telling.items() if word in letters for place in owners})
        if not possible:
            return []
        doc = self._pipeline.tokenizer(clean)
        doc.set_ents(_longest(doc, [span for place in possible for span in self._matchers[place](doc, as_spans=True)]))
        read = self._pipeline.get_pipe("place_context")(doc)
        return list(dict.fromkeys(mention.place for mention in find_places(read)))

    @cached_property
    def _pipeline(self) -> Language:
        return load_spanish(self.places)

    @cached_property
    def _matchers(self) -> dict[str, Matcher]:
        """Place id -> what finds its spellings."""
        patterns = defaultdict(list)
        for entry in ruler_patterns(list_spellings(self.places)):
            patterns[entry["label"], entry["id"]].append(entry["pattern"])
        found = {}
        for (label, place_id), own in patterns.items():
            found[place_id] = Matcher(self._pipeline.vocab)
            found[place_id].add(_MARK.join((label, place_id)), own)
        return found

    @cached_property
    def _telling(self) -> dict[str, list[str]]:
        """Word -> the places that a text may name only if its letters hold that word: the longest of each spelling."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for spelling in list_spellings(self.places):
            plain = [word for word in spelling.words if word not in _SHORTENED]
            found[max(plain, key=len, default="")].append(spelling.place.id)
        return dict(found)


_MARK = "\x1f"
_SHORTENED = frozenset(("av", "jr", "psje", "san", "santa", "santo", "urb"))
"""Words that stand for other spellings of them, which a text may hold instead."""


def squeeze(text: str) -> str:
    """Return the letters and figures of a normalised text, folded as `models.preprocessing.fold` does, with nothing between."""
    quick = shorten_repeats(fold_letters(text).lower())
    folded = quick if unicodedata.is_normalized("NFKD", quick) else fold(text)
    return _BETWEEN.sub("", folded)


def _longest(doc: Doc, spans: Sequence[Span]) -> list[Span]:
    """Return the spans as entities, of those that overlap the longest, of equals the first: the entity ruler's choice."""
    taken: set[int] = set()
    kept = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
            label, _, place_id = span.label_.partition(_MARK)
            kept.append(Span(doc, span.start, span.end, label=label, span_id=place_id))
    return sorted(kept, key=lambda span: span.start)
