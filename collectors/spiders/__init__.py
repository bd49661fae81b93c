"""One spider per platform. A new platform is a new file here and one key below."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collectors.spiders.base import PlatformSpider

SPIDERS: dict[str, str] = {
    "bluesky": "collectors.spiders.bluesky:BlueskySpider",
    "consul": "collectors.spiders.consul:ConsulSpider",
    "decidim": "collectors.spiders.decidim:DecidimSpider",
    "discourse": "collectors.spiders.discourse:DiscourseSpider",
    "disqus": "collectors.spiders.disqus:DisqusSpider",
    "facebook": "collectors.spiders.facebook:FacebookSpider",
    "feed": "collectors.spiders.feed:FeedSpider",
    "file": "collectors.spiders.file:FileSpider",
    "instagram": "collectors.spiders.instagram:InstagramSpider",
    "isso": "collectors.spiders.isso:IssoSpider",
    "mastodon": "collectors.spiders.mastodon:MastodonSpider",
    "minutes": "collectors.spiders.minutes:MinutesSpider",
    "mybb": "collectors.spiders.mybb:MybbSpider",
    "open311": "collectors.spiders.open311:Open311Spider",
    "page": "collectors.spiders.page:PageSpider",
    "phpbb": "collectors.spiders.phpbb:PhpbbSpider",
    "smf": "collectors.spiders.smf:SmfSpider",
    "structured": "collectors.spiders.structured:StructuredSpider",
    "telegram": "collectors.spiders.telegram:TelegramSpider",
    "whatsapp": "collectors.spiders.whatsapp:WhatsAppSpider",
    "wordpress": "collectors.spiders.wordpress:WordPressSpider",
    "x": "collectors.spiders.x:XSpider",
    "youtube": "collectors.spiders.youtube:YouTubeSpider",
}
"""Platform -> "module:Class"; the module is imported only when a city uses the platform."""


def spider_class(platform: str) -> type[PlatformSpider]:
    """Return the spider class of a platform.

    Raises:
        KeyError: if `SPIDERS` has no such platform.
    """
    module, _, name = SPIDERS[platform].partition(":")
    spider: type[PlatformSpider] = getattr(import_module(module), name)
    return spider
