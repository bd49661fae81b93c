-- Messages of the window that were taken out because somebody asked for it, at any time. Grain: one row per channel with at least one.
select s.channel, sum(e.message_count)::bigint as item_count
from erasure as e
join city_source as s using (source_id)
where e.city = $city and e.reason = 'exclusion'
    and e.published_day::timestamp at time zone $timezone >= $start
    and e.published_day::timestamp at time zone $timezone < $end
group by s.channel
having sum(e.message_count) > 0
order by s.channel
