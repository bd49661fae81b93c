"""Scrapy settings, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from collectors.catalog import City, Source
from collectors.network import mapped_address

VERSION = "0.1.0"


def agent_string(city: City) -> str:
    """Return the User-Agent: the program, and whom a webmaster can write to."""
    return f"escucha/{VERSION} (escucha municipal de {city.name}; +mailto:{city.contact})"


def rereading_settings(files: Sequence[Path]) -> dict[str, Any]:
    """Return the settings that make a crawl read archived answers: nothing can be fetched, so nobody is waited for."""
    handler = "collectors.archive_reading.ArchivedAnswers"
    handlers = {"http": handler, "https": handler, **dict.fromkeys(("file", "data", "ftp", "s3"))}
    return {"DOWNLOAD_HANDLERS": handlers, "DOWNLOAD_DELAY": 0.0, "ESCUCHA_ARCHIVED_FILES": list(files)}


def crawl_settings(city: City, source: Source, hosts: Mapping[str, str], *, keep_delays: bool = False) -> dict[str, Any]:
    """Return the settings for the crawl of one source.

    Args:
        city: its contact goes into the agent string.
        source: its delay holds unless its host is mapped to this machine.
        hosts: host pattern -> loopback address:port; empty for a real city.
        keep_delays: True: a mapped host is treated as patiently as any other (to show that a crawl is).
    """
    mapped = source.host is not None and mapped_address(source.host, hosts) is not None
    return {
        "USER_AGENT": agent_string(city),
        "ESCUCHA_HOSTS": dict(hosts),
        "ESCUCHA_ARCHIVE_FILE": None,
        "TWISTED_DNS_RESOLVER": "collectors.network.TableResolver",
        # Manners: one request at a time to a host, with a real pause; a mapped host is our own and needs none.
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_REQUESTS": 1,
        "CONCURRENT_ITEMS": 1,  # nothing that is done to an item waits; Scrapy starts as many tasks for each page
        "DOWNLOAD_DELAY": 0.0 if mapped and not keep_delays else source.delay_seconds,
        "DOWNLOAD_DELAY_JITTER": 0.0,  # Scrapy's jitter goes both ways: it would halve the delay that was promised
        "COOKIES_ENABLED": False,
        "REFERRER_POLICY": "no-referrer",  # an address may carry a key, or what was asked for
        "WARN_ON_GENERATOR_RETURN_VALUE": False,  # it parses the source of the callback again for each page
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        "HTTPERROR_ALLOW_ALL": True,  # spiders name the status in the health of the source
        # Limits: a dripping or endless answer costs a bounded amount.
        "DOWNLOAD_TIMEOUT": 20,
        "DOWNLOAD_MAXSIZE": 20 * 1024 * 1024,
        "DOWNLOAD_WARNSIZE": 0,
        "DEPTH_LIMIT": 0,  # cuts in silence; the budget of the source ends a walk and says so
        # Safety: only the two web schemes, certificates checked, no port opened.
        "DOWNLOAD_HANDLERS": {
            "http": "collectors.budget.AbortableHandler",
            "https": "collectors.budget.AbortableHandler",
            **dict.fromkeys(("file", "data", "ftp", "s3")),
        },
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "collectors.extraction.ExtractApart": 40,  # farthest from the site: what answers it was unpacked and redirected
            "collectors.network.OneSite": 50,
            "collectors.network.ExcludedAddresses": 60,
            "collectors.robots.StrictRobots": 100,
            "collectors.patience.Patience": 610,  # nearer to the site than Scrapy's redirects: one may come with Retry-After
            "collectors.budget.SourceBudget": 840,
            "collectors.archive.RawArchive": 900,  # the nearest to the site: redirects, refusals and robots.txt are kept too
            "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # environment proxies would bypass the guard
        },
        "SPIDER_MIDDLEWARES": {"collectors.wall_watch.WallWatch": 50},  # nearest to the engine: it sees what all others left
        "EXTENSIONS": {
            "scrapy.extensions.telnet.TelnetConsole": None,
            "scrapy.extensions.remote_control.RemoteControl": None,
            "scrapy.extensions.memusage.MemoryUsage": None,
            "scrapy.extensions.logstats.LogStats": None,
            "scrapy.extensions.feedexport.FeedExporter": None,
        },
        "ITEM_PIPELINES": {
            "collectors.item_pipelines.Validate": 100,
            "collectors.item_pipelines.Exclude": 150,  # before the name becomes a key and a link that names a person goes
            "collectors.item_pipelines.Redact": 200,
            "collectors.item_pipelines.Deduplicate": 300,
            "collectors.item_pipelines.Spool": 400,
        },
        # Logs carry ids and counts, never a citizen's words.
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_FORMATTER": "collectors.item_pipelines.WordlessLogFormatter",
        "STATS_DUMP": False,
    }
