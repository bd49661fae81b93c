-- The messages of a city, and whether their text goes or went, and whether they go whole. Grain: one row per manifestation.
select
    m.manifestation_id,
    bool_or(m.erased_at is not null or d.manifestation_id is not null) as textless,
    bool_or(e.manifestation_id is not null) as excluded
from manifestation as m
left join due_item as d using (manifestation_id)
left join excluded_item as e using (manifestation_id)
where m.city = $city
group by m.manifestation_id
