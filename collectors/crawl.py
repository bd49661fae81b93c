"""`python -m collectors.crawl REQUEST.json`: one crawl, one process, one spool folder.

Scrapy's reactor cannot be restarted, and a crawl that is killed must not take the warehouse with it; so each crawl is a
process of its own, which writes the spool and nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.reactor import install_reactor
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks

from collectors.archive import archive_file, may_be_archived
from collectors.budget import abandon_later
from collectors.catalog import City, Source, load_city
from collectors.exclusions import load_exclusions
from collectors.extraction import ExtractionWorker
from collectors.frontier import Frontier
from collectors.item_pipelines import NamelessLinks, WordlessErrors
from collectors.memory import Memory
from collectors.network import site_of
from collectors.patience import Sites
from collectors.period import Period
from collectors.pseudonyms import load_secret
from collectors.settings import crawl_settings, rereading_settings
from collectors.spiders import spider_class
from collectors.spiders.base import PlatformSpider

logger = logging.getLogger("collectors.crawl")


SpiderOf = Callable[[str], type[PlatformSpider]]
"""Platform -> the class of its spider."""


def main(request_path: Path, *, spider_of: SpiderOf = spider_class) -> None:
    """Run the crawl that a request file describes, with the spiders that `spider_of` gives.

    The file is JSON: `city_file`, `project`, `sources` (ids), `start` and `end` (ISO 8601), `spool` (folder), `hosts`
    (pattern -> loopback address:port), `memory` (source id -> what earlier collections left; absent for one whose window
    lies in the past), `frontier` (source id -> threads that a walk of this window has read which was cut off), `with_parent`
    (true: end when standard input closes), `exclusions` (path of the list, if there is one), `keep_delays` (true: hosts that
    are mapped to this machine are waited for too), `archived` (source id -> files of the raw archive: nothing is fetched, and
    they answer instead). The secret comes from the environment, never from a file.
    """
    request: dict[str, Any] = json.loads(request_path.read_text(encoding="utf-8"))
    if request.get("with_parent"):
        threading.Thread(target=_exit_with_parent, daemon=True).start()
    city = load_city(Path(request["city_file"]))
    zone = ZoneInfo(city.timezone)
    period = Period(
        datetime.fromisoformat(request["start"]).astimezone(zone), datetime.fromisoformat(request["end"]).astimezone(zone), zone
    )
    secret = load_secret(os.environ, synthetic=city.synthetic)
    exclusions = load_exclusions(Path(request["exclusions"])) if request.get("exclusions") else None
    common = {"ESCUCHA_SPOOL": request["spool"], "ESCUCHA_SECRET_HEX": secret.hex(), "ESCUCHA_EXCLUSION_LIST": exclusions}
    sources = [city.source(source_id) for source_id in request["sources"]]
    memories = {
        source.id: Memory(request.get("memory", {}).get(source.id, {}), current=source.id in request.get("memory", {}))
        for source in sources
    }
    frontiers = {source.id: Frontier(request.get("frontier", {}).get(source.id, {})) for source in sources}
    run_crawl(
        city,
        sources,
        period,
        project=Path(request["project"]),
        hosts=request["hosts"],
        memories=memories,
        frontiers=frontiers,
        common=common,
        keep_delays=bool(request.get("keep_delays")),
        spider_of=spider_of,
        archived={name: [Path(file) for file in files] for name, files in request.get("archived", {}).items()},
    )


def run_crawl(
    city: City,
    sources: list[Source],
    period: Period,
    *,
    project: Path,
    hosts: dict[str, str],
    memories: dict[str, Memory],
    frontiers: dict[str, Frontier],
    common: dict[str, Any],
    keep_delays: bool = False,
    spider_of: SpiderOf = spider_class,
    archived: Mapping[str, Sequence[Path]] = MappingProxyType({}),
) -> None:
    """Crawl the sources, those of one host one after the other, and return when all are done."""
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")  # before anything imports the default one
    _start_log()
    # Scrapy writes the settings of the process over those of each crawler of the same priority: the first source's delay
    # would become everybody's.
    process = StoppableProcess(Settings({**crawl_settings(city, sources[0], hosts), **common}, priority="command"))
    sites = Sites()  # one for all, so that a host is owed its pause from one source to the next too
    worker = ExtractionWorker()

    @inlineCallbacks
    def crawl_host(group: list[Source]) -> Generator[Deferred[Any], Any, None]:
        for source in group:
            if process.stopping:
                return
            settings = {**crawl_settings(city, source, hosts, keep_delays=keep_delays), **common}
            given = {"city": city, "source": source, "period": period, "project": project}
            given |= {"memory": memories[source.id], "frontier": frontiers[source.id]}
            settings |= _archive_settings(source, common, archived)
            try:
                yield process.crawl(Crawler(spider_of(source.platform), settings), sites=sites, worker=worker, **given)
            except Exception:
                logger.exception("the crawl of %s broke off", source.id)

    def begin() -> None:
        crawls: Any = DeferredList([crawl_host(group) for group in group_by_host(sources)])
        crawls.addBoth(lambda _: _stop_reactor())

    # Only a reactor that runs can be stopped, so nothing begins before it does.
    _reactor().callWhenRunning(begin)
    process.start(stop_after_crawl=False)
    worker.close()


class StoppableProcess(CrawlerProcess):
    """A crawler process that, told to stop, begins no other source and waits only briefly for what is under way."""

    stopping = False

    def stop(self) -> Deferred[Any]:
        """Stop every crawl; the deferred fires when they all have ended."""
        self.stopping = True
        for crawler in self.crawlers:
            abandon_later(crawler)
        return super().stop()


def group_by_host(sources: list[Source]) -> list[list[Source]]:
    """Group the sources so that no host is asked by two of them at once; the order of the city's file is kept inside."""
    ordered = sorted(sources, key=lambda source: site_of(source.host or ""))
    return [list(group) for _, group in groupby(ordered, key=lambda source: site_of(source.host) if source.host else source.id)]


def _archive_settings(source: Source, common: Mapping[str, Any], archived: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Return the settings by which a source is read from its archive, or written into one, or neither."""
    if archived:
        return rereading_settings(archived.get(source.id, ()))
    kept = source.archive and may_be_archived(source, common["ESCUCHA_EXCLUSION_LIST"])
    return {"ESCUCHA_ARCHIVE_FILE": archive_file(Path(common["ESCUCHA_SPOOL"]), source.id) if kept else None}


def _start_log() -> None:
    """Log to standard error by a handler of our own: Scrapy replaces its own with each crawl, and the filter with it."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)  # on the handler: Scrapy sets its loggers to tell everything
    handler.addFilter(WordlessErrors())
    handler.addFilter(NamelessLinks())
    logging.basicConfig(handlers=[handler], format="%(asctime)s [%(name)s] %(levelname)s: %(message)s")


def _exit_with_parent() -> None:
    """Wait for the end of standard input, which the parent holds open, and leave: a crawl nobody waits for must not go on."""
    while os.read(sys.stdin.fileno(), 1024):  # not by the file object, whose lock would break the end of the interpreter
        continue
    os._exit(1)


def _reactor() -> Any:
    from twisted.internet import reactor

    return reactor


def _stop_reactor() -> None:
    if _reactor().running:
        _reactor().stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
