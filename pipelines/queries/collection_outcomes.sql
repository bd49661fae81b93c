-- How the collections of a city's sources ended, oldest first. Grain: one row per source and collection.
select source_id, observed_at, status, reason
from source_health
where city = $city and batch_number not in (select batch.batch_number from batch where batch.reread)
order by source_id, batch_number
