"""Estimates: the shares of a report's tables, corrected by what people labelled; a step of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.period import Period
from models.taxonomy import Taxonomy
from pipelines.digests import value_digest
from pipelines.reports.estimation import Estimate, add_up, estimate_part, estimate_share
from pipelines.reports.labelled import NO_ISSUE, Gold, Labels, Predicate, Sample, choose_samples, join_labels
from pipelines.reports.quality import QUALITY_COLUMNS, measure_quality
from pipelines.staging import Build, stage

ESTIMATE_COLUMNS = {
    "channel": "varchar",
    "subject": "varchar",
    "category_id": "varchar",
    "issue_id": "varchar",
    "sentiment": "varchar",
    "rollup_id": "varchar",
    "status": "varchar",
    "share": "double",
    "low": "double",
    "high": "double",
    "labelled_count": "bigint",
    "positive_count": "bigint",
}
"""Of the temporary table `estimate`. Its subjects: category, sentiment, tone (within a category), joint, issue, rollup."""


LABELS = ("label_sample_use", "label_use", "label_stratum")
"""What is staged of the labels of a window, and under `previous_` of the window before."""


def load_labels(build: Build) -> dict[str, Any]:
    """Stage the labels that this report uses, of its window and of the one before.

    Returns:
        The samples that are used and a digest of the labels and weights; empty without any.
    """
    before = _stage_labels(build, build.period.previous(), "previous_item")
    for name in LABELS:
        build.warehouse.query(f"create or replace temp table previous_{name} as from {name}")
    now = _stage_labels(build, build.period, "report_item")
    return {**now, "before": before} if before else now


def _stage_labels(build: Build, period: Period, items: str) -> dict[str, Any]:
    warehouse, window = build.warehouse, build.window_of(period)
    warehouse.query(f"create or replace temp view labelled_item as from {items}")
    for name in ("label_sample_use", "label_use"):
        stage(warehouse, name, window)
    counts = dict(warehouse.query("select sample_id, count(distinct manifestation_id) from label_use group by sample_id"))
    chosen: list[str] = []
    rows = warehouse.rows("select * from label_sample_use order by sample_id")
    for channel in sorted({row["channel"] for row in rows}):
        samples = [
            Sample(row["sample_id"], row["period_start"], row["period_end"], counts.get(row["sample_id"], 0))
            for row in rows
            if row["channel"] == channel
        ]
        found = choose_samples(samples, period.start_utc, period.end_utc)
        chosen += [sample.sample_id for sample in found]
    warehouse.query("delete from label_sample_use where not list_contains($chosen::varchar[], sample_id)", {"chosen": chosen})
    warehouse.query("delete from label_use where not list_contains($chosen::varchar[], sample_id)", {"chosen": chosen})
    stage(warehouse, "label_stratum", window)
    if not chosen:
        return {}
    used = warehouse.query("select * from label_use order by sample_id, manifestation_id, task, labeller")
    strata = warehouse.query("select * from label_stratum order by sample_id, stratum")
    return {"samples": chosen, "labels": value_digest([[list(row) for row in used], [list(row) for row in strata]])}


def compute_estimates(build: Build) -> None:
    """Stage what labels say: empty tables without labels.

    `estimate` has a row per channel and share that was estimated, `previous_estimate` the same of the window before, and
    `quality` says how well the model reads.
    """
    warehouse = build.warehouse
    blank = dict.fromkeys(ESTIMATE_COLUMNS)
    quality: list[dict[str, Any]] = []
    for before in ("previous_", ""):
        estimates: list[dict[str, Any]] = []
        for (channel,) in warehouse.query(f"select distinct channel from {before}label_sample_use order by channel"):  # noqa: S608  our own names
            gold = _load_gold(build, channel, before)
            estimates += [{"channel": channel, **row} for row in estimate_channel(gold, build.readers.taxonomy)]
            quality += [] if before else [{"channel": channel, **row} for row in measure_quality(gold)]
        warehouse.temporary(f"{before}estimate", [blank | row for row in estimates], ESTIMATE_COLUMNS)
    warehouse.temporary("quality", quality, QUALITY_COLUMNS)


def estimate_channel(gold: Gold, taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    """Yield the estimates of one channel as rows of table `estimate`, without the channel."""
    for task, labels in (("category", taxonomy.category_ids), ("sentiment", taxonomy.sentiment_ids)):
        covered = gold.cover([task])
        if covered:
            shares = [estimate_share(covered.marks(_is({task: label}))) for label in labels]
            for label, estimate in zip(labels, add_up(shares), strict=True):
                yield _row(task, estimate, **{"category_id" if task == "category" else "sentiment": label})
    both = gold.cover(["category", "sentiment"])
    if both:
        yield from _estimate_tones(both, taxonomy)
    told = gold.cover(["category", "issue"])
    if told:
        yield from _estimate_issues(told, taxonomy)
    yield from _estimate_rollups(gold, told, taxonomy)


def _estimate_tones(gold: Gold, taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    for category in taxonomy.category_ids:
        whole = gold.marks(_is({"category": category}))
        marks = [gold.marks(_is({"category": category, "sentiment": tone})) for tone in taxonomy.sentiment_ids]
        within = add_up([estimate_part(mark, whole) for mark in marks])
        for tone, mark, estimate in zip(taxonomy.sentiment_ids, marks, within, strict=True):
            yield _row("tone", estimate, category_id=category, sentiment=tone)
            yield _row("joint", estimate_share(mark)[0], category_id=category, sentiment=tone)


def _estimate_issues(gold: Gold, taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    for issue in taxonomy.issue_ids:
        category = issue.partition(".")[0]
        marks = gold.marks(_is({"category": category, "issue": issue}))
        estimate, _ = estimate_part(marks, gold.marks(_is({"category": category})))
        yield _row("issue", estimate, category_id=category, issue_id=issue)


def _estimate_rollups(gold: Gold, told: Gold | None, taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    """A roll-up with issues needs issues that are labelled."""
    for rollup_id, rollup in sorted(taxonomy.rollups.items()):
        covered = told if rollup.issues else gold.cover(["category"])
        if covered:
            members, issues = frozenset(rollup.categories), frozenset(rollup.issues)
            estimate, _ = estimate_share(covered.marks(_belongs(members, issues)))
            yield _row("rollup", estimate, rollup_id=rollup_id)


def _is(wanted: Labels) -> Predicate:
    return lambda labels: all(labels[task] == label for task, label in wanted.items())


def _belongs(categories: frozenset[str], issues: frozenset[str]) -> Predicate:
    return lambda labels: labels["category"] in categories or labels.get("issue", NO_ISSUE) in issues


def _row(subject: str, estimate: Estimate, **names: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "status": estimate.status,
        "share": estimate.share,
        "low": estimate.low,
        "high": estimate.high,
        "labelled_count": estimate.labelled_count,
        "positive_count": estimate.positive_count,
        **names,
    }


def _load_gold(build: Build, channel: str, before: str) -> Gold:
    """Load the labels and readings of a channel; `before` is `previous_` for the window before, else empty."""
    warehouse, named = build.warehouse, {"channel": channel}
    uses, samples, items = f"{before}label_use", f"{before}label_sample_use", f"{before or 'report_'}item"
    rows = warehouse.rows(
        f"select * from {uses} where channel = $channel order by sample_id, manifestation_id, task, labeller",  # noqa: S608  our own names
        named,
    )
    strata = warehouse.rows(
        f"select t.* from {before}label_stratum as t join {samples} using (sample_id) where channel = $channel order by all",  # noqa: S608
        named,
    )
    populations = warehouse.query(
        f"""
        select s.sample_id, count(*)
        from {samples} as s
        join {items} as i using (channel)
        where s.channel = $channel and i.counted and i.published_at >= s.period_start and i.published_at < s.period_end
        group by s.sample_id
        """,  # noqa: S608
        named,
    )
    readings = warehouse.query(
        f"""
        select category_id, issue_id, sentiment, count(*)
        from {items} where counted and channel = $channel group by all order by all
        """,  # noqa: S608
        named,
    )
    return Gold(
        join_labels(rows),
        strata,
        dict(populations),
        [
            ({"category": category, "issue": issue or NO_ISSUE, "sentiment": sentiment}, count)
            for category, issue, sentiment, count in readings
        ],
    )
