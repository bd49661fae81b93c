-- How each source fared for the window, as far as was seen. Grain: one row per source of the city.
-- Each day of the window takes the outcome of the last collection that covered it, so that one good day does not hide
-- twenty-nine lost ones, and a later collection of the whole window makes up for all of them. That a source was not asked,
-- because it failed too often, takes nothing from what was known of the day.
with covered as (
    select
        h.source_id,
        d.day,
        arg_max(h.status, (h.reason <> 'quarantined', h.batch_number)) as status,
        arg_max(h.reason, (h.reason <> 'quarantined', h.batch_number)) as reason,
        max(h.batch_number) as batch_number
    from source_health as h
    join window_day as d
        on h.period_start < ((d.day + 1)::timestamp at time zone $timezone)
        and h.period_end > (d.day::timestamp at time zone $timezone)
    anti join (from batch where reread) as r on h.batch_number = r.batch_number
    where h.city = $city and h.observed_at <= $seen_until
    group by h.source_id, d.day
),

outcome as (
    select
        source_id,
        case
            when bool_and(status = 'not_collected') then 'not_collected'
            when bool_and(status in ('failed', 'not_collected')) then 'failed'
            when bool_or(status in ('failed', 'partial') or reason = 'quarantined') then 'partial'
            when bool_or(status = 'ok') then 'ok'
            else 'empty'
        end as status,
        arg_max(reason, (status in ('failed', 'partial'), reason = 'quarantined', status = 'ok', batch_number)) as reason
    from covered
    group by source_id
)

select
    s.source_id,
    s.channel,
    case when not s.enabled then 'not_collected' else coalesce(outcome.status, 'not_collected') end as status,
    case when not s.enabled then 'disabled' else coalesce(outcome.reason, 'none') end as reason
from city_source as s
left join outcome using (source_id)
