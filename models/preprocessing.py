"""Text as the annotators see it: one spelling for what people write in many ways. Pure functions."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = {code: " " for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc"} | {
    ord(char): "" for char in "\u200b\u200c\u2060\ufeff\u00ad"
}
_SURROGATES = re.compile("[\ud800-\udfff]")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_MARKS = re.compile("[\u0300-\u036f]")
_SPACES = re.compile(r"\s+")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d]")
_SOUNDS = (
    (re.compile(r"sc(?=[ei])"), "s"),
    (re.compile(r"xc(?=[ei])"), "x"),
    (re.compile(r"c(?=[ei])"), "s"),
    (re.compile(r"qu(?=[ei])"), "k"),
    (re.compile(r"(?<!c)h"), ""),
    (re.compile(r"c(?!h)"), "k"),
    (re.compile(r"q"), "k"),
    (re.compile(r"g(?=[ei])"), "j"),
    (re.compile(r"gu(?=[ei])"), "g"),
    (re.compile(r"ll"), "y"),
    (re.compile(r"(?<=[aeou])y(?![aeiou])"), "i"),
    (re.compile(r"([^r])\1+"), r"\1"),
)
_ALIKE = str.maketrans({"v": "b", "z": "s", "w": "u"})


def normalise(text: str) -> str:
    """Return the text in NFC without control characters, invisible ones or halves of surrogate pairs.

    Every run of white space becomes one space.
    """
    clean = unicodedata.normalize("NFC", _SURROGATES.sub(" ", text)).translate(_CONTROL)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", clean)).strip()


def fold(text: str) -> str:
    """Return the text normalised, case-folded and without accents (ñ becomes n).

    Letters repeated three times or more are written once: "holaaaa" and "HOLA" are the same.
    """
    folded = text
    for _ in range(4):
        previous, folded = folded, _fold_once(folded)
        if folded == previous:
            break
    return folded


def _fold_once(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", normalise(text).casefold())
    return normalise(shorten_repeats(unicodedata.normalize("NFC", _MARKS.sub("", decomposed))))


def shorten_repeats(text: str) -> str:
    """Return the text with letters that stand three times or more in a row written once; accents stay."""
    return _REPEATED.sub(r"\1", text)


def split_words(text: str) -> list[str]:
    """Return words and single marks in order; emoji lose skin tone and joiners, "_" parts words ("#obras_ate")."""
    return _WORD.findall(_SKIN_TONES.sub("", text))


def sound(word: str) -> str:
    """Return how a folded word sounds in Lima: "bereda" is "vereda", "serenasgo" is "serenazgo", "ueco" is "hueco"."""
    heard = word
    for pattern, replacement in _SOUNDS:
        heard = pattern.sub(replacement, heard)
    return heard.translate(_ALIKE)
