-- Places that messages name, and those that name none. Grain: one row per report, channel and place that is told of by name, one for the other places together, one for messages without a place, one for those whose text is stored no longer.
-- A message may name several places, so rows do not add up. Which places are told of by name is decided in pipelines/reports/suppression.py.
with total as (
    select channel, count(*) as n, count(*) filter (not has_text) as textless from counted_item group by channel
),

named as (
    select i.channel, i.item, i.person, i.category_id, case when shown.place_id is not null then p.place_id end as place_id
    from counted_item as i
    join item_place as p using (item)
    left join place_shown as shown using (channel, place_id)
),

counted as (
    select channel, place_id, count(distinct item) as n from named group by all
),

foremost as (
    -- Only a category that enough persons are behind, and only if no other has as many messages.
    select channel, place_id, category_id, count(distinct item) as n
    from named
    where place_id is not null and category_id not in ('otros', 'unclassified')
    group by channel, place_id, category_id
    qualify count(distinct person) >= $least_voices and rank() over (partition by channel, place_id order by count(distinct item) desc) = 1
),

alone as (
    select channel, place_id, any_value(category_id) as category_id from foremost group by all having count(*) = 1
),

listed as (
    select
        counted.channel,
        case when counted.place_id is null then 'other' else 'place' end as grouping,
        counted.place_id,
        city_place.name as place_name,
        city_place.kind as place_kind,
        city_place.zone_id,
        city_place.latitude,
        city_place.longitude,
        case when city_place.latitude is not null then city_place.approximate end as approximate,
        alone.category_id,
        counted.n as manifestation_count,
        city_place.position as entry
    from counted
    left join city_place using (place_id)
    left join alone using (channel, place_id)
    union all by name
    select channel, 'none' as grouping, count(*) as manifestation_count
    from counted_item
    anti join item_place using (item)
    where has_text
    group by channel
    union all by name
    select channel, 'textless' as grouping, textless as manifestation_count from total where textless > 0
),

protected as (
    -- Where nothing may be told, the places together and those who named none are rows without a count.
    select listed.* replace (case when told.channel is not null or listed.grouping = 'textless' then manifestation_count end as manifestation_count)
    from listed
    left join place_channel as told using (channel)
    where (select count(*) from city_place) > 0
)

select
    $report_id as report_id,
    p.channel,
    row_number() over (
        partition by p.channel
        order by array_position(['place', 'other', 'none', 'textless'], p.grouping), p.manifestation_count desc, p.entry
    )::integer as position,
    p.grouping,
    p.place_id,
    p.place_name,
    p.place_kind,
    p.zone_id,
    p.latitude,
    p.longitude,
    p.approximate,
    p.category_id,
    p.manifestation_count,
    p.manifestation_count / total.n as manifestation_share,
    null::double as manifestation_low,
    null::double as manifestation_high,
    false as corrected
from protected as p
join total using (channel)
order by p.channel, position
