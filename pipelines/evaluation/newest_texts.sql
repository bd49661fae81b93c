-- The newest text of each message of a city; erased texts are absent. Grain: one row per manifestation.
select m.manifestation_id, t.text, m.channel
from manifestation as m
join manifestation_text as t using (manifestation_id, version)
where m.city = $city and m.kind = 'manifestation'
qualify row_number() over (partition by m.manifestation_id order by m.version_number desc) = 1
order by m.manifestation_id
