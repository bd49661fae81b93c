-- How the collections of each source of a city went so far. Grain: one row per source that was collected.
select
    source_id,
    min(observed_at) filter (where status in ('ok', 'empty')) as first_good,
    max(observed_at) filter (where status in ('ok', 'empty')) as last_good,
    count(*) as collections,
    count(*) filter (where position <= $lately) as lately,
    count(*) filter (where position <= $lately and status not in ('ok', 'empty')) as failed_lately
from (
    select *, row_number() over (partition by source_id order by batch_number desc) as position
    from source_health
    where city = $city and status <> 'not_collected'
)
group by source_id
order by source_id
