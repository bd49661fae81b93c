-- Who named which place; null: a manifestation that names none, though its text is stored. Grain: one row per channel, place and writer.
select distinct i.channel, p.place_id, i.person
from counted_item as i
left join item_place as p using (item)
where i.has_text and (select count(*) from city_place) > 0
order by all
