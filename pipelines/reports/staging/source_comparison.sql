-- Which sources can be compared with the window before. Grain: one row per source of the city.
-- A source is well where it was read on every day of a window that is over (nothing published is whole too) and the watch says
-- nothing against it.
with standing as (
    select
        s.source_id,
        s.channel,
        s.position,
        coalesce(now.status in ('ok', 'empty'), false) as read_now,
        coalesce(now.status in ('ok', 'empty') and now.whole and coalesce(watch.verdict, 'none') = 'none', false) as well_now,
        coalesce(before.status in ('ok', 'empty') and before.whole and coalesce(before.verdict, 'none') = 'none', false) as well_before
    from city_source as s
    left join source_state as now using (source_id)
    left join source_verdict as watch using (source_id)
    left join previous_source_state as before using (source_id)
)

select
    source_id,
    channel,
    position,
    read_now,
    well_now,
    case
        when well_now and well_before then 'compared'
        when well_before then 'lost'
        when well_now then 'gained'
        else 'apart'
    end as standing
from standing
