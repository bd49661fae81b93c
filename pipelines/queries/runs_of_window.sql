-- The collections of sources that touched a window, oldest first; rereadings are none. Grain: one row per source and run.
select source_id, run_id
from batch
where city = $city and period_start < $end and period_end > $start and not coalesce(reread, false)
order by batch_number
