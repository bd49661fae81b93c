"""A report's tables filled by arithmetic, so that the page can be tested without crawling or reading anything."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from collectors.catalog import City
from collectors.period import Period
from models.taxonomy import Taxonomy
from pipelines.reports.disclosure import protect_rows
from pipelines.warehouse import Warehouse, memory_warehouse
from tests.pipelines.filled_change import append_change
from tests.pipelines.filled_matters import append_matters

REPORT_ID = "0f3a9c1e5b7d2468aabbccddeeff00112233445566778899aabbccddeeff0011"

SIZES = [705, 298, 611, 142, 688, 402, 655, 377, 96, 431, 268, 173, 344, 12, 318, 276]
"""Manifestations of the 15 categories and of those unclassified, online; one lies below the smallest base."""

SET_ASIDE = {
    "undated": 31,
    "quechua": 5,
    "aymara": 1,
    "other_language": 9,
    "spam": 44,
    "test": 6,
    "mirror": 118,
    "own_repeat": 57,
    "official": 82,
    "institution": 15,
    "article": 403,
}
REASONS = ["unclassified", "otros", *list(SET_ASIDE)[:4], "failed_source", "partial_source", *list(SET_ASIDE)[4:]]
STATES = {
    3: ("partial", "budget_requests"),
    10: ("empty", "nothing_published"),
    17: ("failed", "unreachable"),
    20: ("ok", "fewer_than_expected"),
}


def split(total: int, weights: list[int]) -> list[int]:
    """Split a count in proportion to weights; what rounding leaves goes to the first."""
    shares = [total * weight // sum(weights) for weight in weights]
    shares[0] += total - sum(shares)
    return shares


def tones(size: int, index: int) -> list[int]:
    """Return the pos, neu and neg counts of a category."""
    return list(reversed(split(size, [3 + (index * 7) % 9, 4, 2 + index % 4])))


def filled_warehouse(
    city: City,
    period: Period,
    taxonomy: Taxonomy,
    *,
    divisor: int = 1,
    synthetic: bool = True,
    late_count: int | None = None,
    labelled_count: int = 0,
) -> Warehouse:
    """Return a warehouse with one report whose tables pass their audits.

    Args:
        city: its channels and sources.
        period: the window; its days get the days' rows.
        taxonomy: its categories and issues.
        divisor: every count is divided by it; a large one leaves an empty report.
        synthetic: the report's mark.
        late_count: makes the report an amendment with that many late manifestations.
        labelled_count: labelled manifestations online; with them shares are corrected, or lack labels.
    """
    warehouse = memory_warehouse()
    for channel in sorted({source.channel for source in city.sources}):
        part = divisor if channel == "online" else divisor * 17
        _append_channel(warehouse, city, period, taxonomy, channel, part, {"synthetic": synthetic, "late": late_count})
    if labelled_count:
        _correct(warehouse, labelled_count)
    append_cells(warehouse, taxonomy)
    append_change(warehouse, period)
    return warehouse


def _append_channel(
    warehouse: Warehouse, city: City, period: Period, taxonomy: Taxonomy, channel: str, divisor: int, marks: dict[str, Any]
) -> None:
    categories = [*taxonomy.category_ids, "unclassified"]
    sizes = {category: size // divisor for category, size in zip(categories, SIZES, strict=True)}
    total = sum(sizes.values())
    aside = {reason: size // divisor for reason, size in SET_ASIDE.items()}
    toned = {
        category: dict(zip(("pos", "neu", "neg"), tones(size, index), strict=True))
        for index, (category, size) in enumerate(sizes.items())
    }
    sources = [(index, source) for index, source in enumerate(city.sources) if source.channel == channel]
    key = {"report_id": REPORT_ID, "channel": channel}
    states = [STATES.get(index, ("ok", "none")) for index, _ in sources]
    _append_report(warehouse, city, period, key, total, sum(aside.values()), [status for status, _ in states], marks)
    warehouse.append(
        "report_category",
        [
            key | _shared(size, total) | {"category_id": category, "position": position}
            for position, (category, size) in enumerate(sizes.items(), start=1)
        ],
    )
    warehouse.append(
        "report_sentiment",
        [
            key | _shared(sum(parts[tone] for parts in toned.values()), total) | {"sentiment": tone, "position": position}
            for position, tone in enumerate(("pos", "neu", "neg"), start=1)
        ],
    )
    warehouse.append(
        "report_category_sentiment",
        [
            key | _shared(parts[tone], sizes[category]) | {"category_id": category, "sentiment": tone}
            for category, parts in toned.items()
            for tone in parts
        ],
    )
    issues = [
        key | _shared(count, sizes[category.id]) | {"category_id": category.id, "issue_id": f"{category.id}.{issue.id}"}
        for category in taxonomy.categories
        if category.issues
        for issue, count in zip(category.issues, split(sizes[category.id] * 4 // 5, _falling(len(category.issues))), strict=True)
        if count
    ]
    warehouse.append("report_issue", issues)
    counts = {f"{category.id}.{issue.id}": 0 for category in taxonomy.categories for issue in category.issues}
    counts |= {row["issue_id"]: row["manifestation_count"] for row in issues}
    warehouse.append(
        "report_rollup",
        [
            key
            | _shared(sum(sizes[c] for c in rollup.categories) + sum(counts[i] for i in rollup.issues), total)
            | {"rollup_id": rollup_id}
            for rollup_id, rollup in taxonomy.rollups.items()
        ],
    )
    _append_days(warehouse, period, key, [sum(parts[tone] for parts in toned.values()) for tone in ("pos", "neu", "neg")])
    _append_sources(warehouse, sources, states, key, total, aside)
    _append_campaigns(warehouse, period, key, sizes)
    _append_agreement(warehouse, key, min(400, total) if channel == "online" else 0)
    append_matters(warehouse, period, key, issues, total)
    listed = aside | {"unclassified": sizes["unclassified"], "otros": sizes["otros"]}
    listed |= {f"{state}_source": sum(status == state for status, _ in states) for state in ("failed", "partial")}
    warehouse.append(
        "report_unread",
        [
            key
            | {
                "reason": reason,
                "position": position,
                "counted": reason in ("unclassified", "otros"),
                "item_count": listed[reason],
            }
            for position, reason in enumerate(REASONS, start=1)
        ],
    )


def _falling(length: int) -> list[int]:
    return [length - place + 2 * (place == 0) for place in range(length)]


def _shared(count: int, base: int) -> dict[str, Any]:
    share = count / base if base else None
    return {
        "manifestation_count": count,
        "manifestation_share": share,
        "manifestation_low": None,
        "manifestation_high": None,
        "corrected": False,
        "read_share": share,
        "estimate_status": "uncorrected",
    }


def _correct(warehouse: Warehouse, labelled: int) -> None:
    """Correct the online shares as labels would: small ones lack labels, and what is unclassified stays as read."""
    ((total,),) = warehouse.query("select manifestation_count from report where channel = 'online'")
    for table in ("category", "sentiment", "category_sentiment", "issue"):
        warehouse.query(
            f"""
            update report_{table} set
                estimate_status = case when manifestation_count >= $least then 'corrected' else 'insufficient' end,
                manifestation_share = case when manifestation_count >= $least then read_share * 0.9 end,
                manifestation_low = case when manifestation_count >= $least then read_share * 0.7 end,
                manifestation_high = case when manifestation_count >= $least then least(1, read_share * 1.2) end,
                corrected = manifestation_count >= $least,
                labelled_count = $labelled,
                labelled_positive_count = manifestation_count * $labelled // $total
            where channel = 'online' {"and category_id <> 'unclassified'" if "category" in table else ""}
            """,
            {"labelled": labelled, "total": total, "least": 10 * total / labelled},
        )
    quality = {"labelled_count": labelled, "labeller_count": 2, "twice_count": labelled + 20, "differing_count": 20}
    figures = {"accuracy": 0.61, "accuracy_low": 0.56, "accuracy_high": 0.66, "macro_f1": 0.5, "macro_f1_low": 0.41}
    key = {"report_id": REPORT_ID, "channel": "online", "macro_f1_high": 0.59, "samples": "muestra"}
    warehouse.append("report_quality", [{**key, **quality, **figures, "task": task} for task in ("category", "sentiment")])


def _append_report(
    warehouse: Warehouse,
    city: City,
    period: Period,
    key: dict[str, Any],
    total: int,
    aside: int,
    states: list[str],
    marks: dict[str, Any],
) -> None:
    late = marks["late"]
    warehouse.append(
        "report",
        [
            key
            | {
                "city": city.id,
                "period_start": period.start_utc,
                "period_end": period.end_utc,
                "seen_until": datetime(2021, 5, 3, 14, 0, tzinfo=UTC),
                "collected_count": total + aside,
                "manifestation_count": total,
                "distinct_text_count": total - total // 50,
                "voice_count": total * 7 // 10,
                "unsigned_count": total // 25,
                "textless_count": total // 500,
                "source_planned_count": len(states),
                "source_alive_count": sum(state in ("ok", "empty", "partial") for state in states),
                "late_count": late or 0,
                "amends_report_id": "77aa0000bbbb1111" if late is not None else None,
                "amends_seen_until": datetime(2021, 5, 1, 14, 0, tzinfo=UTC) if late is not None else None,
                "report_number": 1,
                "issued": True,
                "synthetic": marks["synthetic"],
                "taxonomy_version": "1+abcdef01",
                "annotators": json.dumps(
                    dict.fromkeys(("category", "issue", "sentiment"), "keyword@1f2e3d4c") | {"language": "language@aa11"}
                ),
                "data_digest": "d0" * 32,
                "code_digest": "c0" * 32,
            }
        ],
    )


def _append_campaigns(warehouse: Warehouse, period: Period, key: dict[str, Any], sizes: dict[str, int]) -> None:
    """Twelve texts or fewer, the smallest with too few voices to tell."""
    counts = [count for count in (sizes["agua_servicios"] // 40 - step for step in range(12)) if count >= 5]
    days = period.days()
    warehouse.append(
        "report_campaign",
        [
            key
            | {
                "campaign_number": number,
                "manifestation_count": count,
                "distinct_text_count": max(1, count // 3),
                "voice_count": count - 1 if count > 5 else None,
                "unsigned_count": 1 if count > 5 else None,
                "source_count": 1 + number % 3,
                "first_day": days[0],
                "last_day": days[min(number, len(days)) - 1],
                "categories": json.dumps({"agua_servicios": count} if number % 4 else {}),
            }
            for number, count in enumerate(counts, start=1)
        ],
    )


def _append_agreement(warehouse: Warehouse, key: dict[str, Any], size: int) -> None:
    """Append what two people agree on in a sample of that size; without a sample, that there is none."""
    agreed = {"category": size * 9 // 10, "issue": 0, "sentiment": size * 4 // 5}
    measured = {name: None if size < 30 else value for name, value in (("", 0.81), ("_low", 0.77), ("_high", 0.86))}
    warehouse.append(
        "report_agreement",
        [
            key
            | {"task": task, "position": position, "sample_count": int(size > 0), "drawn_count": size}
            | {"labelled_count": size if same else 0, "double_labelled_count": size if same else 0, "agreed_count": same}
            | {"settled_count": size // 20 if same else 0, "labellers": json.dumps({"A": size, "B": size} if same else {})}
            | {f"{name}{end}": measured[end] if same else None for name in ("kappa", "alpha") for end in measured}
            for position, (task, same) in enumerate(agreed.items(), start=1)
        ],
    )


def _append_days(warehouse: Warehouse, period: Period, key: dict[str, Any], totals: list[int]) -> None:
    days: list[date] = period.days()
    weights = [5 + (index * 5) % 7 + (6 if index % 7 == 4 else 0) for index in range(len(days))]
    columns = [split(total, weights) for total in totals]
    warehouse.append(
        "report_day",
        [
            key | {"day": day, "manifestation_count": pos + neu + neg, "pos_count": pos, "neu_count": neu, "neg_count": neg}
            for day, pos, neu, neg in zip(days, *columns, strict=True)
        ],
    )


def _append_sources(
    warehouse: Warehouse,
    sources: list[tuple[int, Any]],
    states: list[tuple[str, str]],
    key: dict[str, Any],
    total: int,
    aside: dict[str, int],
) -> None:
    weights = [
        0 if status in ("failed", "empty") else 3 + index % 8 for (index, _), (status, _) in zip(sources, states, strict=True)
    ]
    counted, undated = split(total, weights), split(aside["undated"], weights)
    others = split(sum(aside.values()) - aside["undated"], weights)
    warehouse.append(
        "report_source",
        [
            key
            | {
                "source_id": source.id,
                "position": index + 1,
                "publisher": source.publisher.name,
                "publisher_kind": source.publisher.kind,
                "official": source.publisher.official,
                "platform": source.platform,
                "status": status,
                "reason": reason,
                "item_count": counted[place] + others[place],
                "manifestation_count": counted[place],
                "manifestation_share": counted[place] / total if total else None,
                "undated_count": undated[place],
            }
            for place, ((index, source), (status, reason)) in enumerate(zip(sources, states, strict=True))
        ],
    )


def append_cells(warehouse: Warehouse, taxonomy: Taxonomy) -> None:
    """Append the persons behind each figure of the report, seven of ten messages, and what is not told."""
    members = tuple((name, (*rollup.categories, *rollup.issues)) for name, rollup in taxonomy.rollups.items())
    rows = _protected(tuple(warehouse.query(CELLS)), members)
    warehouse.append("report_cell", [{"report_id": REPORT_ID} | row for row in rows])


@cache
def _protected(counted: tuple[tuple[Any, ...], ...], rollups: tuple[tuple[str, tuple[str, ...]], ...]) -> list[dict[str, Any]]:
    names = ("channel", "cell_table", "cell_key", "manifestation_count", "person_count")
    cells = [dict(zip(names, (*cell, -(-cell[3] * 7 // 10)), strict=True)) for cell in counted]
    return protect_rows(cells, dict(rollups))


CELLS = """
    with cell as (
        select channel, 'total' as cell_table, '' as cell_key, manifestation_count from report
        union all
        select channel, 'category', category_id, manifestation_count from report_category
        union all
        select channel, 'sentiment', sentiment, manifestation_count from report_sentiment
        union all
        select channel, 'category_sentiment', category_id || '/' || sentiment, manifestation_count from report_category_sentiment
        union all
        select channel, 'rollup', rollup_id, manifestation_count from report_rollup
        union all
        select channel, 'day', day::varchar, manifestation_count from report_day
        union all
        select channel, 'day_sentiment', day::varchar || '/' || tone, n
        from report_day
        cross join lateral (values ('pos', pos_count), ('neu', neu_count), ('neg', neg_count)) as toned(tone, n)
        union all
        select channel, 'issue', category_id || '/' || issue_id, manifestation_count from report_issue
        union all
        select channel, 'issue', category_id || '/none', any_value(c.manifestation_count) - sum(i.manifestation_count)::bigint
        from report_issue as i
        join report_category as c using (channel, category_id)
        group by all
        union all
        select channel, 'unread', reason, item_count
        from report_unread
        where not counted and reason not in ('undated', 'failed_source', 'partial_source', 'official', 'institution', 'article')
    )
    from cell order by all
"""
"""Every figure of the report that persons stand behind. Grain: one row per channel and cell."""
