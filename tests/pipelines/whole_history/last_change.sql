-- The last instant, not after $seen_until, that changed a window: a new item or version, another outcome of a source or another
-- verdict of the watch, an item that is gone at its source or back, or items that were taken out because somebody asked for it.
-- Grain: one row, null if nothing was seen by then.
with bears_on_window as (
    -- Any version of an item in the window: an edit that moves its date out of the window changes the window too.
    select distinct m.manifestation_id
    from manifestation as m
    join batch as b using (batch_number)
    where m.city = $city
        and m.first_seen_at <= $seen_until
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
    from source_health as h
    where city = $city and period_start < $end and period_end > $start
        -- That a source was not asked, because it failed too often, is news only where nothing was known.
        and not (
            reason = 'quarantined'
            and exists (
                select 1
                from source_health as earlier
                where earlier.city = h.city and earlier.source_id = h.source_id and earlier.batch_number < h.batch_number
                    and earlier.reason <> 'quarantined'
                    and earlier.period_start <= h.period_start and earlier.period_end >= h.period_end
            )
        )
        and batch_number not in (select batch_number from batch where reread)
),

health as (
    select observed_at, state is distinct from lag(state) over (partition by source_id order by batch_number) as changed
    from outcome
    where not overtaken
),

watch as (
    -- Of this very window: the verdict on a day of it says nothing about the whole.
    select
        observed_at,
        (verdict, about) is distinct from lag((verdict, about)) over (partition by source_id order by batch_number) as changed
    from source_watch
    where city = $city and period_start = $start and period_end = $end
),

absence as (
    select
        observed_at,
        misses = 2 or (misses = 0 and lag(misses) over (partition by manifestation_id order by batch_number) = 2) as changed
    from manifestation_absence
    semi join bears_on_window using (manifestation_id)
)

select max(instant) as instant
from (
    select max(first_seen_at) as instant
    from manifestation
    semi join bears_on_window using (manifestation_id)
    where first_seen_at <= $seen_until
    union all
    select max(observed_at) from health where changed and observed_at <= $seen_until
    union all
    select max(observed_at) from watch where changed and observed_at <= $seen_until
    union all
    select max(observed_at) from absence where changed and observed_at <= $seen_until
    union all
    select max(applied_at)
    from erasure
    where city = $city and reason = 'exclusion' and applied_at <= $seen_until
        and published_day::timestamp at time zone $timezone >= $start
        and published_day::timestamp at time zone $timezone < $end
)
