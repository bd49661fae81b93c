"""Services that an address alone tells: which collector reads them, what it needs, and which have no lawful door.

Facts from the documents that each spider names, and for what is closed: TikTok Research API (eligibility: academic and
non-profit bodies of some regions), Reddit's Responsible Builder Policy (approval before access), Meta's Platform Terms
(no automated collection without permission), Google Maps Platform (five reviews a place), WhatsApp (groups are private).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from collectors.catalog import PENDING
from collectors.doors.model import Door, Rank, plain
from collectors.network import site_of

MOST_X_POSTS = 100


class NoDoor(ValueError):
    """A service that may not be read by a program; the message says why, and what can be done instead."""


def door_of_service(url: str) -> Door | None:
    """Return the door of a known service; None if the address is of none.

    Raises:
        NoDoor: if the service has no lawful door, or the address is of a part that has none.
    """
    parts = urlsplit(url)
    host = site_of(parts.hostname or "").removeprefix("m.").removeprefix("mobile.")
    for name, find in SERVICES.items():
        if host == name or host.endswith(f".{name}"):
            return find(parts)
    if re.fullmatch(r"google(\.\w{2,3}){1,2}", host) and parts.path.startswith("/maps"):
        host = "maps.google.com"
    reason = next((why for name, why in CLOSED.items() if host == name or host.endswith(f".{name}")), None)
    if reason is not None:
        raise NoDoor(reason)
    return None


def _segments(parts: SplitResult) -> list[str]:
    return [unquote(piece) for piece in parts.path.split("/") if piece]


def _telegram(parts: SplitResult) -> Door:
    names = [piece for piece in _segments(parts) if piece != "s"]
    if not names or names[0].startswith("+") or names[0] in ("joinchat", "c"):
        raise NoDoor("an invitation or a private chat of Telegram; only public channels (https://t.me/NAME) may be read")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{2,31}", names[0]):
        raise NoDoor("no name of a public channel of Telegram; write https://t.me/NAME")
    told = "the preview pages of a public channel: the voice of whoever runs it, so context, unless people write there"
    return Door(platform="telegram", url=f"https://t.me/{names[0]}", rank=Rank.CONTEXT, evidence=(told,))


def _bluesky(parts: SplitResult) -> Door:
    match _segments(parts):
        case ["profile", actor, *_]:
            told = "an account of Bluesky: its feed and the answers to it are public at public.api.bsky.app"
            address = f"https://bsky.app/profile/{actor}"
            return Door(platform="bluesky", url=address, rank=Rank.API, evidence=(told,), options={"actor": plain(actor)})
    raise NoDoor("no account of Bluesky; write https://bsky.app/profile/HANDLE")


def _youtube(parts: SplitResult) -> Door:
    pieces, query = _segments(parts), parse_qs(parts.query)
    video = query.get("v", [""])[0] or (pieces[0] if parts.hostname == "youtu.be" and pieces else "")
    channel = pieces[1] if len(pieces) > 1 and pieces[0] == "channel" else ""
    needs = ["a key of the YouTube Data API v3, in the environment variable YOUTUBE_KEY"]
    options: dict[str, object] = {"key": "env:YOUTUBE_KEY", "accept_storage_rule": f"{PENDING}: true"}
    if re.fullmatch(r"[\w-]{11}", video, re.ASCII):
        options["videos"] = [video]
    elif re.fullmatch(r"UC[\w-]{22}", channel, re.ASCII):
        options["channel"] = channel
    else:
        options["channel"] = f"{PENDING}: UC…"
        needs.append("the channel's id (UC and 22 characters): on YouTube under About, Share, Copy channel ID")
    needs.append("a decision on YouTube's storage rule: comments are deleted after 30 days (`accept_storage_rule: true`)")
    told = "comments are read by the official API alone"
    address = parts._replace(fragment="").geturl()
    return Door(
        platform="youtube", url=address, rank=Rank.API, evidence=(told,), options=options, needs=tuple(needs), retention_days=30
    )


def _facebook(parts: SplitResult) -> Door:
    pieces = _segments(parts)
    if pieces and pieces[0] in ("groups", "events", "watch", "marketplace"):
        raise NoDoor("Facebook has no lawful door to groups, events or other people's posts; only the own Page's comments")
    number = parse_qs(parts.query).get("id", [""])[0]
    tail = re.search(r"-(\d{5,30})$", pieces[1]) if len(pieces) > 1 and pieces[0] == "p" else None
    number = number if re.fullmatch(r"\d{5,30}", number, re.ASCII) else tail[1] if tail else ""
    needs = ["an app of the municipality and a lasting token of its own Page, in the environment variable FACEBOOK_PAGE_TOKEN"]
    needs += [] if number else ["the id of the Page in digits: Page, About, Page transparency"]
    options = {"page": number or f"{PENDING}: 0123456789", "token": "env:FACEBOOK_PAGE_TOKEN"}
    told = "comments on the municipality's own Page, by the Graph API alone; another's Page has no lawful door"
    return Door(platform="facebook", url=_bare(parts), rank=Rank.API, evidence=(told,), options=options, needs=tuple(needs))


def _instagram(parts: SplitResult) -> Door:
    needs = (
        "the municipality's own professional account and a token of it, in the environment variable INSTAGRAM_TOKEN",
        "the id of the account in digits, as the API tells it",
    )
    options = {"account": f"{PENDING}: 0123456789", "token": "env:INSTAGRAM_TOKEN"}
    told = "comments on the municipality's own account, by the Instagram API alone; another's account has no lawful door"
    return Door(platform="instagram", url=_bare(parts), rank=Rank.API, evidence=(told,), options=options, needs=needs)


def _x(parts: SplitResult) -> Door:
    names = _segments(parts)
    if not names or not re.fullmatch(r"\w{1,15}", names[0], re.ASCII):
        raise NoDoor("no account of X; write https://x.com/NAME, or a search of your own by hand (platform `x`)")
    options = {
        "token": "env:X_TOKEN",
        "query": f"to:{names[0]}",
        "accept_cost": f"{PENDING}: true",
        "max_posts": MOST_X_POSTS,
    }
    needs = (
        "a bearer token of an app with credits, in the environment variable X_TOKEN",
        "a decision on the cost: X charges every post that is read (`accept_cost: true`)",
    )
    told = "what people write to the account, by the paid API alone"
    return Door(platform="x", url=_bare(parts), rank=Rank.API, evidence=(told,), options=options, needs=needs)


def _disqus(parts: SplitResult) -> Door | None:
    name = (parts.hostname or "").removesuffix(".disqus.com")
    known = re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) and name not in ("www", "help", "blog", "about")
    return disqus_door(name, _bare(parts), "the address of a forum at Disqus") if known else None


def disqus_door(name: str, url: str, told: str) -> Door:
    """Return the door of a forum at Disqus."""
    return Door(
        platform="disqus",
        url=url,
        rank=Rank.API,
        evidence=(told,),
        options={"forum": name, "key": "env:DISQUS_KEY"},
        needs=("the key of an application at Disqus, in the environment variable DISQUS_KEY",),
    )


def _bare(parts: SplitResult) -> str:
    return parts._replace(fragment="", query=parts.query if parts.path.endswith("profile.php") else "").geturl()


SERVICES: Mapping[str, Callable[[SplitResult], Door | None]] = {
    "t.me": _telegram,
    "telegram.me": _telegram,
    "bsky.app": _bluesky,
    "youtube.com": _youtube,
    "youtu.be": _youtube,
    "facebook.com": _facebook,
    "fb.com": _facebook,
    "instagram.com": _instagram,
    "x.com": _x,
    "twitter.com": _x,
    "disqus.com": _disqus,
}
"""Host (those below it too) -> what finds the door."""

CLOSED: Mapping[str, str] = {
    "tiktok.com": "TikTok has no lawful door for a municipality: its research interface is for academics of some countries",
    "reddit.com": "Reddit gives its data after approval only (Responsible Builder Policy), which this program does not have",
    "redd.it": "Reddit gives its data after approval only (Responsible Builder Policy), which this program does not have",
    "change.org": "Change.org has no public interface: keep the link, and count its signatures by hand",
    "threads.net": "Threads has no lawful door to what people write to others; its API is for an app's own users",
    "threads.com": "Threads has no lawful door to what people write to others; its API is for an app's own users",
    "linkedin.com": "LinkedIn has no lawful door: its terms forbid programs, and its API shows no comments of the public",
    "chat.whatsapp.com": "a group of WhatsApp is private: if it agrees, its administrator exports it, and that file is a source",
    "whatsapp.com": "WhatsApp has no interface to read; the export of a group that agreed is a file source (`whatsapp`)",
    "wa.me": "WhatsApp has no interface to read; the export of a group that agreed is a file source (`whatsapp`)",
    "maps.google.com": "Google shows at most five reviews of a place to a program, and none may be kept",
    "maps.app.goo.gl": "Google shows at most five reviews of a place to a program, and none may be kept",
    "discord.com": "what stands behind a login is not read",
    "discord.gg": "what stands behind a login is not read",
}
"""Host (those below it too) -> why nothing is read there."""
