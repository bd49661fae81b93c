"""What people wrote in a WhatsApp chat, apart from what the application wrote, and without the names of anybody (pure).

The application's words, by language and version, stand in `chats.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from collectors.catalog import Closed
from collectors.text import normalise_for_comparison
from collectors.yaml_errors import load_yaml, validate_document

WORDS_FILE = Path(__file__).with_name("chats.yml")

Kind = Literal["message", "notice", "media", "deleted"]
"""`notice`: the application's own words; `media`: a picture, a sound, a place or a mention, without words."""

_LEFT_TO_RIGHT = "\u200e"
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_LONGEST_NAME = 120
_AUTHOR = re.compile(rf"(?P<name>[^\n]{{1,{_LONGEST_NAME}}}?):(?: |(?=\n)|$)(?P<text>.*)", re.DOTALL)
_FILE = re.compile(r"[^\n]{1,200}\.\w{2,5} \((?P<word>[^()\n]{1,40})\)")
_ATTACHED = re.compile(r"<(?P<word>\w{1,20}): [^<>\n]{1,250}>")
_VOTES = re.compile(r" ?\(\w{1,9} \w{4,6}\)$")
_WORD = re.compile(r"\w+")
_CAPITAL = "[A-ZÁÉÍÓÚÜÑ]"
# Between isolates stands a whole name; a bare name ends where no capital letter follows. What has a word before it is an e-mail.
_MENTION = re.compile(
    rf"(?<![\w.])@(?:\u2068[^\u2068\u2069\n]{{1,{_LONGEST_NAME}}}\u2069|\+?\d[\d \u00a0-]{{5,18}}\d"
    rf"|(?:~[ \u00a0\u202f]?)?[^\W\d_][\w.]{{0,40}}(?: (?:(?:del?|las?|los) ){{0,2}}{_CAPITAL}[\w.]{{1,40}}){{0,4}})"
)
_AT_BEFORE, _AT_REACH = re.compile("(?<![\\w.])@[~\u2068 \u00a0\u202f]{0,3}$"), 5
_USER, _NAME = "[usuario]", "[nombre]"


class ChatWords(Closed):
    """What the application writes by itself."""

    class Poll(Closed):
        """How a poll is written out."""

        begins: tuple[str, ...]
        option: tuple[str, ...]

    media: tuple[str, ...]
    attachments: tuple[str, ...]
    deleted: tuple[str, ...]
    deleted_begins: tuple[str, ...]
    edited: tuple[str, ...]
    locations: tuple[str, ...]
    poll: Poll
    notices: tuple[str, ...]


class KnownWords(NamedTuple):
    """The application's words in the form in which they are compared."""

    media: frozenset[str]
    attachments: frozenset[str]
    deleted: frozenset[str]
    deleted_begins: tuple[str, ...]
    edited: tuple[str, ...]
    locations: tuple[str, ...]
    poll: tuple[str, ...]
    option: tuple[str, ...]
    notices: tuple[str, ...]


@cache
def load_words() -> KnownWords:
    """Load what the application writes by itself.

    Raises:
        ConfigurationError: naming every problem of the file.
    """
    words = validate_document(ChatWords, load_yaml(WORDS_FILE), WORDS_FILE)
    return KnownWords(
        media=frozenset(map(fold, words.media)),
        attachments=frozenset(map(fold, words.attachments)),
        deleted=frozenset(map(fold, words.deleted)),
        deleted_begins=tuple(map(fold, words.deleted_begins)),
        edited=tuple(map(fold, words.edited)),
        locations=tuple(map(fold, words.locations)),
        poll=tuple(f"{fold(word)}:" for word in words.poll.begins),
        option=tuple(f"{fold(word)}:" for word in words.poll.option),
        notices=tuple(map(fold, words.notices)),
    )


def fold(text: str) -> str:
    """Return the form in which words are compared: without case, accents, invisible marks and a final stop."""
    return normalise_for_comparison(_MARKS.sub("", text)).strip(" .")


def split_author(rest: str, words: KnownWords) -> tuple[str | None, str]:
    """Return the name before the first colon and what it said; None for a notice, which has no author."""
    match = _AUTHOR.fullmatch(rest)
    if match is None:
        return None, ""
    return (None, "") if _is_notice(match["name"], words) else (match["name"], match["text"])


@lru_cache(maxsize=65_536)
def _is_notice(name: str, words: KnownWords) -> bool:
    """Tell whether what stands before a colon is no name but a part of a notice."""
    folded = fold(name)
    return any(notice in folded for notice in words.notices)


def read_text(text: str, names: Names, words: KnownWords) -> tuple[Kind, str]:
    """Tell what a message is, and return what the person wrote of it."""
    plain, with_file = _cut_files(_without_names(text, names), words)
    plain = _cut_edited(plain, words)
    folded = fold(plain[: 2 * _LONGEST_NAME])
    if folded in words.deleted or folded.startswith(words.deleted_begins):
        return "deleted", ""
    poll = folded.startswith(words.poll)
    plain = _read_poll(plain, words) if poll else plain
    if folded in words.media or folded.startswith(words.locations) or not plain.replace(_USER, "").strip():
        return "media", ""
    # Marked as the application's own words, and nothing that is known: some notice of a newer version.
    unknown = text.startswith(_LEFT_TO_RIGHT) and not with_file and not poll
    return ("notice", "") if unknown else ("message", plain)


def _cut_files(text: str, words: KnownWords) -> tuple[str, bool]:
    """Return a text without the names of the files sent with it and without invisible marks, and whether there were any."""
    before, _, after = text.rpartition(_LEFT_TO_RIGHT)
    if before and fold(after) in words.media:
        # "Informe.pdf • 8 páginas documento omitido": the file's name, and no caption.
        return ("" if "•" in before else _MARKS.sub("", before).strip()), True
    kept = []
    for line in _MARKS.sub("", text).split("\n"):
        match = _FILE.fullmatch(line.strip())
        if match is None or fold(match["word"]) not in words.attachments:
            kept.append(_ATTACHED.sub(lambda found: "" if fold(found["word"]) in words.attachments else found[0], line))
    plain = "\n".join(kept).strip()
    return plain, len(plain) < len(_MARKS.sub("", text).strip())


def _cut_edited(text: str, words: KnownWords) -> str:
    start = text.rfind("<")
    return text[:start].rstrip() if start >= 0 and fold(text[start:][:_LONGEST_NAME]) in words.edited else text


def _read_poll(text: str, words: KnownWords) -> str:
    """Return the question and the answers of a poll, without the votes, which are others at each export."""
    lines = []
    for line in text.split("\n"):
        label = fold(line[:_LONGEST_NAME])
        if label.startswith(words.option):
            line = _VOTES.sub("", line.partition(":")[2].strip())
        elif label.startswith(words.poll):
            line = line.partition(":")[2]
        lines.append(line.strip())
    return "\n".join(line for line in lines if line)


class Names(NamedTuple):
    """The names of those who write, as words in small letters without accents."""

    known: frozenset[tuple[str, ...]]
    lengths: Mapping[str, Sequence[int]]
    """First word of a name -> how many words the names have that begin so, from the longest."""


@lru_cache(maxsize=65_536)
def _fold_word(word: str) -> str:
    return fold(word)


def gather_names(names: set[str]) -> Names:
    """Return the names of those who write in a chat, ready to be looked for; telephone numbers are none."""
    split = {tuple(_WORD.findall(fold(name))) for name in names}
    known = frozenset(words for words in split if any(word.isalpha() for word in words))
    lengths: dict[str, set[int]] = {}
    for words in known:
        lengths.setdefault(words[0], set()).add(len(words))
    return Names(known, {first: sorted(found, reverse=True) for first, found in lengths.items()})


def _without_names(text: str, names: Names) -> str:
    """Return a text without mentions, and without the names of those who write in the chat (two words or more)."""
    done: list[str] = []
    copied = 0
    words = list(_WORD.finditer(text))
    for place, word in enumerate(words):
        if word.start() < copied:
            continue
        length = _name_at(text, words, place, copied, names)
        if length:
            done += text[copied : word.start()], _NAME
            copied = words[place + length - 1].end()
    return _MENTION.sub(_USER, "".join(done) + text[copied:]).replace(f"@{_NAME}", _USER).replace(f"@~{_NAME}", _USER)


def _name_at(text: str, words: list[re.Match[str]], place: int, start: int, names: Names) -> int:
    """Return how many words the name at a place has; 0 if none stands there.

    A name of a single word counts only in a mention: it may be a word like another.
    """
    for length in names.lengths.get(_fold_word(words[place][0]), ()):
        there = tuple(_fold_word(word[0]) for word in words[place : place + length])
        begin = words[place].start()
        if there in names.known and (length > 1 or _AT_BEFORE.search(text[max(begin - _AT_REACH, start) : begin])):
            return length
    return 0
