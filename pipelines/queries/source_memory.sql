-- What each source of a city is remembered by. Grain: one row per source and key.
select source_id, key, arg_max(value, batch_number) as value
from source_memory
where city = $city
group by all
order by all
