"""One address, one item: what may be taken off a link because it never changes what is behind it, and what may not.

`canonical_link` gives the address that is kept and can still be opened; `link_identity` what addresses are compared by,
which need not be openable. Both build on w3lib, which orders parameters and escapes but keeps trackers and sessions. A
parameter that no table names is kept: two topics taken for one are worse than one topic counted under two addresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from posixpath import normpath
from urllib.parse import SplitResult, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

_TRACKER = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|igsh(?:id)?|yclid|twclid|ttclid|li_fat_id|mc_cid|mc_eid|_hsenc|_hsmi"
    r"|xtor|_ga|_gl|mkt_tok|fb_action_ids|fb_action_types|fb_source|__twitter_impression|ref_src|ref_url|s_cid|cmpid|wt_mc",
    re.IGNORECASE,
)
"""Parameters that tell a publisher where the reader came from."""

_SESSION = re.compile(r"phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|oscsid|zenid|sessionid|session_id", re.IGNORECASE)
_SESSION_IF_LONG = re.compile(r"(?:sid|s)=[0-9a-f]{32}", re.IGNORECASE)
"""phpBB's and vBulletin's; with another value these two names mean something else."""

_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid)=[^/;?#]*", re.IGNORECASE)
_WAY_IN = re.compile(r"replytocom=\d*|amp(?:=1|=true)?|outputtype=amp|nocache=\w*|nomobile=1|mobile=[01]", re.IGNORECASE)
"""Other ways of showing the same page: an answer form opened (WordPress), AMP, a phone's layout."""

_FRAGMENT_OF_NOTHING = re.compile(r"respond|comments|comentarios|top|main|content|more-\d+|", re.IGNORECASE)
_AS_IT_IS = re.compile(
    r"https?://[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){1,4}/(?:[a-z0-9_-]+/)*(?:#(?P<fragment>[a-z0-9_-]+))?", re.ASCII
)
"""Links that are in canonical form as they are, as most are: to take them apart would cost more than to read their comment."""

_TEXT_FRAGMENT = re.compile(r":~:.*", re.DOTALL)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)
_AMP_FOLDER = re.compile(r"/amp/?$", re.IGNORECASE)
_OTHER_FACE = re.compile(r"^(?:www\d?|m|mobile|movil|amp)\.(?=[^.]+\.)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


def canonical_link(link: str | None, ignored: Collection[str] = ()) -> str | None:
    """Return a link in the one form under which it is kept; None if it is no web address.

    Args:
        link: as the source wrote it.
        ignored: further parameters that change nothing on this source (lower case).
    """
    plain = _AS_IT_IS.fullmatch(link or "")
    if plain is not None and not _FRAGMENT_OF_NOTHING.fullmatch(plain["fragment"] or "item"):
        return link
    try:
        parts = urlsplit(_SESSION_IN_PATH.sub("", (link or "").strip()))
        if parts.scheme.lower() not in _PORTS or not parts.hostname:
            return None
        parts = urlsplit(canonicalize_url(urlunsplit(parts), keep_fragments=True))
        return canonicalize_url(urlunsplit(_without_what_changes_nothing(parts, ignored)), keep_fragments=True)
    except ValueError:
        return None


def link_identity(link: str) -> str:
    """Return what a link is compared by: without scheme, `www.`, face for phones and slash at its end; another text as it is."""
    canonical = canonical_link(link)
    if canonical is None:
        return link
    parts = urlsplit(canonical)
    host = _OTHER_FACE.sub("", parts.netloc.lower())
    path = _AMP_FOLDER.sub("", _INDEX.sub("/", parts.path) if not parts.query else parts.path).rstrip("/")
    return urlunsplit(("", "", host + path, parts.query, parts.fragment))


def without_trackers(link: str | None) -> str | None:
    """Return a link without the parameters that only tell its publisher where the reader came from; any other as it is."""
    if link is None or not ("?" in link or "#" in link):
        return link
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    query, fragment = _untracked(parts.query), _untracked(parts.fragment)
    if (query, fragment) == (parts.query, parts.fragment):
        return link
    return urlunsplit(parts._replace(query=query, fragment=fragment))


def same_page(declared: str | None, asked: str) -> str | None:
    """Return the address that a page declares to be its own (`rel=canonical`) if it can be believed, else None.

    It must be of the same site and no front page, unless that was asked for: templates that name the front page on
    every page would make one item of all.
    """
    found, own = canonical_link(declared), canonical_link(asked)
    if found is None or own is None:
        return None
    there, here = urlsplit(found), urlsplit(own)
    same_site = _OTHER_FACE.sub("", there.netloc.lower()) == _OTHER_FACE.sub("", here.netloc.lower())
    front = not there.path.strip("/") and not there.query and bool(here.path.strip("/") or here.query)
    return found if same_site and not front else None


def _without_what_changes_nothing(parts: SplitResult, ignored: Collection[str]) -> SplitResult:
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    host = (parts.hostname or "").rstrip(".")
    path = normpath("/" + parts.path.lstrip("/"))
    if parts.path.endswith(("/", "/.", "/..")) and path != "/":
        path += "/"
    query = "&".join(one for one in parts.query.split("&") if one and not _changes_nothing(one, ignored))
    fragment = _untracked(_TEXT_FRAGMENT.sub("", parts.fragment))
    fragment = "" if _FRAGMENT_OF_NOTHING.fullmatch(fragment) else fragment
    return SplitResult(parts.scheme, f"[{host}]{port}" if ":" in host else f"{host}{port}", path, query, fragment)


def _changes_nothing(parameter: str, ignored: Collection[str]) -> bool:
    name = parameter.partition("=")[0]
    return bool(
        _TRACKER.fullmatch(name)
        or _SESSION.fullmatch(name)
        or _SESSION_IF_LONG.fullmatch(parameter)
        or _WAY_IN.fullmatch(parameter)
        or name.lower() in ignored
    )


def _untracked(parameters: str) -> str:
    return "&".join(one for one in parameters.split("&") if not _TRACKER.fullmatch(one.partition("=")[0]))
