-- How far each source of a city was collected. Grain: one row per source that was asked at least once.
select batch.source_id, max(batch.period_end) as last_end
from batch
where batch.city = $city and not coalesce(batch.reread, false)
    and not exists (
        select 1
        from source_health as h
        where h.batch_number = batch.batch_number and h.reason = 'quarantined'
    )
group by all
order by all
