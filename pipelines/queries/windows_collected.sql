-- How far each source of a city was collected. Grain: one row per source that was read at least once.
select source_id, max(period_end) as last_end
from batch
where city = $city
group by all
order by all
