"""How fast a crawl reads, as a ratio to a bare Scrapy spider over the same pages, and whether its memory grows with them.

    python benchmarks/crawl.py [--pages 600] [--rounds 5] [--memory 2000 10000 50000]

A server on one core makes the pages as they are asked for; the crawls run on another core, one at a time, without delay. The
rival fetches the same pages one after the other, finds the same elements by the same selectors and yields as many plain dicts; it
asks for no robots.txt, cleans nothing, writes nothing. Rounds alternate between the two, and the ratio is taken within each
round: pages a second by the clock of the server, from the first request to the last, and seconds of the processor, which other
work on the machine disturbs less. Memory is the peak resident size of the whole process (`--memory` with nothing: not measured).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from crawl_site import COMMENTS, ROWS, serve  # noqa: E402

# The budget of a real source is far below what is measured here.
DRIVER = """
import sys
from pathlib import Path
from collectors import crawl
from collectors.catalog import Budget

load = crawl.load_city

def load_city(path):
    city = load(path)
    for source in city.sources:
        object.__setattr__(source, "budget", Budget.model_construct(requests=10**9, megabytes=10**9, seconds=10**6, depth=10**9))
    return city

crawl.load_city = load_city
crawl.main(Path(sys.argv[1]))
"""

CITY = {
    "id": "banco",
    "name": "Banco",
    "country": "PE",
    "official_code": "150103",
    "timezone": "America/Lima",
    "contact": "buzon@municipio.test",
    "synthetic": True,
    "hosts": {"*.test": "replay"},
    "defaults": {"legal_basis": "Medida", "approved_by": "Medida", "approved_on": "2021-03-24", "retention_days": 30},
}
OPTIONS = {"page": {"markup": "comment_list"}, "wordpress": {"posts": False}}


class Cost(NamedTuple):
    """What one crawl took."""

    pages: int
    items: int
    seconds: float
    """From the first request to the last, by the server's clock."""

    processor: float
    """Seconds of the processor between the same two."""

    megabytes: float
    """Peak resident size."""


def request_file(folder: Path, platform: str, pages: int, port: int) -> Path:
    """Write what `python -m collectors.crawl` reads: a city of one source with so many pages."""
    source = {
        "id": "sitio",
        "platform": platform,
        "url": f"http://p{pages}.test/",
        "terms": "http://terminos.test/",
        "publisher": {"name": "Sitio", "kind": "other", "official": False},
        "expect": {"min": 0, "max": 10**9},
        "options": OPTIONS[platform],
    }
    (folder / "spool").mkdir()
    (folder / "banco.yml").write_text(json.dumps({**CITY, "sources": [source]}), encoding="utf-8")
    request = {
        "city_file": str(folder / "banco.yml"),
        "project": str(folder),
        "sources": ["sitio"],
        "start": "2021-04-01T00:00:00-05:00",
        "end": "2021-05-01T00:00:00-05:00",
        "spool": str(folder / "spool"),
        "hosts": {"*.test": f"127.0.0.1:{port}"},
    }
    path = folder / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    return path


def run(kind: str, platform: str, pages: int, port: int) -> Cost:
    """Crawl a site of so many pages in a process of its own, with ours or the rival."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "escucha":
            arguments = ["-c", DRIVER, str(request_file(folder, platform, pages, port))]
        else:
            arguments = [str(HERE / "crawl_rival.py"), platform, str(pages), str(port), str(folder / "count")]
        process = subprocess.Popen([*pinned(0), sys.executable, *arguments], cwd=ROOT, stderr=subprocess.PIPE)
        ask(port, f"/begin/{process.pid}")
        _, status, used = os.wait4(process.pid, 0)
        told = process.stderr.read().decode() if process.stderr else ""
        if status:
            raise RuntimeError(told)
        seen = json.loads(ask(port, "/seen"))
        spooled = folder / "spool" / "sitio.jsonl"
        items = sum(1 for _ in spooled.open("rb")) if kind == "escucha" else int((folder / "count").read_text(encoding="ascii"))
    return Cost(seen["pages"], items, seen["seconds"], seen["processor"], used.ru_maxrss / 1024)


def ask(port: int, path: str) -> bytes:
    """Return the body of an address of the server's own."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
        return bytes(reply.read())


def pinned(core: int) -> list[str]:
    """Return what keeps a command on one core, where there are two."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def compare(platform: str, pages: int, rounds: int, port: int) -> None:
    """Print the speed of both, and the ratios of the rounds."""
    costs: dict[str, list[Cost]] = {"escucha": [], "bare": []}
    for number in range(rounds):
        for kind in sorted(costs, reverse=bool(number % 2)):
            costs[kind].append(run(kind, platform, pages, port))
    ours, theirs = costs["escucha"], costs["bare"]
    if {one.items for one in ours} != {one.items for one in theirs}:
        raise RuntimeError(f"{platform}: {ours[0].items} items of ours, {theirs[0].items} of the rival")
    print(f"{platform}: {ours[0].pages} pages, {ours[0].items} items, {rounds} rounds")
    per_page = {kind: [one.processor / one.pages * 1000 for one in found] for kind, found in costs.items()}
    for kind, found in costs.items():
        rates = [one.pages / one.seconds for one in found]
        print(
            f"  {kind:8} {statistics.median(rates):7.1f} pages/s   {statistics.median(per_page[kind]):6.2f} ms processor a page"
        )
    clock = [(a.pages / a.seconds) / (b.pages / b.seconds) for a, b in zip(ours, theirs, strict=True)]
    processor = [b / a for a, b in zip(per_page["escucha"], per_page["bare"], strict=True)]
    for name, ratios in (("clock", clock), ("processor", processor)):
        print(f"  ratio by the {name:9} {statistics.median(ratios):6.1%} ({min(ratios):.1%} to {max(ratios):.1%})")


def main() -> None:
    """Print speed and ratio for each platform, then the memory of growing crawls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--platforms", nargs="*", default=sorted(OPTIONS))
    parser.add_argument("--memory", type=int, nargs="*", default=[2_000, 10_000, 50_000])
    options = parser.parse_args()
    port_of: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port_of,), daemon=True)
    server.start()
    port = port_of.get(timeout=60)
    print(f"an article has {COMMENTS} comments, a page of the API {ROWS}; load of the machine {os.getloadavg()[0]:.1f}")
    for platform in options.platforms if options.rounds else ():
        compare(platform, options.pages if platform == "page" else max(options.pages // 10, 40), options.rounds, port)
    peaks: list[float] = []
    for pages in options.memory:
        cost = run("escucha", "page", pages, port)
        peaks.append(cost.megabytes)
        growth = f"   {peaks[-1] / peaks[0] - 1:+.1%}" if len(peaks) > 1 else ""
        print(f"memory: {cost.pages:6,} pages, {cost.items:7,} items: {cost.megabytes:6.1f} MB{growth}")
    server.terminate()


if __name__ == "__main__":
    main()
