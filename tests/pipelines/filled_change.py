"""The tables of change, influence, voices, headline and alerts beside those of `filled_report`, for a report without a past."""

from __future__ import annotations

from collectors.period import Period
from pipelines.reports.formats import MIN_BASE
from pipelines.staging import REPORTS
from pipelines.warehouse import Warehouse

FILLING = """
insert into report_comparison by name
select report_id, channel, $start as previous_start, $end as previous_end, $kind as period_kind,
    'not_collected' as standing,
    0 as unread_count, 0 as comparison_count
from report;

insert into report_source_comparison by name
select report_id, channel, source_id, manifestation_count as current_count
from report_source;

insert into report_influence by name
with share as (
    select report_id, channel, 'category' as measure, category_id as key, read_share as share from report_category
    union all
    select report_id, channel, 'sentiment', sentiment, read_share from report_sentiment
    union all
    select report_id, channel, 'category_neg', category_id, read_share
    from report_category_sentiment where sentiment = 'neg'
),

source as (
    select report_id, channel, min(source_id) as first, max(source_id) as last
    from report_source where manifestation_count > 0 group by all having count(*) > 1
)

select share.*, if(first is null, null, share * 0.9) as lowest_without, first as lowest_source_id,
    if(first is null, null, least(share * 1.1, 1)) as highest_without, last as highest_source_id, first as moving_source_id
from share left join source using (report_id, channel);

insert into report_voice by name
select report_id, channel, category_id, manifestation_count,
    manifestation_count - manifestation_count // 50 as distinct_text_count,
    manifestation_count * 7 // 10 as voice_count, manifestation_count // 25 as unsigned_count,
    if(manifestation_count * 7 // 10 >= 30, 0.25, null) as top_tenth_share
from report_category
union all by name
select report_id, channel, null as category_id, manifestation_count, distinct_text_count, voice_count, unsigned_count,
    if(voice_count >= 30, 0.25, null) as top_tenth_share
from report;

insert into report_watch by name
select report_id, channel, 'short_history' as standing, null::date as history_first, 0 as history_days, 0 as series_count,
    0.01 as alarm_rate
from report
"""


def append_change(warehouse: Warehouse, period: Period) -> None:
    """Append the rows; the findings are made by the table's own rules."""
    before = period.previous()
    facts = {"start": before.start_utc, "end": before.end_utc, "kind": period.kind or "window"}
    for number, statement in enumerate(FILLING.split(";")):
        warehouse.query(statement, facts if number == 0 else {})
    tell_findings(warehouse)


def tell_findings(warehouse: Warehouse) -> None:
    """Make the findings of every report anew from its tables as they are."""
    sql = (REPORTS / "tables" / "report_headline.sql").read_text(encoding="utf-8")
    warehouse.query("delete from report_headline")
    for (report_id,) in warehouse.query("select distinct report_id from report"):
        warehouse.query(f"insert into report_headline by name {sql}", {"report_id": report_id, "min_base": MIN_BASE})
