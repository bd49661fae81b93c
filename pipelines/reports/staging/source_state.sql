-- source_state
-- How each source fared for the window, as far as was seen. Grain: one row per source of the city.
-- A day of the window that has passed and that no collection covered is a day that was not read; `whole` is a window that is over
-- and of which that is true of no day.
with passed as (
    select
        count(*) as window_count,
        count(*) filter (((day + 1)::timestamp at time zone $timezone) <= $seen_until) as day_count
    from window_day
),

covered_until as (
    select source_id, count(*) filter (((day + 1)::timestamp at time zone $timezone) <= $seen_until) as day_count
    from covered_day
    group by source_id
),

asked as (
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
    from covered_day
    group by source_id
),

outcome as (
    select
        source_id,
        if(status in ('ok', 'empty') and covered_until.day_count < passed.day_count, 'partial', status) as status,
        if(status in ('ok', 'empty') and covered_until.day_count < passed.day_count, 'days_missing', reason) as reason,
        covered_until.day_count = passed.window_count as whole
    from asked
    join covered_until using (source_id)
    cross join passed
)

select
    s.source_id,
    s.channel,
    case when not s.enabled then 'not_collected' else coalesce(outcome.status, 'not_collected') end as status,
    case when not s.enabled then 'disabled' else coalesce(outcome.reason, 'none') end as reason,
    coalesce(outcome.whole, false) as whole
from city_source as s
left join outcome using (source_id)
