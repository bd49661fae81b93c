-- The last instant, not after $seen_until, that changed a window: a new item or version, or another outcome of a source.
-- Grain: one row, null if nothing was seen by then.
with bears_on_window as (
    -- Any version of an item in the window: an edit that moves its date out of the window changes the window too.
    select distinct m.manifestation_id
    from manifestation as m
    join batch as b using (batch_number)
    where m.city = $city
        and (
            (m.published_at >= $start and m.published_at < $end)
            or (m.published_at is null and b.period_start < $end and b.period_end > $start)
        )
),

outcome as (
    -- A crawl that was killed and run again has one outcome, that of the second attempt.
    select
        source_id,
        batch_number,
        observed_at,
        (status, reason) as state,
        reason = 'interrupted' and lead(batch_number) over (partition by source_id order by batch_number) is not null as overtaken
    from source_health
    where city = $city and period_start < $end and period_end > $start
),

health as (
    select observed_at, state is distinct from lag(state) over (partition by source_id order by batch_number) as changed
    from outcome
    where not overtaken
)

select max(instant) as instant
from (
    select max(first_seen_at) as instant
    from manifestation
    semi join bears_on_window using (manifestation_id)
    where first_seen_at <= $seen_until
    union all
    select max(observed_at) from health where changed and observed_at <= $seen_until
)
