-- Threads that need not be read again in a window whose walk was cut off last time. Grain: one row per source and thread.
with outcome as (
    select
        source_id,
        batch_number,
        reason = 'interrupted' or reason in ('budget_requests', 'budget_megabytes', 'budget_seconds') as cut_off
    from source_health
    where city = $city
        and period_start = $start
        and period_end = $end
        and batch_number not in (select batch.batch_number from batch where batch.reread)
),

ended as (
    select source_id, coalesce(max(batch_number) filter (not cut_off), 0) as batch_number
    from outcome
    group by source_id
)

select f.source_id, f.place, arg_max(f.found, f.batch_number) as found
from source_frontier as f
join ended using (source_id)
where f.city = $city
    and f.period_start = $start
    and f.period_end = $end
    and f.batch_number > ended.batch_number
    and f.observed_at > $since
group by f.source_id, f.place
order by f.source_id, f.place
