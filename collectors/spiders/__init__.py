"""One spider per platform. A new platform is a new file here and one key below."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collectors.spiders.base import PlatformSpider

SPIDERS: dict[str, str] = {
    "feed": "collectors.spiders.feed:FeedSpider",
    "file": "collectors.spiders.file:FileSpider",
    "page": "collectors.spiders.page:PageSpider",
    "wordpress": "collectors.spiders.wordpress:WordPressSpider",
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
