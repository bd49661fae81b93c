-- How each source fared for the window, as far as was seen. Grain: one row per source of the city.
with latest as (
    select
        source_id,
        arg_max(status, batch_number) as status,
        arg_max(reason, batch_number) as reason
    from source_health
    where city = $city and period_start < $end and period_end > $start and observed_at <= $seen_until
    group by source_id
)

select
    s.source_id,
    s.channel,
    case when not s.enabled then 'not_collected' else coalesce(latest.status, 'not_collected') end as status,
    case when not s.enabled then 'disabled' else coalesce(latest.reason, 'none') end as reason
from city_source as s
left join latest using (source_id)
