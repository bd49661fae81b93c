-- With what the window is compared, or why with nothing. Grain: one row per report and channel.
-- Rules: what was not looked at is null and no zero.
with source as (
    select
        s.channel,
        count(*) filter (s.standing = 'compared') as compared_source_count,
        count(*) filter (s.standing = 'lost') as lost_source_count,
        count(*) filter (s.standing = 'gained') as gained_source_count
    from source_comparison as s
    group by s.channel
),

before as (
    select s.channel, count(*) as n, count(*) filter (s.standing = 'compared') as compared
    from previous_item as i
    join source_comparison as s using (source_id)
    where i.counted
    group by s.channel
),

now as (
    select s.channel, count(*) as n, count(*) filter (s.standing = 'compared') as compared
    from report_item as i
    join source_comparison as s using (source_id)
    where i.counted
    group by s.channel
)

select
    $report_id as report_id,
    source.channel,
    i.previous_start,
    i.previous_end,
    i.period_kind,
    case
        when i.standing <> 'compared' then i.standing
        when coalesce(before.n, 0) = 0 or coalesce(now.n, 0) = 0 then 'nothing_counted'
        when before.compared + now.compared = 0 then 'no_common_source'
        else 'compared'
    end as standing,
    i.unread_count,
    if(i.standing = 'compared', source.compared_source_count, null) as compared_source_count,
    if(i.standing = 'compared', source.lost_source_count, null) as lost_source_count,
    if(i.standing = 'compared', source.gained_source_count, null) as gained_source_count,
    if(i.standing = 'compared', coalesce(before.n, 0), null) as previous_count,
    if(i.standing = 'compared', coalesce(before.compared, 0), null) as previous_compared_count,
    if(i.standing = 'compared', coalesce(now.compared, 0), null) as current_compared_count,
    (select count(*) from change as c where c.channel = source.channel and c.p_value is not null) as comparison_count
from source
cross join comparison_input as i
left join before using (channel)
left join now using (channel)
order by source.channel
