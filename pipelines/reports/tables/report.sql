-- The report and its totals. Grain: one row per report and channel.
with item as (
    select
        channel,
        count(*) as collected_count,
        count(*) filter (counted) as manifestation_count,
        count(distinct copy_group) filter (counted) as distinct_text_count,
        count(distinct (source_id, author_key)) filter (counted and author_key is not null) as voice_count,
        count(*) filter (counted and author_key is null) as unsigned_count,
        count(*) filter (counted and not has_text) as textless_count,
        count(*) filter (counted and item_first_seen_at > amends_seen_until) as late_count,
        count(*) filter (counted and gone) as gone_count
    from report_item
    cross join report_input
    group by channel
),

source as (
    select
        channel,
        count(*) filter (reason <> 'disabled') as source_planned_count,
        count(*) filter (status in ('ok', 'partial', 'empty')) as source_alive_count
    from source_state
    group by channel
)

select
    $report_id as report_id,
    (select coalesce(max(made.report_number), 0) + 1 from report as made) as report_number,
    i.city,
    source.channel,
    i.period_start,
    i.period_end,
    i.seen_until,
    coalesce(item.collected_count, 0) as collected_count,
    coalesce(item.manifestation_count, 0) as manifestation_count,
    coalesce(item.distinct_text_count, 0) as distinct_text_count,
    coalesce(item.voice_count, 0) as voice_count,
    coalesce(item.unsigned_count, 0) as unsigned_count,
    coalesce(item.textless_count, 0) as textless_count,
    source.source_planned_count,
    source.source_alive_count,
    coalesce(item.late_count, 0) as late_count,
    coalesce(item.gone_count, 0) as gone_count,
    i.amends_report_id,
    i.amends_seen_until,
    i.issued,
    i.synthetic,
    i.only_sources,
    i.taxonomy_version,
    i.annotators,
    i.data_digest,
    i.code_digest
from source
cross join report_input as i
left join item using (channel)
order by source.channel
