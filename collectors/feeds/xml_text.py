"""The text of an XML document, mended so far that an XML parser reads it and nobody can make it expand or fetch anything."""

from __future__ import annotations

import codecs
import html
import re
from html.entities import html5

from collectors.text import REPLACEMENT, decode_bytes

_DECLARED = re.compile(rb"\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_WIDE_NAMES = ("utf-16", "utf16", "utf-32", "utf32", "ucs", "iso-10646")

# An entity's value may hold the "]>" that ends the others; where the quotes do not fit, the first "]>" ends it all.
_QUOTED = r"""(?:<!--.*?(?:-->|\Z)|"[^"]*"|'[^']*'|[^"'\]])*+\]\s*+>"""
_DOCTYPE = re.compile(
    rf"(?P<before>(?>\s+|<\?.*?\?>|<!--.*?-->)*+)<!DOCTYPE[^\[<>]*+(?:(?P<subset>\[)(?:{_QUOTED}|.*?\]\s*+>)|>)",
    re.DOTALL | re.IGNORECASE,
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Sections are passed over whole; an unclosed one reaches to the end, so that it is looked at once.
_MENDED = re.compile(
    r"(?P<section><!\[CDATA\[.*?(?:\]\]>|\Z))|<!--.*?(?:-->|\Z)|&(?P<reference>#?\w{1,32});|(?P<stray>&|<(?![A-Za-z_:/!?]))",
    re.DOTALL,
)
_XML_NAMES = frozenset(("amp", "lt", "gt", "quot", "apos"))


def decode_document(body: bytes, content_type: str) -> str:
    """Return the text of a feed document; a label that the bytes contradict is not believed.

    A byte order mark decides; then the bytes themselves (UTF-16 and UTF-32 show without a mark, and what is nearly all good
    UTF-8 is UTF-8 with some broken letters); then the header's label, the document's own, and windows-1252.
    """
    if not body.startswith(_MARKS):
        wide = _unmarked(body[:4])
        if wide is not None:
            return body.decode(wide, errors="replace")
        text = body.decode("utf-8", errors="replace")
        broken = text.count(REPLACEMENT)
        if broken == 0 or len(text) - len(text.encode("ascii", "ignore")) > 2 * broken:
            return text.rstrip(REPLACEMENT)
    text, _ = decode_bytes(body, declared=_label(body, content_type))
    return text


def _unmarked(start: bytes) -> str | None:
    """Return the wide encoding in which a document begins with a letter of ASCII, as feeds do; None if it is none."""
    zeros = "".join("0" if byte == 0 else "x" for byte in start)
    wide = {"x000": "utf-32-le", "000x": "utf-32-be"}.get(zeros)
    return wide or {"x0": "utf-16-le", "0x": "utf-16-be"}.get(zeros[:2])


def _label(body: bytes, content_type: str) -> str | None:
    """Return the encoding that header or document name: the first that is possible for these bytes."""
    header, own = _CHARSET.search(content_type), _DECLARED.match(body)
    names = [header[1] if header else "", own[1].decode("ascii") if own else ""]
    return next((name for name in names if name and name.lower() not in ("utf-8", "utf8") and not _is_wide(name)), None)


def _is_wide(name: str) -> bool:
    return name.lower().startswith(_WIDE_NAMES)


def mend_xml(text: str) -> tuple[str, int]:
    """Return the document with what breaks an XML parser made harmless, and how many references were left as written.

    The document type goes, and with it every entity that it defines. HTML's own entities become characters, any other
    reference and a lone `&` or `<` stand for themselves; comments, and characters that XML forbids, go.
    """
    doctype = _DOCTYPE.match(text)
    if doctype is not None:
        text = doctype["before"] + text[doctype.end() :]
    undefined = 0

    def mended(match: re.Match[str]) -> str:
        nonlocal undefined
        if match["section"] is not None:
            return match["section"]
        if match["stray"] is not None:
            return "&amp;" if match["stray"] == "&" else "&lt;"
        if match["reference"] is None:
            return ""
        known = _reference(match["reference"])
        undefined += known is None
        return f"&amp;{match['reference']};" if known is None else known

    text = _MENDED.sub(mended, _FORBIDDEN.sub("", text))
    return text, undefined if doctype is not None and doctype["subset"] is not None else 0


def _reference(name: str) -> str | None:
    """Return a reference in a form that XML knows ("" for a character that it forbids); None for an undefined one."""
    if name in _XML_NAMES:
        return f"&{name};"
    if not name.startswith("#"):
        characters = html5.get(f"{name};")
        return None if characters is None else "".join(f"&#{ord(character)};" for character in characters)
    if not re.fullmatch(r"#(?:[0-9]+|[xX][0-9a-fA-F]+)", name, re.ASCII):
        return None
    # As browsers read it: numbers of windows-1252's own letters are taken for those.
    character = html.unescape(f"&{name};")
    return "".join(f"&#{ord(one)};" for one in _FORBIDDEN.sub("", character))
