"""Text as a subword model can read it: emoji by their Spanish names, hashtags as words, links and handles as one token each."""

from __future__ import annotations

import re

import emoji

from models.preprocessing import normalise

REWRITING_REVISION = "1"
"""Goes up when a text would be rewritten in another way: the embedded model was trained on one way."""

_LINK = re.compile(r"(?:https?://|www\.)\S+|\[url\]", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w.])@\w[\w.]*")
_HANDLES = re.compile(r"(?:@usuario[\s,;:]*){2,}")
_HASHTAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-záéíóúüñ])(?=[A-ZÁÉÍÓÚÜÑ])|(?<=[A-ZÁÉÍÓÚÜÑ])(?=[A-ZÁÉÍÓÚÜÑ][a-záéíóúüñ])|_+|(?<=\D)(?=\d)")
_LAUGHTER = re.compile(r"\b(?:[jh]+[aeiou]+){2,}[jh]*\b", re.IGNORECASE)
_LONG_LETTERS = re.compile(r"([^\W\d_])\1{2,}")
_LONG_MARKS = re.compile(r"([!?¡¿.,…\-_*=~])\1{2,}")
_SHOUTED = 0.6
_SPACES = re.compile(r"\s+")
_MAYBE_EMOJI = re.compile("[©®\u2000-\U0010ffff]")
"""Every emoji holds one of these; looking for names in a text without them is most of the work for nothing."""


def rewrite(text: str) -> str:
    """Return the text as the embedded model reads it.

    Emoji become their Spanish names, hashtags are split at capitals, links become "url", handles "@usuario", laughter "jaja";
    letters and marks repeated three times or more are shortened, and a text that is shouted in capitals is written small. An
    emoji or a letter is never dropped; "" stays "".
    """
    plain = _LINK.sub(" url ", normalise(text))
    plain = _HANDLES.sub("@usuario ", _HANDLE.sub("@usuario", plain))
    plain = _HASHTAG.sub(lambda match: _HUMP.sub(" ", match[1]), plain)
    if _MAYBE_EMOJI.search(plain):
        plain = emoji.demojize(plain, language="es", delimiters=(" \ue000", "\ue001 "))
        plain = re.sub("\ue000([^\ue001]*)\ue001", lambda match: match[1].replace("_", " "), plain)
    plain = _LAUGHTER.sub("jaja", plain)
    plain = _LONG_MARKS.sub(r"\1\1", _LONG_LETTERS.sub(r"\1", plain))
    return _SPACES.sub(" ", _calm(plain)).strip()


def _calm(text: str) -> str:
    """Write a text small that is mostly capitals: a subword model knows few words in capitals."""
    letters = [letter for letter in text if letter.isalpha()]
    shouted = sum(letter.isupper() for letter in letters)
    return text.lower() if len(letters) >= 12 and shouted > _SHOUTED * len(letters) else text
