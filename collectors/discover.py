"""`python -m collectors.discover REQUEST.json`: one look at an address, in a process of its own, as any crawl.

The request is that of `collectors.crawl`; its one source is the address. Beside the health of the source the folder then
holds `look.json`: the candidate doors and what each answer told.
"""

from __future__ import annotations

import sys
from pathlib import Path

from collectors.crawl import main
from collectors.doors.spider import DoorSpider

if __name__ == "__main__":
    main(Path(sys.argv[1]), spider_of=lambda platform: DoorSpider)
