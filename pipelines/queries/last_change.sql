-- The last instant that changed a window: a new item or version, or another outcome of a source. Grain: one row, null if nothing was seen.
with health as (
    select
        observed_at,
        (status, reason) is distinct from lag((status, reason)) over (partition by source_id order by batch_number) as changed
    from source_health
    where city = $city and period_start < $end and period_end > $start
)

select max(instant) as instant
from (
    select max(first_seen_at) as instant
    from manifestation
    where city = $city and (published_at is null or (published_at >= $start and published_at < $end))
    union all
    select max(observed_at) from health where changed
)
