"""The words of a post's author in the HTML that Discourse makes of it ("cooked")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

import emoji
from lxml import etree

from collectors.text import MarkupError, html_to_text

_FOREIGN: Mapping[str, frozenset[str]] = {
    "aside": frozenset({"quote", "onebox"}),  # another's post; what a linked page says of itself
    "details": frozenset({"elided"}),  # the mail that an answer by mail repeats
    "div": frozenset({"meta"}),  # name and size of a picture
}
"""Element -> classes of those that do not hold the author's words."""

_OWN_EMOJI = {
    "slight_smile": "🙂",
    "slight_frown": "🙁",
    "rolling_eyes": "🙄",
    "face_with_symbols_over_mouth": "🤬",
}
"""Names of Discourse that the emoji library does not know."""

_TONE = re.compile(r":t[2-6]:$")


class _OwnMarkup:
    """Writes a page again as it streams by, without what others said: no tree is built, so no nesting is too deep."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._foreign = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        classes = set(attributes.get("class", "").split())
        if self._foreign or classes & _FOREIGN.get(tag, frozenset()):
            self._foreign += 1
        elif tag == "img":
            self.parts.append(escape(emoji_of(attributes.get("alt", ""))) if "emoji" in classes else "")
        else:
            self.parts.append(f"<{tag}>")

    def end(self, tag: str) -> None:
        if self._foreign:
            self._foreign -= 1
        elif tag != "img":
            self.parts.append(f"</{tag}>")

    def data(self, data: str) -> None:
        if not self._foreign:
            self.parts.append(escape(data))

    def close(self) -> str:
        return "".join(self.parts)


def own_words(cooked: str) -> str:
    """Return the text of a post without quotes of others, previews of links and captions of pictures; emoji as characters.

    Raises:
        MarkupError: if the parser gives up on the markup.
    """
    if not cooked.strip():
        return ""
    parser = etree.HTMLParser(target=_OwnMarkup(), encoding="utf-8", recover=True, huge_tree=True)
    try:
        parser.feed(cooked.replace("\0", "").encode("utf-8", errors="replace"))
        own: str = parser.close()
    except etree.LxmlError as error:
        raise MarkupError(f"markup of {len(cooked)} characters cannot be read as HTML: {error}") from error
    return html_to_text(own)


def emoji_of(shortcode: str) -> str:
    """Return the emoji of a name such as ":heart:" or ":+1:t3:", or the name as it is if there is none."""
    name = _TONE.sub(":", shortcode.strip())
    return _OWN_EMOJI.get(name.strip(":")) or str(emoji.emojize(name, language="alias"))
