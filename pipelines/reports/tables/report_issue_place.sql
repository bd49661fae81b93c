-- The place that most messages of an issue name. Grain: one row per report, channel and issue of which at least $least_voices persons named one place that is told of by name.
with named as (
    select i.channel, i.category_id, i.issue_id, p.place_id, count(distinct i.item) as n
    from counted_item as i
    join item_place as p using (item)
    join place_shown as shown using (channel, place_id)
    where i.issue_id is not null
    group by i.channel, i.category_id, i.issue_id, p.place_id
    having count(distinct i.person) >= $least_voices
)

select
    $report_id as report_id,
    named.channel,
    named.category_id,
    named.issue_id,
    named.place_id,
    city_place.name as place_name
from named
join city_place using (place_id)
qualify row_number() over (partition by named.channel, named.issue_id order by named.n desc, city_place.position) = 1
order by named.channel, named.category_id, named.issue_id
