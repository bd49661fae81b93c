-- Every source of the city and how it fared, also those that gave nothing. Grain: one row per report and source.
with total as (
    select channel, count(*) as n from report_item where counted group by channel
),

item as (
    select
        source_id,
        count(*) filter (published_at is not null) as item_count,
        count(*) filter (counted) as manifestation_count,
        count(*) filter (not_counted = 'undated') as undated_count
    from report_item
    group by source_id
)

select
    $report_id as report_id,
    s.channel,
    s.source_id,
    s.position,
    s.publisher,
    s.publisher_kind,
    s.official,
    s.platform,
    state.status,
    state.reason,
    coalesce(item.item_count, 0) as item_count,
    coalesce(item.manifestation_count, 0) as manifestation_count,
    coalesce(item.manifestation_count, 0) / total.n as manifestation_share,
    coalesce(item.undated_count, 0) as undated_count,
    watch.* exclude (source_id)
from city_source as s
join source_state as state using (source_id)
left join item using (source_id)
left join source_verdict as watch using (source_id)
left join total on total.channel = s.channel
order by s.position
