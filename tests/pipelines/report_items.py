"""The tables of a report from a handful of items, by the SQL files that every report is made with; nothing is crawled or read."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from pipelines.reports.disclosure import CELL_COLUMNS, protect_rows
from pipelines.reports.estimates import ESTIMATE_COLUMNS
from pipelines.staging import REPORTS, stage
from pipelines.warehouse import Warehouse, memory_warehouse, used_parameters

CATEGORIES = ("agua", "basura", "calles", "unclassified")
ISSUES = {"agua": ("agua.corte", "agua.fuga"), "calles": ("calles.huecos", "calles.veredas", "calles.luz")}
SENTIMENTS = ("pos", "neu", "neg")
ROLLUPS = {"obras": ("basura", "agua.fuga", "calles.huecos")}
FIRST = date(2021, 4, 1)
TABLES = ("report_category", "report_sentiment", "report_category_sentiment", "report_issue", "report_rollup", "report_day")


class Item(NamedTuple):
    """One counted message."""

    category: str
    issue: str | None
    sentiment: str
    day: date
    person: str


def random_items(seed: int, size: int, persons: int, days: int) -> list[Item]:
    """Return messages of so many persons at most, unevenly spread."""
    chance = random.Random(seed)
    weights = [chance.random() ** 3 + 0.02 for _ in CATEGORIES]
    tones = [chance.random() + 0.05 for _ in SENTIMENTS]
    items = []
    for _ in range(size):
        category = chance.choices(CATEGORIES, weights)[0]
        items.append(
            Item(
                category,
                chance.choice([None, *ISSUES.get(category, ())]),
                chance.choices(SENTIMENTS, tones)[0],
                FIRST + timedelta(days=chance.randrange(days)),
                f"autor{chance.randrange(persons)}",
            )
        )
    return items


def report_of(items: list[Item], days: int, *, report_id: str = "aa01") -> Warehouse:
    """Return a warehouse with the tables of one report on these items: channel online, days from FIRST, zone UTC."""
    warehouse = memory_warehouse()
    _stage(warehouse, items, days)
    parameters = {"report_id": report_id, "timezone": "UTC"}
    stage(warehouse, "cell_count", parameters)
    rows = protect_rows(warehouse.rows("from cell_count order by all"), ROLLUPS)
    warehouse.temporary("protected_cell", rows, CELL_COLUMNS)
    warehouse.temporary("estimate", [], ESTIMATE_COLUMNS)
    for table in (*TABLES, "report_cell"):
        sql = (REPORTS / "tables" / f"{table}.sql").read_text(encoding="utf-8")
        warehouse.query(f"insert into {table} by name {sql}", used_parameters(sql, parameters))
    _append_totals(warehouse, items, days, report_id)
    return warehouse


def _stage(warehouse: Warehouse, items: list[Item], days: int) -> None:
    text = "varchar"
    rows = [
        {
            "manifestation_id": f"m{place}",
            "source_id": "foro",
            "channel": "online",
            "author_key": item.person,
            "published_at": datetime(item.day.year, item.day.month, item.day.day, 12, tzinfo=UTC),
            "category_id": item.category,
            "issue_id": item.issue,
            "sentiment": item.sentiment,
            "not_counted": None,
            "counted": True,
        }
        for place, item in enumerate(items)
    ]
    columns = dict.fromkeys(("manifestation_id", "source_id", "channel", "author_key"), text) | {"published_at": "timestamptz"}
    columns |= dict.fromkeys(("category_id", "issue_id", "sentiment", "not_counted"), text) | {"counted": "boolean"}
    warehouse.temporary("report_item", rows, columns)
    warehouse.temporary("city_channel", [{"channel": "online"}], {"channel": text})
    for table, column, values in (("category_label", "category_id", CATEGORIES), ("sentiment_label", "sentiment", SENTIMENTS)):
        listed = [{column: value, "position": place} for place, value in enumerate(values, start=1)]
        warehouse.temporary(table, listed, {column: text, "position": "integer"})
    warehouse.temporary("window_day", [{"day": FIRST + timedelta(days=place)} for place in range(days)], {"day": "date"})
    warehouse.temporary("city_source", [{"source_id": "foro", "channel": "online"}], {"source_id": text, "channel": text})
    covered = [{"source_id": "foro", "day": FIRST + timedelta(days=place)} for place in range(days)]
    warehouse.temporary("covered_day", covered, {"source_id": text, "day": "date"})
    members = [
        {"rollup_id": name, "category_id": None if "." in member else member, "issue_id": member if "." in member else None}
        for name, parts in ROLLUPS.items()
        for member in parts
    ]
    warehouse.temporary("rollup_member", members, dict.fromkeys(("rollup_id", "category_id", "issue_id"), text))


def _append_totals(warehouse: Warehouse, items: list[Item], days: int, report_id: str) -> None:
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    counts: dict[str, Any] = defaultdict(int, manifestation_count=len(items), collected_count=len(items))
    counts |= {"distinct_text_count": len(items), "voice_count": len({item.person for item in items})}
    names = ("unsigned", "source_planned", "source_alive", "late", "gone", "textless")
    counts |= {f"{name}_count": 1 if name.startswith("source") else 0 for name in names}
    warehouse.append(
        "report",
        [
            {
                "report_id": report_id,
                "report_number": 1,
                "city": "villa",
                "channel": "online",
                "period_start": start,
                "period_end": start + timedelta(days=days),
                "seen_until": start + timedelta(days=days, hours=9),
                "issued": True,
                "synthetic": True,
                "annotators": "{}",
                **dict.fromkeys(("taxonomy_version", "data_digest", "code_digest"), "x"),
                **counts,
            }
        ],
    )
