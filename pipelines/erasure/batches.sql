-- What was appended from which spool, and since when it is past the retention of its source. Grain: one row per source and spool.
select
    b.spool,
    b.source_id,
    b.run_id,
    b.observed_at,
    b.observed_at + to_days(coalesce(r.retention_days, $shortest_days)) <= $now as due
from batch as b
left join source_retention as r using (source_id)
where b.city = $city
order by b.batch_number
