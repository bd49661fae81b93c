"""Rows of places, words, emerging matters, quotes and recommendations, filled by arithmetic, for tests of the page."""

from __future__ import annotations

from datetime import date
from typing import Any

from collectors.period import Period
from pipelines.warehouse import Warehouse

ZONES = [("huaycan", "Huaycán", -12.01, -76.82), ("vitarte", "Vitarte", -12.03, -76.92), ("ceres", "Ceres", -12.03, -76.92)]
WORDS = ["bache", "pista", "asfalto", "vereda", "obra", "polvo", "tierra", "zanja"]


def append_matters(warehouse: Warehouse, period: Period, key: dict[str, Any], issues: list[dict[str, Any]], total: int) -> None:
    """Fill the tables of a channel whose issues are these rows of `report_issue`; none of fewer than five persons."""
    _append_places(warehouse, key, total)
    told = [row for row in issues if row["manifestation_count"] >= 5]
    groups = [(row["category_id"], row["issue_id"]) for row in told] + [
        (category, None) for category in sorted({row["category_id"] for row in told})
    ]
    warehouse.append(
        "report_word",
        [
            key | {"category_id": category, "issue_id": issue, "position": place, "word": word, "weight": 1 / place}
            for category, issue in groups
            for place, word in enumerate(WORDS, start=1)
        ],
    )
    if total < 1000:
        return
    warehouse.append(
        "report_issue_place",
        [
            key | {name: row[name] for name in ("category_id", "issue_id")} | {"place_id": "huaycan", "place_name": "Huaycán"}
            for row in told
        ],
    )
    days = period.days()
    warehouse.append(
        "report_emerging",
        [
            key
            | {
                "cluster_number": number,
                "manifestation_count": 40 - number,
                "person_count": 36 - number,
                "source_count": 4,
                "one_source": number == 2,
                "first_day": days[0],
                "last_day": days[-1],
                "words": WORDS[number : number + 4],
            }
            for number in (1, 2, 3)
        ],
    )


def _append_places(warehouse: Warehouse, key: dict[str, Any], total: int) -> None:
    named = [] if total < 1000 else [total // 10 - place for place in range(30)]
    rows: list[dict[str, Any]] = []
    for place, count in enumerate(named):
        zone = ZONES[place] if place < len(ZONES) else None
        rows.append(
            {
                "grouping": "place",
                "place_id": zone[0] if zone else f"mercado-{place}",
                "place_name": zone[1] if zone else f"mercado {place}",
                "place_kind": "zone" if zone else "market",
                "zone_id": None if zone else "huaycan",
                "latitude": zone[2] if zone else None,
                "longitude": zone[3] if zone else None,
                "approximate": True if zone else None,
                "category_id": "transporte" if place % 2 else None,
                "manifestation_count": count,
            }
        )
    rows += [{"grouping": "other", "manifestation_count": 12}] if named else []
    rows.append({"grouping": "none", "manifestation_count": total if total >= 5 or not total else None})
    empty = dict.fromkeys(
        ("place_id", "place_name", "place_kind", "zone_id", "latitude", "longitude", "approximate", "category_id")
    )
    shared = {"manifestation_low": None, "manifestation_high": None, "corrected": False}
    warehouse.append(
        "report_place",
        [
            key | empty | row | shared | {"position": position, "manifestation_share": _share(row["manifestation_count"], total)}
            for position, row in enumerate(rows, start=1)
        ],
    )


def _share(count: int | None, total: int) -> float | None:
    return count / total if count is not None and total else None


def append_told(warehouse: Warehouse, report_id: str, text: str) -> None:
    """Fill a quote, a recommendation and a promise in which every word that people write is `text`."""
    key = {"report_id": report_id, "channel": "online"}
    target = {"category_id": "transporte", "issue_id": "transporte.trafico"}
    quote = {"words": [text, text], "person_count": 7, "publisher_kind": "forum", "month": date(2021, 4, 1)}
    warehouse.append("report_quote", [key | target | quote | {"quote_id": "q", "text": text}])
    promise = {
        **{"position": 1, "commitment_id": text, "finding": "issue:transporte.trafico", "office": text, "next_step": text},
        **{"review_on": date(2021, 6, 30), "signed_by": text},
    }
    warehouse.append("report_action", [key | target | promise | {"evidence": text, "cited_report_id": "ab" * 32}])
    figures = {f"{when}_{name}": None for when in ("then", "now") for name in ("count", "base", "share", "low", "high")}
    window = {"then_start": date(2021, 3, 2), "then_end": date(2021, 3, 31), "corrected": False, "change": "unknown"}
    warehouse.append("report_promise", [key | target | promise | figures | window])
