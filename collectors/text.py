"""The one boundary for text: bytes to text, markup to text, and text made clean."""

from __future__ import annotations

import codecs
import io
import re
import threading
import unicodedata
from collections.abc import Mapping

import ftfy
from lxml import etree
from w3lib.encoding import resolve_encoding

MAX_TEXT_CHARACTERS = 20_000
"""Longest text that is kept, the final "…" included. The longest public comment seen in practice is far below."""

MAX_MARKUP_CHARACTERS = 2_000_000
"""Longest piece of markup that is turned into a text: a hundred times the longest text."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_FTFY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=False,
    normalization=None,
)
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Controls but \n and \t; soft hyphen; zero-width and bidi controls but ZWJ; noncharacters; tag characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# A joiner belongs to an emoji sequence if an emoji (or its selector or skin tone) stands before and an emoji after it.
_STRAY_JOINER = re.compile(f"(?<![\ufe0f{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
# Text that is clean as it is: no two letters beside ASCII in a row, from which alone a double encoding could be told.
_CLEAN = re.compile(
    r"(?:[!-~]|[áéíóúüñÁÉÍÓÚÜÑ](?![^ -~\n])|[¿¡](?=[ -~])|[ ](?=[!-~áéíóúüñÁÉÍÓÚÜÑ¿¡])|\n(?=[!-~áéíóúüñÁÉÍÓÚÜÑ¿¡]))*+"
)
_TRAILING_SPACE = re.compile(r"(?<![^\S\n])[^\S\n]++$", re.MULTILINE)
_MANY_NEWLINES = re.compile(r"\n{4,}")


def clean_text(raw: str) -> str:
    """Return the text as it is stored: NFC, readable characters only, at most `MAX_TEXT_CHARACTERS`.

    Double encoding is repaired ("HuaycÃ¡n" -> "Huaycán") and text that is already clean passes unchanged,
    curly quotes included. Lone surrogates become U+FFFD. Controls other than newline and tab, bidirectional
    overrides and zero-width characters go; a joiner inside an emoji stays. Line breaks of every kind become
    newlines without spaces before them, at most three in a row. The same text cleaned twice is the same.
    """
    text = raw[: 4 * MAX_TEXT_CHARACTERS]
    if text[:1] not in (" ", "\n") and _CLEAN.fullmatch(text):
        return _shortened(text)
    for _ in range(4):
        before = text
        text = _clean_once(text)
        if text == before:
            break
    return text


def _clean_once(text: str) -> str:
    text = ftfy.fix_text(_LINE_BREAK.sub("\n", text), _FTFY)
    text = _SURROGATE.sub(REPLACEMENT, text)
    text = _INVISIBLE.sub("", _LINE_BREAK.sub("\n", text))
    text = unicodedata.normalize("NFC", _STRAY_JOINER.sub("", text))
    return _shortened(_MANY_NEWLINES.sub("\n\n\n", _TRAILING_SPACE.sub("", text)).strip())


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    return text[: MAX_TEXT_CHARACTERS - 1].rstrip("\u200d \n\t") + "…"


class MarkupError(ValueError):
    """Markup that cannot be read as HTML at all."""


_BLOCK_NAMES = (
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody td tfoot th thead title tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_DROPPED = frozenset({"script", "style", "template"})
_SPACE, _SPACES, _AROUND_BREAK = re.compile(r"\s+"), re.compile(r" +"), re.compile(r" ?\n ?")
# What most comments are: one paragraph of text.
_PARAGRAPH = re.compile(r"\s*<p>([^<>&\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+)</p>\s*")
_EMOJI_IMAGE = frozenset({"emoji", "wp-smiley", "smiley"})


class _TextTarget:
    """Collects the text of a page as it streams by: no tree is built, so no nesting is too deep."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._dropped = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "br" or tag in _BLOCKS:
            self.parts.append("\n" if tag == "br" else "\v")
        elif tag == "img" and not self._dropped:
            self.parts.append(_emoji_of(attributes))

    def end(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped -= 1
        elif tag in _BLOCKS:
            self.parts.append("\v")

    def data(self, data: str) -> None:
        if not self._dropped:
            self.parts.append(_SPACE.sub(" ", data))

    def close(self) -> str:
        text = "".join(self.parts)
        self.parts, self._dropped = [], 0
        return text


class _Reader(threading.local):
    """One parser for all pieces of markup (of a thread): to make one costs more than to read a comment."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.parser = etree.HTMLParser(target=_TextTarget(), encoding="utf-8", recover=True, huge_tree=True)


_READER = _Reader()


def _emoji_of(attributes: Mapping[str, str]) -> str:
    """Return the emoji that an image stands for (blogs draw them so in their feeds), "" for any other image."""
    classes = set(attributes.get("class", "").split())
    return attributes.get("alt", "") if classes & _EMOJI_IMAGE else ""


def html_to_text(markup: str) -> str:
    """Return the text of a piece of HTML: one line per block or <br>, entities decoded once, scripts and styles dropped.

    Only the first `MAX_MARKUP_CHARACTERS` are looked at. Broken markup is read as browsers read it, in linear time and
    however deep. An image that stands for an emoji gives the emoji. Runs of whitespace, non-breaking spaces too, become one
    space.

    Raises:
        MarkupError: if the parser gives up on the markup, rather than an empty text.
    """
    paragraph = _PARAGRAPH.fullmatch(markup)
    if paragraph is not None:
        return " ".join(paragraph[1].split())
    readable = _SURROGATE.sub(REPLACEMENT, markup[:MAX_MARKUP_CHARACTERS]).replace("\0", "")
    if not readable.strip():
        return ""
    try:
        _READER.parser.feed(readable.encode("utf-8"))
        streamed: str = _READER.parser.close()
    except etree.LxmlError as error:
        _READER.renew()
        raise MarkupError(f"markup of {len(markup)} characters cannot be read as HTML: {error}") from error
    blocks = (_AROUND_BREAK.sub("\n", _SPACES.sub(" ", block)).strip() for block in streamed.split("\v"))
    return "\n".join(block for block in blocks if block)


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FALLBACK = "windows-1252"
_GOOD_FOR_EACH_BROKEN = 4
_PIECE_BYTES = 1 << 20
# A stream of these wants a mark at its beginning; a body at once is read without one as little-endian.
_WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# Encodings that pages are written in; Python knows others that are none of text, or run escapes found in it.
_PAGE_ENCODINGS = ("utf-8", "utf-16", "utf-32", "iso8859", "cp", "koi8", "mac", "gb", "big5", "euc", "shift_jis", "ascii", "tis")


def decode_bytes(body: bytes, *, declared: str | None, default: str = "utf-8") -> tuple[str, str]:
    """Return the text of a body and the name of the encoding that read it.

    In this order: a byte order mark; `default`, strictly; what the page declares; UTF-8 with a few broken letters, such as a
    page that was cut within one; windows-1252. A declared latin-1 is read as windows-1252, as browsers do.

    Args:
        body: the bytes as they came.
        declared: the label in the header or the page, None if there is none; one that Python does not know is passed over.
        default: the encoding tried first.

    Raises:
        LookupError: if `default` is no encoding that Python knows.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, errors="replace"), encoding
    named = _page_encoding(declared) if declared else None
    wide = named is not None and named.startswith(("utf-16", "utf-32"))
    for candidate in [named, default] if wide else [default, named]:
        if candidate is None:
            continue
        try:
            return body.decode(candidate), candidate
        except UnicodeDecodeError:
            if candidate == "utf-8" and _is_nearly_utf8(body):
                return body.decode(candidate, errors="replace").rstrip(REPLACEMENT), candidate
    return body.decode(_FALLBACK, errors="replace"), _FALLBACK


def open_text(body: bytes, *, declared: str | None) -> io.TextIOWrapper:
    """Return a body as a stream of the text that `decode_bytes` gives at once: a large file is decoded a piece at a time.

    Line ends of every kind end a line, and stay as they are.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            stream = io.BytesIO(body)
            stream.seek(len(mark))
            return io.TextIOWrapper(stream, encoding, errors="replace", newline="")
    named = _page_encoding(declared) if declared else None
    wide = named is not None and named.startswith(("utf-16", "utf-32"))
    named = _WITHOUT_MARK.get(named or "", named)
    candidates = [named, "utf-8"] if wide else ["utf-8", named]
    encoding = next((name for name in candidates if name is not None and _may_be(body, name)), _FALLBACK)
    return io.TextIOWrapper(io.BytesIO(body), encoding, errors="replace", newline="")


def _is_whole(body: bytes, encoding: str) -> bool:
    """Tell whether all of a body can be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(body)
    try:
        for start in range(0, len(body), _PIECE_BYTES):
            decoder.decode(view[start : start + _PIECE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _may_be(body: bytes, encoding: str) -> bool:
    return _is_whole(body, encoding) or (encoding == "utf-8" and _is_nearly_utf8(body))


def _is_nearly_utf8(body: bytes) -> bool:
    """Tell whether most letters beyond ASCII are good UTF-8: in any other encoding of Spanish, hardly one is by chance."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    letters = broken = 0
    for start in range(0, len(body), _PIECE_BYTES):
        text = decoder.decode(body[start : start + _PIECE_BYTES], final=start + _PIECE_BYTES >= len(body))
        letters += len(text) - len(text.encode("ascii", "ignore"))
        broken += text.count(REPLACEMENT)
    return letters > _GOOD_FOR_EACH_BROKEN * broken


def _page_encoding(label: str) -> str | None:
    """Return Python's name of the encoding that a page declares; None if it is unknown or not one of pages."""
    name = resolve_encoding(label)
    return name if name is not None and name.startswith(_PAGE_ENCODINGS) else None


_PLAIN_MARKS = str.maketrans("“”„«»‘’´`–—", '"""""\'\'\'\'--')
_REPEATED_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~¡¿])(?:\s*\1)+")


def plain_letters(text: str) -> str:
    """Return a text in small letters and without accents (ñ is n); everything else stays."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def normalise_for_comparison(text: str) -> str:
    """Return the form in which mirrors and an author's repeats are compared; never shown, never stored as text.

    Case and accents are folded, whitespace and repeated punctuation collapsed, quotes and dashes made plain.
    Emoji stay. The same text normalised twice is the same.
    """
    for _ in range(4):
        before = text
        text = unicodedata.normalize("NFKD", text.translate(_PLAIN_MARKS).casefold())
        text = "".join(character for character in text if unicodedata.category(character) != "Mn")
        text = _REPEATED_PUNCTUATION.sub(r"\1", " ".join(text.split()))
        if text == before:
            break
    return text
