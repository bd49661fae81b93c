"""The elements of an entry in RSS or Atom -> what it says.

Facts from RSS 2.0 (rssboard.org/rss-specification), RSS 1.0 and its modules (web.resource.org/rss/1.0), RFC 4287 (Atom), the
Atom 0.3 draft (`issued`, `modified`, `created`), RFC 4685 (threads) and the Comment API (wellformedweb.org: `wfw:commentRss`).
An entry without an author stays unsigned: the feed's own author would make a neighbour's comment the words of the publisher.
"""

from __future__ import annotations

import re

from collectors.feeds.model import MAX_MARKUP, Entry, Field, Fields, absolute, page_link
from collectors.feeds.threads import read_thread
from collectors.text import html_to_text

_TEXTS = ("content:encoded", "content", "xhtml:body", "description", "summary", "dc:description", "itunes:summary")
_PUBLISHED = ("pubdate", "published", "issued", "created", "dcterms:issued", "dcterms:created", "dc:date")
_MODIFIED = ("updated", "modified", "dcterms:modified")
_TAG_NAMES = "a|abbr|article|b|blockquote|br|code|div|em|h[1-6]|hr|i|img|li|ol|p|pre|section|span|strong|table|td|tr|u|ul"
_MARKUP = re.compile(rf"</?(?:{_TAG_NAMES})(?:[\s/][^<>]*)?>|&(?:#\d{{1,7}}|#x[0-9a-f]{{1,6}}|[a-z]{{2,8}});", re.IGNORECASE)
_MAIL_DATE = re.compile(
    r"\s*(?:(?P<weekday>[^\W\d_]{3,10}),\s*)?(?P<day>\d{1,2})[ -](?P<month>[^\W\d_]{3,10})[ -](?P<year>\d{4}|[0-6]\d) "
    r"(?=\d{1,2}:\d\d)"
)
_MAIL_AND_NAME = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\s*\(([^()]+)\)")
_NAME_AND_MAIL = re.compile(r"([^<>]+?)<[^\s@<>]+@[^\s@<>]+>")


def read_count(raw: str | None) -> int | None:
    """Return a number of comments; None if it is absent or not written in a few digits."""
    digits = (raw or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else None


def mended_date(raw: str | None) -> str | None:
    """Return a date of RFC 822 in its usual form: RSS allows two figures for the year, and then means this century."""
    found = _MAIL_DATE.match(raw) if raw else None
    if raw is None or found is None:
        return raw
    weekday = f"{found['weekday']}, " if found["weekday"] else ""
    year = found["year"] if len(found["year"]) == 4 else f"20{found['year']}"
    return f"{weekday}{found['day']} {found['month']} {year} {raw[found.end() :]}"


def build_entry(fields: Fields, *, base: str, atom: bool) -> Entry:
    """Return the entry that the fields of an XML feed describe.

    Args:
        fields: its elements.
        base: what relative links are resolved against.
        atom: True if a text without a declared type is plain, as in Atom; elsewhere it is HTML.

    Raises:
        MarkupError: if its markup cannot be read at all.
    """
    own_id = _first(fields, "id", "guid", "about")
    message = next((one for one in _fields(fields, *_TEXTS) if one.value.strip() and _is_text(one)), None)
    thread = read_thread(own_id, message.value if message else "", fields)
    text = to_text(message, atom=atom, value=thread.markup) if message else ""
    heading = next((one for one in _fields(fields, "title", "dc:title") if one.value.strip() and _is_text(one)), None)
    title = to_text(heading, atom=atom) if heading else ""
    if not text.strip() and not thread.is_comment:
        title, text = "", title
    published, modified = _first(fields, *_PUBLISHED), _first(fields, *_MODIFIED)
    return Entry(
        id=own_id,
        link=page_link(_link(fields), base),
        author=_author(fields),
        title=title,
        text=text,
        published=published or modified,
        modified=modified,
        parent=thread.parent,
        comments_url=absolute(_first(fields, "wfw:commentrss") or thread.replies_url, base),
        comment_count=read_count(_first(fields, "slash:comments", "thr:total") or thread.replies_count),
        withheld=thread.withheld or (thread.is_comment and _is_pingback(text)),
    )


def to_text(one: Field, *, atom: bool, value: str | None = None) -> str:
    """Return a field as plain text; what is declared plain but is full of tags was mislabelled and is read as HTML."""
    value = (one.value if value is None else value)[:MAX_MARKUP]
    kind = one.attributes.get("type", "").strip().lower()
    plain = not one.is_markup and (kind in ("text", "text/plain") or (atom and not kind)) and not _MARKUP.search(value)
    return value if plain else html_to_text(value)


def _is_pingback(text: str) -> bool:
    """Tell whether a comment is what WordPress writes for a link from another site: a piece of that page between "[…]"."""
    return len(text) > len("[…]") and text.startswith("[…]") and text.endswith("[…]")


def _is_text(one: Field) -> bool:
    """Tell whether a field holds a text, and not an image or a document packed into letters."""
    kind = one.attributes.get("type", "").strip().lower()
    packed = one.attributes.get("mode", "").strip().lower() == "base64"
    return not packed and ("/" not in kind or kind.startswith("text/") or kind.endswith("xml"))


def _fields(fields: Fields, *names: str) -> list[Field]:
    return [one for name in names for one in fields.get(name, ())]


def _first(fields: Fields, *names: str) -> str | None:
    """Return the first filled text under the names, in their order."""
    return next((one.value.strip() for one in _fields(fields, *names) if one.value.strip()), None)


def _link(fields: Fields) -> str | None:
    """Return the address of the entry's page: a link that a proxy of feeds replaced, RSS's or Atom's own, a guid that is one."""
    original = _first(fields, "feedburner:origlink")
    own = [one for one in fields.get("link", ()) if one.attributes.get("rel", "alternate").strip().lower() == "alternate"]
    written = next((one.value.strip() for one in own if one.value.strip()), None)
    alternates = [one.attributes for one in own if one.attributes.get("href")]
    alternates.sort(key=lambda link: "html" not in link.get("type", "html").lower())
    href = alternates[0]["href"] if alternates else None
    if original or written or href:
        return original or written or href
    ids = (one for one in _fields(fields, "guid", "id") if one.attributes.get("ispermalink", "true").strip().lower() != "false")
    return next((one.value for one in ids if one.value.strip().lower().startswith(("http://", "https://"))), None)


def _author(fields: Fields) -> str | None:
    """Return the name of the author; the mail address where that is all that the feed gives."""
    for one in _fields(fields, "dc:creator", "author"):
        written = one.parts.get("name") or ("" if one.parts else one.value) or one.parts.get("email", "")
        written = written.strip()[:500]
        named = _MAIL_AND_NAME.fullmatch(written) or _NAME_AND_MAIL.fullmatch(written)
        name = html_to_text(named[1] if named else written)
        if name:
            return name
    return None
