"""Who wrote, kept as a key: pseudonyms, their secret, and links that name a person."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

SECRET_VARIABLE = "ESCUCHA_SECRET"  # noqa: S105 (the name of the variable)
MIN_SECRET_CHARACTERS = 16
SYNTHETIC_SECRET = b"escucha: published key, for synthetic cities only"
"""Key of cities whose people are invented: known to everybody, so that anybody gets the same bytes."""

_NETWORKS = "facebook.com fb.com instagram.com twitter.com x.com tiktok.com t.me threads.net youtube.com linkedin.com"
_SOCIAL = frozenset(_NETWORKS.split())
_PLACES = (
    "groups events hashtag watch p reel reels explore search share tag permalink.php story.php photo photo.php i status home "
    "embed results playlist shorts jobs company"
)
_SOCIAL_PLACES = frozenset(_PLACES.split())
_PERSON_PATH = re.compile(
    r"/(?:[@~][^/?#]|(?:u|users?|usuarios?|profiles?|perfil(?:es)?|author|autor(?:es)?|members?|miembros?|people|in)/[^/?#]"
    r"|profile\.php)"
    r"|[?&](?:author|autor|user|usuario|username|user_?id|profile|perfil)=[^&]"
    r"|\bdid[:/](?:plc|web)[:/]\w"
    r"|[\w.+-]@[\w-]+\.\w",
    re.IGNORECASE,
)
_WEB_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
HOST = re.compile(r"(?:[a-z]{2,6}://)?(?:[^/?#@]*@)?([^/?#:]+)", re.IGNORECASE)


class SecretError(ValueError):
    """The key for pseudonyms is absent, too short or not secret; the message says how to make one."""


def pseudonym(secret: bytes, source_id: str, author: str) -> str:
    """Return the keyed pseudonym of an author within a source: HMAC-SHA-256, first 32 hex characters.

    Case, spacing and Unicode form of the name do not matter. The same name in two sources gives two pseudonyms, so
    that nobody is followed across the city.
    """
    name = " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", author).casefold()).split())
    return keyed_value(secret, f"author\n{source_id}\n{name}")


def keyed_url(secret: bytes, url: str) -> str:
    """Return what stands for a link that names a person: "keyed:" and 32 hex characters, the same for the same link."""
    return "keyed:" + keyed_value(secret, f"url\n{url}")


def keyed_value(secret: bytes, value: str) -> str:
    """Return the HMAC-SHA-256 of a value, first 32 hex characters."""
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()[:32]


def load_secret(environ: Mapping[str, str], *, synthetic: bool) -> bytes:
    """Return the key for pseudonyms: `ESCUCHA_SECRET`, or the published constant for a synthetic city without one.

    Raises:
        SecretError: if it is too short; if it is absent, or is the published constant, and the city is real.
    """
    value = environ.get(SECRET_VARIABLE, "").strip()
    remedy = f'make one with: python -c "import secrets; print(secrets.token_hex(32))" and export it as {SECRET_VARIABLE}'
    if not value:
        if synthetic:
            return SYNTHETIC_SECRET
        raise SecretError(f"{SECRET_VARIABLE} is not set, and no run of a real city happens without it: {remedy}")
    if len(value) < MIN_SECRET_CHARACTERS:
        raise SecretError(f"{SECRET_VARIABLE} has {len(value)} characters, at least {MIN_SECRET_CHARACTERS} are needed: {remedy}")
    if value.encode() == SYNTHETIC_SECRET and not synthetic:
        raise SecretError(f"{SECRET_VARIABLE} is the published key of synthetic cities, which is no secret: {remedy}")
    return value.encode()


def url_names_person(url: str) -> bool:
    """Tell whether a link holds a handle, a profile, an author or an e-mail address (on a social network: any first folder)."""
    plain = unquote(url)
    if _PERSON_PATH.search(plain):
        return True
    host = HOST.match(plain)
    if host is None or host[1].lower().removeprefix("www.").removeprefix("m.") not in _SOCIAL:
        return False
    folder = re.split(r"[/?#]", plain[host.end() :].lstrip("/"), maxsplit=1)[0].lower()
    return bool(folder) and folder not in _SOCIAL_PLACES


def told_links(text: str) -> str:
    """Return a line of a log or of a source's health with every link that names a person cut to its host and "/…"."""

    def tell(match: re.Match[str]) -> str:
        link = match[0].rstrip(".,;:!?)")
        host = HOST.match(link)
        if host is None or not url_names_person(link):
            return match[0]
        return f"{host[1]}/…{match[0][len(link) :]}"

    return _WEB_LINK.sub(tell, text)
