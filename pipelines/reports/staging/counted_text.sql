-- What the counted manifestations say, where it is still stored; equal texts one after another. Grain: one row per counted manifestation.
select i.item, max(t.text) as text
from counted_item as i
join manifestation_text as t using (manifestation_id, version)
group by i.item
order by text, i.item
