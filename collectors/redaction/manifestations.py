"""A manifestation without personal data: text and title redacted, the author as a key, links and ids of persons keyed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from collectors.items import Manifestation
from collectors.pseudonyms import keyed_url, pseudonym, url_names_person
from collectors.redaction.texts import redact

_PARENTHESIS = re.compile(r"\([^()]*\)")
_LONGEST_UNREAD_DATE = 80
"""Characters that are kept of a date that was not understood."""


def redact_manifestation(manifestation: Manifestation, secret: bytes) -> Manifestation:
    """Return the manifestation as it may be written: text and title redacted, the author only as a key.

    A link that names a person is dropped; an id that names one, or holds what would be redacted in a text, is keyed. The
    author's own full name (two words or more) in what they wrote, or beside its date, becomes [nombre], except where the
    author is an institution.
    """
    author = (manifestation.author or "").strip()
    name = author if manifestation.kind not in ("official", "institution") else ""
    native_id, url = _without_person(secret, manifestation.native_id), manifestation.url
    # A link may hold the id that is not to be read, as its fragment.
    named = url is not None and (
        url_names_person(url) or (native_id != manifestation.native_id and f"{manifestation.native_id}" in url)
    )
    return replace(
        manifestation,
        author=None,
        author_key=pseudonym(secret, manifestation.source_id, author) if author else manifestation.author_key,
        text=redact(_without_name(manifestation.text, name)),
        title=redact(_without_name(manifestation.title, name)) if manifestation.title is not None else None,
        url=None if named else url,
        published_raw=_without_words(manifestation, name),
        native_id=native_id,
        parent_id=_without_person(secret, manifestation.parent_id),
    )


_NUMBERED = re.compile(
    r"(?:answer|article|comment|debate|entry|item|media|msg|p|page|pid|post|proposal|reply|request|review|status|thread|tid|topic)"
    r"[-_:]?\d+"
)


def _without_person(secret: bytes, native_id: str | None) -> str | None:
    """Return an id as it is, or keyed if it names a person: a link, `tag:…/u/name/…`, `acct:…`, a handle, an e-mail.

    An id without a letter, or with a word such as "comment" before its number, is the platform's own, however much it looks
    like a document or a telephone: keyed, it would make another message of it once the secret is changed.
    """
    if native_id is None or not re.search(r"[^\W\d_]", native_id) or _NUMBERED.fullmatch(native_id):
        return native_id
    # Behind a colon as behind a slash: a tag's own part may begin with the folder of a person.
    named = url_names_person(native_id) or url_names_person("/" + native_id.replace(":", "/"))
    return keyed_url(secret, native_id) if named or redact(native_id) != native_id else native_id


def _without_words(manifestation: Manifestation, name: str) -> str | None:
    """Return the raw date without personal data; one that was not understood may be anything, and is cut short too.

    A date that was understood is one from end to end, save for what it puts in parentheses; redacted whole, its "+0000"
    would pass for a telephone.
    """
    if manifestation.published_raw is None:
        return None
    raw = _without_name(manifestation.published_raw, name)
    if manifestation.published_at is not None:
        return _PARENTHESIS.sub(lambda match: redact(match[0]), raw)
    return redact(raw)[:_LONGEST_UNREAD_DATE]


def _without_name(text: str, name: str) -> str:
    """Return the text with a full name replaced by [nombre], whatever its case and accents."""
    words = _folded(name).split()
    folded = _folded(text)
    if len(words) < 2 or words[0] not in folded:  # most often, and a pattern for each author would cost far more
        return text
    full_name = r"\s{1,3}".join(map(re.escape, words))
    parts, copied = [], 0
    for match in re.finditer(rf"(?<!\w){full_name}(?!\w)", folded):
        parts += [text[copied : match.start()], "[nombre]"]
        copied = match.end()
    return "".join(parts) + text[copied:]


class _PlainCharacters(dict[int, str]):
    """Code point -> the character without case and accents; each is looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = (unicodedata.normalize("NFD", character)[0].casefold() or character)[0]
        if len(self) < _MOST_CHARACTERS:
            self[code] = plain
        return plain


_MOST_CHARACTERS = 10_000
_PLAIN = _PlainCharacters()


def _folded(text: str) -> str:
    """Return the text without case and accents, character for character, so that positions stay."""
    return text.translate(_PLAIN)
